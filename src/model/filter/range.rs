//! Ranges: what the comparisons of numbers, days and instants come to.

use crate::model::table::column::numbers::Span;
use std::ops::{Bound, RangeBounds};

/// How a value that has an order stands to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Relation {
    Equals,
    Less,
    AtMost,
    Greater,
    AtLeast,
}

/// What a comparison is made with: all from the first to the last, both included. A day compared
/// with instants is many of them; a number is one.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Operand<T> {
    pub first: T,
    pub last: T,
}

impl<T: Copy> Operand<T> {
    #[must_use]
    pub const fn one(value: T) -> Self {
        Self { first: value, last: value }
    }
}

/// The values that a comparison takes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Range<T>(Bound<T>, Bound<T>);

impl<T: Copy + PartialOrd> Range<T> {
    #[must_use]
    pub const fn of(relation: Relation, Operand { first, last }: Operand<T>) -> Self {
        match relation {
            Relation::Equals => Self(Bound::Included(first), Bound::Included(last)),
            Relation::Less => Self(Bound::Unbounded, Bound::Excluded(first)),
            Relation::AtMost => Self(Bound::Unbounded, Bound::Included(last)),
            Relation::Greater => Self(Bound::Excluded(last), Bound::Unbounded),
            Relation::AtLeast => Self(Bound::Included(first), Bound::Unbounded),
        }
    }

    /// From one to the other, both included; none where the first is the greater one.
    #[must_use]
    pub const fn between(from: Operand<T>, to: Operand<T>) -> Self {
        Self(Bound::Included(from.first), Bound::Included(to.last))
    }

    /// The same range of the floats that stand for its ends; none where an end has no float.
    pub fn span(&self, float: impl Fn(T) -> Option<f64>) -> Option<Span> {
        let from = match self.0 {
            Bound::Included(first) => float(first)?,
            Bound::Excluded(before) => float(before)?.next_up(),
            Bound::Unbounded => f64::NEG_INFINITY,
        };
        let to = match self.1 {
            Bound::Included(last) => float(last)?,
            Bound::Excluded(behind) => float(behind)?.next_down(),
            Bound::Unbounded => f64::INFINITY,
        };
        Some(Span { from, to })
    }

    #[must_use]
    pub fn contains(&self, value: &T) -> bool {
        (self.0, self.1).contains(value)
    }
}
