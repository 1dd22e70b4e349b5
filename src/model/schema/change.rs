//! One change of a schema after its birth, as events carry and store it, and what it makes of one.
//!
//! Must not know requests: what is allowed was decided before.

use crate::model::id::{
    CategoryId, FieldId, FieldNumber, MemberId, OptionId, OptionNumber, Timestamp,
};
use crate::model::schema::constraint::Constraint;
use crate::model::schema::field::Field;
use crate::model::schema::object::{Category, Object};
use crate::model::schema::option::Choice;
use crate::model::schema::{Lookups, Schema};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// A change. Its names are stored: `docs/file-format.md` lists them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SchemaChange {
    /// The option as it is now; its number stays.
    OptionChanged { field: FieldNumber, option: Choice },
    /// Values that chose the option mean its successor from now on, or nothing.
    OptionRemoved {
        field: FieldNumber,
        option: OptionNumber,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        successor: Option<OptionNumber>,
        /// None in events of older builds.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        was: Option<GoneOption>,
    },
    /// The field as it is now, but for its options: those have changes of their own.
    FieldChanged { field: Box<Field> },
    /// Its values are left out from now on.
    FieldDeleted {
        field: FieldNumber,
        /// None in events of older builds.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        was: Option<GoneField>,
    },
    /// The object as it is now; its id, API name and type stay.
    ObjectChanged { object: Box<Object> },
    /// Nothing of the object is found any more, and nothing is written to it.
    ObjectArchived { at: Timestamp },
    /// Values that name the member mean nobody from now on.
    MemberRemoved { member: MemberId },
    /// All unique constraints as they are now.
    ConstraintsChanged { constraints: Vec<Constraint> },
    /// A category that is new, or as it is now.
    CategoryPut { category: Category },
    /// Its fields are in another one from now on.
    CategoryDeleted { category: CategoryId, heir: CategoryId },
}

/// What a field was called that is gone: the schema forgets it, those who read of it must not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GoneField {
    pub id: FieldId,
    pub name: String,
}

/// What an option was called that is gone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GoneOption {
    pub id: OptionId,
    pub name: String,
}

impl SchemaChange {
    /// Deletes a field.
    #[must_use]
    pub fn deletion(field: &Field) -> Self {
        let was = GoneField { id: field.id, name: field.name.clone() };
        Self::FieldDeleted { field: field.number, was: Some(was) }
    }

    /// Removes an option of a field.
    #[must_use]
    pub fn removal(field: FieldNumber, option: &Choice, successor: Option<OptionNumber>) -> Self {
        let was = GoneOption { id: option.id, name: option.name.clone() };
        Self::OptionRemoved { field, option: option.number, successor, was: Some(was) }
    }

    /// Whether a field is gone by it, and with it perhaps the other side of a relation.
    #[must_use]
    pub fn ends_a_field(&self) -> bool {
        matches!(self, Self::FieldDeleted { .. })
    }
}

impl Schema {
    /// This schema after a change.
    ///
    /// # Panics
    /// Where the change does not fit: an event fits the schema it was decided on.
    #[must_use]
    pub fn with_change(&self, change: &SchemaChange) -> Self {
        let mut changed = self.clone();
        changed.number = self.number.next();
        match change {
            SchemaChange::OptionChanged { field, option } => {
                changed.field_mut(*field).options.change(option.clone());
            }
            SchemaChange::OptionRemoved { field, option, successor, was: _ } => {
                changed.field_mut(*field).options.remove(*option, *successor);
            }
            SchemaChange::FieldChanged { field } if self.by_number(field.number).is_none() => {
                changed.put_field((**field).clone());
            }
            SchemaChange::FieldChanged { field } => {
                let held = changed.field_mut(field.number);
                let options = std::mem::take(&mut held.options);
                *held = Field { options, ..(**field).clone() };
                changed.lookups = Lookups::of(&changed.fields, changed.next_field);
            }
            SchemaChange::FieldDeleted { field, was: _ } => {
                changed.fields.retain(|held| held.number != *field);
                changed.pending.retain(|held| held.number != *field);
                changed.lookups = Lookups::of(&changed.fields, changed.next_field);
                changed.drop_broken_constraints();
            }
            SchemaChange::ObjectChanged { object } => {
                changed.object.clone_from(object);
                changed.settle_flags();
            }
            SchemaChange::ObjectArchived { at } => changed.object.archived_at = Some(*at),
            SchemaChange::MemberRemoved { member } => {
                changed.removed_members.insert(*member);
            }
            SchemaChange::ConstraintsChanged { constraints } => {
                changed.constraints.put(constraints.clone());
            }
            SchemaChange::CategoryPut { category } => changed.put_category(category.clone()),
            SchemaChange::CategoryDeleted { category, heir } => {
                changed.categories.retain(|held| held.id != *category);
                let unseen = changed.pending.iter_mut().chain(&mut changed.dormant);
                let fields = changed.fields.iter_mut().chain(unseen);
                let moved = fields.filter(|field| field.category == *category);
                moved.for_each(|field| Arc::make_mut(field).category = *heir);
            }
        }
        changed
    }

