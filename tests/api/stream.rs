//! Streams: a row a line, a result a line as soon as it is durable.

use crate::support::{Client, Fixture, Request, text};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;

const STREAM: &str = "/api/records/accounts/bulk-upsert";

fn accounts() -> Fixture {
    let mut fixture = Fixture::new();
    fixture.object("accounts");
    fixture.text_field("accounts", "note");
    fixture
}

fn row(name: &str, note: &str) -> String {
    json!({"lookup_value": name, "fields": {"note": note}}).to_string()
}

fn request(query: &str, body: &[u8]) -> Request {
    let target = format!("{STREAM}?{query}");
    Request::new("POST", &target).header("Content-Type", "application/x-ndjson").body(body)
}

/// The result lines, and the summary.
fn lines(body: &[u8]) -> (Vec<Value>, Value) {
    let text = std::str::from_utf8(body).expect("an answer is UTF-8");
    let mut lines: Vec<Value> =
        text.lines().map(|line| serde_json::from_str(line).expect("a line is JSON")).collect();
    let mut last = lines.pop().expect("there is a last line");
    (lines, last["summary"].take())
}

fn stream(fixture: &mut Fixture, query: &str, body: &str) -> (Vec<Value>, Value) {
    let answer = fixture.send(&request(query, body.as_bytes()));
    assert_eq!(answer.status, 200, "{answer}");
    assert_eq!(answer.header("Content-Type"), Some("application/x-ndjson"));
    lines(&answer.body)
}

fn actions(results: &[Value]) -> Vec<&str> {
    results.iter().map(|result| text(result, "action")).collect()
}

#[test]
fn each_line_has_its_result_and_the_last_line_sums_up() {
    let mut fixture = accounts();
    let body =
        [&row("Acme", "a"), "", "{", &row("acme", "b"), "  ", &row("Globex", "c")].join("\r\n");
    let (results, summary) = stream(&mut fixture, "", &body);
    assert_eq!(actions(&results), ["created", "failed", "updated", "created"]);
    assert_eq!(results[1]["code"], "parse_error");
    assert_eq!(results[1]["status"], 400);
    for (index, result) in results.iter().enumerate() {
        assert_eq!(result["index"], index);
    }
    let counts = json!({"created": 2, "updated": 1, "unarchived": 0, "unchanged": 0, "failed": 1});
    assert_eq!(summary["counts"], counts);
    assert_eq!(
        (&summary["count"], &summary["state"]),
        (&json!(4), &json!("completed_with_errors"))
    );
    let (results, summary) = stream(&mut fixture, "", &row("Acme", "b"));
    assert_eq!((actions(&results), &summary["state"]), (vec!["unchanged"], &json!("completed")));
    let (results, summary) = stream(&mut fixture, "", "");
    assert_eq!((results.len(), &summary["count"]), (0, &json!(0)));
    // The connection goes on.
    fixture.lookup("accounts", "Globex").expect(200);
}

#[test]
fn the_caller_says_which_results_it_wants() {
    let mut fixture = accounts();
    let body = [&row("Acme", "a"), "5", &row("Globex", "c")].join("\n");
    let (results, _) = stream(&mut fixture, "results=errors", &body);
    assert_eq!((actions(&results), &results[0]["index"]), (vec!["failed"], &json!(1)));
    let (results, summary) = stream(&mut fixture, "results=none", &body);
    assert_eq!((results.len(), &summary["counts"]["unchanged"]), (0, &json!(2)));
    let (results, _) = stream(&mut fixture, "return_records=true", &row("Acme", "z"));
    assert_eq!(results[0]["record"]["name"], "Acme");
}

#[test]
fn it_ends_after_as_many_failed_rows_as_were_said() {
    let mut fixture = accounts();
    let mut rows = vec!["5".to_owned(); 10];
    rows.extend((0..10_000).map(|at| row(&format!("Account {at}"), "a")));
    let (results, summary) = stream(&mut fixture, "max_errors=3", &rows.join("\n"));
    assert_eq!(
        (&summary["state"], &summary["code"]),
        (&json!("aborted"), &json!("limit_exceeded"))
    );
    assert_eq!(summary["count"], results.len());
    assert!(results.len() < 10_000, "{}", results.len());
    for bad in [
        "max_errors=0",
        "max_errors=many",
        "results=some",
        "atomic=true",
        "in_batch_duplicates=last",
    ] {
        let answer = fixture.send(&request(bad, b""));
        assert_eq!(answer.status, 400, "{answer}");
    }
}

#[test]
fn a_line_that_is_too_long_fails_alone() {
    let mut fixture = Fixture::with_flag("--line-max", "1KiB");
    fixture.object("accounts");
    fixture.text_field("accounts", "note");
    let body = [row("Acme", &"x".repeat(2_000)), row("Globex", "b")].join("\n");
    let (results, _) = stream(&mut fixture, "", &body);
    assert_eq!(actions(&results), ["failed", "created"]);
    assert_eq!(results[0]["code"], "record_too_large");
}

