//! What goes wrong in storage: one enum with the path, the place, the reason and the way out as
//! data. Knows no exit code and no wording of the command line.

use crate::model::id::Position;
use crate::storage::frame::FrameError;
use crate::storage::part::PartError;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use thiserror::Error;

/// What goes wrong in storage.
#[derive(Debug, Error)]
pub enum StorageError {
    /// The disk refused a call. Exit 8, or `read_only` where [`StorageError::is_out_of_space`].
    #[error("cannot {operation} {}: {source}", .path.display())]
    Io { operation: Operation, path: PathBuf, source: io::Error },
    /// An earlier append failed, so nothing is appended any more.
    #[error("nothing more is appended to {}: an earlier write or sync failed", .path.display())]
    Poisoned { path: PathBuf },
    /// Bytes are not what was written. Exit 5.
    #[error("{0}")]
    Damaged(Box<Damage>),
    /// Files that must be there are not. Exit 5.
    #[error("{}: {missing}", .path.display())]
    Incomplete { path: PathBuf, missing: Missing },
    /// Another version of upsertd wrote this. Exit 5.
    #[error("{} has format version {found}, this binary knows {supported}", .path.display())]
    OtherFormat { path: PathBuf, found: u16, supported: u16 },
    /// Another process has the directory. Exit 4.
    #[error("{} is in use{}", .path.display(), Holder(*.pid))]
    InUse { path: PathBuf, pid: Option<u32> },
    /// Others may read the directory and it is not ours to narrow. Exit 3.
    #[error("{} has mode {mode:04o} and belongs to another user", .path.display())]
    NotPrivate { path: PathBuf, mode: u32 },
    /// A restore needs a directory without a log and without snapshots.
    #[error("{} already holds {found}", .path.display())]
    NotEmpty { path: PathBuf, found: String },
    /// What is asked for was removed with its segment; the log begins at `first`.
    #[error("the log begins at position {first}, what was before is no longer kept")]
    Trimmed { first: Position },
    /// A snapshot is being written already.
    #[error("a snapshot is being written already")]
    SnapshotInProgress,
}

/// What was asked of the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    Allocate,
    Create,
    DropCache,
    List,
    Lock,
    Measure,
    Open,
    Read,
    Remove,
    Rename,
    Resize,
    Sync,
    Write,
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Allocate => "allocate space for",
            Self::Create => "create",
            Self::DropCache => "drop the cache of",
            Self::List => "list",
            Self::Lock => "lock",
            Self::Measure => "measure",
            Self::Open => "open",
            Self::Read => "read",
            Self::Remove => "remove",
            Self::Rename => "rename",
            Self::Resize => "resize",
            Self::Sync => "sync",
            Self::Write => "write",
        })
    }
}

/// Where bytes are not what was written, what that puts in doubt, and what is known around it.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{} is damaged at offset {offset}: {reason}", .path.display())]
pub struct Damage {
    pub path: PathBuf,
    pub offset: u64,
    pub reason: DamageReason,
    /// The positions whose frames cannot be read or trusted, if they are known.
    pub in_doubt: Option<InDoubt>,
    /// A readable frame behind the damage: what is lost is not merely the end.
    pub good_after: Option<GoodFrame>,
}

/// Positions from `first` up to `last`; no `last` means that nobody knows how many there were.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InDoubt {
    pub first: Position,
    pub last: Option<Position>,
}

/// A frame that can be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GoodFrame {
    pub path: PathBuf,
    pub offset: u64,
    pub position: Position,
}

/// Why bytes are taken for damaged.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum DamageReason {
    #[error("{0}")]
    Frame(#[from] FrameError),
    #[error("{0}")]
    Part(#[from] PartError),
    #[error("a frame has position {found} where {expected} must stand")]
    WrongPosition { expected: Position, found: Position },
    #[error("a frame does not continue the frame before it")]
    BrokenChain,
    #[error("the last frame is not the one that the next segment continues")]
    WrongEnd,
    #[error("the segment is shorter than it was when its last frame was written")]
    CutShort,
    #[error("{0} is cut short")]
    Truncated(Section),
    #[error("{0} does not begin with its magic bytes")]
    BadMagic(Section),
    #[error("the checksum of {0} does not fit its bytes")]
    BadChecksum(Section),
    #[error("{0} says what cannot be")]
    Inconsistent(Section),
    #[error("the file belongs to another log")]
    OtherLog,
    #[error("the file's header says position {found}, its name {named}")]
    OtherName { named: Position, found: Position },
    #[error("the disk cannot read it: {0}")]
    Unreadable(String),
}

/// A piece of a file that has a checksum of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Section {
    SegmentHeader,
    SegmentIndex,
    SnapshotHeader,
    SnapshotChunk,
    SnapshotContents,
    SnapshotTrailer,
}

