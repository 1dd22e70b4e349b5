//! What a decision may know of the world: the time, fresh ids, and a count of its events.

use crate::model::id::Timestamp;
use uuid::{Builder, Uuid};

/// The time of one turn and a stream of ids, both handed in by the loop that decides.
///
/// The same seed and times give the same ids, so that a decision can be repeated.
#[derive(Debug)]
pub struct Moment {
    at: Timestamp,
    random: u64,
    marks: u64,
    /// What follows the time in the last id that was drawn at this time.
    last: Option<u128>,
}

impl Moment {
    /// A stream of ids from 64 random bits.
    #[must_use]
    pub fn new(seed: u64, at: Timestamp) -> Self {
        Self { at, random: seed, marks: 0, last: None }
    }

    /// The time of everything decided until it is set again.
    #[must_use]
    pub fn at(&self) -> Timestamp {
        self.at
    }

    /// Moves on to another time.
    pub fn set(&mut self, at: Timestamp) {
        if self.at != at {
            self.at = at;
            self.last = None;
        }
    }

    /// Draws a version 7 UUID (RFC 9562): the time, then 74 bits. They are random at first, and
    /// grow by a random number while the time stays (method 2): ids rise in the order they are
    /// drawn, so that what is listed by age is listed by id.
    pub fn id(&mut self) -> Uuid {
        // The highest bit is left free, so that nobody lives to see the others overflow.
        let bits = match self.last {
            None => (u128::from(self.draw()) << 64 | u128::from(self.draw())) >> (128 - 73),
            Some(last) => last + 1 + u128::from(self.draw() >> 32),
        };
        self.last = Some(bits);
        let (high, low) = (bits >> 62, bits & ((1 << 62) - 1));
        let mut bytes = [0; 10];
        // Version and variant are laid over the bits that are zero here.
        bytes[..2].copy_from_slice(&u16::try_from(high).expect("twelve bits").to_be_bytes());
        bytes[2..].copy_from_slice(&u64::try_from(low).expect("62 bits").to_be_bytes());
        let millis = u64::try_from(self.at.0).unwrap_or(0);
        Builder::from_unix_timestamp_millis(millis, &bytes).into_uuid()
    }

    /// Six hexadecimal digits, for a derived name that is taken.
    pub fn suffix(&mut self) -> String {
        format!("{:06x}", self.draw() >> 40)
    }

    /// Numbers an event in its writer, in memory only: what lays it on a draft lifts it again.
    pub fn mark(&mut self) -> Mark {
        self.marks += 1;
        Mark(self.marks)
    }

    /// `SplitMix64`, by Steele, Lea and Flood: one word of state, equidistributed.
    fn draw(&mut self) -> u64 {
        self.random = self.random.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut word = self.random;
        word = (word ^ (word >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        word ^ (word >> 31)
    }
}

/// The number of an event in its writer, in memory only.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mark(u64);

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn ids_repeat_with_their_seed_and_never_within_it() {
        let draw = |seed| {
            let mut moment = Moment::new(seed, Timestamp(1_700_000_000_000));
            (0..10_000).map(|_| moment.id()).collect::<Vec<_>>()
        };
        assert_eq!(draw(7), draw(7));
        assert_ne!(draw(7), draw(8));
        assert_eq!(draw(7).into_iter().collect::<HashSet<_>>().len(), 10_000);
    }

    #[test]
    fn ids_rise_in_the_order_they_are_drawn() {
        for seed in 0..50 {
            let mut moment = Moment::new(seed, Timestamp(1_700_000_000_000));
            let ids: Vec<_> = (0..1_000)
                .map(|drawn| {
                    // The time stays for a while, and may be set to what it is.
                    moment.set(Timestamp(1_700_000_000_000 + drawn / 100));
                    moment.id()
                })
                .collect();
            assert!(ids.is_sorted_by(|left, right| left < right), "seed {seed}");
        }
    }

    #[test]
    fn ids_are_version_7_and_carry_their_time() {
        let mut moment = Moment::new(1, Timestamp(1_700_000_000_000));
        let id = moment.id();
        assert_eq!(id.get_version_num(), 7);
        let (seconds, nanos) = id.get_timestamp().unwrap().to_unix();
        assert_eq!((seconds, nanos), (1_700_000_000, 0));
    }
}
