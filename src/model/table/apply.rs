//! What an event changes in a table, and how stored events are replayed.
//!
//! Applying cannot fail. Replaying can: what was stored is checked against the state first, then
//! goes the same way as an event that was just decided.

use crate::model::id::{RecordId, Sequence, Slot, Version};
use crate::model::key::Key;
use crate::model::moment::Mark;
use crate::model::retry::OutcomeChange;
use crate::model::schema::Schema;
use crate::model::schema::change::SchemaChange;
use crate::model::schema::field::Field;
use crate::model::schema::system;
use crate::model::table::body::{Body, Edits};
use crate::model::table::claims::claims_on;
use crate::model::table::decide::keys::{claims_of, identifier_key, is_readable};
use crate::model::table::event::{
    ChangeKind, ClaimOn, Event, KeyMoves, Purge, RecordChange, SourceKept, Stamp, StreamMoved,
};
use crate::model::table::event_form::{Misfit, Stored, StoredChange, StoredPurge, decode};
use crate::model::table::index::{ById, ByKey, GROW_AT, UniqueIndex};
use crate::model::table::record::{Parts, Record};
use crate::model::table::source::{has_room, put_raised};
use crate::model::table::{FollowUps, Setting, Shown, Table};
use crate::model::value::Value;
use std::collections::BTreeMap;
use std::sync::Arc;

impl Table {
    pub(super) fn apply_event(&mut self, event: &Event) {
        match event {
            Event::ObjectCreated { .. } => panic!("an object is created once: see `Table::born`"),
            Event::FieldCreated { field, .. } => {
                let schema = self.shown.schema().with_field((**field).clone());
                self.shown.put_schema(Arc::new(schema));
            }
            Event::OptionCreated { field, option, .. } => {
                let schema = self.shown.schema().with_option(*field, option.clone());
                self.shown.put_schema(Arc::new(schema));
            }
            Event::SchemaChanged { change, .. } => {
                let before = self.shown.schema();
                let schema = Arc::new(self.shown.schema().with_change(change));
                let old_keys = self.rekey(&schema);
                let made = self.shown.make_indexes(&schema, self.slots);
                self.shown.change_schema(&schema, made);
                for key in &old_keys {
                    self.shown.keys.remove_if(key.as_bytes(), |_| true);
                }
                self.note_archived_claims(&before);
            }
            Event::Record(change) => self.apply_change(change),
            Event::TeamChanged { record, .. } => self.replace(record),
            Event::SourceKept(kept) => self.replace(&kept.record),
            Event::Purged(purge) => self.apply_purge(purge),
            Event::FollowUpConfirmed { number, .. } => {
                self.change_follow_ups(|follow_ups| {
                    follow_ups.open.retain(|open, _| open > number);
                });
            }
            Event::Outcome { change, .. } => self.outcomes.apply(change),
            Event::StreamMoved(moved) => {
                self.shown.streams.put(&moved.stream, moved.after.as_ref());
            }
        }
        // Last: whoever sees the sequence sees the change.
        if let Some(sequence) = event.sequence() {
            self.publish_sequence(sequence);
        }
        if !self.scans.is_empty() {
            self.scans.retain(|scan| !scan.is_done());
        }
    }

    fn apply_change(&mut self, change: &RecordChange) {
        for tag in &change.new_tags {
            self.tag_number = self.tag_number.max(tag.number);
            self.shown.tags.put(tag.clone());
        }
        let shown = self.shown.clone();
        let (record, moves) = (&change.record, &change.moves);
        // Into every index first, then out where it no longer belongs: a held key is never missed.
        for claim in &moves.claims {
            if let Some(index) = shown.unique(claim.on) {
                index.put(claim.key.clone(), record.clone());
            }
        }
        self.replace(record);
        if let Some(key) = &moves.freed {
            shown.keys.remove_if(key.as_bytes(), |held| held.id() == record.id());
        }
        for claim in &moves.frees {
            if let Some(index) = shown.unique(claim.on) {
                index.remove_if_held_by(&claim.key, record.id());
            }
        }
        self.grow_if_due();
    }

