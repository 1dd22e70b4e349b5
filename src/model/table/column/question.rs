//! What a search asks of the cells of a column.
//!
//! It is asked of stored values; what they refer to was looked up before, once for the search.

use crate::model::filter::phone::PhoneTest;
use crate::model::id::{Day, MemberId, Timestamp};
use crate::model::table::column::mask::Mask;
use crate::model::table::column::numbered::NumberSet;
use crate::model::table::column::numbers::{Span, integer};
use crate::model::table::column::texts::Pattern;
use crate::model::table::order::CHUNK;
use crate::model::value::time::{month_of_day, month_of_instant};
use jiff::tz::TimeZone;
use std::cmp::Ordering;

/// A question that each row answers with yes or no.
#[derive(Clone, Debug)]
pub enum Question {
    /// Of numbers and texts: whether there is none.
    Blank,
    Within(Span),
    OneOf(Vec<f64>),
    Month(MonthOf, i8),
    Bit(bool),
    /// Whether one of these is found.
    Like(Vec<Pattern>),
    Phone(PhoneTest),
    /// Whether the text stands so to this one, or equals it where that is asked too.
    Standing {
        to: Box<str>,
        ordering: Ordering,
        or_equal: bool,
    },
    /// Of the numbers of options or tags.
    Numbered(Having<NumberSet>),
    /// Each list rising.
    Members(Having<Vec<MemberId>>),
}

/// Which of its values a row must have.
#[derive(Clone, Debug, PartialEq)]
pub enum Having<S> {
    /// One of these at least.
    AnyOf(S),
    /// One at least of each of these.
    AllOf(Vec<S>),
}

impl<S> Having<S> {
    /// The rows that have them, where such a function tells who has one of a set.
    pub(super) fn rows(&self, any_of: impl Fn(&S) -> Mask) -> Mask {
        match self {
            Self::AnyOf(values) => any_of(values),
            Self::AllOf(sets) => {
                sets.iter().fold(Mask::first(CHUNK), |rows, values| rows.and(&any_of(values)))
            }
        }
    }
}

/// What a month is that of.
#[derive(Clone, Debug)]
pub enum MonthOf {
    Day,
    Instant(TimeZone),
}

impl MonthOf {
    pub(super) fn month(&self, number: f64) -> i8 {
        match self {
            Self::Day => {
                let day = i32::try_from(integer(number)).expect("a day was made of such a number");
                month_of_day(Day(day))
            }
            Self::Instant(time_zone) => month_of_instant(Timestamp(integer(number)), time_zone),
        }
    }
}

impl Question {
    /// How long it takes, for whoever asks several of one row.
    #[must_use]
    pub fn cost(&self) -> u8 {
        match self {
            Self::Bit(_) => 0,
            Self::Numbered(_) | Self::Members(_) => 1,
            Self::Blank | Self::Within(_) | Self::OneOf(_) => 2,
            Self::Like(_) => 3,
            Self::Standing { .. } | Self::Month(..) => 4,
            Self::Phone(_) => 5,
        }
    }
}
