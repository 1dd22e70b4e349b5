//! A part: the events of one writer inside a frame. Knows their count and bytes, never what they
//! say, and nothing of files.

use crate::model::id::{Sequence, Timestamp, WriterId};
use bytes::{Buf, BufMut};
use thiserror::Error;

/// The events of one writer inside a frame.
///
/// Stored as `writer 17 bytes | first sequence u64 | time i64 | event count u32 | byte length u32
/// | events`, little-endian.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part<'a> {
    pub writer: WriterId,
    /// Sequence of the first event that has one; 0 if none of them has.
    pub first_sequence: Sequence,
    /// When the newest of the events happened.
    pub time: Timestamp,
    pub event_count: u32,
    pub events: &'a [u8],
}

/// Why the bytes of a payload are no parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum PartError {
    #[error("a part is cut short")]
    Truncated,
    #[error("a part names a writer of unknown kind {kind}")]
    UnknownWriter { kind: u8 },
}

impl<'a> Part<'a> {
    /// Bytes of a part besides its events.
    pub const HEADER_LEN: usize = WriterId::LEN + 8 + 8 + 4 + 4;

    /// Bytes of the stored form.
    #[must_use]
    pub fn encoded_len(&self) -> usize {
        Self::HEADER_LEN + self.events.len()
    }

    /// Whether it may hold a sequence or one behind it. Of its events not every one need have a
    /// sequence, so it may end before it all the same.
    #[must_use]
    pub fn may_hold(&self, sequence: Sequence) -> bool {
        let Self { first_sequence, event_count, .. } = *self;
        let end = first_sequence.0.saturating_add(u64::from(event_count));
        first_sequence > Sequence(0) && end > sequence.0
    }

    /// Appends the stored form.
    ///
    /// # Panics
    /// If the events have 4 GiB or more: a commit is far smaller.
    pub fn encode(&self, out: &mut Vec<u8>) {
        let length = u32::try_from(self.events.len()).expect("a commit is at most a few MiB");
        out.reserve(self.encoded_len());
        out.put_slice(&self.writer.to_bytes());
        out.put_u64_le(self.first_sequence.0);
        out.put_i64_le(self.time.0);
        out.put_u32_le(self.event_count);
        out.put_u32_le(length);
        out.put_slice(self.events);
    }

    /// Splits the first part off `bytes`, copying nothing.
    pub fn decode(bytes: &'a [u8]) -> Result<(Self, &'a [u8]), PartError> {
        let (writer, mut rest) =
            bytes.split_first_chunk::<{ WriterId::LEN }>().ok_or(PartError::Truncated)?;
        let kind = writer[0];
        let writer = WriterId::from_bytes(writer).ok_or(PartError::UnknownWriter { kind })?;
        let first_sequence = Sequence(rest.try_get_u64_le().map_err(|_| PartError::Truncated)?);
        let time = Timestamp(rest.try_get_i64_le().map_err(|_| PartError::Truncated)?);
        let event_count = rest.try_get_u32_le().map_err(|_| PartError::Truncated)?;
        let length = rest.try_get_u32_le().map_err(|_| PartError::Truncated)?;
        let (events, rest) = rest.split_at_checked(length as usize).ok_or(PartError::Truncated)?;
        Ok((Self { writer, first_sequence, time, event_count, events }, rest))
    }
}

/// The parts of a payload in their order. It ends after the first that cannot be read.
#[must_use]
pub fn parts(payload: &[u8]) -> Parts<'_> {
    Parts { rest: payload }
}

/// See [`parts`].
#[derive(Clone, Debug)]
pub struct Parts<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Parts<'a> {
    type Item = Result<Part<'a>, PartError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        match Part::decode(self.rest) {
            Ok((part, rest)) => {
                self.rest = rest;
                Some(Ok(part))
            }
            Err(error) => {
                self.rest = &[];
                Some(Err(error))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Part, PartError, parts};
    use crate::model::id::{BusinessId, ObjectId, Sequence, Timestamp, WriterId};

    fn samples() -> Vec<Part<'static>> {
        let part = |writer, first_sequence, time, event_count, events| Part {
            writer,
            first_sequence: Sequence(first_sequence),
            time: Timestamp(time),
            event_count,
            events,
        };
        vec![
            part(WriterId::Root, 0, -1, 1, b"r"),
            part(WriterId::Catalog(BusinessId::from_bytes([7; 16])), 0, 0, 0, b""),
            part(WriterId::Agenda(BusinessId::from_bytes([8; 16])), 1, i64::MAX, 2, b"two"),
            part(WriterId::Table(ObjectId::from_bytes([9; 16])), u64::MAX, i64::MIN, 3, &[0; 70]),
        ]
    }

    fn encode_all(samples: &[Part<'_>]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for sample in samples {
            sample.encode(&mut bytes);
        }
        bytes
    }

    #[test]
    fn parts_come_back_as_they_were_written() {
        let bytes = encode_all(&samples());
        assert_eq!(bytes.len(), samples().iter().map(Part::encoded_len).sum::<usize>());
        assert_eq!(parts(&bytes).collect::<Result<Vec<_>, _>>(), Ok(samples()));
    }

    #[test]
    fn an_empty_payload_has_no_parts() {
        assert_eq!(parts(&[]).next(), None);
    }

    #[test]
    fn a_payload_cut_anywhere_yields_whole_parts_and_then_one_error() {
        let bytes = encode_all(&samples());
        let mut ends = vec![0];
        for sample in samples() {
            ends.push(ends[ends.len() - 1] + sample.encoded_len());
        }
        for length in 0..bytes.len() {
            let whole = ends.iter().filter(|end| **end > 0 && **end <= length).count();
            let read: Vec<_> = parts(&bytes[..length]).collect();
            let good = read.iter().take_while(|part| part.is_ok()).count();
            assert_eq!(good, whole, "cut at {length}");
            let expected_errors = usize::from(!ends.contains(&length));
            assert_eq!(read.len() - good, expected_errors, "cut at {length}");
            assert!(read[good..].iter().all(|part| *part == Err(PartError::Truncated)));
        }
    }

    #[test]
    fn a_writer_of_unknown_kind_is_an_error() {
        let mut bytes = encode_all(&samples()[3..]);
        bytes[0] = 9;
        assert_eq!(parts(&bytes).next(), Some(Err(PartError::UnknownWriter { kind: 9 })));
    }
}
