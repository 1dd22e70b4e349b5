//! What may be asked of a catalog, and what follows.

use crate::model::catalog::api_key::{ApiKey, SecretHash};
use crate::model::catalog::member::{AccountType, Member};
use crate::model::catalog::{Birth, CatalogView, Change, Event, ObjectEntry, Role};
use crate::model::id::{ApiKeyId, HistoryId, MemberId, ObjectId, RoleId, Timestamp, UserId};
use crate::model::moment::Moment;
use crate::model::schema::Schema;
use crate::model::schema::fault::SchemaFault;
use crate::model::schema::name;
use crate::model::schema::new_object::{Founder, NewObject};
use crate::model::table::command::Caller;
use std::sync::Arc;

/// Objects in one business, the contact object included, archived ones not.
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
    UpdateMember(Box<MemberEdit>),
    DeleteMember(MemberId),
    CreateApiKey(Box<NewApiKey>),
    RevokeApiKey(ApiKeyId),
    /// Notes the hour in which a key was used.
    NoteKeyUse {
        id: ApiKeyId,
        hour: Timestamp,
    },
    CreateObject(Box<NewObject>),
    /// Gives free the name of an object whose table says that it was archived, at this time.
    DiscardName {
        object: ObjectId,
        archived_at: Timestamp,
    },
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

/// What becomes of a member; what is none stays. Its texts are checked by whoever parsed them.
#[derive(Clone, Debug)]
pub struct MemberEdit {
    pub id: MemberId,
    pub email: Option<String>,
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    pub title: Option<String>,
    pub account_type: Option<AccountType>,
    pub is_active: Option<bool>,
    pub roles: Option<Vec<RoleId>>,
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
    Done,
}

