//! What writes do, and which fields their answers show.

use super::{ACCOUNTS, CONTACT, World, id_of, raw, values};
use crate::http::test_support::UNKNOWN_ID;
use actix_web::http::StatusCode;
use actix_web::test::TestRequest;
use serde_json::{Value, json};
use std::time::Duration;

/// The names of the fields that an answer shows.
fn shown(record: &Value) -> Vec<String> {
    let values = values(record);
    let mut names: Vec<String> = values.as_object().unwrap().keys().cloned().collect();
    names.sort_unstable();
    names
}

#[actix_web::test]
async fn the_same_upsert_again_changes_nothing() {
    let world = World::start().await;
    let id = world.created("Acme Corp", &json!({"region": "North"})).await;
    let before = world.read(&id).await;
    world.server.hands.advance(Duration::from_mins(1));
    let again = json!({"lookup_value": "  ACME corp ", "fields": {"region": "north"}});
    let answer = world.upsert(&again).await;
    assert_eq!(answer.headers.get("x-upsert-action").unwrap(), "updated");
    let answer = answer.expect(200);
    assert_eq!((&answer["id"], &answer["version"]), (&json!(id), &json!(1)));
    assert_eq!(answer["action"], "updated");
    assert_eq!(shown(&answer), ["region", "updated"]);
    assert_eq!(world.read(&id).await, before);
}

#[actix_web::test]
async fn a_write_shows_what_it_wrote_cleared_and_filled_in() {
    let world = World::start().await;
    let id = world.created("Acme", &json!({"remark": "a", "seats": 4})).await;
    let path = format!("{ACCOUNTS}/{id}");
    let patched = world.server.patch(&path, &json!({"fields": {"remark": null}})).await.expect(200);
    assert_eq!(shown(&patched), ["remark", "updated"]);
    assert_eq!(values(&patched)["remark"], Value::Null);
    assert_eq!((&patched["action"], &patched["version"]), (&json!("updated"), &json!(2)));
    let all = format!("{path}?return_all_fields=true");
    let patched = world.server.patch(&all, &json!({"fields": {"note": null}})).await.expect(200);
    let expected =
        ["active", "created", "display_name", "name", "note", "owner", "seats", "updated"];
    assert_eq!(shown(&patched), expected);
    let hidden = json!({"fields": {"secret": "s"}});
    let patched = world.server.patch(&path, &hidden).await.expect(200);
    assert_eq!(shown(&patched), ["secret", "updated"]);
    for empty in [json!({}), json!({"fields": []}), json!({"archived": true})] {
        assert_eq!(shown(&world.server.patch(&path, &empty).await.expect(200)), ["updated"]);
    }
}

#[actix_web::test]
async fn put_keeps_what_it_does_not_mention_unless_it_replaces() {
    let world = World::start().await;
    let id = world.created("Acme", &json!({"remark": "a", "seats": 4, "active": true})).await;
    let path = format!("{ACCOUNTS}/{id}");
    world.server.put(&path, &json!({"fields": {"note": "n"}})).await.expect(200);
    let kept = values(&world.read(&id).await);
    assert_eq!((&kept["remark"], &kept["seats"]), (&json!("a"), &json!(4)));
    let replace = format!("{path}?replace=true");
    let answer = world.server.put(&replace, &json!({"fields": {"seats": 5}})).await.expect(200);
    // What the request cleared without naming it is an effect of it, so it is shown.
    assert_eq!(shown(&answer), ["active", "note", "remark", "seats", "updated"]);
    let kept = values(&world.read(&id).await);
    let gone = ["remark", "note"].map(|name| kept.get(name));
    assert_eq!((gone, &kept["seats"]), ([None, None], &json!(5)));
    assert_eq!((&kept["active"], &kept["name"]), (&json!(false), &json!("Acme")));
    assert_eq!(kept["owner"]["id"], json!(world.admin()));
    // PATCH has no such parameter.
    let patched = world.server.patch(&format!("{path}?replace=true"), &json!({})).await;
    patched.expect(200);
    assert_eq!(values(&world.read(&id).await)["seats"], 5);
}

