//! Rows of batches and streams, each with a key of its own.

use crate::api::retries::accounts;
use crate::support::{Fixture, Request, assert_includes, field_value, send_together, text, until};
use serde_json::{Value, json};

const ROWS: &str = "/api/records/accounts/bulk-upsert";

fn row(key: &str, name: &str, note: &str) -> Value {
    json!({"lookup_value": name, "fields": {"note": note}, "idempotency_key": key})
}

fn results(answer: &Value) -> &Vec<Value> {
    answer["results"].as_array().expect("results is a list")
}

fn batch(fixture: &mut Fixture, rows: &Value) -> Value {
    fixture.client.post(ROWS, rows).expect(200)
}

/// The results of the rows as a stream.
fn stream(fixture: &mut Fixture, rows: &Value) -> Vec<Value> {
    let lines: Vec<String> =
        rows.as_array().expect("rows are a list").iter().map(Value::to_string).collect();
    let request = Request::new("POST", ROWS).header("Content-Type", "application/x-ndjson");
    let answer = fixture.send(&request.body(lines.join("\n").as_bytes()));
    let text = String::from_utf8(answer.body).expect("an answer is UTF-8");
    let mut lines: Vec<Value> =
        text.lines().map(|line| serde_json::from_str(line).expect("a line is JSON")).collect();
    assert!(lines.pop().expect("there is a last line").get("summary").is_some());
    lines
}

/// The same results, each of a row that was carried out before.
fn replayed(mut results: Vec<Value>) -> Vec<Value> {
    for result in &mut results {
        assert_eq!(result.get("replayed"), None, "{result}");
        result["replayed"] = json!(true);
    }
    results
}

#[test]
fn a_row_that_comes_again_has_the_result_that_it_had() {
    let mut fixture = accounts();
    fixture.create("accounts", "Old", &json!({"note": "same"}));
    let mut rows = json!([
        row("1", "Acme", "a"),
        row("2", "Acme", "b"),
        row("3", "Old", "same"),
        row("4", "Gone", "g"),
        row("5", "Gone", "g"),
    ]);
    rows[0]["client_ref"] = json!("r1");
    rows[4]["op"] = json!("archive");
    rows[4]["fields"] = json!({});
    let first = batch(&mut fixture, &rows);
    let actions: Vec<_> = results(&first).iter().map(|it| text(it, "action")).collect();
    assert_eq!(actions, ["created", "updated", "unchanged", "created", "archived"]);
    let expected = replayed(results(&first).clone());
    fixture
        .upsert("accounts", &json!({"lookup_value": "Acme", "fields": {"note": "z"}}))
        .expect(200);
    let check = |fixture: &mut Fixture| {
        let again = batch(fixture, &rows);
        assert_eq!((results(&again), &again["counts"]), (&expected, &first["counts"]));
        let atomic = batch(fixture, &json!({"atomic": true, "records": rows}));
        assert_eq!(results(&atomic), &expected);
        assert_eq!(stream(fixture, &rows), expected);
        let acme = fixture.lookup("accounts", "Acme").expect(200);
        assert_eq!((&acme["version"], field_value(&acme, "note")), (&json!(3), Some(&json!("z"))));
    };
    check(&mut fixture);
    let mut fixture = fixture.after_a_crash();
    check(&mut fixture);
    fixture.snapshot();
    let mut fixture = fixture.after_a_crash();
    check(&mut fixture);
    // The record as the row left it, with the fields that the row wrote.
    let shown = fixture.client.post(&format!("{ROWS}?return_records=true"), &rows).expect(200);
    let record = &results(&shown)[0]["record"];
    assert_includes(record, &json!({"version": 1, "action": "created"}));
    assert_eq!(field_value(record, "note"), Some(&json!("a")));
}

