//! What relationships show and write of records that the caller may not see or edit.

use super::{Scene, records};
use crate::api::relationships::{names_of, relationship};
use crate::support::{Fixture, Request, field_value, text};
use serde_json::{Value, json};

/// A member who may do this much with records of accounts and of deals, which lead to them.
fn related(accounts: &Value, deals: &Value) -> Scene {
    let mut fixture = Fixture::new();
    for name in ["accounts", "deals"] {
        fixture.object(name);
    }
    for name in ["note", "secret"] {
        fixture.text_field("accounts", name);
    }
    fixture.field("deals", &relationship("account", "accounts", "primary"));
    Scene::around(fixture, &json!({"objects": {"accounts": accounts, "deals": deals}}))
}

fn deal(scene: &mut Scene, name: &str, fields: &Value) -> String {
    text(&scene.fixture.create("deals", name, fields), "id").to_owned()
}

/// The names that the member reads in a relationship field.
fn names(scene: &mut Scene, path: &str, field: &str) -> Vec<String> {
    let read = scene.client.get(&format!("/api/records/{path}")).expect(200);
    names_of(field_value(&read, field))
}

#[test]
fn related_records_that_cannot_be_seen_are_not_there() {
    let own = json!({"records": records(0, 3, &json!({}))});
    let all = json!({"settings": 1, "records": records(3, 3, &json!({}))});
    let mut scene = related(&own, &all);
    let mine = scene.record("mine", true);
    let others = scene.record("others", false);
    let seen = deal(&mut scene, "Seen", &json!({"account": mine}));
    let unseen = deal(&mut scene, "Unseen", &json!({"account": others}));
    assert_eq!(names(&mut scene, &format!("deals/{seen}"), "account"), ["mine"]);
    assert_eq!(names(&mut scene, &format!("deals/{unseen}"), "account"), [""; 0]);
    let field = "/api/custom-objects/deals/fields/account";
    let id = scene.client.get(field).expect(200);
    let values = format!("/api/records/{unseen}/field-values/{}", text(&id, "id"));
    assert_eq!(scene.client.get(&values).expect(200)["count"], 0);
    let options = scene.client.get(&format!("{field}/options")).expect(200);
    assert_eq!((&options["count"], &options["results"][0]["id"]), (&json!(1), &json!(mine)));
    let search = |scene: &mut Scene, condition: Value| {
        let body = json!({"query": [{"filters": [condition]}]});
        let found = scene.client.post("/api/records/deals/search", &body);
        let rows = found.json()["results"].as_array().cloned().unwrap_or_default();
        let names: Vec<_> = rows.iter().map(|row| row["name"].clone()).collect();
        (found.status, names)
    };
    let noted = json!({"filters": [{"field": "note", "condition": "=", "value": "n"}]});
    for (condition, expected) in [
        (json!({"field": "account", "condition": "is_blank", "value": true}), "Unseen"),
        (json!({"field": "account", "condition": "contains", "value": [mine]}), "Seen"),
        (json!({"type": "related_object", "field": "account", "query": [noted]}), "Seen"),
    ] {
        assert_eq!(
            search(&mut scene, condition.clone()),
            (200, vec![json!(expected)]),
            "{condition}"
        );
    }
    // Nor can it be named, by whatever is said of it.
    let unknown = "00000000-0000-7000-8000-000000000000";
    for value in [json!(others), json!(unknown), json!({"lookup_value": "others"})] {
        let body = json!({"fields": {"account": value}});
        let answer = scene.client.patch(&format!("/api/records/deals/{seen}"), &body);
        answer.expect_error(400, "does_not_exist");
    }
}

#[test]
fn a_mirror_is_written_by_those_who_may_edit_what_keeps_it() {
    let all = json!({"records": records(3, 3, &json!({}))});
    for (level, status) in [(1, 403), (2, 200)] {
        let mut scene = related(&all, &json!({"records": records(level, level, &json!({}))}));
        let account = scene.record("Acme", true);
        let deal = deal(&mut scene, "First", &json!({}));
        let body = json!({"fields": {"deals": [deal], "note": "changed"}});
        let answer = scene.client.patch(&format!("/api/records/accounts/{account}"), &body);
        assert_eq!(answer.status, status, "{answer}");
        let is_done = status == 200;
        let read = scene.fixture.read("accounts", &account).expect(200);
        assert_eq!(field_value(&read, "note"), Some(&json!(if is_done { "changed" } else { "n" })));
        let read = scene.fixture.read("deals", &deal).expect(200);
        assert_eq!(field_value(&read, "account").is_some(), is_done);
    }
    // Who sees none of the other side has nothing there to write, and takes nothing away.
    let own = json!({"records": records(0, 3, &json!({}))});
    let mut scene = related(&all, &own);
    let account = scene.record("Acme", true);
    let deal = deal(&mut scene, "First", &json!({"account": account}));
    let path = format!("/api/records/accounts/{account}");
    scene.client.patch(&path, &json!({"fields": {"deals": []}})).expect(200);
    assert_eq!(names(&mut scene, &format!("accounts/{account}"), "deals"), [""; 0]);
    let read = scene.fixture.read("deals", &deal).expect(200);
    assert_eq!(names_of(field_value(&read, "account")), ["Acme"]);
}

