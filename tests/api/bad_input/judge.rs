//! What every refusal must look like, whatever it refuses.

use crate::api::bad_input::route::Route;
use crate::support::Answer;
use serde_json::{Value, json};

/// The closed list of codes, by status.
const CODES: &[(u16, &[&str])] = &[
    (
        400,
        &[
            "parse_error",
            "invalid",
            "required",
            "blank",
            "null",
            "max_length",
            "min_value",
            "max_value",
            "max_digits",
            "max_decimal_places",
            "invalid_choice",
            "does_not_exist",
            "unique",
            "duplicate_field",
            "invalid_identifier",
            "immutable",
            "not_deletable",
            "not_archived",
            "unknown_parameter",
            "unsupported_filter",
            "limit_exceeded",
            "max_fields_exceeded",
            "max_objects_exceeded",
            "custom_object_archive_blocked",
            "constraint_violated",
            "batch_aborted",
        ],
    ),
    (401, &["not_authenticated", "authentication_failed"]),
    (403, &["permission_required", "forbidden_field_write"]),
    (404, &["not_found"]),
    (405, &["method_not_allowed"]),
    (409, &["conflict"]),
    (412, &["precondition_failed"]),
    (413, &["payload_exceeded"]),
    (415, &["unsupported_media_type"]),
];

/// Checks the one body of all errors and gives it.
#[track_caller]
pub(super) fn refusal(answer: &Answer, route: &Route) -> Value {
    let codes = CODES.iter().find(|(status, _)| *status == answer.status);
    let (status, codes) = codes.unwrap_or_else(|| panic!("this is no refusal: {answer}"));
    assert_eq!(answer.header("Content-Type"), Some("application/json"), "{answer}");
    let body = answer.json();
    let code = body["code"].as_str().unwrap_or_else(|| panic!("no code: {answer}"));
    assert!(codes.contains(&code), "{code} is none of the codes of {status}: {answer}");
    assert!(body["detail"].as_str().is_some_and(|detail| !detail.is_empty()), "{answer}");
    let request_id = answer.header("X-Request-ID");
    assert!(request_id.is_some() && body["request_id"].as_str() == request_id, "{answer}");
    let lists_errors =
        matches!(status, 400 | 412) || ["conflict", "forbidden_field_write"].contains(&code);
    match body.get("errors") {
        Some(errors) => check_errors(answer, &body, errors),
        None => assert!(!lists_errors, "no errors are listed: {answer}"),
    }
    assert_eq!(body.get("errors").is_some(), lists_errors, "{answer}");
    let challenges = answer.header("WWW-Authenticate") == Some("ApiKey realm=\"upsertd\"");
    assert_eq!(*status == 401, challenges, "{answer}");
    if route.writes_record {
        check_record_forms(answer, &body);
    }
    body
}

fn check_errors(answer: &Answer, body: &Value, errors: &Value) {
    let errors = errors.as_array().expect("errors are a list");
    assert!(!errors.is_empty(), "{answer}");
    let all_codes: Vec<&str> = CODES.iter().flat_map(|(_, codes)| codes.iter().copied()).collect();
    for error in errors {
        let code = error["code"].as_str().unwrap_or_else(|| panic!("no code: {answer}"));
        assert!(all_codes.contains(&code), "{code} is no code: {answer}");
        assert!(error["message"].as_str().is_some_and(|text| !text.is_empty()), "{answer}");
        assert_eq!(error["retryable"], false, "{answer}");
        if let Some(parameter) = error.get("parameter") {
            assert!(parameter.is_string(), "{answer}");
            assert!(error.get("field").is_none(), "{answer}");
        }
    }
    let first = &errors[0]["code"];
    let same = errors.iter().all(|error| error["code"] == *first);
    let code = if same || answer.status != 400 { first.clone() } else { json!("invalid") };
    assert_eq!(body["code"], code, "{answer}");
}

/// The forms of writes of records: positional `fields`, and what is meant for the whole.
fn check_record_forms(answer: &Answer, body: &Value) {
    if ![400, 403, 409].contains(&answer.status) {
        return;
    }
    assert!(body["non_field_errors"].is_array(), "{answer}");
    assert!(body["fields"].is_array() || body["fields"].is_object(), "{answer}");
}

/// What a refusal says is wrong: the codes with the names of what they blame.
pub(super) fn faults(body: &Value) -> Vec<(String, String)> {
    let errors = body["errors"].as_array().map(Vec::as_slice).unwrap_or_default();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let fault = |error: &Value| {
        let place = error.get("parameter").or_else(|| error.get("field"));
        (text(&error["code"]), place.map_or_else(String::new, text))
    };
    errors.iter().map(fault).collect()
}

/// Checks that the one fault is this one, and that its message stands in the older form too.
#[track_caller]
pub(super) fn only_fault(answer: &Answer, route: &Route, code: &str, place: &str) {
    let body = refusal(answer, route);
    assert_eq!(faults(&body), [(code.to_owned(), place.to_owned())], "{answer}");
    assert_eq!(answer.status, 400, "{answer}");
}

/// The body without what no two answers share.
pub(super) fn without_request_id(answer: &Answer) -> String {
    let mut body = answer.json();
    body.as_object_mut().map(|body| body.remove("request_id"));
    format!("{} {body}", answer.status)
}
