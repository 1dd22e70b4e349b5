//! The activities of one business: their types, and what is scheduled for whom about which records.
//! And its bulk actions, which are of no one record either.

pub mod bulk;
pub mod command;
pub mod types;

use crate::model::agenda::bulk::{BulkAction, BulkNote, BulkOrder};
use crate::model::agenda::command::{Command, Rejection, Reply};
use crate::model::id::{
    ActivityId, ActivityTypeId, BatchId, BusinessId, LoggedActivityId, MemberId, ObjectId,
    RecordId, RoleId, Sequence, Timestamp, WriterId,
};
use crate::model::moment::{Mark, Moment};
use crate::model::retry::hash::RetryKey;
use crate::model::retry::outcomes::Outcomes;
use crate::model::retry::{Answered, OutcomeChange, Retry, StoredOutcome};
use crate::model::state::State;
use crate::model::stored;
use crate::model::table::event::{FollowUpNumber, Stamp};
use crate::model::table::event_form::Misfit;
use crate::model::table::index::Shared;
use arc_swap::ArcSwap;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Which objects an activity of a type is associated with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AssociationMode {
    #[default]
    AllObjectsAssociated,
    SelectedObjectsAssociated,
    NoObjectsAssociated,
}

impl AssociationMode {
    /// What the API calls it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::AllObjectsAssociated => "all_objects_associated",
            Self::SelectedObjectsAssociated => "selected_objects_associated",
            Self::NoObjectsAssociated => "no_objects_associated",
        }
    }
}

/// A kind of activity.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActivityType {
    pub id: ActivityTypeId,
    pub name: String,
    pub api_name: String,
    pub description: String,
    pub association_mode: AssociationMode,
    /// The objects that are selected; none where the mode selects none.
    #[serde(default)]
    pub associated_objects: Vec<ObjectId>,
    /// What there is of the type stays and still shows it, but there is no more of it.
    #[serde(default)]
    pub is_deleted: bool,
    pub created: Timestamp,
}

impl ActivityType {
    /// Whether an activity of this type may be about records of an object.
    #[must_use]
    pub fn takes(&self, object: ObjectId) -> bool {
        match self.association_mode {
            AssociationMode::AllObjectsAssociated => true,
            AssociationMode::SelectedObjectsAssociated => self.associated_objects.contains(&object),
            AssociationMode::NoObjectsAssociated => false,
        }
    }
}

/// A record that an activity is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Association {
    pub object: ObjectId,
    pub record: RecordId,
}

/// Something that is to be done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Activity {
    pub id: ActivityId,
    pub activity_type: ActivityTypeId,
    pub note: String,
    pub due: Timestamp,
    /// The due time it was scheduled with.
    pub original_due: Timestamp,
    pub completed_at: Option<Timestamp>,
    /// The entry that completed it, if one did.
    #[serde(default)]
    pub logged: Option<LoggedActivityId>,
    pub employee: Option<MemberId>,
    pub role: Option<RoleId>,
    pub mentions: Vec<MemberId>,
    /// The text of a JSON list, kept and given back; nothing is sent.
    pub notifications: String,
    /// No record twice.
    pub associations: Vec<Association>,
    pub created: Timestamp,
    pub created_by: MemberId,
}

impl Activity {
    /// Whether the records it is about have it before them; an overdue one too.
    #[must_use]
    pub fn is_upcoming(&self) -> bool {
        self.completed_at.is_none()
    }
}

/// Something that took place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoggedActivity {
    pub id: LoggedActivityId,
    pub activity_type: ActivityTypeId,
    pub notes: String,
    /// The scheduled activity that it completed.
    pub scheduled: Option<ActivityId>,
    pub mentions: Vec<MemberId>,
    /// At most one record of each object.
    pub associations: Vec<Association>,
    pub created: Timestamp,
    pub created_by: MemberId,
}

/// What readers may see of an agenda.
#[derive(Default)]
pub struct Shown {
    types: ArcSwap<Vec<Arc<ActivityType>>>,
    activities: Shared<ActivityId, Arc<Activity>>,
    logged: Shared<LoggedActivityId, Arc<LoggedActivity>>,
    /// Activities about a record in the order of their ids, completed ones too.
    by_record: Shared<RecordId, Arc<Vec<ActivityId>>>,
    upcoming: Shared<RecordId, u32>,
    bulk_actions: Shared<BatchId, Arc<BulkAction>>,
}

