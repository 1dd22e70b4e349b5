//! One business's members, roles, permission groups, API keys, and directory of objects.

pub mod api_key;
pub mod command;
pub mod grant;
pub mod member;
pub mod permission;
pub mod role;

use crate::model::access::Rights;
use crate::model::catalog::api_key::{ApiKey, ApiKeys};
use crate::model::catalog::command::{Command, Rejection, Reply};
use crate::model::catalog::member::{Member, Members};
use crate::model::catalog::permission::PermissionGroup;
use crate::model::catalog::role::Role;
use crate::model::id::{
    ApiKeyId, BusinessId, HistoryId, MemberId, ObjectId, PermissionGroupId, RoleId, Sequence,
    Timestamp, WriterId,
};
use crate::model::moment::{Mark, Moment};
use crate::model::retry::hash::RetryKey;
use crate::model::retry::outcomes::Outcomes;
use crate::model::retry::{Answered, OutcomeChange, Retry, StoredOutcome};
use crate::model::schema::Schema;
use crate::model::state::{Newborn, State};
use crate::model::stored;
use crate::model::table::event::{self as table_event, Stamp};
use crate::model::table::event_form::{self, Misfit};
use arc_swap::ArcSwap;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

/// An object's entry in the directory. The rest of it is its table's schema.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObjectEntry {
    pub id: ObjectId,
    pub name: String,
    /// Its table stays, and so does its entry, under a name that gives the old one free.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_archived: bool,
}

/// What readers may see of a catalog: immutable, replaced by every change.
#[derive(Clone, Debug)]
pub struct CatalogView {
    pub business: BusinessId,
    pub members: Arc<Members>,
    pub api_keys: Arc<ApiKeys>,
    /// In the order they were made.
    pub roles: Arc<Vec<Role>>,
    /// In the order they were made.
    pub groups: Arc<Vec<Arc<PermissionGroup>>>,
    rights: Arc<HashMap<MemberId, Arc<Rights>>>,
    /// In the order they were made.
    pub objects: Arc<Vec<ObjectEntry>>,
    object_by_name: Arc<HashMap<String, ObjectId>>,
}

impl CatalogView {
    fn new(business: BusinessId) -> Self {
        Self {
            business,
            members: Arc::default(),
            api_keys: Arc::default(),
            roles: Arc::default(),
            groups: Arc::default(),
            rights: Arc::default(),
            objects: Arc::default(),
            object_by_name: Arc::default(),
        }
    }

    /// The object of this API name, exactly.
    #[must_use]
    pub fn object_of_name(&self, name: &str) -> Option<ObjectId> {
        self.object_by_name.get(name).copied()
    }

    #[must_use]
    pub fn object(&self, id: ObjectId) -> Option<&ObjectEntry> {
        self.objects.iter().find(|entry| entry.id == id)
    }

    #[must_use]
    pub fn role(&self, id: RoleId) -> Option<&Role> {
        self.roles.iter().find(|role| role.id == id)
    }

    #[must_use]
    pub fn group(&self, id: PermissionGroupId) -> Option<&Arc<PermissionGroup>> {
        self.groups.iter().find(|group| group.id == id)
    }

    /// What a member may do, active or not; none if there is no such member.
    #[must_use]
    pub fn rights_of(&self, member: MemberId) -> Option<&Arc<Rights>> {
        self.rights.get(&member)
    }

    /// Whether a member may do everything.
    #[must_use]
    pub fn is_admin(&self, member: MemberId) -> bool {
        self.rights_of(member).is_some_and(|rights| rights.is_admin())
    }

    /// Whether somebody can come in and do everything.
    #[must_use]
    pub fn has_administrator(&self) -> bool {
        self.members.iter().any(|member| member.is_active && self.is_admin(member.id))
    }

