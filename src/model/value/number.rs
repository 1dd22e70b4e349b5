//! integer and decimal: numbers kept exactly.
//!
//! Owns how a number is spelled, and their limits. Nothing here goes through a float, because
//! `0.1 + 0.2` must be what was written.

use crate::model::input::Input;
use crate::model::schema::decimal_options::DecimalOptions;
use crate::model::value::fault::ValueFault;
use crate::model::value::pack::{self, DecodeError};
use rust_decimal::Decimal;
use std::fmt::Write;
use std::ops::RangeInclusive;

/// Digits of a decimal before the point.
pub const WHOLE_DIGITS_MAX: usize = 15;
/// Digits of a decimal after the point, trailing zeros apart.
pub const DECIMAL_PLACES_MAX: usize = 6;

/// Reads a whole number of four bytes, from a number or a text that spells one.
pub(super) fn read_integer(input: &Input<'_>) -> Result<i32, ValueFault> {
    read_within(input, i32::MIN..=i32::MAX)
}

/// Reads a whole number within bounds.
pub(super) fn read_within(
    input: &Input<'_>,
    bounds: RangeInclusive<i32>,
) -> Result<i32, ValueFault> {
    const NOT_WHOLE: ValueFault = ValueFault::Invalid { what: "A valid integer is required." };
    let exact = read_exact(input).ok_or(NOT_WHOLE)?;
    if exact.places() > 0 {
        return Err(NOT_WHOLE);
    }
    let (min, max) = (*bounds.start(), *bounds.end());
    match exact.integer() {
        Some(integer) if bounds.contains(&integer) => Ok(integer),
        found if found.map_or(exact.is_negative, |integer| integer < min) => {
            Err(ValueFault::TooSmall { min: Decimal::from(min) })
        }
        Some(_) | None => Err(ValueFault::TooLarge { max: Decimal::from(max) }),
    }
}

/// Reads a decimal within the limits of the type and of the field.
pub(super) fn read_decimal(
    input: &Input<'_>,
    options: Option<&DecimalOptions>,
) -> Result<Decimal, ValueFault> {
    let exact =
        read_exact(input).ok_or(ValueFault::Invalid { what: "A valid number is required." })?;
    if exact.whole_digits() > WHOLE_DIGITS_MAX {
        return Err(ValueFault::TooManyDigits { max: WHOLE_DIGITS_MAX });
    }
    let places_max = options.map_or(DECIMAL_PLACES_MAX, DecimalOptions::places_max);
    if exact.places() > places_max {
        return Err(ValueFault::TooManyDecimalPlaces { max: places_max });
    }
    let decimal = exact.decimal();
    match options.map(|options| (options.min_value, options.max_value)) {
        Some((Some(min), _)) if decimal < min => Err(ValueFault::TooSmall { min }),
        Some((_, Some(max))) if decimal > max => Err(ValueFault::TooLarge { max }),
        Some(_) | None => Ok(decimal),
    }
}

/// Reads a number as a limit of a field; none where it is not one or has too many digits.
#[must_use]
pub fn parse_decimal(spelling: &str) -> Option<Decimal> {
    read_decimal(&Input::Text(spelling.into()), None).ok()
}

/// Appends a decimal as clients read it: exact, always with a point, never with an exponent.
pub fn write_decimal(decimal: Decimal, out: &mut String) {
    let shortest = decimal.normalize();
    write!(out, "{shortest}").expect("a string takes every write");
    if shortest.scale() == 0 {
        out.push_str(".0");
    }
}

pub(super) fn encode_decimal(decimal: Decimal, out: &mut Vec<u8>) {
    pack::write_text(&decimal.normalize().to_string(), out);
}

pub(super) fn decode_decimal(bytes: &mut &[u8]) -> Result<Decimal, DecodeError> {
    Decimal::from_str_exact(pack::read_text(bytes)?)
        .map_err(|_| DecodeError::Form { expected: "a decimal" })
}

pub(super) fn decode_integer(bytes: &mut &[u8]) -> Result<i32, DecodeError> {
    i32::try_from(pack::read_integer(bytes)?)
        .map_err(|_| DecodeError::Form { expected: "an integer of four bytes" })
}

/// The number that a spelling means: `±0.d₁d₂d₃… × 10^point`, without a zero at either end of the
/// digits; zero has none.
#[derive(Debug, PartialEq)]
struct Exact {
    is_negative: bool,
    digits: Vec<u8>,
    point: i64,
}

