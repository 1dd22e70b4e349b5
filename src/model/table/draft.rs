//! What was decided but is not yet durable, laid over a table; and a table seen through drafts.

use crate::model::id::{FieldNumber, RecordId, Sequence, Slot, TagNumber};
use crate::model::key::{self, Key};
use crate::model::moment::Mark;
use crate::model::retry::hash::RetryKey;
use crate::model::retry::{OutcomeChange, StoredOutcome};
use crate::model::table::Table;
use crate::model::table::archived_claims::place_of;
use crate::model::table::decide::keys::claims_of;
use crate::model::table::event::{ChangeKind, Claim, Event, FollowUpNumber, KeyMoves, Tag};
use crate::model::table::index::KeyHasher;
use crate::model::table::record::Record;
use crate::model::table::streams::{StreamKey, StreamState};
use std::collections::HashMap;
use std::sync::Arc;

/// Every entry carries the mark of the event that laid it, and goes with that event.
#[derive(Clone, Debug, Default)]
pub struct Draft {
    /// None: purged.
    records: HashMap<RecordId, (Mark, Option<Record>), KeyHasher>,
    /// Identifiers; none: freed.
    keys: HashMap<Key, (Mark, Option<RecordId>), KeyHasher>,
    /// Further unique fields and constraints; none: freed.
    claims: HashMap<Claim, (Mark, Option<RecordId>), KeyHasher>,
    /// Records that were archived with a value of a further unique field.
    archived: HashMap<Claim, Vec<(Mark, RecordId)>, KeyHasher>,
    tags: HashMap<(FieldNumber, Key), (Mark, TagNumber), KeyHasher>,
    /// Tags of a field that are laid here.
    tag_counts: HashMap<FieldNumber, u32, KeyHasher>,
    outcomes: HashMap<RetryKey, (Mark, Arc<StoredOutcome>), KeyHasher>,
    /// None: forgotten.
    streams: HashMap<Arc<StreamKey>, (Mark, Option<Arc<StreamState>>), KeyHasher>,
    /// The highest given out.
    sequence: Sequence,
    slots: u32,
    tag_number: TagNumber,
    follow_up: FollowUpNumber,
}

impl Draft {
    /// One whose new tags have higher numbers than this.
    #[must_use]
    pub fn with_tags_from(tag_number: TagNumber) -> Self {
        Self { tag_number, ..Self::default() }
    }

    /// Whether an identifier is taken or freed here.
    #[must_use]
    pub fn has_key(&self, key: &Key) -> bool {
        self.keys.contains_key(key)
    }

    /// A record that lies here; none: purged.
    #[must_use]
    pub fn record(&self, id: RecordId) -> Option<Option<&Record>> {
        self.records.get(&id).map(|(_, record)| record.as_ref())
    }

