//! Paths and methods: what is there, what is not, and what every answer carries.

use crate::support::{Fixture, Request, text};
use serde_json::json;
use std::collections::BTreeSet;

#[test]
fn unknown_paths_are_not_found() {
    let mut fixture = Fixture::new();
    fixture.object("accounts");
    for target in [
        "/",
        "/api",
        "/api/",
        "/api/nothing",
        "/nothing",
        "/api/records",
        "/api/records/",
        "/api/records/accounts/",
        "/api/records/accounts/upsert/",
        "/api/custom-objects/",
        "/healthz/",
        "/api/records//upsert",
        "/API/records/accounts",
        "/api/records/accounts/x/y/z",
        "/api/records/accounts/merge",
        "/api/automations",
        "/api/records/accounts/..",
    ] {
        let answer = fixture.client.get(target);
        let body = answer.expect_error(404, "not_found");
        assert_eq!(body["detail"], "Not found.", "{target}");
    }
}

#[test]
fn a_known_path_with_another_method_names_those_it_has() {
    let mut fixture = Fixture::new();
    fixture.object("accounts");
    let record = fixture.create("accounts", "Acme", &json!({}));
    let one = format!("/api/records/accounts/{}", text(&record, "id"));
    let reading = &["GET", "HEAD"][..];
    let writing = &["DELETE", "GET", "HEAD", "PATCH", "PUT"][..];
    for (method, target, allowed) in [
        ("GET", "/api/records/accounts/upsert", &["POST"][..]),
        ("PUT", "/api/records/accounts/upsert", &["POST"]),
        ("GET", "/api/records/accounts/add", &["POST"]),
        ("POST", "/api/records/accounts/lookup", reading),
        ("POST", "/api/records/accounts", reading),
        ("POST", &one, writing),
        ("POST", "/healthz", reading),
        ("PUT", "/api/custom-objects", &["GET", "HEAD", "POST"]),
    ] {
        let answer = fixture.send(&Request::new(method, target).json(&json!({})));
        let body = answer.expect_error(405, "method_not_allowed");
        assert_eq!(body["detail"], format!("Method \"{method}\" not allowed."));
        let named = answer.header("Allow").unwrap_or_else(|| panic!("no Allow: {answer}"));
        let mut named: BTreeSet<&str> = named.split(", ").collect();
        named.remove("OPTIONS");
        assert_eq!(named, allowed.iter().copied().collect(), "{answer}");
    }
    let contact = fixture.client.delete("/api/custom-objects/client_client");
    contact.expect_error(405, "method_not_allowed");
}

#[test]
fn head_works_wherever_get_does() {
    let mut fixture = Fixture::new();
    fixture.object("accounts");
    let record = fixture.create("accounts", "Acme", &json!({}));
    for target in [
        "/healthz".to_owned(),
        "/api/records/accounts".to_owned(),
        format!("/api/records/accounts/{}", text(&record, "id")),
        "/api/records/accounts/lookup?identifier=Acme".to_owned(),
        "/api/custom-objects/accounts".to_owned(),
        "/api/records/accounts/lookup?identifier=nobody".to_owned(),
    ] {
        let get = fixture.client.get(&target);
        let head = fixture.send(&Request::new("HEAD", &target));
        head.expect_empty(get.status);
        assert_eq!(head.header("Content-Type"), get.header("Content-Type"), "{target}");
    }
}

#[test]
fn every_answer_carries_a_request_id() {
    let mut fixture = Fixture::new();
    let longest = "x".repeat(128);
    for given in ["abc", "with blanks and ~!", &longest] {
        for target in ["/healthz", "/api/custom-objects", "/nothing"] {
            let request = Request::new("GET", target).header("X-Request-ID", given);
            assert_eq!(fixture.send(&request).header("X-Request-ID"), Some(given), "{target}");
        }
    }
    let too_long = "x".repeat(129);
    let mut made = BTreeSet::new();
    for request in [
        Request::new("GET", "/healthz"),
        Request::new("GET", "/nothing"),
        Request::new("GET", "/api/custom-objects").without("X-API-KEY"),
        Request::new("GET", "/healthz").header("X-Request-ID", ""),
        Request::new("GET", "/healthz").header("X-Request-ID", &too_long),
        Request::new("GET", "/healthz").header("X-Request-ID", "é"),
    ] {
        let answer = fixture.send(&request);
        let id = answer.header("X-Request-ID").unwrap_or_else(|| panic!("no id: {answer}"));
        let shape: Vec<usize> = id.split('-').map(str::len).collect();
        assert_eq!(shape, [8, 4, 4, 4, 12], "{id} is no UUID");
        assert!(made.insert(id.to_owned()), "{id} was given twice");
    }
}

#[test]
fn a_single_record_carries_its_version_as_a_tag() {
    let mut fixture = Fixture::new();
    fixture.object("accounts");
    fixture.text_field("accounts", "note");
    let body = json!({"lookup_value": "Acme"});
    let created = fixture.upsert("accounts", &body);
    let id = text(&created.expect(200), "id").to_owned();
    let change = json!({"fields": {"note": "n"}});
    let changed = fixture.client.patch(&format!("/api/records/accounts/{id}"), &change);
    let read = fixture.read("accounts", &id);
    let found = fixture.lookup("accounts", "Acme");
    for (answer, version) in [(&created, 1), (&changed, 2), (&read, 2), (&found, 2)] {
        let tag = answer.header("ETag").unwrap_or_else(|| panic!("no ETag: {answer}"));
        assert!(tag.starts_with(&format!("\"{version}.")), "{tag} of version {version}");
    }
    assert_eq!(changed.header("ETag"), read.header("ETag"));
}
