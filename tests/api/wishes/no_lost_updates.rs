//! A slow job must not write back what it has read too long ago.

use crate::support::{Answer, Client, Fixture, Request, field_value, text};
use serde_json::{Value, json};
use std::sync::Barrier;
use std::thread;

const CLIENTS: usize = 16;
const INCREMENTS_EACH: u64 = 6;

fn number(record: &Value) -> u64 {
    field_value(record, "counter").and_then(Value::as_u64).expect("the counter is a number")
}

/// Reads, adds one and writes that back on the version that was read, until it is taken.
fn increment(client: &mut Client, path: &str, by_name: bool) -> u32 {
    let mut refusals = 0;
    loop {
        let read = client.get(path);
        let tag = read.header("ETag").expect("a record has a tag").to_owned();
        let fields = json!({"counter": number(&read.expect(200)) + 1});
        let request = if by_name {
            let body = json!({"lookup_value": "Counter", "fields": fields});
            Request::new("POST", "/api/records/accounts/upsert").json(&body)
        } else {
            Request::new("PATCH", path).json(&json!({"fields": fields}))
        };
        let answer: Answer = client.send(&request.header("If-Match", &tag));
        if answer.status == 200 {
            return refusals;
        }
        answer.expect_error(412, "precondition_failed");
        refusals += 1;
    }
}

#[test]
fn every_increment_counts_once() {
    let mut fixture = Fixture::new();
    fixture.object("accounts");
    let counter = json!({"field_type": "integer", "display_name": "counter", "name": "counter"});
    fixture.field("accounts", &counter);
    let record = fixture.create("accounts", "Counter", &json!({"counter": 0}));
    let path = format!("/api/records/accounts/{}", text(&record, "id"));
    let start = Barrier::new(CLIENTS);
    let (path, start) = (&path, &start);
    let refusals: u32 = thread::scope(|scope| {
        let threads: Vec<_> = (0..CLIENTS)
            .map(|number| {
                let mut client = fixture.server.client();
                scope.spawn(move || {
                    start.wait();
                    let increments =
                        (0..INCREMENTS_EACH).map(|_| increment(&mut client, path, number % 2 == 0));
                    increments.sum::<u32>()
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().expect("no client panics")).sum()
    });
    let total = u64::try_from(CLIENTS).expect("it is small") * INCREMENTS_EACH;
    let mut fixture = fixture.after_a_crash();
    let left = fixture.client.get(path).expect(200);
    assert_eq!((number(&left), &left["version"]), (total, &json!(total + 1)), "{refusals} refused");
}