    /// Whether nothing lies on the table.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
            && self.keys.is_empty()
            && self.claims.is_empty()
            && self.archived.is_empty()
            && self.tags.is_empty()
            && self.tag_counts.is_empty()
            && self.outcomes.is_empty()
            && self.streams.is_empty()
    }

    pub(crate) fn lay(&mut self, event: &Event) {
        if let Some(sequence) = event.sequence() {
            self.sequence = sequence;
        }
        match event {
            Event::Record(change) => {
                self.lay_tags(change.mark, &change.new_tags);
                self.lay_moves(change.mark, &change.record, &change.moves);
                if change.kind == ChangeKind::Archived {
                    for claim in &change.moves.frees {
                        let place = (change.mark, change.record.id());
                        self.archived.entry(claim.clone()).or_default().push(place);
                    }
                }
                self.slots = self.slots.max(change.record.slot().0 + 1);
                self.lay_record(change.mark, &change.record);
            }
            Event::TeamChanged { mark, record, .. } => self.lay_record(*mark, record),
            Event::SourceKept(kept) => self.lay_record(kept.mark, &kept.record),
            Event::Purged(purge) => {
                let id = purge.old.id();
                if let Some(key) = purge.old.key() {
                    self.keys.insert(Key::of(key), (purge.mark, None));
                }
                self.records.insert(id, (purge.mark, None));
                self.follow_up = self.follow_up.max(purge.follow_up);
            }
            Event::Outcome { mark, change: OutcomeChange::Stored(outcome), .. } => {
                self.outcomes.insert(outcome.key, (*mark, outcome.clone()));
            }
            Event::StreamMoved(moved) => {
                self.streams.insert(moved.stream.clone(), (moved.mark, moved.after.clone()));
            }
            // What is completed or dropped may be found as it was until then. All others are
            // barriers: decided on plain state, durable before anything else is decided.
            Event::Outcome {
                change: OutcomeChange::Completed(_) | OutcomeChange::Dropped { .. },
                ..
            }
            | Event::ObjectCreated { .. }
            | Event::FieldCreated { .. }
            | Event::OptionCreated { .. }
            | Event::SchemaChanged { .. }
            | Event::FollowUpConfirmed { .. } => {}
        }
    }

    fn lay_record(&mut self, mark: Mark, record: &Record) {
        self.records.insert(record.id(), (mark, Some(record.clone())));
    }

    fn lay_moves(&mut self, mark: Mark, record: &Record, moves: &KeyMoves) {
        if let Some(key) = &moves.freed {
            self.keys.insert(key.clone(), (mark, None));
        }
        if moves.key_is_new
            && let Some(key) = record.key()
        {
            self.keys.insert(Key::of(key), (mark, Some(record.id())));
        }
        for claim in &moves.frees {
            self.claims.insert(claim.clone(), (mark, None));
        }
        for claim in &moves.claims {
            self.claims.insert(claim.clone(), (mark, Some(record.id())));
        }
    }

    fn lay_tags(&mut self, mark: Mark, tags: &[Tag]) {
        for tag in tags {
            self.tag_number = self.tag_number.max(tag.number);
            self.tags.insert((tag.field, key::tag_key(&tag.name)), (mark, tag.number));
            *self.tag_counts.entry(tag.field).or_default() += 1;
        }
    }

    pub(crate) fn lift(&mut self, event: &Event) {
        match event {
            Event::Record(change) => {
                let mark = change.mark;
                for tag in &change.new_tags {
                    lift(&mut self.tags, &(tag.field, key::tag_key(&tag.name)), mark);
                    self.lift_tag_count(tag.field);
                }
                if let Some(key) = &change.moves.freed {
                    lift(&mut self.keys, key, mark);
                }
                if change.moves.key_is_new
                    && let Some(key) = change.record.key()
                {
                    lift(&mut self.keys, &Key::of(key), mark);
                }
                for claim in change.moves.frees.iter().chain(&change.moves.claims) {
                    lift(&mut self.claims, claim, mark);
                }
                if change.kind == ChangeKind::Archived {
                    change.moves.frees.iter().for_each(|claim| self.lift_archived(claim, mark));
                }
                lift(&mut self.records, &change.record.id(), mark);
            }
            Event::TeamChanged { mark, record, .. } => lift(&mut self.records, &record.id(), *mark),
            Event::SourceKept(kept) => lift(&mut self.records, &kept.record.id(), kept.mark),
            Event::Purged(purge) => {
                if let Some(key) = purge.old.key() {
                    lift(&mut self.keys, &Key::of(key), purge.mark);
                }
                lift(&mut self.records, &purge.old.id(), purge.mark);
            }
            Event::Outcome { mark, change: OutcomeChange::Stored(outcome), .. } => {
                lift(&mut self.outcomes, &outcome.key, *mark);
            }
            Event::StreamMoved(moved) => lift(&mut self.streams, &moved.stream, moved.mark),
            Event::Outcome {
                change: OutcomeChange::Completed(_) | OutcomeChange::Dropped { .. },
                ..
            }
            | Event::ObjectCreated { .. }
            | Event::FieldCreated { .. }
            | Event::OptionCreated { .. }
            | Event::SchemaChanged { .. }
            | Event::FollowUpConfirmed { .. } => {}
        }
    }
}

impl Draft {
    fn lift_archived(&mut self, claim: &Claim, mark: Mark) {
        let Some(places) = self.archived.get_mut(claim) else { return };
        places.retain(|(at, _)| *at != mark);
        if places.is_empty() {
            self.archived.remove(claim);
        }
    }

    fn lift_tag_count(&mut self, field: FieldNumber) {
        if let Some(count) = self.tag_counts.get_mut(&field) {
            *count -= 1;
            if *count == 0 {
                self.tag_counts.remove(&field);
            }
        }
    }
}

/// Removes an entry, unless a later event has laid over it.
fn lift<K: std::hash::Hash + Eq, V>(
    map: &mut HashMap<K, (Mark, V), KeyHasher>,
    key: &K,
    mark: Mark,
) {
    if map.get(key).is_some_and(|(at, _)| *at == mark) {
        map.remove(key);
    }
}

/// A table with drafts laid over it, the topmost last.
#[derive(Clone, Copy)]
pub struct View<'a> {
    pub table: &'a Table,
    pub drafts: &'a [&'a Draft],
}

