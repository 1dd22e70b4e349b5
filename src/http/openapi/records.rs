//! Records: their routes and shapes, as the document of the API describes them.
//!
//! Nothing here is ever called or made: tests hold it against what the server really answers. It
//! must not describe what is not served.

use crate::http::openapi::batches::RowAction;
use crate::http::openapi::objects::ObjectType;
use crate::http::openapi::relations::ValueSummary;
use crate::http::openapi::shared::{Access, ObjectPath, Page, PageQuery, whole_number};
use crate::http::openapi::upsert_body::{SourceVersion, UpsertBody, UpsertQuery};
use crate::http::openapi::words::FieldType;
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

/// A record's id.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
pub struct RecordPath {
    /// Id or API name of the object.
    pub object_identifier: String,
    /// Id of the record.
    pub entity_id: Uuid,
}

/// A record's id and a member's.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
pub struct RecordMemberPath {
    /// Id or API name of the object.
    pub object_identifier: String,
    /// Id of the record.
    pub entity_id: Uuid,
    /// Id of the member.
    pub member_id: Uuid,
}

/// What writes of one record take besides their body.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub struct WriteQuery {
    /// Answer every visible field that has a value, not only the fields that were written.
    pub return_all_fields: Option<bool>,
    /// Refuse unknown body keys and parameters instead of ignoring them.
    pub strict: Option<bool>,
}

/// What a restored record does with a unique value that is taken.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RestoreConflict {
    Clear,
}

/// What may restore a record.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub struct RestoreQuery {
    /// `clear` restores a record without those unique values that a live one has taken.
    #[param(inline)]
    pub on_restore_conflict: Option<RestoreConflict>,
}

/// What `PUT` takes more than `PATCH`.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ReplaceQuery {
    /// Clear every writable field that is not mentioned, but the identifier and required ones.
    pub replace: Option<bool>,
}

/// Which fields a read shows.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub struct FieldsQuery {
    /// Ids of the fields to show, separated by commas.
    pub field_ids: Option<String>,
    /// API names of the fields to show, separated by commas; unknown ones are left out.
    pub field_names: Option<String>,
    /// Show every visible field.
    pub all_fields: Option<bool>,
}

/// What a look-up takes.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub struct LookupQuery {
    /// The value to look for: the record's name, a contact's e-mail, or a value of the field `by`.
    pub identifier: String,
    /// API name of another unique field to look in.
    pub by: Option<String>,
    /// Ask for the exact spelling.
    pub match_case: Option<bool>,
}

/// What a read by id takes.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub struct RetrieveQuery {
    /// Show the record although it is archived.
    pub include_archived: Option<bool>,
    /// Show hidden fields too.
    pub include_hidden_fields: Option<bool>,
    /// Show the record as of this version, if that is kept.
    #[param(schema_with = whole_number)]
    pub version: Option<u64>,
}

/// Whether a write is only answered.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub struct DryRunQuery {
    /// Write nothing, and answer what would be answered; ids and times may differ.
    pub dry_run: Option<bool>,
}

/// What deleting takes.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub struct DestroyQuery {
    /// Erase an archived record for good; administrators only.
    pub purge: Option<bool>,
}

/// One field of a write, named by `name` or `id`. Exactly one of `value`, or `add_values` and
/// `remove_values`.
#[derive(Serialize, ToSchema)]
pub struct FieldEntry {
    /// API name of the field.
    pub name: Option<String>,
    /// Id of the field.
    pub id: Option<Uuid>,
    /// The new value, in the form of the field's type; null clears.
    pub value: Option<Value>,
    /// Values to add to a field that holds several.
    pub add_values: Option<Vec<Value>>,
    /// Values to take from a field that holds several.
    pub remove_values: Option<Vec<Value>>,
}

/// The fields of a write: a list of entries, or an object from API name or id to value.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
pub enum FieldsInput {
    List(Vec<FieldEntry>),
    Named(BTreeMap<String, Value>),
}

/// What becomes of an archived record that has the identifier. Null and absent mean `prompt`.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ArchivedMatch {
    /// Write nothing and answer 409 with the choices.
    Prompt,
    /// Restore it, then apply the fields.
    Unarchive,
    /// Free its identifier and create a new record.
    Overwrite,
}

/// What becomes of an archived record whose identifier this record is to take. Null and absent:
/// answer 409.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ArchivedConflict {
    /// Free its identifier.
    Overwrite,
}

/// The body that creates a record.
#[derive(Serialize, ToSchema)]
pub struct AddBody {
    /// At least the identifier; for contacts any field.
    pub fields: FieldsInput,
    pub unarchive: Option<ArchivedMatch>,
}

/// The body that changes a record.
#[derive(Serialize, ToSchema)]
pub struct UpdateBody {
    #[schema(nullable = false)]
    pub fields: Option<FieldsInput>,
    pub archived_conflict: Option<ArchivedConflict>,
}

