//! Every refusal has one body: what it says for which request, and which stage speaks first.

use crate::support::{Fixture, Request, assert_includes, text};
use serde_json::{Value, json};

/// A request and what must stand in the answer.
struct Case {
    name: &'static str,
    request: Request,
    status: u16,
    body: Value,
}

fn case(name: &'static str, request: Request, status: u16, body: Value) -> Case {
    Case { name, request, status, body }
}

fn accounts() -> (Fixture, Value) {
    let mut fixture = Fixture::new();
    fixture.object("accounts");
    fixture.text_field("accounts", "note");
    let email = json!({"field_type": "email", "display_name": "Mail", "name": "mail"});
    fixture.field("accounts", &email);
    let record = fixture.create("accounts", "Acme", &json!({"note": "before"}));
    (fixture, record)
}

fn check(cases: Vec<Case>) {
    let (mut fixture, record) = accounts();
    for Case { name, request, status, body } in cases {
        println!("{name}");
        let answer = fixture.send(&request);
        let actual = answer.expect(status);
        assert_includes(&actual, &body);
        assert!(actual["detail"].as_str().is_some_and(|detail| !detail.is_empty()), "{answer}");
        assert_eq!(actual["request_id"].as_str(), answer.header("X-Request-ID"), "{answer}");
        assert_eq!(answer.header("Content-Type"), Some("application/json"), "{answer}");
        if status == 400 {
            let errors = actual["errors"].as_array().expect("a 400 has errors");
            assert!(!errors.is_empty(), "{answer}");
            check_code(&actual, errors);
        }
    }
    let after = fixture.read("accounts", text(&record, "id")).expect(200);
    assert_eq!(after["version"], 1, "a refused request must write nothing");
    assert_eq!(fixture.client.get("/api/records/accounts").expect(200)["count"], 1);
}

/// The code is that of the first error, unless several codes meet in a 400.
fn check_code(body: &Value, errors: &[Value]) {
    let first = &errors[0]["code"];
    let is_one = errors.iter().all(|error| error["code"] == *first);
    assert_eq!(body["code"], if is_one { first.clone() } else { json!("invalid") }, "{body}");
}

fn upsert(body: &Value) -> Request {
    Request::new("POST", "/api/records/accounts/upsert").json(body)
}

fn upsert_bytes(body: &str) -> Request {
    let request = Request::new("POST", "/api/records/accounts/upsert");
    request.header("Content-Type", "application/json").body(body.as_bytes())
}

#[test]
fn what_is_not_unambiguous_json_is_a_parse_error() {
    let nested = |depth: usize| {
        let value = format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        format!("{{\"lookup_value\":\"x\",\"unknown\":{value}}}")
    };
    let refused = [
        "",
        " ",
        "{",
        "nonsense",
        "{\"lookup_value\":\"x\"} trailing",
        "{\"lookup_value\":'x'}",
        "{\"lookup_value\":\"x\",}",
        "{\"lookup_value\":\"\\ud800\"}",
        "{\"a\":01}",
        "NaN",
        "{\"lookup_value\":\"x\",\"lookup_value\":\"y\"}",
        "{\"lookup_value\":\"x\",\"lookup_v\\u0061lue\":\"x\"}",
        "{\"lookup_value\":\"x\",\"fields\":{\"note\":1,\"note\":1}}",
        "{\"lookup_value\":\"x\",\"unknown\":[{\"a\":1,\"a\":1}]}",
    ];
    let mut cases: Vec<Case> = refused
        .iter()
        .map(|text| case("not JSON", upsert_bytes(text), 400, json!({"code": "parse_error"})))
        .collect();
    cases.push(case("too deep", upsert_bytes(&nested(32)), 400, json!({"code": "parse_error"})));
    let bytes = Request::new("POST", "/api/records/accounts/upsert");
    let bytes = bytes.header("Content-Type", "application/json");
    let bytes = bytes.body(b"{\"lookup_value\":\"\xff\"}");
    cases.push(case("not UTF-8", bytes, 400, json!({"code": "parse_error"})));
    check(cases);

    let (mut fixture, _) = accounts();
    fixture.send(&upsert_bytes(&nested(31))).expect(200);
}

