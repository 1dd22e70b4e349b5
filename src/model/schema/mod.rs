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
pub mod constraint;
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
#[cfg(test)]
mod tests;
mod typed;

use crate::model::id::{FieldId, FieldNumber, MemberId, OptionNumber, SchemaNumber};
use crate::model::key::{IdentifierCase, Key, Normalizer};
use crate::model::schema::constraint::Constraints;
use crate::model::schema::field::Field;
use crate::model::schema::object::{Category, Object};
use crate::model::schema::option::Choice;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

/// Fields of one object, default fields included.
pub const FIELDS_MAX: usize = 500;
/// Unique fields of one object, the identifier included, and unique constraints.
pub const UNIQUES_MAX: usize = 20;
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
    constraints: Constraints,
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
            constraints: Constraints::default(),
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
        self.drop_broken_constraints();
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
    #[serde(
        default,
        rename = "unique_constraints",
        skip_serializing_if = "Constraints::are_unknown"
    )]
    constraints: Constraints,
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
            constraints: schema.constraints,
            next_field: schema.next_field,
            next_option: schema.next_option,
            removed_members: schema.removed_members,
        }
    }
}

/// A stored schema that is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unsound {
    #[error("the schema of object {object} has no identifier field")]
    NoIdentifier { object: String },
    #[error("the schema of object {object} has a unique constraint that can be none")]
    Constraint { object: String },
}

impl TryFrom<Stored> for Schema {
    type Error = Unsound;

    fn try_from(stored: Stored) -> Result<Self, Unsound> {
        let fields = stored.fields.into_iter().map(Arc::new);
        let (pending, fields): (Vec<_>, Vec<_>) = fields.partition(|field| field.is_pending());
        let (fields, dormant): (Vec<Arc<Field>>, _) =
            fields.into_iter().partition(|field| field.is_offered_by(&stored.object));
        if !fields.iter().any(|field| field.is_identifier()) {
            return Err(Unsound::NoIdentifier { object: stored.object.name });
        }
        let lookups = Lookups::of(&fields, stored.next_field);
        let schema = Self {
            number: stored.number,
            object: stored.object,
            categories: stored.categories,
            fields,
            pending,
            dormant,
            constraints: stored.constraints,
            next_field: stored.next_field,
            next_option: stored.next_option,
            removed_members: stored.removed_members,
            lookups,
        };
        if !schema.has_sound_constraints() {
            return Err(Unsound::Constraint { object: schema.object.name });
        }
        Ok(schema)
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
