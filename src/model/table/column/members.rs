//! Members of one chunk: which rows have a member, for one of them or for several.

use crate::model::id::MemberId;
use crate::model::table::column::mask::Mask;

/// Which rows have a member, for every member that any of them has.
#[derive(Debug, Default)]
pub(super) struct Members {
    /// Rising, none without rows.
    held: Vec<Held>,
    /// Of all rows, as they are allocated.
    row_bytes: usize,
}

#[derive(Debug)]
struct Held {
    member: MemberId,
    /// Rising.
    rows: Vec<u16>,
}

impl Members {
    /// Of all members of a chunk, in any order.
    pub(super) fn new(mut members: Vec<(MemberId, u16)>) -> Self {
        members.sort_unstable();
        members.dedup();
        let groups = members.chunk_by(|(left, _), (right, _)| left == right);
        let rows = |group: &[(MemberId, u16)]| group.iter().map(|(_, row)| *row).collect();
        let mut held: Vec<_> =
            groups.map(|group| Held { member: group[0].0, rows: rows(group) }).collect();
        held.shrink_to_fit();
        let row_bytes = held.iter().map(Held::bytes).sum();
        Self { held, row_bytes }
    }

    /// Puts new members of a row in the place of the old ones.
    pub(super) fn set(&mut self, row: u16, old: &[MemberId], new: &[MemberId]) {
        for member in old.iter().filter(|member| !new.contains(member)) {
            if let Ok(at) = self.position(member) {
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
        for member in new {
            let at = self.position(member).unwrap_or_else(|at| {
                self.held.insert(at, Held { member: *member, rows: Vec::new() });
                at
            });
            self.change(at, |rows| {
                if let Err(place) = rows.binary_search(&row) {
                    rows.insert(place, row);
                }
            });
        }
    }

    fn position(&self, member: &MemberId) -> Result<usize, usize> {
        self.held.binary_search_by(|held| held.member.cmp(member))
    }

    fn change(&mut self, at: usize, change: impl FnOnce(&mut Vec<u16>)) {
        let held = &mut self.held[at];
        self.row_bytes -= held.bytes();
        change(&mut held.rows);
        self.row_bytes += held.bytes();
    }

    /// The rows that have one of these, which are rising, at least.
    pub(super) fn any_of(&self, members: &[MemberId]) -> Mask {
        let mut mask = Mask::NONE;
        let mut add = |held: &Held| {
            for row in &held.rows {
                mask.set(usize::from(*row), true);
            }
        };
        // The fewer of both are looked for among the others.
        if members.len() <= self.held.len() {
            let found = members.iter().filter_map(|member| self.position(member).ok());
            found.for_each(|at| add(&self.held[at]));
        } else {
            let is_asked = |held: &&Held| members.binary_search(&held.member).is_ok();
            self.held.iter().filter(is_asked).for_each(add);
        }
        mask
    }

    pub(super) fn bytes(&self) -> usize {
        self.held.capacity() * size_of::<Held>() + self.row_bytes
    }
}

impl Held {
    fn bytes(&self) -> usize {
        self.rows.capacity() * size_of::<u16>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::table::order::CHUNK;
    use proptest::prelude::*;
    use std::collections::BTreeSet;
    use uuid::Uuid;

    fn member() -> impl Strategy<Value = MemberId> {
        (0..35_u128).prop_map(|number| MemberId(Uuid::from_u128(number)))
    }

    fn lists() -> impl Strategy<Value = Vec<(usize, BTreeSet<MemberId>)>> {
        let list = prop::collection::btree_set(member(), 0..6);
        prop::collection::vec((0..CHUNK, list), 0..80)
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn rows_have_what_was_last_set(
            loaded in lists(), changes in lists(),
            asked in prop::collection::btree_set(member(), 0..12),
        ) {
            let mut rows = vec![Vec::new(); CHUNK];
            for (row, list) in loaded {
                rows[row] = list.into_iter().collect();
            }
            let of_row = |(row, list): (usize, &Vec<MemberId>)| {
                list.iter().map(|member| (*member, u16::try_from(row).unwrap())).collect::<Vec<_>>()
            };
            let mut members = Members::new(rows.iter().enumerate().flat_map(of_row).collect());
            for (row, list) in changes {
                let new: Vec<MemberId> = list.into_iter().collect();
                members.set(u16::try_from(row).unwrap(), &rows[row], &new);
                rows[row] = new;
            }
            let any = Mask::of_values(&rows, |list| asked.iter().any(|member| list.contains(member)));
            let asked: Vec<MemberId> = asked.into_iter().collect();
            prop_assert_eq!(members.any_of(&asked), any);
            let bytes = members.held.iter().map(Held::bytes).sum::<usize>();
            prop_assert_eq!(members.row_bytes, bytes);
            prop_assert!(members.held.iter().all(|held| !held.rows.is_empty()));
        }
    }
}
