//! The seam of the disk: one directory and its files, with exactly the calls on which durability
//! rests. Knows nothing of logs and snapshots.

use crate::storage::error::StorageError;
use crate::storage::names;
use std::fmt;
use std::path::PathBuf;

/// One directory. Names are plain file names in it; nothing below it is ever looked at.
///
/// A call that fails may have happened in part. Nothing is durable before a sync of the file (its
/// bytes and length) or of the directory (its names) has succeeded, and a sync that has failed
/// must not be repeated: its second success would be a lie.
pub trait Disk: Send + Sync + fmt::Debug {
    /// Makes a file that is not there yet, for writing and reading.
    fn create_new(&self, name: &str) -> Result<Box<dyn DiskFile>, StorageError>;

    /// Opens a file for reading. It can be synced too.
    fn open(&self, name: &str) -> Result<Box<dyn DiskFile>, StorageError>;

    /// Gives a file another name; a file that had that name is gone, in one step.
    fn rename(&self, from: &str, to: &str) -> Result<(), StorageError>;

    fn remove(&self, name: &str) -> Result<(), StorageError>;

    /// Sets the length of a file and gives back what was allocated behind it.
    fn resize(&self, name: &str, length: u64) -> Result<(), StorageError>;

    /// All names, sorted.
    fn list(&self) -> Result<Vec<String>, StorageError>;

    /// Makes the names durable.
    fn sync_directory(&self) -> Result<(), StorageError>;

    /// Bytes that can still be written.
    fn free_bytes(&self) -> Result<u64, StorageError>;

    /// What messages call a file; an empty name is the directory.
    fn path(&self, name: &str) -> PathBuf;
}

/// An open file of a [`Disk`].
pub trait DiskFile: Send + Sync + fmt::Debug {
    /// Writes all of `bytes`; a short write is a failure.
    fn write_at(&self, bytes: &[u8], offset: u64) -> Result<(), StorageError>;

    /// Fills `buffer` as far as the file reaches and tells how far that was.
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> Result<usize, StorageError>;

    /// Reserves room up to `length` without changing what the file holds or how long it is.
    fn allocate(&self, length: u64) -> Result<(), StorageError>;

    /// Makes the bytes and the length durable.
    fn sync_data(&self) -> Result<(), StorageError>;

    /// Makes everything about the file durable but its name.
    fn sync_all(&self) -> Result<(), StorageError>;

    /// Bytes in the file.
    fn length(&self) -> Result<u64, StorageError>;

    /// Lets the next read come from the device. Only what was synced before is dropped.
    fn drop_cache(&self) -> Result<(), StorageError>;

    /// Says that a piece will be read soon.
    fn prefetch(&self, offset: u64, length: u64) -> Result<(), StorageError>;
}

/// Writes a whole small file aside, syncs it, gives it its name, and makes the name durable.
/// Whatever had the name is replaced in one step.
pub fn write_whole(disk: &dyn Disk, name: &str, bytes: &[u8]) -> Result<(), StorageError> {
    let aside = names::temporary(name);
    let file = disk.create_new(&aside)?;
    let written = file.write_at(bytes, 0).and_then(|()| file.sync_all());
    if let Err(error) = written.and_then(|()| disk.rename(&aside, name)) {
        discard(disk, &aside);
        return Err(error);
    }
    disk.sync_directory()
}

/// Removes a file that nobody needs, if that can be done: the next start removes it otherwise.
pub(crate) fn discard(disk: &dyn Disk, temporary: &str) {
    disk.remove(temporary).ok();
}

/// Reads a whole file.
pub fn read_whole(disk: &dyn Disk, name: &str) -> Result<Vec<u8>, StorageError> {
    let file = disk.open(name)?;
    let length = usize::try_from(file.length()?).unwrap_or(usize::MAX);
    let mut bytes = vec![0; length];
    let read = file.read_at(&mut bytes, 0)?;
    bytes.truncate(read);
    Ok(bytes)
}
