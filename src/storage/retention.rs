//! What of the log and the snapshots may go. Decides by positions, times and sizes alone; nothing
//! is needed to know the state that two snapshots cover, and nothing the feed still owes is taken.

use crate::model::id::{Position, Timestamp};
use crate::storage::error::StorageError;
use crate::storage::log::{LogReader, SegmentSummary};
use crate::storage::names::SnapshotName;
use crate::storage::snapshot::Snapshots;

/// So many of the newest snapshots are kept, and the log back to the older of them.
const SNAPSHOTS_KEPT: usize = 2;

/// How long the feed reaches back: until either bound is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FeedRetention {
    pub age_ms: i64,
    /// Bytes of log written since.
    pub bytes: u64,
}

/// What was removed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Removed {
    pub snapshots: Vec<SnapshotName>,
    /// Bytes of log.
    pub log_bytes: u64,
}

/// Removes what nobody needs any more, oldest first. Whenever the power goes, what is left can be
/// recovered.
pub fn remove_unneeded(
    log: &dyn LogReader,
    snapshots: &Snapshots,
    feed: FeedRetention,
    now: Timestamp,
) -> Result<Removed, StorageError> {
    snapshots.sync()?;
    let usable = snapshots.list()?;
    let Some(older) = usable.iter().rev().nth(SNAPSHOTS_KEPT - 1) else {
        return Ok(Removed::default());
    };
    let removed = snapshots.keep_newest(SNAPSHOTS_KEPT)?;
    let log_bytes = match unneeded_up_to(&log.segments(), older.position, feed, now) {
        Some(up_to) => log.trim(up_to)?,
        None => 0,
    };
    Ok(Removed { snapshots: removed, log_bytes })
}

/// The last position of the newest segment that may go with all before it.
fn unneeded_up_to(
    segments: &[SegmentSummary],
    covered: Position,
    feed: FeedRetention,
    now: Timestamp,
) -> Option<Position> {
    let (_, closed) = segments.split_last()?;
    let mut bytes_since: u64 = segments.iter().map(|segment| segment.bytes).sum();
    let unneeded = closed.iter().take_while(|segment| {
        bytes_since -= segment.bytes;
        let is_old = segment.newest.0 < now.0.saturating_sub(feed.age_ms);
        segment.last <= covered && (is_old || bytes_since >= feed.bytes)
    });
    unneeded.last().map(|segment| segment.last)
}

/// The last position that the feed owes nobody any more for the bytes of log that were written
/// since, whether it is still on the disk or not.
#[must_use]
pub fn beyond_bytes(segments: &[SegmentSummary], feed: FeedRetention) -> Position {
    let mut bytes_since: u64 = segments.iter().map(|segment| segment.bytes).sum();
    let Some((_, closed)) = segments.split_last() else { return Position(0) };
    let beyond = closed.iter().take_while(|segment| {
        bytes_since -= segment.bytes;
        bytes_since >= feed.bytes
    });
    beyond.last().map_or(Position(0), |segment| segment.last)
}

#[cfg(test)]
mod tests {
    use super::{FeedRetention, beyond_bytes, unneeded_up_to};
    use crate::model::id::{Position, Timestamp};
    use crate::storage::log::SegmentSummary;

    const NOW: Timestamp = Timestamp(1_000_000);

    /// Segments of ten frames and 100 bytes each, whose newest events are of these ages.
    fn segments(ages: &[i64]) -> Vec<SegmentSummary> {
        (0..)
            .zip(ages)
            .map(|(number, age)| SegmentSummary {
                first: Position(10 * number + 1),
                last: Position(10 * number + 10),
                begun: Timestamp(0),
                newest: Timestamp(NOW.0 - age),
                bytes: 100,
            })
            .collect()
    }

    fn check(ages: &[i64], covered: u64, (age_ms, bytes): (i64, u64), expected: Option<u64>) {
        let feed = FeedRetention { age_ms, bytes };
        let found = unneeded_up_to(&segments(ages), Position(covered), feed, NOW);
        assert_eq!(found, expected.map(Position), "{ages:?} covered to {covered}, {feed:?}");
    }

    const FOR_EVER: i64 = i64::MAX;

    #[test]
    fn what_the_snapshots_do_not_cover_stays() {
        check(&[9, 9, 9, 9], 9, (5, 0), None);
        check(&[9, 9, 9, 9], 10, (5, 0), Some(10));
        check(&[9, 9, 9, 9], 29, (5, 0), Some(20));
    }

    #[test]
    fn what_the_feed_owes_stays() {
        check(&[9, 7, 3, 1], 99, (5, u64::MAX), Some(20));
        check(&[5, 5, 5, 5], 99, (5, u64::MAX), None);
        check(&[3, 9, 9, 1], 99, (5, u64::MAX), None);
        check(&[9, 9, 9, 9], 99, (FOR_EVER, u64::MAX), None);
    }

    #[test]
    fn either_bound_ends_what_the_feed_owes() {
        check(&[1, 1, 1, 1], 99, (FOR_EVER, 200), Some(20));
        check(&[1, 1, 1, 1], 99, (FOR_EVER, 201), Some(10));
        check(&[1, 1, 1, 1], 99, (FOR_EVER, 301), None);
    }

    /// A cursor from before that is refused even where the snapshots still need the log.
    #[test]
    fn what_is_beyond_the_bytes_is_owed_to_nobody() {
        for (bytes, expected) in [(0, 30), (100, 30), (101, 20), (200, 20), (301, 0)] {
            let feed = FeedRetention { age_ms: FOR_EVER, bytes };
            let found = beyond_bytes(&segments(&[1, 1, 1, 1]), feed);
            assert_eq!(found, Position(expected), "{bytes}");
        }
        let feed = FeedRetention { age_ms: 0, bytes: 0 };
        assert_eq!(beyond_bytes(&segments(&[9]), feed), Position(0), "the open one stays");
        assert_eq!(beyond_bytes(&[], feed), Position(0));
    }

    #[test]
    fn the_open_segment_stays() {
        check(&[9], 99, (5, 0), None);
        check(&[9, 9], 99, (5, 0), Some(10));
        check(&[], 99, (5, 0), None);
    }
}
