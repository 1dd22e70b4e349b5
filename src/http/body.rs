//! Takes in the body of a request within its limits: one body's size, all bodies together, time.
//!
//! Claims are checked before a byte is read, and bytes are counted again while they arrive;
//! nothing is allocated in proportion to a claim. It must not know what a body says.

use crate::http::code::Code;
use crate::http::counters::Counters;
use crate::http::json::{self, JsonError};
use crate::http::options::BodyLimits;
use crate::http::problem::Problem;
use crate::model::input::Input;
use actix_web::dev::Payload;
use actix_web::error::PayloadError;
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderMap};
use actix_web::{FromRequest, HttpMessage, HttpRequest, mime, web};
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt as _;
use futures_util::future::LocalBoxFuture;
use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// What all bodies of the process share.
#[derive(Debug)]
pub struct Bodies {
    limits: BodyLimits,
    in_flight_bytes: AtomicUsize,
    counters: Arc<Counters>,
}

impl Bodies {
    /// No body is in flight yet.
    #[must_use]
    pub fn new(limits: BodyLimits, counters: Arc<Counters>) -> Self {
        Self { limits, in_flight_bytes: AtomicUsize::new(0), counters }
    }

    /// Bytes of bodies that are held now.
    #[must_use]
    pub fn in_flight_bytes(&self) -> usize {
        self.in_flight_bytes.load(Ordering::Relaxed)
    }

    fn take(&self, bytes: usize) -> Result<(), Problem> {
        let before = self.in_flight_bytes.fetch_add(bytes, Ordering::Relaxed);
        if before.saturating_add(bytes) <= self.limits.all_bytes_max {
            return Ok(());
        }
        self.give_back(bytes);
        self.counters.bodies_refused.add();
        let detail = "Too many request bodies are in flight; nothing of the request was done.";
        Err(Problem::new(Code::Overloaded).saying(detail).retry_after(1))
    }

    fn give_back(&self, bytes: usize) {
        self.in_flight_bytes.fetch_sub(bytes, Ordering::Relaxed);
    }
}

/// Bytes of one body, counted among all in flight until it is dropped.
#[derive(Debug)]
struct Share {
    bodies: Arc<Bodies>,
    bytes: usize,
}

impl Share {
    fn grow(&mut self, bytes: usize) -> Result<(), Problem> {
        self.bodies.take(bytes)?;
        self.bytes += bytes;
        Ok(())
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.bodies.give_back(self.bytes);
    }
}

/// Whether a request's body was read to its end; the connection cannot go on otherwise.
#[derive(Clone, Debug, Default)]
pub struct BodyEnd(Rc<Cell<bool>>);

impl BodyEnd {
    /// Notes that the end was reached.
    pub fn reached(&self) {
        self.0.set(true);
    }

    /// Whether the end was reached.
    #[must_use]
    pub fn is_reached(&self) -> bool {
        self.0.get()
    }
}

/// Whether the head announces a body of at least one byte.
#[must_use]
pub fn is_announced(headers: &HeaderMap) -> bool {
    headers.contains_key(header::TRANSFER_ENCODING)
        || claimed_bytes(headers).is_some_and(|len| len > 0)
}

/// `Content-Length`; the connection has refused what is not a number.
fn claimed_bytes(headers: &HeaderMap) -> Option<u64> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.trim().parse().ok()
}

/// A body that was taken in before its handler asks for it.
#[derive(Debug)]
struct Held {
    bytes: Bytes,
    share: Share,
}

/// Takes the body in now; the handler gets it when it asks. The type is the handler's to check.
pub async fn hold(request: &HttpRequest, payload: Payload) -> Result<Bytes, Problem> {
    let held = take_in(request, payload).await?;
    let bytes = held.bytes.clone();
    request.extensions_mut().insert(held);
    Ok(bytes)
}

/// A whole body that is meant as JSON. It counts as in flight until it is dropped.
#[derive(Debug)]
pub struct Body {
    bytes: Bytes,
    _share: Share,
}

impl Body {
    /// The bytes as they came.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Whether there is nothing in it; routes whose body is optional ask.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// The JSON value in it.
    pub fn parse(&self) -> Result<Input<'_>, JsonError> {
        json::parse(&self.bytes)
    }
}

