//! Pipelines over the real binary: records in stages through every write, search and order by stage,
//! and that stages and close dates outlive a crash and stand in a snapshot.

use crate::support::{Fixture, text};
use serde_json::{Value, json};

const OBJECT: &str = "/api/custom-objects/deals";
const STAGES: &str = "/api/pipelines/deals/stages";

/// Deals in the stages New, Offer, Won and Lost, of which Lost is shown first but for New.
fn deals() -> Fixture {
    let mut fixture = Fixture::new();
    let body = json!({
        "object_name": "Deals", "name": "deals", "object_type": "pipeline",
        "track_entity_value": true,
        "pipeline": {"stages": [
            {"name": "New", "order": 0},
            {"name": "Offer", "order": 20, "percentage_chance_to_close": 0.4},
            {"name": "Won", "order": 30, "status": "won"},
            {"name": "Lost", "order": 10, "status": "lost"},
        ]},
    });
    fixture.client.post("/api/custom-objects", &body).expect(201);
    fixture
}

fn stage_id(fixture: &mut Fixture, name: &str) -> String {
    let stages = fixture.client.get(STAGES).expect(200);
    let found = stages.as_array().expect("a list").iter().find(|stage| stage["name"] == name);
    text(found.unwrap_or_else(|| panic!("no stage {name} in {stages}")), "id").to_owned()
}

fn create(fixture: &mut Fixture, name: &str, fields: &Value) -> String {
    text(&fixture.create("deals", name, fields), "id").to_owned()
}

/// The name of a record's stage, and the date on which it was closed.
fn reads(fixture: &mut Fixture, id: &str) -> (Value, Value) {
    let stage = fixture.value(("deals", id), "stage");
    (stage["name"].clone(), fixture.value(("deals", id), "actual_close_date"))
}

fn go(fixture: &mut Fixture, id: &str, stage: &str) -> Value {
    let body = json!({"stage_id": stage_id(fixture, stage)});
    fixture.client.patch(&format!("/api/records/deals/{id}/move"), &body).expect(200)
}

#[test]
fn a_record_is_in_a_stage_through_every_write() {
    let mut fixture = deals();
    let first = create(&mut fixture, "first", &json!({}));
    assert_eq!(reads(&mut fixture, &first), (json!("New"), Value::Null));
    let won = stage_id(&mut fixture, "Won");
    for (at, value) in [json!(won), json!({"id": won}), json!({"name": "WON"}), json!("won")]
        .into_iter()
        .enumerate()
    {
        let id = create(&mut fixture, &format!("won {at}"), &json!({"stage": value}));
        let (stage, closed) = reads(&mut fixture, &id);
        assert_eq!(stage, "Won");
        let created = fixture.read("deals", &id).expect(200)["created"].clone();
        assert_eq!(closed, created, "it was closed when it was made");
    }
    let path = format!("/api/records/deals/{first}");
    let moved = go(&mut fixture, &first, "Won");
    assert_eq!(fixture.value(("deals", &first), "actual_close_date"), moved["updated"]);
    // All that may be cleared is, but the stage stays and so does what follows from it.
    let body = json!({"fields": {"entity_value": "12.50"}});
    fixture.client.patch(&path, &body).expect(200);
    fixture.client.put(&format!("{path}?replace=true"), &json!({})).expect(200);
    assert_eq!(fixture.value(("deals", &first), "entity_value"), Value::Null);
    assert_eq!(reads(&mut fixture, &first), (json!("Won"), moved["updated"].clone()));
    fixture.archive("deals", &first);
    let body = json!({
        "lookup_value": "first", "oncreate_unarchive": "unarchive", "fields": {"stage": "Offer"},
    });
    let back = fixture.upsert("deals", &body).expect(200);
    assert_eq!((&back["action"], &back["id"]), (&json!("unarchived"), &json!(first)));
    assert_eq!(reads(&mut fixture, &first), (json!("Offer"), Value::Null));
}

