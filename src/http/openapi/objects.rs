//! Objects: their routes and shapes, as the document of the API describes them.
//!
//! Nothing here is ever called or made: tests hold it against what the server really answers. It
//! must not describe what is not served.
#![expect(clippy::struct_excessive_bools, reason = "each is a flag of its own in the API")]

use crate::http::openapi::fields::Field;
use crate::http::openapi::pipelines::{NewPipeline, Stage};
use crate::http::openapi::shared::{
    Access, MemberValue, ObjectPath, OrderingQuery, PageQuery, always_null,
};
use crate::http::openapi::words::IdentifierCase;
use serde::Serialize;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

/// Which objects.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ObjectsQuery {
    /// Leave the contact object out; true unless given.
    pub custom_only: Option<bool>,
    pub name: Option<String>,
    pub object_name: Option<String>,
    #[param(inline)]
    pub object_type: Option<ObjectType>,
    pub is_custom: Option<bool>,
    pub default_on_activities: Option<bool>,
    pub allow_relations: Option<bool>,
    pub search: Option<String>,
}

/// What kind of object it is.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ObjectType {
    Standard,
    Pipeline,
}

/// The body that makes an object.
#[derive(Serialize, ToSchema)]
pub struct NewObject {
    /// The label of many.
    #[schema(min_length = 1, max_length = 200)]
    pub object_name: String,
    /// The label of one; as `object_name` if left out.
    #[schema(min_length = 1, max_length = 200)]
    pub entity_name: Option<String>,
    pub object_type: Option<ObjectType>,
    /// Of a pipeline, which must have it.
    pub pipeline: Option<NewPipeline>,
    /// API name; derived from the label if left out.
    #[schema(max_length = 100, pattern = "^[a-zA-Z0-9]([a-zA-Z0-9_-]*[a-zA-Z0-9])?$")]
    pub name: Option<String>,
    #[schema(max_length = 500)]
    pub description: Option<String>,
    #[schema(max_length = 200)]
    pub default_color: Option<String>,
    #[schema(max_length = 200)]
    pub default_icon: Option<String>,
    pub identifier_case: Option<IdentifierCase>,
    pub has_commerce_data: Option<bool>,
    pub default_on_activities: Option<bool>,
    pub track_entity_value: Option<bool>,
    pub include_percentage_to_close: Option<bool>,
    pub allow_on_forms: Option<bool>,
    #[schema(value_type = Option<Object>)]
    pub meta: Option<Map<String, Value>>,
    /// Fields, by name or id, whose values no two live records may have together: two or more in
    /// each list. Of a new object these are default fields, for it has no others.
    #[schema(max_items = 20)]
    pub unique_constraints: Option<Vec<Vec<String>>>,
}

/// The body that changes an object; what it does not name stays.
#[derive(Serialize, ToSchema)]
pub struct ObjectUpdate {
    #[schema(min_length = 1, max_length = 200, nullable = false)]
    pub object_name: Option<String>,
    #[schema(min_length = 1, max_length = 200)]
    pub entity_name: Option<String>,
    #[schema(max_length = 500)]
    pub description: Option<String>,
    #[schema(max_length = 200)]
    pub default_color: Option<String>,
    #[schema(max_length = 200)]
    pub default_icon: Option<String>,
    pub has_commerce_data: Option<bool>,
    pub default_on_activities: Option<bool>,
    pub track_entity_value: Option<bool>,
    pub include_percentage_to_close: Option<bool>,
    pub allow_on_forms: Option<bool>,
    #[schema(value_type = Option<Object>)]
    pub meta: Option<Map<String, Value>>,
    /// It cannot be changed, as the next; its own value is taken.
    pub object_type: Option<ObjectType>,
    pub name: Option<String>,
    /// Refused where names would no longer differ. It cannot be changed of contacts.
    pub identifier_case: Option<IdentifierCase>,
    /// Fields, by name or id, whose values no two live records may have together: two or more in
    /// each list. The whole new list; what is missing is no longer asked for.
    #[schema(max_items = 20)]
    pub unique_constraints: Option<Vec<Vec<String>>>,
}

