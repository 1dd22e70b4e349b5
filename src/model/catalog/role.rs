//! Roles: the permission groups that members have in common.

use crate::model::id::{PermissionGroupId, RoleId};
use serde::{Deserialize, Serialize};

/// A named set of permission groups.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Role {
    pub id: RoleId,
    pub name: String,
    /// Everything, whatever its groups say: the role that a business begins with.
    pub is_admin: bool,
    /// Kept and given back, without effect.
    #[serde(default)]
    pub permissions: Vec<String>,
    #[serde(default)]
    pub permission_groups: Vec<PermissionGroupId>,
    /// Given to new members for whom no roles are named.
    #[serde(default)]
    pub default_for_new_users: bool,
}

impl Role {
    /// The role of administrators.
    #[must_use]
    pub fn administrator(id: RoleId) -> Self {
        Self {
            id,
            name: "Administrator".to_owned(),
            is_admin: true,
            permissions: Vec::new(),
            permission_groups: Vec::new(),
            default_for_new_users: false,
        }
    }
}
