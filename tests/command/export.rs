//! `upsertd export`: a whole copy or a failure, and the place in the feed where it goes on.

use crate::support::{Fixture, Tool};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::thread;
use tempfile::TempDir;

fn accounts(records: usize) -> Fixture {
    let mut fixture = Fixture::new();
    fixture.object("accounts");
    fixture.text_field("accounts", "note");
    let rows: Vec<Value> = (0..records)
        .map(|at| json!({"lookup_value": format!("Account {at}"), "fields": {"note": "=1+1"}}))
        .collect();
    fixture.client.post("/api/records/accounts/bulk-upsert", &json!(rows)).expect(200);
    fixture
}

#[test]
fn every_record_is_a_line_and_the_feed_goes_on_behind_them() {
    let mut fixture = accounts(2_500);
    let words = ["export", "accounts", "--output", "json"];
    let exit = Tool::of(&fixture.server, &words).run().expect_code(0);
    let names: BTreeSet<String> = exit
        .stdout
        .lines()
        .map(|line| {
            serde_json::from_str::<Value>(line).expect("a line is JSON")["name"].to_string()
        })
        .collect();
    assert_eq!((names.len(), exit.stdout.lines().count()), (2_500, 2_500));
    let told: Value = serde_json::from_str(&exit.stderr).expect("one line is told");
    assert_eq!(told["object"], "accounts");
    let cursor = told["cursor"].as_str().expect("a cursor is told").to_owned();
    fixture.create("accounts", "New", &json!({}));
    let words = ["tail", "accounts", "--after", &cursor];
    let behind = Tool::of(&fixture.server, &words).run().expect_code(0).stdout;
    assert_eq!(behind.lines().count(), 1, "{behind}");
    assert!(behind.contains("\"New\""), "{behind}");
}

#[test]
fn csv_goes_to_a_file_with_the_columns_that_were_asked_for() {
    let fixture = accounts(2);
    let folder = TempDir::new().expect("a folder can be made");
    let file = folder.path().join("accounts.csv");
    let path = file.display().to_string();
    let words = ["export", "accounts", "--format", "csv", "--fields", "note,name", "--excel"];
    let words = [&words[..], &["-o", &path]].concat();
    let exit = Tool::of(&fixture.server, &words).run().expect_code(0);
    assert_eq!(exit.stdout, "");
    exit.expect_stderr("upsertd tail accounts --after ");
    let csv = fs::read_to_string(&file).expect("the file is there");
    let lines: Vec<&str> = csv.lines().collect();
    assert_eq!((lines.len(), lines[0]), (3, "id,note,name"), "{csv}");
    assert!(lines[1..].iter().any(|line| line.ends_with(",\"'=1+1\",Account 1")), "{csv}");
}

/// Answers one request with the beginning of a long body, and is gone.
fn breaks_off() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("some port is free");
    let url = format!("http://{}", listener.local_addr().expect("a listener has an address"));
    thread::spawn(move || {
        let (stream, _) = listener.accept().expect("the command comes");
        let mut reader = BufReader::new(stream);
        let mut line = String::new();
        while line != "\r\n" {
            line.clear();
            reader.read_line(&mut line).expect("a request has a head");
        }
        let answer = "HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\n\
                      X-Cursor: c\r\nTransfer-Encoding: chunked\r\n\r\n\
                      3\r\n{}\n\r\n";
        reader.get_mut().write_all(answer.as_bytes()).expect("the command listens");
    });
    url
}

#[test]
fn a_part_is_never_taken_for_the_whole() {
    let fixture = Fixture::new();
    let folder = TempDir::new().expect("a folder can be made");
    let path = folder.path().join("accounts.ndjson").display().to_string();
    let to_file = ["export", "accounts", "-o", &path];
    for (words, written) in [(&to_file[..2], "{}"), (&to_file[..], "")] {
        let exit = Tool::of(&fixture.server, words).at(&breaks_off()).run().expect_code(6);
        assert_eq!(exit.stdout, written);
        exit.expect_stderr("export_broken_off").expect_stderr("is not all of it");
    }
    let left = fs::read_dir(folder.path()).expect("the folder can be listed").count();
    assert_eq!(left, 0, "nothing has the name of a whole file, nor any other");
}

#[test]
fn archived_records_and_queries_are_passed_on() {
    let mut fixture = accounts(3);
    fixture.create_archived("accounts", "Gone", &json!({}));
    let export = |words: &[&str]| {
        let words = [&["export", "accounts"], words].concat();
        Tool::of(&fixture.server, &words).run().expect_code(0).stdout
    };
    let only = export(&["--archived", "only"]);
    assert!(only.lines().count() == 1 && only.contains("\"Gone\""), "{only}");
    let query = r#"[{"filters":[{"field":"name","condition":"ends_with","value":"2"}]}]"#;
    let found = export(&["--query", query]);
    assert!(found.lines().count() == 1 && found.contains("\"Account 2\""), "{found}");
    let words = ["export", "accounts", "--query", "name=2"];
    Tool::of(&fixture.server, &words).run().expect_code(2).expect_stderr("query_invalid");
    let exit = Tool::of(&fixture.server, &["export", "nothing"]).run().expect_code(7);
    exit.expect_stderr("404 not_found");
}
