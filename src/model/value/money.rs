//! money: an exact amount; the currency is the field's.
//!
//! Owns how an amount is given and shown. Must not know currencies beyond telling two apart.

use crate::model::input::Input;
use crate::model::schema::currency::Currency;
use crate::model::schema::decimal_options::DecimalOptions;
use crate::model::value::fault::ValueFault;
use crate::model::value::number;
use rust_decimal::Decimal;
use std::fmt::Write;

/// Digits of an amount after the point.
pub const AMOUNT_PLACES: u8 = 2;

const LIMITS: DecimalOptions =
    DecimalOptions { min_value: None, max_value: None, precision: Some(AMOUNT_PLACES) };

/// Reads a number, a text that spells one, or `{"amount"}`.
///
/// What was read can be written back, so a currency may stand beside the amount; another one than
/// the field's is refused, because the amount would be taken for what it is not.
pub(super) fn read(input: &Input<'_>, currency: Currency) -> Result<Decimal, ValueFault> {
    let Input::Map(_) = input else { return number::read_decimal(input, Some(&LIMITS)) };
    let is_other = match input.get("currency") {
        None | Some(Input::Null) => false,
        Some(Input::Text(code)) => Currency::parse(code) != Some(currency),
        Some(Input::Boolean(_) | Input::Number(_) | Input::List(_) | Input::Map(_)) => true,
    };
    if is_other {
        return Err(ValueFault::Invalid { what: "This field has another currency." });
    }
    let amount = input.get("amount").ok_or(ValueFault::Invalid {
        what: "Expected an amount: a number or {\"amount\": …}.",
    })?;
    number::read_decimal(amount, Some(&LIMITS))
}

/// Appends an amount as clients read it: exact, always with two digits after the point.
pub fn write_amount(amount: Decimal, out: &mut String) {
    let places = usize::from(AMOUNT_PLACES);
    write!(out, "{amount:.places$}").expect("a string takes every write");
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn number(spelling: &str) -> Input<'_> {
        Input::Number(spelling.into())
    }

    fn text(text: &str) -> Input<'_> {
        Input::Text(text.into())
    }

    fn map<'a>(entries: &[(&'a str, Input<'a>)]) -> Input<'a> {
        Input::Map(entries.iter().map(|(key, input)| ((*key).into(), input.clone())).collect())
    }

    fn dollars(input: &Input<'_>) -> Result<Decimal, ValueFault> {
        read(input, Currency::parse("USD").unwrap())
    }

    fn shown(amount: Decimal) -> String {
        let mut out = String::new();
        write_amount(amount, &mut out);
        out
    }

    #[test]
    fn an_amount_is_exact_and_shown_with_two_digits() {
        let check = |input: Input<'_>, expected: &str| {
            assert_eq!(dollars(&input).map(shown).as_deref(), Ok(expected), "{input:?}");
        };
        check(number("320.81"), "320.81");
        check(number("320.8"), "320.80");
        check(number("5"), "5.00");
        check(number("-0.00"), "0.00");
        check(number("1e3"), "1000.00");
        check(number("0.10000"), "0.10");
        check(text(" 12.50 "), "12.50");
        check(text("-999999999999999.99"), "-999999999999999.99");
        check(map(&[("amount", number("1.5"))]), "1.50");
        check(map(&[("amount", text("1.5")), ("currency", text("USD"))]), "1.50");
        check(
            map(&[("currency", Input::Null), ("symbol", text("$")), ("amount", number("2"))]),
            "2.00",
        );
    }

    #[test]
    fn what_is_no_amount_of_the_currency_is_refused() {
        let check = |input: Input<'_>, expected: &ValueFault| {
            assert_eq!(dollars(&input).as_ref(), Err(expected), "{input:?}");
        };
        let not_a_number = ValueFault::Invalid { what: "A valid number is required." };
        check(number("0.001"), &ValueFault::TooManyDecimalPlaces { max: 2 });
        check(number("1000000000000000"), &ValueFault::TooManyDigits { max: 15 });
        check(text("$1,250.50"), &not_a_number);
        check(text(""), &not_a_number);
        check(Input::Boolean(true), &not_a_number);
        check(map(&[("amount", Input::Null)]), &not_a_number);
        let other = ValueFault::Invalid { what: "This field has another currency." };
        check(map(&[("amount", number("1")), ("currency", text("EUR"))]), &other);
        check(map(&[("amount", number("1")), ("currency", text(""))]), &other);
        check(map(&[("amount", number("1")), ("currency", number("1"))]), &other);
        assert!(matches!(dollars(&map(&[])), Err(ValueFault::Invalid { .. })));
    }

    proptest! {
        #[test]
        fn every_amount_is_read_back(cents in -99_999_999_999_999_999_i64..=99_999_999_999_999_999) {
            let amount = Decimal::new(cents, 2);
            let shown = shown(amount);
            prop_assert_eq!(shown.rsplit_once('.').map(|(_, places)| places.len()), Some(2));
            prop_assert_eq!(dollars(&number(&shown)), Ok(amount));
        }
    }
}
