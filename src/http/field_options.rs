//! The routes of a field's options.
//!
//! It must not know what an option may be: the model decides that.

use crate::http::body::Body;
use crate::http::caller::require;
use crate::http::endpoint::Endpoint;
use crate::http::extension::RouteGroup;
use crate::http::fault::Faults;
use crate::http::fields::{AddressedField, of_schema_rejection};
use crate::http::page::{Address, PageRequest};
use crate::http::plain::read_no_parameters;
use crate::http::problem::Problem;
use crate::http::query::Query;
use crate::http::refusal::of_ask_error;
use crate::http::schema_fault::{add_schema_faults, throwaway_ids};
use crate::http::wire::schema_fields::{OptionShape, read_new_option};
use crate::model::schema::new_field::NewOption;
use crate::model::table::command::{Ask, Command, Reply};
use actix_web::web::ServiceConfig;
use actix_web::{HttpRequest, HttpResponse};

/// Adds the routes.
pub fn register(config: &mut ServiceConfig) {
    let options = Endpoint::at("/api/custom-objects/{object_identifier}/fields/{field}/options");
    config.service(options.get(list).post(create));
}

async fn list(addressed: AddressedField, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let mut faults = Faults::default();
    let mut query = Query::read(request.query_string(), &mut faults);
    let page = PageRequest::of_query(&mut query, &mut faults)?;
    query.finish(RouteGroup::Read, request.headers(), &[], &mut faults);
    faults.check()?;

    let mut rows = OptionShape::all(&addressed.field);
    let count = rows.len();
    let places = page.places(count)?;
    rows.truncate(places.end);
    let rows = rows.split_off(places.start);
    Ok(HttpResponse::Ok().json(page.envelope(count, rows, &Address::of_request(&request))))
}

async fn create(
    addressed: AddressedField,
    request: HttpRequest,
    body: Body,
) -> Result<HttpResponse, Problem> {
    let option = read_create(&addressed, &request, &body)?;
    let AddressedField { target, field, .. } = addressed;
    require(target.access.may_change_schema())?;
    let ask = Ask::CreateOption { field: field.number, option };
    let command = Command { caller: target.caller.for_request(), ask };
    let answer = target.engine.ask_table(&target.table, command, body.bytes().len()).await;
    let reply = answer.map_err(|error| of_ask_error(error, of_schema_rejection))?;
    let Reply::Option(choice) = reply else {
        unreachable!("the creation of an option is answered with the option")
    };
    Ok(HttpResponse::Created().json(OptionShape::of(&choice)))
}

fn read_create(
    addressed: &AddressedField,
    request: &HttpRequest,
    body: &Body,
) -> Result<NewOption, Problem> {
    let input = body.parse()?;
    let mut faults = Faults::default();
    let is_strict = read_no_parameters(request, RouteGroup::FieldWrite, &mut faults);
    let new = read_new_option(&input, is_strict, &mut faults);
    let AddressedField { schema, field, .. } = addressed;
    if !faults.is_empty()
        && let Err(found) = schema.decide_option(field, &new, &mut throwaway_ids())
    {
        add_schema_faults(&found, &mut faults);
    }
    faults.check().map(|()| new)
}

#[cfg(test)]
mod tests {
    use crate::http::test_support::TestServer;
    use serde_json::json;

    const OPTIONS: &str = "/api/custom-objects/accounts/fields/region/options";

    async fn accounts() -> TestServer {
        let server = TestServer::start().await;
        let body = json!({"object_name": "Accounts"});
        server.post("/api/custom-objects", &body).await.expect(201);
        let body = json!({
            "field_type": "dropdown", "display_name": "Region",
            "options": [{"name": "North"}, {"name": "South", "code": "s", "order": -1}],
        });
        server.post("/api/custom-objects/accounts/fields", &body).await.expect(201);
        server
    }

    #[actix_web::test]
    async fn options_are_added_and_listed_in_order() {
        let server = accounts().await;
        let body = json!({"name": " East ", "code": "e", "meta": {"a": [1]}});
        let east = server.post(OPTIONS, &body).await.expect(201);
        let expected =
            json!({"id": east["id"], "name": "East", "code": "e", "order": 1, "meta": {"a": [1]}});
        assert_eq!(east, expected);
        let page = server.get(OPTIONS).await.expect(200);
        let names: Vec<_> =
            page["results"].as_array().unwrap().iter().map(|option| &option["name"]).collect();
        assert_eq!(names, ["South", "North", "East"]);
        assert_eq!(page["results"][2], east);
        let last = server.get(&format!("{OPTIONS}?page_size=2&page=2")).await.expect(200);
        assert_eq!((&last["results"], &last["count"]), (&json!([east]), &json!(3)));
        let field = server.get("/api/custom-objects/accounts/fields/region").await.expect(200);
        assert_eq!(field["options"], page["results"], "the field shows the same ones");
    }

    #[actix_web::test]
    async fn a_bad_option_is_refused() {
        let server = accounts().await;
        for (body, code, place) in [
            (json!({}), "required", "name"),
            (json!({"name": null}), "null", "name"),
            (json!({"name": "NORTH"}), "unique", "name"),
            (json!({"name": "x".repeat(201)}), "max_length", "name"),
            (json!({"name": "A", "order": "first"}), "invalid", "order"),
            (json!({"name": "A", "meta": {"a": "x".repeat(4096)}}), "limit_exceeded", "meta"),
        ] {
            let answer = server.post(OPTIONS, &body).await;
            assert_eq!(answer.faults(), [(code.to_owned(), place.to_owned())], "{body}");
            answer.expect(400);
        }
        for (object, field, code) in
            [("accounts", "name", "invalid"), ("client_client", "email_status", "immutable")]
        {
            let path = format!("/api/custom-objects/{object}/fields/{field}/options");
            let answer = server.post(&path, &json!({"name": "A"})).await;
            answer.expect_error(400, code);
        }
        assert_eq!(server.get(OPTIONS).await.expect(200)["count"], 2);
    }
}
