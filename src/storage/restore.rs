//! A new data directory from one snapshot file. Knows which bytes must change (ids, positions) and
//! which must not (what the chunks hold).

use crate::model::id::{HistoryId, LogId, Position, Timestamp, WriterId};
use crate::storage::disk::{Disk, write_whole};
use crate::storage::error::StorageError;
use crate::storage::frame::{Checksum, Salt};
use crate::storage::names::{self, RESTORE_MARKER, SnapshotName};
use crate::storage::recovery::Inventory;
use crate::storage::segment::{LogIds, SegmentEnd, SegmentOptions};
use crate::storage::segment_log::{Beginning, SegmentLog};
use crate::storage::segments::Segments;
use crate::storage::snapshot::{
    ChunkHead, SnapshotHeader, SnapshotReader, Snapshots, WriterSummary,
};
use std::sync::Arc;

/// What stands in the marker, for whoever looks.
const MARKER_TEXT: &[u8] = b"a restore into this directory is not finished: run it again\n";

/// What [`restore`] needs from outside.
#[derive(Clone, Copy, Debug)]
pub struct RestoreOptions {
    /// Freshly drawn: the new log is another one.
    pub log_id: LogId,
    /// Freshly drawn.
    pub salt: Salt,
    pub now: Timestamp,
    pub segments: SegmentOptions,
}

/// What was restored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Restored {
    /// The newest position whose events are in it; the new log goes on behind it.
    pub position: Position,
    pub writers: usize,
    pub records: u64,
    pub snapshot: SnapshotName,
}

/// Makes a data directory of a snapshot alone, in a directory that is empty or in which an earlier
/// restore was cut short. Until all of it is durable, a start on the directory is refused.
///
/// `history` draws a new history id for each table: cursors of before do not fit any more.
pub fn restore(
    source: &SnapshotReader,
    target: &Arc<dyn Disk>,
    options: RestoreOptions,
    history: &mut dyn FnMut(&WriterId) -> HistoryId,
) -> Result<Restored, StorageError> {
    claim(&**target)?;
    let positions = source.writers().iter().map(|entry| entry.position);
    let position = positions.max().unwrap_or(source.header().position);
    let snapshot = copy(source, target, options, position, history)?;
    let digest_key = source.header().digest_key;
    let ids = LogIds { log_id: options.log_id, salt: options.salt, digest_key };
    SegmentLog::begin(Beginning {
        segments: Arc::new(Segments::new(target.clone(), ids, Vec::new())),
        options: options.segments,
        previous: SegmentEnd { position, offset: 0, checksum: Checksum(0) },
        now: options.now,
        unindexed: Vec::new(),
    })?;
    target.remove(RESTORE_MARKER)?;
    target.sync_directory()?;
    let records = source.writers().iter().map(|entry| entry.records).sum();
    Ok(Restored { position, writers: source.writers().len(), records, snapshot })
}

/// Marks the directory before anything else is in it, and clears what an earlier attempt has left.
fn claim(target: &dyn Disk) -> Result<(), StorageError> {
    let inventory = Inventory::take(target)?;
    if !inventory.has_restore_marker {
        if let Some(found) = inventory.sign_of_use() {
            return Err(StorageError::NotEmpty { path: target.path(""), found });
        }
        for name in &inventory.temporaries {
            target.remove(name)?;
        }
        return write_whole(target, RESTORE_MARKER, MARKER_TEXT);
    }
    let segments = inventory.segments.iter().map(|first| names::segment(*first));
    let snapshots = inventory.snapshots.iter().map(SnapshotName::to_string);
    for name in segments.chain(snapshots).chain(inventory.temporaries.clone()) {
        target.remove(&name)?;
    }
    target.sync_directory()
}

/// Copies the chunks as they are. All of them are as of the same position in the new log, which
/// has no frames up to it.
fn copy(
    source: &SnapshotReader,
    target: &Arc<dyn Disk>,
    options: RestoreOptions,
    position: Position,
    history: &mut dyn FnMut(&WriterId) -> HistoryId,
) -> Result<SnapshotName, StorageError> {
    let header = SnapshotHeader {
        log_id: options.log_id,
        digest_key: source.header().digest_key,
        created: options.now,
        position,
    };
    let mut writer = Snapshots::new(target.clone()).begin(header)?;
    for (place, head) in source.chunks().enumerate() {
        let chunk = source.read_stored(place)?;
        writer.put_stored(&ChunkHead { position, ..head }, chunk.content_len(), chunk.stored())?;
    }
    let summaries: Vec<WriterSummary> = source
        .writers()
        .iter()
        .map(|entry| WriterSummary {
            writer: entry.writer,
            position,
            sequence: entry.sequence,
            history: entry.history.map(|_| history(&entry.writer)),
            digest: entry.digest,
        })
        .collect();
    writer.finish(&summaries)?.publish()
}
