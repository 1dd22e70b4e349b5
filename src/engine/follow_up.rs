//! Follow-ups: what one writer's event asks of another writer, sent when that event is durable.
//!
//! The sender numbers them in its state and keeps those that are not confirmed; the receiver keeps
//! the last number of each sender. So a follow-up is sent again after a crash, and done once. They
//! go out one at a time per sender: the receiver's last number says that all before it have come.

use crate::engine::business::{Business, Directory, TableRef};
use crate::engine::turn::Refusal;
use crate::model::access::Rights;
use crate::model::agenda;
use crate::model::catalog::command as catalog;
use crate::model::catalog::member::Members;
use crate::model::id::{BatchId, MemberId, ObjectId, RecordId};
use crate::model::table::Shown;
use crate::model::table::command::{self as table, Caller};
use crate::model::table::decide as table_decide;
use crate::model::table::event::{FollowUpNumber, SERVER};
use crate::model::table::others::Others;
use crate::model::table::schema_command::SchemaAsk;
use parking_lot::Mutex;
use std::collections::BTreeSet;
use std::sync::Arc;
use tokio::sync::Notify;
use uuid::Uuid;

/// Which tables have follow-ups that may not have been sent, and whether they may be confirmed.
#[derive(Default)]
pub struct FollowUpSignal {
    tables: Mutex<Tables>,
    notify: Notify,
}

#[derive(Default)]
struct Tables {
    waiting: BTreeSet<ObjectId>,
    /// Sent, and not confirmed because of a hold.
    held_back: BTreeSet<ObjectId>,
    holds: usize,
}

/// While it lives, no follow-up is confirmed.
///
/// A snapshot takes the agenda before the tables, each as of its own position. A follow-up that the
/// agenda got after it was taken, and that its table confirmed before it was taken, would be in
/// neither: restored from that file alone, nobody would ever send it again.
pub struct Hold(Arc<FollowUpSignal>);

impl FollowUpSignal {
    /// A follow-up of this table has become durable.
    pub(super) fn raise(&self, object: ObjectId) {
        self.tables.lock().waiting.insert(object);
        self.notify.notify_one();
    }

    fn take(&self) -> BTreeSet<ObjectId> {
        std::mem::take(&mut self.tables.lock().waiting)
    }

    /// Lets nothing be confirmed until the hold is dropped.
    #[must_use]
    pub fn hold(self: &Arc<Self>) -> Hold {
        self.tables.lock().holds += 1;
        Hold(self.clone())
    }

    /// Whether what a table has sent must not be confirmed now. It is sent again after the hold.
    #[must_use]
    pub fn holds_back(&self, object: ObjectId) -> bool {
        let mut tables = self.tables.lock();
        if tables.holds > 0 {
            tables.held_back.insert(object);
        }
        tables.holds > 0
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        let mut tables = self.0.tables.lock();
        tables.holds -= 1;
        if tables.holds == 0 {
            let mut held_back = std::mem::take(&mut tables.held_back);
            tables.waiting.append(&mut held_back);
        }
        drop(tables);
        self.0.notify.notify_one();
    }
}

/// A writer did not take a follow-up now.
pub(super) struct Later;

/// Sends follow-ups for as long as it runs.
pub(super) async fn send_for_ever(businesses: Arc<Directory>, signal: Arc<FollowUpSignal>) {
    for business in businesses.load_full().values() {
        for table in business.all_tables() {
            let object = table.shown().schema().object().id;
            let is_open = !table.shown().follow_ups().open.is_empty();
            let is_behind = next_removal(business, &table).is_some();
            if is_open || is_behind || name_to_discard(business, &table).is_some() {
                signal.raise(object);
            }
        }
    }
    loop {
        signal.notify.notified().await;
        for object in signal.take() {
            let known = businesses.load_full();
            let found =
                known.values().find_map(|business| Some((business, business.any_table(object)?)));
            let Some((business, table)) = found else { continue };
            if send_all(business, &table, object, &signal).await.is_err() {
                tokio::time::sleep(std::time::Duration::from_millis(100)).await;
                signal.raise(object);
            }
        }
    }
}

async fn send_all(
    business: &Business,
    table: &TableRef,
    object: ObjectId,
    signal: &FollowUpSignal,
) -> Result<(), Later> {
    while let Some(follow_up) = oldest_open(table.shown()) {
        send(business, object, follow_up).await?;
        // Asked only now: where a round begins after this, it takes an agenda that has it.
        if signal.holds_back(object) {
            return Ok(());
        }
        confirm(business, table, follow_up).await?;
    }
    tell_removals(business, table, signal).await?;
    discard_name(business, table).await
}

/// Tells all tables of a business of the members who are gone. Where one has too much to do,
/// whoever sends follow-ups goes on trying.
pub(super) async fn tell_all_removals(business: &Business, signal: &FollowUpSignal) {
    let tables = business.tables();
    let told = tables.iter().map(|table| tell_removals(business, table, signal));
    drop(futures_util::future::join_all(told).await);
}

/// A member who is gone, of whom a table has to be told.
fn next_removal(business: &Business, table: &TableRef) -> Option<MemberId> {
    let schema = table.shown().schema();
    if schema.object().archived_at.is_some() {
        return None;
    }
    let members = business.catalog().members.clone();
    members.gone().iter().copied().find(|member| schema.misses_removal(*member))
}

