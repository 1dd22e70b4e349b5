//! A log in memory, for tests of what stands on a log: two partitions may share one, which proves
//! fencing, and it can be told to fail. Knows no disk; nothing in it survives the process.

use crate::model::id::{Position, Sequence, Timestamp, WriterId};
use crate::storage::error::{Operation, StorageError};
use crate::storage::frame::Term;
use crate::storage::log::{
    AppendError, FrameOwned, Log, LogReader, PartOwned, PartsWanted, SegmentSummary,
};
use parking_lot::Mutex;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// One leader's hold on a log in memory.
#[derive(Debug)]
pub struct MemoryLog {
    frames: MemoryFrames,
    /// Nothing is appended after an error.
    is_poisoned: bool,
}

/// The frames of a log in memory, shared by all who lead, read or tamper with it.
#[derive(Clone, Debug, Default)]
pub struct MemoryFrames {
    shared: Arc<Mutex<Shared>>,
}

#[derive(Debug, Default)]
struct Shared {
    /// Frames behind `trimmed`.
    frames: Vec<FrameOwned>,
    trimmed: Position,
    /// When the newest event before that had happened.
    begun: Timestamp,
    fails_at: Option<Position>,
    is_short_of_space: bool,
}

impl Shared {
    fn last(&self) -> Position {
        Position(self.trimmed.0 + self.frames.len() as u64)
    }

    /// The frames behind `after`, if they are all still kept.
    fn behind(&self, after: Position) -> Result<&[FrameOwned], StorageError> {
        let skipped = after
            .0
            .checked_sub(self.trimmed.0)
            .ok_or(StorageError::Trimmed { first: self.trimmed.next() })?;
        let skipped = usize::try_from(skipped).unwrap_or(usize::MAX);
        Ok(self.frames.get(skipped..).unwrap_or(&[]))
    }
}

fn newest_time(frames: &[FrameOwned]) -> Timestamp {
    let parts = frames.iter().flat_map(FrameOwned::parts).filter_map(Result::ok);
    parts.map(|part| part.time).max().unwrap_or_default()
}

impl MemoryFrames {
    /// Leads the log, or believes so: of two that do, the first to append fences the other.
    #[must_use]
    pub fn lead(&self) -> MemoryLog {
        MemoryLog { frames: self.clone(), is_poisoned: false }
    }

    /// Position of the last frame.
    #[must_use]
    pub fn last(&self) -> Position {
        self.shared.lock().last()
    }

    /// From now on the append of the frame at `position` fails, as on a broken disk.
    pub fn fail_at(&self, position: Position) {
        self.shared.lock().fails_at = Some(position);
    }

    /// From now on (or no longer) there is no room for what comes after the present segment.
    pub fn set_short_of_space(&self, is_short: bool) {
        self.shared.lock().is_short_of_space = is_short;
    }
}

impl Log for MemoryLog {
    fn append(&mut self, expected: Position, payload: &[u8]) -> Result<Position, AppendError> {
        if self.is_poisoned {
            return Err(StorageError::Poisoned { path: PathBuf::from("memory") }.into());
        }
        let mut shared = self.frames.shared.lock();
        let last = shared.last();
        if last != expected {
            self.is_poisoned = true;
            return Err(AppendError::Fenced { last });
        }
        let position = last.next();
        if shared.fails_at == Some(position) {
            self.is_poisoned = true;
            let broken = io::Error::from(rustix::io::Errno::IO);
            return Err(StorageError::io(Operation::Sync, Path::new("memory"), broken).into());
        }
        shared.frames.push(FrameOwned { term: Term::FIRST, position, payload: payload.to_vec() });
        Ok(position)
    }

    fn prepare(&mut self) -> Result<bool, StorageError> {
        Ok(!self.frames.shared.lock().is_short_of_space)
    }

    fn reader(&self) -> Arc<dyn LogReader> {
        Arc::new(self.frames.clone())
    }
}

impl LogReader for MemoryFrames {
    fn read(&self, after: Position, limit_bytes: usize) -> Result<Vec<FrameOwned>, StorageError> {
        let shared = self.shared.lock();
        let mut bytes = 0;
        let frames = shared.behind(after)?.iter().take_while(|frame| {
            let is_wanted = bytes <= limit_bytes;
            bytes += frame.encoded_len();
            is_wanted
        });
        Ok(frames.cloned().collect())
    }

