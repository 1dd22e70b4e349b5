//! The upsert itself: what it answers, what it leaves alone, and when it changes nothing.

use crate::support::{Fixture, assert_includes, field_value, text};
use serde_json::{Value, json};

/// Accounts with a region to choose and a note.
fn accounts() -> Fixture {
    let mut fixture = Fixture::new();
    fixture.object("accounts");
    fixture.text_field("accounts", "note");
    let region = json!({
        "field_type": "dropdown", "display_name": "Region", "name": "account_region",
        "options": [{"name": "North"}, {"name": "South", "code": "s"}],
    });
    fixture.field("accounts", &region);
    fixture
}

#[test]
fn an_upsert_creates_then_finds_what_it_created() {
    let mut fixture = accounts();
    let body = json!({
        "lookup_value": "Acme Corp",
        "fields": [{"name": "account_region", "value": {"name": "North"}}],
    });
    let answer = fixture.upsert("accounts", &body);
    assert_eq!(answer.header("X-Upsert-Action"), Some("created"));
    let created = answer.expect(200);
    assert_includes(
        &created,
        &json!({
            "object_type": "standard", "name": "Acme Corp", "display_name": "Acme Corp",
            "access": {"view": true, "edit": true, "remove": true}, "client_info": null,
            "num_upcoming_activities": 0, "num_associated_team_members": 1,
            "version": 1, "action": "created",
        }),
    );
    assert_eq!(created["created"], created["updated"]);
    assert_is_time(&created["created"]);
    let mut names: Vec<&str> = names_of_fields(&created);
    names.sort_unstable();
    assert_eq!(names, ["account_region", "name", "owner", "updated"]);
    let region = field_value(&created, "account_region").expect("it was written");
    assert_includes(region, &json!({"code": "", "name": "North"}));

    let again = fixture.upsert("accounts", &json!({"lookup_value": "  ACME corp "})).expect(200);
    assert_includes(&again, &json!({"action": "updated", "id": created["id"], "version": 1}));
    assert_eq!(again["updated"], created["updated"], "nothing changed, so nothing was updated");
    let read = fixture.lookup("accounts", "acme corp").expect(200);
    assert_eq!(read["name"], "Acme Corp", "the spelling of a lookup is never written");
    assert_eq!(read.get("action"), None, "a read has no action");
}

#[test]
fn an_update_writes_what_it_names_and_leaves_the_rest() {
    let mut fixture = accounts();
    let fields = json!({"account_region": "North", "note": "first"});
    let created = fixture.create("accounts", "Acme", &fields);
    let body = json!({"lookup_value": "Acme", "fields": {"note": "second"}});
    let updated = fixture.upsert("accounts", &body).expect(200);
    assert_includes(&updated, &json!({"action": "updated", "id": created["id"], "version": 2}));
    let mut names = names_of_fields(&updated);
    names.sort_unstable();
    assert_eq!(names, ["note", "updated"], "the answer holds what was written");
    assert_eq!(updated["created"], created["created"]);

    let read = fixture.read("accounts", text(&created, "id")).expect(200);
    assert_eq!(field_value(&read, "note"), Some(&json!("second")));
    assert_eq!(field_value(&read, "account_region"), field_value(&created, "account_region"));
}

#[test]
fn an_update_that_changes_nothing_gives_no_new_version() {
    let mut fixture = accounts();
    let fields = json!({"account_region": "South", "note": "same"});
    let created = fixture.create("accounts", "Acme", &fields);
    let spelled_otherwise = [
        json!({}),
        json!({"note": "same"}),
        json!({"note": "  same "}),
        json!({"account_region": {"name": "south"}}),
        json!({"account_region": "s"}),
        json!({"account_region": field_value(&created, "account_region")}),
        json!({"name": "Acme"}),
    ];
    for fields in spelled_otherwise {
        let body = json!({"lookup_value": "Acme", "fields": fields});
        let answer = fixture.upsert("accounts", &body).expect(200);
        let expected = json!({"action": "updated", "version": 1, "updated": created["updated"]});
        assert_includes(&answer, &expected);
    }
}

#[test]
fn clearing_shows_the_effect_and_then_the_field_is_absent() {
    let mut fixture = accounts();
    let record = fixture.create("accounts", "Acme", &json!({"note": "something"}));
    for blank in [json!(null), json!("")] {
        let body = json!({"lookup_value": "Acme", "fields": {"note": "something"}});
        fixture.upsert("accounts", &body).expect(200);
        let body = json!({"lookup_value": "Acme", "fields": {"note": blank}});
        let cleared = fixture.upsert("accounts", &body).expect(200);
        assert_eq!(field_value(&cleared, "note"), Some(&Value::Null));
        let read = fixture.read("accounts", text(&record, "id")).expect(200);
        assert_eq!(field_value(&read, "note"), None);
    }
}

#[test]
fn the_identifier_among_the_fields_wins_over_the_lookup_value() {
    let mut fixture = accounts();
    let body = json!({"lookup_value": "asked for", "fields": {"name": "written"}});
    let created = fixture.upsert("accounts", &body).expect(200);
    assert_includes(&created, &json!({"action": "created", "name": "written"}));
    fixture.lookup("accounts", "asked for").expect_error(404, "not_found");

    let taken = fixture.upsert("accounts", &body).expect_error(400, "unique");
    assert_eq!(taken["errors"][0]["conflicting_record_id"], created["id"]);
}

