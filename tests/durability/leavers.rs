//! Members are deleted while clients give them records, and the server is killed: who is gone owns
//! nothing, has no key, and does not come back.

use crate::durability::Killed;
use crate::support::{Client, Fixture, Request, Seed, field_value, text, until};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

const CLIENTS: usize = 6;
const RECORDS_EACH: usize = 3;
const ROUNDS: usize = 6;
/// A round ends after so many answered writes, drawn anew for each.
const ANSWERED: std::ops::Range<usize> = 100..300;
/// Members who are there at once, at most.
const STAFF: usize = 5;

/// What is known of a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Here,
    /// It was asked for, and nobody has answered.
    Leaving,
    Gone,
}

/// Everybody who ever had a key, and what became of them.
#[derive(Default)]
struct Staff(Mutex<BTreeMap<String, Fate>>);

impl Staff {
    fn set(&self, member: &str, fate: Fate) {
        self.0.lock().expect("nobody panics with it").insert(member.to_owned(), fate);
    }

    fn all(&self) -> Vec<(String, Fate)> {
        let held = self.0.lock().expect("nobody panics with it");
        held.iter().map(|(member, fate)| (member.clone(), *fate)).collect()
    }

    fn of(&self, fate: Fate) -> Vec<String> {
        let all = self.all().into_iter();
        all.filter(|(_, held)| *held == fate).map(|(member, _)| member).collect()
    }
}

/// A record's helper: the one who was answered last, and one who was sent behind that.
#[derive(Default)]
struct Helped {
    id: String,
    answered: Option<String>,
    sent: Option<String>,
}

struct Writer {
    records: Vec<Helped>,
    seed: Seed,
}

