//! `POST …/upsert` and `POST …/add`: create or update a record.
//!
//! It owns the parameters of these two routes. It must not know which branch a write takes.

use crate::http::body::Body;
use crate::http::code::Code;
use crate::http::dry_run;
use crate::http::endpoint::Endpoint;
use crate::http::extension::{IF_MATCH, IF_NONE_MATCH, RouteGroup};
use crate::http::fault::{Fault, Faults, Place};
use crate::http::precondition;
use crate::http::problem::Problem;
use crate::http::query::Query;
use crate::http::record_write::{RecordWrite, check_shape, parse, require_for_write};
use crate::http::shape::Shape;
use crate::http::target::Target;
use crate::http::wire::archived;
use crate::http::wire::fields::Fields;
use crate::http::wire::matching::Reader;
use crate::http::wire::record::action_name;
use crate::http::wire::row::{Door, Row, RowMode, RowOptions};
use crate::http::wire::row_answer::{RowReport, changed_fields};
use crate::model::input::Input;
use crate::model::table::command::{Action, Add, Ask};
use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::web::ServiceConfig;
use actix_web::{HttpRequest, HttpResponse};

/// The names of the header fields that an upsert understands.
const HEADERS: [&str; 2] = [IF_MATCH, IF_NONE_MATCH];
const UPSERT_ACTION: HeaderName = HeaderName::from_static("x-upsert-action");

/// Registers the routes.
pub fn register(config: &mut ServiceConfig) {
    config
        .service(Endpoint::at("/api/records/{object_identifier}/upsert").running_dry().post(upsert))
        .service(Endpoint::at("/api/records/{object_identifier}/add").running_dry().post(add));
}

/// Creates the record that `lookup_value` names, or updates it in place.
///
/// Match, decision and write are one step: of concurrent upserts of one key exactly one creates.
/// The reply means that the change is durable and visible to every reader.
async fn upsert(request: HttpRequest, target: Target, body: Body) -> Result<HttpResponse, Problem> {
    let input = parse(&body)?;
    let mut faults = Faults::default();
    let mut query = Query::read(request.query_string(), &mut faults);
    let options = RowOptions::read(&mut query, (Door::Single, &target.caller.origin), &mut faults);
    let return_all_fields = query.boolean("return_all_fields", &mut faults).unwrap_or(false);
    let is_dry = dry_run::read(&mut query, &mut faults);
    let with_changed = query.boolean("changed_fields", &mut faults).unwrap_or(false);
    query.finish(RouteGroup::Upsert, request.headers(), &HEADERS, &mut faults);
    let precondition = precondition::read_of_upsert(request.headers(), &mut faults);
    let mut shape = Shape::of_body(&input, &mut faults);
    let mut row = Row::read(&mut shape, &options, &target.table.shown().schema(), &mut faults);
    row.precondition = precondition;
    shape.finish(options.strict, RouteGroup::Upsert, &mut faults);
    let bytes = body.bytes().len();
    let asked = Asked { row: &row, return_all_fields, is_dry, with_changed, bytes };
    let answered = match check_shape(faults, &row.fields.form) {
        Ok(()) => asked.carry_out(&target).await,
        Err(problem) => Err(problem),
    };
    answered.map_err(|problem| match row.client_ref {
        Some(client_ref) => problem.with("client_ref", &client_ref),
        None => problem,
    })
}

/// One upsert whose shape is good, and what its answer is to show.
struct Asked<'r> {
    row: &'r Row<'r>,
    return_all_fields: bool,
    is_dry: bool,
    with_changed: bool,
    bytes: usize,
}

impl Asked<'_> {
    async fn carry_out(&self, target: &Target) -> Result<HttpResponse, Problem> {
        let Self { row, return_all_fields, is_dry, with_changed, bytes } = *self;
        let access = &target.access;
        let may_any = access.may_create() || access.may_edit_any() || access.may_unarchive_any();
        require_for_write(target, may_any, &row.fields.form)?;
        let fields = row.fields.clone();
        let statuses = (target.answers().upsert_created, StatusCode::OK);
        let write = RecordWrite { target, fields, return_all_fields, statuses, is_dry, bytes };
        let mut written = write
            .ask_for_record(&|schema, context, writes| {
                let rights = &access.fields(schema);
                let reader = Reader { schema, rights, context };
                Ok(Ask::Upsert(Box::new(row.intent(reader, writes)?)))
            })
            .await?;
        let action = written.outcome.action;
        let status = match action {
            Action::Created | Action::Unarchived => target.answers().upsert_created,
            Action::Updated
            | Action::Archived
            | Action::Unchanged
            | Action::Exists
            | Action::Stale
            | Action::SkippedArchived => StatusCode::OK,
        };
        written.shows_all |= row.options.mode == RowMode::GetOrCreate && !action.has_written();
        let mut response = write.answer_with(written, status, &|outcome, scene| RowReport {
            changed_fields: with_changed.then(|| changed_fields(outcome, scene)),
            client_ref: row.client_ref,
            source_version: row.kept_version(outcome, target.caller.business.time_zone()),
        });
        let action = HeaderValue::from_static(action_name(action));
        response.headers_mut().insert(UPSERT_ACTION, action);
        Ok(response)
    }
}

/// Creates a record; one that has its identifier already is a fault.
///
/// The reply means that the change is durable and visible to every reader.
async fn add(request: HttpRequest, target: Target, body: Body) -> Result<HttpResponse, Problem> {
    let input = parse(&body)?;
    let mut faults = Faults::default();
    let mut query = Query::read(request.query_string(), &mut faults);
    let strict = query.is_strict();
    let return_all_fields = query.boolean("return_all_fields", &mut faults).unwrap_or(false);
    let restore_conflict = archived::read_restore_conflict(&mut query, &mut faults);
    let is_dry = dry_run::read(&mut query, &mut faults);
    query.finish(RouteGroup::Add, request.headers(), &[], &mut faults);
    let mut shape = Shape::of_body(&input, &mut faults);
    let archived_match = archived::read_match(&mut shape, "unarchive", &mut faults);
    let given = shape.raw("fields");
    let fields = Fields::read(given, strict, &mut faults);
    if is_nothing(given) {
        faults.push(Fault::new(Code::Required, Place::Body("fields".into())));
    }
    shape.finish(strict, RouteGroup::Add, &mut faults);
    check_shape(faults, &fields.form)?;
    let access = &target.access;
    require_for_write(&target, access.may_create() || access.may_unarchive_any(), &fields.form)?;

    let statuses = (target.answers().added, target.answers().added);
    let bytes = body.bytes().len();
    let target = &target;
    let write = RecordWrite { target, fields, return_all_fields, statuses, is_dry, bytes };
    let written = write
        .ask_for_record(&|_, _, writes| {
            Ok(Ask::Add(Box::new(Add { writes, archived_match, restore_conflict })))
        })
        .await?;
    Ok(write.answer(written, target.answers().added))
}

/// Whether a request has no entry of `fields` at all.
fn is_nothing(fields: Option<&Input<'_>>) -> bool {
    match fields {
        None => true,
        Some(Input::List(entries)) => entries.is_empty(),
        Some(Input::Map(entries)) => entries.is_empty(),
        Some(Input::Null | Input::Boolean(_) | Input::Number(_) | Input::Text(_)) => false,
    }
}
