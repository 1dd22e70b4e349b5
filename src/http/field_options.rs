//! The routes of a field's options.
//!
//! It must not know what an option may be: the model decides that.

use crate::http::body::Body;
use crate::http::dry_run::Run;
use crate::http::endpoint::Endpoint;
use crate::http::extension::RouteGroup;
use crate::http::fault::{Fault, Faults, Place};
use crate::http::field_values::list_selectable;
use crate::http::fields::AddressedField;
use crate::http::page::{Address, PageRequest};
use crate::http::problem::Problem;
use crate::http::query::Query;
use crate::http::schema_change::ask_for_schema;
use crate::http::schema_fault::{add_schema_faults, throwaway_ids};
use crate::http::target::Target;
use crate::http::wire::schema_fields::{OptionShape, read_new_option, read_option_reference};
use crate::model::filter::words::SEARCH_CHARS_MAX;
use crate::model::id::OptionId;
use crate::model::schema::new_field::NewOption;
use crate::model::table::command::{Ask, Reply};
use crate::model::table::schema_command::SchemaAsk;
use crate::model::value::FieldType;
use actix_web::dev::Payload;
use actix_web::web::ServiceConfig;
use actix_web::{FromRequest, HttpRequest, HttpResponse};
use std::future::{Ready, ready};

/// Adds the routes.
pub fn register(config: &mut ServiceConfig) {
    let options = Endpoint::at("/api/custom-objects/{object_identifier}/fields/{field}/options");
    let option =
        Endpoint::at("/api/custom-objects/{object_identifier}/fields/{field}/options/{option}");
    let replace = Endpoint::at(
        "/api/custom-objects/{object_identifier}/fields/{field}/options/{option}/replace",
    );
    config
        .service(options.running_dry().get(list).post(create))
        .service(option.running_dry().patch(change).delete(remove))
        .service(replace.running_dry().post_change(replace_option));
}

/// The id of the option that the path names; what is no id names none.
struct AddressedOption(OptionId);

impl FromRequest for AddressedOption {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let id = request.match_info().get("option").and_then(OptionId::parse);
        ready(id.map(Self).ok_or_else(Problem::not_found))
    }
}

async fn list(addressed: AddressedField, request: HttpRequest) -> Result<HttpResponse, Problem> {
    if addressed.field.field_type == FieldType::Relationship {
        return list_selectable(&addressed.field, &request).await;
    }
    let mut faults = Faults::default();
    let mut query = Query::read(request.query_string(), &mut faults);
    let page = PageRequest::of_query(&mut query, &mut faults);
    let search = query.text("search", &mut faults).map(|part| part.trim().to_lowercase());
    query.finish(RouteGroup::Read, request.headers(), &[], &mut faults);
    if search.as_ref().is_some_and(|part| part.chars().nth(SEARCH_CHARS_MAX).is_some()) {
        faults.push(Fault::max_length(Place::Query("search".into()), SEARCH_CHARS_MAX));
    }
    faults.check()?;
    let page = page?;

    let mut rows = OptionShape::all(&addressed.field);
    if let Some(part) = &search {
        rows.retain(|row| row.name().to_lowercase().contains(part.as_str()));
    }
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
    let (option, run) = read_create(&addressed, &request, &body)?;
    let AddressedField { target, field, .. } = addressed;
    let ask = run.ask(Ask::CreateOption { field: field.number, option });
    let reply = ask_for_schema(&target, ask, body.bytes().len()).await?;
    let Reply::Option(choice) = reply else {
        unreachable!("the creation of an option is answered with the option")
    };
    Ok(run.answer(HttpResponse::Created(), OptionShape::of(&choice)))
}

async fn change(
    addressed: AddressedField,
    option: AddressedOption,
    request: HttpRequest,
    body: Body,
) -> Result<HttpResponse, Problem> {
    let AddressedOption(option) = option;
    let (change, run) = read_change(&addressed, option, &request, &body)?;
    let AddressedField { target, field, .. } = addressed;
    let asked = SchemaAsk::ChangeOption { field: field.number, option, change };
    answer_with_option(&target, asked, run, body.bytes().len()).await
}

async fn remove(
    addressed: AddressedField,
    option: AddressedOption,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let run = Run::of(&request, RouteGroup::FieldWrite)?;
    let AddressedField { target, field, .. } = addressed;
    let asked = SchemaAsk::RemoveOption { field: field.number, option: option.0 };
    ask_for_schema(&target, run.ask(Ask::ChangeSchema(asked)), 0).await?;
    Ok(run.answer_nothing())
}

