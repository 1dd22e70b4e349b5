//! Upserts that look for their record by other unique fields than the identifier.

use crate::support::{Answer, Fixture, assert_includes, field_value, text};
use serde_json::{Value, json};

/// Accounts with an external id, a serial number and a note.
fn accounts() -> Fixture {
    let mut fixture = Fixture::new();
    fixture.object("accounts");
    for (name, field_type) in [("external_id", "text"), ("serial", "integer")] {
        let field = json!({
            "field_type": field_type, "display_name": name, "name": name, "is_unique": true,
        });
        fixture.field("accounts", &field);
    }
    fixture.text_field("accounts", "note");
    fixture
}

fn upsert(fixture: &mut Fixture, query: &str, body: &Value) -> Answer {
    fixture.client.post(&format!("/api/records/accounts/upsert?{query}"), body)
}

#[track_caller]
fn check(answer: &Answer, action: &str, id: &Value) -> Value {
    let body = answer.expect(200);
    assert_includes(&body, &json!({"action": action, "id": id}));
    body
}

#[test]
fn the_value_of_a_match_key_stands_in_one_of_three_places() {
    let mut fixture = accounts();
    let acme = fixture.create("accounts", "Acme", &json!({"external_id": "X-1", "serial": 7}));
    for (query, body) in [
        ("match=external_id", json!({"lookup_value": " x-1 "})),
        ("", json!({"match": ["external_id"], "match_values": {"external_id": "X-1"}})),
        ("match=external_id", json!({"fields": {"external_id": "X-1"}})),
        ("match=external_id", json!({"set_on_create": {"external_id": "X-1"}})),
        ("match=serial", json!({"lookup_value": 7})),
        ("match=serial", json!({"match_values": {"serial": "7"}})),
        ("match=name", json!({"lookup_value": "acme"})),
        ("match=external_id,serial", json!({"match_values": {"external_id": "", "serial": 7}})),
        ("match=external_id,name", json!({"lookup_value": "acme"})),
    ] {
        check(&upsert(&mut fixture, query, &body), "updated", &acme["id"]);
    }
    let id = field_value(&fixture.read("accounts", text(&acme, "id")).expect(200), "external_id")
        .cloned();
    assert_eq!(id, Some(json!("X-1")), "an update writes no value that it was looked for by");
}

#[test]
fn a_new_record_gets_the_values_that_it_was_looked_for_by() {
    let mut fixture = accounts();
    let body = json!({"lookup_value": "X-9", "fields": {"name": "New"}});
    let made = upsert(&mut fixture, "match=external_id", &body).expect(200);
    assert_includes(&made, &json!({"action": "created", "name": "New"}));
    assert_eq!(field_value(&made, "external_id"), Some(&json!("X-9")));
    let body = json!({"lookup_value": "Second", "match_values": {"serial": 5}});
    let made = upsert(&mut fixture, "match=external_id,serial", &body).expect(200);
    assert_includes(&made, &json!({"action": "created", "name": "Second"}));
    assert_eq!(field_value(&made, "serial"), Some(&json!(5)));
    // The identifier must be given all the same, and be free.
    let nameless = json!({"lookup_value": "X-10"});
    let refused =
        upsert(&mut fixture, "match=external_id", &nameless).expect_error(400, "required");
    assert_includes(&refused["errors"], &json!([{"field": "name"}]));
    let taken = json!({"lookup_value": "X-10", "fields": {"name": "new"}});
    upsert(&mut fixture, "match=external_id", &taken).expect_error(400, "unique");
    let body = json!({"match_values": {"external_id": "x".repeat(256)}, "fields": {"name": "Z"}});
    let refused = upsert(&mut fixture, "match=external_id", &body).expect_error(400, "max_length");
    assert_includes(&refused["errors"], &json!([{"parameter": "match_values.external_id"}]));
}

