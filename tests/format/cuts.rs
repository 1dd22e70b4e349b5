//! A power cut at every call of the disk, with every way in which unsynced changes may survive.

use super::world::{Loaded, OPTIONS, READ_ONLY, Truth, live, load};
use upsertd::storage::memory_disk::{Fault, MemoryDisk, Survival};

const EXTREMES: [Survival; 4] =
    [Survival::KeepAll, Survival::LoseAll, Survival::NamesOnly, Survival::ContentsOnly];

fn calls_of_a_life(seed: u64) -> u64 {
    let disk = MemoryDisk::new();
    live(&disk, &mut Truth::new(), seed).unwrap();
    disk.calls()
}

/// Lives until the power goes at a call.
fn cut_life(seed: u64, call: u64) -> (MemoryDisk, Truth) {
    let disk = MemoryDisk::new();
    disk.inject(call, Fault::PowerCut);
    let mut truth = Truth::new();
    live(&disk, &mut truth, seed).unwrap_err();
    (disk, truth)
}

/// How often a recovery went each of its ways: a simulation that never gets there proves nothing.
#[derive(Debug, Default)]
struct Reached {
    new: u32,
    log_alone: u32,
    snapshot: u32,
    torn: u32,
    leftovers: u32,
    gap: u32,
    trimmed: u32,
}

impl Reached {
    fn note(&mut self, found: &Loaded) {
        let report = found.recovered.report();
        self.new += u32::from(report.is_new);
        self.log_alone += u32::from(!report.is_new && report.snapshot.is_none());
        self.snapshot += u32::from(report.snapshot.is_some());
        self.torn += u32::from(report.torn.is_some());
        let is_leftover = |name: &String| name.starts_with("upsertd-");
        self.leftovers += u32::from(report.removed.iter().any(is_leftover));
        let first = found.recovered.reader().segments().first().map_or(1, |first| first.first.0);
        self.trimmed += u32::from(first > 1);
    }

    fn note_started(&mut self, found: &Loaded) {
        let removed = &found.recovered.report().removed;
        self.gap += u32::from(removed.iter().any(|name| name.starts_with("log-")));
    }
}

#[test]
fn a_cut_at_every_call_keeps_every_acknowledged_frame() {
    const SEED: u64 = 1;
    let calls = calls_of_a_life(SEED);
    assert!(calls > 300, "{calls} calls are too few to prove anything");
    let mut reached = Reached::default();
    for call in 1..=calls {
        let (disk, truth) = cut_life(SEED, call);
        let random = (0..3).map(|number| Survival::Random(call * 1000 + number));
        for survival in EXTREMES.into_iter().chain(random) {
            let context = format!("seed {SEED}, cut at call {call}, {survival:?}");
            let left = disk.after_power_cut(survival);
            let mut found =
                load(&left, OPTIONS).unwrap_or_else(|error| panic!("{context}: {error}"));
            truth.check(&found, &context);
            reached.note(&found);
            found.recovered.begin_log().unwrap();
            reached.note_started(&found);
            let again =
                load(&left, OPTIONS).unwrap_or_else(|error| panic!("{context}, again: {error}"));
            assert_eq!(again.state, found.state, "{context}, again");
            assert!(again.recovered.report().torn.is_none(), "{context}: it is told once");
        }
    }
    let Reached { new, log_alone, snapshot, torn, leftovers, gap, trimmed } = reached;
    let least = [new, log_alone, snapshot, torn, leftovers, gap, trimmed].into_iter().min();
    assert!(least > Some(0), "{reached:?}");
}

#[test]
fn what_a_start_has_shown_survives_the_next_cut() {
    const SEED: u64 = 2;
    for call in 1..=calls_of_a_life(SEED) {
        let (disk, truth) = cut_life(SEED, call);
        // The process was killed while the machine ran on: what it wrote is in the cache only.
        let running = disk.after_kill();
        let context = format!("seed {SEED}, killed at call {call}");
        let mut first =
            load(&running, OPTIONS).unwrap_or_else(|error| panic!("{context}: {error}"));
        truth.check(&first, &context);
        let check_second = |when: &str| {
            for survival in [Survival::LoseAll, Survival::Random(call)] {
                let context = format!("{context}, cut {when}, {survival:?}");
                let left = running.after_power_cut(survival);
                let second =
                    load(&left, OPTIONS).unwrap_or_else(|error| panic!("{context}: {error}"));
                assert_eq!(second.state, first.state, "{context}");
                assert_eq!(second.recovered.last(), first.recovered.last(), "{context}");
            }
        };
        check_second("after the replay");
        first.recovered.begin_log().unwrap();
        let left = running.after_power_cut(Survival::LoseAll);
        let second = load(&left, OPTIONS).unwrap();
        assert_eq!(second.state, first.state, "{context}, cut after the log went on");
    }
}

#[test]
fn a_cut_at_every_call_of_a_start_changes_nothing() {
    const SEED: u64 = 3;
    let calls = calls_of_a_life(SEED);
    for call in (1..=calls).step_by(17) {
        let (disk, truth) = cut_life(SEED, call);
        let survival = Survival::Random(call);
        let mut at = 0;
        loop {
            at += 1;
            let starting = disk.after_power_cut(survival);
            starting.inject(at, Fault::PowerCut);
            let started = load(&starting, OPTIONS)
                .and_then(|mut loaded| loaded.recovered.begin_log().map(|_| ()));
            for second in EXTREMES.into_iter().chain([Survival::Random(at)]) {
                let context = format!("seed {SEED}, cut at {call}, start cut at {at}, {second:?}");
                let left = starting.after_power_cut(second);
                let found =
                    load(&left, OPTIONS).unwrap_or_else(|error| panic!("{context}: {error}"));
                truth.check(&found, &context);
            }
            if started.is_ok() {
                break;
            }
        }
        assert!(at > 5, "a start has more than {at} calls");
    }
}

#[test]
fn a_cut_at_every_call_of_a_first_start_leaves_a_new_or_an_empty_directory() {
    let mut call = 0;
    loop {
        call += 1;
        let disk = MemoryDisk::new();
        disk.inject(call, Fault::PowerCut);
        let started =
            load(&disk, OPTIONS).and_then(|mut loaded| loaded.recovered.begin_log().map(|_| ()));
        for survival in EXTREMES.into_iter().chain((0..20).map(Survival::Random)) {
            let left = disk.after_power_cut(survival);
            let found = load(&left, OPTIONS).unwrap();
            let context = format!("cut at call {call}, {survival:?}");
            assert_eq!(found.recovered.last().0, 0, "{context}");
            let is_new = found.recovered.report().is_new;
            assert_eq!(is_new, !left.names().iter().any(|name| name.starts_with("log-")));
            assert!(started.is_err() || !is_new, "{context}");
        }
        if started.is_ok() {
            break;
        }
    }
    assert!(call > 8, "{call}");
}

#[test]
fn a_directory_opened_to_be_read_is_not_changed() {
    const SEED: u64 = 4;
    for call in (1..=calls_of_a_life(SEED)).step_by(7) {
        let (disk, truth) = cut_life(SEED, call);
        let left = disk.after_power_cut(Survival::KeepAll);
        let before: Vec<_> =
            left.names().into_iter().map(|name| (left.bytes_of(&name), name)).collect();
        let found = load(&left, READ_ONLY).unwrap();
        truth.check(&found, &format!("seed {SEED}, cut at call {call}"));
        let after: Vec<_> =
            left.names().into_iter().map(|name| (left.bytes_of(&name), name)).collect();
        assert_eq!(before, after, "cut at call {call}");
    }
}
