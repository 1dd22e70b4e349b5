//! Lines of JSON: objects whose keys are columns, and what an export has written.

use crate::api::imports::{IMPORT, accounts, actions, told};
use crate::support::{Fixture, Request, text};
use serde_json::{Value, json};

fn import(fixture: &mut Fixture, query: &str, rows: &[Value]) -> (Vec<Value>, Value) {
    let lines: Vec<String> = rows.iter().map(Value::to_string).collect();
    let request = Request::new("POST", &format!("{IMPORT}?{query}"));
    let request = request.header("Content-Type", "application/x-ndjson");
    told(&fixture.send(&request.body(lines.join("\n").as_bytes())))
}

#[test]
fn keys_are_columns_and_values_are_as_they_are_or_as_cells() {
    let mut fixture = accounts();
    let rows = [
        json!({"name": "Acme", "The note": "n", "seats": 7, "tiers": "North|a\\\\b"}),
        json!({"lookup_value": "acme", "name": "Acme Inc.", "tiers": [{"name": "North"}], "id": "x"}),
        json!({"name": "Acme Inc.", "note": "", "seats": "#N/A"}),
        json!({"name": "Globex", "nothing": 1}),
        json!([1]),
        json!({"note": "n"}),
    ];
    let (results, summary) = import(&mut fixture, "", &rows);
    assert_eq!(actions(&results), ["created", "updated", "updated", "failed", "failed", "failed"]);
    let codes = [3, 4, 5].map(|at| text(&results[at], "code"));
    assert_eq!(codes, ["does_not_exist", "invalid", "required"]);
    assert_eq!(summary["ignored_columns"], json!(["id"]));
    assert_eq!(results[5]["line"], 6);
    let acme = fixture.lookup("accounts", "Acme Inc.").expect(200);
    let id = text(&acme, "id").to_owned();
    assert_eq!(fixture.value(("accounts", &id), "note"), "n");
    assert_eq!(fixture.value(("accounts", &id), "seats"), Value::Null);
    assert_eq!(fixture.value(("accounts", &id), "tiers").as_array().map(Vec::len), Some(1));
    let mapped = [json!({"Firm": "Initech", "nothing": 1, "junk": 2})];
    let (results, summary) =
        import(&mut fixture, "map.Firm=name&map.junk=&ignore_unknown=true", &mapped);
    assert_eq!(actions(&results), ["created"]);
    assert_eq!(summary["ignored_columns"], json!(["junk", "nothing"]));
}
