//! Writes that ask for a version of their record, or that there is none: decided on the very state
//! that they change.

use crate::model::id::{OptionId, RecordId, Version};
use crate::model::table::command::{
    Action, ArchivedConflict, ArchivedMatch, Ask, Atomic, AtomicRow, Extent, Reply,
    RestoreConflict, Unarchive, Update,
};
use crate::model::table::decide::Rejection;
use crate::model::table::intent::{Intent, Mode};
use crate::model::table::precondition::Precondition;
use crate::model::table::source::{Guard, SourceVersion};
use crate::model::table::test_support::outcome;
use crate::model::table::tests::accounts::Accounts;
use uuid::Uuid;

/// The version at which a record was found that was refused.
fn refused(answer: Result<Reply, Rejection>) -> Option<u32> {
    match answer {
        Err(Rejection::PreconditionFailed { found, .. }) => found.map(|found| found.version().0),
        other => panic!("it is as was asked for: {other:?}"),
    }
}

fn upsert(accounts: &Accounts, name: &str, region: &str, precondition: Precondition) -> Intent {
    let writes = accounts.rig.writes([accounts.region(region)]);
    let mut intent = Intent::of_identifier(accounts.rig.identifier(name), writes);
    intent.precondition = Some(precondition);
    intent
}

fn at(version: u32) -> Precondition {
    Precondition::At(Version(version))
}

#[test]
fn of_two_writers_who_have_read_the_same_version_one_is_refused() {
    let mut accounts = Accounts::new();
    accounts.live("Acme", "c1");
    // Both before anything of either is applied.
    let [first, second] = ["south", "east"]
        .map(|region| Ask::Upsert(Box::new(upsert(&accounts, "Acme", region, at(1)))));
    assert_eq!(outcome(accounts.rig.decide(first)).record.version(), Version(2));
    assert_eq!(refused(accounts.rig.decide(second)), Some(2));
    let third = upsert(&accounts, "Acme", "east", at(2));
    let third = outcome(accounts.rig.decide(Ask::Upsert(Box::new(third))));
    assert_eq!((third.action, third.record.version()), (Action::Updated, Version(3)));
    accounts.rig.apply_all();
    accounts.rig.check();
}

#[test]
fn an_upsert_that_asks_for_a_record_makes_and_restores_none() {
    let mut accounts = Accounts::new();
    let gone = accounts.archived("Gone", "c1");
    let logged = accounts.rig.log.len();
    let held = accounts.rig.seen(gone).unwrap().version();
    for precondition in [Precondition::Present, at(1), Precondition::At(held)] {
        for name in ["Gone", "Nobody"] {
            for archived_match in [
                ArchivedMatch::Prompt,
                ArchivedMatch::Unarchive,
                ArchivedMatch::Overwrite,
                ArchivedMatch::Skip,
            ] {
                for mode in [Mode::Upsert, Mode::Create] {
                    let mut intent = upsert(&accounts, name, "south", precondition.clone());
                    (intent.archived_match, intent.mode) = (archived_match, mode);
                    assert_eq!(refused(accounts.rig.run(Ask::Upsert(Box::new(intent)))), None);
                }
                // Who changes only what is there is told that there is nothing.
                for mode in [Mode::Update, Mode::Archive] {
                    let mut intent = upsert(&accounts, name, "south", precondition.clone());
                    (intent.archived_match, intent.mode) = (archived_match, mode);
                    let answer = accounts.rig.run(Ask::Upsert(Box::new(intent)));
                    assert!(matches!(answer, Ok(Reply::NoMatch)), "{answer:?}");
                }
            }
        }
    }
    assert_eq!(accounts.rig.log.len(), logged, "nothing was done");
}

#[test]
fn an_upsert_that_asks_for_no_record_creates_or_restores() {
    let mut accounts = Accounts::new();
    accounts.live("Acme", "c1");
    let gone = accounts.archived("Gone", "c2");
    for mode in [Mode::Upsert, Mode::Create, Mode::Update, Mode::Archive] {
        let mut intent = upsert(&accounts, "Acme", "south", Precondition::Absent);
        intent.mode = mode;
        assert_eq!(refused(accounts.rig.run(Ask::Upsert(Box::new(intent)))), Some(1));
    }
    let made = upsert(&accounts, "New", "south", Precondition::Absent);
    assert_eq!(outcome(accounts.rig.run(Ask::Upsert(Box::new(made)))).action, Action::Created);
    let mut back = upsert(&accounts, "Gone", "south", Precondition::Absent);
    back.archived_match = ArchivedMatch::Unarchive;
    let back = outcome(accounts.rig.run(Ask::Upsert(Box::new(back))));
    assert_eq!((back.action, back.record.id()), (Action::Unarchived, gone));
    accounts.rig.check();
}

