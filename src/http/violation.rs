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

/// A value that breaks the rule, and the first records that have it.
#[derive(Serialize)]
struct ViolationShape<'a> {
    record_ids: &'a [RecordId],
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
    };
    let caller = &target.caller;
    let referents = Referents {
        tags: &target.table.shown().tags,
        members: &caller.catalog.members,
        time_zone: caller.business.time_zone(),
    };
    let shapes: Vec<_> = first
        .iter()
        .map(|violation| ViolationShape {
            record_ids: &violation.records,
            value: (violation.value.clone())
                .and_then(|value| ReadForm::of_value(field, value, referents)),
        })
        .collect();
    let fault = Fault::new(Code::ConstraintViolated, Place::Body(key.into())).saying(message);
    Problem::from(fault).with("count", count).with("violations", &shapes)
}
