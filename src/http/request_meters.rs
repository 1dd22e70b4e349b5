//! What the HTTP edge measures of its requests: how many, how they ended, how long they took.
//!
//! Labels come from our own routes, methods and codes; nothing that a client writes becomes one.
//! It must not know who reads the numbers.

use crate::http::code::Code;
use crate::http::counters::Counter;
use actix_web::http::{Method, StatusCode};
use prometheus_client::metrics::counter::Counter as Requests;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use std::borrow::Cow;
use std::cell::RefCell;

/// `route`, `method` and `status`.
pub type RequestLabels = [(&'static str, Cow<'static, str>); 3];

/// The route of requests that reached none: an unknown path, or refused before it was looked at.
const NO_ROUTE: &str = "none";

/// All measures of one server.
#[derive(Debug)]
pub struct RequestMeters {
    requests: Family<RequestLabels, Requests>,
    seconds: Histogram,
    /// One for each of `Code::ALL`.
    refusals: Box<[Counter]>,
}

impl Default for RequestMeters {
    fn default() -> Self {
        Self {
            requests: Family::default(),
            // 64 us to 4 s.
            seconds: Histogram::new(exponential_buckets(64e-6, 2.0, 17)),
            refusals: Code::ALL.iter().map(|_| Counter::default()).collect(),
        }
    }
}

impl RequestMeters {
    /// Requests by route, method and status.
    #[must_use]
    pub fn requests(&self) -> &Family<RequestLabels, Requests> {
        &self.requests
    }

    /// Seconds from the head of a request to that of its answer.
    #[must_use]
    pub fn seconds(&self) -> &Histogram {
        &self.seconds
    }

    /// Answers with this code.
    #[must_use]
    pub fn refusals(&self, code: Code) -> u64 {
        self.refusals[code as usize].get()
    }

    pub(crate) fn count_refusal(&self, code: Code) {
        self.refusals[code as usize].add();
    }

    /// Counts a request whose answer has lost its route.
    pub(crate) fn count_without_route(&self, method: &Method, status: StatusCode) {
        Route::none().count(self, method, status);
    }
}

/// A route of one worker, with the counters its requests have needed so far: a label is looked up
/// once, not once a request.
#[derive(Debug)]
pub(crate) struct Route {
    template: Cow<'static, str>,
    counters: RefCell<Vec<(&'static str, StatusCode, Requests)>>,
}

impl Route {
    /// The route of a path with placeholders.
    pub(crate) fn of_template(template: Cow<'static, str>) -> Self {
        Self { template, counters: RefCell::default() }
    }

    /// The route of requests that reach no other.
    pub(crate) fn none() -> Self {
        Self::of_template(Cow::Borrowed(NO_ROUTE))
    }

    pub(crate) fn count(&self, meters: &RequestMeters, method: &Method, status: StatusCode) {
        let method = method_word(method);
        let mut counters = self.counters.borrow_mut();
        let known = |(of_method, of_status, _): &&(&'static str, StatusCode, Requests)| {
            *of_method == method && *of_status == status
        };
        if let Some((_, _, counter)) = counters.iter().find(known) {
            counter.inc();
            return;
        }
        let counter = meters.requests.get_or_create_owned(&[
            ("route", self.template.clone()),
            ("method", Cow::Borrowed(method)),
            ("status", Cow::Owned(status.as_u16().to_string())),
        ]);
        counter.inc();
        counters.push((method, status, counter));
    }
}

/// A client may make up methods, and must not make up labels by that.
fn method_word(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_made_up_method_makes_no_label() {
        let meters = RequestMeters::default();
        let route = Route::of_template("/api/team".into());
        for word in ["GET", "BREW", "BREW2", "GET"] {
            let method = Method::from_bytes(word.as_bytes()).unwrap();
            route.count(&meters, &method, StatusCode::OK);
        }
        meters.count_without_route(&Method::GET, StatusCode::NOT_FOUND);
        let count = |route: &'static str, method: &'static str, status: &'static str| {
            let labels: RequestLabels =
                [("route", route.into()), ("method", method.into()), ("status", status.into())];
            meters.requests().get(&labels).map(|counter| counter.get())
        };
        assert_eq!(count("/api/team", "GET", "200"), Some(2));
        assert_eq!(count("/api/team", "other", "200"), Some(2));
        assert_eq!(count("none", "GET", "404"), Some(1));
        assert_eq!(count("/api/team", "BREW", "200"), None);
    }

    #[test]
    fn each_code_has_a_count_of_its_own() {
        let meters = RequestMeters::default();
        meters.count_refusal(Code::ShuttingDown);
        meters.count_refusal(Code::ParseError);
        for code in Code::ALL {
            let counted = u64::from(matches!(code, Code::ShuttingDown | Code::ParseError));
            assert_eq!(meters.refusals(*code), counted, "{}", code.as_str());
        }
    }
}
