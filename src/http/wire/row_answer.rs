//! What the answer to an upsert says beside the record: a single one, or that of a row.
//!
//! It must not know how a row was read, nor when an answer is given.

use crate::http::wire::record::{RecordAnswer, Scene};
use crate::model::table::command::Outcome;
use serde::Serialize;

/// The write answer of an upsert.
#[derive(Serialize)]
pub struct RowAnswer<'a> {
    #[serde(flatten)]
    pub record: RecordAnswer<'a>,
    #[serde(flatten)]
    pub report: RowReport<'a>,
}

/// What was asked for besides the record.
#[derive(Default, Serialize)]
pub struct RowReport<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub changed_fields: Option<Vec<Box<str>>>,
    /// As the caller gave it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_ref: Option<&'a str>,
}

/// The API names of the fields whose value is another one now, in the order of the fields. Hidden
/// ones are left out.
#[must_use]
pub fn changed_fields(outcome: &Outcome, scene: &Scene<'_>) -> Vec<Box<str>> {
    let is_changed = |number| outcome.changed.contains(&number) && scene.fields().may_see(number);
    let fields = scene.schema().fields().iter().filter(|field| is_changed(field.number));
    fields.map(|field| field.name.as_str().into()).collect()
}
