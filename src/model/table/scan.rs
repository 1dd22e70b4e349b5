//! An exact view of a table's records as of one position, while writing goes on.
//!
//! A walker goes over the creation order; the writer keeps a before-image of a record it changes
//! where the walker has not been yet. "Walked" is one number, so no record is met twice or lost.
//!
//! Who walks as fast as it can needs no limit. Who walks at a reader's pace has its scan in a room:
//! the before-images of all scans in it take so many bytes together, and where they would take
//! more, the scan with the most is given up.

use crate::model::id::{Position, Slot};
use crate::model::table::Table;
use crate::model::table::index::KeyHasher;
use crate::model::table::order::{CHUNK, Order};
use crate::model::table::record::Record;
use parking_lot::Mutex;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::atomic::{
    AtomicBool, AtomicU32, AtomicUsize,
    Ordering::{Acquire, Relaxed, Release},
};
use std::sync::{Arc, Weak};

/// What a before-image takes besides its record.
const IMAGE_BYTES: usize = 32;

pub struct Scan {
    position: Position,
    /// Slots that existed when the scan opened.
    end: u32,
    /// Slots below are walked. Changed only under `before`.
    walked: AtomicU32,
    /// Changed only under `before`.
    given_up: AtomicBool,
    before: Mutex<Images>,
    /// Bytes of the before-images. Changed only under `before`.
    kept_bytes: AtomicUsize,
    room: Option<Arc<Room>>,
}

type Images = HashMap<u32, Option<Record>, KeyHasher>;

/// The scan was given up, so that what is left of it is no view any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GivenUp;

/// The room that scans share for their before-images.
#[derive(Debug)]
pub struct Room {
    bytes_max: usize,
    used_bytes: AtomicUsize,
    scans: Mutex<Vec<Weak<Scan>>>,
}

impl Room {
    #[must_use]
    pub fn new(bytes_max: usize) -> Arc<Self> {
        Arc::new(Self { bytes_max, used_bytes: AtomicUsize::new(0), scans: Mutex::default() })
    }

    /// What before-images take at this moment.
    #[must_use]
    pub fn used_bytes(&self) -> usize {
        self.used_bytes.load(Relaxed)
    }

    /// Gives up the scan that keeps the most, if all of them keep too much.
    fn relieve(&self) {
        while self.used_bytes() > self.bytes_max {
            let mut scans = self.scans.lock();
            scans.retain(|scan| scan.strong_count() > 0);
            let all = scans.iter().filter_map(Weak::upgrade);
            let largest = all.max_by_key(|scan| scan.kept_bytes.load(Relaxed));
            drop(scans);
            match largest.filter(|scan| scan.kept_bytes.load(Relaxed) > 0) {
                Some(largest) => largest.give_up(),
                // Another writer has just relieved it.
                None => return,
            }
        }
    }
}

impl Scan {
    /// Opened by the writer, between two frames, when nothing of its table is undurable.
    #[must_use]
    pub fn open(position: Position, end: u32) -> Arc<Self> {
        Arc::new(Self::new(position, end, None))
    }

    /// The same, of which before-images are kept only while the room has place for them.
    #[must_use]
    pub fn open_in(room: &Arc<Room>, position: Position, end: u32) -> Arc<Self> {
        let scan = Arc::new(Self::new(position, end, Some(room.clone())));
        let mut scans = room.scans.lock();
        scans.retain(|scan| scan.strong_count() > 0);
        scans.push(Arc::downgrade(&scan));
        scan
    }

    fn new(position: Position, end: u32, room: Option<Arc<Room>>) -> Self {
        Self {
            position,
            end,
            walked: AtomicU32::new(0),
            given_up: AtomicBool::new(false),
            before: Mutex::default(),
            kept_bytes: AtomicUsize::new(0),
            room,
        }
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
        if slot.0 < self.walked.load(Acquire) || self.given_up.load(Acquire) {
            return;
        }
        if let Entry::Vacant(place) = before.entry(slot.0) {
            let image = place.insert(old());
            self.keep(image_bytes(image.as_ref()));
        }
        drop(before);
        if let Some(room) = &self.room {
            room.relieve();
        }
    }

