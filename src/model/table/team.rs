//! The members who are associated with a record: its owner, those in fields of members, and those
//! who were put on it one by one.
//!
//! It must not know which of them are active, nor what that lets anybody do.

use crate::model::id::MemberId;
use crate::model::schema::Schema;
use crate::model::schema::field::Field;
use crate::model::table::decide::keys::stored;
use crate::model::table::record::Record;
use crate::model::value::{FieldType, Value};

/// The fields that put members on a record's team.
pub fn team_fields(schema: &Schema) -> impl Iterator<Item = &Field> {
    let is_team = |field: &&Field| field.field_type == FieldType::TeamSelector;
    schema.fields().iter().map(|field| &**field).filter(is_team)
}

impl Schema {
    /// Whether the object can name members, and was not told that this one is gone.
    #[must_use]
    pub fn misses_removal(&self, member: MemberId) -> bool {
        !self.knows_removed(member) && team_fields(self).next().is_some()
    }
}

/// Calls `each` with every member that a team field of a record holds.
pub fn each_member(record: &Record, field: &Field, mut each: impl FnMut(MemberId)) {
    let Some(raw) = record.value(field.number) else { return };
    match stored(field, raw) {
        Value::Member(id) => each(id),
        Value::Members(ids) => ids.into_iter().for_each(each),
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
        | Value::Records(_) => unreachable!("a team selector stores members"),
    }
}

/// Whether a member is on a record's team, for whatever reason.
#[must_use]
pub fn is_on_team(schema: &Schema, record: &Record, member: MemberId) -> bool {
    let in_field = |field: &Field| {
        let mut is_in = false;
        each_member(record, field, |id| is_in |= id == member);
        is_in
    };
    team_fields(schema).any(in_field) || record.explicit_team().contains(&member)
}