    fn read_parts(
        &self,
        writer: &WriterId,
        from: Sequence,
        limit_bytes: usize,
    ) -> Result<Vec<PartOwned>, StorageError> {
        let shared = self.shared.lock();
        let mut wanted = PartsWanted::new(writer, from, limit_bytes);
        for frame in &shared.frames {
            for part in frame.parts() {
                wanted.offer(frame.position, &part.expect("the committer wrote whole parts"));
            }
        }
        Ok(wanted.into_found())
    }

    fn segments(&self) -> Vec<SegmentSummary> {
        let shared = self.shared.lock();
        let bytes = shared.frames.iter().map(|frame| frame.payload.len() as u64).sum();
        let (first, last) = (shared.trimmed.next(), shared.last());
        let (begun, newest) = (shared.begun, newest_time(&shared.frames));
        vec![SegmentSummary { first, last, begun, newest, bytes }]
    }

    fn trim(&self, up_to: Position) -> Result<u64, StorageError> {
        let mut shared = self.shared.lock();
        let removed = shared.frames.partition_point(|frame| frame.position <= up_to);
        shared.trimmed.0 += removed as u64;
        let removed: Vec<_> = shared.frames.drain(..removed).collect();
        shared.begun = shared.begun.max(newest_time(&removed));
        Ok(removed.iter().map(|frame| frame.payload.len() as u64).sum())
    }
}

#[cfg(test)]
mod tests {
    use super::MemoryFrames;
    use crate::model::id::Position;
    use crate::storage::error::StorageError;
    use crate::storage::log::{AppendError, Log, LogReader};

    #[test]
    fn of_two_leaders_the_second_is_fenced_for_good() {
        let frames = MemoryFrames::default();
        let (mut first, mut second) = (frames.lead(), frames.lead());
        assert_eq!(first.append(Position(0), b"a").unwrap(), Position(1));
        let refused = second.append(Position(0), b"b").unwrap_err();
        assert!(matches!(refused, AppendError::Fenced { last: Position(1) }));
        let refused = second.append(Position(1), b"b").unwrap_err();
        assert!(matches!(refused, AppendError::Failed(StorageError::Poisoned { .. })));
        assert_eq!(first.append(Position(1), b"c").unwrap(), Position(2));
        let payloads: Vec<_> =
            frames.read(Position(0), 100).unwrap().into_iter().map(|f| f.payload).collect();
        assert_eq!(payloads, [b"a".to_vec(), b"c".to_vec()]);
    }

    #[test]
    fn a_failed_append_leaves_no_frame_and_is_final() {
        let frames = MemoryFrames::default();
        let mut log = frames.lead();
        frames.fail_at(Position(1));
        assert!(matches!(log.append(Position(0), b"a"), Err(AppendError::Failed(_))));
        assert!(matches!(log.append(Position(0), b"a"), Err(AppendError::Failed(_))));
        assert_eq!(frames.last(), Position(0));
    }

    #[test]
    fn what_was_trimmed_is_refused_and_positions_go_on() {
        let frames = MemoryFrames::default();
        let mut log = frames.lead();
        for position in 0..4 {
            log.append(Position(position), b"frame").unwrap();
        }
        assert_eq!(frames.trim(Position(3)).unwrap(), 15);
        assert!(matches!(
            frames.read(Position(2), 100),
            Err(StorageError::Trimmed { first: Position(4) })
        ));
        assert_eq!(frames.read(Position(3), 100).unwrap().len(), 1);
        assert!(frames.read(Position(9), 100).unwrap().is_empty());
        assert_eq!(log.append(Position(4), b"").unwrap(), Position(5));
    }

    #[test]
    fn a_limit_still_yields_one_frame() {
        let frames = MemoryFrames::default();
        let mut log = frames.lead();
        for position in 0..3 {
            log.append(Position(position), b"frame").unwrap();
        }
        assert_eq!(frames.read(Position(0), 0).unwrap().len(), 1);
        assert_eq!(frames.read(Position(0), 40).unwrap().len(), 1);
        assert_eq!(frames.read(Position(0), 41).unwrap().len(), 2);
    }
}
