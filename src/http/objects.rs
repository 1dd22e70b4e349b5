//! The routes of objects.
//!
//! It must not know what an object may be: the model decides that.

use crate::engine::Engine;
use crate::http::body::Body;
use crate::http::caller::{Caller, require};
use crate::http::code::Code;
use crate::http::endpoint::Endpoint;
use crate::http::extension::RouteGroup;
use crate::http::fault::{Fault, Faults, Place};
use crate::http::ordering::ListOrder;
use crate::http::page::{Address, PageRequest};
use crate::http::plain::{check_no_parameters, read_no_parameters};
use crate::http::problem::Problem;
use crate::http::query::Query;
use crate::http::refusal::of_ask_error;
use crate::http::schema_change::{ask_for_schema, of_schema_rejection};
use crate::http::schema_fault::{add_schema_faults, throwaway_ids};
use crate::http::search::count;
use crate::http::target::Target;
use crate::http::wire::objects::{
    ContactObjectShape, ObjectPage, ObjectRow, ObjectShape, ObjectSource, read_changed_object,
    read_new_object,
};
use crate::model::access::{FieldRights, ObjectAccess};
use crate::model::catalog::command::{Ask, Command, Reply};
use crate::model::key;
use crate::model::schema::Schema;
use crate::model::schema::field::Field;
use crate::model::schema::new_object::{Founder, NewObject};
use crate::model::schema::object::{CONTACTS, Object, ObjectType};
use crate::model::table;
use crate::model::table::link::Tables;
use crate::model::table::schema_command::SchemaAsk;
use actix_web::http::StatusCode;
use actix_web::http::header::HeaderValue;
use actix_web::web::{Data, ServiceConfig};
use actix_web::{HttpRequest, HttpResponse};
use std::sync::Arc;

/// Adds the routes.
pub fn register(config: &mut ServiceConfig) {
    config
        .service(Endpoint::at("/api/custom-objects").get(list).post(create))
        .service(
            Endpoint::at("/api/custom-objects/{object_identifier}")
                .get(retrieve)
                .patch(change)
                .put(change)
                .delete(archive),
        )
        .service(Endpoint::at("/api/custom-objects/{object_identifier}/detail").get(retrieve))
        .service(Endpoint::at("/api/client/custom-object").get(retrieve_contacts));
}

async fn list(caller: Caller, request: HttpRequest) -> Result<HttpResponse, Problem> {
    let mut faults = Faults::default();
    let mut query = Query::read(request.query_string(), &mut faults);
    let filter = ObjectFilter::of_query(&mut query, &mut faults);
    let order = ListOrder::of_query(&mut query, &ORDERS, &mut faults);
    let page = PageRequest::of_query(&mut query, &mut faults);
    query.finish(RouteGroup::Read, request.headers(), &[], &mut faults);
    faults.check()?;
    let page = page?;

    let mut schemas = visible_schemas(&caller);
    schemas.retain(|schema| filter.takes(schema.object()));
    order.sort(&mut schemas, |by, left, right| by.compare(left.object(), right.object()));
    let places = page.places(schemas.len())?;
    let rows = schemas[places].iter().map(|schema| ObjectRow::of(schema.object())).collect();
    let page = page.envelope(schemas.len(), rows, &Address::of_request(&request));
    Ok(HttpResponse::Ok().json(ObjectPage::new(page, caller.rights.may_create_objects())))
}

/// What there is to list.
fn visible_schemas(caller: &Caller) -> Vec<Arc<Schema>> {
    caller.tables().iter().map(|(table, _)| table.shown().schema()).collect()
}

async fn create(
    engine: Data<Engine>,
    caller: Caller,
    request: HttpRequest,
    body: Body,
) -> Result<HttpResponse, Problem> {
    let new = read_create(&caller, &request, &body)?;
    require(caller.rights.may_create_objects())?;
    check_name(&caller, new.name.as_deref(), None)?;
    let command = Command { caller: caller.for_write(), ask: Ask::CreateObject(Box::new(new)) };
    let reply = engine.ask_catalog(&caller.business, command, body.bytes().len()).await?;
    let Reply::Object(schema) = reply else {
        unreachable!("the creation of an object is answered with its schema")
    };
    let mut response = answer_maker(&caller, &schema);
    *response.status_mut() = StatusCode::CREATED;
    Ok(response)
}

