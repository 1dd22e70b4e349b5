//! Roles, permission groups and rights: their routes and shapes, as the document of the API
//! describes them.
//!
//! Nothing here is ever called or made: tests hold it against what the server really answers. It
//! must not describe what is not served.

use crate::http::openapi::shared::{Access, Page, PageQuery};
use serde::Serialize;
use std::collections::BTreeMap;
use utoipa::openapi::schema::{ObjectBuilder, OneOfBuilder, SchemaType, Type};
use utoipa::openapi::{Ref, RefOr, Schema};
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
    /// Everything, whatever its groups say: the role that every business begins with.
    pub is_admin: bool,
    /// Kept and given back, without effect.
    pub permissions: Vec<String>,
    pub permission_groups: Vec<Uuid>,
    /// Given to new members for whom no roles are named.
    pub default_for_new_users: bool,
}

/// The body that makes a role.
#[derive(Serialize, ToSchema)]
pub struct NewRole {
    #[schema(min_length = 1, max_length = 200)]
    pub name: String,
    pub permissions: Option<Vec<String>>,
    pub permission_groups: Option<Vec<Uuid>>,
    pub default_for_new_users: Option<bool>,
}

/// The body that changes a role; what it does not name stays.
#[derive(Serialize, ToSchema)]
pub struct RoleUpdate {
    #[schema(min_length = 1, max_length = 200, nullable = false)]
    pub name: Option<String>,
    pub permissions: Option<Vec<String>>,
    pub permission_groups: Option<Vec<Uuid>>,
    pub default_for_new_users: Option<bool>,
    /// It cannot be changed; its own value is taken.
    pub id: Option<Uuid>,
}

/// Rights on what is about no object. Levels are 0 none, 1 view, 2 edit, 3 remove.
#[derive(Serialize, ToSchema)]
pub struct Sections {
    #[schema(maximum = 3)]
    pub settings: u8,
    #[schema(maximum = 3)]
    pub team: u8,
    /// The rights on the team reach further than the own row.
    pub all_team_members: bool,
    pub create_objects: bool,
}

/// Rights on the records of an object.
#[derive(Serialize, ToSchema)]
#[expect(clippy::struct_excessive_bools, reason = "each is a right of its own in the API")]
pub struct RecordRights {
    #[schema(maximum = 3)]
    pub all_records: u8,
    /// On records in whose team the member is; never below the level on all.
    #[schema(maximum = 3)]
    pub associated_records: u8,
    /// Needs level 2 on associated records.
    pub create_record: bool,
    pub unarchive_all: bool,
    pub unarchive_associated: bool,
    pub bulk_actions: bool,
    pub export: bool,
}

/// What a group says about an object.
#[derive(Serialize, ToSchema)]
pub struct ObjectRights {
    #[schema(maximum = 3)]
    pub settings: u8,
    pub records: RecordRights,
    /// 0 hidden, 1 read only, 2 write.
    #[schema(maximum = 2)]
    pub default_field_access: u8,
    /// By API name: those to which the default does not apply. Not of `*`.
    #[schema(nullable = false)]
    pub fields: Option<BTreeMap<String, u8>>,
}

/// A permission group.
#[derive(Serialize, ToSchema)]
pub struct PermissionGroup {
    pub id: Uuid,
    pub name: String,
    /// Everything, whatever else the group says.
    pub is_admin: bool,
    pub sections: Sections,
    /// By API name; `*` is every other object.
    pub objects: BTreeMap<String, ObjectRights>,
}

/// Rights on sections, as a body gives them.
#[derive(Serialize, ToSchema)]
pub struct GivenSections {
    #[schema(maximum = 3)]
    pub settings: Option<u8>,
    #[schema(maximum = 3)]
    pub team: Option<u8>,
    pub all_team_members: Option<bool>,
    pub create_objects: Option<bool>,
}

/// Rights on records, as a body gives them; what is left out is none.
#[derive(Serialize, ToSchema)]
pub struct GivenRecordRights {
    #[schema(maximum = 3)]
    pub all_records: Option<u8>,
    #[schema(maximum = 3)]
    pub associated_records: Option<u8>,
    pub create_record: Option<bool>,
    pub unarchive_all: Option<bool>,
    /// As `unarchive_all`, if left out.
    pub unarchive_associated: Option<bool>,
    pub bulk_actions: Option<bool>,
    pub export: Option<bool>,
}

/// The whole new entry of an object; what is left out is none.
#[derive(Serialize, ToSchema)]
pub struct GivenObjectRights {
    #[schema(maximum = 3)]
    pub settings: Option<u8>,
    pub records: Option<GivenRecordRights>,
    /// 2, if left out.
    #[schema(maximum = 2)]
    pub default_field_access: Option<u8>,
    /// By id or API name.
    pub fields: Option<BTreeMap<String, u8>>,
}

/// The body that makes a permission group.
#[derive(Serialize, ToSchema)]
pub struct NewPermissionGroup {
    #[schema(min_length = 1, max_length = 200)]
    pub name: String,
    pub is_admin: Option<bool>,
    pub sections: Option<GivenSections>,
    /// By id or API name; `*` is every other object.
    pub objects: Option<BTreeMap<String, GivenObjectRights>>,
}

