//! The rounds of snapshots in a directory: which there are, and that never two are written at
//! once. Knows nothing of their content.

use super::{SnapshotHeader, SnapshotReader, SnapshotWriter};
use crate::storage::disk::Disk;
use crate::storage::error::StorageError;
use crate::storage::names::SnapshotName;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// The snapshots of a directory. Clones are the same.
#[derive(Clone, Debug)]
pub struct Snapshots {
    disk: Arc<dyn Disk>,
    is_in_progress: Arc<AtomicBool>,
}

impl Snapshots {
    #[must_use]
    pub fn new(disk: Arc<dyn Disk>) -> Self {
        Self { disk, is_in_progress: Arc::new(AtomicBool::new(false)) }
    }

    /// The usable snapshots, oldest first.
    pub fn list(&self) -> Result<Vec<SnapshotName>, StorageError> {
        let mut found: Vec<SnapshotName> =
            self.disk.list()?.iter().filter_map(|name| SnapshotName::parse(name)).collect();
        found.sort_unstable();
        Ok(found)
    }

    /// Begins a round. Refused while another one is being written.
    pub fn begin(&self, header: SnapshotHeader) -> Result<SnapshotWriter, StorageError> {
        SnapshotWriter::begin(self.disk.clone(), self.is_in_progress.clone(), header)
    }

    /// Removes the rounds before the newest so many, and damaged ones that are older than those.
    /// Without so many usable ones nothing is removed.
    ///
    /// # Panics
    /// If none is to be kept.
    pub fn keep_newest(&self, count: usize) -> Result<Vec<SnapshotName>, StorageError> {
        assert!(count > 0, "the log does not reach back without a snapshot");
        let usable = self.list()?;
        let Some(oldest_kept) = usable.iter().rev().nth(count - 1) else { return Ok(Vec::new()) };
        let mut removed = Vec::new();
        for file in self.disk.list()? {
            if let Some(name) = SnapshotName::of_any_state(&file)
                && name < *oldest_kept
            {
                self.disk.remove(&file)?;
                removed.push(name);
            }
        }
        if !removed.is_empty() {
            self.disk.sync_directory()?;
        }
        Ok(removed)
    }

    /// Makes the names durable: a round may have been published by a process that was killed.
    pub(crate) fn sync(&self) -> Result<(), StorageError> {
        self.disk.sync_directory()
    }

    /// Opens a snapshot and checks all of it.
    pub fn open(&self, name: SnapshotName) -> Result<SnapshotReader, StorageError> {
        SnapshotReader::open(&*self.disk, &name.to_string())
    }
}
