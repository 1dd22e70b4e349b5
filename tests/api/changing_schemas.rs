//! Objects, fields, options and categories are changed: what records read, and that all of it outlives a
//! crash and stands in a snapshot.

use crate::support::{Fixture, text};
use serde_json::{Value, json};

const FIELDS: &str = "/api/custom-objects/accounts/fields";

/// The value that a record reads for a field.
fn value(fixture: &mut Fixture, id: &str, name: &str) -> Value {
    fixture.value(("accounts", id), name)
}

/// What the changes below must have left, and that the rules hold for the next write.
fn check(fixture: &mut Fixture, ids: &[String; 3], round: &str) {
    let object = fixture.client.get("/api/custom-objects/accounts").expect(200);
    assert_eq!((&object["object_name"], &object["description"]), (&json!("Firms"), &json!("All")));
    let fields = object["fields"].as_array().expect("an object has fields");
    let names: Vec<&str> = fields.iter().map(|field| text(field, "name")).collect();
    assert_eq!(names, ["name", "owner", "display_name", "created", "updated", "region", "serial"]);
    let [north, south, east] = ids.each_ref();
    for (id, region) in [(north, json!("Up")), (south, json!("Up")), (east, Value::Null)] {
        assert_eq!(value(fixture, id, "region")["name"], region);
        assert_eq!(value(fixture, id, "code"), Value::Null);
    }
    let categories = fixture.client.get("/api/custom-objects/accounts/categories").expect(200);
    assert_eq!(categories.as_array().map(Vec::len), Some(1));
    let region = fields.iter().find(|field| field["name"] == "region").expect("it is there");
    assert_eq!(region["category"], categories[0]["id"]);
    let body = json!({"lookup_value": format!("new {round}"), "fields": {"serial": "S-1"}});
    fixture.upsert("accounts", &body).expect_error(400, "unique");
    let same = json!({"fields": {"region": "Up"}});
    let version = fixture.read("accounts", south).expect(200)["version"].clone();
    let path = format!("/api/records/accounts/{south}");
    assert_eq!(fixture.client.patch(&path, &same).expect(200)["version"], version);
}

#[test]
fn changes_of_a_schema_outlive_a_crash_and_stand_in_a_snapshot() {
    let mut fixture = Fixture::new();
    fixture.object("accounts");
    let body = json!({"name": "Where"});
    let category =
        fixture.client.post("/api/custom-objects/accounts/categories", &body).expect(201);
    let options = json!([{"name": "North"}, {"name": "South"}, {"name": "East"}]);
    let body = json!({
        "field_type": "dropdown", "display_name": "Region", "options": options,
        "category": category["id"],
    });
    let region = fixture.field("accounts", &body);
    fixture.text_field("accounts", "code");
    fixture.text_field("accounts", "number");
    let mut ids = [const { String::new() }; 3];
    for (at, region) in ["North", "South", "East"].into_iter().enumerate() {
        let fields = json!({"region": region, "code": "c", "number": format!("S-{at}")});
        ids[at] = text(&fixture.create("accounts", region, &fields), "id").to_owned();
    }

    let option = |at: usize| text(&region["options"][at], "id").to_owned();
    let path = |at: usize| format!("{FIELDS}/region/options/{}", option(at));
    let by = json!({"id": option(0)});
    fixture.client.post(&format!("{}/replace", path(1)), &by).expect(200);
    fixture.client.patch(&path(0), &json!({"name": "Up"})).expect(200);
    fixture.client.delete(&path(2)).expect_empty(204);
    fixture.client.delete(&format!("{FIELDS}/code")).expect_empty(204);
    let change = json!({"name": "serial", "is_unique": true});
    fixture.client.patch(&format!("{FIELDS}/number"), &change).expect(200);
    let category = format!("/api/custom-objects/accounts/categories/{}", text(&category, "id"));
    fixture.client.delete(&category).expect_empty(204);
    let change = json!({"object_name": "Firms", "description": "All"});
    fixture.client.patch("/api/custom-objects/accounts", &change).expect(200);

    check(&mut fixture, &ids, "before");
    let mut fixture = fixture.after_a_crash();
    check(&mut fixture, &ids, "from the log");
    fixture.snapshot();
    let mut fixture = fixture.after_a_crash();
    check(&mut fixture, &ids, "from a snapshot");
}

#[test]
fn the_first_hundred_values_and_records_in_the_way_are_named_and_all_are_counted() {
    let mut fixture = Fixture::new();
    fixture.object("accounts");
    fixture.text_field("accounts", "code");
    for number in 0..120 {
        let fields = json!({"code": format!("c{}", number % 2)});
        fixture.create("accounts", &format!("Account {number}"), &fields);
    }
    for number in 0..101 {
        fixture.create("accounts", &format!("Blank {number}"), &json!({}));
    }
    let path = format!("{FIELDS}/code");
    let refused = fixture.client.patch(&path, &json!({"is_unique": true})).expect(400);
    assert_eq!((&refused["code"], &refused["count"]), (&json!("constraint_violated"), &json!(2)));
    for (at, code) in ["c0", "c1"].into_iter().enumerate() {
        let violation = &refused["violations"][at];
        assert_eq!(violation["value"], code);
        assert_eq!(violation["record_ids"].as_array().map(Vec::len), Some(60));
    }
    let refused = fixture.client.patch(&path, &json!({"is_required": true})).expect(400);
    assert_eq!(refused["count"], 101);
    assert_eq!(refused["violations"].as_array().map(Vec::len), Some(100));
    let field = fixture.client.get(&path).expect(200);
    assert_eq!((&field["is_unique"], &field["is_required"]), (&json!(false), &json!(false)));
}
