//! Why a change of the schema is refused.
//!
//! Owns the kinds of fault and where in the request they are. Must not know error codes or
//! statuses.

use crate::model::schema::name::NameFault;
use crate::model::value::fault::ValueFault;
use std::fmt;

/// One thing that is wrong with a new object, field or option.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{place}: {fault}")]
pub struct SchemaFault {
    pub place: BodyPlace,
    pub fault: SchemaFaultKind,
}

impl SchemaFault {
    /// Whether a key as a whole is at fault.
    #[must_use]
    pub fn is_about(&self, key: &'static str) -> bool {
        self.place == BodyPlace::Key(key)
    }
}

/// The key of the body that is at fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyPlace {
    /// None of its keys alone.
    Body,
    Key(&'static str),
    /// A key of an entry of a list: `options[3].name`.
    Entry {
        list: &'static str,
        index: usize,
        key: &'static str,
    },
    /// An entry of a list: `unique_constraints[3]`, or what stands in it: `unique_constraints[3][0]`.
    Item {
        list: &'static str,
        index: usize,
        inner: Option<usize>,
    },
    /// A key of a map: `decimal_options.min_value`.
    Inner {
        map: &'static str,
        key: &'static str,
    },
}

impl BodyPlace {
    /// The key at the top of the body.
    #[must_use]
    pub const fn top(self) -> Option<&'static str> {
        match self {
            Self::Body => None,
            Self::Key(key)
            | Self::Entry { list: key, .. }
            | Self::Item { list: key, .. }
            | Self::Inner { map: key, .. } => Some(key),
        }
    }
}

impl From<&'static str> for BodyPlace {
    fn from(key: &'static str) -> Self {
        Self::Key(key)
    }
}

impl fmt::Display for BodyPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Body => f.write_str("body"),
            Self::Key(key) => f.write_str(key),
            Self::Entry { list, index, key } => write!(f, "{list}[{index}].{key}"),
            Self::Item { list, index, inner: None } => write!(f, "{list}[{index}]"),
            Self::Item { list, index, inner: Some(inner) } => write!(f, "{list}[{index}][{inner}]"),
            Self::Inner { map, key } => write!(f, "{map}.{key}"),
        }
    }
}

/// What is wrong. Its text is a sentence, because clients are shown it as it is.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum SchemaFaultKind {
    #[error(transparent)]
    Value(#[from] ValueFault),
    /// An API name that was given for an object.
    #[error("{0}")]
    ObjectName(NameFault),
    /// An API name that was given for a field.
    #[error("{0}")]
    FieldName(NameFault),
    /// Another option of the field has this label.
    #[error("An option with this name already exists.")]
    Unique,
    /// Another stage of the pipeline has this name.
    #[error("A stage with this name already exists.")]
    UniqueStage,
    #[error("An object may have no more than {max} fields.")]
    TooManyFields { max: usize },
    /// `what` is what is counted, in the plural: `unique fields`.
    #[error("An object may have no more than {max} {what}.")]
    LimitExceeded { what: &'static str, max: usize },
    #[error("This cannot be changed.")]
    Immutable,
    #[error("The options of this field are the stages of the pipeline; change those.")]
    OptionsAreStages,
    #[error("This cannot be deleted.")]
    NotDeletable,
}