/// Tells a table of the members who are gone. It needs no number: the table's own schema says of
/// whom it was told.
async fn tell_removals(
    business: &Business,
    table: &TableRef,
    signal: &FollowUpSignal,
) -> Result<(), Later> {
    while let Some(member) = next_removal(business, table) {
        // A round that has taken the catalog before must not take the table behind this.
        if signal.holds_back(table.shown().object()) {
            return Ok(());
        }
        let ask = table::Ask::ChangeSchema(SchemaAsk::RemoveMember(member));
        let caller = nobody(business.catalog().members.clone());
        let command = table::Command { caller, ask };
        let answer = table.handle().ask(command, 1, 64).map_err(|_| Later)?;
        match answer.await {
            Ok(Ok(_)) => {}
            // The object was archived meanwhile.
            Ok(Err(Refusal::Rejected(table_decide::Rejection::ObjectArchived))) => return Ok(()),
            Ok(Err(Refusal::Rejected(rejection))) => {
                panic!("a follow-up cannot be refused, but the table said {rejection:?}")
            }
            Ok(Err(Refusal::Repeated(_) | Refusal::OutcomeUnknown)) | Err(_) => return Err(Later),
        }
    }
    Ok(())
}

/// What the directory has to be asked about a table, as of what both say now. It needs no receipt:
/// the directory's own entry is one.
fn name_to_discard(business: &Business, table: &TableRef) -> Option<catalog::Ask> {
    let schema = table.shown().schema();
    let archived_at = schema.object().archived_at?;
    let object = schema.object().id;
    let catalog = business.catalog();
    let entry = catalog.object(object).expect("every table has its entry");
    (!entry.is_archived).then_some(catalog::Ask::DiscardName { object, archived_at })
}

/// Gives the name of an archived object free.
pub(super) async fn discard_name(business: &Business, table: &TableRef) -> Result<(), Later> {
    let Some(ask) = name_to_discard(business, table) else { return Ok(()) };
    let command = catalog::Command { caller: nobody(business.catalog().members.clone()), ask };
    let answer = business.catalog_handle.ask(command, 1, 64).map_err(|_| Later)?;
    match answer.await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(Refusal::Rejected(rejection))) => {
            panic!("a follow-up cannot be refused, but the catalog said {rejection:?}")
        }
        Ok(Err(Refusal::Repeated(_) | Refusal::OutcomeUnknown)) | Err(_) => Err(Later),
    }
}

async fn send(business: &Business, object: ObjectId, follow_up: FollowUp) -> Result<(), Later> {
    let command = follow_up.forget(object, business.catalog().members.clone());
    let answer = business.agenda_handle.ask(command, 1, 64).map_err(|_| Later)?;
    match answer.await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(Refusal::Rejected(rejection))) => {
            panic!("a follow-up cannot be refused, but the agenda said {rejection:?}")
        }
        Ok(Err(Refusal::Repeated(_) | Refusal::OutcomeUnknown)) | Err(_) => Err(Later),
    }
}

async fn confirm(business: &Business, table: &TableRef, follow_up: FollowUp) -> Result<(), Later> {
    let command = follow_up.confirm(business.catalog().members.clone());
    let answer = table.handle().ask(command, 1, 64).map_err(|_| Later)?;
    match answer.await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(_)) | Err(_) => Err(Later),
    }
}

/// One that is not confirmed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FollowUp {
    pub number: FollowUpNumber,
    /// The record that was purged.
    pub record: RecordId,
}

/// The one that a table must send next.
#[must_use]
pub fn oldest_open(table: &Shown) -> Option<FollowUp> {
    let follow_ups = table.follow_ups();
    follow_ups
        .open
        .first_key_value()
        .map(|(number, record)| FollowUp { number: *number, record: *record })
}

impl FollowUp {
    /// What the agenda is asked.
    #[must_use]
    pub fn forget(self, object: ObjectId, members: Arc<Members>) -> agenda::command::Command {
        let Self { number, record } = self;
        let ask = agenda::command::Ask::Forget { object, record, number };
        agenda::command::Command { caller: nobody(members), ask }
    }

    /// What the table is asked when the agenda has answered.
    #[must_use]
    pub fn confirm(self, members: Arc<Members>) -> table::Command {
        table::Command { caller: nobody(members), ask: table::Ask::ConfirmFollowUp(self.number) }
    }
}

/// The server itself: no member asked for it.
pub(super) fn nobody(members: Arc<Members>) -> Caller {
    Caller {
        member: MemberId(Uuid::nil()),
        members,
        rights: Arc::new(Rights::administrator(MemberId(Uuid::nil()))),
        others: Others::default(),
        origin: SERVER.into(),
        batch: BatchId(Uuid::nil()),
        retry: None,
    }
}

#[cfg(test)]
mod tests {
    use super::FollowUpSignal;
    use crate::model::id::ObjectId;
    use std::collections::BTreeSet;
    use std::sync::Arc;

    /// A round of snapshots once took the agenda before a follow-up and its table behind the receipt.
    #[test]
    fn what_a_hold_keeps_back_is_sent_again_when_the_last_one_ends() {
        let (signal, object) = (Arc::new(FollowUpSignal::default()), ObjectId::from_bytes([1; 16]));
        assert!(!signal.holds_back(object), "nobody holds");
        let (first, second) = (signal.hold(), signal.hold());
        assert!(signal.holds_back(object));
        drop(first);
        assert!(signal.holds_back(object) && signal.take().is_empty(), "one hold is left");
        drop(second);
        assert!(!signal.holds_back(object));
        assert_eq!(signal.take(), BTreeSet::from([object]));
    }
}
