//! What a request makes of an object that is there.
//!
//! Must not know JSON or rights.

use crate::model::key::IdentifierCase;
use crate::model::schema::check::Checks;
use crate::model::schema::constraint::Constraint;
use crate::model::schema::fault::{SchemaFault, SchemaFaultKind};
use crate::model::schema::field::Field;
use crate::model::schema::new_object::NewObject;
use crate::model::schema::object::Object;
use crate::model::schema::{DESCRIPTION_CHARS_MAX, LABEL_CHARS_MAX, META_BYTES_MAX, Schema};
use crate::model::value::fault::ValueFault;

/// An object as it is to be, and its unique constraints where they are given.
#[derive(Debug, PartialEq)]
pub struct ObjectPlan {
    pub object: Object,
    pub constraints: Option<Vec<Constraint>>,
}

impl Schema {
    /// The object as a request wants it: what is not given stays.
    ///
    /// Its type is fixed, and in this version so is its API name, which the directory of the
    /// business has too. How its names match is a rule of the identifier: see
    /// `decide_case_change`. `may_see` tells the fields that the caller can name.
    pub fn decide_object_change(
        &self,
        change: &NewObject,
        may_see: &dyn Fn(&Field) -> bool,
    ) -> Result<ObjectPlan, Vec<SchemaFault>> {
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
        let constraints = change.unique_constraints.as_deref().map(|given| {
            // Its flags say which fields there are.
            let mut after = self.clone();
            after.object.clone_from(&object);
            after.settle_flags();
            after.read_constraints(given, may_see, &mut checks)
        });
        checks.end().map(|()| ObjectPlan { object, constraints })
    }

    /// The identifier as it is where names are to match otherwise than they do.
    ///
    /// Asked of a request that `decide_object_change` has found good.
    #[must_use]
    pub fn decide_case_change(&self, change: &NewObject) -> Option<Field> {
        let case = change.identifier_case.as_deref().and_then(IdentifierCase::parse)?;
        let held = &**self.identifier();
        (case != self.identifier_case())
            .then(|| Field { normalizer: Some(case.normalizer()), ..held.clone() })
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
        } else if self.is_contacts() && case.is_some_and(|it| it != self.identifier_case().name()) {
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
