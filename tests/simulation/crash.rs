//! Running a scenario into every crash there is: at each call of the disk, with everything that can
//! be left of what was not synced, in the run and in the recovery that follows.

use crate::simulation::coverage::{Coverage, Met};
use crate::simulation::scenario::{Scenario, going_on};
use crate::simulation::sim::{Finding, Sim, Step};
use crate::support::Seed;
use rustix::io::Errno;
use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use upsertd::storage::memory_disk::{Fault, MemoryDisk, Survival};

/// What a new process finds after a crash.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Aftermath {
    PowerCut(Survival),
    /// The process alone has died, and the machine ran on.
    Kill,
}

impl Aftermath {
    /// Every kind; four of the random one.
    pub(crate) fn all(seed: &mut Seed) -> [Self; 9] {
        [
            Self::PowerCut(Survival::KeepAll),
            Self::PowerCut(Survival::LoseAll),
            Self::PowerCut(Survival::NamesOnly),
            Self::PowerCut(Survival::ContentsOnly),
            Self::PowerCut(Survival::Random(seed.next())),
            Self::PowerCut(Survival::Random(seed.next())),
            Self::PowerCut(Survival::Random(seed.next())),
            Self::PowerCut(Survival::Random(seed.next())),
            Self::Kill,
        ]
    }

    pub(crate) fn any(seed: &mut Seed) -> Self {
        let all = Self::all(seed);
        all[seed.below(all.len())]
    }

    pub(crate) fn met(self) -> Met {
        match self {
            Self::PowerCut(Survival::KeepAll) => Met::PowerCutKeepsAll,
            Self::PowerCut(Survival::LoseAll) => Met::PowerCutLosesAll,
            Self::PowerCut(Survival::NamesOnly) => Met::PowerCutKeepsNames,
            Self::PowerCut(Survival::ContentsOnly) => Met::PowerCutKeepsContents,
            Self::PowerCut(Survival::Random(_)) => Met::PowerCutTears,
            Self::Kill => Met::Kill,
        }
    }

    pub(crate) fn disk(self, disk: &MemoryDisk) -> MemoryDisk {
        match self {
            Self::PowerCut(survival) => disk.after_power_cut(survival),
            Self::Kill => disk.after_kill(),
        }
    }
}

/// A run, and how to have it again.
#[derive(Clone, Copy)]
pub(crate) struct Run {
    /// The test's name, or the beginning of it.
    pub(crate) test: &'static str,
    pub(crate) seed: u64,
}

impl Run {
    pub(crate) fn new(test: &'static str, seed: &Seed) -> Self {
        Self { test, seed: seed.number() }
    }

    /// Runs something that must find nothing; `place` says where in the run that is.
    pub(crate) fn expect_nothing<T>(
        self,
        place: String,
        run: impl FnOnce() -> Result<T, Finding>,
    ) -> T {
        let place = Place { run: self, place };
        run().unwrap_or_else(|finding| panic!("{}: {finding}", place.place))
    }
}

/// Says where a run was when it panics: an assertion inside the engine does not know.
struct Place {
    run: Run,
    place: String,
}

impl Drop for Place {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let (Run { test, seed }, place) = (self.run, &self.place);
            println!("found: {place}");
            println!("repeat: UPSERTD_TEST_SEED={seed} cargo test --test all simulation::{test}");
        }
    }
}

/// The past of a scenario: undisturbed, and the machine off at its end.
pub(crate) fn prepared(before: &[Step], seed: u64) -> Result<Sim, Finding> {
    let mut sim = Sim::new(seed);
    if before.is_empty() {
        return Ok(sim);
    }
    sim.start()?;
    assert!(sim.run(before)?, "nothing goes wrong before the faults begin");
    sim.drain_and_judge()?;
    sim.stop()?;
    Ok(sim)
}

/// Starts and takes the steps, until the machine stops or all are taken.
fn play(sim: &mut Sim, steps: &[Step]) -> Result<(), Finding> {
    sim.try_start()?;
    if sim.goes_on() && sim.run(steps)? {
        sim.drain()?;
    }
    sim.stop()
}

