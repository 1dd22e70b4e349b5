//! Settings from all three sources, good and bad. It must not touch the environment of the test.

use super::*;
use crate::config::setting::{Offer, SETTINGS};
use std::ffi::OsString;
use std::fs;
use tempfile::TempDir;

/// What one start is given.
#[derive(Default)]
struct Start<'a> {
    file: Option<&'a str>,
    variables: &'a [(&'a str, &'a str)],
    flags: &'a [(&'static str, &'a str)],
}

impl Start<'_> {
    fn sources(&self) -> Sources {
        let folder = TempDir::new().unwrap();
        let path = self.file.map(|text| {
            let path = folder.path().join("upsertd.toml");
            fs::write(&path, text).unwrap();
            path
        });
        let flags = self.flags.iter().map(|(name, text)| (*name, (*text).to_owned())).collect();
        let variables = self.variables.iter();
        let variables = variables.map(|(name, text)| (OsString::from(name), OsString::from(text)));
        Sources::read(path, flags, variables)
    }

    fn settings(&self) -> Checked {
        Settings::check(self.sources()).unwrap()
    }

    /// The faults as text, in order.
    fn faults(&self) -> Vec<String> {
        let error = Settings::check(self.sources()).unwrap_err();
        error.faults.iter().map(ToString::to_string).collect()
    }
}

#[test]
fn without_anything_the_defaults_of_the_contract_hold() {
    let settings = Start::default().settings().settings;
    assert_eq!(settings.data_dir, PathBuf::from("snapshots"));
    assert_eq!(settings.listen.to_string(), "127.0.0.1:7171");
    assert!(settings.operator_key.is_none());
    assert_eq!(settings.snapshot_every, Some(Duration::from_mins(15)));
    assert_eq!(settings.snapshot_log_bytes, Some(256 << 20));
    assert_eq!(settings.shutdown_wait, Duration::from_secs(10));
    assert_eq!((settings.json_body_max, settings.body_bytes_max), (16 << 20, 512 << 20));
    assert_eq!((settings.record_max, settings.commit_bytes_max), (1 << 20, 8 << 20));
    assert_eq!((settings.connections_max, settings.connections_per_peer_max), (4096, Some(1024)));
    assert_eq!((settings.queue_max, settings.segment_bytes), (65536, 64 << 20));
    assert_eq!((settings.upsert_created_status.as_u16(), settings.add_status.as_u16()), (200, 201));
    assert_eq!(settings.archived_conflict_status.as_u16(), 409);
    assert!(settings.http_workers >= 1 && settings.rate_limit.is_none());
    assert_eq!(settings.idempotency_ttl, Duration::from_hours(24));
    assert_eq!(settings.stream_ttl, Duration::from_hours(7 * 24));
    assert_eq!(settings.idempotency_bytes_max, 256 << 20);
    assert_eq!(settings.log_format, LogFormat::Auto);
}

#[test]
fn a_rate_is_a_number_of_requests_and_a_time() {
    let check = |text: &str, quota: u32, window: Duration| {
        let flags = &[("rate-limit", text)];
        let settings = Start { flags, ..Start::default() }.settings().settings;
        assert_eq!(settings.rate_limit, Some(RatePolicy { quota, window }), "{text}");
    };
    check("600/60s", 600, Duration::from_mins(1));
    check("4294967295/1h", u32::MAX, Duration::from_hours(1));
    for wrong in ["", "600", "600/", "/60s", "0/60s", "600/0s", "600/60", "4294967296/1s", "off"] {
        let flags = &[("rate-limit", wrong)];
        let expected = "--rate-limit: expected a number of requests and a time, such as 600/60s";
        assert_eq!(Start { flags, ..Start::default() }.faults(), [expected], "{wrong:?}");
    }
}

#[test]
fn flags_win_over_variables_and_variables_over_the_file() {
    let file = Some("listen = \"127.0.0.1:1\"\ndata_dir = \"file\"\nqueue-max = 7\n");
    let variables = &[("UPSERTD_LISTEN", "127.0.0.1:2"), ("UPSERTD_DATA_DIR", "variable")];
    let flags = &[("listen", "127.0.0.1:3")];
    let settings = Start { file, variables, flags }.settings().settings;
    assert_eq!(settings.listen.port(), 3);
    assert_eq!(settings.data_dir, PathBuf::from("variable"));
    assert_eq!(settings.queue_max, 7);
}

#[test]
fn every_problem_is_reported_at_once_and_in_its_own_spelling() {
    let file = Some("json-body-max = \"16MB\"\nqueue_max = \"many\"\n");
    let variables = &[("UPSERTD_SHUTDOWN_WAIT", "10")];
    let flags = &[("listen", "localhost:7171")];
    assert_eq!(
        Start { file, variables, flags }.faults(),
        [
            "--listen: expected an IP address and a port, such as 127.0.0.1:7171",
            "UPSERTD_SHUTDOWN_WAIT: expected a whole number of s, m, h or d, such as 10s, 15m, 24h or 7d",
            "json-body-max in the settings file: expected a whole number of KiB, MiB or GiB, such as 256KiB or 16MiB",
            "queue_max in the settings file: expected a whole number of at least 1",
        ]
    );
}

