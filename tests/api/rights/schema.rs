//! Who sees and changes objects, fields, options and categories.

use super::{Scene, records};
use crate::support::{Request, assert_includes, text};
use serde_json::{Value, json};

/// The statuses of every change of a schema, by the level of the right to it.
#[test]
fn a_schema_is_changed_by_those_who_may_edit_it_and_deleted_from_by_those_who_may_remove() {
    let refused = 403;
    for (settings, seen, edited, deleted) in
        [(0, 404, 404, 404), (1, 200, refused, refused), (2, 200, 200, refused), (3, 200, 200, 200)]
    {
        let mut scene = Scene::new(&json!({"objects": {"accounts": {"settings": settings}}}));
        let choice = json!({
            "field_type": "dropdown", "display_name": "Region", "name": "region",
            "options": [{"name": "North"}, {"name": "South"}, {"name": "East"}],
        });
        let field = scene.fixture.field("accounts", &choice);
        let options: Vec<&str> = field["options"]
            .as_array()
            .expect("options")
            .iter()
            .map(|one| text(one, "id"))
            .collect();
        let object = "/api/custom-objects/accounts";
        let category = json!({"name": "Further"});
        let category =
            scene.fixture.client.post(&format!("{object}/categories"), &category).expect(201);
        let category = format!("{object}/categories/{}", text(&category, "id"));
        let region = format!("{object}/fields/region");
        let new = json!({"field_type": "text", "display_name": "New"});
        let none = Value::Null;
        for (method, path, body, expected) in [
            ("GET", object.to_owned(), &none, seen),
            ("GET", format!("{object}/categories"), &none, seen),
            ("GET", region.clone(), &none, seen),
            ("GET", format!("{region}/references"), &none, seen),
            ("PATCH", object.to_owned(), &json!({"description": "d"}), edited),
            ("PUT", object.to_owned(), &json!({"description": "e"}), edited),
            ("POST", format!("{object}/fields"), &new, edited),
            ("PATCH", region.clone(), &json!({"description": "d"}), edited),
            ("PATCH", format!("{region}?dry_run=true"), &json!({"is_required": true}), edited),
            ("POST", format!("{object}/fields?dry_run=true"), &new, edited),
            ("POST", format!("{region}/options?dry_run=true"), &json!({"name": "West"}), edited),
            ("POST", format!("{region}/options"), &json!({"name": "West"}), edited),
            ("PATCH", format!("{region}/options/{}", options[0]), &json!({"name": "N"}), edited),
            (
                "POST",
                format!("{region}/options/{}/replace", options[0]),
                &json!({"id": options[1]}),
                edited,
            ),
            ("DELETE", format!("{region}/options/{}", options[2]), &none, edited),
            ("POST", format!("{object}/categories"), &json!({"name": "Other"}), edited),
            ("PATCH", category.clone(), &json!({"name": "Renamed"}), edited),
            ("DELETE", category, &none, edited),
            ("DELETE", format!("{region}?dry_run=true"), &none, deleted),
            ("DELETE", region.clone(), &none, deleted),
        ] {
            let request = Request::new(method, &path);
            let request = if body.is_null() { request } else { request.json(body) };
            let answer = scene.client.send(&request);
            let is_good = matches!(answer.status, 200 | 201 | 204) && expected == 200;
            assert!(is_good || answer.status == expected, "{settings}: {answer}");
        }
        let is_there = scene.fixture.client.get(&region).status;
        assert_eq!(is_there, if deleted == 200 { 404 } else { 200 });
    }
}

