//! The root: the businesses of a data directory.

use crate::model::id::{BatchId, BusinessId, MemberId, Sequence, Timestamp, WriterId};
use crate::model::moment::Moment;
use crate::model::state::State;
use crate::model::stored;
use crate::model::table::event_form::Misfit;
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
}

/// The businesses at one instant.
pub type Businesses = BTreeMap<BusinessId, Arc<Business>>;

/// The state.
#[derive(Default)]
pub struct Root {
    shown: Arc<ArcSwap<Businesses>>,
}

/// No command reaches the root of this version: its one business comes with the first start.
#[derive(Debug)]
pub enum Command {}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Event {
    BusinessCreated { at: Timestamp, business: Business, actor: MemberId, batch: BatchId },
}

impl Root {
    /// What readers may see of it.
    #[must_use]
    pub fn shown(&self) -> Arc<ArcSwap<Businesses>> {
        self.shown.clone()
    }

    /// Applies stored events, one after the other.
    pub fn replay(&mut self, mut bytes: &[u8]) -> Result<u32, Misfit> {
        let mut count = 0;
        while !bytes.is_empty() {
            self.apply(&stored::decode(&mut bytes, "an event of the root")?);
            count += 1;
        }
        Ok(count)
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
    type Reply = ();
    type Rejection = ();
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
        _: &mut Moment,
        _: &mut Vec<Event>,
    ) -> Result<(), ()> {
        match command {}
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
        let Event::BusinessCreated { at, .. } = event;
        *at
    }

    fn apply(&mut self, event: &Event) {
        let Event::BusinessCreated { business, .. } = event;
        let mut businesses = (**self.shown.load()).clone();
        businesses.insert(business.id, Arc::new(business.clone()));
        self.shown.store(Arc::new(businesses));
    }
}

#[cfg(test)]
mod tests {
    use super::{Business, Event, Root};
    use crate::model::id::{BatchId, BusinessId, MemberId, Timestamp};
    use crate::model::state::State;

    fn business(number: u8) -> Event {
        Event::BusinessCreated {
            at: Timestamp(i64::from(number)),
            actor: MemberId::from_bytes([1; 16]),
            batch: BatchId::from_bytes([2; 16]),
            business: Business {
                id: BusinessId::from_bytes([number; 16]),
                name: format!("business {number}"),
                timezone: "UTC".into(),
                country: "US".into(),
                phone_default_region: "US".into(),
                created: Timestamp(i64::from(number)),
            },
        }
    }

    #[test]
    fn log_and_image_give_the_same_businesses() {
        let (mut root, mut log, mut image) = (Root::default(), Vec::new(), Vec::new());
        for number in [3, 1, 2] {
            Root::encode(&business(number), &mut log);
            root.apply(&business(number));
        }
        root.encode_image(&mut image);
        let mut replayed = Root::default();
        assert_eq!(replayed.replay(&log).unwrap(), 3);
        let loaded = Root::from_image(&image).unwrap();
        assert_eq!(root.shown().load().len(), 3);
        assert_eq!(**replayed.shown().load(), **root.shown().load());
        assert_eq!(**loaded.shown().load(), **root.shown().load());
        for length in 1..log.len() {
            let is_whole = length % (log.len() / 3) == 0;
            assert_eq!(Root::default().replay(&log[..length]).is_ok(), is_whole, "cut at {length}");
        }
    }
}
