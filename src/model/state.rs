//! What one writer may change, as its loop sees it: a table, a catalog, an agenda, the root.

use crate::model::id::{Sequence, Timestamp, WriterId};
use crate::model::moment::{Mark, Moment};
use crate::model::retry::hash::RetryKey;
use crate::model::retry::outcomes::Outcomes;
use crate::model::retry::{Answered, OutcomeChange, Retry, StoredOutcome};
use crate::model::table::event::Stamp;
use std::sync::Arc;

/// A state that changes by events alone, and decides which.
///
/// The loop that drives it is generic, so the state says how an event is laid, lifted, encoded and
/// applied. A state is always exactly what applying its events in order gives.
pub trait State: Sized + Send + 'static {
    type Command: Send + 'static;
    type Event: Send + 'static;
    type Reply: Send + 'static;
    type Rejection: Send + 'static;
    type Draft: Default + Send;

    /// Whose events these are.
    fn writer(&self) -> WriterId;

    /// A barrier: decided when nothing is undurable, and nothing is decided until it is durable.
    ///
    /// True for every command of a state without a draft: two such commands before one sync would
    /// not see each other.
    fn on_plain_state(command: &Self::Command) -> bool;

    /// Decides which events follow, without changing anything.
    fn decide(
        &self,
        draft: &Self::Draft,
        command: Self::Command,
        moment: &mut Moment,
        events: &mut Vec<Self::Event>,
    ) -> Result<Self::Reply, Self::Rejection>;

    /// Lays a decided event on the draft.
    fn lay(draft: &mut Self::Draft, event: &Self::Event);

    /// Takes it off again, just after `apply`; what a later event covers stays.
    fn lift(draft: &mut Self::Draft, event: &Self::Event);

    /// Appends the stored form of an event.
    fn encode(event: &Self::Event, out: &mut Vec<u8>);

    /// The number of the change, if the event is one that the feed shows.
    fn sequence(event: &Self::Event) -> Option<Sequence>;

    /// When it was decided.
    fn time(event: &Self::Event) -> Timestamp;

    /// Events of states that nobody can write yet, to be stored in the same commit as this one:
    /// the first events of an object are written by the catalog that creates it, those of a
    /// business by the root.
    fn newborns(event: &Self::Event) -> Vec<Newborn> {
        let _ = event;
        Vec::new()
    }

    /// What it keeps of commands that may be sent again.
    fn outcomes(&self) -> &Arc<Outcomes>;

    /// Whether a command may be sent again, and the stamp of its events if it is decided now.
    fn retry(command: &Self::Command, at: Timestamp) -> Option<(Arc<Retry>, Stamp)>;

    /// The outcome under a key, decided but not yet durable ones too.
    fn outcome(&self, draft: &Self::Draft, key: &RetryKey) -> Option<Arc<StoredOutcome>>;

    /// What a reply is about; none where nothing was found to do it with, so nothing is kept.
    fn answered(reply: &Self::Reply) -> Option<Answered>;

    /// The reply that says nothing.
    fn done() -> Self::Reply;

    /// The event of a change of what it keeps.
    fn outcome_event(change: OutcomeChange, stamp: Stamp, mark: Mark) -> Self::Event;

    /// Changes the state. Cannot fail: an event that does not fit is a bug or corruption.
    fn apply(&mut self, event: &Self::Event);
}

/// The first part of a state that is born with another writer's event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Newborn {
    pub writer: WriterId,
    pub first_sequence: Sequence,
    pub event_count: u32,
    /// The events, encoded one after the other.
    pub bytes: Vec<u8>,
}

impl Newborn {
    /// The first events of a state whose events have no sequence.
    #[must_use]
    pub fn of<S: State>(writer: WriterId, events: &[S::Event]) -> Self {
        let mut bytes = Vec::new();
        for event in events {
            S::encode(event, &mut bytes);
        }
        let event_count = u32::try_from(events.len()).expect("a state is born with few events");
        Self { writer, first_sequence: Sequence(0), event_count, bytes }
    }
}
