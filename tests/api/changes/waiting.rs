//! Long polls and streams: told as soon as something has happened, and ended with the server.

use crate::api::changes::{each, end, entries, page};
use crate::support::{Client, Fixture, Request, Server, text, until};
use rustix::process::Signal;
use serde_json::{Value, json};
use std::thread;

pub(super) fn changes(query: &str) -> Request {
    Request::new("GET", &format!("/api/records/accounts/changes?{query}"))
}

pub(super) fn subscribers(client: &mut Client) -> u64 {
    let answer = client.send(&Request::new("GET", "/metrics"));
    let text = String::from_utf8(answer.body.clone()).expect("metrics are text");
    let line = text.lines().find_map(|line| line.strip_prefix("upsertd_feed_subscribers "));
    line.expect("the family is there").parse().expect("a count")
}

/// Waits until so many wait for changes.
fn until_heard(server: &Server, count: u64) {
    let mut client = server.client();
    until("the subscribers", || (subscribers(&mut client) == count).then_some(()));
}

#[test]
fn a_long_poll_is_answered_by_the_change_it_waits_for() {
    let mut fixture = Fixture::new();
    fixture.object("accounts");
    let after = end(&mut fixture.client, "accounts");
    let readers: Vec<_> = (0..20)
        .map(|_| {
            let (mut client, after) = (fixture.server.client(), after.clone());
            thread::spawn(move || {
                client.send(&changes(&format!("after={after}&wait=60"))).expect(200)
            })
        })
        .collect();
    until_heard(&fixture.server, 20);
    let made = fixture.create("accounts", "Acme", &json!({}));
    for reader in readers {
        let page = reader.join().expect("no reader panics");
        assert_eq!(each(entries(&page), "id"), [made["id"].clone()]);
        assert_eq!(page["has_more"], false);
    }
    until_heard(&fixture.server, 0);
}

#[test]
fn a_wait_is_for_what_is_wanted_and_ends_empty() {
    let mut fixture = Fixture::new();
    fixture.object("accounts");
    let after = end(&mut fixture.client, "accounts");
    let mut client = fixture.server.client();
    let query = format!("after={after}&wait=60&actions=archived");
    let reader = thread::spawn(move || client.send(&changes(&query)).expect(200));
    until_heard(&fixture.server, 1);
    let made = fixture.create("accounts", "Acme", &json!({}));
    fixture.archive("accounts", text(&made, "id"));
    let page = reader.join().expect("the reader does not panic");
    assert_eq!(each(entries(&page), "action"), [json!("archived")]);
    let after = text(&page, "next_cursor");
    let nothing = self::page(&mut fixture.client, "accounts", &format!("after={after}&wait=1"));
    assert_eq!(nothing["results"], json!([]));
}

#[test]
fn a_stream_brings_each_entry_and_resumes_behind_the_last() {
    let mut fixture = Fixture::new();
    fixture.object("accounts");
    let mut events = fixture.server.client().events(changes(""));
    let first = events.next().expect("the object was made");
    assert_eq!((&*first.name, &first.data["seq"]), ("schema", &json!(1)));
    assert_eq!(first.id, text(&first.data, "cursor"));
    for at in 0..5 {
        fixture.create("accounts", &format!("Acme {at}"), &json!({}));
    }
    let made: Vec<_> = (0..3).filter_map(|_| events.next()).collect();
    let numbers: Vec<_> = made.iter().map(|event| event.data["seq"].clone()).collect();
    assert_eq!(numbers, [2, 3, 4].map(Value::from));
    drop(events);
    let resumed = changes("after=now").header("Last-Event-ID", &made[2].id);
    let mut events = fixture.server.client().events(resumed);
    let next = events.next().expect("there are more");
    assert_eq!((&*next.name, &next.data["seq"]), ("created", &json!(5)));
}

#[test]
fn a_server_that_stops_ends_those_who_wait() {
    let mut fixture = Fixture::new();
    fixture.object("accounts");
    let after = end(&mut fixture.client, "accounts");
    let mut events = fixture.server.client().events(changes("after=now"));
    let mut client = fixture.server.client();
    let query = format!("after={after}&wait=60");
    let poll = thread::spawn(move || client.send(&changes(&query)).expect(200));
    until_heard(&fixture.server, 2);
    fixture.server.signal(Signal::TERM);
    assert!(events.next().is_none(), "the stream ends in order");
    let page = poll.join().expect("the reader does not panic");
    assert_eq!(page["results"], json!([]));
    assert_eq!(page["next_cursor"].as_str().map(str::len), Some(after.len()));
    let (exit, _) = fixture.server.ended();
    assert_eq!(exit.code, Some(0), "{}", exit.stderr);
    assert!(!exit.stderr.contains("cut off"), "{}", exit.stderr);
}

#[test]
fn a_key_that_is_revoked_ends_its_stream() {
    let mut fixture = Fixture::new();
    fixture.object("accounts");
    let member = fixture.client.get("/api/team").expect(200)[0]["id"].clone();
    let body = json!({"name": "feed", "member_id": member});
    let key = fixture.client.post("/api/api-keys", &body).expect(201);
    let request = changes("after=now").header("X-API-KEY", text(&key, "secret"));
    let mut events = fixture.server.client().events(request);
    until_heard(&fixture.server, 1);
    fixture.client.delete(&format!("/api/api-keys/{}", text(&key, "id"))).expect_empty(204);
    fixture.create("accounts", "Acme", &json!({}));
    assert!(events.next().is_none(), "nothing is told to a key that is revoked");
}
