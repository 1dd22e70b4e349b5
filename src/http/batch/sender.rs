//! Reads a row into a command and a reply into what is told of the row, with what the request says
//! for all of its rows.
//!
//! It must not know how rows wait; that is `window`.

use crate::engine::AskError;
use crate::engine::turn::{Answer, Refusal};
use crate::http::batch::result::{RowDone, RowOutcome, RowResult};
use crate::http::batch::source::Source;
use crate::http::batch::window::Numbered;
use crate::http::extension::RouteGroup;
use crate::http::fault::Faults;
use crate::http::problem::Problem;
use crate::http::record_problem::RefusedWrite;
use crate::http::record_write::{Mentioned, Reading, RecordWrite, check_shape, written_by};
use crate::http::refusal::of_ask_error;
use crate::http::shape::Shape;
use crate::http::target::Target;
use crate::http::wire::record::{RecordAnswer, Scene};
use crate::http::wire::row::{Row, RowOptions};
use crate::http::wire::row_answer::changed_fields;
use crate::http::wire::selection::Selection;
use crate::model::id::FieldNumber;
use crate::model::input::Input;
use crate::model::schema::Schema;
use crate::model::table::Table;
use crate::model::table::command::{self, Ask, Caller, Outcome, Place, RecordFault, Reply, Writes};
use crate::model::value::Context;
use actix_web::http::StatusCode;
use serde_json::value::RawValue;

/// Who sends the rows, where to, and what the request says for all of them.
pub(super) struct Sender {
    pub target: Target,
    /// Of all commands of the request.
    pub caller: Caller,
    /// Options of all rows that do not say otherwise.
    pub row: RowOptions,
    /// Results show the record.
    pub returns_records: bool,
}

/// What a row asks for, once it is read.
pub(super) struct ReadRow {
    pub client_ref: Option<Box<str>>,
    pub asks: Result<Ask, Problem>,
    /// It can be carried out only when all rows before it are visible, and before any behind it.
    pub needs_quiet: bool,
}

impl Sender {
    /// Asks anew what the sender may do; refused if it would not be let in any more.
    pub(super) fn refresh(&mut self) -> Result<(), Problem> {
        let target = self.target.again()?;
        let batch = self.caller.batch;
        self.caller = command::Caller { batch, ..target.caller.for_request() };
        self.target = target;
        Ok(())
    }

    /// Reads a row with a schema.
    pub(super) fn read(&self, source: &impl Source, schema: &Schema) -> ReadRow {
        match source.parse() {
            Ok(input) => self.read_input(&input, source.bytes(), schema),
            Err(problem) => ReadRow { client_ref: None, asks: Err(problem), needs_quiet: false },
        }
    }

