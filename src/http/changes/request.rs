//! What a reader of the change feed asks for: the parameters of its routes.
//!
//! It must not know how entries are found.

use crate::http::code::Code;
use crate::http::extension::RouteGroup;
use crate::http::fault::{Fault, Faults, Place};
use crate::http::problem::Problem;
use crate::http::query::Query;
use crate::http::wire::change::{ENTRY_ACTIONS, EntryAction, Include};
use crate::model::table::event::Stamp;
use actix_web::HttpRequest;
use actix_web::http::header::{self, HeaderMap};
use std::time::Duration;

const LIMIT_DEFAULT: usize = 100;
const LIMIT_MAX: usize = 1000;
const WAIT_MAX: Duration = Duration::from_mins(1);
const EVENT_STREAM: &str = "text/event-stream";
const LAST_EVENT_ID: &str = "Last-Event-ID";

/// In which form the feed is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// One page, perhaps after a wait.
    Page,
    /// Server-sent events, for as long as both sides like.
    Stream,
}

/// Where a reader wants to begin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum After {
    /// At the oldest entry that is kept.
    Nothing,
    Now,
    Cursor(String),
}

/// Which entries are wanted, and what of them.
#[derive(Clone, Debug)]
pub struct ChangesWanted {
    exclude_origin: Vec<String>,
    only_origin: Option<Vec<String>>,
    actions: Option<Vec<EntryAction>>,
    pub include: Include,
}

/// A request for the change feed.
#[derive(Clone, Debug)]
pub struct ChangesRequest {
    pub form: Form,
    pub after: After,
    pub limit: usize,
    pub wait: Duration,
    pub wanted: ChangesWanted,
    pub compact: bool,
}

impl ChangesRequest {
    /// Reads all of it.
    pub fn read(request: &HttpRequest) -> Result<Self, Problem> {
        let form = form_of(request.headers()).ok_or_else(|| Problem::new(Code::NotAcceptable))?;
        let mut faults = Faults::default();
        let mut query = Query::read(request.query_string(), &mut faults);
        let after = query.text("after", &mut faults).map(str::to_owned);
        let limit = whole_number(&mut query, "limit", &mut faults).filter(|limit| {
            let is_some = *limit > 0;
            if !is_some {
                faults.push(Fault::new(Code::MinValue, place("limit")));
            }
            is_some
        });
        let wait = whole_number(&mut query, "wait", &mut faults).unwrap_or(0);
        let asked = Self {
            form,
            after: after_of(after, form, request.headers(), &mut faults),
            limit: limit.map_or(LIMIT_DEFAULT, |limit| {
                usize::try_from(limit).unwrap_or(LIMIT_MAX).min(LIMIT_MAX)
            }),
            wait: Duration::from_secs(wait).min(WAIT_MAX),
            wanted: ChangesWanted::read(&mut query, &mut faults),
            compact: query.boolean("compact", &mut faults).unwrap_or(false),
        };
        query.finish(RouteGroup::Read, request.headers(), &[], &mut faults);
        faults.check()?;
        Ok(asked)
    }
}

impl ChangesWanted {
    fn read(query: &mut Query<'_>, faults: &mut Faults) -> Self {
        let is_some = |list: &Vec<String>| !list.is_empty();
        let actions = query.list("actions", faults).filter(is_some);
        let include = [("keys", Include::Keys), ("record", Include::Record)];
        Self {
            exclude_origin: query.list("exclude_origin", faults).unwrap_or_default(),
            only_origin: query.list("only_origin", faults).filter(is_some),
            actions: actions.map(|names| actions_of(&names, faults)),
            include: query.choice("include", &include, faults).unwrap_or(Include::Keys),
        }
    }

    /// Whether an entry is wanted, whoever may see it.
    #[must_use]
    pub fn takes(&self, stamp: &Stamp, action: EntryAction) -> bool {
        let is_listed = |list: &[String]| list.iter().any(|origin| **origin == *stamp.origin);
        !is_listed(&self.exclude_origin)
            && self.only_origin.as_deref().is_none_or(is_listed)
            && self.actions.as_ref().is_none_or(|actions| actions.contains(&action))
    }
}

/// Which of the two forms is acceptable; the stream only where it is named.
fn form_of(headers: &HeaderMap) -> Option<Form> {
    let mut ranges = Vec::new();
    for value in headers.get_all(header::ACCEPT) {
        let text = value.to_str().ok()?;
        ranges.extend(text.split(',').map(|range| range.split(';').next().unwrap_or_default()));
    }
    let is_named = |name: &str| ranges.iter().any(|range| range.trim().eq_ignore_ascii_case(name));
    if is_named(EVENT_STREAM) {
        return Some(Form::Stream);
    }
    let takes_json = ["application/json", "application/*", "*/*"].into_iter().any(is_named);
    (ranges.is_empty() || takes_json).then_some(Form::Page)
}

