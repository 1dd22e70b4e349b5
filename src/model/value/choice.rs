//! dropdown: one option of the field.
//!
//! Owns how a request names an option. Must not know how options are made or removed.

use crate::model::id::{OptionId, OptionNumber};
use crate::model::input::Input;
use crate::model::schema::option::{Choice, Choices};
use crate::model::value::fault::ValueFault;

/// Reads an option: `{"id"}`, `{"name"}`, or a text that is its id, else its code, else its label.
///
/// Where a map has an id the rest is not looked at, so that what was read can be written back.
pub(super) fn read(options: &Choices, input: &Input<'_>) -> Result<OptionNumber, ValueFault> {
    let found = match (input, input.get("id"), input.get("name")) {
        (Input::Text(text), _, _) => by_any_name(options, text),
        (Input::Map(_), Some(Input::Text(id)), _) => by_id(options, id),
        (Input::Map(_), None, Some(Input::Text(label))) => options.by_label(label),
        (
            Input::Null | Input::Boolean(_) | Input::Number(_) | Input::List(_) | Input::Map(_),
            _,
            _,
        ) => {
            return Err(ValueFault::Invalid {
                what: "Expected an option: its id, {\"id\": …} or {\"name\": …}.",
            });
        }
    };
    found.map(|choice| choice.number).ok_or(ValueFault::DoesNotExist { what: "Option" })
}

fn by_id<'a>(options: &'a Choices, id: &str) -> Option<&'a Choice> {
    options.by_id(OptionId::parse(id.trim())?)
}

fn by_any_name<'a>(options: &'a Choices, text: &str) -> Option<&'a Choice> {
    by_id(options, text).or_else(|| options.by_code(text)).or_else(|| options.by_label(text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    const UNKNOWN: ValueFault = ValueFault::DoesNotExist { what: "Option" };

    fn id(number: u32) -> String {
        OptionId(Uuid::from_u128(number.into())).to_string()
    }

    fn choice(number: u32, name: &str, code: &str) -> Choice {
        Choice {
            number: OptionNumber(number),
            id: OptionId(Uuid::from_u128(number.into())),
            name: name.to_owned(),
            code: code.to_owned(),
            order: 0,
            meta: "{}".to_owned(),
        }
    }

    fn text(text: &str) -> Input<'_> {
        Input::Text(text.into())
    }

    fn map<'a>(entries: &[(&'a str, Input<'a>)]) -> Input<'a> {
        Input::Map(entries.iter().map(|(key, input)| ((*key).into(), input.clone())).collect())
    }

    #[test]
    fn an_option_is_found_by_id_then_code_then_label() {
        let (one, nine) = (id(1), id(9));
        let options = Choices::from(vec![
            choice(1, "North", "n"),
            choice(2, "Straße", ""),
            choice(3, "N", "north"),
            choice(4, &one, "x"),
        ]);
        let check = |input: Input<'_>, expected: Result<u32, ValueFault>| {
            assert_eq!(read(&options, &input), expected.map(OptionNumber), "{input:?}");
        };
        check(text(&one), Ok(1));
        check(text(&one.to_uppercase()), Ok(1));
        check(text("n"), Ok(1));
        check(text(" N "), Ok(1));
        check(text("NORTH"), Ok(3));
        check(text("STRASSE"), Ok(2));
        check(map(&[("name", text("north"))]), Ok(1));
        check(map(&[("name", text("N"))]), Ok(3));
        check(map(&[("name", text(&one))]), Ok(4));
        check(map(&[("id", text(&one)), ("name", text("N"))]), Ok(1));
        check(text(""), Err(UNKNOWN));
        check(text("South"), Err(UNKNOWN));
        check(text(&nine), Err(UNKNOWN));
        check(map(&[("id", text("n"))]), Err(UNKNOWN));
        check(map(&[("id", text(&nine)), ("name", text("N"))]), Err(UNKNOWN));
        check(map(&[("name", text("south"))]), Err(UNKNOWN));
    }

    #[test]
    fn what_names_no_option_is_refused() {
        let options = Choices::from(vec![choice(1, "1", "")]);
        let check = |input: Input<'_>| {
            let fault = read(&options, &input).unwrap_err();
            assert!(matches!(fault, ValueFault::Invalid { .. }), "{input:?}: {fault:?}");
        };
        check(Input::Number("1".into()));
        check(Input::Boolean(true));
        check(Input::List(vec![text("1")]));
        check(map(&[]));
        check(map(&[("code", text("1"))]));
        check(map(&[("id", Input::Null), ("name", text("1"))]));
        check(map(&[("name", Input::Number("1".into()))]));
    }
}
