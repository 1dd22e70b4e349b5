//! Requests that are only answered: how they are asked for, and how their answers show it.
//!
//! It must not know what would have been done.

use crate::http::fault::Faults;
use crate::http::problem::Problem;
use crate::http::query::Query;
use actix_web::http::header::{HeaderName, HeaderValue};

/// On every answer of a dry run.
pub const DRY_RUN: HeaderName = HeaderName::from_static("x-dry-run");

/// Whether nothing is to happen.
pub fn read(query: &mut Query<'_>, faults: &mut Faults) -> bool {
    query.boolean("dry_run", faults).unwrap_or(false)
}

/// A refusal of what would have been refused.
#[must_use]
pub fn refused(problem: Problem, is_dry: bool) -> Problem {
    if !is_dry {
        return problem;
    }
    problem.with("dry_run", &true).with_header(DRY_RUN, HeaderValue::from_static("true"))
}