/// A category of fields.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
pub struct CategoryPath {
    /// Id or API name of the object.
    pub object_identifier: String,
    /// Id of the category.
    pub category: Uuid,
}

/// The body that makes a category.
#[derive(Serialize, ToSchema)]
pub struct NewCategory {
    #[schema(min_length = 1, max_length = 200)]
    pub name: String,
    /// Last if left out.
    pub order: Option<i32>,
    #[schema(value_type = Option<Object>)]
    pub meta: Option<Map<String, Value>>,
}

/// The body that changes a category; what it does not name stays.
#[derive(Serialize, ToSchema)]
pub struct CategoryUpdate {
    #[schema(min_length = 1, max_length = 200, nullable = false)]
    pub name: Option<String>,
    pub order: Option<i32>,
    #[schema(value_type = Option<Object>)]
    pub meta: Option<Map<String, Value>>,
}

/// A category of fields.
#[derive(Serialize, ToSchema)]
pub struct Category {
    pub id: Uuid,
    pub name: String,
    pub order: i32,
    #[schema(value_type = Object)]
    pub meta: Map<String, Value>,
}

/// An object as lists show it.
#[derive(Serialize, ToSchema)]
pub struct ObjectRow {
    pub id: Uuid,
    /// API name.
    pub name: String,
    pub object_name: String,
    pub entity_name: String,
    pub object_type: ObjectType,
    pub description: String,
    pub is_custom: bool,
    pub allow_relations: bool,
    pub has_commerce_data: bool,
    pub default_on_activities: bool,
    pub track_entity_value: bool,
    pub include_percentage_to_close: bool,
    pub use_ai_to_update_percentage: bool,
    pub ai_confidence_threshold: String,
    pub allow_on_forms: bool,
    pub default_color: String,
    pub default_icon: String,
}

/// What the caller may do with the list of objects.
#[derive(Serialize, ToSchema)]
pub struct ListAccess {
    pub edit: bool,
}

/// A page of objects.
#[derive(Serialize, ToSchema)]
pub struct ObjectPage {
    pub count: u64,
    #[schema(required = true)]
    pub next: Option<String>,
    #[schema(required = true)]
    pub previous: Option<String>,
    pub results: Vec<ObjectRow>,
    #[schema(required = true, schema_with = always_null)]
    pub errors: (),
    pub access: ListAccess,
}

/// What the caller may do with records of an object.
#[derive(Serialize, ToSchema)]
pub struct EntityAccess {
    pub view: bool,
    pub edit: bool,
    pub remove: bool,
    pub create: bool,
}

/// A field where it is only named.
#[derive(Serialize, ToSchema)]
pub struct FieldName {
    pub id: Uuid,
    pub name: String,
}

/// Which field names the records, and how names match.
#[derive(Serialize, ToSchema)]
pub struct Identifier {
    pub field: FieldName,
    pub case: IdentifierCase,
}

/// An object.
#[derive(Serialize, ToSchema)]
pub struct ObjectShown {
    #[serde(flatten)]
    pub row: ObjectRow,
    #[serde(flatten)]
    pub rest: ObjectRest,
}

/// The contact object.
#[derive(Serialize, ToSchema)]
pub struct ContactObject {
    #[serde(flatten)]
    pub row: ObjectRow,
    #[serde(flatten)]
    pub rest: ObjectRest,
    /// By API name.
    pub undeletable_fields: BTreeMap<String, Field>,
}

/// What an object shows beyond its row in a list.
#[derive(Serialize, ToSchema)]
pub struct ObjectRest {
    pub rollup_related_leadsources: bool,
    pub association_source: String,
    pub fetch_url: String,
    #[schema(required = true)]
    pub owner: Option<MemberValue>,
    #[schema(format = DateTime)]
    pub created: String,
    #[schema(value_type = Object)]
    pub meta: Map<String, Value>,
    /// Live ones.
    pub number_of_records: u64,
    pub access: Access,
    pub entity_access: EntityAccess,
    pub fields: Vec<Field>,
    /// Of pipelines.
    #[schema(nullable = false)]
    pub stages: Option<Vec<Stage>>,
    pub identifier: Identifier,
    /// API names of fields whose values no two live records have together.
    pub unique_constraints: Vec<Vec<String>>,
}

