//! What lies in a data directory, by name and by the first bytes of its files. Decides nothing
//! about what is in them.

use crate::model::id::Position;
use crate::storage::disk::{Disk, DiskFile};
use crate::storage::error::{Missing, StorageError};
use crate::storage::names::{self, FileName, SnapshotName};
use crate::storage::segment::{self, HeaderFault, SegmentHeader};
use crate::storage::snapshot::{self, SnapshotHeader};
use std::collections::BTreeSet;
use std::sync::Arc;

/// The names in a data directory, sorted out.
#[derive(Debug, Default)]
pub(crate) struct Inventory {
    /// First positions of the segments, oldest first.
    pub(crate) segments: Vec<Position>,
    pub(crate) indexes: BTreeSet<Position>,
    /// Oldest first.
    pub(crate) snapshots: Vec<SnapshotName>,
    pub(crate) rejected: Vec<SnapshotName>,
    /// Oldest first.
    pub(crate) torn: Vec<Position>,
    pub(crate) temporaries: Vec<String>,
    pub(crate) has_restore_marker: bool,
}

impl Inventory {
    pub(crate) fn take(disk: &dyn Disk) -> Result<Self, StorageError> {
        let mut found = Self::default();
        for name in disk.list()? {
            match FileName::parse(&name) {
                FileName::Segment(first) => found.segments.push(first),
                FileName::SegmentIndex(first) => {
                    found.indexes.insert(first);
                }
                FileName::Snapshot(name) => found.snapshots.push(name),
                FileName::RejectedSnapshot(name) => found.rejected.push(name),
                FileName::Torn(position) => found.torn.push(position),
                FileName::RestoreMarker => found.has_restore_marker = true,
                FileName::Temporary => found.temporaries.push(name),
                FileName::Other => {}
            }
        }
        found.segments.sort_unstable();
        found.snapshots.sort_unstable();
        found.torn.sort_unstable();
        Ok(found)
    }

    /// Whether nothing was ever kept here. A README does not count.
    pub(crate) fn is_new(&self) -> bool {
        self.segments.is_empty() && self.snapshots.is_empty() && self.rejected.is_empty()
    }

    /// The first file that shows that something is kept here.
    pub(crate) fn sign_of_use(&self) -> Option<String> {
        let segment = self.segments.first().map(|first| names::segment(*first));
        let snapshot = self.snapshots.first().map(SnapshotName::to_string);
        segment.or(snapshot).or_else(|| self.rejected.first().map(|name| name.rejected()))
    }

    /// Refuses a directory that lacks something as its names alone tell.
    pub(crate) fn check_complete(&self, disk: &dyn Disk) -> Result<(), StorageError> {
        let missing = if self.has_restore_marker {
            Missing::RestOfRestore
        } else if self.segments.is_empty() && !self.is_new() {
            let newest_usable = self.snapshots.last().map(SnapshotName::to_string);
            let newest = newest_usable.or_else(|| self.sign_of_use()).unwrap_or_default();
            Missing::Log { newest_snapshot: newest }
        } else {
            return Ok(());
        };
        Err(StorageError::Incomplete { path: disk.path(""), missing })
    }

    /// Refuses files of another format by name. Nothing is changed.
    pub(crate) fn check_format(&self, disk: &dyn Disk) -> Result<(), StorageError> {
        for first in &self.segments {
            let supported = segment::FORMAT_VERSION;
            let header = |bytes: &[u8]| SegmentHeader::decode(bytes).err();
            check_version(disk, &names::segment(*first), supported, header)?;
        }
        for name in self.snapshots.iter().map(SnapshotName::to_string) {
            let supported = snapshot::FORMAT_VERSION;
            let header = |bytes: &[u8]| SnapshotHeader::decode(bytes).err();
            check_version(disk, &name, supported, header)?;
        }
        Ok(())
    }
}

/// Looks at the first bytes for the version alone, as many as tell a snapshot's from one that has
/// rotted: whether they are damaged is seen later, when they come from the device.
fn check_version(
    disk: &dyn Disk,
    name: &str,
    supported: u16,
    fault: impl FnOnce(&[u8]) -> Option<HeaderFault>,
) -> Result<(), StorageError> {
    let mut bytes = [0; snapshot::HEADER_LEN];
    let read = disk.open(name)?.read_at(&mut bytes, 0)?;
    match fault(bytes.get(..read).unwrap_or_default()) {
        Some(HeaderFault::OtherFormat { found }) => {
            Err(StorageError::OtherFormat { path: disk.path(name), found, supported })
        }
        Some(HeaderFault::Damaged(_)) | None => Ok(()),
    }
}

/// A segment file whose header was read from the device.
#[derive(Debug)]
pub(crate) struct SegmentFile {
    pub(crate) name: String,
    pub(crate) file: Arc<dyn DiskFile>,
    pub(crate) header: SegmentHeader,
}
