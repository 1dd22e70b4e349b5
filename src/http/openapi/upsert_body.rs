//! What an upsert takes, as the document of the API describes it.
//!
//! It must not describe what other writes of records take.

use crate::http::openapi::records::{ArchivedConflict, FieldsInput};
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;
use utoipa::{IntoParams, ToSchema};

/// What an upsert does with the record that it finds, or does not find.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum UpsertMode {
    /// Update a live record, create it where there is none.
    Upsert,
    /// Leave a live record as it is: `exists`.
    Create,
    /// Create and restore nothing: 404 where there is no live record.
    Update,
    /// As `create`, and answer every visible field of a record that exists.
    GetOrCreate,
}

/// What null and the empty text do to a field.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Blanks {
    Clear,
    Ignore,
}

/// What an upsert takes more than other writes.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub struct UpsertQuery {
    /// What becomes of the record that is found, or not found; `upsert` unless given.
    #[param(inline)]
    pub mode: Option<UpsertMode>,
    /// The caller's own keys: API names of unique fields to look for the record by, separated by
    /// commas, the most important first; those of a unique constraint are one key, joined by `+`. Or
    /// in the body.
    pub r#match: Option<String>,
    /// `first` lets the first match key decide where several mean different records.
    #[param(inline)]
    pub on_identity_conflict: Option<IdentityConflict>,
    /// `ignore` passes over null and the empty text, which otherwise clear their fields.
    #[param(inline)]
    pub blank: Option<Blanks>,
    /// Answer `unchanged` instead of `updated` where nothing changed.
    pub report_unchanged: Option<bool>,
    /// Add the names of the fields whose value is another one now.
    pub changed_fields: Option<bool>,
}

/// A version in a source system: of each source always the same kind.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
pub enum SourceVersion {
    Number(u64),
    #[schema(format = DateTime)]
    Time(String),
}

/// A unique field, or several whose values are unique together.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
pub enum MatchName {
    Field(String),
    Fields(Vec<String>),
}

/// What becomes of an upsert whose match keys mean different live records; without it 409.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum IdentityConflict {
    /// The first key decides.
    First,
}

/// What an upsert does about an archived record that has the identifier. Null and absent mean
/// `prompt`.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum UpsertArchivedMatch {
    /// Write nothing and answer 409 with the choices.
    Prompt,
    /// Restore it, then apply the fields.
    Unarchive,
    /// Free its identifier and create a new record.
    Overwrite,
    /// Leave it alone and create nothing.
    Skip,
}

/// The body of an upsert.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({
    "lookup_value": "Acme Corp", "fields": [{"name": "account_region", "value": {"name": "North"}}],
}))]
pub struct UpsertBody {
    /// The caller's own key of the record: its name, for contacts its e-mail. Case, and blanks at
    /// the ends, do not count unless the object says so. A number is taken as text.
    /// Required without `match`; with a single field in `match` it is a value of that.
    #[schema(min_length = 1, max_length = 255)]
    pub lookup_value: Option<String>,
    /// Unique fields to look for the record by, the most important first; or in the query. The first
    /// that has a live record decides.
    #[schema(min_items = 1, max_items = 20)]
    pub r#match: Option<Vec<MatchName>>,
    /// The caller's own keys: values of the match fields by API name or id. What is missing here is
    /// taken from `lookup_value` or the fields.
    pub match_values: Option<BTreeMap<String, Value>>,
    /// Written whatever becomes of the record.
    #[schema(nullable = false)]
    pub fields: Option<FieldsInput>,
    /// Written on a record that is created. A field of `fields` may not stand here too, nor in the
    /// next set.
    #[schema(nullable = false)]
    pub set_on_create: Option<FieldsInput>,
    /// Written on a record that is updated or restored.
    #[schema(nullable = false)]
    pub set_on_update: Option<FieldsInput>,
    /// Written where the field has no value after the other sets.
    #[schema(nullable = false)]
    pub set_if_empty: Option<FieldsInput>,
    pub oncreate_unarchive: Option<UpsertArchivedMatch>,
    pub onupdate_archived_conflict: Option<ArchivedConflict>,
    /// The system that the request comes from; unless given, the origin of the API key.
    #[schema(min_length = 1, max_length = 64)]
    pub source: Option<String>,
    /// The record's version in that system: an integer from 0, or a time. One that is not above the
    /// highest so far changes nothing: `stale`.
    pub source_version: Option<SourceVersion>,
    /// The caller's name for the request: answers and errors repeat it.
    #[schema(max_length = 255)]
    pub client_ref: Option<String>,
}
