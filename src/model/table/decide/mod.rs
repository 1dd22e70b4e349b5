//! Decides which events follow on a command, without changing anything.
//!
//! Everything the answer depends on is an argument: the table and its drafts, the command, the
//! moment. The stages and their order are those of the API: the first that fails answers, and
//! inside a stage all faults are reported.

mod archive;
mod atomic;
mod commit;
mod guard;
pub(crate) mod keys;
mod matching;
mod pipeline;
mod plan;
mod precondition;
mod relate;
mod schema;
mod sets;
mod survey;
pub(crate) mod together;
mod trial;
mod update;
mod upsert;

use crate::model::id::{FieldNumber, RecordId};
use crate::model::moment::Moment;
use crate::model::schema::fault::SchemaFault;
use crate::model::schema::field::Field;
use crate::model::table::command::{Ask, Caller, Command, EntryIndex, RecordFault, Reply, Writes};
use crate::model::table::decide::commit::Commit;
use crate::model::table::decide::together::TakenTogether;
use crate::model::table::draft::View;
use crate::model::table::event::Event;
use crate::model::table::intent::MatchPart;
use crate::model::table::precondition::Precondition;
use crate::model::table::record::Record;
use crate::model::value::Value;
use std::sync::Arc;

/// Why nothing happens.
#[derive(Clone, Debug, PartialEq)]
pub enum Rejection {
    /// The command was parsed with another schema: parse it again.
    SchemaMoved,
    /// The record addressed is not there, or not live.
    NotFound,
    /// The caller may see what it asks about, but not do this.
    NoRight,
    /// The identifier of an upsert is that of a live record which the caller may not see.
    NoRightToIdentifier,
    /// The record is not as the command expects it; none where it expects one and there is none.
    PreconditionFailed { precondition: Precondition, found: Option<Record> },
    /// Only archived records are purged.
    NotArchived,
    /// Entries that name a field which nobody, or not the caller, may write.
    Forbidden(Vec<(EntryIndex, FieldNumber)>),
    /// As many members were put on the record one by one as may be.
    TeamFull { max: usize },
    /// Values of fields are at fault.
    Faults(Vec<RecordFault>),
    /// Another record is in the way.
    Taken(Taken),
    /// A limit of bytes.
    TooLarge { what: &'static str, bytes: usize, max: usize },
    /// A change of the schema is at fault.
    Schema(Vec<SchemaFault>),
    /// Live records break a rule that is to be switched on.
    Violated(Box<Violated>),
    /// A field, option or category addressed is not there.
    UnknownField,
    /// The object is in use.
    ArchiveBlocked(Blocked),
    /// The object was archived: nothing of it is there any more.
    ObjectArchived,
    /// So much would have been done that no more can be tried.
    TrialFull { max: usize },
    /// The key of a row was used for another one.
    KeyReused,
    /// An atomic batch of which rows fail: what would have become of each.
    Aborted(Vec<Result<(), Rejection>>),
}

/// The last stage: uniqueness and archive conflicts, all of them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Taken {
    pub faults: Vec<RecordFault>,
    /// Constraints that the request breaks.
    pub together: Vec<TakenTogether>,
    pub conflict: Option<Conflict>,
}

impl Taken {
    fn is_empty(&self) -> bool {
        self.faults.is_empty() && self.together.is_empty() && self.conflict.is_none()
    }
}

/// An archived record, or one that is to come back, is in the way.
#[derive(Clone, Debug, PartialEq)]
pub enum Conflict {
    ArchivedIdentifier {
        holder: Record,
        /// What it was found by: the identifier, or the values of a match key.
        parts: Vec<MatchPart>,
        parameter: ConflictParameter,
    },
    UniqueOnRestore {
        record: Record,
        clashes: Vec<Clash>,
    },
    /// The match keys mean several live records: each value of each key that means one.
    Identity(Vec<IdentityMatch>),
}

/// The live record that one match key means, and a value of that key.
#[derive(Clone, Debug, PartialEq)]
pub struct IdentityMatch {
    pub field: FieldNumber,
    pub value: Value,
    pub record: Record,
}

/// The request's parameter that decides about an archived holder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConflictParameter {
    OncreateUnarchive,
    Unarchive,
    OnupdateArchivedConflict,
    ArchivedConflict,
    /// The request has none: it must name another identifier.
    None,
}

/// A stored value that a live record has taken, or values that are unique together.
#[derive(Clone, Debug, PartialEq)]
pub struct Clash {
    /// In the order of the constraint.
    pub parts: Vec<(FieldNumber, Value)>,
    pub holder: RecordId,
}

/// What breaks a new rule, of that what the caller may see.
#[derive(Clone, Debug, PartialEq)]
pub struct Violated {
    pub rule: Rule,
    /// The field that the rule is of, or those of the constraint, as they are to be.
    pub fields: Vec<Arc<Field>>,
    /// Values that several records share, or records without a value.
    pub count: usize,
    /// The first of them.
    pub first: Vec<Violation>,
}

