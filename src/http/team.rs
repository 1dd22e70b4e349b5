//! The routes of the business's members.
//!
//! It must not know when two members are one: the model decides that.

use crate::engine::Engine;
use crate::http::body::Body;
use crate::http::caller::Caller;
use crate::http::code::Code;
use crate::http::endpoint::Endpoint;
use crate::http::extension::RouteGroup;
use crate::http::fault::Faults;
use crate::http::page::{Address, PageRequest};
use crate::http::plain::{check_no_parameters, read_no_parameters};
use crate::http::problem::Problem;
use crate::http::query::Query;
use crate::http::target::AddressedMember;
use crate::http::wire::member_row::{MemberRow, RoleShape, read_new_member};
use crate::model::catalog::command::{Ask, Command, Reply};
use crate::model::catalog::member::{AccountType, Member};
use crate::model::id::RoleId;
use actix_web::web::{Data, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use std::sync::Arc;

/// Adds the routes. What is no id in a path is a word of a route that is not offered.
pub fn register(config: &mut ServiceConfig) {
    config
        .service(Endpoint::at("/api/team").get(list).post(create))
        .service(Endpoint::at("/api/employee").get(list))
        .service(Endpoint::at("/api/team/{member_id:[^/]{36}}").get(retrieve));
}

type Row<'a> = MemberRow<'a, RoleShape<'a>>;

/// A bare list, and a page only for those who ask for one.
async fn list(caller: Caller, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let mut faults = Faults::default();
    let mut query = Query::read(request.query_string(), &mut faults);
    let with_services = query.boolean("include_service", &mut faults).unwrap_or(false);
    let search = query.text("search", &mut faults).map(|text| text.trim().to_lowercase());
    let is_page = search.is_some() || query.text("page_size", &mut faults).is_some();
    let page = PageRequest::of_query(&mut query, &mut faults)?;
    query.finish(RouteGroup::Read, request.headers(), &[], &mut faults);
    faults.check()?;

    let takes = |member: &&Arc<Member>| {
        (with_services || member.account_type == AccountType::UserStandard)
            && search.as_ref().is_none_or(|part| is_found(part, member))
    };
    let visible = caller.catalog.members.iter().filter(|member| may_see(&caller, member));
    let found: Vec<_> = visible.filter(takes).collect();
    if !is_page {
        let rows: Vec<_> = found.iter().map(|member| row(&caller, member)).collect();
        return Ok(HttpResponse::Ok().json(rows));
    }
    let places = page.places(found.len())?;
    let rows = found[places].iter().map(|member| row(&caller, member)).collect();
    let page = page.envelope(found.len(), rows, &Address::of_request(&request));
    Ok(HttpResponse::Ok().json(page))
}

/// Whoever has no right to see the team sees the own row.
fn may_see(caller: &Caller, member: &Member) -> bool {
    caller.member.is_admin || caller.member.id == member.id
}

fn is_found(part: &str, member: &Member) -> bool {
    [member.full_name(), member.email.clone()].iter().any(|text| text.to_lowercase().contains(part))
}

fn row<'a>(caller: &'a Caller, member: &'a Member) -> Row<'a> {
    let roles = RoleShape::of_member(member, &caller.catalog.roles);
    MemberRow::new(member, roles, caller.business.time_zone())
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
    let new = read_new_member(&input, is_strict, &mut faults);
    faults.check()?;
    caller.require_admin()?;
    let new = new.expect("a body without a fault has been read");
    let command = Command { caller: caller.for_request(), ask: Ask::CreateMember(Box::new(new)) };
    let reply = engine.ask_catalog(&caller.business, command, body.bytes().len()).await?;
    let Reply::Member(member) = reply else {
        unreachable!("the creation of a member is answered with the member")
    };
    Ok(HttpResponse::Created().json(row(&caller, &member)))
}

async fn retrieve(
    caller: Caller,
    member: AddressedMember,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    if !caller.member.is_admin && caller.member.id != member.0 {
        return Err(Problem::new(Code::PermissionRequired));
    }
    let member = caller.catalog.members.get(&member.0).ok_or_else(Problem::not_found)?;
    check_no_parameters(&request, RouteGroup::Read)?;
    let roles: Vec<RoleId> = member.roles.clone();
    Ok(HttpResponse::Ok().json(MemberRow::new(member, roles, caller.business.time_zone())))
}
