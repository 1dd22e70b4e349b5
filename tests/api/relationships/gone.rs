//! Related records that are archived, which come back, and those that are purged, which never do.

use crate::api::relationships::{Pair, names_of};
use crate::support::text;
use serde_json::{Value, json};

const FIELD: &str = "/api/custom-objects/deals/fields/company";

fn purge(pair: &mut Pair, object: &str, id: &str) {
    pair.fixture.archive(object, id);
    let path = format!("/api/records/{object}/{id}?purge=true");
    pair.fixture.client.delete(&path).expect_empty(204);
}

fn unarchive(pair: &mut Pair, object: &str, id: &str) {
    let path = format!("/api/records/{object}/{id}/unarchive");
    pair.fixture.client.patch(&path, &json!({})).expect(200);
}

/// Writes the field in the form of a list, and gives the version after it.
fn write(pair: &mut Pair, deal: &str, entry: &Value) -> Value {
    let mut entry = entry.clone();
    entry["name"] = json!("company");
    let body = json!({"fields": [entry]});
    let path = format!("/api/records/deals/{deal}");
    pair.fixture.client.patch(&path, &body).expect(200)["version"].clone()
}

#[test]
fn what_is_archived_stays_in_a_list_that_is_replaced() {
    let mut pair = Pair::related("additional");
    let [acme, bolt, cord] = pair.make_all("companies", ["Acme", "Bolt", "Cord"]);
    let deal = pair.make("deals", "First");
    pair.set("deals", &deal, "company", &json!([acme, bolt]));
    pair.fixture.archive("companies", &acme);
    for (entry, reads, version) in [
        // What was read is written back.
        (json!({"value": [bolt]}), &["Bolt"][..], 2),
        (json!({"value": [cord]}), &["Cord"], 3),
        (json!({"add_values": [bolt], "remove_values": [cord]}), &["Bolt"], 4),
        (json!({"value": null}), &[], 5),
        (json!({"value": []}), &[], 5),
    ] {
        assert_eq!(write(&mut pair, &deal, &entry), version, "{entry}");
        assert_eq!(pair.names("deals", &deal, "company"), reads, "{entry}");
    }
    unarchive(&mut pair, "companies", &acme);
    assert_eq!(pair.names("deals", &deal, "company"), ["Acme"]);
    // By its id it can be taken out all the same.
    pair.fixture.archive("companies", &acme);
    assert_eq!(write(&mut pair, &deal, &json!({"remove_values": [acme]})), 6);
    unarchive(&mut pair, "companies", &acme);
    assert_eq!(pair.names("deals", &deal, "company"), [""; 0]);
}

#[test]
fn one_that_is_archived_is_not_cleared_but_replaced() {
    let mut pair = Pair::related("primary");
    let [acme, bolt] = pair.make_all("companies", ["Acme", "Bolt"]);
    let deal = pair.make("deals", "First");
    pair.set("deals", &deal, "company", &json!(acme));
    pair.fixture.archive("companies", &acme);
    assert_eq!(write(&mut pair, &deal, &json!({"value": null})), 2);
    unarchive(&mut pair, "companies", &acme);
    assert_eq!(pair.names("deals", &deal, "company"), ["Acme"]);
    pair.fixture.archive("companies", &acme);
    assert_eq!(write(&mut pair, &deal, &json!({"value": bolt})), 3);
    unarchive(&mut pair, "companies", &acme);
    assert_eq!(pair.names("deals", &deal, "company"), ["Bolt"]);
    assert_eq!(write(&mut pair, &deal, &json!({"value": null})), 4);
    assert_eq!(pair.names("deals", &deal, "company"), [""; 0]);
}

/// What was purged once counted as a value for ever: required fields read blank, and no one was told.
#[test]
fn a_required_record_that_was_purged_is_missing_and_one_that_is_archived_is_not() {
    let mut pair = Pair::related("primary");
    let [acme, bolt] = pair.make_all("companies", ["Acme", "Bolt"]);
    let [first, second] = pair.make_all("deals", ["First", "Second"]);
    pair.set("deals", &first, "company", &json!(acme));
    pair.set("deals", &second, "company", &json!(bolt));
    let require = |pair: &mut Pair, is_required: bool| {
        pair.fixture.client.patch(FIELD, &json!({"is_required": is_required}))
    };
    pair.fixture.archive("companies", &acme);
    require(&mut pair, true).expect(200);
    require(&mut pair, false).expect(200);
    unarchive(&mut pair, "companies", &acme);
    purge(&mut pair, "companies", &acme);
    let refused = require(&mut pair, true);
    let refused = refused.expect_error(400, "constraint_violated");
    assert_eq!(refused["count"], 1);
    assert!(refused.to_string().contains(&first), "{refused}");
    // A record that comes back is held to it too.
    for id in [&first, &second] {
        pair.fixture.archive("deals", id);
    }
    require(&mut pair, true).expect(200);
    pair.fixture.archive("companies", &bolt);
    for (name, status) in [("First", 400), ("Second", 200)] {
        let body = json!({"lookup_value": name, "oncreate_unarchive": "unarchive"});
        let answer = pair.fixture.upsert("deals", &body);
        if status == 400 {
            answer.expect_error(400, "required");
        } else {
            assert_eq!(answer.expect(200)["action"], "unarchived");
        }
    }
}

