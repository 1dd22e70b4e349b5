//! Where writers run: arbiters of their own, so that no large body or search stalls a table.

use crate::model::id::WriterId;
use actix::{Arbiter, ArbiterHandle};
use std::hash::{BuildHasher, RandomState};

/// The arbiters of the writers.
pub(super) struct Placement {
    arbiters: Vec<Arbiter>,
    hasher: RandomState,
}

impl Placement {
    /// Starts so many arbiters. A panic on one of them aborts the process.
    #[must_use]
    pub(super) fn start(arbiters: usize) -> Self {
        let arbiters: Vec<Arbiter> = (0..arbiters.max(1)).map(|_| Arbiter::new()).collect();
        for arbiter in &arbiters {
            let marked = arbiter.spawn_fn(crate::engine::panic::abort_on_panic_here);
            assert!(marked, "an arbiter that was just started takes functions");
        }
        Self { arbiters, hasher: RandomState::new() }
    }

    /// The arbiter of a writer: the same one for the life of the process.
    #[must_use]
    pub(super) fn of(&self, writer: WriterId) -> ArbiterHandle {
        let hash = self.hasher.hash_one(writer.to_bytes());
        let count = self.arbiters.len() as u64;
        let at = usize::try_from(hash % count).expect("there are few arbiters");
        self.arbiters[at].handle()
    }

    /// Ends the arbiters. Their writers must have nothing undurable.
    pub(super) fn stop(&self) {
        for arbiter in &self.arbiters {
            arbiter.stop();
        }
    }
}
