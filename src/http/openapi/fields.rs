//! Fields, their options and tags: their routes and shapes, as the document of the API describes
//! them.
//!
//! Nothing here is ever called or made: tests hold it against what the server really answers. It
//! must not describe what is not served.
#![expect(clippy::struct_excessive_bools, reason = "each is a flag of its own in the API")]

use crate::http::openapi::relations::{
    NewRelation, RelatedQuery, Relation, RelationReference, Selectable,
};
use crate::http::openapi::shared::{ObjectPath, OrderingQuery, Page, PageQuery};
use crate::http::openapi::words::{FieldType, NormalForm};
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

/// A field of an object.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
pub struct FieldPath {
    /// Id or API name of the object.
    pub object_identifier: String,
    /// Id or API name of the field.
    pub field: String,
}

/// An option of a field.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
pub struct OptionPath {
    /// Id or API name of the object.
    pub object_identifier: String,
    /// Id or API name of the field.
    pub field: String,
    /// Id of the option.
    pub option: Uuid,
}

/// Whether a change is made or only answered.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub struct RunQuery {
    /// Answer what would happen, and change nothing. The answer has the header `X-Dry-Run: true`;
    /// new ids in it are not those of the run that follows.
    pub dry_run: Option<bool>,
}

/// A field of the contact object.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
pub struct ContactFieldPath {
    /// Id or API name of the field.
    pub field: String,
}

/// Which fields.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub struct FieldsQuery {
    pub search: Option<String>,
    /// One that no field has finds none.
    pub field_type: Option<String>,
    pub name: Option<String>,
}

/// Which tags.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub struct TagsQuery {
    pub search: Option<String>,
}

/// Which fields.
#[derive(Serialize, ToSchema)]
pub struct FieldSearchBody {
    pub search: Option<String>,
    /// One that no field has finds none.
    pub field_type: Option<String>,
    pub name: Option<String>,
}

/// The limits of a decimal field.
#[derive(Serialize, ToSchema)]
pub struct NewDecimalOptions {
    pub min_value: Option<NumberInput>,
    pub max_value: Option<NumberInput>,
    #[schema(maximum = 6)]
    pub precision: Option<u8>,
}

/// A number, or a text that spells one.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
pub enum NumberInput {
    Number(f64),
    Text(String),
}

/// The limits of a rating field.
#[derive(Serialize, ToSchema)]
pub struct NewRating {
    #[schema(minimum = 1, maximum = 10)]
    pub min_value: Option<i32>,
    #[schema(minimum = 1, maximum = 10)]
    pub max_value: Option<i32>,
}

/// What a money field counts in.
#[derive(Serialize, ToSchema)]
pub struct NewMoneyOptions {
    /// `USD` if left out.
    #[schema(pattern = "^[A-Za-z]{3}$")]
    pub currency: Option<String>,
}

/// How a telephone field keeps numbers.
#[derive(Serialize, ToSchema)]
pub struct NewPhonenumberOptions {
    pub enable_extension: Option<bool>,
}

/// How things stand where an option of a status field holds.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    Open,
    Won,
    Lost,
    Disqualified,
}

/// The body that makes an option.
#[derive(Serialize, ToSchema)]
pub struct NewOption {
    #[schema(min_length = 1, max_length = 200)]
    pub name: String,
    #[schema(max_length = 200)]
    pub code: Option<String>,
    pub order: Option<i32>,
    #[schema(value_type = Option<Object>)]
    pub meta: Option<Map<String, Value>>,
    /// Of options of status fields.
    pub status: Option<Standing>,
}

/// The body that makes a field.
#[derive(Serialize, ToSchema)]
pub struct NewField {
    #[schema(min_length = 1, max_length = 200)]
    pub display_name: String,
    pub field_type: FieldType,
    /// API name; derived from the label if left out.
    #[schema(max_length = 100, pattern = "^[a-z][a-z0-9_]*$")]
    pub name: Option<String>,
    #[schema(max_length = 500)]
    pub description: Option<String>,
    /// The first one if left out.
    pub category: Option<Uuid>,
    pub order: Option<i32>,
    pub is_required: Option<bool>,
    pub is_read_only: Option<bool>,
    pub is_hidden: Option<bool>,
    pub allow_multiple: Option<bool>,
    pub is_unique: Option<bool>,
    pub normalizer: Option<NormalForm>,
    #[schema(value_type = Option<Object>)]
    pub meta: Option<Map<String, Value>>,
    pub options: Option<Vec<NewOption>>,
    pub decimal_options: Option<NewDecimalOptions>,
    pub money_options: Option<NewMoneyOptions>,
    pub rating: Option<NewRating>,
    pub phonenumber_options: Option<NewPhonenumberOptions>,
    /// Of relationship fields, which must have it.
    pub relation: Option<NewRelation>,
}

