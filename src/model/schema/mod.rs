//! The schema of a table: its object, the object's categories, fields and options.
//!
//! Owns what fields there are and how they are found. Must not know records, tags (they are values
//! of the table), or who may see what.

mod answers;
pub mod categories;
pub mod change;
pub mod changed_field;
pub mod changed_object;
pub mod changed_option;
mod check;
pub mod currency;
pub mod decimal_options;
pub mod default_fields;
pub mod fault;
pub mod field;
mod members;
pub mod money_options;
pub mod name;
pub mod new_field;
pub mod new_object;
pub mod object;
pub mod option;
mod pending;
pub mod phonenumber_options;
pub mod rating_options;
pub mod relation;
pub mod stage;
pub mod system;
mod typed;

use crate::model::id::{FieldId, FieldNumber, MemberId, OptionNumber, SchemaNumber};
use crate::model::key::{IdentifierCase, Key, Normalizer};
use crate::model::schema::field::Field;
use crate::model::schema::object::{Category, Object};
use crate::model::schema::option::Choice;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

/// Fields of one object, default fields included.
pub const FIELDS_MAX: usize = 500;
/// Unique fields of one object, the identifier included.
pub const UNIQUE_FIELDS_MAX: usize = 20;
/// Options of one field.
pub const OPTIONS_MAX: usize = 1_000;
/// Categories of one object.
pub const CATEGORIES_MAX: usize = 500;
/// Characters of a label.
pub const LABEL_CHARS_MAX: usize = 200;
/// Characters of a description.
pub const DESCRIPTION_CHARS_MAX: usize = 500;
/// Bytes of the `meta` of an object or a field.
pub const META_BYTES_MAX: usize = 16 * 1024;
/// Bytes of the `meta` of an option.
pub const OPTION_META_BYTES_MAX: usize = 4 * 1024;

/// The schema of one table at one instant. A change makes a new one.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(try_from = "Stored", into = "Stored")]
pub struct Schema {
    number: SchemaNumber,
    object: Object,
    categories: Vec<Category>,
    fields: Vec<Arc<Field>>,
    /// Mirrors that nobody is shown yet.
    pending: Vec<Arc<Field>>,
    /// Fields that the object's flags do not ask for. They and their values wait unseen.
    dormant: Vec<Arc<Field>>,
    next_field: FieldNumber,
    next_option: OptionNumber,
    /// Members of whose removal the object has been told, or who were gone before it was made.
    removed_members: BTreeSet<MemberId>,
    lookups: Lookups,
}

impl Schema {
    /// The first schema of a table.
    ///
    /// # Panics
    /// Where no field is an identifier: whoever makes a schema starts from the default fields.
    #[must_use]
    pub fn new(object: Object, categories: Vec<Category>, fields: Vec<Field>) -> Self {
        let options = fields.iter().map(|field| field.options.len()).sum::<usize>();
        let stored = Stored {
            number: SchemaNumber(1),
            object,
            categories,
            fields,
            next_field: system::CUSTOM_FIRST,
            next_option: OptionNumber(u32::try_from(options).expect("few by default") + 1),
            removed_members: BTreeSet::new(),
        };
        Self::try_from(stored).expect("the default fields have an identifier")
    }

    /// How often the schema was changed; 1 at first.
    #[must_use]
    pub fn number(&self) -> SchemaNumber {
        self.number
    }

    #[must_use]
    pub fn object(&self) -> &Object {
        &self.object
    }

    /// At least one.
    #[must_use]
    pub fn categories(&self) -> &[Category] {
        &self.categories
    }

    /// All fields that records have, oldest first, hidden ones too.
    #[must_use]
    pub fn fields(&self) -> &[Arc<Field>] {
        &self.fields
    }

    /// How many fields there are, those too that nobody is shown.
    #[must_use]
    pub fn field_count(&self) -> usize {
        self.fields.len() + self.pending.len() + self.dormant.len()
    }

