//! What may be asked of a table, and what it answers.
//!
//! A command is parsed against a schema by whoever takes the request; it carries that schema's
//! number, so that the writer hands back what was parsed against an older one.

use crate::model::access::Rights;
use crate::model::catalog::member::Members;
use crate::model::id::{
    BatchId, FieldNumber, MemberId, OptionId, RecordId, SchemaNumber, Timestamp,
};
use crate::model::key::Key;
use crate::model::retry::{Retry, StoredOutcome};
use crate::model::schema::field::Field;
use crate::model::schema::new_field::{NewField, NewOption};
use crate::model::schema::object::Category;
use crate::model::schema::option::Choice;
use crate::model::table::decide::Rejection;
use crate::model::table::event::{FollowUpNumber, Stamp, Tag};
use crate::model::table::intent::Intent;
use crate::model::table::others::Others;
use crate::model::table::precondition::Precondition;
use crate::model::table::record::Record;
use crate::model::table::schema_command::SchemaAsk;
use crate::model::table::streams::{RowEnds, StreamKey};
use crate::model::table::trial::Trial;
use crate::model::value::Change;
use crate::model::value::fault::ValueFault;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Who asks, in which request.
#[derive(Clone, Debug)]
pub struct Caller {
    pub member: MemberId,
    /// The members of the business as of the request: for owners that are gone.
    pub members: Arc<Members>,
    /// What the member may do, as of the request.
    pub rights: Arc<Rights>,
    /// The tables that relationship fields lead to.
    pub others: Others,
    pub origin: Arc<str>,
    pub batch: BatchId,
    /// Of a request that may be sent again, at the one of its commands that decides.
    pub retry: Option<Arc<Retry>>,
}

impl Caller {
    /// What the events of this caller's command carry.
    #[must_use]
    pub fn stamp(&self, at: Timestamp) -> Stamp {
        Stamp { at, actor: self.member, origin: self.origin.clone(), batch: self.batch }
    }

    /// The retry, with the stamp that its outcome carries.
    #[must_use]
    pub fn stamped_retry(&self, at: Timestamp) -> Option<(Arc<Retry>, Stamp)> {
        self.retry.as_ref().map(|retry| (retry.clone(), self.stamp(at)))
    }
}

/// One command and who asks for it.
#[derive(Debug)]
pub struct Command {
    pub caller: Caller,
    pub ask: Ask,
}

impl Command {
    /// Whether it is decided on plain state.
    #[must_use]
    pub fn is_schema_change(&self) -> bool {
        self.ask.is_schema_change()
    }
}

/// What is asked.
#[derive(Debug)]
pub enum Ask {
    Upsert(Box<Intent>),
    Add(Box<Add>),
    Update(Box<Update>),
    Archive(RecordId),
    Unarchive(Unarchive),
    /// Moves a pipeline's record to the stage of this id.
    Move {
        id: RecordId,
        stage: OptionId,
    },
    Purge(RecordId),
    Team(TeamEdit),
    CreateField(Box<NewField>),
    CreateOption {
        field: FieldNumber,
        option: NewOption,
    },
    ChangeSchema(SchemaAsk),
    /// A write of a record that is addressed by its id, if that is as it must be. An upsert has it
    /// in its intent.
    OnlyIf(Precondition, Box<Ask>),
    /// Answers what would be answered, and does nothing.
    Dry(Box<Ask>),
    ConfirmFollowUp(FollowUpNumber),
    Atomic(Atomic),
    /// Answers what each row would be answered, one behind the other, and does nothing.
    Trial(Box<TrialRows>),
    Streamed(Box<Streamed>),
    EndStream(Box<StreamEnd>),
    /// Forgets a stream; with a time, unless it was used since.
    ForgetStream {
        stream: Arc<StreamKey>,
        unused_since: Option<Timestamp>,
    },
}

/// A row of a stream that can be resumed.
#[derive(Debug)]
pub struct Streamed {
    pub stream: Arc<StreamKey>,
    pub offset: u64,
    pub ask: Ask,
}

/// The end of a request of such a stream.
#[derive(Debug)]
pub struct StreamEnd {
    pub stream: Arc<StreamKey>,
    pub next_offset: u64,
    /// What became of the rows of the request that are done.
    pub ends: RowEnds,
}

/// Rows that are only answered.
#[derive(Debug)]
pub struct TrialRows {
    /// What rows before them would have done.
    pub trial: Trial,
    pub rows: Vec<Ask>,
}

/// Rows that are decided one behind the other and stored together, or none of them.
#[derive(Debug)]
pub struct Atomic {
    pub rows: Vec<AtomicRow>,
    /// Nothing is to come of them: one that stood among them could not be read. They are decided all
    /// the same, to tell of each what is wrong with it.
    pub is_doomed: bool,
}

/// One of them.
#[derive(Debug)]
pub struct AtomicRow {
    pub ask: Ask,
    /// Of a row that may be sent again.
    pub retry: Option<Arc<Retry>>,
}

