//! Errors, as the document of the API describes them: one body, and for each status the codes it
//! can carry.
//!
//! The codes come from the closed list that answers are made of, so none can be missing here. It
//! must not know any route by name.

use crate::http::code::Code;
use crate::http::openapi::keys::{is_keyed, is_read};
use crate::http::openapi::preconditions::has_precondition;
use crate::http::options::AnswerOptions;
use actix_web::http::StatusCode;
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeSet;
use utoipa::ToSchema;
use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::path::{HttpMethod, Operation};
use utoipa::openapi::schema::{AllOfBuilder, ObjectBuilder, SchemaType, Type};
use utoipa::openapi::{ContentBuilder, OpenApi, Ref, RefOr, Response, ResponseBuilder, Schema};
use uuid::Uuid;

/// One thing that is wrong.
#[derive(Serialize, ToSchema)]
pub struct ErrorItem {
    pub code: String,
    pub message: String,
    /// API name of the field.
    pub field: Option<String>,
    pub field_id: Option<Uuid>,
    /// Position in the `fields` of the request.
    pub index: Option<u64>,
    /// A key of the body, a query parameter or a header.
    pub parameter: Option<String>,
    /// The record that holds the value which must be unique.
    pub conflicting_record_id: Option<Uuid>,
    /// Whether the very same request may succeed later.
    pub retryable: bool,
}

/// The body of every error. Branch on `code`, never on text.
///
/// Faults at keys of the body stand beside it too, as `{"<key>": ["message"]}`.
#[derive(Serialize, ToSchema)]
pub struct Error {
    pub detail: String,
    pub code: String,
    pub request_id: String,
    /// All faults of the stage that failed: on 400, `403 forbidden_field_write`, 409 and 412.
    pub errors: Option<Vec<ErrorItem>>,
    /// Writes of records: one entry for each of the request's `fields`, empty where it is good.
    pub fields: Option<Value>,
    /// Writes of records.
    pub non_field_errors: Option<Vec<String>>,
    /// On `409 conflict`: what is in the way and what may be chosen.
    pub conflict: Option<Value>,
    /// On `412 precondition_failed`: the version of the record that was found, null if none was.
    pub current_version: Option<u64>,
    /// On `400 constraint_violated`: how many values or records are in the way. On
    /// `400 batch_aborted`: the rows.
    pub count: Option<u64>,
    /// On `410 cursor_expired`: where a full copy is, of each object that the cursor was of.
    pub resync: Option<Vec<String>>,
    /// On `400 constraint_violated`: the first of them, and the records that have them.
    pub violations: Option<Vec<Value>>,
    /// On `400 batch_aborted`: rows by action.
    pub counts: Option<Value>,
    /// On `400 batch_aborted`: what has become of each row.
    pub results: Option<Vec<Value>>,
}

/// The statuses of errors, and when they come.
const STATUSES: [(StatusCode, &str); 15] = [
    (StatusCode::BAD_REQUEST, "The request is wrong; `errors` says where."),
    (StatusCode::UNAUTHORIZED, "The headers that name the caller are missing or wrong."),
    (StatusCode::FORBIDDEN, "The caller may not do this."),
    (StatusCode::NOT_FOUND, "What is addressed is not there, or not for this caller."),
    (StatusCode::METHOD_NOT_ALLOWED, "What is addressed does not take the method; `Allow` does."),
    (StatusCode::NOT_ACCEPTABLE, "No form that is offered is accepted."),
    (
        StatusCode::CONFLICT,
        "An archived record is in the way: repeat the request with one of `conflict.choices`. Or a \
         request with this `Idempotency-Key` is still running: wait a second.",
    ),
    (
        StatusCode::GONE,
        "What follows the cursor is no longer kept, or the cursor is of another history: start \
         again with `resync`.",
    ),
    (
        StatusCode::PRECONDITION_FAILED,
        "The record is in another state than `If-Match` or `If-None-Match` asks for, and nothing was \
         done: `current_version` and `ETag` name that state. Read it, and decide anew.",
    ),
    (StatusCode::PAYLOAD_TOO_LARGE, "The body is too large."),
    (StatusCode::UNSUPPORTED_MEDIA_TYPE, "The body is not JSON."),
    (StatusCode::UNPROCESSABLE_ENTITY, "The `Idempotency-Key` was used for another request."),
    (
        StatusCode::TOO_MANY_REQUESTS,
        "The API key has asked as often as it may; `RateLimit` on every answer tells what is left.",
    ),
    (StatusCode::INTERNAL_SERVER_ERROR, "A bug."),
    (
        StatusCode::SERVICE_UNAVAILABLE,
        "Try again after `Retry-After`. `overloaded`, `read_only` and `behind`: nothing was done; \
         `outcome_unknown`: it happened or not.",
    ),
];

