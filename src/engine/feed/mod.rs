//! The change feed: what has become visible in a table, read back from the log, from its tail in
//! memory wherever that reaches.
//!
//! It must not know who reads, nor what of an entry is shown to whom.

pub mod all;
pub mod cursor;
pub mod entry;
pub mod history;
mod read;
pub mod signal;
#[cfg(test)]
mod tests;

use crate::ambient::Clock;
use crate::engine::feed::cursor::TableCursor;
use crate::engine::feed::entry::Entry;
use crate::engine::feed::read::{Floor, Reader, behind, entries_from};
use crate::engine::search_pool::{SearchError, SearchPool};
use crate::model::id::{LogId, ObjectId, Sequence};
use crate::model::table::Shown;
use crate::model::table::event_form::Misfit;
use crate::model::table::index::Shared;
use crate::storage::error::StorageError;
use crate::storage::log::LogReader;
use crate::storage::retention::FeedRetention;
use crate::storage::tail::Tail;
use std::sync::Arc;
use std::time::Duration;

/// Bytes of the newest frames that stay in memory for those who read at the end.
pub const TAIL_BYTES_MAX: usize = 8 << 20;
/// Threads that read the log. They wait for the disk, not for a processor.
const READERS: usize = 2;
/// Events that are read at once, at most; a longer one comes alone.
pub const READ_BYTES_MAX: usize = 1 << 20;
/// Where only an entry and the next one are looked at.
const LOOK_BYTES: usize = 16 << 10;
/// One reading may take so long, its wait for a thread included.
const READ_MAX: Duration = Duration::from_secs(10);

/// Why there are no entries.
#[derive(Debug, thiserror::Error)]
pub enum FeedError {
    /// What the reader would have to see next is no longer kept, or the cursor is of another history.
    #[error("what follows the cursor is not kept")]
    Expired,
    /// Too many wait to read the log, or it took too long.
    #[error("the log is read by too many")]
    Overloaded,
    #[error(transparent)]
    Storage(#[from] StorageError),
    #[error(transparent)]
    Misfit(#[from] Misfit),
    /// What a frame holds are no parts.
    #[error("a frame of the log is not made of parts")]
    Parts,
    /// A record's change names one before it that is none of a record.
    #[error("the history of a record leads to what is no change of it")]
    Chain,
    /// A reading has panicked.
    #[error("a reading of the log has panicked")]
    Panicked,
}

/// Where a reader begins.
#[derive(Clone, Copy, Debug)]
pub enum Start {
    /// At the oldest entry that is kept.
    Oldest,
    /// Behind the newest entry.
    Now,
    Behind(TableCursor),
}

/// The last entry that a reader has passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    pub sequence: Sequence,
    /// None if it was not on the disk any more.
    pub checksum: Option<u32>,
}

impl Place {
    #[must_use]
    pub fn behind(entry: &Entry) -> Self {
        Self { sequence: entry.sequence, checksum: Some(entry.checksum()) }
    }
}

/// The feeds of one partition.
pub struct Feed {
    log_id: LogId,
    reader: Reader,
    tail: Arc<Tail>,
    threads: SearchPool,
    retention: FeedRetention,
    clock: Clock,
    born: Arc<Born>,
}

/// What a feed is made of.
pub(super) struct FeedParts {
    pub(super) log_id: LogId,
    pub(super) log: Arc<dyn LogReader>,
    pub(super) tail: Arc<Tail>,
    pub(super) retention: FeedRetention,
    pub(super) clock: Clock,
    pub(super) born: Arc<Born>,
}

/// The objects whose tables are there, of all businesses.
pub(super) type Born = Shared<ObjectId, ()>;

impl Feed {
    pub(super) fn start(parts: FeedParts) -> Self {
        let FeedParts { log_id, log, tail, retention, clock, born } = parts;
        let threads = SearchPool::start("log reader", READERS);
        Self { log_id, reader: Reader { log }, tail, threads, retention, clock, born }
    }

    /// Finds where a reader of a table begins.
    pub async fn begin(&self, table: &Arc<Shown>, start: Start) -> Result<Place, FeedError> {
        let head = table.sequence();
        match start {
            Start::Oldest => self.oldest(table, head).await,
            Start::Now => self.place_of(table, head).await,
            Start::Behind(cursor) => self.behind(table, &cursor, head).await,
        }
    }

