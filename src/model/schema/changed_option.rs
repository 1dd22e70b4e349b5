//! What a request makes of an option that is there.
//!
//! Must not know JSON, rights or records: values refer to options by number.

use crate::model::id::{OptionId, OptionNumber};
use crate::model::schema::check::Checks;
use crate::model::schema::fault::{BodyPlace, SchemaFault, SchemaFaultKind};
use crate::model::schema::field::Field;
use crate::model::schema::new_field::{NewOption, read_standing};
use crate::model::schema::option::Choice;
use crate::model::schema::{LABEL_CHARS_MAX, OPTION_META_BYTES_MAX};
use crate::model::value::FieldType;
use crate::model::value::fault::ValueFault;

impl Field {
    /// The option as a request wants it: what is not given stays.
    pub fn decide_option_change(
        &self,
        held: &Choice,
        change: &NewOption,
    ) -> Result<Choice, Vec<SchemaFault>> {
        let mut checks = Checks::default();
        self.check_options_are_free(&mut checks);
        let mut changed = change_option(self.field_type, held, change, BodyPlace::Key, &mut checks);
        let other = self.options.by_label(&changed.name);
        if other.is_some_and(|other| other.number != held.number) {
            checks.add("name", SchemaFaultKind::Unique);
        }
        changed.order = change.order.unwrap_or(held.order);
        checks.end().map(|()| changed)
    }

    /// Whether options of this field may be removed at all.
    pub fn decide_option_removal(&self) -> Result<(), Vec<SchemaFault>> {
        let mut checks = Checks::default();
        self.check_options_are_free(&mut checks);
        checks.end()
    }

    /// The option that takes another's place, `given` by its id.
    pub fn decide_successor(
        &self,
        held: &Choice,
        given: Option<&str>,
    ) -> Result<OptionNumber, Vec<SchemaFault>> {
        let mut checks = Checks::default();
        self.check_options_are_free(&mut checks);
        let found =
            given.and_then(|id| OptionId::parse(id.trim())).map(|id| self.options.by_id(id));
        match (given, found) {
            (None, _) => checks.add("id", ValueFault::Required),
            (Some(_), None) => {
                checks.add("id", ValueFault::Invalid { what: "Must be a valid UUID." });
            }
            (Some(_), Some(None)) => {
                checks.add("id", ValueFault::DoesNotExist { what: "Option" });
            }
            (Some(_), Some(Some(same))) if same.number == held.number => {
                let what = "An option cannot take its own place.";
                checks.add("id", ValueFault::Invalid { what });
            }
            (Some(_), Some(Some(_))) => {}
        }
        checks.end()?;
        let successor = found.flatten().expect("an option that is not there is a fault");
        Ok(successor.number)
    }

    fn check_options_are_free(&self, checks: &mut Checks) {
        if let Some(fault) = self.fixed_options() {
            checks.add(BodyPlace::Body, fault);
        }
    }
}

/// An option that is there, with what is given.
pub(super) fn change_option(
    field_type: FieldType,
    held: &Choice,
    keys: &NewOption,
    place: impl Fn(&'static str) -> BodyPlace,
    checks: &mut Checks,
) -> Choice {
    let mut choice = held.clone();
    if let Some(name) = &keys.name {
        choice.name = checks.label(place("name"), Some(name));
    }
    if let Some(code) = &keys.code {
        choice.code = checks.text(place("code"), Some(code), LABEL_CHARS_MAX);
    }
    if let Some(meta) = &keys.meta {
        choice.meta = checks.meta(place("meta"), Some(meta), OPTION_META_BYTES_MAX);
    }
    if let Some(status) = &keys.status {
        choice.status = read_standing(field_type, Some(status), place("status"), checks);
    }
    choice
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::id::Timestamp;
    use crate::model::schema::new_field::NewField;
    use crate::model::schema::{Schema, default_fields};
    use uuid::Uuid;

    fn option(name: &str) -> NewOption {
        NewOption { name: Some(name.to_owned()), ..NewOption::default() }
    }

    fn schema() -> Schema {
        let mut ids = (1..).map(Uuid::from_u128);
        let mut draw = || ids.next().unwrap();
        let schema = default_fields::contacts(Timestamp(0), &mut draw);
        let new = NewField {
            display_name: Some("Region".to_owned()),
            field_type: Some("dropdown".to_owned()),
            options: Some(vec![option("North"), option("South")]),
            ..NewField::default()
        };
        let field = schema.decide_field(&new, &mut draw).unwrap();
        schema.with_field(field)
    }

    fn told<T>(answer: Result<T, Vec<SchemaFault>>) -> Vec<(String, SchemaFaultKind)> {
        let faults = answer.err().unwrap_or_default();
        faults.into_iter().map(|fault| (fault.place.to_string(), fault.fault)).collect()
    }

    #[test]
    fn what_is_not_given_stays() {
        let schema = schema();
        let field = schema.by_name("region").unwrap();
        let held = field.options.by_label("North").unwrap();
        assert_eq!(field.decide_option_change(held, &NewOption::default()).as_ref(), Ok(held));
        let change =
            NewOption { code: Some(" n ".to_owned()), order: Some(9), ..option(" NORTH ") };
        let changed = field.decide_option_change(held, &change).unwrap();
        let expected =
            Choice { name: "NORTH".to_owned(), code: "n".to_owned(), order: 9, ..held.clone() };
        assert_eq!(changed, expected, "its own label in another spelling is free");
    }

    #[test]
    fn a_bad_change_is_refused_with_its_key() {
        let schema = schema();
        let field = schema.by_name("region").unwrap();
        let held = field.options.by_label("North").unwrap();
        let check = |change: NewOption, place: &str, fault: SchemaFaultKind| {
            let found = told(field.decide_option_change(held, &change));
            assert_eq!(found, [(place.to_owned(), fault)]);
        };
        check(option("south"), "name", SchemaFaultKind::Unique);
        check(option(" "), "name", ValueFault::Blank.into());
        let long = NewOption { code: Some("x".repeat(201)), ..NewOption::default() };
        check(long, "code", ValueFault::TooLong { max: 200 }.into());
        let status = schema.by_name("email_status").unwrap();
        let held = status.options.iter().next().unwrap();
        let fixed = [("body".to_owned(), SchemaFaultKind::Immutable)];
        assert_eq!(told(status.decide_option_change(held, &option("New"))), fixed);
        assert_eq!(told(status.decide_option_removal()), fixed);
    }

    #[test]
    fn a_successor_is_another_option_of_the_field() {
        let schema = schema();
        let field = schema.by_name("region").unwrap();
        let [north, south] = ["North", "South"].map(|name| field.options.by_label(name).unwrap());
        let id = south.id.to_string().to_uppercase();
        assert_eq!(field.decide_successor(north, Some(&id)), Ok(south.number));
        let check = |given: Option<&str>, fault: ValueFault| {
            let found = told(field.decide_successor(north, given));
            assert_eq!(found, [("id".to_owned(), fault.into())]);
        };
        check(None, ValueFault::Required);
        check(Some("North"), ValueFault::Invalid { what: "Must be a valid UUID." });
        check(Some(&Uuid::nil().to_string()), ValueFault::DoesNotExist { what: "Option" });
        let what = "An option cannot take its own place.";
        check(Some(&north.id.to_string()), ValueFault::Invalid { what });
        let status = schema.by_name("email_status").unwrap();
        let foreign = status.options.iter().next().unwrap().id.to_string();
        check(Some(&foreign), ValueFault::DoesNotExist { what: "Option" });
    }
}
