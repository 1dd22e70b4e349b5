//! Turns a request's writes into edits of a record's body: tags found or made, lists joined,
//! required fields held, unique values checked.

mod related;

use crate::model::catalog::member::Members;
use crate::model::id::{FieldNumber, FileId, MemberId, OptionNumber, TagId, TagNumber};
use crate::model::key::{self, Key};
use crate::model::schema::field::Field;
use crate::model::schema::system;
use crate::model::table::body::{Body, Edits};
use crate::model::table::command::{
    EntryIndex, EntryKey, FaultKind, FieldSet, Place, RecordFault, RestoreConflict, Write, Writes,
};
use crate::model::table::decide::commit::Commit;
use crate::model::table::decide::keys::{
    claim_of, is_blank, members_left, options_left, stored, stored_text, those_left,
};
use crate::model::table::decide::{Clash, Rejection, Taken};
use crate::model::table::event::Tag;
use crate::model::table::index::KeyHasher;
use crate::model::table::others::Others;
use crate::model::table::record::Record;
use crate::model::value::fault::ValueFault;
use crate::model::value::files::FILES_MAX;
use crate::model::value::tags::TAGS_PER_FIELD_MAX;
use crate::model::value::{Change, FieldType, ListChange, TagRef, VALUES_MAX, Value};
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

/// How a list of values is held, and how many of them.
struct ListForm<T> {
    /// What is left of a stored list.
    held: fn(&Field, &Members, Value) -> Option<Vec<T>>,
    made: fn(Vec<T>) -> Value,
    max: usize,
}

const MEMBERS: ListForm<MemberId> = ListForm {
    held: |_, members, value| value.members().map(|held| those_left(held, members)),
    made: Value::Members,
    max: VALUES_MAX,
};
const CHOICES: ListForm<OptionNumber> = ListForm {
    held: |field, _, value| value.options().map(|options| field.options.left(&options)),
    made: Value::Choices,
    max: VALUES_MAX,
};
const FILES: ListForm<FileId> = ListForm {
    held: |_, _, value| if let Value::Files(files) = value { Some(files) } else { None },
    made: Value::Files,
    max: FILES_MAX,
};

/// The edits that a request asks for, and what is wrong with it so far.
pub(super) struct Plan<'a> {
    pub(super) edits: Edits,
    pub(super) new_tags: Vec<Tag>,
    pub(super) faults: Vec<RecordFault>,
    pub(super) filled: Vec<FieldNumber>,
    pub(super) old: Body<'a>,
    /// Of a new record: the fields that have a value by the request, and not by default.
    pub(super) given: Option<Vec<FieldNumber>>,
    pub(super) members: Arc<Members>,
    pub(super) others: Others,
    pub(super) is_new: bool,
    /// Where the request writes a field. Few as they are, looking through them beats hashing.
    pub(super) entries: Vec<(FieldNumber, EntryIndex)>,
    /// The new tags by field and normal form.
    made: HashMap<(FieldNumber, Key), TagNumber, KeyHasher>,
}

impl<'a> Plan<'a> {
    /// The writes over an old record, or over nothing; `fill_empty` adds those that depend on what
    /// the record has after the others.
    pub(super) fn new(commit: &mut Commit<'_>, old: Option<&'a Record>, writes: &Writes) -> Self {
        let is_sure = |write: &&Write| write.index.set != FieldSet::IfEmpty;
        let sure = writes.entries.iter().filter(is_sure);
        let mut plan = Self {
            edits: Edits::default(),
            new_tags: Vec::new(),
            faults: writes.faults.clone(),
            filled: Vec::new(),
            old: old.map_or(Body::new(&[]), Record::body),
            given: None,
            members: commit.caller.members.clone(),
            others: commit.caller.others.clone(),
            is_new: old.is_none(),
            entries: sure.clone().map(|write| (write.field, write.index)).collect(),
            made: HashMap::default(),
        };
        for write in sure {
            plan.write(commit, write);
        }
        plan
    }

    /// Whether the request itself writes the field, badly or well.
    pub(super) fn mentions(&self, field: FieldNumber) -> bool {
        self.entry(field).is_some()
            || self.faults.iter().any(
                |fault| matches!(fault.place, Place::Entry { field: named, .. } if named == field),
            )
    }

    fn entry(&self, field: FieldNumber) -> Option<EntryIndex> {
        self.entries.iter().find(|(named, _)| *named == field).map(|(_, index)| *index)
    }

    /// Whether something is wrong with the field already.
    pub(super) fn is_blamed(&self, field: FieldNumber) -> bool {
        self.faults.iter().any(|fault| match fault.place {
            Place::Entry { field: at, .. } | Place::Field(at) => at == field,
            Place::Unresolved { .. } | Place::LookupValue | Place::Identifier | Place::Stage => {
                false
            }
        })
    }