    /// Whether a field has this API name, one too that nobody is shown.
    #[must_use]
    pub fn has_name(&self, name: &str) -> bool {
        let mut unseen = self.pending.iter().chain(&self.dormant);
        self.by_name(name).is_some() || unseen.any(|field| field.name == name)
    }

    /// The number that the next new field gets.
    #[must_use]
    pub fn next_field(&self) -> FieldNumber {
        self.next_field
    }

    /// The number that the next new option of any field gets.
    #[must_use]
    pub fn next_option(&self) -> OptionNumber {
        self.next_option
    }

    #[must_use]
    pub fn by_number(&self, number: FieldNumber) -> Option<&Arc<Field>> {
        self.lookups.by_number.get(&number).map(|at| &self.fields[*at])
    }

    #[must_use]
    pub fn by_id(&self, id: FieldId) -> Option<&Arc<Field>> {
        self.lookups.by_id.get(&id).map(|at| &self.fields[*at])
    }

    #[must_use]
    pub fn by_name(&self, name: &str) -> Option<&Arc<Field>> {
        self.lookups.by_name.get(name).map(|at| &self.fields[*at])
    }

    /// By what a request may call it: its id or its API name.
    #[must_use]
    pub fn by_reference(&self, reference: &str) -> Option<&Arc<Field>> {
        match FieldId::parse(reference) {
            Some(id) => self.by_id(id),
            None => self.by_name(reference),
        }
    }

    /// The field that names the records.
    #[must_use]
    pub fn identifier(&self) -> &Arc<Field> {
        &self.fields[self.lookups.identifier]
    }

    /// The unique fields, the identifier among them.
    pub fn unique_fields(&self) -> impl Iterator<Item = &Arc<Field>> {
        self.lookups.unique.iter().map(|at| &self.fields[*at])
    }

    /// The unique fields but the identifier.
    pub fn further_unique_fields(&self) -> impl Iterator<Item = &Arc<Field>> {
        self.unique_fields().filter(|field| !field.is_identifier())
    }

    /// Whether any field but the identifier is unique.
    #[must_use]
    pub fn has_further_unique_fields(&self) -> bool {
        self.further_unique_fields().next().is_some()
    }

    /// The fields whose values a live record has for itself alone: the unique ones but the
    /// identifier, and those of related records that belong to one record.
    pub fn claiming_fields(&self) -> impl Iterator<Item = &Arc<Field>> {
        self.lookups.claiming.iter().map(|at| &self.fields[*at])
    }

    /// Whether there is any such field.
    #[must_use]
    pub fn has_claiming_fields(&self) -> bool {
        !self.lookups.claiming.is_empty()
    }

    /// The relationship fields that keep their values here.
    pub fn owning_fields(&self) -> impl Iterator<Item = &Arc<Field>> {
        self.lookups.owning.iter().map(|at| &self.fields[*at])
    }

    /// Whether bodies may have values of fields that were deleted.
    #[must_use]
    pub fn has_deleted_fields(&self) -> bool {
        self.lookups.has_deleted
    }

    /// Whether this is the contact object.
    #[must_use]
    pub fn is_contacts(&self) -> bool {
        self.identifier().number == system::EMAIL
    }

    /// How identifiers match.
    #[must_use]
    pub fn identifier_case(&self) -> IdentifierCase {
        match self.identifier().normalizer {
            Some(Normalizer::Exact | Normalizer::Trim) => IdentifierCase::Sensitive,
            Some(
                Normalizer::Casefold | Normalizer::Email | Normalizer::Digits | Normalizer::Phone,
            )
            | None => IdentifierCase::Insensitive,
        }
    }

    /// The key of an identifier, or of a lookup value; none for a blank one.
    #[must_use]
    pub fn identifier_key(&self, identifier: &str) -> Option<Key> {
        self.identifier_case().normalizer().key(identifier)
    }

