//! The document of the API, OpenAPI 3.1: one file a resource, put together and served here.
//!
//! It describes what this version serves and nothing else: tests hold it against the routes that
//! are registered, against the official schema, and against real answers. Handlers do not know it.

pub mod activities;
pub mod activity_types;
pub mod api_keys;
pub mod batches;
pub mod bulk;
pub mod businesses;
pub mod changes;
pub mod errors;
pub mod exports;
pub mod fields;
mod keys;
pub mod objects;
pub mod operations;
#[cfg(feature = "docs-ui")]
pub mod page;
pub mod pipelines;
mod preconditions;
pub mod records;
pub mod relations;
pub mod rights;
pub mod search;
pub mod shared;
pub mod team;
#[cfg(test)]
mod tests;
pub mod upsert_body;
pub mod words;

use crate::http::endpoint::Endpoint;
use crate::http::extension::ORIGIN;
use crate::http::options::AnswerOptions;
use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::{Bytes, Data, ServiceConfig};
use utoipa::OpenApi;
use utoipa::openapi::path::{Operation, Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{ArrayItems, ObjectBuilder, SchemaType, Type};
use utoipa::openapi::security::{ApiKey, ApiKeyValue, SecurityScheme};
use utoipa::openapi::{self, Ref, RefOr, Required, Schema};

/// Where the document is.
pub const PATH: &str = "/api/openapi.json";

/// Where other clients look for it.
pub const ALIASES: [&str; 2] = ["/api/docs/schema", "/api/docs/public/schema"];

#[derive(OpenApi)]
#[openapi(
    info(
        title = "upsertd",
        description = "Records whose heart is a race-free upsert: create or update by the \
            caller's own key, never a second record. The three headers name the caller. Every \
            error has one body; branch on its `code`.",
        license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0"),
    ),
    servers((url = "/")),
    security(("apiKey" = [], "businessId" = [], "userId" = [])),
    tags(
        (name = "records", description = "Records of an object."),
        (name = "objects", description = "The kinds of record."),
        (name = "fields", description = "Fields, options and tags of an object."),
        (name = "activities", description = "What is to be done about records."),
        (name = "team", description = "Members, their rights, keys and the business."),
        (name = "operations", description = "The process."),
    ),
    components(schemas(errors::Error)),
    paths(
        records::upsert,
        batches::bulk_upsert,
        batches::import,
        records::add,
        records::lookup,
        search::list,
        search::search,
        changes::changes,
        changes::all_changes,
        changes::history,
        exports::export,
        exports::export_found,
        records::retrieve,
        records::partial_update,
        records::update,
        records::destroy,
        records::unarchive,
        relations::field_values,
        records::team_members_list,
        records::team_members_update,
        records::team_members_destroy,
        pipelines::move_record,
        objects::list,
        objects::create,
        objects::retrieve,
        objects::detail,
        objects::partial_update,
        objects::update,
        objects::destroy,
        objects::categories,
        objects::create_category,
        objects::change_category,
        objects::remove_category,
        objects::contacts,
        pipelines::list,
        pipelines::create,
        pipelines::partial_update,
        pipelines::remove_stage,
        fields::list,
        fields::create,
        fields::settings_search,
        fields::search,
        fields::retrieve,
        fields::partial_update,
        fields::update,
        fields::destroy,
        fields::references,
        fields::tags,
        fields::tags_of_pipeline,
        fields::tags_of_contacts,
        fields::options,
        fields::create_option,
        fields::change_option,
        fields::remove_option,
        fields::replace_option,
        bulk::archive,
        bulk::change_field_value,
        bulk::list,
        bulk::retrieve,
        activity_types::list,
        activity_types::create,
        activity_types::retrieve,
        activity_types::partial_update,
        activity_types::update,
        activity_types::destroy,
        activity_types::log,
        activity_types::responses,
        activity_types::logged,
        activities::list,
        activities::search,
        activities::schedule,
        activities::retrieve,
        activities::partial_update,
        activities::update,
        activities::change_note,
        activities::destroy,
        team::list,
        team::employees,
        team::create,
        team::retrieve,
        team::partial_update,
        team::destroy,
        team::typeahead,
        team::search,
        api_keys::list,
        api_keys::create,
        api_keys::destroy,
        rights::list_roles,
        rights::create_role,
        rights::retrieve_role,
        rights::update_role,
        rights::destroy_role,
        rights::list_groups,
        rights::create_group,
        rights::retrieve_group,
        rights::replace_group,
        rights::update_group,
        rights::destroy_group,
        rights::set_right,
        rights::list_rights,
        rights::own,
        businesses::mine,
        businesses::partial_update_mine,
        businesses::update_mine,
        businesses::list,
        businesses::create,
        businesses::retrieve,
        businesses::partial_update,
        businesses::destroy,
        operations::healthz,
        operations::readyz,
        operations::metrics,
        operations::openapi,
        operations::status,
        operations::snapshot,
    )
)]
struct Document;

