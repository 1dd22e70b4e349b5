//! How those who wait for changes hear of them. Nothing is kept: whoever hears looks again.

use tokio::sync::Notify;
use tokio::sync::futures::Notified;

/// Raised when something has become visible.
#[derive(Debug, Default)]
pub struct Signal(Notify);

impl Signal {
    /// Wakes all who wait now.
    pub(in crate::engine) fn raise(&self) {
        self.0.notify_waiters();
    }

    /// Resolves at the next change. One that comes between its being enabled and its being awaited
    /// is not missed.
    pub fn heard(&self) -> Notified<'_> {
        self.0.notified()
    }
}
