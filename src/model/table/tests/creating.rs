//! The archive table of creating, a case a row: upsert without a live match, and add.

use crate::model::id::Timestamp;
use crate::model::schema::system;
use crate::model::table::command::{
    Action, ArchivedConflict, Ask, FaultKind, Place, RecordFault, Reply,
};
use crate::model::table::decide::{Conflict, ConflictParameter, Rejection};
use crate::model::table::intent::Intent;
use crate::model::table::test_support::{BIRTH, field, text};
use crate::model::table::tests::accounts::{
    Accounts, DISCARDED, Modes, OVERWRITE, UNARCHIVE, assert_archived_identifier, entry, faults,
    good, required, unique, unique_at,
};
use crate::model::value::fault::ValueFault;

#[test]
fn row_1_an_upsert_of_a_live_record_updates_it_in_every_mode() {
    for modes in [Modes::default(), UNARCHIVE, OVERWRITE] {
        let mut accounts = Accounts::new();
        let id = accounts.live("Acme", "c1");
        let south = accounts.region("south");
        let answer = accounts.upsert(" aCME ", &[south], modes);
        assert_eq!(good(answer), (Action::Updated, id));
        assert_eq!(accounts.name_of(id), "Acme", "the stored spelling stays");
        assert_eq!(accounts.text_of(id, accounts.region).unwrap(), "south");
        assert_eq!(accounts.version(id), 2);
    }
}

#[test]
fn row_2_an_upsert_of_nobody_creates() {
    let mut accounts = Accounts::new();
    let north = accounts.region("north");
    let answer = accounts.upsert("Acme", std::slice::from_ref(&north), Modes::default());
    let Ok(Reply::Record(outcome)) = answer else { panic!("{answer:?}") };
    assert_eq!((outcome.action, outcome.record.version().0), (Action::Created, 1));
    assert_eq!(outcome.filled, [system::NAME, system::OWNER]);
    // The owner is nobody's change: it is what a new record has by itself.
    assert_eq!(outcome.changed, [system::NAME, accounts.region]);
    assert_eq!(accounts.name_of(outcome.record.id()), "Acme");
    accounts.rig.check();
}

#[test]
fn rows_3_and_8_prompt_names_the_archived_record_and_writes_nothing() {
    let mut accounts = Accounts::new();
    let acme = accounts.archived("Acme", "c1");
    let logged = accounts.rig.log.len();
    let by_lookup = accounts.upsert("ACME", &[], Modes::default());
    let parameter = ConflictParameter::OncreateUnarchive;
    assert_archived_identifier(by_lookup, (acme, "ACME"), Place::LookupValue, parameter);
    let writes = [(system::NAME, text("acme"))];
    let by_fields = accounts.upsert("other", &writes, Modes::default());
    assert_archived_identifier(by_fields, (acme, "acme"), entry(0, system::NAME), parameter);
    let added = accounts.add(&writes, Modes::default());
    let parameter = ConflictParameter::Unarchive;
    assert_archived_identifier(added, (acme, "acme"), entry(0, system::NAME), parameter);
    assert_eq!(accounts.rig.log.len(), logged);
}

#[test]
fn in_prompt_types_are_checked_and_what_is_missing_is_not() {
    let mut accounts = Accounts::new();
    accounts.archived("Acme", "c1");
    let mut writes = accounts.rig.writes([]);
    let fault = RecordFault {
        place: entry(0, accounts.code),
        kind: FaultKind::Value(ValueFault::TooLong { max: 255 }),
    };
    writes.faults.push(fault.clone());
    let upsert = Intent::of_identifier(accounts.rig.identifier("Acme"), writes);
    let answer = accounts.rig.run(Ask::Upsert(Box::new(upsert)));
    assert_eq!(faults(answer), [fault], "and no fault for the missing region");
}

