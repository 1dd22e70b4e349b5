//! Scans of one table at once, and those that share a room: each is exact, or given up.

use crate::model::id::{Position, RecordId};
use crate::model::table::command::{ArchivedConflict, Ask, Extent, Update};
use crate::model::table::order::CHUNK;
use crate::model::table::record::Record;
use crate::model::table::scan::{GivenUp, Room, Scan};
use crate::model::table::test_support::{Rig, all_records, text};
use crate::model::table::tests::images::filled;
use crate::model::table::tests::steps::{Kind, REGION};
use std::sync::Arc;

fn write(rig: &mut Rig, id: RecordId, region: &str) {
    let writes = rig.writes([(REGION, text(region))]);
    let archived_conflict = ArchivedConflict::Refuse;
    let update = Update { id, writes, archived_conflict, extent: Extent::Mentioned };
    // Purged ones are not there.
    drop(rig.run(Ask::Update(Box::new(update))));
}

/// Takes chunks out from one on, up to another.
fn walk(
    rig: &Rig,
    scan: &Scan,
    chunks: std::ops::Range<usize>,
    found: &mut Vec<Record>,
) -> Result<(), GivenUp> {
    let mut records = Vec::new();
    for at in chunks {
        scan.take_chunk(&rig.table.shown().order, at, &mut records)?;
        found.append(&mut records);
    }
    Ok(())
}

#[test]
fn scans_of_one_table_do_not_disturb_each_other() {
    let (mut rig, ids) = filled(Kind::Insensitive, 3 * CHUNK + 100);
    let room = Room::new(usize::MAX);
    let mut open: Vec<(Arc<Scan>, Vec<Record>, Vec<Record>)> = Vec::new();
    for round in 0..3_usize {
        // Each begins when those before have walked a chunk of their own.
        let expected = all_records(&rig.table);
        open.push((rig.table.open_scan(Position(round as u64), &room), expected, Vec::new()));
        for (at, id) in ids.iter().enumerate().filter(|(at, _)| at % 7 == 0) {
            write(&mut rig, *id, if (at + round).is_multiple_of(2) { "south" } else { "north" });
        }
        for (begun, (scan, _, found)) in open.iter_mut().enumerate() {
            let next = round - begun;
            walk(&rig, scan, next..next + 1, found).unwrap();
        }
    }
    assert!(room.used_bytes() > 0);
    for (begun, (scan, expected, found)) in open.iter_mut().enumerate() {
        walk(&rig, scan, 3 - begun..scan.chunk_count(), found).unwrap();
        assert!(found == expected, "scan {begun}");
    }
    assert_eq!(room.used_bytes(), 0, "nothing is kept behind the walkers");
    for region in ["south", "north"] {
        write(&mut rig, ids[0], region);
    }
    assert!(rig.table.scans.is_empty(), "forgotten at the first change");
    rig.check();
}

#[test]
fn where_the_room_is_full_the_scan_that_keeps_the_most_is_given_up() {
    let (mut rig, ids) = filled(Kind::Insensitive, 2 * CHUNK);
    let record_bytes = 32 + rig.table.shown().record(ids[0]).unwrap().len();
    let room = Room::new(record_bytes * 500);
    let expected = all_records(&rig.table);
    let slow = rig.table.open_scan(Position(1), &room);
    for id in &ids[CHUNK..CHUNK + 300] {
        write(&mut rig, *id, "south");
    }
    let middle = all_records(&rig.table);
    let fast = rig.table.open_scan(Position(2), &room);
    let mut found = Vec::new();
    walk(&rig, &fast, 0..1, &mut found).unwrap();
    for id in &ids[CHUNK + 300..CHUNK + 600] {
        write(&mut rig, *id, "south");
    }
    assert!(room.used_bytes() <= record_bytes * 500);
    // The slow one kept 300 before the fast one began, so it went first.
    assert_eq!(walk(&rig, &slow, 0..1, &mut Vec::new()), Err(GivenUp));
    assert_eq!((slow.before_count(), slow.is_done()), (0, true));
    walk(&rig, &fast, 1..2, &mut found).unwrap();
    assert!(found == middle, "the other one is exact");
    assert_ne!(middle, expected);
    assert_eq!(room.used_bytes(), 0);
}

#[test]
fn a_room_that_one_scan_alone_fills_gives_it_up_and_is_empty() {
    let (mut rig, ids) = filled(Kind::Insensitive, CHUNK + 50);
    let room = Room::new(1_000);
    let scan = rig.table.open_scan(Position(1), &room);
    for id in &ids[..50] {
        write(&mut rig, *id, "south");
    }
    assert_eq!(room.used_bytes(), 0);
    assert_eq!(walk(&rig, &scan, 0..1, &mut Vec::new()), Err(GivenUp));
    // One that is dropped unread gives its room back too.
    let scan = rig.table.open_scan(Position(2), &room);
    write(&mut rig, ids[60], "south");
    assert!(room.used_bytes() > 0);
    scan.give_up();
    assert_eq!(room.used_bytes(), 0);
}
