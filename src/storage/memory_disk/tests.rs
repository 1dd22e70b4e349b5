//! The simulator's disk itself: what survives a cut, and that faults come where they are asked for.

use super::{Fault, MemoryDisk, Survival};
use crate::storage::disk::{Disk, read_whole, write_whole};
use crate::storage::error::StorageError;
use rustix::io::Errno;
use std::collections::BTreeSet;

const EXTREMES: [Survival; 4] =
    [Survival::KeepAll, Survival::LoseAll, Survival::NamesOnly, Survival::ContentsOnly];

/// What each survival leaves of the file `a` if it is there at all.
fn survivors(disk: &MemoryDisk, survivals: &[Survival]) -> Vec<Option<Vec<u8>>> {
    let found = |survival: &Survival| {
        let left = disk.after_power_cut(*survival);
        left.names().contains(&"a".to_owned()).then(|| left.bytes_of("a"))
    };
    survivals.iter().map(found).collect()
}

#[test]
fn unsynced_names_and_bytes_are_lost_independently() {
    let disk = MemoryDisk::new();
    let file = disk.create_new("a").unwrap();
    file.write_at(b"bytes", 0).unwrap();
    let empty = Some(Vec::new());
    let full = Some(b"bytes".to_vec());
    assert_eq!(survivors(&disk, &EXTREMES), [full.clone(), None, empty, None]);
    disk.sync_directory().unwrap();
    file.sync_data().unwrap();
    assert_eq!(survivors(&disk, &EXTREMES), [full.clone(), full.clone(), full.clone(), full]);
}

#[test]
fn a_random_cut_leaves_every_mixture_of_sectors_and_nothing_else() {
    let disk = MemoryDisk::new();
    let file = disk.create_new("a").unwrap();
    disk.sync_directory().unwrap();
    file.write_at(&[b'0'; 1024], 0).unwrap();
    file.sync_data().unwrap();
    file.write_at(&[b'1'; 1024], 0).unwrap();
    file.write_at(&[b'2'; 512], 512).unwrap();
    let mut seen = BTreeSet::new();
    for seed in 0..200 {
        let left = disk.after_power_cut(Survival::Random(seed)).bytes_of("a");
        assert_eq!(left.len(), 1024);
        assert!(left.chunks(512).all(|sector| sector.iter().all(|byte| *byte == sector[0])));
        seen.insert((left[0], left[512]));
    }
    let expected: BTreeSet<_> =
        [b'0', b'1'].into_iter().flat_map(|a| [b'0', b'1', b'2'].map(|b| (a, b))).collect();
    assert_eq!(seen, expected);
}

#[test]
fn a_random_cut_may_keep_a_length_without_its_bytes_and_the_reverse() {
    let disk = MemoryDisk::new();
    let file = disk.create_new("a").unwrap();
    disk.sync_directory().unwrap();
    file.write_at(b"x", 0).unwrap();
    let seen: BTreeSet<_> =
        (0..50).map(|seed| disk.after_power_cut(Survival::Random(seed)).bytes_of("a")).collect();
    assert_eq!(seen, BTreeSet::from([b"".to_vec(), b"\0".to_vec(), b"x".to_vec()]));
}

#[test]
fn a_rename_happens_in_one_step_or_not_at_all() {
    let disk = MemoryDisk::new();
    disk.put("a", b"old".to_vec());
    write_aside(&disk, b"new");
    disk.rename("aside", "a").unwrap();
    let seen: BTreeSet<_> =
        (0..50).map(|seed| disk.after_power_cut(Survival::Random(seed)).bytes_of("a")).collect();
    assert_eq!(seen, BTreeSet::from([b"old".to_vec(), b"new".to_vec()]));
}

fn write_aside(disk: &MemoryDisk, bytes: &[u8]) {
    let file = disk.create_new("aside").unwrap();
    file.write_at(bytes, 0).unwrap();
    file.sync_all().unwrap();
}

