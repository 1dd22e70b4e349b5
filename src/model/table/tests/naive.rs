//! What a table should answer, written from the API's tables with plain maps and linear searches.
//!
//! It shares with the deciding code the shapes of questions and faults and the normal forms of
//! keys, and nothing else.

use crate::model::catalog::member::Members;
use crate::model::id::{FieldNumber, MemberId, RecordId, Timestamp};
use crate::model::key::{Key, tag_key};
use crate::model::schema::Schema;
use crate::model::schema::field::Field;
use crate::model::schema::system;
use crate::model::table::command::{
    Action, ArchivedConflict, ArchivedMatch, Ask, EntryKey, FaultKind, Identifier, Place,
    RecordFault, RestoreConflict, TeamEdit, Unarchive, Update, Upsert, Writes,
};
use crate::model::table::decide::ConflictParameter;
use crate::model::table::tests::steps::LABELS;
use crate::model::value::fault::ValueFault;
use crate::model::value::{Change, ListChange, TagRef, Value};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What is answered, in a form that can be compared. A record that is created has the nil id until
/// it is bound.
#[derive(Debug, PartialEq)]
pub(super) enum Answer {
    Record {
        action: Action,
        id: RecordId,
        version: u32,
        filled: Vec<FieldNumber>,
        changed: Vec<FieldNumber>,
    },
    Done,
    Field(FieldNumber),
    Option,
    SchemaMoved,
    NotFound,
    NotArchived,
    UnknownField,
    SchemaFaults,
    Forbidden(Vec<(u32, FieldNumber)>),
    Faults(Vec<RecordFault>),
    Taken(Vec<RecordFault>, Option<Hit>),
}

/// A conflict.
#[derive(Debug, PartialEq)]
pub(super) enum Hit {
    Archived { holder: RecordId, value: String, place: Place, parameter: ConflictParameter },
    OnRestore { record: RecordId, clashes: Vec<(FieldNumber, RecordId)> },
}

/// A value as it is read.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Held {
    Plain(Value),
    /// Tags by their normal form.
    Tags(Vec<Key>),
}

#[derive(Clone, Debug)]
pub(super) struct NaiveRecord {
    pub(super) id: RecordId,
    pub(super) version: u32,
    pub(super) sequence: u64,
    pub(super) values: BTreeMap<FieldNumber, Held>,
    pub(super) displaced_from: Option<String>,
    pub(super) team: Vec<MemberId>,
    pub(super) created: Timestamp,
    pub(super) updated: Timestamp,
    pub(super) archived: Option<(Timestamp, MemberId)>,
}

/// The whole table.
pub(super) struct Naive {
    pub(super) schema: Arc<Schema>,
    pub(super) records: Vec<NaiveRecord>,
    /// Tags of the one field that has any, by normal form, in the order they were made.
    pub(super) tags: Vec<Key>,
    pub(super) sequence: u64,
    pub(super) purged: Vec<RecordId>,
    pub(super) confirmed: usize,
    pub(super) at: Timestamp,
    pub(super) members: Arc<Members>,
    caller: MemberId,
}

/// What a request makes of a record's values.
struct Draft {
    values: BTreeMap<FieldNumber, Held>,
    faults: Vec<RecordFault>,
    filled: Vec<FieldNumber>,
    tags: Vec<Key>,
}

/// What becomes of archived records.
#[derive(Clone, Copy)]
struct Modes {
    archived_match: ArchivedMatch,
    archived_conflict: ArchivedConflict,
    restore_conflict: RestoreConflict,
    parameter: ConflictParameter,
}

fn fault(place: Place, fault: ValueFault) -> RecordFault {
    RecordFault { place, kind: FaultKind::Value(fault) }
}

fn entry(index: u32, field: FieldNumber) -> Place {
    Place::Entry { index, field, key: EntryKey::Value }
}

