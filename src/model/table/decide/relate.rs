//! Related records that belong to one record alone: the last write has them.

use crate::model::id::FieldNumber;
use crate::model::table::body::Edits;
use crate::model::table::decide::commit::{Commit, RecordEdit};
use crate::model::table::decide::plan::Plan;
use crate::model::table::decide::{Rejection, require};
use crate::model::table::event::{ChangeKind, Event};
use crate::model::table::record::Record;

/// A record that loses what others are to have.
struct Loser {
    record: Record,
    fields: Vec<FieldNumber>,
}

/// Takes what the plan writes away from whoever has it. That changes another record, seen or not:
/// the caller must be one who may.
pub(super) fn take_over(
    commit: &mut Commit<'_>,
    plan: &Plan<'_>,
    own: Option<&Record>,
) -> Result<(), Rejection> {
    let schema = commit.schema.clone();
    let mut losers: Vec<Loser> = Vec::new();
    for field in schema.owning_fields().filter(|field| field.is_exclusive()) {
        if plan.edits.get(field.number).is_none() {
            continue;
        }
        let Some(holder) = plan.other_claimant(commit, field, own) else { continue };
        require(commit.access.may_edit(&commit.schema, &holder))?;
        match losers.iter_mut().find(|loser| loser.record.id() == holder.id()) {
            Some(loser) => loser.fields.push(field.number),
            None => losers.push(Loser { record: holder, fields: vec![field.number] }),
        }
    }
    for Loser { record, fields } in losers {
        let mut edits = Edits::default();
        for field in fields {
            edits.clear(field);
        }
        let change = commit.put(RecordEdit {
            kind: ChangeKind::Updated,
            old: Some(&record),
            edits,
            new_tags: Vec::new(),
            reason: None,
        })?;
        commit.push(Event::Record(change));
    }
    Ok(())
}

/// What a record that comes back had, and a live one has taken meanwhile, stays with that one.
pub(super) fn give_up(commit: &Commit<'_>, plan: &mut Plan<'_>, own: &Record) {
    let schema = commit.schema.clone();
    for field in schema.owning_fields().filter(|field| field.is_exclusive()) {
        if plan.edits.get(field.number).is_none()
            && plan.other_claimant(commit, field, Some(own)).is_some()
        {
            plan.edits.clear(field.number);
        }
    }
}
