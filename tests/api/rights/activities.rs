//! Activities: whose they are, and what those may do who see the records they are about.

use super::{Scene, on_accounts, records};
use crate::support::{Request, text};
use serde_json::{Value, json};

const SCHEDULED: &str = "/api/activities/scheduled-activity";

fn about(record: &str) -> Value {
    json!({"custom_object_id": "accounts", "entity_id": record})
}

/// An activity that the administrator schedules.
fn schedule(scene: &mut Scene, more: &Value) -> String {
    let mut body = json!({"activity_object_name": "task", "due_datetime": "2027-01-01T00:00:00Z"});
    body.as_object_mut().expect("a body").extend(more.as_object().expect("keys").clone());
    text(&scene.fixture.client.post(SCHEDULED, &body).expect(201), "id").to_owned()
}

#[test]
fn an_activity_is_what_its_records_are_or_ones_own() {
    let mut scene = Scene::new(&on_accounts(&records(1, 2, &json!({}))));
    let (mine, others) = (scene.record("mine", true), scene.record("others", false));
    let contact = scene.fixture.create("client_client", "ada@example.com", &json!({}));
    let unseen = json!({"custom_object_id": "client_client", "entity_id": contact["id"]});
    let role = scene.fixture.client.post("/api/role", &json!({"name": "role"})).expect(201);
    let member = scene.member.clone();
    let path = format!("/api/team/{member}");
    scene.fixture.client.patch(&path, &json!({"roles": [role["id"]]})).expect(200);
    let mut visible = 0;
    for (more, seen, edited, removed) in [
        (json!({}), 404, 404, 404),
        (json!({"associated_entities": [unseen]}), 404, 404, 404),
        (json!({"associated_entities": [about(&others), unseen]}), 200, 403, 403),
        (json!({"associated_entities": [about(&mine)]}), 200, 200, 403),
        (json!({"mentions": [member]}), 200, 403, 403),
        (json!({"employee_id": member, "associated_entities": [unseen]}), 200, 200, 204),
        (json!({"role_id": role["id"]}), 200, 200, 204),
    ] {
        let id = schedule(&mut scene, &more);
        let path = format!("{SCHEDULED}/{id}");
        let answer = scene.client.get(&path);
        assert_eq!(answer.status, seen, "{answer}");
        if seen == 200 {
            visible += 1;
            let access = json!({"view": true, "edit": edited == 200, "remove": removed == 204});
            assert_eq!(answer.json()["access"], access, "{answer}");
            assert!(!answer.json().to_string().contains(text(&contact, "id")), "{answer}");
        }
        let list = scene.client.get(SCHEDULED).expect(200);
        assert_eq!(list["count"], visible, "{more}");
        let found = scene.client.post(&format!("{SCHEDULED}/search"), &json!({})).expect(200);
        assert_eq!(found["count"], visible, "{more}");
        let note = json!({"note": "n"});
        for request in [
            Request::new("PATCH", &path).json(&note),
            Request::new("PUT", &path).json(&note),
            Request::new("PATCH", &format!("{path}/notes")).json(&note),
        ] {
            let answer = scene.client.send(&request);
            assert_eq!(answer.status, edited, "{answer}");
        }
        let answer = scene.client.delete(&path);
        assert_eq!(answer.status, removed, "{answer}");
        if removed == 204 {
            visible -= 1;
        }
    }
    // What there is of a record that cannot be seen is not told by asking for the record.
    let of_unseen = format!("{SCHEDULED}?entity_id={}", text(&contact, "id"));
    schedule(&mut scene, &json!({"employee_id": member, "associated_entities": [unseen]}));
    assert_eq!(scene.client.get(&of_unseen).expect(200)["count"], 0);
    assert_eq!(scene.fixture.client.get(&of_unseen).expect(200)["count"], 3);
}

