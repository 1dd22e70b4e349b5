//! The change feed: its routes and shapes, as the document of the API describes them.
//!
//! Nothing here is ever called or made: tests hold it against what the server really answers. It
//! must not describe what is not served.

use crate::http::openapi::records::{RecordPath, RecordRead};
use crate::http::openapi::relations::ObjectName;
use crate::http::openapi::shared::{ObjectPath, PageQuery, always_null};
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;
use utoipa::openapi::Schema;
use utoipa::openapi::schema::{ObjectBuilder, SchemaType, Type};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

/// What became of a record, or that its object is another now: a closed list.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ChangeAction {
    Created,
    Updated,
    Archived,
    Unarchived,
    Purged,
    Schema,
}

/// How much of a record an entry shows.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ChangeInclude {
    Keys,
    Record,
}

/// What a reader of changes asks for.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ChangesQuery {
    /// A cursor, or `now` for what comes from now on; the oldest entry that is kept if left out.
    pub after: Option<String>,
    /// Entries of one answer: 100 if left out, 1000 at most.
    #[param(minimum = 1)]
    pub limit: Option<u64>,
    /// Seconds to wait for something to come; 60 at most.
    #[param(schema_with = seconds)]
    pub wait: Option<u64>,
    /// Origins whose changes are left out, separated by commas.
    pub exclude_origin: Option<String>,
    /// The only origins whose changes are shown, separated by commas.
    pub only_origin: Option<String>,
    /// The only actions that are shown, separated by commas.
    pub actions: Option<String>,
    /// What of a record is shown; `keys` if left out.
    #[param(inline)]
    pub include: Option<ChangeInclude>,
    /// Of several changes of one record in the answer only the last.
    pub compact: Option<bool>,
}

fn seconds() -> Schema {
    let number = ObjectBuilder::new().schema_type(SchemaType::Type(Type::Integer));
    number.minimum(Some(0)).build().into()
}

/// A field or an option where it is only named.
#[derive(Serialize, ToSchema)]
pub struct NamedPart {
    pub id: Uuid,
    pub name: String,
}

/// Who did something.
#[derive(Serialize, ToSchema)]
pub struct Actor {
    pub id: Uuid,
    /// Null if the member is gone.
    #[schema(required = true)]
    pub display_name: Option<String>,
}

/// What a change of a schema is: a closed list.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SchemaChangeName {
    ObjectCreated,
    ObjectUpdated,
    ObjectArchived,
    FieldCreated,
    FieldUpdated,
    FieldDeleted,
    OptionCreated,
    OptionUpdated,
    OptionDeleted,
    OptionReplaced,
    StageRemoved,
    MemberRemoved,
}

/// A member who is gone.
#[derive(Serialize, ToSchema)]
pub struct GoneMember {
    pub id: Uuid,
}

/// A change of the schema; records get no entry by it. What does not apply is left out.
#[derive(Serialize, ToSchema)]
pub struct SchemaChange {
    pub change: SchemaChangeName,
    pub field: Option<NamedPart>,
    pub option: Option<NamedPart>,
    pub replaced_by: Option<NamedPart>,
    pub member: Option<GoneMember>,
}

/// A committed change of a record or of the schema.
#[derive(Serialize, ToSchema)]
pub struct Change {
    /// Goes on behind this entry.
    pub cursor: String,
    /// The number of the change in its object: 1, 2, 3 … without gaps.
    pub seq: u64,
    pub action: ChangeAction,
    pub object: ObjectName,
    /// Of the record; null for a change of the schema, as the next one.
    #[schema(required = true)]
    pub id: Option<Uuid>,
    #[schema(required = true)]
    pub version: Option<u64>,
    /// API names of the fields whose value is another one now.
    pub changed_fields: Vec<String>,
    /// The identifier and unique values, by API name; null for a change of the schema, and once the
    /// record is purged.
    #[schema(required = true)]
    pub keys: Option<BTreeMap<String, Value>>,
    pub origin: String,
    /// Null where the server did it by itself.
    #[schema(required = true)]
    pub actor: Option<Actor>,
    /// Of the request that wrote it.
    pub batch_id: Uuid,
    /// Why a record changed that nobody addressed: `identifier_overwritten`.
    #[schema(required = true)]
    pub reason: Option<String>,
    #[schema(format = DateTime)]
    pub occurred_at: String,
    /// Only with `include=record`: the record as of this entry, null where `keys` is.
    pub record: Option<RecordRead>,
    /// Only of changes of the schema.
    pub schema: Option<SchemaChange>,
}

