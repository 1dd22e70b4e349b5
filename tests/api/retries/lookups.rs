//! What a key is, whose it is, and which request is the same as an earlier one.

use crate::api::retries::{KEY, accounts, again, first, is_replayed, noted, upsert};
use crate::support::{Client, Request, text};
use serde_json::json;

#[test]
fn a_key_is_of_one_to_255_printable_characters_and_given_once() {
    let mut fixture = accounts();
    let body = noted("Acme", "n");
    for bad in ["", "a\tb", "é", &"x".repeat(256)] {
        let refused = fixture.client.send(&upsert(bad, &body)).expect_error(400, "invalid");
        assert_eq!(refused["errors"][0]["parameter"], KEY, "{bad:?}");
        assert_eq!((&refused["fields"], &refused["non_field_errors"]), (&json!([]), &json!([])));
    }
    let twice = upsert("a", &body).header(KEY, "b");
    let refused = fixture.client.send(&twice).expect_error(400, "invalid");
    assert_eq!(refused["errors"][0]["message"], "This header is given twice.");
    fixture.lookup("accounts", "Acme").expect_error(404, "not_found");
    for (at, good) in ["k", "a b~!\"", &"x".repeat(255)].into_iter().enumerate() {
        let request = upsert(good, &noted(&format!("Good {at}"), "n"));
        first(&mut fixture.client, &request, 200);
        again(&mut fixture.client, &request, 200);
    }
}

#[test]
fn another_request_with_the_key_is_refused_and_does_nothing() {
    let mut fixture = accounts();
    let request = upsert("k", &noted("Acme", "first"));
    first(&mut fixture.client, &request, 200);
    let spaced = br#"{"fields":{"note":"first"}, "lookup_value":"Acme"}"#;
    let target = "/api/records/accounts/upsert?return_all_fields=true";
    for other in [
        upsert("k", &noted("Acme", "second")),
        // The same JSON in other bytes.
        Request::new("POST", "/api/records/accounts/upsert").body(spaced).header(KEY, "k"),
        Request::new("POST", target).json(&noted("Acme", "first")).header(KEY, "k"),
        upsert("k", &noted("Acme", "first")).header("If-Match", "\"1\""),
        upsert("k", &noted("Acme", "first")).header("X-Origin", "shop"),
        Request::new("POST", "/api/records/accounts/upsert").body(b"{").header(KEY, "k"),
    ] {
        let answer = fixture.client.send(&other);
        let body = answer.expect_error(422, "idempotency_key_reuse");
        assert!(body.get("errors").is_none() && !is_replayed(&answer), "{answer}");
    }
    again(&mut fixture.client, &request, 200);
    let found = fixture.lookup("accounts", "Acme").expect(200);
    assert_eq!(found["version"], 1, "{found}");
}

#[test]
fn a_key_is_of_one_member_method_and_path() {
    let mut fixture = accounts();
    let made = first(&mut fixture.client, &upsert("k", &noted("Acme", "n")), 200).json();
    let id = text(&made, "id");
    let body = json!({"fields": {"note": "other"}});
    for method in ["PATCH", "PUT"] {
        let path = format!("/api/records/accounts/{id}");
        let request = Request::new(method, &path).json(&body).header(KEY, "k");
        first(&mut fixture.client, &request, 200);
        again(&mut fixture.client, &request, 200);
    }
    let group = json!({"name": "All", "is_admin": true});
    let group = fixture.client.post("/api/permission-group", &group).expect(201);
    let ada = json!({"email": "ada@example.com", "permission_groups": [group["id"]]});
    let ada = fixture.client.post("/api/team", &ada).expect(201);
    let key = json!({"name": "ada", "member_id": ada["id"], "secret": "a secret of ada alone"});
    fixture.client.post("/api/api-keys", &key).expect(201);
    let mut credentials = fixture.server.credentials();
    "a secret of ada alone".clone_into(&mut credentials.api_key);
    text(&ada, "user_id").clone_into(&mut credentials.user_id);
    let mut ada = Client::new(fixture.server.address(), &credentials);
    first(&mut ada, &upsert("k", &noted("Acme", "n")), 200);
    // Another key of the same member is the same caller.
    let key = json!({"name": "second", "secret": "a second secret of mine"});
    fixture.client.post("/api/api-keys", &key).expect(201);
    let mut credentials = fixture.server.credentials();
    "a second secret of mine".clone_into(&mut credentials.api_key);
    let mut second = Client::new(fixture.server.address(), &credentials);
    again(&mut second, &upsert("k", &noted("Acme", "n")), 200);
}

