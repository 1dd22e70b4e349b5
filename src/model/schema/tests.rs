//! Schemas: how fields are found, what a change leaves, what is stored.
#![expect(clippy::zero_sized_map_values, reason = "a map is what is read, its names what counts")]

use super::*;
use crate::model::id::{ConstraintNumber, Timestamp};
use crate::model::schema::constraint::Constraint;
use crate::model::schema::decimal_options::NewDecimalOptions;
use crate::model::schema::money_options::MoneyOptions;
use crate::model::schema::new_field::{NewField, NewOption};
use crate::model::schema::option::Standing;
use crate::model::schema::rating_options::RatingOptions;
use serde::de::IgnoredAny;
use std::collections::BTreeMap;
use uuid::Uuid;

fn ids() -> impl FnMut() -> Uuid {
    let mut number = 0;
    move || {
        number += 1;
        Uuid::from_u128(number)
    }
}

fn with(schema: &Schema, new: &NewField, ids: &mut dyn FnMut() -> Uuid) -> Schema {
    schema.with_field(schema.decide_field(new, ids).unwrap())
}

/// Contacts with a choice, a unique text and a decimal.
fn grown() -> Schema {
    let mut ids = ids();
    let schema = default_fields::contacts(Timestamp(7), &mut ids);
    let new = |label: &str, field_type: &str| NewField {
        display_name: Some(label.to_owned()),
        field_type: Some(field_type.to_owned()),
        ..NewField::default()
    };
    let option = NewOption { name: Some("North".to_owned()), ..NewOption::default() };
    let region = NewField { options: Some(vec![option]), ..new("Region", "dropdown") };
    let number = NewField { is_unique: Some(true), ..new("Customer Number", "text") };
    let limits = NewDecimalOptions {
        min_value: Some("0.25".to_owned()),
        max_value: None,
        precision: Some(2),
    };
    let score = NewField { decimal_options: Some(limits), ..new("Score", "decimal") };
    [region, number, score].iter().fold(schema, |schema, new| with(&schema, new, &mut ids))
}

fn schema_choice() -> Choice {
    let schema = grown();
    let status = schema.by_name("email_status").unwrap();
    status.options.iter().next().unwrap().clone()
}

#[test]
fn every_field_is_found_by_number_id_and_name() {
    let schema = grown();
    for field in schema.fields() {
        assert_eq!(schema.by_number(field.number), Some(field));
        assert_eq!(schema.by_id(field.id), Some(field));
        assert_eq!(schema.by_name(&field.name), Some(field));
        assert_eq!(schema.by_reference(&field.name), Some(field));
        assert_eq!(schema.by_reference(&field.id.to_string().to_uppercase()), Some(field));
    }
    assert_eq!(schema.by_number(FieldNumber(63)), None);
    assert_eq!(schema.by_name("Region"), None);
    assert_eq!(schema.by_reference(&Uuid::nil().to_string()), None);
}

#[test]
fn a_change_makes_a_new_schema_and_leaves_the_old() {
    let old = grown();
    assert_eq!((old.number(), old.next_field()), (SchemaNumber(4), FieldNumber(67)));
    let field = old.by_name("region").unwrap().clone();
    let new = NewOption { name: Some("South".to_owned()), ..NewOption::default() };
    let choice = old.decide_option(&field, &new, &mut ids()).unwrap();
    let changed = old.with_option(field.number, choice.clone());
    assert_eq!(changed.number(), SchemaNumber(5));
    assert_eq!(changed.by_name("region").unwrap().options.get(choice.number), Some(&choice));
    assert_eq!(old.by_name("region").unwrap().options.get(choice.number), None);
    assert_eq!(changed.next_field(), old.next_field());
    assert_ne!(changed, old);
}

#[test]
fn further_unique_fields_are_those_beside_the_identifier() {
    let schema = grown();
    let names: Vec<_> = schema.further_unique_fields().map(|field| &*field.name).collect();
    assert_eq!(names, ["customer_number"]);
    assert!(schema.has_further_unique_fields());
    let first = default_fields::contacts(Timestamp(7), &mut ids());
    assert!(!first.has_further_unique_fields());
    assert_eq!(first.unique_fields().count(), 1);
}

#[test]
fn a_stored_schema_is_read_back_with_its_look_ups() {
    let schema = grown();
    let stored = rmp_serde::to_vec_named(&schema).unwrap();
    let read: Schema = rmp_serde::from_slice(&stored).unwrap();
    assert_eq!(read, schema);
    assert_eq!(rmp_serde::to_vec_named(&read).unwrap(), stored);
    let region = read.by_name("region").unwrap();
    assert_eq!(region.options.by_label("NORTH").map(|choice| choice.number.0), Some(5));
    assert_eq!(read.identifier().name, "email");
    assert!(read.has_further_unique_fields());
}

type Keys = BTreeMap<String, IgnoredAny>;

#[track_caller]
fn check_keys(keys: &Keys, expected: &str) {
    let found: Vec<&str> = keys.keys().map(String::as_str).collect();
    assert_eq!(found.join(" "), expected);
}

