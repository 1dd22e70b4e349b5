//! A last frame of which any subset of sectors is there, with a seal behind it and without.

use super::world::{OPTIONS, Partition, READ_ONLY, Truth, load, table};
use upsertd::model::id::Position;
use upsertd::storage::error::StorageError;
use upsertd::storage::memory_disk::MemoryDisk;

const SECTOR: usize = 512;
const NAME: &str = "log-00000000000000000001.upsertd";

/// The segment before the last frame, with it, and with a seal behind it; and where it begins.
struct Stages {
    before: Vec<u8>,
    written: Vec<u8>,
    sealed: Vec<u8>,
    begin: usize,
    end: usize,
}

fn stages() -> Stages {
    let disk = MemoryDisk::new();
    let mut truth = Truth::new();
    let mut partition = Partition::start(&disk, &mut truth, "a new directory").unwrap();
    let used = |bytes: &[u8]| bytes.iter().rposition(|byte| *byte != 0).unwrap() + 1;
    partition.commit(&mut truth, &[vec![(table(1), vec![vec![1; 100]])]]).unwrap();
    let mut before = disk.bytes_of(NAME);
    let events: Vec<Vec<u8>> = (10..18).map(|byte| vec![byte; 200]).collect();
    partition.commit(&mut truth, &[vec![(table(1), events)]]).unwrap();
    let written = disk.bytes_of(NAME);
    partition.seal(&mut truth).unwrap();
    let sealed = disk.bytes_of(NAME);
    let (begin, end) = (used(&before), used(&written));
    before.resize(written.len(), 0);
    Stages { before, written, sealed, begin, end }
}

/// The bytes of `to`, but with the sectors of `from` where the subset lacks them.
fn mix(from: &[u8], to: &[u8], first_sector: usize, subset: usize) -> Vec<u8> {
    let mut mixed = to.to_vec();
    for (number, sector) in mixed.chunks_mut(SECTOR).enumerate().skip(first_sector) {
        let is_kept = subset >> (number - first_sector) & 1 == 1;
        if !is_kept && number - first_sector < usize::BITS as usize {
            for (place, byte) in sector.iter_mut().enumerate() {
                *byte = from.get(number * SECTOR + place).copied().unwrap_or(0);
            }
        }
    }
    mixed
}

#[test]
fn every_subset_of_the_sectors_of_an_unsealed_last_frame_is_passed_over_or_whole() {
    let Stages { before, written, begin, end, .. } = stages();
    let (first, last) = (begin / SECTOR, (end - 1) / SECTOR);
    let sectors = last - first + 1;
    assert!((4..=10).contains(&sectors), "{sectors}");
    for subset in 0..1 << sectors {
        let disk = MemoryDisk::new();
        let bytes = mix(&before, &written, first, subset | usize::MAX << sectors);
        disk.put(NAME, bytes.clone());
        let mut found = load(&disk, OPTIONS).unwrap_or_else(|e| panic!("{subset:b}: {e}"));
        let is_whole = bytes[..end] == written[..end];
        let is_untouched = bytes[..end] == before[..end];
        let expected = if is_whole { 2 } else { 1 };
        assert_eq!(found.recovered.last(), Position(expected), "{subset:b}");
        let torn = found.recovered.report().torn.clone();
        assert_eq!(torn.is_some(), !is_whole && !is_untouched, "{subset:b}");
        found.recovered.begin_log().unwrap();
        let Some(torn) = torn else { continue };
        assert_eq!((torn.offset, torn.position), (begin as u64, Position(2)));
        let kept = found.recovered.report().torn.clone().and_then(|torn| torn.kept).unwrap();
        let copy = disk.bytes_of(&kept);
        assert_eq!(copy, bytes[begin..begin + copy.len()], "{subset:b}");
        assert!(bytes[begin + copy.len()..].iter().all(|byte| *byte == 0), "{subset:b}");
    }
}

#[test]
fn no_subset_of_the_sectors_of_a_sealed_frame_is_taken_for_torn() {
    let Stages { before, sealed, begin, end, .. } = stages();
    // The last sector is shared with the seal, which is there.
    let (first, last) = (begin / SECTOR, end / SECTOR);
    let sectors = last - first;
    for subset in 0..(1 << sectors) - 1 {
        let disk = MemoryDisk::new();
        disk.put(NAME, mix(&before, &sealed, first, subset | usize::MAX << sectors));
        let refused = load(&disk, READ_ONLY).err().unwrap_or_else(|| panic!("{subset:b} starts"));
        let StorageError::Damaged(damage) = refused else { panic!("{subset:b}: {refused}") };
        assert_eq!(damage.offset, begin as u64);
        let good = damage.good_after.unwrap();
        assert_eq!((good.offset, good.position), (end as u64, Position(3)));
        let doubt = damage.in_doubt.unwrap();
        assert_eq!((doubt.first, doubt.last), (Position(2), Some(Position(2))));
    }
}

#[test]
fn torn_bytes_do_not_fill_the_disk() {
    let disk = MemoryDisk::new();
    let mut truth = Truth::new();
    for round in 0..20 {
        let context = format!("round {round}");
        let mut partition = Partition::start(&disk, &mut truth, &context).unwrap();
        partition.commit(&mut truth, &[vec![(table(1), vec![vec![1; 100]])]]).unwrap();
        drop(partition);
        let name = disk.names().into_iter().rfind(|name| name.ends_with(".upsertd")).unwrap();
        let mut bytes = disk.bytes_of(&name);
        let end = bytes.iter().rposition(|byte| *byte != 0).unwrap() + 1;
        bytes[end..end + 9].copy_from_slice(b"upfr torn");
        disk.put(&name, bytes);
    }
    Partition::start(&disk, &mut truth, "at the end").unwrap();
    let torn = disk.names().into_iter().filter(|name| name.starts_with("torn-")).count();
    assert_eq!(torn, 8);
}

#[test]
fn many_starts_without_a_write_leave_one_segment() {
    let disk = MemoryDisk::new();
    let mut truth = Truth::new();
    for round in 0..20 {
        Partition::start(&disk, &mut truth, &format!("round {round}")).unwrap();
    }
    load(&disk, OPTIONS).unwrap();
    assert_eq!(disk.names(), [NAME]);
}
