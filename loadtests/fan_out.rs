//! The change feed and many readers, who read events as the server sends them: how fast they catch
//! up with what is there, and how late each hears of what is written while they listen.

use crate::bulk::{fill, in_runtime};
use crate::clock::now;
use crate::contact::write_body;
use crate::error::LoadError;
use crate::exchange::Connection;
use crate::machine::{self, resident_bytes};
use crate::report::{Figures, figure};
use crate::server::Server;
use crate::settings::Settings;
use crate::stream::{Reading, begin};
use crate::tally::{histogram, nanoseconds};
use hdrhistogram::Histogram;
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::{Duration, Instant};

const READERS: [usize; 3] = [1, 100, 1_000];
/// Entries that are there when readers come to catch up.
const BACKLOG: u32 = 100_000;
/// Entries that all readers of one figure catch up with together, at most.
const CAUGHT_UP: usize = 500_000;
/// Upserts a second while readers listen.
const UPSERTS: u32 = 100;

/// The figures of so many readers.
#[derive(Default)]
struct Row {
    caught_up: Figures,
    caught_up_processor: Figures,
    p50: Figures,
    p99: Figures,
    processor: Figures,
    /// What the listening readers together add to the server's memory, in KiB for each.
    memory: Figures,
}

pub(crate) fn measure(settings: &Settings) -> Result<(), LoadError> {
    let Settings { rounds, seconds, .. } = *settings;
    println!("machine   {}", machine::description());
    println!(
        "settings  {rounds} rounds; {BACKLOG} entries to catch up with; {UPSERTS} upserts/s for \
         {seconds} s to listen to"
    );
    let server = Server::start(settings)?;
    fill(&server, BACKLOG)?;
    let mut rows = READERS.map(|readers| (readers, Row::default()));
    let mut turn = u64::from(BACKLOG);
    for round in 1..=rounds {
        eprintln!("round {round} of {rounds}");
        for (readers, row) in &mut rows {
            row.catch_up(&server, *readers)?;
            row.listen(&server, *readers, settings, &mut turn)?;
        }
    }
    println!();
    println!(
        "{:>7}  {:28} {:18} {:20} {:20} {:18} KiB/reader",
        "readers", "catching up, entries/s", "us/entry", "late by p50 ms", "p99 ms", "us/delivery"
    );
    for (readers, row) in &rows {
        println!(
            "{readers:>7}  {:28} {:18} {:20} {:20} {:18} {}",
            row.caught_up, row.caught_up_processor, row.p50, row.p99, row.processor, row.memory
        );
    }
    Ok(())
}

/// How many events begin in a piece of a stream: lines that begin with an `i` are their ids.
#[derive(Default)]
struct Events {
    is_within_line: bool,
}

impl Events {
    fn count(&mut self, piece: &[u8]) -> usize {
        let begins = |at: usize| piece.get(at).is_some_and(|byte| *byte == b'i');
        let first = usize::from(!self.is_within_line && begins(0));
        self.is_within_line = piece.last().map_or(self.is_within_line, |last| *last != b'\n');
        first + memchr::memchr_iter(b'\n', piece).filter(|at| begins(at + 1)).count()
    }
}

async fn open(server: &Server, readers: usize, after: &str) -> Result<Vec<Reading>, LoadError> {
    let head = server.head("GET", &format!("changes{after}"), "Accept: text/event-stream");
    let mut open = Vec::with_capacity(readers);
    for _ in 0..readers {
        let begun = begin(server.address(), &head).await.map_err(LoadError::io("a reader"))?;
        let (reading, writing) = begun;
        if reading.status() != 200 {
            let (request, status) = ("a reader of the feed".to_owned(), reading.status());
            return Err(LoadError::Refused { request, status, body: String::new() });
        }
        // The connection must not be closed from this side.
        writing.forget();
        open.push(reading);
    }
    Ok(open)
}

