//! An engine over a log in memory, for tests of this layer and of the edges above it.

use crate::ambient::Clock;
use crate::engine::Engine;
use crate::engine::admission::AdmissionLimits;
use crate::engine::bootstrap::Bootstrap;
use crate::engine::outcome::OutcomeOptions;
use crate::engine::partition::{PartitionOptions, Recovered};
use crate::engine::states::States;
use crate::model::id::LogId;
use crate::model::table::{Limits, Setting};
use crate::storage::committer::CommitOptions;
use crate::storage::memory_log::MemoryFrames;
use crate::storage::retention::FeedRetention;
use std::sync::Arc;
use std::time::Duration;

/// An engine at its first moment. Its ids follow from the clock alone.
pub(crate) async fn in_memory(bootstrap: Bootstrap, rows_max: usize, clock: Clock) -> Arc<Engine> {
    over(bootstrap, rows_max, clock, (no_states(), MemoryFrames::default())).await
}

/// The states of a directory in which nothing has happened.
pub(crate) fn no_states() -> States {
    let limits = Limits { record_bytes_max: 1 << 20, commit_bytes_max: 8 << 20 };
    States::empty(Setting { limits, digest_key: [7; 16] })
}

/// An engine over states as of the end of a log.
pub(crate) async fn over(
    bootstrap: Bootstrap,
    rows_max: usize,
    clock: Clock,
    (states, frames): (States, MemoryFrames),
) -> Arc<Engine> {
    let recovered = Recovered {
        states,
        log: Box::new(frames.lead()),
        log_id: LogId::from_bytes([5; 16]),
        last: frames.last(),
        bootstrap,
        snapshots: None,
    };
    let options = PartitionOptions {
        arbiters: 2,
        search_threads: 2,
        admission: AdmissionLimits { rows_max, bytes_max: 64 << 20 },
        commit: CommitOptions::default(),
        feed: FeedRetention { age_ms: 7 * 24 * 60 * 60 * 1000, bytes: 8 << 30 },
        outcomes: OutcomeOptions { ttl: Duration::from_hours(24), bytes_max: 256 << 20 },
        stream_ttl: Duration::from_hours(24),
    };
    Engine::start(recovered, options, clock, 1).await
}
