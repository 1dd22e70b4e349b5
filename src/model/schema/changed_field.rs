//! What a request makes of a field that is there.
//!
//! Owns what may be changed, and what a new list of options does to the old one. Must not know
//! JSON, rights or records: whether live records keep a new rule is surveyed by the table.

use crate::model::id::{OptionId, OptionNumber};
use crate::model::key::{self, Key, Normalizer};
use crate::model::schema::changed_option::change_option;
use crate::model::schema::check::Checks;
use crate::model::schema::constraint::too_many;
use crate::model::schema::fault::{BodyPlace, SchemaFault, SchemaFaultKind};
use crate::model::schema::field::Field;
use crate::model::schema::new_field::{NewField, NewOption, invalid, read_option};
use crate::model::schema::option::{Choice, Choices};
use crate::model::schema::typed::{MIRRORS_ARE_NOT_REQUIRED, check_settings};
use crate::model::schema::{
    DESCRIPTION_CHARS_MAX, META_BYTES_MAX, OPTIONS_MAX, Schema, UNIQUES_MAX, name, system,
};
use crate::model::value::fault::ValueFault;
use std::collections::HashSet;
use uuid::Uuid;

/// The body of a request that changes a field.
#[derive(Clone, Debug, Default)]
pub struct ChangedField {
    /// Each key but `options` if it was given.
    pub keys: NewField,
    /// The whole list, if it was given.
    pub options: Option<Vec<ListedOption>>,
}

/// An option in a list that takes the place of the old one.
#[derive(Clone, Debug, Default)]
pub struct ListedOption {
    /// Of one that is there; without it the label says whether it is.
    pub id: Option<String>,
    pub keys: NewOption,
}

/// A field as it is to be, and its options where they are to be others.
#[derive(Debug, PartialEq)]
pub struct FieldPlan {
    pub field: Field,
    /// Those that are new have numbers from the schema's next one on.
    pub options: Option<Vec<Choice>>,
}

impl Schema {
    /// The field as a request wants it: what is not given stays.
    pub fn decide_field_change(
        &self,
        held: &Field,
        change: &ChangedField,
        ids: &mut dyn FnMut() -> Uuid,
    ) -> Result<FieldPlan, Vec<SchemaFault>> {
        let mut checks = Checks::default();
        let keys = &change.keys;
        let mut field = Field { options: Choices::default(), ..held.clone() };
        self.change_labels(&mut field, keys, &mut checks);
        change_type(held, keys, &mut checks);
        self.change_rules(&mut field, keys, &mut checks);
        field.order = keys.order.unwrap_or(held.order);
        field.is_hidden = keys.is_hidden.unwrap_or(held.is_hidden);
        change_settings(held, &mut field, keys, &mut checks);
        let options = change.options.as_deref();
        let options = options.map(|listed| self.read_list(held, listed, ids, &mut checks));
        checks.end().map(|()| FieldPlan { field, options })
    }

    fn change_labels(&self, field: &mut Field, keys: &NewField, checks: &mut Checks) {
        if let Some(label) = &keys.display_name {
            field.display_name = checks.label("display_name", Some(label));
        }
        if let Some(text) = &keys.description {
            field.description = checks.text("description", Some(text), DESCRIPTION_CHARS_MAX);
        }
        if let Some(meta) = &keys.meta {
            field.meta = checks.meta("meta", Some(meta), META_BYTES_MAX);
        }
        if keys.category.is_some() {
            field.category = self.read_category(keys, checks);
        }
        let Some(given) = keys.name.as_ref().filter(|given| **given != field.name) else { return };
        if field.is_default {
            return checks.add("name", SchemaFaultKind::Immutable);
        }
        if let Err(fault) = name::check_field_name(given, |name| self.has_name(name)) {
            checks.add("name", SchemaFaultKind::FieldName(fault));
        }
        field.name.clone_from(given);
    }

