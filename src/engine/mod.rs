//! The writers, what readers see of them, and everything that runs beside them. Async ends here.
//!
//! It knows no HTTP and no JSON.

pub mod admission;
pub mod boot;
pub mod bootstrap;
pub mod bulk;
pub mod business;
pub mod export;
pub mod feed;
pub mod follow_up;
mod key_use;
pub mod meters;
pub mod mirrors;
pub mod outcome;
mod panic;
pub mod partition;
mod placement;
pub mod pulse;
pub mod search_pool;
pub mod snapshot;
pub mod snapshotter;
mod starter;
pub mod states;
mod timed_log;
pub mod turn;
pub mod writer;

#[cfg(test)]
pub(crate) mod test_support;
#[cfg(test)]
mod tests;

use crate::ambient::Clock;
use crate::engine::bulk::UnderWay;
use crate::engine::business::{Business, TableRef};
use crate::engine::export::Exports;
use crate::engine::feed::Feed;
use crate::engine::key_use::{KeyUses, note_for_ever};
use crate::engine::meters::Meters;
use crate::engine::outcome::{KeysUnderWay, forget_for_ever};
use crate::engine::partition::{Partition, PartitionOptions, Recovered, Stopped, Surroundings};
use crate::engine::search_pool::SearchPool;
use crate::engine::turn::{Answer, Refusal, Repetition};
use crate::engine::writer::Handle;
use crate::model::catalog::api_key::{ApiKey, hour_of};
use crate::model::id::{BatchId, BusinessId, Position};
use crate::model::moment::Moment;
use crate::model::state::State;
use crate::model::table::schema_command::SchemaAsk;
use crate::model::{agenda, catalog, root, table};
use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{
    AtomicU8, AtomicU64,
    Ordering::{Acquire, Relaxed, Release},
};
use tokio::sync::oneshot::Receiver;
use uuid::Uuid;

/// Why a command has no reply.
#[derive(Clone, Debug, PartialEq)]
pub enum AskError<R> {
    /// Decided: nothing happens.
    Rejected(R),
    /// Nothing happens: the command was sent before.
    Repeated(Repetition),
    /// The writer's queue is full; nothing was done. Seconds until it will have drained.
    Overloaded { retry_after_s: u64 },
    /// No writes are taken; nothing was done.
    ReadOnly(ReadOnly),
    /// It happened or not: a write or sync has failed, or the process is ending.
    OutcomeUnknown,
}

/// Why no writes are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadOnly {
    /// The setting says so.
    Setting,
    /// There is too little room on the disk.
    DiskFull,
    /// The process uses as much memory as it may.
    MemoryFull,
}

/// Rows that a writer did not take.
#[derive(Debug)]
pub struct NotSent {
    pub why: AskError<Infallible>,
    pub commands: Vec<table::command::Command>,
}

/// What a writer says to rows, in their order.
pub type RowAnswers = Receiver<Vec<Answer<table::Table>>>;

/// Everything that runs: a list of partitions, today a list of one.
pub struct Engine {
    clock: Clock,
    meters: Arc<Meters>,
    partitions: Vec<Partition>,
    searches: SearchPool,
    exports: Exports,
    read_only: AtomicU8,
    seed: u64,
    batches: AtomicU64,
    key_uses: Arc<KeyUses>,
    under_way: UnderWay,
    keys_under_way: KeysUnderWay,
}

impl Engine {
    /// Starts the writers of what was recovered, and waits until each has answered once. Must run
    /// in an actix system, on whose arbiters the writers do not run.
    pub async fn start(
        recovered: Recovered,
        options: PartitionOptions,
        clock: Clock,
        seed: u64,
    ) -> Arc<Self> {
        let searches = SearchPool::start("search", options.search_threads);
        let meters = Arc::<Meters>::default();
        let surroundings = Surroundings { clock: clock.clone(), seed, meters: meters.clone() };
        let partition = Partition::start(recovered, options, surroundings).await;
        let engine = Arc::new(Self {
            clock,
            meters,
            partitions: vec![partition],
            searches,
            exports: Exports::start(),
            read_only: AtomicU8::new(0),
            seed,
            batches: AtomicU64::new(0),
            key_uses: Arc::default(),
            under_way: UnderWay::default(),
            keys_under_way: KeysUnderWay::default(),
        });
        actix::spawn(note_for_ever(Arc::downgrade(&engine), engine.key_uses.clone()));
        let (outcomes, stream_ttl) = (options.outcomes, options.stream_ttl);
        actix::spawn(forget_for_ever(Arc::downgrade(&engine), outcomes, stream_ttl));
        engine
    }

    /// Sees to it that the hour in which a key lets somebody in is kept, unless it is already.
    /// Whoever is let in does not wait for that.
    pub fn note_use(&self, business: &Business, key: &ApiKey) {
        let hour = hour_of(self.clock.now());
        if key.last_used.is_none_or(|noted| noted < hour) && self.read_only().is_none() {
            self.key_uses.raise(business.id(), key.id, hour);
        }
    }

    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// What it has measured since the start.
    #[must_use]
    pub fn meters(&self) -> &Meters {
        &self.meters
    }

