//! Settings that change what a client sees, and spellings of settings that must not pass.

use crate::support::{Fixture, Launch};
use serde_json::json;

/// A setting, and the statuses of: upsert that creates, add, upsert onto an archived record.
const STATUSES: &[(&str, &str, [u16; 3])] = &[
    ("--upsert-created-status", "200", [200, 201, 409]),
    ("--upsert-created-status", "201", [201, 201, 409]),
    ("--add-status", "200", [200, 200, 409]),
    ("--archived-conflict-status", "400", [200, 201, 400]),
];

#[test]
fn statuses_follow_their_settings() {
    for (name, value, [created, added, conflict]) in STATUSES {
        println!("{name} {value}");
        let mut fixture = Fixture::with_flag(name, value);
        fixture.object("accounts");
        let body = json!({"lookup_value": "Acme"});
        assert_eq!(fixture.upsert("accounts", &body).expect(*created)["action"], "created");
        let again = fixture.upsert("accounts", &body).expect(200);
        assert_eq!(again["action"], "updated", "an update is 200 whatever the settings");
        let add = json!({"fields": {"name": "Globex"}});
        fixture.client.post("/api/records/accounts/add", &add).expect(*added);
        fixture.archive("accounts", crate::support::text(&again, "id"));
        fixture.upsert("accounts", &body).expect_error(*conflict, "conflict");
        let unarchive = json!({"lookup_value": "Acme", "oncreate_unarchive": "unarchive"});
        assert_eq!(fixture.upsert("accounts", &unarchive).expect(*created)["action"], "unarchived");
    }
}

#[test]
fn pages_are_below_the_public_url() {
    let mut fixture = Fixture::with_flag("--public-url", "https://records.example.com");
    fixture.object("accounts");
    for name in ["a", "b"] {
        fixture.create("accounts", name, &json!({}));
    }
    let page = fixture.client.get("/api/records/accounts?page_size=1").expect(200);
    let next = crate::support::text(&page, "next");
    assert!(next.starts_with("https://records.example.com/api/records/accounts?"), "{next}");
}

#[test]
fn settings_that_are_wrong_stop_the_start_by_name() {
    for (launch, code, named) in [
        (Launch::new().flag("--no-such-flag", "1"), 2, "--no-such-flag"),
        (Launch::new().flag("--record-max", "3MiB"), 3, "record-max"),
        (Launch::new().flag("--commit-bytes-max", "9MiB"), 3, "commit-bytes-max"),
        (Launch::new().flag("--add-status", "204"), 3, "add-status"),
        (Launch::new().flag("--shutdown-wait", "soon"), 3, "shutdown-wait"),
        (Launch::new().environment("UPSERTD_SHUTDOWN_WAIT", "soon"), 3, "UPSERTD_SHUTDOWN_WAIT"),
        (Launch::new().flag("--cors-origins", "https://a.example"), 3, "cors-origins"),
        (Launch::new().flag("--rate-limit", "600"), 3, "such as 600/60s"),
    ] {
        let exit = launch.refused().expect_code(code).expect_stderr(named);
        assert_eq!(exit.stdout, "", "nothing but the address goes to standard output");
    }
}

#[test]
fn an_unknown_variable_is_a_warning() {
    let server = Launch::new().environment("UPSERTD_NO_SUCH_SETTING", "1").start();
    crate::support::until("the warning", || {
        server.stderr().contains("UPSERTD_NO_SUCH_SETTING").then_some(())
    });
}

#[test]
fn a_setting_is_taken_from_file_then_environment_then_flag() {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder for the file");
    let path = folder.path().join("upsertd.toml");
    std::fs::write(&path, "add-status = 200\nupsert_created_status = 201\n")
        .expect("it is written");
    let path = path.to_str().expect("the path is UTF-8");
    for (environment, flag, status) in
        [(None, None, 200), (Some("201"), None, 201), (Some("200"), Some("201"), 201)]
    {
        let mut launch = Launch::new().flag("--config", path);
        if let Some(value) = environment {
            launch = launch.environment("UPSERTD_ADD_STATUS", value);
        }
        if let Some(value) = flag {
            launch = launch.flag("--add-status", value);
        }
        let mut fixture = Fixture::of(launch.start());
        fixture.object("accounts");
        let add = json!({"fields": {"name": "Globex"}});
        fixture.client.post("/api/records/accounts/add", &add).expect(status);
        fixture.upsert("accounts", &json!({"lookup_value": "Acme"})).expect(201);
    }
    std::fs::write(path, "listen = \"127.0.0.1:0\"\nno_such_key = 1\n").expect("it is written");
    let exit = Launch::new().flag("--config", path).refused().expect_code(3);
    exit.expect_stderr("no_such_key");
}