#[actix_web::test]
async fn lists_of_tags_and_members_are_added_to_and_removed_from() {
    let world = World::start().await;
    let id = world.created("Acme", &json!({"labels": ["a", "b"]})).await;
    let bot = super::BOT.to_string();
    let fields = json!([{"name": "labels", "add_values": ["c"], "remove_values": ["A"]},
        {"id": world.field("helpers"), "add_values": [bot]}]);
    let path = format!("{ACCOUNTS}/{id}");
    let answer = world.server.patch(&path, &json!({"fields": fields})).await.expect(200);
    let names = values(&answer)["labels"].clone();
    let names: Vec<_> = names.as_array().unwrap().iter().map(|tag| tag["name"].clone()).collect();
    assert_eq!(names, [json!("b"), json!("c")]);
    assert_eq!(answer["num_associated_team_members"], 2);
}

#[actix_web::test]
async fn add_creates_and_says_so_with_its_own_status() {
    let world = World::start().await;
    let body = json!({"fields": [{"name": "name", "value": "Acme"}]});
    let answer = world.server.post(&format!("{ACCOUNTS}/add"), &body).await;
    assert!(!answer.headers.contains_key("x-upsert-action"));
    assert_eq!(answer.expect(201)["action"], "created");
    let again = world.server.post(&format!("{ACCOUNTS}/add"), &body).await;
    assert_eq!(again.faults(), [("unique".to_owned(), "name".to_owned())]);
    let again = again.expect_error(400, "unique");
    assert!(again["errors"][0]["conflicting_record_id"].is_string(), "{again}");
    // A contact needs any field, and none of them need be its address.
    let contact = json!({"fields": {"first_name": "Jo"}});
    let answer = world.server.post(&format!("{CONTACT}/add"), &contact).await.expect(201);
    assert_eq!(answer["client_info"]["email"], "");
    for nothing in [json!({}), json!({"fields": []}), json!({"fields": {}})] {
        let answer = world.server.post(&format!("{CONTACT}/add"), &nothing).await;
        assert_eq!(answer.faults(), [("required".to_owned(), "fields".to_owned())], "{nothing}");
    }
    let bare = world.server.post(ACCOUNTS, &body).await;
    bare.expect_error(405, "method_not_allowed");
}

#[actix_web::test]
async fn the_statuses_that_an_operator_can_set_are_answered() {
    let world = World::with(|options| {
        options.answers.upsert_created = StatusCode::CREATED;
        options.answers.added = StatusCode::OK;
        options.answers.archived_conflict = StatusCode::BAD_REQUEST;
    })
    .await;
    let body = json!({"lookup_value": "Acme"});
    let id = id_of(&world.upsert(&body).await.expect(201));
    world.upsert(&body).await.expect(200);
    world.archive(&id).await;
    let refused = world.upsert(&body).await.expect_error(400, "conflict");
    assert_eq!(refused["conflict"]["kind"], "archived_identifier");
    let restore = json!({"lookup_value": "Acme", "oncreate_unarchive": "unarchive"});
    assert_eq!(world.upsert(&restore).await.expect(201)["action"], "unarchived");
    let add = json!({"fields": {"name": "Globex"}});
    world.server.post(&format!("{ACCOUNTS}/add"), &add).await.expect(200);
}

#[actix_web::test]
async fn an_archived_record_is_gone_until_it_is_restored() {
    let world = World::start().await;
    let id = world.created("Acme", &json!({"remark": "kept"})).await;
    let path = format!("{ACCOUNTS}/{id}");
    world.archive(&id).await;
    let nothing = json!({});
    for answer in [
        world.server.get(&path).await,
        world.server.patch(&path, &nothing).await,
        world.server.put(&path, &nothing).await,
        world.server.delete(&path).await,
        world.server.get(&format!("{path}/team-members")).await,
        world.server.get(&format!("{ACCOUNTS}/lookup?identifier=Acme")).await,
    ] {
        let body = answer.expect_error(404, "not_found");
        assert_eq!(body.get("fields"), None);
    }
    let archived = world.read_archived(&id).await;
    assert_eq!(archived["archived_by"]["id"], json!(world.admin()));
    assert_eq!(archived["archived_at"], archived["updated"]);
    // No body at all, as other clients send it.
    let restored = world.server.send(TestRequest::patch().uri(&format!("{path}/unarchive"))).await;
    let restored = restored.expect(200);
    assert_eq!((&restored["action"], &restored["version"]), (&json!("unarchived"), &json!(3)));
    assert_eq!((shown(&restored), restored.get("archived_at")), (vec!["updated".into()], None));
    let again = world.server.patch(&format!("{path}/unarchive"), &nothing).await.expect(200);
    assert_eq!((&again["action"], &again["version"]), (&json!("unchanged"), &json!(3)));
    assert_eq!(values(&world.read(&id).await)["remark"], "kept");
    let unknown = format!("{ACCOUNTS}/{UNKNOWN_ID}/unarchive");
    world.server.patch(&unknown, &nothing).await.expect_error(404, "not_found");
}

