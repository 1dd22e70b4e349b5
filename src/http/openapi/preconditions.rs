//! `If-Match` and `If-None-Match`, as the document of the API describes them.
//!
//! It must not describe what a route does besides.

use crate::http::extension::{IF_MATCH, IF_NONE_MATCH};
use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::path::{Operation, Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{ObjectBuilder, SchemaType, Type};
use utoipa::openapi::{OpenApi, RefOr, Required, ResponseBuilder};

/// Writes of one record.
const WRITES: [&str; 6] = [
    "records_upsert_create",
    "records_partial_update",
    "records_update",
    "records_destroy",
    "records_unarchive_partial_update",
    "records_move_partial_update",
];

/// The one that may ask for no record too.
const UPSERT: &str = "records_upsert_create";

/// Reads of one record.
const READS: [&str; 2] = ["records_lookup_retrieve", "records_retrieve"];

/// Entity tags between commas, or any.
const TAGS: &str = r#"^(\*|(W/)?"[!#-~]*"(, ?(W/)?"[!#-~]*")*)$"#;
const ANY: &str = r"^\*$";

const AT_VERSION: &str = "The `ETag` that the record had when it was read: only the version in it \
    counts, and `\"3\"` will do. `*`: there must be a live record. Otherwise \
    `412 precondition_failed`, and nothing is done: read it again. It is asked in the same step as \
    the write.";
const OF_UPSERT: &str = "With this header an upsert never creates.";
const NO_RECORD: &str = "`*`: create only; a live match is `412 precondition_failed`. Not together \
    with `If-Match`.";
const NOT_AGAIN: &str = "The `ETag` of an answer that the client still has, several between commas, \
    or `*`: where the record would be shown alike the answer is 304.";
const NOT_MODIFIED: &str = "The record is as `If-None-Match` says; there is no body.";

/// Gives every operation on one record what it may ask of it.
pub(super) fn add_preconditions(document: &mut OpenApi) {
    for item in document.paths.paths.values_mut() {
        let methods =
            [&mut item.get, &mut item.post, &mut item.put, &mut item.patch, &mut item.delete];
        for operation in methods.into_iter().flatten() {
            add_to(operation);
        }
    }
}

fn add_to(operation: &mut Operation) {
    let id = operation.operation_id.as_deref().unwrap_or_default();
    let (is_write, is_upsert) = (WRITES.contains(&id), id == UPSERT);
    if READS.contains(&id) {
        let not_modified = ResponseBuilder::new().description(NOT_MODIFIED);
        let etag = HeaderBuilder::new().schema(Some(text())).description(Some(ETAG)).build();
        let not_modified = not_modified.header("ETag", etag).build();
        operation.responses.responses.insert("304".to_owned(), RefOr::T(not_modified));
        add(operation, header(IF_NONE_MATCH, NOT_AGAIN, TAGS));
    }
    if is_upsert {
        add(operation, header(IF_MATCH, &format!("{AT_VERSION} {OF_UPSERT}"), TAGS));
        add(operation, header(IF_NONE_MATCH, NO_RECORD, ANY));
    } else if is_write {
        add(operation, header(IF_MATCH, AT_VERSION, TAGS));
    }
}

const ETAG: &str = "Names the record's state.";

/// Whether an operation can be told that the record is in another state.
pub(super) fn has_precondition(operation: &Operation) -> bool {
    operation.operation_id.as_deref().is_some_and(|id| WRITES.contains(&id))
}

fn add(operation: &mut Operation, parameter: Parameter) {
    operation.parameters.get_or_insert_default().push(RefOr::T(parameter));
}

fn header(name: &str, description: &str, pattern: &str) -> Parameter {
    ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Header)
        .required(Required::False)
        .description(Some(description))
        .schema(Some(text().pattern(Some(pattern))))
        .build()
}

fn text() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(SchemaType::Type(Type::String))
}
