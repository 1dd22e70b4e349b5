//! The stale guard: a message from another system that is not newer than what it said before changes
//! nothing, and one that is newer is remembered whatever becomes of it.
//!
//! It must not know what an upsert would do.

use crate::model::schema::system;
use crate::model::table::apply::same_version;
use crate::model::table::body::{Body, Edits};
use crate::model::table::command::{Action, FaultKind, Place, RecordFault, Reply};
use crate::model::table::decide::Rejection;
use crate::model::table::decide::commit::Commit;
use crate::model::table::decide::sets::untouched;
use crate::model::table::event::{Event, SourceKept};
use crate::model::table::record::Record;
use crate::model::table::source::{Guard, SOURCES_MAX, has_room, kept_version, put_raised};
use crate::model::value::fault::ValueFault;
use std::cmp::Ordering;

const OTHER_KIND: ValueFault =
    ValueFault::Invalid { what: "This source gave a version of the other kind before." };
const TOO_MANY: ValueFault = ValueFault::LimitExceeded { what: "sources", max: SOURCES_MAX };

/// The answer, if the command says nothing new about this record.
pub(super) fn check_stale(
    commit: &Commit<'_>,
    record: &Record,
) -> Result<Option<Reply>, Rejection> {
    let Some(guard) = &commit.guard else { return Ok(None) };
    let refused = |fault| {
        let kind = FaultKind::Value(fault);
        Rejection::Faults(vec![RecordFault { place: Place::SourceVersion, kind }])
    };
    let Some(kept) = kept_version(record.body(), &guard.source) else {
        let is_full = !has_room(record.body(), &guard.source);
        return if is_full { Err(refused(TOO_MANY)) } else { Ok(None) };
    };
    match guard.version.compare(kept) {
        None => Err(refused(OTHER_KIND)),
        Some(Ordering::Less | Ordering::Equal) => {
            Ok(Some(untouched(commit, record, Action::Stale)))
        }
        Some(Ordering::Greater) => Ok(None),
    }
}

/// Remembers the version where nothing else of the record changes: no new version of it, and no
/// entry of the feed. Gives the record as it is then. Who may not write the record leaves it as it
/// is, or a reader could keep others from writing it.
pub(super) fn keep(commit: &mut Commit<'_>, record: &Record) -> Result<Record, Rejection> {
    let guard = commit.guard.clone().filter(|guard| is_news(guard, record.body()));
    let guard = guard.filter(|_| commit.access.may_edit(&commit.schema, record));
    let Some(guard) = guard else { return Ok(record.clone()) };
    let mut edits = Edits::default();
    raise_with(commit, Some(record), &mut edits);
    let mut body = Vec::with_capacity(record.len() + 96);
    edits.merge(record.body(), &mut body, &mut Vec::new());
    commit.count(guard.source.len())?;
    let raised = same_version(record, &body);
    let event = SourceKept {
        mark: commit.moment.mark(),
        stamp: commit.stamp(),
        record: raised.clone(),
        guard,
    };
    commit.push(Event::SourceKept(event));
    Ok(raised)
}

/// Remembers the version beside what else changes of the record.
pub(super) fn raise_with(commit: &Commit<'_>, old: Option<&Record>, edits: &mut Edits) {
    let Some(guard) = &commit.guard else { return };
    let body = old.map_or(Body::new(&[]), Record::body);
    if !is_news(guard, body) {
        return;
    }
    edits.set(system::SOURCE_VERSIONS, |out| put_raised(body, guard, out));
}

/// Whether a body keeps no such version of the source yet. The record that was matched was asked
/// before; one whose identifier is in the way of a new record was not.
fn is_news(guard: &Guard, body: Body<'_>) -> bool {
    match kept_version(body, &guard.source) {
        None => has_room(body, &guard.source),
        Some(kept) => guard.version.compare(kept) == Some(Ordering::Greater),
    }
}
