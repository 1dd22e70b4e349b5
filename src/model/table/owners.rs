//! Which records the relationship fields of a table lead from: kept while records change, so that
//! the other side can be read.
//!
//! Nothing of it is stored: it follows from the records. An archived record leads nowhere.

use crate::model::id::RecordId;
use crate::model::schema::Schema;
use crate::model::schema::field::Field;
use crate::model::table::Shown;
use crate::model::table::decide::keys::stored;
use crate::model::table::index::{KeyHasher, OwnerIndex};
use crate::model::table::record::Record;
use crate::model::value::Value;
use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

/// What one field of a record does not lead to any more, and what it leads to now.
pub(super) struct Turn {
    index: Arc<OwnerIndex>,
    added: Vec<RecordId>,
    removed: Vec<RecordId>,
}

/// The records that a stored value is of.
#[must_use]
pub(crate) fn related_ids(field: &Field, raw: &[u8]) -> Vec<RecordId> {
    match stored(field, raw) {
        Value::Record(record) => vec![record],
        Value::Records(records) => records,
        Value::Text(_)
        | Value::Integer(_)
        | Value::Decimal(_)
        | Value::Boolean(_)
        | Value::Date(_)
        | Value::Datetime(_)
        | Value::Choice(_)
        | Value::Choices(_)
        | Value::Tags(_)
        | Value::Member(_)
        | Value::Members(_)
        | Value::Files(_) => unreachable!("a relationship field stores records"),
    }
}

impl Shown {
    /// What changes where a record takes the place of its older version.
    pub(super) fn turns(&self, old: Option<&Record>, new: &Record) -> Vec<Turn> {
        let (schema, owners) = (self.schema(), self.owners.load());
        if owners.is_empty() {
            return Vec::new();
        }
        let turn = |field: &Arc<Field>| {
            let (before, after) = (old.and_then(|old| led(field, old)), led(field, new));
            if before == after {
                return None;
            }
            let ids = |raw: Option<&[u8]>| raw.map_or_else(Vec::new, |raw| related_ids(field, raw));
            let (before, after) = (ids(before), ids(after));
            let index = owners.get(&field.number)?.clone();
            Some(Turn { index, added: lacking(&after, &before), removed: lacking(&before, &after) })
        };
        schema.owning_fields().filter_map(turn).collect()
    }

    /// Notes where a record leads that is met for the first time.
    pub(super) fn load_owner(&self, schema: &Schema, record: &Record) {
        let owners = self.owners.load();
        for field in schema.owning_fields() {
            let (Some(raw), Some(index)) = (led(field, record), owners.get(&field.number)) else {
                continue;
            };
            for id in related_ids(field, raw) {
                index.add(id, record.slot());
            }
        }
    }

    /// Makes the indexes that a schema needs. A new field has no values yet, so its index is empty.
    pub(super) fn make_owners(&self, schema: &Schema) {
        let mut owners = BTreeMap::clone(&self.owners.load());
        for field in schema.owning_fields() {
            owners.entry(field.number).or_default();
        }
        self.owners.store(Arc::new(owners));
    }

    /// Drops those of fields that a schema has no more.
    pub(super) fn drop_owners(&self, schema: &Schema) {
        let mut owners = BTreeMap::clone(&self.owners.load());
        owners.retain(|number, _| schema.by_number(*number).is_some());
        self.owners.store(Arc::new(owners));
    }
}

impl Turn {
    /// Before the record is put: whoever finds it too early sees that it does not lead here.
    pub(super) fn begin(&self, record: &Record) {
        self.added.iter().for_each(|id| self.index.add(*id, record.slot()));
    }

    /// When it has been put, so that what leads here is never missed.
    pub(super) fn end(&self, record: &Record) {
        self.removed.iter().for_each(|id| self.index.remove(*id, record.slot()));
    }
}

/// The stored value of a record that leads anywhere.
fn led<'r>(field: &Field, record: &'r Record) -> Option<&'r [u8]> {
    if record.is_archived() { None } else { record.value(field.number) }
}

/// Those of a list that another one lacks. Lists may be long.
fn lacking(list: &[RecordId], other: &[RecordId]) -> Vec<RecordId> {
    let other: HashSet<&RecordId, KeyHasher> = other.iter().collect();
    list.iter().filter(|id| !other.contains(id)).copied().collect()
}
