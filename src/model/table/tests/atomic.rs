//! Rows that are stored together or not at all, against the same rows one by one.

use crate::model::table::command::{Ask, Atomic, Reply};
use crate::model::table::decide::Rejection;
use crate::model::table::intent::{Intent, Mode};
use crate::model::table::test_support::{Rig, assert_same, field, nobody, text};
use proptest::prelude::*;

/// What one row asks for.
#[derive(Clone, Debug)]
enum Step {
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

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        12 => (0..4_usize, 0..3_usize).prop_map(|(name, note)| Step::Upsert { name, note }),
        4 => (0..4_usize).prop_map(|name| Step::Archive { name }),
        1 => Just(Step::Wrong),
    ]
}

/// A table of accounts with a note.
fn rig() -> Rig {
    let mut rig = Rig::accounts();
    rig.add_field(field("note", "text"));
    rig
}

fn ask(rig: &Rig, step: &Step) -> Ask {
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
        let asks = rows.iter().map(|step| ask(&together, step)).collect();
        let answer = together.decide(Ask::Atomic(Atomic { rows: asks, is_doomed: false }));
        let ids = |answers: &[Reply]| {
            let id = |reply: &Reply| match reply {
                Reply::Record(outcome) => Some((outcome.action, outcome.record.id())),
                Reply::NoMatch => None,
                Reply::Done
                | Reply::Field(_)
                | Reply::Option(_)
                | Reply::Category(_)
                | Reply::Rows(_) => panic!("a row is answered with {reply:?}"),
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
    let rows = vec![ask(&rig, &Step::Upsert { name: 1, note: 1 }), ask(&rig, &Step::Wrong)];
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
    let rows = (0..20).map(|name| ask(&rig, &Step::Upsert { name, note: 0 })).collect();
    let answer = rig.run(Ask::Atomic(Atomic { rows, is_doomed: false }));
    let Err(Rejection::Aborted(decided)) = answer else { panic!("{answer:?}") };
    let fits = decided.iter().take_while(|row| row.is_ok()).count();
    assert!((2..20).contains(&fits), "{fits}");
    assert!(matches!(decided[fits], Err(Rejection::TooLarge { what: "commit", .. })));
    assert_eq!(rig.holder("Account 0"), None);
}
