//! Streams with offsets, the server killed under them, each taken up where it broke: every row is
//! applied exactly once.

use crate::support::{Client, Fixture, Launch, Request, Seed, text, until};
use rustix::process::Signal;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read as _, Write};
use std::thread;

const STREAMS: usize = 4;
const ROUNDS: usize = 6;
/// More than a round has time for.
const ROWS: u64 = 20_000;
/// A round ends when so many rows were answered, drawn anew for each.
const ANSWERED: std::ops::Range<usize> = 200..3_000;

/// Every third row of a stream fails, and every fifth changes nothing; the others each make a
/// version of the stream's own record.
fn row(stream: usize, offset: u64) -> Value {
    let note = if offset.is_multiple_of(5) { offset.saturating_sub(1) } else { offset };
    let field = if offset.is_multiple_of(3) { "no_such" } else { "note" };
    let mut fields = json!({});
    fields[field] = json!(note_before(note).to_string());
    json!({"offset": offset, "lookup_value": format!("a{stream}"), "fields": fields})
}

/// The note that a row writes: one that changes nothing writes that of the last row that did.
fn note_before(offset: u64) -> u64 {
    (0..=offset).rev().find(|at| changes(*at)).unwrap_or(offset)
}

fn changes(offset: u64) -> bool {
    !offset.is_multiple_of(3) && !offset.is_multiple_of(5)
}

fn path(stream: usize) -> String {
    format!("/api/records/accounts/streams/s{stream}")
}

/// Where a stream goes on.
fn next_offset(client: &mut Client, stream: usize) -> u64 {
    let answer = client.get(&path(stream));
    if answer.status == 404 {
        return 0;
    }
    answer.expect(200)["next_offset"].as_u64().expect("it is a number")
}

/// Sends a stream from where it goes on, until the server is gone; counts what is answered.
fn send(client: Client, stream: usize, from: u64, answered: &std::sync::atomic::AtomicUsize) {
    let target = format!("/api/records/accounts/bulk-upsert?stream_id=s{stream}");
    let request = Request::new("POST", &target)
        .header("Content-Type", "application/x-ndjson")
        .header("Transfer-Encoding", "chunked");
    let reading = client.send_unread(&request).into_stream();
    let mut writing = reading.try_clone().expect("a socket has two ends");
    thread::scope(|scope| {
        scope.spawn(move || {
            for first in (from..from + ROWS).step_by(50) {
                let lines: String =
                    (first..first + 50).map(|at| row(stream, at).to_string() + "\n").collect();
                let chunk = format!("{:x}\r\n{lines}\r\n", lines.len());
                if writing.write_all(chunk.as_bytes()).is_err() {
                    return;
                }
            }
        });
        let mut reader = BufReader::new(reading);
        let mut line = String::new();
        while reader.read_line(&mut line).is_ok_and(|read| read > 0) {
            if line.starts_with('{') {
                answered.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            }
            line.clear();
        }
        // Nothing is left to read: the server is gone.
        drop(reader.into_inner().read(&mut [0; 1]));
    });
}

/// The record has one version of each row that changes something, and the stream counts them.
fn check(client: &mut Client, stream: usize) -> u64 {
    let next = next_offset(client, stream);
    if next == 0 {
        return 0;
    }
    let applied = (0..next).filter(|offset| changes(*offset)).count() as u64;
    let lookup = format!("/api/records/accounts/lookup?identifier=a{stream}");
    let found = client.get(&lookup).expect(200);
    assert_eq!(found["version"], json!(applied), "{next} of {found}");
    let told = client.get(&path(stream)).expect(200);
    let count = |word: &str| told["counts"][word].as_u64().expect("it is counted");
    assert_eq!(count("created") + count("updated"), applied, "{told}");
    assert!(changes(next - 1), "the last row that is known to be done has changed something");
    assert!(text(&told, "updated").contains('T'));
    next
}

#[test]
fn every_row_is_applied_once_whatever_is_killed() {
    let mut seed = Seed::of_this_run("resumed_streams");
    let launch = Launch::new().flag("--snapshot-log-bytes", "256KiB");
    let mut fixture = Fixture::of(launch.flag("--segment-bytes", "1MiB").start());
    fixture.object("accounts");
    fixture.text_field("accounts", "note");
    let mut reached = vec![0; STREAMS];
    for _ in 0..ROUNDS {
        let enough = ANSWERED.start + seed.below(ANSWERED.len());
        let answered = &std::sync::atomic::AtomicUsize::new(0);
        let server = &fixture.server;
        let from: Vec<u64> =
            (0..STREAMS).map(|stream| next_offset(&mut server.client(), stream)).collect();
        thread::scope(|scope| {
            for (stream, from) in from.into_iter().enumerate() {
                let client = server.client();
                scope.spawn(move || send(client, stream, from, answered));
            }
            until("enough answered rows", || {
                (answered.load(std::sync::atomic::Ordering::Relaxed) >= enough).then_some(())
            });
            server.signal(Signal::KILL);
        });
        let (exit, launch) = fixture.server.ended();
        assert_eq!(exit.code, None, "it was killed: {}", exit.stderr);
        fixture = Fixture::of(launch.start());
        for (stream, reached) in reached.iter_mut().enumerate() {
            let next = check(&mut fixture.client, stream);
            assert!(next >= *reached, "a stream never goes back");
            *reached = next;
        }
    }
    assert!(reached.iter().all(|next| *next > 0), "{reached:?}");
}
