//! Assertions about JSON: a part of an answer, or one field of a record.

use serde_json::Value;

/// Asserts that `actual` holds all of `expected`: objects may have more keys, all else is equal,
/// numbers as they are spelled.
#[track_caller]
pub(crate) fn assert_includes(actual: &Value, expected: &Value) {
    if let Err(difference) = includes(actual, expected, "$") {
        panic!("{difference}\n in {actual}");
    }
}

fn includes(actual: &Value, expected: &Value, path: &str) -> Result<(), String> {
    match (actual, expected) {
        (Value::Object(actual), Value::Object(expected)) => {
            for (key, expected) in expected {
                let path = format!("{path}.{key}");
                let actual = actual.get(key).ok_or_else(|| format!("{path} is missing"))?;
                includes(actual, expected, &path)?;
            }
            Ok(())
        }
        (Value::Array(actual), Value::Array(expected)) => {
            if actual.len() != expected.len() {
                return Err(format!("{path} has {} entries, not {}", actual.len(), expected.len()));
            }
            let mut pairs = actual.iter().zip(expected).enumerate();
            pairs.try_for_each(|(at, (actual, expected))| {
                includes(actual, expected, &format!("{path}[{at}]"))
            })
        }
        _ if actual == expected => Ok(()),
        _ => Err(format!("{path} is {actual}, not {expected}")),
    }
}

/// The value of a record's field by API name; none where the answer does not mention the field.
#[track_caller]
pub(crate) fn field_value<'a>(record: &'a Value, name: &str) -> Option<&'a Value> {
    let fields = record["fields"].as_object().unwrap_or_else(|| panic!("no fields in {record}"));
    let (id, field) = fields.iter().find(|(_, field)| field["name"] == name)?;
    assert_eq!(field["id"], **id, "a field stands under its own id");
    Some(field.get("value").unwrap_or_else(|| panic!("{name} has no value in {record}")))
}

/// A text that must be there.
#[track_caller]
pub(crate) fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_else(|| panic!("{key} is no text in {value}"))
}

#[test]
fn what_is_missing_or_different_is_not_included() {
    use serde_json::json;
    let actual = json!({"a": {"b": [1, 2.50]}, "c": null});
    for expected in
        [json!({}), json!({"a": {}}), json!({"a": {"b": [1, 2.50]}}), json!({"c": null})]
    {
        assert_eq!(includes(&actual, &expected, "$"), Ok(()));
    }
    for expected in [
        json!({"d": null}),
        json!({"a": {"b": [1]}}),
        json!({"a": {"b": [1, 2]}}),
        json!({"c": false}),
        json!([]),
    ] {
        assert!(includes(&actual, &expected, "$").is_err(), "{expected}");
    }
}
