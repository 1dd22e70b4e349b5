//! Snapshots: asked for, restored into a new directory, damaged.

use crate::support::{
    DataDirectory, Exit, Fixture, Launch, OPERATOR_KEY, Request, Server, assert_includes, binary,
    field_value, python, text, until,
};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Accounts of every state that a snapshot must keep, contacts, and the name of one archived.
fn filled() -> Fixture {
    let mut fixture = Fixture::new();
    fixture.object("accounts");
    fixture.text_field("accounts", "note");
    let tags = json!({"field_type": "dynamictags", "display_name": "Labels", "name": "labels"});
    fixture.field("accounts", &tags);
    for number in 0..50 {
        let fields =
            json!({"note": format!("note {number}"), "labels": ["all", format!("l{number}")]});
        fixture.create("accounts", &format!("account {number}"), &fields);
    }
    for number in 0..10 {
        let body =
            json!({"lookup_value": format!("account {number}"), "fields": {"note": "again"}});
        fixture.upsert("accounts", &body).expect(200);
    }
    fixture.create_archived("accounts", "archived", &json!({"note": "asleep"}));
    fixture.create("client_client", "ada@example.com", &json!({"first_name": "Ada"}));
    fixture
}

/// All that a client can read, archived records included.
fn everything(fixture: &mut Fixture) -> Vec<Value> {
    [
        "/api/records/accounts?archived=include&page_size=1000",
        "/api/records/client_client?archived=include&page_size=1000",
        "/api/custom-objects/accounts",
        "/api/custom-objects/client_client",
        "/api/custom-objects?custom_only=false",
    ]
    .iter()
    .map(|target| {
        let mut body = fixture.client.get(target).expect(200);
        // The port is another one after a restart.
        for link in ["next", "previous"] {
            if let Some(link) = body.get_mut(link) {
                assert_eq!(*link, Value::Null, "all fit one page");
            }
        }
        body
    })
    .collect()
}

fn is_snapshot(name: &str) -> bool {
    name.starts_with("snapshot-") && name.ends_with(".upsertd")
}

/// Asks for a snapshot and waits for a file that was not there before.
fn snapshot(fixture: &mut Fixture) -> PathBuf {
    let before = fixture.server.directory().files(is_snapshot);
    let request =
        Request::new("POST", "/api/admin/snapshot").header("X-OPERATOR-KEY", OPERATOR_KEY);
    let answer = fixture.send(&request);
    assert_eq!(answer.status, 202, "{answer}");
    let directory = fixture.server.directory().clone();
    until("the snapshot's file", || {
        directory.files(is_snapshot).into_iter().find(|path| !before.contains(path))
    })
}