#[test]
fn what_is_no_single_write_has_no_outcome() {
    let mut fixture = accounts();
    let made = first(&mut fixture.client, &upsert("k", &noted("Acme", "n")), 200).json();
    for (path, body) in [
        ("/api/records/accounts/search", json!({})),
        ("/api/team/search", json!({})),
        ("/api/custom-objects/accounts/fields/search", json!({})),
        ("/api/activities/scheduled-activity/search", json!({})),
        ("/api/activities/task/responses", json!({})),
    ] {
        for body in [&body, &json!({"page_size": 1})] {
            let request = Request::new("POST", path).json(body).header(KEY, "k");
            first(&mut fixture.client, &request, 200);
        }
    }
    let get = Request::new("GET", "/api/records/accounts").header(KEY, "");
    first(&mut fixture.client, &get, 200);
    let bulk = "/api/custom-objects/accounts/bulk-archive-entity-record";
    let bulk = Request::new("POST", bulk).json(&json!({"record_ids": [made["id"]]}));
    let refused = fixture.client.send(&bulk.header(KEY, "k")).expect_error(400, "invalid");
    assert_eq!(refused["errors"][0]["parameter"], KEY);
    fixture.lookup("accounts", "Acme").expect(200);
    // A dry run neither looks nor leaves anything.
    let field = "/api/custom-objects/accounts/fields/note";
    let dry = Request::new("DELETE", &format!("{field}?dry_run=true")).header(KEY, "d");
    first(&mut fixture.client, &dry, 204);
    first(&mut fixture.client, &dry, 204);
    fixture.client.get(field).expect(200);
}

#[test]
fn the_look_up_comes_before_the_body_is_read_and_behind_the_caller() {
    let mut fixture = accounts();
    let request = upsert("k", &noted("Acme", "n"));
    first(&mut fixture.client, &request, 200);
    let broken = Request::new("POST", "/api/records/accounts/upsert").body(b"{").header(KEY, "k");
    fixture.client.send(&broken).expect_error(422, "idempotency_key_reuse");
    let stranger = request.clone().without("X-API-KEY");
    fixture.client.send(&stranger).expect_error(401, "not_authenticated");
    let large = vec![b' '; (16 << 20) + 1];
    let large = Request::new("POST", "/api/records/accounts/upsert").body(&large);
    fixture.client.send(&large.header(KEY, "k")).expect_error(413, "payload_exceeded");
    let plain = Request::new("POST", "/api/records/accounts/upsert").body(b"x").header(KEY, "new");
    let plain = plain.header("Content-Type", "text/plain");
    fixture.server.client().send(&plain).expect_error(415, "unsupported_media_type");
    // A body where none is asked for is a part of the request all the same.
    let made = fixture.lookup("accounts", "Acme").expect(200);
    let path = format!("/api/records/accounts/{}", text(&made, "id"));
    let delete = Request::new("DELETE", &path).body(b"why").header(KEY, "d");
    first(&mut fixture.client, &delete, 204);
    again(&mut fixture.client, &delete, 204);
    let other = Request::new("DELETE", &path).body(b"why not").header(KEY, "d");
    fixture.client.send(&other).expect_error(422, "idempotency_key_reuse");
}
