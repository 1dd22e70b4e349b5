//! Restoring a snapshot alone into a new directory, with the power going at every call of the disk.
//!
//! At each cut the directory is as if nothing had happened, refused as half restored, or whole; in
//! the first two cases the same restore, run again, makes it whole.

use crate::simulation::coverage::{Coverage, Met};
use crate::simulation::crash::{Aftermath, Run, prepared};
use crate::simulation::machine::StartError;
use crate::simulation::scenario::{backed_up, going_on};
use crate::simulation::sim::{Finding, Sim, Step};
use crate::support::Seed;
use upsertd::engine::boot::BootError;
use upsertd::storage::disk::Disk as _;
use upsertd::storage::error::{Missing, StorageError};
use upsertd::storage::memory_disk::{Fault, MemoryDisk, Survival};

/// What a start finds in a directory into which something is restored.
enum Found {
    /// As if nothing had happened.
    Nothing,
    Half,
    Whole,
}

/// Restores undisturbed, then with a cut at every call.
pub(crate) fn cut_everywhere(mut seed: Seed) -> Coverage {
    let (run, mut coverage) = (Run::new("restoring", &seed), Coverage::default());
    let base = run.expect_nothing("before".to_owned(), || prepared(&backed_up(), seed.next()));
    coverage.add(&base.coverage);
    let target = MemoryDisk::new();
    run.expect_nothing("undisturbed".to_owned(), || base.restore_into(&target));
    let calls = target.calls();
    coverage.add(&run.expect_nothing("restored".to_owned(), || serve(&base, target)));
    for call in 1..=calls {
        let target = MemoryDisk::new();
        target.inject(call, Fault::PowerCut);
        base.restore_into(&target).expect_err("the power is off");
        for aftermath in Aftermath::all(&mut seed) {
            let place = format!("cut at call {call} of {calls}, {aftermath:?}");
            let left = aftermath.disk(&target);
            let met = run.expect_nothing(place, || restore_again(&base, &left, &mut seed));
            coverage.note(aftermath.met());
            coverage.add(&met);
        }
    }
    coverage
}

/// Looks at what an interrupted restore has left, finishes it, and serves it. The second attempt
/// may be cut short too.
fn restore_again(base: &Sim, left: &MemoryDisk, seed: &mut Seed) -> Result<Coverage, Finding> {
    let mut coverage = Coverage::default();
    match look(base, left)? {
        Found::Whole => {
            let again = base.restore_into(&left.after_kill());
            let is_refused = matches!(again, Err(Finding::Restore(StorageError::NotEmpty { .. })));
            assert!(is_refused, "nothing is restored over a directory in use: {again:?}");
            coverage.add(&serve(base, left.after_kill())?);
            return Ok(coverage);
        }
        Found::Half => coverage.note(Met::RestoreRefusedHalf),
        Found::Nothing => {}
    }
    let whole = left.after_kill();
    base.restore_into(&whole)?;
    coverage.note(Met::RestoreRunAgain);
    let calls = usize::try_from(whole.calls()).expect("a restore makes few calls");
    coverage.add(&serve(base, whole)?);
    let cut = left.after_kill();
    let call = u64::try_from(1 + seed.below(calls)).expect("it is small");
    cut.inject(call, Fault::PowerCut);
    base.restore_into(&cut).expect_err("the power is off");
    let left = Aftermath::any(seed).disk(&cut);
    match look(base, &left)? {
        Found::Nothing | Found::Half => base.restore_into(&left)?,
        Found::Whole => {}
    }
    coverage.add(&serve(base, left)?);
    Ok(coverage)
}

/// What a start on a copy of the directory makes of it.
fn look(base: &Sim, left: &MemoryDisk) -> Result<Found, Finding> {
    let copy = left.after_kill();
    let names = copy.list().expect("the disk is sound");
    let is_ours = |name: &String| name.ends_with(".upsertd") || name == "restore.unfinished";
    if !names.iter().any(is_ours) {
        return Ok(Found::Nothing);
    }
    let mut sim = base.fork(base.disk.after_kill());
    sim.move_to(copy)?;
    match sim.start() {
        Ok(()) => Ok(Found::Whole),
        Err(Finding::Refused(StartError::Boot(BootError::Storage(StorageError::Incomplete {
            missing: Missing::RestOfRestore,
            ..
        })))) => Ok(Found::Half),
        Err(finding) => Err(finding),
    }
}

/// Starts on a restored directory, goes on, and loses the power.
fn serve(base: &Sim, target: MemoryDisk) -> Result<Coverage, Finding> {
    let mut sim = base.fork(base.disk.after_kill());
    sim.move_to(target)?;
    sim.start()?;
    sim.coverage.note(Met::RestoredDirectory);
    assert!(sim.run(&[Step::SendFollowUp, Step::ConfirmFollowUp, Step::Drain, Step::Audit])?);
    assert!(sim.run(&going_on())?, "the disk is sound");
    sim.stop()?;
    let mut again = sim.fork(sim.disk.after_power_cut(Survival::LoseAll));
    again.start()?;
    sim.coverage.add(&again.coverage);
    Ok(sim.coverage)
}
