//! `POST …/upsert` and `POST …/add`: create or update a record.
//!
//! It owns the parameters of these two routes. It must not know which branch a write takes.

use crate::http::body::Body;
use crate::http::code::Code;
use crate::http::endpoint::Endpoint;
use crate::http::extension::RouteGroup;
use crate::http::fault::{Fault, Faults, Place};
use crate::http::problem::Problem;
use crate::http::query::Query;
use crate::http::record_write::{RecordWrite, check_shape, parse, require_for_write};
use crate::http::shape::{Presence, Shape};
use crate::http::target::Target;
use crate::http::wire::fields::Fields;
use crate::http::wire::record::action_name;
use crate::http::wire::{archived, identifier};
use crate::model::input::Input;
use crate::model::table::command::{Action, Add, Ask, RestoreConflict, Upsert};
use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::web::ServiceConfig;
use actix_web::{HttpRequest, HttpResponse};

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
    let query = CreateQuery::read(&request, RouteGroup::Upsert, &mut faults);
    let mut shape = Shape::of_body(&input, &mut faults);
    let schema = target.table.shown().schema();
    let lookup = "lookup_value";
    let text = identifier::read_text(&mut shape, lookup, Presence::Required, &schema, &mut faults);
    let archived_match = archived::read_match(&mut shape, "oncreate_unarchive", &mut faults);
    let archived_conflict =
        archived::read_conflict(&mut shape, "onupdate_archived_conflict", &mut faults);
    let fields = Fields::read(shape.raw("fields"), query.strict, &mut faults);
    shape.finish(query.strict, RouteGroup::Upsert, &mut faults);
    check_shape(faults, &fields.form)?;
    let text = text.expect("a lookup value that was not read is a fault");
    let access = &target.access;
    let may_any = access.may_create() || access.may_edit_any() || access.may_unarchive_any();
    require_for_write(&target, may_any, &fields.form)?;

    let statuses = (target.answers().upsert_created, StatusCode::OK);
    let write = query.write(&target, statuses, fields, &body);
    let written = write
        .ask_for_record(&|schema, context, writes| {
            let lookup = identifier::of_text(lookup, text, schema, context)?;
            let restore_conflict = query.restore_conflict;
            let upsert =
                Upsert { lookup, writes, archived_match, archived_conflict, restore_conflict };
            Ok(Ask::Upsert(Box::new(upsert)))
        })
        .await?;
    let status = match written.outcome.action {
        Action::Created | Action::Unarchived => target.answers().upsert_created,
        Action::Updated | Action::Unchanged => StatusCode::OK,
    };
    let action = HeaderValue::from_static(action_name(written.outcome.action));
    let mut response = write.answer(written, status);
    response.headers_mut().insert(UPSERT_ACTION, action);
    Ok(response)
}

/// Creates a record; one that has its identifier already is a fault.
///
/// The reply means that the change is durable and visible to every reader.
async fn add(request: HttpRequest, target: Target, body: Body) -> Result<HttpResponse, Problem> {
    let input = parse(&body)?;
    let mut faults = Faults::default();
    let query = CreateQuery::read(&request, RouteGroup::Add, &mut faults);
    let mut shape = Shape::of_body(&input, &mut faults);
    let archived_match = archived::read_match(&mut shape, "unarchive", &mut faults);
    let given = shape.raw("fields");
    let fields = Fields::read(given, query.strict, &mut faults);
    if is_nothing(given) {
        faults.push(Fault::new(Code::Required, Place::Body("fields".into())));
    }
    shape.finish(query.strict, RouteGroup::Add, &mut faults);
    check_shape(faults, &fields.form)?;
    let access = &target.access;
    require_for_write(&target, access.may_create() || access.may_unarchive_any(), &fields.form)?;

    let statuses = (target.answers().added, target.answers().added);
    let write = query.write(&target, statuses, fields, &body);
    let written = write
        .ask_for_record(&|_, _, writes| {
            let restore_conflict = query.restore_conflict;
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

/// The query of both routes.
struct CreateQuery {
    strict: bool,
    return_all_fields: bool,
    restore_conflict: RestoreConflict,
}

impl CreateQuery {
    fn read(request: &HttpRequest, group: RouteGroup, faults: &mut Faults) -> Self {
        let mut query = Query::read(request.query_string(), faults);
        let read = Self {
            strict: query.is_strict(),
            return_all_fields: query.boolean("return_all_fields", faults).unwrap_or(false),
            restore_conflict: archived::read_restore_conflict(&mut query, faults),
        };
        query.finish(group, request.headers(), &[], faults);
        read
    }

    fn write<'r>(
        &self,
        target: &'r Target,
        statuses: (StatusCode, StatusCode),
        fields: Fields<'r>,
        body: &Body,
    ) -> RecordWrite<'r> {
        RecordWrite {
            target,
            fields,
            return_all_fields: self.return_all_fields,
            statuses,
            bytes: body.bytes().len(),
        }
    }
}
