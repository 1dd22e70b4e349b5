//! Unique constraints: fields whose values a live record has together for itself alone.
//!
//! Owns which fields may stand together, and what a request makes of the list. Must not know JSON,
//! rights or records: whether live records keep a new constraint is surveyed by the table.

use crate::model::id::{ConstraintNumber, FieldNumber};
use crate::model::schema::check::Checks;
use crate::model::schema::fault::{BodyPlace, SchemaFaultKind};
use crate::model::schema::field::Field;
use crate::model::schema::new_field::invalid;
use crate::model::schema::{Schema, UNIQUES_MAX};
use crate::model::value::fault::ValueFault;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Fields of one constraint. No key of a real thing has so many parts.
pub const PARTS_MAX: usize = 16;

/// What requests call the list.
const LIST: &str = "unique_constraints";

/// One constraint. Another list of fields is another constraint, with another number.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Constraint {
    pub number: ConstraintNumber,
    /// Two at least, each once, in the order in which they were given.
    pub fields: Vec<FieldNumber>,
}

impl Constraint {
    /// Whether it is of these fields, in whichever order.
    #[must_use]
    pub fn is_of(&self, fields: &[FieldNumber]) -> bool {
        self.fields.len() == fields.len() && fields.iter().all(|field| self.fields.contains(field))
    }
}

/// The constraints of an object.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Constraints {
    /// The highest number given out: none is given twice.
    last: ConstraintNumber,
    list: Vec<Constraint>,
}

impl Constraints {
    /// Whether there never was one.
    pub(super) fn are_unknown(&self) -> bool {
        self.last == ConstraintNumber::default()
    }

    pub(super) fn put(&mut self, list: Vec<Constraint>) {
        let numbers = list.iter().map(|constraint| constraint.number);
        self.last = numbers.fold(self.last, ConstraintNumber::max);
        self.list = list;
    }
}

impl Field {
    /// Whether its values can be unique together with those of others: they have a normal form, and
    /// requests give them.
    #[must_use]
    pub fn may_be_part(&self) -> bool {
        self.field_type.may_be_unique() && !self.is_computed()
    }
}

impl Schema {
    /// In the order in which they were given.
    #[must_use]
    pub fn constraints(&self) -> &[Constraint] {
        &self.constraints.list
    }

    /// The constraint of exactly these fields, in whichever order; each is named once.
    #[must_use]
    pub fn constraint_of(&self, fields: &[FieldNumber]) -> Option<&Constraint> {
        self.constraints().iter().find(|constraint| constraint.is_of(fields))
    }

    #[must_use]
    pub fn constraint(&self, number: ConstraintNumber) -> Option<&Constraint> {
        self.constraints().iter().find(|constraint| constraint.number == number)
    }

    /// The constraints that a field is part of.
    pub fn constraints_on(&self, field: FieldNumber) -> impl Iterator<Item = &Constraint> {
        self.constraints().iter().filter(move |constraint| constraint.fields.contains(&field))
    }

