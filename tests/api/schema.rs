//! Objects and fields: made, read back, refused.

use crate::support::{Fixture, assert_includes, text};
use serde_json::{Value, json};

#[test]
fn a_new_object_has_its_default_fields() {
    let mut fixture = Fixture::new();
    let body = json!({"object_name": "Accounts", "entity_name": "Account", "description": "Firms"});
    let object = fixture.client.post("/api/custom-objects", &body).expect(201);
    assert_includes(
        &object,
        &json!({
            "name": "accounts", "object_name": "Accounts", "entity_name": "Account",
            "object_type": "standard", "description": "Firms", "is_custom": true,
            "default_color": "#085BEE", "default_icon": "bars-light", "number_of_records": 0,
            "association_source": "direct", "use_ai_to_update_percentage": false,
            "ai_confidence_threshold": "0.80", "rollup_related_leadsources": false,
            "identifier": {"field": {"name": "name"}, "case": "insensitive"},
            "unique_constraints": [], "access": {"view": true, "edit": true, "remove": true},
            "entity_access": {"view": true, "edit": true, "remove": true, "create": true},
        }),
    );
    let fields = object["fields"].as_array().expect("an object has fields");
    let mut names: Vec<&str> = fields.iter().map(|field| text(field, "name")).collect();
    names.sort_unstable();
    assert_eq!(names, ["created", "display_name", "name", "owner", "updated"]);
    for field in fields {
        assert_includes(field, &json!({"is_default": true, "is_deletable": false}));
    }
    let name = fields.iter().find(|field| field["name"] == "name").expect("the identifier");
    let expected = json!({"display_name": "Account Name", "is_required": true, "is_unique": true});
    assert_includes(name, &expected);

    for reference in
        [text(&object, "name"), text(&object, "id"), &text(&object, "id").to_uppercase()]
    {
        let read = fixture.client.get(&format!("/api/custom-objects/{reference}")).expect(200);
        assert_eq!(read["id"], object["id"], "{reference}");
    }
    let list = fixture.client.get("/api/custom-objects").expect(200);
    assert_includes(&list, &json!({"count": 1, "results": [{"name": "accounts"}]}));
    let all = fixture.client.get("/api/custom-objects?custom_only=false").expect(200);
    assert_eq!(all["count"], 2, "the contact object is left out unless asked for");
}

#[test]
fn the_contact_object_is_there_from_the_start() {
    let mut fixture = Fixture::new();
    let object = fixture.client.get("/api/custom-objects/client_client").expect(200);
    assert_includes(
        &object,
        &json!({
            "name": "client_client", "object_name": "Contacts", "object_type": "standard",
            "is_custom": false, "identifier": {"field": {"name": "email"}},
        }),
    );
    let fields = object["fields"].as_array().expect("an object has fields");
    for (name, field_type) in [
        ("email", "email"),
        ("first_name", "text"),
        ("last_name", "text"),
        ("full_name", "text"),
        ("mobile_phone", "phonenumber"),
        ("home_phone", "phonenumber"),
        ("business_phone", "phonenumber"),
        ("titles", "dynamictags"),
        ("tags", "dynamictags"),
        ("birthday", "date"),
        ("email_status", "dropdown"),
        ("timezone", "timezone"),
        ("created", "datetime"),
        ("updated", "datetime"),
    ] {
        let field = fields.iter().find(|field| field["name"] == name);
        let field = field.unwrap_or_else(|| panic!("no field {name}"));
        assert_eq!(field["field_type"], field_type, "{name}");
    }
    let status = fields.iter().find(|field| field["name"] == "email_status").expect("it is there");
    let codes: Vec<&str> = status["options"]
        .as_array()
        .expect("it has options")
        .iter()
        .map(|o| text(o, "code"))
        .collect();
    assert_eq!(codes, ["opted_in", "not_opted_in", "unsubscribed", "suppression_list"]);
}

