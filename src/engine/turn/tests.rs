//! The loop over a log in memory, its committer stepped by hand: what is seen and answered when.

mod retries;

use super::{Announce, Answer, Ask, AskRows, Loop, LoopParts, PART_BYTES, ROWS_PER_TURN, Refusal};
use crate::engine::admission::{Admission, AdmissionLimits};
use crate::model::catalog::command as catalog_command;
use crate::model::catalog::{self, Catalog};
use crate::model::id::{BusinessId, ObjectId, Position, RecordId, Sequence, Timestamp, WriterId};
use crate::model::moment::Moment;
use crate::model::schema::new_object::NewObject;
use crate::model::state::State;
use crate::model::table::Table;
use crate::model::table::command::{Action, Command, Writes};
use crate::model::table::command::{Ask as TableAsk, Reply};
use crate::model::table::decide::Rejection;
use crate::model::table::event::Event;
use crate::model::table::intent::Intent;
use crate::model::table::test_support::{BIRTH, Rig, SETTING, caller, nobody};
use crate::storage::committer::{CommitOptions, CommitQueue, Committer, Seat, Wake};
use crate::storage::log::{FrameOwned, LogReader};
use crate::storage::memory_log::MemoryFrames;
use parking_lot::Mutex;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use tokio::sync::oneshot;
use tokio::sync::oneshot::error::TryRecvError;

/// Counts its wakes.
#[derive(Default)]
struct Bell(AtomicUsize);

struct Ringing(Arc<Bell>);

impl Wake for Ringing {
    fn wake(&self) {
        self.0.0.fetch_add(1, SeqCst);
    }
}

struct Partition {
    queue: Arc<CommitQueue>,
    frames: MemoryFrames,
    committer: Committer,
    admission: Arc<Admission>,
}

impl Partition {
    fn new() -> Self {
        let frames = MemoryFrames::default();
        let queue = CommitQueue::new(Position(0), CommitOptions::default());
        let committer = Committer::new(queue.clone(), Box::new(frames.lead()));
        let limits = AdmissionLimits { rows_max: 100_000, bytes_max: 1 << 30 };
        Self { queue, frames, committer, admission: Admission::new(limits) }
    }

    fn writing<S: State>(&self, state: S, announce: Announce<S>) -> (Loop<S>, Arc<Bell>) {
        let bell = Arc::new(Bell::default());
        let parts = LoopParts {
            queue: self.queue.clone(),
            seat: Seat::new(Box::new(Ringing(bell.clone()))),
            moment: Moment::new(11, BIRTH),
            announce,
        };
        (Loop::new(state, parts), bell)
    }

    /// A loop over an empty table of accounts.
    fn accounts(&self) -> Loop<Table> {
        self.writing(Rig::accounts().table, Box::new(|_| ())).0
    }

    /// Makes everything durable that was handed over.
    fn sync(&mut self) {
        while self.committer.step().unwrap() {}
    }

    fn frames(&self) -> Vec<FrameOwned> {
        self.frames.read(Position(0), usize::MAX).unwrap()
    }

    fn ask<S: State>(
        &self,
        writing: &mut Loop<S>,
        command: S::Command,
    ) -> oneshot::Receiver<Answer<S>> {
        let (reply, answer) = oneshot::channel();
        let ticket = self.admission.admit(1, 1).unwrap();
        writing.decide(Ask { command, reply, ticket });
        answer
    }

    fn ask_rows(
        &self,
        writing: &mut Loop<Table>,
        commands: Vec<Command>,
    ) -> oneshot::Receiver<Vec<Answer<Table>>> {
        let (reply, answers) = oneshot::channel();
        let ticket = self.admission.admit(commands.len(), 1).unwrap();
        writing.decide_rows(AskRows { commands, reply, ticket });
        answers
    }
}

fn upsert(writing: &Loop<Table>, name: &str) -> Command {
    let schema = writing.state().shown().schema();
    let lookup = crate::model::table::command::Identifier {
        text: name.into(),
        key: schema.identifier_key(name).unwrap(),
        fault: None,
    };
    let upsert =
        Intent::of_identifier(lookup, Writes { schema: schema.number(), ..Writes::default() });
    Command { caller: caller(), ask: TableAsk::Upsert(Box::new(upsert)) }
}

fn archive(id: RecordId) -> Command {
    Command { caller: caller(), ask: TableAsk::Archive(id) }
}

