//! Folded texts of one chunk in one piece of memory, so that one search goes through all of them.
//!
//! Between two texts stands a byte that no text has. What begins or ends with a part, or equals it,
//! is therefore found as a part too: with that byte at its ends. Room that a text has left holds
//! nothing but that byte, so that nothing is ever found there.

use crate::model::filter::text::Relation;
use crate::model::table::column::mask::Mask;
use crate::model::table::order::CHUNK;
use memchr::memchr;
use memchr::memmem::Finder;
use std::cmp::Ordering;

/// No byte of UTF-8.
const BETWEEN: u8 = 0xFF;
/// Of a row that never had a text.
const NOWHERE: u16 = u16::MAX;
/// With fewer candidates than this share of a chunk each is looked at by itself.
const FEW: usize = CHUNK / 16;
/// Bytes that a piece may waste before it is packed anew.
const WASTE_FREE: usize = 1024;

/// The folded texts of the rows.
#[derive(Debug)]
pub(super) struct Texts {
    /// `BETWEEN`, then each place: its text, filled up with `BETWEEN`, and one more of them.
    bytes: Vec<u8>,
    /// Where the places begin, rising.
    starts: Vec<u32>,
    /// Whose place it is, or was.
    rows: Vec<u16>,
    /// By row: the place it has.
    places: Vec<u16>,
    /// Bytes of texts, without what stands around them.
    used: usize,
}

impl Default for Texts {
    fn default() -> Self {
        let (starts, rows, places) = (Vec::new(), Vec::new(), Vec::new());
        Self { bytes: vec![BETWEEN], starts, rows, places, used: 0 }
    }
}

/// A part that texts are searched for.
#[derive(Clone, Debug)]
pub struct Pattern {
    finder: Finder<'static>,
    /// Bytes of it before the text begins.
    lead: usize,
}

impl Pattern {
    /// Of a part that is folded and not empty.
    #[must_use]
    pub fn new(relation: Relation, part: &str) -> Self {
        let (at_start, at_end) = match relation {
            Relation::Contains => (false, false),
            Relation::StartsWith => (true, false),
            Relation::EndsWith => (false, true),
            Relation::Equals => (true, true),
        };
        let mut needle = Vec::with_capacity(part.len() + 2);
        needle.extend(at_start.then_some(BETWEEN));
        needle.extend_from_slice(part.as_bytes());
        needle.extend(at_end.then_some(BETWEEN));
        Self { finder: Finder::new(&needle).into_owned(), lead: usize::from(at_start) }
    }
}

impl Texts {
    /// Puts a folded text in the place of the row's old one.
    pub(super) fn set(&mut self, row: usize, text: Option<&str>) {
        let text = text.unwrap_or_default().as_bytes();
        if row >= self.places.len() {
            self.places.resize(row + 1, NOWHERE);
        }
        let place = usize::from(self.places[row]);
        let (start, end) = self.room(place).unwrap_or((0, 0));
        if start < end {
            self.used -= self.text_at(start).len();
        }
        self.used += text.len();
        if text.len() <= end - start {
            let (mine, rest) = self.bytes[start..end].split_at_mut(text.len());
            mine.copy_from_slice(text);
            rest.fill(BETWEEN);
            return;
        }
        self.bytes[start..end].fill(BETWEEN);
        self.append(row, text);
        if self.bytes.len() > 2 * self.used + WASTE_FREE || self.starts.len() > 2 * CHUNK {
            self.pack();
        }
    }

    fn append(&mut self, row: usize, text: &[u8]) {
        let needed = text.len() + 1;
        if self.bytes.capacity() - self.bytes.len() < needed {
            self.bytes.reserve_exact(needed.max(self.bytes.len() / 8));
        }
        let start = u32::try_from(self.bytes.len()).expect("a piece has far less than 4 GiB");
        self.places[row] = u16::try_from(self.starts.len()).expect("places are packed in time");
        self.starts.push(start);
        self.rows.push(u16::try_from(row).expect("a row is one of a chunk"));
        self.bytes.extend_from_slice(text);
        self.bytes.push(BETWEEN);
    }

    /// Leaves out what nobody needs any more.
    pub(super) fn pack(&mut self) {
        let mut packed = Self::default();
        let len = self.places.len();
        let count = (0..len).filter(|row| self.text(*row).is_some()).count();
        packed.bytes.reserve_exact(self.used + count);
        packed.starts.reserve_exact(count);
        packed.rows.reserve_exact(count);
        packed.places = vec![NOWHERE; len];
        for row in 0..len {
            if let Some(text) = self.text(row) {
                packed.append(row, text);
            }
        }
        packed.used = self.used;
        *self = packed;
    }

    /// Where a place begins, and where its text must have ended.
    fn room(&self, place: usize) -> Option<(usize, usize)> {
        let start = *self.starts.get(place)? as usize;
        let end = self.starts.get(place + 1).map_or(self.bytes.len(), |next| *next as usize);
        Some((start, end - 1))
    }

    /// The place in which a byte stands, by steps that double from one at or before it: what is found
    /// is most often near what was found before, where a search of all places would miss the caches.
    fn place_of(&self, at: usize, first: usize) -> usize {
        let ahead = &self.starts[first..];
        let is_behind = |start: &u32| *start as usize <= at;
        let mut step = 1;
        while ahead.get(step).is_some_and(is_behind) {
            step *= 2;
        }
        let (low, high) = (step / 2, step.min(ahead.len()));
        first + low + ahead[low..high].partition_point(is_behind) - 1
    }

