//! Exports of many records: one instant of them, and no more than a piece in memory.

use crate::api::exports::{EXPORT, accounts, by_id, fill, lines};
use crate::support::{Answer, Client, Request, text};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read};
use std::net::TcpStream;

/// An export that is read by hand.
struct Slow(BufReader<TcpStream>);

impl Slow {
    /// Reads the head, and nothing of the body.
    fn begin(client: Client) -> Self {
        let stream = client.send_unread(&Request::new("GET", EXPORT)).into_stream();
        let mut reader = BufReader::new(stream);
        let mut line = String::new();
        while line != "\r\n" {
            line.clear();
            reader.read_line(&mut line).expect("a head is text");
        }
        Self(reader)
    }

    /// The records, if the body has an end.
    fn finish(mut self) -> Option<Vec<Value>> {
        let mut body = Vec::new();
        loop {
            let mut length = String::new();
            if self.0.read_line(&mut length).ok()? == 0 {
                return None;
            }
            let length =
                usize::from_str_radix(length.trim_end(), 16).expect("a chunk has a length");
            let start = body.len();
            body.resize(start + length, 0);
            self.0.read_exact(&mut body[start..]).ok()?;
            self.0.read_exact(&mut [0; 2]).ok()?;
            if length == 0 {
                let text = String::from_utf8(body).expect("an answer is UTF-8");
                let line = |line: &str| serde_json::from_str(line).expect("a line is JSON");
                return Some(text.lines().map(line).collect());
            }
        }
    }
}

fn count_of_lines(answer: &Answer) -> usize {
    std::str::from_utf8(&answer.body).expect("an answer is UTF-8").lines().count()
}

#[test]
fn an_export_is_one_instant_whatever_is_written_while_it_is_read() {
    const COUNT: usize = 12_000;
    let mut fixture = accounts();
    // Far more than connections take in unread.
    fill(&mut fixture, COUNT, &"a".repeat(250));
    let first = Slow::begin(fixture.server.client());
    let second = Slow::begin(fixture.server.client());
    fill(&mut fixture, COUNT + 100, "b");
    let ids: Vec<String> = ["Account 11999", "Account 11000"]
        .iter()
        .map(|name| text(&fixture.lookup("accounts", name).expect(200), "id").to_owned())
        .collect();
    for id in &ids {
        fixture.archive("accounts", id);
    }
    let purge = format!("/api/records/accounts/{}?purge=true", ids[0]);
    fixture.client.delete(&purge).expect_empty(204);
    fixture.client.delete("/api/custom-objects/accounts/fields/note").expect_empty(204);
    for slow in [second, first] {
        let found = slow.finish().expect("it is read to its end");
        assert_eq!(found.len(), COUNT);
        let is_old = |line: &Value| {
            line["fields"]["note"].as_str().is_some_and(|note| note.len() == 250)
                && line["version"] == 1
        };
        assert!(found.iter().all(is_old), "no later change is in it");
    }
    let now = lines(&fixture.client.get(EXPORT));
    assert_eq!(now.len(), COUNT + 98);
    assert!(now.iter().all(|line| line["fields"].get("note").is_none()));
}

#[test]
fn memory_does_not_grow_with_what_is_exported() {
    const COUNT: usize = 60_000;
    let mut fixture = accounts();
    fill(&mut fixture, COUNT, &"a".repeat(250));
    let before = fixture.server.resident_bytes();
    let answer = fixture.client.get(EXPORT);
    assert_eq!(count_of_lines(&answer), COUNT);
    assert!(answer.body.len() > 40 << 20, "{}", answer.body.len());
    let grown = fixture.server.resident_bytes().saturating_sub(before);
    assert!(grown < 16 << 20, "{grown} bytes more after {}", answer.body.len());
}

#[test]
fn a_reader_that_leaves_holds_nothing_back() {
    let mut fixture = accounts();
    fill(&mut fixture, 12_000, &"a".repeat(250));
    for _ in 0..70 {
        // More than may be open at once: each ends with its connection.
        drop(Slow::begin(fixture.server.client()));
    }
    let answer = crate::support::until("an export", || {
        let answer = fixture.client.get(EXPORT);
        (answer.status == 200).then_some(answer)
    });
    assert_eq!(by_id(&answer).0.len(), 12_000);
    let body = json!({"lookup_value": "Acme"});
    fixture.upsert("accounts", &body).expect(200);
}
