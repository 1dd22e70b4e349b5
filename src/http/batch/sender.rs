//! Reads a row into a command and a reply into what is told of the row, with what the request says
//! for all of its rows.
//!
//! It must not know how rows wait; that is `window`.

use crate::engine::AskError;
use crate::engine::turn::{Answer, Refusal, Repetition};
use crate::http::batch::result::{RowDone, RowOutcome, RowResult};
use crate::http::batch::resume::{Offset, next_offset};
use crate::http::batch::row_key::RowKey;
use crate::http::batch::source::Source;
use crate::http::batch::window::Numbered;
use crate::http::code::Code;
use crate::http::extension::RouteGroup;
use crate::http::fault::{Fault, Faults};
use crate::http::keyed::Keyed;
use crate::http::problem::Problem;
use crate::http::record_problem::RefusedWrite;
use crate::http::record_write::{
    Mentioned, Reading, RecordWrite, as_left, check_shape, written_by,
};
use crate::http::refusal::of_ask_error;
use crate::http::shape::Shape;
use crate::http::target::Target;
use crate::http::wire::fields::{FieldReference, FieldWrite};
use crate::http::wire::matching::Reader;
use crate::http::wire::record::{RecordAnswer, Scene};
use crate::http::wire::row::{OFFSET, Row, RowOptions, client_ref_of};
use crate::http::wire::row_answer::changed_fields;
use crate::http::wire::selection::Selection;
use crate::model::id::{FieldNumber, RecordId};
use crate::model::input::Input;
use crate::model::retry::{Retry, StoredOutcome};
use crate::model::schema::Schema;
use crate::model::schema::field::Field;
use crate::model::table::Table;
use crate::model::table::command::{
    Action, Ask, Caller, Outcome, Place, RecordFault, Reply, Streamed, Writes,
};
use crate::model::table::decide::Rejection;
use crate::model::table::streams::StreamKey;
use crate::model::table::trial::Trial;
use crate::model::value::Context;
use actix_web::http::StatusCode;
use serde_json::value::RawValue;
use std::sync::Arc;

/// Who sends the rows, where to, and what the request says for all of them.
pub(super) struct Sender {
    pub target: Target,
    /// Of all commands of the request.
    pub caller: Caller,
    /// Options of all rows that do not say otherwise.
    pub row: RowOptions,
    /// Results show the record.
    pub returns_records: bool,
    /// The rows are only answered.
    pub is_dry: bool,
    /// Of a stream that can be resumed.
    pub stream: Option<Arc<StreamKey>>,
}

/// What a row asks for, once it is read.
pub(super) struct ReadRow {
    pub client_ref: Option<Box<str>>,
    /// Or what is told of it without asking.
    pub asks: Result<Asked, RowOutcome>,
    /// Others are to be asked when it is durable.
    pub writes_mirrors: bool,
    /// It can be carried out only when all rows before it are visible, and before any behind it.
    pub needs_quiet: bool,
}

/// The command of a row.
pub(super) struct Asked {
    pub ask: Ask,
    /// Of a row that may be sent again.
    pub retry: Option<Arc<Retry>>,
}

impl ReadRow {
    fn known(client_ref: Option<Box<str>>, outcome: RowOutcome) -> Self {
        Self { client_ref, asks: Err(outcome), writes_mirrors: false, needs_quiet: false }
    }

    fn failed(client_ref: Option<Box<str>>, problem: Problem) -> Self {
        Self::known(client_ref, RowOutcome::Failed(problem))
    }
}

impl Sender {
    /// Asks anew what the sender may do; refused if it would not be let in any more.
    pub(super) fn refresh(&mut self) -> Result<(), Problem> {
        self.target = self.target.again()?;
        self.caller = self.target.caller.for_request();
        Ok(())
    }

    /// Reads a row in its place.
    pub(super) fn read_row<S: Source>(&self, row: &Numbered<S>, schema: &Schema) -> ReadRow {
        if let Some(known) = self.known_by_offset(row.offset) {
            let input = row.source.parse().ok();
            return ReadRow::known(input.and_then(|input| client_ref_of(&input)), known);
        }
        let mut read = if self.is_dry {
            self.read_anew(&row.source, schema)
        } else {
            self.read(&row.source, schema)
        };
        // What others are asked for is done before the row is: it moves nothing.
        if !read.writes_mirrors
            && let Ok(asked) = read.asks
        {
            read.asks = Ok(Asked { ask: self.placed(asked.ask, row.offset), ..asked });
        }
        read
    }

