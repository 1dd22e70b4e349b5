//! The disk of the machine. The directory is held by its descriptor, so that a path which comes to
//! mean something else changes nothing. Knows nothing of what the files hold.

use crate::storage::disk::{Disk, DiskFile};
use crate::storage::error::{Operation, StorageError};
use rustix::fs::{Advice, AtFlags, FallocateFlags, Mode, OFlags};
use rustix::io::Errno;
use std::fs::{DirBuilder, File, TryLockError};
use std::io;
use std::num::NonZeroU64;
use std::os::unix::fs::{DirBuilderExt, FileExt};
use std::path::{Path, PathBuf};

/// A directory of the machine's file system.
#[derive(Debug)]
pub struct RealDisk {
    path: PathBuf,
    directory: File,
}

/// Keeps other processes off a directory until it is dropped.
#[derive(Debug)]
pub struct DirectoryLock {
    /// The lock goes with this descriptor, whatever happens to names.
    _directory: File,
}

/// Others may not even list the directory.
const DIRECTORY_MODE: u32 = 0o700;
const FILE_MODE: Mode = Mode::RUSR.union(Mode::WUSR);

impl RealDisk {
    /// Opens a directory that is there.
    pub fn open(path: &Path) -> Result<Self, StorageError> {
        let failed = |source| StorageError::io(Operation::Open, path, source);
        let directory = File::open(path).map_err(failed)?;
        if !directory.metadata().map_err(failed)?.is_dir() {
            return Err(failed(Errno::NOTDIR.into()));
        }
        Ok(Self { path: path.to_owned(), directory })
    }

    /// Opens a directory; if it is missing it is made, for us alone, and its name made durable.
    pub fn open_or_create(path: &Path) -> Result<Self, StorageError> {
        let missing: Vec<&Path> =
            path.ancestors().take_while(|ancestor| !ancestor.exists()).collect();
        DirBuilder::new()
            .recursive(true)
            .mode(DIRECTORY_MODE)
            .create(path)
            .map_err(|source| StorageError::io(Operation::Create, path, source))?;
        for made in missing {
            let parent = match made.parent() {
                Some(parent) if !parent.as_os_str().is_empty() => parent,
                Some(_) | None => Path::new("."),
            };
            File::open(parent)
                .and_then(|parent| parent.sync_all())
                .map_err(|source| StorageError::io(Operation::Sync, parent, source))?;
        }
        Self::open(path)
    }

    /// Keeps other processes off. The lock is on the directory itself: a lock file could be
    /// deleted.
    pub fn lock(&self) -> Result<DirectoryLock, StorageError> {
        let failed = |source| StorageError::io(Operation::Lock, &self.path, source);
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        // The lock belongs to an open file description, so the guard has one of its own.
        let directory = rustix::fs::openat(&self.directory, ".", flags, Mode::empty())
            .map_err(|errno| failed(errno.into()))?;
        let directory = File::from(directory);
        match directory.try_lock() {
            Ok(()) => Ok(DirectoryLock { _directory: directory }),
            Err(TryLockError::WouldBlock) => {
                Err(StorageError::InUse { path: self.path.clone(), pid: self.holder() })
            }
            Err(TryLockError::Error(source)) => Err(failed(source)),
        }
    }

    /// Sees to it that nobody else may look into the directory.
    pub fn make_private(&self) -> Result<(), StorageError> {
        let failed = |errno: Errno| StorageError::io(Operation::Open, &self.path, errno.into());
        let stat = rustix::fs::fstat(&self.directory).map_err(failed)?;
        let mode = stat.st_mode & 0o7777;
        let for_others = mode & 0o077;
        if for_others == 0 {
            return Ok(());
        }
        if stat.st_uid != rustix::process::geteuid().as_raw() {
            return Err(StorageError::NotPrivate { path: self.path.clone(), mode });
        }
        rustix::fs::fchmod(&self.directory, Mode::RWXU).map_err(failed)
    }

