//! Waiting for what another process does: a look at a time, with a deadline far beyond the usual.
//!
//! The one place of the tests that has a clock. No test may draw a verdict from how long something
//! took; the deadline only ends a test that would wait for ever.

use std::thread;
use std::time::{Duration, Instant};

/// How long anything may take: at least ten times what a loaded machine needs.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);

/// What is looked at is mostly another process, which cannot wake us.
const BETWEEN_LOOKS: Duration = Duration::from_millis(2);

/// Looks until there is something, and panics with `what` when the deadline has passed.
pub(crate) fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let watch = Stopwatch::start();
    loop {
        if let Some(seen) = look() {
            return seen;
        }
        assert!(watch.elapsed() < PATIENCE, "waited {PATIENCE:?} in vain for {what}");
        thread::park_timeout(BETWEEN_LOOKS);
    }
}

/// Time that only goes forward, comparable between the threads of one test.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stopwatch(Instant);

impl Stopwatch {
    #[expect(
        clippy::disallowed_methods,
        reason = "a deadline is about the real time that passes, which no fake clock can end"
    )]
    pub(crate) fn start() -> Self {
        Self(Instant::now())
    }

    pub(crate) fn elapsed(self) -> Duration {
        self.0.elapsed()
    }
}