    /// What is told of a row whose offset says enough.
    fn known_by_offset(&self, offset: Offset) -> Option<RowOutcome> {
        let stream = self.stream.as_ref()?;
        if let Some(problem) = offset.problem() {
            return Some(RowOutcome::Failed(problem));
        }
        let is_done = offset.at().is_some_and(|at| at < next_offset(self, stream));
        is_done.then_some(RowOutcome::AlreadyApplied)
    }

    /// The row at its place in a stream.
    fn placed(&self, ask: Ask, offset: Offset) -> Ask {
        match (&self.stream, offset.at()) {
            (Some(stream), Some(offset)) => {
                Ask::Streamed(Box::new(Streamed { stream: stream.clone(), offset, ask }))
            }
            (None, _) | (Some(_), None) => ask,
        }
    }

    /// Reads a row with a schema; one that was carried out before is told of as it was then.
    pub(super) fn read(&self, source: &impl Source, schema: &Schema) -> ReadRow {
        let input = match source.parse() {
            Ok(input) => input,
            Err(problem) => return ReadRow::failed(None, problem),
        };
        // Of a dry run nothing is looked up, and nothing kept.
        let key = RowKey::of(&input, &self.target).filter(|_| !self.is_dry);
        match key.map(|key| key.outcome(&self.target)) {
            // Before anything else: the row may not be a good one any more.
            Some(Err(problem)) => ReadRow::failed(client_ref_of(&input), problem),
            Some(Ok(Some(outcome))) if !outcome.is_open => {
                let scene = Scene::new(&self.target, schema);
                let told = self.told_again(source, &outcome, &scene);
                ReadRow::known(client_ref_of(&input), told)
            }
            // What is left to be done for an open one, whoever carries the row out alone will do.
            Some(Ok(Some(_) | None)) | None => {
                self.read_input(&input, (key, source.bytes()), schema)
            }
        }
    }

    /// Reads a row, whether it was carried out before or not.
    pub(super) fn read_anew(&self, source: &impl Source, schema: &Schema) -> ReadRow {
        match source.parse() {
            Ok(input) => self.read_input(&input, (None, source.bytes()), schema),
            Err(problem) => ReadRow::failed(None, problem),
        }
    }

    fn read_input(
        &self,
        input: &Input<'_>,
        (key, bytes): (Option<RowKey>, usize),
        schema: &Schema,
    ) -> ReadRow {
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
                let retry = key.map(|key| Arc::new(key.retry(mentioned)));
                let asks = Ok(Asked { ask, retry });
                ReadRow { client_ref, asks, writes_mirrors, needs_quiet }
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
        if self.stream.is_some() {
            // It was read before.
            shape.raw(OFFSET);
        }
        shape.finish(self.row.strict, RouteGroup::Row, &mut faults);
        let checked = check_shape(faults, &row.fields.form);
        (row, checked)
    }

    fn write<'r>(&'r self, row: &Row<'r>, bytes: usize) -> RecordWrite<'r> {
        RecordWrite { is_dry: self.is_dry, ..Self::write_to(&self.target, row, bytes) }
    }

    fn write_to<'r>(target: &'r Target, row: &Row<'r>, bytes: usize) -> RecordWrite<'r> {
        let fields = row.fields.clone();
        let statuses = (StatusCode::OK, StatusCode::OK);
        RecordWrite { target, fields, return_all_fields: false, statuses, is_dry: false, bytes }
    }

    /// Carries out a row by itself, to its end: nothing else of the request is under way.
    pub(super) async fn carry_out_alone<S: Source>(&self, row: &Numbered<S>) -> RowResult {
        let (index, offset) = (row.index, row.offset.at());
        let input = match row.source.parse() {
            Ok(input) => input,
            Err(problem) => {
                let outcome = RowOutcome::Failed(problem);
                return RowResult { index, client_ref: None, offset, outcome };
            }
        };
        let client_ref = client_ref_of(&input);
        if let Some(outcome) = self.known_by_offset(row.offset) {
            return RowResult { index, client_ref, offset, outcome };
        }
        let carried_out = match self.begin(&input) {
            Ok(keyed) => self.ask_alone(row, &input, keyed).await,
            Err(problem) => Err(problem),
        };
        let outcome = carried_out.unwrap_or_else(RowOutcome::Failed);
        RowResult { index, client_ref, offset, outcome }
    }

