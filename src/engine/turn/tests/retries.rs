//! Commands that are sent again with a key: each is decided once, and a restart knows it.

use super::{Partition, archive, is_waiting, nobody, record_of, upsert};
use crate::engine::turn::{Answer, Loop, OutcomeAsk, Refusal, Repetition};
use crate::model::id::{FieldNumber, HistoryId, Position, RecordId, Timestamp};
use crate::model::retry::hash::{Fingerprint, RetryKey};
use crate::model::retry::{
    Answered, OutcomeChange, RecordAnswered, Retry, Statuses, StoredOutcome,
};
use crate::model::state::State;
use crate::model::table::Table;
use crate::model::table::command::{Action, Ask, Command};
use crate::model::table::event_form::{Stored, decode};
use crate::model::table::snapshot_form::{Loader, encode_record};
use crate::model::table::test_support::{BIRTH, Rig, SETTING, encoded_birth};
use crate::storage::part::parts;
use std::convert::Infallible;
use std::sync::Arc;
use tokio::sync::oneshot::{self, Receiver};

fn key(number: u64) -> RetryKey {
    RetryKey::of([&number.to_le_bytes()[..]])
}

/// The command with a key; `of` tells requests apart.
fn keyed(mut command: Command, number: u64, of: u64) -> Command {
    command.caller.retry = Some(Arc::new(Retry {
        key: key(number),
        fingerprint: Fingerprint::of([&of.to_le_bytes()[..]]),
        statuses: Statuses { made: 201, changed: 200, nothing: 204 },
        about: None,
        mentioned: Vec::new(),
        is_open: of % 2 == 1,
    }));
    command
}

fn refusal(
    answer: &mut Receiver<Answer<Table>>,
) -> Refusal<crate::model::table::decide::Rejection> {
    answer.try_recv().unwrap().unwrap_err()
}

fn change(
    partition: &Partition,
    writing: &mut Loop<Table>,
    change: OutcomeChange,
) -> Receiver<Answer<Table>> {
    let (reply, answer) = oneshot::channel();
    let ticket = partition.admission.admit(1, 0).unwrap();
    writing.change_outcomes(OutcomeAsk { change, reply, ticket });
    answer
}

fn kept(table: &Table) -> Vec<Arc<StoredOutcome>> {
    table.outcomes().image().iter().cloned().collect()
}

#[test]
fn a_command_that_comes_again_before_or_after_it_is_durable_is_not_decided_again() {
    let mut partition = Partition::new();
    let mut writing = partition.accounts();
    let ask = upsert(&writing, "a");
    let mut first = partition.ask(&mut writing, keyed(ask, 1, 2));
    let ask = upsert(&writing, "a");
    let mut same = partition.ask(&mut writing, keyed(ask, 1, 2));
    let ask = upsert(&writing, "b");
    let mut other = partition.ask(&mut writing, keyed(ask, 1, 4));
    writing.flush();
    assert!(is_waiting(&mut first) && is_waiting(&mut same) && is_waiting(&mut other));
    partition.sync();
    assert!(!writing.settle());
    let (action, id) = record_of(&mut first);
    assert_eq!(action, Action::Created);
    assert_eq!(refusal(&mut same), Refusal::Repeated(Repetition::SameRequest));
    assert_eq!(refusal(&mut other), Refusal::Repeated(Repetition::OtherRequest));
    let ask = upsert(&writing, "a");
    let mut later = partition.ask(&mut writing, keyed(ask, 1, 2));
    writing.flush();
    assert_eq!(refusal(&mut later), Refusal::Repeated(Repetition::SameRequest), "at once");
    assert_eq!(writing.state().shown().live_count(), 1);
    let kept = kept(writing.state());
    let outcome = kept[0].record().unwrap();
    assert_eq!((kept.len(), kept[0].status, kept[0].at), (1, 201, BIRTH));
    assert_eq!((outcome.id, outcome.version.0, outcome.action), (id, 1, Action::Created));
    assert_eq!(outcome.record, writing.state().shown().record(id));
    assert!(writing.draft.is_empty(), "nothing is left on the draft");
}

#[test]
fn the_outcome_stands_in_the_frame_of_what_it_is_of() {
    let mut partition = Partition::new();
    let mut writing = partition.accounts();
    let ask = upsert(&writing, "a");
    drop(partition.ask(&mut writing, keyed(ask, 1, 2)));
    writing.flush();
    partition.sync();
    let frames = partition.frames();
    let part = parts(&frames[0].payload).next().unwrap().unwrap();
    assert_eq!((frames.len(), part.event_count), (1, 2));
}