fn is_waiting(answer: &mut oneshot::Receiver<Answer<Table>>) -> bool {
    matches!(answer.try_recv(), Err(TryRecvError::Empty))
}

fn record_of(answer: &mut oneshot::Receiver<Answer<Table>>) -> (Action, RecordId) {
    match answer.try_recv().unwrap() {
        Ok(Reply::Record(outcome)) => (outcome.action, outcome.record.id()),
        other => panic!("{other:?}"),
    }
}

fn is_visible(writing: &Loop<Table>, name: &str) -> bool {
    let shown = writing.state().shown();
    shown.holder(&shown.schema().identifier_key(name).unwrap()).is_some()
}

#[test]
fn nothing_is_visible_announced_or_answered_before_it_is_durable() {
    let mut partition = Partition::new();
    let told = Arc::new(Mutex::new(Vec::new()));
    let tell = told.clone();
    let rig = Rig::accounts();
    let shown = rig.table.shown();
    let announce: Announce<Table> = Box::new(move |event: &Event| {
        // Visible before it is announced.
        assert!(shown.sequence() >= event.sequence().unwrap());
        tell.lock().push(event.sequence().unwrap());
    });
    let (mut writing, bell) = partition.writing(rig.table, announce);
    let first = upsert(&writing, "a");
    let mut first = partition.ask(&mut writing, first);
    writing.flush();
    assert!(!writing.settle() && !is_visible(&writing, "a") && is_waiting(&mut first));
    assert!(told.lock().is_empty() && bell.0.load(SeqCst) == 0);
    partition.sync();
    assert_eq!(bell.0.load(SeqCst), 1, "woken once for the frame");
    assert!(!is_visible(&writing, "a") && is_waiting(&mut first), "not before it is settled");
    assert!(!writing.settle());
    assert!(is_visible(&writing, "a") && writing.is_settled());
    assert_eq!(record_of(&mut first).0, Action::Created);
    assert_eq!(*told.lock(), [Sequence(2)]);
    assert_eq!(partition.admission.rows(), 0, "the answered gave back what was admitted");
}

#[test]
fn answers_keep_their_order_and_see_the_draft() {
    let mut partition = Partition::new();
    let mut writing = partition.accounts();
    let ask = upsert(&writing, "a");
    let mut created = partition.ask(&mut writing, ask);
    writing.flush();
    partition.committer.step().unwrap();
    let ask = upsert(&writing, " A");
    let mut updated = partition.ask(&mut writing, ask);
    let ask = archive(nobody());
    let mut refused = partition.ask(&mut writing, ask);
    writing.flush();
    assert!(is_waiting(&mut updated) && is_waiting(&mut refused), "the neighbour is undurable");
    assert!(!writing.settle());
    let (action, id) = record_of(&mut created);
    assert_eq!(action, Action::Created);
    assert_eq!(record_of(&mut updated), (Action::Updated, id));
    assert_eq!(refused.try_recv().unwrap().unwrap_err(), Refusal::Rejected(Rejection::NotFound));
}

#[test]
fn what_changes_nothing_waits_for_its_neighbours_newest_events_only() {
    let mut partition = Partition::new();
    let mut writing = partition.accounts();
    let ask = upsert(&writing, "a");
    let mut first = partition.ask(&mut writing, ask);
    writing.flush();
    partition.committer.step().unwrap();
    let ask = upsert(&writing, "b");
    let mut second = partition.ask(&mut writing, ask);
    writing.flush();
    let ask = archive(nobody());
    let mut refused = partition.ask(&mut writing, ask);
    writing.flush();
    assert!(!writing.settle());
    assert_eq!(record_of(&mut first).0, Action::Created);
    assert!(is_waiting(&mut second) && is_waiting(&mut refused), "the newest is not durable");
    partition.sync();
    assert!(!writing.settle());
    assert_eq!(record_of(&mut second).0, Action::Created);
    assert!(refused.try_recv().unwrap().is_err());
    // An idle table answers at the end of the turn.
    let ask = upsert(&writing, "a");
    let mut same = partition.ask(&mut writing, ask);
    let ask = archive(nobody());
    let mut missing = partition.ask(&mut writing, ask);
    writing.flush();
    assert_eq!(record_of(&mut same).0, Action::Updated);
    assert!(missing.try_recv().unwrap().is_err());
    assert_eq!(partition.frames().len(), 2, "nothing was written for them");
}

