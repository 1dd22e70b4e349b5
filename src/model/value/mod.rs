//! Values and field types: all that is known about a type stands in the file of its family.
//!
//! Owns what a request does to one field, read and checked as far as the field alone can tell, and
//! the stored form of a value. Must not know records, rights, whether a field must have a value, or
//! how a value looks on the wire.

pub mod boolean;
pub mod choice;
pub mod fault;
pub mod files;
mod list;
pub mod member;
pub mod money;
pub mod number;
pub mod pack;
mod phone;
mod rating;
mod reading;
pub mod tags;
pub mod text;
pub mod time;
pub mod time_zone;

#[cfg(test)]
mod tests;

use crate::model::catalog::member::Members;
use crate::model::id::{
    Day, FieldNumber, FileId, MemberId, OptionNumber, TagId, TagNumber, Timestamp,
};
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
    Phonenumber,
    Integer,
    Decimal,
    Money,
    Checkbox,
    Date,
    Datetime,
    Timezone,
    Dropdown,
    Radio,
    Choices,
    Status,
    Yesnomaybe,
    Selector,
    Checkboxes,
    Rating,
    Dynamictags,
    TeamSelector,
    Files,
}

impl FieldType {
    pub const ALL: [Self; 22] = [
        Self::Text,
        Self::Longtext,
        Self::Email,
        Self::Phonenumber,
        Self::Integer,
        Self::Decimal,
        Self::Money,
        Self::Checkbox,
        Self::Date,
        Self::Datetime,
        Self::Timezone,
        Self::Dropdown,
        Self::Radio,
        Self::Choices,
        Self::Status,
        Self::Yesnomaybe,
        Self::Selector,
        Self::Checkboxes,
        Self::Rating,
        Self::Dynamictags,
        Self::TeamSelector,
        Self::Files,
    ];

