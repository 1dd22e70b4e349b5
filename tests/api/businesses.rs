//! Businesses that the operator makes while the server runs: whole at once, apart from each other,
//! there after a crash, and closed to everybody when archived.

use crate::support::{Answer, Fixture, OPERATOR_KEY, Request, assert_includes, text};
use serde_json::{Value, json};

const BUSINESSES: &str = "/api/admin/businesses";
const SECRET: &str = "a-secret-of-an-older-script";
const UNKNOWN: &str = "00000000-0000-7000-8000-000000000000";

fn as_operator(fixture: &mut Fixture, method: &str, target: &str, body: &Value) -> Answer {
    let request = Request::new(method, target).header("X-OPERATOR-KEY", OPERATOR_KEY);
    fixture.send(&if body.is_null() { request } else { request.json(body) })
}

/// A business that was made, and who may do everything in it.
struct Made {
    business: String,
    user: String,
    secret: String,
}

impl Made {
    fn of(answer: &Value) -> Self {
        Self {
            business: text(&answer["business"], "id").to_owned(),
            user: text(&answer["member"], "user_id").to_owned(),
            secret: text(&answer["api_key"], "secret").to_owned(),
        }
    }

    fn request(&self, method: &str, target: &str) -> Request {
        Request::new(method, target)
            .header("X-API-KEY", &self.secret)
            .header("X-BUSINESS-ID", &self.business)
            .header("X-USER-ID", &self.user)
    }
}

fn make(fixture: &mut Fixture, name: &str) -> Made {
    let body = json!({"name": name, "admin": {"email": "ann@example.com"}});
    Made::of(&as_operator(fixture, "POST", BUSINESSES, &body).expect(201))
}

fn upsert(fixture: &mut Fixture, made: &Made, email: &str) -> Answer {
    let request = made.request("POST", "/api/records/client_client/upsert");
    fixture.send(&request.json(&json!({"lookup_value": email})))
}

#[test]
fn a_new_business_is_whole_when_it_is_answered_and_after_a_crash() {
    let mut fixture = Fixture::new();
    let ids = [1, 2, 3].map(|last| format!("0192f7aa-0000-7000-8000-00000000000{last}"));
    let body = json!({
        "name": " Acme ", "id": ids[0], "timezone": "Europe/Berlin", "country": "DE",
        "phone_default_region": "AT", "admin": {
            "email": "ann@example.com", "first_name": "Ann", "id": ids[1], "user_id": ids[2],
            "secret": SECRET,
        },
    });
    let answer = as_operator(&mut fixture, "POST", BUSINESSES, &body).expect(201);
    assert_includes(
        &answer["business"],
        &json!({
            "id": ids[0], "name": "Acme", "country": "DE", "phone_default_region": "AT",
            "timezone": {"name": "Europe/Berlin"},
        }),
    );
    assert_includes(
        &answer["member"],
        &json!({
            "id": ids[1], "user_id": ids[2], "display_name": "Ann", "is_active": true,
        }),
    );
    assert_eq!(answer["member"]["roles"][0]["name"], "Administrator");
    assert_includes(&answer["api_key"], &json!({"secret": SECRET, "member": {"id": ids[1]}}));
    let made = Made::of(&answer);
    for round in 0..2 {
        let created = upsert(&mut fixture, &made, &format!("{round}@example.com")).expect(200);
        assert_includes(&created, &json!({"action": "created", "num_upcoming_activities": 0}));
        let mine = fixture.send(&made.request("GET", "/api/business/mine")).expect(200);
        assert_eq!(mine, answer["business"]);
        let types = fixture.send(&made.request("GET", "/api/activities/task"));
        types.expect(200);
        let object = json!({"object_name": format!("Object {round}")});
        let request = made.request("POST", "/api/custom-objects").json(&object);
        fixture.send(&request).expect(201);
        fixture = fixture.after_a_crash();
        let list = fixture.send(&made.request("GET", "/api/records/client_client")).expect(200);
        assert_eq!(list["count"], round + 1);
    }
    assert!(!fixture.server.stderr().contains(SECRET), "a secret must never be logged");
}

