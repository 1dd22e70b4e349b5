//! The naive table's rules for sets of fields: a request with several is one with a single one, once
//! it is known what becomes of the record.

use crate::model::id::FieldNumber;
use crate::model::table::command::{
    EntryIndex, EntryKey, FaultKind, FieldSet, Place, RecordFault, Write, Writes,
};
use crate::model::table::tests::naive::{Answer, Draft, Naive};
use crate::model::value::Change;

pub(super) fn forbidden(writes: &Writes) -> Option<Answer> {
    let forbidden = (!writes.forbidden.is_empty()).then(|| writes.forbidden.clone());
    forbidden.map(Answer::Forbidden)
}

/// What applies on a branch whatever the record has.
pub(super) fn on_branch(writes: &Writes, branch: FieldSet) -> Writes {
    let always = [FieldSet::Fields, branch];
    let sure = |write: &&Write| always.contains(&write.index.set);
    let all_but_empty = writes.entries.iter().filter(sure).cloned().collect();
    let applies =
        |index: &EntryIndex| always.contains(&index.set) || index.set == FieldSet::IfEmpty;
    let mut forbidden = writes.forbidden.clone();
    forbidden.retain(|(index, _)| applies(index));
    Writes { entries: all_but_empty, forbidden, ..writes.clone() }
}

impl Naive {
    /// The entries that apply, those of `set_if_empty` among them.
    pub(super) fn resolved(
        &self,
        at: Option<usize>,
        writes: &Writes,
        branch: FieldSet,
        has_lookup: bool,
    ) -> Writes {
        let mut resolved = on_branch(writes, branch);
        let draft = self.written(at, &resolved);
        let of_set = |set: FieldSet| -> Vec<(EntryIndex, FieldNumber)> {
            let good = writes.entries.iter().map(|write| (write.index, write.field));
            let all = good.chain(writes.forbidden.iter().copied());
            all.filter(|(index, _)| index.set == set).collect()
        };
        let names = |set, field| of_set(set).iter().any(|(_, named)| *named == field);
        let mut twice = Vec::new();
        if branch != FieldSet::Fields {
            let in_branch = of_set(branch).into_iter();
            twice.extend(in_branch.filter(|(_, field)| names(FieldSet::Fields, *field)));
            let if_empty = of_set(FieldSet::IfEmpty).into_iter();
            twice.extend(if_empty.filter(|(_, field)| names(branch, *field)));
        }
        resolved.faults.extend(twice.into_iter().map(|(index, field)| {
            let place = Place::Entry { index, field, key: EntryKey::Naming };
            RecordFault { place, kind: FaultKind::DuplicateField }
        }));
        let identifier = self.schema.identifier().number;
        for write in writes.entries.iter().filter(|write| write.index.set == FieldSet::IfEmpty) {
            let is_given = has_lookup && write.field == identifier;
            let is_blamed =
                Draft { faults: resolved.faults.clone(), ..Draft::default() }.blames(write.field);
            if !is_given && !is_blamed && self.is_empty(at, &draft, write) {
                resolved.entries.push(write.clone());
            }
        }
        resolved
    }

    fn is_empty(&self, at: Option<usize>, draft: &Draft, write: &Write) -> bool {
        let field = self.schema.by_number(write.field).expect("steps write known fields");
        let reads_false = at.is_some() && field.field_type.is_checkbox();
        let held = draft.values.get(&write.field);
        write.change != Change::Clear && !reads_false && held.is_none_or(|held| self.is_blank(held))
    }
}
