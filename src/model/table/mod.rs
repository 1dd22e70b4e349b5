//! A table: one object in one business in memory. Schema, tags, records, unique indexes.
//!
//! `decide/` says which events follow on a command, `apply.rs` what an event changes; a table is
//! always exactly what applying its events in order gives.

pub mod apply;
mod archived_claims;
pub mod body;
mod claims;
pub mod column;
pub mod columns;
pub mod command;
pub mod decide;
pub mod digest;
pub mod draft;
pub mod event;
pub mod event_form;
pub mod index;
pub mod intent;
pub mod link;
pub mod naming;
pub mod order;
pub mod others;
mod owners;
pub mod precondition;
pub mod record;
pub mod scan;
pub mod schema_command;
pub mod search;
pub mod snapshot_form;
pub mod source;
pub mod streams;
pub mod tags;
pub mod team;
#[cfg(test)]
pub(crate) mod test_support;
#[cfg(test)]
mod tests;
pub mod trial;

use crate::model::id::{
    FieldNumber, HistoryId, ObjectId, RecordId, Sequence, TagNumber, Timestamp, WriterId,
};
use crate::model::key::Key;
use crate::model::moment::{Mark, Moment};
use crate::model::retry::hash::RetryKey;
use crate::model::retry::outcomes::Outcomes;
use crate::model::retry::{Answered, OutcomeChange, RecordAnswered, Retry, StoredOutcome};
use crate::model::schema::Schema;
use crate::model::state::State;
use crate::model::table::archived_claims::ArchivedClaims;
use crate::model::table::columns::Columns;
use crate::model::table::command::{Command, Reply};
use crate::model::table::decide::Rejection;
use crate::model::table::digest::Digest;
use crate::model::table::draft::{Draft, View};
use crate::model::table::event::{ClaimOn, Event, FollowUpNumber, Stamp};
use crate::model::table::index::{ById, ByKey, Index, OwnerIndex, UniqueIndex};
use crate::model::table::order::{Order, Wanted};
use crate::model::table::record::Record;
use crate::model::table::scan::Scan;
use crate::model::table::streams::Streams;
use crate::model::table::tags::Tags;
use arc_swap::ArcSwap;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{
    AtomicU64,
    Ordering::{Acquire, Release},
};

/// Limits of a table's records and commits, in bytes of their stored form.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// One record's body.
    pub record_bytes_max: usize,
    /// All events of one command.
    pub commit_bytes_max: usize,
}

/// What a table needs to know of the process it lives in.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    pub limits: Limits,
    /// The log's, so that all copies of a table have equal digests.
    pub digest_key: [u8; 16],
}

/// What readers may see. Only the table's writer changes it, by `apply`.
pub struct Shown {
    history: HistoryId,
    pub ids: Index<ById>,
    pub keys: Index<ByKey>,
    pub order: Order,
    pub columns: Columns,
    pub tags: Tags,
    /// Streams of rows that can be resumed.
    pub streams: Streams,
    schema: ArcSwap<Schema>,
    uniques: ArcSwap<BTreeMap<ClaimOn, Arc<UniqueIndex>>>,
    owners: ArcSwap<BTreeMap<FieldNumber, Arc<OwnerIndex>>>,
    follow_ups: ArcSwap<FollowUps>,
    sequence: AtomicU64,
}

impl Shown {
    /// Whose records these are.
    #[must_use]
    pub fn object(&self) -> ObjectId {
        self.schema.load().object().id
    }

    /// Who writes it.
    #[must_use]
    pub fn writer(&self) -> WriterId {
        WriterId::Table(self.object())
    }

    /// Of which its sequences are the numbers.
    #[must_use]
    pub fn history(&self) -> HistoryId {
        self.history
    }

    /// The schema as of the newest durable change.
    #[must_use]
    pub fn schema(&self) -> Arc<Schema> {
        self.schema.load_full()
    }

    /// The record of this id, archived ones too.
    #[must_use]
    pub fn record(&self, id: RecordId) -> Option<Record> {
        self.ids.get(id.as_bytes())
    }

    /// Who holds this identifier, live or archived.
    #[must_use]
    pub fn holder(&self, key: &Key) -> Option<Record> {
        self.keys.get(key.as_bytes())
    }

    /// Which records a relationship field leads from.
    #[must_use]
    pub fn owners(&self, field: FieldNumber) -> Option<Arc<OwnerIndex>> {
        self.owners.load().get(&field).cloned()
    }

    /// The index of a field whose values a live record has for itself, or of a constraint.
    #[must_use]
    pub fn unique(&self, on: impl Into<ClaimOn>) -> Option<Arc<UniqueIndex>> {
        self.uniques.load().get(&on.into()).cloned()
    }

    /// What was sent to other writers and is not confirmed.
    #[must_use]
    pub fn follow_ups(&self) -> Arc<FollowUps> {
        self.follow_ups.load_full()
    }

    /// The sequence of the newest durable change.
    #[must_use]
    pub fn sequence(&self) -> Sequence {
        Sequence(self.sequence.load(Acquire))
    }

    /// Live records.
    #[must_use]
    pub fn live_count(&self) -> usize {
        self.order.count(Wanted::Live)
    }
}

