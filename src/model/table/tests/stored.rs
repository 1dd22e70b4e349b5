//! Events in their stored form: what they carry, what a replay refuses, and that damage never stops
//! the process.

use crate::model::id::{FieldNumber, RecordId, Sequence, Version};
use crate::model::moment::Moment;
use crate::model::schema::changed_field::ChangedField;
use crate::model::schema::new_field::NewField;
use crate::model::schema::system;
use crate::model::state::State;
use crate::model::table::command::{
    Add, ArchivedConflict, ArchivedMatch, Ask, Extent, Reply, RestoreConflict, TeamEdit, Update,
};
use crate::model::table::decide::Rejection;
use crate::model::table::event::{Event, Reason};
use crate::model::table::event_form::{Misfit, Stored, StoredChange, decode};
use crate::model::table::schema_command::SchemaAsk;
use crate::model::table::test_support::{
    BIRTH, Rig, SETTING, created, field, member, object, replayed, text,
};
use crate::model::table::tests::random::played;
use crate::model::table::tests::steps::{any_kind, any_steps};
use crate::model::table::{Limits, Setting, Table};
use crate::model::value::{Change, ListChange, TagRef};
use proptest::prelude::*;

fn add(rig: &mut Rig, name: &str, archived_match: ArchivedMatch) -> Result<Reply, Rejection> {
    let writes = rig.writes([(system::NAME, text(name))]);
    let restore_conflict = RestoreConflict::Refuse;
    rig.run(Ask::Add(Box::new(Add { writes, archived_match, restore_conflict })))
}

fn write(
    rig: &mut Rig,
    id: RecordId,
    field: FieldNumber,
    change: Change,
) -> Result<Reply, Rejection> {
    let writes = rig.writes([(field, change)]);
    let archived_conflict = ArchivedConflict::Refuse;
    rig.run(Ask::Update(Box::new(Update {
        id,
        writes,
        archived_conflict,
        extent: Extent::Mentioned,
    })))
}

fn stored(rig: &Rig, at: usize) -> Stored<'_> {
    decode(&mut &rig.log[at][..]).unwrap().1
}

fn change(rig: &Rig, at: usize) -> StoredChange<'_> {
    let Stored::Record(change) = stored(rig, at) else { panic!("no change of a record") };
    change
}

#[test]
fn an_object_is_told_once_that_a_member_is_gone() {
    let mut rig = Rig::accounts();
    let before = rig.log.len();
    for _ in 0..2 {
        rig.run(Ask::ChangeSchema(SchemaAsk::RemoveMember(member(2)))).unwrap();
    }
    assert_eq!(rig.log.len(), before + 1);
    let schema = rig.schema();
    assert!(schema.knows_removed(member(2)) && !schema.knows_removed(member(3)));
    rig.check();
}

#[test]
fn a_change_carries_its_chain_its_fields_and_its_reason() {
    let mut rig = Rig::accounts();
    let acme = created(add(&mut rig, "Acme", ArchivedMatch::Prompt));
    write(&mut rig, acme, system::NAME, text("ACME")).unwrap();
    rig.run(Ask::Archive(acme)).unwrap();
    created(add(&mut rig, "acme", ArchivedMatch::Overwrite));
    let expected = [
        (acme, 2, 1, 0, vec![system::NAME, system::OWNER], None),
        (acme, 3, 2, 2, vec![system::NAME], None),
        (acme, 4, 3, 3, vec![], None),
        (acme, 5, 4, 4, vec![system::NAME], Some(Reason::IdentifierOverwritten)),
    ];
    for (at, (id, sequence, version, previous, fields, reason)) in (1..).zip(expected) {
        let change = change(&rig, at);
        assert_eq!((change.id, change.sequence), (id, Sequence(sequence)));
        assert_eq!((change.version, change.previous), (Version(version), Sequence(previous)));
        assert_eq!((change.changed, change.reason), (fields, reason));
    }
    rig.check();
}

