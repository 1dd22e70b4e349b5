//! Values and field types: all that is known about a type stands in the file of its family.
//!
//! Owns what a request does to one field, read and checked as far as the field alone can tell, and
//! the stored form of a value. Must not know records, rights, whether a field must have a value, or
//! how a value looks on the wire.

pub mod boolean;
pub mod choice;
pub mod fault;
pub mod member;
pub mod number;
pub mod pack;
pub mod tags;
pub mod text;
pub mod time;

#[cfg(test)]
mod tests;

use crate::model::catalog::member::Members;
use crate::model::id::{Day, FieldNumber, MemberId, OptionNumber, TagId, TagNumber, Timestamp};
use crate::model::input::Input;
use crate::model::key::{Key, Normalizer};
use crate::model::schema::field::Field;
use crate::model::value::fault::ValueFault;
use crate::model::value::pack::DecodeError;
use jiff::tz::TimeZone;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

/// Values of one record in one field that holds several.
pub const VALUES_MAX: usize = 200;

/// The types a field may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FieldType {
    Text,
    Longtext,
    Email,
    Integer,
    Decimal,
    Checkbox,
    Date,
    Datetime,
    Dropdown,
    Dynamictags,
    TeamSelector,
}

impl FieldType {
    pub const ALL: [Self; 11] = [
        Self::Text,
        Self::Longtext,
        Self::Email,
        Self::Integer,
        Self::Decimal,
        Self::Checkbox,
        Self::Date,
        Self::Datetime,
        Self::Dropdown,
        Self::Dynamictags,
        Self::TeamSelector,
    ];

    /// What the API calls it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Longtext => "longtext",
            Self::Email => "email",
            Self::Integer => "integer",
            Self::Decimal => "decimal",
            Self::Checkbox => "checkbox",
            Self::Date => "date",
            Self::Datetime => "datetime",
            Self::Dropdown => "dropdown",
            Self::Dynamictags => "dynamictags",
            Self::TeamSelector => "team_selector",
        }
    }

    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|field_type| field_type.name() == name)
    }

    /// Whether a field of this type is false where it has no value.
    #[must_use]
    pub const fn is_checkbox(self) -> bool {
        matches!(self, Self::Checkbox)
    }

    /// Whether a field of this type may be unique.
    #[must_use]
    pub const fn may_be_unique(self) -> bool {
        match self {
            Self::Text
            | Self::Email
            | Self::Integer
            | Self::Decimal
            | Self::Date
            | Self::Datetime => true,
            Self::Longtext
            | Self::Checkbox
            | Self::Dropdown
            | Self::Dynamictags
            | Self::TeamSelector => false,
        }
    }

    /// Whether a field of this type has options.
    #[must_use]
    pub const fn has_options(self) -> bool {
        match self {
            Self::Dropdown => true,
            Self::Text
            | Self::Longtext
            | Self::Email
            | Self::Integer
            | Self::Decimal
            | Self::Checkbox
            | Self::Date
            | Self::Datetime
            | Self::Dynamictags
            | Self::TeamSelector => false,
        }
    }

    /// How many values a field of this type holds.
    #[must_use]
    pub const fn multiplicity(self) -> Multiplicity {
        match self {
            Self::Text
            | Self::Longtext
            | Self::Email
            | Self::Integer
            | Self::Decimal
            | Self::Checkbox
            | Self::Date
            | Self::Datetime
            | Self::Dropdown => Multiplicity::One,
            Self::Dynamictags => Multiplicity::Many,
            Self::TeamSelector => Multiplicity::Chosen,
        }
    }

    /// The normal forms a field of this type may ask for, its default first; empty where the type
    /// has one of its own.
    #[must_use]
    pub const fn normalizers(self) -> &'static [Normalizer] {
        match self {
            Self::Text => &[
                Normalizer::Casefold,
                Normalizer::Exact,
                Normalizer::Trim,
                Normalizer::Email,
                Normalizer::Digits,
            ],
            Self::Email => {
                &[Normalizer::Email, Normalizer::Exact, Normalizer::Trim, Normalizer::Casefold]
            }
            Self::Longtext
            | Self::Integer
            | Self::Decimal
            | Self::Checkbox
            | Self::Date
            | Self::Datetime
            | Self::Dropdown
            | Self::Dynamictags
            | Self::TeamSelector => &[],
        }
    }
}

/// How many values a field holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Multiplicity {
    One,
    Many,
    /// As the field's `allow_multiple` says.
    Chosen,
}

