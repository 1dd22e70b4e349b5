//! What may be asked to change a schema that is there.
//!
//! Every one is a barrier, so it is decided on the schema that is durable: none carries the number
//! of the schema it was read with.

use crate::model::id::{CategoryId, FieldId, FieldNumber, MemberId, OptionId};
use crate::model::schema::categories::NewCategory;
use crate::model::schema::changed_field::ChangedField;
use crate::model::schema::new_field::NewOption;
use crate::model::schema::new_object::NewObject;
use crate::model::schema::stage::NewStage;

#[derive(Debug)]
pub enum SchemaAsk {
    /// What is not given stays.
    ChangeField {
        field: FieldNumber,
        change: Box<ChangedField>,
    },
    /// Its values are gone from every read.
    DeleteField(FieldNumber),
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
    /// What is not given stays.
    ChangeObject(Box<NewObject>),
    /// The object goes with all its records, which must be archived.
    ArchiveObject,
    CreateCategory(NewCategory),
    /// What is not given stays.
    ChangeCategory {
        category: CategoryId,
        change: NewCategory,
    },
    /// Its fields go to another one.
    DeleteCategory(CategoryId),
    /// Shows a mirror whose owning field is there. One that is shown already stays as it is.
    ShowMirror(FieldId),
    /// Drops a mirror whose owning field is not there, shown or not. It may be gone already.
    DropMirror(FieldId),
    /// Removes an option; values of it mean the one of the id `by`.
    ReplaceOption {
        field: FieldNumber,
        option: OptionId,
        by: Option<String>,
    },
    /// A member is gone from the business. An object that has heard of it stays as it is, and so
    /// does one that can name no member.
    RemoveMember(MemberId),
    CreateStage(NewStage),
    /// What is not given stays. No record is rewritten.
    ChangeStage {
        stage: OptionId,
        change: NewStage,
    },
    /// Removes the stage of the id `stage`; records in it are in the one of the id `successor`.
    RemoveStage {
        stage: Option<String>,
        successor: Option<String>,
    },
}
