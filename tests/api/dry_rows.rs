//! Many rows that are only answered: the same answer as the run that follows, and nothing done.

use crate::support::{Answer, Fixture, Request, Seed, assert_includes, field_value, text};
use serde_json::{Value, json};

const ROWS: &str = "/api/records/accounts/bulk-upsert";
const BATCHES: usize = 60;
const ROWS_MAX: usize = 24;

/// Accounts with a note, a code that is unique, labels, and a level with a constraint.
fn accounts() -> Fixture {
    let mut fixture = Fixture::new();
    fixture.object("accounts");
    fixture.text_field("accounts", "note");
    for field in [
        json!({"field_type": "text", "display_name": "code", "name": "code", "is_unique": true}),
        json!({"field_type": "dynamictags", "display_name": "labels", "name": "labels"}),
        json!({"field_type": "integer", "display_name": "seats", "name": "seats"}),
    ] {
        fixture.field("accounts", &field);
    }
    fixture
}

/// How rows are sent.
#[derive(Clone, Copy, Debug)]
enum Form {
    Batch,
    Atomic,
    Stream,
}

fn send(fixture: &mut Fixture, form: Form, query: &str, rows: &[Value]) -> Answer {
    let target = format!("{ROWS}?return_records=true&{query}");
    let request = Request::new("POST", &target);
    fixture.send(&match form {
        Form::Batch => request.json(&json!(rows)),
        Form::Atomic => request.json(&json!({"atomic": true, "records": rows})),
        Form::Stream => {
            let lines: Vec<String> = rows.iter().map(Value::to_string).collect();
            let request = request.header("Content-Type", "application/x-ndjson");
            request.body(lines.join("\n").as_bytes())
        }
    })
}

/// The documents of an answer, without what a run has for itself: ids of what it makes, times.
fn comparable(answer: &Answer) -> Value {
    let text = std::str::from_utf8(&answer.body).expect("an answer is UTF-8");
    let mut lines: Vec<Value> =
        text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    lines.iter_mut().for_each(blank);
    json!([answer.status, lines])
}

