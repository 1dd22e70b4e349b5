//! Rows that are stored together or not at all: decided one behind the other on a draft of their own
//! over the writer's, which is thrown away.

use crate::model::moment::Moment;
use crate::model::retry::{OutcomeChange, Retry};
use crate::model::state::State as _;
use crate::model::table::Table;
use crate::model::table::command::{Atomic, AtomicRow, Caller, Reply};
use crate::model::table::decide::{Rejection, decide_ask};
use crate::model::table::draft::{Draft, View};
use crate::model::table::event::Event;
use std::sync::Arc;

/// What an outcome takes in the log at most, but for its lists of fields.
const OUTCOME_EVENT_BYTES: usize = 512;

/// Decides all rows, also behind one that fails, so that everything wrong is told at once.
pub(super) fn decide(
    view: View<'_>,
    (caller, atomic): (&Caller, Atomic),
    moment: &mut Moment,
    events: &mut Vec<Event>,
) -> Result<Reply, Rejection> {
    let Atomic { rows, is_doomed } = atomic;
    let (start, mut bytes) = (events.len(), 0);
    let mut own = Draft::default();
    let mut decided = Vec::with_capacity(rows.len());
    for row in rows {
        let (first, counted) = (events.len(), bytes);
        let drafts: Vec<&Draft> = view.drafts.iter().copied().chain([&own]).collect();
        let seen = View { table: view.table, drafts: &drafts };
        let reply = decide_row(seen, (caller, row), moment, (&mut *events, &mut bytes));
        match &reply {
            // Every row was read with one schema.
            Err(Rejection::SchemaMoved) => {
                events.truncate(start);
                return Err(Rejection::SchemaMoved);
            }
            Err(_) => {
                events.truncate(first);
                bytes = counted;
            }
            Ok(_) => events[first..].iter().for_each(|event| own.lay(event)),
        }
        decided.push(reply);
    }
    if is_doomed || decided.iter().any(Result::is_err) {
        events.truncate(start);
        return Err(Rejection::Aborted(decided.into_iter().map(|row| row.map(drop)).collect()));
    }
    Ok(Reply::Rows(decided.into_iter().filter_map(Result::ok).collect()))
}

/// Decides a row. As the writer's loop does it for a command: one that may be sent again is looked
/// up before, and its outcome stands behind its events, where the record is as they leave it.
fn decide_row(
    view: View<'_>,
    (caller, AtomicRow { ask, retry }): (&Caller, AtomicRow),
    moment: &mut Moment,
    (events, bytes): (&mut Vec<Event>, &mut usize),
) -> Result<Reply, Rejection> {
    let Some(retry) = retry else {
        return decide_ask(view, (caller, ask), moment, (events, bytes));
    };
    if let Some(outcome) = view.outcome(&retry.key) {
        let is_same = outcome.fingerprint == retry.fingerprint;
        return if is_same { Ok(Reply::Repeated(outcome)) } else { Err(Rejection::KeyReused) };
    }
    let reply = decide_ask(view, (caller, ask), moment, (&mut *events, &mut *bytes))?;
    if let Some(event) = outcome_event(&reply, (caller, &retry), moment) {
        *bytes += outcome_bytes(&event);
        let max = view.table.limits.commit_bytes_max;
        if *bytes > max {
            return Err(Rejection::TooLarge { what: "commit", bytes: *bytes, max });
        }
        events.push(event);
    }
    Ok(reply)
}

fn outcome_event(
    reply: &Reply,
    (caller, retry): (&Caller, &Retry),
    moment: &mut Moment,
) -> Option<Event> {
    let outcome = retry.outcome(Table::answered(reply)?, moment.at());
    let change = OutcomeChange::Stored(Arc::new(outcome));
    Some(Table::outcome_event(change, caller.stamp(moment.at()), moment.mark()))
}

/// What it takes in the commit, at most.
fn outcome_bytes(event: &Event) -> usize {
    const NUMBER_BYTES: usize = 5;
    let Event::Outcome { change: OutcomeChange::Stored(outcome), .. } = event else { return 0 };
    let lists = outcome
        .record()
        .map_or(0, |record| record.filled.len() + record.changed.len() + record.mentioned.len());
    OUTCOME_EVENT_BYTES + lists * NUMBER_BYTES
}
