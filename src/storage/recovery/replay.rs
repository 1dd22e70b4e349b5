//! Walking segments from an earlier run: which frames they hold, and what to think of the place
//! where that ends. Changes nothing on the disk.

use super::inventory::SegmentFile;
use crate::model::id::Position;
use crate::storage::disk::Disk;
use crate::storage::error::{Damage, DamageReason, GoodFrame, InDoubt, Missing, StorageError};
use crate::storage::frame::{Frame, Salt};
use crate::storage::index::SegmentIndex;
use crate::storage::names;
use crate::storage::segment::{FRAMES_FROM, SegmentEnd};
use crate::storage::walk::{Tail, Walk, WalkError, WalkFrom, examine_tail};

/// Where a walk through a segment has ended without an error.
#[derive(Debug)]
pub(super) struct WalkedSegment {
    pub(super) index: SegmentIndex,
    /// Bytes of a torn frame behind the end; only in the last segment.
    pub(super) torn: Option<Vec<u8>>,
}

/// Why a walk was given up.
pub(super) enum ReplayFault<E> {
    Storage(StorageError),
    /// Whoever looked at the frames gave up.
    Look(E),
}

impl<E> From<StorageError> for ReplayFault<E> {
    fn from(error: StorageError) -> Self {
        Self::Storage(error)
    }
}

/// What must follow the last frame of a segment.
#[derive(Clone, Copy, Debug)]
pub(super) enum Ending {
    /// Nothing: it is the last one.
    Open,
    /// The next segment, which is gone: an index is written only when there is one.
    Lost,
    /// The next segment, which names this end.
    Closed(SegmentEnd),
    /// The same, but nobody needs the segment to know the state: it may have been left behind
    /// alone when segments were removed.
    Unneeded(SegmentEnd),
}

impl Ending {
    fn named(self) -> Option<SegmentEnd> {
        match self {
            Self::Open | Self::Lost => None,
            Self::Closed(end) | Self::Unneeded(end) => Some(end),
        }
    }
}

/// Walks all frames of a segment, shows each of them, and checks that they end as they must.
pub(super) fn walk_segment<E>(
    disk: &dyn Disk,
    segment: &SegmentFile,
    ending: Ending,
    salt: &Salt,
    mut look: impl FnMut(&Frame<'_>) -> Result<(), E>,
) -> Result<WalkedSegment, ReplayFault<E>> {
    let first = segment.header.first();
    let previous = segment.header.previous.checksum;
    let length = segment.file.length()?;
    let mut index = SegmentIndex::new(first, previous);
    let from =
        WalkFrom { offset: FRAMES_FROM, end: length, position: first, previous: Some(previous) };
    let mut walk = Walk::new(&*segment.file, salt, from);
    // The last frame that can be read may never have become durable; the one before it has.
    let (mut durable_frame, mut last_frame) = (FRAMES_FROM, FRAMES_FROM);
    let reason = loop {
        if ending.named().is_some_and(|end| index.end().position >= end.position) {
            break None;
        }
        match walk.next_frame() {
            Ok(Some(walked)) => {
                (durable_frame, last_frame) = (last_frame, index.end().offset);
                if let Err(error) = index.note(&walked.frame, walked.checksum) {
                    break Some(error.into());
                }
                look(&walked.frame).map_err(ReplayFault::Look)?;
            }
            Ok(None) => break None,
            Err(WalkError::Bad(reason)) => break Some(reason),
            Err(WalkError::Storage(error)) => return Err(error.into()),
        }
    };
    let place = StopPlace { disk, segment, salt, at: index.end(), reason };
    let torn = match ending {
        Ending::Open if !segment.header.options.allows(length, durable_frame) => {
            return Err(place.damage(DamageReason::CutShort, None).into());
        }
        Ending::Open => place.judge_last()?,
        Ending::Lost => {
            return Err(place.incomplete(Missing::End { last: place.at.position }).into());
        }
        Ending::Closed(end) => place.judge_closed(end, true).map(|()| None)?,
        Ending::Unneeded(end) => place.judge_closed(end, false).map(|()| None)?,
    };
    Ok(WalkedSegment { index, torn })
}

/// Where the frames of a segment stop, and why if it was no clean end.
struct StopPlace<'a> {
    disk: &'a dyn Disk,
    segment: &'a SegmentFile,
    salt: &'a Salt,
    at: SegmentEnd,
    reason: Option<DamageReason>,
}

