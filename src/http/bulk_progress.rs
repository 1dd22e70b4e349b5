//! `/api/bulk-action-progress`: the bulk actions of the last seven days.
//!
//! It must not know what an action does.

use crate::engine::Engine;
use crate::http::caller::Caller;
use crate::http::code::Code;
use crate::http::endpoint::Endpoint;
use crate::http::extension::RouteGroup;
use crate::http::fault::{Fault, Faults};
use crate::http::page::{Address, PageRequest};
use crate::http::plain::check_no_parameters;
use crate::http::problem::Problem;
use crate::http::query::Query;
use crate::http::wire::bulk::{BulkShape, BulkStatus, KINDS};
use crate::model::agenda::bulk::{BulkAction, BulkKind};
use crate::model::id::{BatchId, ObjectId, Timestamp};
use crate::model::value::time::parse_timestamp;
use actix_web::web::{Data, Path, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use std::cmp::Reverse;
use std::collections::HashSet;
use std::sync::Arc;

/// Registers the routes.
pub fn register(config: &mut ServiceConfig) {
    config
        .service(Endpoint::at("/api/bulk-action-progress").get(list))
        .service(Endpoint::at("/api/bulk-action-progress/{id}").get(retrieve));
}

/// Which actions a list is of; what is none does not matter.
#[derive(Debug)]
struct BulkFilter {
    object: Option<ObjectId>,
    kind: Option<BulkKind>,
    /// Whether nothing more happens to it.
    completed: Option<bool>,
    started_after: Option<Timestamp>,
}

impl BulkFilter {
    fn of_query(query: &mut Query<'_>, caller: &Caller, faults: &mut Faults) -> Self {
        Self {
            object: read_object(query, caller, faults),
            kind: query.choice("action", &KINDS, faults),
            completed: query.boolean("completed", faults),
            started_after: read_time(query, caller, faults),
        }
    }

    fn takes(&self, action: &BulkAction, status: BulkStatus) -> bool {
        let is_over = status != BulkStatus::InProgress;
        self.object.is_none_or(|object| object == action.object)
            && self.kind.is_none_or(|kind| kind == action.kind)
            && self.completed.is_none_or(|completed| completed == is_over)
            && self.started_after.is_none_or(|after| action.started > after)
    }
}

/// An object by its id or its API name, as everywhere.
fn read_object(query: &mut Query<'_>, caller: &Caller, faults: &mut Faults) -> Option<ObjectId> {
    let table = caller.table(query.text("custom_object_id", faults)?.trim()).ok();
    if table.is_none() {
        let fault = Fault::new(Code::DoesNotExist, query.place("custom_object_id"));
        faults.push(fault.saying("Object does not exist."));
    }
    table.map(|(table, _)| table.shown().object())
}

fn read_time(query: &mut Query<'_>, caller: &Caller, faults: &mut Faults) -> Option<Timestamp> {
    let text = query.text("started_after", faults)?.trim();
    let time = parse_timestamp(text, caller.business.time_zone());
    if time.is_none() {
        let fault = Fault::new(Code::Invalid, query.place("started_after"));
        faults.push(fault.saying("Datetime has wrong format. Use RFC 3339 or YYYY-MM-DD."));
    }
    time
}

/// The objects on whose records the caller may act in bulk: of others it sees no action either.
fn objects_of(caller: &Caller) -> HashSet<ObjectId> {
    let tables = caller.tables().into_iter();
    tables
        .filter(|(_, access)| access.may_bulk())
        .map(|(table, _)| table.shown().object())
        .collect()
}

/// Lists actions, the newest first.
async fn list(
    engine: Data<Engine>,
    caller: Caller,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let objects = objects_of(&caller);
    let mut faults = Faults::default();
    let mut query = Query::read(request.query_string(), &mut faults);
    let filter = BulkFilter::of_query(&mut query, &caller, &mut faults);
    let page = PageRequest::of_query(&mut query, &mut faults);
    query.finish(RouteGroup::Read, request.headers(), &[], &mut faults);
    faults.check()?;
    let page = page?;

    let now = engine.clock().now();
    let mut found: Vec<(Arc<BulkAction>, BulkStatus)> = Vec::new();
    for action in caller.business.agenda().bulk_actions() {
        let status = status_of(&engine, &action);
        let is_shown = action.is_kept(now) && objects.contains(&action.object);
        if is_shown && filter.takes(&action, status) {
            found.push((action, status));
        }
    }
    found.sort_by_key(|(action, _)| Reverse((action.started, action.id)));
    let places = page.places(found.len())?;
    let zone = caller.business.time_zone();
    let rows = found[places].iter();
    let rows: Vec<_> = rows.map(|(action, status)| BulkShape::of(action, *status, zone)).collect();
    let page = page.envelope(found.len(), rows, &Address::of_request(&request));
    Ok(HttpResponse::Ok().json(page))
}

async fn retrieve(
    engine: Data<Engine>,
    caller: Caller,
    id: Path<String>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let id = BatchId::parse(&id).ok_or_else(Problem::not_found)?;
    let action = caller.business.agenda().bulk_action(id);
    let objects = objects_of(&caller);
    let action = action
        .filter(|action| action.is_kept(engine.clock().now()) && objects.contains(&action.object));
    let action = action.ok_or_else(Problem::not_found)?;
    check_no_parameters(&request, RouteGroup::Read)?;
    let shape = BulkShape::of(&action, status_of(&engine, &action), caller.business.time_zone());
    Ok(HttpResponse::Ok().json(shape))
}

fn status_of(engine: &Engine, action: &BulkAction) -> BulkStatus {
    BulkStatus::of(action, engine.is_under_way(action.id))
}
