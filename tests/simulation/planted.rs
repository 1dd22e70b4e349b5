//! Faults that are planted: a judge that has never found anything proves nothing.
//!
//! Each changes what is seen of a sound world in one way that must never be; and one is a disk that
//! lies, which the whole simulation has to notice.

use crate::simulation::ask::{Ask, CODE, KIND, NOTE, Writes};
use crate::simulation::crash::first_finding;
use crate::simulation::judge::{Ids, Violation, judge};
use crate::simulation::observed::{Observed, ObservedTable};
use crate::simulation::scenario;
use crate::simulation::sim::{Finding, Sim};
use crate::simulation::world::people::Person;
use crate::simulation::world::{Action, Change, Record, RecordNumber, World, key_of};
use crate::support::Seed;
use std::path::PathBuf;
use upsertd::model::id::{RecordId, Timestamp};
use upsertd::model::table::command::{ArchivedConflict, ArchivedMatch};
use upsertd::storage::disk::{Disk, DiskFile};
use upsertd::storage::error::StorageError;
use upsertd::storage::memory_disk::MemoryDisk;

const TABLE: &str = "accounts";
const NOW: Timestamp = Timestamp(1_700_000_000_000);
/// Archived, and displaced by the taker of its name.
const DISPLACED: RecordNumber = RecordNumber(0);
const TAKER: RecordNumber = RecordNumber(2);
/// Purged; one activity is about it until the agenda has been told.
const PURGED: RecordNumber = RecordNumber(3);

fn id(number: RecordNumber) -> RecordId {
    RecordId::from_bytes([u8::try_from(number.0).expect("there are few") + 1; 16])
}

/// A world with something of everything in it.
fn world() -> (World, Ids) {
    let mut world = World::default();
    for change in [
        Change::Founded,
        Change::Object(TABLE),
        Change::Field(TABLE, NOTE),
        Change::Field(TABLE, CODE),
    ] {
        world.apply(&change);
    }
    let with_code = Ask::Upsert {
        lookup: "Beta".to_owned(),
        writes: Writes { code: Some("c1".to_owned()), ..Writes::default() },
        archived_match: ArchivedMatch::Prompt,
        archived_conflict: ArchivedConflict::Refuse,
    };
    for (ask, addressed) in [
        (Ask::upsert("Acme", "first"), None),
        (with_code, None),
        (Ask::Archive(String::new()), Some(DISPLACED)),
        (Ask::overwrite("Acme", "taker"), None),
        (Ask::upsert("Cora", ""), None),
        (Ask::Archive(String::new()), Some(PURGED)),
    ] {
        let (_, changes) = world.decide(TABLE, &ask, addressed, NOW);
        assert!(!changes.is_empty(), "{ask:?} changes something");
        for change in &changes {
            world.apply(change);
        }
    }
    world.apply(&Change::Scheduled(TABLE, PURGED));
    world.apply(&Change::Purged(TABLE, PURGED));
    let ids = (0..4).map(|number| ((TABLE, RecordNumber(number)), id(RecordNumber(number))));
    (world, ids.collect())
}

/// What readers of a world see.
fn seen(world: &World, ids: &Ids) -> Observed {
    let mut observed = Observed::default();
    for (name, table) in &world.tables {
        let mut seen = ObservedTable {
            sequence: table.sequence,
            fields: table.fields.clone(),
            holder_count: table.records.len(),
            by_id_count: table.records.len(),
            follow_up_last: table.follow_up_last,
            ..ObservedTable::default()
        };
        for (number, record) in &table.records {
            let id = ids[&(*name, *number)];
            seen.records.push((id, record.clone()));
            seen.by_id.insert(id, record.clone());
            seen.holders.insert(key_of(&record.name), id);
            if !record.is_archived {
                seen.live_count += 1;
                seen.code_holders.extend(record.code.clone().map(|code| (code, id)));
            }
        }
        seen.code_holder_count = seen.code_holders.len();
        let open = table.follow_ups_open.iter();
        seen.follow_ups_open = open.map(|(at, number)| (*at, ids[&(*name, *number)])).collect();
        observed.tables.insert(name, seen);
    }
    for ((table, number), id) in ids {
        observed.activities.insert(*id, world.activities_about(table, *number));
    }
    observed
}

