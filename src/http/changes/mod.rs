//! `GET …/changes`: the change feed of an object, and `GET /api/records/changes`: that over all
//! objects of the business; a page at a time or as a stream of events.
//!
//! It owns the routes, their rights, and how long a reader waits. It must not know where entries
//! are kept.

mod gather;
mod render;
pub mod request;
pub mod source;
mod stream;
mod view;

use crate::engine::feed::FeedError;
use crate::http::caller::Caller;
use crate::http::changes::gather::{Bounds, Gathered, compact, gather};
use crate::http::changes::render::{Rows, render};
use crate::http::changes::request::{ChangesRequest, Form};
use crate::http::changes::source::{At, Source};
use crate::http::endpoint::Endpoint;
use crate::http::health::Readiness;
use crate::http::problem::Problem;
use crate::http::target::Target;
use actix_web::web::{Data, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;
use serde_json::value::RawValue;
use std::pin::pin;
use tokio::time::sleep;

/// Bytes of stored entries, and of what they look like, in one answer.
const PAGE_BYTES_MAX: usize = 1 << 20;

/// Registers the routes.
pub fn register(config: &mut ServiceConfig) {
    config
        .service(Endpoint::at("/api/records/changes").get(all_changes))
        .service(Endpoint::at("/api/records/{object_identifier}/changes").get(changes));
}

/// Reads what has changed in an object.
async fn changes(
    request: HttpRequest,
    target: Target,
    readiness: Data<Readiness>,
) -> Result<HttpResponse, Problem> {
    let asked = ChangesRequest::read(&request)?;
    answer(Source::of_object(target)?, asked, readiness).await
}

/// Reads what has changed in all objects.
async fn all_changes(
    request: HttpRequest,
    caller: Caller,
    readiness: Data<Readiness>,
) -> Result<HttpResponse, Problem> {
    let asked = ChangesRequest::read(&request)?;
    let source = Source::of_all(&caller, |table| Target::of_table(&request, &caller, table))?;
    answer(source, asked, readiness).await
}

async fn answer(
    source: Source,
    asked: ChangesRequest,
    readiness: Data<Readiness>,
) -> Result<HttpResponse, Problem> {
    let at = source.begin(&asked.after).await?;
    match asked.form {
        Form::Page => page(source, &asked, at, &readiness).await,
        Form::Stream => Ok(stream::of_source(source, asked, at, readiness)),
    }
}

/// A page of the feed.
#[derive(Serialize)]
struct Page {
    results: Vec<Box<RawValue>>,
    next_cursor: String,
    has_more: bool,
}

/// Answers as soon as there is something to show, or the wait is over, or the server stops.
async fn page(
    source: Source,
    asked: &ChangesRequest,
    mut at: At,
    readiness: &Readiness,
) -> Result<HttpResponse, Problem> {
    let _reader = source.engine().meters().feed_reader();
    let mut over = pin!(sleep(asked.wait));
    let mut source = source;
    loop {
        let changes = source.changes();
        let mut heard = pin!(changes.heard());
        // Before the reading, so that nothing that comes in between is missed.
        heard.as_mut().enable();
        let bounds = Bounds { entries: asked.limit, bytes: PAGE_BYTES_MAX };
        let (rows, next) = rows_behind(&source, asked, bounds, at).await?;
        let is_over = asked.wait.is_zero() || over.is_elapsed();
        if !rows.list.is_empty() || is_over {
            return Ok(of_rows(&source, rows, next));
        }
        at = next;
        if !rows.has_more {
            tokio::select! {
                () = &mut heard => {}
                () = &mut over => return Ok(of_rows(&source, rows, next)),
                () = readiness.ending() => return Ok(of_rows(&source, rows, next)),
            }
        }
        source = source.again()?;
    }
}

/// What an answer shows of the entries behind a place, and where the next one goes on. More bytes
/// than the bounds allow are those of one entry that is that long.
async fn rows_behind(
    source: &Source,
    asked: &ChangesRequest,
    bounds: Bounds,
    from: At,
) -> Result<(Rows, At), Problem> {
    let failed = |error: FeedError| source.problem_of(&error);
    let gathered = gather(source, &asked.wanted, bounds, from).await.map_err(failed)?;
    let Gathered { mut found, next, has_more } = gathered;
    if asked.compact {
        found = compact(found).map_err(|misfit| failed(misfit.into()))?;
    }
    let mut rows = render(source, asked.wanted.include, &found, bounds.bytes)
        .map_err(|misfit| failed(misfit.into()))?;
    let engine = source.engine();
    engine.meters().note_feed_lag(rows.newest, engine.clock().now());
    rows.has_more = has_more || rows.cut_at.is_some();
    let next = rows.cut_at.unwrap_or(next);
    Ok((rows, next))
}

fn of_rows(source: &Source, rows: Rows, next: At) -> HttpResponse {
    let next_cursor = source.cursor(next, 0);
    let results = rows.list.into_iter().map(|row| row.json).collect();
    HttpResponse::Ok().json(Page { results, next_cursor, has_more: rows.has_more })
}
