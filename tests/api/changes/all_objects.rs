//! The feed over all objects of a business: one order, the log's, and cursors of its own.

use crate::api::changes::{each, end, entries};
use crate::support::{Client, Fixture, OPERATOR_KEY, Request, Seed, assert_includes, text};
use serde_json::{Value, json};
use std::collections::BTreeMap;

#[track_caller]
fn page(client: &mut Client, query: &str) -> Value {
    client.get(&format!("/api/records/changes?{query}")).expect(200)
}

#[track_caller]
fn all(client: &mut Client, query: &str) -> Vec<Value> {
    let (mut found, mut after) = (Vec::new(), String::new());
    loop {
        let page = page(client, &format!("{query}{after}"));
        found.extend(entries(&page).iter().cloned());
        if page["has_more"] == false {
            return found;
        }
        after = format!("&after={}", text(&page, "next_cursor"));
    }
}

/// Entries without what belongs to the feed they came by.
fn told(entries: &[Value]) -> Vec<Value> {
    let mut told = entries.to_vec();
    for entry in &mut told {
        entry["cursor"] = Value::Null;
    }
    told
}

#[test]
fn it_holds_what_the_feeds_of_the_objects_hold_in_any_pages_and_after_a_crash() {
    let mut seed = Seed::of_this_run("it_holds_what_the_feeds_of_the_objects_hold");
    let mut fixture = Fixture::new();
    for object in ["accounts", "others"] {
        fixture.object(object);
    }
    for at in 0..40 {
        let object = ["accounts", "others"][seed.below(2)];
        let body = json!({"lookup_value": format!("Acme {}", at % 9)});
        fixture.upsert(object, &body).expect(200);
    }
    let whole = all(&mut fixture.client, "");
    let mut by_object: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for entry in &whole {
        by_object.entry(text(&entry["object"], "name").to_owned()).or_default().push(entry.clone());
    }
    assert_eq!(by_object.len(), 3, "contacts too");
    for (object, entries) in &by_object {
        let own = crate::api::changes::all(&mut fixture.client, object, "");
        assert_eq!(told(entries), told(&own), "{object}");
    }
    for limit in [1, 2, 7] {
        let paged = all(&mut fixture.client, &format!("limit={limit}"));
        assert_eq!(told(&paged), told(&whole), "by {limit}");
    }
    let mut fixture = fixture.after_a_crash();
    for (at, entry) in whole.iter().enumerate() {
        let query = format!("after={}", text(entry, "cursor"));
        let rest = page(&mut fixture.client, &query);
        assert_eq!(told(entries(&rest)), told(&whole[at + 1..]), "behind {at}");
    }
}

#[test]
fn neither_kind_of_cursor_is_taken_for_the_other() {
    let mut fixture = Fixture::new();
    fixture.object("accounts");
    let of_object = end(&mut fixture.client, "accounts");
    let of_all = text(&page(&mut fixture.client, "after=now"), "next_cursor").to_owned();
    for target in [
        format!("/api/records/changes?after={of_object}"),
        format!("/api/records/accounts/changes?after={of_all}"),
    ] {
        fixture.client.get(&target).expect_error(400, "invalid");
    }
    fixture.object("others");
    fixture.create("accounts", "Acme", &json!({}));
    let found = page(&mut fixture.client, &format!("after={of_all}"));
    let objects: Vec<_> =
        entries(&found).iter().map(|entry| text(&entry["object"], "name")).collect();
    assert_eq!(objects, ["others", "accounts"], "an object that is new is there at once");
}

#[test]
fn an_archived_object_is_told_here_alone() {
    let mut fixture = Fixture::new();
    fixture.object("accounts");
    let after = text(&page(&mut fixture.client, "after=now"), "next_cursor").to_owned();
    fixture.client.delete("/api/custom-objects/accounts").expect_empty(204);
    let found = page(&mut fixture.client, &format!("after={after}"));
    assert_includes(&found["results"], &json!([{"schema": {"change": "object_archived"}}]));
    fixture.client.get("/api/records/accounts/changes").expect_error(404, "not_found");
}

#[test]
fn another_business_is_passed_over_and_has_an_order_of_its_own() {
    let mut fixture = Fixture::new();
    let body = json!({"name": "Other", "admin": {"email": "eve@example.com"}});
    let request = Request::new("POST", "/api/admin/businesses").json(&body);
    let made = fixture.send(&request.header("X-OPERATOR-KEY", OPERATOR_KEY)).expect(201);
    let mut credentials = fixture.server.credentials();
    text(&made["business"], "id").clone_into(&mut credentials.business_id);
    text(&made["api_key"], "secret").clone_into(&mut credentials.api_key);
    text(&made["member"], "user_id").clone_into(&mut credentials.user_id);
    let mut other = Client::new(fixture.server.address(), &credentials);
    let before = text(&page(&mut other, "after=now"), "next_cursor").to_owned();
    fixture.object("accounts");
    fixture.create("accounts", "Acme", &json!({}));
    let nothing = page(&mut other, &format!("after={before}"));
    assert_includes(&nothing, &json!({"results": [], "has_more": false}));
    let body = json!({"lookup_value": "ada@example.com"});
    let ada = other.post("/api/records/client_client/upsert", &body).expect(200);
    for after in [&*before, text(&nothing, "next_cursor")] {
        let found = page(&mut other, &format!("after={after}"));
        assert_eq!(each(entries(&found), "id"), [ada["id"].clone()]);
    }
    let stream = Request::new("GET", "/api/records/changes?after=now");
    let mut events = other.events(stream);
    fixture.create("accounts", "Globex", &json!({}));
    let mut other = Client::new(fixture.server.address(), &credentials);
    let body = json!({"lookup_value": "bob@example.com"});
    let bob = other.post("/api/records/client_client/upsert", &body).expect(200);
    assert_eq!(events.next().expect("one is theirs").data["id"], bob["id"]);
}
