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
