//! The same on the machine's own disk: what a disk in memory cannot show.

use super::world::{OPTIONS, Partition, Truth, load_from, table};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::Arc;
use tempfile::TempDir;
use upsertd::model::id::{HistoryId, LogId, Timestamp};
use upsertd::storage::disk::Disk;
use upsertd::storage::frame::Salt;
use upsertd::storage::real_disk::RealDisk;
use upsertd::storage::recovery::OpenOptions;
use upsertd::storage::restore::{RestoreOptions, restore};
use upsertd::storage::segment::SegmentOptions;
use upsertd::storage::snapshot::{SnapshotReader, Snapshots};

const SEGMENTS: SegmentOptions =
    SegmentOptions { segment_bytes: 256 << 10, zeros_ahead_bytes: 64 << 10 };
const OPEN: OpenOptions = OpenOptions { segments: SEGMENTS, ..OPTIONS };

fn disk(path: &Path) -> Arc<dyn Disk> {
    Arc::new(RealDisk::open_or_create(path).unwrap())
}

/// Runs a few times over the same directory, with a snapshot in the middle.
fn runs(disk: &Arc<dyn Disk>, truth: &mut Truth) {
    for run in 0..4 {
        let context = format!("run {run}");
        let mut partition = Partition::start_on(disk.clone(), OPEN, truth, &context).unwrap();
        for byte in 0..40 {
            let events = vec![vec![byte; 250]; 4 + usize::from(byte) * 4];
            partition.commit(truth, &[vec![(table(run), events)]]).unwrap();
        }
        partition.seal(truth).unwrap();
        if run == 2 {
            partition.snapshot().unwrap();
        }
    }
}

#[test]
fn a_directory_is_recovered_run_after_run() {
    let folder = TempDir::new().unwrap();
    let disk = disk(&folder.path().join("data"));
    let mut truth = Truth::new();
    runs(&disk, &mut truth);
    let found = load_from(disk, OPEN).unwrap();
    truth.check(&found, "at the end");
    assert_eq!(found.recovered.last(), truth.acknowledged);
    assert!(found.recovered.reader().segments().len() > 4);
    assert!(found.recovered.report().snapshot.is_some());
}

#[test]
fn closed_segments_keep_no_room_that_they_do_not_use() {
    let folder = TempDir::new().unwrap();
    let disk = disk(folder.path());
    let mut truth = Truth::new();
    runs(&disk, &mut truth);
    let found = load_from(disk, OPEN).unwrap();
    let segments = found.recovered.reader().segments();
    let (_, closed) = segments.split_last().unwrap();
    for segment in closed {
        let name = format!("log-{:020}.upsertd", segment.first.0);
        let metadata = std::fs::metadata(folder.path().join(&name)).unwrap();
        assert_eq!(metadata.len(), segment.bytes, "{name}");
        let occupied = metadata.blocks() * 512;
        assert!(occupied < segment.bytes + (64 << 10), "{name} occupies {occupied} bytes");
    }
}

#[test]
fn a_snapshot_is_restored_into_a_directory_of_its_own() {
    let folder = TempDir::new().unwrap();
    let source = disk(&folder.path().join("source"));
    let mut truth = Truth::new();
    runs(&source, &mut truth);
    let name = Snapshots::new(source.clone()).list().unwrap()[0];
    let reader = SnapshotReader::open(&*source, &name.to_string()).unwrap();
    let target = disk(&folder.path().join("target"));
    let options = RestoreOptions {
        log_id: LogId::from_bytes([1; 16]),
        salt: Salt([2; 16]),
        now: Timestamp(3),
        segments: SEGMENTS,
    };
    let restored =
        restore(&reader, &target, options, &mut |_| HistoryId::from_bytes([4; 16])).unwrap();
    let found = load_from(target, OPEN).unwrap();
    assert_eq!(Some(&found.state), truth.state_at(restored.position));
    assert_eq!(restored.position, name.position);
}
