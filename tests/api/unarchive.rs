//! Archived records by id: who answers as if they were not there, and how they come back.

use crate::support::{Fixture, assert_includes, field_value, text};
use serde_json::{Value, json};

/// Accounts with a note, a unique serial number, and one record of the test's.
fn accounts() -> Fixture {
    let mut fixture = Fixture::new();
    fixture.object("accounts");
    fixture.text_field("accounts", "note");
    for name in ["serial", "badge"] {
        let unique = json!({
            "field_type": "text", "display_name": name, "name": name, "is_unique": true,
        });
        fixture.field("accounts", &unique);
    }
    fixture
}

fn path(record: &Value, suffix: &str) -> String {
    format!("/api/records/accounts/{}{suffix}", text(record, "id"))
}

#[test]
fn an_archived_record_is_not_found_by_any_route_that_does_not_ask_for_it() {
    let mut fixture = accounts();
    let archived = fixture.create_archived("accounts", "Acme", &json!({"note": "kept"}));
    let body = json!({"fields": {"note": "changed"}});
    for (method, suffix) in [
        ("GET", ""),
        ("GET", "?include_archived=false"),
        ("PATCH", ""),
        ("PUT", ""),
        ("PUT", "?replace=true"),
        ("DELETE", ""),
    ] {
        let request = crate::support::Request::new(method, &path(&archived, suffix));
        let request = if method.starts_with('P') { request.json(&body) } else { request };
        fixture.send(&request).expect_error(404, "not_found");
    }
    fixture.lookup("accounts", "Acme").expect_error(404, "not_found");

    let read = fixture.read_archived("accounts", text(&archived, "id")).expect(200);
    assert_eq!(field_value(&read, "note"), Some(&json!("kept")), "nothing was written");
    assert_eq!(read["version"], 2);
    assert!(read["archived_at"].is_string(), "{read}");
    assert_eq!(read["archived_by"]["id"], field_value(&read, "owner").expect("an owner")["id"]);
}

#[test]
fn archiving_twice_is_not_found_the_second_time() {
    let mut fixture = accounts();
    let record = fixture.create_archived("accounts", "Acme", &json!({}));
    fixture.client.delete(&path(&record, "")).expect_error(404, "not_found");
    fixture.client.delete(&path(&json!({"id": UNKNOWN}), "")).expect_error(404, "not_found");
}

const UNKNOWN: &str = "00000000-0000-7000-8000-000000000000";

/// What stands in the way of an archived record that is to come back.
#[derive(Clone, Copy, Debug)]
enum Past {
    HoldsItsKey,
    DisplacedAndFree,
    DisplacedAndTaken,
    NeverArchived,
}

#[test]
fn unarchiving_gives_the_best_identifier_that_is_free() {
    let mut fixture = accounts();
    for (past, action, name) in [
        (Past::HoldsItsKey, "unarchived", "same"),
        (Past::DisplacedAndFree, "unarchived", "same"),
        (Past::DisplacedAndTaken, "unarchived", "displaced"),
        (Past::NeverArchived, "unchanged", "same"),
    ] {
        println!("{past:?} gives {action} under the {name} name");
        check_unarchive(&mut fixture, past, action, name == "same");
    }
}

fn check_unarchive(fixture: &mut Fixture, past: Past, action: &str, has_its_name: bool) {
    let name = format!("{past:?}");
    let record = fixture.create("accounts", &name, &json!({"note": "kept"}));
    let overwrite = json!({"lookup_value": name, "oncreate_unarchive": "overwrite"});
    match past {
        Past::NeverArchived => {}
        Past::HoldsItsKey => fixture.archive("accounts", text(&record, "id")),
        Past::DisplacedAndFree | Past::DisplacedAndTaken => {
            fixture.archive("accounts", text(&record, "id"));
            let taker = fixture.upsert("accounts", &overwrite).expect(200);
            if let Past::DisplacedAndFree = past {
                let away = json!({"fields": {"name": format!("{name} elsewhere")}});
                fixture.client.patch(&path(&taker, ""), &away).expect(200);
            }
        }
    }
    let before = fixture.read_archived("accounts", text(&record, "id")).expect(200);
    let unarchive = crate::support::Request::new("PATCH", &path(&record, "/unarchive"));
    let answer = fixture.send(&unarchive).expect(200);
    assert_includes(&answer, &json!({"action": action, "id": record["id"]}));
    let read = fixture.read("accounts", text(&record, "id")).expect(200);
    assert_eq!(field_value(&read, "note"), Some(&json!("kept")));
    assert_eq!(read["version"], answer["version"]);
    let raised = action == "unarchived";
    assert_eq!(read["version"].as_u64(), before["version"].as_u64().map(|v| v + u64::from(raised)));
    if has_its_name {
        assert_eq!(read["name"], *name);
        assert_eq!(fixture.lookup("accounts", &name).expect(200)["id"], record["id"]);
    } else {
        assert!(text(&read, "name").starts_with(&format!("{name}_discarded_")), "{read}");
        assert_ne!(fixture.lookup("accounts", &name).expect(200)["id"], record["id"]);
    }
}

