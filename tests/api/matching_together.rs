//! Upserts that look for their record by values that are unique together.

use crate::support::{Answer, Fixture, assert_includes, field_value, text};
use serde_json::{Value, json};

const UPSERT: &str = "/api/records/firms/upsert";
const BATCH: &str = "/api/records/firms/bulk-upsert";

/// Firms of a country, each with its VAT number, a serial number, and an external id of its own.
fn firms() -> Fixture {
    let mut fixture = Fixture::new();
    fixture.object("firms");
    for (name, field_type, is_unique) in [
        ("country", "text", false),
        ("vat_no", "text", false),
        ("serial", "integer", false),
        ("external_id", "text", true),
        ("note", "text", false),
    ] {
        let field = json!({
            "field_type": field_type, "display_name": name, "name": name, "is_unique": is_unique,
        });
        fixture.field("firms", &field);
    }
    let together = json!({"unique_constraints": [["country", "vat_no"], ["vat_no", "serial"]]});
    fixture.client.patch("/api/custom-objects/firms", &together).expect(200);
    fixture
}

fn upsert(fixture: &mut Fixture, query: &str, body: &Value) -> Answer {
    fixture.client.post(&format!("{UPSERT}?{query}"), body)
}

#[track_caller]
fn check(answer: &Answer, action: &str, id: &Value) -> Value {
    let body = answer.expect(200);
    assert_includes(&body, &json!({"action": action, "id": id}));
    body
}

#[test]
fn a_key_of_several_fields_is_named_in_the_query_or_in_the_body() {
    let mut fixture = firms();
    let acme = fixture.create("firms", "Acme", &json!({"country": "DE", "vat_no": "1"}));
    fixture.create("firms", "Globex", &json!({"country": "AT", "vat_no": "1"}));
    fixture.create("firms", "Hooli", &json!({"country": "DE", "vat_no": "2"}));
    let values = json!({"country": " de ", "vat_no": 1});
    let fields = json!({"country": "DE", "vat_no": "1"});
    let country = fixture.client.get("/api/custom-objects/firms/fields/country").expect(200);
    let by_id = json!([[country["id"], "vat_no"]]);
    for (query, body) in [
        ("match=country%2Bvat_no", json!({"match_values": values})),
        ("match=country+vat_no", json!({"match_values": values})),
        ("match=country%20vat_no", json!({"match_values": values})),
        ("match=vat_no+country", json!({"match_values": values})),
        ("", json!({"match": [["country", "vat_no"]], "match_values": values})),
        ("", json!({"match": by_id, "match_values": values})),
        ("match=country+vat_no", json!({"fields": fields})),
        ("match=country+vat_no", json!({"set_on_create": fields})),
        (
            "match=country+vat_no",
            json!({"match_values": {"country": "DE"}, "fields": {"vat_no": "1"}}),
        ),
        // Beside a key of several fields a lookup value is the name of what would be created.
        ("match=country+vat_no", json!({"match_values": values, "lookup_value": "Globex"})),
    ] {
        check(&upsert(&mut fixture, query, &body), "updated", &acme["id"]);
    }
    let read = fixture.read("firms", text(&acme, "id")).expect(200);
    assert_eq!(read["version"], 1, "what is the same is written by none of them");
}

#[test]
fn keys_of_one_and_of_several_fields_have_priorities() {
    let mut fixture = firms();
    let by_id = fixture.create("firms", "One", &json!({"external_id": "X-1"}));
    let firm = json!({"country": "DE", "vat_no": "1"});
    let by_vat = fixture.create("firms", "Two", &firm);
    let mut body = json!({"match_values": {"external_id": "x-1", "country": "DE", "vat_no": "1"}});
    let answer = upsert(&mut fixture, "match=external_id,country+vat_no", &body);
    let refused = answer.expect_error(409, "conflict");
    let name = |record: &Value| json!({"id": record["id"], "display_name": record["name"]});
    let told = |field: &str, value: &str, record: &Value| json!({"field": {"name": field}, "value": value, "record": name(record)});
    assert_includes(
        &refused["conflict"],
        &json!({"kind": "identity_conflict", "matches": [
            told("external_id", "x-1", &by_id),
            told("country", "DE", &by_vat),
            told("vat_no", "1", &by_vat),
        ]}),
    );
    let fields: Vec<_> =
        refused["errors"].as_array().unwrap().iter().map(|it| text(it, "field")).collect();
    assert_eq!(fields, ["external_id", "country", "vat_no"]);
    for (names, first) in
        [("external_id,country+vat_no", &by_id), ("country+vat_no,external_id", &by_vat)]
    {
        let query = format!("match={names}&on_identity_conflict=first");
        check(&upsert(&mut fixture, &query, &body), "updated", &first["id"]);
    }
    // One part without a value, and the key is passed over.
    for blank in [json!(null), json!(" ")] {
        body["match_values"]["vat_no"] = blank;
        let answer = upsert(&mut fixture, "match=country+vat_no,external_id", &body);
        check(&answer, "updated", &by_id["id"]);
    }
    let answer = upsert(&mut fixture, "match=country+vat_no", &body);
    let refused = answer.expect_error(400, "required");
    assert_includes(&refused["errors"], &json!([{"parameter": "match_values"}]));
}

