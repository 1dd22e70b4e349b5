//! Keys of bodies that are read alike everywhere: texts whose rules stand elsewhere, ids, times,
//! whole numbers, and JSON that is kept as it was given.
//!
//! It must not know any request.

use crate::http::code::Code;
use crate::http::fault::{Fault, Faults, Place};
use crate::http::shape::{Presence, Shape};
use crate::http::value_fault;
use crate::model::id::Timestamp;
use crate::model::input::Input;
use crate::model::value::VALUES_MAX;
use crate::model::value::fault::ValueFault;
use crate::model::value::number::parse_decimal;
use crate::model::value::time::parse_timestamp;
use jiff::tz::TimeZone;
use rust_decimal::Decimal;
use serde_json::value::RawValue;
use std::fmt::Write as _;

/// A text as it stands; whoever decides about it checks the rest.
pub fn text(
    shape: &mut Shape<'_>,
    key: &'static str,
    presence: Presence,
    faults: &mut Faults,
) -> Option<String> {
    let value = shape.value(key, presence, faults)?;
    let text = value.as_text();
    if text.is_none() {
        faults.push(Fault::new(Code::Invalid, shape.place(key)).saying("Not a valid string."));
    }
    text.map(str::to_owned)
}

/// A whole number, however it is spelled (`7`, `7.0`, `7e0` are one); left out or null, there is none.
pub fn integer<T: std::str::FromStr>(
    shape: &mut Shape<'_>,
    key: &'static str,
    faults: &mut Faults,
) -> Option<T> {
    let value = shape.value(key, Presence::Nullable, faults)?;
    let number = if let Input::Number(spelling) = value { whole_number(spelling) } else { None };
    if number.is_none() {
        let fault = Fault::new(Code::Invalid, shape.place(key));
        faults.push(fault.saying("A valid integer is required."));
    }
    number
}

/// What a JSON number means, if it is whole.
#[must_use]
pub fn whole_number<T: std::str::FromStr>(spelling: &str) -> Option<T> {
    if let Ok(plain) = spelling.parse() {
        // Decimals have fewer digits than an integer may have.
        return Some(plain);
    }
    let whole = parse_decimal(spelling).filter(Decimal::is_integer)?;
    whole.normalize().to_string().parse().ok()
}

/// An id; left out or null, there is none.
pub fn id<T>(
    shape: &mut Shape<'_>,
    key: &'static str,
    parse: impl Fn(&str) -> Option<T>,
    faults: &mut Faults,
) -> Option<T> {
    let value = shape.value(key, Presence::Nullable, faults)?;
    let id = value.as_text().and_then(|text| parse(text.trim()));
    if id.is_none() {
        faults.push(Fault::new(Code::Invalid, shape.place(key)).saying("Must be a valid UUID."));
    }
    id
}

/// Ids in a list, without those that stand there again; left out or null, there is none.
pub fn ids<T: PartialEq>(
    shape: &mut Shape<'_>,
    key: &'static str,
    parse: impl Fn(&str) -> Option<T>,
    faults: &mut Faults,
) -> Option<Vec<T>> {
    let list = shape.list(key, Presence::Nullable, faults)?;
    if is_too_long(list, shape.place(key), faults) {
        return None;
    }
    let mut ids = Vec::with_capacity(list.len());
    for value in list {
        let Some(id) = value.as_text().and_then(|text| parse(text.trim())) else {
            let fault = Fault::new(Code::Invalid, shape.place(key));
            faults.push(fault.saying("Must be a list of valid UUIDs."));
            return None;
        };
        if !ids.contains(&id) {
            ids.push(id);
        }
    }
    Some(ids)
}

/// Texts in a list; left out or null, there is none.
pub fn texts<'i>(
    shape: &mut Shape<'i>,
    key: &'static str,
    faults: &mut Faults,
) -> Option<Vec<&'i str>> {
    let list = shape.list(key, Presence::Nullable, faults)?;
    if is_too_long(list, shape.place(key), faults) {
        return None;
    }
    let texts: Option<Vec<&str>> = list.iter().map(Input::as_text).collect();
    if texts.is_none() {
        let fault = Fault::new(Code::Invalid, shape.place(key));
        faults.push(fault.saying("Must be a list of strings."));
    }
    texts
}

