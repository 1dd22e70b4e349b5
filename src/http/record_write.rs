//! One write of a record, from its parsed request to its answer: read with the schema, ask the
//! table's writer, read again where the schema has moved, answer.
//!
//! It must not know any route's own parameters.

use crate::engine::AskError;
use crate::http::body::Body;
use crate::http::caller::require;
use crate::http::dry_run::{self, DRY_RUN};
use crate::http::fault::{Fault, Faults};
use crate::http::keyed::Keyed;
use crate::http::mirror_write::MirrorWrites;
use crate::http::problem::{FieldsForm, Problem};
use crate::http::record_problem::{RefusedWrite, of_record_write};
use crate::http::refusal::of_ask_error;
use crate::http::target::Target;
use crate::http::wire::fields::Fields;
use crate::http::wire::record::{RecordAnswer, Scene};
use crate::http::wire::row_answer::{RowAnswer, RowReport};
use crate::http::wire::selection::Selection;
use crate::http::wire::writes::{self, ReadFields};
use crate::model::id::{FieldNumber, RecordId};
use crate::model::input::Input;
use crate::model::retry::{Answered, RecordAnswered, Retry, Statuses};
use crate::model::schema::Schema;
use crate::model::table::command::{
    self, Action, Ask, Command, EntryIndex, EntryKey, FaultKind, Outcome, Place, RecordFault,
    Reply, TeamEdit, Write, Writes,
};
use crate::model::table::decide::Rejection;
use crate::model::table::record::Record;
use crate::model::value::Context;
use crate::model::value::fault::ValueFault;
use actix_web::HttpResponse;
use actix_web::http::{StatusCode, header};
use std::sync::Arc;

/// How often a request is read because the schema has moved: more often than schemas are changed in a
/// row by any script, and a reading costs little.
pub const READINGS_MAX: usize = 16;

/// A write whose shape is good.
pub struct RecordWrite<'r> {
    pub target: &'r Target,
    pub fields: Fields<'r>,
    pub return_all_fields: bool,
    /// The status where a record is made or restored, and where one is changed.
    pub statuses: (StatusCode, StatusCode),
    /// It is only answered.
    pub is_dry: bool,
    /// Of the request's body, for admission.
    pub bytes: usize,
}

/// What a request asks of the table, once its `fields` are read with a schema.
pub type MakeAsk<'m> = &'m dyn Fn(&Schema, &Context<'_>, Writes) -> Result<Ask, Vec<Fault>>;

/// A write that was carried out.
pub struct Written {
    pub outcome: Outcome,
    /// The fields that the request wrote, in its order.
    pub mentioned: Vec<FieldNumber>,
    /// All visible fields are shown.
    pub shows_all: bool,
}

/// The fields of a request's entries, in its order.
pub(super) type Mentioned = Vec<(EntryIndex, FieldNumber)>;

/// What one reading of a request gives.
pub(super) struct Reading {
    pub(super) ask: Ask,
    /// The fields it writes, in its order.
    pub(super) mentioned: Mentioned,
    pub(super) mirrors: MirrorWrites,
}

/// The JSON of a record's write.
pub fn parse(body: &Body) -> Result<Input<'_>, Problem> {
    body.parse().map_err(|error| of_record_write(error.into(), &FieldsForm::List(0)))
}

/// Ends the reading of a request's shape: what is wrong with it has the forms of a record's write.
pub fn check_shape(faults: Faults, form: &FieldsForm) -> Result<(), Problem> {
    faults.check().map_err(|problem| of_record_write(problem, form))
}

/// Ends a write for which a right is missing, whatever the record is. A write that was carried out
/// before asks for none: its answer needs the right to read alone.
pub fn require_for_write(target: &Target, may: bool, form: &FieldsForm) -> Result<(), Problem> {
    let is_repeated = target.caller.keyed.as_ref().is_some_and(|keyed| keyed.outcome.is_some());
    require(may || is_repeated).map_err(|problem| of_record_write(problem, form))
}

impl<'r> RecordWrite<'r> {
    /// A write without `fields`.
    #[must_use]
    pub fn without_fields(target: &'r Target, bytes: usize) -> Self {
        let fields = Fields::none();
        let statuses = (StatusCode::OK, StatusCode::OK);
        Self { target, fields, return_all_fields: false, statuses, is_dry: false, bytes }
    }