    /// This schema with one field more.
    ///
    /// # Panics
    /// Where the schema has that field already: an event is applied once.
    #[must_use]
    pub fn with_field(&self, field: Field) -> Self {
        assert!(self.by_number(field.number).is_none(), "field {} twice", field.number);
        let mut changed = self.clone();
        changed.number = self.number.next();
        changed.next_field = self.next_field.max(field.number.next());
        for choice in &field.options {
            changed.next_option = changed.next_option.max(choice.number.next());
        }
        changed.put_field(field);
        changed
    }

    /// This schema with one option more.
    ///
    /// # Panics
    /// Where the schema lacks the field: an event fits the schema it was decided on.
    #[must_use]
    pub fn with_option(&self, field: FieldNumber, choice: Choice) -> Self {
        let at = *self.lookups.by_number.get(&field).expect("the event's field is in the schema");
        let mut changed = self.clone();
        changed.number = self.number.next();
        changed.next_option = self.next_option.max(choice.number.next());
        Arc::make_mut(&mut changed.fields[at]).options.push(choice);
        changed
    }

    /// Puts every field where the object's flags want it. One that falls asleep lays down its rules:
    /// what is written meanwhile is not held against them.
    fn settle_flags(&mut self) {
        let all = std::mem::take(&mut self.fields).into_iter();
        let all = all.chain(std::mem::take(&mut self.dormant));
        (self.fields, self.dormant) = all.partition(|field| field.is_offered_by(&self.object));
        for field in &mut self.dormant {
            if field.is_required || field.is_unique {
                let field = Arc::make_mut(field);
                (field.is_required, field.is_unique) = (false, false);
            }
        }
        self.lookups = Lookups::of(&self.fields, self.next_field);
    }

    /// A field, to be changed in a copy that is being made.
    fn field_mut(&mut self, number: FieldNumber) -> &mut Field {
        let at = self.lookups.by_number.get(&number).expect("the event's field is in the schema");
        Arc::make_mut(&mut self.fields[*at])
    }
}

impl PartialEq for Schema {
    /// The look-ups follow from the rest.
    fn eq(&self, other: &Self) -> bool {
        Stored::from(self.clone()) == Stored::from(other.clone())
    }
}

/// What is kept of a schema; of its fields those last that wait for a flag.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
struct Stored {
    number: SchemaNumber,
    object: Object,
    categories: Vec<Category>,
    fields: Vec<Field>,
    next_field: FieldNumber,
    next_option: OptionNumber,
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    removed_members: BTreeSet<MemberId>,
}

impl From<Schema> for Stored {
    fn from(schema: Schema) -> Self {
        Self {
            number: schema.number,
            object: schema.object,
            categories: schema.categories,
            fields: schema
                .fields
                .into_iter()
                .chain(schema.pending)
                .chain(schema.dormant)
                .map(Arc::unwrap_or_clone)
                .collect(),
            next_field: schema.next_field,
            next_option: schema.next_option,
            removed_members: schema.removed_members,
        }
    }
}

/// A stored schema that is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the schema of object {object} has no identifier field")]
pub struct NoIdentifier {
    pub object: String,
}

impl TryFrom<Stored> for Schema {
    type Error = NoIdentifier;

    fn try_from(stored: Stored) -> Result<Self, NoIdentifier> {
        let fields = stored.fields.into_iter().map(Arc::new);
        let (pending, fields): (Vec<_>, Vec<_>) = fields.partition(|field| field.is_pending());
        let (fields, dormant): (Vec<Arc<Field>>, _) =
            fields.into_iter().partition(|field| field.is_offered_by(&stored.object));
        if !fields.iter().any(|field| field.is_identifier()) {
            return Err(NoIdentifier { object: stored.object.name });
        }
        let lookups = Lookups::of(&fields, stored.next_field);
        Ok(Self {
            number: stored.number,
            object: stored.object,
            categories: stored.categories,
            fields,
            pending,
            dormant,
            next_field: stored.next_field,
            next_option: stored.next_option,
            removed_members: stored.removed_members,
            lookups,
        })
    }
}

