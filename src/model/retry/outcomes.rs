//! The outcomes that one state keeps, in the order they were stored.
//!
//! Its writer changes them, by events alone; whoever takes a request looks one up under a lock that
//! is held for that look. The order lies in chunks that a snapshot shares, so that taking one does
//! not stop the writer.

use crate::model::id::{RecordId, Timestamp};
use crate::model::retry::hash::RetryKey;
use crate::model::retry::{OutcomeChange, StoredOutcome};
use crate::model::table::index::KeyHasher;
use parking_lot::Mutex;
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// Places of a chunk: what is copied where a chunk changes that a snapshot has.
const CHUNK: usize = 1_024;

/// Outcomes one after the other; none where one is forgotten.
type Chunk = Vec<Option<Arc<StoredOutcome>>>;

#[derive(Default)]
pub struct Outcomes {
    held: Mutex<Held>,
    /// A copy of what is held, for those who look often.
    bytes: AtomicUsize,
}

/// The number of an outcome, in memory only: 0, 1, 2 … in the order they were stored.
type Number = usize;

#[derive(Default)]
struct Held {
    by_key: HashMap<RetryKey, Number, KeyHasher>,
    chunks: VecDeque<Arc<Chunk>>,
    /// Of the first place of the first chunk.
    base: Number,
    /// The oldest that is kept; equal to `next` where none is.
    oldest: Number,
    next: Number,
    bytes: usize,
}

/// The outcomes of one instant.
#[derive(Clone, Default)]
pub struct Image(Vec<Arc<Chunk>>);

impl Outcomes {
    #[must_use]
    pub fn find(&self, key: &RetryKey) -> Option<Arc<StoredOutcome>> {
        if self.is_empty() {
            return None;
        }
        let held = self.held.lock();
        held.by_key.get(key).and_then(|number| held.get(*number)).cloned()
    }

    /// What they count for in memory.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes.load(Relaxed)
    }

    /// Whether nothing is kept; every outcome counts for some bytes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.bytes() == 0
    }

    /// When the oldest were stored and what each counts for, until so many bytes are named.
    #[must_use]
    pub fn oldest(&self, bytes: usize) -> Vec<(Timestamp, usize)> {
        let (held, mut named, mut sum) = (self.held.lock(), Vec::new(), 0);
        for number in held.oldest..held.next {
            let Some(outcome) = held.get(number) else { continue };
            named.push((outcome.at, outcome.bytes()));
            sum += outcome.bytes();
            if sum >= bytes {
                break;
            }
        }
        named
    }

    /// Cannot fail: what an outcome that is gone is asked for is nothing.
    pub fn apply(&self, change: &OutcomeChange) {
        let mut held = self.held.lock();
        match change {
            OutcomeChange::Stored(outcome) => held.push(outcome.clone()),
            OutcomeChange::Completed(key) => {
                if let Some(number) = held.by_key.get(key).copied() {
                    held.replace(number, |outcome| StoredOutcome { is_open: false, ..outcome });
                }
            }
            OutcomeChange::Dropped { before } => held.drop_before(*before),
        }
        self.bytes.store(held.bytes, Relaxed);
    }

    /// Takes in those of a snapshot, oldest first.
    pub fn load(&self, stored: impl IntoIterator<Item = Arc<StoredOutcome>>) {
        stored.into_iter().for_each(|outcome| self.apply(&OutcomeChange::Stored(outcome)));
    }

    /// Forgets the values of a record that was purged. That is rare, so there is no list by record.
    pub fn forget_record(&self, id: RecordId) {
        let mut held = self.held.lock();
        for number in held.oldest..held.next {
            let record = held.get(number).and_then(|outcome| outcome.record());
            if record.is_some_and(|record| record.id == id) {
                held.replace(number, |outcome| outcome.with_record(None));
            }
        }
        self.bytes.store(held.bytes, Relaxed);
    }

    /// What a snapshot takes.
    #[must_use]
    pub fn image(&self) -> Image {
        Image(self.held.lock().chunks.iter().cloned().collect())
    }
}

impl Image {
    /// The outcomes, oldest first.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<StoredOutcome>> + Clone {
        self.0.iter().flat_map(|chunk| chunk.iter().flatten())
    }
}

impl Held {
    fn get(&self, number: Number) -> Option<&Arc<StoredOutcome>> {
        let place = number.checked_sub(self.base)?;
        self.chunks.get(place / CHUNK)?.get(place % CHUNK)?.as_ref()
    }

    fn push(&mut self, outcome: Arc<StoredOutcome>) {
        if self.chunks.back().is_none_or(|chunk| chunk.len() == CHUNK) {
            self.chunks.push_back(Arc::default());
        }
        let last = self.chunks.back_mut().expect("there is one");
        self.bytes += outcome.bytes();
        // An older one of this key is found no more, and goes when its turn comes.
        self.by_key.insert(outcome.key, self.next);
        Arc::make_mut(last).push(Some(outcome));
        self.next += 1;
    }

