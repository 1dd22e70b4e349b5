//! How often an API key may ask, where the operator limits it.

use crate::support::{Answer, Client, Fixture, OPERATOR_KEY, Request, text, until};
use serde_json::{Value, json};

const ME: &str = "/api/business/mine";

/// What the headers say of a policy, or of what is left: the numbers behind two letters.
#[track_caller]
fn numbers(answer: &Answer, header: &str, letters: [&str; 2]) -> [u64; 2] {
    let value = answer.header(header).unwrap_or_else(|| panic!("no {header}: {answer}"));
    let mut parts = value.split(';');
    assert_eq!(parts.next(), Some("\"default\""), "{answer}");
    letters.map(|letter| {
        let part = parts.next().unwrap_or_else(|| panic!("no {letter}: {answer}"));
        let (name, number) = part.split_once('=').expect("a parameter has a value");
        assert_eq!(name, letter, "{answer}");
        number.parse().expect("a number")
    })
}

#[track_caller]
fn left(answer: &Answer) -> u64 {
    assert_eq!(numbers(answer, "RateLimit-Policy", ["q", "w"]), [5, 3600], "{answer}");
    let [left, reset] = numbers(answer, "RateLimit", ["r", "t"]);
    assert!((1..=3600).contains(&reset), "{answer}");
    left
}

#[test]
fn a_key_that_asks_too_often_is_told_to_wait_and_nothing_is_done() {
    let mut fixture = Fixture::with_flag("--rate-limit", "5/1h");
    assert_eq!(left(&fixture.client.get(ME)), 4);
    // Whatever is answered tells what is left, errors too.
    assert_eq!(left(&fixture.client.get("/api/nothing")), 3);
    assert_eq!(left(&fixture.client.post("/api/role", &json!({}))), 2);
    let body = json!({"name": "second", "secret": "a second key of mine"});
    let made = fixture.client.post("/api/api-keys", &body);
    assert_eq!(left(&made), 1);
    made.expect(201);
    assert_eq!(left(&fixture.client.get(ME)), 0);
    for _ in 0..3 {
        let refused = fixture.client.post("/api/role", &json!({"name": "never"}));
        assert_eq!(left(&refused), 0);
        let seconds: u64 = refused.header("Retry-After").expect("it is there").parse().unwrap();
        let body = refused.expect_error(429, "throttled");
        let detail = format!("Request was throttled. Expected available in {seconds} seconds.");
        assert_eq!(text(&body, "detail"), detail);
    }
    // Another key of the same member has limits of its own.
    let mut credentials = fixture.server.credentials();
    "a second key of mine".clone_into(&mut credentials.api_key);
    let mut second = Client::new(fixture.server.address(), &credentials);
    let roles = second.get("/api/role");
    assert_eq!(left(&roles), 4);
    assert_eq!(roles.expect(200)["count"], 1, "what was refused was not done");
}

#[test]
fn one_row_counts_as_one_and_a_batch_that_does_not_fit_is_refused() {
    let mut fixture = Fixture::with_flag("--rate-limit", "12/1h");
    fixture.object("accounts"); // 1
    let path = "/api/records/accounts/bulk-upsert";
    let rows = |count: usize| -> Value {
        (0..count).map(|at| json!({"lookup_value": format!("Account {at}")})).collect()
    };
    let left = |answer: &Answer| numbers(answer, "RateLimit", ["r", "t"])[0];
    let told = fixture.client.post(path, &rows(4)); // 5
    assert_eq!((told.expect(200)["counts"]["created"].clone(), left(&told)), (json!(4), 7));
    let refused = fixture.client.post(path, &rows(8)); // 6, for the request
    refused.expect_error(429, "throttled");
    assert!(refused.header("Retry-After").is_some());
    assert_eq!(left(&refused), 6);
    let empty = fixture.client.post(path, &rows(0)); // 7
    empty.expect(200);
    assert_eq!(left(&empty), 5);
    let list = fixture.client.get("/api/records/accounts"); // 8
    assert_eq!(list.expect(200)["count"], 4, "nothing was done of what was refused");
    let fits = fixture.client.post(path, &rows(4)); // 12
    assert_eq!((fits.expect(200)["counts"]["unchanged"].clone(), left(&fits)), (json!(4), 0));
}

#[test]
fn a_batch_that_never_fits_takes_a_whole_window() {
    let mut fixture = Fixture::with_flag("--rate-limit", "3/1s");
    let path = "/api/records/client_client/bulk-upsert";
    let rows: Value =
        (0..20).map(|at| json!({"lookup_value": format!("a{at}@example.com")})).collect();
    until("a window that nobody else has touched", || {
        let answer = fixture.client.post(path, &rows);
        (answer.status == 200).then(|| {
            assert_eq!(answer.expect(200)["counts"]["created"], 20);
            assert_eq!(numbers(&answer, "RateLimit", ["r", "t"])[0], 0, "{answer}");
        })
    });
}

#[test]
fn who_has_no_key_is_not_counted() {
    let mut fixture = Fixture::with_flag("--rate-limit", "1/1h");
    for _ in 0..3 {
        let stranger = Request::new("GET", ME).without("X-API-KEY");
        let answer = fixture.client.send(&stranger);
        answer.expect_error(401, "not_authenticated");
        assert_eq!(answer.header("RateLimit"), None);
        let status = Request::new("GET", "/api/admin/status");
        let status = fixture.client.send(&status.header("X-OPERATOR-KEY", OPERATOR_KEY));
        status.expect(200);
        assert_eq!(status.header("RateLimit"), None);
        fixture.client.get("/healthz").expect(200);
    }
    fixture.client.get(ME).expect(200);
    fixture.client.get(ME).expect_error(429, "throttled");
}

#[test]
fn a_window_that_is_over_is_followed_by_a_full_one() {
    let mut fixture = Fixture::with_flag("--rate-limit", "2/1s");
    let mut refused = 0;
    until("a refusal and then an answer", || {
        let answer = fixture.client.get(ME);
        if answer.status == 429 {
            refused += 1;
            assert_eq!(answer.header("Retry-After"), Some("1"), "{answer}");
        }
        (answer.status == 200 && refused > 0).then(|| {
            assert_eq!(numbers(&answer, "RateLimit", ["r", "t"])[0], 1, "{answer}");
        })
    });
}

#[test]
fn without_the_setting_nobody_is_limited() {
    let mut fixture = Fixture::new();
    let answer = fixture.client.get(ME);
    answer.expect(200);
    assert_eq!((answer.header("RateLimit"), answer.header("RateLimit-Policy")), (None, None));
}
