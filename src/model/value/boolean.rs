//! checkbox: true or false.
//!
//! Owns the spellings of the two. Must not know fields.

use crate::model::input::Input;
use crate::model::value::fault::ValueFault;

/// Reads a boolean, `true`/`false`, `yes`/`no`, or 1/0; words in any case.
pub(super) fn read(input: &Input<'_>) -> Result<bool, ValueFault> {
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
