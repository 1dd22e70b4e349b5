//! Requests on one record that are answered only if it is, or is not, in a state that the client
//! knows.

use crate::support::{Answer, Fixture, Request, assert_includes, send_together, text};
use serde_json::{Value, json};

const UPSERT: &str = "/api/records/accounts/upsert";

fn accounts() -> Fixture {
    let mut fixture = Fixture::new();
    fixture.object("accounts");
    fixture.text_field("accounts", "note");
    fixture
}

fn path(record: &Value) -> String {
    format!("/api/records/accounts/{}", text(record, "id"))
}

fn etag(answer: &Answer) -> String {
    answer.header("ETag").unwrap_or_else(|| panic!("no ETag: {answer}")).to_owned()
}

fn read(fixture: &mut Fixture, record: &Value) -> Answer {
    fixture.read_archived("accounts", text(record, "id"))
}

/// The record was found otherwise than this header asks, and is told so.
#[track_caller]
fn check_failed(answer: &Answer, parameter: &str, found: Option<u32>) {
    let refused = answer.expect_error(412, "precondition_failed");
    assert_eq!(refused["current_version"], json!(found), "{answer}");
    assert_includes(
        &refused["errors"],
        &json!([{"code": "precondition_failed", "parameter": parameter, "retryable": false}]),
    );
    let version = answer.header("ETag").and_then(|tag| tag.split('.').next());
    assert_eq!(version, found.map(|found| format!("\"{found}")).as_deref(), "{answer}");
}

#[test]
fn what_the_client_still_has_is_not_shown_again() {
    let mut fixture = accounts();
    let record = fixture.create("accounts", "Acme", &json!({"note": "n"}));
    let by_name = "/api/records/accounts/lookup?identifier=Acme".to_owned();
    for target in [path(&record), by_name, format!("{}?version=1", path(&record))] {
        let tag = etag(&fixture.client.get(&target));
        let mut ask = |method, tags: &str| {
            let request = Request::new(method, &target).header("if-none-match", tags);
            fixture.send(&request)
        };
        for tags in [&*tag, &format!("W/{tag}"), &format!("\"x\", {tag}"), "*"] {
            for method in ["GET", "HEAD"] {
                let answer = ask(method, tags);
                answer.expect_empty(304);
                assert_eq!(etag(&answer), tag);
            }
        }
        // Another view of the same version is another state to a reader.
        for tags in ["\"1\"", "\"1.00000000\"", "\"2.x\""] {
            let answer = ask("GET", tags);
            assert_eq!(
                (answer.expect(200)["version"].clone(), etag(&answer)),
                (json!(1), tag.clone())
            );
        }
    }
    let tag = etag(&fixture.client.get(&path(&record)));
    let ask = |fixture: &mut Fixture| {
        fixture.send(&Request::new("GET", &path(&record)).header("If-None-Match", &tag)).status
    };
    assert_eq!(ask(&mut fixture), 304);
    fixture.client.patch(&path(&record), &json!({"fields": {"note": "m"}})).expect(200);
    assert_eq!(ask(&mut fixture), 200);
    let unknown = "/api/records/accounts/lookup?identifier=Nobody";
    let request = Request::new("GET", unknown).header("If-None-Match", "*");
    fixture.send(&request).expect_error(404, "not_found");
}

#[test]
fn a_tag_is_that_of_a_version_a_schema_and_a_time_zone() {
    let mut fixture = accounts();
    let record = fixture.create("accounts", "Acme", &json!({}));
    let target = path(&record);
    let mut tags = vec![etag(&fixture.client.get(&target))];
    let written = fixture.client.patch(&target, &json!({"fields": {"note": "n"}}));
    tags.push(etag(&fixture.client.get(&target)));
    assert_eq!(etag(&written), tags[1], "what a write answers is what a read does");
    fixture.text_field("accounts", "later");
    tags.push(etag(&fixture.client.get(&target)));
    let zone = json!({"timezone": "Asia/Tokyo"});
    fixture.client.patch("/api/business/mine", &zone).expect(200);
    tags.push(etag(&fixture.client.get(&target)));
    for (at, tag) in tags.iter().enumerate() {
        assert!(!tags[..at].contains(tag), "{tags:?}");
    }
    let versions: Vec<_> = tags.iter().map(|tag| tag.split('.').next()).collect();
    assert_eq!(versions, ["\"1", "\"2", "\"2", "\"2"].map(Some));
    // A crash is no change.
    let mut fixture = fixture.after_a_crash();
    assert_eq!(etag(&fixture.client.get(&target)), tags[3]);
}

/// Every write that takes `If-Match`, as it is sent for a live record.
fn writes(record: &Value) -> Vec<(&'static str, String, Value)> {
    let target = path(record);
    let fields = json!({"fields": {"note": "after"}});
    vec![
        ("PATCH", target.clone(), fields.clone()),
        ("PUT", target.clone(), fields),
        ("DELETE", target.clone(), Value::Null),
        ("PATCH", format!("{target}/unarchive"), json!({})),
        (
            "POST",
            UPSERT.to_owned(),
            json!({"lookup_value": text(record, "name"), "fields": {"note": "after"}}),
        ),
    ]
}