#[test]
fn another_row_under_the_same_key_fails_alone_and_so_does_one_in_the_same_batch() {
    let mut fixture = accounts();
    let rows = json!([row("k", "Acme", "a"), row("k", "Acme", "a"), row("k", "Acme", "b")]);
    let told = batch(&mut fixture, &rows);
    assert_includes(&results(&told)[0], &json!({"action": "created", "version": 1}));
    assert_includes(
        &results(&told)[1],
        &json!({"action": "created", "version": 1, "replayed": true}),
    );
    let reuse = json!({"action": "failed", "status": 422, "code": "idempotency_key_reuse"});
    assert_includes(&results(&told)[2], &reuse);
    // Other rows of the request are nothing to it.
    let rows = json!([row("new", "Globex", "g"), row("k", "Acme", "b")]);
    let told = batch(&mut fixture, &rows);
    assert_eq!(results(&told)[0]["action"], "created");
    assert_includes(&results(&told)[1], &reuse);
    // How it is written is nothing to it either.
    let spelled = r#"{"idempotency_key":"k","fields":{"note":"\u0061"},"lookup_value":"Acme"}"#;
    let request = Request::new("POST", ROWS).header("Content-Type", "application/json");
    let told = fixture.send(&request.body(format!("[ {spelled} ]").as_bytes())).expect(200);
    assert_eq!(results(&told)[0]["replayed"], true, "{told}");
    // In an atomic batch it gives up the whole.
    let rows = json!([row("n1", "Initech", "i"), row("k", "Acme", "b"), row("new", "Globex", "g")]);
    let atomic = json!({"atomic": true, "records": rows});
    let told = fixture.client.post(ROWS, &atomic).expect_error(400, "batch_aborted");
    let actions: Vec<_> = results(&told).iter().map(|it| text(it, "action")).collect();
    assert_eq!(actions, ["not_applied", "failed", "not_applied"]);
    fixture.lookup("accounts", "Initech").expect_error(404, "not_found");
    let twice = json!([row("n1", "Initech", "i"), row("n1", "Initech", "i")]);
    let told = batch(&mut fixture, &json!({"atomic": true, "records": twice}));
    assert_includes(&results(&told)[1], &json!({"action": "created", "replayed": true}));
}

#[test]
fn a_key_is_of_an_object_and_a_member_and_of_a_row_that_succeeded() {
    let mut fixture = accounts();
    fixture.object("deals");
    let rows = json!([row("k", "Acme", "a")]);
    batch(&mut fixture, &rows);
    let deal = json!([{"lookup_value": "Acme", "idempotency_key": "k"}]);
    let told = fixture.client.post("/api/records/deals/bulk-upsert", &deal).expect(200);
    assert_eq!(results(&told)[0].get("replayed"), None, "{told}");
    // What was refused, or has found nothing, changed nothing and is decided anew.
    let late = json!([{"lookup_value": "Late", "mode": "update", "idempotency_key": "late"}]);
    assert_eq!(results(&batch(&mut fixture, &late))[0]["action"], "not_found");
    fixture.create("accounts", "Late", &json!({}));
    let told = batch(&mut fixture, &late);
    assert_includes(&results(&told)[0], &json!({"action": "unchanged"}));
    // The key of a single write is another one.
    let single = Request::new("POST", "/api/records/accounts/upsert")
        .json(&json!({"lookup_value": "Acme", "fields": {"note": "b"}}));
    fixture.send(&single.header("Idempotency-Key", "k")).expect(200);
    for key in [json!(""), json!(5), json!("\u{e4}"), json!("x".repeat(256))] {
        let rows = json!([{"lookup_value": "Acme", "idempotency_key": key}]);
        let told = batch(&mut fixture, &rows);
        let fault = json!({"code": "invalid", "errors": [{"parameter": "idempotency_key"}]});
        assert_includes(&results(&told)[0], &fault);
    }
    let rows = json!([{"lookup_value": "Acme", "idempotency_key": null}]);
    assert_eq!(results(&batch(&mut fixture, &rows))[0]["action"], "unchanged");
}

#[test]
fn a_row_of_a_purged_record_is_not_found_and_one_that_is_not_good_any_more_is_told_all_the_same() {
    let mut fixture = accounts();
    let rows = json!([row("1", "Acme", "a"), row("2", "Globex", "b")]);
    let made = batch(&mut fixture, &rows);
    let path = format!("/api/records/accounts/{}", text(&results(&made)[0], "id"));
    fixture.client.delete(&path).expect_empty(204);
    fixture.client.delete(&format!("{path}?purge=true")).expect_empty(204);
    fixture.client.delete("/api/custom-objects/accounts/fields/note").expect_empty(204);
    let told = batch(&mut fixture, &rows);
    assert_includes(
        &results(&told)[0],
        &json!({"action": "failed", "status": 404, "code": "not_found"}),
    );
    assert_includes(
        &results(&told)[1],
        &json!({"action": "created", "changed_fields": ["name"], "replayed": true}),
    );
}