/// The body that restores a record.
#[derive(Serialize, ToSchema)]
pub struct UnarchiveBody {
    /// Restore it under this identifier.
    #[schema(min_length = 1, max_length = 255)]
    pub identifier: Option<String>,
}

/// A field of a record.
#[derive(Serialize, ToSchema)]
pub struct FieldValue {
    pub id: Uuid,
    /// API name.
    pub name: String,
    pub display_name: String,
    pub field_type: FieldType,
    /// In the form of the field's type; null if this very request has cleared it. Absent where
    /// there is a summary.
    pub value: Option<Value>,
    /// Of a relationship field with more than 100 values.
    pub value_summary: Option<ValueSummary>,
}

/// What a contact's answer repeats beside its fields.
#[derive(Serialize, ToSchema)]
pub struct ClientInfo {
    pub first_name: String,
    pub last_name: String,
    pub full_name: String,
    pub email: String,
}

/// A member where it is only named.
#[derive(Serialize, ToSchema)]
pub struct MemberName {
    pub id: Uuid,
    pub display_name: String,
}

/// A record as it is read.
#[derive(Serialize, ToSchema)]
pub struct RecordRead {
    pub id: Uuid,
    pub object_type: ObjectType,
    /// The identifier; a contact's first and last name.
    pub name: String,
    pub display_name: String,
    /// By field id. A field without a value is absent.
    pub fields: BTreeMap<String, FieldValue>,
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
    /// From 1; rises by one with each change.
    pub version: u64,
    /// Archived records only.
    #[schema(format = DateTime)]
    pub archived_at: Option<String>,
    /// Archived records only; null if the member is gone.
    pub archived_by: Option<MemberName>,
}

/// What happened: a closed list.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    Created,
    Updated,
    Unarchived,
    Unchanged,
}

/// What an upsert came to: a closed list. The last four only where they were asked for.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum UpsertAction {
    Created,
    Updated,
    Unarchived,
    Unchanged,
    Exists,
    Stale,
    SkippedArchived,
}

/// A record as a write leaves it, with what the answer says besides.
macro_rules! written {
    ($(#[$about:meta])* $name:ident { $($besides:tt)* }) => {
        $(#[$about])*
        #[derive(Serialize, ToSchema)]
        pub struct $name {
            $($besides)*
            /// Null where a dry run would create the record.
            #[schema(required = true)]
            pub id: Option<Uuid>,
            /// Nothing was written.
            #[schema(nullable = false)]
            pub dry_run: Option<bool>,
            pub object_type: ObjectType,
            /// The identifier; a contact's first and last name.
            pub name: String,
            pub display_name: String,
            /// By field id: the fields that were written, those that were filled in, and `updated`.
            pub fields: BTreeMap<String, FieldValue>,
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
            /// From 1; rises by one with each change.
            pub version: u64,
        }
    };
}

written! {
    /// A record as a write leaves it. Branch on `action`, never on the status.
    RecordWritten {
        #[schema(inline)]
        pub action: Action,
    }
}

written! {
    /// A record as an upsert leaves it. Branch on `action`, never on the status.
    UpsertWritten {
        #[schema(inline)]
        pub action: UpsertAction,
        /// With `changed_fields`: API names of the fields whose value is another one now.
        #[schema(nullable = false)]
        pub changed_fields: Option<Vec<String>>,
        /// As the request gave it.
        #[schema(nullable = false)]
        pub client_ref: Option<String>,
        /// With `stale`: the version of the source that is kept, an integer or a time.
        pub source_version: Option<SourceVersion>,
        /// An archived record that was left alone; so is the next one.
        #[schema(format = DateTime, nullable = false)]
        pub archived_at: Option<String>,
        /// Null if the member is gone.
        pub archived_by: Option<MemberName>,
    }
}

written! {
    /// A record as a row of many leaves it.
    RowWritten {
        #[schema(inline)]
        pub action: RowAction,
        /// Of an archived record; so is the next one.
        #[schema(format = DateTime, nullable = false)]
        pub archived_at: Option<String>,
        /// Null if the member is gone.
        pub archived_by: Option<MemberName>,
    }
}

/// A member of a record's team.
#[derive(Serialize, ToSchema)]
pub struct TeamMember {
    pub id: Uuid,
    pub display_name: String,
    pub email: String,
    /// Why: `owner`, `field:<name>`, `explicit`.
    pub sources: Vec<String>,
}

/// Create or update (upsert) the record that `lookup_value` or `match` names
///
/// A matching key means update in place: there is never a second record, also not between
/// concurrent upserts of one key, of which exactly one creates. Only the fields that are given
/// change. An archived match is 409 unless `oncreate_unarchive` says what becomes of it. The answer
/// means that the change is durable and visible to every reader.
///
/// Repeating an upsert is safe: it finds what the first one made, and changes nothing where nothing
/// differs. Retry after 503; `outcome_unknown` means that it happened or not, so repeat it. A 400,
/// 403, 404 or 409 stays what it is until the request or the data changes.
#[utoipa::path(
    post, path = "/api/records/{object_identifier}/upsert", tag = "records",
    operation_id = "records_upsert_create",
    params(ObjectPath, WriteQuery, RestoreQuery, UpsertQuery, DryRunQuery),
    request_body = UpsertBody,
    responses((
        status = 200, description = "Created, updated, unarchived or left alone: see `action`.",
        body = UpsertWritten,
        headers(
            ("ETag" = String, description = "Names the record's state."),
            ("X-Upsert-Action" = String, description = "As `action` in the body."),
        ),
    ))
)]
pub fn upsert() {}

