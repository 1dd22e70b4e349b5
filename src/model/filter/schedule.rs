//! What the activities must be like that are scheduled about a record and not completed.

use crate::model::filter::operand;
use crate::model::filter::range::{Operand, Range, Relation};
use crate::model::filter::row::{Row, Surroundings};
use crate::model::id::Timestamp;
use crate::model::input::Input;
use crate::model::value::fault::ValueFault;

/// Days that may be counted from now.
const DAYS_MAX: i64 = 36_500;
const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// What may be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Question {
    AnyTime,
    NotScheduled,
    WithinDays,
    Between,
    OverdueMoreThanDays,
}

impl Question {
    pub const ALL: [Self; 5] = [
        Self::AnyTime,
        Self::NotScheduled,
        Self::WithinDays,
        Self::Between,
        Self::OverdueMoreThanDays,
    ];

    /// What the API calls it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::AnyTime => "any_time",
            Self::NotScheduled => "not_scheduled",
            Self::WithinDays => "within_n_days",
            Self::Between => "between",
            Self::OverdueMoreThanDays => "overdue_more_than_n_days",
        }
    }

    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|question| question.name() == name)
    }
}

/// What a record's schedule must be like.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ScheduleTest {
    /// Something is scheduled, or nothing is.
    Any(bool),
    /// Something is due then.
    Due(Range<Timestamp>),
}

impl ScheduleTest {
    /// Reads what is asked as of now.
    pub fn read(
        question: Question,
        value: Option<&Input<'_>>,
        around: &Surroundings<'_>,
    ) -> Result<Self, ValueFault> {
        let days = || value.ok_or(ValueFault::Required).and_then(days);
        let at = |ms: i64| Operand::one(Timestamp(around.now.0 + ms));
        Ok(match question {
            Question::AnyTime => Self::Any(true),
            Question::NotScheduled => Self::Any(false),
            Question::WithinDays => Self::Due(Range::between(at(0), at(days()? * DAY_MS))),
            Question::OverdueMoreThanDays => {
                Self::Due(Range::of(Relation::Less, at(-days()? * DAY_MS)))
            }
            Question::Between => {
                let read = |input: &Input<'_>| operand::instants(input, around);
                let (from, to) = operand::two(value.ok_or(ValueFault::Required)?, read)?;
                Self::Due(Range::between(from, to))
            }
        })
    }

    #[must_use]
    pub fn holds(&self, row: &Row<'_>) -> bool {
        let (agenda, record) = (row.around.agenda, row.record.id());
        match self {
            Self::Any(is_any) => (agenda.upcoming(record) > 0) == *is_any,
            // Most records have no activity, which the count tells without a list.
            Self::Due(_) if agenda.upcoming(record) == 0 => false,
            Self::Due(range) => {
                let activities = agenda.of_record(record);
                let mut activities = activities.iter().filter_map(|id| agenda.activity(*id));
                activities.any(|activity| activity.is_upcoming() && range.contains(&activity.due))
            }
        }
    }
}

fn days(input: &Input<'_>) -> Result<i64, ValueFault> {
    let (Input::Text(spelling) | Input::Number(spelling)) = input else { return Err(NO_DAYS) };
    let days = spelling.trim().parse().ok().filter(|days| (0..=DAYS_MAX).contains(days));
    days.ok_or(NO_DAYS)
}

const NO_DAYS: ValueFault = ValueFault::Invalid { what: "Must be a number of days, 0 to 36500." };