#[test]
fn of_a_refused_command_nothing_is_kept_and_of_one_that_changes_nothing_it_is() {
    let mut partition = Partition::new();
    let mut writing = partition.accounts();
    let mut refused = partition.ask(&mut writing, keyed(archive(nobody()), 1, 2));
    writing.flush();
    assert!(matches!(refusal(&mut refused), Refusal::Rejected(_)));
    assert!(kept(writing.state()).is_empty());
    for (number, status) in [(1, 201), (2, 200)] {
        let ask = upsert(&writing, "a");
        drop(partition.ask(&mut writing, keyed(ask, number, 2)));
        writing.flush();
        partition.sync();
        assert!(!writing.settle());
        assert_eq!(kept(writing.state()).last().unwrap().status, status);
    }
    let outcomes = kept(writing.state());
    let unchanged = outcomes[1].record().unwrap();
    assert_eq!((unchanged.version.0, unchanged.action), (1, Action::Updated));
}

#[test]
fn an_open_outcome_is_completed_by_an_event() {
    let mut partition = Partition::new();
    let mut writing = partition.accounts();
    let ask = upsert(&writing, "a");
    drop(partition.ask(&mut writing, keyed(ask, 1, 3)));
    writing.flush();
    partition.sync();
    assert!(!writing.settle());
    assert!(kept(writing.state())[0].is_open);
    let mut done = change(&partition, &mut writing, OutcomeChange::Completed(key(1)));
    writing.flush();
    assert!(is_waiting(&mut done) && kept(writing.state())[0].is_open);
    partition.sync();
    assert!(!writing.settle());
    done.try_recv().unwrap().unwrap();
    assert!(!kept(writing.state())[0].is_open);
}

/// `SplitMix64`, so that a failure is repeated by its seed.
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (word ^ (word >> 31)) % bound
    }
}

/// Whatever is asked in whatever order, each key has one effect, and what a log or a snapshot gives
/// back is what was live.
#[test]
fn replay_and_snapshot_give_the_outcomes_that_were_live() {
    for seed in 0..60 {
        let mut chance = Chance(seed);
        let mut partition = Partition::new();
        let mut writing = partition.accounts();
        let mut answers = Vec::new();
        for step in 0..80_i64 {
            writing.set_time(Timestamp(BIRTH.0 + step));
            play(&partition, &mut writing, &mut chance, &mut answers);
            if chance.below(4) == 0 {
                writing.flush();
                partition.sync();
                while writing.settle() {}
            }
        }
        writing.flush();
        partition.sync();
        while writing.settle() {}
        assert!(writing.draft.is_empty(), "seed {seed}");
        check_answers(&mut answers, seed);
        let live = kept(writing.state());
        assert_eq!(live, kept(&replayed(&partition)), "seed {seed}");
        let (image, digest) = reloaded(&mut writing);
        assert_eq!(live, kept(&image), "seed {seed}");
        let (again, same_digest) = reloaded_table(image);
        assert_eq!((live, digest), (kept(&again), same_digest), "seed {seed}");
    }
}

type Asked = ((u64, u64), Receiver<Answer<Table>>);

/// One step of chance: a keyed command, or a change of what is kept.
fn play(
    partition: &Partition,
    writing: &mut Loop<Table>,
    chance: &mut Chance,
    answers: &mut Vec<Asked>,
) {
    let name = format!("name {}", chance.below(5));
    let schema = writing.state().shown().schema();
    let holder = writing.state().shown().holder(&schema.identifier_key(&name).unwrap());
    let id = holder.map_or_else(nobody, |record| record.id());
    let command = match chance.below(8) {
        0 => archive(id),
        1 => Command { ask: Ask::Purge(id), ..archive(id) },
        2 => {
            let before = Timestamp(writing.moment.at().0 - 20);
            drop(change(partition, writing, OutcomeChange::Dropped { before }));
            return;
        }
        3 => {
            let key = key(chance.below(40));
            drop(change(partition, writing, OutcomeChange::Completed(key)));
            return;
        }
        _ => upsert(writing, &name),
    };
    let sent = (chance.below(40), chance.below(3));
    let answer = partition.ask(writing, keyed(command, sent.0, sent.1));
    answers.push((sent, answer));
}

/// Between two answers of one key that were carried out, the first was dropped; a repetition is
/// always of an earlier answer.
fn check_answers(answers: &mut [Asked], seed: u64) {
    let mut carried_out: Vec<(u64, u64)> = Vec::new();
    for (sent, answer) in answers {
        match answer.try_recv().unwrap() {
            Ok(_) => carried_out.push(*sent),
            Err(Refusal::Repeated(repetition)) => {
                let last = carried_out.iter().rev().find(|done| done.0 == sent.0);
                let is_same = last.unwrap_or_else(|| panic!("seed {seed}")).1 == sent.1;
                assert_eq!(repetition == Repetition::SameRequest, is_same, "seed {seed}");
            }
            Err(Refusal::Rejected(_)) => {}
            Err(Refusal::OutcomeUnknown) => panic!("seed {seed}"),
        }
    }
}

