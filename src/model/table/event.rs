//! What has happened in a table. Its stored form stands in `event_form.rs`.

use crate::model::id::{
    BatchId, ConstraintNumber, FieldNumber, HistoryId, MemberId, Sequence, TagId, TagNumber,
    Timestamp, Version,
};
use crate::model::key::Key;
use crate::model::moment::Mark;
use crate::model::retry::OutcomeChange;
use crate::model::schema::Schema;
use crate::model::schema::change::SchemaChange;
use crate::model::schema::field::Field;
use crate::model::schema::option::Choice;
use crate::model::table::record::Record;
use crate::model::table::source::Guard;
use crate::model::table::streams::{StreamKey, StreamState};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use uuid::Uuid;

/// When, by whom, for which source system, in which request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stamp {
    pub at: Timestamp,
    pub actor: MemberId,
    pub origin: Arc<str>,
    pub batch: BatchId,
}

impl Stamp {
    /// The server itself: no member asked for it.
    #[must_use]
    pub fn of_server(at: Timestamp) -> Self {
        let (actor, batch) = (MemberId(Uuid::nil()), BatchId(Uuid::nil()));
        Self { at, actor, origin: SERVER.into(), batch }
    }
}

/// The origin of what no member asked for.
pub const SERVER: &str = "upsertd";

/// What a change did to a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChangeKind {
    Created,
    Updated,
    Archived,
    Unarchived,
}

/// Why a record changed that nobody addressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// Another record took the identifier of this archived one.
    IdentifierOverwritten,
}

/// A tag that a record's write made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tag {
    pub field: FieldNumber,
    pub number: TagNumber,
    pub id: TagId,
    /// As first written.
    pub name: Box<str>,
}

/// A place in a unique index.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Claim {
    pub on: ClaimOn,
    pub key: Key,
}

/// What a live record has for itself: which index a claim is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ClaimOn {
    /// The value of a field.
    Field(FieldNumber),
    /// The values of several fields together.
    Constraint(ConstraintNumber),
}

impl From<FieldNumber> for ClaimOn {
    fn from(field: FieldNumber) -> Self {
        Self::Field(field)
    }
}

impl From<ConstraintNumber> for ClaimOn {
    fn from(constraint: ConstraintNumber) -> Self {
        Self::Constraint(constraint)
    }
}

/// What a change takes and frees in the unique indexes. Not stored: it follows from the records.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeyMoves {
    /// The record's own key is one it did not hold before.
    pub key_is_new: bool,
    /// The key it held, unless another record takes that in the same commit.
    pub freed: Option<Key>,
    /// In the indexes of further unique fields and of constraints.
    pub claims: Vec<Claim>,
    pub frees: Vec<Claim>,
}

/// One change of one record: its whole new body.
#[derive(Clone, Debug, PartialEq)]
pub struct RecordChange {
    pub mark: Mark,
    pub kind: ChangeKind,
    pub record: Record,
    /// The sequence of the same record's previous change; 0 on creation.
    pub previous: Sequence,
    pub stamp: Stamp,
    /// Fields whose value is another one now, in rising order.
    pub changed: Vec<FieldNumber>,
    pub reason: Option<Reason>,
    pub new_tags: Vec<Tag>,
    pub moves: KeyMoves,
}

/// A newer version of a source, where nothing else of the record has changed.
#[derive(Clone, Debug, PartialEq)]
pub struct SourceKept {
    pub mark: Mark,
    pub stamp: Stamp,
    /// The same version and sequence, another body.
    pub record: Record,
    pub guard: Guard,
}

/// How far a stream of rows has come.
#[derive(Clone, Debug, PartialEq)]
pub struct StreamMoved {
    pub mark: Mark,
    pub stamp: Stamp,
    pub stream: Arc<StreamKey>,
    /// None: it is forgotten.
    pub after: Option<Arc<StreamState>>,
}

/// A record without its values: they and its history are forgotten.
#[derive(Clone, Debug, PartialEq)]
pub struct Purge {
    pub mark: Mark,
    /// What it was. In memory only, but for its version and its last sequence.
    pub old: Record,
    pub sequence: Sequence,
    pub stamp: Stamp,
    /// Of the identifier it held, if it held one.
    pub key_hash: Option<KeyHash>,
    /// Tells the agenda to forget the record too.
    pub follow_up: FollowUpNumber,
}

impl Purge {
    /// The version that nothing shows any more: one more than the last.
    #[must_use]
    pub fn version(&self) -> Version {
        self.old.version().next()
    }
}

/// A hash of an identifier's normal form, keyed with the log's secret: it proves to whoever has the
/// log that a certain identifier was held, and tells nobody which one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyHash(pub u128);

/// The number of a follow-up in the state that sends it: 1, 2, 3 …
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct FollowUpNumber(pub u64);

/// Everything that can happen in a table.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// Always the first, with sequence 1.
    ObjectCreated {
        stamp: Stamp,
        sequence: Sequence,
        history: HistoryId,
        schema: Arc<Schema>,
    },
    FieldCreated {
        stamp: Stamp,
        sequence: Sequence,
        field: Arc<Field>,
    },
    OptionCreated {
        stamp: Stamp,
        sequence: Sequence,
        field: FieldNumber,
        option: Choice,
    },
    /// Any other change of the schema.
    SchemaChanged {
        stamp: Stamp,
        sequence: Sequence,
        change: Box<SchemaChange>,
    },
    Record(RecordChange),
    /// The explicit team of a record: the same version and sequence, another body.
    TeamChanged {
        mark: Mark,
        stamp: Stamp,
        record: Record,
    },
    SourceKept(SourceKept),
    Purged(Purge),
    /// The receiver has this follow-up and all before it.
    FollowUpConfirmed {
        stamp: Stamp,
        number: FollowUpNumber,
    },
    /// What is kept of commands that may be sent again.
    Outcome {
        mark: Mark,
        stamp: Stamp,
        change: OutcomeChange,
    },
    StreamMoved(StreamMoved),
}

impl Event {
    #[must_use]
    pub fn stamp(&self) -> &Stamp {
        match self {
            Self::ObjectCreated { stamp, .. }
            | Self::FieldCreated { stamp, .. }
            | Self::OptionCreated { stamp, .. }
            | Self::SchemaChanged { stamp, .. }
            | Self::TeamChanged { stamp, .. }
            | Self::FollowUpConfirmed { stamp, .. }
            | Self::Outcome { stamp, .. } => stamp,
            Self::Record(change) => &change.stamp,
            Self::SourceKept(kept) => &kept.stamp,
            Self::StreamMoved(moved) => &moved.stamp,
            Self::Purged(purge) => &purge.stamp,
        }
    }

    #[must_use]
    pub fn sequence(&self) -> Option<Sequence> {
        match self {
            Self::ObjectCreated { sequence, .. }
            | Self::FieldCreated { sequence, .. }
            | Self::OptionCreated { sequence, .. }
            | Self::SchemaChanged { sequence, .. } => Some(*sequence),
            Self::Record(change) => Some(change.record.sequence()),
            Self::Purged(purge) => Some(purge.sequence),
            Self::TeamChanged { .. }
            | Self::SourceKept(_)
            | Self::FollowUpConfirmed { .. }
            | Self::Outcome { .. }
            | Self::StreamMoved(_) => None,
        }
    }
}
