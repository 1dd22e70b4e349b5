//! The two numbers that every record answer carries: upcoming activities and team members.
//!
//! They are not stored in the record, so nothing that changes them may change its version.

use crate::support::{Fixture, Request, assert_includes, field_value, text};
use serde_json::{Value, json};

const UNKNOWN: &str = "00000000-0000-7000-8000-000000000000";

fn numbers(members: u32, activities: u32) -> Value {
    json!({"num_associated_team_members": members, "num_upcoming_activities": activities})
}

/// An account and who made it.
struct Account {
    fixture: Fixture,
    id: String,
    me: String,
}

fn account() -> Account {
    let mut fixture = Fixture::new();
    fixture.object("accounts");
    for (name, many) in [("account_manager", false), ("advisers", true)] {
        let body = json!({
            "field_type": "team_selector", "display_name": name, "name": name, "allow_multiple": many,
        });
        fixture.field("accounts", &body);
    }
    let record = fixture.create("accounts", "Acme", &json!({}));
    let owner = field_value(&record, "owner").expect("a new record has an owner");
    let me = text(owner, "id").to_owned();
    Account { id: text(&record, "id").to_owned(), me, fixture }
}

impl Account {
    /// Every kind of answer gives the same two numbers.
    #[track_caller]
    fn check(&mut self, members: u32, activities: u32) {
        let expected = numbers(members, activities);
        let read = self.fixture.read("accounts", &self.id).expect(200);
        assert_includes(&read, &expected);
        assert_includes(&self.fixture.lookup("accounts", "Acme").expect(200), &expected);
        let list = self.fixture.client.get("/api/records/accounts").expect(200);
        assert_includes(&list["results"][0], &expected);
        let upsert = self.fixture.upsert("accounts", &json!({"lookup_value": "Acme"})).expect(200);
        assert_includes(&upsert, &expected);
    }

    fn version(&mut self) -> Value {
        self.fixture.read("accounts", &self.id).expect(200)["version"].clone()
    }

    fn write(&mut self, fields: &Value) {
        let body = json!({"lookup_value": "Acme", "fields": fields});
        self.fixture.upsert("accounts", &body).expect(200);
    }

    fn new_member(&mut self, email: &str) -> String {
        let member = self.fixture.client.post("/api/team", &json!({"email": email})).expect(201);
        text(&member, "id").to_owned()
    }

    fn team_member(&mut self, method: &str, member: &str) -> crate::support::Answer {
        let target = format!("/api/records/accounts/{}/team-members/{member}", self.id);
        self.fixture.send(&Request::new(method, &target))
    }

    /// Schedules the type that every business has, and gives the activity's path.
    fn schedule(&mut self, associated: &Value) -> String {
        let body = json!({
            "activity_object_name": "task", "due_datetime": "2020-01-01T00:00:00Z",
            "associated_entities": [associated],
        });
        let activity = self.fixture.client.post("/api/activities/scheduled-activity", &body);
        format!("/api/activities/scheduled-activity/{}", text(&activity.expect(201), "id"))
    }

    fn entity(&self) -> Value {
        json!({"custom_object": {"name": "accounts"}, "entity": {"id": self.id}})
    }
}

#[test]
fn a_record_counts_its_owner_and_a_contact_nobody() {
    let mut account = account();
    account.check(1, 0);
    let contact = account.fixture.create("client_client", "ada@example.com", &json!({}));
    assert_includes(&contact, &numbers(0, 0));
    let read = account.fixture.read("client_client", text(&contact, "id")).expect(200);
    assert_includes(&read, &numbers(0, 0));
}

#[test]
fn a_member_in_several_places_counts_once() {
    let mut account = account();
    let (me, ada, bob) = (
        account.me.clone(),
        account.new_member("ada@example.com"),
        account.new_member("bob@example.com"),
    );
    for (fields, members) in [
        (json!({"account_manager": me}), 1),
        (json!({"account_manager": ada}), 2),
        (json!({"advisers": [ada, me]}), 2),
        (json!({"advisers": [ada, bob]}), 3),
        (json!({"owner": bob}), 2),
        (json!({"account_manager": null, "advisers": []}), 1),
    ] {
        account.write(&fields);
        account.check(members, 0);
    }
}

