//! From a data directory back to a log that goes on: what to believe, what to refuse, and in which
//! order. Knows files and positions; what the events mean is up to whoever looks at them.
//!
//! Leftovers go first, then everything is synced and read from the device instead of the cache:
//! what a start has shown to anybody must still be there after the next power cut. Only a torn last
//! frame is passed over; every other deviation is refused with what is known about it. The log then
//! goes on in a new segment, so a file of an earlier run is never written again.

mod inventory;
mod replay;
mod report;

pub(crate) use inventory::Inventory;
pub use report::{RecoveryReport, TornTail};

use crate::model::id::{Position, Timestamp};
use crate::storage::disk::{Disk, discard, read_whole, write_whole};
use crate::storage::error::{Damage, DamageReason, Missing, Operation, StorageError};
use crate::storage::frame::Frame;
use crate::storage::index::SegmentIndex;
use crate::storage::log::LogReader;
use crate::storage::names::{self, SnapshotName};
use crate::storage::part::Part;
use crate::storage::segment::{LogIds, SegmentEnd, SegmentHeader, SegmentOptions};
use crate::storage::segment_log::{Beginning, SegmentLog};
use crate::storage::segments::{Segment, Segments};
use crate::storage::snapshot::SnapshotReader;
use inventory::SegmentFile;
use replay::{Ending, ReplayFault, WalkedSegment, walk_segment};
use std::convert::Infallible;
use std::sync::Arc;
use thiserror::Error;

/// Copies of torn frames that are kept, so that a machine that loses its power every day does not
/// fill its disk with them.
const TORN_FILES_MAX: usize = 8;
/// A torn frame is shorter; more is not worth its room.
const TORN_BYTES_MAX: usize = 16 << 20;

/// What [`open`] needs from outside.
#[derive(Clone, Copy, Debug)]
pub struct OpenOptions {
    /// Freshly drawn; used if the directory is new.
    pub new_ids: LogIds,
    pub now: Timestamp,
    pub segments: SegmentOptions,
    /// Nothing is written, not even removed. No log can be begun then.
    pub is_read_only: bool,
}

/// A directory that was looked through: its newest usable snapshot, and its log behind that.
#[derive(Debug)]
pub struct Opened {
    disk: Arc<dyn Disk>,
    options: OpenOptions,
    inventory: Inventory,
    ids: LogIds,
    segments: Vec<SegmentFile>,
    /// The place in `segments` from which the log is needed.
    needed: usize,
    snapshot: Option<SnapshotReader>,
    report: RecoveryReport,
}

/// A directory whose log was replayed to its end.
#[derive(Debug)]
pub struct Recovered {
    disk: Arc<dyn Disk>,
    options: OpenOptions,
    segments: Arc<Segments>,
    /// What the next segment goes on from.
    previous: SegmentEnd,
    report: RecoveryReport,
    chores: Chores,
    is_begun: bool,
}

/// What is done once a log goes on.
#[derive(Debug, Default)]
struct Chores {
    torn: Option<(String, Vec<u8>)>,
    /// Copies of torn frames there are already, oldest first.
    torn_files: Vec<Position>,
    unneeded: Vec<String>,
    rejected: Vec<SnapshotName>,
    unindexed: Vec<Arc<Segment>>,
}

/// Why a replay was given up.
#[derive(Debug, Error)]
pub enum ReplayError<E> {
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// Whoever was shown the part at this position refused it.
    #[error("the events at position {position} cannot be applied")]
    Apply { position: Position, error: E },
}

/// Refuses a directory of another format by name. Nothing is changed, and no lock is needed.
pub fn check_format(disk: &dyn Disk) -> Result<(), StorageError> {
    Inventory::take(disk)?.check_format(disk)
}

/// Looks through a directory and finds where to begin.
pub fn open(disk: Arc<dyn Disk>, options: OpenOptions) -> Result<Opened, StorageError> {
    let inventory = Inventory::take(&*disk)?;
    inventory.check_format(&*disk)?;
    inventory.check_complete(&*disk)?;
    let mut report = RecoveryReport { is_new: inventory.is_new(), ..RecoveryReport::default() };
    if !options.is_read_only {
        for name in &inventory.temporaries {
            disk.remove(name)?;
            report.removed.push(name.clone());
        }
    }
    let segments = open_segments(&*disk, &inventory)?;
    let ids = segments.last().map_or(options.new_ids, |newest| newest.header.ids);
    let snapshot = newest_snapshot(&*disk, &inventory, &ids, &mut report)?;
    let needed_from =
        snapshot.as_ref().map_or(Position(1), |reader| reader.header().position.next());
    let covering = segments.partition_point(|segment| segment.header.first() <= needed_from);
    let needed = match (covering.checked_sub(1), segments.first()) {
        (Some(needed), _) => needed,
        (None, None) => 0,
        (None, Some(oldest)) => {
            // A snapshot that is damaged is the cause where there is one.
            if let Some((_, cause)) = report.rejected_snapshots.into_iter().next() {
                return Err(cause);
            }
            let last = oldest.header.previous.position;
            let missing = Missing::Frames { first: needed_from, last };
            return Err(StorageError::Incomplete { path: disk.path(""), missing });
        }
    };
    Ok(Opened { disk, options, inventory, ids, segments, needed, snapshot, report })
}

