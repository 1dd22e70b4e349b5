//! What may be asked of a catalog, and what follows.

use crate::model::access::Rights;
use crate::model::catalog::api_key::{ApiKey, SecretHash};
use crate::model::catalog::grant::{
    self, Grants, GroupEdit, Right, RoleEdit, check_grants, keep_administrator,
};
use crate::model::catalog::member::{AccountType, Member};
use crate::model::catalog::permission::{Breach, PermissionGroup, Subject};
use crate::model::catalog::role::Role;
use crate::model::catalog::{Birth, CatalogView, Change, Event, ObjectEntry};
use crate::model::id::{
    ApiKeyId, HistoryId, MemberId, ObjectId, PermissionGroupId, RoleId, Timestamp, UserId,
};
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
    CreateRole(Box<RoleEdit>),
    UpdateRole(RoleId, Box<RoleEdit>),
    DeleteRole(RoleId),
    CreateGroup(Box<GroupEdit>),
    UpdateGroup(PermissionGroupId, Box<GroupEdit>),
    /// Sets one right of a group.
    SetRight(PermissionGroupId, Subject, Right),
    DeleteGroup(PermissionGroupId),
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
    /// Those for new members where none are named.
    pub roles: Option<Vec<RoleId>>,
    pub permission_groups: Vec<PermissionGroupId>,
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
    pub permission_groups: Option<Vec<PermissionGroupId>>,
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
    Role(Role),
    Group(Arc<PermissionGroup>),
    Done,
}