impl View<'_> {
    /// The record of this id, archived ones too.
    #[must_use]
    pub fn record(&self, id: RecordId) -> Option<Record> {
        for draft in self.drafts.iter().rev() {
            if let Some((_, record)) = draft.records.get(&id) {
                return record.clone();
            }
        }
        self.table.shown.ids.get(id.as_bytes())
    }

    /// Who holds this identifier, live or archived.
    #[must_use]
    pub fn holder(&self, key: &Key) -> Option<Record> {
        for draft in self.drafts.iter().rev() {
            if let Some((_, holder)) = draft.keys.get(key) {
                return holder.and_then(|id| self.record(id));
            }
        }
        let found = self.table.shown.keys.get(key.as_bytes())?;
        self.record(found.id()).filter(|record| record.key() == Some(key.as_bytes()))
    }

    /// The live record that holds a value of a further unique field, or those of a constraint.
    #[must_use]
    pub fn claimant(&self, claim: &Claim) -> Option<Record> {
        for draft in self.drafts.iter().rev() {
            if let Some((_, holder)) = draft.claims.get(claim) {
                return holder.and_then(|id| self.record(id));
            }
        }
        let found = self.table.shown.unique(claim.on)?.get(&claim.key)?;
        self.record(found.id())
    }

    /// The archived record that had a value of a further unique field, of several the one that was
    /// archived last.
    #[must_use]
    pub fn archived_claimant(&self, claim: &Claim) -> Option<Record> {
        let schema = self.table.shown.schema();
        let has_it = |record: &Record| {
            record.is_archived() && claims_of(&schema, record.body()).contains(claim)
        };
        let drafted = self.drafts.iter().filter_map(|draft| draft.archived.get(claim)).flatten();
        let drafted = drafted.filter_map(|(_, id)| self.record(*id)).filter(has_it);
        // Of those in the table the first that a draft has not changed is the last archived one.
        let shown = self.table.archived_claims.holders(claim);
        let shown = shown.filter_map(|id| self.record(id)).find(has_it);
        drafted.chain(shown).max_by_key(place_of)
    }

    /// The tag of this name in a field.
    #[must_use]
    pub fn tag(&self, field: FieldNumber, key: &Key) -> Option<TagNumber> {
        let place = (field, key.clone());
        for draft in self.drafts.iter().rev() {
            if let Some((_, number)) = draft.tags.get(&place) {
                return Some(*number);
            }
        }
        self.table.shown.tags.by_name(field, key).map(|tag| tag.number)
    }

    /// Tags of a field.
    #[must_use]
    pub fn tag_count(&self, field: FieldNumber) -> u32 {
        let laid: u32 = self.drafts.iter().filter_map(|draft| draft.tag_counts.get(&field)).sum();
        laid + self.table.shown.tags.count(field)
    }

    /// What was answered under a key.
    #[must_use]
    pub fn outcome(&self, key: &RetryKey) -> Option<Arc<StoredOutcome>> {
        for draft in self.drafts.iter().rev() {
            if let Some((_, outcome)) = draft.outcomes.get(key) {
                return Some(outcome.clone());
            }
        }
        self.table.outcomes.find(key)
    }

    /// How far a stream has come, if it is known.
    #[must_use]
    pub fn stream(&self, key: &StreamKey) -> Option<Arc<StreamState>> {
        for draft in self.drafts.iter().rev() {
            if let Some((_, state)) = draft.streams.get(key) {
                return state.clone();
            }
        }
        self.table.shown.streams.get(key)
    }

    /// The highest sequence given out.
    #[must_use]
    pub fn sequence(&self) -> Sequence {
        self.highest(self.table.sequence, |draft| draft.sequence)
    }

    /// The next free slot.
    #[must_use]
    pub fn next_slot(&self) -> Slot {
        Slot(self.highest(self.table.slots, |draft| draft.slots))
    }

    /// The highest tag number given out.
    #[must_use]
    pub fn tag_number(&self) -> TagNumber {
        self.highest(self.table.tag_number, |draft| draft.tag_number)
    }

    /// The highest follow-up number given out.
    #[must_use]
    pub fn follow_up(&self) -> FollowUpNumber {
        self.highest(self.table.shown.follow_ups.load().last, |draft| draft.follow_up)
    }

    fn highest<T: Ord + Copy>(&self, table: T, of: impl Fn(&Draft) -> T) -> T {
        self.drafts.iter().map(|draft| of(draft)).fold(table, T::max)
    }
}
