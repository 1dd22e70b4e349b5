//! The feed over all objects of a business: the log itself, from a place in it on. What is another
//! business's is passed over unread.

use crate::engine::feed::cursor::LogCursor;
use crate::engine::feed::entry::{Entry, entries_of};
use crate::engine::feed::read::{Floor, Reader};
use crate::engine::feed::{Feed, FeedError, READ_MAX};
use crate::model::id::{ObjectId, Position, Sequence, WriterId};
use crate::model::table::Shown;
use crate::storage::error::StorageError;
use crate::storage::log::FrameOwned;
use crate::storage::part::parts;
use crate::storage::tail::TailFrame;
use bytes::Bytes;
use std::sync::Arc;

/// Where a reader begins.
#[derive(Clone, Copy, Debug)]
pub enum LogStart {
    /// At the oldest frame that is kept.
    Oldest,
    /// Behind all that is visible.
    Now,
    Behind(LogCursor),
}

/// How far a reader is in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogPlace {
    /// Of a frame that is not a seal; 0 before the first.
    pub position: Position,
    /// The part of that frame that was read last; `u32::MAX` where all of them were.
    pub part: u32,
    /// Entries of that part which were passed.
    pub passed: u32,
    /// Of the frame; none if it was not on the disk any more.
    pub checksum: Option<u32>,
}

impl LogPlace {
    const fn behind(position: Position, checksum: Option<u32>) -> Self {
        Self { position, part: u32::MAX, passed: 0, checksum }
    }

    /// The position behind which frames are to be read.
    fn after(self) -> Position {
        if self.part == u32::MAX { self.position } else { Position(self.position.0 - 1) }
    }
}

/// An entry, of which table it is, and the place behind it.
#[derive(Clone, Debug)]
pub struct LogEntry {
    pub object: ObjectId,
    pub place: LogPlace,
    pub entry: Entry,
}

/// A piece of the log.
#[derive(Clone, Debug)]
pub struct LogChunk {
    pub entries: Vec<LogEntry>,
    /// Behind everything that was read.
    pub next: LogPlace,
    /// Whether nothing behind it is visible yet.
    pub is_end: bool,
}

/// The tables whose entries are wanted.
pub type TablesWanted<'a> = dyn Fn(ObjectId) -> Option<Arc<Shown>> + 'a;

impl Feed {
    /// Finds where a reader of all these tables begins.
    pub async fn begin_all(
        &self,
        start: LogStart,
        tables: &[Arc<Shown>],
    ) -> Result<LogPlace, FeedError> {
        match start {
            LogStart::Oldest => {
                let (reader, floor) = (self.reader.clone(), self.floor());
                self.run(READ_MAX, move |_| reader.oldest_place(floor)).await
            }
            LogStart::Now => self.now(tables).await,
            LogStart::Behind(cursor) => {
                if cursor.log != self.log_id {
                    return Err(FeedError::Expired);
                }
                let (reader, floor) = (self.reader.clone(), self.floor());
                self.run(READ_MAX, move |_| reader.place_behind(&cursor, floor)).await
            }
        }
    }

    /// The cursor of a place.
    #[must_use]
    pub fn cursor_of_all(&self, place: LogPlace) -> LogCursor {
        let LogPlace { position, part, passed, checksum } = place;
        let (log, issued) = (self.log_id, self.clock.now());
        LogCursor { log, position, part, passed, checksum, issued }
    }

    /// The entries behind a place that are visible by now: not always all, but the next reading
    /// goes on behind them.
    pub async fn read_all(
        &self,
        after: LogPlace,
        tables: &TablesWanted<'_>,
        bytes: usize,
    ) -> Result<LogChunk, FeedError> {
        let frames = self.frames(after.after(), bytes).await?;
        let mut chunk = LogChunk { entries: Vec::new(), next: after, is_end: false };
        for frame in frames.iter().filter(|frame| !frame.payload.is_empty()) {
            if !self.take_frame(frame, after, tables, &mut chunk)? {
                chunk.is_end = true;
                break;
            }
        }
        chunk.is_end |= chunk.next == after;
        Ok(chunk)
    }

    async fn frames(&self, after: Position, bytes: usize) -> Result<Vec<TailFrame>, FeedError> {
        if let Some(frames) = self.tail.frames(after, bytes) {
            return Ok(frames);
        }
        let reader = self.reader.clone();
        self.run(READ_MAX, move |_| reader.frames(after, bytes)).await
    }

    /// Takes the entries of a frame, as far as they are visible. False: not all of them are.
    fn take_frame(
        &self,
        frame: &TailFrame,
        after: LogPlace,
        tables: &TablesWanted<'_>,
        chunk: &mut LogChunk,
    ) -> Result<bool, FeedError> {
        let (position, checksum) = (frame.position, Some(crc32c::crc32c(&frame.payload)));
        let (first, passed) =
            if position == after.position { (after.part, after.passed) } else { (0, 0) };
        for (index, part) in (0..).zip(parts(&frame.payload)) {
            let part = part.map_err(|_| FeedError::Parts)?;
            let WriterId::Table(object) = part.writer else { continue };
            if index < first || part.first_sequence == Sequence(0) {
                continue;
            }
            // Born with this very frame: whose it is will be known in a moment.
            if self.born.get(&object).is_none() {
                return Ok(false);
            }
            let Some(shown) = tables(object) else { continue };
            let skipped = if index == first { passed } else { 0 };
            for (count, entry) in (1..).zip(entries_of(&frame.part(&part))?) {
                if entry.sequence > shown.sequence() {
                    return Ok(false);
                }
                if count > skipped {
                    let place = LogPlace { position, part: index, passed: count, checksum };
                    chunk.entries.push(LogEntry { object, place, entry });
                    chunk.next = place;
                }
            }
        }
        chunk.next = LogPlace::behind(position, checksum);
        Ok(true)
    }

