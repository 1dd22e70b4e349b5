//! Rows that are only answered, against the same rows carried out.

use crate::model::table::command::{Action, Ask, Reply, TrialRows, Tried};
use crate::model::table::decide::Rejection;
use crate::model::table::test_support::{Rig, assert_same};
use crate::model::table::tests::atomic::{Step, ask, rig, step};
use crate::model::table::trial::{TRIAL_BYTES_MAX, Trial};
use proptest::prelude::*;

/// Tries rows, and gives what was answered.
fn tried(rig: &mut Rig, trial: &mut Trial, steps: &[Step]) -> Vec<Result<Reply, Rejection>> {
    let rows = steps.iter().map(|step| ask(rig, step)).collect();
    let trial_rows = TrialRows { trial: std::mem::take(trial), rows };
    match rig.decide(Ask::Trial(Box::new(trial_rows))) {
        Ok(Reply::Tried(answer)) => {
            let Tried { trial: after, rows } = *answer;
            *trial = after;
            rows
        }
        other => panic!("rows that are tried are answered: {other:?}"),
    }
}

/// An answer without ids: those of new records are drawn.
fn comparable(answer: Result<Reply, Rejection>) -> Result<Option<(Action, u32)>, Rejection> {
    answer.map(|reply| match reply {
        Reply::Record(outcome) => Some((outcome.action, outcome.record.version().0)),
        Reply::NoMatch => None,
        Reply::Done
        | Reply::Field(_)
        | Reply::Option(_)
        | Reply::Category(_)
        | Reply::Rows(_)
        | Reply::Repeated(_)
        | Reply::AlreadyApplied
        | Reply::Tried(_) => panic!("a row is answered with a record"),
    })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn rows_that_are_tried_are_answered_as_if_they_were_carried_out_and_nothing_is(
        before in prop::collection::vec(step(), 0..6),
        chunks in prop::collection::vec(prop::collection::vec(step(), 0..6), 0..4),
        is_undurable: bool,
    ) {
        let (mut dry, mut real) = (rig(), rig());
        for rig in [&mut dry, &mut real] {
            for step in &before {
                let ask = ask(rig, step);
                drop(rig.decide(ask));
            }
            if !is_undurable {
                rig.apply_all();
            }
        }
        let (logged, mut trial) = (dry.log.len(), Trial::default());
        for steps in &chunks {
            let told = tried(&mut dry, &mut trial, steps);
            let expected: Vec<_> = steps
                .iter()
                .map(|step| {
                    let ask = ask(&real, step);
                    comparable(real.decide(ask))
                })
                .collect();
            prop_assert_eq!(told.into_iter().map(comparable).collect::<Vec<_>>(), expected);
        }
        prop_assert_eq!(dry.log.len(), logged);
        let mut untouched = rig();
        for step in &before {
            let ask = ask(&untouched, step);
            drop(untouched.decide(ask));
        }
        dry.apply_all();
        untouched.apply_all();
        prop_assert_eq!(dry.log.len(), untouched.log.len());
        assert_same(&dry.table, &dry.replayed());
    }
}

#[test]
fn a_record_counts_once_however_often_it_changes_and_too_much_is_refused() {
    let mut rig = rig();
    let mut trial = Trial::default();
    let note = |note| Step::Upsert { name: 1, note };
    tried(&mut rig, &mut trial, &[note(1)]);
    let once = trial.bytes();
    assert!(once > 0);
    let changes: Vec<_> = (0..100).map(|at| note(at % 9)).collect();
    tried(&mut rig, &mut trial, &changes);
    assert_eq!(trial.bytes(), once);
    tried(&mut rig, &mut trial, &[Step::Upsert { name: 2, note: 1 }]);
    assert_eq!(trial.bytes(), 2 * once);
    let enough = TRIAL_BYTES_MAX / once + 2;
    let many: Vec<_> = (0..enough).map(|name| Step::Upsert { name, note: 1 }).collect();
    let told = tried(&mut rig, &mut trial, &many);
    let full = Err(Rejection::TrialFull { max: TRIAL_BYTES_MAX });
    assert_eq!(told.into_iter().map(comparable).next_back(), Some(full));
    assert!(trial.bytes() < TRIAL_BYTES_MAX + 2 * once);
}
