//! One thing that is wrong with a request: its code, its text, and the place it stands at.
//!
//! It must not know how an answer is put together; that is `problem`.

use crate::http::code::Code;
use crate::http::problem::Problem;
use crate::http::wire::fields::set_name;
use crate::model::id::{FieldId, RecordId};
use crate::model::table::command::FieldSet;
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use std::borrow::Cow;

/// One item of `errors`.
#[derive(Clone, Debug, PartialEq)]
pub struct Fault {
    pub code: Code,
    pub message: Cow<'static, str>,
    pub place: Place,
    /// The record that holds a value which must be unique, where the caller may see it.
    pub conflicting_record_id: Option<RecordId>,
}

/// Where a fault stands.
#[derive(Clone, Debug, PartialEq)]
pub enum Place {
    /// The record or the request as a whole.
    Whole,
    /// A key of the body; keys inside others are joined by a dot.
    Body(Cow<'static, str>),
    Query(Cow<'static, str>),
    Header(Cow<'static, str>),
    Field(FieldPlace),
}

/// A field of the record, and where the request names it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FieldPlace {
    /// The API name, or what was given instead of one; none if the caller may not know it.
    pub field: Option<String>,
    pub field_id: Option<FieldId>,
    /// Position in the request's `fields`, if the request names the field there.
    pub index: Option<usize>,
    /// In which set of fields the request names it.
    pub set: FieldSet,
    /// The key of the entry that the compatibility form blames.
    pub part: FieldPart,
}

/// Which key of an entry of `fields` is at fault.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FieldPart {
    #[default]
    Value,
    Name,
    Id,
    AddValues,
    RemoveValues,
}

impl FieldPart {
    /// The key on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Value => "value",
            Self::Name => "name",
            Self::Id => "id",
            Self::AddValues => "add_values",
            Self::RemoveValues => "remove_values",
        }
    }
}

impl Fault {
    /// A fault with the code's own text.
    #[must_use]
    pub fn new(code: Code, place: Place) -> Self {
        Self { code, message: Cow::Borrowed(code.text()), place, conflicting_record_id: None }
    }

    /// The same fault with another text.
    #[must_use]
    pub fn saying(mut self, message: impl Into<Cow<'static, str>>) -> Self {
        self.message = message.into();
        self
    }

    /// A key, parameter or header that is not known here, or not offered.
    #[must_use]
    pub fn unknown_parameter(place: Place) -> Self {
        let name = match &place {
            Place::Body(name) | Place::Query(name) | Place::Header(name) => clipped(name),
            Place::Whole | Place::Field(_) => Cow::Borrowed(""),
        };
        let message = format!("Unknown parameter \"{name}\".");
        Self::new(Code::UnknownParameter, place).saying(message)
    }

    /// A value that is none of those allowed.
    #[must_use]
    pub fn invalid_choice(place: Place, given: &str) -> Self {
        let message = format!("\"{}\" is not a valid choice.", clipped(given));
        Self::new(Code::InvalidChoice, place).saying(message)
    }

    /// A text of more than `max` characters.
    #[must_use]
    pub fn max_length(place: Place, max: usize) -> Self {
        let message = format!("Ensure this field has no more than {max} characters.");
        Self::new(Code::MaxLength, place).saying(message)
    }
}

/// What a client sent, cut so that an echo of it stays readable.
#[must_use]
pub fn clipped(text: &str) -> Cow<'_, str> {
    const ECHO_CHARS_MAX: usize = 100;
    match text.char_indices().nth(ECHO_CHARS_MAX) {
        Some((cut, _)) => Cow::Owned(format!("{}…", &text[..cut])),
        None => Cow::Borrowed(text),
    }
}

impl Serialize for Fault {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("code", &self.code)?;
        map.serialize_entry("message", &self.message)?;
        match &self.place {
            Place::Whole => {}
            Place::Body(name) | Place::Query(name) | Place::Header(name) => {
                map.serialize_entry("parameter", name)?;
            }
            Place::Field(place) => {
                if let Some(field) = &place.field {
                    map.serialize_entry("field", field)?;
                }
                if let Some(id) = &place.field_id {
                    map.serialize_entry("field_id", id)?;
                }
                if let Some(index) = place.index {
                    map.serialize_entry("index", &index)?;
                }
                if place.set != FieldSet::Fields {
                    map.serialize_entry("parameter", set_name(place.set))?;
                }
            }
        }
        if let Some(id) = &self.conflicting_record_id {
            map.serialize_entry("conflicting_record_id", id)?;
        }
        map.serialize_entry("retryable", &self.code.retryable())?;
        map.end()
    }
}

