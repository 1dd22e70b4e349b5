//! Bulk actions end whatever becomes of their client, and a crash leaves none of them running.

use crate::support::{Client, Fixture, OPERATOR_KEY, Request, custom_object, text, until};
use serde_json::{Value, json};
use std::thread;

const ARCHIVE: &str = "/api/custom-objects/accounts/bulk-archive-entity-record";
const CHANGE: &str = "/api/custom-objects/accounts/bulk-change-field-value";
const PROGRESS: &str = "/api/bulk-action-progress";

/// Makes so many accounts over a few connections, and gives their ids.
fn accounts(fixture: &mut Fixture, count: usize) -> Vec<String> {
    custom_object(&mut fixture.client, "accounts");
    let numbers: Vec<usize> = (0..count).collect();
    let create = |mut client: Client, numbers: &[usize]| -> Vec<String> {
        let path = "/api/records/accounts/upsert";
        let mut made = |number| client.post(path, &json!({"lookup_value": format!("{number}")}));
        numbers.iter().map(|number| text(&made(*number).expect(200), "id").to_owned()).collect()
    };
    thread::scope(|scope| {
        let chunks = numbers.chunks(count.div_ceil(8));
        let chunks = chunks.map(|chunk| (fixture.server.client(), chunk));
        let threads: Vec<_> =
            chunks.map(|(client, chunk)| scope.spawn(move || create(client, chunk))).collect();
        threads.into_iter().flat_map(|thread| thread.join().expect("no client panics")).collect()
    })
}

fn count(fixture: &mut Fixture, archived: &str) -> Value {
    let list = fixture.client.get(&format!("/api/records/accounts?archived={archived}"));
    list.expect(200)["count"].clone()
}

#[test]
fn what_was_noted_of_an_action_outlives_a_crash_and_a_clean_end() {
    let mut fixture = Fixture::new();
    let ids = accounts(&mut fixture, 3);
    let body = json!({"record_ids": ids, "field_id": "name", "field_value": "One"});
    fixture.client.post(CHANGE, &body).expect(200);
    let body = json!({"record_ids": [ids[0], ids[2], ids[0]]});
    let answer = fixture.client.post(ARCHIVE, &body).expect(200);
    let noted = fixture.client.get(PROGRESS).expect(200);
    assert_eq!(noted["count"], 2);
    assert_eq!(noted["results"][0]["id"], answer["status_id"]);
    assert_eq!(noted["results"][0]["errors"][0]["record_id"], ids[0]);
    assert_eq!(noted["results"][1]["failed_count"], 2);

    let mut fixture = fixture.after_a_crash();
    assert_eq!(fixture.client.get(PROGRESS).expect(200)["results"], noted["results"]);
    assert_eq!((count(&mut fixture, "only"), count(&mut fixture, "exclude")), (2.into(), 1.into()));
    let snapshot = Request::new("POST", "/api/admin/snapshot");
    fixture.send(&snapshot.header("X-OPERATOR-KEY", OPERATOR_KEY)).expect(202);
    let (exit, launch) = fixture.server.stop();
    exit.expect_code(0);
    let mut fixture = Fixture::of(launch.start());
    assert_eq!(fixture.client.get(PROGRESS).expect(200)["results"], noted["results"]);
}

#[test]
fn an_action_ends_though_its_client_has_gone() {
    let mut fixture = Fixture::new();
    let ids = accounts(&mut fixture, 900);
    let request = Request::new("POST", ARCHIVE).json(&json!({"record_ids": ids}));
    let asked = fixture.server.client().send_unread(&request);
    until("the beginning of the action", || {
        let list = fixture.client.get(PROGRESS).expect(200);
        (list["count"] == 1).then_some(())
    });
    asked.reset();
    let row = until("the end of the action", || {
        let list = fixture.client.get(PROGRESS).expect(200);
        let row = list["results"].get(0)?.clone();
        (row["status"] != "in_progress").then_some(row)
    });
    assert_eq!((&row["status"], &row["success_count"]), (&json!("completed"), &json!(900)));
    assert_eq!(count(&mut fixture, "exclude"), 0);
}

#[test]
fn a_short_queue_slows_an_action_down_and_fails_nothing() {
    let mut fixture = Fixture::with_flag("--queue-max", "7");
    custom_object(&mut fixture.client, "accounts");
    let ids: Vec<String> = (0..150)
        .map(|number| fixture.create("accounts", &format!("{number}"), &json!({})))
        .map(|record| text(&record, "id").to_owned())
        .collect();
    let answer = fixture.client.post(ARCHIVE, &json!({"record_ids": ids})).expect(200);
    let path = format!("{PROGRESS}/{}", text(&answer, "status_id"));
    let row = fixture.client.get(&path).expect(200);
    assert_eq!((&row["success_count"], &row["errors"]), (&json!(150), &json!([])));
    assert_eq!(count(&mut fixture, "exclude"), 0);
}

/// Wherever the crash falls, what was noted was done, the rest may have been, and asking again
/// completes it.
#[test]
fn a_crash_leaves_no_action_running_and_it_can_be_repeated() {
    let mut fixture = Fixture::new();
    let ids = accounts(&mut fixture, 900);
    let request = Request::new("POST", ARCHIVE).json(&json!({"record_ids": ids}));
    let mut other = fixture.server.client();
    let asking = request.clone();
    let waiting = thread::spawn(move || other.try_send(&asking).is_ok());
    until("the first records of the action", || {
        let list = fixture.client.get(PROGRESS).expect(200);
        (list["results"].get(0)?["success_count"] != 0).then_some(())
    });
    let mut fixture = fixture.after_a_crash();
    let was_answered = waiting.join().expect("no client panics");

    let list = fixture.client.get(PROGRESS).expect(200);
    assert_eq!(list["count"], 1);
    let row = &list["results"][0];
    let counts = ["success_count", "failed_count", "pending_count"].map(|key| number(&row[key]));
    let archived = number(&count(&mut fixture, "only"));
    assert_eq!(counts[0] + counts[1] + counts[2], 900);
    assert!(counts[0] > 0 && counts[1] == 0, "{row}");
    assert!(counts[0] <= archived && archived <= counts[0] + counts[2], "{archived} of {row}");
    if was_answered {
        assert_eq!((&row["status"], counts[2]), (&json!("completed"), 0));
    }
    if counts[2] > 0 {
        assert_eq!((&row["status"], &row["completed_at"]), (&json!("failed"), &Value::Null));
    }

    let answer = fixture.send(&request).expect(200);
    let path = format!("{PROGRESS}/{}", text(&answer, "status_id"));
    let again = fixture.client.get(&path).expect(200);
    assert_eq!(number(&again["success_count"]), 900 - archived);
    assert_eq!(number(&again["failed_count"]), archived);
    assert_eq!(count(&mut fixture, "exclude"), 0);
}

fn number(value: &Value) -> u64 {
    value.as_u64().expect("a count is a number")
}
