//! Whatever key of its own a system knows a record by, it can do the same to it.

use crate::support::{Fixture, assert_includes, field_value, text};
use serde_json::{Value, json};

fn firms() -> Fixture {
    let mut fixture = Fixture::new();
    fixture.object("firms");
    for (name, is_unique) in [("external_id", true), ("country", false), ("vat_no", false)] {
        let field = json!({
            "field_type": "text", "display_name": name, "name": name, "is_unique": is_unique,
        });
        fixture.field("firms", &field);
    }
    fixture.text_field("firms", "note");
    let together = json!({"unique_constraints": [["country", "vat_no"]]});
    fixture.client.patch("/api/custom-objects/firms", &together).expect(200);
    fixture
}

/// The life of one record: what is asked of it besides its key, and what comes of that.
fn life() -> Vec<(Value, &'static str)> {
    let note = |note: &str| json!({"fields": {"note": note}});
    vec![
        (json!({"mode": "update", "fields": {"note": "too early"}}), "not_found"),
        (
            json!({"fields": {"note": "a"}, "set_on_create": {
            "name": "Acme", "external_id": "X-1", "country": "DE", "vat_no": "1"}}),
            "created",
        ),
        (note("b"), "updated"),
        (note("b"), "unchanged"),
        (json!({"expect_version": 2, "fields": {"note": "c"}}), "updated"),
        (json!({"expect_version": 2, "fields": {"note": "d"}}), "failed"),
        (json!({"mode": "create"}), "exists"),
        (json!({"source": "crm", "source_version": 7}), "unchanged"),
        (json!({"source": "crm", "source_version": 7, "fields": {"note": "late"}}), "stale"),
        (json!({"op": "archive"}), "archived"),
        (json!({"op": "archive"}), "not_found"),
        (json!({"oncreate_unarchive": "skip"}), "skipped_archived"),
        (note("e"), "failed"),
        (json!({"oncreate_unarchive": "unarchive", "set_on_update": {"note": "f"}}), "unarchived"),
    ]
}

/// Lives the life of a record that is known by this key; gives what is left of it.
fn live(key: &Value) -> (Vec<Value>, Value) {
    let mut fixture = firms();
    let rows: Vec<Value> = life()
        .into_iter()
        .map(|(mut row, _)| {
            let row_keys = row.as_object_mut().expect("a row is an object");
            row_keys.extend(key.as_object().expect("a key is an object").clone());
            row
        })
        .collect();
    let path = "/api/records/firms/bulk-upsert";
    let answer = fixture.client.post(path, &json!(rows)).expect(200);
    let results = answer["results"].as_array().expect("results are a list").clone();
    for (result, (row, action)) in results.iter().zip(life()) {
        assert_eq!(text(result, "action"), action, "{key} {row}: {result}");
    }
    let found = fixture.lookup("firms", "Acme").expect(200);
    (results, found)
}

#[test]
fn a_record_lives_the_same_life_by_each_of_its_keys() {
    let (by_name, left) = live(&json!({"lookup_value": "acme"}));
    assert_includes(&left, &json!({"name": "Acme", "version": 5}));
    assert_eq!(field_value(&left, "note"), Some(&json!("f")));
    for key in [
        json!({"match": ["external_id"], "lookup_value": " x-1 "}),
        json!({"match": ["external_id"], "match_values": {"external_id": "x-1"}}),
        json!({"match": [["country", "vat_no"]], "match_values": {"vat_no": 1, "country": "de"}}),
        json!({"match": ["external_id", ["vat_no", "country"], "name"],
            "match_values": {"vat_no": "1", "country": "DE"}}),
    ] {
        let (results, found) = live(&key);
        let told = |result: &Value| {
            json!([
                result["action"],
                result["version"],
                result["changed_fields"],
                result["code"],
                result["current_version"],
                result["source_version"]
            ])
        };
        let (own, other) = (results.iter().map(told), by_name.iter().map(told));
        assert_eq!(own.collect::<Vec<_>>(), other.collect::<Vec<_>>(), "{key}");
        for field in ["name", "external_id", "country", "vat_no", "note"] {
            assert_eq!(field_value(&found, field), field_value(&left, field), "{key}");
        }
        assert_eq!(found["version"], left["version"], "{key}");
    }
}
