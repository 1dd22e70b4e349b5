//! The route of the caller's own business.

use crate::http::caller::Caller;
use crate::http::endpoint::Endpoint;
use crate::http::extension::RouteGroup;
use crate::http::plain::check_no_parameters;
use crate::http::problem::Problem;
use crate::http::wire::business::BusinessShape;
use actix_web::web::ServiceConfig;
use actix_web::{HttpRequest, HttpResponse};

/// Adds the route.
pub fn register(config: &mut ServiceConfig) {
    config.service(Endpoint::at("/api/business/mine").get(retrieve));
}

async fn retrieve(caller: Caller, request: HttpRequest) -> Result<HttpResponse, Problem> {
    check_no_parameters(&request, RouteGroup::Read)?;
    Ok(HttpResponse::Ok().json(BusinessShape::of(&caller.business)))
}