fn blank(value: &mut Value) {
    const OWN: [&str; 12] = [
        "id",
        "created",
        "updated",
        "dry_run",
        "request_id",
        "batch_id",
        "archived_at",
        "conflicting_record_id",
        "fetch_url",
        "record_id",
        "detail",
        "identifier",
    ];
    match value {
        Value::Object(members) => {
            members.retain(|key, value| !OWN.contains(&key.as_str()) && value["name"] != "updated");
            members.values_mut().for_each(blank);
        }
        Value::Array(items) => items.iter_mut().for_each(blank),
        // A name that was freed has the time of that behind it.
        Value::String(text) => {
            let end = text.find("_discarded_").unwrap_or(text.len());
            text.truncate(end);
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn all(fixture: &mut Fixture) -> Value {
    let path = "/api/records/accounts?archived=include&page_size=1000";
    let list = fixture.client.get(path).expect(200);
    let tags = fixture.client.get("/api/custom-objects/accounts/fields/labels/tags").expect(200);
    json!([list, tags])
}

fn row(seed: &mut Seed) -> Value {
    let name = ["Acme", " acme", "Globex", "Initech", "Hooli"][seed.below(5)];
    if seed.below(8) == 0 {
        return json!({"lookup_value": name, "op": "archive"});
    }
    let mut row = json!({"lookup_value": name, "fields": {"note": seed.below(3).to_string()}});
    if seed.below(3) == 0 {
        row["fields"]["labels"] = json!([format!("label {}", seed.below(6))]);
    }
    if seed.below(4) == 0 {
        row["fields"]["code"] = json!(format!("c{}", seed.below(4)));
    }
    if seed.below(10) == 0 {
        row["fields"]["seats"] = json!("many");
    }
    if seed.below(8) == 0 {
        row["fields"]["name"] = json!(["Acme", "Umbrella"][seed.below(2)]);
    }
    if seed.below(6) == 0 {
        row["match"] = json!(["code"]);
        row["lookup_value"] = json!(format!("c{}", seed.below(4)));
        row["set_on_create"] = json!({"name": format!("Made {}", seed.below(3))});
        row["fields"].as_object_mut().expect("it is one").retain(|key, _| key == "note");
    }
    if seed.below(4) == 0 {
        row["oncreate_unarchive"] = json!(["unarchive", "overwrite", "skip"][seed.below(3)]);
    }
    if seed.below(4) == 0 {
        row["mode"] = json!(["create", "update", "get_or_create"][seed.below(3)]);
    }
    if seed.below(5) == 0 {
        row["source"] = json!("shop");
        row["source_version"] = json!(seed.below(6));
    }
    if seed.below(8) == 0 {
        row["expect_version"] = json!(1 + seed.below(4));
    }
    if seed.below(6) == 0 {
        row["onupdate_archived_conflict"] = json!("overwrite");
    }
    row
}

#[test]
fn rows_that_are_only_answered_are_answered_as_by_the_run_that_follows() {
    let mut seed = Seed::of_this_run("dry_rows");
    let mut fixture = accounts();
    let mut kinds = std::collections::BTreeSet::new();
    for at in 0..BATCHES {
        let form = [Form::Batch, Form::Stream, Form::Atomic][at % 3];
        // Few rows together, or one of them nearly always fails.
        let most = if matches!(form, Form::Atomic) { 4 } else { ROWS_MAX };
        let rows: Vec<Value> = (0..=seed.below(most)).map(|_| row(&mut seed)).collect();
        let before = all(&mut fixture);
        let dry = send(&mut fixture, form, "dry_run=true", &rows);
        assert_eq!(dry.header("X-Dry-Run"), Some("true"), "{dry}");
        assert_eq!(all(&mut fixture), before, "a dry run has done something");
        let run = send(&mut fixture, form, "", &rows);
        assert_eq!(run.header("X-Dry-Run"), None);
        assert_eq!(comparable(&dry), comparable(&run), "{form:?} {rows:#?}");
        let told = String::from_utf8(run.body).expect("an answer is UTF-8");
        let words = ["created", "updated", "unarchived", "archived", "stale", "batch_aborted"];
        kinds.extend(words.into_iter().filter(|word| told.contains(&format!("\"{word}\""))));
    }
    assert_eq!(kinds.len(), 6, "{kinds:?}");
}

#[test]
fn a_record_that_would_be_made_has_no_id_for_later_rows_either() {
    let mut fixture = accounts();
    let made = fixture.create("accounts", "Old", &json!({}));
    let rows = [
        json!({"lookup_value": "New", "fields": {"labels": ["hot"]}, "idempotency_key": "k"}),
        json!({"lookup_value": "New", "fields": {"note": "n"}, "idempotency_key": "k"}),
        json!({"lookup_value": "Old", "fields": {"labels": ["hot"]}}),
    ];
    for form in [Form::Batch, Form::Atomic] {
        let dry = send(&mut fixture, form, "dry_run=true", &rows).expect(200);
        assert_eq!(dry["dry_run"], true);
        let results = dry["results"].as_array().expect("there are results");
        assert_includes(&results[0], &json!({"action": "created", "id": null, "version": 1}));
        assert_includes(&results[1], &json!({"action": "updated", "id": null, "version": 2}));
        assert_eq!(results[1]["record"]["id"], Value::Null);
        assert_includes(&results[2], &json!({"action": "updated", "id": made["id"]}));
        let labels = field_value(&results[2]["record"], "labels").expect("it was written");
        assert_eq!(labels[0]["name"], "hot", "a tag that nobody else knows");
    }
    // Keys are neither looked up nor kept.
    let run = send(&mut fixture, Form::Batch, "", &rows[..1]).expect(200);
    assert_eq!(run["results"][0].get("replayed"), None, "{run}");
    let dry = send(&mut fixture, Form::Batch, "dry_run=1", &rows[..1]).expect(200);
    assert_includes(
        &dry["results"][0],
        &json!({"action": "unchanged", "id": run["results"][0]["id"]}),
    );
}

#[test]
fn what_only_the_run_can_tell_is_refused_instead_of_guessed() {
    let mut fixture = accounts();
    let parent = json!({
        "field_type": "relationship", "display_name": "parent", "name": "parent",
        "relation": {"related_object": "accounts", "relation_type": "primary", "related_name": "children"},
    });
    fixture.field("accounts", &parent);
    let old = fixture.create("accounts", "Old", &json!({}));
    fixture.create("accounts", "Other", &json!({}));
    let child =
        |name: &str, parent: Value| json!({"lookup_value": name, "fields": {"parent": parent}});
    let rows = [
        child("Left", json!({"lookup_value": "Old"})),
        json!({"lookup_value": "Root"}),
        child("Right", json!({"lookup_value": "root"})),
        json!({"lookup_value": "Old", "op": "archive"}),
        child("Last", old["id"].clone()),
        child("Last", json!({"lookup_value": "Other"})),
        json!({"lookup_value": "Other", "fields": {"children": []}}),
        child("Late", json!({"lookup_value": "nobody"})),
    ];
    for form in [Form::Batch, Form::Stream] {
        let dry = send(&mut fixture, form, "dry_run=true", &rows);
        let told = String::from_utf8(dry.body).expect("an answer is UTF-8");
        let results: Vec<Value> = match serde_json::from_str::<Value>(&told) {
            Ok(batch) => batch["results"].as_array().expect("there are results").clone(),
            Err(_) => told.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect(),
        };
        let told: Vec<_> = results[..8]
            .iter()
            .map(|result| result.get("code").unwrap_or(&result["action"]))
            .collect();
        let expected = [
            "created",
            "created",
            "invalid",
            "archived",
            "invalid",
            "created",
            "invalid",
            "does_not_exist",
        ];
        assert_eq!(told, expected, "{form:?}");
        let detail = text(&results[2], "detail");
        assert!(detail.starts_with("A dry run cannot tell"), "{detail}");
    }
}

#[test]
fn a_dry_stream_sees_its_own_rows_over_many_chunks_and_others_go_on() {
    let mut fixture = accounts();
    let rows: Vec<Value> = (0..3_000)
        .map(|at| json!({"lookup_value": format!("Account {}", at % 1_000), "fields": {"note": (at / 1_000).to_string()}}))
        .collect();
    let lines: Vec<String> = rows.iter().map(Value::to_string).collect();
    let target = format!("{ROWS}?dry_run=true&results=none");
    let request = Request::new("POST", &target)
        .header("Content-Type", "application/x-ndjson")
        .body(lines.join("\n").as_bytes());
    let mut other = fixture.server.client();
    let answer = std::thread::scope(|scope| {
        let dry = scope.spawn(|| fixture.send(&request));
        for at in 0..50 {
            let body = json!({"lookup_value": format!("Other {at}")});
            other.post("/api/records/accounts/upsert", &body).expect(200);
        }
        dry.join().expect("the sender does not panic")
    });
    let told: Value = serde_json::from_slice(&answer.body).expect("one line");
    let summary = &told["summary"];
    assert_includes(summary, &json!({"dry_run": true, "count": 3_000, "state": "completed"}));
    assert_includes(&summary["counts"], &json!({"created": 1_000, "updated": 2_000}));
    assert_eq!(fixture.client.get("/api/records/accounts").expect(200)["count"], 50);
}

#[test]
fn a_dry_run_has_a_limit_of_what_it_holds() {
    let mut fixture = accounts();
    let long = json!({"field_type": "longtext", "display_name": "long", "name": "long"});
    fixture.field("accounts", &long);
    let text = "x".repeat(90_000);
    let line = |at: usize| {
        json!({"lookup_value": format!("Account {at}"), "fields": {"long": text}}).to_string()
    };
    let lines: Vec<String> = (0..1_200).map(line).collect();
    let target = format!("{ROWS}?dry_run=true&results=none");
    let request = Request::new("POST", &target).header("Content-Type", "application/x-ndjson");
    let answer = fixture.send(&request.body(lines.join("\n").as_bytes()));
    let told: Value = serde_json::from_slice(&answer.body).expect("one line");
    assert_includes(&told["summary"], &json!({"state": "aborted", "code": "limit_exceeded"}));
    let tried = told["summary"]["count"].as_u64().expect("it is a number");
    assert!((400..900).contains(&tried), "{tried}");
}
