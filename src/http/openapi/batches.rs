//! Requests with many rows: their route and shapes, as the document of the API describes them.
//!
//! Nothing here is ever called or made: tests hold it against what the server really answers. It
//! must not describe what is not served.

use crate::http::openapi::errors::ErrorItem;
use crate::http::openapi::records::{ArchivedConflict, RestoreConflict, RowWritten};
use crate::http::openapi::shared::ObjectPath;
use crate::http::openapi::upsert_body::{
    Blanks, IdentityConflict, MatchName, SourceVersion, UpsertArchivedMatch, UpsertBody, UpsertMode,
};
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

/// What becomes of rows of one batch that mean the same record.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Duplicates {
    /// Each is applied, one behind the other.
    Fold,
    /// Only the first is applied.
    First,
    /// Only the last is applied.
    Last,
    /// All of them fail with `duplicate_key`.
    Error,
}

/// Which results a stream tells.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ResultsWanted {
    All,
    /// Those of rows that were not carried out: failed, not found, not applied.
    Errors,
    /// The summary alone.
    None,
}

/// What a row asks for.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RowOperation {
    Upsert,
    Archive,
}

/// What is said for all rows that do not say otherwise. A JSON batch may say it in its body too.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub struct RowsQuery {
    /// What becomes of the record that is found, or not found; `upsert` unless given.
    #[param(inline)]
    pub mode: Option<UpsertMode>,
    /// The caller's own keys: API names of unique fields to look for records by, separated by commas,
    /// the most important first, those of a unique constraint joined by `+`; or in the body, or in a
    /// row. One that is none is `400` of the request.
    pub r#match: Option<String>,
    /// `first` lets the first match key decide where several mean different records.
    #[param(inline)]
    pub on_identity_conflict: Option<IdentityConflict>,
    /// `ignore` passes over null and the empty text, which otherwise clear their fields.
    #[param(inline)]
    pub blank: Option<Blanks>,
    /// Answer `unchanged` instead of `updated` where nothing changed; true unless given.
    pub report_unchanged: Option<bool>,
    /// Show the record in each result.
    pub return_records: Option<bool>,
    /// Answer what would be answered, later rows as if those before them were applied, and write
    /// nothing: with the header `X-Dry-Run`. Keys of rows are not looked at.
    pub dry_run: Option<bool>,
    #[param(inline)]
    pub oncreate_unarchive: Option<UpsertArchivedMatch>,
    #[param(inline)]
    pub onupdate_archived_conflict: Option<ArchivedConflict>,
    #[param(inline)]
    pub on_restore_conflict: Option<RestoreConflict>,
    /// JSON alone: apply all rows or none; `400 batch_aborted` where any fails. At most 1,000 rows.
    pub atomic: Option<bool>,
    /// JSON alone: what becomes of rows that mean the same record; `fold` unless given.
    #[param(inline)]
    pub in_batch_duplicates: Option<Duplicates>,
    /// Streams alone: which results are told; `all` unless given.
    #[param(inline)]
    pub results: Option<ResultsWanted>,
    /// Streams alone: end after so many failed rows.
    #[param(minimum = 1)]
    pub max_errors: Option<u64>,
    /// Streams alone: a name under which the stream can be resumed. Then each row has an `offset`, and
    /// one that was done before answers `already_applied`.
    #[param(min_length = 1, max_length = 128, pattern = "^[A-Za-z0-9._:-]+$")]
    pub stream_id: Option<String>,
    /// Refuse unknown keys and parameters instead of ignoring them.
    pub strict: Option<bool>,
}

