//! The form in which clients read a value of each field type.
//!
//! What a value refers to and that is not there any more (an option, a tag, a member) is left out.
//! It must not know records or which of their fields are shown.

use crate::http::wire::members::MemberValue;
use crate::http::wire::related::{RelatedForm, Summary};
use crate::model::catalog::member::{Member, Members};
use crate::model::id::{Day, FileId, TagNumber, Timestamp};
use crate::model::schema::currency::Currency;
use crate::model::schema::field::Field;
use crate::model::schema::option::Choice;
use crate::model::schema::system;
use crate::model::table::decide::keys::{stored, stored_text};
use crate::model::table::event::Tag;
use crate::model::table::tags::Tags;
use crate::model::value::money::write_amount;
use crate::model::value::number::write_decimal;
use crate::model::value::time::{day_text, timestamp_text};
use crate::model::value::{FieldType, Value};
use jiff::tz::TimeZone;
use rust_decimal::Decimal;
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::sync::Arc;

/// What values refer to.
#[derive(Clone, Copy)]
pub struct Referents<'a> {
    pub tags: &'a Tags,
    /// Tags that a dry run would make, their numbers rising.
    pub dry_tags: &'a [Arc<Tag>],
    pub members: &'a Members,
    /// The business's own, in which times are shown.
    pub time_zone: &'a TimeZone,
}

impl Referents<'_> {
    fn tag(&self, number: TagNumber) -> Option<Arc<Tag>> {
        let dry = self.dry_tags.binary_search_by_key(&number, |tag| tag.number);
        let dry = dry.ok().map(|at| &self.dry_tags[at]);
        dry.cloned().or_else(|| self.tags.by_number(number))
    }
}

