//! Versions of a source: how requests give them, and how answers show them.
//!
//! It must not know what is done with an old one.

use crate::http::code::Code;
use crate::http::fault::{Fault, Faults};
use crate::http::shape::{Presence, Shape, TextRule};
use crate::http::wire::keys::whole_number;
use crate::model::input::Input;
use crate::model::table::source::{Guard, SOURCE_CHARS_MAX, SourceVersion};
use crate::model::value::time::{instant_text, parse_instant};
use jiff::tz::TimeZone;
use serde::{Serialize, Serializer};

const SOURCE: &str = "source";
const SOURCE_VERSION: &str = "source_version";
const NUMBER_MAX: u64 = i64::MAX.cast_unsigned();

/// Reads what an upsert says of the system that it comes from; `origin` is that of its key.
pub fn read_guard(shape: &mut Shape<'_>, origin: &str, faults: &mut Faults) -> Option<Guard> {
    let rule = TextRule {
        presence: Presence::Nullable,
        chars_max: SOURCE_CHARS_MAX,
        may_be_blank: false,
        takes_number: false,
    };
    let source = shape.text(SOURCE, &rule, faults).unwrap_or(origin);
    if source.chars().any(char::is_control) {
        let fault = Fault::new(Code::Invalid, shape.place(SOURCE));
        faults.push(fault.saying("Control characters are not allowed."));
    }
    let value = shape.value(SOURCE_VERSION, Presence::Nullable, faults)?;
    let version = match value {
        Input::Number(spelling) => {
            let number = whole_number(spelling).filter(|number| *number <= NUMBER_MAX);
            number.map(SourceVersion::Number)
        }
        Input::Text(text) => parse_instant(text.trim())
            .map(|(seconds, nanoseconds)| SourceVersion::Time { seconds, nanoseconds }),
        Input::Null | Input::Boolean(_) | Input::List(_) | Input::Map(_) => None,
    };
    let Some(version) = version else {
        let fault = Fault::new(Code::Invalid, shape.place(SOURCE_VERSION));
        let message = "Must be a whole number from 0 to 9223372036854775807, or an RFC 3339 time.";
        faults.push(fault.saying(message));
        return None;
    };
    Some(Guard { source: source.into(), version })
}

/// A version as answers show it.
#[derive(Clone, Debug)]
pub struct ShownVersion<'a> {
    pub version: SourceVersion,
    pub time_zone: &'a TimeZone,
}

impl Serialize for ShownVersion<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.version {
            SourceVersion::Number(number) => serializer.serialize_u64(number),
            SourceVersion::Time { seconds, nanoseconds } => {
                serializer.serialize_str(&instant_text((seconds, nanoseconds), self.time_zone))
            }
        }
    }
}