#[test]
fn what_is_no_stage_of_the_pipeline_is_refused() {
    let mut fixture = deals();
    let other = json!({
        "object_name": "Leads", "object_type": "pipeline",
        "pipeline": {"stages": [{"name": "Cold"}]},
    });
    let other = fixture.client.post("/api/custom-objects", &other).expect(201);
    let foreign = text(&other["stages"][0], "id").to_owned();
    let id = create(&mut fixture, "deal", &json!({}));
    for (value, code) in [
        (json!(foreign), "does_not_exist"),
        (json!({"id": foreign}), "does_not_exist"),
        (json!("Cold"), "does_not_exist"),
        (json!(7), "invalid"),
        (Value::Null, "required"),
    ] {
        let body = json!({"fields": {"stage": value}});
        fixture.client.patch(&format!("/api/records/deals/{id}"), &body).expect_error(400, code);
        let body = json!({"lookup_value": "new", "fields": {"stage": value}});
        fixture.upsert("deals", &body).expect_error(400, code);
    }
    let path = format!("/api/records/deals/{id}/move");
    let answer = fixture.client.patch(&path, &json!({"stage_id": foreign}));
    answer.expect_error(400, "does_not_exist");
    let change = json!({"id": foreign, "new_stage_id": stage_id(&mut fixture, "Won")});
    let answer = fixture.client.post(&format!("{STAGES}/remove-stage"), &change);
    answer.expect_error(400, "does_not_exist");
    let answer = fixture.client.patch(&format!("{STAGES}/{foreign}"), &json!({"name": "Warm"}));
    answer.expect_error(404, "not_found");
    let body = json!({"fields": {"actual_close_date": "2026-11-24"}});
    let answer = fixture.client.patch(&format!("/api/records/deals/{id}"), &body);
    answer.expect_error(403, "forbidden_field_write");
    assert_eq!(fixture.read("deals", &id).expect(200)["version"], 1);
}

#[test]
fn a_pipeline_holds_a_hundred_stages() {
    let mut fixture = deals();
    for number in 4..100 {
        fixture.client.post(STAGES, &json!({"name": format!("s{number}")})).expect(201);
    }
    let one_more = json!({"name": "one more"});
    fixture.client.post(STAGES, &one_more).expect_error(400, "limit_exceeded");
    let [gone, by] = ["s99", "New"].map(|name| stage_id(&mut fixture, name));
    let change = json!({"id": gone, "new_stage_id": by});
    fixture.client.post(&format!("{STAGES}/remove-stage"), &change).expect(200);
    let made = fixture.client.post(STAGES, &one_more).expect(201);
    assert_eq!(made["order"], 126, "the last is behind all that are there");
}

/// The names of the records found.
fn found(fixture: &mut Fixture, ordering: &str, condition: &Value) -> Vec<String> {
    let mut filters = vec![];
    filters.extend(condition.is_object().then_some(condition));
    let body = json!({"query": [{"filters": filters}]});
    let path = format!("/api/records/deals/search?ordering={ordering}");
    let page = fixture.client.post(&path, &body).expect(200);
    let rows = page["results"].as_array().expect("a page has results");
    rows.iter().map(|row| text(row, "name").to_owned()).collect()
}

