//! The engine over a log in memory: writers, actors and handles as the server has them.

use crate::ambient::{Clock, SettableClock};
use crate::engine::bootstrap::Bootstrap;
use crate::engine::business::{Business, TableRef};
use crate::engine::partition::Stopped;
use crate::engine::test_support::{in_memory, no_states, over};
use crate::engine::{AskError, Engine};
use crate::model::access::Rights;
use crate::model::id::{BatchId, BusinessId, ObjectId, Position, RecordId, Timestamp, UserId};
use crate::model::schema::new_object::NewObject;
use crate::model::schema::system;
use crate::model::table::command::{
    Action, Ask, Caller, Command, EntryIndex, Identifier, Outcome, Reply, Write, Writes,
};
use crate::model::table::decide::Rejection;
use crate::model::table::intent::Intent;
use crate::model::table::others::Others;
use crate::model::value::{Change, Value};
use crate::model::{agenda, catalog};
use crate::storage::log::LogReader as _;
use crate::storage::memory_log::MemoryFrames;
use std::sync::Arc;
use uuid::Uuid;

pub(super) const BUSINESS: BusinessId = BusinessId::from_bytes([7; 16]);
pub(super) const USER: UserId = UserId::from_bytes([8; 16]);

async fn start(rows_max: usize) -> (Arc<Engine>, Arc<Business>) {
    let bootstrap =
        Bootstrap { api_key: "upd_secret".into(), business_id: BUSINESS, user_id: USER };
    let engine = in_memory(bootstrap, rows_max, Clock::system()).await;
    let business = engine.business(BUSINESS).expect("the first start makes it");
    (engine, business)
}

pub(super) fn caller(business: &Business) -> Caller {
    let catalog = business.catalog();
    let member = catalog.members.by_user(&USER).expect("the first start makes the administrator");
    Caller {
        member: member.id,
        members: catalog.members.clone(),
        rights: Arc::new(Rights::administrator(member.id)),
        others: Others::default(),
        origin: "test".into(),
        batch: BatchId(Uuid::nil()),
        retry: None,
    }
}

pub(super) fn upsert(table: &TableRef, caller: Caller, email: &str, first_name: &str) -> Command {
    let schema = table.shown().schema();
    let change = Change::Set(Value::Text(first_name.into()));
    let entries = vec![Write { index: EntryIndex::default(), field: system::FIRST_NAME, change }];
    let key = schema.identifier_key(email).expect("not blank");
    let upsert = Intent::of_identifier(
        Identifier { text: email.into(), key, fault: None },
        Writes { schema: schema.number(), entries, ..Writes::default() },
    );
    Command { caller, ask: Ask::Upsert(Box::new(upsert)) }
}

fn outcome(reply: Reply) -> Outcome {
    let Reply::Record(outcome) = reply else { panic!("an upsert answers a record, not {reply:?}") };
    outcome
}

#[actix::test]
async fn of_64_callers_on_one_name_exactly_one_creates() {
    let (engine, business) = start(65_536).await;
    let table = business.table_of("client_client").expect("the contact object");
    let asks = (0..64).map(|at| {
        let (engine, business, table) = (engine.clone(), business.clone(), table.clone());
        async move {
            let command =
                upsert(&table, caller(&business), "ADA@example.com", &format!("Ada {at}"));
            outcome(engine.ask_table(&table, command, 100).await.unwrap())
        }
    });
    let outcomes = futures_util::future::join_all(asks).await;
    let created = outcomes.iter().filter(|it| it.action == Action::Created).count();
    let id = outcomes[0].record.id();
    assert_eq!(created, 1);
    assert!(outcomes.iter().all(|it| it.record.id() == id));
    let mut versions: Vec<u32> = outcomes.iter().map(|it| it.record.version().0).collect();
    versions.sort_unstable();
    assert_eq!(versions, (1..=64).collect::<Vec<u32>>());
    assert_eq!(table.shown().live_count(), 1);
    assert!(matches!(engine.close().await, Stopped::Clean));
}