    fn read_input(&self, input: &Input<'_>, bytes: usize, schema: &Schema) -> ReadRow {
        let (row, checked) = self.read_shape(input, schema);
        let client_ref = row.client_ref.map(Box::from);
        if let Err(problem) = checked {
            return ReadRow { client_ref, asks: Err(problem), needs_quiet: false };
        }
        let write = self.write(&row, bytes);
        let intent = |schema: &Schema, context: &Context<'_>, writes: Writes| {
            Ok(Ask::Upsert(Box::new(row.intent(schema, context, writes)?)))
        };
        match write.read(schema, &intent) {
            Ok(Reading { mut ask, mentioned, mirrors }) => {
                let needs_quiet =
                    !mirrors.is_empty() || names_own_records(&mut ask, &mentioned, schema);
                ReadRow { client_ref, asks: Ok(ask), needs_quiet }
            }
            // It may be refused for what a row before it will have changed.
            Err(problem) => {
                let needs_quiet = has_relations(schema);
                ReadRow { client_ref, asks: Err(problem), needs_quiet }
            }
        }
    }

    /// The keys of a row, and whether they have a good shape.
    fn read_shape<'i>(
        &self,
        input: &'i Input<'i>,
        schema: &Schema,
    ) -> (Row<'i>, Result<(), Problem>) {
        let mut faults = Faults::default();
        let mut shape = Shape::of_body(input, &mut faults);
        let row = Row::read(&mut shape, &self.row, schema, &mut faults);
        shape.finish(self.row.strict, RouteGroup::Row, &mut faults);
        let checked = check_shape(faults, &row.fields.form);
        (row, checked)
    }

    fn write<'r>(&'r self, row: &Row<'r>, bytes: usize) -> RecordWrite<'r> {
        let (target, fields) = (&self.target, row.fields.clone());
        let statuses = (StatusCode::OK, StatusCode::OK);
        RecordWrite { target, fields, return_all_fields: false, statuses, bytes }
    }

    /// Carries out a row by itself, to its end: nothing else of the request is under way.
    pub(super) async fn carry_out_alone<S: Source>(&self, row: &Numbered<S>) -> RowResult {
        let index = row.index;
        let input = match row.source.parse() {
            Ok(input) => input,
            Err(problem) => {
                let outcome = RowOutcome::Failed(problem);
                return RowResult { index, client_ref: None, outcome };
            }
        };
        let schema = self.target.table.shown().schema();
        let (read, checked) = self.read_shape(&input, &schema);
        let client_ref = read.client_ref.map(Box::from);
        if let Err(problem) = checked {
            return RowResult { index, client_ref, outcome: RowOutcome::Failed(problem) };
        }
        let write = self.write(&read, row.source.bytes());
        let intent = |schema: &Schema, context: &Context<'_>, writes: Writes| {
            Ok(Ask::Upsert(Box::new(read.intent(schema, context, writes)?)))
        };
        let outcome = match write.ask(&intent).await {
            Ok((reply, mentioned)) => {
                let schema = self.target.table.shown().schema();
                let scene = Scene::new(&self.target, &schema);
                self.told(reply, &scene, || mentioned)
            }
            Err(problem) => RowOutcome::Failed(problem),
        };
        RowResult { index, client_ref, outcome }
    }

    /// What is told of a row that the writer has answered.
    pub(super) fn outcome(
        &self,
        source: &impl Source,
        answer: Answer<Table>,
        scene: &Scene<'_>,
    ) -> RowOutcome {
        match answer {
            Ok(reply) => self.told(reply, scene, || self.mentioned(source, scene.schema())),
            Err(Refusal::Repeated(repetition)) => {
                let error = AskError::Repeated(repetition);
                RowOutcome::Failed(of_ask_error(error, |()| unreachable!("nobody has decided")))
            }
            Err(Refusal::OutcomeUnknown) => {
                let error = AskError::OutcomeUnknown;
                RowOutcome::Failed(of_ask_error(error, |()| unreachable!("nobody has decided")))
            }
            Err(Refusal::Rejected(rejection)) => {
                let (target, schema) = (&self.target, scene.schema());
                let problem = match source.parse() {
                    Ok(input) => {
                        let (row, _) = self.read_shape(&input, schema);
                        let fields = &row.fields;
                        RefusedWrite { target, schema, fields }.problem(rejection)
                    }
                    Err(problem) => problem,
                };
                RowOutcome::Failed(problem)
            }
        }
    }

    /// The fields that a row names, read once more.
    fn mentioned(&self, source: &impl Source, schema: &Schema) -> Mentioned {
        let Ok(input) = source.parse() else { return Mentioned::new() };
        let (row, _) = self.read_shape(&input, schema);
        let write = self.write(&row, 0);
        let intent = |schema: &Schema, context: &Context<'_>, writes: Writes| {
            Ok(Ask::Upsert(Box::new(row.intent(schema, context, writes)?)))
        };
        write.read(schema, &intent).map(|reading| reading.mentioned).unwrap_or_default()
    }

    fn told(
        &self,
        reply: Reply,
        scene: &Scene<'_>,
        mentioned: impl FnOnce() -> Mentioned,
    ) -> RowOutcome {
        let outcome = match reply {
            Reply::Record(outcome) => outcome,
            Reply::NoMatch => return RowOutcome::NotFound,
            Reply::Done | Reply::Field(_) | Reply::Option(_) | Reply::Category(_) => {
                unreachable!("a row is answered with a record")
            }
        };
        let record = self.returns_records.then(|| shown(&outcome, scene, mentioned()));
        let changed_fields = changed_fields(&outcome, scene);
        let Outcome { action, record: after, .. } = outcome;
        let (id, version) = (Some(after.id()), after.version());
        RowOutcome::Done(RowDone { action, id, version, changed_fields, record })
    }
}

/// Whether a row names records of the very table that it writes to: those of rows before it must be
/// there.
fn names_own_records(ask: &mut Ask, mentioned: &Mentioned, schema: &Schema) -> bool {
    let own = schema.object().id;
    let leads_here = |number: FieldNumber| {
        let field = schema.by_number(number);
        let relation = field.and_then(|field| field.relation.as_ref());
        relation.is_some_and(|relation| relation.object == own)
    };
    let is_at_fault = |fault: &RecordFault| match &fault.place {
        Place::Entry { field, .. } => leads_here(*field),
        Place::Unresolved { .. }
        | Place::Field(_)
        | Place::LookupValue
        | Place::Identifier
        | Place::Stage => false,
    };
    mentioned.iter().any(|(_, field)| leads_here(*field))
        || ask.writes_mut().is_some_and(|writes| writes.faults.iter().any(is_at_fault))
}

fn has_relations(schema: &Schema) -> bool {
    schema.fields().iter().any(|field| field.relation.is_some())
}

/// The write answer of a row.
fn shown(outcome: &Outcome, scene: &Scene<'_>, mentioned: Mentioned) -> Box<RawValue> {
    let mentioned = written_by(outcome, mentioned);
    let selection =
        Selection::of_write(outcome, &mentioned, false, (scene.schema(), scene.fields()));
    let record = outcome.record.clone();
    let answer =
        RecordAnswer { scene, selection: &selection, record, action: Some(outcome.action) };
    serde_json::value::to_raw_value(&answer).expect("a record has text keys and serialises")
}
