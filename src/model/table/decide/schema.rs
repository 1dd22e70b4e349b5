//! Changes of the schema: barriers, decided on plain state.

use crate::model::id::{FieldNumber, OptionId, OptionNumber};
use crate::model::schema::Schema;
use crate::model::schema::change::SchemaChange;
use crate::model::schema::field::Field;
use crate::model::schema::new_field::{NewField, NewOption};
use crate::model::schema::option::Choice;
use crate::model::table::command::Reply;
use crate::model::table::decide::Rejection;
use crate::model::table::decide::commit::Commit;
use crate::model::table::event::{Event, FollowUpNumber};
use crate::model::table::schema_command::SchemaAsk;
use std::sync::Arc;

pub(super) fn create_field(commit: &mut Commit<'_>, new: &NewField) -> Result<Reply, Rejection> {
    let schema = commit.schema.clone();
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
    let event = Event::OptionCreated {
        stamp: commit.stamp(),
        sequence: commit.next_sequence(),
        field,
        option: option.clone(),
    };
    commit.push(event);
    Ok(Reply::Option(option))
}

pub(super) fn change_schema(
    commit: &mut Commit<'_>,
    asked: &SchemaAsk,
) -> Result<Reply, Rejection> {
    match asked {
        SchemaAsk::ChangeOption { field, option, change } => {
            change_option(commit, (*field, *option), change)
        }
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
    }
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
    let (field, option) = (field.number, choice.number);
    commit.change_schema(SchemaChange::OptionRemoved { field, option, successor })
}

/// The receiver has it: it is not sent again at the next start.
pub(super) fn confirm_follow_up(commit: &mut Commit<'_>, number: FollowUpNumber) -> Reply {
    if commit.view.table.shown.follow_ups().open.range(..=number).next().is_some() {
        let event = Event::FollowUpConfirmed { stamp: commit.stamp(), number };
        commit.push(event);
    }
    Reply::Done
}