    /// Where the request gives a field's value.
    pub(super) fn place_of(&self, field: FieldNumber) -> Place {
        self.entry(field).map_or(Place::Field(field), |index| Place::Entry {
            index,
            field,
            key: EntryKey::Value,
        })
    }

    pub(super) fn fault(&mut self, place: Place, fault: ValueFault) {
        self.faults.push(RecordFault { place, kind: FaultKind::Value(fault) });
    }

    /// The stored form of a field after the edits.
    pub(super) fn value(&self, field: FieldNumber) -> Option<&[u8]> {
        self.edits.value_over(self.old, field)
    }

    /// The text of the identifier after the edits.
    pub(super) fn identifier(&self, commit: &Commit<'_>) -> Option<&str> {
        self.value(commit.schema.identifier().number).and_then(stored_text)
    }

    pub(super) fn set(&mut self, field: FieldNumber, value: &Value) {
        self.edits.set(field, |out| value.encode(out));
    }

    pub(super) fn write(&mut self, commit: &mut Commit<'_>, write: &Write) {
        let schema = commit.schema.clone();
        let field =
            schema.by_number(write.field).expect("the schema is the one the writes were read with");
        match &write.change {
            Change::Clear => self.clear(commit, field, write.index),
            Change::Set(Value::Boolean(false)) => self.uncheck(field),
            Change::Set(value @ (Value::Choice(_) | Value::Choices(_))) => {
                self.choose(field, value);
            }
            Change::Set(value @ (Value::Member(_) | Value::Members(_))) => {
                self.appoint(field, value);
            }
            Change::Set(Value::Records(records)) => {
                let change = ListChange::Replace(records.clone());
                self.relate_all(commit, (field, write.index), &change);
            }
            Change::Set(value) => self.set(field.number, value),
            Change::Tags(change) => self.write_tags(commit, field, write.index, change),
            Change::Members(change) => self.write_list(field, write.index, change, &MEMBERS),
            Change::Choices(change) => self.write_list(field, write.index, change, &CHOICES),
            Change::Files(change) => self.write_list(field, write.index, change, &FILES),
            Change::Records(change) if field.allow_multiple => {
                self.relate_all(commit, (field, write.index), change);
            }
            Change::Records(change) => self.relate_one(commit, (field, write.index), change),
        }
    }

    fn clear(&mut self, commit: &Commit<'_>, field: &Field, index: EntryIndex) {
        if field.field_type == FieldType::Checkbox {
            return self.uncheck(field);
        }
        if field.is_required {
            let place = Place::Entry { index, field: field.number, key: EntryKey::Value };
            return self.fault(place, ValueFault::Required);
        }
        if field.relation.is_some() {
            return self.unrelate(commit, field, index);
        }
        self.clear_value(field);
    }

    fn is_blank(&self, field: &Field, raw: &[u8]) -> bool {
        is_blank(field, raw, &self.members, &self.others)
    }

    /// A value of which nothing is left is blank already: clearing it is no change.
    fn clear_value(&mut self, field: &Field) {
        if self.old.get(field.number).is_some_and(|raw| !self.is_blank(field, raw)) {
            self.edits.clear(field.number);
        }
    }

    /// A value that means these options already, since they replaced others, stays as it is stored.
    fn choose(&mut self, field: &Field, value: &Value) {
        let held = self.old.get(field.number).and_then(|raw| options_left(field, raw));
        if held.is_none() || held != value.options() {
            self.set(field.number, value);
        }
    }

    /// A value that means these members already, since others were deleted, stays as it is stored.
    fn appoint(&mut self, field: &Field, value: &Value) {
        let held = self.old.get(field.number);
        let held = held.and_then(|raw| members_left(field, raw, &self.members));
        if held.is_none() || held != value.members() {
            self.set(field.number, value);
        }
    }

    /// A checkbox without a value reads false already: writing that is no change.
    fn uncheck(&mut self, field: &Field) {
        if self.is_new || self.old.get(field.number).is_some() {
            self.set(field.number, &Value::Boolean(false));
        }
    }