impl Writer {
    fn write_until_error(&mut self, mut client: Client, staff: &Staff, answered: &AtomicUsize) {
        loop {
            let at = self.seed.below(self.records.len());
            // Whoever is leaving may be given a record until it has left, and never after that.
            let all = staff.all();
            let (member, _) = all[self.seed.below(all.len())].clone();
            let was_gone = all.contains(&(member.clone(), Fate::Gone));
            let record = &mut self.records[at];
            record.sent = Some(member.clone());
            let path = format!("/api/records/accounts/{}", record.id);
            let body = json!({"fields": {"helper": member}});
            let Ok(answer) = client.try_send(&Request::new("PATCH", &path).json(&body)) else {
                return;
            };
            record.sent = None;
            if answer.status == 200 {
                assert!(!was_gone, "{member} was gone, and got a record: {answer}");
                record.answered = Some(member);
            } else {
                answer.expect_error(400, "does_not_exist");
            }
            answered.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// A member with a key whose secret is the member's id.
fn hire(client: &mut Client, staff: &Staff, number: usize) -> std::io::Result<()> {
    let body = json!({"email": format!("m{number}@example.com")});
    let made = client.try_send(&Request::new("POST", "/api/team").json(&body))?.expect(201);
    let member = text(&made, "id").to_owned();
    let key = json!({"name": "key", "member_id": member, "secret": secret(&member)});
    let made = client.try_send(&Request::new("POST", "/api/api-keys").json(&key));
    // Whose key may not be there is nobody's: it is left alone from now on.
    if made?.status == 201 {
        staff.set(&member, Fate::Here);
    }
    Ok(())
}

fn secret(member: &str) -> String {
    format!("a-secret-of-{member}")
}

/// Lets members come and go until the server is gone.
fn staff_until_error(mut client: Client, staff: &Staff, hired: &mut usize, seed: &mut Seed) {
    loop {
        let here = staff.of(Fate::Here);
        if here.len() < STAFF {
            *hired += 1;
            if hire(&mut client, staff, *hired).is_err() {
                return;
            }
            continue;
        }
        let leaver = &here[seed.below(here.len())];
        staff.set(leaver, Fate::Leaving);
        let request = Request::new("DELETE", &format!("/api/team/{leaver}"));
        let Ok(answer) = client.try_send(&request) else { return };
        answer.expect_empty(204);
        staff.set(leaver, Fate::Gone);
    }
}

#[test]
fn who_was_deleted_stays_gone_over_crashes() {
    let mut seed = Seed::of_this_run("leavers");
    let mut fixture = Fixture::new();
    fixture.object("accounts");
    let field = json!({"field_type": "team_selector", "display_name": "Helper", "name": "helper"});
    fixture.field("accounts", &field);
    let (staff, mut hired) = (Staff::default(), 1);
    hire(&mut fixture.client, &staff, hired).expect("the server runs");
    let mut writers: Vec<Writer> = (0..CLIENTS)
        .map(|client| {
            let mut record = |number: usize| {
                let made = fixture.create("accounts", &format!("{client} {number}"), &json!({}));
                Helped { id: text(&made, "id").to_owned(), ..Helped::default() }
            };
            let records = (0..RECORDS_EACH).map(&mut record).collect();
            Writer { records, seed: seed.fork() }
        })
        .collect();
    for round in 0..ROUNDS {
        let enough = ANSWERED.start + seed.below(ANSWERED.len());
        let (answered, staff, mut chance) = (&AtomicUsize::new(0), &staff, seed.fork());
        thread::scope(|scope| {
            for writer in &mut writers {
                let client = fixture.server.client();
                scope.spawn(move || writer.write_until_error(client, staff, answered));
            }
            let client = fixture.server.client();
            scope.spawn(|| staff_until_error(client, staff, &mut hired, &mut chance));
            let _killed = Killed(&fixture.server);
            until("enough answered writes", || {
                (answered.load(Ordering::Relaxed) >= enough).then_some(())
            });
        });
        let (exit, launch) = fixture.server.ended();
        assert_eq!(exit.code, None, "it was killed: {}", exit.stderr);
        fixture = Fixture::of(launch.start());
        settle(&mut fixture, staff);
        let here: BTreeSet<String> = staff.of(Fate::Here).into_iter().collect();
        for record in writers.iter_mut().flat_map(|writer| &mut writer.records) {
            check_record(&mut fixture, record, &here);
        }
        println!("round {round}: {} members are gone", staff.of(Fate::Gone).len());
    }
    assert!(staff.of(Fate::Gone).len() > ROUNDS, "hardly anybody has left");
}

/// Who was answered to be gone is gone, with the key; who was leaving is one or the other.
fn settle(fixture: &mut Fixture, staff: &Staff) {
    for (member, fate) in staff.all() {
        let found = fixture.client.get(&format!("/api/team/{member}")).status;
        let expected: &[u16] = match fate {
            Fate::Here => &[200],
            Fate::Leaving => &[200, 404],
            Fate::Gone => &[404],
        };
        assert!(expected.contains(&found), "{member} is {fate:?}, and answers {found}");
        let is_here = found == 200;
        staff.set(&member, if is_here { Fate::Here } else { Fate::Gone });
        let mut credentials = fixture.server.credentials();
        credentials.api_key = secret(&member);
        credentials.user_id.clone_from(&member);
        let mut own = Client::new(fixture.server.address(), &credentials);
        assert_eq!(own.get("/api/team").status == 401, !is_here, "{member}'s key");
    }
}

/// A record reads the helper who was answered last, or sent behind that, if it is there.
fn check_record(fixture: &mut Fixture, record: &mut Helped, here: &BTreeSet<String>) {
    let read = fixture.read("accounts", &record.id).expect(200);
    let found = field_value(&read, "helper").map(|helper: &Value| text(helper, "id").to_owned());
    let reads = |member: &Option<String>| member.clone().filter(|it| here.contains(it));
    let sent = record.sent.take();
    let is_due = found == reads(&record.answered) || (sent.is_some() && found == reads(&sent));
    assert!(is_due, "{read} instead of {:?} or {sent:?}", record.answered);
    if found.is_some() {
        record.answered = found;
    }
}