/// A list was once replaced whole, with what the caller could not see.
#[test]
fn what_cannot_be_seen_stays_related() {
    let own = json!({"records": records(0, 3, &json!({}))});
    let all = json!({"records": records(3, 3, &json!({}))});
    let mut scene = related(&own, &all);
    scene.fixture.field("deals", &relationship("partners", "accounts", "additional"));
    let [mine, more] = ["mine", "more"].map(|name| scene.record(name, true));
    let others = scene.record("others", false);
    let held = json!({"account": others, "partners": [others, mine]});
    let deal = deal(&mut scene, "First", &held);
    let path = format!("/api/records/deals/{deal}");
    for (fields, partners, version) in [
        // What was read is written back.
        (json!([{"name": "partners", "value": [mine]}]), &["others", "mine"][..], 1),
        (json!([{"name": "partners", "value": [more]}]), &["more", "others"], 2),
        (json!([{"name": "partners", "remove_values": [others]}]), &["more", "others"], 2),
        (json!([{"name": "partners", "value": null}]), &["others"], 3),
        (json!([{"name": "account", "value": null}]), &["others"], 3),
        (json!([{"name": "partners", "add_values": [mine]}]), &["others", "mine"], 4),
    ] {
        let changed = scene.client.patch(&path, &json!({"fields": fields})).expect(200);
        assert_eq!(changed["version"], version, "{fields}");
        let read = scene.fixture.read("deals", &deal).expect(200);
        assert_eq!(names_of(field_value(&read, "partners")), partners, "{fields}");
        assert_eq!(names_of(field_value(&read, "account")), ["others"], "{fields}");
    }
    let body = json!({"fields": {"name": "First"}});
    scene.client.put(&format!("{path}?replace=true"), &body).expect(200);
    let read = scene.fixture.read("deals", &deal).expect(200);
    assert_eq!(names_of(field_value(&read, "partners")), ["others"]);
    assert_eq!(names_of(field_value(&read, "account")), ["others"]);
    // There is one place: who may write it puts another record there.
    scene.client.patch(&path, &json!({"fields": {"account": mine}})).expect(200);
    let read = scene.fixture.read("deals", &deal).expect(200);
    assert_eq!(names_of(field_value(&read, "account")), ["mine"]);
    // Whoever sees it all takes it all away.
    scene.fixture.client.patch(&path, &json!({"fields": {"partners": []}})).expect(200);
    let read = scene.fixture.read("deals", &deal).expect(200);
    assert_eq!(field_value(&read, "partners"), None);
}

/// What belongs to one record alone was once taken from it by whoever could not edit, or see, it.
#[test]
fn a_record_is_taken_from_another_by_those_who_may_edit_that_one() {
    let all = json!({"records": records(3, 3, &json!({}))});
    for (level, is_taken) in [(0, false), (1, false), (2, true)] {
        let mut scene = related(&all, &json!({"records": records(level, 3, &json!({}))}));
        scene.fixture.field("deals", &relationship("seat", "accounts", "one_to_one"));
        let account = scene.record("Acme", true);
        let holder = deal(&mut scene, "Holder", &json!({"seat": account}));
        let owner = json!({"owner": scene.member});
        let taker = deal(&mut scene, "Taker", &owner);
        for (object, id, fields) in [
            ("deals", &taker, json!({"seat": account})),
            ("accounts", &account, json!({"deals_2": taker, "note": "changed"})),
        ] {
            let path = format!("/api/records/{object}/{id}");
            let answer = scene.client.patch(&path, &json!({"fields": fields}));
            if is_taken {
                answer.expect(200);
            } else {
                answer.expect_error(403, "permission_required");
                let read = scene.fixture.read(object, id).expect(200);
                assert_eq!(read["version"], 1, "{level} {object}");
            }
        }
        let read = scene.fixture.read("deals", &holder).expect(200);
        assert_eq!(field_value(&read, "seat").is_some(), !is_taken, "{level}");
        assert_eq!(read["version"], if is_taken { 2 } else { 1 }, "{level}");
    }
}

#[test]
fn a_relation_is_made_and_deleted_by_those_who_may_change_both_objects() {
    for (here, there, made, deleted) in [
        (2, 0, 400, 403),
        (2, 1, 403, 403),
        (1, 2, 403, 403),
        (2, 2, 201, 403),
        (3, 2, 201, 403),
        (3, 3, 201, 204),
    ] {
        let settings = |level: u8| json!({"settings": level});
        let mut scene = related(&settings(there), &settings(here));
        let path = "/api/custom-objects/deals/fields";
        let answer = scene.client.post(path, &relationship("payer", "accounts", "primary"));
        assert_eq!(answer.status, made, "{here} {there}: {answer}");
        if made == 400 {
            answer.expect_error(400, "does_not_exist");
        }
        let answer = scene.client.send(&Request::new("DELETE", &format!("{path}/account")));
        assert_eq!(answer.status, deleted, "{here} {there}: {answer}");
    }
}
