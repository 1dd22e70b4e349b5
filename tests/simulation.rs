//! The whole engine on a simulated disk: power cuts, kills and errors at every call, and what must
//! be there afterwards.
//!
//! One thread, no clock, no actors: the writers' loops, the committer and the snapshots are driven
//! by hand, so a seed repeats a run to the byte. The answers are compared with a naive account of
//! the contract, and what is left after a crash with every answer that was given.
//!
//! `UPSERTD_TEST_SEED` plays all of it with another seed, and `UPSERTD_SIM_SECONDS` goes on with
//! fresh ones for so long.

mod acting;
mod ask;
mod asking;
mod closing;
mod coverage;
mod crash;
mod history;
mod judge;
mod machine;
mod observed;
mod planted;
mod relating;
mod reshaping;
mod restoring;
mod rot;
mod round;
mod scenario;
mod sim;
mod staffing;
mod tape;
mod wander;
mod world;

use crate::simulation::coverage::{Coverage, Met};
use crate::simulation::crash::{cut_everywhere, fail_everywhere};
use crate::simulation::scenario::Scenario;
use crate::simulation::wander::wander;
use crate::support::{Seed, Stopwatch};
use std::env;
use std::time::Duration;

/// The seed of a fixed run.
const SEED: u64 = 1;
/// Runs of chance in a fixed run.
const WANDERERS: u64 = 150;
/// Seeds that once found something; each stays.
const FOUND: [u64; 1] = [134_383_883_105_128_954];
/// How long fresh seeds are played.
const SECONDS: &str = "UPSERTD_SIM_SECONDS";

/// What every power cut must have met somewhere in a scenario.
const CUTS: [Met; 7] = [
    Met::PowerCutKeepsAll,
    Met::PowerCutLosesAll,
    Met::PowerCutKeepsNames,
    Met::PowerCutKeepsContents,
    Met::PowerCutTears,
    Met::Kill,
    Met::CutInRecovery,
];

fn report(what: &str, coverage: &Coverage) {
    println!("{what}: {} recoveries", coverage.recoveries);
}

fn check(scenario: &Scenario, due: &[Met]) {
    let coverage = cut_everywhere(scenario, Seed::fixed(scenario.test, SEED));
    report(scenario.test, &coverage);
    coverage.demand(&CUTS);
    coverage.demand(due);
}

fn check_errors(scenario: &Scenario, due: &[Met]) {
    let coverage = fail_everywhere(scenario, Seed::fixed(scenario.test, SEED));
    report(scenario.test, &coverage);
    coverage.demand(&[Met::ErrorOnce, Met::ErrorForEver, Met::ShortWrite]);
    coverage.demand(&[Met::StartFailed, Met::CommitterFailed]);
    coverage.demand(due);
}

#[test]
fn first_start_is_made_again_with_the_same_credentials() {
    let due =
        [Met::EmptyDirectory, Met::CredentialsTakenAgain, Met::EmptySegment, Met::LeftoversRemoved];
    check(&scenario::first_start(), &due);
}

#[test]
fn creating_survives_every_crash() {
    let due =
        [Met::CommandKept, Met::CommandLost, Met::UnacknowledgedFrame, Met::CleanUnsealedTail];
    check(&scenario::creating(), &due);
}

#[test]
fn renaming_survives_every_crash() {
    check(&scenario::renaming(), &[Met::CommandKept, Met::CommandLost]);
}

#[test]
fn overwriting_survives_every_crash_wholly_or_not_at_all() {
    check(&scenario::overwriting(), &[Met::CommandKept, Met::CommandLost]);
}

#[test]
fn rolling_survives_every_crash() {
    let due = [Met::SegmentRolled, Met::SealedTail, Met::TornTail, Met::TornTailKept];
    check(&scenario::rolling(), &due);
}

#[test]
fn snapshotting_survives_every_crash() {
    let due = [Met::SnapshotPublished, Met::WriteDuringRound, Met::SnapshotUsed];
    check(&scenario::snapshotting(), &due);
}

#[test]
fn removing_survives_every_crash() {
    let due = [Met::SegmentsTrimmed, Met::SnapshotUsed, Met::GapRemoved];
    check(&scenario::removing(), &due);
}

#[test]
fn following_up_survives_every_crash() {
    check(&scenario::following_up(), &[Met::CommandKept, Met::CommandLost]);
}

#[test]
fn reshaping_survives_every_crash() {
    let due = [Met::CommandKept, Met::CommandLost, Met::RuleRefused, Met::SnapshotUsed];
    check(&scenario::reshaping(), &due);
}

