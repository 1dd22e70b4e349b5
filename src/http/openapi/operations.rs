//! Health, metrics and the operator's routes, as the document of the API describes them.
//!
//! Nothing here is ever called or made: tests hold it against what the server really answers. It
//! must not describe what is not served.

use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

/// How the process is.
#[derive(Serialize, ToSchema)]
pub struct Health {
    pub status: String,
}

/// The rounds of snapshots, and the newest of them; its keys are null before the first.
#[derive(Serialize, ToSchema)]
pub struct SnapshotStatus {
    #[schema(required = true)]
    pub position: Option<u64>,
    #[schema(required = true)]
    pub bytes: Option<u64>,
    #[schema(required = true, format = DateTime)]
    pub at: Option<String>,
    #[schema(required = true)]
    pub age_seconds: Option<u64>,
    pub rounds: u64,
    pub failures: u64,
    pub is_running: bool,
}

/// The rounds before the one that was asked for.
#[derive(Serialize, ToSchema)]
pub struct SnapshotsAsked {
    pub snapshots: Vec<SnapshotStatus>,
}

/// One log, and what stands on it.
#[derive(Serialize, ToSchema)]
pub struct PartitionStatus {
    pub position: u64,
    pub log_bytes: u64,
    pub log_segments: u64,
    #[schema(required = true)]
    pub snapshot: Option<SnapshotStatus>,
}

/// An object, in numbers.
#[derive(Serialize, ToSchema)]
pub struct ObjectStatus {
    pub id: Uuid,
    pub name: String,
    pub sequence: u64,
    pub live_records: u64,
    pub archived_records: u64,
    /// Fields whose values are kept side by side in memory, because searches ask for them.
    pub columns: u64,
    /// What these take.
    pub column_bytes: u64,
}

/// A business, in numbers.
#[derive(Serialize, ToSchema)]
pub struct BusinessStatus {
    pub id: Uuid,
    pub name: String,
    pub objects: Vec<ObjectStatus>,
}

/// The state of the process.
#[derive(Serialize, ToSchema)]
pub struct Status {
    pub version: String,
    pub uptime_seconds: u64,
    /// Why no writes are taken; null while they are.
    #[schema(required = true)]
    pub read_only: Option<String>,
    pub frames: u64,
    pub commits: u64,
    pub events: u64,
    pub seals: u64,
    pub log_bytes: u64,
    pub partitions: Vec<PartitionStatus>,
    pub businesses: Vec<BusinessStatus>,
}

/// Whether the process answers
#[utoipa::path(
    get, path = "/healthz", tag = "operations", operation_id = "healthz", security(()),
    responses((status = 200, description = "It does.", body = Health))
)]
pub fn healthz() {}

/// Whether requests of every kind are welcome
#[utoipa::path(
    get, path = "/readyz", tag = "operations", operation_id = "readyz", security(()),
    responses(
        (status = 200, description = "They are.", body = Health),
        (status = 503, description = "`read_only` or `shutting_down`.", body = Health),
    )
)]
pub fn readyz() {}

/// What a Prometheus scraper reads
///
/// Served on loopback, elsewhere only if the operator says so.
#[utoipa::path(
    get, path = "/metrics", tag = "operations", operation_id = "metrics", security(()),
    responses((
        status = 200, description = "OpenMetrics text.",
        body = String, content_type = "application/openmetrics-text",
    ))
)]
pub fn metrics() {}

/// This document
#[utoipa::path(
    get, path = "/api/openapi.json", tag = "operations", operation_id = "openapi", security(()),
    responses((
        status = 200, description = "OpenAPI 3.1.",
        body = Object, content_type = "application/json",
    ))
)]
pub fn openapi() {}

/// The state of the process, in numbers
#[utoipa::path(
    get, path = "/api/admin/status", tag = "operations", operation_id = "admin_status_retrieve",
    security(("operatorKey" = [])),
    responses((status = 200, description = "The state.", body = Status))
)]
pub fn status() {}

/// Ask for a snapshot
#[utoipa::path(
    post, path = "/api/admin/snapshot", tag = "operations", operation_id = "admin_snapshot_create",
    security(("operatorKey" = [])),
    responses((status = 202, description = "It will be written.", body = SnapshotsAsked))
)]
pub fn snapshot() {}