    /// Asks for a record. The reply means that the change is durable and visible to every reader.
    pub async fn ask_for_record(&self, make: MakeAsk<'_>) -> Result<Written, Problem> {
        let (reply, mentioned) = self.ask(make).await?;
        match reply {
            Reply::Record(outcome) => {
                let mentioned = written_by(&outcome, mentioned);
                Ok(Written { outcome, mentioned, shows_all: self.return_all_fields })
            }
            Reply::NoMatch => Err(Problem::not_found()),
            Reply::Done
            | Reply::Field(_)
            | Reply::Option(_)
            | Reply::Category(_)
            | Reply::Rows(_)
            | Reply::Repeated(_)
            | Reply::AlreadyApplied
            | Reply::Tried(_) => {
                unreachable!("the command is answered with a record")
            }
        }
    }

    /// Asks for something that is answered without a record.
    pub async fn ask_for_nothing(&self, make: impl Fn() -> Ask) -> Result<(), Problem> {
        let (reply, _) = self.ask(&|_, _, _| Ok(make())).await?;
        match reply {
            Reply::Done => Ok(()),
            Reply::Record(_)
            | Reply::NoMatch
            | Reply::Field(_)
            | Reply::Option(_)
            | Reply::Category(_)
            | Reply::Rows(_)
            | Reply::Repeated(_)
            | Reply::AlreadyApplied
            | Reply::Tried(_) => unreachable!("the command is answered with nothing"),
        }
    }

    /// Asks for whatever the command is answered with.
    pub(super) async fn ask(&self, make: MakeAsk<'_>) -> Result<(Reply, Mentioned), Problem> {
        let answered = self.ask_or_refuse(make).await;
        answered.map_err(|problem| dry_run::refused(problem, self.is_dry))
    }

    async fn ask_or_refuse(&self, make: MakeAsk<'_>) -> Result<(Reply, Mentioned), Problem> {
        let Target { engine, caller, table, .. } = self.target;
        if let Some(keyed) = &caller.keyed
            && let Some(answered) = keyed.outcome.as_ref().and_then(|outcome| outcome.record())
        {
            return self.repeat(keyed, answered, make).await;
        }
        let mut readings = 0;
        loop {
            readings += 1;
            let schema = table.shown().schema();
            let Reading { ask, mentioned, mirrors } = self.read(&schema, make)?;
            let caller = self.caller(&ask, &mentioned, &mirrors);
            let ask = if self.is_dry { Ask::Dry(Box::new(ask)) } else { ask };
            match engine.ask_table(table, Command { caller, ask }, self.bytes).await {
                Ok(Reply::Record(outcome)) if !self.is_dry => {
                    let done = (outcome.record.id(), outcome.action);
                    self.carry_out(&mirrors, &schema, done).await?;
                    return Ok((Reply::Record(outcome), mentioned));
                }
                Ok(reply) => return Ok((reply, mentioned)),
                Err(AskError::Rejected(Rejection::SchemaMoved)) if readings < READINGS_MAX => {}
                Err(error) => {
                    let refused =
                        RefusedWrite { target: self.target, schema: &schema, fields: &self.fields };
                    let problem = of_ask_error(error, |rejection| refused.problem(rejection));
                    return Err(of_record_write(problem, &self.fields.form));
                }
            }
        }
    }

    /// The caller of the command, with what there is to know of its outcome.
    fn caller(&self, ask: &Ask, mentioned: &Mentioned, mirrors: &MirrorWrites) -> command::Caller {
        self.target.caller.for_write_with(|retry| {
            let (made, changed) = self.statuses;
            let statuses =
                Statuses { made: made.as_u16(), changed: changed.as_u16(), ..retry.statuses };
            let (mentioned, is_open) = (mentioned.clone(), !mirrors.is_empty());
            Retry { statuses, about: shown_alone(ask), mentioned, is_open, ..retry }
        })
    }

    /// Has those who keep the mirrors' values write them. The outcome was stored with the record;
    /// what a crash leaves undone here is done when the request comes again.
    async fn carry_out(
        &self,
        mirrors: &MirrorWrites,
        schema: &Schema,
        done: (RecordId, Action),
    ) -> Result<(), Problem> {
        if mirrors.is_empty() {
            return Ok(());
        }
        let Target { engine, caller, table, .. } = self.target;
        let refused = RefusedWrite { target: self.target, schema, fields: &self.fields };
        let done = mirrors.carry_out(&refused, done).await;
        done.map_err(|problem| of_record_write(problem, &self.fields.form))?;
        let Some(keyed) = &caller.keyed else { return Ok(()) };
        let completed = engine.complete(table, keyed.retry.key).await;
        completed.map_err(|error| of_ask_error(error, |rejection| refused.problem(rejection)))
    }

    /// The reply to a request that was carried out before: the record as it was left then.
    async fn repeat(
        &self,
        keyed: &Keyed,
        answered: &RecordAnswered,
        make: MakeAsk<'_>,
    ) -> Result<(Reply, Mentioned), Problem> {
        let schema = self.target.table.shown().schema();
        let left = as_left(self.target, &schema, answered)?;
        if keyed.outcome.as_ref().is_some_and(|outcome| outcome.is_open) {
            let Reading { mirrors, .. } = self.read(&schema, make)?;
            self.carry_out(&mirrors, &schema, (answered.id, answered.action)).await?;
        }
        keyed.replay();
        let (outcome, mentioned) = left;
        Ok((Reply::Record(outcome), mentioned))
    }

