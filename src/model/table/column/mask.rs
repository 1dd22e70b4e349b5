//! A set of rows of one chunk, a bit each.

use crate::model::table::order::CHUNK;
use std::ops::Range;

/// Rows of a word.
pub(super) const BITS: usize = u64::BITS as usize;
const WORDS: usize = CHUNK / BITS;

/// Rows of a chunk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mask([u64; WORDS]);

impl Default for Mask {
    fn default() -> Self {
        Self::NONE
    }
}

impl Mask {
    pub const NONE: Self = Self([0; WORDS]);

    /// The first so many rows.
    #[must_use]
    pub fn first(count: usize) -> Self {
        let mut mask = Self::NONE;
        for (at, word) in mask.0.iter_mut().enumerate() {
            let inside = count.saturating_sub(at * BITS);
            *word = if inside >= BITS { u64::MAX } else { (1 << inside) - 1 };
        }
        mask
    }

    /// The rows whose value holds. Values behind the chunk's last row are not looked at.
    #[must_use]
    pub fn of_values<T>(values: &[T], holds: impl Fn(&T) -> bool) -> Self {
        let mut mask = Self::NONE;
        let (words, rest) = values.as_chunks::<BITS>();
        let mut masks = mask.0.iter_mut();
        // In this order the word of the rest is left.
        for (values, word) in words.iter().zip(masks.by_ref()) {
            // Bytes first: so a processor compares several values at once.
            *word = bits_of(&std::array::from_fn(|at| u8::from(holds(&values[at]))));
        }
        if let Some(word) = masks.next() {
            for (at, value) in rest.iter().enumerate() {
                *word |= u64::from(holds(value)) << at;
            }
        }
        mask
    }

    /// The rows whose flag is set, all bits of it: `flag` sets those of the rows of one word.
    #[must_use]
    pub fn of_flags(flag: impl Fn(usize, &mut [u16; BITS])) -> Self {
        let mut mask = Self::NONE;
        for (at, word) in mask.0.iter_mut().enumerate() {
            let mut flags = [0; BITS];
            flag(at, &mut flags);
            *word = bits_of(&flags.map(|flag| u8::from(flag != 0)));
        }
        mask
    }

    #[must_use]
    pub fn get(&self, row: usize) -> bool {
        self.0[row / BITS] >> (row % BITS) & 1 == 1
    }

    pub fn set(&mut self, row: usize, is_in: bool) {
        let bit = 1 << (row % BITS);
        let word = &mut self.0[row / BITS];
        *word = if is_in { *word | bit } else { *word & !bit };
    }

    #[must_use]
    pub fn count(&self) -> usize {
        self.0.iter().map(|word| word.count_ones() as usize).sum()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.iter().all(|word| *word == 0)
    }

    #[must_use]
    pub fn and(&self, other: &Self) -> Self {
        self.with(other, |mine, other| mine & other)
    }

    #[must_use]
    pub fn or(&self, other: &Self) -> Self {
        self.with(other, |mine, other| mine | other)
    }

    /// Its rows that are not in the other.
    #[must_use]
    pub fn without(&self, other: &Self) -> Self {
        self.with(other, |mine, other| mine & !other)
    }

    fn with(&self, other: &Self, combine: impl Fn(u64, u64) -> u64) -> Self {
        let mut mask = Self::NONE;
        for (word, (mine, other)) in mask.0.iter_mut().zip(self.0.iter().zip(&other.0)) {
            *word = combine(*mine, *other);
        }
        mask
    }

    /// Of its rows those in such places among them, from 0.
    #[must_use]
    pub fn places(&self, places: Range<usize>) -> Self {
        let mut mask = Self::NONE;
        self.rows().skip(places.start).take(places.len()).for_each(|row| mask.set(row, true));
        mask
    }

    /// Its rows, rising.
    pub fn rows(&self) -> impl Iterator<Item = usize> + '_ {
        self.0.iter().enumerate().flat_map(|(at, word)| {
            let mut rest = *word;
            std::iter::from_fn(move || {
                let bit = (rest != 0).then(|| rest.trailing_zeros() as usize)?;
                rest &= rest - 1;
                Some(at * BITS + bit)
            })
        })
    }
}

/// A bit for each byte, all of which are 0 or 1.
fn bits_of(flags: &[u8; BITS]) -> u64 {
    // Puts the lowest bits of eight bytes side by side, in the highest byte.
    const GATHER: u64 = 0x0102_0408_1020_4080;
    let (eights, _) = flags.as_chunks::<8>();
    let bytes = eights.iter().map(|eight| u64::from_le_bytes(*eight).wrapping_mul(GATHER) >> 56);
    bytes.rev().fold(0, |word, byte| word << 8 | byte)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn mask(rows: &BTreeSet<usize>) -> Mask {
        let mut mask = Mask::NONE;
        for row in rows {
            mask.set(*row, true);
        }
        mask
    }

    #[test]
    fn a_mask_is_a_set_of_rows() {
        let odd: BTreeSet<usize> = (0..CHUNK).filter(|row| row % 2 == 1).collect();
        let few = BTreeSet::from([0, 1, 63, 64, 65, 127, 500, CHUNK - 1]);
        let (a, b) = (mask(&odd), mask(&few));
        for (found, expected) in [
            (a.and(&b), odd.intersection(&few).copied().collect::<Vec<_>>()),
            (a.or(&b), odd.union(&few).copied().collect()),
            (a.without(&b), odd.difference(&few).copied().collect()),
            (b.without(&a), few.difference(&odd).copied().collect()),
            (Mask::first(65).and(&b), vec![0, 1, 63, 64]),
            (Mask::first(CHUNK).without(&a), (0..CHUNK).step_by(2).collect()),
        ] {
            assert_eq!(found.rows().collect::<Vec<_>>(), expected);
            assert_eq!((found.count(), found.is_empty()), (expected.len(), expected.is_empty()));
            for places in [0..0, 0..1, 1..3, 2..400, 4..CHUNK, CHUNK..2 * CHUNK] {
                let some = expected.iter().skip(places.start).take(places.len()).copied();
                assert_eq!(
                    found.places(places).rows().collect::<Vec<_>>(),
                    some.collect::<Vec<_>>()
                );
            }
        }
        assert_eq!(Mask::of_values(&[1, 2, 3, 4], |value| value % 2 == 0), mask(&[1, 3].into()));
        for len in [0, 1, 63, 64, 65, 1000, CHUNK] {
            let values: Vec<bool> =
                (0..len).map(|row| few.contains(&row) || row % 3 == 0).collect();
            let rows = (0..len).filter(|row| values[*row]).collect();
            assert_eq!(Mask::of_values(&values, |value| *value), mask(&rows), "{len}");
        }
        let mut one = mask(&[7].into());
        one.set(7, false);
        assert!(one.is_empty() && one == Mask::default() && !one.get(7));
    }
}
