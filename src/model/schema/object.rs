//! An object's own description, and the categories its fields are shown in.
//!
//! Must not know fields or records.

use crate::model::id::{CategoryId, MemberId, ObjectId, Timestamp};
use serde::{Deserialize, Serialize};

/// The API name of the contact object.
pub const CONTACTS: &str = "client_client";
/// The default of `default_color`.
pub const DEFAULT_COLOR: &str = "#085BEE";
/// The default of `default_icon`.
pub const DEFAULT_ICON: &str = "bars-light";
/// The `meta` of what was given none.
pub const EMPTY_META: &str = "{}";

/// What an object is called and how it is shown.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own in the API")]
pub struct Object {
    pub id: ObjectId,
    /// The API name.
    pub name: String,
    /// The plural label.
    pub object_name: String,
    /// The singular label.
    pub entity_name: String,
    pub object_type: ObjectType,
    /// Made by somebody; false for contacts.
    pub is_custom: bool,
    pub description: String,
    pub allow_relations: bool,
    pub has_commerce_data: bool,
    pub default_on_activities: bool,
    pub track_entity_value: bool,
    pub include_percentage_to_close: bool,
    pub allow_on_forms: bool,
    pub default_color: String,
    pub default_icon: String,
    /// The text of a JSON object, kept as it was given.
    pub meta: String,
    pub created: Timestamp,
    /// Who made it; nobody where the server did.
    pub owner: Option<MemberId>,
    /// From then on nothing of it is found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub archived_at: Option<Timestamp>,
}

/// What kind of object it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ObjectType {
    #[default]
    Standard,
    /// Its records are in stages.
    Pipeline,
}

impl ObjectType {
    pub const ALL: [Self; 2] = [Self::Standard, Self::Pipeline];

    /// What the API calls it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Standard => "standard",
            Self::Pipeline => "pipeline",
        }
    }

    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|object_type| object_type.name() == name)
    }
}

/// A group of fields.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Category {
    pub id: CategoryId,
    pub name: String,
    pub order: i32,
    /// The text of a JSON object, kept as it was given.
    pub meta: String,
}