#[test]
fn a_late_message_is_told_so_before_its_precondition_is_asked() {
    let mut accounts = Accounts::new();
    accounts.live("Acme", "c1");
    let mut run = |version, precondition| {
        let mut intent = upsert(&accounts, "Acme", "south", precondition);
        let version = SourceVersion::Number(version);
        intent.guard = Some(Guard { source: "crm".into(), version });
        accounts.rig.run(Ask::Upsert(Box::new(intent)))
    };
    assert_eq!(outcome(run(5, at(1))).record.version(), Version(2));
    assert_eq!(outcome(run(5, at(1))).action, Action::Stale, "the very message once more");
    // What was refused is not remembered either.
    assert_eq!(refused(run(6, at(1))), Some(2));
    assert_eq!(outcome(run(6, at(2))).action, Action::Updated);
    accounts.rig.check();
}

/// Every write of a record that is addressed by its id, as far as accounts have it.
fn by_id(accounts: &Accounts, id: RecordId) -> Vec<Ask> {
    let writes = accounts.rig.writes([accounts.region("south")]);
    let update = Update {
        id,
        writes,
        archived_conflict: ArchivedConflict::Refuse,
        extent: Extent::Mentioned,
    };
    let restore_conflict = RestoreConflict::Refuse;
    vec![
        Ask::Update(Box::new(update)),
        Ask::Move { id, stage: OptionId(Uuid::nil()) },
        Ask::Archive(id),
        Ask::Unarchive(Unarchive { id, identifier: None, restore_conflict }),
        Ask::Purge(id),
    ]
}

#[test]
fn a_write_by_id_is_carried_out_on_the_version_that_it_names_alone() {
    let mut accounts = Accounts::new();
    let id = accounts.live("Acme", "c1");
    let only_if = |ask: Ask, version| ask.only_if(Some(at(version)));
    let [update, stage, archive, unarchive, purge] = [0, 1, 2, 3, 4];
    let ask = |accounts: &Accounts, which: usize| by_id(accounts, id).swap_remove(which);
    for which in [update, stage, archive, unarchive] {
        let wrong = only_if(ask(&accounts, which), 2);
        assert_eq!(refused(accounts.rig.run(wrong)), Some(1), "{which}");
        let dry = Ask::Dry(Box::new(only_if(ask(&accounts, which), 2)));
        assert_eq!(refused(accounts.rig.run(dry)), Some(1), "{which}");
    }
    let not_yet = accounts.rig.run(only_if(ask(&accounts, purge), 1));
    assert!(matches!(not_yet, Err(Rejection::NotArchived)), "{not_yet:?}");
    let not_a_pipeline = accounts.rig.run(only_if(ask(&accounts, stage), 1));
    assert!(matches!(not_a_pipeline, Err(Rejection::Faults(_))), "{not_a_pipeline:?}");
    let live = accounts.rig.run(only_if(ask(&accounts, unarchive), 1));
    assert_eq!(outcome(live).action, Action::Unchanged);
    let updated = accounts.rig.run(only_if(ask(&accounts, update), 1));
    assert_eq!(outcome(updated).record.version(), Version(2));
    assert_eq!(refused(accounts.rig.run(only_if(ask(&accounts, archive), 1))), Some(2));
    assert!(matches!(accounts.rig.run(only_if(ask(&accounts, archive), 2)), Ok(Reply::Done)));
    // By id an archived record has a version too, where it can be addressed at all.
    for which in [update, stage, archive] {
        let answer = accounts.rig.run(only_if(ask(&accounts, which), 3));
        assert!(matches!(answer, Err(Rejection::NotFound)), "{which}: {answer:?}");
    }
    for which in [unarchive, purge] {
        assert_eq!(refused(accounts.rig.run(only_if(ask(&accounts, which), 2))), Some(3));
    }
    let back = accounts.rig.run(only_if(ask(&accounts, unarchive), 3));
    assert_eq!(outcome(back).action, Action::Unarchived);
    accounts.rig.run(only_if(ask(&accounts, archive), 4)).unwrap();
    accounts.rig.run(only_if(ask(&accounts, purge), 5)).unwrap();
    accounts.rig.check();
    assert_eq!(accounts.rig.seen(id), None);
}

#[test]
fn rows_of_one_commit_see_the_versions_that_the_rows_before_them_make() {
    let mut accounts = Accounts::new();
    let id = accounts.live("Acme", "c1");
    let rows = |expected: [u32; 3]| {
        let regions = expected.into_iter().zip(["south", "east", "north"]);
        let row = |(version, region)| {
            let ask = Ask::Upsert(Box::new(upsert(&accounts, "Acme", region, at(version))));
            AtomicRow { ask, retry: None }
        };
        Ask::Atomic(Atomic { rows: regions.map(row).collect(), is_doomed: false })
    };
    let (wrong, right) = (rows([1, 1, 2]), rows([1, 2, 3]));
    let Err(Rejection::Aborted(told)) = accounts.rig.run(wrong) else { panic!("a row must fail") };
    let found = told.into_iter().map(|row| row.err().map(|why| refused(Err(why))));
    assert_eq!(found.collect::<Vec<_>>(), [None, Some(Some(2)), None]);
    assert_eq!(accounts.rig.seen(id).unwrap().version(), Version(1));
    accounts.rig.run(right).unwrap();
    assert_eq!(accounts.rig.seen(id).unwrap().version(), Version(4));
    accounts.rig.check();
}
