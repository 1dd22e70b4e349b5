//! Memory and restarts: a server with many records, measured full, then started again from its log
//! and from a snapshot.

use crate::drive::{Limit, Load, drive};
use crate::error::LoadError;
use crate::machine::{self, resident_bytes};
use crate::report::{Figures, figure};
use crate::server::Server;
use crate::settings::{Kind, Settings};
use std::time::Duration;

const CONNECTIONS: usize = 64;

pub(crate) fn measure(settings: &Settings, records: u32) -> Result<(), LoadError> {
    let Settings { seed, rounds, .. } = *settings;
    println!("machine   {}", machine::description());
    println!("settings  {records} records, {rounds} restarts of each kind, seed {seed}");
    let server = Server::start(settings)?;
    let empty = resident_bytes(server.id())?;
    fill(&server, records, seed)?;
    print_memory("full", resident_bytes(server.id())?, empty, records);

    let server = measure_restarts("from the log", server, rounds, records)?;
    print_memory("restarted from the log", resident_bytes(server.id())?, empty, records);
    let bytes = server.snapshot()?;
    println!("snapshot  {} bytes a record", bytes / u64::from(records.max(1)));
    let server = measure_restarts("from a snapshot", server, rounds, records)?;
    print_memory("restarted from a snapshot", resident_bytes(server.id())?, empty, records);
    Ok(())
}

fn fill(server: &Server, records: u32, seed: u64) -> Result<(), LoadError> {
    let limit = Limit::Records(records);
    let load = Load { kind: Kind::Create, connections: CONNECTIONS, seed, limit };
    let before = server.frames_and_events();
    let driven = drive(&server.target(), load)?;
    driven.tally.check()?;
    let seconds = driven.elapsed.as_secs_f64();
    println!(
        "fill      {:.0} records/s on {CONNECTIONS} connections",
        f64::from(records) / seconds
    );
    match (before, server.frames_and_events()) {
        (Some(before), Some(after)) if after.0 > before.0 => {
            let (frames, upserts) = (after.0 - before.0, after.1 - before.1);
            let (rate, group) = (figure(frames) / seconds, figure(upserts) / figure(frames));
            println!("groups    {rate:.0} frames/s, each synced once; {group:.1} upserts a frame");
        }
        _ => println!("groups    this server does not tell frames and events"),
    }
    Ok(())
}

fn print_memory(what: &str, resident: u64, empty: u64, records: u32) {
    let record = resident.saturating_sub(empty) / u64::from(records.max(1));
    println!("memory    {what}: {} MiB resident, {record} bytes a record", resident >> 20);
}

fn measure_restarts(
    what: &str,
    mut server: Server,
    rounds: usize,
    records: u32,
) -> Result<Server, LoadError> {
    let mut seconds = Figures::default();
    for _ in 0..rounds {
        let elapsed: Duration;
        (server, elapsed) = server.restart()?;
        seconds.push(elapsed.as_secs_f64());
    }
    let rate = f64::from(records) / seconds.median();
    println!("restart   {what}: {seconds} s until it listens, {rate:.0} records/s");
    Ok(server)
}
