//! Rot in files at rest: what can be done without is set aside, everything else stops the start.

use crate::simulation::coverage::{Coverage, Met};
use crate::simulation::crash::{Run, prepared};
use crate::simulation::machine::StartError;
use crate::simulation::scenario::{backed_up, going_on, removing};
use crate::simulation::sim::{Finding, Sim, Step};
use crate::support::Seed;
use upsertd::engine::boot::BootError;
use upsertd::storage::error::StorageError;
use upsertd::storage::memory_disk::{MemoryDisk, Survival};

/// Places of each file that rot.
const FLIPS: usize = 12;

/// Flips a bit of a file somewhere.
pub(crate) fn flip_somewhere(disk: &MemoryDisk, name: &str, seed: &mut Seed) {
    disk.flip_bit(name, seed.below(disk.bytes_of(name).len() * 8));
}

/// Whether there are two snapshots, so that one can be done without.
pub(crate) fn has_two_snapshots(sim: &Sim) -> bool {
    let names = sim.disk.names();
    let is_snapshot = |name: &&String| name.starts_with("snapshot-") && name.ends_with(".upsertd");
    names.iter().filter(is_snapshot).count() >= 2
}

/// Lets the newest snapshot rot: the older one and the log give the same.
pub(crate) fn rot_newest_snapshot(mut seed: Seed) -> Coverage {
    let (run, mut coverage) = (Run::new("rot", &seed), Coverage::default());
    let removed: Vec<Step> = [removing().before, removing().steps].concat();
    for before in [backed_up(), removed] {
        let base = run.expect_nothing("before".to_owned(), || prepared(&before, seed.next()));
        assert!(has_two_snapshots(&base), "two rounds were published");
        let name = base.newest_snapshot().expect("two rounds were published");
        for flip in 0..FLIPS {
            let mut sim = base.fork(base.disk.after_kill());
            flip_somewhere(&sim.disk, &name, &mut seed);
            run.expect_nothing(format!("flip {flip} of {name}"), || go_on(&mut sim));
            coverage.note(Met::Rot);
            coverage.add(&sim.coverage);
        }
    }
    coverage
}

fn go_on(sim: &mut Sim) -> Result<(), Finding> {
    sim.start()?;
    assert!(sim.run(&going_on())?, "the disk is sound");
    let rounds = [Step::BeginRound, Step::EndRound, Step::RemoveUnneeded, Step::Drain];
    assert!(sim.run(&rounds)? && sim.run(&rounds)?, "the disk is sound");
    sim.stop()?;
    let mut again = sim.fork(sim.disk.after_power_cut(Survival::LoseAll));
    again.start()?;
    sim.coverage.add(&again.coverage);
    Ok(())
}

/// Lets the newest frames of a sealed log rot: the seal tells that it is no torn end.
pub(crate) fn rot_sealed_log(mut seed: Seed) -> Coverage {
    let (run, mut coverage) = (Run::new("rot", &seed), Coverage::default());
    let before = [removing().before, vec![Step::Seal]].concat();
    let base = run.expect_nothing("before".to_owned(), || prepared(&before, seed.next()));
    assert!(base.tape.is_seal(base.tape.last()), "the last frame is the seal");
    let segment = newest_segment(&base.disk);
    let frame = last_frame_with_parts(&base);
    for flip in 0..FLIPS {
        let mut sim = base.fork(base.disk.after_kill());
        let bytes = sim.disk.bytes_of(&segment);
        let place = find(&bytes, &frame).expect("the newest segment holds the last frame");
        sim.disk.flip_bit(&segment, place * 8 + seed.below(frame.len() * 8));
        let started = sim.start();
        let is_refused = matches!(
            started,
            Err(Finding::Refused(StartError::Boot(BootError::Storage(StorageError::Damaged(_)))))
        );
        assert!(is_refused, "flip {flip}: {:?}", started.err());
        coverage.note(Met::Rot);
        coverage.note(Met::SealedRotRefused);
    }
    coverage
}

fn newest_segment(disk: &MemoryDisk) -> String {
    let names = disk.names();
    let segments =
        names.into_iter().filter(|it| it.starts_with("log-") && it.ends_with(".upsertd"));
    segments.max().expect("there is a log")
}

fn last_frame_with_parts(sim: &Sim) -> Vec<u8> {
    let mut last = Vec::new();
    sim.tape.each_part(|_, part| {
        last.clear();
        part.encode(&mut last);
    });
    last
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).rposition(|window| window == wanted)
}