    /// The key of a row that is carried out by itself: meanwhile no other such row of it begins, since
    /// others are asked behind the writer.
    fn begin(&self, input: &Input<'_>) -> Result<Option<Arc<Keyed>>, Problem> {
        let Some(key) = RowKey::of(input, &self.target) else { return Ok(None) };
        let under_way = self.target.engine.begin(key.key).ok_or_else(in_progress)?;
        let outcome = key.outcome(&self.target)?;
        // Which fields it names is added when it is read.
        Ok(Some(Keyed::of_row(key.retry(Vec::new()), outcome, under_way)))
    }

    async fn ask_alone<S: Source>(
        &self,
        Numbered { source, offset, .. }: &Numbered<S>,
        input: &Input<'_>,
        keyed: Option<Arc<Keyed>>,
    ) -> Result<RowOutcome, Problem> {
        let schema = self.target.table.shown().schema();
        if let Some(outcome) = keyed.as_ref().and_then(|keyed| keyed.outcome.as_ref())
            && !outcome.is_open
        {
            return Ok(self.told_again(source, outcome, &Scene::new(&self.target, &schema)));
        }
        let (read, checked) = self.read_shape(input, &schema);
        checked?;
        let mut target = self.target.clone();
        target.caller.keyed.clone_from(&keyed);
        let write = Self::write_to(&target, &read, source.bytes());
        let plain = |schema: &Schema, context: &Context<'_>, writes: Writes| {
            self.upsert(&read, (schema, context), writes)
        };
        let writes_mirrors = !write.read(&schema, &plain)?.mirrors.is_empty();
        let intent = |schema: &Schema, context: &Context<'_>, writes: Writes| {
            let ask = plain(schema, context, writes)?;
            Ok(if writes_mirrors { ask } else { self.placed(ask, *offset) })
        };
        let (reply, _) = write.ask(&intent).await?;
        let schema = self.target.table.shown().schema();
        let scene = Scene::new(&self.target, &schema);
        match keyed.filter(|keyed| keyed.is_replayed()).and_then(|it| it.outcome.clone()) {
            Some(outcome) => Ok(self.told_again(source, &outcome, &scene)),
            None => Ok(self.told(source, reply, &scene)),
        }
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
            Err(Refusal::Repeated(Repetition::SameRequest)) => self.repeated(source, scene),
            Err(Refusal::Repeated(Repetition::OtherRequest)) => {
                RowOutcome::Failed(Problem::new(Code::IdempotencyKeyReuse))
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

    /// What is told of a row that the writer has found to be carried out: its outcome is there when
    /// that is answered.
    fn repeated(&self, source: &impl Source, scene: &Scene<'_>) -> RowOutcome {
        let found = source.parse().and_then(|input| match RowKey::of(&input, &self.target) {
            Some(key) => key.outcome(&self.target),
            None => Ok(None),
        });
        match found {
            Ok(Some(outcome)) if !outcome.is_open => self.told_again(source, &outcome, scene),
            // Others are still asked for it; or it was forgotten in this very instant.
            Ok(Some(_) | None) => RowOutcome::Failed(in_progress()),
            Err(problem) => RowOutcome::Failed(problem),
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
        match reply {
            Reply::Record(outcome) => {
                let mentioned = || self.mentioned(source, scene.schema());
                RowOutcome::Done(self.done(source, (&outcome, &mentioned), scene))
            }
            Reply::NoMatch => RowOutcome::NotFound,
            Reply::AlreadyApplied => RowOutcome::AlreadyApplied,
            Reply::Repeated(outcome) => self.told_again(source, &outcome, scene),
            Reply::Done
            | Reply::Field(_)
            | Reply::Option(_)
            | Reply::Category(_)
            | Reply::Rows(_)
            | Reply::Tried(_) => {
                unreachable!("a row is answered with a record")
            }
        }
    }

    /// What is told of a row that was carried out before.
    fn told_again(
        &self,
        source: &impl Source,
        outcome: &StoredOutcome,
        scene: &Scene<'_>,
    ) -> RowOutcome {
        let answered = outcome.record().ok_or_else(Problem::not_found);
        let left = answered.and_then(|answered| as_left(&self.target, scene.schema(), answered));
        match left {
            Ok((outcome, mentioned)) => {
                let done = self.done(source, (&outcome, &|| mentioned.clone()), scene);
                RowOutcome::Done(RowDone { is_replayed: true, ..done })
            }
            Err(problem) => RowOutcome::Failed(problem),
        }
    }

    fn done(
        &self,
        source: &impl Source,
        (outcome, mentioned): (&Outcome, &dyn Fn() -> Mentioned),
        scene: &Scene<'_>,
    ) -> RowDone {
        let is_stale = outcome.action == Action::Stale;
        // A record that this row would make, or one before it.
        let exists = |id| self.target.table.shown().record(id).is_some();
        RowDone {
            action: outcome.action,
            id: Some(outcome.record.id()).filter(|id| !self.is_dry || exists(*id)),
            version: outcome.record.version(),
            changed_fields: changed_fields(outcome, scene),
            source_version: is_stale.then(|| self.kept_version(source, outcome, scene)).flatten(),
            record: self.returns_records.then(|| self.shown(outcome, scene, mentioned())),
            is_replayed: false,
        }
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

impl Sender {
    /// The write answer of a row.
    fn shown(&self, outcome: &Outcome, scene: &Scene<'_>, mentioned: Mentioned) -> Box<RawValue> {
        let mentioned = written_by(outcome, mentioned);
        let selection =
            Selection::of_write(outcome, &mentioned, false, (scene.schema(), scene.fields()));
        let (record, action) = (outcome.record.clone(), Some(outcome.action));
        let (selection, is_dry) = (&selection, self.is_dry);
        let answer = RecordAnswer { scene, selection, record, action, is_dry };
        serde_json::value::to_raw_value(&answer).expect("a record has text keys and serialises")
    }

    /// Whether a row relates to records of the very table that rows before it would make, rename,
    /// archive or restore.
    pub(super) fn names_tried(&self, source: &impl Source, trial: &Trial, schema: &Schema) -> bool {
        let Ok(input) = source.parse() else { return false };
        let (row, _) = self.read_shape(&input, schema);
        let rights = self.target.access.fields(schema);
        row.fields.entries.iter().any(|entry| {
            let (FieldReference::Id(name)
            | FieldReference::Name(name)
            | FieldReference::Key(name)
            | FieldReference::Both { id: name, .. }) = entry.reference;
            let field = rights.find(schema, name);
            let leads_here = field.is_some_and(|field| leads_to(schema, field));
            let values = match entry.write {
                FieldWrite::Value(value) => [Some(value), None],
                FieldWrite::Edit { add, remove } => [add, remove],
            };
            leads_here && values.into_iter().flatten().any(|it| self.is_tried(it, trial, schema))
        })
    }

    /// Whether a value, or a part of it, names such a record.
    fn is_tried(&self, value: &Input<'_>, trial: &Trial, schema: &Schema) -> bool {
        match value {
            Input::Text(text) => {
                let shown = self.target.table.shown();
                let is_moved = RecordId::parse(text).is_some_and(|id| {
                    let is_archived = shown.record(id).map(|record| record.is_archived());
                    trial.is_archived(id).is_some_and(|tried| Some(tried) != is_archived)
                });
                is_moved || schema.identifier_key(text).is_some_and(|key| trial.has_moved(&key))
            }
            Input::List(items) => items.iter().any(|item| self.is_tried(item, trial, schema)),
            Input::Map(entries) => {
                entries.iter().any(|(_, value)| self.is_tried(value, trial, schema))
            }
            Input::Null | Input::Boolean(_) | Input::Number(_) => false,
        }
    }
}

fn leads_to(schema: &Schema, field: &Field) -> bool {
    let relation = field.relation.as_ref();
    relation.is_some_and(|relation| relation.object == schema.object().id)
}

/// Whether a row names records of the very table that it writes to: those of rows before it must be
/// there.
fn names_own_records(ask: &mut Ask, mentioned: &Mentioned, schema: &Schema) -> bool {
    let leads_here =
        |number: FieldNumber| schema.by_number(number).is_some_and(|field| leads_to(schema, field));
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

fn in_progress() -> Problem {
    Problem::new(Code::IdempotencyInProgress).retry_after(1)
}

fn has_relations(schema: &Schema) -> bool {
    schema.fields().iter().any(|field| field.relation.is_some())
}
