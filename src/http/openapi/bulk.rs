//! Bulk actions: their routes and shapes, as the document of the API describes them.
//!
//! Nothing here is ever called or made: tests hold it against what the server really answers. It
//! must not describe what is not served.

use crate::http::openapi::shared::{ObjectPath, Page, PageQuery, time_or_day};
use serde::Serialize;
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

/// A bulk action.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
pub struct BulkPath {
    /// Id of the action.
    pub id: Uuid,
}

/// Which bulk actions.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub struct BulkQuery {
    /// Id or API name of an object.
    pub custom_object_id: Option<String>,
    pub action: Option<BulkKind>,
    /// Whether nothing more happens to it.
    pub completed: Option<bool>,
    /// Begun later than this time; RFC 3339.
    #[param(schema_with = time_or_day)]
    pub started_after: Option<String>,
}

/// The body that archives records.
#[derive(Serialize, ToSchema)]
pub struct BulkArchive {
    #[schema(min_items = 1, max_items = 1000)]
    pub record_ids: Vec<Uuid>,
    /// Taken, and nothing is ever sent.
    pub send_email_notification: Option<bool>,
}

/// The body that changes one field of records.
#[derive(Serialize, ToSchema)]
pub struct BulkChange {
    #[schema(min_items = 1, max_items = 1000)]
    pub record_ids: Vec<Uuid>,
    /// Id or API name of the field.
    pub field_id: String,
    /// The bare value, never an object: a text, a number, a boolean, an id, or a list of them.
    pub field_value: Value,
    /// `overwrite` if left out.
    pub field_resolution: Option<Resolution>,
    /// Taken, and nothing is ever sent.
    pub send_email_notification: Option<bool>,
}

/// How a value meets the one that a record has.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Resolution {
    Overwrite,
    AddOnly,
    RemoveOnly,
    UpdateIfBlank,
    OverwriteExceptNull,
}

/// The answer to an archiving: every record was tried.
#[derive(Serialize, ToSchema)]
pub struct BulkArchived {
    /// Ids that were sent.
    pub number_archived: u64,
    /// Always true, for clients that look for it.
    pub r#async: bool,
    /// The action, to ask what became of each record.
    pub status_id: Uuid,
}

/// The answer to a change: every record was tried.
#[derive(Serialize, ToSchema)]
pub struct BulkChanged {
    /// Ids that were sent.
    pub number_updated: u64,
    /// Always true, for clients that look for it.
    pub r#async: bool,
    /// The action, to ask what became of each record.
    pub status_id: Uuid,
}

/// What is done to each record.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum BulkKind {
    CustomObjectArchive,
    CustomObjectChangeFieldValue,
}

/// How far an action is: `completed` when every record was tried, `failed` when the server ended
/// before that.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum BulkStatus {
    InProgress,
    Completed,
    Failed,
}

/// A record that was left as it is.
#[derive(Serialize, ToSchema)]
pub struct BulkFailure {
    pub record_id: Uuid,
    pub code: String,
    pub detail: String,
}

/// A bulk action and its progress.
#[derive(Serialize, ToSchema)]
pub struct BulkAction {
    pub id: Uuid,
    pub action: BulkKind,
    pub status: BulkStatus,
    pub custom_object_id: Uuid,
    pub success_count: u64,
    pub failed_count: u64,
    /// Of a failed action: each of them was changed or not.
    pub pending_count: u64,
    #[schema(format = DateTime)]
    pub started_at: String,
    /// Null too where the server ended first.
    #[schema(required = true, format = DateTime)]
    pub completed_at: Option<String>,
    pub errors: Vec<BulkFailure>,
}

/// Archive many records
///
/// Each is a commit of its own. Those that cannot be archived are left alone, and the action tells
/// why. Repeating it is safe.
#[utoipa::path(
    post, path = "/api/custom-objects/{object_identifier}/bulk-archive-entity-record",
    tag = "records", operation_id = "custom_objects_bulk_archive_entity_record_create",
    params(ObjectPath), request_body = BulkArchive,
    responses((status = 200, description = "Every record was tried.", body = BulkArchived))
)]
pub fn archive() {}

/// Change one field of many records
///
/// Each is a commit of its own. Those that cannot be changed are left alone, and the action tells
/// why. Repeating it is safe.
#[utoipa::path(
    post, path = "/api/custom-objects/{object_identifier}/bulk-change-field-value",
    tag = "records", operation_id = "custom_objects_bulk_change_field_value_create",
    params(ObjectPath), request_body = BulkChange,
    responses((status = 200, description = "Every record was tried.", body = BulkChanged))
)]
pub fn change_field_value() {}

/// List the bulk actions of the last seven days, the newest first
#[utoipa::path(
    get, path = "/api/bulk-action-progress", tag = "records",
    operation_id = "bulk_action_progress_list",
    params(PageQuery, BulkQuery),
    responses((status = 200, description = "A page of actions.", body = Page<BulkAction>))
)]
pub fn list() {}

/// Read a bulk action
#[utoipa::path(
    get, path = "/api/bulk-action-progress/{id}", tag = "records",
    operation_id = "bulk_action_progress_retrieve",
    params(BulkPath),
    responses((status = 200, description = "The action.", body = BulkAction))
)]
pub fn retrieve() {}
