//! Exports: all records of an object as of one instant, whoever writes meanwhile.

mod cells;
mod followed;
mod large;
mod lines;
mod rights;

use crate::support::{Answer, Fixture, Request, text};
use serde_json::{Value, json};
use std::collections::BTreeMap;

pub(crate) const EXPORT: &str = "/api/records/accounts/export";

/// An object with a text.
fn accounts() -> Fixture {
    let mut fixture = Fixture::new();
    fixture.object("accounts");
    fixture.text_field("accounts", "note");
    fixture
}

/// The lines of an answer.
pub(crate) fn lines(answer: &Answer) -> Vec<Value> {
    assert_eq!(answer.status, 200, "{answer}");
    assert_eq!(answer.header("Content-Type"), Some("application/x-ndjson"));
    let text = std::str::from_utf8(&answer.body).expect("an answer is UTF-8");
    text.lines().map(|line| serde_json::from_str(line).expect("a line is JSON")).collect()
}

/// The rows of a table.
pub(crate) fn rows(answer: &Answer) -> Vec<String> {
    assert_eq!(answer.status, 200, "{answer}");
    assert_eq!(answer.header("Content-Type"), Some("text/csv; charset=utf-8"));
    let text = std::str::from_utf8(&answer.body).expect("an answer is UTF-8");
    let text = text.strip_suffix("\r\n").expect("a row has an end");
    text.split("\r\n").map(str::to_owned).collect()
}

/// Records by id, and the cursor of the state they are of.
pub(crate) fn by_id(answer: &Answer) -> (BTreeMap<String, Value>, String) {
    let cursor = answer.header("X-Cursor").expect("an export has a cursor").to_owned();
    let records = lines(answer).into_iter();
    (records.map(|record| (text(&record, "id").to_owned(), record)).collect(), cursor)
}

/// Makes many records in one request.
pub(crate) fn fill(fixture: &mut Fixture, count: usize, note: &str) {
    let row =
        |at: usize| json!({"lookup_value": format!("Account {at}"), "fields": {"note": note}});
    let body: Vec<String> = (0..count).map(|at| row(at).to_string()).collect();
    let request = Request::new("POST", "/api/records/accounts/bulk-upsert?results=none");
    let request = request.header("Content-Type", "application/x-ndjson");
    let answer = fixture.send(&request.body(body.join("\n").as_bytes()));
    let summary = &answer.expect(200)["summary"];
    assert_eq!((&summary["state"], &summary["count"]), (&json!("completed"), &json!(count)));
}
