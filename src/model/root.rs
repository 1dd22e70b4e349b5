//! The root: the businesses of a data directory.

pub mod command;
mod founding;

use crate::model::id::{BatchId, BusinessId, MemberId, Sequence, Timestamp, WriterId};
use crate::model::moment::Moment;
use crate::model::root::command::{Command, Rejection, Reply};
use crate::model::state::{Newborn, State};
use crate::model::stored;
use crate::model::table::event_form::Misfit;
use crate::model::{agenda, catalog};
use arc_swap::ArcSwap;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A tenant, and what its values are read and shown by.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Business {
    pub id: BusinessId,
    pub name: String,
    /// An IANA name, known to the time zone database of this build.
    pub timezone: String,
    /// ISO 3166 alpha-2.
    pub country: String,
    /// ISO 3166 alpha-2: the region of telephone numbers without a country code.
    pub phone_default_region: String,
    pub created: Timestamp,
    /// From then on nobody is let in.
    #[serde(default)]
    pub archived_at: Option<Timestamp>,
}

/// The businesses at one instant.
pub type Businesses = BTreeMap<BusinessId, Arc<Business>>;

/// The state.
#[derive(Default)]
pub struct Root {
    shown: Arc<ArcSwap<Businesses>>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Event {
    BusinessCreated {
        at: Timestamp,
        business: Business,
        actor: MemberId,
        batch: BatchId,
        /// The first events of its own states, stored as parts of their own in the same commit.
        #[serde(skip)]
        birth: Option<Box<Birth>>,
    },
    /// The whole business as it is now; an archived one too.
    BusinessChanged { at: Timestamp, business: Business, actor: MemberId, batch: BatchId },
}

/// What the states of a new business begin with.
#[derive(Clone, Debug, PartialEq)]
pub struct Birth {
    pub catalog: Vec<catalog::Event>,
    pub agenda: Vec<agenda::Event>,
}

impl Event {
    /// The business as the event leaves it.
    #[must_use]
    pub fn business(&self) -> &Business {
        match self {
            Self::BusinessCreated { business, .. } | Self::BusinessChanged { business, .. } => {
                business
            }
        }
    }

    /// What the business is born with, if this is its birth and not a replay of it.
    #[must_use]
    pub fn birth(&self) -> Option<&Birth> {
        match self {
            Self::BusinessCreated { birth, .. } => birth.as_deref(),
            Self::BusinessChanged { .. } => None,
        }
    }
}

impl Root {
    /// What readers may see of it.
    #[must_use]
    pub fn shown(&self) -> Arc<ArcSwap<Businesses>> {
        self.shown.clone()
    }

    /// Applies stored events, one after the other.
    pub fn replay(&mut self, bytes: &[u8]) -> Result<u32, Misfit> {
        stored::replay(self, bytes, "an event of the root")
    }

    /// The whole state, for a snapshot.
    pub fn encode_image(&self, out: &mut Vec<u8>) {
        let businesses: Vec<Arc<Business>> = self.shown.load().values().cloned().collect();
        stored::encode(&businesses, out);
    }

    /// The state of a snapshot.
    pub fn from_image(mut bytes: &[u8]) -> Result<Self, Misfit> {
        let businesses: Vec<Arc<Business>> = stored::decode(&mut bytes, "the root")?;
        let map = businesses.into_iter().map(|business| (business.id, business)).collect();
        Ok(Self { shown: Arc::new(ArcSwap::from_pointee(map)) })
    }
}

impl State for Root {
    type Command = Command;
    type Event = Event;
    type Reply = Reply;
    type Rejection = Rejection;
    type Draft = ();

    fn writer(&self) -> WriterId {
        WriterId::Root
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
        match event {
            Event::BusinessCreated { at, .. } | Event::BusinessChanged { at, .. } => *at,
        }
    }

    fn newborns(event: &Event) -> Vec<Newborn> {
        let Some(birth) = event.birth() else { return Vec::new() };
        let id = event.business().id;
        let mut born = vec![
            Newborn::of::<catalog::Catalog>(WriterId::Catalog(id), &birth.catalog),
            Newborn::of::<agenda::Agenda>(WriterId::Agenda(id), &birth.agenda),
        ];
        born.extend(birth.catalog.iter().flat_map(catalog::Catalog::newborns));
        born
    }

    fn apply(&mut self, event: &Event) {
        let business = event.business();
        let mut businesses = (**self.shown.load()).clone();
        businesses.insert(business.id, Arc::new(business.clone()));
        self.shown.store(Arc::new(businesses));
    }
}

#[cfg(test)]
mod tests;
