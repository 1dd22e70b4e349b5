//! Streams that are taken up again where they broke: rows with offsets.

use crate::support::{Client, Fixture, Request, assert_includes, field_value, text, until};
use serde_json::{Value, json};

const ROWS: &str = "/api/records/accounts/bulk-upsert";
const STREAM: &str = "/api/records/accounts/streams/s1";

fn accounts() -> Fixture {
    let mut fixture = Fixture::new();
    furnish(&mut fixture);
    fixture
}

fn furnish(fixture: &mut Fixture) {
    fixture.object("accounts");
    fixture.text_field("accounts", "note");
}

fn row(offset: u64, name: &str, note: &str) -> Value {
    json!({"offset": offset, "lookup_value": name, "fields": {"note": note}})
}

fn bad(offset: u64) -> Value {
    json!({"offset": offset, "lookup_value": "Bad", "fields": {"no_such": 1}})
}

fn send(client: &mut Client, query: &str, rows: &[Value]) -> (Vec<Value>, Value) {
    let lines: Vec<String> = rows.iter().map(Value::to_string).collect();
    let request = Request::new("POST", &format!("{ROWS}?{query}"))
        .header("Content-Type", "application/x-ndjson")
        .body(lines.join("\n").as_bytes());
    let answer = client.send(&request);
    assert_eq!(answer.status, 200, "{answer}");
    let told = String::from_utf8(answer.body).expect("an answer is UTF-8");
    let mut lines: Vec<Value> =
        told.lines().map(|line| serde_json::from_str(line).expect("a line is JSON")).collect();
    let mut last = lines.pop().expect("there is a last line");
    (lines, last["summary"].take())
}

fn stream(fixture: &mut Fixture, rows: &[Value]) -> (Vec<Value>, Value) {
    send(&mut fixture.client, "stream_id=s1", rows)
}

fn actions(results: &[Value]) -> Vec<&str> {
    results.iter().map(|result| text(result, "action")).collect()
}

#[test]
fn rows_that_were_done_are_told_so_and_the_others_are_applied() {
    let mut fixture = accounts();
    fixture.client.get(STREAM).expect_error(404, "not_found");
    let rows = [
        row(0, "Acme", "a"),
        bad(1),
        row(5, "Acme", "b"),
        row(6, "Acme", "b"),
        row(10, "Globex", "g"),
        bad(11),
    ];
    let (results, summary) = stream(&mut fixture, &rows);
    let expected = ["created", "failed", "updated", "unchanged", "created", "failed"];
    assert_eq!(actions(&results), expected);
    assert_eq!((&results[2]["offset"], &results[2]["index"]), (&json!(5), &json!(2)));
    assert_eq!(summary["state"], "completed_with_errors");
    let counts = json!({"created": 2, "updated": 1, "unarchived": 0, "unchanged": 1, "failed": 2});
    let told = fixture.client.get(STREAM).expect(200);
    assert_includes(&told, &json!({"stream_id": "s1", "next_offset": 12, "counts": counts}));
    // What is done is not done again, whatever it says now.
    fixture
        .upsert("accounts", &json!({"lookup_value": "Acme", "fields": {"note": "z"}}))
        .expect(200);
    let check = |fixture: &mut Fixture| {
        let (results, summary) = stream(fixture, &rows);
        assert_eq!(actions(&results), ["already_applied"; 6]);
        assert_eq!((&summary["state"], &results[0]["id"]), (&json!("completed"), &Value::Null));
        let acme = fixture.lookup("accounts", "Acme").expect(200);
        assert_eq!((&acme["version"], field_value(&acme, "note")), (&json!(3), Some(&json!("z"))));
        let again = fixture.client.get(STREAM).expect(200);
        assert_includes(&again, &json!({"next_offset": 12, "counts": counts}));
    };
    check(&mut fixture);
    let mut fixture = fixture.after_a_crash();
    check(&mut fixture);
    fixture.snapshot();
    let mut fixture = fixture.after_a_crash();
    check(&mut fixture);
    let (results, _) = stream(&mut fixture, &[row(11, "Acme", "old"), row(12, "Acme", "new")]);
    assert_eq!(actions(&results), ["already_applied", "updated"]);
    let told = fixture.client.get(STREAM).expect(200);
    assert_includes(
        &told,
        &json!({"next_offset": 13, "counts": {"created": 2, "updated": 2, "failed": 2}}),
    );
}