/// The body that changes a permission group.
#[derive(Serialize, ToSchema)]
pub struct PermissionGroupUpdate {
    #[schema(min_length = 1, max_length = 200, nullable = false)]
    pub name: Option<String>,
    pub is_admin: Option<bool>,
    pub sections: Option<GivenSections>,
    #[schema(schema_with = changed_entries)]
    pub objects: Option<BTreeMap<String, GivenObjectRights>>,
    /// It cannot be changed; its own value is taken.
    pub id: Option<Uuid>,
}

/// Entries of which each may be null, which no type of ours would say.
fn changed_entries() -> Schema {
    let null = ObjectBuilder::new().schema_type(SchemaType::Type(Type::Null));
    let entry = OneOfBuilder::new().item(null).item(Ref::from_schema_name("GivenObjectRights"));
    let entries = ObjectBuilder::new()
        .schema_type(SchemaType::from_iter([Type::Object, Type::Null]))
        .additional_properties(Some(RefOr::T(Schema::from(entry.build()))));
    entries.description(Some("By id or API name; null takes an entry away.")).build().into()
}

/// What is named by its id or API name.
#[derive(Serialize, ToSchema)]
pub struct RightSubject {
    pub id: String,
}

/// The body that sets one right.
#[derive(Serialize, ToSchema)]
pub struct OneRight {
    /// The object; `*` is every one without an entry of its own.
    pub custom_object: RightSubject,
    /// Of this field, instead of a key.
    pub field: Option<RightSubject>,
    /// `settings`, if left out.
    #[schema(examples("all_records"))]
    pub key: Option<String>,
    /// Flags are on above 0; fields take 2 at most.
    #[schema(maximum = 3)]
    pub permission_level: u8,
}

/// A level, or a flag.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
pub enum LevelOrFlag {
    Level(u8),
    Flag(bool),
}

/// One right that a group can give.
#[derive(Serialize, ToSchema)]
pub struct RightRow {
    #[schema(examples("objects.records.all_records"))]
    pub key: String,
    pub levels: Vec<LevelOrFlag>,
    /// Null where another right says it.
    #[schema(required = true)]
    pub default: Option<LevelOrFlag>,
}

/// What may be done with the records of an object, or with some of them at least.
#[derive(Serialize, ToSchema)]
#[expect(clippy::struct_excessive_bools, reason = "each is a right of its own in the API")]
pub struct AccessToRecords {
    pub view: bool,
    pub edit: bool,
    pub remove: bool,
    pub create: bool,
}

/// Whether objects may be made.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
pub enum ObjectsEntry {
    /// Of the key `create`.
    Create(bool),
    /// Of an object's id.
    Object(Access),
}

/// What the caller may do.
#[derive(Serialize, ToSchema)]
pub struct OwnAccess {
    pub is_admin: bool,
    pub sections: Sections,
    pub contacts: AccessToRecords,
    /// By id, of the objects that are seen; `create` tells whether more may be made.
    pub custom_objects: BTreeMap<String, ObjectsEntry>,
    /// By id.
    pub custom_object_entities: BTreeMap<String, AccessToRecords>,
}

/// List the roles
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

/// Change a role, in force from the next request on
#[utoipa::path(
    patch, path = "/api/role/{role_id}", tag = "team", operation_id = "role_partial_update",
    params(RolePath), request_body = RoleUpdate,
    responses((status = 200, description = "The role after the change.", body = Role))
)]
pub fn update_role() {}

/// Delete a role, which its members lose
#[utoipa::path(
    delete, path = "/api/role/{role_id}", tag = "team", operation_id = "role_destroy",
    params(RolePath),
    responses((status = 204, description = "It is gone."))
)]
pub fn destroy_role() {}

/// List the permission groups
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

/// Change all of a permission group: a right that is not named is none
#[utoipa::path(
    put, path = "/api/permission-group/{group_id}", tag = "team",
    operation_id = "permission_group_update",
    params(GroupPath), request_body = PermissionGroupUpdate,
    responses((status = 200, description = "The group after the change.", body = PermissionGroup))
)]
pub fn replace_group() {}

/// Change a permission group; an object that is named has the whole new entry
#[utoipa::path(
    patch, path = "/api/permission-group/{group_id}", tag = "team",
    operation_id = "permission_group_partial_update",
    params(GroupPath), request_body = PermissionGroupUpdate,
    responses((status = 200, description = "The group after the change.", body = PermissionGroup))
)]
pub fn update_group() {}

/// Delete a permission group, which roles and members lose
#[utoipa::path(
    delete, path = "/api/permission-group/{group_id}", tag = "team",
    operation_id = "permission_group_destroy",
    params(GroupPath),
    responses((status = 204, description = "It is gone."))
)]
pub fn destroy_group() {}

/// Set one right of a permission group
#[utoipa::path(
    patch, path = "/api/permission-group/{group_id}/object-update", tag = "team",
    operation_id = "permission_group_object_update_partial_update",
    params(GroupPath), request_body = OneRight,
    responses((status = 200, description = "The group after the change.", body = PermissionGroup))
)]
pub fn set_right() {}

/// List every right that a permission group can give
#[utoipa::path(
    get, path = "/api/permissions/meta-data", tag = "team",
    operation_id = "permissions_meta_data_list",
    params(PageQuery),
    responses((status = 200, description = "A page of rights.", body = Page<RightRow>))
)]
pub fn list_rights() {}

/// Tell what the caller may do
#[utoipa::path(
    get, path = "/api/auth/access", tag = "team", operation_id = "auth_access_retrieve",
    responses((status = 200, description = "The rights that are in force.", body = OwnAccess))
)]
pub fn own() {}
