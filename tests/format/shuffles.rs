//! Files that are missing, doubled, swapped or of somebody else.

use super::golden;
use super::world::{IDS, OPTIONS, Partition, READ_ONLY, State, Truth, live, load, table};
use std::sync::Arc;
use upsertd::model::id::{LogId, Position};
use upsertd::storage::error::{DamageReason, Missing, StorageError, WayOut};
use upsertd::storage::memory_disk::{MemoryDisk, Survival};
use upsertd::storage::recovery::{OpenOptions, check_format};
use upsertd::storage::segment::LogIds;
use upsertd::storage::snapshot::Snapshots;

/// A log of several segments without any snapshot.
fn long_log() -> (MemoryDisk, State, Vec<String>) {
    let disk = MemoryDisk::new();
    let mut truth = Truth::new();
    let mut partition = Partition::start(&disk, &mut truth, "a new directory").unwrap();
    for byte in 0..40 {
        partition.commit(&mut truth, &[vec![(table(1), vec![vec![byte; 250]; 2])]]).unwrap();
    }
    drop(partition);
    let segments: Vec<String> = disk.names().into_iter().filter(|name| is_segment(name)).collect();
    assert!(segments.len() > 5, "{segments:?}");
    (disk, truth.state_at(Position(40)).unwrap().clone(), segments)
}

fn is_segment(name: &str) -> bool {
    name.starts_with("log-") && name.ends_with(".upsertd")
}

fn refusal(disk: &MemoryDisk) -> StorageError {
    load(disk, READ_ONLY).expect_err("the start is refused")
}

fn index_of(segment: &str) -> String {
    segment.replace(".upsertd", ".index")
}

#[test]
fn a_missing_segment_is_named_by_its_positions() {
    let (disk, _, segments) = long_log();
    let first_of = |name: &str| name[4..24].parse::<u64>().unwrap();
    for (place, name) in segments.iter().enumerate() {
        let bytes = disk.bytes_of(name);
        disk.erase(name);
        let refused = refusal(&disk);
        assert_eq!(refused.way_out(), WayOut::PutBackOrRestore, "{name}: {refused}");
        let StorageError::Incomplete { missing, .. } = refused else { panic!("{refused}") };
        let expected = match segments.get(place + 1) {
            Some(next) => Missing::Frames {
                first: Position(first_of(name)),
                last: Position(first_of(next) - 1),
            },
            None => Missing::End { last: Position(first_of(name) - 1) },
        };
        assert_eq!(missing, expected, "{name}");
        disk.put(name, bytes);
    }
}

#[test]
fn a_doubled_or_swapped_segment_is_refused() {
    let (disk, _, segments) = long_log();
    let check = |name: &str| {
        let refused = refusal(&disk);
        let StorageError::Damaged(damage) = &refused else { panic!("{name}: {refused}") };
        assert!(matches!(damage.reason, DamageReason::OtherName { .. }), "{refused}");
    };
    for pair in segments.windows(2) {
        let (first, second) = (disk.bytes_of(&pair[0]), disk.bytes_of(&pair[1]));
        disk.put(&pair[1], first.clone());
        check(&pair[1]);
        disk.put(&pair[0], second.clone());
        check(&pair[0]);
        disk.put(&pair[0], first);
        disk.put(&pair[1], second);
    }
    disk.put("log-00000000000000000099.upsertd", disk.bytes_of(&segments[1]));
    check("a copy under another name");
}

#[test]
fn a_segment_of_another_log_is_refused() {
    let (disk, _, segments) = long_log();
    let other = MemoryDisk::new();
    let ids = LogIds { log_id: LogId::from_bytes([1; 16]), ..IDS };
    load(&other, OpenOptions { new_ids: ids, ..OPTIONS }).unwrap().recovered.begin_log().unwrap();
    disk.put(&segments[0], other.bytes_of(&segments[0]));
    let StorageError::Damaged(damage) = refusal(&disk) else { panic!("it is of another log") };
    assert_eq!(damage.reason, DamageReason::OtherLog);
}

