//! `GET /metrics`: what a scraper reads, as OpenMetrics text.
//!
//! It owns the names of all metrics and their help texts. A registry is put together for each
//! scrape: nothing is global, and what need not be counted all the time is read then. It must not
//! measure anything itself.

use crate::ambient::process::{ProcessFigures, process_figures};
use crate::engine::Engine;
use crate::engine::business::Business;
use crate::engine::meters::UpsertEnd;
use crate::engine::partition::Partition;
use crate::engine::snapshotter::{SnapshotStatus, Snapshotter};
use crate::http::app::Edge;
use crate::http::code::Code;
use crate::http::endpoint::Endpoint;
use crate::http::problem::Problem;
use crate::model::id::{ObjectId, Timestamp};
use crate::model::table::order::Wanted;
use actix_web::HttpResponse;
use actix_web::web::Data;
use prometheus_client::encoding::{EncodeGaugeValue, text};
use prometheus_client::metrics::counter::{ConstCounter, Counter};
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::{ConstGauge, Gauge};
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};
use std::fmt::Debug;

const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// So many objects, the oldest, are shown one by one; all younger ones are one sum, so that
/// whoever may create objects cannot make a scrape grow without bound.
const OBJECTS_MAX: usize = 1000;

/// What stands for the objects beyond.
const OTHER_OBJECTS: &str = "other";

/// `GET /metrics`.
#[must_use]
pub fn metrics() -> Endpoint {
    Endpoint::at("/metrics").get(scrape)
}

async fn scrape(engine: Data<Engine>, edge: Data<Edge>) -> Result<HttpResponse, Problem> {
    let mut registry = Registry::default();
    let ours = registry.sub_registry_with_prefix("upsertd");
    of_build(ours);
    of_requests(ours, &edge);
    of_writing(ours, &engine);
    of_log(ours, &engine);
    of_snapshots(ours, &engine);
    of_feed(ours, &engine);
    of_records(ours, &engine);
    if let Some(figures) = process_figures() {
        of_process(registry.sub_registry_with_prefix("process"), &figures);
    }
    let mut body = String::new();
    text::encode(&mut body, &registry).map_err(|_| Problem::new(Code::InternalError))?;
    Ok(HttpResponse::Ok().content_type(CONTENT_TYPE).body(body))
}

fn of_build(registry: &mut Registry) {
    let build = Info::new([("version", env!("CARGO_PKG_VERSION"))]);
    registry.register("build", "What is running", build);
}

fn of_requests(registry: &mut Registry, edge: &Edge) {
    let (meters, counters) = (&edge.meters, &edge.counters);
    let help = "Requests answered, by route, method and status; route none where none was reached";
    registry.register("http_requests", help, meters.requests().clone());
    let help = "From the head of a request to that of its answer";
    let seconds = meters.seconds().clone();
    registry.register_with_unit("http_request_duration", help, Unit::Seconds, seconds);
    let refusals = Family::<[(&str, &str); 1], Counter>::default();
    for code in Code::ALL {
        refusals.get_or_create(&[("code", code.as_str())]).inc_by(meters.refusals(*code));
    }
    registry.register("refusals", "Answers that are errors, by their code", refusals);
    for (name, help, counter) in [
        ("http_panics", "Handlers that panicked; each is a bug", &counters.panics),
        (
            "http_connections_refused",
            "Connections closed at once, over a limit",
            &counters.connections_refused,
        ),
        (
            "http_connections_stalled",
            "Connections ended because their peer made no progress",
            &counters.connections_stalled,
        ),
        (
            "http_bodies_refused",
            "Bodies refused because all in flight together are too large",
            &counters.bodies_refused,
        ),
    ] {
        registry.register(name, help, ConstCounter::new(counter.get()));
    }
}

