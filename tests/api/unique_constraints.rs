//! Values that are unique together: declared, held, and gone with a field of theirs.

use crate::support::{Client, Fixture, Request, send_together, text};
use serde_json::{Value, json};

const OBJECT: &str = "/api/custom-objects/firms";
const CLIENTS: usize = 16;

/// Firms with a country, a number and a note.
fn firms() -> Fixture {
    let mut fixture = Fixture::new();
    fixture.object("firms");
    fixture.text_field("firms", "country");
    let number = json!({"field_type": "integer", "display_name": "Number", "name": "number"});
    fixture.field("firms", &number);
    fixture.text_field("firms", "note");
    fixture
}

fn constrain(fixture: &mut Fixture, list: &Value) -> Value {
    let object = fixture.client.patch(OBJECT, &json!({"unique_constraints": list})).expect(200);
    assert_eq!(object["unique_constraints"], *list);
    object
}

fn of(country: &str, number: i32) -> Value {
    json!({"country": country, "number": number})
}

#[test]
fn an_error_names_every_field_of_the_constraint_and_where_it_was_given() {
    let mut fixture = firms();
    constrain(&mut fixture, &json!([["country", "number"]]));
    let acme = fixture.create("firms", "Acme", &of("DE", 1));
    let apex = fixture.create("firms", "Apex", &of("DE", 2));
    let message = "The fields country, number must make a unique set.";
    let item = |field: &str, index: Option<usize>| {
        let mut item = json!({
            "code": "unique", "message": message, "field": field,
            "conflicting_record_id": acme["id"], "retryable": false,
        });
        if let Some(index) = index {
            item["index"] = json!(index);
        }
        item
    };
    let fields = json!([{"name": "number", "value": 1}, {"name": "country", "value": " de"}]);
    let body = json!({"lookup_value": "Other", "fields": fields});
    let refused = fixture.upsert("firms", &body).expect_error(400, "unique");
    let errors = json!([item("country", Some(1)), item("number", Some(0))]);
    assert_eq!(refused["errors"], errors);
    assert_eq!(refused["fields"], json!([{"value": [message]}, {"value": [message]}]));
    assert_eq!(refused["non_field_errors"], json!([]));
    let path = format!("/api/records/firms/{}", text(&apex, "id"));
    let refused = fixture.client.patch(&path, &json!({"fields": {"number": 1}})).expect(400);
    assert_eq!(refused["errors"], json!([item("country", None), item("number", Some(0))]));
    let list = fixture.client.get("/api/records/firms").expect(200);
    assert_eq!(list["count"], 2, "nothing was made");
    assert_eq!(fixture.read("firms", text(&apex, "id")).expect(200)["version"], 1);
    // Alone each of them is free, and a blank is in nobody's way.
    fixture.create("firms", "B", &of("FR", 1));
    for name in ["C", "D"] {
        fixture.create("firms", name, &json!({"country": "DE"}));
    }
}

#[test]
fn a_list_is_refused_while_records_break_it_and_then_taken_whole() {
    let mut fixture = firms();
    let [first, second] = ["A", "B"].map(|name| fixture.create("firms", name, &of("DE", 1)));
    fixture.create_archived("firms", "C", &of("DE", 1));
    let change = json!({
        "description": "d", "unique_constraints": [["country", "note"], ["number", "country"]],
    });
    let refused = fixture.client.patch(OBJECT, &change).expect_error(400, "constraint_violated");
    let violations = json!([{"record_ids": [first["id"], second["id"]], "value": [1, "DE"]}]);
    assert_eq!((&refused["count"], &refused["violations"]), (&json!(1), &violations));
    assert_eq!(refused["errors"][0]["parameter"], "unique_constraints[1]");
    let object = fixture.client.get(OBJECT).expect(200);
    assert_eq!((&object["unique_constraints"], &object["description"]), (&json!([]), &json!("")));
    fixture.archive("firms", text(&second, "id"));
    let number = fixture.client.get(&format!("{OBJECT}/fields/number")).expect(200)["id"].clone();
    let by_id = json!({"unique_constraints": [["country", "note"], [number, "country"]]});
    let object = fixture.client.put(OBJECT, &by_id).expect(200);
    let names = json!([["country", "note"], ["number", "country"]]);
    assert_eq!(object["unique_constraints"], names);
    // What is not given stays, and null says nothing.
    for change in [json!({"description": "e"}), json!({"unique_constraints": null})] {
        let object = fixture.client.patch(OBJECT, &change).expect(200);
        assert_eq!(object["unique_constraints"], names);
    }
    let references = |fixture: &mut Fixture, field: &str| {
        let path = format!("{OBJECT}/fields/{field}/references");
        fixture.client.get(&path).expect(200)["unique_constraints"].clone()
    };
    assert_eq!(references(&mut fixture, "country"), names);
    assert_eq!(references(&mut fixture, "note"), json!([["country", "note"]]));
    assert_eq!(references(&mut fixture, "name"), json!([]));
    fixture.client.delete(&format!("{OBJECT}/fields/note")).expect_empty(204);
    assert_eq!(references(&mut fixture, "country"), json!([["number", "country"]]));
    let renamed = json!({"name": "land"});
    fixture.client.patch(&format!("{OBJECT}/fields/country"), &renamed).expect(200);
    let object = fixture.client.get(OBJECT).expect(200);
    assert_eq!(object["unique_constraints"], json!([["number", "land"]]));
    constrain(&mut fixture, &json!([]));
    fixture.create("firms", "D", &json!({"land": "DE", "number": 1}));
}