    /// What follows from a member's roles and groups.
    fn rights_for(&self, member: &Member) -> Arc<Rights> {
        let roles: Vec<&Role> = member.roles.iter().filter_map(|id| self.role(*id)).collect();
        let ids = roles.iter().flat_map(|role| &role.permission_groups);
        let mut groups: Vec<Arc<PermissionGroup>> = Vec::new();
        for group in ids.chain(&member.permission_groups).filter_map(|id| self.group(*id)) {
            if !groups.iter().any(|held| held.id == group.id) {
                groups.push(group.clone());
            }
        }
        let is_admin = roles.iter().any(|role| role.is_admin);
        Arc::new(Rights::of(member.id, is_admin, groups))
    }

    fn renew_rights_of(&mut self, id: MemberId) {
        let member = self.members.get(&id).expect("a member that has changed is there");
        let rights = self.rights_for(member);
        Arc::make_mut(&mut self.rights).insert(id, rights);
    }

    fn renew_all_rights(&mut self) {
        let rights = self.members.iter().map(|member| (member.id, self.rights_for(member)));
        self.rights = Arc::new(rights.collect());
    }

    fn apply(&mut self, change: &Change) {
        match change {
            Change::Outcome(_) => unreachable!("readers of a catalog are shown no outcomes"),
            Change::RoleCreated(role) => Arc::make_mut(&mut self.roles).push(role.clone()),
            Change::RoleUpdated(role) => {
                let roles = Arc::make_mut(&mut self.roles);
                let held = roles.iter_mut().find(|held| held.id == role.id);
                *held.expect("a role that changes is there") = role.clone();
                self.renew_all_rights();
            }
            Change::RoleDeleted(id) => {
                Arc::make_mut(&mut self.roles).retain(|role| role.id != *id);
                self.edit_members(
                    |member| member.roles.contains(id),
                    |member| {
                        member.roles.retain(|held| held != id);
                    },
                );
                self.renew_all_rights();
            }
            Change::PermissionGroupCreated(group) => {
                Arc::make_mut(&mut self.groups).push(Arc::new(group.clone()));
            }
            Change::PermissionGroupUpdated(group) => {
                let groups = Arc::make_mut(&mut self.groups);
                let held = groups.iter_mut().find(|held| held.id == group.id);
                *held.expect("a group that changes is there") = Arc::new(group.clone());
                self.renew_all_rights();
            }
            Change::PermissionGroupDeleted(id) => self.delete_group(*id),
            Change::MemberCreated(member) => {
                Arc::make_mut(&mut self.members).add(Arc::new(member.clone()));
                self.renew_rights_of(member.id);
            }
            Change::MemberUpdated(member) => {
                Arc::make_mut(&mut self.members).replace(member.clone());
                self.renew_rights_of(member.id);
            }
            Change::MemberDeleted(id) => {
                Arc::make_mut(&mut self.members).delete(*id);
                Arc::make_mut(&mut self.api_keys).remove_of(*id);
                Arc::make_mut(&mut self.rights).remove(id);
            }
            Change::ApiKeyCreated(key) => {
                Arc::make_mut(&mut self.api_keys).put(Arc::new(key.clone()));
            }
            Change::ApiKeyRevoked(id) => Arc::make_mut(&mut self.api_keys).remove(*id),
            Change::ApiKeyUsed { id, hour } => {
                let held = self.api_keys.get(*id).expect("a key that is used is there");
                let used = ApiKey { last_used: Some(*hour), ..ApiKey::clone(held) };
                Arc::make_mut(&mut self.api_keys).put(Arc::new(used));
            }
            Change::ObjectArchived { id, name } => {
                let objects = Arc::make_mut(&mut self.objects);
                let held = objects.iter_mut().find(|entry| entry.id == *id);
                let held = held.expect("an object that is archived is there");
                let by_name = Arc::make_mut(&mut self.object_by_name);
                by_name.remove(&std::mem::replace(&mut held.name, name.clone()));
                by_name.insert(name.clone(), *id);
                held.is_archived = true;
            }
            Change::ObjectCreated { entry, .. } => {
                let by_name = Arc::make_mut(&mut self.object_by_name);
                by_name.insert(entry.name.clone(), entry.id);
                Arc::make_mut(&mut self.objects).push(entry.clone());
            }
        }
    }

