//! The naive table's rules for one record's values: what entries make of them, what is missing, who
//! is in the way.

use crate::model::id::{FieldNumber, MemberId, RecordId};
use crate::model::key::{Key, tag_key};
use crate::model::schema::field::Field;
use crate::model::schema::system;
use crate::model::table::command::{
    Action, ArchivedConflict, EntryIndex, FaultKind, Place, RecordFault, RestoreConflict, Writes,
};
use crate::model::table::decide::ConflictParameter;
use crate::model::table::tests::naive::{Answer, Draft, Held, Hit, Naive, entry, fault, rank};
use crate::model::value::fault::ValueFault;
use crate::model::value::{Change, ListChange, TagRef, Value};

/// The steps that several commands share.
impl Naive {
    /// A step of a record: version, sequence, and the time unless another record is the reason.
    pub(super) fn touch(&mut self, at: usize, moves_time: bool) {
        self.sequence += 1;
        let record = &mut self.records[at];
        record.version += 1;
        record.sequence = self.sequence;
        if moves_time {
            record.updated = self.at;
        }
    }

    pub(super) fn put_live(&mut self, at: usize, mut draft: Draft, action: Action) -> Answer {
        self.settle(Some(at), &mut draft);
        self.tags.extend(draft.tags);
        let record = &mut self.records[at];
        let before = std::mem::replace(&mut record.values, draft.values);
        let fields = before.keys().chain(record.values.keys());
        let mut changed: Vec<FieldNumber> =
            fields.copied().filter(|field| before.get(field) != record.values.get(field)).collect();
        changed.sort();
        changed.dedup();
        record.archived = None;
        record.displaced_from = None;
        self.touch(at, true);
        self.raise(at);
        let record = &self.records[at];
        let (id, version) = (record.id, record.version);
        Answer::Record { action, id, version, filled: draft.filled, changed }
    }

    pub(super) fn displace(&mut self, at: usize) {
        let name = self.name_of(&self.records[at]).expect("it holds a key").to_owned();
        let mut free = format!("{name}_discarded_{}", self.at.0);
        let mut attempt = 1;
        while self.holder(&free).is_some() {
            attempt += 1;
            free = format!("{name}_discarded_{}_{attempt}", self.at.0);
        }
        let record = &mut self.records[at];
        let identifier = self.schema.identifier().number;
        record.values.insert(identifier, Held::Plain(Value::Text(free.into())));
        record.displaced_from.get_or_insert(name);
        self.touch(at, false);
    }

    /// The values after the entries, and what is wrong with them.
    pub(super) fn written(&self, at: Option<usize>, writes: &Writes) -> Draft {
        let old = at.map(|at| self.records[at].values.clone());
        let mut draft = Draft {
            values: old.clone().unwrap_or_default(),
            faults: writes.faults.clone(),
            ..Draft::default()
        };
        for write in &writes.entries {
            let field = self.schema.by_number(write.field).expect("steps write known fields");
            let before = draft.values.remove(&field.number);
            let after = match &write.change {
                // What is blank already stays as it is stored.
                Change::Clear => before.clone().filter(|before| self.is_blank(before)),
                Change::Set(Value::Choice(option))
                    if before.as_ref().and_then(|before| self.means(before)) == Some(*option) =>
                {
                    before.clone()
                }
                // Where an old record has no value it reads false already.
                Change::Set(Value::Boolean(false)) if old.is_some() && before.is_none() => None,
                Change::Set(value @ (Value::Member(_) | Value::Members(_))) => {
                    let after = Some(Held::Plain(value.clone()));
                    self.unless_left(before.as_ref(), value.members().as_deref(), after)
                }
                Change::Set(value) => Some(Held::Plain(value.clone())),
                Change::Members(ListChange::Replace(list)) => {
                    self.unless_left(before.as_ref(), Some(list), members(list.clone()))
                }
                Change::Members(ListChange::Edit { add, remove }) => {
                    let held = before.as_ref().and_then(|before| self.left(before));
                    let after = edited(held.unwrap_or_default(), add, remove);
                    self.unless_left(before.as_ref(), Some(&after), members(after.clone()))
                }
                Change::Choices(_) | Change::Files(_) | Change::Records(_) => {
                    unreachable!("steps edit members, whose lists are edited alike")
                }
                Change::Tags(change) => self.tagged(before.as_ref(), change, &mut draft.tags),
            };
            let is_missing = after.as_ref().is_none_or(|after| self.is_blank(after));
            if is_missing && field.is_required && !field.field_type.is_checkbox() {
                let place = entry(write.index, field.number);
                draft.faults.push(fault(place, ValueFault::Required));
                draft.values.extend(before.map(|before| (field.number, before)));
            } else {
                draft.values.extend(after.map(|after| (field.number, after)));
            }
        }
        draft
    }

