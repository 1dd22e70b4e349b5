//! What refers to a field: the other side of a relationship, unique constraints, and permission
//! groups.

use crate::http::extension::RouteGroup;
use crate::http::fields::AddressedField;
use crate::http::plain::check_no_parameters;
use crate::http::problem::Problem;
use crate::http::wire::objects::constraints;
use crate::http::wire::related::RelationReference;
use crate::model::catalog::permission::PermissionGroup;
use crate::model::id::PermissionGroupId;
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;
use std::sync::Arc;

/// What refers to a field.
#[derive(Debug, Serialize)]
struct References<'a> {
    relationships: Vec<RelationReference>,
    unique_constraints: Vec<Vec<&'a str>>,
    permission_groups: Vec<GroupName<'a>>,
}

#[derive(Debug, Serialize)]
struct GroupName<'a> {
    id: PermissionGroupId,
    name: &'a str,
}

/// The permission groups that name the field are for those who may see groups.
pub(super) async fn list(
    addressed: AddressedField,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    check_no_parameters(&request, RouteGroup::Read)?;
    let AddressedField { target, schema, field, rights } = addressed;
    let caller = &target.caller;
    let is_about = |group: &&Arc<PermissionGroup>| {
        let entry = group.objects.get(&schema.object().id);
        caller.rights.may_see_settings()
            && entry.is_some_and(|entry| entry.fields.contains_key(&field.id))
    };
    let groups = caller.catalog.groups.iter().filter(is_about);
    let permission_groups = groups.map(|group| GroupName { id: group.id, name: &group.name });
    let partner = RelationReference::of(&field, &caller.related_tables());
    Ok(HttpResponse::Ok().json(References {
        relationships: partner.into_iter().collect(),
        unique_constraints: constraints(&schema, &rights, schema.constraints_on(field.number)),
        permission_groups: permission_groups.collect(),
    }))
}