#[test]
fn what_stood_for_others_stands_for_them_when_it_comes_again() {
    let mut fixture = accounts();
    let rows = json!([row("1", "Acme", "a"), row("2", "acme", "b"), row("3", "ACME", "c")]);
    for (how, standing) in [("first", 0), ("last", 2)] {
        let path = format!("{ROWS}?in_batch_duplicates={how}");
        for round in 0..2 {
            let told = fixture.client.post(&path, &rows).expect(200);
            for (at, result) in results(&told).iter().enumerate() {
                let is_left_out = result["action"] == "not_applied";
                assert_eq!(is_left_out, at != standing, "{how} {round}: {told}");
                assert_eq!(
                    result.get("replayed").is_some(),
                    at == standing && round == 1,
                    "{told}"
                );
            }
        }
    }
    assert_eq!(fixture.lookup("accounts", "Acme").expect(200)["version"], 2);
}

#[test]
fn of_the_same_rows_many_times_at_once_each_is_carried_out_once() {
    let mut fixture = accounts();
    // Each changes the record, so its version counts them.
    let rows: Vec<Value> =
        (0..200).map(|at| row(&format!("k{at}"), "Acme", &at.to_string())).collect();
    let plain = Request::new("POST", ROWS).json(&json!(rows));
    let atomic = Request::new("POST", ROWS).json(&json!({"atomic": true, "records": rows}));
    let senders = (0..12).map(|at| {
        let request = if at % 3 == 0 { &atomic } else { &plain };
        (fixture.server.client(), request.clone())
    });
    let answers = send_together(senders.collect());
    let mut own = 0;
    for answer in &answers {
        let answer = answer.expect(200);
        assert_eq!(answer["counts"]["failed"], 0, "{answer}");
        own += results(&answer).iter().filter(|result| result.get("replayed").is_none()).count();
    }
    assert_eq!(own, 200, "every row has one result of its own");
    assert_eq!(fixture.lookup("accounts", "Acme").expect(200)["version"], 200);
}

#[test]
fn a_row_that_writes_to_a_mirror_is_carried_out_once() {
    let mut fixture = accounts();
    fixture.object("deals");
    let relation = json!({
        "related_object": "accounts", "related_name": "deals", "relation_type": "primary",
    });
    let field =
        json!({"field_type": "relationship", "display_name": "Account", "relation": relation});
    fixture.field("deals", &field);
    fixture.create("deals", "First", &json!({}));
    let rows = json!([
        {"lookup_value": "Acme", "idempotency_key": "k",
         "fields": {"deals": [{"lookup_value": "First"}]}},
    ]);
    let made = batch(&mut fixture, &rows);
    assert_eq!(results(&made)[0]["action"], "created");
    let deal = fixture.lookup("deals", "First").expect(200);
    let path = format!("/api/records/deals/{}", text(&deal, "id"));
    fixture.client.patch(&path, &json!({"fields": {"account": null}})).expect(200);
    assert_eq!(results(&batch(&mut fixture, &rows)), &replayed(results(&made).clone()));
    let deal = fixture.lookup("deals", "First").expect(200);
    assert_eq!(field_value(&deal, "account"), None, "nothing was done again: {deal}");
    let other = json!([{"lookup_value": "Acme", "idempotency_key": "k", "fields": {"deals": []}}]);
    assert_eq!(results(&batch(&mut fixture, &other))[0]["code"], "idempotency_key_reuse");
}

#[test]
fn what_rows_keep_counts_for_the_limit_of_bytes() {
    let mut fixture = Fixture::with_flag("--idempotency-bytes-max", "64KiB");
    fixture.object("accounts");
    fixture.text_field("accounts", "note");
    let note = "x".repeat(200);
    let rows = |range: std::ops::Range<usize>| -> Value {
        range.map(|at| row(&format!("k{at}"), &format!("Account {at}"), &note)).collect()
    };
    // Rows of one instant are forgotten together.
    for first in (0..400).step_by(10) {
        let told = batch(&mut fixture, &rows(first..first + 10));
        assert_eq!(told["counts"]["created"], 10);
    }
    until("the first to be forgotten", || {
        let told = batch(&mut fixture, &rows(0..1));
        results(&told)[0].get("replayed").is_none().then_some(())
    });
    assert_eq!(results(&batch(&mut fixture, &rows(399..400)))[0]["replayed"], true);
}