#[test]
fn offsets_rise_or_their_rows_fail() {
    let mut fixture = accounts();
    let mut none = row(0, "A", "a");
    none.as_object_mut().expect("it is one").remove("offset");
    let mut text_offset = row(0, "A", "a");
    text_offset["offset"] = json!("9");
    let rows = [row(3, "A", "a"), none.clone(), row(3, "B", "b"), text_offset, row(4, "C", "c")];
    let (results, _) = stream(&mut fixture, &rows);
    assert_eq!(actions(&results), ["created", "failed", "failed", "failed", "created"]);
    let codes: Vec<_> = results.iter().filter_map(|it| it["code"].as_str()).collect();
    assert_eq!(codes, ["required", "invalid", "invalid"]);
    assert_eq!(results[2]["errors"][0]["parameter"], "offset");
    // Without a stream an offset means nothing, and is not ignored.
    let (results, _) = send(&mut fixture.client, "", &[row(3, "A", "a"), none]);
    assert_eq!(results[0]["code"], "unknown_parameter");
    assert_eq!(results[1]["action"], "unchanged");
    for bad in ["", "a%20b", "a%2Fb", "..", &"x".repeat(129)] {
        let request = Request::new("POST", &format!("{ROWS}?stream_id={bad}"))
            .header("Content-Type", "application/x-ndjson");
        fixture.send(&request.body(b"")).expect_error(400, "invalid");
    }
    let path = format!("{ROWS}?stream_id=s1");
    fixture.client.post(&path, &json!([row(9, "D", "d")])).expect_error(400, "invalid");
}

#[test]
fn a_stream_is_of_a_member_and_an_object_and_is_forgotten_when_it_is_told_to_be() {
    let mut fixture = accounts();
    fixture.object("deals");
    stream(&mut fixture, &[row(0, "Acme", "a")]);
    fixture.client.get("/api/records/deals/streams/s1").expect_error(404, "not_found");
    let ada = json!({"email": "ada@example.com"});
    let ada = fixture.client.post("/api/team", &ada).expect(201);
    let group = json!({"name": "Group", "objects": {"accounts": {"records": {
        "all_records": 2, "associated_records": 2, "create_record": true,
    }}}});
    let group = fixture.client.post("/api/permission-group", &group).expect(201);
    let path = format!("/api/team/{}", text(&ada, "id"));
    fixture.client.patch(&path, &json!({"permission_groups": [group["id"]]})).expect(200);
    let key = json!({"name": "ada", "member_id": ada["id"], "secret": "a secret of ada alone"});
    fixture.client.post("/api/api-keys", &key).expect(201);
    let mut credentials = fixture.server.credentials();
    "a secret of ada alone".clone_into(&mut credentials.api_key);
    text(&ada, "user_id").clone_into(&mut credentials.user_id);
    let mut ada = Client::new(fixture.server.address(), &credentials);
    ada.get(STREAM).expect_error(404, "not_found");
    ada.delete(STREAM).expect_error(404, "not_found");
    let (results, _) = send(&mut ada, "stream_id=s1", &[row(0, "Globex", "g")]);
    assert_eq!(actions(&results), ["created"]);
    fixture.client.delete(STREAM).expect_empty(204);
    fixture.client.delete(STREAM).expect_error(404, "not_found");
    fixture.client.get(STREAM).expect_error(404, "not_found");
    assert_eq!(ada.get(STREAM).expect(200)["next_offset"], 1);
    let (results, _) = stream(&mut fixture, &[row(0, "Acme", "b")]);
    assert_eq!(actions(&results), ["updated"], "it begins anew");
    // Neither an offset nor an end has an entry in the feed.
    let feed =
        fixture.client.get("/api/records/accounts/changes?actions=created,updated").expect(200);
    let seen: Vec<_> =
        feed["results"].as_array().expect("a page").iter().map(|it| &it["seq"]).collect();
    let last = seen.last().and_then(|seq| seq.as_u64()).expect("there are entries");
    assert_eq!(seen.len(), 3, "{feed}");
    let first = seen[0].as_u64().expect("it is a number");
    assert_eq!(last - first, 2, "no number is left out: {feed}");
}

