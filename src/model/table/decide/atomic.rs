//! Rows that are stored together or not at all: decided one behind the other on a draft of their own
//! over the writer's, which is thrown away.

use crate::model::moment::Moment;
use crate::model::table::command::{Atomic, Caller, Reply};
use crate::model::table::decide::{Rejection, decide_ask};
use crate::model::table::draft::{Draft, View};
use crate::model::table::event::Event;

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
    for ask in rows {
        let (first, counted) = (events.len(), bytes);
        let drafts: Vec<&Draft> = view.drafts.iter().copied().chain([&own]).collect();
        let seen = View { table: view.table, drafts: &drafts };
        let reply = decide_ask(seen, (caller, ask), moment, (&mut *events, &mut bytes));
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
