//! Closed lists of words, as the document of the API describes them: taken from the lists that the
//! server itself reads, so that none can be missing here.
//!
//! It must not know where a word is used.

use crate::model::key::{self, Normalizer};
use crate::model::schema::relation;
use crate::model::value;
use serde::Serialize;
use std::borrow::Cow;
use utoipa::openapi::schema::{ObjectBuilder, SchemaType, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};

/// What kind of values a field takes.
#[derive(Serialize)]
pub struct FieldType;

/// The form in which values of a unique field are compared.
#[derive(Serialize)]
pub struct NormalForm;

/// How many records each side of a relation may have of the other.
#[derive(Serialize)]
pub struct RelationType;

/// Whether the names of an object's records differ by case.
#[derive(Serialize)]
pub struct IdentifierCase;

fn one_of(words: impl IntoIterator<Item = &'static str>, description: &str) -> RefOr<Schema> {
    let schema = ObjectBuilder::new().schema_type(SchemaType::Type(Type::String));
    RefOr::T(schema.enum_values(Some(words)).description(Some(description)).build().into())
}

impl PartialSchema for FieldType {
    fn schema() -> RefOr<Schema> {
        let words = value::FieldType::ALL.into_iter().map(value::FieldType::name);
        one_of(words, "What kind of values a field takes.")
    }
}

impl ToSchema for FieldType {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed("FieldType")
    }
}

impl PartialSchema for NormalForm {
    fn schema() -> RefOr<Schema> {
        let words = Normalizer::ALL.into_iter().map(Normalizer::name);
        one_of(words, "The form in which values of a unique field are compared.")
    }
}

impl ToSchema for NormalForm {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed("NormalForm")
    }
}

impl PartialSchema for IdentifierCase {
    fn schema() -> RefOr<Schema> {
        let words = key::IdentifierCase::ALL.into_iter().map(key::IdentifierCase::name);
        one_of(words, "Whether the names of an object's records differ by case.")
    }
}

impl ToSchema for IdentifierCase {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed("IdentifierCase")
    }
}

impl PartialSchema for RelationType {
    fn schema() -> RefOr<Schema> {
        let words = relation::RelationType::ALL.into_iter().map(relation::RelationType::name);
        one_of(words, "How many records each side of a relation may have of the other.")
    }
}

impl ToSchema for RelationType {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed("RelationType")
    }
}
