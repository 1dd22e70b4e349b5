//! What a scraper reads: every family is there, moves with what it counts, and names no data.

use crate::support::{Fixture, OPERATOR_KEY, Request, text, until};
use serde_json::json;
use std::collections::BTreeMap;

/// Every family and its type.
const FAMILIES: &[(&str, &str)] = &[
    ("upsertd_build", "info"),
    ("upsertd_http_requests", "counter"),
    ("upsertd_http_request_duration_seconds", "histogram"),
    ("upsertd_refusals", "counter"),
    ("upsertd_http_panics", "counter"),
    ("upsertd_http_connections_refused", "counter"),
    ("upsertd_http_connections_stalled", "counter"),
    ("upsertd_http_bodies_refused", "counter"),
    ("upsertd_upserts", "counter"),
    ("upsertd_decide_duration_seconds", "histogram"),
    ("upsertd_log_sync_duration_seconds", "histogram"),
    ("upsertd_group_size", "histogram"),
    ("upsertd_queue_depth", "gauge"),
    ("upsertd_undurable_bytes", "gauge"),
    ("upsertd_outcome_bytes", "gauge"),
    ("upsertd_read_only", "gauge"),
    ("upsertd_log_frames", "counter"),
    ("upsertd_log_events", "counter"),
    ("upsertd_log_bytes", "gauge"),
    ("upsertd_log_segments", "gauge"),
    ("upsertd_log_age_seconds", "gauge"),
    ("upsertd_snapshot_rounds", "counter"),
    ("upsertd_snapshot_failures", "counter"),
    ("upsertd_snapshot_bytes", "gauge"),
    ("upsertd_snapshot_age_seconds", "gauge"),
    ("upsertd_feed_subscribers", "gauge"),
    ("upsertd_feed_lag_seconds", "histogram"),
    ("upsertd_records", "gauge"),
    ("process_cpu_seconds", "counter"),
    ("process_start_time_seconds", "gauge"),
    ("process_resident_memory_bytes", "gauge"),
    ("process_virtual_memory_bytes", "gauge"),
    ("process_threads", "gauge"),
    ("process_open_fds", "gauge"),
    ("process_max_fds", "gauge"),
];

/// The samples of one scrape, by name and labels as they are written.
struct Scrape {
    samples: BTreeMap<String, f64>,
    types: BTreeMap<String, String>,
    text: String,
}

impl Scrape {
    fn of(fixture: &mut Fixture) -> Self {
        let request = ["X-API-KEY", "X-BUSINESS-ID", "X-USER-ID"]
            .iter()
            .fold(Request::new("GET", "/metrics"), |request, name| request.without(name));
        let answer = fixture.send(&request);
        assert_eq!(answer.status, 200, "{answer}");
        let content_type = answer.header("Content-Type").unwrap_or_default();
        assert!(content_type.starts_with("application/openmetrics-text; version=1.0.0"));
        let text = String::from_utf8(answer.body.clone()).expect("metrics are text");
        assert!(text.ends_with("# EOF\n"), "{text}");
        let mut scrape = Self { samples: BTreeMap::new(), types: BTreeMap::new(), text };
        for line in scrape.text.lines() {
            if let Some(rest) = line.strip_prefix("# TYPE ") {
                let (name, kind) = rest.split_once(' ').expect("a type has a name");
                let twice = scrape.types.insert(name.to_owned(), kind.to_owned());
                assert!(twice.is_none(), "{name} stands twice");
            } else if !line.starts_with('#') {
                let (name, value) = line.rsplit_once(' ').expect("a sample has a value");
                let value = value.parse().unwrap_or_else(|_| panic!("no number: {line}"));
                assert!(scrape.samples.insert(name.to_owned(), value).is_none(), "{line}");
            }
        }
        scrape
    }

    #[track_caller]
    fn value(&self, sample: &str) -> f64 {
        let found = self.samples.get(sample);
        *found.unwrap_or_else(|| panic!("no sample {sample} in\n{}", self.text))
    }
}

/// Asserts how much a sample has risen; counts are whole, so equality is meant.
#[track_caller]
fn assert_rose(before: &Scrape, after: &Scrape, sample: &str, by: f64) {
    let was = before.samples.get(sample).copied().unwrap_or(0.0);
    let rise = after.value(sample) - was;
    assert!((rise - by).abs() < 0.5, "{sample} rose by {rise}, not by {by}\n{}", after.text);
}

/// The ids of an object and of a record, and the scrapes around what was done with them.
struct Scene {
    object: String,
    record: String,
    before: Scrape,
    after: Scrape,
}