    /// Puts a record in the place of its older version.
    fn replace(&mut self, record: &Record) {
        let slot = record.slot();
        let old = (slot.0 < self.slots).then(|| self.shown.order.get(slot)).flatten();
        for scan in &self.scans {
            scan.touch(slot, || old.clone());
        }
        if let Some(old) = &old {
            self.digest.subtract(old);
        }
        self.digest.add(record);
        if record.is_archived() || old.as_ref().is_some_and(Record::is_archived) {
            self.archived_claims.replace(&self.shown.schema(), old.as_ref(), Some(record));
        }
        if record.key().is_some() {
            self.shown.keys.put(ByKey(record.clone()));
        }
        self.refresh_claims(record, old.as_ref());
        let turns = self.shown.turns(old.as_ref(), record);
        for turn in &turns {
            turn.begin(record);
        }
        self.shown.ids.put(ById(record.clone()));
        self.shown.order.put(slot, Some(record.clone()));
        for turn in &turns {
            turn.end(record);
        }
        self.slots = self.slots.max(slot.0 + 1);
    }

    /// The indexes of claims hold the record itself: those whose value stayed too.
    fn refresh_claims(&self, record: &Record, old: Option<&Record>) {
        let uniques = self.shown.uniques.load();
        if uniques.is_empty() || old.is_none() || record.is_archived() {
            return;
        }
        for claim in claims_of(&self.shown.schema(), record.body()) {
            if let Some(index) = uniques.get(&claim.on) {
                index.put(claim.key, record.clone());
            }
        }
    }

    /// Where names match otherwise by another schema, gives every record the key that it has then.
    /// Until that schema is there a name is found under its old key too; those are answered, for no
    /// two records share a key in either form, and so no old key is another record's new one.
    fn rekey(&self, schema: &Schema) -> Vec<Key> {
        let shown = &self.shown;
        let mut old_keys = Vec::new();
        if schema.identifier_case() == shown.schema().identifier_case() {
            return old_keys;
        }
        for slot in (0..self.slots).map(Slot) {
            let Some(old) = shown.order.get(slot) else { continue };
            let key = identifier_key(schema, old.body());
            let key = key.as_ref().map(Key::as_bytes);
            if key == old.key() {
                continue;
            }
            for scan in &self.scans {
                scan.touch(slot, || Some(old.clone()));
            }
            let parts = Parts { key, ..parts_of(&old, old.body().bytes()) };
            let record = Record::new(&parts, &mut Vec::with_capacity(old.len() + 64));
            if record.key().is_some() {
                shown.keys.put(ByKey(record.clone()));
            }
            self.refresh_claims(&record, Some(&old));
            shown.ids.put(ById(record.clone()));
            shown.order.put(slot, Some(record));
            old_keys.extend(old.key().map(Key::of));
        }
        old_keys
    }

    /// Makes the index of archived records anew where other values are unique than before.
    fn note_archived_claims(&mut self, before: &Schema) {
        let after = self.shown.schema();
        let unique = |schema: &Schema| {
            let fields = schema.claimed_fields().map(|field| (field.number, field.normalizer));
            let alone = schema.claiming_fields().map(|field| field.number);
            let together = schema.constraints().iter().map(|it| (it.number, it.fields.clone()));
            (fields.collect::<Vec<_>>(), alone.collect::<Vec<_>>(), together.collect::<Vec<_>>())
        };
        if unique(before) != unique(&after) {
            self.make_archived_claims();
        }
    }

    pub(super) fn make_archived_claims(&mut self) {
        let (schema, order) = (self.shown.schema(), &self.shown.order);
        let records = (0..self.slots).filter_map(|slot| order.get(Slot(slot)));
        self.archived_claims.rebuild(&schema, records);
    }

    fn apply_purge(&mut self, purge: &Purge) {
        let old = &purge.old;
        for scan in &self.scans {
            scan.touch(old.slot(), || self.shown.order.get(old.slot()));
        }
        self.digest.subtract(old);
        self.archived_claims.replace(&self.shown.schema(), Some(old), None);
        self.change_follow_ups(|follow_ups| {
            follow_ups.last = purge.follow_up;
            follow_ups.open.insert(purge.follow_up, old.id());
        });
        self.outcomes.forget_record(old.id());
        self.shown.ids.remove_if(old.id().as_bytes(), |_| true);
        self.shown.order.put(old.slot(), None);
        if let Some(key) = old.key() {
            self.shown.keys.remove_if(key, |held| held.id() == old.id());
        }
    }

