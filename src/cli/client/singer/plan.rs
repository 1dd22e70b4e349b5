//! What becomes of the records of one stream: to which object they go, how they are found there,
//! and which property goes into which field.
//!
//! It follows from the stream's schema and the configuration alone, so the same stream is always
//! written the same way. Pure: who makes what is missing stands elsewhere.

use crate::cli::client::singer::config::StreamConfig;
use crate::cli::client::singer::message::Schema;
use crate::cli::client::singer::naming;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// The longest text that the type `text` takes.
const TEXT_LENGTH_MAX: u64 = 255;

/// How one stream is written.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Plan {
    pub(super) object: String,
    /// The label of an object that is made.
    pub(super) label: String,
    /// Whose values together are the identifier; none: records are matched by fields alone.
    pub(super) lookup: Vec<String>,
    /// The fields of `match`.
    pub(super) matches: Vec<String>,
    /// By property.
    pub(super) columns: BTreeMap<String, Column>,
    pub(super) oncreate_unarchive: Option<String>,
}

/// Where a property goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Column {
    pub(super) field: String,
    /// The type of the field, where it is made.
    pub(super) field_type: String,
    /// Whether it is made unique: records are matched by it.
    pub(super) is_unique: bool,
    /// Whether the field is text: what is no text is written as JSON.
    pub(super) is_text: bool,
}

/// Why a stream cannot be written.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum PlanError {
    #[error(
        "it has no key: neither key_properties nor \"lookup\" or \"match\" in its configuration"
    )]
    NoKey,
    #[error("its schema has no {0:?}, which is to be the key")]
    NoKeyProperty(String),
    #[error("{0:?} and {1:?} would both go into the field {2:?}")]
    SameField(String, String, String),
}

/// Why one record cannot be sent.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("the key property {0:?} is missing, null, empty, or no text, number or boolean")]
pub(super) struct KeyError(String);

impl Plan {
    pub(super) fn of(schema: &Schema, config: StreamConfig) -> Result<Self, PlanError> {
        let properties = &schema.properties;
        let lookup = match config.lookup {
            Some(property) => vec![property],
            None if config.matches.is_empty() => schema.key_properties.clone(),
            None => Vec::new(),
        };
        if lookup.is_empty() && config.matches.is_empty() {
            return Err(PlanError::NoKey);
        }
        if let Some(absent) = lookup.iter().find(|key| !properties.contains_key(*key)) {
            return Err(PlanError::NoKeyProperty(absent.clone()));
        }
        let mut columns: BTreeMap<String, Column> = BTreeMap::new();
        for (property, schema) in properties {
            let field = match config.fields.get(property) {
                Some(None) => continue,
                Some(Some(field)) => field.clone(),
                // The identifier has it already.
                None if lookup == [property.as_str()] => continue,
                None => naming::field(property),
            };
            if let Some((other, _)) = columns.iter().find(|(_, column)| column.field == field) {
                return Err(PlanError::SameField(other.clone(), property.clone(), field));
            }
            let is_unique = config.matches.contains(&field);
            let field_type = match config.types.get(property) {
                Some(field_type) => field_type.clone(),
                None if is_unique => "text".to_owned(),
                None => field_type(schema).to_owned(),
            };
            let is_text = is_text(&field_type);
            columns.insert(property.clone(), Column { field, field_type, is_unique, is_text });
        }
        Ok(Self {
            object: config.object.unwrap_or_else(|| naming::object(&schema.stream)),
            label: schema.stream.clone(),
            lookup,
            matches: config.matches,
            columns,
            oncreate_unarchive: config.oncreate_unarchive,
        })
    }

    /// The row of a record, as a line of JSON without its end.
    pub(super) fn row(&self, record: Map<String, Value>) -> Result<String, KeyError> {
        let mut row = Map::new();
        if !self.lookup.is_empty() {
            row.insert("lookup_value".to_owned(), self.lookup_value(&record)?.into());
        }
        let mut fields = Map::new();
        for (property, value) in record {
            // What the schema does not know has no field.
            let Some(column) = self.columns.get(&property) else { continue };
            let value = if column.is_text { as_text(value) } else { value };
            fields.insert(column.field.clone(), value);
        }
        row.insert("fields".to_owned(), fields.into());
        Ok(Value::Object(row).to_string())
    }

