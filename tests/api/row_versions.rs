//! Rows that are applied only to the version that their sender knows.

use crate::support::{Fixture, Request, assert_includes, text};
use serde_json::{Value, json};

const BATCH: &str = "/api/records/accounts/bulk-upsert";

fn accounts() -> Fixture {
    let mut fixture = Fixture::new();
    fixture.object("accounts");
    fixture.text_field("accounts", "note");
    fixture
}

fn row(name: &str, note: &str, version: u32) -> Value {
    json!({"lookup_value": name, "fields": {"note": note}, "expect_version": version})
}

/// Rows about one live, one archived and one unknown record.
fn rows() -> Value {
    json!([
        row("Acme", "a", 1),
        row("Acme", "b", 1),
        row("Acme", "b", 2),
        row("Acme", "b", 3),
        row("Gone", "c", 2),
        {"lookup_value": "Gone", "expect_version": 2, "oncreate_unarchive": "unarchive"},
        row("Nobody", "d", 1),
        {"lookup_value": "Nobody", "expect_version": 1, "mode": "update"},
        {"lookup_value": "Acme", "expect_version": 2, "op": "archive", "client_ref": "late"},
        {"lookup_value": "Acme", "expect_version": 3, "op": "archive"},
    ])
}

const ACTIONS: [&str; 10] = [
    "updated",
    "failed",
    "updated",
    "unchanged",
    "failed",
    "failed",
    "failed",
    "not_found",
    "failed",
    "archived",
];

fn results(answer: &Value) -> &[Value] {
    answer.as_array().expect("results are a list")
}

fn check(told: &[Value]) {
    let actions: Vec<&str> = told.iter().map(|result| text(result, "action")).collect();
    assert_eq!(actions, ACTIONS);
    for (at, found) in [(1, Some(2)), (4, None), (5, None), (6, None), (8, Some(3))] {
        let expected = json!({
            "status": 412, "code": "precondition_failed", "id": null, "current_version": found,
            "errors": [{"code": "precondition_failed", "parameter": "expect_version"}],
        });
        assert_includes(&told[at], &expected);
    }
    assert_eq!(told[8]["client_ref"], "late");
    assert!(told[0].get("current_version").is_none(), "{}", told[0]);
}

fn scene() -> Fixture {
    let mut fixture = accounts();
    fixture.create("accounts", "Acme", &json!({"note": "n"}));
    fixture.create_archived("accounts", "Gone", &json!({}));
    fixture
}

#[test]
fn a_row_of_another_version_fails_alone() {
    let mut fixture = scene();
    // Of a dry run the rows see what those before them would have made.
    for query in ["?dry_run=true", ""] {
        let answer = fixture.client.post(&format!("{BATCH}{query}"), &rows()).expect(200);
        check(results(&answer["results"]));
    }
    let lines: Vec<String> = results(&rows()).iter().map(Value::to_string).collect();
    let request = Request::new("POST", BATCH).header("Content-Type", "application/x-ndjson");
    let streamed = scene().send(&request.body(lines.join("\n").as_bytes()));
    let told = String::from_utf8(streamed.body).expect("an answer is UTF-8");
    let told: Vec<Value> =
        told.lines().map(|line| serde_json::from_str(line).expect("a line is JSON")).collect();
    check(&told[..ACTIONS.len()]);
    let summary = &told[ACTIONS.len()]["summary"];
    assert_includes(summary, &json!({"state": "completed_with_errors", "counts": {"failed": 5}}));
}

#[test]
fn a_row_of_another_version_ends_an_atomic_batch() {
    let mut fixture = scene();
    let batch = |rows: Value| json!({"atomic": true, "records": rows});
    let mixed = json!([row("New", "n", 1), row("Acme", "a", 1), row("Acme", "b", 1)]);
    let refused = fixture.client.post(BATCH, &batch(mixed)).expect_error(400, "batch_aborted");
    assert_includes(
        &refused,
        &json!({
            "errors": [
                {"code": "precondition_failed", "parameter": "expect_version", "index": 0},
                {"code": "precondition_failed", "parameter": "expect_version", "index": 2},
            ],
            "results": [
                {"action": "failed", "status": 412, "current_version": null},
                {"action": "not_applied"},
                {"action": "failed", "status": 412, "current_version": 2},
            ],
        }),
    );
    assert_eq!(fixture.lookup("accounts", "Acme").expect(200)["version"], 1);
    let good = json!([row("Acme", "a", 1), row("Acme", "b", 2)]);
    fixture.client.post(BATCH, &batch(good)).expect(200);
    assert_eq!(fixture.lookup("accounts", "Acme").expect(200)["version"], 3);
}

#[test]
fn a_version_is_a_whole_number_from_1_of_a_row() {
    let mut fixture = scene();
    for wrong in [json!(0), json!(-1), json!(1.5), json!("1"), json!(true), json!([1]), json!({})] {
        let row = json!({"lookup_value": "Acme", "expect_version": wrong});
        let answer = fixture.client.post(BATCH, &json!([row])).expect(200);
        assert_includes(
            &answer["results"],
            &json!([{"status": 400, "errors": [{"code": "invalid", "parameter": "expect_version"}]}]),
        );
    }
    // 1.0 is 1, and what no record has reached is another version.
    for (version, status) in [(json!(1.0), None), (json!(null), None), (json!(u64::MAX), Some(412))]
    {
        let row = json!({"lookup_value": "Acme", "expect_version": version});
        let answer = fixture.client.post(BATCH, &json!([row])).expect(200);
        assert_eq!(answer["results"][0].get("status"), status.map(|it| json!(it)).as_ref());
    }
    let row = json!({"lookup_value": "Acme", "expect_version": 1});
    let path = "/api/records/accounts/upsert?strict=true";
    let refused = fixture.client.post(path, &row).expect_error(400, "unknown_parameter");
    assert_includes(&refused["errors"], &json!([{"parameter": "expect_version"}]));
}

#[test]
fn a_row_that_is_sent_again_with_its_key_is_not_asked_for_its_version_again() {
    let mut fixture = scene();
    let mut keyed = row("Acme", "a", 1);
    keyed["idempotency_key"] = json!("k1");
    let send = |fixture: &mut Fixture| fixture.client.post(BATCH, &json!([keyed])).expect(200);
    let done = json!([{"action": "updated", "version": 2}]);
    assert_includes(&send(&mut fixture)["results"], &done);
    fixture.client.post(BATCH, &json!([row("Acme", "b", 2)])).expect(200);
    let mut fixture = fixture.after_a_crash();
    assert_includes(&send(&mut fixture)["results"], &done);
    assert_eq!(fixture.lookup("accounts", "Acme").expect(200)["version"], 3);
    // Another version is another row.
    let mut other = keyed.clone();
    other["expect_version"] = json!(3);
    let answer = fixture.client.post(BATCH, &json!([other])).expect(200);
    assert_includes(&answer["results"], &json!([{"status": 422, "code": "idempotency_key_reuse"}]));
}
