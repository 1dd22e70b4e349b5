//! What is wrong with a write is said in the forms of the contract, all of it at once.

use super::{ACCOUNTS, CONTACT, World, raw};
use crate::http::test_support::UNKNOWN_ID;
use actix_web::test::TestRequest;
use serde_json::{Value, json};

/// The faults of an upsert with these fields, as `code field index` and what the positional form
/// blames.
async fn check(world: &World, fields: Value, faults: &[&str], forms: Value) {
    let body = json!({"lookup_value": "Acme", "fields": fields});
    let answer = world.upsert(&body).await;
    let errors = answer.body["errors"].as_array().expect("there are errors").iter();
    let shown = errors.map(|error| {
        let text = |key: &str| error[key].as_str().unwrap_or("-").to_owned();
        let index = error["index"].as_u64().map_or("-".to_owned(), |index| index.to_string());
        format!("{} {} {index}", text("code"), text("field"))
    });
    assert_eq!(shown.collect::<Vec<_>>(), faults, "{body}");
    let parts = |entry: &Value| -> Value {
        let keys = entry.as_object().expect("an entry is an object").keys();
        keys.map(String::as_str).collect::<Vec<_>>().into()
    };
    let given: Value = match &answer.body["fields"] {
        Value::Array(entries) => entries.iter().map(parts).collect::<Vec<_>>().into(),
        Value::Object(entries) => {
            Value::Object(entries.iter().map(|(key, entry)| (key.clone(), parts(entry))).collect())
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            panic!("fields mirror the request: {}", answer.body)
        }
    };
    assert_eq!(given, forms, "{body}");
    assert_eq!(answer.body["non_field_errors"], json!([]));
}

#[actix_web::test]
async fn faults_of_fields_are_collected_and_named_by_place() {
    let world = World::start().await;
    check(
        &world,
        json!([{"name": "remark", "value": "fine"}, {"name": "mail", "value": "no"},
            {"name": "regin", "value": "North"}, {"name": "region", "value": "West"},
            {"name": "remark", "value": "again"}, {"id": UNKNOWN_ID, "value": 1},
            {"id": world.field("rate"), "name": "seats", "value": 1},
            {"name": "name", "value": ""}, {"name": "rate", "value": "-100.5"},
            {"name": "seats", "value": "2147483648"},
            {"name": "labels", "add_values": ["a"], "remove_values": [7]}]),
        &[
            "invalid mail 1",
            "does_not_exist regin 2",
            "does_not_exist region 3",
            "duplicate_field remark 4",
            &format!("does_not_exist {UNKNOWN_ID} 5"),
            &format!("invalid {} 6", world.field("rate")),
            "required name 7",
            "min_value rate 8",
            "max_value seats 9",
            "invalid labels 10",
        ],
        json!([
            [],
            ["value"],
            ["name"],
            ["value"],
            ["name"],
            ["id"],
            ["id"],
            ["value"],
            ["value"],
            ["value"],
            ["remove_values"]
        ]),
    )
    .await;
    check(
        &world,
        json!({"no_such": 1, "rate": 1, "seats": 1.5}),
        &["does_not_exist no_such 0", "invalid seats 2"],
        json!({"seats": ["value"], "no_such": ["name"]}),
    )
    .await;
}

#[actix_web::test]
async fn a_field_named_by_its_id_is_answered_with_its_id() {
    let world = World::start().await;
    let seats = world.field("seats");
    let fields = json!([{"id": seats, "value": "x"}]);
    let body = world.upsert(&json!({"lookup_value": "Acme", "fields": fields})).await.body;
    let error = &body["errors"][0];
    assert_eq!((&error["field"], &error["field_id"]), (&json!("seats"), &json!(seats)));
    assert_eq!(body["fields"], json!([{"value": ["A valid integer is required."]}]));
}

#[actix_web::test]
async fn fields_that_nobody_may_write_are_refused_before_values_are_looked_at() {
    let world = World::start().await;
    let fields = json!([{"name": "seats", "value": "x"}, {"name": "locked", "value": 1},
        {"id": world.field("updated"), "value": "x"}, {"name": "display_name", "value": null}]);
    let answer = world.upsert(&json!({"lookup_value": "Acme", "fields": fields})).await;
    let forbidden = |field: &str| ("forbidden_field_write".to_owned(), field.to_owned());
    assert_eq!(answer.faults(), ["locked", "updated", "display_name"].map(forbidden));
    let body = answer.expect_error(403, "forbidden_field_write");
    let text = "You cannot write this field.";
    assert_eq!(body["detail"], text);
    let forms = json!([{}, {"name": [text]}, {"id": [text]}, {"name": [text]}]);
    assert_eq!(body["fields"], forms);
    assert_eq!(body["non_field_errors"], json!([]));
}

