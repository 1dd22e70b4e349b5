//! The log in a directory: it appends to the open segment and begins the next one. Knows nothing
//! of what was there before (that is recovery's) and nothing of who waits for a frame.

use crate::model::id::{Position, Timestamp};
use crate::storage::disk::{Disk, write_whole};
use crate::storage::error::StorageError;
use crate::storage::frame::{Checksum, Frame, Term};
use crate::storage::index::SegmentIndex;
use crate::storage::log::{AppendError, Log, LogReader};
use crate::storage::names;
use crate::storage::segment::{
    LogIds, OpenSegment, PreparedSegment, SegmentBeginning, SegmentEnd, SegmentOptions,
};
use crate::storage::segments::{Segment, Segments};
use std::sync::Arc;

/// A buffer that has grown beyond this for one big commit is given back.
const BUFFER_BYTES_KEPT: usize = 2 << 20;

/// The log in a directory, in the hands of the one that appends.
#[derive(Debug)]
pub struct SegmentLog {
    segments: Arc<Segments>,
    options: SegmentOptions,
    open: OpenSegment,
    end: SegmentEnd,
    /// Time of the newest event, or of the log's beginning in this run.
    newest: Timestamp,
    prepared: Option<PreparedSegment>,
    /// Segments that have ended and have no index file yet.
    ended: Vec<Arc<Segment>>,
    /// After an error nothing is ever written to these files again.
    is_poisoned: bool,
    buffer: Vec<u8>,
}

/// What a log goes on from.
pub(crate) struct Beginning {
    pub(crate) segments: Arc<Segments>,
    pub(crate) options: SegmentOptions,
    /// The end of the last segment that has frames.
    pub(crate) previous: SegmentEnd,
    pub(crate) now: Timestamp,
    /// Closed segments that lack an index beside them.
    pub(crate) unindexed: Vec<Arc<Segment>>,
}

impl SegmentLog {
    /// Begins a segment behind everything that was there. Nothing is ever appended to a file of an
    /// earlier run: the new header says where the last one ends, so there is nothing to cut off.
    pub(crate) fn begin(beginning: Beginning) -> Result<Self, StorageError> {
        let Beginning { segments, options, previous, now, unindexed: mut ended } = beginning;
        let disk = segments.disk().clone();
        let prepared = PreparedSegment::make(&*disk, options)?;
        let next = SegmentBeginning { ids: *segments.ids(), created: now, previous };
        let open = prepared.publish(&*disk, &next, &[])?;
        let index = SegmentIndex::new(next.first(), previous.checksum);
        let segment = Segment::new(open.file(), index, next.created);
        match segments.last() {
            Some(last) if last.first() == next.first() => segments.replace_last(segment),
            last => {
                ended.extend(last);
                segments.push(segment);
            }
        }
        Ok(Self {
            segments,
            options,
            open,
            end: previous,
            newest: now,
            prepared: None,
            ended,
            is_poisoned: false,
            buffer: Vec::new(),
        })
    }

    /// What was drawn for this log.
    #[must_use]
    pub fn ids(&self) -> &LogIds {
        self.segments.ids()
    }

    /// Position of the last frame.
    #[must_use]
    pub fn last(&self) -> Position {
        self.end.position
    }

    fn disk(&self) -> &dyn Disk {
        &**self.segments.disk()
    }

    fn poisoned(&self) -> StorageError {
        StorageError::Poisoned { path: self.disk().path("") }
    }

    fn append_frame(&mut self, payload: &[u8]) -> Result<Position, StorageError> {
        let position = self.end.position.next();
        let frame = Frame { term: Term::FIRST, position, previous: self.end.checksum, payload };
        assert!(frame.parts().all(|part| part.is_ok()), "a committer appends whole parts");
        let salt = self.ids().salt;
        self.buffer.clear();
        let checksum = frame.encode(&salt, &mut self.buffer);
        if self.open.takes(self.buffer.len()) {
            self.open.append(&self.buffer)?;
        } else {
            self.roll()?;
        }
        self.note(&frame, checksum);
        self.buffer.shrink_to(BUFFER_BYTES_KEPT);
        Ok(position)
    }

