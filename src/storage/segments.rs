//! The segments of one log, for all threads that read them while another one appends. Knows files
//! and their indexes; how frames become durable is the log's.

use crate::model::id::{Position, Sequence, Timestamp, WriterId};
use crate::storage::disk::{Disk, DiskFile};
use crate::storage::error::{Damage, InDoubt, StorageError};
use crate::storage::frame::{Checksum, Frame};
use crate::storage::index::{Mark, SegmentIndex};
use crate::storage::log::{FrameOwned, LogReader, PartOwned, PartsWanted, SegmentSummary};
use crate::storage::names;
use crate::storage::part::PartError;
use crate::storage::segment::{LogIds, SegmentEnd};
use crate::storage::walk::{Walk, WalkError, WalkFrom, Walked};
use parking_lot::RwLock;
use std::fmt;
use std::ops::ControlFlow;
use std::sync::Arc;

/// The segments of a log, oldest first; the last one is open.
pub struct Segments {
    disk: Arc<dyn Disk>,
    ids: LogIds,
    list: RwLock<Vec<Arc<Segment>>>,
}

/// One segment. Its index grows while it is open.
#[derive(Debug)]
pub(crate) struct Segment {
    file: Arc<dyn DiskFile>,
    first: Position,
    begun: Timestamp,
    index: RwLock<SegmentIndex>,
    /// Bytes of a torn frame behind the end.
    torn_bytes: u64,
}

impl Segment {
    pub(crate) fn new(file: Arc<dyn DiskFile>, index: SegmentIndex, begun: Timestamp) -> Arc<Self> {
        Self::with_torn_bytes(file, index, begun, 0)
    }

    /// A segment of an earlier run that has bytes of a torn frame behind its end.
    pub(crate) fn with_torn_bytes(
        file: Arc<dyn DiskFile>,
        index: SegmentIndex,
        begun: Timestamp,
        torn_bytes: u64,
    ) -> Arc<Self> {
        let first = index.first();
        Arc::new(Self { file, first, begun, index: RwLock::new(index), torn_bytes })
    }

    /// Up to here the file holds something; what follows is zeros and reserved room.
    pub(crate) fn used_bytes(&self) -> u64 {
        self.end().offset + self.torn_bytes
    }

    pub(crate) fn first(&self) -> Position {
        self.first
    }

    pub(crate) fn end(&self) -> SegmentEnd {
        self.index.read().end()
    }

    pub(crate) fn has_frames(&self) -> bool {
        self.end().position >= self.first
    }

    /// Lets readers see a frame that has become durable.
    pub(crate) fn note(&self, frame: &Frame<'_>, checksum: Checksum) -> Result<(), PartError> {
        self.index.write().note(frame, checksum)
    }

    pub(crate) fn with_index<T>(&self, look: impl FnOnce(&SegmentIndex) -> T) -> T {
        look(&self.index.read())
    }

    fn summary(&self) -> SegmentSummary {
        let index = self.index.read();
        let (end, newest) = (index.end(), index.newest());
        let Self { first, begun, .. } = *self;
        SegmentSummary { first, last: end.position, begun, newest, bytes: end.offset }
    }
}

impl Segments {
    /// The segments must follow one another and the last one is open.
    pub(crate) fn new(disk: Arc<dyn Disk>, ids: LogIds, list: Vec<Arc<Segment>>) -> Self {
        Self { disk, ids, list: RwLock::new(list) }
    }

    pub(crate) fn disk(&self) -> &Arc<dyn Disk> {
        &self.disk
    }

    /// What was drawn for this log.
    #[must_use]
    pub fn ids(&self) -> &LogIds {
        &self.ids
    }

    /// Opens a further segment; the one before it is closed by that.
    pub(crate) fn push(&self, segment: Arc<Segment>) {
        self.list.write().push(segment);
    }

    /// Puts a segment in the place of the last one, which has no frames.
    pub(crate) fn replace_last(&self, segment: Arc<Segment>) {
        let mut list = self.list.write();
        list.pop();
        list.push(segment);
    }

    pub(crate) fn last(&self) -> Option<Arc<Segment>> {
        self.list.read().last().cloned()
    }

    /// The segments from the one that holds a position on.
    fn from(&self, position: Position) -> Result<Vec<Arc<Segment>>, StorageError> {
        let list = self.list.read();
        let behind = list.partition_point(|segment| segment.first <= position);
        let holder = behind.checked_sub(1).ok_or_else(|| StorageError::Trimmed {
            first: list.first().map_or(position, |segment| segment.first),
        })?;
        Ok(list.get(holder..).unwrap_or_default().to_vec())
    }