impl Exact {
    /// An optional sign, digits with or without a point, an optional exponent.
    fn parse(spelling: &str) -> Option<Self> {
        let unsigned = spelling.strip_prefix(['-', '+']);
        let is_negative = spelling.starts_with('-');
        let (mantissa, exponent) = split(unsigned.unwrap_or(spelling), ['e', 'E']);
        let (whole, fraction) = split(mantissa, ['.', '.']);
        let mut digits: Vec<u8> =
            whole.bytes().chain(fraction.unwrap_or_default().bytes()).collect();
        if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
            return None;
        }
        let zeros = digits.iter().take_while(|digit| **digit == b'0').count();
        digits.drain(..zeros);
        digits.truncate(digits.iter().rposition(|digit| *digit != b'0').map_or(0, |at| at + 1));
        let exponent = exponent.map_or(Some(0), parse_exponent)?;
        let point = i64::try_from(whole.len()).ok()? - i64::try_from(zeros).ok()? + exponent;
        if digits.is_empty() {
            return Some(Self { is_negative: false, digits, point: 0 });
        }
        Some(Self { is_negative, digits, point })
    }

    /// Digits before the point.
    fn whole_digits(&self) -> usize {
        usize::try_from(self.point).unwrap_or(0)
    }

    /// Digits after the point.
    fn places(&self) -> usize {
        let digits = i64::try_from(self.digits.len()).unwrap_or(i64::MAX);
        usize::try_from(digits.saturating_sub(self.point)).unwrap_or(0)
    }

    /// The value of a whole number, if four bytes hold it.
    fn integer(&self) -> Option<i32> {
        // Ten digits fit into eight bytes, and eleven never fit into four.
        if self.whole_digits() > 10 {
            return None;
        }
        i32::try_from(self.unscaled()).ok()
    }

    /// The value of a number within the limits of a decimal.
    fn decimal(&self) -> Decimal {
        let scale = u32::try_from(self.places()).expect("the places were checked");
        Decimal::from_i128_with_scale(self.unscaled(), scale)
    }

    /// The value without its point, which must be short: the digits, and the zeros that a whole
    /// number has behind them.
    fn unscaled(&self) -> i128 {
        let written = self.digits.iter().fold(0, |sum, digit| sum * 10 + i128::from(digit - b'0'));
        let zeros = self.whole_digits().saturating_sub(self.digits.len());
        let magnitude = (0..zeros).fold(written, |sum, _| sum * 10);
        if self.is_negative { -magnitude } else { magnitude }
    }
}

fn read_exact(input: &Input<'_>) -> Option<Exact> {
    match input {
        Input::Number(spelling) => Exact::parse(spelling),
        Input::Text(text) => Exact::parse(text.trim()),
        Input::Null | Input::Boolean(_) | Input::List(_) | Input::Map(_) => None,
    }
}

fn split(text: &str, marks: [char; 2]) -> (&str, Option<&str>) {
    text.split_once(marks).map_or((text, None), |(head, tail)| (head, Some(tail)))
}