/// What an import takes of what streams take.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub struct StreamQuery {
    /// What becomes of the record that is found, or not found; `upsert` unless given.
    #[param(inline)]
    pub mode: Option<UpsertMode>,
    /// The caller's own keys: API names of unique fields to look for records by, separated by commas,
    /// the most important first.
    pub r#match: Option<String>,
    #[param(inline)]
    pub on_identity_conflict: Option<IdentityConflict>,
    /// Answer `unchanged` instead of `updated` where nothing changed; true unless given.
    pub report_unchanged: Option<bool>,
    /// Show the record in each result.
    pub return_records: Option<bool>,
    /// Answer what would be answered, and write nothing: with the header `X-Dry-Run`. Keys of rows are
    /// not looked at.
    pub dry_run: Option<bool>,
    #[param(inline)]
    pub oncreate_unarchive: Option<UpsertArchivedMatch>,
    #[param(inline)]
    pub onupdate_archived_conflict: Option<ArchivedConflict>,
    #[param(inline)]
    pub on_restore_conflict: Option<RestoreConflict>,
    /// Which results are told; `all` unless given.
    #[param(inline)]
    pub results: Option<ResultsWanted>,
    /// End after so many failed rows.
    #[param(minimum = 1)]
    pub max_errors: Option<u64>,
    /// Refuse unknown parameters instead of ignoring them.
    pub strict: Option<bool>,
}

/// A row: an upsert of its own. What it says goes before what is said for all rows.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({"lookup_value": "Acme Corp", "fields": {"account_region": "North"}}))]
pub struct UpsertRow {
    #[serde(flatten)]
    pub upsert: UpsertBody,
    /// `archive` archives a live record: `archived` or `not_found`.
    pub op: Option<RowOperation>,
    pub mode: Option<UpsertMode>,
    /// Drawn for this row and sent again with it: however often, it has one effect and one result.
    #[schema(min_length = 1, max_length = 255, pattern = "^[ -~]+$")]
    pub idempotency_key: Option<String>,
    /// The version that the record must have; otherwise the row fails with `precondition_failed`.
    /// With this key a row never creates.
    #[schema(minimum = 1)]
    pub expect_version: Option<u64>,
    /// With `stream_id`: the row's place in the stream, above that of the row before.
    #[schema(minimum = 0, maximum = 9_223_372_036_854_775_806_u64, nullable = false)]
    pub offset: Option<u64>,
}

/// Names of match fields for all rows.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
pub enum MatchNames {
    List(Vec<MatchName>),
    Text(String),
}

/// Rows with what is said for all of them. What the query says goes before.
#[derive(Serialize, ToSchema)]
pub struct Batch {
    #[schema(max_items = 10000)]
    pub records: Vec<UpsertRow>,
    pub atomic: Option<bool>,
    pub mode: Option<UpsertMode>,
    /// Names of fields, in a list as in a row, or separated by commas.
    pub r#match: Option<MatchNames>,
    pub on_identity_conflict: Option<IdentityConflict>,
    pub blank: Option<Blanks>,
    pub report_unchanged: Option<bool>,
    pub return_records: Option<bool>,
    pub dry_run: Option<bool>,
    pub oncreate_unarchive: Option<UpsertArchivedMatch>,
    pub onupdate_archived_conflict: Option<ArchivedConflict>,
    pub on_restore_conflict: Option<RestoreConflict>,
    pub in_batch_duplicates: Option<Duplicates>,
}

/// The body of a batch: rows alone, or beside what is said for all of them.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
pub enum BatchBody {
    Batch(Batch),
    Rows(Vec<UpsertRow>),
}

/// What has become of a row: a closed list.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RowAction {
    Created,
    Updated,
    Unarchived,
    Unchanged,
    Exists,
    NotFound,
    /// The record has a higher version of the row's source: nothing was done.
    Stale,
    SkippedArchived,
    Archived,
    /// Another row with its key stands for it.
    NotApplied,
    /// It was done before: its offset is below that of the stream.
    AlreadyApplied,
    /// See `status`, `code` and `errors`.
    Failed,
}

