//! What the engine measures while it works: handles that its writers and its committer hold.
//!
//! It must not know what the numbers are called outside, nor who reads them.

use crate::model::id::Timestamp;
use crate::model::table::command::{Action, Outcome};
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

/// What an upsert came to, as a count tells it.
///
/// One that changed nothing is told apart here whatever its answer calls it: what it avoided is the
/// point of the product.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UpsertEnd {
    Created,
    Updated,
    Unarchived,
    Unchanged,
}

impl UpsertEnd {
    /// All of them, in the order of their declaration.
    pub const ALL: [Self; 4] = [Self::Created, Self::Updated, Self::Unarchived, Self::Unchanged];

    /// None: it was asked for in the words of an upsert, and is none.
    fn of(outcome: &Outcome) -> Option<Self> {
        match outcome.action {
            Action::Created => Some(Self::Created),
            Action::Unarchived => Some(Self::Unarchived),
            Action::Unchanged | Action::Exists | Action::Stale | Action::SkippedArchived => {
                Some(Self::Unchanged)
            }
            Action::Updated if outcome.changed.is_empty() => Some(Self::Unchanged),
            Action::Updated => Some(Self::Updated),
            Action::Archived => None,
        }
    }
}

/// All measures of one engine.
#[derive(Debug)]
pub struct Meters {
    /// Seconds that one command took to be decided, its events encoded.
    pub decide_seconds: Histogram,
    /// Seconds that one frame took to be written and synced, seals too.
    pub sync_seconds: Histogram,
    /// Events that one sync made durable.
    pub group_events: Histogram,
    upserts: [AtomicU64; UpsertEnd::ALL.len()],
    /// Those who wait for changes or read a stream of them.
    pub feed_readers: Gauge,
    /// Seconds from a change to its being handed to a reader.
    pub feed_lag_seconds: Histogram,
}

impl Default for Meters {
    fn default() -> Self {
        Self {
            // 1 us to 33 ms.
            decide_seconds: Histogram::new(exponential_buckets(1e-6, 2.0, 16)),
            // 32 us to 2 s.
            sync_seconds: Histogram::new(exponential_buckets(32e-6, 2.0, 17)),
            // 1 to 32,768.
            group_events: Histogram::new(exponential_buckets(1.0, 2.0, 16)),
            upserts: Default::default(),
            feed_readers: Gauge::default(),
            // 1 ms to 12 days.
            feed_lag_seconds: Histogram::new(exponential_buckets(1e-3, 4.0, 16)),
        }
    }
}

impl Meters {
    /// Upserts that ended so, since the start.
    #[must_use]
    pub fn upserts(&self, end: UpsertEnd) -> u64 {
        self.upserts[end as usize].load(Relaxed)
    }

    /// Counts somebody who reads the feed, for as long as what is returned lives.
    #[must_use]
    pub fn feed_reader(&self) -> FeedReader {
        self.feed_readers.inc();
        FeedReader(self.feed_readers.clone())
    }

    /// Notes that what happened at a time has been handed to a reader.
    pub fn note_feed_lag(&self, newest: Option<Timestamp>, now: Timestamp) {
        let lag_ms = newest.and_then(|at| u64::try_from(now.0.saturating_sub(at.0)).ok());
        if let Some(lag_ms) = lag_ms {
            self.feed_lag_seconds.observe(Duration::from_millis(lag_ms).as_secs_f64());
        }
    }

    pub(super) fn count_upsert(&self, outcome: &Outcome) {
        if let Some(end) = UpsertEnd::of(outcome) {
            self.upserts[end as usize].fetch_add(1, Relaxed);
        }
    }
}

/// Somebody who reads the feed.
#[derive(Debug)]
pub struct FeedReader(Gauge);

impl Drop for FeedReader {
    fn drop(&mut self) {
        self.0.dec();
    }
}

/// Seconds between two readings of a monotonic clock.
#[must_use]
pub fn seconds_between(began_ns: u64, ended_ns: u64) -> f64 {
    Duration::from_nanos(ended_ns.saturating_sub(began_ns)).as_secs_f64()
}
