//! Reading and changing one record by its id.

use crate::support::{Fixture, Request, assert_includes, field_value, text};
use serde_json::{Value, json};

/// Accounts with two texts, one of them required, and a checkbox.
fn accounts() -> (Fixture, Value) {
    let mut fixture = Fixture::new();
    fixture.object("accounts");
    fixture.text_field("accounts", "note");
    fixture.text_field("accounts", "motto");
    let required = json!({
        "field_type": "text", "display_name": "Code", "name": "account_code", "is_required": true,
    });
    fixture.field("accounts", &required);
    let fields = json!({"note": "n", "motto": "m", "account_code": "c"});
    let record = fixture.create("accounts", "Acme", &fields);
    (fixture, record)
}

fn path(record: &Value, suffix: &str) -> String {
    format!("/api/records/accounts/{}{suffix}", text(record, "id"))
}

#[test]
fn patch_and_put_change_what_they_name() {
    for method in ["PATCH", "PUT"] {
        let (mut fixture, record) = accounts();
        let body = json!({"fields": [{"name": "note", "value": "changed"}]});
        let request = Request::new(method, &path(&record, "")).json(&body);
        let changed = fixture.send(&request).expect(200);
        let expected = json!({"action": "updated", "version": 2, "id": record["id"]});
        assert_includes(&changed, &expected);
        assert_eq!(field_value(&changed, "note"), Some(&json!("changed")));
        assert_eq!(field_value(&changed, "motto"), None, "the answer holds what was written");

        let read = fixture.read("accounts", text(&record, "id")).expect(200);
        assert_eq!(read.get("action"), None);
        for (name, value) in [("note", "changed"), ("motto", "m"), ("account_code", "c")] {
            assert_eq!(field_value(&read, name), Some(&json!(value)), "{method} of {name}");
        }
    }
}

#[test]
fn a_change_of_nothing_gives_no_new_version() {
    let (mut fixture, record) = accounts();
    for body in [
        json!({}),
        json!({"fields": []}),
        json!({"fields": {}}),
        json!({"fields": {"note": "n"}}),
        json!({"archived": true}),
    ] {
        for method in ["PATCH", "PUT"] {
            let request = Request::new(method, &path(&record, "")).json(&body);
            let answer = fixture.send(&request).expect(200);
            let expected = json!({"action": "updated", "version": 1, "updated": record["updated"]});
            assert_includes(&answer, &expected);
        }
    }
    fixture.lookup("accounts", "Acme").expect(200);
}

#[test]
fn put_with_replace_clears_what_it_does_not_name() {
    let (mut fixture, record) = accounts();
    let body = json!({"fields": {"motto": "new"}});
    let answer = fixture.client.put(&path(&record, "?replace=true"), &body).expect(200);
    assert_eq!(answer["version"], 2);
    let read = fixture.read("accounts", text(&record, "id")).expect(200);
    assert_eq!(read["name"], "Acme", "the identifier stays");
    assert_eq!(field_value(&read, "note"), None);
    assert_eq!(field_value(&read, "motto"), Some(&json!("new")));
    assert_eq!(field_value(&read, "account_code"), Some(&json!("c")), "a required field stays");
    assert_eq!(field_value(&read, "owner"), field_value(&record, "owner"));
}

#[test]
fn every_field_can_be_addressed_by_its_id() {
    let (mut fixture, record) = accounts();
    let fields = fixture.client.get("/api/custom-objects/accounts/fields").expect(200);
    let fields = fields.as_array().expect("a bare array");
    let note = fields.iter().find(|field| field["name"] == "note").expect("it was made");
    let id = text(note, "id").to_owned();
    for fields in [
        json!([{"id": id, "value": "by id"}]),
        json!([{"id": id.to_uppercase(), "value": "by upper case"}]),
        json!([{"id": id, "name": "note", "value": "by both"}]),
        json!({id.as_str(): "as a key"}),
    ] {
        let answer = fixture.client.patch(&path(&record, ""), &json!({"fields": fields}));
        let written = field_value(&answer.expect(200), "note").cloned();
        let given = fields.pointer("/0/value").or_else(|| fields.get(&id));
        assert_eq!(written.as_ref(), given);
    }
}

#[test]
fn a_read_gives_the_fields_that_were_asked_for() {
    let (mut fixture, record) = accounts();
    for (query, expected) in [
        ("?field_names=note", vec!["note"]),
        ("?field_names=note,motto", vec!["motto", "note"]),
        ("?field_names=note,unknown", vec!["note"]),
    ] {
        let read = fixture.client.get(&path(&record, query)).expect(200);
        let fields = read["fields"].as_object().expect("fields is an object");
        for name in ["note", "motto", "account_code"] {
            let is_there = fields.values().any(|field| field["name"] == name);
            assert_eq!(is_there, expected.contains(&name), "{query} and {name}: {read}");
        }
    }
}

#[test]
fn what_is_no_record_of_this_object_is_not_found() {
    let (mut fixture, record) = accounts();
    fixture.object("others");
    let id = text(&record, "id").to_owned();
    for target in [
        "/api/records/accounts/00000000-0000-7000-8000-000000000000".to_owned(),
        "/api/records/accounts/not-a-uuid".to_owned(),
        format!("/api/records/others/{id}"),
        format!("/api/records/unknown/{id}"),
        format!("/api/records/client_client/{id}"),
    ] {
        for method in ["GET", "PATCH", "PUT", "DELETE"] {
            let request = Request::new(method, &target);
            let request = if method.starts_with('P') { request.json(&json!({})) } else { request };
            let body = fixture.send(&request).expect_error(404, "not_found");
            assert_eq!(body["detail"], "Not found.");
        }
    }
    fixture.client.get(&path(&record, "")).expect(200);
    let upper = format!("/api/records/accounts/{}", id.to_uppercase());
    assert_eq!(fixture.client.get(&upper).expect(200)["id"], record["id"], "ids have no case");
}

#[test]
fn an_object_answers_to_its_id_and_its_name() {
    let (mut fixture, record) = accounts();
    let object = fixture.client.get("/api/custom-objects/accounts").expect(200);
    let by_id = format!("/api/records/{}/{}", text(&object, "id"), text(&record, "id"));
    assert_eq!(fixture.client.get(&by_id).expect(200)["id"], record["id"]);
    let wrong_case = format!("/api/records/Accounts/{}", text(&record, "id"));
    fixture.client.get(&wrong_case).expect_error(404, "not_found");
}

#[test]
fn a_required_field_cannot_be_cleared() {
    let (mut fixture, record) = accounts();
    for blank in [json!(null), json!("")] {
        let body = json!({"fields": {"note": "changed", "account_code": blank}});
        let refused = fixture.client.patch(&path(&record, ""), &body).expect_error(400, "required");
        assert_includes(
            &refused["errors"],
            &json!([{"code": "required", "field": "account_code"}]),
        );
    }
    let body = json!({"fields": {"name": null}});
    fixture.client.patch(&path(&record, ""), &body).expect_error(400, "required");
    let read = fixture.read("accounts", text(&record, "id")).expect(200);
    assert_includes(&read, &json!({"name": "Acme", "version": 1}));
}
