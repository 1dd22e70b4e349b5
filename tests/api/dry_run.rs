//! Writes that are only answered: the same answer as the run that follows, and nothing done.

use crate::support::{Answer, Fixture, Request, field_value, text};
use serde_json::{Value, json};

fn accounts() -> Fixture {
    let mut fixture = Fixture::new();
    fixture.object("accounts");
    fixture.text_field("accounts", "note");
    let labels = json!({"field_type": "dynamictags", "display_name": "labels", "name": "labels"});
    fixture.field("accounts", &labels);
    fixture
}

/// The answer without what a run has for itself: ids of what it makes, times.
fn comparable(answer: &Answer) -> Value {
    let mut body = answer.json();
    let members = body.as_object_mut().expect("it is an object");
    for key in ["id", "created", "updated", "dry_run", "request_id"] {
        members.remove(key);
    }
    if let Some(fields) = members.get_mut("fields").and_then(Value::as_object_mut) {
        fields.retain(|_, field| field["name"] != "updated");
        for field in fields.values_mut().filter(|field| field["name"] == "labels") {
            let tags = field["value"].as_array_mut().into_iter().flatten();
            tags.for_each(|tag| tag["id"] = Value::Null);
        }
    }
    json!([answer.status, body])
}

/// Sends it dry, then sends it; both say the same.
#[track_caller]
fn check(fixture: &mut Fixture, method: &str, target: &str, body: &Value) -> (Value, Answer) {
    let before = fixture.client.get("/api/records/accounts?archived=include").expect(200);
    let dry = Request::new(method, &format!("{target}?dry_run=true")).json(body);
    let dry = fixture.send(&dry);
    assert_eq!(dry.header("X-Dry-Run"), Some("true"));
    assert_eq!(dry.json()["dry_run"], true);
    let after = fixture.client.get("/api/records/accounts?archived=include").expect(200);
    assert_eq!(before, after, "a dry run has done something");
    let run = fixture.send(&Request::new(method, target).json(body));
    assert_eq!(comparable(&dry), comparable(&run));
    assert_eq!(run.header("X-Dry-Run"), None);
    (dry.json(), run)
}

#[test]
fn a_dry_run_answers_what_the_run_that_follows_does() {
    let mut fixture = accounts();
    let upsert = "/api/records/accounts/upsert";
    let body = json!({"lookup_value": "Acme", "fields": {"labels": ["hot"], "note": "n"}});
    let (dry, run) = check(&mut fixture, "POST", upsert, &body);
    assert_eq!((&dry["id"], &dry["action"]), (&Value::Null, &json!("created")));
    let labels = field_value(&dry, "labels").expect("it was written");
    assert_eq!(labels[0]["name"], "hot", "a tag that nobody else knows");
    let id = text(&run.json(), "id").to_owned();
    let body = json!({"lookup_value": "acme", "fields": {"labels": ["cold"]}});
    let (dry, _) = check(&mut fixture, "POST", upsert, &body);
    assert_eq!((&dry["id"], &dry["action"]), (&json!(id), &json!("updated")));
    let record = format!("/api/records/accounts/{id}");
    check(&mut fixture, "PATCH", &record, &json!({"fields": {"note": null}}));
    check(&mut fixture, "PUT", &record, &json!({"fields": {"note": "m"}}));
    let add = "/api/records/accounts/add";
    check(&mut fixture, "POST", add, &json!({"fields": {"name": "ACME"}}));
    check(&mut fixture, "POST", add, &json!({"fields": {"name": "New"}}));
    for refused in [
        json!({"lookup_value": "Acme", "fields": {"nowhere": 1}}),
        json!({"lookup_value": "Acme", "fields": {"name": "new"}}),
    ] {
        check(&mut fixture, "POST", upsert, &refused);
    }
    let dry = fixture.client.delete(&format!("{record}?dry_run=1"));
    assert_eq!((dry.status, dry.header("X-Dry-Run")), (204, Some("true")));
    assert!(dry.body.is_empty());
    fixture.read("accounts", &id).expect(200);
    fixture.archive("accounts", &id);
    let purge = fixture.client.delete(&format!("{record}?purge=true&dry_run=1"));
    assert_eq!(purge.status, 204, "{purge}");
    fixture.read_archived("accounts", &id).expect(200);
    check(&mut fixture, "POST", upsert, &json!({"lookup_value": "Acme"}));
}

#[test]
fn a_key_that_is_none_is_told_though_a_dry_run_has_no_use_for_it() {
    let mut fixture = accounts();
    let dry = Request::new("POST", "/api/records/accounts/upsert?dry_run=true")
        .json(&json!({"lookup_value": "Acme"}));
    let keyed = dry.clone().header("Idempotency-Key", "k\u{e9}");
    fixture.send(&keyed).expect_error(400, "invalid");
    assert_eq!(fixture.send(&dry.header("Idempotency-Key", "k")).status, 200);
}
