//! The other archive tables: renaming, addressing by id, restoring by id, freeing, purging.

use crate::model::schema::system;
use crate::model::table::command::{
    Action, ArchivedConflict, Ask, Place, Reply, RestoreConflict, TeamEdit,
};
use crate::model::table::decide::{Clash, Conflict, ConflictParameter, Rejection};
use crate::model::table::event::Event;
use crate::model::table::test_support::{created, field, member, nobody, text};
use crate::model::table::tests::accounts::{
    Accounts, DISCARDED, Modes, OVERWRITE, UNARCHIVE, assert_archived_identifier, conflict, entry,
    faults, good, required, unique, unique_at,
};
use crate::model::value::{Change, Value};

#[test]
fn a_record_may_change_its_spelling_and_its_name() {
    for mode in [ArchivedConflict::Refuse, ArchivedConflict::Overwrite] {
        let mut accounts = Accounts::new();
        let acme = accounts.live("Acme", "c1");
        let rename = |name: &str| [(system::NAME, text(name))];
        assert_eq!(good(accounts.update(acme, &rename("ACME"), mode)), (Action::Updated, acme));
        assert_eq!((accounts.name_of(acme), accounts.version(acme)), ("ACME".to_owned(), 2));
        assert_eq!(good(accounts.update(acme, &rename("Apex"), mode)), (Action::Updated, acme));
        assert!(accounts.rig.holder("acme").is_none(), "the old key is free at once");
        accounts.live("Acme", "c2");
        let answer = accounts.upsert("apex", &rename("Zenith"), Modes::default());
        assert_eq!(good(answer), (Action::Updated, acme));
        assert_eq!(accounts.rig.holder("zenith").unwrap().id(), acme);
        accounts.rig.check();
    }
}

#[test]
fn a_name_of_another_live_record_is_refused_in_every_mode() {
    for mode in [ArchivedConflict::Refuse, ArchivedConflict::Overwrite] {
        let mut accounts = Accounts::new();
        let acme = accounts.live("Acme", "c1");
        let other = accounts.live("Other", "c2");
        let writes = [(system::NAME, text("OTHER"))];
        let answer = accounts.update(acme, &writes, mode);
        assert_eq!(unique(answer), [unique_at(entry(0, system::NAME), other)]);
        let modes = Modes { archived_conflict: mode, ..Modes::default() };
        let answer = accounts.upsert("acme", &writes, modes);
        assert_eq!(unique(answer), [unique_at(entry(0, system::NAME), other)]);
        assert_eq!(accounts.version(acme), 1);
    }
}

#[test]
fn a_name_of_an_archived_record_is_a_conflict_or_taken_from_it() {
    for is_upsert in [false, true] {
        let mut accounts = Accounts::new();
        let gone = accounts.archived("Acme", "c1");
        let live = accounts.live("Other", "c2");
        let writes = [(system::NAME, text("ACME"))];
        let parameter = if is_upsert {
            ConflictParameter::OnupdateArchivedConflict
        } else {
            ConflictParameter::ArchivedConflict
        };
        let call = |accounts: &mut Accounts, mode| {
            if is_upsert {
                let modes = Modes { archived_conflict: mode, ..Modes::default() };
                accounts.upsert("other", &writes, modes)
            } else {
                accounts.update(live, &writes, mode)
            }
        };
        let refused = call(&mut accounts, ArchivedConflict::Refuse);
        let place = entry(0, system::NAME);
        assert_archived_identifier(refused, (gone, "ACME"), place, parameter);
        let taken = call(&mut accounts, ArchivedConflict::Overwrite);
        assert_eq!(good(taken), (Action::Updated, live));
        assert_eq!(accounts.name_of(gone), DISCARDED);
        assert_eq!((accounts.version(gone), accounts.version(live)), (3, 2));
        assert!(accounts.is_archived(gone));
        assert!(accounts.rig.holder("other").is_none());
        accounts.rig.check();
    }
}

// Addressing an archived record by id.

#[test]
fn an_archived_record_is_not_found_by_what_changes_live_ones() {
    let mut accounts = Accounts::new();
    let gone = accounts.archived("Acme", "c1");
    let member = member(2);
    for id in [gone, nobody()] {
        let team = TeamEdit { id, member, present: true };
        let answers = [
            accounts.update(id, &[(system::NAME, text(""))], ArchivedConflict::Overwrite),
            accounts.rig.run(Ask::Archive(id)),
            accounts.rig.run(Ask::Team(team)),
        ];
        for answer in answers {
            assert!(matches!(answer, Err(Rejection::NotFound)), "{answer:?}");
        }
    }
    assert_eq!(accounts.version(gone), 2);
}

// Restoring by id.