#[test]
fn a_wrong_lookup_value_is_named_as_a_body_key() {
    let wrong = |name, value: Value, code: &str, message: &str| {
        let body = json!({
            "code": code, "lookup_value": [message],
            "errors": [{"code": code, "message": message, "parameter": "lookup_value", "retryable": false}],
        });
        case(name, upsert(&value), 400, body)
    };
    let long = "x".repeat(256);
    check(vec![
        wrong("missing", json!({}), "required", "This field is required."),
        wrong("null", json!({"lookup_value": null}), "null", "This field may not be null."),
        wrong("empty", json!({"lookup_value": ""}), "blank", "This field may not be blank."),
        wrong("blank", json!({"lookup_value": " \t "}), "blank", "This field may not be blank."),
        wrong(
            "too long",
            json!({"lookup_value": long}),
            "max_length",
            "Ensure this field has no more than 255 characters.",
        ),
    ]);
    let invalid = |value: Value| {
        let body = json!({"code": "invalid", "errors": [{"parameter": "lookup_value"}]});
        case("of another type", upsert(&json!({"lookup_value": value})), 400, body)
    };
    check(vec![invalid(json!(true)), invalid(json!([])), invalid(json!({"a": 1}))]);
}

#[test]
fn a_body_that_is_no_object_is_refused() {
    for text in ["[]", "null", "1", "\"text\"", "true"] {
        check(vec![case("not an object", upsert_bytes(text), 400, json!({"code": "invalid"}))]);
    }
}

#[test]
fn faults_of_fields_stand_at_their_positions() {
    let fields = json!([
        {"name": "note", "value": "good"},
        {"name": "mail", "value": "nonsense"},
        {"name": "regin", "value": "x"},
    ]);
    let two = json!({
        "detail": "2 fields are invalid.", "code": "invalid",
        "fields": [{}, {"value": ["Enter a valid email address."]}, {"name": ["Field does not exist."]}],
        "non_field_errors": [],
        "errors": [
            {"code": "invalid", "message": "Enter a valid email address.", "field": "mail", "index": 1, "retryable": false},
            {"code": "does_not_exist", "message": "Field does not exist.", "field": "regin", "index": 2, "retryable": false},
        ],
    });
    let named = json!({"note": "good", "mail": "nonsense", "regin": "x"});
    let by_name = json!({
        "code": "invalid",
        "fields": {"mail": {"value": ["Enter a valid email address."]}, "regin": {"name": ["Field does not exist."]}},
        "non_field_errors": [],
    });
    check(vec![
        case("as a list", upsert(&json!({"lookup_value": "Acme", "fields": fields})), 400, two),
        case(
            "as an object",
            upsert(&json!({"lookup_value": "Acme", "fields": named})),
            400,
            by_name,
        ),
    ]);
}

#[test]
fn a_malformed_fields_entry_is_named() {
    let entry = |name, entry: Value, code: &str| {
        let body =
            json!({"lookup_value": "Acme", "fields": [{"name": "note", "value": "x"}, entry]});
        case(
            name,
            upsert(&body),
            400,
            json!({"code": code, "errors": [{"code": code, "index": 1}]}),
        )
    };
    check(vec![
        entry("without id and name", json!({"value": "x"}), "required"),
        entry("without a value", json!({"name": "mail"}), "required"),
        entry("of an unknown field", json!({"name": "unknown", "value": "x"}), "does_not_exist"),
        entry("of an unknown id", json!({"id": UNKNOWN, "value": "x"}), "does_not_exist"),
        entry("of the same field", json!({"name": "note", "value": "y"}), "duplicate_field"),
        entry(
            "whose id means nothing beside a name",
            json!({"name": "mail", "id": UNKNOWN, "value": "x"}),
            "does_not_exist",
        ),
        entry("that is no object", json!("note"), "invalid"),
        entry("with a list for a text", json!({"name": "mail", "value": ["x"]}), "invalid"),
    ]);
    let fields = |fields: Value| upsert(&json!({"lookup_value": "Acme", "fields": fields}));
    check(vec![
        case("fields is a text", fields(json!("note")), 400, json!({"code": "invalid"})),
        case("fields is a number", fields(json!(1)), 400, json!({"code": "invalid"})),
    ]);
}

const UNKNOWN: &str = "00000000-0000-7000-8000-000000000000";

#[test]
fn a_field_nobody_may_write_is_forbidden() {
    let message = "You cannot write this field.";
    for name in ["created", "updated", "display_name"] {
        let fields = json!([{"name": "note", "value": "x"}, {"name": name, "value": "x"}]);
        let body = json!({
            "detail": message, "code": "forbidden_field_write", "fields": [{}, {"name": [message]}],
            "non_field_errors": [],
            "errors": [{"code": "forbidden_field_write", "message": message, "field": name, "index": 1, "retryable": false}],
        });
        let request = upsert(&json!({"lookup_value": "Acme", "fields": fields}));
        check(vec![case("of the server's own", request, 403, body)]);
    }
}

#[test]
fn a_taken_identifier_names_its_holder() {
    let (mut fixture, record) = accounts();
    let body = json!({"fields": {"name": "ACME"}});
    let refused = fixture.client.post("/api/records/accounts/add", &body);
    let expected = json!({
        "code": "unique",
        "errors": [{"code": "unique", "field": "name", "conflicting_record_id": record["id"], "retryable": false}],
    });
    assert_includes(&refused.expect(400), &expected);
}

