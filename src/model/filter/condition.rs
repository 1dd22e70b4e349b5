//! One condition on one field: how it is read, and whether it holds.
//!
//! A negative condition is the exact opposite of the positive one, so it takes blanks. What each
//! type may be asked stands in the tables of words below.

use crate::model::filter::fault::FilterFault;
use crate::model::filter::list::{ListTest, Quantity};
use crate::model::filter::operand;
use crate::model::filter::phone::{self, PhoneTest};
use crate::model::filter::range::{self, Range};
use crate::model::filter::row::{Row, Surroundings};
use crate::model::filter::text::{self, TextTest};
use crate::model::filter::value;
use crate::model::id::{Day, FieldNumber, MemberId, OptionNumber, TagNumber, Timestamp};
use crate::model::input::Input;
use crate::model::schema::field::{Field, Source};
use crate::model::value::FieldType;
use crate::model::value::fault::ValueFault;
use crate::model::value::time::{month_of_day, month_of_instant};
use rust_decimal::Decimal;
use std::sync::Arc;

/// One condition.
#[derive(Clone, Debug)]
pub struct Condition {
    pub(super) field: Arc<Field>,
    pub(super) test: Test,
    pub(super) is_negated: bool,
}

/// What a value must be like. A blank is like nothing but a blank.
#[derive(Clone, Debug)]
pub(super) enum Test {
    Blank,
    Text(TextTest),
    Phone(PhoneTest),
    Number(Range<Decimal>),
    Boolean(bool),
    Day(Range<Day>),
    MonthOfDay(i8),
    Instant(Range<Timestamp>),
    MonthOfInstant(i8),
    NumberOf(Vec<Decimal>),
    Zone(Vec<&'static str>),
    Choices(ListTest<OptionNumber>),
    Tags(ListTest<TagNumber>),
    Members(ListTest<MemberId>),
    FileCount(Range<Decimal>),
}

/// What a request says about a field.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'i> {
    /// The condition's name: `=`, `!contains`.
    pub word: &'i str,
    pub value: Option<&'i Input<'i>>,
}

