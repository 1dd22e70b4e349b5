//! The document against the routes that are registered.

use crate::http::endpoint::{keyed, registered};
use crate::http::openapi::{ALIASES, PATH, document};
use crate::http::options::AnswerOptions;
use crate::http::test_support::{TestServer, options};
use actix_web::http::StatusCode;
use actix_web::test::TestRequest;
use serde_json::Value;
use std::collections::BTreeSet;

/// Routes that the document leaves out: the document by other names and as a page, and the methods
/// of a field whose name is the word of another route.
fn is_left_out(method: &str, path: &str) -> bool {
    let is_field_named_search = path == "/api/custom-objects/{object_identifier}/fields/search";
    matches!(method, "HEAD" | "OPTIONS")
        || ALIASES.contains(&path)
        || ["/api/docs", "/api/docs/{file}"].contains(&path)
        || (is_field_named_search && method != "POST")
}

fn described(answers: &AnswerOptions) -> Value {
    serde_json::from_str(&document(answers).to_json().unwrap()).unwrap()
}

#[actix_web::test]
async fn the_document_has_every_route_that_is_served_and_no_other() {
    let server = TestServer::start().await;
    server.get("/healthz").await.expect(200);
    let offered: BTreeSet<(String, String)> =
        registered().into_iter().filter(|(method, path)| !is_left_out(method, path)).collect();
    let document = described(&options().answers);
    let paths = document["paths"].as_object().unwrap();
    let in_document: BTreeSet<(String, String)> = paths
        .iter()
        .flat_map(|(path, item)| {
            let methods = item.as_object().unwrap().keys();
            methods.map(|method| (method.to_uppercase(), path.clone()))
        })
        .collect();
    let lacking: Vec<_> = offered.difference(&in_document).collect();
    let invented: Vec<_> = in_document.difference(&offered).collect();
    assert!(
        lacking.is_empty() && invented.is_empty(),
        "not described: {lacking:?}, not served: {invented:?}"
    );
}

#[actix_web::test]
async fn the_document_gives_a_key_to_every_single_write_and_to_nothing_else() {
    let server = TestServer::start().await;
    server.get("/healthz").await.expect(200);
    let taken: BTreeSet<(String, String)> =
        keyed().into_iter().filter(|(method, path)| !is_left_out(method, path)).collect();
    let document = described(&options().answers);
    let mut described = BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let parameters = operation["parameters"].as_array().cloned().unwrap_or_default();
            if parameters.iter().any(|parameter| parameter["name"] == "Idempotency-Key") {
                described.insert((method.to_uppercase(), path.clone()));
            }
        }
    }
    assert_eq!(described, taken);
    assert!(taken.len() > 40, "{}", taken.len());
}

#[actix_web::test]
async fn an_operator_may_keep_the_document_for_members() {
    for (is_public, status) in [(true, 200), (false, 401)] {
        let server = TestServer::with(|options| options.openapi_public = is_public).await;
        for path in [PATH].into_iter().chain(ALIASES) {
            let stranger = TestRequest::get().uri(path);
            assert_eq!(server.send_as_operator(stranger).await.status, status, "{path}");
            assert_eq!(server.get(path).await.expect(200)["openapi"], "3.1.0", "{path}");
        }
    }
}

#[test]
fn statuses_follow_their_settings() {
    let mut answers = options().answers;
    let statuses = |answers: &AnswerOptions, path: &str| -> Vec<String> {
        let document = described(answers);
        let responses = &document["paths"][path]["post"]["responses"];
        let good = responses.as_object().unwrap().keys().filter(|status| status.starts_with('2'));
        good.cloned().collect()
    };
    let (upsert, add) =
        ("/api/records/{object_identifier}/upsert", "/api/records/{object_identifier}/add");
    assert_eq!(statuses(&answers, upsert), ["200"]);
    assert_eq!(statuses(&answers, add), ["201"]);
    answers.upsert_created = StatusCode::CREATED;
    answers.added = StatusCode::OK;
    answers.archived_conflict = StatusCode::BAD_REQUEST;
    assert_eq!(statuses(&answers, upsert), ["200", "201"]);
    assert_eq!(statuses(&answers, add), ["200"]);
    let document = described(&answers);
    let codes = &document["components"]["schemas"]["Error400"]["allOf"][1]["properties"]["code"];
    assert!(codes["enum"].as_array().unwrap().contains(&"conflict".into()), "{codes}");
}
