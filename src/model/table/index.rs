//! The sharded in-memory indexes. The only file that names dashmap.
//!
//! Readers look into them directly; only the writer of the table changes them. Every entry of the
//! two record indexes *is* the record, its key read through it, so a look-up asks one index alone.

use crate::model::id::{RecordId, Slot};
use crate::model::key::Key;
use crate::model::table::record::Record;
use arc_swap::ArcSwap;
use dashmap::{DashMap, Entry};
use std::borrow::Borrow;
use std::collections::BTreeSet;
use std::hash::{Hash, Hasher};
use std::ops::Bound;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

/// Seeded at random per process: keys come from strangers. One alias, so that it can be exchanged.
pub type KeyHasher = ahash::RandomState;

/// Shards of a map of a small table; an idle table must cost little.
const SHARDS_SMALL: usize = 8;
/// Shards of a map of a big table: a rehash reads every key of a shard under that shard's lock.
const SHARDS_BIG: usize = 256;
/// Records at which a table changes from small to big: 0.45 ms a map, measured.
pub const GROW_AT: usize = 8_192;

/// A record under its id.
#[derive(Clone)]
pub struct ById(pub Record);
/// A record under the normal form of its identifier.
#[derive(Clone)]
pub struct ByKey(pub Record);

macro_rules! reads_through {
    ($name:ident, $target:ty, $method:ident) => {
        impl Borrow<$target> for $name {
            fn borrow(&self) -> &$target {
                self.0.$method()
            }
        }
        impl Hash for $name {
            fn hash<H: Hasher>(&self, state: &mut H) {
                self.0.$method().hash(state);
            }
        }
        impl PartialEq for $name {
            fn eq(&self, other: &Self) -> bool {
                self.0.$method() == other.0.$method()
            }
        }
        impl Eq for $name {}
        impl AsRef<Record> for $name {
            fn as_ref(&self) -> &Record {
                &self.0
            }
        }
    };
}
reads_through!(ById, [u8; 16], id_bytes);
reads_through!(ByKey, [u8], key_or_empty);

/// A map from a part of the record to the record.
pub struct Index<K> {
    map: ArcSwap<DashMap<K, (), KeyHasher>>,
    hasher: KeyHasher,
    is_small: AtomicBool,
}

impl<K: Hash + Eq + Clone + AsRef<Record>> Index<K> {
    /// A map presized for so many records, small or big as they demand.
    #[must_use]
    pub fn with_capacity(records: usize) -> Self {
        let shards = if records >= GROW_AT { SHARDS_BIG } else { SHARDS_SMALL };
        let hasher = KeyHasher::new();
        let map =
            DashMap::with_capacity_and_hasher_and_shard_amount(records, hasher.clone(), shards);
        let is_small = AtomicBool::new(shards == SHARDS_SMALL);
        Self { map: ArcSwap::from_pointee(map), hasher, is_small }
    }

    pub fn get<Q: Hash + Eq + ?Sized>(&self, key: &Q) -> Option<Record>
    where
        K: Borrow<Q>,
    {
        self.map.load().get(key).map(|found| found.key().as_ref().clone())
    }

    /// Puts a record in the place of whoever had its key. (`insert` would keep the old record.)
    pub fn put(&self, key: K) {
        match self.map.load().entry(key) {
            Entry::Occupied(held) => drop(held.replace_entry(())),
            Entry::Vacant(free) => drop(free.insert(())),
        }
    }

    pub fn remove_if<Q: Hash + Eq + ?Sized>(&self, key: &Q, holds: impl FnOnce(&Record) -> bool)
    where
        K: Borrow<Q>,
    {
        self.map.load().remove_if(key, |held, ()| holds(held.as_ref()));
    }

    /// Whether the map is still one for few records.
    #[must_use]
    pub fn is_small(&self) -> bool {
        self.is_small.load(Relaxed)
    }

    /// Only the writer calls this; readers go on in the old map until the new one is complete.
    pub fn grow(&self) {
        let old = self.map.load_full();
        let hasher = self.hasher.clone();
        let new =
            DashMap::with_capacity_and_hasher_and_shard_amount(old.len() * 2, hasher, SHARDS_BIG);
        for entry in old.iter() {
            new.insert(entry.key().clone(), ());
        }
        self.map.store(Arc::new(new));
        self.is_small.store(false, Relaxed);
    }

