//! Many clients at once on one name: the promise that there is no race.

use crate::support::{
    Answer, Client, Fixture, Request, Seed, Server, Stopwatch, send_together, text,
};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::Barrier;
use std::thread;
use std::time::Duration;

const CLIENTS: usize = 64;
const WRITES_EACH: usize = 8;

/// One answered upsert and when it was under way.
struct Answered {
    sent_at: Duration,
    received_at: Duration,
    answer: Value,
}

#[test]
fn clients_that_race_on_one_name_make_one_record_with_gapless_versions() {
    let mut fixture = Fixture::new();
    fixture.object("accounts");
    fixture.text_field("accounts", "note");
    let mut seed = Seed::of_this_run("races");
    for name in ["Acme", "Grüße & Söhne", "ｗｉｄｅ"] {
        let answered = write_together(&fixture.server, name, &mut seed);
        assert_eq!(answered.len(), CLIENTS * WRITES_EACH);
        check_one_record(&answered);
        check_versions(&answered);
        let found = fixture.lookup("accounts", name).expect(200);
        let newest = answered.last().expect("there were writes");
        assert_eq!(found["id"], newest.answer["id"]);
        assert_eq!(found["version"], newest.answer["version"]);
    }
    let list = fixture.client.get("/api/records/accounts").expect(200);
    assert_eq!(list["count"], 3, "a second record was made: {list}");
}

/// All answers of all clients, in the order of the versions they report.
fn write_together(server: &Server, name: &str, seed: &mut Seed) -> Vec<Answered> {
    let clients: Vec<(Client, Seed)> =
        (0..CLIENTS).map(|_| (server.client(), seed.fork())).collect();
    let (watch, start) = (Stopwatch::start(), Barrier::new(CLIENTS));
    let start = &start;
    let mut answered: Vec<Answered> = thread::scope(|scope| {
        let threads: Vec<_> = clients
            .into_iter()
            .enumerate()
            .map(|(number, (client, seed))| {
                let writer = Writer { client, seed, number, watch };
                scope.spawn(move || {
                    start.wait();
                    writer.write_all(name)
                })
            })
            .collect();
        threads.into_iter().flat_map(|thread| thread.join().expect("no writer panics")).collect()
    });
    answered.sort_by_key(|answered| answered.answer["version"].as_u64());
    answered
}

/// One of the racing clients.
struct Writer {
    client: Client,
    seed: Seed,
    number: usize,
    watch: Stopwatch,
}

impl Writer {
    /// Each write says something new, so each must count as a change.
    fn write_all(mut self, name: &str) -> Vec<Answered> {
        (0..WRITES_EACH)
            .map(|turn| {
                let spelled = spelled_otherwise(name, &mut self.seed);
                let note = format!("client {} turn {turn}", self.number);
                let body = json!({"lookup_value": spelled, "fields": {"note": note}});
                let sent_at = self.watch.elapsed();
                let answer = self.client.post("/api/records/accounts/upsert", &body).expect(200);
                Answered { sent_at, received_at: self.watch.elapsed(), answer }
            })
            .collect()
    }
}

/// The same name to the server: in another case, or with blanks around.
fn spelled_otherwise(name: &str, seed: &mut Seed) -> String {
    match seed.below(4) {
        0 => name.to_uppercase(),
        1 => name.to_lowercase(),
        2 => format!("  {name}\t"),
        _ => name.to_owned(),
    }
}

fn check_one_record(answered: &[Answered]) {
    let ids: BTreeSet<&str> = answered.iter().map(|it| text(&it.answer, "id")).collect();
    assert_eq!(ids.len(), 1, "one name gave several records");
    let actions = answered.iter().map(|it| text(&it.answer, "action"));
    let (created, updated): (Vec<_>, Vec<_>) = actions.partition(|action| *action == "created");
    assert_eq!(created.len(), 1, "exactly one client may hear that it made the record");
    assert!(updated.iter().all(|action| *action == "updated"), "{updated:?}");
    assert_eq!(answered[0].answer["action"], "created", "the first version is the created one");
}

