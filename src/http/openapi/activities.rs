//! Scheduled activities: their routes and shapes, as the document of the API describes them.
//!
//! Nothing here is ever called or made: tests hold it against what the server really answers. It
//! must not describe what is not served.

use crate::http::openapi::activity_types::AssociationMode;
use crate::http::openapi::shared::{
    Access, MemberValue, OrderingQuery, Page, PageQuery, time_or_day,
};
use serde::Serialize;
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

/// An activity.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
pub struct ActivityPath {
    /// Id of the activity.
    pub id: Uuid,
}

/// Which activities.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ActivitiesQuery {
    pub search: Option<String>,
    /// Due at this time or later.
    #[param(schema_with = time_or_day)]
    pub from_date: Option<String>,
    /// Due at this time or earlier, a whole day included.
    #[param(schema_with = time_or_day)]
    pub to_date: Option<String>,
    /// Ids of members, separated by commas.
    pub employee_ids: Option<String>,
    /// Ids of roles, separated by commas.
    pub role_ids: Option<String>,
    pub assigned_to_me: Option<bool>,
    pub completed: Option<bool>,
    /// Id of the type; not together with its name.
    pub activity_id: Option<Uuid>,
    /// API name of the type; not together with its id.
    pub activity_name: Option<String>,
    /// Id of a record that they are about.
    pub entity_id: Option<Uuid>,
}

/// The type where an activity names it.
#[derive(Serialize, ToSchema)]
pub struct ActivityTypeName {
    pub id: Uuid,
    pub name: String,
    pub api_name: String,
    pub association_mode: AssociationMode,
}

/// A thing where it is only named.
#[derive(Serialize, ToSchema)]
pub struct Named {
    pub id: Uuid,
    pub name: String,
}

/// A thing that a body names by its id or its name.
#[derive(Serialize, ToSchema)]
pub struct Reference {
    pub id: Option<Uuid>,
    pub name: Option<String>,
}

/// A record that an activity is to be about: each half by its id, or as an object of id or name.
#[derive(Serialize, ToSchema)]
pub struct Association {
    pub custom_object_id: Option<Uuid>,
    pub custom_object: Option<Reference>,
    pub entity_id: Option<Uuid>,
    pub entity: Option<Reference>,
}

/// A record that an activity is about.
#[derive(Serialize, ToSchema)]
pub struct AssociatedEntity {
    pub custom_object: Named,
    pub entity: Named,
}

/// The body that schedules an activity, of a type by its id or its API name.
#[derive(Serialize, ToSchema)]
pub struct NewActivity {
    pub activity_object_id: Option<Uuid>,
    pub activity_object_name: Option<String>,
    /// RFC 3339; without an offset in UTC.
    #[schema(format = DateTime)]
    pub due_datetime: String,
    pub note: Option<String>,
    pub employee_id: Option<Uuid>,
    pub role_id: Option<Uuid>,
    pub mentions: Option<Vec<Uuid>>,
    pub notify_mentioned: Option<bool>,
    pub notifications: Option<Vec<Value>>,
    pub associated_entities: Option<Vec<Association>>,
}

/// The body that changes an activity; what it does not name stays.
#[derive(Serialize, ToSchema)]
pub struct ActivityUpdate {
    #[schema(format = DateTime, nullable = false)]
    pub due_datetime: Option<String>,
    /// Completes it; null reopens it.
    #[schema(format = DateTime)]
    pub completed_at: Option<String>,
    pub note: Option<String>,
    pub employee_id: Option<Uuid>,
    pub role_id: Option<Uuid>,
    pub mentions: Option<Vec<Uuid>>,
    pub notify_mentioned: Option<bool>,
    pub notifications: Option<Vec<Value>>,
    pub associated_entities: Option<Vec<Association>>,
}

/// The body that changes the note alone, under one of its two names.
#[derive(Serialize, ToSchema)]
pub struct NoteUpdate {
    pub note: Option<String>,
    pub notes: Option<String>,
}

