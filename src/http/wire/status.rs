//! What an operator is told about the process: counts, sizes and positions, nothing of any record.

use crate::engine::business::Business;
use crate::engine::partition::Partition;
use crate::engine::snapshotter::{SnapshotStatus, Snapshotter};
use crate::engine::{Engine, ReadOnly};
use crate::model::id::{BusinessId, ObjectId, Position, Sequence, Timestamp};
use crate::model::table::Shown;
use crate::model::table::order::Wanted;
use crate::model::value::time::timestamp_text;
use jiff::tz::TimeZone;
use serde::Serialize;

/// The state of the process. Its parts are read one after the other, so it is not one instant.
#[derive(Debug, Serialize)]
pub struct StatusShape {
    version: &'static str,
    uptime_seconds: u64,
    /// Why no writes are taken; null while they are.
    read_only: Option<&'static str>,
    /// Durable since the start, without seals.
    frames: u64,
    /// Commits in those frames; by `frames` it is the size of a group.
    commits: u64,
    events: u64,
    seals: u64,
    /// Of all partitions.
    log_bytes: u64,
    partitions: Vec<PartitionShape>,
    businesses: Vec<BusinessStatus>,
}

impl StatusShape {
    #[must_use]
    pub fn of(engine: &Engine) -> Self {
        const SECOND_NS: u64 = 1_000_000_000;
        let now = engine.clock().now();
        let partitions = engine.partitions();
        let counters = || partitions.iter().map(Partition::counters);
        let shapes: Vec<_> = partitions.iter().map(|it| PartitionShape::of(it, now)).collect();
        let mut businesses: Vec<_> = partitions
            .iter()
            .flat_map(Partition::businesses)
            .map(|business| BusinessStatus::of(&business))
            .collect();
        businesses.sort_by_key(|business| business.id);
        Self {
            version: env!("CARGO_PKG_VERSION"),
            uptime_seconds: engine.clock().monotonic_ns() / SECOND_NS,
            read_only: engine.read_only().map(read_only_word),
            frames: counters().map(|counters| counters.frames).sum(),
            commits: counters().map(|counters| counters.appends).sum(),
            events: counters().map(|counters| counters.events).sum(),
            seals: counters().map(|counters| counters.seals).sum(),
            log_bytes: shapes.iter().map(|shape| shape.log_bytes).sum(),
            partitions: shapes,
            businesses,
        }
    }
}

const fn read_only_word(reason: ReadOnly) -> &'static str {
    match reason {
        ReadOnly::Setting => "setting",
        ReadOnly::DiskFull => "disk_full",
        ReadOnly::MemoryFull => "memory_full",
    }
}

/// One log, and what stands on it.
#[derive(Debug, Serialize)]
struct PartitionShape {
    /// The newest durable frame.
    position: Position,
    log_bytes: u64,
    log_segments: usize,
    /// Null where nothing keeps snapshots.
    snapshot: Option<SnapshotShape>,
}

impl PartitionShape {
    fn of(partition: &Partition, now: Timestamp) -> Self {
        let segments = partition.log().segments();
        let status = partition.snapshotter().map(Snapshotter::status);
        Self {
            position: partition.durable(),
            log_bytes: segments.iter().map(|segment| segment.bytes).sum(),
            log_segments: segments.len(),
            snapshot: status.map(|status| SnapshotShape::of(&status, now)),
        }
    }
}

/// The rounds of snapshots, and the newest of them; its keys are null before the first.
#[derive(Debug, Serialize)]
pub struct SnapshotShape {
    position: Option<Position>,
    bytes: Option<u64>,
    at: Option<String>,
    age_seconds: Option<u64>,
    rounds: u64,
    failures: u64,
    is_running: bool,
}

impl SnapshotShape {
    #[must_use]
    pub fn of(status: &SnapshotStatus, now: Timestamp) -> Self {
        let last = status.last;
        // A clock that was put back makes a snapshot new, not older than time.
        let age = |at: Timestamp| u64::try_from(now.0.saturating_sub(at.0)).unwrap_or(0) / 1000;
        Self {
            position: last.map(|last| last.position),
            bytes: last.map(|last| last.bytes),
            at: last.map(|last| timestamp_text(last.at, &TimeZone::UTC)),
            age_seconds: last.map(|last| age(last.at)),
            rounds: status.rounds,
            failures: status.failures,
            is_running: status.is_running,
        }
    }
}

#[derive(Debug, Serialize)]
struct BusinessStatus {
    id: BusinessId,
    name: String,
    objects: Vec<ObjectStatus>,
}

impl BusinessStatus {
    fn of(business: &Business) -> Self {
        let objects = business.tables();
        Self {
            id: business.id(),
            name: business.info().name.clone(),
            objects: objects.iter().map(|table| ObjectStatus::of(table.shown())).collect(),
        }
    }
}

/// One table.
#[derive(Debug, Serialize)]
struct ObjectStatus {
    id: ObjectId,
    name: String,
    sequence: Sequence,
    live_records: usize,
    archived_records: usize,
    /// Fields whose values are kept side by side for searches, and what that takes.
    columns: usize,
    column_bytes: usize,
}

impl ObjectStatus {
    fn of(shown: &Shown) -> Self {
        let schema = shown.schema();
        Self {
            id: schema.object().id,
            name: schema.object().name.clone(),
            sequence: shown.sequence(),
            live_records: shown.live_count(),
            archived_records: shown.order.count(Wanted::Archived),
            columns: shown.columns.len(),
            column_bytes: shown.columns.bytes(),
        }
    }
}
