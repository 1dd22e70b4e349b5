//! The options of a single upsert: modes, sets of fields, what answers say besides.

use crate::support::{Answer, Fixture, assert_includes, field_value, text};
use serde_json::{Value, json};

/// Accounts with a note, and a required region.
fn accounts() -> Fixture {
    let mut fixture = Fixture::new();
    fixture.object("accounts");
    fixture.text_field("accounts", "note");
    let region = json!({
        "field_type": "text", "display_name": "region", "name": "region", "is_required": true,
    });
    fixture.field("accounts", &region);
    fixture
}

fn upsert(fixture: &mut Fixture, query: &str, body: &Value) -> Answer {
    fixture.client.post(&format!("/api/records/accounts/upsert?{query}"), body)
}

/// The API names of an answer's fields, sorted.
fn names(record: &Value) -> Vec<&str> {
    let fields = record["fields"].as_object().expect("fields is an object");
    let mut names: Vec<&str> = fields.values().map(|field| text(field, "name")).collect();
    names.sort_unstable();
    names
}

#[test]
fn a_mode_says_what_becomes_of_a_record_that_is_found_or_not() {
    let mut fixture = accounts();
    let fields = json!({"region": "north", "note": "after"});
    let before = fixture.create("accounts", "Acme", &json!({"region": "north", "note": "before"}));
    let body = json!({"lookup_value": "ACME", "fields": fields});
    for mode in ["create", "get_or_create"] {
        let answer = upsert(&mut fixture, &format!("mode={mode}"), &body);
        assert_eq!(answer.header("X-Upsert-Action"), Some("exists"));
        let found = answer.expect(200);
        assert_includes(
            &found,
            &json!({"action": "exists", "id": before["id"], "version": 1, "name": "Acme"}),
        );
        if mode == "create" {
            assert_eq!(names(&found), ["name", "updated"]);
        } else {
            assert_eq!(field_value(&found, "note"), Some(&json!("before")));
        }
    }
    let updated = upsert(&mut fixture, "mode=update", &body).expect(200);
    assert_includes(&updated, &json!({"action": "updated", "id": before["id"], "version": 2}));
    let body = json!({"lookup_value": "Globex", "fields": fields});
    upsert(&mut fixture, "mode=update", &body).expect_error(404, "not_found");
    let made = upsert(&mut fixture, "mode=create", &body).expect(200);
    assert_eq!(made["action"], "created");
    let body = json!({"lookup_value": "Initech", "fields": fields});
    let made = upsert(&mut fixture, "mode=get_or_create", &body).expect(200);
    assert_eq!(made["action"], "created");
    upsert(&mut fixture, "mode=Upsert", &body).expect_error(400, "invalid_choice");
}

#[test]
fn an_archived_record_is_met_alike_in_every_mode_but_update() {
    let mut fixture = accounts();
    let fields = json!({"region": "north"});
    let archived = fixture.create_archived("accounts", "Acme", &fields);
    let mut body = json!({"lookup_value": "Acme", "fields": fields});
    for mode in ["upsert", "create", "get_or_create"] {
        upsert(&mut fixture, &format!("mode={mode}"), &body).expect_error(409, "conflict");
    }
    body["oncreate_unarchive"] = json!("unarchive");
    upsert(&mut fixture, "mode=update", &body).expect_error(404, "not_found");
    body["oncreate_unarchive"] = json!("skip");
    let answer = upsert(&mut fixture, "", &body);
    assert_eq!(answer.header("X-Upsert-Action"), Some("skipped_archived"));
    let skipped = answer.expect(200);
    assert_includes(
        &skipped,
        &json!({"action": "skipped_archived", "id": archived["id"], "version": 2}),
    );
    assert_eq!(names(&skipped), ["name", "updated"]);
    fixture.lookup("accounts", "Acme").expect_error(404, "not_found");
    // The same for an identifier that is not the one looked up.
    let body = json!({
        "lookup_value": "Other", "oncreate_unarchive": "skip",
        "fields": {"name": "ACME", "region": "north"},
    });
    let skipped = upsert(&mut fixture, "", &body).expect(200);
    assert_eq!(skipped["id"], archived["id"]);
    body_of_restored(&mut fixture, &archived);
}

#[track_caller]
fn body_of_restored(fixture: &mut Fixture, archived: &Value) {
    let body = json!({"lookup_value": "Acme", "oncreate_unarchive": "unarchive"});
    let restored = upsert(fixture, "mode=create", &body).expect(200);
    assert_includes(&restored, &json!({"action": "unarchived", "id": archived["id"]}));
}

