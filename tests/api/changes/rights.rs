//! The feed tells each caller only of what exists for it, as its rights are now.

use crate::api::changes::{all, each};
use crate::support::{Client, Fixture, OPERATOR_KEY, Request, assert_includes, text};
use serde_json::{Value, json};

/// An object, and a member who may do so much with it.
struct Scene {
    fixture: Fixture,
    member: String,
    group: String,
    client: Client,
}

impl Scene {
    fn new(rights: &Value) -> Self {
        let mut fixture = Fixture::new();
        fixture.object("accounts");
        for name in ["note", "secret"] {
            let body = json!({
                "field_type": "text", "display_name": name, "name": name, "is_unique": true,
            });
            fixture.field("accounts", &body);
        }
        let body = json!({"name": "group", "objects": {"accounts": rights}});
        let group = fixture.client.post("/api/permission-group", &body).expect(201);
        let group = text(&group, "id").to_owned();
        let body = json!({"email": "ada@example.com", "permission_groups": [group]});
        let member = fixture.client.post("/api/team", &body).expect(201);
        let member = text(&member, "id").to_owned();
        let key = json!({"name": "key", "member_id": member, "secret": "a-secret-of-the-member"});
        fixture.client.post("/api/api-keys", &key).expect(201);
        let mut credentials = fixture.server.credentials();
        "a-secret-of-the-member".clone_into(&mut credentials.api_key);
        member.clone_into(&mut credentials.user_id);
        let client = Client::new(fixture.server.address(), &credentials);
        Self { fixture, member, group, client }
    }

    fn allow(&mut self, rights: &Value) {
        let body = json!({"objects": {"accounts": rights}});
        let path = format!("/api/permission-group/{}", self.group);
        self.fixture.client.patch(&path, &body).expect(200);
    }

    /// What the member is told.
    fn told(&mut self) -> Vec<Value> {
        all(&mut self.client, "accounts", "include=record")
    }
}

fn rights(all: u8, associated: u8, export: bool) -> Value {
    json!({"records": {"all_records": all, "associated_records": associated, "export": export}})
}

#[test]
fn without_the_right_to_export_there_is_no_feed() {
    let mut scene = Scene::new(&rights(3, 3, false));
    let target = "/api/records/accounts/changes";
    scene.client.get(target).expect_error(403, "permission_required");
    scene.client.get("/api/records/client_client/changes").expect_error(404, "not_found");
    scene.client.get("/api/records/nothing/changes").expect_error(404, "not_found");
    scene.allow(&rights(3, 3, true));
    scene.client.get(target).expect(200);
}

#[test]
fn what_became_invisible_is_told_no_more_and_purges_only_to_those_who_see_all() {
    let mut scene = Scene::new(&rights(0, 1, true));
    let member = scene.member.clone();
    let own = scene.fixture.create("accounts", "Own", &json!({"owner": member, "note": "o"}));
    let other = scene.fixture.create("accounts", "Other", &json!({"note": "x"}));
    let told = scene.told();
    let records: Vec<_> = told.iter().filter(|entry| entry["action"] != "schema").collect();
    assert_eq!(records.len(), 1);
    assert_includes(records[0], &json!({"id": own["id"], "record": {"name": "Own"}}));
    let names = serde_json::to_string(&told).expect("values are JSON");
    assert!(!names.contains("Other") && !names.contains(text(&other, "id")));

    let path = format!("/api/records/accounts/{}", text(&own, "id"));
    let me = scene.fixture.client.get("/api/team").expect(200)[0]["id"].clone();
    scene.fixture.client.patch(&path, &json!({"fields": {"owner": me}})).expect(200);
    assert!(scene.told().iter().all(|entry| entry["action"] == "schema"), "nothing more is shown");
    scene.fixture.archive("accounts", text(&own, "id"));
    scene.fixture.client.delete(&format!("{path}?purge=true")).expect_empty(204);
    assert!(scene.told().iter().all(|entry| entry["action"] == "schema"));
    scene.allow(&rights(1, 1, true));
    let actions = each(&scene.told(), "action");
    assert_eq!(actions.last(), Some(&json!("purged")));
    assert_eq!(actions.len(), all(&mut scene.fixture.client, "accounts", "").len());
}

#[test]
fn a_hidden_field_is_in_no_entry_whether_it_is_still_there_or_not() {
    let hiding = json!({
        "settings": 1, "records": {"all_records": 3, "associated_records": 3, "export": true},
        "fields": {"secret": 0},
    });
    let mut scene = Scene::new(&hiding);
    scene.fixture.create("accounts", "Acme", &json!({"note": "n", "secret": "s3cr3t"}));
    let fields = "/api/custom-objects/accounts/fields";
    let secret = scene.fixture.client.get(&format!("{fields}/secret")).expect(200);
    let check = |scene: &mut Scene, hidden: usize| {
        let told = scene.told();
        let whole = all(&mut scene.fixture.client, "accounts", "include=record");
        assert_eq!(whole.len(), told.len() + hidden, "{told:#?}");
        let text = serde_json::to_string(&told).expect("values are JSON");
        for word in ["secret", "s3cr3t", secret["id"].as_str().expect("an id is a text")] {
            assert!(!text.contains(word), "{word} in {text}");
        }
        let record = told.iter().find(|entry| entry["action"] == "created").expect("it was made");
        assert_eq!(record["keys"], json!({"name": "Acme", "note": "n"}));
    };
    check(&mut scene, 1);
    let path = format!("{fields}/secret");
    scene.fixture.client.patch(&path, &json!({"description": "x"})).expect(200);
    check(&mut scene, 2);
    scene.fixture.client.delete(&path).expect_empty(204);
    check(&mut scene, 3);
}

#[test]
fn nothing_of_another_business_is_told() {
    let mut fixture = Fixture::new();
    let object = fixture.object("accounts");
    fixture.create("accounts", "Acme", &json!({}));
    let body = json!({"name": "Other", "admin": {"email": "eve@example.com"}});
    let request = Request::new("POST", "/api/admin/businesses").json(&body);
    let request = request.header("X-OPERATOR-KEY", OPERATOR_KEY);
    let made = fixture.send(&request).expect(201);
    let mut credentials = fixture.server.credentials();
    text(&made["business"], "id").clone_into(&mut credentials.business_id);
    text(&made["api_key"], "secret").clone_into(&mut credentials.api_key);
    text(&made["member"], "user_id").clone_into(&mut credentials.user_id);
    let mut other = Client::new(fixture.server.address(), &credentials);
    for name in ["accounts", text(&object, "id")] {
        other.get(&format!("/api/records/{name}/changes")).expect_error(404, "not_found");
    }
    let told = all(&mut other, "client_client", "");
    assert_eq!(each(&told, "seq"), [json!(1)], "its own contacts, as they were made");
}