#[test]
fn a_new_object_has_constraints_of_its_default_fields() {
    let mut fixture = Fixture::new();
    let body = json!({
        "object_name": "Deals", "name": "deals", "object_type": "pipeline",
        "pipeline": {"stages": [{"name": "New"}]},
        "unique_constraints": [["estimated_close_date", "name"]],
    });
    let made = fixture.client.post("/api/custom-objects", &body).expect(201);
    assert_eq!(made["unique_constraints"], json!([["estimated_close_date", "name"]]));
    let read = fixture.client.get("/api/custom-objects/deals").expect(200);
    assert_eq!(read["unique_constraints"], made["unique_constraints"]);
    let mut fixture = fixture.after_a_crash();
    let read = fixture.client.get("/api/custom-objects/deals").expect(200);
    assert_eq!(read["unique_constraints"], made["unique_constraints"]);
}

#[test]
fn a_restored_record_is_told_what_it_has_lost_and_may_come_back_without() {
    let mut fixture = firms();
    constrain(&mut fixture, &json!([["country", "number"]]));
    let old = fixture.create_archived("firms", "Acme", &of("DE", 1));
    let new = fixture.create("firms", "Apex", &of("de", 1));
    let path = format!("/api/records/firms/{}/unarchive", text(&old, "id"));
    let field = |fixture: &mut Fixture, name: &str| {
        let field = fixture.client.get(&format!("{OBJECT}/fields/{name}")).expect(200);
        json!({"id": field["id"], "name": name})
    };
    let held_by = json!({"id": new["id"], "display_name": "Apex"});
    let conflict = json!({"kind": "unique_on_restore", "record_id": old["id"], "fields": [
        {"field": field(&mut fixture, "country"), "value": "DE", "held_by": held_by},
        {"field": field(&mut fixture, "number"), "value": 1, "held_by": held_by},
    ]});
    let by_mode = json!({"lookup_value": "acme", "oncreate_unarchive": "unarchive"});
    for answer in [fixture.client.patch(&path, &json!({})), fixture.upsert("firms", &by_mode)] {
        let refused = answer.expect_error(409, "conflict");
        assert_eq!(refused["conflict"], conflict);
        let named: Vec<_> =
            refused["errors"].as_array().expect("errors").iter().map(|it| &it["field"]).collect();
        assert_eq!(named, ["country", "number"]);
    }
    let cleared = fixture.client.patch(&format!("{path}?on_restore_conflict=clear"), &json!({}));
    assert_eq!(cleared.expect(200)["action"], "unarchived");
    for name in ["country", "number"] {
        assert_eq!(fixture.value(("firms", text(&old, "id")), name), Value::Null);
    }
}

/// Sixteen clients, one winner: whichever door they come through.
#[test]
fn of_clients_that_race_for_values_together_one_wins() {
    let mut fixture = firms();
    constrain(&mut fixture, &json!([["country", "number"]]));
    for number in 0..8 {
        let requests: Vec<(Client, Request)> = (0..CLIENTS)
            .map(|client| {
                let name = format!("{number} of {client}");
                let country = if client % 3 == 0 { "DE" } else { " de" };
                let fields = of(country, number);
                let request = if client % 2 == 0 {
                    let body = json!({"lookup_value": name, "fields": fields});
                    Request::new("POST", "/api/records/firms/upsert").json(&body)
                } else {
                    let mut fields = fields;
                    fields["name"] = json!(name);
                    Request::new("POST", "/api/records/firms/add").json(&json!({"fields": fields}))
                };
                (fixture.server.client(), request)
            })
            .collect();
        let answers = send_together(requests);
        let won: Vec<_> = answers.iter().filter(|answer| answer.status < 300).collect();
        assert_eq!(won.len(), 1, "{answers:?}");
        let winner = won[0].json()["id"].clone();
        for answer in answers.iter().filter(|answer| answer.status >= 300) {
            let refused = answer.expect_error(400, "unique");
            assert_eq!(refused["errors"][0]["conflicting_record_id"], winner);
        }
    }
    assert_eq!(fixture.client.get("/api/records/firms").expect(200)["count"], 8);
}

#[test]
fn the_first_hundred_in_the_way_are_named_and_all_are_counted() {
    let mut fixture = firms();
    for number in 0..101 {
        for side in ["left", "right"] {
            let name = format!("{side} {number}");
            fixture.create("firms", &name, &of("DE", number));
        }
    }
    let change = json!({"unique_constraints": [["country", "number"]]});
    let refused = fixture.client.patch(OBJECT, &change).expect_error(400, "constraint_violated");
    assert_eq!(refused["count"], 101);
    assert_eq!(refused["violations"].as_array().map(Vec::len), Some(100));
    assert_eq!(refused["violations"][99]["value"], json!(["DE", 99]));
}
