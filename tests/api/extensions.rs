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
fn routes_that_are_not_offered_are_not_found() {
    let (mut fixture, _) = accounts();
    let row = json!([{"lookup_value": "new"}]);
    for request in [
        Request::new("POST", "/api/records/accounts/import").json(&row),
        Request::new("GET", "/api/records/accounts/export"),
        Request::new("GET", "/api/webhooks"),
        Request::new("POST", "/api/client").json(&json!({"email": "a@example.com"})),
        Request::new("POST", "/api/custom-objects/accounts/uploader").json(&json!({})),
    ] {
        fixture.send(&request).expect_error(404, "not_found");
    }
}