/// Why nothing happens.
#[derive(Clone, Debug, PartialEq)]
pub enum Rejection {
    /// Another member has this id, user id or e-mail: the key of the body.
    MemberTaken(Vec<&'static str>),
    /// The member addressed is not there.
    MemberNotFound,
    /// Nobody else could do everything: the key of the body that would take that away, or none
    /// where the member is to be deleted.
    LastAdministrator(Option<&'static str>),
    /// What the body refers to is not there: all of it.
    Missing(Vec<Missing>),
    UnknownMember,
    /// The role addressed is not there.
    RoleNotFound,
    /// The permission group addressed is not there.
    GroupNotFound,
    /// Somebody would hand on, or take from an administrator, more than it has itself.
    BeyondRights,
    /// The right that is set breaks a rule together with those that stay.
    Breach(Breach),
    TooMany {
        what: &'static str,
        max: usize,
    },
    /// The key addressed is not there.
    KeyNotFound,
    /// Another key has this secret.
    SecretTaken,
    ObjectFaults(Vec<SchemaFault>),
    TooManyObjects,
}

/// A thing that a body refers to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missing {
    Role,
    PermissionGroup,
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
    let rights = &caller.rights;
    let (change, reply) = match ask {
        Ask::CreateMember(new) => sure(create_member(view, rights, *new, moment)?),
        Ask::UpdateMember(edit) => update_member(view, rights, *edit)?,
        Ask::DeleteMember(id) => sure(delete_member(view, rights, id)?),
        Ask::CreateApiKey(new) => sure(create_api_key(view, *new, moment)?),
        Ask::RevokeApiKey(id) => {
            view.api_keys.get(id).ok_or(Rejection::KeyNotFound)?;
            (Some(Change::ApiKeyRevoked(id)), Reply::Done)
        }
        Ask::NoteKeyUse { id, hour } => {
            // A key may be revoked, or noted by another request, on the way here.
            let is_news = |key: &ApiKey| key.last_used.is_none_or(|noted| noted < hour);
            let is_due = view.api_keys.get(id).is_some_and(|key| is_news(key));
            (is_due.then_some(Change::ApiKeyUsed { id, hour }), Reply::Done)
        }
        Ask::CreateObject(new) => sure(create_object(view, &new, caller.member, moment)?),
        Ask::DiscardName { object, archived_at } => {
            (discarded_name(view, object, archived_at), Reply::Done)
        }
        Ask::CreateRole(edit) => sure(grant::create_role(view, rights, *edit, moment)?),
        Ask::UpdateRole(id, edit) => grant::update_role(view, rights, id, *edit)?,
        Ask::DeleteRole(id) => sure(grant::delete_role(view, id)?),
        Ask::CreateGroup(edit) => sure(grant::create_group(view, rights, *edit, moment)?),
        Ask::UpdateGroup(id, edit) => grant::update_group(view, rights, id, *edit)?,
        Ask::SetRight(id, subject, right) => grant::set_right(view, rights, id, (subject, right))?,
        Ask::DeleteGroup(id) => sure(grant::delete_group(view, id)?),
    };
    events.extend(change.map(|change| Event { stamp, change }));
    Ok(reply)
}

/// A change that there is in any case.
fn sure((change, reply): (Change, Reply)) -> (Option<Change>, Reply) {
    (Some(change), reply)
}

/// An archived object's entry under another name, unless it has that already.
fn discarded_name(view: &CatalogView, id: ObjectId, archived_at: Timestamp) -> Option<Change> {
    let entry = view.object(id).expect("every table has its entry");
    let is_taken = |name: &str| view.object_of_name(name).is_some();
    let name = name::discarded_object_name(&entry.name, archived_at, is_taken);
    (!entry.is_archived).then_some(Change::ObjectArchived { id, name })
}

fn create_member(
    view: &CatalogView,
    rights: &Rights,
    new: NewMember,
    moment: &mut Moment,
) -> Result<(Change, Reply), Rejection> {
    let id = new.id.unwrap_or_else(|| MemberId(moment.id()));
    let user_id = new.user_id.unwrap_or(UserId(id.0));
    let given =
        Grants { roles: new.roles.as_deref().unwrap_or_default(), groups: &new.permission_groups };
    check_grants(view, rights, given, Grants { roles: &[], groups: &[] })?;
    let taken: Vec<&str> = [
        ("id", view.members.get(&id).is_some() || view.members.gone().contains(&id)),
        ("user_id", view.members.by_user(&user_id).is_some()),
        ("email", view.members.by_email(&new.email).is_some()),
    ]
    .into_iter()
    .filter_map(|(key, is_taken)| is_taken.then_some(key))
    .collect();
    if !taken.is_empty() {
        return Err(Rejection::MemberTaken(taken));
    }
    // Roles for new members are handed out by whoever made them so.
    let roles = new.roles.unwrap_or_else(|| default_roles(view));
    let member = Member {
        id,
        user_id,
        email: new.email,
        first_name: new.first_name,
        last_name: new.last_name,
        title: new.title,
        account_type: new.account_type,
        is_active: true,
        roles,
        permission_groups: new.permission_groups,
        created: moment.at(),
    };
    Ok((Change::MemberCreated(member.clone()), Reply::Member(Arc::new(member))))
}

fn default_roles(view: &CatalogView) -> Vec<RoleId> {
    view.roles.iter().filter(|role| role.default_for_new_users).map(|role| role.id).collect()
}

fn update_member(
    view: &CatalogView,
    rights: &Rights,
    edit: MemberEdit,
) -> Result<(Option<Change>, Reply), Rejection> {
    let old = view.members.get(&edit.id).ok_or(Rejection::MemberNotFound)?;
    check_target(view, rights, old)?;
    let given = Grants {
        roles: edit.roles.as_deref().unwrap_or_default(),
        groups: edit.permission_groups.as_deref().unwrap_or_default(),
    };
    let held = Grants { roles: &old.roles, groups: &old.permission_groups };
    check_grants(view, rights, given, held)?;
    let holder = edit.email.as_deref().and_then(|email| view.members.by_email(email));
    if holder.is_some_and(|holder| holder.id != old.id) {
        return Err(Rejection::MemberTaken(vec!["email"]));
    }
    let roles_change = edit.roles.is_some();
    let kept = Member::clone(old);
    let new = Member {
        email: edit.email.unwrap_or(kept.email),
        first_name: edit.first_name.unwrap_or(kept.first_name),
        last_name: edit.last_name.unwrap_or(kept.last_name),
        title: edit.title.unwrap_or(kept.title),
        account_type: edit.account_type.unwrap_or(kept.account_type),
        is_active: edit.is_active.unwrap_or(kept.is_active),
        roles: edit.roles.unwrap_or(kept.roles),
        permission_groups: edit.permission_groups.unwrap_or(kept.permission_groups),
        ..kept
    };
    if new == **old {
        return Ok((None, Reply::Member(old.clone())));
    }
    let key = match (new.is_active, roles_change) {
        (false, _) => "is_active",
        (true, true) => "roles",
        (true, false) => "permission_groups",
    };
    let change = Change::MemberUpdated(new.clone());
    if view.is_admin(old.id) {
        keep_administrator(view, &change, Some(key))?;
    }
    Ok((Some(change), Reply::Member(Arc::new(new))))
}

fn delete_member(
    view: &CatalogView,
    rights: &Rights,
    id: MemberId,
) -> Result<(Change, Reply), Rejection> {
    let old = view.members.get(&id).ok_or(Rejection::MemberNotFound)?;
    check_target(view, rights, old)?;
    let change = Change::MemberDeleted(id);
    if view.is_admin(id) {
        keep_administrator(view, &change, None)?;
    }
    Ok((change, Reply::Done))
}

/// Only an administrator changes an administrator.
fn check_target(view: &CatalogView, rights: &Rights, member: &Member) -> Result<(), Rejection> {
    if view.is_admin(member.id) && !rights.is_admin() {
        return Err(Rejection::BeyondRights);
    }
    Ok(())
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
    let schema = Arc::new(schema.born_without(view.members.gone().clone()));
    let object = schema.object();
    let entry = ObjectEntry { id: object.id, name: object.name.clone(), is_archived: false };
    let birth = Birth { history: HistoryId(moment.id()), schema: schema.clone() };
    Ok((Change::ObjectCreated { entry, birth: Some(birth) }, Reply::Object(schema)))
}