/// A value of a record, decoded from its stored form.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// text, longtext, email: MessagePack string.
    Text(Box<str>),
    /// integer: MessagePack integer.
    Integer(i32),
    /// decimal: MessagePack string of the shortest exact form (`12.5`, `5`, `-0.25`).
    Decimal(Decimal),
    /// checkbox: MessagePack boolean.
    Boolean(bool),
    /// date: MessagePack integer, days since 1970-01-01.
    Date(Day),
    /// datetime: MessagePack integer, milliseconds since 1970-01-01T00:00:00Z.
    Datetime(Timestamp),
    /// dropdown: MessagePack integer.
    Choice(OptionNumber),
    /// dynamictags: MessagePack array of integers, in the order given, none twice, never empty.
    Tags(Vec<TagNumber>),
    /// `team_selector` without `allow_multiple`: MessagePack binary of 16 bytes.
    Member(MemberId),
    /// `team_selector` with `allow_multiple`: MessagePack array of binaries, none twice, never empty.
    Members(Vec<MemberId>),
}

impl Value {
    /// Appends the stored form.
    pub fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Self::Text(text) => pack::write_text(text, out),
            Self::Integer(integer) => pack::write_integer(i64::from(*integer), out),
            Self::Decimal(decimal) => number::encode_decimal(*decimal, out),
            Self::Boolean(boolean) => pack::write_boolean(*boolean, out),
            Self::Date(day) => pack::write_integer(i64::from(day.0), out),
            Self::Datetime(timestamp) => pack::write_integer(timestamp.0, out),
            Self::Choice(option) => pack::write_integer(i64::from(option.0), out),
            Self::Tags(tags) => tags::encode(tags, out),
            Self::Member(member) => pack::write_uuid(&member.0, out),
            Self::Members(members) => member::encode_list(members, out),
        }
    }

    /// Reads the stored form of a value of this field off the front of `bytes`.
    pub fn decode(field: &Field, bytes: &mut &[u8]) -> Result<Self, DecodeError> {
        match field.field_type {
            FieldType::Text | FieldType::Longtext | FieldType::Email => {
                pack::read_text(bytes).map(|text| Self::Text(text.into()))
            }
            FieldType::Integer => number::decode_integer(bytes).map(Self::Integer),
            FieldType::Decimal => number::decode_decimal(bytes).map(Self::Decimal),
            FieldType::Checkbox => pack::read_boolean(bytes).map(Self::Boolean),
            FieldType::Date => time::decode_day(bytes).map(Self::Date),
            FieldType::Datetime => pack::read_integer(bytes).map(Timestamp).map(Self::Datetime),
            FieldType::Dropdown => pack::read_number(bytes).map(OptionNumber).map(Self::Choice),
            FieldType::Dynamictags => tags::decode(bytes).map(Self::Tags),
            FieldType::TeamSelector => member::decode(field.allow_multiple, bytes),
        }
    }

    /// The key under which a unique field is matched; none for a value that is blank in its normal
    /// form, and for types that cannot be unique.
    #[must_use]
    pub fn unique_key(&self, normalizer: Option<Normalizer>) -> Option<Key> {
        match self {
            Self::Text(text) => normalizer?.key(text),
            Self::Integer(integer) => Some(integer.to_string().into()),
            Self::Decimal(decimal) => Some(decimal.normalize().to_string().into()),
            Self::Date(day) => Some(time::day_text(*day).into()),
            Self::Datetime(timestamp) => Some(timestamp.0.to_string().into()),
            Self::Boolean(_)
            | Self::Choice(_)
            | Self::Tags(_)
            | Self::Member(_)
            | Self::Members(_) => None,
        }
    }
}

/// What a request does to one field, read and checked as far as the field alone can tell.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// The field has no value afterwards. A checkbox is never cleared but set to false.
    Clear,
    Set(Value),
    /// dynamictags: the writer finds or makes the tags.
    Tags(ListChange<TagRef>),
    /// `team_selector` with `allow_multiple`, `add_values` or `remove_values`.
    Members(ListChange<MemberId>),
}

/// `replace` stands alone; `add` and `remove` may stand together: removed first, then added.
#[derive(Clone, Debug, PartialEq)]
pub enum ListChange<T> {
    Replace(Vec<T>),
    Edit { add: Vec<T>, remove: Vec<T> },
}

/// A tag as a request names it.
#[derive(Clone, Debug, PartialEq)]
pub enum TagRef {
    Known(TagNumber),
    /// Trimmed and checked; matched by `key::tag_key`, made if there is none.
    Named(Box<str>),
}

/// What a request says about one field. A JSON null is `Some(&Input::Null)`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Entry<'a> {
    pub value: Option<&'a Input<'a>>,
    pub add_values: Option<&'a Input<'a>>,
    pub remove_values: Option<&'a Input<'a>>,
}

