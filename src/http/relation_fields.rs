//! Making and deleting relationships: a field on each of two objects.
//!
//! The mirror is made first and shown to nobody until its owning field is there. Whatever is left
//! undone between the two is finished by the engine, from what the owning side says. It must not
//! know what a field may be: the model decides that.

use crate::engine::business::TableRef;
use crate::http::caller::require;
use crate::http::code::Code;
use crate::http::dry_run::Run;
use crate::http::fault::{Fault, Faults, Place};
use crate::http::problem::Problem;
use crate::http::schema_change::ask_table_for_schema;
use crate::http::schema_fault::{fault_of, throwaway_ids};
use crate::http::target::Target;
use crate::http::wire::related::RelationShape;
use crate::http::wire::schema_fields::RelationKeys;
use crate::model::access::ObjectAccess;
use crate::model::id::{CategoryId, FieldId};
use crate::model::retry::{Answered, Retry};
use crate::model::schema::field::Field;
use crate::model::schema::new_field::NewField;
use crate::model::schema::relation::{NewRelation, Relation, RelationType};
use crate::model::table::command::{Ask, Caller, Command, Reply};
use crate::model::table::schema_command::SchemaAsk;
use crate::model::value::FieldType;
use std::sync::Arc;

/// Keys of the field on the other side, and what the request calls them.
const OTHER_KEYS: [(&str, &str); 2] =
    [("display_name", "relation.related_name"), ("category", "relation.related_category")];

/// A relationship to be, its other side found.
pub(super) struct NewRelationship {
    /// Of the object that the path names.
    own: NewField,
    other: NewField,
    other_table: Arc<TableRef>,
    /// What the caller may do there.
    other_access: ObjectAccess,
    /// Whether the field that is asked for is the mirror.
    is_mirror: bool,
}

impl NewRelationship {
    /// Reads the relation of a new field, which is completed by it. None where it is at fault.
    pub(super) fn read(
        target: &Target,
        new: &mut NewField,
        keys: &RelationKeys,
        faults: &mut Faults,
    ) -> Option<Self> {
        let relation_type = read_type(keys, faults);
        let other_table = find_object(target, keys, faults);
        let (relation_type, (other_table, other_access)) = (relation_type?, other_table?);
        let schema = target.table.shown().schema();
        let is_mirror = relation_type.is_kept_elsewhere();
        let [own, other] = [FieldId(target.engine.next_id()), FieldId(target.engine.next_id())];
        let category = |given: &Option<String>| {
            given.as_ref().and_then(|given| CategoryId::parse(given.trim()))
        };
        let related_name =
            keys.related_name.clone().unwrap_or_else(|| schema.object().entity_name.clone());
        let other_schema = other_table.shown().schema();
        new.relation = Some(NewRelation {
            own,
            relation: Relation {
                relation_type,
                object: other_schema.object().id,
                field: other,
                is_mirror,
                is_pending: is_mirror,
                related_name: related_name.clone(),
                related_category: category(&keys.related_category),
            },
        });
        let other_new = NewField {
            display_name: Some(related_name),
            field_type: Some(FieldType::Relationship.name().to_owned()),
            category: keys.related_category.clone(),
            relation: Some(NewRelation {
                own: other,
                relation: Relation {
                    relation_type: relation_type.reverse(),
                    object: schema.object().id,
                    field: own,
                    is_mirror: !is_mirror,
                    is_pending: !is_mirror,
                    related_name: new.display_name.clone().unwrap_or_default(),
                    related_category: category(&new.category),
                },
            }),
            ..NewField::default()
        };
        if let Err(found) = other_schema.decide_field(&other_new, &mut throwaway_ids()) {
            found.iter().map(fault_of).map(of_other_side).for_each(|fault| faults.push(fault));
            return None;
        }
        Some(Self { own: new.clone(), other: other_new, other_table, other_access, is_mirror })
    }

