//! Roles, permission groups, the catalogue of rights and a member's own.

use super::{Scene, records};
use crate::support::{Fixture, Request, assert_includes, text};
use serde_json::{Value, json};

const GROUPS: &str = "/api/permission-group";
const ROLES: &str = "/api/role";
const UNKNOWN: &str = "00000000-0000-7000-8000-000000000000";

fn nothing() -> Value {
    json!({
        "settings": 0, "default_field_access": 2,
        "records": {
            "all_records": 0, "associated_records": 0, "create_record": false,
            "unarchive_all": false, "unarchive_associated": false, "bulk_actions": false,
            "export": false,
        },
    })
}

fn fixture() -> Fixture {
    let mut fixture = Fixture::new();
    fixture.object("accounts");
    fixture.text_field("accounts", "note");
    fixture.text_field("accounts", "secret");
    fixture
}

/// The example of the API's description.
#[test]
fn a_group_is_answered_whole_and_read_back_the_same() {
    let mut fixture = fixture();
    let given = json!({
        "name": " CRM sync ", "is_admin": false,
        "sections": {"settings": 0, "team": 1, "all_team_members": true, "create_objects": false},
        "objects": {
            "*": {"settings": 0, "records": {"all_records": 0, "associated_records": 0},
                  "default_field_access": 2},
            "client_client": {
                "settings": 1, "records": {
                    "all_records": 2, "associated_records": 3, "create_record": true,
                    "unarchive_all": false, "unarchive_associated": true, "bulk_actions": true,
                    "export": false,
                },
                "default_field_access": 2, "fields": {"birthday": 1, "titles": 0},
            },
        },
    });
    let made = fixture.client.post(GROUPS, &given).expect(201);
    let mut expected = given.clone();
    expected["id"] = made["id"].clone();
    expected["name"] = json!("CRM sync");
    expected["objects"]["*"] = nothing();
    assert_eq!(made, expected);
    let path = format!("{GROUPS}/{}", text(&made, "id"));
    assert_eq!(fixture.client.get(&path).expect(200), expected);
    let page = fixture.client.get(GROUPS).expect(200);
    assert_eq!((&page["count"], &page["results"]), (&json!(1), &json!([expected])));
    let mut fixture = fixture.after_a_crash();
    assert_eq!(fixture.client.get(&path).expect(200), expected);

    // By ids too, and what is left out is nothing.
    let object = fixture.client.get("/api/custom-objects/accounts").expect(200);
    let field = fixture.client.get("/api/custom-objects/accounts/fields/note").expect(200);
    let body = json!({
        "name": "few",
        "objects": {text(&object, "id"): {"fields": {text(&field, "id"): 1},
                    "records": {"unarchive_all": true}}},
    });
    let made = fixture.client.post(GROUPS, &body).expect(201);
    let mut entry = nothing();
    entry["fields"] = json!({"note": 1});
    entry["records"]["unarchive_all"] = json!(true);
    entry["records"]["unarchive_associated"] = json!(true);
    assert_eq!(made["objects"], json!({"*": nothing(), "accounts": entry}));
    let sections =
        json!({"settings": 0, "team": 0, "all_team_members": false, "create_objects": false});
    assert_eq!((&made["sections"], &made["is_admin"]), (&sections, &json!(false)));
    fixture.client.delete(&path).expect_empty(204);
    fixture.client.get(&path).expect_error(404, "not_found");
}

#[test]
fn a_change_replaces_whole_entries_and_a_put_everything() {
    let mut fixture = fixture();
    let body = json!({
        "name": "group", "sections": {"team": 2, "settings": 1},
        "objects": {
            "*": {"settings": 1}, "client_client": {"settings": 2},
            "accounts": {"settings": 3, "records": records(1, 2, &json!({})), "fields": {"note": 0}},
        },
    });
    let made = fixture.client.post(GROUPS, &body).expect(201);
    let path = format!("{GROUPS}/{}", text(&made, "id"));
    let change = json!({
        "sections": {"team": 1},
        "objects": {"accounts": {"settings": 1}, "client_client": null},
    });
    let changed = fixture.client.patch(&path, &change).expect(200);
    let entry = |settings: u8| {
        let mut entry = nothing();
        entry["settings"] = json!(settings);
        entry
    };
    let mut own = entry(1);
    own["fields"] = json!({});
    assert_includes(&changed, &json!({"name": "group", "sections": {"team": 1, "settings": 1}}));
    assert_eq!(changed["objects"], json!({"*": entry(1), "accounts": own}));
    let put = json!({"sections": {"create_objects": true}, "objects": {"client_client": {"settings": 3}}});
    let replaced = fixture.client.put(&path, &put).expect(200);
    let mut contacts = entry(3);
    contacts["fields"] = json!({});
    assert_eq!(replaced["objects"], json!({"*": nothing(), "client_client": contacts}));
    let sections =
        json!({"settings": 0, "team": 0, "all_team_members": false, "create_objects": true});
    assert_eq!((&replaced["sections"], &replaced["name"]), (&sections, &json!("group")));
}