/// Gives every operation the errors it can answer.
pub fn add_errors(document: &mut OpenApi, answers: &AnswerOptions) {
    let components = document.components.get_or_insert_default();
    for (status, description) in STATUSES {
        let (schema, response) = (name(status), response(status, description));
        components.schemas.insert(schema.clone(), RefOr::T(error_of(status, answers)));
        components.responses.insert(schema, RefOr::T(response));
    }
    for (path, item) in &mut document.paths.paths {
        for (method, operation) in [
            (HttpMethod::Get, &mut item.get),
            (HttpMethod::Post, &mut item.post),
            (HttpMethod::Put, &mut item.put),
            (HttpMethod::Patch, &mut item.patch),
            (HttpMethod::Delete, &mut item.delete),
        ] {
            let Some(operation) = operation else { continue };
            for status in statuses_of(path, &method, operation) {
                let reference = RefOr::Ref(Ref::from_response_name(name(status)));
                let responses = &mut operation.responses.responses;
                responses.entry(status.as_str().to_owned()).or_insert(reference);
            }
        }
    }
}

/// What everything else on this path can answer.
fn statuses_of(path: &str, method: &HttpMethod, operation: &Operation) -> Vec<StatusCode> {
    if !path.starts_with("/api/") {
        return Vec::new();
    }
    if operation.operation_id.as_deref() == Some("openapi") {
        // Where the operator wants it so.
        return vec![StatusCode::UNAUTHORIZED];
    }
    let mut statuses = vec![
        StatusCode::BAD_REQUEST,
        StatusCode::UNAUTHORIZED,
        StatusCode::FORBIDDEN,
        StatusCode::NOT_FOUND,
        StatusCode::INTERNAL_SERVER_ERROR,
    ];
    if !path.starts_with("/api/admin/") {
        statuses.push(StatusCode::TOO_MANY_REQUESTS);
    }
    if operation.request_body.is_some() {
        statuses.extend([StatusCode::PAYLOAD_TOO_LARGE, StatusCode::UNSUPPORTED_MEDIA_TYPE]);
    }
    if operation.operation_id.as_deref() == Some("custom_objects_destroy") {
        // The contact object stays.
        statuses.push(StatusCode::METHOD_NOT_ALLOWED);
    }
    let follows = path.ends_with("/changes");
    if follows {
        statuses.push(StatusCode::GONE);
    }
    if follows || path.ends_with("/export") {
        statuses.push(StatusCode::NOT_ACCEPTABLE);
    }
    let writes = !matches!(method, HttpMethod::Get);
    if writes || is_read(path, method, operation) {
        statuses.push(StatusCode::SERVICE_UNAVAILABLE);
    }
    if has_precondition(operation) {
        statuses.push(StatusCode::PRECONDITION_FAILED);
    }
    if writes && is_keyed(operation) {
        statuses.extend([StatusCode::CONFLICT, StatusCode::UNPROCESSABLE_ENTITY]);
    }
    statuses
}

/// The name of the schema and of the response.
fn name(status: StatusCode) -> String {
    format!("Error{}", status.as_u16())
}

/// The body of every error, with the codes of this status.
fn error_of(status: StatusCode, answers: &AnswerOptions) -> Schema {
    let is_moved = |code: Code| code == Code::Conflict && status == answers.archived_conflict;
    let codes: BTreeSet<&str> = Code::ALL
        .iter()
        .filter(|code| code.status() == status || is_moved(**code))
        .map(|code| code.as_str())
        .collect();
    let code = ObjectBuilder::new()
        .schema_type(SchemaType::Type(Type::String))
        .enum_values(Some(codes))
        .build();
    let own = ObjectBuilder::new().property("code", code).required("code").build();
    let all = AllOfBuilder::new().item(Ref::from_schema_name("Error")).item(own).build();
    Schema::AllOf(all)
}

fn response(status: StatusCode, description: &str) -> Response {
    let schema = Ref::from_schema_name(name(status));
    let content = ContentBuilder::new().schema(Some(schema)).build();
    let response =
        ResponseBuilder::new().description(description).content("application/json", content);
    let text = ObjectBuilder::new().schema_type(SchemaType::Type(Type::String)).build();
    let seconds = ObjectBuilder::new().schema_type(SchemaType::Type(Type::Integer)).build();
    let header = |schema, description| {
        HeaderBuilder::new().schema(Some(schema)).description(Some(description)).build()
    };
    match status {
        StatusCode::UNAUTHORIZED => {
            let header = header(text, "How to say who is calling.");
            response.header("WWW-Authenticate", header).build()
        }
        StatusCode::PRECONDITION_FAILED => {
            let header = header(text, "The record's state, if there is one.");
            response.header("ETag", header).build()
        }
        StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS => {
            let header = header(seconds, "Seconds after which a retry may succeed.");
            response.header("Retry-After", header).build()
        }
        _ => response.build(),
    }
}
