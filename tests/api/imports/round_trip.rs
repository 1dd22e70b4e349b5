//! What is exported can be imported: into an object that is empty it makes the same records, and into
//! its own it changes nothing.

use crate::api::exports;
use crate::api::imports::{accounts, actions, add_fields, told};
use crate::support::{Fixture, OPERATOR_KEY, Request, Seed, text};
use serde_json::{Value, json};

/// Texts that are hard to carry over.
const TEXTS: [&str; 12] = [
    "plain",
    "a,b",
    "say \"a\"",
    "two\nlines",
    "cr\r\nlf",
    "a|b",
    "a\\b",
    "\\|",
    "=1+1",
    "'x",
    "ä é 漢字 🙂",
    "-",
];

fn pick<'a>(seed: &mut Seed, texts: &[&'a str]) -> &'a str {
    texts[seed.below(texts.len())]
}

fn any_fields(seed: &mut Seed) -> Value {
    let mut fields = json!({});
    let mut put = |seed: &mut Seed, name: &str, value: Value| {
        if seed.below(3) > 0 {
            fields[name] = value;
        }
    };
    let number = seed.below(2_000_000);
    let options = ["North", "South|West", "a\\b"];
    let several = [pick(seed, &options), pick(seed, &options)];
    let tags =
        [pick(seed, &TEXTS).trim(), pick(seed, &TEXTS)].map(|tag| tag.replace(['\n', '\r'], " "));
    let file = format!("0192f7aa-0000-7000-8000-{number:012}");
    let one = json!({"name": pick(seed, &options)});
    let (note, story) = (pick(seed, &TEXTS), format!(" {} ", pick(seed, &TEXTS)));
    put(seed, "region", one);
    put(seed, "tiers", several.iter().map(|name| json!({"name": name})).collect());
    put(seed, "note", json!(note.replace(['\n', '\r'], " ")));
    put(seed, "story", json!(story));
    put(seed, "labels", json!(tags));
    put(seed, "seats", json!(i64::try_from(number).expect("it is small") - 1_000_000));
    put(seed, "score", json!(format!("{}.{}", number, number % 1_000)));
    put(seed, "price", json!(format!("-{}.{:02}", number, number % 100)));
    put(seed, "vip", json!(number.is_multiple_of(2)));
    put(seed, "since", json!(format!("20{:02}-02-{:02}", number % 100, 1 + number % 28)));
    put(seed, "seen", json!(format!("2026-11-24T05:40:00.{:03}Z", number % 1_000)));
    put(seed, "papers", json!([file]));
    put(seed, "stars", json!(1 + number % 5));
    put(seed, "mail", json!(format!("ada.{number}@example.com")));
    put(seed, "code", json!(format!("c{number}")));
    fields
}

fn fill(fixture: &mut Fixture, seed: &mut Seed, count: usize) {
    for at in 0..count {
        let body = json!({
            "lookup_value": format!("{} {at}", pick(seed, &TEXTS).replace(['\n', '\r'], " ")),
            "fields": any_fields(seed),
        });
        // A code that was drawn before is refused; there are others.
        fixture.upsert("accounts", &body);
    }
}

fn send(
    fixture: &mut Fixture,
    object: &str,
    content_type: &str,
    body: &[u8],
) -> (Vec<Value>, Value) {
    let request = Request::new("POST", &format!("/api/records/{object}/import"));
    told(&fixture.send(&request.header("Content-Type", content_type).body(body)))
}

/// What one object has, but for what the server draws.
fn shown(fixture: &mut Fixture, object: &str) -> Vec<Value> {
    let answer = fixture.client.get(&format!("/api/records/{object}/export"));
    let mut lines = exports::lines(&answer);
    for line in &mut lines {
        for key in ["id", "created", "updated", "version"] {
            line[key] = Value::Null;
        }
        let fields = line["fields"].as_object_mut().expect("fields are an object");
        for name in ["created", "updated"] {
            fields.remove(name);
        }
        hide_ids(&mut line["fields"]);
    }
    lines
}

