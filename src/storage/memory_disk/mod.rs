//! A disk in memory that can lose its power: for simulations of everything that stands on a disk.
//! Knows nothing of what its files hold.
//!
//! Each call has a number, from 1. At any of them the power can go or an error be injected. After
//! that [`MemoryDisk::after_power_cut`] gives the disk that a machine would find, and
//! [`MemoryDisk::after_kill`] the one that a new process finds while the machine runs on.
//!
//! ```
//! use upsertd::storage::disk::Disk;
//! use upsertd::storage::memory_disk::{Fault, MemoryDisk, Survival};
//!
//! let disk = MemoryDisk::new();
//! disk.inject(3, Fault::PowerCut);
//! let file = disk.create_new("a").unwrap();
//! file.write_at(b"never synced", 0).unwrap();
//! assert!(disk.sync_directory().is_err());
//! assert!(disk.after_power_cut(Survival::LoseAll).list().unwrap().is_empty());
//! ```

mod content;
mod random;

use crate::storage::disk::{Disk, DiskFile};
use crate::storage::error::{Operation, StorageError};
use content::Content;
use parking_lot::Mutex;
use random::Random;
use rustix::io::Errno;
use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

/// What of the changes since the last syncs is there after a power cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Survival {
    KeepAll,
    LoseAll,
    /// Names survive, bytes do not.
    NamesOnly,
    /// Bytes survive, names do not.
    ContentsOnly,
    /// Each name and each sector of 512 bytes is kept or lost by itself, as this seed decides.
    Random(u64),
}

/// What happens to a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The power goes while the call runs; it and every later one fail.
    PowerCut,
    /// The call fails. A failed sync marks clean what the device does not have: a repeated one
    /// succeeds and changes nothing.
    Error(Errno),
    /// The call and every later one fail.
    ErrorFromNowOn(Errno),
    /// A write gets half of its bytes in and fails; every other call simply fails.
    ShortWrite,
}

/// A directory in memory. Clones are the same disk.
#[derive(Clone, Debug, Default)]
pub struct MemoryDisk {
    state: Arc<Mutex<State>>,
}

#[derive(Clone, Debug, Default)]
struct State {
    files: BTreeMap<FileId, Content>,
    names: BTreeMap<String, FileId>,
    durable_names: BTreeMap<String, FileId>,
    pending_names: Vec<NameChange>,
    next_file: u64,
    calls: u64,
    faults: BTreeMap<u64, Fault>,
    is_off: bool,
    fails_with: Option<Errno>,
    capacity: Option<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct FileId(u64);

#[derive(Clone, Debug)]
enum NameChange {
    Link { name: String, file: FileId },
    Unlink { name: String },
    Rename { from: String, to: String, file: FileId },
}

impl NameChange {
    fn apply(&self, names: &mut BTreeMap<String, FileId>) {
        match self {
            Self::Link { name, file } => {
                names.insert(name.clone(), *file);
            }
            Self::Unlink { name } => {
                names.remove(name);
            }
            Self::Rename { from, to, file } => {
                if names.get(from) == Some(file) {
                    names.remove(from);
                }
                names.insert(to.clone(), *file);
            }
        }
    }
}

/// How a call goes on after its faults were looked at.
enum Course {
    Normal,
    /// It happens, in the cache at best, and then fails.
    ThenFails(io::Error),
    Half,
}

impl MemoryDisk {
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Lets the call with this number (the first is 1) meet a fault.
    pub fn inject(&self, call: u64, fault: Fault) {
        self.state.lock().faults.insert(call, fault);
    }

    /// How many calls there were, those of its files included.
    #[must_use]
    pub fn calls(&self) -> u64 {
        self.state.lock().calls
    }

    /// Whether the power has gone.
    #[must_use]
    pub fn is_off(&self) -> bool {
        self.state.lock().is_off
    }

    /// Lets writes and allocations fail that would need more room than this.
    pub fn set_capacity(&self, bytes: Option<u64>) {
        self.state.lock().capacity = bytes;
    }