fn send(
    fixture: &mut Fixture,
    (method, target, body): &(&'static str, String, Value),
    (header, tags): (&str, &str),
) -> Answer {
    let request = Request::new(method, target).header(header, tags);
    fixture.send(&if body.is_null() { request } else { request.json(body) })
}

#[test]
fn a_write_of_another_version_is_refused_and_does_nothing() {
    let mut fixture = accounts();
    let record = fixture.create("accounts", "Acme", &json!({"note": "before"}));
    let before = read(&mut fixture, &record);
    for write in writes(&record) {
        for tags in ["\"2\"", "\"2.a9\"", "W/\"7\"", "\"2\", \"3\"", "\"x\""] {
            let answer = send(&mut fixture, &write, ("If-Match", tags));
            check_failed(&answer, "If-Match", Some(1));
            assert_eq!(etag(&answer), etag(&before));
        }
        if !write.1.ends_with("unarchive") {
            let dry = (write.0, format!("{}?dry_run=true", write.1), write.2.clone());
            let answer = send(&mut fixture, &dry, ("If-Match", "\"2\""));
            check_failed(&answer, "If-Match", Some(1));
            assert_eq!(answer.json()["dry_run"], true);
        }
        assert_eq!(read(&mut fixture, &record).json(), before.json(), "{write:?}");
    }
}

#[test]
fn a_write_of_the_version_that_was_read_is_carried_out() {
    for tags in ["\"1\"", "\"1.00000000\"", "W/\"1.x\"", "\"9\", \"1\"", "*"] {
        for at in 0..5 {
            let mut fixture = accounts();
            let record = fixture.create("accounts", "Acme", &json!({"note": "before"}));
            let write = &writes(&record)[at];
            let answer = send(&mut fixture, write, ("If-Match", tags));
            assert!((200..300).contains(&answer.status), "{answer}");
            let expected = if write.1.ends_with("unarchive") { 1 } else { 2 };
            let after = read(&mut fixture, &record).expect(200);
            assert_eq!(after["version"], expected, "{answer}");
        }
    }
}

#[test]
fn an_archived_record_has_a_version_where_it_can_be_addressed() {
    let mut fixture = accounts();
    let record = fixture.create_archived("accounts", "Acme", &json!({"note": "n"}));
    let target = path(&record);
    let restore = ("PATCH", format!("{target}/unarchive"), json!({}));
    let purge = ("DELETE", format!("{target}?purge=true"), Value::Null);
    for write in [&restore, &purge] {
        let answer = send(&mut fixture, write, ("If-Match", "\"1\""));
        check_failed(&answer, "If-Match", Some(2));
        assert_eq!(etag(&answer), etag(&read(&mut fixture, &record)));
    }
    let change = ("PATCH", target.clone(), json!({"fields": {"note": "m"}}));
    send(&mut fixture, &change, ("If-Match", "\"2\"")).expect_error(404, "not_found");
    let tag = etag(&read(&mut fixture, &record));
    let restored = send(&mut fixture, &restore, ("If-Match", &tag)).expect(200);
    assert_includes(&restored, &json!({"action": "unarchived", "version": 3}));
    send(&mut fixture, &purge, ("If-Match", "\"3\"")).expect_error(400, "not_archived");
    fixture.archive("accounts", text(&record, "id"));
    send(&mut fixture, &purge, ("If-Match", "*")).expect_empty(204);
    read(&mut fixture, &record).expect_error(404, "not_found");
}

#[test]
fn with_if_match_an_upsert_never_creates_and_with_if_none_match_it_only_creates() {
    let mut fixture = accounts();
    let mut upsert = |query: &str, body: &Value, header: (&str, &str)| {
        let write = ("POST", format!("{UPSERT}?{query}"), body.clone());
        send(&mut fixture, &write, header)
    };
    let body = json!({"lookup_value": "Acme", "fields": {"note": "a"}});
    for tags in ["*", "\"1\""] {
        for query in ["", "mode=create", "mode=get_or_create", "dry_run=true"] {
            check_failed(&upsert(query, &body, ("If-Match", tags)), "If-Match", None);
        }
        upsert("mode=update", &body, ("If-Match", tags)).expect_error(404, "not_found");
    }
    let absent = ("If-None-Match", "*");
    let created = upsert("", &body, absent).expect(200);
    assert_includes(&created, &json!({"action": "created", "version": 1}));
    for query in ["", "mode=create", "mode=get_or_create", "mode=update", "dry_run=true"] {
        check_failed(&upsert(query, &body, absent), "If-None-Match", Some(1));
    }
    let id = text(&created, "id").to_owned();
    fixture.archive("accounts", &id);
    let mut upsert = |body: &Value, header: (&str, &str)| {
        send(&mut fixture, &("POST", UPSERT.to_owned(), body.clone()), header)
    };
    // An archived record is as good as none: what becomes of it is for the other options.
    let mut revived = body.clone();
    revived["oncreate_unarchive"] = json!("unarchive");
    check_failed(&upsert(&revived, ("If-Match", "\"2\"")), "If-Match", None);
    upsert(&body, absent).expect_error(409, "conflict");
    let restored = upsert(&revived, absent).expect(200);
    assert_includes(&restored, &json!({"action": "unarchived", "id": id}));
    for (header, message) in [
        (("If-None-Match", "\"1\""), "Only * is taken here."),
        (("If-None-Match", "1"), "Expected *, or entity tags"),
    ] {
        let refused = upsert(&body, header).expect_error(400, "invalid");
        assert!(text(&refused, "detail").starts_with(message), "{refused}");
    }
    let both = Request::new("POST", UPSERT).json(&body).header("If-Match", "*");
    fixture.send(&both.header("If-None-Match", "*")).expect_error(400, "invalid");
}

#[test]
fn of_clients_that_have_read_the_same_version_one_writes() {
    let mut fixture = accounts();
    let record = fixture.create("accounts", "Acme", &json!({"note": "n"}));
    let tag = etag(&fixture.client.get(&path(&record)));
    let requests: Vec<_> = (0..32)
        .map(|client| {
            let note = json!({"fields": {"note": format!("of {client}")}});
            let request = if client % 2 == 0 {
                Request::new("PATCH", &path(&record)).json(&note)
            } else {
                let mut body = note;
                body["lookup_value"] = json!("acme");
                Request::new("POST", UPSERT).json(&body)
            };
            (fixture.server.client(), request.header("If-Match", &tag))
        })
        .collect();
    let answers = send_together(requests);
    let (done, refused): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status == 200);
    assert_eq!(done.len(), 1, "{done:?}");
    for answer in refused {
        check_failed(answer, "If-Match", Some(2));
    }
    assert_eq!(fixture.client.get(&path(&record)).expect(200)["version"], 2);
}

