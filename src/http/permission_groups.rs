//! The routes of permission groups, of the catalogue of rights, and of the caller's own.
//!
//! It must not know what a right lets anybody do.

use crate::engine::Engine;
use crate::http::body::Body;
use crate::http::caller::{Caller, require};
use crate::http::endpoint::Endpoint;
use crate::http::extension::RouteGroup;
use crate::http::fault::Faults;
use crate::http::page::{Address, PageRequest};
use crate::http::plain::{check_no_parameters, read_no_parameters};
use crate::http::problem::Problem;
use crate::http::query::Query;
use crate::http::wire::group_body::{Held, read_group, read_right};
use crate::http::wire::groups::{GroupShape, OwnAccess, catalogue};
use crate::model::catalog::command::{Ask, Command, Reply};
use crate::model::catalog::permission::PermissionGroup;
use crate::model::id::PermissionGroupId;
use actix_web::web::{Data, Path, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use std::sync::Arc;

/// Adds the routes.
pub fn register(config: &mut ServiceConfig) {
    let one = Endpoint::at("/api/permission-group/{group_id:[^/]{36}}");
    let right = Endpoint::at("/api/permission-group/{group_id:[^/]{36}}/object-update");
    config
        .service(Endpoint::at("/api/permission-group").get(list).post(create))
        .service(one.get(retrieve).put(replace).patch(update).delete(delete))
        .service(right.patch(set_right))
        .service(Endpoint::at("/api/permissions/meta-data").get(list_catalogue))
        .service(Endpoint::at("/api/auth/access").get(retrieve_own));
}

async fn list(caller: Caller, request: HttpRequest) -> Result<HttpResponse, Problem> {
    require(caller.rights.may_see_settings())?;
    let page = read_page(&request)?;
    let groups = &caller.catalog.groups;
    let places = page.places(groups.len())?;
    let rows = groups[places].iter().map(|group| GroupShape::of(group, &caller)).collect();
    let page = page.envelope(groups.len(), rows, &Address::of_request(&request));
    Ok(HttpResponse::Ok().json(page))
}

fn read_page(request: &HttpRequest) -> Result<PageRequest, Problem> {
    let mut faults = Faults::default();
    let mut query = Query::read(request.query_string(), &mut faults);
    let page = PageRequest::of_query(&mut query, &mut faults);
    query.finish(RouteGroup::Read, request.headers(), &[], &mut faults);
    faults.check()?;
    page
}

async fn create(
    engine: Data<Engine>,
    caller: Caller,
    request: HttpRequest,
    body: Body,
) -> Result<HttpResponse, Problem> {
    let input = body.parse()?;
    let mut faults = Faults::default();
    let is_strict = read_no_parameters(&request, RouteGroup::Write, &mut faults);
    let edit = read_group(&input, Held::Nothing, &caller, is_strict, &mut faults);
    faults.check()?;
    require(caller.rights.may_edit_settings())?;
    let ask = Ask::CreateGroup(Box::new(edit));
    let group = change(&engine, &caller, ask, body.bytes().len()).await?;
    Ok(HttpResponse::Created().json(GroupShape::of(&group, &caller)))
}

async fn retrieve(
    caller: Caller,
    id: Path<String>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    require(caller.rights.may_see_settings())?;
    let group = find(&caller, &id)?;
    check_no_parameters(&request, RouteGroup::Read)?;
    Ok(HttpResponse::Ok().json(GroupShape::of(group, &caller)))
}

/// Changes what the body names; each object that it names has the whole new entry.
async fn update(
    engine: Data<Engine>,
    caller: Caller,
    id: Path<String>,
    request: HttpRequest,
    body: Body,
) -> Result<HttpResponse, Problem> {
    put(&engine, &caller, (&id, false), &request, &body).await
}

/// Changes all of it: a right that the body does not name is none.
async fn replace(
    engine: Data<Engine>,
    caller: Caller,
    id: Path<String>,
    request: HttpRequest,
    body: Body,
) -> Result<HttpResponse, Problem> {
    put(&engine, &caller, (&id, true), &request, &body).await
}

async fn put(
    engine: &Engine,
    caller: &Caller,
    (id, replaces): (&str, bool),
    request: &HttpRequest,
    body: &Body,
) -> Result<HttpResponse, Problem> {
    require(caller.rights.may_edit_settings())?;
    let group = find(caller, id)?;
    let input = body.parse()?;
    let mut faults = Faults::default();
    let is_strict = read_no_parameters(request, RouteGroup::Write, &mut faults);
    let held = if replaces { Held::Replaced(group) } else { Held::Kept(group) };
    let edit = read_group(&input, held, caller, is_strict, &mut faults);
    faults.check()?;
    let ask = Ask::UpdateGroup(group.id, Box::new(edit));
    let group = change(engine, caller, ask, body.bytes().len()).await?;
    Ok(HttpResponse::Ok().json(GroupShape::of(&group, caller)))
}

/// Sets one right on one object or field.
async fn set_right(
    engine: Data<Engine>,
    caller: Caller,
    id: Path<String>,
    request: HttpRequest,
    body: Body,
) -> Result<HttpResponse, Problem> {
    require(caller.rights.may_edit_settings())?;
    let group = find(&caller, &id)?;
    let input = body.parse()?;
    let mut faults = Faults::default();
    let is_strict = read_no_parameters(&request, RouteGroup::Write, &mut faults);
    let read = read_right(&input, &caller, is_strict, &mut faults);
    faults.check()?;
    let (subject, right) = read.expect("a body without a fault has been read");
    let ask = Ask::SetRight(group.id, subject, right);
    let group = change(&engine, &caller, ask, body.bytes().len()).await?;
    Ok(HttpResponse::Ok().json(GroupShape::of(&group, &caller)))
}

/// Deletes a group. Roles and members that have it lose what it gave them.
async fn delete(
    engine: Data<Engine>,
    caller: Caller,
    id: Path<String>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    require(caller.rights.may_remove_settings())?;
    let held = find(&caller, &id)?;
    check_no_parameters(&request, RouteGroup::Write)?;
    let command = Command { caller: caller.for_write(), ask: Ask::DeleteGroup(held.id) };
    engine.ask_catalog(&caller.business, command, 0).await?;
    Ok(HttpResponse::NoContent().finish())
}

fn find<'c>(caller: &'c Caller, id: &str) -> Result<&'c Arc<PermissionGroup>, Problem> {
    let group = PermissionGroupId::parse(id).and_then(|id| caller.catalog.group(id));
    group.ok_or_else(Problem::not_found)
}

/// The group after a change.
async fn change(
    engine: &Engine,
    caller: &Caller,
    ask: Ask,
    bytes: usize,
) -> Result<Arc<PermissionGroup>, Problem> {
    let command = Command { caller: caller.for_write(), ask };
    let reply = engine.ask_catalog(&caller.business, command, bytes).await?;
    let Reply::Group(group) = reply else { unreachable!("a group that is put is answered") };
    Ok(group)
}

/// What rights there are. That is the same everywhere, so anybody may read it.
async fn list_catalogue(_: Caller, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let page = read_page(&request)?;
    let mut rows = catalogue();
    let count = rows.len();
    let places = page.places(count)?;
    rows.truncate(places.end);
    let rows = rows.split_off(places.start);
    Ok(HttpResponse::Ok().json(page.envelope(count, rows, &Address::of_request(&request))))
}

async fn retrieve_own(caller: Caller, request: HttpRequest) -> Result<HttpResponse, Problem> {
    check_no_parameters(&request, RouteGroup::Read)?;
    Ok(HttpResponse::Ok().json(OwnAccess::of(&caller)))
}
