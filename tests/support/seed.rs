//! Randomness that can be had again: a small generator whose seed is printed.

use std::env;

/// The variable that repeats a run.
const VARIABLE: &str = "UPSERTD_TEST_SEED";

/// A generator of numbers (splitmix64): short, and good enough to choose between operations.
#[derive(Clone, Debug)]
pub(crate) struct Seed(u64);

impl Seed {
    /// The seed of this run: the variable's, or a fresh one. It is printed, so that the output of a
    /// failed test tells how to repeat it.
    pub(crate) fn of_this_run(test: &str) -> Self {
        let seed = match env::var(VARIABLE) {
            Ok(given) => given.parse().expect("the variable of the seed holds a number"),
            Err(_) => fresh(),
        };
        println!("{test}: repeat with {VARIABLE}={seed}");
        Self(seed)
    }

    /// The seed of a run that is always the same, unless the variable gives another. It is printed
    /// too.
    pub(crate) fn fixed(test: &str, usual: u64) -> Self {
        let given = env::var(VARIABLE).ok();
        let given =
            given.map(|given| given.parse().expect("the variable of the seed holds a number"));
        let seed = given.unwrap_or(usual);
        println!("{test}: repeat with {VARIABLE}={seed}");
        Self(seed)
    }

    /// A generator that begins with this seed.
    pub(crate) fn of(seed: u64) -> Self {
        Self(seed)
    }

    /// The seed that repeats everything from here on.
    pub(crate) fn number(&self) -> u64 {
        self.0
    }

    /// A generator of its own for one of several threads.
    pub(crate) fn fork(&mut self) -> Self {
        Self(self.next())
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound`.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        let bound = u64::try_from(bound).expect("a count of things in memory fits 64 bits");
        usize::try_from(self.next() % bound).expect("it is below a usize")
    }
}

fn fresh() -> u64 {
    let mut bytes = [0; 8];
    getrandom::fill(&mut bytes).expect("the system has entropy");
    u64::from_le_bytes(bytes)
}
