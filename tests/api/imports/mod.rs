//! Imports: rows of a table as upserts, and what an export gives is read back.

mod cells;
mod headers;
mod lines;
mod round_trip;

use crate::support::{Answer, Fixture, Request, text};
use serde_json::{Value, json};

const IMPORT: &str = "/api/records/accounts/import";

/// An object with a field of each kind that cells are read for.
fn accounts() -> Fixture {
    let mut fixture = Fixture::new();
    fixture.object("accounts");
    add_fields(&mut fixture, "accounts");
    fixture
}

fn add_fields(fixture: &mut Fixture, object: &str) {
    for (name, field_type) in [("region", "dropdown"), ("tiers", "checkboxes")] {
        let body = json!({
            "field_type": field_type, "display_name": format!("The {name}"), "name": name,
            "options": [{"name": "North"}, {"name": "South|West"}, {"name": "a\\b"}],
        });
        fixture.field(object, &body);
    }
    for (name, field_type) in [
        ("note", "text"),
        ("story", "longtext"),
        ("labels", "dynamictags"),
        ("seats", "integer"),
        ("score", "decimal"),
        ("price", "money"),
        ("vip", "checkbox"),
        ("since", "date"),
        ("seen", "datetime"),
        ("papers", "files"),
        ("stars", "rating"),
        ("mail", "email"),
    ] {
        let label = format!("The {name}");
        let body = json!({"field_type": field_type, "display_name": label, "name": name});
        fixture.field(object, &body);
    }
    let code = json!({
        "field_type": "text", "display_name": "Code", "name": "code", "is_unique": true,
    });
    fixture.field(object, &code);
}

fn request(query: &str, body: &[u8]) -> Request {
    let target = format!("{IMPORT}?{query}");
    Request::new("POST", &target).header("Content-Type", "text/csv").body(body)
}

/// The results and the summary.
fn told(answer: &Answer) -> (Vec<Value>, Value) {
    assert_eq!(answer.status, 200, "{answer}");
    assert_eq!(answer.header("Content-Type"), Some("application/x-ndjson"));
    let text = std::str::from_utf8(&answer.body).expect("an answer is UTF-8");
    let mut lines: Vec<Value> =
        text.lines().map(|line| serde_json::from_str(line).expect("a line is JSON")).collect();
    let mut last = lines.pop().expect("there is a last line");
    (lines, last["summary"].take())
}

fn import(fixture: &mut Fixture, query: &str, body: &str) -> (Vec<Value>, Value) {
    told(&fixture.send(&request(query, body.as_bytes())))
}

fn actions(results: &[Value]) -> Vec<&str> {
    results.iter().map(|result| text(result, "action")).collect()
}

#[test]
fn a_row_is_told_with_its_index_and_its_line() {
    let mut fixture = accounts();
    let table = "\u{feff}name,note\r\nAcme,\"a\nb\"\r\n\r\nGlobex,x\r\nbad\"row,x\r\nacme,c\r\n,d";
    let (results, summary) = import(&mut fixture, "", table);
    assert_eq!(actions(&results), ["created", "created", "failed", "updated", "failed"]);
    let at = |key: &str| results.iter().map(|result| result[key].clone()).collect::<Vec<_>>();
    assert_eq!(at("index"), [0, 1, 2, 3, 4]);
    assert_eq!(at("line"), [2, 5, 6, 7, 8]);
    assert_eq!(
        (&results[2]["code"], &results[4]["code"]),
        (&json!("parse_error"), &json!("required"))
    );
    assert_eq!(summary["state"], "completed_with_errors");
    assert_eq!((&summary["count"], &summary["counts"]["created"]), (&json!(5), &json!(2)));
    assert_eq!(summary["ignored_columns"], json!([]));
    let acme = fixture.lookup("accounts", "ACME").expect(200);
    assert_eq!(acme["name"], "Acme", "a name that is looked for is not written anew");
    assert_eq!(fixture.value(("accounts", text(&acme, "id")), "note"), "c");
}

#[test]
fn a_row_with_a_bad_cell_is_not_written() {
    let mut fixture = accounts();
    let table = "name,note,seats\nAcme,a,many\nGlobex,b,7\nShort,c\n";
    let (results, _) = import(&mut fixture, "", table);
    assert_eq!(actions(&results), ["failed", "created", "failed"]);
    assert_eq!(results[0]["errors"][0]["field"], "seats");
    assert_eq!(results[2]["code"], "parse_error");
    fixture.lookup("accounts", "Acme").expect_error(404, "not_found");
    fixture.lookup("accounts", "Short").expect_error(404, "not_found");
}

