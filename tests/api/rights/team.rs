//! Who sees, makes, changes and deletes members, and who may hand out what.

use super::{Scene, make_group};
use crate::support::{Request, text};
use serde_json::{Value, json};

#[test]
fn the_team_is_for_those_with_the_section() {
    for (team, all, seen, made, edited, removed) in [
        (0, true, 403, 403, 403, 403),
        (1, true, 200, 403, 403, 403),
        (2, true, 200, 201, 200, 403),
        (3, true, 200, 201, 200, 204),
        (3, false, 403, 201, 403, 403),
    ] {
        let mut scene = Scene::new(&json!({"sections": {"team": team, "all_team_members": all}}));
        let bob = json!({"email": "bob@example.com"});
        let bob = scene.fixture.client.post("/api/team", &bob).expect(201);
        let path = format!("/api/team/{}", text(&bob, "id"));
        let own = format!("/api/team/{}", scene.member);
        let rows = if seen == 200 { 3 } else { 1 };
        for list in ["/api/team", "/api/employee", "/api/team/typeahead"] {
            let found = scene.client.get(list).expect(200);
            assert_eq!(found.as_array().map(Vec::len), Some(rows), "{team} {all} {list}");
        }
        let search = scene.client.post("/api/team/search", &json!({})).expect(200);
        assert_eq!(search["count"], rows);
        let (title, none) = (json!({"title": "t"}), Value::Null);
        let unknown = "/api/team/00000000-0000-7000-8000-000000000000";
        let of_unknown = |status: u16| if status == 403 { 403 } else { 404 };
        for (method, path, body, status) in [
            ("GET", &*own, &none, 200),
            ("GET", &path, &none, seen),
            ("GET", unknown, &none, of_unknown(seen)),
            ("POST", "/api/team", &json!({"email": "new@example.com"}), made),
            ("PATCH", &path, &title, edited),
            ("PATCH", unknown, &title, of_unknown(edited)),
            ("PATCH", &own, &title, if team >= 2 { 200 } else { 403 }),
            ("DELETE", &path, &none, removed),
            ("DELETE", unknown, &none, of_unknown(removed)),
        ] {
            let request = Request::new(method, path);
            let request = if body.is_null() { request } else { request.json(body) };
            let answer = scene.client.send(&request);
            assert_eq!(answer.status, status, "{team} {all}: {answer}");
        }
    }
}

#[test]
fn nobody_but_an_administrator_grants_more_than_it_has() {
    let own = json!({"sections": {"team": 3, "all_team_members": true, "settings": 1}});
    let mut scene = Scene::new(&own);
    let more = make_group(&mut scene.fixture, &json!({"sections": {"settings": 2}}));
    let less = make_group(&mut scene.fixture, &json!({"sections": {"settings": 1}}));
    let role = json!({"name": "role", "permission_groups": [more]});
    let role = scene.fixture.client.post("/api/role", &role).expect(201);
    let roles = scene.fixture.client.get("/api/role").expect(200);
    let admins = roles["results"][0]["id"].clone();
    let me = format!("/api/team/{}", scene.member);
    let new = |grant: Value| {
        let mut body = json!({"email": "new@example.com"});
        body.as_object_mut().expect("a body").extend(grant.as_object().expect("a grant").clone());
        body
    };
    for grant in [
        json!({"permission_groups": [more]}),
        json!({"roles": [role["id"]]}),
        json!({"roles": [admins]}),
    ] {
        scene
            .client
            .post("/api/team", &new(grant.clone()))
            .expect_error(403, "permission_required");
        scene.client.patch(&me, &grant).expect_error(403, "permission_required");
    }
    let granted = new(json!({"permission_groups": [less], "roles": []}));
    let made = scene.client.post("/api/team", &granted).expect(201);
    let made = format!("/api/team/{}", text(&made, "id"));
    scene.fixture.client.patch(&made, &json!({"roles": [role["id"]]})).expect(200);
    // What it has from others may stay, and may be taken away.
    scene.client.patch(&made, &json!({"roles": [role["id"]], "title": "t"})).expect(200);
    scene.client.patch(&made, &json!({"roles": []})).expect(200);
    // An administrator is changed by administrators.
    let team = scene.fixture.client.get("/api/team").expect(200);
    let admin = format!("/api/team/{}", text(&team[0], "id"));
    let change = json!({"email": "taken@example.com"});
    scene.client.patch(&admin, &change).expect_error(403, "permission_required");
    scene.client.delete(&admin).expect_error(403, "permission_required");
    let key = json!({"name": "key", "member_id": team[0]["id"]});
    scene.client.post("/api/api-keys", &key).expect_error(403, "permission_required");
}

#[test]
fn an_administrator_by_a_group_is_one() {
    let mut scene = Scene::new(&json!({"is_admin": true}));
    assert_eq!(scene.client.get("/api/auth/access").expect(200)["is_admin"], true);
    scene.client.post("/api/custom-objects", &json!({"object_name": "D", "name": "d"})).expect(201);
    let record = scene.archived("gone", false);
    let purge = format!("/api/records/accounts/{record}?purge=true");
    scene.client.delete(&purge).expect_empty(204);
    let keys = scene.client.get("/api/api-keys").expect(200);
    assert_eq!(keys["count"], 2, "those of everybody");
}
