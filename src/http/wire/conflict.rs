//! The `conflict` member of a 409: which record is in the way, and what the caller may choose.
//!
//! It must not know when something conflicts: that was decided.

use crate::http::wire::record::{RecordName, Scene};
use crate::http::wire::team::MemberName;
use crate::http::wire::value::ReadForm;
use crate::model::access::ObjectAccess;
use crate::model::id::{FieldId, FieldNumber, RecordId};
use crate::model::schema::Schema;
use crate::model::schema::field::Field;
use crate::model::table::decide::{Clash, Conflict, ConflictParameter, IdentityMatch};
use crate::model::table::intent::MatchPart;
use crate::model::table::record::Record;
use crate::model::value::Value;
use serde::Serialize;

/// What is in the way.
#[derive(Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ConflictBody<'a> {
    ArchivedIdentifier {
        field: FieldName<'a>,
        value: &'a str,
        /// All of several fields that it was found by together.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        fields: Vec<WantedBody<'a>>,
        /// None where the caller may not see it.
        archived_record: Option<ArchivedRecord>,
        parameter: Option<&'static str>,
        choices: Vec<Choice>,
    },
    UniqueOnRestore {
        record_id: RecordId,
        fields: Vec<ClashBody<'a>>,
    },
    IdentityConflict {
        matches: Vec<MatchBody<'a>>,
    },
}

/// A value that a record was looked for by, with others.
#[derive(Serialize)]
pub struct WantedBody<'a> {
    field: FieldName<'a>,
    value: &'a str,
}

/// The record that one match key means.
#[derive(Serialize)]
pub struct MatchBody<'a> {
    field: FieldName<'a>,
    value: Option<ReadForm<'a>>,
    /// None where the caller may not see it.
    record: Option<RecordName>,
}

/// A field where it is only named.
#[derive(Serialize)]
pub struct FieldName<'a> {
    id: FieldId,
    name: &'a str,
}

/// The archived holder of an identifier.
#[derive(Serialize)]
pub struct ArchivedRecord {
    #[serde(flatten)]
    name: RecordName,
    archived_at: Option<String>,
    archived_by: Option<MemberName>,
}

/// A value of the parameter, and the action it leads to.
#[derive(Serialize)]
pub struct Choice {
    value: &'static str,
    result: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    record_id: Option<RecordId>,
}

/// A value of the archived record that a live one has taken.
#[derive(Serialize)]
pub struct ClashBody<'a> {
    /// None, as the rest, where it is hidden from the caller.
    field: Option<FieldName<'a>>,
    value: Option<ReadForm<'a>>,
    held_by: Option<RecordName>,
}

impl<'a> ConflictBody<'a> {
    /// What clients read of a conflict.
    #[must_use]
    pub fn of(conflict: &'a Conflict, schema: &'a Schema, scene: &Scene<'a>) -> Self {
        match conflict {
            Conflict::ArchivedIdentifier { holder, parts, parameter } => {
                let is_visible = scene.may_read(holder);
                let first = parts.first().expect("it was found by a value");
                let field = schema.by_number(first.field).unwrap_or_else(|| schema.identifier());
                Self::ArchivedIdentifier {
                    field: FieldName::of(field),
                    value: &first.text,
                    fields: together(parts, schema),
                    archived_record: is_visible.then(|| ArchivedRecord::of(holder, scene)),
                    parameter: parameter_name(*parameter),
                    choices: choices(*parameter, holder, (schema, scene.access())),
                }
            }
            Conflict::UniqueOnRestore { record, clashes } => Self::UniqueOnRestore {
                record_id: record.id(),
                fields: clashes.iter().flat_map(|clash| of_clash(clash, schema, scene)).collect(),
            },
            Conflict::Identity(matches) => Self::IdentityConflict {
                matches: matches.iter().filter_map(|one| of_match(one, schema, scene)).collect(),
            },
        }
    }
}

/// All values of a key of several fields; none of a key of one.
fn together<'a>(parts: &'a [MatchPart], schema: &'a Schema) -> Vec<WantedBody<'a>> {
    let wanted = |part: &'a MatchPart| {
        let field = schema.by_number(part.field)?;
        Some(WantedBody { field: FieldName::of(field), value: &part.text })
    };
    if parts.len() < 2 { Vec::new() } else { parts.iter().filter_map(wanted).collect() }
}

/// None for a field that was deleted since.
fn of_match<'a>(
    one: &IdentityMatch,
    schema: &'a Schema,
    scene: &Scene<'a>,
) -> Option<MatchBody<'a>> {
    let field = schema.by_number(one.field)?;
    Some(MatchBody {
        field: FieldName::of(field),
        value: ReadForm::of_value(field, one.value.clone(), scene.referents()),
        record: scene.may_read(&one.record).then(|| scene.name(&one.record)),
    })
}

/// Each of the values; none of a field that was deleted since.
fn of_clash<'a>(clash: &Clash, schema: &'a Schema, scene: &Scene<'a>) -> Vec<ClashBody<'a>> {
    if !clash.parts.iter().all(|(field, _)| scene.fields().may_see(*field)) {
        return vec![ClashBody { field: None, value: None, held_by: None }];
    }
    let body = |(field, value): &(FieldNumber, Value)| {
        let field = schema.by_number(*field)?;
        Some(ClashBody {
            field: Some(FieldName::of(field)),
            value: ReadForm::of_value(field, value.clone(), scene.referents()),
            held_by: scene.name_of(clash.holder),
        })
    };
    clash.parts.iter().filter_map(body).collect()
}

impl ArchivedRecord {
    fn of(record: &Record, scene: &Scene<'_>) -> Self {
        let (archived_at, archived_by) = scene.archived(record);
        Self { name: scene.name(record), archived_at, archived_by }
    }
}

impl<'a> FieldName<'a> {
    fn of(field: &'a Field) -> Self {
        Self { id: field.id, name: &field.name }
    }
}

/// What the API calls the parameter that decides.
fn parameter_name(parameter: ConflictParameter) -> Option<&'static str> {
    match parameter {
        ConflictParameter::OncreateUnarchive => Some("oncreate_unarchive"),
        ConflictParameter::Unarchive => Some("unarchive"),
        ConflictParameter::OnupdateArchivedConflict => Some("onupdate_archived_conflict"),
        ConflictParameter::ArchivedConflict => Some("archived_conflict"),
        ConflictParameter::None => None,
    }
}

/// What the caller may choose: it has the right to what a choice leads to.
fn choices(
    parameter: ConflictParameter,
    holder: &Record,
    (schema, access): (&Schema, &ObjectAccess),
) -> Vec<Choice> {
    let may_free = access.may_edit(schema, holder);
    let overwrite = |result| Choice { value: "overwrite", result, record_id: None };
    match parameter {
        ConflictParameter::OncreateUnarchive | ConflictParameter::Unarchive => {
            let record_id = Some(holder.id());
            let unarchive = Choice { value: "unarchive", result: "unarchived", record_id };
            let unarchive = access.may_unarchive(schema, holder).then_some(unarchive);
            let may_overwrite = may_free && access.may_create();
            let overwrite = may_overwrite.then(|| overwrite("created"));
            unarchive.into_iter().chain(overwrite).collect()
        }
        ConflictParameter::OnupdateArchivedConflict | ConflictParameter::ArchivedConflict => {
            may_free.then(|| overwrite("updated")).into_iter().collect()
        }
        ConflictParameter::None => Vec::new(),
    }
}