    /// The disk that is found when the power is back. This one stays as it is.
    #[must_use]
    pub fn after_power_cut(&self, survival: Survival) -> Self {
        let old = self.state.lock();
        let seed = match survival {
            Survival::Random(seed) => seed,
            Survival::KeepAll
            | Survival::LoseAll
            | Survival::NamesOnly
            | Survival::ContentsOnly => 0,
        };
        let mut random = Random::new(seed);
        let mut names = old.durable_names.clone();
        for change in &old.pending_names {
            let is_kept = match survival {
                Survival::KeepAll | Survival::NamesOnly => true,
                Survival::LoseAll | Survival::ContentsOnly => false,
                Survival::Random(_) => random.flip(),
            };
            if is_kept {
                change.apply(&mut names);
            }
        }
        let mut files = BTreeMap::new();
        for (file, content) in &old.files {
            if names.values().any(|named| named == file) {
                files.insert(*file, content.survive(survival, &mut random));
            }
        }
        let (next_file, capacity) = (old.next_file, old.capacity);
        let durable_names = names.clone();
        let state = State { files, names, durable_names, next_file, capacity, ..State::default() };
        Self { state: Arc::new(Mutex::new(state)) }
    }

    /// The disk that a new process finds while the machine runs on: everything is there as it was
    /// seen, and still not durable. This one stays as it is.
    #[must_use]
    pub fn after_kill(&self) -> Self {
        let mut state = self.state.lock().clone();
        state.calls = 0;
        state.faults.clear();
        state.is_off = false;
        state.fails_with = None;
        Self { state: Arc::new(Mutex::new(state)) }
    }

    /// The bytes of a file as programs see them. No call.
    ///
    /// # Panics
    /// If there is no such file.
    #[must_use]
    pub fn bytes_of(&self, name: &str) -> Vec<u8> {
        let state = self.state.lock();
        state.content(name).expect("the file is there").cached().to_vec()
    }

    /// Puts a file there as if it had always been there. No call.
    pub fn put(&self, name: &str, bytes: Vec<u8>) {
        let mut state = self.state.lock();
        let file = state.new_file(Content::settled(bytes));
        state.names.insert(name.to_owned(), file);
        state.durable_names.insert(name.to_owned(), file);
    }

    /// Takes a file away for good. No call.
    pub fn erase(&self, name: &str) {
        let mut state = self.state.lock();
        state.names.remove(name);
        state.durable_names.remove(name);
    }

    /// Flips a bit of a file, as rot does. No call.
    ///
    /// # Panics
    /// If the file does not have so many bits.
    pub fn flip_bit(&self, name: &str, bit: usize) {
        let mut state = self.state.lock();
        state.content_mut(name).expect("the file is there").flip_bit(bit);
    }

    /// Flips a bit on the device alone: whoever reads the cache does not see it. No call.
    ///
    /// # Panics
    /// If the file does not have so many durable bits.
    pub fn flip_bit_on_device(&self, name: &str, bit: usize) {
        let mut state = self.state.lock();
        state.content_mut(name).expect("the file is there").flip_bit_on_device(bit);
    }

    /// All names. No call.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        self.state.lock().names.keys().cloned().collect()
    }

    fn failed(&self, operation: Operation, name: &str, source: io::Error) -> StorageError {
        StorageError::io(operation, &self.path(name), source)
    }

    /// Counts a call, lets it meet its fault, and does its work on the state.
    fn call<T>(
        &self,
        operation: Operation,
        name: &str,
        work: impl FnOnce(&mut State, &Course) -> Result<T, Errno>,
    ) -> Result<T, StorageError> {
        let mut state = self.state.lock();
        let failed = |source| self.failed(operation, name, source);
        let course = state.count_call().map_err(failed)?;
        let done = work(&mut state, &course).map_err(|errno| failed(errno.into()))?;
        match course {
            Course::Normal => Ok(done),
            Course::ThenFails(source) => Err(failed(source)),
            Course::Half => Err(failed(io::ErrorKind::WriteZero.into())),
        }
    }
}