/// The calls that an undisturbed run makes.
fn calls_of(base: &Sim, steps: &[Step]) -> Result<u64, Finding> {
    let mut sim = base.fork(base.disk.after_kill());
    play(&mut sim, steps)?;
    Ok(sim.disk.calls())
}

/// Cuts the power at every call of a scenario; after each cut, goes through everything that can be
/// left of it. What two cuts leave alike is judged once.
pub(crate) fn cut_everywhere(scenario: &Scenario, mut seed: Seed) -> Coverage {
    let Scenario { test, before, steps } = scenario;
    let (run, mut coverage) = (Run::new(test, &seed), Coverage::default());
    let base = run.expect_nothing("before".to_owned(), || prepared(before, seed.next()));
    let calls = run.expect_nothing("undisturbed".to_owned(), || calls_of(&base, steps));
    let mut judged = BTreeSet::new();
    for call in 1..=calls {
        let mut crashed = base.fork(base.disk.after_kill());
        crashed.cut_power_at(call);
        run.expect_nothing(format!("up to a cut at call {call}"), || play(&mut crashed, steps));
        coverage.add(&crashed.coverage);
        let chosen = seed.below(9);
        for (at, aftermath) in Aftermath::all(&mut seed).into_iter().enumerate() {
            let place = format!("cut at call {call} of {calls}, {aftermath:?}");
            let mut survivor = crashed.fork(aftermath.disk(&crashed.disk));
            coverage.note(aftermath.met());
            // What a process sees and what is durable are not the same where it alone has died.
            let durable = survivor.fork(survivor.disk.after_power_cut(Survival::LoseAll));
            if !judged.insert((fingerprint(&survivor), fingerprint(&durable))) {
                continue;
            }
            let goes_on = at == chosen;
            run.expect_nothing(place, || recover(&mut survivor, goes_on, &mut seed));
            coverage.add(&survivor.coverage);
        }
        if seed.below(3) == 0 {
            let aftermath = Aftermath::any(&mut seed);
            let place = format!("cut at call {call} of {calls}, {aftermath:?}, again in recovery");
            let survivor = crashed.fork(aftermath.disk(&crashed.disk));
            let met = run.expect_nothing(place, || cut_in_recovery(&survivor, &mut seed));
            coverage.add(&met);
        }
    }
    coverage
}

/// What tells two situations apart: the files, and what was promised of them.
fn fingerprint(sim: &Sim) -> u64 {
    let mut hasher = DefaultHasher::new();
    for name in sim.disk.names() {
        name.hash(&mut hasher);
        sim.disk.bytes_of(&name).hash(&mut hasher);
    }
    sim.history.promised.hash(&mut hasher);
    hasher.finish()
}

/// Recovers and loses the power again: at once, when only what recovery itself has made durable may
/// be left, or after some more writes.
fn recover(sim: &mut Sim, goes_on: bool, seed: &mut Seed) -> Result<(), Finding> {
    sim.start()?;
    if goes_on {
        assert!(sim.run(&going_on())?, "the disk is sound");
    } else if seed.below(4) > 0 {
        return Ok(());
    }
    sim.stop()?;
    let aftermath = match seed.below(3) {
        0 => Aftermath::any(seed),
        _ => Aftermath::PowerCut(Survival::LoseAll),
    };
    let mut again = sim.fork(aftermath.disk(&sim.disk));
    again.start()?;
    sim.coverage.add(&again.coverage);
    Ok(())
}

/// Loses the power in a recovery, at a call of chance, and recovers after that.
fn cut_in_recovery(crashed: &Sim, seed: &mut Seed) -> Result<Coverage, Finding> {
    let mut whole = crashed.fork(crashed.disk.after_kill());
    whole.start()?;
    let calls = usize::try_from(whole.disk.calls()).expect("a recovery makes few calls");
    let call = u64::try_from(1 + seed.below(calls)).expect("it is small");
    let mut cut = crashed.fork(crashed.disk.after_kill());
    cut.cut_power_at(call);
    cut.try_start()?;
    cut.stop()?;
    let mut survivor = cut.fork(Aftermath::any(seed).disk(&cut.disk));
    survivor.start()?;
    survivor.coverage.note(Met::CutInRecovery);
    assert!(survivor.run(&going_on())?, "the disk is sound");
    survivor.stop()?;
    Ok(survivor.coverage)
}

