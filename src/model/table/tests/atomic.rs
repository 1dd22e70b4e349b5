//! Rows that are stored together or not at all, against the same rows one by one.

use crate::model::retry::hash::{Fingerprint, RetryKey};
use crate::model::retry::{Retry, Statuses, StoredOutcome};
use crate::model::state::State as _;
use crate::model::table::Table;
use crate::model::table::command::{Ask, Atomic, AtomicRow, Reply};
use crate::model::table::decide::Rejection;
use crate::model::table::intent::{Intent, Mode};
use crate::model::table::test_support::{Rig, assert_same, field, nobody, text};
use proptest::prelude::*;
use std::sync::Arc;

/// What one row asks for.
#[derive(Clone, Debug)]
pub(super) enum Step {
    Upsert {
        name: usize,
        note: usize,
    },
    Archive {
        name: usize,
    },
    /// It is refused.
    Wrong,
}

pub(super) fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        12 => (0..4_usize, 0..3_usize).prop_map(|(name, note)| Step::Upsert { name, note }),
        4 => (0..4_usize).prop_map(|name| Step::Archive { name }),
        1 => Just(Step::Wrong),
    ]
}

/// A table of accounts with a note.
pub(super) fn rig() -> Rig {
    let mut rig = Rig::accounts();
    rig.add_field(field("note", "text"));
    rig
}

pub(super) fn ask(rig: &Rig, step: &Step) -> Ask {
    let note = rig.schema().by_name("note").unwrap().number;
    let intent = |name: &usize, writes| {
        Intent::of_identifier(rig.identifier(&format!("Account {name}")), writes)
    };
    match step {
        Step::Upsert { name, note: value } => {
            let writes = rig.writes([(note, text(&value.to_string()))]);
            Ask::Upsert(Box::new(intent(name, writes)))
        }
        Step::Archive { name } => {
            let mut intent = intent(name, rig.writes([]));
            intent.mode = Mode::Archive;
            Ask::Upsert(Box::new(intent))
        }
        Step::Wrong => Ask::Archive(nobody()),
    }
}

fn row(rig: &Rig, step: &Step) -> AtomicRow {
    AtomicRow { ask: ask(rig, step), retry: None }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn rows_together_come_to_what_rows_one_by_one_come_to_or_to_nothing(
        before in prop::collection::vec(step(), 0..6),
        rows in prop::collection::vec(step(), 0..12),
        is_undurable: bool,
    ) {
        let (mut together, mut one_by_one) = (rig(), rig());
        for rig in [&mut together, &mut one_by_one] {
            for step in &before {
                let ask = ask(rig, step);
                drop(rig.decide(ask));
            }
            if !is_undurable {
                rig.apply_all();
            }
        }
        let answers: Vec<_> = rows
            .iter()
            .map(|step| {
                let ask = ask(&one_by_one, step);
                one_by_one.decide(ask)
            })
            .collect();
        let logged = together.log.len();
        let asks = rows.iter().map(|step| row(&together, step)).collect();
        let answer = together.decide(Ask::Atomic(Atomic { rows: asks, is_doomed: false }));
        let ids = |answers: &[Reply]| {
            let id = |reply: &Reply| match reply {
                Reply::Record(outcome) => Some((outcome.action, outcome.record.id())),
                Reply::NoMatch => None,
                Reply::Done
                | Reply::Field(_)
                | Reply::Option(_)
                | Reply::Category(_)
                | Reply::Rows(_)
                | Reply::Repeated(_)
                | Reply::AlreadyApplied
        | Reply::Tried(_) => panic!("a row is answered with {reply:?}"),
            };
            answers.iter().map(id).collect::<Vec<_>>()
        };
        match answer {
            Ok(Reply::Rows(replies)) => {
                let expected: Result<Vec<Reply>, _> = answers.into_iter().collect();
                prop_assert_eq!(ids(&replies), ids(&expected.expect("each succeeds by itself")));
                together.apply_all();
                one_by_one.apply_all();
                assert_same(&together.table, &one_by_one.table);
                together.check();
            }
            Err(Rejection::Aborted(decided)) => {
                let expected: Vec<_> = answers.iter().map(Result::is_ok).collect();
                // A row behind one that fails meets what that one would have left: nothing.
                prop_assert_eq!(decided.iter().map(Result::is_ok).collect::<Vec<_>>(), expected);
                prop_assert_eq!(together.log.len(), logged);
            }
            other => prop_assert!(false, "{other:?}"),
        }
    }
}