    /// The entries behind a sequence that are visible by now: some if there are any, not always all.
    pub async fn read(
        &self,
        table: &Arc<Shown>,
        after: Sequence,
        bytes: usize,
    ) -> Result<Vec<Entry>, FeedError> {
        let head = table.sequence();
        if after >= head {
            return Ok(Vec::new());
        }
        let from = after.next();
        let mut entries = if let Some(entries) = self.recent(table, from, bytes)? {
            entries
        } else {
            let (writer, reader) = (table.writer(), self.reader.clone());
            self.run(READ_MAX, move |_| reader.entries(&writer, from, bytes)).await?
        };
        // Durable, and not applied yet: nobody may see it.
        entries.retain(|entry| entry.sequence <= head);
        let is_gapless = entries.first().is_some_and(|first| first.sequence == from);
        if is_gapless { Ok(entries) } else { Err(FeedError::Expired) }
    }

    /// The cursor of a place.
    #[must_use]
    pub fn cursor(&self, table: &Shown, place: Place) -> TableCursor {
        let Place { sequence, checksum } = place;
        TableCursor { history: table.history(), sequence, checksum, issued: self.clock.now() }
    }

    /// The place behind an entry that is visible: of a scan, say, that was opened right behind it.
    pub async fn place_of(
        &self,
        table: &Arc<Shown>,
        sequence: Sequence,
    ) -> Result<Place, FeedError> {
        let of = |entries: &[Entry]| {
            let own = entries.first().filter(|entry| entry.sequence == sequence);
            Place { sequence, checksum: own.map(Entry::checksum) }
        };
        if let Some(entries) = self.recent(table, sequence, LOOK_BYTES)? {
            return Ok(of(&entries));
        }
        let (writer, reader) = (table.writer(), self.reader.clone());
        let entries = self.run(READ_MAX, move |_| reader.entries(&writer, sequence, 0)).await?;
        Ok(of(&entries))
    }

    async fn oldest(&self, table: &Arc<Shown>, head: Sequence) -> Result<Place, FeedError> {
        let (writer, reader, floor) = (table.writer(), self.reader.clone(), self.floor());
        let first = self.run(READ_MAX, move |_| reader.first_kept(&writer, head, floor)).await?;
        match first {
            Some(first) => Ok(Place { sequence: Sequence(first.0 - 1), checksum: None }),
            None => self.place_of(table, head).await,
        }
    }

    async fn behind(
        &self,
        table: &Arc<Shown>,
        cursor: &TableCursor,
        head: Sequence,
    ) -> Result<Place, FeedError> {
        if cursor.history != table.history() || cursor.sequence > head {
            return Err(FeedError::Expired);
        }
        let (cursor, floor) = (*cursor, self.floor());
        // The tail has the cursor's own entry, or says nothing.
        if let Some(entries) = self.recent(table, cursor.sequence, LOOK_BYTES)?
            && let [own, following @ ..] = entries.as_slice()
            && own.sequence == cursor.sequence
            && (cursor.sequence == head || !following.is_empty())
        {
            return behind(&cursor, head, floor, &entries);
        }
        let (writer, reader) = (table.writer(), self.reader.clone());
        let find = move |_: &dyn Fn() -> bool| {
            let mut entries = reader.entries(&writer, cursor.sequence, 0)?;
            let has_next = entries.iter().any(|entry| entry.sequence > cursor.sequence);
            if cursor.sequence < head && !has_next {
                entries.extend(reader.entries(&writer, cursor.sequence.next(), 0)?);
            }
            let has_own = entries.first().is_some_and(|own| own.sequence == cursor.sequence);
            if !has_own && !reader.vouches(cursor.issued) {
                return Err(FeedError::Expired);
            }
            behind(&cursor, head, floor, &entries)
        };
        self.run(READ_MAX, find).await
    }

    /// The entries of a table from a sequence on, if the tail has them.
    fn recent(
        &self,
        table: &Shown,
        from: Sequence,
        bytes: usize,
    ) -> Result<Option<Vec<Entry>>, FeedError> {
        let Some(parts) = self.tail.parts(&table.writer(), from, bytes) else {
            return Ok(None);
        };
        let entries = entries_from(&parts, from)?;
        Ok((!entries.is_empty()).then_some(entries))
    }

    /// What is kept as of now.
    fn floor(&self) -> Floor {
        Floor::at(self.clock.now(), self.retention, &*self.reader.log)
    }

    /// Runs a reading on the threads.
    async fn run<T: Send + 'static>(
        &self,
        timeout: Duration,
        read: impl FnOnce(&dyn Fn() -> bool) -> Result<T, FeedError> + Send + 'static,
    ) -> Result<T, FeedError> {
        match self.threads.run_alone(timeout, &self.clock, read).await {
            Ok(found) => found,
            Err(SearchError::Overloaded | SearchError::TimedOut) => Err(FeedError::Overloaded),
            Err(SearchError::Panicked) => Err(FeedError::Panicked),
        }
    }
}
