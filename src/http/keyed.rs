//! `Idempotency-Key`: a write that may be sent again has one effect and one answer.
//!
//! It owns the key, what belongs to it and what must be the same for a request to be the same. It
//! stands around the handlers of single writes, and asks for the outcome of an earlier request
//! before they do anything. It must not know how an outcome is shown.

use crate::engine::Engine;
use crate::engine::outcome::UnderWay;
use crate::http::body;
use crate::http::caller::Caller;
use crate::http::code::Code;
use crate::http::extension::IDEMPOTENCY_KEY;
use crate::http::fault::{Fault, Faults, Place};
use crate::http::problem::{FieldsForm, Problem};
use crate::http::query::Query;
use crate::http::replay;
use crate::model::retry::hash::{Fingerprint, RetryKey};
use crate::model::retry::{Retry, Statuses, StoredOutcome};
use actix_web::body::BoxBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use actix_web::middleware::Next;
use actix_web::web::Data;
use actix_web::{Error, HttpMessage as _, HttpRequest};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

const KEY_CHARS_MAX: usize = 255;
/// What is said of any other.
pub(super) const WHAT_IS_A_KEY: &str = "Give 1 to 255 printable ASCII characters.";
const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");
/// Headers that a request asks for something with.
const ASKING_HEADERS: [&str; 3] = ["if-match", "if-none-match", "x-origin"];

/// How a single write is registered.
#[derive(Clone, Copy, Debug)]
pub(super) struct SingleWrite {
    /// The status where something was made or changed that is no record.
    pub(super) made: StatusCode,
    /// Whether it may be asked for a run that writes nothing: that one has no key.
    pub(super) runs_dry: bool,
}

/// A request with a key, from its look-up to its answer. Whoever works for it holds it: meanwhile
/// no other request of this key begins.
#[derive(Debug)]
pub struct Keyed {
    pub retry: Arc<Retry>,
    /// What was answered before.
    pub outcome: Option<Arc<StoredOutcome>>,
    is_replayed: AtomicBool,
    _under_way: UnderWay,
}

impl Keyed {
    /// Of a row of many, which has a key of its own.
    #[must_use]
    pub fn of_row(
        retry: Retry,
        outcome: Option<Arc<StoredOutcome>>,
        under_way: UnderWay,
    ) -> Arc<Self> {
        let (retry, is_replayed) = (Arc::new(retry), AtomicBool::new(false));
        Arc::new(Self { retry, outcome, is_replayed, _under_way: under_way })
    }

    /// Whether the answer is the one of before.
    #[must_use]
    pub fn is_replayed(&self) -> bool {
        self.is_replayed.load(Relaxed)
    }

    /// Notes that the answer is the one of before.
    pub fn replay(&self) {
        self.is_replayed.store(true, Relaxed);
    }
}

/// Stands around the handler of a single write.
pub(super) async fn once(
    write: SingleWrite,
    mut request: ServiceRequest,
    next: Next<BoxBody>,
) -> Result<ServiceResponse, Error> {
    let has_key = request.headers().contains_key(IDEMPOTENCY_KEY);
    if !has_key {
        return next.call(request).await;
    }
    if write.runs_dry && is_dry(request.query_string()) {
        // It is neither looked up nor stored; one that could not be is told all the same.
        return match read_key(request.headers()) {
            Ok(_) => next.call(request).await,
            Err(problem) => Ok(refused(request, problem)),
        };
    }
    let keyed = match begin(write, &mut request).await {
        Ok(keyed) => keyed,
        Err(problem) => return Ok(refused(request, problem)),
    };
    let shown = match &keyed.outcome {
        Some(outcome) => replay::answer(request.request(), outcome).await,
        None => Ok(None),
    };
    match shown {
        Err(problem) => Ok(refused(request, problem)),
        Ok(Some(response)) => {
            keyed.replay();
            Ok(marked(request.into_response(response), &keyed))
        }
        // There is no outcome, or it is of a record: that is shown by whoever writes it.
        Ok(None) => {
            leave(&request, keyed.clone());
            Ok(marked(next.call(request).await?, &keyed))
        }
    }
}

fn is_dry(query: &str) -> bool {
    // What is wrong with it is for the handler.
    let mut faults = Faults::default();
    Query::read(query, &mut faults).boolean("dry_run", &mut faults) == Some(true)
}

fn refused(request: ServiceRequest, problem: Problem) -> ServiceResponse {
    let is_of_record = request.path().starts_with("/api/records/");
    let problem = if is_of_record { problem.of_record_write(FieldsForm::List(0)) } else { problem };
    request.error_response(problem)
}

