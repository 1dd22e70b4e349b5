//! Snapshot files: round trips, flipped bits, cuts, and rounds that must not run together.

use super::{
    CHUNK_HEADER_LEN, ChunkHead, ChunkKind, HEADER_LEN, SnapshotHeader, SnapshotReader, Snapshots,
    TRAILER_LEN, WriterSummary,
};
use crate::model::id::{
    BusinessId, HistoryId, LogId, ObjectId, Position, Sequence, Timestamp, WriterId,
};
use crate::storage::disk::Disk;
use crate::storage::error::{DamageReason, Section, StorageError};
use crate::storage::memory_disk::{Fault, MemoryDisk, Survival};
use crate::storage::names::SnapshotName;
use crate::storage::segment::DigestKey;
use std::sync::Arc;

fn header(position: u64) -> SnapshotHeader {
    SnapshotHeader {
        log_id: LogId::from_bytes([1; 16]),
        digest_key: DigestKey([2; 16]),
        created: Timestamp(1_700_000_000_000),
        position: Position(position),
    }
}

fn table() -> WriterId {
    WriterId::Table(ObjectId::from_bytes([3; 16]))
}

fn catalog() -> WriterId {
    WriterId::Catalog(BusinessId::from_bytes([4; 16]))
}

fn head(writer: WriterId, kind: ChunkKind, records: u32) -> ChunkHead {
    let (position, sequence) = (Position(41), Sequence(7));
    ChunkHead { writer, kind, position, sequence, records }
}

fn summaries() -> [WriterSummary; 2] {
    let summary = |writer, history, digest| WriterSummary {
        writer,
        position: Position(41),
        sequence: Sequence(7),
        history,
        digest,
    };
    [
        summary(catalog(), None, 1),
        summary(table(), Some(HistoryId::from_bytes([5; 16])), u128::MAX - 5),
    ]
}

/// The chunks of the sample, in its order.
fn sample_chunks() -> Vec<(ChunkHead, Vec<u8>)> {
    vec![
        (head(catalog(), ChunkKind::State, 0), b"members".to_vec()),
        (head(table(), ChunkKind::State, 0), b"schema".to_vec()),
        (head(table(), ChunkKind::Records, 3), b"abcabcabcabcabcabcabcabc".repeat(50)),
        (head(table(), ChunkKind::Records, 2), Vec::new()),
    ]
}

fn take(disk: &MemoryDisk, position: u64) -> Result<SnapshotName, StorageError> {
    let snapshots = Snapshots::new(Arc::new(disk.clone()));
    let mut writer = snapshots.begin(header(position))?;
    for (head, content) in sample_chunks() {
        writer.put_chunk(&head, &content)?;
    }
    writer.finish(&summaries())?.publish()
}

fn open(disk: &MemoryDisk, name: SnapshotName) -> Result<SnapshotReader, StorageError> {
    SnapshotReader::open(disk, &name.to_string())
}

#[test]
fn a_snapshot_comes_back_as_it_was_written() {
    let disk = MemoryDisk::new();
    let name = take(&disk, 40).unwrap();
    let reader = open(&disk, name).unwrap();
    assert_eq!(reader.header(), &header(40));
    let heads: Vec<_> = reader.chunks().collect();
    let expected: Vec<_> = sample_chunks().into_iter().map(|(head, _)| head).collect();
    assert_eq!(heads, expected);
    for (place, (_, content)) in sample_chunks().into_iter().enumerate() {
        assert_eq!(reader.read_chunk(place).unwrap(), content);
    }
    for (entry, summary) in reader.writers().iter().zip(summaries()) {
        let WriterSummary { writer, position, sequence, history, digest } = summary;
        assert_eq!((entry.writer, entry.position), (writer, position));
        assert_eq!((entry.sequence, entry.history, entry.digest), (sequence, history, digest));
    }
    assert_eq!(reader.writers()[1].records, 5);
    assert_eq!(reader.length(), disk.bytes_of(&name.to_string()).len() as u64);
}

#[test]
fn an_empty_snapshot_is_one() {
    let disk = MemoryDisk::new();
    let snapshots = Snapshots::new(Arc::new(disk.clone()));
    let writer = snapshots.begin(header(0)).unwrap();
    let name = writer.finish(&[]).unwrap().publish().unwrap();
    assert!(open(&disk, name).unwrap().writers().is_empty());
}

