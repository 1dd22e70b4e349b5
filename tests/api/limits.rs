//! Each limit at its border: the largest that fits, and one more.

use crate::support::{Fixture, Launch, PATIENCE, Request, exchange, send_together, text, until};
use serde_json::{Value, json};
use std::io::Read;
use std::net::TcpStream;

fn accounts() -> Fixture {
    let mut fixture = Fixture::new();
    fixture.object("accounts");
    fixture.text_field("accounts", "note");
    fixture
}

#[test]
fn a_text_fits_255_characters_whatever_their_bytes() {
    let mut fixture = accounts();
    for (length, fits) in [(255, true), (256, false)] {
        let note = "é".repeat(length);
        let body = json!({"lookup_value": "Acme", "fields": {"note": note}});
        let answer = fixture.upsert("accounts", &body);
        if fits {
            answer.expect(200);
        } else {
            let refused = answer.expect_error(400, "max_length");
            let message = "Ensure this field has no more than 255 characters.";
            assert_eq!(refused["errors"][0]["message"], message);
        }
    }
}

#[test]
fn five_hundred_entries_fit_in_fields() {
    let mut fixture = accounts();
    for (count, code) in [(500, "invalid"), (501, "limit_exceeded")] {
        // All but the first are faults of their own, which are reported only when the list fits.
        let entry = json!({"name": "note", "value": "x"});
        let unknown = json!({"name": "unknown", "value": "x"});
        let mut fields = vec![entry.clone(), entry];
        fields.resize(count, unknown);
        let body = json!({"lookup_value": "Acme", "fields": fields});
        fixture.upsert("accounts", &body).expect_error(400, code);
    }
}

#[test]
fn a_body_over_its_limit_is_refused_by_its_claim_and_by_its_length() {
    let mut fixture = Fixture::with_flag("--json-body-max", "64KiB");
    fixture.object("accounts");
    let body = |length: usize| {
        let frame = json!({"lookup_value": "Acme", "padding": ""}).to_string().len();
        json!({"lookup_value": "Acme", "padding": "x".repeat(length - frame)})
    };
    fixture.upsert("accounts", &body(64 * 1024)).expect(200);
    let too_long = body(64 * 1024 + 1);
    fixture.upsert("accounts", &too_long).expect_error(413, "payload_exceeded");
    let chunked = chunked_upsert(&fixture, &too_long);
    assert!(chunked.starts_with("HTTP/1.1 413 "), "{chunked}");
    assert!(chunked.contains("payload_exceeded"), "{chunked}");
    fixture.lookup("accounts", "Acme").expect(200);
}

/// The same upsert as bytes whose length is not claimed beforehand.
fn chunked_upsert(fixture: &Fixture, body: &Value) -> String {
    chunked_upsert_with(fixture, body, "\r\n", "\r\n")
}

/// And with other ends of the lines of its head and of its chunks.
fn chunked_upsert_with(fixture: &Fixture, body: &Value, head_end: &str, end: &str) -> String {
    let credentials = fixture.server.credentials();
    let body = body.to_string();
    let head = [
        "POST /api/records/accounts/upsert HTTP/1.1".to_owned(),
        "Host: localhost".to_owned(),
        format!("X-API-KEY: {}", credentials.api_key),
        format!("X-BUSINESS-ID: {}", credentials.business_id),
        format!("X-USER-ID: {}", credentials.user_id),
        "Connection: close".to_owned(),
        "Transfer-Encoding: chunked".to_owned(),
    ];
    let head = head.join(head_end) + head_end + head_end;
    let bytes = format!("{head}{:x}{end}{body}{end}0{end}{end}", body.len());
    exchange(fixture.server.address(), bytes.as_bytes())
}

#[test]
fn a_line_of_a_head_may_end_in_a_line_feed_alone_and_one_of_a_chunk_may_not() {
    let fixture = accounts();
    let body = json!({"lookup_value": "Acme"});
    for (head_end, end, status) in
        [("\r\n", "\r\n", 200), ("\n", "\r\n", 200), ("\r\n", "\n", 400), ("\n", "\n", 400)]
    {
        let answer = chunked_upsert_with(&fixture, &body, head_end, end);
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status} ")),
            "{head_end:?} {end:?} {answer}"
        );
    }
}

#[test]
fn a_record_over_its_limit_is_refused() {
    let mut fixture = Fixture::with_flag("--record-max", "8KiB");
    fixture.object("accounts");
    let long = json!({"field_type": "longtext", "display_name": "Story", "name": "story"});
    fixture.field("accounts", &long);
    fixture.create("accounts", "fits", &json!({"story": "x".repeat(7 * 1024)}));
    let body = json!({"lookup_value": "too large", "fields": {"story": "x".repeat(9 * 1024)}});
    fixture.upsert("accounts", &body).expect_error(400, "limit_exceeded");
    fixture.lookup("accounts", "too large").expect_error(404, "not_found");
}

