//! Long lives of many crashes, each started from what the one before has left.

use super::world::{OPTIONS, Random, Stopped, Truth, live, load};
use upsertd::storage::memory_disk::{Fault, MemoryDisk, Survival};

const CRASHES: u64 = 8;

/// One life: live until something happens, crash, go on from what is left.
fn check_life(seed: u64) {
    let mut random = Random::new(seed);
    let mut disk = MemoryDisk::new();
    let mut truth = Truth::new();
    for crash in 0..CRASHES {
        let call = 1 + random.below(400);
        let fault = match random.below(4) {
            0 => Fault::Error(rustix::io::Errno::IO),
            1 => Fault::ShortWrite,
            _ => Fault::PowerCut,
        };
        disk.inject(call, fault);
        match live(&disk, &mut truth, random.next()) {
            Ok(()) | Err(Stopped) => {}
        }
        let survival = match random.below(6) {
            0 => Survival::KeepAll,
            1 => Survival::LoseAll,
            _ => Survival::Random(random.next()),
        };
        // Sometimes the process is started again on the same machine, and that is cut in turn.
        if random.below(3) == 0 {
            let running = disk.after_kill();
            let context = format!("seed {seed}, killed after crash {crash}");
            let found =
                load(&running, OPTIONS).unwrap_or_else(|error| panic!("{context}: {error}"));
            truth.check(&found, &context);
            truth.acknowledged = found.recovered.last();
            disk = running;
        }
        disk = disk.after_power_cut(survival);
    }
    let context = format!("seed {seed}, at the end");
    let found = load(&disk, OPTIONS).unwrap_or_else(|error| panic!("{context}: {error}"));
    truth.check(&found, &context);
}

#[test]
fn any_life_of_crashes_keeps_every_acknowledged_frame() {
    for seed in 0..150 {
        check_life(seed);
    }
}
