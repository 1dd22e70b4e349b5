//! The outermost middleware: what every request and every answer has in common.
//!
//! It owns the request's id, the borders of a request's head, the check of the caller, the last
//! form of every error, the answer to a handler that panics, the end of a connection whose body was
//! not read, how often a key may ask, what is counted of every request, and the one log line of a
//! request that failed or was slow. It must not know any resource.

use crate::http::app::Edge;
use crate::http::body::{self, BodyEnd};
use crate::http::caller::Caller;
use crate::http::code::Code;
use crate::http::fault::{Fault, Place};
use crate::http::identity;
use crate::http::problem::Problem;
use crate::http::rate_limit::{RateLimits, RowQuota};
use crate::http::request_id::{RequestId, RequestIds};
use crate::http::request_meters::Route;
use crate::http::transport::ConnectionEnd;
use crate::model::id::ApiKeyId;
use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{self, HeaderMap, HeaderName};
use actix_web::http::{ConnectionType, Method, StatusCode};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage, HttpResponse, ResponseError, web};
use futures_util::FutureExt as _;
use std::fmt;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;
use tracing::{error, warn};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Name, value, and the separators between them, of all headers together.
const HEAD_BYTES_MAX: usize = 32 * 1024;

const URL_BYTES_MAX: usize = 16 * 1024;

/// A request that took longer is worth a line of its own in the log.
const SLOW: Duration = Duration::from_secs(1);

/// Passes a request to the application, and gives every answer its last form.
pub(crate) async fn front(
    edge: web::Data<Edge>,
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let id = request_id(&request);
    let started_ns = edge.clock.monotonic_ns();
    let method = request.method().clone();
    let uri = request.uri().clone();
    let body_end = body::is_announced(request.headers()).then(BodyEnd::default);
    if let Some(end) = &body_end {
        request.extensions_mut().insert(end.clone());
    }
    request.extensions_mut().insert(id.clone());
    let mut answered = answer(&edge, request, next, &id).await;
    if let Ok(response) = &mut answered {
        response.headers_mut().insert(REQUEST_ID, id.to_header());
        if body_end.is_some_and(|end| !end.is_reached()) {
            close(response);
        }
    }
    let took = Duration::from_nanos(edge.clock.monotonic_ns() - started_ns);
    let end = RequestEnd { id: &id, method: &method, path: uri.path(), took };
    end.count(&edge, &answered);
    end.log(&answered);
    answered.map_err(Error::from)
}

/// A request that is over, for those who keep count and for the log.
struct RequestEnd<'a> {
    id: &'a RequestId,
    method: &'a Method,
    path: &'a str,
    took: Duration,
}

type Answered = Result<ServiceResponse<BoxBody>, Failed>;

impl RequestEnd<'_> {
    fn count(&self, edge: &Edge, answered: &Answered) {
        let meters = &edge.meters;
        meters.seconds().observe(self.took.as_secs_f64());
        let code = match answered {
            Ok(response) => {
                let route = response.request().app_data::<Route>();
                let route = route.expect("the assembly of the server registers one for no route");
                route.count(meters, self.method, response.status());
                response.response().extensions().get::<Code>().copied()
            }
            Err(failed) => {
                meters.count_without_route(self.method, failed.status_code());
                failed.code()
            }
        };
        if let Some(code) = code {
            meters.count_refusal(code);
        }
    }

    /// One line, and none for a request that went well in good time.
    fn log(&self, answered: &Answered) {
        let (status, panic) = match answered {
            Ok(response) => (response.status(), None),
            Err(failed) => (failed.status_code(), failed.panic.as_deref()),
        };
        let Self { id, method, path, took } = self;
        let (status, ms) = (status.as_u16(), took.as_millis());
        if let Some(panic) = panic {
            error!(request_id = %id, %method, path, status, ms, panic, "a handler panicked");
        } else if status >= 500 {
            warn!(request_id = %id, %method, path, status, ms, "a request failed");
        } else if *took >= SLOW {
            warn!(request_id = %id, %method, path, status, ms, "a request was slow");
        }
    }
}