#[test]
fn a_failed_sync_is_followed_by_one_that_lies() {
    let disk = MemoryDisk::new();
    let file = disk.create_new("a").unwrap();
    disk.sync_directory().unwrap();
    file.write_at(&[7; 100], 0).unwrap();
    disk.inject(disk.calls() + 1, Fault::Error(Errno::IO));
    assert!(file.sync_data().is_err());
    file.sync_data().unwrap();
    let later = disk.after_kill();
    assert_eq!(read_whole(&later, "a").unwrap(), [7; 100], "the cache still shows it");
    let file = later.open("a").unwrap();
    file.sync_all().unwrap();
    file.drop_cache().unwrap();
    assert_eq!(read_whole(&later, "a").unwrap(), [0; 100], "the device never had it");
}

#[test]
fn dropping_the_cache_keeps_what_is_dirty() {
    let disk = MemoryDisk::new();
    let file = disk.create_new("a").unwrap();
    file.write_at(b"dirty", 0).unwrap();
    file.drop_cache().unwrap();
    assert_eq!(disk.bytes_of("a"), b"dirty");
}

#[test]
fn a_cut_call_may_have_happened_and_later_ones_fail() {
    let disk = MemoryDisk::new();
    disk.inject(2, Fault::PowerCut);
    let file = disk.create_new("a").unwrap();
    assert!(file.write_at(b"cut", 0).is_err());
    assert!(file.sync_data().is_err() && disk.list().is_err());
    assert_eq!(disk.after_power_cut(Survival::KeepAll).bytes_of("a"), b"cut");
    assert!(disk.after_power_cut(Survival::LoseAll).names().is_empty());
}

#[test]
fn a_killed_process_leaves_its_changes_undurable() {
    let disk = MemoryDisk::new();
    write_aside(&disk, b"aside");
    let later = disk.after_kill();
    assert_eq!(later.names(), ["aside"]);
    assert!(later.after_power_cut(Survival::LoseAll).names().is_empty());
    later.sync_directory().unwrap();
    assert_eq!(later.after_power_cut(Survival::LoseAll).bytes_of("aside"), b"aside");
    assert!(disk.after_power_cut(Survival::LoseAll).names().is_empty(), "the first is as it was");
}

#[test]
fn errors_come_once_or_for_ever_and_short_writes_by_half() {
    let disk = MemoryDisk::new();
    disk.inject(2, Fault::ShortWrite);
    disk.inject(4, Fault::Error(Errno::NOSPC));
    disk.inject(6, Fault::ErrorFromNowOn(Errno::ROFS));
    let file = disk.create_new("a").unwrap();
    assert!(file.write_at(b"1234", 0).is_err());
    assert_eq!(disk.bytes_of("a"), b"12");
    disk.list().unwrap();
    assert!(file.write_at(b"never", 0).unwrap_err().is_out_of_space());
    file.sync_all().unwrap();
    assert!(disk.remove("a").is_err());
    assert!(disk.list().is_err() && file.sync_all().is_err());
    assert_eq!((disk.calls(), disk.bytes_of("a")), (8, b"12".to_vec()));
}

#[test]
fn a_full_disk_refuses_and_heals() {
    let disk = MemoryDisk::new();
    disk.set_capacity(Some(100));
    let file = disk.create_new("a").unwrap();
    file.allocate(80).unwrap();
    assert_eq!(disk.free_bytes().unwrap(), 20);
    let full = disk.create_new("b").unwrap().write_at(&[0; 21], 0).unwrap_err();
    assert!(full.is_out_of_space(), "{full}");
    file.write_at(&[1; 80], 0).unwrap();
    disk.resize("a", 10).unwrap();
    assert_eq!(disk.free_bytes().unwrap(), 90);
    write_whole(&disk, "c", &[1; 90]).unwrap();
}

#[test]
fn a_missing_file_is_an_error_with_its_path() {
    let disk = MemoryDisk::new();
    let StorageError::Io { path, .. } = disk.open("a").unwrap_err() else {
        panic!("opening fails as a call of the disk");
    };
    assert_eq!(path, disk.path("a"));
}
