//! The newest frames of a log, held in memory: a thousand readers at its end read no disk. Knows
//! frames and parts; what an event says is never looked at.

use crate::model::id::{Position, Sequence, WriterId};
use crate::storage::error::StorageError;
use crate::storage::log::{AppendError, Log, LogReader, PartOwned};
use crate::storage::part::{Part, parts};
use bytes::Bytes;
use parking_lot::Mutex;
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

/// A log whose newest frames stay in memory too.
pub struct TailedLog {
    log: Box<dyn Log>,
    tail: Arc<Tail>,
}

impl TailedLog {
    #[must_use]
    pub fn new(log: Box<dyn Log>, tail: Arc<Tail>) -> Self {
        Self { log, tail }
    }
}

impl Log for TailedLog {
    fn append(&mut self, expected: Position, payload: &[u8]) -> Result<Position, AppendError> {
        let position = self.log.append(expected, payload)?;
        // Durable by now, and nobody has been told: whoever is told finds it here.
        self.tail.note(position, payload);
        Ok(position)
    }

    fn prepare(&mut self) -> Result<bool, StorageError> {
        self.log.prepare()
    }

    fn reader(&self) -> Arc<dyn LogReader> {
        self.log.reader()
    }
}

/// The newest frames, up to so many bytes. They share their memory with whoever reads them.
#[derive(Debug)]
pub struct Tail {
    bytes_max: usize,
    held: Mutex<Held>,
}

#[derive(Debug, Default)]
struct Held {
    /// Without gaps.
    frames: VecDeque<TailFrame>,
    bytes: usize,
    /// The parts with sequences, by their writers; oldest first.
    parts: HashMap<WriterId, VecDeque<PartOwned>>,
}

/// A frame, as far as readers of events want it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TailFrame {
    pub position: Position,
    pub payload: Bytes,
}

impl TailFrame {
    /// One of its parts, over the frame's own memory.
    ///
    /// # Panics
    /// If it is a part of another frame.
    #[must_use]
    pub fn part(&self, part: &Part<'_>) -> PartOwned {
        let Part { writer: _, first_sequence, time, event_count, events } = *part;
        let events = self.payload.slice_ref(events);
        PartOwned { position: self.position, first_sequence, time, event_count, events }
    }
}

impl Tail {
    #[must_use]
    pub fn new(bytes_max: usize) -> Arc<Self> {
        Arc::new(Self { bytes_max, held: Mutex::default() })
    }

    /// Takes in the frame behind the newest.
    ///
    /// # Panics
    /// If it is not that frame, or not made of whole parts.
    fn note(&self, position: Position, payload: &[u8]) {
        let frame = TailFrame { position, payload: Bytes::copy_from_slice(payload) };
        let mut held = self.held.lock();
        let is_next = held.frames.back().is_none_or(|last| last.position.next() == position);
        assert!(is_next, "frames are noted in their order");
        for part in parts(&frame.payload) {
            let part = part.expect("the committer wrote whole parts");
            if part.first_sequence > Sequence(0) {
                let owned = frame.part(&part);
                held.parts.entry(part.writer).or_default().push_back(owned);
            }
        }
        held.bytes += frame.payload.len();
        held.frames.push_back(frame);
        while held.bytes > self.bytes_max {
            held.drop_oldest();
        }
    }

    /// The parts of one writer that may hold its events from a sequence on, oldest first, until
    /// their events exceed `limit_bytes`; none unless all that were ever written are here.
    #[must_use]
    pub fn parts(
        &self,
        writer: &WriterId,
        from: Sequence,
        limit_bytes: usize,
    ) -> Option<Vec<PartOwned>> {
        let held = self.held.lock();
        let parts = held.parts.get(writer)?;
        let behind = parts.partition_point(|part| part.first_sequence <= from);
        let begin = behind.checked_sub(1)?;
        let mut bytes = 0;
        let wanted = parts.range(begin..).take_while(|part| {
            let is_wanted = bytes <= limit_bytes;
            bytes += part.events.len();
            is_wanted
        });
        Some(wanted.cloned().collect())
    }

    /// The frames behind a position, until their bytes exceed `limit_bytes`; none unless all of
    /// them are here.
    #[must_use]
    pub fn frames(&self, after: Position, limit_bytes: usize) -> Option<Vec<TailFrame>> {
        let held = self.held.lock();
        let first = held.frames.front()?.position;
        let begin = usize::try_from(after.next().0.checked_sub(first.0)?).ok()?;
        let mut bytes = 0;
        let begin = begin.min(held.frames.len());
        let wanted = held.frames.range(begin..).take_while(|frame| {
            let is_wanted = bytes <= limit_bytes;
            bytes += frame.payload.len();
            is_wanted
        });
        Some(wanted.cloned().collect())
    }
}

