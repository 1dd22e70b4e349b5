//! What an entry of the feed says about a change of an object's schema.
//!
//! Things are called what they are called today; what is gone, what it was called last.

use crate::model::id::{FieldId, FieldNumber, MemberId, OptionId};
use crate::model::schema::Schema;
use crate::model::schema::change::SchemaChange;
use crate::model::schema::field::Field;
use crate::model::schema::option::Choice;
use crate::model::schema::system;
use crate::model::table::event_form::Stored;
use serde::Serialize;

/// `schema` of an entry. What does not apply is left out.
#[derive(Debug, Default, Serialize)]
pub struct SchemaEntry {
    change: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<Named<FieldId>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    option: Option<Named<OptionId>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    replaced_by: Option<Named<OptionId>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    member: Option<GoneMember>,
}

/// All that `change` can be.
pub const SCHEMA_CHANGES: [&str; 12] = [
    "object_created",
    "object_updated",
    "object_archived",
    "field_created",
    "field_updated",
    "field_deleted",
    "option_created",
    "option_updated",
    "option_deleted",
    "option_replaced",
    "stage_removed",
    "member_removed",
];

#[derive(Debug, Serialize)]
struct Named<I> {
    id: I,
    name: String,
}

#[derive(Debug, Serialize)]
struct GoneMember {
    id: MemberId,
}

fn named(field: &Field) -> Named<FieldId> {
    Named { id: field.id, name: field.name.clone() }
}

/// What today's schema calls a field, if it still has it.
fn find(schema: &Schema, number: FieldNumber) -> Option<Named<FieldId>> {
    schema.any_number(number).map(|field| named(field))
}

fn named_option(option: &Choice) -> Named<OptionId> {
    Named { id: option.id, name: option.name.clone() }
}

impl SchemaEntry {
    /// Of an event, told with today's schema. What is no change of the schema says nothing.
    #[must_use]
    pub fn of(stored: &Stored<'_>, schema: &Schema) -> Self {
        match stored {
            Stored::ObjectCreated { .. } => Self::saying("object_created"),
            Stored::FieldCreated { field, .. } => {
                Self { field: Some(named(field)), ..Self::saying("field_created") }
            }
            Stored::OptionCreated { field, option, .. } => Self {
                field: find(schema, *field),
                option: Some(named_option(option)),
                ..Self::saying("option_created")
            },
            Stored::SchemaChanged { change, .. } => Self::of_change(change, schema),
            Stored::Record(_)
            | Stored::Purged(_)
            | Stored::TeamChanged { .. }
            | Stored::FollowUpConfirmed { .. }
            | Stored::SourceKept { .. }
            | Stored::StreamMoved { .. }
            | Stored::Outcome { .. } => Self::default(),
        }
    }

    fn of_change(change: &SchemaChange, schema: &Schema) -> Self {
        match change {
            SchemaChange::OptionChanged { field, option } => Self {
                field: find(schema, *field),
                option: Some(named_option(option)),
                ..Self::saying("option_updated")
            },
            SchemaChange::OptionRemoved { field, option: _, successor, was } => {
                let was = was.clone().map(|was| Named { id: was.id, name: was.name });
                let change = match successor {
                    _ if *field == system::STAGE => "stage_removed",
                    Some(_) => "option_replaced",
                    None => "option_deleted",
                };
                let options = schema.any_number(*field).map(|field| &field.options);
                let successor = options.zip(*successor).and_then(|(all, by)| all.get(by));
                Self {
                    field: find(schema, *field),
                    option: was,
                    replaced_by: successor.map(named_option),
                    ..Self::saying(change)
                }
            }
            SchemaChange::FieldChanged { field } => {
                Self { field: Some(named(field)), ..Self::saying("field_updated") }
            }
            SchemaChange::FieldDeleted { field: _, was } => {
                let was = was.clone().map(|was| Named { id: was.id, name: was.name });
                Self { field: was, ..Self::saying("field_deleted") }
            }
            SchemaChange::ObjectChanged { .. }
            | SchemaChange::ConstraintsChanged { .. }
            | SchemaChange::CategoryPut { .. }
            | SchemaChange::CategoryDeleted { .. } => Self::saying("object_updated"),
            SchemaChange::ObjectArchived { .. } => Self::saying("object_archived"),
            SchemaChange::MemberRemoved { member } => {
                Self { member: Some(GoneMember { id: *member }), ..Self::saying("member_removed") }
            }
        }
    }

    fn saying(change: &'static str) -> Self {
        Self { change, ..Self::default() }
    }
}