    /// A fresh id for a writing request.
    #[must_use]
    pub fn next_batch(&self) -> BatchId {
        BatchId(self.next_id())
    }

    /// A fresh id for what two writers are to call by one name.
    #[must_use]
    pub fn next_id(&self) -> Uuid {
        let count = self.batches.fetch_add(1, Relaxed);
        // An even factor of its own: writers' seeds are odd multiples away from the same seed.
        let seed = self.seed.wrapping_add(count.wrapping_mul(0x5851_F42D_4C95_7F2E));
        Moment::new(seed, self.clock.now()).id()
    }

    /// The one way to a business and its tables; who asks has authenticated. An archived business
    /// lets nobody in.
    #[must_use]
    pub fn business(&self, id: BusinessId) -> Option<Arc<Business>> {
        self.any_business(id).filter(|business| !business.is_archived())
    }

    /// A business, archived or not: for the operator.
    #[must_use]
    pub fn any_business(&self, id: BusinessId) -> Option<Arc<Business>> {
        self.partitions.iter().find_map(|partition| partition.business(id))
    }

    #[must_use]
    pub fn partitions(&self) -> &[Partition] {
        &self.partitions
    }

    /// The newest durable frame: a state that has everything that was answered.
    #[must_use]
    pub fn newest(&self) -> Position {
        self.partitions[0].durable()
    }

    /// Gives up the columns of searches that nobody wants, or all of them while memory is short.
    pub fn sweep_columns(&self, is_memory_short: bool) {
        for business in self.partitions.iter().flat_map(Partition::businesses) {
            for table in business.tables() {
                let shown = table.shown();
                shown.columns.sweep(&shown.order, is_memory_short);
            }
        }
    }

    /// The feed of a table.
    #[must_use]
    pub fn feed(&self) -> &Feed {
        self.partitions[0].feed()
    }

    /// The threads that search.
    #[must_use]
    pub fn searches(&self) -> &SearchPool {
        &self.searches
    }

    /// What reads whole tables.
    #[must_use]
    pub fn exports(&self) -> &Exports {
        &self.exports
    }

    /// Asks a table's writer, and waits until the answer is durable and visible.
    pub async fn ask_table(
        &self,
        table: &TableRef,
        command: table::command::Command,
        bytes: usize,
    ) -> Result<table::command::Reply, AskError<table::decide::Rejection>> {
        let is_upsert = matches!(command.ask, table::command::Ask::Upsert(_));
        let reply = self.ask(table.handle(), command, bytes).await?;
        if is_upsert && let table::command::Reply::Record(outcome) = &reply {
            self.meters.count_upsert(outcome);
        }
        Ok(reply)
    }

    /// Sends commands that are decided one behind the other, each a commit of its own. What cannot be
    /// sent comes back with the reason.
    pub fn ask_rows(
        &self,
        table: &TableRef,
        commands: Vec<table::command::Command>,
        bytes: usize,
    ) -> Result<RowAnswers, NotSent> {
        if let Some(reason) = self.read_only() {
            return Err(NotSent { why: AskError::ReadOnly(reason), commands });
        }
        let handle = table.handle();
        let rows = commands.iter().map(|command| command.ask.rows()).sum();
        handle.ask_rows(commands, (rows, bytes)).map_err(|commands| {
            let retry_after_s = handle.admission().seconds_to_drain(self.clock.monotonic_ns());
            NotSent { why: AskError::Overloaded { retry_after_s }, commands }
        })
    }

    /// Asks for rows that are stored together or not at all, or only what would come of that.
    pub async fn ask_atomic(
        &self,
        table: &TableRef,
        command: table::command::Command,
        bytes: usize,
    ) -> Result<Vec<table::command::Reply>, AskError<table::decide::Rejection>> {
        let rows = command.ask.rows();
        let is_dry = matches!(command.ask, table::command::Ask::Dry(_));
        let reply = received(self.send_rows(table.handle(), command, (rows, bytes))?).await?;
        let table::command::Reply::Rows(replies) = reply else {
            unreachable!("rows are answered with rows, not with {reply:?}")
        };
        if !is_dry {
            self.count_rows(&replies);
        }
        Ok(replies)
    }