    fn change_follow_ups(&self, change: impl FnOnce(&mut FollowUps)) {
        let mut follow_ups = FollowUps::clone(&self.shown.follow_ups.load());
        change(&mut follow_ups);
        self.shown.follow_ups.store(Arc::new(follow_ups));
    }

    /// One map a turn, so that the writer never stands still for two of them.
    fn grow_if_due(&self) {
        if (self.slots as usize) < GROW_AT {
            return;
        }
        if self.shown.keys.is_small() {
            self.shown.keys.grow();
        } else if self.shown.ids.is_small() {
            self.shown.ids.grow();
        }
    }

    /// A table from its stored events, the first of which creates it, and how many there were.
    pub fn from_birth(mut bytes: &[u8], setting: Setting) -> Result<(Self, u32), Misfit> {
        let (stamp, stored) = decode(&mut bytes)?;
        let Stored::ObjectCreated { sequence, history, schema } = stored else {
            return Err(Misfit::Unborn);
        };
        if sequence != Sequence(1) {
            return Err(Misfit::Order { what: "sequence", expected: 1, found: sequence.0 });
        }
        let mut table =
            Self::born(&Event::ObjectCreated { stamp, sequence, history, schema }, setting);
        let count = 1 + table.replay(bytes)?;
        Ok((table, count))
    }

    /// Applies stored events, one after the other.
    pub fn replay(&mut self, mut bytes: &[u8]) -> Result<u32, Misfit> {
        let mut count = 0;
        while !bytes.is_empty() {
            let (stamp, stored) = decode(&mut bytes)?;
            let event = self.restore_event(stamp, stored)?;
            self.apply_event(&event);
            count += 1;
        }
        Ok(count)
    }

    /// Gives a stored event what only memory knows, and checks that it follows on this state.
    fn restore_event(&self, stamp: Stamp, stored: Stored<'_>) -> Result<Event, Misfit> {
        match stored {
            Stored::ObjectCreated { .. } => Err(Misfit::Twice { what: "an object's creation" }),
            Stored::FieldCreated { sequence, field } => {
                self.expect_sequence(sequence)?;
                if self.shown.schema().any_field(field.id).is_some()
                    || self.shown.schema().by_number(field.number).is_some()
                {
                    return Err(Misfit::Twice { what: "a field" });
                }
                Ok(Event::FieldCreated { stamp, sequence, field })
            }
            Stored::OptionCreated { sequence, field, option } => {
                self.expect_sequence(sequence)?;
                let schema = self.shown.schema();
                let Some(_) = schema.by_number(field) else {
                    return Err(Misfit::Unknown { what: format!("field {field}") });
                };
                Ok(Event::OptionCreated { stamp, sequence, field, option })
            }
            Stored::SchemaChanged { sequence, change } => {
                self.expect_sequence(sequence)?;
                let checked = self.shown.schema().check_change(&change);
                checked.map_err(|what| Misfit::Unknown { what })?;
                self.expect_readable(&change)?;
                Ok(Event::SchemaChanged { stamp, sequence, change })
            }
            Stored::Record(stored) => self.restore_change(stamp, stored).map(Event::Record),
            Stored::TeamChanged { id, body } => {
                let old = self.shown.record(id).ok_or(Misfit::Missing { id })?;
                if !is_readable(&self.shown.schema(), Body::new(body)) {
                    return Err(Misfit::Shape { what: "a value" });
                }
                let record = same_version(&old, body);
                Ok(Event::TeamChanged { mark: Mark::default(), stamp, record })
            }
            Stored::SourceKept { id, guard } => {
                let old = self.shown.record(id).ok_or(Misfit::Missing { id })?;
                if !has_room(old.body(), &guard.source) {
                    return Err(Misfit::Shape { what: "a source" });
                }
                let (mut edits, mut body) = (Edits::default(), Vec::new());
                edits.set(system::SOURCE_VERSIONS, |out| put_raised(old.body(), &guard, out));
                edits.merge(old.body(), &mut body, &mut Vec::new());
                let (mark, record) = (Mark::default(), same_version(&old, &body));
                Ok(Event::SourceKept(SourceKept { mark, stamp, record, guard }))
            }
            Stored::Purged(stored) => self.restore_purge(stamp, &stored).map(Event::Purged),
            Stored::FollowUpConfirmed { number } => Ok(Event::FollowUpConfirmed { stamp, number }),
            Stored::Outcome { change } => {
                let (mark, change) = (Mark::default(), self.restore_outcome(change)?);
                Ok(Event::Outcome { mark, stamp, change })
            }
            Stored::StreamMoved { stream, after } => {
                let (mark, stream, after) =
                    (Mark::default(), Arc::new(stream), after.map(Arc::new));
                Ok(Event::StreamMoved(StreamMoved { mark, stamp, stream, after }))
            }
        }
    }

