//! The index of a segment: where its frames and the parts of each writer stand. Derived from the
//! frames and never believed where they say otherwise. Knows its stored form but no file.

use crate::model::id::{LogId, Position, Sequence, Timestamp, WriterId};
use crate::storage::frame::{Checksum, Frame, HEADER_LEN};
use crate::storage::part::{Part, PartError};
use crate::storage::segment::{
    DamageKind, FORMAT_VERSION, FRAMES_FROM, HeaderFault, SegmentEnd, checked, read_version,
};
use bytes::{Buf, BufMut};
use std::collections::BTreeMap;

/// First bytes of every index.
const MAGIC: [u8; 8] = *b"upsertdI";
/// A further mark is made after so many bytes, so that nobody reads a whole segment for one event.
const STRIDE: u64 = 256 << 10;

/// Where a frame stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Mark {
    pub(crate) position: Position,
    pub(crate) offset: u64,
}

/// The frame in which a part of a writer begins with a sequence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct WriterMark {
    pub(crate) first_sequence: Sequence,
    pub(crate) mark: Mark,
}

/// What is known of a segment's frames without reading them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SegmentIndex {
    first: Position,
    end: SegmentEnd,
    newest: Timestamp,
    /// The first frame, and then one in every [`STRIDE`].
    marks: Vec<Mark>,
    /// Of each writer the first part that has a sequence, then one in every [`STRIDE`], and always
    /// the last.
    writers: BTreeMap<WriterId, Vec<WriterMark>>,
}

impl SegmentIndex {
    /// The index of a segment without frames, which follows a frame with this checksum.
    pub(crate) fn new(first: Position, previous: Checksum) -> Self {
        let last = Position(first.0 - 1);
        let end = SegmentEnd { position: last, offset: FRAMES_FROM, checksum: previous };
        let newest = Timestamp(i64::MIN);
        Self { first, end, newest, marks: Vec::new(), writers: BTreeMap::new() }
    }

    pub(crate) fn first(&self) -> Position {
        self.first
    }

    pub(crate) fn end(&self) -> SegmentEnd {
        self.end
    }

    /// When the newest event happened; the beginning of time if there is none.
    pub(crate) fn newest(&self) -> Timestamp {
        self.newest
    }

    /// Takes in the frame that stands at the end.
    ///
    /// # Panics
    /// If it is not the next one.
    pub(crate) fn note(&mut self, frame: &Frame<'_>, checksum: Checksum) -> Result<(), PartError> {
        assert_eq!(frame.position, self.end.position.next(), "frames are noted in their order");
        let mark = Mark { position: frame.position, offset: self.end.offset };
        if self.marks.last().is_none_or(|last| mark.offset >= last.offset + STRIDE) {
            self.marks.push(mark);
        }
        for part in frame.parts() {
            self.note_part(&part?, mark);
        }
        let offset = mark.offset + frame.encoded_len() as u64;
        self.end = SegmentEnd { position: frame.position, offset, checksum };
        Ok(())
    }

    fn note_part(&mut self, part: &Part<'_>, mark: Mark) {
        self.newest = self.newest.max(part.time);
        let first_sequence = part.first_sequence;
        if first_sequence == Sequence(0) {
            return;
        }
        let marks = self.writers.entry(part.writer).or_default();
        if let [.., before, last] = marks.as_slice()
            && last.mark.offset < before.mark.offset + STRIDE
        {
            marks.pop();
        }
        marks.push(WriterMark { first_sequence, mark });
    }

    /// The last marked frame that is not behind a position.
    pub(crate) fn mark_before(&self, position: Position) -> Option<Mark> {
        let behind = self.marks.partition_point(|mark| mark.position <= position);
        self.marks.get(..behind)?.last().copied()
    }

    /// The last marked part of a writer that begins at or before a sequence; the first one if all
    /// begin behind it. None if the segment holds no sequence of the writer.
    pub(crate) fn writer_mark(&self, writer: &WriterId, from: Sequence) -> Option<WriterMark> {
        let marks = self.writers.get(writer)?;
        let behind = marks.partition_point(|mark| mark.first_sequence <= from);
        marks.get(behind.saturating_sub(1)).copied()
    }

    /// The last part of a writer that has a sequence.
    pub(crate) fn last_mark(&self, writer: &WriterId) -> Option<WriterMark> {
        self.writers.get(writer)?.last().copied()
    }

