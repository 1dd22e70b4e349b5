//! The numbers of options or tags of one chunk, of a row none, one or several.
//!
//! The first numbers of all rows stand side by side, then all second ones, and so on: a change
//! writes a few cells and need not read what was there, and a search compares the cells of many rows
//! at once. Numbers that would need a place which few rows use, and those that are too large for a
//! cell, are kept in a list instead.

use crate::model::table::column::mask::{BITS, Mask};
use crate::model::table::order::CHUNK;

/// Of a cell without a number. Entries are counted from 1.
const NONE: u16 = 0;
/// When so many rows have numbers that lack a place, one more place is made.
const ROWS_MIN: usize = CHUNK / 8;
/// So many runs are compared with each cell; of more it is looked up whether they hold it.
const RUNS_COMPARED_MAX: usize = 8;
/// The largest number that is looked up by a bit.
const BIT_MAX: u32 = 1 << 20;

type Place = Box<[u16; CHUNK]>;

/// The numbers of the rows.
#[derive(Debug, Default)]
pub(super) struct Numbered {
    /// By place, then by row.
    places: Vec<Place>,
    /// Rows and numbers that have no place.
    rest: Vec<(u16, u32)>,
    /// The rows that are in there, and of them those that one more place would help.
    rest_rows: Mask,
    lacking_rows: Mask,
}

impl Numbered {
    /// Puts numbers of a row in the place of the old ones.
    pub(super) fn set(&mut self, row: u16, numbers: impl Iterator<Item = u32>) {
        let at = usize::from(row);
        if self.rest_rows.get(at) {
            self.rest.retain(|(other, _)| *other != row);
            self.rest_rows.set(at, false);
            self.lacking_rows.set(at, false);
        }
        let mut places = self.places.iter_mut();
        let mut lacks_place = false;
        for number in numbers {
            assert!(number > 0, "entries are counted from 1");
            let cell = u16::try_from(number).ok();
            if let Some(cell) = cell
                && let Some(place) = places.next()
            {
                place[at] = cell;
            } else {
                lacks_place |= cell.is_some();
                self.rest_rows.set(at, true);
                self.rest.push((row, number));
            }
        }
        places.for_each(|place| place[at] = NONE);
        if lacks_place {
            self.lacking_rows.set(at, true);
            if self.lacking_rows.count() >= ROWS_MIN {
                self.widen();
            }
        }
    }

    /// Makes one more place, for a number of each row that lacks one.
    fn widen(&mut self) {
        let mut place = Box::new([NONE; CHUNK]);
        let (mut rest_rows, mut lacking_rows) = (Mask::NONE, Mask::NONE);
        self.rest.retain(|(row, number)| {
            let (at, cell) = (usize::from(*row), u16::try_from(*number));
            if let Ok(cell) = cell
                && place[at] == NONE
            {
                place[at] = cell;
                return false;
            }
            rest_rows.set(at, true);
            lacking_rows.set(at, lacking_rows.get(at) || cell.is_ok());
            true
        });
        (self.rest_rows, self.lacking_rows) = (rest_rows, lacking_rows);
        self.places.push(place);
    }

    /// The rows that have one of these at least.
    pub(super) fn any_of(&self, wanted: &NumberSet) -> Mask {
        let mut rows = Mask::of_flags(|block, flags| {
            for place in &self.places {
                let (blocks, _) = place.as_chunks::<BITS>();
                wanted.flag(&blocks[block], flags);
            }
        });
        for (row, _) in self.rest.iter().filter(|(_, number)| wanted.has(*number)) {
            rows.set(usize::from(*row), true);
        }
        rows
    }

    pub(super) fn bytes(&self) -> usize {
        self.places.len() * size_of::<[u16; CHUNK]>()
            + self.rest.capacity() * size_of::<(u16, u32)>()
    }
}

/// Numbers that are asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct NumberSet {
    /// From the first to the last, both included; rising, with others between them.
    runs: Vec<(u32, u32)>,
    /// A bit for each number; none where the runs are few or go too far.
    bits: Vec<u64>,
}

impl FromIterator<u32> for NumberSet {
    fn from_iter<N: IntoIterator<Item = u32>>(numbers: N) -> Self {
        let mut numbers: Vec<u32> = numbers.into_iter().filter(|number| *number > 0).collect();
        numbers.sort_unstable();
        numbers.dedup();
        let runs = numbers.chunk_by(|left, right| left + 1 == *right);
        let runs: Vec<_> = runs.map(|run| (run[0], run[run.len() - 1])).collect();
        let mut bits = Vec::new();
        if let Some(last) = numbers.last().filter(|last| **last <= BIT_MAX)
            && runs.len() > RUNS_COMPARED_MAX
        {
            bits.resize(word_of(*last) + 1, 0);
            for number in &numbers {
                bits[word_of(*number)] |= bit_of(*number);
            }
        }
        Self { runs, bits }
    }
}

