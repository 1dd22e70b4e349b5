//! The events of one command while they are decided: who, when, and the numbers they get.

use crate::model::access::ObjectAccess;
use crate::model::id::{FieldNumber, RecordId, Sequence, Slot, Timestamp, Version};
use crate::model::key::Key;
use crate::model::moment::Moment;
use crate::model::schema::change::SchemaChange;
use crate::model::schema::option::Choice;
use crate::model::schema::{Schema, system};
use crate::model::table::body::{Body, Edits};
use crate::model::table::command::Caller;
use crate::model::table::decide::Rejection;
use crate::model::table::decide::keys::identifier_key;
use crate::model::table::draft::View;
use crate::model::table::event::{ChangeKind, Event, KeyMoves, Reason, RecordChange, Stamp, Tag};
use crate::model::table::precondition::Precondition;
use crate::model::table::record::{Parts, Record};
use crate::model::table::source::Guard;
use std::sync::Arc;

// What an event takes at most besides its body, as `event_form.rs` stores it. An event is counted
// before it is encoded, so that one that is too large is never built.
/// Its head, ids and numbers; an origin has 64 characters at most, of one byte each.
const EVENT_BYTES: usize = 256;
/// The number of a field or a tag.
const NUMBER_BYTES: usize = 5;
/// A new tag besides its name.
const TAG_BYTES: usize = 40;

pub(super) struct Commit<'a> {
    pub(super) view: View<'a>,
    pub(super) schema: Arc<Schema>,
    /// What the caller may do here.
    pub(super) access: ObjectAccess,
    pub(super) caller: &'a Caller,
    pub(super) moment: &'a mut Moment,
    /// What the command says of the system that it comes from.
    pub(super) guard: Option<Guard>,
    /// What the command asks of the record that it is about.
    pub(super) precondition: Option<Precondition>,
    events: &'a mut Vec<Event>,
    sequence: Sequence,
    /// Of the events of this commit, at most.
    pub(super) bytes: usize,
}

/// One change of a record, before it has its numbers.
pub(super) struct RecordEdit<'a> {
    pub(super) kind: ChangeKind,
    /// None: the record is created under this id.
    pub(super) old: Option<&'a Record>,
    pub(super) edits: Edits,
    pub(super) new_tags: Vec<Tag>,
    pub(super) reason: Option<Reason>,
}

impl<'a> Commit<'a> {
    pub(super) fn new(
        view: View<'a>,
        caller: &'a Caller,
        moment: &'a mut Moment,
        events: &'a mut Vec<Event>,
    ) -> Self {
        let schema = view.table.shown.schema();
        let access = caller.rights.on(view.table.object());
        let sequence = view.sequence();
        Self {
            view,
            schema,
            access,
            caller,
            moment,
            guard: None,
            precondition: None,
            events,
            sequence,
            bytes: 0,
        }
    }

    pub(super) fn at(&self) -> Timestamp {
        self.moment.at()
    }

    pub(super) fn stamp(&self) -> Stamp {
        self.caller.stamp(self.moment.at())
    }

    /// The number of the next change.
    pub(super) fn next_sequence(&mut self) -> Sequence {
        self.sequence = self.sequence.next();
        self.sequence
    }

    pub(super) fn push(&mut self, event: Event) {
        self.events.push(event);
    }

    /// Makes the event of a new option. What is decided next sees it.
    pub(super) fn create_option(
        &mut self,
        field: FieldNumber,
        option: Choice,
    ) -> Result<(), Rejection> {
        self.count(rmp_serde::to_vec_named(&option).expect("an option has a stored form").len())?;
        self.schema = Arc::new(self.schema.with_option(field, option.clone()));
        let (stamp, sequence) = (self.stamp(), self.next_sequence());
        self.push(Event::OptionCreated { stamp, sequence, field, option });
        Ok(())
    }

    /// Makes the event of a change of the schema. What is decided next sees it.
    pub(super) fn change_schema(&mut self, change: SchemaChange) -> Result<(), Rejection> {
        let stored = rmp_serde::to_vec_named(&change).expect("a schema has a stored form");
        self.count(stored.len())?;
        self.schema = Arc::new(self.schema.with_change(&change));
        let (stamp, sequence) = (self.stamp(), self.next_sequence());
        self.push(Event::SchemaChanged { stamp, sequence, change: Box::new(change) });
        Ok(())
    }

