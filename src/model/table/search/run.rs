//! One search while it runs. Several threads may work on it: each takes the next chunk.
//!
//! It must not know threads: whoever has some lets them call `work`.

use crate::model::access::Reach;
use crate::model::filter::row::{Needs, Row, Surroundings};
use crate::model::id::Slot;
use crate::model::table::Shown;
use crate::model::table::column::mask::Mask;
use crate::model::table::order::{BURST, CHUNK, Order, Slots};
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

/// What a look at a chunk by its columns gives.
struct Looked {
    chunk: usize,
    /// None where the chunk's records must be asked everything.
    selected: Option<Selected>,
}

/// What columns have found in a chunk.
struct Selected {
    rows: Mask,
    /// Of those rows: the ones that are still to be looked at, or that are wanted.
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
        match looked.selected {
            Some(Selected { rows, records }) if self.plan.rest.is_nothing() => {
                (part.count, part.counted) = (rows.count(), counted(&rows).count());
                part.records = records;
            }
            Some(_) | None => self.each(&looked, shown, around, |row| {
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
        if let Some(selected) = counted {
            sorted.count(selected.rows.count());
        }
        self.each(&looked, shown, around, |row| {
            if counted.is_none() {
                sorted.count(1);
            }
            sorted.add(row, sort, window);
        });
    }

    /// Looks at a chunk by its columns: where they say all, only the chosen ones of the records they
    /// have found are cloned out.
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
            slots.clone_rows(&chosen, &mut records);
            Some(Selected { rows, records })
        };
        let order = &shown.order;
        let mut selected = None;
        if !self.plan.is_empty() {
            selected = order.look(at, by_columns).flatten();
            if selected.is_none() {
                self.plan.fill(at, shown);
                selected = order.look(at, by_columns).flatten();
            }
        }
        Looked { chunk: at, selected }
    }

    /// Calls `add` with each record that answers what no column has answered.
    fn each(
        &self,
        looked: &Looked,
        shown: &Shown,
        around: Surroundings<'_>,
        mut add: impl FnMut(&Row<'_>),
    ) {
        if let Some(Selected { records, .. }) = &looked.selected {
            let rest = &self.plan.rest;
            each_row(records, &self.needs, around, |row| {
                if rest.takes(row) {
                    add(row);
                }
            });
            return;
        }
        let mut records = Vec::with_capacity(BURST);
        for start in (0..CHUNK).step_by(BURST) {
            let burst = Mask::first(start + BURST).without(&Mask::first(start));
            let clone = |slots: &Slots| {
                slots.clone_rows(&slots.rows(self.search.wanted).and(&burst), &mut records);
            };
            shown.order.look(looked.chunk, clone).expect("chunks stay where they are");
            each_row(&records, &self.needs_whole, around, |row| {
                if self.search.takes(row) {
                    add(row);
                }
            });
            // While they are still in the processor's own memory, where a count is cheap.
            records.clear();
        }
    }
}

/// Calls `each` with all of these records, one burst after the other.
pub(super) fn each_row(
    records: &[Record],
    needs: &Needs,
    around: Surroundings<'_>,
    mut each: impl FnMut(&Row<'_>),
) {
    let mut values = Vec::new();
    for burst in records.chunks(BURST) {
        Record::touch(burst.iter());
        for record in burst {
            needs.take(record.body(), &mut values);
            each(&Row { record, needs, values: &values, around });
        }
    }
}