#[test]
fn a_new_record_gets_the_parts_that_it_was_looked_for_by() {
    let mut fixture = firms();
    let query = "match=country+vat_no,vat_no+serial";
    let body = json!({
        "lookup_value": "Acme", "match_values": {"country": "DE", "vat_no": "1", "serial": "7"},
        "fields": {"note": "n"},
    });
    let made = check(
        &upsert(&mut fixture, &format!("{query}&dry_run=true"), &body),
        "created",
        &Value::Null,
    );
    assert_eq!(field_value(&made, "country"), Some(&json!("DE")));
    let made = upsert(&mut fixture, query, &body).expect(200);
    assert_includes(&made, &json!({"action": "created", "name": "Acme"}));
    for (name, value) in [("country", json!("DE")), ("vat_no", json!("1")), ("serial", json!(7))] {
        assert_eq!(field_value(&made, name), Some(&value), "{name}");
    }
    check(&upsert(&mut fixture, query, &body), "updated", &made["id"]);
    // A key that is passed over gives its values all the same: the request has said them.
    let body =
        json!({"lookup_value": "Globex", "match_values": {"country": "AT", "external_id": "X-2"}});
    let made = upsert(&mut fixture, "match=country+vat_no,external_id", &body).expect(200);
    assert_eq!(field_value(&made, "country"), Some(&json!("AT")));
    let nameless = json!({"match_values": {"country": "FR", "vat_no": "9"}});
    let refused = upsert(&mut fixture, query, &nameless).expect_error(400, "required");
    assert_includes(&refused["errors"], &json!([{"field": "name"}]));
    let long =
        json!({"lookup_value": "Z", "match_values": {"country": "x".repeat(256), "vat_no": 1}});
    let refused = upsert(&mut fixture, query, &long).expect_error(400, "max_length");
    assert_includes(&refused["errors"], &json!([{"parameter": "match_values.country"}]));
    let wrong = json!({"match_values": {"vat_no": "1", "serial": "many"}});
    let refused = upsert(&mut fixture, query, &wrong).expect_error(400, "invalid");
    assert_includes(&refused["errors"], &json!([{"parameter": "match_values.serial"}]));
}

#[test]
fn an_archived_record_is_found_by_values_that_it_has_given_free() {
    let mut fixture = firms();
    let firm = json!({"country": "DE", "vat_no": "1"});
    fixture.create_archived("firms", "First", &firm);
    let last = fixture.create_archived("firms", "Last", &firm);
    let query = "match=country+vat_no";
    let mut body = json!({"lookup_value": "Fresh", "match_values": firm});
    let refused = upsert(&mut fixture, query, &body).expect_error(409, "conflict");
    assert_includes(
        &refused["conflict"],
        &json!({
            "kind": "archived_identifier", "field": {"name": "country"}, "value": "DE",
            "fields": [
                {"field": {"name": "country"}, "value": "DE"},
                {"field": {"name": "vat_no"}, "value": "1"},
            ],
            "archived_record": {"id": last["id"]}, "parameter": "oncreate_unarchive",
        }),
    );
    let blamed = |field: &str| json!({"field": field, "conflicting_record_id": last["id"]});
    assert_includes(&refused["errors"], &json!([blamed("country"), blamed("vat_no")]));
    body["oncreate_unarchive"] = json!("skip");
    check(&upsert(&mut fixture, query, &body), "skipped_archived", &last["id"]);
    let mut fixture = fixture.after_a_crash();
    body["oncreate_unarchive"] = json!("unarchive");
    check(&upsert(&mut fixture, query, &body), "unarchived", &last["id"]);
    check(&upsert(&mut fixture, query, &body), "updated", &last["id"]);
    // By one field alone nothing of this kind is told.
    fixture.create_archived("firms", "Gone", &json!({"external_id": "X-1"}));
    let body = json!({"lookup_value": "X-1", "fields": {"name": "New"}});
    let refused = upsert(&mut fixture, "match=external_id", &body).expect_error(409, "conflict");
    assert_eq!(refused["conflict"].get("fields"), None);
}

