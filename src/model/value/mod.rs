//! Values and field types: all that is known about a type stands in the file of its family.

use crate::model::id::{Day, MemberId, OptionNumber, TagNumber, Timestamp};
use rust_decimal::Decimal;

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
    /// team_selector without `allow_multiple`: MessagePack binary of 16 bytes.
    Member(MemberId),
    /// team_selector with `allow_multiple`: MessagePack array of binaries, none twice, never empty.
    Members(Vec<MemberId>),
}

/// What a request does to one field, read and checked as far as the field alone can tell.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// The field has no value afterwards (a checkbox: false).
    Clear,
    Set(Value),
    /// dynamictags: the writer finds or makes the tags.
    Tags(ListChange<TagRef>),
    /// team_selector with `allow_multiple`, `add_values` or `remove_values`.
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
