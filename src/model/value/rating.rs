//! rating: a whole number within the bounds of its field.
//!
//! Owns how a request gives one: as the number, or as the option that stands for it, which is
//! called like the number. Must not know how the bounds are chosen.

use crate::model::input::Input;
use crate::model::schema::rating_options::RatingOptions;
use crate::model::value::fault::ValueFault;
use crate::model::value::number;

/// Reads a number, a text that spells one, `{"id"}` or `{"name"}`.
pub(super) fn read(input: &Input<'_>, options: RatingOptions) -> Result<i32, ValueFault> {
    let named = input.get("id").or_else(|| input.get("name"));
    number::read_within(named.unwrap_or(input), options.bounds())
}

#[cfg(test)]
mod tests {
    use super::*;
    use rust_decimal::Decimal;

    fn text(text: &str) -> Input<'_> {
        Input::Text(text.into())
    }

    fn map<'a>(key: &'a str, input: Input<'a>) -> Input<'a> {
        Input::Map(vec![(key.into(), input)])
    }

    #[test]
    fn a_rating_is_a_number_or_its_option_within_the_bounds() {
        let too_small = ValueFault::TooSmall { min: Decimal::from(1) };
        let too_large = ValueFault::TooLarge { max: Decimal::from(5) };
        let not_whole = ValueFault::Invalid { what: "A valid integer is required." };
        let check = |input: Input<'_>, expected: Result<i32, &ValueFault>| {
            let found = read(&input, RatingOptions::default());
            assert_eq!(found, expected.map_err(ValueFault::clone), "{input:?}");
        };
        check(Input::Number("1".into()), Ok(1));
        check(Input::Number("5.0".into()), Ok(5));
        check(text(" 4 "), Ok(4));
        check(map("id", text("4")), Ok(4));
        check(map("id", Input::Number("4".into())), Ok(4));
        check(map("name", text("4")), Ok(4));
        let both = Input::Map(vec![("name".into(), text("1")), ("id".into(), text("2"))]);
        check(both, Ok(2));
        check(Input::Number("0".into()), Err(&too_small));
        check(Input::Number("-99999999999".into()), Err(&too_small));
        check(Input::Number("6".into()), Err(&too_large));
        check(map("id", text("6")), Err(&too_large));
        check(Input::Number("1e99".into()), Err(&too_large));
        check(Input::Number("1.5".into()), Err(&not_whole));
        check(text(""), Err(&not_whole));
        check(text("five"), Err(&not_whole));
        check(map("code", text("4")), Err(&not_whole));
        check(Input::List(vec![text("4")]), Err(&not_whole));
    }

    #[test]
    fn a_field_may_have_other_bounds() {
        let options = RatingOptions { min_value: 0, max_value: 10 };
        assert_eq!(read(&Input::Number("0".into()), options), Ok(0));
        assert_eq!(read(&Input::Number("10".into()), options), Ok(10));
        let fault = read(&Input::Number("11".into()), options).unwrap_err();
        assert_eq!(fault.to_string(), "Ensure this value is less than or equal to 10.");
    }
}