/// An option in the whole list of a field's options.
#[derive(Serialize, ToSchema)]
pub struct ListedOption {
    /// Of one that is kept; without it the name tells.
    pub id: Option<Uuid>,
    #[schema(min_length = 1, max_length = 200, nullable = false)]
    pub name: Option<String>,
    #[schema(max_length = 200)]
    pub code: Option<String>,
    pub order: Option<i32>,
    #[schema(value_type = Option<Object>)]
    pub meta: Option<Map<String, Value>>,
    /// Of options of status fields.
    pub status: Option<Standing>,
}

/// The body that changes an option; what it does not name stays.
#[derive(Serialize, ToSchema)]
pub struct OptionUpdate {
    #[schema(min_length = 1, max_length = 200, nullable = false)]
    pub name: Option<String>,
    #[schema(max_length = 200)]
    pub code: Option<String>,
    pub order: Option<i32>,
    #[schema(value_type = Option<Object>)]
    pub meta: Option<Map<String, Value>>,
    /// Of options of status fields.
    pub status: Option<Standing>,
}

/// The option that takes the place of another one.
#[derive(Serialize, ToSchema)]
pub struct Successor {
    pub id: Uuid,
}

/// The body that changes a field; what it does not name stays.
#[derive(Serialize, ToSchema)]
pub struct FieldUpdate {
    #[schema(min_length = 1, max_length = 200, nullable = false)]
    pub display_name: Option<String>,
    /// It cannot be changed; its own value is taken.
    #[schema(nullable = false)]
    pub field_type: Option<FieldType>,
    /// API name.
    #[schema(max_length = 100, pattern = "^[a-z][a-z0-9_]*$")]
    pub name: Option<String>,
    #[schema(max_length = 500)]
    pub description: Option<String>,
    /// The first one if left out.
    pub category: Option<Uuid>,
    pub order: Option<i32>,
    pub is_required: Option<bool>,
    pub is_read_only: Option<bool>,
    pub is_hidden: Option<bool>,
    pub allow_multiple: Option<bool>,
    pub is_unique: Option<bool>,
    pub normalizer: Option<NormalForm>,
    #[schema(value_type = Option<Object>)]
    pub meta: Option<Map<String, Value>>,
    /// The whole new list: what is missing is removed, with its values.
    pub options: Option<Vec<ListedOption>>,
    pub decimal_options: Option<NewDecimalOptions>,
    pub money_options: Option<NewMoneyOptions>,
    pub rating: Option<NewRating>,
    pub phonenumber_options: Option<NewPhonenumberOptions>,
    /// It cannot be changed; its own value is taken.
    #[schema(value_type = Option<Object>)]
    pub relation: Option<Map<String, Value>>,
}

/// An option of a field.
#[derive(Serialize, ToSchema)]
pub struct FieldOption {
    /// A UUID, but the zone's name in fields of time zones.
    pub id: String,
    pub name: String,
    pub code: String,
    pub order: i32,
    #[schema(value_type = Object)]
    pub meta: Map<String, Value>,
    /// Of options of status fields.
    pub status: Option<Standing>,
    /// True where a change was only asked about, absent everywhere else.
    pub dry_run: Option<bool>,
}

/// The limits of a rating field.
#[derive(Serialize, ToSchema)]
pub struct Rating {
    pub min_value: i32,
    pub max_value: i32,
}

/// What a money field counts in.
#[derive(Serialize, ToSchema)]
pub struct MoneyOptions {
    pub currency: String,
}

/// How a telephone field keeps numbers.
#[derive(Serialize, ToSchema)]
pub struct PhonenumberOptions {
    pub enable_extension: bool,
}

/// The limits of a decimal field.
#[derive(Serialize, ToSchema)]
pub struct DecimalOptions {
    #[schema(required = true)]
    pub min_value: Option<f64>,
    #[schema(required = true)]
    pub max_value: Option<f64>,
    pub precision: Option<u8>,
}