async fn replace_option(
    addressed: AddressedField,
    option: AddressedOption,
    request: HttpRequest,
    body: Body,
) -> Result<HttpResponse, Problem> {
    let AddressedOption(option) = option;
    let (by, run) = read_successor(&addressed, option, &request, &body)?;
    let AddressedField { target, field, .. } = addressed;
    let asked = SchemaAsk::ReplaceOption { field: field.number, option, by };
    answer_with_option(&target, asked, run, body.bytes().len()).await
}

async fn answer_with_option(
    target: &Target,
    asked: SchemaAsk,
    run: Run,
    bytes: usize,
) -> Result<HttpResponse, Problem> {
    let reply = ask_for_schema(target, run.ask(Ask::ChangeSchema(asked)), bytes).await?;
    let Reply::Option(choice) = reply else {
        unreachable!("a change of an option is answered with the option")
    };
    Ok(run.answer(HttpResponse::Ok(), OptionShape::of(&choice)))
}

fn read_change(
    addressed: &AddressedField,
    option: OptionId,
    request: &HttpRequest,
    body: &Body,
) -> Result<(NewOption, Run), Problem> {
    let held = addressed.field.options.by_id(option).ok_or_else(Problem::not_found)?;
    let input = body.parse()?;
    let mut faults = Faults::default();
    let (is_strict, run) = Run::read(request, RouteGroup::FieldWrite, &mut faults);
    let change = read_new_option(&input, is_strict, &mut faults);
    if !faults.is_empty()
        && let Err(found) = addressed.field.decide_option_change(held, &change)
    {
        add_schema_faults(&found, &mut faults);
    }
    faults.check().map(|()| (change, run))
}

fn read_successor(
    addressed: &AddressedField,
    option: OptionId,
    request: &HttpRequest,
    body: &Body,
) -> Result<(Option<String>, Run), Problem> {
    let held = addressed.field.options.by_id(option).ok_or_else(Problem::not_found)?;
    let input = body.parse()?;
    let mut faults = Faults::default();
    let (is_strict, run) = Run::read(request, RouteGroup::FieldWrite, &mut faults);
    let by = read_option_reference(&input, is_strict, &mut faults);
    if !faults.is_empty()
        && let Err(found) = addressed.field.decide_successor(held, by.as_deref())
    {
        add_schema_faults(&found, &mut faults);
    }
    faults.check().map(|()| (by, run))
}

