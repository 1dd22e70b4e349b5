//! Follow-ups: what one writer's event asks of another writer, sent when that event is durable.
//!
//! The sender numbers them in its state and keeps those that are not confirmed; the receiver keeps
//! the last number of each sender. So a follow-up is sent again after a crash, and done once. They
//! go out one at a time per sender: the receiver's last number says that all before it have come.

use crate::engine::business::{Business, TableRef};
use crate::engine::turn::Refusal;
use crate::model::agenda;
use crate::model::id::{BatchId, MemberId, ObjectId, RecordId};
use crate::model::table::command::{self as table, Caller};
use crate::model::table::event::FollowUpNumber;
use parking_lot::Mutex;
use std::collections::BTreeSet;
use std::sync::Arc;
use tokio::sync::Notify;
use uuid::Uuid;

/// Which tables have follow-ups that may not have been sent.
#[derive(Default)]
pub(super) struct FollowUpSignal {
    waiting: Mutex<BTreeSet<ObjectId>>,
    notify: Notify,
}

impl FollowUpSignal {
    /// A follow-up of this table has become durable.
    pub(super) fn raise(&self, object: ObjectId) {
        self.waiting.lock().insert(object);
        self.notify.notify_one();
    }

    fn take(&self) -> BTreeSet<ObjectId> {
        std::mem::take(&mut *self.waiting.lock())
    }
}

/// A writer did not take a follow-up now.
struct Later;

/// Sends follow-ups for as long as it runs.
pub(super) async fn send_for_ever(businesses: Arc<Vec<Arc<Business>>>, signal: Arc<FollowUpSignal>) {
    for business in businesses.iter() {
        for table in business.tables() {
            if !table.shown().follow_ups().open.is_empty() {
                signal.raise(table.shown().schema().object().id);
            }
        }
    }
    loop {
        signal.notify.notified().await;
        for object in signal.take() {
            let found = businesses.iter().find_map(|business| Some((business, business.table(object)?)));
            let Some((business, table)) = found else { continue };
            if send_all(business, &table, object).await.is_err() {
                tokio::time::sleep(std::time::Duration::from_millis(100)).await;
                signal.raise(object);
            }
        }
    }
}

async fn send_all(business: &Business, table: &TableRef, object: ObjectId) -> Result<(), Later> {
    while let Some((number, record)) = first_open(table) {
        send(business, object, (number, record)).await?;
        confirm(business, table, number).await?;
    }
    Ok(())
}

fn first_open(table: &TableRef) -> Option<(FollowUpNumber, RecordId)> {
    table.shown().follow_ups().open.first_key_value().map(|(number, record)| (*number, *record))
}

async fn send(
    business: &Business,
    object: ObjectId,
    (number, record): (FollowUpNumber, RecordId),
) -> Result<(), Later> {
    let ask = agenda::command::Ask::Forget { object, record, number };
    let command = agenda::command::Command { caller: nobody(business), ask };
    let answer = business.agenda_handle.ask(command, 1, 64).map_err(|_| Later)?;
    match answer.await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(Refusal::Rejected(rejection))) => {
            panic!("a follow-up cannot be refused, but the agenda said {rejection:?}")
        }
        Ok(Err(Refusal::OutcomeUnknown)) | Err(_) => Err(Later),
    }
}

async fn confirm(business: &Business, table: &TableRef, number: FollowUpNumber) -> Result<(), Later> {
    let ask = table::Ask::ConfirmFollowUp(number);
    let command = table::Command { caller: nobody(business), ask };
    let answer = table.handle().ask(command, 1, 64).map_err(|_| Later)?;
    match answer.await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(_)) | Err(_) => Err(Later),
    }
}

/// The server itself: no member asked for it.
fn nobody(business: &Business) -> Caller {
    Caller {
        member: MemberId(Uuid::nil()),
        members: business.catalog().members.clone(),
        origin: "upsertd".into(),
        batch: BatchId(Uuid::nil()),
    }
}