#[test]
fn fields_that_no_constraint_has_together_are_no_key() {
    let mut fixture = firms();
    let values = json!({"country": "DE", "vat_no": "1", "serial": 1, "external_id": "x"});
    for (names, code) in [
        (json!([["country", "serial"]]), "invalid_choice"),
        (json!([["country", "vat_no", "serial"]]), "invalid_choice"),
        (json!([["country", "country"]]), "invalid_choice"),
        (json!([["country", "vat_no", "country"]]), "invalid_choice"),
        (json!([["country"]]), "invalid_choice"),
        (json!([["external_id", "vat_no"]]), "invalid_choice"),
        (json!([["country", "nowhere"]]), "does_not_exist"),
        (json!([["country", 7]]), "invalid"),
        (json!([[]]), "invalid"),
        (json!([[["country", "vat_no"]]]), "invalid"),
    ] {
        let body = json!({"lookup_value": "A", "match": names, "match_values": values});
        let refused = upsert(&mut fixture, "", &body).expect_error(400, code);
        assert_includes(&refused["errors"], &json!([{"code": code, "parameter": "match"}]));
    }
    // What is looked up is one field.
    let target = "/api/records/firms/lookup?by=country+vat_no&identifier=DE";
    fixture.client.get(target).expect_error(400, "does_not_exist");
    // A key that stands alone in a list of its own is one all the same.
    let body = json!({"match": [["external_id"]], "lookup_value": "x", "fields": {"name": "A"}});
    let made = upsert(&mut fixture, "", &body).expect(200);
    assert_eq!(field_value(&made, "external_id"), Some(&json!("x")));
    // With the constraint the key is gone.
    let none = json!({"unique_constraints": []});
    fixture.client.patch("/api/custom-objects/firms", &none).expect(200);
    let body = json!({"lookup_value": "A", "match_values": values});
    upsert(&mut fixture, "match=country+vat_no", &body).expect_error(400, "invalid_choice");
}

#[test]
fn rows_are_looked_for_by_several_fields_too() {
    let mut fixture = firms();
    let row = |vat_no: &str, note: &str| {
        json!({
            "lookup_value": format!("Firm {vat_no}"), "fields": {"note": note},
            "match_values": {"country": "DE", "vat_no": vat_no},
        })
    };
    let rows = json!([row("1", "a"), row("2", "b"), row("1", "c"), row("2", "b")]);
    for (query, beside) in [
        ("?match=country%2Bvat_no", json!(null)),
        ("", json!([["country", "vat_no"]])),
        ("", json!(["external_id", ["vat_no", "country"]])),
        ("", json!("country+vat_no")),
    ] {
        let mut fixture = firms();
        let batch = json!({"match": beside, "records": rows});
        let answer = fixture.client.post(&format!("{BATCH}{query}"), &batch).expect(200);
        let results = answer["results"].as_array().unwrap();
        let actions: Vec<_> = results.iter().map(|result| text(result, "action")).collect();
        assert_eq!(actions, ["created", "created", "updated", "unchanged"], "{answer}");
        assert_eq!(results[0]["id"], results[2]["id"]);
        assert_eq!(fixture.client.get("/api/records/firms").expect(200)["count"], 2);
    }
    let folded = json!({
        "match": [["country", "vat_no"]], "in_batch_duplicates": "first", "records": rows,
    });
    let answer = fixture.client.post(BATCH, &folded).expect(200);
    assert_includes(&answer["counts"], &json!({"created": 2, "not_applied": 2}));
}