    fn open_file(&self, name: &str, flags: OFlags) -> Result<File, Errno> {
        let flags = flags | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        rustix::fs::openat(&self.directory, name, flags, FILE_MODE).map(File::from)
    }

    fn failed(&self, operation: Operation, name: &str, errno: Errno) -> StorageError {
        StorageError::io(operation, &self.path(name), errno.into())
    }

    /// The process that has locked the directory, if the kernel tells.
    fn holder(&self) -> Option<u32> {
        let stat = rustix::fs::fstat(&self.directory).ok()?;
        let (major, minor) = (rustix::fs::major(stat.st_dev), rustix::fs::minor(stat.st_dev));
        let file = format!("{major:02x}:{minor:02x}:{}", stat.st_ino);
        holder_of(&file, &std::fs::read_to_string("/proc/locks").ok()?)
    }
}

/// Finds who holds the `flock` of a file in what `/proc/locks` says. A process of another
/// namespace is 0 there, which names nobody.
fn holder_of(file: &str, locks: &str) -> Option<u32> {
    locks.lines().find_map(|line| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [_, "FLOCK", _, _, pid, locked, ..] = words.as_slice() else { return None };
        (*locked == file).then(|| pid.parse().ok().filter(|pid| *pid > 0)).flatten()
    })
}

impl Disk for RealDisk {
    fn create_new(&self, name: &str) -> Result<Box<dyn DiskFile>, StorageError> {
        let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL;
        let file = self
            .open_file(name, flags)
            .map_err(|errno| self.failed(Operation::Create, name, errno))?;
        Ok(Box::new(RealFile { path: self.path(name), file }))
    }

    fn open(&self, name: &str) -> Result<Box<dyn DiskFile>, StorageError> {
        let file = self
            .open_file(name, OFlags::RDONLY)
            .map_err(|errno| self.failed(Operation::Open, name, errno))?;
        Ok(Box::new(RealFile { path: self.path(name), file }))
    }

    fn rename(&self, from: &str, to: &str) -> Result<(), StorageError> {
        rustix::fs::renameat(&self.directory, from, &self.directory, to)
            .map_err(|errno| self.failed(Operation::Rename, from, errno))
    }

    fn remove(&self, name: &str) -> Result<(), StorageError> {
        rustix::fs::unlinkat(&self.directory, name, AtFlags::empty())
            .map_err(|errno| self.failed(Operation::Remove, name, errno))
    }

    fn resize(&self, name: &str, length: u64) -> Result<(), StorageError> {
        self.open_file(name, OFlags::WRONLY)
            .and_then(|file| rustix::fs::ftruncate(&file, length))
            .map_err(|errno| self.failed(Operation::Resize, name, errno))
    }

    fn list(&self) -> Result<Vec<String>, StorageError> {
        let failed = |errno| self.failed(Operation::List, "", errno);
        let mut found = Vec::new();
        for entry in rustix::fs::Dir::read_from(&self.directory).map_err(failed)? {
            // A name that is no text is not ours.
            if let Ok(name) = entry.map_err(failed)?.file_name().to_str()
                && name != "."
                && name != ".."
            {
                found.push(name.to_owned());
            }
        }
        found.sort_unstable();
        Ok(found)
    }

    fn sync_directory(&self) -> Result<(), StorageError> {
        self.directory
            .sync_all()
            .map_err(|source| StorageError::io(Operation::Sync, &self.path, source))
    }

    fn free_bytes(&self) -> Result<u64, StorageError> {
        let stat = rustix::fs::fstatvfs(&self.directory)
            .map_err(|errno| self.failed(Operation::Measure, "", errno))?;
        Ok(stat.f_bavail.saturating_mul(stat.f_frsize))
    }

    fn path(&self, name: &str) -> PathBuf {
        if name.is_empty() { self.path.clone() } else { self.path.join(name) }
    }
}

/// An open file of a [`RealDisk`].
#[derive(Debug)]
struct RealFile {
    path: PathBuf,
    file: File,
}

impl RealFile {
    fn failed(&self, operation: Operation, source: impl Into<io::Error>) -> StorageError {
        StorageError::io(operation, &self.path, source.into())
    }

