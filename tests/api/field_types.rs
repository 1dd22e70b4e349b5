//! Every field type: what may be written, how it reads back, what is refused and as what; and that
//! a value survives a crash exactly as it was read before.

use crate::api::further_types;
use crate::support::{Fixture, assert_includes, field_value, text};
use serde_json::{Value, json};

/// What is written, and the value that reads back (null: none) or the code of the refusal.
pub(crate) type Row = (Value, Result<Value, &'static str>);

/// A field of a type, and its rows; some need to know the field as it was made.
pub(crate) struct Type {
    pub(crate) name: &'static str,
    pub(crate) field: Value,
    pub(crate) rows: fn(&Value, &Member) -> Vec<Row>,
}

/// Who writes.
pub(crate) struct Member {
    pub(crate) id: String,
}

fn types() -> Vec<Type> {
    let of = |name, field, rows| Type { name, field, rows };
    vec![
        of("text", json!({}), text_rows),
        of("longtext", json!({}), longtext_rows),
        of("email", json!({}), email_rows),
        of("integer", json!({}), integer_rows),
        of("decimal", json!({}), decimal_rows),
        of("decimal", json!({"decimal_options": {"min_value": 0, "max_value": 10}}), bounded_rows),
        of("checkbox", json!({}), checkbox_rows),
        of("date", json!({}), date_rows),
        of("datetime", json!({}), datetime_rows),
        of(
            "dropdown",
            json!({"options": [{"name": "North", "code": "n"}, {"name": "South"}]}),
            dropdown_rows,
        ),
        of("dynamictags", json!({}), tag_rows),
        of("team_selector", json!({}), member_rows),
        of("team_selector", json!({"allow_multiple": true}), members_rows),
    ]
}

/// A number in exactly these digits.
pub(crate) fn number(digits: &str) -> Value {
    serde_json::from_str(digits).expect("it is in the grammar of a JSON number")
}

pub(crate) fn same(value: Value) -> Row {
    (value.clone(), Ok(value))
}

pub(crate) fn reads(written: Value, read: Value) -> Row {
    (written, Ok(read))
}

pub(crate) fn refused(written: Value, code: &'static str) -> Row {
    (written, Err(code))
}

fn text_rows(_: &Value, _: &Member) -> Vec<Row> {
    vec![
        same(json!("plain")),
        same(json!("tab\tand\nline")),
        reads(json!("  ends \n"), json!("ends")),
        reads(json!(5), json!("5")),
        reads(json!(true), json!("true")),
        reads(json!(""), json!(null)),
        reads(json!(null), json!(null)),
        same(json!("é".repeat(255))),
        refused(json!("é".repeat(256)), "max_length"),
        refused(json!(["x"]), "invalid"),
        refused(json!({"x": 1}), "invalid"),
    ]
}

fn longtext_rows(_: &Value, _: &Member) -> Vec<Row> {
    vec![
        same(json!(" ends stay \n")),
        same(json!("x".repeat(100_000))),
        reads(json!(""), json!(null)),
        refused(json!("x".repeat(100_001)), "max_length"),
        refused(json!("nul\u{0}"), "invalid"),
        refused(json!([]), "invalid"),
    ]
}

fn email_rows(_: &Value, _: &Member) -> Vec<Row> {
    let long = format!("a@{}.com", "x.".repeat(130));
    vec![
        same(json!("Ada@Example.COM")),
        same(json!("ada+news@mail.example.co.uk")),
        same(json!("ada@münchen.example")),
        reads(json!(" ada@example.com "), json!("ada@example.com")),
        reads(json!(""), json!(null)),
        refused(json!("ada"), "invalid"),
        refused(json!("a@b@example.com"), "invalid"),
        refused(json!("@example.com"), "invalid"),
        refused(json!("a@"), "invalid"),
        refused(json!("a@-example.com"), "invalid"),
        refused(json!("a@example..com"), "invalid"),
        refused(json!(long), "max_length"),
        refused(json!(5), "invalid"),
    ]
}

fn integer_rows(_: &Value, _: &Member) -> Vec<Row> {
    vec![
        same(json!(0)),
        same(json!(-2_147_483_648)),
        same(json!(2_147_483_647)),
        reads(json!("42"), json!(42)),
        reads(number("5.0"), json!(5)),
        reads(number("1e3"), json!(1000)),
        reads(json!(null), json!(null)),
        refused(json!(2_147_483_648_i64), "max_value"),
        refused(json!(-2_147_483_649_i64), "min_value"),
        refused(number("5.5"), "invalid"),
        refused(json!("five"), "invalid"),
        refused(json!(true), "invalid"),
        refused(json!([1]), "invalid"),
        refused(number("1e999999999"), "max_value"),
    ]
}

fn decimal_rows(_: &Value, _: &Member) -> Vec<Row> {
    vec![
        same(number("12.5")),
        same(number("-0.25")),
        same(number("999999999999999.999999")),
        same(number("0.1")),
        reads(number("5"), number("5.0")),
        reads(number("0"), number("0.0")),
        reads(number("12.500"), number("12.5")),
        reads(number("1.50000000"), number("1.5")),
        reads(number("1e2"), number("100.0")),
        reads(json!("12.50"), number("12.5")),
        reads(json!(null), json!(null)),
        refused(number("1000000000000000"), "max_digits"),
        refused(number("0.0000001"), "max_decimal_places"),
        refused(json!("twelve"), "invalid"),
        refused(json!(true), "invalid"),
    ]
}

fn bounded_rows(_: &Value, _: &Member) -> Vec<Row> {
    vec![
        reads(number("0"), number("0.0")),
        reads(number("10"), number("10.0")),
        refused(number("-0.000001"), "min_value"),
        refused(number("10.000001"), "max_value"),
    ]
}

fn checkbox_rows(_: &Value, _: &Member) -> Vec<Row> {
    vec![
        same(json!(true)),
        same(json!(false)),
        reads(json!("true"), json!(true)),
        reads(json!("false"), json!(false)),
        reads(json!("yes"), json!(true)),
        reads(json!("no"), json!(false)),
        reads(json!(1), json!(true)),
        reads(json!(0), json!(false)),
        reads(json!(null), json!(false)),
        refused(json!("perhaps"), "invalid"),
        refused(json!(2), "invalid"),
        refused(json!([]), "invalid"),
    ]
}

fn date_rows(_: &Value, _: &Member) -> Vec<Row> {
    vec![
        same(json!("2026-11-24")),
        same(json!("2024-02-29")),
        same(json!("1900-01-01")),
        reads(json!("2026-11-24T23:30:00Z"), json!("2026-11-24")),
        reads(json!(null), json!(null)),
        refused(json!("2026-02-29"), "invalid"),
        refused(json!("2026-13-01"), "invalid"),
        refused(json!("24.11.2026"), "invalid"),
        refused(json!(20_261_124), "invalid"),
        refused(json!(true), "invalid"),
    ]
}

fn datetime_rows(_: &Value, _: &Member) -> Vec<Row> {
    vec![
        same(json!("2026-11-24T05:40:00.123000+00:00")),
        reads(json!("2026-11-24T05:40:00Z"), json!("2026-11-24T05:40:00.000000+00:00")),
        reads(json!("2026-11-24T05:40:00"), json!("2026-11-24T05:40:00.000000+00:00")),
        reads(json!("2026-11-24T01:40:00.123+02:00"), json!("2026-11-23T23:40:00.123000+00:00")),
        reads(json!("2026-11-24"), json!("2026-11-24T00:00:00.000000+00:00")),
        reads(json!("1969-12-31T23:59:59.999Z"), json!("1969-12-31T23:59:59.999000+00:00")),
        reads(json!(null), json!(null)),
        refused(json!("2026-02-30T00:00:00Z"), "invalid"),
        refused(json!("2026-11-24T25:00:00Z"), "invalid"),
        refused(json!("yesterday"), "invalid"),
        refused(json!(5), "invalid"),
    ]
}

fn dropdown_rows(field: &Value, _: &Member) -> Vec<Row> {
    let north = json!({"id": field["options"][0]["id"], "code": "n", "name": "North"});
    let south = json!({"id": field["options"][1]["id"], "code": "", "name": "South"});
    vec![
        reads(north["id"].clone(), north.clone()),
        reads(json!(text(&north, "id").to_uppercase()), north.clone()),
        reads(json!({"id": north["id"]}), north.clone()),
        reads(json!({"name": "NORTH"}), north.clone()),
        reads(json!("n"), north.clone()),
        reads(json!("north"), north),
        reads(json!({"name": "South"}), south.clone()),
        reads(south.clone(), south),
        reads(json!(null), json!(null)),
        refused(json!(""), "does_not_exist"),
        refused(json!("East"), "does_not_exist"),
        refused(json!({"name": "East"}), "does_not_exist"),
        refused(json!({"id": UNKNOWN}), "does_not_exist"),
        refused(json!(UNKNOWN), "does_not_exist"),
    ]
}

pub(crate) const UNKNOWN: &str = "00000000-0000-7000-8000-000000000000";

fn tag_rows(_: &Value, _: &Member) -> Vec<Row> {
    let many = |count: usize| json!((0..count).map(|n| format!("tag {n}")).collect::<Vec<_>>());
    vec![
        reads(json!(["vip"]), json!([{"name": "vip"}])),
        reads(json!(["b", "a"]), json!([{"name": "b"}, {"name": "a"}])),
        reads(json!(["VIP", "new", "New"]), json!([{"name": "vip"}, {"name": "new"}])),
        reads(json!([]), json!(null)),
        reads(json!(null), json!(null)),
        reads(json!(["x".repeat(100)]), json!([{"name": "x".repeat(100)}])),
        refused(json!(["x".repeat(101)]), "max_length"),
        refused(many(201), "limit_exceeded"),
        refused(json!([["x"]]), "invalid"),
        refused(json!(5), "invalid"),
    ]
}

fn member_rows(_: &Value, me: &Member) -> Vec<Row> {
    let read = json!({"id": me.id, "deleted": false, "email": "admin@upsertd.invalid"});
    vec![
        reads(json!(me.id), read.clone()),
        reads(json!({"id": me.id}), read.clone()),
        reads(json!({"email": "ADMIN@upsertd.invalid"}), read),
        reads(json!(null), json!(null)),
        refused(json!(UNKNOWN), "does_not_exist"),
        refused(json!({"id": UNKNOWN}), "does_not_exist"),
        refused(json!({"email": "nobody@example.com"}), "does_not_exist"),
    ]
}

fn members_rows(_: &Value, me: &Member) -> Vec<Row> {
    let read = json!([{"id": me.id, "deleted": false}]);
    vec![
        reads(json!([me.id]), read.clone()),
        reads(json!([me.id, {"id": me.id}]), read.clone()),
        reads(json!([{"email": "admin@upsertd.invalid"}]), read),
        reads(json!([]), json!(null)),
        refused(json!([me.id, UNKNOWN]), "does_not_exist"),
    ]
}

#[test]
fn every_type_reads_back_what_it_took_before_and_after_a_crash() {
    let mut fixture = Fixture::new();
    fixture.object("things");
    let probe = fixture.create("things", "probe", &json!({}));
    let owner = field_value(&probe, "owner").expect("a new record has an owner");
    let me = Member { id: text(owner, "id").to_owned() };
    for (number, of) in types().into_iter().chain(further_types::types()).enumerate() {
        check_type(&mut fixture, &of, &format!("f{number}"), &me);
    }
    let before = everything(&mut fixture);
    let mut fixture = fixture.after_a_crash();
    assert_eq!(everything(&mut fixture), before, "a crash changed what is read");
}

/// All records as a list shows them, and the object with its fields.
fn everything(fixture: &mut Fixture) -> [Value; 2] {
    let records = fixture.client.get("/api/records/things?page_size=1000").expect(200);
    assert_eq!(records["next"], Value::Null, "all fit one page");
    [records["results"].clone(), fixture.client.get("/api/custom-objects/things").expect(200)]
}

fn check_type(fixture: &mut Fixture, of: &Type, name: &str, me: &Member) {
    let mut body = of.field.clone();
    for (key, value) in [("field_type", of.name), ("display_name", name), ("name", name)] {
        body[key] = json!(value);
    }
    let field = fixture.field("things", &body);
    for (row, (written, outcome)) in (of.rows)(&field, me).into_iter().enumerate() {
        let shown: String = written.to_string().chars().take(60).collect();
        println!("{} takes {shown}", of.name);
        let lookup_value = format!("{name} row {row}");
        let body = json!({"lookup_value": lookup_value, "fields": {name: written}});
        let answer = fixture.upsert("things", &body);
        match outcome {
            Ok(read) => {
                let record = answer.expect(200);
                let written = field_value(&record, name).expect("what is written is answered");
                assert_includes(written, &read);
                let found = fixture.lookup("things", &lookup_value).expect(200);
                let expected = (!read.is_null()).then_some(written);
                assert_eq!(field_value(&found, name), expected, "a read shows what the write did");
            }
            Err(code) => {
                let refused = answer.expect_error(400, code);
                assert_includes(&refused["errors"], &json!([{"code": code, "field": name}]));
                fixture.lookup("things", &lookup_value).expect_error(404, "not_found");
            }
        }
    }
}

#[test]
fn several_values_are_replaced_added_and_removed() {
    let mut fixture = Fixture::new();
    fixture.object("things");
    let body = json!({"field_type": "dynamictags", "display_name": "Labels", "name": "labels"});
    fixture.field("things", &body);
    let steps: &[(Value, &[&str])] = &[
        (json!({"value": ["a", "b"]}), &["a", "b"]),
        (json!({"add_values": ["c"]}), &["a", "b", "c"]),
        (json!({"add_values": ["C", "a"]}), &["a", "b", "c"]),
        (json!({"remove_values": ["B"]}), &["a", "c"]),
        (json!({"remove_values": ["unknown"]}), &["a", "c"]),
        (json!({"add_values": ["d"], "remove_values": ["a"]}), &["c", "d"]),
        (json!({"value": ["b"]}), &["b"]),
        (json!({"remove_values": ["b"]}), &[]),
    ];
    for (entry, expected) in steps {
        println!("{entry} gives {expected:?}");
        let mut entry = entry.clone();
        entry["name"] = json!("labels");
        let body = json!({"lookup_value": "it", "fields": [entry]});
        fixture.upsert("things", &body).expect(200);
        let read = fixture.lookup("things", "it").expect(200);
        let labels = field_value(&read, "labels").and_then(Value::as_array);
        let names: Vec<&str> =
            labels.into_iter().flatten().map(|label| text(label, "name")).collect();
        assert_eq!(names, *expected);
    }
    let both = json!([{"name": "labels", "value": ["a"], "add_values": ["b"]}]);
    let body = json!({"lookup_value": "it", "fields": both});
    fixture.upsert("things", &body).expect_error(400, "invalid");
    let page = fixture.client.get("/api/custom-objects/things/fields/labels/tags?ordering=name");
    let page = page.expect(200);
    let tags: Vec<&str> =
        page["results"].as_array().expect("a page").iter().map(|tag| text(tag, "name")).collect();
    assert_eq!(tags, ["a", "b", "c", "d"], "a tag stays when no record has it");
}

#[test]
fn a_checkbox_added_later_reads_false_on_older_records() {
    let mut fixture = Fixture::new();
    fixture.object("things");
    fixture.create("things", "older", &json!({}));
    let body = json!({"field_type": "checkbox", "display_name": "Done", "name": "done"});
    fixture.field("things", &body);
    for name in ["older", "newer"] {
        fixture.upsert("things", &json!({"lookup_value": name})).expect(200);
        let read = fixture.lookup("things", name).expect(200);
        assert_eq!(field_value(&read, "done"), Some(&json!(false)), "{name}");
    }
}

#[test]
fn an_empty_list_removes_the_last_member() {
    let mut fixture = Fixture::new();
    fixture.object("things");
    let body = json!({
        "field_type": "team_selector", "display_name": "Team", "name": "helpers", "allow_multiple": true,
    });
    fixture.field("things", &body);
    let email = json!({"email": "admin@upsertd.invalid"});
    fixture.create("things", "it", &json!({"helpers": [email]}));
    let body =
        json!({"lookup_value": "it", "fields": [{"name": "helpers", "remove_values": [email]}]});
    let cleared = fixture.upsert("things", &body).expect(200);
    assert_eq!(field_value(&cleared, "helpers"), Some(&Value::Null));
}
