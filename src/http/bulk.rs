//! `bulk-archive-entity-record` and `bulk-change-field-value`: one request about many records.
//!
//! It owns what may be asked of all of them at once; what is wrong with that is the request's
//! fault, and all else is a record's. It must not know how the records are gone through.

use crate::http::body::Body;
use crate::http::bulk_run::{FieldWork, Work, carry_out};
use crate::http::caller::require;
use crate::http::code::Code;
use crate::http::endpoint::Endpoint;
use crate::http::extension::{IDEMPOTENCY_KEY, RouteGroup};
use crate::http::fault::{Fault, Faults, Place};
use crate::http::problem::{FieldsForm, Problem};
use crate::http::query::Query;
use crate::http::shape::{Presence, Shape};
use crate::http::target::Target;
use crate::http::value_fault;
use crate::http::wire::bulk::{
    BulkAnswer, FIELD_ID, FIELD_RESOLUTION, FIELD_VALUE, Resolution, ValueChange, read_change,
    read_records,
};
use crate::http::wire::fields::{FieldEntry, FieldReference, FieldWrite, Fields};
use crate::model::agenda::bulk::BulkKind;
use crate::model::id::BatchId;
use crate::model::input::Input;
use crate::model::schema::Schema;
use crate::model::schema::field::Field;
use crate::model::table::command::{EntryIndex, FaultKind};
use crate::model::value::Change;
use actix_web::web::ServiceConfig;
use actix_web::{HttpRequest, HttpResponse};
use std::borrow::Cow;

/// Registers the routes.
pub fn register(config: &mut ServiceConfig) {
    let archive_route =
        Endpoint::at("/api/custom-objects/{object_identifier}/bulk-archive-entity-record");
    let change_route =
        Endpoint::at("/api/custom-objects/{object_identifier}/bulk-change-field-value");
    config
        .service(archive_route.post_many(archive))
        .service(change_route.post_many(change_field_value));
}

/// Archives records.
///
/// The reply means that every record was tried and that what was done is durable and visible.
async fn archive(
    request: HttpRequest,
    target: Target,
    body: Body,
) -> Result<HttpResponse, Problem> {
    require(target.access.may_bulk())?;
    let mut faults = Faults::default();
    let is_strict = read_parameters(&request, &mut faults);
    to_its_end(async move {
        let input = body.parse()?;
        let mut shape = Shape::of_body(&input, &mut faults);
        let records = read_records(&mut shape, &mut faults);
        finish(shape, is_strict, &mut faults);
        faults.check()?;
        let id = carry_out(&target, &records, &Work::Archive).await?;
        Ok(answer(BulkKind::Archive, records.len(), id))
    })
    .await
}

/// Changes one field of records to one value.
///
/// The reply means that every record was tried and that what was done is durable and visible.
async fn change_field_value(
    request: HttpRequest,
    target: Target,
    body: Body,
) -> Result<HttpResponse, Problem> {
    require(target.access.may_bulk())?;
    let mut faults = Faults::default();
    let is_strict = read_parameters(&request, &mut faults);
    to_its_end(async move {
        let input = body.parse()?;
        let mut shape = Shape::of_body(&input, &mut faults);
        let records = read_records(&mut shape, &mut faults);
        let change = read_change(&mut shape, &mut faults);
        finish(shape, is_strict, &mut faults);
        faults.check()?;
        let change = change.expect("a body without a fault has been read");
        let schema = target.table.shown().schema();
        let rights = target.access.fields(&schema);
        let field = rights.find(&schema, change.field).ok_or_else(unknown_field)?;
        let listed = as_list(change.value, field);
        let change = ValueChange { value: listed.as_ref().unwrap_or(change.value), ..change };
        let mut work = check_change(&target, &schema, field, &change)?;
        // All but the ids and the quotes around them is as good as the value.
        work.bytes = body.bytes().len().saturating_sub(records.len() * 38);
        let work = Work::Change(work);
        let id = carry_out(&target, &records, &work).await?;
        Ok(answer(BulkKind::ChangeFieldValue, records.len(), id))
    })
    .await
}

