//! Changes of fields and options that are only asked about: the answer is that of the run which
//! follows, and nothing is done.

use crate::support::{Answer, Fixture, Request, text};
use serde_json::{Value, json};

const OBJECT: &str = "/api/custom-objects/accounts";

/// Accounts with a choice and a text, and two records.
fn accounts() -> Fixture {
    let mut fixture = Fixture::new();
    fixture.object("accounts");
    let choice = json!({
        "field_type": "dropdown", "display_name": "Region", "name": "region",
        "options": [{"name": "North"}, {"name": "South"}, {"name": "East"}],
    });
    fixture.field("accounts", &choice);
    fixture.text_field("accounts", "note");
    for (name, region) in [("Acme", "North"), ("Apex", "South")] {
        fixture.create("accounts", name, &json!({"region": region, "note": "n"}));
    }
    fixture
}

/// Everything that a change of the schema could change.
fn state(fixture: &mut Fixture) -> [Value; 3] {
    let contacts = fixture.client.get("/api/custom-objects/client_client").expect(200);
    let records = fixture.client.get("/api/records/accounts").expect(200);
    [fixture.client.get(OBJECT).expect(200), contacts, records]
}

fn send(fixture: &mut Fixture, method: &str, path: &str, body: &Value) -> Answer {
    let request = Request::new(method, path);
    fixture.send(&if body.is_null() { request } else { request.json(body) })
}

/// The answer without what differs between two runs: request ids, and ids of what is made.
fn comparable(answer: &Answer, makes: bool) -> Value {
    if answer.body.is_empty() {
        return Value::Null;
    }
    let mut body = answer.json();
    let map = body.as_object_mut().expect("an object");
    map.remove("request_id");
    map.remove("dry_run");
    if makes {
        map.remove("id");
        for option in map.get_mut("options").and_then(Value::as_array_mut).into_iter().flatten() {
            option.as_object_mut().expect("an option").remove("id");
        }
        if let Some(field) = body.pointer_mut("/relation/related_field") {
            field.as_object_mut().expect("a field").remove("id");
        }
    }
    body
}

/// Asks dry, then really, and holds both against each other. A good dry run changes nothing.
#[track_caller]
fn check(fixture: &mut Fixture, method: &str, path: &str, body: &Value) -> Value {
    let before = state(fixture);
    let dry = send(fixture, method, &format!("{path}?dry_run=true"), body);
    assert_eq!(state(fixture), before, "{method} {path} was only asked about");
    let real = send(fixture, method, path, body);
    assert_eq!(dry.status, real.status, "{dry} {real}");
    let makes = method == "POST" && !path.ends_with("replace");
    assert_eq!(comparable(&dry, makes), comparable(&real, makes), "{method} {path}");
    assert_eq!(real.header("X-Dry-Run"), None);
    if real.status >= 300 {
        assert_eq!(state(fixture), before, "{real}");
        return real.json();
    }
    assert_ne!(state(fixture), before, "the real one changes something: {real}");
    assert_eq!(dry.header("X-Dry-Run"), Some("true"));
    if real.body.is_empty() {
        assert!(dry.body.is_empty());
        return Value::Null;
    }
    assert_eq!(dry.json()["dry_run"], true);
    let real = real.json();
    assert_eq!(real.get("dry_run"), None);
    real
}

#[test]
fn a_dry_run_of_an_option_is_what_then_happens() {
    let mut fixture = accounts();
    let options = format!("{OBJECT}/fields/region/options");
    let west = json!({"name": "West", "code": "w"});
    let made = check(&mut fixture, "POST", &options, &west);
    assert_eq!(check(&mut fixture, "POST", &options, &west)["code"], "unique");
    let listed = fixture.client.get(&options).expect(200)["results"].clone();
    let id = |at: usize| text(&listed[at], "id").to_owned();
    let [north, south] = [id(0), id(1)];
    let path = |id: &str| format!("{options}/{id}");
    check(&mut fixture, "PATCH", &path(&north), &json!({"name": "Up", "order": 7}));
    let taken = check(&mut fixture, "PATCH", &path(&north), &json!({"name": "South"}));
    assert_eq!(taken["code"], "unique");
    let replace = format!("{}/replace", path(&south));
    let missing = check(&mut fixture, "POST", &replace, &json!({}));
    assert_eq!(missing["code"], "required");
    check(&mut fixture, "POST", &replace, &json!({"id": north}));
    check(&mut fixture, "DELETE", &path(text(&made, "id")), &Value::Null);
    let gone = check(&mut fixture, "DELETE", &path(text(&made, "id")), &Value::Null);
    assert_eq!(gone["code"], "not_found");
}

