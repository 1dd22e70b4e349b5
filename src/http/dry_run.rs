//! Requests that are only answered: the parameter that asks for it, and how the answer says so.
//!
//! It must not know any route, nor what would happen.

use crate::http::extension::RouteGroup;
use crate::http::fault::Faults;
use crate::http::problem::Problem;
use crate::http::query::Query;
use crate::model::table::command::Ask;
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder};
use serde::Serialize;

/// Whether a request is carried out, or only answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Run {
    Real,
    Dry,
}

/// An answer that says whether nothing was done.
#[derive(Debug, Serialize)]
struct Marked<T> {
    #[serde(flatten)]
    answer: T,
    #[serde(skip_serializing_if = "Option::is_none")]
    dry_run: Option<bool>,
}

impl Run {
    /// Reads the query of a request that has no other parameters: whether it is strict, and this.
    pub fn read(request: &HttpRequest, group: RouteGroup, faults: &mut Faults) -> (bool, Self) {
        let mut query = Query::read(request.query_string(), faults);
        let is_strict = query.is_strict();
        let is_dry = query.boolean("dry_run", faults).unwrap_or(false);
        query.finish(group, request.headers(), &[], faults);
        (is_strict, if is_dry { Self::Dry } else { Self::Real })
    }

    /// The same of a request whose body nobody reads.
    pub fn of(request: &HttpRequest, group: RouteGroup) -> Result<Self, Problem> {
        let mut faults = Faults::default();
        let (_, run) = Self::read(request, group, &mut faults);
        faults.check().map(|()| run)
    }

    /// What a table is asked.
    #[must_use]
    pub fn ask(self, ask: Ask) -> Ask {
        match self {
            Self::Real => ask,
            Self::Dry => Ask::Dry(Box::new(ask)),
        }
    }

    /// An answer with a body.
    #[must_use]
    pub fn answer(self, mut response: HttpResponseBuilder, answer: impl Serialize) -> HttpResponse {
        self.mark(&mut response);
        let dry_run = match self {
            Self::Real => None,
            Self::Dry => Some(true),
        };
        response.json(Marked { answer, dry_run })
    }

    /// The answer where there is nothing to show.
    #[must_use]
    pub fn answer_nothing(self) -> HttpResponse {
        let mut response = HttpResponse::NoContent();
        self.mark(&mut response);
        response.finish()
    }

    fn mark(self, response: &mut HttpResponseBuilder) {
        match self {
            Self::Real => {}
            Self::Dry => drop(response.insert_header(("X-Dry-Run", "true"))),
        }
    }
}
