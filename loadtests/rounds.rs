//! Upserts against the ceiling and the disk: rounds that measure all three in turn, so that a noisy
//! minute hits them alike.

use crate::disk::sync_latency;
use crate::drive::{Driven, Limit, Load, drive};
use crate::error::LoadError;
use crate::report::{Figures, figure};
use crate::server::Server;
use crate::settings::Settings;
use crate::{ceiling, machine};
use std::collections::BTreeMap;
use std::time::Duration;

/// The figures of one number of connections.
#[derive(Default)]
struct Row {
    upserts: Figures,
    ceiling: Figures,
    of_ceiling: Figures,
    p50: Figures,
    p99: Figures,
    own_processor: Figures,
    server_processor: Figures,
    group: Figures,
}

/// What one sync costs, in microseconds.
#[derive(Default)]
struct Disk {
    p50: Figures,
    p99: Figures,
}

struct Measured {
    rows: Vec<(usize, Row)>,
    disk: Disk,
    answers: BTreeMap<(u16, String), u64>,
}

pub(crate) fn measure(settings: &Settings) -> Result<(), LoadError> {
    let bytes = Server::start(settings)?.probe()?;
    describe(settings, bytes);
    let rows = settings.connections.iter().map(|connections| (*connections, Row::default()));
    let mut measured =
        Measured { rows: rows.collect(), disk: Disk::default(), answers: BTreeMap::new() };
    for round in 1..=settings.rounds {
        eprintln!("round {round} of {}", settings.rounds);
        measured.round(settings, bytes.1)?;
    }
    measured.print();
    Ok(())
}

fn describe(settings: &Settings, (body_bytes, answer_bytes): (usize, usize)) {
    let Settings { seconds, seed, rounds, http_workers, .. } = settings;
    println!("machine   {}", machine::description());
    println!("settings  {:?}, {rounds} rounds of {seconds} s, seed {seed}", settings.kind);
    println!("both      {http_workers} HTTP workers, {body_bytes} B in, {answer_bytes} B out");
}

impl Measured {
    fn round(&mut self, settings: &Settings, answer_bytes: usize) -> Result<(), LoadError> {
        for (connections, row) in &mut self.rows {
            let limit = Limit::Time(Duration::from_secs(settings.seconds));
            let Settings { kind, seed, .. } = *settings;
            let load = Load { kind, connections: *connections, seed, limit };
            let (process, target) = ceiling::start(settings, answer_bytes)?;
            let ceiling = drive(&target, load)?;
            ceiling.tally.check()?;
            drop(process);
            // A new directory each time: a server that has more records is another one.
            let server = Server::start(settings)?;
            self.disk.measure(&server)?;
            let before = server.frames_and_events();
            let driven = drive(&server.target(), load)?;
            driven.tally.check()?;
            driven.tally.add_to(&mut self.answers);
            row.add(&driven, &ceiling);
            if let (Some(before), Some(after)) = (before, server.frames_and_events())
                && after.0 > before.0
            {
                row.group.push(figure(after.1 - before.1) / figure(after.0 - before.0));
            }
        }
        Ok(())
    }

    fn print(&self) {
        let Disk { p50, p99 } = &self.disk;
        println!("disk      append of 256 B and fdatasync, us: p50 {p50}, p99 {p99}");
        println!();
        println!(
            "conns  {:24} {:26} {:20} {:20} {:22} own cpu  us/upsert  group",
            "upserts/s", "ceiling/s", "% of ceiling", "p50 us", "p99 us"
        );
        for (connections, row) in &self.rows {
            let group =
                if row.group.is_empty() { "not told".to_owned() } else { row.group.to_string() };
            println!(
                "{connections:>5}  {:24} {:26} {:20} {:20} {:22} {:>6.0}%  {:>9.1}  {group}",
                row.upserts,
                row.ceiling,
                row.of_ceiling,
                row.p50,
                row.p99,
                row.own_processor.median(),
                row.server_processor.median(),
            );
        }
        println!();
        for ((status, action), count) in &self.answers {
            println!("answers   {status} {action}: {count}");
        }
        if let Some((1, row)) = self.rows.first() {
            let over = row.p50.median() - p50.median();
            println!("p50 at 1 connection is {over:.0} us over one sync");
        }
    }
}

impl Disk {
    fn measure(&mut self, server: &Server) -> Result<(), LoadError> {
        let latencies = sync_latency(server.directory())?;
        self.p50.push(figure(latencies.value_at_quantile(0.5)) / 1e3);
        self.p99.push(figure(latencies.value_at_quantile(0.99)) / 1e3);
        Ok(())
    }
}

impl Row {
    fn add(&mut self, driven: &Driven, ceiling: &Driven) {
        let upserts = rate(driven);
        self.upserts.push(upserts);
        self.ceiling.push(rate(ceiling));
        self.of_ceiling.push(100.0 * upserts / rate(ceiling));
        let latencies = &driven.tally.latencies;
        self.p50.push(figure(latencies.value_at_quantile(0.5)) / 1e3);
        self.p99.push(figure(latencies.value_at_quantile(0.99)) / 1e3);
        let elapsed = driven.elapsed.as_secs_f64();
        self.own_processor.push(100.0 * driven.own_processor.as_secs_f64() / elapsed);
        let server = driven.target_processor.as_secs_f64() * 1e6;
        self.server_processor.push(server / figure(latencies.len()));
    }
}

fn rate(driven: &Driven) -> f64 {
    figure(driven.tally.latencies.len()) / driven.elapsed.as_secs_f64()
}