    /// The fields of a constraint, in its order.
    pub fn parts<'s>(&'s self, constraint: &Constraint) -> impl Iterator<Item = &'s Arc<Field>> {
        let part =
            |number| self.by_number(number).expect("a constraint is of fields that are there");
        constraint.fields.clone().into_iter().map(part)
    }

    /// Whether a live record has any values for itself, but its identifier.
    #[must_use]
    pub fn has_claims(&self) -> bool {
        self.claiming_fields().next().is_some() || !self.constraints().is_empty()
    }

    /// The fields whose values indexes are made of, but the identifier; one may stand there again.
    pub fn claimed_fields(&self) -> impl Iterator<Item = &Arc<Field>> {
        let parts = self.constraints().iter().flat_map(|constraint| self.parts(constraint));
        self.claiming_fields().chain(parts)
    }

    /// This schema, of an object that is made, with constraints.
    pub(super) fn with_first_constraints(mut self, list: Vec<Constraint>) -> Self {
        self.constraints.put(list);
        self
    }

    /// How many unique fields and constraints there are.
    pub(super) fn unique_count(&self) -> usize {
        self.unique_fields().count() + self.constraints().len()
    }

    /// A constraint goes with the first of its fields.
    pub(super) fn drop_broken_constraints(&mut self) {
        let lookups = &self.lookups;
        let is_there = |field: &FieldNumber| lookups.by_number.contains_key(field);
        self.constraints.list.retain(|constraint| constraint.fields.iter().all(is_there));
    }

    /// Whether fields of this schema can be such a constraint.
    pub(super) fn allows(&self, constraint: &Constraint) -> bool {
        let fields = &constraint.fields;
        let is_double = |at: usize| fields[..at].contains(&fields[at]);
        fields.len() >= 2
            && fields.iter().all(|field| self.by_number(*field).is_some_and(|it| it.may_be_part()))
            && !(0..fields.len()).any(is_double)
    }

    /// Whether every constraint is one, and has a number that was given out.
    pub(super) fn has_sound_constraints(&self) -> bool {
        let is_sound = |constraint: &Constraint| {
            self.allows(constraint) && constraint.number <= self.constraints.last
        };
        self.constraints().iter().all(is_sound)
    }

    /// Whether this list can take the place of the one that is there; what is wrong with it.
    pub(super) fn check_constraints(&self, list: &[Constraint]) -> Result<(), String> {
        for (at, constraint) in list.iter().enumerate() {
            let number = constraint.number;
            let is_kept = self.constraint(number) == Some(constraint);
            let is_new = number > self.constraints.last;
            let is_double = list[..at].iter().any(|other| other.number == number);
            if !self.allows(constraint) || !(is_kept || is_new) || is_double {
                return Err(format!("constraint {number} of fields that may be unique together"));
            }
        }
        Ok(())
    }

    /// The list that takes the place of the one that is there. `may_see` tells the fields that the
    /// caller can name; constraints of others it can neither name nor take away.
    pub(super) fn read_constraints(
        &self,
        given: &[Vec<String>],
        may_see: &dyn Fn(&Field) -> bool,
        checks: &mut Checks,
    ) -> Vec<Constraint> {
        if given.len() > UNIQUES_MAX {
            checks.add(LIST, too_many());
            return Vec::new();
        }
        let mut newest = self.constraints.last;
        let mut list: Vec<Constraint> = Vec::with_capacity(given.len());
        for (index, names) in given.iter().enumerate() {
            let Some(fields) = self.read_parts(index, names, may_see, checks) else { continue };
            if list.iter().any(|other| other.is_of(&fields)) {
                checks.add(place(index, None), invalid("This constraint is in the list already."));
                continue;
            }
            let held = self.constraints().iter().find(|held| held.fields == fields);
            let number = held.map_or_else(|| newest.next(), |held| held.number);
            newest = newest.max(number);
            list.push(Constraint { number, fields });
        }
        let is_unseen = |held: &&Constraint| self.parts(held).any(|field| !may_see(field));
        list.extend(self.constraints().iter().filter(is_unseen).cloned());
        if self.unique_fields().count() + list.len() > UNIQUES_MAX {
            checks.add(LIST, too_many());
        }
        list
    }

    fn read_parts(
        &self,
        index: usize,
        names: &[String],
        may_see: &dyn Fn(&Field) -> bool,
        checks: &mut Checks,
    ) -> Option<Vec<FieldNumber>> {
        if names.len() < 2 {
            let fault = invalid("Name two fields at least; one alone is made unique by itself.");
            checks.add(place(index, None), fault);
            return None;
        }
        if names.len() > PARTS_MAX {
            let fault = ValueFault::LimitExceeded { what: "fields", max: PARTS_MAX };
            checks.add(place(index, None), fault);
            return None;
        }
        let mut fields = Vec::with_capacity(names.len());
        for (at, name) in names.iter().enumerate() {
            let found = self.by_reference(name).filter(|field| may_see(field));
            let fault = match found {
                None => ValueFault::DoesNotExist { what: "Field" },
                Some(field) if !field.may_be_part() => {
                    invalid("This field cannot be part of a unique constraint.")
                }
                Some(field) if fields.contains(&field.number) => {
                    invalid("This field is in the constraint already.")
                }
                Some(field) => {
                    fields.push(field.number);
                    continue;
                }
            };
            checks.add(place(index, Some(at)), fault);
        }
        (fields.len() == names.len()).then_some(fields)
    }
}

fn place(index: usize, inner: Option<usize>) -> BodyPlace {
    BodyPlace::Item { list: LIST, index, inner }
}

/// Of unique fields and constraints together.
pub(super) fn too_many() -> SchemaFaultKind {
    SchemaFaultKind::LimitExceeded {
        what: "unique fields and unique constraints",
        max: UNIQUES_MAX,
    }
}