/// Follow-ups that were sent and not confirmed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FollowUps {
    /// The highest number given out.
    pub last: FollowUpNumber,
    /// Purged records of which the agenda may not know yet.
    pub open: BTreeMap<FollowUpNumber, RecordId>,
}

/// The state that one writer owns: what readers see, and what the writer alone needs.
pub struct Table {
    pub(crate) shown: Arc<Shown>,
    outcomes: Arc<Outcomes>,
    object: ObjectId,
    pub(crate) history: HistoryId,
    pub(crate) limits: Limits,
    sequence: Sequence,
    slots: u32,
    tag_number: TagNumber,
    /// Views that are being walked: a snapshot's, and those of exports.
    scans: Vec<Arc<Scan>>,
    digest: Digest,
    archived_claims: ArchivedClaims,
}

impl Table {
    /// A table as its first event leaves it.
    ///
    /// # Panics
    /// On any other event.
    #[must_use]
    pub fn born(event: &Event, setting: Setting) -> Self {
        let Event::ObjectCreated { sequence, history, schema, .. } = event else {
            panic!("a table begins with the creation of its object");
        };
        let mut table = Self::empty(*history, schema.clone(), setting, 0);
        table.publish_sequence(*sequence);
        table
    }

    /// A table without records, its maps presized for so many.
    fn empty(history: HistoryId, schema: Arc<Schema>, setting: Setting, records: usize) -> Self {
        let object = schema.object().id;
        let shown = Shown {
            history,
            ids: Index::with_capacity(records),
            keys: Index::with_capacity(records),
            order: Order::default(),
            columns: Columns::default(),
            tags: Tags::default(),
            streams: Streams::default(),
            schema: ArcSwap::new(schema.clone()),
            uniques: ArcSwap::default(),
            owners: ArcSwap::default(),
            follow_ups: ArcSwap::default(),
            sequence: AtomicU64::new(0),
        };
        shown.put_schema(schema);
        Self {
            shown: Arc::new(shown),
            outcomes: Arc::default(),
            object,
            history,
            limits: setting.limits,
            sequence: Sequence(0),
            slots: 0,
            tag_number: TagNumber(0),
            scans: Vec::new(),
            digest: Digest::new(setting.digest_key),
            archived_claims: ArchivedClaims::default(),
        }
    }

    #[must_use]
    pub fn object(&self) -> ObjectId {
        self.object
    }

    /// What readers may see of it.
    #[must_use]
    pub fn shown(&self) -> Arc<Shown> {
        self.shown.clone()
    }

    /// The number of its last change.
    #[must_use]
    pub fn sequence(&self) -> Sequence {
        self.sequence
    }

    /// Slots ever given out.
    #[must_use]
    pub fn slot_count(&self) -> u32 {
        self.slots
    }

    fn publish_sequence(&mut self, sequence: Sequence) {
        self.sequence = sequence;
        self.shown.sequence.store(sequence.0, Release);
    }
}

impl State for Table {
    type Command = Command;
    type Event = Event;
    type Reply = Reply;
    type Rejection = Rejection;
    type Draft = Draft;

    fn writer(&self) -> WriterId {
        WriterId::Table(self.object)
    }

    fn on_plain_state(command: &Command) -> bool {
        command.is_schema_change()
    }

    fn decide(
        &self,
        draft: &Draft,
        command: Command,
        moment: &mut Moment,
        events: &mut Vec<Event>,
    ) -> Result<Reply, Rejection> {
        decide::decide(View { table: self, drafts: &[draft] }, command, moment, events)
    }

    fn lay(draft: &mut Draft, event: &Event) {
        draft.lay(event);
    }

    fn lift(draft: &mut Draft, event: &Event) {
        draft.lift(event);
    }

    fn encode(event: &Event, out: &mut Vec<u8>) {
        event_form::encode(event, out);
    }

    fn sequence(event: &Event) -> Option<Sequence> {
        event.sequence()
    }

    fn time(event: &Event) -> Timestamp {
        event.stamp().at
    }

    fn outcomes(&self) -> &Arc<Outcomes> {
        &self.outcomes
    }

    fn retry(command: &Command, at: Timestamp) -> Option<(Arc<Retry>, Stamp)> {
        command.caller.stamped_retry(at)
    }

    fn outcome(&self, draft: &Draft, key: &RetryKey) -> Option<Arc<StoredOutcome>> {
        View { table: self, drafts: &[draft] }.outcome(key)
    }

    fn answered(reply: &Reply) -> Option<Answered> {
        Some(match reply {
            Reply::Record(outcome) => Answered::Record(RecordAnswered::of(outcome)),
            Reply::Done => Answered::Nothing,
            Reply::NoMatch
            | Reply::Rows(_)
            | Reply::Repeated(_)
            | Reply::AlreadyApplied
            | Reply::Tried(_) => return None,
            Reply::Field(field) => Answered::Field(field.id),
            Reply::Option(choice) => Answered::Option(choice.id),
            Reply::Category(category) => Answered::Category(category.id),
        })
    }

    fn done() -> Reply {
        Reply::Done
    }

    fn outcome_event(change: OutcomeChange, stamp: Stamp, mark: Mark) -> Event {
        Event::Outcome { mark, stamp, change }
    }

    fn apply(&mut self, event: &Event) {
        self.apply_event(event);
    }
}
