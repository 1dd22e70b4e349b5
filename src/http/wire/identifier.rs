//! A value of the identifier as requests give it outside of `fields`: `lookup_value`, `identifier`.
//!
//! It must not know what is looked up or restored under it.

use crate::http::code::Code;
use crate::http::fault::{Fault, Faults, Place};
use crate::http::shape::{Presence, Shape, TextRule};
use crate::model::input::Input;
use crate::model::schema::Schema;
use crate::model::table::command::Identifier;
use crate::model::value::text::{EMAIL_CHARS_MAX, TEXT_CHARS_MAX};
use crate::model::value::{Change, Context, Entry, FieldType, Value, read_change};
use std::borrow::Cow;

/// Reads the text of a body key that holds an identifier: trimmed, neither blank nor too long.
pub fn read_text<'i>(
    shape: &mut Shape<'i>,
    key: &'static str,
    presence: Presence,
    schema: &Schema,
    faults: &mut Faults,
) -> Option<&'i str> {
    let chars_max = match schema.identifier().field_type {
        FieldType::Email => EMAIL_CHARS_MAX,
        FieldType::Text
        | FieldType::Longtext
        | FieldType::Phonenumber
        | FieldType::Integer
        | FieldType::Decimal
        | FieldType::Money
        | FieldType::Checkbox
        | FieldType::Date
        | FieldType::Datetime
        | FieldType::Timezone
        | FieldType::Dropdown
        | FieldType::Radio
        | FieldType::Choices
        | FieldType::Status
        | FieldType::Yesnomaybe
        | FieldType::Selector
        | FieldType::Checkboxes
        | FieldType::Rating
        | FieldType::Dynamictags
        | FieldType::TeamSelector
        | FieldType::Files
        | FieldType::Relationship => TEXT_CHARS_MAX,
    };
    let rule = TextRule { presence, chars_max, may_be_blank: false, takes_number: true };
    shape.text(key, &rule, faults)
}

/// The identifier that a text is, with what is wrong with it as a name of a record.
///
/// Only a text of which its normal form leaves nothing is a fault of the request already: any
/// other may still match a record.
pub fn of_text(
    key: &'static str,
    text: &str,
    schema: &Schema,
    context: &Context<'_>,
) -> Result<Identifier, Fault> {
    let normal_form = schema.identifier_key(text);
    let normal_form =
        normal_form.ok_or_else(|| Fault::new(Code::Blank, Place::Body(key.into())))?;
    let input = Input::Text(Cow::Borrowed(text));
    let (text, fault) = match read_change(schema.identifier(), &Entry::of(&input), context) {
        Ok(Change::Set(Value::Text(text))) => (text, None),
        Ok(_) => unreachable!("an identifier is a text, and a text that has a key is not blank"),
        Err(fault) => (text.into(), Some(fault)),
    };
    Ok(Identifier { text, key: normal_form, fault })
}
