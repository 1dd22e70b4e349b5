//! The writer's loop as a value: decide at once on the draft, hand the bytes to the committer,
//! settle what has become durable. It knows no actor: `writer.rs` drives it, and so does a test.
//!
//! durable → visible → announced → answered, always in this order. While a state has undurable
//! events every answer of it, rejections and no-ops too, waits for the newest of them.

use crate::model::id::{Position, Sequence, Timestamp};
use crate::model::moment::Moment;
use crate::model::retry::{OutcomeChange, Retry};
use crate::model::state::{Newborn, State};
use crate::model::table::event::Stamp;
use crate::storage::committer::{CommitQueue, Seat};
use crate::storage::part::Part;
use std::collections::VecDeque;
use std::sync::Arc;
use tokio::sync::oneshot;

/// Rows decided or applied before others of the arbiter get their turn.
pub const ROWS_PER_TURN: usize = 128;
/// Bytes after which a turn hands over what it has.
const PART_BYTES: usize = 64 << 10;
/// A clock that fell behind by less than this stands still until it has caught up.
const CLOCK_LAG_MAX_MS: i64 = 60 * 60 * 1000;

/// What a command is answered.
pub type Answer<S> = Result<<S as State>::Reply, Refusal<<S as State>::Rejection>>;

/// Why a command has no reply.
#[derive(Debug, PartialEq)]
pub enum Refusal<R> {
    /// Decided: nothing happens.
    Rejected(R),
    /// Nothing happens: the command was sent before.
    Repeated(Repetition),
    /// Whether it happened is not known: a write or sync has failed, or the process is ending.
    OutcomeUnknown,
}

/// A command whose key is in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repetition {
    /// By the very same request. Its outcome is found under the key when this is answered.
    SameRequest,
    OtherRequest,
}

/// One command on its way to a writer.
pub struct Ask<S: State> {
    pub command: S::Command,
    pub reply: oneshot::Sender<Answer<S>>,
    /// Gives back what was admitted when the answer has gone out.
    pub ticket: crate::engine::admission::Ticket,
}

/// A change of what a writer keeps of earlier commands, on its way there.
pub struct OutcomeAsk<S: State> {
    pub change: OutcomeChange,
    pub reply: oneshot::Sender<Answer<S>>,
    pub ticket: crate::engine::admission::Ticket,
}

/// Several commands on their way to a writer, decided one behind the other. Each is a commit of its
/// own: what becomes of one is nothing to the next.
pub struct AskRows<S: State> {
    pub commands: Vec<S::Command>,
    /// Takes an answer for each, in their order.
    pub reply: oneshot::Sender<Vec<Answer<S>>>,
    pub ticket: crate::engine::admission::Ticket,
}

/// Answers that wait for what they say to be durable.
struct Held<S: State> {
    answers: Answers<S>,
    ticket: crate::engine::admission::Ticket,
}

enum Answers<S: State> {
    One(oneshot::Sender<Answer<S>>, Answer<S>),
    Rows(oneshot::Sender<Vec<Answer<S>>>, Vec<Answer<S>>),
}

impl<S: State> Held<S> {
    fn one(
        reply: oneshot::Sender<Answer<S>>,
        answer: Answer<S>,
        ticket: crate::engine::admission::Ticket,
    ) -> Self {
        Self { answers: Answers::One(reply, answer), ticket }
    }

    /// How many commands it answers.
    fn rows(&self) -> usize {
        match &self.answers {
            Answers::One(..) => 1,
            Answers::Rows(_, answers) => answers.len(),
        }
    }

    fn send(self) {
        let Self { answers, ticket } = self;
        // Whoever asked may have gone; what was done stays done.
        match answers {
            Answers::One(reply, answer) => drop(reply.send(answer)),
            Answers::Rows(reply, answers) => drop(reply.send(answers)),
        }
        drop(ticket);
    }

    fn fail(self) {
        let answers = match self.answers {
            Answers::One(reply, _) => Answers::One(reply, Err(Refusal::OutcomeUnknown)),
            Answers::Rows(reply, answers) => {
                let unknown = answers.iter().map(|_| Err(Refusal::OutcomeUnknown)).collect();
                Answers::Rows(reply, unknown)
            }
        };
        Self { answers, ..self }.send();
    }
}

/// The events and answers of one turn.
struct Decided<S: State> {
    position: Position,
    events: Vec<S::Event>,
    answers: Vec<Held<S>>,
    /// Commands that `answers` are of.
    rows: usize,
}

impl<S: State> Decided<S> {
    fn hold(&mut self, held: Held<S>) {
        self.rows += held.rows();
        self.answers.push(held);
    }
}

impl<S: State> Default for Decided<S> {
    fn default() -> Self {
        Self { position: Position(0), events: Vec::new(), answers: Vec::new(), rows: 0 }
    }
}

