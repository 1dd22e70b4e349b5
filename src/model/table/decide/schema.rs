//! Changes of the schema: barriers, decided on plain state.

use crate::model::id::{CategoryId, FieldId, FieldNumber, OptionId, OptionNumber};
use crate::model::schema::Schema;
use crate::model::schema::categories::NewCategory;
use crate::model::schema::change::SchemaChange;
use crate::model::schema::changed_field::ChangedField;
use crate::model::schema::constraint::Constraint;
use crate::model::schema::fault::{BodyPlace, SchemaFault, SchemaFaultKind};
use crate::model::schema::field::Field;
use crate::model::schema::new_field::{NewField, NewOption};
use crate::model::schema::new_object::NewObject;
use crate::model::schema::object::Category;
use crate::model::schema::option::Choice;
use crate::model::table::command::Reply;
use crate::model::table::decide::commit::Commit;
use crate::model::table::decide::pipeline;
use crate::model::table::decide::survey::{survey, survey_names, survey_together};
use crate::model::table::decide::{Blocked, Rejection, Rule};
use crate::model::table::event::{Event, FollowUpNumber};
use crate::model::table::schema_command::SchemaAsk;
use std::sync::Arc;

pub(super) fn create_field(commit: &mut Commit<'_>, new: &NewField) -> Result<Reply, Rejection> {
    let schema = commit.schema.clone();
    // The field of a relation is made once, however often it is asked for.
    let own = new.relation.as_ref().and_then(|relation| schema.any_field(relation.own));
    if let Some(made) = own {
        return Ok(Reply::Field(made.clone()));
    }
    let field = schema.decide_field(new, &mut || commit.moment.id()).map_err(Rejection::Schema)?;
    let field = Arc::new(field);
    let event = Event::FieldCreated {
        stamp: commit.stamp(),
        sequence: commit.next_sequence(),
        field: field.clone(),
    };
    commit.push(event);
    Ok(Reply::Field(field))
}

pub(super) fn create_option(
    commit: &mut Commit<'_>,
    field: FieldNumber,
    new: &NewOption,
) -> Result<Reply, Rejection> {
    let schema = commit.schema.clone();
    let held = schema.by_number(field).ok_or(Rejection::UnknownField)?;
    let option =
        schema.decide_option(held, new, &mut || commit.moment.id()).map_err(Rejection::Schema)?;
    commit.create_option(field, option.clone())?;
    Ok(Reply::Option(option))
}

pub(super) fn change_schema(
    commit: &mut Commit<'_>,
    asked: &SchemaAsk,
) -> Result<Reply, Rejection> {
    match asked {
        SchemaAsk::ChangeField { field, change } => change_field(commit, *field, change),
        SchemaAsk::DeleteField(field) => delete_field(commit, *field),
        SchemaAsk::ChangeOption { field, option, change } => {
            change_option(commit, (*field, *option), change)
        }
        SchemaAsk::ChangeObject(change) => change_object(commit, change),
        SchemaAsk::ArchiveObject => archive_object(commit),
        SchemaAsk::CreateCategory(new) => {
            let schema = commit.schema.clone();
            let category = schema
                .decide_category(new, &mut || commit.moment.id())
                .map_err(Rejection::Schema)?;
            put_category(commit, category)
        }
        SchemaAsk::ChangeCategory { category, change } => {
            change_category(commit, *category, change)
        }
        SchemaAsk::DeleteCategory(category) => {
            let schema = commit.schema.clone();
            schema.category(*category).ok_or(Rejection::UnknownField)?;
            let heir = schema.decide_category_removal(*category).map_err(Rejection::Schema)?;
            commit.change_schema(SchemaChange::CategoryDeleted { category: *category, heir })?;
            Ok(Reply::Done)
        }
        SchemaAsk::ShowMirror(id) => show_mirror(commit, *id),
        SchemaAsk::DropMirror(id) => drop_mirror(commit, *id),
        SchemaAsk::RemoveOption { field, option } => {
            let schema = commit.schema.clone();
            let (held, choice) = find_option(&schema, (*field, *option))?;
            held.decide_option_removal().map_err(Rejection::Schema)?;
            remove_option(commit, held, choice, None)?;
            Ok(Reply::Done)
        }
        SchemaAsk::ReplaceOption { field, option, by } => {
            let schema = commit.schema.clone();
            let (held, choice) = find_option(&schema, (*field, *option))?;
            let by = held.decide_successor(choice, by.as_deref()).map_err(Rejection::Schema)?;
            remove_option(commit, held, choice, Some(by))?;
            let successor = held.options.get(by).expect("a successor is an option of the field");
            Ok(Reply::Option(successor.clone()))
        }
        SchemaAsk::RemoveMember(member) => {
            if commit.schema.misses_removal(*member) {
                commit.change_schema(SchemaChange::MemberRemoved { member: *member })?;
            }
            Ok(Reply::Done)
        }
        SchemaAsk::CreateStage(new) => pipeline::create_stage(commit, new),
        SchemaAsk::ChangeStage { stage, change } => pipeline::change_stage(commit, *stage, change),
        SchemaAsk::RemoveStage { stage, successor } => {
            pipeline::remove_stage(commit, stage.as_deref(), successor.as_deref())
        }
    }
}