#[test]
fn compressed_lines_are_taken_and_bombs_are_not() {
    let mut fixture = accounts();
    let rows: Vec<String> = (0..500).map(|at| row(&format!("Account {at}"), "a")).collect();
    let plain = rows.join("\n");
    let zstd = zstd::bulk::compress(plain.as_bytes(), 3).expect("zstd compresses");
    let answer = fixture.send(&request("", &zstd).header("Content-Encoding", "zstd"));
    let (results, summary) = lines(&answer.body);
    assert_eq!((results.len(), &summary["counts"]["created"]), (500, &json!(500)));
    let bomb = zstd::bulk::compress(&vec![b' '; 100 << 20], 3).expect("zstd compresses");
    let answer = fixture.send(&request("", &bomb).header("Content-Encoding", "zstd"));
    let (_, summary) = lines(&answer.body);
    assert_eq!(
        (&summary["state"], &summary["code"]),
        (&json!("aborted"), &json!("payload_exceeded"))
    );
    let answer = fixture.send(&request("", b"").header("Content-Encoding", "br"));
    assert_eq!(answer.status, 415, "{answer}");
}

/// A stream whose lines are sent one by one.
struct Conversation {
    reader: BufReader<TcpStream>,
}

impl Conversation {
    fn begin(client: Client) -> Self {
        Self::begin_with(client, "")
    }

    fn begin_with(client: Client, query: &str) -> Self {
        let request = Request::new("POST", &format!("{STREAM}?{query}"))
            .header("Content-Type", "application/x-ndjson")
            .header("Transfer-Encoding", "chunked");
        let stream = client.send_unread(&request).into_stream();
        Self { reader: BufReader::new(stream) }
    }

    fn say(&mut self, line: &str) {
        let chunk = format!("{:x}\r\n{line}\n\r\n", line.len() + 1);
        self.reader.get_mut().write_all(chunk.as_bytes()).expect("the server takes it");
    }

    /// The next line of the answer that is JSON: heads and lengths of chunks are passed over.
    fn hear(&mut self) -> Value {
        loop {
            let mut line = String::new();
            let read = self.reader.read_line(&mut line).expect("the server answers in time");
            assert!(read > 0, "the answer has ended");
            if line.starts_with('{') {
                return serde_json::from_str(&line).expect("a line is JSON");
            }
        }
    }
}

#[test]
fn a_row_is_answered_before_the_next_one_is_sent() {
    let fixture = accounts();
    let mut talk = Conversation::begin(fixture.server.client());
    for at in 0..20 {
        talk.say(&row("Acme", &at.to_string()));
        let expected = if at == 0 { "created" } else { "updated" };
        assert_eq!(talk.hear()["action"], expected);
    }
    talk.reader.get_mut().write_all(b"0\r\n\r\n").expect("the server takes it");
    assert_eq!(talk.hear()["summary"]["count"], 20);
}

#[test]
fn every_result_that_was_received_survives_a_crash() {
    let fixture = accounts();
    let mut talk = Conversation::begin(fixture.server.client());
    for at in 0..200 {
        talk.say(&row(&format!("Account {at}"), "a"));
    }
    let heard: Vec<Value> = (0..100).map(|_| talk.hear()).collect();
    let mut fixture = fixture.after_a_crash();
    for result in &heard {
        fixture.read("accounts", text(result, "id")).expect(200);
    }
}

#[test]
fn a_client_that_does_not_read_holds_up_nobody_and_is_not_read_from_for_ever() {
    let mut fixture = accounts();
    let mut talk = Conversation::begin(fixture.server.client());
    let stream = talk.reader.get_mut();
    stream.set_write_timeout(Some(std::time::Duration::from_secs(2))).expect("it can be set");
    let lines: String = (0..1_000).map(|at| row(&format!("Account {at}"), "a") + "\n").collect();
    let chunk = format!("{:x}\r\n{lines}\r\n", lines.len());
    let mut chunks = 0;
    // Results are never read: at some time the server stops to take rows in.
    while chunks < 10_000 && stream.write_all(chunk.as_bytes()).is_ok() {
        chunks += 1;
    }
    assert!(chunks < 10_000, "ten million rows were taken in without an answer");
    fixture.create("accounts", "Other", &json!({}));
}

#[test]
fn a_key_that_is_revoked_ends_its_stream() {
    let mut fixture = accounts();
    let made = fixture.client.post("/api/api-keys", &json!({"name": "sync"})).expect(201);
    let mut credentials = fixture.server.credentials().clone();
    text(&made, "secret").clone_into(&mut credentials.api_key);
    let mut talk = Conversation::begin(Client::new(fixture.server.address(), &credentials));
    talk.say(&row("Acme", "a"));
    assert_eq!(talk.hear()["action"], "created");
    fixture.client.delete(&format!("/api/api-keys/{}", text(&made, "id"))).expect_empty(204);
    let end = (0..1_000_000).find_map(|at| {
        talk.say(&row("Acme", &at.to_string()));
        Some(talk.hear()).filter(|line| line.get("summary").is_some())
    });
    let summary = end.expect("a stream without a key ends");
    assert_eq!(summary["summary"]["state"], "aborted");
    assert_eq!(summary["summary"]["code"], "authentication_failed");
}

