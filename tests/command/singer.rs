//! `upsertd target singer`: recorded streams, and a server that dies in the middle of one.

use crate::support::{Client, Fixture, Relay, Tool, field_value, text};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use tempfile::TempDir;

const TARGET: [&str; 2] = ["target", "singer"];

/// As `tap-csv` and its like write it.
const USERS: &str = r#"{"type": "SCHEMA", "stream": "users", "key_properties": ["id"], "bookmark_properties": ["updatedAt"], "schema": {"type": "object", "additionalProperties": false, "properties": {"id": {"type": ["null", "integer"]}, "name": {"type": ["null", "string"]}, "email": {"type": ["null", "string"], "maxLength": 100}, "updatedAt": {"type": ["null", "string"], "format": "date-time"}, "score": {"type": ["null", "number"]}, "active": {"type": ["null", "boolean"]}, "address": {"type": ["null", "object"], "properties": {"city": {"type": "string"}}}}}}
{"type": "ACTIVATE_VERSION", "stream": "users", "version": 1700000000}
{"type": "RECORD", "stream": "users", "record": {"id": 1, "name": "Ada", "email": "ada@example.com", "updatedAt": "2026-01-02T03:04:05Z", "score": 1.5, "active": true, "address": {"city": "London"}}, "time_extracted": "2026-01-02T03:04:06Z"}
{"type": "RECORD", "stream": "users", "record": {"id": 2, "name": "Ada", "email": null, "updatedAt": "2026-01-02T03:04:07Z", "score": null, "active": false, "address": null}}
{"type": "STATE", "value": {"bookmarks": {"users": {"updatedAt": "2026-01-02T03:04:07Z"}}}}
{"type": "RECORD", "stream": "users", "record": {"id": 1, "name": "Ada L.", "email": "ada@example.com", "updatedAt": "2026-02-02T03:04:05Z", "score": 2, "active": true, "address": {"city": "Paris"}}}
{"type": "STATE", "value": {"bookmarks": {"users": {"updatedAt": "2026-02-02T03:04:05Z"}}}}
"#;

fn lookup(client: &mut Client, object: &str, value: &str) -> Value {
    client.get(&format!("/api/records/{object}/lookup?identifier={value}")).expect(200)
}

fn count(client: &mut Client, object: &str) -> Value {
    client.get(&format!("/api/records/{object}?page_size=1")).expect(200)["count"].clone()
}

fn fields(record: &Value, names: &[&str]) -> Vec<Value> {
    names.iter().map(|name| field_value(record, name).cloned().unwrap_or_default()).collect()
}

/// A folder with a configuration in it.
fn config(content: &Value) -> (TempDir, String) {
    let folder = TempDir::new().expect("a folder can be made");
    let path: PathBuf = folder.path().join("target.json");
    fs::write(&path, content.to_string()).expect("a new folder takes a file");
    let path = path.display().to_string();
    (folder, path)
}