    /// What is asked of values. The identifier, the stage and what the server computes keep their
    /// rules.
    fn change_rules(&self, field: &mut Field, keys: &NewField, checks: &mut Checks) {
        let is_stage = field.number == system::STAGE;
        let is_fixed = field.is_identifier() || field.is_computed() || is_stage;
        let is_owner = field.number == system::OWNER;
        if field.is_mirror() && keys.is_required == Some(true) {
            checks.add("is_required", invalid(MIRRORS_ARE_NOT_REQUIRED));
        }
        let mut flag = |key, held: &mut bool, given: Option<bool>, is_fixed: bool| {
            let Some(given) = given.filter(|given| *given != *held) else { return false };
            if is_fixed {
                checks.add(key, SchemaFaultKind::Immutable);
            }
            *held = given;
            !is_fixed
        };
        flag("is_required", &mut field.is_required, keys.is_required, is_fixed || is_owner);
        flag("is_read_only", &mut field.is_read_only, keys.is_read_only, is_fixed);
        flag("allow_multiple", &mut field.allow_multiple, keys.allow_multiple, true);
        let is_switched = flag("is_unique", &mut field.is_unique, keys.is_unique, is_fixed);
        if is_switched && field.is_unique {
            if !field.field_type.may_be_unique() {
                checks.add("is_unique", invalid("A field of this type cannot be unique."));
            } else if self.unique_count() >= UNIQUES_MAX {
                checks.add("is_unique", too_many());
            }
        }
        let Some(given) = &keys.normalizer else { return };
        let Some(normalizer) = Normalizer::parse(given) else {
            let given = given.as_str().into();
            return checks.add("normalizer", ValueFault::InvalidChoice { given });
        };
        if Some(normalizer) == field.normalizer {
            return;
        }
        if is_fixed {
            checks.add("normalizer", SchemaFaultKind::Immutable);
        } else if !field.field_type.normalizers().contains(&normalizer) {
            checks.add("normalizer", invalid("This normalizer does not fit the field's type."));
        }
        field.normalizer = Some(normalizer);
    }

    /// The whole new list: an id, or else a label, says which option is kept.
    fn read_list(
        &self,
        held: &Field,
        listed: &[ListedOption],
        ids: &mut dyn FnMut() -> Uuid,
        checks: &mut Checks,
    ) -> Vec<Choice> {
        if !held.field_type.has_options() {
            if !listed.is_empty() {
                checks.add("options", invalid("A field of this type has no options."));
            }
            return Vec::new();
        }
        if let Some(fault) = held.fixed_options() {
            checks.add("options", fault);
            return Vec::new();
        }
        if listed.len() > OPTIONS_MAX {
            checks.add("options", ValueFault::LimitExceeded { what: "options", max: OPTIONS_MAX });
            return Vec::new();
        }
        let mut reading = Reading {
            held,
            labels: HashSet::new(),
            kept: HashSet::new(),
            next: self.next_option(),
            ids,
        };
        (0..).zip(listed).map(|(order, listed)| reading.read(order, listed, checks)).collect()
    }
}

/// A list of options while it is read.
struct Reading<'a> {
    held: &'a Field,
    labels: HashSet<Key>,
    kept: HashSet<OptionNumber>,
    next: OptionNumber,
    ids: &'a mut dyn FnMut() -> Uuid,
}

impl Reading<'_> {
    fn read(&mut self, order: i32, listed: &ListedOption, checks: &mut Checks) -> Choice {
        let index = usize::try_from(order).expect("a list counts from 0");
        let place = |key| BodyPlace::Entry { list: "options", index, key };
        let found = match &listed.id {
            Some(id) => OptionId::parse(id.trim()).and_then(|id| self.held.options.by_id(id)),
            None => listed.keys.name.as_ref().and_then(|name| self.held.options.by_label(name)),
        };
        if listed.id.is_some() && found.is_none() {
            checks.add(place("id"), ValueFault::DoesNotExist { what: "Option" });
        }
        let mut choice = match found {
            Some(found) => change_option(self.held.field_type, found, &listed.keys, place, checks),
            None => read_option(&listed.keys, self.held.field_type, place, checks),
        };
        choice.order = listed.keys.order.unwrap_or(order);
        let is_double = found.is_some_and(|found| !self.kept.insert(found.number));
        let is_known =
            !choice.name.is_empty() && !self.labels.insert(key::option_key(&choice.name));
        if is_double || is_known {
            let key = if listed.id.is_some() && is_double { "id" } else { "name" };
            checks.add(place(key), SchemaFaultKind::Unique);
        }
        if found.is_none() {
            choice.id = OptionId((self.ids)());
            choice.number = self.next;
            self.next = self.next.next();
        }
        choice
    }
}