#[test]
fn a_name_that_is_not_given_is_derived() {
    let mut fixture = Fixture::new();
    for (label, name) in [
        ("Sales Opportunities", "sales_opportunities"),
        ("Ünïcode -- & Söhne!", "unicode_sohne"),
        ("2026 Plans", "2026_plans"),
        ("???", "object"),
    ] {
        let body = json!({"object_name": label});
        let object = fixture.client.post("/api/custom-objects", &body).expect(201);
        assert_eq!(object["name"], name);
        assert_eq!(object["entity_name"], label, "the default is the object's name");
    }
    for (label, stem) in [("Sales opportunities", "sales_opportunities_"), ("Team", "team_")] {
        let body = json!({"object_name": label});
        let object = fixture.client.post("/api/custom-objects", &body).expect(201);
        let suffix = text(&object, "name").strip_prefix(stem).expect("the stem stays");
        assert!(
            suffix.len() == 6 && suffix.bytes().all(|byte| byte.is_ascii_hexdigit()),
            "{object}"
        );
    }
}

#[test]
fn a_bad_object_is_refused() {
    let mut fixture = Fixture::new();
    fixture.object("accounts");
    let long = "x".repeat(101);
    for (body, code) in [
        (json!({}), "required"),
        (json!({"object_name": null}), "null"),
        (json!({"object_name": ""}), "blank"),
        (json!({"object_name": "x".repeat(201)}), "max_length"),
        (json!({"object_name": "A", "entity_name": "x".repeat(201)}), "max_length"),
        (json!({"object_name": "A", "description": "x".repeat(501)}), "max_length"),
        (json!({"object_name": "A", "object_type": "sphere"}), "invalid_choice"),
        (json!({"object_name": "A", "identifier_case": "upper"}), "invalid_choice"),
        (json!({"object_name": "A", "name": "accounts"}), "unique"),
        (json!({"object_name": "A", "name": "team"}), "invalid_identifier"),
        (json!({"object_name": "A", "name": "records"}), "invalid_identifier"),
        (json!({"object_name": "A", "name": "_a"}), "invalid_identifier"),
        (json!({"object_name": "A", "name": "a-"}), "invalid_identifier"),
        (json!({"object_name": "A", "name": "a b"}), "invalid_identifier"),
        (json!({"object_name": "A", "name": "ä"}), "invalid_identifier"),
        (json!({"object_name": "A", "name": long}), "invalid_identifier"),
        (
            json!({"object_name": "A", "name": "00000000-0000-7000-8000-000000000000"}),
            "invalid_identifier",
        ),
        (json!({"object_name": 7}), "invalid"),
    ] {
        fixture.client.post("/api/custom-objects", &body).expect_error(400, code);
    }
    assert_eq!(fixture.client.get("/api/custom-objects").expect(200)["count"], 1);
}

#[test]
fn a_new_field_is_usable_at_once() {
    let mut fixture = Fixture::new();
    fixture.object("accounts");
    fixture.create("accounts", "older", &json!({}));
    let body = json!({
        "field_type": "dropdown", "display_name": "Region", "description": "Where",
        "options": [{"name": "North"}, {"name": "South", "code": "s"}],
    });
    let field = fixture.field("accounts", &body);
    assert_includes(
        &field,
        &json!({
            "name": "region", "display_name": "Region", "field_type": "dropdown",
            "description": "Where", "is_default": false, "is_required": false, "is_unique": false,
            "is_read_only": false, "is_hidden": false, "is_deletable": true, "allows_nulls": true,
            "access": {"view": true, "edit": true},
            "is_hideable": true, "is_suppressed": false, "description_visibility": "all",
            "options": [{"name": "North", "code": ""}, {"name": "South", "code": "s"}],
        }),
    );
    for record in ["older", "newer"] {
        let body = json!({"lookup_value": record, "fields": {"region": "South"}});
        fixture.upsert("accounts", &body).expect(200);
    }
    let fields = fixture.client.get("/api/custom-objects/accounts/fields").expect(200);
    let fields = fields.as_array().expect("a bare array");
    assert!(fields.contains(&field), "the list shows the field as its creation did");
    for reference in ["region", text(&field, "id")] {
        let target = format!("/api/custom-objects/accounts/fields/{reference}");
        assert_eq!(fixture.client.get(&target).expect(200), field);
    }
}