/// Bodies with one fault: its code and its key.
fn refused() -> Vec<(Value, &'static str, String)> {
    let on = |entry: Value| json!({"name": "group", "objects": {"accounts": entry}});
    let records = |records: Value| on(json!({"records": records}));
    let key = |name: &str| format!("objects.accounts.records.{name}");
    vec![
        (json!({"name": ""}), "blank", "name".to_owned()),
        (json!({"name": null}), "null", "name".to_owned()),
        (json!({"name": "x".repeat(201)}), "max_length", "name".to_owned()),
        (json!({"name": "a", "is_admin": 1}), "invalid", "is_admin".to_owned()),
        (
            json!({"name": "a", "sections": {"team": 4}}),
            "invalid_choice",
            "sections.team".to_owned(),
        ),
        (json!({"name": "a", "sections": {"team": "1"}}), "invalid", "sections.team".to_owned()),
        (json!({"name": "a", "objects": []}), "invalid", "objects".to_owned()),
        (
            json!({"name": "a", "objects": {"nobody": {}}}),
            "does_not_exist",
            "objects.nobody".to_owned(),
        ),
        (
            json!({"name": "a", "objects": {"accounts": 1}}),
            "invalid",
            "objects.accounts".to_owned(),
        ),
        (
            json!({"name": "a", "objects": {"*": {"fields": {"name": 1}}}}),
            "does_not_exist",
            "objects.*.fields.name".to_owned(),
        ),
        (
            on(json!({"fields": {"nobody": 1}})),
            "does_not_exist",
            "objects.accounts.fields.nobody".to_owned(),
        ),
        (
            on(json!({"fields": {"note": 3}})),
            "invalid_choice",
            "objects.accounts.fields.note".to_owned(),
        ),
        (
            on(json!({"default_field_access": 3})),
            "invalid_choice",
            "objects.accounts.default_field_access".to_owned(),
        ),
        (records(json!({"all_records": 1})), "invalid", key("associated_records")),
        (
            records(json!({"all_records": 3, "associated_records": 2})),
            "invalid",
            key("associated_records"),
        ),
        (
            records(json!({"create_record": true, "associated_records": 1})),
            "invalid",
            key("create_record"),
        ),
        (
            records(json!({"unarchive_all": true, "unarchive_associated": false})),
            "invalid",
            key("unarchive_associated"),
        ),
    ]
}

#[test]
fn what_a_group_may_not_say_is_refused_at_its_key() {
    let mut fixture = fixture();
    let made = fixture.client.post(GROUPS, &json!({"name": "held"})).expect(201);
    let path = format!("{GROUPS}/{}", text(&made, "id"));
    for (body, code, parameter) in refused() {
        for request in
            [Request::new("POST", GROUPS), Request::new("PATCH", &path), Request::new("PUT", &path)]
        {
            let answer = fixture.send(&request.json(&body));
            let found = answer.expect_error(400, code);
            assert_eq!(found["errors"].as_array().map(Vec::len), Some(1), "{answer}");
            assert_eq!(found["errors"][0]["parameter"], parameter, "{answer}");
        }
    }
    fixture.client.post(GROUPS, &json!({})).expect_error(400, "required");
    let twice = json!({"name": "a", "unknown": 1});
    fixture
        .client
        .post(&format!("{GROUPS}?strict=true"), &twice)
        .expect_error(400, "unknown_parameter");
    let other = json!({"id": UNKNOWN});
    fixture.client.patch(&path, &other).expect_error(400, "immutable");
    let page = fixture.client.get(GROUPS).expect(200);
    assert_eq!(page["results"], json!([made]), "nothing has changed");
}

