//! From a directory to states and a log to go on with: newest snapshot, then the log behind it.
//!
//! Blocking, before any writer runs. Damage is an error that names file and position; nothing is
//! guessed.

use crate::engine::snapshot::{SnapshotError, load};
use crate::engine::snapshotter::LastRound;
use crate::engine::states::States;
use crate::model::id::{Position, Timestamp};
use crate::model::table::event_form::Misfit;
use crate::model::table::{Limits, Setting};
use crate::storage::disk::Disk;
use crate::storage::error::StorageError;
use crate::storage::recovery::{self, OpenOptions, Recovered, RecoveryReport, ReplayError};
use crate::storage::segment::{LogIds, SegmentOptions};
use std::path::PathBuf;
use std::sync::Arc;

/// What recovery needs from outside.
#[derive(Clone, Copy, Debug)]
pub struct BootOptions {
    /// Freshly drawn; used if the directory is new.
    pub new_ids: LogIds,
    pub now: Timestamp,
    pub segments: SegmentOptions,
    pub limits: Limits,
    /// Threads that load a snapshot's records.
    pub threads: usize,
}

/// Everything that was in a directory.
pub struct Booted {
    pub states: States,
    /// The log, which has not begun its new segment yet.
    pub storage: Recovered,
    pub last_snapshot: Option<LastRound>,
    /// Bytes of log behind the snapshot.
    pub log_bytes_behind: u64,
}

/// Why a directory does not start.
#[derive(Debug, thiserror::Error)]
pub enum BootError {
    #[error(transparent)]
    Storage(#[from] StorageError),
    #[error(transparent)]
    Snapshot(#[from] SnapshotError),
    /// The checksums are right and yet an event does not fit: another version, or a bug.
    #[error("{}: the events at position {position} do not fit: {misfit}", .path.display())]
    Event { path: PathBuf, position: Position, misfit: Misfit },
    /// The states do not belong together.
    #[error("{}: {misfit}", .path.display())]
    Incomplete { path: PathBuf, misfit: Misfit },
}

/// Recovers a directory. Nothing is served before `Booted::storage` has begun its log.
pub fn recover(disk: &Arc<dyn Disk>, options: BootOptions) -> Result<Booted, BootError> {
    let open = OpenOptions {
        new_ids: options.new_ids,
        now: options.now,
        segments: options.segments,
        is_read_only: false,
    };
    let opened = recovery::open(disk.clone(), open)?;
    let setting = Setting { limits: options.limits, digest_key: opened.ids().digest_key.0 };
    let mut states = States::empty(setting);
    let mut last_snapshot = None;
    if let Some(snapshot) = opened.snapshot() {
        load(snapshot, &mut states, options.threads)?;
        let header = snapshot.header();
        states.newest = header.created;
        last_snapshot = Some(LastRound {
            position: header.position,
            bytes: snapshot.length(),
            at: header.created,
        });
    }
    let storage = opened
        .replay(|position, part| states.replay(position, part).map(drop))
        .map_err(|error| of_replay(&**disk, error))?;
    states.check().map_err(|misfit| BootError::Incomplete { path: disk.path(""), misfit })?;
    let log_bytes_behind = storage.report().bytes;
    Ok(Booted { states, storage, last_snapshot, log_bytes_behind })
}

fn of_replay(disk: &dyn Disk, error: ReplayError<Misfit>) -> BootError {
    match error {
        ReplayError::Storage(error) => error.into(),
        ReplayError::Apply { position, error } => {
            BootError::Event { path: disk.path(""), position, misfit: error }
        }
    }
}

impl Booted {
    #[must_use]
    pub fn report(&self) -> &RecoveryReport {
        self.storage.report()
    }
}
