//! `…/{entity_id}`: read, change, archive, restore and purge one record addressed by its id.
//!
//! It owns the parameters of these routes. An archived record is as good as none, unless a read
//! asks for it. It must not know what a change leads to.

use crate::http::body::Body;
use crate::http::code::Code;
use crate::http::dry_run::{self, DRY_RUN};
use crate::http::endpoint::Endpoint;
use crate::http::extension::{IF_MATCH, IF_NONE_MATCH, RouteGroup};
use crate::http::fault::{Fault, Faults, Place};
use crate::http::history::as_of;
use crate::http::precondition::{self, Held};
use crate::http::problem::{FieldsForm, Problem};
use crate::http::query::Query;
use crate::http::record_write::{RecordWrite, check_shape, parse, require_for_write};
use crate::http::shape::{Presence, Shape};
use crate::http::target::{AddressedRecord, Target};
use crate::http::wire::fields::Fields;
use crate::http::wire::record::{RecordAnswer, Scene};
use crate::http::wire::selection::{FieldsWanted, Selection};
use crate::http::wire::{archived, identifier};
use crate::model::id::Version;
use crate::model::input::Input;
use crate::model::schema::Schema;
use crate::model::table::command::{Ask, Extent, Unarchive, Update};
use crate::model::table::record::Record;
use actix_web::http::{StatusCode, header};
use actix_web::web::ServiceConfig;
use actix_web::{HttpRequest, HttpResponse};

/// The pattern of a record's id. What is none, the words of other routes among it, matches no
/// route of a record and is not found, whatever the method.
macro_rules! entity_path {
    ($rest:literal) => {
        concat!("/api/records/{object_identifier}/{entity_id:[0-9A-Fa-f-]{36}}", $rest)
    };
}
pub(crate) use entity_path;

/// Registers the routes.
pub fn register(config: &mut ServiceConfig) {
    config
        .service(
            Endpoint::at(entity_path!(""))
                .running_dry()
                .get(retrieve)
                .patch(patch)
                .put(put)
                .delete(archive),
        )
        .service(Endpoint::at(entity_path!("/unarchive")).patch(unarchive));
}

/// Reads one record.
async fn retrieve(
    request: HttpRequest,
    target: Target,
    record: AddressedRecord,
) -> Result<HttpResponse, Problem> {
    let mut faults = Faults::default();
    let mut query = Query::read(request.query_string(), &mut faults);
    let wanted = FieldsWanted::of_retrieve(&mut query, &mut faults);
    let include_archived = query.boolean("include_archived", &mut faults).unwrap_or(false);
    let version = read_version(&mut query, &mut faults);
    query.finish(RouteGroup::Retrieve, request.headers(), &[IF_NONE_MATCH], &mut faults);
    let held = Held::read(request.headers(), &mut faults);
    faults.check()?;
    let wanted = Wanted { fields: wanted, held };
    let with_archived = include_archived && target.access.may_unarchive_any();
    let found = target.table.shown().record(record.0);
    let found = found.filter(|record| with_archived || !record.is_archived());
    let Some(version) = version else { return read_answer(&target, found, &wanted) };
    // Whether it may be read is asked of the record as it is now.
    let schema = target.table.shown().schema();
    let found = found.filter(|record| target.access.may_read(&schema, record));
    let found = found.ok_or_else(Problem::not_found)?;
    let found = as_of(&target, found, version).await?;
    Ok(answer_with(&target, found.ok_or_else(Problem::not_found)?, &wanted))
}

/// Which version of the record is asked for, if not its newest.
fn read_version(query: &mut Query<'_>, faults: &mut Faults) -> Option<Version> {
    let text = query.text("version", faults)?;
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !is_number {
        let fault = Fault::new(Code::Invalid, Place::Query("version".into()));
        faults.push(fault.saying("Expected a whole number."));
        return None;
    }
    // One too large to hold is of no record.
    Some(Version(text.parse().unwrap_or(u32::MAX)))
}

/// What a read is to show.
pub struct Wanted<'h> {
    pub fields: FieldsWanted,
    /// What need not be shown again.
    pub held: Held<'h>,
}

/// The read answer: one record as it is now, if one was found and the caller may read it.
pub fn read_answer(
    target: &Target,
    found: Option<Record>,
    wanted: &Wanted<'_>,
) -> Result<HttpResponse, Problem> {
    let schema = target.table.shown().schema();
    let found = found.filter(|record| target.access.may_read(&schema, record));
    Ok(answer_with(target, found.ok_or_else(Problem::not_found)?, wanted))
}

/// The read answer of a record that the caller may read.
fn answer_with(target: &Target, record: Record, wanted: &Wanted<'_>) -> HttpResponse {
    let schema = target.table.shown().schema();
    let scene = Scene::new(target, &schema);
    let etag = scene.etag(&record);
    if wanted.held.has(&etag) {
        return HttpResponse::NotModified().insert_header((header::ETAG, etag)).finish();
    }
    let selection = Selection::of_read(&wanted.fields, &schema, scene.fields());
    let (selection, action) = (&selection, None);
    let answer = RecordAnswer { scene: &scene, selection, record, action, is_dry: false };
    HttpResponse::Ok().insert_header((header::ETAG, etag)).json(answer)
}

/// Changes the fields that are mentioned.
///
/// The reply means that the change is durable and visible to every reader.
async fn patch(
    request: HttpRequest,
    target: Target,
    record: AddressedRecord,
    body: Body,
) -> Result<HttpResponse, Problem> {
    update(&request, &target, record, &body, false).await
}

