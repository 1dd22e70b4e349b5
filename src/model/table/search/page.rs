//! What is kept of a search while it runs: in creation order as much as may be on the page, in any
//! other order the best so far.

use crate::model::filter::row::Row;
use crate::model::filter::sort::{Position, Sort};
use crate::model::table::order::CHUNK;
use crate::model::table::record::Record;
use crate::model::table::search::plan::Worst;
use crate::model::table::search::{Found, Window};
use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::ops::Range;

/// Pages are cut to what is needed when twice as much is there, and no sooner than at this.
const CUT_AT_MIN: usize = 64;

/// What a chunk has, in creation order.
#[derive(Debug, Default)]
pub(super) struct Part {
    /// How many are found.
    pub(super) count: usize,
    /// How many of them stand where the page counts from.
    pub(super) counted: usize,
    /// The place of the first record that was kept among those.
    pub(super) first: usize,
    pub(super) records: Vec<Record>,
}

/// A page in creation order, put together of chunks that come in any order.
#[derive(Debug)]
pub(super) struct InOrder {
    /// Places, counted from where the page counts from.
    window: Range<usize>,
    /// The first chunk that is missing.
    next: usize,
    count: usize,
    counted: usize,
    records: Vec<Record>,
    /// Behind a chunk that is missing.
    waiting: BTreeMap<usize, Part>,
}

impl InOrder {
    pub(super) fn new(window: &Window) -> Self {
        let window = window.needed();
        let (records, waiting) = (Vec::new(), BTreeMap::new());
        Self { window, next: 0, count: 0, counted: 0, records, waiting }
    }

    /// Which of those that are found in a chunk may be in the window, as far as is known before.
    pub(super) fn places_of(&self, at: usize) -> Range<usize> {
        let before = self.waiting.range(..at);
        let (known, counted) = before
            .fold((0, self.counted), |(known, sum), (_, part)| (known + 1, sum + part.counted));
        let unknown = at - self.next - known;
        let start = self.window.start.saturating_sub(counted + unknown * CHUNK);
        start..self.window.end.saturating_sub(counted)
    }

    pub(super) fn add(&mut self, at: usize, part: Part) {
        self.waiting.insert(at, part);
        while let Some(part) = self.waiting.remove(&self.next) {
            // A page far behind the end begins where no record is, at a number near the largest.
            let places = self.counted.saturating_add(part.first)..;
            let found = part.records.into_iter().zip(places);
            let in_window = |(_, place): &(Record, usize)| self.window.contains(place);
            self.records.extend(found.filter(in_window).map(|(record, _)| record));
            self.count += part.count;
            self.counted += part.counted;
            self.next += 1;
        }
    }

    pub(super) fn finish(mut self, window: &Window) -> Found {
        let mut last = None;
        if let Window::Behind { limit, .. } = window
            && self.records.len() > *limit
        {
            self.records.truncate(*limit);
            let position = |record: &Record| Position { keys: Vec::new(), id: record.id() };
            last = self.records.last().map(position);
        }
        Found { count: self.count, records: self.records, last }
    }
}

/// A page in an order of its own.
#[derive(Debug)]
pub(super) struct Sorted {
    count: usize,
    /// Those in the window, and some that will be dropped.
    kept: Vec<(Position, Record)>,
    /// Of a page that is full.
    worst: Option<Worst>,
}

impl Sorted {
    pub(super) const fn new() -> Self {
        Self { count: 0, kept: Vec::new(), worst: None }
    }

    /// So many are found, whether they are added or not.
    pub(super) fn count(&mut self, count: usize) {
        self.count += count;
    }

    pub(super) fn worst(&self) -> Option<&Worst> {
        self.worst.as_ref()
    }

    pub(super) fn add(&mut self, row: &Row<'_>, sort: &Sort, window: &Window) {
        let position = sort.position(row);
        let is_behind = |other: &Position| sort.compare(&position, other) == Ordering::Greater;
        if let Window::Behind { position: Some(start), .. } = window
            && !is_behind(start)
        {
            return;
        }
        if self.worst.as_ref().is_some_and(|worst| is_behind(&worst.position)) {
            return;
        }
        self.kept.push((position, row.record.clone()));
        // Cut only when twice as many are there: each costs a constant number of comparisons.
        let needed = window.needed().end;
        if self.kept.len() >= needed.saturating_mul(2).max(CUT_AT_MIN) {
            self.cut(sort, needed);
        }
    }

    fn cut(&mut self, sort: &Sort, needed: usize) {
        let Some(last) = needed.checked_sub(1).filter(|last| *last < self.kept.len()) else {
            return;
        };
        let compare = |a: &(Position, Record), b: &(Position, Record)| sort.compare(&a.0, &b.0);
        let (_, (position, record), _) = self.kept.select_nth_unstable_by(last, compare);
        self.worst = Some(Worst { position: position.clone(), slot: record.slot() });
        self.kept.truncate(needed);
    }

    /// Takes over what another thread has found elsewhere.
    pub(super) fn absorb(&mut self, other: Self, sort: &Sort, window: &Window) {
        self.count += other.count;
        self.kept.extend(other.kept);
        self.cut(sort, window.needed().end);
    }

    pub(super) fn finish(mut self, sort: &Sort, window: &Window) -> Found {
        self.kept.sort_unstable_by(|a, b| sort.compare(&a.0, &b.0));
        let mut last = None;
        match window {
            Window::Places(places) => {
                let skipped = places.start.min(self.kept.len());
                self.kept.drain(..skipped);
                self.kept.truncate(places.len());
            }
            Window::Behind { limit, .. } if self.kept.len() > *limit => {
                self.kept.truncate(*limit);
                last = self.kept.last().map(|(position, _)| position.clone());
            }
            Window::Behind { .. } => {}
        }
        let records = self.kept.into_iter().map(|(_, record)| record).collect();
        Found { count: self.count, records, last }
    }
}

impl Window {
    /// The places that decide about the page, counted from where it counts from; behind a position
    /// one more than asked for, which tells whether there is a next page.
    fn needed(&self) -> Range<usize> {
        match self {
            Self::Places(places) => places.clone(),
            Self::Behind { limit, .. } => 0..limit + 1,
        }
    }
}