    fn advise(
        &self,
        offset: u64,
        length: Option<NonZeroU64>,
        advice: Advice,
    ) -> Result<(), StorageError> {
        rustix::fs::fadvise(&self.file, offset, length, advice)
            .map_err(|errno| self.failed(Operation::DropCache, errno))
    }
}

impl DiskFile for RealFile {
    fn write_at(&self, bytes: &[u8], offset: u64) -> Result<(), StorageError> {
        loop {
            match self.file.write_at(bytes, offset) {
                Ok(written) if written == bytes.len() => return Ok(()),
                // A regular file takes less only where room, a quota or a limit ends; to go on
                // would but bring the error that names it.
                Ok(written) => {
                    let rest = bytes.get(written..).unwrap_or_default();
                    let source = match self.file.write_at(rest, offset + written as u64) {
                        Ok(_) => io::Error::from(io::ErrorKind::WriteZero),
                        Err(source) => source,
                    };
                    return Err(self.failed(Operation::Write, source));
                }
                Err(source) if source.kind() == io::ErrorKind::Interrupted => {}
                Err(source) => return Err(self.failed(Operation::Write, source)),
            }
        }
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> Result<usize, StorageError> {
        let mut filled = 0;
        while let Some(rest) = buffer.get_mut(filled..)
            && !rest.is_empty()
        {
            match self.file.read_at(rest, offset + filled as u64) {
                Ok(0) => break,
                Ok(read) => filled += read,
                Err(source) if source.kind() == io::ErrorKind::Interrupted => {}
                Err(source) => return Err(self.failed(Operation::Read, source)),
            }
        }
        Ok(filled)
    }

    fn allocate(&self, length: u64) -> Result<(), StorageError> {
        match rustix::fs::fallocate(&self.file, FallocateFlags::KEEP_SIZE, 0, length) {
            // Without the call there is no promise of room, only zeros written ahead.
            Ok(()) | Err(Errno::OPNOTSUPP | Errno::NOSYS) => Ok(()),
            Err(errno) => Err(self.failed(Operation::Allocate, errno)),
        }
    }

    fn sync_data(&self) -> Result<(), StorageError> {
        self.file.sync_data().map_err(|source| self.failed(Operation::Sync, source))
    }

    fn sync_all(&self) -> Result<(), StorageError> {
        self.file.sync_all().map_err(|source| self.failed(Operation::Sync, source))
    }

    fn length(&self) -> Result<u64, StorageError> {
        let metadata =
            self.file.metadata().map_err(|source| self.failed(Operation::Measure, source))?;
        Ok(metadata.len())
    }

    fn drop_cache(&self) -> Result<(), StorageError> {
        self.advise(0, None, Advice::DontNeed)
    }

    fn prefetch(&self, offset: u64, length: u64) -> Result<(), StorageError> {
        self.advise(offset, NonZeroU64::new(length), Advice::WillNeed)
    }
}

#[cfg(test)]
mod tests {
    use super::{RealDisk, holder_of};
    use crate::storage::disk::{Disk, read_whole, write_whole};
    use crate::storage::error::{Operation, StorageError};
    use std::io;
    use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
    use tempfile::TempDir;

    fn disk() -> (TempDir, RealDisk) {
        let folder = tempfile::tempdir().unwrap();
        let disk = RealDisk::open(folder.path()).unwrap();
        (folder, disk)
    }

    #[test]
    fn what_was_written_is_read() {
        let (_folder, disk) = disk();
        let file = disk.create_new("a").unwrap();
        file.allocate(1 << 20).unwrap();
        assert_eq!(file.length().unwrap(), 0, "allocating does not lengthen");
        file.write_at(b"hello", 3).unwrap();
        file.sync_data().unwrap();
        file.sync_all().unwrap();
        file.drop_cache().unwrap();
        file.prefetch(0, 8).unwrap();
        let mut buffer = [9; 10];
        assert_eq!(file.read_at(&mut buffer, 0).unwrap(), 8);
        assert_eq!(&buffer, b"\0\0\0hello\x09\x09");
        disk.resize("a", 4).unwrap();
        assert_eq!(read_whole(&disk, "a").unwrap(), b"\0\0\0h");
        assert!(disk.free_bytes().unwrap() > 0);
    }