fn read_create(
    addressed: &AddressedField,
    request: &HttpRequest,
    body: &Body,
) -> Result<(NewOption, Run), Problem> {
    let input = body.parse()?;
    let mut faults = Faults::default();
    let (is_strict, run) = Run::read(request, RouteGroup::FieldWrite, &mut faults);
    let new = read_new_option(&input, is_strict, &mut faults);
    let AddressedField { schema, field, .. } = addressed;
    if !faults.is_empty()
        && let Err(found) = schema.decide_option(field, &new, &mut throwaway_ids())
    {
        add_schema_faults(&found, &mut faults);
    }
    faults.check().map(|()| (new, run))
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
    async fn options_are_found_by_a_part_of_their_label() {
        let server = TestServer::start().await;
        let zones = "/api/custom-objects/client_client/fields/timezone/options";
        let page = server.get(&format!("{zones}?search=BERL")).await.expect(200);
        assert_eq!(
            (&page["count"], &page["results"][0]["id"]),
            (&json!(1), &json!("Europe/Berlin"))
        );
        let page = server.get(&format!("{zones}?search=nowhere")).await.expect(200);
        assert_eq!(page["count"], 0);
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

    const RECORDS: &str = "/api/records/accounts";

    async fn record(server: &TestServer, region: &str) -> String {
        let fields = json!({"name": region, "region": {"name": region}});
        let made = server.post(&format!("{RECORDS}/add"), &json!({"fields": fields})).await;
        made.expect(201)["id"].as_str().unwrap().to_owned()
    }

    /// The label that a record reads for its region, and its version.
    async fn region_of(server: &TestServer, id: &str) -> (Option<String>, u64) {
        let read = server.get(&format!("{RECORDS}/{id}")).await.expect(200);
        let fields = read["fields"].as_object().unwrap();
        let region = fields.values().find(|field| field["name"] == "region");
        let label = region.map(|field| field["value"]["name"].as_str().unwrap().to_owned());
        (label, read["version"].as_u64().unwrap())
    }

    async fn option_id(server: &TestServer, label: &str) -> String {
        let page = server.get(OPTIONS).await.expect(200);
        let found = page["results"].as_array().unwrap().iter().find(|o| o["name"] == label);
        found.unwrap()["id"].as_str().unwrap().to_owned()
    }

    #[actix_web::test]
    async fn an_option_is_renamed_and_no_record_changes() {
        let server = accounts().await;
        let id = record(&server, "North").await;
        let north = option_id(&server, "North").await;
        let path = format!("{OPTIONS}/{north}");
        let body = json!({"name": " Up ", "code": "u", "order": 9});
        let changed = server.patch(&path, &body).await.expect(200);
        let expected = json!({"id": north, "name": "Up", "code": "u", "order": 9, "meta": {}});
        assert_eq!(changed, expected);
        assert_eq!(server.patch(&path, &json!({})).await.expect(200), expected, "nothing changes");
        assert_eq!(region_of(&server, &id).await, (Some("Up".to_owned()), 1));
        for (body, code, place) in [
            (json!({"name": "SOUTH"}), "unique", "name"),
            (json!({"name": ""}), "blank", "name"),
            (json!({"name": null}), "null", "name"),
            (json!({"order": "x", "name": "south"}), "invalid", "order"),
        ] {
            let answer = server.patch(&path, &body).await;
            assert_eq!(answer.faults()[0], (code.to_owned(), place.to_owned()), "{body}");
            answer.expect(400);
        }
        assert_eq!(option_id(&server, "Up").await, north);
    }

    #[actix_web::test]
    async fn a_removed_option_leaves_its_records_blank_and_as_they_are() {
        let server = accounts().await;
        let id = record(&server, "North").await;
        let path = format!("{OPTIONS}/{}", option_id(&server, "North").await);
        let before = server.get(&format!("{RECORDS}/{id}")).await;
        assert_eq!(server.delete(&path).await.status, 204);
        let after = server.get(&format!("{RECORDS}/{id}")).await;
        assert_ne!(before.headers.get("etag"), after.headers.get("etag"), "it reads otherwise");
        assert_eq!(region_of(&server, &id).await, (None, 1));
        server.delete(&path).await.expect_error(404, "not_found");
        server.patch(&path, &json!({})).await.expect_error(404, "not_found");
        // Clearing what is blank is no change; choosing another is one.
        let record_path = format!("{RECORDS}/{id}");
        server.patch(&record_path, &json!({"fields": {"region": null}})).await.expect(200);
        assert_eq!(region_of(&server, &id).await, (None, 1));
        server.patch(&record_path, &json!({"fields": {"region": "South"}})).await.expect(200);
        assert_eq!(region_of(&server, &id).await, (Some("South".to_owned()), 2));
    }

    #[actix_web::test]
    async fn a_replaced_option_reads_as_its_successor_and_writing_that_is_no_change() {
        let server = accounts().await;
        let id = record(&server, "North").await;
        let [north, south] = [option_id(&server, "North").await, option_id(&server, "South").await];
        let path = format!("{OPTIONS}/{north}/replace");
        for (body, code) in [
            (json!({}), "required"),
            (json!({"id": null}), "null"),
            (json!({"id": "South"}), "invalid"),
            (json!({"id": north}), "invalid"),
            (json!({"id": crate::http::test_support::UNKNOWN_ID}), "does_not_exist"),
        ] {
            let answer = server.post(&path, &body).await;
            assert_eq!(answer.faults(), [(code.to_owned(), "id".to_owned())], "{body}");
            answer.expect(400);
        }
        let replaced = server.post(&path, &json!({"id": south})).await.expect(200);
        assert_eq!(replaced["id"], json!(south));
        assert_eq!(region_of(&server, &id).await, (Some("South".to_owned()), 1));
        let body = json!({"fields": {"region": {"id": south}}});
        server.patch(&format!("{RECORDS}/{id}"), &body).await.expect(200);
        assert_eq!(region_of(&server, &id).await.1, 1, "it is the same value");
        assert_eq!(server.get(OPTIONS).await.expect(200)["count"], 1);
        server.post(&path, &json!({"id": south})).await.expect_error(404, "not_found");
    }
}
