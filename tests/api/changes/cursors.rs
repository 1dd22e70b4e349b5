//! Cursors: good for ever in their own history, and refused in every other.

use crate::api::changes::{all, each, end, entries, page};
use crate::support::{Fixture, Launch, Request, text, until};
use serde_json::{Value, json};

#[track_caller]
fn expect_expired(fixture: &mut Fixture, object: &str, after: &str) {
    let target = format!("/api/records/{object}/changes?after={after}");
    let answer = fixture.client.get(&target);
    let refused = answer.expect_error(410, "cursor_expired");
    let path = format!("/api/records/{object}/export?format=ndjson");
    assert_eq!(refused["resync"], json!([path]), "{answer}");
}

#[test]
fn a_cursor_survives_a_crash_and_a_snapshot() {
    let mut fixture = Fixture::new();
    fixture.object("accounts");
    for at in 0..10 {
        fixture.create("accounts", &format!("Acme {at}"), &json!({}));
    }
    let before = all(&mut fixture.client, "accounts", "include=record");
    let after = end(&mut fixture.client, "accounts");
    fixture.snapshot();
    let mut fixture = fixture.after_a_crash();
    let again = all(&mut fixture.client, "accounts", "include=record");
    assert_eq!(each(&again, "seq"), each(&before, "seq"));
    assert_eq!(each(&again, "record"), each(&before, "record"));
    for entry in &before {
        let query = format!("after={}&limit=1", text(entry, "cursor"));
        let found = page(&mut fixture.client, "accounts", &query);
        let next = before.iter().find(|next| next["seq"].as_u64() > entry["seq"].as_u64());
        let next: Vec<Value> = next.into_iter().map(|next| next["seq"].clone()).collect();
        assert_eq!(each(entries(&found), "seq"), next);
    }
    fixture.create("accounts", "Globex", &json!({}));
    let found = page(&mut fixture.client, "accounts", &format!("after={after}"));
    assert_eq!(each(entries(&found), "seq"), [json!(12)]);
}

#[test]
fn what_is_no_cursor_is_invalid_and_that_of_another_object_is_expired() {
    let mut fixture = Fixture::new();
    fixture.object("accounts");
    fixture.object("others");
    let other = end(&mut fixture.client, "others");
    for after in ["", "0", "nonsense", "%20", "AAAA", &other[..other.len() - 2]] {
        let target = format!("/api/records/accounts/changes?after={after}");
        let refused = fixture.client.get(&target).expect_error(400, "invalid");
        assert_eq!(refused["errors"][0]["parameter"], "after");
    }
    expect_expired(&mut fixture, "accounts", &other);
    let request = Request::new("GET", "/api/records/accounts/changes");
    let request = request.header("Accept", "text/event-stream").header("Last-Event-ID", &other);
    fixture.send(&request).expect_error(410, "cursor_expired");
}

/// A client that was ahead must not be told that nothing has happened since.
#[test]
fn a_directory_that_was_put_back_refuses_the_cursors_of_the_future() {
    let mut fixture = Fixture::new();
    fixture.object("accounts");
    fixture.create("accounts", "Shared", &json!({}));
    let shared = end(&mut fixture.client, "accounts");
    let (_, launch) = fixture.server.stop();
    let copy = launch.directory().copy();
    let mut fixture = Fixture::of(launch.start());
    fixture.create("accounts", "Lost", &json!({}));
    let lost = end(&mut fixture.client, "accounts");
    drop(fixture);
    let mut fixture = Fixture::of(Launch::on(&copy).start());
    expect_expired(&mut fixture, "accounts", &lost);
    fixture.create("accounts", "Other", &json!({}));
    expect_expired(&mut fixture, "accounts", &lost);
    let found = page(&mut fixture.client, "accounts", &format!("after={shared}"));
    assert_eq!(each(entries(&found), "keys"), [json!({"name": "Other"})]);
}

/// A short retention: entries are refused when they are too old, though they are on the disk.
#[test]
fn what_is_older_than_the_retention_is_not_kept() {
    let mut fixture = Fixture::with_flag("--feed-retention-days", "1s");
    fixture.object("accounts");
    let early = text(&page(&mut fixture.client, "accounts", "limit=1"), "next_cursor").to_owned();
    fixture.create("accounts", "Acme", &json!({}));
    let head = end(&mut fixture.client, "accounts");
    until("the entries to grow old", || {
        let target = format!("/api/records/accounts/changes?after={early}");
        let answer = fixture.client.get(&target);
        (answer.status == 410).then_some(())
    });
    assert_eq!(all(&mut fixture.client, "accounts", ""), [Value::Null; 0], "none is kept");
    let nothing = page(&mut fixture.client, "accounts", &format!("after={head}"));
    assert_eq!(nothing["results"], json!([]), "nothing was missed");
}
