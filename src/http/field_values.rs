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
use crate::model::access::FieldRights;
use crate::model::filter::Filter;
use crate::model::filter::sort::Sort;
use crate::model::filter::words::{SEARCH_CHARS_MAX, Words};
use crate::model::id::{FieldId, RecordId};
use crate::model::schema::Schema;
use crate::model::schema::field::Field;
use crate::model::table::link::{Link, Side};
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
    let Some(link) = Link::of(&field, &caller.related_tables()) else {
        return asked.answer(&[], 0, None, &request);
    };
    let object = link.other().object();
    let other = Target::of_object(&request, &object.to_string())?;
    let schema = link.schema().clone();
    let rights = other.access.fields(&schema);
    let words = asked.words(&schema, &rights);
    let places = asked.page.window();
    let found = search::look(&other, "search".to_owned(), move |around, goes_on| {
        link.page(&record, words.as_ref(), places, (around, goes_on))
    });
    let found = found.await?;
    asked.answer(&found.records, found.count, Some((&schema, &rights)), &request)
}

/// The live record, and the relationship field that is asked for. The object is found by the field.
fn find(caller: &Caller, (record, field): &(String, String)) -> Option<(Record, Arc<Field>)> {
    let (record, field) = (RecordId::parse(record)?, FieldId::parse(field)?);
    let mut tables = caller.tables().into_iter();
    let (table, access) =
        tables.find(|(table, _)| table.shown().schema().by_id(field).is_some())?;
    let schema = table.shown().schema();
    let rights = access.fields(&schema);
    let field = schema.by_id(field).filter(|field| rights.may_see(field.number))?;
    field.relation.as_ref()?;
    let side = Side { shown: table.shown().clone(), access };
    let record = side.shown.record(record).filter(|record| side.shows(&schema, record))?;
    Some((record, field.clone()))
}

/// Lists the records that a field may have.
pub(super) async fn list_selectable(
    field: &Field,
    request: &HttpRequest,
) -> Result<HttpResponse, Problem> {
    let asked = Asked::read(request)?;
    let relation = field.relation.as_ref().expect("a relationship field has a relation");
    let Ok(other) = Target::of_object(request, &relation.object.to_string()) else {
        return asked.answer(&[], 0, None, request);
    };
    let schema = other.table.shown().schema();
    let rights = other.access.fields(&schema);
    let search = Search {
        wanted: Wanted::Live,
        reach: other.access.reach(),
        filter: Filter::everything(),
        words: asked.words(&schema, &rights),
        sort: Sort::default(),
        window: Window::Places(asked.page.window()),
    };
    let found = search::find(&other, search).await?;
    asked.answer(&found.records, found.count, Some((&schema, &rights)), request)
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
        let page = PageRequest::of_query(&mut query, &mut faults);
        query.finish(RouteGroup::Read, request.headers(), &[], &mut faults);
        if let Some(search) = &search
            && search.chars().nth(SEARCH_CHARS_MAX).is_some()
        {
            faults.push(Fault::max_length(Place::Query("search".into()), SEARCH_CHARS_MAX));
        }
        faults.check()?;
        Ok(Self { page: page?, search })
    }

    /// The words that are looked for in records of this schema.
    fn words(&self, schema: &Schema, rights: &FieldRights) -> Option<Words> {
        let mut fields = Words::default_fields(schema);
        fields.retain(|field| rights.may_see(field.number));
        Words::new(self.search.as_deref()?, fields)
    }

    fn answer(
        &self,
        records: &[Record],
        count: usize,
        shown_with: Option<(&Schema, &FieldRights)>,
        request: &HttpRequest,
    ) -> Result<HttpResponse, Problem> {
        self.page.places(count)?;
        let rows_of = |(schema, rights)| {
            records.iter().map(|record| RelatedRow::of(schema, rights, record)).collect()
        };
        let rows: Vec<_> = shown_with.map(rows_of).unwrap_or_default();
        let address = Address::of_request(request);
        let page = self.page.envelope(count, rows, &address);
        Ok(HttpResponse::Ok().json(page))
    }
}