impl FromRequest for Body {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let request = request.clone();
        let payload = payload.take();
        Box::pin(async move { read_json(&request, payload).await })
    }
}

/// A body whose pieces are taken one by one, so that it may be of any length.
pub struct PlainBody {
    payload: Payload,
    /// How long it may be still.
    idle_timeout: Duration,
}

impl PlainBody {
    /// The body of a request. Whoever takes it reads it to its end, whatever it says.
    #[must_use]
    pub fn new(request: &HttpRequest, payload: Payload) -> Self {
        if let Some(end) = request.extensions().get::<BodyEnd>() {
            end.reached();
        }
        Self { payload, idle_timeout: bodies_of(request).limits.timeout }
    }

    /// The next piece; none at the end. Whoever gives up waiting loses nothing.
    pub async fn next(&mut self) -> Result<Option<Bytes>, Problem> {
        let piece = tokio::time::timeout(self.idle_timeout, self.payload.next()).await;
        let piece = piece.map_err(|_| Problem::without_body(StatusCode::REQUEST_TIMEOUT))?;
        piece.transpose().map_err(|error| broken(&error))
    }
}

fn bodies_of(request: &HttpRequest) -> Arc<Bodies> {
    let bodies = request.app_data::<web::Data<Bodies>>();
    bodies.expect("the assembly of the server registers it").clone().into_inner()
}

async fn read_json(request: &HttpRequest, payload: Payload) -> Result<Body, Problem> {
    if is_announced(request.headers()) {
        check_type(request)?;
    }
    let held = request.extensions_mut().remove::<Held>();
    let Held { bytes, share } = match held {
        Some(held) => held,
        None => take_in(request, payload).await?,
    };
    Ok(Body { bytes, _share: share })
}

async fn take_in(request: &HttpRequest, payload: Payload) -> Result<Held, Problem> {
    let bodies = bodies_of(request);
    let limits = bodies.limits;
    let mut share = Share { bodies, bytes: 0 };
    if !is_announced(request.headers()) {
        return Ok(Held { bytes: Bytes::new(), share });
    }
    let claimed = claimed_bytes(request.headers());
    if claimed.is_some_and(|claimed| claimed > limits.json_bytes_max as u64) {
        return Err(too_large(limits.json_bytes_max));
    }
    let all = collect(payload, limits.json_bytes_max, &mut share);
    let bytes = tokio::time::timeout(limits.timeout, all)
        .await
        .map_err(|_| Problem::without_body(StatusCode::REQUEST_TIMEOUT))??;
    if let Some(end) = request.extensions().get::<BodyEnd>() {
        end.reached();
    }
    Ok(Held { bytes, share })
}

/// A missing type is taken as JSON; compressed bodies are not taken here.
fn check_type(request: &HttpRequest) -> Result<(), Problem> {
    let unsupported = |detail: &'static str| {
        Err(Problem::new(Code::UnsupportedMediaType).saying(detail).closing())
    };
    if request.headers().contains_key(header::CONTENT_ENCODING) {
        return unsupported("Content-Encoding is not supported here.");
    }
    let Ok(given) = request.mime_type() else {
        return unsupported("Content-Type cannot be read; application/json is expected.");
    };
    let Some(given) = given else { return Ok(()) };
    if given.essence_str() != mime::APPLICATION_JSON.essence_str() {
        return unsupported("Unsupported media type in request; application/json is expected.");
    }
    match given.get_param(mime::CHARSET) {
        Some(charset) if charset != mime::UTF_8 => {
            unsupported("Unsupported charset in request; JSON is UTF-8.")
        }
        Some(_) | None => Ok(()),
    }
}

/// Most bodies come in one piece, which is then passed on without a copy.
async fn collect(
    mut payload: Payload,
    bytes_max: usize,
    share: &mut Share,
) -> Result<Bytes, Problem> {
    let mut first = Bytes::new();
    let mut rest = BytesMut::new();
    while let Some(piece) = payload.next().await {
        let piece = piece.map_err(|error| broken(&error))?;
        if share.bytes + piece.len() > bytes_max {
            return Err(too_large(bytes_max));
        }
        share.grow(piece.len())?;
        if first.is_empty() {
            first = piece;
        } else {
            if rest.is_empty() {
                rest.extend_from_slice(&first);
            }
            rest.extend_from_slice(&piece);
        }
    }
    Ok(if rest.is_empty() { first } else { rest.freeze() })
}