    /// Gives an outcome the record that its write left: the one that is here now.
    fn restore_outcome(&self, change: OutcomeChange) -> Result<OutcomeChange, Misfit> {
        let OutcomeChange::Stored(outcome) = &change else { return Ok(change) };
        let Some(answered) = outcome.record() else { return Ok(change) };
        let record = self.shown.record(answered.id);
        let record = record.ok_or(Misfit::Missing { id: answered.id })?;
        if record.version() != answered.version {
            let (expected, found) = (record.version().0.into(), answered.version.0.into());
            return Err(Misfit::Order { what: "the version of an outcome", expected, found });
        }
        Ok(OutcomeChange::Stored(Arc::new(outcome.with_record(Some(record)))))
    }

    /// Checks the values that new indexes are made of: until then nobody relied on them.
    fn expect_readable(&self, change: &SchemaChange) -> Result<(), Misfit> {
        let before = self.shown.schema();
        let after = before.with_change(change);
        let is_known = |field: &Field| before.claimed_fields().any(|it| it.number == field.number);
        let fields: Vec<&Arc<Field>> =
            after.claimed_fields().filter(|field| !is_known(field)).collect();
        if fields.is_empty() {
            return Ok(());
        }
        let is_sound = |record: &Record| {
            fields.iter().all(|field| {
                let raw = record.value(field.number);
                raw.is_none_or(|mut raw| Value::decode(field, &mut raw).is_ok())
            })
        };
        let mut slots = (0..self.slot_count()).map(Slot);
        if slots.all(|slot| self.shown.order.get(slot).as_ref().is_none_or(is_sound)) {
            return Ok(());
        }
        Err(Misfit::Shape { what: "a value" })
    }

    pub(super) fn restore_change(
        &self,
        stamp: Stamp,
        stored: StoredChange<'_>,
    ) -> Result<RecordChange, Misfit> {
        self.expect_sequence(stored.sequence)?;
        let old = self.shown.record(stored.id);
        if old.is_none() && stored.kind != ChangeKind::Created {
            return Err(Misfit::Missing { id: stored.id });
        }
        expect_next(old.as_ref(), stored.version, stored.previous)?;
        let schema = self.shown.schema();
        let slot = old.as_ref().map_or(Slot(self.slots), Record::slot);
        let record = restore_record(
            &schema,
            stored.id,
            (stored.version, stored.sequence, slot),
            stored.body,
        )?;
        let moves = KeyMoves::between(&schema, old.as_ref(), &record);
        Ok(RecordChange {
            mark: Mark::default(),
            kind: stored.kind,
            record,
            previous: stored.previous,
            stamp,
            changed: stored.changed,
            reason: stored.reason,
            new_tags: stored.new_tags,
            moves,
        })
    }

    fn restore_purge(&self, stamp: Stamp, stored: &StoredPurge) -> Result<Purge, Misfit> {
        self.expect_sequence(stored.sequence)?;
        let old = self.shown.record(stored.id).ok_or(Misfit::Missing { id: stored.id })?;
        expect_next(Some(&old), stored.version, stored.previous)?;
        Ok(Purge {
            mark: Mark::default(),
            old,
            sequence: stored.sequence,
            stamp,
            key_hash: stored.key_hash,
            follow_up: stored.follow_up,
        })
    }

