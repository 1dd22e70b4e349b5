//! Filters: which records a search takes, and in which order.
//!
//! Owns conditions and how groups of them combine. It must not know how a filter looks on the wire,
//! pages, or threads. A field type that is added is led through here by the exhaustive matches in
//! `condition.rs`, `value.rs` and `sort.rs`.

pub mod condition;
pub mod fault;
pub mod list;
pub mod operand;
pub mod phone;
pub mod question;
pub mod range;
pub mod row;
pub mod schedule;
pub mod sort;
pub mod text;
pub mod value;
pub mod words;

use crate::model::filter::condition::Condition;
use crate::model::filter::row::Row;
use crate::model::filter::schedule::ScheduleTest;
use crate::model::id::FieldNumber;

/// Groups inside groups, the outermost counted.
pub const GROUPS_DEEP_MAX: usize = 5;
/// Conditions of one filter.
pub const CONDITIONS_MAX: usize = 200;

/// What records must be like to be taken.
#[derive(Clone, Debug)]
pub enum Filter {
    Condition(Condition),
    Schedule(ScheduleTest),
    /// All of them hold; of none at all, too.
    All(Vec<Filter>),
    /// One of them holds at least.
    Any(Vec<Filter>),
}

impl Filter {
    /// The filter that takes everything.
    #[must_use]
    pub const fn everything() -> Self {
        Self::All(Vec::new())
    }

    /// Parts that must all hold, or one of them. A group without parts asks for nothing, however
    /// the group around it combines: none is left of it.
    #[must_use]
    pub fn group(is_all: bool, mut parts: Vec<Self>) -> Option<Self> {
        match parts.len() {
            0 => None,
            1 => parts.pop(),
            _ => Some(if is_all { Self::All(parts) } else { Self::Any(parts) }),
        }
    }

    /// Whether it takes everything, so that nothing need be looked at.
    #[must_use]
    pub fn is_everything(&self) -> bool {
        matches!(self, Self::All(parts) if parts.is_empty())
    }

    /// Whether a record is taken.
    #[must_use]
    pub fn takes(&self, row: &Row<'_>) -> bool {
        match self {
            Self::Condition(condition) => condition.holds(row),
            Self::Schedule(test) => test.holds(row),
            Self::All(parts) => parts.iter().all(|part| part.takes(row)),
            Self::Any(parts) => parts.iter().any(|part| part.takes(row)),
        }
    }

    /// Notes the stored values that are looked at.
    pub fn note_needs(&self, needs: &mut Vec<FieldNumber>) {
        match self {
            Self::Condition(condition) => needs.extend(condition.need()),
            Self::Schedule(_) => {}
            Self::All(parts) | Self::Any(parts) => {
                for part in parts {
                    part.note_needs(needs);
                }
            }
        }
    }
}
