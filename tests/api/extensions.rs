//! Names of extensions that this version does not offer are refused, never ignored: a client that
//! believes in a dry run must not have written.

use crate::support::{Answer, Fixture, Request, text};
use serde_json::{Value, json};

fn accounts() -> (Fixture, Value) {
    let mut fixture = Fixture::new();
    fixture.object("accounts");
    fixture.text_field("accounts", "note");
    let record = fixture.create("accounts", "Acme", &json!({"note": "before"}));
    (fixture, record)
}

/// Refused by name, and nothing done.
#[track_caller]
fn check_refused(fixture: &mut Fixture, answer: &Answer, name: &str) {
    let body = answer.expect_error(400, "unknown_parameter");
    assert_eq!(body["errors"][0]["parameter"], name, "{answer}");
    let list = fixture.client.get("/api/records/accounts").expect(200);
    assert_eq!(list["count"], 1, "{answer}");
    assert_eq!(list["results"][0]["version"], 1, "{answer}");
}

#[test]
fn query_parameters_of_the_upsert() {
    let (mut fixture, _) = accounts();
    for (name, value) in [
        ("match", "external_id"),
        ("on_identity_conflict", "first"),
        ("dry_run", "true"),
        ("dry_run", "false"),
    ] {
        let url = format!("/api/records/accounts/upsert?{name}={value}");
        for lookup_value in ["Acme", "new"] {
            let body = json!({"lookup_value": lookup_value, "fields": {"note": "after"}});
            let answer = fixture.client.post(&url, &body);
            check_refused(&mut fixture, &answer, name);
        }
    }
}

#[test]
fn body_keys_of_the_upsert() {
    let (mut fixture, _) = accounts();
    for (name, value) in [
        ("match", json!(["external_id"])),
        ("match_values", json!({"external_id": "x"})),
        ("source", json!("crm")),
        ("source_version", json!(7)),
    ] {
        let body = json!({"lookup_value": "Acme", "fields": {"note": "after"}, name: value});
        let answer = fixture.upsert("accounts", &body);
        check_refused(&mut fixture, &answer, name);
    }
}

#[test]
fn headers_of_the_writes() {
    let (mut fixture, record) = accounts();
    let id = text(&record, "id").to_owned();
    let body = json!({"lookup_value": "Acme", "fields": {"note": "after"}});
    let writes = [
        ("POST", "/api/records/accounts/upsert".to_owned()),
        ("PATCH", format!("/api/records/accounts/{id}")),
        ("PUT", format!("/api/records/accounts/{id}")),
        ("DELETE", format!("/api/records/accounts/{id}")),
        ("PATCH", format!("/api/records/accounts/{id}/unarchive")),
    ];
    for (method, target) in writes {
        let request = Request::new(method, &target).header("If-Match", "\"1\"");
        let request = if method == "DELETE" { request } else { request.json(&body) };
        let answer = fixture.send(&request);
        check_refused(&mut fixture, &answer, "If-Match");
    }
    let request = Request::new("POST", "/api/records/accounts/upsert").json(&body);
    let answer = fixture.send(&request.header("If-None-Match", "*"));
    check_refused(&mut fixture, &answer, "If-None-Match");
}

#[test]
fn parameters_of_other_routes() {
    let (mut fixture, record) = accounts();
    let id = text(&record, "id").to_owned();
    for (method, target, name) in [
        ("DELETE", format!("/api/records/accounts/{id}?dry_run=true"), "dry_run"),
        ("PATCH", format!("/api/records/accounts/{id}?dry_run=true"), "dry_run"),
        ("PUT", format!("/api/records/accounts/{id}?dry_run=true"), "dry_run"),
        ("POST", "/api/records/accounts/add?dry_run=1".to_owned(), "dry_run"),
    ] {
        let request = Request::new(method, &target);
        let body = json!({"fields": {"name": "new", "note": "after"}});
        let request = if method.starts_with('P') { request.json(&body) } else { request };
        let answer = fixture.send(&request);
        check_refused(&mut fixture, &answer, name);
    }
}

#[test]
fn routes_that_are_not_offered_are_not_found() {
    let (mut fixture, _) = accounts();
    let row = json!([{"lookup_value": "new"}]);
    for request in [
        Request::new("POST", "/api/records/accounts/import").json(&row),
        Request::new("GET", "/api/records/accounts/export"),
        Request::new("GET", "/api/records/accounts/streams/s1"),
        Request::new("GET", "/api/webhooks"),
        Request::new("POST", "/api/client").json(&json!({"email": "a@example.com"})),
        Request::new("POST", "/api/custom-objects/accounts/uploader").json(&json!({})),
    ] {
        fixture.send(&request).expect_error(404, "not_found");
    }
}
