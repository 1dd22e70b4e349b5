//! What an upsert is to do: every option of it, whichever door the request came through.
//!
//! A single call, a row of a batch, a line of a stream and a row of an import differ only in how
//! they are read and how they are answered. It must not know what follows from an option: that is
//! `decide/upsert.rs`.

use crate::model::id::FieldNumber;
use crate::model::key::Key;
use crate::model::table::Shown;
use crate::model::table::command::{
    ArchivedConflict, ArchivedMatch, Identifier, Place, RestoreConflict, Writes,
};
use crate::model::table::event::{Claim, ClaimOn};
use crate::model::table::precondition::Precondition;
use crate::model::table::record::Record;
use crate::model::table::source::Guard;
use crate::model::value::Value;
use crate::model::value::fault::ValueFault;

/// One upsert.
#[derive(Clone, Debug)]
pub struct Intent {
    pub matching: Matching,
    pub writes: Writes,
    pub mode: Mode,
    pub archived_match: ArchivedMatch,
    pub archived_conflict: ArchivedConflict,
    pub restore_conflict: RestoreConflict,
    /// What the system that it comes from says of it.
    pub guard: Option<Guard>,
    /// What must be there, or not. Only a live record is: an archived one is as good as none.
    pub precondition: Option<Precondition>,
    /// An update that changes nothing says so, instead of `updated`.
    pub reports_unchanged: bool,
}

/// Which record is meant.
#[derive(Clone, Debug)]
pub enum Matching {
    /// That of this identifier.
    Identifier(Identifier),
    /// That of any of these values.
    Keys(Box<MatchKeys>),
}

/// Values by which a record is looked for.
#[derive(Clone, Debug)]
pub struct MatchKeys {
    /// Those that have a value, the most important first.
    pub keys: Vec<MatchKey>,
    pub on_conflict: IdentityConflict,
    /// What a new record has, unless its fields say otherwise.
    pub values: Vec<MatchValue>,
}

/// One way to find the record.
#[derive(Clone, Debug)]
pub struct MatchKey {
    pub on: MatchOn,
    /// What it is told by: one value, or those of several fields that are unique together.
    pub parts: Vec<MatchPart>,
}

/// A value that a record is looked for by, alone or with others.
#[derive(Clone, Debug, PartialEq)]
pub struct MatchPart {
    pub field: FieldNumber,
    pub value: Value,
    /// The value as it was given.
    pub text: Box<str>,
    pub place: Place,
}

impl MatchPart {
    /// A value of the identifier.
    #[must_use]
    pub fn of_identifier(field: FieldNumber, text: Box<str>, place: Place) -> Self {
        Self { field, value: Value::Text(text.clone()), text, place }
    }
}

/// A place in an index.
#[derive(Clone, Debug)]
pub enum MatchOn {
    Identifier(Key),
    Claim(Claim),
}

/// A value that was given to look for, not in `fields`.
#[derive(Clone, Debug)]
pub struct MatchValue {
    pub field: FieldNumber,
    pub value: Value,
    pub place: Place,
    /// Why no record can be created with it.
    pub fault: Option<ValueFault>,
}

/// What becomes of an upsert whose match keys mean several live records.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum IdentityConflict {
    #[default]
    Refuse,
    /// The first key decides.
    First,
}

impl Matching {
    /// The live or archived record that is meant, as readers see it; to foresee what is decided.
    #[must_use]
    pub fn foreseen(&self, shown: &Shown) -> Option<Record> {
        match self {
            Self::Identifier(lookup) => shown.holder(&lookup.key),
            Self::Keys(keys) => keys.keys.iter().find_map(|key| match &key.on {
                MatchOn::Identifier(key) => shown.holder(key),
                MatchOn::Claim(claim) => shown.unique(claim.on)?.get(&claim.key),
            }),
        }
    }
}

impl Matching {
    /// What two rows have in common that mean the same record.
    #[must_use]
    pub fn key(&self) -> (Option<ClaimOn>, Key) {
        match self {
            Self::Identifier(identifier) => (None, identifier.key.clone()),
            Self::Keys(keys) => {
                let first = keys.keys.first().expect("without a key the row is refused");
                match &first.on {
                    MatchOn::Identifier(key) => (None, key.clone()),
                    MatchOn::Claim(claim) => (Some(claim.on), claim.key.clone()),
                }
            }
        }
    }
}

/// What an upsert does with the record that it finds, or does not find.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// Updates a live one, and creates it where there is none.
    #[default]
    Upsert,
    /// Leaves a live one as it is.
    Create,
    /// Creates and restores nothing.
    Update,
    /// Archives a live one; there is nothing to write.
    Archive,
}

impl Intent {
    /// An upsert of the record with this identifier, without any option.
    #[must_use]
    pub fn of_identifier(identifier: Identifier, writes: Writes) -> Self {
        Self::new(Matching::Identifier(identifier), writes)
    }

    /// An upsert without any other option.
    #[must_use]
    pub fn new(matching: Matching, writes: Writes) -> Self {
        Self {
            matching,
            writes,
            mode: Mode::default(),
            archived_match: ArchivedMatch::default(),
            archived_conflict: ArchivedConflict::default(),
            restore_conflict: RestoreConflict::default(),
            guard: None,
            precondition: None,
            reports_unchanged: false,
        }
    }
}