    /// Shows the frames of a segment from a mark on, as long as `look` wants more.
    fn walk(
        &self,
        segment: &Segment,
        from: Mark,
        mut look: impl FnMut(&Walked<'_>) -> Result<ControlFlow<()>, PartError>,
    ) -> Result<(), StorageError> {
        let end = segment.end();
        let Mark { position, offset } = from;
        let from = WalkFrom { offset, end: end.offset, position, previous: None };
        let mut walk = Walk::new(&*segment.file, &self.ids.salt, from);
        loop {
            let (offset, position) = walk.next_place();
            let reason = match walk.next_frame() {
                Ok(None) => return Ok(()),
                Ok(Some(walked)) => match look(&walked) {
                    Ok(ControlFlow::Continue(())) => continue,
                    Ok(ControlFlow::Break(())) => return Ok(()),
                    Err(error) => error.into(),
                },
                Err(WalkError::Storage(error)) => return Err(error),
                Err(WalkError::Bad(reason)) => reason,
            };
            let path = self.disk.path(&names::segment(segment.first));
            let in_doubt = Some(InDoubt { first: position, last: Some(end.position) });
            return Err(Damage { in_doubt, ..Damage::of(&path, offset, reason) }.into());
        }
    }

    /// The segments that hold sequences of a writer from one on, each with the place to begin: the
    /// newest that begins at or before it comes first.
    fn holders(&self, writer: &WriterId, from: Sequence) -> Vec<(Arc<Segment>, Mark)> {
        let mut found = Vec::new();
        for segment in self.list.read().iter().rev() {
            let Some(mark) = segment.with_index(|index| index.writer_mark(writer, from)) else {
                continue;
            };
            found.push((segment.clone(), mark.mark));
            if mark.first_sequence <= from {
                break;
            }
        }
        found.reverse();
        found
    }
}

impl LogReader for Segments {
    fn read(&self, after: Position, limit_bytes: usize) -> Result<Vec<FrameOwned>, StorageError> {
        let wanted = after.next();
        let (mut found, mut bytes) = (Vec::new(), 0);
        for segment in self.from(wanted)? {
            let first_wanted = wanted.max(segment.first);
            let Some(mark) = segment.with_index(|index| index.mark_before(first_wanted)) else {
                continue;
            };
            self.walk(&segment, mark, |walked| {
                if walked.frame.position >= wanted {
                    bytes += walked.frame.encoded_len();
                    found.push(FrameOwned::from(&walked.frame));
                }
                let is_enough = bytes > limit_bytes;
                Ok(if is_enough { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
            })?;
            if bytes > limit_bytes {
                break;
            }
        }
        Ok(found)
    }

    fn read_parts(
        &self,
        writer: &WriterId,
        from: Sequence,
        limit_bytes: usize,
    ) -> Result<Vec<PartOwned>, StorageError> {
        let mut wanted = PartsWanted::new(writer, from, limit_bytes);
        for (segment, mark) in self.holders(writer, from) {
            let last = segment.with_index(|index| index.last_mark(writer));
            self.walk(&segment, mark, |walked| {
                let position = walked.frame.position;
                for part in walked.frame.parts() {
                    wanted.offer(position, &part?);
                }
                let was_last = last.is_none_or(|last| position >= last.mark.position);
                let is_enough = was_last || wanted.is_full();
                Ok(if is_enough { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
            })?;
            if wanted.is_full() {
                break;
            }
        }
        Ok(wanted.into_found())
    }

    fn segments(&self) -> Vec<SegmentSummary> {
        self.list.read().iter().map(|segment| segment.summary()).collect()
    }

    fn trim(&self, up_to: Position) -> Result<u64, StorageError> {
        let existing = self.disk.list()?;
        let mut freed = 0;
        loop {
            let oldest = match self.list.read().as_slice() {
                [oldest, _, ..] if oldest.end().position <= up_to => oldest.clone(),
                _ => break,
            };
            for name in [names::segment_index(oldest.first), names::segment(oldest.first)] {
                if existing.contains(&name) {
                    self.disk.remove(&name)?;
                }
            }
            self.list.write().retain(|segment| segment.first != oldest.first);
            freed += oldest.end().offset;
        }
        if freed > 0 {
            self.disk.sync_directory()?;
        }
        Ok(freed)
    }
}

impl fmt::Debug for Segments {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.list.read().iter().map(|segment| segment.summary())).finish()
    }
}
