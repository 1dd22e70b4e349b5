//! The field types beside the most common ones: what may be written, how it reads back, what is
//! refused; what their fields and options look like.

use crate::api::field_types::{Member, Row, Type, UNKNOWN, number, reads, refused, same};
use crate::support::{Fixture, assert_includes, field_value, text};
use serde_json::{Value, json};

pub(crate) fn types() -> Vec<Type> {
    let of = |name, field, rows| Type { name, field, rows };
    let regions = json!({"options": [{"name": "North", "code": "n"}, {"name": "South"}]});
    let mut several = regions.clone();
    several["allow_multiple"] = json!(true);
    vec![
        of("radio", regions.clone(), option_rows),
        of("choices", regions.clone(), option_rows),
        of("status", regions.clone(), option_rows),
        of("selector", regions.clone(), option_rows),
        of("selector", several, several_rows),
        of("checkboxes", regions, checkboxes_rows),
        of("yesnomaybe", json!({}), answer_rows),
        of("yesnomaybe", json!({"options": [{"name": "Yes"}, {"name": "No"}]}), yes_or_no_rows),
        of("files", json!({}), file_rows),
        of("phonenumber", json!({}), phone_rows),
        of(
            "phonenumber",
            json!({"phonenumber_options": {"enable_extension": true}}),
            extension_rows,
        ),
        of("money", json!({}), money_rows),
        of("money", json!({"money_options": {"currency": "JPY"}}), yen_rows),
        of("timezone", json!({}), time_zone_rows),
        of("rating", json!({}), rating_rows),
        of("rating", json!({"rating": {"min_value": 0, "max_value": 10}}), wide_rating_rows),
    ]
}

/// An option of the field as values show it.
fn option(field: &Value, at: usize) -> Value {
    let option = &field["options"][at];
    json!({"id": option["id"], "code": option["code"], "name": option["name"]})
}

fn option_rows(field: &Value, _: &Member) -> Vec<Row> {
    let (north, south) = (option(field, 0), option(field, 1));
    vec![
        reads(north["id"].clone(), north.clone()),
        reads(json!({"id": north["id"]}), north.clone()),
        reads(json!({"name": "NORTH"}), north.clone()),
        reads(json!("N"), north),
        reads(json!("south"), south.clone()),
        same(south),
        reads(json!(null), json!(null)),
        refused(json!("East"), "does_not_exist"),
        refused(json!(UNKNOWN), "does_not_exist"),
        refused(json!(""), "does_not_exist"),
        refused(json!(["North"]), "invalid"),
        refused(json!(1), "invalid"),
    ]
}

fn several_rows(field: &Value, _: &Member) -> Vec<Row> {
    let mut rows = checkboxes_rows(field, &Member { id: String::new() });
    rows.retain(|(written, _)| !written.is_string());
    rows.push(reads(json!("north"), json!([option(field, 0)])));
    rows.push(reads(json!({"name": "South"}), json!([option(field, 1)])));
    rows
}

fn checkboxes_rows(field: &Value, _: &Member) -> Vec<Row> {
    let (north, south) = (option(field, 0), option(field, 1));
    vec![
        reads(json!(["North"]), json!([north])),
        reads(json!(["South", north["id"], "n", {"name": "south"}]), json!([south, north])),
        same(json!([north, south])),
        reads(json!([]), json!(null)),
        reads(json!(null), json!(null)),
        refused(json!(["North", "East"]), "does_not_exist"),
        refused(json!("North"), "invalid"),
        refused(json!([["North"]]), "invalid"),
        refused(json!(true), "invalid"),
    ]
}

fn answer_rows(field: &Value, _: &Member) -> Vec<Row> {
    let (yes, no, maybe) = (option(field, 0), option(field, 1), option(field, 2));
    assert_includes(&yes, &json!({"code": "yes", "name": "Yes"}));
    vec![
        reads(json!("yes"), yes.clone()),
        reads(json!("NO"), no.clone()),
        reads(json!("maybe"), maybe),
        reads(no["id"].clone(), no),
        same(yes),
        reads(json!(null), json!(null)),
        refused(json!("perhaps"), "does_not_exist"),
        refused(json!(true), "invalid"),
    ]
}

