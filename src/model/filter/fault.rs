//! Why a condition is refused.

use crate::model::value::FieldType;
use crate::model::value::fault::ValueFault;

/// What is wrong with a condition. Its text is a sentence, because clients are shown it as it is.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum FilterFault {
    /// Fields of this type are not asked this.
    #[error("The condition \"{given}\" is not supported on a field of type {}.", .field_type.name())]
    Condition { given: Box<str>, field_type: FieldType },
    /// What it compares with.
    #[error(transparent)]
    Value(#[from] ValueFault),
}