/// Why nothing happens.
#[derive(Clone, Debug, PartialEq)]
pub enum Rejection {
    /// Another member has this id, user id or e-mail: the key of the body.
    MemberTaken(&'static str),
    /// The member addressed is not there.
    MemberNotFound,
    /// Nobody else could do everything: the key of the body that would take that away, or none
    /// where the member is to be deleted.
    LastAdministrator(Option<&'static str>),
    UnknownRole,
    UnknownMember,
    /// The key addressed is not there.
    KeyNotFound,
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
    let stamp = caller.stamp(moment.at());
    let (change, reply) = match ask {
        Ask::CreateMember(new) => create_member(view, *new, moment)?,
        Ask::UpdateMember(edit) => {
            let old = view.members.get(&edit.id).ok_or(Rejection::MemberNotFound)?;
            let new = updated_member(view, old, *edit)?;
            if new == **old {
                return Ok(Reply::Member(old.clone()));
            }
            (Change::MemberUpdated(new.clone()), Reply::Member(Arc::new(new)))
        }
        Ask::DeleteMember(id) => {
            let old = view.members.get(&id).ok_or(Rejection::MemberNotFound)?;
            if is_last_administrator(view, old) {
                return Err(Rejection::LastAdministrator(None));
            }
            (Change::MemberDeleted(id), Reply::Done)
        }
        Ask::CreateApiKey(new) => create_api_key(view, *new, moment)?,
        Ask::RevokeApiKey(id) => {
            view.api_keys.get(id).ok_or(Rejection::KeyNotFound)?;
            (Change::ApiKeyRevoked(id), Reply::Done)
        }
        Ask::NoteKeyUse { id, hour } => {
            // A key may be revoked, or noted by another request, on the way here.
            let is_news = |key: &ApiKey| key.last_used.is_none_or(|noted| noted < hour);
            if !view.api_keys.get(id).is_some_and(|key| is_news(key)) {
                return Ok(Reply::Done);
            }
            (Change::ApiKeyUsed { id, hour }, Reply::Done)
        }
        Ask::CreateObject(new) => create_object(view, &new, caller.member, moment)?,
        Ask::DiscardName { object, archived_at } => {
            let entry = view.object(object).expect("every table has its entry");
            if entry.is_archived {
                return Ok(Reply::Done);
            }
            let is_taken = |name: &str| view.object_of_name(name).is_some();
            let name = name::discarded_object_name(&entry.name, archived_at, is_taken);
            (Change::ObjectArchived { id: object, name }, Reply::Done)
        }
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
    if view.members.get(&id).is_some() || view.members.gone().contains(&id) {
        return Err(Rejection::MemberTaken("id"));
    }
    if view.members.by_user(&user_id).is_some() {
        return Err(Rejection::MemberTaken("user_id"));
    }
    if view.members.by_email(&new.email).is_some() {
        return Err(Rejection::MemberTaken("email"));
    }
    let is_admin = makes_administrator(view, &new.roles)?;
    let member = Member {
        id,
        user_id,
        email: new.email,
        first_name: new.first_name,
        last_name: new.last_name,
        title: new.title,
        account_type: new.account_type,
        is_active: true,
        is_admin,
        roles: new.roles,
        created: moment.at(),
    };
    Ok((Change::MemberCreated(member.clone()), Reply::Member(Arc::new(member))))
}

/// Whether these roles let a member do everything; all of them must be there.
fn makes_administrator(view: &CatalogView, roles: &[RoleId]) -> Result<bool, Rejection> {
    let find = |id: &RoleId| view.roles.iter().find(|role| role.id == *id);
    let roles: Option<Vec<&Role>> = roles.iter().map(find).collect();
    Ok(roles.ok_or(Rejection::UnknownRole)?.iter().any(|role| role.is_admin))
}

fn updated_member(view: &CatalogView, old: &Member, edit: MemberEdit) -> Result<Member, Rejection> {
    let holder = edit.email.as_deref().and_then(|email| view.members.by_email(email));
    if holder.is_some_and(|holder| holder.id != old.id) {
        return Err(Rejection::MemberTaken("email"));
    }
    let is_admin = match &edit.roles {
        Some(roles) => makes_administrator(view, roles)?,
        None => old.is_admin,
    };
    let kept = old.clone();
    let new = Member {
        email: edit.email.unwrap_or(kept.email),
        first_name: edit.first_name.unwrap_or(kept.first_name),
        last_name: edit.last_name.unwrap_or(kept.last_name),
        title: edit.title.unwrap_or(kept.title),
        account_type: edit.account_type.unwrap_or(kept.account_type),
        is_active: edit.is_active.unwrap_or(kept.is_active),
        roles: edit.roles.unwrap_or(kept.roles),
        is_admin,
        ..kept
    };
    if is_last_administrator(view, old) && !(new.is_active && new.is_admin) {
        let key = if new.is_active { "roles" } else { "is_active" };
        return Err(Rejection::LastAdministrator(Some(key)));
    }
    Ok(new)
}

/// Without such a member nobody could ever let anybody in again.
fn is_last_administrator(view: &CatalogView, member: &Member) -> bool {
    member.is_active && member.is_admin && !view.members.has_other_administrator(&member.id)
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
        last_used: None,
    };
    Ok((Change::ApiKeyCreated(key.clone()), Reply::ApiKey(Arc::new(key))))
}

fn create_object(
    view: &CatalogView,
    new: &NewObject,
    member: MemberId,
    moment: &mut Moment,
) -> Result<(Change, Reply), Rejection> {
    let live = view.objects.iter().filter(|entry| !entry.is_archived).count();
    if live >= OBJECTS_MAX {
        return Err(Rejection::TooManyObjects);
    }
    let founder = Founder { member: Some(member), at: moment.at() };
    let is_taken = |name: &str| view.object_of_name(name).is_some();
    let schema =
        new.decide(founder, &is_taken, &mut || moment.id()).map_err(Rejection::ObjectFaults)?;
    let schema = Arc::new(schema);
    let object = schema.object();
    let entry = ObjectEntry { id: object.id, name: object.name.clone(), is_archived: false };
    let birth = Birth { history: HistoryId(moment.id()), schema: schema.clone() };
    Ok((Change::ObjectCreated { entry, birth: Some(birth) }, Reply::Object(schema)))
}