fn yes_or_no_rows(field: &Value, _: &Member) -> Vec<Row> {
    vec![reads(json!("no"), option(field, 1)), refused(json!("maybe"), "does_not_exist")]
}

fn file_rows(_: &Value, _: &Member) -> Vec<Row> {
    let id = |number: usize| format!("00000000-0000-7000-8000-{number:012}");
    let many = |count: usize| json!((0..count).map(id).collect::<Vec<_>>());
    vec![
        reads(json!([id(2), {"id": id(1)}, id(2)]), json!([{"id": id(2)}, {"id": id(1)}])),
        same(json!([{"id": id(1)}])),
        reads(json!([]), json!(null)),
        reads(json!(null), json!(null)),
        reads(many(100), json!((0..100).map(|at| json!({"id": id(at)})).collect::<Vec<_>>())),
        refused(many(101), "limit_exceeded"),
        refused(json!(["photo.jpg"]), "invalid"),
        refused(json!(id(1)), "invalid"),
    ]
}

fn phone_rows(_: &Value, _: &Member) -> Vec<Row> {
    vec![
        same(json!("+12025550123")),
        reads(json!(" (202) 555-0123 "), json!("+12025550123")),
        reads(json!("+49 30 901820"), json!("+4930901820")),
        reads(json!("202-555-0123 ext. 12"), json!("+12025550123")),
        reads(json!(""), json!(null)),
        reads(json!(null), json!(null)),
        refused(json!("555"), "invalid"),
        refused(json!("+999 1234567"), "invalid"),
        refused(json!("jo@example.com"), "invalid"),
        refused(json!(2_025_550_123_i64), "invalid"),
        refused(json!([]), "invalid"),
    ]
}

fn extension_rows(_: &Value, _: &Member) -> Vec<Row> {
    vec![
        reads(json!("202-555-0123 ext. 12"), json!("+12025550123;ext=12")),
        same(json!("+12025550123;ext=12")),
        same(json!("+12025550123")),
        refused(json!("+12025550123;ext=a"), "invalid"),
    ]
}

fn money_rows(_: &Value, _: &Member) -> Vec<Row> {
    let amount = |digits| json!({"currency": "USD", "symbol": "$", "amount": number(digits)});
    vec![
        reads(number("320.81"), amount("320.81")),
        reads(number("320.8"), amount("320.80")),
        reads(json!("5"), amount("5.00")),
        reads(json!({"amount": "12.5"}), amount("12.50")),
        same(amount("999999999999999.99")),
        reads(json!(null), json!(null)),
        refused(number("0.001"), "max_decimal_places"),
        refused(number("1000000000000000"), "max_digits"),
        refused(json!({"amount": 5, "currency": "EUR"}), "invalid"),
        refused(json!({"currency": "USD"}), "invalid"),
        refused(json!("five"), "invalid"),
        refused(json!(""), "invalid"),
    ]
}

fn yen_rows(_: &Value, _: &Member) -> Vec<Row> {
    let amount = json!({"currency": "JPY", "symbol": "¥", "amount": number("500.00")});
    vec![reads(json!(500), amount.clone()), same(amount)]
}

fn time_zone_rows(_: &Value, _: &Member) -> Vec<Row> {
    vec![
        same(json!("Europe/Berlin")),
        reads(json!(" america/new_york "), json!("America/New_York")),
        reads(json!({"id": "UTC"}), json!("UTC")),
        reads(json!({"name": "Asia/Kolkata"}), json!("Asia/Kolkata")),
        reads(json!(""), json!(null)),
        reads(json!(null), json!(null)),
        refused(json!("Berlin"), "does_not_exist"),
        refused(json!("../UTC"), "does_not_exist"),
        refused(json!(1), "invalid"),
        refused(json!([]), "invalid"),
    ]
}

