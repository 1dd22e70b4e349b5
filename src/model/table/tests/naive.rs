//! What a table should answer, written from the API's tables with plain maps and linear searches.
//!
//! It shares with the deciding code the shapes of questions and faults and the normal forms of
//! keys, and nothing else.

use crate::model::catalog::member::Members;
use crate::model::id::{FieldNumber, MemberId, OptionNumber, RecordId, Timestamp};
use crate::model::key::Key;
use crate::model::schema::Schema;
use crate::model::schema::field::Field;
use crate::model::table::command::{
    Action, ArchivedConflict, ArchivedMatch, Ask, EntryIndex, EntryKey, Extent, FaultKind,
    FieldSet, Place, RecordFault, RestoreConflict, TeamEdit, Unarchive, Update, Writes,
};
use crate::model::table::decide::ConflictParameter;
use crate::model::table::intent::{Intent, Matching, Mode};
use crate::model::table::source::{Guard, SourceVersion};
use crate::model::table::tests::naive_matching::Meant;
use crate::model::table::tests::naive_sets::{forbidden, on_branch};
use crate::model::value::Value;
use crate::model::value::fault::ValueFault;
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
    NoMatch,
    NotArchived,
    /// The version of the record that is not as it was asked for.
    NotAsExpected(Option<u32>),
    UnknownField,
    SchemaFaults,
    /// How much breaks the new rule, and the first records that do.
    Violated(usize, Vec<Vec<RecordId>>),
    Forbidden(Vec<(EntryIndex, FieldNumber)>),
    Faults(Vec<RecordFault>),
    Taken(Vec<RecordFault>, Vec<Together>, Option<Hit>),
}

/// Where the values of a constraint are, and who has them.
pub(super) type Together = (Vec<Place>, RecordId);

/// A conflict.
#[derive(Debug, PartialEq)]
pub(super) enum Hit {
    Archived { holder: RecordId, parts: Vec<(String, Place)>, parameter: ConflictParameter },
    OnRestore { record: RecordId, clashes: Vec<(Vec<FieldNumber>, RecordId)> },
    Several(Vec<(FieldNumber, RecordId)>),
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
    /// The highest version of each source.
    pub(super) sources: BTreeMap<Box<str>, SourceVersion>,
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
    /// The fields of each constraint.
    pub(super) constraints: Vec<Vec<FieldNumber>>,
    /// Options that went, each with the one that took its place.
    pub(super) gone: Vec<(OptionNumber, Option<OptionNumber>)>,
    pub(super) purged: Vec<RecordId>,
    pub(super) confirmed: usize,
    pub(super) at: Timestamp,
    pub(super) members: Arc<Members>,
    pub(super) caller: MemberId,
    /// What the upsert that is answered says of its source.
    pub(super) guard: Option<Guard>,
}

/// What a request makes of a record's values.
#[derive(Default)]
pub(super) struct Draft {
    pub(super) values: BTreeMap<FieldNumber, Held>,
    pub(super) faults: Vec<RecordFault>,
    pub(super) filled: Vec<FieldNumber>,
    /// Values that the record was looked for by, and where they stand.
    pub(super) injected: Vec<(FieldNumber, Place)>,
    pub(super) tags: Vec<Key>,
}

/// What becomes of archived records.
#[derive(Clone, Copy)]
struct Modes {
    archived_match: ArchivedMatch,
    archived_conflict: ArchivedConflict,
    restore_conflict: RestoreConflict,
    parameter: ConflictParameter,
}

pub(super) fn fault(place: Place, fault: ValueFault) -> RecordFault {
    RecordFault { place, kind: FaultKind::Value(fault) }
}

pub(super) fn entry(index: EntryIndex, field: FieldNumber) -> Place {
    Place::Entry { index, field, key: EntryKey::Value }
}

pub(super) fn rank(place: &Place) -> (u8, EntryIndex) {
    match place {
        Place::LookupValue
        | Place::MatchValue(_)
        | Place::SourceVersion
        | Place::Identifier
        | Place::Stage => (0, EntryIndex::default()),
        Place::Entry { index, .. } | Place::Unresolved { index, .. } => (1, *index),
        Place::Field(field) => (2, EntryIndex::of_fields(field.0)),
    }
}