    /// Ends the open segment and begins the next one with the frame in the buffer.
    fn roll(&mut self) -> Result<(), StorageError> {
        let prepared = match self.prepared.take() {
            Some(prepared) => prepared,
            None => PreparedSegment::make(self.disk(), self.options)?,
        };
        let next = SegmentBeginning { ids: *self.ids(), created: self.newest, previous: self.end };
        let disk = self.segments.disk().clone();
        self.open = prepared.publish(&*disk, &next, &self.buffer)?;
        let index = SegmentIndex::new(next.first(), self.end.checksum);
        self.ended.extend(self.segments.last());
        self.segments.push(Segment::new(self.open.file(), index, next.created));
        Ok(())
    }

    fn note(&mut self, frame: &Frame<'_>, checksum: Checksum) {
        let segment = self.segments.last().expect("a log has an open segment");
        segment.note(frame, checksum).expect("the parts were whole before they were written");
        self.end = segment.end();
        self.newest = self.newest.max(segment.with_index(SegmentIndex::newest));
    }

    fn prepare_all(&mut self) -> Result<(), StorageError> {
        self.open.write_zeros_ahead()?;
        while let Some(segment) = self.ended.last() {
            match close(self.disk(), segment, self.ids()) {
                Ok(()) => {}
                // It was trimmed before it could be closed.
                Err(error) if error.is_not_found() => {}
                Err(error) => return Err(error),
            }
            self.ended.pop();
        }
        if self.prepared.is_none() {
            self.prepared = Some(PreparedSegment::make(self.disk(), self.options)?);
        }
        Ok(())
    }
}

/// Gives back the room behind the end of a segment and writes its index beside it.
///
/// # Errors
/// Neither is needed: the successor's header says where the segment ends, and the frames say what
/// the index does. An error still tells that the disk is full or fails.
fn close(disk: &dyn Disk, segment: &Segment, ids: &LogIds) -> Result<(), StorageError> {
    disk.resize(&names::segment(segment.first()), segment.used_bytes())?;
    let index = segment.with_index(|index| index.encode(ids.log_id));
    write_whole(disk, &names::segment_index(segment.first()), &index)
}

impl Log for SegmentLog {
    fn append(&mut self, expected: Position, payload: &[u8]) -> Result<Position, AppendError> {
        if self.is_poisoned {
            return Err(self.poisoned().into());
        }
        // Whatever goes wrong from here on, this log has written its last frame.
        self.is_poisoned = true;
        let last = self.end.position;
        if last != expected {
            return Err(AppendError::Fenced { last });
        }
        let position = self.append_frame(payload)?;
        self.is_poisoned = false;
        Ok(position)
    }

    fn prepare(&mut self) -> Result<bool, StorageError> {
        if self.is_poisoned {
            return Err(self.poisoned());
        }
        match self.prepare_all() {
            Ok(()) => Ok(true),
            Err(error) if error.is_out_of_space() => Ok(false),
            Err(error) => {
                self.is_poisoned = true;
                Err(error)
            }
        }
    }