#[test]
fn options_are_those_of_a_stream() {
    let mut fixture = accounts();
    let table = "name,code,note\nAcme,a1,x\nGlobex,b1,y\n";
    let (results, summary) = import(&mut fixture, "results=none", table);
    assert_eq!((results.len(), &summary["counts"]["created"]), (0, &json!(2)));
    let renamed = "name,code,note\nAcme Inc.,A1,x\n";
    let (results, _) = import(&mut fixture, "match=code&return_records=true", renamed);
    assert_eq!(actions(&results), ["updated"]);
    assert_eq!(results[0]["record"]["name"], "Acme Inc.");
    let (results, _) = import(&mut fixture, "mode=update&results=errors", "name\nNobody\nGlobex\n");
    assert_eq!(actions(&results), ["not_found"]);
    let bad = format!("name,seats\n{}", "A,x\n".repeat(50));
    let (_, summary) = import(&mut fixture, "max_errors=3", &bad);
    assert_eq!(
        (&summary["state"], &summary["code"]),
        (&json!("aborted"), &json!("limit_exceeded"))
    );
    for bad in ["atomic=true", "in_batch_duplicates=last", "delimiter=x", "ignore_unknown=perhaps"]
    {
        let answer = fixture.send(&request(bad, b"name\n"));
        assert_eq!(answer.status, 400, "{answer}");
    }
    let keyed = request("", b"name\n").header("Idempotency-Key", "k");
    fixture.send(&keyed).expect_error(400, "invalid");
}

#[test]
fn compressed_tables_are_taken_and_other_types_are_not() {
    let mut fixture = accounts();
    let rows: Vec<String> = (0..500).map(|at| format!("Account {at},x\n")).collect();
    let table = format!("name,note\n{}", rows.concat());
    let zstd = zstd::bulk::compress(table.as_bytes(), 3).expect("zstd compresses");
    let (results, _) = told(&fixture.send(&request("", &zstd).header("Content-Encoding", "zstd")));
    assert_eq!((results.len(), results[499]["line"].clone()), (500, json!(501)));
    for content_type in ["application/json", "text/plain", "text/csv; charset=latin1"] {
        let bad = Request::new("POST", IMPORT).header("Content-Type", content_type);
        fixture.send(&bad.body(b"name\n")).expect_error(415, "unsupported_media_type");
    }
    let mut fixture = Fixture::with_flag("--line-max", "1KiB");
    fixture.object("accounts");
    fixture.text_field("accounts", "note");
    let table = format!("name,note\nAcme,\"{}\"\nGlobex,b\n", "x\n".repeat(1_000));
    let (results, _) = import(&mut fixture, "", &table);
    assert_eq!(actions(&results), ["failed", "created"]);
    assert_eq!(
        (&results[0]["code"], &results[1]["line"]),
        (&json!("record_too_large"), &json!(1003))
    );
}

#[test]
fn an_import_is_tried_before_it_is_carried_out() {
    let mut fixture = accounts();
    let table = "name,labels,seats\nAcme,x|y,1\nacme,y,1\nGlobex,,many\n";
    let answer = fixture.send(&request("dry_run=true", table.as_bytes()));
    assert_eq!(answer.header("X-Dry-Run"), Some("true"));
    let (results, summary) = told(&answer);
    assert_eq!(actions(&results), ["created", "updated", "failed"]);
    let at = |key: &str| results.iter().map(|result| result[key].clone()).collect::<Vec<_>>();
    assert_eq!((at("line"), &results[0]["id"]), (vec![2.into(), 3.into(), 4.into()], &Value::Null));
    assert_eq!((&summary["dry_run"], &summary["counts"]["created"]), (&json!(true), &json!(1)));
    fixture.lookup("accounts", "Acme").expect_error(404, "not_found");
    let (results, summary) = import(&mut fixture, "", table);
    assert_eq!(actions(&results), ["created", "updated", "failed"]);
    assert_eq!(summary["dry_run"], false);
}

#[test]
fn a_row_with_a_key_is_carried_out_once() {
    let mut fixture = accounts();
    let table = "name,note,idempotency_key\nAcme,a,k1\nGlobex,b,\n";
    let (first, _) = import(&mut fixture, "", table);
    import(&mut fixture, "", "name,note\nAcme,later\n");
    let (again, _) = import(&mut fixture, "", table);
    assert_eq!(
        (actions(&first), actions(&again)),
        (vec!["created"; 2], vec!["created", "unchanged"])
    );
    assert_eq!(again[0]["replayed"], true);
    let acme = fixture.lookup("accounts", "Acme").expect(200);
    assert_eq!(fixture.value(("accounts", text(&acme, "id")), "note"), "later");
    let other = "name,note,idempotency_key\nAcme,other,k1\n";
    let (results, _) = import(&mut fixture, "", other);
    assert_eq!(results[0]["code"], "idempotency_key_reuse");
}