#[actix::test]
async fn a_full_queue_answers_at_once_and_takes_rows_again() {
    let (engine, business) = start(8).await;
    let table = business.table_of("client_client").unwrap();
    let asks = (0..200).map(|at| {
        let (engine, business, table) = (engine.clone(), business.clone(), table.clone());
        async move {
            let command = upsert(&table, caller(&business), &format!("{at}@example.com"), "A");
            engine.ask_table(&table, command, 100).await
        }
    });
    let answers = futures_util::future::join_all(asks).await;
    let refused =
        answers.iter().filter(|answer| matches!(answer, Err(AskError::Overloaded { .. }))).count();
    let done = answers.iter().filter(|answer| answer.is_ok()).count();
    assert!(refused > 0 && done >= 8, "{refused} refused, {done} done");
    assert_eq!(refused + done, 200);
    assert_eq!(table.shown().live_count(), done, "what was refused was not done");
    let command = upsert(&table, caller(&business), "later@example.com", "A");
    assert!(engine.ask_table(&table, command, 100).await.is_ok());
}

#[actix::test]
async fn a_new_object_takes_writes_when_its_creation_is_answered() {
    let (engine, business) = start(1024).await;
    let new = NewObject { object_name: Some("Accounts".into()), ..NewObject::default() };
    let ask = catalog::command::Ask::CreateObject(Box::new(new));
    let command = catalog::command::Command { caller: caller(&business), ask };
    let reply = engine.ask_catalog(&business, command, 100).await.unwrap();
    let catalog::command::Reply::Object(schema) = reply else { panic!("{reply:?}") };
    assert_eq!(schema.object().name, "accounts");
    let table = business.table_of("accounts").expect("it is in the directory");
    let asks = (0..40).map(|at| {
        let mut command = upsert(&table, caller(&business), &format!("Acme {at}"), "-");
        let Ask::Upsert(upsert) = &mut command.ask else { unreachable!() };
        upsert.writes.entries.clear();
        engine.ask_table(&table, command, 100)
    });
    let answers = futures_util::future::join_all(asks).await;
    assert!(answers.into_iter().all(|answer| outcome(answer.unwrap()).action == Action::Created));
}

#[actix::test]
async fn a_purged_record_is_forgotten_by_the_agenda() {
    let (engine, business) = start(1024).await;
    let table = business.table_of("client_client").unwrap();
    let object = table.shown().schema().object().id;
    let command = upsert(&table, caller(&business), "ada@example.com", "Ada");
    let id = outcome(engine.ask_table(&table, command, 100).await.unwrap()).record.id();
    schedule(&engine, &business, agenda::Association { object, record: id }).await;
    assert_eq!(business.agenda().upcoming(id), 1);
    for ask in [Ask::Archive(id), Ask::Purge(id)] {
        let command = Command { caller: caller(&business), ask };
        engine.ask_table(&table, command, 100).await.unwrap();
    }
    while !table.shown().follow_ups().open.is_empty() {
        tokio::task::yield_now().await;
    }
    assert_eq!((business.agenda().upcoming(id), business.agenda().of_record(id).len()), (0, 0));
}

/// The story: the table's event and the directory's are in frames of their own, so a crash may leave
/// an object that is archived under the name that others wait for.
#[actix::test]
async fn the_name_of_an_archived_object_is_given_free_by_the_next_start() {
    let bootstrap =
        || Bootstrap { api_key: "upd_secret".into(), business_id: BUSINESS, user_id: USER };
    let frames = MemoryFrames::default();
    let first = (no_states(), frames.clone());
    let engine = over(bootstrap(), 1024, Clock::system(), first).await;
    let business = engine.business(BUSINESS).unwrap();
    let object = create_object(&engine, &business, "Deals").await;
    let table = business.table(object).unwrap();
    engine.archive_object(&business, &table, caller(&business)).await.unwrap();
    assert!(business.table(object).is_none() && business.table_of("deals").is_none());
    let name = business.catalog().object(object).unwrap().name.clone();
    let again = engine.archive_object(&business, &table, caller(&business)).await;
    assert_eq!(again, Err(AskError::Rejected(Rejection::ObjectArchived)));
    assert!(matches!(engine.close().await, Stopped::Clean));

    let mut states = no_states();
    for frame in frames.read(Position(0), usize::MAX).unwrap() {
        for part in frame.parts().map(Result::unwrap) {
            let archived = states.tables.get(&object).map(|table| table.shown().schema());
            let is_archived = archived.is_some_and(|it| it.object().archived_at.is_some());
            // What the crash has taken: all that came behind the table's own event.
            if !is_archived {
                states.replay(frame.position, &part).unwrap();
            }
        }
    }
    assert_eq!(states.catalogs[&BUSINESS].shown().load().object_of_name("deals"), Some(object));
    let engine = over(bootstrap(), 1024, Clock::system(), (states, frames)).await;
    let business = engine.business(BUSINESS).unwrap();
    assert!(business.table(object).is_none() && business.table_of("deals").is_none());
    while business.catalog().object_of_name("deals").is_some() {
        tokio::task::yield_now().await;
    }
    assert_eq!(business.catalog().object_of_name(&name), Some(object), "the same name");
    assert!(business.table_of(&name).is_none() && business.any_table(object).is_some());
    assert_eq!(business.tables().len() + 1, business.all_tables().len());
    let other = create_object(&engine, &business, "Deals").await;
    assert_eq!(business.catalog().object_of_name("deals"), Some(other));
}

