//! `X-Seq` on the answers to writes, and reads that ask for it.

use crate::support::{Fixture, Launch, Request, text};
use serde_json::json;

#[test]
fn a_read_takes_what_a_write_was_answered() {
    let mut fixture = Fixture::new();
    fixture.object("accounts");
    let body = json!({"lookup_value": "Acme"});
    let written = fixture.upsert("accounts", &body);
    let seq = written.header("X-Seq").unwrap_or_else(|| panic!("{written}")).to_owned();
    let id = text(&written.expect(200), "id").to_owned();
    for path in [
        format!("/api/records/accounts/{id}"),
        "/api/records/accounts".to_owned(),
        "/api/records/accounts/lookup?identifier=Acme".to_owned(),
        "/api/custom-objects/accounts".to_owned(),
        "/api/team".to_owned(),
        "/api/business/mine".to_owned(),
    ] {
        let sign = if path.contains('?') { '&' } else { '?' };
        let good = format!("{path}{sign}min_seq={seq}&strict=true");
        let read = fixture.client.get(&good);
        read.expect(200);
        assert_eq!(read.header("X-Seq"), None, "a read writes nothing: {read}");
        for bad in ["", "7", "x", &seq[1..], &seq.to_lowercase()] {
            let refused = fixture.client.get(&format!("{path}{sign}min_seq={bad}"));
            let body = refused.expect_error(400, "invalid");
            assert_eq!(body["errors"][0]["parameter"], "min_seq", "{refused}");
        }
    }
    let search = format!("/api/records/accounts/search?min_seq={seq}");
    assert_eq!(fixture.client.post(&search, &json!({})).expect(200)["count"], 1);
    let search = fixture.client.post("/api/records/accounts/search?min_seq=7", &json!({}));
    search.expect_error(400, "invalid");
    // It means nothing to a write, and nothing was written by what is refused.
    let upsert = "/api/records/accounts/upsert?min_seq=7";
    fixture.client.post(upsert, &body).expect(200);
    let strict = fixture.client.post(&format!("{upsert}&strict=true"), &body);
    strict.expect_error(400, "unknown_parameter");
    let refused = fixture.client.post("/api/records/accounts/upsert", &json!({}));
    assert_eq!((refused.status, refused.header("X-Seq")), (400, None), "{refused}");
}

#[test]
fn the_writes_of_every_state_have_it_and_it_stays_good() {
    let mut fixture = Fixture::new();
    fixture.object("accounts");
    let made = fixture.create("accounts", "Acme", &json!({}));
    let record = format!("/api/records/accounts/{}", text(&made, "id"));
    let bulk = "/api/custom-objects/accounts/bulk-archive-entity-record";
    let task = json!({"activity_object_name": "task", "due_datetime": "2030-01-01"});
    for request in [
        Request::new("POST", "/api/role").json(&json!({"name": "R"})),
        Request::new("POST", "/api/activities/scheduled-activity").json(&task),
        Request::new("PATCH", "/api/business/mine").json(&json!({"name": "Mine"})),
        Request::new("PATCH", &record).json(&json!({"fields": {}})),
        Request::new("DELETE", &record),
        Request::new("POST", bulk).json(&json!({"record_ids": [made["id"]]})),
    ] {
        let answer = fixture.client.send(&request);
        assert!((200..300).contains(&answer.status), "{answer}");
        let seq = answer.header("X-Seq").unwrap_or_else(|| panic!("{answer}")).to_owned();
        fixture.client.get(&format!("/api/role?min_seq={seq}")).expect(200);
        fixture = fixture.after_a_crash();
        fixture.client.get(&format!("/api/role?min_seq={seq}")).expect(200);
    }
}

/// A copy that is older than the answer is as far behind as a server that has not caught up.
#[test]
fn a_state_that_is_not_there_is_not_made_up() {
    let mut fixture = Fixture::new();
    fixture.object("accounts");
    let launch = fixture.server.kill();
    let older = launch.directory().copy();
    let mut fixture = Fixture::of(launch.start());
    let mut seq = String::new();
    for at in 0..20 {
        let written = fixture.upsert("accounts", &json!({"lookup_value": format!("A {at}")}));
        written.header("X-Seq").expect("a write has it").clone_into(&mut seq);
    }
    let credentials = fixture.server.credentials();
    let mut older = Fixture::of(Launch::on(&older).credentials(&credentials).start());
    let behind = older.client.get(&format!("/api/records/accounts?min_seq={seq}"));
    behind.expect_error(503, "behind");
    assert_eq!(behind.header("Retry-After"), Some("1"), "{behind}");
    assert_eq!(older.client.get("/api/records/accounts").expect(200)["count"], 0);
}
