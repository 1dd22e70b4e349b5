//! Options, tags or members of one chunk: which rows have a value, for one value or for several.

use crate::model::table::column::mask::Mask;

/// Above so many values that are asked for, each value that is held is looked for among them.
const ASKED_FEW: usize = 8;

/// Every value of every row: by value, then by row, none twice.
#[derive(Debug)]
pub(super) struct Values<V>(Vec<(V, u16)>);

impl<V> Default for Values<V> {
    fn default() -> Self {
        Self(Vec::new())
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
        values.shrink_to_fit();
        Self(values)
    }

    /// Puts new values of a row in the place of the old ones.
    pub(super) fn set(&mut self, row: u16, old: &[V], new: &[V]) {
        for value in old.iter().filter(|value| !new.contains(value)) {
            if let Ok(at) = self.0.binary_search(&(*value, row)) {
                self.0.remove(at);
            }
        }
        for value in new {
            if let Err(at) = self.0.binary_search(&(*value, row)) {
                if self.0.len() == self.0.capacity() {
                    self.0.reserve_exact(self.0.len() / 8 + 8);
                }
                self.0.insert(at, (*value, row));
            }
        }
    }

    pub(super) fn having(&self, asked: &Having<V>) -> Mask {
        match asked {
            Having::AnyOf(values) => self.any_of(values),
            Having::AllOf(groups) => {
                let mut rows = Mask::first(crate::model::table::order::CHUNK);
                for group in groups {
                    rows = rows.and(&self.any_of(group));
                }
                rows
            }
        }
    }

    fn any_of(&self, values: &[V]) -> Mask {
        let mut mask = Mask::NONE;
        if values.len() <= ASKED_FEW {
            for value in values {
                let from = self.0.partition_point(|(held, _)| held < value);
                let held = self.0[from..].iter().take_while(|(held, _)| held == value);
                held.for_each(|(_, row)| mask.set(usize::from(*row), true));
            }
            return mask;
        }
        let mut last = None;
        for (value, row) in &self.0 {
            let is_asked = match last {
                Some((known, is_asked)) if known == value => is_asked,
                Some(_) | None => values.binary_search(value).is_ok(),
            };
            last = Some((value, is_asked));
            if is_asked {
                mask.set(usize::from(*row), true);
            }
        }
        mask
    }

    pub(super) fn bytes(&self) -> usize {
        self.0.capacity() * size_of::<(V, u16)>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::table::order::CHUNK;
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
        }
    }
}
