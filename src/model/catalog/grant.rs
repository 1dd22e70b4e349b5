//! Roles and permission groups: how they are made, changed and deleted, and who may hand out what.
//!
//! Nobody but an administrator hands on more than it has, and an active administrator stays.

use crate::model::access::Rights;
use crate::model::catalog::command::{Missing, Rejection, Reply};
use crate::model::catalog::permission::{
    FieldAccess, Level, ObjectRights, PermissionGroup, RecordRights, Sections, Subject,
};
use crate::model::catalog::role::Role;
use crate::model::catalog::{CatalogView, Change};
use crate::model::id::{FieldId, PermissionGroupId, RoleId};
use crate::model::moment::Moment;
use std::sync::Arc;

/// Roles in one business.
pub const ROLES_MAX: usize = 500;
/// Permission groups in one business.
pub const GROUPS_MAX: usize = 500;

/// What becomes of a role; what is none stays, and is nothing in a new one. Its texts are checked by
/// whoever parsed them.
#[derive(Clone, Debug, Default)]
pub struct RoleEdit {
    pub name: Option<String>,
    pub permissions: Option<Vec<String>>,
    pub permission_groups: Option<Vec<PermissionGroupId>>,
    pub default_for_new_users: Option<bool>,
}

/// What becomes of a permission group; what is none stays, and is nothing in a new one. Objects and
/// fields were found, and rules of entries checked, by whoever parsed it.
#[derive(Clone, Debug, Default)]
pub struct GroupEdit {
    pub name: Option<String>,
    pub is_admin: Option<bool>,
    pub settings: Option<Level>,
    pub team: Option<Level>,
    pub all_team_members: Option<bool>,
    pub create_objects: Option<bool>,
    /// Each is the whole new entry; none takes it away.
    pub entries: Vec<(Subject, Option<ObjectRights>)>,
}

/// One right on an object, and what it is to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Right {
    Settings(Level),
    AllRecords(Level),
    AssociatedRecords(Level),
    CreateRecord(bool),
    UnarchiveAll(bool),
    UnarchiveAssociated(bool),
    BulkActions(bool),
    Export(bool),
    DefaultFieldAccess(FieldAccess),
    Field(FieldId, FieldAccess),
}

impl Right {
    fn put_into(self, entry: &mut ObjectRights) {
        let RecordRights {
            all_records,
            associated_records,
            create_record,
            unarchive_all,
            unarchive_associated,
            bulk_actions,
            export,
        } = &mut entry.records;
        match self {
            Self::Settings(level) => entry.settings = level,
            Self::AllRecords(level) => *all_records = level,
            Self::AssociatedRecords(level) => *associated_records = level,
            Self::CreateRecord(may) => *create_record = may,
            Self::UnarchiveAll(may) => *unarchive_all = may,
            Self::UnarchiveAssociated(may) => *unarchive_associated = may,
            Self::BulkActions(may) => *bulk_actions = may,
            Self::Export(may) => *export = may,
            Self::DefaultFieldAccess(access) => entry.default_field_access = access,
            Self::Field(field, access) => {
                entry.fields.insert(field, access);
            }
        }
    }
}

pub(super) fn create_role(
    view: &CatalogView,
    caller: &Rights,
    edit: RoleEdit,
    moment: &mut Moment,
) -> Result<(Change, Reply), Rejection> {
    if view.roles.len() >= ROLES_MAX {
        return Err(Rejection::TooMany { what: "roles", max: ROLES_MAX });
    }
    let nothing =
        Role { is_admin: false, name: String::new(), ..Role::administrator(RoleId(moment.id())) };
    let role = changed_role(view, caller, &nothing, edit)?;
    Ok((Change::RoleCreated(role.clone()), Reply::Role(role)))
}

