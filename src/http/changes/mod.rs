//! `GET …/changes`: the change feed of an object, a page at a time or as a stream of events.
//!
//! It owns the routes, their rights, and how long a reader waits. It must not know where entries
//! are kept.

mod gather;
mod render;
pub mod request;
mod stream;
mod view;

use crate::engine::feed::cursor::TableCursor;
use crate::engine::feed::{FeedError, Place, Start};
use crate::http::caller::{Caller, require};
use crate::http::changes::gather::{Bounds, Gathered, compact, gather};
use crate::http::changes::render::{Rows, render};
use crate::http::changes::request::{After, ChangesRequest, Form, bad_cursor};
use crate::http::changes::view::View;
use crate::http::code::Code;
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

/// Bytes of stored entries, and of what they look like, in one answer; more than one entry's only
/// if it is that long.
const PAGE_BYTES_MAX: usize = 1 << 20;

/// Registers the routes.
pub fn register(config: &mut ServiceConfig) {
    config.service(Endpoint::at("/api/records/{object_identifier}/changes").get(changes));
}

/// Reads what has changed in an object.
async fn changes(
    request: HttpRequest,
    target: Target,
    readiness: Data<Readiness>,
) -> Result<HttpResponse, Problem> {
    let asked = ChangesRequest::read(&request)?;
    let start = start_of(&asked.after)?;
    require(target.access.may_export())?;
    let begun = target.engine.feed().begin(target.table.shown(), start).await;
    let place = begun.map_err(|error| problem_of(&error, &[&target]))?;
    match asked.form {
        Form::Page => page(&target, &asked, place, &readiness).await,
        Form::Stream => Ok(stream::of_table(target, asked, place, readiness)),
    }
}

fn start_of(after: &After) -> Result<Start, Problem> {
    match after {
        After::Nothing => Ok(Start::Oldest),
        After::Now => Ok(Start::Now),
        After::Cursor(text) => TableCursor::read(text).map(Start::Behind).ok_or_else(bad_cursor),
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
    target: &Target,
    asked: &ChangesRequest,
    mut place: Place,
    readiness: &Readiness,
) -> Result<HttpResponse, Problem> {
    let _reader = target.engine.meters().feed_reader();
    let mut over = pin!(sleep(asked.wait));
    let mut target = target.clone();
    loop {
        let table = target.table.clone();
        let mut heard = pin!(table.changes().heard());
        // Before the reading, so that nothing that comes in between is missed.
        heard.as_mut().enable();
        let (rows, next) = rows_behind(&target, asked, place).await?;
        let is_over = asked.wait.is_zero() || over.is_elapsed();
        if !rows.list.is_empty() || is_over {
            return Ok(answer(&target, rows, next));
        }
        place = next;
        if !rows.has_more {
            tokio::select! {
                () = &mut heard => {}
                () = &mut over => return Ok(answer(&target, rows, next)),
                () = readiness.ending() => return Ok(answer(&target, rows, next)),
            }
        }
        target = again(&target)?;
    }
}

/// What an answer shows of the entries behind a place, and where the next one goes on.
async fn rows_behind(
    target: &Target,
    asked: &ChangesRequest,
    from: Place,
) -> Result<(Rows, Place), Problem> {
    let bounds = Bounds { entries: asked.limit, bytes: PAGE_BYTES_MAX };
    let failed = |error: FeedError| problem_of(&error, &[target]);
    let gathered = gather(target, &asked.wanted, bounds, from).await.map_err(failed)?;
    let Gathered { mut entries, next, has_more } = gathered;
    if asked.compact {
        entries = compact(entries).map_err(|misfit| failed(misfit.into()))?;
    }
    let view = View::of(target.clone());
    let mut rows = render(&view, asked.wanted.include, &entries, PAGE_BYTES_MAX)
        .map_err(|misfit| failed(misfit.into()))?;
    target.engine.meters().note_feed_lag(rows.newest, target.engine.clock().now());
    let next = rows.cut_at.unwrap_or(next);
    rows.has_more = has_more || rows.cut_at.is_some();
    Ok((rows, next))
}

fn answer(target: &Target, rows: Rows, next: Place) -> HttpResponse {
    let cursor = target.engine.feed().cursor(target.table.shown(), next);
    let next_cursor = cursor.write();
    let results = rows.list.into_iter().map(|row| row.json).collect();
    HttpResponse::Ok().json(Page { results, next_cursor, has_more: rows.has_more })
}

/// The target as its caller finds it now. Rights may have been taken while it waited.
fn again(target: &Target) -> Result<Target, Problem> {
    let caller: Option<Caller> = target.caller.again(&target.engine);
    let caller = caller.ok_or_else(|| Problem::new(Code::AuthenticationFailed))?;
    let access = caller.access(&target.table);
    if !access.may_see_object() {
        return Err(Problem::not_found());
    }
    require(access.may_export())?;
    Ok(target.with(caller, (target.table.clone(), access)))
}

/// What a reader is told; over all objects there is one way to start again for each.
fn problem_of(error: &FeedError, targets: &[&Target]) -> Problem {
    match error {
        FeedError::Expired => {
            let path = |target: &&Target| {
                let schema = target.table.shown().schema();
                format!("/api/records/{}/export?format=ndjson", schema.object().name)
            };
            let resync: Vec<String> = targets.iter().map(path).collect();
            Problem::new(Code::CursorExpired).with("resync", &resync)
        }
        FeedError::Overloaded => {
            let detail = "Too many read what is no longer in memory; try again.";
            Problem::new(Code::Overloaded).saying(detail).retry_after(1)
        }
        FeedError::Storage(_) | FeedError::Misfit(_) | FeedError::Panicked => {
            tracing::error!(%error, "the log could not be read for the feed");
            Problem::new(Code::InternalError)
        }
    }
}
