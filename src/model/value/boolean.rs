//! checkbox: true or false.
//!
//! Owns the spellings of the two. Must not know fields.

use crate::model::input::Input;
use crate::model::value::fault::ValueFault;

/// Reads a boolean, `true`/`false`, `yes`/`no`, or 1/0; words in any case.
pub fn read(input: &Input<'_>) -> Result<bool, ValueFault> {
    let spelled = match input {
        Input::Boolean(boolean) => Some(*boolean),
        Input::Number(spelling) => digit(spelling),
        Input::Text(text) => word(text.trim()),
        Input::Null | Input::List(_) | Input::Map(_) => None,
    };
    spelled.ok_or(ValueFault::Invalid { what: "Must be a valid boolean." })
}

fn digit(spelling: &str) -> Option<bool> {
    match spelling {
        "1" => Some(true),
        "0" => Some(false),
        _ => None,
    }
}

fn word(text: &str) -> Option<bool> {
    let is_any_of = |words: [&str; 2]| words.iter().any(|word| word.eq_ignore_ascii_case(text));
    if is_any_of(["true", "yes"]) {
        Some(true)
    } else if is_any_of(["false", "no"]) {
        Some(false)
    } else {
        digit(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Input<'_> {
        Input::Text(text.into())
    }

    #[test]
    fn every_spelling_of_the_two_is_read() {
        let check =
            |input: Input<'_>, expected| assert_eq!(read(&input), Ok(expected), "{input:?}");
        check(Input::Boolean(true), true);
        check(Input::Boolean(false), false);
        check(Input::Number("1".into()), true);
        check(Input::Number("0".into()), false);
        for spelling in ["true", "TRUE", "yes", " Yes ", "1"] {
            check(text(spelling), true);
        }
        for spelling in ["false", "False", "no", "NO\n", "0"] {
            check(text(spelling), false);
        }
    }

    #[test]
    fn everything_else_is_refused() {
        let fault = ValueFault::Invalid { what: "Must be a valid boolean." };
        let check = |input: Input<'_>| assert_eq!(read(&input), Err(fault.clone()), "{input:?}");
        for spelling in ["", "t", "on", "y", "2", "trüe"] {
            check(text(spelling));
        }
        for spelling in ["2", "-1", "1.0", "1e0"] {
            check(Input::Number(spelling.into()));
        }
        check(Input::List(vec![Input::Boolean(true)]));
        check(Input::Map(vec![]));
    }
}
