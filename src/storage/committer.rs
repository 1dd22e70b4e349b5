//! The open frame of a partition, the short queue of full ones, and the committer that makes them
//! durable. Knows no file (that is the log's) and nothing of what a writer does when it is woken.
//!
//! Writers put their parts into the open frame under one short lock and go on. The committer takes
//! whatever has gathered each time a sync has ended, so the size of a group follows the load and
//! nobody waits for a group to fill.

use crate::model::id::Position;
use crate::storage::log::{AppendError, Log};
use crate::storage::part::Part;
use parking_lot::{Condvar, Mutex};
use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering::{Acquire, Relaxed, Release};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize};

/// A commit has at most so many bytes of events; what is longer is refused before it is decided.
pub const COMMIT_BYTES_MAX: usize = 8 << 20;

/// Bounds of a [`CommitQueue`].
#[derive(Clone, Copy, Debug)]
pub struct CommitOptions {
    /// A frame that has reached this is left and the next one opened.
    pub frame_bytes: usize,
    /// With so much decided and not durable, the queue is full.
    pub undurable_bytes_max: usize,
}

impl Default for CommitOptions {
    fn default() -> Self {
        Self { frame_bytes: 1 << 20, undurable_bytes_max: 64 << 20 }
    }
}

/// How a writer learns that a frame with something of its own became durable, or never will.
pub trait Wake: Send + Sync {
    /// Must be quick and must not append; what the queue says is true already.
    fn wake(&self);
}

/// One writer's place in a partition.
pub struct Seat {
    wake: Box<dyn Wake>,
    /// The newest frame that knows this writer; changed under the queue's lock.
    last_position: AtomicU64,
}

impl Seat {
    #[must_use]
    pub fn new(wake: Box<dyn Wake>) -> Arc<Self> {
        Arc::new(Self { wake, last_position: AtomicU64::new(0) })
    }

    /// Position of the newest frame that holds something of this writer; 0 if there is none yet.
    #[must_use]
    pub fn last_position(&self) -> Position {
        Position(self.last_position.load(Acquire))
    }
}

impl fmt::Debug for Seat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Seat").field("last_position", &self.last_position()).finish_non_exhaustive()
    }
}

/// What a queue has done so far; for metrics.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CommitCounters {
    /// Durable frames, without seals.
    pub frames: u64,
    pub seals: u64,
    /// Calls of [`CommitQueue::append`] that are durable; by `frames` it is the size of a group.
    pub appends: u64,
    /// Events that are durable.
    pub events: u64,
    /// Bytes of durable payloads.
    pub payload_bytes: u64,
}

/// The open frame and the full ones before it: where writers append and the committer takes.
#[derive(Debug)]
pub struct CommitQueue {
    options: CommitOptions,
    open: Mutex<Open>,
    filled: Condvar,
    durable: AtomicU64,
    undurable_bytes: AtomicUsize,
    is_failed: AtomicBool,
    is_prepared: AtomicBool,
    counters: Mutex<CommitCounters>,
}

#[derive(Debug)]
struct Open {
    /// The last one is open, those before it are full.
    frames: VecDeque<OpenFrame>,
    /// Position of `frames[0]`, or of the next frame if there is none.
    first: Position,
    /// The newest frame that was taken is a seal, or no frame was ever appended here.
    is_sealed: bool,
    committer_sleeps: bool,
    wants: Wants,
    phase: Phase,
}

/// What the committer was asked for besides frames.
#[derive(Debug, Default)]
struct Wants {
    seal: bool,
    preparation: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Running,
    /// The committer ends when everything is durable and sealed.
    Closed,
    /// No committer takes anything any more.
    Ended,
}

#[derive(Debug, Default)]
struct OpenFrame {
    payload: Vec<u8>,
    concerned: Vec<Arc<Seat>>,
    appends: u64,
    events: u64,
}

/// What the committer does next.
enum Work {
    Append { position: Position, frame: OpenFrame },
    Prepare,
}

impl CommitQueue {
    /// A queue behind the last frame of a log.
    ///
    /// It begins sealed: a log begins with a segment whose header names the end of what was there
    /// before, which proves as much as a seal does.
    #[must_use]
    pub fn new(last: Position, options: CommitOptions) -> Arc<Self> {
        let open = Open {
            frames: VecDeque::new(),
            first: last.next(),
            is_sealed: true,
            committer_sleeps: false,
            wants: Wants::default(),
            phase: Phase::Running,
        };
        Arc::new(Self {
            options,
            open: Mutex::new(open),
            filled: Condvar::new(),
            durable: AtomicU64::new(last.0),
            undurable_bytes: AtomicUsize::new(0),
            is_failed: AtomicBool::new(false),
            is_prepared: AtomicBool::new(true),
            counters: Mutex::default(),
        })
    }

