//! Names of extensions that this version does not offer are refused, never ignored: a client that
//! believes in a dry run must not have written.

use crate::support::{Answer, Fixture, Request};
use serde_json::json;

fn accounts() -> Fixture {
    let mut fixture = Fixture::new();
    fixture.object("accounts");
    fixture.text_field("accounts", "note");
    fixture.create("accounts", "Acme", &json!({"note": "before"}));
    fixture
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

/// Of many rows each has its own `expect_version`.
#[test]
fn headers_that_ask_for_a_version_of_many_rows() {
    let mut fixture = accounts();
    let row = json!({"lookup_value": "Acme", "fields": {"note": "after"}});
    for media_type in ["application/json", "application/x-ndjson"] {
        for (name, value) in [("If-Match", "\"1\""), ("If-None-Match", "*")] {
            let body = if media_type == "application/json" { json!([row]) } else { row.clone() };
            let request = Request::new("POST", "/api/records/accounts/bulk-upsert")
                .header("Content-Type", media_type)
                .body(body.to_string().as_bytes());
            let answer = fixture.send(&request.header(name, value));
            check_refused(&mut fixture, &answer, name);
        }
    }
}

#[test]
fn routes_that_are_not_offered_are_not_found() {
    let mut fixture = accounts();
    for request in [
        Request::new("GET", "/api/records/accounts/streams/s1"),
        Request::new("GET", "/api/webhooks"),
        Request::new("POST", "/api/client").json(&json!({"email": "a@example.com"})),
        Request::new("POST", "/api/custom-objects/accounts/uploader").json(&json!({})),
    ] {
        fixture.send(&request).expect_error(404, "not_found");
    }
}