    #[must_use]
    pub fn len(&self) -> usize {
        self.map.load().len()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// The claims on one field or constraint: it can be made and dropped while running, so it owns its
/// keys.
pub struct UniqueIndex {
    map: DashMap<Key, Record, KeyHasher>,
}

impl Default for UniqueIndex {
    fn default() -> Self {
        Self { map: DashMap::with_hasher_and_shard_amount(KeyHasher::new(), SHARDS_SMALL) }
    }
}

impl UniqueIndex {
    #[must_use]
    pub fn get(&self, key: &Key) -> Option<Record> {
        self.map.get(key).map(|found| found.clone())
    }

    pub fn put(&self, key: Key, record: Record) {
        drop(self.map.insert(key, record));
    }

    pub fn remove_if_held_by(&self, key: &Key, id: RecordId) {
        self.map.remove_if(key, |_, held| held.id() == id);
    }

    #[must_use]
    pub fn len(&self) -> usize {
        self.map.len()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.map.is_empty()
    }
}

/// Which live records of a table one relationship field leads from, by where it leads to. They are
/// called by their slots, which rise in the order of creation.
pub struct OwnerIndex {
    map: DashMap<RecordId, Owners, KeyHasher>,
}

/// Most records are related to one other, so one costs no set.
enum Owners {
    One(Slot),
    Several(BTreeSet<Slot>),
}

impl Owners {
    fn len(&self) -> usize {
        match self {
            Self::One(_) => 1,
            Self::Several(slots) => slots.len(),
        }
    }
}

impl Default for OwnerIndex {
    fn default() -> Self {
        Self { map: DashMap::with_hasher_and_shard_amount(KeyHasher::new(), SHARDS_SMALL) }
    }
}

impl OwnerIndex {
    pub fn add(&self, related: RecordId, owner: Slot) {
        match self.map.entry(related) {
            Entry::Vacant(free) => drop(free.insert(Owners::One(owner))),
            Entry::Occupied(mut held) => match held.get_mut() {
                Owners::One(only) if *only == owner => {}
                Owners::One(only) => {
                    let several = BTreeSet::from([*only, owner]);
                    *held.get_mut() = Owners::Several(several);
                }
                Owners::Several(slots) => drop(slots.insert(owner)),
            },
        }
    }

    pub fn remove(&self, related: RecordId, owner: Slot) {
        let Entry::Occupied(mut held) = self.map.entry(related) else { return };
        let is_empty = match held.get_mut() {
            Owners::One(only) => *only == owner,
            Owners::Several(slots) => {
                slots.remove(&owner);
                slots.is_empty()
            }
        };
        if is_empty {
            held.remove();
        }
    }

    /// How many records lead to this one.
    #[must_use]
    pub fn count(&self, related: RecordId) -> usize {
        self.map.get(&related).map_or(0, |owners| owners.value().len())
    }

    /// How many records lead anywhere, each counted as often as it does.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.map.iter().map(|owners| owners.value().len()).sum()
    }

    /// Whether that record leads to this one.
    #[must_use]
    pub fn has(&self, related: RecordId, owner: Slot) -> bool {
        self.map.get(&related).is_some_and(|owners| match owners.value() {
            Owners::One(only) => *only == owner,
            Owners::Several(slots) => slots.contains(&owner),
        })
    }

    /// At most so many records that lead to this one, oldest first, from behind one of them on.
    #[must_use]
    pub fn behind(&self, related: RecordId, last: Option<Slot>, limit: usize) -> Vec<Slot> {
        let Some(owners) = self.map.get(&related) else { return Vec::new() };
        let from = last.map_or(Bound::Unbounded, Bound::Excluded);
        match owners.value() {
            Owners::One(only) => Some(*only)
                .filter(|only| last.is_none_or(|last| *only > last))
                .into_iter()
                .collect(),
            Owners::Several(slots) => {
                slots.range((from, Bound::Unbounded)).take(limit).copied().collect()
            }
        }
    }
}

/// A map that one writer changes and everybody reads.
pub struct Shared<K: Eq + Hash, V> {
    map: DashMap<K, V, KeyHasher>,
}

impl<K: Eq + Hash, V> Default for Shared<K, V> {
    fn default() -> Self {
        Self { map: DashMap::with_hasher_and_shard_amount(KeyHasher::new(), SHARDS_SMALL) }
    }
}

impl<K: Eq + Hash, V: Clone> Shared<K, V> {
    pub fn get<Q: Hash + Eq + ?Sized>(&self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
        self.map.get(key).map(|found| found.value().clone())
    }

    pub fn put(&self, key: K, value: V) -> Option<V> {
        self.map.insert(key, value)
    }

    pub fn remove<Q: Hash + Eq + ?Sized>(&self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
        self.map.remove(key).map(|(_, value)| value)
    }

    /// All values, in no order, cloned out so that nothing is done under a lock.
    #[must_use]
    pub fn values(&self) -> Vec<V> {
        self.map.iter().map(|entry| entry.value().clone()).collect()
    }

    #[must_use]
    pub fn len(&self) -> usize {
        self.map.len()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.map.is_empty()
    }
}
