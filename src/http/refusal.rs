//! What the engine answers instead of a reply, as a problem.
//!
//! Rejections of a resource's own commands are for its file; this one must not know them.

use crate::engine::turn::Repetition;
use crate::engine::{AskError, ReadOnly};
use crate::http::code::Code;
use crate::http::problem::Problem;

impl<R: Into<Problem>> From<AskError<R>> for Problem {
    fn from(error: AskError<R>) -> Self {
        of_ask_error(error, Into::into)
    }
}

/// The problem of an error; `of_rejection` says what the command's own rejection is.
pub fn of_ask_error<R>(error: AskError<R>, of_rejection: impl FnOnce(R) -> Problem) -> Problem {
    match error {
        AskError::Rejected(rejection) => of_rejection(rejection),
        // Whoever sent it first has gone, or its connection has: the next request finds the outcome.
        AskError::Repeated(Repetition::SameRequest) => {
            Problem::new(Code::IdempotencyInProgress).retry_after(1)
        }
        AskError::Repeated(Repetition::OtherRequest) => Problem::new(Code::IdempotencyKeyReuse),
        AskError::Overloaded { retry_after_s } => {
            let seconds = u32::try_from(retry_after_s).unwrap_or(60);
            let detail = "Too many writes wait for this object; nothing of the request was done.";
            Problem::new(Code::Overloaded).saying(detail).retry_after(seconds)
        }
        AskError::ReadOnly(reason) => {
            Problem::new(Code::ReadOnly).saying(of_reason(reason)).retry_after(30)
        }
        AskError::OutcomeUnknown => Problem::new(Code::OutcomeUnknown)
            .saying(
                "The write may have happened or not: the server is ending after a failed write.",
            )
            .retry_after(30),
    }
}

fn of_reason(reason: ReadOnly) -> &'static str {
    match reason {
        ReadOnly::Setting => "The server takes no writes: it was started read-only.",
        ReadOnly::DiskFull => "The server takes no writes: its disk is full.",
        ReadOnly::MemoryFull => "The server takes no writes: its memory is full.",
    }
}