/// Whoever makes an object is shown it, also where it has no right on it.
pub(super) fn answer_maker(caller: &Caller, schema: &Schema) -> HttpResponse {
    let (access, rights) = (caller.rights.on(schema.object().id), FieldRights::default());
    let tables = caller.related_tables();
    let source = source(caller, schema, (&access, &rights), 0, &tables);
    HttpResponse::Ok().json(ObjectShape::of(source))
}

/// Only an administrator says what an object is called by.
fn check_name(caller: &Caller, given: Option<&str>, held: Option<&str>) -> Result<(), Problem> {
    if given.is_none() || given == held || caller.rights.is_admin() {
        return Ok(());
    }
    Err(Fault::new(Code::ForbiddenFieldWrite, Place::Body("name".into())).into())
}

fn read_create(caller: &Caller, request: &HttpRequest, body: &Body) -> Result<NewObject, Problem> {
    let input = body.parse()?;
    let mut faults = Faults::default();
    let is_strict = read_no_parameters(request, RouteGroup::Write, &mut faults);
    let new = read_new_object(&input, is_strict, &mut faults);
    if !faults.is_empty() {
        let founder = Founder { member: None, at: caller.member.created };
        let is_taken = |name: &str| caller.catalog.object_of_name(name).is_some();
        if let Err(found) = new.decide(founder, &is_taken, &mut throwaway_ids()) {
            add_schema_faults(&found, &mut faults);
        }
    }
    faults.check().map(|()| new)
}

/// `PATCH` and `PUT`: what is not given stays.
async fn change(target: Target, request: HttpRequest, body: Body) -> Result<HttpResponse, Problem> {
    let change = read_change(&target, &request, &body)?;
    require(target.access.may_change_schema())?;
    let held = target.table.shown().schema();
    check_name(&target.caller, change.name.as_deref(), Some(&held.object().name))?;
    let asked = SchemaAsk::ChangeObject(Box::new(change));
    let ask = table::command::Ask::ChangeSchema(asked);
    ask_for_schema(&target, ask, body.bytes().len()).await?;
    answer(target).await
}

fn read_change(target: &Target, request: &HttpRequest, body: &Body) -> Result<NewObject, Problem> {
    let input = body.parse()?;
    let mut faults = Faults::default();
    let is_strict = read_no_parameters(request, RouteGroup::Write, &mut faults);
    let change = read_changed_object(&input, is_strict, &mut faults);
    let schema = target.table.shown().schema();
    let may_see = |field: &Field| target.access.may_see_field(&schema, field);
    if !faults.is_empty()
        && let Err(found) = schema.decide_object_change(&change, &may_see)
    {
        add_schema_faults(&found, &mut faults);
    }
    faults.check().map(|()| change)
}

/// The reply means that nothing of the object is found any more, also after a crash.
async fn archive(target: Target, request: HttpRequest) -> Result<HttpResponse, Problem> {
    if target.table.shown().schema().is_contacts() {
        let allow = HeaderValue::from_static("GET, HEAD, PATCH, PUT, OPTIONS");
        return Err(Problem::method_not_allowed(request.method(), allow));
    }
    check_no_parameters(&request, RouteGroup::Write)?;
    require(target.access.may_delete_schema())?;
    let Target { engine, caller, table, .. } = &target;
    let answer = engine.archive_object(&caller.business, table, caller.for_write()).await;
    answer.map_err(|error| of_ask_error(error, |it| of_schema_rejection(&target, it)))?;
    Ok(HttpResponse::NoContent().finish())
}

async fn retrieve(target: Target, request: HttpRequest) -> Result<HttpResponse, Problem> {
    check_no_parameters(&request, RouteGroup::Read)?;
    answer(target).await
}

/// The object as it is now.
pub(super) async fn answer(target: Target) -> Result<HttpResponse, Problem> {
    let count = count(&target).await?;
    let Target { caller, table, access, .. } = target;
    let schema = table.shown().schema();
    let (rights, tables) = (access.fields(&schema), caller.related_tables());
    let source = source(&caller, &schema, (&access, &rights), count, &tables);
    Ok(HttpResponse::Ok().json(ObjectShape::of(source)))
}

