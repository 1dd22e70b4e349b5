//! `POST …/search`, and what it has in common with the list: the records of an object that are
//! asked for, page by page.
//!
//! It must not know what a condition means, nor how a row looks. What is found is not one instant:
//! each of its records is.

use crate::engine::business::TableRef;
use crate::engine::search_pool::{SearchError, Work};
use crate::http::body::Body;
use crate::http::caller::{Caller, require};
use crate::http::code::Code;
use crate::http::cursor;
use crate::http::endpoint::Endpoint;
use crate::http::extension::RouteGroup;
use crate::http::fault::Faults;
use crate::http::page::{Address, Page};
use crate::http::problem::Problem;
use crate::http::query::Query;
use crate::http::shape::Shape;
use crate::http::target::Target;
use crate::http::wire::record::{RecordAnswer, Scene};
use crate::http::wire::search::SearchRequest;
use crate::http::wire::selection::Selection;
use crate::model::filter::Filter;
use crate::model::filter::row::Surroundings;
use crate::model::filter::sort::Sort;
use crate::model::id::Timestamp;
use crate::model::schema::Schema;
use crate::model::table::Shown;
use crate::model::table::link::Tables;
use crate::model::table::order::Wanted;
use crate::model::table::search::run::Run;
use crate::model::table::search::{Found, Interrupted, Search, Window};
use actix_web::web::ServiceConfig;
use actix_web::{HttpRequest, HttpResponse};
use parking_lot::Mutex;
use std::sync::Arc;

/// Registers the route.
pub fn register(config: &mut ServiceConfig) {
    config.service(Endpoint::at("/api/records/{object_identifier}/search").post_read(search));
}

/// Searches the records of an object. Without a body all are found.
async fn search(request: HttpRequest, target: Target, body: Body) -> Result<HttpResponse, Problem> {
    let input = if body.is_empty() { None } else { Some(body.parse()?) };
    let schema = target.table.shown().schema();
    let mut faults = Faults::default();
    let mut query = Query::read(request.query_string(), &mut faults);
    let mut shape = input.as_ref().map(|input| Shape::of_body(input, &mut faults));
    let strict = query.is_strict();
    let tables = target.caller.related_tables();
    let around = surroundings(&target, &schema, &tables);
    let asked =
        SearchRequest::read(&mut query, shape.as_mut(), (&around, &target.access), &mut faults);
    query.finish(RouteGroup::Read, request.headers(), &[], &mut faults);
    if let Some(shape) = shape {
        shape.finish(strict, RouteGroup::Read, &mut faults);
    }
    faults.check()?;
    answer(&request, &target, asked).await
}

/// What conditions of this caller refer to.
#[must_use]
pub fn surroundings<'a>(
    target: &'a Target,
    schema: &'a Schema,
    tables: &'a Tables<'a>,
) -> Surroundings<'a> {
    let now = target.engine.clock().now();
    surroundings_of(&target.caller, target.table.shown(), schema, tables, now)
}

fn surroundings_of<'a>(
    caller: &'a Caller,
    shown: &'a Shown,
    schema: &'a Schema,
    tables: &'a Tables<'a>,
    now: Timestamp,
) -> Surroundings<'a> {
    Surroundings {
        schema,
        tags: &shown.tags,
        members: &caller.catalog.members,
        agenda: caller.business.agenda(),
        tables,
        time_zone: caller.business.time_zone(),
        phone_region: &caller.business.info().phone_default_region,
        caller: caller.member.id,
        now,
    }
}

/// Answers with the page that is asked for.
pub async fn answer(
    request: &HttpRequest,
    target: &Target,
    asked: SearchRequest,
) -> Result<HttpResponse, Problem> {
    let SearchRequest { search, wanted, has_cursor, page } = asked;
    require(search.wanted == Wanted::Live || target.access.may_unarchive_any())?;
    let page = page?;
    let sort = search.sort.clone();
    let Found { count, records, last } = find(target, search).await?;

    let schema = target.table.shown().schema();
    let scene = Scene::new(target, &schema);
    let selection = Selection::of_read(&wanted, &schema, scene.fields());
    let row = |record| RecordAnswer { scene: &scene, selection: &selection, record, action: None };
    let results: Vec<_> = records.into_iter().map(row).collect();
    let address = Address::of_request(request);
    if has_cursor {
        let next = last.map(|last| address.with_parameter("cursor", &cursor::write(&last, &sort)));
        return Ok(HttpResponse::Ok().json(Page {
            count,
            next,
            previous: None,
            results,
            errors: (),
        }));
    }
    page.places(count)?;
    Ok(HttpResponse::Ok().json(page.envelope(count, results, &address)))
}

