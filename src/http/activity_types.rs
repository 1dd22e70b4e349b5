//! The routes of activity types, and of what took place of each.
//!
//! It must not know which records a type takes: the model decides that.

use crate::engine::Engine;
use crate::http::activity_access::{level_on_activity, level_on_logged};
use crate::http::agenda_refusal::of_rejection;
use crate::http::body::Body;
use crate::http::caller::{Caller, require};
use crate::http::endpoint::Endpoint;
use crate::http::extension::RouteGroup;
use crate::http::fault::Faults;
use crate::http::page::{Address, PageRequest};
use crate::http::plain::{check_no_parameters, read_no_parameters};
use crate::http::problem::Problem;
use crate::http::query::Query;
use crate::http::refusal::of_ask_error;
use crate::http::wire::activities::{ActivityTypeShape, LoggedShape};
use crate::http::wire::activity_body::read_log;
use crate::http::wire::activity_type_body::{read_new_type, read_type_edit};
use crate::model::agenda::ActivityType;
use crate::model::agenda::command::{Ask, Command, Rejection, Reply};
use crate::model::catalog::permission::Level;
use crate::model::id::{ActivityTypeId, LoggedActivityId};
use crate::model::input::Input;
use actix_web::web::{Data, Path, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use std::sync::Arc;

/// Adds the routes; those of scheduled activities are added before, since a word of their paths
/// stands where a type's name does here.
pub fn register(config: &mut ServiceConfig) {
    let one = Endpoint::at("/api/activities/{reference}");
    config
        .service(Endpoint::at("/api/activities").get(list).post(create))
        .service(Endpoint::at("/api/activities/logged/{id:[^/]{36}}").get(retrieve_logged))
        .service(Endpoint::at("/api/activities/{reference}/log-activity").post(log))
        .service(Endpoint::at("/api/activities/{reference}/responses").post_read(list_logged))
        .service(one.get(retrieve).patch(update).put(update).delete(delete));
}

fn shape<'a>(caller: &Caller, activity_type: &'a ActivityType) -> ActivityTypeShape<'a> {
    ActivityTypeShape::of(activity_type, caller)
}

/// The type that a path names by its id or its API name.
fn find(caller: &Caller, reference: &str) -> Result<Arc<ActivityType>, Problem> {
    let agenda = caller.business.agenda();
    let found = match ActivityTypeId::parse(reference) {
        Some(id) => agenda.offered_type(id),
        None => agenda.offered_type_of_name(reference),
    };
    found.ok_or_else(Problem::not_found)
}

async fn list(caller: Caller, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let mut faults = Faults::default();
    let mut query = Query::read(request.query_string(), &mut faults);
    let page = PageRequest::of_query(&mut query, &mut faults);
    query.finish(RouteGroup::Read, request.headers(), &[], &mut faults);
    faults.check()?;
    let page = page?;

    let types = caller.business.agenda().offered_types();
    let places = page.places(types.len())?;
    let rows: Vec<_> = types[places].iter().map(|found| shape(&caller, found)).collect();
    let page = page.envelope(types.len(), rows, &Address::of_request(&request));
    Ok(HttpResponse::Ok().json(page))
}

async fn create(
    engine: Data<Engine>,
    caller: Caller,
    request: HttpRequest,
    body: Body,
) -> Result<HttpResponse, Problem> {
    let input = body.parse()?;
    require(caller.rights.may_edit_settings())?;
    let mut faults = Faults::default();
    let is_strict = read_no_parameters(&request, RouteGroup::Write, &mut faults);
    let new = read_new_type(&input, &caller, is_strict, &mut faults);
    faults.check()?;
    let new = new.expect("a body without a fault has been read");
    let ask = Ask::CreateType(Box::new(new));
    let made = change(&engine, &caller, ask, body.bytes().len()).await?;
    Ok(HttpResponse::Created().json(shape(&caller, &made)))
}

async fn retrieve(
    caller: Caller,
    reference: Path<String>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let found = find(&caller, &reference)?;
    check_no_parameters(&request, RouteGroup::Read)?;
    Ok(HttpResponse::Ok().json(shape(&caller, &found)))
}

