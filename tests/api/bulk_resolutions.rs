//! What each resolution of a bulk change does to a blank and to a value, for every type of field.

use crate::support::{Fixture, field_value, text};
use serde_json::{Value, json};

const CHANGE: &str = "/api/custom-objects/accounts/bulk-change-field-value";
const PROGRESS: &str = "/api/bulk-action-progress";

/// What a resolution leads to, each for a record without a value and one that has `old`.
struct Case {
    field: Value,
    /// As a write takes it.
    old: Value,
    /// Bare.
    new: Value,
    /// What reads of `new`, and of `old` and `new` where the field holds several.
    shows_old: Value,
    shows_new: Value,
    shows_both: Value,
}

impl Case {
    fn new(field_type: &str, more: &Value, old: Value, new: Value) -> Self {
        let mut field = json!({"field_type": field_type, "display_name": field_type});
        let more = more.as_object().expect("the block of a type is an object").clone();
        field.as_object_mut().expect("it was just made").extend(more);
        let (shows_old, shows_new, shows_both) = (old.clone(), new.clone(), Value::Null);
        Self { field, old, new, shows_old, shows_new, shows_both }
    }

    /// A field of one value, which reads as it is written.
    fn plain(field_type: &str, old: Value, new: Value) -> Self {
        Self::new(field_type, &json!({}), old, new)
    }

    /// A field of one value that reads otherwise.
    fn shown(self, shows_old: Value, shows_new: Value) -> Self {
        Self { shows_old, shows_new, ..self }
    }

    fn choice(field_type: &str) -> Self {
        let (old, new) = ("North", "South");
        let case = Self::new(field_type, &options(), json!(old), json!(new));
        case.shown(json!({"name": old}), json!({"name": new}))
    }

    /// A field of several values, of which reads show `key`.
    fn several(field_type: &str, more: &Value, [old, new]: [&str; 2], key: &str) -> Self {
        let case = Self::new(field_type, more, json!([old]), json!([new]));
        let (shows_old, shows_new) = (json!([{key: old}]), json!([{key: new}]));
        Self { shows_both: json!([{key: old}, {key: new}]), ..case.shown(shows_old, shows_new) }
    }
}

fn options() -> Value {
    json!({"options": [{"name": "North"}, {"name": "South"}]})
}

/// A number with its digits.
fn exact(digits: &str) -> Value {
    serde_json::from_str(digits).expect("digits are a number")
}

fn cases_of_one_value(members: [&str; 2]) -> Vec<Case> {
    let [ann, bob] = members;
    let plain = Case::plain;
    vec![
        plain("text", json!("a"), json!("b")),
        plain("longtext", json!("a"), json!("b")),
        plain("email", json!("a@x.io"), json!("b@x.io")),
        plain("phonenumber", json!("+14155552671"), json!("+442071838750")),
        plain("integer", json!(1), json!(2)),
        plain("decimal", json!(1.5), json!(2.5)),
        plain("money", json!(5), json!("7.5"))
            .shown(json!({"amount": exact("5.00")}), json!({"amount": exact("7.50")})),
        plain("date", json!("2026-11-24"), json!("2026-11-25")),
        plain("datetime", json!("2026-11-24T05:40:00Z"), json!("2026-11-25")).shown(
            json!("2026-11-24T05:40:00.000000+00:00"),
            json!("2026-11-25T00:00:00.000000+00:00"),
        ),
        plain("timezone", json!("Europe/Berlin"), json!("Asia/Tokyo")),
        Case::choice("dropdown"),
        Case::choice("radio"),
        Case::choice("choices"),
        Case::choice("status"),
        Case::choice("selector"),
        plain("yesnomaybe", json!("yes"), json!("no"))
            .shown(json!({"name": "Yes"}), json!({"name": "No"})),
        plain("rating", json!(1), json!(2)),
        plain("team_selector", json!(ann), json!(bob))
            .shown(json!({"id": ann}), json!({"id": bob})),
    ]
}

fn cases_of_several_values(members: [&str; 2]) -> Vec<Case> {
    let multiple = json!({"allow_multiple": true});
    let mut multiple_options = options();
    multiple_options["allow_multiple"] = json!(true);
    let labels = ["North", "South"];
    let files = ["0192f7aa-0000-7000-8000-0000000000a1", "0192f7aa-0000-7000-8000-0000000000a2"];
    vec![
        Case::several("selector", &multiple_options, labels, "name"),
        Case::several("checkboxes", &options(), labels, "name"),
        Case::several("dynamictags", &json!({}), ["vip", "new"], "name"),
        Case::several("team_selector", &multiple, members, "id"),
        Case::several("files", &json!({}), files, "id"),
    ]
}

