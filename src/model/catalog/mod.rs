//! One business's members, roles, API keys, and directory of objects.

pub mod api_key;
pub mod command;
pub mod member;

use crate::model::catalog::api_key::{ApiKey, ApiKeys};
use crate::model::catalog::command::{Command, Rejection, Reply};
use crate::model::catalog::member::{Member, Members};
use crate::model::id::{
    ApiKeyId, BusinessId, HistoryId, MemberId, ObjectId, RoleId, Sequence, Timestamp, WriterId,
};
use crate::model::moment::Moment;
use crate::model::schema::Schema;
use crate::model::state::{Newborn, State};
use crate::model::stored;
use crate::model::table::event::{self as table_event, Stamp};
use crate::model::table::event_form::{self, Misfit};
use arc_swap::ArcSwap;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

/// A named set of rights. This version knows the administrator's, which may do everything.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Role {
    pub id: RoleId,
    pub name: String,
    pub is_admin: bool,
}

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
    pub roles: Arc<Vec<Role>>,
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

    fn apply(&mut self, change: &Change) {
        match change {
            Change::RoleCreated(role) => Arc::make_mut(&mut self.roles).push(role.clone()),
            Change::MemberCreated(member) => {
                Arc::make_mut(&mut self.members).add(Arc::new(member.clone()));
            }
            Change::MemberUpdated(member) => {
                Arc::make_mut(&mut self.members).replace(member.clone());
            }
            Change::MemberDeleted(id) => {
                Arc::make_mut(&mut self.members).delete(*id);
                Arc::make_mut(&mut self.api_keys).remove_of(*id);
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
}

impl Catalog {
    /// A catalog of which nothing has happened yet.
    #[must_use]
    pub fn unborn(business: BusinessId) -> Self {
        Self { shown: Arc::new(ArcSwap::from_pointee(CatalogView::new(business))) }
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
        let by_name = image.objects.iter().map(|entry| (entry.name.clone(), entry.id));
        view.object_by_name = Arc::new(by_name.collect());
        view.objects = image.objects;
        Ok(Self { shown: Arc::new(ArcSwap::from_pointee(view)) })
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

    fn apply(&mut self, event: &Event) {
        let mut view = CatalogView::clone(&self.shown.load());
        view.apply(&event.change);
        self.shown.store(Arc::new(view));
    }
}

impl Event {
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