    /// The stored form: `magic 8 bytes | format version u16 | 0 u16 | mark count u32 | writer mark
    /// count u32 | log id 16 bytes | first position u64 | end: position u64, offset u64, checksum
    /// u32 | newest time i64 | marks: position u64, offset u64 each | writer marks: writer 17
    /// bytes, first sequence u64, position u64, offset u64 each | crc32c u32`, little-endian.
    pub(crate) fn encode(&self, log_id: LogId) -> Vec<u8> {
        let writer_marks: usize = self.writers.values().map(Vec::len).sum();
        let count = |count| u32::try_from(count).expect("a segment has fewer parts than 2^32");
        let mut bytes = Vec::new();
        bytes.put_slice(&MAGIC);
        bytes.put_u16_le(FORMAT_VERSION);
        bytes.put_u16_le(0);
        bytes.put_u32_le(count(self.marks.len()));
        bytes.put_u32_le(count(writer_marks));
        bytes.put_slice(log_id.as_bytes());
        bytes.put_u64_le(self.first.0);
        bytes.put_u64_le(self.end.position.0);
        bytes.put_u64_le(self.end.offset);
        bytes.put_u32_le(self.end.checksum.0);
        bytes.put_i64_le(self.newest.0);
        for mark in &self.marks {
            bytes.put_u64_le(mark.position.0);
            bytes.put_u64_le(mark.offset);
        }
        for (writer, marks) in &self.writers {
            for mark in marks {
                bytes.put_slice(&writer.to_bytes());
                bytes.put_u64_le(mark.first_sequence.0);
                bytes.put_u64_le(mark.mark.position.0);
                bytes.put_u64_le(mark.mark.offset);
            }
        }
        bytes.put_u32_le(crc32c::crc32c(&bytes));
        bytes
    }

    /// The inverse of `encode`, for a segment of this log that begins and ends like this. Whatever
    /// else it may be is no reason to stop: the frames tell it again.
    pub(crate) fn decode(
        bytes: &[u8],
        log_id: LogId,
        first: Position,
        end: SegmentEnd,
    ) -> Result<Self, HeaderFault> {
        let bad = HeaderFault::Damaged(DamageKind::BadChecksum);
        let rest = read_version(bytes, MAGIC, FORMAT_VERSION)?;
        checked(bytes).ok_or(bad)?;
        let (found_log, index) = Self::decode_fields(rest).ok_or(bad)?;
        let fits = found_log == log_id && index.first == first && index.end == end;
        if fits { Ok(index) } else { Err(bad) }
    }

    fn decode_fields(mut fields: &[u8]) -> Option<(LogId, Self)> {
        fields.try_get_u16_le().ok()?;
        let mark_count = fields.try_get_u32_le().ok()?;
        let writer_mark_count = fields.try_get_u32_le().ok()?;
        let mut log_id = [0; 16];
        fields.try_copy_to_slice(&mut log_id).ok()?;
        let first = Position(fields.try_get_u64_le().ok()?);
        let position = Position(fields.try_get_u64_le().ok()?);
        let offset = fields.try_get_u64_le().ok()?;
        let checksum = Checksum(fields.try_get_u32_le().ok()?);
        let newest = Timestamp(fields.try_get_i64_le().ok()?);
        let end = SegmentEnd { position, offset, checksum };
        let mut index = Self { first, end, newest, marks: Vec::new(), writers: BTreeMap::new() };
        for _ in 0..mark_count {
            index.marks.push(index.decode_mark(&mut fields)?);
        }
        for _ in 0..writer_mark_count {
            let mut writer = [0; WriterId::LEN];
            fields.try_copy_to_slice(&mut writer).ok()?;
            let first_sequence = Sequence(fields.try_get_u64_le().ok()?);
            let mark = index.decode_mark(&mut fields)?;
            let marks = index.writers.entry(WriterId::from_bytes(&writer)?).or_default();
            marks.push(WriterMark { first_sequence, mark });
        }
        // Only the checksum is left.
        (fields.len() == 4).then_some((LogId::from_bytes(log_id), index))
    }

    /// A mark outside the segment would lead a reader astray.
    fn decode_mark(&self, fields: &mut &[u8]) -> Option<Mark> {
        let position = Position(fields.try_get_u64_le().ok()?);
        let offset = fields.try_get_u64_le().ok()?;
        let is_inside = (self.first..=self.end.position).contains(&position)
            && offset >= FRAMES_FROM
            && offset.saturating_add(HEADER_LEN as u64) <= self.end.offset;
        is_inside.then_some(Mark { position, offset })
    }
}

#[cfg(test)]
mod tests {
    use super::{STRIDE, SegmentIndex};
    use crate::model::id::{LogId, ObjectId, Position, Sequence, Timestamp, WriterId};
    use crate::storage::frame::{Checksum, Frame, Term};
    use crate::storage::part::Part;
    use crate::storage::segment::{FRAMES_FROM, SegmentEnd};

    const LOG: LogId = LogId::from_bytes([7; 16]);

    fn writer(number: u8) -> WriterId {
        WriterId::Table(ObjectId::from_bytes([number; 16]))
    }

    fn note(index: &mut SegmentIndex, parts: &[(u8, u64, i64, usize)]) {
        let mut payload = Vec::new();
        for (number, first_sequence, time, length) in parts {
            let part = Part {
                writer: writer(*number),
                first_sequence: Sequence(*first_sequence),
                time: Timestamp(*time),
                event_count: 1,
                events: &vec![0; *length],
            };
            part.encode(&mut payload);
        }
        let position = index.end().position.next();
        let previous = index.end().checksum;
        let frame = Frame { term: Term::FIRST, position, previous, payload: &payload };
        index.note(&frame, Checksum(previous.0 + 1)).unwrap();
    }