/// Does one thing of each kind, between two scrapes.
fn act() -> Scene {
    let mut fixture = Fixture::new();
    let object = text(&fixture.object("accounts"), "id").to_owned();
    fixture.text_field("accounts", "note");
    let before = Scrape::of(&mut fixture);
    let body = json!({"lookup_value": "Acme", "fields": {"note": "n"}});
    let record = text(&fixture.upsert("accounts", &body).expect(200), "id").to_owned();
    fixture.upsert("accounts", &body).expect(200);
    let change = json!({"lookup_value": "Acme", "fields": {"note": "other"}});
    fixture.upsert("accounts", &change).expect(200);
    fixture.create_archived("accounts", "Globex", &json!({}));
    fixture.upsert("accounts", &json!({"lookup_value": "Globex"})).expect_error(409, "conflict");
    let unarchive = json!({"lookup_value": "Globex", "oncreate_unarchive": "unarchive"});
    fixture.upsert("accounts", &unarchive).expect(200);
    fixture.create_archived("accounts", "Initech", &json!({}));
    fixture.read("accounts", &record).expect(200);
    fixture.client.get("/nothing").expect_error(404, "not_found");
    let snapshot = Request::new("POST", "/api/admin/snapshot");
    fixture.send(&snapshot.header("X-OPERATOR-KEY", OPERATOR_KEY)).expect(202);
    let after = until("the snapshot", || {
        let scrape = Scrape::of(&mut fixture);
        (scrape.value("upsertd_snapshot_rounds_total") >= 1.0).then_some(scrape)
    });
    Scene { object, record, before, after }
}

#[test]
fn every_family_is_there_and_names_no_data() {
    let Scene { record, after, .. } = act();
    let expected: BTreeMap<_, _> =
        FAMILIES.iter().map(|(name, kind)| ((*name).to_owned(), (*kind).to_owned())).collect();
    assert_eq!(after.types, expected);
    for there in [
        "upsertd_snapshot_bytes",
        "upsertd_log_segments",
        "process_resident_memory_bytes",
        "process_open_fds",
        "process_threads",
        "process_start_time_seconds",
    ] {
        assert!(after.value(there) > 0.0, "{there} is nothing");
    }
    let version = env!("CARGO_PKG_VERSION");
    after.value(&format!("upsertd_build_info{{version=\"{version}\"}}"));
    assert!(after.value("upsertd_queue_depth").abs() < 0.5, "nothing waits");
    for data in ["Acme", "Globex", "accounts", "note", &record] {
        assert!(!after.text.contains(data), "{data} is in\n{}", after.text);
    }
}

#[test]
fn every_count_moves_with_what_it_counts() {
    let Scene { object, before, after, .. } = act();
    for (action, count) in
        [("created", 3.0), ("updated", 1.0), ("unarchived", 1.0), ("unchanged", 1.0)]
    {
        let sample = format!("upsertd_upserts_total{{action=\"{action}\"}}");
        assert_rose(&before, &after, &sample, count);
    }
    let upsert = "/api/records/{object_identifier}/upsert";
    let one = "/api/records/{object_identifier}/{entity_id}";
    for (route, method, status, count) in [
        (upsert, "POST", 200, 6.0),
        (upsert, "POST", 409, 1.0),
        (one, "GET", 200, 1.0),
        (one, "DELETE", 204, 2.0),
        ("none", "GET", 404, 1.0),
    ] {
        let labels = format!("route=\"{route}\",method=\"{method}\",status=\"{status}\"");
        let sample = format!("upsertd_http_requests_total{{{labels}}}");
        assert_rose(&before, &after, &sample, count);
    }
    for (code, count) in [("conflict", 1.0), ("not_found", 1.0), ("overloaded", 0.0)] {
        let sample = format!("upsertd_refusals_total{{code=\"{code}\"}}");
        assert_rose(&before, &after, &sample, count);
    }
    for (state, count) in [("live", 2.0), ("archived", 1.0)] {
        let sample = format!("upsertd_records{{object=\"{object}\",state=\"{state}\"}}");
        assert_rose(&before, &after, &sample, count);
    }
    // Seven upserts, the refused one too, and two that archive.
    assert_rose(&before, &after, "upsertd_decide_duration_seconds_count", 9.0);
    for rising in [
        "upsertd_http_request_duration_seconds_count",
        "upsertd_log_sync_duration_seconds_count",
        "upsertd_log_sync_duration_seconds_sum",
        "upsertd_group_size_count",
        "upsertd_log_bytes",
        "upsertd_log_events_total",
        "upsertd_log_frames_total",
    ] {
        assert!(after.value(rising) > before.value(rising), "{rising} stands still");
    }
}

#[test]
fn a_failed_request_has_one_line_in_the_log_and_a_good_one_none() {
    let mut fixture = Fixture::with_flag("--read-only", "true");
    let failing = Request::new("POST", "/api/custom-objects")
        .header("X-Request-ID", "the-failing-one")
        .json(&json!({"object_name": "Accounts"}));
    let good = Request::new("GET", "/api/custom-objects").header("X-Request-ID", "the-good-one");
    let wrong = Request::new("GET", "/nothing").header("X-Request-ID", "the-wrong-one");
    fixture.send(&good).expect(200);
    fixture.send(&wrong).expect(404);
    fixture.send(&failing).expect_error(503, "read_only");
    let (exit, _) = fixture.server.stop();
    let lines = |id: &str| exit.stderr.lines().filter(|line| line.contains(id)).count();
    assert_eq!(lines("the-failing-one"), 1, "{}", exit.stderr);
    assert_eq!((lines("the-good-one"), lines("the-wrong-one")), (0, 0), "{}", exit.stderr);
}