#[test]
fn a_wrong_value_that_a_stronger_spelling_replaces_does_no_harm() {
    let variables = &[("UPSERTD_LISTEN", "nowhere")];
    let flags = &[("listen", "127.0.0.1:3")];
    let settings = Start { variables, flags, ..Start::default() }.settings().settings;
    assert_eq!(settings.listen.port(), 3);
}

#[test]
fn an_unknown_key_is_a_fault_with_its_place_and_an_unknown_variable_a_warning() {
    let file = "listen = \"127.0.0.1:1\"\ndata-dirs = \"x\"\n[table]\nkey = 1\n";
    let start = Start { file: Some(file), ..Start::default() };
    let error = Settings::check(start.sources()).unwrap_err();
    let spans: Vec<_> = error
        .faults
        .iter()
        .map(|fault| match &fault.spelling {
            Spelling::Key { name, span } => (&**name, &file[span.clone()]),
            Spelling::Flag(_) | Spelling::Variable(_) | Spelling::File { .. } => {
                panic!("{fault}")
            }
        })
        .collect();
    assert_eq!(spans, [("data-dirs", "data-dirs"), ("table", "table")]);

    let variables = &[
        ("UPSERTD_DATA_DIRS", "x"),
        ("OTHER", "x"),
        ("UPSERTD_data_dir", "y"),
        // Of a command that asks a server, on the same machine.
        ("UPSERTD_URL", "z"),
    ];
    let checked = Start { variables, ..Start::default() }.settings();
    assert_eq!(
        checked.warnings,
        [
            "the variable UPSERTD_DATA_DIRS is not a setting",
            "the variable UPSERTD_data_dir is not a setting"
        ]
    );
    assert_eq!(checked.settings.data_dir, PathBuf::from("snapshots"));
}

#[test]
fn a_file_that_is_no_toml_or_is_not_there_is_a_fault() {
    let faults = Start { file: Some("listen = \n"), ..Start::default() }.faults();
    assert!(faults[0].starts_with("the settings file: "), "{faults:?}");
    let missing = PathBuf::from("/nowhere/upsertd.toml");
    let sources = Sources::read(Some(missing), vec![], std::iter::empty());
    let error = Settings::check(sources).unwrap_err();
    assert!(error.faults[0].to_string().starts_with("--config: cannot read /nowhere/"));
}

#[test]
fn a_key_in_two_spellings_is_a_fault() {
    let file = Some("data-dir = \"a\"\ndata_dir = \"b\"\n");
    let faults = Start { file, ..Start::default() }.faults();
    assert_eq!(faults, ["data_dir in the settings file: stands twice, once with _ for -"]);
}

#[test]
fn a_setting_of_a_later_version_is_refused_in_every_spelling() {
    for setting in SETTINGS.iter().filter(|setting| setting.offer == Offer::Later) {
        let variable = setting.variable();
        let file = format!("{} = true\n", setting.name);
        let start = Start {
            file: Some(&file),
            variables: &[(&variable, "x")],
            flags: &[(setting.name, "x")],
        };
        let place = |spelling: &str| format!("{spelling}: this version does not offer it yet");
        let expected = [
            place(&format!("{} in the settings file", setting.name)),
            place(&variable),
            place(&format!("--{}", setting.name)),
        ];
        assert_eq!(start.faults(), expected);
    }
}

#[test]
fn the_operator_key_may_stand_in_a_file_but_not_in_two_places() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("key");
    fs::write(&path, "from a file\n").unwrap();
    let path = path.to_str().unwrap();
    let variables = &[("UPSERTD_OPERATOR_KEY_FILE", path)];
    let settings = Start { variables, ..Start::default() }.settings().settings;
    assert!(settings.operator_key.unwrap().is("from a file"));

    let variables = &[("UPSERTD_OPERATOR_KEY", "k"), ("UPSERTD_OPERATOR_KEY_FILE", path)];
    let faults = Start { variables, ..Start::default() }.faults();
    assert_eq!(faults, ["UPSERTD_OPERATOR_KEY_FILE: is set together with UPSERTD_OPERATOR_KEY"]);
    let variables = &[("UPSERTD_OPERATOR_KEY_FILE", "/nowhere/key")];
    let faults = Start { variables, ..Start::default() }.faults();
    assert!(faults[0].starts_with("UPSERTD_OPERATOR_KEY_FILE: cannot read /nowhere/key"));
}