fn restore(file: &Path, into: &DataDirectory) -> Exit {
    let mut command = binary();
    command.arg("restore").arg(file).arg("--data-dir").arg(into.path());
    let output = command.output().expect("the built binary can be started");
    Exit {
        code: output.status.code(),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

#[test]
fn a_start_from_a_snapshot_and_the_log_after_it_serves_the_same() {
    let mut fixture = filled();
    snapshot(&mut fixture);
    let later = json!({"lookup_value": "account 3", "fields": {"note": "after the snapshot"}});
    fixture.upsert("accounts", &later).expect(200);
    fixture.create("accounts", "newer", &json!({"labels": ["new"]}));
    let before = everything(&mut fixture);
    let mut fixture = fixture.after_a_crash();
    assert_eq!(everything(&mut fixture), before);
    // The state that was read is one that can be written on.
    let body = json!({"lookup_value": "ACCOUNT 3", "fields": {"note": "and on"}});
    let updated = fixture.upsert("accounts", &body).expect(200);
    assert_includes(&updated, &json!({"action": "updated", "version": 4}));
    let refused = json!({"lookup_value": "archived"});
    fixture.upsert("accounts", &refused).expect_error(409, "conflict");
}

#[test]
fn a_snapshot_alone_restores_into_a_new_directory() {
    let mut fixture = filled();
    let before = everything(&mut fixture);
    let file = snapshot(&mut fixture);
    fixture.create("accounts", "too late", &json!({}));
    let credentials = fixture.server.credentials();

    let new = DataDirectory::new();
    let exit = restore(&file, &new).expect_code(0);
    assert!(exit.stderr.contains("position") || exit.stdout.contains("position"), "{exit:?}");
    let restored = Launch::on(&new).credentials(&credentials).start();
    let mut restored = Fixture::of(restored);
    assert_eq!(everything(&mut restored), before);
    restored.lookup("accounts", "too late").expect_error(404, "not_found");
    let created = restored.create("accounts", "first of a new life", &json!({}));
    let mut again = restored.after_a_crash();
    assert_eq!(again.lookup("accounts", "first of a new life").expect(200)["id"], created["id"]);
    fixture.lookup("accounts", "too late").expect(200);
}

/// They point into a future that did not happen.
#[test]
fn a_restored_history_rejects_old_cursors() {
    let mut fixture = filled();
    let file = snapshot(&mut fixture);
    let feeds = ["/api/records/accounts/changes", "/api/records/changes"];
    let mut cursors = Vec::new();
    for feed in feeds {
        let page = fixture.client.get(&format!("{feed}?limit=1")).expect(200);
        let end = fixture.client.get(&format!("{feed}?after=now")).expect(200);
        cursors
            .extend([page, end].map(|page| format!("{feed}?after={}", text(&page, "next_cursor"))));
    }
    let credentials = fixture.server.credentials();
    let new = DataDirectory::new();
    restore(&file, &new).expect_code(0);
    let mut restored = Fixture::of(Launch::on(&new).credentials(&credentials).start());
    for cursor in &cursors {
        fixture.client.get(cursor).expect(200);
        restored.client.get(cursor).expect_error(410, "cursor_expired");
    }
    // What is restored has cursors of its own, though none of its entries is there.
    for feed in feeds {
        let page = restored.client.get(&format!("{feed}?after=now")).expect(200);
        restored.create("accounts", feed, &json!({}));
        let target = format!("{feed}?after={}", text(&page, "next_cursor"));
        let next = restored.client.get(&target).expect(200);
        assert_includes(&next["results"], &json!([{"action": "created", "keys": {"name": feed}}]));
    }
}

#[test]
fn a_restore_never_writes_into_a_directory_that_holds_data() {
    let mut fixture = filled();
    let file = snapshot(&mut fixture);
    let full = fixture.server.directory().clone();
    let exit = restore(&file, &full);
    assert!(exit.code.is_some_and(|code| code != 0), "{exit:?}");
    let (stopped, launch) = fixture.server.stop();
    stopped.expect_code(0);
    let exit = restore(&file, &full);
    assert!(exit.code.is_some_and(|code| code != 0), "{exit:?}");
    Fixture::of(launch.start()).lookup("accounts", "account 7").expect(200);
}

#[test]
fn a_damaged_snapshot_is_not_restored() {
    let mut fixture = filled();
    let file = snapshot(&mut fixture);
    let whole = fs::read(&file).expect("a file can be read");
    for (damage, bytes) in [
        ("cut by one byte", whole[..whole.len() - 1].to_vec()),
        ("cut in half", whole[..whole.len() / 2].to_vec()),
        ("empty", Vec::new()),
        ("flipped in its middle", flipped(&whole, whole.len() / 2)),
        ("flipped at its end", flipped(&whole, whole.len() - 1)),
        ("flipped at its start", flipped(&whole, 0)),
    ] {
        println!("a snapshot {damage}");
        let folder = DataDirectory::new();
        let copy = folder.path().join(file.file_name().expect("a file has a name"));
        fs::write(&copy, bytes).expect("a file can be written");
        let new = DataDirectory::new();
        restore(&copy, &new).expect_code(5).expect_stderr(&copy.display().to_string());
        // Nothing that lies may be left: a start on it is a new one, or is refused.
        if let Ok(server) = Server::try_start(Launch::on(&new)) {
            let unknown = Fixture::of(server).lookup("accounts", "account 7");
            assert_eq!(unknown.status, 404, "{unknown}");
        }
    }
}

fn flipped(bytes: &[u8], at: usize) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    bytes[at] ^= 1;
    bytes
}

#[test]
fn a_damaged_snapshot_beside_a_whole_log_is_reported_and_costs_nothing() {
    let mut fixture = filled();
    let file = snapshot(&mut fixture);
    let before = everything(&mut fixture);
    let (exit, launch) = fixture.server.stop();
    exit.expect_code(0);
    let whole = fs::read(&file).expect("a file can be read");
    fs::write(&file, &whole[..whole.len() / 2]).expect("a file can be written");
    let mut fixture = Fixture::of(launch.start());
    assert_eq!(everything(&mut fixture), before);
    let name = file.file_name().expect("a file has a name").to_string_lossy().into_owned();
    let server = &fixture.server;
    until("the report", || server.stderr().contains(&name).then_some(()));
}

#[test]
fn snapshots_without_a_log_are_refused_with_the_way_out() {
    let mut fixture = filled();
    snapshot(&mut fixture);
    let (exit, launch) = fixture.server.stop();
    exit.expect_code(0);
    for path in launch.directory().files(|name| !is_snapshot(name)) {
        if path.file_name().is_some_and(|name| name != "bootstrap.json") {
            fs::remove_file(&path).expect("a file can be removed");
        }
    }
    launch.refused().expect_code(5).expect_stderr("upsertd restore");
}

#[test]
fn a_snapshot_leaves_reads_and_writes_as_they_were() {
    let mut fixture = filled();
    for round in 0..3 {
        let body =
            json!({"lookup_value": "account 1", "fields": {"note": format!("round {round}")}});
        fixture.upsert("accounts", &body).expect(200);
        snapshot(&mut fixture);
        let read = fixture.lookup("accounts", "account 1").expect(200);
        assert_eq!(field_value(&read, "note"), Some(&json!(format!("round {round}"))));
    }
    let kept = fixture.server.directory().clone();
    until("the oldest snapshot to go", || (kept.files(is_snapshot).len() == 2).then_some(()));
}

#[test]
fn a_messagepack_library_of_another_language_reads_a_snapshot() {
    let Some(python) = python("import msgpack, zstandard") else {
        println!(
            "not run: no UPSERTD_TEST_PYTHON is named, and python3 lacks msgpack or zstandard"
        );
        return;
    };
    let mut fixture = filled();
    let file = snapshot(&mut fixture);
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/durability/read_snapshot.py");
    let output = Command::new(&python).arg(script).arg(&file).output().expect("python starts");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stderr}");
    let read: Value = serde_json::from_slice(&output.stdout).expect("the script prints JSON");
    // Fifty-one accounts, one of them archived, and one contact.
    assert_eq!(read["records"], 52);
    let texts = read["texts"].as_array().expect("a list of texts");
    let texts: BTreeSet<&str> = texts.iter().filter_map(Value::as_str).collect();
    for text in
        ["account 0", "account 49", "again", "note 49", "archived", "asleep", "ada@example.com"]
    {
        assert!(texts.contains(text), "{text} was not read out of {}", file.display());
    }
    assert!(!texts.contains("note 0"), "a value that was overwritten is in no snapshot");
}
