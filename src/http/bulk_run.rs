//! Goes through the records of a bulk action: so many at a time, each in a commit of its own, and
//! notes what became of them.
//!
//! It must not know requests. Nothing here waits for a client.

use crate::engine::AskError;
use crate::engine::bulk::{BulkRun, IN_FLIGHT_MAX};
use crate::http::code::Code;
use crate::http::problem::Problem;
use crate::http::record_problem::RefusedWrite;
use crate::http::refusal::of_ask_error;
use crate::http::target::Target;
use crate::http::wire::bulk::Resolution;
use crate::http::wire::fields::{FieldEntry, FieldWrite, Fields};
use crate::http::wire::writes;
use crate::model::agenda::bulk::{BulkKind, Failure, NewBulk};
use crate::model::id::{BatchId, RecordId};
use crate::model::input::Input;
use crate::model::schema::Schema;
use crate::model::table::command::{ArchivedConflict, Ask, Command, Extent, Reply, Update, Writes};
use crate::model::table::decide::Rejection;
use crate::model::value::Change;
use std::sync::Arc;
use std::time::Duration;

/// How often the table is asked in vain, its queue full or its schema moving each time.
const ATTEMPTS_MAX: u32 = 20;
const ATTEMPT_PAUSE: Duration = Duration::from_millis(100);

/// What is done to each record.
pub enum Work<'w> {
    Archive,
    Change(FieldWork<'w>),
}

/// One field's change.
pub struct FieldWork<'w> {
    /// It has one entry.
    pub fields: Fields<'w>,
    pub resolution: Resolution,
    /// Of the value, for admission.
    pub bytes: usize,
}

impl FieldWork<'_> {
    /// The change, read with a schema. A blank fills nothing and is laid over nothing.
    #[must_use]
    pub fn read(&self, target: &Target, schema: &Schema) -> Writes {
        let rights = target.access.fields(schema);
        let read =
            target.with_context(|context| writes::read(&self.fields, (schema, &rights), context));
        // A mirror was refused: its values are in other records.
        let mut writes = read.writes;
        match self.resolution {
            Resolution::UpdateIfBlank | Resolution::OverwriteExceptNull => {
                let is_null =
                    |entry: &FieldEntry<'_>| matches!(entry.write, FieldWrite::Value(Input::Null));
                let is_null = self.fields.entries.iter().any(is_null);
                writes.entries.retain(|write| !is_null && write.change != Change::Clear);
            }
            Resolution::Overwrite | Resolution::AddOnly | Resolution::RemoveOnly => {}
        }
        writes
    }
}

/// Carries an action out. When this returns every record was tried, and what was done is durable
/// and visible.
pub async fn carry_out(
    target: &Target,
    records: &[RecordId],
    work: &Work<'_>,
) -> Result<BatchId, Problem> {
    let run = begin(target, records.len(), work).await?;
    let mut chunks = records.chunks(IN_FLIGHT_MAX).peekable();
    while let Some(chunk) = chunks.next() {
        let failures = Chunk { target, work, records: chunk }.carry_out().await?;
        let succeeded = u32::try_from(chunk.len() - failures.len()).expect("a chunk is small");
        let noted = run.note(succeeded, failures, chunks.peek().is_none()).await;
        noted.map_err(|_| not_noted())?;
    }
    Ok(run.id())
}

async fn begin(target: &Target, records: usize, work: &Work<'_>) -> Result<BulkRun, Problem> {
    let Target { engine, caller, table, .. } = target;
    let new = NewBulk {
        kind: match work {
            Work::Archive => BulkKind::Archive,
            Work::Change(_) => BulkKind::ChangeFieldValue,
        },
        object: table.shown().schema().object().id,
        records: u32::try_from(records).expect("a request names few records"),
    };
    Ok(engine.begin_bulk(&caller.business, caller.for_request(), new).await?)
}

/// The action has changed records, but that it did may be lost.
fn not_noted() -> Problem {
    let detail = "Records were changed, but it is not known whether that was noted.";
    Problem::new(Code::OutcomeUnknown).saying(detail).retry_after(30)
}

/// Records that are asked for at once.
struct Chunk<'c> {
    target: &'c Target,
    work: &'c Work<'c>,
    records: &'c [RecordId],
}

type Answer = Result<Reply, AskError<Rejection>>;

impl Chunk<'_> {
    /// The records that failed, in their order.
    async fn carry_out(&self) -> Result<Vec<Failure>, Problem> {
        let mut failures: Vec<Option<Failure>> = self.records.iter().map(|_| None).collect();
        let mut left: Vec<usize> = (0..self.records.len()).collect();
        let mut attempts = 0;
        while !left.is_empty() {
            let asked = left.len();
            let schema = self.target.table.shown().schema();
            let answers = self.ask(&schema, &left).await;
            let mut again = Vec::new();
            for (place, answer) in left.into_iter().zip(answers) {
                match answer {
                    Ok(_) => {}
                    Err(error @ AskError::OutcomeUnknown) => {
                        return Err(of_ask_error(error, |_| unreachable!("it is no rejection")));
                    }
                    Err(error) if attempts + 1 < ATTEMPTS_MAX && is_passing(&error) => {
                        again.push(place);
                    }
                    Err(error) => failures[place] = Some(self.failure(place, error, &schema)),
                }
            }
            left = again;
            if left.len() < asked {
                attempts = 0;
            } else {
                attempts += 1;
                tokio::time::sleep(ATTEMPT_PAUSE).await;
            }
        }
        Ok(failures.into_iter().flatten().collect())
    }

    async fn ask(&self, schema: &Schema, places: &[usize]) -> Vec<Answer> {
        let Target { engine, caller, table, .. } = self.target;
        let writes = match self.work {
            Work::Archive => None,
            Work::Change(field) => Some((field.read(self.target, schema), field.resolution)),
        };
        let command_caller = caller.for_request();
        let command = |place: &usize| {
            let id = self.records[*place];
            let ask = match &writes {
                None => Ask::Archive(id),
                Some((writes, resolution)) => Ask::Update(Box::new(Update {
                    id,
                    writes: writes.clone(),
                    archived_conflict: ArchivedConflict::Refuse,
                    extent: match resolution {
                        Resolution::UpdateIfBlank => Extent::Blank,
                        Resolution::Overwrite
                        | Resolution::AddOnly
                        | Resolution::RemoveOnly
                        | Resolution::OverwriteExceptNull => Extent::Mentioned,
                    },
                })),
            };
            Command { caller: command_caller.clone(), ask }
        };
        let commands = places.iter().map(command).collect();
        let bytes = match self.work {
            Work::Archive => 0,
            Work::Change(field) => field.bytes,
        };
        engine.ask_table_in_order(table, commands, bytes).await
    }

    fn failure(&self, place: usize, error: AskError<Rejection>, schema: &Arc<Schema>) -> Failure {
        let nothing = Fields::none();
        let fields = match self.work {
            Work::Archive => &nothing,
            Work::Change(field) => &field.fields,
        };
        let refused = RefusedWrite { target: self.target, schema, fields };
        let problem = of_ask_error(error, |rejection| refused.problem(rejection));
        Failure {
            record: self.records[place],
            code: problem.code().expect("a refusal has a code").as_str().to_owned(),
            detail: problem.detail().to_owned(),
        }
    }
}

/// Whether the same may be taken in a moment.
fn is_passing(error: &AskError<Rejection>) -> bool {
    matches!(error, AskError::Overloaded { .. } | AskError::Rejected(Rejection::SchemaMoved))
}
