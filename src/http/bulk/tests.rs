//! The bulk routes: what they refuse, what they do to each record, and what is noted of it.

use crate::http::test_support::{Answer, NOW_TEXT, TestServer, UNKNOWN_ID};
use crate::model::agenda::bulk::{BulkKind, Failure, KEPT_MS, NewBulk};
use crate::model::id::{BatchId, RecordId};
use crate::model::table::command::Caller;
use crate::model::table::others::Others;
use actix_web::test::TestRequest;
use serde_json::{Value, json};
use uuid::Uuid;

const OBJECT: &str = "/api/custom-objects/accounts";
const ARCHIVE: &str = "/api/custom-objects/accounts/bulk-archive-entity-record";
const CHANGE: &str = "/api/custom-objects/accounts/bulk-change-field-value";
const PROGRESS: &str = "/api/bulk-action-progress";

async fn accounts() -> TestServer {
    let server = TestServer::start().await;
    for name in ["Accounts", "Others"] {
        server.post("/api/custom-objects", &json!({"object_name": name})).await.expect(201);
    }
    server
}

async fn add_field(server: &TestServer, body: &Value) -> Value {
    server.post(&format!("{OBJECT}/fields"), body).await.expect(201)
}

async fn created(server: &TestServer, object: &str, name: &str, fields: &Value) -> String {
    let body = json!({"lookup_value": name, "fields": fields});
    let record = server.post(&format!("/api/records/{object}/upsert"), &body).await.expect(200);
    assert_eq!(record["action"], "created");
    record["id"].as_str().unwrap().to_owned()
}

async fn read(server: &TestServer, id: &str) -> Value {
    let path = format!("/api/records/accounts/{id}?include_archived=true");
    server.get(&path).await.expect(200)
}

/// What a record holds in a field; null where it is blank.
fn value(record: &Value, field: &str) -> Value {
    let fields = record["fields"].as_object().unwrap();
    let found = fields.values().find(|entry| entry["name"] == field);
    found.map_or(Value::Null, |entry| entry["value"].clone())
}

fn pass(server: &TestServer, ms: u64) {
    server.hands.advance(std::time::Duration::from_millis(ms));
}

/// The progress row of an action.
async fn progress(server: &TestServer, answer: &Value) -> Value {
    let id = answer["status_id"].as_str().unwrap();
    server.get(&format!("{PROGRESS}/{id}")).await.expect(200)
}

#[actix_web::test]
async fn records_are_archived_and_those_that_cannot_be_are_told() {
    let server = accounts().await;
    let a = created(&server, "accounts", "A", &json!({})).await;
    let b = created(&server, "accounts", "B", &json!({})).await;
    let gone = created(&server, "accounts", "C", &json!({})).await;
    server.delete(&format!("/api/records/accounts/{gone}")).await.expect(204);
    let other = created(&server, "others", "A", &json!({})).await;

    let ids = json!([a, b.to_uppercase(), gone, UNKNOWN_ID, other, a]);
    let body = json!({"record_ids": ids, "send_email_notification": true, "more": 1});
    let answer = server.post(ARCHIVE, &body).await.expect(200);
    let status_id = &answer["status_id"];
    assert_eq!(answer, json!({"number_archived": 6, "async": true, "status_id": status_id}));

    for id in [&a, &b] {
        let record = read(&server, id).await;
        assert_eq!((&record["archived_at"], &record["version"]), (&json!(NOW_TEXT), &json!(2)));
    }
    assert_eq!(read(&server, &gone).await["version"], 2, "it was archived already");
    server.get(&format!("/api/records/others/{other}")).await.expect(200);

    let object = server.get(OBJECT).await.expect(200);
    let error = |id: &str| json!({"record_id": id, "code": "not_found", "detail": "Not found."});
    let expected = json!({
        "id": status_id, "action": "custom_object_archive", "status": "completed",
        "custom_object_id": object["id"], "success_count": 2, "failed_count": 4,
        "pending_count": 0, "started_at": NOW_TEXT, "completed_at": NOW_TEXT,
        "errors": [error(&gone), error(UNKNOWN_ID), error(&other), error(&a)],
    });
    assert_eq!(progress(&server, &answer).await, expected);
}

