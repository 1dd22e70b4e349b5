//! Rows in and out: single upserts, batches, streams, imports and exports, each on a new data
//! directory and all in turn in each round, so that a noisy minute hits them alike.

use crate::clock::now;
use crate::contact::{HEADER, append_body, append_row, mix};
use crate::error::LoadError;
use crate::machine;
use crate::report::{Figures, figure};
use crate::server::Server;
use crate::settings::Settings;
use crate::stream::{Answer, exchange};
use crate::traffic::{Next, Traffic, send};
use std::cell::RefCell;
use std::fmt::Write;
use std::rc::Rc;
use std::time::{Duration, Instant};
use tokio::task::LocalSet;

/// Rows of one stream and one import.
const ROWS_A_STREAM: u32 = 10_000;
/// Connections that stream or import at once.
const STREAMS: usize = 2;

/// How rows are sent.
#[derive(Clone, Copy)]
enum Door {
    Single {
        connections: usize,
    },
    Batch {
        rows: u32,
        connections: usize,
    },
    /// Newline-delimited JSON, and what it wants to be told.
    Stream {
        query: &'static str,
    },
    Import {
        query: &'static str,
    },
}

const DOORS: [(&str, Door); 6] = [
    ("single upserts, 64 connections", Door::Single { connections: 64 }),
    ("batches of 100, 8 connections", Door::Batch { rows: 100, connections: 8 }),
    ("batches of 1,000, 4 connections", Door::Batch { rows: 1_000, connections: 4 }),
    ("NDJSON, 2 streams, every result", Door::Stream { query: "" }),
    ("NDJSON, 2 streams, only errors", Door::Stream { query: "?results=errors" }),
    ("CSV import, 2 at once, only errors", Door::Import { query: "?results=errors" }),
];

/// The figures of one door.
#[derive(Default)]
struct Row {
    rate: Figures,
    of_single: Figures,
    /// Microseconds of the server's processor for a row.
    processor: Figures,
    /// How much of a core this program used.
    own: Figures,
}

/// What went through a door.
struct Passed {
    rows: u64,
    elapsed: Duration,
}

pub(crate) fn measure(settings: &Settings) -> Result<(), LoadError> {
    let Settings { rounds, seconds, seed, .. } = *settings;
    println!("machine   {}", machine::description());
    println!("settings  rows, half of them new, {rounds} rounds of {seconds} s, seed {seed}");
    let mut rows: Vec<Row> = DOORS.iter().map(|_| Row::default()).collect();
    let mut exports: Vec<Row> = EXPORTS.iter().map(|_| Row::default()).collect();
    for round in 1..=rounds {
        eprintln!("round {round} of {rounds}");
        let mut single = f64::NAN;
        for ((_, door), row) in DOORS.iter().zip(&mut rows) {
            let server = Server::start(settings)?;
            let passed = row.measure(&server, || door.pass(&server, settings))?;
            if matches!(door, Door::Single { .. }) {
                single = rate(&passed);
            }
            row.of_single.push(rate(&passed) / single);
        }
        measure_exports(settings, &mut exports, single)?;
    }
    println!();
    println!("{:38} {:28} {:22} {:18} own cpu", "", "rows/s", "times single", "us/row");
    let names = DOORS.iter().map(|(name, _)| name).chain(EXPORTS.iter().map(|(name, _)| name));
    for (name, row) in names.zip(rows.iter().chain(&exports)) {
        let own = row.own.median();
        println!("{name:38} {:28} {:22} {:18} {own:>6.0}%", row.rate, row.of_single, row.processor);
    }
    Ok(())
}

impl Row {
    fn measure(
        &mut self,
        server: &Server,
        pass: impl FnOnce() -> Result<Passed, LoadError>,
    ) -> Result<Passed, LoadError> {
        let before = machine::processor_time(server.id())?;
        let own = machine::processor_time(std::process::id())?;
        let passed = pass()?;
        let own = machine::processor_time(std::process::id())?.saturating_sub(own);
        let took = machine::processor_time(server.id())?.saturating_sub(before);
        self.rate.push(rate(&passed));
        self.processor.push(took.as_secs_f64() * 1e6 / figure(passed.rows));
        self.own.push(100.0 * own.as_secs_f64() / passed.elapsed.as_secs_f64());
        Ok(passed)
    }
}

fn rate(passed: &Passed) -> f64 {
    figure(passed.rows) / passed.elapsed.as_secs_f64()
}

/// Rows of which every second is new and every other one changes a random earlier contact.
struct Rows {
    turn: u64,
    first_turn: u64,
    created: u32,
}

impl Rows {
    fn new(seed: u64) -> Self {
        Self { turn: seed << 32, first_turn: seed << 32, created: 0 }
    }

    fn next(&mut self) -> (u32, u64) {
        self.turn += 1;
        let creates = (self.turn - self.first_turn) % 2 == 1;
        let number = if creates {
            self.created += 1;
            self.created
        } else {
            let number = 1 + mix(self.turn) % u64::from(self.created);
            u32::try_from(number).expect("it is at most what was created")
        };
        (number, self.turn)
    }
}

