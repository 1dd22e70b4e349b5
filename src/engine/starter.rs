//! Starts writers: at the end of recovery, and when an object is created.

use crate::ambient::Clock;
use crate::engine::admission::AdmissionLimits;
use crate::engine::business::{TableRef, Tables};
use crate::engine::follow_up::FollowUpSignal;
use crate::engine::placement::Placement;
use crate::engine::turn::Announce;
use crate::engine::writer::{Handle, Writer, WriterParts};
use crate::model::catalog::{self, Catalog};
use crate::model::id::Timestamp;
use crate::model::moment::Moment;
use crate::model::state::State;
use crate::model::table::event::Event;
use crate::model::table::{Setting, Table};
use crate::storage::committer::CommitQueue;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// What every writer of a partition is started with.
pub(super) struct Starter {
    pub(super) queue: Arc<CommitQueue>,
    pub(super) clock: Clock,
    pub(super) placement: Arc<Placement>,
    pub(super) setting: Setting,
    pub(super) limits: AdmissionLimits,
    pub(super) follow_ups: Arc<FollowUpSignal>,
    /// No event is older than the newest that was recovered.
    pub(super) newest: Timestamp,
    /// Random at the start of the process; each writer's ids begin elsewhere.
    pub(super) seed: u64,
    pub(super) started: AtomicU64,
}

impl Starter {
    pub(super) fn start<S: State>(&self, state: S, announce: Announce<S>) -> Handle<S> {
        let count = self.started.fetch_add(1, Relaxed) + 1;
        // An odd factor: no two counts give the same seed.
        let seed = self.seed.wrapping_add(count.wrapping_mul(0xD1B5_4A32_D192_ED03));
        let arbiter = self.placement.of(state.writer());
        let parts = WriterParts {
            queue: self.queue.clone(),
            clock: self.clock.clone(),
            moment: Moment::new(seed, self.newest),
            limits: self.limits,
            announce,
        };
        Writer::start_on(&arbiter, state, parts)
    }

    pub(super) fn start_table(&self, table: Table) -> Arc<TableRef> {
        let (shown, object) = (table.shown(), table.object());
        let follow_ups = self.follow_ups.clone();
        let announce: Announce<Table> = Box::new(move |event| {
            if let Event::Purged(_) = event {
                follow_ups.raise(object);
            }
        });
        TableRef::new(shown, self.start(table, announce))
    }

    /// The catalog's writer brings the tables that are born with its events to life, before it
    /// answers.
    pub(super) fn start_catalog(
        self: &Arc<Self>,
        catalog: Catalog,
        tables: Arc<Tables>,
    ) -> Handle<Catalog> {
        let starter = self.clone();
        let announce: Announce<Catalog> = Box::new(move |event: &catalog::Event| {
            if let Some(birth) = event.birth() {
                let table = Table::born(&birth, starter.setting);
                tables.put(table.object(), starter.start_table(table));
            }
        });
        self.start(catalog, announce)
    }
}
