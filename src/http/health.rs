//! Whether the process answers, and whether it keeps its promises: `/healthz` and `/readyz`.
//!
//! It must not know why the state changes.

use crate::http::endpoint::Endpoint;
use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use serde::Serialize;
use std::pin::pin;
use std::sync::atomic::{AtomicU8, Ordering};
use tokio::sync::Notify;

/// What `/readyz` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum State {
    Ready,
    /// Reads go on, writes are refused.
    ReadOnly,
    ShuttingDown,
}

impl State {
    const ALL: [Self; 3] = [Self::Ready, Self::ReadOnly, Self::ShuttingDown];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::ReadOnly => "read_only",
            Self::ShuttingDown => "shutting_down",
        }
    }

    const fn status(self) -> StatusCode {
        match self {
            Self::Ready => StatusCode::OK,
            Self::ReadOnly | Self::ShuttingDown => StatusCode::SERVICE_UNAVAILABLE,
        }
    }
}

/// The state of the process, as all workers see it.
#[derive(Debug)]
pub struct Readiness {
    state: AtomicU8,
    ending: Notify,
}

impl Default for Readiness {
    fn default() -> Self {
        Self { state: AtomicU8::new(State::Ready as u8), ending: Notify::new() }
    }
}

impl Readiness {
    /// The state now.
    #[must_use]
    pub fn get(&self) -> State {
        let stored = self.state.load(Ordering::Acquire);
        State::ALL.into_iter().find(|state| *state as u8 == stored).expect("only states are stored")
    }

    /// Changes the state, unless the process is shutting down: nothing leads back from there.
    /// Tells whether it did.
    pub fn set(&self, state: State) -> bool {
        let unless_ending = |stored| (stored != State::ShuttingDown as u8).then_some(state as u8);
        let is_set =
            self.state.fetch_update(Ordering::AcqRel, Ordering::Acquire, unless_ending).is_ok();
        if state == State::ShuttingDown {
            self.ending.notify_waiters();
        }
        is_set
    }

    /// Resolves once the process is shutting down: what would wait for something ends then.
    pub async fn ending(&self) {
        let mut heard = pin!(self.ending.notified());
        // Before the look, so that nothing said in between is missed.
        heard.as_mut().enable();
        if self.get() != State::ShuttingDown {
            heard.await;
        }
    }
}

#[derive(Serialize)]
struct Health {
    status: &'static str,
}

/// `GET /healthz`: the process answers.
#[must_use]
pub fn healthz() -> Endpoint {
    Endpoint::at("/healthz").get(|| async { web::Json(Health { status: "ok" }) })
}

/// `GET /readyz`: requests of every kind are welcome, or what is not.
#[must_use]
pub fn readyz() -> Endpoint {
    Endpoint::at("/readyz").get(|readiness: web::Data<Readiness>| async move {
        let state = readiness.get();
        HttpResponse::build(state.status()).json(Health { status: state.as_str() })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_leads_back_from_shutting_down() {
        let readiness = Readiness::default();
        assert_eq!(readiness.get(), State::Ready);
        for state in [State::ReadOnly, State::Ready, State::ShuttingDown] {
            assert!(readiness.set(state));
            assert_eq!(readiness.get(), state);
        }
        assert!(!readiness.set(State::Ready));
        assert_eq!(readiness.get(), State::ShuttingDown);
    }
}