    fn expect_sequence(&self, found: Sequence) -> Result<(), Misfit> {
        let expected = self.sequence.next();
        if found == expected {
            return Ok(());
        }
        Err(Misfit::Order { what: "sequence", expected: expected.0, found: found.0 })
    }
}

/// Whether a stored change is the one after what the table holds.
fn expect_next(old: Option<&Record>, version: Version, previous: Sequence) -> Result<(), Misfit> {
    let expected = old.map_or(Version(1), |old| old.version().next());
    if version != expected {
        let (expected, found) = (u64::from(expected.0), u64::from(version.0));
        return Err(Misfit::Order { what: "version", expected, found });
    }
    let expected = old.map_or(Sequence(0), Record::sequence);
    if previous != expected {
        let (expected, found) = (expected.0, previous.0);
        return Err(Misfit::Order { what: "the previous change of a record", expected, found });
    }
    Ok(())
}

/// Builds a record of a stored body; its key follows from the schema.
pub(crate) fn restore_record(
    schema: &Schema,
    id: RecordId,
    (version, sequence, slot): (Version, Sequence, Slot),
    body: &[u8],
) -> Result<Record, Misfit> {
    if !is_readable(schema, Body::new(body)) {
        return Err(Misfit::Shape { what: "a value" });
    }
    let key = identifier_key(schema, Body::new(body));
    let key = key.as_ref().map(Key::as_bytes);
    let parts = Parts { id, version, sequence, slot, key, body };
    Ok(Record::new(&parts, &mut Vec::with_capacity(body.len() + 64)))
}

/// The record with another body that is no new version: its explicit team.
#[must_use]
pub(crate) fn same_version(old: &Record, body: &[u8]) -> Record {
    Record::new(&parts_of(old, body), &mut Vec::with_capacity(body.len() + 64))
}

/// What the record is made of, with another body.
fn parts_of<'a>(old: &'a Record, body: &'a [u8]) -> Parts<'a> {
    Parts {
        id: old.id(),
        version: old.version(),
        sequence: old.sequence(),
        slot: old.slot(),
        key: old.key(),
        body,
    }
}

impl KeyMoves {
    /// What a record takes and frees by becoming another version.
    #[must_use]
    pub fn between(schema: &Schema, old: Option<&Record>, new: &Record) -> Self {
        let old_key = old.and_then(Record::key);
        let key_is_new = new.key().is_some() && old_key != new.key();
        let freed = old_key.filter(|_| old_key != new.key()).map(Key::of);
        if !schema.has_claims() {
            return Self { key_is_new, freed, ..Self::default() };
        }
        // An archived record claims its identifier and nothing else.
        let held = |record: &Record| {
            if record.is_archived() { Vec::new() } else { claims_of(schema, record.body()) }
        };
        let (before, after) = (old.map(held).unwrap_or_default(), held(new));
        Self {
            key_is_new,
            freed,
            claims: after.iter().filter(|claim| !before.contains(claim)).cloned().collect(),
            frees: before.into_iter().filter(|claim| !after.contains(claim)).collect(),
        }
    }
}

impl Shown {
    /// Replaces the schema, and makes the indexes that it asks for. A new field is made before any
    /// record has a value of it, so its index begins empty.
    pub(super) fn put_schema(&self, schema: Arc<Schema>) {
        let mut uniques = BTreeMap::clone(&self.uniques.load());
        for on in claims_on(&schema) {
            uniques.entry(on).or_default();
        }
        self.uniques.store(Arc::new(uniques));
        self.make_owners(&schema);
        self.schema.store(schema);
    }

    /// Replaces the schema of a table with records. Indexes are there before the schema that needs
    /// them, and stay until it is replaced.
    fn change_schema(&self, schema: &Arc<Schema>, made: BTreeMap<ClaimOn, Arc<UniqueIndex>>) {
        let mut uniques = BTreeMap::clone(&self.uniques.load());
        uniques.extend(made);
        self.uniques.store(Arc::new(uniques.clone()));
        self.make_owners(schema);
        self.schema.store(schema.clone());
        uniques.retain(|on, _| claims_on(schema).any(|claimed| claimed == *on));
        self.uniques.store(Arc::new(uniques));
        self.drop_owners(schema);
    }
}