/// Notes a list of more values than any field of a record may hold.
pub fn is_too_long(list: &[Input<'_>], place: Place, faults: &mut Faults) -> bool {
    has_too_many(list, ("values", VALUES_MAX), place, faults)
}

/// Notes a list of more entries than there may be. None of them is looked at, or a body of many
/// small faults would be answered by a large one.
pub fn has_too_many(
    list: &[Input<'_>],
    (what, max): (&'static str, usize),
    place: Place,
    faults: &mut Faults,
) -> bool {
    let has_too_many = list.len() > max;
    if has_too_many {
        let fault = ValueFault::LimitExceeded { what, max };
        faults.push(value_fault::fault_of(&fault, place));
    }
    has_too_many
}

/// A point in time; a bare date is midnight in the time zone.
pub fn time(
    shape: &mut Shape<'_>,
    key: &'static str,
    presence: Presence,
    time_zone: &TimeZone,
    faults: &mut Faults,
) -> Option<Timestamp> {
    let value = shape.value(key, presence, faults)?;
    let time = value.as_text().and_then(|text| parse_timestamp(text.trim(), time_zone));
    if time.is_none() {
        let message = "Datetime has wrong format. Use RFC 3339.";
        faults.push(Fault::new(Code::Invalid, shape.place(key)).saying(message));
    }
    time
}

/// An object that is kept as it was given: its text; left out or null, there is none.
pub fn json_object(
    shape: &mut Shape<'_>,
    key: &'static str,
    faults: &mut Faults,
) -> Option<String> {
    let value = shape.value(key, Presence::Nullable, faults)?;
    if let Input::Map(_) = value {
        return Some(json_text(value));
    }
    let message = format!("Expected an object, not {}.", value.kind());
    faults.push(Fault::new(Code::Invalid, shape.place(key)).saying(message));
    None
}

/// The text of a value as it was given, without the blanks between its parts.
#[must_use]
pub fn json_text(value: &Input<'_>) -> String {
    let mut out = String::new();
    write_json(value, &mut out);
    out
}

fn write_json(value: &Input<'_>, out: &mut String) {
    match value {
        Input::Null => out.push_str("null"),
        Input::Boolean(boolean) => {
            write!(out, "{boolean}").expect("a string takes every write");
        }
        Input::Number(digits) => out.push_str(digits),
        Input::Text(text) => write_json_text(text, out),
        Input::List(values) => {
            out.push('[');
            for (index, value) in values.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write_json(value, out);
            }
            out.push(']');
        }
        Input::Map(entries) => {
            out.push('{');
            for (index, (key, value)) in entries.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write_json_text(key, out);
                out.push(':');
                write_json(value, out);
            }
            out.push('}');
        }
    }
}

fn write_json_text(text: &str, out: &mut String) {
    out.push_str(&serde_json::to_string(text).expect("every text is a JSON string"));
}

/// JSON that was kept, as a part of an answer.
///
/// # Panics
/// On a text that `json_text` has not made: it is corrupt.
#[must_use]
pub fn kept_json(text: &str) -> &RawValue {
    serde_json::from_str(text).expect("what was kept was JSON")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::json;

    #[test]
    fn json_that_is_kept_keeps_every_digit_and_the_order_of_its_keys() {
        let check = |given: &str, kept: &str| {
            let text = json_text(&json::parse(given.as_bytes()).unwrap());
            assert_eq!(text, kept, "{given}");
            assert_eq!(kept_json(&text).get(), kept, "{given}");
        };
        check("{}", "{}");
        check(r#" { "b" : 1.50 , "a" : [ ] } "#, r#"{"b":1.50,"a":[]}"#);
        check(r#"{"a":[null,true,-0.0,12345678901234567890123,"x"]}"#, {
            r#"{"a":[null,true,-0.0,12345678901234567890123,"x"]}"#
        });
        check(r#"{"\u00e9\n\"":"\ud83d\ude00\\"}"#, "{\"é\\n\\\"\":\"😀\\\\\"}");
    }

    /// Found by a fuzzer: to JSON, `-930.0` is an integer like `-930`.
    #[test]
    fn a_whole_number_is_one_however_it_is_spelled() {
        let check = |spelling: &str, expected: Option<i32>| {
            let input = Input::Number(spelling.into());
            let body = Input::Map(vec![("order".into(), input)]);
            let mut faults = Faults::default();
            let mut shape = Shape::of_body(&body, &mut faults);
            assert_eq!(integer(&mut shape, "order", &mut faults), expected, "{spelling}");
            assert_eq!(faults.is_empty(), expected.is_some(), "{spelling}");
        };
        for (spelling, number) in
            [("7", 7), ("-930.0", -930), ("12e1", 120), ("120e-1", 12), ("-0", 0), ("0.0", 0)]
        {
            check(spelling, Some(number));
        }
        check("2147483647", Some(i32::MAX));
        assert_eq!(whole_number::<u8>("3.0"), Some(3), "a level of a right is read by this too");
        assert_eq!(whole_number::<u8>("256"), None);
        for spelling in ["1.5", "2147483648", "-2147483649", "1e99", "1e-1"] {
            check(spelling, None);
        }
    }

    #[test]
    fn each_kind_refuses_what_is_none() {
        let body = r#"{"text":1,"order":1.5,"id":"x","ids":["x"],"time":"soon","meta":[]}"#;
        let input = json::parse(body.as_bytes()).unwrap();
        let mut faults = Faults::default();
        let mut shape = Shape::of_body(&input, &mut faults);
        let uuid = |text: &str| uuid::Uuid::try_parse(text).ok();
        assert_eq!(text(&mut shape, "text", Presence::Optional, &mut faults), None);
        assert_eq!(integer::<i32>(&mut shape, "order", &mut faults), None);
        assert_eq!(id(&mut shape, "id", uuid, &mut faults), None);
        assert_eq!(ids(&mut shape, "ids", uuid, &mut faults), None);
        let zone = TimeZone::UTC;
        assert_eq!(time(&mut shape, "time", Presence::Nullable, &zone, &mut faults), None);
        assert_eq!(json_object(&mut shape, "meta", &mut faults), None);
        let places: Vec<_> = faults.as_slice().iter().map(|fault| &fault.place).collect();
        let expected = ["text", "order", "id", "ids", "time", "meta"].map(|key| shape.place(key));
        assert_eq!(places, expected.iter().collect::<Vec<_>>());
        assert!(faults.as_slice().iter().all(|fault| fault.code == Code::Invalid));
    }

    #[test]
    fn null_is_as_good_as_nothing() {
        let input = json::parse(br#"{"order":null,"id":null,"ids":null,"meta":null}"#).unwrap();
        let mut faults = Faults::default();
        let mut shape = Shape::of_body(&input, &mut faults);
        let uuid = |text: &str| uuid::Uuid::try_parse(text).ok();
        assert_eq!(integer::<i32>(&mut shape, "order", &mut faults), None);
        assert_eq!(id(&mut shape, "id", uuid, &mut faults), None);
        assert_eq!(ids(&mut shape, "ids", uuid, &mut faults), None);
        assert_eq!(json_object(&mut shape, "meta", &mut faults), None);
        assert!(faults.is_empty());
    }
}
