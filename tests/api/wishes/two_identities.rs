//! Where two identifiers mean two records, neither may win in silence.

use crate::support::{Fixture, Request, assert_includes, field_value, send_together, text};
use serde_json::{Map, Value, json};

/// The keys of a request, the most important first, and the fields of each.
const MATCH: &str = "external_id,mail,country+vat_no";
const KEYS: [&[&str]; 3] = [&["external_id"], &["mail"], &["country", "vat_no"]];
/// Whose each key may be.
const HOLDERS: [Option<usize>; 4] = [None, Some(0), Some(1), Some(2)];

fn people() -> Fixture {
    let mut fixture = Fixture::new();
    fixture.object("people");
    for (name, is_unique) in
        [("external_id", true), ("mail", true), ("country", false), ("vat_no", false)]
    {
        let field = json!({
            "field_type": "text", "display_name": name, "name": name, "is_unique": is_unique,
        });
        fixture.field("people", &field);
    }
    fixture.text_field("people", "note");
    let together = json!({"unique_constraints": [["country", "vat_no"]]});
    fixture.client.patch("/api/custom-objects/people", &together).expect(200);
    fixture
}

/// Values of these keys, of nobody outside this case.
fn values(case: &str, keys: impl Iterator<Item = usize>) -> Map<String, Value> {
    let fields = keys.flat_map(|key| KEYS[key].iter());
    fields.map(|field| ((*field).to_owned(), json!(format!("{field} {case}")))).collect()
}

fn check(fixture: &mut Fixture, holders: [Option<usize>; 3]) {
    let case = format!("{holders:?}");
    let mut ids = [const { Value::Null }; 3];
    for (holder, id) in ids.iter_mut().enumerate() {
        let held = (0..3).filter(|key| holders[*key] == Some(holder));
        let fields = Value::Object(values(&case, held));
        *id = fixture.create("people", &format!("{holder} of {case}"), &fields)["id"].clone();
    }
    let body = json!({
        "lookup_value": format!("new of {case}"), "match_values": values(&case, 0..3),
        "fields": {"note": "n"},
    });
    let found: Vec<(usize, usize)> = (0..3).filter_map(|key| Some((key, holders[key]?))).collect();
    let others = found.iter().filter(|(_, holder)| *holder != found[0].1);
    let told: Vec<_> = found.iter().take(1).chain(others).collect();
    let path = |query: &str| format!("/api/records/people/upsert?match={MATCH}{query}");
    if told.len() > 1 {
        let answer = fixture.client.post(&path(""), &body).expect_error(409, "conflict");
        let entry = |field: &str, holder: usize| {
            json!({"field": {"name": field}, "value": format!("{field} {case}"),
                "record": {"id": ids[holder]}})
        };
        let entries = told
            .iter()
            .flat_map(|(key, holder)| KEYS[*key].iter().map(|field| entry(field, *holder)));
        let expected = json!({
            "kind": "identity_conflict", "matches": entries.collect::<Vec<_>>(),
        });
        assert_includes(&answer["conflict"], &expected);
    }
    let answer = fixture.client.post(&path("&on_identity_conflict=first"), &body).expect(200);
    if let Some((_, holder)) = found.first() {
        return assert_includes(&answer, &json!({"action": "updated", "id": ids[*holder]}));
    }
    assert_eq!(answer["action"], "created", "{case}");
    for field in KEYS.concat() {
        let given = json!(format!("{field} {case}"));
        assert_eq!(field_value(&answer, field), Some(&given), "{case}");
    }
}

#[test]
fn every_way_in_which_three_keys_can_mean_three_records_is_told() {
    let mut fixture = people();
    for first in HOLDERS {
        for second in HOLDERS {
            for third in HOLDERS {
                check(&mut fixture, [first, second, third]);
            }
        }
    }
}

#[test]
fn clients_that_race_with_names_of_their_own_make_one_record_for_a_key() {
    let mut fixture = people();
    let path = format!("/api/records/people/upsert?match={MATCH}");
    let requests = (0..64)
        .map(|client: usize| {
            let body = json!({
                "lookup_value": format!("Person {client}"),
                "match_values": values("race", 0..3), "fields": {"note": format!("of {client}")},
            });
            (fixture.server.client(), Request::new("POST", &path).json(&body))
        })
        .collect();
    let answers: Vec<Value> =
        send_together(requests).iter().map(|answer| answer.expect(200)).collect();
    let created = answers.iter().filter(|answer| answer["action"] == "created").count();
    let id = text(&answers[0], "id");
    assert!(answers.iter().all(|answer| text(answer, "id") == id));
    let count = fixture.client.get("/api/records/people").expect(200)["count"].clone();
    assert_eq!((created, count), (1, json!(1)));
}
