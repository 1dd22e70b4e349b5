//! Rows that are only answered: a chunk at a time, and with it goes what those before it would have
//! done.
//!
//! It must not know how rows arrive, nor what follows from one.

use crate::engine::turn::Refusal;
use crate::engine::{AskError, NotSent};
use crate::http::batch::result::{RowOutcome, RowResult};
use crate::http::batch::sender::{Asked, ReadRow, Sender};
use crate::http::batch::source::Source;
use crate::http::batch::window::{Numbered, RETRY};
use crate::http::code::Code;
use crate::http::fault::{Fault, Place};
use crate::http::problem::Problem;
use crate::http::record_write::READINGS_MAX;
use crate::http::refusal::of_ask_error;
use crate::http::wire::record::Scene;
use crate::model::schema::Schema;
use crate::model::table::command::{Ask, Command, Reply, TrialRows, Tried};
use crate::model::table::decide::Rejection;
use crate::model::table::trial::Trial;

const ONLY_TRIED: &str = "A dry run cannot tell: a row before this one would make, rename, archive or restore a record \
     that this one names.";

/// What the rows of a request would have done so far.
#[derive(Default)]
pub(super) struct TrialRun {
    trial: Trial,
}

/// What was read of a row.
struct ReadyRow {
    client_ref: Option<Box<str>>,
    /// None: it is asked, and its answer is the next one.
    known: Option<RowOutcome>,
}

impl TrialRun {
    /// The results of rows, in their order. Refused where the writer has too much to do, unless that
    /// is waited for, and where no more can be tried.
    pub(super) async fn carry_out<S: Source>(
        &mut self,
        sender: &Sender,
        rows: Vec<Numbered<S>>,
        is_patient: bool,
    ) -> Result<Vec<RowResult>, Problem> {
        let (mut rest, mut results) = (&rows[..], Vec::with_capacity(rows.len()));
        while !rest.is_empty() {
            let told = self.carry_out_first(sender, rest, is_patient).await?;
            rest = &rest[told.len()..];
            results.extend(told);
        }
        Ok(results)
    }

    /// The results of the first rows, up to one that has to know what those before it would do.
    async fn carry_out_first<S: Source>(
        &mut self,
        sender: &Sender,
        rows: &[Numbered<S>],
        is_patient: bool,
    ) -> Result<Vec<RowResult>, Problem> {
        let mut readings = 0;
        loop {
            readings += 1;
            let schema = sender.target.table.shown().schema();
            let (ready, asks, bytes) = self.read(sender, rows, &schema);
            let rows = &rows[..ready.len()];
            let answers = match self.ask(sender, (asks, bytes), is_patient).await {
                Ok(answers) => answers,
                // What was told before stays told.
                Err(AskError::ReadOnly(reason)) if is_patient => {
                    let problem = || of_ask_error(AskError::ReadOnly(reason), |()| never());
                    return Ok(told_alike(rows, ready, problem));
                }
                Err(error) => return Err(of_ask_error(error, |()| never())),
            };
            let has_moved =
                |answer: &Result<Reply, Rejection>| matches!(answer, Err(Rejection::SchemaMoved));
            if readings == READINGS_MAX || !answers.iter().any(has_moved) {
                return self.told(sender, (rows, ready), answers);
            }
        }
    }

    fn read<S: Source>(
        &self,
        sender: &Sender,
        rows: &[Numbered<S>],
        schema: &Schema,
    ) -> (Vec<ReadyRow>, Vec<Ask>, usize) {
        let (mut ready, mut asks, mut bytes) = (Vec::with_capacity(rows.len()), Vec::new(), 0);
        for row in rows {
            let source = &row.source;
            let ReadRow { client_ref, asks: asked, needs_quiet, .. } = sender.read_row(row, schema);
            if needs_quiet && !ready.is_empty() {
                break;
            }
            let known = match asked {
                _ if needs_quiet && sender.names_tried(source, &self.trial, schema) => {
                    let fault = Fault::new(Code::Invalid, Place::Whole).saying(ONLY_TRIED);
                    Some(RowOutcome::Failed(fault.into()))
                }
                Ok(Asked { ask, .. }) => {
                    bytes += source.bytes();
                    asks.push(ask);
                    None
                }
                Err(known) => Some(known),
            };
            ready.push(ReadyRow { client_ref, known });
        }
        (ready, asks, bytes)
    }

