//! Messages of source systems that come late, twice, or in another order.

use crate::support::{Fixture, Request, assert_includes, text};
use serde_json::{Value, json};

fn accounts() -> Fixture {
    let mut fixture = Fixture::new();
    fixture.object("accounts");
    fixture.text_field("accounts", "note");
    fixture
}

fn message(version: &Value, note: &str) -> Value {
    json!({
        "lookup_value": "Acme", "source": "crm", "source_version": version,
        "fields": {"note": note}, "oncreate_unarchive": "unarchive",
    })
}

#[test]
fn a_message_that_is_not_newer_changes_nothing() {
    let mut fixture = accounts();
    let made = fixture.upsert("accounts", &message(&json!(5), "five")).expect(200);
    for version in [5, 4, 0] {
        let answer = fixture.upsert("accounts", &message(&json!(version), "late"));
        assert_eq!(answer.header("X-Upsert-Action"), Some("stale"));
        let stale = answer.expect(200);
        assert_includes(
            &stale,
            &json!({"action": "stale", "id": made["id"], "version": 1, "source_version": 5}),
        );
    }
    let newer = fixture.upsert("accounts", &message(&json!(6), "six")).expect(200);
    assert_includes(&newer, &json!({"action": "updated", "version": 2}));
    assert_eq!(newer.get("source_version"), None);
    // Another source counts for itself, and so does the key, where no source is named.
    let mut other = message(&json!(1), "six");
    other["source"] = json!("shop");
    let answer = fixture.upsert("accounts", &other).expect(200);
    assert_includes(&answer, &json!({"action": "updated", "version": 2}));
    let unnamed = json!({"lookup_value": "Acme", "source_version": 1});
    assert_eq!(fixture.upsert("accounts", &unnamed).expect(200)["action"], "updated");
    assert_eq!(fixture.upsert("accounts", &unnamed).expect(200)["action"], "stale");
    let refused = fixture.upsert("accounts", &message(&json!("2026-11-24T05:40:00Z"), "x"));
    let refused = refused.expect_error(400, "invalid");
    assert_includes(&refused["errors"], &json!([{"parameter": "source_version"}]));
    // A row without a version is not checked, and leaves what is kept.
    let plain = json!({"lookup_value": "Acme", "fields": {"note": "plain"}});
    assert_eq!(fixture.upsert("accounts", &plain).expect(200)["version"], 3);
    assert_eq!(fixture.upsert("accounts", &message(&json!(6), "x")).expect(200)["action"], "stale");
}

#[test]
fn what_is_kept_survives_a_crash_a_snapshot_and_the_archive() {
    let mut fixture = accounts();
    let time = |text: &str| json!(text);
    let made = fixture
        .upsert("accounts", &message(&time("2026-11-24T05:40:00.000000001Z"), "first"))
        .expect(200);
    let id = text(&made, "id").to_owned();
    let answer =
        fixture.upsert("accounts", &message(&time("2026-11-24T06:40:00.000000002+01:00"), "first"));
    assert_includes(&answer.expect(200), &json!({"action": "updated", "version": 1}));
    let mut fixture = fixture.after_a_crash();
    let stale = fixture.upsert("accounts", &message(&time("2026-11-24T05:40:00.000000002"), "x"));
    let kept = json!("2026-11-24T05:40:00.000000002+00:00");
    assert_includes(&stale.expect(200), &json!({"action": "stale", "source_version": kept}));
    fixture.archive("accounts", &id);
    fixture.snapshot();
    let mut fixture = fixture.after_a_crash();
    let stale =
        fixture.upsert("accounts", &message(&time("2026-11-24T05:40:00Z"), "x")).expect(200);
    assert_includes(&stale, &json!({"action": "stale", "id": id, "source_version": kept}));
    fixture.read("accounts", &id).expect_error(404, "not_found");
    let revived = fixture.upsert("accounts", &message(&time("2026-11-24T05:41:00Z"), "new"));
    assert_includes(&revived.expect(200), &json!({"action": "unarchived", "id": id}));
    let stale = fixture.upsert("accounts", &message(&time("2026-11-24T05:41:00Z"), "new"));
    let kept = json!("2026-11-24T05:41:00.000000+00:00");
    assert_eq!(stale.expect(200)["source_version"], kept, "six digits where six suffice");
}

#[test]
fn a_version_has_all_the_digits_of_eight_bytes() {
    let mut fixture = Fixture::new();
    fixture.object("accounts");
    for (version, status) in [
        ("9223372036854775806", 200),
        ("9223372036854775807", 200),
        ("9223372036854775808", 400),
        ("-1", 400),
        ("1.5", 400),
    ] {
        let body = format!(r#"{{"lookup_value":"Acme","source":"s","source_version":{version}}}"#);
        let request = Request::new("POST", "/api/records/accounts/upsert");
        let request = request.header("Content-Type", "application/json").body(body.as_bytes());
        let answer = fixture.send(&request);
        assert_eq!(answer.status, status, "{answer}");
    }
}