/// Syncs all of the log, drops it from the cache, and reads what stands at its beginnings.
fn open_segments(disk: &dyn Disk, inventory: &Inventory) -> Result<Vec<SegmentFile>, StorageError> {
    let mut files = Vec::new();
    for first in &inventory.segments {
        let name = names::segment(*first);
        let file = disk.open(&name)?;
        file.sync_all()?;
        files.push((*first, name, file));
    }
    disk.sync_directory()?;
    let mut segments: Vec<SegmentFile> = Vec::new();
    for (named, name, file) in files {
        file.drop_cache()?;
        let path = disk.path(&name);
        let header = SegmentHeader::read(&*file, &path)?;
        let found = header.first();
        if found != named {
            let reason = DamageReason::OtherName { named, found };
            return Err(Damage::of(&path, 0, reason).into());
        }
        if segments.last().is_some_and(|before| before.header.ids != header.ids) {
            return Err(Damage::of(&path, 0, DamageReason::OtherLog).into());
        }
        segments.push(SegmentFile { name, file: Arc::from(file), header });
    }
    Ok(segments)
}

/// The newest snapshot that is whole and of this log. Newer ones that are not go into the report.
fn newest_snapshot(
    disk: &dyn Disk,
    inventory: &Inventory,
    ids: &LogIds,
    report: &mut RecoveryReport,
) -> Result<Option<SnapshotReader>, StorageError> {
    for name in inventory.snapshots.iter().rev() {
        let cause = match SnapshotReader::open(disk, &name.to_string()) {
            Ok(reader) => match unfit(&reader, *name, ids) {
                None => {
                    report.snapshot = Some(*name);
                    return Ok(Some(reader));
                }
                Some(reason) => Damage::of(reader.path(), 0, reason).into(),
            },
            Err(damaged @ StorageError::Damaged(_)) => damaged,
            Err(StorageError::Io { operation: Operation::Read, path, source }) => {
                let reason = DamageReason::Unreadable(source.to_string());
                Damage::of(&path, 0, reason).into()
            }
            Err(error) => return Err(error),
        };
        report.rejected_snapshots.push((*name, cause));
    }
    Ok(None)
}

/// Why a whole snapshot does not belong here.
fn unfit(reader: &SnapshotReader, name: SnapshotName, ids: &LogIds) -> Option<DamageReason> {
    let header = reader.header();
    if (header.log_id, header.digest_key) != (ids.log_id, ids.digest_key) {
        Some(DamageReason::OtherLog)
    } else if header.position != name.position {
        let (named, found) = (name.position, header.position);
        Some(DamageReason::OtherName { named, found })
    } else {
        None
    }
}

impl Opened {
    /// Whether nothing was ever kept in the directory.
    #[must_use]
    pub fn is_new(&self) -> bool {
        self.report.is_new
    }

    /// What was drawn for the log; of a new directory, what was given for it.
    #[must_use]
    pub fn ids(&self) -> &LogIds {
        &self.ids
    }

    /// The snapshot to load before the replay. Its writers take only frames behind their own
    /// positions.
    #[must_use]
    pub fn snapshot(&self) -> Option<&SnapshotReader> {
        self.snapshot.as_ref()
    }

