//! Roles: the bodies that make and change one, and how answers show them.
//!
//! It must not know who may do so.

use crate::http::code::Code;
use crate::http::extension::RouteGroup;
use crate::http::fault::{Fault, Faults};
use crate::http::shape::{Presence, Shape, TextRule};
use crate::http::value_fault;
use crate::http::wire::keys;
use crate::model::catalog::grant::RoleEdit;
use crate::model::catalog::role::Role;
use crate::model::id::{PermissionGroupId, RoleId};
use crate::model::input::Input;
use crate::model::schema::LABEL_CHARS_MAX;
use crate::model::value::text::check_characters;
use serde::Serialize;

/// Reads the body of a role; `held` is the one that it changes, if it makes none.
pub fn read_role(
    body: &Input<'_>,
    held: Option<&Role>,
    strict: bool,
    faults: &mut Faults,
) -> RoleEdit {
    let mut shape = Shape::of_body(body, faults);
    let name = read_name(&mut shape, held.is_none(), faults);
    if let Some(held) = held {
        let id = keys::id(&mut shape, "id", RoleId::parse, faults);
        if id.is_some_and(|id| id != held.id) {
            faults.push(Fault::new(Code::Immutable, shape.place("id")));
        }
    }
    let edit = RoleEdit {
        name,
        permissions: read_permissions(&mut shape, faults),
        permission_groups: keys::ids(
            &mut shape,
            "permission_groups",
            PermissionGroupId::parse,
            faults,
        ),
        default_for_new_users: shape.boolean("default_for_new_users", Presence::Nullable, faults),
    };
    shape.finish(strict, RouteGroup::Write, faults);
    edit
}

/// The name of a role or a permission group.
pub fn read_name(shape: &mut Shape<'_>, is_required: bool, faults: &mut Faults) -> Option<String> {
    let presence = if is_required { Presence::Required } else { Presence::Optional };
    let rule =
        TextRule { presence, chars_max: LABEL_CHARS_MAX, may_be_blank: false, takes_number: false };
    let name = shape.text("name", &rule, faults)?;
    if let Err(fault) = check_characters(name, false) {
        faults.push(value_fault::fault_of(&fault, shape.place("name")));
    }
    Some(name.to_owned())
}

/// Texts that are kept for clients which look for them.
fn read_permissions(shape: &mut Shape<'_>, faults: &mut Faults) -> Option<Vec<String>> {
    let texts = keys::texts(shape, "permissions", faults)?;
    if texts.iter().any(|text| text.chars().count() > LABEL_CHARS_MAX) {
        faults.push(Fault::max_length(shape.place("permissions"), LABEL_CHARS_MAX));
    }
    Some(texts.into_iter().map(str::to_owned).collect())
}

/// A role.
#[derive(Debug, Serialize)]
pub struct RoleRow<'a> {
    id: RoleId,
    name: &'a str,
    is_admin: bool,
    permissions: &'a [String],
    permission_groups: &'a [PermissionGroupId],
    default_for_new_users: bool,
}

impl<'a> RoleRow<'a> {
    #[must_use]
    pub fn of(role: &'a Role) -> Self {
        Self {
            id: role.id,
            name: &role.name,
            is_admin: role.is_admin,
            permissions: &role.permissions,
            permission_groups: &role.permission_groups,
            default_for_new_users: role.default_for_new_users,
        }
    }
}
