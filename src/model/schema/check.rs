//! Reading what a new object, field or option is given: every fault is noted, none ends it.
//!
//! Must not know which keys there are.

use crate::model::schema::LABEL_CHARS_MAX;
use crate::model::schema::fault::{BodyPlace, SchemaFault, SchemaFaultKind};
use crate::model::schema::object::EMPTY_META;
use crate::model::value::fault::ValueFault;
use crate::model::value::text;

/// The faults found so far.
#[derive(Default)]
pub(super) struct Checks {
    faults: Vec<SchemaFault>,
}

impl Checks {
    pub(super) fn add(&mut self, place: impl Into<BodyPlace>, fault: impl Into<SchemaFaultKind>) {
        self.faults.push(SchemaFault { place: place.into(), fault: fault.into() });
    }

    /// A label that must be there.
    pub(super) fn label(&mut self, place: impl Into<BodyPlace>, given: Option<&str>) -> String {
        let place = place.into();
        let Some(given) = given else {
            self.add(place, ValueFault::Required);
            return String::new();
        };
        if given.trim().is_empty() {
            self.add(place, ValueFault::Blank);
        }
        self.text(place, Some(given), LABEL_CHARS_MAX)
    }

    /// A text that may be left out; without its blank ends.
    pub(super) fn text(
        &mut self,
        place: impl Into<BodyPlace>,
        given: Option<&str>,
        max: usize,
    ) -> String {
        let given = given.unwrap_or_default();
        let text = given.trim();
        let checked =
            text::check_characters(given, false).and_then(|()| text::check_length(text, max));
        if let Err(fault) = checked {
            self.add(place, fault);
        }
        text.to_owned()
    }

    /// A word out of a list, and its default where it is left out.
    pub(super) fn choice<T: Default>(
        &mut self,
        place: impl Into<BodyPlace>,
        given: Option<&str>,
        parse: impl Fn(&str) -> Option<T>,
    ) -> T {
        let Some(given) = given else { return T::default() };
        parse(given).unwrap_or_else(|| {
            self.add(place, ValueFault::InvalidChoice { given: given.into() });
            T::default()
        })
    }

    /// The text of a JSON object, as the edge found it.
    pub(super) fn meta(
        &mut self,
        place: impl Into<BodyPlace>,
        given: Option<&str>,
        max: usize,
    ) -> String {
        let meta = given.unwrap_or(EMPTY_META);
        if meta.len() > max {
            self.add(place, ValueFault::LimitExceeded { what: "bytes", max });
        }
        meta.to_owned()
    }

    /// All faults, if there are any.
    pub(super) fn end(self) -> Result<(), Vec<SchemaFault>> {
        if self.faults.is_empty() { Ok(()) } else { Err(self.faults) }
    }
}
