//! `X-Seq` and `min_seq`: which commits a caller has seen the answer of.
//!
//! To callers the token is an opaque text. It names a state that has the write, so a read that asks
//! for it elsewhere is not answered from an older one. It must not know what was written.

use crate::engine::Engine;
use crate::http::code::Code;
use crate::http::extension::MIN_SEQ;
use crate::http::fault::{Fault, Faults, Place};
use crate::http::problem::Problem;
use crate::http::query::Query;
use crate::model::id::Position;
use crate::model::table::digest::item_hash;
use actix_web::Error;
use actix_web::body::{BodySize, BoxBody, MessageBody as _};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::middleware::Next;
use actix_web::web::Data;
use data_encoding::BASE64URL_NOPAD;

const X_SEQ: HeaderName = HeaderName::from_static("x-seq");
/// The first byte of a token; what comes behind it may be another list of numbers one day.
const VERSION: u8 = 1;
/// What the check in a token is hashed with: it catches slips, not forgers.
const CHECK_KEY: [u8; 16] = *b"upsertd-x-seq-1\0";
const CHECK_BYTES: usize = 4;

/// The token of a state: version, position, check.
fn token(position: Position) -> String {
    let mut bytes = vec![VERSION];
    bytes.extend_from_slice(&position.0.to_be_bytes());
    let check = item_hash(&CHECK_KEY, &bytes).to_le_bytes();
    bytes.extend_from_slice(&check[..CHECK_BYTES]);
    BASE64URL_NOPAD.encode(&bytes)
}

/// The state that a token names; none if it is none of ours.
fn position_of(text: &str) -> Option<Position> {
    let bytes = BASE64URL_NOPAD.decode(text.as_bytes()).ok()?;
    let position: [u8; 8] = bytes.get(1..9)?.try_into().ok()?;
    let position = Position(u64::from_be_bytes(position));
    (token(position) == text).then_some(position)
}

fn engine(request: &ServiceRequest) -> &Engine {
    let engine = request.app_data::<Data<Engine>>();
    engine.expect("the registration of the routes provides it")
}

/// Stands around the handler of a write: its good answer names a state that has what was written.
pub(super) async fn name(
    request: ServiceRequest,
    next: Next<BoxBody>,
) -> Result<ServiceResponse, Error> {
    let mut response = next.call(request).await?;
    // A stream is answered row by row, long behind its head.
    let is_stream = matches!(response.response().body().size(), BodySize::Stream);
    if response.status().is_success() && !is_stream {
        let engine = response.request().app_data::<Data<Engine>>();
        let engine = engine.expect("the registration of the routes provides it");
        // What is answered is durable, so the newest durable state has it.
        let value = HeaderValue::from_str(&token(engine.newest()));
        let value = value.expect("an encoded token is a header value");
        response.headers_mut().insert(X_SEQ, value);
    }
    Ok(response)
}

/// Stands around the handler of a read: it is not answered from an older state than was asked for.
///
/// This process has every state that it has named, so nobody waits here.
pub(super) async fn wait(
    request: ServiceRequest,
    next: Next<BoxBody>,
) -> Result<ServiceResponse, Error> {
    let query = request.query_string();
    // The name may be encoded.
    if (query.contains(MIN_SEQ) || query.contains('%'))
        && let Err(problem) = check(&request)
    {
        return Ok(request.error_response(problem));
    }
    next.call(request).await
}

fn check(request: &ServiceRequest) -> Result<(), Problem> {
    // What is wrong with the rest of the query is for the handler.
    let mut faults = Faults::default();
    let mut query = Query::read(request.query_string(), &mut faults);
    let mut faults = Faults::default();
    let Some(text) = query.text(MIN_SEQ, &mut faults) else { return Ok(()) };
    let position = position_of(text);
    if position.is_none() {
        let fault = Fault::new(Code::Invalid, Place::Query(MIN_SEQ.into()));
        faults.push(fault.saying("This is not the X-Seq of an answer."));
    }
    faults.check()?;
    if position.is_some_and(|position| position > engine(request).newest()) {
        return Err(Problem::new(Code::Behind).retry_after(1));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_gives_its_position_back_and_every_slip_is_noticed() {
        for number in [0, 1, 255, 1 << 40, u64::MAX] {
            let text = token(Position(number));
            assert_eq!(position_of(&text), Some(Position(number)));
            for at in 0..text.len() {
                let mut slip = text.clone().into_bytes();
                slip[at] = if slip[at] == b'A' { b'B' } else { b'A' };
                assert_eq!(position_of(std::str::from_utf8(&slip).unwrap()), None, "{at}");
            }
            assert_eq!(position_of(&text[1..]), None);
            assert_eq!(position_of(&format!("{text}AAAA")), None);
        }
        for strange in ["", "7", "x", "é", " ", &"A".repeat(18)] {
            assert_eq!(position_of(strange), None, "{strange:?}");
        }
    }
}
