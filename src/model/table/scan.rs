//! An exact view of a table's records as of one position, while writing goes on.
//!
//! A walker goes over the creation order; the writer keeps a before-image of a record it changes
//! where the walker has not been yet. "Walked" is one number, so no record is met twice or lost.

use crate::model::id::{Position, Slot};
use crate::model::table::index::KeyHasher;
use crate::model::table::order::{CHUNK, Order};
use crate::model::table::record::Record;
use parking_lot::Mutex;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{
    AtomicBool, AtomicU32,
    Ordering::{Acquire, Release},
};

pub struct Scan {
    position: Position,
    /// Slots that existed when the scan opened.
    end: u32,
    /// Slots below are walked. Changed only under `before`.
    walked: AtomicU32,
    given_up: AtomicBool,
    before: Mutex<HashMap<u32, Option<Record>, KeyHasher>>,
}

impl Scan {
    /// Opened by the writer, between two frames, when nothing of its table is undurable.
    #[must_use]
    pub fn open(position: Position, end: u32) -> Arc<Self> {
        Arc::new(Self {
            position,
            end,
            walked: AtomicU32::new(0),
            given_up: AtomicBool::new(false),
            before: Mutex::default(),
        })
    }

    /// The view is of the table after this frame.
    #[must_use]
    pub fn position(&self) -> Position {
        self.position
    }

    /// The writer calls this before it changes the slot's record.
    pub fn touch(&self, slot: Slot, old: impl FnOnce() -> Option<Record>) {
        if slot.0 >= self.end || slot.0 < self.walked.load(Acquire) {
            return;
        }
        let mut before = self.before.lock();
        if slot.0 >= self.walked.load(Acquire) {
            before.entry(slot.0).or_insert_with(old);
        }
    }

    /// Whether the writer may forget it.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.given_up.load(Acquire) || self.walked.load(Acquire) >= self.end
    }

    /// Ends a scan that nobody will walk to its end.
    pub fn give_up(&self) {
        self.given_up.store(true, Release);
        self.before.lock().clear();
    }

    /// Hands over every record of the view, oldest first, a chunk at a time. Runs on a thread of
    /// its own; holds no lock while `each` runs. An error of `each` gives the scan up.
    pub fn walk<E>(
        &self,
        order: &Order,
        mut each: impl FnMut(&[Record]) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut chunk = Vec::with_capacity(CHUNK);
        let mut records = Vec::with_capacity(CHUNK);
        for at in 0..(self.end as usize).div_ceil(CHUNK) {
            // The chunk first and the images second; the other way round is a race.
            order.clone_chunk(at, &mut chunk);
            self.take_before_images(at, &mut chunk);
            records.clear();
            records.extend(chunk.drain(..).flatten());
            if let Err(error) = each(&records) {
                self.give_up();
                return Err(error);
            }
        }
        self.walked.store(u32::MAX, Release);
        Ok(())
    }

    /// Puts the kept records into their places and marks the chunk walked.
    fn take_before_images(&self, at: usize, chunk: &mut Vec<Option<Record>>) {
        let start = u32::try_from(at * CHUNK).expect("slots are u32");
        let inside = (self.end - start).min(u32::try_from(CHUNK).expect("a chunk is small"));
        chunk.resize(inside as usize, None);
        let mut before = self.before.lock();
        if !before.is_empty() {
            for (slot, place) in (start..).zip(chunk.iter_mut()) {
                if let Some(old) = before.remove(&slot) {
                    *place = old;
                }
            }
        }
        self.walked.store(start + inside, Release);
    }

    /// Before-images kept at this moment.
    #[must_use]
    pub fn before_count(&self) -> usize {
        self.before.lock().len()
    }
}