    fn write_tags(
        &mut self,
        commit: &mut Commit<'_>,
        field: &Field,
        index: EntryIndex,
        change: &ListChange<TagRef>,
    ) {
        let before = match self.old.get(field.number).map(|raw| stored(field, raw)) {
            Some(Value::Tags(tags)) => tags,
            _none => Vec::new(),
        };
        let after = match change {
            ListChange::Replace(tags) => self.resolve_tags(commit, field, tags, true),
            ListChange::Edit { add, remove } => {
                let removed = self.resolve_tags(commit, field, remove, false);
                let added = self.resolve_tags(commit, field, add, true);
                before.into_iter().filter(|tag| !removed.contains(tag)).chain(added).collect()
            }
        };
        let place = Place::Entry { index, field: field.number, key: EntryKey::Value };
        let made = self.new_tags.iter().filter(|tag| tag.field == field.number).count();
        if commit.view.tag_count(field.number) as usize + made > TAGS_PER_FIELD_MAX {
            let fault =
                ValueFault::LimitExceeded { what: "tags of the field", max: TAGS_PER_FIELD_MAX };
            return self.fault(place, fault);
        }
        let after = distinct(&after);
        if after.len() > VALUES_MAX {
            let fault = ValueFault::LimitExceeded { what: "values", max: VALUES_MAX };
            return self.fault(place, fault);
        }
        self.set_list(field, place, after, Value::Tags);
    }

    /// The numbers of tags; names that no tag has become tags where `make` says so.
    fn resolve_tags(
        &mut self,
        commit: &mut Commit<'_>,
        field: &Field,
        tags: &[TagRef],
        make: bool,
    ) -> Vec<TagNumber> {
        let mut numbers = Vec::with_capacity(tags.len());
        for tag in tags {
            match tag {
                TagRef::Known(number) => numbers.push(*number),
                TagRef::Named(name) => numbers.extend(self.resolve_tag(commit, field, name, make)),
            }
        }
        numbers
    }

    fn resolve_tag(
        &mut self,
        commit: &mut Commit<'_>,
        field: &Field,
        name: &str,
        make: bool,
    ) -> Option<TagNumber> {
        let place = (field.number, key::tag_key(name));
        let found = self.made.get(&place).copied();
        let found = found.or_else(|| commit.view.tag(field.number, &place.1));
        if found.is_some() || !make {
            return found;
        }
        let last = self.new_tags.last().map_or_else(|| commit.view.tag_number(), |tag| tag.number);
        let number = last.next();
        let id = TagId(commit.moment.id());
        self.new_tags.push(Tag { field: field.number, number, id, name: name.into() });
        self.made.insert(place, number);
        Some(number)
    }

    fn write_list<T: Copy + Ord>(
        &mut self,
        field: &Field,
        index: EntryIndex,
        change: &ListChange<T>,
        form: &ListForm<T>,
    ) {
        let held = self.old.get(field.number).map(|raw| stored(field, raw));
        let before = held.and_then(|value| (form.held)(field, &self.members, value));
        let after = match change {
            ListChange::Replace(values) => values.clone(),
            ListChange::Edit { add, remove } => {
                let removed: BTreeSet<T> = remove.iter().copied().collect();
                let kept = before.iter().flatten().filter(|value| !removed.contains(value));
                kept.chain(add).copied().collect()
            }
        };
        let (place, after) =
            (Place::Entry { index, field: field.number, key: EntryKey::Value }, distinct(&after));
        if after.len() > form.max {
            let fault = ValueFault::LimitExceeded { what: "values", max: form.max };
            return self.fault(place, fault);
        }
        // What reads so already, since some of it is gone or was replaced, stays as it is stored.
        if !after.is_empty() && before.as_ref() == Some(&after) {
            return;
        }
        self.set_list(field, place, after, form.made);
    }

    fn set_list<T>(
        &mut self,
        field: &Field,
        place: Place,
        list: Vec<T>,
        value: impl FnOnce(Vec<T>) -> Value,
    ) {
        if !list.is_empty() {
            return self.set(field.number, &value(list));
        }
        if field.is_required {
            return self.fault(place, ValueFault::Required);
        }
        self.clear_value(field);
    }

    /// Gives a new record the values that nobody need name: the owner, the first stage, unchecked
    /// checkboxes.
    pub(super) fn fill_defaults(&mut self, commit: &Commit<'_>) {
        for field in commit.schema.fields() {
            if field.field_type == FieldType::Checkbox
                && !field.is_computed()
                && !self.mentions(field.number)
            {
                self.set(field.number, &Value::Boolean(false));
            }
        }
        self.fill_stage(commit);
        self.fill_owner(commit);
    }

    /// An owner that was not given, or is gone, is the calling member.
    pub(super) fn fill_owner(&mut self, commit: &Commit<'_>) {
        let Some(owner) = commit.schema.owner() else { return };
        if self.is_blamed(owner.number) {
            return;
        }
        let held = self.value(owner.number).map(|raw| stored(owner, raw));
        if let Some(Value::Member(member)) = held
            && commit.caller.members.get(&member).is_some()
        {
            return;
        }
        let number = owner.number;
        if !self.mentions(number) {
            self.filled.push(number);
        }
        self.set(number, &Value::Member(commit.caller.member));
    }

