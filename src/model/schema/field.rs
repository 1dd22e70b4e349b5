//! A field of an object.
//!
//! Owns what a field is and where its value comes from. Must not know values or how they are read.

use crate::model::id::{CategoryId, FieldId, FieldNumber};
use crate::model::key::Normalizer;
use crate::model::schema::currency::Currency;
use crate::model::schema::decimal_options::DecimalOptions;
use crate::model::schema::fault::SchemaFaultKind;
use crate::model::schema::money_options::MoneyOptions;
use crate::model::schema::object::Object;
use crate::model::schema::option::Choices;
use crate::model::schema::phonenumber_options::PhonenumberOptions;
use crate::model::schema::rating_options::RatingOptions;
use crate::model::schema::system;
use crate::model::value::{FieldType, Multiplicity};
use serde::{Deserialize, Serialize};

/// A field. Record bodies call it by its number, so every name may change.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own in the API")]
pub struct Field {
    pub number: FieldNumber,
    pub id: FieldId,
    /// The API name.
    pub name: String,
    /// The label.
    pub display_name: String,
    pub description: String,
    pub field_type: FieldType,
    pub category: CategoryId,
    pub order: i32,
    /// Made with the object.
    pub is_default: bool,
    pub is_required: bool,
    pub is_read_only: bool,
    pub is_hidden: bool,
    pub is_deletable: bool,
    pub allow_multiple: bool,
    pub is_unique: bool,
    /// Of a field of text: how it is compared where it is unique.
    pub normalizer: Option<Normalizer>,
    /// The text of a JSON object, kept as it was given.
    pub meta: String,
    #[serde(default, skip_serializing_if = "Choices::is_empty")]
    pub options: Choices,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decimal_options: Option<DecimalOptions>,
    /// Of a money field.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub money_options: Option<MoneyOptions>,
    /// Of a rating field.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rating: Option<RatingOptions>,
    /// Of a phonenumber field.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phonenumber_options: Option<PhonenumberOptions>,
}

impl Field {
    /// Whether this field names its records.
    #[must_use]
    pub fn is_identifier(&self) -> bool {
        matches!(self.number, system::NAME | system::EMAIL)
    }

    /// Where the field's value comes from.
    #[must_use]
    pub fn source(&self) -> Source {
        match self.number {
            system::CREATED => Source::Created,
            system::UPDATED => Source::Updated,
            system::DISPLAY_NAME => Source::DisplayName,
            system::FULL_NAME => Source::FullName,
            _ => Source::Stored,
        }
    }

    /// Whether the server alone says what the value is.
    #[must_use]
    pub fn is_computed(&self) -> bool {
        match self.source() {
            Source::Created | Source::Updated | Source::DisplayName | Source::FullName => true,
            Source::Stored => self.number == system::ACTUAL_CLOSE_DATE,
        }
    }

    /// Why nobody may make, change or remove options of the field: they are given by the server and
    /// stay as they are, or they are stages, which have more to them.
    #[must_use]
    pub fn fixed_options(&self) -> Option<SchemaFaultKind> {
        match self.number {
            system::STAGE => Some(SchemaFaultKind::OptionsAreStages),
            system::EMAIL_STATUS => Some(SchemaFaultKind::Immutable),
            _ => self.field_type.has_fixed_options().then_some(SchemaFaultKind::Immutable),
        }
    }

    /// Whether records of an object have the field: some are there only where a flag of the object
    /// asks for them.
    #[must_use]
    pub fn is_offered_by(&self, object: &Object) -> bool {
        match self.number {
            system::ENTITY_VALUE => object.track_entity_value,
            system::CHANCE_LOW | system::CHANCE_HIGH => object.include_percentage_to_close,
            _ => true,
        }
    }

    /// Whether a record has a list of values in it.
    #[must_use]
    pub fn holds_several(&self) -> bool {
        match self.field_type.multiplicity() {
            Multiplicity::One => false,
            Multiplicity::Many => true,
            Multiplicity::Chosen => self.allow_multiple,
        }
    }

    /// What the amounts of a money field are in.
    #[must_use]
    pub fn currency(&self) -> Currency {
        self.money_options.unwrap_or_default().currency
    }
}

/// Where a field's value comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// The record's body.
    Stored,
    /// The record's time of creation.
    Created,
    /// The record's time of last change.
    Updated,
    /// The record's identifier.
    DisplayName,
    /// The record's first and last name, joined by one space.
    FullName,
}
