//! phonenumber: a telephone number in E.164, with its extension where the field keeps them.
//!
//! Owns how a number is read and spelled. Must not know who has it.

use crate::model::input::Input;
use crate::model::key;
use crate::model::schema::phonenumber_options::PhonenumberOptions;
use crate::model::value::fault::ValueFault;
use crate::model::value::{Change, Value};
use phonenumber::PhoneNumber;
use phonenumber::country::{Id as Region, Source};

/// Characters of what a number may be written as.
const CHARS_MAX: usize = 100;
/// Digits of an extension.
const EXTENSION_DIGITS_MAX: usize = 20;
/// What stands between a number and its extension (RFC 3966).
const EXTENSION: &str = ";ext=";

/// What stands before a country code, in both widths.
const PLUS: [char; 2] = ['+', '\u{ff0b}'];
/// Digits that are dialled to reach other countries, at most.
const INTERNATIONAL_PREFIX_DIGITS_MAX: usize = 5;

const FAULT: ValueFault = ValueFault::Invalid { what: "Enter a valid phone number." };

/// Reads a number; one without a country code is of the region (ISO 3166 alpha-2).
///
/// An extension is left out where the field does not keep it.
pub(super) fn read(
    input: &Input<'_>,
    options: PhonenumberOptions,
    region: &str,
) -> Result<Change, ValueFault> {
    let given = input.as_text().ok_or(FAULT)?.trim();
    if given.is_empty() {
        return Ok(Change::Clear);
    }
    if given.chars().nth(CHARS_MAX).is_some() || key::refused_character(given).is_some() {
        return Err(FAULT);
    }
    let (number, extension) = parse(given, region.parse().ok()).ok_or(FAULT)?;
    let text = match extension.filter(|_| options.enable_extension) {
        Some(extension) => format!("{number}{EXTENSION}{extension}"),
        None => number,
    };
    Ok(Change::Set(Value::Text(text.into())))
}

/// The number in E.164, and its extension.
fn parse(given: &str, region: Option<Region>) -> Option<(String, Option<String>)> {
    // The parser takes our own spelling for none, so it gets the number alone.
    let (number, own) = match given.split_once(EXTENSION) {
        Some((number, extension)) => (number, Some(extension.to_owned())),
        None => (given, None),
    };
    let (parsed, found) = if number.contains(PLUS) {
        let parsed = valid(number)?;
        let extension = extension_of(&parsed);
        (parsed, extension)
    } else {
        dialled(region, number)?
    };
    let extension = own.or(found);
    let is_good = |extension: &String| {
        (1..=EXTENSION_DIGITS_MAX).contains(&extension.len())
            && extension.bytes().all(|byte| byte.is_ascii_digit())
    };
    if !extension.as_ref().is_none_or(is_good) {
        return None;
    }
    let code = parsed.code().value();
    Some((format!("+{code}{}", parsed.national()), extension))
}

/// The parser cuts the trunk prefix of the region it is given, so a number that says its country is
/// read without one: else `+95 1 234567`, read in the United States, would lose its first 1.
fn valid(number: &str) -> Option<PhoneNumber> {
    phonenumber::parse(None, number).ok().filter(PhoneNumber::is_valid)
}

/// A number as it is dialled in the region, and its extension.
fn dialled(region: Option<Region>, number: &str) -> Option<(PhoneNumber, Option<String>)> {
    let parsed = phonenumber::parse(Some(region?), number).ok()?;
    let extension = extension_of(&parsed);
    match parsed.code().source() {
        Source::Plus | Source::Number | Source::Default => {
            parsed.is_valid().then_some((parsed, extension))
        }
        Source::Idd => {
            // What stands behind the number has no place in its digits.
            let behind = extension.as_ref().map_or(0, String::len);
            let digits: String = number.chars().filter(char::is_ascii_digit).collect();
            let digits = &digits[..digits.len().saturating_sub(behind)];
            let code = parsed.code().value().to_string();
            let without_prefix = (1..=INTERNATIONAL_PREFIX_DIGITS_MAX)
                .filter_map(|at| digits.get(at..))
                .filter(|rest| rest.starts_with(&code));
            let mut read = without_prefix.filter_map(|rest| valid(&format!("+{rest}")));
            read.next().map(|read| (read, extension))
        }
    }
}

fn extension_of(number: &PhoneNumber) -> Option<String> {
    number.extension().map(ToString::to_string)
}

#[cfg(test)]
mod tests {
    use super::*;
    use phonenumber::metadata::DATABASE;
    use proptest::prelude::*;