pub(super) fn update_role(
    view: &CatalogView,
    caller: &Rights,
    id: RoleId,
    edit: RoleEdit,
) -> Result<(Option<Change>, Reply), Rejection> {
    let old = view.role(id).ok_or(Rejection::RoleNotFound)?;
    let new = changed_role(view, caller, old, edit)?;
    let change = (new != *old).then(|| Change::RoleUpdated(new.clone()));
    if let Some(change) = &change {
        keep_administrator(view, change, Some("permission_groups"))?;
    }
    Ok((change, Reply::Role(new)))
}

/// The role after an edit, if whoever asks may hand out what it gives besides what it gave before.
fn changed_role(
    view: &CatalogView,
    caller: &Rights,
    old: &Role,
    edit: RoleEdit,
) -> Result<Role, Rejection> {
    let kept = old.clone();
    let new = Role {
        name: edit.name.unwrap_or(kept.name),
        permissions: edit.permissions.unwrap_or(kept.permissions),
        permission_groups: edit.permission_groups.unwrap_or(kept.permission_groups),
        default_for_new_users: edit.default_for_new_users.unwrap_or(kept.default_for_new_users),
        ..kept
    };
    // Everybody who comes later gets all of it.
    let is_handed_out = new.default_for_new_users && !old.default_for_new_users;
    let held: &[PermissionGroupId] = if is_handed_out { &[] } else { &old.permission_groups };
    check_groups(view, caller, &new.permission_groups, held)?;
    if is_handed_out && new.is_admin && !caller.is_admin() {
        return Err(Rejection::BeyondRights);
    }
    Ok(new)
}

pub(super) fn delete_role(view: &CatalogView, id: RoleId) -> Result<(Change, Reply), Rejection> {
    view.role(id).ok_or(Rejection::RoleNotFound)?;
    let change = Change::RoleDeleted(id);
    keep_administrator(view, &change, None)?;
    Ok((change, Reply::Done))
}

pub(super) fn create_group(
    view: &CatalogView,
    caller: &Rights,
    edit: GroupEdit,
    moment: &mut Moment,
) -> Result<(Change, Reply), Rejection> {
    if view.groups.len() >= GROUPS_MAX {
        return Err(Rejection::TooMany { what: "permission groups", max: GROUPS_MAX });
    }
    let nothing = PermissionGroup {
        id: PermissionGroupId(moment.id()),
        name: String::new(),
        is_admin: false,
        sections: Sections::default(),
        others: ObjectRights::default(),
        objects: std::collections::BTreeMap::new(),
    };
    let group = changed_group(&nothing, edit);
    if !caller.covers(&group) {
        return Err(Rejection::BeyondRights);
    }
    Ok((Change::PermissionGroupCreated(group.clone()), Reply::Group(Arc::new(group))))
}

pub(super) fn update_group(
    view: &CatalogView,
    caller: &Rights,
    id: PermissionGroupId,
    edit: GroupEdit,
) -> Result<(Option<Change>, Reply), Rejection> {
    let old = view.group(id).ok_or(Rejection::GroupNotFound)?;
    put_group(view, caller, old, changed_group(old, edit))
}

/// Sets one right. An object without an entry of its own gets one like that of the others, so that
/// nothing else changes for it.
pub(super) fn set_right(
    view: &CatalogView,
    caller: &Rights,
    id: PermissionGroupId,
    (subject, right): (Subject, Right),
) -> Result<(Option<Change>, Reply), Rejection> {
    let old = view.group(id).ok_or(Rejection::GroupNotFound)?;
    let mut entry = old.entry(subject).clone();
    right.put_into(&mut entry);
    if let Some(breach) = entry.records.breaches().first() {
        return Err(Rejection::Breach(*breach));
    }
    let mut new = PermissionGroup::clone(old);
    new.set(subject, Some(entry));
    put_group(view, caller, old, new)
}

/// A changed group, if whoever asks may hand out what it gives besides what it gave before.
fn put_group(
    view: &CatalogView,
    caller: &Rights,
    old: &Arc<PermissionGroup>,
    new: PermissionGroup,
) -> Result<(Option<Change>, Reply), Rejection> {
    if new == **old {
        return Ok((None, Reply::Group(old.clone())));
    }
    if !caller.and(old.clone()).covers(&new) {
        return Err(Rejection::BeyondRights);
    }
    let change = Change::PermissionGroupUpdated(new.clone());
    keep_administrator(view, &change, Some("is_admin"))?;
    Ok((Some(change), Reply::Group(Arc::new(new))))
}

