//! Which columns a table has: made when a search first wants them, given up when nobody does.
//!
//! Owns their limits. It must not know what searches ask of them.

use crate::model::schema::Schema;
use crate::model::schema::field::Field;
use crate::model::table::column::Column;
use crate::model::table::order::{Order, Wanted};
use parking_lot::Mutex;
use std::sync::Arc;
use std::sync::atomic::{
    AtomicBool, AtomicU64, AtomicUsize,
    Ordering::{Acquire, Relaxed, Release},
};

/// In smaller tables the records are looked at.
const RECORDS_MIN: usize = 50_000;
/// Columns of a table.
const COLUMNS_MAX: usize = 32;
/// Bytes of all columns of a table, for each of its records.
const BYTES_A_RECORD_MAX: usize = 512;
/// A column that nobody wanted between so many sweeps is given up.
const IDLE_SWEEPS_MAX: u32 = 10;

/// The columns of a table.
pub struct Columns {
    list: Mutex<Vec<Arc<Column>>>,
    uses: AtomicU64,
    records_min: AtomicUsize,
    /// Memory is short: there are none.
    is_paused: AtomicBool,
}

impl Default for Columns {
    fn default() -> Self {
        Self {
            list: Mutex::default(),
            uses: AtomicU64::new(0),
            records_min: AtomicUsize::new(RECORDS_MIN),
            is_paused: AtomicBool::new(false),
        }
    }
}

impl Columns {
    /// Whether a table in this order is searched by columns.
    #[must_use]
    pub fn are_used(&self, order: &Order) -> bool {
        !self.is_paused.load(Acquire) && order.count(Wanted::All) >= self.records_min.load(Relaxed)
    }

    /// The column of a field; none where none is kept of such a field.
    #[must_use]
    pub fn want(
        &self,
        schema: &Arc<Schema>,
        field: &Arc<Field>,
        order: &Order,
    ) -> Option<Arc<Column>> {
        let mut has_given_up = false;
        let mut list = self.list.lock();
        let known = list.iter().position(|column| column.field() == field.number);
        let column = match known {
            Some(at) if list[at].is_of(field) => list[at].clone(),
            Some(_) | None => {
                let column = Arc::new(Column::new(schema, field)?);
                if let Some(at) = known {
                    list.swap_remove(at).give_up();
                    has_given_up = true;
                } else if list.len() >= COLUMNS_MAX {
                    give_up_oldest(&mut list);
                    has_given_up = true;
                }
                list.push(column.clone());
                column
            }
        };
        column.used_at.store(self.uses.fetch_add(1, Relaxed), Relaxed);
        column.idle.store(0, Relaxed);
        drop(list);
        if has_given_up {
            order.drop_pieces();
        }
        Some(column)
    }

    /// Whether there is room for one piece of a column more; if need be it is made, at the cost of
    /// the column that was wanted before all others.
    #[must_use]
    pub fn has_room(&self, order: &Order) -> bool {
        let max = order.count(Wanted::All).saturating_mul(BYTES_A_RECORD_MAX);
        let mut list = self.list.lock();
        if bytes_of(&list) < max {
            return true;
        }
        // The last one stays: it may be the one that is filled.
        if list.len() == 1 {
            return false;
        }
        give_up_oldest(&mut list);
        let has_room = bytes_of(&list) < max;
        drop(list);
        order.drop_pieces();
        has_room
    }

    /// Bytes of all columns.
    #[must_use]
    pub fn bytes(&self) -> usize {
        bytes_of(&self.list.lock())
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.list.lock().len()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Gives up what nobody wants any more; all of them while memory is short. Called now and then,
    /// whatever the searches do.
    pub fn sweep(&self, order: &Order, is_memory_short: bool) {
        self.is_paused.store(is_memory_short, Release);
        self.list.lock().retain(|column| {
            let is_wanted = column.idle.fetch_add(1, Relaxed) < IDLE_SWEEPS_MAX && !is_memory_short;
            if !is_wanted {
                column.give_up();
            }
            is_wanted
        });
        order.drop_pieces();
    }

    /// Searches tables of so many records, or more, by columns.
    #[cfg(test)]
    pub(crate) fn use_from(&self, records: usize) {
        self.records_min.store(records, Relaxed);
    }
}

fn bytes_of(list: &[Arc<Column>]) -> usize {
    list.iter().map(|column| column.bytes()).sum()
}

/// Gives up the column that was wanted before all others.
fn give_up_oldest(list: &mut Vec<Arc<Column>>) {
    let oldest = list.iter().enumerate().min_by_key(|(_, column)| column.used_at.load(Relaxed));
    if let Some((at, _)) = oldest {
        list.swap_remove(at).give_up();
    }
}
