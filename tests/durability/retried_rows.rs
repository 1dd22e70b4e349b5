//! Rows with keys, the server killed under them, each sent again until it has a result: every row
//! has one effect.

use crate::support::{Client, Fixture, Request, Seed, text, until};
use rustix::process::Signal;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

const CLIENTS: usize = 6;
const ROUNDS: usize = 5;
/// Rows of one request.
const ROWS: usize = 150;
/// A round ends after so many answered requests, drawn anew for each.
const ANSWERED: std::ops::Range<usize> = 4..40;

/// One client with a record of its own, which every row of it changes: so the record's version is
/// the number of rows that were carried out.
struct Sender {
    name: String,
    /// Rows that were sent, and of them those that have a result.
    sent: usize,
    results: BTreeMap<usize, Value>,
}

impl Sender {
    /// The next request: rows without a result, in their order, and new ones behind them.
    fn next(&mut self) -> Vec<usize> {
        let open = (0..self.sent).filter(|row| !self.results.contains_key(row));
        let open: Vec<usize> = open.chain(self.sent..).take(ROWS).collect();
        self.sent = self.sent.max(open.last().map_or(0, |last| last + 1));
        open
    }

    fn request(&self, rows: &[usize]) -> Request {
        let row = |row: &usize| {
            json!({
                "lookup_value": self.name, "fields": {"note": row.to_string()},
                "idempotency_key": format!("{} {row}", self.name),
            })
        };
        let request = Request::new("POST", "/api/records/accounts/bulk-upsert");
        // As a batch, an atomic one, or a stream, in turn.
        let rows: Vec<Value> = rows.iter().map(row).collect();
        match self.results.len() / ROWS % 3 {
            0 => request.json(&json!(rows)),
            1 => request.json(&json!({"atomic": true, "records": rows})),
            _ => {
                let lines: Vec<String> = rows.iter().map(Value::to_string).collect();
                let request = request.header("Content-Type", "application/x-ndjson");
                request.body(lines.join("\n").as_bytes())
            }
        }
    }

    fn take(&mut self, rows: &[usize], body: &[u8]) {
        let text = std::str::from_utf8(body).expect("an answer is UTF-8");
        let results: Vec<Value> = match serde_json::from_str::<Value>(text) {
            Ok(answer) => answer["results"].as_array().expect("there are results").clone(),
            Err(_) => text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect(),
        };
        for (row, result) in rows.iter().zip(results) {
            assert!(
                ["created", "updated"].contains(&result["action"].as_str().unwrap_or_default()),
                "{result}"
            );
            self.results.insert(*row, result);
        }
    }

    fn send_until_error(&mut self, mut client: Client, answered: &AtomicUsize) {
        loop {
            let rows = self.next();
            let Ok(answer) = client.try_send(&self.request(&rows)) else { return };
            self.take(&rows, &answer.body);
            answered.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Sends what has no result once more, and checks that each row was carried out once.
    fn settle(&mut self, client: &mut Client) {
        while self.results.len() < self.sent {
            let open: Vec<usize> =
                (0..self.sent).filter(|row| !self.results.contains_key(row)).collect();
            let answer = client.send(&self.request(&open));
            self.take(&open, &answer.body);
        }
        let path = format!("/api/records/accounts/lookup?identifier={}", self.name);
        let found = client.get(&path).expect(200);
        assert_eq!(found["version"], json!(self.sent), "{found}");
        let mut versions: Vec<_> =
            self.results.values().map(|result| result["version"].as_u64()).collect();
        versions.sort_unstable();
        let expected: Vec<_> = (1..=self.sent as u64).map(Some).collect();
        assert_eq!(versions, expected, "each row has made one version");
        assert!(
            self.results.values().all(|result| result["id"] == found["id"]),
            "{}",
            text(&found, "id")
        );
    }
}

#[test]
fn every_row_has_one_effect_whatever_is_killed() {
    let mut seed = Seed::of_this_run("retried_rows");
    let mut fixture = Fixture::new();
    fixture.object("accounts");
    fixture.text_field("accounts", "note");
    let mut senders: Vec<_> = (0..CLIENTS)
        .map(|at| Sender { name: format!("a{at}"), sent: 0, results: BTreeMap::new() })
        .collect();
    for _ in 0..ROUNDS {
        let enough = ANSWERED.start + seed.below(ANSWERED.len());
        let answered = &AtomicUsize::new(0);
        let server = &fixture.server;
        thread::scope(|scope| {
            for sender in &mut senders {
                let client = server.client();
                scope.spawn(move || sender.send_until_error(client, answered));
            }
            until("enough answered requests", || {
                (answered.load(Ordering::Relaxed) >= enough).then_some(())
            });
            server.signal(Signal::KILL);
        });
        let (exit, launch) = fixture.server.ended();
        assert_eq!(exit.code, None, "it was killed: {}", exit.stderr);
        fixture = Fixture::of(launch.start());
        for sender in &mut senders {
            sender.settle(&mut fixture.client);
        }
    }
}