#[test]
fn an_action_that_fills_blanks_fills_what_was_purged() {
    let mut pair = Pair::related("primary");
    let [acme, bolt, cord] = pair.make_all("companies", ["Acme", "Bolt", "Cord"]);
    let [first, second] = pair.make_all("deals", ["First", "Second"]);
    pair.set("deals", &first, "company", &json!(acme));
    pair.set("deals", &second, "company", &json!(bolt));
    purge(&mut pair, "companies", &acme);
    pair.fixture.archive("companies", &bolt);
    let field = pair.fixture.client.get(FIELD).expect(200);
    let body = json!({
        "record_ids": [first, second], "field_id": field["id"], "field_value": cord,
        "field_resolution": "update_if_blank",
    });
    let path = "/api/custom-objects/deals/bulk-change-field-value";
    pair.fixture.client.post(path, &body).expect(200);
    unarchive(&mut pair, "companies", &bolt);
    assert_eq!(pair.names("deals", &first, "company"), ["Cord"]);
    assert_eq!(pair.names("deals", &second, "company"), ["Bolt"]);
}

/// The id of a purged record stays where it was kept; nothing may show that.
#[test]
fn nobody_is_shown_or_finds_a_purged_record() {
    let mut pair = Pair::related("additional");
    let [acme, bolt] = pair.make_all("companies", ["Acme", "Bolt"]);
    let [both, alone] = pair.make_all("deals", ["Both", "Alone"]);
    pair.set("deals", &both, "company", &json!([acme, bolt]));
    pair.set("deals", &alone, "company", &json!([acme]));
    purge(&mut pair, "companies", &acme);
    for _ in 0..2 {
        check_nothing_is_left(&mut pair, (&acme, &bolt), (&both, &alone));
        pair = Pair { fixture: pair.fixture.after_a_crash() };
    }
    pair.fixture.snapshot();
    let mut pair = Pair { fixture: pair.fixture.after_a_crash() };
    check_nothing_is_left(&mut pair, (&acme, &bolt), (&both, &alone));
    // What reads blank is blank already, and what reads so already is written back for nothing.
    assert_eq!(write(&mut pair, &alone, &json!({"value": null})), 2);
    assert_eq!(write(&mut pair, &both, &json!({"value": [bolt]})), 2);
    assert_eq!(write(&mut pair, &both, &json!({"remove_values": [acme]})), 2);
}

fn check_nothing_is_left(pair: &mut Pair, (acme, bolt): (&str, &str), (both, alone): (&str, &str)) {
    let field = pair.fixture.client.get(FIELD).expect(200);
    for (deal, names) in [(both, &["Bolt"][..]), (alone, &[])] {
        assert_eq!(pair.names("deals", deal, "company"), names);
        let values = format!("/api/records/{deal}/field-values/{}", text(&field, "id"));
        let page = pair.fixture.client.get(&values).expect(200);
        assert_eq!(page["count"], names.len());
        assert_eq!(names_of(Some(&page["results"])), names);
        let read = pair.fixture.read("deals", deal);
        let shown = String::from_utf8(read.body.clone()).expect("a body is UTF-8");
        assert!(!shown.contains(acme), "{shown}");
    }
    let options = pair.fixture.client.get(&format!("{FIELD}/options")).expect(200);
    assert_eq!(options["count"], 1, "{options}");
    assert_eq!(pair.names("companies", bolt, "deals"), ["Both"]);
    let condition =
        |word: &str, value: Value| json!({"field": "company", "condition": word, "value": value});
    let any = json!({"type": "related_object", "field": "company", "query": [{"filters": []}]});
    for (condition, expected) in [
        (condition("contains", json!(acme)), &[""; 0][..]),
        (condition("is_any_of", json!([acme, bolt])), &["Both"]),
        (condition("is_none_of", json!([acme])), &["Both", "Alone"]),
        (condition("is_blank", json!(true)), &["Alone"]),
        (condition("is_not_blank", json!(true)), &["Both"]),
        (any, &["Both"]),
    ] {
        let body = json!({"query": [{"filters": [condition]}]});
        let page = pair.fixture.client.post("/api/records/deals/search", &body).expect(200);
        let mut found = names_of(Some(&page["results"]));
        found.sort_by(|left, right| right.cmp(left));
        assert_eq!(found, expected, "{condition}");
        assert_eq!(page["count"], expected.len(), "{condition}");
        assert!(!page.to_string().contains(acme), "{page}");
    }
    let body = json!({"fields": {"company": [acme]}});
    let answer = pair.fixture.client.patch(&format!("/api/records/deals/{alone}"), &body);
    answer.expect_error(400, "does_not_exist");
}