#[test]
fn a_refused_command_leaves_neither_events_nor_draft() {
    let mut partition = Partition::new();
    let mut writing = partition.accounts();
    let ask = upsert(&writing, "a");
    let mut created = partition.ask(&mut writing, ask);
    let ask = archive(nobody());
    drop(partition.ask(&mut writing, ask));
    let ask = upsert(&writing, "b");
    let mut other = partition.ask(&mut writing, ask);
    writing.flush();
    partition.sync();
    assert!(!writing.settle());
    assert_eq!(
        (record_of(&mut created).0, record_of(&mut other).0),
        (Action::Created, Action::Created)
    );
    assert_eq!(writing.state().sequence(), Sequence(3));
    assert!(writing.draft.is_empty());
}

#[test]
fn two_loops_share_a_frame() {
    let mut partition = Partition::new();
    let mut first = partition.accounts();
    let (mut second, bell) = partition.writing(Rig::contacts().table, Box::new(|_| ()));
    let ask = upsert(&first, "a");
    let mut a = partition.ask(&mut first, ask);
    let ask = upsert(&second, "b@example.com");
    let mut b = partition.ask(&mut second, ask);
    first.flush();
    second.flush();
    partition.sync();
    assert!(!first.settle());
    assert_eq!(record_of(&mut a).0, Action::Created);
    assert!(is_waiting(&mut b), "the other settles for itself");
    assert!(!second.settle());
    assert_eq!(record_of(&mut b).0, Action::Created);
    let frames = partition.frames();
    let writers: Vec<WriterId> = frames[0].parts().map(|part| part.unwrap().writer).collect();
    assert_eq!((frames.len(), bell.0.load(SeqCst)), (1, 1));
    assert_eq!(writers, [first.state().writer(), second.state().writer()]);
}

#[test]
fn a_part_tells_its_first_sequence_time_and_count() {
    let mut partition = Partition::new();
    let mut writing = partition.accounts();
    for (at, name) in [(5, "a"), (3, "b")] {
        writing.set_time(Timestamp(BIRTH.0 + at));
        let ask = upsert(&writing, name);
        drop(partition.ask(&mut writing, ask));
    }
    writing.flush();
    partition.sync();
    assert!(!writing.settle());
    let frames = partition.frames();
    let part = frames[0].parts().next().unwrap().unwrap();
    assert_eq!((part.first_sequence, part.event_count), (Sequence(2), 2));
    assert_eq!(part.time, Timestamp(BIRTH.0 + 5), "a clock that fell back a little stands still");
    let mut replayed = Rig::accounts().table;
    assert_eq!(replayed.replay(part.events).unwrap(), 2);
    let (left, right) = (replayed.shown(), writing.state().shown());
    assert_eq!(left.sequence(), right.sequence());
    assert!(is_visible(&writing, "b"));
}

#[test]
fn a_clock_that_fell_back_far_is_followed() {
    let partition = Partition::new();
    let mut writing = partition.accounts();
    let hour = 60 * 60 * 1_000;
    let check = |writing: &mut Loop<Table>, now: i64, expected: i64| {
        writing.set_time(Timestamp(now));
        assert_eq!(writing.moment.at(), Timestamp(expected));
    };
    check(&mut writing, BIRTH.0 + hour, BIRTH.0 + hour);
    check(&mut writing, BIRTH.0 + 1, BIRTH.0 + hour);
    check(&mut writing, BIRTH.0, BIRTH.0);
}

#[test]
fn after_a_failure_what_was_durable_is_answered_and_all_else_is_unknown() {
    let mut partition = Partition::new();
    let mut writing = partition.accounts();
    let ask = upsert(&writing, "durable");
    let mut durable = partition.ask(&mut writing, ask);
    writing.flush();
    partition.committer.step().unwrap();
    let ask = upsert(&writing, "failing");
    let mut failing = partition.ask(&mut writing, ask);
    let ask = archive(nobody());
    let mut refused = partition.ask(&mut writing, ask);
    writing.flush();
    let ask = upsert(&writing, "in the turn");
    let mut undecided = partition.ask(&mut writing, ask);
    partition.frames.fail_at(Position(2));
    partition.committer.step().unwrap_err();
    assert!(!writing.settle());
    assert_eq!(record_of(&mut durable).0, Action::Created);
    for answer in [&mut failing, &mut refused, &mut undecided] {
        assert_eq!(answer.try_recv().unwrap().unwrap_err(), Refusal::OutcomeUnknown);
    }
    let ask = upsert(&writing, "later");
    let mut later = partition.ask(&mut writing, ask);
    assert_eq!(later.try_recv().unwrap().unwrap_err(), Refusal::OutcomeUnknown);
    assert!(is_visible(&writing, "durable") && !is_visible(&writing, "failing"));
    // What is taken from the state now is exactly the state as of the position that goes with it.
    let (state, position) = writing.state_at_barrier();
    assert_eq!((state.sequence(), position), (Sequence(2), Position(1)));
    assert_eq!(partition.admission.rows(), 0);
}

