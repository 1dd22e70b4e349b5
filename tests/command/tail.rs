//! `upsertd tail`: every entry of the feed once and in order, whatever happens to the server.

use crate::support::{Fixture, Launch, Relay, RunningTool, Tool, text};
use serde_json::{Value, json};

fn entry(line: &str) -> Value {
    serde_json::from_str(line).expect("a line is JSON")
}

fn entries(stdout: &str) -> Vec<Value> {
    stdout.lines().map(entry).collect()
}

/// What the feed gives to this command line, which ends by itself.
fn tail(fixture: &Fixture, words: &[&str]) -> Vec<Value> {
    let words = [&["tail"], words].concat();
    entries(&Tool::of(&fixture.server, &words).run().expect_code(0).stdout)
}

fn sequences(entries: &[Value]) -> Vec<u64> {
    entries.iter().map(|entry| entry["seq"].as_u64().expect("an entry has a seq")).collect()
}

fn accounts() -> Fixture {
    let mut fixture = Fixture::new();
    fixture.object("accounts");
    fixture.text_field("accounts", "note");
    fixture
}

#[test]
fn all_that_is_kept_comes_once_and_in_order_then_it_ends() {
    let mut fixture = accounts();
    // More than one page.
    let names: Vec<String> = (0..1_200).map(|at| format!("Account {at}")).collect();
    let rows: Vec<Value> = names.iter().map(|name| json!({"lookup_value": name})).collect();
    fixture.client.post("/api/records/accounts/bulk-upsert", &json!(rows)).expect(200);
    let all = tail(&fixture, &["accounts"]);
    let expected: Vec<u64> = (1..).take(all.len()).collect();
    assert_eq!(sequences(&all), expected);
    let of_records: Vec<&str> = all
        .iter()
        .filter(|entry| entry["action"] == "created")
        .map(|entry| text(&entry["keys"], "name"))
        .collect();
    assert_eq!(of_records, names);
}

#[test]
fn it_begins_where_it_is_told_to() {
    let mut fixture = accounts();
    fixture.create("accounts", "Acme", &json!({"note": "a"}));
    let all = tail(&fixture, &["accounts"]);
    let last = all.last().expect("the record has an entry").clone();
    fixture.create("accounts", "Globex", &json!({"note": "b"}));
    let [new] = &tail(&fixture, &["accounts", "--after", text(&last, "cursor")])[..] else {
        panic!("one entry is behind the cursor")
    };
    assert_eq!((&new["keys"]["name"], &new["record"]), (&json!("Globex"), &Value::Null));
    let since = last["seq"].to_string();
    assert_eq!(
        sequences(&tail(&fixture, &["accounts", "--since", &since])),
        [new["seq"].as_u64().expect("a seq")]
    );
    assert_eq!(tail(&fixture, &["accounts", "--since", "1h"]).len(), all.len() + 1);
    assert!(tail(&fixture, &["accounts", "--since", "2100-01-01T00:00:00Z"]).is_empty());
    assert!(tail(&fixture, &["accounts", "--after", "now"]).is_empty());
    let records = tail(&fixture, &["accounts", "--include", "record", "--actions", "created"]);
    let notes: Vec<&Value> = records.iter().map(|entry| &entry["record"]["fields"]).collect();
    assert_eq!(notes.len(), 2, "{records:?}");
    assert!(notes[1].to_string().contains("\"b\""), "{records:?}");
    let words = ["tail", "--since", "1"];
    Tool::of(&fixture.server, &words).run().expect_code(2).expect_stderr("since_without_object");
    let words = ["tail", "accounts", "--since", "1", "--after", "now"];
    Tool::of(&fixture.server, &words).run().expect_code(2);
}

#[test]
fn all_objects_can_be_followed_and_origins_left_out() {
    let mut fixture = accounts();
    fixture.object("deals");
    fixture.create("accounts", "Acme", &json!({}));
    fixture.create("deals", "Big one", &json!({}));
    let all = tail(&fixture, &["--actions", "created"]);
    let objects: Vec<&Value> = all.iter().map(|entry| &entry["object"]["name"]).collect();
    assert_eq!(objects, ["accounts", "deals"]);
    let origin = text(&all[0], "origin");
    assert!(tail(&fixture, &["--actions", "created", "--exclude-origin", origin]).is_empty());
    assert_eq!(tail(&fixture, &["--actions", "created", "--only-origin", origin]).len(), 2);
}

/// Reads on until the entry of a record, and gives all that came.
fn until_record(running: &RunningTool, name: &str) -> Vec<Value> {
    let mut came = Vec::new();
    loop {
        came.push(entry(&running.line()));
        if came.last().is_some_and(|entry| entry["keys"]["name"] == name) {
            return came;
        }
    }
}

#[test]
fn it_follows_over_a_killed_server_without_a_gap_or_a_double() {
    let mut fixture = accounts();
    let relay = Relay::to(fixture.server.address());
    let tool = Tool::of(&fixture.server, &["tail", "accounts", "--follow"]).at(&relay.url());
    fixture.create("accounts", "Acme", &json!({"note": "a"}));
    let running = tool.start();
    let mut came = until_record(&running, "Acme");
    for name in ["Globex", "Initech", "Umbrella"] {
        let launch: Launch = fixture.server.kill();
        running.wait_for("trying again");
        fixture = Fixture::of(launch.start());
        fixture.create("accounts", name, &json!({"note": "b"}));
        relay.lead_to(fixture.server.address());
        came.extend(until_record(&running, name));
    }
    let expected: Vec<u64> = (1..).take(came.len()).collect();
    assert_eq!(sequences(&came), expected);
    running.wait_for("answers again");
}

#[test]
fn patience_has_an_end_when_it_is_given_one() {
    let mut fixture = accounts();
    let words = ["tail", "accounts", "--follow", "--retry-for", "off"];
    let running = Tool::of(&fixture.server, &words).start();
    fixture.create("accounts", "Acme", &json!({}));
    until_record(&running, "Acme");
    fixture.server.kill();
    running.end().expect_code(6).expect_stderr("server_unreachable");
}

#[test]
fn a_cursor_of_another_history_is_refused() {
    let fixture = accounts();
    let cursor = text(&tail(&fixture, &["accounts"])[0], "cursor").to_owned();
    let mut other = accounts();
    other.create("accounts", "Acme", &json!({}));
    let exit = Tool::of(&other.server, &["tail", "accounts", "--after", &cursor]).run();
    exit.expect_code(7).expect_stderr("410 cursor_expired").expect_stderr("take a full copy");
}