    /// What the API calls it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Longtext => "longtext",
            Self::Email => "email",
            Self::Phonenumber => "phonenumber",
            Self::Integer => "integer",
            Self::Decimal => "decimal",
            Self::Money => "money",
            Self::Checkbox => "checkbox",
            Self::Date => "date",
            Self::Datetime => "datetime",
            Self::Timezone => "timezone",
            Self::Dropdown => "dropdown",
            Self::Radio => "radio",
            Self::Choices => "choices",
            Self::Status => "status",
            Self::Yesnomaybe => "yesnomaybe",
            Self::Selector => "selector",
            Self::Checkboxes => "checkboxes",
            Self::Rating => "rating",
            Self::Dynamictags => "dynamictags",
            Self::TeamSelector => "team_selector",
            Self::Files => "files",
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
            | Self::Phonenumber
            | Self::Integer
            | Self::Decimal
            | Self::Date
            | Self::Datetime => true,
            Self::Longtext
            | Self::Money
            | Self::Checkbox
            | Self::Timezone
            | Self::Dropdown
            | Self::Radio
            | Self::Choices
            | Self::Status
            | Self::Yesnomaybe
            | Self::Selector
            | Self::Checkboxes
            | Self::Rating
            | Self::Dynamictags
            | Self::TeamSelector
            | Self::Files => false,
        }
    }

    /// Whether a field of this type holds a text, so that an empty one is no value.
    #[must_use]
    pub const fn is_text(self) -> bool {
        match self {
            Self::Text | Self::Longtext | Self::Email | Self::Phonenumber | Self::Timezone => true,
            Self::Integer
            | Self::Decimal
            | Self::Money
            | Self::Checkbox
            | Self::Date
            | Self::Datetime
            | Self::Dropdown
            | Self::Radio
            | Self::Choices
            | Self::Status
            | Self::Yesnomaybe
            | Self::Selector
            | Self::Checkboxes
            | Self::Rating
            | Self::Dynamictags
            | Self::TeamSelector
            | Self::Files => false,
        }
    }

    /// Where the options of a field of this type come from.
    #[must_use]
    pub const fn option_source(self) -> OptionSource {
        match self {
            Self::Dropdown
            | Self::Radio
            | Self::Choices
            | Self::Status
            | Self::Selector
            | Self::Checkboxes => OptionSource::Schema,
            Self::Yesnomaybe => OptionSource::Answers,
            Self::Timezone => OptionSource::TimeZones,
            Self::Rating => OptionSource::Bounds,
            Self::Text
            | Self::Longtext
            | Self::Email
            | Self::Phonenumber
            | Self::Integer
            | Self::Decimal
            | Self::Money
            | Self::Checkbox
            | Self::Date
            | Self::Datetime
            | Self::Dynamictags
            | Self::TeamSelector
            | Self::Files => OptionSource::None,
        }
    }

    /// Whether a field of this type has options.
    #[must_use]
    pub const fn has_options(self) -> bool {
        match self.option_source() {
            OptionSource::Schema
            | OptionSource::Answers
            | OptionSource::TimeZones
            | OptionSource::Bounds => true,
            OptionSource::None => false,
        }
    }

    /// Whether the options of such a field are given with its type, so that nobody adds one.
    #[must_use]
    pub const fn has_fixed_options(self) -> bool {
        match self.option_source() {
            OptionSource::Answers | OptionSource::TimeZones | OptionSource::Bounds => true,
            OptionSource::None | OptionSource::Schema => false,
        }
    }

    /// How many values a field of this type holds.
    #[must_use]
    pub const fn multiplicity(self) -> Multiplicity {
        match self {
            Self::Text
            | Self::Longtext
            | Self::Email
            | Self::Phonenumber
            | Self::Integer
            | Self::Decimal
            | Self::Money
            | Self::Checkbox
            | Self::Date
            | Self::Datetime
            | Self::Timezone
            | Self::Dropdown
            | Self::Radio
            | Self::Choices
            | Self::Status
            | Self::Yesnomaybe
            | Self::Rating => Multiplicity::One,
            Self::Checkboxes | Self::Dynamictags | Self::Files => Multiplicity::Many,
            Self::Selector | Self::TeamSelector => Multiplicity::Chosen,
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
            Self::Phonenumber => &[Normalizer::Phone, Normalizer::Exact],
            Self::Longtext
            | Self::Integer
            | Self::Decimal
            | Self::Money
            | Self::Checkbox
            | Self::Date
            | Self::Datetime
            | Self::Timezone
            | Self::Dropdown
            | Self::Radio
            | Self::Choices
            | Self::Status
            | Self::Yesnomaybe
            | Self::Selector
            | Self::Checkboxes
            | Self::Rating
            | Self::Dynamictags
            | Self::TeamSelector
            | Self::Files => &[],
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

/// Where the options of a field come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OptionSource {
    /// The field has none.
    None,
    /// The schema keeps them.
    Schema,
    /// The schema keeps them, and they stay as they were made: yes, no, and maybe where it is
    /// offered.
    Answers,
    /// All time zones.
    TimeZones,
    /// Every number within the field's bounds.
    Bounds,
}

/// A value of a record, decoded from its stored form.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// text, longtext, email, phonenumber, timezone: MessagePack string.
    Text(Box<str>),
    /// integer, rating: MessagePack integer.
    Integer(i32),
    /// decimal, money: MessagePack string of the shortest exact form (`12.5`, `5`, `-0.25`).
    Decimal(Decimal),
    /// checkbox: MessagePack boolean.
    Boolean(bool),
    /// date: MessagePack integer, days since 1970-01-01.
    Date(Day),
    /// datetime: MessagePack integer, milliseconds since 1970-01-01T00:00:00Z.
    Datetime(Timestamp),
    /// dropdown, radio, choices, status, yesnomaybe, selector without `allow_multiple`: MessagePack
    /// integer.
    Choice(OptionNumber),
    /// checkboxes, selector with `allow_multiple`: MessagePack array of integers, in the order
    /// given, none twice, never empty.
    Choices(Vec<OptionNumber>),
    /// dynamictags: MessagePack array of integers, in the order given, none twice, never empty.
    Tags(Vec<TagNumber>),
    /// `team_selector` without `allow_multiple`: MessagePack binary of 16 bytes.
    Member(MemberId),
    /// `team_selector` with `allow_multiple`: MessagePack array of binaries, none twice, never empty.
    Members(Vec<MemberId>),
    /// files: MessagePack array of binaries of 16 bytes, none twice, never empty.
    Files(Vec<FileId>),
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
            Self::Choices(options) => choice::encode_list(options, out),
            Self::Tags(tags) => tags::encode(tags, out),
            Self::Member(member) => pack::write_uuid(&member.0, out),
            Self::Members(members) => member::encode_list(members, out),
            Self::Files(files) => files::encode(files, out),
        }
    }

    /// Reads the stored form of a value of this field off the front of `bytes`.
    pub fn decode(field: &Field, bytes: &mut &[u8]) -> Result<Self, DecodeError> {
        match field.field_type {
            FieldType::Text
            | FieldType::Longtext
            | FieldType::Email
            | FieldType::Phonenumber
            | FieldType::Timezone => pack::read_text(bytes).map(|text| Self::Text(text.into())),
            FieldType::Integer | FieldType::Rating => {
                number::decode_integer(bytes).map(Self::Integer)
            }
            FieldType::Decimal | FieldType::Money => {
                number::decode_decimal(bytes).map(Self::Decimal)
            }
            FieldType::Checkbox => pack::read_boolean(bytes).map(Self::Boolean),
            FieldType::Date => time::decode_day(bytes).map(Self::Date),
            FieldType::Datetime => pack::read_integer(bytes).map(Timestamp).map(Self::Datetime),
            FieldType::Dropdown
            | FieldType::Radio
            | FieldType::Choices
            | FieldType::Status
            | FieldType::Yesnomaybe => pack::read_number(bytes).map(OptionNumber).map(Self::Choice),
            FieldType::Selector => choice::decode(field.allow_multiple, bytes),
            FieldType::Checkboxes => choice::decode_list(bytes).map(Self::Choices),
            FieldType::Dynamictags => tags::decode(bytes).map(Self::Tags),
            FieldType::TeamSelector => member::decode(field.allow_multiple, bytes),
            FieldType::Files => files::decode(bytes).map(Self::Files),
        }
    }

    /// The options of a value that is of options.
    #[must_use]
    pub fn options(&self) -> Option<Vec<OptionNumber>> {
        match self {
            Self::Choice(option) => Some(vec![*option]),
            Self::Choices(options) => Some(options.clone()),
            Self::Text(_)
            | Self::Integer(_)
            | Self::Decimal(_)
            | Self::Boolean(_)
            | Self::Date(_)
            | Self::Datetime(_)
            | Self::Tags(_)
            | Self::Member(_)
            | Self::Members(_)
            | Self::Files(_) => None,
        }
    }

    /// The members of a value that is of members.
    #[must_use]
    pub fn members(&self) -> Option<Vec<MemberId>> {
        match self {
            Self::Member(member) => Some(vec![*member]),
            Self::Members(members) => Some(members.clone()),
            Self::Text(_)
            | Self::Integer(_)
            | Self::Decimal(_)
            | Self::Boolean(_)
            | Self::Date(_)
            | Self::Datetime(_)
            | Self::Choice(_)
            | Self::Choices(_)
            | Self::Tags(_)
            | Self::Files(_) => None,
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
            | Self::Choices(_)
            | Self::Tags(_)
            | Self::Member(_)
            | Self::Members(_)
            | Self::Files(_) => None,
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
    /// checkboxes or selector with `allow_multiple`, `add_values` or `remove_values`.
    Choices(ListChange<OptionNumber>),
    /// files, `add_values` or `remove_values`.
    Files(ListChange<FileId>),
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
    /// The business's own: the region of telephone numbers without a country code.
    pub phone_region: &'a str,
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
        (Some(input), None, None) => reading::read_value(field, input, context),
        (None, add, remove) => reading::read_edit(field, [add, remove], context),
    }
}

/// A checkbox is always one or the other, so that it reads and compares as what it shows.
const fn cleared(field_type: FieldType) -> Change {
    if field_type.is_checkbox() { Change::Set(Value::Boolean(false)) } else { Change::Clear }
}
