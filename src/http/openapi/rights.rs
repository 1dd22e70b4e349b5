//! Roles, permission groups, and what the caller may do, as the document of the API describes them.
//!
//! Nothing here is ever called or made: tests hold it against what the server really answers. It
//! must not describe what is not served.
#![expect(clippy::struct_excessive_bools, reason = "each is a right of its own in the API")]

use crate::http::openapi::objects::EntityAccess;
use crate::http::openapi::shared::{Access, Page, PageQuery};
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

/// A role.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
pub struct RolePath {
    /// Id of the role.
    pub role_id: Uuid,
}

/// A permission group.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
pub struct GroupPath {
    /// Id of the permission group.
    pub group_id: Uuid,
}

/// A role.
#[derive(Serialize, ToSchema)]
pub struct Role {
    pub id: Uuid,
    pub name: String,
    pub is_admin: bool,
    /// Kept and given back, without effect.
    pub permissions: Vec<String>,
    pub permission_groups: Vec<Uuid>,
    pub default_for_new_users: bool,
}

/// The body that makes a role.
#[derive(Serialize, ToSchema)]
pub struct NewRole {
    #[schema(min_length = 1, max_length = 200)]
    pub name: String,
    /// Kept and given back, without effect.
    pub permissions: Option<Vec<String>>,
    pub permission_groups: Option<Vec<Uuid>>,
    pub default_for_new_users: Option<bool>,
}

/// The body that changes a role; what it does not name stays.
#[derive(Serialize, ToSchema)]
pub struct RoleUpdate {
    #[schema(min_length = 1, max_length = 200, nullable = false)]
    pub name: Option<String>,
    /// Kept and given back, without effect.
    pub permissions: Option<Vec<String>>,
    pub permission_groups: Option<Vec<Uuid>>,
    pub default_for_new_users: Option<bool>,
    /// It cannot be changed; its own value is taken.
    pub id: Option<Uuid>,
}

/// Rights that are about no object. Levels: 0 none, 1 view, 2 edit, 3 remove.
#[derive(Serialize, ToSchema)]
pub struct Sections {
    pub settings: u8,
    pub team: u8,
    pub all_team_members: bool,
    pub create_objects: bool,
}

/// Rights on the records of an object. Levels: 0 none, 1 view, 2 edit, 3 remove.
#[derive(Serialize, ToSchema)]
pub struct RecordRights {
    pub all_records: u8,
    /// Records that the member is on the team of; never less than on all.
    pub associated_records: u8,
    pub create_record: bool,
    pub unarchive_all: bool,
    pub unarchive_associated: bool,
    pub bulk_actions: bool,
    pub export: bool,
}

/// Rights on an object.
#[derive(Serialize, ToSchema)]
pub struct ObjectRights {
    pub settings: u8,
    pub records: RecordRights,
    /// 0 hidden, 1 read-only, 2 write.
    pub default_field_access: u8,
    /// By API name; not of `*`.
    #[schema(nullable = false)]
    pub fields: Option<BTreeMap<String, u8>>,
}

/// A permission group.
#[derive(Serialize, ToSchema)]
pub struct PermissionGroup {
    pub id: Uuid,
    pub name: String,
    pub is_admin: bool,
    pub sections: Sections,
    /// By API name; `*` is every object without an entry of its own.
    pub objects: BTreeMap<String, ObjectRights>,
}

/// Rights that are about no object, where a body gives them; what is left out is 0 or false.
#[derive(Serialize, ToSchema)]
pub struct NewSections {
    #[schema(minimum = 0, maximum = 3)]
    pub settings: Option<u8>,
    #[schema(minimum = 0, maximum = 3)]
    pub team: Option<u8>,
    pub all_team_members: Option<bool>,
    pub create_objects: Option<bool>,
}

/// The body that makes, changes or replaces a permission group. A change leaves what it does not
/// name as it is; a replacement makes it nothing.
#[derive(Serialize, ToSchema)]
pub struct NewPermissionGroup {
    #[schema(min_length = 1, max_length = 200)]
    pub name: String,
    pub is_admin: Option<bool>,
    pub sections: Option<NewSections>,
    /// By id or API name, or `*`. Each object that is named has the whole new entry; null removes
    /// its own.
    pub objects: Option<BTreeMap<String, Value>>,
}

/// The body that changes a permission group; what it does not name stays.
#[derive(Serialize, ToSchema)]
pub struct PermissionGroupUpdate {
    #[schema(min_length = 1, max_length = 200, nullable = false)]
    pub name: Option<String>,
    pub is_admin: Option<bool>,
    pub sections: Option<NewSections>,
    /// By id or API name, or `*`. Each object that is named has the whole new entry; null removes
    /// its own.
    pub objects: Option<BTreeMap<String, Value>>,
    /// It cannot be changed; its own value is taken.
    pub id: Option<Uuid>,
}

/// A thing that is named by its id or its API name.
#[derive(Serialize, ToSchema)]
pub struct Referred {
    pub id: String,
}

/// The body that sets one right: of a field, or of the object under a key.
#[derive(Serialize, ToSchema)]
pub struct RightUpdate {
    pub custom_object: Referred,
    pub field: Option<Referred>,
    /// `settings` if left out.
    pub key: Option<String>,
    #[schema(minimum = 0, maximum = 3)]
    pub permission_level: u8,
}

