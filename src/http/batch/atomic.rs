//! An atomic batch: all of its rows in one commit, or none.

use crate::engine::AskError;
use crate::http::batch::json::BatchRows;
use crate::http::batch::result::{Counts, RowOutcome, RowResult};
use crate::http::batch::sender::{Asked, ReadRow, Sender};
use crate::http::batch::source::Entry;
use crate::http::code::Code;
use crate::http::fault::{Fault, Place, RowFault};
use crate::http::problem::Problem;
use crate::http::record_problem::schema_keeps_moving;
use crate::http::record_write::READINGS_MAX;
use crate::http::refusal::of_ask_error;
use crate::http::wire::record::Scene;
use crate::model::schema::Schema;
use crate::model::table::command::{Ask, Atomic, AtomicRow, Command, Reply};
use crate::model::table::decide::Rejection;
use crate::model::table::event::Tag;
use std::sync::Arc;

const KEPT_ELSEWHERE: &str = "This row writes to a field that another object keeps; an atomic batch \
                              writes to one object alone.";

/// What was read of a row.
struct ReadyRow {
    index: u64,
    client_ref: Option<Box<str>>,
    /// None: it is asked, and its answer is the next one.
    known: Option<RowOutcome>,
}

/// The results of all rows, or why nothing was done.
pub(super) async fn carry_out(
    sender: &Sender,
    rows: &BatchRows<'_>,
) -> Result<Vec<RowResult>, Problem> {
    let mut readings = 0;
    loop {
        readings += 1;
        let schema = sender.target.table.shown().schema();
        let (ready, asks) = read(sender, rows, &schema);
        let is_doomed = ready.iter().any(|row| matches!(row.known, Some(RowOutcome::Failed(_))));
        let (engine, table) = (&sender.target.engine, &sender.target.table);
        let ask = Ask::Atomic(Atomic { rows: asks, is_doomed });
        let ask = if sender.is_dry { Ask::Dry(Box::new(ask)) } else { ask };
        let command = Command { caller: sender.caller.clone(), ask };
        let answer = engine.ask_atomic(table, command, rows.bytes).await;
        match answer {
            Ok(replies) => return Ok(told(sender, rows, ready, replies)),
            Err(AskError::Rejected(Rejection::SchemaMoved)) if readings < READINGS_MAX => {}
            Err(AskError::Rejected(Rejection::Aborted(decided))) => {
                return Err(aborted(&results(sender, rows, ready, decided)));
            }
            Err(error) => return Err(of_ask_error(error, |_| schema_keeps_moving())),
        }
    }
}

fn read(sender: &Sender, rows: &BatchRows<'_>, schema: &Schema) -> (Vec<ReadyRow>, Vec<AtomicRow>) {
    let (mut ready, mut asks) = (Vec::with_capacity(rows.all.len()), Vec::new());
    for (index, input) in (0_u64..).zip(rows.all) {
        if let Some(left_out) = rows.left_out.get(&index) {
            let (client_ref, known) = (left_out.client_ref.clone(), Some(left_out.outcome()));
            ready.push(ReadyRow { index, client_ref, known });
            continue;
        }
        let ReadRow { client_ref, asks: asked, writes_mirrors, .. } =
            sender.read(&Entry { input, bytes: 0 }, schema);
        let known = match asked {
            Ok(_) if writes_mirrors => {
                let fault = Fault::new(Code::Invalid, Place::Whole).saying(KEPT_ELSEWHERE);
                Some(RowOutcome::Failed(fault.into()))
            }
            Ok(Asked { ask, retry }) => {
                asks.push(AtomicRow { ask, retry });
                None
            }
            Err(known) => Some(known),
        };
        ready.push(ReadyRow { index, client_ref, known });
    }
    (ready, asks)
}

fn told(
    sender: &Sender,
    rows: &BatchRows<'_>,
    ready: Vec<ReadyRow>,
    replies: Vec<Reply>,
) -> Vec<RowResult> {
    let schema = sender.target.table.shown().schema();
    let dry_tags = if sender.is_dry { tags_of(&replies) } else { Vec::new() };
    let scene = Scene::new(&sender.target, &schema).with_dry_tags(&dry_tags);
    let mut replies = replies.into_iter();
    let result = |ReadyRow { index, client_ref, known }| {
        let outcome = known.unwrap_or_else(|| {
            let reply = replies.next().expect("every row that was asked is answered");
            sender.told(&rows.entry(index), reply, &scene)
        });
        RowResult { index, client_ref, offset: None, outcome }
    };
    ready.into_iter().map(result).collect()
}

/// Tags that the rows would make: nobody else knows them.
fn tags_of(replies: &[Reply]) -> Vec<Arc<Tag>> {
    let made = |reply: &Reply| match reply {
        Reply::Record(outcome) => outcome.new_tags.iter().cloned().map(Arc::new).collect(),
        Reply::NoMatch
        | Reply::Done
        | Reply::Field(_)
        | Reply::Option(_)
        | Reply::Category(_)
        | Reply::Rows(_)
        | Reply::Repeated(_)
        | Reply::AlreadyApplied
        | Reply::Tried(_) => Vec::new(),
    };
    replies.iter().flat_map(made).collect()
}

/// What is told of rows of which some fail: nothing was done for the others.
fn results(
    sender: &Sender,
    rows: &BatchRows<'_>,
    ready: Vec<ReadyRow>,
    decided: Vec<Result<(), Rejection>>,
) -> Vec<RowResult> {
    let schema = sender.target.table.shown().schema();
    let mut decided = decided.into_iter();
    let result = |ReadyRow { index, client_ref, known }| {
        let known = known.map(|known| match known {
            // What was carried out before is no part of this.
            RowOutcome::Done(_) => RowOutcome::NotApplied,
            RowOutcome::NotFound
            | RowOutcome::NotApplied
            | RowOutcome::AlreadyApplied
            | RowOutcome::Failed(_) => known,
        });
        let outcome = known.unwrap_or_else(|| {
            match decided.next().expect("every row that was asked is decided") {
                Ok(()) => RowOutcome::NotApplied,
                Err(rejection) => {
                    RowOutcome::Failed(sender.refused(&rows.entry(index), rejection, &schema))
                }
            }
        });
        RowResult { index, client_ref, offset: None, outcome }
    };
    ready.into_iter().map(result).collect()
}

/// The body of errors, its list that of all rows, and what a batch is answered beside it.
fn aborted(results: &[RowResult]) -> Problem {
    let (mut counts, mut errors) = (Counts::default(), Vec::new());
    for result in results {
        counts.add(result.action());
        if let RowOutcome::Failed(problem) = &result.outcome {
            let row = result.index;
            errors.extend(problem.items().into_iter().map(|fault| RowFault { row, fault }));
        }
    }
    Problem::new(Code::BatchAborted)
        .listing(&errors)
        .with("count", &counts.rows())
        .with("counts", &counts)
        .with("results", &results)
}
