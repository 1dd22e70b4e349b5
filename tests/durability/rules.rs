//! What is compared of a unique value changes while clients write it, and the server is killed: the
//! keys that are there afterwards are those of the rule that is there, and nobody's else.

use crate::durability::Killed;
use crate::support::{Answer, Client, Fixture, Request, Seed, field_value, text, until};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

const CLIENTS: usize = 8;
const RECORDS_EACH: usize = 3;
const ROUNDS: usize = 8;
/// A round ends after so many answered writes, drawn anew for each.
const ANSWERED: std::ops::Range<usize> = 100..400;
/// Few enough that clients meet, in two spellings each.
const CODES: usize = 40;
const FIELD: &str = "/api/custom-objects/accounts/fields/code";

/// A value that was answered, and one that was sent behind it and may be there instead. A blank is
/// null.
#[derive(Clone, Debug, Default)]
struct Known {
    answered: Value,
    sent: Option<Value>,
}

impl Known {
    /// Takes what is read after a crash: one of the two.
    fn settle(&mut self, found: Value) {
        let sent = self.sent.take();
        assert!(found == self.answered || Some(&found) == sent.as_ref(), "{found:?}: {self:?}");
        self.answered = found;
    }
}

struct Writer {
    records: Vec<(String, Known)>,
    seed: Seed,
}

impl Writer {
    fn write_until_error(&mut self, mut client: Client, answered: &AtomicUsize) {
        loop {
            let at = self.seed.below(self.records.len());
            let code = any_code(&mut self.seed);
            let (id, known) = &mut self.records[at];
            known.sent = Some(code.clone());
            let body = json!({"fields": {"code": code}});
            let path = format!("/api/records/accounts/{id}");
            let Ok(answer) = client.try_send(&Request::new("PATCH", &path).json(&body)) else {
                return;
            };
            known.sent = None;
            if is_done(&answer, "unique") {
                known.answered = code;
            }
            answered.fetch_add(1, Ordering::Relaxed);
        }
    }
}

fn any_code(seed: &mut Seed) -> Value {
    let code = format!("code {}", seed.below(CODES));
    match seed.below(5) {
        0 => Value::Null,
        1 | 2 => json!(code),
        _ => json!(code.to_uppercase()),
    }
}

/// Whether it happened; if not, it was refused for the one thing that may be in the way, or because
/// the schema has moved each time that it was read.
fn is_done(answer: &Answer, obstacle: &str) -> bool {
    match answer.status {
        200 => return true,
        503 => drop(answer.expect_error(503, "overloaded")),
        _ => drop(answer.expect_error(400, obstacle)),
    }
    false
}

/// Lets both rules take turns until the server is gone.
fn change_rule_until_error(mut client: Client, known: &mut Known, changed: &AtomicUsize) {
    for rule in ["exact", "casefold"].into_iter().cycle() {
        known.sent = Some(json!(rule));
        let request = Request::new("PATCH", FIELD).json(&json!({"normalizer": rule}));
        let Ok(answer) = client.try_send(&request) else { return };
        known.sent = None;
        if is_done(&answer, "constraint_violated") {
            known.answered = json!(rule);
            changed.fetch_add(1, Ordering::Relaxed);
        }
    }
}

#[test]
fn keys_are_those_of_the_rule_that_a_crash_has_left() {
    let mut seed = Seed::of_this_run("rules");
    let mut fixture = Fixture::new();
    fixture.object("accounts");
    let field = json!({
        "field_type": "text", "display_name": "Code", "name": "code", "is_unique": true,
    });
    fixture.field("accounts", &field);
    let probe = text(&fixture.create("accounts", "Probe", &json!({})), "id").to_owned();
    let mut writers: Vec<Writer> = (0..CLIENTS)
        .map(|client| {
            let mut record = |number: usize| {
                let made = fixture.create("accounts", &format!("{client} {number}"), &json!({}));
                (text(&made, "id").to_owned(), Known::default())
            };
            let records = (0..RECORDS_EACH).map(&mut record).collect();
            Writer { records, seed: seed.fork() }
        })
        .collect();
    let mut rule = Known { answered: json!("casefold"), sent: None };
    let changed = AtomicUsize::new(0);
    for round in 0..ROUNDS {
        let enough = ANSWERED.start + seed.below(ANSWERED.len());
        let answered = &AtomicUsize::new(0);
        thread::scope(|scope| {
            for writer in &mut writers {
                let client = fixture.server.client();
                scope.spawn(move || writer.write_until_error(client, answered));
            }
            let client = fixture.server.client();
            scope.spawn(|| change_rule_until_error(client, &mut rule, &changed));
            let _killed = Killed(&fixture.server);
            until("enough answered writes", || {
                (answered.load(Ordering::Relaxed) >= enough).then_some(())
            });
        });
        let (exit, launch) = fixture.server.ended();
        assert_eq!(exit.code, None, "it was killed: {}", exit.stderr);
        fixture = Fixture::of(launch.start());
        let held = fixture.client.get(FIELD).expect(200);
        rule.settle(held["normalizer"].clone());
        for (id, known) in writers.iter_mut().flat_map(|writer| &mut writer.records) {
            let read = fixture.read("accounts", id).expect(200);
            known.settle(field_value(&read, "code").cloned().unwrap_or_default());
        }
        let records = writers.iter().flat_map(|writer| &writer.records);
        let code = |(id, known): &'_ (String, Known)| {
            known.answered.as_str().map(|code| (code.to_owned(), id.clone()))
        };
        check_keys(
            &mut fixture,
            &probe,
            rule.answered == "exact",
            records.filter_map(code).collect(),
        );
        println!("round {round}: {} changes of the rule", changed.load(Ordering::Relaxed));
    }
    assert!(changed.into_inner() > ROUNDS, "the rule was hardly ever changed");
}

/// No two records have codes that are the same by the rule, and each is found by it: another record
/// is refused whatever is the same, and given whatever is not.
fn check_keys(fixture: &mut Fixture, probe: &str, is_exact: bool, codes: Vec<(String, String)>) {
    let normal = |code: &str| if is_exact { code.to_owned() } else { code.to_lowercase() };
    let mut holders = BTreeMap::new();
    for (code, id) in codes {
        let other = holders.insert(normal(&code), id);
        assert_eq!(other, None, "{code} is held twice");
    }
    for number in 0..CODES {
        let code = format!("code {number}");
        for spelling in [code.to_uppercase(), code] {
            let path = format!("/api/records/accounts/{probe}");
            let body = json!({"fields": {"code": spelling}});
            let answer = fixture.client.patch(&path, &body);
            match holders.get(&normal(&spelling)) {
                None => drop(answer.expect(200)),
                Some(holder) => {
                    let error = answer.expect_error(400, "unique");
                    assert_eq!(error["errors"][0]["conflicting_record_id"], *holder);
                }
            }
        }
    }
    let path = format!("/api/records/accounts/{probe}");
    fixture.client.patch(&path, &json!({"fields": {"code": null}})).expect(200);
}