/// The client's id, if it is one, or a new one.
fn request_id(request: &ServiceRequest) -> RequestId {
    let given = request.headers().get(REQUEST_ID).and_then(|value| value.to_str().ok());
    given.and_then(RequestId::from_client).unwrap_or_else(|| {
        request.app_data::<RequestIds>().expect("the assembly of the server registers it").next()
    })
}

async fn answer(
    edge: &Edge,
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
    id: &RequestId,
) -> Answered {
    let admitted = check_head(request.head()).and_then(|()| {
        let operator_key = edge.operator_key.as_ref();
        identity::admit(&request, &edge.authenticate, operator_key, edge.openapi_public)
    });
    if let Err(problem) = admitted {
        return Ok(request.into_response(problem.to_response(id)));
    }
    let limited = Limited::of(edge, &request);
    if let Some(limited) = &limited
        && let Err(problem) = limited.take(1)
    {
        return limited.mark(Ok(request.into_response(problem.to_response(id))));
    }
    if let Some(Limited { limits, key, .. }) = &limited {
        RowQuota::leave(&request, limits, *key, &edge.clock);
    }
    // Nothing the handler holds is looked at again after a panic, but the answer's own id.
    let answered = match AssertUnwindSafe(next.call(request)).catch_unwind().await {
        Ok(Ok(response)) => Ok(in_last_form(response, id)),
        Ok(Err(error)) => Err(Failed::new(error, id)),
        Err(panic) => {
            edge.counters.panics.add();
            let panic = Some(panic_text(&*panic).into());
            Err(Failed { panic, ..Failed::new(Problem::new(Code::InternalError).into(), id) })
        }
    };
    match &limited {
        Some(limited) => limited.mark(answered),
        None => answered,
    }
}

/// A request of an API key, where keys are limited.
struct Limited<'e> {
    edge: &'e Edge,
    limits: &'e Arc<RateLimits>,
    key: ApiKeyId,
}

impl<'e> Limited<'e> {
    fn of(edge: &'e Edge, request: &ServiceRequest) -> Option<Self> {
        let limits = edge.rate_limits.as_ref()?;
        let key = request.extensions().get::<Caller>()?.key;
        Some(Self { edge, limits, key })
    }

    fn take(&self, rows: u32) -> Result<(), Problem> {
        self.limits.take(self.key, rows, self.edge.clock.monotonic_ns())
    }

