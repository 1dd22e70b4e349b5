//! Finding one record by a value instead of its id.

use crate::support::{Fixture, field_value};
use serde_json::json;

fn accounts() -> Fixture {
    let mut fixture = Fixture::new();
    fixture.object("accounts");
    fixture.text_field("accounts", "note");
    let unique = json!({
        "field_type": "text", "display_name": "External id", "name": "external_id", "is_unique": true,
    });
    fixture.field("accounts", &unique);
    fixture.create("accounts", "Acme & Söhne", &json!({"note": "n", "external_id": "e1"}));
    fixture
}

/// A query string, and what must be answered: the code of an error, or none.
const QUERIES: &[(&str, Option<(u16, &str)>)] = &[
    ("?identifier=Acme%20%26%20S%C3%B6hne", None),
    ("?identifier=Acme+%26+S%C3%B6hne", None),
    ("?identifier=acme%20%26%20s%C3%96HNE%20", None),
    ("?identifier=Acme%20%26%20So%CC%88hne", None),
    ("?identifier=Acme", Some((404, "not_found"))),
    ("", Some((400, "required"))),
    ("?identifier=", Some((400, "blank"))),
    ("?identifier=%20%09", Some((400, "blank"))),
    ("?identifier=acme%20%26%20s%C3%B6hne&match_case=true", Some((404, "not_found"))),
    ("?identifier=Acme%20%26%20S%C3%B6hne&match_case=TRUE", None),
    ("?identifier=Acme%20%26%20S%C3%B6hne&match_case=2", Some((400, "invalid"))),
    ("?identifier=e1&by=external_id", None),
    ("?identifier=E1&by=external_id", None),
    ("?identifier=e2&by=external_id", Some((404, "not_found"))),
    ("?identifier=Acme%20%26%20S%C3%B6hne&by=name", None),
    ("?identifier=n&by=note", Some((400, "invalid_choice"))),
    ("?identifier=n&by=unknown", Some((400, "does_not_exist"))),
];

#[test]
fn a_lookup_finds_by_normal_form() {
    let mut fixture = accounts();
    for (query, refusal) in QUERIES {
        println!("lookup{query}");
        let answer = fixture.client.get(&format!("/api/records/accounts/lookup{query}"));
        match refusal {
            None => assert_eq!(answer.expect(200)["name"], "Acme & Söhne"),
            Some((status, code)) => {
                answer.expect_error(*status, code);
            }
        }
    }
}

#[test]
fn a_lookup_gives_the_fields_that_were_asked_for() {
    let mut fixture = accounts();
    for (query, has_note, has_external_id) in [
        ("", true, true),
        ("&all_fields=true", true, true),
        ("&field_names=note", true, false),
        ("&field_names=note,unknown", true, false),
        ("&field_names=", false, false),
    ] {
        let target = format!("/api/records/accounts/lookup?by=external_id&identifier=e1{query}");
        let record = fixture.client.get(&target).expect(200);
        assert_eq!(field_value(&record, "note").is_some(), has_note, "{query}: {record}");
        assert_eq!(field_value(&record, "external_id").is_some(), has_external_id, "{query}");
        assert_eq!(record.get("action"), None);
    }
}

#[test]
fn a_contact_is_looked_up_by_its_email() {
    let mut fixture = Fixture::new();
    let created = fixture.create("client_client", "Ada@Example.com", &json!({}));
    let found = fixture.lookup("client_client", "ada@example.com").expect(200);
    assert_eq!(found["id"], created["id"]);
    fixture.lookup("client_client", "bob@example.com").expect_error(404, "not_found");
    fixture.lookup("unknown", "Acme").expect_error(404, "not_found");
}

#[test]
fn a_unique_field_finds_its_record_only_while_it_has_the_value() {
    let mut fixture = accounts();
    let by = "/api/records/accounts/lookup?by=external_id&identifier=";
    let change = json!({"lookup_value": "Acme & Söhne", "fields": {"external_id": "e2"}});
    fixture.upsert("accounts", &change).expect(200);
    fixture.client.get(&format!("{by}e1")).expect_error(404, "not_found");
    fixture.client.get(&format!("{by}e2")).expect(200);
    let taken = json!({"lookup_value": "Globex", "fields": {"external_id": " E2 "}});
    let refused = fixture.upsert("accounts", &taken).expect_error(400, "unique");
    assert_eq!(refused["errors"][0]["field"], "external_id");
    fixture.create("accounts", "Globex", &json!({"external_id": "e1"}));
    fixture.create("accounts", "without one", &json!({"external_id": ""}));
    fixture.create("accounts", "without one either", &json!({"external_id": null}));
}