#[test]
fn a_dropped_committer_leaves_nobody_waiting() {
    let partition = Partition::new();
    let mut writing = partition.accounts();
    let ask = upsert(&writing, "a");
    let mut answer = partition.ask(&mut writing, ask);
    writing.flush();
    let Partition { committer, .. } = partition;
    drop(committer);
    assert!(!writing.settle());
    assert_eq!(answer.try_recv().unwrap().unwrap_err(), Refusal::OutcomeUnknown);
    assert!(!is_visible(&writing, "a"));
}

#[test]
fn settling_is_bounded_by_rows() {
    const ROWS: usize = 1_000;
    for turn in [1, 7, 100, ROWS_PER_TURN] {
        let mut partition = Partition::new();
        let mut writing = partition.accounts();
        let mut answers = Vec::new();
        for row in 0..ROWS {
            let ask = upsert(&writing, &format!("name {row}"));
            answers.push(partition.ask(&mut writing, ask));
            if row % turn == turn - 1 {
                writing.flush();
            }
        }
        writing.flush();
        partition.sync();
        assert_settled_in_steps(&mut writing, answers);
        assert_eq!(writing.state().shown().live_count(), ROWS);
    }
}

#[test]
fn refusals_that_wait_are_answered_in_bounded_steps_too() {
    let mut partition = Partition::new();
    let mut writing = partition.accounts();
    let ask = upsert(&writing, "a");
    let mut answers = vec![partition.ask(&mut writing, ask)];
    writing.flush();
    for row in 0..1_000 {
        let ask = archive(nobody());
        answers.push(partition.ask(&mut writing, ask));
        if row % 100 == 99 {
            writing.flush();
        }
    }
    writing.flush();
    partition.sync();
    assert_settled_in_steps(&mut writing, answers);
}

/// Settles until there is no more, and asserts that no step answers more than a turn's rows, that
/// they come in order, and that nothing is left.
fn assert_settled_in_steps(
    writing: &mut Loop<Table>,
    mut answers: Vec<oneshot::Receiver<Answer<Table>>>,
) {
    let mut answered = 0;
    loop {
        let is_more = writing.settle();
        let come = answers.iter_mut().map(|answer| answer.try_recv().is_ok());
        let come: Vec<bool> = come.collect();
        let count = come.iter().filter(|come| **come).count();
        assert!(count > 0 && count <= ROWS_PER_TURN, "{count} in one step");
        assert!(come[..count].iter().all(|come| *come), "out of order");
        answers.drain(..count);
        answered += count;
        assert_eq!(is_more, !answers.is_empty(), "after {answered}");
        if !is_more {
            break;
        }
    }
    assert!(writing.is_settled());
}

#[test]
fn a_turn_hands_over_what_it_has_when_it_is_big() {
    let partition = Partition::new();
    let mut writing = partition.accounts();
    let mut rows = 0;
    while partition.queue.undurable_bytes() == 0 {
        let ask = upsert(&writing, &format!("{rows} {}", "x".repeat(200)));
        drop(partition.ask(&mut writing, ask));
        rows += 1;
        assert!(rows < 1_000, "nothing was handed over");
    }
    assert!(partition.queue.undurable_bytes() >= PART_BYTES);
    assert!(rows > 100);
}

#[test]
fn rows_are_decided_one_behind_the_other_and_answered_together() {
    let mut partition = Partition::new();
    let mut writing = partition.accounts();
    let asks = vec![upsert(&writing, "a"), archive(nobody()), upsert(&writing, " A ")];
    let mut answers = partition.ask_rows(&mut writing, asks);
    writing.flush();
    assert!(matches!(answers.try_recv(), Err(TryRecvError::Empty)) && !is_visible(&writing, "a"));
    partition.sync();
    assert!(!writing.settle() && writing.is_settled());
    let answers = answers.try_recv().unwrap();
    let action = |answer: &Answer<Table>| match answer {
        Ok(Reply::Record(outcome)) => Ok(outcome.action),
        Err(refusal) => Err(format!("{refusal:?}")),
        other => panic!("{other:?}"),
    };
    let refused = format!("{:?}", Refusal::Rejected(Rejection::NotFound));
    let expected = vec![Ok(Action::Created), Err(refused), Ok(Action::Updated)];
    assert_eq!(answers.iter().map(action).collect::<Vec<_>>(), expected);
    assert_eq!(partition.admission.rows(), 0, "the answered gave back what was admitted");
}

