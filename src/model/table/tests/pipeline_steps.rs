//! Random commands that only a pipeline understands: stages come, change and go, records move, and
//! the flag of a default field is switched.

use crate::model::id::{FieldNumber, OptionId, RecordId};
use crate::model::schema::new_object::{Founder, NewObject, NewPipeline};
use crate::model::schema::stage::NewStage;
use crate::model::schema::{Schema, system};
use crate::model::table::command::Ask;
use crate::model::table::schema_command::SchemaAsk;
use crate::model::table::test_support::{BIRTH, Rig, member};
use proptest::prelude::*;
use uuid::Uuid;

#[derive(Clone, Copy, Debug)]
pub(super) enum PipelineStep {
    Move {
        who: u8,
        stage: u8,
    },
    NewStage {
        status: u8,
        order: i8,
    },
    /// A stage is renamed, reordered, or is won from now on, or is not.
    Change {
        stage: u8,
        status: u8,
        order: i8,
    },
    Remove {
        stage: u8,
        successor: u8,
    },
    Track(bool),
}

const STATUSES: [&str; 4] = ["open", "won", "lost", "disqualified"];

/// Stages beyond these are not made, so that records meet in the few there are.
const STAGES_MAX: usize = 5;

pub(super) fn any_pipeline_step() -> impl Strategy<Value = PipelineStep> {
    let status = || 0..4_u8;
    let order = || -2..3_i8;
    prop_oneof![
        6 => (any::<u8>(), any::<u8>()).prop_map(|(who, stage)| PipelineStep::Move { who, stage }),
        1 => (status(), order())
            .prop_map(|(status, order)| PipelineStep::NewStage { status, order }),
        2 => (any::<u8>(), status(), order())
            .prop_map(|(stage, status, order)| PipelineStep::Change { stage, status, order }),
        2 => (any::<u8>(), any::<u8>())
            .prop_map(|(stage, successor)| PipelineStep::Remove { stage, successor }),
        1 => any::<bool>().prop_map(PipelineStep::Track),
    ]
}

/// A pipeline of three stages, one of them won.
pub(super) fn pipeline(ids: &mut dyn FnMut() -> Uuid) -> Schema {
    let stage = |name: &str, status: &str| NewStage {
        name: Some(name.into()),
        status: Some(status.into()),
        ..NewStage::default()
    };
    let stages = vec![stage("New", "open"), stage("Won", "won"), stage("Lost", "lost")];
    let new = NewObject {
        object_name: Some("Deals".into()),
        object_type: Some("pipeline".into()),
        track_entity_value: Some(true),
        pipeline: Some(NewPipeline { stages: Some(stages) }),
        ..NewObject::default()
    };
    let founder = Founder { member: Some(member(1)), at: BIRTH };
    new.decide(founder, &|_| false, ids).unwrap()
}

/// What a step asks of a pipeline; every other object is left alone but for its records.
pub(super) fn ask(step: PipelineStep, rig: &Rig, one: impl Fn(u8) -> RecordId) -> Option<Ask> {
    let schema = rig.schema();
    let stages: Vec<OptionId> =
        schema.stage().into_iter().flat_map(|field| &field.options).map(|held| held.id).collect();
    // Now and then one that is not there.
    let nowhere = OptionId(Uuid::from_u128(1));
    let stage = |at: u8| match usize::from(at) {
        0 => nowhere,
        at => stages.get(at % stages.len().max(1)).copied().unwrap_or(nowhere),
    };
    let asked = match step {
        PipelineStep::Move { who, stage: to } => {
            return Some(Ask::Move { id: one(who), stage: stage(to) });
        }
        PipelineStep::NewStage { .. } if stages.len() >= STAGES_MAX => return None,
        PipelineStep::NewStage { status, order } => SchemaAsk::CreateStage(NewStage {
            name: Some(format!("stage {}", schema.next_option())),
            ..changed(status, order)
        }),
        PipelineStep::Change { stage: at, status, order } => {
            SchemaAsk::ChangeStage { stage: stage(at), change: changed(status, order) }
        }
        PipelineStep::Remove { stage: at, successor } => SchemaAsk::RemoveStage {
            stage: Some(stage(at).to_string()),
            successor: Some(stage(successor).to_string()),
        },
        PipelineStep::Track(is_on) => SchemaAsk::ChangeObject(Box::new(NewObject {
            track_entity_value: Some(is_on),
            ..NewObject::default()
        })),
    };
    Some(Ask::ChangeSchema(asked))
}

fn changed(status: u8, order: i8) -> NewStage {
    let status = Some(STATUSES[usize::from(status)].to_owned());
    NewStage { status, order: Some(order.into()), ..NewStage::default() }
}

/// The fields of pipelines that steps write, where they are there.
pub(super) fn writable(schema: &Schema) -> impl Iterator<Item = FieldNumber> {
    let numbers = [system::STAGE, system::STAGE, system::ENTITY_VALUE];
    numbers.into_iter().filter(|number| schema.by_number(*number).is_some())
}
