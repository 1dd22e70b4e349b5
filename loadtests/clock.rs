//! The one clock of the load generator.

use std::time::Instant;

#[expect(clippy::disallowed_methods, reason = "a load generator measures the real time")]
pub(crate) fn now() -> Instant {
    Instant::now()
}
