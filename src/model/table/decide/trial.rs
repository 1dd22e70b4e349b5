//! Rows that are only answered: each sees what those before it would have done.

use crate::model::moment::Moment;
use crate::model::table::command::{Ask, Caller, Reply, TrialRows, Tried};
use crate::model::table::decide::{Rejection, decide_ask};
use crate::model::table::draft::{Draft, View};
use crate::model::table::event::Event;
use crate::model::table::trial::{TRIAL_BYTES_MAX, Trial};

/// Decides the rows one behind the other, each by itself, and drops their events.
pub(super) fn decide(
    view: View<'_>,
    (caller, TrialRows { mut trial, rows }): (&Caller, TrialRows),
    moment: &mut Moment,
    events: &mut Vec<Event>,
) -> Reply {
    let first = events.len();
    let mut decided = Vec::with_capacity(rows.len());
    for ask in rows {
        let reply = decide_row((view, &trial), (caller, ask), moment, events);
        if reply.is_ok() {
            events[first..].iter().for_each(|event| trial.lay(event));
        }
        events.truncate(first);
        decided.push(reply);
    }
    Reply::Tried(Box::new(Tried { trial, rows: decided }))
}

fn decide_row(
    (view, trial): (View<'_>, &Trial),
    (caller, ask): (&Caller, Ask),
    moment: &mut Moment,
    events: &mut Vec<Event>,
) -> Result<Reply, Rejection> {
    if trial.bytes() > TRIAL_BYTES_MAX {
        return Err(Rejection::TrialFull { max: TRIAL_BYTES_MAX });
    }
    let drafts: Vec<&Draft> = view.drafts.iter().copied().chain([trial.draft()]).collect();
    let seen = View { table: view.table, drafts: &drafts };
    decide_ask(seen, (caller, ask), moment, (events, &mut 0))
}