/// Reads the key, and the body that belongs to what is asked.
async fn begin(write: SingleWrite, request: &mut ServiceRequest) -> Result<Arc<Keyed>, Problem> {
    let key = read_key(request.headers())?;
    let engine = request.app_data::<Data<Engine>>();
    let engine = engine.expect("the registration of the routes provides it").clone();
    let caller = request.extensions().get::<Caller>().cloned();
    let key = retry_key(request.request(), caller.as_ref(), &key);
    let in_progress = || Problem::new(Code::IdempotencyInProgress).retry_after(1);
    let under_way = engine.begin(key).ok_or_else(in_progress)?;
    let payload = request.take_payload();
    let body = body::hold(request.request(), payload).await?;
    let fingerprint = fingerprint(request.request(), &body);
    let business = caller.as_ref().map(|caller| &*caller.business);
    let outcome = engine.outcome(business, &key);
    if outcome.as_ref().is_some_and(|outcome| outcome.fingerprint != fingerprint) {
        return Err(Problem::new(Code::IdempotencyKeyReuse));
    }
    let retry = Retry {
        key,
        fingerprint,
        statuses: statuses(write),
        about: None,
        mentioned: Vec::new(),
        is_open: false,
    };
    Ok(Arc::new(Keyed {
        retry: Arc::new(retry),
        outcome,
        is_replayed: AtomicBool::new(false),
        _under_way: under_way,
    }))
}

fn statuses(write: SingleWrite) -> Statuses {
    Statuses {
        made: write.made.as_u16(),
        changed: StatusCode::OK.as_u16(),
        nothing: StatusCode::NO_CONTENT.as_u16(),
    }
}

/// Whether a text can be a key.
#[must_use]
pub(super) fn is_key(text: &str) -> bool {
    let is_printable = text.bytes().all(|byte| (b' '..=b'~').contains(&byte));
    !text.is_empty() && text.len() <= KEY_CHARS_MAX && is_printable
}

fn read_key(headers: &HeaderMap) -> Result<String, Problem> {
    let fault = |message: &'static str| {
        Problem::from(
            Fault::new(Code::Invalid, Place::Header(IDEMPOTENCY_KEY.into())).saying(message),
        )
    };
    let mut values = headers.get_all(IDEMPOTENCY_KEY);
    let key = values.next().and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !is_key(key) {
        return Err(fault(WHAT_IS_A_KEY));
    }
    if values.next().is_some() {
        return Err(fault("This header is given twice."));
    }
    Ok(key.to_owned())
}

/// Business, member, method and path are the scope of a key; the operator has neither of the first
/// two.
fn retry_key(request: &HttpRequest, caller: Option<&Caller>, key: &str) -> RetryKey {
    let nobody = [0; 16];
    let business = caller.map_or(nobody, |caller| *caller.business.id().as_bytes());
    let member = caller.map_or(nobody, |caller| *caller.member.id.as_bytes());
    let method = request.method().as_str().as_bytes();
    RetryKey::of([
        b"request",
        &business[..],
        &member,
        method,
        request.path().as_bytes(),
        key.as_bytes(),
    ])
}

/// Of all that a request may not change when it is sent again.
fn fingerprint(request: &HttpRequest, body: &[u8]) -> Fingerprint {
    let headers = ASKING_HEADERS.iter().flat_map(|name| {
        let values = request.headers().get_all(*name).map(HeaderValue::as_bytes);
        std::iter::once(name.as_bytes()).chain(values)
    });
    let parts = [request.query_string().as_bytes(), body].into_iter().chain(headers);
    Fingerprint::of(parts)
}

/// Leaves the key where whoever makes a command finds it.
fn leave(request: &ServiceRequest, keyed: Arc<Keyed>) {
    let mut extensions = request.extensions_mut();
    if let Some(caller) = extensions.get_mut::<Caller>() {
        caller.keyed = Some(keyed.clone());
    }
    extensions.insert(keyed);
}

/// An answer of before says so, and has the status that it had.
fn marked(mut response: ServiceResponse, keyed: &Keyed) -> ServiceResponse {
    let outcome = keyed.outcome.as_ref().filter(|_| keyed.is_replayed());
    let Some(outcome) = outcome.filter(|_| response.status().is_success()) else {
        return response;
    };
    let status = StatusCode::from_u16(outcome.status);
    *response.response_mut().status_mut() =
        status.expect("a stored status is one that was answered");
    response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
    response
}
