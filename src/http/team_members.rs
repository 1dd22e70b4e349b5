//! `…/{entity_id}/team-members`: who is associated with a record, and who is put on it one by one.
//!
//! It must not know the fields that put members on a record: that is `wire/team`.

use crate::http::endpoint::Endpoint;
use crate::http::extension::RouteGroup;
use crate::http::fault::Faults;
use crate::http::page::{Address, PageRequest};
use crate::http::plain::read_no_parameters;
use crate::http::problem::{FieldsForm, Problem};
use crate::http::query::Query;
use crate::http::record_write::{RecordWrite, check_shape, require_for_write};
use crate::http::records::entity_path;
use crate::http::target::{AddressedMember, AddressedRecord, Target};
use crate::http::wire::team::{TeamRow, team_rows};
use crate::model::table::command::{Ask, TeamEdit};
use crate::model::table::team::team_fields;
use actix_web::web::ServiceConfig;
use actix_web::{HttpRequest, HttpResponse};

/// Registers the routes.
pub fn register(config: &mut ServiceConfig) {
    let member = entity_path!("/team-members/{member_id:[0-9A-Fa-f-]{36}}");
    config
        .service(Endpoint::at(entity_path!("/team-members")).get(list))
        .service(Endpoint::at(member).put(put).delete(remove));
}

/// Lists the active members associated with a live record, and why each of them is.
async fn list(
    request: HttpRequest,
    target: Target,
    AddressedRecord(id): AddressedRecord,
) -> Result<HttpResponse, Problem> {
    let mut faults = Faults::default();
    let mut query = Query::read(request.query_string(), &mut faults);
    let page = PageRequest::of_query(&mut query, &mut faults);
    query.finish(RouteGroup::Read, request.headers(), &[], &mut faults);
    faults.check()?;
    let page = page?;
    let shown = target.table.shown();
    let schema = shown.schema();
    let record = shown.record(id).filter(|record| !record.is_archived());
    let record = record.filter(|record| target.access.may_read(&schema, record));
    let record = record.ok_or_else(Problem::not_found)?;
    let rights = target.access.fields(&schema);
    let fields: Vec<_> =
        team_fields(&schema).filter(|field| rights.may_see(field.number)).collect();
    let rows = team_rows(&record, &fields, &target.caller.catalog.members);
    let (count, places) = (rows.len(), page.places(rows.len())?);
    let rows: Vec<TeamRow> = rows.into_iter().skip(places.start).take(places.len()).collect();
    Ok(HttpResponse::Ok().json(page.envelope(count, rows, &Address::of_request(&request))))
}

/// Puts an active member on a live record.
///
/// The reply means that the change is durable and visible to every reader.
async fn put(
    request: HttpRequest,
    target: Target,
    AddressedRecord(id): AddressedRecord,
    AddressedMember(member): AddressedMember,
) -> Result<HttpResponse, Problem> {
    require_for_write(&target, target.access.may_edit_any(), &FieldsForm::List(0))?;
    target.caller.catalog.members.active(&member).ok_or_else(Problem::not_found)?;
    edit(&request, &target, TeamEdit { id, member, present: true }).await
}

/// Takes a member off who was put on a live record; other reasons stay.
///
/// The reply means that the change is durable and visible to every reader.
async fn remove(
    request: HttpRequest,
    target: Target,
    AddressedRecord(id): AddressedRecord,
    AddressedMember(member): AddressedMember,
) -> Result<HttpResponse, Problem> {
    edit(&request, &target, TeamEdit { id, member, present: false }).await
}

async fn edit(
    request: &HttpRequest,
    target: &Target,
    edit: TeamEdit,
) -> Result<HttpResponse, Problem> {
    let mut faults = Faults::default();
    read_no_parameters(request, RouteGroup::Write, &mut faults);
    check_shape(faults, &FieldsForm::List(0))?;
    require_for_write(target, target.access.may_edit_any(), &FieldsForm::List(0))?;
    RecordWrite::without_fields(target, 0).ask_for_nothing(|| Ask::Team(edit)).await?;
    Ok(HttpResponse::NoContent().finish())
}