impl fmt::Display for Section {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::SegmentHeader => "the segment's header",
            Self::SegmentIndex => "the segment's index",
            Self::SnapshotHeader => "the snapshot's header",
            Self::SnapshotChunk => "a chunk of the snapshot",
            Self::SnapshotContents => "the snapshot's table of contents",
            Self::SnapshotTrailer => "the snapshot's trailer",
        })
    }
}

/// What must be there and is not.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Missing {
    #[error("there are snapshots but no log")]
    Log { newest_snapshot: String },
    #[error("the log lacks positions {first} to {last}")]
    Frames { first: Position, last: Position },
    #[error("the log lacks what follows position {last}")]
    End { last: Position },
    #[error("a restore into it was interrupted")]
    RestOfRestore,
}

/// What an operator can do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WayOut {
    /// See that the disk works and is writable, then start again: all that was acknowledged is
    /// on it.
    CheckDisk,
    /// Give the disk room.
    FreeSpace,
    /// `upsertd restore` from this snapshot, or from a backup if there is none, into a new
    /// directory. The damaged one is not changed.
    Restore { snapshot: Option<String> },
    /// Put the missing files back from a backup of this directory, or restore a snapshot.
    PutBackOrRestore,
    /// Run the same `upsertd restore` again.
    RestoreAgain,
    /// Use the version that wrote it; carry data across with `dump` and `restore`.
    UseOtherVersion,
    /// Stop the other process, or name another directory.
    StopOther { pid: Option<u32> },
    /// Own the directory, or narrow its mode to 0700.
    Narrow,
    /// Name a directory that is new or empty.
    UseNewDirectory,
    /// Start again from a full copy: the consumer was away for longer than is kept.
    Resync,
    /// Wait and ask again.
    Wait,
}

impl fmt::Display for WayOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CheckDisk => f.write_str("check the disk and start again"),
            Self::FreeSpace => f.write_str("give the disk more room"),
            Self::Restore { snapshot: Some(name) } => {
                write!(f, "run `upsertd restore {name} --data-dir NEW` and start on NEW")
            }
            Self::Restore { snapshot: None } => {
                f.write_str("restore a backup: `upsertd restore SNAPSHOT --data-dir NEW`")
            }
            Self::PutBackOrRestore => f.write_str(
                "put the missing files back from a backup, or run \
                 `upsertd restore SNAPSHOT --data-dir NEW`",
            ),
            Self::RestoreAgain => f.write_str("run the same `upsertd restore` again"),
            Self::UseOtherVersion => f.write_str(
                "use the version of upsertd that wrote it; `dump` and `restore` carry data across",
            ),
            Self::StopOther { pid: Some(pid) } => {
                write!(f, "stop process {pid}, or name another directory with --data-dir")
            }
            Self::StopOther { pid: None } => f.write_str(
                "stop the process that has it, or name another directory with --data-dir",
            ),
            Self::Narrow => f.write_str("give it to the user that runs upsertd, with mode 0700"),
            Self::UseNewDirectory => f.write_str("name a directory that is new or empty"),
            Self::Resync => f.write_str("start again from a full copy"),
            Self::Wait => f.write_str("wait until it is finished"),
        }
    }
}

impl StorageError {
    pub(crate) fn io(operation: Operation, path: &Path, source: io::Error) -> Self {
        Self::Io { operation, path: path.to_owned(), source }
    }

    /// Whether room on the disk is all that is missing.
    #[must_use]
    pub fn is_out_of_space(&self) -> bool {
        matches!(self, Self::Io { source, .. } if is_out_of_space(source))
    }

    /// Whether there is no such file.
    pub(crate) fn is_not_found(&self) -> bool {
        matches!(self, Self::Io { source, .. } if source.kind() == io::ErrorKind::NotFound)
    }

