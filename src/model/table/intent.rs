//! What an upsert is to do: every option of it, whichever door the request came through.
//!
//! A single call, a row of a batch, a line of a stream and a row of an import differ only in how
//! they are read and how they are answered. It must not know what follows from an option: that is
//! `decide/upsert.rs`.

use crate::model::key::Key;
use crate::model::table::command::{
    ArchivedConflict, ArchivedMatch, Identifier, RestoreConflict, Writes,
};

/// One upsert.
#[derive(Clone, Debug)]
pub struct Intent {
    pub matching: Matching,
    pub writes: Writes,
    pub mode: Mode,
    pub archived_match: ArchivedMatch,
    pub archived_conflict: ArchivedConflict,
    pub restore_conflict: RestoreConflict,
    /// An update that changes nothing says so, instead of `updated`.
    pub reports_unchanged: bool,
}

/// Which record is meant.
#[derive(Clone, Debug)]
pub enum Matching {
    /// That of this identifier.
    Identifier(Identifier),
}

impl Matching {
    /// What two rows have in common that mean the same record.
    #[must_use]
    pub fn key(&self) -> Key {
        match self {
            Self::Identifier(identifier) => identifier.key.clone(),
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
        Self {
            matching: Matching::Identifier(identifier),
            writes,
            mode: Mode::default(),
            archived_match: ArchivedMatch::default(),
            archived_conflict: ArchivedConflict::default(),
            restore_conflict: RestoreConflict::default(),
            reports_unchanged: false,
        }
    }
}
