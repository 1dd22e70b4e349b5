//! What stands behind the HTTP edge, as the process needs it: the one place where the engine is
//! opened, watched and closed.

use crate::cli::failure::Failure;
use crate::cli::welcome::FirstStart;
use crate::config::Settings;
use crate::http::app::Resources;
use crate::http::identity::{Authenticate, Refused};
use futures_util::future::{self, LocalBoxFuture};

/// An opened data directory with everything that works on it.
pub(crate) struct Core {
    pub(crate) authenticate: Authenticate,
    pub(crate) resources: Resources,
    /// Set on the first start on a new directory.
    pub(crate) first_start: Option<FirstStart>,
    /// Resolves when a write or sync has failed; all waiters have their answer by then.
    pub(crate) failed: LocalBoxFuture<'static, Failure>,
    /// Makes everything durable and seals the log; called once, after the last request.
    pub(crate) close: Box<dyn FnOnce() -> LocalBoxFuture<'static, Result<(), Failure>>>,
}

impl Core {
    /// Opens the data directory; when this returns, recovery is complete.
    ///
    /// Without an engine there are no members, so nobody is let in.
    #[expect(clippy::unused_async, reason = "opening the engine is asynchronous")]
    pub(crate) async fn open(_settings: &Settings) -> Result<Self, Failure> {
        Ok(Self {
            authenticate: Authenticate::new(|_, _| Err(Refused)),
            resources: Resources::new(|_| ()),
            first_start: None,
            failed: Box::pin(future::pending()),
            close: Box::new(|| Box::pin(future::ready(Ok(())))),
        })
    }
}
