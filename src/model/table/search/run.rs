//! One search while it runs. Several threads may work on it: each takes the next chunk.
//!
//! It must not know threads: whoever has some lets them call `work`.

use crate::model::access::Reach;
use crate::model::filter::row::{Needs, Row, Surroundings};
use crate::model::id::Slot;
use crate::model::table::Shown;
use crate::model::table::column::mask::Mask;
use crate::model::table::order::{AHEAD, Order, Slots};
use crate::model::table::record::Record;
use crate::model::table::search::page::{InOrder, Part, Sorted};
use crate::model::table::search::plan::{Pieces, Plan};
use crate::model::table::search::{Found, Interrupted, Search, Window, slot_behind};
use parking_lot::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// A search that was begun.
#[derive(Debug)]
pub struct Run {
    search: Search,
    plan: Plan,
    /// What records are asked that the plan leaves, and what all of the search asks.
    needs: Needs,
    needs_whole: Needs,
    /// In creation order, the first slot from which the page counts.
    from: Slot,
    chunks: usize,
    next: AtomicUsize,
    done: AtomicUsize,
    found: Mutex<Collected>,
}

#[derive(Debug)]
enum Collected {
    InOrder(InOrder),
    Sorted(Sorted),
}

/// What a look at a chunk gives.
struct Looked {
    /// The rows that columns have found; none where the chunk's records must be asked everything.
    selected: Option<Mask>,
    records: Vec<Record>,
}

impl Run {
    /// Begins a search over the records that there are now.
    #[must_use]
    pub fn new(search: Search, shown: &Shown, around: &Surroundings<'_>) -> Self {
        // Who may read nothing has nothing looked at.
        let search_is_empty = search.reach == Reach::Nothing;
        let plan = Plan::of(&search, shown, around);
        let from = match &search.window {
            Window::Behind { position, .. } if search.sort.is_creation() => {
                slot_behind(shown, position.as_ref())
            }
            Window::Behind { .. } | Window::Places(_) => Slot(0),
        };
        let found = if search.sort.is_creation() {
            Collected::InOrder(InOrder::new(&search.window))
        } else {
            Collected::Sorted(Sorted::new())
        };
        let mut needs = Vec::new();
        plan.rest.filter.note_needs(&mut needs);
        search.sort.note_needs(&mut needs);
        if let Some(words) = &plan.rest.words {
            words.note_needs(&mut needs);
        }
        Self {
            needs: Needs::of(needs),
            needs_whole: search.needs(),
            search,
            plan,
            from,
            chunks: if search_is_empty { 0 } else { shown.order.chunk_count() },
            next: AtomicUsize::new(0),
            done: AtomicUsize::new(0),
            found: Mutex::new(found),
        }
    }

    /// Looks at chunks until none is left, and asks `goes_on` before each. The table and what
    /// surrounds it must be those that the search was begun with.
    pub fn work(&self, shown: &Shown, around: Surroundings<'_>, goes_on: &dyn Fn() -> bool) {
        let mut sorted = Sorted::new();
        loop {
            let at = self.next.fetch_add(1, Relaxed);
            if at >= self.chunks {
                break;
            }
            if !goes_on() {
                // Nor do the others.
                self.next.store(self.chunks, Relaxed);
                return;
            }
            if self.search.sort.is_creation() {
                self.collect_in_order(at, shown, around);
            } else {
                self.collect_sorted(at, shown, around, &mut sorted);
            }
            self.done.fetch_add(1, Relaxed);
        }
        if let Collected::Sorted(found) = &mut *self.found.lock() {
            found.absorb(sorted, &self.search.sort, &self.search.window);
        }
    }

    /// What was found, once all who work on it have ended.
    ///
    /// # Errors
    /// Where somebody was told not to go on.
    pub fn finish(&self) -> Result<Found, Interrupted> {
        if self.done.load(Relaxed) < self.chunks {
            return Err(Interrupted);
        }
        let Search { sort, window, .. } = &self.search;
        let nothing = Collected::Sorted(Sorted::new());
        Ok(match std::mem::replace(&mut *self.found.lock(), nothing) {
            Collected::InOrder(found) => found.finish(window),
            Collected::Sorted(found) => found.finish(sort, window),
        })
    }

