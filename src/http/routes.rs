//! Every route of the resources, and what their handlers need: one line a resource.
//!
//! It must not know what any of them does.

use crate::engine::Engine;
use crate::http::app::Resources;
use crate::http::caller::Caller;
use crate::http::identity::Authenticate;
use crate::http::options::AnswerOptions;
use crate::http::upsert;
use actix_web::web::Data;
use std::sync::Arc;

/// The routes over an engine.
#[must_use]
pub fn resources(engine: Arc<Engine>, answers: AnswerOptions) -> Resources {
    let engine = Data::from(engine);
    let answers = Data::new(answers);
    Resources::new(move |config| {
        config.app_data(engine.clone()).app_data(answers.clone());
        upsert::register(config);
    })
}

/// The check of a member's credentials against an engine.
#[must_use]
pub fn authenticate(engine: Arc<Engine>) -> Authenticate {
    Authenticate::new(move |credentials, extensions| {
        Caller::admit(&engine, credentials, extensions)
    })
}
