//! The sharded in-memory indexes. The only file that names dashmap.
//!
//! Readers look into them directly; only the writer of the table changes them. Every entry of the
//! two record indexes *is* the record, its key read through it, so a look-up asks one index alone.

use crate::model::id::RecordId;
use crate::model::key::Key;
use crate::model::table::record::Record;
use arc_swap::ArcSwap;
use dashmap::{DashMap, Entry};
use std::borrow::Borrow;
use std::hash::{Hash, Hasher};
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

/// A further unique constraint: it can be made and dropped while running, so it owns its keys.
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