#[test]
fn an_option_that_is_added_can_be_chosen() {
    let mut fixture = Fixture::new();
    fixture.object("accounts");
    let body = json!({"field_type": "dropdown", "display_name": "Region", "name": "region"});
    fixture.field("accounts", &body);
    let options = "/api/custom-objects/accounts/fields/region/options";
    let north = fixture.client.post(options, &json!({"name": "North", "code": "n"})).expect(201);
    assert_includes(&north, &json!({"name": "North", "code": "n"}));
    fixture.client.post(options, &json!({"name": "NORTH"})).expect_error(400, "unique");
    fixture.client.post(options, &json!({})).expect_error(400, "required");
    let record = fixture.create("accounts", "Acme", &json!({"region": "n"}));
    let value = crate::support::field_value(&record, "region").expect("it was written");
    assert_eq!(value["id"], north["id"]);
    let page = fixture.client.get(options).expect(200);
    assert_includes(&page, &json!({"count": 1, "results": [{"name": "North"}]}));
}

#[test]
fn a_field_name_that_is_not_given_is_derived() {
    let mut fixture = Fixture::new();
    fixture.object("accounts");
    for (label, name) in [
        ("Account Region", "account_region"),
        ("Account region", "account_region_2"),
        ("account_region", "account_region_3"),
        ("2nd Région", "f_2nd_region"),
        ("???", "field"),
        ("Status", "status_2"),
    ] {
        let body = json!({"field_type": "text", "display_name": label});
        assert_eq!(fixture.field("accounts", &body)["name"], name, "{label}");
    }
}

#[test]
fn a_bad_field_is_refused() {
    let mut fixture = Fixture::new();
    fixture.object("accounts");
    fixture.text_field("accounts", "note");
    let with = |key: &str, value: Value| {
        let mut body = json!({"field_type": "text", "display_name": "A"});
        body[key] = value;
        body
    };
    for (body, code) in [
        (json!({"field_type": "text"}), "required"),
        (json!({"display_name": "A"}), "required"),
        (with("field_type", json!("sphere")), "invalid_choice"),
        (with("display_name", json!("")), "blank"),
        (with("display_name", json!("x".repeat(201))), "max_length"),
        (with("name", json!("note")), "unique"),
        (with("name", json!("Note")), "invalid_identifier"),
        (with("name", json!("2nd")), "invalid_identifier"),
        (with("name", json!("a-b")), "invalid_identifier"),
        (with("name", json!("owner")), "invalid_identifier"),
        (with("name", json!("version")), "invalid_identifier"),
        (with("description", json!("x".repeat(501))), "max_length"),
        (with("is_required", json!("perhaps")), "invalid"),
        (with("category", json!("00000000-0000-7000-8000-000000000000")), "does_not_exist"),
        (
            json!({"field_type": "dropdown", "display_name": "A", "options": [{"name": "x"}, {"name": "X"}]}),
            "unique",
        ),
    ] {
        let answer = fixture.client.post("/api/custom-objects/accounts/fields", &body);
        let body = answer.expect(400);
        assert!(
            body["errors"]
                .as_array()
                .is_some_and(|errors| errors.iter().any(|e| e["code"] == code)),
            "{code}: {answer}"
        );
    }
    let fields = fixture.client.get("/api/custom-objects/accounts/fields").expect(200);
    assert_eq!(fields.as_array().map(Vec::len), Some(6));
    let unknown = "/api/custom-objects/unknown/fields";
    let body = json!({"field_type": "text", "display_name": "A"});
    fixture.client.post(unknown, &body).expect_error(404, "not_found");
}