    /// The value of the key property; of several, with `|` between them.
    fn lookup_value(&self, record: &Map<String, Value>) -> Result<String, KeyError> {
        let mut values = Vec::with_capacity(self.lookup.len());
        for property in &self.lookup {
            let value = match record.get(property) {
                Some(Value::String(text)) if !text.trim().is_empty() => text.clone(),
                Some(value @ (Value::Number(_) | Value::Bool(_))) => value.to_string(),
                Some(Value::String(_) | Value::Null | Value::Array(_) | Value::Object(_))
                | None => return Err(KeyError(property.clone())),
            };
            values.push(value);
        }
        if let [value] = &mut values[..] {
            return Ok(std::mem::take(value));
        }
        // So that no two keys become the same text.
        let escaped = values.iter().map(|value| value.replace('\\', r"\\").replace('|', r"\|"));
        Ok(escaped.collect::<Vec<_>>().join("|"))
    }
}

impl Column {
    /// What the field is made with.
    pub(super) fn to_field(&self, property: &str) -> Value {
        let mut label: String = property.chars().take(200).collect();
        if label.trim().is_empty() {
            label.clone_from(&self.field);
        }
        json!({
            "field_type": self.field_type,
            "display_name": label,
            "name": self.field,
            "is_unique": self.is_unique,
        })
    }
}

/// Whether values of a field of this type are texts.
pub(super) fn is_text(field_type: &str) -> bool {
    matches!(field_type, "text" | "longtext" | "wysiwyg" | "email" | "phonenumber")
}

fn as_text(value: Value) -> Value {
    match value {
        Value::Null | Value::String(_) => value,
        Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            value.to_string().into()
        }
    }
}

/// The type of field that takes every value of a property.
fn field_type(schema: &Value) -> &'static str {
    let kinds = kinds(schema);
    let format = text_of(schema, "format");
    match kinds[..] {
        ["string"] => match format {
            Some("date-time") => "datetime",
            Some("date") => "date",
            _ => {
                let length_max = schema.get("maxLength").and_then(Value::as_u64);
                let is_short = length_max.is_some_and(|length| length <= TEXT_LENGTH_MAX);
                if is_short { "text" } else { "longtext" }
            }
        },
        ["integer"] if fits_integer(schema) => "integer",
        ["integer" | "number"] | ["integer", "number"] | ["number", "integer"] => "decimal",
        ["boolean"] => "checkbox",
        _ => "longtext",
    }
}

/// The types that values may have, but for null.
fn kinds(schema: &Value) -> Vec<&str> {
    let named = match schema.get("type") {
        Some(Value::String(kind)) => vec![&**kind],
        Some(Value::Array(kinds)) => kinds.iter().filter_map(Value::as_str).collect(),
        Some(Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_)) | None => {
            let choices = schema.get("anyOf").or_else(|| schema.get("oneOf"));
            let choices = choices.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
            // A format of one choice says nothing of the others.
            choices.iter().filter_map(|choice| text_of(choice, "type")).collect()
        }
    };
    named.into_iter().filter(|kind| *kind != "null").collect()
}

fn text_of<'a>(schema: &'a Value, key: &str) -> Option<&'a str> {
    schema.get(key).and_then(Value::as_str)
}

/// Integers of the server have 32 bits; those of sources mostly have more.
fn fits_integer(schema: &Value) -> bool {
    let bound = |key| schema.get(key).and_then(Value::as_i64);
    let fits = |bound: Option<i64>| bound.is_some_and(|bound| i32::try_from(bound).is_ok());
    fits(bound("minimum")) && fits(bound("maximum"))
}

#[cfg(test)]
mod tests;