/// Plants a fault and gives what the judge finds.
fn check(plant: impl FnOnce(&mut ObservedTable, &mut Observed), expected: fn(&Violation) -> bool) {
    let (world, mut ids) = world();
    let mut observed = seen(&world, &ids);
    assert_eq!(judge(&observed, &world, &mut ids), Ok(()), "the world is sound");
    let mut table = observed.tables.remove(TABLE).expect("it is there");
    plant(&mut table, &mut observed);
    observed.tables.insert(TABLE, table);
    let found = judge(&observed, &world, &mut ids).expect_err("the fault is found");
    assert!(expected(&found), "{found}");
}

fn record(table: &mut ObservedTable, number: RecordNumber) -> &mut Record {
    let found = table.records.iter_mut().find(|(held, _)| *held == id(number));
    &mut found.expect("it is there").1
}

#[test]
fn a_lost_record_is_found() {
    check(
        |table, _| table.records.retain(|(held, _)| *held != id(TAKER)),
        |found| matches!(found, Violation::Lost { number: TAKER, .. }),
    );
}

#[test]
fn a_lost_update_is_found() {
    check(
        |table, _| record(table, TAKER).note = Some("older".to_owned()),
        |found| matches!(found, Violation::Differs { number: TAKER, .. }),
    );
}

#[test]
fn an_update_that_happened_twice_is_found() {
    check(
        |table, _| record(table, TAKER).version += 1,
        |found| matches!(found, Violation::Differs { number: TAKER, .. }),
    );
}

#[test]
fn a_resurrected_archived_record_is_found() {
    check(
        |table, _| record(table, DISPLACED).is_archived = false,
        |found| matches!(found, Violation::Differs { number: DISPLACED, .. }),
    );
}

#[test]
fn a_resurrected_purged_record_is_found() {
    check(
        |table, _| table.records.push((id(PURGED), Record::default())),
        |found| matches!(found, Violation::Unexpected { .. }),
    );
}

#[test]
fn half_an_overwrite_is_found() {
    check(
        |table, _| record(table, DISPLACED).name = "Acme".to_owned(),
        |found| matches!(found, Violation::Differs { number: DISPLACED, .. }),
    );
}

#[test]
fn a_record_that_stands_there_twice_is_found() {
    check(
        |table, _| table.records.push(table.records[0].clone()),
        |found| matches!(found, Violation::Twice { .. }),
    );
}

#[test]
fn records_out_of_order_are_found() {
    check(
        |table, _| table.records.reverse(),
        |found| matches!(found, Violation::Order { table: TABLE }),
    );
}

#[test]
fn a_key_that_leads_to_another_record_is_found() {
    check(
        |table, _| {
            table.holders.insert("acme".to_owned(), id(DISPLACED));
        },
        |found| matches!(found, Violation::Holder { .. }),
    );
}

#[test]
fn a_key_that_nobody_finds_is_found() {
    check(
        |table, _| {
            table.holders.remove("acme");
        },
        |found| matches!(found, Violation::Holder { found: None, .. }),
    );
}

#[test]
fn a_key_that_was_not_freed_is_found() {
    check(
        |table, _| {
            table.holders.insert("cora".to_owned(), id(PURGED));
        },
        |found| matches!(found, Violation::Holder { expected: None, .. }),
    );
}

#[test]
fn a_code_that_was_not_freed_is_found() {
    check(
        |table, _| {
            table.code_holders.insert("c2".to_owned(), id(DISPLACED));
        },
        |found| matches!(found, Violation::Holder { expected: None, .. }),
    );
}

#[test]
fn an_index_with_one_too_many_is_found() {
    check(
        |table, _| table.holder_count += 1,
        |found| matches!(found, Violation::Count { what: "keys", .. }),
    );
}