#[actix_web::test]
async fn a_lookup_value_has_rules_of_its_own() {
    let world = World::start().await;
    let check = async |path: &str, given: Value, code: Option<&str>| {
        let body = if given.is_null() { json!({}) } else { json!({"lookup_value": given}) };
        let answer = world.server.post(&format!("{path}/upsert"), &body).await;
        let expected = code.map(|code| (code.to_owned(), "lookup_value".to_owned()));
        assert_eq!(answer.faults(), Vec::from_iter(expected), "{body}");
        if let Some(code) = code {
            let body = answer.expect_error(400, code);
            assert_eq!(body["lookup_value"], json!([body["errors"][0]["message"]]));
            assert_eq!((&body["fields"], &body["non_field_errors"]), (&json!([]), &json!([])));
        }
    };
    check(ACCOUNTS, Value::Null, Some("required")).await;
    check(ACCOUNTS, json!("  "), Some("blank")).await;
    check(ACCOUNTS, json!(["a"]), Some("invalid")).await;
    check(ACCOUNTS, json!("x".repeat(256)), Some("max_length")).await;
    check(ACCOUNTS, json!("x".repeat(255)), None).await;
    check(ACCOUNTS, json!("a\u{200b}"), Some("invalid")).await;
    check(CONTACT, json!("no address"), Some("invalid")).await;
    check(CONTACT, json!("x".repeat(255)), Some("max_length")).await;
    check(CONTACT, json!("jo@example.com"), None).await;
}

#[actix_web::test]
async fn words_about_archived_records_are_a_closed_list() {
    let world = World::start().await;
    let id = world.created("Acme", &json!({})).await;
    let path = format!("{ACCOUNTS}/{id}");
    let upsert = json!({"lookup_value": "Acme", "oncreate_unarchive": "Skip",
        "onupdate_archived_conflict": "unarchive"});
    // What only an upsert may say.
    let add = json!({"fields": {"name": "Other"}, "unarchive": "skip"});
    let place = |at: &str| ("invalid_choice".to_owned(), at.to_owned());
    for (answer, places) in [
        (world.upsert(&upsert).await, &["oncreate_unarchive", "onupdate_archived_conflict"][..]),
        (world.server.post(&format!("{ACCOUNTS}/add"), &add).await, &["unarchive"]),
        (
            world.server.patch(&path, &json!({"archived_conflict": "prompt"})).await,
            &["archived_conflict"],
        ),
        (
            world
                .server
                .patch(&format!("{path}/unarchive?on_restore_conflict=x"), &json!({}))
                .await,
            &["on_restore_conflict"],
        ),
    ] {
        let expected: Vec<_> = places.iter().map(|at| place(at)).collect();
        assert_eq!(answer.faults(), expected);
        assert_eq!(answer.status, 400);
    }
}

#[actix_web::test]
async fn what_is_not_offered_is_refused_and_what_is_unknown_only_if_asked() {
    let world = World::start().await;
    let id = world.created("Acme", &json!({})).await;
    let body = json!({"lookup_value": "Acme", "unheard_of": 1});
    let unknown = |at: &str| ("unknown_parameter".to_owned(), at.to_owned());
    let upsert = async |query: &str| {
        world.server.post(&format!("{ACCOUNTS}/upsert{query}"), &body).await.faults()
    };
    assert_eq!(upsert("?strict=1&x=1").await, ["x", "unheard_of"].map(unknown));
    let rows = TestRequest::post().uri(&format!("{ACCOUNTS}/bulk-upsert"));
    let rows = rows.set_json(json!([body])).insert_header(("if-match", "*"));
    let answer = world.server.send(rows).await;
    assert_eq!(answer.faults(), [unknown("If-Match")]);
    answer.expect_error(400, "unknown_parameter");
    assert_eq!(world.read(&id).await["version"], 1);
}

#[actix_web::test]
async fn a_body_that_is_no_json_has_the_forms_of_a_write() {
    let world = World::start().await;
    for body in ["", "{", "{\"lookup_value\":\"a\",\"lookup_value\":\"b\"}"] {
        let request = TestRequest::post().uri("/api/records/accounts/upsert");
        let answer = world.server.send(raw(request, body)).await.expect_error(400, "parse_error");
        let whole = json!([answer["detail"]]);
        assert_eq!((&answer["fields"], &answer["non_field_errors"]), (&json!([]), &whole));
    }
}

#[actix_web::test]
async fn paths_that_are_not_built_are_not_found_whatever_the_method() {
    let world = World::start().await;
    let id = world.created("Acme", &json!({})).await;
    let paths = ["streams", "merge", "x"];
    let words = paths.map(|word| format!("{ACCOUNTS}/{word}"));
    let others = [
        format!("{ACCOUNTS}/{id}/"),
        format!("{ACCOUNTS}/not-an-id/unarchive"),
        "/api/records/nothing/upsert".to_owned(),
    ];
    for path in words.iter().chain(&others) {
        for request in [TestRequest::get(), TestRequest::post(), TestRequest::patch()] {
            let request = raw(request.uri(path), "{}");
            let answer = world.server.send(request).await;
            let is_known = path.ends_with("nothing/upsert") && answer.status == 405;
            assert!(answer.status == 404 || is_known, "{path}: {}", answer.body);
        }
    }
}
