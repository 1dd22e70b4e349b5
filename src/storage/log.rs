//! The seam of the log: what a partition asks of the thing that keeps its frames, be it a
//! directory, memory, or one day a log service. Knows no file.

use crate::model::id::{Position, Sequence, Timestamp, WriterId};
use crate::storage::error::StorageError;
use crate::storage::frame::{Frame, HEADER_LEN, TRAILER_LEN, Term};
use crate::storage::part::{Part, Parts, parts};
use bytes::Bytes;
use std::sync::Arc;
use thiserror::Error;

/// A partition's log, in the hands of the one that appends. A refused append means that somebody
/// else leads now.
///
/// Who measures the time of a sync wraps a log in one of its own: here is no clock.
pub trait Log: Send {
    /// Appends a frame; it is durable when this returns its position. An empty payload is a seal.
    ///
    /// `expected` is the position of the last frame. Both errors are final: every later append
    /// fails too.
    fn append(&mut self, expected: Position, payload: &[u8]) -> Result<Position, AppendError>;

    /// Does what appending will need soon, when nobody waits for a frame. False: there is no room
    /// for more than the present segment, and appends will fail when it is full.
    fn prepare(&mut self) -> Result<bool, StorageError>;

    /// The side that reads and trims, for other threads.
    fn reader(&self) -> Arc<dyn LogReader>;
}

/// What is durable of a log, for any number of threads while another one appends.
pub trait LogReader: Send + Sync {
    /// The frames behind `after`, seals too, until their bytes exceed `limit_bytes`; at least one
    /// if there is one.
    fn read(&self, after: Position, limit_bytes: usize) -> Result<Vec<FrameOwned>, StorageError>;

    /// The parts of one writer that may hold its events from sequence `from` on, oldest first,
    /// until their events exceed `limit_bytes`; at least one if there is one.
    ///
    /// The first may begin before `from`; if it begins behind, what was before it is no longer
    /// kept. Parts without any sequence are left out.
    fn read_parts(
        &self,
        writer: &WriterId,
        from: Sequence,
        limit_bytes: usize,
    ) -> Result<Vec<PartOwned>, StorageError>;

    /// The segments, oldest first; the last one is open.
    fn segments(&self) -> Vec<SegmentSummary>;

    /// Removes the segments whose frames are all at or before `up_to`, oldest first, and tells
    /// how many bytes that freed. The open one stays.
    fn trim(&self, up_to: Position) -> Result<u64, StorageError>;
}

/// Why an append did not happen. Both are final for this log.
#[derive(Debug, Error)]
pub enum AppendError {
    /// Somebody else appended: the log's last frame is `last`.
    #[error("the log is led by another: its last position is {last}")]
    Fenced { last: Position },
    /// Whether the frame will be there after a restart is unknown.
    #[error("{0}")]
    Failed(#[from] StorageError),
}

/// A frame that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FrameOwned {
    pub term: Term,
    pub position: Position,
    pub payload: Vec<u8>,
}

impl FrameOwned {
    #[must_use]
    pub fn is_seal(&self) -> bool {
        self.payload.is_empty()
    }

    /// The parts, in the order they were appended.
    #[must_use]
    pub fn parts(&self) -> Parts<'_> {
        parts(&self.payload)
    }

    /// Bytes of the stored form.
    #[must_use]
    pub fn encoded_len(&self) -> usize {
        HEADER_LEN + self.payload.len() + TRAILER_LEN
    }
}

impl From<&Frame<'_>> for FrameOwned {
    fn from(frame: &Frame<'_>) -> Self {
        Self { term: frame.term, position: frame.position, payload: frame.payload.to_vec() }
    }
}

/// A part that was read, and the frame it stands in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartOwned {
    pub position: Position,
    pub first_sequence: Sequence,
    pub time: Timestamp,
    pub event_count: u32,
    pub events: Bytes,
}

impl PartOwned {
    pub(crate) fn new(position: Position, part: &Part<'_>) -> Self {
        let Part { writer: _, first_sequence, time, event_count, events } = *part;
        let events = Bytes::copy_from_slice(events);
        Self { position, first_sequence, time, event_count, events }
    }
}

/// What is known of a segment without reading it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SegmentSummary {
    pub first: Position,
    /// One before `first` while it holds no frame.
    pub last: Position,
    /// What stands in segments before it had happened by then.
    pub begun: Timestamp,
    /// When the newest of its events happened.
    pub newest: Timestamp,
    /// Bytes from the beginning of the file to the end of its last frame.
    pub bytes: u64,
}

/// Gathers the parts of one writer from frames in their order; see [`LogReader::read_parts`].
pub(crate) struct PartsWanted<'a> {
    writer: &'a WriterId,
    from: Sequence,
    limit_bytes: usize,
    found: Vec<PartOwned>,
    bytes: usize,
}

impl<'a> PartsWanted<'a> {
    pub(crate) fn new(writer: &'a WriterId, from: Sequence, limit_bytes: usize) -> Self {
        Self { writer, from, limit_bytes, found: Vec::new(), bytes: 0 }
    }

    /// Whether nothing more is wanted.
    pub(crate) fn is_full(&self) -> bool {
        self.bytes > self.limit_bytes
    }

    pub(crate) fn offer(&mut self, position: Position, part: &Part<'_>) {
        let is_wanted = part.writer == *self.writer && part.may_hold(self.from);
        if !is_wanted || self.is_full() {
            return;
        }
        // What was found before ends before this part begins, so it cannot hold `from` either.
        if part.first_sequence <= self.from {
            self.found.clear();
            self.bytes = 0;
        }
        self.bytes += part.events.len();
        self.found.push(PartOwned::new(position, part));
    }

    pub(crate) fn into_found(self) -> Vec<PartOwned> {
        self.found
    }
}