    /// The roles and members that have a group lose it.
    fn delete_group(&mut self, id: PermissionGroupId) {
        Arc::make_mut(&mut self.groups).retain(|group| group.id != id);
        for role in Arc::make_mut(&mut self.roles) {
            role.permission_groups.retain(|held| *held != id);
        }
        self.edit_members(
            |member| member.permission_groups.contains(&id),
            |member| {
                member.permission_groups.retain(|held| *held != id);
            },
        );
        self.renew_all_rights();
    }

    fn edit_members(&mut self, takes: impl Fn(&Member) -> bool, edit: impl Fn(&mut Member)) {
        let held = self.members.iter().filter(|member| takes(member));
        let mut changed: Vec<Member> = held.map(|member| Member::clone(member)).collect();
        if changed.is_empty() {
            return;
        }
        changed.iter_mut().for_each(edit);
        let members = Arc::make_mut(&mut self.members);
        for member in changed {
            members.replace(member);
        }
    }
}

/// One change of the catalog.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Event {
    pub stamp: Stamp,
    pub change: Change,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Change {
    RoleCreated(Role),
    /// The whole new role.
    RoleUpdated(Role),
    /// Its members lose it.
    RoleDeleted(RoleId),
    PermissionGroupCreated(PermissionGroup),
    /// The whole new group.
    PermissionGroupUpdated(PermissionGroup),
    /// Roles and members that have it lose it.
    PermissionGroupDeleted(PermissionGroupId),
    MemberCreated(Member),
    /// The whole new member.
    MemberUpdated(Member),
    /// Its keys go with it.
    MemberDeleted(MemberId),
    ApiKeyCreated(ApiKey),
    ApiKeyRevoked(ApiKeyId),
    /// A key has let somebody in, for the first time in this hour.
    ApiKeyUsed {
        id: ApiKeyId,
        hour: Timestamp,
    },
    /// The object is in the directory under this name from now on.
    ObjectArchived {
        id: ObjectId,
        name: String,
    },
    ObjectCreated {
        entry: ObjectEntry,
        /// The table's own first event, stored as a part of its own in the same commit.
        #[serde(skip)]
        birth: Option<Birth>,
    },
    /// What is kept of commands that may be sent again.
    Outcome(OutcomeChange),
}

/// What a new table begins with.
#[derive(Clone, Debug, PartialEq)]
pub struct Birth {
    pub history: HistoryId,
    pub schema: Arc<Schema>,
}

/// The state that one writer owns.
pub struct Catalog {
    shown: Arc<ArcSwap<CatalogView>>,
    outcomes: Arc<Outcomes>,
}

/// A catalog as a snapshot holds it.
#[derive(Serialize, Deserialize)]
struct Image {
    members: Vec<Arc<Member>>,
    api_keys: Vec<Arc<ApiKey>>,
    roles: Arc<Vec<Role>>,
    objects: Arc<Vec<ObjectEntry>>,
    #[serde(default)]
    gone_members: BTreeSet<MemberId>,
    #[serde(default)]
    groups: Arc<Vec<Arc<PermissionGroup>>>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    outcomes: Vec<Arc<StoredOutcome>>,
}

impl Catalog {
    /// A catalog of which nothing has happened yet.
    #[must_use]
    pub fn unborn(business: BusinessId) -> Self {
        Self::of_view(CatalogView::new(business))
    }

    fn of_view(view: CatalogView) -> Self {
        Self { shown: Arc::new(ArcSwap::from_pointee(view)), outcomes: Arc::default() }
    }

    /// What readers may see of it.
    #[must_use]
    pub fn shown(&self) -> Arc<ArcSwap<CatalogView>> {
        self.shown.clone()
    }