#[actix_web::test]
async fn what_is_wrong_with_the_request_changes_nothing() {
    let server = accounts().await;
    let id = created(&server, "accounts", "A", &json!({})).await;
    let many = vec![id.clone(); 1001];
    for (body, code, place) in [
        (json!({}), "required", "record_ids"),
        (json!({"record_ids": null}), "null", "record_ids"),
        (json!({"record_ids": []}), "required", "record_ids"),
        (json!({"record_ids": id}), "invalid", "record_ids"),
        (json!({"record_ids": [id, "A"]}), "invalid", "record_ids[1]"),
        (json!({"record_ids": [id, 5]}), "invalid", "record_ids[1]"),
        (json!({"record_ids": [{"id": id}]}), "invalid", "record_ids[0]"),
        (json!({"record_ids": many}), "limit_exceeded", "record_ids"),
        (
            json!({"record_ids": [id], "send_email_notification": "x"}),
            "invalid",
            "send_email_notification",
        ),
    ] {
        for path in [ARCHIVE, CHANGE] {
            let mut body = body.clone();
            if path == CHANGE {
                body["field_id"] = json!("name");
                body["field_value"] = json!("B");
            }
            let answer = server.post(path, &body).await;
            assert_eq!(answer.faults(), [(code.to_owned(), place.to_owned())], "{body}");
            answer.expect(400);
        }
    }
    let strict = json!({"record_ids": [id], "more": 1});
    let answer = server.post(&format!("{ARCHIVE}?strict=true"), &strict).await;
    assert_eq!(answer.faults(), [("unknown_parameter".to_owned(), "more".to_owned())]);
    let request = TestRequest::post().uri(ARCHIVE).insert_header(("Idempotency-Key", "k"));
    let answer = server.send(request.set_json(json!({"record_ids": [id]}))).await;
    assert_eq!(answer.faults(), [("invalid".to_owned(), "Idempotency-Key".to_owned())]);
    let unknown = "/api/custom-objects/unknown/bulk-archive-entity-record";
    server.post(unknown, &json!({"record_ids": [id]})).await.expect_error(404, "not_found");
    server.get(ARCHIVE).await.expect_error(405, "method_not_allowed");

    assert_eq!(read(&server, &id).await["version"], 1);
    assert_eq!(server.get(PROGRESS).await.expect(200)["count"], 0);
}

