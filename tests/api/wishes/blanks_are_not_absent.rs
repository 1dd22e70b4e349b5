//! Absent, null and blank are three things, and some values are for what is empty alone.

use crate::support::{Fixture, assert_includes, field_value, text};
use serde_json::{Value, json};

/// A type of field, two values that it takes, and how those read.
struct Kind {
    name: &'static str,
    old: Value,
    new: Value,
}

impl Kind {
    fn is_text(&self) -> bool {
        self.name.ends_with("text")
    }
}

const SETS: [&str; 4] = ["fields", "set_on_create", "set_on_update", "set_if_empty"];

/// What a request gives for the field.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Given {
    Nothing,
    Null,
    Blank,
    Value,
}

/// What the field is before.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Before {
    NoRecord,
    Empty,
    Value,
}

/// What the field reads as afterwards, told from the rules alone: whether it is the new value, the
/// old one, or none.
fn expected(kind: &Kind, (set, given, before): (&str, Given, Before), ignores: bool) -> Value {
    let old = if before == Before::Value { kind.old.clone() } else { Value::Null };
    let applies = match set {
        "set_on_create" => before == Before::NoRecord,
        "set_on_update" => before != Before::NoRecord,
        "set_if_empty" => before != Before::Value,
        _ => true,
    };
    match given {
        Given::Value if applies => kind.new.clone(),
        Given::Null | Given::Blank if applies && !ignores => Value::Null,
        Given::Nothing | Given::Null | Given::Blank | Given::Value => old,
    }
}

fn fixture() -> (Fixture, [Kind; 4]) {
    let mut fixture = Fixture::new();
    fixture.object("accounts");
    let kinds = [
        Kind { name: "text", old: json!("old"), new: json!("new") },
        Kind { name: "integer", old: json!(1), new: json!(2) },
        Kind { name: "date", old: json!("2026-01-01"), new: json!("2026-02-02") },
        Kind { name: "longtext", old: json!("long"), new: json!("longer") },
    ];
    for Kind { name, .. } in &kinds {
        let field = json!({"field_type": name, "display_name": name, "name": format!("a_{name}")});
        fixture.field("accounts", &field);
    }
    (fixture, kinds)
}

/// All kinds of field at once, of a record of its own.
fn check(fixture: &mut Fixture, kinds: &[Kind; 4], case: (&str, Given, Before), ignores: bool) {
    let (set, given, before) = case;
    let name = format!("{case:?} {ignores}");
    let field = |kind: &Kind| format!("a_{}", kind.name);
    let all = |value: &dyn Fn(&Kind) -> Value| {
        Value::Object(kinds.iter().map(|kind| (field(kind), value(kind))).collect())
    };
    match before {
        Before::NoRecord => {}
        Before::Empty => drop(fixture.create("accounts", &name, &json!({}))),
        Before::Value => {
            drop(fixture.create("accounts", &name, &all(&|kind| kind.old.clone())));
        }
    }
    let entries = match given {
        Given::Nothing => json!({}),
        Given::Null => all(&|_| Value::Null),
        // Of a number or a day a blank is no value, and refused where it is not passed over.
        Given::Blank if ignores => all(&|_| json!(" ")),
        Given::Blank => all(&|kind| if kind.is_text() { json!("") } else { Value::Null }),
        Given::Value => all(&|kind| kind.new.clone()),
    };
    let mut body = json!({"lookup_value": name});
    body[set] = entries;
    let blank = if ignores { "ignore" } else { "clear" };
    let path = format!("/api/records/accounts/upsert?blank={blank}");
    let written = fixture.client.post(&path, &body).expect(200);
    let read = fixture.read("accounts", text(&written, "id")).expect(200);
    for kind in kinds {
        let left = field_value(&read, &field(kind)).cloned().unwrap_or_default();
        assert_eq!(left, expected(kind, case, ignores), "{} {name}", kind.name);
    }
}

#[test]
fn every_set_does_what_it_says_to_every_state_of_a_field() {
    let (mut fixture, kinds) = fixture();
    for set in SETS {
        for given in [Given::Nothing, Given::Null, Given::Blank, Given::Value] {
            for before in [Before::NoRecord, Before::Empty, Before::Value] {
                for ignores in [false, true] {
                    check(&mut fixture, &kinds, (set, given, before), ignores);
                }
            }
        }
    }
    let body = json!({"lookup_value": "A", "fields": {"a_integer": "", "a_text": ""}});
    let refused = fixture.upsert("accounts", &body).expect_error(400, "invalid");
    assert_includes(&refused["errors"], &json!([{"field": "a_integer"}]));
}