/// A checkbox, which is never blank, has a test of its own.
#[test]
fn every_resolution_does_to_every_type_what_it_says() {
    let mut fixture = Fixture::new();
    fixture.object("accounts");
    let team = fixture.client.get("/api/team?include_service=true").expect(200);
    let bob = fixture.client.post("/api/team", &json!({"email": "bob@example.com"})).expect(201);
    let members = [text(&team[0], "id"), text(&bob, "id")];
    let mut cases = cases_of_one_value(members);
    cases.extend(cases_of_several_values(members));
    for (number, case) in cases.iter().enumerate() {
        check_case(&mut fixture, number, case);
    }
}

fn check_case(fixture: &mut Fixture, number: usize, case: &Case) {
    let mut body = case.field.clone();
    body["name"] = json!(format!("field_{number}"));
    let field = fixture.field("accounts", &body);
    let is_several = case.shows_both.is_array();
    let null = Value::Null;
    let empty = json!([]);
    // The value that is given, and what becomes of a blank and of `old`; none: it is refused.
    let mut rows = vec![
        ("overwrite", &case.new, Some((&case.shows_new, &case.shows_new))),
        ("overwrite", &null, Some((&null, &null))),
        ("update_if_blank", &case.new, Some((&case.shows_new, &case.shows_old))),
        ("update_if_blank", &null, Some((&null, &case.shows_old))),
        ("overwrite_except_null", &case.new, Some((&case.shows_new, &case.shows_new))),
        ("overwrite_except_null", &null, Some((&null, &case.shows_old))),
    ];
    if is_several {
        rows.push(("overwrite_except_null", &empty, Some((&null, &case.shows_old))));
        rows.push(("add_only", &case.new, Some((&case.shows_new, &case.shows_both))));
        rows.push(("remove_only", &case.new, Some((&null, &case.shows_old))));
        rows.push(("remove_only", &case.old, Some((&null, &null))));
        // One value for a field of several is a list of one.
        rows.push(("add_only", &case.new[0], Some((&case.shows_new, &case.shows_both))));
        rows.push(("remove_only", &case.old[0], Some((&null, &null))));
        rows.push(("overwrite", &case.new[0], Some((&case.shows_new, &case.shows_new))));
    } else {
        rows.push(("add_only", &case.new, None));
        rows.push(("remove_only", &case.old, None));
    }
    for (row, (resolution, given, expected)) in rows.into_iter().enumerate() {
        let what = format!("{} {resolution} {given}", case.field["field_type"]);
        let name = text(&field, "name");
        let label = |kind| format!("{kind} {number} {row}");
        let blank = made(fixture, &label("blank"), &json!({}));
        let full = made(fixture, &label("full"), &json!({name: case.old}));
        let body = json!({
            "record_ids": [blank, full], "field_id": field["id"], "field_value": given,
            "field_resolution": resolution,
        });
        let answer = fixture.client.post(CHANGE, &body);
        let (blank, full) = (read(fixture, &blank), read(fixture, &full));
        let Some((of_blank, of_full)) = expected else {
            answer.expect_error(400, "invalid");
            assert_eq!((&blank["version"], &full["version"]), (&json!(1), &json!(1)), "{what}");
            continue;
        };
        let answer = answer.expect(200);
        assert_eq!((&answer["number_updated"], &answer["async"]), (&json!(2), &json!(true)));
        assert_shows(field_value(&blank, name).unwrap_or(&null), of_blank, &what);
        assert_shows(field_value(&full, name).unwrap_or(&null), of_full, &what);
        // What changes nothing is no version.
        let changes = [*of_blank != Value::Null, *of_full != case.shows_old];
        let versions = changes.map(|changes| if changes { 2 } else { 1 });
        assert_eq!([&blank, &full].map(|record| record["version"].clone()), versions, "{what}");
        let row =
            fixture.client.get(&format!("{PROGRESS}/{}", text(&answer, "status_id"))).expect(200);
        let counts = ["success_count", "failed_count", "pending_count"].map(|key| &row[key]);
        assert_eq!(counts, [2, 0, 0], "{what}");
        assert_eq!(row["action"], "custom_object_change_field_value");
    }
}

/// Objects of the expected value may leave keys out.
#[track_caller]
fn assert_shows(actual: &Value, expected: &Value, what: &str) {
    match (actual, expected) {
        (Value::Object(actual), Value::Object(expected)) => {
            for (key, value) in expected {
                assert_eq!(&actual[key], value, "{what}");
            }
        }
        (Value::Array(actual), Value::Array(expected)) => {
            assert_eq!(actual.len(), expected.len(), "{what}: {actual:?}");
            actual.iter().zip(expected).for_each(|(a, b)| assert_shows(a, b, what));
        }
        _ => assert_eq!(actual, expected, "{what}"),
    }
}

fn made(fixture: &mut Fixture, name: &str, fields: &Value) -> String {
    text(&fixture.create("accounts", name, fields), "id").to_owned()
}

fn read(fixture: &mut Fixture, id: &str) -> Value {
    fixture.read("accounts", id).expect(200)
}
