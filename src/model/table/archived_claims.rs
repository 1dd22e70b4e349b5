//! Which archived records had which unique values: for the writer alone, in memory alone.
//!
//! An archived record has given its values free, so nothing refuses them; an upsert that matches by
//! such a value asks who had it last. It must not know what becomes of a record that is found.

use crate::model::id::{RecordId, Timestamp};
use crate::model::schema::{Schema, system};
use crate::model::table::decide::keys::claims_of;
use crate::model::table::event::Claim;
use crate::model::table::index::KeyHasher;
use crate::model::table::record::Record;
use std::collections::{BTreeSet, HashMap};

/// The archived records that had a value, those archived last at the end.
type Holders = BTreeSet<(Timestamp, RecordId)>;

/// One index for all unique fields.
#[derive(Default)]
pub(super) struct ArchivedClaims(HashMap<Claim, Holders, KeyHasher>);

impl ArchivedClaims {
    /// A record takes the place of its older version, or of nothing.
    pub(super) fn replace(&mut self, schema: &Schema, old: Option<&Record>, new: Option<&Record>) {
        if !schema.has_claims() {
            return;
        }
        if let Some(old) = old.filter(|old| old.is_archived()) {
            self.remove(schema, old);
        }
        if let Some(new) = new.filter(|new| new.is_archived()) {
            self.add(schema, new);
        }
    }

    fn add(&mut self, schema: &Schema, record: &Record) {
        for claim in claims_of(schema, record.body()) {
            self.0.entry(claim).or_default().insert(place_of(record));
        }
    }

    fn remove(&mut self, schema: &Schema, record: &Record) {
        for claim in claims_of(schema, record.body()) {
            let Some(holders) = self.0.get_mut(&claim) else { continue };
            holders.remove(&place_of(record));
            if holders.is_empty() {
                self.0.remove(&claim);
            }
        }
    }

    /// Makes it anew, for a schema with other unique fields.
    pub(super) fn rebuild(&mut self, schema: &Schema, records: impl Iterator<Item = Record>) {
        self.0.clear();
        if schema.has_claims() {
            records.filter(Record::is_archived).for_each(|record| self.add(schema, &record));
        }
    }

    /// Those who had the value, the one archived last first.
    pub(super) fn holders(&self, claim: &Claim) -> impl Iterator<Item = RecordId> + '_ {
        self.0.get(claim).into_iter().flat_map(|holders| holders.iter().rev().map(|(_, id)| *id))
    }

    /// How many places there are.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.0.values().map(BTreeSet::len).sum()
    }
}

/// Where an archived record stands among those that had the same value.
pub(super) fn place_of(record: &Record) -> (Timestamp, RecordId) {
    let at = record.time(system::ARCHIVED_AT).expect("an archived record has the time of it");
    (at, record.id())
}