    /// Only under `before`, so that nothing is let go of before it was counted.
    fn keep(&self, bytes: usize) {
        self.kept_bytes.fetch_add(bytes, Relaxed);
        if let Some(room) = &self.room {
            room.used_bytes.fetch_add(bytes, Relaxed);
        }
    }

    fn let_go(&self, bytes: usize) {
        self.kept_bytes.fetch_sub(bytes, Relaxed);
        if let Some(room) = &self.room {
            room.used_bytes.fetch_sub(bytes, Relaxed);
        }
    }

    /// Whether the writer may forget it.
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.given_up.load(Acquire) || self.walked.load(Acquire) >= self.end
    }

    /// Ends a scan that nobody will walk to its end.
    pub fn give_up(&self) {
        let mut before = self.before.lock();
        self.given_up.store(true, Release);
        let images = std::mem::take(&mut *before);
        self.let_go(self.kept_bytes.load(Relaxed));
        drop(before);
        drop(images); // Frees outside the lock, for which the writer waits.
    }

    /// Hands over every record of the view, oldest first, a chunk at a time. Runs on a thread of
    /// its own; holds no lock while `each` runs. An error of `each` gives the scan up.
    pub fn walk<E>(
        &self,
        order: &Order,
        mut each: impl FnMut(&[Record]) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut records = Vec::with_capacity(CHUNK);
        for at in 0..self.chunk_count() {
            let taken = self.take_chunk(order, at, &mut records);
            taken.expect("a scan is given up by its walker alone, unless it is in a room");
            if let Err(error) = each(&records) {
                self.give_up();
                return Err(error);
            }
        }
        self.walked.store(u32::MAX, Release);
        Ok(())
    }

    /// Chunks of the view.
    #[must_use]
    pub fn chunk_count(&self) -> usize {
        (self.end as usize).div_ceil(CHUNK)
    }

    /// Takes the next chunk's records out, for who walks at a pace of its own: each chunk once, in
    /// their order.
    pub fn take_chunk(
        &self,
        order: &Order,
        at: usize,
        out: &mut Vec<Record>,
    ) -> Result<(), GivenUp> {
        let mut chunk = Vec::with_capacity(CHUNK);
        // The chunk first and the images second; the other way round is a race.
        order.clone_chunk(at, &mut chunk);
        self.take_before_images(at, &mut chunk)?;
        out.clear();
        out.extend(chunk.drain(..).flatten());
        Ok(())
    }

    /// Puts the kept records into their places and marks the chunk walked.
    fn take_before_images(
        &self,
        at: usize,
        chunk: &mut Vec<Option<Record>>,
    ) -> Result<(), GivenUp> {
        let start = u32::try_from(at * CHUNK).expect("slots are u32");
        let inside = (self.end - start).min(u32::try_from(CHUNK).expect("a chunk is small"));
        chunk.resize(inside as usize, None);
        let mut before = self.before.lock();
        if self.given_up.load(Acquire) {
            return Err(GivenUp);
        }
        if !before.is_empty() {
            for (slot, place) in (start..).zip(chunk.iter_mut()) {
                if let Some(old) = before.remove(&slot) {
                    self.let_go(image_bytes(old.as_ref()));
                    *place = old;
                }
            }
        }
        self.walked.store(start + inside, Release);
        Ok(())
    }

    /// Before-images kept at this moment.
    #[must_use]
    pub fn before_count(&self) -> usize {
        self.before.lock().len()
    }
}

impl Drop for Scan {
    fn drop(&mut self) {
        self.let_go(self.kept_bytes.load(Relaxed));
    }
}

impl std::fmt::Debug for Scan {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let walked = self.walked.load(Relaxed);
        write!(f, "scan at {}, {walked} of {} walked", self.position.0, self.end)
    }
}

impl Table {
    /// Opens a view of the records, of which before-images are kept only while the room has place
    /// for them. The writer calls it when nothing of the table is undurable; `position` is the
    /// newest durable frame.
    #[must_use]
    pub fn open_scan(&mut self, position: Position, room: &Arc<Room>) -> Arc<Scan> {
        let scan = Scan::open_in(room, position, self.slot_count());
        self.scans.push(scan.clone());
        scan
    }
}

fn image_bytes(image: Option<&Record>) -> usize {
    IMAGE_BYTES + image.map_or(0, Record::len)
}
