//! One change of a schema after its birth, as events carry and store it, and what it makes of one.
//!
//! Must not know requests: what is allowed was decided before.

use crate::model::id::{FieldNumber, OptionNumber};
use crate::model::schema::Schema;
use crate::model::schema::option::Choice;
use serde::{Deserialize, Serialize};

/// A change. Its names are stored: `docs/file-format.md` lists them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SchemaChange {
    /// The option as it is now; its number stays.
    OptionChanged { field: FieldNumber, option: Choice },
    /// Values that chose the option mean its successor from now on, or nothing.
    OptionRemoved {
        field: FieldNumber,
        option: OptionNumber,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        successor: Option<OptionNumber>,
    },
}

impl Schema {
    /// This schema after a change.
    ///
    /// # Panics
    /// Where the change does not fit: an event fits the schema it was decided on.
    #[must_use]
    pub fn with_change(&self, change: &SchemaChange) -> Self {
        let mut changed = self.clone();
        changed.number = self.number.next();
        match change {
            SchemaChange::OptionChanged { field, option } => {
                changed.field_mut(*field).options.change(option.clone());
            }
            SchemaChange::OptionRemoved { field, option, successor } => {
                changed.field_mut(*field).options.remove(*option, *successor);
            }
        }
        changed
    }

    /// Whether a change that was stored follows on this schema; what it names that is not there.
    pub fn check_change(&self, change: &SchemaChange) -> Result<(), String> {
        match change {
            SchemaChange::OptionChanged { field, option } => {
                self.check_option(*field, option.number)
            }
            SchemaChange::OptionRemoved { field, option, successor } => {
                self.check_option(*field, *option)?;
                match successor {
                    Some(same) if same == option => Err(format!("a successor of option {option}")),
                    Some(successor) => self.check_option(*field, *successor),
                    None => Ok(()),
                }
            }
        }
    }

    fn check_option(&self, field: FieldNumber, option: OptionNumber) -> Result<(), String> {
        let held = self.by_number(field).ok_or_else(|| format!("field {field}"))?;
        let is_there = held.options.iter().any(|choice| choice.number == option);
        if is_there { Ok(()) } else { Err(format!("option {option} of field {field}")) }
    }
}
