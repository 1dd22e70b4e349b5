//! Rows on their way through a table's writer: read, sent in chunks, answered in their order.
//!
//! Rows are carried out as if they were sent one by one, so whatever could change that order is waited
//! for: a schema that has moved, a row that names records of its own table, a row that writes to
//! mirror fields. It must not know how rows arrive, nor how answers leave.

use crate::engine::turn::{Answer, ROWS_PER_TURN, Refusal};
use crate::engine::{AskError, NotSent};
use crate::http::batch::result::{RowOutcome, RowResult};
use crate::http::batch::resume::{Offset, Offsets};
use crate::http::batch::sender::{Asked, ReadRow, Sender};
use crate::http::batch::source::Source;
use crate::http::batch::trial::TrialRun;
use crate::http::problem::Problem;
use crate::http::refusal::of_ask_error;
use crate::http::wire::record::Scene;
use crate::model::id::SchemaNumber;
use crate::model::schema::Schema;
use crate::model::table::Table;
use crate::model::table::command::{Caller, Command};
use crate::model::table::decide::Rejection;
use std::collections::VecDeque;
use std::time::Duration;
use tokio::sync::oneshot::Receiver;

/// Rows of one message to the writer: a turn of it.
pub(super) const CHUNK_ROWS: usize = ROWS_PER_TURN;
/// Bytes of rows after which a chunk is sent, however few they are.
const CHUNK_BYTES: usize = 1 << 20;
/// How long rows wait before they are offered again to a writer that has too much to do.
pub(super) const RETRY: Duration = Duration::from_millis(5);

/// A row and its place among those of the request.
pub(super) struct Numbered<S> {
    pub index: u64,
    pub source: S,
    /// Its place in a stream that can be resumed.
    pub offset: Offset,
}

impl<S> Numbered<S> {
    #[must_use]
    pub(super) fn new(index: u64, source: S) -> Self {
        Self { index, source, offset: Offset::NotAsked }
    }
}

/// A chunk that was sent.
struct Sent<S> {
    rows: Vec<SentRow<S>>,
    schema: SchemaNumber,
    answers: Answers,
}

/// What the writer says to a chunk.
enum Answers {
    Awaited(Receiver<Vec<Answer<Table>>>),
    /// None: the writer is gone, and took the commands with it.
    Come(Option<Vec<Answer<Table>>>),
}

impl Answers {
    async fn wait(&mut self) {
        if let Self::Awaited(receiver) = self {
            *self = Self::Come(receiver.await.ok());
        }
    }
}

struct SentRow<S> {
    row: Numbered<S>,
    client_ref: Option<Box<str>>,
    /// None: it was asked, and its answer is the next of the chunk's.
    known: Option<RowOutcome>,
}

/// Rows that wait.
pub(super) struct Window<S> {
    sender: Sender,
    filling: Vec<Numbered<S>>,
    filling_bytes: usize,
    in_flight: VecDeque<Sent<S>>,
    rows_in_flight: usize,
    /// A writer with too much to do is waited for, instead of being told of as an error.
    is_patient: bool,
    /// Results that can be told, in their order.
    ready: Vec<RowResult>,
    /// Of rows that are only answered.
    trial: TrialRun,
    offsets: Offsets,
}

impl<S: Source> Window<S> {
    #[must_use]
    pub(super) fn new(sender: Sender, is_patient: bool) -> Self {
        Self {
            sender,
            is_patient,
            filling: Vec::new(),
            filling_bytes: 0,
            in_flight: VecDeque::new(),
            rows_in_flight: 0,
            ready: Vec::new(),
            trial: TrialRun::default(),
            offsets: Offsets::default(),
        }
    }

    #[must_use]
    pub(super) fn sender(&self) -> &Sender {
        &self.sender
    }

    /// For who sends, where that can change while rows wait: what it may do is asked anew.
    pub(super) fn sender_mut(&mut self) -> &mut Sender {
        &mut self.sender
    }

