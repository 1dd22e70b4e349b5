//! What may be asked of a catalog, and what follows.

use crate::model::catalog::api_key::{ApiKey, SecretHash};
use crate::model::catalog::member::{AccountType, Member};
use crate::model::catalog::{Birth, CatalogView, Change, Event, ObjectEntry, Role};
use crate::model::id::{ApiKeyId, HistoryId, MemberId, RoleId, Timestamp, UserId};
use crate::model::moment::Moment;
use crate::model::schema::Schema;
use crate::model::schema::fault::SchemaFault;
use crate::model::schema::new_object::{Founder, NewObject};
use crate::model::table::command::Caller;
use crate::model::table::event::Stamp;
use std::sync::Arc;

/// Objects in one business, the contact object included.
pub const OBJECTS_MAX: usize = 500;

/// One command and who asks for it.
#[derive(Debug)]
pub struct Command {
    pub caller: Caller,
    pub ask: Ask,
}

#[derive(Debug)]
pub enum Ask {
    CreateMember(Box<NewMember>),
    CreateApiKey(Box<NewApiKey>),
    CreateObject(Box<NewObject>),
}

/// A member to be, its texts checked by whoever parsed them.
#[derive(Clone, Debug)]
pub struct NewMember {
    pub id: Option<MemberId>,
    /// Equal to the id where none is given.
    pub user_id: Option<UserId>,
    pub email: String,
    pub first_name: String,
    pub last_name: String,
    pub title: String,
    pub account_type: AccountType,
    pub roles: Vec<RoleId>,
}

/// A key to be. Whoever asks has drawn the secret, and shows it once.
#[derive(Clone, Debug)]
pub struct NewApiKey {
    pub name: String,
    pub prefix: String,
    /// The key's name where none is given.
    pub origin: Option<Arc<str>>,
    pub member: MemberId,
    pub hash: SecretHash,
    pub expires_at: Option<Timestamp>,
}

#[derive(Clone, Debug)]
pub enum Reply {
    Member(Arc<Member>),
    ApiKey(Arc<ApiKey>),
    Object(Arc<Schema>),
}

/// Why nothing happens.
#[derive(Clone, Debug, PartialEq)]
pub enum Rejection {
    /// Another member has this id, user id or e-mail: the key of the body.
    MemberTaken(&'static str),
    UnknownRole,
    UnknownMember,
    /// Another key has this secret.
    SecretTaken,
    ObjectFaults(Vec<SchemaFault>),
    TooManyObjects,
}

/// Decides one command.
pub(super) fn decide(
    view: &CatalogView,
    command: Command,
    moment: &mut Moment,
    events: &mut Vec<Event>,
) -> Result<Reply, Rejection> {
    let Command { caller, ask } = command;
    let stamp = Stamp {
        at: moment.at(),
        actor: caller.member,
        origin: caller.origin.clone(),
        batch: caller.batch,
    };
    let (change, reply) = match ask {
        Ask::CreateMember(new) => create_member(view, *new, moment)?,
        Ask::CreateApiKey(new) => create_api_key(view, *new, moment)?,
        Ask::CreateObject(new) => create_object(view, &new, caller.member, moment)?,
    };
    events.push(Event { stamp, change });
    Ok(reply)
}

fn create_member(
    view: &CatalogView,
    new: NewMember,
    moment: &mut Moment,
) -> Result<(Change, Reply), Rejection> {
    let id = new.id.unwrap_or_else(|| MemberId(moment.id()));
    let user_id = new.user_id.unwrap_or(UserId(id.0));
    if view.members.get(&id).is_some() {
        return Err(Rejection::MemberTaken("id"));
    }
    if view.members.by_user(&user_id).is_some() {
        return Err(Rejection::MemberTaken("user_id"));
    }
    if view.members.by_email(&new.email).is_some() {
        return Err(Rejection::MemberTaken("email"));
    }
    let is_held = |role: &Role| new.roles.contains(&role.id);
    if new.roles.iter().any(|role| !view.roles.iter().any(|held| held.id == *role)) {
        return Err(Rejection::UnknownRole);
    }
    let member = Member {
        id,
        user_id,
        email: new.email,
        first_name: new.first_name,
        last_name: new.last_name,
        title: new.title,
        account_type: new.account_type,
        is_active: true,
        is_admin: view.roles.iter().any(|role| role.is_admin && is_held(role)),
        roles: new.roles,
        created: moment.at(),
    };
    Ok((Change::MemberCreated(member.clone()), Reply::Member(Arc::new(member))))
}

fn create_api_key(
    view: &CatalogView,
    new: NewApiKey,
    moment: &mut Moment,
) -> Result<(Change, Reply), Rejection> {
    if view.members.active(&new.member).is_none() {
        return Err(Rejection::UnknownMember);
    }
    if view.api_keys.has(&new.hash) {
        return Err(Rejection::SecretTaken);
    }
    let key = ApiKey {
        id: ApiKeyId(moment.id()),
        origin: new.origin.unwrap_or_else(|| new.name.as_str().into()),
        name: new.name,
        prefix: new.prefix,
        member: new.member,
        hash: new.hash,
        created: moment.at(),
        expires_at: new.expires_at,
    };
    Ok((Change::ApiKeyCreated(key.clone()), Reply::ApiKey(Arc::new(key))))
}

fn create_object(
    view: &CatalogView,
    new: &NewObject,
    member: MemberId,
    moment: &mut Moment,
) -> Result<(Change, Reply), Rejection> {
    if view.objects.len() >= OBJECTS_MAX {
        return Err(Rejection::TooManyObjects);
    }
    let founder = Founder { member: Some(member), at: moment.at() };
    let is_taken = |name: &str| view.object_of_name(name).is_some();
    let schema =
        new.decide(founder, &is_taken, &mut || moment.id()).map_err(Rejection::ObjectFaults)?;
    let schema = Arc::new(schema);
    let object = schema.object();
    let entry = ObjectEntry { id: object.id, name: object.name.clone() };
    let birth = Birth { history: HistoryId(moment.id()), schema: schema.clone() };
    Ok((Change::ObjectCreated { entry, birth: Some(birth) }, Reply::Object(schema)))
}