#[test]
fn bootstrap_values_are_read_and_malformed_ones_refused_without_showing_them() {
    let id = "0192F7D2-0000-7000-8000-000000000001";
    let variables = &[
        ("UPSERTD_BOOTSTRAP_API_KEY", "an old secret key"),
        ("UPSERTD_BOOTSTRAP_BUSINESS_ID", id),
        ("UPSERTD_BOOTSTRAP_USER_ID", id),
    ];
    let bootstrap = Start { variables, ..Start::default() }.settings().settings.bootstrap;
    assert_eq!(bootstrap.api_key.unwrap().reveal(), "an old secret key");
    assert_eq!(bootstrap.business_id.unwrap().to_string(), id.to_lowercase());
    let variables = &[
        ("UPSERTD_BOOTSTRAP_API_KEY", "short"),
        ("UPSERTD_BOOTSTRAP_BUSINESS_ID", "0192f7d2000070008000000000000001"),
        ("UPSERTD_BOOTSTRAP_USER_ID", "me"),
    ];
    let faults = Start { variables, ..Start::default() }.faults();
    assert_eq!(
        faults,
        [
            "UPSERTD_BOOTSTRAP_API_KEY: expected 16 to 256 printable ASCII characters",
            "UPSERTD_BOOTSTRAP_BUSINESS_ID: expected a UUID with hyphens",
            "UPSERTD_BOOTSTRAP_USER_ID: expected a UUID with hyphens",
        ]
    );
}

#[test]
fn an_empty_variable_counts_as_not_set() {
    let variables = &[("UPSERTD_LISTEN", ""), ("UPSERTD_OPERATOR_KEY", "")];
    let settings = Start { variables, ..Start::default() }.settings().settings;
    assert_eq!(settings.listen.port(), 7171);
    assert!(settings.operator_key.is_none());
}

#[test]
fn limits_that_contradict_each_other_are_refused_where_they_were_written() {
    let flags = &[("json-body-max", "1GiB")];
    assert_eq!(
        Start { flags, ..Start::default() }.faults(),
        ["--json-body-max: is larger than body-bytes-max, which is 536870912 bytes"]
    );
    let variables = &[("UPSERTD_BODY_BYTES_MAX", "1MiB"), ("UPSERTD_COMMIT_BYTES_MAX", "1KiB")];
    assert_eq!(
        Start { variables, ..Start::default() }.faults(),
        [
            "UPSERTD_BODY_BYTES_MAX: is smaller than json-body-max",
            "UPSERTD_COMMIT_BYTES_MAX: is smaller than record-max"
        ]
    );
    let flags = &[("record-max", "3MiB"), ("commit-bytes-max", "8193KiB")];
    assert_eq!(
        Start { flags, ..Start::default() }.faults(),
        ["--record-max: expected at most 2MiB", "--commit-bytes-max: expected at most 8MiB"]
    );
}

#[test]
fn off_turns_off_what_can_be_off() {
    let flags = &[
        ("snapshot-every", "off"),
        ("snapshot-log-bytes", "off"),
        ("connections-per-peer-max", "off"),
    ];
    let settings = Start { flags, ..Start::default() }.settings().settings;
    assert_eq!(settings.snapshot_every, None);
    assert_eq!(settings.snapshot_log_bytes, None);
    assert_eq!(settings.http().limits.connections_per_peer_max, None);
    let flags = &[("shutdown-wait", "off")];
    assert_eq!(Start { flags, ..Start::default() }.faults().len(), 1);
}

#[test]
fn the_http_edge_gets_its_options() {
    let flags = &[
        ("json-body-max", "1MiB"),
        ("body-timeout", "5s"),
        ("idle-timeout", "6s"),
        ("upsert-created-status", "201"),
        ("archived-conflict-status", "400"),
        ("public-url", "https://crm.example.com/"),
        ("http-workers", "3"),
    ];
    let options = Start { flags, ..Start::default() }.settings().settings.http();
    assert_eq!(options.bodies.json_bytes_max, 1 << 20);
    assert_eq!(options.bodies.timeout, Duration::from_secs(5));
    assert_eq!(options.limits.idle_timeout, Duration::from_secs(6));
    assert_eq!(options.answers.upsert_created, StatusCode::CREATED);
    assert_eq!(options.answers.archived_conflict, StatusCode::BAD_REQUEST);
    assert_eq!(options.answers.public_url.as_deref(), Some("https://crm.example.com"));
    assert_eq!(options.workers, 3);
}

#[test]
fn metrics_are_served_beyond_loopback_only_if_asked_for() {
    for (listen, public, serves) in [
        ("127.0.0.1:0", None, true),
        ("[::1]:0", None, true),
        ("0.0.0.0:0", None, false),
        ("[::]:0", Some("false"), false),
        ("192.0.2.1:80", Some("true"), true),
    ] {
        let mut flags = vec![("listen", listen)];
        flags.extend(public.map(|public| ("metrics-public", public)));
        let settings = Start { flags: &flags, ..Start::default() }.settings().settings;
        assert_eq!(settings.http().serves_metrics, serves, "{listen} {public:?}");
    }
}
