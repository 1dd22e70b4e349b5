//! A relationship field with the table it leads to: which records one record is related to.
//!
//! Both sides are answered from the owning one: its own value, or the index of who leads here. What
//! is archived or purged is left out, so that it comes and goes by itself. It is durable state, and
//! each record is read at one instant.

use crate::model::access::{ObjectAccess, Reach};
use crate::model::filter::row::{Needs, Row, Surroundings};
use crate::model::filter::words::Words;
use crate::model::id::{ObjectId, RecordId, Slot};
use crate::model::schema::Schema;
use crate::model::schema::field::Field;
use crate::model::table::Shown;
use crate::model::table::index::{KeyHasher, OwnerIndex};
use crate::model::table::owners::related_ids;
use crate::model::table::record::Record;
use crate::model::table::search::Interrupted;
use std::collections::HashSet;
use std::ops::Range;
use std::sync::Arc;

/// Records taken out of an index at once: long enough to be cheap, short enough for its lock.
const STEP: usize = 1_024;

/// A table on the other side of a relation, and what the caller may do there.
#[derive(Clone)]
pub struct Side {
    pub shown: Arc<Shown>,
    pub access: ObjectAccess,
}

impl Side {
    /// Whether a record is shown on this side of a relation, and may be related to.
    #[must_use]
    pub fn shows(&self, schema: &Schema, record: &Record) -> bool {
        !record.is_archived() && self.access.may_read(schema, record)
    }
}

/// What the tables of a business are to whoever follows a relation: those that the caller may see.
pub type Tables<'a> = dyn Fn(ObjectId) -> Option<Side> + 'a;

/// A relationship field and what is on its other side.
#[derive(Clone)]
pub struct Link {
    field: Arc<Field>,
    other: Side,
    /// Of the other side.
    schema: Arc<Schema>,
    /// Of a mirror.
    owner: Option<Owner>,
}

/// The field that a mirror shows the other side of.
#[derive(Clone)]
struct Owner {
    field: Arc<Field>,
    index: Arc<OwnerIndex>,
}

/// The first of the records that one is related to.
#[derive(Debug, Default)]
pub struct Related {
    /// All of them.
    pub count: usize,
    pub records: Vec<Record>,
}

/// Records on the other side that a condition asks for; one that is not there is wanted in vain.
#[derive(Clone, Debug)]
pub enum Wanted {
    /// The ids that a record must keep.
    Kept(Vec<Option<RecordId>>),
    /// Of each, what it leads to.
    Led(Vec<HashSet<RecordId, KeyHasher>>),
}

impl Wanted {
    /// So many records, none of which is there.
    #[must_use]
    pub fn nothing(ids: &[RecordId]) -> Self {
        Self::Kept(vec![None; ids.len()])
    }
}

impl Link {
    /// Follows a field; none where nothing is on its other side.
    #[must_use]
    pub fn of(field: &Arc<Field>, tables: &Tables<'_>) -> Option<Self> {
        let relation = field.relation.as_ref()?;
        let other = tables(relation.object)?;
        let schema = other.shown.schema();
        let owner = if relation.is_mirror {
            let field = schema.by_id(relation.field)?.clone();
            let index = other.shown.owners(field.number)?;
            Some(Owner { field, index })
        } else {
            None
        };
        Some(Self { field: field.clone(), other, schema, owner })
    }

    /// The table on the other side.
    #[must_use]
    pub fn other(&self) -> &Arc<Shown> {
        &self.other.shown
    }

    /// What the caller may do there.
    #[must_use]
    pub fn access(&self) -> &ObjectAccess {
        &self.other.access
    }

    /// The schema on the other side, as of when the field was followed.
    #[must_use]
    pub fn schema(&self) -> &Arc<Schema> {
        &self.schema
    }

    /// A record on the other side, if it is shown there.
    #[must_use]
    pub fn find(&self, id: RecordId) -> Option<Record> {
        self.other.shown.record(id).filter(|record| self.shows(record))
    }

    fn shows(&self, record: &Record) -> bool {
        self.other.shows(&self.schema, record)
    }

    /// Of a mirror: the field on the other side that keeps its values.
    #[must_use]
    pub fn owning_field(&self) -> Option<&Arc<Field>> {
        self.owner.as_ref().map(|owner| &owner.field)
    }

    /// Of a mirror: everything that a record on the other side leads to, here or archived.
    #[must_use]
    pub fn led_by(&self, owner: &Record) -> Vec<RecordId> {
        self.owner.as_ref().map_or_else(Vec::new, |field| field.related(owner))
    }

    /// Of a mirror: whether the caller may edit every live record that leads here, seen or not.
    #[must_use]
    pub fn may_edit_owners(&self, record: &Record) -> bool {
        let mut may_edit = true;
        if let Some(owner) = &self.owner {
            self.each_owner(owner, record, &mut |found| {
                may_edit = self.other.access.may_edit(&self.schema, &found);
                may_edit
            });
        }
        may_edit
    }

