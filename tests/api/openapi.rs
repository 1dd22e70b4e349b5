//! The document of the API: valid, complete as far as routes exist, and served with its page.

use crate::support::{Fixture, Request, text};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// The official schema of documents, <https://spec.openapis.org/oas/3.1/schema/2022-10-07>, by the
/// OpenAPI Initiative under the Apache License 2.0.
const OFFICIAL_SCHEMA: &str = include_str!("../fixtures/openapi-3.1.schema.json");

const UPSERT: &str = "/api/records/{object_identifier}/upsert";

fn without_credentials(path: &str) -> Request {
    ["X-API-KEY", "X-BUSINESS-ID", "X-USER-ID"]
        .iter()
        .fold(Request::new("GET", path), |request, name| request.without(name))
}

fn document() -> Value {
    Fixture::new().send(&without_credentials("/api/openapi.json")).expect(200)
}

/// All operations, with path and method.
fn operations(document: &Value) -> impl Iterator<Item = (&str, &str, &Value)> {
    let paths = document["paths"].as_object().expect("a document has paths");
    paths.iter().flat_map(|(path, item)| {
        let methods = item.as_object().expect("a path has methods");
        methods.iter().map(move |(method, operation)| (&**path, &**method, operation))
    })
}

/// What a reference of the document leads to; anything else as it is.
fn resolved<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    let Some(reference) = value["$ref"].as_str() else { return value };
    let pointer = reference.strip_prefix('#').expect("references stay in the document");
    document.pointer(pointer).unwrap_or_else(|| panic!("{reference} leads nowhere"))
}

#[test]
fn the_document_is_valid_by_the_official_schema() {
    let document = document();
    let schema: Value = serde_json::from_str(OFFICIAL_SCHEMA).expect("the schema is JSON");
    let validator = jsonschema::validator_for(&schema).expect("the schema is one");
    let faults: Vec<String> =
        validator.iter_errors(&document).map(|error| error.to_string()).collect();
    assert!(faults.is_empty(), "{faults:#?}");
    // It leaves the schemas inside to another one.
    let schemas = document["components"]["schemas"].as_object().expect("there are schemas");
    for (name, schema) in schemas {
        assert!(jsonschema::meta::is_valid(schema), "{name}: {schema}");
    }
    assert_eq!(document["openapi"], "3.1.0");
    assert_eq!(document["info"]["title"], "upsertd");
    assert_eq!(document["info"]["version"], env!("CARGO_PKG_VERSION"));
}

#[test]
fn an_unsound_document_is_not_valid() {
    let schema: Value = serde_json::from_str(OFFICIAL_SCHEMA).expect("the schema is JSON");
    let validator = jsonschema::validator_for(&schema).expect("the schema is one");
    let mut document = document();
    let responses = &mut document["paths"][UPSERT]["post"]["responses"];
    responses["200"].as_object_mut().expect("it is described").remove("description");
    assert!(!validator.is_valid(&document), "a response without description passes");
}

#[test]
fn references_lead_somewhere_and_operation_ids_are_unique() {
    let document = document();
    let mut rest = vec![&document];
    while let Some(value) = rest.pop() {
        resolved(&document, value);
        rest.extend(value.as_array().into_iter().flatten());
        rest.extend(value.as_object().into_iter().flat_map(|map| map.values()));
    }
    let mut ids = BTreeSet::new();
    for (path, method, operation) in operations(&document) {
        let id = text(operation, "operationId");
        assert!(ids.insert(id), "{id} stands twice");
        let summary = text(operation, "summary");
        assert!(!summary.is_empty() && !operation["tags"].is_null(), "{method} {path}");
    }
}

