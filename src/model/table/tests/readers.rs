//! Readers on other threads while a table is written on: a held key is never missed.

use crate::model::id::{FieldNumber, RecordId};
use crate::model::key::Key;
use crate::model::schema::system;
use crate::model::table::command::{
    Add, ArchivedConflict, ArchivedMatch, Ask, Extent, RestoreConflict, Update,
};
use crate::model::table::event::Claim;
use crate::model::table::index::GROW_AT;
use crate::model::table::intent::Intent;
use crate::model::table::test_support::{Rig, created, field, text};
use crate::model::table::{Shown, decide::keys};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};

fn key(shown: &Shown, name: &str) -> Key {
    shown.schema().identifier_key(name).unwrap()
}

/// Runs `look` on two threads over and over while `write` runs, and each of them at least once more
/// after it.
fn beside(look: impl Fn() + Sync, write: impl FnOnce()) {
    let is_over = AtomicBool::new(false);
    let looks = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let mut is_last = false;
                while !is_last {
                    is_last = is_over.load(SeqCst);
                    look();
                    looks.fetch_add(1, SeqCst);
                }
            });
        }
        while looks.load(SeqCst) < 2 {
            std::thread::yield_now();
        }
        write();
        is_over.store(true, SeqCst);
    });
}

fn upsert(rig: &mut Rig, name: &str, archived_match: ArchivedMatch) -> RecordId {
    let upsert = Intent {
        archived_match,
        archived_conflict: ArchivedConflict::Overwrite,
        ..Intent::of_identifier(rig.identifier(name), rig.writes([]))
    };
    let outcome =
        crate::model::table::test_support::outcome(rig.run(Ask::Upsert(Box::new(upsert))));
    outcome.record.id()
}

fn write(rig: &mut Rig, id: RecordId, field: FieldNumber, value: &str) {
    let writes = rig.writes([(field, text(value))]);
    let archived_conflict = ArchivedConflict::Overwrite;
    let update = Update { id, writes, archived_conflict, extent: Extent::Mentioned };
    rig.run(Ask::Update(Box::new(update))).unwrap();
}

#[test]
fn a_held_key_is_never_missed_while_its_holder_changes() {
    let mut rig = Rig::accounts();
    let shown = rig.table.shown();
    let hot = key(&shown, "hot");
    upsert(&mut rig, "hot", ArchivedMatch::Overwrite);
    let look = || {
        let holder = shown.holder(&hot).expect("somebody always has it");
        assert_eq!(holder.key(), Some(hot.as_bytes()));
    };
    beside(look, || {
        for round in 0..400 {
            // Taken from an archived record by one that is created, then by one that is renamed.
            let holder = shown.holder(&hot).unwrap().id();
            rig.run(Ask::Archive(holder)).unwrap();
            let taker = upsert(&mut rig, "HOT", ArchivedMatch::Overwrite);
            assert_ne!(taker, holder);
            let other = upsert(&mut rig, &format!("other {round}"), ArchivedMatch::Prompt);
            rig.run(Ask::Archive(taker)).unwrap();
            write(&mut rig, other, system::NAME, "Hot");
            // Written on, and restored.
            write(&mut rig, other, system::NAME, "hOT");
            rig.run(Ask::Archive(other)).unwrap();
            assert_eq!(upsert(&mut rig, "hot", ArchivedMatch::Unarchive), other);
        }
    });
    rig.check();
}

