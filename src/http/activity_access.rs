//! How far a caller's rights on activities go.
//!
//! An activity is somebody's: whoever has it to do, made it, or holds the role that has it to do may
//! do everything with it. To others it is what the records it is about are to them.

use crate::http::caller::Caller;
use crate::model::agenda::{Activity, Association, LoggedActivity};
use crate::model::catalog::permission::Level;
use crate::model::id::RecordId;

/// On a scheduled activity.
#[must_use]
pub fn level_on_activity(caller: &Caller, activity: &Activity) -> Level {
    let me = caller.member.id;
    let is_mine = activity.employee == Some(me)
        || activity.created_by == me
        || activity.role.is_some_and(|role| caller.member.roles.contains(&role));
    level(caller, is_mine, activity.mentions.contains(&me), &activity.associations)
}

/// On something that took place.
#[must_use]
pub fn level_on_logged(caller: &Caller, logged: &LoggedActivity) -> Level {
    let me = caller.member.id;
    let is_mine = logged.created_by == me;
    level(caller, is_mine, logged.mentions.contains(&me), &logged.associations)
}

fn level(caller: &Caller, is_mine: bool, is_named: bool, about: &[Association]) -> Level {
    if is_mine || caller.rights.is_admin() {
        return Level::Remove;
    }
    let own = if is_named { Level::View } else { Level::None };
    about.iter().map(|about| level_on_record(caller, *about)).fold(own, Level::max)
}

/// Whether the caller may read a record that an activity is about.
#[must_use]
pub fn may_see(caller: &Caller, about: Association) -> bool {
    level_on_record(caller, about) >= Level::View
}

fn level_on_record(caller: &Caller, about: Association) -> Level {
    let Some(table) = caller.business.table(about.object) else { return Level::None };
    let shown = table.shown();
    let record = shown.record(about.record);
    record.map_or(Level::None, |record| caller.access(&table).level_on(&shown.schema(), &record))
}

/// Whether the caller may read the record of this id, of whichever object it is.
#[must_use]
pub fn may_see_record(caller: &Caller, id: RecordId) -> bool {
    caller.tables().into_iter().any(|(table, access)| {
        let shown = table.shown();
        shown.record(id).is_some_and(|record| access.may_read(&shown.schema(), &record))
    })
}
