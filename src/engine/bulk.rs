//! Bulk actions while they run: many commands to one table in order, and the notes of what became
//! of them.
//!
//! What is noted is durable; that an action is under way is not, so that one whose process ended
//! never seems to run on. It must not know what an action does to a record.

use crate::engine::business::{Business, TableRef};
use crate::engine::turn::ROWS_PER_TURN;
use crate::engine::{AskError, Engine, received};
use crate::model::agenda::bulk::{BulkNote, Failure, NewBulk};
use crate::model::agenda::command::{Ask, Command, Rejection};
use crate::model::id::BatchId;
use crate::model::table;
use parking_lot::Mutex;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

/// Commands of one action that wait for a table at once: what its writer decides in one turn.
pub const IN_FLIGHT_MAX: usize = ROWS_PER_TURN;
/// How often a note is offered to an agenda that has no room for it.
const OFFERS_MAX: u32 = 100;
const OFFER_PAUSE: Duration = Duration::from_millis(100);

/// The actions that this process works on.
#[derive(Default)]
pub(super) struct UnderWay(Mutex<BTreeSet<BatchId>>);

/// An action that is worked on until this is dropped.
pub struct BulkRun {
    engine: Arc<Engine>,
    business: Arc<Business>,
    caller: table::command::Caller,
}

impl Drop for BulkRun {
    fn drop(&mut self) {
        self.engine.under_way.0.lock().remove(&self.caller.batch);
    }
}

impl Engine {
    /// Whether this process works on the action.
    #[must_use]
    pub fn is_under_way(&self, id: BatchId) -> bool {
        self.under_way.0.lock().contains(&id)
    }

    /// Begins the action of a request. When this returns it is durable that there is one.
    pub async fn begin_bulk(
        self: &Arc<Self>,
        business: &Arc<Business>,
        caller: table::command::Caller,
        new: NewBulk,
    ) -> Result<BulkRun, AskError<Rejection>> {
        // Under way before anybody can see it.
        self.under_way.0.lock().insert(caller.batch);
        let run = BulkRun { engine: self.clone(), business: business.clone(), caller };
        let command = Command { caller: run.caller.clone(), ask: Ask::BeginBulk(new) };
        self.ask_agenda(business, command, 0).await?;
        Ok(run)
    }

    /// Asks a table's writer for several things, in this order, and waits until all the answers
    /// are durable and visible.
    pub async fn ask_table_in_order(
        &self,
        table: &TableRef,
        commands: Vec<table::command::Command>,
        bytes: usize,
    ) -> Vec<Result<table::command::Reply, AskError<table::decide::Rejection>>> {
        let mut sent = Vec::with_capacity(commands.len());
        for command in commands {
            sent.push(self.send(table.handle(), command, bytes));
        }
        let mut answers = Vec::with_capacity(sent.len());
        for answer in sent {
            answers.push(match answer {
                Ok(answer) => received(answer).await,
                Err(error) => Err(error),
            });
        }
        answers
    }
}

impl BulkRun {
    #[must_use]
    pub fn id(&self) -> BatchId {
        self.caller.batch
    }

    /// Notes what has become of further records, also where no more writes are taken: what has
    /// begun is to end.
    pub async fn note(
        &self,
        succeeded: u32,
        failures: Vec<Failure>,
        is_last: bool,
    ) -> Result<(), AskError<Rejection>> {
        let note = BulkNote { id: self.id(), succeeded, failures, is_last };
        let mut offers = 0;
        loop {
            offers += 1;
            let ask = Ask::NoteBulk(note.clone());
            let command = Command { caller: self.caller.clone(), ask };
            let answer = match self.engine.offer(&self.business.agenda_handle, command, (1, 0)) {
                Ok(answer) => received(answer).await,
                Err(error) => Err(error),
            };
            match answer {
                // So much has happened since that the action is forgotten.
                Ok(_) | Err(AskError::Rejected(Rejection::NotFound)) => return Ok(()),
                Err(AskError::Overloaded { .. }) if offers < OFFERS_MAX => {
                    tokio::time::sleep(OFFER_PAUSE).await;
                }
                Err(error) => return Err(error),
            }
        }
    }
}