fn rating_rows(_: &Value, _: &Member) -> Vec<Row> {
    vec![
        same(json!(1)),
        same(json!(5)),
        reads(json!("4"), json!(4)),
        reads(json!({"id": "3"}), json!(3)),
        reads(json!({"name": "3"}), json!(3)),
        reads(json!(null), json!(null)),
        refused(json!(0), "min_value"),
        refused(json!(6), "max_value"),
        refused(number("4.5"), "invalid"),
        refused(json!(""), "invalid"),
        refused(json!("good"), "invalid"),
    ]
}

fn wide_rating_rows(_: &Value, _: &Member) -> Vec<Row> {
    vec![same(json!(0)), same(json!(10)), refused(json!(11), "max_value")]
}

/// A field of a type as it is answered when it is made, read again and listed.
fn made(fixture: &mut Fixture, name: &str, mut body: Value) -> Value {
    body["display_name"] = json!(name);
    let field = fixture.field("things", &body);
    let path = format!("/api/custom-objects/things/fields/{name}");
    assert_eq!(fixture.client.get(&path).expect(200), field);
    field
}

#[test]
fn a_field_shows_the_settings_of_its_type() {
    let mut fixture = Fixture::new();
    fixture.object("things");
    let rating = made(&mut fixture, "stars", json!({"field_type": "rating"}));
    assert_eq!(rating["rating"], json!({"min_value": 1, "max_value": 5}));
    let option = |digit: &str, order: u32| json!({"id": digit, "code": digit, "name": digit, "order": order, "meta": {}});
    let bounds = json!({"min_value": 0, "max_value": 2});
    let body = json!({"field_type": "rating", "rating": bounds});
    let short = made(&mut fixture, "short", body);
    assert_eq!(short["rating"], bounds);
    assert_eq!(short["options"], json!([option("0", 0), option("1", 1), option("2", 2)]));
    let price = made(&mut fixture, "price", json!({"field_type": "money"}));
    assert_eq!(price["money_options"], json!({"currency": "USD"}));
    assert_eq!((price.get("rating"), price.get("options")), (None, None));
    let body = json!({"field_type": "money", "money_options": {"currency": "eur"}});
    let fee = made(&mut fixture, "fee", body);
    assert_eq!(fee["money_options"], json!({"currency": "EUR"}));
    let zone = made(&mut fixture, "zone", json!({"field_type": "timezone"}));
    let zones = zone["options"].as_array().expect("it lists the zones");
    let berlin = zones.iter().find(|zone| zone["id"] == "Europe/Berlin").expect("one is Berlin");
    assert_includes(berlin, &json!({"code": "Europe/Berlin", "name": "Europe/Berlin"}));
    let page = fixture.client.get("/api/custom-objects/things/fields/zone/options").expect(200);
    assert_eq!(page["count"], json!(zones.len()));
    let object = fixture.client.get("/api/custom-objects/things").expect(200);
    let mut fixture = fixture.after_a_crash();
    assert_eq!(fixture.client.get("/api/custom-objects/things").expect(200), object);
}

