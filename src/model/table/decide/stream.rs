//! Rows of streams that can be resumed: each is applied once, and its offset with it.

use crate::model::id::Timestamp;
use crate::model::moment::Moment;
use crate::model::table::command::{Caller, Reply, StreamEnd, Streamed};
use crate::model::table::decide::commit::Commit;
use crate::model::table::decide::{Rejection, decide_ask};
use crate::model::table::draft::View;
use crate::model::table::event::{Event, StreamMoved};
use crate::model::table::streams::{RowEnd, STREAMS_MAX, StreamKey, StreamState};
use std::sync::Arc;

/// Decides a row, unless it is done. Where it changes something its offset moves in its commit.
pub(super) fn decide(
    view: View<'_>,
    (caller, Streamed { stream, offset, ask }): (&Caller, Streamed),
    moment: &mut Moment,
    (events, bytes): (&mut Vec<Event>, &mut usize),
) -> Result<Reply, Rejection> {
    let before = view.stream(&stream);
    if before.as_ref().is_some_and(|before| offset < before.next_offset) {
        return Ok(Reply::AlreadyApplied);
    }
    if before.is_none() && view.table.shown.streams.len() >= STREAMS_MAX {
        return Err(Rejection::StreamsFull { max: STREAMS_MAX });
    }
    let first = events.len();
    let reply = decide_ask(view, (caller, ask), moment, (&mut *events, bytes))?;
    if events.len() > first {
        let before = before.unwrap_or_default();
        let after = before.after_row((offset, end_of(&reply)), caller.batch, moment.at());
        let (mark, stamp) = (moment.mark(), caller.stamp(moment.at()));
        let after = Some(Arc::new(after));
        events.push(Event::StreamMoved(StreamMoved { mark, stamp, stream, after }));
    }
    Ok(reply)
}

fn end_of(reply: &Reply) -> RowEnd {
    match reply {
        Reply::Record(outcome) => outcome.action.into(),
        Reply::NoMatch => RowEnd::NotFound,
        Reply::Done
        | Reply::Field(_)
        | Reply::Option(_)
        | Reply::Category(_)
        | Reply::Rows(_)
        | Reply::Repeated(_)
        | Reply::AlreadyApplied
        | Reply::Tried(_) => unreachable!("a row is answered with a record"),
    }
}

/// The end of a request: rows that have changed nothing are done too.
pub(super) fn end(commit: &mut Commit<'_>, ended: StreamEnd) -> Result<Reply, Rejection> {
    let StreamEnd { stream, next_offset, ends } = ended;
    let before = commit.view.stream(&stream);
    if before.is_none() && commit.view.table.shown.streams.len() >= STREAMS_MAX {
        return Err(Rejection::StreamsFull { max: STREAMS_MAX });
    }
    let before = before.unwrap_or_default();
    let after = before.after_end((next_offset, ends), commit.caller.batch, commit.at());
    put(commit, stream, Some(after));
    Ok(Reply::Done)
}

/// Forgets a stream; one that was used since a time is kept.
pub(super) fn forget(
    commit: &mut Commit<'_>,
    stream: Arc<StreamKey>,
    unused_since: Option<Timestamp>,
) -> Result<Reply, Rejection> {
    let held = commit.view.stream(&stream).ok_or(Rejection::NotFound)?;
    if unused_since.is_none_or(|before| held.used < before) {
        put(commit, stream, None);
    }
    Ok(Reply::Done)
}

fn put(commit: &mut Commit<'_>, stream: Arc<StreamKey>, after: Option<StreamState>) {
    let (mark, stamp, after) = (commit.moment.mark(), commit.stamp(), after.map(Arc::new));
    commit.push(Event::StreamMoved(StreamMoved { mark, stamp, stream, after }));
}
