//! Starting and stopping: one process a directory, and an end that loses nothing.

use crate::support::{Fixture, Launch, PATIENCE, Request, Server, field_value, until};
use rustix::process::Signal;
use serde_json::{Value, json};
use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;

fn with_a_record() -> Fixture {
    let mut fixture = Fixture::new();
    fixture.object("accounts");
    fixture.text_field("accounts", "note");
    fixture.create("accounts", "Acme", &json!({"note": "kept"}));
    fixture
}

#[track_caller]
fn check_record(server: Server) {
    let read = Fixture::of(server).lookup("accounts", "Acme").expect(200);
    assert_eq!(field_value(&read, "note"), Some(&json!("kept")));
}

#[test]
fn a_second_process_on_the_directory_ends_at_once() {
    let mut fixture = with_a_record();
    let second = Launch::on(fixture.server.directory());
    let exit = second.clone().refused().expect_code(4);
    assert_eq!(exit.stdout, "");
    let path = fixture.server.directory().path().display().to_string();
    exit.expect_stderr(&path);
    fixture.lookup("accounts", "Acme").expect(200);
    fixture.server.kill();
    check_record(second.start());
}

#[test]
fn a_clean_stop_exits_with_zero_and_keeps_everything() {
    for signal in [Signal::TERM, Signal::INT] {
        let fixture = with_a_record();
        fixture.server.signal(signal);
        let (exit, launch) = fixture.server.ended();
        let exit = exit.expect_code(0);
        assert_eq!(exit.stdout, "", "one line on standard output, and no more");
        check_record(launch.start());
    }
}

#[test]
fn a_request_under_way_is_answered_before_the_stop() {
    let fixture = with_a_record();
    let mut stream = TcpStream::connect(fixture.server.address()).expect("it listens");
    stream.set_read_timeout(Some(PATIENCE)).expect("a deadline can be set");
    let (head, body) = upsert_in_two_pieces(&fixture);
    stream.write_all(head.as_bytes()).expect("the server reads");
    // The head is in the server's hands once it asks for the body.
    let mut interim = [0; 25];
    stream.read_exact(&mut interim).expect("the server asks for the body");
    assert_eq!(&interim, b"HTTP/1.1 100 Continue\r\n\r\n");
    fixture.server.signal(Signal::TERM);
    stream.write_all(body.as_bytes()).expect("the server still reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("the server answers, then closes");
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    let (exit, launch) = fixture.server.ended();
    exit.expect_code(0);
    Fixture::of(launch.start()).lookup("accounts", "Globex").expect(200);
}

fn upsert_in_two_pieces(fixture: &Fixture) -> (String, String) {
    let credentials = fixture.server.credentials();
    let body = json!({"lookup_value": "Globex"}).to_string();
    let head = [
        "POST /api/records/accounts/upsert HTTP/1.1".to_owned(),
        "Host: localhost".to_owned(),
        format!("X-API-KEY: {}", credentials.api_key),
        format!("X-BUSINESS-ID: {}", credentials.business_id),
        format!("X-USER-ID: {}", credentials.user_id),
        "Connection: close".to_owned(),
        "Expect: 100-continue".to_owned(),
        format!("Content-Length: {}", body.len()),
    ];
    (format!("{}\r\n\r\n", head.join("\r\n")), body)
}

#[test]
fn a_second_signal_ends_at_once_and_loses_nothing() {
    let fixture = with_a_record();
    let mut stream = TcpStream::connect(fixture.server.address()).expect("it listens");
    stream.set_read_timeout(Some(PATIENCE)).expect("a deadline can be set");
    // A request whose body never comes keeps the first signal's stop waiting.
    let (head, _) = upsert_in_two_pieces(&fixture);
    stream.write_all(head.as_bytes()).expect("the server reads");
    let mut interim = [0; 25];
    stream.read_exact(&mut interim).expect("the server asks for the body");
    fixture.server.signal(Signal::TERM);
    let address = fixture.server.address();
    until("the listener to close", || TcpStream::connect(address).is_err().then_some(()));
    fixture.server.signal(Signal::TERM);
    let (_, launch) = fixture.server.ended();
    check_record(launch.start());
}

#[test]
fn a_stop_does_not_wait_longer_than_it_was_told() {
    let server = Launch::new().flag("--shutdown-wait", "1s").start();
    let mut fixture = Fixture::of(server);
    fixture.object("accounts");
    let mut stream = TcpStream::connect(fixture.server.address()).expect("it listens");
    stream.set_read_timeout(Some(PATIENCE)).expect("a deadline can be set");
    let (head, _) = upsert_in_two_pieces(&fixture);
    stream.write_all(head.as_bytes()).expect("the server reads");
    let mut interim = [0; 25];
    stream.read_exact(&mut interim).expect("the server asks for the body");
    let (exit, launch) = fixture.server.stop();
    exit.expect_code(0);
    launch.start();
}

#[test]
fn a_new_directory_is_closed_to_others_and_tells_its_secret_to_no_log() {
    let mut fixture = with_a_record();
    let path = fixture.server.directory().path().to_owned();
    let mode = |path: &std::path::Path| {
        fs::metadata(path).expect("it is there").permissions().mode() & 0o777
    };
    assert_eq!(mode(&path), 0o700);
    for file in fixture.server.directory().files(|_| true) {
        assert_eq!(mode(&file), 0o600, "{}", file.display());
    }
    let bootstrap = path.join("bootstrap.json");
    let before = fs::read(&bootstrap).expect("the first start writes it");
    let json: Value = serde_json::from_slice(&before).expect("it is JSON");
    let keys: Vec<&String> = json.as_object().expect("an object").keys().collect();
    assert_eq!(keys, ["api_key", "business_id", "user_id"]);
    let secret = fixture.server.credentials().api_key;
    let stderr = fixture.server.stderr();
    assert!(stderr.contains("bootstrap.json") && !stderr.contains(&secret), "{stderr}");
    let request =
        Request::new("GET", "/api/custom-objects").header("X-API-KEY", "wrong-but-long-enough");
    fixture.send(&request).expect_error(401, "authentication_failed");
    let again = fixture.after_a_crash();
    assert_eq!(fs::read(&bootstrap).expect("it stays"), before, "it is written once");
    assert!(!again.server.stderr().contains(&secret));
}
