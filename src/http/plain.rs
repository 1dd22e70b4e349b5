//! Requests without parameters of their own: what they may not carry either.
//!
//! It must not know any route.

use crate::http::extension::RouteGroup;
use crate::http::fault::Faults;
use crate::http::problem::Problem;
use crate::http::query::Query;
use actix_web::HttpRequest;

/// Notes every parameter that may not be ignored; tells whether the request is strict.
pub fn read_no_parameters(request: &HttpRequest, group: RouteGroup, faults: &mut Faults) -> bool {
    let query = Query::read(request.query_string(), faults);
    let is_strict = query.is_strict();
    query.finish(group, request.headers(), &[], faults);
    is_strict
}

/// As `read_no_parameters`, for requests whose body nobody reads.
pub fn check_no_parameters(request: &HttpRequest, group: RouteGroup) -> Result<(), Problem> {
    let mut faults = Faults::default();
    read_no_parameters(request, group, &mut faults);
    faults.check()
}