#[actix_web::test]
async fn a_change_that_no_record_could_take_is_refused_as_a_whole() {
    let server = accounts().await;
    let option = json!([{"name": "North"}]);
    for body in [
        json!({"field_type": "integer", "display_name": "seats"}),
        json!({"field_type": "dropdown", "display_name": "region", "options": option}),
        json!({"field_type": "text", "display_name": "locked", "is_read_only": true}),
        json!({"field_type": "text", "display_name": "must", "is_required": true}),
        json!({"field_type": "dynamictags", "display_name": "labels"}),
    ] {
        add_field(&server, &body).await;
    }
    let id = created(&server, "accounts", "A", &json!({"must": "x", "seats": 3})).await;
    let ask = |field: Value, value: Value, resolution: Value| {
        let body = json!({
            "record_ids": [id], "field_id": field, "field_value": value,
            "field_resolution": resolution,
        });
        let server = &server;
        async move { server.post(CHANGE, &body).await }
    };
    let overwrite = json!("overwrite");
    for (field, given, resolution, status, code, place) in [
        (json!("unknown"), json!(1), overwrite.clone(), 400, "does_not_exist", "field_id"),
        (json!(UNKNOWN_ID), json!(1), overwrite.clone(), 400, "does_not_exist", "field_id"),
        (json!(""), json!(1), overwrite.clone(), 400, "blank", "field_id"),
        (json!(5), json!(1), overwrite.clone(), 400, "invalid", "field_id"),
        (json!("created"), json!("x"), overwrite.clone(), 403, "forbidden_field_write", "field_id"),
        (json!("locked"), json!("x"), overwrite.clone(), 403, "forbidden_field_write", "field_id"),
        (json!("seats"), json!("many"), overwrite.clone(), 400, "invalid", "field_value"),
        (json!("seats"), json!({"value": 5}), overwrite.clone(), 400, "invalid", "field_value"),
        (
            json!("region"),
            json!({"name": "North"}),
            overwrite.clone(),
            400,
            "invalid",
            "field_value",
        ),
        (
            json!("labels"),
            json!([{"name": "vip"}]),
            overwrite.clone(),
            400,
            "invalid",
            "field_value",
        ),
        (json!("labels"), json!(["vip", null]), overwrite.clone(), 400, "invalid", "field_value"),
        (json!("labels"), json!(null), json!("add_only"), 400, "null", "field_value"),
        (json!("region"), json!("East"), overwrite.clone(), 400, "does_not_exist", "field_value"),
        (json!("must"), json!(null), overwrite.clone(), 400, "required", "field_value"),
        (json!("must"), json!(""), overwrite.clone(), 400, "required", "field_value"),
        (json!("name"), json!(null), overwrite.clone(), 400, "required", "field_value"),
        (json!("seats"), json!(5), json!("replace"), 400, "invalid_choice", "field_resolution"),
        (json!("seats"), json!(5), json!(1), 400, "invalid", "field_resolution"),
        (json!("seats"), json!(5), json!("add_only"), 400, "invalid", "field_resolution"),
        (json!("must"), json!("x"), json!("remove_only"), 400, "invalid", "field_resolution"),
    ] {
        let answer = ask(field.clone(), given.clone(), resolution).await;
        let faults = answer.faults();
        assert_eq!(faults, [(code.to_owned(), place.to_owned())], "{field} {given}");
        answer.expect(status);
    }
    let body = json!({"record_ids": [id]});
    let answer = server.post(CHANGE, &body).await;
    let missing = |place: &str| ("required".to_owned(), place.to_owned());
    assert_eq!(answer.faults(), [missing("field_id"), missing("field_value")]);
    assert_eq!(read(&server, &id).await["version"], 1);
    assert_eq!(server.get(PROGRESS).await.expect(200)["count"], 0);
}

#[actix_web::test]
async fn a_checkbox_is_never_blank() {
    let server = accounts().await;
    let old = created(&server, "accounts", "old", &json!({})).await;
    let body = json!({"field_type": "checkbox", "display_name": "done"});
    let field = add_field(&server, &body).await;
    let new = created(&server, "accounts", "new", &json!({})).await;
    let ask = |given: Value, resolution: &str| {
        let body = json!({
            "record_ids": [old, new], "field_id": field["id"], "field_value": given,
            "field_resolution": resolution,
        });
        let server = &server;
        async move { server.post(CHANGE, &body).await.expect(200) }
    };
    for (given, resolution, is_checked) in [
        (json!(true), "update_if_blank", false),
        (json!(null), "overwrite_except_null", false),
        (json!("yes"), "overwrite", true),
        (json!(null), "overwrite_except_null", true),
        (json!(null), "overwrite", false),
    ] {
        ask(given.clone(), resolution).await;
        for id in [&old, &new] {
            let record = read(&server, id).await;
            assert_eq!(value(&record, "done"), is_checked, "{given} {resolution}");
        }
    }
}