/// The body of a search: the parameters of the list. Those of the query win.
#[derive(Serialize, ToSchema)]
pub struct ActivitySearch {
    pub search: Option<String>,
    /// Due at this time or later.
    #[schema(schema_with = time_or_day)]
    pub from_date: Option<String>,
    /// Due at this time or earlier, a whole day included.
    #[schema(schema_with = time_or_day)]
    pub to_date: Option<String>,
    pub employee_ids: Option<Vec<Uuid>>,
    pub role_ids: Option<Vec<Uuid>>,
    pub assigned_to_me: Option<bool>,
    pub completed: Option<bool>,
    /// Id of the type; not together with its name.
    pub activity_id: Option<Uuid>,
    /// API name of the type; not together with its id.
    pub activity_name: Option<String>,
    /// Id of a record that they are about.
    pub entity_id: Option<Uuid>,
    pub ordering: Option<String>,
    pub page: Option<u64>,
    pub page_size: Option<u64>,
}

/// A scheduled activity.
#[derive(Serialize, ToSchema)]
pub struct Activity {
    pub id: Uuid,
    pub note: String,
    #[schema(format = DateTime)]
    pub due_datetime: String,
    #[schema(format = DateTime)]
    pub original_due_datetime: String,
    #[schema(required = true, format = DateTime)]
    pub completed_at: Option<String>,
    #[schema(required = true)]
    pub logged_activity_id: Option<Uuid>,
    #[schema(format = DateTime)]
    pub created: String,
    pub activity_object: ActivityTypeName,
    #[schema(required = true)]
    pub employee: Option<MemberValue>,
    #[schema(required = true)]
    pub role: Option<Named>,
    pub mentions: Vec<MemberValue>,
    pub associated_entities: Vec<AssociatedEntity>,
    pub notifications: Vec<Value>,
    pub access: Access,
}

/// List scheduled activities
#[utoipa::path(
    get, path = "/api/activities/scheduled-activity", tag = "activities",
    operation_id = "activities_scheduled_activity_list",
    params(PageQuery, OrderingQuery, ActivitiesQuery),
    responses((status = 200, description = "A page of activities.", body = Page<Activity>))
)]
pub fn list() {}

/// Schedule an activity
#[utoipa::path(
    post, path = "/api/activities/scheduled-activity", tag = "activities",
    operation_id = "activities_scheduled_activity_create",
    request_body = NewActivity,
    responses((status = 201, description = "The activity.", body = Activity))
)]
pub fn schedule() {}

/// Search scheduled activities
///
/// As the list, with its parameters in the body. An empty body finds all.
#[utoipa::path(
    post, path = "/api/activities/scheduled-activity/search", tag = "activities",
    operation_id = "activities_scheduled_activity_search_create",
    params(PageQuery, OrderingQuery, ActivitiesQuery),
    request_body = Option<ActivitySearch>,
    responses((status = 200, description = "A page of activities.", body = Page<Activity>))
)]
pub fn search() {}

/// Read a scheduled activity
#[utoipa::path(
    get, path = "/api/activities/scheduled-activity/{id}", tag = "activities",
    operation_id = "activities_scheduled_activity_retrieve",
    params(ActivityPath),
    responses((status = 200, description = "The activity.", body = Activity))
)]
pub fn retrieve() {}

/// Change a scheduled activity
#[utoipa::path(
    patch, path = "/api/activities/scheduled-activity/{id}", tag = "activities",
    operation_id = "activities_scheduled_activity_partial_update",
    params(ActivityPath), request_body = ActivityUpdate,
    responses((status = 200, description = "The activity after the change.", body = Activity))
)]
pub fn partial_update() {}

/// Change a scheduled activity; what is not named stays here too
#[utoipa::path(
    put, path = "/api/activities/scheduled-activity/{id}", tag = "activities",
    operation_id = "activities_scheduled_activity_update",
    params(ActivityPath), request_body = ActivityUpdate,
    responses((status = 200, description = "The activity after the change.", body = Activity))
)]
pub fn update() {}

/// Change the note of a scheduled activity
#[utoipa::path(
    patch, path = "/api/activities/scheduled-activity/{id}/notes", tag = "activities",
    operation_id = "activities_scheduled_activity_notes_partial_update",
    params(ActivityPath), request_body = NoteUpdate,
    responses((status = 200, description = "The activity after the change.", body = Activity))
)]
pub fn change_note() {}

/// Delete a scheduled activity
#[utoipa::path(
    delete, path = "/api/activities/scheduled-activity/{id}", tag = "activities",
    operation_id = "activities_scheduled_activity_destroy",
    params(ActivityPath),
    responses((status = 204, description = "It is gone."))
)]
pub fn destroy() {}