    /// Required fields without a value, on a record that is made or restored.
    pub(super) fn check_required(&mut self, commit: &Commit<'_>) {
        for field in commit.schema.fields() {
            let exempt =
                field.is_computed() || field.is_mirror() || field.field_type == FieldType::Checkbox;
            let is_missing = |raw: Option<&[u8]>| raw.is_none_or(|raw| self.is_blank(field, raw));
            let is_due = field.is_required && !exempt && is_missing(self.value(field.number));
            if is_due && !self.is_blamed(field.number) {
                let place = self.place_of(field.number);
                self.fault(place, ValueFault::Required);
            }
        }
    }

    /// Leaves if a value is at fault: the stage of values is over.
    pub(super) fn end_of_values(&mut self) -> Result<(), Rejection> {
        if self.faults.is_empty() {
            return Ok(());
        }
        let mut faults = std::mem::take(&mut self.faults);
        faults.sort_by_key(|fault| fault_order(&fault.place));
        Err(Rejection::Faults(faults))
    }

    /// Values of unique fields that live records have: those of the request are its fault.
    pub(super) fn check_unique(
        &self,
        commit: &Commit<'_>,
        own: Option<&Record>,
        taken: &mut Taken,
    ) {
        for field in commit.schema.further_unique_fields() {
            let written = self.edits.get(field.number).is_some();
            if !written {
                continue;
            }
            if let Some(holder) = self.other_claimant(commit, field, own) {
                let place = self.place_of(field.number);
                let kind = FaultKind::Unique { holder: holder.id() };
                taken.faults.push(RecordFault { place, kind });
            }
        }
        self.check_together(commit, own, taken);
    }

    /// Stored values of a record that comes back, which live records have taken meanwhile.
    pub(super) fn check_restored(
        &mut self,
        commit: &Commit<'_>,
        record: &Record,
        on_conflict: RestoreConflict,
    ) -> Vec<Clash> {
        let mut clashes = Vec::new();
        let schema = commit.schema.clone();
        for field in schema.further_unique_fields() {
            if self.edits.get(field.number).is_some() {
                continue;
            }
            let Some(holder) = self.other_claimant(commit, field, Some(record)) else { continue };
            let raw = self.value(field.number).expect("a claim has a value");
            let parts = vec![(field.number, stored(field, raw))];
            clashes.push(Clash { parts, holder: holder.id() });
        }
        self.settle_clashes(commit, on_conflict, &mut clashes);
        // What was cleared just now is in nobody's way.
        let mut joint = self.joint_clashes(commit, record);
        self.settle_clashes(commit, on_conflict, &mut joint);
        clashes.extend(joint);
        clashes
    }

    /// Clears what is in the way, where that is asked for.
    fn settle_clashes(
        &mut self,
        commit: &Commit<'_>,
        on_conflict: RestoreConflict,
        clashes: &mut Vec<Clash>,
    ) {
        if on_conflict == RestoreConflict::Refuse {
            return;
        }
        // What the caller may not write it cannot clear either: that stays in the way.
        let rights = commit.access.fields(&commit.schema);
        clashes.retain(|clash| {
            let may_clear = clash.parts.iter().all(|(field, _)| rights.may_write(*field));
            if may_clear {
                clash.parts.iter().for_each(|(field, _)| self.edits.clear(*field));
            }
            !may_clear
        });
    }

    pub(super) fn other_claimant(
        &self,
        commit: &Commit<'_>,
        field: &Field,
        own: Option<&Record>,
    ) -> Option<Record> {
        let claim = claim_of(field, self.value(field.number)?)?;
        commit.view.claimant(&claim).filter(|holder| own.is_none_or(|own| own.id() != holder.id()))
    }

    /// Whether anything but the time of change would differ.
    pub(super) fn changes(&self) -> bool {
        self.edits.change(self.old)
    }

    /// Takes the marks of an archived record off.
    pub(super) fn restore(&mut self) {
        self.edits.clear(system::ARCHIVED_AT);
        self.edits.clear(system::ARCHIVED_BY);
        self.edits.clear(system::DISPLACED_FROM);
    }
}

/// Faults of the body's keys first, then of entries in their order, then of fields.
fn fault_order(place: &Place) -> (u8, EntryIndex) {
    match place {
        Place::LookupValue | Place::Identifier | Place::Stage => (0, EntryIndex::default()),
        Place::Entry { index, .. } | Place::Unresolved { index, .. } => (1, *index),
        Place::Field(field) => (2, EntryIndex::of_fields(field.0)),
    }
}

/// Every value once, at its first place.
fn distinct<T: Copy + Ord>(list: &[T]) -> Vec<T> {
    let mut seen = BTreeSet::new();
    list.iter().copied().filter(|value| seen.insert(*value)).collect()
}
