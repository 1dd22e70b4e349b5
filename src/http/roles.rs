//! The routes of roles.
//!
//! It must not know what a role gives to whom: the model decides that.

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
use crate::http::wire::roles::{RoleRow, read_role};
use crate::model::catalog::command::{Ask, Command, Reply};
use crate::model::catalog::role::Role;
use crate::model::id::RoleId;
use actix_web::web::{Data, Path, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};

/// Adds the routes.
pub fn register(config: &mut ServiceConfig) {
    let one = Endpoint::at("/api/role/{role_id:[^/]{36}}");
    config
        .service(Endpoint::at("/api/role").get(list).post(create))
        .service(one.get(retrieve).patch(update).delete(delete));
}

async fn list(caller: Caller, request: HttpRequest) -> Result<HttpResponse, Problem> {
    require(caller.rights.may_see_settings())?;
    let mut faults = Faults::default();
    let mut query = Query::read(request.query_string(), &mut faults);
    let page = PageRequest::of_query(&mut query, &mut faults);
    query.finish(RouteGroup::Read, request.headers(), &[], &mut faults);
    faults.check()?;
    let page = page?;

    let roles = &caller.catalog.roles;
    let places = page.places(roles.len())?;
    let rows = roles[places].iter().map(RoleRow::of).collect();
    let page = page.envelope(roles.len(), rows, &Address::of_request(&request));
    Ok(HttpResponse::Ok().json(page))
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
    let edit = read_role(&input, None, is_strict, &mut faults);
    faults.check()?;
    require(caller.rights.may_edit_settings())?;
    let ask = Ask::CreateRole(Box::new(edit));
    let role = change(&engine, &caller, ask, body.bytes().len()).await?;
    Ok(HttpResponse::Created().json(RoleRow::of(&role)))
}

async fn retrieve(
    caller: Caller,
    id: Path<String>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    require(caller.rights.may_see_settings())?;
    let role = find(&caller, &id)?;
    check_no_parameters(&request, RouteGroup::Read)?;
    Ok(HttpResponse::Ok().json(RoleRow::of(role)))
}

/// Changes what the body names; the rest stays. It is in force from the next request on.
async fn update(
    engine: Data<Engine>,
    caller: Caller,
    id: Path<String>,
    request: HttpRequest,
    body: Body,
) -> Result<HttpResponse, Problem> {
    require(caller.rights.may_edit_settings())?;
    let held = find(&caller, &id)?;
    let input = body.parse()?;
    let mut faults = Faults::default();
    let is_strict = read_no_parameters(&request, RouteGroup::Write, &mut faults);
    let edit = read_role(&input, Some(held), is_strict, &mut faults);
    faults.check()?;
    let ask = Ask::UpdateRole(held.id, Box::new(edit));
    let role = change(&engine, &caller, ask, body.bytes().len()).await?;
    Ok(HttpResponse::Ok().json(RoleRow::of(&role)))
}

/// Deletes a role. Its members lose what it gave them.
async fn delete(
    engine: Data<Engine>,
    caller: Caller,
    id: Path<String>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    require(caller.rights.may_remove_settings())?;
    let held = find(&caller, &id)?;
    check_no_parameters(&request, RouteGroup::Write)?;
    let command = Command { caller: caller.for_write(), ask: Ask::DeleteRole(held.id) };
    engine.ask_catalog(&caller.business, command, 0).await?;
    Ok(HttpResponse::NoContent().finish())
}

fn find<'c>(caller: &'c Caller, id: &str) -> Result<&'c Role, Problem> {
    let role = RoleId::parse(id).and_then(|id| caller.catalog.role(id));
    role.ok_or_else(Problem::not_found)
}

/// The role after a change.
async fn change(engine: &Engine, caller: &Caller, ask: Ask, bytes: usize) -> Result<Role, Problem> {
    let command = Command { caller: caller.for_write(), ask };
    let reply = engine.ask_catalog(&caller.business, command, bytes).await?;
    let Reply::Role(role) = reply else { unreachable!("a role that is put is answered") };
    Ok(role)
}
