//! Members who stop, come back and go, and what every read says of them: after each change, and
//! after a crash.

use crate::support::{Answer, Fixture, Request, assert_includes, field_value, text, until};
use serde_json::{Value, json};

/// An account whose owner, advisers and explicit team are other members than the administrator.
struct Scene {
    fixture: Fixture,
    record: String,
    ada: String,
    bob: String,
}

const ADA_SECRET: &str = "a-secret-of-ada-alone";

impl Scene {
    fn new() -> Self {
        let mut fixture = Fixture::new();
        fixture.object("accounts");
        for (name, many) in [("manager", false), ("advisers", true)] {
            let body = json!({
                "field_type": "team_selector", "display_name": name, "name": name,
                "allow_multiple": many,
            });
            fixture.field("accounts", &body);
        }
        let mut member = |email: &str| {
            let made = fixture.client.post("/api/team", &json!({"email": email})).expect(201);
            text(&made, "id").to_owned()
        };
        let (ada, bob) = (member("ada@example.com"), member("bob@example.com"));
        let key = json!({"name": "ada", "member_id": ada, "secret": ADA_SECRET});
        fixture.client.post("/api/api-keys", &key).expect(201);
        let fields = json!({"owner": ada, "manager": ada, "advisers": [ada, bob]});
        let made = fixture.create("accounts", "Acme", &fields);
        let record = text(&made, "id").to_owned();
        let team = format!("/api/records/accounts/{record}/team-members/{ada}");
        fixture.send(&Request::new("PUT", &team)).expect_empty(204);
        Self { fixture, record, ada, bob }
    }

    fn read(&mut self) -> Value {
        self.fixture.read("accounts", &self.record).expect(200)
    }

    /// Every read agrees about the number and about who is shown where.
    #[track_caller]
    fn check(&mut self, members: u32, shown: &Value) {
        let record = self.read();
        let expected = json!({"num_associated_team_members": members, "version": 1});
        assert_includes(&record, &expected);
        let found = self.fixture.lookup("accounts", "Acme").expect(200);
        let list = self.fixture.client.get("/api/records/accounts").expect(200);
        for answer in [&record, &found, &list["results"][0]] {
            assert_includes(answer, &expected);
            let emails = json!({
                "owner": email(answer, "owner"), "manager": email(answer, "manager"),
                "advisers": emails(answer, "advisers"),
            });
            assert_eq!(&emails, shown);
        }
        let team = format!("/api/records/accounts/{}/team-members", self.record);
        assert_eq!(self.fixture.client.get(&team).expect(200)["count"], members);
    }

    fn ask_as_ada(&mut self) -> Answer {
        let request = Request::new("GET", "/api/business/mine");
        let request = request.header("X-API-KEY", ADA_SECRET).header("X-USER-ID", &self.ada);
        self.fixture.send(&request)
    }

    fn after_a_crash(self) -> Self {
        Self { fixture: self.fixture.after_a_crash(), ..self }
    }
}

fn email(record: &Value, field: &str) -> Value {
    field_value(record, field).map_or(Value::Null, |member| member["email"].clone())
}

fn emails(record: &Value, field: &str) -> Value {
    let members = field_value(record, field).and_then(Value::as_array).cloned();
    members.unwrap_or_default().iter().map(|member| member["email"].clone()).collect()
}

#[test]
fn who_is_not_active_does_not_count_but_stays_where_it_was() {
    let mut scene = Scene::new();
    let (ada, bob) = ("ada@example.com", "bob@example.com");
    let shown = json!({"owner": ada, "manager": ada, "advisers": [ada, bob]});
    scene.check(2, &shown);
    let path = format!("/api/team/{}", scene.ada);
    for (is_active, members, status) in [(false, 1, 401), (true, 2, 200), (false, 1, 401)] {
        let body = json!({"is_active": is_active});
        scene.fixture.client.patch(&path, &body).expect(200);
        scene.check(members, &shown);
        assert_eq!(scene.ask_as_ada().status, status);
        let taken = json!({"lookup_value": "Acme", "fields": {"manager": scene.ada}});
        let write = scene.fixture.upsert("accounts", &taken);
        assert_eq!(write.status, if is_active { 200 } else { 400 }, "{write}");
        scene = scene.after_a_crash();
        scene.check(members, &shown);
        assert_eq!(scene.ask_as_ada().status, status);
    }
}

#[test]
fn who_is_deleted_is_gone_from_every_read_and_moves_no_version() {
    let mut scene = Scene::new();
    let tag = |scene: &mut Scene| {
        let answer = scene.fixture.read("accounts", &scene.record);
        answer.header("ETag").expect("a record has a tag").to_owned()
    };
    let before = tag(&mut scene);
    let path = format!("/api/team/{}", scene.ada);
    scene.fixture.client.delete(&path).expect_empty(204);
    let shown = json!({"owner": null, "manager": null, "advisers": ["bob@example.com"]});
    scene.check(1, &shown);
    assert_ne!(tag(&mut scene), before, "the record looks otherwise");
    scene.ask_as_ada().expect_error(401, "authentication_failed");
    scene = scene.after_a_crash();
    scene.check(1, &shown);
    scene.ask_as_ada().expect_error(401, "authentication_failed");
    scene.fixture.client.get(&path).expect_error(404, "not_found");
    let bob = format!("/api/team/{}", scene.bob);
    scene.fixture.client.delete(&bob).expect_empty(204);
    scene.check(0, &json!({"owner": null, "manager": null, "advisers": []}));

    // The record's next change gives it an owner again: whoever makes it.
    scene.fixture.text_field("accounts", "note");
    let body = json!({"lookup_value": "Acme", "fields": {"note": "next"}});
    let changed = scene.fixture.upsert("accounts", &body).expect(200);
    let expected = json!({"num_associated_team_members": 1, "version": 2, "action": "updated"});
    assert_includes(&changed, &expected);
    assert_eq!(email(&scene.read(), "owner"), "admin@upsertd.invalid");
}

#[test]
fn a_revoked_key_stays_revoked_after_a_crash_and_an_hour_of_use_is_kept() {
    let mut scene = Scene::new();
    let last_used = |scene: &mut Scene| {
        let page = scene.fixture.client.get("/api/api-keys").expect(200);
        page["results"][0]["last_used_at"].clone()
    };
    // Nobody waits until it is kept.
    let used = until("a use to be kept", || Some(last_used(&mut scene)).filter(Value::is_string));
    let hour = used.as_str().expect("a time");
    assert!(hour.ends_with(":00:00.000000+00:00"), "{hour} is no full hour");

    scene.ask_as_ada().expect(200);
    let page = scene.fixture.client.get("/api/api-keys").expect(200);
    let key = page["results"].as_array().expect("a page").iter().find(|key| key["name"] == "ada");
    let path = format!("/api/api-keys/{}", text(key.expect("it is listed"), "id"));
    scene.fixture.client.delete(&path).expect_empty(204);
    scene.ask_as_ada().expect_error(401, "authentication_failed");
    scene = scene.after_a_crash();
    scene.ask_as_ada().expect_error(401, "authentication_failed");
    assert!(!last_used(&mut scene).is_null());
    scene.fixture.client.delete(&path).expect_error(404, "not_found");
}