    /// The first of the related records, and how many there are.
    #[must_use]
    pub fn first(&self, record: &Record, limit: usize) -> Related {
        // The index of a mirror knows how many there are, but not who may see them.
        let is_counted = self.owner.is_some() && self.other.access.reach() == Reach::All;
        let mut related = Related::default();
        self.each(record, &mut |found| {
            if related.count < limit {
                related.records.push(found);
            }
            related.count += 1;
            !is_counted || related.count < limit
        });
        if let Some(owner) = &self.owner
            && is_counted
            && related.count >= limit
        {
            related.count = related.count.max(owner.index.count(record.id()));
        }
        related
    }

    /// One page of the related records that have these words, in order.
    pub fn page(
        &self,
        record: &Record,
        words: Option<&Words>,
        places: Range<usize>,
        (around, goes_on): (Surroundings<'_>, &dyn Fn() -> bool),
    ) -> Result<Related, Interrupted> {
        let mut needs = Vec::new();
        if let Some(words) = words {
            words.note_needs(&mut needs);
        }
        let needs = Needs::of(needs);
        let (mut related, mut seen, mut is_interrupted) = (Related::default(), 0_usize, false);
        self.each(record, &mut |found| {
            seen += 1;
            if seen.is_multiple_of(STEP) && !goes_on() {
                is_interrupted = true;
                return false;
            }
            let mut values = Vec::new();
            needs.take(found.body(), &mut values);
            let row = Row { record: &found, needs: &needs, values: &values, around };
            if words.is_none_or(|words| words.takes(&row)) {
                if places.contains(&related.count) {
                    related.records.push(found);
                }
                related.count += 1;
            }
            true
        });
        if is_interrupted { Err(Interrupted) } else { Ok(related) }
    }

    /// Whether none is left.
    #[must_use]
    pub fn is_blank(&self, record: &Record) -> bool {
        let mut is_blank = true;
        self.each(record, &mut |_| {
            is_blank = false;
            false
        });
        is_blank
    }

    /// What to ask records for, as the other side is now.
    #[must_use]
    pub fn wanted(&self, ids: &[RecordId]) -> Wanted {
        let live = |id: &RecordId| self.find(*id);
        let Some(owner) = &self.owner else {
            return Wanted::Kept(ids.iter().map(|id| live(id).map(|found| found.id())).collect());
        };
        let led = |found: Record| owner.related(&found).into_iter().collect();
        Wanted::Led(ids.iter().map(|id| live(id).map(led).unwrap_or_default()).collect())
    }

    /// Whether a record has all that is wanted.
    #[must_use]
    pub fn has_all(&self, record: &Record, wanted: &Wanted) -> bool {
        match wanted {
            Wanted::Kept(ids) => {
                let kept = self.stored(record);
                ids.iter().all(|id| id.is_some_and(|id| kept.contains(&id)))
            }
            Wanted::Led(led) => led.iter().all(|led| led.contains(&record.id())),
        }
    }

    /// Whether a record has anything of what is wanted.
    #[must_use]
    pub fn has_any(&self, record: &Record, wanted: &Wanted) -> bool {
        match wanted {
            Wanted::Kept(ids) => {
                let kept = self.stored(record);
                ids.iter().flatten().any(|id| kept.contains(id))
            }
            Wanted::Led(led) => led.iter().any(|led| led.contains(&record.id())),
        }
    }

    /// Every related record in order, until `goes_on` says no. Those of a mirror are in the order
    /// of their creation.
    pub fn each(&self, record: &Record, goes_on: &mut dyn FnMut(Record) -> bool) {
        let Some(owner) = &self.owner else {
            let ids = self.stored(record).into_iter();
            let mut found = ids.filter_map(|id| self.find(id));
            while found.next().is_some_and(&mut *goes_on) {}
            return;
        };
        self.each_owner(owner, record, &mut |found| !self.shows(&found) || goes_on(found));
    }

    /// Every live record that leads here, whoever may see it.
    fn each_owner(&self, owner: &Owner, record: &Record, goes_on: &mut dyn FnMut(Record) -> bool) {
        let mut last: Option<Slot> = None;
        loop {
            let slots = owner.index.behind(record.id(), last, STEP);
            for slot in &slots {
                let found = self.other.shown.order.get(*slot);
                let found = found.filter(|found| !found.is_archived());
                let found = found.filter(|found| owner.leads_to(found, record.id()));
                if found.is_some_and(|found| !goes_on(found)) {
                    return;
                }
            }
            last = slots.last().copied();
            if slots.len() < STEP {
                return;
            }
        }
    }

    /// The ids that the record itself keeps.
    fn stored(&self, record: &Record) -> Vec<RecordId> {
        record.value(self.field.number).map_or_else(Vec::new, |raw| related_ids(&self.field, raw))
    }
}

impl Owner {
    /// The record itself is asked: it may have changed since the index was.
    fn leads_to(&self, owner: &Record, id: RecordId) -> bool {
        self.related(owner).contains(&id)
    }

    fn related(&self, owner: &Record) -> Vec<RecordId> {
        owner.value(self.field.number).map_or_else(Vec::new, |raw| related_ids(&self.field, raw))
    }
}

impl std::fmt::Debug for Link {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} to {}", self.field.name, self.schema.object().name)
    }
}