impl Ask {
    /// How many decisions it stands for.
    #[must_use]
    pub fn rows(&self) -> usize {
        match self {
            Self::Atomic(atomic) => atomic.rows.len(),
            Self::Trial(trial) => trial.rows.len(),
            Self::Dry(ask) | Self::OnlyIf(_, ask) => ask.rows(),
            Self::Streamed(streamed) => streamed.ask.rows(),
            Self::Upsert(_)
            | Self::Add(_)
            | Self::Update(_)
            | Self::Archive(_)
            | Self::Unarchive(_)
            | Self::Move { .. }
            | Self::Purge(_)
            | Self::Team(_)
            | Self::CreateField(_)
            | Self::CreateOption { .. }
            | Self::ChangeSchema(_)
            | Self::ConfirmFollowUp(_)
            | Self::EndStream(_)
            | Self::ForgetStream { .. } => 1,
        }
    }

    fn is_schema_change(&self) -> bool {
        match self {
            Self::CreateField(_) | Self::CreateOption { .. } | Self::ChangeSchema(_) => true,
            Self::Dry(ask) | Self::OnlyIf(_, ask) => ask.is_schema_change(),
            Self::Streamed(streamed) => streamed.ask.is_schema_change(),
            Self::Upsert(_)
            | Self::Add(_)
            | Self::Update(_)
            | Self::Archive(_)
            | Self::Unarchive(_)
            | Self::Move { .. }
            | Self::Purge(_)
            | Self::Team(_)
            | Self::ConfirmFollowUp(_)
            | Self::Atomic(_)
            | Self::Trial(_)
            | Self::EndStream(_)
            | Self::ForgetStream { .. } => false,
        }
    }

    /// The same, if the record is as it must be.
    #[must_use]
    pub fn only_if(self, precondition: Option<Precondition>) -> Self {
        match precondition {
            Some(precondition) => Self::OnlyIf(precondition, Box::new(self)),
            None => self,
        }
    }

    /// The writes of a record, if it is one.
    pub fn writes_mut(&mut self) -> Option<&mut Writes> {
        match self {
            Self::Upsert(intent) => Some(&mut intent.writes),
            Self::Add(add) => Some(&mut add.writes),
            Self::Update(update) => Some(&mut update.writes),
            Self::Dry(ask) | Self::OnlyIf(_, ask) => ask.writes_mut(),
            Self::Streamed(streamed) => streamed.ask.writes_mut(),
            Self::Archive(_)
            | Self::Move { .. }
            | Self::Unarchive(_)
            | Self::Purge(_)
            | Self::Team(_)
            | Self::CreateField(_)
            | Self::CreateOption { .. }
            | Self::ChangeSchema(_)
            | Self::ConfirmFollowUp(_)
            | Self::Atomic(_)
            | Self::Trial(_)
            | Self::EndStream(_)
            | Self::ForgetStream { .. } => None,
        }
    }
}

/// The request's sets of fields, read as far as the schema alone allows.
#[derive(Clone, Debug, Default)]
pub struct Writes {
    /// The schema they were read with.
    pub schema: SchemaNumber,
    pub entries: Vec<Write>,
    /// What is wrong with entries, in their order.
    pub faults: Vec<RecordFault>,
    /// Entries that name a field which nobody, or not the caller, may write.
    pub forbidden: Vec<(EntryIndex, FieldNumber)>,
}

/// One good entry.
#[derive(Clone, Debug)]
pub struct Write {
    /// Its place in the request.
    pub index: EntryIndex,
    pub field: FieldNumber,
    pub change: Change,
}

/// A set of fields of a request: when they are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum FieldSet {
    /// Always.
    #[default]
    Fields,
    /// On a record that is created.
    OnCreate,
    /// On a record that is updated or restored.
    OnUpdate,
    /// Where the field has no value after the others.
    IfEmpty,
}

impl FieldSet {
    /// Whether a set of fields is written where this was done. Whether a field is empty is asked
    /// besides.
    #[must_use]
    pub fn applies(self, action: Action) -> bool {
        match self {
            Self::Fields | Self::IfEmpty => action.has_written(),
            Self::OnCreate => action == Action::Created,
            Self::OnUpdate => matches!(action, Action::Updated | Action::Unarchived),
        }
    }

    /// Whether a field of the set was written where this was done and these fields have changed.
    #[must_use]
    pub fn has_written(self, field: FieldNumber, action: Action, changed: &[FieldNumber]) -> bool {
        let is_due = self != Self::IfEmpty || changed.contains(&field);
        is_due && self.applies(action)
    }
}

/// Where in a request an entry stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct EntryIndex {
    pub set: FieldSet,
    pub at: u32,
}

impl EntryIndex {
    /// An entry of `fields`.
    #[must_use]
    pub const fn of_fields(at: u32) -> Self {
        Self { set: FieldSet::Fields, at }
    }
}

/// What becomes of an archived record that holds the identifier to be created.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ArchivedMatch {
    #[default]
    Prompt,
    Unarchive,
    Overwrite,
    /// It is left alone, and nothing is created.
    Skip,
}

/// What becomes of an archived record that holds the identifier a live one is to take.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ArchivedConflict {
    #[default]
    Refuse,
    Overwrite,
}