    /// Behind all that is visible in these tables. What is durable and not visible yet comes later.
    async fn now(&self, tables: &[Arc<Shown>]) -> Result<LogPlace, FeedError> {
        let end = self.reader.end();
        let tables: Vec<_> =
            tables.iter().map(|table| (table.writer(), table.sequence())).collect();
        let reader = self.reader.clone();
        let find = move |_: &dyn Fn() -> bool| {
            let mut visible = end;
            for (writer, sequence) in &tables {
                let next = reader.entries(writer, sequence.next(), 0)?.into_iter().next();
                if let Some(next) = next {
                    visible = visible.min(Position(next.position.0 - 1));
                }
            }
            reader.place_at(visible)
        };
        self.run(READ_MAX, find).await
    }
}

impl Reader {
    /// Position of the last frame.
    fn end(&self) -> Position {
        self.log.segments().last().map_or(Position(0), |open| open.last)
    }

    fn frames(&self, after: Position, limit_bytes: usize) -> Result<Vec<TailFrame>, FeedError> {
        let frames = self.log.read(after, limit_bytes).map_err(|error| {
            if matches!(error, StorageError::Trimmed { .. }) {
                FeedError::Expired
            } else {
                FeedError::Storage(error)
            }
        })?;
        let frame = |frame: FrameOwned| TailFrame {
            position: frame.position,
            payload: Bytes::from(frame.payload),
        };
        Ok(frames.into_iter().map(frame).collect())
    }

    /// The place behind a frame, or, where that is a seal, behind the frame before it.
    fn place_at(&self, position: Position) -> Result<LogPlace, FeedError> {
        let mut position = position;
        while position > Position(0) {
            let before = Position(position.0 - 1);
            let frame = match self.frames(before, 0) {
                Ok(frames) => frames.into_iter().next(),
                Err(FeedError::Expired) => None,
                Err(error) => return Err(error),
            };
            match frame {
                Some(frame) if frame.payload.is_empty() => position = before,
                Some(frame) => {
                    let checksum = crc32c::crc32c(&frame.payload);
                    return Ok(LogPlace::behind(position, Some(checksum)));
                }
                None => return Ok(LogPlace::behind(position, None)),
            }
        }
        Ok(LogPlace::behind(Position(0), None))
    }

    /// The first frame from a position on that is not a seal, and whether it is kept.
    fn first_from(
        &self,
        position: Position,
        floor: Floor,
    ) -> Result<Option<(Position, bool)>, FeedError> {
        let mut after = Position(position.0 - 1);
        while let Some(frame) = self.frames(after, 0)?.into_iter().next() {
            let mut newest = None;
            for part in parts(&frame.payload) {
                newest = newest.max(Some(part.map_err(|_| FeedError::Parts)?.time));
            }
            if let Some(newest) = newest {
                return Ok(Some((frame.position, floor.keeps_at(frame.position, newest))));
            }
            after = frame.position;
        }
        Ok(None)
    }

    /// Before the oldest frame that is kept.
    fn oldest_place(&self, floor: Floor) -> Result<LogPlace, FeedError> {
        let segments = self.log.segments();
        let first = segments.first().map_or(Position(1), |oldest| oldest.first);
        // All before `low` are not kept, all from `high` on are: time goes on in a log.
        let (mut low, mut high) = (first, self.end().next());
        while low < high {
            let middle = Position(low.0 + (high.0 - low.0) / 2);
            match self.first_from(middle, floor)? {
                Some((position, false)) => low = position.next(),
                Some((_, true)) | None => high = middle,
            }
        }
        self.place_at(Position(low.0 - 1))
    }

    /// Whether a cursor leads on.
    fn place_behind(&self, cursor: &LogCursor, floor: Floor) -> Result<LogPlace, FeedError> {
        let LogCursor { log: _, position, part, passed, checksum, issued } = *cursor;
        let place = LogPlace { position, part, passed, checksum };
        let is_whole = part == u32::MAX;
        if position > self.end() || (position == Position(0) && !is_whole) {
            return Err(FeedError::Expired);
        }
        let own = self.place_at(position)?;
        let fits = match own.checksum {
            Some(_) => own.position == position && own.checksum == checksum,
            None => is_whole && self.vouches(issued),
        };
        let next = self.first_from(place.after().next(), floor)?;
        let is_kept = next.is_none_or(|(_, is_kept)| is_kept);
        if fits && is_kept { Ok(place) } else { Err(FeedError::Expired) }
    }
}
