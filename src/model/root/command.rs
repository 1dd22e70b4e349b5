//! What may be asked of the root, and what follows.

use crate::model::catalog::api_key::{ApiKey, SecretHash};
use crate::model::catalog::command::NewMember;
use crate::model::catalog::member::Member;
use crate::model::id::{BatchId, BusinessId, MemberId, Timestamp};
use crate::model::moment::Moment;
use crate::model::retry::Retry;
use crate::model::root::founding::found;
use crate::model::root::{Business, Businesses, Event};
use std::sync::Arc;

/// Businesses in one data directory, archived ones included.
pub const BUSINESSES_MAX: usize = 1_000;

/// One command and who asks for it.
#[derive(Debug)]
pub struct Command {
    /// Nil where the operator asks.
    pub actor: MemberId,
    pub batch: BatchId,
    /// Of a request that may be sent again.
    pub retry: Option<Arc<Retry>>,
    pub ask: Ask,
}

#[derive(Debug)]
pub enum Ask {
    Create(Box<NewBusiness>),
    Update(Box<BusinessEdit>),
    Archive(BusinessId),
}

/// A business to be, with its first member, who may do everything, and that member's key. Its texts
/// are checked by whoever parsed them.
#[derive(Clone, Debug)]
pub struct NewBusiness {
    pub id: Option<BusinessId>,
    pub name: String,
    pub timezone: String,
    pub country: String,
    pub phone_default_region: String,
    /// Its roles are not looked at: it gets the administrator's.
    pub admin: NewMember,
    pub key: FirstKey,
}

/// The first key of a business. Whoever asks has drawn the secret, and shows it once.
#[derive(Clone, Debug)]
pub struct FirstKey {
    pub name: String,
    pub prefix: String,
    pub hash: SecretHash,
}

/// What becomes of a business; what is none stays.
#[derive(Clone, Debug)]
pub struct BusinessEdit {
    pub id: BusinessId,
    pub name: Option<String>,
    pub timezone: Option<String>,
    pub country: Option<String>,
    pub phone_default_region: Option<String>,
}

#[derive(Clone, Debug)]
pub enum Reply {
    Founded(Box<Founded>),
    Business(Arc<Business>),
    Done,
}

/// A new business and who may do everything in it.
#[derive(Clone, Debug)]
pub struct Founded {
    pub business: Business,
    pub member: Member,
    pub key: ApiKey,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rejection {
    NotFound,
    IdTaken,
    TooManyBusinesses,
}

/// Decides one command.
pub(super) fn decide(
    businesses: &Businesses,
    command: Command,
    moment: &mut Moment,
    events: &mut Vec<Event>,
) -> Result<Reply, Rejection> {
    let Command { actor, batch, ask, .. } = command;
    let at = moment.at();
    let changed = |business: Business| Event::BusinessChanged { at, business, actor, batch };
    match ask {
        Ask::Create(new) => {
            if businesses.len() >= BUSINESSES_MAX {
                return Err(Rejection::TooManyBusinesses);
            }
            if new.id.is_some_and(|id| businesses.contains_key(&id)) {
                return Err(Rejection::IdTaken);
            }
            let (event, founded) = found(*new, (actor, batch), moment);
            events.push(event);
            Ok(Reply::Founded(Box::new(founded)))
        }
        Ask::Update(edit) => {
            let old = businesses.get(&edit.id).ok_or(Rejection::NotFound)?;
            let new = updated(old, *edit);
            if new == **old {
                return Ok(Reply::Business(old.clone()));
            }
            events.push(changed(new.clone()));
            Ok(Reply::Business(Arc::new(new)))
        }
        Ask::Archive(id) => {
            let old = businesses.get(&id).ok_or(Rejection::NotFound)?;
            if old.archived_at.is_none() {
                let archived_at: Option<Timestamp> = Some(at);
                events.push(changed(Business { archived_at, ..(**old).clone() }));
            }
            Ok(Reply::Done)
        }
    }
}

fn updated(old: &Business, edit: BusinessEdit) -> Business {
    let old = old.clone();
    Business {
        name: edit.name.unwrap_or(old.name),
        timezone: edit.timezone.unwrap_or(old.timezone),
        country: edit.country.unwrap_or(old.country),
        phone_default_region: edit.phone_default_region.unwrap_or(old.phone_default_region),
        ..old
    }
}