    /// Every answer tells what is left.
    fn mark(&self, mut answered: Answered) -> Answered {
        let headers = self.limits.headers(self.key, self.edge.clock.monotonic_ns());
        let held = match &mut answered {
            Ok(response) => response.headers_mut(),
            Err(failed) => &mut failed.headers,
        };
        for (name, value) in headers {
            held.insert(name, value);
        }
        answered
    }
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> &str {
    let text = panic.downcast_ref::<&'static str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no text")
}

/// Errors become the one body of all errors, which names the request.
fn in_last_form(
    response: ServiceResponse<impl MessageBody + 'static>,
    id: &RequestId,
) -> ServiceResponse<BoxBody> {
    let Some(error) = response.response().error() else { return response.map_into_boxed_body() };
    let answer = answer_of(error, id);
    response.into_response(answer)
}

fn answer_of(error: &Error, id: &RequestId) -> HttpResponse {
    match error.as_error::<Problem>() {
        Some(problem) => problem.to_response(id),
        None => foreign(error.as_response_error().status_code()).to_response(id),
    }
}

/// An error of the framework, which only its status tells about.
fn foreign(status: StatusCode) -> Problem {
    match status {
        StatusCode::NOT_FOUND => Problem::not_found(),
        StatusCode::BAD_REQUEST => Problem::new(Code::Invalid),
        StatusCode::PAYLOAD_TOO_LARGE => Problem::new(Code::PayloadExceeded),
        StatusCode::UNSUPPORTED_MEDIA_TYPE => Problem::new(Code::UnsupportedMediaType),
        _ => Problem::new(Code::InternalError),
    }
}

/// What the connection has let through although no honest client sends it.
fn check_head(head: &actix_web::dev::RequestHead) -> Result<(), Problem> {
    let url_bytes = head.uri.path_and_query().map_or(0, |url| url.as_str().len());
    if url_bytes > URL_BYTES_MAX {
        return Err(Problem::without_body(StatusCode::URI_TOO_LONG));
    }
    if head_bytes(&head.headers) > HEAD_BYTES_MAX {
        return Err(Problem::without_body(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE));
    }
    if head.uri.scheme().is_some()
        || head.uri.authority().is_some()
        || head.method == Method::CONNECT
    {
        let detail = "The request target must be a path.";
        return Err(Problem::new(Code::Invalid).saying(detail).closing());
    }
    check_upgrade(&head.headers)?;
    if has_odd_segment(head.uri.path()) { Err(Problem::not_found()) } else { Ok(()) }
}

fn head_bytes(headers: &HeaderMap) -> usize {
    const SEPARATORS: usize = ": \r\n".len();
    headers.iter().map(|(name, value)| name.as_str().len() + value.len() + SEPARATORS).sum()
}

/// An upgrade would turn the rest of the connection into bytes nobody limits.
///
/// `h2c` is the exception: common clients offer it with every first request, and a server may
/// ignore the offer.
fn check_upgrade(headers: &HeaderMap) -> Result<(), Problem> {
    let harmless = |value: &header::HeaderValue| {
        value.to_str().is_ok_and(|value| value.trim().eq_ignore_ascii_case("h2c"))
    };
    if headers.get_all(header::UPGRADE).all(harmless) {
        return Ok(());
    }
    let fault = Fault::new(Code::Invalid, Place::Header("Upgrade".into()))
        .saying("Upgrade is not supported.");
    Err(Problem::from(fault).closing())
}

/// Whether a path holds what proxies and servers are known to read differently: dot segments,
/// and separators or NUL in disguise. No route of ours has any of them.
fn has_odd_segment(path: &str) -> bool {
    // Nearly all paths have none of what an odd segment is made of.
    if !path.contains(['%', '\\', '.']) {
        return false;
    }
    path.split('/').any(|segment| {
        let plain = segment.to_ascii_lowercase().replace("%2e", ".");
        plain == "."
            || plain == ".."
            || ["%2f", "%5c", "%00", "\\"].iter().any(|odd| plain.contains(odd))
    })
}

/// The rest of the body would be taken for the next request.
fn close(response: &mut ServiceResponse<BoxBody>) {
    response.response_mut().head_mut().set_connection_type(ConnectionType::Close);
    if let Some(end) = response.request().conn_data::<ConnectionEnd>() {
        end.soon();
    }
}

/// An answer that no longer has its request.
#[derive(Debug)]
struct Failed {
    error: Error,
    id: RequestId,
    /// What the handler said, if it panicked.
    panic: Option<Box<str>>,
    /// Headers of the answer besides its own.
    headers: HeaderMap,
}

impl Failed {
    fn new(error: Error, id: &RequestId) -> Self {
        Self { error, id: id.clone(), panic: None, headers: HeaderMap::new() }
    }

    fn code(&self) -> Option<Code> {
        match self.error.as_error::<Problem>() {
            Some(problem) => problem.code(),
            None => foreign(self.status_code()).code(),
        }
    }
}

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (request {})", self.error, self.id)
    }
}

impl ResponseError for Failed {
    fn status_code(&self) -> StatusCode {
        self.error.as_response_error().status_code()
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = answer_of(&self.error, &self.id);
        response.headers_mut().insert(REQUEST_ID, self.id.to_header());
        for (name, value) in &self.headers {
            response.headers_mut().insert(name.clone(), value.clone());
        }
        response.head_mut().set_connection_type(ConnectionType::Close);
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_that_can_be_read_in_two_ways_are_odd() {
        for path in ["/", "/api/records/a-b_c/upsert", "/a%20b", "/a..b/.c", "/%e2%82%ac"] {
            assert!(!has_odd_segment(path), "{path}");
        }
        for path in ["/..", "/a/./b", "/a/%2E%2e/b", "/a%2Fb", "/a%5cb", "/a%00", "/a\\b"] {
            assert!(has_odd_segment(path), "{path}");
        }
    }
}
