//! The list and the search of records: their routes and shapes, as the document of the API
//! describes them.
//!
//! Nothing here is ever called or made: tests hold it against what the server really answers. It
//! must not describe what is not served.

use crate::http::openapi::records::RecordRead;
use crate::http::openapi::shared::{ObjectPath, OrderingQuery, Page, PageQuery};
use serde::Serialize;
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};

/// Which records are found.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Archived {
    Exclude,
    Include,
    Only,
}

/// What a list and a search take; of a search the body may give it too, and the query wins.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub struct SearchQuery {
    /// Words; each must occur, in any case, in one of the searched fields.
    #[param(max_length = 255)]
    pub search: Option<String>,
    /// Whether archived records are found; `exclude` if left out.
    #[param(inline)]
    pub archived: Option<Archived>,
    /// Empty starts; `next` then carries the cursor. Not together with `page`.
    pub cursor: Option<String>,
    /// Ids of the fields to show, separated by commas.
    pub field_ids: Option<String>,
    /// API names of the fields to show, separated by commas; unknown ones are left out.
    pub field_names: Option<String>,
}

/// What a condition is about.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ConditionType {
    Fields,
    FieldsV2,
    /// Contacts only.
    Tags,
    ScheduledActivities,
    /// A filter on the records that a relationship field leads to.
    RelatedObject,
}

/// Tells whose the field is; both find it.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ConditionSubtype {
    Custom,
    NonCustom,
}

/// What one field, the tags, or the scheduled activities of a record must be like.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({"field": "region", "condition": "is_any_of", "value": ["North"]}))]
pub struct SearchCondition {
    /// The caller's; kept by nobody.
    pub id: Option<Value>,
    /// `fields` if left out.
    pub r#type: Option<ConditionType>,
    pub subtype: Option<ConditionSubtype>,
    /// API name or id of the field, where the condition is about one.
    #[schema(min_length = 1, max_length = 200, nullable = false)]
    pub field: Option<String>,
    /// A word that the type of the field knows, as `=`, `contains`, `between`, `is_any_of`, `has`
    /// or `is_blank`. Of related objects `has` if left out; everywhere else it must be there.
    #[schema(min_length = 1, max_length = 200, nullable = false)]
    pub condition: Option<String>,
    /// What is compared with, in the form that the condition takes.
    pub value: Option<Value>,
    /// The tags, where the condition is about the tags.
    pub ids: Option<Vec<Value>>,
    /// Where the condition is about related objects: whether all groups must be met, or one.
    pub and: Option<bool>,
    /// Where the condition is about related objects: what one of them must be like.
    #[schema(no_recursion)]
    pub query: Option<Vec<Group>>,
}

/// Conditions and groups, combined. One with nothing in it asks for nothing.
#[derive(Serialize, ToSchema)]
pub struct Group {
    /// The caller's; kept by nobody.
    pub id: Option<Value>,
    /// Whether all must be met, or one of them; true if left out.
    pub and: Option<bool>,
    pub filters: Option<Vec<SearchCondition>>,
    /// Groups are 5 deep at most.
    #[schema(no_recursion)]
    pub query: Option<Vec<Group>>,
}

/// Texts, or one text with commas between them.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
pub enum Texts {
    List(Vec<String>),
    Joined(String),
}

/// The body of a search. Nothing of it is required, nor the body itself.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({"query": [{"and": false, "filters": [
    {"field": "region", "condition": "is_any_of", "value": ["North"]},
    {"field": "seats", "condition": "between", "value": [10, 50]},
]}]}))]
pub struct SearchBody {
    /// Groups of conditions, at most 200 of them in all.
    pub query: Option<Vec<Group>>,
    /// How the groups are combined; true if left out.
    pub and: Option<bool>,
    pub page: Option<u64>,
    pub page_size: Option<u64>,
    /// Empty starts. Not together with `page`.
    pub cursor: Option<String>,
    /// Up to three fields; `-` in front means descending.
    pub ordering: Option<Texts>,
    #[schema(max_length = 255)]
    pub search: Option<String>,
    /// Ids of the fields to look for the words in.
    pub search_within_field_ids: Option<Texts>,
    /// API names of the fields to look for the words in.
    pub search_within_field_names: Option<Texts>,
    pub archived: Option<Archived>,
    /// Ids of the fields to show.
    pub field_ids: Option<Texts>,
    /// API names of the fields to show; unknown ones are left out.
    pub field_names: Option<Texts>,
}

/// List the records of an object in the order of their creation, or another
///
/// A cursor stays good while others write, and after a restart.
#[utoipa::path(
    get, path = "/api/records/{object_identifier}", tag = "records",
    operation_id = "records_list",
    params(ObjectPath, PageQuery, OrderingQuery, SearchQuery),
    responses((status = 200, description = "A page of records.", body = Page<RecordRead>))
)]
pub fn list() {}

/// Search the records of an object
///
/// Finds every write that was acknowledged before it began. An empty body finds all.
#[utoipa::path(
    post, path = "/api/records/{object_identifier}/search", tag = "records",
    operation_id = "records_search_create",
    params(ObjectPath, PageQuery, OrderingQuery, SearchQuery),
    request_body = Option<SearchBody>,
    responses((status = 200, description = "A page of records.", body = Page<RecordRead>))
)]
pub fn search() {}