#[test]
fn an_id_that_leads_to_an_older_version_is_found() {
    check(
        |table, _| table.by_id.get_mut(&id(TAKER)).expect("it is there").version -= 1,
        |found| matches!(found, Violation::ById { .. }),
    );
}

#[test]
fn an_option_that_is_gone_is_found() {
    check(
        |table, _| {
            record(table, TAKER).choices.insert(KIND, "big");
        },
        |found| matches!(found, Violation::Differs { number: TAKER, .. }),
    );
}

#[test]
fn an_owner_who_is_gone_is_found() {
    check(
        |table, _| record(table, TAKER).owner = Some("m0@example.com".to_owned()),
        |found| matches!(found, Violation::Differs { number: TAKER, .. }),
    );
}

#[test]
fn a_rule_that_was_not_switched_is_found() {
    check(
        |table, _| table.fields.get_mut(CODE).expect("it is there").is_unique = false,
        |found| matches!(found, Violation::Fields { table: TABLE, .. }),
    );
}

#[test]
fn a_relation_that_is_not_there_is_found() {
    check(
        |table, _| drop(table.related.insert(id(TAKER), vec![id(DISPLACED)])),
        |found| matches!(found, Violation::Related { table: TABLE, .. }),
    );
}

#[test]
fn a_member_who_came_back_is_found() {
    check(
        |_, observed| {
            let member = (Person::default(), 0);
            observed.people.members.insert("m0@example.com".to_owned(), member);
        },
        |found| matches!(found, Violation::People { .. }),
    );
}

#[test]
fn an_action_of_which_more_was_done_is_found() {
    check(
        |_, observed| observed.actions.push(Action::default()),
        |found| matches!(found, Violation::Actions { .. }),
    );
}

#[test]
fn an_object_whose_name_was_not_freed_is_found() {
    check(
        |_, observed| {
            observed.leaving.insert("deals");
        },
        |found| matches!(found, Violation::Archived { .. }),
    );
}

#[test]
fn a_gap_in_the_sequence_is_found() {
    check(
        |table, _| table.sequence += 1,
        |found| matches!(found, Violation::Sequence { table: TABLE, .. }),
    );
}

#[test]
fn a_lost_follow_up_is_found() {
    check(
        |table, _| table.follow_ups_open.clear(),
        |found| matches!(found, Violation::FollowUps { .. }),
    );
}

/// The world knows of a record that was purged before its creation was answered.
fn purged_unheard() -> (World, Ids, Observed) {
    let (world, mut ids) = world();
    let observed = seen(&world, &ids);
    ids.remove(&(TABLE, PURGED));
    (world, ids, observed)
}

#[test]
fn the_id_of_a_record_purged_unheard_is_learned_from_its_follow_up() {
    let (world, mut ids, observed) = purged_unheard();
    assert_eq!(judge(&observed, &world, &mut ids), Ok(()));
    assert_eq!(ids.get(&(TABLE, PURGED)), Some(&id(PURGED)));
}

#[test]
fn a_follow_up_about_another_record_than_the_purged_is_found() {
    let (world, mut ids, mut observed) = purged_unheard();
    let table = observed.tables.get_mut(TABLE).expect("it is there");
    table.follow_ups_open.insert(1, id(RecordNumber(0)));
    let found = judge(&observed, &world, &mut ids).expect_err("that record is still there");
    assert!(matches!(found, Violation::FollowUps { .. }), "{found:?}");
}

#[test]
fn a_lost_follow_up_of_a_record_purged_unheard_is_found() {
    let (world, mut ids, mut observed) = purged_unheard();
    observed.tables.get_mut(TABLE).expect("it is there").follow_ups_open.clear();
    let found = judge(&observed, &world, &mut ids).expect_err("nobody tells the agenda");
    assert!(matches!(found, Violation::FollowUps { .. }), "{found:?}");
}

#[test]
fn a_lost_activity_is_found() {
    check(
        |_, observed| {
            observed.activities.insert(id(PURGED), 0);
        },
        |found| matches!(found, Violation::Activities { .. }),
    );
}