impl Shown {
    /// All types, oldest first, deleted ones too.
    #[must_use]
    pub fn types(&self) -> Arc<Vec<Arc<ActivityType>>> {
        self.types.load_full()
    }

    /// The types that there may be more activities of, oldest first.
    #[must_use]
    pub fn offered_types(&self) -> Vec<Arc<ActivityType>> {
        self.types.load().iter().filter(|known| !known.is_deleted).cloned().collect()
    }

    #[must_use]
    pub fn logged(&self, id: LoggedActivityId) -> Option<Arc<LoggedActivity>> {
        self.logged.get(&id)
    }

    /// What took place of a type, newest first.
    #[must_use]
    pub fn logged_of_type(&self, id: ActivityTypeId) -> Vec<Arc<LoggedActivity>> {
        let mut found = self.logged.values();
        found.retain(|logged| logged.activity_type == id);
        found.sort_by_key(|logged| std::cmp::Reverse((logged.created, logged.id)));
        found
    }

    #[must_use]
    pub fn activity(&self, id: ActivityId) -> Option<Arc<Activity>> {
        self.activities.get(&id)
    }

    /// All activities, in no order.
    #[must_use]
    pub fn activities(&self) -> Vec<Arc<Activity>> {
        self.activities.values()
    }

    /// The type of this id, deleted or not; it is never removed.
    #[must_use]
    pub fn activity_type(&self, id: ActivityTypeId) -> Option<Arc<ActivityType>> {
        self.types.load().iter().find(|known| known.id == id).cloned()
    }

    /// The type of this id that there may be more activities of.
    #[must_use]
    pub fn offered_type(&self, id: ActivityTypeId) -> Option<Arc<ActivityType>> {
        self.activity_type(id).filter(|known| !known.is_deleted)
    }

    /// The same by its API name, exactly.
    #[must_use]
    pub fn offered_type_of_name(&self, name: &str) -> Option<Arc<ActivityType>> {
        let types = self.types.load();
        types.iter().find(|known| known.api_name == name && !known.is_deleted).cloned()
    }

    /// Activities about a record that are neither completed nor deleted.
    #[must_use]
    pub fn upcoming(&self, record: RecordId) -> u32 {
        self.upcoming.get(&record).unwrap_or(0)
    }

    /// Activities about a record, completed ones too.
    #[must_use]
    pub fn of_record(&self, record: RecordId) -> Arc<Vec<ActivityId>> {
        self.by_record.get(&record).unwrap_or_default()
    }

    #[must_use]
    pub fn bulk_action(&self, id: BatchId) -> Option<Arc<BulkAction>> {
        self.bulk_actions.get(&id)
    }

    /// All bulk actions, in no order; some may have had their time.
    #[must_use]
    pub fn bulk_actions(&self) -> Vec<Arc<BulkAction>> {
        self.bulk_actions.values()
    }

    fn put_type(&self, activity_type: &ActivityType) {
        let mut types = self.types().to_vec();
        let new = Arc::new(activity_type.clone());
        match types.iter_mut().find(|known| known.id == new.id) {
            Some(known) => *known = new,
            None => types.push(new),
        }
        self.types.store(Arc::new(types));
    }

    fn put_logged(&self, logged: Arc<LoggedActivity>) {
        self.logged.put(logged.id, logged);
    }

    fn put(&self, activity: &Arc<Activity>) {
        let old = self.activities.put(activity.id, activity.clone());
        self.change_counts(old.as_deref(), Some(activity));
    }

    fn remove(&self, id: ActivityId) {
        let old = self.activities.remove(&id).expect("what is deleted is there");
        self.change_counts(Some(&old), None);
    }

    /// Brings what is kept by record up to date, for every record that the old or the new activity
    /// is about. A count that stays is not touched: no reader may see it move.
    fn change_counts(&self, old: Option<&Activity>, new: Option<&Activity>) {
        let Some(id) = old.or(new).map(|activity| activity.id) else { return };
        let records = |activity: Option<&Activity>| {
            let associations = activity.map_or(&[][..], |activity| &activity.associations);
            associations.iter().map(|association| association.record).collect::<BTreeSet<_>>()
        };
        let (before, after) = (records(old), records(new));
        let was_upcoming = old.is_some_and(Activity::is_upcoming);
        let is_upcoming = new.is_some_and(Activity::is_upcoming);
        for record in before.union(&after) {
            let (was_about, is_about) = (before.contains(record), after.contains(record));
            if was_about != is_about {
                self.change_list(*record, id, is_about);
            }
            match (was_about && was_upcoming, is_about && is_upcoming) {
                (true, false) => self.put_count(*record, self.upcoming(*record) - 1),
                (false, true) => self.put_count(*record, self.upcoming(*record) + 1),
                (true, true) | (false, false) => {}
            }
        }
    }