fn of_writing(registry: &mut Registry, engine: &Engine) {
    let meters = engine.meters();
    let upserts = Family::<[(&str, &str); 1], Counter>::default();
    for end in UpsertEnd::ALL {
        upserts.get_or_create(&[("action", upsert_word(end))]).inc_by(meters.upserts(end));
    }
    registry.register("upserts", "Upserts that were carried out, by what they came to", upserts);
    let help = "From a command's turn to its events, encoded";
    let seconds = meters.decide_seconds.clone();
    registry.register_with_unit("decide_duration", help, Unit::Seconds, seconds);
    let help = "From a frame's turn to its being written and synced";
    let seconds = meters.sync_seconds.clone();
    registry.register_with_unit("log_sync_duration", help, Unit::Seconds, seconds);
    let help = "Events that one sync made durable";
    registry.register("group_size", help, meters.group_events.clone());
    let rows = sum(engine, |partition| partition.rows_waiting() as u64);
    gauge(registry, "queue_depth", "Rows that wait for a writer, or for a sync", rows);
    let bytes = sum(engine, |partition| partition.queue().undurable_bytes() as u64);
    let help = "Decided and not yet durable";
    registry.register_with_unit("undurable", help, Unit::Bytes, ConstGauge::new(bytes));
    let help = "Outcomes that are kept of writes with an Idempotency-Key, in memory";
    let bytes = ConstGauge::new(engine.outcome_bytes() as u64);
    registry.register_with_unit("outcome", help, Unit::Bytes, bytes);
    let is_read_only = u32::from(engine.read_only().is_some());
    gauge(registry, "read_only", "1 while no writes are taken", is_read_only);
}

const fn upsert_word(end: UpsertEnd) -> &'static str {
    match end {
        UpsertEnd::Created => "created",
        UpsertEnd::Updated => "updated",
        UpsertEnd::Unarchived => "unarchived",
        UpsertEnd::Unchanged => "unchanged",
    }
}

fn of_log(registry: &mut Registry, engine: &Engine) {
    let now = engine.clock().now();
    let frames = sum(engine, |partition| partition.counters().frames);
    registry.register(
        "log_frames",
        "Frames made durable, without seals",
        ConstCounter::new(frames),
    );
    let events = sum(engine, |partition| partition.counters().events);
    registry.register("log_events", "Events made durable", ConstCounter::new(events));
    let segments: Vec<_> =
        engine.partitions().iter().map(|partition| partition.log().segments()).collect();
    let bytes: u64 = segments.iter().flatten().map(|segment| segment.bytes).sum();
    let help = "The log on the disk, as far as it is written";
    registry.register_with_unit("log", help, Unit::Bytes, ConstGauge::new(bytes));
    let count = segments.iter().flatten().count() as u64;
    gauge(registry, "log_segments", "Files of the log", count);
    let oldest = segments.iter().filter_map(|segments| segments.first());
    if let Some(age) = oldest.map(|segment| age_seconds(segment.newest, now)).reduce(f64::max) {
        let help = "Age of the oldest segment's newest event, which is what retention goes by";
        registry.register_with_unit("log_age", help, Unit::Seconds, ConstGauge::new(age));
    }
}

fn of_snapshots(registry: &mut Registry, engine: &Engine) {
    let now = engine.clock().now();
    let snapshotters = engine.partitions().iter().filter_map(Partition::snapshotter);
    let statuses: Vec<SnapshotStatus> = snapshotters.map(Snapshotter::status).collect();
    let rounds = statuses.iter().map(|status| status.rounds).sum::<u64>();
    registry.register("snapshot_rounds", "Snapshots written", ConstCounter::new(rounds));
    let failures = statuses.iter().map(|status| status.failures).sum::<u64>();
    let help = "Rounds that ended without a snapshot";
    registry.register("snapshot_failures", help, ConstCounter::new(failures));
    // Before the first there is nothing whose size or age could be told.
    let last: Vec<_> = statuses.iter().filter_map(|status| status.last).collect();
    if let Some(age) = last.iter().map(|last| age_seconds(last.at, now)).reduce(f64::max) {
        let bytes = last.iter().map(|last| last.bytes).sum::<u64>();
        let help = "The newest snapshot";
        registry.register_with_unit("snapshot", help, Unit::Bytes, ConstGauge::new(bytes));
        let help = "Since the newest snapshot was begun";
        registry.register_with_unit("snapshot_age", help, Unit::Seconds, ConstGauge::new(age));
    }
}