#[test]
fn records_are_found_and_ordered_by_their_stage() {
    let mut fixture = deals();
    for (name, stage) in [("w", "Won"), ("o", "Offer"), ("l", "Lost"), ("n", "New")] {
        create(&mut fixture, name, &json!({"stage": stage}));
    }
    assert_eq!(found(&mut fixture, "stage", &Value::Null), ["n", "l", "o", "w"]);
    assert_eq!(found(&mut fixture, "-stage", &Value::Null), ["w", "o", "l", "n"]);
    let won = stage_id(&mut fixture, "Won");
    let field = fixture.client.get(&format!("{OBJECT}/fields/stage")).expect(200);
    let custom = format!("\"custom\"::{}", text(&field, "id"));
    for (kind, subtype, name) in [
        ("fields", "non_custom", "stage"),
        ("fields_v2", "non_custom", "stage"),
        ("fields_v2", "custom", &*custom),
    ] {
        let condition = |word: &str, value: Value| {
            json!({
                "type": kind, "subtype": subtype, "field": name, "condition": word, "value": value,
            })
        };
        let check = |fixture: &mut Fixture, word, value, names: &[&str]| {
            assert_eq!(found(fixture, "name", &condition(word, value)), names, "{word}");
        };
        check(&mut fixture, "=", json!(won), &["w"]);
        check(&mut fixture, "!=", json!(won), &["l", "n", "o"]);
        check(&mut fixture, "is_any_of", json!([won, "New"]), &["n", "w"]);
        check(&mut fixture, "is_none_of", json!([won, "New"]), &["l", "o"]);
        check(&mut fixture, "is_blank", json!(true), &[]);
    }
    let [gone, by] = ["Won", "New"].map(|name| stage_id(&mut fixture, name));
    let change = json!({"id": gone, "new_stage_id": by});
    fixture.client.post(&format!("{STAGES}/remove-stage"), &change).expect(200);
    assert_eq!(found(&mut fixture, "stage,name", &Value::Null), ["n", "w", "l", "o"]);
    let condition = json!({"field": "stage", "condition": "=", "value": "New"});
    assert_eq!(found(&mut fixture, "name", &condition), ["n", "w"]);
    let condition = json!({"field": "actual_close_date", "condition": "is_blank", "value": false});
    assert_eq!(found(&mut fixture, "name", &condition), ["w"]);
}

#[test]
fn stages_and_close_dates_outlive_a_crash_and_stand_in_a_snapshot() {
    let mut fixture = deals();
    let [won, moved] = ["won", "moved"].map(|name| {
        let fields = json!({"stage": "Won", "entity_value": 7});
        create(&mut fixture, name, &fields)
    });
    go(&mut fixture, &moved, "Offer");
    let [gone, by] = ["Won", "Lost"].map(|name| stage_id(&mut fixture, name));
    let change = json!({"id": gone, "new_stage_id": by});
    fixture.client.post(&format!("{STAGES}/remove-stage"), &change).expect(200);
    let late = json!({"name": "Late", "status": "won", "percentage_chance_to_close": 0.9});
    fixture.client.post(STAGES, &late).expect(201);
    let offer = stage_id(&mut fixture, "Offer");
    fixture.client.patch(&format!("{STAGES}/{offer}"), &json!({"order": -1})).expect(200);
    fixture.client.patch(OBJECT, &json!({"track_entity_value": false})).expect(200);
    let stages = fixture.client.get(STAGES).expect(200);
    let object = fixture.client.get(OBJECT).expect(200);
    let dates = [&won, &moved].map(|id| reads(&mut fixture, id));
    assert_eq!((&dates[0].0, &dates[1]), (&json!("Lost"), &(json!("Offer"), Value::Null)));
    assert!(dates[0].1.is_string(), "it stays closed");
    for round in ["from the log", "from a snapshot"] {
        if round == "from a snapshot" {
            fixture.snapshot();
        }
        fixture = fixture.after_a_crash();
        assert_eq!(fixture.client.get(STAGES).expect(200), stages, "{round}");
        let mut again = fixture.client.get(OBJECT).expect(200);
        again["number_of_records"] = json!(2);
        assert_eq!(again, object, "{round}");
        assert_eq!([&won, &moved].map(|id| reads(&mut fixture, id)), dates, "{round}");
        // Rules hold for the next write: the first stage, and the removed one is none.
        let id = create(&mut fixture, round, &json!({}));
        assert_eq!(reads(&mut fixture, &id), (json!("Offer"), Value::Null));
        let path = format!("/api/records/deals/{id}/move");
        let answer = fixture.client.patch(&path, &json!({"stage_id": gone}));
        answer.expect_error(400, "does_not_exist");
        go(&mut fixture, &id, "Late");
        assert!(reads(&mut fixture, &id).1.is_string());
    }
    fixture.client.patch(OBJECT, &json!({"track_entity_value": true})).expect(200);
    assert_eq!(fixture.value(("deals", &won), "entity_value")["amount"], 7.0);
}