impl Row {
    /// All readers read from the beginning, as many entries each.
    fn catch_up(&mut self, server: &Server, readers: usize) -> Result<(), LoadError> {
        let backlog = usize::try_from(BACKLOG).expect("it fits");
        let each = (CAUGHT_UP / readers).min(backlog);
        let before = machine::processor_time(server.id())?;
        let started = now();
        in_runtime(async {
            let mut tasks = Vec::new();
            for mut reading in open(server, readers, "").await? {
                tasks.push(tokio::task::spawn_local(async move {
                    let (mut events, mut seen) = (Events::default(), 0);
                    while seen < each {
                        let mut count = |piece: &[u8]| seen += events.count(piece);
                        let read = reading.read_some(&mut count).await;
                        read.map_err(LoadError::io("a reader"))?;
                    }
                    Ok::<(), LoadError>(())
                }));
            }
            for task in tasks {
                task.await.map_err(|error| LoadError::io("a reader")(error.into()))??;
            }
            Ok(())
        })?;
        let elapsed = started.elapsed();
        let took = machine::processor_time(server.id())?.saturating_sub(before);
        let entries = figure(u64::try_from(each * readers).expect("a count fits 64 bits"));
        self.caught_up.push(entries / elapsed.as_secs_f64());
        self.caught_up_processor.push(took.as_secs_f64() * 1e6 / entries);
        Ok(())
    }

    /// All readers listen while records are upserted at a rate; each delivery is as late as it comes
    /// behind the time when its upsert was due.
    fn listen(
        &mut self,
        server: &Server,
        readers: usize,
        settings: &Settings,
        turn: &mut u64,
    ) -> Result<(), LoadError> {
        let wanted = UPSERTS * u32::try_from(settings.seconds).expect("a run is short");
        let resident = resident_bytes(server.id())?;
        let late = Rc::new(RefCell::new(histogram()));
        let (before, after, full) = in_runtime(async {
            let open = open(server, readers, "?after=now").await?;
            let before = machine::processor_time(server.id())?;
            let start = now() + Duration::from_millis(100);
            let mut tasks = Vec::new();
            for reading in open {
                let listening = listen(reading, start, wanted, Rc::clone(&late));
                tasks.push(tokio::task::spawn_local(listening));
            }
            upsert(server, start, wanted, turn).await?;
            let full = resident_bytes(server.id())?;
            for task in tasks {
                task.await.map_err(|error| LoadError::io("a reader")(error.into()))??;
            }
            Ok((before, machine::processor_time(server.id())?, full))
        })?;
        let late = late.borrow();
        self.p50.push(figure(late.value_at_quantile(0.5)) / 1e6);
        self.p99.push(figure(late.value_at_quantile(0.99)) / 1e6);
        let took = after.saturating_sub(before).as_secs_f64();
        self.processor.push(took * 1e6 / figure(late.len()));
        let readers = u64::try_from(readers).expect("a count fits 64 bits");
        self.memory.push(figure(full.saturating_sub(resident)) / 1024.0 / figure(readers));
        Ok(())
    }
}

async fn listen(
    mut reading: Reading,
    start: Instant,
    wanted: u32,
    late: Rc<RefCell<Histogram<u64>>>,
) -> Result<(), LoadError> {
    let (mut events, seen) = (Events::default(), Cell::new(0_u32));
    while seen.get() < wanted {
        let mut record = |piece: &[u8]| {
            let at = now();
            for _ in 0..events.count(piece) {
                let due = start + Duration::from_secs(1) * seen.get() / UPSERTS;
                late.borrow_mut().saturating_record(nanoseconds(at.saturating_duration_since(due)));
                seen.set(seen.get() + 1);
            }
        };
        if !reading.read_some(&mut record).await.map_err(LoadError::io("a reader"))? {
            return Err(LoadError::Nothing);
        }
    }
    Ok(())
}

async fn upsert(
    server: &Server,
    start: Instant,
    wanted: u32,
    turn: &mut u64,
) -> Result<(), LoadError> {
    let target = server.target();
    let connection = Connection::open(target.address).await;
    let mut connection = connection.map_err(LoadError::io("a connection"))?;
    let mut body = Vec::new();
    for at in 0..wanted {
        tokio::time::sleep_until((start + Duration::from_secs(1) * at / UPSERTS).into()).await;
        *turn += 1;
        write_body(1 + at % BACKLOG, *turn, &mut body);
        let reply = connection.exchange(&target.head, &body).await;
        let reply = reply.map_err(LoadError::io("an upsert"))?;
        if reply.status != 200 {
            let body = String::from_utf8_lossy(reply.body).into_owned();
            let request = "an upsert".to_owned();
            return Err(LoadError::Refused { request, status: reply.status, body });
        }
    }
    Ok(())
}
