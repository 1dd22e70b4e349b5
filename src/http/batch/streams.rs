//! `…/streams/{stream_id}`: how far a stream has come that can be resumed.
//!
//! A stream is its member's own: others may have streams of the same name. It must not know how
//! rows move it.

use crate::http::batch::result::StreamCounts;
use crate::http::code::Code;
use crate::http::endpoint::Endpoint;
use crate::http::extension::RouteGroup;
use crate::http::fault::{Fault, Faults};
use crate::http::plain::check_no_parameters;
use crate::http::problem::Problem;
use crate::http::query::Query;
use crate::http::record_write::RecordWrite;
use crate::http::target::Target;
use crate::model::table::command::Ask;
use crate::model::table::streams::StreamKey;
use crate::model::value::time::timestamp_text;
use actix_web::web::ServiceConfig;
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;
use std::sync::Arc;

const STREAM_ID: &str = "stream_id";
const STREAM_ID_CHARS_MAX: usize = 128;
const WHAT_IS_AN_ID: &str = "Expected 1 to 128 letters, digits, or any of . _ : -";

/// Registers the route.
pub(super) fn register(config: &mut ServiceConfig) {
    let path = "/api/records/{object_identifier}/streams/{stream_id}";
    config.service(Endpoint::at(path).get(retrieve).delete(forget));
}

/// Reads the name of the stream that a request is part of.
pub(super) fn read(query: &mut Query<'_>, faults: &mut Faults) -> Option<Box<str>> {
    let id = query.text(STREAM_ID, faults)?;
    if is_stream_id(id) {
        return Some(id.into());
    }
    let fault = Fault::new(Code::Invalid, query.place(STREAM_ID)).saying(WHAT_IS_AN_ID);
    faults.push(fault);
    None
}

/// It stands in a path, so it has nothing that a proxy might read otherwise.
fn is_stream_id(text: &str) -> bool {
    let is_known = |byte: u8| byte.is_ascii_alphanumeric() || b"._:-".contains(&byte);
    (1..=STREAM_ID_CHARS_MAX).contains(&text.len())
        && text.bytes().all(is_known)
        && text.bytes().any(|byte| byte != b'.')
}

/// The caller's stream of this name.
#[must_use]
pub(super) fn key_of(target: &Target, id: Box<str>) -> Arc<StreamKey> {
    Arc::new(StreamKey { member: target.caller.member.id, id })
}

/// What the path names; what is no name names none.
fn addressed(request: &HttpRequest, target: &Target) -> Result<Arc<StreamKey>, Problem> {
    let id = request.match_info().get(STREAM_ID).filter(|id| is_stream_id(id));
    id.map(|id| key_of(target, id.into())).ok_or_else(Problem::not_found)
}

#[derive(Serialize)]
struct StreamShape<'a> {
    stream_id: &'a str,
    next_offset: u64,
    counts: StreamCounts<'a>,
    updated: String,
}

/// Tells where a stream goes on.
async fn retrieve(request: HttpRequest, target: Target) -> Result<HttpResponse, Problem> {
    check_no_parameters(&request, RouteGroup::Read)?;
    let stream = addressed(&request, &target)?;
    let held = target.table.shown().streams.get(&stream).ok_or_else(Problem::not_found)?;
    let ends = held.ends();
    Ok(HttpResponse::Ok().json(StreamShape {
        stream_id: &stream.id,
        next_offset: held.next_offset,
        counts: StreamCounts(&ends),
        updated: timestamp_text(held.used, target.caller.business.time_zone()),
    }))
}

/// Forgets a stream: its name begins anew.
async fn forget(request: HttpRequest, target: Target) -> Result<HttpResponse, Problem> {
    check_no_parameters(&request, RouteGroup::Write)?;
    let stream = addressed(&request, &target)?;
    let ask = || Ask::ForgetStream { stream: stream.clone(), unused_since: None };
    RecordWrite::without_fields(&target, 0).ask_for_nothing(ask).await?;
    Ok(HttpResponse::NoContent().finish())
}

#[cfg(test)]
mod tests {
    use super::is_stream_id;

    #[test]
    fn a_stream_s_name_can_stand_in_a_path() {
        let longest = "x".repeat(128);
        for good in ["nightly", "2026-11-24T05:40:00", "a.b_c", ".a", &longest] {
            assert!(is_stream_id(good), "{good}");
        }
        for bad in ["", ".", "..", "a/b", "a b", "a%2f", "\u{e4}", &"x".repeat(129)] {
            assert!(!is_stream_id(bad), "{bad}");
        }
    }
}
