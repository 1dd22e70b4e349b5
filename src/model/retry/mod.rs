//! Writes that may be sent again: the key of a request, and the outcome that is kept under it.
//!
//! An outcome is stored in the commit of the write itself, by the state that decides it, so there
//! is none without its effect and no effect without it. It must not know what a key was made of, or
//! how an outcome is shown.

pub mod hash;
pub mod outcomes;

use crate::model::id::{
    ActivityId, ActivityTypeId, ApiKeyId, BusinessId, CategoryId, FieldId, FieldNumber,
    LoggedActivityId, MemberId, ObjectId, OptionId, PermissionGroupId, RecordId, RoleId, Timestamp,
    Version,
};
use crate::model::retry::hash::{Fingerprint, RetryKey};
use crate::model::table::command::{self, Action, EntryIndex};
use crate::model::table::record::Record;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// What makes a command one that may be sent again.
#[derive(Clone, Debug, PartialEq)]
pub struct Retry {
    pub key: RetryKey,
    pub fingerprint: Fingerprint,
    pub statuses: Statuses,
    /// What the answer is about, where that does not follow from the reply.
    pub about: Option<Answered>,
    /// Fields that the request writes, in its order: its answer shows those that were due.
    pub mentioned: Vec<(EntryIndex, FieldNumber)>,
    /// Other writers are asked after this one: until then the outcome is open.
    pub is_open: bool,
}

/// What whoever asks will answer with: numbers that mean something to it alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Statuses {
    /// Where something was made.
    pub made: u16,
    /// Where a record was changed, or stayed as it was.
    pub changed: u16,
    /// Where there is nothing to show.
    pub nothing: u16,
}

/// What a write was answered, without how it looks: that follows from the states of the day.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StoredOutcome {
    pub key: RetryKey,
    pub fingerprint: Fingerprint,
    pub at: Timestamp,
    pub status: u16,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_open: bool,
    pub answered: Answered,
}

/// What an answer is about.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answered {
    Nothing,
    Record(RecordAnswered),
    /// A record of which the answer shows nothing.
    RecordAlone(RecordId),
    Object(ObjectId),
    Category(CategoryId),
    Field(FieldId),
    Option(OptionId),
    Member(MemberId),
    Role(RoleId),
    PermissionGroup(PermissionGroupId),
    ApiKey(ApiKeyId),
    ActivityType(ActivityTypeId),
    Activity(ActivityId),
    LoggedActivity(LoggedActivityId),
    Business(BusinessId),
    Founded {
        business: BusinessId,
        member: MemberId,
        key: ApiKeyId,
    },
}

/// A record as a write left it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RecordAnswered {
    pub id: RecordId,
    pub version: Version,
    pub action: Action,
    pub filled: Vec<FieldNumber>,
    pub changed: Vec<FieldNumber>,
    pub mentioned: Vec<FieldNumber>,
    /// Not stored with the event: the record's own event stands before it. None: it was purged.
    #[serde(skip)]
    pub record: Option<Record>,
}

/// What becomes of the outcomes that a state keeps.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OutcomeChange {
    Stored(Arc<StoredOutcome>),
    /// The other writers have been asked too.
    Completed(RetryKey),
    /// The oldest are forgotten, up to the first that is not from before.
    Dropped {
        before: Timestamp,
    },
}

impl RecordAnswered {
    /// The mentioned fields follow from the request.
    #[must_use]
    pub fn of(outcome: &command::Outcome) -> Self {
        Self {
            id: outcome.record.id(),
            version: outcome.record.version(),
            action: outcome.action,
            filled: outcome.filled.clone(),
            changed: outcome.changed.clone(),
            mentioned: Vec::new(),
            record: Some(outcome.record.clone()),
        }
    }

    fn is_made(&self) -> bool {
        matches!(self.action, Action::Created | Action::Unarchived)
    }
}

impl Retry {
    /// The outcome of a command that was not refused, to be stored with what it did.
    #[must_use]
    pub fn outcome(&self, answered: Answered, at: Timestamp) -> StoredOutcome {
        let mut answered = self.about.clone().unwrap_or(answered);
        if let Answered::Record(record) = &mut answered {
            let is_due = |(index, field): &&(EntryIndex, FieldNumber)| {
                index.set.has_written(*field, record.action, &record.changed)
            };
            let due = self.mentioned.iter().filter(is_due).map(|(_, field)| *field);
            record.mentioned = due.collect();
        }
        let status = match &answered {
            Answered::Nothing | Answered::RecordAlone(_) => self.statuses.nothing,
            Answered::Record(record) if !record.is_made() => self.statuses.changed,
            Answered::Record(_)
            | Answered::Object(_)
            | Answered::Category(_)
            | Answered::Field(_)
            | Answered::Option(_)
            | Answered::Member(_)
            | Answered::Role(_)
            | Answered::PermissionGroup(_)
            | Answered::ApiKey(_)
            | Answered::ActivityType(_)
            | Answered::Activity(_)
            | Answered::LoggedActivity(_)
            | Answered::Business(_)
            | Answered::Founded { .. } => self.statuses.made,
        };
        StoredOutcome {
            key: self.key,
            fingerprint: self.fingerprint,
            at,
            status,
            is_open: self.is_open,
            answered,
        }
    }
}

/// What an outcome takes besides the record that it keeps, and the lists of that: in memory, with
/// its places in the maps.
const OUTCOME_BYTES: usize = 320;

impl StoredOutcome {
    /// What it counts for in memory. A record counts whole, though it is shared until it changes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let Some(record) = self.record() else { return OUTCOME_BYTES };
        let lists = record.filled.len() + record.changed.len() + record.mentioned.len();
        let body = record.record.as_ref().map_or(0, Record::len);
        OUTCOME_BYTES + lists * size_of::<FieldNumber>() + body
    }

    /// The record whose values it keeps.
    #[must_use]
    pub fn record(&self) -> Option<&RecordAnswered> {
        let Answered::Record(record) = &self.answered else { return None };
        Some(record)
    }

    /// The same, with the record's values as they are in memory; none where they are forgotten.
    #[must_use]
    pub fn with_record(&self, record: Option<Record>) -> Self {
        let mut outcome = self.clone();
        if let Answered::Record(answered) = &mut outcome.answered {
            answered.record = record;
        }
        outcome
    }
}
