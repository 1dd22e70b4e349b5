//! A thousand clients who open a stream and do not read: each costs little, and none holds up
//! anybody else.

use crate::api::changes::waiting::{changes, subscribers};
use crate::support::{Fixture, Request, until};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use serde_json::json;

const READERS: usize = 1_000;
const RECORDS: usize = 200;
/// Characters of each record, so that what every reader is owed is 4 MB.
const NOTE: usize = 20_000;
/// What each may cost: what is in memory for it and what was handed to its connection, with what the
/// allocator keeps.
const BYTES_EACH: usize = 256 * 1024;

/// The readers' connections are this process's too.
fn allow_connections() {
    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit })
        .expect("a process may have as many files as it was allowed");
}

#[test]
fn a_thousand_who_do_not_read_cost_bounded_memory_and_hold_up_nobody() {
    allow_connections();
    let mut fixture = Fixture::new();
    fixture.object("accounts");
    fixture.field(
        "accounts",
        &json!({"field_type": "longtext", "display_name": "Note", "name": "note"}),
    );
    let note = "x".repeat(NOTE);
    let rows: Vec<String> = (0..RECORDS)
        .map(|at| {
            let fields = json!({"note": note});
            json!({"lookup_value": format!("Account {at}"), "fields": fields}).to_string()
        })
        .collect();
    let stream = Request::new("POST", "/api/records/accounts/bulk-upsert?results=none")
        .header("Content-Type", "application/x-ndjson")
        .body(rows.join("\n").as_bytes());
    assert_eq!(fixture.send(&stream).status, 200);
    let before = fixture.server.resident_bytes();

    let request = changes("include=record").header("Accept", "text/event-stream");
    let silent: Vec<_> =
        (0..READERS).map(|_| fixture.server.client().send_unread(&request)).collect();
    let mut client = fixture.server.client();
    until("a thousand readers", || (subscribers(&mut client) == 1_000).then_some(()));
    // One who reads gets everything, and writers are answered.
    let mut events = fixture.server.client().events(changes("include=record&actions=created"));
    for at in 0..RECORDS {
        let event = events.next().expect("there are more");
        assert_eq!(event.data["keys"]["name"], format!("Account {at}"));
    }
    fixture.create("accounts", "Late", &json!({"note": "y"}));
    assert_eq!(events.next().expect("it is told").data["keys"]["name"], "Late");

    let grown = fixture.server.resident_bytes().saturating_sub(before);
    let each = grown / READERS;
    assert!(each <= BYTES_EACH, "each of {READERS} who do not read costs {each} bytes");
    drop(silent);
    until("nobody who reads", || (subscribers(&mut client) == 1).then_some(()));
}