/// What a restored record does with a unique value that a live one has taken meanwhile.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RestoreConflict {
    #[default]
    Refuse,
    Clear,
}

/// A value of the identifier: as given but for its trimmed ends, and its normal form.
#[derive(Clone, Debug)]
pub struct Identifier {
    pub text: Box<str>,
    pub key: Key,
    /// Why no record can be created under it.
    pub fault: Option<ValueFault>,
}

#[derive(Clone, Debug)]
pub struct Add {
    pub writes: Writes,
    pub archived_match: ArchivedMatch,
    pub restore_conflict: RestoreConflict,
}

#[derive(Clone, Debug)]
pub struct Update {
    pub id: RecordId,
    pub writes: Writes,
    pub archived_conflict: ArchivedConflict,
    pub extent: Extent,
}

/// Which fields an update changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// Those that are mentioned.
    Mentioned,
    /// Every writable one: what is not mentioned is cleared, but the identifier and required ones.
    All,
    /// Those that are mentioned and have no value.
    Blank,
}

#[derive(Clone, Debug)]
pub struct Unarchive {
    pub id: RecordId,
    /// Restores it under another identifier.
    pub identifier: Option<Identifier>,
    pub restore_conflict: RestoreConflict,
}

/// Adds an explicit member to a record's team, or takes one off.
#[derive(Clone, Copy, Debug)]
pub struct TeamEdit {
    pub id: RecordId,
    pub member: MemberId,
    pub present: bool,
}

/// What was done. The names are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    Created,
    Updated,
    Unarchived,
    Archived,
    /// The record is what it was to become.
    Unchanged,
    /// There is one, so none was created.
    Exists,
    /// Its source has said something newer before.
    Stale,
    /// An archived one was left alone.
    SkippedArchived,
}

impl Action {
    /// Whether a live record is what the request has made of it.
    #[must_use]
    pub fn has_written(self) -> bool {
        match self {
            Self::Created | Self::Updated | Self::Unarchived => true,
            Self::Archived
            | Self::Unchanged
            | Self::Exists
            | Self::Stale
            | Self::SkippedArchived => false,
        }
    }
}

/// The answer to a command that was not refused.
#[derive(Clone, Debug)]
pub enum Reply {
    Record(Outcome),
    /// No live record is meant by an upsert that only changes one.
    NoMatch,
    /// Archived, purged, put on or taken off a team, confirmed: nothing to show.
    Done,
    Field(Arc<Field>),
    Option(Choice),
    Category(Category),
    /// Of each row of an atomic batch.
    Rows(Vec<Reply>),
    /// Of a row of it that was carried out before: what came of it then.
    Repeated(Arc<StoredOutcome>),
    /// Of a row of a stream that was done before.
    AlreadyApplied,
    /// Of rows that are only answered.
    Tried(Box<Tried>),
}

/// What rows would have come to.
#[derive(Clone, Debug)]
pub struct Tried {
    /// With what they would have done.
    pub trial: Trial,
    pub rows: Vec<Result<Reply, Rejection>>,
}

/// A record after a command.
#[derive(Clone, Debug)]
pub struct Outcome {
    pub action: Action,
    pub record: Record,
    /// Fields that got a value without being named by the request.
    pub filled: Vec<FieldNumber>,
    /// Fields whose value is another one now, in rising order; of a new record those that the
    /// request gave.
    pub changed: Vec<FieldNumber>,
    /// Tags that the write has made: of a dry run nobody else knows them.
    pub new_tags: Vec<Tag>,
}

impl Outcome {
    /// A record of which nothing else is to be told.
    #[must_use]
    pub fn of(action: Action, record: Record) -> Self {
        let (filled, changed, new_tags) = (Vec::new(), Vec::new(), Vec::new());
        Self { action, record, filled, changed, new_tags }
    }
}

/// Where a fault of a record's write is.
#[derive(Clone, Debug, PartialEq)]
pub enum Place {
    /// An entry of `fields` that names a field of the schema.
    Entry { index: EntryIndex, field: FieldNumber, key: EntryKey },
    /// An entry of `fields` that names none, by what it gives.
    Unresolved { index: EntryIndex, given: Box<str>, key: EntryKey },
    /// A field that the request does not name.
    Field(FieldNumber),
    /// The body key `lookup_value`.
    LookupValue,
    /// The value of this field among `match_values`.
    MatchValue(FieldNumber),
    /// The body key `source_version`.
    SourceVersion,
    /// The body key `identifier`.
    Identifier,
    /// The body key `stage_id`.
    Stage,
}

/// The key of an entry that is at fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntryKey {
    Id,
    Name,
    Value,
    AddValues,
    RemoveValues,
    /// Whichever of `id` and `name` names the field.
    Naming,
}

/// One thing that is wrong with a record's write.
#[derive(Clone, Debug, PartialEq)]
pub struct RecordFault {
    pub place: Place,
    pub kind: FaultKind,
}

#[derive(Clone, Debug, PartialEq)]
pub enum FaultKind {
    Value(ValueFault),
    /// The same field is named twice.
    DuplicateField,
    /// A live record has this value.
    Unique {
        holder: RecordId,
    },
}