/// The name of a condition, what it asks, and whether it asks for the opposite.
type Words<T> = [(&'static str, T, bool)];

const TEXT: &Words<text::Relation> = &[
    ("=", text::Relation::Equals, false),
    ("!=", text::Relation::Equals, true),
    ("contains", text::Relation::Contains, false),
    ("!contains", text::Relation::Contains, true),
    ("starts_with", text::Relation::StartsWith, false),
    ("!starts_with", text::Relation::StartsWith, true),
    ("ends_with", text::Relation::EndsWith, false),
    ("!ends_with", text::Relation::EndsWith, true),
];

const LONGTEXT: &Words<text::Relation> = &[("contains", text::Relation::Contains, false)];

const PHONE: &Words<phone::Relation> =
    &[("=", phone::Relation::Equals, false), ("contains", phone::Relation::Contains, false)];

/// How values that have an order are asked for.
#[derive(Clone, Copy)]
enum Ordered {
    To(range::Relation),
    Between,
}

const ORDERED: &Words<Ordered> = &[
    ("=", Ordered::To(range::Relation::Equals), false),
    ("!=", Ordered::To(range::Relation::Equals), true),
    ("<", Ordered::To(range::Relation::Less), false),
    ("<=", Ordered::To(range::Relation::AtMost), false),
    (">", Ordered::To(range::Relation::Greater), false),
    (">=", Ordered::To(range::Relation::AtLeast), false),
    ("between", Ordered::Between, false),
];

/// A rating is asked for like a number, but not between two, and like a choice.
const RATING: &Words<Ordered> = ORDERED.split_at(6).0;
const RATINGS: &Words<()> = &[("is_any_of", (), false), ("is_none_of", (), true)];

/// Of how many files there are.
const FILES: &Words<Ordered> = &[
    ("<", Ordered::To(range::Relation::Less), false),
    (">", Ordered::To(range::Relation::Greater), false),
    (">=", Ordered::To(range::Relation::AtLeast), false),
];

const MONTH_EQUALS: &str = "month_equals";

const CHECKBOX: &Words<()> = &[("=", (), false)];

/// How many values are asked for.
#[derive(Clone, Copy)]
enum Amount {
    One,
    Several,
}

/// Of choices, members and time zones.
const ONE_OF: &Words<Amount> = &[
    ("=", Amount::One, false),
    ("!=", Amount::One, true),
    ("is_any_of", Amount::Several, false),
    ("is_none_of", Amount::Several, true),
];

/// Of what holds several values. `has` of several is `has_all`.
const HAS: &Words<Quantity> = &[
    ("has", Quantity::All, false),
    ("!has", Quantity::All, true),
    ("has_all", Quantity::All, false),
    ("has_any", Quantity::Any, false),
    ("!has_any", Quantity::Any, true),
    ("has_none", Quantity::Any, true),
];

impl Condition {
    /// Reads what a request asks of a field.
    pub fn read(
        field: &Arc<Field>,
        asked: Asked<'_>,
        around: &Surroundings<'_>,
    ) -> Result<Self, FilterFault> {
        let (test, is_negated) = match read_blank(field, asked)? {
            Some(is_negated) => (Test::Blank, is_negated),
            None => read_test(field, asked, around)?,
        };
        Ok(Self { field: field.clone(), test, is_negated })
    }

    /// The stored value that is looked at; names that are not stored are looked at otherwise.
    #[must_use]
    pub fn need(&self) -> Option<FieldNumber> {
        need_of(&self.field)
    }

    #[must_use]
    pub fn holds(&self, row: &Row<'_>) -> bool {
        self.is_like(row) != self.is_negated
    }

    fn is_like(&self, row: &Row<'_>) -> bool {
        let field = &self.field;
        match &self.test {
            Test::Blank => value::is_blank(field, row),
            Test::Text(test) => row.text(field).is_some_and(|text| test.holds(&text)),
            Test::Phone(test) => row.text(field).is_some_and(|number| test.holds(&number)),
            Test::Number(range) => {
                value::number(field, row).is_some_and(|number| range.contains(&number))
            }
            Test::Boolean(wanted) => value::boolean(field, row) == *wanted,
            Test::Day(range) => value::day(field, row).is_some_and(|day| range.contains(&day)),
            Test::MonthOfDay(month) => {
                value::day(field, row).is_some_and(|day| month_of_day(day) == *month)
            }
            Test::Instant(range) => {
                value::instant(field, row).is_some_and(|at| range.contains(&at))
            }
            Test::MonthOfInstant(month) => value::instant(field, row)
                .is_some_and(|at| month_of_instant(at, row.around.time_zone) == *month),
            Test::NumberOf(wanted) => {
                value::number(field, row).is_some_and(|number| wanted.contains(&number))
            }
            Test::Zone(wanted) => row.text(field).is_some_and(|zone| wanted.contains(&&*zone)),
            Test::Choices(test) => test.holds(&value::choices(field, row)),
            Test::Tags(test) => test.holds(&value::tags(field, row)),
            Test::Members(test) => test.holds(&value::members(field, row)),
            Test::FileCount(range) => {
                value::file_count(field, row).is_some_and(|count| range.contains(&count))
            }
        }
    }
}

/// The stored value that shows what a field's is.
pub(super) fn need_of(field: &Field) -> Option<FieldNumber> {
    match field.source() {
        Source::Stored | Source::Created | Source::Updated => Some(field.number),
        Source::DisplayName | Source::FullName => None,
    }
}

/// Whether blanks are asked for, or what is none (`true`); none where something else is asked.
fn read_blank(field: &Field, asked: Asked<'_>) -> Result<Option<bool>, FilterFault> {
    let is_negated = match asked.word {
        "is_blank" if !field.field_type.is_checkbox() => !operand::boolean(given(asked)?)?,
        "is_not_blank" if !field.field_type.is_checkbox() => true,
        _ => return Ok(None),
    };
    Ok(Some(is_negated))
}

fn read_test(
    field: &Field,
    asked: Asked<'_>,
    around: &Surroundings<'_>,
) -> Result<(Test, bool), FilterFault> {
    match field.field_type {
        FieldType::Text | FieldType::Email => read_text(TEXT, field, asked),
        FieldType::Longtext => read_text(LONGTEXT, field, asked),
        FieldType::Phonenumber => {
            let (relation, is_negated) = find(PHONE, field, asked)?;
            let test = operand::phone(relation, field, given(asked)?, around)?;
            Ok((Test::Phone(test), is_negated))
        }
        FieldType::Integer | FieldType::Decimal | FieldType::Money => {
            read_range(ORDERED, field, asked, operand::number).map(with(Test::Number))
        }
        FieldType::Rating => read_rating(field, asked),
        FieldType::Checkbox => {
            let ((), is_negated) = find(CHECKBOX, field, asked)?;
            Ok((Test::Boolean(operand::boolean(given(asked)?)?), is_negated))
        }
        FieldType::Date if asked.word == MONTH_EQUALS => {
            Ok((Test::MonthOfDay(operand::month(given(asked)?)?), false))
        }
        FieldType::Date => read_range(ORDERED, field, asked, operand::day).map(with(Test::Day)),
        FieldType::Datetime if asked.word == MONTH_EQUALS => {
            Ok((Test::MonthOfInstant(operand::month(given(asked)?)?), false))
        }
        FieldType::Datetime => {
            let read = |input: &Input<'_>| operand::instants(input, around);
            read_range(ORDERED, field, asked, read).map(with(Test::Instant))
        }
        FieldType::Timezone => read_one_of(field, asked, operand::zone).map(with(Test::Zone)),
        FieldType::Dropdown
        | FieldType::Radio
        | FieldType::Choices
        | FieldType::Status
        | FieldType::Yesnomaybe
        | FieldType::Selector => {
            let (wanted, is_negated) =
                read_one_of(field, asked, |input| operand::choice(field, input).map(Some))?;
            Ok((Test::Choices(ListTest { quantity: Quantity::Any, wanted }), is_negated))
        }
        FieldType::Checkboxes => {
            let read = |input: &Input<'_>| operand::choice(field, input).map(Some);
            read_has(field, asked, read).map(with(Test::Choices))
        }
        FieldType::Dynamictags => {
            let read = |input: &Input<'_>| operand::tag(field, input, around);
            read_has(field, asked, read).map(with(Test::Tags))
        }
        FieldType::TeamSelector => {
            let (wanted, is_negated) =
                read_one_of(field, asked, |input| operand::member(input, around).map(Some))?;
            Ok((Test::Members(ListTest { quantity: Quantity::Any, wanted }), is_negated))
        }
        FieldType::Files => {
            read_range(FILES, field, asked, operand::number).map(with(Test::FileCount))
        }
    }
}

/// A test of what was read; whether its opposite is asked for stays.
fn with<T>(test: impl Fn(T) -> Test) -> impl Fn((T, bool)) -> (Test, bool) {
    move |(read, is_negated)| (test(read), is_negated)
}

/// What a condition of this name asks.
fn find<T: Copy>(
    words: &Words<T>,
    field: &Field,
    asked: Asked<'_>,
) -> Result<(T, bool), FilterFault> {
    let found = words.iter().find(|(word, ..)| *word == asked.word);
    found.map(|(_, what, is_negated)| (*what, *is_negated)).ok_or_else(|| FilterFault::Condition {
        given: asked.word.into(),
        field_type: field.field_type,
    })
}

/// The value, which must be there; null is no value.
fn given(asked: Asked<'_>) -> Result<&Input<'_>, ValueFault> {
    match asked.value {
        None => Err(ValueFault::Required),
        Some(Input::Null) => {
            Err(ValueFault::Invalid { what: "Expected a value; is_blank finds blanks." })
        }
        Some(value) => Ok(value),
    }
}

fn read_text(
    words: &Words<text::Relation>,
    field: &Field,
    asked: Asked<'_>,
) -> Result<(Test, bool), FilterFault> {
    let (relation, is_negated) = find(words, field, asked)?;
    let part = operand::text(given(asked)?)?;
    // Stored texts have no blanks at their ends, so one that is equal has none either.
    let part = if relation == text::Relation::Equals { part.trim() } else { part };
    Ok((Test::Text(TextTest::new(relation, part)), is_negated))
}

fn read_range<T: Copy + PartialOrd>(
    words: &Words<Ordered>,
    field: &Field,
    asked: Asked<'_>,
    read: impl Fn(&Input<'_>) -> Result<range::Operand<T>, ValueFault>,
) -> Result<(Range<T>, bool), FilterFault> {
    let (ordered, is_negated) = find(words, field, asked)?;
    let input = given(asked)?;
    let range = match ordered {
        Ordered::To(relation) => Range::of(relation, read(input)?),
        Ordered::Between => {
            let (from, to) = operand::two(input, read)?;
            Range::between(from, to)
        }
    };
    Ok((range, is_negated))
}

fn read_one_of<T>(
    field: &Field,
    asked: Asked<'_>,
    read: impl Fn(&Input<'_>) -> Result<T, ValueFault>,
) -> Result<(Vec<T>, bool), FilterFault> {
    let (amount, is_negated) = find(ONE_OF, field, asked)?;
    let input = given(asked)?;
    let wanted = match amount {
        Amount::One => vec![read(input)?],
        Amount::Several => operand::several(input, read)?,
    };
    Ok((wanted, is_negated))
}

fn read_has<T>(
    field: &Field,
    asked: Asked<'_>,
    read: impl Fn(&Input<'_>) -> Result<Option<T>, ValueFault>,
) -> Result<(ListTest<T>, bool), FilterFault> {
    let (quantity, is_negated) = find(HAS, field, asked)?;
    let wanted = operand::several(given(asked)?, read)?;
    Ok((ListTest { quantity, wanted }, is_negated))
}

fn read_rating(field: &Field, asked: Asked<'_>) -> Result<(Test, bool), FilterFault> {
    if RATINGS.iter().all(|(word, ..)| *word != asked.word) {
        return read_range(RATING, field, asked, operand::number).map(with(Test::Number));
    }
    let ((), is_negated) = find(RATINGS, field, asked)?;
    let read = |input: &Input<'_>| operand::number(input).map(|operand| operand.first);
    Ok((Test::NumberOf(operand::several(given(asked)?, read)?), is_negated))
}