#[test]
fn indexes_are_made_anew_where_they_are_missing_and_removed_where_they_belong_to_nothing() {
    let (disk, state, segments) = long_log();
    for name in &segments {
        if disk.names().contains(&index_of(name)) {
            disk.erase(&index_of(name));
        }
    }
    let orphan = "log-00000000000000000500.index";
    disk.put(orphan, vec![1, 2, 3]);
    let mut truth = Truth::new();
    let mut found = load(&disk, OPTIONS).unwrap();
    assert_eq!(found.state, state);
    let mut log = found.recovered.begin_log().unwrap();
    upsertd::storage::log::Log::prepare(&mut log).unwrap();
    drop(log);
    assert!(!disk.names().contains(&orphan.to_owned()));
    assert!(segments.iter().all(|name| disk.names().contains(&index_of(name))));
    live(&MemoryDisk::new(), &mut truth, 1).unwrap();
}

#[test]
fn snapshots_without_a_log_are_refused_and_restore_is_named() {
    let (disk, _) = golden::directory();
    let snapshot = Snapshots::new(Arc::new(disk.clone())).list().unwrap()[0].to_string();
    for name in disk.names().into_iter().filter(|name| name.starts_with("log-")) {
        disk.erase(&name);
    }
    let refused = refusal(&disk);
    assert!(matches!(refused, StorageError::Incomplete { missing: Missing::Log { .. }, .. }));
    assert_eq!(refused.way_out(), WayOut::Restore { snapshot: Some(snapshot.clone()) });
    let text = refused.way_out().to_string();
    assert!(text.contains("upsertd restore") && text.contains(&snapshot), "{text}");
}

#[test]
fn a_readme_and_leftovers_make_no_directory_old() {
    let disk = MemoryDisk::new();
    disk.put("README.md", b"hello".to_vec());
    disk.put("upsertd-segment.tmp", b"half".to_vec());
    let mut found = load(&disk, OPTIONS).unwrap();
    assert!(found.recovered.report().is_new);
    assert_eq!(found.recovered.report().removed, ["upsertd-segment.tmp"]);
    assert_eq!(disk.names(), ["README.md"]);
    assert_eq!(found.ids, IDS);
    found.recovered.begin_log().unwrap();
    assert!(!load(&disk, OPTIONS).unwrap().recovered.report().is_new);
    assert_eq!(disk.bytes_of("README.md"), b"hello");
}

#[test]
fn another_format_is_refused_before_anything_is_touched() {
    for start in ["log-", "snapshot-"] {
        let (disk, _) = golden::directory();
        let name = disk
            .names()
            .into_iter()
            .rfind(|name| name.starts_with(start) && name.ends_with(".upsertd"))
            .unwrap();
        let mut bytes = disk.bytes_of(&name);
        bytes[8..10].copy_from_slice(&2_u16.to_le_bytes());
        if start == "snapshot-" {
            // A version under a checksum that does not fit has rotted.
            let checksum = crc32c::crc32c(&bytes[..64]);
            bytes[64..68].copy_from_slice(&checksum.to_le_bytes());
        }
        disk.put(&name, bytes);
        disk.put("upsertd-segment.tmp", b"half".to_vec());
        for refused in [check_format(&disk).unwrap_err(), load(&disk, OPTIONS).unwrap_err()] {
            let StorageError::OtherFormat { path, found, supported } = &refused else {
                panic!("{refused}");
            };
            assert!(path.ends_with(&name));
            assert_eq!((*found, *supported), (2, 1));
            assert_eq!(refused.way_out(), WayOut::UseOtherVersion);
        }
        assert!(disk.names().contains(&"upsertd-segment.tmp".to_owned()));
    }
}

/// A directory whose log begins at the older of its two snapshots.
fn trimmed() -> (MemoryDisk, State, Vec<String>) {
    let disk = MemoryDisk::new();
    let mut truth = Truth::new();
    live(&disk, &mut truth, 9).unwrap();
    let snapshots: Vec<String> = Snapshots::new(Arc::new(disk.clone()))
        .list()
        .unwrap()
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(snapshots.len(), 2);
    assert!(!disk.names().contains(&"log-00000000000000000001.upsertd".to_owned()));
    (disk, truth.state_at(truth.acknowledged).unwrap().clone(), snapshots)
}

#[test]
fn a_rotten_newest_snapshot_is_set_aside_and_the_older_one_serves() {
    let (disk, state, snapshots) = trimmed();
    disk.flip_bit(&snapshots[1], 8 * 200);
    let mut found = load(&disk, OPTIONS).unwrap();
    assert_eq!(found.state, state);
    let report = found.recovered.report();
    assert_eq!(report.rejected_snapshots.len(), 1);
    assert_eq!(report.snapshot.map(|name| name.to_string()), Some(snapshots[0].clone()));
    found.recovered.begin_log().unwrap();
    assert!(disk.names().contains(&format!("{}.rejected", snapshots[1])));
    let again = load(&disk, OPTIONS).unwrap();
    assert_eq!(again.state, state);
    assert!(again.recovered.report().rejected_snapshots.is_empty(), "it is told once");
}