    /// Makes both fields, and gives the one that was asked for. It goes on when nobody waits for it
    /// any more, so that it is not left half done.
    pub(super) async fn make(self, target: &Target, bytes: usize) -> Result<Arc<Field>, Problem> {
        // Both objects change.
        require(target.access.may_change_schema() && self.other_access.may_change_schema())?;
        let target = target.clone();
        let made = actix_web::rt::spawn(async move { self.make_both(&target, bytes).await });
        made.await.unwrap_or_else(|_| Err(Problem::new(Code::InternalError)))
    }

    /// What both fields would be, the one that is asked for first.
    pub(super) async fn try_both(
        self,
        target: &Target,
        bytes: usize,
    ) -> Result<(Arc<Field>, Arc<Field>), Problem> {
        require(target.access.may_change_schema() && self.other_access.may_change_schema())?;
        let Self { own, other, other_table, is_mirror, .. } = self;
        let is_one_table = Arc::ptr_eq(&target.table, &other_table);
        let schema = target.table.shown().schema();
        let own = (&*target.table, own);
        let other = (&*other_table, other);
        let (mirror, owner) = if is_mirror { (own, other) } else { (other, own) };
        let of_mirror = |problem| if is_mirror { problem } else { of_other_object(problem) };
        let of_owner = |problem| if is_mirror { of_other_object(problem) } else { problem };
        let asking = target.caller.for_request();
        let mut mirror =
            create(target, asking.clone(), mirror, Run::Dry, bytes).await.map_err(of_mirror)?;
        let mut owner_field = create(target, asking, (owner.0, owner.1.clone()), Run::Dry, bytes)
            .await
            .map_err(of_owner)?;
        if is_one_table {
            // It would be made when the mirror is there already.
            let schema = schema.with_field(Field::clone(&mirror));
            let made = schema.decide_field(&owner.1, &mut throwaway_ids());
            owner_field = Arc::new(
                made.map_err(|found| Problem::from_faults(found.iter().map(fault_of).collect()))?,
            );
        }
        let relation = Arc::make_mut(&mut mirror).relation.as_mut();
        relation.expect("a mirror is of a relation").is_pending = false;
        Ok(if is_mirror { (mirror, owner_field) } else { (owner_field, mirror) })
    }

    async fn make_both(self, target: &Target, bytes: usize) -> Result<Arc<Field>, Problem> {
        let Self { own, other, other_table, is_mirror, .. } = self;
        let asked_for = own.relation.as_ref().expect("it was completed with its relation").own;
        let own = (&*target.table, own);
        let other = (&*other_table, other);
        let (mirror, owner) = if is_mirror { (own, other) } else { (other, own) };
        let of_mirror = |problem| if is_mirror { problem } else { of_other_object(problem) };
        let of_owner = |problem| if is_mirror { of_other_object(problem) } else { problem };
        let mirror_table = mirror.0;
        let asking = target.caller.for_request();
        let mirror = create(target, asking.clone(), mirror, Run::Real, bytes).await;
        let mirror = mirror.map_err(of_mirror)?;
        // What follows from the owning field is finished by the engine, so its making decides.
        let deciding = target
            .caller
            .for_write_with(|retry| Retry { about: Some(Answered::Field(asked_for)), ..retry });
        let owner = match create(target, deciding, owner, Run::Real, bytes).await {
            Ok(owner) => owner,
            Err(problem) => {
                let ask = Ask::ChangeSchema(SchemaAsk::DropMirror(mirror.id));
                let command = Command { caller: asking, ask };
                // Nobody is shown it, and the next start drops what is left.
                drop(ask_table_for_schema(target, mirror_table, command, bytes).await);
                return Err(of_owner(problem));
            }
        };
        let ask = Ask::ChangeSchema(SchemaAsk::ShowMirror(mirror.id));
        let command = Command { caller: asking, ask };
        let shown = ask_table_for_schema(target, mirror_table, command, bytes).await;
        // The engine asks for the same. What it was refused for is told as what it is now: unknown.
        let shown = field_of(shown.map_err(|_| Problem::new(Code::OutcomeUnknown))?);
        Ok(if is_mirror { shown } else { owner })
    }
}

async fn create(
    target: &Target,
    caller: Caller,
    (table, new): (&TableRef, NewField),
    run: Run,
    bytes: usize,
) -> Result<Arc<Field>, Problem> {
    let command = Command { caller, ask: run.ask(Ask::CreateField(Box::new(new))) };
    ask_table_for_schema(target, table, command, bytes).await.map(field_of)
}