#[test]
fn a_purge_leaves_its_whole_tombstone_and_no_value() {
    let mut rig = Rig::accounts();
    let acme = created(add(&mut rig, "Acme Corp", ArchivedMatch::Prompt));
    rig.run(Ask::Archive(acme)).unwrap();
    rig.run(Ask::Purge(acme)).unwrap();
    let Stored::Purged(purge) = stored(&rig, 3) else { panic!("no purge") };
    assert_eq!((purge.id, purge.sequence, purge.follow_up.0), (acme, Sequence(4), 1));
    assert_eq!((purge.version, purge.previous), (Version(3), Sequence(3)));
    assert_eq!(purge.key_hash, Some(rig.table.digest.key_hash(b"acme corp")));
    assert_ne!(purge.key_hash, Some(rig.table.digest.key_hash(b"Acme Corp")));
    let text = String::from_utf8_lossy(&rig.log[3]).to_lowercase();
    assert!(!text.contains("acme"), "{text}");
    rig.check();
}

#[test]
fn a_purge_of_a_record_without_a_key_has_no_hash() {
    let mut rig = Rig::contacts();
    let writes = rig.writes([(system::FIRST_NAME, text("Ann"))]);
    let (archived_match, restore_conflict) = (ArchivedMatch::Prompt, RestoreConflict::Refuse);
    let add = Add { writes, archived_match, restore_conflict };
    let ann = created(rig.run(Ask::Add(Box::new(add))));
    rig.run(Ask::Archive(ann)).unwrap();
    rig.run(Ask::Purge(ann)).unwrap();
    let Stored::Purged(purge) = stored(&rig, 3) else { panic!("no purge") };
    assert_eq!(purge.key_hash, None);
    rig.check();
}

#[test]
fn a_team_is_stored_without_a_version_or_sequence() {
    let mut rig = Rig::accounts();
    let acme = created(add(&mut rig, "Acme", ArchivedMatch::Prompt));
    let before = rig.seen(acme).unwrap();
    for (present, team) in [(true, vec![member(2)]), (true, vec![member(2)]), (false, vec![])] {
        rig.run(Ask::Team(TeamEdit { id: acme, member: member(2), present })).unwrap();
        let record = rig.seen(acme).unwrap();
        assert_eq!(record.explicit_team(), team);
        assert_eq!((record.version(), record.sequence()), (before.version(), before.sequence()));
        assert_eq!(record.time(system::UPDATED), before.time(system::UPDATED));
    }
    assert_eq!(rig.log.len(), 4, "asking again writes nothing");
    let gone = rig.run(Ask::Team(TeamEdit { id: acme, member: member(2), present: false }));
    assert_eq!(gone.unwrap_err(), Rejection::NotFound);
    assert_eq!(rig.seen(acme), Some(before));
    rig.check();
}

/// A table with limits, one field of tags and one of long text.
fn limited(record_bytes_max: usize, commit_bytes_max: usize) -> (Rig, FieldNumber, FieldNumber) {
    let mut moment = Moment::new(7, BIRTH);
    let schema = object("insensitive", &mut moment);
    let limits = Limits { record_bytes_max, commit_bytes_max };
    let mut rig = Rig::born_within(schema, moment, Setting { limits, ..SETTING });
    let labels = rig.add_field(field("labels", "dynamictags"));
    let notes = rig.add_field(field("notes", "longtext"));
    (rig, labels, notes)
}

