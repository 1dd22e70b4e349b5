//! Requests with many rows, and every kind of result.

use crate::api::described::{Judge, RECORD, RECORDS, items};
use crate::support::{Request, text};
use serde_json::{Value, json};

pub(super) fn batches(judge: &mut Judge) {
    let path = format!("{RECORDS}/bulk-upsert");
    let archived = json!({"lookup_value": "Globex"});
    let gone = judge.ask("post", &format!("{RECORDS}/upsert"), &["accounts"], Some(archived));
    judge.ask("delete", RECORD, &["accounts", text(&gone, "id")], None);
    let rows = json!([
        {"lookup_value": "Row", "fields": {"note": "a"}, "client_ref": "r1"},
        {"lookup_value": "Row", "fields": {"note": "b"}},
        {"lookup_value": "Row"},
        {"lookup_value": "Row", "mode": "create"},
        {"lookup_value": "Row", "op": "archive"},
        {"lookup_value": "Row", "mode": "update"},
        {"lookup_value": "Row", "oncreate_unarchive": "unarchive"},
        {"lookup_value": "Globex", "oncreate_unarchive": "skip"},
        {"lookup_value": "Globex"},
        {"lookup_value": "Row", "fields": {"nothing": 1}},
        {"lookup_value": "Late", "source": "shop", "source_version": 2},
        {"lookup_value": "Late", "source": "shop", "source_version": 1},
        {"lookup_value": "Kept", "idempotency_key": "k"},
        {"lookup_value": "Kept", "idempotency_key": "k"},
        {"lookup_value": "Late", "expect_version": 7},
        {"lookup_value": "Nobody", "expect_version": 7},
    ]);
    let answer = judge.ask("post", &path, &["accounts"], Some(json!({"records": rows})));
    let actions: Vec<_> = items(&answer["results"]).iter().map(|it| text(it, "action")).collect();
    let expected = [
        "created",
        "updated",
        "unchanged",
        "exists",
        "archived",
        "not_found",
        "unarchived",
        "skipped_archived",
        "failed",
        "failed",
        "created",
        "stale",
        "created",
        "created",
        "failed",
        "failed",
    ];
    assert_eq!(actions, expected);
    let atomic = json!({"atomic": true, "records": rows});
    let refused = judge.ask("post", &path, &["accounts"], Some(atomic));
    assert_eq!(refused["code"], "batch_aborted");
    let dry = format!("{path}?return_records=true&dry_run=true");
    judge.ask("post", &dry, &["accounts"], Some(rows.clone()));
    let shown = format!("{path}?return_records=true&in_batch_duplicates=first");
    judge.ask("post", &shown, &["accounts"], Some(rows.clone()));
    let lines: Vec<String> = items(&rows).iter().map(Value::to_string).collect();
    let request = Request::new("POST", "/api/records/accounts/bulk-upsert?return_records=true")
        .header("Content-Type", "application/x-ndjson");
    let told = judge.judge("post", &path, &request.body(lines.join("\n").as_bytes()));
    assert_eq!(items(&told).len(), lines.len() + 1);
    imports(judge);
    resumed(judge, &path);
}

fn imports(judge: &mut Judge) {
    let import = format!("{RECORDS}/import");
    let table = Request::new("POST", "/api/records/accounts/import?return_records=true");
    let table = table.header("Content-Type", "text/csv");
    let rows = b"id,name,note,seats\nx,Imported,a,1\nx,Imported,b,many\nx,Imported,b,1\n";
    let refused = judge.judge("post", &import, &table.clone().body(rows));
    assert_eq!(refused["code"], "does_not_exist");
    let rows = b"id,name,note,score\nx,Imported,a,1\nx,Imported,b,many\nx,Imported,b,1\n";
    let told = judge.judge("post", &import, &table.body(rows));
    let (last, results) = items(&told).split_last().expect("there is a last line");
    let lines: Vec<_> = results.iter().map(|result| result["line"].clone()).collect();
    assert_eq!(
        (lines, &last["summary"]["ignored_columns"]),
        (vec![2.into(), 3.into(), 4.into()], &json!(["id"]))
    );
    let lines = Request::new("POST", "/api/records/accounts/import");
    let lines = lines.header("Content-Type", "application/x-ndjson");
    let told = judge.judge("post", &import, &lines.body(b"{\"name\":\"Imported\"}"));
    assert_eq!(items(&told)[0]["action"], "unchanged");
}

/// A stream that can be resumed, and how far it has come.
fn resumed(judge: &mut Judge, path: &str) {
    let lines = [
        json!({"offset": 4, "lookup_value": "Placed"}),
        json!({"offset": 4, "lookup_value": "Placed"}),
        json!({"offset": 5, "lookup_value": "Placed"}),
    ];
    let lines: Vec<String> = lines.iter().map(Value::to_string).collect();
    let request = Request::new("POST", "/api/records/accounts/bulk-upsert?stream_id=s1")
        .header("Content-Type", "application/x-ndjson");
    let request = request.body(lines.join("\n").as_bytes());
    judge.judge("post", path, &request);
    let again = judge.judge("post", path, &request);
    assert_eq!(items(&again)[0]["action"], "already_applied");
    let stream = format!("{RECORDS}/streams/{{stream_id}}");
    let told = judge.ask("get", &stream, &["accounts", "s1"], None);
    assert_eq!(told["next_offset"], 6);
    judge.ask("delete", &stream, &["accounts", "s1"], None);
}
