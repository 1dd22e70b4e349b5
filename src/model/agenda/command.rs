//! What may be asked of an agenda, and what follows.
//!
//! Records, members and roles that a command names were resolved by whoever parsed it.

use crate::model::agenda::bulk::{self, BulkNote, NewBulk};
use crate::model::agenda::{
    Activity, ActivityType, Agenda, Association, AssociationMode, Change, Event, LoggedActivity,
    types,
};
use crate::model::id::{
    ActivityId, ActivityTypeId, LoggedActivityId, MemberId, ObjectId, RecordId, RoleId, Timestamp,
};
use crate::model::moment::Moment;
use crate::model::schema::name::NameFault;
use crate::model::table::command::Caller;
use crate::model::table::event::FollowUpNumber;
use std::sync::Arc;

/// One command and who asks for it.
#[derive(Debug)]
pub struct Command {
    pub caller: Caller,
    pub ask: Ask,
}

#[derive(Debug)]
pub enum Ask {
    CreateType(Box<NewType>),
    UpdateType(Box<TypeEdit>),
    DeleteType(ActivityTypeId),
    Log(Box<Log>),
    Schedule(Box<Schedule>),
    Update(Box<Update>),
    Delete(ActivityId),
    /// A table has purged a record.
    Forget {
        object: ObjectId,
        record: RecordId,
        number: FollowUpNumber,
    },
    /// The id of the action is that of the caller's request.
    BeginBulk(NewBulk),
    NoteBulk(BulkNote),
}

/// A type to be, its texts checked by whoever parsed them.
#[derive(Clone, Debug)]
pub struct NewType {
    pub name: String,
    /// Derived from the name where none is given.
    pub api_name: Option<String>,
    pub description: String,
    pub association_mode: AssociationMode,
    pub associated_objects: Vec<ObjectId>,
}

/// What becomes of a type; what is none stays.
#[derive(Clone, Debug)]
pub struct TypeEdit {
    pub id: ActivityTypeId,
    pub name: Option<String>,
    pub description: Option<String>,
    pub association_mode: Option<AssociationMode>,
    pub associated_objects: Option<Vec<ObjectId>>,
}

/// Something that took place.
#[derive(Clone, Debug)]
pub struct Log {
    pub activity_type: ActivityTypeId,
    pub notes: String,
    /// The activity that this completes.
    pub scheduled: Option<ActivityId>,
    pub mentions: Vec<MemberId>,
    pub associations: Vec<Association>,
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
    Type(Arc<ActivityType>),
    Activity(Arc<Activity>),
    Logged(Arc<LoggedActivity>),
    Done,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rejection {
    NotFound,
    TypeName(NameFault),
    TooManyTypes,
    /// Objects are selected where the mode selects none, or none where it does.
    Selection,
    /// The type takes no records of this entry's object.
    WrongObject {
        index: usize,
    },
    /// An entry before this one is of the same object.
    SecondOfObject {
        index: usize,
    },
    /// The activity to be completed is not there.
    UnknownScheduled,
    /// The activity to be completed is of another type.
    ScheduledOfOtherType,
}

/// Decides one command.
pub(super) fn decide(
    agenda: &Agenda,
    command: Command,
    moment: &mut Moment,
    events: &mut Vec<Event>,
) -> Result<Reply, Rejection> {
    let Command { caller, ask } = command;
    let stamp = caller.stamp(moment.at());
    let (change, reply) = match ask {
        Ask::CreateType(new) => types::create(&agenda.shown, *new, moment)?,
        Ask::UpdateType(edit) => {
            let old = agenda.shown.offered_type(edit.id).ok_or(Rejection::NotFound)?;
            let new = types::updated(&old, *edit)?;
            if new == *old {
                return Ok(Reply::Type(old));
            }
            (Change::TypeChanged(new.clone()), Reply::Type(Arc::new(new)))
        }
        Ask::DeleteType(id) => {
            let old = agenda.shown.offered_type(id).ok_or(Rejection::NotFound)?;
            let gone = ActivityType { is_deleted: true, ..(*old).clone() };
            (Change::TypeChanged(gone), Reply::Done)
        }
        Ask::Log(log) => logged(agenda, *log, caller.member, moment)?,
        Ask::Schedule(schedule) => {
            let activity_type = agenda.shown.offered_type(schedule.activity_type);
            let activity_type = activity_type.ok_or(Rejection::NotFound)?;
            check_objects(&activity_type, &schedule.associations, &[])?;
            put(scheduled(*schedule, caller.member, moment))
        }
        Ask::Update(update) => {
            let old = agenda.shown.activity(update.id).ok_or(Rejection::NotFound)?;
            if let Some(given) = &update.associations {
                let activity_type = agenda.shown.activity_type(old.activity_type);
                let activity_type = activity_type.expect("an activity is of a type that is there");
                check_objects(&activity_type, given, &old.associations)?;
            }
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
        Ask::BeginBulk(new) => bulk::begin(new, caller.batch, moment.at()),
        Ask::NoteBulk(note) => bulk::note(&agenda.shown, note)?,
    };
    events.push(Event { stamp, change });
    Ok(reply)
}

/// Whether the type takes every record; those in `held` were taken when it still did.
fn check_objects(
    activity_type: &ActivityType,
    given: &[Association],
    held: &[Association],
) -> Result<(), Rejection> {
    let is_wrong =
        |about: &Association| !activity_type.takes(about.object) && !held.contains(about);
    match given.iter().position(is_wrong) {
        Some(index) => Err(Rejection::WrongObject { index }),
        None => Ok(()),
    }
}

/// An entry of what took place, and the scheduled activity that it completes.
fn logged(
    agenda: &Agenda,
    log: Log,
    created_by: MemberId,
    moment: &mut Moment,
) -> Result<(Change, Reply), Rejection> {
    let activity_type = agenda.shown.offered_type(log.activity_type).ok_or(Rejection::NotFound)?;
    check_objects(&activity_type, &log.associations, &[])?;
    let mut seen = Vec::with_capacity(log.associations.len());
    for (index, about) in log.associations.iter().enumerate() {
        if seen.contains(&about.object) {
            return Err(Rejection::SecondOfObject { index });
        }
        seen.push(about.object);
    }
    let id = LoggedActivityId(moment.id());
    let completed = match log.scheduled {
        None => None,
        Some(scheduled) => {
            let old = agenda.shown.activity(scheduled).ok_or(Rejection::UnknownScheduled)?;
            if old.activity_type != activity_type.id {
                return Err(Rejection::ScheduledOfOtherType);
            }
            // One that is completed already keeps its time.
            let completed_at = old.completed_at.or(Some(moment.at()));
            Some(Activity { completed_at, logged: Some(id), ..(*old).clone() })
        }
    };
    let logged = LoggedActivity {
        id,
        activity_type: activity_type.id,
        notes: log.notes,
        scheduled: log.scheduled,
        mentions: log.mentions,
        associations: log.associations,
        created: moment.at(),
        created_by,
    };
    let reply = Reply::Logged(Arc::new(logged.clone()));
    Ok((Change::ActivityLogged { logged, completed }, reply))
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
        logged: None,
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
    // One that is opened again was not completed by an entry any more.
    let logged = if update.completed_at == Some(None) { None } else { old.logged };
    Activity {
        logged,
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
