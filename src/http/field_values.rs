//! `…/field-values/{field_id}`: all values of a relationship field of one record, page by page; and
//! the records that such a field may have.
//!
//! It must not know how records are related.

use crate::http::caller::Caller;
use crate::http::endpoint::Endpoint;
use crate::http::extension::RouteGroup;
use crate::http::fault::{Fault, Faults, Place};
use crate::http::page::{Address, PageRequest};
use crate::http::problem::Problem;
use crate::http::query::Query;
use crate::http::search;
use crate::http::target::Target;
use crate::http::wire::related::RelatedRow;
use crate::model::filter::Filter;
use crate::model::filter::sort::Sort;
use crate::model::filter::words::{SEARCH_CHARS_MAX, Words};
use crate::model::id::{FieldId, RecordId};
use crate::model::schema::Schema;
use crate::model::schema::field::Field;
use crate::model::table::link::{Link, is_selectable};
use crate::model::table::order::Wanted;
use crate::model::table::record::Record;
use crate::model::table::search::{Search, Window};
use actix_web::web::{Path, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use std::sync::Arc;

/// Adds the route. An id in the place of an object is a record's.
pub fn register(config: &mut ServiceConfig) {
    let path = "/api/records/{entity_id:[0-9A-Fa-f-]{36}}/field-values/{field_id}";
    config.service(Endpoint::at(path).get(list));
}

/// Lists what a record is related to.
async fn list(
    caller: Caller,
    path: Path<(String, String)>,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let (record, field) = find(&caller, &path).ok_or_else(Problem::not_found)?;
    let asked = Asked::read(&request)?;
    let link = Link::of(&field, &caller.related_tables());
    let relation = field.relation.as_ref().expect("it was found by being a relationship");
    let table = caller.business.table(relation.object);
    let (Some(link), Some(table)) = (link, table) else {
        return asked.answer(&[], 0, None, &request);
    };
    let schema = table.shown().schema();
    let words = asked.words(&schema);
    let places = asked.page.window();
    let other = Target::of_caller(&request, caller, table);
    let found = search::look(&other, "search".to_owned(), move |_, around, goes_on| {
        link.page(&record, words.as_ref(), places, (around, goes_on))
    });
    let found = found.await?;
    asked.answer(&found.records, found.count, Some(&schema), &request)
}

/// The live record, and the relationship field that is asked for. The object is found by the field.
fn find(caller: &Caller, (record, field): &(String, String)) -> Option<(Record, Arc<Field>)> {
    let (record, field) = (RecordId::parse(record)?, FieldId::parse(field)?);
    let tables = caller.business.tables();
    let table = tables.iter().find(|table| table.shown().schema().by_id(field).is_some())?;
    let schema = table.shown().schema();
    caller.table(&schema.object().id.to_string()).ok()?;
    let field = schema.by_id(field).filter(|field| field.relation.is_some())?;
    let record = table.shown().record(record).filter(is_selectable)?;
    Some((record, field.clone()))
}

/// Lists the records that a field may have.
pub(super) async fn list_selectable(
    target: &Target,
    field: &Field,
    request: &HttpRequest,
) -> Result<HttpResponse, Problem> {
    let asked = Asked::read(request)?;
    let relation = field.relation.as_ref().expect("a relationship field has a relation");
    let Ok(table) = target.caller.table(&relation.object.to_string()) else {
        return asked.answer(&[], 0, None, request);
    };
    let schema = table.shown().schema();
    let search = Search {
        wanted: Wanted::Live,
        filter: Filter::everything(),
        words: asked.words(&schema),
        sort: Sort::default(),
        window: Window::Places(asked.page.window()),
    };
    let found = search::find(&target.at(table), search).await?;
    asked.answer(&found.records, found.count, Some(&schema), request)
}

/// Which records of a list are asked for.
struct Asked {
    page: PageRequest,
    search: Option<String>,
}

impl Asked {
    fn read(request: &HttpRequest) -> Result<Self, Problem> {
        let mut faults = Faults::default();
        let mut query = Query::read(request.query_string(), &mut faults);
        let search = query.text("search", &mut faults).map(str::to_owned);
        let page = PageRequest::of_query(&mut query, &mut faults)?;
        query.finish(RouteGroup::Read, request.headers(), &[], &mut faults);
        if let Some(search) = &search
            && search.chars().nth(SEARCH_CHARS_MAX).is_some()
        {
            faults.push(Fault::max_length(Place::Query("search".into()), SEARCH_CHARS_MAX));
        }
        faults.check().map(|()| Self { page, search })
    }

    /// The words that are looked for in records of this schema.
    fn words(&self, schema: &Schema) -> Option<Words> {
        Words::new(self.search.as_deref()?, Words::default_fields(schema))
    }

    fn answer(
        &self,
        records: &[Record],
        count: usize,
        schema: Option<&Schema>,
        request: &HttpRequest,
    ) -> Result<HttpResponse, Problem> {
        self.page.places(count)?;
        let rows_of =
            |schema| records.iter().map(|record| RelatedRow::of(schema, record)).collect();
        let rows: Vec<_> = schema.map(rows_of).unwrap_or_default();
        let address = Address::of_request(request);
        let page = self.page.envelope(count, rows, &address);
        Ok(HttpResponse::Ok().json(page))
    }
}