    /// Rows that were taken in and whose results were not given.
    #[must_use]
    pub(super) fn rows(&self) -> usize {
        self.filling.len() + self.rows_in_flight + self.ready.len()
    }

    /// Whether the writer has rows to answer.
    #[must_use]
    pub(super) fn is_in_flight(&self) -> bool {
        !self.in_flight.is_empty()
    }

    /// Results that are known, in the order of the rows.
    pub(super) fn take_ready(&mut self) -> Vec<RowResult> {
        std::mem::take(&mut self.ready)
    }

    /// Takes a row in. Sends it with those before it where they are enough.
    pub(super) async fn push(&mut self, mut row: Numbered<S>) -> Result<(), Problem> {
        if self.sender.stream.is_some() {
            row.offset = self.offsets.read(&row.source);
        }
        self.filling_bytes += row.source.bytes();
        self.filling.push(row);
        if self.filling.len() >= CHUNK_ROWS || self.filling_bytes >= CHUNK_BYTES {
            self.send().await?;
        }
        Ok(())
    }

    /// Sends what was taken in. Refused only where nothing of the request was done yet.
    pub(super) async fn send(&mut self) -> Result<(), Problem> {
        self.filling_bytes = 0;
        let rows = std::mem::take(&mut self.filling);
        if !self.sender.is_dry || rows.is_empty() {
            return self.send_rows(rows).await;
        }
        let results = self.trial.carry_out(&self.sender, rows, self.is_patient).await?;
        self.ready.extend(results);
        self.is_patient = true;
        Ok(())
    }

    /// Waits until the oldest chunk is answered. Whoever gives up waiting loses nothing.
    pub(super) async fn wait(&mut self) {
        if let Some(oldest) = self.in_flight.front_mut() {
            oldest.answers.wait().await;
        }
    }

    /// Takes over what the oldest chunk was answered, and waits for that if need be. Must be waited
    /// for to its end.
    pub(super) async fn settle_oldest(&mut self) {
        self.wait().await;
        let Some(Sent { rows, answers, .. }) = self.in_flight.pop_front() else { return };
        self.rows_in_flight -= rows.len();
        let Answers::Come(answers) = answers else { unreachable!("it was waited for") };
        if answers.as_ref().is_some_and(|answers| answers.iter().any(has_moved)) {
            self.read_again(rows).await;
        } else {
            let told = answers.as_deref().unwrap_or_default();
            self.sender.target.engine.count_rows(told.iter().flatten());
            self.settle(rows, answers);
        }
    }

    /// Waits for everything that was sent.
    pub(super) async fn settle_all(&mut self) {
        while self.is_in_flight() {
            self.settle_oldest().await;
        }
    }

    async fn send_rows(&mut self, rows: Vec<Numbered<S>>) -> Result<(), Problem> {
        let mut rows = VecDeque::from(rows);
        while !rows.is_empty() {
            let schema = self.sender.target.table.shown().schema();
            // Rows of an older schema are not decided any more, and must not be overtaken.
            if self.in_flight.back().is_some_and(|sent| sent.schema != schema.number()) {
                self.settle_all().await;
                continue;
            }
            let (sent, commands, bytes) = self.read_chunk(&mut rows, &schema);
            if !sent.is_empty() {
                self.offer(sent, commands, (schema.number(), bytes)).await?;
            }
            // What was left in front must be alone.
            if let Some(alone) = rows.pop_front() {
                self.settle_all().await;
                let result = self.sender.carry_out_alone(&alone).await;
                self.ready.push(result);
            }
        }
        Ok(())
    }

