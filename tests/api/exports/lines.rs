//! Exports as lines of JSON: what is in them, in which order, and what may be asked for.

use crate::api::exports::{EXPORT, accounts, by_id, lines};
use crate::support::{Fixture, Request, assert_includes, text};
use serde_json::{Value, json};

/// The names of the records, in the order of the lines.
fn names(lines: &[Value]) -> Vec<&str> {
    lines.iter().map(|line| text(line, "name")).collect()
}

#[test]
fn a_line_is_a_read_answer_with_its_values_by_name() {
    let mut fixture = accounts();
    let body =
        json!({"field_type": "dropdown", "display_name": "Region", "options": [{"name": "North"}]});
    fixture.field("accounts", &body);
    let made = fixture.create("accounts", "Acme", &json!({"note": "a\n\"b\"", "region": "North"}));
    fixture.create("accounts", "Globex", &json!({}));
    let answer = fixture.client.get(EXPORT);
    let found = lines(&answer);
    assert_eq!(names(&found), ["Acme", "Globex"]);
    let mut read = fixture.read("accounts", text(&made, "id")).expect(200);
    let fields = read["fields"].take();
    let values = fields.as_object().expect("fields are an object").values();
    let by_name: Value =
        values.map(|field| (text(field, "name").to_owned(), field["value"].clone())).collect();
    read["fields"] = by_name;
    assert_eq!(found[0], read, "nothing more and nothing less");
    assert_eq!(found[0]["fields"]["note"], "a\n\"b\"");
    assert_eq!(found[0]["fields"]["region"]["name"], "North");
    assert!(found[1]["fields"].get("note").is_none(), "a blank is absent");
}

#[test]
fn lines_come_in_the_order_of_ids_whatever_has_changed() {
    let mut fixture = accounts();
    for at in 0..30 {
        fixture.create("accounts", &format!("Account {at}"), &json!({}));
    }
    for at in [7, 3, 29] {
        let body = json!({"lookup_value": format!("Account {at}"), "fields": {"note": "n"}});
        fixture.upsert("accounts", &body).expect(200);
    }
    let found = lines(&fixture.client.get(EXPORT));
    let ids: Vec<&str> = found.iter().map(|line| text(line, "id")).collect();
    assert!(ids.is_sorted() && ids.len() == 30, "{ids:?}");
}

#[test]
fn archived_records_and_fields_are_chosen() {
    let mut fixture = accounts();
    fixture.create("accounts", "Acme", &json!({"note": "a"}));
    fixture.create_archived("accounts", "Gone", &json!({"note": "g"}));
    for (archived, expected) in
        [("exclude", vec!["Acme"]), ("include", vec!["Acme", "Gone"]), ("only", vec!["Gone"])]
    {
        let found = lines(&fixture.client.get(&format!("{EXPORT}?archived={archived}")));
        assert_eq!(names(&found), expected);
        for line in &found {
            assert_eq!(line["archived_at"].is_string(), line["name"] == "Gone", "{line}");
        }
    }
    let found = lines(&fixture.client.get(&format!("{EXPORT}?field_names=note,nonsense")));
    assert_eq!(found[0]["fields"], json!({"note": "a"}));
}

#[test]
fn a_query_chooses_records() {
    let mut fixture = accounts();
    for (name, note) in [("Acme", "a"), ("Globex", "b"), ("Initech", "a")] {
        fixture.create("accounts", name, &json!({"note": note}));
    }
    let query =
        json!({"query": [{"filters": [{"field": "note", "condition": "=", "value": "a"}]}]});
    let answer = fixture.client.post(EXPORT, &query);
    assert_eq!(names(&lines(&answer)), ["Acme", "Initech"]);
    assert!(answer.header("X-Cursor").is_some() && answer.header("X-Seq").is_none());
    let two = json!({"field_names": ["note"], "archived": "only"});
    assert_eq!(lines(&fixture.client.post(EXPORT, &two)).len(), 0);
    assert_eq!(lines(&fixture.send(&Request::new("POST", EXPORT))).len(), 3, "without a body all");
    let bad = json!({"query": [{"filters": [{"field": "nothing", "condition": "=", "value": 1}]}]});
    fixture.client.post(EXPORT, &bad).expect_error(400, "does_not_exist");
    let strict = format!("{EXPORT}?strict=true");
    for key in ["page", "ordering", "search"] {
        fixture.client.post(&strict, &json!({key: "1"})).expect_error(400, "unknown_parameter");
    }
}

