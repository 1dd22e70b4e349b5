//! A new field or option as a request draws it up, and what it becomes.
//!
//! Owns what is required, allowed and filled in. Must not know JSON, rights or records: a new field
//! has no values that could break its rules.

use crate::model::id::{CategoryId, FieldId, OptionId, OptionNumber};
use crate::model::key::{self, Key};
use crate::model::schema::check::Checks;
use crate::model::schema::decimal_options::NewDecimalOptions;
use crate::model::schema::fault::{BodyPlace, SchemaFault, SchemaFaultKind};
use crate::model::schema::field::Field;
use crate::model::schema::money_options::NewMoneyOptions;
use crate::model::schema::option::{Choice, Choices, Standing};
use crate::model::schema::phonenumber_options::NewPhonenumberOptions;
use crate::model::schema::rating_options::NewRatingOptions;
use crate::model::schema::relation::NewRelation;
use crate::model::schema::{
    DESCRIPTION_CHARS_MAX, FIELDS_MAX, LABEL_CHARS_MAX, META_BYTES_MAX, OPTION_META_BYTES_MAX,
    OPTIONS_MAX, Schema, name,
};
use crate::model::value::FieldType;
use crate::model::value::fault::ValueFault;
use std::collections::HashSet;
use uuid::Uuid;

/// The body of a request for a new field, each key if it was given.
#[derive(Clone, Debug, Default)]
pub struct NewField {
    /// The label.
    pub display_name: Option<String>,
    pub field_type: Option<String>,
    /// The API name.
    pub name: Option<String>,
    pub description: Option<String>,
    /// The id of one.
    pub category: Option<String>,
    pub order: Option<i32>,
    pub is_required: Option<bool>,
    pub is_read_only: Option<bool>,
    pub is_hidden: Option<bool>,
    pub allow_multiple: Option<bool>,
    pub is_unique: Option<bool>,
    pub normalizer: Option<String>,
    /// The text of a JSON object.
    pub meta: Option<String>,
    pub options: Option<Vec<NewOption>>,
    pub decimal_options: Option<NewDecimalOptions>,
    pub money_options: Option<NewMoneyOptions>,
    pub rating: Option<NewRatingOptions>,
    pub phonenumber_options: Option<NewPhonenumberOptions>,
    pub relation: Option<NewRelation>,
}

/// A new option, each key if it was given.
#[derive(Clone, Debug, Default)]
pub struct NewOption {
    /// The label.
    pub name: Option<String>,
    pub code: Option<String>,
    pub order: Option<i32>,
    /// The text of a JSON object.
    pub meta: Option<String>,
    /// What an option of a status field says about how things stand.
    pub status: Option<String>,
}

impl Schema {
    /// The field that a request asks for, or everything that is wrong with it.
    pub fn decide_field(
        &self,
        new: &NewField,
        ids: &mut dyn FnMut() -> Uuid,
    ) -> Result<Field, Vec<SchemaFault>> {
        let mut checks = Checks::default();
        if self.field_count() >= FIELDS_MAX {
            checks.add(BodyPlace::Body, SchemaFaultKind::TooManyFields { max: FIELDS_MAX });
        }
        let display_name = checks.label("display_name", new.display_name.as_deref());
        let description =
            checks.text("description", new.description.as_deref(), DESCRIPTION_CHARS_MAX);
        let meta = checks.meta("meta", new.meta.as_deref(), META_BYTES_MAX);
        let category = self.read_category(new, &mut checks);
        let name = self.read_name(new, &display_name, &mut checks);
        let field_type = read_type(new, &mut checks);
        // Without a type nothing can be said about what depends on it.
        let typed = field_type.map(|field_type| self.read_typed(new, field_type, ids, &mut checks));
        checks.end()?;
        let typed = typed.expect("a missing or unknown type is a fault");
        Ok(Field {
            number: self.next_field(),
            // The other side of a relation knows this one by its id already.
            id: new.relation.as_ref().map_or_else(|| FieldId(ids()), |relation| relation.own),
            name,
            display_name,
            description,
            field_type: typed.field_type,
            category,
            order: new.order.unwrap_or_else(|| self.next_order()),
            is_default: false,
            is_required: new.is_required.unwrap_or_default(),
            is_read_only: new.is_read_only.unwrap_or_default(),
            is_hidden: new.is_hidden.unwrap_or_default(),
            is_deletable: true,
            allow_multiple: typed.allow_multiple,
            is_unique: new.is_unique.unwrap_or_default(),
            normalizer: typed.normalizer,
            meta,
            options: typed.options,
            decimal_options: typed.decimal_options,
            money_options: typed.money_options,
            rating: typed.rating,
            phonenumber_options: typed.phonenumber_options,
            relation: typed.relation,
        })
    }