/// Carries on when the client has gone: an action that has begun is to end.
async fn to_its_end(
    work: impl Future<Output = Result<HttpResponse, Problem>> + 'static,
) -> Result<HttpResponse, Problem> {
    match actix_web::rt::spawn(work).await {
        Ok(answer) => answer,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            // The worker is ending, and its tasks with it.
            Err(_) => Err(Problem::new(Code::OutcomeUnknown).retry_after(30)),
        },
    }
}

/// Notes what may not be ignored. A batch is not stored as a whole, so it takes no key.
fn read_parameters(request: &HttpRequest, faults: &mut Faults) -> bool {
    let query = Query::read(request.query_string(), faults);
    let is_strict = query.is_strict();
    query.finish(RouteGroup::Bulk, request.headers(), &[], faults);
    if request.headers().contains_key(IDEMPOTENCY_KEY) {
        let fault = Fault::new(Code::Invalid, Place::Header(IDEMPOTENCY_KEY.into()));
        faults.push(fault.saying("A bulk action takes no key: repeating it is safe."));
    }
    is_strict
}

/// Nothing is ever sent by e-mail, whatever is asked for.
fn finish(mut shape: Shape<'_>, is_strict: bool, faults: &mut Faults) {
    shape.boolean("send_email_notification", Presence::Nullable, faults);
    shape.finish(is_strict, RouteGroup::Bulk, faults);
}

fn answer(kind: BulkKind, records: usize, id: BatchId) -> HttpResponse {
    HttpResponse::Ok().json(BulkAnswer { kind, records, id })
}

fn unknown_field() -> Problem {
    Fault::new(Code::DoesNotExist, at(FIELD_ID)).saying("Field does not exist.").into()
}

fn at(key: &'static str) -> Place {
    Place::Body(Cow::Borrowed(key))
}

const KEPT_ELSEWHERE: &str =
    "The values of this field are kept by the other object: change the records there.";

/// One value for a field of several is a list of one.
fn as_list<'i>(value: &Input<'i>, field: &Field) -> Option<Input<'i>> {
    match value {
        Input::Boolean(_) | Input::Number(_) | Input::Text(_) if field.holds_several() => {
            Some(Input::List(vec![value.clone()]))
        }
        Input::Null
        | Input::Boolean(_)
        | Input::Number(_)
        | Input::Text(_)
        | Input::List(_)
        | Input::Map(_) => None,
    }
}

/// What is to be done to each record, if the field may be written and takes the value.
fn check_change<'w>(
    target: &Target,
    schema: &Schema,
    field: &Field,
    change: &ValueChange<'w>,
) -> Result<FieldWork<'w>, Problem> {
    if field.is_mirror() {
        let fault = Fault::new(Code::Invalid, at(FIELD_ID));
        return Err(fault.saying(KEPT_ELSEWHERE).into());
    }
    let value = change.value;
    let write = match change.resolution {
        Resolution::AddOnly | Resolution::RemoveOnly if !field.holds_several() => {
            let fault = Fault::new(Code::Invalid, at(FIELD_RESOLUTION));
            return Err(fault.saying("This field holds one value: overwrite it.").into());
        }
        Resolution::AddOnly => FieldWrite::Edit { add: Some(value), remove: None },
        Resolution::RemoveOnly => FieldWrite::Edit { add: None, remove: Some(value) },
        Resolution::Overwrite | Resolution::UpdateIfBlank | Resolution::OverwriteExceptNull => {
            FieldWrite::Value(value)
        }
    };
    let (index, reference) = (EntryIndex::default(), FieldReference::Key(change.field));
    let entries = vec![FieldEntry { index, reference, write }];
    let fields = Fields { entries, form: FieldsForm::List(1), ..Fields::none() };
    let work = FieldWork { fields, resolution: change.resolution, bytes: 0 };
    let writes = work.read(target, schema);
    if !writes.forbidden.is_empty() {
        return Err(Fault::new(Code::ForbiddenFieldWrite, at(FIELD_ID)).into());
    }
    if let Some(fault) = writes.faults.first() {
        let FaultKind::Value(fault) = &fault.kind else {
            unreachable!("one entry names one field once")
        };
        return Err(value_fault::fault_of(fault, at(FIELD_VALUE)).into());
    }
    let clears = writes.entries.iter().any(|write| write.change == Change::Clear);
    if clears && field.is_required {
        return Err(Fault::new(Code::Required, at(FIELD_VALUE)).into());
    }
    Ok(work)
}

#[cfg(test)]
mod tests;
