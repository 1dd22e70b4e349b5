//! What conditions and orders ask of columns.
//!
//! A column holds what is stored, so what that refers to is looked up here, once for a search, by
//! the same rules by which a record is read. Where none is given, records must be looked at.

use crate::model::filter::condition::{Condition, Test};
use crate::model::filter::list::{ListTest, Quantity};
use crate::model::filter::row::Surroundings;
use crate::model::filter::sort::{SortField, SortKey};
use crate::model::filter::text::{Relation, TextTest};
use crate::model::id::{MemberId, OptionNumber};
use crate::model::schema::Schema;
use crate::model::schema::field::Field;
use crate::model::schema::option::Choice;
use crate::model::table::column::numbered::NumberSet;
use crate::model::table::column::numbers::{Span, exact, float};
use crate::model::table::column::question::{Having, MonthOf, Question};
use crate::model::table::column::texts::Pattern;
use crate::model::value::FieldType;
use std::cmp::Ordering;
use std::sync::Arc;

/// A question, and whether the opposite of its answer is wanted.
#[derive(Clone, Debug)]
pub struct Asked {
    pub question: Question,
    pub is_negated: bool,
}

impl Asked {
    const fn of(question: Question) -> Self {
        Self { question, is_negated: false }
    }

    /// Whether a text has a part somewhere.
    #[must_use]
    pub fn like(pattern: Pattern) -> Self {
        Self::of(Question::Like(vec![pattern]))
    }

    const fn not(question: Question) -> Self {
        Self { question, is_negated: true }
    }
}

impl Condition {
    #[must_use]
    pub fn field(&self) -> &Arc<Field> {
        &self.field
    }

    /// What it asks of its field's column; none where that cannot tell.
    #[must_use]
    pub fn asked(&self, around: &Surroundings<'_>) -> Option<Asked> {
        let mut asked = asked(&self.field, &self.test, around)?;
        asked.is_negated ^= self.is_negated;
        Some(asked)
    }
}

fn asked(field: &Field, test: &Test, around: &Surroundings<'_>) -> Option<Asked> {
    Some(Asked::of(match test {
        Test::Blank => return asked_blank(field, around),
        Test::Text(test) => return Some(Asked::like(test.pattern())),
        Test::Phone(test) => Question::Phone(test.clone()),
        Test::Number(range) => Question::Within(range.span(exact)?),
        Test::Boolean(wanted) => Question::Bit(*wanted),
        Test::Day(range) => Question::Within(range.span(|day| Some(day.0.into()))?),
        Test::MonthOfDay(month) => Question::Month(MonthOf::Day, *month),
        Test::Instant(range) => Question::Within(range.span(|at| Some(float(at.0)))?),
        Test::MonthOfInstant(month) => {
            Question::Month(MonthOf::Instant(around.time_zone.clone()), *month)
        }
        Test::NumberOf(wanted) => {
            Question::OneOf(wanted.iter().map(|number| exact(*number)).collect::<Option<_>>()?)
        }
        Test::Zone(wanted) => {
            let like = |zone: &&str| TextTest::new(Relation::Equals, zone).pattern();
            Question::Like(wanted.iter().map(like).collect())
        }
        Test::Choices(test) => {
            let stored = |wanted: OptionNumber| {
                stored_options(field, around.schema, |choice| choice.number == wanted).collect()
            };
            Question::Numbered(having(test, stored, NumberSet::from_iter))
        }
        Test::Tags(test) => {
            let stored = |tag| around.tags.by_number(tag).map(|tag| tag.number.0);
            let stored = |tag| stored(tag).into_iter().collect();
            Question::Numbered(having(test, stored, NumberSet::from_iter))
        }
        Test::Members(test) => {
            let stored = |member| around.members.get(&member).map(|member| member.id);
            let stored = |member| stored(member).into_iter().collect();
            Question::Members(having(test, stored, rising))
        }
        Test::FileCount(_) | Test::Related(_) => return None,
    }))
}

/// A value that refers to nothing that is left is blank.
fn asked_blank(field: &Field, around: &Surroundings<'_>) -> Option<Asked> {
    Some(match field.field_type {
        FieldType::Text
        | FieldType::Email
        | FieldType::Longtext
        | FieldType::Phonenumber
        | FieldType::Timezone
        | FieldType::Integer
        | FieldType::Decimal
        | FieldType::Money
        | FieldType::Rating
        | FieldType::Date
        | FieldType::Datetime => Asked::of(Question::Blank),
        FieldType::Dropdown
        | FieldType::Radio
        | FieldType::Choices
        | FieldType::Status
        | FieldType::Yesnomaybe
        | FieldType::Selector
        | FieldType::Checkboxes => {
            let left = stored_options(field, around.schema, |_| true);
            Asked::not(any_number_of(left))
        }
        FieldType::Dynamictags => {
            let tags = around.tags.first(around.tags.len());
            let left = tags.iter().filter(|tag| tag.field == field.number);
            Asked::not(any_number_of(left.map(|tag| tag.number.0)))
        }
        FieldType::TeamSelector => {
            let left = around.members.iter().map(|member| member.id).collect();
            Asked::not(Question::Members(Having::AnyOf(rising(left))))
        }
        FieldType::Checkbox | FieldType::Files | FieldType::Relationship => return None,
    })
}

