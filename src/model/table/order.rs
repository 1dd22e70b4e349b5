//! The records of a table in creation order, in chunks of slots.
//!
//! The default order of lists, deep pages, scans and snapshots read it. Only the table's writer
//! changes it. One slot per record ever created; a purged record leaves its slot empty.

use crate::model::id::{RecordId, Slot};
use crate::model::table::record::Record;
use parking_lot::RwLock;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

/// Slots in a chunk: long enough to be cheap, short enough to be cloned under a lock.
pub const CHUNK: usize = 1024;

/// How many records ahead memory is asked for what a walk will look at. Their misses overlap, so
/// that a walk over records that lie anywhere takes a third of the time.
pub const AHEAD: usize = 32;

/// Which records a list wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    Live,
    Archived,
    All,
}

impl Wanted {
    pub(super) fn takes(self, record: &Record) -> bool {
        match self {
            Self::Live => !record.is_archived(),
            Self::Archived => record.is_archived(),
            Self::All => true,
        }
    }
}

#[derive(Default)]
pub struct Order {
    chunks: RwLock<Vec<Arc<Chunk>>>,
}

#[derive(Default)]
struct Chunk {
    slots: RwLock<Vec<Option<Record>>>,
    live: AtomicU32,
    archived: AtomicU32,
}

impl Chunk {
    fn count(&self, wanted: Wanted) -> usize {
        let (live, archived) =
            (self.live.load(Relaxed) as usize, self.archived.load(Relaxed) as usize);
        match wanted {
            Wanted::Live => live,
            Wanted::Archived => archived,
            Wanted::All => live + archived,
        }
    }

    fn counter_of(&self, record: &Record) -> &AtomicU32 {
        if record.is_archived() { &self.archived } else { &self.live }
    }
}

/// Chunk and place within it.
fn split(slot: Slot) -> (usize, usize) {
    (slot.0 as usize / CHUNK, slot.0 as usize % CHUNK)
}

impl Order {
    fn chunk(&self, at: usize) -> Option<Arc<Chunk>> {
        self.chunks.read().get(at).cloned()
    }

    #[must_use]
    pub fn get(&self, slot: Slot) -> Option<Record> {
        let (at, within) = split(slot);
        self.chunk(at)?.slots.read().get(within)?.clone()
    }

    /// Only the writer calls this. Slots may be skipped: a gap reads as empty.
    pub fn put(&self, slot: Slot, record: Option<Record>) {
        let (at, within) = split(slot);
        let chunk = self.chunk(at).unwrap_or_else(|| self.extend_to(at));
        let mut slots = chunk.slots.write();
        if within >= slots.len() {
            slots.resize(within + 1, None);
        }
        if let Some(record) = &record {
            chunk.counter_of(record).fetch_add(1, Relaxed);
        }
        let old = std::mem::replace(&mut slots[within], record);
        if let Some(old) = &old {
            chunk.counter_of(old).fetch_sub(1, Relaxed);
        }
        drop(slots);
        drop(old); // Frees outside the lock.
    }

    fn extend_to(&self, at: usize) -> Arc<Chunk> {
        let mut chunks = self.chunks.write();
        while chunks.len() <= at {
            chunks.push(Arc::default());
        }
        chunks[at].clone()
    }

    /// Clones one chunk out, so that nothing is done under its lock.
    pub fn clone_chunk(&self, at: usize, out: &mut Vec<Option<Record>>) {
        out.clear();
        let Some(chunk) = self.chunk(at) else { return };
        let slots = chunk.slots.read();
        out.reserve(slots.len());
        for (within, slot) in slots.iter().enumerate() {
            // To clone is to count in the record itself, which waits for its memory.
            if let Some(Some(ahead)) = slots.get(within + AHEAD) {
                ahead.touch_head();
            }
            out.push(slot.clone());
        }
    }

    /// Chunks that exist now.
    #[must_use]
    pub fn chunk_count(&self) -> usize {
        self.chunks.read().len()
    }

    /// Up to `limit` records from a slot on, oldest first. Not one instant of the whole table.
    #[must_use]
    pub fn from(&self, wanted: Wanted, from: Slot, limit: usize) -> Vec<Record> {
        let mut found = Vec::with_capacity(limit.min(CHUNK));
        let (first, mut within) = split(from);
        for at in first.. {
            let Some(chunk) = self.chunk(at) else { break };
            if chunk.count(wanted) > 0 {
                let slots = chunk.slots.read();
                let records = slots.iter().skip(within).flatten();
                let records = records.filter(|record| wanted.takes(record));
                found.extend(records.take(limit - found.len()).cloned());
            }
            within = 0;
            if found.len() == limit {
                break;
            }
        }
        found
    }

    /// The slot of the first record whose id is greater; behind all of them where none is.
    #[must_use]
    pub fn first_behind(&self, id: RecordId) -> Slot {
        let is_behind = |record: &Record| record.id() > id;
        for at in 0.. {
            let Some(chunk) = self.chunk(at) else { break };
            let slots = chunk.slots.read();
            // Ids rise, so the last one tells whether the chunk need be looked through.
            if !slots.iter().rev().flatten().next().is_some_and(is_behind) {
                continue;
            }
            if let Some(found) = slots.iter().flatten().find(|record| is_behind(record)) {
                return found.slot();
            }
        }
        Slot(u32::MAX)
    }

    /// Up to `limit` records from `offset` on, oldest first. Not one instant of the whole table.
    #[must_use]
    pub fn page(&self, wanted: Wanted, mut offset: usize, limit: usize) -> Vec<Record> {
        let mut found = Vec::with_capacity(limit.min(CHUNK));
        for at in 0.. {
            let Some(chunk) = self.chunk(at) else { break };
            let count = chunk.count(wanted);
            if offset >= count {
                offset -= count;
                continue;
            }
            let slots = chunk.slots.read();
            let records = slots.iter().flatten().filter(|record| wanted.takes(record)).skip(offset);
            found.extend(records.take(limit - found.len()).cloned());
            offset = 0;
            if found.len() == limit {
                break;
            }
        }
        found
    }

    #[must_use]
    pub fn count(&self, wanted: Wanted) -> usize {
        self.chunks.read().iter().map(|chunk| chunk.count(wanted)).sum()
    }
}
