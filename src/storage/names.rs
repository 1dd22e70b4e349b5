//! The names of files in a data directory. Knows no content and touches no disk.

use crate::model::id::Position;
use std::fmt;

/// What a name says about its file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum FileName {
    /// A log segment, named by its first position.
    Segment(Position),
    /// The index beside a closed segment.
    SegmentIndex(Position),
    Snapshot(SnapshotName),
    /// A snapshot that was found damaged and set aside.
    RejectedSnapshot(SnapshotName),
    /// The bytes of a torn frame, copied aside.
    Torn(Position),
    /// While it is there, a restore into the directory is not finished.
    RestoreMarker,
    /// Something half-written that nobody needs.
    Temporary,
    /// Not ours.
    Other,
}

/// Tells that a restore into the directory is not finished.
pub(crate) const RESTORE_MARKER: &str = "restore.unfinished";

/// The name of a snapshot: where its round began, and which round of those that began there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SnapshotName {
    pub position: Position,
    pub round: u32,
}

const DIGITS: usize = 20;
const ROUND_DIGITS: usize = 4;
const LOG_PREFIX: &str = "log-";
const SNAPSHOT_PREFIX: &str = "snapshot-";
const TORN_PREFIX: &str = "torn-";
const MAIN_SUFFIX: &str = ".upsertd";
const INDEX_SUFFIX: &str = ".index";
const REJECTED_SUFFIX: &str = ".upsertd.rejected";
const TORN_SUFFIX: &str = ".bytes";
const TEMPORARY_PREFIX: &str = "upsertd-";
const TEMPORARY_SUFFIX: &str = ".tmp";

pub(crate) fn segment(first: Position) -> String {
    format!("{LOG_PREFIX}{:0DIGITS$}{MAIN_SUFFIX}", first.0)
}

pub(crate) fn segment_index(first: Position) -> String {
    format!("{LOG_PREFIX}{:0DIGITS$}{INDEX_SUFFIX}", first.0)
}

pub(crate) fn torn(position: Position) -> String {
    format!("{TORN_PREFIX}{:0DIGITS$}{TORN_SUFFIX}", position.0)
}

/// The name under which something is written before it gets its own. Whatever has such a name is
/// removed when a directory is opened.
pub(crate) fn temporary(purpose: &str) -> String {
    format!("{TEMPORARY_PREFIX}{purpose}{TEMPORARY_SUFFIX}")
}

impl SnapshotName {
    pub(crate) fn rejected(self) -> String {
        format!("{SNAPSHOT_PREFIX}{}{REJECTED_SUFFIX}", self.stem())
    }

    /// Reads the name of a snapshot file.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::parse_with(name, MAIN_SUFFIX)
    }

    /// Reads the name of a snapshot file, be it usable or set aside.
    pub(crate) fn of_any_state(name: &str) -> Option<Self> {
        Self::parse(name).or_else(|| Self::parse_with(name, REJECTED_SUFFIX))
    }

    fn stem(self) -> String {
        format!("{:0DIGITS$}-{:0ROUND_DIGITS$}", self.position.0, self.round)
    }

    fn parse_with(name: &str, suffix: &str) -> Option<Self> {
        let stem = name.strip_prefix(SNAPSHOT_PREFIX)?.strip_suffix(suffix)?;
        let (position, round) = stem.split_once('-')?;
        let parsed = Self { position: Position(number(position)?), round: round.parse().ok()? };
        // There is always a round behind one.
        (parsed.stem() == stem && parsed.round < u32::MAX).then_some(parsed)
    }
}

impl fmt::Display for SnapshotName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{SNAPSHOT_PREFIX}{}{MAIN_SUFFIX}", self.stem())
    }
}

impl FileName {
    pub(crate) fn parse(name: &str) -> Self {
        let position = |prefix, suffix| {
            let digits = name.strip_prefix(prefix)?.strip_suffix(suffix)?;
            number(digits).map(Position)
        };
        if name == RESTORE_MARKER {
            Self::RestoreMarker
        } else if name.starts_with(TEMPORARY_PREFIX) && name.ends_with(TEMPORARY_SUFFIX) {
            Self::Temporary
        } else if let Some(first) = position(LOG_PREFIX, MAIN_SUFFIX) {
            Self::Segment(first)
        } else if let Some(first) = position(LOG_PREFIX, INDEX_SUFFIX) {
            Self::SegmentIndex(first)
        } else if let Some(position) = position(TORN_PREFIX, TORN_SUFFIX) {
            Self::Torn(position)
        } else if let Some(name) = SnapshotName::parse(name) {
            Self::Snapshot(name)
        } else if let Some(name) = SnapshotName::parse_with(name, REJECTED_SUFFIX) {
            Self::RejectedSnapshot(name)
        } else {
            Self::Other
        }
    }
}

/// Reads a number in exactly the form it is written in, so that no two names mean the same.
fn number(digits: &str) -> Option<u64> {
    (digits.len() == DIGITS && digits.bytes().all(|byte| byte.is_ascii_digit()))
        .then(|| digits.parse().ok())
        .flatten()
}

#[cfg(test)]
mod tests {
    use super::{FileName, RESTORE_MARKER, SnapshotName, segment, segment_index, temporary, torn};
    use crate::model::id::Position;

    #[test]
    fn names_are_read_as_they_are_written() {
        let check = |name: String, expected: FileName| assert_eq!(FileName::parse(&name), expected);
        let snapshot = SnapshotName { position: Position(u64::MAX), round: 12_345 };
        check(segment(Position(1)), FileName::Segment(Position(1)));
        check(segment_index(Position(77)), FileName::SegmentIndex(Position(77)));
        check(torn(Position(5)), FileName::Torn(Position(5)));
        check(snapshot.to_string(), FileName::Snapshot(snapshot));
        check(snapshot.rejected(), FileName::RejectedSnapshot(snapshot));
        check(temporary("snapshot"), FileName::Temporary);
        check(RESTORE_MARKER.to_owned(), FileName::RestoreMarker);
    }

    #[test]
    fn names_sort_in_the_order_of_their_positions() {
        assert!(segment(Position(9)) < segment(Position(10)));
        let name = |position, round| SnapshotName { position: Position(position), round };
        assert!(name(9, 2).to_string() < name(10, 1).to_string());
        assert!(name(9, 2) < name(10, 1) && name(9, 1) < name(9, 2));
    }

    #[test]
    fn whatever_is_not_exactly_ours_is_left_alone() {
        for name in [
            "README.md",
            ".gitignore",
            "log-1.upsertd",
            "log-000000000000000000001.upsertd",
            "log-0000000000000000000x.upsertd",
            "log-+0000000000000000001.upsertd",
            "log-99999999999999999999.upsertd",
            "log-00000000000000000001.upsertd.old",
            "snapshot-00000000000000000001.upsertd",
            "snapshot-00000000000000000001-1.upsertd",
            "snapshot-00000000000000000001-+001.upsertd",
            "snapshot-00000000000000000001-4294967295.upsertd",
            "notes.tmp",
            "bootstrap.json",
        ] {
            assert_eq!(FileName::parse(name), FileName::Other, "{name}");
        }
    }
}
