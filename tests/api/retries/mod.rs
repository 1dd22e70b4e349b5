//! Writes that are sent again with an `Idempotency-Key`.

mod kept;
mod lookups;
mod rows;
mod together;

use crate::support::{Answer, Client, Fixture, Request};
use serde_json::{Value, json};

const KEY: &str = "Idempotency-Key";

/// A server with accounts that have a note.
fn accounts() -> Fixture {
    let mut fixture = Fixture::new();
    furnish(&mut fixture);
    fixture
}

fn furnish(fixture: &mut Fixture) {
    fixture.object("accounts");
    fixture.text_field("accounts", "note");
}

fn upsert(key: &str, body: &Value) -> Request {
    Request::new("POST", "/api/records/accounts/upsert").json(body).header(KEY, key)
}

fn noted(name: &str, note: &str) -> Value {
    json!({"lookup_value": name, "fields": {"note": note}})
}

fn is_replayed(answer: &Answer) -> bool {
    let header = answer.header("Idempotent-Replayed");
    assert!(matches!(header, None | Some("true")), "{answer}");
    header.is_some()
}

/// The answer to a request that is carried out.
#[track_caller]
fn first(client: &mut Client, request: &Request, status: u16) -> Answer {
    let answer = client.send(request);
    assert_eq!(answer.status, status, "{answer}");
    assert!(!is_replayed(&answer), "{answer}");
    answer
}

/// The answer to a request that was carried out before.
#[track_caller]
fn again(client: &mut Client, request: &Request, status: u16) -> Answer {
    let answer = client.send(request);
    assert_eq!(answer.status, status, "{answer}");
    assert!(is_replayed(&answer), "{answer}");
    answer
}