impl NumberSet {
    fn has(&self, number: u32) -> bool {
        if self.bits.is_empty() {
            let at = self.runs.partition_point(|(_, last)| *last < number);
            return self.runs.get(at).is_some_and(|(first, _)| *first <= number);
        }
        self.bits.get(word_of(number)).is_some_and(|word| word & bit_of(number) != 0)
    }

    /// Flags the cells that have one of them.
    fn flag(&self, cells: &[u16; BITS], flags: &mut [u16; BITS]) {
        if self.runs.len() > RUNS_COMPARED_MAX {
            return flag(cells, flags, |cell| self.has(cell.into()));
        }
        for (first, last) in &self.runs {
            // Larger ones are in no cell.
            let Ok(first) = u16::try_from(*first) else { return };
            let span = u16::try_from(*last).unwrap_or(u16::MAX) - first;
            if span == 0 {
                flag(cells, flags, |cell| cell == first);
            } else {
                flag(cells, flags, |cell| cell.wrapping_sub(first) <= span);
            }
        }
    }
}

/// All bits of a flag are set: so a processor leaves a comparison of several cells.
fn flag(cells: &[u16; BITS], flags: &mut [u16; BITS], is_such: impl Fn(u16) -> bool) {
    for (flag, cell) in flags.iter_mut().zip(cells) {
        *flag |= if is_such(*cell) { u16::MAX } else { 0 };
    }
}

fn word_of(number: u32) -> usize {
    (number / u64::BITS) as usize
}

const fn bit_of(number: u32) -> u64 {
    1 << (number % u64::BITS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Rows with what is put in them; few numbers, many, or far ones.
    fn lists() -> impl Strategy<Value = Vec<(usize, Vec<u32>)>> {
        let far = 65_000..66_000_u32;
        let number = prop_oneof![16 => 1..40_u32, 2 => 1..2_000_u32, 2 => far, 1 => 1..u32::MAX];
        let list = prop::collection::btree_set(number, 0..6).prop_map(Vec::from_iter);
        prop::collection::vec((0..CHUNK, list), 0..400)
    }

    fn asked() -> impl Strategy<Value = Vec<u32>> {
        let few = prop::collection::vec(1..45_u32, 0..12);
        let many = prop::collection::vec(1..2_000_u32, 12..400);
        let far = prop::collection::vec(prop_oneof![65_000..66_000_u32, any::<u32>()], 0..40);
        (few, prop_oneof![Just(Vec::new()), many, far])
            .prop_map(|(few, more)| few.into_iter().chain(more).collect())
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn rows_have_what_was_last_set(changes in lists(), asked in asked()) {
            let mut rows = vec![Vec::new(); CHUNK];
            let mut numbered = Numbered::default();
            for (row, list) in changes {
                numbered.set(u16::try_from(row).unwrap(), list.iter().copied());
                rows[row] = list;
                prop_assert!(numbered.lacking_rows.count() < ROWS_MIN);
            }
            let any = Mask::of_values(&rows, |list| asked.iter().any(|number| list.contains(number)));
            prop_assert_eq!(numbered.any_of(&asked.iter().copied().collect()), any);
        }

        #[test]
        fn a_set_has_what_it_was_made_of(asked in asked(), others in asked()) {
            let set: NumberSet = asked.iter().copied().collect();
            for number in asked.iter().chain(&others) {
                prop_assert_eq!(set.has(*number), asked.contains(number), "{}", number);
            }
        }
    }

    #[test]
    fn a_place_is_made_when_many_rows_need_it_and_a_long_list_makes_none() {
        let mut numbered = Numbered::default();
        numbered.set(7, 1..=1_000);
        assert_eq!((numbered.places.len(), numbered.rest.len()), (0, 1_000));
        for row in 100..1_000 {
            numbered.set(row, 1..=3);
        }
        assert_eq!((numbered.places.len(), numbered.rest.len()), (3, 997));
        assert!(numbered.bytes() <= 2 * 3 * 1_024 + 8 * 2_048, "{}", numbered.bytes());
        let all: NumberSet = (1..=1_000).collect();
        assert_eq!((all.runs.len(), numbered.any_of(&all).count()), (1, 901));
        numbered.set(7, std::iter::empty());
        assert_eq!((numbered.rest.len(), numbered.any_of(&all).count()), (0, 900));
    }

    #[test]
    fn numbers_too_large_for_a_cell_make_no_place() {
        let mut numbered = Numbered::default();
        let of_row = |row: u16| 65_536 + u32::from(row);
        for row in 0..1_000 {
            numbered.set(row, [of_row(row)].into_iter());
        }
        assert_eq!((numbered.places.len(), numbered.rest.len()), (0, 1_000));
        let some: NumberSet = [of_row(3), of_row(7), 7].into_iter().collect();
        assert_eq!(numbered.any_of(&some).rows().collect::<Vec<_>>(), [3, 7]);
        let all: NumberSet = (1..100_000).collect();
        assert_eq!(numbered.any_of(&all).count(), 1_000);
    }
}
