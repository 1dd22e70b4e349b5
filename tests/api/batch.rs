//! Batches: many rows in one JSON body, each an upsert of its own.

use crate::support::{Fixture, Request, assert_includes, field_value, send_together, text};
use serde_json::{Value, json};

const BATCH: &str = "/api/records/accounts/bulk-upsert";

/// Accounts with a note and a whole number.
fn accounts() -> Fixture {
    let mut fixture = Fixture::new();
    fixture.object("accounts");
    fixture.text_field("accounts", "note");
    let seats = json!({"field_type": "integer", "display_name": "seats", "name": "seats"});
    fixture.field("accounts", &seats);
    fixture
}

fn row(name: &str, note: &str) -> Value {
    json!({"lookup_value": name, "fields": {"note": note}})
}

fn actions(answer: &Value) -> Vec<&str> {
    results(answer).iter().map(|result| text(result, "action")).collect()
}

fn results(answer: &Value) -> &Vec<Value> {
    answer["results"].as_array().expect("results is a list")
}

#[test]
fn what_is_wrong_for_every_row_is_wrong_with_the_request() {
    let mut fixture = accounts();
    let rows = json!([row("Acme", "a")]);
    for (name, value, code) in [
        ("match", "note", "invalid_choice"),
        ("match", "name%2Bnote", "invalid_choice"),
        ("match", "name,nowhere", "does_not_exist"),
        ("match", "", "required"),
        ("mode", "merge", "invalid_choice"),
        ("blank", "keep", "invalid_choice"),
        ("on_identity_conflict", "last", "invalid_choice"),
        ("oncreate_unarchive", "maybe", "invalid_choice"),
        ("onupdate_archived_conflict", "unarchive", "invalid_choice"),
        ("on_restore_conflict", "keep", "invalid_choice"),
        ("report_unchanged", "maybe", "invalid"),
        ("return_records", "maybe", "invalid"),
    ] {
        let query = format!("{BATCH}?{name}={value}");
        let line = rows[0].to_string();
        let stream = Request::new("POST", &query).header("Content-Type", "application/x-ndjson");
        for request in [
            Request::new("POST", &query).json(&rows),
            Request::new("POST", BATCH)
                .json(&json!({name: value.replace("%2B", "+"), "records": rows})),
            stream.body(line.as_bytes()),
        ] {
            let refused = fixture.send(&request).expect_error(400, code);
            assert_includes(&refused["errors"], &json!([{"code": code, "parameter": name}]));
        }
    }
    // A row's own fault is the row's.
    let mut own = row("Acme", "a");
    own["match"] = json!(["note"]);
    let answer = fixture.client.post(BATCH, &json!([own, row("Globex", "b")])).expect(200);
    assert_eq!(actions(&answer), ["failed", "created"]);
    assert_eq!(fixture.client.get("/api/records/accounts").expect(200)["count"], 1);
}

#[test]
fn rows_are_carried_out_in_their_order_and_told_one_by_one() {
    let mut fixture = accounts();
    let archived = fixture.create_archived("accounts", "Hooli", &json!({}));
    let rows = json!({"records": [
        {"lookup_value": "Acme", "fields": {"note": "a"}, "client_ref": "r1"},
        {"lookup_value": "Globex", "fields": [{"name": "seats", "value": "8"}]},
        {"lookup_value": "acme", "fields": {"note": "b"}},
        {"lookup_value": "ACME", "fields": {"note": "b"}},
        {"lookup_value": "Hooli", "fields": {"note": "c"}},
        {"lookup_value": "Hooli", "fields": {"note": "c"}, "oncreate_unarchive": "unarchive"},
        {"lookup_value": "Initech", "fields": {"seats": "many"}, "client_ref": "bad"},
    ]});
    let answer = fixture.client.post(BATCH, &rows).expect(200);
    let expected = ["created", "created", "updated", "unchanged", "failed", "unarchived", "failed"];
    assert_eq!(actions(&answer), expected);
    assert_includes(
        &answer,
        &json!({
            "count": 7, "dry_run": false,
            "counts": {"created": 2, "updated": 1, "unarchived": 1, "unchanged": 1, "failed": 2},
        }),
    );
    let results = results(&answer);
    for (index, result) in results.iter().enumerate() {
        assert_eq!(result["index"], index);
    }
    assert_includes(
        &results[0],
        &json!({"client_ref": "r1", "version": 1, "changed_fields": ["name", "note"]}),
    );
    assert_includes(
        &results[2],
        &json!({"id": results[0]["id"], "client_ref": null, "version": 2, "changed_fields": ["note"]}),
    );
    assert_includes(
        &results[3],
        &json!({"id": results[0]["id"], "version": 2, "changed_fields": []}),
    );
    assert_includes(
        &results[4],
        &json!({"id": null, "status": 409, "code": "conflict", "conflict": {"kind": "archived_identifier"}}),
    );
    assert_includes(&results[5], &json!({"id": archived["id"], "version": 3}));
    assert_includes(
        &results[6],
        &json!({
            "client_ref": "bad", "id": null, "status": 400, "code": "invalid",
            "errors": [{"code": "invalid", "field": "seats"}],
        }),
    );
    let id = text(&results[1], "id");
    assert_eq!(fixture.value(("accounts", id), "seats"), json!(8));
    fixture.lookup("accounts", "Initech").expect_error(404, "not_found");
}