#[test]
fn explicit_members_come_and_go_without_a_version() {
    let mut account = account();
    let (me, ada) = (account.me.clone(), account.new_member("ada@example.com"));
    let version = account.version();
    for (method, member, status, members) in [
        ("PUT", &*ada, 204, 2),
        ("PUT", &ada, 204, 2),
        ("PUT", &me, 204, 2),
        ("DELETE", &me, 204, 2),
        ("DELETE", &me, 404, 2),
        ("DELETE", &ada, 204, 1),
        ("DELETE", &ada, 404, 1),
        ("PUT", &ada, 204, 2),
    ] {
        let answer = account.team_member(method, member);
        assert_eq!(answer.status, status, "{answer}");
        account.check(members, 0);
    }
    assert_eq!(account.version(), version);
    assert!(account.team_member("PUT", UNKNOWN).status >= 400);

    account.write(&json!({"advisers": [ada]}));
    let path = format!("/api/records/accounts/{}/team-members", account.id);
    let page = account.fixture.client.get(&path).expect(200);
    assert_eq!(page["count"], 2);
    let rows = page["results"].as_array().expect("a page has results");
    for (member, sources) in
        [(&me, json!(["owner"])), (&ada, json!(["field:advisers", "explicit"]))]
    {
        let row = rows.iter().find(|row| row["id"] == **member).expect("the member is listed");
        let mut listed = row["sources"].as_array().expect("it has sources").clone();
        let mut sources = sources.as_array().expect("a list").clone();
        listed.sort_by_key(Value::to_string);
        sources.sort_by_key(Value::to_string);
        assert_eq!(listed, sources);
    }

    let fixture = account.fixture.after_a_crash();
    Account { fixture, ..account }.check(2, 0);
}

#[test]
fn an_activity_is_upcoming_until_it_is_completed() {
    let mut account = account();
    let version = account.version();
    let entity = account.entity();
    let first = account.schedule(&entity);
    account.check(1, 1);
    let second = account.schedule(&entity);
    account.check(1, 2);
    let time = "2026-11-24T05:40:00Z";
    for (completed_at, activities) in
        [(json!(time), 1), (json!(time), 1), (json!(null), 2), (json!(time), 1)]
    {
        let body = json!({"completed_at": completed_at});
        account.fixture.client.patch(&first, &body).expect(200);
        account.check(1, activities);
    }
    account.fixture.client.delete(&second).expect_empty(204);
    account.check(1, 0);
    assert_eq!(account.version(), version, "activities give a record no version");
}

#[test]
fn activities_survive_the_archive_and_a_crash() {
    let mut account = account();
    let entity = account.entity();
    account.schedule(&entity);
    account.fixture.archive("accounts", &account.id);
    let archived = account.fixture.read_archived("accounts", &account.id).expect(200);
    assert_includes(&archived, &json!({"num_upcoming_activities": 1}));
    let unarchive = format!("/api/records/accounts/{}/unarchive", account.id);
    account.fixture.client.patch(&unarchive, &json!({})).expect(200);
    account.check(1, 1);
    let fixture = account.fixture.after_a_crash();
    Account { fixture, ..account }.check(1, 1);
}

#[test]
fn a_record_can_be_associated_by_every_published_form() {
    let mut account = account();
    let object = account.fixture.client.get("/api/custom-objects/accounts").expect(200);
    let (object_id, id) = (object["id"].clone(), account.id.clone());
    let forms = [
        json!({"custom_object_id": object_id, "entity_id": id}),
        json!({"custom_object": {"id": object_id}, "entity": {"id": id}}),
        json!({"custom_object": {"name": "accounts"}, "entity": {"name": "Acme"}}),
        json!({"custom_object": object_id, "entity_id": id}),
    ];
    for (form, activities) in forms.iter().zip(1..) {
        println!("{form}");
        account.schedule(form);
        account.check(1, activities);
    }
    let schedule = "/api/activities/scheduled-activity";
    let due = "2026-11-24T05:40:00Z";
    let unknown = json!({"custom_object": {"name": "accounts"}, "entity_id": UNKNOWN});
    for (body, code) in [
        (json!({"due_datetime": due, "associated_entities": []}), "required"),
        (json!({"activity_object_name": "task", "associated_entities": []}), "required"),
        (
            json!({"activity_object_name": "task", "due_datetime": due, "associated_entities": [unknown]}),
            "does_not_exist",
        ),
        (json!({"activity_object_name": "unknown", "due_datetime": due}), "does_not_exist"),
    ] {
        account.fixture.client.post(schedule, &body).expect_error(400, code);
    }
    account.check(1, 4);
}