#[test]
fn the_form_is_chosen_by_a_parameter_or_by_what_is_accepted() {
    let mut fixture = accounts();
    let mut type_of = |target: &str, accept: &str| {
        let answer = fixture.send(&Request::new("GET", target).header("Accept", accept));
        (answer.status, answer.header("Content-Type").unwrap_or_default().to_owned())
    };
    let (ndjson, csv) = ("application/x-ndjson", "text/csv; charset=utf-8");
    assert_eq!(type_of(EXPORT, "*/*"), (200, ndjson.to_owned()));
    assert_eq!(type_of(EXPORT, "text/csv"), (200, csv.to_owned()));
    assert_eq!(type_of(&format!("{EXPORT}?format=csv"), ndjson), (200, csv.to_owned()));
    assert_eq!(type_of(&format!("{EXPORT}?format=csv"), "image/png"), (200, csv.to_owned()));
    assert_eq!(type_of(EXPORT, "image/png").0, 406);
    let bad = fixture.client.get(&format!("{EXPORT}?format=xml&archived=all&labels=perhaps"));
    let errors = &bad.expect_error(400, "invalid")["errors"];
    let codes: Vec<&str> = [0, 1, 2].iter().map(|at| text(&errors[*at], "code")).collect();
    assert_eq!(codes, ["invalid_choice", "invalid_choice", "invalid"]);
}

#[test]
fn a_head_tells_the_cursor_and_nothing_else() {
    let mut fixture = accounts();
    fixture.create("accounts", "Acme", &json!({}));
    let answer = fixture.send(&Request::new("HEAD", EXPORT));
    assert_eq!((answer.status, answer.body.len()), (200, 0));
    assert_eq!(answer.header("Content-Type"), Some("application/x-ndjson"));
    let cursor = answer.header("X-Cursor").expect("an export has a cursor").to_owned();
    fixture.create("accounts", "Globex", &json!({}));
    let page = fixture.client.get(&format!("/api/records/accounts/changes?after={cursor}"));
    let page = page.expect(200);
    assert_eq!(page["results"].as_array().map(Vec::len), Some(1), "{page}");
    assert_includes(&page["results"][0], &json!({"keys": {"name": "Globex"}}));
}

#[test]
fn relationships_are_shown_with_all_their_values() {
    let mut fixture = Fixture::new();
    fixture.object("accounts");
    fixture.object("people");
    let relation = json!({
        "field_type": "relationship", "display_name": "Buyers",
        "relation": {"related_object": "people", "relation_type": "additional"},
    });
    fixture.field("accounts", &relation);
    let mut ids = Vec::new();
    for at in 0..130 {
        let made = fixture.create("people", &format!("Person {at}"), &json!({}));
        ids.push(text(&made, "id").to_owned());
    }
    let acme = fixture.create("accounts", "Acme", &json!({"buyers": ids}));
    let read = fixture.read("accounts", text(&acme, "id")).expect(200);
    let shown = read["fields"].as_object().expect("fields are an object").values();
    assert!(shown.clone().any(|field| field["value_summary"]["count"] == 130), "{read}");
    let found = lines(&fixture.client.get(EXPORT));
    let buyers = found[0]["fields"]["buyers"].as_array().expect("a list of records");
    let exported: Vec<&str> = buyers.iter().map(|buyer| text(buyer, "id")).collect();
    assert_eq!(exported, ids);
    assert_includes(&buyers[129], &json!({"name": "Person 129", "display_name": "Person 129"}));
    // The other side too.
    let people = fixture.client.get("/api/records/people/export");
    let (people, _) = by_id(&people);
    assert_eq!(people.len(), 130);
    let names = people.values().map(|person| person["fields"].as_object().expect("an object"));
    assert!(names.clone().all(|fields| fields.values().any(|value| value[0]["name"] == "Acme")));
}