#[test]
fn an_unknown_choice_is_quoted() {
    let message = "\"restore\" is not a valid choice.";
    let body = json!({
        "code": "invalid_choice", "oncreate_unarchive": [message],
        "errors": [{"code": "invalid_choice", "message": message, "parameter": "oncreate_unarchive"}],
    });
    let request = json!({"lookup_value": "Acme", "oncreate_unarchive": "restore"});
    check(vec![case("of a mode", upsert(&request), 400, body)]);
}

#[test]
fn add_needs_fields() {
    for body in [json!({}), json!({"fields": []}), json!({"fields": {}})] {
        let request = Request::new("POST", "/api/records/accounts/add").json(&body);
        check(vec![case("add of nothing", request, 400, json!({"code": "required"}))]);
    }
    let request = Request::new("POST", "/api/records/accounts/add");
    let request = request.json(&json!({"fields": {"note": "nameless"}}));
    let expected = json!({"code": "required", "errors": [{"code": "required", "field": "name"}]});
    check(vec![case("add without a name", request, 400, expected)]);
}

#[test]
fn a_body_of_another_media_type_is_refused() {
    let with = |media: &str| {
        let request = Request::new("POST", "/api/records/accounts/upsert");
        request.header("Content-Type", media).body(b"{\"lookup_value\":\"x\"}")
    };
    let refused = json!({"code": "unsupported_media_type"});
    check(vec![
        case("text", with("text/plain"), 415, refused.clone()),
        case("form", with("application/x-www-form-urlencoded"), 415, refused.clone()),
        case(
            "compressed",
            with("application/json").header("Content-Encoding", "gzip"),
            415,
            refused,
        ),
    ]);
    let (mut fixture, _) = accounts();
    fixture.send(&with("application/json; charset=utf-8")).expect(200);
    let silent = Request::new("POST", "/api/records/accounts/upsert");
    fixture.send(&silent.body(b"{\"lookup_value\":\"x\"}")).expect(200);
}

#[test]
fn the_first_stage_that_fails_answers() {
    let stranger = |request: Request| request.header("X-API-KEY", "upd_nobody");
    let broken = || upsert_bytes("{");
    let unknown_object = |body: &str| {
        let request = Request::new("POST", "/api/records/unknown/upsert");
        request.header("Content-Type", "application/json").body(body.as_bytes())
    };
    let authentication = json!({"code": "authentication_failed"});
    check(vec![
        case(
            "identity before route",
            stranger(Request::new("GET", "/api/unknown")),
            401,
            authentication.clone(),
        ),
        case("identity before object", stranger(unknown_object("{}")), 401, authentication.clone()),
        case("identity before syntax", stranger(broken()), 401, authentication),
        case("object before syntax", unknown_object("{"), 404, json!({"code": "not_found"})),
        case(
            "syntax before shape",
            upsert_bytes("{\"fields\":1,}"),
            400,
            json!({"code": "parse_error"}),
        ),
        case(
            "shape before values",
            upsert(&json!({"fields": {"mail": "nonsense"}})),
            400,
            json!({"code": "required", "errors": [{"parameter": "lookup_value"}]}),
        ),
        case(
            "mode before values",
            upsert(
                &json!({"lookup_value": "new", "oncreate_unarchive": "x", "fields": {"mail": "y"}}),
            ),
            400,
            json!({"code": "invalid_choice"}),
        ),
        case(
            "values before uniqueness",
            Request::new("POST", "/api/records/accounts/add")
                .json(&json!({"fields": {"name": "Acme", "mail": "nonsense"}})),
            400,
            json!({"code": "invalid", "errors": [{"field": "mail"}]}),
        ),
    ]);
}

#[test]
fn unknown_names_are_ignored_unless_strict() {
    let (mut fixture, _) = accounts();
    let bodies = [
        json!({"lookup_value": "Acme", "colour": "red"}),
        json!({"lookup_value": "Acme", "fields": [{"name": "note", "value": "n", "colour": "red"}]}),
    ];
    for body in bodies {
        fixture.upsert("accounts", &body).expect(200);
        let strict = "/api/records/accounts/upsert?strict=true";
        let refused = fixture.client.post(strict, &body).expect_error(400, "unknown_parameter");
        assert!(refused.to_string().contains("colour"), "{refused}");
    }
    fixture.client.get("/api/records/accounts?colour=red").expect(200);
    let refused = fixture.client.get("/api/records/accounts?colour=red&strict=1");
    refused.expect_error(400, "unknown_parameter");
    let refused = fixture.client.get("/api/records/accounts?strict=perhaps");
    refused.expect_error(400, "invalid");
}