    /// What was there if these members are what is left of it, else what is to be.
    fn unless_left(
        &self,
        before: Option<&Held>,
        members: Option<&[MemberId]>,
        after: Option<Held>,
    ) -> Option<Held> {
        let left = before.and_then(|before| self.left(before));
        if left.is_some() && left.as_deref() == members { before.cloned() } else { after }
    }

    pub(super) fn tagged(
        &self,
        before: Option<&Held>,
        change: &ListChange<TagRef>,
        made: &mut Vec<Key>,
    ) -> Option<Held> {
        let key = |tag: &TagRef| match tag {
            TagRef::Known(number) => self.tags[number.0 as usize - 1].clone(),
            TagRef::Named(name) => tag_key(name),
        };
        let keys = |tags: &[TagRef]| tags.iter().map(key).collect::<Vec<_>>();
        let (held, add, remove) = match (before, change) {
            (_, ListChange::Replace(tags)) => (Vec::new(), keys(tags), Vec::new()),
            (Some(Held::Tags(held)), ListChange::Edit { add, remove }) => {
                (held.clone(), keys(add), keys(remove))
            }
            (_, ListChange::Edit { add, remove }) => (Vec::new(), keys(add), keys(remove)),
        };
        for tag in &add {
            if !self.tags.contains(tag) && !made.contains(tag) {
                made.push(tag.clone());
            }
        }
        let after = edited(held, &add, &remove);
        (!after.is_empty()).then_some(Held::Tags(after))
    }

    pub(super) fn clear_unmentioned(&self, draft: &mut Draft, writes: &Writes) {
        for field in self.schema.fields() {
            let is_mentioned = writes.entries.iter().any(|write| write.field == field.number);
            let stays = field.is_required || field.is_read_only || field.is_identifier();
            if is_mentioned || stays {
                continue;
            }
            let is_blank = draft.values.get(&field.number).is_some_and(|held| self.is_blank(held));
            if is_blank {
                continue;
            }
            let held = draft.values.remove(&field.number);
            if held.is_some() && field.field_type.is_checkbox() {
                draft.values.insert(field.number, Held::Plain(Value::Boolean(false)));
            }
        }
    }

    pub(super) fn fill_checkboxes(&self, draft: &mut Draft) {
        for field in self.schema.fields().iter().filter(|field| field.field_type.is_checkbox()) {
            let unchecked = Held::Plain(Value::Boolean(false));
            draft.values.entry(field.number).or_insert(unchecked);
        }
    }

    pub(super) fn fill_owner(&self, draft: &mut Draft) {
        if self.schema.is_contacts() || draft.blames(system::OWNER) {
            return;
        }
        if let Some(Held::Plain(Value::Member(owner))) = draft.values.get(&system::OWNER)
            && self.members.get(owner).is_some()
        {
            return;
        }
        draft.values.insert(system::OWNER, Held::Plain(Value::Member(self.caller)));
        draft.filled.push(system::OWNER);
    }

    pub(super) fn require(&self, draft: &mut Draft, writes: &Writes) {
        for field in self.schema.fields().iter().filter(|field| field.is_required) {
            let held = draft.values.get(&field.number);
            let is_missing = held.is_none_or(|held| self.is_blank(held));
            let is_due = is_missing && !draft.blames(field.number);
            if is_due {
                let written = writes.entries.iter().find(|write| write.field == field.number);
                let place = written
                    .map_or(Place::Field(field.number), |write| entry(write.index, field.number));
                draft.faults.push(fault(place, ValueFault::Required));
            }
        }
    }

    /// Unique values of the request that another live record has.
    pub(super) fn taken_uniques(
        &self,
        at: Option<usize>,
        writes: &Writes,
        draft: &Draft,
    ) -> Vec<RecordFault> {
        let mut taken = Vec::new();
        for field in self.schema.fields().iter().filter(|field| is_further_unique(field)) {
            let write = writes.entries.iter().find(|write| write.field == field.number);
            let is_injected = draft.injected.iter().any(|(injected, _)| *injected == field.number);
            if write.is_none() && !is_injected {
                continue;
            }
            let value = draft.values.get(&field.number);
            if let Some(holder) = value.and_then(|value| self.claimant(field, value, at)) {
                let place = draft.place_of(write.map(|write| write.index), field.number);
                taken.push(RecordFault { place, kind: FaultKind::Unique { holder } });
            }
        }
        taken
    }

