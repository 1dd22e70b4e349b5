//! What a run has met: kinds of faults, and branches of recovery. A run that has not met what it is
//! there for proves nothing, so it fails.

use std::collections::BTreeSet;

/// Something that a run can meet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Met {
    // Faults.
    PowerCutKeepsAll,
    PowerCutLosesAll,
    PowerCutKeepsNames,
    PowerCutKeepsContents,
    PowerCutTears,
    Kill,
    CutInRecovery,
    ErrorOnce,
    ErrorForEver,
    ShortWrite,
    Rot,
    // What recovery found.
    EmptyDirectory,
    /// Credentials of an earlier first start beside an empty log.
    CredentialsTakenAgain,
    /// The newest segment holds no frame.
    EmptySegment,
    TornTail,
    /// Torn bytes that were copied aside.
    TornTailKept,
    CleanUnsealedTail,
    SealedTail,
    /// A frame of which nobody was told.
    UnacknowledgedFrame,
    LeftoversRemoved,
    /// Segments before a gap that an interrupted removal has left.
    GapRemoved,
    SnapshotUsed,
    SnapshotRejected,
    SealedRotRefused,
    RestoreRefusedHalf,
    RestoreRunAgain,
    RestoredDirectory,
    // What was going on.
    SegmentRolled,
    SnapshotPublished,
    WriteDuringRound,
    ConfirmationHeldBack,
    SegmentsTrimmed,
    RoundGivenUp,
    WritingWentOnAfterError,
    StartFailed,
    CommitterFailed,
    /// A rule that live records break.
    RuleRefused,
    /// A start has shown the mirror of an owning field.
    MirrorCompleted,
    /// A start has dropped a mirror that lacks its owning field.
    MirrorDropped,
    /// A mirror that a snapshot lacks.
    MirrorMadeAgain,
    CommandLost,
    CommandKept,
}

/// Everything that a run has met.
#[derive(Clone, Debug, Default)]
pub(crate) struct Coverage {
    met: BTreeSet<Met>,
    /// Crashes after which a directory was recovered and judged.
    pub(crate) recoveries: u64,
}

impl Coverage {
    pub(crate) fn note(&mut self, met: Met) {
        self.met.insert(met);
    }

    pub(crate) fn note_if(&mut self, is_met: bool, met: Met) {
        if is_met {
            self.note(met);
        }
    }

    /// Adds what another run has met.
    pub(crate) fn add(&mut self, other: &Self) {
        self.met.extend(&other.met);
        self.recoveries += other.recoveries;
    }

    /// Fails the run if it has not met all of it.
    pub(crate) fn demand(&self, due: &[Met]) {
        let missing: Vec<&Met> = due.iter().filter(|met| !self.met.contains(met)).collect();
        assert!(missing.is_empty(), "after {} recoveries never met: {missing:?}", self.recoveries);
    }
}