fn change_object(commit: &mut Commit<'_>, change: &NewObject) -> Result<Reply, Rejection> {
    let schema = commit.schema.clone();
    let may_see = |field: &Field| commit.access.may_see_field(&schema, field);
    let plan = schema.decide_object_change(change, &may_see).map_err(Rejection::Schema)?;
    if let Some(identifier) = schema.decide_case_change(change) {
        survey_names(commit, &identifier)?;
        commit.change_schema(SchemaChange::FieldChanged { field: Box::new(identifier) })?;
    }
    if plan.object != *schema.object() {
        commit.change_schema(SchemaChange::ObjectChanged { object: Box::new(plan.object) })?;
    }
    if let Some(constraints) = plan.constraints {
        change_constraints(commit, constraints)?;
    }
    Ok(Reply::Done)
}

/// After the object's own change: its flags say which fields there are.
fn change_constraints(
    commit: &mut Commit<'_>,
    constraints: Vec<Constraint>,
) -> Result<(), Rejection> {
    let schema = commit.schema.clone();
    if constraints == schema.constraints() {
        return Ok(());
    }
    for (index, constraint) in constraints.iter().enumerate() {
        if schema.constraint(constraint.number).is_none() {
            let fields = schema.parts(constraint).cloned().collect();
            survey_together(commit, fields, Rule::UniqueTogether(index))?;
        }
    }
    commit.change_schema(SchemaChange::ConstraintsChanged { constraints })
}

fn archive_object(commit: &mut Commit<'_>) -> Result<Reply, Rejection> {
    if let Some(blocked) = what_keeps(commit) {
        return Err(Rejection::ArchiveBlocked(blocked));
    }
    let at = commit.at();
    commit.change_schema(SchemaChange::ObjectArchived { at })?;
    Ok(Reply::Done)
}

/// What keeps the object from being archived. Decided at the barrier, so nothing of it changes
/// before the object is gone.
fn what_keeps(commit: &Commit<'_>) -> Option<Blocked> {
    if !commit.schema.object().is_custom {
        return Some(Blocked::Contacts);
    }
    if commit.view.table.shown.live_count() > 0 {
        return Some(Blocked::LiveRecords);
    }
    let is_related = commit.schema.fields_to_others().next().is_some();
    is_related.then_some(Blocked::Relationships)
}

fn change_category(
    commit: &mut Commit<'_>,
    id: CategoryId,
    change: &NewCategory,
) -> Result<Reply, Rejection> {
    let schema = commit.schema.clone();
    let held = schema.category(id).ok_or(Rejection::UnknownField)?;
    let changed = held.decide_change(change).map_err(Rejection::Schema)?;
    if changed == *held {
        return Ok(Reply::Category(changed));
    }
    put_category(commit, changed)
}

fn put_category(commit: &mut Commit<'_>, category: Category) -> Result<Reply, Rejection> {
    commit.change_schema(SchemaChange::CategoryPut { category: category.clone() })?;
    Ok(Reply::Category(category))
}

