//! Which server a command asks and as whom, and what it ends with when that goes wrong.

use crate::support::{Credentials, Exit, Fixture, Server, Tool};
use serde_json::Value;
use std::fs;
use std::net::TcpListener;

/// An address where nobody listens.
fn nowhere() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("some port is free");
    format!("http://{}", listener.local_addr().expect("a listener has an address"))
}

fn url(server: &Server) -> String {
    format!("http://{}", server.address())
}

#[test]
fn the_data_directory_of_the_machine_is_found_by_itself() {
    let server = Server::new();
    let folder = server.directory().path();
    let file = folder.join("bootstrap.json").display().to_string();
    let tail = ["tail", "client_client"];
    let at = |tool: Tool| tool.at(&url(&server)).run();
    at(Tool::new(&tail).variable("UPSERTD_DATA_DIR", &folder.display().to_string())).expect_code(0);
    at(Tool::new(&[&tail[..], &["--bootstrap", &file]].concat())).expect_code(0);
    // The default is where `upsertd` alone keeps its data.
    let elsewhere = folder.join("elsewhere");
    fs::create_dir_all(elsewhere.join("snapshots")).expect("a folder can be made");
    fs::copy(&file, elsewhere.join("snapshots/bootstrap.json")).expect("a file can be copied");
    at(Tool::new(&tail).in_folder(&elsewhere)).expect_code(0);
    let exit = at(Tool::new(&tail)).expect_code(3);
    exit.expect_stderr("nobody is named who asks").expect_stderr("UPSERTD_API_KEY");
}

#[test]
fn a_caller_in_pieces_is_refused() {
    let server = Server::new();
    let credentials = server.credentials();
    let tool = Tool::new(&["tail", "--user-id", &credentials.user_id]).at(&url(&server));
    let exit = tool.run().expect_code(3).expect_stderr("without api-key and business-id");
    exit.expect_stderr("caller_invalid");
}

#[test]
fn a_server_that_is_not_there_is_said_at_once() {
    let server = Server::new();
    let url = nowhere();
    let tool = Tool::new(&["tail", "client_client"]).at(&url).caller(&server.credentials());
    let exit = tool.run().expect_code(6).expect_stderr("server_unreachable");
    exit.expect_stderr(&url).expect_stderr("upsertd serve");
}

/// Runs as this caller and expects to be refused.
#[track_caller]
fn refused(server: &Server, credentials: &Credentials, words: &[&str]) -> Exit {
    let exit = Tool::new(words).at(&url(server)).caller(credentials).run().expect_code(7);
    assert!(!exit.stderr.contains(&credentials.api_key), "the key is shown:\n{}", exit.stderr);
    assert_eq!(exit.stdout, "", "only data goes to standard output");
    exit
}

#[test]
fn a_refusal_says_what_why_and_the_way_out() {
    let mut fixture = Fixture::new();
    fixture.object("accounts");
    let credentials = fixture.server.credentials();
    let wrong = Credentials { api_key: "k".repeat(40), ..credentials.clone() };
    let exit = refused(&fixture.server, &wrong, &["tail", "accounts"]);
    exit.expect_stderr("401 authentication_failed").expect_stderr("flags and variables");
    let exit = refused(&fixture.server, &credentials, &["tail", "nothing"]);
    exit.expect_stderr("404 not_found");
    Tool::of(&fixture.server, &["tail", "a/../b"]).run().expect_code(2).expect_stderr("\"a/../b\"");
}

#[test]
fn a_failure_for_programs_is_one_line_of_json() {
    let server = Server::new();
    let credentials = Credentials { api_key: "k".repeat(40), ..server.credentials() };
    let exit = refused(&server, &credentials, &["tail", "--output", "json"]);
    let said: Value = serde_json::from_str(&exit.stderr).expect("standard error is one JSON text");
    let error = &said["error"];
    assert_eq!((&error["code"], &error["exit"]), (&"server_refused".into(), &7.into()), "{said}");
    for (key, part) in [("why", "401 authentication_failed"), ("way_out", "revoked")] {
        let text = error[key].as_str().expect("a failure has all its parts");
        assert!(text.contains(part), "{part} is not in {text}");
    }
}

#[test]
fn help_is_short_or_long() {
    let short = Tool::new(&["tail", "-h"]).run().expect_code(0);
    let lines = short.stdout.lines().count();
    assert!(lines <= 40, "-h has {lines} lines");
    assert!(!short.stdout.contains("Examples:"), "{}", short.stdout);
    let long = Tool::new(&["tail", "--help"]).run().expect_code(0);
    assert!(long.stdout.contains("Examples:"), "{}", long.stdout);
}
