//! What a stored value says to a condition: whether it is blank, and the part that is compared.
//!
//! A value that refers to nothing that is left is blank, as it is in every read.

use crate::model::filter::row::Row;
use crate::model::id::{Day, MemberId, OptionNumber, TagNumber, Timestamp};
use crate::model::schema::field::Field;
use crate::model::table::decide::keys::stored;
use crate::model::value::{FieldType, Value};
use rust_decimal::Decimal;

/// Whether a read would leave the field out.
pub(super) fn is_blank(field: &Field, row: &Row<'_>) -> bool {
    match field.field_type {
        FieldType::Text
        | FieldType::Email
        | FieldType::Longtext
        | FieldType::Phonenumber
        | FieldType::Timezone => row.text(field).is_none(),
        FieldType::Integer
        | FieldType::Decimal
        | FieldType::Money
        | FieldType::Rating
        | FieldType::Date
        | FieldType::Datetime
        | FieldType::Files => row.raw(field.number).is_none(),
        FieldType::Checkbox => false,
        FieldType::Dropdown
        | FieldType::Radio
        | FieldType::Choices
        | FieldType::Status
        | FieldType::Yesnomaybe
        | FieldType::Selector
        | FieldType::Checkboxes => choices(field, row).is_empty(),
        FieldType::Dynamictags => tags(field, row).is_empty(),
        FieldType::TeamSelector => members(field, row).is_empty(),
        FieldType::Relationship => unreachable!("other tables are asked: see `related.rs`"),
    }
}

/// The value of a field that stores it.
fn value(field: &Field, row: &Row<'_>) -> Option<Value> {
    row.raw(field.number).map(|raw| stored(field, raw))
}

/// A number, whatever the width of its type.
pub(super) fn number(field: &Field, row: &Row<'_>) -> Option<Decimal> {
    match value(field, row)? {
        Value::Integer(integer) => Some(integer.into()),
        Value::Decimal(decimal) => Some(decimal),
        Value::Text(_)
        | Value::Boolean(_)
        | Value::Date(_)
        | Value::Datetime(_)
        | Value::Choice(_)
        | Value::Choices(_)
        | Value::Tags(_)
        | Value::Member(_)
        | Value::Members(_)
        | Value::Files(_)
        | Value::Record(_)
        | Value::Records(_) => unreachable!("a field of numbers stores numbers"),
    }
}

/// A checkbox that was never set is false.
pub(super) fn boolean(field: &Field, row: &Row<'_>) -> bool {
    value(field, row) == Some(Value::Boolean(true))
}

pub(super) fn day(field: &Field, row: &Row<'_>) -> Option<Day> {
    if let Value::Date(day) = value(field, row)? { Some(day) } else { None }
}

/// The system's times are stored as a datetime is, under numbers of their own.
pub(super) fn instant(field: &Field, row: &Row<'_>) -> Option<Timestamp> {
    if let Value::Datetime(at) = value(field, row)? { Some(at) } else { None }
}

/// The options that are left, in the order given.
pub(super) fn choices(field: &Field, row: &Row<'_>) -> Vec<OptionNumber> {
    let Some(held) = value(field, row) else { return Vec::new() };
    field.options.left(&held.options().expect("a field of options stores options"))
}

/// The tags that are left, in the order given.
pub(super) fn tags(field: &Field, row: &Row<'_>) -> Vec<TagNumber> {
    let Some(Value::Tags(mut tags)) = value(field, row) else { return Vec::new() };
    tags.retain(|tag| row.around.tags.by_number(*tag).is_some());
    tags
}

/// The members who are left, in the order given.
pub(super) fn members(field: &Field, row: &Row<'_>) -> Vec<MemberId> {
    let mut held = match value(field, row) {
        Some(Value::Member(member)) => vec![member],
        Some(Value::Members(members)) => members,
        Some(
            Value::Text(_)
            | Value::Integer(_)
            | Value::Decimal(_)
            | Value::Boolean(_)
            | Value::Date(_)
            | Value::Datetime(_)
            | Value::Choice(_)
            | Value::Choices(_)
            | Value::Tags(_)
            | Value::Files(_)
            | Value::Record(_)
            | Value::Records(_),
        ) => unreachable!("a field of members stores members"),
        None => return Vec::new(),
    };
    held.retain(|id| row.around.members.get(id).is_some());
    held
}

/// How many files there are; none is blank.
pub(super) fn file_count(field: &Field, row: &Row<'_>) -> Option<Decimal> {
    if let Value::Files(files) = value(field, row)? { Some(files.len().into()) } else { None }
}
