//! The history of one record: its chain of changes, walked back from the one that is in memory.

use crate::engine::feed::entry::Entry;
use crate::engine::feed::read::{Floor, Reader};
use crate::engine::feed::{Feed, FeedError};
use crate::model::id::{Sequence, Version, WriterId};
use crate::model::table::Shown;
use crate::model::table::event_form::Stored;
use crate::model::table::record::Record;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

/// Some of a record's changes, newest first.
#[derive(Debug)]
pub struct History {
    /// How many are kept.
    pub count: usize,
    /// Those that were asked for, and the one before them where it is kept.
    pub entries: Vec<Entry>,
    /// Whether there were more, which are not kept any more.
    pub is_truncated: bool,
}

impl Feed {
    /// The changes of a record in some places of its history, 0 being its newest.
    pub async fn history(
        &self,
        table: &Arc<Shown>,
        record: &Record,
        places: Range<usize>,
        timeout: Duration,
    ) -> Result<History, FeedError> {
        let (reader, floor, newest) = (self.reader.clone(), self.floor(), record.sequence());
        let writer = table.writer();
        let walk = move |goes_on: &dyn Fn() -> bool| {
            let mut history = History { count: 0, entries: Vec::new(), is_truncated: false };
            let mut chain = Chain { reader, writer, floor, next: newest };
            while let Some(entry) = chain.step(goes_on)? {
                // Changes are shown with what was before them.
                if (places.start..=places.end).contains(&history.count) {
                    history.entries.push(entry.alone());
                }
                history.count += 1;
            }
            history.is_truncated = chain.next > Sequence(0);
            Ok(history)
        };
        self.run(timeout, walk).await
    }

    /// The change that made an older version of a record, if it is kept.
    pub async fn version(
        &self,
        table: &Arc<Shown>,
        record: &Record,
        version: Version,
        timeout: Duration,
    ) -> Result<Option<Entry>, FeedError> {
        let (reader, floor, newest) = (self.reader.clone(), self.floor(), record.sequence());
        let writer = table.writer();
        let mut left = record.version().0 - version.0;
        let walk = move |goes_on: &dyn Fn() -> bool| {
            let mut chain = Chain { reader, writer, floor, next: newest };
            while let Some(entry) = chain.step(goes_on)? {
                if left == 0 {
                    return Ok(Some(entry.alone()));
                }
                left -= 1;
            }
            Ok(None)
        };
        self.run(timeout, walk).await
    }
}

/// The changes of one record, each of which names the one before it.
struct Chain {
    reader: Reader,
    writer: WriterId,
    floor: Floor,
    /// 0 behind the first.
    next: Sequence,
}

impl Chain {
    /// The next older change; none if there is none, or it is not kept.
    fn step(&mut self, goes_on: &dyn Fn() -> bool) -> Result<Option<Entry>, FeedError> {
        if self.next == Sequence(0) {
            return Ok(None);
        }
        if !goes_on() {
            return Err(FeedError::Overloaded);
        }
        let found = self.reader.entries(&self.writer, self.next, 0)?.into_iter().next();
        let Some(entry) = found.filter(|entry| entry.sequence == self.next) else {
            return Ok(None);
        };
        let (stamp, stored) = entry.read()?;
        if !self.floor.keeps_at(entry.position, stamp.at) {
            return Ok(None);
        }
        let Stored::Record(change) = stored else { return Err(FeedError::Chain) };
        self.next = change.previous;
        Ok(Some(entry))
    }
}
