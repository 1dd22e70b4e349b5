//! How the records of two objects are related: by a field on each side.
//!
//! The values are kept by one side, the owning one; the other side is its mirror, computed from it.
//! Owns what a relationship field says about the two sides. Must not know records.

use crate::model::id::{CategoryId, FieldId, ObjectId};
use crate::model::schema::field::Field;
use serde::{Deserialize, Serialize};

/// The two sides of a relationship, as one of them sees them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Relation {
    pub relation_type: RelationType,
    /// The object on the other side.
    pub object: ObjectId,
    /// The field on the other side.
    pub field: FieldId,
    /// Whether the values are the other side's, and computed here.
    #[serde(default, skip_serializing_if = "is_false")]
    pub is_mirror: bool,
    /// Of a mirror: it is shown to nobody, since its owning field may not be there yet.
    #[serde(default, skip_serializing_if = "is_false")]
    pub is_pending: bool,
    /// What the field on the other side was made with, should it have to be made again.
    pub related_name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub related_category: Option<CategoryId>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands out a reference")]
fn is_false(flag: &bool) -> bool {
    !flag
}

/// The relation of a field to be, whose other side has been found.
#[derive(Clone, Debug, PartialEq)]
pub struct NewRelation {
    /// The id that the field is to have.
    pub own: FieldId,
    pub relation: Relation,
}

/// How many records each side may have of the other, and which side keeps the values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RelationType {
    /// One of each; the side that was asked for keeps the values.
    OneToOne,
    /// Many here have the same one there; kept here.
    Primary,
    /// The mirror of `Primary`.
    PrimaryFor,
    /// Many of each; kept here.
    Additional,
    /// The mirror of `Additional`.
    AdditionalFor,
}

impl RelationType {
    pub const ALL: [Self; 5] =
        [Self::OneToOne, Self::Primary, Self::PrimaryFor, Self::Additional, Self::AdditionalFor];

    /// What the API calls it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::OneToOne => "one_to_one",
            Self::Primary => "primary",
            Self::PrimaryFor => "primary_for",
            Self::Additional => "additional",
            Self::AdditionalFor => "additional_for",
        }
    }

    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|relation_type| relation_type.name() == name)
    }

    /// What the other side is.
    #[must_use]
    pub const fn reverse(self) -> Self {
        match self {
            Self::OneToOne => Self::OneToOne,
            Self::Primary => Self::PrimaryFor,
            Self::PrimaryFor => Self::Primary,
            Self::Additional => Self::AdditionalFor,
            Self::AdditionalFor => Self::Additional,
        }
    }

    /// Whether a field that is asked for so has its values kept on the other side.
    #[must_use]
    pub const fn is_kept_elsewhere(self) -> bool {
        match self {
            Self::PrimaryFor | Self::AdditionalFor => true,
            Self::OneToOne | Self::Primary | Self::Additional => false,
        }
    }

    /// Whether a record here may have several of the other side.
    #[must_use]
    pub const fn is_to_many(self) -> bool {
        match self {
            Self::PrimaryFor | Self::Additional | Self::AdditionalFor => true,
            Self::OneToOne | Self::Primary => false,
        }
    }

    /// Both sides in one word, this one first.
    #[must_use]
    pub const fn cardinality(self) -> &'static str {
        match self {
            Self::OneToOne => "one_to_one",
            Self::Primary => "many_to_one",
            Self::PrimaryFor => "one_to_many",
            Self::Additional | Self::AdditionalFor => "many_to_many",
        }
    }
}

impl Field {
    /// Whether the values are computed from those of a field of another object.
    #[must_use]
    pub fn is_mirror(&self) -> bool {
        self.relation.as_ref().is_some_and(|relation| relation.is_mirror)
    }

    /// Whether it is a mirror whose owning field may not be there yet.
    #[must_use]
    pub fn is_pending(&self) -> bool {
        self.relation.as_ref().is_some_and(|relation| relation.is_pending)
    }

    /// The relation of which this field keeps the values.
    #[must_use]
    pub fn owned_relation(&self) -> Option<&Relation> {
        self.relation.as_ref().filter(|relation| !relation.is_mirror)
    }

    /// Whether a related record belongs to one record of this field alone.
    #[must_use]
    pub fn is_exclusive(&self) -> bool {
        self.owned_relation()
            .is_some_and(|relation| relation.relation_type == RelationType::OneToOne)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_two_sides_of_each_type_fit() {
        for relation_type in RelationType::ALL {
            let reverse = relation_type.reverse();
            assert_eq!(reverse.reverse(), relation_type);
            assert_eq!(RelationType::parse(relation_type.name()), Some(relation_type));
            assert!(!(relation_type.is_kept_elsewhere() && reverse.is_kept_elsewhere()));
            let mut sides: Vec<_> = relation_type.cardinality().split("_to_").collect();
            sides.reverse();
            assert_eq!(sides.join("_to_"), reverse.cardinality());
            assert_eq!(relation_type.is_to_many(), relation_type.cardinality().ends_with("_many"));
        }
        assert_eq!(RelationType::parse("Primary"), None);
    }
}
