//! The route of the caller's own business.

use crate::engine::Engine;
use crate::http::body::Body;
use crate::http::caller::{Caller, require};
use crate::http::endpoint::Endpoint;
use crate::http::extension::RouteGroup;
use crate::http::fault::Faults;
use crate::http::plain::{check_no_parameters, read_no_parameters};
use crate::http::problem::Problem;
use crate::http::root_refusal::changed;
use crate::http::wire::business::{BusinessShape, read_business_edit};
use crate::model::root::command::{Ask, Command};
use actix_web::web::{Data, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};

/// Adds the route.
pub fn register(config: &mut ServiceConfig) {
    let mine = Endpoint::at("/api/business/mine");
    config.service(mine.get(retrieve).patch(update).put(update));
}

async fn retrieve(caller: Caller, request: HttpRequest) -> Result<HttpResponse, Problem> {
    check_no_parameters(&request, RouteGroup::Read)?;
    Ok(HttpResponse::Ok().json(BusinessShape::of(caller.business.info())))
}

/// Changes what the body names; the rest stays, with `PUT` too, as everywhere in the API.
async fn update(
    engine: Data<Engine>,
    caller: Caller,
    request: HttpRequest,
    body: Body,
) -> Result<HttpResponse, Problem> {
    require(caller.rights.may_edit_settings())?;
    let input = body.parse()?;
    let mut faults = Faults::default();
    let is_strict = read_no_parameters(&request, RouteGroup::Write, &mut faults);
    let edit = read_business_edit(&input, caller.business.id(), is_strict, &mut faults);
    faults.check()?;
    let edit = edit.expect("a body without a fault has been read");
    let asking = caller.for_write();
    let ask = Ask::Update(Box::new(edit));
    let command = Command { actor: asking.member, batch: asking.batch, retry: asking.retry, ask };
    let business = changed(engine.ask_root(command, body.bytes().len()).await?);
    Ok(HttpResponse::Ok().json(BusinessShape::of(&business)))
}

#[cfg(test)]
mod tests {
    use crate::http::test_support::{TestServer, UNKNOWN_ID};
    use actix_web::test::TestRequest;
    use serde_json::json;

    const MINE: &str = "/api/business/mine";

    #[actix_web::test]
    async fn a_change_is_shown_by_the_next_request() {
        let server = TestServer::start().await;
        let record = json!({"lookup_value": "ada@example.com"});
        let record = server.post("/api/records/client_client/upsert", &record).await.expect(200);
        let record = format!("/api/records/client_client/{}", record["id"].as_str().unwrap());
        let before = server.get(&record).await;
        let first = server.get(MINE).await.expect(200);
        for (body, key, value) in [
            (json!({}), "name", json!("default")),
            (json!({"name": " Acme "}), "name", json!("Acme")),
            (json!({"country": "de"}), "country", json!("DE")),
            (json!({"phone_default_region": "AT"}), "phone_default_region", json!("AT")),
            (json!({"id": first["id"], "country": null}), "country", json!("DE")),
        ] {
            let mut expected = server.get(MINE).await.expect(200);
            expected[key] = value;
            assert_eq!(server.patch(MINE, &body).await.expect(200), expected, "{body}");
            assert_eq!(server.put(MINE, &body).await.expect(200), expected, "PUT {body}");
            assert_eq!(server.get(MINE).await.expect(200), expected, "{body}");
        }
        for zone in [json!({"name": "europe/berlin"}), json!("Europe/Berlin")] {
            let changed = server.patch(MINE, &json!({"timezone": zone})).await.expect(200);
            assert_eq!(changed["timezone"], json!({"name": "Europe/Berlin"}));
            assert_eq!(changed["created"], "2026-11-24T06:40:00.123000+01:00");
        }
        let after = server.get(&record).await;
        assert_ne!(before.headers.get("etag"), after.headers.get("etag"), "times read otherwise");
        assert_eq!(after.expect(200)["created"], "2026-11-24T06:40:00.123000+01:00");
    }

    #[actix_web::test]
    async fn a_bad_change_is_refused() {
        let server = TestServer::start().await;
        let first = server.get(MINE).await.expect(200);
        for (body, code, key) in [
            (json!({"name": ""}), "blank", "name"),
            (json!({"name": null}), "null", "name"),
            (json!({"name": "x".repeat(201)}), "max_length", "name"),
            (json!({"timezone": "Mars/Olympus"}), "invalid_choice", "timezone"),
            (json!({"timezone": 1}), "invalid", "timezone"),
            (json!({"country": "XX"}), "invalid_choice", "country"),
            (json!({"phone_default_region": 49}), "invalid", "phone_default_region"),
            (json!({"id": UNKNOWN_ID}), "immutable", "id"),
        ] {
            let answer = server.patch(MINE, &body).await;
            assert_eq!(answer.faults(), [(code.to_owned(), key.to_owned())], "{body}");
            answer.expect(400);
        }
        assert_eq!(server.get(MINE).await.expect(200), first);
        let ada = server.post("/api/team", &json!({"email": "ada@example.com"})).await.expect(201);
        let key = json!({"name": "ada", "member_id": ada["id"]});
        let key = server.post("/api/api-keys", &key).await.expect(201);
        let request = TestRequest::patch().uri(MINE).set_json(json!({"name": "mine"}));
        let (secret, user) = (key["secret"].as_str().unwrap(), ada["id"].as_str().unwrap());
        server.send_as(secret, user, request).await.expect_error(403, "permission_required");
    }
}
