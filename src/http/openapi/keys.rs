//! `Idempotency-Key` on every single write, `X-Seq` and `min_seq`, as the document of the API
//! describes them.
//!
//! It must not describe what a route does besides.

use crate::http::identity::Access;
use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::path::{HttpMethod, Operation, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{ObjectBuilder, SchemaType, Type};
use utoipa::openapi::{OpenApi, RefOr, Required};

/// Reads by `POST`.
const READS: [&str; 6] = [
    "records_search_create",
    "records_export_create",
    "team_search_create",
    "custom_objects_fields_search_create",
    "activities_responses_create",
    "activities_scheduled_activity_search_create",
];

/// Many writes at once.
const MANY_WRITES: [&str; 4] = [
    "records_bulk_upsert_create",
    "records_import_create",
    "custom_objects_bulk_archive_entity_record_create",
    "custom_objects_bulk_change_field_value_create",
];

/// Neither reads nor writes what a business has.
const ORDERS: [&str; 1] = ["admin_snapshot_create"];

const KEY: &str = "1 to 255 printable ASCII characters, of this member, method and path. The outcome \
    of a write is kept for a day under its key; the same request is then answered as before, with \
    `Idempotent-Replayed: true`, and changes nothing. Another request with the key is \
    `422 idempotency_key_reuse`; while the first one runs it is `409 idempotency_in_progress`. \
    Refusals are not kept.";

/// Whether an operation by another method than `GET` is a single write.
pub(super) fn is_keyed(operation: &Operation) -> bool {
    let is_one_of = |ids: &[&str]| is_one_of(operation, ids);
    !is_one_of(&READS) && !is_one_of(&MANY_WRITES) && !is_one_of(&ORDERS)
}

fn is_one_of(operation: &Operation, ids: &[&str]) -> bool {
    operation.operation_id.as_deref().is_some_and(|id| ids.contains(&id))
}

/// Whether an operation shows what a business has.
pub(super) fn is_read(path: &str, method: &HttpMethod, operation: &Operation) -> bool {
    let is_get = matches!(method, HttpMethod::Get);
    Access::of_path(path) == Access::Member && (is_get || is_one_of(operation, &READS))
}

/// Gives every operation what it takes and answers of these.
pub(super) fn add_keys(document: &mut OpenApi) {
    for (path, item) in &mut document.paths.paths {
        if let Some(operation) = item.get.as_mut()
            && is_read(path, &HttpMethod::Get, operation)
        {
            add_min_seq(operation);
        }
        let others = [&mut item.post, &mut item.put, &mut item.patch, &mut item.delete];
        for operation in others.into_iter().flatten() {
            if is_one_of(operation, &READS) {
                add_min_seq(operation);
            } else if !is_one_of(operation, &ORDERS) {
                add_header(operation, "X-Seq", X_SEQ);
            }
            if is_keyed(operation) {
                add_key(operation);
            }
        }
    }
}

const X_SEQ: &str = "Names a state that has what was written: for `min_seq` of a read.";
const MIN_SEQ: &str = "The `X-Seq` of an answer: the read shows what was written then. A server \
    that does not have it yet answers `503 behind`.";

fn add_min_seq(operation: &mut Operation) {
    let parameter = ParameterBuilder::new()
        .name("min_seq")
        .parameter_in(ParameterIn::Query)
        .required(Required::False)
        .description(Some(MIN_SEQ))
        .schema(Some(text()))
        .build();
    operation.parameters.get_or_insert_default().push(RefOr::T(parameter));
}

fn text() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(SchemaType::Type(Type::String))
}

fn add_header(operation: &mut Operation, name: &str, description: &str) {
    for (status, response) in &mut operation.responses.responses {
        if status.starts_with('2')
            && let RefOr::T(response) = response
        {
            let header = HeaderBuilder::new().schema(Some(text()));
            let header = header.description(Some(description)).build();
            response.headers.insert(name.to_owned(), RefOr::T(header));
        }
    }
}

fn add_key(operation: &mut Operation) {
    let parameter = ParameterBuilder::new()
        .name("Idempotency-Key")
        .parameter_in(ParameterIn::Header)
        .required(Required::False)
        .description(Some(KEY))
        .schema(Some(
            text().min_length(Some(1)).max_length(Some(255)).pattern(Some("^[!-~]([ -~]*[!-~])?$")),
        ))
        .build();
    operation.parameters.get_or_insert_default().push(RefOr::T(parameter));
    let description = "`true`: the answer is that of an earlier request with the same key.";
    add_header(operation, "Idempotent-Replayed", description);
}
