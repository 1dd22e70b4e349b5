//! The routes of pipelines and their stages.

use crate::api::bad_input::key::{Key, any, choice, integer, label};
use crate::api::bad_input::route::Route;
use serde_json::json;

pub(super) fn reads() -> Vec<Route> {
    vec![
        Route::new("GET /api/pipelines/{pipeline}/stages", 200),
        Route::new("GET /api/pipelines/{pipeline}/fields/{pipeline_tags}/tags", 200)
            .paged()
            .ordered(),
    ]
}

fn stage_keys(name: Key) -> Vec<Key> {
    let chance = any("percentage_chance_to_close", "tin")
        .refuses(json!("nonsense"), "invalid")
        .refuses(json!(-1), "min_value")
        .refuses(json!(101), "max_value");
    vec![name, choice("status", "tn"), integer("order"), chance]
}

fn stage(path: &'static str) -> Key {
    any(path, "t").required().refuses(json!("nonsense"), "invalid")
}

pub(super) fn writes() -> Vec<Route> {
    vec![
        Route::new("POST /api/pipelines/{pipeline}/stages", 201)
            .takes(json!({"name": "Late"}), stage_keys(label("name", "t", 200).required())),
        Route::new("PATCH /api/pipelines/{pipeline}/stages/{stage}", 200)
            .takes(json!({"name": "Early"}), stage_keys(label("name", "t", 200))),
        Route::new("PATCH /api/records/{pipeline}/{deal}/move", 200)
            .takes(json!({"stage_id": "{other_stage}"}), vec![stage("stage_id")])
            .flags(&["return_all_fields"])
            .conditional(&["If-Match"])
            .writing_record(),
    ]
}

pub(super) fn ends() -> Vec<Route> {
    vec![Route::new("POST /api/pipelines/{pipeline}/stages/remove-stage", 200).takes(
        json!({"id": "{stage}", "new_stage_id": "{other_stage}"}),
        vec![stage("id"), stage("new_stage_id")],
    )]
}
