//! The two numbers that every record answer carries: upcoming activities and team members.

use crate::support::{Fixture, assert_includes, text};
use serde_json::{Value, json};

/// What the record's every answer must say; nobody has planned anything.
fn numbers(members: u32) -> Value {
    json!({"num_associated_team_members": members, "num_upcoming_activities": 0})
}

#[test]
fn a_record_counts_its_owner_and_a_contact_nobody() {
    let mut fixture = Fixture::new();
    fixture.object("accounts");
    let account = fixture.create("accounts", "Acme", &json!({}));
    let contact = fixture.create("client_client", "ada@example.com", &json!({}));
    for (object, record, members) in [("accounts", account, 1), ("client_client", contact, 0)] {
        assert_includes(&record, &numbers(members));
        let read = fixture.read(object, text(&record, "id")).expect(200);
        assert_includes(&read, &numbers(members));
        let list = fixture.client.get(&format!("/api/records/{object}")).expect(200);
        assert_includes(&list["results"][0], &numbers(members));
    }
}

#[test]
fn a_member_in_several_places_counts_once() {
    let mut fixture = Fixture::new();
    fixture.object("accounts");
    for (object, name, many) in [
        ("accounts", "account_manager", false),
        ("accounts", "advisers", true),
        ("client_client", "adviser", false),
    ] {
        let body = json!({
            "field_type": "team_selector", "display_name": name, "name": name, "allow_multiple": many,
        });
        fixture.field(object, &body);
    }
    let account = fixture.create("accounts", "Acme", &json!({}));
    let me = owner_of(&account);
    for (object, key, fields, members) in [
        ("accounts", "Acme", json!({"account_manager": me}), 1),
        ("accounts", "Acme", json!({"advisers": [me]}), 1),
        ("accounts", "Acme", json!({"account_manager": null, "advisers": []}), 1),
        ("client_client", "ada@example.com", json!({}), 0),
        ("client_client", "ada@example.com", json!({"adviser": {"id": me}}), 1),
        ("client_client", "ada@example.com", json!({"adviser": null}), 0),
    ] {
        let body = json!({"lookup_value": key, "fields": fields});
        let answer = fixture.upsert(object, &body).expect(200);
        assert_includes(&answer, &numbers(members));
        let read = fixture.read(object, text(&answer, "id")).expect(200);
        assert_includes(&read, &numbers(members));
    }
}

fn owner_of(record: &Value) -> String {
    let owner = crate::support::field_value(record, "owner").expect("a new record has an owner");
    text(owner, "id").to_owned()
}