/// Options and tags of two objects have ids of their own.
fn hide_ids(value: &mut Value) {
    if let Some(list) = value.as_array_mut() {
        list.iter_mut().for_each(hide_ids);
    }
    if let Some(map) = value.as_object_mut() {
        if map.contains_key("name") && map.contains_key("id") {
            map.remove("id");
        }
        map.values_mut().for_each(hide_ids);
    }
}

fn seq(fixture: &mut Fixture, object: &str) -> String {
    let page = fixture.client.get(&format!("/api/records/{object}/changes?limit=1000"));
    let page = page.expect(200);
    let last = page["results"].as_array().and_then(|all| all.last()).cloned();
    last.map(|last| last["seq"].to_string()).unwrap_or_default()
}

#[test]
fn what_is_exported_makes_the_same_records_in_an_empty_object() {
    let mut seed = Seed::of_this_run("what_is_exported_makes_the_same_records_in_an_empty_object");
    let mut fixture = accounts();
    fixture.object("copies");
    add_fields(&mut fixture, "copies");
    fill(&mut fixture, &mut seed, 60);
    let table = fixture.client.get("/api/records/accounts/export?format=csv&labels=true");
    let (results, summary) = send(&mut fixture, "copies", "text/csv", &table.body);
    assert!(actions(&results).iter().all(|action| *action == "created"), "{results:#?}");
    assert_eq!(summary["ignored_columns"], json!(["created", "display_name", "id", "updated"]));
    let original = shown(&mut fixture, "accounts");
    assert!(original.len() > 50);
    assert_eq!(shown(&mut fixture, "copies"), original);
    let before = seq(&mut fixture, "copies");
    let (results, _) = send(&mut fixture, "copies", "text/csv", &table.body);
    assert!(actions(&results).iter().all(|action| *action == "unchanged"), "{results:#?}");
    assert_eq!(seq(&mut fixture, "copies"), before);
}

#[test]
fn what_an_object_exports_changes_nothing_in_it() {
    let mut seed = Seed::of_this_run("what_an_object_exports_changes_nothing_in_it");
    let mut fixture = accounts();
    fill(&mut fixture, &mut seed, 40);
    let id = text(&shown_one(&mut fixture), "id").to_owned();
    let body = json!({"fields": {"note": "changed"}});
    fixture.client.patch(&format!("/api/records/accounts/{id}"), &body).expect(200);
    let (before, commits_before) = (seq(&mut fixture, "accounts"), commits(&mut fixture));
    for (content_type, query) in [
        ("text/csv", "format=csv"),
        ("text/csv", "format=csv&labels=true"),
        ("application/x-ndjson", "format=ndjson"),
    ] {
        let answer = fixture.client.get(&format!("/api/records/accounts/export?{query}"));
        let (results, _) = send(&mut fixture, "accounts", content_type, &answer.body);
        assert!(results.len() > 30);
        let is_same = |result: &Value| result["action"] == "unchanged";
        assert!(results.iter().all(is_same), "{query}: {results:#?}");
    }
    assert_eq!(seq(&mut fixture, "accounts"), before);
    // The one commit that no request asks for tells the hour in which a key was used.
    let written = commits(&mut fixture) - commits_before;
    assert!(written <= 1, "{written} commits for nothing");
}

fn shown_one(fixture: &mut Fixture) -> Value {
    exports::lines(&fixture.client.get(exports::EXPORT)).remove(0)
}

/// Commits since the start: nothing is written without one.
fn commits(fixture: &mut Fixture) -> u64 {
    let request = Request::new("GET", "/api/admin/status").header("X-OPERATOR-KEY", OPERATOR_KEY);
    fixture.send(&request).expect(200)["commits"].as_u64().expect("a count is a number")
}
