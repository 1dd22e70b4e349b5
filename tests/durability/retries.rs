//! Writes with an `Idempotency-Key`, the server killed under them, each sent again until it is
//! answered: one effect and one answer.

use crate::support::{Client, Fixture, Launch, Request, Seed, Server, text, until};
use rustix::process::Signal;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

const CLIENTS: usize = 24;
const ROUNDS: usize = 8;
/// A round ends after so many answered writes, drawn anew for each.
const ANSWERED: std::ops::Range<usize> = 50..400;
/// Answers of earlier rounds that a client asks for again after each kill.
const ASKED_AGAIN: usize = 5;

/// What a write makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Role,
    Contact,
    Activity,
}

impl Kind {
    const ALL: [(Self, &'static str); 3] = [
        (Self::Role, "/api/role"),
        (Self::Contact, "/api/records/client_client"),
        (Self::Activity, "/api/activities/scheduled-activity"),
    ];

    /// A business may have 500 roles.
    fn of(number: usize) -> Self {
        match number % 20 {
            0 => Self::Role,
            rest if rest % 2 == 0 => Self::Contact,
            _ => Self::Activity,
        }
    }
}

/// What one client has written: nothing but its key keeps a write from being done twice.
struct Writer {
    number: usize,
    /// By the number of the write, its answer; none while it is unknown.
    written: BTreeMap<usize, Option<Value>>,
    seed: Seed,
}

impl Writer {
    /// The write of this number. Contacts without an e-mail have nothing that must be unique, and
    /// neither have roles.
    fn request(&self, number: usize) -> Request {
        let name = format!("c{}w{number}", self.number);
        let (path, body) = match Kind::of(number) {
            Kind::Role => ("/api/role", json!({"name": name})),
            Kind::Contact => {
                ("/api/records/client_client/add", json!({"fields": {"first_name": name}}))
            }
            Kind::Activity => {
                let task = json!({"activity_object_name": "task", "note": name, "due_datetime": "2030-01-01"});
                ("/api/activities/scheduled-activity", task)
            }
        };
        Request::new("POST", path).json(&body).header("Idempotency-Key", &name)
    }