/// The table that the log gives.
fn replayed(partition: &Partition) -> Table {
    let mut bytes = encoded_birth(&Rig::accounts());
    for frame in partition.frames() {
        for part in parts(&frame.payload) {
            bytes.extend_from_slice(part.unwrap().events);
        }
    }
    Table::from_birth(&bytes, SETTING).unwrap().0
}

/// The table that a snapshot gives, and its digest.
fn reloaded(writing: &mut Loop<Table>) -> (Table, u128) {
    let (state, _) = writing.state_at_barrier();
    load(state)
}

fn reloaded_table(mut table: Table) -> (Table, u128) {
    load(&mut table)
}

fn load(table: &mut Table) -> (Table, u128) {
    let image = table.open_image(Position(1));
    let state = image.encode_state();
    let (mut bytes, mut count) = (Vec::new(), 0);
    let walked = image.scan.walk(&image.shown.order, |chunk| {
        for record in chunk {
            encode_record(record, &mut bytes);
        }
        count += u32::try_from(chunk.len()).unwrap();
        Ok::<(), Infallible>(())
    });
    assert_eq!(walked, Ok(()));
    let digest = image.digest(&state);
    let history = HistoryId::from_bytes([3; 16]);
    let loader = Loader::new(&state, history, SETTING, 10).unwrap();
    let sum = loader.load(&bytes, crate::model::id::Slot(0)).unwrap();
    (loader.finish(count, sum, digest).unwrap(), digest)
}

#[test]
fn a_purge_forgets_the_values_that_outcomes_keep() {
    let mut partition = Partition::new();
    let mut writing = partition.accounts();
    let ask = upsert(&writing, "a");
    let mut made = partition.ask(&mut writing, keyed(ask, 1, 2));
    settle(&mut partition, &mut writing);
    let (_, id): (Action, RecordId) = record_of(&mut made);
    let bytes = writing.state().outcomes().bytes();
    drop(partition.ask(&mut writing, archive(id)));
    drop(partition.ask(&mut writing, Command { ask: Ask::Purge(id), ..archive(id) }));
    settle(&mut partition, &mut writing);
    let kept = kept(writing.state());
    let Answered::Record(answered) = &kept[0].answered else { panic!("{kept:?}") };
    assert_eq!(answered.record, None);
    assert!(writing.state().outcomes().bytes() < bytes);
    assert_eq!(kept, self::kept(&replayed(&partition)));
}

fn settle(partition: &mut Partition, writing: &mut Loop<Table>) {
    writing.flush();
    partition.sync();
    while writing.settle() {}
}

/// What was written once must be read for ever.
#[test]
fn the_stored_form_of_an_outcome_stays_as_it_is() {
    let mut partition = Partition::new();
    let mut writing = partition.accounts();
    let ask = upsert(&writing, "a");
    drop(partition.ask(&mut writing, keyed(ask, 1, 3)));
    settle(&mut partition, &mut writing);
    let frames = partition.frames();
    let part = parts(&frames[0].payload).next().unwrap().unwrap();
    let rest = &mut &*part.events;
    decode(rest).unwrap();
    // The last field of the event: a binary, which ends it.
    let kept = kept(writing.state());
    let RecordAnswered { id, filled, changed, .. } = kept[0].record().unwrap();
    let numbers = |list: &[FieldNumber]| {
        let count = 0x90 | u8::try_from(list.len()).unwrap();
        let numbers = list.iter().map(|number| u8::try_from(number.0).unwrap());
        std::iter::once(count).chain(numbers).collect::<Vec<u8>>()
    };
    let hash = |name: &str, of: &[u8]| {
        let bytes = rmp_serde::to_vec_named(&RetryKey::of([of])).unwrap();
        [&[0xa0 | u8::try_from(name.len()).unwrap()], name.as_bytes(), &bytes].concat()
    };
    let at = [&b"\xa2at"[..], &[0xcf], &u64::try_from(BIRTH.0).unwrap().to_be_bytes()].concat();
    let stored = [
        &b"\x81\xa6stored\x86"[..],
        &hash("key", &1_u64.to_le_bytes()),
        &hash("fingerprint", &3_u64.to_le_bytes()),
        &at,
        b"\xa6status\xcc\xc9\xa7is_open\xc3\xa8answered\x81\xa6record\x86\xa2id\xc4\x10",
        id.as_bytes(),
        b"\xa7version\x01\xa6action\xa7created\xa6filled",
        &numbers(filled),
        b"\xa7changed",
        &numbers(changed),
        b"\xa9mentioned\x90",
    ]
    .concat();
    assert!(rest.ends_with(&stored), "{}", String::from_utf8_lossy(rest));
    let (_, event) = decode(rest).unwrap();
    let Stored::Outcome { change: OutcomeChange::Stored(outcome) } = event else {
        panic!("{event:?}")
    };
    assert_eq!(outcome.record().map(|record| record.version.0), Some(1));
}
