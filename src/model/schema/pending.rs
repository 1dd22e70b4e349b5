//! Mirrors that are made before their owning field: they have a number, a name and a place among
//! the fields of their object, and nobody is shown them.
//!
//! Must not know whether an owning field is there: it is in another table.

use crate::model::id::{FieldId, FieldNumber};
use crate::model::schema::field::Field;
use crate::model::schema::{Lookups, Schema};
use std::sync::Arc;

impl Schema {
    /// The field of this id, pending or not.
    #[must_use]
    pub fn any_field(&self, id: FieldId) -> Option<&Arc<Field>> {
        self.by_id(id).or_else(|| self.pending.iter().find(|field| field.id == id))
    }

    /// The mirrors that are pending, oldest first.
    #[must_use]
    pub fn pending(&self) -> &[Arc<Field>] {
        &self.pending
    }

    /// The relationship fields that lead to another object, pending ones too. For each of them a
    /// field of that object points here, so an object that has any is not archived.
    pub fn fields_to_others(&self) -> impl Iterator<Item = &Arc<Field>> {
        let own = self.object().id;
        let leads_away = move |field: &&Arc<Field>| {
            field.relation.as_ref().is_some_and(|relation| relation.object != own)
        };
        self.fields.iter().chain(&self.pending).filter(leads_away)
    }

    /// The field of this number, pending or not.
    #[must_use]
    pub fn any_number(&self, number: FieldNumber) -> Option<&Arc<Field>> {
        let pending = || self.pending.iter().find(|field| field.number == number);
        self.by_number(number).or_else(pending)
    }

    /// Puts a field where it belongs: a new one, or one that was pending, by its age.
    pub(super) fn put_field(&mut self, field: Field) {
        self.pending.retain(|held| held.number != field.number);
        if field.is_pending() {
            return self.pending.push(Arc::new(field));
        }
        let older = self.fields.iter().rposition(|held| held.number < field.number);
        let at = older.map_or(0, |at| at + 1);
        self.fields.insert(at, Arc::new(field));
        if at + 1 == self.fields.len() {
            self.lookups.note(&self.fields, at);
        } else {
            self.lookups = Lookups::of(&self.fields, self.next_field);
        }
    }
}

#[cfg(test)]
pub(super) mod test_support {
    use crate::model::id::{FieldId, ObjectId};
    use crate::model::schema::relation::{NewRelation, Relation, RelationType};
    use uuid::Uuid;

    /// A relation of contacts to something, kept by them or not.
    pub(in crate::model::schema) fn new_relation(is_mirror: bool) -> NewRelation {
        let kept = RelationType::Primary;
        let relation = Relation {
            relation_type: if is_mirror { kept.reverse() } else { kept },
            object: ObjectId(Uuid::from_u128(1)),
            field: FieldId(Uuid::from_u128(2)),
            is_mirror,
            is_pending: is_mirror,
            related_name: "Contacts".to_owned(),
            related_category: None,
        };
        NewRelation { own: FieldId(Uuid::from_u128(3)), relation }
    }
}

#[cfg(test)]
mod tests {
    use super::test_support::new_relation;
    use super::*;
    use crate::model::id::Timestamp;
    use crate::model::schema::change::SchemaChange;
    use crate::model::schema::default_fields;
    use crate::model::schema::fault::SchemaFaultKind;
    use crate::model::schema::name::NameFault;
    use crate::model::schema::new_field::{NewField, invalid};
    use crate::model::schema::typed::MIRRORS_ARE_NOT_REQUIRED;
    use crate::model::value::FieldType;
    use crate::model::value::fault::ValueFault;
    use uuid::Uuid;

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

    /// The faults of a field that is right but for what `change` does to it.
    fn check(
        field_type: FieldType,
        change: impl FnOnce(&mut NewField),
        expected: &[(&str, SchemaFaultKind)],
    ) {
        let mut new = new_field(field_type);
        change(&mut new);
        let faults = contacts().decide_field(&new, &mut ids()).err().unwrap_or_default();
        assert_eq!(told(&faults), owned(expected));
    }

