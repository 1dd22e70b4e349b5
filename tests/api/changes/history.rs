//! History: how a record became what it is, told by whoever may read it now.

use crate::support::{Fixture, assert_includes, field_value, text};
use serde_json::{Value, json};

/// A record with six versions.
fn life() -> (Fixture, String) {
    let mut fixture = Fixture::new();
    fixture.object("accounts");
    fixture.text_field("accounts", "note");
    let region = json!({
        "field_type": "dropdown", "display_name": "Region", "name": "region",
        "options": [{"name": "North"}, {"name": "South"}],
    });
    fixture.field("accounts", &region);
    let made = fixture.create("accounts", "Acme", &json!({"note": "one", "region": "North"}));
    let path = format!("/api/records/accounts/{}", text(&made, "id"));
    for fields in [json!({"note": "two"}), json!({"note": null, "region": "South"})] {
        fixture.client.patch(&path, &json!({"fields": fields})).expect(200);
    }
    fixture.client.delete(&path).expect_empty(204);
    fixture.client.patch(&format!("{path}/unarchive"), &json!({})).expect(200);
    fixture.client.patch(&path, &json!({"fields": {"name": "Acme Corp"}})).expect(200);
    (fixture, path)
}

fn versions(page: &Value) -> Vec<u64> {
    let rows = page["results"].as_array().expect("a page has results");
    rows.iter().filter_map(|row| row["version"].as_u64()).collect()
}

#[test]
fn each_version_tells_what_it_changed_from_and_to() {
    let (mut fixture, path) = life();
    let page = fixture.client.get(&format!("{path}/history")).expect(200);
    assert_includes(&page, &json!({"count": 6, "next": null, "truncated": false}));
    assert_eq!(versions(&page), [6, 5, 4, 3, 2, 1]);
    assert_includes(
        &page["results"],
        &json!([
            {"action": "updated", "changes": [
                {"field": {"name": "name"}, "old": "Acme", "new": "Acme Corp"},
            ]},
            {"action": "unarchived", "changes": []},
            {"action": "archived", "changes": []},
            {"action": "updated", "changes": [
                {"field": {"name": "note"}, "old": "two", "new": null},
                {"field": {"name": "region"}, "old": {"name": "North"}, "new": {"name": "South"}},
            ]},
            {"action": "updated", "changes": [{"old": "one", "new": "two"}]},
            {"action": "created"},
        ]),
    );
    let created = page["results"][5]["changes"].as_array().expect("changes are a list");
    assert!(created.iter().all(|change| change["old"].is_null() && !change["new"].is_null()));
    let mut fixture = fixture.after_a_crash();
    assert_eq!(
        fixture.client.get(&format!("{path}/history")).expect(200)["results"],
        page["results"]
    );
}

#[test]
fn a_history_has_pages_and_works_for_archived_records_until_they_are_purged() {
    let (mut fixture, path) = life();
    let whole = fixture.client.get(&format!("{path}/history")).expect(200);
    let target = format!("{path}/history?page_size=4");
    let first = fixture.client.get(&target).expect(200);
    let second = fixture.client.get(&format!("{target}&page=2")).expect(200);
    assert_eq!((versions(&first), versions(&second)), (vec![6, 5, 4, 3], vec![2, 1]));
    assert_eq!(second["results"][0], whole["results"][4], "what was before is known");
    fixture.client.get(&format!("{target}&page=3")).expect_error(404, "not_found");
    fixture.client.delete(&path).expect_empty(204);
    let archived = fixture.client.get(&format!("{path}/history")).expect(200);
    assert_eq!(archived["count"], 7);
    fixture.client.delete(&format!("{path}?purge=true")).expect_empty(204);
    fixture.client.get(&format!("{path}/history")).expect_error(404, "not_found");
}

#[test]
fn a_record_is_read_as_of_any_version() {
    let (mut fixture, path) = life();
    let notes = ["one", "two", "", "", "", ""];
    for (version, note) in (1..).zip(notes) {
        let read = fixture.client.get(&format!("{path}?version={version}")).expect(200);
        assert_eq!(read["version"], version);
        let found = field_value(&read, "note").and_then(Value::as_str).unwrap_or_default();
        assert_eq!(found, note);
        assert_eq!(read.get("archived_at").is_some(), version == 4);
        let name = if version == 6 { "Acme Corp" } else { "Acme" };
        assert_eq!(read["name"], name);
    }
    for version in ["0", "7", "99999999999999999999"] {
        let target = format!("{path}?version={version}");
        fixture.client.get(&target).expect_error(404, "not_found");
    }
    for version in ["", "x", "-1", "1.0"] {
        let target = format!("{path}?version={version}");
        fixture.client.get(&target).expect_error(400, "invalid");
    }
}
