//! The root: the businesses of a data directory.

pub mod command;
mod founding;

use crate::model::id::{BatchId, BusinessId, MemberId, Sequence, Timestamp, WriterId};
use crate::model::moment::{Mark, Moment};
use crate::model::retry::hash::RetryKey;
use crate::model::retry::outcomes::Outcomes;
use crate::model::retry::{Answered, OutcomeChange, Retry, StoredOutcome};
use crate::model::root::command::{Command, Rejection, Reply};
use crate::model::state::{Newborn, State};
use crate::model::stored;
use crate::model::table::event::Stamp;
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
    outcomes: Arc<Outcomes>,
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
    /// What is kept of commands that may be sent again.
    Outcome { stamp: Stamp, change: OutcomeChange },
}

/// What the states of a new business begin with.
#[derive(Clone, Debug, PartialEq)]
pub struct Birth {
    pub catalog: Vec<catalog::Event>,
    pub agenda: Vec<agenda::Event>,
}

impl Event {
    /// The business as the event leaves it, if it is about one.
    #[must_use]
    pub fn business(&self) -> Option<&Business> {
        match self {
            Self::BusinessCreated { business, .. } | Self::BusinessChanged { business, .. } => {
                Some(business)
            }
            Self::Outcome { .. } => None,
        }
    }

    /// What the business is born with, if this is its birth and not a replay of it.
    #[must_use]
    pub fn birth(&self) -> Option<&Birth> {
        match self {
            Self::BusinessCreated { birth, .. } => birth.as_deref(),
            Self::BusinessChanged { .. } | Self::Outcome { .. } => None,
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
        let outcomes: Vec<Arc<StoredOutcome>> = self.outcomes.image().iter().cloned().collect();
        if !outcomes.is_empty() {
            stored::encode(&outcomes, out);
        }
    }

    /// The state of a snapshot.
    pub fn from_image(mut bytes: &[u8]) -> Result<Self, Misfit> {
        let businesses: Vec<Arc<Business>> = stored::decode(&mut bytes, "the root")?;
        let map = businesses.into_iter().map(|business| (business.id, business)).collect();
        let root = Self { shown: Arc::new(ArcSwap::from_pointee(map)), ..Self::default() };
        if !bytes.is_empty() {
            let outcomes: Vec<Arc<StoredOutcome>> =
                stored::decode(&mut bytes, "a list of outcomes")?;
            root.outcomes.load(outcomes);
        }
        Ok(root)
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
            Event::Outcome { stamp, .. } => stamp.at,
        }
    }

    fn newborns(event: &Event) -> Vec<Newborn> {
        let (Some(birth), Some(business)) = (event.birth(), event.business()) else {
            return Vec::new();
        };
        let id = business.id;
        let mut born = vec![
            Newborn::of::<catalog::Catalog>(WriterId::Catalog(id), &birth.catalog),
            Newborn::of::<agenda::Agenda>(WriterId::Agenda(id), &birth.agenda),
        ];
        born.extend(birth.catalog.iter().flat_map(catalog::Catalog::newborns));
        born
    }

    fn outcomes(&self) -> &Arc<Outcomes> {
        &self.outcomes
    }

    fn retry(command: &Command, at: Timestamp) -> Option<(Arc<Retry>, Stamp)> {
        let Command { actor, batch, .. } = *command;
        let stamp = Stamp { at, actor, origin: "".into(), batch };
        command.retry.as_ref().map(|retry| (retry.clone(), stamp))
    }

    fn outcome(&self, (): &(), key: &RetryKey) -> Option<Arc<StoredOutcome>> {
        self.outcomes.find(key)
    }

    fn answered(reply: &Reply) -> Option<Answered> {
        Some(match reply {
            Reply::Founded(founded) => Answered::Founded {
                business: founded.business.id,
                member: founded.member.id,
                key: founded.key.id,
            },
            Reply::Business(business) => Answered::Business(business.id),
            Reply::Done => Answered::Nothing,
        })
    }

    fn done() -> Reply {
        Reply::Done
    }

    fn outcome_event(change: OutcomeChange, stamp: Stamp, _: Mark) -> Event {
        Event::Outcome { stamp, change }
    }

    fn apply(&mut self, event: &Event) {
        let business = match event {
            Event::BusinessCreated { business, .. } | Event::BusinessChanged { business, .. } => {
                business
            }
            Event::Outcome { change, .. } => return self.outcomes.apply(change),
        };
        let mut businesses = (**self.shown.load()).clone();
        businesses.insert(business.id, Arc::new(business.clone()));
        self.shown.store(Arc::new(businesses));
    }
}

#[cfg(test)]
mod tests;