#[test]
fn long_heads_are_refused() {
    let mut fixture = accounts();
    let list = |padding: usize| {
        let query = "x".repeat(padding);
        Request::new("GET", &format!("/api/records/accounts?padding={query}"))
    };
    fixture.send(&list(15 * 1024)).expect(200);
    assert_eq!(fixture.send(&list(17 * 1024)).status, 414);
    let padded = |padding: usize| {
        let request = Request::new("GET", "/api/records/accounts");
        (0..padding / 1024).fold(request, |request, number| {
            request.header(&format!("X-Padding-{number}"), &"x".repeat(1000))
        })
    };
    fixture.send(&padded(28 * 1024)).expect(200);
    assert_eq!(fixture.send(&padded(36 * 1024)).status, 431);
}

#[test]
fn a_connection_too_many_is_closed_at_once() {
    let server = Launch::new().flag("--connections-per-peer-max", "4").start();
    let mut held: Vec<_> = (0..4).map(|_| server.client()).collect();
    for client in &mut held {
        assert_eq!(client.get("/healthz").status, 200);
    }
    let mut extra = TcpStream::connect(server.address()).expect("the listener accepts");
    extra.set_read_timeout(Some(PATIENCE)).expect("a deadline can be set");
    let mut byte = [0];
    let read = extra.read(&mut byte);
    assert!(!matches!(read, Ok(1..)), "a refused connection gets no answer");
    let timed_out = matches!(&read, Err(error) if error.kind() == std::io::ErrorKind::WouldBlock);
    assert!(!timed_out, "the connection was kept open");
    for client in &mut held {
        assert_eq!(client.get("/healthz").status, 200, "those that were there are served");
    }
}

#[test]
fn what_is_not_http_is_refused_and_the_next_client_is_served() {
    let mut fixture = accounts();
    let address = fixture.server.address();
    for bytes in [
        &b"nonsense\r\n\r\n"[..],
        b"GET /healthz HTTP/1.1\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        b"POST /healthz HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST /healthz HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx",
        b"GET /healthz HTTP/1.1\r\nHost : a\r\n\r\n",
        b"POST /healthz HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
    ] {
        let answer = exchange(address, bytes);
        assert!(answer.starts_with("HTTP/1.1 400 "), "{:?}: {answer}", String::from_utf8_lossy(bytes));
    }
    let created = fixture.create("accounts", "Acme", &json!({}));
    fixture.read("accounts", text(&created, "id")).expect(200);
}

#[test]
fn two_hundred_members_are_put_on_a_record_one_by_one() {
    let mut fixture = accounts();
    let record = fixture.create("accounts", "Acme", &json!({}));
    let team = format!("/api/records/accounts/{}/team-members", text(&record, "id"));
    let put = |fixture: &mut Fixture, number: usize| {
        let body = json!({"email": format!("m{number}@example.com")});
        let member = fixture.client.post("/api/team", &body).expect(201);
        fixture.send(&Request::new("PUT", &format!("{team}/{}", text(&member, "id"))))
    };
    for number in 0..200 {
        put(&mut fixture, number).expect_empty(204);
    }
    // It once named a field that no object has.
    let refused = put(&mut fixture, 200).expect_error(400, "limit_exceeded");
    let message = "No more than 200 members are put on a record one by one.";
    let fault = json!({"code": "limit_exceeded", "message": message, "retryable": false});
    assert_eq!((&refused["errors"], &refused["detail"]), (&json!([fault]), &json!(message)));
    assert_eq!(refused["non_field_errors"], json!([message]));
    // The owner counts too.
    let read = fixture.lookup("accounts", "Acme").expect(200);
    assert_eq!(read["num_associated_team_members"], 201);
}

/// Who is told to come back has done nothing, who is not has written.
#[test]
fn more_writes_than_may_wait_are_told_when_to_come_back() {
    let mut fixture = Fixture::with_flag("--queue-max", "1");
    fixture.object("accounts");
    let mut round = 0;
    let answers = until("a write that is refused", || {
        round += 1;
        let request = |number: usize| {
            let body = json!({"lookup_value": format!("{round}-{number}")});
            Request::new("POST", "/api/records/accounts/upsert").json(&body)
        };
        let clients = (0..16).map(|number| (fixture.server.client(), request(number)));
        let answers = send_together(clients.collect());
        answers.iter().any(|answer| answer.status == 503).then_some(answers)
    });
    for (number, answer) in answers.iter().enumerate() {
        let found = fixture.lookup("accounts", &format!("{round}-{number}"));
        if answer.status == 200 {
            found.expect(200);
            continue;
        }
        answer.expect_error(503, "overloaded");
        let wait = answer.header("Retry-After").expect("it says when");
        assert!(wait.parse::<u64>().is_ok_and(|seconds| seconds >= 1), "{wait}");
        found.expect_error(404, "not_found");
    }
    assert!(answers.iter().any(|answer| answer.status == 200), "somebody is served");
}