fn changed_group(old: &PermissionGroup, edit: GroupEdit) -> PermissionGroup {
    let mut new = old.clone();
    new.name = edit.name.unwrap_or(new.name);
    new.is_admin = edit.is_admin.unwrap_or(new.is_admin);
    let sections = &mut new.sections;
    sections.settings = edit.settings.unwrap_or(sections.settings);
    sections.team = edit.team.unwrap_or(sections.team);
    sections.all_team_members = edit.all_team_members.unwrap_or(sections.all_team_members);
    sections.create_objects = edit.create_objects.unwrap_or(sections.create_objects);
    for (subject, entry) in edit.entries {
        new.set(subject, entry);
    }
    new
}

pub(super) fn delete_group(
    view: &CatalogView,
    id: PermissionGroupId,
) -> Result<(Change, Reply), Rejection> {
    view.group(id).ok_or(Rejection::GroupNotFound)?;
    let change = Change::PermissionGroupDeleted(id);
    keep_administrator(view, &change, None)?;
    Ok((change, Reply::Done))
}

/// Roles and permission groups that somebody is given, or has.
#[derive(Clone, Copy, Debug)]
pub(super) struct Grants<'a> {
    pub(super) roles: &'a [RoleId],
    pub(super) groups: &'a [PermissionGroupId],
}

/// Whether a caller may give these to somebody who has those in `held`. Everything that is not there
/// is told before any right.
pub(super) fn check_grants(
    view: &CatalogView,
    caller: &Rights,
    given: Grants<'_>,
    held: Grants<'_>,
) -> Result<(), Rejection> {
    let mut missing = Vec::new();
    if given.roles.iter().any(|id| view.role(*id).is_none()) {
        missing.push(Missing::Role);
    }
    if given.groups.iter().any(|id| view.group(*id).is_none()) {
        missing.push(Missing::PermissionGroup);
    }
    if !missing.is_empty() {
        return Err(Rejection::Missing(missing));
    }
    check_roles(view, caller, given.roles, held.roles)?;
    check_groups(view, caller, given.groups, held.groups)
}

/// Whether a caller may give these groups to somebody who has those in `held`.
pub(super) fn check_groups(
    view: &CatalogView,
    caller: &Rights,
    given: &[PermissionGroupId],
    held: &[PermissionGroupId],
) -> Result<(), Rejection> {
    for id in given {
        let group =
            view.group(*id).ok_or_else(|| Rejection::Missing(vec![Missing::PermissionGroup]))?;
        if !held.contains(id) && !caller.covers(group) {
            return Err(Rejection::BeyondRights);
        }
    }
    Ok(())
}

fn check_roles(
    view: &CatalogView,
    caller: &Rights,
    given: &[RoleId],
    held: &[RoleId],
) -> Result<(), Rejection> {
    for id in given {
        let role = view.role(*id).ok_or_else(|| Rejection::Missing(vec![Missing::Role]))?;
        if held.contains(id) {
            continue;
        }
        if role.is_admin && !caller.is_admin() {
            return Err(Rejection::BeyondRights);
        }
        check_groups(view, caller, &role.permission_groups, &[])?;
    }
    Ok(())
}

/// Without an active administrator nobody could ever let anybody in again. `key` is the key of the
/// body that would take the last one away, or none where something is to be deleted.
pub(super) fn keep_administrator(
    view: &CatalogView,
    change: &Change,
    key: Option<&'static str>,
) -> Result<(), Rejection> {
    let mut after = view.clone();
    after.apply(change);
    if after.has_administrator() || !view.has_administrator() {
        Ok(())
    } else {
        Err(Rejection::LastAdministrator(key))
    }
}