#[test]
fn unarchiving_twice_changes_nothing_the_second_time() {
    let mut fixture = accounts();
    let record = fixture.create_archived("accounts", "Acme", &json!({}));
    let first = fixture.client.patch(&path(&record, "/unarchive"), &json!({})).expect(200);
    assert_includes(&first, &json!({"action": "unarchived", "version": 3}));
    let second = fixture.client.patch(&path(&record, "/unarchive"), &json!({})).expect(200);
    assert_includes(&second, &json!({"action": "unchanged", "version": 3}));
    assert_eq!(first["updated"], second["updated"]);
    let unknown = path(&json!({"id": UNKNOWN}), "/unarchive");
    fixture.client.patch(&unknown, &json!({})).expect_error(404, "not_found");
}

#[test]
fn unarchiving_under_another_identifier_asks_who_holds_it() {
    let mut fixture = accounts();
    let record = fixture.create_archived("accounts", "Acme", &json!({}));
    let live = fixture.create("accounts", "live", &json!({}));
    let archived = fixture.create_archived("accounts", "archived", &json!({}));
    let unarchive = path(&record, "/unarchive");

    let taken = fixture.client.patch(&unarchive, &json!({"identifier": "LIVE"}));
    let taken = taken.expect_error(400, "unique");
    assert_eq!(taken["errors"][0]["conflicting_record_id"], live["id"]);
    let conflict = fixture.client.patch(&unarchive, &json!({"identifier": "archived"}));
    let conflict = conflict.expect_error(409, "conflict");
    assert_includes(
        &conflict["conflict"],
        &json!({
            "kind": "archived_identifier", "archived_record": {"id": archived["id"]},
            "parameter": null, "choices": [],
        }),
    );
    fixture.read("accounts", text(&record, "id")).expect_error(404, "not_found");

    let restored = fixture.client.patch(&unarchive, &json!({"identifier": "free"})).expect(200);
    assert_includes(
        &restored,
        &json!({"action": "unarchived", "id": record["id"], "name": "free"}),
    );
    fixture.lookup("accounts", "Acme").expect_error(404, "not_found");
}

#[test]
fn a_unique_value_taken_meanwhile_is_named_or_cleared() {
    let mut fixture = accounts();
    let fields = json!({"serial": "s1", "badge": "b1", "note": "kept"});
    let record = fixture.create_archived("accounts", "Acme", &fields);
    let serial = fixture.create("accounts", "taker of serial", &json!({"serial": "S1"}));
    let badge = fixture.create("accounts", "taker of badge", &json!({"badge": "b1"}));
    let conflict = fixture.client.patch(&path(&record, "/unarchive"), &json!({}));
    let conflict = conflict.expect_error(409, "conflict");
    assert_includes(
        &conflict["conflict"],
        &json!({
            "kind": "unique_on_restore", "record_id": record["id"],
            "fields": [
                {"field": {"name": "serial"}, "value": "s1", "held_by": {"id": serial["id"]}},
                {"field": {"name": "badge"}, "value": "b1", "held_by": {"id": badge["id"]}},
            ],
        }),
    );
    let upsert = json!({"lookup_value": "Acme", "oncreate_unarchive": "unarchive"});
    fixture.upsert("accounts", &upsert).expect_error(409, "conflict");
    fixture.read("accounts", text(&record, "id")).expect_error(404, "not_found");

    let clearing = path(&record, "/unarchive?on_restore_conflict=clear");
    let restored = fixture.client.patch(&clearing, &json!({})).expect(200);
    assert_eq!(restored["action"], "unarchived");
    let read = fixture.read("accounts", text(&record, "id")).expect(200);
    assert_eq!(field_value(&read, "serial"), None);
    assert_eq!(field_value(&read, "badge"), None);
    assert_eq!(field_value(&read, "note"), Some(&json!("kept")));
}

#[test]
fn an_archived_record_claims_its_identifier_and_nothing_else() {
    let mut fixture = accounts();
    fixture.create_archived("accounts", "Acme", &json!({"serial": "s1"}));
    fixture.create("accounts", "Globex", &json!({"serial": "s1"}));
    let body = json!({"lookup_value": "acme"});
    fixture.upsert("accounts", &body).expect_error(409, "conflict");
}
