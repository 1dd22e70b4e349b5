//! One served route as data: what it asks of its caller, what it takes, what it answers.

use crate::api::bad_input::key::Key;
use crate::support::{OPERATOR_KEY, Request};
use serde_json::Value;

/// Whom a route answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Who {
    Anybody,
    Operator,
    Member,
}

/// What a route does with a body.
#[derive(Clone, Debug)]
pub(super) enum Body {
    /// It is not looked at.
    None,
    /// It may be left out; a good one.
    Optional(Value),
    /// A good one.
    Required(Value),
}

/// What a body is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Holds {
    /// An object.
    One,
    /// Many rows: a list of them, or lines, as well as an object.
    Rows,
}

/// Names of the contract's section 7 that mean something on a route and are not offered there.
#[derive(Clone, Copy, Debug)]
pub(super) struct Extensions {
    pub(super) query: &'static [&'static str],
    pub(super) body: &'static [&'static str],
    pub(super) headers: &'static [&'static str],
}

/// Whether a request may be sent again as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Retries {
    /// With an `Idempotency-Key`.
    TakeKey,
    /// It reads, or is no single write.
    NeedNoKey,
}

/// What a route is for, whatever its method.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Does {
    Read,
    Write,
}

/// A method of a path, and all that is asked of it.
pub(super) struct Route {
    pub(super) method: &'static str,
    /// As the document of the API writes it, with the names of `scene` between braces.
    pub(super) path: &'static str,
    pub(super) who: Who,
    /// The status of the answer to a good request.
    pub(super) status: u16,
    pub(super) body: Body,
    pub(super) keys: Vec<Key>,
    /// What a good request has behind the question mark.
    pub(super) query: &'static str,
    /// Parameters of the query that are booleans.
    pub(super) flags: &'static [&'static str],
    /// Parameters of the query that are words of a closed list.
    pub(super) words: &'static [&'static str],
    /// It answers a page.
    pub(super) is_paged: bool,
    /// Its list may be ordered.
    pub(super) is_ordered: bool,
    pub(super) extensions: Extensions,
    /// Headers that ask for a state of the record.
    pub(super) conditions: &'static [&'static str],
    pub(super) does: Does,
    pub(super) retries: Retries,
    pub(super) holds: Holds,
    /// Refusals carry `fields` and `non_field_errors`.
    pub(super) writes_record: bool,
}

const NONE: Extensions = Extensions { query: &[], body: &[], headers: &[] };

impl Route {
    /// A route of members; the line is its method and path.
    pub(super) fn new(line: &'static str, status: u16) -> Self {
        let (method, path) = line.split_once(' ').expect("a line is a method and a path");
        Self {
            method,
            path,
            who: Who::Member,
            status,
            body: Body::None,
            keys: Vec::new(),
            query: "",
            flags: &[],
            words: &[],
            is_paged: false,
            is_ordered: false,
            extensions: NONE,
            conditions: &[],
            does: if method == "GET" { Does::Read } else { Does::Write },
            retries: if method == "GET" { Retries::NeedNoKey } else { Retries::TakeKey },
            holds: Holds::One,
            writes_record: false,
        }
    }

    /// A route that answers anybody has no parameters at all.
    pub(super) fn of_anybody(self) -> Self {
        Self { who: Who::Anybody, ..self }
    }

    pub(super) fn of_operator(self) -> Self {
        Self { who: Who::Operator, ..self }
    }

    /// It reads, whatever its method.
    pub(super) fn reading(self) -> Self {
        Self { does: Does::Read, retries: Retries::NeedNoKey, ..self }
    }

    /// It writes, but is no single write.
    pub(super) fn unkeyed(self) -> Self {
        Self { retries: Retries::NeedNoKey, ..self }
    }

    /// Whether it writes, for a system that `X-Origin` may name.
    pub(super) fn takes_origin(&self) -> bool {
        self.does == Does::Write && self.who != Who::Anybody
    }

    pub(super) fn takes(self, good: Value, keys: Vec<Key>) -> Self {
        Self { body: Body::Required(good), keys, ..self }
    }

    pub(super) fn may_take(self, good: Value, keys: Vec<Key>) -> Self {
        Self { body: Body::Optional(good), keys, ..self }
    }

    pub(super) fn query(self, query: &'static str) -> Self {
        Self { query, ..self }
    }

    pub(super) fn flags(self, flags: &'static [&'static str]) -> Self {
        Self { flags, ..self }
    }

    pub(super) fn words(self, words: &'static [&'static str]) -> Self {
        Self { words, ..self }
    }

    pub(super) fn paged(self) -> Self {
        Self { is_paged: true, ..self }
    }

    pub(super) fn ordered(self) -> Self {
        Self { is_ordered: true, ..self }
    }

    pub(super) fn extensions(self, extensions: Extensions) -> Self {
        Self { extensions, ..self }
    }

    /// It may be asked to answer only if the record is, or is not, in some state.
    pub(super) fn conditional(self, headers: &'static [&'static str]) -> Self {
        Self { conditions: headers, ..self }
    }

    pub(super) fn writing_record(self) -> Self {
        Self { writes_record: true, ..self }
    }

    /// Whether it shows what a business has, whatever its method.
    pub(super) fn reads(&self) -> bool {
        self.who == Who::Member && self.does == Does::Read
    }

    pub(super) fn taking_rows(self) -> Self {
        Self { holds: Holds::Rows, ..self }
    }

    /// A request at a path, as whom the route answers.
    pub(super) fn request(&self, target: &str) -> Request {
        let request = Request::new(self.method, target);
        match self.who {
            Who::Anybody | Who::Member => request,
            Who::Operator => request.header("X-OPERATOR-KEY", OPERATOR_KEY),
        }
    }

    /// A body that the route takes.
    pub(super) fn good_body(&self) -> Option<&Value> {
        match &self.body {
            Body::None => None,
            Body::Optional(good) | Body::Required(good) => Some(good),
        }
    }

    pub(super) fn line(&self) -> String {
        format!("{} {}", self.method, self.path)
    }
}
