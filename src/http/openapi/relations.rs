//! Relationships: their route and shapes, as the document of the API describes them.
//!
//! Nothing here is ever called or made: tests hold it against what the server really answers. It
//! must not describe what is not served.

use crate::http::openapi::fields::FieldOption;
use crate::http::openapi::objects::FieldName;
use crate::http::openapi::shared::{Page, PageQuery};
use crate::http::openapi::words::RelationType;
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

/// A relationship field of a record.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
pub struct FieldValuesPath {
    /// Id of the record.
    pub entity_id: Uuid,
    /// Id of the field, by which the object is found.
    pub field_id: Uuid,
}

/// Which records.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub struct RelatedQuery {
    /// Words; each must occur, in any case, in a record's name; of a contact also in its e-mail and
    /// telephones.
    #[param(max_length = 255)]
    pub search: Option<String>,
}

/// The relation of a field to be.
#[derive(Serialize, ToSchema)]
pub struct NewRelation {
    /// Id or API name of the object on the other side.
    pub related_object: String,
    pub relation_type: RelationType,
    /// Label of the field on the other side; the singular label of this object if left out.
    #[schema(min_length = 1, max_length = 200)]
    pub related_name: Option<String>,
    /// Category of the field on the other side; the first one if left out.
    pub related_category: Option<Uuid>,
}

/// How many records each side may have.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Cardinality {
    OneToOne,
    OneToMany,
    ManyToOne,
    ManyToMany,
}

/// The relation of a field. What is not visible on the other side is null.
#[derive(Serialize, ToSchema)]
pub struct Relation {
    pub related_object: Uuid,
    #[schema(required = true)]
    pub related_category: Option<Uuid>,
    #[schema(required = true)]
    pub related_name: Option<String>,
    pub relation_type: RelationType,
    /// The field on the other side.
    #[schema(required = true)]
    pub related_field: Option<FieldName>,
    /// API name of the object on the other side.
    #[schema(required = true)]
    pub related_object_name: Option<String>,
    #[schema(required = true)]
    pub related_object_object_name: Option<String>,
    #[schema(required = true)]
    pub related_entity_name: Option<String>,
    pub cardinality: Cardinality,
    #[schema(required = true)]
    pub fetch_url: Option<String>,
}

/// An object where it is only named.
#[derive(Serialize, ToSchema)]
pub struct ObjectName {
    pub id: Uuid,
    pub name: String,
}

/// The other side of a relation.
#[derive(Serialize, ToSchema)]
pub struct RelationReference {
    pub object: ObjectName,
    pub field: FieldName,
}

/// What stands for values that are too many to be shown.
#[derive(Serialize, ToSchema)]
pub struct ValueSummary {
    pub count: u64,
}

/// A contact that a record is or may be related to.
#[derive(Serialize, ToSchema)]
pub struct RelatedContact {
    pub id: Uuid,
    pub first_name: String,
    pub last_name: String,
    pub full_name: String,
    pub email: String,
    pub display_name: String,
}

/// A record that another one is or may be related to.
#[derive(Serialize, ToSchema)]
pub struct RelatedRecord {
    pub id: Uuid,
    pub name: String,
    pub display_name: String,
}

/// A record on the other side of a relation, as its object has it.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
pub enum Related {
    Record(RelatedRecord),
    Contact(RelatedContact),
}

/// What a field may hold: an option, or of a relationship a record.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
pub enum Selectable {
    Option(FieldOption),
    Record(RelatedRecord),
    Contact(RelatedContact),
}

/// List all values of a relationship field of a record
#[utoipa::path(
    get, path = "/api/records/{entity_id}/field-values/{field_id}", tag = "records",
    operation_id = "records_field_values_list",
    params(FieldValuesPath, PageQuery, RelatedQuery),
    responses((status = 200, description = "A page of records.", body = Page<Related>))
)]
pub fn field_values() {}