impl Naive {
    pub(super) fn new(schema: Arc<Schema>, sequence: u64, members: Arc<Members>) -> Self {
        let caller = crate::model::table::test_support::member(1);
        let (records, tags, purged, gone) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let at = crate::model::table::test_support::BIRTH;
        let constraints = schema.constraints().iter();
        let constraints = constraints.map(|constraint| constraint.fields.clone()).collect();
        Self {
            schema,
            records,
            tags,
            sequence,
            constraints,
            gone,
            purged,
            confirmed: 0,
            at,
            members,
            caller,
            guard: None,
        }
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

    pub(super) fn name_of<'a>(&self, record: &'a NaiveRecord) -> Option<&'a str> {
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
    pub(super) fn claimant(
        &self,
        field: &Field,
        held: &Held,
        but: Option<usize>,
    ) -> Option<RecordId> {
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

    pub(super) fn live(&self, id: RecordId) -> Option<usize> {
        self.position(id).filter(|at| self.records[*at].archived.is_none())
    }

    pub(super) fn answer(&mut self, ask: &Ask) -> Answer {
        match ask {
            Ask::Upsert(upsert) => {
                self.guard.clone_from(&upsert.guard);
                let answer = self.upsert(upsert);
                self.guard = None;
                answer
            }
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
            Ask::Move { id, stage } => self.move_record(*id, *stage),
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
            Ask::ChangeSchema(asked) => self.change_schema(asked),
            Ask::Atomic(_) | Ask::Trial(_) => panic!("no step asks for rows together"),
            Ask::ConfirmFollowUp(number) => {
                let sent = usize::try_from(number.0).unwrap().min(self.purged.len());
                self.confirmed = self.confirmed.max(sent);
                Answer::Done
            }
            Ask::Dry(asked) | Ask::OnlyIf(_, asked) => panic!("no step wraps {asked:?}"),
        }
    }

    /// The schema, before any record is looked at.
    fn admit(&self, writes: &Writes) -> Option<Answer> {
        (writes.schema != self.schema.number()).then_some(Answer::SchemaMoved)
    }

    fn upsert(&mut self, upsert: &Intent) -> Answer {
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
        let matching = Some(&upsert.matching);
        let meant = self.meant(&upsert.matching);
        if let Meant::Live(at) | Meant::Archived { at, .. } = meant
            && let Some(answer) = self.stale(at)
        {
            return answer;
        }
        match (&meant, upsert.mode) {
            (Meant::Archived { at, .. }, Mode::Update | Mode::Archive) => {
                self.raise(*at);
                return Answer::NoMatch;
            }
            (Meant::Nobody, Mode::Update | Mode::Archive) => return Answer::NoMatch,
            (_, Mode::Update | Mode::Archive | Mode::Upsert | Mode::Create) => {}
        }
        if let Some(answer) = self.not_as_expected(&meant, upsert.precondition.as_ref()) {
            return answer;
        }
        match meant {
            Meant::Live(at) => self.on_live(at, upsert),
            Meant::Several(matches) => {
                Answer::Taken(Vec::new(), Vec::new(), Some(Hit::Several(matches)))
            }
            Meant::Nobody => self.create(writes, matching, modes),
            Meant::Archived { at, parts } => match modes.archived_match {
                ArchivedMatch::Prompt => self.prompt(at, writes, parts, modes),
                ArchivedMatch::Unarchive => self.restore(at, writes, modes),
                ArchivedMatch::Overwrite => self.create(writes, matching, modes),
                ArchivedMatch::Skip => self.left_alone(at, writes, Action::SkippedArchived),
            },
        }
    }

    fn on_live(&mut self, at: usize, upsert: &Intent) -> Answer {
        match upsert.mode {
            Mode::Archive => {
                self.records[at].archived = Some((self.at, self.caller));
                self.touch(at, true);
                self.raise(at);
                self.as_it_is(at, Action::Archived, Vec::new())
            }
            Mode::Create => self.left_alone(at, &upsert.writes, Action::Exists),
            Mode::Upsert | Mode::Update => {
                let version = self.records[at].version;
                let parameter = ConflictParameter::OnupdateArchivedConflict;
                let mode = (upsert.archived_conflict, parameter);
                let answer = self.change(at, &upsert.writes, mode, false);
                let is_same =
                    matches!(answer, Answer::Record { version: after, .. } if after == version);
                if is_same && upsert.reports_unchanged {
                    return self.as_it_is(at, Action::Unchanged, self.identifier());
                }
                answer
            }
        }
    }

    pub(super) fn identifier(&self) -> Vec<FieldNumber> {
        vec![self.schema.identifier().number]
    }

    pub(super) fn as_it_is(&self, at: usize, action: Action, filled: Vec<FieldNumber>) -> Answer {
        let (id, version) = (self.records[at].id, self.records[at].version);
        Answer::Record { action, id, version, filled, changed: Vec::new() }
    }

    fn prompt(
        &self,
        at: usize,
        writes: &Writes,
        parts: Vec<(String, Place)>,
        modes: Modes,
    ) -> Answer {
        let writes = &on_branch(writes, FieldSet::Fields);
        if let Some(answer) = forbidden(writes) {
            return answer;
        }
        if !writes.faults.is_empty() {
            return Answer::Faults(writes.faults.clone());
        }
        let draft = self.written(None, writes);
        let taken = self.taken_uniques(None, writes, &draft);
        let holder = self.records[at].id;
        let parameter = modes.parameter;
        let hit = Hit::Archived { holder, parts, parameter };
        Answer::Taken(taken, self.taken_together(None, writes, &draft), Some(hit))
    }

    fn create(&mut self, writes: &Writes, matching: Option<&Matching>, modes: Modes) -> Answer {
        let identifier = self.schema.identifier().number;
        let given = writes;
        let writes = &self.resolved(None, given, FieldSet::OnCreate, matching);
        let mut draft = self.written(None, writes);
        if let Some(matching) = matching {
            self.inject(&mut draft, writes, matching);
        }
        let entry_of = writes.entries.iter().find(|write| write.field == identifier);
        let place = draft.place_of(entry_of.map(|write| write.index), identifier);
        let name = draft.text(identifier);
        let holder = name.as_deref().and_then(|name| self.holder(name));
        let is_archived = |at: &usize| self.records[*at].archived.is_some();
        match (holder.filter(is_archived), modes.archived_match) {
            (Some(at), ArchivedMatch::Prompt) => {
                return self.prompt(at, given, vec![(name.unwrap_or_default(), place)], modes);
            }
            (Some(at), ArchivedMatch::Unarchive) => return self.restore(at, given, modes),
            (Some(at), ArchivedMatch::Skip) => {
                return self.left_alone(at, given, Action::SkippedArchived);
            }
            (Some(_), ArchivedMatch::Overwrite) | (None, _) => {}
        }
        if let Some(answer) = forbidden(writes) {
            return answer;
        }
        let asked: Vec<FieldNumber> = draft.values.keys().copied().collect();
        self.fill_checkboxes(&mut draft);
        self.fill_stage(&mut draft);
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
        let together = self.taken_together(None, writes, &draft);
        if !taken.is_empty() || !together.is_empty() {
            return Answer::Taken(taken, together, None);
        }
        if let Some(at) = holder {
            self.displace(at); // A live one was refused.
        }
        self.settle(None, &mut draft);
        self.tags.extend(draft.tags);
        self.sequence += 1;
        self.records.push(NaiveRecord {
            id: RecordId(uuid::Uuid::nil()),
            version: 1,
            sequence: self.sequence,
            values: draft.values.clone(),
            displaced_from: None,
            team: Vec::new(),
            sources: self.guard.iter().map(|guard| (guard.source.clone(), guard.version)).collect(),
            created: self.at,
            updated: self.at,
            archived: None,
        });
        Answer::Record {
            action: Action::Created,
            id: RecordId(uuid::Uuid::nil()),
            version: 1,
            filled: draft.filled,
            changed: asked,
        }
    }

    fn restore(&mut self, at: usize, writes: &Writes, modes: Modes) -> Answer {
        let writes = &self.resolved(Some(at), writes, FieldSet::OnUpdate, None);
        if let Some(answer) = forbidden(writes) {
            return answer;
        }
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
        let together = self.taken_together(Some(at), writes, &draft);
        hit = hit.or(clashes);
        if !taken.is_empty() || !together.is_empty() || hit.is_some() {
            return Answer::Taken(taken, together, hit);
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
        let mut writes = update.writes.clone();
        if update.extent == Extent::Blank {
            let values = &self.records[at].values;
            let has_value = |number| {
                let field = self.schema.by_number(number).expect("steps write known fields");
                let is_full = values.get(&number).is_some_and(|held| !self.is_blank(held));
                field.field_type.is_checkbox() || is_full
            };
            writes.entries.retain(|write| !has_value(write.field));
        }
        self.change(at, &writes, mode, update.extent == Extent::All)
    }

    pub(super) fn change(
        &mut self,
        at: usize,
        writes: &Writes,
        mode: (ArchivedConflict, ConflictParameter),
        replace: bool,
    ) -> Answer {
        let writes = &self.resolved(Some(at), writes, FieldSet::OnUpdate, None);
        if let Some(answer) = forbidden(writes) {
            return answer;
        }
        let mut draft = self.written(Some(at), writes);
        if replace {
            self.clear_unmentioned(&mut draft, writes);
        }
        if !draft.faults.is_empty() {
            return draft.refused();
        }
        let (mut taken, hit, displaced) = self.renaming(at, &draft, writes, mode);
        taken.extend(self.taken_uniques(Some(at), writes, &draft));
        let together = self.taken_together(Some(at), writes, &draft);
        if !taken.is_empty() || !together.is_empty() || hit.is_some() {
            return Answer::Taken(taken, together, hit);
        }
        if draft.values == self.records[at].values {
            self.raise(at);
            let record = &self.records[at];
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
                hit = Some(Hit::Archived { holder, parts: vec![(value, place)], parameter });
            } else {
                taken.push(RecordFault { place, kind: FaultKind::Unique { holder } });
            }
        }
        let clashes = self.clashes(at, &nothing, &mut draft, unarchive.restore_conflict);
        hit = hit.or(clashes);
        if !taken.is_empty() || hit.is_some() {
            return Answer::Taken(taken, Vec::new(), hit);
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