    /// What an operator can do about it.
    #[must_use]
    pub fn way_out(&self) -> WayOut {
        match self {
            Self::Io { .. } if self.is_out_of_space() => WayOut::FreeSpace,
            Self::Io { .. } | Self::Poisoned { .. } => WayOut::CheckDisk,
            Self::Damaged(_) => WayOut::Restore { snapshot: None },
            Self::Incomplete { missing, .. } => match missing {
                Missing::Log { newest_snapshot } => {
                    WayOut::Restore { snapshot: Some(newest_snapshot.clone()) }
                }
                Missing::Frames { .. } | Missing::End { .. } => WayOut::PutBackOrRestore,
                Missing::RestOfRestore => WayOut::RestoreAgain,
            },
            Self::OtherFormat { .. } => WayOut::UseOtherVersion,
            Self::InUse { pid, .. } => WayOut::StopOther { pid: *pid },
            Self::NotPrivate { .. } => WayOut::Narrow,
            Self::NotEmpty { .. } => WayOut::UseNewDirectory,
            Self::Trimmed { .. } => WayOut::Resync,
            Self::SnapshotInProgress => WayOut::Wait,
        }
    }
}

/// Whether the disk, a quota or a limit on file sizes refused for want of room.
pub(crate) fn is_out_of_space(error: &io::Error) -> bool {
    let errno = rustix::io::Errno::from_io_error(error);
    error.kind() == io::ErrorKind::StorageFull
        || [rustix::io::Errno::NOSPC, rustix::io::Errno::DQUOT, rustix::io::Errno::FBIG]
            .into_iter()
            .any(|full| errno == Some(full))
}

/// Writes ` by process 7` if the process is known.
struct Holder(Option<u32>);

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(pid) => write!(f, " by process {pid}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Damage, DamageReason, Missing, Operation, StorageError, WayOut};
    use crate::model::id::Position;
    use crate::storage::frame::FrameError;
    use rustix::io::Errno;
    use std::path::PathBuf;

    fn check(error: &StorageError, text: &str, way_out: &WayOut) {
        assert_eq!((error.to_string(), &error.way_out()), (text.to_owned(), way_out));
        assert!(!text.ends_with('.'), "{text}");
        assert!(!way_out.to_string().is_empty());
    }

    #[test]
    fn each_error_names_its_file_and_the_way_out() {
        let path = PathBuf::from("data/log");
        let io = |errno: Errno| StorageError::io(Operation::Sync, &path, errno.into());
        let full = "cannot sync data/log: No space left on device (os error 28)";
        check(&io(Errno::NOSPC), full, &WayOut::FreeSpace);
        let broken = "cannot sync data/log: Input/output error (os error 5)";
        check(&io(Errno::IO), broken, &WayOut::CheckDisk);
        let damage = Damage::of(&path, 7, DamageReason::Frame(FrameError::BadChecksum));
        let text =
            "data/log is damaged at offset 7: the checksum of a frame does not fit its bytes";
        check(&damage.into(), text, &WayOut::Restore { snapshot: None });
        let missing = Missing::Frames { first: Position(3), last: Position(5) };
        let incomplete = StorageError::Incomplete { path: path.clone(), missing };
        let text = "data/log: the log lacks positions 3 to 5";
        check(&incomplete, text, &WayOut::PutBackOrRestore);
        let other = StorageError::OtherFormat { path: path.clone(), found: 2, supported: 1 };
        let text = "data/log has format version 2, this binary knows 1";
        check(&other, text, &WayOut::UseOtherVersion);
        let held = |pid| StorageError::InUse { path: path.clone(), pid };
        let by_whom = "data/log is in use by process 9";
        check(&held(Some(9)), by_whom, &WayOut::StopOther { pid: Some(9) });
        check(&held(None), "data/log is in use", &WayOut::StopOther { pid: None });
        let wide = StorageError::NotPrivate { path: path.clone(), mode: 0o755 };
        let text = "data/log has mode 0755 and belongs to another user";
        check(&wide, text, &WayOut::Narrow);
    }

    #[test]
    fn only_want_of_room_counts_as_such() {
        let is_full = |errno: Errno| {
            StorageError::io(Operation::Write, &PathBuf::from("a"), errno.into()).is_out_of_space()
        };
        assert!([Errno::NOSPC, Errno::DQUOT, Errno::FBIG].into_iter().all(is_full));
        assert!(![Errno::IO, Errno::ROFS, Errno::NOENT].into_iter().any(is_full));
    }
}