    fn replace(&mut self, number: Number, with: impl FnOnce(StoredOutcome) -> StoredOutcome) {
        let Some(old) = self.get(number).cloned() else { return };
        let new = with(StoredOutcome::clone(&old));
        self.bytes = self.bytes - old.bytes() + new.bytes();
        *self.place(number) = Some(Arc::new(new));
    }

    fn place(&mut self, number: Number) -> &mut Option<Arc<StoredOutcome>> {
        let place = number - self.base;
        &mut Arc::make_mut(&mut self.chunks[place / CHUNK])[place % CHUNK]
    }

    fn drop_before(&mut self, before: Timestamp) {
        while self.oldest < self.next {
            let Some(outcome) = self.get(self.oldest).filter(|outcome| outcome.at < before) else {
                break;
            };
            let (key, bytes) = (outcome.key, outcome.bytes());
            self.bytes -= bytes;
            if self.by_key.get(&key) == Some(&self.oldest) {
                self.by_key.remove(&key);
            }
            *self.place(self.oldest) = None;
            self.oldest += 1;
            if self.oldest - self.base == CHUNK {
                self.chunks.pop_front();
                self.base += CHUNK;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::retry::Answered;
    use crate::model::retry::hash::Fingerprint;

    fn key(number: i64) -> RetryKey {
        RetryKey::of([&number.to_le_bytes()[..]])
    }

    fn outcome(number: i64) -> Arc<StoredOutcome> {
        Arc::new(StoredOutcome {
            key: key(number),
            fingerprint: Fingerprint::of([]),
            at: Timestamp(number),
            status: 204,
            is_open: number % 2 == 0,
            answered: Answered::Nothing,
        })
    }

    fn filled(count: i64) -> Outcomes {
        let outcomes = Outcomes::default();
        (0..count).for_each(|number| outcomes.apply(&OutcomeChange::Stored(outcome(number))));
        outcomes
    }

    fn numbers(image: &Image) -> Vec<i64> {
        image.iter().map(|outcome| outcome.at.0).collect()
    }

    #[test]
    fn the_oldest_go_first_and_give_back_what_they_took() {
        let each = outcome(0).bytes();
        for (count, dropped) in [(0, 0), (1, 0), (1, 1), (1023, 7), (1024, 1024), (3000, 2500)] {
            let outcomes = filled(count);
            outcomes.apply(&OutcomeChange::Dropped { before: Timestamp(dropped) });
            let left = usize::try_from(count - dropped).unwrap();
            assert_eq!(outcomes.bytes(), left * each, "{count} without {dropped}");
            assert_eq!(outcomes.is_empty(), left == 0);
            assert_eq!(numbers(&outcomes.image()), (dropped..count).collect::<Vec<_>>());
            for number in 0..count {
                let found = outcomes.find(&key(number)).map(|found| found.at.0);
                assert_eq!(found, (number >= dropped).then_some(number));
            }
            assert_eq!(outcomes.oldest(usize::MAX).len(), left);
            assert_eq!(outcomes.oldest(each + 1).len(), left.min(2));
        }
    }

    /// A clock that fell back leaves a newer outcome with an older time behind one that stays.
    #[test]
    fn what_stands_behind_one_that_stays_is_kept() {
        let outcomes = Outcomes::default();
        for number in [5, 90, 10] {
            outcomes.apply(&OutcomeChange::Stored(outcome(number)));
        }
        outcomes.apply(&OutcomeChange::Dropped { before: Timestamp(50) });
        assert_eq!(numbers(&outcomes.image()), [90, 10]);
    }

    #[test]
    fn an_image_stays_as_it_was_taken() {
        let outcomes = filled(1500);
        let image = outcomes.image();
        outcomes.apply(&OutcomeChange::Completed(key(1400)));
        outcomes.apply(&OutcomeChange::Dropped { before: Timestamp(1200) });
        outcomes.apply(&OutcomeChange::Stored(outcome(1500)));
        assert_eq!(numbers(&image), (0..1500).collect::<Vec<_>>());
        assert!(image.iter().nth(1400).unwrap().is_open, "as it was");
        assert!(!outcomes.find(&key(1400)).unwrap().is_open);
        assert!(outcomes.find(&key(1402)).unwrap().is_open, "another one stays open");
        assert_eq!(numbers(&outcomes.image()), (1200..=1500).collect::<Vec<_>>());
    }

    #[test]
    fn a_key_that_is_stored_again_is_the_newer_one() {
        let outcomes = filled(1);
        let newer = StoredOutcome { key: key(0), ..StoredOutcome::clone(&outcome(7)) };
        outcomes.apply(&OutcomeChange::Stored(Arc::new(newer)));
        outcomes.apply(&OutcomeChange::Dropped { before: Timestamp(7) });
        assert_eq!(outcomes.find(&key(0)).unwrap().at, Timestamp(7));
        outcomes.apply(&OutcomeChange::Completed(key(3)));
        assert_eq!(outcomes.bytes(), outcome(0).bytes(), "what is not there is left alone");
    }
}
