//! Who may ask: the three headers, the operator's key, and answers that tell a stranger nothing.

use crate::support::{Fixture, Launch, OPERATOR_KEY, Request};
use serde_json::{Value, json};

const HEADERS: [&str; 3] = ["X-API-KEY", "X-BUSINESS-ID", "X-USER-ID"];
const UNKNOWN: &str = "00000000-0000-7000-8000-000000000000";

fn list() -> Request {
    Request::new("GET", "/api/custom-objects")
}

/// The body without what differs from one request to the next.
fn anonymous(body: &Value) -> Value {
    let mut body = body.clone();
    body["request_id"] = Value::Null;
    body
}

#[test]
fn a_missing_or_empty_header_is_not_authenticated() {
    let mut fixture = Fixture::new();
    for name in HEADERS {
        for request in [list().without(name), list().header(name, "")] {
            let answer = fixture.send(&request);
            let body = answer.expect_error(401, "not_authenticated");
            assert_eq!(body["detail"], "Authentication credentials were not provided.");
            let challenge = answer.header("WWW-Authenticate");
            assert_eq!(challenge, Some("ApiKey realm=\"upsertd\""));
        }
    }
    fixture.send(&list()).expect(200);
}

#[test]
fn every_wrong_header_gives_one_and_the_same_answer() {
    let mut fixture = Fixture::new();
    let credentials = fixture.server.credentials();
    let secret = &credentials.api_key;
    let (stem, _) = secret.split_at(secret.len() - 1);
    let changed_end = format!("{stem}{}", if secret.ends_with('A') { 'B' } else { 'A' });
    let mut answers = Vec::new();
    for (name, value) in [
        ("X-API-KEY", "upd_aaaaaaaa_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"),
        ("X-API-KEY", &changed_end),
        ("X-API-KEY", stem),
        ("X-API-KEY", "x"),
        ("X-BUSINESS-ID", UNKNOWN),
        ("X-BUSINESS-ID", "not-a-uuid"),
        ("X-USER-ID", UNKNOWN),
        ("X-USER-ID", "not-a-uuid"),
        ("X-USER-ID", &credentials.business_id),
    ] {
        let answer = fixture.send(&list().header(name, value));
        let body = answer.expect_error(401, "authentication_failed");
        assert_eq!(body["detail"], "Invalid credentials.");
        assert_eq!(answer.header("WWW-Authenticate"), Some("ApiKey realm=\"upsertd\""));
        answers.push(anonymous(&body));
    }
    assert!(answers.iter().all(|body| *body == answers[0]), "{answers:?}");
}

#[test]
fn ids_in_headers_have_no_case() {
    let mut fixture = Fixture::new();
    let credentials = fixture.server.credentials();
    let request = list()
        .header("x-business-id", &credentials.business_id.to_uppercase())
        .header("x-user-id", &credentials.user_id.to_uppercase());
    fixture.send(&request).expect(200);
}

#[test]
fn nothing_below_api_is_told_to_a_stranger() {
    let mut fixture = Fixture::new();
    fixture.object("accounts");
    for (method, target) in [
        ("GET", "/api/records/accounts"),
        ("GET", "/api/records/unknown"),
        ("POST", "/api/records/accounts/upsert"),
        ("GET", "/api/custom-objects/accounts"),
        ("GET", "/api/nothing/here"),
        ("DELETE", "/api/records/accounts/upsert"),
    ] {
        let request = Request::new(method, target).without("X-API-KEY");
        fixture.send(&request).expect_error(401, "not_authenticated");
    }
}

#[test]
fn outside_api_nobody_is_asked() {
    let mut fixture = Fixture::new();
    let anonymous = |target: &str| {
        HEADERS.iter().fold(Request::new("GET", target), |request, name| request.without(name))
    };
    assert_eq!(fixture.send(&anonymous("/healthz")).expect(200), json!({"status": "ok"}));
    assert_eq!(fixture.send(&anonymous("/readyz")).expect(200), json!({"status": "ready"}));
    fixture.send(&anonymous("/nothing")).expect_error(404, "not_found");
}

#[test]
fn the_operator_key_opens_the_admin_routes_and_nothing_else() {
    let mut fixture = Fixture::new();
    let status = || Request::new("GET", "/api/admin/status");
    fixture.send(&status().header("X-OPERATOR-KEY", OPERATOR_KEY)).expect(200);
    for request in [
        status(),
        status().header("X-OPERATOR-KEY", ""),
        status().header("X-OPERATOR-KEY", "wrong"),
        status().header("X-OPERATOR-KEY", &OPERATOR_KEY[1..]),
    ] {
        let answer = fixture.send(&request);
        assert_eq!(answer.status, 401, "{answer}");
    }
    let wrong = fixture.send(&status().header("X-OPERATOR-KEY", "wrong"));
    wrong.expect_error(401, "authentication_failed");
    let operator = list().without("X-API-KEY").header("X-OPERATOR-KEY", OPERATOR_KEY);
    fixture.send(&operator).expect_error(401, "not_authenticated");
}

#[test]
fn without_an_operator_key_there_are_no_admin_routes() {
    let mut fixture = Fixture::of(Launch::new().without_operator_key().start());
    let request = Request::new("GET", "/api/admin/status");
    for request in [request.clone(), request.header("X-OPERATOR-KEY", OPERATOR_KEY)] {
        fixture.send(&request).expect_error(404, "not_found");
    }
}

#[test]
fn a_first_start_takes_the_credentials_it_is_given() {
    let secret = "a-secret-of-an-older-script";
    let business = "0192f7aa-0000-7000-8000-000000000001";
    let user = "0192f7aa-0000-7000-8000-000000000002";
    let launch = Launch::new()
        .environment("UPSERTD_BOOTSTRAP_API_KEY", secret)
        .environment("UPSERTD_BOOTSTRAP_BUSINESS_ID", business)
        .environment("UPSERTD_BOOTSTRAP_USER_ID", user);
    let mut fixture = Fixture::of(launch.start());
    let credentials = fixture.server.credentials();
    assert_eq!(credentials.api_key, secret);
    assert_eq!(credentials.business_id, business);
    assert_eq!(credentials.user_id, user);
    fixture.send(&list()).expect(200);
    assert!(!fixture.server.stderr().contains(secret), "a secret must never be logged");
    let mut again = fixture.after_a_crash();
    again.send(&list()).expect(200);
}

#[test]
fn malformed_bootstrap_values_are_refused() {
    for (name, value) in [
        ("UPSERTD_BOOTSTRAP_API_KEY", "short"),
        ("UPSERTD_BOOTSTRAP_API_KEY", "sixteen characters\u{1}"),
        ("UPSERTD_BOOTSTRAP_BUSINESS_ID", "not-a-uuid"),
        ("UPSERTD_BOOTSTRAP_USER_ID", "1234"),
    ] {
        let launch = Launch::new().environment(name, value);
        let directory = launch.directory().clone();
        launch.refused().expect_code(3).expect_stderr(name);
        assert!(directory.files(|_| true).is_empty(), "a refused start leaves nothing behind");
    }
}
