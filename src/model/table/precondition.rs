//! What a write asks of the record that it finds: a version, or that there is none.
//!
//! It must not know what becomes of a write that finds it otherwise: that is
//! `decide/precondition.rs`.

use crate::model::id::Version;

/// What must hold when a write is decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Precondition {
    /// There is a record to change.
    Present,
    /// There is one, at one of these versions.
    AtOneOf(Vec<Version>),
    /// There is one, at this version: of a row.
    At(Version),
    /// There is none.
    Absent,
}

impl Precondition {
    /// Whether it holds where the record that was found has this version, or none was found.
    #[must_use]
    pub fn holds(&self, found: Option<Version>) -> bool {
        match (self, found) {
            (Self::Present, found) => found.is_some(),
            (Self::AtOneOf(versions), Some(found)) => versions.contains(&found),
            (Self::At(version), Some(found)) => *version == found,
            (Self::AtOneOf(_) | Self::At(_), None) => false,
            (Self::Absent, found) => found.is_none(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_met_by_itself_alone_and_an_absence_by_nothing() {
        let of = |versions: &[u32]| {
            Precondition::AtOneOf(versions.iter().copied().map(Version).collect())
        };
        for (precondition, found, holds) in [
            (Precondition::Present, Some(7), true),
            (Precondition::Present, None, false),
            (of(&[3, 5]), Some(5), true),
            (of(&[3, 5]), Some(4), false),
            (of(&[3, 5]), None, false),
            (of(&[]), Some(1), false),
            (Precondition::At(Version(3)), Some(3), true),
            (Precondition::At(Version(3)), Some(4), false),
            (Precondition::At(Version(3)), None, false),
            (Precondition::Absent, None, true),
            (Precondition::Absent, Some(1), false),
        ] {
            let found = found.map(Version);
            assert_eq!(precondition.holds(found), holds, "{precondition:?} {found:?}");
        }
    }
}