    /// Shows every part behind the snapshot's position, in order, and finds the end of the log.
    pub fn replay<E>(
        mut self,
        mut each: impl FnMut(Position, &Part<'_>) -> Result<(), E>,
    ) -> Result<Recovered, ReplayError<E>> {
        let after = self.snapshot.as_ref().map_or(Position(0), |reader| reader.header().position);
        let mut report = std::mem::take(&mut self.report);
        let mut newer = Vec::new();
        let mut torn = None;
        for place in self.needed..self.segments.len() {
            let Some(segment) = self.segments.get(place) else { break };
            self.prefetch_successor(place)?;
            let ending = self.ending_of(place);
            let look = |frame: &Frame<'_>| show(frame, after, &mut report, &mut each);
            let walked = walk_segment(&*self.disk, segment, ending, &self.ids.salt, look).map_err(
                |fault| match fault {
                    ReplayFault::Storage(error) => ReplayError::Storage(error),
                    ReplayFault::Look(error) => error,
                },
            )?;
            report.bytes += walked.index.end().offset;
            let torn_bytes = walked.torn.as_ref().map_or(0, |bytes| bytes.len() as u64);
            torn = walked.torn;
            let (file, begun) = (segment.file.clone(), segment.header.created);
            newer.push(Segment::with_torn_bytes(file, walked.index, begun, torn_bytes));
        }
        let end = newer.last().map(|segment| segment.end());
        self.check_end(end.map_or(Position(0), |end| end.position))?;
        Ok(self.into_recovered(report, newer, torn)?)
    }

    /// The end that the next segment names for this one.
    fn end_of(&self, place: usize) -> Option<SegmentEnd> {
        self.segments.get(place + 1).map(|successor| successor.header.previous)
    }

    fn ending_of(&self, place: usize) -> Ending {
        let newest = self.inventory.segments.last();
        match self.end_of(place) {
            Some(end) => Ending::Closed(end),
            None if newest.is_some_and(|newest| self.inventory.indexes.contains(newest)) => {
                Ending::Lost
            }
            None => Ending::Open,
        }
    }

    fn prefetch_successor(&self, place: usize) -> Result<(), StorageError> {
        let Some(successor) = self.segments.get(place + 1) else { return Ok(()) };
        successor.file.prefetch(0, successor.file.length()?)
    }

    /// The log must reach as far as the snapshot, which was taken of what was durable.
    fn check_end(&self, last: Position) -> Result<(), StorageError> {
        let snapshot_end = self.snapshot.iter().flat_map(SnapshotReader::writers);
        let shown = snapshot_end.map(|entry| entry.position).max().unwrap_or_default();
        if shown <= last {
            return Ok(());
        }
        let missing = Missing::Frames { first: last.next(), last: shown };
        Err(StorageError::Incomplete { path: self.disk.path(""), missing })
    }

    fn into_recovered(
        self,
        mut report: RecoveryReport,
        newer: Vec<Arc<Segment>>,
        torn: Option<Vec<u8>>,
    ) -> Result<Recovered, StorageError> {
        let mut chores = Chores {
            torn_files: self.inventory.torn.clone(),
            rejected: report.rejected_snapshots.iter().map(|(name, _)| *name).collect(),
            ..Chores::default()
        };
        let mut list = self.older_segments(&mut chores)?;
        // The last one is still to be ended.
        let closed = newer.split_last().map_or(&[][..], |(_, closed)| closed);
        let has_index = |segment: &Segment| self.inventory.indexes.contains(&segment.first());
        chores.unindexed.extend(closed.iter().filter(|segment| !has_index(segment)).cloned());
        list.extend(newer);
        let orphans =
            self.inventory.indexes.iter().filter(|first| !self.inventory.segments.contains(first));
        chores.unneeded.extend(orphans.map(|first| names::segment_index(*first)));
        let newest = list.last().zip(self.segments.last());
        let previous = match newest {
            Some((segment, _)) if segment.has_frames() => segment.end(),
            // A segment without frames is replaced by the next, which goes on from the same end.
            Some((_, file)) => file.header.previous,
            None => SegmentEnd::default(),
        };
        report.recovered = previous.position;
        if let (Some(bytes), Some((segment, file))) = (torn, newest) {
            let position = report.recovered.next();
            report.torn = Some(TornTail {
                path: self.disk.path(&file.name),
                offset: segment.end().offset,
                position,
                bytes: bytes.len() as u64,
                kept: None,
            });
            chores.torn = Some((names::torn(position), bytes));
        }
        let segments = Arc::new(Segments::new(self.disk.clone(), self.ids, list));
        let (disk, options) = (self.disk, self.options);
        Ok(Recovered { disk, options, segments, previous, report, chores, is_begun: false })
    }

    /// The segments before those that were replayed: the feed reads them. Their removal may have
    /// been cut short in any order, so what lies before a gap goes too.
    fn older_segments(&self, chores: &mut Chores) -> Result<Vec<Arc<Segment>>, StorageError> {
        let mut older = Vec::new();
        for (place, file) in self.segments.iter().enumerate().take(self.needed).rev() {
            let end = self.end_of(place).expect("an older segment has a successor");
            let first = file.header.first();
            let known = self.stored_index(first, end)?;
            let is_known = known.is_some();
            let index = match known {
                Some(index) => index,
                None => match self.rebuilt_index(file, end) {
                    Ok(index) => index,
                    Err(StorageError::Incomplete { .. }) => {
                        let gone = self.segments.iter().take(place + 1);
                        for file in gone {
                            chores.unneeded.extend(self.files_of(file));
                        }
                        break;
                    }
                    Err(error) => return Err(error),
                },
            };
            let segment = Segment::new(file.file.clone(), index, file.header.created);
            if !is_known {
                chores.unindexed.push(segment.clone());
            }
            older.push(segment);
        }
        older.reverse();
        Ok(older)
    }

    fn files_of(&self, file: &SegmentFile) -> Vec<String> {
        let first = file.header.first();
        let index = self.inventory.indexes.contains(&first).then(|| names::segment_index(first));
        index.into_iter().chain([file.name.clone()]).collect()
    }

    /// The index beside a segment, if it is there and fits.
    fn stored_index(
        &self,
        first: Position,
        end: SegmentEnd,
    ) -> Result<Option<SegmentIndex>, StorageError> {
        if !self.inventory.indexes.contains(&first) {
            return Ok(None);
        }
        let bytes = read_whole(&*self.disk, &names::segment_index(first))?;
        Ok(SegmentIndex::decode(&bytes, self.ids.log_id, first, end).ok())
    }

    fn rebuilt_index(
        &self,
        file: &SegmentFile,
        end: SegmentEnd,
    ) -> Result<SegmentIndex, StorageError> {
        let look = |_: &Frame<'_>| Ok::<(), Infallible>(());
        match walk_segment(&*self.disk, file, Ending::Unneeded(end), &self.ids.salt, look) {
            Ok(WalkedSegment { index, torn: _ }) => Ok(index),
            Err(ReplayFault::Storage(error)) => Err(error),
            Err(ReplayFault::Look(never)) => match never {},
        }
    }
}

/// Counts a frame and shows its parts, if it is behind the snapshot.
fn show<E>(
    frame: &Frame<'_>,
    after: Position,
    report: &mut RecoveryReport,
    each: &mut impl FnMut(Position, &Part<'_>) -> Result<(), E>,
) -> Result<(), ReplayError<E>> {
    let position = frame.position;
    if position <= after {
        return Ok(());
    }
    report.frames += 1;
    for part in frame.parts() {
        let part = part.expect("the index has read the parts before");
        report.parts += 1;
        each(position, &part).map_err(|error| ReplayError::Apply { position, error })?;
    }
    Ok(())
}

impl Recovered {
    #[must_use]
    pub fn report(&self) -> &RecoveryReport {
        &self.report
    }

    /// What was drawn for the log.
    #[must_use]
    pub fn ids(&self) -> &LogIds {
        self.segments.ids()
    }

    /// Position of the last frame.
    #[must_use]
    pub fn last(&self) -> Position {
        self.previous.position
    }

    /// Reads what was recovered, and what is appended once a log was begun.
    #[must_use]
    pub fn reader(&self) -> Arc<dyn LogReader> {
        self.segments.clone()
    }

    /// Begins a segment behind everything that was there and clears up. Where this fails for want
    /// of room, it may be asked again.
    ///
    /// # Panics
    /// If the directory was opened only to be read, or the log was begun already.
    pub fn begin_log(&mut self) -> Result<SegmentLog, StorageError> {
        assert!(
            !self.options.is_read_only,
            "a directory opened to be read has no log to append to"
        );
        assert!(!self.is_begun, "a second log would write to the same files");
        self.keep_torn_bytes()?;
        discard(&*self.disk, &names::temporary("segment"));
        let log = SegmentLog::begin(Beginning {
            segments: self.segments.clone(),
            options: self.options.segments,
            previous: self.previous,
            now: self.options.now,
            unindexed: self.chores.unindexed.clone(),
        })?;
        self.chores.unindexed.clear();
        while let Some(name) = self.chores.rejected.last() {
            self.disk.rename(&name.to_string(), &name.rejected())?;
            self.chores.rejected.pop();
        }
        while let Some(name) = self.chores.unneeded.last() {
            self.disk.remove(name)?;
            self.report.removed.extend(self.chores.unneeded.pop());
        }
        self.disk.sync_directory()?;
        self.is_begun = true;
        Ok(log)
    }

    /// Copies torn bytes aside if there is room. They prove nothing but may be of use to somebody.
    fn keep_torn_bytes(&mut self) -> Result<(), StorageError> {
        let Some((name, bytes)) = &self.chores.torn else { return Ok(()) };
        while self.chores.torn_files.len() >= TORN_FILES_MAX {
            let oldest = names::torn(self.chores.torn_files.remove(0));
            self.disk.remove(&oldest)?;
            self.report.removed.push(oldest);
        }
        let kept = bytes.get(..TORN_BYTES_MAX).unwrap_or(bytes);
        match write_whole(&*self.disk, name, kept) {
            Ok(()) => {
                if let Some(torn) = &mut self.report.torn {
                    torn.kept = Some(name.clone());
                }
                self.chores.torn = None;
                Ok(())
            }
            Err(error) if error.is_out_of_space() => Ok(()),
            Err(error) => Err(error),
        }
    }
}