fn change_field(
    commit: &mut Commit<'_>,
    number: FieldNumber,
    change: &ChangedField,
) -> Result<Reply, Rejection> {
    let schema = commit.schema.clone();
    let held = schema.by_number(number).ok_or(Rejection::UnknownField)?;
    let plan = schema
        .decide_field_change(held, change, &mut || commit.moment.id())
        .map_err(Rejection::Schema)?;
    // The options first: whether a required field has a value depends on those that are left.
    if let Some(options) = plan.options {
        change_options(commit, held, options)?;
    }
    let options = commit.schema.by_number(number).expect("it is there").options.clone();
    let is_changed = Field { options: held.options.clone(), ..plan.field.clone() } != **held;
    let after = Field { options, ..plan.field.clone() };
    survey(commit, held, &after)?;
    if is_changed {
        commit.change_schema(SchemaChange::FieldChanged { field: Box::new(plan.field) })?;
    }
    Ok(Reply::Field(Arc::new(after)))
}

/// One change for each option that is another now, so that each is told by itself.
fn change_options(
    commit: &mut Commit<'_>,
    field: &Field,
    options: Vec<Choice>,
) -> Result<(), Rejection> {
    for held in &field.options {
        if !options.iter().any(|choice| choice.number == held.number) {
            remove_option(commit, field, held, None)?;
        }
    }
    for option in options {
        match field.options.iter().find(|held| held.number == option.number) {
            Some(held) if *held == option => {}
            Some(_) => {
                let field = field.number;
                commit.change_schema(SchemaChange::OptionChanged { field, option })?;
            }
            None => commit.create_option(field.number, option)?,
        }
    }
    Ok(())
}

fn delete_field(commit: &mut Commit<'_>, number: FieldNumber) -> Result<Reply, Rejection> {
    let schema = commit.schema.clone();
    let held = schema.by_number(number).ok_or(Rejection::UnknownField)?;
    if !held.is_deletable {
        let fault = SchemaFaultKind::NotDeletable;
        return Err(Rejection::Schema(vec![SchemaFault { place: BodyPlace::Body, fault }]));
    }
    commit.change_schema(SchemaChange::deletion(held))?;
    Ok(Reply::Done)
}

fn show_mirror(commit: &mut Commit<'_>, id: FieldId) -> Result<Reply, Rejection> {
    let held = commit.schema.any_field(id).ok_or(Rejection::UnknownField)?.clone();
    if !held.is_pending() {
        return Ok(Reply::Field(held));
    }
    let mut shown = Field::clone(&held);
    let relation = shown.relation.as_mut().expect("what is pending is a mirror");
    relation.is_pending = false;
    commit.change_schema(SchemaChange::FieldChanged { field: Box::new(shown.clone()) })?;
    Ok(Reply::Field(Arc::new(shown)))
}

fn drop_mirror(commit: &mut Commit<'_>, id: FieldId) -> Result<Reply, Rejection> {
    let held = commit.schema.any_field(id).filter(|held| held.is_mirror()).cloned();
    if let Some(held) = held {
        commit.change_schema(SchemaChange::deletion(&held))?;
    }
    Ok(Reply::Done)
}

fn find_option(
    schema: &Schema,
    (field, option): (FieldNumber, OptionId),
) -> Result<(&Arc<Field>, &Choice), Rejection> {
    let held = schema.by_number(field).ok_or(Rejection::UnknownField)?;
    let choice = held.options.by_id(option).ok_or(Rejection::UnknownField)?;
    Ok((held, choice))
}

fn change_option(
    commit: &mut Commit<'_>,
    place: (FieldNumber, OptionId),
    change: &NewOption,
) -> Result<Reply, Rejection> {
    let schema = commit.schema.clone();
    let (held, choice) = find_option(&schema, place)?;
    let option = held.decide_option_change(choice, change).map_err(Rejection::Schema)?;
    if option != *choice {
        let option = option.clone();
        commit.change_schema(SchemaChange::OptionChanged { field: held.number, option })?;
    }
    Ok(Reply::Option(option))
}

fn remove_option(
    commit: &mut Commit<'_>,
    field: &Field,
    choice: &Choice,
    successor: Option<OptionNumber>,
) -> Result<(), Rejection> {
    commit.change_schema(SchemaChange::removal(field.number, choice, successor))
}

/// The receiver has it: it is not sent again at the next start.
pub(super) fn confirm_follow_up(commit: &mut Commit<'_>, number: FollowUpNumber) -> Reply {
    if commit.view.table.shown.follow_ups().open.range(..=number).next().is_some() {
        let event = Event::FollowUpConfirmed { stamp: commit.stamp(), number };
        commit.push(event);
    }
    Reply::Done
}
