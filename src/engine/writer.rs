//! The actor that drives a writer's loop, and the handle through which it is asked.
//!
//! actix handles messages until the mailbox is empty before it polls anything else, and polls
//! neither the mailbox nor spawned futures while one is waited for. So one permanent future, `Turn`,
//! is both the end of a turn and what the committer wakes; and what is waited for does the same.

use crate::ambient::Clock;
use crate::engine::admission::{Admission, AdmissionLimits, Overloaded};
use crate::engine::meters::seconds_between;
use crate::engine::turn::{Answer, Ask, AskRows, Loop, LoopParts, OutcomeAsk, ROWS_PER_TURN};
use crate::model::id::Position;
use crate::model::retry::OutcomeChange;
use crate::model::retry::outcomes::Outcomes;
use crate::model::state::State;
use crate::storage::committer::{CommitQueue, Seat, Wake};
use actix::fut::ActorFuture;
use actix::prelude::{
    Actor, ActorFutureExt, Addr, ArbiterHandle, AsyncContext, Context, Handler, Message, SendError,
};
use futures_util::task::AtomicWaker;
use prometheus_client::metrics::histogram::Histogram;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as Task, Poll};
use tokio::sync::oneshot;

/// Places of a mailbox for what is not admitted: barriers of the snapshotter and of starts.
const BARRIERS_MAX: usize = 16;

/// A way to ask one writer.
pub struct Handle<S: State> {
    to: Addr<Writer<S>>,
    admission: Arc<Admission>,
    outcomes: Arc<Outcomes>,
}

impl<S: State> Clone for Handle<S> {
    fn clone(&self) -> Self {
        let Self { to, admission, outcomes } = self;
        Self { to: to.clone(), admission: admission.clone(), outcomes: outcomes.clone() }
    }
}

impl<S: State> Handle<S> {
    /// Sends a command of so many rows and bytes; the answer comes when it is durable.
    pub fn ask(
        &self,
        command: S::Command,
        rows: usize,
        bytes: usize,
    ) -> Result<oneshot::Receiver<Answer<S>>, Overloaded> {
        let ticket = self.admission.admit(rows, bytes)?;
        let (reply, answer) = oneshot::channel();
        let full = Overloaded { rows_waiting: self.admission.rows() };
        self.to.try_send(Ask { command, reply, ticket }).map_err(|_| full)?;
        Ok(answer)
    }

    /// Sends a change of what it keeps of earlier commands; the answer comes when it is durable.
    pub fn change_outcomes(
        &self,
        change: OutcomeChange,
    ) -> Result<oneshot::Receiver<Answer<S>>, Overloaded> {
        let ticket = self.admission.admit(1, 0)?;
        let (reply, answer) = oneshot::channel();
        let full = Overloaded { rows_waiting: self.admission.rows() };
        self.to.try_send(OutcomeAsk { change, reply, ticket }).map_err(|_| full)?;
        Ok(answer)
    }

    /// What it keeps of commands that may be sent again.
    #[must_use]
    pub fn outcomes(&self) -> &Arc<Outcomes> {
        &self.outcomes
    }

    /// Sends commands of so many rows and bytes to be decided one behind the other, each a commit of its own;
    /// none is decided on plain state. The answers come together when all of them are durable.
    /// Commands that cannot be taken come back.
    pub fn ask_rows(
        &self,
        commands: Vec<S::Command>,
        (rows, bytes): (usize, usize),
    ) -> Result<oneshot::Receiver<Vec<Answer<S>>>, Vec<S::Command>> {
        let Ok(ticket) = self.admission.admit(rows, bytes) else { return Err(commands) };
        let (reply, answers) = oneshot::channel();
        self.to.try_send(AskRows { commands, reply, ticket }).map_err(|refused| {
            let (SendError::Full(ask) | SendError::Closed(ask)) = refused;
            ask.commands
        })?;
        Ok(answers)
    }