impl Held {
    fn drop_oldest(&mut self) {
        let Some(frame) = self.frames.pop_front() else { return };
        self.bytes -= frame.payload.len();
        for part in parts(&frame.payload).flatten() {
            if part.first_sequence == Sequence(0) {
                continue;
            }
            let held = self.parts.get_mut(&part.writer).expect("a part that is held has its list");
            let dropped = held.pop_front();
            assert!(
                dropped.is_some_and(|dropped| dropped.position == frame.position),
                "a writer's oldest part is in the oldest frame that has one"
            );
            if held.is_empty() {
                self.parts.remove(&part.writer);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Tail, TailedLog};
    use crate::model::id::{ObjectId, Position, Sequence, Timestamp, WriterId};
    use crate::storage::log::{Log as _, LogReader as _, PartOwned};
    use crate::storage::memory_log::MemoryFrames;
    use crate::storage::part::Part;
    use std::sync::Arc;

    const EVENT: &[u8] = &[7; 100];

    fn table(number: u8) -> WriterId {
        WriterId::Table(ObjectId::from_bytes([number; 16]))
    }

    fn frame(parts: &[(u8, u64)]) -> Vec<u8> {
        let mut payload = Vec::new();
        for (number, first) in parts {
            let (writer, first_sequence) = (table(*number), Sequence(*first));
            let time = Timestamp(0);
            Part { writer, first_sequence, time, event_count: 1, events: EVENT }
                .encode(&mut payload);
        }
        payload
    }

    fn log(bytes_max: usize) -> (TailedLog, Arc<Tail>, MemoryFrames) {
        let frames = MemoryFrames::default();
        let tail = Tail::new(bytes_max);
        (TailedLog::new(Box::new(frames.lead()), tail.clone()), tail, frames)
    }

    /// The first sequences of a writer's parts from one on, as a reader would see them.
    fn sequences(parts: &[PartOwned], from: u64) -> Vec<u64> {
        let firsts = parts.iter().map(|part| part.first_sequence.0);
        firsts.filter(|first| *first >= from).collect()
    }

    #[test]
    fn the_tail_gives_what_the_log_gives_or_nothing() {
        let (mut log, tail, frames) = log(1000);
        assert!(tail.frames(Position(0), 0).is_none(), "nothing is here yet");
        for at in 0..20 {
            let parts: &[_] = if at % 2 == 0 { &[(1, at + 1)] } else { &[(1, at + 1), (2, at)] };
            log.append(Position(at), &frame(parts)).unwrap();
        }
        let mut held = 0;
        for from in 1..=20 {
            let writer = table(1);
            let read = frames.read_parts(&writer, Sequence(from), usize::MAX).unwrap();
            let Some(parts) = tail.parts(&writer, Sequence(from), usize::MAX) else { continue };
            held += 1;
            assert_eq!(sequences(&parts, from), sequences(&read, from), "from {from}");
        }
        // Frames of one part have 141 bytes, those of two 282.
        assert_eq!(held, 4, "so many of the newest fit");
        assert!(tail.parts(&table(3), Sequence(1), 0).is_none(), "a writer that wrote nothing");
        let past_the_end = tail.parts(&table(1), Sequence(21), usize::MAX).unwrap();
        assert_eq!(sequences(&past_the_end, 21), [0; 0]);
    }

    #[test]
    fn frames_come_behind_a_position_and_without_gaps() {
        let (mut log, tail, _) = log(1000);
        for at in 0..20 {
            let payload = if at == 18 { Vec::new() } else { frame(&[(1, at + 1)]) };
            log.append(Position(at), &payload).unwrap();
        }
        let positions = |after, limit| {
            let frames = tail.frames(Position(after), limit)?;
            Some(frames.iter().map(|frame| frame.position.0).collect::<Vec<_>>())
        };
        assert_eq!(positions(11, 9999), None, "what was dropped is not passed over");
        assert_eq!(positions(12, 9999), Some((13..=20).collect()));
        assert_eq!(positions(12, 0), Some(vec![13]));
        assert_eq!(positions(19, 0), Some(vec![20]));
        assert_eq!(positions(20, 0), Some(vec![]));
    }

    #[test]
    fn a_frame_larger_than_the_tail_is_not_kept_and_what_follows_is() {
        let (mut log, tail, _) = log(300);
        log.append(Position(0), &frame(&[(1, 1), (1, 2), (2, 1)])).unwrap();
        assert!(tail.parts(&table(1), Sequence(1), 0).is_none());
        log.append(Position(1), &frame(&[(1, 3)])).unwrap();
        assert!(tail.parts(&table(1), Sequence(2), 0).is_none());
        let parts = tail.parts(&table(1), Sequence(3), 0).unwrap();
        assert_eq!((parts[0].position, &parts[0].events[..]), (Position(2), EVENT));
    }
}
