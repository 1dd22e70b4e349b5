//! `Idempotency-Key`, as the document of the API describes it: on every single write.
//!
//! It must not describe what a route does besides.

use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::path::{Operation, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{ObjectBuilder, SchemaType, Type};
use utoipa::openapi::{OpenApi, RefOr, Required};

/// Operations by other methods than `GET` that are no single writes: reads, and many writes at
/// once.
const UNKEYED: [&str; 8] = [
    "records_search_create",
    "team_search_create",
    "custom_objects_fields_search_create",
    "activities_responses_create",
    "activities_scheduled_activity_search_create",
    "custom_objects_bulk_archive_entity_record_create",
    "custom_objects_bulk_change_field_value_create",
    "admin_snapshot_create",
];

const KEY: &str = "1 to 255 printable ASCII characters, of this member, method and path. The outcome \
    of a write is kept for a day under its key; the same request is then answered as before, with \
    `Idempotent-Replayed: true`, and changes nothing. Another request with the key is \
    `422 idempotency_key_reuse`; while the first one runs it is `409 idempotency_in_progress`. \
    Refusals are not kept.";

/// Whether an operation by another method than `GET` is a single write.
pub(super) fn is_keyed(operation: &Operation) -> bool {
    !operation.operation_id.as_deref().is_some_and(|id| UNKEYED.contains(&id))
}

/// Gives every single write its parameter, and its good answers the header of a repeated one.
pub(super) fn add_keys(document: &mut OpenApi) {
    for item in document.paths.paths.values_mut() {
        let writes = [&mut item.post, &mut item.put, &mut item.patch, &mut item.delete];
        for operation in writes.into_iter().flatten().filter(|operation| is_keyed(operation)) {
            add_key(operation);
        }
    }
}

fn add_key(operation: &mut Operation) {
    let text = || ObjectBuilder::new().schema_type(SchemaType::Type(Type::String));
    let parameter = ParameterBuilder::new()
        .name("Idempotency-Key")
        .parameter_in(ParameterIn::Header)
        .required(Required::False)
        .description(Some(KEY))
        .schema(Some(text().min_length(Some(1)).max_length(Some(255))))
        .build();
    operation.parameters.get_or_insert_default().push(RefOr::T(parameter));
    let description = "`true`: the answer is that of an earlier request with the same key.";
    for (status, response) in &mut operation.responses.responses {
        if status.starts_with('2')
            && let RefOr::T(response) = response
        {
            let header = HeaderBuilder::new().schema(Some(text()));
            let header = header.description(Some(description)).build();
            response.headers.insert("Idempotent-Replayed".to_owned(), RefOr::T(header));
        }
    }
}
