//! Values that are unique together: what a write takes of others, and what a record that comes back
//! has lost.
//!
//! One that a constraint says nothing of, since a value of it is blank, is in nobody's way.

use crate::model::id::RecordId;
use crate::model::schema::constraint::Constraint;
use crate::model::table::command::Place;
use crate::model::table::decide::commit::Commit;
use crate::model::table::decide::keys::{joint_claim, stored};
use crate::model::table::decide::plan::Plan;
use crate::model::table::decide::{Clash, Taken};
use crate::model::table::record::Record;

/// Values of the request that a live record has together.
#[derive(Clone, Debug, PartialEq)]
pub struct TakenTogether {
    /// Of each field of the constraint, in its order: where the request gives the value, else the
    /// field.
    pub places: Vec<Place>,
    pub holder: RecordId,
}

impl Plan<'_> {
    /// Constraints that the request breaks: those of which it writes a field at least.
    pub(super) fn check_together(
        &self,
        commit: &Commit<'_>,
        own: Option<&Record>,
        taken: &mut Taken,
    ) {
        for constraint in commit.schema.constraints() {
            if !self.writes_any(constraint) {
                continue;
            }
            let Some(holder) = self.joint_claimant(commit, constraint, own) else { continue };
            let places = constraint.fields.iter().map(|field| self.place_of(*field)).collect();
            taken.together.push(TakenTogether { places, holder: holder.id() });
        }
    }

    /// Constraints that the stored values of a record which comes back would break.
    pub(super) fn joint_clashes(&self, commit: &Commit<'_>, record: &Record) -> Vec<Clash> {
        let mut clashes = Vec::new();
        for constraint in commit.schema.constraints() {
            if self.writes_any(constraint) {
                continue;
            }
            let Some(holder) = self.joint_claimant(commit, constraint, Some(record)) else {
                continue;
            };
            let parts = commit.schema.parts(constraint).map(|field| {
                let raw = self.value(field.number).expect("a claim has values");
                (field.number, stored(field, raw))
            });
            clashes.push(Clash { parts: parts.collect(), holder: holder.id() });
        }
        clashes
    }

    fn writes_any(&self, constraint: &Constraint) -> bool {
        constraint.fields.iter().any(|field| self.edits.get(*field).is_some())
    }

    fn joint_claimant(
        &self,
        commit: &Commit<'_>,
        constraint: &Constraint,
        own: Option<&Record>,
    ) -> Option<Record> {
        let claim = joint_claim(&commit.schema, constraint, |field| self.value(field))?;
        commit.view.claimant(&claim).filter(|holder| own.is_none_or(|own| own.id() != holder.id()))
    }
}
