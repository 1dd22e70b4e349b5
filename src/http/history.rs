//! `…/{entity_id}/history`: how a record became what it is, and the record as of a version.
//!
//! It must not know how long anything is kept.

use crate::engine::feed::FeedError;
use crate::engine::feed::entry::Entry;
use crate::http::changes::source::problem_of;
use crate::http::endpoint::Endpoint;
use crate::http::extension::RouteGroup;
use crate::http::fault::Faults;
use crate::http::page::{Address, Page, PageRequest};
use crate::http::problem::Problem;
use crate::http::query::Query;
use crate::http::records::entity_path;
use crate::http::target::{AddressedRecord, Target};
use crate::http::wire::change::record_of;
use crate::http::wire::history::VersionRow;
use crate::http::wire::record::Scene;
use crate::model::id::Version;
use crate::model::table::event::Stamp;
use crate::model::table::event_form::{Stored, StoredChange};
use crate::model::table::record::Record;
use actix_web::web::ServiceConfig;
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;

/// Registers the route.
pub fn register(config: &mut ServiceConfig) {
    config.service(Endpoint::at(entity_path!("/history")).get(history));
}

/// A page of versions, and whether there were more.
#[derive(Serialize)]
struct HistoryPage<'a> {
    #[serde(flatten)]
    page: Page<VersionRow<'a>>,
    truncated: bool,
}

/// Lists the versions of a record, archived or not, newest first.
async fn history(
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
    let record = shown.record(id).filter(|record| may_read(&target, record));
    let record = record.ok_or_else(Problem::not_found)?;
    let (feed, timeout) = (target.engine.feed(), target.search_timeout());
    let failed = |error: FeedError| problem_of(&error, std::slice::from_ref(&target));
    let found = feed.history(shown, &record, page.window(), timeout).await.map_err(failed)?;
    let places = page.places(found.count)?;
    let changes = changes_of(&found.entries).map_err(failed)?;

    let schema = shown.schema();
    let scene = Scene::new(&target, &schema);
    let mut rows = Vec::with_capacity(places.len());
    for at in 0..places.len() {
        let (stamp, change) = &changes[at];
        let before = changes.get(at + 1).map(|(_, before)| before);
        let row = VersionRow::of(&scene, (stamp, change), before);
        rows.push(row.map_err(|misfit| failed(misfit.into()))?);
    }
    let page = page.envelope(found.count, rows, &Address::of_request(&request));
    Ok(HttpResponse::Ok().json(HistoryPage { page, truncated: found.is_truncated }))
}

/// Whether the caller may read a record, which takes more where it is archived.
fn may_read(target: &Target, record: &Record) -> bool {
    let schema = target.table.shown().schema();
    let may_see_archived = !record.is_archived() || target.access.may_unarchive_any();
    may_see_archived && target.access.may_read(&schema, record)
}

fn changes_of(entries: &[Entry]) -> Result<Vec<(Stamp, StoredChange<'_>)>, FeedError> {
    let change = |entry| {
        let (stamp, stored) = Entry::read(entry)?;
        let Stored::Record(change) = stored else { return Err(FeedError::Chain) };
        Ok((stamp, change))
    };
    entries.iter().map(change).collect()
}

/// A record, which the caller may read, as of a version; none if that is not kept.
pub async fn as_of(
    target: &Target,
    record: Record,
    version: Version,
) -> Result<Option<Record>, Problem> {
    if version >= record.version() {
        return Ok((version == record.version()).then_some(record));
    }
    let (feed, timeout) = (target.engine.feed(), target.search_timeout());
    let failed = |error: FeedError| problem_of(&error, std::slice::from_ref(target));
    let found = feed.version(target.table.shown(), &record, version, timeout).await;
    let Some(entry) = found.map_err(failed)? else { return Ok(None) };
    let schema = target.table.shown().schema();
    let scene = Scene::new(target, &schema);
    let changes = changes_of(std::slice::from_ref(&entry)).map_err(failed)?;
    let (_, change) = &changes[0];
    record_of(&scene, change).map(Some).map_err(|misfit| failed(misfit.into()))
}
