//! The bounds of a rating field, and how a request asks for them.
//!
//! Must not know values: those are held against the bounds where they are read.

use crate::model::schema::check::Checks;
use crate::model::schema::fault::BodyPlace;
use crate::model::value::fault::ValueFault;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use std::ops::RangeInclusive;

/// The highest number that a rating may have.
pub const RATING_MAX: u8 = 10;

/// From where to where a rating goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RatingOptions {
    pub min_value: u8,
    pub max_value: u8,
}

impl RatingOptions {
    #[must_use]
    pub fn bounds(self) -> RangeInclusive<i32> {
        i32::from(self.min_value)..=i32::from(self.max_value)
    }
}

impl Default for RatingOptions {
    fn default() -> Self {
        Self { min_value: 1, max_value: 5 }
    }
}

/// Bounds of a new rating field, each if it was given.
#[derive(Clone, Copy, Debug, Default)]
pub struct NewRatingOptions {
    pub min_value: Option<i64>,
    pub max_value: Option<i64>,
}

impl NewRatingOptions {
    /// The bounds, and in `checks` what is wrong with them.
    pub(super) fn read(self, checks: &mut Checks) -> RatingOptions {
        let default = RatingOptions::default();
        let mut bound = |key, given: Option<i64>, default| {
            let Some(given) = given else { return default };
            let fault = match u8::try_from(given) {
                Ok(bound) if bound <= RATING_MAX => return bound,
                Err(_) if given < 0 => ValueFault::TooSmall { min: Decimal::ZERO },
                Ok(_) | Err(_) => ValueFault::TooLarge { max: Decimal::from(RATING_MAX) },
            };
            checks.add(place(key), fault);
            default
        };
        let min_value = bound("min_value", self.min_value, default.min_value);
        let max_value = bound("max_value", self.max_value, default.max_value);
        if min_value > max_value {
            checks.add(place("max_value"), ValueFault::TooSmall { min: Decimal::from(min_value) });
        }
        RatingOptions { min_value, max_value }
    }
}

const fn place(key: &'static str) -> BodyPlace {
    BodyPlace::Inner { map: "rating", key }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_are_within_ten_and_in_order() {
        let check = |given: [Option<i64>; 2], read: [u8; 2], faults: &[(&str, ValueFault)]| {
            let [min_value, max_value] = given;
            let mut checks = Checks::default();
            let options = NewRatingOptions { min_value, max_value }.read(&mut checks);
            assert_eq!([options.min_value, options.max_value], read, "{given:?}");
            let found: Vec<_> = checks.end().err().unwrap_or_default();
            let found: Vec<_> =
                found.into_iter().map(|fault| (fault.place.to_string(), fault.fault)).collect();
            let expected: Vec<_> = faults
                .iter()
                .map(|(key, fault)| (format!("rating.{key}"), fault.clone().into()))
                .collect();
            assert_eq!(found, expected, "{given:?}");
        };
        let too_small = |min: i32| ValueFault::TooSmall { min: Decimal::from(min) };
        let too_large = ValueFault::TooLarge { max: Decimal::from(10) };
        check([None, None], [1, 5], &[]);
        check([Some(0), Some(10)], [0, 10], &[]);
        check([Some(3), Some(3)], [3, 3], &[]);
        check(
            [Some(-1), Some(11)],
            [1, 5],
            &[("min_value", too_small(0)), ("max_value", too_large.clone())],
        );
        check([Some(999), None], [1, 5], &[("min_value", too_large)]);
        check([Some(4), Some(2)], [4, 2], &[("max_value", too_small(4))]);
        check([Some(6), None], [6, 5], &[("max_value", too_small(6))]);
    }
}
