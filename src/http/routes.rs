//! Every route of the resources, and what their handlers need: one line a resource.
//!
//! It must not know what any of them does.

use crate::engine::Engine;
use crate::http::app::Resources;
use crate::http::options::Options;
use crate::http::{
    activities, activity_types, admin, admin_businesses, api_keys, batch, bulk, bulk_progress,
    business, categories, changes, export, field_options, field_values, fields, history, list,
    lookup, metrics, objects, openapi, permission_groups, pipelines, records, roles, search, team,
    team_members, upsert,
};
use actix_web::web::Data;
use std::sync::Arc;

/// The resources of the API. Handlers take the engine as `Data<Engine>`, and what an operator has
/// set about answers from `Data<Options>`.
#[must_use]
pub fn resources(engine: Arc<Engine>, options: Options) -> Resources {
    let engine = Data::from(engine);
    let options = Data::new(options);
    Resources::new(move |config| {
        config.app_data(engine.clone()).app_data(options.clone());
        upsert::register(config);
        batch::register(config);
        lookup::register(config);
        // Before the objects: `changes` is none.
        changes::register(config);
        export::register(config);
        list::register(config);
        search::register(config);
        records::register(config);
        history::register(config);
        team_members::register(config);
        objects::register(config);
        categories::register(config);
        fields::register(config);
        field_options::register(config);
        field_values::register(config);
        bulk::register(config);
        bulk_progress::register(config);
        pipelines::register(config);
        activities::register(config);
        activity_types::register(config);
        team::register(config);
        roles::register(config);
        permission_groups::register(config);
        api_keys::register(config);
        business::register(config);
        admin::register(config);
        admin_businesses::register(config);
        openapi::register(config, &options.answers);
        if options.serves_metrics {
            config.service(metrics::metrics());
        }
    })
}
