//! What live records break when a rule is switched on, as a problem.
//!
//! It must not know how a rule is surveyed.

use crate::http::code::Code;
use crate::http::fault::{Fault, Place};
use crate::http::problem::Problem;
use crate::http::record_problem::not_together;
use crate::http::target::Target;
use crate::http::wire::value::{ReadForm, Referents};
use crate::model::id::RecordId;
use crate::model::schema::field::Field;
use crate::model::table::decide::{Rule, Violated, Violation};
use serde::Serialize;
use std::borrow::Cow;
use std::sync::Arc;

/// What breaks the rule, and the first records that do.
#[derive(Serialize)]
struct ViolationShape<'a> {
    record_ids: &'a [RecordId],
    value: ViolationValue<'a>,
}

/// The value of one field, or those of a constraint in its order.
#[derive(Serialize)]
#[serde(untagged)]
enum ViolationValue<'a> {
    One(Option<ReadForm<'a>>),
    Several(Vec<Option<ReadForm<'a>>>),
}

/// The answer: how much is in the way, and what comes first. All of it is what the caller may see.
#[must_use]
pub fn problem(target: &Target, violated: &Violated) -> Problem {
    let Violated { rule, fields, count, first } = violated;
    let caller = &target.caller;
    let referents = Referents {
        tags: &target.table.shown().tags,
        members: &caller.catalog.members,
        time_zone: caller.business.time_zone(),
    };
    let shape = |violation| shape_of(fields, violation, referents);
    let shapes: Vec<_> = first.iter().map(shape).collect();
    let (key, message) = told(target, *rule, fields);
    let fault = Fault::new(Code::ConstraintViolated, Place::Body(key)).saying(message);
    Problem::from(fault).with("count", count).with("violations", &shapes)
}

/// The key that switches the rule on, and what is wrong.
fn told(
    target: &Target,
    rule: Rule,
    fields: &[Arc<Field>],
) -> (Cow<'static, str>, Cow<'static, str>) {
    match rule {
        Rule::Required => ("is_required".into(), "Live records have no value.".into()),
        Rule::Unique => ("is_unique".into(), "Live records share a value.".into()),
        Rule::Normalizer if fields.len() > 1 => {
            let rights = target.access.fields(&target.table.shown().schema());
            let sees_all = fields.iter().all(|field| rights.may_see(field.number));
            let message = if sees_all {
                not_together(fields).into()
            } else {
                "Live records share the values of a unique constraint in this normal form.".into()
            };
            ("normalizer".into(), message)
        }
        Rule::Normalizer => {
            ("normalizer".into(), "Live records share a value in this normal form.".into())
        }
        Rule::UniqueTogether(index) => {
            (format!("unique_constraints[{index}]").into(), not_together(fields).into())
        }
        Rule::IdentifierCase => (
            "identifier_case".into(),
            "Records share a name in this form, archived ones counted.".into(),
        ),
    }
}

fn shape_of<'a>(
    fields: &'a [Arc<Field>],
    violation: &'a Violation,
    referents: Referents<'a>,
) -> ViolationShape<'a> {
    let mut values = fields
        .iter()
        .zip(&violation.values)
        .map(|(field, value)| ReadForm::of_value(field, value.clone(), referents));
    let value = if fields.len() > 1 {
        ViolationValue::Several(values.collect())
    } else {
        ViolationValue::One(values.next().flatten())
    };
    ViolationShape { record_ids: &violation.records, value }
}