#[actix_web::test]
async fn a_record_is_restored_under_another_identifier() {
    let world = World::start().await;
    let id = world.created("Acme", &json!({})).await;
    world.archive(&id).await;
    let path = format!("{ACCOUNTS}/{id}/unarchive");
    for (given, code) in
        [(json!(""), "blank"), (json!([]), "invalid"), (json!("a\u{200b}"), "invalid")]
    {
        let answer = world.server.patch(&path, &json!({"identifier": given})).await;
        assert_eq!(answer.faults(), [(code.to_owned(), "identifier".to_owned())], "{given}");
        assert_eq!(answer.status, 400);
    }
    let answer = world.server.patch(&path, &json!({"identifier": " Acme Two "})).await.expect(200);
    assert_eq!((&answer["action"], &answer["name"]), (&json!("unarchived"), &json!("Acme Two")));
    assert_eq!(shown(&answer), ["name", "updated"]);
}

#[actix_web::test]
async fn only_archived_records_are_purged_and_then_nothing_is_left() {
    let world = World::start().await;
    let id = world.created("Acme", &json!({})).await;
    let purge = format!("{ACCOUNTS}/{id}?purge=true");
    let refused = world.server.delete(&purge).await.expect_error(400, "not_archived");
    assert_eq!(
        (&refused["fields"], &refused["non_field_errors"][0]),
        (&json!([]), &refused["detail"])
    );
    world.archive(&id).await;
    let answer = world.server.delete(&purge).await;
    assert_eq!((answer.status, answer.body), (204, Value::Null));
    let gone = world.server.get(&format!("{ACCOUNTS}/{id}?include_archived=true")).await;
    gone.expect_error(404, "not_found");
    assert_ne!(world.created("Acme", &json!({})).await, id);
}

#[actix_web::test]
async fn members_are_put_on_a_record_and_taken_off() {
    let world = World::start().await;
    let bot = super::BOT.to_string();
    let id = world.created("Acme", &json!({"agent": bot})).await;
    let team = format!("{ACCOUNTS}/{id}/team-members");
    let (member, admin) = (format!("{team}/{bot}"), world.admin());
    let sources = async || {
        let page = world.server.get(&team).await.expect(200);
        let rows = page["results"].as_array().unwrap().iter();
        rows.map(|row| (row["display_name"].clone(), row["sources"].clone())).collect::<Vec<_>>()
    };
    let owner = (json!("admin@upsertd.invalid"), json!(["owner"]));
    let agent = |sources: Value| (json!("Ops Bot"), sources);
    assert_eq!(sources().await, [owner.clone(), agent(json!(["field:agent"]))]);
    // Not explicit yet: there is nothing to take off.
    world.server.delete(&member).await.expect_error(404, "not_found");
    for _ in 0..2 {
        assert_eq!(world.server.put(&member, &Value::Null).await.status, 204);
    }
    assert_eq!(sources().await, [owner.clone(), agent(json!(["field:agent", "explicit"]))]);
    let read = world.read(&id).await;
    assert_eq!((&read["num_associated_team_members"], &read["version"]), (&json!(2), &json!(1)));
    world
        .server
        .put(&format!("{team}/{UNKNOWN_ID}"), &Value::Null)
        .await
        .expect_error(404, "not_found");
    world.server.put(&format!("{team}/{admin}"), &Value::Null).await;
    assert_eq!(world.server.delete(&member).await.status, 204);
    let owner_too = (json!("admin@upsertd.invalid"), json!(["owner", "explicit"]));
    assert_eq!(sources().await, [owner_too, agent(json!(["field:agent"]))]);
}

#[actix_web::test]
async fn a_number_is_a_lookup_value_and_fields_may_be_an_object() {
    let world = World::start().await;
    let request = TestRequest::post().uri("/api/records/accounts/upsert");
    let answer =
        world.server.send(raw(request, r#"{"lookup_value":42,"fields":{"seats":"8"}}"#)).await;
    let answer = answer.expect(200);
    assert_eq!((&answer["name"], &values(&answer)["seats"]), (&json!("42"), &json!(8)));
    let by_id = json!({"lookup_value": "42", "fields": {(world.field("seats")): 9}});
    assert_eq!(values(&world.upsert(&by_id).await.expect(200))["seats"], 9);
}