    /// Stored unique values of an archived record that a live one has; cleared where asked.
    pub(super) fn clashes(
        &self,
        at: usize,
        writes: &Writes,
        draft: &mut Draft,
        mode: RestoreConflict,
    ) -> Option<Hit> {
        let mut clashes = Vec::new();
        for field in self.schema.fields().iter().filter(|field| is_further_unique(field)) {
            let is_given = writes.entries.iter().any(|write| write.field == field.number);
            let value = draft.values.get(&field.number).filter(|_| !is_given);
            if let Some(holder) = value.and_then(|value| self.claimant(field, value, Some(at))) {
                clashes.push((vec![field.number], holder));
            }
        }
        let clear = |clashes: &mut Vec<(Vec<FieldNumber>, RecordId)>, draft: &mut Draft| {
            if mode == RestoreConflict::Clear {
                let fields = clashes.drain(..).flat_map(|(fields, _)| fields);
                fields.for_each(|field| drop(draft.values.remove(&field)));
            }
        };
        clear(&mut clashes, draft);
        let mut together = self.clashes_together(at, writes, draft);
        clear(&mut together, draft);
        clashes.extend(together);
        let record = self.records[at].id;
        (!clashes.is_empty()).then_some(Hit::OnRestore { record, clashes })
    }

    /// Who is in the way of a record's new identifier, or is to be displaced.
    pub(super) fn renaming(
        &self,
        at: usize,
        draft: &Draft,
        writes: &Writes,
        (mode, parameter): (ArchivedConflict, ConflictParameter),
    ) -> (Vec<RecordFault>, Option<Hit>, Option<usize>) {
        let free = (Vec::new(), None, None);
        let identifier = self.schema.identifier().number;
        let Some(Held::Plain(Value::Text(name))) = draft.values.get(&identifier) else {
            return free;
        };
        let Some(other) = self.holder(name).filter(|other| *other != at) else { return free };
        let write = writes.entries.iter().find(|write| write.field == identifier);
        let place = entry(write.expect("only a request renames").index, identifier);
        let holder = self.records[other].id;
        if self.records[other].archived.is_none() {
            let kind = FaultKind::Unique { holder };
            return (vec![RecordFault { place, kind }], None, None);
        }
        match mode {
            ArchivedConflict::Overwrite => (Vec::new(), None, Some(other)),
            ArchivedConflict::Refuse => {
                let parts = vec![(name.to_string(), place)];
                (Vec::new(), Some(Hit::Archived { holder, parts, parameter }), None)
            }
        }
    }
}

impl Draft {
    pub(super) fn text(&self, field: FieldNumber) -> Option<String> {
        match self.values.get(&field) {
            Some(Held::Plain(Value::Text(text))) => Some(text.to_string()),
            Some(Held::Plain(_) | Held::Tags(_)) | None => None,
        }
    }

    pub(super) fn blames(&self, field: FieldNumber) -> bool {
        self.faults.iter().any(|fault| match fault.place {
            Place::Entry { field: at, .. } | Place::Field(at) | Place::MatchValue(at) => {
                at == field
            }
            Place::Unresolved { .. }
            | Place::LookupValue
            | Place::SourceVersion
            | Place::Identifier
            | Place::Stage => false,
        })
    }

    /// Whether an entry that names the field is at fault.
    pub(super) fn entry_blames(&self, field: FieldNumber) -> bool {
        let mut faults = self.faults.iter();
        faults.any(|fault| matches!(fault.place, Place::Entry { field: at, .. } if at == field))
    }

    /// Where the request gives a field's value.
    pub(super) fn place_of(&self, index: Option<EntryIndex>, field: FieldNumber) -> Place {
        let injected = self.injected.iter().find(|(injected, _)| *injected == field);
        let elsewhere = injected.map_or(Place::Field(field), |(_, place)| place.clone());
        index.map_or(elsewhere, |index| entry(index, field))
    }

    pub(super) fn refused(mut self) -> Answer {
        self.faults.sort_by_key(|fault| rank(&fault.place));
        Answer::Faults(self.faults)
    }
}

fn is_further_unique(field: &Field) -> bool {
    field.is_unique && !field.is_identifier()
}

fn members(list: Vec<MemberId>) -> Option<Held> {
    (!list.is_empty()).then_some(Held::Plain(Value::Members(list)))
}

/// Removed first, then added; every value once.
fn edited<T: PartialEq + Clone>(held: Vec<T>, add: &[T], remove: &[T]) -> Vec<T> {
    let mut list: Vec<T> = held.into_iter().filter(|value| !remove.contains(value)).collect();
    for value in add {
        if !list.contains(value) {
            list.push(value.clone());
        }
    }
    list
}
