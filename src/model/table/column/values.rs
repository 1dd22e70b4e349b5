//! Options, tags or members of one chunk: which rows have a value, for one value or for several.

use crate::model::table::column::mask::Mask;
use crate::model::table::order::CHUNK;

/// Which rows have a value, for every value that any of them has.
#[derive(Debug)]
pub(super) struct Values<V> {
    /// Rising, none without rows.
    held: Vec<Held<V>>,
    /// Of all rows, as they are allocated.
    row_bytes: usize,
}

#[derive(Debug)]
struct Held<V> {
    value: V,
    /// Rising.
    rows: Vec<u16>,
}

impl<V> Default for Values<V> {
    fn default() -> Self {
        Self { held: Vec::new(), row_bytes: 0 }
    }
}

/// What is asked of the values of a row.
#[derive(Clone, Debug, PartialEq)]
pub enum Having<V> {
    /// One of these at least; rising.
    AnyOf(Vec<V>),
    /// One at least of each of these.
    AllOf(Vec<Vec<V>>),
}

impl<V: Ord + Copy> Having<V> {
    #[must_use]
    pub fn any_of(mut values: Vec<V>) -> Self {
        values.sort_unstable();
        values.dedup();
        Self::AnyOf(values)
    }
}

impl<V: Ord + Copy> Values<V> {
    /// Of all values of a chunk, in any order.
    pub(super) fn new(mut values: Vec<(V, u16)>) -> Self {
        values.sort_unstable();
        values.dedup();
        let groups = values.chunk_by(|(left, _), (right, _)| left == right);
        let rows = |group: &[(V, u16)]| group.iter().map(|(_, row)| *row).collect();
        let mut held: Vec<_> =
            groups.map(|group| Held { value: group[0].0, rows: rows(group) }).collect();
        held.shrink_to_fit();
        let row_bytes = held.iter().map(Held::bytes).sum();
        Self { held, row_bytes }
    }

    /// Puts new values of a row in the place of the old ones.
    pub(super) fn set(&mut self, row: u16, old: &[V], new: &[V]) {
        for value in old.iter().filter(|value| !new.contains(value)) {
            if let Ok(at) = self.position(value) {
                self.change(at, |rows| {
                    if let Ok(place) = rows.binary_search(&row) {
                        rows.remove(place);
                    }
                });
                if self.held[at].rows.is_empty() {
                    self.row_bytes -= self.held.remove(at).bytes();
                }
            }
        }
        for value in new {
            let at = self.position(value).unwrap_or_else(|at| {
                self.held.insert(at, Held { value: *value, rows: Vec::new() });
                at
            });
            self.change(at, |rows| {
                if let Err(place) = rows.binary_search(&row) {
                    rows.insert(place, row);
                }
            });
        }
    }

    fn position(&self, value: &V) -> Result<usize, usize> {
        self.held.binary_search_by(|held| held.value.cmp(value))
    }

    fn change(&mut self, at: usize, change: impl FnOnce(&mut Vec<u16>)) {
        let held = &mut self.held[at];
        self.row_bytes -= held.bytes();
        change(&mut held.rows);
        self.row_bytes += held.bytes();
    }

    pub(super) fn having(&self, asked: &Having<V>) -> Mask {
        match asked {
            Having::AnyOf(values) => self.any_of(values),
            Having::AllOf(groups) => {
                let mut rows = Mask::first(CHUNK);
                for group in groups {
                    rows = rows.and(&self.any_of(group));
                }
                rows
            }
        }
    }

    /// Looks for the fewer of both among the others.
    fn any_of(&self, values: &[V]) -> Mask {
        let mut mask = Mask::NONE;
        let mut add = |held: &Held<V>| {
            for row in &held.rows {
                mask.set(usize::from(*row), true);
            }
        };
        if values.len() <= self.held.len() {
            let found = values.iter().filter_map(|value| self.position(value).ok());
            found.for_each(|at| add(&self.held[at]));
        } else {
            let is_asked = |held: &&Held<V>| values.binary_search(&held.value).is_ok();
            self.held.iter().filter(is_asked).for_each(add);
        }
        mask
    }

    pub(super) fn bytes(&self) -> usize {
        self.held.capacity() * size_of::<Held<V>>() + self.row_bytes
    }
}

impl<V> Held<V> {
    fn bytes(&self) -> usize {
        self.rows.capacity() * size_of::<u16>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    fn lists() -> impl Strategy<Value = Vec<(usize, BTreeSet<u32>)>> {
        let list = prop::collection::btree_set(0..30_u32, 0..6);
        prop::collection::vec((0..CHUNK, list), 0..80)
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn rows_have_what_was_last_set(
            loaded in lists(), changes in lists(),
            asked in prop::collection::vec(0..35_u32, 0..12),
        ) {
            let mut rows = vec![Vec::new(); CHUNK];
            for (row, list) in loaded {
                rows[row] = list.into_iter().collect();
            }
            let of_row = |(row, list): (usize, &Vec<u32>)| {
                list.iter().map(|value| (*value, u16::try_from(row).unwrap())).collect::<Vec<_>>()
            };
            let mut values = Values::new(rows.iter().enumerate().flat_map(of_row).collect());
            for (row, list) in changes {
                let new: Vec<u32> = list.into_iter().collect();
                values.set(u16::try_from(row).unwrap(), &rows[row], &new);
                rows[row] = new;
            }
            let any = Mask::of_values(&rows, |list| asked.iter().any(|value| list.contains(value)));
            prop_assert_eq!(values.having(&Having::any_of(asked.clone())), any);
            let all = Mask::of_values(&rows, |list| asked.iter().all(|value| list.contains(value)));
            let groups = asked.iter().map(|value| vec![*value]).collect();
            prop_assert_eq!(values.having(&Having::AllOf(groups)), all);
            let rows = values.held.iter().map(Held::bytes).sum::<usize>();
            prop_assert_eq!(values.row_bytes, rows);
            prop_assert!(values.held.iter().all(|held| !held.rows.is_empty()));
        }
    }
}