    /// The option that a request asks for, or everything that is wrong with it.
    pub fn decide_option(
        &self,
        field: &Field,
        new: &NewOption,
        ids: &mut dyn FnMut() -> Uuid,
    ) -> Result<Choice, Vec<SchemaFault>> {
        let mut checks = Checks::default();
        if !field.field_type.has_options() {
            checks.add(BodyPlace::Body, invalid("This field has no options."));
        } else if let Some(fault) = field.fixed_options() {
            checks.add(BodyPlace::Body, fault);
        }
        if field.options.len() >= OPTIONS_MAX {
            let fault = ValueFault::LimitExceeded { what: "options", max: OPTIONS_MAX };
            checks.add(BodyPlace::Body, fault);
        }
        let order = field.options.iter().map(|choice| choice.order).max();
        let mut choice = read_option(new, field.field_type, BodyPlace::Key, &mut checks);
        choice.order = new.order.unwrap_or_else(|| order.map_or(0, |last| last.saturating_add(1)));
        if field.options.by_label(&choice.name).is_some() {
            checks.add("name", SchemaFaultKind::Unique);
        }
        checks.end()?;
        Ok(Choice { number: self.next_option(), id: OptionId(ids()), ..choice })
    }

    pub(super) fn read_category(&self, new: &NewField, checks: &mut Checks) -> CategoryId {
        let first = self.categories().first().expect("an object starts with a category").id;
        let Some(given) = &new.category else { return first };
        let asked = CategoryId::parse(given.trim());
        let found = self.categories().iter().find(|category| Some(category.id) == asked);
        found.map_or_else(
            || {
                checks.add("category", ValueFault::DoesNotExist { what: "Category" });
                first
            },
            |category| category.id,
        )
    }

    fn read_name(&self, new: &NewField, label: &str, checks: &mut Checks) -> String {
        let is_taken = |name: &str| self.has_name(name);
        let Some(given) = &new.name else { return name::derive_field_name(label, is_taken) };
        if let Err(fault) = name::check_field_name(given, is_taken) {
            checks.add("name", SchemaFaultKind::FieldName(fault));
        }
        given.clone()
    }

    pub(super) fn read_options(
        &self,
        new: &[NewOption],
        field_type: FieldType,
        ids: &mut dyn FnMut() -> Uuid,
        checks: &mut Checks,
    ) -> Choices {
        if new.len() > OPTIONS_MAX {
            checks.add("options", ValueFault::LimitExceeded { what: "options", max: OPTIONS_MAX });
            return Choices::default();
        }
        let mut labels: HashSet<Key> = HashSet::new();
        let mut number = self.next_option();
        let mut choices = Vec::with_capacity(new.len());
        for (index, (order, new)) in (0..).zip(new).enumerate() {
            let place = |key| BodyPlace::Entry { list: "options", index, key };
            let choice = read_option(new, field_type, place, checks);
            if !choice.name.is_empty() && !labels.insert(key::option_key(&choice.name)) {
                checks.add(place("name"), SchemaFaultKind::Unique);
            }
            let order = new.order.unwrap_or(order);
            choices.push(Choice { number, id: OptionId(ids()), order, ..choice });
            number = number.next();
        }
        choices.into()
    }

    fn next_order(&self) -> i32 {
        let last = self.fields().iter().map(|field| field.order).max();
        last.map_or(0, |last| last.saturating_add(1))
    }
}

fn read_type(new: &NewField, checks: &mut Checks) -> Option<FieldType> {
    let Some(given) = &new.field_type else {
        checks.add("field_type", ValueFault::Required);
        return None;
    };
    let parsed = FieldType::parse(given);
    if parsed.is_none() {
        let given = given.as_str().into();
        checks.add("field_type", ValueFault::InvalidChoice { given });
    }
    parsed
}