    const WITH: PhonenumberOptions = PhonenumberOptions { enable_extension: true };
    const WITHOUT: PhonenumberOptions = PhonenumberOptions { enable_extension: false };

    fn text(text: &str) -> Input<'_> {
        Input::Text(text.into())
    }

    fn set(number: &str) -> Change {
        Change::Set(Value::Text(number.into()))
    }

    #[test]
    fn a_number_is_spelled_in_one_way() {
        let check = |region: &str, given: &str, expected: &str| {
            assert_eq!(read(&text(given), WITHOUT, region), Ok(set(expected)), "{region} {given}");
        };
        check("US", "+12025550123", "+12025550123");
        check("US", " (202) 555-0123 ", "+12025550123");
        check("US", "1-202-555-0123", "+12025550123");
        check("US", "tel:+1-202-555-0123", "+12025550123");
        check("US", "+49 30 901820", "+4930901820");
        check("DE", "030 901820", "+4930901820");
        check("DE", "+1 202 555 0123", "+12025550123");
        check("GB", "020 7946 0018", "+442079460018");
        check("IT", "06 698 12345", "+390669812345");
        check("US", "+95 1 234567", "+951234567");
        check("US", "011 49 1512 3456789", "+4915123456789");
        check("US", "011 1 202 555 0123", "+12025550123");
        check("DE", "0044 20 7946 0018", "+442079460018");
        check("US", "\u{ff0b}49 30 901820", "+4930901820");
        check("US", "+39 06 698 12345", "+390669812345");
        check("US", "(202) 555-0123 ext. 12", "+12025550123");
        check("US", "+12025550123;ext=12", "+12025550123");
    }

    #[test]
    fn an_extension_is_kept_where_the_field_says_so() {
        let check = |given: &str, expected: &str| {
            assert_eq!(read(&text(given), WITH, "US"), Ok(set(expected)), "{given}");
        };
        check("(202) 555-0123 ext. 12", "+12025550123;ext=12");
        check("011 49 1512 3456789 x1", "+4915123456789;ext=1");
        check("202 555 0123 x007", "+12025550123;ext=007");
        check("+12025550123;ext=12", "+12025550123;ext=12");
        check("+12025550123", "+12025550123");
    }

    #[test]
    fn what_is_no_number_is_refused() {
        let check =
            |input: Input<'_>| assert_eq!(read(&input, WITH, "US"), Err(FAULT), "{input:?}");
        for given in [
            "5550123",
            "+1",
            "+",
            "123",
            "+999 123 4567",
            "+1 202 555 01234567",
            "phone",
            "jo@example.com",
            "+12025550123;ext=",
            "+12025550123;ext=a",
            "+12025550123;ext=1;ext=2",
            ";ext=1",
            "+1 202 555 0123\0",
        ] {
            check(text(given));
        }
        check(text(&"1".repeat(101)));
        check(text(&format!("+12025550123;ext={}", "1".repeat(21))));
        check(Input::Number("2025550123".into()));
        check(Input::Map(vec![]));
        assert_eq!(read(&text("2025550123"), WITH, "??"), Err(FAULT), "no region, no number");
        assert_eq!(read(&text(" "), WITH, "US"), Ok(Change::Clear));
    }

    #[test]
    fn the_numbers_of_all_regions_are_read_back() {
        let mut count = 0;
        for of_region in DATABASE.iter() {
            let kinds = of_region.descriptors();
            let national = kinds.fixed_line().or_else(|| kinds.mobile());
            let Some(example) = national.and_then(|kind| kind.example()) else { continue };
            let number = format!("+{}{example}", of_region.country_code());
            let id = of_region.id();
            assert_eq!(read(&text(&number), WITH, "US"), Ok(set(&number)), "{id}");
            count += 1;
        }
        assert!(count > 200, "{count}");
    }

    proptest! {
        #[test]
        fn no_text_stops_the_reader(
            given in "[-+0-9 ().;/extEX=~#*,]{0,30}|.{0,20}|tel:[+0-9;=a-z.-]{0,20}",
            region in prop::sample::select(vec!["US", "DE", "IT", "RU", "??"]),
        ) {
            if let Ok(Change::Set(Value::Text(read_first))) = read(&text(&given), WITH, region) {
                prop_assert!(read_first.starts_with('+'));
                let again = read(&text(&read_first), WITH, "US");
                prop_assert_eq!(again, Ok(set(&read_first)), "{}", given);
            }
        }
    }
}