#[test]
fn of_clients_that_would_only_create_one_does() {
    let mut fixture = accounts();
    let body = json!({"lookup_value": "Acme", "fields": {"note": "n"}});
    let request = Request::new("POST", UPSERT).json(&body).header("If-None-Match", "*");
    let requests = (0..32).map(|_| (fixture.server.client(), request.clone())).collect();
    let answers = send_together(requests);
    let created = answers.iter().filter(|answer| answer.status == 200).count();
    assert_eq!(created, 1);
    for answer in answers.iter().filter(|answer| answer.status != 200) {
        check_failed(answer, "If-None-Match", Some(1));
    }
    assert_eq!(fixture.client.get("/api/records/accounts").expect(200)["count"], 1);
}

#[test]
fn a_retry_is_answered_as_before_whatever_has_become_of_the_version() {
    let mut fixture = accounts();
    let record = fixture.create("accounts", "Acme", &json!({"note": "n"}));
    let change = |note: &str, tags: &str| {
        let body = json!({"fields": {"note": note}});
        let request = Request::new("PATCH", &path(&record)).json(&body);
        request.header("If-Match", tags).header("Idempotency-Key", "k1")
    };
    // A refusal is not kept.
    check_failed(&fixture.send(&change("a", "\"5\"")), "If-Match", Some(1));
    let done = fixture.send(&change("a", "\"1\"")).expect(200);
    fixture.client.patch(&path(&record), &json!({"fields": {"note": "b"}})).expect(200);
    let mut fixture = fixture.after_a_crash();
    let again = fixture.send(&change("a", "\"1\""));
    assert_eq!(again.header("Idempotent-Replayed"), Some("true"));
    assert_eq!(again.expect(200), done);
    // Another precondition is another request.
    fixture.send(&change("a", "\"2\"")).expect_error(422, "idempotency_key_reuse");
    assert_eq!(fixture.client.get(&path(&record)).expect(200)["version"], 3);
}

#[test]
fn a_pipelines_record_moves_from_the_version_that_was_read() {
    let mut fixture = Fixture::new();
    let stages = json!({"stages": [{"name": "New"}, {"name": "Won", "status": "won"}]});
    let body = json!({"object_name": "deals", "object_type": "pipeline", "pipeline": stages});
    fixture.client.post("/api/custom-objects", &body).expect(201);
    let stages = fixture.client.get("/api/pipelines/deals/stages").expect(200);
    let record = fixture.create("deals", "Big", &json!({}));
    let target = format!("/api/records/deals/{}/move", text(&record, "id"));
    let write = ("PATCH", target, json!({"stage_id": stages[1]["id"]}));
    check_failed(&send(&mut fixture, &write, ("If-Match", "\"2\"")), "If-Match", Some(1));
    let moved = send(&mut fixture, &write, ("If-Match", "\"1\"")).expect(200);
    assert_includes(&moved, &json!({"action": "updated", "version": 2}));
    check_failed(&send(&mut fixture, &write, ("If-Match", "\"1\"")), "If-Match", Some(2));
}