#[test]
fn options_stand_in_the_query_or_beside_the_rows_and_a_row_has_the_last_word() {
    let mut fixture = accounts();
    fixture.create("accounts", "Acme", &json!({}));
    let list = json!([row("Acme", "a"), row("Globex", "b")]);
    let answer = fixture.client.post(&format!("{BATCH}?mode=update"), &list).expect(200);
    assert_eq!(actions(&answer), ["updated", "not_found"]);
    assert_eq!(answer["counts"]["not_found"], 1);
    let beside = json!({"mode": "create", "return_records": true, "records": [
        row("Acme", "c"),
        {"lookup_value": "Acme", "mode": "upsert", "fields": {"note": "d"}},
        row("Globex", "e"),
    ]});
    let answer = fixture.client.post(BATCH, &beside).expect(200);
    assert_eq!(actions(&answer), ["exists", "updated", "created"]);
    let record = &results(&answer)[1]["record"];
    assert_includes(record, &json!({"action": "updated", "name": "Acme"}));
    assert_eq!(field_value(record, "note"), Some(&json!("d")));
    let quiet = json!({"report_unchanged": false, "records": [row("Acme", "d")]});
    assert_eq!(actions(&fixture.client.post(BATCH, &quiet).expect(200)), ["updated"]);
}

#[test]
fn a_row_can_archive() {
    let mut fixture = accounts();
    let made = fixture.create("accounts", "Acme", &json!({}));
    let gone = json!({"op": "archive", "lookup_value": "Acme"});
    let rows = json!([gone, gone, row("Globex", "a")]);
    let answer = fixture.client.post(BATCH, &rows).expect(200);
    assert_eq!(actions(&answer), ["archived", "not_found", "created"]);
    assert_includes(&results(&answer)[0], &json!({"id": made["id"], "version": 2}));
    fixture.read("accounts", text(&made, "id")).expect_error(404, "not_found");
}

#[test]
fn rows_that_mean_the_same_record_are_folded_or_left_out_or_refused() {
    let mut fixture = accounts();
    let rows = json!([row("Acme", "1"), row("Globex", "2"), row(" ACME", "3"), row("acme", "4")]);
    for (how, expected, note) in [
        ("error", ["failed", "created", "failed", "failed"], None),
        ("first", ["created", "unchanged", "not_applied", "not_applied"], Some("1")),
        ("last", ["not_applied", "unchanged", "not_applied", "updated"], Some("4")),
        ("fold", ["updated", "unchanged", "updated", "updated"], Some("4")),
    ] {
        let path = format!("{BATCH}?in_batch_duplicates={how}");
        let answer = fixture.client.post(&path, &rows).expect(200);
        assert_eq!(actions(&answer), expected, "{how}");
        let found = fixture.lookup("accounts", "Acme");
        if let Some(note) = note {
            assert_eq!(field_value(&found.expect(200), "note"), Some(&json!(note)));
        } else {
            found.expect_error(404, "not_found");
            assert_eq!(results(&answer)[2]["code"], "duplicate_key");
        }
    }
}

#[test]
fn a_fault_of_the_request_is_told_before_any_row_is_carried_out() {
    let mut fixture = accounts();
    for (body, code) in [
        (json!({"records": 5}), "invalid"),
        (json!({"records": null}), "null"),
        (json!({}), "required"),
        (json!("rows"), "invalid"),
        (json!({"mode": "up", "records": [row("Acme", "a")]}), "invalid_choice"),
        (json!({"report_unchanged": "yes", "records": [row("Acme", "a")]}), "invalid"),
        (json!({"dry_run": "yes", "records": [row("Acme", "a")]}), "invalid"),
    ] {
        fixture.client.post(BATCH, &body).expect_error(400, code);
    }
    let keyed = Request::new("POST", BATCH).header("Idempotency-Key", "k");
    fixture.send(&keyed.json(&json!([row("Acme", "a")]))).expect(400);
    fixture.lookup("accounts", "Acme").expect_error(404, "not_found");
    assert_eq!(fixture.client.post(BATCH, &json!([])).expect(200)["count"], 0);
}