#[test]
fn settings_and_options_that_do_not_fit_the_type_are_refused() {
    let mut fixture = Fixture::new();
    fixture.object("things");
    let fields = "/api/custom-objects/things/fields";
    for (body, code, place) in [
        (
            json!({"field_type": "rating", "rating": {"max_value": 11}}),
            "max_value",
            "rating.max_value",
        ),
        (
            json!({"field_type": "rating", "rating": {"min_value": 6}}),
            "min_value",
            "rating.max_value",
        ),
        (
            json!({"field_type": "rating", "rating": {"min_value": "x"}}),
            "invalid",
            "rating.min_value",
        ),
        (json!({"field_type": "rating", "rating": 5}), "invalid", "rating"),
        (json!({"field_type": "rating", "options": [{"name": "1"}]}), "immutable", "options"),
        (json!({"field_type": "integer", "rating": {}}), "invalid", "rating"),
        (
            json!({"field_type": "money", "money_options": {"currency": "XXX"}}),
            "invalid_choice",
            "money_options.currency",
        ),
        (json!({"field_type": "decimal", "money_options": {}}), "invalid", "money_options"),
        (json!({"field_type": "timezone", "options": [{"name": "UTC"}]}), "immutable", "options"),
        (json!({"field_type": "money", "is_unique": true}), "invalid", "is_unique"),
        (
            json!({"field_type": "text", "phonenumber_options": {}}),
            "invalid",
            "phonenumber_options",
        ),
        (json!({"field_type": "text", "normalizer": "phone"}), "invalid", "normalizer"),
        (json!({"field_type": "yesnomaybe", "options": [{"name": "Yes"}]}), "invalid", "options"),
        (
            json!({"field_type": "radio", "options": [{"name": "A", "status": "won"}]}),
            "invalid",
            "options[0].status",
        ),
        (
            json!({"field_type": "status", "options": [{"name": "A", "status": "good"}]}),
            "invalid_choice",
            "options[0].status",
        ),
        (json!({"field_type": "radio", "allow_multiple": true}), "invalid", "allow_multiple"),
        (json!({"field_type": "files", "options": [{"name": "A"}]}), "invalid", "options"),
    ] {
        let mut body = body;
        body["display_name"] = json!("A");
        let answer = fixture.client.post(fields, &body).expect_error(400, code);
        assert_includes(&answer["errors"], &json!([{"code": code, "parameter": place}]));
    }
    for (name, field_type) in [("stars", "rating"), ("answer", "yesnomaybe"), ("zone", "timezone")]
    {
        made(&mut fixture, name, json!({"field_type": field_type}));
        let path = format!("{fields}/{name}/options");
        fixture.client.post(&path, &json!({"name": "6"})).expect_error(400, "immutable");
    }
}

#[test]
fn options_of_a_status_field_say_how_things_stand() {
    let mut fixture = Fixture::new();
    fixture.object("things");
    let options = json!([{"name": "New"}, {"name": "Done", "status": "won"}]);
    let body = json!({"field_type": "status", "options": options});
    let field = made(&mut fixture, "phase", body);
    assert_includes(&field["options"][0], &json!({"name": "New", "status": "open"}));
    assert_includes(&field["options"][1], &json!({"name": "Done", "status": "won"}));
    let path = "/api/custom-objects/things/fields/phase/options";
    let added = fixture.client.post(path, &json!({"name": "Gone", "status": "lost"})).expect(201);
    assert_eq!(added["status"], "lost");
    fixture
        .client
        .post(path, &json!({"name": "Odd", "status": "odd"}))
        .expect_error(400, "invalid_choice");
    let radio = json!({"field_type": "radio", "options": [{"name": "A"}]});
    assert_eq!(made(&mut fixture, "plain", radio)["options"][0].get("status"), None);
    let before = fixture.client.get(path).expect(200);
    assert_eq!(before["count"], 3);
    let mut fixture = fixture.after_a_crash();
    assert_eq!(fixture.client.get(path).expect(200), before);
}