#[actix_web::test]
async fn a_record_that_cannot_take_the_value_fails_alone() {
    let server = accounts().await;
    let body = json!({"field_type": "text", "display_name": "code", "is_unique": true});
    add_field(&server, &body).await;
    let a = created(&server, "accounts", "A", &json!({})).await;
    let b = created(&server, "accounts", "B", &json!({})).await;
    let gone = created(&server, "accounts", "Gone", &json!({})).await;
    server.delete(&format!("/api/records/accounts/{gone}")).await.expect(204);
    let change = |field: &str, value: &str| {
        let body = json!({"record_ids": [a, b, gone, a], "field_id": field, "field_value": value});
        let server = &server;
        async move {
            let answer = server.post(CHANGE, &body).await.expect(200);
            assert_eq!(answer["number_updated"], 4);
            progress(server, &answer).await
        }
    };
    let codes = |row: &Value| {
        let errors = row["errors"].as_array().unwrap().iter();
        json!(errors.map(|error| json!([error["record_id"], error["code"]])).collect::<Vec<_>>())
    };
    let row = change("code", "x").await;
    assert_eq!(codes(&row), json!([[b, "unique"], [gone, "not_found"]]));
    assert_eq!((&row["success_count"], &row["failed_count"]), (&json!(2), &json!(2)));
    assert_eq!(row["errors"][0]["detail"], "This value must be unique.");
    // An archived record is asked about, as everywhere.
    let row = change("name", "Gone").await;
    let expected = json!([[a, "conflict"], [b, "conflict"], [gone, "not_found"], [a, "conflict"]]);
    assert_eq!(codes(&row), expected);
    assert_eq!(value(&read(&server, &a).await, "code"), "x");
    assert_eq!(read(&server, &a).await["version"], 2, "the second time changed nothing");
    assert_eq!(read(&server, &b).await["version"], 1);
}

fn new_bulk(server: &TestServer, records: u32) -> (Caller, NewBulk) {
    let business = server.engine.partitions()[0].businesses()[0].clone();
    let (catalog, id) = (business.catalog(), Uuid::from_u128(u128::from(records)));
    let member = catalog.members.iter().next().unwrap().id;
    let members = catalog.members.clone();
    let rights = catalog.rights_of(member).unwrap().clone();
    let (others, origin, batch) = (Others::default(), "test".into(), BatchId(id));
    let caller = Caller { member, members, rights, others, origin, batch, retry: None };
    let object = business.table_of("accounts").unwrap().shown().schema().object().id;
    (caller, NewBulk { kind: BulkKind::Archive, object, records })
}

#[actix_web::test]
async fn an_action_that_nobody_works_on_has_failed() {
    let server = accounts().await;
    let business = server.engine.partitions()[0].businesses()[0].clone();
    let (caller, new) = new_bulk(&server, 10);
    let run = server.engine.begin_bulk(&business, caller, new).await.unwrap();
    let path = format!("{PROGRESS}/{}", run.id());
    let check = async |status: &str, counts: [u32; 3]| {
        let row = server.get(&path).await.expect(200);
        assert_eq!((&row["status"], &row["completed_at"]), (&json!(status), &Value::Null));
        let held = ["success_count", "failed_count", "pending_count"].map(|key| &row[key]);
        assert_eq!(held, counts);
        for is_over in [true, false] {
            let list = server.get(&format!("{PROGRESS}?completed={is_over}")).await.expect(200);
            assert_eq!(list["count"], u32::from(is_over == (status == "failed")));
        }
    };
    check("in_progress", [0, 0, 10]).await;
    let record = RecordId(Uuid::from_u128(1));
    let failure = Failure { record, code: "not_found".into(), detail: "Not found.".into() };
    run.note(3, vec![failure], false).await.unwrap();
    check("in_progress", [3, 1, 6]).await;
    drop(run);
    check("failed", [3, 1, 6]).await;
}

