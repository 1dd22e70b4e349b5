//! Which file reads the values of which field type.
//!
//! Owns nothing but the choice. Must not know how any type is read.

use crate::model::input::Input;
use crate::model::schema::field::Field;
use crate::model::value::fault::ValueFault;
use crate::model::value::{
    Change, Context, FieldType, Value, boolean, choice, files, member, money, number, phone,
    rating, related, tags, text, time, time_zone,
};

/// Reads the value that replaces what was there; it is not null.
pub(super) fn read_value(
    field: &Field,
    input: &Input<'_>,
    context: &Context<'_>,
) -> Result<Change, ValueFault> {
    match field.field_type {
        FieldType::Text => text::read_text(input, field.is_identifier()),
        FieldType::Longtext => text::read_longtext(input),
        FieldType::Email => text::read_email(input, field.is_identifier()),
        FieldType::Phonenumber => {
            let options = field.phonenumber_options.unwrap_or_default();
            phone::read(input, options, context.phone_region)
        }
        FieldType::Integer => number::read_integer(input).map(set(Value::Integer)),
        FieldType::Decimal => {
            number::read_decimal(input, field.decimal_options.as_ref()).map(set(Value::Decimal))
        }
        FieldType::Money => money::read(input, field.currency()).map(set(Value::Decimal)),
        FieldType::Checkbox => boolean::read(input).map(set(Value::Boolean)),
        FieldType::Date => time::read_day(input).map(set(Value::Date)),
        FieldType::Datetime => {
            time::read_timestamp(input, context.time_zone).map(set(Value::Datetime))
        }
        FieldType::Timezone => time_zone::read(input),
        FieldType::Rating => {
            rating::read(input, field.rating.unwrap_or_default()).map(set(Value::Integer))
        }
        FieldType::Selector if field.allow_multiple => choice::read_values(&field.options, input),
        FieldType::Dropdown
        | FieldType::Radio
        | FieldType::Choices
        | FieldType::Status
        | FieldType::Yesnomaybe
        | FieldType::Selector => choice::read(&field.options, input).map(set(Value::Choice)),
        FieldType::Checkboxes => choice::read_listed(&field.options, input),
        FieldType::Dynamictags => tags::read_values(field.number, input, context),
        FieldType::TeamSelector if field.allow_multiple => {
            member::read_values(input, context.members)
        }
        FieldType::TeamSelector => member::read(input, context.members).map(set(Value::Member)),
        FieldType::Files => files::read_values(input),
        FieldType::Relationship => related::read_value(field, input, context),
    }
}

/// Reads what a request adds and removes: `lists` are what to add and what to remove.
pub(super) fn read_edit(
    field: &Field,
    lists: [Option<&Input<'_>>; 2],
    context: &Context<'_>,
) -> Result<Change, ValueFault> {
    match field.field_type {
        FieldType::Dynamictags => tags::read_edit(field.number, lists, context),
        FieldType::TeamSelector if field.allow_multiple => {
            member::read_edit(lists, context.members)
        }
        FieldType::Selector if field.allow_multiple => choice::read_edit(&field.options, lists),
        FieldType::Checkboxes => choice::read_edit(&field.options, lists),
        FieldType::Files => files::read_edit(lists),
        FieldType::Relationship if field.allow_multiple => {
            related::read_edit(field, lists, context)
        }
        FieldType::Text
        | FieldType::Longtext
        | FieldType::Email
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
        | FieldType::Rating
        | FieldType::TeamSelector
        | FieldType::Relationship => {
            Err(ValueFault::Invalid { what: "This field holds one value: give it as value." })
        }
    }
}

fn set<T>(value: impl Fn(T) -> Value) -> impl Fn(T) -> Change {
    move |read| Change::Set(value(read))
}