#[test]
fn a_dry_run_of_a_field_is_what_then_happens() {
    let mut fixture = accounts();
    let fields = format!("{OBJECT}/fields");
    let new = json!({
        "field_type": "selector", "display_name": "Kind", "is_required": false,
        "options": [{"name": "A"}, {"name": "B"}],
    });
    check(&mut fixture, "POST", &fields, &new);
    let bad = json!({"field_type": "text", "display_name": "Note", "name": "note"});
    assert_eq!(check(&mut fixture, "POST", &fields, &bad)["code"], "unique");
    let note = format!("{fields}/note");
    let unique = json!({"is_unique": true});
    for method in ["PATCH", "PUT"] {
        let refused = check(&mut fixture, method, &note, &unique);
        assert_eq!(
            (&refused["code"], &refused["count"]),
            (&json!("constraint_violated"), &json!(1))
        );
    }
    check(&mut fixture, "PATCH", &note, &json!({"display_name": "Remark", "is_required": true}));
    let fewer = json!({"options": [{"name": "North"}, {"name": "Down"}]});
    let before = state(&mut fixture);
    let region = format!("{fields}/region");
    let dry = send(&mut fixture, "PUT", &format!("{region}?dry_run=true"), &fewer).expect(200);
    assert_eq!(dry["options"].as_array().map(Vec::len), Some(2));
    assert_eq!(state(&mut fixture), before);
    check(&mut fixture, "DELETE", &note, &Value::Null);
    let kept = check(&mut fixture, "DELETE", &format!("{fields}/name"), &Value::Null);
    assert_eq!(kept["code"], "not_deletable");
}

#[test]
fn a_dry_run_of_a_relationship_shows_both_sides() {
    let mut fixture = accounts();
    let fields = format!("{OBJECT}/fields");
    for (object, relation_type) in [
        ("client_client", "primary"),
        ("client_client", "primary_for"),
        ("client_client", "one_to_one"),
        ("accounts", "additional"),
        ("accounts", "primary_for"),
    ] {
        let new = json!({
            "field_type": "relationship", "display_name": "Others",
            "relation": {
                "related_object": object, "relation_type": relation_type,
                "related_name": "Those who are related",
            },
        });
        let made = check(&mut fixture, "POST", &fields, &new);
        assert_eq!(made["relation"]["related_name"], "Those who are related");
        check(&mut fixture, "DELETE", &format!("{fields}/{}", text(&made, "id")), &Value::Null);
    }
    // Both sides of one object: the mirror has the name when the owning field would be made.
    let clash = json!({
        "field_type": "relationship", "display_name": "Others", "name": "parents",
        "relation": {
            "related_object": "accounts", "relation_type": "primary", "related_name": "Parents",
        },
    });
    let refused = check(&mut fixture, "POST", &fields, &clash);
    assert_eq!(refused["code"], "unique");
}

#[test]
fn what_is_no_boolean_asks_for_nothing() {
    let mut fixture = accounts();
    let before = state(&mut fixture);
    let options = format!("{OBJECT}/fields/region/options");
    for (method, path, body) in [
        ("POST", format!("{OBJECT}/fields"), json!({"field_type": "text", "display_name": "New"})),
        ("POST", options.clone(), json!({"name": "West"})),
        ("DELETE", format!("{OBJECT}/fields/note"), Value::Null),
    ] {
        let answer = send(&mut fixture, method, &format!("{path}?dry_run=perhaps"), &body);
        let refused = answer.expect_error(400, "invalid");
        assert_eq!(refused["errors"][0]["parameter"], "dry_run");
    }
    assert_eq!(state(&mut fixture), before);
    // Not to be dry is to be real.
    let body = json!({"name": "West"});
    let made = send(&mut fixture, "POST", &format!("{options}?dry_run=false"), &body).expect(201);
    assert_eq!(made.get("dry_run"), None);
    assert_ne!(state(&mut fixture), before);
}
