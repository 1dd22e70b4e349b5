//! Flipped bits and truncations of everything that lies in a directory at rest.

use super::golden;
use super::world::{READ_ONLY, State, load};
use upsertd::model::id::Position;
use upsertd::storage::error::StorageError;
use upsertd::storage::memory_disk::MemoryDisk;

const CLOSED: &str = "log-00000000000000000001.upsertd";
const INDEX: &str = "log-00000000000000000001.index";
const HEADER_LEN: usize = 4096;
const HEADER_USED: usize = 112;
const SEAL_LEN: usize = 36;

struct Directory {
    disk: MemoryDisk,
    state: State,
    open: String,
    snapshot: String,
    last: Position,
}

fn directory() -> Directory {
    let (disk, state) = golden::directory();
    let find = |start: &str, end: &str| {
        disk.names().into_iter().rfind(|name| name.starts_with(start) && name.ends_with(end))
    };
    let open = find("log-", ".upsertd").unwrap();
    let snapshot = find("snapshot-", ".upsertd").unwrap();
    let last = load(&disk, READ_ONLY).unwrap().recovered.last();
    assert_ne!(open, CLOSED);
    Directory { disk, state, open, snapshot, last }
}

/// The same without its snapshot, so that all of the log is needed.
fn log_alone() -> Directory {
    let directory = directory();
    directory.disk.erase(&directory.snapshot);
    directory
}

fn used(bytes: &[u8]) -> usize {
    bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1)
}

/// The bits of a segment: all of them, but one in each byte of the header's padding.
fn bits_of(length: usize) -> impl Iterator<Item = usize> {
    let is_padding = |byte: usize| (HEADER_USED..HEADER_LEN - 4).contains(&byte);
    (0..length * 8).filter(move |bit| !is_padding(bit / 8) || bit % 8 == bit / 8 % 8)
}

fn is_found(error: &StorageError) -> bool {
    matches!(
        error,
        StorageError::Damaged(_)
            | StorageError::Incomplete { .. }
            | StorageError::OtherFormat { .. }
    )
}

#[test]
fn every_flipped_bit_of_a_log_is_found_or_changes_nothing() {
    let Directory { disk, state, open, last, .. } = log_alone();
    let open_used = used(&disk.bytes_of(&open));
    let seal_begins = open_used - SEAL_LEN;
    for name in [CLOSED, &open] {
        let length = disk.bytes_of(name).len();
        // A closed segment has nothing behind its end.
        let covered = if name == CLOSED { length } else { seal_begins };
        for bit in bits_of(length) {
            disk.flip_bit(name, bit);
            match load(&disk, READ_ONLY) {
                Err(error) => assert!(is_found(&error), "{name}, bit {bit}: {error}"),
                Ok(found) => {
                    assert!(bit >= 8 * covered, "{name}, bit {bit} was not found");
                    assert_eq!(found.state, state, "{name}, bit {bit}");
                    // The seal itself holds nothing; without it the frame before is the last.
                    let expected = if bit < 8 * open_used { last.0 - 1 } else { last.0 };
                    assert_eq!(found.recovered.last().0, expected, "{name}, bit {bit}");
                    assert!(found.recovered.report().torn.is_some(), "{name}, bit {bit}");
                }
            }
            disk.flip_bit(name, bit);
        }
    }
}

#[test]
fn every_flipped_bit_of_an_index_changes_nothing() {
    let Directory { disk, state, last, .. } = directory();
    for bit in 0..disk.bytes_of(INDEX).len() * 8 {
        disk.flip_bit(INDEX, bit);
        let found = load(&disk, READ_ONLY).unwrap_or_else(|error| panic!("bit {bit}: {error}"));
        assert_eq!((&found.state, found.recovered.last()), (&state, last), "bit {bit}");
        disk.flip_bit(INDEX, bit);
    }
}

#[test]
fn every_flipped_bit_of_a_snapshot_is_found_and_the_log_tells_it_all() {
    let Directory { disk, state, snapshot, .. } = directory();
    for bit in 0..disk.bytes_of(&snapshot).len() * 8 {
        disk.flip_bit(&snapshot, bit);
        match load(&disk, READ_ONLY) {
            Ok(found) => {
                assert_eq!(found.state, state, "bit {bit}");
                let report = found.recovered.report();
                let rejected: Vec<String> =
                    report.rejected_snapshots.iter().map(|(name, _)| name.to_string()).collect();
                assert_eq!((rejected, report.snapshot), (vec![snapshot.clone()], None));
            }
            Err(error) => {
                let is_version = (64..80).contains(&bit);
                assert!(is_version && is_found(&error), "bit {bit}: {error}");
            }
        }
        disk.flip_bit(&snapshot, bit);
    }
}

#[test]
fn every_truncation_of_a_log_is_found_or_changes_nothing() {
    let Directory { disk, state, open, last, .. } = log_alone();
    for name in [CLOSED, &open] {
        let bytes = disk.bytes_of(name);
        for length in 0..bytes.len() {
            disk.put(name, bytes[..length].to_vec());
            match load(&disk, READ_ONLY) {
                Err(error) => assert!(is_found(&error), "{name}, {length} bytes: {error}"),
                Ok(found) => {
                    assert!(name != CLOSED, "{length} bytes of a closed segment passed");
                    assert!(length >= used(&bytes), "{length} bytes of an open segment passed");
                    assert_eq!((&found.state, found.recovered.last()), (&state, last));
                }
            }
        }
        disk.put(name, bytes);
    }
}

#[test]
fn every_truncation_of_a_snapshot_is_found() {
    let Directory { disk, state, snapshot, .. } = directory();
    let bytes = disk.bytes_of(&snapshot);
    for length in 0..bytes.len() {
        disk.put(&snapshot, bytes[..length].to_vec());
        let found = load(&disk, READ_ONLY).unwrap();
        assert_eq!(found.state, state, "{length} bytes");
        assert_eq!(found.recovered.report().rejected_snapshots.len(), 1, "{length} bytes");
    }
}

#[test]
fn damage_tells_the_file_the_place_the_doubt_and_what_is_good_behind() {
    let Directory { disk, open, .. } = log_alone();
    disk.flip_bit(CLOSED, 8 * (HEADER_LEN + 40));
    let StorageError::Damaged(damage) = load(&disk, READ_ONLY).unwrap_err() else {
        panic!("the damage is found");
    };
    assert_eq!((&*damage.path, damage.offset), (&*disk_path(&disk, CLOSED), HEADER_LEN as u64));
    let doubt = damage.in_doubt.unwrap();
    assert_eq!((doubt.first, doubt.last), (Position(1), Some(Position(1))));
    let good = damage.good_after.unwrap();
    assert_eq!((&*good.path, good.position), (&*disk_path(&disk, CLOSED), Position(2)));
    assert_ne!(open, CLOSED);
}

fn disk_path(disk: &MemoryDisk, name: &str) -> std::path::PathBuf {
    upsertd::storage::disk::Disk::path(disk, name)
}