    fn sample() -> SegmentIndex {
        let mut index = SegmentIndex::new(Position(10), Checksum(90));
        note(&mut index, &[(1, 1, 50, 10), (2, 0, 70, 10)]);
        note(&mut index, &[]);
        for round in 0..6 {
            note(&mut index, &[(1, 2 + round, 60, 100 << 10), (2, 1 + round, 1, 5)]);
        }
        index
    }

    #[test]
    fn a_new_index_ends_where_it_begins() {
        let index = SegmentIndex::new(Position(10), Checksum(90));
        let expected =
            SegmentEnd { position: Position(9), offset: FRAMES_FROM, checksum: Checksum(90) };
        assert_eq!(index.end(), expected);
        assert_eq!(index.mark_before(Position(10)), None);
        assert_eq!(index.writer_mark(&writer(1), Sequence(1)), None);
    }

    #[test]
    fn marks_are_a_stride_apart_and_lead_to_the_frame_before() {
        let index = sample();
        assert_eq!((index.end().position, index.end().checksum), (Position(17), Checksum(98)));
        assert_eq!(index.newest(), Timestamp(70));
        let marks: Vec<_> = index.marks.iter().map(|mark| mark.position.0).collect();
        assert_eq!(marks, [10, 15]);
        let pairs = index.marks.windows(2);
        assert!(pairs.clone().all(|pair| pair[1].offset - pair[0].offset >= STRIDE));
        let check = |position, expected: Option<u64>| {
            let mark = index.mark_before(Position(position));
            assert_eq!(mark.map(|mark| mark.position.0), expected, "{position}");
        };
        check(9, None);
        check(10, Some(10));
        check(14, Some(10));
        check(15, Some(15));
        check(99, Some(15));
    }

    #[test]
    fn a_writer_is_found_by_its_sequences_alone() {
        let index = sample();
        let check = |number, from, expected: Option<(u64, u64)>| {
            let found = index.writer_mark(&writer(number), Sequence(from));
            let found = found.map(|found| (found.first_sequence.0, found.mark.position.0));
            assert_eq!(found, expected, "writer {number} from {from}");
        };
        check(1, 1, Some((1, 10)));
        check(1, 4, Some((1, 10)));
        check(1, 5, Some((5, 15)));
        check(1, 6, Some((5, 15)));
        check(1, 99, Some((7, 17)));
        check(2, 1, Some((1, 12)));
        check(2, 0, Some((1, 12)));
        check(3, 1, None);
        let last = |number| index.last_mark(&writer(number)).map(|mark| mark.first_sequence.0);
        assert_eq!((last(1), last(2), last(3)), (Some(7), Some(6), None));
        assert!(index.writers.values().all(|marks| marks.len() == 3));
    }

    #[test]
    fn an_index_comes_back_as_it_was_written() {
        for index in [sample(), SegmentIndex::new(Position(1), Checksum(0))] {
            let bytes = index.encode(LOG);
            let read = SegmentIndex::decode(&bytes, LOG, index.first(), index.end());
            assert_eq!(read, Ok(index));
        }
    }

    #[test]
    fn an_index_that_says_nonsense_under_a_right_checksum_does_no_harm() {
        let index = sample();
        let bytes = index.encode(LOG);
        let body = bytes.len() - 4;
        for place in 10..body {
            for value in [0, 1, 0x7f, 0x80, 0xff] {
                for width in [1, 8] {
                    let mut other = bytes.clone();
                    other[place..(place + width).min(body)].fill(value);
                    let checksum = crc32c::crc32c(&other[..body]);
                    other[body..].copy_from_slice(&checksum.to_le_bytes());
                    let read = SegmentIndex::decode(&other, LOG, index.first(), index.end());
                    let Ok(read) = read else { continue };
                    let writer_marks = read.writers.values().flatten().map(|mark| &mark.mark);
                    for mark in read.marks.iter().chain(writer_marks) {
                        assert!((index.first..=index.end.position).contains(&mark.position));
                        assert!((FRAMES_FROM..index.end.offset).contains(&mark.offset));
                    }
                }
            }
        }
    }

    #[test]
    fn an_index_that_is_damaged_or_of_another_segment_is_refused() {
        let index = sample();
        let bytes = index.encode(LOG);
        for bit in 0..bytes.len() * 8 {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(SegmentIndex::decode(&flipped, LOG, index.first(), index.end()).is_err());
        }
        for length in 0..bytes.len() {
            let cut = &bytes[..length];
            assert!(SegmentIndex::decode(cut, LOG, index.first(), index.end()).is_err());
        }
        let other_log = LogId::from_bytes([8; 16]);
        assert!(SegmentIndex::decode(&bytes, other_log, index.first(), index.end()).is_err());
        assert!(SegmentIndex::decode(&bytes, LOG, Position(11), index.end()).is_err());
        let other_end = SegmentEnd { checksum: Checksum(1), ..index.end() };
        assert!(SegmentIndex::decode(&bytes, LOG, index.first(), other_end).is_err());
    }
}
