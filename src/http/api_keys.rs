//! The routes of the API's keys.
//!
//! It must not know how a key is recognised.

use crate::ambient;
use crate::engine::Engine;
use crate::engine::bootstrap::key_prefix;
use crate::http::body::Body;
use crate::http::caller::{Caller, require};
use crate::http::code::Code;
use crate::http::endpoint::Endpoint;
use crate::http::extension::RouteGroup;
use crate::http::fault::Faults;
use crate::http::page::{Address, PageRequest};
use crate::http::plain::{check_no_parameters, read_no_parameters};
use crate::http::problem::Problem;
use crate::http::query::Query;
use crate::http::wire::api_keys::{KeyRow, NewKeyShape, read_key_body};
use crate::model::catalog::api_key::{ApiKey, SecretHash};
use crate::model::catalog::command::{Ask, Command, NewApiKey, Reply};
use crate::model::id::ApiKeyId;
use actix_web::web::{Data, Path, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use data_encoding::{BASE32_NOPAD, BASE64URL_NOPAD};

/// Adds the routes.
pub fn register(config: &mut ServiceConfig) {
    config
        .service(Endpoint::at("/api/api-keys").get(list).post(create))
        .service(Endpoint::at("/api/api-keys/{key_id:[^/]{36}}").delete(revoke));
}

/// Whose keys a caller may see and revoke: its own, and an administrator everybody's.
fn may_see(caller: &Caller, key: &ApiKey) -> bool {
    caller.rights.may_hold_keys_of(key.member)
}

async fn list(caller: Caller, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let mut faults = Faults::default();
    let mut query = Query::read(request.query_string(), &mut faults);
    let page = PageRequest::of_query(&mut query, &mut faults);
    query.finish(RouteGroup::Read, request.headers(), &[], &mut faults);
    faults.check()?;
    let page = page?;

    let mut keys = caller.catalog.api_keys.in_order();
    keys.retain(|key| may_see(&caller, key));
    let places = page.places(keys.len())?;
    let time_zone = caller.business.time_zone();
    let rows = keys[places].iter().map(|key| KeyRow::of(key, time_zone)).collect();
    let page = page.envelope(keys.len(), rows, &Address::of_request(&request));
    Ok(HttpResponse::Ok().json(page))
}

/// Revokes a key. The reply means that no later request is let in with it.
async fn revoke(
    engine: Data<Engine>,
    caller: Caller,
    id: Path<String>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let key = ApiKeyId::parse(&id).and_then(|id| caller.catalog.api_keys.get(id));
    let key = key.filter(|key| may_see(&caller, key)).ok_or_else(Problem::not_found)?;
    check_no_parameters(&request, RouteGroup::Write)?;
    let command = Command { caller: caller.for_write(), ask: Ask::RevokeApiKey(key.id) };
    engine.ask_catalog(&caller.business, command, 0).await?;
    Ok(HttpResponse::NoContent().finish())
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
    require(caller.rights.may_hold_keys_of(member))?;
    let secret = wanted.secret.map_or_else(draw_secret, Ok)?;
    let new = NewApiKey {
        name: wanted.name,
        prefix: key_prefix(&secret).to_owned(),
        origin: Some(wanted.origin),
        member,
        hash: SecretHash::of(&secret),
        expires_at: wanted.expires_at,
    };
    let command = Command { caller: caller.for_write(), ask: Ask::CreateApiKey(Box::new(new)) };
    let reply = engine.ask_catalog(&caller.business, command, body.bytes().len()).await?;
    let Reply::ApiKey(key) = reply else {
        unreachable!("the creation of a key is answered with the key")
    };
    Ok(HttpResponse::Created().json(NewKeyShape::of(&key, Some(&secret), time_zone)))
}

/// `upd_`, eight characters that tell keys apart, and 256 random bits.
pub fn draw_secret() -> Result<String, Problem> {
    let (mut prefix, mut secret) = ([0; 5], [0; 32]);
    ambient::fill(&mut prefix)
        .and_then(|()| ambient::fill(&mut secret))
        .map_err(|_| Problem::new(Code::InternalError))?;
    let prefix = BASE32_NOPAD.encode(&prefix).to_ascii_lowercase();
    Ok(format!("upd_{prefix}_{}", BASE64URL_NOPAD.encode(&secret)))
}

#[cfg(test)]
mod tests {
    use crate::http::test_support::{Answer, NOW_TEXT, TestServer, UNKNOWN_ID};
    use actix_web::test::TestRequest;
    use serde_json::{Value, json};
    use std::collections::BTreeSet;
    use std::time::Duration;

    const KEYS: &str = "/api/api-keys";

    async fn ask_with(server: &TestServer, secret: &str, user: &str) -> Answer {
        server.send_as(secret, user, TestRequest::get().uri("/api/business/mine")).await
    }

    #[actix_web::test]
    async fn a_new_key_is_shown_with_its_secret_and_opens_the_door() {
        let server = TestServer::start().await;
        let me = server.get("/api/team").await.expect(200)[0]["id"].clone();
        let mut secrets = BTreeSet::new();
        for _ in 0..20 {
            let made = server.post(KEYS, &json!({"name": " shop sync "})).await.expect(201);
            let secret = made["secret"].as_str().unwrap();
            let parts: Vec<_> = secret.splitn(3, '_').collect();
            assert_eq!((parts[0], parts[1].len(), parts[2].len()), ("upd", 8, 43), "{secret}");
            let expected = json!({
                "id": made["id"], "name": "shop sync", "prefix": parts[1], "origin": "shop sync",
                "member": {"id": me}, "created": NOW_TEXT, "expires_at": null,
                "last_used_at": null, "secret": secret,
            });
            assert_eq!(made, expected);
            assert!(secrets.insert(secret.to_owned()), "{secret} was drawn twice");
            ask_with(&server, secret, me.as_str().unwrap()).await.expect(200);
        }
    }

    #[actix_web::test]
    async fn a_key_belongs_to_its_member_and_ends_when_it_says() {
        let server = TestServer::start().await;
        let me = server.get("/api/team").await.expect(200)[0]["id"].clone();
        let ada = server.post("/api/team", &json!({"email": "ada@example.com"})).await.expect(201);
        let secret = "a secret of an older script";
        let body = json!({
            "name": "x".repeat(65), "member_id": ada["id"], "secret": secret,
            "expires_at": "2026-11-24T05:41:00Z",
        });
        let made = server.post(KEYS, &body).await.expect(201);
        assert_eq!((&made["prefix"], &made["secret"]), (&json!(""), &json!(secret)));
        assert_eq!(made["expires_at"], "2026-11-24T05:41:00.000000+00:00");
        assert_eq!(made["origin"], "x".repeat(64), "as much of the name as an origin may have");
        let (ada, me) = (ada["id"].as_str().unwrap(), me.as_str().unwrap());
        ask_with(&server, secret, ada).await.expect(200);
        ask_with(&server, secret, me).await.expect_error(401, "authentication_failed");
        server.hands.advance(Duration::from_mins(1));
        ask_with(&server, secret, ada).await.expect_error(401, "authentication_failed");
    }

    #[actix_web::test]
    async fn a_list_shows_every_key_and_no_secret_and_a_member_only_its_own() {
        let server = TestServer::start().await;
        let me = server.get("/api/team").await.expect(200)[0]["id"].clone();
        let ada = server.post("/api/team", &json!({"email": "ada@example.com"})).await.expect(201);
        let body = json!({"name": "ada", "member_id": ada["id"]});
        // The first key was made by another hand, so that only time tells which is older.
        server.hands.advance(Duration::from_millis(1));
        let mut made = server.post(KEYS, &body).await.expect(201);
        let secret = made.as_object_mut().unwrap().remove("secret").unwrap();
        let page = server.get(KEYS).await.expect(200);
        assert_eq!((&page["count"], &page["results"][1]), (&json!(2), &made));
        assert_eq!(page["results"][0]["member"], json!({"id": me}));
        assert!(!page.to_string().contains(secret.as_str().unwrap()));
        let second = server.get(&format!("{KEYS}?page_size=1&page=2")).await.expect(200);
        assert_eq!(second["results"], json!([made]));

        let (secret, user) = (secret.as_str().unwrap(), ada["id"].as_str().unwrap());
        let own = server.send_as(secret, user, TestRequest::get().uri(KEYS)).await.expect(200);
        assert_eq!((&own["count"], &own["results"][0]["id"]), (&json!(1), &made["id"]));
        let others = format!("{KEYS}/{}", page["results"][0]["id"].as_str().unwrap());
        let answer = server.send_as(secret, user, TestRequest::delete().uri(&others)).await;
        answer.expect_error(404, "not_found");
        server.get(KEYS).await.expect(200);
    }

    #[actix_web::test]
    async fn a_revoked_key_lets_nobody_in_from_the_next_request_on() {
        let server = TestServer::start().await;
        let me = server.get("/api/team").await.expect(200)[0]["id"].clone();
        let me = me.as_str().unwrap();
        let secret = "a secret of an older script";
        let body = json!({"name": "k", "secret": secret});
        for _ in 0..2 {
            let made = server.post(KEYS, &body).await.expect(201);
            ask_with(&server, secret, me).await.expect(200);
            let path = format!("{KEYS}/{}", made["id"].as_str().unwrap());
            assert_eq!(server.delete(&path).await.expect(204), Value::Null);
            ask_with(&server, secret, me).await.expect_error(401, "authentication_failed");
            server.delete(&path).await.expect_error(404, "not_found");
            assert_eq!(server.get(KEYS).await.expect(200)["count"], 1);
        }
        for path in [UNKNOWN_ID, "x"] {
            let answer = server.delete(&format!("{KEYS}/{path}")).await;
            answer.expect_error(404, "not_found");
        }
        let bad = format!("{KEYS}/{UNKNOWN_ID}?strict=true&x=1");
        server.delete(&bad).await.expect_error(404, "not_found");
        server.get(&format!("{KEYS}/{UNKNOWN_ID}")).await.expect_error(405, "method_not_allowed");
    }

    #[actix_web::test]
    async fn the_hour_of_the_last_use_is_kept() {
        let server = TestServer::start().await;
        let used = async |expected: &str| loop {
            // Whoever is let in does not wait until it is kept.
            let page = server.get(KEYS).await.expect(200);
            if page["results"][0]["last_used_at"] == expected {
                break page;
            }
            actix_web::rt::task::yield_now().await;
        };
        used("2026-11-24T05:00:00.000000+00:00").await;
        let commits = server.engine.partitions()[0].counters().appends;
        server.hands.advance(Duration::from_mins(10));
        used("2026-11-24T05:00:00.000000+00:00").await;
        assert_eq!(server.engine.partitions()[0].counters().appends, commits, "once an hour");
        server.hands.advance(Duration::from_mins(10));
        used("2026-11-24T06:00:00.000000+00:00").await;
    }

    #[actix_web::test]
    async fn a_bad_key_is_refused() {
        let server = TestServer::start().await;
        let secret = "0123456789abcdef";
        server.post(KEYS, &json!({"name": "k", "secret": secret})).await.expect(201);
        let with = |key: &str, value: Value| {
            let mut body = json!({"name": "k"});
            body[key] = value;
            body
        };
        for (body, code, key) in [
            (json!({}), "required", "name"),
            (with("name", json!("")), "blank", "name"),
            (with("name", json!("x".repeat(201))), "max_length", "name"),
            (with("origin", json!("x".repeat(65))), "max_length", "origin"),
            (with("expires_at", json!("soon")), "invalid", "expires_at"),
            (with("member_id", json!("me")), "invalid", "member_id"),
            (with("member_id", json!(UNKNOWN_ID)), "does_not_exist", "member_id"),
            (with("secret", json!("0123456789abcde")), "invalid", "secret"),
            (with("secret", json!("x".repeat(257))), "invalid", "secret"),
            (with("secret", json!(" 123456789abcdef ")), "invalid", "secret"),
            (with("secret", json!("0123456789abcdé")), "invalid", "secret"),
            (with("secret", json!("0123456789\tabcdef")), "invalid", "secret"),
            (with("secret", json!(secret)), "unique", "secret"),
        ] {
            let answer = server.post(KEYS, &body).await;
            assert_eq!(answer.faults(), [(code.to_owned(), key.to_owned())], "{body}");
            let body = answer.expect(400);
            assert!(!body.to_string().contains(secret), "no answer repeats a secret");
        }
    }

    #[actix_web::test]
    async fn the_own_business_is_told() {
        let server = TestServer::start().await;
        let mine = server.get("/api/business/mine").await.expect(200);
        let expected = json!({
            "id": mine["id"], "name": "default", "country": "US", "phone_default_region": "US",
            "timezone": {"name": "UTC"}, "created": NOW_TEXT,
        });
        assert_eq!(mine, expected);
        server.get("/api/business/mine?strict=1&x=1").await.expect_error(400, "unknown_parameter");
    }
}
