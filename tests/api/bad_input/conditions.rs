//! Searches whose conditions make no sense: every type of field with every condition and operands of
//! every kind.

use crate::api::bad_input::judge::{faults, refusal};
use crate::api::bad_input::route::Route;
use crate::api::bad_input::scene::Scene;
use crate::api::bad_input::table::routes;
use crate::support::Answer;
use serde_json::{Value, json};

const FIELDS: &[&str] = &[
    "name",
    "display_name",
    "created",
    "owner",
    "note",
    "story",
    "mail",
    "phone",
    "seats",
    "score",
    "worth",
    "since",
    "met",
    "vip",
    "sure",
    "region",
    "kinds",
    "labels",
    "stars",
    "zone",
    "manager",
    "papers",
];

const CONDITIONS: &[&str] = &[
    "=",
    "!=",
    "<",
    "<=",
    ">",
    ">=",
    "between",
    "contains",
    "!contains",
    "starts_with",
    "ends_with",
    "is_any_of",
    "is_none_of",
    "has",
    "!has",
    "has_any",
    "has_all",
    "has_none",
    "month_equals",
    "is_blank",
];

/// Operands as JSON spells them.
const OPERANDS: &[&str] = &[
    "null",
    "true",
    "-0",
    "1e400",
    "1.5",
    r#""""#,
    r#""\u0000""#,
    r#""NaN""#,
    r#""2026-02-30""#,
    "[]",
    "{}",
    "[null]",
    "[[]]",
    "[1e400,-1e400]",
    r#"["9999-12-31","0001-01-01"]"#,
    r#"["a","b","c"]"#,
];

fn search() -> Route {
    let line = "POST /api/records/{object}/search";
    routes().into_iter().find(|route| route.line() == line).expect("the table has it")
}

fn send(scene: &mut Scene, route: &Route, query: &str) -> Answer {
    let request = route.request(&scene.target(route, ""));
    let body = format!("{{\"query\":{query}}}");
    scene.send(&request.header("Content-Type", "application/json").body(body.as_bytes()))
}

/// Many conditions go in one request: each that is at fault is told with its place.
#[test]
fn no_condition_breaks_a_search() {
    let (mut scene, route) = (Scene::new(), search());
    let (mut taken, mut refused) = (0, 0);
    for (row, field) in FIELDS.iter().enumerate() {
        for (column, condition) in CONDITIONS.iter().enumerate() {
            let filters: Vec<String> =
                OPERANDS.iter().map(|value| filter(field, condition, value)).collect();
            let answer =
                send(&mut scene, &route, &format!("[{{\"filters\":[{}]}}]", filters.join(",")));
            let body = refusal(&answer, &route);
            assert_eq!(answer.status, 400, "null is an operand of no condition: {answer}");
            let places = faults(&body);
            assert!(
                places.iter().all(|(_, place)| place.starts_with("query[0].filters[")),
                "{answer}"
            );
            // Each alone is told or taken as it is among the others.
            let at = (7 * row + column) % OPERANDS.len();
            let alone = send(&mut scene, &route, &format!("[{{\"filters\":[{}]}}]", filters[at]));
            let place = format!("query[0].filters[{at}].");
            if places.iter().any(|(_, found)| found.starts_with(&place)) {
                refusal(&alone, &route);
                refused += 1;
            } else {
                alone.expect(200);
                taken += 1;
            }
        }
    }
    assert!(taken > 0 && refused > 0, "{taken} were taken, {refused} refused");
}

fn filter(field: &str, condition: &str, value: &str) -> String {
    format!(
        r#"{{"type":"fields_v2","subtype":"custom","field":"{field}","condition":"{condition}","value":{value}}}"#
    )
}

/// The keys of a condition and of a group, each with what it does not take.
#[test]
fn every_part_of_a_query_has_its_shape() {
    let (mut scene, route) = (Scene::new(), search());
    let good = json!({
        "type": "fields_v2", "subtype": "custom", "field": "note", "condition": "=", "value": "x",
    });
    for (key, value, code) in [
        ("type", json!(7), "invalid"),
        ("type", json!("nonsense"), "unsupported_filter"),
        ("field", Value::Null, "null"),
        ("field", json!([]), "invalid"),
        ("field", json!("nonsense"), "does_not_exist"),
        ("field", json!(""), "blank"),
        ("condition", Value::Null, "null"),
        ("condition", json!({}), "invalid"),
        ("condition", json!("nonsense"), "unsupported_filter"),
        ("value", Value::Null, "invalid"),
        ("value", json!([]), "invalid"),
    ] {
        let mut filter = good.clone();
        filter[key] = value;
        let query = json!([{"filters": [filter]}]);
        let answer = send(&mut scene, &route, &query.to_string());
        let body = refusal(&answer, &route);
        let place = format!("query[0].filters[0].{key}");
        assert_eq!(faults(&body), [(code.to_owned(), place)], "{answer}");
    }
    for key in ["field", "condition"] {
        let mut filter = good.clone();
        filter.as_object_mut().expect("it is an object").remove(key);
        let answer = send(&mut scene, &route, &json!([{"filters": [filter]}]).to_string());
        let body = refusal(&answer, &route);
        let place = format!("query[0].filters[0].{key}");
        assert_eq!(faults(&body), [("required".to_owned(), place)], "{answer}");
    }
    for (group, code) in [
        (json!({"filters": 7}), "invalid"),
        (json!({"filters": [7]}), "invalid"),
        (json!({"filters": [good], "and": "maybe"}), "invalid"),
        (json!({"query": {}}), "invalid"),
    ] {
        let answer = send(&mut scene, &route, &json!([group]).to_string());
        let body = refusal(&answer, &route);
        let found = faults(&body);
        assert!(
            found.iter().all(|(found, place)| found == code && place.starts_with("query[0]")),
            "{answer}"
        );
    }
}

/// Cursors are made by the server: one that was touched is refused, whatever was touched.
#[test]
fn a_cursor_that_was_touched_is_no_cursor() {
    let mut scene = Scene::new();
    let target =
        format!("/api/records/{}?archived=include&page_size=1&cursor=", scene.own("object"));
    let page = scene.fixture.client.get(&target).expect(200);
    let next = page["next"].as_str().expect("there is another page").to_owned();
    let cursor = next.split("cursor=").nth(1).and_then(|rest| rest.split('&').next());
    let cursor = cursor.expect("a link to the next page has a cursor").to_owned();
    let list = Route::new("GET /api/records/{object}", 200);
    let mut touched =
        vec![format!("{cursor}A"), cursor[1..].to_owned(), cursor[..cursor.len() - 1].to_owned()];
    for at in 0..cursor.len() {
        for by in ["A", "z", "0", "-", "_", "%00"] {
            touched.push(format!("{}{by}{}", &cursor[..at], &cursor[at + 1..]));
        }
    }
    let mut refused = 0;
    for cursor in &touched {
        let answer = scene.fixture.client.get(&format!("{target}{cursor}"));
        if answer.status != 200 {
            refusal(&answer, &list);
            refused += 1;
        }
    }
    assert!(refused > 0, "{} were all taken", touched.len());
    scene.fixture.client.get(&format!("{target}{cursor}")).expect(200);
}
