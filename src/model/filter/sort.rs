//! The order of found records: by up to three fields, blanks last, closed by the id.

use crate::model::filter::condition::need_of;
use crate::model::filter::row::Row;
use crate::model::filter::value;
use crate::model::id::{FieldNumber, RecordId};
use crate::model::key;
use crate::model::schema::field::Field;
use crate::model::value::FieldType;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use std::cmp::Ordering;
use std::sync::Arc;

/// Fields of one order.
pub const SORT_FIELDS_MAX: usize = 3;

/// One field of an order.
#[derive(Clone, Debug)]
pub struct SortField {
    pub field: Arc<Field>,
    pub is_descending: bool,
}

/// What records are ordered by; without fields the order of their creation.
#[derive(Clone, Debug, Default)]
pub struct Sort(Vec<SortField>);

/// What of a value decides about its place. Two keys of one field are of one kind.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum SortKey {
    /// Folded.
    Text(Box<str>),
    Number(Decimal),
    /// Days and instants, in their own unit.
    Time(i64),
    Boolean(bool),
    /// By the option's place in the field, then by its age.
    Choice(i32, u32),
}

/// A place in an order: what the record there has, and the record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// One for each field of the order; none is blank.
    pub keys: Vec<Option<SortKey>>,
    pub id: RecordId,
}

impl Sort {
    #[must_use]
    pub fn new(fields: Vec<SortField>) -> Self {
        Self(fields)
    }

    /// Whether records may be ordered by a field: it holds one value, which has a place.
    #[must_use]
    pub const fn may_sort(field: &Field) -> bool {
        match field.field_type {
            FieldType::Text
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
            | FieldType::Rating => true,
            FieldType::Selector => !field.allow_multiple,
            FieldType::Longtext
            | FieldType::Checkboxes
            | FieldType::Dynamictags
            | FieldType::TeamSelector
            | FieldType::Files
            | FieldType::Relationship => false,
        }
    }

    /// Whether it is the order of creation.
    #[must_use]
    pub fn is_creation(&self) -> bool {
        self.0.is_empty()
    }

    #[must_use]
    pub fn fields(&self) -> &[SortField] {
        &self.0
    }

    /// Notes the stored values that are looked at.
    pub fn note_needs(&self, needs: &mut Vec<FieldNumber>) {
        needs.extend(self.0.iter().filter_map(|key| need_of(&key.field)));
    }

    /// Where a record stands.
    #[must_use]
    pub fn position(&self, row: &Row<'_>) -> Position {
        let keys = self.0.iter().map(|key| key_of(&key.field, row)).collect();
        Position { keys, id: row.record.id() }
    }

    /// How two places stand to each other.
    #[must_use]
    pub fn compare(&self, left: &Position, right: &Position) -> Ordering {
        let both = left.keys.iter().zip(&right.keys).zip(&self.0);
        let by_keys = both.map(|((left, right), key)| match (left, right) {
            (Some(left), Some(right)) if key.is_descending => right.cmp(left),
            (Some(left), Some(right)) => left.cmp(right),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => Ordering::Equal,
        });
        by_keys.fold(Ordering::Equal, Ordering::then).then_with(|| left.id.cmp(&right.id))
    }
}

fn key_of(field: &Field, row: &Row<'_>) -> Option<SortKey> {
    match field.field_type {
        FieldType::Text | FieldType::Email | FieldType::Phonenumber | FieldType::Timezone => {
            row.text(field).map(|text| SortKey::Text(key::searched(&text).into()))
        }
        FieldType::Integer | FieldType::Decimal | FieldType::Money | FieldType::Rating => {
            value::number(field, row).map(SortKey::Number)
        }
        FieldType::Checkbox => Some(SortKey::Boolean(value::boolean(field, row))),
        FieldType::Date => value::day(field, row).map(|day| SortKey::Time(day.0.into())),
        FieldType::Datetime => value::instant(field, row).map(|at| SortKey::Time(at.0)),
        FieldType::Dropdown
        | FieldType::Radio
        | FieldType::Choices
        | FieldType::Status
        | FieldType::Yesnomaybe
        | FieldType::Selector => {
            let choice = field.options.get(*value::choices(field, row).first()?)?;
            Some(SortKey::Choice(choice.order, choice.number.0))
        }
        FieldType::Longtext
        | FieldType::Checkboxes
        | FieldType::Dynamictags
        | FieldType::TeamSelector
        | FieldType::Files
        | FieldType::Relationship => unreachable!("no order is made of fields of this type"),
    }
}
