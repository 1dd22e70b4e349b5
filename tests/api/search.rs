//! Searches and cursors over the real binary: filters, orders, and paging while others write.

use crate::support::{Fixture, Launch, Request, send_together, text};
use serde_json::{Value, json};
use std::collections::BTreeSet;

const SEARCH: &str = "/api/records/accounts/search";
/// Two chunks of the creation order and a bit.
const RECORDS: usize = 2_100;

/// Accounts `r0` to `r2099`; each has its number, every third a note.
fn accounts() -> Fixture {
    let mut fixture = Fixture::new();
    fixture.object("accounts");
    fixture.text_field("accounts", "note");
    let number = json!({"field_type": "integer", "display_name": "number", "name": "number"});
    fixture.field("accounts", &number);
    for first in (0..RECORDS).step_by(50) {
        write_all(&fixture, (first..first + 50).map(|number| (number, "first")));
    }
    fixture
}

/// Upserts accounts on as many connections as there are.
fn write_all(fixture: &Fixture, numbers: impl Iterator<Item = (usize, &'static str)>) {
    let upserts = numbers.map(|(number, note)| {
        let note = (number % 3 == 0).then_some(note);
        let fields = json!({"number": number, "note": note});
        let body = json!({"lookup_value": format!("r{number}"), "fields": fields});
        let upsert = Request::new("POST", "/api/records/accounts/upsert").json(&body);
        (fixture.server.client(), upsert)
    });
    for answer in send_together(upserts.collect()) {
        answer.expect(200);
    }
}

fn names(page: &Value) -> Vec<&str> {
    let results = page["results"].as_array().unwrap_or_else(|| panic!("no results in {page}"));
    results.iter().map(|row| text(row, "name")).collect()
}

fn next_of(fixture: &Fixture, page: &Value) -> Option<String> {
    let origin = format!("http://{}", fixture.server.address());
    page["next"].as_str().map(|next| next.strip_prefix(&*origin).expect("its own").to_owned())
}

fn noted() -> Value {
    json!({"query": [{"filters": [{"field": "note", "condition": "is_not_blank"}]}]})
}

#[test]
fn a_cursor_meets_every_record_once_while_others_are_written() {
    let mut fixture = accounts();
    for ordering in ["", "number", "-number"] {
        let mut target = format!("{SEARCH}?cursor=&page_size=150&ordering={ordering}");
        let mut met = BTreeSet::new();
        for round in 0.. {
            let page = fixture.client.post(&target, &noted()).expect(200);
            for name in names(&page) {
                assert!(met.insert(name.to_owned()), "{name} was met twice by {ordering:?}");
            }
            // What was met and what is still to come changes; nothing gets another number.
            let changed = (round * 3 % 200..).step_by(97).take(20);
            write_all(&fixture, changed.map(|number| (number, "second")));
            let Some(next) = next_of(&fixture, &page) else { break };
            target = next;
        }
        let expected = (0..RECORDS).step_by(3).map(|number| format!("r{number}"));
        assert_eq!(met, expected.collect(), "{ordering:?}");
    }
}

#[test]
fn a_cursor_goes_on_after_a_crash() {
    let mut fixture = accounts();
    for ordering in ["", "-number"] {
        let target = format!("{SEARCH}?cursor=&page_size=1000&ordering={ordering}");
        let at_once = fixture.client.post(&format!("{target}&strict=true"), &json!({})).expect(200);
        let next = next_of(&fixture, &at_once).expect("there is more");
        let uncrashed = fixture.client.post(&next, &json!({})).expect(200);
        fixture = fixture.after_a_crash();
        let second = fixture.client.post(&next, &json!({})).expect(200);
        assert_eq!(names(&second), names(&uncrashed), "{ordering:?}");
        let met: BTreeSet<_> = names(&at_once).into_iter().chain(names(&second)).collect();
        assert_eq!((met.len(), &second["count"]), (2_000, &json!(RECORDS)));
    }
}

/// What a write acknowledges, the next search finds.
#[test]
fn a_search_sees_every_write_that_was_acknowledged() {
    let mut fixture = Fixture::new();
    fixture.object("accounts");
    fixture.text_field("accounts", "note");
    for round in 0..50 {
        let note = format!("round {round}");
        let body = json!({"lookup_value": "Acme", "fields": {"note": note}});
        fixture.upsert("accounts", &body).expect(200);
        let filter = json!({"query": [{"filters": [
            {"field": "note", "condition": "=", "value": note.to_uppercase()}]}]});
        let page = fixture.client.post(SEARCH, &filter).expect(200);
        assert_eq!(names(&page), ["Acme"], "{round}");
    }
}

#[test]
fn the_longest_time_of_a_search_is_a_setting() {
    let mut fixture = Fixture::with_flag("--search-timeout", "1s");
    fixture.object("accounts");
    fixture.create("accounts", "Acme", &json!({}));
    let page = fixture.client.post(SEARCH, &json!({"search": "acme"})).expect(200);
    assert_eq!(names(&page), ["Acme"]);
    let exit = Launch::new().flag("--search-timeout", "0s").refused();
    exit.expect_code(3).expect_stderr("search-timeout");
}

#[test]
fn a_search_of_an_object_that_is_not_there_is_not_found() {
    let mut fixture = Fixture::new();
    fixture.client.post("/api/records/nothing/search", &json!({})).expect_error(404, "not_found");
    fixture.object("accounts");
    fixture.client.get(SEARCH).expect_error(405, "method_not_allowed");
}
