//! Values of records that no field takes: one at a time, and all of a request at once.

use crate::api::bad_input::assert_unchanged;
use crate::api::bad_input::judge::{faults, refusal};
use crate::api::bad_input::route::Route;
use crate::api::bad_input::scene::Scene;
use crate::api::bad_input::table::routes;
use crate::support::Answer;
use serde_json::{Value, json};

/// A field, a value as JSON spells it, and the code that refuses it.
type Refused = (&'static str, String, &'static str);

fn refused() -> Vec<Refused> {
    let mut all = Vec::new();
    for (field, code, values) in LISTS {
        all.extend(values.iter().map(|value| (*field, (*value).to_owned(), *code)));
    }
    let long = |len: usize| format!("\"{}\"", "é".repeat(len));
    let listed = |len: usize, value: &dyn Fn(usize) -> String| {
        format!("[{}]", (0..len).map(value).collect::<Vec<_>>().join(","))
    };
    let id = |number: usize| format!("\"0192f7d2-0000-7000-8000-{number:012x}\"");
    all.extend([
        ("note", long(256), "max_length"),
        ("story", long(100_001), "max_length"),
        ("mail", format!("\"{}@example.com\"", "x".repeat(243)), "max_length"),
        ("labels", format!("[{}]", long(101)), "max_length"),
        ("labels", listed(201, &|at| format!("\"tag {at}\"")), "limit_exceeded"),
        ("papers", listed(101, &id), "limit_exceeded"),
        ("seats", "9".repeat(10_000), "max_value"),
        ("score", "9".repeat(10_000), "max_digits"),
        ("score", format!("0.{}", "3".repeat(10_000)), "max_decimal_places"),
    ]);
    all
}