/// As `PATCH`, unless `replace` asks for more.
async fn put(
    request: HttpRequest,
    target: Target,
    record: AddressedRecord,
    body: Body,
) -> Result<HttpResponse, Problem> {
    update(&request, &target, record, &body, true).await
}

async fn update(
    request: &HttpRequest,
    target: &Target,
    AddressedRecord(id): AddressedRecord,
    body: &Body,
    may_replace: bool,
) -> Result<HttpResponse, Problem> {
    let input = parse(body)?;
    let mut faults = Faults::default();
    let mut query = Query::read(request.query_string(), &mut faults);
    let return_all_fields = query.boolean("return_all_fields", &mut faults).unwrap_or(false);
    let replaces = may_replace && query.boolean("replace", &mut faults).unwrap_or(false);
    let extent = if replaces { Extent::All } else { Extent::Mentioned };
    let (strict, is_dry) = (query.is_strict(), dry_run::read(&mut query, &mut faults));
    query.finish(RouteGroup::Update, request.headers(), &[IF_MATCH], &mut faults);
    let precondition = precondition::read_match(request.headers(), &mut faults);
    let mut shape = Shape::of_body(&input, &mut faults);
    let archived_conflict = archived::read_conflict(&mut shape, "archived_conflict", &mut faults);
    let fields = Fields::read(shape.raw("fields"), strict, &mut faults);
    shape.finish(strict, RouteGroup::Update, &mut faults);
    check_shape(faults, &fields.form)?;
    require_for_write(target, target.access.may_edit_any(), &fields.form)?;

    let statuses = (StatusCode::OK, StatusCode::OK);
    let bytes = body.bytes().len();
    let write = RecordWrite { target, fields, return_all_fields, statuses, is_dry, bytes };
    let written = write
        .ask_for_record(&|_, _, writes| {
            let update = Update { id, writes, archived_conflict, extent };
            Ok(Ask::Update(Box::new(update)).only_if(precondition.clone()))
        })
        .await?;
    Ok(write.answer(written, StatusCode::OK))
}

/// Archives a live record, or purges an archived one.
///
/// The reply means that the change is durable and visible to every reader.
async fn archive(
    request: HttpRequest,
    target: Target,
    AddressedRecord(id): AddressedRecord,
) -> Result<HttpResponse, Problem> {
    let mut faults = Faults::default();
    let mut query = Query::read(request.query_string(), &mut faults);
    let purge = query.boolean("purge", &mut faults).unwrap_or(false);
    let is_dry = dry_run::read(&mut query, &mut faults);
    query.finish(RouteGroup::Archive, request.headers(), &[IF_MATCH], &mut faults);
    let precondition = precondition::read_match(request.headers(), &mut faults);
    check_shape(faults, &FieldsForm::List(0))?;
    let access = &target.access;
    let may = if purge { access.may_purge() } else { access.may_archive_any() };
    require_for_write(&target, may, &FieldsForm::List(0))?;
    let write = RecordWrite { is_dry, ..RecordWrite::without_fields(&target, 0) };
    let ask = || if purge { Ask::Purge(id) } else { Ask::Archive(id) };
    write.ask_for_nothing(|| ask().only_if(precondition.clone())).await?;
    let mut response = HttpResponse::NoContent();
    if is_dry {
        response.insert_header((DRY_RUN, "true"));
    }
    Ok(response.finish())
}

/// Restores an archived record; a live one stays as it is.
///
/// The reply means that the change is durable and visible to every reader.
async fn unarchive(
    request: HttpRequest,
    target: Target,
    AddressedRecord(id): AddressedRecord,
    body: Body,
) -> Result<HttpResponse, Problem> {
    let mut faults = Faults::default();
    let mut query = Query::read(request.query_string(), &mut faults);
    let return_all_fields = query.boolean("return_all_fields", &mut faults).unwrap_or(false);
    let restore_conflict = archived::read_restore_conflict(&mut query, &mut faults);
    let strict = query.is_strict();
    query.finish(RouteGroup::Transition, request.headers(), &[IF_MATCH], &mut faults);
    let precondition = precondition::read_match(request.headers(), &mut faults);
    let input = if body.is_empty() { None } else { Some(parse(&body)?) };
    let schema = target.table.shown().schema();
    let text = input.as_ref().and_then(|input| new_identifier(input, &schema, strict, &mut faults));
    check_shape(faults, &FieldsForm::List(0))?;
    require_for_write(&target, target.access.may_unarchive_any(), &FieldsForm::List(0))?;

    let mut write = RecordWrite::without_fields(&target, body.bytes().len());
    write.return_all_fields = return_all_fields;
    let written = write
        .ask_for_record(&|schema, context, _| {
            let of_text = |text| identifier::of_text(IDENTIFIER, text, schema, context);
            let identifier = text.map(of_text).transpose().map_err(|fault| vec![fault])?;
            let unarchive = Unarchive { id, identifier, restore_conflict };
            Ok(Ask::Unarchive(unarchive).only_if(precondition.clone()))
        })
        .await?;
    Ok(write.answer(written, StatusCode::OK))
}

const IDENTIFIER: &str = "identifier";

/// The identifier under which a record is to be restored, if the body names one.
fn new_identifier<'i>(
    input: &'i Input<'i>,
    schema: &Schema,
    strict: bool,
    faults: &mut Faults,
) -> Option<&'i str> {
    let mut shape = Shape::of_body(input, faults);
    let text = identifier::read_text(&mut shape, IDENTIFIER, Presence::Nullable, schema, faults);
    shape.finish(strict, RouteGroup::Transition, faults);
    text
}
