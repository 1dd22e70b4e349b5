//! Gathers the entries of one answer: those that are wanted and that exist for the caller, up to
//! so many, and up to so much of the log looked at.
//!
//! It must not know how an entry looks.

use crate::engine::feed::{FeedError, READ_BYTES_MAX};
use crate::http::changes::request::ChangesWanted;
use crate::http::changes::source::{At, Found, Source};
use crate::http::changes::view::View;
use crate::http::wire::change::EntryAction;
use crate::model::id::RecordId;
use crate::model::table::event_form::{Misfit, Stored};
use std::collections::{HashMap, HashSet};

/// So many entries are looked at for one answer, however few are wanted.
const LOOKED_AT_MAX: usize = 20_000;
/// So many readings, where most of what they read is another business's.
const READINGS_MAX: usize = 16;

/// Bytes of the log for each entry that is wanted, in the first reading: some more than the entry of
/// an ordinary record has. The next one reads twice as much, since most of the last was not wanted.
const BYTES_AN_ENTRY: usize = 512;
/// A reading costs more than what it reads if that is less.
const READING_BYTES_MIN: usize = 16 << 10;

/// How much may be gathered.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    pub(super) entries: usize,
    /// Of stored entries.
    pub(super) bytes: usize,
}

/// What was gathered behind a place.
pub(super) struct Gathered {
    pub(super) found: Vec<Found>,
    /// Behind everything that was looked at.
    pub(super) next: At,
    /// Whether the end was not reached.
    pub(super) has_more: bool,
}

/// Goes on behind a place.
pub(super) async fn gather(
    source: &Source,
    wanted: &ChangesWanted,
    bounds: Bounds,
    from: At,
) -> Result<Gathered, FeedError> {
    let mut gathered = Gathered { found: Vec::new(), next: from, has_more: false };
    let (mut looked_at, mut bytes) = (0, 0);
    let mut size = (bounds.entries * BYTES_AN_ENTRY).min(bounds.bytes).max(READING_BYTES_MIN);
    for _ in 0..READINGS_MAX {
        let reading = source.read(gathered.next, size.min(READ_BYTES_MAX)).await?;
        size = size.saturating_mul(2);
        // Made after the reading: they know every field that the entries have.
        let mut views: HashMap<usize, View> = HashMap::new();
        for found in reading.found {
            let is_full = gathered.found.len() >= bounds.entries
                || (bytes >= bounds.bytes && !gathered.found.is_empty())
                || looked_at >= LOOKED_AT_MAX;
            if is_full {
                gathered.has_more = true;
                return Ok(gathered);
            }
            looked_at += 1;
            gathered.next = found.at;
            let view = views
                .entry(found.target)
                .or_insert_with(|| View::of(source.targets()[found.target].clone()));
            if is_wanted(view, wanted, &found)? {
                bytes += found.entry.bytes();
                gathered.found.push(found);
            }
        }
        gathered.next = reading.next;
        if reading.is_end {
            return Ok(gathered);
        }
    }
    gathered.has_more = true;
    Ok(gathered)
}

fn is_wanted(view: &View, wanted: &ChangesWanted, found: &Found) -> Result<bool, Misfit> {
    let (stamp, stored) = found.entry.read()?;
    let action = EntryAction::of(&stored);
    Ok(action.is_some_and(|action| wanted.takes(&stamp, action)) && view.shows(&stored))
}

/// Leaves of several changes of one record only the last.
pub(super) fn compact(all: Vec<Found>) -> Result<Vec<Found>, Misfit> {
    let mut seen: HashSet<RecordId> = HashSet::new();
    let mut kept = Vec::with_capacity(all.len());
    for found in all.into_iter().rev() {
        let is_last = match record_of(&found)? {
            Some(record) => seen.insert(record),
            None => true,
        };
        if is_last {
            kept.push(found);
        }
    }
    kept.reverse();
    Ok(kept)
}

fn record_of(found: &Found) -> Result<Option<RecordId>, Misfit> {
    let (_, stored) = found.entry.read()?;
    Ok(match stored {
        Stored::Record(change) => Some(change.id),
        Stored::Purged(purge) => Some(purge.id),
        Stored::ObjectCreated { .. }
        | Stored::FieldCreated { .. }
        | Stored::OptionCreated { .. }
        | Stored::SchemaChanged { .. }
        | Stored::TeamChanged { .. }
        | Stored::FollowUpConfirmed { .. }
        | Stored::SourceKept { .. }
        | Stored::StreamMoved { .. }
        | Stored::Outcome { .. } => None,
    })
}
