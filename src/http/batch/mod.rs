//! `POST …/bulk-upsert` and `POST …/import`: many rows in one request, as a JSON batch, as a stream
//! of lines, or as a table.
//!
//! Whichever way rows arrive, each is an upsert like any other: read by `wire/row.rs`, decided by the
//! table's writer, told of in one result.

mod atomic;
mod columns;
mod import;
mod incoming;
mod inflate;
mod json;
mod lines;
mod options;
mod result;
mod row_key;
mod sender;
mod source;
mod stream;
mod table;
mod trial;
mod window;

use crate::http::body::{Body, PlainBody};
use crate::http::caller::require;
use crate::http::endpoint::Endpoint;
use crate::http::problem::Problem;
use crate::http::target::Target;
use actix_web::dev::Payload;
use actix_web::web::ServiceConfig;
use actix_web::{FromRequest, HttpMessage as _, HttpRequest, HttpResponse};
use futures_util::future::{LocalBoxFuture, ready};

const NDJSON: &str = "application/x-ndjson";

/// Registers the routes.
pub fn register(config: &mut ServiceConfig) {
    let path = "/api/records/{object_identifier}/bulk-upsert";
    config.service(Endpoint::at(path).post_many(bulk_upsert));
    let path = "/api/records/{object_identifier}/import";
    config.service(Endpoint::at(path).post_many(import::import));
}

/// Whether any row could be carried out.
fn may_write(target: &Target) -> Result<(), Problem> {
    let access = &target.access;
    require(access.may_create() || access.may_edit_any() || access.may_unarchive_any())
}

/// How the rows of a request come.
enum Rows {
    Batch(Body),
    Lines(PlainBody),
}

impl FromRequest for Rows {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        if is_ndjson(request) {
            let body = PlainBody::new(request, payload.take());
            return Box::pin(ready(Ok(Self::Lines(body))));
        }
        let body = Body::from_request(request, payload);
        Box::pin(async move { body.await.map(Self::Batch) })
    }
}

fn is_ndjson(request: &HttpRequest) -> bool {
    request.content_type().trim().eq_ignore_ascii_case(NDJSON)
}

/// Creates or updates many records, each as by its own upsert.
///
/// Rows are carried out in their order. A fault of a row is told in its result and harms no other.
/// A result that was received is durable and visible to every reader.
async fn bulk_upsert(
    request: HttpRequest,
    target: Target,
    rows: Rows,
) -> Result<HttpResponse, Problem> {
    may_write(&target)?;
    match rows {
        Rows::Batch(body) => json::upsert(&request, target, &body).await,
        Rows::Lines(body) => stream::upsert(&request, target, body),
    }
}

/// The names of the header fields that this route understands.
const HEADERS: [&str; 0] = [];
