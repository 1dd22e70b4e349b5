//! Restoring a snapshot into a new directory, whole or cut at every call.

use super::world::{IDS, Loaded, OPTIONS, SEGMENTS, State, Truth, live, load};
use std::sync::Arc;
use upsertd::model::id::{HistoryId, LogId, Timestamp, WriterId};
use upsertd::storage::disk::Disk;
use upsertd::storage::error::{Missing, StorageError, WayOut};
use upsertd::storage::frame::Salt;
use upsertd::storage::log::Log;
use upsertd::storage::memory_disk::{Fault, MemoryDisk, Survival};
use upsertd::storage::restore::{RestoreOptions, Restored, restore};
use upsertd::storage::snapshot::{SnapshotReader, Snapshots};

const NEW_LOG: LogId = LogId::from_bytes([0xd4; 16]);
const NEW_SALT: Salt = Salt([0xe5; 16]);
const SEED: u64 = 8;

/// The newest snapshot of a life, alone.
fn source() -> (SnapshotReader, State) {
    let disk = MemoryDisk::new();
    let mut truth = Truth::new();
    live(&disk, &mut truth, SEED).unwrap();
    let snapshots = Snapshots::new(Arc::new(disk));
    let newest = *snapshots.list().unwrap().last().unwrap();
    let state = truth.state_at(newest.position).unwrap().clone();
    (snapshots.open(newest).unwrap(), state)
}

fn new_history(writer: &WriterId) -> HistoryId {
    assert!(matches!(writer, WriterId::Table(_)), "only tables have histories");
    HistoryId::from_bytes([0xf6; 16])
}

fn restore_into(source: &SnapshotReader, target: &MemoryDisk) -> Result<Restored, StorageError> {
    let target: Arc<dyn Disk> = Arc::new(target.clone());
    let options =
        RestoreOptions { log_id: NEW_LOG, salt: NEW_SALT, now: Timestamp(5), segments: SEGMENTS };
    restore(source, &target, options, &mut new_history)
}

fn check_restored(found: &Loaded, source: &SnapshotReader, state: &State) {
    assert_eq!(&found.state, state);
    assert_eq!(found.recovered.last(), source.header().position);
    assert_eq!((found.ids.log_id, found.ids.salt), (NEW_LOG, NEW_SALT));
    assert_eq!(found.ids.digest_key, IDS.digest_key, "the digests stay what they are");
}

#[test]
fn a_restored_directory_has_the_state_and_a_history_of_its_own() {
    let (source, state) = source();
    let target = MemoryDisk::new();
    target.put("README.md", b"not ours".to_vec());
    let restored = restore_into(&source, &target).unwrap();
    assert_eq!(restored.position, source.header().position);
    assert_eq!(restored.writers, 3);
    let mut found = load(&target, OPTIONS).unwrap();
    check_restored(&found, &source, &state);
    let copy = SnapshotReader::open(&target, &restored.snapshot.to_string()).unwrap();
    for (copied, original) in copy.writers().iter().zip(source.writers()) {
        let is_new = copied.history == Some(HistoryId::from_bytes([0xf6; 16]));
        assert_eq!(is_new, original.history.is_some());
        assert_eq!((copied.digest, copied.sequence), (original.digest, original.sequence));
    }
    let mut log = found.recovered.begin_log().unwrap();
    let position = log.append(restored.position, b"").unwrap();
    assert_eq!(load(&target, OPTIONS).unwrap().recovered.last(), position);
}

#[test]
fn an_empty_snapshot_is_restored_to_an_empty_log() {
    let disk = MemoryDisk::new();
    let mut loaded = load(&disk, OPTIONS).unwrap();
    loaded.recovered.begin_log().unwrap();
    let snapshots = Snapshots::new(Arc::new(disk));
    let header = upsertd::storage::snapshot::SnapshotHeader {
        log_id: IDS.log_id,
        digest_key: IDS.digest_key,
        created: Timestamp(1),
        position: loaded.recovered.last(),
    };
    let written = snapshots.begin(header).unwrap().finish(&[]).unwrap();
    let target = MemoryDisk::new();
    restore_into(written.reader(), &target).unwrap();
    assert_eq!(load(&target, OPTIONS).unwrap().state, State::default());
}

#[test]
fn a_directory_in_use_is_not_restored_into() {
    let (source, _) = source();
    let target = MemoryDisk::new();
    live(&target, &mut Truth::new(), SEED).unwrap();
    let before = target.names();
    let refused = restore_into(&source, &target).unwrap_err();
    let StorageError::NotEmpty { found, .. } = &refused else { panic!("{refused}") };
    assert!(found.starts_with("log-"), "{found}");
    assert_eq!(refused.way_out(), WayOut::UseNewDirectory);
    assert_eq!(target.names(), before);
}

#[test]
fn a_restore_cut_at_every_call_is_whole_or_refused_and_can_be_repeated() {
    let (source, state) = source();
    let (mut refused, mut whole) = (0, 0);
    for call in 1.. {
        let target = MemoryDisk::new();
        target.inject(call, Fault::PowerCut);
        let restored = restore_into(&source, &target);
        let extremes =
            [Survival::KeepAll, Survival::LoseAll, Survival::NamesOnly, Survival::ContentsOnly];
        for survival in extremes.into_iter().chain((0..10).map(Survival::Random)) {
            let context = format!("cut at call {call}, {survival:?}");
            match load(&target.after_power_cut(survival), OPTIONS) {
                Ok(found) if found.recovered.report().is_new => {
                    assert!(restored.is_err(), "{context}: it was said to be restored");
                    let names = target.after_power_cut(survival).names();
                    let ours = names
                        .iter()
                        .any(|name| name.starts_with("log-") || name.starts_with("snapshot-"));
                    assert!(!ours, "{context}: {names:?}");
                }
                Ok(found) => {
                    check_restored(&found, &source, &state);
                    whole += 1;
                }
                Err(StorageError::Incomplete { missing: Missing::RestOfRestore, .. }) => {
                    assert!(restored.is_err(), "{context}: it was said to be restored");
                    refused += 1;
                }
                Err(error) => panic!("{context}: {error}"),
            }
            let again = target.after_power_cut(survival);
            match restore_into(&source, &again) {
                Ok(_) => {}
                Err(StorageError::NotEmpty { .. }) => {
                    load(&again, OPTIONS).unwrap_or_else(|error| panic!("{context}: {error}"));
                }
                Err(error) => panic!("{context}: {error}"),
            }
            check_restored(&load(&again, OPTIONS).unwrap(), &source, &state);
        }
        if restored.is_ok() {
            break;
        }
    }
    assert!(refused > 50 && whole > 5, "{refused} refused, {whole} whole");
}