#[test]
fn one_right_is_set_at_a_time() {
    let mut fixture = fixture();
    let body = json!({"name": "group", "objects": {"*": {"settings": 1}}});
    let made = fixture.client.post(GROUPS, &body).expect(201);
    let path = format!("{GROUPS}/{}/object-update", text(&made, "id"));
    let object = fixture.client.get("/api/custom-objects/accounts").expect(200);
    let field = fixture.client.get("/api/custom-objects/accounts/fields/note").expect(200);
    let object = json!({"id": object["id"]});
    let mut expected = nothing();
    expected["settings"] = json!(1);
    expected["fields"] = json!({});
    let mut set = |body: Value| {
        let mut whole = body;
        whole["custom_object"] = object.clone();
        fixture.client.patch(&path, &whole)
    };
    for (key, level, at, value) in [
        (Some("associated_records"), 2, "/records/associated_records", json!(2)),
        (Some("all_records"), 1, "/records/all_records", json!(1)),
        (Some("create_record"), 1, "/records/create_record", json!(true)),
        (Some("export"), 3, "/records/export", json!(true)),
        (Some("export"), 0, "/records/export", json!(false)),
        (Some("default_field_access"), 1, "/default_field_access", json!(1)),
        (None, 3, "/settings", json!(3)),
        (Some("settings"), 2, "/settings", json!(2)),
    ] {
        let mut body = json!({"permission_level": level});
        if let Some(key) = key {
            body["key"] = json!(key);
        }
        *expected.pointer_mut(at).expect("a key of an entry") = value;
        assert_eq!(set(body).expect(200)["objects"]["accounts"], expected, "{key:?}");
    }
    expected["fields"] = json!({"note": 0});
    let of_field = json!({"field": {"id": field["id"]}, "permission_level": 0});
    assert_eq!(set(of_field).expect(200)["objects"]["accounts"], expected);
    for (body, code, parameter) in [
        (json!({"key": "all_records", "permission_level": 3}), "invalid", "permission_level"),
        (
            json!({"key": "associated_records", "permission_level": 1}),
            "invalid",
            "permission_level",
        ),
        (json!({"key": "nothing", "permission_level": 1}), "invalid_choice", "key"),
        (json!({"permission_level": 4}), "invalid_choice", "permission_level"),
        (json!({}), "required", "permission_level"),
        (json!({"field": {"id": "nobody"}, "permission_level": 1}), "does_not_exist", "field"),
        (
            json!({"field": {"id": "note"}, "permission_level": 3}),
            "invalid_choice",
            "permission_level",
        ),
    ] {
        let answer = set(body);
        let found = answer.expect_error(400, code);
        assert_eq!(found["errors"][0]["parameter"], parameter, "{answer}");
    }
    let nobody = json!({"custom_object": {"id": "nobody"}, "permission_level": 1});
    fixture.client.patch(&path, &nobody).expect_error(400, "does_not_exist");
    let read = fixture.client.get(&path.replace("/object-update", "")).expect(200);
    assert_eq!(read["objects"]["accounts"], expected);
}

#[test]
fn a_role_is_answered_whole_and_read_back_the_same() {
    let mut fixture = Fixture::new();
    let page = fixture.client.get(ROLES).expect(200);
    let administrator = page["results"][0].clone();
    assert_includes(&administrator, &json!({"name": "Administrator", "is_admin": true}));
    let group = fixture.client.post(GROUPS, &json!({"name": "group"})).expect(201);
    let body = json!({
        "name": " Sales ", "permissions": ["a", "b"], "permission_groups": [group["id"]],
        "default_for_new_users": true,
    });
    let made = fixture.client.post(ROLES, &body).expect(201);
    let mut expected = body;
    expected["id"] = made["id"].clone();
    expected["name"] = json!("Sales");
    expected["is_admin"] = json!(false);
    assert_eq!(made, expected);
    let path = format!("{ROLES}/{}", text(&made, "id"));
    let mut fixture = fixture.after_a_crash();
    assert_eq!(fixture.client.get(&path).expect(200), expected);
    let page = fixture.client.get(ROLES).expect(200);
    assert_eq!(page["results"], json!([administrator, expected]));
    let new = fixture.client.post("/api/team", &json!({"email": "ada@example.com"})).expect(201);
    let shown = json!([{"id": made["id"], "name": "Sales", "default_for_new_users": true}]);
    assert_eq!(new["roles"], shown, "the role for new members");
    let changed = fixture.client.patch(&path, &json!({"permissions": [], "name": "Selling"}));
    expected["permissions"] = json!([]);
    expected["name"] = json!("Selling");
    assert_eq!(changed.expect(200), expected);
    for (body, code, parameter) in [
        (json!({"name": ""}), "blank", "name"),
        (json!({"permissions": [1]}), "invalid", "permissions"),
        (json!({"permission_groups": [UNKNOWN]}), "does_not_exist", "permission_groups"),
        (json!({"permission_groups": ["x"]}), "invalid", "permission_groups"),
        (json!({"default_for_new_users": 1}), "invalid", "default_for_new_users"),
        (json!({"id": UNKNOWN}), "immutable", "id"),
    ] {
        let answer = fixture.client.patch(&path, &body);
        let found = answer.expect_error(400, code);
        assert_eq!(found["errors"][0]["parameter"], parameter, "{answer}");
    }
    fixture.client.post(ROLES, &json!({})).expect_error(400, "required");
    let group = format!("{GROUPS}/{}", text(&group, "id"));
    fixture.client.delete(&group).expect_empty(204);
    assert_eq!(fixture.client.get(&path).expect(200)["permission_groups"], json!([]));
    fixture.client.delete(&path).expect_empty(204);
    fixture.client.get(&path).expect_error(404, "not_found");
    let member = format!("/api/team/{}", text(&new, "id"));
    assert_eq!(fixture.client.get(&member).expect(200)["roles"], json!([]));
    let last = format!("{ROLES}/{}", text(&administrator, "id"));
    fixture.client.delete(&last).expect_error(400, "not_deletable");
}

