//! Stages of pipelines, as the document of the API describes them.
//!
//! Nothing here is ever called or made: tests hold it against what the server really answers. It
//! must not describe what is not served.

use crate::http::openapi::fields::{NumberInput, Standing};
use crate::http::openapi::records::{RecordPath, RecordWritten, WriteQuery};
use crate::http::openapi::shared::ObjectPath;
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

/// A stage of a pipeline.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
pub struct StagePath {
    /// Id or API name of the object.
    pub object_identifier: String,
    /// Id of the stage.
    pub stage: Uuid,
}

/// A stage.
#[derive(Serialize, ToSchema)]
pub struct Stage {
    pub id: Uuid,
    pub name: String,
    pub status: Standing,
    pub order: i32,
    /// As it was given.
    #[schema(required = true)]
    pub percentage_chance_to_close: Option<f64>,
}

/// The body that makes a stage.
#[derive(Serialize, ToSchema)]
pub struct NewStage {
    /// No two of a pipeline are equal without case.
    #[schema(min_length = 1, max_length = 200)]
    pub name: String,
    /// `open` if left out.
    pub status: Option<Standing>,
    /// Last if left out.
    pub order: Option<i32>,
    /// From 0 to 100; a number, or a text that spells one.
    pub percentage_chance_to_close: Option<NumberInput>,
}

/// The body that changes a stage; what it does not name stays.
#[derive(Serialize, ToSchema)]
pub struct StageUpdate {
    #[schema(min_length = 1, max_length = 200, nullable = false)]
    pub name: Option<String>,
    pub status: Option<Standing>,
    pub order: Option<i32>,
    /// From 0 to 100; a number, or a text that spells one. Null clears.
    pub percentage_chance_to_close: Option<NumberInput>,
}

/// The stages of a new pipeline.
#[derive(Serialize, ToSchema)]
pub struct NewPipeline {
    #[schema(min_items = 1, max_items = 100)]
    pub stages: Vec<NewStage>,
}

/// A stage that goes, and the one whose records its own are from now on.
#[derive(Serialize, ToSchema)]
pub struct StageRemoval {
    pub id: Uuid,
    pub new_stage_id: Uuid,
}

/// Where a record goes.
#[derive(Serialize, ToSchema)]
pub struct StageMove {
    pub stage_id: Uuid,
}

/// List the stages of a pipeline
#[utoipa::path(
    get, path = "/api/pipelines/{object_identifier}/stages", tag = "objects",
    operation_id = "pipelines_stages_list",
    params(ObjectPath),
    responses((status = 200, description = "The stages in order.", body = Vec<Stage>))
)]
pub fn list() {}

/// Make a stage
#[utoipa::path(
    post, path = "/api/pipelines/{object_identifier}/stages", tag = "objects",
    operation_id = "pipelines_stages_create",
    params(ObjectPath), request_body = NewStage,
    responses((status = 201, description = "The stage.", body = Stage))
)]
pub fn create() {}

/// Change a stage
#[utoipa::path(
    patch, path = "/api/pipelines/{object_identifier}/stages/{stage}", tag = "objects",
    operation_id = "pipelines_stages_partial_update",
    params(StagePath), request_body = StageUpdate,
    responses((status = 200, description = "The stage after the change.", body = Stage))
)]
pub fn partial_update() {}

/// Remove a stage; its records are in another one from now on
#[utoipa::path(
    post, path = "/api/pipelines/{object_identifier}/stages/remove-stage", tag = "objects",
    operation_id = "pipelines_stages_remove_stage_create",
    params(ObjectPath), request_body = StageRemoval,
    responses((status = 200, description = "The stage that its records are in.", body = Stage))
)]
pub fn remove_stage() {}

/// Put a record into another stage
#[utoipa::path(
    patch, path = "/api/records/{object_identifier}/{entity_id}/move", tag = "records",
    operation_id = "records_move_partial_update",
    params(RecordPath, WriteQuery), request_body = StageMove,
    responses((
        status = 200, description = "The record after the change.", body = RecordWritten,
        headers(("ETag" = String, description = "Names the record's state.")),
    ))
)]
pub fn move_record() {}