/// A type's settings, each as a whole. What is stored stays: limits hold for what is written.
fn change_settings(held: &Field, field: &mut Field, keys: &NewField, checks: &mut Checks) {
    check_settings(keys, held.field_type, checks);
    if let (Some(_), Some(new)) = (held.decimal_options.as_ref(), &keys.decimal_options) {
        field.decimal_options = Some(new.read(checks));
    }
    if let (Some(_), Some(new)) = (held.rating, &keys.rating) {
        field.rating = Some(new.read(checks));
    }
    if let (Some(_), Some(new)) = (held.phonenumber_options, &keys.phonenumber_options) {
        field.phonenumber_options = Some(new.read());
    }
    if let (Some(money), Some(new)) = (held.money_options, &keys.money_options)
        && new.currency.is_some()
        && new.read(checks) != money
    {
        // Amounts are stored without it: another one would turn euros into dollars.
        let place = BodyPlace::Inner { map: "money_options", key: "currency" };
        checks.add(place, SchemaFaultKind::Immutable);
    }
}

/// A field's type is fixed: values are stored in its form.
fn change_type(held: &Field, keys: &NewField, checks: &mut Checks) {
    let Some(given) = &keys.field_type else { return };
    if given != held.field_type.name() {
        checks.add("field_type", SchemaFaultKind::Immutable);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::id::Timestamp;
    use crate::model::schema::default_fields;
    use crate::model::schema::name::NameFault;

    fn ids() -> impl FnMut() -> Uuid {
        let mut number = 1_000;
        move || {
            number += 1;
            Uuid::from_u128(number)
        }
    }

    fn option(name: &str) -> NewOption {
        NewOption { name: Some(name.to_owned()), ..NewOption::default() }
    }

    /// Contacts with a choice, a text and a decimal.
    fn schema() -> Schema {
        let mut ids = ids();
        let mut schema = default_fields::contacts(Timestamp(0), &mut ids);
        for (label, field_type, options) in [
            ("Region", "dropdown", Some(vec![option("North"), option("South"), option("East")])),
            ("Code", "text", None),
            ("Score", "decimal", None),
        ] {
            let new = NewField {
                display_name: Some(label.to_owned()),
                field_type: Some(field_type.to_owned()),
                options,
                ..NewField::default()
            };
            let field = schema.decide_field(&new, &mut ids).unwrap();
            schema = schema.with_field(field);
        }
        schema
    }

    fn decide(name: &str, change: &ChangedField) -> Result<FieldPlan, Vec<SchemaFault>> {
        let schema = schema();
        schema.decide_field_change(schema.by_name(name).unwrap(), change, &mut ids())
    }

    fn keys(change: impl FnOnce(&mut NewField)) -> ChangedField {
        let mut keys = NewField::default();
        change(&mut keys);
        ChangedField { keys, options: None }
    }

    fn check(name: &str, change: &ChangedField, expected: &[(&str, SchemaFaultKind)]) {
        let faults = decide(name, change).err().unwrap_or_default();
        let found: Vec<_> =
            faults.into_iter().map(|fault| (fault.place.to_string(), fault.fault)).collect();
        let expected: Vec<_> =
            expected.iter().map(|(place, fault)| ((*place).to_owned(), fault.clone())).collect();
        assert_eq!(found, expected, "{name}");
    }

    #[test]
    fn what_is_not_given_stays() {
        for name in ["email", "region", "code", "score"] {
            let plan = decide(name, &ChangedField::default()).unwrap();
            let held = schema().by_name(name).unwrap().clone();
            let expected = Field { options: Choices::default(), ..(*held).clone() };
            assert_eq!(plan, FieldPlan { field: expected, options: None });
        }
    }

    #[test]
    fn what_is_given_is_taken() {
        let change = keys(|keys| {
            keys.display_name = Some(" Kode ".to_owned());
            keys.name = Some("kode".to_owned());
            keys.field_type = Some("text".to_owned());
            keys.is_hidden = Some(true);
            keys.is_unique = Some(true);
            keys.normalizer = Some("digits".to_owned());
            keys.order = Some(-3);
        });
        let field = decide("code", &change).unwrap().field;
        assert_eq!((&*field.display_name, &*field.name, field.order), ("Kode", "kode", -3));
        assert!(field.is_hidden && field.is_unique && !field.is_required);
        assert_eq!(field.normalizer, Some(Normalizer::Digits));
    }

    #[test]
    fn what_is_fixed_is_told_with_its_key() {
        let immutable = || SchemaFaultKind::Immutable;
        let fixed = keys(|keys| {
            keys.field_type = Some("email".to_owned());
            keys.allow_multiple = Some(true);
        });
        check("code", &fixed, &[("field_type", immutable()), ("allow_multiple", immutable())]);
        let rules = keys(|keys| {
            keys.name = Some("address".to_owned());
            keys.is_required = Some(true);
            keys.is_read_only = Some(true);
            keys.is_unique = Some(false);
            keys.normalizer = Some("exact".to_owned());
        });
        let all = ["name", "is_required", "is_read_only", "is_unique", "normalizer"];
        check("email", &rules, &all.map(|key| (key, immutable())));
        let computed = keys(|keys| keys.is_read_only = Some(false));
        check("full_name", &computed, &[("is_read_only", immutable())]);
        let mut options = ChangedField { options: Some(Vec::new()), ..ChangedField::default() };
        check("email_status", &options, &[("options", immutable())]);
        check("code", &options, &[]);
        options.options = Some(vec![ListedOption { id: None, keys: option("A") }]);
        check(
            "code",
            &options,
            &[("options", invalid("A field of this type has no options.").into())],
        );
    }

    #[test]
    fn what_is_wrong_is_told_with_its_key() {
        let change = keys(|keys| {
            keys.display_name = Some(String::new());
            keys.name = Some("region".to_owned());
            keys.normalizer = Some("upper".to_owned());
            keys.decimal_options =
                Some(crate::model::schema::decimal_options::NewDecimalOptions::default());
        });
        let choice = ValueFault::InvalidChoice { given: "upper".into() };
        check(
            "code",
            &change,
            &[
                ("display_name", ValueFault::Blank.into()),
                ("name", SchemaFaultKind::FieldName(NameFault::Taken)),
                ("normalizer", choice.into()),
                ("decimal_options", invalid("Only a decimal field has these.").into()),
            ],
        );
        let unique = keys(|keys| keys.is_unique = Some(true));
        let fault = invalid("A field of this type cannot be unique.");
        check("region", &unique, &[("is_unique", fault.into())]);
    }

    #[test]
    fn a_list_keeps_by_id_or_label_renames_makes_and_removes() {
        let schema = schema();
        let held = schema.by_name("region").unwrap();
        let id = |label: &str| Some(held.options.by_label(label).unwrap().id.to_string());
        let listed = vec![
            ListedOption { id: id("South"), keys: option("North") },
            ListedOption { id: None, keys: option("West") },
            ListedOption { id: None, keys: option("EAST") },
        ];
        let change = ChangedField { options: Some(listed), ..ChangedField::default() };
        let options = decide("region", &change).unwrap().options.unwrap();
        let found: Vec<_> =
            options.iter().map(|choice| (choice.number.0, &*choice.name, choice.order)).collect();
        assert_eq!(found, [(6, "North", 0), (8, "West", 1), (7, "EAST", 2)]);
        let listed = vec![
            ListedOption { id: id("South"), keys: NewOption::default() },
            ListedOption { id: id("South"), keys: option("A") },
            ListedOption { id: Some(Uuid::nil().to_string()), keys: option("B") },
            ListedOption { id: None, keys: option("south") },
            ListedOption { id: None, keys: NewOption::default() },
        ];
        let change = ChangedField { options: Some(listed), ..ChangedField::default() };
        check(
            "region",
            &change,
            &[
                ("options[1].id", SchemaFaultKind::Unique),
                ("options[2].id", ValueFault::DoesNotExist { what: "Option" }.into()),
                ("options[3].name", SchemaFaultKind::Unique),
                ("options[4].name", ValueFault::Required.into()),
            ],
        );
    }
}
