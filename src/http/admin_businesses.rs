//! The operator's routes of businesses: made while the server runs, listed, renamed, archived.
//!
//! It must not know what a business begins with: the model decides that.

use crate::engine::Engine;
use crate::engine::bootstrap::key_prefix;
use crate::engine::business::Business;
use crate::engine::partition::Partition;
use crate::http::api_keys::draw_secret;
use crate::http::body::Body;
use crate::http::endpoint::Endpoint;
use crate::http::extension::RouteGroup;
use crate::http::fault::Faults;
use crate::http::keyed::Keyed;
use crate::http::page::{Address, PageRequest};
use crate::http::plain::{check_no_parameters, read_no_parameters};
use crate::http::problem::Problem;
use crate::http::query::Query;
use crate::http::root_refusal::changed;
use crate::http::wire::api_keys::NewKeyShape;
use crate::http::wire::business::{
    BusinessRow, BusinessShape, read_business_edit, read_new_business, zone_of,
};
use crate::http::wire::member_row::{MemberRow, RoleShape};
use crate::model::catalog::api_key::SecretHash;
use crate::model::id::{BusinessId, MemberId};
use crate::model::root::command::{Ask, Command, FirstKey, Founded, NewBusiness, Reply};
use actix_web::web::{Data, Path, ServiceConfig};
use actix_web::{HttpMessage as _, HttpRequest, HttpResponse};
use serde::Serialize;
use std::sync::Arc;
use uuid::Uuid;

/// Adds the routes.
pub fn register(config: &mut ServiceConfig) {
    let one = Endpoint::at("/api/admin/businesses/{business_id:[^/]{36}}");
    config
        .service(Endpoint::at("/api/admin/businesses").get(list).post(create))
        .service(one.get(retrieve).patch(update).delete(archive));
}

/// A business and who may do everything in it; the key's secret is shown this once.
#[derive(Serialize)]
pub(super) struct FoundedShape<'a> {
    pub(super) business: BusinessShape<'a>,
    pub(super) member: MemberRow<'a, RoleShape<'a>>,
    pub(super) api_key: NewKeyShape<'a>,
}

/// Makes a business. The reply means that its administrator is let in.
async fn create(
    engine: Data<Engine>,
    request: HttpRequest,
    body: Body,
) -> Result<HttpResponse, Problem> {
    let input = body.parse()?;
    let mut faults = Faults::default();
    let is_strict = read_no_parameters(&request, RouteGroup::Write, &mut faults);
    let wanted = read_new_business(&input, is_strict, &mut faults);
    faults.check()?;
    let wanted = wanted.expect("a body without a fault has been read");
    let secret = wanted.secret.map_or_else(draw_secret, Ok)?;
    let new = NewBusiness {
        id: wanted.id,
        name: wanted.name,
        timezone: wanted.timezone,
        country: wanted.country,
        phone_default_region: wanted.phone_default_region,
        admin: wanted.admin,
        key: FirstKey {
            name: "operator".to_owned(),
            prefix: key_prefix(&secret).to_owned(),
            hash: SecretHash::of(&secret),
        },
    };
    let command = by_operator(&engine, &request, Ask::Create(Box::new(new)));
    let Reply::Founded(founded) = engine.ask_root(command, body.bytes().len()).await? else {
        unreachable!("the creation of a business is answered with all of it")
    };
    let Founded { business, member, key } = *founded;
    let zone = zone_of(&business);
    let made = engine.any_business(business.id).expect("a business that was made is there");
    let catalog = made.catalog();
    let shape = FoundedShape {
        business: BusinessShape::of(&business),
        member: MemberRow::new(&member, RoleShape::of_member(&member, &catalog.roles), &zone),
        api_key: NewKeyShape::of(&key, Some(&secret), &zone),
    };
    Ok(HttpResponse::Created().json(shape))
}

/// No member asks: the operator is none.
fn by_operator(engine: &Engine, request: &HttpRequest, ask: Ask) -> Command {
    let keyed = request.extensions().get::<Arc<Keyed>>().cloned();
    Command {
        actor: MemberId(Uuid::nil()),
        batch: engine.next_batch(),
        retry: keyed.map(|keyed| keyed.retry.clone()),
        ask,
    }
}

/// All businesses, archived ones too, oldest first.
async fn list(engine: Data<Engine>, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let mut faults = Faults::default();
    let mut query = Query::read(request.query_string(), &mut faults);
    let page = PageRequest::of_query(&mut query, &mut faults);
    query.finish(RouteGroup::Read, request.headers(), &[], &mut faults);
    faults.check()?;
    let page = page?;
    let partitions = engine.partitions().iter();
    let mut found: Vec<_> = partitions.flat_map(Partition::businesses).collect();
    found.sort_by_key(|business| (business.info().created, business.id()));
    let places = page.places(found.len())?;
    let rows = found[places].iter().map(|business| BusinessRow::of(business.info())).collect();
    let page = page.envelope(found.len(), rows, &Address::of_request(&request));
    Ok(HttpResponse::Ok().json(page))
}

fn find(engine: &Engine, id: &str) -> Result<Arc<Business>, Problem> {
    let id = BusinessId::parse(id).ok_or_else(Problem::not_found)?;
    engine.any_business(id).ok_or_else(Problem::not_found)
}

async fn retrieve(
    engine: Data<Engine>,
    id: Path<String>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let business = find(&engine, &id)?;
    check_no_parameters(&request, RouteGroup::Read)?;
    Ok(HttpResponse::Ok().json(BusinessRow::of(business.info())))
}

async fn update(
    engine: Data<Engine>,
    id: Path<String>,
    request: HttpRequest,
    body: Body,
) -> Result<HttpResponse, Problem> {
    let held = find(&engine, &id)?;
    let input = body.parse()?;
    let mut faults = Faults::default();
    let is_strict = read_no_parameters(&request, RouteGroup::Write, &mut faults);
    let edit = read_business_edit(&input, held.id(), is_strict, &mut faults);
    faults.check()?;
    let edit = edit.expect("a body without a fault has been read");
    let command = by_operator(&engine, &request, Ask::Update(Box::new(edit)));
    let business = changed(engine.ask_root(command, body.bytes().len()).await?);
    Ok(HttpResponse::Ok().json(BusinessRow::of(&business)))
}

/// Archives a business: no later request is let in. One that is archived stays as it is.
async fn archive(
    engine: Data<Engine>,
    id: Path<String>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let held = find(&engine, &id)?;
    check_no_parameters(&request, RouteGroup::Write)?;
    engine.ask_root(by_operator(&engine, &request, Ask::Archive(held.id())), 0).await?;
    Ok(HttpResponse::NoContent().finish())
}