#[test]
fn objects_are_made_by_those_who_may_and_named_by_administrators_alone() {
    let mut scene = Scene::new(&json!({"sections": {"create_objects": true}}));
    let body = json!({"object_name": "Deals", "name": "my_deals"});
    let answer = scene.client.post("/api/custom-objects", &body);
    let refused = answer.expect_error(403, "forbidden_field_write");
    assert_eq!(refused["errors"][0]["parameter"], "name");
    let body = json!({"object_name": "Deals"});
    let made = scene.client.post("/api/custom-objects", &body).expect(201);
    let nothing = json!({"view": false, "edit": false, "remove": false});
    assert_eq!((&made["access"], made["fields"].as_array().map(Vec::len)), (&nothing, Some(5)));
    let list = scene.client.get("/api/custom-objects").expect(200);
    assert_eq!((&list["count"], &list["access"]), (&json!(0), &json!({"edit": true})));
    scene.client.get("/api/custom-objects/deals").expect_error(404, "not_found");

    let mut scene = Scene::new(&json!({"objects": {"*": {"settings": 3}}}));
    scene.client.post("/api/custom-objects", &body).expect_error(403, "permission_required");
    // What is made later is covered by the rights on every other object.
    scene.fixture.client.post("/api/custom-objects", &body).expect(201);
    let read = scene.client.get("/api/custom-objects/deals").expect(200);
    assert_eq!(read["access"], json!({"view": true, "edit": true, "remove": true}));
    let contacts = scene.client.get("/api/client/custom-object").expect(200);
    assert_eq!(contacts["access"], json!({"view": true, "edit": true, "remove": false}));
    let renamed = scene.client.patch("/api/custom-objects/deals", &json!({"name": "other"}));
    renamed.expect_error(403, "forbidden_field_write");
}

#[test]
fn an_object_says_what_may_be_done_with_it_and_its_records() {
    let group = json!({"objects": {
        "*": {"settings": 2},
        "accounts": {"records": records(1, 2, &json!({"create_record": true}))},
    }});
    let mut scene = Scene::new(&group);
    let accounts = scene.client.get("/api/custom-objects/accounts").expect(200);
    assert_includes(
        &accounts,
        &json!({
            "access": {"view": true, "edit": false, "remove": false},
            "entity_access": {"view": true, "edit": true, "remove": false, "create": true},
        }),
    );
    let contacts = scene.client.get("/api/custom-objects/client_client").expect(200);
    assert_includes(
        &contacts,
        &json!({
            "access": {"view": true, "edit": true, "remove": false},
            "entity_access": {"view": false, "edit": false, "remove": false, "create": false},
        }),
    );
    let list = scene.client.get("/api/custom-objects?custom_only=false").expect(200);
    let names: Vec<_> =
        list["results"].as_array().expect("a page").iter().map(|row| text(row, "name")).collect();
    assert_eq!(names, ["client_client", "accounts"]);
}

#[test]
fn a_survey_of_a_rule_names_no_record_that_cannot_be_read() {
    let entry = json!({"settings": 2, "records": records(0, 1, &json!({}))});
    let mut scene = Scene::new(&json!({"objects": {"accounts": entry}}));
    let others = [scene.record("others", false), scene.record("others too", false)];
    let mine = scene.record("mine", true);
    let path = "/api/custom-objects/accounts/fields/note";
    let answer = scene.client.patch(path, &json!({"is_unique": true}));
    let body = answer.expect_error(400, "constraint_violated");
    assert_eq!(body["count"], 1, "one value is shared");
    assert_eq!(body["violations"], json!([{"record_ids": [mine], "value": "n"}]), "{answer}");
    for id in others {
        assert!(!body.to_string().contains(&id), "{answer}");
    }
}

#[test]
fn the_groups_that_name_a_field_are_told_to_those_who_may_see_groups() {
    let entry = json!({"settings": 1, "fields": {"note": 1}});
    let rights =
        |settings: u8| json!({"sections": {"settings": settings}, "objects": {"accounts": entry}});
    for (settings, named) in [(0, 0), (1, 1)] {
        let mut scene = Scene::new(&rights(settings));
        let path = "/api/custom-objects/accounts/fields/note/references";
        let groups = scene.client.get(path).expect(200)["permission_groups"].clone();
        let expected = [json!({"id": scene.group, "name": "group"})];
        assert_eq!(groups, json!(expected[..named]));
        let path = "/api/custom-objects/accounts/fields/secret/references";
        assert_eq!(scene.client.get(path).expect(200)["permission_groups"], json!([]));
    }
}