/// Entries in the order of `seq`, and where to go on.
#[derive(Serialize, ToSchema)]
pub struct ChangesPage {
    pub results: Vec<Change>,
    /// Where the next request goes on, whether there was anything or not.
    pub next_cursor: String,
    /// Whether there is more behind it already.
    pub has_more: bool,
}

/// What became of a record in one version.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum VersionAction {
    Created,
    Updated,
    Archived,
    Unarchived,
}

/// A field whose value is another one since a version. Values are in the form of the field's type,
/// null where there was none.
#[derive(Serialize, ToSchema)]
pub struct ValueChange {
    pub field: NamedPart,
    /// Absent where the version before is not kept.
    pub old: Option<Value>,
    #[schema(required = true)]
    pub new: Option<Value>,
}

/// A version of a record.
#[derive(Serialize, ToSchema)]
pub struct RecordVersion {
    pub version: u64,
    pub action: VersionAction,
    #[schema(format = DateTime)]
    pub occurred_at: String,
    /// Null where the server did it by itself.
    #[schema(required = true)]
    pub actor: Option<Actor>,
    pub origin: String,
    /// Of the request that wrote it.
    pub batch_id: Uuid,
    pub changes: Vec<ValueChange>,
}

/// A page of versions, newest first.
#[derive(Serialize, ToSchema)]
pub struct HistoryPage {
    /// Of all pages together: the versions that are kept.
    pub count: u64,
    #[schema(required = true)]
    pub next: Option<String>,
    #[schema(required = true)]
    pub previous: Option<String>,
    pub results: Vec<RecordVersion>,
    #[schema(required = true, schema_with = always_null)]
    pub errors: (),
    /// Whether there were older ones, which are not kept any more.
    pub truncated: bool,
}

/// Read how a record became what it is
///
/// Kept as far back as the change feed reaches; works for archived records.
#[utoipa::path(
    get, path = "/api/records/{object_identifier}/{entity_id}/history", tag = "records",
    operation_id = "records_history_list",
    params(RecordPath, PageQuery),
    responses((status = 200, description = "A page of versions.", body = HistoryPage))
)]
pub fn history() {}

/// Read what has changed in all objects
///
/// As the changes of one object, in the order in which they became durable; between objects no
/// order is promised. Its cursors are others: neither is taken for the other.
#[utoipa::path(
    get, path = "/api/records/changes", tag = "records",
    operation_id = "records_changes_all_list",
    params(ChangesQuery),
    responses((
        status = 200, description = "Changes.",
        content((ChangesPage = "application/json"), (String = "text/event-stream")),
    ))
)]
pub fn all_changes() {}

/// Read what has changed in an object
///
/// Every committed change exactly once, in order; nothing that a crash could take back. With
/// `Accept: text/event-stream` the entries come as server-sent events: `id` is the cursor, `event`
/// the action, `data` the entry; `Last-Event-ID` resumes and wins over `after`. A page may have
/// fewer entries than `limit`, even none, while `has_more` is true. Only what the caller may read
/// now is shown.
#[utoipa::path(
    get, path = "/api/records/{object_identifier}/changes", tag = "records",
    operation_id = "records_changes_list",
    params(ObjectPath, ChangesQuery),
    responses((
        status = 200, description = "Changes.",
        content((ChangesPage = "application/json"), (String = "text/event-stream")),
    ))
)]
pub fn changes() {}
