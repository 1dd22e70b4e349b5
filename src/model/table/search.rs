//! A search over the records of a table: which are found, how many in all, and one page of them.
//!
//! It walks the creation order chunk by chunk. Large tables are searched by their columns, under the
//! chunk's lock; what columns do not tell is asked of the records, cloned out, so that no writer
//! waits for it longer than that takes. Each record is seen once, in a state no older than the start;
//! the whole is not one instant. It must not know threads or clocks: whoever runs it says whether it
//! goes on.

mod page;
mod plan;
pub mod run;

use crate::model::access::Reach;
use crate::model::filter::Filter;
use crate::model::filter::row::{Needs, Row, Surroundings};
use crate::model::filter::sort::{Position, Sort};
use crate::model::filter::words::Words;
use crate::model::id::Slot;
use crate::model::table::Shown;
use crate::model::table::order::Wanted;
use crate::model::table::record::Record;
use crate::model::table::search::run::{Run, each_row};
use crate::model::table::team::is_on_team;
use std::ops::Range;

/// What is searched for, and which part of it is asked for.
#[derive(Clone, Debug)]
pub struct Search {
    pub wanted: Wanted,
    /// Which of those whoever searches may read.
    pub reach: Reach,
    pub filter: Filter,
    pub words: Option<Words>,
    pub sort: Sort,
    pub window: Window,
}

/// A part of all that is found.
#[derive(Clone, Debug)]
pub enum Window {
    /// These places, from 0.
    Places(Range<usize>),
    /// So many behind a position; from the start where there is none.
    Behind { position: Option<Position>, limit: usize },
}

/// What was found.
#[derive(Debug, Default)]
pub struct Found {
    /// How many there are in all, whatever the window.
    pub count: usize,
    /// Those in the window.
    pub records: Vec<Record>,
    /// Where the next page begins; none where nothing is behind the window. Only of `Behind`.
    pub last: Option<Position>,
}

/// It was told not to go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interrupted;

impl Search {
    /// Whether no record need be looked at: the creation order alone knows the answer.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        self.reach == Reach::All
            && self.filter.is_everything()
            && self.words.is_none()
            && self.sort.is_creation()
    }

    /// The answer of a plain search. It costs no more in the middle of a table than at its start.
    #[must_use]
    pub fn run_plain(&self, shown: &Shown) -> Found {
        let order = &shown.order;
        let count = order.count(self.wanted);
        match &self.window {
            Window::Places(places) => {
                let places = places.start.min(count)..places.end.min(count);
                let records = order.page(self.wanted, places.start, places.len());
                Found { count, records, last: None }
            }
            Window::Behind { position, limit } => {
                let from = slot_behind(shown, position.as_ref());
                let mut records = order.from(self.wanted, from, limit + 1);
                let has_more = records.len() > *limit;
                records.truncate(*limit);
                let last = records.last().filter(|_| has_more);
                let last = last.map(|record| Position { keys: Vec::new(), id: record.id() });
                Found { count, records, last }
            }
        }
    }

    /// Looks through all records, on this thread alone, and asks `goes_on` now and then.
    pub fn run(
        &self,
        shown: &Shown,
        around: Surroundings<'_>,
        goes_on: &dyn Fn() -> bool,
    ) -> Result<Found, Interrupted> {
        let run = Run::new(self.clone(), shown, &around);
        run.work(shown, around, goes_on);
        run.finish()
    }

    /// Leaves of records of any one instant those that it finds, wherever its window is.
    pub fn sift(&self, records: &mut Vec<Record>, around: Surroundings<'_>) {
        records.retain(|record| self.wanted.takes(record));
        if self.is_plain() {
            return;
        }
        let mut found = Vec::with_capacity(records.len());
        each_row(records, &self.needs(), around, |row| {
            if self.takes(row) {
                found.push(row.record.clone());
            }
        });
        *records = found;
    }

    fn takes(&self, row: &Row<'_>) -> bool {
        reaches(self.reach, row)
            && self.filter.takes(row)
            && self.words.as_ref().is_none_or(|words| words.takes(row))
    }

    fn needs(&self) -> Needs {
        let mut needs = Vec::new();
        self.filter.note_needs(&mut needs);
        self.sort.note_needs(&mut needs);
        if let Some(words) = &self.words {
            words.note_needs(&mut needs);
        }
        Needs::of(needs)
    }
}

/// Whether a record is one of those that somebody may read.
fn reaches(reach: Reach, row: &Row<'_>) -> bool {
    match reach {
        Reach::All => true,
        Reach::TeamOf(member) => is_on_team(row.around.schema, row.record, member),
        Reach::Nothing => false,
    }
}

/// The slot with which what is behind a position begins, in creation order.
///
/// A record keeps its slot while the process runs, and its place among the others for ever; only a
/// purged one has none. Ids rise with the slots, so that its neighbours still tell where it was.
fn slot_behind(shown: &Shown, position: Option<&Position>) -> Slot {
    let Some(Position { id, .. }) = position else { return Slot(0) };
    match shown.record(*id) {
        Some(record) => record.slot().next(),
        None => shown.order.first_behind(*id),
    }
}