/// The result of a row. Branch on `action`.
#[derive(Serialize, ToSchema)]
pub struct RowResult {
    /// Its place among the rows of the request, from 0.
    pub index: u64,
    #[schema(required = true)]
    pub client_ref: Option<String>,
    /// Of a row of a stream that can be resumed.
    #[schema(nullable = false)]
    pub offset: Option<u64>,
    #[schema(inline)]
    pub action: RowAction,
    /// Null where the row has met no record, and in a dry run of one that would be made.
    #[schema(required = true)]
    pub id: Option<Uuid>,
    /// The record's version after the row.
    #[schema(nullable = false)]
    pub version: Option<u64>,
    /// API names of the fields whose value is another one now, in the order of the fields.
    #[schema(nullable = false)]
    pub changed_fields: Option<Vec<String>>,
    /// With `stale`: the version of the source that the record keeps.
    #[schema(nullable = false)]
    pub source_version: Option<SourceVersion>,
    /// With `return_records`: as a single upsert answers it.
    #[schema(nullable = false)]
    pub record: Option<RowWritten>,
    /// True where the row was carried out before, under its `idempotency_key`: the result is that of
    /// then.
    #[schema(nullable = false)]
    pub replayed: Option<bool>,
    /// Of a failed row: what a single upsert would be answered; so are the next ones.
    #[schema(nullable = false)]
    pub status: Option<u16>,
    #[schema(nullable = false)]
    pub code: Option<String>,
    #[schema(nullable = false)]
    pub detail: Option<String>,
    #[schema(nullable = false)]
    pub errors: Option<Vec<ErrorItem>>,
    #[schema(nullable = false)]
    pub conflict: Option<Value>,
    /// With `precondition_failed`: the record's version, null if there is no live one.
    pub current_version: Option<u64>,
    /// Of an import: the line of the body in which the row begins, from 1.
    #[schema(nullable = false)]
    pub line: Option<u64>,
}

/// The answer to a batch, also where rows have failed.
#[derive(Serialize, ToSchema)]
pub struct BatchAnswer {
    /// Rows of the request.
    pub count: u64,
    /// Rows by action: `created`, `updated`, `unarchived`, `unchanged` and `failed` always, others
    /// where they occurred.
    pub counts: BTreeMap<String, u64>,
    pub dry_run: bool,
    /// The same in the history of every record that the request has changed.
    pub batch_id: Uuid,
    /// One for each row, in their order.
    pub results: Vec<RowResult>,
}

/// How a stream has ended.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum StreamState {
    Completed,
    CompletedWithErrors,
    /// `code` says why. What was told before is durable.
    Aborted,
}

/// What a stream came to.
#[derive(Serialize, ToSchema)]
pub struct StreamSummary {
    pub count: u64,
    pub counts: BTreeMap<String, u64>,
    pub dry_run: bool,
    pub batch_id: Uuid,
    pub state: StreamState,
    #[schema(nullable = false)]
    pub code: Option<String>,
    /// Of an import: columns that were passed over: the id, and what nobody can write.
    #[schema(nullable = false)]
    pub ignored_columns: Option<Vec<String>>,
}

/// What is said for all rows of an import, beside what any stream takes.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ImportQuery {
    /// CSV: what stands between cells: `,` unless given, `;` or a tab, also spelled `tab`.
    #[param(inline)]
    pub delimiter: Option<Delimiter>,
    /// Pass over columns that are no fields; otherwise `400 does_not_exist` before the first row, and
    /// of lines of JSON the row fails.
    pub ignore_unknown: Option<bool>,
    /// `clear` lets blank cells clear their fields, which otherwise they leave alone; `#N/A` always
    /// clears.
    #[param(inline)]
    pub blank: Option<Blanks>,
}

/// What stands between cells.
#[derive(Serialize, ToSchema)]
pub enum Delimiter {
    #[serde(rename = ",")]
    Comma,
    #[serde(rename = ";")]
    Semicolon,
    #[serde(rename = "tab")]
    Tab,
}

/// A row that names its columns, or a line of an export. Values stand by API name, id or label of their
/// field, in the row itself or in `fields`.
#[derive(Serialize, ToSchema)]
#[schema(example = json!({"name": "Acme Corp", "account_region": "North"}))]
pub struct ImportRow {
    /// The caller's own key; a row without it is looked for by the value of its identifier.
    #[schema(min_length = 1, max_length = 255)]
    pub lookup_value: Option<String>,
    #[schema(nullable = false)]
    pub fields: Option<BTreeMap<String, Value>>,
}