fn rank(place: &Place) -> (u8, u32) {
    match place {
        Place::LookupValue | Place::Identifier => (0, 0),
        Place::Entry { index, .. } | Place::Unresolved { index, .. } => (1, *index),
        Place::Field(field) => (2, field.0),
    }
}

impl Naive {
    pub(super) fn new(schema: Arc<Schema>, sequence: u64, members: Arc<Members>) -> Self {
        let caller = crate::model::table::test_support::member(1);
        let (records, tags, purged) = (Vec::new(), Vec::new(), Vec::new());
        let at = crate::model::table::test_support::BIRTH;
        Self { schema, records, tags, sequence, purged, confirmed: 0, at, members, caller }
    }

    /// Gives the created record the id that was drawn for it.
    pub(super) fn bind(&mut self, id: RecordId) {
        let nil = RecordId(uuid::Uuid::nil());
        let last = self.records.last_mut().filter(|record| record.id == nil);
        last.expect("the last record was just created").id = id;
    }

    pub(super) fn key_of(&self, record: &NaiveRecord) -> Option<Key> {
        self.schema.identifier_key(self.name_of(record)?)
    }

    fn name_of<'a>(&self, record: &'a NaiveRecord) -> Option<&'a str> {
        match record.values.get(&self.schema.identifier().number) {
            Some(Held::Plain(Value::Text(text))) => Some(text),
            Some(other) => panic!("no name: {other:?}"),
            None => None,
        }
    }

    pub(super) fn holder(&self, name: &str) -> Option<usize> {
        let key = self.schema.identifier_key(name)?;
        self.records.iter().position(|record| self.key_of(record).as_ref() == Some(&key))
    }

    /// The live record that has this value of a unique field.
    fn claimant(&self, field: &Field, held: &Held, but: Option<usize>) -> Option<RecordId> {
        let Held::Plain(value) = held else { return None };
        let key = value.unique_key(field.normalizer)?;
        let same = |record: &NaiveRecord| match record.values.get(&field.number) {
            Some(Held::Plain(value)) => value.unique_key(field.normalizer) == Some(key.clone()),
            Some(Held::Tags(_)) | None => false,
        };
        let mut live = self.records.iter().enumerate();
        live.find(|(at, record)| Some(*at) != but && record.archived.is_none() && same(record))
            .map(|(_, record)| record.id)
    }

    fn position(&self, id: RecordId) -> Option<usize> {
        self.records.iter().position(|record| record.id == id)
    }

    fn live(&self, id: RecordId) -> Option<usize> {
        self.position(id).filter(|at| self.records[*at].archived.is_none())
    }

    pub(super) fn answer(&mut self, ask: &Ask) -> Answer {
        match ask {
            Ask::Upsert(upsert) => self.upsert(upsert),
            Ask::Add(add) => self.admit(&add.writes).unwrap_or_else(|| {
                let modes = Modes {
                    archived_match: add.archived_match,
                    archived_conflict: ArchivedConflict::Refuse,
                    restore_conflict: add.restore_conflict,
                    parameter: ConflictParameter::Unarchive,
                };
                self.create(&add.writes, None, modes)
            }),
            Ask::Update(update) => self.update(update),
            Ask::Archive(id) => match self.live(*id) {
                None => Answer::NotFound,
                Some(at) => {
                    self.records[at].archived = Some((self.at, self.caller));
                    self.touch(at, true);
                    Answer::Done
                }
            },
            Ask::Unarchive(unarchive) => self.unarchive(unarchive),
            Ask::Purge(id) => match self.position(*id) {
                None => Answer::NotFound,
                Some(at) if self.records[at].archived.is_none() => Answer::NotArchived,
                Some(at) => {
                    self.sequence += 1;
                    self.purged.push(self.records.remove(at).id);
                    Answer::Done
                }
            },
            Ask::Team(edit) => self.team(edit),
            Ask::CreateField(_) => {
                self.sequence += 1;
                Answer::Field(self.schema.next_field())
            }
            Ask::CreateOption { field, .. } => match self.schema.by_number(*field) {
                None => Answer::UnknownField,
                Some(field) if !field.field_type.has_options() => Answer::SchemaFaults,
                Some(_) => {
                    self.sequence += 1;
                    Answer::Option
                }
            },
            Ask::ConfirmFollowUp(number) => {
                let sent = usize::try_from(number.0).unwrap().min(self.purged.len());
                self.confirmed = self.confirmed.max(sent);
                Answer::Done
            }
        }
    }

    /// Schema and rights of the fields, before any record is looked at.
    fn admit(&self, writes: &Writes) -> Option<Answer> {
        if writes.schema != self.schema.number() {
            return Some(Answer::SchemaMoved);
        }
        let forbidden = (!writes.forbidden.is_empty()).then(|| writes.forbidden.clone());
        forbidden.map(Answer::Forbidden)
    }

    fn upsert(&mut self, upsert: &Upsert) -> Answer {
        if let Some(answer) = self.admit(&upsert.writes) {
            return answer;
        }
        let modes = Modes {
            archived_match: upsert.archived_match,
            archived_conflict: upsert.archived_conflict,
            restore_conflict: upsert.restore_conflict,
            parameter: ConflictParameter::OncreateUnarchive,
        };
        let writes = &upsert.writes;
        let Some(at) = self.holder(&upsert.lookup.text) else {
            return self.create(writes, Some(&upsert.lookup), modes);
        };
        if self.records[at].archived.is_none() {
            let parameter = ConflictParameter::OnupdateArchivedConflict;
            return self.change(at, writes, (modes.archived_conflict, parameter), false);
        }
        match modes.archived_match {
            ArchivedMatch::Prompt => {
                self.prompt(at, writes, (&upsert.lookup.text, Place::LookupValue), modes)
            }
            ArchivedMatch::Unarchive => self.restore(at, writes, modes),
            ArchivedMatch::Overwrite => self.create(writes, Some(&upsert.lookup), modes),
        }
    }

    fn prompt(
        &self,
        at: usize,
        writes: &Writes,
        (value, place): (&str, Place),
        modes: Modes,
    ) -> Answer {
        if !writes.faults.is_empty() {
            return Answer::Faults(writes.faults.clone());
        }
        let draft = self.written(None, writes);
        let taken = self.taken_uniques(None, writes, &draft);
        let holder = self.records[at].id;
        let parameter = modes.parameter;
        let hit = Hit::Archived { holder, value: value.to_owned(), place, parameter };
        Answer::Taken(taken, Some(hit))
    }

    fn create(&mut self, writes: &Writes, lookup: Option<&Identifier>, modes: Modes) -> Answer {
        let identifier = self.schema.identifier().number;
        let mut draft = self.written(None, writes);
        let entry_of = writes.entries.iter().find(|write| write.field == identifier);
        let is_named = entry_of.is_some() || draft.blames(identifier);
        if let Some(lookup) = lookup {
            let invalid = lookup.fault.iter();
            draft.faults.extend(invalid.map(|why| fault(Place::LookupValue, why.clone())));
            if !is_named {
                let value = Held::Plain(Value::Text(lookup.text.clone()));
                draft.values.insert(identifier, value);
                draft.filled.push(identifier);
            } else if !draft.values.contains_key(&identifier) && !draft.blames(identifier) {
                let index = entry_of.expect("it is named and not blamed").index;
                draft.faults.push(fault(entry(index, identifier), ValueFault::Required));
            }
        }
        let place = entry_of.map_or(Place::LookupValue, |write| entry(write.index, identifier));
        let name = match draft.values.get(&identifier) {
            Some(Held::Plain(Value::Text(text))) => Some(text.to_string()),
            Some(Held::Plain(_) | Held::Tags(_)) | None => None,
        };
        let holder = name.as_deref().and_then(|name| self.holder(name));
        let is_archived = |at: &usize| self.records[*at].archived.is_some();
        let archived = holder.filter(is_archived);
        match (archived, modes.archived_match) {
            (Some(at), ArchivedMatch::Prompt) => {
                return self.prompt(at, writes, (&name.unwrap_or_default(), place), modes);
            }
            (Some(at), ArchivedMatch::Unarchive) => return self.restore(at, writes, modes),
            (Some(_), ArchivedMatch::Overwrite) | (None, _) => {}
        }
        self.fill_checkboxes(&mut draft);
        self.fill_owner(&mut draft);
        self.require(&mut draft, writes);
        if !draft.faults.is_empty() {
            return draft.refused();
        }
        let mut taken = Vec::new();
        if let Some(at) = holder.filter(|at| !is_archived(at)) {
            let kind = FaultKind::Unique { holder: self.records[at].id };
            taken.push(RecordFault { place, kind });
        }
        taken.extend(self.taken_uniques(None, writes, &draft));
        if !taken.is_empty() {
            return Answer::Taken(taken, None);
        }
        if let Some(at) = archived {
            self.displace(at);
        }
        self.tags.extend(draft.tags);
        self.sequence += 1;
        self.records.push(NaiveRecord {
            id: RecordId(uuid::Uuid::nil()),
            version: 1,
            sequence: self.sequence,
            values: draft.values.clone(),
            displaced_from: None,
            team: Vec::new(),
            created: self.at,
            updated: self.at,
            archived: None,
        });
        Answer::Record {
            action: Action::Created,
            id: RecordId(uuid::Uuid::nil()),
            version: 1,
            filled: draft.filled,
            changed: draft.values.into_keys().collect(),
        }
    }

    fn restore(&mut self, at: usize, writes: &Writes, modes: Modes) -> Answer {
        let mut draft = self.written(Some(at), writes);
        self.fill_owner(&mut draft);
        let clashes = self.clashes(at, writes, &mut draft, modes.restore_conflict);
        self.require(&mut draft, writes);
        if !draft.faults.is_empty() {
            return draft.refused();
        }
        let parameter = ConflictParameter::OnupdateArchivedConflict;
        let (mut taken, mut hit, displaced) =
            self.renaming(at, &draft, writes, (modes.archived_conflict, parameter));
        taken.extend(self.taken_uniques(Some(at), writes, &draft));
        hit = hit.or(clashes);
        if !taken.is_empty() || hit.is_some() {
            return Answer::Taken(taken, hit);
        }
        if let Some(other) = displaced {
            self.displace(other);
        }
        self.put_live(at, draft, Action::Unarchived)
    }

    fn update(&mut self, update: &Update) -> Answer {
        let Some(at) = self.live(update.id) else { return Answer::NotFound };
        if let Some(answer) = self.admit(&update.writes) {
            return answer;
        }
        let mode = (update.archived_conflict, ConflictParameter::ArchivedConflict);
        self.change(at, &update.writes, mode, update.replace)
    }

    fn change(
        &mut self,
        at: usize,
        writes: &Writes,
        mode: (ArchivedConflict, ConflictParameter),
        replace: bool,
    ) -> Answer {
        let mut draft = self.written(Some(at), writes);
        if replace {
            self.clear_unmentioned(&mut draft, writes);
        }
        if !draft.faults.is_empty() {
            return draft.refused();
        }
        let (mut taken, hit, displaced) = self.renaming(at, &draft, writes, mode);
        taken.extend(self.taken_uniques(Some(at), writes, &draft));
        if !taken.is_empty() || hit.is_some() {
            return Answer::Taken(taken, hit);
        }
        let record = &self.records[at];
        if draft.values == record.values {
            let (id, version) = (record.id, record.version);
            let (filled, changed) = (Vec::new(), Vec::new());
            return Answer::Record { action: Action::Updated, id, version, filled, changed };
        }
        self.fill_owner(&mut draft);
        if let Some(other) = displaced {
            self.displace(other);
        }
        self.put_live(at, draft, Action::Updated)
    }

    fn unarchive(&mut self, unarchive: &Unarchive) -> Answer {
        let Some(at) = self.position(unarchive.id) else { return Answer::NotFound };
        let record = &self.records[at];
        if record.archived.is_none() {
            let (id, version) = (record.id, record.version);
            let (filled, changed) = (Vec::new(), Vec::new());
            return Answer::Record { action: Action::Unchanged, id, version, filled, changed };
        }
        let nothing = Writes::default();
        let mut draft = self.written(Some(at), &nothing);
        self.fill_owner(&mut draft);
        let identifier = self.schema.identifier().number;
        let (mut taken, mut hit) = (Vec::new(), None);
        let original = record.displaced_from.clone();
        let original = original.filter(|original| self.holder(original).is_none());
        let given = unarchive.identifier.as_ref().map(|given| given.text.to_string());
        if let Some(why) = unarchive.identifier.as_ref().and_then(|given| given.fault.clone()) {
            return Answer::Faults(vec![fault(Place::Identifier, why)]);
        }
        if let Some(name) = given.clone().or(original) {
            draft.values.insert(identifier, Held::Plain(Value::Text(name.into())));
            draft.filled.push(identifier);
        }
        if let Some(value) = given
            && let Some(other) = self.holder(&value).filter(|other| *other != at)
        {
            let (holder, place) = (self.records[other].id, Place::Identifier);
            if self.records[other].archived.is_some() {
                let parameter = ConflictParameter::None;
                hit = Some(Hit::Archived { holder, value, place, parameter });
            } else {
                taken.push(RecordFault { place, kind: FaultKind::Unique { holder } });
            }
        }
        let clashes = self.clashes(at, &nothing, &mut draft, unarchive.restore_conflict);
        hit = hit.or(clashes);
        if !taken.is_empty() || hit.is_some() {
            return Answer::Taken(taken, hit);
        }
        self.put_live(at, draft, Action::Unarchived)
    }

    fn team(&mut self, edit: &TeamEdit) -> Answer {
        let Some(at) = self.live(edit.id) else { return Answer::NotFound };
        let team = &mut self.records[at].team;
        let held = team.iter().position(|member| *member == edit.member);
        match (held, edit.present) {
            (None, true) => team.push(edit.member),
            (Some(held), false) => drop(team.remove(held)),
            (None, false) => return Answer::NotFound,
            (Some(_), true) => {}
        }
        Answer::Done
    }
}

