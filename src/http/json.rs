//! Strict JSON: the bytes of a body to an `Input`, or the place where they stop making sense.
//!
//! Ambiguous input is refused, never guessed at: a key that stands twice, a lone surrogate, more
//! levels than the limit. It must not know any request's shape.

use crate::http::code::Code;
use crate::http::fault::clipped;
use crate::http::problem::Problem;
use crate::model::input::Input;
use serde::de::{self, DeserializeSeed, MapAccess, SeqAccess, Visitor};
use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;

/// Levels of lists and objects inside each other.
const NESTING_MAX: u8 = 32;

/// Keys of one object up to which comparing each with each is faster than hashing.
const COMPARED_KEYS_MAX: usize = 12;

/// What a number's digits are announced by (`serde_json` with `arbitrary_precision`).
const NUMBER_TOKEN: &str = "$serde_json::private::Number";

/// Why bytes are not the JSON we take: the text says what and where.
#[derive(Debug, thiserror::Error)]
#[error("JSON parse error: {0}.")]
pub struct JsonError(serde_json::Error);

impl From<JsonError> for Problem {
    fn from(error: JsonError) -> Self {
        Problem::new(Code::ParseError).saying(error.to_string())
    }
}

/// Reads exactly one JSON value.
///
/// Numbers keep every digit; an exponent is spelled one way (`1E3` and `1e3` become `1e+3`).
pub fn parse(bytes: &[u8]) -> Result<Input<'_>, JsonError> {
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let value = Level { left: NESTING_MAX }.deserialize(&mut deserializer).map_err(JsonError)?;
    deserializer.end().map_err(JsonError)?;
    Ok(value)
}

/// Reads a value inside which so many levels may still be opened.
#[derive(Clone, Copy)]
struct Level {
    left: u8,
}

impl Level {
    fn inside<E: de::Error>(self) -> Result<Self, E> {
        let left = self
            .left
            .checked_sub(1)
            .ok_or_else(|| E::custom(format_args!("more than {NESTING_MAX} levels of nesting")))?;
        Ok(Self { left })
    }
}

impl<'de> DeserializeSeed<'de> for Level {
    type Value = Input<'de>;

    fn deserialize<D: de::Deserializer<'de>>(
        self,
        deserializer: D,
    ) -> Result<Input<'de>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Level {
    type Value = Input<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Input<'de>, E> {
        Ok(Input::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Input<'de>, E> {
        Ok(Input::Boolean(value))
    }

    /// Integers of up to 64 bits come as such, all other numbers by their digits (`visit_map`).
    fn visit_u64<E>(self, number: u64) -> Result<Input<'de>, E> {
        Ok(Input::Number(Cow::Owned(number.to_string())))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Input<'de>, E> {
        Ok(Input::Number(Cow::Owned(number.to_string())))
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Input<'de>, E> {
        Ok(Input::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Input<'de>, E> {
        Ok(Input::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Input<'de>, A::Error> {
        let inside = self.inside()?;
        let mut values = Vec::new();
        while let Some(value) = list.next_element_seed(inside)? {
            values.push(value);
        }
        Ok(Input::List(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Input<'de>, A::Error> {
        let Some(first) = map.next_key_seed(Key)? else {
            let _: Self = self.inside()?;
            return Ok(Input::Map(Vec::new()));
        };
        // A number looks like an object with one key. A client may write that very key too, but
        // only a number's digits come as an owned string (see `NumberOr`).
        if first == NUMBER_TOKEN {
            match map.next_value_seed(NumberOr(self))? {
                NumberOrValue::Number(digits) => return Ok(Input::Number(Cow::Owned(digits))),
                NumberOrValue::Value(value) => return self.rest_of_map(map, (first, value)),
            }
        }
        let value = map.next_value_seed(self.inside()?)?;
        self.rest_of_map(map, (first, value))
    }
}

type Entry<'de> = (Cow<'de, str>, Input<'de>);

impl Level {
    fn rest_of_map<'de, A: MapAccess<'de>>(
        self,
        mut map: A,
        first: Entry<'de>,
    ) -> Result<Input<'de>, A::Error> {
        let inside = self.inside()?;
        let mut entries = Vec::with_capacity(8);
        entries.push(first);
        let mut hashed: HashSet<Cow<'de, str>> = HashSet::new();
        while let Some(key) = map.next_key_seed(Key)? {
            if stands_twice(&entries, &mut hashed, &key) {
                let key = clipped(&key);
                return Err(de::Error::custom(format_args!("the key {key:?} stands twice")));
            }
            let value = map.next_value_seed(inside)?;
            entries.push((key, value));
        }
        Ok(Input::Map(entries))
    }
}

/// Whether an object that has `entries` already has `key`; `hashed` is filled once it is large.
#[expect(clippy::ptr_arg, reason = "a borrowed key is kept without copying its text")]
fn stands_twice<'de>(
    entries: &[Entry<'de>],
    hashed: &mut HashSet<Cow<'de, str>>,
    key: &Cow<'de, str>,
) -> bool {
    if entries.len() <= COMPARED_KEYS_MAX {
        return entries.iter().any(|(known, _)| known == key);
    }
    if hashed.is_empty() {
        hashed.extend(entries.iter().map(|(known, _)| known.clone()));
    }
    !hashed.insert(key.clone())
}

/// Reads a key of an object.
struct Key;

impl<'de> DeserializeSeed<'de> for Key {
    type Value = Cow<'de, str>;

    fn deserialize<D: de::Deserializer<'de>>(
        self,
        deserializer: D,
    ) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Key {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(text))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(text.to_owned()))
    }
}

