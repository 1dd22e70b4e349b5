//! Whether a record is as a write expects it: asked when the record is found, before anything is
//! done about it.
//!
//! The same state decides about the precondition and about the write, so nothing comes between.

use crate::model::table::decide::Rejection;
use crate::model::table::decide::commit::Commit;
use crate::model::table::record::Record;

/// Ends a command that expects another state of the record that it is about, or expects one where
/// there is none. The record is one that the caller may see.
pub(super) fn check_precondition(
    commit: &Commit<'_>,
    found: Option<&Record>,
) -> Result<(), Rejection> {
    let Some(precondition) = &commit.precondition else { return Ok(()) };
    if precondition.holds(found.map(Record::version)) {
        return Ok(());
    }
    let (precondition, found) = (precondition.clone(), found.cloned());
    Err(Rejection::PreconditionFailed { precondition, found })
}
