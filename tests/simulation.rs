//! The whole engine on a simulated disk: power cuts, kills and errors at every call, and what must
//! be there afterwards.
//!
//! One thread, no clock, no actors: the writers' loops, the committer and the snapshots are driven
//! by hand, so a seed repeats a run to the byte. The answers are compared with a naive account of
//! the contract, and what is left after a crash with every answer that was given.

mod ask;
mod coverage;
mod crash;
mod history;
mod judge;
mod machine;
mod observed;
mod restoring;
mod round;
mod scenario;
mod sim;
mod tape;
mod world;

use crate::simulation::coverage::Met;
use crate::simulation::crash::{cut_everywhere, fail_everywhere};
use crate::simulation::scenario::Scenario;
use crate::support::Seed;

/// The seed of a fixed run.
const SEED: u64 = 1;

fn check(scenario: &Scenario, due: &[Met]) {
    let seed = Seed::fixed(scenario.name, SEED);
    let coverage = cut_everywhere(scenario, seed);
    println!("{}: {} recoveries", scenario.name, coverage.recoveries);
    coverage.demand(due);
}

#[test]
fn a_first_start_that_is_cut_short_is_made_again_with_the_same_credentials() {
    check(
        &scenario::first_start(),
        &[Met::EmptyDirectory, Met::CredentialsTakenAgain, Met::EmptySegment],
    );
}

#[test]
fn creating_survives_every_crash() {
    check(&scenario::creating(), &[]);
}

#[test]
fn renaming_survives_every_crash() {
    check(&scenario::renaming(), &[]);
}

#[test]
fn overwriting_survives_every_crash() {
    check(&scenario::overwriting(), &[]);
}

#[test]
fn rolling_survives_every_crash() {
    check(&scenario::rolling(), &[]);
}

#[test]
fn snapshotting_survives_every_crash() {
    check(&scenario::snapshotting(), &[]);
}

#[test]
fn removing_survives_every_crash() {
    check(&scenario::removing(), &[]);
}

#[test]
fn following_up_survives_every_crash() {
    check(&scenario::following_up(), &[]);
}

#[test]
fn a_snapshot_restored_alone_serves_exactly_what_it_holds() {
    let coverage = restoring::cut_everywhere(Seed::fixed("restoring", SEED));
    println!("restoring: {} recoveries", coverage.recoveries);
    coverage.demand(&[
        Met::SnapshotPublished,
        Met::WriteDuringRound,
        Met::ConfirmationHeldBack,
        Met::RestoreRefusedHalf,
        Met::RestoreRunAgain,
        Met::RestoredDirectory,
    ]);
}

#[test]
fn errors_at_every_call_of_a_first_start_leave_what_was_answered() {
    check_errors(&scenario::first_start(), &[Met::StartFailedAndHealed, Met::FailedSync]);
}

#[test]
fn errors_at_every_call_of_rolling_segments_leave_what_was_answered() {
    check_errors(
        &scenario::rolling(),
        &[Met::StartFailedAndHealed, Met::FailedSync, Met::WritingWentOnAfterError],
    );
}

#[test]
fn errors_at_every_call_of_rounds_leave_what_was_answered() {
    check_errors(&scenario::removing(), &[Met::RoundGivenUp, Met::WritingWentOnAfterError]);
}

fn check_errors(scenario: &Scenario, due: &[Met]) {
    let seed = Seed::fixed(scenario.name, SEED);
    let coverage = fail_everywhere(scenario, seed);
    println!("errors in {}: {} recoveries", scenario.name, coverage.recoveries);
    coverage.demand(due);
    coverage.demand(&[Met::ErrorOnce, Met::ErrorForEver, Met::ShortWrite]);
}
