//! What a request makes of an object that is there.
//!
//! Must not know JSON or rights.

use crate::model::key::IdentifierCase;
use crate::model::schema::check::Checks;
use crate::model::schema::fault::{SchemaFault, SchemaFaultKind};
use crate::model::schema::new_object::NewObject;
use crate::model::schema::object::Object;
use crate::model::schema::{DESCRIPTION_CHARS_MAX, LABEL_CHARS_MAX, META_BYTES_MAX, Schema};
use crate::model::value::fault::ValueFault;

impl Schema {
    /// The object as a request wants it: what is not given stays.
    ///
    /// Its type is fixed, and in this version so are its API name, which the directory of the
    /// business has too, and how its names match, which every record's key is made by.
    pub fn decide_object_change(&self, change: &NewObject) -> Result<Object, Vec<SchemaFault>> {
        let mut checks = Checks::default();
        let mut object = self.object().clone();
        let mut label = |key, held: &mut String, given: &Option<String>| {
            if given.is_some() {
                *held = checks.label(key, given.as_deref());
            }
        };
        label("object_name", &mut object.object_name, &change.object_name);
        label("entity_name", &mut object.entity_name, &change.entity_name);
        let mut text = |key, held: &mut String, given: &Option<String>, max| {
            if given.is_some() {
                *held = checks.text(key, given.as_deref(), max);
            }
        };
        text("description", &mut object.description, &change.description, DESCRIPTION_CHARS_MAX);
        text("default_color", &mut object.default_color, &change.default_color, LABEL_CHARS_MAX);
        text("default_icon", &mut object.default_icon, &change.default_icon, LABEL_CHARS_MAX);
        if change.meta.is_some() {
            object.meta = checks.meta("meta", change.meta.as_deref(), META_BYTES_MAX);
        }
        for (held, given) in [
            (&mut object.has_commerce_data, change.has_commerce_data),
            (&mut object.default_on_activities, change.default_on_activities),
            (&mut object.track_entity_value, change.track_entity_value),
            (&mut object.include_percentage_to_close, change.include_percentage_to_close),
            (&mut object.allow_on_forms, change.allow_on_forms),
        ] {
            *held = given.unwrap_or(*held);
        }
        self.check_fixed(change, &mut checks);
        checks.end().map(|()| object)
    }

    fn check_fixed(&self, change: &NewObject, checks: &mut Checks) {
        let held = self.object();
        // Stages are changed one by one: a list could not say which one takes a missing one's place.
        if change.pipeline.is_some() {
            checks.add("pipeline", SchemaFaultKind::Immutable);
        }
        let case = change.identifier_case.as_deref();
        if let Some(given) = case.filter(|given| IdentifierCase::parse(given).is_none()) {
            checks.add("identifier_case", ValueFault::InvalidChoice { given: given.into() });
        } else if case.is_some_and(|given| given != self.identifier_case().name()) {
            checks.add("identifier_case", SchemaFaultKind::Immutable);
        }
        for (key, given, held) in [
            ("object_type", &change.object_type, held.object_type.name()),
            ("name", &change.name, &*held.name),
        ] {
            if given.as_deref().is_some_and(|given| given != held) {
                checks.add(key, SchemaFaultKind::Immutable);
            }
        }
    }
}