#[test]
fn options_and_files_are_replaced_added_and_removed() {
    let mut fixture = Fixture::new();
    fixture.object("things");
    let options = json!([{"name": "a"}, {"name": "b"}, {"name": "c"}]);
    let body = json!({"field_type": "checkboxes", "options": options, "is_required": true});
    made(&mut fixture, "picks", body);
    made(&mut fixture, "papers", json!({"field_type": "files"}));
    let id = |number: usize| format!("00000000-0000-7000-8000-{number:012}");
    let mut steps = vec![
        (json!({"name": "picks", "value": ["b", "a"]}), vec!["b", "a"]),
        (json!({"name": "picks", "add_values": ["c", "B"]}), vec!["b", "a", "c"]),
        (json!({"name": "picks", "remove_values": ["a"]}), vec!["b", "c"]),
        (json!({"name": "picks", "add_values": ["a"], "remove_values": ["b"]}), vec!["c", "a"]),
    ];
    for (entry, expected) in steps.drain(..) {
        let body = json!({"lookup_value": "it", "fields": [entry]});
        fixture.upsert("things", &body).expect(200);
        let read = fixture.lookup("things", "it").expect(200);
        let picks = field_value(&read, "picks").and_then(Value::as_array).expect("some are left");
        let names: Vec<&str> = picks.iter().map(|pick| text(pick, "name")).collect();
        assert_eq!(names, expected, "{entry}");
    }
    let upsert = |fixture: &mut Fixture, entry: Value| {
        fixture.upsert("things", &json!({"lookup_value": "it", "fields": [entry]}))
    };
    let all = json!({"name": "picks", "remove_values": ["a", "c"]});
    upsert(&mut fixture, all).expect_error(400, "required");
    let many: Vec<String> = (0..100).map(id).collect();
    upsert(&mut fixture, json!({"name": "papers", "value": many})).expect(200);
    let more = json!({"name": "papers", "add_values": [id(100)]});
    upsert(&mut fixture, more).expect_error(400, "limit_exceeded");
    let other = json!({"name": "papers", "add_values": [id(100)], "remove_values": many});
    let version = upsert(&mut fixture, other.clone()).expect(200)["version"].clone();
    assert_eq!(upsert(&mut fixture, other).expect(200)["version"], version, "nothing changed");
    let before = fixture.lookup("things", "it").expect(200);
    assert_eq!(field_value(&before, "papers"), Some(&json!([{"id": id(100)}])));
    let mut fixture = fixture.after_a_crash();
    assert_eq!(fixture.lookup("things", "it").expect(200), before);
}

#[test]
fn one_telephone_number_is_one_contact_however_it_is_written() {
    let mut fixture = Fixture::new();
    fixture.object("things");
    let options = json!({"enable_extension": true});
    let body =
        json!({"field_type": "phonenumber", "is_unique": true, "phonenumber_options": options});
    let field = made(&mut fixture, "phone", body);
    assert_includes(&field, &json!({"normalizer": "phone", "phonenumber_options": options}));
    let first = fixture.create("things", "one", &json!({"phone": "+1 202 555 0123"}));
    for spelling in ["(202) 555-0123", "+12025550123", "202.555.0123 x9"] {
        let body = json!({"lookup_value": "two", "fields": {"phone": spelling}});
        fixture.upsert("things", &body).expect_error(400, "unique");
        let query = spelling.replace('+', "%2B").replace(' ', "%20");
        let path = format!("/api/records/things/lookup?by=phone&identifier={query}");
        assert_eq!(fixture.client.get(&path).expect(200)["id"], first["id"], "{spelling}");
    }
    fixture.create("things", "two", &json!({"phone": "+1 202 555 0124"}));
    let mut fixture = fixture.after_a_crash();
    let body = json!({"lookup_value": "three", "fields": {"phone": "2025550124"}});
    fixture.upsert("things", &body).expect_error(400, "unique");
}

#[test]
fn a_contact_has_telephones_and_a_time_zone() {
    let mut fixture = Fixture::new();
    let fields = json!({
        "mobile_phone": "(202) 555-0123", "home_phone": "+49 30 901820",
        "business_phone": "202 555 0124 x5", "timezone": "europe/berlin",
    });
    let made = fixture.create("client_client", "jo@example.com", &fields);
    for (name, value) in [
        ("mobile_phone", "+12025550123"),
        ("home_phone", "+4930901820"),
        ("business_phone", "+12025550124"),
        ("timezone", "Europe/Berlin"),
    ] {
        assert_eq!(field_value(&made, name), Some(&json!(value)), "{name}");
    }
    let mut fixture = fixture.after_a_crash();
    let read = fixture.lookup("client_client", "jo@example.com").expect(200);
    assert_eq!(field_value(&read, "mobile_phone"), Some(&json!("+12025550123")));
}