#[test]
fn without_a_usable_snapshot_a_trimmed_log_is_refused_for_the_snapshots_damage() {
    let (disk, _, snapshots) = trimmed();
    for name in &snapshots {
        disk.flip_bit(name, 8 * 200);
    }
    let StorageError::Damaged(damage) = refusal(&disk) else { panic!("the snapshot is damaged") };
    assert!(damage.path.ends_with(&snapshots[1]));
    for name in &snapshots {
        disk.erase(name);
    }
    let StorageError::Incomplete { missing, .. } = refusal(&disk) else { panic!("a gap") };
    assert!(matches!(missing, Missing::Frames { first: Position(1), .. }), "{missing}");
}

#[test]
fn a_log_that_ends_before_its_snapshot_is_refused() {
    let disk = MemoryDisk::new();
    let mut truth = Truth::new();
    let mut partition = Partition::start(&disk, &mut truth, "a new directory").unwrap();
    let name = "log-00000000000000000001.upsertd";
    partition.commit(&mut truth, &[vec![(table(1), vec![vec![1]])]]).unwrap();
    let earlier = disk.bytes_of(name);
    for byte in 2..4 {
        partition.commit(&mut truth, &[vec![(table(1), vec![vec![byte]])]]).unwrap();
    }
    partition.snapshot().unwrap();
    drop(partition);
    load(&disk, READ_ONLY).unwrap();
    // An older copy of the log was put back beside the newer snapshot.
    disk.put(name, earlier);
    let StorageError::Incomplete { missing, .. } = refusal(&disk) else { panic!("it lacks 2, 3") };
    // The round began at position 3, and the log must reach it.
    assert_eq!(missing, Missing::Frames { first: Position(2), last: Position(3) });
}

/// A log of several segments, the second of which ends in a torn frame, and a snapshot of it all.
fn covered_log() -> (MemoryDisk, State, Vec<String>) {
    let disk = MemoryDisk::new();
    let mut truth = Truth::new();
    let commit = |byte| vec![(table(1), vec![vec![byte; 250]; 2])];
    for (run, commits) in [(0, 0..10), (1, 10..30)] {
        let mut partition = Partition::start(&disk, &mut truth, &format!("run {run}")).unwrap();
        for byte in commits {
            partition.commit(&mut truth, &[commit(byte)]).unwrap();
        }
        if run == 1 {
            partition.snapshot().unwrap();
            continue;
        }
        drop(partition);
        let open = disk.names().into_iter().rfind(|name| is_segment(name)).unwrap();
        let mut bytes = disk.bytes_of(&open);
        let end = bytes.iter().rposition(|byte| *byte != 0).unwrap() + 1;
        bytes[end..end + 9].copy_from_slice(b"upfr torn");
        disk.put(&open, bytes);
    }
    let segments: Vec<String> = disk.names().into_iter().filter(|name| is_segment(name)).collect();
    assert!(segments.len() > 4, "{segments:?}");
    (disk, truth.state_at(truth.acknowledged).unwrap().clone(), segments)
}

#[test]
fn what_lies_before_a_gap_that_nobody_needs_is_removed() {
    let (full, state, segments) = covered_log();
    for keeps_index in [true, false] {
        let disk = full.after_power_cut(Survival::KeepAll);
        disk.erase(&segments[2]);
        if !keeps_index {
            disk.erase(&index_of(&segments[1]));
        }
        let mut found = load(&disk, OPTIONS).unwrap();
        assert_eq!(found.state, state);
        found.recovered.begin_log().unwrap();
        let left = disk.names();
        assert!(!left.contains(&segments[0]) && !left.contains(&segments[1]), "{left:?}");
        assert!(!left.contains(&index_of(&segments[0])), "{left:?}");
        assert!(left.contains(&segments[3]));
        let first = found.recovered.reader().segments()[0].first;
        assert_eq!(segments[3], format!("log-{:020}.upsertd", first.0));
        load(&disk, OPTIONS).unwrap();
    }
}
