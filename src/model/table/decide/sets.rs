//! Which of a request's sets of fields apply on a branch, and what an update leaves as it is.
//!
//! It must not know what a field's value becomes.

use crate::model::id::FieldNumber;
use crate::model::schema::field::Field;
use crate::model::table::command::{
    Action, EntryIndex, EntryKey, FaultKind, FieldSet, Outcome, Place, RecordFault, Reply, Writes,
};
use crate::model::table::decide::commit::Commit;
use crate::model::table::decide::keys::is_blank;
use crate::model::table::decide::plan::Plan;
use crate::model::table::record::Record;
use crate::model::value::Change;
use std::borrow::Cow;

/// The writes that apply where the set `branch` does, besides those that always do. What is wrong
/// with a value is told on every branch: the request is wrong, whatever becomes of it.
pub(super) fn applying(writes: &Writes, branch: FieldSet) -> Cow<'_, Writes> {
    let of_a_branch =
        |index: &EntryIndex| matches!(index.set, FieldSet::OnCreate | FieldSet::OnUpdate);
    let has_branches = writes.entries.iter().any(|write| of_a_branch(&write.index))
        || writes.forbidden.iter().any(|(index, _)| of_a_branch(index));
    if !has_branches {
        return Cow::Borrowed(writes);
    }
    let applies = |index: &EntryIndex| !of_a_branch(index) || index.set == branch;
    let mut applying = writes.clone();
    applying.entries.retain(|write| applies(&write.index));
    applying.forbidden.retain(|(index, _)| applies(index));
    note_duplicates(&mut applying, branch);
    Cow::Owned(applying)
}

/// A field has one value from the sets that apply; only `set_if_empty` may name one of `fields`.
fn note_duplicates(writes: &mut Writes, branch: FieldSet) {
    let entries = writes.entries.iter().map(|write| (write.index, write.field));
    let named: Vec<(EntryIndex, FieldNumber)> =
        entries.chain(writes.forbidden.iter().copied()).collect();
    let in_branch =
        |field| named.iter().find(|(index, named)| index.set == branch && *named == field).copied();
    for (index, field) in &named {
        let Some((of_branch, _)) = in_branch(*field) else { continue };
        let second = match index.set {
            FieldSet::Fields => of_branch,
            FieldSet::IfEmpty => *index,
            FieldSet::OnCreate | FieldSet::OnUpdate => continue,
        };
        let place = Place::Entry { index: second, field: *field, key: EntryKey::Naming };
        writes.faults.push(RecordFault { place, kind: FaultKind::DuplicateField });
    }
}

/// The answer where a record stays as it is.
pub(super) fn untouched(commit: &Commit<'_>, record: &Record, action: Action) -> Reply {
    Reply::Record(Outcome {
        action,
        record: record.clone(),
        filled: vec![commit.schema.identifier().number],
        changed: Vec::new(),
    })
}

impl Plan<'_> {
    /// Writes those of `set_if_empty` whose field has no value after the others.
    pub(super) fn fill_empty(&mut self, commit: &mut Commit<'_>, writes: &Writes) {
        for write in writes.entries.iter().filter(|write| write.index.set == FieldSet::IfEmpty) {
            let schema = commit.schema.clone();
            let field = schema.by_number(write.field);
            let field = field.expect("the schema is the one the writes were read with");
            let is_due = write.change != Change::Clear && !self.has_value(field);
            if is_due && !self.is_blamed(field.number) {
                self.entries.push((write.field, write.index));
                self.write(commit, write);
            }
        }
    }

    /// Whether a field reads as something. A checkbox of a record that is there always does.
    fn has_value(&self, field: &Field) -> bool {
        if field.field_type.is_checkbox() && !self.is_new {
            return true;
        }
        self.value(field.number)
            .is_some_and(|raw| !is_blank(field, raw, &self.members, &self.others))
    }
}