    /// What the writer says to the rows that are worth asking.
    async fn ask(
        &mut self,
        sender: &Sender,
        (rows, bytes): (Vec<Ask>, usize),
        is_patient: bool,
    ) -> Result<Vec<Result<Reply, Rejection>>, AskError<()>> {
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        let trial = std::mem::take(&mut self.trial);
        let ask = Ask::Trial(Box::new(TrialRows { trial, rows }));
        let mut commands = vec![Command { caller: sender.caller.clone(), ask }];
        let (engine, table) = (&sender.target.engine, &sender.target.table);
        let receiver = loop {
            match engine.ask_rows(table, commands, bytes) {
                Ok(receiver) => break receiver,
                Err(NotSent { why: AskError::Overloaded { .. }, commands: back }) if is_patient => {
                    commands = back;
                    tokio::time::sleep(RETRY).await;
                }
                Err(NotSent { why, commands: back }) => {
                    self.take_back(back);
                    return Err(match why {
                        AskError::ReadOnly(reason) => AskError::ReadOnly(reason),
                        AskError::Overloaded { retry_after_s } => {
                            AskError::Overloaded { retry_after_s }
                        }
                        AskError::OutcomeUnknown => AskError::OutcomeUnknown,
                        AskError::Rejected(never) => match never {},
                        AskError::Repeated(_) => never(),
                    });
                }
            }
        };
        match receiver.await.ok().and_then(|mut answers| answers.pop()) {
            Some(Ok(Reply::Tried(tried))) => {
                let Tried { trial, rows } = *tried;
                self.trial = trial;
                Ok(rows)
            }
            // A writer that is gone took what was tried with it.
            Some(Err(Refusal::OutcomeUnknown)) | None => Err(AskError::OutcomeUnknown),
            Some(other) => unreachable!("rows that are tried are answered, not {other:?}"),
        }
    }

    fn take_back(&mut self, commands: Vec<Command>) {
        for command in commands {
            if let Ask::Trial(rows) = command.ask {
                self.trial = rows.trial;
            }
        }
    }

    fn told<S: Source>(
        &self,
        sender: &Sender,
        (rows, ready): (&[Numbered<S>], Vec<ReadyRow>),
        answers: Vec<Result<Reply, Rejection>>,
    ) -> Result<Vec<RowResult>, Problem> {
        let schema = sender.target.table.shown().schema();
        let scene = Scene::new(&sender.target, &schema).with_dry_tags(self.trial.tags());
        let (mut answers, mut results) = (answers.into_iter(), Vec::with_capacity(rows.len()));
        for (row, ReadyRow { client_ref, known }) in rows.iter().zip(ready) {
            let outcome = match known {
                Some(known) => known,
                None => match answers.next().expect("every row that was asked is answered") {
                    Ok(reply) => sender.told(&row.source, reply, &scene),
                    Err(rejection) => {
                        let is_full = matches!(rejection, Rejection::TrialFull { .. });
                        let problem = sender.refused(&row.source, rejection, &schema);
                        if is_full {
                            return Err(problem);
                        }
                        RowOutcome::Failed(problem)
                    }
                },
            };
            let (index, offset) = (row.index, row.offset.at());
            results.push(RowResult { index, client_ref, offset, outcome });
        }
        Ok(results)
    }
}

/// What is told of rows where nobody decides any more.
fn told_alike<S>(
    rows: &[Numbered<S>],
    ready: Vec<ReadyRow>,
    problem: impl Fn() -> Problem,
) -> Vec<RowResult> {
    let result = |(row, ready): (&Numbered<S>, ReadyRow)| {
        let ReadyRow { client_ref, known } = ready;
        let outcome = known.unwrap_or_else(|| RowOutcome::Failed(problem()));
        let (index, offset) = (row.index, row.offset.at());
        RowResult { index, client_ref, offset, outcome }
    };
    rows.iter().zip(ready).map(result).collect()
}

fn never() -> ! {
    unreachable!("what is tried is neither refused as a whole nor sent again")
}