#[test]
fn a_key_that_is_revoked_ends_a_stream_that_never_pauses() {
    let mut fixture = accounts();
    let made = fixture.client.post("/api/api-keys", &json!({"name": "sync"})).expect(201);
    let mut credentials = fixture.server.credentials().clone();
    text(&made, "secret").clone_into(&mut credentials.api_key);
    let client = Client::new(fixture.server.address(), &credentials);
    let mut talk = Conversation::begin_with(client, "results=errors");
    // Whoever hears of a row has been let in.
    talk.say("5");
    assert_eq!(talk.hear()["action"], "failed");
    let mut sending = talk.reader.get_ref().try_clone().expect("a socket has two ends");
    let sender = std::thread::spawn(move || {
        let lines: String = (0..1_000).map(|_| row("Acme", "a") + "\n").collect();
        let chunk = format!("{:x}\r\n{lines}\r\n", lines.len());
        // Until nobody takes it: the summary comes before that.
        while sending.write_all(chunk.as_bytes()).is_ok() {}
    });
    fixture.client.delete(&format!("/api/api-keys/{}", text(&made, "id"))).expect_empty(204);
    let summary = talk.hear();
    assert_eq!(summary["summary"]["code"], "authentication_failed");
    talk.reader.get_ref().shutdown(std::net::Shutdown::Both).expect("the socket is open");
    sender.join().expect("the sender does not panic");
}

#[test]
fn where_no_writes_are_taken_each_row_of_a_stream_is_told_so() {
    let mut fixture = Fixture::with_flag("--read-only", "true");
    let target = "/api/records/client_client/bulk-upsert";
    let rows = json!([{"lookup_value": "a@example.com"}, {"lookup_value": "b@example.com"}]);
    fixture.client.post(target, &rows).expect_error(503, "read_only");
    let body = "{\"lookup_value\":\"a@example.com\"}\n{\"lookup_value\":\"b@example.com\"}";
    let request = Request::new("POST", target).header("Content-Type", "application/x-ndjson");
    let answer = fixture.send(&request.body(body.as_bytes()));
    let (results, summary) = lines(&answer.body);
    assert_eq!(actions(&results), ["failed", "failed"]);
    assert_eq!((&results[1]["status"], &results[1]["code"]), (&json!(503), &json!("read_only")));
    assert_eq!(summary["state"], "completed_with_errors");
}

#[test]
fn a_key_that_sends_too_many_rows_is_slowed_and_not_refused() {
    let mut fixture = Fixture::with_flag("--rate-limit", "5/1s");
    let rows: Vec<String> = (0..13)
        .map(|at| json!({"lookup_value": format!("a{at}@example.com")}).to_string())
        .collect();
    let request = Request::new("POST", "/api/records/client_client/bulk-upsert")
        .header("Content-Type", "application/x-ndjson")
        .body(rows.join("\n").as_bytes());
    let answer = crate::support::until("a window for the request", || {
        let answer = fixture.send(&request);
        (answer.status != 429).then_some(answer)
    });
    let (results, summary) = lines(&answer.body);
    assert_eq!(actions(&results), ["created"; 13]);
    assert_eq!((&summary["state"], &summary["count"]), (&json!("completed"), &json!(13)));
}

#[test]
fn a_stream_that_waits_for_its_quota_has_told_its_results_and_ends_with_its_key() {
    let mut fixture = Fixture::with_flag("--rate-limit", "8/1h");
    fixture.object("accounts");
    fixture.text_field("accounts", "note");
    let body = json!({"name": "sync"});
    let made = fixture.client.post("/api/api-keys", &body).expect(201);
    let mut credentials = fixture.server.credentials().clone();
    text(&made, "secret").clone_into(&mut credentials.api_key);
    let client = Client::new(fixture.server.address(), &credentials);
    let mut talk = Conversation::begin(client);
    for at in 0..12 {
        talk.say(&row(&format!("Account {at}"), "a"));
    }
    for at in 0..8 {
        assert_eq!(talk.hear()["index"], at);
    }
    // Of others of this key each is refused meanwhile; the stream goes on until its key is gone.
    let mut same = Client::new(fixture.server.address(), &credentials);
    same.get("/api/business/mine").expect_error(429, "throttled");
    fixture.client.delete(&format!("/api/api-keys/{}", text(&made, "id"))).expect_empty(204);
    let end = talk.hear();
    assert_eq!(end["summary"]["code"], "authentication_failed", "{end}");
    assert_eq!(end["summary"]["count"], 8, "{end}");
}