#[test]
fn nothing_crosses_the_border_of_a_business() {
    let mut fixture = Fixture::new();
    let (first, second) = (make(&mut fixture, "first"), make(&mut fixture, "second"));
    let record = upsert(&mut fixture, &first, "ada@example.com").expect(200);
    let path = format!("/api/records/client_client/{}", text(&record, "id"));
    fixture.send(&first.request("GET", &path)).expect(200);
    fixture.send(&second.request("GET", &path)).expect_error(404, "not_found");
    fixture.client.get(&path).expect_error(404, "not_found");
    let found = upsert(&mut fixture, &second, "ada@example.com").expect(200);
    assert_eq!(found["action"], "created");
    let strange = Made { business: second.business, ..first };
    let answer = fixture.send(&strange.request("GET", "/api/business/mine"));
    answer.expect_error(401, "authentication_failed");
}

#[test]
fn an_archived_business_lets_nobody_in_and_is_still_listed() {
    let mut fixture = Fixture::new();
    let made = make(&mut fixture, "acme");
    let one = format!("{BUSINESSES}/{}", made.business);
    upsert(&mut fixture, &made, "ada@example.com").expect(200);
    let renamed = as_operator(&mut fixture, "PATCH", &one, &json!({"name": "Acme"})).expect(200);
    assert_includes(&renamed, &json!({"name": "Acme", "archived_at": null}));
    let mine = fixture.send(&made.request("GET", "/api/business/mine")).expect(200);
    assert_eq!(mine["name"], "Acme");
    for _ in 0..2 {
        as_operator(&mut fixture, "DELETE", &one, &Value::Null).expect_empty(204);
        let archived = as_operator(&mut fixture, "GET", &one, &Value::Null).expect(200);
        assert!(archived["archived_at"].is_string(), "{archived}");
        let answer = fixture.send(&made.request("GET", "/api/business/mine"));
        answer.expect_error(401, "authentication_failed");
        upsert(&mut fixture, &made, "bob@example.com").expect_error(401, "authentication_failed");
        let list = as_operator(&mut fixture, "GET", BUSINESSES, &Value::Null).expect(200);
        assert_eq!((&list["count"], &list["results"][1]), (&json!(2), &archived));
        assert_eq!(list["results"][0]["name"], "default");
        fixture.client.get("/api/business/mine").expect(200);
        fixture = fixture.after_a_crash();
    }
}

#[test]
fn a_bad_business_is_refused_and_makes_nothing() {
    let mut fixture = Fixture::new();
    let mine = fixture.client.get("/api/business/mine").expect(200);
    let admin = json!({"email": "ann@example.com"});
    for (body, code) in [
        (json!({"admin": admin}), "required"),
        (json!({"name": "a"}), "required"),
        (json!({"name": "a", "admin": {}}), "required"),
        (json!({"name": "a", "admin": {"email": "nobody"}}), "invalid"),
        (json!({"name": "a", "admin": {"email": "a@b.example", "secret": "short"}}), "invalid"),
        (json!({"name": "a", "admin": admin, "timezone": "Mars"}), "invalid_choice"),
        (json!({"name": "a", "admin": admin, "country": "ZZ"}), "invalid_choice"),
        (json!({"name": "a", "admin": admin, "id": mine["id"]}), "unique"),
    ] {
        as_operator(&mut fixture, "POST", BUSINESSES, &body).expect_error(400, code);
    }
    let list = as_operator(&mut fixture, "GET", BUSINESSES, &Value::Null).expect(200);
    assert_eq!(list["count"], 1);
    for (method, body) in [("GET", Value::Null), ("PATCH", json!({})), ("DELETE", Value::Null)] {
        let target = format!("{BUSINESSES}/{UNKNOWN}");
        let answer = as_operator(&mut fixture, method, &target, &body);
        answer.expect_error(404, "not_found");
    }
    let request = Request::new("GET", BUSINESSES);
    fixture.send(&request).expect_error(401, "not_authenticated");
}
