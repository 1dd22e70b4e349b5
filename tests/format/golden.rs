//! Golden files: what this version writes is byte for byte what it has always written, and what
//! was written then is read now. A change here is a change of the format: raise its version.

use super::world::{Commit, OPTIONS, Partition, State, Truth, catalog, load, table};
use std::path::{Path, PathBuf};
use upsertd::storage::memory_disk::MemoryDisk;

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/format")
}

/// An event whose bytes do not compress, so that the packer's version does not show.
fn event(seed: u8) -> Vec<u8> {
    (0..40_u8).map(|place| seed.wrapping_mul(37).wrapping_add(place.wrapping_mul(101))).collect()
}

fn commit(seed: u8) -> Commit {
    let events = |count: u8| (0..count).map(|number| event(seed.wrapping_add(number))).collect();
    let mut commit = vec![(table(1), events(6))];
    if seed.is_multiple_of(3) {
        commit.push((catalog(), events(1)));
    }
    commit
}

/// A directory with a closed and an open segment that ends in a seal, and a snapshot in between.
pub(crate) fn directory() -> (MemoryDisk, State) {
    let disk = MemoryDisk::new();
    let mut truth = Truth::new();
    let mut partition = Partition::start(&disk, &mut truth, "golden").unwrap();
    for seed in 0..12 {
        partition.commit(&mut truth, &[commit(seed)]).unwrap();
        if seed == 5 {
            partition.seal(&mut truth).unwrap();
            partition.snapshot().unwrap();
        }
    }
    partition.seal(&mut truth).unwrap();
    drop(partition);
    let state = truth.state_at(truth.acknowledged).unwrap().clone();
    let leftover = disk.names().into_iter().filter(|name| name.starts_with("upsertd-"));
    for name in leftover {
        disk.erase(&name);
    }
    (disk, state)
}

#[test]
fn what_is_written_is_what_was_always_written() {
    let (disk, _) = directory();
    if std::env::var_os("UPSERTD_WRITE_FIXTURES").is_some() {
        std::fs::create_dir_all(fixtures()).unwrap();
        for name in disk.names() {
            std::fs::write(fixtures().join(&name), disk.bytes_of(&name)).unwrap();
        }
    }
    let mut kept: Vec<String> = std::fs::read_dir(fixtures())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    kept.sort_unstable();
    assert_eq!(disk.names(), kept);
    for name in kept {
        let fixture = std::fs::read(fixtures().join(&name)).unwrap();
        let written = disk.bytes_of(&name);
        let differs = written.iter().zip(&fixture).position(|(new, old)| new != old);
        assert_eq!((differs, written.len()), (None, fixture.len()), "{name}");
    }
}

#[test]
fn what_was_written_then_is_read_now() {
    let disk = MemoryDisk::new();
    for entry in std::fs::read_dir(fixtures()).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        disk.put(name, std::fs::read(&path).unwrap());
    }
    let found = load(&disk, OPTIONS).unwrap();
    let (_, state) = directory();
    assert_eq!(found.state, state);
    assert!(found.recovered.report().snapshot.is_some());
}