#[actix_web::test]
async fn actions_are_listed_the_newest_first_and_filtered_for_seven_days() {
    let server = accounts().await;
    let id = created(&server, "accounts", "A", &json!({})).await;
    let other = created(&server, "others", "A", &json!({})).await;
    let change = json!({"record_ids": [id], "field_id": "name", "field_value": "B"});
    let first = server.post(CHANGE, &change).await.expect(200)["status_id"].clone();
    pass(&server, 1000);
    let second = server.post(ARCHIVE, &json!({"record_ids": [id]})).await.expect(200);
    let second = second["status_id"].clone();
    pass(&server, 1000);
    let path = "/api/custom-objects/others/bulk-archive-entity-record";
    let third = server.post(path, &json!({"record_ids": [other]})).await.expect(200);
    let third = third["status_id"].clone();
    let object = server.get(OBJECT).await.expect(200)["id"].as_str().unwrap().to_owned();
    for (query, expected) in [
        ("", vec![&third, &second, &first]),
        ("?page_size=1&page=2", vec![&second]),
        ("?custom_object_id=accounts", vec![&second, &first]),
        (&format!("?custom_object_id={object}"), vec![&second, &first]),
        ("?action=custom_object_archive", vec![&third, &second]),
        ("?action=custom_object_change_field_value", vec![&first]),
        ("?completed=true&action=custom_object_archive&custom_object_id=accounts", vec![&second]),
        ("?completed=false", vec![]),
        ("?started_after=2026-11-24T05:40:00.123Z", vec![&third, &second]),
        ("?started_after=2026-11-24T05:40:01.122%2B00:00", vec![&third, &second]),
        ("?started_after=2026-11-25", vec![]),
    ] {
        let list = server.get(&format!("{PROGRESS}{query}")).await.expect(200);
        let ids: Vec<_> =
            list["results"].as_array().unwrap().iter().map(|row| &row["id"]).collect();
        assert_eq!(ids, expected, "{query}");
        if !query.contains("page_size") {
            assert_eq!(list["count"], expected.len());
        }
    }
    for (query, code, place) in [
        ("custom_object_id=unknown", "does_not_exist", "custom_object_id"),
        ("action=upload", "invalid_choice", "action"),
        ("completed=maybe", "invalid", "completed"),
        ("started_after=soon", "invalid", "started_after"),
        ("strict=1&more=1", "unknown_parameter", "more"),
    ] {
        let answer: Answer = server.get(&format!("{PROGRESS}?{query}")).await;
        assert_eq!(answer.faults(), [(code.to_owned(), place.to_owned())]);
        answer.expect(400);
    }
    for unknown in [UNKNOWN_ID, "no-id"] {
        server.get(&format!("{PROGRESS}/{unknown}")).await.expect_error(404, "not_found");
    }
    pass(&server, u64::try_from(KEPT_MS).unwrap() - 2001);
    let list = server.get(PROGRESS).await.expect(200);
    assert_eq!(list["count"], 3, "one millisecond is left to the first");
    pass(&server, 1);
    assert_eq!(server.get(PROGRESS).await.expect(200)["count"], 2);
    let first = first.as_str().unwrap();
    server.get(&format!("{PROGRESS}/{first}")).await.expect_error(404, "not_found");
}

#[actix_web::test]
async fn whoever_may_not_act_in_bulk_sees_no_action_either() {
    let server = accounts().await;
    let id = created(&server, "accounts", "A", &json!({})).await;
    let body = json!({"email": "bob@example.com"});
    let bob = server.post("/api/team", &body).await.expect(201)["id"].clone();
    let body = json!({"name": "bob", "member_id": bob, "secret": "a-secret-of-bob-alone"});
    server.post("/api/api-keys", &body).await.expect(201);
    let bob = bob.as_str().unwrap();
    let request = TestRequest::post().uri(ARCHIVE).set_json(json!({"record_ids": [id]}));
    let answer = server.send_as("a-secret-of-bob-alone", bob, request).await;
    answer.expect_error(404, "not_found");
    let other = created(&server, "accounts", "B", &json!({})).await;
    server.post(ARCHIVE, &json!({"record_ids": [other]})).await.expect(200);
    let request = TestRequest::get().uri(PROGRESS);
    let answer = server.send_as("a-secret-of-bob-alone", bob, request).await;
    assert_eq!(answer.expect(200)["count"], 0);
    assert_eq!(read(&server, &id).await["version"], 1);
}
