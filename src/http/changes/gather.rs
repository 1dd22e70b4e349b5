//! Gathers the entries of one answer from a table's feed: those that are wanted and that exist for
//! the caller, up to so many, and up to so much of the log looked at.
//!
//! It must not know how an entry looks.

use crate::engine::feed::entry::Entry;
use crate::engine::feed::{FeedError, Place};
use crate::http::changes::request::ChangesWanted;
use crate::http::changes::view::View;
use crate::http::target::Target;
use crate::http::wire::change::EntryAction;
use crate::model::id::RecordId;
use crate::model::table::event_form::{Misfit, Stored};
use std::collections::HashSet;

/// So many entries are looked at for one answer, however few are wanted.
const LOOKED_AT_MAX: usize = 20_000;

/// How much may be gathered.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    pub(super) entries: usize,
    /// Of stored entries.
    pub(super) bytes: usize,
}

/// What was gathered behind a place.
#[derive(Debug)]
pub(super) struct Gathered {
    pub(super) entries: Vec<Entry>,
    /// Behind everything that was looked at.
    pub(super) next: Place,
    /// Whether the end was not reached.
    pub(super) has_more: bool,
}

/// Goes on behind a place.
pub(super) async fn gather(
    target: &Target,
    wanted: &ChangesWanted,
    bounds: Bounds,
    from: Place,
) -> Result<Gathered, FeedError> {
    let (feed, shown) = (target.engine.feed(), target.table.shown());
    let mut gathered = Gathered { entries: Vec::new(), next: from, has_more: false };
    let (mut looked_at, mut bytes) = (0, 0);
    loop {
        let entries = feed.read(shown, gathered.next.sequence).await?;
        if entries.is_empty() {
            return Ok(gathered);
        }
        // Made after the reading: it knows every field that the entries have.
        let view = View::of(target.clone());
        for entry in entries {
            let is_full = gathered.entries.len() >= bounds.entries
                || (bytes >= bounds.bytes && !gathered.entries.is_empty())
                || looked_at >= LOOKED_AT_MAX;
            if is_full {
                gathered.has_more = true;
                return Ok(gathered);
            }
            looked_at += 1;
            gathered.next = Place::behind(&entry);
            if is_wanted(&view, wanted, &entry)? {
                bytes += entry.bytes();
                gathered.entries.push(entry);
            }
        }
    }
}

fn is_wanted(view: &View, wanted: &ChangesWanted, entry: &Entry) -> Result<bool, Misfit> {
    let (stamp, stored) = entry.read()?;
    let action = EntryAction::of(&stored);
    Ok(action.is_some_and(|action| wanted.takes(&stamp, action)) && view.shows(&stored))
}

/// Leaves of several changes of one record only the last.
pub(super) fn compact(entries: Vec<Entry>) -> Result<Vec<Entry>, Misfit> {
    let mut seen: HashSet<RecordId> = HashSet::new();
    let mut kept = Vec::with_capacity(entries.len());
    for entry in entries.into_iter().rev() {
        let is_last = match record_of(&entry)? {
            Some(record) => seen.insert(record),
            None => true,
        };
        if is_last {
            kept.push(entry);
        }
    }
    kept.reverse();
    Ok(kept)
}

fn record_of(entry: &Entry) -> Result<Option<RecordId>, Misfit> {
    let (_, stored) = entry.read()?;
    Ok(match stored {
        Stored::Record(change) => Some(change.id),
        Stored::Purged(purge) => Some(purge.id),
        Stored::ObjectCreated { .. }
        | Stored::FieldCreated { .. }
        | Stored::OptionCreated { .. }
        | Stored::SchemaChanged { .. }
        | Stored::TeamChanged { .. }
        | Stored::FollowUpConfirmed { .. } => None,
    })
}
