//! The route that makes keys of the API.
//!
//! It must not know how a key is recognised.

use crate::ambient;
use crate::engine::Engine;
use crate::engine::bootstrap::key_prefix;
use crate::http::body::Body;
use crate::http::caller::Caller;
use crate::http::code::Code;
use crate::http::endpoint::Endpoint;
use crate::http::extension::RouteGroup;
use crate::http::fault::Faults;
use crate::http::plain::read_no_parameters;
use crate::http::problem::Problem;
use crate::http::wire::api_keys::{NewKeyShape, read_key_body};
use crate::model::catalog::api_key::SecretHash;
use crate::model::catalog::command::{Ask, Command, NewApiKey, Reply};
use actix_web::web::{Data, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use data_encoding::{BASE32_NOPAD, BASE64URL_NOPAD};

/// Adds the route.
pub fn register(config: &mut ServiceConfig) {
    config.service(Endpoint::at("/api/api-keys").post(create));
}

/// Makes a key of the caller, or for an administrator of another member.
async fn create(
    engine: Data<Engine>,
    caller: Caller,
    request: HttpRequest,
    body: Body,
) -> Result<HttpResponse, Problem> {
    let input = body.parse()?;
    let mut faults = Faults::default();
    let is_strict = read_no_parameters(&request, RouteGroup::Write, &mut faults);
    let time_zone = caller.business.time_zone();
    let wanted = read_key_body(&input, time_zone, is_strict, &mut faults);
    faults.check()?;
    let wanted = wanted.expect("a body without a fault has been read");
    let member = wanted.member.unwrap_or(caller.member.id);
    if member != caller.member.id {
        caller.require_admin()?;
    }
    let secret = wanted.secret.map_or_else(draw_secret, Ok)?;
    let new = NewApiKey {
        name: wanted.name,
        prefix: key_prefix(&secret).to_owned(),
        origin: Some(wanted.origin),
        member,
        hash: SecretHash::of(&secret),
        expires_at: wanted.expires_at,
    };
    let command = Command { caller: caller.for_request(), ask: Ask::CreateApiKey(Box::new(new)) };
    let reply = engine.ask_catalog(&caller.business, command, body.bytes().len()).await?;
    let Reply::ApiKey(key) = reply else {
        unreachable!("the creation of a key is answered with the key")
    };
    Ok(HttpResponse::Created().json(NewKeyShape::of(&key, &secret, time_zone)))
}

/// `upd_`, eight characters that tell keys apart, and 256 random bits.
fn draw_secret() -> Result<String, Problem> {
    let (mut prefix, mut secret) = ([0; 5], [0; 32]);
    ambient::fill(&mut prefix)
        .and_then(|()| ambient::fill(&mut secret))
        .map_err(|_| Problem::new(Code::InternalError))?;
    let prefix = BASE32_NOPAD.encode(&prefix).to_ascii_lowercase();
    Ok(format!("upd_{prefix}_{}", BASE64URL_NOPAD.encode(&secret)))
}