    /// Reads the request once.
    pub(super) fn read(&self, schema: &Schema, make: MakeAsk<'_>) -> Result<Reading, Problem> {
        let rights = self.target.access.fields(schema);
        self.target.with_context(|context| {
            let ReadFields { mut writes, mirrors } =
                writes::read(&self.fields, (schema, &rights), context);
            let mut mentioned: Vec<_> = writes.entries.iter().chain(&mirrors).collect();
            mentioned.sort_by_key(|write| write.index);
            let mentioned = mentioned.into_iter().map(|write| (write.index, write.field)).collect();
            if self.is_dry {
                writes.faults.extend(mirrors.iter().map(not_dry));
            }
            let mirrors = MirrorWrites::find(self.target, schema, mirrors, &mut writes);
            let mut ask = make(schema, context, writes).map_err(|faults| {
                of_record_write(Problem::from_faults(faults), &self.fields.form)
            })?;
            mirrors
                .check(self.target.table.shown(), self.addressed(&ask).as_ref(), &mut ask)
                .map_err(|problem| of_record_write(problem, &self.fields.form))?;
            Ok(Reading { ask, mentioned, mirrors })
        })
    }

    /// The record that is addressed, if it is there already.
    fn addressed(&self, ask: &Ask) -> Option<Record> {
        let shown = self.target.table.shown();
        match ask {
            Ask::Update(update) => shown.record(update.id),
            Ask::Upsert(intent) => intent.matching.foreseen(shown),
            Ask::Dry(ask) | Ask::OnlyIf(_, ask) => self.addressed(ask),
            Ask::Streamed(streamed) => self.addressed(&streamed.ask),
            Ask::Add(_)
            | Ask::Archive(_)
            | Ask::Move { .. }
            | Ask::Unarchive(_)
            | Ask::Purge(_)
            | Ask::Team(_)
            | Ask::CreateField(_)
            | Ask::CreateOption { .. }
            | Ask::ChangeSchema(_)
            | Ask::ConfirmFollowUp(_)
            | Ask::Atomic(_)
            | Ask::Trial(_)
            | Ask::EndStream(_)
            | Ask::ForgetStream { .. } => None,
        }
    }

    /// The write answer: the record as the commit left it.
    #[must_use]
    pub fn answer(&self, written: Written, status: StatusCode) -> HttpResponse {
        self.answer_with(written, status, &|_, _| RowReport::default())
    }

    /// The write answer, with what `report` makes of the outcome beside the record.
    #[must_use]
    pub fn answer_with(
        &self,
        written: Written,
        status: StatusCode,
        report: MakeReport<'_>,
    ) -> HttpResponse {
        let Written { outcome, mentioned, shows_all } = written;
        let schema = self.target.table.shown().schema();
        let dry_tags: Vec<_> =
            outcome.new_tags.iter().filter(|_| self.is_dry).cloned().map(Arc::new).collect();
        let scene = Scene::new(self.target, &schema).with_dry_tags(&dry_tags);
        let selection =
            Selection::of_write(&outcome, &mentioned, shows_all, (&schema, scene.fields()));
        let report = report(&outcome, &scene);
        let Outcome { action, record, .. } = outcome;
        let etag = scene.etag(&record);
        let (selection, action, is_dry) = (&selection, Some(action), self.is_dry);
        let record = RecordAnswer { scene: &scene, selection, record, action, is_dry };
        let answer = RowAnswer { record, report };
        let mut response = HttpResponse::build(status);
        if is_dry {
            response.insert_header((DRY_RUN, "true"));
        }
        response.insert_header((header::ETAG, etag)).json(answer)
    }
}

/// The record as a write left it, with the fields that it wrote; not found where it is gone, or not
/// for the caller to see any more.
pub(super) fn as_left(
    target: &Target,
    schema: &Schema,
    answered: &RecordAnswered,
) -> Result<(Outcome, Mentioned), Problem> {
    let Target { access, table, .. } = target;
    let is_visible = |held: Record| access.may_read(schema, &held);
    let record = answered.record.clone();
    let record = record.filter(|_| table.shown().record(answered.id).is_some_and(is_visible));
    let record = record.ok_or_else(Problem::not_found)?;
    let RecordAnswered { action, filled, changed, mentioned, .. } = answered.clone();
    // Those of sets that were not due are left out already.
    let mentioned = (0..).map(EntryIndex::of_fields).zip(mentioned).collect();
    Ok((Outcome { action, record, filled, changed, new_tags: Vec::new() }, mentioned))
}