#[test]
fn in_prompt_a_unique_value_of_a_live_record_is_reported_beside_the_conflict() {
    let mut accounts = Accounts::new();
    let acme = accounts.archived("Acme", "c1");
    let other = accounts.live("Other", "c2");
    let code = accounts.code;
    let writes = [(code, text("C2")), (system::NAME, text("Acme"))];
    let answers = [
        accounts.upsert("Acme", &writes, Modes::default()),
        accounts.add(&writes, Modes::default()),
    ];
    for answer in answers {
        let Err(Rejection::Taken(taken)) = answer else { panic!("{answer:?}") };
        assert_eq!(taken.faults, [unique_at(entry(0, code), other)]);
        let Some(Conflict::ArchivedIdentifier { holder, .. }) = taken.conflict else {
            panic!("no conflict")
        };
        assert_eq!(holder.id(), acme);
    }
}

#[test]
fn rows_4_and_9_unarchive_restores_then_writes_in_one_step() {
    for is_add in [false, true] {
        let mut accounts = Accounts::new();
        let acme = accounts.archived("Acme", "c1");
        let before = accounts.rig.table.sequence();
        accounts.rig.moment.set(Timestamp(BIRTH.0 + 2_000));
        let writes = [(system::NAME, text("ACME")), accounts.region("south")];
        let answer = if is_add {
            accounts.add(&writes, UNARCHIVE)
        } else {
            accounts.upsert("acme", &writes, UNARCHIVE)
        };
        assert_eq!(good(answer), (Action::Unarchived, acme));
        assert!(!accounts.is_archived(acme));
        assert_eq!(accounts.name_of(acme), "ACME", "given values win");
        assert_eq!(accounts.text_of(acme, accounts.region).unwrap(), "south");
        assert_eq!(accounts.text_of(acme, accounts.code).unwrap(), "c1", "stored values stay");
        assert_eq!(accounts.version(acme), 3, "one step after creation and archiving");
        assert_eq!(accounts.rig.table.sequence(), before.next());
        let updated = accounts.rig.seen(acme).unwrap().time(system::UPDATED);
        assert_eq!(updated, Some(Timestamp(BIRTH.0 + 2_000)));
        accounts.rig.check();
    }
}

#[test]
fn a_restored_record_must_have_its_required_values() {
    let mut accounts = Accounts::new();
    let acme = accounts.archived("Acme", "c1");
    let mut late = field("late", "text");
    late.is_required = Some(true);
    let late = accounts.rig.add_field(late);
    let answer = accounts.upsert("Acme", &[], UNARCHIVE);
    assert_eq!(faults(answer), [required(Place::Field(late))]);
    assert!(accounts.is_archived(acme));
    let answer = accounts.upsert("Acme", &[(late, text("now"))], UNARCHIVE);
    assert_eq!(good(answer), (Action::Unarchived, acme));
}

#[test]
fn rows_5_and_10_overwrite_frees_the_identifier_and_creates() {
    for is_add in [false, true] {
        let mut accounts = Accounts::new();
        let acme = accounts.archived("Acme", "c1");
        let updated = accounts.rig.seen(acme).unwrap().time(system::UPDATED);
        let before = accounts.rig.table.sequence();
        accounts.rig.moment.set(Timestamp(BIRTH.0 + 1_000));
        let writes = [(system::NAME, text("ACME")), accounts.region("south")];
        let answer = if is_add {
            accounts.add(&writes, OVERWRITE)
        } else {
            accounts.upsert("acme", &writes, OVERWRITE)
        };
        let (action, id) = good(answer);
        assert_eq!(action, Action::Created);
        assert_ne!(id, acme);
        assert!(accounts.is_archived(acme) && !accounts.is_archived(id));
        assert_eq!(accounts.name_of(acme), DISCARDED);
        assert_eq!((accounts.version(acme), accounts.version(id)), (3, 1));
        assert_eq!(accounts.rig.table.sequence(), before.next().next());
        let displaced = accounts.rig.seen(acme).unwrap();
        assert_eq!(displaced.time(system::UPDATED), updated, "nothing else of it changes");
        assert_eq!(accounts.rig.holder("acme").unwrap().id(), id);
        assert_eq!(accounts.rig.holder(DISCARDED).unwrap().id(), acme);
        accounts.rig.check();
    }
}

