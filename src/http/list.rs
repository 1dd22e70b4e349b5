//! `GET /api/records/{object}`: the records of an object, oldest first, page by page.
//!
//! It must not know how a row looks. A list is not one instant: each of its records is.

use crate::http::endpoint::Endpoint;
use crate::http::extension::RouteGroup;
use crate::http::fault::{Fault, Faults, Place};
use crate::http::page::{Address, PageRequest};
use crate::http::problem::Problem;
use crate::http::query::Query;
use crate::http::target::Target;
use crate::http::wire::record::{RecordAnswer, Scene};
use crate::http::wire::selection::{FieldsWanted, Selection};
use crate::model::table::order::Wanted;
use actix_web::web::{self, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};

const ARCHIVED: [(&str, Wanted); 3] =
    [("exclude", Wanted::Live), ("include", Wanted::All), ("only", Wanted::Archived)];

/// Parameters of the contract that this version does not serve. To ignore one would give other
/// rows, or another order, than was asked for.
const NOT_OFFERED: [&str; 3] = ["search", "ordering", "cursor"];

/// Registers the route. `changes` is a word of the path, never an object, and not served yet.
pub fn register(config: &mut ServiceConfig) {
    let not_found = async || Err::<HttpResponse, _>(Problem::not_found());
    config
        .service(web::resource("/api/records/changes").to(not_found))
        .service(Endpoint::at("/api/records/{object_identifier}").get(list));
}

/// Lists the records of an object.
async fn list(request: HttpRequest, target: Target) -> Result<HttpResponse, Problem> {
    let mut faults = Faults::default();
    let mut query = Query::read(request.query_string(), &mut faults);
    let page = PageRequest::of_query(&mut query, &mut faults);
    let wanted = FieldsWanted::of_list(&mut query, &mut faults);
    let archived = query.choice("archived", &ARCHIVED, &mut faults).unwrap_or(Wanted::Live);
    for name in NOT_OFFERED {
        if query.text(name, &mut faults).is_some() {
            faults.push(Fault::unknown_parameter(Place::Query(name.into())));
        }
    }
    query.finish(RouteGroup::Read, request.headers(), &[], &mut faults);
    faults.check()?;
    let page = page?;
    let order = &target.table.shown().order;
    let count = order.count(archived);
    let places = page.places(count)?;
    let records = order.page(archived, places.start, places.len());

    let schema = target.table.shown().schema();
    let scene = Scene::new(&target, &schema);
    let selection = Selection::of_read(&wanted, &schema);
    let row = |record| RecordAnswer { scene: &scene, selection: &selection, record, action: None };
    let rows = records.into_iter().map(row).collect();
    Ok(HttpResponse::Ok().json(page.envelope(count, rows, &Address::of_request(&request))))
}