    fn told(faults: &[crate::model::schema::fault::SchemaFault]) -> Vec<(String, SchemaFaultKind)> {
        faults.iter().map(|fault| (fault.place.to_string(), fault.fault.clone())).collect()
    }

    fn owned(faults: &[(&str, SchemaFaultKind)]) -> Vec<(String, SchemaFaultKind)> {
        faults.iter().map(|(place, fault)| ((*place).to_owned(), fault.clone())).collect()
    }

    #[test]
    fn a_relationship_field_alone_has_a_relation() {
        let relationship = FieldType::Relationship;
        let required = ValueFault::Required.into();
        check(relationship, |new| new.relation = None, &[("relation", required)]);
        let fault = invalid("Only a relationship field has this.").into();
        check(
            FieldType::Text,
            |new| new.relation = Some(new_relation(false)),
            &[("relation", fault)],
        );
        check(relationship, |new| new.is_required = Some(true), &[]);
        let fault = invalid(MIRRORS_ARE_NOT_REQUIRED).into();
        let mirror = |new: &mut NewField| {
            new.relation = Some(new_relation(true));
            new.is_required = Some(true);
        };
        check(relationship, mirror, &[("is_required", fault)]);
        let field = contacts().decide_field(&new_field(relationship), &mut ids()).unwrap();
        assert_eq!(field.id, new_relation(false).own);
        assert!(!field.allow_multiple, "a contact is in one region");
    }

    #[test]
    fn a_pending_mirror_has_a_place_and_a_name_and_is_not_shown() {
        let mut new = new_field(FieldType::Relationship);
        new.relation = Some(new_relation(true));
        let schema = contacts();
        let mirror = schema.decide_field(&new, &mut ids()).unwrap();
        assert!(mirror.allow_multiple && mirror.is_mirror() && mirror.is_pending());
        let pending = schema.with_field(mirror.clone());
        assert_eq!(pending.fields(), schema.fields());
        assert_eq!((pending.by_name("region"), pending.by_id(mirror.id)), (None, None));
        assert_eq!(pending.any_field(mirror.id).map(|field| &**field), Some(&mirror));
        assert_eq!(pending.field_count(), schema.field_count() + 1);
        let taken = NewField { name: Some("region".to_owned()), ..new_field(FieldType::Text) };
        let faults = pending.decide_field(&taken, &mut ids()).unwrap_err();
        let fault = SchemaFaultKind::FieldName(NameFault::Taken);
        assert_eq!(told(&faults), [("name".to_owned(), fault)]);
        // A field that is made meanwhile is younger.
        let late = pending.decide_field(&new_field(FieldType::Text), &mut ids()).unwrap();
        let pending = pending.with_field(late);
        let stored = rmp_serde::to_vec_named(&pending).unwrap();
        assert_eq!(rmp_serde::from_slice::<Schema>(&stored).unwrap(), pending);
        let mut shown = mirror.clone();
        shown.relation.as_mut().unwrap().is_pending = false;
        let change = SchemaChange::FieldChanged { field: Box::new(shown.clone()) };
        assert_eq!(pending.check_change(&change), Ok(()));
        let schema = pending.with_change(&change);
        let names: Vec<_> = schema.fields().iter().rev().take(2).map(|it| &*it.name).collect();
        assert_eq!(names, ["region_2", "region"]);
        assert_eq!(schema.by_id(mirror.id).map(|field| &**field), Some(&shown));
        let change = SchemaChange::deletion(&mirror);
        assert_eq!(pending.with_change(&change).any_field(mirror.id), None);
    }

    #[test]
    fn what_leads_to_another_object_is_found_and_what_leads_home_is_not() {
        let schema = contacts();
        assert_eq!(schema.fields_to_others().count(), 0);
        for is_mirror in [false, true] {
            let mut new = new_field(FieldType::Relationship);
            new.relation = Some(new_relation(is_mirror));
            let away = schema.with_field(schema.decide_field(&new, &mut ids()).unwrap());
            assert_eq!(away.fields_to_others().count(), 1, "pending or not");
            new.relation.as_mut().unwrap().relation.object = schema.object().id;
            let home = schema.with_field(schema.decide_field(&new, &mut ids()).unwrap());
            assert_eq!(home.fields_to_others().count(), 0);
        }
    }
}
