//! Random lists of unique constraints, and normal forms of their fields.

use crate::model::id::FieldNumber;
use crate::model::schema::Schema;
use crate::model::schema::changed_field::ChangedField;
use crate::model::schema::new_field::NewField;
use crate::model::schema::new_object::NewObject;
use crate::model::table::command::Ask;
use crate::model::table::schema_command::SchemaAsk;
use crate::model::table::tests::steps::{CODE, LATE, PLACE, REGION, SERIAL, STATUS};
use proptest::prelude::*;

#[derive(Clone, Debug)]
pub(super) enum TogetherStep {
    /// The list of constraints, each a list of fields; mostly such as may be.
    List(Vec<Vec<u8>>),
    Normalize {
        which: u8,
        is_exact: bool,
    },
}

pub(super) fn any_together_step() -> impl Strategy<Value = TogetherStep> {
    let fields = prop_oneof![
        6 => prop::sample::subsequence(vec![0_u8, 1, 2, 3, 4, 5, 6], 2..4),
        1 => prop::collection::vec(0..9_u8, 0..4),
    ];
    let fields = fields.prop_shuffle();
    prop_oneof![
        3 => prop::collection::vec(fields, 0..4).prop_map(TogetherStep::List),
        2 => (0..3_u8, any::<bool>())
            .prop_map(|(which, is_exact)| TogetherStep::Normalize { which, is_exact }),
    ]
}

pub(super) fn ask(step: &TogetherStep, schema: &Schema) -> Ask {
    match step {
        TogetherStep::List(list) => {
            let name = |at: &u8| {
                let late = FieldNumber(LATE.0 + u32::from(*at) % 2);
                let field = match at {
                    0 => schema.identifier().number,
                    1 => CODE,
                    2 => SERIAL,
                    3 | 4 => [REGION, PLACE][usize::from(*at) - 3],
                    5 | 6 => late,
                    _ => STATUS,
                };
                // Now and then one that is not there.
                schema.by_number(field).map_or_else(|| "nothing".to_owned(), |it| it.name.clone())
            };
            let list = list.iter().map(|fields| fields.iter().map(name).collect());
            change(list.collect())
        }
        TogetherStep::Normalize { which, is_exact } => {
            let normalizer = if *is_exact { "exact" } else { "casefold" };
            let normalizer = Some(normalizer.to_owned());
            let keys = NewField { normalizer, ..NewField::default() };
            Ask::ChangeSchema(SchemaAsk::ChangeField {
                field: [CODE, REGION, PLACE][usize::from(*which)],
                change: Box::new(ChangedField { keys, options: None }),
            })
        }
    }
}

/// Asks for these constraints and no others.
pub(super) fn constrained(list: &[&[&str]]) -> Ask {
    change(list.iter().map(|fields| fields.iter().map(ToString::to_string).collect()).collect())
}

fn change(list: Vec<Vec<String>>) -> Ask {
    let change = NewObject { unique_constraints: Some(list), ..NewObject::default() };
    Ask::ChangeSchema(SchemaAsk::ChangeObject(Box::new(change)))
}