/// An exponent beyond all limits of a number is as good as one at the edge of them.
fn parse_exponent(spelling: &str) -> Option<i64> {
    const EDGE: i64 = 1 << 40;
    let digits = spelling.strip_prefix(['-', '+']).unwrap_or(spelling);
    if digits.is_empty() || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let size =
        digits.bytes().fold(0, |sum: i64, digit| EDGE.min(sum * 10 + i64::from(digit - b'0')));
    Some(if spelling.starts_with('-') { -size } else { size })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NOT_WHOLE: ValueFault = ValueFault::Invalid { what: "A valid integer is required." };
    const NOT_A_NUMBER: ValueFault = ValueFault::Invalid { what: "A valid number is required." };

    fn number(spelling: &str) -> Input<'_> {
        Input::Number(spelling.into())
    }

    fn text(text: &str) -> Input<'_> {
        Input::Text(text.into())
    }

    fn shown(decimal: Decimal) -> String {
        let mut out = String::new();
        write_decimal(decimal, &mut out);
        out
    }

    #[test]
    fn whole_numbers_are_read_in_every_spelling() {
        let check = |input: Input<'_>, expected| {
            assert_eq!(read_integer(&input), expected, "{input:?}");
        };
        check(number("0"), Ok(0));
        check(number("-0"), Ok(0));
        check(number("5.0"), Ok(5));
        check(number("1e3"), Ok(1000));
        check(number("1200e-2"), Ok(12));
        check(number("-2147483648"), Ok(i32::MIN));
        check(number("2147483647.000"), Ok(i32::MAX));
        check(number("0e999999999999999999999"), Ok(0));
        check(text(" 007 "), Ok(7));
        check(text("+7"), Ok(7));
        check(text("7."), Ok(7));
        let too_large = ValueFault::TooLarge { max: Decimal::from(i32::MAX) };
        let too_small = ValueFault::TooSmall { min: Decimal::from(i32::MIN) };
        check(number("2147483648"), Err(too_large.clone()));
        check(number("1e999999999999999999999"), Err(too_large.clone()));
        check(number("99999999999999999999999999999999999999999"), Err(too_large));
        check(number("-2147483649"), Err(too_small.clone()));
        check(number("-1e12"), Err(too_small));
        check(number("1.5"), Err(NOT_WHOLE));
        check(number("1e-1"), Err(NOT_WHOLE));
        check(number("1e-999999999999999999999"), Err(NOT_WHOLE));
        for spelling in ["", "-", "+", ".", "e5", "1e", "1e+", "--1", "1,5", "0x10", "1 2", "NaN"] {
            check(text(spelling), Err(NOT_WHOLE));
        }
        check(Input::Boolean(true), Err(NOT_WHOLE));
        check(Input::List(vec![]), Err(NOT_WHOLE));
    }

    #[test]
    fn decimals_are_exact_and_shown_with_a_point() {
        let check = |spelling: &str, expected: &str| {
            let decimal = read_decimal(&number(spelling), None).unwrap();
            assert_eq!(shown(decimal), expected, "{spelling}");
            assert_eq!(read_decimal(&text(spelling), None), Ok(decimal));
        };
        check("5", "5.0");
        check("12.50", "12.5");
        check("-0.25", "-0.25");
        check("-0.000", "0.0");
        check("1e3", "1000.0");
        check("12.5E-2", "0.125");
        check("0.100000000000000000000000000000000", "0.1");
        check("0.1", "0.1");
        check("999999999999999.999999", "999999999999999.999999");
        check("-999999999999999.999999", "-999999999999999.999999");
        check("0.000001", "0.000001");
    }

    #[test]
    fn decimals_beyond_their_limits_are_refused() {
        let check = |spelling: &str, expected| {
            assert_eq!(read_decimal(&number(spelling), None), Err(expected), "{spelling}");
        };
        check("1000000000000000", ValueFault::TooManyDigits { max: 15 });
        check("1e15", ValueFault::TooManyDigits { max: 15 });
        check("1e1000000000000", ValueFault::TooManyDigits { max: 15 });
        check("0.0000001", ValueFault::TooManyDecimalPlaces { max: 6 });
        check("1e-7", ValueFault::TooManyDecimalPlaces { max: 6 });
        check("1e-1000000000000", ValueFault::TooManyDecimalPlaces { max: 6 });
        check("1000000000000000.0000001", ValueFault::TooManyDigits { max: 15 });
        check("one", NOT_A_NUMBER);
        assert_eq!(read_decimal(&Input::Map(vec![]), None), Err(NOT_A_NUMBER));
    }

    #[test]
    fn a_field_may_narrow_its_decimals() {
        let limit = |spelling: &str| parse_decimal(spelling).unwrap();
        let options = DecimalOptions {
            min_value: Some(limit("-1.5")),
            max_value: Some(limit("100")),
            precision: Some(2),
        };
        let check = |spelling: &str, expected: Result<&str, ValueFault>| {
            let found = read_decimal(&number(spelling), Some(&options)).map(shown);
            assert_eq!(found, expected.map(str::to_owned), "{spelling}");
        };
        check("-1.50", Ok("-1.5"));
        check("100", Ok("100.0"));
        check("-1.51", Err(ValueFault::TooSmall { min: limit("-1.5") }));
        check("100.01", Err(ValueFault::TooLarge { max: limit("100") }));
        check("1.234", Err(ValueFault::TooManyDecimalPlaces { max: 2 }));
        check("1.230", Ok("1.23"));
    }

    #[test]
    fn limits_are_named_in_the_message() {
        let fault = ValueFault::TooLarge { max: parse_decimal("12.50").unwrap() };
        assert_eq!(fault.to_string(), "Ensure this value is less than or equal to 12.5.");
    }

    proptest! {
        #[test]
        fn every_integer_is_read_back(value in any::<i32>(), zeros in 0_usize..4) {
            let spelling = format!("{value}.{}", "0".repeat(zeros));
            prop_assert_eq!(read_integer(&text(&spelling)), Ok(value));
        }

        #[test]
        fn every_decimal_is_read_back(
            unscaled in any::<i128>(),
            (digits, scale) in (0_u32..=21, 0_u32..=6).prop_filter("fits", |(d, s)| *d <= 15 + s),
        ) {
            let decimal = Decimal::from_i128_with_scale(unscaled % 10_i128.pow(digits), scale);
            let read = read_decimal(&text(&decimal.to_string()), None);
            prop_assert_eq!(read, Ok(decimal));
            let shown = shown(decimal);
            prop_assert!(shown.contains('.') && !shown.contains(['e', 'E']));
            prop_assert_eq!(read_decimal(&number(&shown), None), Ok(decimal));
        }

        #[test]
        fn no_text_stops_the_reader(input in "[-+0-9.eE]{0,24}|.{0,8}") {
            // Reading or refusing are both right; what counts is that it comes back.
            let integer = read_integer(&text(&input));
            if let Ok(integer) = integer {
                prop_assert_eq!(
                    read_decimal(&text(&input), None).map(|decimal| decimal.to_string()),
                    Ok(integer.to_string())
                );
            }
        }
    }
}