#[test]
fn a_record_is_measured_by_its_fields_and_can_always_be_archived() {
    let name = "x".repeat(200);
    let (mut rig, _, notes) = limited(300, 1 << 20);
    let acme = created(add(&mut rig, &name, ArchivedMatch::Prompt));
    let bytes = rig.seen(acme).unwrap().body().fields_len();
    let room = 300 - bytes - 3; // Number, marker and length of the text.
    let refused = write(&mut rig, acme, notes, text(&"y".repeat(room + 1)));
    let expected = Rejection::TooLarge { what: "record", bytes: 301, max: 300 };
    assert_eq!(refused.unwrap_err(), expected);
    assert_eq!(rig.table.sequence(), Sequence(4), "nothing is written");
    write(&mut rig, acme, notes, text(&"y".repeat(room))).unwrap();
    for number in 2..5 {
        rig.run(Ask::Team(TeamEdit { id: acme, member: member(number), present: true })).unwrap();
    }
    rig.run(Ask::Archive(acme)).unwrap();
    created(add(&mut rig, &name, ArchivedMatch::Overwrite));
    assert!(rig.seen(acme).unwrap().body().fields_len() > 300, "its discarded name is longer");
    rig.check();
}

#[test]
fn a_commit_is_measured_with_the_tags_it_makes() {
    const MAX: usize = 8_000;
    let (mut rig, labels, _) = limited(1 << 20, MAX);
    let acme = created(add(&mut rig, "Acme", ArchivedMatch::Prompt));
    let tags = |count: usize| {
        let names = (0..count).map(|at| format!("{at:03}{}", "t".repeat(97)));
        let tags = names.map(|name| TagRef::Named(name.into()));
        Change::Tags(ListChange::Replace(tags.collect()))
    };
    let Err(Rejection::TooLarge { what: "commit", bytes, max: MAX }) =
        write(&mut rig, acme, labels, tags(200))
    else {
        panic!("it was let through")
    };
    assert!(bytes > 20_000, "{bytes}");
    assert_eq!(rig.table.shown.tags.len(), 0, "no tag of a refused command is made");
    write(&mut rig, acme, labels, tags(40)).unwrap();
    assert!(rig.log.last().unwrap().len() <= MAX);
    rig.check();
}

#[test]
fn a_displaced_record_counts_towards_the_commit() {
    let (mut rig, _, notes) = limited(1 << 20, 3_000);
    let acme = created(add(&mut rig, "Acme", ArchivedMatch::Prompt));
    write(&mut rig, acme, notes, text(&"y".repeat(2_400))).unwrap();
    rig.run(Ask::Archive(acme)).unwrap();
    let refused = add(&mut rig, "Acme", ArchivedMatch::Overwrite);
    assert!(matches!(refused, Err(Rejection::TooLarge { what: "commit", .. })), "{refused:?}");
    assert_eq!(rig.holder("Acme").unwrap().id(), acme);
    assert!(rig.draft.is_empty());
    rig.check();
}

#[test]
fn a_log_that_does_not_follow_is_refused() {
    let mut rig = Rig::accounts();
    let acme = created(add(&mut rig, "Acme", ArchivedMatch::Prompt));
    rig.add_field(field("code", "text"));
    write(&mut rig, acme, system::NAME, text("ACME")).unwrap();
    rig.run(Ask::Team(TeamEdit { id: acme, member: member(2), present: true })).unwrap();
    rig.run(Ask::Archive(acme)).unwrap();
    rig.run(Ask::Purge(acme)).unwrap();
    // Birth 0, creation 1, field 2, update 3, team 4, archiving 5, purge 6.
    let check = |order: &[usize], expected: &str| {
        let log: Vec<u8> = order.iter().flat_map(|at| rig.log[*at].clone()).collect();
        let refused = Table::from_birth(&log, SETTING).map(|(_, count)| count).unwrap_err();
        assert_eq!(refused.to_string(), expected, "{order:?}");
    };
    check(&[1], "events of a table stand before the creation of its object");
    check(&[0, 0], "an object's creation stands there twice");
    check(&[0, 2], "sequence 3 stands where 2 was due");
    check(&[0, 1, 1], "sequence 2 stands where 3 was due");
    check(&[0, 1, 3], "sequence 4 stands where 3 was due");
    check(&[0, 4], &format!("record {acme} is not there"));
    check(&[0, 1, 2, 3, 5, 6, 4], &format!("record {acme} is not there"));
    let unknown = encoded_with_sequence(&rig, 5, Sequence(2));
    let refused = Table::from_birth(&[&rig.log[0][..], &unknown].concat(), SETTING);
    assert!(matches!(refused, Err(Misfit::Missing { id }) if id == acme));
    let (mut table, count) = Table::from_birth(&rig.log[..3].concat(), SETTING).unwrap();
    assert_eq!(count, 3);
    let skipped = encoded_with_sequence(&rig, 5, Sequence(4));
    let refused = table.replay(&skipped).unwrap_err().to_string();
    assert_eq!(refused, "version 3 stands where 2 was due");
    assert_eq!(replayed(&rig.log[..3]).sequence(), table.sequence(), "it is left as it was");
}