/// Reads what follows the number token: a number's digits, or a value a client wrote there.
struct NumberOr(Level);

enum NumberOrValue<'de> {
    Number(String),
    Value(Input<'de>),
}

impl<'de> DeserializeSeed<'de> for NumberOr {
    type Value = NumberOrValue<'de>;

    fn deserialize<D: de::Deserializer<'de>>(
        self,
        deserializer: D,
    ) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for NumberOr {
    type Value = NumberOrValue<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number or a JSON value")
    }

    /// A string of the text itself comes borrowed or as a copy to be taken, never owned.
    fn visit_string<E>(self, digits: String) -> Result<Self::Value, E> {
        Ok(NumberOrValue::Number(digits))
    }

    fn visit_unit<E: de::Error>(self) -> Result<Self::Value, E> {
        self.0.inside::<E>()?.visit_unit().map(NumberOrValue::Value)
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Self::Value, E> {
        self.0.inside::<E>()?.visit_u64(number).map(NumberOrValue::Value)
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<Self::Value, E> {
        self.0.inside::<E>()?.visit_i64(number).map(NumberOrValue::Value)
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<Self::Value, E> {
        self.0.inside::<E>()?.visit_bool(value).map(NumberOrValue::Value)
    }

    fn visit_borrowed_str<E: de::Error>(self, text: &'de str) -> Result<Self::Value, E> {
        self.0.inside::<E>()?.visit_borrowed_str(text).map(NumberOrValue::Value)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
        self.0.inside::<E>()?.visit_str(text).map(NumberOrValue::Value)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Self::Value, A::Error> {
        self.0.inside::<A::Error>()?.visit_seq(list).map(NumberOrValue::Value)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        self.0.inside::<A::Error>()?.visit_map(map).map(NumberOrValue::Value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(json: &str, expected: &Input<'_>) {
        assert_eq!(&parse(json.as_bytes()).unwrap(), expected, "{json}");
    }

    fn refused(json: impl AsRef<[u8]>, message: &str) {
        let bytes = json.as_ref();
        let error = parse(bytes).expect_err(&String::from_utf8_lossy(bytes));
        assert_eq!(error.to_string(), format!("JSON parse error: {message}."));
    }

    fn text(text: &str) -> Input<'_> {
        Input::Text(text.into())
    }

    fn number(digits: &str) -> Input<'_> {
        Input::Number(digits.into())
    }

    #[test]
    fn every_kind_of_value_is_read_and_numbers_keep_their_digits() {
        check("null", &Input::Null);
        check(" true ", &Input::Boolean(true));
        check("\"a\\u00e9\\ud83d\\ude00\"", &text("aé😀"));
        for digits in
            ["0", "-0", "12.50", "1e+3", "1e+400", "1e-7", "123456789012345678901234567890.10"]
        {
            check(digits, &number(digits));
        }
        check("[]", &Input::List(vec![]));
        check("{}", &Input::Map(vec![]));
        check(
            r#"{"b":[1,{"c":null}],"a":"x"}"#,
            &Input::Map(vec![
                (
                    "b".into(),
                    Input::List(vec![number("1"), Input::Map(vec![("c".into(), Input::Null)])]),
                ),
                ("a".into(), text("x")),
            ]),
        );
    }

    #[test]
    fn text_without_escapes_is_borrowed() {
        let Input::Map(entries) = parse(br#"{"key":"value","esc\t":"\n"}"#).unwrap() else {
            panic!("an object was given");
        };
        assert!(matches!(&entries[0], (Cow::Borrowed("key"), Input::Text(Cow::Borrowed("value")))));
        assert!(matches!(&entries[1], (Cow::Owned(_), Input::Text(Cow::Owned(_)))));
    }

    #[test]
    fn a_key_that_stands_twice_is_refused_whatever_its_spelling() {
        refused(r#"{"a":1,"a":2}"#, r#"the key "a" stands twice at line 1 column 10"#);
        refused(r#"{"a":1,"\u0061":2}"#, r#"the key "a" stands twice at line 1 column 15"#);
        refused(
            "[{\"x\":\n{\"k\":0,\"é\":1,\"k\":2}}]",
            r#"the key "k" stands twice at line 2 column 17"#,
        );
        // Same key in different objects is fine.
        assert!(parse(br#"[{"a":1},{"a":{"a":1}}]"#).is_ok());
    }

    #[test]
    fn large_objects_are_checked_like_small_ones() {
        for size in [11, 12, 13, 14, 200] {
            let keys: Vec<_> = (0..size).map(|n| format!("\"k{n}\":{n}")).collect();
            let good = format!("{{{}}}", keys.join(","));
            assert!(parse(good.as_bytes()).is_ok(), "{good}");
            for again in [0, size / 2, size - 1] {
                let bad = format!("{{{},\"k{again}\":0}}", keys.join(","));
                assert!(parse(bad.as_bytes()).is_err(), "{bad}");
            }
        }
    }

    #[test]
    fn thirty_two_levels_are_taken_and_no_more() {
        for (open, close) in
            [("[", "]"), (r#"{"a":"#, "}"), (r#"{"$serde_json::private::Number":"#, "}")]
        {
            let nested = |levels| format!("{}1{}", open.repeat(levels), close.repeat(levels));
            assert!(parse(nested(32).as_bytes()).is_ok(), "{open}");
            let error = parse(nested(33).as_bytes()).expect_err(open).to_string();
            assert!(error.contains("more than 32 levels of nesting"), "{error}");
        }
        let empty = |levels| format!("{}{{}}{}", "[".repeat(levels), "]".repeat(levels));
        assert!(parse(empty(31).as_bytes()).is_ok());
        assert!(parse(empty(32).as_bytes()).is_err());
    }

    #[test]
    fn an_exponent_is_spelled_one_way() {
        check("1E3", &number("1e+3"));
        check("-1.5e-3", &number("-1.5e-3"));
    }

    #[test]
    fn what_is_not_json_is_refused_with_its_place() {
        refused("", "EOF while parsing a value at line 1 column 0");
        refused("{} x", "trailing characters at line 1 column 4");
        refused("{\"a\":1,}", "trailing comma at line 1 column 8");
        refused("01", "invalid number at line 1 column 2");
        refused("NaN", "expected value at line 1 column 1");
        refused("{a:1}", "key must be a string at line 1 column 2");
        refused(b"\"\xff\"", "invalid unicode code point at line 1 column 2");
        refused(r#""\ud800""#, "unexpected end of hex escape at line 1 column 8");
        refused(r#""\ud800\u0041""#, "lone leading surrogate in hex escape at line 1 column 13");
        refused(r#""\udc00""#, "lone leading surrogate in hex escape at line 1 column 7");
        refused(
            "\"a\u{1}b\"",
            "control character (\\u0000-\\u001F) found while parsing a string at line 1 column 3",
        );
        refused("\u{feff}{}", "expected value at line 1 column 1");
    }

    #[test]
    fn the_key_that_announces_a_number_inside_can_be_a_client_s_own() {
        let token = NUMBER_TOKEN;
        for (written, read) in [
            ("\"5\"".to_owned(), text("5")),
            ("\"\\u0035\"".to_owned(), text("5")),
            ("5".to_owned(), number("5")),
            ("null".to_owned(), Input::Null),
            ("true".to_owned(), Input::Boolean(true)),
            ("[1]".to_owned(), Input::List(vec![number("1")])),
            ("{}".to_owned(), Input::Map(vec![])),
        ] {
            check(&format!("{{\"{token}\":{written}}}"), &Input::Map(vec![(token.into(), read)]));
        }
        refused(
            format!("{{\"{token}\":\"1\",\"{token}\":\"2\"}}"),
            &format!("the key {token:?} stands twice at line 1 column 66"),
        );
    }

    /// Any JSON value without a key twice.
    fn json_value() -> impl Strategy<Value = serde_json::Value> {
        let leaf = prop_oneof![
            Just(serde_json::Value::Null),
            any::<bool>().prop_map(serde_json::Value::Bool),
            any::<i64>().prop_map(|n| serde_json::json!(n)),
            any::<f64>()
                .prop_filter("JSON has no NaN", |n| n.is_finite())
                .prop_map(|n| serde_json::json!(n)),
            ".*".prop_map(serde_json::Value::String),
        ];
        leaf.prop_recursive(6, 64, 16, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..16).prop_map(serde_json::Value::Array),
                prop::collection::hash_map(".*", inner, 0..16)
                    .prop_map(|map| serde_json::Value::Object(map.into_iter().collect())),
            ]
        })
    }

    fn same(input: &Input<'_>, value: &serde_json::Value) -> bool {
        match (input, value) {
            (Input::Null, serde_json::Value::Null) => true,
            (Input::Boolean(a), serde_json::Value::Bool(b)) => a == b,
            (Input::Number(a), serde_json::Value::Number(b)) => **a == b.to_string(),
            (Input::Text(a), serde_json::Value::String(b)) => a == b,
            (Input::List(a), serde_json::Value::Array(b)) => {
                a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b))
            }
            (Input::Map(a), serde_json::Value::Object(b)) => {
                a.len() == b.len()
                    && a.iter().all(|(key, a)| b.get(&**key).is_some_and(|b| same(a, b)))
            }
            _ => false,
        }
    }

    proptest! {
        // A failure prints its smallest input; no file of seeds is left in the tree.
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn what_serde_json_writes_is_read_back(value in json_value()) {
            let json = serde_json::to_vec(&value).unwrap();
            let input = parse(&json).unwrap();
            prop_assert!(same(&input, &value), "{input:?} is not {value}");
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            drop(parse(&bytes));
        }
    }
}
