//! timezone: the name of a time zone in the IANA database.
//!
//! Owns which names there are: those of the database that is built in, so that every machine knows
//! the same ones. Must not know what time it is anywhere.

use crate::model::input::Input;
use crate::model::value::fault::ValueFault;
use crate::model::value::{Change, Value};
use jiff::tz::TimeZoneDatabase;
use std::cmp::Ordering;
use std::sync::LazyLock;

static NAMES: LazyLock<Vec<String>> = LazyLock::new(|| {
    let bundled = TimeZoneDatabase::bundled();
    let mut names: Vec<String> = bundled.available().map(|name| name.as_str().to_owned()).collect();
    names.sort_by(|left, right| without_case(left, right));
    names
});

/// All names, in the order of the alphabet.
#[must_use]
pub fn names() -> &'static [String] {
    &NAMES
}

/// The name as the database spells it, whatever the case it is given in.
#[must_use]
pub fn find(name: &str) -> Option<&'static str> {
    let at = NAMES.binary_search_by(|known| without_case(known, name)).ok()?;
    Some(&NAMES[at])
}

/// Reads a name, or the option that stands for it: `{"id"}` or `{"name"}`. An empty text clears.
pub(super) fn read(input: &Input<'_>) -> Result<Change, ValueFault> {
    let named = input.get("id").or_else(|| input.get("name"));
    let given = named.unwrap_or(input).as_text().ok_or(ValueFault::Invalid {
        what: "Expected a time zone: its IANA name, {\"id\": …} or {\"name\": …}.",
    })?;
    let name = given.trim();
    if name.is_empty() && named.is_none() {
        return Ok(Change::Clear);
    }
    let known = find(name).ok_or(ValueFault::DoesNotExist { what: "Time zone" })?;
    Ok(Change::Set(Value::Text(known.into())))
}

fn without_case(left: &str, right: &str) -> Ordering {
    let lower =
        |text: &'_ str| text.bytes().map(|byte| byte.to_ascii_lowercase()).collect::<Vec<_>>();
    lower(left).cmp(&lower(right))
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::tz::TimeZone;

    fn text(text: &str) -> Input<'_> {
        Input::Text(text.into())
    }

    #[test]
    fn every_name_is_a_zone_and_none_stands_twice() {
        assert!(names().len() > 400, "{}", names().len());
        assert!(names().is_sorted_by(|left, right| without_case(left, right).is_lt()));
        for name in names() {
            assert_eq!(find(&name.to_lowercase()), Some(name.as_str()));
            let zone = TimeZoneDatabase::bundled().get(name).unwrap();
            assert_eq!(zone.iana_name(), Some(name.as_str()));
        }
        assert!(names().iter().any(|name| name == "UTC"));
        assert!(TimeZone::get("Europe/Berlin").is_ok());
    }

    #[test]
    fn a_zone_is_named_in_any_case_or_by_its_option() {
        let set = |name: &str| Ok(Change::Set(Value::Text(name.into())));
        let check = |input: Input<'_>, expected: Result<Change, ValueFault>| {
            assert_eq!(read(&input), expected, "{input:?}");
        };
        let map =
            |key: &'static str, name: &'static str| Input::Map(vec![(key.into(), text(name))]);
        check(text("Europe/Berlin"), set("Europe/Berlin"));
        check(text(" america/NEW_YORK "), set("America/New_York"));
        check(text("utc"), set("UTC"));
        check(map("id", "Asia/Kolkata"), set("Asia/Kolkata"));
        check(map("name", "asia/kolkata"), set("Asia/Kolkata"));
        check(text(" "), Ok(Change::Clear));
        let unknown = ValueFault::DoesNotExist { what: "Time zone" };
        for name in ["Berlin", "CET+1", "Europe/Berlin/", "Europe", "../etc/passwd", "Etc/Unknown"]
        {
            check(text(name), Err(unknown.clone()));
        }
        check(map("id", ""), Err(unknown));
        for input in [Input::Number("1".into()), Input::List(vec![]), Input::Map(vec![])] {
            assert!(matches!(read(&input), Err(ValueFault::Invalid { .. })), "{input:?}");
        }
    }
}
