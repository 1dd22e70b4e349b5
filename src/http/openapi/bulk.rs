//! Bulk actions and their progress, as the document of the API describes them.
//!
//! Nothing here is ever called or made: tests hold it against what the server really answers. It
//! must not describe what is not served.

use crate::http::openapi::shared::{ObjectPath, Page, PageQuery};
use serde::Serialize;
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

/// An action.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
pub struct BulkPath {
    /// Id of the action.
    pub id: Uuid,
}

/// Which actions.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub struct BulkQuery {
    /// Id or API name of the object.
    pub custom_object_id: Option<String>,
    pub action: Option<BulkKind>,
    /// False: those in progress.
    pub completed: Option<bool>,
    #[param(schema_with = crate::http::openapi::shared::time_or_day)]
    pub started_after: Option<String>,
}

/// What is done to the records.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum BulkKind {
    CustomObjectArchive,
    CustomObjectChangeFieldValue,
}

/// How far an action is.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum BulkStatus {
    InProgress,
    Completed,
    Failed,
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

/// The body that archives many records.
#[derive(Serialize, ToSchema)]
pub struct BulkArchive {
    #[schema(min_items = 1, max_items = 1000)]
    pub record_ids: Vec<Uuid>,
    /// Nobody is notified.
    pub send_email_notification: Option<bool>,
}

/// The body that changes one field of many records.
#[derive(Serialize, ToSchema)]
pub struct BulkChange {
    #[schema(min_items = 1, max_items = 1000)]
    pub record_ids: Vec<Uuid>,
    /// Id or API name of the field.
    #[schema(min_length = 1, max_length = 100)]
    pub field_id: String,
    /// Bare: a text, a number, a boolean, an id, or a list of them. Null clears.
    #[schema(required = true)]
    pub field_value: Option<Value>,
    /// `overwrite` if left out.
    pub field_resolution: Option<Resolution>,
    /// Nobody is notified.
    pub send_email_notification: Option<bool>,
}

/// Every record was tried.
#[derive(Serialize, ToSchema)]
pub struct BulkArchived {
    /// How many ids were sent.
    pub number_archived: u32,
    pub r#async: bool,
    /// The row of progress.
    pub status_id: Uuid,
}

/// Every record was tried.
#[derive(Serialize, ToSchema)]
pub struct BulkChanged {
    /// How many ids were sent.
    pub number_updated: u32,
    pub r#async: bool,
    /// The row of progress.
    pub status_id: Uuid,
}

/// A record that was left alone, and why.
#[derive(Serialize, ToSchema)]
pub struct BulkFailure {
    pub record_id: Uuid,
    pub code: String,
    pub detail: String,
}

/// An action and its progress.
#[derive(Serialize, ToSchema)]
pub struct BulkProgress {
    pub id: Uuid,
    pub action: BulkKind,
    pub status: BulkStatus,
    pub custom_object_id: Uuid,
    pub success_count: u32,
    pub failed_count: u32,
    pub pending_count: u32,
    #[schema(format = DateTime)]
    pub started_at: String,
    #[schema(required = true, format = DateTime)]
    pub completed_at: Option<String>,
    pub errors: Vec<BulkFailure>,
}

/// Archive many records
#[utoipa::path(
    post, path = "/api/custom-objects/{object_identifier}/bulk-archive-entity-record",
    tag = "records", operation_id = "custom_objects_bulk_archive_entity_record_create",
    params(ObjectPath), request_body = BulkArchive,
    responses((status = 200, description = "Every record was tried.", body = BulkArchived))
)]
pub fn archive() {}

/// Change one field of many records
#[utoipa::path(
    post, path = "/api/custom-objects/{object_identifier}/bulk-change-field-value",
    tag = "records", operation_id = "custom_objects_bulk_change_field_value_create",
    params(ObjectPath), request_body = BulkChange,
    responses((status = 200, description = "Every record was tried.", body = BulkChanged))
)]
pub fn change_field_value() {}

/// List bulk actions, newest first
#[utoipa::path(
    get, path = "/api/bulk-action-progress", tag = "records",
    operation_id = "bulk_action_progress_list",
    params(BulkQuery, PageQuery),
    responses((status = 200, description = "A page of actions.", body = Page<BulkProgress>))
)]
pub fn list() {}

/// Read what became of a bulk action
#[utoipa::path(
    get, path = "/api/bulk-action-progress/{id}", tag = "records",
    operation_id = "bulk_action_progress_retrieve",
    params(BulkPath),
    responses((status = 200, description = "The action.", body = BulkProgress))
)]
pub fn retrieve() {}
