//! What the HTTP edge counts about itself, for the operator.
//!
//! It must not know who reads the numbers.

use std::sync::atomic::{AtomicU64, Ordering};

/// A count that only rises. Its readers need no order with anything else.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// Adds one.
    pub fn add(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    /// The count so far.
    #[must_use]
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// All counts of the edge.
#[derive(Debug, Default)]
pub struct Counters {
    /// Handlers that panicked; each is a bug.
    pub panics: Counter,
    /// Connections closed at once, over a limit.
    pub connections_refused: Counter,
    /// Connections ended because their peer made no progress.
    pub connections_stalled: Counter,
    /// Bodies refused because all in flight together are too large.
    pub bodies_refused: Counter,
}