#[test]
fn chunks_are_read_by_several_threads_at_once() {
    let disk = MemoryDisk::new();
    let reader = open(&disk, take(&disk, 40).unwrap()).unwrap();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for (place, (_, content)) in sample_chunks().into_iter().enumerate() {
                    assert_eq!(reader.read_chunk(place).unwrap(), content);
                }
            });
        }
    });
}

#[test]
fn every_flipped_bit_is_found() {
    let disk = MemoryDisk::new();
    let name = take(&disk, 40).unwrap().to_string();
    for bit in 0..disk.bytes_of(&name).len() * 8 {
        disk.flip_bit(&name, bit);
        let found = SnapshotReader::open(&disk, &name);
        assert!(matches!(found, Err(StorageError::Damaged(_))), "bit {bit}");
        disk.flip_bit(&name, bit);
    }
    SnapshotReader::open(&disk, &name).unwrap();
}

#[test]
fn a_snapshot_is_read_from_the_device_and_not_from_the_cache() {
    let disk = MemoryDisk::new();
    let name = take(&disk, 40).unwrap().to_string();
    disk.flip_bit_on_device(&name, 8 * 100);
    assert!(matches!(SnapshotReader::open(&disk, &name), Err(StorageError::Damaged(_))));
}

#[test]
fn every_truncation_and_every_lengthening_is_found() {
    let disk = MemoryDisk::new();
    let name = take(&disk, 40).unwrap().to_string();
    let bytes = disk.bytes_of(&name);
    for length in 0..bytes.len() {
        disk.put(&name, bytes[..length].to_vec());
        let found = SnapshotReader::open(&disk, &name);
        assert!(matches!(found, Err(StorageError::Damaged(_))), "{length} bytes");
    }
    disk.put(&name, [bytes, vec![0]].concat());
    assert!(SnapshotReader::open(&disk, &name).is_err());
}

#[test]
fn contents_that_say_nonsense_under_a_right_checksum_do_no_harm() {
    let disk = MemoryDisk::new();
    let name = take(&disk, 40).unwrap().to_string();
    let bytes = disk.bytes_of(&name);
    let trailer = bytes.len() - TRAILER_LEN;
    let table = usize::try_from(u64::from_le_bytes(*bytes[trailer..].first_chunk().unwrap()));
    let table = table.unwrap();
    let mut opened = 0;
    for place in table..trailer {
        for value in [0, 1, 0x7f, 0x80, 0xc0, 0xcf, 0xdf, 0xff] {
            let mut other = bytes.clone();
            other[place] = value;
            let checksum = crc32c::crc32c(&other[table..trailer]).to_le_bytes();
            other[trailer + 12..trailer + 16].copy_from_slice(&checksum);
            disk.put(&name, other);
            let Ok(reader) = SnapshotReader::open(&disk, &name) else { continue };
            opened += 1;
            for place in 0..reader.chunks().len() {
                reader.read_chunk(place).unwrap();
            }
        }
    }
    assert!(opened > 0, "a history or a digest can be anything");
}

#[test]
fn damage_names_the_file_the_place_and_the_section() {
    let check = |offset: usize, section| {
        let disk = MemoryDisk::new();
        let name = take(&disk, 40).unwrap().to_string();
        disk.flip_bit(&name, 8 * offset);
        let StorageError::Damaged(damage) = SnapshotReader::open(&disk, &name).unwrap_err() else {
            panic!("it is damaged");
        };
        assert_eq!(damage.path, disk.path(&name));
        assert_eq!(damage.reason, DamageReason::BadChecksum(section));
        damage.offset
    };
    assert_eq!(check(HEADER_LEN - 1, Section::SnapshotHeader), 0);
    let first_content = HEADER_LEN + CHUNK_HEADER_LEN;
    assert_eq!(check(first_content, Section::SnapshotChunk), HEADER_LEN as u64);
}