const ERRNOS: [Errno; 5] = [Errno::IO, Errno::NOSPC, Errno::DQUOT, Errno::FBIG, Errno::ROFS];

/// A fault of chance that is no power cut.
pub(crate) fn any_fault(seed: &mut Seed) -> Fault {
    let all = faults(seed);
    all[seed.below(all.len())].1
}

/// The faults that a call is made to meet: each kind, with an error of chance.
fn faults(seed: &mut Seed) -> [(Met, Fault); 4] {
    let mut errno = || ERRNOS[seed.below(ERRNOS.len())];
    [
        (Met::ErrorOnce, Fault::Error(Errno::IO)),
        (Met::ErrorOnce, Fault::Error(errno())),
        (Met::ErrorForEver, Fault::ErrorFromNowOn(errno())),
        (Met::ShortWrite, Fault::ShortWrite),
    ]
}

/// Lets every call of a scenario fail, once and for ever. What two faults leave alike is judged
/// once.
pub(crate) fn fail_everywhere(scenario: &Scenario, mut seed: Seed) -> Coverage {
    let Scenario { test, before, steps } = scenario;
    let (run, mut coverage) = (Run::new(test, &seed), Coverage::default());
    let base = run.expect_nothing("before".to_owned(), || prepared(before, seed.next()));
    let calls = run.expect_nothing("undisturbed".to_owned(), || calls_of(&base, steps));
    let mut judged = BTreeSet::new();
    for call in 1..=calls {
        for (met, fault) in faults(&mut seed) {
            let place = format!("call {call} of {calls} meets {fault:?}");
            let mut sim = base.fork(base.disk.after_kill());
            sim.inject(call, fault);
            run.expect_nothing(place.clone(), || fail(&mut sim, steps));
            coverage.note(met);
            coverage.add(&sim.coverage);
            let next = sim.fork(sim.disk.after_kill());
            let durable = sim.fork(sim.disk.after_power_cut(Survival::LoseAll));
            if judged.insert((fingerprint(&next), fingerprint(&durable))) {
                coverage.add(&run.expect_nothing(place, || heal(next, &mut seed)));
            }
        }
    }
    coverage
}

/// Plays a run on a disk that fails, until it is over or the process ends by that.
fn fail(sim: &mut Sim, steps: &[Step]) -> Result<(), Finding> {
    sim.try_start()?;
    let is_started = sim.machine.is_some();
    if sim.goes_on() && sim.run(steps)? && sim.goes_on() {
        sim.drain_and_judge()?;
        sim.coverage.note_if(sim.goes_on(), Met::WritingWentOnAfterError);
    }
    sim.coverage.note_if(!is_started, Met::StartFailed);
    sim.stop()
}

/// The next process starts on the same machine, whose cache may show what the device does not
/// have; then the power goes.
fn heal(mut sim: Sim, seed: &mut Seed) -> Result<Coverage, Finding> {
    sim.start()?;
    if seed.below(2) == 0 {
        assert!(sim.run(&going_on())?, "the disk works again");
    }
    sim.stop()?;
    let mut cut = sim.fork(sim.disk.after_power_cut(Survival::LoseAll));
    cut.start()?;
    sim.coverage.add(&cut.coverage);
    Ok(sim.coverage)
}

/// The first thing that is found when the power goes at each call in turn and nothing survives
/// that was not synced. `arm` may plant a fault.
pub(crate) fn first_finding(
    scenario: &Scenario,
    mut seed: Seed,
    arm: impl Fn(Sim) -> Sim,
) -> Option<Finding> {
    let Scenario { test, before, steps } = scenario;
    let run = Run::new(test, &seed);
    let base = run.expect_nothing("before".to_owned(), || prepared(before, seed.next()));
    let calls = run.expect_nothing("undisturbed".to_owned(), || calls_of(&base, steps));
    (1..=calls).find_map(|call| {
        let mut crashed = arm(base.fork(base.disk.after_kill()));
        crashed.cut_power_at(call);
        run.expect_nothing(format!("up to a cut at call {call}"), || play(&mut crashed, steps));
        crashed.fork(crashed.disk.after_power_cut(Survival::LoseAll)).start().err()
    })
}