    /// Reads rows up to one that must be alone, which stays in front.
    fn read_chunk(
        &self,
        rows: &mut VecDeque<Numbered<S>>,
        schema: &Schema,
    ) -> (Vec<SentRow<S>>, Vec<Command>, usize) {
        let (mut sent, mut commands, mut bytes) = (Vec::with_capacity(rows.len()), Vec::new(), 0);
        while let Some(row) = rows.pop_front() {
            let ReadRow { client_ref, asks, needs_quiet, .. } = self.sender.read_row(&row, schema);
            if needs_quiet {
                rows.push_front(row);
                break;
            }
            let known = match asks {
                Ok(Asked { ask, retry }) => {
                    bytes += row.source.bytes();
                    let caller = Caller { retry, ..self.sender.caller.clone() };
                    commands.push(Command { caller, ask });
                    None
                }
                Err(known) => Some(known),
            };
            sent.push(SentRow { row, client_ref, known });
        }
        (sent, commands, bytes)
    }

    /// Sends a chunk. Once something was done, a writer with too much to do is waited for, and where
    /// no writes are taken any more each row is told so: what was done before is told too.
    async fn offer(
        &mut self,
        mut rows: Vec<SentRow<S>>,
        mut commands: Vec<Command>,
        (schema, bytes): (SchemaNumber, usize),
    ) -> Result<(), Problem> {
        // Of a chunk without a row that was worth asking.
        let mut answers = Answers::Come(Some(Vec::new()));
        while !commands.is_empty() {
            let Sender { target, .. } = &self.sender;
            match target.engine.ask_rows(&target.table, commands, bytes) {
                Ok(receiver) => {
                    answers = Answers::Awaited(receiver);
                    break;
                }
                Err(NotSent { why: AskError::Overloaded { .. }, commands: back })
                    if self.is_patient =>
                {
                    commands = back;
                    if self.is_in_flight() {
                        self.settle_oldest().await;
                    } else {
                        tokio::time::sleep(RETRY).await;
                    }
                }
                Err(NotSent { why, .. }) => {
                    let problem = || of_ask_error(why.clone(), |never| match never {});
                    if !self.is_patient {
                        return Err(problem());
                    }
                    for row in &mut rows {
                        row.known.get_or_insert_with(|| RowOutcome::Failed(problem()));
                    }
                    break;
                }
            }
        }
        // From now on some of it is done: what comes behind waits.
        self.is_patient = true;
        self.rows_in_flight += rows.len();
        self.in_flight.push_back(Sent { rows, schema, answers });
        Ok(())
    }

    /// Carries out what was read with an older schema, and everything that was sent behind it.
    async fn read_again(&mut self, first: Vec<SentRow<S>>) {
        let mut rows: Vec<Numbered<S>> = first.into_iter().map(|sent| sent.row).collect();
        while let Some(mut sent) = self.in_flight.pop_front() {
            self.rows_in_flight -= sent.rows.len();
            // They met the newer schema too: what they are told is the same.
            sent.answers.wait().await;
            rows.extend(sent.rows.into_iter().map(|sent| sent.row));
        }
        for row in rows {
            let result = self.sender.carry_out_alone(&row).await;
            self.ready.push(result);
        }
    }

    fn settle(&mut self, rows: Vec<SentRow<S>>, answers: Option<Vec<Answer<Table>>>) {
        let shown = self.sender.target.table.shown();
        let schema = shown.schema();
        let scene = Scene::new(&self.sender.target, &schema);
        let mut answers = answers.map(Vec::into_iter);
        for SentRow { row, client_ref, known } in rows {
            let outcome = known.unwrap_or_else(|| {
                let answer = answers.as_mut().and_then(Iterator::next);
                let answer = answer.unwrap_or(Err(Refusal::OutcomeUnknown));
                self.sender.outcome(&row.source, answer, &scene)
            });
            let (index, offset) = (row.index, row.offset.at());
            self.ready.push(RowResult { index, client_ref, offset, outcome });
        }
    }
}

fn has_moved(answer: &Answer<Table>) -> bool {
    matches!(answer, Err(Refusal::Rejected(Rejection::SchemaMoved)))
}