/// Changes what the body names; the rest stays, with `PUT` too, as everywhere in the API.
async fn update(
    engine: Data<Engine>,
    caller: Caller,
    reference: Path<String>,
    request: HttpRequest,
    body: Body,
) -> Result<HttpResponse, Problem> {
    require(caller.rights.may_edit_settings())?;
    let held = find(&caller, &reference)?;
    let input = body.parse()?;
    let mut faults = Faults::default();
    let is_strict = read_no_parameters(&request, RouteGroup::Write, &mut faults);
    let edit = read_type_edit(&input, &held, &caller, is_strict, &mut faults);
    faults.check()?;
    let edit = edit.expect("a body without a fault has been read");
    let ask = Ask::UpdateType(Box::new(edit));
    let changed = change(&engine, &caller, ask, body.bytes().len()).await?;
    Ok(HttpResponse::Ok().json(shape(&caller, &changed)))
}

/// Deletes a type. What there is of it stays as it is and counts as before.
async fn delete(
    engine: Data<Engine>,
    caller: Caller,
    reference: Path<String>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    require(caller.rights.may_remove_settings())?;
    let found = find(&caller, &reference)?;
    check_no_parameters(&request, RouteGroup::Write)?;
    let command = Command { caller: caller.for_write(), ask: Ask::DeleteType(found.id) };
    engine.ask_agenda(&caller.business, command, 0).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// The type after a change.
async fn change(
    engine: &Engine,
    caller: &Caller,
    ask: Ask,
    bytes: usize,
) -> Result<Arc<ActivityType>, Problem> {
    let command = Command { caller: caller.for_write(), ask };
    match engine.ask_agenda(&caller.business, command, bytes).await? {
        Reply::Type(found) => Ok(found),
        Reply::Activity(_) | Reply::Logged(_) | Reply::Done => {
            unreachable!("a type that is put is answered")
        }
    }
}

/// Keeps that an activity took place, and completes the scheduled one that the body names.
async fn log(
    engine: Data<Engine>,
    caller: Caller,
    reference: Path<String>,
    request: HttpRequest,
    body: Body,
) -> Result<HttpResponse, Problem> {
    let found = find(&caller, &reference)?;
    let input = body.parse()?;
    let mut faults = Faults::default();
    let is_strict = read_no_parameters(&request, RouteGroup::Write, &mut faults);
    let log = read_log(&input, found.id, &caller, is_strict, &mut faults);
    faults.check()?;
    let log = log.expect("a body without a fault has been read");
    let completed = log.scheduled.and_then(|id| caller.business.agenda().activity(id));
    if let Some(completed) = completed {
        let level = level_on_activity(&caller, &completed);
        if level < Level::View {
            return Err(of_rejection(Rejection::UnknownScheduled, "related_objects"));
        }
        require(level >= Level::Edit)?;
    }
    let ask = Ask::Log(Box::new(log));
    let command = Command { caller: caller.for_write(), ask };
    let reply = engine.ask_agenda(&caller.business, command, body.bytes().len()).await.map_err(
        |error| of_ask_error(error, |rejection| of_rejection(rejection, "related_objects")),
    )?;
    let Reply::Logged(logged) = reply else { unreachable!("what is logged is answered") };
    let shape = LoggedShape::of(&logged, &caller);
    Ok(HttpResponse::Created().json(shape))
}

async fn retrieve_logged(
    caller: Caller,
    id: Path<String>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let logged = LoggedActivityId::parse(&id).and_then(|id| caller.business.agenda().logged(id));
    let logged = logged.filter(|logged| level_on_logged(&caller, logged) >= Level::View);
    let logged = logged.ok_or_else(Problem::not_found)?;
    check_no_parameters(&request, RouteGroup::Read)?;
    Ok(HttpResponse::Ok().json(LoggedShape::of(&logged, &caller)))
}

/// What took place of a type, newest first. Its page may be asked for in the body too.
async fn list_logged(
    caller: Caller,
    reference: Path<String>,
    request: HttpRequest,
    body: Body,
) -> Result<HttpResponse, Problem> {
    let found = find(&caller, &reference)?;
    let input = if body.is_empty() { Input::Map(Vec::new()) } else { body.parse()? };
    let mut faults = Faults::default();
    let mut query = Query::read_with_body(request.query_string(), &input, &mut faults);
    let page = PageRequest::of_query(&mut query, &mut faults);
    query.finish(RouteGroup::Read, request.headers(), &[], &mut faults);
    faults.check()?;
    let page = page?;

    let mut logged = caller.business.agenda().logged_of_type(found.id);
    logged.retain(|logged| level_on_logged(&caller, logged) >= Level::View);
    let places = page.places(logged.len())?;
    let row = |logged| LoggedShape::of(logged, &caller);
    let rows = logged[places].iter().map(|logged| row(logged)).collect();
    let page = page.envelope(logged.len(), rows, &Address::of_request(&request));
    Ok(HttpResponse::Ok().json(page))
}

#[cfg(test)]
mod tests {
    use crate::http::test_support::{NOW_TEXT, TestServer, UNKNOWN_ID};
    use serde_json::{Value, json};
    use std::time::Duration;

    const TYPES: &str = "/api/activities";
    const SCHEDULED: &str = "/api/activities/scheduled-activity";

    #[actix_web::test]
    async fn the_type_that_every_business_has_is_found_by_id_and_name() {
        let server = TestServer::start().await;
        let page = server.get("/api/activities").await.expect(200);
        let task = page["results"][0].clone();
        let expected = json!({
            "id": task["id"], "name": "Task", "api_name": "task", "description": "",
            "association_mode": "all_objects_associated", "associated_objects": [],
            "created": NOW_TEXT,
        });
        assert_eq!((&task, &page["count"]), (&expected, &json!(1)));
        for reference in ["task", task["id"].as_str().unwrap()] {
            let read = server.get(&format!("/api/activities/{reference}")).await.expect(200);
            assert_eq!(read, task);
        }
        for reference in ["Task", UNKNOWN_ID] {
            let answer = server.get(&format!("/api/activities/{reference}")).await;
            answer.expect_error(404, "not_found");
        }
    }

    /// A business with an account and a deal, and the bodies that name them.
    async fn scene() -> (TestServer, [Value; 2], [Value; 2]) {
        let server = TestServer::start().await;
        let (mut objects, mut entities) = (Vec::new(), Vec::new());
        for name in ["accounts", "deals"] {
            let body = json!({"object_name": name});
            let object = server.post("/api/custom-objects", &body).await.expect(201);
            let body = json!({"lookup_value": "Acme"});
            let path = format!("/api/records/{name}/upsert");
            let record = server.post(&path, &body).await.expect(200);
            objects.push(json!({"id": object["id"], "name": name}));
            entities.push(json!({
                "custom_object": {"id": object["id"], "name": name},
                "entity": {"id": record["id"], "name": "Acme"},
            }));
        }
        let pair = |list: Vec<Value>| <[Value; 2]>::try_from(list).unwrap();
        (server, pair(objects), pair(entities))
    }

    #[actix_web::test]
    async fn a_type_is_made_changed_and_deleted() {
        let (server, [accounts, deals], _) = scene().await;
        let selected = json!([{"custom_object": {"id": accounts["id"]}}]);
        let body = json!({
            "name": " First call ", "description": "By telephone",
            "association_mode": "selected_objects_associated", "associated_objects": selected,
        });
        let made = server.post(TYPES, &body).await.expect(201);
        let expected = json!({
            "id": made["id"], "name": "First call", "api_name": "first_call",
            "description": "By telephone", "association_mode": "selected_objects_associated",
            "associated_objects": [{"custom_object": accounts}], "created": NOW_TEXT,
        });
        assert_eq!(made, expected);
        let path = format!("{TYPES}/first_call");
        assert_eq!(server.get(&path).await.expect(200), made);
        assert_eq!(server.get(TYPES).await.expect(200)["results"][1], made);
        let mut now = made.clone();
        for (body, key, value) in [
            (json!({"name": "Call"}), "name", json!("Call")),
            (json!({"description": null}), "description", json!("")),
            (json!({"api_name": "first_call"}), "api_name", json!("first_call")),
            (
                json!({"associated_objects": [{"custom_object": deals}]}),
                "associated_objects",
                json!([{"custom_object": deals}]),
            ),
        ] {
            now[key] = value;
            assert_eq!(server.patch(&path, &body).await.expect(200), now, "{body}");
            assert_eq!(server.put(&path, &body).await.expect(200), now, "PUT {body}");
        }
        let body = json!({"association_mode": "no_objects_associated"});
        let changed = server.patch(&path, &body).await.expect(200);
        assert_eq!(
            changed["associated_objects"],
            json!([]),
            "what was selected went with the mode"
        );
        assert_eq!(server.delete(&path).await.expect(204), Value::Null);
        server.get(&path).await.expect_error(404, "not_found");
        server.delete(&path).await.expect_error(404, "not_found");
        assert_eq!(server.get(TYPES).await.expect(200)["count"], 1);
        let again = server.post(TYPES, &json!({"name": "First call"})).await.expect(201);
        assert_eq!(again["api_name"], "first_call", "the name is free again");
    }

    #[actix_web::test]
    async fn a_bad_type_is_refused() {
        let (server, [accounts, _], _) = scene().await;
        let selecting = "selected_objects_associated";
        let entry = json!([{"custom_object": {"id": accounts["id"]}}]);
        for (body, code, key) in [
            (json!({}), "required", "name"),
            (json!({"name": " "}), "blank", "name"),
            (json!({"name": "x".repeat(201)}), "max_length", "name"),
            (json!({"name": "a", "api_name": "a b"}), "invalid_identifier", "api_name"),
            (json!({"name": "a", "api_name": "logged"}), "unique", "api_name"),
            (json!({"name": "a", "api_name": "task"}), "unique", "api_name"),
            (json!({"name": "a", "description": "x".repeat(501)}), "max_length", "description"),
            (json!({"name": "a", "association_mode": "some"}), "invalid_choice", {
                "association_mode"
            }),
            (json!({"name": "a", "association_mode": selecting}), "invalid", "associated_objects"),
            (json!({"name": "a", "associated_objects": entry}), "invalid", "associated_objects"),
            (
                json!({
                    "name": "a", "association_mode": selecting,
                    "associated_objects": [{"custom_object": {"id": UNKNOWN_ID}}],
                }),
                "does_not_exist",
                "associated_objects[0].custom_object",
            ),
        ] {
            let answer = server.post(TYPES, &body).await;
            assert_eq!(answer.faults(), [(code.to_owned(), key.to_owned())], "{body}");
            answer.expect(400);
        }
        let answer = server.patch(&format!("{TYPES}/task"), &json!({"api_name": "to_do"})).await;
        answer.expect_error(400, "immutable");
        assert_eq!(server.get(TYPES).await.expect(200)["count"], 1);
    }

    #[actix_web::test]
    async fn a_type_takes_the_records_that_it_says() {
        let (server, [accounts, _], [account, deal]) = scene().await;
        let mode = |mode: &str, objects: Value| {
            json!({"name": mode, "api_name": mode, "association_mode": mode,
                "associated_objects": objects})
        };
        let selected = json!([{"custom_object": {"id": accounts["id"]}}]);
        for body in [
            mode("selected_objects_associated", selected),
            mode("no_objects_associated", json!([])),
        ] {
            server.post(TYPES, &body).await.expect(201);
        }
        for (name, entities, wrong) in [
            ("task", json!([account, deal]), None),
            ("selected_objects_associated", json!([account]), None),
            ("selected_objects_associated", json!([account, deal]), Some(1)),
            ("no_objects_associated", json!([]), None),
            ("no_objects_associated", json!([account]), Some(0)),
        ] {
            let body = json!({
                "activity_object_name": name, "due_datetime": "2026-12-01",
                "associated_entities": entities,
            });
            let log = json!({"related_objects": entities});
            for (path, body, key) in [
                (SCHEDULED.to_owned(), body, "associated_entities"),
                (format!("{TYPES}/{name}/log-activity"), log, "related_objects"),
            ] {
                let answer = server.post(&path, &body).await;
                match wrong {
                    None => drop(answer.expect(201)),
                    Some(at) => {
                        let place = format!("{key}[{at}]");
                        assert_eq!(answer.faults(), [("invalid".to_owned(), place)], "{body}");
                        answer.expect(400);
                    }
                }
            }
        }
    }

    #[actix_web::test]
    async fn what_is_logged_completes_what_was_scheduled_and_is_listed_newest_first() {
        let (server, _, [account, deal]) = scene().await;
        let body = json!({
            "activity_object_name": "task", "due_datetime": "2026-12-01",
            "associated_entities": [account],
        });
        let scheduled = server.post(SCHEDULED, &body).await.expect(201);
        let path = format!("{SCHEDULED}/{}", scheduled["id"].as_str().unwrap());
        server.hands.advance(Duration::from_mins(1));
        let log = format!("{TYPES}/task/log-activity");
        let me = server.get("/api/team").await.expect(200)[0]["id"].clone();
        let body = json!({
            "related_objects": [account, deal], "notes": "Done",
            "scheduled_activity_id": scheduled["id"], "mentions": [me],
        });
        let logged = server.post(&log, &body).await.expect(201);
        let expected = json!({
            "id": logged["id"], "notes": "Done", "scheduled_activity_id": scheduled["id"],
            "created": "2026-11-24T05:41:00.123000+00:00",
            "activity_object": scheduled["activity_object"], "employee": logged["mentions"][0],
            "mentions": [logged["employee"]], "related_objects": [account, deal],
            "access": {"view": true, "edit": true, "remove": true},
        });
        assert_eq!((&logged, &logged["employee"]["id"]), (&expected, &me));
        let one = format!("{TYPES}/logged/{}", logged["id"].as_str().unwrap());
        assert_eq!(server.get(&one).await.expect(200), logged);
        let completed = server.get(&path).await.expect(200);
        assert_eq!(completed["completed_at"], logged["created"]);
        assert_eq!(completed["logged_activity_id"], logged["id"]);

        server.hands.advance(Duration::from_mins(1));
        let second = server.post(&log, &json!({"related_objects": []})).await.expect(201);
        let responses = format!("{TYPES}/task/responses");
        let page = server.post(&responses, &json!({})).await.expect(200);
        assert_eq!((&page["count"], &page["results"]), (&json!(2), &json!([second, logged])));
        let page = server.post(&responses, &json!({"page_size": 1, "page": 2})).await.expect(200);
        assert_eq!(page["results"], json!([logged]));
        server
            .post(&format!("{responses}?page=9"), &json!({}))
            .await
            .expect_error(404, "not_found");

        let open = server.patch(&path, &json!({"completed_at": null})).await.expect(200);
        assert_eq!(open["logged_activity_id"], Value::Null);
        assert_eq!(server.get(&one).await.expect(200), logged, "it took place all the same");
        server.get(&format!("{TYPES}/logged/{UNKNOWN_ID}")).await.expect_error(404, "not_found");
    }

    #[actix_web::test]
    async fn a_bad_entry_is_refused_and_completes_nothing() {
        let (server, _, [account, _]) = scene().await;
        server.post(TYPES, &json!({"name": "Call"})).await.expect(201);
        let body = json!({"activity_object_name": "call", "due_datetime": "2026-12-01"});
        let call = server.post(SCHEDULED, &body).await.expect(201);
        let other = json!({"lookup_value": "Other"});
        let other = server.post("/api/records/accounts/upsert", &other).await.expect(200);
        let second = json!({"custom_object": account["custom_object"], "entity_id": other["id"]});
        for (body, code, key) in [
            (json!({}), "required", "related_objects"),
            (json!({"related_objects": null}), "required", "related_objects"),
            (json!({"related_objects": {}}), "invalid", "related_objects"),
            (json!({"related_objects": [account, second]}), "invalid", "related_objects[1]"),
            (json!({"related_objects": [], "notes": 7}), "invalid", "notes"),
            (
                json!({"related_objects": [], "mentions": [UNKNOWN_ID]}),
                "does_not_exist",
                "mentions",
            ),
            (
                json!({"related_objects": [], "scheduled_activity_id": UNKNOWN_ID}),
                "does_not_exist",
                "scheduled_activity_id",
            ),
            (
                json!({"related_objects": [], "scheduled_activity_id": call["id"]}),
                "invalid",
                "scheduled_activity_id",
            ),
        ] {
            let answer = server.post(&format!("{TYPES}/task/log-activity"), &body).await;
            assert_eq!(answer.faults(), [(code.to_owned(), key.to_owned())], "{body}");
            answer.expect(400);
        }
        let path = format!("{SCHEDULED}/{}", call["id"].as_str().unwrap());
        assert_eq!(server.get(&path).await.expect(200), call);
        let page = server.post(&format!("{TYPES}/task/responses"), &json!({})).await.expect(200);
        assert_eq!(page["count"], 0);
    }

    #[actix_web::test]
    async fn what_there_is_of_a_deleted_type_stays() {
        let (server, _, [account, _]) = scene().await;
        server.post(TYPES, &json!({"name": "Call"})).await.expect(201);
        let body = json!({
            "activity_object_name": "call", "due_datetime": "2026-12-01",
            "associated_entities": [account],
        });
        let call = server.post(SCHEDULED, &body).await.expect(201);
        server.delete(&format!("{TYPES}/call")).await.expect(204);
        let path = format!("{SCHEDULED}/{}", call["id"].as_str().unwrap());
        assert_eq!(server.get(&path).await.expect(200), call);
        let record = account["entity"]["id"].as_str().unwrap();
        let record = server.get(&format!("/api/records/accounts/{record}")).await.expect(200);
        assert_eq!(record["num_upcoming_activities"], 1);
        let more = server.post(SCHEDULED, &body).await;
        more.expect_error(400, "does_not_exist");
        let same = json!({"activity_object_id": call["activity_object"]["id"], "note": "still"});
        assert_eq!(server.patch(&path, &same).await.expect(200)["note"], "still");
        let log = server.post(&format!("{TYPES}/call/log-activity"), &json!({})).await;
        log.expect_error(404, "not_found");
    }
}
