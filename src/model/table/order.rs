//! The records of a table in creation order, in chunks of slots.
//!
//! The default order of lists, deep pages, scans and snapshots read it. Only the table's writer
//! changes it. One slot per record ever created; a purged record leaves its slot empty. Each chunk
//! carries its pieces of the table's columns, and knows without its records which of them are live.

use crate::model::id::{RecordId, Slot};
use crate::model::table::column::mask::Mask;
use crate::model::table::column::{Column, Piece, RowChange};
use crate::model::table::record::Record;
use parking_lot::RwLock;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering::Relaxed};

/// Slots in a chunk: long enough to be cheap, short enough to be cloned under a lock.
pub const CHUNK: usize = 1024;

/// How many records memory is asked for at once, before they are looked at. Their misses overlap, so
/// that a walk over records that lie anywhere takes a fraction of the time.
pub const BURST: usize = 64;

/// Which records a list wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    Live,
    Archived,
    All,
}

impl Wanted {
    /// Whether a record is one of them.
    #[must_use]
    pub fn takes(self, record: &Record) -> bool {
        match self {
            Self::Live => !record.is_archived(),
            Self::Archived => record.is_archived(),
            Self::All => true,
        }
    }

    fn sum(self, live: usize, archived: usize) -> usize {
        match self {
            Self::Live => live,
            Self::Archived => archived,
            Self::All => live + archived,
        }
    }
}

#[derive(Default)]
pub struct Order {
    chunks: RwLock<Vec<Arc<Chunk>>>,
    counts: Counts<AtomicUsize>,
}

#[derive(Default)]
struct Chunk {
    slots: RwLock<Slots>,
    counts: Counts<AtomicU32>,
}

/// How many records there are, so that nobody need count them.
#[derive(Default)]
struct Counts<C> {
    live: C,
    archived: C,
}

impl<C> Counts<C> {
    fn of(&self, record: &Record) -> &C {
        if record.is_archived() { &self.archived } else { &self.live }
    }
}

impl Counts<AtomicUsize> {
    fn count(&self, wanted: Wanted) -> usize {
        wanted.sum(self.live.load(Relaxed), self.archived.load(Relaxed))
    }
}

impl Chunk {
    fn count(&self, wanted: Wanted) -> usize {
        let Counts { live, archived } = &self.counts;
        wanted.sum(live.load(Relaxed) as usize, archived.load(Relaxed) as usize)
    }
}

/// What stands in a chunk: its records, and of them in one state with them what searches need.
#[derive(Default)]
pub struct Slots {
    records: Vec<Option<Record>>,
    live: Mask,
    archived: Mask,
    pieces: Vec<Piece>,
}

impl Slots {
    /// The rows of wanted records.
    #[must_use]
    pub fn rows(&self, wanted: Wanted) -> Mask {
        match wanted {
            Wanted::Live => self.live.clone(),
            Wanted::Archived => self.archived.clone(),
            Wanted::All => self.live.or(&self.archived),
        }
    }

    /// Its piece of a column, whatever that is good for.
    #[must_use]
    pub fn piece(&self, column: &Arc<Column>) -> Option<&Piece> {
        self.pieces.iter().find(|piece| Arc::ptr_eq(piece.column(), column))
    }

    /// Clones the records of some rows out.
    pub fn clone_rows(&self, rows: &Mask, out: &mut Vec<Record>) {
        let records = || rows.rows().filter_map(|row| self.records[row].as_ref());
        Record::touch_heads(records());
        out.extend(records().cloned());
    }

    /// Puts a record in a row and gives what was there.
    fn put(&mut self, row: usize, record: Option<Record>) -> Option<Record> {
        if row >= self.records.len() {
            self.records.resize(row + 1, None);
        }
        let is_archived = record.as_ref().map(Record::is_archived);
        self.live.set(row, is_archived == Some(false));
        self.archived.set(row, is_archived == Some(true));
        let old = std::mem::replace(&mut self.records[row], record);
        if !self.pieces.is_empty() {
            let change = RowChange::between(old.as_ref(), self.records[row].as_ref());
            self.pieces.retain_mut(|piece| {
                piece.set(row, &change);
                !piece.column().is_dropped()
            });
        }
        old
    }
}

/// Chunk and place within it.
fn split(slot: Slot) -> (usize, usize) {
    (slot.0 as usize / CHUNK, slot.0 as usize % CHUNK)
}

impl Order {
    /// The slot with which a chunk begins.
    ///
    /// # Panics
    /// On a chunk that cannot be: slots are numbers of 32 bits.
    #[must_use]
    pub fn first_slot(chunk: usize) -> Slot {
        Slot(u32::try_from(chunk * CHUNK).expect("slots are u32"))
    }