    /// Applies stored events, one after the other.
    pub fn replay(&mut self, bytes: &[u8]) -> Result<u32, Misfit> {
        stored::replay(self, bytes, "an event of a catalog")
    }

    /// The whole state, for a snapshot.
    pub fn encode_image(&self, out: &mut Vec<u8>) {
        let view = self.shown.load();
        let mut api_keys: Vec<Arc<ApiKey>> = view.api_keys.iter().cloned().collect();
        api_keys.sort_by_key(|key| key.id);
        let image = Image {
            members: view.members.iter().cloned().collect(),
            api_keys,
            roles: view.roles.clone(),
            objects: view.objects.clone(),
            gone_members: view.members.gone().clone(),
            groups: view.groups.clone(),
            outcomes: self.outcomes.image().iter().cloned().collect(),
        };
        stored::encode(&image, out);
    }

    /// The state of a snapshot.
    pub fn from_image(business: BusinessId, mut bytes: &[u8]) -> Result<Self, Misfit> {
        let image: Image = stored::decode(&mut bytes, "a catalog")?;
        let mut view = CatalogView::new(business);
        let members = Arc::make_mut(&mut view.members);
        image.members.into_iter().for_each(|member| members.add(member));
        members.set_gone(image.gone_members);
        let api_keys = Arc::make_mut(&mut view.api_keys);
        image.api_keys.into_iter().for_each(|key| api_keys.put(key));
        view.roles = image.roles;
        view.groups = image.groups;
        view.renew_all_rights();
        let by_name = image.objects.iter().map(|entry| (entry.name.clone(), entry.id));
        view.object_by_name = Arc::new(by_name.collect());
        view.objects = image.objects;
        let catalog = Self::of_view(view);
        catalog.outcomes.load(image.outcomes);
        Ok(catalog)
    }
}

impl State for Catalog {
    type Command = Command;
    type Event = Event;
    type Reply = Reply;
    type Rejection = Rejection;
    type Draft = ();

    fn writer(&self) -> WriterId {
        WriterId::Catalog(self.shown.load().business)
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
        command::decide(&self.shown.load(), command, moment, events)
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

    fn newborns(event: &Event) -> Vec<Newborn> {
        let Some(birth) = event.birth() else { return Vec::new() };
        let Change::ObjectCreated { entry, .. } = &event.change else {
            unreachable!("only a new object brings a table")
        };
        let mut bytes = Vec::new();
        event_form::encode(&birth, &mut bytes);
        let writer = WriterId::Table(entry.id);
        vec![Newborn { writer, first_sequence: Sequence(1), event_count: 1, bytes }]
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
            Reply::Member(member) => Answered::Member(member.id),
            Reply::ApiKey(key) => Answered::ApiKey(key.id),
            Reply::Object(schema) => Answered::Object(schema.object().id),
            Reply::Role(role) => Answered::Role(role.id),
            Reply::Group(group) => Answered::PermissionGroup(group.id),
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
        if let Change::Outcome(change) = &event.change {
            self.outcomes.apply(change);
            return;
        }
        let mut view = CatalogView::clone(&self.shown.load());
        view.apply(&event.change);
        self.shown.store(Arc::new(view));
    }
}

impl Event {
    /// Whether a member is gone by it, whom objects may name.
    #[must_use]
    pub fn removes_member(&self) -> bool {
        matches!(self.change, Change::MemberDeleted(_))
    }

    /// The first event of the table that is born with this one.
    #[must_use]
    pub fn birth(&self) -> Option<table_event::Event> {
        let Change::ObjectCreated { birth: Some(birth), .. } = &self.change else { return None };
        Some(table_event::Event::ObjectCreated {
            stamp: self.stamp.clone(),
            sequence: Sequence(1),
            history: birth.history,
            schema: birth.schema.clone(),
        })
    }
}

#[cfg(test)]
mod tests;
