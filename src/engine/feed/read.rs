//! Reading entries out of the log, on a thread that may wait for the disk; and what of them is kept.

use crate::engine::feed::cursor::TableCursor;
use crate::engine::feed::entry::{Entry, entries_of};
use crate::engine::feed::{FeedError, Place};
use crate::model::id::{Position, Sequence, Timestamp, WriterId};
use crate::model::table::event_form::Misfit;
use crate::storage::log::{LogReader, PartOwned};
use crate::storage::retention::{FeedRetention, beyond_bytes};
use std::sync::Arc;

/// What is older is not shown any more, even if it is still on the disk.
#[derive(Clone, Copy, Debug)]
pub(super) struct Floor {
    /// The oldest time.
    since: Timestamp,
    /// The last position that is too many bytes ago.
    beyond: Position,
}

impl Floor {
    pub(super) fn at(now: Timestamp, retention: FeedRetention, log: &dyn LogReader) -> Self {
        let since = Timestamp(now.0.saturating_sub(retention.age_ms));
        Self { since, beyond: beyond_bytes(&log.segments(), retention) }
    }

    pub(super) fn keeps(&self, entry: &Entry) -> Result<bool, Misfit> {
        let (stamp, _) = entry.read()?;
        Ok(self.keeps_at(entry.position, stamp.at))
    }

    pub(super) fn keeps_at(&self, position: Position, at: Timestamp) -> bool {
        position > self.beyond && at >= self.since
    }
}

/// The numbered changes in parts, from one on.
pub(super) fn entries_from(parts: &[PartOwned], from: Sequence) -> Result<Vec<Entry>, Misfit> {
    let mut entries = Vec::new();
    for part in parts {
        entries.extend(entries_of(part)?.into_iter().filter(|entry| entry.sequence >= from));
    }
    Ok(entries)
}

/// Whether a cursor leads on: `entries` are those from its own on, as far as they were needed.
/// Whoever has no entry of its own has been vouched for.
pub(super) fn behind(
    cursor: &TableCursor,
    head: Sequence,
    floor: Floor,
    entries: &[Entry],
) -> Result<Place, FeedError> {
    let own = entries.iter().find(|entry| entry.sequence == cursor.sequence);
    if own.is_some_and(|own| cursor.checksum != Some(own.checksum())) {
        return Err(FeedError::Expired);
    }
    if cursor.sequence < head {
        let wanted = cursor.sequence.next();
        let next = entries.iter().find(|entry| entry.sequence == wanted);
        let is_kept = next.map(|next| floor.keeps(next)).transpose()?;
        if is_kept != Some(true) {
            return Err(FeedError::Expired);
        }
    }
    Ok(Place { sequence: cursor.sequence, checksum: cursor.checksum })
}

/// The log, for a thread that reads it.
#[derive(Clone)]
pub(super) struct Reader {
    pub(super) log: Arc<dyn LogReader>,
}

impl Reader {
    /// The entries of a writer from a sequence on: at least one if there is one.
    pub(super) fn entries(
        &self,
        writer: &WriterId,
        from: Sequence,
        limit_bytes: usize,
    ) -> Result<Vec<Entry>, FeedError> {
        let mut limit = limit_bytes;
        loop {
            let parts = self.log.read_parts(writer, from, limit)?;
            let entries = entries_from(&parts, from)?;
            let bytes: usize = parts.iter().map(|part| part.events.len()).sum();
            // A part that ended before it was all that the limit let through.
            if !entries.is_empty() || bytes <= limit {
                return Ok(entries);
            }
            limit = bytes.saturating_mul(2);
        }
    }

    /// The sequence of the oldest entry that is kept; none if none is.
    pub(super) fn first_kept(
        &self,
        writer: &WriterId,
        head: Sequence,
        floor: Floor,
    ) -> Result<Option<Sequence>, FeedError> {
        // All before `low` are not kept, all from `high` on are: time goes on in a table.
        let Some(first) = self.entries(writer, Sequence(1), 0)?.into_iter().next() else {
            return Ok(None);
        };
        if floor.keeps(&first)? {
            return Ok(Some(first.sequence));
        }
        let (mut low, mut high) = (first.sequence.next(), head.next());
        while low < high {
            let middle = Sequence(low.0 + (high.0 - low.0) / 2);
            let found = self.entries(writer, middle, 0)?.into_iter().next();
            let is_kept = found.map(|found| floor.keeps(&found)).transpose()?;
            if is_kept.unwrap_or(true) {
                high = middle;
            } else {
                low = middle.next();
            }
        }
        Ok((low <= head).then_some(low))
    }

    /// Whether a cursor that was given out then is younger than all that is gone from the log. Then its entry was passed in
    /// this very log: what a directory that was put back has instead would be younger still.
    pub(super) fn vouches(&self, issued: Timestamp) -> bool {
        let segments = self.log.segments();
        segments.first().is_some_and(|oldest| issued >= oldest.begun)
    }
}
