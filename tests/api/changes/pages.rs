//! Pages: what an entry says, where the next page goes on, and which entries are wanted.

use crate::api::changes::{all, each, end, entries, page};
use crate::support::{Fixture, assert_includes, field_value, text};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// A record that was made, changed, archived, restored, archived and purged.
fn life() -> (Fixture, Value, String) {
    let mut fixture = Fixture::new();
    let object = fixture.object("accounts");
    let code = json!({
        "field_type": "text", "display_name": "Code", "name": "code", "is_unique": true,
    });
    fixture.field("accounts", &code);
    fixture.text_field("accounts", "note");
    let made = fixture.create("accounts", "Acme", &json!({"code": "a-1", "note": "one"}));
    let id = text(&made, "id").to_owned();
    let path = format!("/api/records/accounts/{id}");
    let change = json!({"fields": {"note": "two", "name": "Acme Corp"}});
    fixture.client.patch(&path, &change).expect(200);
    fixture.client.patch(&path, &change).expect(200);
    fixture.archive("accounts", &id);
    fixture.client.patch(&format!("{path}/unarchive"), &json!({})).expect(200);
    fixture.archive("accounts", &id);
    (fixture, object, id)
}

#[test]
fn each_change_is_one_entry_and_a_change_of_nothing_is_none() {
    let (mut fixture, object, id) = life();
    let found = all(&mut fixture.client, "accounts", "actions=created,updated,archived,unarchived");
    let actions = ["created", "updated", "archived", "unarchived", "archived"];
    assert_eq!(each(&found, "action"), actions.map(Value::from));
    assert_eq!(each(&found, "version"), [1, 2, 3, 4, 5].map(Value::from));
    let me = fixture.client.get("/api/team").expect(200)[0].clone();
    assert_includes(
        &found[1],
        &json!({
            "seq": 5, "action": "updated", "id": id, "version": 2,
            "object": {"id": object["id"], "name": "accounts"},
            "changed_fields": ["name", "note"],
            "keys": {"name": "Acme Corp", "code": "a-1"},
            "actor": {"id": me["id"], "display_name": me["display_name"]},
            "reason": null,
        }),
    );
    assert_eq!(found[2]["changed_fields"], json!([]));
    for entry in &found {
        assert!(entry.get("record").is_none() && entry.get("schema").is_none(), "{entry}");
        assert_eq!(entry["keys"]["code"], "a-1", "tombstones too: {entry}");
    }
    let batches: BTreeSet<_> = found.iter().map(|entry| text(entry, "batch_id")).collect();
    assert_eq!(batches.len(), found.len(), "each was a request of its own");
    let whole = all(&mut fixture.client, "accounts", "");
    assert_eq!(each(&whole, "seq"), (1..=8).map(Value::from).collect::<Vec<_>>());
}

#[test]
fn a_record_is_shown_as_it_was_and_after_a_purge_not_at_all() {
    let (mut fixture, _, id) = life();
    let found = all(&mut fixture.client, "accounts", "include=record");
    let notes: Vec<Value> = found.iter().map(|entry| note_of(&entry["record"])).collect();
    let (none, one, two) = (Value::Null, json!("one"), json!("two"));
    assert_eq!(notes, [&none, &none, &none, &one, &two, &two, &two, &two].map(Clone::clone));
    for (at, entry) in found.iter().enumerate() {
        let is_archived = entry["record"].get("archived_at").is_some();
        assert_eq!(is_archived, entry["action"] == "archived", "{at}: {entry}");
        if entry["action"] != "schema" {
            assert_eq!(entry["record"]["version"], entry["version"]);
        }
    }
    let purge = format!("/api/records/accounts/{id}?purge=true");
    fixture.client.delete(&purge).expect_empty(204);
    let found = all(&mut fixture.client, "accounts", "include=record");
    assert_eq!(found.len(), 9);
    assert_includes(&found[8], &json!({"action": "purged", "id": id, "version": 6}));
    for entry in &found[3..] {
        let nothing = (&entry["keys"], &entry["record"]);
        assert_eq!(nothing, (&Value::Null, &Value::Null), "{entry}");
    }
}

fn note_of(record: &Value) -> Value {
    if record.is_null() {
        Value::Null
    } else {
        field_value(record, "note").cloned().unwrap_or_default()
    }
}

#[test]
fn pages_follow_each_other_without_a_gap() {
    let (mut fixture, ..) = life();
    let whole = all(&mut fixture.client, "accounts", "");
    for limit in 1..=9 {
        let paged = all(&mut fixture.client, "accounts", &format!("limit={limit}"));
        assert_eq!(each(&paged, "seq"), each(&whole, "seq"), "by {limit}");
    }
    for (at, entry) in whole.iter().enumerate() {
        let query = format!("after={}&limit=2", text(entry, "cursor"));
        let page = page(&mut fixture.client, "accounts", &query);
        let behind: Vec<_> = whole[at + 1..].iter().take(2).map(|entry| &entry["seq"]).collect();
        assert_eq!(each(entries(&page), "seq").iter().collect::<Vec<_>>(), behind);
        assert_eq!(page["has_more"], json!(at + 3 < whole.len()), "{at}");
    }
}

#[test]
fn the_end_has_a_cursor_that_leads_to_what_comes_next() {
    let (mut fixture, ..) = life();
    let after = end(&mut fixture.client, "accounts");
    let nothing = page(&mut fixture.client, "accounts", &format!("after={after}"));
    assert_includes(&nothing, &json!({"results": [], "has_more": false}));
    fixture.create("accounts", "Globex", &json!({}));
    for after in [after.as_str(), text(&nothing, "next_cursor")] {
        let found = page(&mut fixture.client, "accounts", &format!("after={after}"));
        assert_eq!(each(entries(&found), "seq"), [json!(9)]);
    }
}

#[test]
fn only_what_is_asked_for_comes_and_the_cursor_passes_the_rest() {
    let (mut fixture, _, id) = life();
    let found = page(&mut fixture.client, "accounts", "actions=purged,unarchived");
    assert_eq!(each(entries(&found), "action"), [json!("unarchived")]);
    let after = text(&found, "next_cursor");
    let rest = page(&mut fixture.client, "accounts", &format!("after={after}"));
    assert_eq!(rest["results"], json!([]), "what was not wanted was passed");
    let compact = all(&mut fixture.client, "accounts", "compact=true");
    assert_eq!(
        each(&compact, "action"),
        ["schema", "schema", "schema", "archived"].map(Value::from)
    );
    assert_includes(&compact[3], &json!({"id": id, "seq": 8, "version": 5}));
}

#[test]
fn a_record_whose_name_was_taken_says_why_it_changed() {
    let mut fixture = Fixture::new();
    fixture.object("accounts");
    let old = fixture.create_archived("accounts", "Acme", &json!({}));
    let body = json!({"lookup_value": "Acme", "oncreate_unarchive": "overwrite"});
    fixture.upsert("accounts", &body).expect(200);
    let found = all(&mut fixture.client, "accounts", "");
    let [.., freed, created] = found.as_slice() else { panic!("{found:?}") };
    assert_includes(freed, &json!({"id": old["id"], "reason": "identifier_overwritten"}));
    assert_includes(created, &json!({"action": "created", "reason": null}));
    assert_eq!(freed["batch_id"], created["batch_id"], "one request wrote both");
}