#[test]
fn rows_6_and_7_add_refuses_a_live_name_and_creates_a_new_one() {
    for modes in [Modes::default(), UNARCHIVE, OVERWRITE] {
        let mut accounts = Accounts::new();
        let acme = accounts.live("Acme", "c1");
        let writes = [accounts.region("north"), (system::NAME, text("ACME"))];
        let answer = accounts.add(&writes, modes);
        assert_eq!(unique(answer), [unique_at(entry(1, system::NAME), acme)]);
        let writes = [accounts.region("north"), (system::NAME, text("Free"))];
        assert_eq!(good(accounts.add(&writes, modes)).0, Action::Created);
    }
}

// Upserts whose `fields` name another identifier than the lookup value.

#[test]
fn the_name_in_fields_goes_through_the_rows_of_creating() {
    let name = |name: &str| (system::NAME, text(name));
    let mut accounts = Accounts::new();
    let north = accounts.region("north");
    let live = accounts.live("Live", "c1");
    let gone = accounts.archived("Gone", "c2");
    let answer = accounts.upsert("lookup", &[name("LIVE"), north.clone()], Modes::default());
    assert_eq!(unique(answer), [unique_at(entry(0, system::NAME), live)]);
    let answer = accounts.upsert("lookup", &[name("gone"), north.clone()], UNARCHIVE);
    assert_eq!(good(answer), (Action::Unarchived, gone));
    accounts.rig.run(Ask::Archive(gone)).unwrap();
    let answer = accounts.upsert("lookup", &[name("gone"), north.clone()], OVERWRITE);
    let (action, id) = good(answer);
    assert_eq!((action, accounts.name_of(id)), (Action::Created, "gone".to_owned()));
    assert_eq!(accounts.name_of(gone), "gone_discarded_1700000001000");
    let answer = accounts.upsert("lookup", &[name("Free"), north], Modes::default());
    let (action, id) = good(answer);
    assert_eq!((action, accounts.name_of(id)), (Action::Created, "Free".to_owned()));
    assert!(accounts.rig.holder("lookup").is_none(), "nothing is created under it");
}

#[test]
fn the_archived_holder_of_the_lookup_value_comes_first() {
    let mut accounts = Accounts::new();
    let first = accounts.archived("First", "c1");
    let second = accounts.archived("Second", "c2");
    let writes = [(system::NAME, text("Second")), accounts.region("north")];
    let answer = accounts.upsert("first", &writes, Modes::default());
    let parameter = ConflictParameter::OncreateUnarchive;
    assert_archived_identifier(answer, (first, "first"), Place::LookupValue, parameter);
    // Restored first, then renamed as an update: the other archived record is in the way.
    let answer = accounts.upsert("first", &writes, UNARCHIVE);
    let place = entry(0, system::NAME);
    let parameter = ConflictParameter::OnupdateArchivedConflict;
    assert_archived_identifier(answer, (second, "Second"), place, parameter);
    let both = Modes { archived_conflict: ArchivedConflict::Overwrite, ..UNARCHIVE };
    assert_eq!(good(accounts.upsert("first", &writes, both)), (Action::Unarchived, first));
    assert_eq!(accounts.name_of(first), "Second");
    assert_eq!(accounts.name_of(second), "Second_discarded_1700000001000");
    assert!(accounts.rig.holder("first").is_none());
    accounts.rig.check();
}

#[test]
fn overwrite_frees_nothing_it_does_not_need() {
    let mut accounts = Accounts::new();
    let first = accounts.archived("First", "c1");
    let writes = [(system::NAME, text("Free")), accounts.region("north")];
    let (action, id) = good(accounts.upsert("first", &writes, OVERWRITE));
    assert_eq!((action, accounts.name_of(id)), (Action::Created, "Free".to_owned()));
    assert_eq!((accounts.name_of(first), accounts.version(first)), ("First".to_owned(), 2));
}