    /// Runs a closure over the state when nothing of it is undurable, with the newest durable
    /// position. False: the writer is gone or its mailbox is full.
    pub fn at_barrier(&self, run: impl FnOnce(&mut S, Position) + Send + 'static) -> bool {
        self.to.try_send(AtBarrier(Box::new(run))).is_ok()
    }

    /// Waits until the writer has answered once: a mailbox has 16 places until then.
    pub async fn started(&self) {
        let (say, started) = oneshot::channel::<()>();
        // Dropping the sender says as much as sending: the closure was run, or never will be.
        if self.at_barrier(move |_, _| drop(say)) {
            started.await.expect_err("nothing is ever sent");
        }
    }

    /// What waits for it.
    #[must_use]
    pub fn admission(&self) -> &Arc<Admission> {
        &self.admission
    }
}

/// What a writer is started with, besides its state.
pub struct WriterParts<S: State> {
    pub queue: Arc<CommitQueue>,
    pub clock: Clock,
    /// Takes the seconds of every decision.
    pub decide_seconds: Histogram,
    pub moment: crate::model::moment::Moment,
    pub limits: AdmissionLimits,
    pub announce: crate::engine::turn::Announce<S>,
}

/// The actor.
pub struct Writer<S: State> {
    writing: Loop<S>,
    clock: Clock,
    decide_seconds: Histogram,
    waker: Arc<AtomicWaker>,
    rows_in_turn: usize,
}

/// Nothing in it is ever pinned; without this every associated type of `State` needs `Unpin`.
impl<S: State> Unpin for Writer<S> {}

struct ByWaker(Arc<AtomicWaker>);

impl Wake for ByWaker {
    fn wake(&self) {
        self.0.wake();
    }
}

impl<S: State> Message for Ask<S> {
    type Result = ();
}

impl<S: State> Message for OutcomeAsk<S> {
    type Result = ();
}

impl<S: State> Message for AskRows<S> {
    type Result = ();
}

/// A closure over the state, run when nothing is undurable.
struct AtBarrier<S>(BarrierRun<S>);

type BarrierRun<S> = Box<dyn FnOnce(&mut S, Position) + Send>;

impl<S> Message for AtBarrier<S> {
    type Result = ();
}

impl<S: State> Writer<S> {
    /// Starts it on an arbiter. Its mailbox has 16 places until it has answered once.
    pub fn start_on(arbiter: &ArbiterHandle, state: S, parts: WriterParts<S>) -> Handle<S> {
        let WriterParts { queue, clock, decide_seconds, moment, limits, announce } = parts;
        let admission = Admission::new(limits);
        let outcomes = state.outcomes().clone();
        let to = Self::start_in_arbiter(arbiter, move |context| {
            // The limit is admission's; the mailbox's is higher and is never reached.
            context.set_mailbox_capacity(limits.rows_max + BARRIERS_MAX);
            let waker = Arc::new(AtomicWaker::new());
            let seat = Seat::new(Box::new(ByWaker(waker.clone())));
            let writing = Loop::new(state, LoopParts { queue, seat, moment, announce });
            Self { writing, clock, decide_seconds, waker, rows_in_turn: 0 }
        });
        Handle { to, admission, outcomes }
    }

    /// The end of a turn: called when the mailbox is empty, or after enough rows.
    fn turn(&mut self) {
        self.rows_in_turn = 0;
        let is_more = self.writing.settle();
        self.writing.flush();
        if is_more {
            self.waker.wake(); // The rest in the next turn.
        }
    }

    fn decide(&mut self, ask: Ask<S>) {
        self.writing.set_time(self.clock.now());
        let began_ns = self.clock.monotonic_ns();
        self.writing.decide(ask);
        self.decide_seconds.observe(seconds_between(began_ns, self.clock.monotonic_ns()));
    }
}

impl<S: State> Writer<S> {
    /// Ends a turn that was long enough, and waits where the partition has as much as it may.
    fn end_turn_if_due(&mut self, context: &mut Context<Self>) {
        if self.rows_in_turn >= ROWS_PER_TURN {
            self.turn();
            context.wait(LetOthersRun(false));
        }
        if self.writing.is_partition_full() {
            self.turn();
            context.wait(UntilSettled);
        }
    }
}

