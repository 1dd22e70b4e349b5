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
use crate::http::fault::{Fault, Faults};
use crate::http::problem::Problem;
use crate::http::record_problem::RefusedWrite;
use crate::http::record_write::{Mentioned, Reading, RecordWrite, check_shape, written_by};
use crate::http::refusal::of_ask_error;
use crate::http::shape::Shape;
use crate::http::target::Target;
use crate::http::wire::matching::Reader;
use crate::http::wire::record::{RecordAnswer, Scene};
use crate::http::wire::row::{Row, RowOptions};
use crate::http::wire::row_answer::changed_fields;
use crate::http::wire::selection::Selection;
use crate::model::id::FieldNumber;
use crate::model::input::Input;
use crate::model::schema::Schema;
use crate::model::table::Table;
use crate::model::table::command::{
    Action, Ask, Caller, Outcome, Place, RecordFault, Reply, Writes,
};
use crate::model::table::decide::Rejection;
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
    /// Others are to be asked when it is durable.
    pub writes_mirrors: bool,
    /// It can be carried out only when all rows before it are visible, and before any behind it.
    pub needs_quiet: bool,
}

impl ReadRow {
    fn failed(client_ref: Option<Box<str>>, problem: Problem) -> Self {
        Self { client_ref, asks: Err(problem), writes_mirrors: false, needs_quiet: false }
    }
}

impl Sender {
    /// Asks anew what the sender may do; refused if it would not be let in any more.
    pub(super) fn refresh(&mut self) -> Result<(), Problem> {
        self.target = self.target.again()?;
        self.caller = self.target.caller.for_request();
        Ok(())
    }

    /// Reads a row with a schema.
    pub(super) fn read(&self, source: &impl Source, schema: &Schema) -> ReadRow {
        match source.parse() {
            Ok(input) => self.read_input(&input, source.bytes(), schema),
            Err(problem) => ReadRow::failed(None, problem),
        }
    }

    fn read_input(&self, input: &Input<'_>, bytes: usize, schema: &Schema) -> ReadRow {
        let (row, checked) = self.read_shape(input, schema);
        let client_ref = row.client_ref.map(Box::from);
        if let Err(problem) = checked {
            return ReadRow::failed(client_ref, problem);
        }
        let write = self.write(&row, bytes);
        let intent = |schema: &Schema, context: &Context<'_>, writes: Writes| {
            self.upsert(&row, (schema, context), writes)
        };
        match write.read(schema, &intent) {
            Ok(Reading { mut ask, mentioned, mirrors }) => {
                let writes_mirrors = !mirrors.is_empty();
                let needs_quiet = writes_mirrors || names_own_records(&mut ask, &mentioned, schema);
                ReadRow { client_ref, asks: Ok(ask), writes_mirrors, needs_quiet }
            }
            // It may be refused for what a row before it will have changed.
            Err(problem) => {
                let needs_quiet = has_relations(schema);
                ReadRow { needs_quiet, ..ReadRow::failed(client_ref, problem) }
            }
        }
    }

    /// What a row asks, with writes that were read with the same schema.
    fn upsert(
        &self,
        row: &Row<'_>,
        (schema, context): (&Schema, &Context<'_>),
        writes: Writes,
    ) -> Result<Ask, Vec<Fault>> {
        let rights = &self.target.access.fields(schema);
        let reader = Reader { schema, rights, context };
        Ok(Ask::Upsert(Box::new(row.intent(reader, writes)?)))
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
        RecordWrite { target, fields, return_all_fields: false, statuses, is_dry: false, bytes }
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
            self.upsert(&read, (schema, context), writes)
        };
        let outcome = match write.ask(&intent).await {
            Ok((reply, _)) => {
                let schema = self.target.table.shown().schema();
                self.told(&row.source, reply, &Scene::new(&self.target, &schema))
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
            Ok(reply) => self.told(source, reply, scene),
            Err(Refusal::Repeated(repetition)) => {
                let error = AskError::Repeated(repetition);
                RowOutcome::Failed(of_ask_error(error, |()| unreachable!("nobody has decided")))
            }
            Err(Refusal::OutcomeUnknown) => {
                let error = AskError::OutcomeUnknown;
                RowOutcome::Failed(of_ask_error(error, |()| unreachable!("nobody has decided")))
            }
            Err(Refusal::Rejected(rejection)) => {
                RowOutcome::Failed(self.refused(source, rejection, scene.schema()))
            }
        }
    }

    /// Why a row was refused, read once more to say where.
    pub(super) fn refused(
        &self,
        source: &impl Source,
        rejection: Rejection,
        schema: &Schema,
    ) -> Problem {
        match source.parse() {
            Ok(input) => {
                let (row, _) = self.read_shape(&input, schema);
                let (target, fields) = (&self.target, &row.fields);
                RefusedWrite { target, schema, fields }.problem(rejection)
            }
            Err(problem) => problem,
        }
    }

    /// What is told of a row that was carried out.
    pub(super) fn told(&self, source: &impl Source, reply: Reply, scene: &Scene<'_>) -> RowOutcome {
        let outcome = match reply {
            Reply::Record(outcome) => outcome,
            Reply::NoMatch => return RowOutcome::NotFound,
            Reply::Done
            | Reply::Field(_)
            | Reply::Option(_)
            | Reply::Category(_)
            | Reply::Rows(_) => {
                unreachable!("a row is answered with a record")
            }
        };
        let is_stale = outcome.action == Action::Stale;
        RowOutcome::Done(RowDone {
            action: outcome.action,
            id: Some(outcome.record.id()),
            version: outcome.record.version(),
            changed_fields: changed_fields(&outcome, scene),
            source_version: is_stale.then(|| self.kept_version(source, &outcome, scene)).flatten(),
            record: self
                .returns_records
                .then(|| shown(&outcome, scene, self.mentioned(source, scene.schema()))),
        })
    }

    /// The version that the record keeps of a row's source, which was older; read once more.
    fn kept_version(
        &self,
        source: &impl Source,
        outcome: &Outcome,
        scene: &Scene<'_>,
    ) -> Option<Box<RawValue>> {
        let input = source.parse().ok()?;
        let (row, _) = self.read_shape(&input, scene.schema());
        let version = row.kept_version(outcome, self.target.caller.business.time_zone())?;
        let raw = serde_json::value::to_raw_value(&version);
        Some(raw.expect("a number and a time serialise"))
    }

    /// The fields that a row names, read once more.
    fn mentioned(&self, source: &impl Source, schema: &Schema) -> Mentioned {
        let Ok(input) = source.parse() else { return Mentioned::new() };
        let (row, _) = self.read_shape(&input, schema);
        let write = self.write(&row, 0);
        let intent = |schema: &Schema, context: &Context<'_>, writes: Writes| {
            self.upsert(&row, (schema, context), writes)
        };
        write.read(schema, &intent).map(|reading| reading.mentioned).unwrap_or_default()
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
        | Place::MatchValue(_)
        | Place::SourceVersion
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
    let (record, action) = (outcome.record.clone(), Some(outcome.action));
    let answer = RecordAnswer { scene, selection: &selection, record, action, is_dry: false };
    serde_json::value::to_raw_value(&answer).expect("a record has text keys and serialises")
}