async fn create_object(engine: &Engine, business: &Business, label: &str) -> ObjectId {
    let new = NewObject { object_name: Some(label.into()), ..NewObject::default() };
    let ask = catalog::command::Ask::CreateObject(Box::new(new));
    let command = catalog::command::Command { caller: caller(business), ask };
    let reply = engine.ask_catalog(business, command, 100).await.unwrap();
    let catalog::command::Reply::Object(schema) = reply else { panic!("{reply:?}") };
    schema.object().id
}

async fn schedule(engine: &Engine, business: &Business, about: agenda::Association) {
    let schedule = agenda::command::Schedule {
        activity_type: business.agenda().types()[0].id,
        note: String::new(),
        due: engine.clock().now(),
        employee: None,
        role: None,
        mentions: Vec::new(),
        notifications: "[]".into(),
        associations: vec![about],
    };
    let ask = agenda::command::Ask::Schedule(Box::new(schedule));
    let command = agenda::command::Command { caller: caller(business), ask };
    engine.ask_agenda(business, command, 100).await.unwrap();
}

#[actix::test]
async fn an_unknown_record_is_refused_and_changes_nothing() {
    let (engine, business) = start(1024).await;
    let table = business.table_of("client_client").unwrap();
    let before = table.shown().sequence();
    let command = Command { caller: caller(&business), ask: Ask::Archive(RecordId(Uuid::nil())) };
    let answer = engine.ask_table(&table, command, 100).await;
    assert!(matches!(answer, Err(AskError::Rejected(_))));
    assert_eq!(table.shown().sequence(), before);
}

/// The story: with a bare maximum, one second in 2099 would pin every later time to 2099.
#[actix::test]
async fn a_clock_that_falls_back_stands_still_for_an_hour_at_most() {
    const HOUR_MS: i64 = 60 * 60 * 1000;
    let start_ms = 1_795_498_800_000;
    let hands = SettableClock::at(Timestamp(start_ms));
    let bootstrap =
        Bootstrap { api_key: "upd_secret".into(), business_id: BUSINESS, user_id: USER };
    let engine = in_memory(bootstrap, 1024, hands.clock()).await;
    let business = engine.business(BUSINESS).expect("the first start makes it");
    let table = business.table_of("client_client").expect("the contact object");
    let far = start_ms + 1000 * HOUR_MS;
    for (at, (now, expected)) in [
        (start_ms + 5, start_ms + 5),
        (start_ms + 4, start_ms + 5),
        (start_ms + 6, start_ms + 6),
        (far, far),
        (far - HOUR_MS + 1, far),
        (far - HOUR_MS, far - HOUR_MS),
        (start_ms, start_ms),
    ]
    .into_iter()
    .enumerate()
    {
        hands.set_wall(Timestamp(now));
        let command = upsert(&table, caller(&business), "ada@example.com", &format!("Ada {at}"));
        let record = outcome(engine.ask_table(&table, command, 100).await.unwrap()).record;
        assert_eq!(record.time(system::UPDATED), Some(Timestamp(expected)), "step {at}");
    }
}
