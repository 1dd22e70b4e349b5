//! What an operator can set about the HTTP edge.
//!
//! It must not know where a setting comes from or how it is spelled.

use crate::http::identity::OperatorKey;
use crate::http::rate_limit::RatePolicy;
use actix_web::http::StatusCode;
use std::net::SocketAddr;
use std::time::Duration;

/// All of it, checked.
#[derive(Clone, Debug)]
pub struct Options {
    pub listen: SocketAddr,
    /// Threads that serve HTTP, at least one.
    pub workers: usize,
    pub shutdown_wait: Duration,
    pub limits: ConnectionLimits,
    pub bodies: BodyLimits,
    pub batches: BatchLimits,
    pub answers: AnswerOptions,
    /// How long one search may take.
    pub search_timeout: Duration,
    /// How often an API key may ask; none: as often as it likes.
    pub rate_limit: Option<RatePolicy>,
    /// Whether the document of the API is for everybody, not for members alone.
    pub openapi_public: bool,
    /// Whether `/metrics` is served; it asks nobody for a key.
    pub serves_metrics: bool,
    /// None: everything under `/api/admin` is unknown.
    pub operator_key: Option<OperatorKey>,
}

/// Limits of connections, which know nothing of requests.
#[derive(Clone, Debug)]
pub struct ConnectionLimits {
    pub connections_max: usize,
    /// None behind a proxy, where all peers have one address.
    pub connections_per_peer_max: Option<usize>,
    /// How long a connection may be idle between two requests.
    pub idle_timeout: Duration,
}

/// Limits of request bodies.
#[derive(Clone, Copy, Debug)]
pub struct BodyLimits {
    /// One JSON body.
    pub json_bytes_max: usize,
    /// All bodies in flight together.
    pub all_bytes_max: usize,
    /// How long one JSON body may take to arrive.
    pub timeout: Duration,
}

/// Limits of requests with many rows.
#[derive(Clone, Copy, Debug)]
pub struct BatchLimits {
    /// Rows of a JSON batch.
    pub rows_max: usize,
    /// Rows of one that is atomic.
    pub atomic_rows_max: usize,
    /// One line of a stream.
    pub line_bytes_max: usize,
    /// Rows of a stream that are under way at once.
    pub window_rows: usize,
}

/// How answers look where the contract leaves a choice.
#[derive(Clone, Debug)]
pub struct AnswerOptions {
    /// Status of an upsert that created or unarchived.
    pub upsert_created: StatusCode,
    /// Status of a successful `add`.
    pub added: StatusCode,
    /// Status of a conflict with an archived record.
    pub archived_conflict: StatusCode,
    /// Origin of absolute addresses; none: that of the request.
    pub public_url: Option<String>,
}