    /// Puts an activity into a record's list, or takes it out.
    fn change_list(&self, record: RecordId, id: ActivityId, is_about: bool) {
        let mut list = self.of_record(record).to_vec();
        match list.binary_search(&id) {
            Err(at) if is_about => list.insert(at, id),
            Ok(at) if !is_about => drop(list.remove(at)),
            Ok(_) | Err(_) => {}
        }
        self.put_list(record, list);
    }

    fn put_list(&self, record: RecordId, list: Vec<ActivityId>) {
        if list.is_empty() {
            self.by_record.remove(&record);
        } else {
            self.by_record.put(record, Arc::new(list));
        }
    }

    fn put_count(&self, record: RecordId, count: u32) {
        if count == 0 {
            self.upcoming.remove(&record);
        } else {
            self.upcoming.put(record, count);
        }
    }
}

/// One change of the agenda.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Event {
    pub stamp: Stamp,
    pub change: Change,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Change {
    TypeCreated(ActivityType),
    /// The whole type as it is now; a deleted one too.
    TypeChanged(ActivityType),
    /// Scheduled, or changed: the whole new activity.
    ActivityPut(Activity),
    ActivityDeleted(ActivityId),
    /// Something took place; and the scheduled activity that it completed, as it is now.
    ActivityLogged {
        logged: LoggedActivity,
        completed: Option<Activity>,
    },
    /// A table has purged a record: a follow-up, numbered by its sender.
    RecordForgotten {
        object: ObjectId,
        record: RecordId,
        number: FollowUpNumber,
    },
    BulkBegun(BulkAction),
    BulkNoted(BulkNote),
    /// What is kept of commands that may be sent again.
    Outcome(OutcomeChange),
}

/// The state that one writer owns.
pub struct Agenda {
    business: BusinessId,
    shown: Arc<Shown>,
    bulk: BulkOrder,
    /// The last follow-up that each table's writer sent and this one has.
    received: BTreeMap<ObjectId, FollowUpNumber>,
    outcomes: Arc<Outcomes>,
}

#[derive(Serialize, Deserialize)]
struct Stored {
    types: Vec<Arc<ActivityType>>,
    activities: Vec<Arc<Activity>>,
    received: BTreeMap<ObjectId, FollowUpNumber>,
    #[serde(default)]
    logged: Vec<Arc<LoggedActivity>>,
    #[serde(default)]
    bulk_actions: Vec<Arc<BulkAction>>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    outcomes: Vec<Arc<StoredOutcome>>,
}

impl Agenda {
    /// An agenda of which nothing has happened yet.
    #[must_use]
    pub fn unborn(business: BusinessId) -> Self {
        let (shown, bulk) = Default::default();
        Self { business, shown, bulk, received: BTreeMap::new(), outcomes: Arc::default() }
    }

    /// What readers may see of it.
    #[must_use]
    pub fn shown(&self) -> Arc<Shown> {
        self.shown.clone()
    }

    fn has_received(&self, object: ObjectId, number: FollowUpNumber) -> bool {
        self.received.get(&object).is_some_and(|last| *last >= number)
    }

    /// Applies stored events, one after the other.
    pub fn replay(&mut self, bytes: &[u8]) -> Result<u32, Misfit> {
        stored::replay(self, bytes, "an event of an agenda")
    }

    /// The whole state, for a snapshot.
    pub fn encode_image(&self, out: &mut Vec<u8>) {
        let mut activities = self.shown.activities.values();
        activities.sort_by_key(|activity| activity.id);
        let mut logged = self.shown.logged.values();
        logged.sort_by_key(|logged| logged.id);
        let types = self.shown.types().to_vec();
        let received = self.received.clone();
        let bulk_actions = self.bulk.actions(&self.shown);
        let outcomes = self.outcomes.image().iter().cloned().collect();
        let stored = Stored { types, activities, received, logged, bulk_actions, outcomes };
        stored::encode(&stored, out);
    }