    fn put_category(&mut self, category: Category) {
        match self.categories.iter_mut().find(|held| held.id == category.id) {
            Some(held) => *held = category,
            None => self.categories.push(category),
        }
    }

    /// Whether a change that was stored follows on this schema; what it names that is not there.
    pub fn check_change(&self, change: &SchemaChange) -> Result<(), String> {
        match change {
            SchemaChange::OptionChanged { field, option } => {
                self.check_option(*field, option.number)
            }
            SchemaChange::OptionRemoved { field, option, successor, was: _ } => {
                self.check_option(*field, *option)?;
                match successor {
                    Some(same) if same == option => Err(format!("a successor of option {option}")),
                    Some(successor) => self.check_option(*field, *successor),
                    None => Ok(()),
                }
            }
            SchemaChange::FieldChanged { field } => {
                let held = self.check_field(field.number)?;
                // What says in which form values are stored.
                let form = |field: &Field| (field.id, field.field_type, field.allow_multiple);
                let is_same = form(held) == form(field);
                if is_same { Ok(()) } else { Err(format!("field {} as it was", field.number)) }
            }
            SchemaChange::FieldDeleted { field, was: _ } => {
                let held = self.check_field(*field)?;
                if held.is_deletable { Ok(()) } else { Err(format!("a deletable field {field}")) }
            }
            SchemaChange::ObjectChanged { object } => {
                let held = &self.object;
                let is_same = (held.id, &held.name, held.object_type)
                    == (object.id, &object.name, object.object_type);
                if is_same { Ok(()) } else { Err(format!("object {} as it was", object.id)) }
            }
            SchemaChange::ObjectArchived { .. } => {
                let is_live = self.object.is_custom && self.object.archived_at.is_none();
                let id = self.object.id;
                if is_live { Ok(()) } else { Err(format!("object {id} that may be archived")) }
            }
            SchemaChange::MemberRemoved { member } if self.knows_removed(*member) => {
                Err(format!("member {member} who was there"))
            }
            SchemaChange::ConstraintsChanged { constraints } => self.check_constraints(constraints),
            SchemaChange::MemberRemoved { .. } | SchemaChange::CategoryPut { .. } => Ok(()),
            SchemaChange::CategoryDeleted { category, heir } => {
                let lacks = |id| !self.categories.iter().any(|held| held.id == id);
                if category == heir || lacks(*category) || lacks(*heir) {
                    return Err(format!("category {category} with its heir {heir}"));
                }
                Ok(())
            }
        }
    }

    fn check_field(&self, field: FieldNumber) -> Result<&Field, String> {
        self.any_number(field).map(|held| &**held).ok_or_else(|| format!("field {field}"))
    }

    fn check_option(&self, field: FieldNumber, option: OptionNumber) -> Result<(), String> {
        let held = self.check_field(field)?;
        let is_there = held.options.iter().any(|choice| choice.number == option);
        if is_there { Ok(()) } else { Err(format!("option {option} of field {field}")) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::table::test_support::{Rig, field};
    use crate::model::value::FieldType;

    /// The first look at a value in the other form would stop the process.
    #[test]
    fn a_stored_change_of_a_field_keeps_the_form_of_its_values() {
        let mut rig = Rig::accounts();
        let number = rig.add_field(field("helper", "team_selector"));
        let schema = rig.schema();
        let check = |change: fn(&mut Field)| {
            let mut field = Field::clone(schema.by_number(number).unwrap());
            change(&mut field);
            schema.check_change(&SchemaChange::FieldChanged { field: Box::new(field) })
        };
        assert_eq!(check(|field| field.display_name = "Helpers".to_owned()), Ok(()));
        assert!(check(|field| field.allow_multiple = true).is_err());
        assert!(check(|field| field.field_type = FieldType::Text).is_err());
    }
}
