//! What a request says about archived records that are in its way, or that come back.
//!
//! It must not know which branch a write takes: a word that is not one of these is refused, also
//! where it would not have been needed.

use crate::http::fault::Faults;
use crate::http::query::Query;
use crate::http::shape::{Presence, Shape};
use crate::model::table::command::{ArchivedConflict, ArchivedMatch, RestoreConflict};

const MATCHES: [(&str, ArchivedMatch); 3] = [
    ("prompt", ArchivedMatch::Prompt),
    ("unarchive", ArchivedMatch::Unarchive),
    ("overwrite", ArchivedMatch::Overwrite),
];

/// What an upsert may say besides.
const UPSERT_MATCHES: [(&str, ArchivedMatch); 4] =
    [MATCHES[0], MATCHES[1], MATCHES[2], ("skip", ArchivedMatch::Skip)];

const CONFLICTS: [(&str, ArchivedConflict); 1] = [("overwrite", ArchivedConflict::Overwrite)];

const RESTORE_CONFLICTS: [(&str, RestoreConflict); 1] = [("clear", RestoreConflict::Clear)];

/// Reads what becomes of an archived record whose identifier is to be created.
pub fn read_match(shape: &mut Shape<'_>, key: &'static str, faults: &mut Faults) -> ArchivedMatch {
    shape.choice(key, Presence::Nullable, &MATCHES, faults).unwrap_or_default()
}

/// Reads what an upsert says becomes of it; none where it says nothing.
pub fn read_own_match(
    shape: &mut Shape<'_>,
    key: &'static str,
    faults: &mut Faults,
) -> Option<ArchivedMatch> {
    shape.choice(key, Presence::Nullable, &UPSERT_MATCHES, faults)
}

/// Reads what becomes of an archived record whose identifier a live one is to take.
pub fn read_conflict(
    shape: &mut Shape<'_>,
    key: &'static str,
    faults: &mut Faults,
) -> ArchivedConflict {
    read_own_conflict(shape, key, faults).unwrap_or_default()
}

/// The same; none where nothing is said.
pub fn read_own_conflict(
    shape: &mut Shape<'_>,
    key: &'static str,
    faults: &mut Faults,
) -> Option<ArchivedConflict> {
    shape.choice(key, Presence::Nullable, &CONFLICTS, faults)
}

/// What a request with many rows says for those that do not say it themselves.
pub fn match_of_all(query: &mut Query<'_>, faults: &mut Faults) -> Option<ArchivedMatch> {
    query.choice("oncreate_unarchive", &UPSERT_MATCHES, faults)
}

/// The same.
pub fn conflict_of_all(query: &mut Query<'_>, faults: &mut Faults) -> Option<ArchivedConflict> {
    query.choice("onupdate_archived_conflict", &CONFLICTS, faults)
}

/// Reads what a restored record does with a unique value that is taken.
pub fn read_restore_conflict(query: &mut Query<'_>, faults: &mut Faults) -> RestoreConflict {
    query.choice("on_restore_conflict", &RESTORE_CONFLICTS, faults).unwrap_or_default()
}