    /// Makes the event of a record's change. `updated` moves unless another record is the reason.
    pub(super) fn put(&mut self, edit: RecordEdit<'_>) -> Result<RecordChange, Rejection> {
        let RecordEdit { kind, old, mut edits, new_tags, reason } = edit;
        let at = self.at();
        if old.is_none() {
            edits.set(system::CREATED, |out| put_time(at, out));
        }
        if reason.is_none() {
            edits.set(system::UPDATED, |out| put_time(at, out));
        }
        self.drop_deleted(old, &mut edits);
        let (mut body, mut changed) = (Vec::with_capacity(256), Vec::new());
        edits.merge(old.map_or(Body::new(&[]), Record::body), &mut body, &mut changed);
        let is_custom = |number| number >= system::CUSTOM_FIRST;
        changed.retain(|number| {
            *number >= system::FIELD_FIRST
                && (!is_custom(*number) || self.schema.by_number(*number).is_some())
        });
        if reason.is_none() {
            self.check_record(Body::new(&body))?;
        }
        let tags: usize = new_tags.iter().map(|tag| tag.name.len() + TAG_BYTES).sum();
        self.count(body.len() + changed.len() * NUMBER_BYTES + tags)?;
        let id = old.map_or_else(|| RecordId(self.moment.id()), Record::id);
        let version = old.map_or(Version(1), |old| old.version().next());
        let slot = old.map_or_else(|| self.view.next_slot(), Record::slot);
        let record = self.build(id, version, slot, &body);
        let mut moves = KeyMoves::between(&self.schema, old, &record);
        if reason == Some(Reason::IdentifierOverwritten) {
            // The taker's entry replaces this one, so no reader misses the key for an instant.
            moves.freed = None;
        }
        Ok(RecordChange {
            mark: self.moment.mark(),
            kind,
            previous: old.map_or(Sequence(0), Record::sequence),
            stamp: self.stamp(),
            record,
            changed,
            reason,
            new_tags,
            moves,
        })
    }

    /// Values of deleted fields are shown nowhere; they go for good with the record's next change.
    fn drop_deleted(&self, old: Option<&Record>, edits: &mut Edits) {
        let Some(old) = old.filter(|_| self.schema.has_deleted_fields()) else { return };
        let is_deleted =
            |number| number >= system::CUSTOM_FIRST && self.schema.by_number(number).is_none();
        let deleted = old.body().iter().map(|(number, _)| number).filter(|at| is_deleted(*at));
        deleted.for_each(|number| edits.clear(number));
    }

    fn build(&mut self, id: RecordId, version: Version, slot: Slot, body: &[u8]) -> Record {
        let key = identifier_key(&self.schema, Body::new(body));
        let parts = Parts {
            id,
            version,
            sequence: self.next_sequence(),
            slot,
            key: key.as_ref().map(Key::as_bytes),
            body,
        };
        Record::new(&parts, &mut Vec::with_capacity(body.len() + 96))
    }

    /// What the server keeps with a record does not count: a record can always be archived.
    fn check_record(&self, body: Body<'_>) -> Result<(), Rejection> {
        let (bytes, max) = (body.fields_len(), self.view.table.limits.record_bytes_max);
        if bytes <= max { Ok(()) } else { Err(Rejection::TooLarge { what: "record", bytes, max }) }
    }

    /// Counts the next event of this commit, by the bytes of its body and of what varies besides.
    pub(super) fn count(&mut self, bytes: usize) -> Result<(), Rejection> {
        self.bytes += EVENT_BYTES + bytes;
        let (bytes, max) = (self.bytes, self.view.table.limits.commit_bytes_max);
        if bytes <= max { Ok(()) } else { Err(Rejection::TooLarge { what: "commit", bytes, max }) }
    }
}

pub(super) fn put_time(at: Timestamp, out: &mut Vec<u8>) {
    rmp::encode::write_sint(out, at.0).expect("a Vec takes every byte");
}