/// The statuses of every route of roles and groups, by the level of the section.
#[test]
fn roles_and_groups_are_for_those_with_the_section() {
    for (settings, seen, edited, removed) in
        [(0, 403, 403, 403), (1, 200, 403, 403), (2, 200, 200, 403), (3, 200, 200, 200)]
    {
        let mut scene = Scene::new(&json!({"sections": {"settings": settings}}));
        let group = scene.fixture.client.post(GROUPS, &json!({"name": "other"})).expect(201);
        let group = format!("{GROUPS}/{}", text(&group, "id"));
        let role = scene.fixture.client.post(ROLES, &json!({"name": "role"})).expect(201);
        let role = format!("{ROLES}/{}", text(&role, "id"));
        let (none, name) = (Value::Null, json!({"name": "named"}));
        let right = json!({"custom_object": {"id": "*"}, "permission_level": 0});
        for (method, path, body, expected) in [
            ("GET", GROUPS, &none, seen),
            ("GET", ROLES, &none, seen),
            ("GET", &group, &none, seen),
            ("GET", &role, &none, seen),
            ("POST", GROUPS, &name, edited),
            ("POST", ROLES, &name, edited),
            ("PATCH", &group, &name, edited),
            ("PUT", &group, &name, edited),
            ("PATCH", &format!("{group}/object-update"), &right, edited),
            ("PATCH", &role, &name, edited),
            ("PATCH", "/api/business/mine", &name, edited),
            ("PUT", "/api/business/mine", &name, edited),
            ("POST", "/api/activities", &name, edited),
            ("PATCH", "/api/activities/task", &name, edited),
            ("DELETE", &group, &none, removed),
            ("DELETE", &role, &none, removed),
            ("DELETE", "/api/activities/task", &none, removed),
            ("GET", "/api/business/mine", &none, 200),
            ("GET", "/api/permissions/meta-data", &none, 200),
            ("GET", "/api/auth/access", &none, 200),
        ] {
            let request = Request::new(method, path);
            let request = if body.is_null() { request } else { request.json(body) };
            let answer = scene.client.send(&request);
            let is_good = matches!(answer.status, 200 | 201 | 204) && expected == 200;
            assert!(is_good || answer.status == expected, "{settings}: {answer}");
        }
    }
}