#[test]
fn relating_survives_every_crash() {
    let due = [Met::CommandKept, Met::CommandLost, Met::MirrorCompleted, Met::MirrorDropped];
    check(&scenario::relating(), &due);
}

#[test]
fn staffing_survives_every_crash() {
    let due = [Met::CommandKept, Met::CommandLost, Met::SnapshotUsed];
    check(&scenario::staffing(), &due);
}

#[test]
fn acting_survives_every_crash() {
    check(&scenario::acting(), &[Met::CommandKept, Met::CommandLost, Met::SnapshotUsed]);
}

#[test]
fn closing_survives_every_crash() {
    let due = [Met::CommandKept, Met::CommandLost, Met::SnapshotUsed, Met::WriteDuringRound];
    check(&scenario::closing(), &due);
}

#[test]
fn first_start_survives_an_error_at_every_call() {
    check_errors(&scenario::first_start(), &[Met::CredentialsTakenAgain]);
}

#[test]
fn rolling_survives_an_error_at_every_call() {
    check_errors(&scenario::rolling(), &[Met::WritingWentOnAfterError]);
}

#[test]
fn removing_survives_an_error_at_every_call() {
    check_errors(&scenario::removing(), &[Met::WritingWentOnAfterError, Met::RoundGivenUp]);
}

#[test]
fn restoring_serves_exactly_what_the_snapshot_holds() {
    let coverage = restoring::cut_everywhere(Seed::fixed("restoring", SEED));
    report("restoring", &coverage);
    coverage.demand(&[Met::SnapshotPublished, Met::WriteDuringRound, Met::ConfirmationHeldBack]);
    coverage.demand(&[Met::MirrorMadeAgain]);
    coverage.demand(&[Met::RestoreRefusedHalf, Met::RestoreRunAgain, Met::RestoredDirectory]);
}

#[test]
fn rot_in_the_newest_snapshot_costs_nothing() {
    let coverage = rot::rot_newest_snapshot(Seed::fixed("rot", SEED));
    report("rot", &coverage);
    coverage.demand(&[Met::Rot, Met::SnapshotRejected, Met::SnapshotUsed]);
}

#[test]
fn rot_before_a_seal_stops_the_start() {
    let coverage = rot::rot_sealed_log(Seed::fixed("rot", SEED));
    coverage.demand(&[Met::Rot, Met::SealedRotRefused]);
}

#[test]
fn wandering_keeps_every_promise() {
    let given = env::var("UPSERTD_TEST_SEED").ok();
    if let Some(given) = given {
        let seed = given.parse().expect("the variable of the seed holds a number");
        report("wandering", &wander(seed));
        return;
    }
    let mut coverage = Coverage::default();
    for seed in (1..=WANDERERS).chain(FOUND) {
        coverage.add(&wander(seed));
    }
    report("wandering", &coverage);
    coverage.demand(&CUTS[..6]);
    coverage.demand(&[
        Met::CommitterFailed,
        Met::Rot,
        Met::SnapshotRejected,
        Met::RestoredDirectory,
    ]);
    // Torn tails are demanded of `rolling`: whether chance meets one changes with every byte written.
    coverage.demand(&[Met::SealedTail, Met::EmptySegment, Met::CommandLost]);
    coverage.demand(&[Met::SegmentsTrimmed, Met::SnapshotUsed, Met::ConfirmationHeldBack]);
}

/// Nothing where no time is given: the fixed seeds above are the ordinary run.
#[test]
fn fresh_seeds_find_nothing_for_as_long_as_was_asked() {
    let Ok(given) = env::var(SECONDS) else { return };
    let seconds = given.parse().expect("the variable holds a number of seconds");
    let (time, watch) = (Duration::from_secs(seconds), Stopwatch::start());
    let mut seeds = Seed::of_this_run("fresh seeds");
    let (mut coverage, mut runs) = (Coverage::default(), 0_u64);
    while watch.elapsed() < time {
        coverage.add(&wander(seeds.next()));
        if runs.is_multiple_of(100) {
            let all = scenario::all();
            let scenario = &all[seeds.below(all.len())];
            coverage.add(&cut_everywhere(scenario, seeds.fork()));
            coverage.add(&fail_everywhere(scenario, seeds.fork()));
        }
        runs += 1;
    }
    println!("fresh seeds: {runs} runs, {} recoveries", coverage.recoveries);
}