#[test]
fn in_what_is_not_written_types_are_checked_all_the_same() {
    let mut fixture = accounts();
    fixture.create("accounts", "Acme", &json!({"region": "north"}));
    fixture.create_archived("accounts", "Gone", &json!({"region": "north"}));
    let fields = json!({"nowhere": 1});
    for (query, name) in [("mode=create", "Acme"), ("", "Gone")] {
        let body =
            json!({"lookup_value": name, "oncreate_unarchive": "skip", "set_if_empty": fields});
        let refused = upsert(&mut fixture, query, &body).expect_error(400, "does_not_exist");
        assert_includes(
            &refused["errors"],
            &json!([{"field": "nowhere", "parameter": "set_if_empty"}]),
        );
    }
    // What is missing is no matter, and neither are fields that nobody may write.
    let body = json!({"lookup_value": "Acme", "fields": {"created": "2026-01-01T00:00:00Z"}});
    upsert(&mut fixture, "mode=create", &body).expect(200);
}

#[test]
fn an_update_without_a_change_says_so_where_it_was_asked_for() {
    let mut fixture = accounts();
    fixture.create("accounts", "Acme", &json!({"region": "north", "note": "n"}));
    let body = json!({"lookup_value": "Acme", "fields": {"note": "n", "region": "north"}});
    let answer = upsert(&mut fixture, "changed_fields=true", &body).expect(200);
    assert_includes(&answer, &json!({"action": "updated", "version": 1, "changed_fields": []}));
    let query = "report_unchanged=true&changed_fields=true";
    let answer = upsert(&mut fixture, query, &body);
    assert_eq!(answer.header("X-Upsert-Action"), Some("unchanged"));
    let answer = answer.expect(200);
    assert_includes(&answer, &json!({"action": "unchanged", "version": 1, "changed_fields": []}));
    assert_eq!(names(&answer), ["name", "updated"]);
    let all = "report_unchanged=1&return_all_fields=1";
    let answer = upsert(&mut fixture, all, &body).expect(200);
    assert_eq!(field_value(&answer, "note"), Some(&json!("n")));
    let body = json!({"lookup_value": "Acme", "fields": {"region": "south", "note": "m"}});
    let answer = upsert(&mut fixture, query, &body).expect(200);
    let changed = json!(["note", "region"]);
    assert_includes(
        &answer,
        &json!({"action": "updated", "version": 2, "changed_fields": changed}),
    );
    let body = json!({"lookup_value": "New", "fields": {"region": "south"}});
    let answer = upsert(&mut fixture, query, &body).expect(200);
    assert_eq!(answer["changed_fields"], json!(["name", "region"]), "and no default");
    let answer = upsert(&mut fixture, "report_unchanged=true", &body).expect(200);
    assert_eq!(answer.get("changed_fields"), None);
}

#[test]
fn each_set_of_fields_applies_on_its_own_branch() {
    let mut fixture = accounts();
    for name in ["first", "last", "extra"] {
        fixture.text_field("accounts", name);
    }
    let body = json!({
        "lookup_value": "Acme",
        "fields": {"note": "always"},
        "set_on_create": [{"name": "region", "value": "born"}, {"name": "first", "value": "one"}],
        "set_on_update": {"last": "later"},
        "set_if_empty": {"extra": "filled", "note": "never", "name": "never"},
    });
    let made = upsert(&mut fixture, "changed_fields=1", &body).expect(200);
    let given = ["name", "note", "region", "first", "extra"];
    assert_eq!(made["changed_fields"], json!(given));
    for (field, value) in [("note", "always"), ("region", "born"), ("extra", "filled")] {
        assert_eq!(field_value(&made, field), Some(&json!(value)), "{made}");
    }
    assert_eq!(field_value(&made, "last"), None);
    assert_eq!(made["name"], "Acme", "the lookup value is a value of the name");
    let id = text(&made, "id").to_owned();
    let change = json!({"fields": {"region": "moved", "first": null, "extra": "kept"}});
    fixture.client.patch(&format!("/api/records/accounts/{id}"), &change).expect(200);
    let answer = upsert(&mut fixture, "changed_fields=1", &body).expect(200);
    assert_includes(&answer, &json!({"action": "updated", "changed_fields": ["last"]}));
    assert_eq!(field_value(&answer, "extra"), None, "it had a value, so it was not written");
    let read = fixture.read("accounts", &id).expect(200);
    for (field, value) in [("region", "moved"), ("extra", "kept"), ("last", "later")] {
        assert_eq!(field_value(&read, field), Some(&json!(value)));
    }
    assert_eq!(field_value(&read, "first"), None, "what belongs to its birth is not put back");
    fixture.archive("accounts", &id);
    let body = json!({
        "lookup_value": "Acme", "oncreate_unarchive": "unarchive",
        "set_on_create": {"note": "c"}, "set_on_update": {"note": "u"},
        "set_if_empty": {"first": "again", "extra": "never"},
    });
    let restored = upsert(&mut fixture, "changed_fields=1", &body).expect(200);
    assert_includes(
        &restored,
        &json!({"action": "unarchived", "changed_fields": ["note", "first"]}),
    );
    assert_eq!(field_value(&restored, "note"), Some(&json!("u")));
}