#[test]
fn who_edits_groups_neither_sees_nor_changes_what_it_cannot_see() {
    let entry = json!({
        "settings": 1, "records": records(2, 2, &json!({})), "fields": {"secret": 0},
    });
    let rights = json!({"sections": {"settings": 2}, "objects": {"accounts": entry}});
    let mut scene = Scene::new(&rights);
    let body = json!({"name": "other", "objects": {
        "client_client": {"settings": 3},
        "accounts": {"settings": 1, "fields": {"secret": 0, "note": 0}},
    }});
    let made = scene.fixture.client.post(GROUPS, &body).expect(201);
    let path = format!("{GROUPS}/{}", text(&made, "id"));
    let seen = scene.client.get(&path).expect(200);
    assert_eq!(seen["objects"]["accounts"]["fields"], json!({"note": 0}));
    assert!(seen["objects"].get("client_client").is_none(), "{seen}");
    for method in ["PATCH", "PUT"] {
        for (body, code) in [
            (json!({"objects": {"client_client": null}}), "does_not_exist"),
            (json!({"objects": {"accounts": {"fields": {"secret": 2}}}}), "does_not_exist"),
        ] {
            let request = Request::new(method, &path).json(&body);
            scene.client.send(&request).expect_error(400, code);
        }
        let change = json!({"objects": {"accounts": {"settings": 1, "fields": {"note": 1}}}});
        let request = Request::new(method, &path).json(&change);
        scene.client.send(&request).expect(200);
        let whole = scene.fixture.client.get(&path).expect(200);
        assert_eq!(whole["objects"]["accounts"]["fields"], json!({"note": 1, "secret": 0}));
        assert_eq!(whole["objects"]["client_client"]["settings"], 3);
    }
    // Nor does it hand on what it has not.
    for body in [
        json!({"name": "more", "is_admin": true}),
        json!({"name": "more", "sections": {"settings": 3}}),
        json!({"name": "more", "objects": {"accounts": {"settings": 2, "fields": {"note": 1}}}}),
    ] {
        scene.client.post(GROUPS, &body).expect_error(403, "permission_required");
    }
}

#[test]
fn every_right_is_in_the_catalogue() {
    let mut fixture = fixture();
    let page = fixture.client.get("/api/permissions/meta-data").expect(200);
    let rows = page["results"].as_array().expect("a page").clone();
    assert_eq!(page["count"], rows.len());
    let find = |key: &str| rows.iter().find(|row| row["key"] == key).cloned();
    let level = |key: &str| json!({"key": key, "levels": [0, 1, 2, 3], "default": 0});
    let flag = |key: &str| json!({"key": key, "levels": [false, true], "default": false});
    let made = fixture.client.post(GROUPS, &json!({"name": "x", "objects": {"accounts": {}}}));
    let made = made.expect(201);
    let mut keys = vec![("is_admin".to_owned(), made["is_admin"].clone())];
    let mut add = |prefix: &str, of: &Value| {
        for (key, value) in of.as_object().expect("rights") {
            if !value.is_object() {
                keys.push((format!("{prefix}.{key}"), value.clone()));
            }
        }
    };
    add("sections", &made["sections"]);
    add("objects", &made["objects"]["accounts"]);
    add("objects.records", &made["objects"]["accounts"]["records"]);
    for (key, value) in &keys {
        let expected = match (&**key, value) {
            ("objects.default_field_access", _) => {
                json!({"key": key, "levels": [0, 1, 2], "default": 2})
            }
            (_, Value::Bool(_)) => flag(key),
            _ => level(key),
        };
        assert_eq!(find(key), Some(expected), "{key}");
    }
    let fields = json!({"key": "objects.fields", "levels": [0, 1, 2], "default": null});
    assert_eq!(find("objects.fields"), Some(fields));
    assert_eq!(rows.len(), keys.len() + 1);
}

#[test]
fn a_member_is_told_what_it_may_do() {
    let group = json!({
        "sections": {"team": 2, "create_objects": true},
        "objects": {
            "client_client": {"records": records(1, 2, &json!({}))},
            "accounts": {"settings": 2, "records": records(0, 3, &json!({"create_record": true}))},
        },
    });
    let mut scene = Scene::new(&group);
    scene.fixture.object("deals");
    let object = scene.fixture.client.get("/api/custom-objects/accounts").expect(200);
    let id = text(&object, "id");
    let expected = json!({
        "is_admin": false,
        "sections": {"settings": 0, "team": 2, "all_team_members": false, "create_objects": true},
        "contacts": {"view": true, "edit": true, "remove": false, "create": false},
        "custom_objects": {"create": true, id: {"view": true, "edit": true, "remove": false}},
        "custom_object_entities": {
            id: {"view": true, "edit": true, "remove": true, "create": true},
        },
    });
    assert_eq!(scene.client.get("/api/auth/access").expect(200), expected);
    let admin = scene.fixture.client.get("/api/auth/access").expect(200);
    assert_eq!(
        (&admin["is_admin"], &admin["custom_objects"]["create"]),
        (&json!(true), &json!(true))
    );
    assert_eq!(admin["custom_objects"].as_object().map(serde_json::Map::len), Some(3));
}