#[test]
fn a_record_that_holds_its_own_key_comes_back_as_it_was() {
    let mut accounts = Accounts::new();
    let acme = accounts.archived("Acme", "c1");
    let answer = accounts.unarchive(acme, None, RestoreConflict::Refuse);
    assert_eq!(good(answer), (Action::Unarchived, acme));
    let record = accounts.rig.seen(acme).unwrap();
    assert!(!record.is_archived());
    assert_eq!(record.value(system::ARCHIVED_BY), None);
    assert_eq!((accounts.name_of(acme), accounts.version(acme)), ("Acme".to_owned(), 3));
    let again = accounts.unarchive(acme, None, RestoreConflict::Refuse);
    assert_eq!(good(again), (Action::Unchanged, acme));
    assert_eq!(accounts.version(acme), 3, "a live one is left alone");
    let missing = accounts.unarchive(nobody(), None, RestoreConflict::Refuse);
    assert!(matches!(missing, Err(Rejection::NotFound)));
}

#[test]
fn a_displaced_record_gets_its_name_back_if_that_is_free() {
    let mut accounts = Accounts::new();
    let acme = accounts.archived("Acme", "c1");
    let writes = [accounts.region("north")];
    let (_, taker) = good(accounts.upsert("acme", &writes, OVERWRITE));
    accounts.update(taker, &[(system::NAME, text("Other"))], ArchivedConflict::Refuse).unwrap();
    let answer = accounts.unarchive(acme, None, RestoreConflict::Refuse);
    let Ok(Reply::Record(outcome)) = answer else { panic!("{answer:?}") };
    assert_eq!((outcome.action, outcome.filled), (Action::Unarchived, vec![system::NAME]));
    assert_eq!(accounts.name_of(acme), "Acme");
    assert!(accounts.rig.holder(DISCARDED).is_none());
    assert_eq!(accounts.rig.seen(acme).unwrap().value(system::DISPLACED_FROM), None);
    accounts.rig.check();
}

#[test]
fn a_displaced_record_keeps_its_name_while_another_has_its_own() {
    for is_taker_archived in [false, true] {
        let mut accounts = Accounts::new();
        let acme = accounts.archived("Acme", "c1");
        let writes = [accounts.region("north")];
        let (_, taker) = good(accounts.upsert("acme", &writes, OVERWRITE));
        if is_taker_archived {
            accounts.rig.run(Ask::Archive(taker)).unwrap();
        }
        let answer = accounts.unarchive(acme, None, RestoreConflict::Refuse);
        assert_eq!(good(answer), (Action::Unarchived, acme));
        assert_eq!(accounts.name_of(acme), DISCARDED);
        assert_eq!(accounts.rig.holder("acme").unwrap().id(), taker);
        accounts.rig.check();
    }
}

#[test]
fn a_record_displaced_twice_gets_its_first_name_back() {
    let mut accounts = Accounts::new();
    let acme = accounts.archived("Acme", "c1");
    let writes = [accounts.region("north")];
    let (_, taker) = good(accounts.upsert("acme", &writes, OVERWRITE));
    good(accounts.upsert(DISCARDED, &writes, OVERWRITE));
    let again = format!("{DISCARDED}_discarded_1700000001000");
    assert_eq!(accounts.name_of(acme), again);
    accounts.update(taker, &[(system::NAME, text("Other"))], ArchivedConflict::Refuse).unwrap();
    good(accounts.unarchive(acme, None, RestoreConflict::Refuse));
    assert_eq!(accounts.name_of(acme), "Acme");
}

#[test]
fn a_record_may_be_restored_under_another_name() {
    let mut accounts = Accounts::new();
    let acme = accounts.archived("Acme", "c1");
    let live = accounts.live("Live", "c2");
    let gone = accounts.archived("Gone", "c3");
    let refuse = RestoreConflict::Refuse;
    let answer = accounts.unarchive(acme, Some("LIVE"), refuse);
    assert_eq!(unique(answer), [unique_at(Place::Identifier, live)]);
    let answer = accounts.unarchive(acme, Some("gone"), refuse);
    let parameter = ConflictParameter::None;
    assert_archived_identifier(answer, (gone, "gone"), Place::Identifier, parameter);
    assert!(accounts.is_archived(acme));
    let answer = accounts.unarchive(acme, Some(" Free "), refuse);
    assert_eq!(good(answer), (Action::Unarchived, acme));
    assert_eq!(accounts.name_of(acme), "Free");
    assert!(accounts.rig.holder("acme").is_none());
    accounts.rig.check();
}

#[test]
fn a_unique_value_that_was_taken_meanwhile_is_a_conflict_or_cleared() {
    for by_id in [true, false] {
        let mut accounts = Accounts::new();
        let acme = accounts.archived("Acme", "c1");
        let taker = accounts.live("Other", "C1");
        let code = accounts.code;
        let call = |accounts: &mut Accounts, restore_conflict| {
            if by_id {
                accounts.unarchive(acme, None, restore_conflict)
            } else {
                accounts.upsert("acme", &[], Modes { restore_conflict, ..UNARCHIVE })
            }
        };
        let refused = conflict(call(&mut accounts, RestoreConflict::Refuse));
        let Conflict::UniqueOnRestore { record, clashes } = refused else { panic!("{refused:?}") };
        assert_eq!((record.id(), clashes.len()), (acme, 1));
        let value = Value::Text("c1".into());
        assert_eq!(clashes[0], Clash { parts: vec![(code, value)], holder: taker });
        assert!(accounts.is_archived(acme));
        let cleared = call(&mut accounts, RestoreConflict::Clear);
        let Ok(Reply::Record(outcome)) = cleared else { panic!("{cleared:?}") };
        assert_eq!((outcome.action, outcome.changed), (Action::Unarchived, vec![code]));
        assert_eq!(accounts.text_of(acme, code), None);
        accounts.rig.check();
    }
}

