//! Changing a live record: PATCH, PUT, and the update branch of an upsert.

use crate::model::schema::field::Field;
use crate::model::table::command::{
    Action, ArchivedConflict, Outcome, Reply, Update, Write, Writes,
};
use crate::model::table::decide::commit::Commit;
use crate::model::table::decide::plan::Plan;
use crate::model::table::decide::upsert::{check_identifier, displace, finish};
use crate::model::table::decide::{ConflictParameter, Rejection, Taken, admit, live};
use crate::model::table::event::ChangeKind;
use crate::model::table::record::Record;
use crate::model::value;

/// What a live record is to become.
pub(super) struct Change<'a> {
    pub(super) writes: &'a Writes,
    pub(super) archived_conflict: ArchivedConflict,
    pub(super) parameter: ConflictParameter,
    pub(super) replace: bool,
}

pub(super) fn update(commit: &mut Commit<'_>, update: &Update) -> Result<Reply, Rejection> {
    // An unknown record answers before anything about the request's fields.
    let record = live(commit.view, update.id)?;
    admit(commit, &update.writes)?;
    let change = Change {
        writes: &update.writes,
        archived_conflict: update.archived_conflict,
        parameter: ConflictParameter::ArchivedConflict,
        replace: update.replace,
    };
    change_live(commit, &record, &change)
}

/// Applies writes to a live record; one that changes nothing yields no event.
pub(super) fn change_live(
    commit: &mut Commit<'_>,
    record: &Record,
    change: &Change<'_>,
) -> Result<Reply, Rejection> {
    let completed = change.replace.then(|| with_clears(commit, change.writes));
    let mut plan = Plan::new(commit, Some(record), completed.as_ref().unwrap_or(change.writes));
    plan.end_of_values()?;
    let mut taken = Taken::default();
    let mode = (change.archived_conflict, change.parameter);
    let displaced = check_identifier(commit, &plan, record, mode, &mut taken);
    plan.check_unique(commit, Some(record), &mut taken);
    if !taken.is_empty() {
        return Err(Rejection::Taken(taken));
    }
    if !plan.changes() {
        let outcome = Outcome {
            action: Action::Updated,
            record: record.clone(),
            filled: Vec::new(),
            changed: Vec::new(),
        };
        return Ok(Reply::Record(outcome));
    }
    plan.fill_owner(commit);
    if let Some(displaced) = displaced {
        displace(commit, &displaced)?;
    }
    finish(commit, plan, Some(record), ChangeKind::Updated)
}

/// The writes, and a clear of every writable field that they do not mention.
fn with_clears(commit: &Commit<'_>, writes: &Writes) -> Writes {
    let mut completed = writes.clone();
    let schema = &commit.schema;
    let is_cleared = |field: &Field| {
        !field.is_computed()
            && !field.is_mirror()
            && !field.is_read_only
            && !field.is_required
            && field.number != schema.identifier().number
    };
    for field in schema.fields().iter().filter(|field| is_cleared(field)) {
        if !writes.entries.iter().any(|write| write.field == field.number) {
            let change = value::Change::Clear;
            completed.entries.push(Write { index: u32::MAX, field: field.number, change });
        }
    }
    completed
}