/// By field and code.
const LISTS: &[(&str, &str, &[&str])] = &[
    (
        "note",
        "invalid",
        &["[]", "{}", r#"["x"]"#, r#""a\u0000b""#, r#""\u001b[0m""#, r#""a\u0008""#],
    ),
    ("story", "invalid", &["[]", "{}", r#""a\u0000b""#, r#""\u001f""#]),
    (
        "mail",
        "invalid",
        &[
            "7",
            "true",
            "[]",
            "{}",
            r#""a""#,
            r#""a@b@c.de""#,
            r#""@b.de""#,
            r#""a@""#,
            r#""a b@c.de""#,
            r#""a@-b.de""#,
            r#""a@b..de""#,
            r#""a@b.de\u0000""#,
            r#""a@b.de\nbcc: c@d.ef""#,
        ],
    ),
    (
        "phone",
        "invalid",
        &[
            "[]",
            "{}",
            r#""abc""#,
            r#""12""#,
            r#""+999999999999999999""#,
            r#""+1 650 253 0000\u0000""#,
        ],
    ),
    (
        "seats",
        "invalid",
        &[
            "true",
            "[]",
            "{}",
            "1.5",
            "1e-1",
            r#""x""#,
            r#""NaN""#,
            r#""Infinity""#,
            r#""0x10""#,
            r#""１２""#,
            r#""1,000""#,
            r#""1 0""#,
            r#""--1""#,
            r#""1\u0000""#,
        ],
    ),
    ("seats", "max_value", &["2147483648", "1e400", r#""2147483648""#]),
    ("seats", "min_value", &["-2147483649", "-1e400"]),
    (
        "score",
        "invalid",
        &["true", "[]", "{}", r#""NaN""#, r#""Infinity""#, r#""0x10""#, r#""1,5""#, r#""١""#],
    ),
    ("score", "max_digits", &["1e400", "1000000000000000", "-1e15", r#""1e99999999999999999999""#]),
    ("score", "max_decimal_places", &["0.0000001", "1e-400", "-1e-7"]),
    (
        "worth",
        "invalid",
        &["true", "[]", "{}", r#"{"amount":[]}"#, r#"{"currency":"USD"}"#, r#""NaN""#, r#""€5""#],
    ),
    ("worth", "max_decimal_places", &["0.001", r#""1.999""#]),
    (
        "since",
        "invalid",
        &[
            "7",
            "true",
            "[]",
            "{}",
            r#""2026-02-30""#,
            r#""2026-13-01""#,
            r#""2026-00-10""#,
            r#""24.11.2026""#,
            r#""0000-00-00""#,
            r#""+12026-01-01""#,
            r#""2026-11-24\u0000""#,
        ],
    ),
    (
        "met",
        "invalid",
        &[
            "7",
            "true",
            "[]",
            "{}",
            r#""2026-02-30T00:00:00Z""#,
            r#""2026-11-24T24:30:00Z""#,
            r#""2026-11-24T00:00:00+99:00""#,
            r#""now""#,
            r#""99999-01-01T00:00:00Z""#,
        ],
    ),
    ("vip", "invalid", &["2", "-1", "[]", "{}", r#""maybe""#, "0.5"]),
    ("sure", "does_not_exist", &[r#""perhaps""#, r#"{"name":"perhaps"}"#]),
    ("region", "does_not_exist", &[r#""West""#, r#"{"name":"West"}"#, r#"{"id":"West"}"#]),
    ("region", "invalid", &["[]", "{}", r#"["North","South"]"#, r#"{"id":[]}"#, r#"{"name":{}}"#]),
    ("kinds", "does_not_exist", &[r#"["C"]"#, r#"["A","C"]"#]),
    ("kinds", "invalid", &["{}", "[[]]", "[{}]", "true"]),
    ("labels", "invalid", &["[[]]", "[{}]", r#"["a\u0000b"]"#, "true"]),
    ("stars", "min_value", &["0", "-1", r#""0""#]),
    ("stars", "max_value", &["6", "1e2"]),
    ("stars", "invalid", &["1.5", "[]", "{}", "true", r#""NaN""#]),
    ("zone", "does_not_exist", &[r#""Mars/Olympus""#, r#""../../etc/passwd""#]),
    ("zone", "invalid", &["7", "[]", "{}"]),
    (
        "manager",
        "does_not_exist",
        &[r#""nobody""#, r#"{"email":"nobody@example.com"}"#, r#"{"id":"x"}"#],
    ),
    ("manager", "invalid", &["7", "[]", "{}", r#"{"email":7}"#]),
    ("papers", "invalid", &[r#"["x"]"#, "[7]", "{}", "true", "[null]"]),
];

fn writes() -> Vec<Route> {
    let takes_fields = |route: &Route| route.keys.iter().any(|key| key.path == "fields");
    routes().into_iter().filter(takes_fields).collect()
}

/// Sends the good request of a route with other `fields`.
fn send(scene: &mut Scene, route: &Route, fields: &str) -> Answer {
    let mut body = route.good_body().expect("a route that takes fields has a body").clone();
    body["fields"] = Value::String("$".to_owned());
    let body = body.to_string().replace("\"$\"", fields);
    let request = route.request(&scene.target(route, ""));
    scene.send(&request.header("Content-Type", "application/json").body(body.as_bytes()))
}

#[test]
fn each_field_refuses_what_it_does_not_take() {
    let mut scene = Scene::new();
    let before = scene.state();
    let routes = writes();
    let patch = routes.iter().find(|route| route.method == "PATCH").expect("one of them is it");
    let mut wrong = Vec::new();
    for (field, value, code) in refused() {
        let good = r#"{"name":"code","value":"c-2"}"#;
        let answer =
            send(&mut scene, patch, &format!(r#"[{good},{{"name":"{field}","value":{value}}}]"#));
        if answer.status != 400 {
            wrong.push(format!("{field} takes {}: {answer}", &value[..value.len().min(40)]));
            continue;
        }
        let body = refusal(&answer, patch);
        let is_placed =
            body["fields"][0] == serde_json::json!({}) && body["fields"][1]["value"].is_array();
        if faults(&body) != [(code.to_owned(), field.to_owned())]
            || !is_placed
            || body["errors"][0]["index"] != 1
        {
            wrong.push(format!("{code} is not {answer}"));
        }
    }
    assert!(wrong.is_empty(), "{} answers are wrong:\n{}", wrong.len(), wrong.join("\n"));
    assert_unchanged(&before, &scene.state(), "a refused value");
}

/// The first refused value of each field, with its code.
fn one_of_each() -> Vec<Refused> {
    let mut one = Vec::new();
    for refused in refused() {
        if !one.iter().any(|(field, _, _): &Refused| *field == refused.0) {
            one.push(refused);
        }
    }
    one
}

#[test]
fn all_faults_of_fields_are_told_at_once_by_every_write() {
    let mut scene = Scene::new();
    let before = scene.state();
    let refused = one_of_each();
    let expected: Vec<_> =
        refused.iter().map(|(field, _, code)| ((*code).to_owned(), (*field).to_owned())).collect();
    let entry = |(field, value, _): &Refused| format!(r#"{{"name":"{field}","value":{value}}}"#);
    let list: Vec<String> = refused.iter().map(entry).collect();
    let named = |(field, value, _): &Refused| format!(r#""{field}":{value}"#);
    let object: Vec<String> = refused.iter().map(named).collect();
    let name = r#"{"name":"name","value":"Somebody"}"#;
    for route in writes() {
        println!("{}", route.line());
        let answer = send(&mut scene, &route, &format!("[{name},{}]", list.join(",")));
        let body = refusal(&answer, &route);
        assert_eq!(faults(&body), expected, "{answer}");
        assert_eq!(body["code"], "invalid", "{answer}");
        let entries = body["fields"].as_array().expect("a list was sent");
        assert_eq!((entries.len(), &entries[0]), (refused.len() + 1, &json!({})), "{answer}");
        assert!(entries[1..].iter().all(|entry| entry["value"].is_array()), "{answer}");

        let fields = format!(r#"{{"name":"Somebody",{}}}"#, object.join(","));
        let answer = send(&mut scene, &route, &fields);
        let body = refusal(&answer, &route);
        assert_eq!(faults(&body), expected, "{answer}");
        let entries = body["fields"].as_object().expect("an object was sent");
        assert_eq!(entries.len(), refused.len(), "the faulty ones: {answer}");
        assert!(entries.values().all(|entry| entry["value"].is_array()), "{answer}");
    }
    assert_unchanged(&before, &scene.state(), "a refused value");
}

/// Whoever it is that asks: some fields are written by nobody.
#[test]
fn every_field_that_nobody_writes_is_named() {
    let mut scene = Scene::new();
    let before = scene.state();
    let sealed = ["sealed", "created", "updated", "display_name"];
    for route in writes() {
        println!("{}", route.line());
        let entry = |name: &&str| format!(r#"{{"name":"{name}","value":"x"}}"#);
        let list: Vec<String> = sealed.iter().map(entry).collect();
        let fields = format!(r#"[{{"name":"note","value":[]}},{}]"#, list.join(","));
        let answer = send(&mut scene, &route, &fields);
        let body = refusal(&answer, &route);
        assert_eq!(
            (answer.status, &body["code"]),
            (403, &"forbidden_field_write".into()),
            "{answer}"
        );
        let found = faults(&body);
        let found: Vec<&str> = found.iter().map(|(_, field)| &**field).collect();
        assert_eq!(found, sealed, "the rights of fields come before their values: {answer}");
        assert_eq!(body["fields"][0], json!({}), "{answer}");
        assert!(body["fields"][1]["name"].is_array(), "{answer}");
    }
    assert_unchanged(&before, &scene.state(), "a forbidden field");
}

/// Entries that do not say what is to be done, or to what, or that say it twice.
#[test]
fn every_entry_that_says_nothing_is_told() {
    let mut scene = Scene::new();
    let before = scene.state();
    let shapes = r#"[7,[],null,{},{"value":1},{"name":"note"},{"name":7,"value":1},{"id":[],"value":1},
        {"name":"note","value":1,"add_values":[1]}]"#;
    let entries = r#"[{"name":"nonsense","value":1},{"id":"nonsense","value":1},{"name":"note","value":"a"},
        {"name":"note","value":"b"},{"name":"Note","value":"c"},{"name":"labels","add_values":{}},
        {"name":"kinds","remove_values":7},{"name":"code","add_values":["x"]}]"#;
    for route in writes() {
        println!("{}", route.line());
        let answer = send(&mut scene, &route, shapes);
        let body = refusal(&answer, &route);
        let indexes: Vec<_> = errors(&body).iter().map(|error| error["index"].clone()).collect();
        assert_eq!(indexes, (0..9).map(|index| json!(index)).collect::<Vec<_>>(), "{answer}");
        let codes: Vec<_> = faults(&body).into_iter().map(|(code, _)| code).collect();
        let invalid = "invalid";
        assert_eq!(
            codes,
            [
                invalid, invalid, invalid, "required", "required", "required", invalid, invalid,
                invalid
            ],
            "{answer}"
        );
        let answer = send(&mut scene, &route, entries);
        let body = refusal(&answer, &route);
        let told: Vec<_> = errors(&body)
            .iter()
            .filter(|error| error.get("index").is_some())
            .map(|error| (error["index"].as_u64(), error["code"].as_str()))
            .collect();
        let expected = [
            (Some(0), Some("does_not_exist")),
            (Some(1), Some("does_not_exist")),
            (Some(3), Some("duplicate_field")),
            (Some(4), Some("does_not_exist")),
            (Some(5), Some("invalid")),
            (Some(6), Some("invalid")),
            (Some(7), Some("invalid")),
        ];
        assert_eq!(told, expected, "{answer}");
    }
    assert_unchanged(&before, &scene.state(), "an entry");
}

fn errors(body: &Value) -> &[Value] {
    body["errors"].as_array().expect("errors are a list")
}