/// Create a record
///
/// A live record with the identifier is `400 unique`, an archived one 409 unless `unarchive` says
/// what becomes of it.
#[utoipa::path(
    post, path = "/api/records/{object_identifier}/add", tag = "records",
    operation_id = "records_add_create",
    params(ObjectPath, WriteQuery, RestoreQuery, DryRunQuery),
    request_body = AddBody,
    responses((
        status = 201, description = "Created or unarchived: see `action`.", body = RecordWritten,
        headers(("ETag" = String, description = "Names the record's state.")),
    ))
)]
pub fn add() {}

/// Read a record by its identifier or another unique field
#[utoipa::path(
    get, path = "/api/records/{object_identifier}/lookup", tag = "records",
    operation_id = "records_lookup_retrieve",
    params(ObjectPath, LookupQuery, FieldsQuery),
    responses((
        status = 200, description = "The record.", body = RecordRead,
        headers(("ETag" = String, description = "Names the record's state.")),
    ))
)]
pub fn lookup() {}

/// Read a record
#[utoipa::path(
    get, path = "/api/records/{object_identifier}/{entity_id}", tag = "records",
    operation_id = "records_retrieve",
    params(RecordPath, FieldsQuery, RetrieveQuery),
    responses((
        status = 200, description = "The record.", body = RecordRead,
        headers(("ETag" = String, description = "Names the record's state.")),
    ))
)]
pub fn retrieve() {}

/// Change the fields of a record that are given
#[utoipa::path(
    patch, path = "/api/records/{object_identifier}/{entity_id}", tag = "records",
    operation_id = "records_partial_update",
    params(RecordPath, WriteQuery, DryRunQuery),
    request_body = UpdateBody,
    responses((
        status = 200, description = "The record after the change.", body = RecordWritten,
        headers(("ETag" = String, description = "Names the record's state.")),
    ))
)]
pub fn partial_update() {}

/// Change the fields of a record that are given, or all with `replace`
#[utoipa::path(
    put, path = "/api/records/{object_identifier}/{entity_id}", tag = "records",
    operation_id = "records_update",
    params(RecordPath, WriteQuery, ReplaceQuery, DryRunQuery),
    request_body = UpdateBody,
    responses((
        status = 200, description = "The record after the change.", body = RecordWritten,
        headers(("ETag" = String, description = "Names the record's state.")),
    ))
)]
pub fn update() {}

/// Archive a record, or purge an archived one
#[utoipa::path(
    delete, path = "/api/records/{object_identifier}/{entity_id}", tag = "records",
    operation_id = "records_destroy",
    params(RecordPath, DestroyQuery, DryRunQuery),
    responses((status = 204, description = "Archived or purged."))
)]
pub fn destroy() {}

/// Restore an archived record; a live one stays as it is
#[utoipa::path(
    patch, path = "/api/records/{object_identifier}/{entity_id}/unarchive", tag = "records",
    operation_id = "records_unarchive_partial_update",
    params(RecordPath, WriteQuery, RestoreQuery),
    request_body = Option<UnarchiveBody>,
    responses((
        status = 200, description = "The live record.", body = RecordWritten,
        headers(("ETag" = String, description = "Names the record's state.")),
    ))
)]
pub fn unarchive() {}

/// List the active members associated with a record
#[utoipa::path(
    get, path = "/api/records/{object_identifier}/{entity_id}/team-members", tag = "records",
    operation_id = "records_team_members_list",
    params(RecordPath, PageQuery),
    responses((status = 200, description = "A page of members.", body = Page<TeamMember>))
)]
pub fn team_members_list() {}

/// Put a member on a record
#[utoipa::path(
    put, path = "/api/records/{object_identifier}/{entity_id}/team-members/{member_id}",
    tag = "records", operation_id = "records_team_members_update",
    params(RecordMemberPath),
    responses((status = 204, description = "The member is on the record."))
)]
pub fn team_members_update() {}

/// Take a member off a record who was put on it
#[utoipa::path(
    delete, path = "/api/records/{object_identifier}/{entity_id}/team-members/{member_id}",
    tag = "records", operation_id = "records_team_members_destroy",
    params(RecordMemberPath),
    responses((status = 204, description = "The member is not on it, or for other reasons."))
)]
pub fn team_members_destroy() {}
