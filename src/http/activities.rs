//! The routes of scheduled activities.
//!
//! It must not know what an activity is about or what its numbers follow from.

use crate::engine::Engine;
use crate::http::activity_access::{level_on_activity, may_see_record};
use crate::http::activity_filter::ActivityFilter;
use crate::http::body::Body;
use crate::http::caller::{Caller, require};
use crate::http::endpoint::Endpoint;
use crate::http::extension::RouteGroup;
use crate::http::fault::Faults;
use crate::http::ordering::ListOrder;
use crate::http::page::{Address, PageRequest};
use crate::http::plain::{check_no_parameters, read_no_parameters};
use crate::http::problem::Problem;
use crate::http::query::Query;
use crate::http::wire::activities::ActivityShape;
use crate::http::wire::activity_body::{read_note, read_schedule, read_update};
use crate::model::agenda::Activity;
use crate::model::agenda::command::{Ask, Command, Reply};
use crate::model::catalog::permission::Level;
use crate::model::id::ActivityId;
use crate::model::input::Input;
use actix_web::web::{Data, Path, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use std::sync::Arc;

/// Adds the routes. What is no id in a path is a word of a route that is not offered.
pub fn register(config: &mut ServiceConfig) {
    let scheduled = Endpoint::at("/api/activities/scheduled-activity");
    let one = Endpoint::at("/api/activities/scheduled-activity/{id:[^/]{36}}");
    config
        .service(scheduled.get(list).post(schedule))
        .service(Endpoint::at("/api/activities/scheduled-activity/search").post_read(search))
        .service(Endpoint::at("/api/activities/scheduled-activity/{id:[^/]{36}}/notes").patch(note))
        .service(one.get(retrieve).patch(update).put(update).delete(delete));
}

/// What a list of activities may be ordered by.
#[derive(Clone, Copy, Debug)]
enum OrderBy {
    Due,
    Created,
    Completed,
}

const ORDERS: [(&str, OrderBy); 3] = [
    ("due_datetime", OrderBy::Due),
    ("created", OrderBy::Created),
    ("completed_at", OrderBy::Completed),
];

impl OrderBy {
    fn compare(self, left: &Activity, right: &Activity) -> std::cmp::Ordering {
        match self {
            Self::Due => left.due.cmp(&right.due),
            Self::Created => left.created.cmp(&right.created),
            Self::Completed => left.completed_at.cmp(&right.completed_at),
        }
    }
}

async fn list(caller: Caller, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let mut faults = Faults::default();
    let query = Query::read(request.query_string(), &mut faults);
    find_page(&caller, &request, query, faults)
}

/// The same with its parameters in the body; those of the query win.
async fn search(caller: Caller, request: HttpRequest, body: Body) -> Result<HttpResponse, Problem> {
    let input = if body.is_empty() { Input::Map(Vec::new()) } else { body.parse()? };
    let mut faults = Faults::default();
    let query = Query::read_with_body(request.query_string(), &input, &mut faults);
    find_page(&caller, &request, query, faults)
}

fn find_page(
    caller: &Caller,
    request: &HttpRequest,
    mut query: Query<'_>,
    mut faults: Faults,
) -> Result<HttpResponse, Problem> {
    let filter = ActivityFilter::of_query(&mut query, caller, &mut faults);
    let order = ListOrder::of_query(&mut query, &ORDERS, &mut faults);
    let page = PageRequest::of_query(&mut query, &mut faults);
    query.finish(RouteGroup::Read, request.headers(), &[], &mut faults);
    faults.check()?;
    let page = page?;

    let mut found = filter.find(caller.business.agenda());
    found.retain(|activity| level_on_activity(caller, activity) >= Level::View);
    // What there is of a record tells of the record.
    if filter.record().is_some_and(|record| !may_see_record(caller, record)) {
        found.clear();
    }
    order.sort(&mut found, |by, left, right| by.compare(left, right));
    let places = page.places(found.len())?;
    let rows: Vec<_> = found[places].iter().map(|activity| shape(caller, activity)).collect();
    let page = page.envelope(found.len(), rows, &Address::of_request(request));
    Ok(HttpResponse::Ok().json(page))
}

fn shape<'a>(caller: &'a Caller, activity: &'a Activity) -> ActivityShape<'a> {
    ActivityShape::of(activity, caller)
}

async fn schedule(
    engine: Data<Engine>,
    caller: Caller,
    request: HttpRequest,
    body: Body,
) -> Result<HttpResponse, Problem> {
    let input = body.parse()?;
    let mut faults = Faults::default();
    let is_strict = read_no_parameters(&request, RouteGroup::Write, &mut faults);
    let schedule = read_schedule(&input, &caller, is_strict, &mut faults);
    faults.check()?;
    let schedule = schedule.expect("a body without a fault has been read");
    let ask = Ask::Schedule(Box::new(schedule));
    let activity = change(&engine, &caller, ask, body.bytes().len()).await?;
    Ok(HttpResponse::Created().json(shape(&caller, &activity)))
}

async fn retrieve(
    caller: Caller,
    id: Path<String>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let (activity, _) = find(&caller, &id)?;
    check_no_parameters(&request, RouteGroup::Read)?;
    Ok(HttpResponse::Ok().json(shape(&caller, &activity)))
}

/// Changes what the body names; the rest stays, with `PUT` too, as everywhere in the API.
async fn update(
    engine: Data<Engine>,
    caller: Caller,
    id: Path<String>,
    request: HttpRequest,
    body: Body,
) -> Result<HttpResponse, Problem> {
    let (held, level) = find(&caller, &id)?;
    require(level >= Level::Edit)?;
    let input = body.parse()?;
    let mut faults = Faults::default();
    let is_strict = read_no_parameters(&request, RouteGroup::Write, &mut faults);
    let update = read_update(&input, &held, &caller, is_strict, &mut faults);
    faults.check()?;
    let update = update.expect("a body without a fault has been read");
    let ask = Ask::Update(Box::new(update));
    let activity = change(&engine, &caller, ask, body.bytes().len()).await?;
    Ok(HttpResponse::Ok().json(shape(&caller, &activity)))
}

/// Changes the note alone.
async fn note(
    engine: Data<Engine>,
    caller: Caller,
    id: Path<String>,
    request: HttpRequest,
    body: Body,
) -> Result<HttpResponse, Problem> {
    let (held, level) = find(&caller, &id)?;
    require(level >= Level::Edit)?;
    let input = body.parse()?;
    let mut faults = Faults::default();
    let is_strict = read_no_parameters(&request, RouteGroup::Write, &mut faults);
    let update = read_note(&input, &held, &caller, is_strict, &mut faults);
    faults.check()?;
    let update = update.expect("a body without a fault has been read");
    let ask = Ask::Update(Box::new(update));
    let activity = change(&engine, &caller, ask, body.bytes().len()).await?;
    Ok(HttpResponse::Ok().json(shape(&caller, &activity)))
}

async fn delete(
    engine: Data<Engine>,
    caller: Caller,
    id: Path<String>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let (activity, level) = find(&caller, &id)?;
    require(level >= Level::Remove)?;
    check_no_parameters(&request, RouteGroup::Write)?;
    let command = Command { caller: caller.for_write(), ask: Ask::Delete(activity.id) };
    engine.ask_agenda(&caller.business, command, 0).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// The activity, and how far the caller's rights on it go.
fn find(caller: &Caller, id: &str) -> Result<(Arc<Activity>, Level), Problem> {
    let id = ActivityId::parse(id).ok_or_else(Problem::not_found)?;
    let activity = caller.business.agenda().activity(id).ok_or_else(Problem::not_found)?;
    let level = level_on_activity(caller, &activity);
    if level >= Level::View { Ok((activity, level)) } else { Err(Problem::not_found()) }
}

/// The activity after a change.
async fn change(
    engine: &Engine,
    caller: &Caller,
    ask: Ask,
    bytes: usize,
) -> Result<Arc<Activity>, Problem> {
    let command = Command { caller: caller.for_write(), ask };
    match engine.ask_agenda(&caller.business, command, bytes).await? {
        Reply::Activity(activity) => Ok(activity),
        Reply::Type(_) | Reply::Logged(_) | Reply::Done => {
            unreachable!("an activity that is put is answered")
        }
    }
}

#[cfg(test)]
mod tests;