/// The numbers of options that a record may store and that mean such an option now.
fn stored_options(
    field: &Field,
    schema: &Schema,
    is_such: impl Fn(&Choice) -> bool,
) -> impl Iterator<Item = u32> {
    let numbers = 1..schema.next_option().0;
    numbers.filter(move |number| field.options.get(OptionNumber(*number)).is_some_and(&is_such))
}

fn any_number_of(numbers: impl Iterator<Item = u32>) -> Question {
    Question::Numbered(Having::AnyOf(numbers.collect()))
}

fn rising(mut members: Vec<MemberId>) -> Vec<MemberId> {
    members.sort_unstable();
    members.dedup();
    members
}

/// The test of what is stored, each wanted value in all the forms that mean it; `set` puts such
/// forms together.
fn having<T: Copy, V, S>(
    test: &ListTest<T>,
    stored: impl Fn(T) -> Vec<V>,
    set: impl Fn(Vec<V>) -> S,
) -> Having<S> {
    let groups = test.wanted.iter().map(|wanted| wanted.map(&stored).unwrap_or_default());
    match test.quantity {
        Quantity::Any => Having::AnyOf(set(groups.flatten().collect())),
        Quantity::All => Having::AllOf(groups.map(set).collect()),
    }
}

impl SortField {
    /// What a record must answer to stand in front of another by this field, or beside it where
    /// that is asked too; none where every record may. Blanks stand last.
    #[must_use]
    pub fn asked_before(
        &self,
        key: Option<&SortKey>,
        or_beside: bool,
        schema: &Schema,
    ) -> Option<Asked> {
        let is_before = |ordering: Ordering| {
            ordering == (if self.is_descending { Ordering::Greater } else { Ordering::Less })
                || (or_beside && ordering.is_eq())
        };
        match key {
            None if or_beside || self.field.field_type.is_checkbox() => None,
            None => asked_blank_key(&self.field, schema),
            Some(SortKey::Number(number)) => Some(self.asked_from(exact(*number)?, or_beside)),
            Some(SortKey::Time(time)) => Some(self.asked_from(float(*time), or_beside)),
            Some(SortKey::Text(to)) => {
                let ordering = if self.is_descending { Ordering::Greater } else { Ordering::Less };
                let (to, or_equal) = (to.clone(), or_beside);
                Some(Asked::of(Question::Standing { to, ordering, or_equal }))
            }
            Some(SortKey::Boolean(key)) => {
                let (first, last) = (is_before(false.cmp(key)), is_before(true.cmp(key)));
                (first != last).then(|| Asked::of(Question::Bit(last)))
            }
            Some(SortKey::Choice(order, number)) => {
                let is_such = |choice: &Choice| {
                    is_before((choice.order, choice.number.0).cmp(&(*order, *number)))
                };
                let stored = stored_options(&self.field, schema, is_such);
                Some(Asked::of(any_number_of(stored)))
            }
        }
    }

    fn asked_from(&self, number: f64, or_beside: bool) -> Asked {
        let span = match (self.is_descending, or_beside) {
            (false, true) => Span { from: f64::NEG_INFINITY, to: number },
            (false, false) => Span { from: f64::NEG_INFINITY, to: number.next_down() },
            (true, true) => Span { from: number, to: f64::INFINITY },
            (true, false) => Span { from: number.next_up(), to: f64::INFINITY },
        };
        Asked::of(Question::Within(span))
    }
}

/// Whether there is a key at all.
fn asked_blank_key(field: &Field, schema: &Schema) -> Option<Asked> {
    Some(match field.field_type {
        FieldType::Text
        | FieldType::Email
        | FieldType::Phonenumber
        | FieldType::Timezone
        | FieldType::Integer
        | FieldType::Decimal
        | FieldType::Money
        | FieldType::Rating
        | FieldType::Date
        | FieldType::Datetime => Asked::not(Question::Blank),
        FieldType::Dropdown
        | FieldType::Radio
        | FieldType::Choices
        | FieldType::Status
        | FieldType::Yesnomaybe
        | FieldType::Selector => Asked::of(any_number_of(stored_options(field, schema, |_| true))),
        FieldType::Checkbox
        | FieldType::Longtext
        | FieldType::Checkboxes
        | FieldType::Dynamictags
        | FieldType::TeamSelector
        | FieldType::Files
        | FieldType::Relationship => return None,
    })
}