#[test]
fn a_lost_table_is_found() {
    check(
        |_, observed| {
            observed.tables.remove("client_client");
        },
        |found| matches!(found, Violation::Tables { .. }),
    );
}

#[test]
fn an_activity_about_what_is_gone_is_found() {
    let (mut world, mut ids) = world();
    world.apply(&Change::Confirmed(TABLE, 1));
    let observed = seen(&world, &ids);
    let found = judge(&observed, &world, &mut ids).expect_err("nobody will ever tell the agenda");
    assert_eq!(found, Violation::Orphan { table: TABLE, number: PURGED });
}

#[test]
fn two_records_with_one_key_are_found_even_if_the_world_agrees() {
    let (mut world, mut ids) = world();
    let table = world.tables.get_mut(TABLE).expect("it is there");
    table.records.get_mut(&DISPLACED).expect("it is there").name = "ACME".to_owned();
    let observed = seen(&world, &ids);
    let found = judge(&observed, &world, &mut ids).expect_err("a key has one holder");
    assert!(matches!(found, Violation::HeldByTwo { .. }), "{found}");
}

/// A disk whose syncs of files do nothing and say that they did.
#[derive(Clone, Debug)]
pub(crate) struct LyingDisk(pub(crate) MemoryDisk);

#[derive(Debug)]
struct LyingFile(Box<dyn DiskFile>);

impl Disk for LyingDisk {
    fn create_new(&self, name: &str) -> Result<Box<dyn DiskFile>, StorageError> {
        Ok(Box::new(LyingFile(self.0.create_new(name)?)))
    }

    fn open(&self, name: &str) -> Result<Box<dyn DiskFile>, StorageError> {
        Ok(Box::new(LyingFile(self.0.open(name)?)))
    }

    fn rename(&self, from: &str, to: &str) -> Result<(), StorageError> {
        self.0.rename(from, to)
    }

    fn remove(&self, name: &str) -> Result<(), StorageError> {
        self.0.remove(name)
    }

    fn resize(&self, name: &str, length: u64) -> Result<(), StorageError> {
        self.0.resize(name, length)
    }

    fn list(&self) -> Result<Vec<String>, StorageError> {
        self.0.list()
    }

    fn sync_directory(&self) -> Result<(), StorageError> {
        self.0.sync_directory()
    }

    fn free_bytes(&self) -> Result<u64, StorageError> {
        self.0.free_bytes()
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path(name)
    }
}

impl DiskFile for LyingFile {
    fn write_at(&self, bytes: &[u8], offset: u64) -> Result<(), StorageError> {
        self.0.write_at(bytes, offset)
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> Result<usize, StorageError> {
        self.0.read_at(buffer, offset)
    }

    fn allocate(&self, length: u64) -> Result<(), StorageError> {
        self.0.allocate(length)
    }

    fn sync_data(&self) -> Result<(), StorageError> {
        Ok(())
    }

    fn sync_all(&self) -> Result<(), StorageError> {
        Ok(())
    }

    fn length(&self) -> Result<u64, StorageError> {
        self.0.length()
    }

    fn drop_cache(&self) -> Result<(), StorageError> {
        self.0.drop_cache()
    }

    fn prefetch(&self, offset: u64, length: u64) -> Result<(), StorageError> {
        self.0.prefetch(offset, length)
    }
}

#[test]
fn a_disk_that_lies_about_its_syncs_is_found_out() {
    let base = first_finding(&scenario::creating(), Seed::fixed("a lying disk", 1), Sim::with_lies);
    let finding = base.expect("an answered write is gone after a power cut");
    assert!(
        matches!(finding, Finding::Promise(_) | Finding::Refused(_)),
        "the loss shows as what it is: {finding}"
    );
}

#[test]
fn an_honest_disk_is_not_accused() {
    let seed = Seed::fixed("an honest disk", 1);
    let finding = first_finding(&scenario::creating(), seed, |sim| sim);
    assert!(finding.is_none(), "{finding:?}");
}
