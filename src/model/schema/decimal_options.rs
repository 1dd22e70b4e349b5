//! The limits a decimal field sets itself, and how a request asks for them.
//!
//! Must not know values: those are held against the limits where they are read.

use crate::model::schema::check::Checks;
use crate::model::schema::fault::BodyPlace;
use crate::model::value::fault::ValueFault;
use crate::model::value::number::{DECIMAL_PLACES_MAX, parse_decimal};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

/// Limits of a decimal field, narrower than those of the type.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct DecimalOptions {
    pub min_value: Option<Decimal>,
    pub max_value: Option<Decimal>,
    /// Digits after the point.
    pub precision: Option<u8>,
}

impl DecimalOptions {
    /// Digits after the point that a value may have.
    #[must_use]
    pub fn places_max(&self) -> usize {
        self.precision.map_or(DECIMAL_PLACES_MAX, usize::from)
    }
}

/// Limits of a new decimal field; numbers as they were written.
#[derive(Clone, Debug, Default)]
pub struct NewDecimalOptions {
    pub min_value: Option<String>,
    pub max_value: Option<String>,
    pub precision: Option<i64>,
}

impl NewDecimalOptions {
    /// The limits, and in `checks` what is wrong with them.
    pub(super) fn read(&self, checks: &mut Checks) -> DecimalOptions {
        let place = |key| BodyPlace::Inner { map: "decimal_options", key };
        let mut limit = |key, given: Option<&String>| -> Option<Decimal> {
            let limit = parse_decimal(given?);
            if limit.is_none() {
                checks.add(place(key), ValueFault::Invalid { what: "A valid number is required." });
            }
            limit
        };
        let min_value = limit("min_value", self.min_value.as_ref());
        let max_value = limit("max_value", self.max_value.as_ref());
        if let (Some(min), Some(max)) = (min_value, max_value)
            && min > max
        {
            checks.add(place("max_value"), ValueFault::TooSmall { min });
        }
        let precision = self.precision.and_then(|given| {
            let places = u8::try_from(given).ok();
            let places = places.filter(|places| usize::from(*places) <= DECIMAL_PLACES_MAX);
            if places.is_none() {
                checks.add(
                    place("precision"),
                    ValueFault::Invalid { what: "Give a number of decimal places, 0 to 6." },
                );
            }
            places
        });
        DecimalOptions { min_value, max_value, precision }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(min: &str, max: &str, precision: Option<i64>) -> NewDecimalOptions {
        let [min_value, max_value] = [min, max].map(|limit| Some(limit.to_owned()));
        NewDecimalOptions { min_value, max_value, precision }
    }

    fn decimal(spelling: &str) -> Decimal {
        parse_decimal(spelling).unwrap()
    }

    #[test]
    fn limits_are_read_exactly() {
        let mut checks = Checks::default();
        let expected = DecimalOptions {
            min_value: Some(decimal("-1.5")),
            max_value: Some(decimal("100")),
            precision: Some(6),
        };
        assert_eq!(limits("-1.50", "1e2", Some(6)).read(&mut checks), expected);
        assert_eq!(NewDecimalOptions::default().read(&mut checks), DecimalOptions::default());
        assert_eq!(limits("1", "1", Some(0)).read(&mut checks).places_max(), 0);
        assert_eq!(DecimalOptions::default().places_max(), DECIMAL_PLACES_MAX);
        assert_eq!(checks.end(), Ok(()));
    }

    #[test]
    fn limits_that_make_no_sense_are_told_with_their_key() {
        let check = |options: NewDecimalOptions, expected: &[(&str, ValueFault)]| {
            let mut checks = Checks::default();
            options.read(&mut checks);
            let faults = checks.end().expect_err("the limits are faulty");
            let found: Vec<_> =
                faults.into_iter().map(|fault| (fault.place.to_string(), fault.fault)).collect();
            let expected: Vec<_> = expected
                .iter()
                .map(|(key, fault)| (format!("decimal_options.{key}"), fault.clone().into()))
                .collect();
            assert_eq!(found, expected);
        };
        let number = ValueFault::Invalid { what: "A valid number is required." };
        let places = ValueFault::Invalid { what: "Give a number of decimal places, 0 to 6." };
        check(limits("2", "1", None), &[("max_value", ValueFault::TooSmall { min: decimal("2") })]);
        check(
            limits("x", "1e99", Some(-1)),
            &[("min_value", number.clone()), ("max_value", number), ("precision", places.clone())],
        );
        check(limits("1", "1", Some(7)), &[("precision", places)]);
    }
}
