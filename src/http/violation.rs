//! What live records break when a rule is switched on, as a problem.
//!
//! It must not know how a rule is surveyed.

use crate::http::code::Code;
use crate::http::fault::{Fault, Place};
use crate::http::problem::Problem;
use crate::http::target::Target;
use crate::http::wire::value::{ReadForm, Referents};
use crate::model::id::RecordId;
use crate::model::table::decide::{Rule, Violated};
use serde::Serialize;

/// A value that breaks the rule, and the first records that have it, of those the caller may read.
#[derive(Serialize)]
struct ViolationShape<'a> {
    record_ids: Vec<RecordId>,
    value: Option<ReadForm<'a>>,
}

/// The answer: how much is in the way, and what comes first.
#[must_use]
pub fn problem(target: &Target, violated: &Violated) -> Problem {
    let Violated { field, rule, count, first } = violated;
    let (key, message) = match rule {
        Rule::Required => ("is_required", "Live records have no value."),
        Rule::Unique => ("is_unique", "Live records share a value."),
        Rule::Normalizer => ("normalizer", "Live records share a value in this normal form."),
        Rule::IdentifierCase => {
            ("identifier_case", "Records share a name in this form, archived ones counted.")
        }
    };
    let caller = &target.caller;
    let referents = Referents {
        dry_tags: &[],
        tags: &target.table.shown().tags,
        members: &caller.catalog.members,
        time_zone: caller.business.time_zone(),
    };
    let schema = target.table.shown().schema();
    let may_read = |id: &RecordId| {
        let record = target.table.shown().record(*id);
        record.is_some_and(|record| target.access.may_read(&schema, &record))
    };
    let shapes: Vec<_> = first
        .iter()
        .map(|violation| ViolationShape {
            record_ids: violation.records.iter().copied().filter(may_read).collect(),
            value: (violation.value.clone())
                .and_then(|value| ReadForm::of_value(field, value, referents)),
        })
        .filter(|shape| !shape.record_ids.is_empty())
        .collect();
    let fault = Fault::new(Code::ConstraintViolated, Place::Body(key.into())).saying(message);
    Problem::from(fault).with("count", count).with("violations", &shapes)
}