/// An option but for its number, id and order.
pub(super) fn read_option(
    new: &NewOption,
    field_type: FieldType,
    place: impl Fn(&'static str) -> BodyPlace,
    checks: &mut Checks,
) -> Choice {
    Choice {
        number: OptionNumber::default(),
        id: OptionId(Uuid::nil()),
        name: checks.label(place("name"), new.name.as_deref()),
        code: checks.text(place("code"), new.code.as_deref(), LABEL_CHARS_MAX),
        order: 0,
        meta: checks.meta(place("meta"), new.meta.as_deref(), OPTION_META_BYTES_MAX),
        status: read_standing(field_type, new.status.as_deref(), place("status"), checks),
        chance: None,
    }
}

/// What an option of a status field says about how things stand; other types say nothing.
pub(super) fn read_standing(
    field_type: FieldType,
    given: Option<&str>,
    place: BodyPlace,
    checks: &mut Checks,
) -> Option<Standing> {
    let is_status = field_type == FieldType::Status;
    if given.is_some() && !is_status {
        checks.add(place, invalid("Only an option of a status field has this."));
        return None;
    }
    is_status.then(|| checks.choice(place, given, Standing::parse))
}

pub(super) const fn invalid(what: &'static str) -> ValueFault {
    ValueFault::Invalid { what }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::id::{FieldNumber, Timestamp};
    use crate::model::key::Normalizer;
    use crate::model::schema::UNIQUES_MAX;
    use crate::model::schema::default_fields;
    use crate::model::schema::name::NameFault;
    use crate::model::schema::pending::test_support::new_relation;
    use crate::model::value::{Multiplicity, OptionSource};

    fn ids() -> impl FnMut() -> Uuid {
        let mut number = 1_000;
        move || {
            number += 1;
            Uuid::from_u128(number)
        }
    }

    fn contacts() -> Schema {
        default_fields::contacts(Timestamp(0), &mut ids())
    }

    fn new_field(field_type: FieldType) -> NewField {
        NewField {
            display_name: Some("Region".to_owned()),
            field_type: Some(field_type.name().to_owned()),
            relation: (field_type == FieldType::Relationship).then(|| new_relation(false)),
            ..NewField::default()
        }
    }

    fn option(name: &str) -> NewOption {
        NewOption { name: Some(name.to_owned()), ..NewOption::default() }
    }

    fn told(faults: &[SchemaFault]) -> Vec<(String, SchemaFaultKind)> {
        faults.iter().map(|fault| (fault.place.to_string(), fault.fault.clone())).collect()
    }

    /// The faults of a field that is right but for what `change` does to it.
    fn check(
        field_type: FieldType,
        change: impl FnOnce(&mut NewField),
        expected: &[(&str, SchemaFaultKind)],
    ) {
        check_in(&contacts(), field_type, change, expected);
    }

    fn check_in(
        schema: &Schema,
        field_type: FieldType,
        change: impl FnOnce(&mut NewField),
        expected: &[(&str, SchemaFaultKind)],
    ) {
        let mut new = new_field(field_type);
        change(&mut new);
        let faults = schema.decide_field(&new, &mut ids()).err().unwrap_or_default();
        let expected: Vec<_> =
            expected.iter().map(|(place, fault)| ((*place).to_owned(), fault.clone())).collect();
        assert_eq!(told(&faults), expected);
    }

    #[test]
    fn a_label_and_a_type_are_enough_and_the_rest_has_defaults() {
        let schema = contacts();
        let field = schema.decide_field(&new_field(FieldType::Text), &mut ids()).unwrap();
        assert_eq!((field.number, &*field.name), (FieldNumber(64), "region"));
        assert_eq!(field.category, schema.categories()[0].id);
        assert_eq!(field.order, 14);
        assert_eq!(field.normalizer, Some(Normalizer::Casefold));
        assert_eq!((&*field.description, &*field.meta), ("", "{}"));
        assert!(field.is_deletable && !field.is_default && !field.is_required);
        assert!(!field.is_unique && !field.is_hidden && !field.is_read_only);
        assert!(!field.allow_multiple && field.options.is_empty());
        assert_eq!(field.decimal_options, None);
    }

    #[test]
    fn options_given_with_the_field_are_numbered_in_order() {
        let mut new = new_field(FieldType::Dropdown);
        let coded = NewOption { code: Some(" s ".to_owned()), order: Some(7), ..option(" South ") };
        new.options = Some(vec![option("North"), coded]);
        let field = contacts().decide_field(&new, &mut ids()).unwrap();
        let found: Vec<_> = field
            .options
            .iter()
            .map(|choice| (choice.number.0, &*choice.name, &*choice.code, choice.order))
            .collect();
        assert_eq!(found, [(5, "North", "", 0), (6, "South", "s", 7)]);
        let ids: HashSet<_> = field.options.iter().map(|choice| choice.id).collect();
        assert_eq!(ids.len(), 2);
    }

    #[test]
    fn each_fault_is_told_with_its_key() {
        let too_long = |max| ValueFault::TooLong { max }.into();
        let choice = |given: &str| ValueFault::InvalidChoice { given: given.into() }.into();
        let text = FieldType::Text;
        check(text, |_| (), &[]);
        check(
            text,
            |new| new.display_name = None,
            &[("display_name", ValueFault::Required.into())],
        );
        check(
            text,
            |new| new.display_name = Some("x".repeat(201)),
            &[("display_name", too_long(200))],
        );
        check(text, |new| new.field_type = None, &[("field_type", ValueFault::Required.into())]);
        check(
            text,
            |new| new.field_type = Some("sphere".to_owned()),
            &[("field_type", choice("sphere"))],
        );
        check(
            text,
            |new| new.description = Some("x".repeat(501)),
            &[("description", too_long(500))],
        );
        check(
            text,
            |new| new.category = Some("no id".to_owned()),
            &[("category", ValueFault::DoesNotExist { what: "Category" }.into())],
        );
        check(
            text,
            |new| new.meta = Some("x".repeat(16 * 1024 + 1)),
            &[("meta", ValueFault::LimitExceeded { what: "bytes", max: 16 * 1024 }.into())],
        );
        for (name, fault) in [
            ("Region", NameFault::FieldPattern),
            ("owner", NameFault::Reserved),
            ("tags", NameFault::Taken),
        ] {
            check(
                text,
                |new| new.name = Some(name.to_owned()),
                &[("name", SchemaFaultKind::FieldName(fault))],
            );
        }
    }

    /// Whether a field of a type is refused for what stands under one key, and for nothing else.
    fn is_refused(field_type: FieldType, change: &dyn Fn(&mut NewField), key: &str) -> bool {
        let mut new = new_field(field_type);
        change(&mut new);
        let faults = contacts().decide_field(&new, &mut ids()).err().unwrap_or_default();
        assert!(faults.iter().all(|fault| fault.place.to_string() == key), "{faults:?}");
        !faults.is_empty()
    }

    #[test]
    fn the_type_says_what_else_may_be_given() {
        for field_type in FieldType::ALL {
            let check = |change: &dyn Fn(&mut NewField), key: &str, may: bool| {
                assert_eq!(is_refused(field_type, change, key), !may, "{field_type:?} {key}");
            };
            check(&|new| new.is_unique = Some(true), "is_unique", field_type.may_be_unique());
            check(
                &|new| new.allow_multiple = Some(true),
                "allow_multiple",
                field_type.multiplicity() != Multiplicity::One,
            );
            check(&|new| new.options = Some(vec![]), "options", true);
            let source = field_type.option_source();
            let labels: &[&str] =
                if source == OptionSource::Answers { &["Yes", "No"] } else { &["A"] };
            check(
                &|new| new.options = Some(labels.iter().map(|label| option(label)).collect()),
                "options",
                matches!(source, OptionSource::Schema | OptionSource::Answers),
            );
            check(
                &|new| new.money_options = Some(NewMoneyOptions::default()),
                "money_options",
                field_type == FieldType::Money,
            );
            check(
                &|new| new.phonenumber_options = Some(NewPhonenumberOptions::default()),
                "phonenumber_options",
                field_type == FieldType::Phonenumber,
            );
            check(
                &|new| new.rating = Some(NewRatingOptions::default()),
                "rating",
                field_type == FieldType::Rating,
            );
            check(
                &|new| new.decimal_options = Some(NewDecimalOptions::default()),
                "decimal_options",
                field_type == FieldType::Decimal,
            );
        }
    }

    #[test]
    fn each_type_has_normal_forms_of_its_own() {
        for field_type in FieldType::ALL {
            for normalizer in Normalizer::ALL {
                let is_known = match field_type {
                    FieldType::Text => normalizer != Normalizer::Phone,
                    FieldType::Phonenumber => {
                        matches!(normalizer, Normalizer::Phone | Normalizer::Exact)
                    }
                    FieldType::Email => {
                        !matches!(normalizer, Normalizer::Digits | Normalizer::Phone)
                    }
                    FieldType::Longtext
                    | FieldType::Integer
                    | FieldType::Decimal
                    | FieldType::Money
                    | FieldType::Checkbox
                    | FieldType::Date
                    | FieldType::Datetime
                    | FieldType::Timezone
                    | FieldType::Dropdown
                    | FieldType::Radio
                    | FieldType::Choices
                    | FieldType::Status
                    | FieldType::Yesnomaybe
                    | FieldType::Selector
                    | FieldType::Checkboxes
                    | FieldType::Rating
                    | FieldType::Dynamictags
                    | FieldType::TeamSelector
                    | FieldType::Files
                    | FieldType::Relationship => false,
                };
                let name = normalizer.name().to_owned();
                let change = |new: &mut NewField| new.normalizer = Some(name.clone());
                assert_eq!(
                    is_refused(field_type, &change, "normalizer"),
                    !is_known,
                    "{field_type:?} {name}"
                );
            }
        }
        check(
            FieldType::Text,
            |new| new.normalizer = Some("upper".to_owned()),
            &[("normalizer", ValueFault::InvalidChoice { given: "upper".into() }.into())],
        );
    }

    #[test]
    fn faults_of_options_name_their_place() {
        let check = |options: Vec<NewOption>, expected: &[(&str, SchemaFaultKind)]| {
            check(FieldType::Dropdown, |new| new.options = Some(options), expected);
        };
        check(
            vec![option("Straße"), NewOption::default(), option(" STRASSE ")],
            &[
                ("options[1].name", ValueFault::Required.into()),
                ("options[2].name", SchemaFaultKind::Unique),
            ],
        );
        let coded = NewOption { code: Some("x".repeat(201)), ..option("A") };
        let heavy = NewOption { meta: Some("x".repeat(4097)), ..option("B") };
        check(
            vec![coded, heavy],
            &[
                ("options[0].code", ValueFault::TooLong { max: 200 }.into()),
                ("options[1].meta", ValueFault::LimitExceeded { what: "bytes", max: 4096 }.into()),
            ],
        );
        let many = |count| (0..count).map(|number: usize| option(&number.to_string())).collect();
        check(many(OPTIONS_MAX), &[]);
        check(
            many(OPTIONS_MAX + 1),
            &[("options", ValueFault::LimitExceeded { what: "options", max: OPTIONS_MAX }.into())],
        );
    }

    #[test]
    fn an_object_has_so_many_fields_and_no_more() {
        let mut schema = contacts();
        while schema.fields().len() < FIELDS_MAX {
            let mut new = new_field(FieldType::Email);
            new.is_unique = Some(schema.unique_fields().count() < UNIQUES_MAX);
            let field = schema.decide_field(&new, &mut Uuid::new_v4).unwrap();
            schema = schema.with_field(field);
            if schema.fields().len() == FIELDS_MAX - 1 {
                let max = UNIQUES_MAX;
                let fault = SchemaFaultKind::LimitExceeded {
                    what: "unique fields and unique constraints",
                    max,
                };
                let unique = |new: &mut NewField| new.is_unique = Some(true);
                check_in(&schema, FieldType::Text, unique, &[("is_unique", fault)]);
            }
        }
        let fault = SchemaFaultKind::TooManyFields { max: FIELDS_MAX };
        check_in(&schema, FieldType::Text, |_| (), &[("body", fault)]);
        assert_eq!(schema.unique_fields().count(), UNIQUES_MAX);
    }

    #[test]
    fn options_are_added_one_by_one() {
        let mut new = new_field(FieldType::Dropdown);
        new.options = Some(vec![option("North")]);
        let schema = contacts();
        let schema = schema.with_field(schema.decide_field(&new, &mut ids()).unwrap());
        let field = schema.by_name("region").unwrap();
        let check = |field: &Field, new: &NewOption, expected: &[(&str, SchemaFaultKind)]| {
            let faults = schema.decide_option(field, new, &mut ids()).err().unwrap_or_default();
            let expected: Vec<_> = expected
                .iter()
                .map(|(place, fault)| ((*place).to_owned(), fault.clone()))
                .collect();
            assert_eq!(told(&faults), expected);
        };
        check(field, &option("NORTH "), &[("name", SchemaFaultKind::Unique)]);
        check(field, &NewOption::default(), &[("name", ValueFault::Required.into())]);
        let status = schema.by_name("email_status").unwrap();
        check(status, &option("New"), &[("body", SchemaFaultKind::Immutable)]);
        let fault = ValueFault::Invalid { what: "This field has no options." };
        check(schema.identifier(), &option("New"), &[("body", fault.into())]);

        let choice = schema.decide_option(field, &option("South"), &mut ids()).unwrap();
        assert_eq!((choice.number, choice.order, &*choice.code), (OptionNumber(6), 1, ""));
        let schema = schema.with_option(field.number, choice.clone());
        let field = schema.by_name("region").unwrap();
        assert_eq!(field.options.by_label("south"), Some(&choice));
        assert_eq!(schema.next_option(), OptionNumber(7));
    }
}
