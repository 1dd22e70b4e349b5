//! integer and decimal: numbers kept exactly.
//!
//! Owns how a number is spelled, and their limits. Nothing here goes through a float, because
//! `0.1 + 0.2` must be what was written.

use crate::model::input::Input;
use crate::model::schema::field::DecimalOptions;
use crate::model::value::fault::ValueFault;
use crate::model::value::pack::{self, DecodeError};
use rust_decimal::Decimal;
use std::fmt::Write;

/// Digits of a decimal before the point.
pub const WHOLE_DIGITS_MAX: usize = 15;
/// Digits of a decimal after the point, trailing zeros apart.
pub const DECIMAL_PLACES_MAX: usize = 6;

/// Reads a whole number of four bytes, from a number or a text that spells one.
pub(super) fn read_integer(input: &Input<'_>) -> Result<i32, ValueFault> {
    const NOT_WHOLE: ValueFault = ValueFault::Invalid { what: "A valid integer is required." };
    let exact = read_exact(input).ok_or(NOT_WHOLE)?;
    if exact.places() > 0 {
        return Err(NOT_WHOLE);
    }
    exact.integer().ok_or(if exact.is_negative {
        ValueFault::TooSmall { min: Decimal::from(i32::MIN) }
    } else {
        ValueFault::TooLarge { max: Decimal::from(i32::MAX) }
    })
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
    read_decimal(&Input::Number(spelling.into()), None).ok()
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
        i32::try_from(self.unscaled(0)).ok()
    }

    /// The value of a number within the limits of a decimal.
    fn decimal(&self) -> Decimal {
        let places = self.places();
        let scale = u32::try_from(places).expect("the places were checked");
        Decimal::from_i128_with_scale(self.unscaled(places), scale)
    }

    /// The value times `10^places`, which must make it whole and short.
    fn unscaled(&self, places: usize) -> i128 {
        let written = self.digits.iter().fold(0, |sum, digit| sum * 10 + i128::from(digit - b'0'));
        let zeros = self.whole_digits() + places;
        let magnitude = (self.digits.len()..zeros).fold(written, |sum, _| sum * 10);
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
