//! The values of a record in their stored form, and how a new one is made of an old one.
//!
//! A body is a flat MessagePack run of number, value, number, value … in rising order. Bodies come
//! from our own writer, through a checksum: one that does not decode is a bug or corruption.

use crate::model::id::FieldNumber;
use crate::model::schema::system;
use crate::model::value::pack;
use std::fmt;

/// A view of a stored body.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Body<'a>(&'a [u8]);

impl<'a> Body<'a> {
    #[must_use]
    pub fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    #[must_use]
    pub fn bytes(self) -> &'a [u8] {
        self.0
    }

    /// All values in rising order of their numbers.
    #[must_use]
    pub fn iter(self) -> Values<'a> {
        Values(self.0)
    }

    /// The stored form of one value.
    #[must_use]
    pub fn get(self, number: FieldNumber) -> Option<&'a [u8]> {
        self.iter()
            .take_while(|(at, _)| *at <= number)
            .find(|(at, _)| *at == number)
            .map(|(_, raw)| raw)
    }

    /// The numbers of the values that differ, or that only one of both has; rising.
    #[must_use]
    pub fn differing(self, other: Body<'_>) -> Vec<FieldNumber> {
        let mut differing = Vec::new();
        let mut others = other.iter().peekable();
        for (number, raw) in self.iter() {
            while let Some((before, _)) = others.next_if(|(at, _)| *at < number) {
                differing.push(before);
            }
            let same = others.next_if(|(at, _)| *at == number);
            if same.is_none_or(|(_, other)| other != raw) {
                differing.push(number);
            }
        }
        differing.extend(others.map(|(number, _)| number));
        differing
    }

    /// Bytes of the values that an object shows, without those the server keeps with a record.
    #[must_use]
    pub fn fields_len(self) -> usize {
        let kept = self.iter().take_while(|(at, _)| *at < system::FIELD_FIRST);
        // The number of a kept value takes one byte.
        self.0.len() - kept.map(|(_, raw)| 1 + raw.len()).sum::<usize>()
    }

    /// Whether the bytes are such a run: what recovery asks before it believes them.
    #[must_use]
    pub fn is_well_formed(bytes: &[u8]) -> bool {
        let mut rest = bytes;
        let mut last = FieldNumber(0);
        while !rest.is_empty() {
            let Some((number, _)) = split(&mut rest) else { return false };
            if number <= last {
                return false;
            }
            last = number;
        }
        true
    }
}

impl fmt::Debug for Body<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter().map(|(number, raw)| (number.0, raw))).finish()
    }
}

/// The values of a body, one by one.
pub struct Values<'a>(&'a [u8]);

impl<'a> Iterator for Values<'a> {
    type Item = (FieldNumber, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        Some(split(&mut self.0).expect("a stored body is a run of numbers and values"))
    }
}

/// Takes one number and its value off the front.
fn split<'a>(rest: &mut &'a [u8]) -> Option<(FieldNumber, &'a [u8])> {
    let number = rmp::decode::read_int(rest).ok()?;
    let start = *rest;
    pack::skip(rest).ok()?;
    Some((FieldNumber(number), &start[..start.len() - rest.len()]))
}

/// What is to become of some values of a body: set to a stored form, or gone.
///
/// Kept in rising order; the last word on a number wins.
#[derive(Clone, Debug, Default)]
pub struct Edits {
    entries: Vec<(FieldNumber, Option<std::ops::Range<usize>>)>,
    bytes: Vec<u8>,
}

impl Edits {
    /// The value that `write` appends takes the place of what was there.
    pub fn set(&mut self, number: FieldNumber, write: impl FnOnce(&mut Vec<u8>)) {
        let start = self.bytes.len();
        write(&mut self.bytes);
        let end = self.bytes.len();
        self.put(number, Some(start..end));
    }

    /// The value goes.
    pub fn clear(&mut self, number: FieldNumber) {
        self.put(number, None);
    }

    /// The numbers that are set or cleared, rising.
    pub fn numbers(&self) -> impl Iterator<Item = FieldNumber> + '_ {
        self.entries.iter().map(|(number, _)| *number)
    }

    fn put(&mut self, number: FieldNumber, range: Option<std::ops::Range<usize>>) {
        match self.entries.binary_search_by_key(&number, |(at, _)| *at) {
            Ok(at) => self.entries[at].1 = range,
            Err(at) => self.entries.insert(at, (number, range)),
        }
    }

    /// What the edits say about a number: nothing, gone, or a stored form.
    #[must_use]
    pub fn get(&self, number: FieldNumber) -> Option<Option<&[u8]>> {
        let at = self.entries.binary_search_by_key(&number, |(at, _)| *at).ok()?;
        Some(self.entries[at].1.clone().map(|range| &self.bytes[range]))
    }

    /// The value after the edits.
    #[must_use]
    pub fn value_over<'a>(&'a self, old: Body<'a>, number: FieldNumber) -> Option<&'a [u8]> {
        self.get(number).unwrap_or_else(|| old.get(number))
    }

    /// Writes the new body, and the numbers whose stored form differs from the old one.
    pub fn merge(&self, old: Body<'_>, out: &mut Vec<u8>, changed: &mut Vec<FieldNumber>) {
        let mut kept = old.iter().peekable();
        for (number, range) in &self.entries {
            while let Some((at, raw)) = kept.next_if(|(at, _)| at < number) {
                write(at, raw, out);
            }
            let before = kept.next_if(|(at, _)| at == number).map(|(_, raw)| raw);
            let after = range.clone().map(|range| &self.bytes[range]);
            if let Some(raw) = after {
                write(*number, raw, out);
            }
            if before != after {
                changed.push(*number);
            }
        }
        for (at, raw) in kept {
            write(at, raw, out);
        }
    }

    /// Whether the edits would change anything.
    #[must_use]
    pub fn change(&self, old: Body<'_>) -> bool {
        self.entries.iter().any(|(number, range)| {
            old.get(*number) != range.clone().map(|range| &self.bytes[range])
        })
    }
}

fn write(number: FieldNumber, raw: &[u8], out: &mut Vec<u8>) {
    rmp::encode::write_uint(out, u64::from(number.0)).expect("a Vec takes every byte");
    out.extend_from_slice(raw);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::value::pack::write_integer;

    #[test]
    fn bodies_differ_in_what_one_of_them_has_otherwise() {
        let body = |values: &[(u32, i64)]| {
            let (mut edits, mut out) = (Edits::default(), Vec::new());
            for (number, value) in values {
                edits.set(FieldNumber(*number), |out| write_integer(*value, out));
            }
            edits.merge(Body::new(&[]), &mut out, &mut Vec::new());
            out
        };
        let check = |left: &[(u32, i64)], right: &[(u32, i64)], expected: &[u32]| {
            let (left, right) = (body(left), body(right));
            let (left, right) = (Body::new(&left), Body::new(&right));
            let expected: Vec<_> = expected.iter().map(|number| FieldNumber(*number)).collect();
            assert_eq!(left.differing(right), expected);
            assert_eq!(right.differing(left), expected);
        };
        check(&[], &[], &[]);
        check(&[(1, 1), (7, 2)], &[(1, 1), (7, 2)], &[]);
        check(&[(1, 1), (7, 2)], &[(1, 5), (7, 2)], &[1]);
        check(&[(1, 1), (7, 2)], &[(7, 2)], &[1]);
        check(
            &[(3, 1), (7, 2), (9, 0)],
            &[(1, 4), (7, 3), (12, 0), (13, 0)],
            &[1, 3, 7, 9, 12, 13],
        );
        check(&[(200, 1)], &[], &[200]);
    }
}