/// What the caller may do with a field.
#[derive(Serialize, ToSchema)]
pub struct FieldAccess {
    pub view: bool,
    pub edit: bool,
}

/// A field.
#[derive(Serialize, ToSchema)]
pub struct Field {
    pub id: Uuid,
    /// API name.
    pub name: String,
    pub display_name: String,
    pub description: String,
    pub field_type: FieldType,
    pub category: Uuid,
    pub order: i32,
    pub is_default: bool,
    pub is_required: bool,
    pub is_read_only: bool,
    pub is_hidden: bool,
    pub is_deletable: bool,
    pub allows_nulls: bool,
    pub allows_empty: bool,
    pub allow_multiple: bool,
    #[schema(value_type = Object)]
    pub meta: Map<String, Value>,
    #[schema(value_type = Object)]
    pub properties: Map<String, Value>,
    /// Of types that have options.
    pub options: Option<Vec<FieldOption>>,
    /// Of decimal fields.
    pub decimal_options: Option<DecimalOptions>,
    /// Of rating fields.
    pub rating: Option<Rating>,
    /// Of money fields.
    pub money_options: Option<MoneyOptions>,
    /// Of telephone fields.
    pub phonenumber_options: Option<PhonenumberOptions>,
    /// Of relationship fields.
    pub relation: Option<Relation>,
    pub access: FieldAccess,
    pub is_hideable: bool,
    pub is_suppressed: bool,
    pub description_visibility: String,
    pub is_unique: bool,
    #[schema(required = true)]
    pub normalizer: Option<NormalForm>,
    /// True where a change was only asked about, absent everywhere else.
    pub dry_run: Option<bool>,
}

/// What refers to a field.
#[derive(Serialize, ToSchema)]
pub struct References {
    pub relationships: Vec<RelationReference>,
    /// API names of the fields of each constraint that the field is part of.
    pub unique_constraints: Vec<Vec<String>>,
    /// Those that name the field, for callers who may see groups.
    pub permission_groups: Vec<GroupName>,
}

/// A permission group where it is only named.
#[derive(Serialize, ToSchema)]
pub struct GroupName {
    pub id: Uuid,
    pub name: String,
}

/// A tag.
#[derive(Serialize, ToSchema)]
pub struct Tag {
    pub id: Uuid,
    pub name: String,
}

/// List the fields of an object
#[utoipa::path(
    get, path = "/api/custom-objects/{object_identifier}/fields", tag = "fields",
    operation_id = "custom_objects_fields_list",
    params(ObjectPath, FieldsQuery),
    responses((status = 200, description = "All that match.", body = Vec<Field>))
)]
pub fn list() {}

/// Make a field
///
/// Of a relationship the field on the other side is made with it.
#[utoipa::path(
    post, path = "/api/custom-objects/{object_identifier}/fields", tag = "fields",
    operation_id = "custom_objects_fields_create",
    params(ObjectPath, RunQuery), request_body = NewField,
    responses((status = 201, description = "The field.", body = Field))
)]
pub fn create() {}

/// List the fields of an object, by the path that other clients use
#[utoipa::path(
    get, path = "/api/custom-objects/{object_identifier}/fields/settings-search", tag = "fields",
    operation_id = "custom_objects_fields_settings_search_list",
    params(ObjectPath, FieldsQuery),
    responses((status = 200, description = "All that match.", body = Vec<Field>))
)]
pub fn settings_search() {}

/// Search the fields of an object
#[utoipa::path(
    post, path = "/api/custom-objects/{object_identifier}/fields/search", tag = "fields",
    operation_id = "custom_objects_fields_search_create",
    params(ObjectPath), request_body = FieldSearchBody,
    responses((status = 200, description = "All that match.", body = Vec<Field>))
)]
pub fn search() {}

/// Read a field
#[utoipa::path(
    get, path = "/api/custom-objects/{object_identifier}/fields/{field}", tag = "fields",
    operation_id = "custom_objects_fields_retrieve",
    params(FieldPath),
    responses((status = 200, description = "The field.", body = Field))
)]
pub fn retrieve() {}

/// Change a field
///
/// Switching a rule on is `400 constraint_violated` while live records break it.
#[utoipa::path(
    patch, path = "/api/custom-objects/{object_identifier}/fields/{field}", tag = "fields",
    operation_id = "custom_objects_fields_partial_update",
    params(FieldPath, RunQuery), request_body = FieldUpdate,
    responses((status = 200, description = "The field after the change.", body = Field))
)]
pub fn partial_update() {}