async fn retrieve_contacts(request: HttpRequest) -> Result<HttpResponse, Problem> {
    let target = Target::of_object(&request, CONTACTS)?;
    check_no_parameters(&request, RouteGroup::Read)?;
    let count = count(&target).await?;
    let Target { caller, table, access, .. } = target;
    let schema = table.shown().schema();
    let (rights, tables) = (access.fields(&schema), caller.related_tables());
    let source = source(&caller, &schema, (&access, &rights), count, &tables);
    Ok(HttpResponse::Ok().json(ContactObjectShape::of(source)))
}

fn source<'a>(
    caller: &'a Caller,
    schema: &'a Schema,
    (access, rights): (&'a ObjectAccess, &'a FieldRights),
    number_of_records: usize,
    tables: &'a Tables<'a>,
) -> ObjectSource<'a> {
    let time_zone = caller.business.time_zone();
    ObjectSource {
        schema,
        access,
        rights,
        number_of_records,
        members: &caller.catalog.members,
        time_zone,
        tables,
    }
}

/// Which objects a list is of.
#[derive(Debug)]
struct ObjectFilter {
    custom_only: bool,
    name: Option<String>,
    object_name: Option<key::Key>,
    object_type: Option<ObjectType>,
    is_custom: Option<bool>,
    default_on_activities: Option<bool>,
    allow_relations: Option<bool>,
    /// In lower case.
    search: Option<String>,
}

const OBJECT_TYPES: [(&str, ObjectType); 2] =
    [("standard", ObjectType::Standard), ("pipeline", ObjectType::Pipeline)];

impl ObjectFilter {
    fn of_query(query: &mut Query<'_>, faults: &mut Faults) -> Self {
        Self {
            custom_only: query.boolean("custom_only", faults).unwrap_or(true),
            name: query.text("name", faults).map(str::to_owned),
            object_name: query.text("object_name", faults).map(key::option_key),
            object_type: query.choice("object_type", &OBJECT_TYPES, faults),
            is_custom: query.boolean("is_custom", faults),
            default_on_activities: query.boolean("default_on_activities", faults),
            allow_relations: query.boolean("allow_relations", faults),
            search: query.text("search", faults).map(|text| text.trim().to_lowercase()),
        }
    }

    fn takes(&self, object: &Object) -> bool {
        let flags = [
            (self.is_custom, object.is_custom),
            (self.default_on_activities, object.default_on_activities),
            (self.allow_relations, object.allow_relations),
        ];
        let labels = [&object.name, &object.object_name, &object.entity_name];
        (object.is_custom || !self.custom_only)
            && flags.iter().all(|(wanted, is)| wanted.is_none_or(|wanted| wanted == *is))
            && self.name.as_ref().is_none_or(|name| *name == object.name)
            && self.object_type.is_none_or(|wanted| wanted == object.object_type)
            && (self.object_name.as_ref())
                .is_none_or(|label| *label == key::option_key(&object.object_name))
            && (self.search.as_ref())
                .is_none_or(|part| labels.iter().any(|label| label.to_lowercase().contains(part)))
    }
}

/// What a list of objects may be ordered by.
#[derive(Clone, Copy, Debug)]
enum OrderBy {
    Name,
    ObjectName,
    EntityName,
    Created,
}

const ORDERS: [(&str, OrderBy); 4] = [
    ("name", OrderBy::Name),
    ("object_name", OrderBy::ObjectName),
    ("entity_name", OrderBy::EntityName),
    ("created", OrderBy::Created),
];

impl OrderBy {
    fn compare(self, left: &Object, right: &Object) -> std::cmp::Ordering {
        let by_label = |left, right| key::option_key(left).cmp(&key::option_key(right));
        match self {
            Self::Name => left.name.cmp(&right.name),
            Self::ObjectName => by_label(&left.object_name, &right.object_name),
            Self::EntityName => by_label(&left.entity_name, &right.entity_name),
            Self::Created => left.created.cmp(&right.created),
        }
    }
}

#[cfg(test)]
mod tests;
