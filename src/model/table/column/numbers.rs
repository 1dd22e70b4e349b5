//! Numbers, days and instants of one chunk, eight bytes each.
//!
//! They are kept as floats, which compare fast, but only such as a float holds exactly: then they
//! compare as they are. What it does not hold is no cell of a column.

use crate::model::table::column::mask::Mask;
use rust_decimal::Decimal;

/// Digits that a float of eight bytes tells apart, whatever they are.
const DIGITS_MAX: u32 = 15;
/// Powers of ten up to this one are exact floats.
const PLACES_MAX: u32 = 22;

/// The values of the rows; a blank is not a number.
#[derive(Debug, Default)]
pub(super) struct Numbers(Vec<f64>);

/// Numbers from the first to the last, both included.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Span {
    pub from: f64,
    pub to: f64,
}

/// The float that stands for a decimal; none where two decimals might share one.
#[must_use]
pub fn exact(decimal: Decimal) -> Option<f64> {
    let shortest = decimal.normalize();
    let digits = i64::try_from(shortest.mantissa()).ok()?;
    if digits.unsigned_abs() >= 10_u64.pow(DIGITS_MAX) || shortest.scale() > PLACES_MAX {
        return None;
    }
    // Both are exact, so their quotient is the float that is next to the decimal; decimals of so
    // few digits are further apart than floats are.
    Some(float(digits) / 10_f64.powi(i32::try_from(shortest.scale()).ok()?))
}

/// The float of an integer below 2^53, which every stored day and instant is.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "whoever calls it has an integer that fits")]
pub fn float(integer: i64) -> f64 {
    integer as f64
}

/// The integer that a float was made of.
#[must_use]
#[expect(clippy::cast_possible_truncation, reason = "it was made of an integer")]
pub(super) fn integer(float: f64) -> i64 {
    float as i64
}

impl Numbers {
    pub(super) fn set(&mut self, row: usize, number: Option<f64>) {
        if row >= self.0.len() {
            self.0.resize(row + 1, f64::NAN);
        }
        self.0[row] = number.unwrap_or(f64::NAN);
    }

    pub(super) fn within(&self, span: Span) -> Mask {
        // Nothing compares with what is not a number, so blanks are never within.
        Mask::of_values(&self.0, |number| *number >= span.from && *number <= span.to)
    }

    pub(super) fn blank(&self) -> Mask {
        // Rows behind the last one that has a number were never set: they have none either.
        let has_number = Mask::of_values(&self.0, |number| !number.is_nan());
        Mask::first(crate::model::table::order::CHUNK).without(&has_number)
    }

    /// Of these rows those whose number holds.
    pub(super) fn holding(&self, rows: &Mask, holds: impl Fn(f64) -> bool) -> Mask {
        let mut mask = Mask::NONE;
        for row in rows.rows() {
            let number = self.0.get(row).filter(|number| !number.is_nan());
            mask.set(row, number.is_some_and(|number| holds(*number)));
        }
        mask
    }

    pub(super) fn bytes(&self) -> usize {
        self.0.capacity() * size_of::<f64>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_a_float_does_not_hold_is_told_apart() {
        let check = |spelling: &str, expected: Option<f64>| {
            assert_eq!(exact(spelling.parse().unwrap()), expected, "{spelling}");
        };
        check("0", Some(0.0));
        check("-0.10", Some(-0.1));
        check("12.34", Some(12.34));
        check("999999999999999", Some(999_999_999_999_999.0));
        check("9999999999999.99", Some(9_999_999_999_999.99));
        check("1000000000000000", None);
        check("1000000000000001", None);
        check("12345678901234.56", None);
        check("0.123456789012345", Some(0.123_456_789_012_345));
        check("0.1234567890123456", None);
        check("0.00000000000000000000001", None);
    }

    fn decimals() -> impl Strategy<Value = Decimal> {
        (-999_999_999_999_999_i64..=999_999_999_999_999, 0..=22_u32)
            .prop_map(|(digits, places)| Decimal::new(digits, places))
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn floats_stand_to_each_other_as_the_decimals_do(
            left in decimals(), right in decimals(), step in -2..=2_i64,
        ) {
            let near = Decimal::new(i64::try_from(left.mantissa()).unwrap() + step, left.scale());
            for right in [right, near] {
                if let (Some(a), Some(b)) = (exact(left), exact(right)) {
                    prop_assert_eq!(a.partial_cmp(&b), Some(left.cmp(&right)), "{} {}", left, right);
                }
            }
        }
    }
}