/// Change a field; what is not named stays here too
///
/// Switching a rule on is `400 constraint_violated` while live records break it.
#[utoipa::path(
    put, path = "/api/custom-objects/{object_identifier}/fields/{field}", tag = "fields",
    operation_id = "custom_objects_fields_update",
    params(FieldPath, RunQuery), request_body = FieldUpdate,
    responses((status = 200, description = "The field after the change.", body = Field))
)]
pub fn update() {}

/// Delete a field with the values of all records
///
/// Of a relationship both sides go; unique constraints that the field is part of go too.
#[utoipa::path(
    delete, path = "/api/custom-objects/{object_identifier}/fields/{field}", tag = "fields",
    operation_id = "custom_objects_fields_destroy",
    params(FieldPath, RunQuery),
    responses((status = 204, description = "It is gone."))
)]
pub fn destroy() {}

/// List what refers to a field
#[utoipa::path(
    get, path = "/api/custom-objects/{object_identifier}/fields/{field}/references",
    tag = "fields", operation_id = "custom_objects_fields_references_retrieve",
    params(FieldPath),
    responses((status = 200, description = "All of it.", body = References))
)]
pub fn references() {}

/// List the tags of a field
#[utoipa::path(
    get, path = "/api/custom-objects/{object_identifier}/fields/{field}/tags", tag = "fields",
    operation_id = "custom_objects_fields_tags_list",
    params(FieldPath, PageQuery, OrderingQuery, TagsQuery),
    responses((status = 200, description = "A page of tags.", body = Page<Tag>))
)]
pub fn tags() {}

/// List the tags of a field, by the path of pipelines
#[utoipa::path(
    get, path = "/api/pipelines/{object_identifier}/fields/{field}/tags", tag = "fields",
    operation_id = "pipelines_fields_tags_list",
    params(FieldPath, PageQuery, OrderingQuery, TagsQuery),
    responses((status = 200, description = "A page of tags.", body = Page<Tag>))
)]
pub fn tags_of_pipeline() {}

/// List the tags of a field of contacts
#[utoipa::path(
    get, path = "/api/client/fields/{field}/tags", tag = "fields",
    operation_id = "client_fields_tags_list",
    params(ContactFieldPath, PageQuery, OrderingQuery, TagsQuery),
    responses((status = 200, description = "A page of tags.", body = Page<Tag>))
)]
pub fn tags_of_contacts() {}

/// List the options of a field, or the records that a relationship field may have
#[utoipa::path(
    get, path = "/api/custom-objects/{object_identifier}/fields/{field}/options", tag = "fields",
    operation_id = "custom_objects_fields_options_list",
    params(FieldPath, PageQuery, RelatedQuery),
    responses((status = 200, description = "A page of them.", body = Page<Selectable>))
)]
pub fn options() {}

/// Make an option of a field
#[utoipa::path(
    post, path = "/api/custom-objects/{object_identifier}/fields/{field}/options", tag = "fields",
    operation_id = "custom_objects_fields_options_create",
    params(FieldPath, RunQuery), request_body = NewOption,
    responses((status = 201, description = "The option.", body = FieldOption))
)]
pub fn create_option() {}

/// Rename or reorder an option; records show it at once
#[utoipa::path(
    patch, path = "/api/custom-objects/{object_identifier}/fields/{field}/options/{option}",
    tag = "fields", operation_id = "custom_objects_fields_options_partial_update",
    params(OptionPath, RunQuery), request_body = OptionUpdate,
    responses((status = 200, description = "The option after the change.", body = FieldOption))
)]
pub fn change_option() {}

/// Remove an option; records lose that value
#[utoipa::path(
    delete, path = "/api/custom-objects/{object_identifier}/fields/{field}/options/{option}",
    tag = "fields", operation_id = "custom_objects_fields_options_destroy",
    params(OptionPath, RunQuery),
    responses((status = 204, description = "It is gone."))
)]
pub fn remove_option() {}

/// Remove an option and let another one take its place in all records
#[utoipa::path(
    post,
    path = "/api/custom-objects/{object_identifier}/fields/{field}/options/{option}/replace",
    tag = "fields", operation_id = "custom_objects_fields_options_replace_create",
    params(OptionPath, RunQuery), request_body = Successor,
    responses((status = 200, description = "The one that took its place.", body = FieldOption))
)]
pub fn replace_option() {}
