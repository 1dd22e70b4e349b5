//! What is left of a value whose members were deleted: that is compared, that is asked for.
//!
//! Stored ids of deleted members once counted: clearing what read as blank made a version, and a
//! required member who was gone was taken for one who is there.

use crate::support::{Fixture, field_value, text};
use serde_json::{Value, json};

struct Scene {
    fixture: Fixture,
    ada: String,
    bob: String,
}

impl Scene {
    fn new() -> Self {
        let mut fixture = Fixture::new();
        fixture.object("accounts");
        for (name, more) in [
            ("manager", json!({})),
            ("advisers", json!({"allow_multiple": true})),
            ("deputies", json!({"allow_multiple": true})),
        ] {
            add_member_field(&mut fixture, name, &more);
        }
        let mut member = |email: &str| {
            let made = fixture.client.post("/api/team", &json!({"email": email})).expect(201);
            text(&made, "id").to_owned()
        };
        let (ada, bob) = (member("ada@example.com"), member("bob@example.com"));
        Self { fixture, ada, bob }
    }

    fn create(&mut self, name: &str, fields: &Value) -> String {
        text(&self.fixture.create("accounts", name, fields), "id").to_owned()
    }

    fn delete_ada(&mut self) {
        self.fixture.client.delete(&format!("/api/team/{}", self.ada)).expect_empty(204);
    }

    fn patch(&mut self, record: &str, fields: &Value) -> Value {
        let path = format!("/api/records/accounts/{record}");
        self.fixture.client.patch(&path, &json!({"fields": fields})).expect(200)
    }

    /// Ids of the members that a field shows.
    fn shown(&mut self, record: &str, field: &str) -> Vec<String> {
        let record = self.fixture.read("accounts", record).expect(200);
        let members = match field_value(&record, field) {
            None => Vec::new(),
            Some(Value::Array(members)) => members.clone(),
            Some(member) => vec![member.clone()],
        };
        members.iter().map(|member| text(member, "id").to_owned()).collect()
    }
}

fn add_member_field(fixture: &mut Fixture, name: &str, more: &Value) {
    let mut body = json!({"field_type": "team_selector", "display_name": name, "name": name});
    let more = more.as_object().expect("the block of a field is an object").clone();
    body.as_object_mut().expect("it was just made").extend(more);
    fixture.field("accounts", &body);
}

#[test]
fn writing_what_is_left_of_members_changes_nothing() {
    let mut scene = Scene::new();
    let (ada, bob) = (scene.ada.clone(), scene.bob.clone());
    let fields = json!({"owner": bob, "manager": ada, "advisers": [ada, bob], "deputies": [ada]});
    let record = scene.create("Acme", &fields);
    scene.delete_ada();
    for fields in [
        json!([{"name": "manager", "value": null}]),
        json!([{"name": "advisers", "value": [bob]}]),
        json!([{"name": "advisers", "add_values": [bob]}]),
        json!([{"name": "deputies", "value": null}]),
        json!([{"name": "deputies", "value": []}]),
        json!([{"name": "deputies", "remove_values": [bob]}]),
    ] {
        assert_eq!(scene.patch(&record, &fields)["version"], 1, "{fields}");
    }
    let body = json!({"lookup_value": "Acme", "fields": {"manager": null, "advisers": [bob]}});
    assert_eq!(scene.fixture.upsert("accounts", &body).expect(200)["version"], 1);

    // What means something else is a change all the same.
    let fields = json!([{"name": "deputies", "add_values": [bob]}]);
    assert_eq!(scene.patch(&record, &fields)["version"], 2);
    let fields = json!({"manager": bob, "advisers": null});
    assert_eq!(scene.patch(&record, &fields)["version"], 3);
    for (field, expected) in [("deputies", 1), ("manager", 1), ("advisers", 0)] {
        assert_eq!(scene.shown(&record, field), vec![bob.clone(); expected], "{field}");
    }
}

#[test]
fn a_field_whose_members_are_gone_is_blank() {
    let mut scene = Scene::new();
    let (ada, bob) = (scene.ada.clone(), scene.bob.clone());
    let blank = scene.create("Acme", &json!({"manager": ada}));
    let full = scene.create("Globex", &json!({"manager": bob}));
    scene.delete_ada();
    let me = scene.shown(&blank, "owner").remove(0);
    let body = json!({
        "record_ids": [blank, full], "field_id": "manager", "field_value": me,
        "field_resolution": "update_if_blank",
    });
    let path = "/api/custom-objects/accounts/bulk-change-field-value";
    scene.fixture.client.post(path, &body).expect(200);
    assert_eq!(scene.shown(&blank, "manager"), [me]);
    assert_eq!(scene.shown(&full, "manager"), [bob]);
}

#[test]
fn a_required_member_who_is_gone_is_asked_for_when_a_record_comes_back() {
    let mut scene = Scene::new();
    add_member_field(&mut scene.fixture, "lead", &json!({"is_required": true}));
    let (ada, bob) = (scene.ada.clone(), scene.bob.clone());
    let record = scene.create("Acme", &json!({"lead": ada}));
    scene.fixture.archive("accounts", &record);
    scene.delete_ada();
    let mut body = json!({"lookup_value": "Acme", "oncreate_unarchive": "unarchive"});
    let refused = scene.fixture.upsert("accounts", &body).expect_error(400, "required");
    assert_eq!(refused["errors"][0]["field"], "lead");
    body["fields"] = json!({"lead": bob});
    let restored = scene.fixture.upsert("accounts", &body).expect(200);
    assert_eq!((&restored["action"], &restored["id"]), (&json!("unarchived"), &json!(record)));
    assert_eq!(scene.shown(&record, "lead"), [bob]);
}