    fn text_at(&self, start: usize) -> &[u8] {
        let rest = &self.bytes[start..];
        &rest[..memchr(BETWEEN, rest).expect("one stands behind each text")]
    }

    /// The text of a row; none where it is blank.
    pub(super) fn text(&self, row: usize) -> Option<&[u8]> {
        let place = usize::from(*self.places.get(row)?);
        let start = *self.starts.get(place)? as usize;
        Some(self.text_at(start)).filter(|text| !text.is_empty())
    }

    /// Of these rows those whose text is such.
    pub(super) fn like(&self, rows: &Mask, pattern: &Pattern) -> Mask {
        if rows.count() < FEW {
            return self.holding(rows, |around| pattern.finder.find(around).is_some());
        }
        let mut mask = Mask::NONE;
        let (mut from, mut place) = (0, 0);
        while let Some(found) = pattern.finder.find(&self.bytes[from..]) {
            place = self.place_of(from + found + pattern.lead, place);
            mask.set(usize::from(self.rows[place]), true);
            // On with the byte in front of the next place: the pattern may begin with it.
            let Some(next) = self.starts.get(place + 1) else { break };
            from = *next as usize - 1;
        }
        mask.and(rows)
    }

    /// Of these rows those whose text holds, given with the byte before and the byte behind it.
    fn holding(&self, rows: &Mask, holds: impl Fn(&[u8]) -> bool) -> Mask {
        let mut mask = Mask::NONE;
        for row in rows.rows() {
            let place = self.places.get(row).and_then(|place| self.starts.get(usize::from(*place)));
            let Some(start) = place.map(|start| *start as usize) else { continue };
            let len = self.text_at(start).len();
            mask.set(row, len > 0 && holds(&self.bytes[start - 1..=start + len]));
        }
        mask
    }

    /// Of these rows those whose text holds.
    pub(super) fn holding_text(&self, rows: &Mask, holds: impl Fn(&str) -> bool) -> Mask {
        self.holding(rows, |around| {
            let text = std::str::from_utf8(&around[1..around.len() - 1]);
            holds(text.expect("texts are put in as such"))
        })
    }

    /// Of these rows those whose text stands so to another.
    pub(super) fn standing(&self, rows: &Mask, to: &str, is_so: impl Fn(Ordering) -> bool) -> Mask {
        self.holding(rows, |around| is_so(around[1..around.len() - 1].cmp(to.as_bytes())))
    }

    pub(super) fn blank(&self, rows: &Mask) -> Mask {
        rows.without(&self.holding(rows, |_| true))
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes.capacity()
            + self.starts.capacity() * size_of::<u32>()
            + (self.rows.capacity() + self.places.capacity()) * size_of::<u16>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn texts() -> impl Strategy<Value = Vec<(usize, String)>> {
        prop::collection::vec((0..CHUNK, "(|[ab]{1,4}|[aä]{1,3}|[ab]{30,60})"), 0..300)
    }

    fn judge(relation: Relation, text: &str, part: &str) -> bool {
        match relation {
            Relation::Equals => text == part,
            Relation::Contains => text.contains(part),
            Relation::StartsWith => text.starts_with(part),
            Relation::EndsWith => text.ends_with(part),
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn texts_are_found_as_they_were_last_set(
            loaded in texts(), changes in texts(), part in "([ab]{1,3}|ä|aä|[ab]{30})",
            candidates in prop::collection::btree_set(0..CHUNK, 0..200), is_packed in any::<bool>(),
        ) {
            let mut rows = vec![String::new(); CHUNK];
            let mut piece = Texts::default();
            for (at, (row, text)) in loaded.into_iter().chain(changes).enumerate() {
                piece.set(row, Some(&*text).filter(|text| !text.is_empty()));
                rows[row] = text;
                if is_packed && at % 50 == 0 {
                    piece.pack();
                }
            }
            let mut few = Mask::NONE;
            for row in &candidates {
                few.set(*row, true);
            }
            for candidates in [few, Mask::first(CHUNK)] {
                for relation in
                    [Relation::Equals, Relation::Contains, Relation::StartsWith, Relation::EndsWith]
                {
                    let expected = Mask::of_values(&rows, |text| judge(relation, text, &part));
                    let found = piece.like(&candidates, &Pattern::new(relation, &part));
                    prop_assert_eq!(found, expected.and(&candidates), "{:?} {}", relation, &part);
                }
                let expected = Mask::of_values(&rows, String::is_empty);
                prop_assert_eq!(piece.blank(&candidates), expected.and(&candidates));
                let expected = Mask::of_values(&rows, |text| !text.is_empty() && *text < part);
                let found = piece.standing(&candidates, &part, Ordering::is_lt);
                prop_assert_eq!(found, expected.and(&candidates));
                let expected = Mask::of_values(&rows, |text| text.len() > 2);
                let found = piece.holding_text(&candidates, |text| text.len() > 2);
                prop_assert_eq!(found, expected.and(&candidates));
            }
            let used: usize = rows.iter().map(String::len).sum();
            prop_assert_eq!(piece.used, used);
            prop_assert!(piece.bytes.len() <= 3 * used + 2 * CHUNK + WASTE_FREE);
        }
    }

    #[test]
    fn a_piece_that_is_written_over_and_over_stays_small() {
        let mut piece = Texts::default();
        for round in 0..200 {
            for row in 0..CHUNK {
                piece.set(row, Some(&"x".repeat(round % 40 + 1)));
            }
        }
        assert!(piece.bytes() < CHUNK * 200, "{}", piece.bytes());
        assert!(piece.starts.len() <= 2 * CHUNK + 1);
    }
}