/// An archiving as it was stored, but for its sequence.
fn encoded_with_sequence(rig: &Rig, at: usize, sequence: Sequence) -> Vec<u8> {
    let (table, _) = Table::from_birth(&rig.log[..at].concat(), SETTING).unwrap();
    let (stamp, stored) = decode(&mut &rig.log[at][..]).unwrap();
    let Stored::Record(stored) = stored else { panic!("{stored:?}") };
    let mut change = table.restore_change(stamp, stored).unwrap();
    let record = &change.record;
    let numbers = (record.version(), sequence, record.slot());
    change.record = crate::model::table::apply::restore_record(
        &table.shown.schema(),
        record.id(),
        numbers,
        record.body().bytes(),
    )
    .unwrap();
    let mut bytes = Vec::new();
    Table::encode(&Event::Record(change), &mut bytes);
    bytes
}

/// A value that nobody relied on when it was stored is looked at when its field becomes unique.
#[test]
fn a_damaged_value_is_found_when_its_field_becomes_unique() {
    let mut rig = Rig::accounts();
    let code = rig.add_field(field("code", "text"));
    let acme = created(add(&mut rig, "Acme", ArchivedMatch::Prompt));
    write(&mut rig, acme, code, text("x")).unwrap();
    let written = rig.log.len() - 1;
    let keys = NewField { is_unique: Some(true), ..NewField::default() };
    let change = Box::new(ChangedField { keys, options: None });
    let ask = SchemaAsk::ChangeField { field: code, change };
    rig.run(Ask::ChangeSchema(ask)).unwrap();
    rig.check();
    let event = &mut rig.log[written];
    let at = event.windows(2).rposition(|two| two == [0xa1, b'x']).unwrap();
    event[at] = 0xcc;
    let refused = Table::from_birth(&rig.log.concat(), SETTING);
    assert!(matches!(refused, Err(Misfit::Shape { what: "a value" })));
}

proptest! {
    #[test]
    fn a_cut_event_is_an_error(kind in any_kind(), steps in any_steps(12)) {
        for bytes in played(kind, &steps).log {
            let mut rest = &bytes[..];
            prop_assert!(decode(&mut rest).is_ok());
            prop_assert!(rest.is_empty());
            for length in (0..bytes.len()).step_by(1 + bytes.len() / 300) {
                prop_assert!(decode(&mut &bytes[..length]).is_err(), "cut at {length}");
            }
        }
    }

    #[test]
    fn damage_never_stops_the_process(
        kind in any_kind(),
        steps in any_steps(12),
        flips in prop::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>(), 1..=255_u8), 24),
    ) {
        let log = played(kind, &steps).log;
        for (event, place, mask) in flips {
            let at = event.index(log.len());
            let mut damaged = log[at].clone();
            let place = place.index(damaged.len());
            damaged[place] ^= mask;
            drop(decode(&mut &damaged[..]));
            let mut whole = log[..at].to_vec();
            whole.push(damaged);
            whole.extend_from_slice(&log[at + 1..]);
            drop(Table::from_birth(&whole.concat(), SETTING));
        }
    }

    #[test]
    fn garbage_never_stops_the_process(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        drop(decode(&mut &bytes[..]));
        drop(Table::from_birth(&bytes, SETTING));
    }
}