#[test]
fn only_records_that_may_be_read_are_associated_and_unseen_ones_stay() {
    let mut scene = Scene::new(&on_accounts(&records(0, 1, &json!({}))));
    let (mine, others) = (scene.record("mine", true), scene.record("others", false));
    let contact = scene.fixture.create("client_client", "ada@example.com", &json!({}));
    let ask = |scene: &mut Scene, entry: Value| {
        let body = json!({
            "activity_object_name": "task", "due_datetime": "2027-01-01T00:00:00Z",
            "associated_entities": [entry],
        });
        scene.client.post(SCHEDULED, &body)
    };
    ask(&mut scene, about(&mine)).expect(201);
    for entry in [
        about(&others),
        about("00000000-0000-7000-8000-000000000000"),
        json!({"custom_object": {"name": "accounts"}, "entity": {"name": "others"}}),
        json!({"custom_object_id": "client_client", "entity_id": contact["id"]}),
        json!({"custom_object_id": "nobody", "entity_id": contact["id"]}),
    ] {
        ask(&mut scene, entry).expect_error(400, "does_not_exist");
    }
    let member = scene.member.clone();
    let both =
        json!({"employee_id": member, "associated_entities": [about(&mine), about(&others)]});
    let path = format!("{SCHEDULED}/{}", schedule(&mut scene, &both));
    let entities = |body: &Value| body["associated_entities"].as_array().map(Vec::len);
    assert_eq!(entities(&scene.client.get(&path).expect(200)), Some(1));
    let cleared = scene.client.patch(&path, &json!({"associated_entities": []})).expect(200);
    assert_eq!(entities(&cleared), Some(0));
    let held = scene.fixture.client.get(&path).expect(200);
    assert_eq!(held["associated_entities"][0]["entity"]["id"], json!(others));
    assert_eq!(entities(&held), Some(1), "what it cannot see it cannot take away");
}

#[test]
fn what_took_place_is_seen_by_who_logged_it_and_who_sees_its_records() {
    let mut scene = Scene::new(&on_accounts(&records(0, 1, &json!({}))));
    let (mine, others) = (scene.record("mine", true), scene.record("others", false));
    let log = "/api/activities/task/log-activity";
    let mut logged = |entries: Value| {
        let made = scene.fixture.client.post(log, &json!({"related_objects": entries})).expect(201);
        text(&made, "id").to_owned()
    };
    let (seen, unseen) = (logged(json!([about(&mine)])), logged(json!([about(&others)])));
    scene.client.get(&format!("/api/activities/logged/{seen}")).expect(200);
    let answer = scene.client.get(&format!("/api/activities/logged/{unseen}"));
    answer.expect_error(404, "not_found");
    let list = "/api/activities/task/responses";
    assert_eq!(scene.client.post(list, &json!({})).expect(200)["count"], 1);
    let own = scene.client.post(log, &json!({"related_objects": []})).expect(201);
    scene.client.get(&format!("/api/activities/logged/{}", text(&own, "id"))).expect(200);
    assert_eq!(scene.client.post(list, &json!({})).expect(200)["count"], 2);
    let body = json!({"related_objects": [about(&others)]});
    scene.client.post(log, &body).expect_error(400, "does_not_exist");

    // Completing an activity is a change of it.
    let member = scene.member.clone();
    for (more, status, code) in [
        (json!({}), 400, "does_not_exist"),
        (json!({"mentions": [member]}), 403, "permission_required"),
    ] {
        let id = schedule(&mut scene, &more);
        let body = json!({"related_objects": [], "scheduled_activity_id": id});
        scene.client.post(log, &body).expect_error(status, code);
        let held = scene.fixture.client.get(&format!("{SCHEDULED}/{id}")).expect(200);
        assert_eq!(held["completed_at"], Value::Null);
    }
    let id = schedule(&mut scene, &json!({"employee_id": member}));
    let body = json!({"related_objects": [], "scheduled_activity_id": id});
    scene.client.post(log, &body).expect(201);
}

#[test]
fn types_are_seen_by_everybody_and_select_only_what_is_seen() {
    let mut scene = Scene::new(&json!({"sections": {"settings": 2}}));
    let selected = json!([{"custom_object": {"id": "accounts"}}]);
    let body = json!({
        "name": "Call", "association_mode": "selected_objects_associated",
        "associated_objects": selected,
    });
    let path = "/api/activities";
    scene.client.post(path, &body).expect_error(400, "does_not_exist");
    let made = scene.fixture.client.post(path, &body).expect(201);
    let path = format!("/api/activities/{}", text(&made, "id"));
    assert_eq!(scene.client.get(&path).expect(200)["associated_objects"], json!([]));
    let change = json!({"associated_objects": [], "description": "d"});
    scene.client.patch(&path, &change).expect(200);
    let held = scene.fixture.client.get(&path).expect(200);
    assert_eq!(held["associated_objects"], made["associated_objects"]);
}
