//! What a record is called: names that follow from its values and are not stored.

use crate::model::access::FieldRights;
use crate::model::id::FieldNumber;
use crate::model::schema::Schema;
use crate::model::schema::system;
use crate::model::table::decide::keys::stored_text;
use crate::model::table::record::Record;
use std::borrow::Cow;

/// The text of a field; empty where it is blank.
#[must_use]
pub fn text(record: &Record, number: FieldNumber) -> &str {
    record.value(number).and_then(stored_text).unwrap_or_default()
}

/// The identifier; a contact's is its first and last name.
#[must_use]
pub fn record_name<'r>(schema: &Schema, record: &'r Record) -> Cow<'r, str> {
    if schema.is_contacts() {
        full_name(record)
    } else {
        Cow::Borrowed(text(record, schema.identifier().number))
    }
}

/// What a record is called: the identifier; a contact's is its first and last name, or its e-mail
/// where that is empty.
#[must_use]
pub fn display_name<'r>(schema: &Schema, record: &'r Record) -> Cow<'r, str> {
    let name = record_name(schema, record);
    if name.is_empty() && schema.is_contacts() {
        return Cow::Borrowed(text(record, system::EMAIL));
    }
    name
}

/// First and last name, joined by one space.
#[must_use]
pub fn full_name(record: &Record) -> Cow<'_, str> {
    match (text(record, system::FIRST_NAME), text(record, system::LAST_NAME)) {
        (only, "") | ("", only) => Cow::Borrowed(only),
        (first, last) => Cow::Owned(format!("{first} {last}")),
    }
}

/// As `record_name`, for somebody with these rights on the fields.
#[must_use]
pub fn visible_record_name<'r>(
    schema: &Schema,
    record: &'r Record,
    rights: &FieldRights,
) -> Cow<'r, str> {
    if schema.is_contacts() && !rights.may_see(system::FULL_NAME) {
        return Cow::Borrowed("");
    }
    record_name(schema, record)
}

/// As `display_name`, for somebody with these rights on the fields.
#[must_use]
pub fn visible_display_name<'r>(
    schema: &Schema,
    record: &'r Record,
    rights: &FieldRights,
) -> Cow<'r, str> {
    if schema.is_contacts() && !rights.may_see(system::FULL_NAME) {
        return Cow::Borrowed(text(record, system::EMAIL));
    }
    display_name(schema, record)
}