impl State {
    fn count_call(&mut self) -> io::Result<Course> {
        self.calls += 1;
        let off = || io::Error::other("the power is off");
        if self.is_off {
            return Err(off());
        }
        if let Some(errno) = self.fails_with {
            return Err(errno.into());
        }
        match self.faults.get(&self.calls) {
            None => Ok(Course::Normal),
            Some(Fault::PowerCut) => {
                self.is_off = true;
                Ok(Course::ThenFails(off()))
            }
            Some(Fault::Error(errno)) => Ok(Course::ThenFails((*errno).into())),
            Some(Fault::ErrorFromNowOn(errno)) => {
                self.fails_with = Some(*errno);
                Ok(Course::ThenFails((*errno).into()))
            }
            Some(Fault::ShortWrite) => Ok(Course::Half),
        }
    }

    fn new_file(&mut self, content: Content) -> FileId {
        let file = FileId(self.next_file);
        self.next_file += 1;
        self.files.insert(file, content);
        file
    }

    fn file(&self, name: &str) -> Result<FileId, Errno> {
        self.names.get(name).copied().ok_or(Errno::NOENT)
    }

    fn content(&self, name: &str) -> Option<&Content> {
        self.files.get(self.names.get(name)?)
    }

    fn content_mut(&mut self, name: &str) -> Option<&mut Content> {
        self.files.get_mut(self.names.get(name)?)
    }

    fn open_content(&mut self, file: FileId) -> &mut Content {
        self.files.get_mut(&file).expect("files are kept while the disk is")
    }

    fn change_names(&mut self, change: NameChange) {
        change.apply(&mut self.names);
        self.pending_names.push(change);
    }

    fn occupied(&self) -> u64 {
        self.names.values().filter_map(|file| self.files.get(file)).map(Content::occupied).sum()
    }

    /// Whether a file may grow to a length.
    fn check_room(&self, file: FileId, length: u64) -> Result<(), Errno> {
        let content = self.files.get(&file).ok_or(Errno::BADF)?;
        let more = content.occupied_with(length) - content.occupied();
        let is_full =
            more > 0 && self.capacity.is_some_and(|capacity| self.occupied() + more > capacity);
        if is_full { Err(Errno::NOSPC) } else { Ok(()) }
    }
}

/// Whether a call that ends in an error has an effect all the same: only a cut leaves one.
fn happens(state: &State, course: &Course) -> bool {
    matches!(course, Course::Normal) || state.is_off
}

impl Disk for MemoryDisk {
    fn create_new(&self, name: &str) -> Result<Box<dyn DiskFile>, StorageError> {
        let file = self.call(Operation::Create, name, |state, course| {
            if state.names.contains_key(name) {
                return Err(Errno::EXIST);
            }
            let file = state.new_file(Content::default());
            if happens(state, course) {
                state.change_names(NameChange::Link { name: name.to_owned(), file });
            }
            Ok(file)
        })?;
        Ok(Box::new(MemoryFile { disk: self.clone(), name: name.to_owned(), file }))
    }

    fn open(&self, name: &str) -> Result<Box<dyn DiskFile>, StorageError> {
        let file = self.call(Operation::Open, name, |state, _| state.file(name))?;
        Ok(Box::new(MemoryFile { disk: self.clone(), name: name.to_owned(), file }))
    }

    fn rename(&self, from: &str, to: &str) -> Result<(), StorageError> {
        self.call(Operation::Rename, from, |state, course| {
            let file = state.file(from)?;
            if happens(state, course) {
                let (from, to) = (from.to_owned(), to.to_owned());
                state.change_names(NameChange::Rename { from, to, file });
            }
            Ok(())
        })
    }

    fn remove(&self, name: &str) -> Result<(), StorageError> {
        self.call(Operation::Remove, name, |state, course| {
            state.file(name)?;
            if happens(state, course) {
                state.change_names(NameChange::Unlink { name: name.to_owned() });
            }
            Ok(())
        })
    }