/// Told of every event that has become visible.
pub type Announce<S> = Box<dyn FnMut(&<S as State>::Event) + Send>;

/// What a loop is made of besides its state.
pub struct LoopParts<S: State> {
    pub queue: Arc<CommitQueue>,
    pub seat: Arc<Seat>,
    pub moment: Moment,
    pub announce: Announce<S>,
}

/// The loop.
pub struct Loop<S: State> {
    state: S,
    draft: S::Draft,
    moment: Moment,
    queue: Arc<CommitQueue>,
    seat: Arc<Seat>,
    announce: Announce<S>,
    /// Decided in this turn, not yet in the open frame.
    now: Decided<S>,
    newborns: Vec<Newborn>,
    bytes: Vec<u8>,
    undurable: VecDeque<Decided<S>>,
    /// Durable and partly applied: settling is bounded too.
    spare: Option<Decided<S>>,
}

impl<S: State> Loop<S> {
    #[must_use]
    pub fn new(state: S, parts: LoopParts<S>) -> Self {
        let LoopParts { queue, seat, moment, announce } = parts;
        Self {
            state,
            draft: S::Draft::default(),
            moment,
            queue,
            seat,
            announce,
            now: Decided::default(),
            newborns: Vec::new(),
            bytes: Vec::new(),
            undurable: VecDeque::new(),
            spare: None,
        }
    }

    #[must_use]
    pub fn state(&self) -> &S {
        &self.state
    }

    /// For what happens at a barrier; nothing may be undurable.
    ///
    /// # Panics
    /// Where something is.
    pub fn state_at_barrier(&mut self) -> (&mut S, Position) {
        assert!(self.is_settled(), "a barrier waits until nothing is undurable");
        let position = self.queue.durable();
        (&mut self.state, position)
    }

