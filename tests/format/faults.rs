//! An error at every call of the disk, once or from then on: what was acknowledged is there for
//! the next start, and a sync that failed is never believed.

use super::world::{OPTIONS, Truth, live, load};
use rustix::io::Errno;
use upsertd::storage::memory_disk::{Fault, MemoryDisk, Survival};

const FAULTS: [Fault; 5] = [
    Fault::Error(Errno::IO),
    Fault::Error(Errno::NOSPC),
    Fault::ErrorFromNowOn(Errno::ROFS),
    Fault::ErrorFromNowOn(Errno::DQUOT),
    Fault::ShortWrite,
];

#[test]
fn an_error_at_every_call_loses_nothing_acknowledged() {
    const SEED: u64 = 5;
    let mut stopped = 0;
    for fault in FAULTS {
        for call in 1.. {
            let disk = MemoryDisk::new();
            disk.inject(call, fault);
            let mut truth = Truth::new();
            let lived = live(&disk, &mut truth, SEED);
            if disk.calls() < call {
                break;
            }
            stopped += u32::from(lived.is_err());
            let context = format!("seed {SEED}, {fault:?} at call {call}");
            // The next process finds a cache that may show what the device does not have.
            let running = disk.after_kill();
            let first =
                load(&running, OPTIONS).unwrap_or_else(|error| panic!("{context}: {error}"));
            truth.check(&first, &context);
            for survival in [Survival::LoseAll, Survival::Random(call)] {
                let left = running.after_power_cut(survival);
                let context = format!("{context}, then {survival:?}");
                let second =
                    load(&left, OPTIONS).unwrap_or_else(|error| panic!("{context}: {error}"));
                assert_eq!(second.state, first.state, "{context}");
            }
        }
    }
    assert!(stopped > 400, "only {stopped} runs were stopped by their error");
}

#[test]
fn an_error_at_every_call_of_a_start_is_told_and_the_next_start_succeeds() {
    const SEED: u64 = 6;
    let disk = MemoryDisk::new();
    let mut truth = Truth::new();
    live(&disk, &mut truth, SEED).unwrap();
    for fault in FAULTS {
        for call in 1.. {
            let starting = disk.after_power_cut(Survival::KeepAll);
            starting.inject(call, fault);
            let started = load(&starting, OPTIONS)
                .and_then(|mut loaded| loaded.recovered.begin_log().map(|_| loaded));
            let context = format!("seed {SEED}, {fault:?} at call {call}");
            if let Ok(loaded) = &started {
                truth.check(loaded, &context);
            }
            if starting.calls() < call {
                assert!(started.is_ok(), "{context}");
                break;
            }
            let next = starting.after_kill();
            let found = load(&next, OPTIONS).unwrap_or_else(|error| panic!("{context}: {error}"));
            truth.check(&found, &context);
        }
    }
}

#[test]
fn a_start_on_a_full_disk_reads_everything_and_goes_on_when_there_is_room() {
    const SEED: u64 = 7;
    let disk = MemoryDisk::new();
    let mut truth = Truth::new();
    live(&disk, &mut truth, SEED).unwrap();
    disk.set_capacity(Some(0));
    let mut found = load(&disk, OPTIONS).unwrap();
    truth.check(&found, "on a full disk");
    for _ in 0..2 {
        assert!(found.recovered.begin_log().unwrap_err().is_out_of_space());
    }
    disk.set_capacity(None);
    let log = found.recovered.begin_log().unwrap();
    assert_eq!(log.last(), found.recovered.last());
    drop(log);
    truth.check(&load(&disk, OPTIONS).unwrap(), "after it went on");
}