#[test]
fn a_field_stands_in_one_set_that_applies() {
    let mut fixture = accounts();
    let refused = |fixture: &mut Fixture, body: &Value, set: &str| {
        let answer = upsert(fixture, "", body).expect_error(400, "duplicate_field");
        assert_includes(&answer["errors"], &json!([{"field": "region", "parameter": set}]));
        assert_eq!(answer[set], json!(["This field is named twice."]), "the older form");
        assert_eq!(answer["non_field_errors"], json!([]));
    };
    let region = json!({"region": "north"});
    let body = json!({"lookup_value": "Acme", "fields": region, "set_on_create": region});
    refused(&mut fixture, &body, "set_on_create");
    let body = json!({"lookup_value": "Acme", "set_if_empty": region, "set_on_create": region});
    refused(&mut fixture, &body, "set_if_empty");
    // What is for updates does not apply to a creation, and the other way round.
    let body = json!({"lookup_value": "Acme", "fields": region, "set_on_update": region});
    upsert(&mut fixture, "", &body).expect(200);
    refused(&mut fixture, &body, "set_on_update");
    let body = json!({"lookup_value": "Acme", "fields": region, "set_on_create": region});
    upsert(&mut fixture, "", &body).expect(200);
    // What is wrong with a value is told on every branch.
    let body = json!({"lookup_value": "Acme", "set_on_create": {"region": 5.5e3, "nowhere": 1}});
    let answer = upsert(&mut fixture, "", &body).expect_error(400, "does_not_exist");
    assert_includes(
        &answer["errors"],
        &json!([{"field": "nowhere", "parameter": "set_on_create"}]),
    );
    assert_eq!(answer["errors"][0].get("index"), None, "that is a place in `fields`");
    let twice = json!([{"name": "note", "value": "a"}, {"name": "note", "value": "b"}]);
    let body = json!({"lookup_value": "Acme", "set_on_update": twice});
    upsert(&mut fixture, "", &body).expect_error(400, "duplicate_field");
}

#[test]
fn blanks_clear_unless_they_are_to_be_ignored() {
    let mut fixture = accounts();
    let score = json!({"field_type": "integer", "display_name": "score", "name": "score"});
    fixture.field("accounts", &score);
    let fields = json!({"region": "north", "note": "n", "score": 5});
    let id = text(&fixture.create("accounts", "Acme", &fields), "id").to_owned();
    let blanks = json!({"name": null, "region": "", "note": " ", "score": ""});
    let body = json!({"lookup_value": "Acme", "fields": blanks});
    let answer = upsert(&mut fixture, "blank=ignore&report_unchanged=1", &body).expect(200);
    assert_includes(&answer, &json!({"action": "unchanged", "version": 1}));
    let body = json!({"lookup_value": "New", "fields": blanks, "set_on_create": {"region": "x"}});
    let made = upsert(&mut fixture, "blank=ignore", &body).expect(200);
    assert_includes(&made, &json!({"action": "created", "name": "New"}));
    let body = json!({"lookup_value": "Acme", "fields": {"note": "", "score": null}});
    let cleared = upsert(&mut fixture, "blank=clear", &body).expect(200);
    assert_eq!(field_value(&cleared, "note"), Some(&Value::Null));
    assert_eq!(fixture.value(("accounts", &id), "score"), Value::Null);
    // An entry that is passed over must name a field all the same.
    let body = json!({"lookup_value": "Acme", "fields": {"nowhere": null}});
    upsert(&mut fixture, "blank=ignore", &body).expect_error(400, "does_not_exist");
}

#[test]
fn a_client_ref_comes_back_in_answers_and_in_errors() {
    let mut fixture = accounts();
    for client_ref in ["r1", "", " \u{1}é ", &"é".repeat(255)] {
        let mut body = json!({
            "lookup_value": "Acme", "fields": {"region": "north"}, "client_ref": client_ref,
        });
        let answer = upsert(&mut fixture, "", &body).expect(200);
        assert_eq!(answer["client_ref"], client_ref);
        body["fields"] = json!({"nowhere": 1});
        let refused = upsert(&mut fixture, "", &body).expect_error(400, "does_not_exist");
        assert_eq!(refused["client_ref"], client_ref);
        body["lookup_value"] = json!("");
        let refused = upsert(&mut fixture, "", &body).expect_error(400, "blank");
        assert_eq!(refused["client_ref"], client_ref);
    }
    let body = json!({"lookup_value": "Acme", "client_ref": null});
    let answer = upsert(&mut fixture, "", &body).expect(200);
    assert_eq!(answer.get("client_ref"), None);
    for (client_ref, code) in [(json!(7), "invalid"), (json!("x".repeat(256)), "max_length")] {
        let body = json!({"lookup_value": "Acme", "client_ref": client_ref});
        let refused = upsert(&mut fixture, "", &body).expect_error(400, code);
        assert!(refused["client_ref"].is_array(), "its message, not itself: {refused}");
    }
}