    fn chunk(&self, at: usize) -> Option<Arc<Chunk>> {
        self.chunks.read().get(at).cloned()
    }

    #[must_use]
    pub fn get(&self, slot: Slot) -> Option<Record> {
        let (at, within) = split(slot);
        self.chunk(at)?.slots.read().records.get(within)?.clone()
    }

    /// Only the writer calls this. Slots may be skipped: a gap reads as empty.
    pub fn put(&self, slot: Slot, record: Option<Record>) {
        let (at, within) = split(slot);
        let chunk = self.chunk(at).unwrap_or_else(|| self.extend_to(at));
        let mut slots = chunk.slots.write();
        if let Some(record) = &record {
            chunk.counts.of(record).fetch_add(1, Relaxed);
            self.counts.of(record).fetch_add(1, Relaxed);
        }
        let old = slots.put(within, record);
        if let Some(old) = &old {
            chunk.counts.of(old).fetch_sub(1, Relaxed);
            self.counts.of(old).fetch_sub(1, Relaxed);
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
        let records = &chunk.slots.read().records;
        Record::touch_heads(records.iter().flatten());
        out.extend_from_slice(records);
    }

    /// Looks at a chunk in one state. The writer waits meanwhile, so it must be short.
    pub fn look<T>(&self, at: usize, look: impl FnOnce(&Slots) -> T) -> Option<T> {
        let chunk = self.chunk(at)?;
        let slots = chunk.slots.read();
        Some(look(&slots))
    }

    /// Fills a chunk's piece of a column, unless it has one. The records are looked at without the
    /// chunk's lock; which of them changed meanwhile is seen under it.
    pub fn fill(&self, at: usize, column: &Arc<Column>) {
        let Some(chunk) = self.chunk(at).filter(|_| !column.is_dropped()) else { return };
        let mut records = Vec::new();
        self.clone_chunk(at, &mut records);
        Record::touch(records.iter().flatten());
        let mut piece = Piece::of(column, &records);
        let mut slots = chunk.slots.write();
        if column.is_dropped() || slots.piece(column).is_some() {
            return;
        }
        for (row, now) in slots.records.iter().enumerate() {
            let then = records.get(row).and_then(Option::as_ref);
            if !Record::are_one(then, now.as_ref()) {
                piece.set(row, &RowChange::between(then, now.as_ref()));
            }
        }
        slots.pieces.push(piece);
    }

    /// Lets go of the pieces of columns that were given up.
    pub fn drop_pieces(&self) {
        for at in 0..self.chunk_count() {
            let Some(chunk) = self.chunk(at) else { break };
            let is_dropped = |piece: &Piece| piece.column().is_dropped();
            let has_dropped = chunk.slots.read().pieces.iter().any(is_dropped);
            if has_dropped {
                chunk.slots.write().pieces.retain(|piece| !is_dropped(piece));
            }
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
        let (first, within) = split(from);
        self.collect(wanted, first, Skipped::Rows(within), limit)
    }

    /// The slot of the first record whose id is greater; behind all of them where none is.
    #[must_use]
    pub fn first_behind(&self, id: RecordId) -> Slot {
        let is_behind = |record: &Record| record.id() > id;
        for at in 0.. {
            let Some(chunk) = self.chunk(at) else { break };
            let slots = &chunk.slots.read().records;
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
        let mut first = 0;
        for chunk in self.chunks.read().iter() {
            let count = chunk.count(wanted);
            if offset < count {
                break;
            }
            offset -= count;
            first += 1;
        }
        self.collect(wanted, first, Skipped::Wanted(offset), limit)
    }

    /// Records from a chunk on, some of that chunk's passed over.
    fn collect(
        &self,
        wanted: Wanted,
        first: usize,
        mut skipped: Skipped,
        limit: usize,
    ) -> Vec<Record> {
        let mut found = Vec::with_capacity(limit.min(CHUNK));
        for at in first.. {
            let Some(chunk) = self.chunk(at) else { break };
            if chunk.count(wanted) > 0 {
                let slots = chunk.slots.read();
                let rows = slots.rows(wanted);
                let left = limit - found.len();
                let rows = match skipped {
                    Skipped::Rows(count) => rows.without(&Mask::first(count)).places(0..left),
                    Skipped::Wanted(count) => rows.places(count..count.saturating_add(left)),
                };
                slots.clone_rows(&rows, &mut found);
            }
            skipped = Skipped::Rows(0);
            if found.len() == limit {
                break;
            }
        }
        found
    }

    #[must_use]
    pub fn count(&self, wanted: Wanted) -> usize {
        self.counts.count(wanted)
    }
}

/// What is passed over at the start of a list.
#[derive(Clone, Copy)]
enum Skipped {
    Rows(usize),
    Wanted(usize),
}
