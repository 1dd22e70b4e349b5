//! The connectors of the documents, run as they stand: with the tools they are for, and against a
//! server that dies.

use crate::clients::workshop::Workshop;
use crate::support::{Fixture, Relay, Request, field_value};
use serde_json::{Value, json};

/// What a command or a script is told of the server.
fn caller(fixture: &Fixture, url: &str) -> Vec<(&'static str, String)> {
    let credentials = fixture.server.credentials();
    vec![
        ("UPSERTD_URL", url.to_owned()),
        ("UPSERTD_API_KEY", credentials.api_key),
        ("UPSERTD_BUSINESS_ID", credentials.business_id),
        ("UPSERTD_USER_ID", credentials.user_id),
    ]
}

fn url(fixture: &Fixture) -> String {
    format!("http://{}", fixture.server.address())
}

fn run(
    workshop: &Workshop,
    program: &str,
    words: &[&str],
    environment: &[(&str, String)],
) -> String {
    let environment: Vec<(&str, &str)> =
        environment.iter().map(|(name, value)| (*name, &**value)).collect();
    workshop.run(program, words, &environment)
}

fn count(fixture: &mut Fixture, object: &str) -> Value {
    fixture.client.get(&format!("/api/records/{object}?page_size=1")).expect(200)["count"].clone()
}

#[test]
fn a_tap_made_with_the_library_of_taps_writes_here() {
    let Some(workshop) = Workshop::open() else { return };
    let mut fixture = Fixture::new();
    workshop.take(&["python/tap.py"]);
    let mut environment = caller(&fixture, &url(&fixture));
    environment.push(("UPSERTD", env!("CARGO_BIN_EXE_upsertd").to_owned()));
    let pipe = "python tap.py | \"$UPSERTD\" target singer";
    let said = run(&workshop, "/bin/bash", &["-e", "-o", "pipefail", "-c", pipe], &environment);
    assert!(said.contains("products → products: 1500 created"), "{said}");
    assert!(said.contains(r#"{"bookmarks": {"products": {"seen": "done"}}}"#), "{said}");
    assert_eq!(count(&mut fixture, "products"), 1_500);
    let record = fixture.lookup("products", "7").expect(200);
    for (name, value) in [
        ("label", json!("Prodüct 7")),
        ("price", json!(1.25)),
        ("seen", json!("2026-01-02T03:04:05.000000+00:00")),
    ] {
        assert_eq!(field_value(&record, name), Some(&value), "{name}");
    }
}

#[test]
fn dlt_loads_through_the_destination_of_the_documents() {
    let Some(workshop) = Workshop::open() else { return };
    let mut fixture = Fixture::new();
    workshop.take(&["python/load_with_dlt.py"]);
    workshop.take_page("docs/connect/dlt_destination.py");
    let credentials = fixture.server.credentials();
    let environment = [
        ("DESTINATION__UPSERTD__URL", url(&fixture)),
        ("DESTINATION__UPSERTD__API_KEY", credentials.api_key),
        ("DESTINATION__UPSERTD__BUSINESS_ID", credentials.business_id),
        ("DESTINATION__UPSERTD__USER_ID", credentials.user_id),
        // It would tell its makers.
        ("RUNTIME__DLTHUB_TELEMETRY", "false".to_owned()),
        ("DLT_DATA_DIR", workshop.path().join("dlt").display().to_string()),
    ];
    run(&workshop, "python", &["load_with_dlt.py"], &environment);
    assert_eq!(count(&mut fixture, "people"), 1_200);
    let ada = fixture.lookup("people", "1").expect(200);
    assert_eq!(ada["version"], 2, "the second load changed the score alone: {ada}");
    for (name, value) in [
        ("source_name", json!("Ada")),
        ("seen", json!("2026-01-02T03:04:05.000000+00:00")),
        ("day", json!("2026-01-02")),
        ("score", json!(2.5)),
        ("tags", json!("[\"a\", \"b\"]")),
        ("active", json!(true)),
    ] {
        assert_eq!(field_value(&ada, name), Some(&value), "{name}");
    }
    assert_eq!(fixture.lookup("people", "2").expect(200)["version"], 1);
    assert_eq!(count(&mut fixture, "pairs"), 2, "keys of two parts stay apart");
}

/// Runs one of the two plain syncs twice, with a change by somebody else in between and a server
/// that is killed before the second run and comes back during it.
fn plain_sync(program: &str, script: &str) {
    let Some(workshop) = Workshop::open() else { return };
    let mut fixture = Fixture::new();
    fixture.object("accounts");
    fixture.text_field("accounts", "note");
    workshop.take_page(&format!("docs/connect/{script}"));
    let row = |at: usize, note: &str| json!({"name": format!("A{at}"), "note": note}).to_string();
    let mut rows: Vec<String> = (0..700).map(|at| row(at, "a")).collect();
    rows.push(json!({"name": "bad", "note": "x".repeat(300)}).to_string());
    workshop.write("accounts.ndjson", &(rows.join("\n") + "\n"));
    let relay = Relay::to(fixture.server.address());
    let environment = caller(&fixture, &relay.url());
    let words = [script, "accounts.ndjson"];
    let said = run(&workshop, program, &words, &environment);
    assert_eq!(said.matches(": created\n").count(), 700, "{said}");
    assert!(said.contains("bad: max_length\n"), "{said}");
    fixture.upsert("accounts", &json!({"lookup_value": "A5", "fields": {"note": "c"}})).expect(200);
    let launch = fixture.server.kill();
    let environment_again = environment.clone();
    let (said, mut fixture) = std::thread::scope(|scope| {
        let second = scope.spawn(|| run(&workshop, program, &words, &environment_again));
        let fixture = Fixture::of(launch.start());
        relay.lead_to(fixture.server.address());
        (second.join().expect("the second run does well"), fixture)
    });
    assert_eq!(said.matches(": unchanged\n").count(), 699, "{said}");
    assert!(said.contains("A5: updated\n"), "{said}");
    assert!(said.ends_with("A5: updated by bootstrap\n"), "only what others changed: {said}");
    let account = fixture.lookup("accounts", "A5").expect(200);
    assert_eq!(account["num_upcoming_activities"], 1, "one task, however often it runs");
    // The key was used: it is refused for what is spelled otherwise.
    let id = account["id"].as_str().expect("a record has an id");
    let body = json!({
        "activity_object_name": "task", "due_datetime": "2030-01-01T00:00:00Z",
        "note": "Welcome somebody else",
    });
    let request = Request::new("POST", "/api/activities/scheduled-activity").json(&body);
    let request = request.header("Idempotency-Key", &format!("welcome-{id}"));
    fixture.send(&request).expect_error(422, "idempotency_key_reuse");
}

#[test]
fn a_plain_python_sync_runs_over_a_killed_server() {
    plain_sync("python", "sync.py");
}

#[test]
fn a_plain_typescript_sync_runs_over_a_killed_server() {
    plain_sync("node", "sync.ts");
    let Some(workshop) = Workshop::open() else { return };
    workshop.take(&["typescript/tsconfig.json", "package.json"]);
    workshop.take_page("docs/connect/sync.ts");
    workshop.run_package("typescript/bin/tsc", &["--project", "."]);
}
