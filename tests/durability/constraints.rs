//! Values that are unique together, while the server is killed under load again and again.

use crate::support::{Client, Fixture, Request, Seed, text, until};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

const CLIENTS: usize = 16;
const ROUNDS: usize = 6;
/// A round ends after so many answered writes, drawn anew for each.
const ANSWERED: std::ops::Range<usize> = 60..300;
/// Few countries and numbers, so that they meet all the time.
const COUNTRIES: [&str; 3] = ["DE", "de", "FR"];
const NUMBERS: usize = 4;

#[test]
fn values_stay_unique_together_over_kills_under_load() {
    let mut seed = Seed::of_this_run("constraints");
    let mut fixture = Fixture::new();
    fixture.object("firms");
    fixture.text_field("firms", "country");
    let number = json!({"field_type": "integer", "display_name": "Number", "name": "number"});
    fixture.field("firms", &number);
    let list = json!({"unique_constraints": [["country", "number"]]});
    fixture.client.patch("/api/custom-objects/firms", &list).expect(200);
    let (mut refused, mut held) = (0, 0);
    for round in 0..ROUNDS {
        refused += write_until_killed(&fixture, &mut seed);
        let (exit, launch) = fixture.server.ended();
        assert_eq!(exit.code, None, "it was killed, not ended: {}", exit.stderr);
        fixture = Fixture::of(launch.start());
        if round % 3 == 2 {
            fixture.snapshot();
        }
        held = check(&mut fixture.client);
    }
    assert!(refused > ROUNDS && held > 2, "{refused} refused, {held} held: nothing met");
    // What is free is free, and what is held is held.
    let fields = json!({"country": "IT", "number": 1});
    fixture.create("firms", "the first", &fields);
    let body = json!({"lookup_value": "the second", "fields": fields});
    fixture.upsert("firms", &body).expect_error(400, "unique");
}

/// Lets all clients write, kills the server among them, and counts the writes that were refused.
fn write_until_killed(fixture: &Fixture, seed: &mut Seed) -> usize {
    let enough = ANSWERED.start + seed.below(ANSWERED.len());
    let (answered, refused) = (&AtomicUsize::new(0), &AtomicUsize::new(0));
    thread::scope(|scope| {
        for number in 0..CLIENTS {
            let (mut client, mut seed) = (fixture.server.client(), seed.fork());
            scope.spawn(move || {
                while let Some(is_refused) = write(&mut client, number, &mut seed) {
                    answered.fetch_add(1, Ordering::Relaxed);
                    refused.fetch_add(usize::from(is_refused), Ordering::Relaxed);
                }
            });
        }
        until("enough answered writes", || {
            (answered.load(Ordering::Relaxed) >= enough).then_some(())
        });
        fixture.server.signal(rustix::process::Signal::KILL);
    });
    refused.load(Ordering::Relaxed)
}

/// One write to one of the client's own records: whether it was refused; none where nobody
/// answers any more.
fn write(client: &mut Client, number: usize, seed: &mut Seed) -> Option<bool> {
    let name = format!("{number} of {}", seed.below(3));
    let request = if seed.below(5) == 0 {
        let name = name.replace(' ', "%20");
        let target = format!("/api/records/firms/lookup?identifier={name}");
        let found = client.try_send(&Request::new("GET", &target)).ok()?;
        if found.status == 404 {
            return Some(false);
        }
        let found = found.expect(200);
        Request::new("DELETE", &format!("/api/records/firms/{}", text(&found, "id")))
    } else {
        let country = COUNTRIES[seed.below(COUNTRIES.len())];
        let fields = json!({"country": country, "number": seed.below(NUMBERS)});
        let body = json!({
            "lookup_value": name, "fields": fields, "oncreate_unarchive": "unarchive",
        });
        Request::new("POST", "/api/records/firms/upsert").json(&body)
    };
    let answer = client.try_send(&request).ok()?;
    match answer.status {
        200 | 204 => Some(false),
        _ => {
            answer.expect_error(400, "unique");
            Some(true)
        }
    }
}

/// No two live records have the same values together. How many have any.
fn check(client: &mut Client) -> usize {
    let page = client.get("/api/records/firms?page_size=1000").expect(200);
    let mut holders: BTreeMap<(String, String), Value> = BTreeMap::new();
    for row in page["results"].as_array().expect("a page") {
        let value = |name: &str| {
            let fields = row["fields"].as_object().expect("fields");
            fields.values().find(|field| field["name"] == name).map(|it| it["value"].clone())
        };
        let (Some(country), Some(number)) = (value("country"), value("number")) else { continue };
        let country = country.as_str().expect("a text").to_lowercase();
        let other = holders.insert((country, number.to_string()), row["id"].clone());
        assert_eq!(other, None, "{row} has what another has");
    }
    holders.len()
}
