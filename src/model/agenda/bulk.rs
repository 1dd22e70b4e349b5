//! Bulk actions: how far one request about many records has come, and what became of each record.
//!
//! An action is kept for seven days, and no longer than the newest so many are. It must not know
//! what an action does to a record.

use crate::model::agenda::command::{Rejection, Reply};
use crate::model::agenda::{Change, Shown};
use crate::model::id::{BatchId, ObjectId, RecordId, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use std::sync::Arc;

/// How long an action is kept.
pub const KEPT_MS: i64 = 7 * 24 * 60 * 60 * 1000;
/// Actions that a business keeps; beyond it the oldest go before their time.
pub const ACTIONS_MAX: usize = 10_000;
/// Failures that a business keeps over all its actions; beyond it the oldest actions go.
pub const FAILURES_MAX: usize = 100_000;

/// What is done to each record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BulkKind {
    Archive,
    ChangeFieldValue,
}

/// One action on many records.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BulkAction {
    /// That of the request, which all of its changes carry.
    pub id: BatchId,
    pub kind: BulkKind,
    pub object: ObjectId,
    /// Records that the request named, as often as it named them.
    pub records: u32,
    pub succeeded: u32,
    /// In the order of the request.
    pub failures: Vec<Failure>,
    pub started: Timestamp,
    /// None: it is under way, or its process ended before it.
    pub finished: Option<Timestamp>,
}

/// A record that was left as it is, and why, in the words of whoever was refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    pub record: RecordId,
    pub code: String,
    pub detail: String,
}

impl BulkAction {
    /// Records that failed.
    ///
    /// # Panics
    /// On more failures than records.
    #[must_use]
    pub fn failed(&self) -> u32 {
        u32::try_from(self.failures.len()).expect("an action fails at most once a record")
    }

    /// Records of which nothing is noted.
    #[must_use]
    pub fn pending(&self) -> u32 {
        self.records - self.succeeded - self.failed()
    }

    /// Whether it is kept at a time.
    #[must_use]
    pub fn is_kept(&self, at: Timestamp) -> bool {
        at.0.saturating_sub(self.started.0) < KEPT_MS
    }
}

/// An action to be.
#[derive(Clone, Copy, Debug)]
pub struct NewBulk {
    pub kind: BulkKind,
    pub object: ObjectId,
    pub records: u32,
}

/// What has become of further records of an action.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BulkNote {
    pub id: BatchId,
    pub succeeded: u32,
    pub failures: Vec<Failure>,
    /// There will be no other note.
    pub is_last: bool,
}

/// Begins the action of a request.
pub(super) fn begin(new: NewBulk, id: BatchId, at: Timestamp) -> (Change, Reply) {
    let action = BulkAction {
        id,
        kind: new.kind,
        object: new.object,
        records: new.records,
        succeeded: 0,
        failures: Vec::new(),
        started: at,
        finished: None,
    };
    (Change::BulkBegun(action), Reply::Done)
}

/// Notes what has become of records. The oldest actions may have gone before they ended.
pub(super) fn note(shown: &Shown, note: BulkNote) -> Result<(Change, Reply), Rejection> {
    let action = shown.bulk_action(note.id).ok_or(Rejection::NotFound)?;
    let noted = usize::try_from(note.succeeded).expect("32 bits fit") + note.failures.len();
    assert!(action.finished.is_none(), "nothing is noted of an action that has ended");
    assert!(noted <= action.pending() as usize, "a record is noted once");
    Ok((Change::BulkNoted(note), Reply::Done))
}

/// Which actions there are, oldest first, as the writer keeps it.
#[derive(Debug, Default)]
pub(super) struct BulkOrder {
    ids: VecDeque<BatchId>,
    failures: usize,
}

impl BulkOrder {
    /// The actions in their order, for a snapshot.
    pub(super) fn actions(&self, shown: &Shown) -> Vec<Arc<BulkAction>> {
        let action = |id: &BatchId| shown.bulk_action(*id).expect("the order names what is there");
        self.ids.iter().map(action).collect()
    }

    /// Puts in an action, the newest so far. What has had its time at the start of it goes.
    pub(super) fn put(&mut self, shown: &Shown, action: Arc<BulkAction>) {
        self.ids.push_back(action.id);
        self.failures += action.failures.len();
        let at = action.started;
        shown.bulk_actions.put(action.id, action);
        self.forget(shown, at);
    }

    /// Adds a note to its action.
    pub(super) fn note(&mut self, shown: &Shown, note: &BulkNote, at: Timestamp) {
        let action = shown.bulk_action(note.id).expect("an action that is noted is there");
        let mut action = BulkAction::clone(&action);
        action.succeeded += note.succeeded;
        action.failures.extend_from_slice(&note.failures);
        action.finished = note.is_last.then_some(at);
        self.failures += note.failures.len();
        shown.bulk_actions.put(action.id, Arc::new(action));
        self.forget(shown, at);
    }

    /// Forgets the oldest while they have had their time or there is too much of them.
    fn forget(&mut self, shown: &Shown, at: Timestamp) {
        while let Some(oldest) = self.ids.front() {
            let oldest = shown.bulk_action(*oldest).expect("the order names what is there");
            let is_over = self.ids.len() > ACTIONS_MAX || self.failures > FAILURES_MAX;
            if oldest.is_kept(at) && !is_over {
                return;
            }
            self.ids.pop_front();
            self.failures -= oldest.failures.len();
            shown.bulk_actions.remove(&oldest.id);
        }
    }
}

#[cfg(test)]
mod tests;