/// How many live records of an object the caller may read.
pub async fn count(target: &Target) -> Result<usize, Problem> {
    let search = Search {
        wanted: Wanted::Live,
        reach: target.access.reach(),
        filter: Filter::everything(),
        words: None,
        sort: Sort::default(),
        window: Window::Places(0..0),
    };
    Ok(find(target, search).await?.count)
}

/// Finds the records; what must look at them runs on a thread for searches.
pub async fn find(target: &Target, search: Search) -> Result<Found, Problem> {
    if search.is_plain() {
        return Ok(search.run_plain(target.table.shown()));
    }
    let narrow = narrowing(&search);
    let (caller, table) = (target.caller.clone(), target.table.clone());
    let now = target.engine.clock().now();
    run(target, narrow, move || Begun::new(search, caller, table, now)).await
}

/// Looks at the records of a table on a thread for searches; `narrow` is what makes it long.
pub async fn look<T: Send + 'static>(
    target: &Target,
    narrow: String,
    looking: impl FnOnce(Surroundings<'_>, &dyn Fn() -> bool) -> Result<T, Interrupted> + Send + 'static,
) -> Result<T, Problem> {
    let (caller, table) = (target.caller.clone(), target.table.clone());
    let now = target.engine.clock().now();
    let looking = move |goes_on: &dyn Fn() -> bool| {
        let shown = table.shown();
        let schema = shown.schema();
        let tables = caller.related_tables();
        looking(surroundings_of(&caller, shown, &schema, &tables, now), goes_on)
    };
    let look = Look { looking: Mutex::new(Some(looking)), found: Mutex::new(None) };
    run(target, narrow, move || look).await
}

async fn run<W: Work>(
    target: &Target,
    narrow: String,
    begin: impl FnOnce() -> W + Send + 'static,
) -> Result<W::Found, Problem> {
    let (searches, timeout) = (target.engine.searches(), target.search_timeout());
    searches.run(timeout, target.engine.clock(), begin).await.map_err(|error| match error {
        SearchError::Overloaded => {
            let detail = "Too many searches are waiting; this one was not begun.";
            Problem::new(Code::Overloaded).saying(detail).retry_after(1)
        }
        SearchError::TimedOut => {
            let seconds = timeout.as_secs();
            let detail = format!("The search took longer than {seconds} s. Narrow {narrow}.");
            Problem::new(Code::Overloaded).saying(detail)
        }
        SearchError::Panicked => Problem::new(Code::InternalError),
    })
}

/// A search on the threads for searches, with all that it refers to.
struct Begun {
    run: Run,
    caller: Caller,
    table: Arc<TableRef>,
    schema: Arc<Schema>,
    now: Timestamp,
}

impl Begun {
    fn new(search: Search, caller: Caller, table: Arc<TableRef>, now: Timestamp) -> Self {
        let shown = table.shown();
        let schema = shown.schema();
        let run = {
            let tables = caller.related_tables();
            Run::new(search, shown, &surroundings_of(&caller, shown, &schema, &tables, now))
        };
        Self { run, caller, table, schema, now }
    }
}

impl Work for Begun {
    type Found = Found;

    fn work(&self, goes_on: &dyn Fn() -> bool) {
        let shown = self.table.shown();
        let tables = self.caller.related_tables();
        let around = surroundings_of(&self.caller, shown, &self.schema, &tables, self.now);
        self.run.work(shown, around, goes_on);
    }

    fn finish(&self) -> Option<Found> {
        self.run.finish().ok()
    }
}

/// A look that one thread alone can do.
struct Look<L, T> {
    looking: Mutex<Option<L>>,
    found: Mutex<Option<T>>,
}

impl<L, T> Work for Look<L, T>
where
    L: FnOnce(&dyn Fn() -> bool) -> Result<T, Interrupted> + Send + 'static,
    T: Send + 'static,
{
    type Found = T;

    fn work(&self, goes_on: &dyn Fn() -> bool) {
        let looking = self.looking.lock().take();
        if let Some(looking) = looking {
            let found = looking(goes_on).ok();
            *self.found.lock() = found;
        }
    }

    fn finish(&self) -> Option<T> {
        self.found.lock().take()
    }
}

/// What makes a search long, for whoever has to make it shorter.
fn narrowing(search: &Search) -> String {
    let parts = [
        ("query", !search.filter.is_everything()),
        ("search", search.words.is_some()),
        ("ordering", !search.sort.is_creation()),
    ];
    let named = parts.iter().filter(|(_, is_used)| *is_used).map(|(name, _)| *name);
    let named: Vec<_> = named.collect();
    // Otherwise it is long because the caller may not read everything.
    if named.is_empty() { "query".to_owned() } else { named.join(", ") }
}