    #[test]
    fn names_come_go_and_replace() {
        let (folder, disk) = disk();
        write_whole(&disk, "b", b"old").unwrap();
        write_whole(&disk, "b", b"new").unwrap();
        disk.create_new("a").unwrap();
        assert_eq!(disk.list().unwrap(), ["a", "b"]);
        assert_eq!(read_whole(&disk, "b").unwrap(), b"new");
        disk.rename("a", "b").unwrap();
        assert_eq!(read_whole(&disk, "b").unwrap(), b"");
        disk.remove("b").unwrap();
        assert!(disk.list().unwrap().is_empty());
        assert_eq!(disk.path("b"), folder.path().join("b"));
    }

    #[test]
    fn a_name_that_is_taken_or_a_link_is_refused() {
        let (folder, disk) = disk();
        disk.create_new("a").unwrap();
        symlink(folder.path().join("a"), folder.path().join("link")).unwrap();
        for name in ["a", "link"] {
            let refused = disk.create_new(name).unwrap_err();
            let StorageError::Io { operation: Operation::Create, path, source } = refused else {
                panic!("another error: {refused}");
            };
            assert_eq!(path, folder.path().join(name));
            assert_eq!(source.kind(), io::ErrorKind::AlreadyExists);
        }
        assert!(disk.open("link").is_err());
    }

    #[test]
    fn files_and_new_directories_are_for_us_alone() {
        let (folder, _) = disk();
        let path = folder.path().join("deep/data");
        let disk = RealDisk::open_or_create(&path).unwrap();
        disk.create_new("a").unwrap();
        let mode = |path| std::fs::metadata(path).unwrap().mode() & 0o7777;
        assert_eq!((mode(path.clone()), mode(path.join("a"))), (0o700, 0o600));
    }

    #[test]
    fn a_wide_directory_of_ours_is_narrowed() {
        let (folder, disk) = disk();
        std::fs::set_permissions(folder.path(), PermissionsExt::from_mode(0o755)).unwrap();
        disk.make_private().unwrap();
        disk.make_private().unwrap();
        assert_eq!(std::fs::metadata(folder.path()).unwrap().mode() & 0o7777, 0o700);
    }

    #[test]
    fn a_file_is_no_directory() {
        let (folder, disk) = disk();
        disk.create_new("a").unwrap();
        assert!(RealDisk::open(&folder.path().join("a")).is_err());
        assert!(RealDisk::open_or_create(&folder.path().join("a")).is_err());
    }

    #[test]
    fn a_second_lock_is_refused_and_names_its_holder_until_the_first_is_dropped() {
        let (folder, disk) = disk();
        let lock = disk.lock().unwrap();
        let other = RealDisk::open(folder.path()).unwrap();
        let refused = other.lock().unwrap_err();
        let StorageError::InUse { path, pid } = refused else {
            panic!("another error: {refused}");
        };
        assert_eq!(path, folder.path());
        assert!(pid.is_none_or(|pid| pid == std::process::id()), "{pid:?}");
        drop(lock);
        other.lock().unwrap();
    }

    #[test]
    fn the_holder_is_found_among_all_locks() {
        let locks = "1: POSIX  ADVISORY  WRITE 7 08:01:131 0 EOF\n\
                     2: FLOCK  ADVISORY  WRITE 8 08:01:132 0 EOF\n\
                     2: -> FLOCK  ADVISORY  WRITE 9 08:01:133 0 EOF\n\
                     3: FLOCK  ADVISORY  WRITE 0 08:01:134 0 EOF\n";
        let check = |file, expected| assert_eq!(holder_of(file, locks), expected, "{file}");
        check("08:01:131", None);
        check("08:01:132", Some(8));
        check("08:01:133", None);
        check("08:01:134", None);
        check("08:01:13", None);
    }
}
