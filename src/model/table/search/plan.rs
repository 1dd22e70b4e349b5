//! What of a search the columns of its table answer, and what is left for its records.

use crate::model::access::Reach;
use crate::model::filter::Filter;
use crate::model::filter::question::Asked;
use crate::model::filter::row::{Row, Surroundings};
use crate::model::filter::sort::{Position, Sort};
use crate::model::filter::text::TextTest;
use crate::model::filter::words::Words;
use crate::model::id::Slot;
use crate::model::schema::field::Field;
use crate::model::table::Shown;
use crate::model::table::column::mask::Mask;
use crate::model::table::column::{Column, Piece};
use crate::model::table::order::{Order, Slots};
use crate::model::table::search::{Search, reaches};
use std::sync::Arc;

/// The part of a search that columns answer.
#[derive(Debug)]
pub(super) struct Plan {
    /// Each once.
    columns: Vec<Arc<Column>>,
    tree: Tree,
    /// What records must be asked that the columns leave.
    pub(super) rest: Rest,
    /// The column of the field that is first in the order.
    first_key: Option<usize>,
}

/// What is asked of records themselves.
#[derive(Debug)]
pub(super) struct Rest {
    pub(super) reach: Reach,
    pub(super) filter: Filter,
    pub(super) words: Option<Words>,
}

impl Rest {
    pub(super) fn is_nothing(&self) -> bool {
        self.reach == Reach::All && self.filter.is_everything() && self.words.is_none()
    }

    pub(super) fn takes(&self, row: &Row<'_>) -> bool {
        reaches(self.reach, row)
            && self.filter.takes(row)
            && self.words.as_ref().is_none_or(|words| words.takes(row))
    }
}

/// Questions, each to a column by its place in the plan.
#[derive(Debug)]
enum Tree {
    Ask(usize, Asked),
    /// The cheapest first.
    All(Vec<Tree>),
    Any(Vec<Tree>),
}

impl Tree {
    fn all(mut parts: Vec<Self>) -> Self {
        parts.sort_by_key(Self::cost);
        Self::All(parts)
    }

    fn cost(&self) -> u8 {
        match self {
            Self::Ask(_, asked) => asked.question.cost(),
            Self::All(parts) | Self::Any(parts) => {
                parts.iter().map(Self::cost).max().unwrap_or_default()
            }
        }
    }

    /// Of these rows those that it takes.
    fn select(&self, pieces: &[&Piece], rows: Mask) -> Mask {
        match self {
            Self::Ask(column, asked) => ask(pieces[*column], asked, &rows),
            Self::All(parts) => {
                let mut left = rows;
                for part in parts {
                    if left.is_empty() {
                        break;
                    }
                    left = part.select(pieces, left);
                }
                left
            }
            Self::Any(parts) => {
                let (mut left, mut found) = (rows, Mask::NONE);
                for part in parts {
                    let more = part.select(pieces, left.clone());
                    left = left.without(&more);
                    found = found.or(&more);
                }
                found
            }
        }
    }
}

fn ask(piece: &Piece, asked: &Asked, rows: &Mask) -> Mask {
    let found = piece.answer(&asked.question, rows);
    if asked.is_negated { rows.without(&found) } else { found }
}

impl Plan {
    /// Makes the plan of a search; in a small table nothing is left to columns.
    pub(super) fn of(search: &Search, shown: &Shown, around: &Surroundings<'_>) -> Self {
        let mut planner = Planner { shown, around, columns: Vec::new() };
        let (mut parts, mut rest) = (Vec::new(), Vec::new());
        let mut words = search.words.clone();
        let mut first_key = None;
        if shown.columns.are_used(&shown.order) {
            let whole = std::slice::from_ref(&search.filter);
            let filters = if let Filter::All(filters) = &search.filter { filters } else { whole };
            for filter in filters {
                match planner.part(|planner| planner.filter(filter)) {
                    Some(tree) => parts.push(tree),
                    None => rest.push(filter.clone()),
                }
            }
            if let Some(given) = &search.words
                && let Some(tree) = planner.part(|planner| planner.words(given))
            {
                parts.push(tree);
                words = None;
            }
            // Where records are asked, too, all that are left are looked at anyway.
            if rest.is_empty() && words.is_none() && search.reach == Reach::All {
                let first = search.sort.fields().first();
                first_key = first.and_then(|key| planner.column(&key.field));
            }
        } else {
            rest.push(search.filter.clone());
        }
        let filter = if rest.len() == 1 { rest.remove(0) } else { Filter::All(rest) };
        let tree = Tree::all(parts);
        Self {
            columns: planner.columns,
            tree,
            rest: Rest { reach: search.reach, filter, words },
            first_key,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.columns.is_empty()
    }

    /// The rows that its columns take; none where a piece of them is missing or cannot be asked.
    pub(super) fn select<'s>(&self, slots: &'s Slots, rows: Mask) -> Option<(Mask, Pieces<'s>)> {
        let piece = |column| slots.piece(column).filter(|piece| piece.is_fit());
        let pieces: Vec<&Piece> = self.columns.iter().map(piece).collect::<Option<_>>()?;
        Some((self.tree.select(&pieces, rows), Pieces(pieces)))
    }