fn field_of(reply: Reply) -> Arc<Field> {
    match reply {
        Reply::Field(field) => field,
        Reply::Record(_)
        | Reply::NoMatch
        | Reply::Done
        | Reply::Option(_)
        | Reply::Category(_)
        | Reply::Rows(_)
        | Reply::Repeated(_)
        | Reply::AlreadyApplied
        | Reply::Tried(_) => {
            unreachable!("it is answered with the field")
        }
    }
}

fn read_type(keys: &RelationKeys, faults: &mut Faults) -> Option<RelationType> {
    let place = Place::Body("relation.relation_type".into());
    let Some(given) = &keys.relation_type else {
        faults.push(Fault::new(Code::Required, place));
        return None;
    };
    let found = RelationType::parse(given);
    if found.is_none() {
        faults.push(Fault::invalid_choice(place, given));
    }
    found
}

fn find_object(
    target: &Target,
    keys: &RelationKeys,
    faults: &mut Faults,
) -> Option<(Arc<TableRef>, ObjectAccess)> {
    let place = Place::Body("relation.related_object".into());
    let Some(given) = &keys.related_object else {
        faults.push(Fault::new(Code::Required, place));
        return None;
    };
    let found = target.caller.visible_table(given);
    if found.is_none() {
        faults.push(Fault::new(Code::DoesNotExist, place).saying("Object does not exist."));
    }
    found
}

/// A fault of the field on the other side, at the key that the request gives for it.
fn of_other_side(mut fault: Fault) -> Fault {
    if let Place::Body(key) = &fault.place
        && let Some((_, asked)) = OTHER_KEYS.iter().find(|(other, _)| other == key)
    {
        fault.place = Place::Body((*asked).into());
    }
    fault
}

/// What the other object is refused for when it is asked at last, though it was right before.
fn of_other_object(problem: Problem) -> Problem {
    if problem.status() == actix_web::http::StatusCode::NOT_FOUND {
        let place = Place::Body("relation.related_object".into());
        return Fault::new(Code::DoesNotExist, place).saying("Object does not exist.").into();
    }
    problem
}

/// A relation stays as it was made; what a read shows of it may be written back.
pub(super) fn check_same(target: &Target, field: &Field, keys: &RelationKeys, faults: &mut Faults) {
    let shape = RelationShape::of(field, &target.caller.related_tables());
    if !shape.is_some_and(|shape| shape.is_given_as(keys)) {
        let place = Place::Body("relation".into());
        faults.push(Fault::new(Code::Immutable, place).saying("A relation stays as it was made."));
    }
}

/// Deletes both sides, the owning one first: the mirror follows it.
pub(super) async fn delete(
    target: &Target,
    field: &Field,
    relation: &Relation,
    run: Run,
) -> Result<(), Problem> {
    let other = target.caller.business.table(relation.object).ok_or_else(Problem::not_found)?;
    let other_access = target.caller.access(&other);
    require(target.access.may_delete_schema() && other_access.may_delete_schema())?;
    let (owner_table, owner, mirror_table, mirror) = if relation.is_mirror {
        (&other, relation.field, &target.table, field.id)
    } else {
        (&target.table, field.id, &other, relation.field)
    };
    let owner = owner_table.shown().schema().by_id(owner).ok_or_else(Problem::not_found)?.number;
    let ask = run.ask(Ask::ChangeSchema(SchemaAsk::DeleteField(owner)));
    let deciding = Command { caller: target.caller.for_write(), ask };
    ask_table_for_schema(target, owner_table, deciding, 0).await?;
    match run {
        Run::Dry => Ok(()),
        Run::Real => {
            let ask = Ask::ChangeSchema(SchemaAsk::DropMirror(mirror));
            let command = Command { caller: target.caller.for_request(), ask };
            let dropped = ask_table_for_schema(target, mirror_table, command, 0).await;
            dropped.map(|_| ()).map_err(|_| Problem::new(Code::OutcomeUnknown))
        }
    }
}