/// The document of a server that answers so.
#[must_use]
pub fn document(answers: &AnswerOptions) -> openapi::OpenApi {
    let mut document = Document::openapi();
    // Filled from the package, which names nobody.
    document.info.contact = None;
    add_schemes(&mut document);
    let items = document.paths.paths.values_mut();
    items.flat_map(|item| [&mut item.post, &mut item.patch]).flatten().for_each(may_lack_body);
    take_origins(&mut document);
    name_rows(&mut document);
    set_statuses(&mut document, answers);
    preconditions::add_preconditions(&mut document);
    keys::add_keys(&mut document);
    errors::add_errors(&mut document, answers);
    document
}

fn add_schemes(document: &mut openapi::OpenApi) {
    let components = document.components.get_or_insert_default();
    for (name, header, description) in [
        ("apiKey", "X-API-KEY", "The secret of an API key."),
        ("businessId", "X-BUSINESS-ID", "The business."),
        ("userId", "X-USER-ID", "The user the key belongs to."),
        ("operatorKey", "X-OPERATOR-KEY", "The operator's key; for `/api/admin` alone."),
    ] {
        let value = ApiKeyValue::with_description(header, description);
        components.add_security_scheme(name, SecurityScheme::ApiKey(ApiKey::Header(value)));
    }
}

/// Every write of a member may say for which system it writes.
fn take_origins(document: &mut openapi::OpenApi) {
    let only_reads =
        |path: &str| ["/search", "/responses", "/export"].iter().any(|end| path.ends_with(end));
    for (path, item) in &mut document.paths.paths {
        if path.starts_with("/api/admin/") || only_reads(path) {
            continue;
        }
        let writes = [&mut item.post, &mut item.put, &mut item.patch, &mut item.delete];
        for operation in writes.into_iter().flatten() {
            operation.parameters.get_or_insert_default().push(RefOr::T(origin()));
        }
    }
}

fn origin() -> Parameter {
    let text = ObjectBuilder::new().schema_type(SchemaType::Type(Type::String));
    ParameterBuilder::new()
        .name(ORIGIN)
        .parameter_in(ParameterIn::Header)
        .required(Required::False)
        .description(Some("The system it is written for, if that is another than the key's."))
        .schema(Some(text.pattern(Some("^[A-Za-z0-9._:-]{1,64}$")).build()))
        .build()
}

/// A body that need not be there is described as one that may be null, which it may not.
fn may_lack_body(operation: &mut Operation) {
    let Some(RefOr::T(body)) = &mut operation.request_body else { return };
    for content in body.content.values_mut() {
        if let RefOr::T(content) = content
            && let Some(RefOr::T(Schema::OneOf(choice))) = &content.schema
        {
            let given = choice.items.iter().find(|item| matches!(item, RefOr::Ref(_)));
            content.schema = given.cloned();
            body.required = Some(Required::False);
        }
    }
}

/// The rows of a page are described in the page, and a generated client would have two types for
/// one thing: they become a schema of their own name.
fn name_rows(document: &mut openapi::OpenApi) {
    let schemas = &mut document.components.get_or_insert_default().schemas;
    let mut rows = Vec::new();
    for (name, page) in schemas.iter_mut() {
        let Some(row) = name.strip_prefix("Page_") else { continue };
        if let RefOr::T(Schema::Object(page)) = page
            && let Some(RefOr::T(Schema::Array(results))) = page.properties.get_mut("results")
        {
            let reference = RefOr::Ref(Ref::from_schema_name(row));
            let items =
                std::mem::replace(&mut results.items, ArrayItems::RefOrSchema(reference.into()));
            if let ArrayItems::RefOrSchema(described) = items {
                rows.push((row.to_owned(), *described));
            }
        }
    }
    schemas.extend(rows);
}

/// An operator may choose the statuses of records that were made.
fn set_statuses(document: &mut openapi::OpenApi, answers: &AnswerOptions) {
    let mut answers_of = |path: &str| {
        let item = document.paths.paths.get_mut(path).expect("the path is described");
        let operation = item.post.as_mut().expect("it is described as a post");
        std::mem::take(&mut operation.responses.responses)
    };
    let (upsert, add) =
        ("/api/records/{object_identifier}/upsert", "/api/records/{object_identifier}/add");
    let mut of_upsert = answers_of(upsert);
    if answers.upsert_created != StatusCode::OK {
        let written = of_upsert["200"].clone();
        of_upsert.insert(answers.upsert_created.as_str().to_owned(), written);
    }
    let mut of_add = answers_of(add);
    let written = of_add.remove("201").expect("it is described with this status");
    of_add.insert(answers.added.as_str().to_owned(), written);
    for (path, responses) in [(upsert, of_upsert), (add, of_add)] {
        let item = document.paths.paths.get_mut(path).expect("it was there before");
        let operation = item.post.as_mut().expect("it was there before");
        operation.responses.responses = responses;
    }
}

/// The bytes of the document.
struct Served(Bytes);

/// Registers the document, its aliases, and its page where there is one.
pub fn register(config: &mut ServiceConfig, answers: &AnswerOptions) {
    let json = document(answers).to_json().expect("the document has text keys and serialises");
    config.app_data(Data::new(Served(json.into())));
    for path in [PATH].into_iter().chain(ALIASES) {
        config.service(Endpoint::at(path).get(serve));
    }
    #[cfg(feature = "docs-ui")]
    page::register(config);
}

async fn serve(document: Data<Served>) -> HttpResponse {
    HttpResponse::Ok().content_type("application/json").body(document.0.clone())
}
