//! How far streams of rows have come that can be resumed: of each the offset that is next, and what
//! its rows have come to.
//!
//! An offset moves in the commit of the row that has it, so a row is applied once, whatever breaks.
//! It must not know how rows arrive.

use crate::model::id::{BatchId, MemberId, Timestamp};
use crate::model::table::command::Action;
use parking_lot::Mutex;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Streams that one table remembers.
pub const STREAMS_MAX: usize = 10_000;

/// A stream: its name is its member's own.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StreamKey {
    pub member: MemberId,
    pub id: Box<str>,
}

/// What became of a row. The names are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RowEnd {
    Created,
    Updated,
    Unarchived,
    Archived,
    Unchanged,
    Exists,
    Stale,
    SkippedArchived,
    NotFound,
    Failed,
}

impl From<Action> for RowEnd {
    fn from(action: Action) -> Self {
        match action {
            Action::Created => Self::Created,
            Action::Updated => Self::Updated,
            Action::Unarchived => Self::Unarchived,
            Action::Archived => Self::Archived,
            Action::Unchanged => Self::Unchanged,
            Action::Exists => Self::Exists,
            Action::Stale => Self::Stale,
            Action::SkippedArchived => Self::SkippedArchived,
        }
    }
}

/// Rows by what became of them.
pub type RowEnds = BTreeMap<RowEnd, u64>;

/// How far a stream has come.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct StreamState {
    /// Rows with smaller offsets are done.
    pub next_offset: u64,
    /// Of requests before the one that sent rows last.
    earlier: RowEnds,
    /// Of that one: the rows that it has applied, and at its end all that are done.
    last: RowEnds,
    batch: Option<BatchId>,
    /// When it was used last.
    pub used: Timestamp,
}

impl StreamState {
    /// After a row that has changed something.
    #[must_use]
    pub fn after_row(&self, (offset, end): (u64, RowEnd), batch: BatchId, at: Timestamp) -> Self {
        let mut after = self.of_request(batch, at);
        after.next_offset = offset.saturating_add(1).max(self.next_offset);
        *after.last.entry(end).or_default() += 1;
        after
    }

    /// After the end of a request, of which these rows are done.
    #[must_use]
    pub fn after_end(
        &self,
        (next_offset, ends): (u64, RowEnds),
        batch: BatchId,
        at: Timestamp,
    ) -> Self {
        let mut after = self.of_request(batch, at);
        after.next_offset = next_offset.max(self.next_offset);
        after.last = ends;
        after
    }

    fn of_request(&self, batch: BatchId, at: Timestamp) -> Self {
        let mut after = self.clone();
        if after.batch != Some(batch) {
            after.earlier = self.ends();
            after.last.clear();
            after.batch = Some(batch);
        }
        after.used = at;
        after
    }

    /// What became of all rows that are done.
    #[must_use]
    pub fn ends(&self) -> RowEnds {
        let mut ends = self.earlier.clone();
        for (end, count) in &self.last {
            *ends.entry(*end).or_default() += count;
        }
        ends
    }
}

/// The streams of one table. Its writer changes them, by events alone.
#[derive(Default)]
pub struct Streams(Mutex<Held>);

/// The streams of one instant.
pub type Held = BTreeMap<StreamKey, Arc<StreamState>>;

impl Streams {
    #[must_use]
    pub fn get(&self, key: &StreamKey) -> Option<Arc<StreamState>> {
        self.0.lock().get(key).cloned()
    }

    #[must_use]
    pub fn len(&self) -> usize {
        self.0.lock().len()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.lock().is_empty()
    }

    /// Those that were not used since.
    #[must_use]
    pub fn unused_since(&self, before: Timestamp) -> Vec<StreamKey> {
        let held = self.0.lock();
        let unused = held.iter().filter(|(_, state)| state.used < before);
        unused.map(|(key, _)| key.clone()).collect()
    }

    /// What a snapshot takes.
    #[must_use]
    pub fn image(&self) -> Held {
        self.0.lock().clone()
    }

    pub(in crate::model::table) fn put(&self, key: &StreamKey, state: Option<&Arc<StreamState>>) {
        let mut held = self.0.lock();
        match state {
            Some(state) => drop(held.insert(key.clone(), state.clone())),
            None => drop(held.remove(key)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn batch(number: u128) -> BatchId {
        BatchId(Uuid::from_u128(number))
    }

    #[test]
    fn the_end_of_a_request_says_what_all_of_its_rows_came_to() {
        let at = Timestamp(7);
        let begun = StreamState::default();
        let first = begun.after_row((3, RowEnd::Created), batch(1), at);
        let second = first.after_row((9, RowEnd::Updated), batch(1), at);
        assert_eq!(second.next_offset, 10);
        assert_eq!(second.ends(), RowEnds::from([(RowEnd::Created, 1), (RowEnd::Updated, 1)]));
        let all = RowEnds::from([(RowEnd::Created, 1), (RowEnd::Updated, 1), (RowEnd::Failed, 5)]);
        let ended = second.after_end((15, all.clone()), batch(1), at);
        assert_eq!((ended.next_offset, ended.ends()), (15, all));
        let resumed = ended.after_row((15, RowEnd::Created), batch(2), Timestamp(8));
        assert_eq!(resumed.ends()[&RowEnd::Created], 2);
        assert_eq!(resumed.ends()[&RowEnd::Failed], 5);
        assert_eq!((resumed.next_offset, resumed.used), (16, Timestamp(8)));
        // What a slower request says does not take a stream back.
        let late = resumed.after_end((4, RowEnds::new()), batch(3), at);
        assert_eq!((late.next_offset, late.ends()), (16, resumed.ends()));
    }
}
