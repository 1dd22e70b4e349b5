//! Rows of streams that can be resumed: applied once, and what is kept of them.

use crate::model::id::{BatchId, Timestamp};
use crate::model::table::command::{Ask, Reply, StreamEnd, Streamed};
use crate::model::table::decide::Rejection;
use crate::model::table::event_form::decode;
use crate::model::table::streams::{RowEnd, RowEnds, STREAMS_MAX, StreamKey, StreamState};
use crate::model::table::test_support::{Rig, member};
use crate::model::table::tests::atomic::{Step, ask, rig};
use std::sync::Arc;

fn key(id: &str) -> Arc<StreamKey> {
    Arc::new(StreamKey { member: member(1), id: id.into() })
}

fn row(rig: &Rig, id: &str, offset: u64, step: &Step) -> Ask {
    Ask::Streamed(Box::new(Streamed { stream: key(id), offset, ask: ask(rig, step) }))
}

fn note(note: usize) -> Step {
    Step::Upsert { name: 1, note }
}

fn state(rig: &Rig, id: &str) -> StreamState {
    StreamState::clone(&rig.table.shown.streams.get(&key(id)).unwrap())
}

#[test]
fn an_offset_moves_in_the_commit_of_a_row_that_changes_something() {
    let mut rig = rig();
    let logged = rig.log.len();
    let asked = row(&rig, "s", 4, &note(1));
    rig.decide(asked).unwrap();
    assert_eq!((rig.log.len(), rig.pending.len()), (logged + 2, 1), "one commit of two events");
    let (_, stored) = decode(&mut &rig.log[logged + 1][..]).unwrap();
    assert_eq!(stored.sequence(), None, "the feed has nothing of it");
    // Neither what is done, durable or not, nor what changes nothing leaves a trace.
    for is_durable in [false, true] {
        let asked = row(&rig, "s", 4, &note(2));
        assert!(matches!(rig.decide(asked), Ok(Reply::AlreadyApplied)));
        let asked = row(&rig, "s", 5, &note(1));
        assert!(matches!(rig.decide(asked), Ok(Reply::Record(_))));
        let asked = row(&rig, "s", 6, &Step::Wrong);
        assert_eq!(rig.decide(asked).unwrap_err(), Rejection::NotFound);
        assert_eq!(rig.log.len(), logged + 2, "{is_durable}");
        rig.apply_all();
    }
    assert_eq!(state(&rig, "s").next_offset, 5);
    assert!(rig.table.shown.streams.get(&key("t")).is_none());
    rig.check();
}

#[test]
fn what_is_kept_of_a_stream_is_what_its_log_gives() {
    let mut rig = rig();
    for (batch, offset) in [(1, 0), (1, 1), (2, 7)] {
        rig.caller.batch = BatchId(uuid::Uuid::from_u128(batch));
        let asked = row(&rig, "s", offset, &note(usize::try_from(offset).unwrap()));
        rig.run(asked).unwrap();
    }
    let ends = RowEnds::from([(RowEnd::Updated, 1), (RowEnd::Failed, 3)]);
    let end = StreamEnd { stream: key("s"), next_offset: 11, ends };
    assert!(matches!(rig.run(Ask::EndStream(Box::new(end))), Ok(Reply::Done)));
    let held = state(&rig, "s");
    let expected = [(RowEnd::Created, 1), (RowEnd::Updated, 2), (RowEnd::Failed, 3)];
    assert_eq!((held.next_offset, held.ends()), (11, RowEnds::from(expected)));
    rig.check();
    let forget = |unused_since| Ask::ForgetStream { stream: key("s"), unused_since };
    rig.run(forget(Some(held.used))).unwrap();
    assert_eq!(state(&rig, "s"), held, "it was used since");
    rig.run(forget(Some(Timestamp(held.used.0 + 1)))).unwrap();
    assert!(rig.table.shown.streams.is_empty());
    assert_eq!(rig.run(forget(None)).unwrap_err(), Rejection::NotFound);
    rig.check();
}

#[test]
fn a_table_remembers_so_many_streams_and_goes_on_with_those() {
    let mut rig = rig();
    for number in 0..STREAMS_MAX {
        let state = Arc::new(StreamState::default());
        rig.table.shown.streams.put(&key(&number.to_string()), Some(&state));
    }
    let asked = row(&rig, "new", 0, &note(1));
    let full = Rejection::StreamsFull { max: STREAMS_MAX };
    assert_eq!(rig.run(asked).unwrap_err(), full);
    let asked = row(&rig, "7", 0, &note(1));
    assert!(matches!(rig.run(asked), Ok(Reply::Record(_))));
}
