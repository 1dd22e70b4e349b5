//! What the path of a request addresses: the caller's table, a record's id, a member's id.
//!
//! Handlers take these before the body, so an object that is not visible answers before a byte of
//! the body is read. It must not know what is done to what is addressed.

use crate::engine::Engine;
use crate::engine::business::TableRef;
use crate::http::caller::Caller;
use crate::http::code::Code;
use crate::http::options::{AnswerOptions, BatchLimits, Options};
use crate::http::problem::Problem;
use crate::model::access::ObjectAccess;
use crate::model::id::{FieldNumber, MemberId, RecordId, TagId, TagNumber};
use crate::model::schema::relation::Relation;
use crate::model::value::Context;
use crate::model::value::related::RecordRef;
use actix_web::dev::Payload;
use actix_web::web::Data;
use actix_web::{FromRequest, HttpRequest};
use std::future::{Ready, ready};
use std::sync::Arc;
use std::time::Duration;

/// The caller, the table that the path names, and what a handler needs to act on it.
#[derive(Clone)]
pub struct Target {
    pub engine: Arc<Engine>,
    options: Data<Options>,
    pub caller: Caller,
    pub table: Arc<TableRef>,
    /// What the caller may do there.
    pub access: ObjectAccess,
}

impl Target {
    /// Finds the table named by the path's `{object_identifier}`.
    pub fn find(request: &HttpRequest) -> Result<Self, Problem> {
        Self::of_object(request, request.match_info().get("object_identifier").unwrap_or_default())
    }

    /// Finds the table of an object that the path names otherwise.
    pub fn of_object(request: &HttpRequest, object: &str) -> Result<Self, Problem> {
        let caller = Caller::extract(request).into_inner()?;
        let (table, access) = caller.table(object)?;
        Ok(Self::of_table(request, &caller, (table, access)))
    }

    /// A table that the caller was found to see.
    #[must_use]
    pub fn of_table(
        request: &HttpRequest,
        caller: &Caller,
        (table, access): (Arc<TableRef>, ObjectAccess),
    ) -> Self {
        let engine = data::<Engine>(request).into_inner();
        Self { engine, options: data(request), caller: caller.clone(), table, access }
    }

    /// The same table of another moment's caller.
    #[must_use]
    pub fn with(&self, caller: Caller, (table, access): (Arc<TableRef>, ObjectAccess)) -> Self {
        Self { caller, table, access, ..self.clone() }
    }

    /// How answers look where the contract leaves a choice.
    #[must_use]
    pub fn answers(&self) -> &AnswerOptions {
        &self.options.answers
    }

    /// How many rows one request may have, and how long they may be.
    #[must_use]
    pub fn batch_limits(&self) -> &BatchLimits {
        &self.options.batches
    }

    /// The same for the caller as it is now; refused if it would not be let in any more.
    pub fn again(&self) -> Result<Self, Problem> {
        let caller = self.caller.again(&self.engine);
        let caller = caller.ok_or_else(|| Problem::new(Code::AuthenticationFailed))?;
        let object = self.table.shown().object().to_string();
        let (table, access) = caller.table(&object)?;
        Ok(Self { caller, table, access, ..self.clone() })
    }

    /// Reads values with what they may look up.
    pub fn with_context<T>(&self, read: impl FnOnce(&Context<'_>) -> T) -> T {
        let Self { caller, table, .. } = self;
        let tags = &table.shown().tags;
        let tag = |field: FieldNumber, id: TagId| -> Option<TagNumber> {
            tags.by_id(id).filter(|tag| tag.field == field).map(|tag| tag.number)
        };
        let record =
            |relation: &Relation, named: RecordRef<'_>| caller.related_record(relation, named);
        read(&Context {
            members: &caller.catalog.members,
            tag: &tag,
            record: &record,
            time_zone: caller.business.time_zone(),
            phone_region: &caller.business.info().phone_default_region,
        })
    }

    /// How long one search may take.
    #[must_use]
    pub fn search_timeout(&self) -> Duration {
        self.options.search_timeout
    }
}

impl FromRequest for Target {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Self::find(request))
    }
}

fn data<T: 'static>(request: &HttpRequest) -> Data<T> {
    request.app_data::<Data<T>>().expect("the registration of the routes provides it").clone()
}

/// The record that the path names by its id; what is no id names none.
#[derive(Clone, Copy)]
pub struct AddressedRecord(pub RecordId);

impl FromRequest for AddressedRecord {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let id = request.match_info().get("entity_id").and_then(RecordId::parse);
        ready(id.map(Self).ok_or_else(Problem::not_found))
    }
}

/// The member that the path names by its id; what is no id names none.
#[derive(Clone, Copy)]
pub struct AddressedMember(pub MemberId);

impl FromRequest for AddressedMember {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let id = request.match_info().get("member_id").and_then(MemberId::parse);
        ready(id.map(Self).ok_or_else(Problem::not_found))
    }
}
