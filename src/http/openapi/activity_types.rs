//! Types of activity, and what took place of each: their routes and shapes, as the document of the
//! API describes them.
//!
//! Nothing here is ever called or made: tests hold it against what the server really answers. It
//! must not describe what is not served.

use crate::http::openapi::activities::{
    ActivityTypeName, AssociatedEntity, Association, Named, Reference,
};
use crate::http::openapi::shared::{Access, MemberValue, Page, PageQuery};
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

/// A type of activity.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
pub struct TypePath {
    /// Id or API name of the type.
    pub reference: String,
}

/// What took place.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
pub struct LoggedPath {
    /// Id of the entry.
    pub id: Uuid,
}

/// Records of which objects an activity of a type may be about.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AssociationMode {
    AllObjectsAssociated,
    SelectedObjectsAssociated,
    NoObjectsAssociated,
}

/// An object that a type selects.
#[derive(Serialize, ToSchema)]
pub struct SelectedObject {
    pub custom_object: Named,
}

/// A type of activity.
#[derive(Serialize, ToSchema)]
pub struct ActivityType {
    pub id: Uuid,
    pub name: String,
    pub api_name: String,
    pub description: String,
    pub association_mode: AssociationMode,
    /// The objects that are selected, where they are.
    pub associated_objects: Vec<SelectedObject>,
    #[schema(format = DateTime)]
    pub created: String,
}

/// An object that a body selects, by its id or its API name.
#[derive(Serialize, ToSchema)]
pub struct ObjectSelection {
    pub custom_object: Reference,
}

/// The body that makes a type of activity.
#[derive(Serialize, ToSchema)]
pub struct NewActivityType {
    #[schema(min_length = 1, max_length = 200)]
    pub name: String,
    /// Derived from the name if left out.
    #[schema(max_length = 100, pattern = "^[a-zA-Z0-9]([a-zA-Z0-9_-]*[a-zA-Z0-9])?$")]
    pub api_name: Option<String>,
    #[schema(max_length = 500)]
    pub description: Option<String>,
    /// All objects if left out.
    pub association_mode: Option<AssociationMode>,
    /// With `selected_objects_associated`, and only with it.
    pub associated_objects: Option<Vec<ObjectSelection>>,
}

/// The body that changes a type of activity; what it does not name stays.
#[derive(Serialize, ToSchema)]
pub struct ActivityTypeUpdate {
    #[schema(min_length = 1, max_length = 200, nullable = false)]
    pub name: Option<String>,
    /// It cannot be changed; its own value is taken.
    pub api_name: Option<String>,
    /// Null clears.
    #[schema(max_length = 500)]
    pub description: Option<String>,
    #[schema(nullable = false)]
    pub association_mode: Option<AssociationMode>,
    pub associated_objects: Option<Vec<ObjectSelection>>,
}

/// The body that keeps that an activity took place.
#[derive(Serialize, ToSchema)]
pub struct ActivityLog {
    /// The records that it was about; none is an empty list.
    pub related_objects: Vec<Association>,
    pub notes: Option<String>,
    /// The scheduled activity that it completes.
    pub scheduled_activity_id: Option<Uuid>,
    pub mentions: Option<Vec<Uuid>>,
    /// Nobody is notified.
    pub notify_mentioned: Option<bool>,
}

/// Something that took place.
#[derive(Serialize, ToSchema)]
pub struct LoggedActivity {
    pub id: Uuid,
    pub notes: String,
    #[schema(required = true)]
    pub scheduled_activity_id: Option<Uuid>,
    #[schema(format = DateTime)]
    pub created: String,
    pub activity_object: ActivityTypeName,
    /// Who logged it; null if the member is gone.
    #[schema(required = true)]
    pub employee: Option<MemberValue>,
    pub mentions: Vec<MemberValue>,
    pub related_objects: Vec<AssociatedEntity>,
    pub access: Access,
}

/// Which page of what took place; the query wins.
#[derive(Serialize, ToSchema)]
pub struct LoggedQuery {
    pub page: Option<u64>,
    pub page_size: Option<u64>,
}

/// List the types of activity
#[utoipa::path(
    get, path = "/api/activities", tag = "activities", operation_id = "activities_list",
    params(PageQuery),
    responses((status = 200, description = "A page of types.", body = Page<ActivityType>))
)]
pub fn list() {}

/// Make a type of activity
#[utoipa::path(
    post, path = "/api/activities", tag = "activities", operation_id = "activities_create",
    request_body = NewActivityType,
    responses((status = 201, description = "The type.", body = ActivityType))
)]
pub fn create() {}

/// Read a type of activity
#[utoipa::path(
    get, path = "/api/activities/{reference}", tag = "activities",
    operation_id = "activities_retrieve",
    params(TypePath),
    responses((status = 200, description = "The type.", body = ActivityType))
)]
pub fn retrieve() {}

/// Change a type of activity
#[utoipa::path(
    patch, path = "/api/activities/{reference}", tag = "activities",
    operation_id = "activities_partial_update",
    params(TypePath), request_body = ActivityTypeUpdate,
    responses((status = 200, description = "The type after the change.", body = ActivityType))
)]
pub fn partial_update() {}

/// Change a type of activity; what is not named stays here too
#[utoipa::path(
    put, path = "/api/activities/{reference}", tag = "activities",
    operation_id = "activities_update",
    params(TypePath), request_body = ActivityTypeUpdate,
    responses((status = 200, description = "The type after the change.", body = ActivityType))
)]
pub fn update() {}

/// Delete a type of activity; what there is of it stays
#[utoipa::path(
    delete, path = "/api/activities/{reference}", tag = "activities",
    operation_id = "activities_destroy",
    params(TypePath),
    responses((status = 204, description = "It is offered no more."))
)]
pub fn destroy() {}

/// Keep that an activity took place, which may complete a scheduled one
#[utoipa::path(
    post, path = "/api/activities/{reference}/log-activity", tag = "activities",
    operation_id = "activities_log_activity_create",
    params(TypePath), request_body = ActivityLog,
    responses((status = 201, description = "The entry.", body = LoggedActivity))
)]
pub fn log() {}

/// List what took place of a type, newest first
#[utoipa::path(
    post, path = "/api/activities/{reference}/responses", tag = "activities",
    operation_id = "activities_responses_create",
    params(TypePath, PageQuery), request_body = Option<LoggedQuery>,
    responses((status = 200, description = "A page of entries.", body = Page<LoggedActivity>))
)]
pub fn responses() {}

/// Read what took place
#[utoipa::path(
    get, path = "/api/activities/logged/{id}", tag = "activities",
    operation_id = "activities_logged_retrieve",
    params(LoggedPath),
    responses((status = 200, description = "The entry.", body = LoggedActivity))
)]
pub fn logged() {}
