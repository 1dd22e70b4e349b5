//! The lines of a Singer stream.
//!
//! It must not know what is done with them.

use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};

/// One line.
#[derive(Debug)]
pub(super) enum Message<'a> {
    Schema(Schema),
    Record {
        stream: String,
        record: Map<String, Value>,
        text: &'a RawValue,
    },
    /// What the tap is to be given when it goes on behind the records before it.
    State(&'a RawValue),
    /// Says which versions of a table are the newest; nothing follows from it here.
    ActivateVersion,
}

/// What a stream's records are like.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Schema {
    pub(super) stream: String,
    /// What each property is like.
    pub(super) properties: Map<String, Value>,
    pub(super) key_properties: Vec<String>,
}

/// Why a line is no message.
#[derive(Debug, thiserror::Error)]
pub(super) enum MessageError {
    #[error("it is not JSON: {0}")]
    Json(#[from] serde_json::Error),
    #[error("a {kind} message has no {key}")]
    Missing { kind: String, key: &'static str },
    #[error("messages of type {0:?} are not understood")]
    Unknown(String),
}

/// The part of a JSON schema that is minded.
#[derive(Deserialize)]
struct JsonSchema {
    #[serde(default)]
    properties: Map<String, Value>,
}

#[derive(Deserialize)]
struct Line<'a> {
    #[serde(rename = "type", default)]
    kind: String,
    stream: Option<String>,
    schema: Option<JsonSchema>,
    #[serde(default)]
    key_properties: Option<Vec<String>>,
    #[serde(borrow)]
    record: Option<&'a RawValue>,
    #[serde(borrow)]
    value: Option<&'a RawValue>,
}

impl<'a> Message<'a> {
    pub(super) fn read(line: &'a str) -> Result<Self, MessageError> {
        let Line { kind, stream, schema, key_properties, record, value } =
            serde_json::from_str(line)?;
        let missing = |key| MessageError::Missing { kind: kind.clone(), key };
        Ok(match &*kind {
            "SCHEMA" => Self::Schema(Schema {
                stream: stream.ok_or_else(|| missing("stream"))?,
                properties: schema.ok_or_else(|| missing("schema"))?.properties,
                key_properties: key_properties.unwrap_or_default(),
            }),
            "RECORD" => {
                let text = record.ok_or_else(|| missing("record"))?;
                Self::Record {
                    stream: stream.ok_or_else(|| missing("stream"))?,
                    record: serde_json::from_str(text.get())?,
                    text,
                }
            }
            "STATE" => Self::State(value.ok_or_else(|| missing("value"))?),
            "ACTIVATE_VERSION" => Self::ActivateVersion,
            _ => return Err(MessageError::Unknown(kind)),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_four_kinds_are_read_and_what_they_say_besides_is_not_minded() {
        let schema = r#"{"type":"SCHEMA","stream":"a","schema":{"properties":{}},"key_properties":["id"],"bookmark_properties":["x"]}"#;
        let Message::Schema(schema) = Message::read(schema).unwrap() else { panic!("a schema") };
        assert_eq!((&*schema.stream, &schema.key_properties[..]), ("a", &["id".to_owned()][..]));
        let record = r#"{"type":"RECORD","stream":"a","record":{"n":12345678901234567890.10},"time_extracted":"2026"}"#;
        let Message::Record { record, text, .. } = Message::read(record).unwrap() else {
            panic!("a record")
        };
        assert_eq!(record["n"].to_string(), "12345678901234567890.10", "digits are kept");
        assert_eq!(text.get(), r#"{"n":12345678901234567890.10}"#);
        let state = r#"{"type":"STATE","value":{"b": 1}}"#;
        let Message::State(value) = Message::read(state).unwrap() else { panic!("a state") };
        assert_eq!(value.get(), r#"{"b": 1}"#);
        let version = r#"{"type":"ACTIVATE_VERSION","stream":"a","version":1}"#;
        assert!(matches!(Message::read(version), Ok(Message::ActivateVersion)));
    }

    #[test]
    fn what_is_no_message_is_told() {
        for (line, told) in [
            ("{", "it is not JSON"),
            (r#"{"type":"RECORD","stream":"a"}"#, "a RECORD message has no record"),
            (r#"{"type":"SCHEMA","schema":{}}"#, "a SCHEMA message has no stream"),
            (r#"{"type":"BATCH","stream":"a"}"#, "messages of type \"BATCH\""),
        ] {
            let error = Message::read(line).unwrap_err().to_string();
            assert!(error.starts_with(told), "{error}");
        }
    }
}