/// No version twice, none left out, and their order never contradicts real time.
fn check_versions(answered: &[Answered]) {
    let mut latest_sent = Duration::ZERO;
    for (expected, it) in (1_u64..).zip(answered) {
        assert_eq!(it.answer["version"].as_u64(), Some(expected), "{}", it.answer);
        assert!(
            it.received_at >= latest_sent,
            "version {expected} was answered before an older version was asked for"
        );
        latest_sent = latest_sent.max(it.sent_at);
    }
}

/// Sends the same request from every client at once; the answers that accept it, and the others.
fn race(server: &Server, request: &Request) -> (Vec<Answer>, Vec<Answer>) {
    let requests = (0..CLIENTS).map(|_| (server.client(), request.clone())).collect();
    send_together(requests).into_iter().partition(|answer| answer.status < 300)
}

#[test]
fn of_clients_that_add_one_name_one_succeeds() {
    let mut fixture = Fixture::new();
    fixture.object("accounts");
    let body = json!({"fields": {"name": "Acme"}});
    let add = Request::new("POST", "/api/records/accounts/add").json(&body);
    let (added, refused) = race(&fixture.server, &add);
    let [winner] = added.as_slice() else { panic!("{} clients added one name", added.len()) };
    let winner = winner.expect(201);
    for answer in refused {
        let body = answer.expect_error(400, "unique");
        assert_eq!(body["errors"][0]["conflicting_record_id"], winner["id"]);
    }
    assert_eq!(fixture.client.get("/api/records/accounts").expect(200)["count"], 1);
}

#[test]
fn of_records_that_are_renamed_to_one_name_one_gets_it() {
    let mut fixture = Fixture::new();
    fixture.object("accounts");
    let ids: Vec<String> = (0..CLIENTS)
        .map(|number| {
            let record = fixture.create("accounts", &format!("before {number}"), &json!({}));
            text(&record, "id").to_owned()
        })
        .collect();
    let body = json!({"fields": {"name": "the one"}});
    let requests = ids.iter().map(|id| {
        let rename = Request::new("PATCH", &format!("/api/records/accounts/{id}")).json(&body);
        (fixture.server.client(), rename)
    });
    let answers = send_together(requests.collect());
    let renamed: Vec<&Answer> = answers.iter().filter(|answer| answer.status == 200).collect();
    let [winner] = renamed.as_slice() else { panic!("{} records got one name", renamed.len()) };
    let winner = winner.json();
    for answer in answers.iter().filter(|answer| answer.status != 200) {
        answer.expect_error(400, "unique");
    }
    assert_eq!(fixture.lookup("accounts", "the one").expect(200)["id"], winner["id"]);
    let list = fixture.client.get("/api/records/accounts?page_size=1000").expect(200);
    let rows = list["results"].as_array().expect("a page has results");
    let names: BTreeSet<&str> = rows.iter().map(|row| text(row, "name")).collect();
    assert_eq!(names.len(), CLIENTS, "a rename that failed must leave the old name");
}

#[test]
fn of_clients_that_displace_one_archived_record_one_creates() {
    let mut fixture = Fixture::new();
    fixture.object("accounts");
    let archived = fixture.create_archived("accounts", "Acme", &json!({}));
    let body = json!({"lookup_value": "Acme", "oncreate_unarchive": "overwrite"});
    let upsert = Request::new("POST", "/api/records/accounts/upsert").json(&body);
    let (answered, refused) = race(&fixture.server, &upsert);
    assert!(refused.is_empty(), "{}", refused[0]);
    let created = answered.iter().filter(|answer| answer.json()["action"] == "created");
    assert_eq!(created.count(), 1, "only the first finds the archived record");
    let ids: BTreeSet<String> =
        answered.iter().map(|answer| answer.json()["id"].to_string()).collect();
    assert_eq!(ids.len(), 1);
    assert!(!ids.contains(&archived["id"].to_string()), "the archived record must not come back");
}