#[test]
fn the_names_of_stored_constraints_stay() {
    #[derive(Deserialize)]
    struct Names {
        unique_constraints: NamesOfConstraints,
    }
    #[derive(Deserialize)]
    struct NamesOfConstraints {
        list: Vec<Keys>,
        #[serde(flatten)]
        rest: Keys,
    }
    let mut schema = grown();
    let fields = vec![system::FIRST_NAME, system::LAST_NAME];
    schema.constraints.put(vec![Constraint { number: ConstraintNumber(1), fields }]);
    let stored = rmp_serde::to_vec_named(&schema).unwrap();
    let names: Names = rmp_serde::from_slice(&stored).unwrap();
    check_keys(&names.unique_constraints.list[0], "fields number");
    check_keys(&names.unique_constraints.rest, "last");
}

#[test]
fn the_names_of_the_stored_form_stay() {
    #[derive(Deserialize)]
    struct Names {
        object: Keys,
        categories: Vec<Keys>,
        fields: Vec<NamesOfField>,
    }
    #[derive(Deserialize)]
    struct NamesOfField {
        #[serde(default)]
        options: Vec<Keys>,
        #[serde(default)]
        decimal_options: Keys,
        #[serde(default)]
        phonenumber_options: Keys,
        #[serde(flatten)]
        rest: Keys,
    }
    let stored = rmp_serde::to_vec_named(&grown()).unwrap();
    let keys: Keys = rmp_serde::from_slice(&stored).unwrap();
    check_keys(&keys, "categories fields next_field next_option number object");
    let names: Names = rmp_serde::from_slice(&stored).unwrap();
    check_keys(
        &names.object,
        "allow_on_forms allow_relations created default_color default_icon \
         default_on_activities description entity_name has_commerce_data id \
         include_percentage_to_close is_custom meta name object_name object_type owner \
         track_entity_value",
    );
    check_keys(&names.categories[0], "id meta name order");
    for field in &names.fields {
        check_keys(
            &field.rest,
            "allow_multiple category description display_name field_type id is_default \
             is_deletable is_hidden is_read_only is_required is_unique meta name normalizer \
             number order",
        );
    }
    let options: Vec<&Keys> = names.fields.iter().flat_map(|field| &field.options).collect();
    assert_eq!(options.len(), 5);
    check_keys(options[0], "code id meta name number order");
    let score = names.fields.last().expect("the decimal field");
    check_keys(&score.decimal_options, "max_value min_value precision");
    let phone = &names.fields[4];
    check_keys(&phone.phonenumber_options, "enable_extension");
    let keys_of = |stored: Vec<u8>| rmp_serde::from_slice::<Keys>(&stored).unwrap();
    let money = rmp_serde::to_vec_named(&MoneyOptions::default()).unwrap();
    check_keys(&keys_of(money), "currency");
    let rating = rmp_serde::to_vec_named(&RatingOptions::default()).unwrap();
    check_keys(&keys_of(rating), "max_value min_value");
    let mut choice = schema_choice();
    choice.status = Some(Standing::Disqualified);
    let stored = rmp_serde::to_vec_named(&choice).unwrap();
    check_keys(&keys_of(stored), "code id meta name number order status");
    let standing = rmp_serde::to_vec(&Standing::Disqualified).unwrap();
    assert_eq!(rmp_serde::from_slice::<String>(&standing).unwrap(), "disqualified");
}

#[test]
fn a_schema_without_an_identifier_is_refused() {
    let mut stored = Stored::from(grown());
    stored.fields.remove(0);
    let bytes = rmp_serde::to_vec_named(&stored).unwrap();
    let error = rmp_serde::from_slice::<Schema>(&bytes).unwrap_err();
    let message = "the schema of object client_client has no identifier field";
    assert!(error.to_string().contains(message), "{error}");
}

#[test]
fn a_stored_constraint_that_can_be_none_is_refused() {
    let check = |number, fields: &[FieldNumber], is_good: bool| {
        let mut schema = grown();
        let fields = fields.to_vec();
        let last = Constraint { number: ConstraintNumber(3), fields: fields.clone() };
        schema.constraints.put(vec![last]);
        schema.constraints.put(vec![]);
        let read = |schema: &Schema| {
            let stored = rmp_serde::to_vec_named(schema).unwrap();
            rmp_serde::from_slice::<Schema>(&stored)
        };
        assert_eq!(read(&schema).unwrap(), schema, "the last number is kept");
        let stored = Stored::from(schema);
        let mut constraints = stored.constraints.clone();
        constraints.put(vec![Constraint { number: ConstraintNumber(number), fields }]);
        let bytes = rmp_serde::to_vec_named(&Stored { constraints, ..stored }).unwrap();
        let read = rmp_serde::from_slice::<Schema>(&bytes);
        assert_eq!(read.is_ok(), is_good, "{read:?}");
    };
    let names = [system::FIRST_NAME, system::LAST_NAME];
    check(3, &names, true);
    check(3, &names[..1], false);
    check(3, &[names[0], names[0]], false);
    check(3, &[names[0], FieldNumber(999)], false);
    check(3, &[names[0], system::FULL_NAME], false);
}