/// A right that a group can give.
#[derive(Serialize, ToSchema)]
pub struct RightRow {
    pub key: String,
    /// Numbers, or booleans.
    pub levels: Vec<Value>,
    /// Null where another right says it.
    #[schema(required = true)]
    pub default: Option<Value>,
}

/// What the caller may do with objects, by id; `create` is about new ones.
#[derive(Serialize, ToSchema)]
pub struct ObjectsAccess {
    pub create: bool,
    #[serde(flatten)]
    pub objects: BTreeMap<String, Access>,
}

/// What the caller may do.
#[derive(Serialize, ToSchema)]
pub struct OwnAccess {
    pub is_admin: bool,
    pub sections: Sections,
    pub contacts: EntityAccess,
    pub custom_objects: ObjectsAccess,
    /// By id of the object.
    pub custom_object_entities: BTreeMap<String, EntityAccess>,
}

/// List roles
#[utoipa::path(
    get, path = "/api/role", tag = "team", operation_id = "role_list",
    params(PageQuery),
    responses((status = 200, description = "A page of roles.", body = Page<Role>))
)]
pub fn list_roles() {}

/// Make a role
#[utoipa::path(
    post, path = "/api/role", tag = "team", operation_id = "role_create",
    request_body = NewRole,
    responses((status = 201, description = "The role.", body = Role))
)]
pub fn create_role() {}

/// Read a role
#[utoipa::path(
    get, path = "/api/role/{role_id}", tag = "team", operation_id = "role_retrieve",
    params(RolePath),
    responses((status = 200, description = "The role.", body = Role))
)]
pub fn retrieve_role() {}

/// Change a role; it is in force from the next request on
#[utoipa::path(
    patch, path = "/api/role/{role_id}", tag = "team", operation_id = "role_partial_update",
    params(RolePath), request_body = RoleUpdate,
    responses((status = 200, description = "The role after the change.", body = Role))
)]
pub fn change_role() {}

/// Delete a role; its members lose what it gave them
#[utoipa::path(
    delete, path = "/api/role/{role_id}", tag = "team", operation_id = "role_destroy",
    params(RolePath),
    responses((status = 204, description = "It is gone."))
)]
pub fn delete_role() {}

/// List permission groups
#[utoipa::path(
    get, path = "/api/permission-group", tag = "team", operation_id = "permission_group_list",
    params(PageQuery),
    responses((status = 200, description = "A page of groups.", body = Page<PermissionGroup>))
)]
pub fn list_groups() {}

/// Make a permission group
#[utoipa::path(
    post, path = "/api/permission-group", tag = "team", operation_id = "permission_group_create",
    request_body = NewPermissionGroup,
    responses((status = 201, description = "The group.", body = PermissionGroup))
)]
pub fn create_group() {}

/// Read a permission group
#[utoipa::path(
    get, path = "/api/permission-group/{group_id}", tag = "team",
    operation_id = "permission_group_retrieve",
    params(GroupPath),
    responses((status = 200, description = "The group.", body = PermissionGroup))
)]
pub fn retrieve_group() {}

/// Replace a permission group: a right that is not named is none
#[utoipa::path(
    put, path = "/api/permission-group/{group_id}", tag = "team",
    operation_id = "permission_group_update",
    params(GroupPath), request_body = PermissionGroupUpdate,
    responses((status = 200, description = "The group after the change.", body = PermissionGroup))
)]
pub fn replace_group() {}

/// Change a permission group; it is in force from the next request on
#[utoipa::path(
    patch, path = "/api/permission-group/{group_id}", tag = "team",
    operation_id = "permission_group_partial_update",
    params(GroupPath), request_body = PermissionGroupUpdate,
    responses((status = 200, description = "The group after the change.", body = PermissionGroup))
)]
pub fn change_group() {}

/// Delete a permission group; roles and members that have it lose what it gave them
#[utoipa::path(
    delete, path = "/api/permission-group/{group_id}", tag = "team",
    operation_id = "permission_group_destroy",
    params(GroupPath),
    responses((status = 204, description = "It is gone."))
)]
pub fn delete_group() {}

/// Set one right on an object or a field
#[utoipa::path(
    patch, path = "/api/permission-group/{group_id}/object-update", tag = "team",
    operation_id = "permission_group_object_update_partial_update",
    params(GroupPath), request_body = RightUpdate,
    responses((status = 200, description = "The group after the change.", body = PermissionGroup))
)]
pub fn set_right() {}

/// List every right that a group can give
#[utoipa::path(
    get, path = "/api/permissions/meta-data", tag = "team",
    operation_id = "permissions_meta_data_list",
    params(PageQuery),
    responses((status = 200, description = "A page of rights.", body = Page<RightRow>))
)]
pub fn catalogue() {}

/// Read what the caller may do
#[utoipa::path(
    get, path = "/api/auth/access", tag = "team", operation_id = "auth_access_retrieve",
    responses((status = 200, description = "All of it in force.", body = OwnAccess))
)]
pub fn own() {}