#[test]
fn an_aborted_stream_tells_its_last_failed_rows_again() {
    let mut fixture = accounts();
    let rows = [bad(0), row(1, "Acme", "a"), bad(2), bad(3), row(4, "Globex", "g")];
    let (results, summary) = send(&mut fixture.client, "stream_id=s1&max_errors=1", &rows[..1]);
    assert_eq!((results.len(), &summary["state"]), (1, &json!("aborted")));
    let told = fixture.client.get(STREAM);
    told.expect_error(404, "not_found");
    let (results, _) = stream(&mut fixture, &rows);
    assert_eq!(actions(&results), ["failed", "created", "failed", "failed", "created"]);
}

#[test]
fn a_dry_run_of_a_stream_moves_nothing() {
    let mut fixture = accounts();
    let rows = [row(0, "Acme", "a"), row(1, "Acme", "b")];
    let dry = "stream_id=s1&dry_run=true";
    let (results, _) = send(&mut fixture.client, dry, &rows);
    assert_eq!(actions(&results), ["created", "updated"]);
    fixture.client.get(STREAM).expect_error(404, "not_found");
    stream(&mut fixture, &rows[..1]);
    let (results, _) = send(&mut fixture.client, dry, &rows);
    assert_eq!(actions(&results), ["already_applied", "updated"]);
    assert_eq!(fixture.client.get(STREAM).expect(200)["next_offset"], 1);
}

#[test]
fn rows_with_keys_and_rows_that_others_are_asked_for_are_resumed_too() {
    let mut fixture = accounts();
    fixture.object("deals");
    let relation = json!({
        "related_object": "accounts", "related_name": "deals", "relation_type": "primary",
    });
    let field =
        json!({"field_type": "relationship", "display_name": "Account", "relation": relation});
    fixture.field("deals", &field);
    fixture.create("deals", "First", &json!({}));
    let mut keyed = row(0, "Acme", "a");
    keyed["idempotency_key"] = json!("k");
    let mirror = json!({"offset": 1, "lookup_value": "Globex",
        "fields": {"deals": [{"lookup_value": "First"}]}});
    let rows = [keyed.clone(), mirror, row(2, "Acme", "b")];
    let (results, _) = stream(&mut fixture, &rows);
    assert_eq!(actions(&results), ["created", "created", "updated"]);
    let deal = fixture.lookup("deals", "First").expect(200);
    assert_eq!(field_value(&deal, "account").expect("it is led there")["name"], "Globex");
    let (results, _) = stream(&mut fixture, &rows);
    assert_eq!(actions(&results), ["already_applied"; 3]);
    // A key is of the row, wherever it stands.
    keyed["offset"] = json!(7);
    let (results, _) = stream(&mut fixture, &[keyed]);
    assert_includes(&results[0], &json!({"action": "created", "replayed": true}));
}

#[test]
fn a_stream_that_nobody_uses_is_forgotten() {
    let mut fixture = Fixture::with_flag("--stream-ttl", "1s");
    furnish(&mut fixture);
    stream(&mut fixture, &[row(0, "Acme", "a")]);
    until("the stream to be forgotten", || {
        let answer = fixture.client.get(STREAM);
        (answer.status == 404).then_some(())
    });
    let (results, _) = stream(&mut fixture, &[row(0, "Acme", "b")]);
    assert_eq!(actions(&results), ["updated"]);
}
