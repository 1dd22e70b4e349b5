//! What is answered of changes and histories, held against the document of the API.

use crate::api::described::{Judge, RECORD, RECORDS};
use crate::support::{Request, text};
use serde_json::json;
use std::collections::BTreeSet;

/// Everything before it has left entries of every kind.
pub(super) fn changes(judge: &mut Judge) {
    let upsert = format!("{RECORDS}/upsert");
    let made = judge.ask("post", &upsert, &["accounts"], Some(json!({"lookup_value": "Passing"})));
    let id = text(&made, "id");
    judge.ask("delete", RECORD, &["accounts", id], None);
    let restore = format!("{RECORD}/unarchive");
    judge.ask("patch", &restore, &["accounts", id], None);
    judge.ask("delete", RECORD, &["accounts", id], None);
    let history = format!("{RECORD}/history");
    let page = judge.ask("get", &history, &["accounts", id], None);
    assert_eq!((&page["count"], &page["truncated"]), (&json!(4), &json!(false)));
    judge.ask("get", "/api/records/changes?limit=1000&include=record", &[], None);
    let all = format!("{RECORDS}/changes?limit=1000&include=record");
    for object in ["accounts", "client_client"] {
        let page = judge.ask("get", &all, &[object], None);
        assert_eq!(page["results"][0]["schema"]["change"], "object_created", "{page:#}");
    }
    judge.ask("delete", &format!("{RECORD}?purge=true"), &["accounts", id], None);
    let page = judge.ask("get", &format!("{RECORDS}/changes?limit=1000"), &["accounts"], None);
    let results = page["results"].as_array().expect("a page has results");
    let actions: BTreeSet<&str> = results.iter().map(|entry| text(entry, "action")).collect();
    let all = ["archived", "created", "purged", "schema", "unarchived", "updated"];
    assert_eq!(actions, BTreeSet::from(all));
    judge.ask("get", &format!("{RECORDS}/changes?after=nonsense"), &["accounts"], None);
    let stranger = Request::new("GET", "/api/records/accounts/changes");
    let page = format!("{RECORDS}/changes");
    let refused = judge.judge("get", &page, &stranger.header("Accept", "text/html"));
    assert_eq!(refused["code"], "not_acceptable");
}
