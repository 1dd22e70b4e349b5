//! `GET …/lookup`: find one live record by a value that only it has.
//!
//! It must not know how an answer looks.

use crate::http::code::Code;
use crate::http::endpoint::Endpoint;
use crate::http::extension::{IF_NONE_MATCH, RouteGroup};
use crate::http::fault::{Fault, Faults, Place};
use crate::http::precondition::Held;
use crate::http::problem::Problem;
use crate::http::query::Query;
use crate::http::records::{Wanted, read_answer};
use crate::http::target::Target;
use crate::http::value_fault;
use crate::http::wire::selection::FieldsWanted;
use crate::model::access::FieldRights;
use crate::model::input::Input;
use crate::model::key::Key;
use crate::model::schema::Schema;
use crate::model::schema::field::Field;
use crate::model::table::decide::keys::stored_text;
use crate::model::table::record::Record;
use crate::model::value::{Change, Entry, FieldType, read_change};
use actix_web::web::ServiceConfig;
use actix_web::{HttpRequest, HttpResponse};
use std::borrow::Cow;
use std::sync::Arc;

/// Registers the route.
pub fn register(config: &mut ServiceConfig) {
    config.service(Endpoint::at("/api/records/{object_identifier}/lookup").get(lookup));
}

/// Finds the live record that an identifier, or a value of another unique field, names.
async fn lookup(request: HttpRequest, target: Target) -> Result<HttpResponse, Problem> {
    let schema = target.table.shown().schema();
    let mut faults = Faults::default();
    let mut query = Query::read(request.query_string(), &mut faults);
    let wanted = FieldsWanted::of_lookup(&mut query, &mut faults);
    let match_case = query.boolean("match_case", &mut faults).unwrap_or(false);
    let rights = target.access.fields(&schema);
    let field = read_field(&mut query, (&schema, &rights), &mut faults);
    let given = query.text("identifier", &mut faults).map(str::to_owned);
    if given.is_none() {
        faults.push(Fault::new(Code::Required, place()));
    }
    query.finish(RouteGroup::Lookup, request.headers(), &[IF_NONE_MATCH], &mut faults);
    let held = Held::read(request.headers(), &mut faults);
    // A key can be made only of a value and a field that are both good.
    let key = match (&given, &field) {
        (Some(given), Some(field)) => {
            read_key(field, given, &target).map_err(|fault| faults.push(fault)).ok()
        }
        (None, _) | (_, None) => None,
    };
    faults.check()?;
    let (field, given) = (field.expect("it has no fault"), given.expect("it has no fault"));
    let found = find(&target, &field, &key.expect("it has no fault"));
    let found = found.filter(|record| !match_case || is_spelled(record, &field, given.trim()));
    read_answer(&target, found, &Wanted { fields: wanted, held })
}

fn place() -> Place {
    Place::Query("identifier".into())
}

/// The field that is looked up: the identifier unless `by` names another unique one.
fn read_field(
    query: &mut Query<'_>,
    (schema, rights): (&Schema, &FieldRights),
    faults: &mut Faults,
) -> Option<Arc<Field>> {
    let Some(name) = query.text("by", faults) else { return Some(schema.identifier().clone()) };
    let found = schema.by_name(name).filter(|field| rights.may_see(field.number));
    let fault = match found {
        Some(field) if field.is_unique => return Some(field.clone()),
        Some(_) => Fault::invalid_choice(Place::Query("by".into()), name),
        None => Fault::new(Code::DoesNotExist, Place::Query("by".into()))
            .saying("Field does not exist."),
    };
    faults.push(fault);
    None
}

/// The key of what is looked up. A text needs no form of its own: one that no record can have
/// names none.
fn read_key(field: &Field, given: &str, target: &Target) -> Result<Key, Fault> {
    let blank = || Fault::new(Code::Blank, place());
    if given.trim().is_empty() {
        return Err(blank());
    }
    match field.field_type {
        FieldType::Text | FieldType::Email | FieldType::Longtext => {
            let key = if field.is_identifier() {
                target.table.shown().schema().identifier_key(given)
            } else {
                field.normalizer.and_then(|normalizer| normalizer.key(given))
            };
            key.ok_or_else(blank)
        }
        FieldType::Phonenumber
        | FieldType::Integer
        | FieldType::Decimal
        | FieldType::Money
        | FieldType::Checkbox
        | FieldType::Date
        | FieldType::Datetime
        | FieldType::Timezone
        | FieldType::Dropdown
        | FieldType::Radio
        | FieldType::Choices
        | FieldType::Status
        | FieldType::Yesnomaybe
        | FieldType::Selector
        | FieldType::Checkboxes
        | FieldType::Rating
        | FieldType::Dynamictags
        | FieldType::TeamSelector
        | FieldType::Files
        | FieldType::Relationship => {
            let input = Input::Text(Cow::Borrowed(given));
            match target.with_context(|context| read_change(field, &Entry::of(&input), context)) {
                Ok(Change::Set(value)) => value.unique_key(field.normalizer).ok_or_else(blank),
                Ok(
                    Change::Clear
                    | Change::Tags(_)
                    | Change::Members(_)
                    | Change::Choices(_)
                    | Change::Files(_)
                    | Change::Records(_),
                ) => Err(blank()),
                Err(fault) => Err(value_fault::fault_of(&fault, place())),
            }
        }
    }
}

fn find(target: &Target, field: &Field, key: &Key) -> Option<Record> {
    let shown = target.table.shown();
    let found = if field.is_identifier() {
        shown.holder(key)
    } else {
        shown.unique(field.number)?.get(key)
    };
    found.filter(|record| !record.is_archived())
}

/// Whether the record's value is spelled exactly so; types without spellings always are.
fn is_spelled(record: &Record, field: &Field, given: &str) -> bool {
    match field.field_type {
        FieldType::Text | FieldType::Email | FieldType::Longtext => {
            record.value(field.number).and_then(stored_text) == Some(given)
        }
        FieldType::Phonenumber
        | FieldType::Integer
        | FieldType::Decimal
        | FieldType::Money
        | FieldType::Checkbox
        | FieldType::Date
        | FieldType::Datetime
        | FieldType::Timezone
        | FieldType::Dropdown
        | FieldType::Radio
        | FieldType::Choices
        | FieldType::Status
        | FieldType::Yesnomaybe
        | FieldType::Selector
        | FieldType::Checkboxes
        | FieldType::Rating
        | FieldType::Dynamictags
        | FieldType::TeamSelector
        | FieldType::Files
        | FieldType::Relationship => true,
    }
}