impl<S: State> Actor for Writer<S> {
    type Context = Context<Self>;

    fn started(&mut self, context: &mut Self::Context) {
        context.spawn(Turn);
    }
}

impl<S: State> Handler<Ask<S>> for Writer<S> {
    type Result = ();

    fn handle(&mut self, ask: Ask<S>, context: &mut Self::Context) {
        if S::on_plain_state(&ask.command) {
            self.turn();
            context.wait(UntilSettled.map(
                move |(), writer: &mut Self, context: &mut Context<Self>| {
                    writer.decide(ask);
                    writer.writing.flush();
                    context.wait(UntilSettled);
                },
            ));
            return;
        }
        self.rows_in_turn += ask.ticket.rows();
        self.decide(ask);
        self.end_turn_if_due(context);
    }
}

impl<S: State> Handler<AskRows<S>> for Writer<S> {
    type Result = ();

    fn handle(&mut self, ask: AskRows<S>, context: &mut Self::Context) {
        let rows = ask.ticket.rows();
        self.rows_in_turn += rows;
        let began_ns = self.clock.monotonic_ns();
        self.writing.set_time(self.clock.now());
        self.writing.decide_rows(ask);
        let seconds = seconds_between(began_ns, self.clock.monotonic_ns());
        // Each took its share: the histogram counts decisions.
        let each = seconds / f64::from(u32::try_from(rows.max(1)).expect("rows are bounded"));
        (0..rows).for_each(|_| self.decide_seconds.observe(each));
        self.end_turn_if_due(context);
    }
}

impl<S: State> Handler<OutcomeAsk<S>> for Writer<S> {
    type Result = ();

    fn handle(&mut self, ask: OutcomeAsk<S>, _: &mut Self::Context) {
        self.rows_in_turn += 1;
        self.writing.set_time(self.clock.now());
        self.writing.change_outcomes(ask);
    }
}

impl<S: State> Handler<AtBarrier<S>> for Writer<S> {
    type Result = ();

    fn handle(&mut self, barrier: AtBarrier<S>, context: &mut Self::Context) {
        self.turn();
        context.wait(UntilSettled.map(move |(), writer: &mut Self, _: &mut Context<Self>| {
            let (state, position) = writer.writing.state_at_barrier();
            (barrier.0)(state, position);
        }));
    }
}

/// Polled after the mailbox has run dry, whatever woke the actor. Never ends.
struct Turn;

impl<S: State> ActorFuture<Writer<S>> for Turn {
    type Output = ();

    fn poll(
        self: Pin<&mut Self>,
        writer: &mut Writer<S>,
        _: &mut Context<Writer<S>>,
        task: &mut Task<'_>,
    ) -> Poll<()> {
        // Registered before the position is read, so no wake-up is lost.
        writer.waker.register(task.waker());
        writer.turn();
        Poll::Pending
    }
}

/// Until nothing is undurable. While it is waited for, actix polls neither the mailbox nor `Turn`.
struct UntilSettled;

impl<S: State> ActorFuture<Writer<S>> for UntilSettled {
    type Output = ();

    fn poll(
        self: Pin<&mut Self>,
        writer: &mut Writer<S>,
        _: &mut Context<Writer<S>>,
        task: &mut Task<'_>,
    ) -> Poll<()> {
        writer.waker.register(task.waker());
        writer.turn();
        if writer.writing.is_settled() { Poll::Ready(()) } else { Poll::Pending }
    }
}

/// Gives the arbiter's other actors their turn once.
struct LetOthersRun(bool);

impl<S: State> ActorFuture<Writer<S>> for LetOthersRun {
    type Output = ();

    fn poll(
        mut self: Pin<&mut Self>,
        _: &mut Writer<S>,
        _: &mut Context<Writer<S>>,
        task: &mut Task<'_>,
    ) -> Poll<()> {
        if std::mem::replace(&mut self.0, true) {
            return Poll::Ready(());
        }
        task.waker().wake_by_ref();
        Poll::Pending
    }
}
