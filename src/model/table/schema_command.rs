//! What may be asked to change a schema that is there.
//!
//! Every one is a barrier, so it is decided on the schema that is durable: none carries the number
//! of the schema it was read with.

use crate::model::id::{FieldNumber, OptionId};
use crate::model::schema::new_field::NewOption;

#[derive(Debug)]
pub enum SchemaAsk {
    /// What is not given stays.
    ChangeOption {
        field: FieldNumber,
        option: OptionId,
        change: NewOption,
    },
    RemoveOption {
        field: FieldNumber,
        option: OptionId,
    },
    /// Removes an option; values of it mean the one of the id `by`.
    ReplaceOption {
        field: FieldNumber,
        option: OptionId,
        by: Option<String>,
    },
}