    /// Puts parts of one writer (or of a few that commit together) into the open frame and tells
    /// its position. All of them land in that one frame; `seat` is woken when it is durable.
    ///
    /// Once the queue has failed or ended, the position will never be durable and the seat is
    /// woken at once: ask [`CommitQueue::is_failed`].
    ///
    /// # Panics
    /// If nothing is appended, or more than a commit and the turn before it can have.
    pub fn append(&self, parts: &[Part<'_>], seat: &Arc<Seat>) -> Position {
        let bytes: usize = parts.iter().map(Part::encoded_len).sum();
        assert!(bytes > 0, "an empty frame is a seal, and only the committer seals");
        assert!(bytes <= COMMIT_BYTES_MAX + (1 << 20), "a commit of {bytes} bytes was let through");
        let events: u64 = parts.iter().map(|part| u64::from(part.event_count)).sum();
        let mut open = self.open.lock();
        if open.phase == Phase::Ended {
            self.is_failed.store(true, Release);
            let never = Position(open.first.0 + open.frames.len() as u64);
            drop(open);
            seat.wake.wake();
            return never;
        }
        self.undurable_bytes.fetch_add(bytes, Relaxed);
        let (position, frame) = open.current_frame(self.options.frame_bytes);
        for part in parts {
            part.encode(&mut frame.payload);
        }
        frame.appends += 1;
        frame.events += events;
        if seat.last_position.swap(position.0, Release) != position.0 {
            frame.concerned.push(seat.clone());
        }
        self.rouse(&mut open);
        position
    }

    /// Position of the last durable frame.
    #[must_use]
    pub fn durable(&self) -> Position {
        Position(self.durable.load(Acquire))
    }

    /// Whether so much is undurable that nobody should decide more.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.undurable_bytes() >= self.options.undurable_bytes_max
    }

    /// Bytes that were appended and are not durable.
    #[must_use]
    pub fn undurable_bytes(&self) -> usize {
        self.undurable_bytes.load(Relaxed)
    }

    /// Whether what is not durable by now never will be. It stays so.
    #[must_use]
    pub fn is_failed(&self) -> bool {
        self.is_failed.load(Acquire)
    }

    /// False while there is no room for the log beyond its present segment: take no writes then.
    #[must_use]
    pub fn is_prepared(&self) -> bool {
        self.is_prepared.load(Acquire)
    }

    /// Asks the log to make room for its next segment, if nothing was written that would.
    pub fn request_preparation(&self) {
        let mut open = self.open.lock();
        open.wants.preparation = true;
        self.rouse(&mut open);
    }

    /// Asks for a seal behind the last frame. Nothing happens if there is one, or if a frame waits
    /// already: that is a burst, and whoever has the clock asks again when it is over.
    pub fn request_seal(&self) {
        let mut open = self.open.lock();
        if !open.is_sealed && open.frames.is_empty() {
            open.wants.seal = true;
            self.rouse(&mut open);
        }
    }

    /// Lets the committer end when everything is durable and sealed.
    pub fn close(&self) {
        let mut open = self.open.lock();
        if open.phase == Phase::Running {
            open.phase = Phase::Closed;
        }
        self.rouse(&mut open);
    }

    #[must_use]
    pub fn counters(&self) -> CommitCounters {
        *self.counters.lock()
    }

    fn rouse(&self, open: &mut Open) {
        if std::mem::take(&mut open.committer_sleeps) {
            self.filled.notify_one();
        }
    }

    fn take(&self) -> Option<Work> {
        let mut open = self.open.lock();
        let wants_seal = std::mem::take(&mut open.wants.seal) || open.phase == Phase::Closed;
        if let Some(frame) = open.frames.pop_front() {
            return Some(open.append_work(frame));
        }
        if wants_seal && !open.is_sealed {
            return Some(open.append_work(OpenFrame::default()));
        }
        std::mem::take(&mut open.wants.preparation).then_some(Work::Prepare)
    }