/// A part of the rubric for create-or-update, what it scores, and whether the document has it.
/// What the API promises beyond the rubric scores nothing, and is not to be lost either.
type Point = (&'static str, u32, bool);

/// What a document scores that has all of it: an action in the body 14, a key of the caller's own
/// 10, an operation with a name 8, the rule of duplicates 4. Halves are those of the single upsert
/// and of the one in bulk, or of the key's two places.
const FULL_SCORE: u32 = 14 + 10 + 8 + 4;

/// What the rubric asks of the upsert, read off the document as its readers do.
fn points(document: &Value) -> Vec<Point> {
    let upsert = &document["paths"][UPSERT]["post"];
    let prose = format!("{} {}", upsert["summary"], upsert["description"]);
    let body = resolved(document, &upsert["requestBody"]["content"]["application/json"]["schema"]);
    let required = |schema: &Value, name: &str| {
        let names = schema["required"].as_array().cloned().unwrap_or_default();
        names.contains(&json!(name))
    };
    let parameters = upsert["parameters"].as_array().cloned().unwrap_or_default();
    let parameter = |name: &str, place: &str| {
        parameters.iter().any(|found| found["name"] == name && found["in"] == place)
    };
    let responses = upsert["responses"].as_object().expect("it has responses");
    let good: Vec<&Value> =
        responses.iter().filter(|(status, _)| status.starts_with('2')).map(|(_, it)| it).collect();
    let is_closed = |response: &&Value| {
        let schema = resolved(document, &response["content"]["application/json"]["schema"]);
        let actions = schema["properties"]["action"]["enum"].as_array().cloned();
        let actions = actions.unwrap_or_default();
        required(schema, "action")
            && ["created", "updated", "unarchived"].iter().all(|it| actions.contains(&json!(it)))
    };
    let refusals = ["400", "401", "403", "404", "409", "412", "413", "415", "503"];
    let has_codes = |status: &&str| {
        let response = resolved(document, &responses[*status]);
        let schema = resolved(document, &response["content"]["application/json"]["schema"]);
        schema["allOf"][1]["properties"]["code"]["enum"].as_array().is_some_and(|it| !it.is_empty())
    };
    let bulk = &document["paths"]["/api/records/{object_identifier}/bulk-upsert"]["post"];
    let bulk_answer = &bulk["responses"]["200"]["content"]["application/json"]["schema"];
    let row = &resolved(document, bulk_answer)["properties"]["results"]["items"];
    let row = json!({"content": {"application/json": {"schema": row}}});
    let starts = |operation: &Value| {
        operation["summary"].as_str().is_some_and(|it| it.starts_with("Create or update (upsert)"))
    };
    let is_named = upsert["operationId"] == "records_upsert_create" && starts(upsert);
    let is_bulk_named = bulk["operationId"] == "records_bulk_upsert_create" && starts(bulk);
    let own_key = text(&body["properties"]["lookup_value"], "description").contains("own key");
    let has_match = body["properties"]["match"].is_object();
    let words = ["update in place", "never a second record", "409 unless"];
    vec![
        ("the upsert has a name", 4, is_named),
        ("the bulk upsert has a name", 4, is_bulk_named),
        ("every good answer says what happened", 7, !good.is_empty() && good.iter().all(is_closed)),
        ("every row of a bulk upsert says what happened", 7, is_closed(&&row)),
        ("lookup_value is the caller's own key", 5, own_key),
        ("match chooses the field", 5, parameter("match", "query") && has_match),
        ("the rule of duplicates is told", 4, words.iter().all(|words| prose.contains(words))),
        ("retries are told", 0, prose.contains("Retry after 503")),
        ("Idempotency-Key is taken", 0, parameter("Idempotency-Key", "header")),
        ("If-Match is taken", 0, parameter("If-Match", "header")),
        ("If-None-Match is taken", 0, parameter("If-None-Match", "header")),
        ("an ETag is given", 0, !responses["200"]["headers"]["ETag"].is_null()),
        ("every refusal names its codes", 0, refusals.iter().all(has_codes)),
    ]
}

#[test]
fn the_rubric_is_met() {
    let document = document();
    let points = points(&document);
    let lacking: Vec<&Point> = points.iter().filter(|(_, _, is_met)| !is_met).collect();
    assert!(lacking.is_empty(), "{lacking:?}");
    assert_eq!(points.iter().map(|(_, score, _)| score).sum::<u32>(), FULL_SCORE);
}

#[test]
fn all_three_headers_are_asked_for_together() {
    let document = document();
    let together = json!([{"apiKey": [], "businessId": [], "userId": []}]);
    assert_eq!(document["security"], together);
    let schemes = &document["components"]["securitySchemes"];
    for (scheme, header) in [
        ("apiKey", "X-API-KEY"),
        ("businessId", "X-BUSINESS-ID"),
        ("userId", "X-USER-ID"),
        ("operatorKey", "X-OPERATOR-KEY"),
    ] {
        let found = (&schemes[scheme]["type"], &schemes[scheme]["in"], &schemes[scheme]["name"]);
        assert_eq!(found, (&json!("apiKey"), &json!("header"), &json!(header)));
    }
    for (path, _, operation) in operations(&document) {
        let own = &operation["security"];
        let expected = match path {
            _ if path.starts_with("/api/admin/") => json!([{"operatorKey": []}]),
            "/healthz" | "/readyz" | "/metrics" | "/api/openapi.json" => json!([{}]),
            _ => Value::Null,
        };
        assert_eq!(*own, expected, "{path}");
    }
}

#[test]
fn the_document_has_the_names_that_other_clients_ask_for() {
    let mut fixture = Fixture::new();
    let document = fixture.send(&without_credentials("/api/openapi.json")).expect(200);
    for alias in ["/api/docs/schema", "/api/docs/public/schema"] {
        assert_eq!(fixture.send(&without_credentials(alias)).expect(200), document, "{alias}");
    }
}
