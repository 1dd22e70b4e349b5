//! `GET /api/records/{object}`: the records of an object, oldest first unless asked otherwise.
//!
//! A list is a search without conditions.

use crate::http::endpoint::Endpoint;
use crate::http::extension::RouteGroup;
use crate::http::fault::Faults;
use crate::http::problem::Problem;
use crate::http::query::Query;
use crate::http::search::{answer, surroundings};
use crate::http::target::Target;
use crate::http::wire::search::SearchRequest;
use actix_web::web::{self, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};

/// Registers the route. `changes` is a word of the path, never an object, and not served yet.
pub fn register(config: &mut ServiceConfig) {
    let not_found = async || Err::<HttpResponse, _>(Problem::not_found());
    config
        .service(web::resource("/api/records/changes").to(not_found))
        .service(Endpoint::at("/api/records/{object_identifier}").get(list));
}

/// Lists the records of an object.
async fn list(request: HttpRequest, target: Target) -> Result<HttpResponse, Problem> {
    let schema = target.table.shown().schema();
    let mut faults = Faults::default();
    let mut query = Query::read(request.query_string(), &mut faults);
    let asked = SearchRequest::read(
        &mut query,
        None,
        (&surroundings(&target, &schema), &target.access),
        &mut faults,
    );
    query.finish(RouteGroup::Read, request.headers(), &[], &mut faults);
    faults.check()?;
    answer(&request, &target, asked).await
}