#[test]
fn return_all_fields_gives_every_field_that_has_a_value() {
    let mut fixture = accounts();
    fixture.create("accounts", "Acme", &json!({"account_region": "North"}));
    let url = "/api/records/accounts/upsert?return_all_fields=true";
    let body = json!({"lookup_value": "Acme", "fields": {"note": "n"}});
    let answer = fixture.client.post(url, &body).expect(200);
    let mut names = names_of_fields(&answer);
    names.sort_unstable();
    let all = ["account_region", "created", "display_name", "name", "note", "owner", "updated"];
    assert_eq!(names, all);
}

#[test]
fn a_number_is_taken_as_the_text_of_a_lookup_value() {
    let mut fixture = accounts();
    let body = json!({"lookup_value": 4711});
    let created = fixture.upsert("accounts", &body).expect(200);
    assert_eq!(created["name"], "4711");
    let again = fixture.upsert("accounts", &json!({"lookup_value": "4711"})).expect(200);
    assert_eq!(again["id"], created["id"]);
}

#[test]
fn a_contact_is_found_by_its_email_and_shown_by_its_name() {
    let mut fixture = Fixture::new();
    let body = json!({
        "lookup_value": " Ada@Example.com ",
        "fields": {"first_name": "Ada", "last_name": "Lovelace", "titles": ["Countess"]},
    });
    let created = fixture.upsert("client_client", &body).expect(200);
    assert_includes(
        &created,
        &json!({
            "action": "created", "name": "Ada Lovelace", "display_name": "Ada Lovelace",
            "num_associated_team_members": 0,
            "client_info": {
                "first_name": "Ada", "last_name": "Lovelace", "full_name": "Ada Lovelace",
                "email": "Ada@Example.com",
            },
        }),
    );
    assert_eq!(field_value(&created, "email"), Some(&json!("Ada@Example.com")));
    let again = fixture.upsert("client_client", &json!({"lookup_value": "ada@example.COM"}));
    assert_includes(
        &again.expect(200),
        &json!({"action": "updated", "id": created["id"], "version": 1}),
    );

    let nameless = fixture.create("client_client", "nobody@example.com", &json!({}));
    assert_eq!(nameless["display_name"], "nobody@example.com");
    let refused = fixture.upsert("client_client", &json!({"lookup_value": "no address"}));
    refused.expect_error(400, "invalid");
}

#[test]
fn a_contact_without_an_email_is_never_matched() {
    let mut fixture = Fixture::new();
    let body = json!({"fields": {"first_name": "Nameless"}});
    let first = fixture.client.post("/api/records/client_client/add", &body).expect(201);
    let second = fixture.client.post("/api/records/client_client/add", &body).expect(201);
    assert_ne!(first["id"], second["id"]);
    let url = "/api/records/client_client/lookup?identifier=";
    fixture.client.get(url).expect_error(400, "blank");
}

#[test]
fn a_required_field_is_asked_for_on_create_and_kept_on_update() {
    let mut fixture = accounts();
    let required = json!({
        "field_type": "text", "display_name": "Code", "name": "account_code", "is_required": true,
    });
    fixture.create("accounts", "older", &json!({}));
    fixture.field("accounts", &required);
    let body = json!({"lookup_value": "Acme"});
    let refused = fixture.upsert("accounts", &body).expect_error(400, "required");
    assert_includes(&refused["errors"], &json!([{"code": "required", "field": "account_code"}]));

    let partial = json!({"lookup_value": "older", "fields": {"note": "n"}});
    let updated = fixture.upsert("accounts", &partial).expect(200);
    assert_eq!(updated["action"], "updated", "a partial update never fails for what it leaves out");
    fixture.create("accounts", "Acme", &json!({"account_code": "a1"}));
    let clearing = json!({"lookup_value": "Acme", "fields": {"account_code": null}});
    fixture.upsert("accounts", &clearing).expect_error(400, "required");
    let read = fixture.lookup("accounts", "Acme").expect(200);
    assert_eq!(field_value(&read, "account_code"), Some(&json!("a1")), "an error writes nothing");
}

#[test]
fn an_error_in_one_field_writes_none() {
    let mut fixture = accounts();
    let record = fixture.create("accounts", "Acme", &json!({"note": "before"}));
    let fields = json!({"note": "after", "account_region": "East"});
    let body = json!({"lookup_value": "Acme", "fields": fields});
    fixture.upsert("accounts", &body).expect_error(400, "does_not_exist");
    let read = fixture.read("accounts", text(&record, "id")).expect(200);
    assert_eq!(field_value(&read, "note"), Some(&json!("before")));
    assert_eq!(read["version"], 1);
    let body = json!({"lookup_value": "Globex", "fields": fields});
    fixture.upsert("accounts", &body).expect_error(400, "does_not_exist");
    fixture.lookup("accounts", "Globex").expect_error(404, "not_found");
}

fn names_of_fields(record: &Value) -> Vec<&str> {
    let fields = record["fields"].as_object().expect("fields is an object");
    fields.values().map(|field| text(field, "name")).collect()
}

/// RFC 3339 with six fraction digits and a numeric offset: `2026-11-24T05:40:00.123000+00:00`.
fn assert_is_time(value: &Value) {
    let shape: String = value
        .as_str()
        .expect("a time is a text")
        .chars()
        .map(|character| if character.is_ascii_digit() { '0' } else { character })
        .collect();
    assert_eq!(shape, "0000-00-00T00:00:00.000000+00:00", "{value}");
}