#[test]
fn another_format_is_named() {
    let disk = MemoryDisk::new();
    let name = take(&disk, 40).unwrap().to_string();
    let mut bytes = disk.bytes_of(&name);
    bytes[8..10].copy_from_slice(&3_u16.to_le_bytes());
    let (body, checksum) = bytes[..HEADER_LEN].split_last_chunk_mut::<4>().unwrap();
    *checksum = crc32c::crc32c(body).to_le_bytes();
    disk.put(&name, bytes);
    let refused = SnapshotReader::open(&disk, &name).unwrap_err();
    assert!(matches!(refused, StorageError::OtherFormat { found: 3, supported: 1, .. }));
}

#[test]
fn a_version_that_has_rotted_is_damage_and_no_other_format() {
    let disk = MemoryDisk::new();
    let name = take(&disk, 40).unwrap().to_string();
    for bit in 8 * 8..10 * 8 {
        disk.flip_bit(&name, bit);
        let refused = SnapshotReader::open(&disk, &name).unwrap_err();
        assert!(matches!(refused, StorageError::Damaged(_)), "bit {bit}: {refused}");
        disk.flip_bit(&name, bit);
    }
}

#[test]
fn rounds_at_one_position_have_names_in_their_order() {
    let disk = MemoryDisk::new();
    let names = [take(&disk, 40), take(&disk, 40), take(&disk, 39)].map(Result::unwrap);
    assert_eq!(names.map(|name| (name.position.0, name.round)), [(40, 1), (40, 2), (39, 1)]);
    let snapshots = Snapshots::new(Arc::new(disk));
    assert_eq!(snapshots.list().unwrap(), [names[2], names[0], names[1]]);
}

#[test]
fn never_two_are_written_at_once() {
    let disk = MemoryDisk::new();
    let snapshots = Snapshots::new(Arc::new(disk.clone()));
    let first = snapshots.begin(header(1)).unwrap();
    let refused = snapshots.begin(header(1)).unwrap_err();
    assert!(matches!(refused, StorageError::SnapshotInProgress));
    let written = first.finish(&[]).unwrap();
    assert!(snapshots.clone().begin(header(1)).is_err(), "it is not published yet");
    written.publish().unwrap();
    drop(snapshots.begin(header(2)).unwrap());
    snapshots.begin(header(2)).unwrap();
}

#[test]
fn a_round_that_is_given_up_leaves_nothing() {
    let disk = MemoryDisk::new();
    let snapshots = Snapshots::new(Arc::new(disk.clone()));
    drop(snapshots.begin(header(1)).unwrap());
    drop(snapshots.begin(header(1)).unwrap().finish(&[]).unwrap());
    assert!(disk.names().is_empty());
}

#[test]
fn a_round_on_a_full_disk_fails_and_gives_its_room_back() {
    let disk = MemoryDisk::new();
    disk.set_capacity(Some(100));
    assert!(take(&disk, 40).unwrap_err().is_out_of_space());
    assert_eq!(disk.free_bytes().unwrap(), 100);
}

#[test]
fn a_name_stands_for_a_whole_snapshot_whenever_the_power_goes() {
    let mut call = 0;
    loop {
        call += 1;
        let disk = MemoryDisk::new();
        disk.inject(call, Fault::PowerCut);
        let taken = take(&disk, 40);
        let mut survivals =
            vec![Survival::KeepAll, Survival::LoseAll, Survival::NamesOnly, Survival::ContentsOnly];
        survivals.extend((0..20).map(Survival::Random));
        for survival in survivals {
            let left = disk.after_power_cut(survival);
            let snapshots = Snapshots::new(Arc::new(left)).list().unwrap();
            for name in &snapshots {
                open(&disk.after_power_cut(survival), *name).unwrap();
            }
            assert!(taken.is_err() || snapshots.len() == 1, "{survival:?} at call {call}");
        }
        if taken.is_ok() {
            break;
        }
    }
    assert!(call > 10, "{call}");
}

#[test]
fn a_failed_sync_that_lies_afterwards_does_not_make_a_snapshot() {
    let mut lied = 0;
    for call in 1.. {
        let disk = MemoryDisk::new();
        disk.inject(call, Fault::Error(rustix::io::Errno::IO));
        if take(&disk, 40).is_ok() && disk.calls() < call {
            break;
        }
        lied += 1;
        let left = disk.after_power_cut(Survival::KeepAll);
        for name in Snapshots::new(Arc::new(left.clone())).list().unwrap() {
            open(&left, name).unwrap();
        }
    }
    assert!(lied > 10, "{lied}");
}