#[test]
fn a_doomed_batch_tells_all_and_does_nothing() {
    let mut rig = rig();
    let rows = vec![row(&rig, &Step::Upsert { name: 1, note: 1 }), row(&rig, &Step::Wrong)];
    let logged = rig.log.len();
    let answer = rig.run(Ask::Atomic(Atomic { rows, is_doomed: true }));
    let Err(Rejection::Aborted(decided)) = answer else { panic!("{answer:?}") };
    assert_eq!(decided, [Ok(()), Err(Rejection::NotFound)]);
    assert_eq!((rig.log.len(), rig.holder("Account 1")), (logged, None));
}

#[test]
fn a_batch_is_one_commit_and_has_the_limit_of_one() {
    let mut rig = rig();
    rig.table.limits.commit_bytes_max = 2_000;
    let rows = (0..20).map(|name| row(&rig, &Step::Upsert { name, note: 0 })).collect();
    let answer = rig.run(Ask::Atomic(Atomic { rows, is_doomed: false }));
    let Err(Rejection::Aborted(decided)) = answer else { panic!("{answer:?}") };
    let fits = decided.iter().take_while(|row| row.is_ok()).count();
    assert!((2..20).contains(&fits), "{fits}");
    assert!(matches!(decided[fits], Err(Rejection::TooLarge { what: "commit", .. })));
    assert_eq!(rig.holder("Account 0"), None);
}

fn keyed(rig: &Rig, step: &Step, key: u8, of: u8) -> AtomicRow {
    let retry = Retry {
        key: RetryKey::of([&[key][..]]),
        fingerprint: Fingerprint::of([&[of][..]]),
        statuses: Statuses { made: 200, changed: 200, nothing: 200 },
        about: None,
        mentioned: Vec::new(),
        is_open: false,
    };
    AtomicRow { ask: ask(rig, step), retry: Some(Arc::new(retry)) }
}

fn atomic(rows: Vec<AtomicRow>) -> Ask {
    Ask::Atomic(Atomic { rows, is_doomed: false })
}

#[test]
fn the_outcome_of_each_row_stands_behind_what_the_row_did() {
    let mut rig = rig();
    let step = |note| Step::Upsert { name: 1, note };
    let rows = |rig: &Rig| (0..3_u8).map(|at| keyed(rig, &step(at.into()), at, at)).collect();
    let first = rows(&rig);
    rig.run(atomic(first)).unwrap();
    // A replay gives every outcome the record of its own version.
    rig.check();
    let versions = |table: &Table| -> Vec<_> {
        let image = table.outcomes().image();
        let record = |it: &Arc<StoredOutcome>| it.record().unwrap().record.clone().unwrap();
        image.iter().map(|it| record(it).version().0).collect()
    };
    assert_eq!(versions(&rig.table), [1, 2, 3]);
    assert_eq!(versions(&rig.replayed()), [1, 2, 3]);
    let logged = rig.log.len();
    let again = rows(&rig);
    let Ok(Reply::Rows(replies)) = rig.run(atomic(again)) else { panic!("it is done") };
    assert!(replies.iter().all(|reply| matches!(reply, Reply::Repeated(_))), "{replies:?}");
    assert_eq!(rig.log.len(), logged);
}

#[test]
fn rows_of_one_batch_share_no_key_unless_they_are_the_same() {
    let mut rig = rig();
    let step = Step::Upsert { name: 1, note: 1 };
    let rows = vec![keyed(&rig, &step, 1, 1), keyed(&rig, &step, 1, 1), keyed(&rig, &step, 1, 2)];
    let Err(Rejection::Aborted(decided)) = rig.run(atomic(rows)) else { panic!("it is refused") };
    assert_eq!(decided, [Ok(()), Ok(()), Err(Rejection::KeyReused)]);
    assert!(rig.table.outcomes().is_empty(), "nothing is kept of what was given up");
    let rows = vec![keyed(&rig, &step, 1, 1), keyed(&rig, &step, 1, 1)];
    let Ok(Reply::Rows(replies)) = rig.run(atomic(rows)) else { panic!("it is done") };
    assert!(matches!(replies[..], [Reply::Record(_), Reply::Repeated(_)]), "{replies:?}");
    rig.check();
}

#[test]
fn outcomes_count_for_the_limit_of_a_commit() {
    let mut rig = rig();
    rig.table.limits.commit_bytes_max = 4_000;
    let fits = |rig: &mut Rig, rows| match rig.run(atomic(rows)) {
        Err(Rejection::Aborted(decided)) => decided.iter().take_while(|row| row.is_ok()).count(),
        other => panic!("{other:?}"),
    };
    let step = |name| Step::Upsert { name, note: 0 };
    let plain = (0..20).map(|name| row(&rig, &step(name))).collect();
    let plain = fits(&mut rig, plain);
    let keyed = (0..20_u8).map(|name| keyed(&rig, &step(name.into()), name, name)).collect();
    let keyed = fits(&mut rig, keyed);
    assert!(0 < keyed && keyed < plain, "{keyed} and {plain}");
}