#[test]
fn a_recorded_stream_becomes_an_object_and_running_it_again_changes_nothing() {
    let mut fixture = Fixture::new();
    for (run, told) in ["2 created, 1 updated", "1 unchanged, 2 updated"].iter().enumerate() {
        let exit = Tool::of(&fixture.server, &TARGET).run_with(USERS).expect_code(0);
        let exit = exit.expect_stderr(&format!("users → users: {told}"));
        let last = exit.stdout.lines().last().expect("a state was echoed");
        assert_eq!(
            last, r#"{"bookmarks": {"users": {"updatedAt": "2026-02-02T03:04:05Z"}}}"#,
            "{run}"
        );
    }
    let ada = lookup(&mut fixture.client, "users", "1");
    assert_eq!(
        fields(&ada, &["source_name", "source_email", "score", "active", "address"]),
        [
            json!("Ada L."),
            json!("ada@example.com"),
            json!(2.0),
            json!(true),
            json!(r#"{"city":"Paris"}"#)
        ]
    );
    assert_eq!(fields(&ada, &["updated_at"]), ["2026-02-02T03:04:05.000000+00:00"]);
    assert_eq!(count(&mut fixture.client, "users"), 2);
    let object = fixture.client.get("/api/custom-objects/users").expect(200);
    assert_eq!(object["identifier"]["case"], "sensitive");
}

#[test]
fn streams_go_where_the_configuration_says() {
    let mut fixture = Fixture::new();
    let (_folder, path) = config(&json!({
        "origin": "tap-crm",
        "streams": {"users": {
            "object": "client_client", "match": ["external_id"],
            "fields": {"id": "external_id", "name": "last_name", "email": "email", "address": null},
        }},
    }));
    let words = [&TARGET[..], &["--config", &path, "--output", "json"]].concat();
    let stream = USERS.replace(r#""email": null"#, r#""email": "second@example.com""#);
    let exit = Tool::of(&fixture.server, &words).run_with(&stream).expect_code(0);
    let told: Value = serde_json::from_str(&exit.stderr).expect("one line is told");
    let counts = json!({"created": 2, "updated": 1});
    assert_eq!(told, json!({"stream": "users", "object": "client_client", "counts": counts}));
    let ada = lookup(&mut fixture.client, "client_client", "ada@example.com");
    assert_eq!(fields(&ada, &["last_name", "external_id"]), [json!("Ada L."), json!("1")]);
    let feed = fixture.client.get("/api/records/client_client/changes?only_origin=tap-crm");
    assert_eq!(feed.expect(200)["results"].as_array().map(Vec::len), Some(7), "{feed}");
    let fields = fixture.client.get("/api/custom-objects/client_client/fields").expect(200);
    let made = fields.as_array().expect("a list").iter().any(|field| field["name"] == "address");
    assert!(!made, "a property that is left out has no field");
}

/// Records with a number each, and a state behind each so many.
fn numbered(from: usize, to: usize) -> String {
    let mut lines = String::new();
    for number in from..to {
        let record = json!({"id": number, "note": format!("n{number}")});
        lines += &json!({"type": "RECORD", "stream": "items", "record": record}).to_string();
        lines.push('\n');
        if number % 50 == 49 {
            lines += &json!({"type": "STATE", "value": {"done": number}}).to_string();
            lines.push('\n');
        }
    }
    lines
}

const ITEMS: &str = r#"{"type":"SCHEMA","stream":"items","key_properties":["id"],"schema":{"properties":{"id":{"type":"integer"},"note":{"type":"string","maxLength":50}}}}
"#;

fn done(line: &str) -> u64 {
    let state: Value = serde_json::from_str(line).expect("a state is JSON");
    state["done"].as_u64().expect("a state says how far")
}

#[test]
fn a_state_is_echoed_only_when_its_records_outlive_a_killed_server() {
    let fixture = Fixture::new();
    let relay = Relay::to(fixture.server.address());
    let mut running = Tool::of(&fixture.server, &TARGET).at(&relay.url()).start();
    running.write(ITEMS);
    running.write(&numbered(0, 1_000));
    let mut safe = done(&running.line());
    let launch = fixture.server.kill();
    // Some of these were sent to the server that is gone, and nothing may be said of them.
    running.write(&numbered(1_000, 2_000));
    running.wait_for("trying again");
    safe = safe.max(running.lines_so_far().last().map_or(0, |line| done(line)));
    let mut fixture = Fixture::of(launch.start());
    for number in 0..=safe {
        lookup(&mut fixture.client, "items", &number.to_string());
    }
    assert!(safe < 1_999, "the server was killed too late to show anything");
    relay.lead_to(fixture.server.address());
    let exit = running.end().expect_code(0).expect_stderr("answers again");
    assert_eq!(exit.stdout.lines().last().map(done), Some(1_999));
    assert_eq!(count(&mut fixture.client, "items"), 2_000);
}

#[test]
fn a_schema_that_is_said_again_keeps_records_together_and_another_one_adds_fields() {
    let mut fixture = Fixture::new();
    let wider = ITEMS.replace(r#""note":"#, r#""size":{"type":"integer"},"note":"#);
    let wide = json!({"type": "RECORD", "stream": "items", "record": {"id": 9, "size": 4}});
    let lines = [ITEMS, &numbered(0, 1), ITEMS, &numbered(1, 2), &wider, &wide.to_string()];
    let exit = Tool::of(&fixture.server, &TARGET).run_with(&lines.concat()).expect_code(0);
    exit.expect_stderr("items → items: 3 created");
    let feed = fixture.client.get("/api/records/items/changes?actions=created").expect(200);
    let entries = feed["results"].as_array().expect("a list");
    let batches: Vec<&str> = entries.iter().map(|entry| text(entry, "batch_id")).collect();
    assert_eq!(batches.len(), 3);
    assert!(batches[0] == batches[1] && batches[1] != batches[2], "{batches:?}");
    let record = lookup(&mut fixture.client, "items", "9");
    assert_eq!(fields(&record, &["size"]), [json!(4.0)]);
}

#[test]
fn a_record_that_waits_alone_is_sent_all_the_same() {
    let mut fixture = Fixture::new();
    let mut running = Tool::of(&fixture.server, &TARGET).start();
    running.write(ITEMS);
    running.write(&numbered(0, 50));
    assert_eq!(done(&running.line()), 49, "its input has not ended");
    assert_eq!(count(&mut fixture.client, "items"), 50);
    running.end().expect_code(0);
}

/// Two good records, one whose text is too long, one without a key, and states between them.
fn with_bad_ones() -> String {
    let state = |done: u64| json!({"type": "STATE", "value": {"done": done}}).to_string();
    let long = json!({"id": 7, "note": "x".repeat(300)});
    let lines = [
        numbered(0, 1),
        state(1) + "\n",
        json!({"type": "RECORD", "stream": "items", "record": long}).to_string() + "\n",
        json!({"type": "RECORD", "stream": "items", "record": {"note": "b"}}).to_string() + "\n",
        numbered(1, 2),
        state(2) + "\n",
    ];
    ITEMS.to_owned() + &lines.concat()
}

#[test]
fn a_refused_record_ends_the_run_and_no_state_passes_over_it() {
    let mut fixture = Fixture::new();
    let exit = Tool::of(&fixture.server, &TARGET).run_with(&with_bad_ones()).expect_code(1);
    assert_eq!(exit.stdout, "", "a state was echoed");
    let exit = exit.expect_stderr("records_refused").expect_stderr("max_length");
    exit.expect_stderr("the key property \"id\"").expect_stderr("rejects");
    // What was good is written, and the tap will send it again.
    assert_eq!(count(&mut fixture.client, "items"), 2);
}

#[test]
fn refused_records_can_be_kept_in_a_file_and_the_run_goes_on() {
    let mut fixture = Fixture::new();
    let folder = TempDir::new().expect("a folder can be made");
    let rejects = folder.path().join("rejects.ndjson");
    let (_folder, path) = config(&json!({"rejects": rejects}));
    let words = [&TARGET[..], &["--config", &path]].concat();
    let exit = Tool::of(&fixture.server, &words).run_with(&with_bad_ones()).expect_code(1);
    assert_eq!(exit.stdout.lines().map(done).collect::<Vec<_>>(), [2]);
    exit.expect_stderr("2 records were refused").expect_stderr("2 created");
    assert_eq!(count(&mut fixture.client, "items"), 2);
    let kept = fs::read_to_string(&rejects).expect("the file of rejects is there");
    let kept: Vec<Value> =
        kept.lines().map(|line| serde_json::from_str(line).expect("a line is JSON")).collect();
    let kept: BTreeMap<&str, &Value> =
        kept.iter().map(|reject| (text(reject, "code"), &reject["record"])).collect();
    assert_eq!(kept["key_missing"], &json!({"note": "b"}));
    assert_eq!(kept.len(), 2, "{kept:?}");
    assert!(kept.values().any(|record| record["id"] == 7), "{kept:?}");
}

#[test]
fn what_does_not_fit_is_said_before_anything_is_written() {
    let mut fixture = Fixture::new();
    let run = |config_content: Value, input: &str, code: i32, part: &str| {
        let (_folder, path) = config(&config_content);
        let words = [&TARGET[..], &["--config", &path]].concat();
        let exit = Tool::of(&fixture.server, &words).run_with(input);
        exit.expect_code(code).expect_stderr(part);
    };
    run(json!({}), &numbered(0, 1), 2, "before the schema");
    run(json!({}), "not JSON\n", 2, "line 1 of standard input is no Singer message");
    run(json!({}), &ITEMS.replace(r#"["id"]"#, "[]"), 3, "it has no key");
    run(json!({"create": false}), ITEMS, 3, "there is no object \"items\"");
    run(json!({"streamz": {}}), ITEMS, 3, "streamz");
    let computed = json!({"streams": {"items": {"fields": {"note": "created"}}}});
    run(computed, ITEMS, 3, "the server computes \"created\"");
    let objects = fixture.client.get("/api/custom-objects").expect(200);
    assert_eq!(objects["count"], 1, "the last one had an object to look at: {objects}");
    assert_eq!(count(&mut fixture.client, "items"), 0);
}
