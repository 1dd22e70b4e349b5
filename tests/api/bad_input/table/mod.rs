//! Every served route, in an order in which good requests can be sent one after the other.

mod activities;
mod bulk;
mod objects;
mod people;
mod pipelines;
mod records;
mod rights;

use crate::api::bad_input::route::Route;

/// All of them. What destroys comes after what needs it.
pub(super) fn routes() -> Vec<Route> {
    let mut routes = vec![
        Route::new("GET /healthz", 200).of_anybody(),
        Route::new("GET /readyz", 200).of_anybody(),
        Route::new("GET /metrics", 200).of_anybody(),
        Route::new("GET /api/openapi.json", 200).of_anybody(),
        Route::new("GET /api/docs/schema", 200).of_anybody(),
        Route::new("GET /api/docs/public/schema", 200).of_anybody(),
        Route::new("GET /api/docs", 200).of_anybody(),
    ];
    routes.extend(records::reads());
    routes.extend(objects::reads());
    routes.extend(pipelines::reads());
    routes.extend(activities::reads());
    routes.extend(people::reads());
    routes.extend(rights::reads());
    routes.extend(bulk::reads());
    routes.extend(records::writes());
    routes.extend(bulk::writes());
    routes.extend(objects::writes());
    routes.extend(pipelines::writes());
    routes.extend(activities::writes());
    routes.extend(people::writes());
    routes.extend(rights::writes());
    routes.extend(activities::ends());
    routes.extend(records::ends());
    routes.extend(pipelines::ends());
    routes.extend(objects::ends());
    routes.extend(rights::ends());
    routes.extend(people::ends());
    routes
}