    /// Fills what is missing of a chunk, as far as there is room.
    pub(super) fn fill(&self, at: usize, shown: &Shown) {
        let is_missing = |column: &&Arc<Column>| {
            let is_there = |slots: &Slots| slots.piece(column).is_some();
            shown.order.look(at, is_there) == Some(false)
        };
        for column in self.columns.iter().filter(is_missing) {
            if shown.columns.has_room(&shown.order) {
                shown.order.fill(at, column);
            }
        }
    }

    /// What a record of a chunk must answer to stand before the worst of a page that is full; none
    /// where every record may.
    pub(super) fn before(
        &self,
        worst: &Worst,
        sort: &Sort,
        around: &Surroundings<'_>,
        chunk: usize,
    ) -> Option<(usize, Asked)> {
        let fields = sort.fields();
        // With one key the id decides next, and ids rise with the slots.
        let or_beside = fields.len() > 1 || Order::first_slot(chunk) <= worst.slot;
        let key = worst.position.keys.first()?.as_ref();
        let asked = fields.first()?.asked_before(key, or_beside, around.schema)?;
        Some((self.first_key?, asked))
    }
}

/// The pieces that a plan asks, of one chunk.
pub(super) struct Pieces<'s>(Vec<&'s Piece>);

impl Pieces<'_> {
    pub(super) fn ask(&self, (column, asked): &(usize, Asked), rows: &Mask) -> Mask {
        ask(self.0[*column], asked, rows)
    }
}

/// What nothing that is behind it can be on the page.
#[derive(Clone, Debug)]
pub(super) struct Worst {
    pub(super) position: Position,
    pub(super) slot: Slot,
}

struct Planner<'a> {
    shown: &'a Shown,
    around: &'a Surroundings<'a>,
    columns: Vec<Arc<Column>>,
}

impl Planner<'_> {
    /// The place of a field's column; none where there is none.
    fn column(&mut self, field: &Arc<Field>) -> Option<usize> {
        let Shown { columns, order, .. } = self.shown;
        let column = columns.want(&self.shown.schema(), field, order)?;
        let known = self.columns.iter().position(|known| Arc::ptr_eq(known, &column));
        Some(known.unwrap_or_else(|| {
            self.columns.push(column);
            self.columns.len() - 1
        }))
    }

    /// A part of the plan; columns of one that comes to nothing are left out.
    fn part(&mut self, make: impl FnOnce(&mut Self) -> Option<Tree>) -> Option<Tree> {
        let known = self.columns.len();
        let tree = make(self);
        if tree.is_none() {
            self.columns.truncate(known);
        }
        tree
    }

    /// None where columns do not tell all of it.
    fn filter(&mut self, filter: &Filter) -> Option<Tree> {
        match filter {
            Filter::Condition(condition) => {
                let asked = condition.asked(self.around)?;
                Some(Tree::Ask(self.column(condition.field())?, asked))
            }
            Filter::Schedule(_) => None,
            Filter::All(parts) => Some(Tree::all(self.filters(parts)?)),
            Filter::Any(parts) => self.filters(parts).map(Tree::Any),
        }
    }

    fn filters(&mut self, filters: &[Filter]) -> Option<Vec<Tree>> {
        filters.iter().map(|filter| self.filter(filter)).collect()
    }

    fn words(&mut self, words: &Words) -> Option<Tree> {
        let fields: Option<Vec<usize>> =
            words.fields().iter().map(|field| self.column(field)).collect();
        let fields = fields?;
        let of_word = |word: &TextTest| {
            let asked = Asked::like(word.pattern());
            Tree::Any(fields.iter().map(|column| Tree::Ask(*column, asked.clone())).collect())
        };
        Some(Tree::all(words.words().iter().map(of_word).collect()))
    }
}