#[test]
fn keys_that_mean_different_records_conflict_unless_the_first_decides() {
    let mut fixture = accounts();
    let one = fixture.create("accounts", "One", &json!({"external_id": "X-1"}));
    let two = fixture.create("accounts", "Two", &json!({"serial": 2}));
    let body = json!({
        "match": ["external_id", "serial"], "match_values": {"external_id": "x-1", "serial": 2},
        "fields": {"note": "n"},
    });
    let answer = upsert(&mut fixture, "", &body).expect_error(409, "conflict");
    let name = |record: &Value| json!({"id": record["id"], "display_name": record["name"]});
    assert_includes(
        &answer["conflict"],
        &json!({"kind": "identity_conflict", "matches": [
            {"field": {"name": "external_id"}, "value": "x-1", "record": name(&one)},
            {"field": {"name": "serial"}, "value": 2, "record": name(&two)},
        ]}),
    );
    let blamed = |field, record: &Value| json!({"code": "conflict", "field": field, "conflicting_record_id": record["id"]});
    assert_includes(
        &answer["errors"],
        &json!([blamed("external_id", &one), blamed("serial", &two)]),
    );
    let answer = upsert(&mut fixture, "on_identity_conflict=first", &body);
    check(&answer, "updated", &one["id"]);
    let mut turned = body.clone();
    turned["match"] = json!(["serial", "external_id"]);
    let answer = upsert(&mut fixture, "on_identity_conflict=first", &turned);
    check(&answer, "updated", &two["id"]);
}

#[test]
fn an_archived_record_is_found_by_a_value_that_it_has_given_free() {
    let mut fixture = accounts();
    let first = fixture.create_archived("accounts", "First", &json!({"external_id": "X-1"}));
    let last = fixture.create_archived("accounts", "Last", &json!({"external_id": "x-1"}));
    let mut body = json!({"lookup_value": "X-1", "fields": {"name": "Fresh", "note": "n"}});
    let query = "match=external_id";
    let answer = upsert(&mut fixture, query, &body).expect_error(409, "conflict");
    assert_includes(
        &answer["conflict"],
        &json!({"field": {"name": "external_id"}, "value": "X-1",
            "archived_record": {"id": last["id"]}}),
    );
    body["oncreate_unarchive"] = json!("skip");
    check(&upsert(&mut fixture, query, &body), "skipped_archived", &last["id"]);
    body["oncreate_unarchive"] = json!("overwrite");
    let fresh = upsert(&mut fixture, query, &body).expect(200);
    assert_eq!(fresh["action"], "created");
    let kept = fixture.read_archived("accounts", text(&last, "id")).expect(200);
    assert_eq!(kept["name"], "Last", "its name is not the one that was claimed");
    fixture.archive("accounts", text(&fresh, "id"));
    let mut fixture = fixture.after_a_crash();
    body["oncreate_unarchive"] = json!("unarchive");
    body["fields"] = json!({"note": "again"});
    check(&upsert(&mut fixture, query, &body), "unarchived", &fresh["id"]);
    check(&upsert(&mut fixture, query, &body), "updated", &fresh["id"]);
    let id = text(&first, "id");
    fixture.read("accounts", id).expect_error(404, "not_found");
}

#[test]
fn what_is_no_match_key_is_refused_by_name() {
    let mut fixture = accounts();
    fixture.create("accounts", "Acme", &json!({"note": "n"}));
    let good = json!({"lookup_value": "Acme"});
    for (query, body, code, at) in [
        ("match=nowhere", good.clone(), "does_not_exist", "match"),
        ("match=note", good.clone(), "invalid_choice", "match"),
        ("match=external_id%2Bserial", good.clone(), "invalid_choice", "match"),
        ("match=external_id+serial", good.clone(), "invalid_choice", "match"),
        ("match=", good.clone(), "required", "match"),
        ("match=name", json!({"lookup_value": "Acme", "match": ["name"]}), "invalid", "match"),
        ("", json!({"lookup_value": "Acme", "match": "name"}), "invalid", "match"),
        ("", json!({"lookup_value": "Acme", "match": [7]}), "invalid", "match"),
        ("", json!({"lookup_value": "Acme", "match": []}), "required", "match"),
        (
            "",
            json!({"lookup_value": "Acme", "match": [["name", "serial"]]}),
            "invalid_choice",
            "match",
        ),
        ("", json!({"lookup_value": "Acme", "match_values": {"serial": 1}}), "required", "match"),
        ("match=serial", json!({"match_values": [1]}), "invalid", "match_values"),
        (
            "match=serial",
            json!({"match_values": {"serial": "x"}}),
            "invalid",
            "match_values.serial",
        ),
        ("match=serial", json!({"fields": {"name": "Acme"}}), "required", "match_values"),
        ("match=serial", json!({"lookup_value": " "}), "required", "match_values"),
        ("match=name&on_identity_conflict=last", good, "invalid_choice", "on_identity_conflict"),
    ] {
        let answer = upsert(&mut fixture, query, &body);
        let refused = answer.expect_error(400, code);
        assert_includes(&refused["errors"], &json!([{"code": code, "parameter": at}]));
    }
    upsert(&mut fixture, "", &json!({"fields": {}})).expect_error(400, "required");
}
