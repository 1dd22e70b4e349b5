//! Changes of the schema: barriers, decided on plain state.

use crate::model::id::FieldNumber;
use crate::model::schema::new_field::{NewField, NewOption};
use crate::model::table::command::Reply;
use crate::model::table::decide::Rejection;
use crate::model::table::decide::commit::Commit;
use crate::model::table::event::{Event, FollowUpNumber};
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

/// The receiver has it: it is not sent again at the next start.
pub(super) fn confirm_follow_up(commit: &mut Commit<'_>, number: FollowUpNumber) -> Reply {
    if commit.view.table.shown.follow_ups().open.range(..=number).next().is_some() {
        let event = Event::FollowUpConfirmed { stamp: commit.stamp(), number };
        commit.push(event);
    }
    Reply::Done
}