/// The record that a write is about which shows nothing of it. Of a purged one nothing is kept.
fn shown_alone(ask: &Ask) -> Option<Answered> {
    match ask {
        Ask::Archive(id) | Ask::Team(TeamEdit { id, .. }) => Some(Answered::RecordAlone(*id)),
        Ask::OnlyIf(_, ask) => shown_alone(ask),
        Ask::Upsert(_)
        | Ask::Add(_)
        | Ask::Update(_)
        | Ask::Unarchive(_)
        | Ask::Move { .. }
        | Ask::Purge(_)
        | Ask::Dry(_)
        | Ask::Atomic(_)
        | Ask::Trial(_)
        | Ask::Streamed(_)
        | Ask::EndStream(_)
        | Ask::ForgetStream { .. }
        | Ask::CreateField(_)
        | Ask::CreateOption { .. }
        | Ask::ChangeSchema(_)
        | Ask::ConfirmFollowUp(_) => None,
    }
}

/// What others keep is written by commands of their own, so an answer cannot show it before.
fn not_dry(write: &Write) -> RecordFault {
    let place = Place::Entry { index: write.index, field: write.field, key: EntryKey::Naming };
    let what = "A dry run cannot show what the related records keep.";
    RecordFault { place, kind: FaultKind::Value(ValueFault::Invalid { what }) }
}

/// What the answer to an upsert says beside the record.
pub type MakeReport<'m> = &'m dyn for<'a> Fn(&Outcome, &Scene<'a>) -> RowReport<'m>;

/// The fields that were written: of a set that applied, and of `set_if_empty` those that were empty.
pub(super) fn written_by(outcome: &Outcome, mentioned: Mentioned) -> Vec<FieldNumber> {
    let changed = &outcome.changed;
    let is_written = |(index, field): &(EntryIndex, FieldNumber)| {
        index.set.has_written(*field, outcome.action, changed)
    };
    mentioned.into_iter().filter(is_written).map(|(_, field)| field).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::caller::Caller;
    use crate::http::code::Code;
    use crate::http::identity::Credentials;
    use crate::http::test_support::{API_KEY, BUSINESS, TestServer, USER, options};
    use crate::model::id::SchemaNumber;
    use crate::model::table::command::{Action, Add, ArchivedMatch, RestoreConflict};
    use actix_web::HttpMessage as _;
    use actix_web::test::TestRequest;
    use actix_web::web::Data;
    use std::cell::Cell;

    /// The contacts of a test server, addressed by its administrator.
    fn contacts(server: &TestServer) -> Target {
        let (business_id, user_id) = (BUSINESS.to_string(), USER.to_string());
        let credentials =
            Credentials { api_key: API_KEY, business_id: &business_id, user_id: &user_id };
        let caller = Caller::find(&server.engine, &credentials).unwrap();
        let request = TestRequest::default()
            .param("object_identifier", "client_client")
            .app_data(Data::from(server.engine.clone()))
            .app_data(Data::new(options()))
            .to_http_request();
        request.extensions_mut().insert(caller);
        Target::find(&request).unwrap()
    }

    /// What comes of a write that meets a moved schema so many times, and how often it is read.
    async fn check(moves: usize) -> (Result<Written, Problem>, usize) {
        let server = TestServer::start().await;
        let target = contacts(&server);
        let readings = Cell::new(0);
        let make = |_: &Schema, _: &Context<'_>, mut writes: Writes| {
            readings.set(readings.get() + 1);
            if readings.get() <= moves {
                writes.schema = SchemaNumber(0);
            }
            let (archived_match, restore_conflict) =
                (ArchivedMatch::default(), RestoreConflict::default());
            Ok(Ask::Add(Box::new(Add { writes, archived_match, restore_conflict })))
        };
        let write = RecordWrite::without_fields(&target, 0);
        let written = write.ask_for_record(&make).await;
        (written, readings.get())
    }

    #[actix_web::test]
    async fn a_request_is_read_again_where_the_schema_has_moved() {
        for moves in [0, 1, READINGS_MAX - 1] {
            let (written, readings) = check(moves).await;
            assert_eq!(written.unwrap().outcome.action, Action::Created);
            assert_eq!(readings, moves + 1);
        }
    }

    #[actix_web::test]
    async fn a_request_is_read_so_many_times_and_then_given_up() {
        let (written, readings) = check(usize::MAX).await;
        let problem = written.err().unwrap();
        assert_eq!((problem.code(), readings), (Some(Code::Overloaded), READINGS_MAX));
        assert_eq!(problem.status(), StatusCode::SERVICE_UNAVAILABLE);
    }
}