#[test]
fn a_row_of_a_bad_shape_fails_alone() {
    let mut fixture = accounts();
    let rows = json!([
        5,
        {"fields": {}},
        {"lookup_value": "", "fields": {}},
        {"lookup_value": "Acme", "fields": {"no_such": 1}},
        {"lookup_value": "Acme", "fields": {}, "offset": 3},
        {"lookup_value": "Acme", "fields": {}, "op": "delete"},
        row("Acme", "a"),
    ]);
    let answer = fixture.client.post(BATCH, &rows).expect(200);
    let codes: Vec<_> = results(&answer).iter().map(|result| result["code"].clone()).collect();
    let expected = json!([
        "invalid",
        "required",
        "blank",
        "does_not_exist",
        "unknown_parameter",
        "invalid_choice",
        null
    ]);
    assert_eq!(json!(codes), expected);
    assert_eq!(answer["counts"]["created"], 1);
}

#[test]
fn a_batch_has_a_limit_of_rows() {
    let mut fixture = Fixture::with_flag("--batch-rows-max", "2");
    fixture.object("accounts");
    let rows = json!([{"lookup_value": "a"}, {"lookup_value": "b"}, {"lookup_value": "c"}]);
    fixture.client.post(BATCH, &rows).expect_error(400, "limit_exceeded");
    fixture.lookup("accounts", "a").expect_error(404, "not_found");
}

#[test]
fn rows_see_what_rows_before_them_have_related() {
    let mut fixture = accounts();
    let parent = json!({
        "field_type": "relationship", "display_name": "parent", "name": "parent",
        "relation": {"related_object": "accounts", "relation_type": "primary", "related_name": "children"},
    });
    fixture.field("accounts", &parent);
    let child = |name: &str, parent: &str| json!({"lookup_value": name, "fields": {"parent": {"lookup_value": parent}}});
    let rows =
        json!([row("Root", "a"), child("Left", "Root"), child("Leaf", "Left"), row("Last", "b")]);
    let answer = fixture.client.post(BATCH, &rows).expect(200);
    assert_eq!(actions(&answer), ["created"; 4]);
    let id = text(&results(&answer)[2], "id");
    assert_eq!(fixture.value(("accounts", id), "parent")["name"], "Left");
    // The other way round, by the mirror.
    let rows = json!([
        row("New", "a"),
        {"lookup_value": "Root", "fields": {"children": [{"lookup_value": "New"}]}},
        child("New", "Last"),
    ]);
    let answer = fixture.client.post(BATCH, &rows).expect(200);
    // What the second row has changed is the other record: its own is what it was.
    assert_eq!(actions(&answer), ["created", "unchanged", "updated"]);
    let id = text(&results(&answer)[0], "id");
    assert_eq!(fixture.value(("accounts", id), "parent")["name"], "Last");
    let late = |version: u32| {
        let mut row = child("New", "Root");
        row["source_version"] = json!(version);
        row
    };
    let answer = fixture.client.post(BATCH, &json!([late(2), late(1)])).expect(200);
    assert_includes(&results(&answer)[1], &json!({"action": "stale", "source_version": 2}));
}

#[test]
fn many_batches_at_once_make_no_duplicate() {
    let fixture = accounts();
    let rows: Vec<Value> = (0..300).map(|at| row(&format!("Account {}", at % 100), "a")).collect();
    let request = Request::new("POST", BATCH).json(&json!(rows));
    let senders = (0..8).map(|_| (fixture.server.client(), request.clone())).collect();
    let answers: Vec<Value> =
        send_together(senders).iter().map(|answer| answer.expect(200)).collect();
    let count = |action: &str| {
        answers.iter().filter_map(|answer| answer["counts"][action].as_u64()).sum::<u64>()
    };
    assert_eq!((count("created"), count("unchanged"), count("failed")), (100, 2_300, 0));
}

#[test]
fn a_schema_that_moves_meanwhile_loses_no_row() {
    let mut fixture = accounts();
    let rows: Vec<Value> = (0..2_000).map(|at| row(&format!("Account {at}"), "a")).collect();
    let request = Request::new("POST", BATCH).json(&json!(rows));
    let mut sender = fixture.server.client();
    let sent = std::thread::spawn(move || sender.send(&request));
    for at in 0..20 {
        fixture.text_field("accounts", &format!("field_{at}"));
    }
    let answer = sent.join().expect("the sender does not panic").expect(200);
    assert_eq!(answer["counts"]["created"], 2_000);
    for (index, result) in results(&answer).iter().enumerate() {
        assert_eq!(result["index"], index);
    }
}