fn too_large(bytes_max: usize) -> Problem {
    let detail = format!("The request body is too large; at most {bytes_max} bytes are taken.");
    Problem::new(Code::PayloadExceeded).saying(detail).closing()
}

/// Nobody may be left to read the answer, but a half-closed connection still can.
fn broken(error: &PayloadError) -> Problem {
    let detail = format!("The request body broke off: {error}.");
    Problem::new(Code::ParseError).saying(detail).closing()
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    const LIMITS: BodyLimits =
        BodyLimits { json_bytes_max: 10, all_bytes_max: 15, timeout: Duration::from_mins(1) };

    fn bodies() -> web::Data<Bodies> {
        web::Data::new(Bodies::new(LIMITS, Arc::default()))
    }

    async fn read(bodies: &web::Data<Bodies>, request: TestRequest) -> Result<Body, Problem> {
        let (request, payload) = request.app_data(bodies.clone()).to_http_parts();
        read_json(&request, payload).await
    }

    /// A request whose head claims `claimed` bytes and that carries `sent`.
    fn claiming(claimed: usize, sent: &str) -> TestRequest {
        TestRequest::post()
            .set_payload(Bytes::copy_from_slice(sent.as_bytes()))
            .insert_header((header::CONTENT_LENGTH, claimed.to_string()))
    }

    async fn check(request: TestRequest, code: Option<Code>) {
        let answer = read(&bodies(), request).await;
        assert_eq!(answer.err().map(|problem| problem.code()), code.map(Some));
    }

    #[actix_web::test]
    async fn a_body_is_taken_up_to_its_limit_and_no_further() {
        check(claiming(10, "0123456789"), None).await;
        check(claiming(11, "0123456789a"), Some(Code::PayloadExceeded)).await;
        // The claim alone is enough, and a claim that lies does not help.
        check(claiming(11, ""), Some(Code::PayloadExceeded)).await;
        check(claiming(10, "0123456789a"), Some(Code::PayloadExceeded)).await;
        let chunked = TestRequest::post()
            .set_payload("0123456789a")
            .insert_header((header::TRANSFER_ENCODING, "chunked"));
        check(chunked, Some(Code::PayloadExceeded)).await;
    }

    #[actix_web::test]
    async fn all_bodies_together_have_a_limit_and_give_back_what_they_took() {
        let bodies = bodies();
        let first = read(&bodies, claiming(10, "0123456789")).await.unwrap();
        let second = read(&bodies, claiming(6, "012345")).await.unwrap_err();
        assert_eq!(second.code(), Some(Code::Overloaded));
        assert_eq!(bodies.in_flight_bytes(), 10);
        drop(first);
        assert_eq!(bodies.in_flight_bytes(), 0);
        assert!(read(&bodies, claiming(6, "012345")).await.is_ok());
        assert_eq!(bodies.counters.bodies_refused.get(), 1);
    }

    #[actix_web::test]
    async fn what_is_not_plain_json_is_unsupported() {
        let typed = |name: &'static str, value: &'static str| {
            claiming(2, "{}").insert_header((name, value))
        };
        check(claiming(2, "{}"), None).await;
        for good in ["application/json", "Application/JSON; charset=UTF-8"] {
            check(typed("content-type", good), None).await;
        }
        for bad in ["text/plain", "application/x-ndjson", "application/json; charset=latin1", "?"] {
            check(typed("content-type", bad), Some(Code::UnsupportedMediaType)).await;
        }
        check(typed("content-encoding", "gzip"), Some(Code::UnsupportedMediaType)).await;
    }

    #[actix_web::test]
    async fn a_request_without_a_body_has_an_empty_one_of_any_type() {
        let request = TestRequest::post().insert_header((header::CONTENT_TYPE, "text/plain"));
        assert!(read(&bodies(), request).await.unwrap().is_empty());
    }
}
