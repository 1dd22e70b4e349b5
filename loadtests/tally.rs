//! What came back: latencies, counts by status and action, and the first answer that was wrong.

use crate::error::LoadError;
use hdrhistogram::Histogram;
use std::collections::BTreeMap;
use std::time::Duration;

/// Latencies of a minute and more are recorded as a minute.
const HIGHEST: u64 = 60_000_000_000;

pub(crate) fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1, HIGHEST, 3).expect("the bounds are in order")
}

pub(crate) fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(HIGHEST).min(HIGHEST)
}

#[derive(Debug)]
pub(crate) struct Tally {
    /// In nanoseconds, of the answers that fell into the measured time.
    pub(crate) latencies: Histogram<u64>,
    /// All answers of the run; a handful of kinds, so a list is searched.
    answers: Vec<(u16, String, u64)>,
    unexpected: u64,
    sample: Option<String>,
}

impl Tally {
    pub(crate) fn new() -> Self {
        Self { latencies: histogram(), answers: Vec::new(), unexpected: 0, sample: None }
    }

    pub(crate) fn count(&mut self, status: u16, action: &str) {
        let known = self.answers.iter_mut().find(|(s, a, _)| *s == status && a == action);
        match known {
            Some((_, _, count)) => *count += 1,
            None => self.answers.push((status, action.to_owned(), 1)),
        }
    }

    /// Notes an answer, or the lack of one, that was not what was asked for.
    pub(crate) fn reject(&mut self, sample: impl FnOnce() -> String) {
        self.unexpected += 1;
        self.sample.get_or_insert_with(sample);
    }

    pub(crate) fn all(&self) -> u64 {
        self.answers.iter().map(|(_, _, count)| count).sum()
    }

    pub(crate) fn add_to(&self, totals: &mut BTreeMap<(u16, String), u64>) {
        for (status, action, count) in &self.answers {
            *totals.entry((*status, action.clone())).or_default() += count;
        }
    }

    /// A measurement with a wrong answer in it is none.
    pub(crate) fn check(&self) -> Result<(), LoadError> {
        match &self.sample {
            Some(sample) => Err(LoadError::Unexpected {
                count: self.unexpected,
                all: self.all() + self.unexpected,
                sample: sample.clone(),
            }),
            None if self.latencies.is_empty() => Err(LoadError::Nothing),
            None => Ok(()),
        }
    }
}
