//! A part of a record that is there is written as a part: nobody asks for the rest of it.

use crate::support::{Answer, Fixture, Seed, text};
use serde_json::{Map, Value, json};

const ROUNDS: usize = 60;

/// Accounts that must have a region.
fn accounts() -> Fixture {
    let mut fixture = Fixture::new();
    fixture.object("accounts");
    for (name, field_type) in [
        ("region", "text"),
        ("note", "text"),
        ("score", "integer"),
        ("labels", "dynamictags"),
        ("vip", "checkbox"),
    ] {
        let field = json!({
            "field_type": field_type, "display_name": name, "name": name,
            "is_required": name == "region",
        });
        fixture.field("accounts", &field);
    }
    fixture
}

/// Some of the fields, mostly with values that they take.
fn partial(seed: &mut Seed) -> Map<String, Value> {
    let choices = [
        ("region", vec![json!("north"), json!("south"), json!(""), json!(null)]),
        ("note", vec![json!("a"), json!("b"), json!(" "), json!(null), json!([1])]),
        ("score", vec![json!(1), json!("2"), json!(null), json!("many")]),
        ("labels", vec![json!(["x"]), json!(["x", "y"]), json!([]), json!(null)]),
        ("vip", vec![json!(true), json!(false), json!("yes")]),
    ];
    let mut fields = Map::new();
    for (name, values) in choices {
        if seed.below(2) == 0 {
            fields.insert(name.to_owned(), values[seed.below(values.len())].clone());
        }
    }
    fields
}

/// What both calls must say alike: all but ids and times.
fn comparable(answer: &Answer) -> Value {
    let body = answer.json();
    if answer.status != 200 {
        let errors: Vec<Value> = body["errors"]
            .as_array()
            .expect("errors are a list")
            .iter()
            .map(|error| json!([error["code"], error["field"], error["message"]]))
            .collect();
        return json!([answer.status, errors]);
    }
    let mut fields: Map<String, Value> = Map::new();
    for field in body["fields"].as_object().expect("fields is an object").values() {
        let mut value = field["value"].clone();
        // Tags are of their field; what one is called is what is compared.
        for tag in value.as_array_mut().into_iter().flatten() {
            *tag = tag["name"].take();
        }
        fields.insert(text(field, "name").to_owned(), value);
    }
    fields.remove("updated");
    json!([answer.status, body["action"], body["version"], fields])
}

#[test]
fn an_upsert_of_a_part_is_a_patch_of_it() {
    let mut fixture = accounts();
    let mut seed = Seed::of_this_run("partial writes");
    let before = json!({"region": "north", "note": "a", "labels": ["x"]});
    let patched = fixture.create("accounts", "Patched", &before);
    fixture.create("accounts", "Upserted", &before);
    let target = format!("/api/records/accounts/{}", text(&patched, "id"));
    let (mut good, mut refused) = (0, 0);
    for _ in 0..ROUNDS {
        let fields = Value::Object(partial(&mut seed));
        let patch = fixture.client.patch(&target, &json!({"fields": fields}));
        let upsert =
            fixture.upsert("accounts", &json!({"lookup_value": "upserted", "fields": fields}));
        assert_eq!(comparable(&upsert), comparable(&patch), "{fields}\n{upsert}\n{patch}");
        if patch.status == 200 { good += 1 } else { refused += 1 }
    }
    assert!(good > 0 && refused > 0, "{good} were written and {refused} refused");
    // What must be there is asked for where a record is made.
    let body = json!({"lookup_value": "New", "fields": {"note": "a"}});
    fixture.upsert("accounts", &body).expect_error(400, "required");
}