impl StopPlace<'_> {
    /// A segment with a successor must hold exactly what the successor continues.
    fn judge_closed(self, end: SegmentEnd, is_needed: bool) -> Result<(), StorageError> {
        if self.at == end {
            return Ok(());
        }
        if self.at.position >= end.position {
            return Err(self.damage(DamageReason::WrongEnd, None));
        }
        let lacks = Missing::Frames { first: self.at.position.next(), last: end.position };
        match (examine_tail(&*self.segment.file, self.salt, self.at.offset)?, self.reason.clone()) {
            // Whole frames and then nothing: a file between this one and the next is gone.
            (Tail::Clean, _) | (_, None) => Err(self.incomplete(lacks)),
            // So it may have ended, with the segment that would say so removed before it.
            (Tail::Torn { .. }, Some(_)) if !is_needed => Err(self.incomplete(lacks)),
            (Tail::Torn { .. }, Some(reason)) => {
                let next = end.position.next();
                let good = GoodFrame {
                    path: self.disk.path(&names::segment(next)),
                    offset: FRAMES_FROM,
                    position: next,
                };
                Err(self.damage(reason, Some(good)))
            }
            (Tail::Damaged { good_offset, good_position }, Some(reason)) => {
                Err(self.damage(reason, Some(self.good_frame(good_offset, good_position))))
            }
        }
    }

    /// In the last segment a frame that was torn is no damage: nobody was told of it.
    fn judge_last(self) -> Result<Option<Vec<u8>>, StorageError> {
        let Some(reason) = self.reason.clone() else { return Ok(None) };
        match examine_tail(&*self.segment.file, self.salt, self.at.offset)? {
            Tail::Clean => Ok(None),
            Tail::Torn { bytes } if is_tear(&reason) => Ok(Some(bytes)),
            Tail::Torn { .. } => Err(self.damage(reason, None)),
            Tail::Damaged { good_offset, good_position } => {
                Err(self.damage(reason, Some(self.good_frame(good_offset, good_position))))
            }
        }
    }

    fn incomplete(&self, missing: Missing) -> StorageError {
        StorageError::Incomplete { path: self.disk.path(""), missing }
    }

    fn good_frame(&self, offset: u64, position: Position) -> GoodFrame {
        GoodFrame { path: self.disk.path(&self.segment.name), offset, position }
    }

    fn damage(&self, reason: DamageReason, good_after: Option<GoodFrame>) -> StorageError {
        let last = good_after.as_ref().map(|good| Position(good.position.0.saturating_sub(1)));
        let in_doubt = Some(InDoubt { first: self.at.position.next(), last });
        let path = self.disk.path(&self.segment.name);
        Damage { in_doubt, good_after, ..Damage::of(&path, self.at.offset, reason) }.into()
    }
}

/// Whether a power cut can leave this. A frame whose checksum fits was written whole.
fn is_tear(reason: &DamageReason) -> bool {
    match reason {
        DamageReason::Frame(_) => true,
        DamageReason::Part(_)
        | DamageReason::WrongPosition { .. }
        | DamageReason::BrokenChain
        | DamageReason::WrongEnd
        | DamageReason::CutShort
        | DamageReason::Truncated(_)
        | DamageReason::BadMagic(_)
        | DamageReason::BadChecksum(_)
        | DamageReason::Inconsistent(_)
        | DamageReason::OtherLog
        | DamageReason::OtherName { .. }
        | DamageReason::Unreadable(_) => false,
    }
}