/// A stream that was cut goes on behind the last event that came through, whatever it began with.
fn after_of(given: Option<String>, form: Form, headers: &HeaderMap, faults: &mut Faults) -> After {
    let last = headers.get(LAST_EVENT_ID).filter(|value| !value.is_empty());
    if let (Form::Stream, Some(last)) = (form, last) {
        if let Ok(cursor) = last.to_str() {
            return After::Cursor(cursor.to_owned());
        }
        faults.push(Fault::new(Code::Invalid, Place::Header(LAST_EVENT_ID.into())));
    }
    match given {
        None => After::Nothing,
        Some(text) if text == "now" => After::Now,
        Some(text) => After::Cursor(text),
    }
}

fn actions_of(names: &[String], faults: &mut Faults) -> Vec<EntryAction> {
    let mut actions = Vec::new();
    for name in names {
        match ENTRY_ACTIONS.iter().find(|(known, _)| known == name) {
            Some((_, action)) => actions.push(*action),
            None => faults.push(Fault::invalid_choice(place("actions"), name)),
        }
    }
    actions
}

/// Digits alone make a number here; one too large to hold is larger than any limit.
fn whole_number(query: &mut Query<'_>, name: &'static str, faults: &mut Faults) -> Option<u64> {
    let text = query.text(name, faults)?.trim();
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let number = is_number.then(|| text.parse().unwrap_or(u64::MAX));
    if number.is_none() {
        let fault = Fault::new(Code::Invalid, place(name));
        faults.push(fault.saying("Expected a whole number."));
    }
    number
}

fn place(name: &'static str) -> Place {
    Place::Query(name.into())
}

/// The fault of a cursor that nobody has given out, or that is of the other feed.
#[must_use]
pub fn bad_cursor() -> Problem {
    Fault::new(Code::Invalid, place("after")).saying("This is no cursor of this feed.").into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    #[test]
    fn the_stream_is_given_where_it_is_named_and_json_where_nothing_else_is_wanted() {
        for (accept, expected) in [
            (None, Some(Form::Page)),
            (Some("*/*"), Some(Form::Page)),
            (Some("application/json; q=0.5"), Some(Form::Page)),
            (Some("text/html, application/*"), Some(Form::Page)),
            (Some("text/event-stream"), Some(Form::Stream)),
            (Some("application/json, TEXT/event-stream;q=1"), Some(Form::Stream)),
            (Some("text/html"), None),
            (Some("text/*"), None),
        ] {
            let mut request = TestRequest::get();
            if let Some(accept) = accept {
                request = request.insert_header(("accept", accept));
            }
            let request = request.to_http_request();
            assert_eq!(form_of(request.headers()), expected, "{accept:?}");
        }
    }

    #[test]
    fn numbers_are_cut_and_what_is_none_is_refused() {
        let read = |query: &str| {
            let uri = format!("/changes?{query}");
            ChangesRequest::read(&TestRequest::get().uri(&uri).to_http_request())
        };
        let asked = read("limit=5000&wait=99999999999999999999&after=now").unwrap();
        assert_eq!((asked.limit, asked.wait, asked.after), (LIMIT_MAX, WAIT_MAX, After::Now));
        let asked = read("").unwrap();
        assert_eq!((asked.limit, asked.wait, asked.after), (100, Duration::ZERO, After::Nothing));
        let asked = read("actions=&only_origin=,").unwrap().wanted;
        assert_eq!((asked.actions, asked.only_origin), (None, None));
        for (query, code) in [
            ("limit=0", Code::MinValue),
            ("limit=-1", Code::Invalid),
            ("wait=1s", Code::Invalid),
            ("actions=created,moved", Code::InvalidChoice),
            ("include=all", Code::InvalidChoice),
            ("compact=perhaps", Code::Invalid),
        ] {
            assert_eq!(read(query).unwrap_err().code(), Some(code), "{query}");
        }
    }

    #[test]
    fn the_last_event_wins_over_after_where_a_stream_is_asked_for() {
        let read = |accept: &str| {
            let request = TestRequest::get().uri("/changes?after=a");
            let request = request.insert_header(("accept", accept));
            let request = request.insert_header(("last-event-id", "b"));
            ChangesRequest::read(&request.to_http_request()).unwrap().after
        };
        assert_eq!(read("text/event-stream"), After::Cursor("b".to_owned()));
        assert_eq!(read("application/json"), After::Cursor("a".to_owned()));
    }
}
