//! Changing a live record: PATCH, PUT, and the update branch of an upsert.

use crate::model::schema::field::Field;
use crate::model::table::command::{
    Action, ArchivedConflict, Caller, EntryIndex, Extent, FieldSet, Outcome, Reply, Update, Write,
    Writes,
};
use crate::model::table::decide::commit::Commit;
use crate::model::table::decide::guard::keep;
use crate::model::table::decide::keys::is_blank;
use crate::model::table::decide::plan::Plan;
use crate::model::table::decide::precondition::check_precondition;
use crate::model::table::decide::sets::{applying, untouched};
use crate::model::table::decide::upsert::{check_identifier, displace, finish};
use crate::model::table::decide::{
    ConflictParameter, Rejection, Taken, admit, check_fields, live, require,
};
use crate::model::table::event::ChangeKind;
use crate::model::table::record::Record;
use crate::model::value;

/// What a live record is to become.
pub(super) struct Change<'a> {
    pub(super) writes: &'a Writes,
    pub(super) archived_conflict: ArchivedConflict,
    pub(super) parameter: ConflictParameter,
    /// What the answer says where nothing changes.
    pub(super) reports_unchanged: bool,
}

pub(super) fn update(commit: &mut Commit<'_>, update: &Update) -> Result<Reply, Rejection> {
    // An unknown record answers before anything about the request's fields.
    let record = live(commit, update.id)?;
    admit(commit, &update.writes)?;
    check_precondition(commit, Some(&record))?;
    let reached = match update.extent {
        Extent::Mentioned => None,
        Extent::All => Some(with_clears(commit, &update.writes)),
        Extent::Blank => Some(of_blanks(commit, &record, &update.writes)),
    };
    let change = Change {
        writes: reached.as_ref().unwrap_or(&update.writes),
        archived_conflict: update.archived_conflict,
        parameter: ConflictParameter::ArchivedConflict,
        reports_unchanged: false,
    };
    change_live(commit, &record, &change)
}

/// Applies writes to a live record; one that changes nothing yields no event.
pub(super) fn change_live(
    commit: &mut Commit<'_>,
    record: &Record,
    change: &Change<'_>,
) -> Result<Reply, Rejection> {
    require(commit.access.may_edit(&commit.schema, record))?;
    let writes = applying(change.writes, FieldSet::OnUpdate);
    check_fields(&writes)?;
    let mut plan = Plan::new(commit, Some(record), &writes);
    plan.fill_empty(commit, &writes);
    plan.end_of_values()?;
    let mut taken = Taken::default();
    let mode = (change.archived_conflict, change.parameter);
    let displaced = check_identifier(commit, &plan, record, mode, &mut taken)?;
    plan.check_unique(commit, Some(record), &mut taken);
    if !taken.is_empty() {
        return Err(Rejection::Taken(taken));
    }
    if !plan.changes() {
        let record = keep(commit, record)?;
        if change.reports_unchanged {
            return Ok(untouched(commit, &record, Action::Unchanged));
        }
        return Ok(Reply::Record(Outcome::of(Action::Updated, record)));
    }
    plan.fill_owner(commit);
    if let Some(displaced) = displaced {
        displace(commit, &displaced)?;
    }
    finish(commit, plan, Some(record), ChangeKind::Updated)
}

/// The writes to fields in which a record has no value. A checkbox always has one.
fn of_blanks(commit: &Commit<'_>, record: &Record, writes: &Writes) -> Writes {
    let mut kept = writes.clone();
    kept.entries.retain(|write| {
        let field = commit.schema.by_number(write.field);
        let field = field.expect("the schema is the one the writes were read with");
        let Caller { members, others, .. } = commit.caller;
        let has_value = |raw| !is_blank(field, raw, members, others);
        !field.field_type.is_checkbox() && !record.value(field.number).is_some_and(has_value)
    });
    kept
}

/// The writes, and a clear of every writable field that they do not mention.
fn with_clears(commit: &Commit<'_>, writes: &Writes) -> Writes {
    let mut completed = writes.clone();
    let schema = &commit.schema;
    let rights = commit.access.fields(schema);
    let is_cleared = |field: &Field| {
        !field.is_computed()
            && !field.is_mirror()
            && !field.is_read_only
            && !field.is_required
            && rights.may_write(field.number)
            && field.number != schema.identifier().number
    };
    for field in schema.fields().iter().filter(|field| is_cleared(field)) {
        if !writes.entries.iter().any(|write| write.field == field.number) {
            let (index, change) = (EntryIndex::of_fields(u32::MAX), value::Change::Clear);
            completed.entries.push(Write { index, field: field.number, change });
        }
    }
    completed
}