#[test]
fn a_renamed_record_is_always_under_its_old_or_its_new_name() {
    const ROUNDS: usize = 1_500;
    let mut rig = Rig::accounts();
    let shown = rig.table.shown();
    let id = upsert(&mut rig, "name 0", ArchivedMatch::Prompt);
    let names: Vec<Key> = (0..=ROUNDS).map(|at| key(&shown, &format!("name {at}"))).collect();
    let seen_at = AtomicUsize::new(0);
    let look = || {
        // No name comes twice, and the next one is there before one goes. So whoever finds a name
        // gone finds the record under one of the next, however far it has come meanwhile.
        let from = seen_at.load(SeqCst);
        let found = (from..=ROUNDS).find(|at| shown.holder(&names[*at]).is_some());
        seen_at.fetch_max(found.expect("it is under one of its names"), SeqCst);
        assert_eq!(shown.record(id).map(|record| record.id()), Some(id));
    };
    beside(look, || {
        for round in 1..=ROUNDS {
            write(&mut rig, id, system::NAME, &format!("name {round}"));
        }
    });
    assert_eq!(seen_at.into_inner(), ROUNDS);
    rig.check();
}

#[test]
fn a_unique_value_is_never_missed_while_its_record_changes() {
    let mut rig = Rig::accounts();
    let code = rig.add_field(crate::model::schema::new_field::NewField {
        is_unique: Some(true),
        ..field("code", "text")
    });
    let shown = rig.table.shown();
    let id = upsert(&mut rig, "holder", ArchivedMatch::Prompt);
    write(&mut rig, id, code, "c1");
    let record = rig.seen(id).unwrap();
    let claims: Vec<Claim> = keys::claims_of(&shown.schema(), record.body());
    let look = || {
        let index = shown.unique(code).unwrap();
        assert_eq!(index.get(&claims[0].key).map(|held| held.id()), Some(id));
    };
    beside(look, || {
        for round in 0..1_000 {
            write(&mut rig, id, system::NAME, &format!("holder {round}"));
            write(&mut rig, id, code, ["C1", "c1"][round % 2]);
        }
    });
    rig.check();
}

#[test]
fn who_sees_a_sequence_sees_its_change() {
    let mut rig = Rig::accounts();
    let shown = rig.table.shown();
    let look = || {
        let sequence = shown.sequence().0;
        if sequence > 1 {
            let name = key(&shown, &format!("record {sequence}"));
            assert!(shown.holder(&name).is_some(), "{sequence}");
        }
    };
    beside(look, || {
        for sequence in 2..2_000 {
            upsert(&mut rig, &format!("record {sequence}"), ArchivedMatch::Prompt);
        }
    });
}

#[test]
fn a_table_that_grows_big_loses_no_look_up() {
    let mut rig = Rig::accounts();
    let shown: Arc<Shown> = rig.table.shown();
    let add = |rig: &mut Rig, at: usize| {
        let writes = rig.writes([(system::NAME, text(&format!("record {at}")))]);
        let (archived_match, restore_conflict) = (ArchivedMatch::Prompt, RestoreConflict::Refuse);
        let add = Add { writes, archived_match, restore_conflict };
        created(rig.run(Ask::Add(Box::new(add))))
    };
    let ids: Vec<RecordId> = (0..GROW_AT - 1).map(|at| add(&mut rig, at)).collect();
    assert!(shown.ids.is_small() && shown.keys.is_small());
    let next = AtomicUsize::new(0);
    let look = || {
        let at = next.fetch_add(1, SeqCst) % ids.len();
        assert_eq!(shown.record(ids[at]).map(|record| record.id()), Some(ids[at]));
        let holder = shown.holder(&key(&shown, &format!("record {at}")));
        assert_eq!(holder.map(|record| record.id()), Some(ids[at]));
    };
    beside(look, || {
        add(&mut rig, GROW_AT);
        assert!(!shown.keys.is_small() && shown.ids.is_small(), "one map a change");
        add(&mut rig, GROW_AT + 1);
        assert!(!shown.keys.is_small() && !shown.ids.is_small());
        for at in 2..200 {
            add(&mut rig, GROW_AT + at);
        }
        for (at, id) in ids.iter().enumerate().take(500) {
            write(&mut rig, *id, system::NAME, &format!("RECORD {at}"));
        }
    });
    crate::model::table::test_support::assert_whole(&rig.table);
}