#[test]
fn rows_that_fill_several_frames_are_answered_with_the_last() {
    let mut partition = Partition::new();
    let mut writing = partition.accounts();
    let name = |row: usize| format!("{row} {}", "x".repeat(240));
    let rows = 3 * PART_BYTES / 240;
    let asks = (0..rows).map(|row| upsert(&writing, &name(row))).collect();
    let mut answers = partition.ask_rows(&mut writing, asks);
    assert!(partition.queue.undurable_bytes() >= PART_BYTES, "rows wait for no end of a turn");
    writing.flush();
    partition.committer.step().unwrap();
    while writing.settle() {}
    assert!(is_visible(&writing, &name(0)));
    if !writing.is_settled() {
        assert!(matches!(answers.try_recv(), Err(TryRecvError::Empty)));
        partition.sync();
        while writing.settle() {}
    }
    let answers = answers.try_recv().unwrap();
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), rows);
    assert!(is_visible(&writing, &name(rows - 1)));
}

#[test]
fn rows_that_wait_for_a_failure_are_unknown_all_of_them() {
    let partition = Partition::new();
    let mut writing = partition.accounts();
    let asks = vec![upsert(&writing, "a"), archive(nobody())];
    let mut answers = partition.ask_rows(&mut writing, asks);
    writing.flush();
    drop(partition.committer);
    assert!(!writing.settle());
    let answers = answers.try_recv().unwrap();
    assert_eq!(answers.len(), 2);
    assert!(answers.iter().all(|answer| matches!(answer, Err(Refusal::OutcomeUnknown))));
}

#[test]
fn an_object_is_born_in_the_frame_that_creates_it() {
    let mut partition = Partition::new();
    let business = BusinessId::from_bytes([5; 16]);
    let catalog = Catalog::unborn(business);
    let shown = catalog.shown();
    let (mut writing, _) = partition.writing(catalog, Box::new(|_: &catalog::Event| ()));
    let new = NewObject { object_name: Some("Deals".into()), ..NewObject::default() };
    let ask = catalog_command::Ask::CreateObject(Box::new(new));
    let command = catalog_command::Command { caller: caller(), ask };
    assert!(Catalog::on_plain_state(&command));
    let mut answer = partition.ask(&mut writing, command);
    writing.flush();
    assert!(shown.load().objects.is_empty());
    partition.sync();
    assert!(!writing.settle());
    let catalog_command::Reply::Object(schema) = answer.try_recv().unwrap().unwrap() else {
        panic!("no object")
    };
    let object: ObjectId = schema.object().id;
    let frames = partition.frames();
    let parts: Vec<_> = frames[0].parts().map(Result::unwrap).collect();
    assert_eq!((frames.len(), parts.len()), (1, 2));
    assert_eq!(parts[0].writer, WriterId::Catalog(business));
    assert_eq!(parts[1].writer, WriterId::Table(object));
    assert_eq!((parts[1].first_sequence, parts[1].event_count), (Sequence(1), 1));
    assert_eq!(parts[1].time, parts[0].time);
    let (table, count) = Table::from_birth(parts[1].events, SETTING).unwrap();
    assert_eq!((table.object(), count, table.sequence()), (object, 1, Sequence(1)));
    assert_eq!(table.shown().schema(), schema);
    let mut replayed = Catalog::unborn(business);
    assert_eq!(replayed.replay(parts[0].events).unwrap(), 1);
    assert_eq!(replayed.shown().load().object_of_name("deals"), Some(object));
}

#[test]
#[should_panic(expected = "a barrier waits until nothing is undurable")]
fn a_barrier_is_not_reached_while_something_is_undurable() {
    let partition = Partition::new();
    let mut writing = partition.accounts();
    let ask = upsert(&writing, "a");
    drop(partition.ask(&mut writing, ask));
    writing.flush();
    writing.state_at_barrier();
}