    /// Counts what upserts have come to that were sent as rows.
    pub fn count_rows<'r>(&self, replies: impl IntoIterator<Item = &'r table::command::Reply>) {
        for reply in replies {
            if let table::command::Reply::Record(outcome) = reply {
                self.meters.count_upsert(outcome);
            }
        }
    }

    /// Archives an object. Its name is free when this returns, unless the catalog's writer has too
    /// much to do; then it is soon.
    pub async fn archive_object(
        &self,
        business: &Business,
        table: &TableRef,
        caller: table::command::Caller,
    ) -> Result<(), AskError<table::decide::Rejection>> {
        let ask = table::command::Ask::ChangeSchema(SchemaAsk::ArchiveObject);
        self.ask_table(table, table::command::Command { caller, ask }, 0).await?;
        // Whoever sends follow-ups has heard of it too, and goes on trying.
        drop(follow_up::discard_name(business, table).await);
        Ok(())
    }

    /// Asks the catalog's writer. An object that it created takes commands when this returns, and
    /// objects have been told of a member that it deleted, unless they have too much to do; then
    /// they are soon.
    pub async fn ask_catalog(
        &self,
        business: &Business,
        command: catalog::command::Command,
        bytes: usize,
    ) -> Result<catalog::command::Reply, AskError<catalog::command::Rejection>> {
        let deletes = matches!(command.ask, catalog::command::Ask::DeleteMember(_));
        let reply = self.ask(&business.catalog_handle, command, bytes).await?;
        if deletes {
            follow_up::tell_all_removals(business, self.partitions[0].follow_ups()).await;
        }
        if let catalog::command::Reply::Object(schema) = &reply {
            let table = business.table(schema.object().id);
            // A mailbox has 16 places until its actor has started.
            table
                .expect("an object's table is there before its creation is answered")
                .handle()
                .started()
                .await;
        }
        Ok(reply)
    }

    /// Asks the root's writer. A business that it made takes commands when this returns.
    pub async fn ask_root(
        &self,
        command: root::command::Command,
        bytes: usize,
    ) -> Result<root::command::Reply, AskError<root::command::Rejection>> {
        let reply = self.ask(self.partitions[0].root(), command, bytes).await?;
        if let root::command::Reply::Founded(founded) = &reply {
            let business = self.any_business(founded.business.id);
            business.expect("a business is there before its creation is answered").started().await;
        }
        Ok(reply)
    }

    /// Asks the agenda's writer.
    pub async fn ask_agenda(
        &self,
        business: &Business,
        command: agenda::command::Command,
        bytes: usize,
    ) -> Result<agenda::command::Reply, AskError<agenda::command::Rejection>> {
        self.ask(&business.agenda_handle, command, bytes).await
    }

    async fn ask<S: State>(
        &self,
        handle: &Handle<S>,
        command: S::Command,
        bytes: usize,
    ) -> Result<S::Reply, AskError<S::Rejection>> {
        received(self.send(handle, command, bytes)?).await
    }

    /// Sends a command, if writes are taken.
    fn send<S: State>(
        &self,
        handle: &Handle<S>,
        command: S::Command,
        bytes: usize,
    ) -> Result<Receiver<Answer<S>>, AskError<S::Rejection>> {
        self.send_rows(handle, command, (1, bytes))
    }

    /// The same of a command that stands for many rows.
    fn send_rows<S: State>(
        &self,
        handle: &Handle<S>,
        command: S::Command,
        (rows, bytes): (usize, usize),
    ) -> Result<Receiver<Answer<S>>, AskError<S::Rejection>> {
        match self.read_only() {
            Some(reason) => Err(AskError::ReadOnly(reason)),
            None => self.offer(handle, command, (rows, bytes)),
        }
    }

    /// Sends a command, whether writes are taken or not.
    fn offer<S: State>(
        &self,
        handle: &Handle<S>,
        command: S::Command,
        (rows, bytes): (usize, usize),
    ) -> Result<Receiver<Answer<S>>, AskError<S::Rejection>> {
        handle.ask(command, rows, bytes).map_err(|_| {
            let retry_after_s = handle.admission().seconds_to_drain(self.clock.monotonic_ns());
            AskError::Overloaded { retry_after_s }
        })
    }

    /// Why no writes are taken, if they are not.
    #[must_use]
    pub fn read_only(&self) -> Option<ReadOnly> {
        match self.read_only.load(Acquire) {
            0 => None,
            1 => Some(ReadOnly::Setting),
            2 => Some(ReadOnly::DiskFull),
            _ => Some(ReadOnly::MemoryFull),
        }
    }

    /// Takes no writes from now on, or takes them again.
    pub fn set_read_only(&self, reason: Option<ReadOnly>) {
        let code = match reason {
            None => 0,
            Some(ReadOnly::Setting) => 1,
            Some(ReadOnly::DiskFull) => 2,
            Some(ReadOnly::MemoryFull) => 3,
        };
        self.read_only.store(code, Release);
    }

    /// Waits until a partition takes nothing any more, and says why.
    pub async fn failed(&self) -> Stopped {
        self.partitions[0].stopped().await
    }

    /// Makes everything that was decided durable, seals, and ends the writers.
    pub async fn close(&self) -> Stopped {
        self.partitions[0].close().await
    }
}

/// What a writer answers to a command that was sent.
async fn received<T, R>(answer: Receiver<Result<T, Refusal<R>>>) -> Result<T, AskError<R>> {
    match answer.await {
        Ok(Ok(reply)) => Ok(reply),
        Ok(Err(Refusal::Rejected(rejection))) => Err(AskError::Rejected(rejection)),
        Ok(Err(Refusal::Repeated(repetition))) => Err(AskError::Repeated(repetition)),
        // A writer that is gone took the command with it.
        Ok(Err(Refusal::OutcomeUnknown)) | Err(_) => Err(AskError::OutcomeUnknown),
    }
}
