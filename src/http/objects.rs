//! The routes of objects.

use actix_web::web::ServiceConfig;

/// Adds the routes.
pub fn register(_: &mut ServiceConfig) {}
