//! What may be asked of an agenda, and what follows.
//!
//! Records, members and roles that a command names were resolved by whoever parsed it.

use crate::model::agenda::{Activity, Agenda, Association, Change, Event};
use crate::model::id::{
    ActivityId, ActivityTypeId, MemberId, ObjectId, RecordId, RoleId, Timestamp,
};
use crate::model::moment::Moment;
use crate::model::table::command::Caller;
use crate::model::table::event::{FollowUpNumber, Stamp};
use std::sync::Arc;

/// One command and who asks for it.
#[derive(Debug)]
pub struct Command {
    pub caller: Caller,
    pub ask: Ask,
}

#[derive(Debug)]
pub enum Ask {
    Schedule(Box<Schedule>),
    Update(Box<Update>),
    Delete(ActivityId),
    /// A table has purged a record.
    Forget {
        object: ObjectId,
        record: RecordId,
        number: FollowUpNumber,
    },
}

/// A new activity.
#[derive(Clone, Debug)]
pub struct Schedule {
    pub activity_type: ActivityTypeId,
    pub note: String,
    pub due: Timestamp,
    pub employee: Option<MemberId>,
    pub role: Option<RoleId>,
    pub mentions: Vec<MemberId>,
    /// The text of a JSON list.
    pub notifications: String,
    pub associations: Vec<Association>,
}

/// What becomes of an activity; what is none stays.
#[derive(Clone, Debug)]
pub struct Update {
    pub id: ActivityId,
    pub note: Option<String>,
    pub due: Option<Timestamp>,
    /// `Some(None)` reopens it.
    pub completed_at: Option<Option<Timestamp>>,
    pub employee: Option<Option<MemberId>>,
    pub role: Option<Option<RoleId>>,
    pub mentions: Option<Vec<MemberId>>,
    pub notifications: Option<String>,
    pub associations: Option<Vec<Association>>,
}

#[derive(Clone, Debug)]
pub enum Reply {
    Activity(Arc<Activity>),
    Done,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rejection {
    NotFound,
}

/// Decides one command.
pub(super) fn decide(
    agenda: &Agenda,
    command: Command,
    moment: &mut Moment,
    events: &mut Vec<Event>,
) -> Result<Reply, Rejection> {
    let Command { caller, ask } = command;
    let stamp = Stamp {
        at: moment.at(),
        actor: caller.member,
        origin: caller.origin.clone(),
        batch: caller.batch,
    };
    let (change, reply) = match ask {
        Ask::Schedule(schedule) => put(scheduled(*schedule, caller.member, moment)),
        Ask::Update(update) => {
            let old = agenda.shown.activity(update.id).ok_or(Rejection::NotFound)?;
            let new = updated(&old, *update);
            if new == *old {
                return Ok(Reply::Activity(old));
            }
            put(new)
        }
        Ask::Delete(id) => {
            agenda.shown.activity(id).ok_or(Rejection::NotFound)?;
            (Change::ActivityDeleted(id), Reply::Done)
        }
        Ask::Forget { object, number, .. } if agenda.has_received(object, number) => {
            return Ok(Reply::Done);
        }
        Ask::Forget { object, record, number } => {
            (Change::RecordForgotten { object, record, number }, Reply::Done)
        }
    };
    events.push(Event { stamp, change });
    Ok(reply)
}

fn put(activity: Activity) -> (Change, Reply) {
    (Change::ActivityPut(activity.clone()), Reply::Activity(Arc::new(activity)))
}

fn scheduled(schedule: Schedule, created_by: MemberId, moment: &mut Moment) -> Activity {
    Activity {
        id: ActivityId(moment.id()),
        activity_type: schedule.activity_type,
        note: schedule.note,
        due: schedule.due,
        original_due: schedule.due,
        completed_at: None,
        employee: schedule.employee,
        role: schedule.role,
        mentions: schedule.mentions,
        notifications: schedule.notifications,
        associations: distinct(schedule.associations),
        created: moment.at(),
        created_by,
    }
}

fn updated(old: &Activity, update: Update) -> Activity {
    let old = old.clone();
    Activity {
        note: update.note.unwrap_or(old.note),
        due: update.due.unwrap_or(old.due),
        completed_at: update.completed_at.unwrap_or(old.completed_at),
        employee: update.employee.unwrap_or(old.employee),
        role: update.role.unwrap_or(old.role),
        mentions: update.mentions.unwrap_or(old.mentions),
        notifications: update.notifications.unwrap_or(old.notifications),
        associations: update.associations.map_or(old.associations, distinct),
        ..old
    }
}

fn distinct(associations: Vec<Association>) -> Vec<Association> {
    let mut seen = Vec::with_capacity(associations.len());
    for association in associations {
        if !seen.contains(&association) {
            seen.push(association);
        }
    }
    seen
}
