//! Bodies of conflicts, to the letter, and what the caller's choice then does.

use super::{ACCOUNTS, World, id_of, values};
use crate::http::test_support::NOW_TEXT;
use serde_json::{Value, json};

/// An answer but for its request id.
fn without_request_id(mut body: Value) -> Value {
    let id = body.as_object_mut().expect("an error is an object").remove("request_id");
    assert!(id.is_some_and(|id| id.is_string()));
    body
}

/// The body of a conflict about the archived record `id`, named `value`.
fn expected(world: &World, id: &str, value: &str, parameter: &Value, choices: &Value) -> Value {
    let text = "An archived record already uses this identifier.";
    let by = json!({"id": world.admin(), "display_name": "admin@upsertd.invalid"});
    json!({
        "detail": text, "code": "conflict",
        "conflict": {"kind": "archived_identifier",
            "field": {"id": world.field("name"), "name": "name"}, "value": value,
            "archived_record": {"id": id, "display_name": "Acme Corp", "archived_at": NOW_TEXT,
                "archived_by": by},
            "parameter": parameter, "choices": choices},
        "fields": [{}], "non_field_errors": [],
        "errors": [{"code": "conflict", "field": "name", "message": text,
            "conflicting_record_id": id, "retryable": false}]})
}

fn create_choices(id: &str) -> Value {
    json!([{"value": "unarchive", "result": "unarchived", "record_id": id},
        {"value": "overwrite", "result": "created"}])
}

#[actix_web::test]
async fn an_archived_match_is_answered_as_in_the_contract() {
    let world = World::start().await;
    let id = world.created("Acme Corp", &json!({})).await;
    world.archive(&id).await;
    let region = json!([{"name": "region", "value": {"name": "North"}}]);
    for mode in [json!(null), json!("prompt")] {
        let body =
            json!({"lookup_value": " acme CORP ", "fields": region, "oncreate_unarchive": mode});
        let refused = without_request_id(world.upsert(&body).await.expect_error(409, "conflict"));
        let parameter = json!("oncreate_unarchive");
        let expected = expected(&world, &id, "acme CORP", &parameter, &create_choices(&id));
        assert_eq!(refused, expected);
    }
    let before = world.read_archived(&id).await;
    assert_eq!(before["version"], 2, "nothing was written");

    let restore = json!({"lookup_value": "Acme Corp", "oncreate_unarchive": "unarchive"});
    let restored = world.upsert(&restore).await.expect(200);
    assert_eq!((&restored["action"], &restored["id"]), (&json!("unarchived"), &json!(id)));
}

#[actix_web::test]
async fn add_names_its_own_parameter_and_the_entry_that_names_the_record() {
    let world = World::start().await;
    let id = world.created("Acme Corp", &json!({})).await;
    world.archive(&id).await;
    let add = async |mode: Value| {
        let fields = json!([{"name": "name", "value": "Acme Corp"}]);
        let body = json!({"fields": fields, "unarchive": mode});
        world.server.post(&format!("{ACCOUNTS}/add"), &body).await
    };
    let refused = without_request_id(add(json!(null)).await.expect_error(409, "conflict"));
    let mut expected =
        expected(&world, &id, "Acme Corp", &json!("unarchive"), &create_choices(&id));
    expected["fields"] = json!([{"value": [expected["detail"]]}]);
    expected["errors"][0]["index"] = json!(0);
    assert_eq!(refused, expected);

    let created = add(json!("overwrite")).await.expect(201);
    assert_eq!(created["action"], "created");
    assert_ne!(created["id"], json!(id));
    let displaced = world.read_archived(&id).await;
    let name = displaced["name"].as_str().unwrap();
    assert!(name.starts_with("Acme Corp_discarded_"), "{name}");
}

#[actix_web::test]
async fn a_rename_onto_an_archived_record_offers_to_overwrite() {
    let world = World::start().await;
    let archived = world.created("Acme Corp", &json!({})).await;
    world.archive(&archived).await;
    let id = world.created("Globex", &json!({})).await;
    let choices = json!([{"value": "overwrite", "result": "updated"}]);
    let fields = json!([{"name": "name", "value": "Acme Corp"}]);
    let path = format!("{ACCOUNTS}/{id}");
    let lookup = json!("Globex");
    for (parameter, answer) in [
        ("archived_conflict", world.server.patch(&path, &json!({"fields": fields})).await),
        (
            "onupdate_archived_conflict",
            world.upsert(&json!({"lookup_value": lookup, "fields": fields})).await,
        ),
    ] {
        let refused = without_request_id(answer.expect_error(409, "conflict"));
        let mut expected = expected(&world, &archived, "Acme Corp", &json!(parameter), &choices);
        expected["fields"] = json!([{"value": [expected["detail"]]}]);
        expected["errors"][0]["index"] = json!(0);
        assert_eq!(refused, expected);
    }
    let overwrite = json!({"fields": fields, "archived_conflict": "overwrite"});
    let renamed = world.server.patch(&path, &overwrite).await.expect(200);
    assert_eq!((&renamed["name"], &renamed["action"]), (&json!("Acme Corp"), &json!("updated")));
}