#[test]
fn an_atomic_batch_is_done_whole_or_not_at_all() {
    let mut fixture = accounts();
    let good = json!({"atomic": true, "records": [row("Acme", "a"), row("acme", "b"), row("Globex", "c")]});
    let answer = fixture.client.post(BATCH, &good).expect(200);
    assert_eq!(actions(&answer), ["created", "updated", "created"]);
    let bad = json!({"atomic": true, "records": [
        row("Acme", "z"),
        {"lookup_value": "Initech", "fields": {"seats": "many"}, "client_ref": "bad"},
        {"lookup_value": "", "fields": {}},
        {"lookup_value": "Acme", "op": "archive"},
        row("Hooli", "z"),
    ]});
    let answer = fixture.client.post(BATCH, &bad).expect_error(400, "batch_aborted");
    assert_eq!(actions(&answer), ["not_applied", "failed", "failed", "not_applied", "not_applied"]);
    assert_includes(&answer, &json!({"count": 5, "counts": {"failed": 2, "not_applied": 3}}));
    let errors = answer["errors"].as_array().expect("errors is a list");
    let places: Vec<_> = errors.iter().map(|error| (&error["index"], &error["code"])).collect();
    assert_eq!(places, [(&json!(1), &json!("invalid")), (&json!(2), &json!("blank"))]);
    assert_eq!(results(&answer)[1]["client_ref"], "bad");
    let acme = fixture.lookup("accounts", "Acme").expect(200);
    assert_eq!((field_value(&acme, "note"), &acme["version"]), (Some(&json!("b")), &json!(2)));
    fixture.lookup("accounts", "Hooli").expect_error(404, "not_found");
    let mut fixture = fixture.after_a_crash();
    assert_eq!(fixture.lookup("accounts", "Acme").expect(200)["version"], 2);
    let rows: Vec<Value> = (0..1_001).map(|at| row(&at.to_string(), "a")).collect();
    let many = json!({"atomic": true, "records": rows});
    fixture.client.post(BATCH, &many).expect_error(400, "limit_exceeded");
    fixture.client.post(BATCH, &json!({"atomic": true, "records": []})).expect(200);
}

#[test]
fn many_atomic_batches_at_once_come_one_behind_the_other() {
    let fixture = accounts();
    let rows: Vec<Value> = (0..50).map(|at| row(&format!("Account {at}"), "a")).collect();
    let request = Request::new("POST", BATCH).json(&json!({"atomic": true, "records": rows}));
    let senders = (0..8).map(|_| (fixture.server.client(), request.clone())).collect();
    let created: Vec<_> = send_together(senders)
        .iter()
        .map(|answer| answer.expect(200)["counts"]["created"].clone())
        .filter(|created| *created != 0)
        .collect();
    assert_eq!(created, [json!(50)], "one of them has made all of them");
}

#[test]
fn rows_find_their_records_by_other_unique_fields_and_guard_against_late_ones() {
    let mut fixture = accounts();
    let code =
        json!({"field_type": "text", "display_name": "code", "name": "code", "is_unique": true});
    fixture.field("accounts", &code);
    let by_code = |code: &str, note: &str, version: u32| {
        json!({
            "lookup_value": code, "fields": {"note": note, "name": format!("Account {code}")},
            "source": "shop", "source_version": version,
        })
    };
    let rows = json!({"match": "code", "records": [
        by_code("c1", "new", 5), by_code("c2", "new", 1), by_code(" C1 ", "late", 4),
        by_code("c1", "newer", 6), {"fields": {"note": "a"}},
    ]});
    let answer = fixture.client.post(BATCH, &rows).expect(200);
    assert_eq!(actions(&answer), ["created", "created", "stale", "updated", "failed"]);
    assert_eq!(results(&answer)[4]["code"], "required");
    let found = fixture.lookup("accounts", "Account c1").expect(200);
    assert_eq!(field_value(&found, "note"), Some(&json!("newer")));
    assert_eq!(field_value(&found, "code"), Some(&json!("c1")));
    let rows = json!([
        {"match": ["note"], "lookup_value": "x"},
        {"match": ["no_such"], "lookup_value": "x"},
    ]);
    let answer = fixture.client.post(BATCH, &rows).expect(200);
    let codes: Vec<_> = results(&answer).iter().map(|result| &result["code"]).collect();
    assert_eq!(codes, ["invalid_choice", "does_not_exist"]);
}