    fn collect_in_order(&self, at: usize, shown: &Shown, around: Surroundings<'_>) {
        let places = match &*self.found.lock() {
            Collected::InOrder(found) => found.places_of(at),
            Collected::Sorted(_) => unreachable!("the order of creation is asked for"),
        };
        let from = self.from.0.saturating_sub(Order::first_slot(at).0) as usize;
        let counted = |rows: &Mask| rows.without(&Mask::first(from));
        let looked = self.look(at, shown, |_, rows| counted(rows).places(places.clone()));
        let mut part = Part { first: places.start, ..Part::default() };
        match &looked.selected {
            Some(rows) if self.plan.rest.is_nothing() => {
                (part.count, part.counted) = (rows.count(), counted(rows).count());
                part.records = looked.records;
            }
            Some(_) | None => self.each(&looked, around, |row| {
                part.count += 1;
                if row.record.slot() >= self.from {
                    if places.contains(&part.counted) {
                        part.records.push(row.record.clone());
                    }
                    part.counted += 1;
                }
            }),
        }
        if let Collected::InOrder(found) = &mut *self.found.lock() {
            found.add(at, part);
        }
    }

    fn collect_sorted(
        &self,
        at: usize,
        shown: &Shown,
        around: Surroundings<'_>,
        sorted: &mut Sorted,
    ) {
        let Search { sort, window, .. } = &self.search;
        let before = sorted.worst().and_then(|worst| self.plan.before(worst, sort, &around, at));
        let looked = self.look(at, shown, |pieces, rows| match &before {
            Some(before) => pieces.ask(before, rows),
            None => rows.clone(),
        });
        let counted = looked.selected.as_ref().filter(|_| self.plan.rest.is_nothing());
        if let Some(rows) = counted {
            sorted.count(rows.count());
        }
        self.each(&looked, around, |row| {
            if counted.is_none() {
                sorted.count(1);
            }
            sorted.add(row, sort, window);
        });
    }

    /// Looks at a chunk: where columns say all, only the chosen ones of the records they have found
    /// are cloned out.
    fn look(
        &self,
        at: usize,
        shown: &Shown,
        choose: impl Fn(&Pieces<'_>, &Mask) -> Mask,
    ) -> Looked {
        let by_columns = |slots: &Slots| {
            let (rows, pieces) = self.plan.select(slots, slots.rows(self.search.wanted))?;
            let mut records = Vec::new();
            let is_all = self.plan.rest.is_nothing();
            let chosen = if is_all { choose(&pieces, &rows) } else { rows.clone() };
            slots.clone_rows(chosen.rows(), &mut records);
            Some(Looked { selected: Some(rows), records })
        };
        let by_records = |slots: &Slots| {
            let mut records = Vec::new();
            slots.clone_rows(slots.rows(self.search.wanted).rows(), &mut records);
            Looked { selected: None, records }
        };
        let order = &shown.order;
        let mut looked = None;
        if !self.plan.is_empty() {
            looked = order.look(at, by_columns).flatten();
            if looked.is_none() {
                self.plan.fill(at, shown);
                looked = order.look(at, by_columns).flatten();
            }
        }
        looked.or_else(|| order.look(at, by_records)).expect("chunks stay where they are")
    }

    /// Calls `add` with each record that answers what no column has answered.
    fn each(&self, looked: &Looked, around: Surroundings<'_>, mut add: impl FnMut(&Row<'_>)) {
        let is_whole = looked.selected.is_none();
        let needs = if is_whole { &self.needs_whole } else { &self.needs };
        let mut values = Vec::new();
        for (at, record) in looked.records.iter().enumerate() {
            // Their misses overlap, so that each costs a fraction of one.
            if let Some(ahead) = looked.records.get(at + AHEAD) {
                ahead.touch();
            }
            needs.take(record.body(), &mut values);
            let row = Row { record, needs, values: &values, around };
            let takes = if is_whole { self.search.takes(&row) } else { self.plan.rest.takes(&row) };
            if takes {
                add(&row);
            }
        }
    }
}
