//! A search over the records of a table: which are found, how many in all, and one page of them.
//!
//! It walks the creation order chunk by chunk, each cloned out, so that no writer waits for it
//! longer than that takes. Each record is seen once, in a state no older than the start; the whole
//! is not one instant. It must not know threads or clocks: whoever runs it says whether it goes on.

use crate::model::access::Reach;
use crate::model::filter::Filter;
use crate::model::filter::row::{Needs, Row, Surroundings};
use crate::model::filter::sort::{Position, Sort};
use crate::model::filter::words::Words;
use crate::model::id::Slot;
use crate::model::table::Shown;
use crate::model::table::order::{AHEAD, Wanted};
use crate::model::table::record::Record;
use crate::model::table::team::is_on_team;
use std::cmp::Ordering;
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

    /// Looks at every record, and asks `goes_on` after each chunk of them.
    pub fn run(
        &self,
        shown: &Shown,
        around: Surroundings<'_>,
        goes_on: &dyn Fn() -> bool,
    ) -> Result<Found, Interrupted> {
        if self.reach == Reach::Nothing {
            return Ok(Found::default());
        }
        let needs = self.needs();
        let mut page = Page::new(self, shown);
        let mut chunk = Vec::new();
        for at in 0..shown.order.chunk_count() {
            if !goes_on() {
                return Err(Interrupted);
            }
            shown.order.clone_chunk(at, &mut chunk);
            let mut values = Vec::new();
            for (within, slot) in chunk.iter().enumerate() {
                // Their misses overlap, so that each costs a fraction of one.
                if let Some(Some(ahead)) = chunk.get(within + AHEAD) {
                    ahead.touch();
                }
                let Some(record) = slot else { continue };
                if !self.wanted.takes(record) {
                    continue;
                }
                needs.take(record.body(), &mut values);
                let row = Row { record, needs: &needs, values: &values, around };
                if self.takes(&row) {
                    page.add(&row);
                }
            }
        }
        Ok(page.finish())
    }

    fn takes(&self, row: &Row<'_>) -> bool {
        self.reaches(row)
            && self.filter.takes(row)
            && self.words.as_ref().is_none_or(|words| words.takes(row))
    }

    fn reaches(&self, row: &Row<'_>) -> bool {
        match self.reach {
            Reach::All => true,
            Reach::TeamOf(member) => is_on_team(row.around.schema, row.record, member),
            Reach::Nothing => false,
        }
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

/// What is kept of a search while it runs.
struct Page<'a> {
    search: &'a Search,
    /// In creation order, the first slot that is behind the position.
    from: Slot,
    count: usize,
    /// In creation order, those in the window; otherwise also some that will be dropped.
    kept: Vec<(Position, Record)>,
    /// Nothing behind the worst of these can be in the window.
    worst: Option<Position>,
}

impl<'a> Page<'a> {
    fn new(search: &'a Search, shown: &Shown) -> Self {
        let from = match &search.window {
            Window::Behind { position, .. } if search.sort.is_creation() => {
                slot_behind(shown, position.as_ref())
            }
            Window::Behind { .. } | Window::Places(_) => Slot(0),
        };
        Self { search, from, count: 0, kept: Vec::new(), worst: None }
    }

    /// How many from the first one on decide about the window; of `Behind` one more than asked
    /// for, which tells whether there is a next page.
    fn needed(&self) -> usize {
        match &self.search.window {
            Window::Places(places) => places.end,
            Window::Behind { limit, .. } => limit + 1,
        }
    }

    fn add(&mut self, row: &Row<'_>) {
        let place = self.count;
        self.count += 1;
        if self.search.sort.is_creation() {
            let is_in = match &self.search.window {
                Window::Places(places) => places.contains(&place),
                Window::Behind { limit, .. } => {
                    row.record.slot() >= self.from && self.kept.len() <= *limit
                }
            };
            if is_in {
                let position = Position { keys: Vec::new(), id: row.record.id() };
                self.kept.push((position, row.record.clone()));
            }
        } else {
            self.add_sorted(row);
        }
    }

    fn add_sorted(&mut self, row: &Row<'_>) {
        let sort = &self.search.sort;
        let position = sort.position(row);
        let is_behind = |other: &Position| sort.compare(&position, other) == Ordering::Greater;
        if let Window::Behind { position: Some(start), .. } = &self.search.window
            && !is_behind(start)
        {
            return;
        }
        if self.worst.as_ref().is_some_and(is_behind) {
            return;
        }
        self.kept.push((position, row.record.clone()));
        // Halved only when twice as many are there: each costs a constant number of comparisons.
        let needed = self.needed();
        if self.kept.len() >= needed.saturating_mul(2).max(1024) {
            let compare = |a: &(Position, Record), b: &(Position, Record)| sort.compare(&a.0, &b.0);
            let (_, worst, _) = self.kept.select_nth_unstable_by(needed - 1, compare);
            self.worst = Some(worst.0.clone());
            self.kept.truncate(needed);
        }
    }

    fn finish(mut self) -> Found {
        let Self { search, count, .. } = self;
        if !search.sort.is_creation() {
            self.kept.sort_unstable_by(|a, b| search.sort.compare(&a.0, &b.0));
            if let Window::Places(places) = &search.window {
                let skipped = places.start.min(self.kept.len());
                self.kept.drain(..skipped);
                self.kept.truncate(places.len());
            }
        }
        let mut last = None;
        if let Window::Behind { limit, .. } = &search.window
            && self.kept.len() > *limit
        {
            self.kept.truncate(*limit);
            last = self.kept.last().map(|(position, _)| position.clone());
        }
        let records = self.kept.into_iter().map(|(_, record)| record).collect();
        Found { count, records, last }
    }
}
