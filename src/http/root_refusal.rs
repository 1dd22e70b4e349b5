//! What the root refuses, as a problem, and the business that it answers with.

use crate::http::code::Code;
use crate::http::fault::{Fault, Place};
use crate::http::problem::Problem;
use crate::model::root::Business;
use crate::model::root::command::{BUSINESSES_MAX, Rejection, Reply};
use std::sync::Arc;

impl From<Rejection> for Problem {
    fn from(rejection: Rejection) -> Self {
        match rejection {
            Rejection::NotFound => Self::not_found(),
            Rejection::IdTaken => Fault::new(Code::Unique, Place::Body("id".into()))
                .saying("Another business has this id.")
                .into(),
            Rejection::TooManyBusinesses => {
                let message =
                    format!("A server may have no more than {BUSINESSES_MAX} businesses.");
                Fault::new(Code::LimitExceeded, Place::Whole).saying(message).into()
            }
        }
    }
}

/// The business after a change.
pub(super) fn changed(reply: Reply) -> Arc<Business> {
    match reply {
        Reply::Business(business) => business,
        Reply::Founded(_) | Reply::Done => {
            unreachable!("the change of a business is answered with the business")
        }
    }
}