/// A value that is not blank, as clients read it.
pub enum ReadForm<'a> {
    Text(Cow<'a, str>),
    Integer(i32),
    Decimal(Decimal),
    Money(Decimal, Currency),
    Boolean(bool),
    Date(Day),
    Datetime(Timestamp, &'a TimeZone),
    Choice(&'a Choice),
    Stage(&'a Choice),
    Choices(Vec<&'a Choice>),
    Tags(Vec<Arc<Tag>>),
    Member(&'a Member),
    Members(Vec<&'a Member>),
    Files(Vec<FileId>),
    Related(RelatedForm),
}

impl<'a> ReadForm<'a> {
    /// The form of a stored value; none where nothing that it refers to is left.
    #[must_use]
    pub fn of_stored(field: &'a Field, raw: &'a [u8], referents: Referents<'a>) -> Option<Self> {
        if field.field_type.is_text() {
            // Texts are shown from where they are stored.
            let text = stored_text(raw).expect("a field of text stores a text");
            return Some(Self::Text(Cow::Borrowed(text)));
        }
        Self::of_value(field, stored(field, raw), referents)
    }

    /// The form of a value of this field; none where nothing that it refers to is left.
    #[must_use]
    pub fn of_value(field: &'a Field, value: Value, referents: Referents<'a>) -> Option<Self> {
        match value {
            Value::Text(text) => Some(Self::Text(Cow::Owned(text.into()))),
            Value::Integer(integer) => Some(Self::Integer(integer)),
            Value::Decimal(amount) if field.field_type == FieldType::Money => {
                Some(Self::Money(amount, field.currency()))
            }
            Value::Decimal(decimal) => Some(Self::Decimal(decimal)),
            Value::Boolean(boolean) => Some(Self::Boolean(boolean)),
            Value::Date(day) => Some(Self::Date(day)),
            Value::Datetime(at) => Some(Self::Datetime(at, referents.time_zone)),
            Value::Choice(option) if field.number == system::STAGE => {
                field.options.get(option).map(Self::Stage)
            }
            Value::Choice(option) => field.options.get(option).map(Self::Choice),
            Value::Choices(options) => {
                let left = field.options.left(&options);
                let options = left.iter().filter_map(|option| field.options.get(*option));
                Some(options.collect::<Vec<_>>())
                    .filter(|options| !options.is_empty())
                    .map(Self::Choices)
            }
            Value::Files(files) => Some(Self::Files(files)),
            Value::Record(_) | Value::Records(_) => {
                unreachable!("related records are in another table, which their link knows")
            }
            Value::Tags(tags) => {
                let tags = tags.iter().filter_map(|tag| referents.tag(*tag));
                Some(tags.collect::<Vec<_>>()).filter(|tags| !tags.is_empty()).map(Self::Tags)
            }
            Value::Member(member) => {
                referents.members.get(&member).map(|member| Self::Member(member))
            }
            Value::Members(members) => {
                let members = members.iter().filter_map(|id| referents.members.get(id));
                let members: Vec<&Member> = members.map(|member| &**member).collect();
                Some(members).filter(|members| !members.is_empty()).map(Self::Members)
            }
        }
    }
}

impl ReadForm<'_> {
    /// What takes the place of a value that is too long to be shown.
    #[must_use]
    pub fn summary(&self) -> Option<Summary> {
        if let Self::Related(related) = self { related.summary() } else { None }
    }
}

impl Serialize for ReadForm<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Text(text) => serializer.serialize_str(text),
            Self::Integer(integer) => serializer.serialize_i32(*integer),
            Self::Decimal(decimal) => exactly(*decimal, write_decimal).serialize(serializer),
            Self::Money(amount, currency) => {
                let mut map = serializer.serialize_map(Some(3))?;
                map.serialize_entry("currency", currency.code())?;
                map.serialize_entry("symbol", currency.symbol())?;
                map.serialize_entry("amount", &exactly(*amount, write_amount))?;
                map.end()
            }
            Self::Boolean(boolean) => serializer.serialize_bool(*boolean),
            Self::Date(day) => serializer.serialize_str(&day_text(*day)),
            Self::Datetime(at, time_zone) => {
                serializer.serialize_str(&timestamp_text(*at, time_zone))
            }
            Self::Choice(choice) => ShownChoice(choice).serialize(serializer),
            Self::Stage(stage) => ShownStage(stage).serialize(serializer),
            Self::Choices(choices) => {
                serializer.collect_seq(choices.iter().map(|choice| ShownChoice(choice)))
            }
            Self::Files(files) => serializer.collect_seq(files.iter().map(|file| ShownFile(*file))),
            Self::Related(related) => related.serialize(serializer),
            Self::Tags(tags) => serializer.collect_seq(tags.iter().map(|tag| ShownTag(tag))),
            Self::Member(member) => MemberValue::of(member).serialize(serializer),
            Self::Members(members) => {
                serializer.collect_seq(members.iter().map(|member| MemberValue::of(member)))
            }
        }
    }
}

/// A JSON number with every digit, a point, and no exponent.
fn exactly(decimal: Decimal, write: impl Fn(Decimal, &mut String)) -> Box<RawValue> {
    let mut digits = String::new();
    write(decimal, &mut digits);
    RawValue::from_string(digits).expect("a decimal is spelled as a JSON number")
}

struct ShownChoice<'a>(&'a Choice);

impl Serialize for ShownChoice<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(3))?;
        map.serialize_entry("id", &self.0.id)?;
        map.serialize_entry("code", &self.0.code)?;
        map.serialize_entry("name", &self.0.name)?;
        map.end()
    }
}

struct ShownStage<'a>(&'a Choice);

impl Serialize for ShownStage<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(4))?;
        map.serialize_entry("id", &self.0.id)?;
        map.serialize_entry("name", &self.0.name)?;
        map.serialize_entry("status", &self.0.status.unwrap_or_default().name())?;
        map.serialize_entry("order", &self.0.order)?;
        map.end()
    }
}

struct ShownFile(FileId);

impl Serialize for ShownFile {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(1))?;
        map.serialize_entry("id", &self.0)?;
        map.end()
    }
}

struct ShownTag<'a>(&'a Tag);

impl Serialize for ShownTag<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(2))?;
        map.serialize_entry("id", &self.0.id)?;
        map.serialize_entry("name", &self.0.name)?;
        map.end()
    }
}