    fn reader(&self) -> Arc<dyn LogReader> {
        self.segments.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::{Beginning, SegmentLog};
    use crate::model::id::{LogId, ObjectId, Position, Sequence, Timestamp, WriterId};
    use crate::storage::disk::Disk;
    use crate::storage::error::StorageError;
    use crate::storage::frame::Salt;
    use crate::storage::log::{AppendError, Log};
    use crate::storage::memory_disk::{Fault, MemoryDisk, Survival};
    use crate::storage::names;
    use crate::storage::part::Part;
    use crate::storage::segment::{DigestKey, LogIds, SegmentEnd, SegmentOptions};
    use crate::storage::segments::Segments;
    use rustix::io::Errno;
    use std::sync::Arc;

    const OPTIONS: SegmentOptions =
        SegmentOptions { segment_bytes: 8 << 10, zeros_ahead_bytes: 2 << 10 };

    fn log(disk: &MemoryDisk) -> SegmentLog {
        let ids = LogIds {
            log_id: LogId::from_bytes([1; 16]),
            salt: Salt([2; 16]),
            digest_key: DigestKey([3; 16]),
        };
        let segments = Arc::new(Segments::new(Arc::new(disk.clone()), ids, Vec::new()));
        let (previous, now) = (SegmentEnd::default(), Timestamp(100));
        let unindexed = Vec::new();
        SegmentLog::begin(Beginning { segments, options: OPTIONS, previous, now, unindexed })
            .unwrap()
    }

    fn writer(number: u8) -> WriterId {
        WriterId::Table(ObjectId::from_bytes([number; 16]))
    }

    /// A payload with one part of about a KiB of writer 1, and one of writer 2 now and then.
    fn payload(position: u64) -> Vec<u8> {
        let mut payload = Vec::new();
        let part = |number, first_sequence, events| Part {
            writer: writer(number),
            first_sequence: Sequence(first_sequence),
            time: Timestamp(1000 * position.cast_signed()),
            event_count: 1,
            events,
        };
        part(1, position, &[1; 1000]).encode(&mut payload);
        if position.is_multiple_of(9) {
            part(2, position / 9, b"rare").encode(&mut payload);
        }
        payload
    }

    fn append(log: &mut SegmentLog, count: u64) {
        for _ in 0..count {
            let last = log.last();
            let position = log.append(last, &payload(last.0 + 1)).unwrap();
            assert_eq!(position, last.next());
            assert!(log.prepare().unwrap());
        }
    }

    #[test]
    fn frames_are_read_across_segments() {
        let disk = MemoryDisk::new();
        let mut log = log(&disk);
        append(&mut log, 20);
        let reader = log.reader();
        let firsts: Vec<_> = reader.segments().iter().map(|summary| summary.first.0).collect();
        assert_eq!(firsts, [1, 4, 7, 10, 13, 16, 19]);
        for after in 0..=20 {
            let read = reader.read(Position(after), usize::MAX).unwrap();
            let expected: Vec<_> = (after + 1..=20).map(payload).collect();
            let payloads: Vec<_> = read.into_iter().map(|frame| frame.payload).collect();
            assert_eq!(payloads, expected, "after {after}");
        }
        assert_eq!(reader.read(Position(5), 1500).unwrap().len(), 2);
        assert_eq!(reader.read(Position(5), 0).unwrap().len(), 1);
        assert!(reader.read(Position(99), 0).unwrap().is_empty());
    }

    #[test]
    fn parts_of_a_writer_are_read_from_a_sequence_on() {
        let disk = MemoryDisk::new();
        let mut log = log(&disk);
        append(&mut log, 40);
        let reader = log.reader();
        let check = |number, from, limit, expected: Vec<u64>| {
            let parts = reader.read_parts(&writer(number), Sequence(from), limit).unwrap();
            let found: Vec<_> = parts.iter().map(|part| part.first_sequence.0).collect();
            assert_eq!(found, expected, "writer {number} from {from}");
        };
        check(1, 1, usize::MAX, (1..=40).collect());
        check(1, 38, usize::MAX, vec![38, 39, 40]);
        check(1, 17, 1500, vec![17, 18]);
        check(1, 41, usize::MAX, vec![]);
        check(2, 1, usize::MAX, vec![1, 2, 3, 4]);
        check(2, 3, usize::MAX, vec![3, 4]);
        check(3, 1, usize::MAX, vec![]);
        let part = &reader.read_parts(&writer(2), Sequence(2), 0).unwrap()[0];
        assert_eq!((part.position, part.time), (Position(18), Timestamp(18_000)));
        assert_eq!(&part.events[..], b"rare");
    }

    #[test]
    fn every_frame_and_its_segment_survive_a_power_cut_once_appended() {
        let disk = MemoryDisk::new();
        let mut log = log(&disk);
        for count in 1..10 {
            append(&mut log, 1);
            let left = disk.after_power_cut(Survival::LoseAll);
            let bytes: Vec<u8> = left.names().iter().flat_map(|name| left.bytes_of(name)).collect();
            let is_there = |position| {
                let payload = payload(position);
                bytes.windows(payload.len()).any(|window| window == payload)
            };
            assert!((1..=count).all(is_there), "after {count}");
        }
    }

    #[test]
    fn a_closed_segment_has_an_index_and_no_room_left() {
        let disk = MemoryDisk::new();
        let mut log = log(&disk);
        append(&mut log, 4);
        let closed = log.reader().segments()[0];
        assert!(disk.names().contains(&names::segment_index(Position(1))));
        assert_eq!(disk.bytes_of(&names::segment(Position(1))).len() as u64, closed.bytes);
        assert_eq!((closed.last, closed.newest), (Position(3), Timestamp(3000)));
    }

    #[test]
    fn a_wrong_expectation_is_fenced_and_final() {
        let disk = MemoryDisk::new();
        let mut log = log(&disk);
        append(&mut log, 1);
        let fenced = log.append(Position(0), b"").unwrap_err();
        assert!(matches!(fenced, AppendError::Fenced { last: Position(1) }));
        let poisoned = log.append(Position(1), b"").unwrap_err();
        assert!(matches!(poisoned, AppendError::Failed(StorageError::Poisoned { .. })));
        assert!(matches!(log.prepare(), Err(StorageError::Poisoned { .. })));
        assert_eq!(log.reader().read(Position(0), usize::MAX).unwrap().len(), 1);
    }

    #[test]
    fn after_any_failed_call_nothing_more_is_written() {
        for fault in [Fault::Error(Errno::IO), Fault::ShortWrite, Fault::Error(Errno::NOSPC)] {
            // The third frame fills the segment, the fourth begins the next one.
            for frames in [1, 3] {
                let disk = MemoryDisk::new();
                let mut log = log(&disk);
                append(&mut log, frames);
                let before = disk.calls();
                let mut call = before;
                loop {
                    call += 1;
                    let disk = MemoryDisk::new();
                    let mut log = self::log(&disk);
                    append(&mut log, frames);
                    disk.inject(call, fault);
                    let Err(failed) = log.append(log.last(), &payload(frames + 1)) else { break };
                    assert!(matches!(failed, AppendError::Failed(StorageError::Io { .. })));
                    let calls = disk.calls();
                    let again = log.append(log.last(), &payload(frames + 1)).unwrap_err();
                    assert!(matches!(again, AppendError::Failed(StorageError::Poisoned { .. })));
                    assert_eq!(disk.calls(), calls, "a poisoned log asks nothing of the disk");
                    assert_eq!(log.last(), Position(frames));
                }
                assert!(call - before > 2, "{frames} frames: {call}");
            }
        }
    }

    #[test]
    fn want_of_room_is_told_before_the_segment_is_full_and_heals() {
        let disk = MemoryDisk::new();
        let mut log = log(&disk);
        disk.set_capacity(Some(OPTIONS.segment_bytes + 100));
        log.append(Position(0), &payload(1)).unwrap();
        assert!(!log.prepare().unwrap());
        log.append(Position(1), &payload(2)).unwrap();
        assert!(!log.prepare().unwrap());
        disk.set_capacity(None);
        assert!(log.prepare().unwrap());
        append(&mut log, 5);
    }

    #[test]
    fn trimming_takes_whole_segments_and_never_the_open_one() {
        let disk = MemoryDisk::new();
        let mut log = log(&disk);
        append(&mut log, 8);
        let reader = log.reader();
        let bytes = reader.segments()[0].bytes;
        assert_eq!(reader.trim(Position(2)).unwrap(), 0);
        assert_eq!(reader.trim(Position(5)).unwrap(), bytes);
        let refused = reader.read(Position(2), 0).unwrap_err();
        assert!(matches!(refused, StorageError::Trimmed { first: Position(4) }));
        assert_eq!(reader.read(Position(3), 0).unwrap()[0].position, Position(4));
        let parts = reader.read_parts(&writer(1), Sequence(1), 0).unwrap();
        assert_eq!(parts[0].first_sequence, Sequence(4));
        reader.trim(Position(99)).unwrap();
        assert_eq!(reader.segments().len(), 1);
        append(&mut log, 1);
        assert_eq!(reader.read(Position(8), 0).unwrap().len(), 1);
        let left = disk.after_power_cut(Survival::LoseAll).list().unwrap();
        assert!(!left.contains(&names::segment(Position(1))), "{left:?}");
    }

    #[test]
    fn a_segment_that_is_trimmed_before_it_is_closed_is_gone() {
        let disk = MemoryDisk::new();
        let mut log = log(&disk);
        for position in 1..=4 {
            log.append(Position(position - 1), &payload(position)).unwrap();
        }
        assert_eq!(log.reader().segments().len(), 2);
        log.reader().trim(Position(3)).unwrap();
        assert!(log.prepare().unwrap());
        let ours = [names::segment(Position(4)), names::temporary("segment")];
        assert_eq!(disk.names(), ours);
    }

    #[test]
    fn rot_in_what_is_kept_is_found_when_it_is_read() {
        let disk = MemoryDisk::new();
        let mut log = log(&disk);
        append(&mut log, 8);
        disk.flip_bit(&names::segment(Position(4)), 8 * (4096 + 1500));
        let reader = log.reader();
        assert_eq!(reader.read(Position(3), 0).unwrap().len(), 1);
        let StorageError::Damaged(damage) = reader.read(Position(4), 0).unwrap_err() else {
            panic!("the damage is found");
        };
        assert_eq!(damage.path, disk.path(&names::segment(Position(4))));
        assert_eq!(damage.in_doubt.map(|doubt| doubt.first), Some(Position(5)));
        assert_eq!(reader.read(Position(6), 0).unwrap().len(), 1);
    }
}
