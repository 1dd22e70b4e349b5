//! What only pipelines have: stages that are made, changed and removed, records that move between
//! them, and the date on which a record was won.
//!
//! A change of a stage rewrites no record: one whose stage is won from now on has entered no stage,
//! so it gets no date of it, and keeps the one it has.

use crate::model::id::{OptionId, RecordId};
use crate::model::schema::change::SchemaChange;
use crate::model::schema::field::Field;
use crate::model::schema::option::{Choice, Standing};
use crate::model::schema::stage::NewStage;
use crate::model::schema::system;
use crate::model::table::command::{
    ArchivedConflict, EntryIndex, FaultKind, Place, RecordFault, Reply, Write, Writes,
};
use crate::model::table::decide::commit::{Commit, put_time};
use crate::model::table::decide::keys::options_left;
use crate::model::table::decide::plan::Plan;
use crate::model::table::decide::precondition::check_precondition;
use crate::model::table::decide::update::{Change, change_live};
use crate::model::table::decide::{ConflictParameter, Rejection, live};
use crate::model::value;
use crate::model::value::Value;
use crate::model::value::fault::ValueFault;
use std::sync::Arc;

pub(super) fn create_stage(commit: &mut Commit<'_>, new: &NewStage) -> Result<Reply, Rejection> {
    let field = stage_field(commit)?;
    let stage = (commit.schema.clone())
        .decide_stage(&field, new, &mut || commit.moment.id())
        .map_err(Rejection::Schema)?;
    commit.create_option(field.number, stage.clone())?;
    Ok(Reply::Option(stage))
}

pub(super) fn change_stage(
    commit: &mut Commit<'_>,
    id: OptionId,
    change: &NewStage,
) -> Result<Reply, Rejection> {
    let field = stage_field(commit)?;
    let held = field.options.by_id(id).ok_or(Rejection::UnknownField)?;
    let stage = field.decide_stage_change(held, change).map_err(Rejection::Schema)?;
    if stage != *held {
        let (field, option) = (field.number, stage.clone());
        commit.change_schema(SchemaChange::OptionChanged { field, option })?;
    }
    Ok(Reply::Option(stage))
}

/// Answers with the stage that records of the removed one are in.
pub(super) fn remove_stage(
    commit: &mut Commit<'_>,
    stage: Option<&str>,
    successor: Option<&str>,
) -> Result<Reply, Rejection> {
    let field = stage_field(commit)?;
    let (option, successor) =
        field.decide_stage_removal(stage, successor).map_err(Rejection::Schema)?;
    let removed = field.options.get(option).expect("what is removed is a stage");
    commit.change_schema(SchemaChange::removal(field.number, removed, Some(successor)))?;
    let successor = field.options.get(successor).expect("a successor is a stage");
    Ok(Reply::Option(successor.clone()))
}

fn stage_field(commit: &Commit<'_>) -> Result<Arc<Field>, Rejection> {
    commit.schema.stage().cloned().ok_or(Rejection::UnknownField)
}

/// A write of the stage alone.
pub(super) fn move_record(
    commit: &mut Commit<'_>,
    id: RecordId,
    stage: OptionId,
) -> Result<Reply, Rejection> {
    let record = live(commit, id)?;
    check_precondition(commit, Some(&record))?;
    let found = commit.schema.stage().and_then(|field| field.options.by_id(stage));
    let Some(stage) = found.map(|stage| stage.number) else {
        let kind = FaultKind::Value(ValueFault::DoesNotExist { what: "Stage" });
        return Err(Rejection::Faults(vec![RecordFault { place: Place::Stage, kind }]));
    };
    let change = value::Change::Set(Value::Choice(stage));
    let writes = Writes {
        schema: commit.schema.number(),
        entries: vec![Write { index: EntryIndex::default(), field: system::STAGE, change }],
        ..Writes::default()
    };
    let change = Change {
        writes: &writes,
        archived_conflict: ArchivedConflict::Refuse,
        parameter: ConflictParameter::None,
        reports_unchanged: false,
    };
    change_live(commit, &record, &change)
}

impl Plan<'_> {
    /// A new record of a pipeline is in the first stage, unless the request says otherwise.
    pub(super) fn fill_stage(&mut self, commit: &Commit<'_>) {
        let Some(field) = commit.schema.stage() else { return };
        if self.mentions(field.number) {
            return;
        }
        let first = field.options.first().expect("a pipeline has one stage at least");
        self.set(field.number, &Value::Choice(first.number));
    }

    /// A record that enters a stage that is won was closed now; one that leaves for another stage is
    /// open again. From one won stage to the next it stays closed.
    pub(super) fn settle_close_date(&mut self, commit: &Commit<'_>) {
        let Some(field) = commit.schema.stage() else { return };
        let before = self.old.get(field.number).and_then(|raw| stage_of(field, raw));
        let after = self.value(field.number).and_then(|raw| stage_of(field, raw));
        if before.map(|stage| stage.number) == after.map(|stage| stage.number) {
            return;
        }
        let is_won = |stage: &Choice| stage.status == Some(Standing::Won);
        let date = system::ACTUAL_CLOSE_DATE;
        if !after.is_some_and(is_won) {
            self.edits.clear(date);
        } else if !before.is_some_and(is_won) || self.old.get(date).is_none() {
            let at = commit.at();
            self.edits.set(date, |out| put_time(at, out));
        }
    }
}

/// The stage that a stored value means now.
fn stage_of<'f>(field: &'f Field, raw: &[u8]) -> Option<&'f Choice> {
    let left = options_left(field, raw).expect("a stage is an option");
    field.options.get(*left.first()?)
}
