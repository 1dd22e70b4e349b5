//! Exports: their routes and shapes, as the document of the API describes them.
//!
//! Nothing here is ever called or made: tests hold it against what the server really answers. It
//! must not describe what is not served.

use crate::http::openapi::objects::ObjectType;
use crate::http::openapi::records::{ClientInfo, MemberName};
use crate::http::openapi::search::{Archived, Group, Texts};
use crate::http::openapi::shared::{Access, ObjectPath};
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

/// The form of an export.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ExportFormat {
    Ndjson,
    Csv,
}

/// What is exported, and how.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ExportQuery {
    /// Wins over `Accept`; `ndjson` if neither says anything.
    #[param(inline)]
    pub format: Option<ExportFormat>,
    /// API names of the fields to show, separated by commas, in the order of the columns; unknown
    /// ones are left out. Every visible field if left out.
    pub field_names: Option<String>,
    /// Whether archived records are exported; `exclude` if left out.
    #[param(inline)]
    pub archived: Option<Archived>,
    /// CSV: options by their labels instead of their ids.
    pub labels: Option<bool>,
    /// CSV: a `'` before cells that a spreadsheet would take for a formula: those that begin with
    /// `=`, `+`, `-` or `@`.
    pub excel: Option<bool>,
}

/// Which records are exported. Nothing of it is required, nor the body itself; of what the query says
/// too, the query wins.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({"query": [{"filters": [
    {"field": "region", "condition": "is_any_of", "value": ["North"]},
]}]}))]
pub struct ExportBody {
    /// Groups of conditions, at most 200 of them in all.
    pub query: Option<Vec<Group>>,
    /// How the groups are combined; true if left out.
    pub and: Option<bool>,
    pub archived: Option<Archived>,
    /// API names of the fields to show; unknown ones are left out.
    pub field_names: Option<Texts>,
}

/// A line of an export: a record as it is read, with nothing of its fields but their values.
#[derive(Serialize, ToSchema)]
pub struct ExportedRecord {
    pub id: Uuid,
    pub object_type: ObjectType,
    /// The identifier; a contact's first and last name.
    pub name: String,
    pub display_name: String,
    /// Values by API name, in the form of the field's type; of a relationship all of them. A field
    /// without a value is absent.
    pub fields: BTreeMap<String, Value>,
    pub access: Access,
    #[schema(required = true)]
    pub client_info: Option<ClientInfo>,
    pub num_upcoming_activities: u32,
    pub num_associated_team_members: u32,
    /// Null where the field of the name is hidden from the caller, as the next one.
    #[schema(required = true, format = DateTime)]
    pub created: Option<String>,
    #[schema(required = true, format = DateTime)]
    pub updated: Option<String>,
    pub version: u64,
    /// Archived records only.
    #[schema(format = DateTime)]
    pub archived_at: Option<String>,
    /// Archived records only; null if the member is gone.
    pub archived_by: Option<MemberName>,
}

/// Export the records of an object
///
/// Every record that the caller may read, as of one instant, in the order of the ids. `X-Cursor` is
/// the place of that instant in the object's change feed: the export and the changes behind it miss
/// nothing. What a value refers to is named as it is when its line is made. NDJSON has a record a line;
/// CSV has a row of names, then a row a record: the id, the fields, and `archived_at` unless archived
/// records are left out; several values stand between `|`, where `\|` is a `|` and `\\` a `\` of a
/// value. An export that cannot go on breaks off without the end of its body: then begin again.
#[utoipa::path(
    get, path = "/api/records/{object_identifier}/export", tag = "records",
    operation_id = "records_export_retrieve",
    params(ObjectPath, ExportQuery),
    responses((
        status = 200, description = "The records.",
        content((ExportedRecord = "application/x-ndjson"), (String = "text/csv")),
        headers(("X-Cursor" = String, description = "The place in the object's change feed.")),
    ))
)]
pub fn export() {}

/// Export the records of an object that a query finds
///
/// As the export of all of them, with the `query` of a search.
#[utoipa::path(
    post, path = "/api/records/{object_identifier}/export", tag = "records",
    operation_id = "records_export_create",
    params(ObjectPath, ExportQuery),
    request_body = Option<ExportBody>,
    responses((
        status = 200, description = "The records.",
        content((ExportedRecord = "application/x-ndjson"), (String = "text/csv")),
        headers(("X-Cursor" = String, description = "The place in the object's change feed.")),
    ))
)]
pub fn export_found() {}
