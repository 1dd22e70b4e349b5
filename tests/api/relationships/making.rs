//! Making a relationship: a field on each of two objects.

use crate::api::relationships::{Pair, relationship};
use crate::support::{Fixture, assert_includes};
use serde_json::{Value, json};

#[test]
fn each_type_makes_its_mirror_on_the_other_object() {
    for (asked, mirrored, cardinality, mirrored_cardinality) in [
        ("one_to_one", "one_to_one", "one_to_one", "one_to_one"),
        ("primary", "primary_for", "many_to_one", "one_to_many"),
        ("primary_for", "primary", "one_to_many", "many_to_one"),
        ("additional", "additional_for", "many_to_many", "many_to_many"),
        ("additional_for", "additional", "many_to_many", "many_to_many"),
    ] {
        let mut pair = Pair::related(asked);
        let fields = "/api/custom-objects/deals/fields";
        let field = pair.fixture.client.get(&format!("{fields}/company")).expect(200);
        let mirror = pair.fixture.client.get("/api/custom-objects/companies/fields/deals");
        let mirror = mirror.expect(200);
        let deals = pair.fixture.client.get("/api/custom-objects/deals").expect(200);
        let companies = pair.fixture.client.get("/api/custom-objects/companies").expect(200);
        let expected = |other: &Value, partner: &Value, relation_type: &str, cardinality: &str| {
            json!({
                "related_object": other["id"], "related_category": partner["category"],
                "related_name": partner["display_name"], "relation_type": relation_type,
                "related_field": {"id": partner["id"], "name": partner["name"]},
                "related_object_name": other["name"],
                "related_object_object_name": other["object_name"],
                "related_entity_name": other["entity_name"],
                "cardinality": cardinality, "fetch_url": "standard",
            })
        };
        assert_eq!(field["relation"], expected(&companies, &mirror, asked, cardinality));
        let relation = expected(&deals, &field, mirrored, mirrored_cardinality);
        assert_eq!(mirror["relation"], relation);
        let is_many = |relation_type: &str| !["one_to_one", "primary"].contains(&relation_type);
        assert_eq!(field["allow_multiple"], is_many(asked));
        assert_eq!(mirror["allow_multiple"], is_many(mirrored));
        let references = pair.fixture.client.get(&format!("{fields}/company/references"));
        let reference = json!([{
            "object": {"id": companies["id"], "name": "companies"},
            "field": {"id": mirror["id"], "name": "deals"},
        }]);
        assert_eq!(references.expect(200)["relationships"], reference);
        // What was read may be written back; anything else stays as it was made.
        let path = format!("{fields}/company");
        let same = json!({"relation": field["relation"], "field_type": "relationship"});
        assert_eq!(pair.fixture.client.put(&path, &same).expect(200), field);
        let other = json!({"relation": {"related_object": "deals"}});
        pair.fixture.client.patch(&path, &other).expect_error(400, "immutable");
    }
}

#[test]
fn what_is_refused_about_a_new_relationship_is_told_with_its_key() {
    let mut fixture = Fixture::new();
    fixture.object("deals");
    let unknown = "00000000-0000-7000-8000-000000000000";
    let good = json!({"related_object": "client_client", "relation_type": "primary"});
    for (change, faults) in [
        (json!({"relation": null}), vec![("required", "relation")]),
        (
            json!({"relation": {}}),
            vec![("required", "relation.relation_type"), ("required", "relation.related_object")],
        ),
        (
            json!({"relation": {"related_object": "nothing", "relation_type": "Primary"}}),
            vec![
                ("invalid_choice", "relation.relation_type"),
                ("does_not_exist", "relation.related_object"),
            ],
        ),
        (json!({"field_type": "text", "relation": good}), vec![("invalid", "relation")]),
        (json!({"is_unique": true}), vec![("invalid", "is_unique")]),
    ] {
        let mut body = relationship("buyer", "client_client", "primary");
        body.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        check_refused(&mut fixture, &body, &faults);
    }
    for (key, value, code) in [
        ("related_name", json!(""), "blank"),
        ("related_name", json!("x".repeat(201)), "max_length"),
        ("related_category", json!(unknown), "does_not_exist"),
    ] {
        let mut body = relationship("buyer", "client_client", "primary");
        body["relation"][key] = value;
        check_refused(&mut fixture, &body, &[(code, &format!("relation.{key}"))]);
    }
    let mut body = relationship("buyer", "client_client", "primary_for");
    body["is_required"] = json!(true);
    check_refused(&mut fixture, &body, &[("invalid", "is_required")]);
    let fields = fixture.client.get("/api/custom-objects/client_client/fields").expect(200);
    let is_made = |field: &Value| field["field_type"] == "relationship";
    assert!(!fields.as_array().unwrap().iter().any(is_made), "no mirror is left behind");
    // Without a name the mirror is called like the records that have it.
    let body = json!({
        "field_type": "relationship", "display_name": "Buyer",
        "relation": {"related_object": "client_client", "relation_type": "primary"},
    });
    let field = fixture.field("deals", &body);
    assert_eq!(field["relation"]["related_name"], "deals");
}

fn check_refused(fixture: &mut Fixture, body: &Value, faults: &[(&str, &str)]) {
    let answer = fixture.client.post("/api/custom-objects/deals/fields", body).expect(400);
    let faults: Vec<_> =
        faults.iter().map(|(code, key)| json!({"code": code, "parameter": key})).collect();
    assert_includes(&answer["errors"], &json!(faults));
}