    /// The state of a snapshot.
    pub fn from_image(business: BusinessId, mut bytes: &[u8]) -> Result<Self, Misfit> {
        let stored: Stored = stored::decode(&mut bytes, "an agenda")?;
        let mut agenda = Self { received: stored.received, ..Self::unborn(business) };
        agenda.shown.types.store(Arc::new(stored.types));
        stored.activities.into_iter().for_each(|activity| agenda.shown.put(&activity));
        stored.logged.into_iter().for_each(|logged| agenda.shown.put_logged(logged));
        for action in stored.bulk_actions {
            agenda.bulk.put(&agenda.shown, action);
        }
        agenda.outcomes.load(stored.outcomes);
        Ok(agenda)
    }

    /// Takes a purged record out of every activity. Purges are rare, so what took place has no
    /// list by record.
    fn forget(&self, association: Association) {
        for id in self.shown.of_record(association.record).iter() {
            let activity =
                self.shown.activity(*id).expect("a record's list names activities that are there");
            let mut activity = Activity::clone(&activity);
            activity.associations.retain(|held| *held != association);
            self.shown.put(&Arc::new(activity));
        }
        for logged in self.shown.logged.values() {
            if logged.associations.contains(&association) {
                let mut logged = LoggedActivity::clone(&logged);
                logged.associations.retain(|held| *held != association);
                self.shown.put_logged(Arc::new(logged));
            }
        }
    }
}

impl State for Agenda {
    type Command = Command;
    type Event = Event;
    type Reply = Reply;
    type Rejection = Rejection;
    type Draft = ();

    fn writer(&self) -> WriterId {
        WriterId::Agenda(self.business)
    }

    fn on_plain_state(_: &Command) -> bool {
        true
    }

    fn decide(
        &self,
        (): &(),
        command: Command,
        moment: &mut Moment,
        events: &mut Vec<Event>,
    ) -> Result<Reply, Rejection> {
        command::decide(self, command, moment, events)
    }

    fn lay((): &mut (), _: &Event) {}

    fn lift((): &mut (), _: &Event) {}

    fn encode(event: &Event, out: &mut Vec<u8>) {
        stored::encode(event, out);
    }

    fn sequence(_: &Event) -> Option<Sequence> {
        None
    }

    fn time(event: &Event) -> Timestamp {
        event.stamp.at
    }

    fn outcomes(&self) -> &Arc<Outcomes> {
        &self.outcomes
    }

    fn retry(command: &Command, at: Timestamp) -> Option<(Arc<Retry>, Stamp)> {
        command.caller.stamped_retry(at)
    }

    fn outcome(&self, (): &(), key: &RetryKey) -> Option<Arc<StoredOutcome>> {
        self.outcomes.find(key)
    }

    fn answered(reply: &Reply) -> Option<Answered> {
        Some(match reply {
            Reply::Type(found) => Answered::ActivityType(found.id),
            Reply::Activity(activity) => Answered::Activity(activity.id),
            Reply::Logged(logged) => Answered::LoggedActivity(logged.id),
            Reply::Done => Answered::Nothing,
        })
    }

    fn done() -> Reply {
        Reply::Done
    }

    fn outcome_event(change: OutcomeChange, stamp: Stamp, _: Mark) -> Event {
        Event { stamp, change: Change::Outcome(change) }
    }

    fn apply(&mut self, event: &Event) {
        match &event.change {
            Change::TypeCreated(activity_type) | Change::TypeChanged(activity_type) => {
                self.shown.put_type(activity_type);
            }
            Change::ActivityPut(activity) => self.shown.put(&Arc::new(activity.clone())),
            Change::ActivityDeleted(id) => self.shown.remove(*id),
            Change::ActivityLogged { logged, completed } => {
                // The entry first: what is completed names it.
                self.shown.put_logged(Arc::new(logged.clone()));
                if let Some(completed) = completed {
                    self.shown.put(&Arc::new(completed.clone()));
                }
            }
            Change::RecordForgotten { object, record, number } => {
                self.forget(Association { object: *object, record: *record });
                self.received.insert(*object, *number);
            }
            Change::BulkBegun(action) => self.bulk.put(&self.shown, Arc::new(action.clone())),
            Change::BulkNoted(note) => self.bulk.note(&self.shown, note, event.stamp.at),
            Change::Outcome(change) => self.outcomes.apply(change),
        }
    }
}

#[cfg(test)]
mod tests;