    /// Whether nothing is decided that is not applied.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        self.undurable.is_empty() && self.bytes.is_empty()
    }

    /// Whether the partition has as much undurable as it may.
    #[must_use]
    pub fn is_partition_full(&self) -> bool {
        self.queue.is_full()
    }

    /// The time of what is decided from now on. Never earlier than before, unless the clock fell
    /// back by more than it can have drifted.
    pub fn set_time(&mut self, now: Timestamp) {
        let last = self.moment.at();
        if now < last {
            if last.0 - now.0 < CLOCK_LAG_MAX_MS {
                return;
            }
            // Else one second in 2099 would pin every later time to 2099.
            let (writer, back_ms) = (self.state.writer(), last.0 - now.0);
            tracing::warn!(?writer, back_ms, "clock_jump: times of changes go back with it");
        }
        self.moment.set(now);
    }

    /// Decides one command on the state with its draft on top.
    pub fn decide(&mut self, ask: Ask<S>) {
        let Ask { command, reply, ticket } = ask;
        let answer = self.decide_one(command);
        self.hold(Held::one(reply, answer, ticket));
    }

    /// Decides commands one behind the other; what they say goes out with the newest of it.
    pub fn decide_rows(&mut self, ask: AskRows<S>) {
        let AskRows { commands, reply, ticket } = ask;
        let mut answers = Vec::with_capacity(commands.len());
        for command in commands {
            if self.bytes.len() >= PART_BYTES {
                self.flush();
            }
            answers.push(self.decide_one(command));
        }
        self.hold(Held { answers: Answers::Rows(reply, answers), ticket });
    }

    fn hold(&mut self, held: Held<S>) {
        if self.queue.is_failed() {
            held.fail();
            return;
        }
        self.now.hold(held);
        if self.bytes.len() >= PART_BYTES {
            self.flush();
        }
    }

    fn decide_one(&mut self, command: S::Command) -> Answer<S> {
        if self.queue.is_failed() {
            return Err(Refusal::OutcomeUnknown);
        }
        let retry = S::retry(&command, self.moment.at());
        if let Some(repetition) = retry.as_ref().and_then(|(retry, _)| self.repetition(retry)) {
            return Err(Refusal::Repeated(repetition));
        }
        let first = self.now.events.len();
        let events = &mut self.now.events;
        let answer = self.state.decide(&self.draft, command, &mut self.moment, events);
        match (&answer, retry) {
            (Err(_), _) => self.now.events.truncate(first),
            (Ok(reply), Some((retry, stamp))) => self.keep(reply, &retry, stamp),
            (Ok(_), None) => {}
        }
        self.lay(first);
        answer.map_err(Refusal::Rejected)
    }

    /// What a command is whose key has an outcome already.
    fn repetition(&self, retry: &Retry) -> Option<Repetition> {
        let outcome = self.state.outcome(&self.draft, &retry.key)?;
        let is_same = outcome.fingerprint == retry.fingerprint;
        Some(if is_same { Repetition::SameRequest } else { Repetition::OtherRequest })
    }

    /// Stores the outcome of a command behind what it did, in the same commit.
    fn keep(&mut self, reply: &S::Reply, retry: &Retry, stamp: Stamp) {
        let Some(answered) = S::answered(reply) else { return };
        let outcome = retry.outcome(answered, stamp.at);
        let change = OutcomeChange::Stored(Arc::new(outcome));
        self.now.events.push(S::outcome_event(change, stamp, self.moment.mark()));
    }

    /// Lays the events of this turn from `first` on, and encodes them.
    fn lay(&mut self, first: usize) {
        for event in &self.now.events[first..] {
            S::lay(&mut self.draft, event);
            S::encode(event, &mut self.bytes);
            self.newborns.extend(S::newborns(event));
        }
    }

    /// Changes what is kept of earlier commands: nobody decides about that, so nobody can refuse it.
    pub fn change_outcomes(&mut self, ask: OutcomeAsk<S>) {
        let OutcomeAsk { change, reply, ticket } = ask;
        if self.queue.is_failed() {
            Held::<S>::one(reply, Err(Refusal::OutcomeUnknown), ticket).send();
            return;
        }
        let first = self.now.events.len();
        let stamp = Stamp::of_server(self.moment.at());
        self.now.events.push(S::outcome_event(change, stamp, self.moment.mark()));
        self.lay(first);
        self.hold(Held::one(reply, Ok(S::done()), ticket));
    }

    /// Hands what this turn decided to the committer. Answers of a turn without events wait for the
    /// newest undurable ones, and go out at once if there are none.
    pub fn flush(&mut self) {
        if self.now.events.is_empty() {
            self.hold_answers();
            return;
        }
        let next = self.spare.take().unwrap_or_default();
        let mut decided = std::mem::replace(&mut self.now, next);
        decided.position = self.append(&decided.events);
        self.bytes.clear();
        self.newborns.clear();
        self.undurable.push_back(decided);
    }

    fn hold_answers(&mut self) {
        let Some(newest) = self.undurable.back_mut() else {
            self.now.answers.drain(..).for_each(Held::send);
            self.now.rows = 0;
            return;
        };
        let rows = std::mem::take(&mut self.now.rows);
        if newest.rows + rows <= ROWS_PER_TURN {
            newest.answers.append(&mut self.now.answers);
            newest.rows += rows;
            return;
        }
        // A group of their own at the same position, so that settling stays bounded.
        let position = newest.position;
        let answers = std::mem::take(&mut self.now.answers);
        self.undurable.push_back(Decided { position, events: Vec::new(), answers, rows });
    }

    fn append(&self, events: &[S::Event]) -> Position {
        let first = events.iter().find_map(|event| S::sequence(event)).unwrap_or(Sequence(0));
        let time = events.iter().map(|event| S::time(event)).max().unwrap_or_default();
        let own = Part {
            writer: self.state.writer(),
            first_sequence: first,
            time,
            event_count: u32::try_from(events.len())
                .expect("a turn has a bounded number of events"),
            events: &self.bytes,
        };
        let mut parts = vec![own];
        parts.extend(self.newborns.iter().map(|born| Part {
            writer: born.writer,
            first_sequence: born.first_sequence,
            time,
            event_count: born.event_count,
            events: &born.bytes,
        }));
        self.queue.append(&parts, &self.seat)
    }

    /// Applies, announces and answers what has become durable, at most a turn's worth. True: there
    /// is more to settle at once.
    ///
    /// After a failure what is durable is still applied: whoever takes the state's image then gets
    /// it as of the position that goes with it.
    #[must_use]
    pub fn settle(&mut self) -> bool {
        // The failure first: it is published behind the last position that is durable.
        let is_failed = self.queue.is_failed();
        let durable = self.queue.durable();
        let mut rows = 0;
        while let Some(next) = self.undurable.front().filter(|next| next.position <= durable) {
            let is_first = rows == 0;
            // The events of many rows may be in a frame before that of their answer.
            rows += next.rows.max(next.events.len());
            if rows > ROWS_PER_TURN && !is_first {
                return true;
            }
            self.settle_oldest();
        }
        if is_failed {
            self.fail();
        }
        false
    }

    fn settle_oldest(&mut self) {
        let Some(mut decided) = self.undurable.pop_front() else { return };
        for event in &decided.events {
            self.state.apply(event);
            S::lift(&mut self.draft, event);
            (self.announce)(event);
        }
        decided.answers.drain(..).for_each(Held::send);
        decided.events.clear();
        decided.rows = 0;
        self.spare = Some(decided);
    }

    /// Nothing that waits will ever be known: tell everybody so. The process ends.
    fn fail(&mut self) {
        let waiting = self.undurable.drain(..).flat_map(|decided| decided.answers);
        waiting.chain(self.now.answers.drain(..)).for_each(Held::fail);
        self.now.events.clear();
        self.now.rows = 0;
        self.bytes.clear();
        self.newborns.clear();
    }
}

#[cfg(test)]
mod tests;