#[actix_web::test]
async fn a_restore_under_a_name_that_is_held_offers_nothing() {
    let world = World::start().await;
    let id = world.created("Globex", &json!({})).await;
    world.archive(&id).await;
    let path = format!("{ACCOUNTS}/{id}/unarchive");
    let held = world.created("Acme Corp", &json!({})).await;
    let body = json!({"identifier": "acme corp"});
    let live = world.server.patch(&path, &body).await;
    assert_eq!(live.faults(), [("unique".to_owned(), "identifier".to_owned())]);
    let live = live.expect_error(400, "unique");
    assert_eq!(live["errors"][0]["conflicting_record_id"], json!(held));
    world.archive(&held).await;
    let archived = world.server.patch(&path, &body).await.expect_error(409, "conflict");
    let mut expected = expected(&world, &held, "acme corp", &Value::Null, &json!([]));
    expected["fields"] = json!([]);
    assert_eq!(without_request_id(archived), expected);
}

#[actix_web::test]
async fn unique_values_that_were_taken_meanwhile_stop_a_restore() {
    let world = World::start().await;
    let unique = json!({"external_id": "X-1", "seats": 7, "remark": "kept"});
    let id = world.created("Acme", &unique).await;
    world.archive(&id).await;
    let taker = world.created("Taker", &json!({"external_id": "x-1"})).await;
    let other = world.created("Other", &json!({"seats": 7})).await;
    let path = format!("{ACCOUNTS}/{id}/unarchive");
    let restore = json!({"lookup_value": "Acme", "oncreate_unarchive": "unarchive"});
    let text = "A live record already uses this value.";
    let name = |field: &str| json!({"id": world.field(field), "name": field});
    let error = |field: &str, holder: &str| {
        json!({"code": "conflict", "field": field, "message": text,
            "conflicting_record_id": holder, "retryable": false})
    };
    let expected = json!({
        "detail": text, "code": "conflict",
        "conflict": {"kind": "unique_on_restore", "record_id": id, "fields": [
            {"field": name("external_id"), "value": "X-1",
                "held_by": {"id": taker, "display_name": "Taker"}},
            {"field": name("seats"), "value": 7,
                "held_by": {"id": other, "display_name": "Other"}}]},
        "fields": [], "non_field_errors": [],
        "errors": [error("external_id", &taker), error("seats", &other)]});
    for answer in [world.server.patch(&path, &json!({})).await, world.upsert(&restore).await] {
        assert_eq!(without_request_id(answer.expect_error(409, "conflict")), expected);
    }
    let clear = format!("{path}?on_restore_conflict=clear&return_all_fields=true");
    let restored = values(&world.server.patch(&clear, &json!({})).await.expect(200));
    // The caller sees what was lost.
    assert_eq!((&restored["external_id"], &restored["seats"]), (&Value::Null, &Value::Null));
    assert_eq!(restored["remark"], "kept");
}

#[actix_web::test]
async fn a_400_wins_over_a_409_and_both_are_listed() {
    let world = World::start().await;
    let archived = world.created("Acme", &json!({})).await;
    world.archive(&archived).await;
    let holder = world.created("Holder", &json!({"external_id": "X-1"})).await;
    let id = world.created("Globex", &json!({})).await;
    let fields = json!({"name": "Acme", "external_id": "X-1"});
    let answer = world.server.patch(&format!("{ACCOUNTS}/{id}"), &json!({"fields": fields})).await;
    let faults = [("unique", "external_id"), ("conflict", "name")];
    assert_eq!(answer.faults(), faults.map(|(code, at)| (code.to_owned(), at.to_owned())));
    let body = answer.expect_error(400, "invalid");
    assert_eq!(body["errors"][0]["conflicting_record_id"], json!(holder));
    assert_eq!(body.get("conflict"), None);
    let text = &body["errors"][1]["message"];
    let forms = json!({"external_id": {"value": ["This value must be unique."]},
        "name": {"value": [text]}});
    assert_eq!(body["fields"], forms);
    assert_eq!(id_of(&world.read(&id).await), id);
    assert_eq!(world.read(&id).await["version"], 1);
}