    fn resize(&self, name: &str, length: u64) -> Result<(), StorageError> {
        self.call(Operation::Resize, name, |state, course| {
            let file = state.file(name)?;
            if happens(state, course) {
                state.open_content(file).resize(to_usize(length));
            }
            Ok(())
        })
    }

    fn list(&self) -> Result<Vec<String>, StorageError> {
        self.call(Operation::List, "", |state, _| Ok(state.names.keys().cloned().collect()))
    }

    fn sync_directory(&self) -> Result<(), StorageError> {
        self.call(Operation::Sync, "", |state, course| {
            match course {
                Course::Normal => {
                    let pending = std::mem::take(&mut state.pending_names);
                    for change in pending {
                        change.apply(&mut state.durable_names);
                    }
                }
                // Names live in a journal: what it could not write stays to be written.
                Course::ThenFails(_) | Course::Half => {}
            }
            Ok(())
        })
    }

    fn free_bytes(&self) -> Result<u64, StorageError> {
        self.call(Operation::Measure, "", |state, _| {
            Ok(state.capacity.unwrap_or(1 << 40).saturating_sub(state.occupied()))
        })
    }

    fn path(&self, name: &str) -> PathBuf {
        PathBuf::from("memory").join(name)
    }
}

/// An open file of a [`MemoryDisk`]; it stays open when its name goes.
#[derive(Debug)]
struct MemoryFile {
    disk: MemoryDisk,
    name: String,
    file: FileId,
}

impl MemoryFile {
    fn call<T>(
        &self,
        operation: Operation,
        work: impl FnOnce(&mut State, &Course) -> Result<T, Errno>,
    ) -> Result<T, StorageError> {
        self.disk.call(operation, &self.name, work)
    }
}

impl DiskFile for MemoryFile {
    fn write_at(&self, bytes: &[u8], offset: u64) -> Result<(), StorageError> {
        self.call(Operation::Write, |state, course| {
            state.check_room(self.file, offset + bytes.len() as u64)?;
            let is_half = matches!(course, Course::Half);
            let length = if is_half { bytes.len() / 2 } else { bytes.len() };
            if is_half || happens(state, course) {
                state.open_content(self.file).write(to_usize(offset), &bytes[..length]);
            }
            Ok(())
        })
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> Result<usize, StorageError> {
        self.call(Operation::Read, |state, _| {
            let cached = state.open_content(self.file).cached();
            let rest = cached.get(to_usize(offset)..).unwrap_or_default();
            let length = rest.len().min(buffer.len());
            buffer[..length].copy_from_slice(&rest[..length]);
            Ok(length)
        })
    }

    fn allocate(&self, length: u64) -> Result<(), StorageError> {
        self.call(Operation::Allocate, |state, _| {
            state.check_room(self.file, length)?;
            state.open_content(self.file).allocate(length);
            Ok(())
        })
    }

    fn sync_data(&self) -> Result<(), StorageError> {
        self.call(Operation::Sync, |state, course| {
            let is_cut = state.is_off;
            let content = state.open_content(self.file);
            match course {
                Course::Normal => content.sync(),
                Course::ThenFails(_) | Course::Half if is_cut => {}
                Course::ThenFails(_) | Course::Half => content.fail_sync(),
            }
            Ok(())
        })
    }

    fn sync_all(&self) -> Result<(), StorageError> {
        self.sync_data()
    }

    fn length(&self) -> Result<u64, StorageError> {
        self.call(Operation::Measure, |state, _| {
            Ok(state.open_content(self.file).cached().len() as u64)
        })
    }

    fn drop_cache(&self) -> Result<(), StorageError> {
        self.call(Operation::DropCache, |state, course| {
            if matches!(course, Course::Normal) {
                state.open_content(self.file).drop_cache();
            }
            Ok(())
        })
    }

    fn prefetch(&self, _offset: u64, _length: u64) -> Result<(), StorageError> {
        self.call(Operation::Read, |_, _| Ok(()))
    }
}

fn to_usize(offset: u64) -> usize {
    usize::try_from(offset).expect("a simulated file is small")
}

#[cfg(test)]
mod tests;