#[test]
fn a_given_unique_value_saves_a_restore_from_its_stored_one() {
    let mut accounts = Accounts::new();
    let acme = accounts.archived("Acme", "c1");
    let taker = accounts.live("Other", "c1");
    let code = accounts.code;
    let answer = accounts.upsert("acme", &[(code, text("c9"))], UNARCHIVE);
    assert_eq!(good(answer), (Action::Unarchived, acme));
    accounts.rig.run(Ask::Archive(acme)).unwrap();
    let answer = accounts.upsert("acme", &[(code, text("c1"))], UNARCHIVE);
    assert_eq!(unique(answer), [unique_at(entry(0, code), taker)]);
    accounts.rig.check();
}

#[test]
fn a_required_unique_value_cannot_be_cleared_by_an_upsert_that_restores() {
    let mut accounts = Accounts::new();
    let mut serial = field("serial", "integer");
    (serial.is_unique, serial.is_required) = (Some(true), Some(true));
    let serial = accounts.rig.add_field(serial);
    let number = |number| (serial, Change::Set(Value::Integer(number)));
    let base = [accounts.region("north"), number(1)];
    let acme = created(accounts.upsert("Acme", &base, Modes::default()));
    accounts.rig.run(Ask::Archive(acme)).unwrap();
    created(accounts.upsert("Other", &base, Modes::default()));
    let modes = Modes { restore_conflict: RestoreConflict::Clear, ..UNARCHIVE };
    let answer = accounts.upsert("Acme", &[], modes);
    assert_eq!(faults(answer), [required(Place::Field(serial))]);
    // By id nobody asks for required values.
    let answer = accounts.unarchive(acme, None, RestoreConflict::Clear);
    assert_eq!(good(answer), (Action::Unarchived, acme));
}

// Freeing an archived identifier, and what archiving frees.

#[test]
fn a_discarded_name_that_is_taken_gets_a_number() {
    let mut accounts = Accounts::new();
    let writes = [accounts.region("north")];
    for expected in [DISCARDED.to_owned(), format!("{DISCARDED}_2"), format!("{DISCARDED}_3")] {
        let (_, id) = good(accounts.upsert("Acme", &writes, OVERWRITE));
        accounts.rig.run(Ask::Archive(id)).unwrap();
        let (_, taker) = good(accounts.upsert("Acme", &writes, OVERWRITE));
        assert_eq!(accounts.name_of(id), expected);
        accounts.rig.run(Ask::Archive(taker)).unwrap();
        accounts.rig.run(Ask::Purge(taker)).unwrap();
    }
}

#[test]
fn an_archived_record_claims_nothing_but_its_identifier() {
    let mut accounts = Accounts::new();
    let acme = accounts.live("Acme", "c1");
    let writes = [(system::NAME, text("New")), (accounts.code, text("C1"))];
    let writes = [writes[0].clone(), writes[1].clone(), accounts.region("north")];
    let answer = accounts.add(&writes, Modes::default());
    assert_eq!(unique(answer), [unique_at(entry(1, accounts.code), acme)]);
    accounts.rig.run(Ask::Archive(acme)).unwrap();
    assert_eq!(good(accounts.add(&writes, Modes::default())).0, Action::Created);
    accounts.rig.check();
}

// Purging.

#[test]
fn only_archived_records_are_purged_and_their_key_is_free() {
    let mut accounts = Accounts::new();
    let acme = accounts.live("Acme", "c1");
    assert!(matches!(accounts.rig.run(Ask::Purge(acme)), Err(Rejection::NotArchived)));
    assert!(matches!(accounts.rig.run(Ask::Purge(nobody())), Err(Rejection::NotFound)));
    accounts.rig.run(Ask::Archive(acme)).unwrap();
    accounts.rig.decide(Ask::Purge(acme)).unwrap();
    let Some([Event::Purged(purge)]) = accounts.rig.pending.back().map(Vec::as_slice) else {
        panic!("no purge")
    };
    assert_eq!((purge.old.id(), purge.follow_up.0), (acme, 1));
    accounts.rig.apply_all();
    assert!(accounts.rig.seen(acme).is_none() && accounts.rig.holder("acme").is_none());
    assert!(matches!(accounts.rig.run(Ask::Purge(acme)), Err(Rejection::NotFound)));
    accounts.live("Acme", "c1");
    accounts.rig.check();
}