/// Where in the list of fields each one stands.
#[derive(Clone, Debug, Default)]
struct Lookups {
    by_number: HashMap<FieldNumber, usize, ahash::RandomState>,
    by_id: HashMap<FieldId, usize, ahash::RandomState>,
    by_name: HashMap<String, usize, ahash::RandomState>,
    unique: Vec<usize>,
    claiming: Vec<usize>,
    owning: Vec<usize>,
    identifier: usize,
    /// A number that was given to a field is no field's.
    has_deleted: bool,
}

impl Lookups {
    /// Of fields of which one is an identifier.
    fn of(fields: &[Arc<Field>], next_field: FieldNumber) -> Self {
        let identifier = fields.iter().position(|field| field.is_identifier());
        let identifier = identifier.expect("no identifier is deletable");
        let custom = fields.iter().filter(|field| field.number >= system::CUSTOM_FIRST).count();
        let given = next_field.0.saturating_sub(system::CUSTOM_FIRST.0) as usize;
        let has_deleted = custom < given;
        let mut lookups = Self { identifier, has_deleted, ..Self::default() };
        for at in 0..fields.len() {
            lookups.note(fields, at);
        }
        lookups
    }

    fn note(&mut self, fields: &[Arc<Field>], at: usize) {
        let field = &fields[at];
        self.by_number.insert(field.number, at);
        self.by_id.insert(field.id, at);
        self.by_name.insert(field.name.clone(), at);
        if field.is_unique {
            self.unique.push(at);
        }
        if (field.is_unique && !field.is_identifier()) || field.is_exclusive() {
            self.claiming.push(at);
        }
        if field.owned_relation().is_some() {
            self.owning.push(at);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::id::Timestamp;
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

    #[test]
    #[expect(
        clippy::zero_sized_map_values,
        reason = "a map is what is read, its names what counts"
    )]
    fn the_names_of_the_stored_form_stay() {
        type Keys = BTreeMap<String, IgnoredAny>;
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
        let check = |keys: &Keys, expected: &str| {
            let found: Vec<&str> = keys.keys().map(String::as_str).collect();
            assert_eq!(found.join(" "), expected);
        };
        let stored = rmp_serde::to_vec_named(&grown()).unwrap();
        let keys: Keys = rmp_serde::from_slice(&stored).unwrap();
        check(&keys, "categories fields next_field next_option number object");
        let names: Names = rmp_serde::from_slice(&stored).unwrap();
        check(
            &names.object,
            "allow_on_forms allow_relations created default_color default_icon \
             default_on_activities description entity_name has_commerce_data id \
             include_percentage_to_close is_custom meta name object_name object_type owner \
             track_entity_value",
        );
        check(&names.categories[0], "id meta name order");
        for field in &names.fields {
            check(
                &field.rest,
                "allow_multiple category description display_name field_type id is_default \
                 is_deletable is_hidden is_read_only is_required is_unique meta name normalizer \
                 number order",
            );
        }
        let options: Vec<&Keys> = names.fields.iter().flat_map(|field| &field.options).collect();
        assert_eq!(options.len(), 5);
        check(options[0], "code id meta name number order");
        let score = names.fields.last().expect("the decimal field");
        check(&score.decimal_options, "max_value min_value precision");
        let phone = &names.fields[4];
        check(&phone.phonenumber_options, "enable_extension");
        let keys_of = |stored: Vec<u8>| rmp_serde::from_slice::<Keys>(&stored).unwrap();
        let money = rmp_serde::to_vec_named(&MoneyOptions::default()).unwrap();
        check(&keys_of(money), "currency");
        let rating = rmp_serde::to_vec_named(&RatingOptions::default()).unwrap();
        check(&keys_of(rating), "max_value min_value");
        let mut choice = schema_choice();
        choice.status = Some(Standing::Disqualified);
        let stored = rmp_serde::to_vec_named(&choice).unwrap();
        check(&keys_of(stored), "code id meta name number order status");
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
}