/// The steps that several commands share.
impl Naive {
    /// A step of a record: version, sequence, and the time unless another record is the reason.
    fn touch(&mut self, at: usize, moves_time: bool) {
        self.sequence += 1;
        let record = &mut self.records[at];
        record.version += 1;
        record.sequence = self.sequence;
        if moves_time {
            record.updated = self.at;
        }
    }

    fn put_live(&mut self, at: usize, draft: Draft, action: Action) -> Answer {
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
        let record = &self.records[at];
        let (id, version) = (record.id, record.version);
        Answer::Record { action, id, version, filled: draft.filled, changed }
    }

    fn displace(&mut self, at: usize) {
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
    fn written(&self, at: Option<usize>, writes: &Writes) -> Draft {
        let old = at.map(|at| self.records[at].values.clone());
        let mut draft = Draft {
            values: old.clone().unwrap_or_default(),
            faults: writes.faults.clone(),
            filled: Vec::new(),
            tags: Vec::new(),
        };
        for write in &writes.entries {
            let field = self.schema.by_number(write.field).expect("steps write known fields");
            let before = draft.values.remove(&field.number);
            let after = match &write.change {
                Change::Clear => None,
                // Where an old record has no value it reads false already.
                Change::Set(Value::Boolean(false)) if old.is_some() && before.is_none() => None,
                Change::Set(value) => Some(Held::Plain(value.clone())),
                Change::Members(ListChange::Replace(list)) => members(list.clone()),
                Change::Members(ListChange::Edit { add, remove }) => {
                    let held = match &before {
                        Some(Held::Plain(Value::Members(held))) => held.clone(),
                        Some(Held::Plain(_) | Held::Tags(_)) | None => Vec::new(),
                    };
                    members(edited(held, add, remove))
                }
                Change::Tags(change) => self.tagged(before.as_ref(), change, &mut draft.tags),
            };
            if after.is_none() && field.is_required && !field.field_type.is_checkbox() {
                let place = entry(write.index, field.number);
                draft.faults.push(fault(place, ValueFault::Required));
                draft.values.extend(before.map(|before| (field.number, before)));
            } else {
                draft.values.extend(after.map(|after| (field.number, after)));
            }
        }
        draft
    }

    fn tagged(
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

    fn clear_unmentioned(&self, draft: &mut Draft, writes: &Writes) {
        for field in self.schema.fields() {
            let is_mentioned = writes.entries.iter().any(|write| write.field == field.number);
            let stays = field.is_required || field.is_read_only || field.is_identifier();
            if is_mentioned || stays {
                continue;
            }
            let held = draft.values.remove(&field.number);
            if held.is_some() && field.field_type.is_checkbox() {
                draft.values.insert(field.number, Held::Plain(Value::Boolean(false)));
            }
        }
    }

    fn fill_checkboxes(&self, draft: &mut Draft) {
        for field in self.schema.fields().iter().filter(|field| field.field_type.is_checkbox()) {
            let unchecked = Held::Plain(Value::Boolean(false));
            draft.values.entry(field.number).or_insert(unchecked);
        }
    }

    fn fill_owner(&self, draft: &mut Draft) {
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

    fn require(&self, draft: &mut Draft, writes: &Writes) {
        for field in self.schema.fields().iter().filter(|field| field.is_required) {
            let is_due = !draft.values.contains_key(&field.number) && !draft.blames(field.number);
            if is_due {
                let written = writes.entries.iter().find(|write| write.field == field.number);
                let place = written
                    .map_or(Place::Field(field.number), |write| entry(write.index, field.number));
                draft.faults.push(fault(place, ValueFault::Required));
            }
        }
    }

    /// Unique values of the request that another live record has.
    fn taken_uniques(&self, at: Option<usize>, writes: &Writes, draft: &Draft) -> Vec<RecordFault> {
        let mut taken = Vec::new();
        for field in self.schema.fields().iter().filter(|field| is_further_unique(field)) {
            let Some(write) = writes.entries.iter().find(|write| write.field == field.number)
            else {
                continue;
            };
            let value = draft.values.get(&field.number);
            if let Some(holder) = value.and_then(|value| self.claimant(field, value, at)) {
                let place = entry(write.index, field.number);
                taken.push(RecordFault { place, kind: FaultKind::Unique { holder } });
            }
        }
        taken
    }

    /// Stored unique values of an archived record that a live one has; cleared where asked.
    fn clashes(
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
                clashes.push((field.number, holder));
            }
        }
        if mode == RestoreConflict::Clear {
            clashes.drain(..).for_each(|(field, _)| drop(draft.values.remove(&field)));
        }
        let record = self.records[at].id;
        (!clashes.is_empty()).then_some(Hit::OnRestore { record, clashes })
    }

    /// Who is in the way of a record's new identifier, or is to be displaced.
    fn renaming(
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
                let value = name.to_string();
                (Vec::new(), Some(Hit::Archived { holder, value, place, parameter }), None)
            }
        }
    }
}

impl Draft {
    fn blames(&self, field: FieldNumber) -> bool {
        self.faults.iter().any(|fault| match fault.place {
            Place::Entry { field: at, .. } | Place::Field(at) => at == field,
            Place::Unresolved { .. } | Place::LookupValue | Place::Identifier => false,
        })
    }

    fn refused(mut self) -> Answer {
        self.faults.sort_by_key(|fault| rank(&fault.place));
        Answer::Faults(self.faults)
    }
}

fn is_further_unique(field: &Field) -> bool {
    field.is_unique && !field.is_identifier() && field.number != LABELS
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