/// List objects
#[utoipa::path(
    get, path = "/api/custom-objects", tag = "objects", operation_id = "custom_objects_list",
    params(PageQuery, OrderingQuery, ObjectsQuery),
    responses((status = 200, description = "A page of objects.", body = ObjectPage))
)]
pub fn list() {}

/// Make an object
#[utoipa::path(
    post, path = "/api/custom-objects", tag = "objects", operation_id = "custom_objects_create",
    request_body = NewObject,
    responses((status = 201, description = "The object.", body = ObjectShown))
)]
pub fn create() {}

/// Read an object
#[utoipa::path(
    get, path = "/api/custom-objects/{object_identifier}", tag = "objects",
    operation_id = "custom_objects_retrieve",
    params(ObjectPath),
    responses((status = 200, description = "The object.", body = ObjectShown))
)]
pub fn retrieve() {}

/// Read an object, by the path that other clients use
#[utoipa::path(
    get, path = "/api/custom-objects/{object_identifier}/detail", tag = "objects",
    operation_id = "custom_objects_detail_retrieve",
    params(ObjectPath),
    responses((status = 200, description = "The object.", body = ObjectShown))
)]
pub fn detail() {}

/// List the categories of an object's fields
#[utoipa::path(
    get, path = "/api/custom-objects/{object_identifier}/categories", tag = "objects",
    operation_id = "custom_objects_categories_list",
    params(ObjectPath),
    responses((status = 200, description = "All of them.", body = Vec<Category>))
)]
pub fn categories() {}

/// Change an object
///
/// A new unique constraint is `400 constraint_violated` while live records break it.
#[utoipa::path(
    patch, path = "/api/custom-objects/{object_identifier}", tag = "objects",
    operation_id = "custom_objects_partial_update",
    params(ObjectPath), request_body = ObjectUpdate,
    responses((status = 200, description = "The object after the change.", body = ObjectShown))
)]
pub fn partial_update() {}

/// Change an object; what is not named stays here too
///
/// A new unique constraint is `400 constraint_violated` while live records break it.
#[utoipa::path(
    put, path = "/api/custom-objects/{object_identifier}", tag = "objects",
    operation_id = "custom_objects_update",
    params(ObjectPath), request_body = ObjectUpdate,
    responses((status = 200, description = "The object after the change.", body = ObjectShown))
)]
pub fn update() {}

/// Archive an object of which no live record is left
///
/// Nothing of it is found any more, and its API name is free. The contact object stays: 405.
#[utoipa::path(
    delete, path = "/api/custom-objects/{object_identifier}", tag = "objects",
    operation_id = "custom_objects_destroy",
    params(ObjectPath),
    responses((status = 204, description = "It is archived."))
)]
pub fn destroy() {}

/// Make a category of an object's fields
#[utoipa::path(
    post, path = "/api/custom-objects/{object_identifier}/categories", tag = "objects",
    operation_id = "custom_objects_categories_create",
    params(ObjectPath), request_body = NewCategory,
    responses((status = 201, description = "The category.", body = Category))
)]
pub fn create_category() {}

/// Change a category of an object's fields
#[utoipa::path(
    patch, path = "/api/custom-objects/{object_identifier}/categories/{category}",
    tag = "objects", operation_id = "custom_objects_categories_partial_update",
    params(CategoryPath), request_body = CategoryUpdate,
    responses((status = 200, description = "The category after the change.", body = Category))
)]
pub fn change_category() {}

/// Delete a category, whose fields go to the first that is left
#[utoipa::path(
    delete, path = "/api/custom-objects/{object_identifier}/categories/{category}",
    tag = "objects", operation_id = "custom_objects_categories_destroy",
    params(CategoryPath),
    responses((status = 204, description = "It is gone."))
)]
pub fn remove_category() {}

/// Read the contact object
#[utoipa::path(
    get, path = "/api/client/custom-object", tag = "objects",
    operation_id = "client_custom_object_retrieve",
    responses((status = 200, description = "The object.", body = ContactObject))
)]
pub fn contacts() {}