/// The last line of a stream. Where it is missing the stream broke off; every result that was
/// received is durable.
#[derive(Serialize, ToSchema)]
pub struct StreamEnd {
    pub summary: StreamSummary,
}

/// A line of a stream's answer.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
pub enum StreamLine {
    Row(Box<RowResult>),
    End(StreamEnd),
}

/// Create or update (upsert) many records
///
/// Each row is an upsert of its own, carried out in the order of the rows: a matching key means
/// update in place, never a second record; an archived match is 409 unless `oncreate_unarchive` is
/// given; rows that mean the same record are folded. A row that fails is told in its result, and
/// neither changes the status nor another row. Every result that was received is durable and
/// visible to every reader.
///
/// JSON takes at most 10,000 rows and answers when all of them are done. NDJSON takes any number, a
/// row a line, also compressed with gzip or zstd, and answers each as soon as it is durable: read
/// while you send, since the server stops taking rows in while nobody reads its results.
#[utoipa::path(
    post, path = "/api/records/{object_identifier}/bulk-upsert", tag = "records",
    operation_id = "records_bulk_upsert_create",
    params(ObjectPath, RowsQuery),
    request_body(content(
        (BatchBody = "application/json"),
        (UpsertRow = "application/x-ndjson"),
    )),
    responses((
        status = 200, description = "What has become of each row: see its `action`.",
        content((BatchAnswer = "application/json"), (StreamLine = "application/x-ndjson")),
    ))
)]
pub fn bulk_upsert() {}

/// A row of names, then a row for each record, by RFC 4180.
#[derive(ToSchema)]
#[schema(value_type = String, format = Binary)]
pub struct CsvTable(pub Vec<u8>);

/// Create or update (upsert) records from a table
///
/// Each row is an upsert of its own, as in a stream. CSV is UTF-8 by RFC 4180 with a row of names
/// first: API names, ids or labels of fields; `map.<column>=<field>` says which field a column is,
/// and with an empty value that it is passed over. A column must be `lookup_value` or the identifier,
/// unless `match` says otherwise. Several values stand between `|`. Lines of JSON name their columns
/// themselves. What an export gives can be read back: the id and what nobody can write is passed over.
#[utoipa::path(
    post, path = "/api/records/{object_identifier}/import", tag = "records",
    operation_id = "records_import_create",
    params(ObjectPath, ImportQuery, StreamQuery),
    request_body(content((CsvTable = "text/csv"), (ImportRow = "application/x-ndjson"))),
    responses((
        status = 200, description = "What has become of each row: see its `action`.",
        content((StreamLine = "application/x-ndjson")),
    ))
)]
pub fn import() {}
/// Which stream.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
pub struct StreamPath {
    /// Id or API name of the object.
    pub object_identifier: String,
    /// The name that the stream was sent under, by this member.
    pub stream_id: String,
}

/// How far a stream has come.
#[derive(Serialize, ToSchema)]
pub struct StreamProgress {
    pub stream_id: String,
    /// Go on here: rows with smaller offsets are done.
    pub next_offset: u64,
    /// Rows by action, over all requests of the stream. Those that changed nothing are counted when
    /// their request ends.
    pub counts: BTreeMap<String, u64>,
    /// When it was used last.
    #[schema(format = DateTime)]
    pub updated: String,
}

/// Read where a stream goes on
///
/// After a stream that was sent with `stream_id` has broken, send it again from `next_offset` on;
/// from an earlier row on does no harm. Kept for seven days after its last use.
#[utoipa::path(
    get, path = "/api/records/{object_identifier}/streams/{stream_id}", tag = "records",
    operation_id = "records_streams_retrieve",
    params(StreamPath),
    responses((status = 200, description = "How far it has come.", body = StreamProgress))
)]
pub fn stream() {}

/// Forget a stream
///
/// Its name begins anew. Records stay as they are.
#[utoipa::path(
    delete, path = "/api/records/{object_identifier}/streams/{stream_id}", tag = "records",
    operation_id = "records_streams_destroy",
    params(StreamPath),
    responses((status = 204, description = "It is forgotten."))
)]
pub fn forget_stream() {}