fn of_feed(registry: &mut Registry, engine: &Engine) {
    let meters = engine.meters();
    let help = "Requests that wait for changes or read a stream of them";
    registry.register("feed_subscribers", help, meters.feed_readers.clone());
    let help = "From the newest change of an answer to its being handed to a reader";
    let lag = meters.feed_lag_seconds.clone();
    registry.register_with_unit("feed_lag", help, Unit::Seconds, lag);
}

/// Objects go by their ids: a name is what a customer has written.
fn of_records(registry: &mut Registry, engine: &Engine) {
    let businesses = engine.partitions().iter().flat_map(Partition::businesses);
    let mut counts: Vec<_> = businesses.flat_map(|business| counts_of(&business)).collect();
    // Ids rise with time, so an object that is shown stays shown.
    counts.sort_unstable_by_key(|(object, _)| *object);
    let records = Family::<[(&str, String); 2], Gauge>::default();
    for (at, (object, of_states)) in counts.into_iter().enumerate() {
        let object = if at < OBJECTS_MAX { object.to_string() } else { OTHER_OBJECTS.to_owned() };
        for (state, count) in of_states {
            let labels = [("object", object.clone()), ("state", state.to_owned())];
            records.get_or_create(&labels).inc_by(i64::try_from(count).unwrap_or(i64::MAX));
        }
    }
    let help = "Records, by object and state; objects beyond the first thousand together";
    registry.register("records", help, records);
}

fn counts_of(business: &Business) -> Vec<(ObjectId, [(&'static str, usize); 2])> {
    let tables = business.tables();
    let of_table = |table: &std::sync::Arc<crate::engine::business::TableRef>| {
        let shown = table.shown();
        let archived = shown.order.count(Wanted::Archived);
        (shown.schema().object().id, [("live", shown.live_count()), ("archived", archived)])
    };
    tables.iter().map(of_table).collect()
}

/// The names that every process of a Prometheus site has.
fn of_process(registry: &mut Registry, figures: &ProcessFigures) {
    let cpu = ConstCounter::new(figures.cpu_seconds);
    registry.register_with_unit("cpu", "Processor time used", Unit::Seconds, cpu);
    let started = ConstGauge::new(figures.started_at_seconds);
    let help = "When the process was started, since 1970";
    registry.register_with_unit("start_time", help, Unit::Seconds, started);
    let resident = ConstGauge::new(figures.resident_bytes);
    registry.register_with_unit("resident_memory", "Memory in use", Unit::Bytes, resident);
    let virtual_bytes = ConstGauge::new(figures.virtual_bytes);
    registry.register_with_unit("virtual_memory", "Addresses in use", Unit::Bytes, virtual_bytes);
    gauge(registry, "threads", "Threads", figures.threads);
    gauge(registry, "open_fds", "Open files and connections", figures.open_files);
    if let Some(max) = figures.open_files_max {
        gauge(registry, "max_fds", "Files and connections that may be open", max);
    }
}

fn gauge<N>(registry: &mut Registry, name: &str, help: &str, value: N)
where
    N: EncodeGaugeValue + Debug + Send + Sync + 'static,
    ConstGauge<N>: prometheus_client::registry::Metric,
{
    registry.register(name, help, ConstGauge::new(value));
}

fn sum(engine: &Engine, of: impl Fn(&Partition) -> u64) -> u64 {
    engine.partitions().iter().map(of).sum()
}

/// A clock that was put back makes a thing new, not older than time.
#[expect(clippy::cast_precision_loss, reason = "ages are far below 2^53 milliseconds")]
fn age_seconds(then: Timestamp, now: Timestamp) -> f64 {
    now.0.saturating_sub(then.0).max(0) as f64 / 1000.0
}

#[cfg(test)]
mod tests {
    use crate::http::test_support::TestServer;

    #[actix_web::test]
    async fn where_metrics_are_not_served_there_is_no_such_path() {
        let server = TestServer::with(|options| options.serves_metrics = false).await;
        server.get("/metrics").await.expect_error(404, "not_found");
    }
}
