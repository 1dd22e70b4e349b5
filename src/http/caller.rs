//! Who is calling, found once for each request: the business, the member, the key's origin.
//!
//! It is the only place that looks up credentials. It must not know any resource.

use crate::engine::Engine;
use crate::engine::business::{Business, TableRef};
use crate::http::code::Code;
use crate::http::identity::{Credentials, Refused};
use crate::http::keyed::Keyed;
use crate::http::origin;
use crate::http::problem::Problem;
use crate::model::access::{ObjectAccess, Rights};
use crate::model::catalog::CatalogView;
use crate::model::catalog::member::Member;
use crate::model::id::{ApiKeyId, BatchId, BusinessId, ObjectId, RecordId, UserId};
use crate::model::retry::Retry;
use crate::model::schema::relation::Relation;
use crate::model::table::command;
use crate::model::table::link::Side;
use crate::model::table::others::Others;
use crate::model::value::related::RecordRef;
use actix_web::dev::{Extensions, Payload};
use actix_web::{FromRequest, HttpMessage as _, HttpRequest};
use std::future::{Ready, ready};
use std::sync::Arc;

/// A member who has authenticated, and what was true of its business then.
#[derive(Clone)]
pub struct Caller {
    pub business: Arc<Business>,
    /// Members, keys and objects at the time of the request.
    pub catalog: Arc<CatalogView>,
    pub member: Arc<Member>,
    pub rights: Arc<Rights>,
    /// The key that was used.
    pub key: ApiKeyId,
    /// Of that key, unless the request names another.
    pub origin: Arc<str>,
    /// Of a single write that may be sent again.
    pub keyed: Option<Arc<Keyed>>,
    /// Of this request, should it write.
    batch: BatchId,
}

impl Caller {
    /// Finds the caller of these credentials. Every mistake has one and the same answer.
    pub fn find(engine: &Engine, credentials: &Credentials<'_>) -> Result<Self, Refused> {
        let business = BusinessId::parse(credentials.business_id).ok_or(Refused)?;
        let user = UserId::parse(credentials.user_id).ok_or(Refused)?;
        let business = engine.business(business).ok_or(Refused)?;
        let catalog = business.catalog();
        let key = catalog.api_keys.of_secret(credentials.api_key).ok_or(Refused)?;
        let member = catalog.members.active(&key.member).ok_or(Refused)?.clone();
        if member.user_id != user || key.is_expired(engine.clock().now()) {
            return Err(Refused);
        }
        let rights = catalog.rights_of(member.id).ok_or(Refused)?.clone();
        engine.note_use(&business, key);
        let (key, origin) = (key.id, key.origin.clone());
        let batch = engine.next_batch();
        Ok(Self { business, catalog, member, rights, key, origin, keyed: None, batch })
    }

    /// The same caller as of now, for what goes on long after it was let in; none if it would not
    /// be let in any more.
    #[must_use]
    pub fn again(&self, engine: &Engine) -> Option<Self> {
        let business = engine.business(self.business.id())?;
        let catalog = business.catalog();
        let key = catalog.api_keys.get(self.key)?;
        let is_expired = key.is_expired(engine.clock().now());
        let member = catalog.members.active(&key.member).filter(|_| !is_expired)?.clone();
        let rights = catalog.rights_of(member.id)?.clone();
        Some(Self { business, catalog, member, rights, keyed: None, ..self.clone() })
    }

    /// As `find`, leaving the caller where handlers take it from.
    pub fn admit(
        engine: &Engine,
        credentials: &Credentials<'_>,
        extensions: &mut Extensions,
    ) -> Result<(), Refused> {
        extensions.insert(Self::find(engine, credentials)?);
        Ok(())
    }

    /// The table a request names, by the object's id or API name, and what the caller may do there.
    ///
    /// An object that the caller may not see is as good as none.
    pub fn table(&self, reference: &str) -> Result<(Arc<TableRef>, ObjectAccess), Problem> {
        self.visible_table(reference).ok_or_else(Problem::not_found)
    }

    /// The tables on the other sides of relations.
    ///
    /// This is the place where it is asked whether the caller may see an object that another one
    /// leads to; one that is not visible is as good as none, and so are its records.
    pub fn related_tables(&self) -> impl Fn(ObjectId) -> Option<Side> + '_ {
        |object| {
            let table = self.business.table(object)?;
            let access = self.access(&table);
            access.may_see_object().then(|| Side { shown: table.shown().clone(), access })
        }
    }

    /// The record on the other side of a relation that a request names, if it may be related to.
    #[must_use]
    pub fn related_record(&self, relation: &Relation, named: RecordRef<'_>) -> Option<RecordId> {
        let side = self.related_tables()(relation.object)?;
        let schema = side.shown.schema();
        let found = match named {
            RecordRef::Id(id) => side.shown.record(id),
            RecordRef::LookupValue(text) => side.shown.holder(&schema.identifier_key(text)?),
        };
        found.filter(|record| side.shows(&schema, record)).map(|record| record.id())
    }

    /// As `table`, where something else is answered for none.
    #[must_use]
    pub fn visible_table(&self, reference: &str) -> Option<(Arc<TableRef>, ObjectAccess)> {
        let table = self.business.table_of(reference)?;
        let access = self.access(&table);
        access.may_see_object().then_some((table, access))
    }

    /// What the caller may do with a table.
    #[must_use]
    pub fn access(&self, table: &TableRef) -> ObjectAccess {
        self.rights.on(table.shown().object())
    }

    /// Every table that the caller may see, in the order their objects were made.
    #[must_use]
    pub fn tables(&self) -> Vec<(Arc<TableRef>, ObjectAccess)> {
        let tables = self.business.tables().into_iter();
        let with_access = tables.map(|table| {
            let access = self.access(&table);
            (table, access)
        });
        with_access.filter(|(_, access)| access.may_see_object()).collect()
    }

    /// The caller of the one command that decides what becomes of a single write.
    #[must_use]
    pub fn for_write(&self) -> command::Caller {
        let retry = self.keyed.as_ref().map(|keyed| keyed.retry.clone());
        command::Caller { retry, ..self.for_request() }
    }

    /// The same, with what there is to add to the outcome that is kept.
    #[must_use]
    pub fn for_write_with(&self, add: impl FnOnce(Retry) -> Retry) -> command::Caller {
        let retry = self.keyed.as_ref().map(|keyed| Arc::new(add(Retry::clone(&keyed.retry))));
        command::Caller { retry, ..self.for_request() }
    }

    /// The caller of the commands of this request.
    #[must_use]
    pub fn for_request(&self) -> command::Caller {
        command::Caller {
            member: self.member.id,
            members: self.catalog.members.clone(),
            rights: self.rights.clone(),
            others: Others::of(self.business.clone()),
            origin: self.origin.clone(),
            batch: self.batch,
            retry: None,
        }
    }
}

/// Ends a request for which a right is missing.
pub fn require(may: bool) -> Result<(), Problem> {
    if may { Ok(()) } else { Err(Problem::new(Code::PermissionRequired)) }
}

impl FromRequest for Caller {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let caller = request.extensions().get::<Self>().cloned();
        // One that is not good is refused where the headers of a write are read.
        let origin = origin::read(request.headers()).ok().flatten();
        let caller = caller.map(|caller| match origin {
            Some(origin) => Self { origin: origin.into(), ..caller },
            None => caller,
        });
        // The path of a handler that takes a caller lies where credentials are asked for.
        ready(caller.ok_or_else(|| Problem::new(Code::NotAuthenticated)))
    }
}