    /// Sleeps until there is something to take. False: there never will be.
    fn wait(&self) -> bool {
        let mut open = self.open.lock();
        loop {
            if !open.frames.is_empty() || open.wants.seal || open.wants.preparation {
                return true;
            }
            match open.phase {
                Phase::Running => {}
                Phase::Closed => return !open.is_sealed,
                Phase::Ended => return false,
            }
            open.committer_sleeps = true;
            self.filled.wait(&mut open);
        }
    }

    /// The position goes out before the wakes, so that whoever is woken sees it.
    fn publish(&self, position: Position, frame: &OpenFrame) {
        self.count(frame);
        self.undurable_bytes.fetch_sub(frame.payload.len(), Relaxed);
        self.durable.store(position.0, Release);
        frame.wake_concerned();
    }

    fn count(&self, frame: &OpenFrame) {
        let mut counters = self.counters.lock();
        let is_seal = frame.payload.is_empty();
        counters.frames += u64::from(!is_seal);
        counters.seals += u64::from(is_seal);
        counters.appends += frame.appends;
        counters.events += frame.events;
        counters.payload_bytes += frame.payload.len() as u64;
    }

    /// Nothing is taken any more. If something waited, it has failed and its writers are told.
    fn end(&self) {
        let waiting = {
            let mut open = self.open.lock();
            open.phase = Phase::Ended;
            std::mem::take(&mut open.frames)
        };
        if !waiting.is_empty() {
            self.is_failed.store(true, Release);
        }
        for frame in &waiting {
            frame.wake_concerned();
        }
    }
}

impl Open {
    fn current_frame(&mut self, frame_bytes: usize) -> (Position, &mut OpenFrame) {
        if self.frames.back().is_none_or(|frame| frame.payload.len() >= frame_bytes) {
            self.frames.push_back(OpenFrame::default());
        }
        let position = Position(self.first.0 + self.frames.len() as u64 - 1);
        (position, self.frames.back_mut().expect("one was just made"))
    }

    fn append_work(&mut self, frame: OpenFrame) -> Work {
        let position = self.first;
        self.first = position.next();
        self.is_sealed = frame.payload.is_empty();
        Work::Append { position, frame }
    }
}

impl OpenFrame {
    fn wake_concerned(&self) {
        for seat in &self.concerned {
            seat.wake.wake();
        }
    }
}

/// Makes the frames of a queue durable, one after the other. A value: a thread only runs it, and a
/// simulator steps it.
pub struct Committer {
    queue: Arc<CommitQueue>,
    log: Box<dyn Log>,
}

impl Committer {
    #[must_use]
    pub fn new(queue: Arc<CommitQueue>, log: Box<dyn Log>) -> Self {
        Self { queue, log }
    }

    /// Makes the oldest frame durable and wakes its writers. False if there was nothing to do.
    ///
    /// An error is final: nothing that waits will become durable. Its writers are woken.
    ///
    /// # Panics
    /// If the log gives a frame another position than the queue did.
    pub fn step(&mut self) -> Result<bool, AppendError> {
        let Some(work) = self.queue.take() else { return Ok(false) };
        if let Work::Append { position, frame } = work {
            self.append(position, &frame)?;
        }
        match self.log.prepare() {
            Ok(is_prepared) => self.queue.is_prepared.store(is_prepared, Release),
            Err(error) => {
                self.fail(None);
                return Err(error.into());
            }
        }
        Ok(true)
    }

    /// Steps until the queue is closed and everything in it is durable and sealed.
    pub fn run(mut self) -> Result<(), AppendError> {
        loop {
            while self.step()? {}
            if !self.queue.wait() {
                return Ok(());
            }
        }
    }

    fn append(&mut self, position: Position, frame: &OpenFrame) -> Result<(), AppendError> {
        let expected = Position(position.0 - 1);
        match self.log.append(expected, &frame.payload) {
            Ok(appended) => {
                assert_eq!(appended, position, "the log and the queue count the same frames");
                self.queue.publish(position, frame);
                Ok(())
            }
            Err(error) => {
                self.fail(Some(frame));
                Err(error)
            }
        }
    }

    /// The failure is published before the wakes, so that whoever is woken sees it.
    fn fail(&self, frame: Option<&OpenFrame>) {
        self.queue.is_failed.store(true, Release);
        if let Some(frame) = frame {
            frame.wake_concerned();
        }
        self.queue.end();
    }
}

impl Drop for Committer {
    /// However it ends, no writer may wait for it for ever.
    fn drop(&mut self) {
        self.queue.end();
    }
}

impl fmt::Debug for Committer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Committer").field("queue", &self.queue).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
