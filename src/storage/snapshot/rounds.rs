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

    /// Opens a snapshot and checks all of it.
    pub fn open(&self, name: SnapshotName) -> Result<SnapshotReader, StorageError> {
        SnapshotReader::open(&*self.disk, &name.to_string())
    }
}