impl<'a> Entry<'a> {
    /// An entry that replaces the value.
    #[must_use]
    pub const fn of(value: &'a Input<'a>) -> Self {
        Self { value: Some(value), add_values: None, remove_values: None }
    }
}

/// What reading a value may look up: durable state, the same for the whole request.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    pub members: &'a Members,
    /// The number of the tag of this field that has this id.
    pub tag: &'a dyn Fn(FieldNumber, TagId) -> Option<TagNumber>,
    /// The business's own.
    pub time_zone: &'a TimeZone,
}

/// Reads what a request does to a field.
///
/// Whether the field may be written or must have a value is not looked at.
pub fn read_change(
    field: &Field,
    entry: &Entry<'_>,
    context: &Context<'_>,
) -> Result<Change, ValueFault> {
    match (entry.value, entry.add_values, entry.remove_values) {
        (None, None, None) => Err(ValueFault::Required),
        (Some(_), Some(_), _) | (Some(_), _, Some(_)) => {
            Err(ValueFault::Invalid { what: "Give either value, or add_values and remove_values." })
        }
        (Some(Input::Null), None, None) => Ok(cleared(field.field_type)),
        (Some(input), None, None) => read_value(field, input, context),
        (None, add, remove) => read_edit(field, [add, remove], context),
    }
}

/// A checkbox is always one or the other, so that it reads and compares as what it shows.
const fn cleared(field_type: FieldType) -> Change {
    if field_type.is_checkbox() { Change::Set(Value::Boolean(false)) } else { Change::Clear }
}

fn read_value(
    field: &Field,
    input: &Input<'_>,
    context: &Context<'_>,
) -> Result<Change, ValueFault> {
    match field.field_type {
        FieldType::Text => text::read_text(input, field.is_identifier()),
        FieldType::Longtext => text::read_longtext(input),
        FieldType::Email => text::read_email(input, field.is_identifier()),
        FieldType::Integer => number::read_integer(input).map(set(Value::Integer)),
        FieldType::Decimal => {
            number::read_decimal(input, field.decimal_options.as_ref()).map(set(Value::Decimal))
        }
        FieldType::Checkbox => boolean::read(input).map(set(Value::Boolean)),
        FieldType::Date => time::read_day(input).map(set(Value::Date)),
        FieldType::Datetime => {
            time::read_timestamp(input, context.time_zone).map(set(Value::Datetime))
        }
        FieldType::Dropdown => choice::read(&field.options, input).map(set(Value::Choice)),
        FieldType::Dynamictags => tags::read_values(field.number, input, context),
        FieldType::TeamSelector if field.allow_multiple => {
            member::read_values(input, context.members)
        }
        FieldType::TeamSelector => member::read(input, context.members).map(set(Value::Member)),
    }
}

/// `lists` are what to add and what to remove.
fn read_edit(
    field: &Field,
    lists: [Option<&Input<'_>>; 2],
    context: &Context<'_>,
) -> Result<Change, ValueFault> {
    match field.field_type {
        FieldType::Dynamictags => tags::read_edit(field.number, lists, context),
        FieldType::TeamSelector if field.allow_multiple => {
            member::read_edit(lists, context.members)
        }
        FieldType::Text
        | FieldType::Longtext
        | FieldType::Email
        | FieldType::Integer
        | FieldType::Decimal
        | FieldType::Checkbox
        | FieldType::Date
        | FieldType::Datetime
        | FieldType::Dropdown
        | FieldType::TeamSelector => {
            Err(ValueFault::Invalid { what: "This field holds one value: give it as value." })
        }
    }
}

fn set<T>(value: impl Fn(T) -> Value) -> impl Fn(T) -> Change {
    move |read| Change::Set(value(read))
}

/// The entries of a list of values, none twice.
///
/// The limit counts what is left, so that a long list of doubles is as good as a short one.
fn read_distinct<T, K: Ord>(
    input: &Input<'_>,
    read: impl Fn(&Input<'_>) -> Result<T, ValueFault>,
    identity: impl Fn(&T) -> K,
) -> Result<Vec<T>, ValueFault> {
    let entries = match input {
        Input::List(entries) => entries,
        Input::Null => return Err(ValueFault::Null),
        Input::Boolean(_) | Input::Number(_) | Input::Text(_) | Input::Map(_) => {
            return Err(ValueFault::Invalid { what: "Expected a list of values." });
        }
    };
    let mut seen = std::collections::BTreeSet::new();
    let mut distinct = Vec::new();
    for entry in entries {
        let value = read(entry)?;
        if seen.insert(identity(&value)) {
            distinct.push(value);
        }
        if distinct.len() > VALUES_MAX {
            return Err(ValueFault::LimitExceeded { what: "values", max: VALUES_MAX });
        }
    }
    Ok(distinct)
}
