//! What a recovery has found and done, for whoever tells the operator.

use crate::model::id::Position;
use crate::storage::error::StorageError;
use crate::storage::names::SnapshotName;
use std::path::PathBuf;

/// What a recovery has found and done.
#[derive(Debug, Default)]
pub struct RecoveryReport {
    /// The directory held no log and no snapshot.
    pub is_new: bool,
    /// Position of the last frame.
    pub recovered: Position,
    /// Frames behind the snapshot, seals too.
    pub frames: u64,
    pub parts: u64,
    /// Bytes of log that were read.
    pub bytes: u64,
    /// The snapshot that was used.
    pub snapshot: Option<SnapshotName>,
    /// Newer snapshots that could not be used, and why. They are set aside.
    pub rejected_snapshots: Vec<(SnapshotName, StorageError)>,
    /// A last frame that was not written whole. Nobody was told that it is durable.
    pub torn: Option<TornTail>,
    /// Files that nobody needs.
    pub removed: Vec<String>,
}

/// The bytes of a torn frame at the end of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TornTail {
    pub path: PathBuf,
    pub offset: u64,
    /// The position that the frame would have had.
    pub position: Position,
    pub bytes: u64,
    /// The file that they were copied to, once the log goes on; none if there was no room.
    pub kept: Option<String>,
}