impl Door {
    fn pass(self, server: &Server, settings: &Settings) -> Result<Passed, LoadError> {
        let end = now() + Duration::from_secs(settings.seconds);
        let rows = Rows::new(settings.seed);
        match self {
            Self::Single { connections } => {
                let target = server.target();
                let next = in_bodies(rows, end, append);
                let traffic = Traffic { target, connections, next, wanted: "\"action\":\"" };
                requests(traffic, 1)
            }
            Self::Batch { rows: count, connections } => {
                let target = server.target_of("bulk-upsert");
                let next = in_bodies(rows, end, move |rows, body| write_batch(rows, count, body));
                let traffic = Traffic { target, connections, next, wanted: "\"failed\":0" };
                requests(traffic, count)
            }
            Self::Stream { query } => {
                let head = server.head(
                    "POST",
                    &format!("bulk-upsert{query}"),
                    "Content-Type: application/x-ndjson",
                );
                streams(server, head, rows, end, |rows, body| {
                    append(rows, body);
                    body.push(b'\n');
                })
            }
            Self::Import { query } => {
                let head = server.head("POST", &format!("import{query}"), "Content-Type: text/csv");
                streams(server, head, rows, end, |rows, body| {
                    if body.is_empty() {
                        body.extend_from_slice(HEADER.as_bytes());
                    }
                    let (number, turn) = rows.next();
                    append_row(number, turn, body);
                })
            }
        }
    }
}

fn append(rows: &mut Rows, body: &mut Vec<u8>) {
    let (number, turn) = rows.next();
    append_body(number, turn, body);
}

fn write_batch(rows: &mut Rows, count: u32, body: &mut Vec<u8>) {
    body.extend_from_slice(b"{\"records\":[");
    for at in 0..count {
        if at > 0 {
            body.push(b',');
        }
        append(rows, body);
    }
    body.extend_from_slice(b"]}");
}

fn in_bodies(
    mut rows: Rows,
    end: Instant,
    write: impl Fn(&mut Rows, &mut Vec<u8>) + 'static,
) -> Next {
    Box::new(move |body| {
        let at = now();
        (at < end).then(|| {
            body.clear();
            write(&mut rows, body);
            at
        })
    })
}

fn requests(traffic: Traffic, rows: u32) -> Result<Passed, LoadError> {
    let sent = send(vec![traffic])?;
    let sent = sent.first().ok_or(LoadError::Nothing)?;
    Ok(Passed { rows: sent.latencies.len() * u64::from(rows), elapsed: sent.elapsed })
}

/// Streams one after the other on each of the connections until the time is over; all of them are
/// read to their end, and the time goes on until then.
fn streams(
    server: &Server,
    head: Vec<u8>,
    rows: Rows,
    end: Instant,
    write: fn(&mut Rows, &mut Vec<u8>),
) -> Result<Passed, LoadError> {
    let (address, started) = (server.address(), now());
    let rows = Rc::new(RefCell::new(rows));
    let count = in_runtime(async move {
        let stream = |rows: Rc<RefCell<Rows>>, head: Vec<u8>| async move {
            let mut count = 0;
            let mut body = Vec::new();
            while now() < end {
                body.clear();
                for _ in 0..ROWS_A_STREAM {
                    write(&mut rows.borrow_mut(), &mut body);
                }
                let answer = exchange(address, &head, &body).await;
                check(&answer.map_err(LoadError::io("a stream"))?, "\"state\":\"completed\"")?;
                count += u64::from(ROWS_A_STREAM);
            }
            Ok::<u64, LoadError>(count)
        };
        let all =
            (0..STREAMS).map(|_| tokio::task::spawn_local(stream(Rc::clone(&rows), head.clone())));
        let mut count = 0;
        for one in all.collect::<Vec<_>>() {
            count += one.await.map_err(|error| LoadError::io("a stream")(error.into()))??;
        }
        Ok(count)
    })?;
    Ok(Passed { rows: count, elapsed: started.elapsed() })
}

fn check(answer: &Answer, wanted: &str) -> Result<(), LoadError> {
    if answer.status == 200 && answer.ends_with(wanted) {
        return Ok(());
    }
    let request = "a request of the load".to_owned();
    Err(LoadError::Refused { request, status: answer.status, body: answer.end() })
}

/// Runs one future and what it spawns on this thread.
pub(crate) fn in_runtime<T>(
    future: impl Future<Output = Result<T, LoadError>>,
) -> Result<T, LoadError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(LoadError::io("the runtime"))?;
    LocalSet::new().block_on(&runtime, future)
}

const EXPORTS: [(&str, &str); 2] =
    [("export, NDJSON", "export?format=ndjson"), ("export, CSV", "export?format=csv")];
/// How many records are exported.
const EXPORTED: u32 = 200_000;

fn measure_exports(settings: &Settings, rows: &mut [Row], single: f64) -> Result<(), LoadError> {
    let server = Server::start(settings)?;
    fill(&server, EXPORTED)?;
    for ((name, path), row) in EXPORTS.iter().zip(rows) {
        let head = server.head("GET", path, "Accept: */*");
        let passed = row.measure(&server, || {
            let started = now();
            let answer = in_runtime(async {
                let answer = exchange(server.address(), &head, b"").await;
                answer.map_err(LoadError::io(*name))
            })?;
            let lines = answer.lines - u64::from(path.ends_with("csv"));
            if answer.status != 200 || lines != u64::from(EXPORTED) {
                let (status, body) = (answer.status, answer.end());
                return Err(LoadError::Refused { request: (*name).to_owned(), status, body });
            }
            Ok(Passed { rows: lines, elapsed: started.elapsed() })
        })?;
        row.of_single.push(rate(&passed) / single);
    }
    Ok(())
}

/// Fills a server with so many contacts, by streams.
pub(crate) fn fill(server: &Server, records: u32) -> Result<(), LoadError> {
    let head =
        server.head("POST", "bulk-upsert?results=errors", "Content-Type: application/x-ndjson");
    let mut body = Vec::new();
    for number in 1..=records {
        append_body(number, number.into(), &mut body);
        body.push(b'\n');
    }
    let answer = in_runtime(async {
        exchange(server.address(), &head, &body).await.map_err(LoadError::io("the fill"))
    })?;
    let mut wanted = String::new();
    write!(wanted, "\"created\":{records}").expect("a text takes any text");
    check(&answer, &wanted)
}
