//! Pipelines and their stages: the bodies that make, change and remove stages and move records, and
//! how answers show a stage.
//!
//! It must not know what is allowed: the model checks that.

use crate::http::code::Code;
use crate::http::extension::RouteGroup;
use crate::http::fault::{Fault, Faults};
use crate::http::shape::{Presence, Shape};
use crate::http::wire::keys;
use crate::model::id::OptionId;
use crate::model::input::Input;
use crate::model::schema::field::Field;
use crate::model::schema::new_object::NewPipeline;
use crate::model::schema::option::Choice;
use crate::model::schema::stage::{NewChance, NewStage, STAGES_MAX};
use crate::model::value::number::write_decimal;
use serde::Serialize;
use serde_json::value::RawValue;

/// Reads the key of an object's body that makes a pipeline of it.
pub fn read_pipeline(
    shape: &mut Shape<'_>,
    strict: bool,
    faults: &mut Faults,
) -> Option<NewPipeline> {
    let mut inside = shape.object("pipeline", Presence::Nullable, faults)?;
    let path = inside.path("stages");
    let list = inside.list("stages", Presence::Nullable, faults);
    let place = inside.place("stages");
    let list = list.filter(|list| !keys::has_too_many(list, ("stages", STAGES_MAX), place, faults));
    let read = |(index, entry)| {
        let Some(mut shape) = Shape::of_entry(&path, index, entry, faults) else {
            return NewStage::default();
        };
        let new = read_stage(&mut shape, faults);
        shape.finish_inside(strict, faults);
        new
    };
    let stages = list.map(|list| list.iter().enumerate().map(read).collect());
    inside.finish_inside(strict, faults);
    Some(NewPipeline { stages })
}

/// Reads the body that makes or changes a stage.
pub fn read_new_stage(body: &Input<'_>, strict: bool, faults: &mut Faults) -> NewStage {
    let mut shape = Shape::of_body(body, faults);
    let new = read_stage(&mut shape, faults);
    shape.finish(strict, RouteGroup::Write, faults);
    new
}

fn read_stage(shape: &mut Shape<'_>, faults: &mut Faults) -> NewStage {
    NewStage {
        name: keys::text(shape, "name", Presence::Optional, faults),
        status: keys::text(shape, "status", Presence::Nullable, faults),
        order: keys::integer(shape, "order", faults),
        chance: read_chance(shape, faults),
    }
}

/// A number or a text that spells one; the model reads it. Null is that there is none.
fn read_chance(shape: &mut Shape<'_>, faults: &mut Faults) -> NewChance {
    const KEY: &str = "percentage_chance_to_close";
    match shape.raw(KEY) {
        None => NewChance::Kept,
        Some(Input::Null) => NewChance::Cleared,
        Some(Input::Number(spelling) | Input::Text(spelling)) => {
            NewChance::Given(spelling.trim().to_owned())
        }
        Some(Input::Boolean(_) | Input::List(_) | Input::Map(_)) => {
            let fault = Fault::new(Code::Invalid, shape.place(KEY));
            faults.push(fault.saying("A valid number is required."));
            NewChance::Kept
        }
    }
}

/// A stage that is to go, and the one whose records its own are to be.
pub struct RemovedStage {
    pub stage: Option<String>,
    pub successor: Option<String>,
}

/// Reads the body that removes a stage.
pub fn read_removed_stage(body: &Input<'_>, strict: bool, faults: &mut Faults) -> RemovedStage {
    let mut shape = Shape::of_body(body, faults);
    let removed = RemovedStage {
        stage: keys::text(&mut shape, "id", Presence::Optional, faults),
        successor: keys::text(&mut shape, "new_stage_id", Presence::Optional, faults),
    };
    shape.finish(strict, RouteGroup::Write, faults);
    removed
}

/// Reads the body that moves a record: the id of a stage.
pub fn read_move(body: &Input<'_>, strict: bool, faults: &mut Faults) -> Option<OptionId> {
    let mut shape = Shape::of_body(body, faults);
    let given = shape.value("stage_id", Presence::Required, faults);
    let id = given.and_then(|given| OptionId::parse(given.as_text()?.trim()));
    if given.is_some() && id.is_none() {
        let fault = Fault::new(Code::Invalid, shape.place("stage_id"));
        faults.push(fault.saying("Must be a valid UUID."));
    }
    shape.finish(strict, RouteGroup::Transition, faults);
    id
}

/// A stage as answers about a pipeline show it.
#[derive(Debug, Serialize)]
pub struct StageShape<'a> {
    id: OptionId,
    name: &'a str,
    status: &'static str,
    order: i32,
    percentage_chance_to_close: Option<Box<RawValue>>,
}

impl<'a> StageShape<'a> {
    #[must_use]
    pub fn of(stage: &'a Choice) -> Self {
        Self {
            id: stage.id,
            name: &stage.name,
            status: stage.status.unwrap_or_default().name(),
            order: stage.order,
            percentage_chance_to_close: stage.chance.map(|chance| {
                let mut digits = String::new();
                write_decimal(chance, &mut digits);
                RawValue::from_string(digits).expect("a decimal is spelled as a JSON number")
            }),
        }
    }

    /// All stages in order; of equal order, the older one first.
    #[must_use]
    pub fn all(field: &'a Field) -> Vec<Self> {
        field.options.in_order().into_iter().map(Self::of).collect()
    }
}