/// Faults of one request that are told one by one. No request that means something has so many;
/// without a limit a small body would be answered by a huge one.
const FAULTS_MAX: usize = 10_000;

/// The faults of one stage of the checks: all of them are reported at once.
#[derive(Debug, Default)]
pub struct Faults {
    noted: Vec<Fault>,
    are_too_many: bool,
}

impl Faults {
    /// Notes a fault.
    pub fn push(&mut self, fault: Fault) {
        if self.noted.len() < FAULTS_MAX {
            self.noted.push(fault);
        } else {
            self.are_too_many = true;
        }
    }

    /// How many are noted.
    #[must_use]
    pub fn len(&self) -> usize {
        self.noted.len()
    }

    /// Whether the stage was passed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.noted.is_empty()
    }

    /// Those that are noted, in their order.
    #[must_use]
    pub fn as_slice(&self) -> &[Fault] {
        &self.noted
    }

    /// Ends the stage: the answer, if there is any fault. A list of faults is never cut: where they
    /// are too many, that is the one fault.
    pub fn check(self) -> Result<(), Problem> {
        if self.are_too_many {
            let message = format!("The request has more than {FAULTS_MAX} faults.");
            return Err(Fault::new(Code::LimitExceeded, Place::Whole).saying(message).into());
        }
        if self.noted.is_empty() { Ok(()) } else { Err(Problem::from_faults(self.noted)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(fault: &Fault, json: &str) {
        assert_eq!(serde_json::to_string(fault).unwrap(), json);
    }

    #[test]
    fn a_fault_names_its_place_and_nothing_else() {
        check(
            &Fault::new(Code::ParseError, Place::Whole),
            r#"{"code":"parse_error","message":"Malformed request.","retryable":false}"#,
        );
        check(
            &Fault::unknown_parameter(Place::Query("match".into())),
            r#"{"code":"unknown_parameter","message":"Unknown parameter \"match\".","parameter":"match","retryable":false}"#,
        );
        check(
            &Fault::invalid_choice(Place::Body("oncreate_unarchive".into()), "x"),
            r#"{"code":"invalid_choice","message":"\"x\" is not a valid choice.","parameter":"oncreate_unarchive","retryable":false}"#,
        );
        let place =
            FieldPlace { field: Some("email".into()), index: Some(3), ..Default::default() };
        check(
            &Fault::max_length(Place::Field(place), 255),
            r#"{"code":"max_length","message":"Ensure this field has no more than 255 characters.","field":"email","index":3,"retryable":false}"#,
        );
        let place = FieldPlace {
            field: Some("email".into()),
            set: FieldSet::OnCreate,
            ..Default::default()
        };
        check(
            &Fault::new(Code::DuplicateField, Place::Field(place)),
            r#"{"code":"duplicate_field","message":"This field is named twice.","field":"email","parameter":"set_on_create","retryable":false}"#,
        );
        // A rule about a hidden field names no field at all.
        check(
            &Fault::new(Code::Unique, Place::Field(FieldPlace::default())),
            r#"{"code":"unique","message":"This value must be unique.","retryable":false}"#,
        );
    }

    #[test]
    fn faults_are_told_up_to_their_limit_and_beyond_it_not_one_of_them() {
        let of = |count: usize| {
            let mut faults = Faults::default();
            let fault = Fault::new(Code::Required, Place::Body("name".into()));
            (0..count).for_each(|_| faults.push(fault.clone()));
            faults.check().err()
        };
        assert!(of(0).is_none());
        let told = of(FAULTS_MAX).expect("they are faults");
        assert_eq!(
            (told.code(), told.detail()),
            (Some(Code::Required), "10000 faults were found.")
        );
        let told = of(FAULTS_MAX + 1).expect("they are faults");
        let detail = "The request has more than 10000 faults.";
        assert_eq!((told.code(), told.detail()), (Some(Code::LimitExceeded), detail));
    }

    #[test]
    fn an_echo_is_cut_between_characters() {
        assert_eq!(clipped("short"), "short");
        let long = "é".repeat(101);
        assert_eq!(clipped(&long), format!("{}…", "é".repeat(100)));
        assert_eq!(clipped(&long[2..]), long[2..]);
    }
}