    fn write_until_error(&mut self, mut client: Client, answered: &AtomicUsize) {
        loop {
            let number = self.written.len();
            self.written.insert(number, None);
            let Ok(answer) = client.try_send(&self.request(number)) else { return };
            self.written.insert(number, Some(answer.expect(201)));
            answered.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Sends what was not answered until it is, and some of the rest once more.
    fn settle(&mut self, client: &mut Client) {
        let count = self.written.len();
        let unknown: Vec<usize> =
            self.written.iter().filter(|(_, it)| it.is_none()).map(|(number, _)| *number).collect();
        for number in unknown {
            let request = self.request(number);
            let answer = until("an answer", || {
                let answer = client.send(&request);
                (answer.status != 409).then_some(answer)
            });
            self.written.insert(number, Some(answer.expect(201)));
        }
        for _ in 0..ASKED_AGAIN.min(count) {
            let number = self.seed.below(count);
            let answer = client.send(&self.request(number));
            assert_eq!(answer.header("Idempotent-Replayed"), Some("true"), "{answer}");
            assert_eq!(Some(answer.expect(201)), self.written[&number], "{number}");
        }
    }
}

#[test]
fn whatever_is_killed_a_write_that_is_sent_again_has_one_effect() {
    let mut seed = Seed::of_this_run("retries");
    let launch = Launch::new().flag("--snapshot-log-bytes", "256KiB");
    let mut server = launch.flag("--segment-bytes", "1MiB").start();
    let writer = |number| Writer { number, written: BTreeMap::new(), seed: seed.fork() };
    let mut writers: Vec<Writer> = (0..CLIENTS).map(writer).collect();
    for _ in 0..ROUNDS {
        write_until_killed(&mut writers, &server, &mut seed);
        let (exit, launch) = server.ended();
        assert_eq!(exit.code, None, "it was killed, not ended: {}", exit.stderr);
        server = launch.start();
        let mut client = server.client();
        for writer in &mut writers {
            writer.settle(&mut client);
        }
        check_all(&writers, &mut client);
    }
}

fn write_until_killed(writers: &mut [Writer], server: &Server, seed: &mut Seed) {
    let enough = ANSWERED.start + seed.below(ANSWERED.len());
    let answered = &AtomicUsize::new(0);
    thread::scope(|scope| {
        for writer in writers {
            let client = server.client();
            scope.spawn(move || writer.write_until_error(client, answered));
        }
        until("enough answered writes", || {
            (answered.load(Ordering::Relaxed) >= enough).then_some(())
        });
        server.signal(Signal::KILL);
    });
}

/// What there is, is exactly what was answered.
fn check_all(writers: &[Writer], client: &mut Client) {
    let answers = || writers.iter().flat_map(|writer| &writer.written);
    for (kind, path) in Kind::ALL {
        let of_kind = answers().filter(|(number, _)| Kind::of(**number) == kind);
        let id =
            |answer: &Option<Value>| text(answer.as_ref().expect("it is settled"), "id").to_owned();
        let mut known: BTreeSet<String> = of_kind.map(|(_, answer)| id(answer)).collect();
        let mut found = listed(client, path);
        if kind == Kind::Role {
            // The role that every business begins with.
            let first = client.get(path).expect(200)["results"][0].clone();
            known.insert(text(&first, "id").to_owned());
        }
        assert_eq!(found.len(), known.len(), "{path}");
        found.retain(|id| !known.contains(id));
        assert!(found.is_empty(), "{path}: nobody was told of {found:?}");
    }
}

fn listed(client: &mut Client, path: &str) -> BTreeSet<String> {
    let mut ids = BTreeSet::new();
    for page in 1.. {
        let answer = client.get(&format!("{path}?page_size=1000&page={page}")).expect(200);
        for row in answer["results"].as_array().expect("a page has results") {
            assert!(ids.insert(text(row, "id").to_owned()), "{row} is listed twice");
        }
        if answer["next"].is_null() {
            break;
        }
    }
    ids
}

/// Far more than are under way at once.
const DEALS: usize = 400;
/// Kills that may come too late before one has to meet a write half done.
const CUTS_MAX: usize = 40;

/// A company is made, and then each deal is led to it by a commit of its own.
#[test]
fn a_record_that_was_made_with_half_of_its_mirror_is_completed_and_not_made_again() {
    let mut fixture = Fixture::new();
    for name in ["companies", "deals"] {
        fixture.object(name);
    }
    let relation = json!({
        "related_object": "companies", "related_name": "deals", "relation_type": "primary",
    });
    let field =
        json!({"field_type": "relationship", "display_name": "Company", "relation": relation});
    let field = fixture.field("deals", &field);
    let mirror = text(&field["relation"]["related_field"], "id").to_owned();
    let deals: Vec<String> = (0..DEALS)
        .map(|at| {
            text(&fixture.create("deals", &format!("Deal {at}"), &json!({})), "id").to_owned()
        })
        .collect();
    for round in 0..CUTS_MAX {
        let name = format!("Company {round}");
        let body = json!({"fields": {"name": name, "deals": deals}});
        let request = Request::new("POST", "/api/records/companies/add").json(&body);
        let request = request.header("Idempotency-Key", &name);
        cut(&fixture, &name, &request);
        let (exit, launch) = fixture.server.ended();
        assert_eq!(exit.code, None, "it was killed: {}", exit.stderr);
        fixture = Fixture::of(launch.start());
        let before = fixture.lookup("companies", &name).expect(200);
        let moved = count(&mut fixture.client, text(&before, "id"), &mirror);
        let made = fixture.client.send(&request);
        assert_eq!(made.header("Idempotent-Replayed"), Some("true"), "{made}");
        let made = made.expect(201);
        assert_eq!((&made["id"], &made["action"]), (&before["id"], &json!("created")));
        assert_eq!(count(&mut fixture.client, text(&made, "id"), &mirror), DEALS as u64);
        check_completed(&mut fixture, &request, &made, &mirror, &deals[0]);
        println!("round {round}: {moved} of {DEALS} led there when the server was killed");
        if (1..DEALS as u64).contains(&moved) {
            return;
        }
    }
    panic!("no kill has met a write half done");
}

/// A completed write is answered from then on, and carries nothing out any more.
fn check_completed(
    fixture: &mut Fixture,
    request: &Request,
    made: &Value,
    mirror: &str,
    deal: &str,
) {
    let away = json!({"fields": {"company": null}});
    fixture.client.patch(&format!("/api/records/deals/{deal}"), &away).expect(200);
    let again = fixture.client.send(request);
    assert_eq!(again.header("Idempotent-Replayed"), Some("true"), "{again}");
    assert_eq!(again.expect(201)["id"], made["id"]);
    assert_eq!(count(&mut fixture.client, text(made, "id"), mirror), DEALS as u64 - 1);
}

/// Kills the server when the company is seen.
fn cut(fixture: &Fixture, name: &str, request: &Request) {
    let (mut writer, mut reader) = (fixture.server.client(), fixture.server.client());
    let lookup = format!("/api/records/companies/lookup?identifier={}", name.replace(' ', "%20"));
    thread::scope(|scope| {
        scope.spawn(|| drop(writer.try_send(request)));
        until("the company", || (reader.get(&lookup).status == 200).then_some(()));
        fixture.server.signal(Signal::KILL);
    });
}

fn count(client: &mut Client, company: &str, mirror: &str) -> u64 {
    let path = format!("/api/records/{company}/field-values/{mirror}?page_size=1");
    client.get(&path).expect(200)["count"].as_u64().expect("a page has a count")
}