/// What keeps an object from being archived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blocked {
    LiveRecords,
    /// Fields that relate its records to those of another object.
    Relationships,
    /// A business has its contacts for ever.
    Contacts,
}

/// A rule that is surveyed when it is switched on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    Required,
    Unique,
    /// The values are unique already, alone or together with others, but not in this normal form.
    Normalizer,
    /// The values of these fields are unique together. Its place in the request's list.
    UniqueTogether(usize),
    /// Names match otherwise from now on. Archived records keep theirs, so they count too.
    IdentifierCase,
}

/// What is in the way, and the first records that have it.
#[derive(Clone, Debug, PartialEq)]
pub struct Violation {
    pub records: Vec<RecordId>,
    /// The value of each field as the first of them has it; none where it is missing.
    pub values: Vec<Value>,
}

/// Decides one command on a table and the drafts over it.
pub fn decide(
    view: View<'_>,
    command: Command,
    moment: &mut Moment,
    events: &mut Vec<Event>,
) -> Result<Reply, Rejection> {
    let Command { caller, ask } = command;
    decide_ask(view, (&caller, ask), moment, (events, &mut 0))
}

/// The same, in a commit that has so many bytes already.
fn decide_ask(
    view: View<'_>,
    (caller, ask): (&Caller, Ask),
    moment: &mut Moment,
    (events, bytes): (&mut Vec<Event>, &mut usize),
) -> Result<Reply, Rejection> {
    if let Ask::Atomic(atomic) = ask {
        return atomic::decide(view, (caller, atomic), moment, events);
    }
    if let Ask::Trial(rows) = ask {
        return Ok(trial::decide(view, (caller, *rows), moment, events));
    }
    if let Ask::Dry(ask) = ask {
        let first = events.len();
        let reply = decide_ask(view, (caller, *ask), moment, (&mut *events, bytes));
        events.truncate(first);
        return reply;
    }
    let mut commit = Commit::new(view, caller, moment, events);
    commit.bytes = *bytes;
    let decided = decide_single(&mut commit, ask);
    *bytes = commit.bytes;
    decided
}

fn decide_single(commit: &mut Commit<'_>, ask: Ask) -> Result<Reply, Rejection> {
    let is_receipt = matches!(ask, Ask::ConfirmFollowUp(_));
    // Whoever asks for more has found the object before it went.
    if commit.schema.object().archived_at.is_some() && !is_receipt {
        return Err(Rejection::ObjectArchived);
    }
    answer(commit, ask)
}

fn answer(commit: &mut Commit<'_>, ask: Ask) -> Result<Reply, Rejection> {
    match ask {
        Ask::Upsert(intent) => upsert::upsert(commit, &intent),
        Ask::Add(add) => upsert::add(commit, &add),
        Ask::Update(update) => update::update(commit, &update),
        Ask::Archive(id) => archive::archive(commit, id),
        Ask::Unarchive(unarchive) => archive::unarchive(commit, &unarchive),
        Ask::Move { id, stage } => pipeline::move_record(commit, id, stage),
        Ask::Purge(id) => archive::purge(commit, id),
        Ask::Team(edit) => archive::edit_team(commit, edit),
        Ask::CreateField(field) => schema::create_field(commit, &field),
        Ask::CreateOption { field, option } => schema::create_option(commit, field, &option),
        Ask::ChangeSchema(asked) => schema::change_schema(commit, &asked),
        Ask::ConfirmFollowUp(number) => Ok(schema::confirm_follow_up(commit, number)),
        Ask::OnlyIf(precondition, ask) => {
            commit.precondition = Some(precondition);
            answer(commit, *ask)
        }
        Ask::Atomic(_) | Ask::Trial(_) | Ask::Dry(_) => unreachable!("they are taken apart before"),
    }
}

/// The record addressed by id, if the caller may see it.
fn visible(commit: &Commit<'_>, id: RecordId) -> Result<Record, Rejection> {
    let found = commit.view.record(id);
    let found = found.filter(|record| commit.access.may_read(&commit.schema, record));
    found.ok_or(Rejection::NotFound)
}

/// The same, if it is live.
fn live(commit: &Commit<'_>, id: RecordId) -> Result<Record, Rejection> {
    let record = visible(commit, id)?;
    if record.is_archived() { Err(Rejection::NotFound) } else { Ok(record) }
}

/// Ends a command for which a right is missing.
fn require(may: bool) -> Result<(), Rejection> {
    if may { Ok(()) } else { Err(Rejection::NoRight) }
}

/// What is known of the writes before the branch: their schema.
fn admit(commit: &Commit<'_>, writes: &Writes) -> Result<(), Rejection> {
    if writes.schema == commit.schema.number() { Ok(()) } else { Err(Rejection::SchemaMoved) }
}

/// Whether the caller may write every field that it names: asked after the branch's own right.
fn check_fields(writes: &Writes) -> Result<(), Rejection> {
    if writes.forbidden.is_empty() {
        Ok(())
    } else {
        Err(Rejection::Forbidden(writes.forbidden.clone()))
    }
}
