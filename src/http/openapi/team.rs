//! The team: its routes and shapes, as the document of the API describes them.
//!
//! Nothing here is ever called or made: tests hold it against what the server really answers. It
//! must not describe what is not served.

use crate::http::openapi::shared::{Page, PageQuery};
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

/// A member.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
pub struct MemberPath {
    /// Id of the member.
    pub member_id: Uuid,
}

/// Which members.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub struct TeamQuery {
    /// A part of name or e-mail; the answer is a page then.
    pub search: Option<String>,
    pub include_service: Option<bool>,
}

/// What a member is.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AccountType {
    UserStandard,
    Service,
}

/// A role where a member has it.
#[derive(Serialize, ToSchema)]
pub struct MemberRole {
    pub id: Uuid,
    pub name: String,
    pub default_for_new_users: bool,
}

/// A member; `roles` are whole in lists, and ids where it is read alone.
#[derive(Serialize, ToSchema)]
pub struct MemberRow<R> {
    pub id: Uuid,
    pub user_id: Uuid,
    pub email: String,
    pub first_name: String,
    pub last_name: String,
    pub full_name: String,
    pub display_name: String,
    pub title: String,
    pub account_type: AccountType,
    pub is_active: bool,
    pub roles: Vec<R>,
    #[schema(format = DateTime)]
    pub created: String,
}

/// All members, or a page of them where `page_size` or `search` was given.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
pub enum Team {
    All(Vec<MemberRow<MemberRole>>),
    Page(Page<MemberRow<MemberRole>>),
}

/// The body that makes a member.
#[derive(Serialize, ToSchema)]
pub struct NewMember {
    #[schema(format = Email, min_length = 3, max_length = 254)]
    pub email: String,
    #[schema(max_length = 255)]
    pub first_name: Option<String>,
    #[schema(max_length = 255)]
    pub last_name: Option<String>,
    #[schema(max_length = 255)]
    pub title: Option<String>,
    pub account_type: Option<AccountType>,
    /// Those for new members, if left out.
    pub roles: Option<Vec<Uuid>>,
    pub permission_groups: Option<Vec<Uuid>>,
    /// For those who bring the ids of another system.
    pub id: Option<Uuid>,
    pub user_id: Option<Uuid>,
}

/// The body that changes a member; what it does not name stays.
#[derive(Serialize, ToSchema)]
pub struct MemberUpdate {
    #[schema(format = Email, min_length = 3, max_length = 254, nullable = false)]
    pub email: Option<String>,
    /// Null clears, as it does in the next two.
    #[schema(max_length = 255)]
    pub first_name: Option<String>,
    #[schema(max_length = 255)]
    pub last_name: Option<String>,
    #[schema(max_length = 255)]
    pub title: Option<String>,
    #[schema(nullable = false)]
    pub account_type: Option<AccountType>,
    /// False stops the member's API keys at once.
    #[schema(nullable = false)]
    pub is_active: Option<bool>,
    pub roles: Option<Vec<Uuid>>,
    pub permission_groups: Option<Vec<Uuid>>,
    /// It cannot be changed; its own value is taken.
    pub id: Option<Uuid>,
    /// It cannot be changed; its own value is taken.
    pub user_id: Option<Uuid>,
}

/// What somebody types who looks for a member.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub struct TypeaheadQuery {
    /// Parts of name or e-mail.
    pub search: Option<String>,
}

/// A member as it is offered while somebody types.
#[derive(Serialize, ToSchema)]
pub struct OfferedMember {
    pub id: Uuid,
    pub email: String,
    pub first_name: String,
    pub last_name: String,
    pub display_name: String,
    pub account_type: AccountType,
}

/// All that match, or a page of them where `page_size` was given.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
pub enum OfferedMembers {
    All(Vec<OfferedMember>),
    Page(Page<OfferedMember>),
}

/// Whether services are found too.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ServicesQuery {
    pub include_service: Option<bool>,
}

/// The body of a search for members; nothing of it is required.
#[derive(Serialize, ToSchema)]
pub struct MemberSearch {
    /// Parts of name or e-mail.
    pub search: Option<String>,
    pub ids: Option<Vec<Uuid>>,
    pub emails: Option<Vec<String>>,
}

/// List the members
#[utoipa::path(
    get, path = "/api/team", tag = "team", operation_id = "team_list",
    params(PageQuery, TeamQuery),
    responses((status = 200, description = "All of them, or a page.", body = Team))
)]
pub fn list() {}

/// List the members, by the path that other clients use
#[utoipa::path(
    get, path = "/api/employee", tag = "team", operation_id = "employee_list",
    params(PageQuery, TeamQuery),
    responses((status = 200, description = "All of them, or a page.", body = Team))
)]
pub fn employees() {}

/// Make a member
#[utoipa::path(
    post, path = "/api/team", tag = "team", operation_id = "team_create",
    request_body = NewMember,
    responses((status = 201, description = "The member.", body = MemberRow<MemberRole>))
)]
pub fn create() {}

/// Read a member
#[utoipa::path(
    get, path = "/api/team/{member_id}", tag = "team", operation_id = "team_retrieve",
    params(MemberPath),
    responses((status = 200, description = "The member.", body = MemberRow<Uuid>))
)]
pub fn retrieve() {}

/// Change a member
#[utoipa::path(
    patch, path = "/api/team/{member_id}", tag = "team", operation_id = "team_partial_update",
    params(MemberPath), request_body = MemberUpdate,
    responses((
        status = 200, description = "The member after the change.", body = MemberRow<MemberRole>,
    ))
)]
pub fn partial_update() {}

/// Delete a member, who is gone from every read at once
#[utoipa::path(
    delete, path = "/api/team/{member_id}", tag = "team", operation_id = "team_destroy",
    params(MemberPath),
    responses((status = 204, description = "The member is gone."))
)]
pub fn destroy() {}

/// Offer the members whose name or e-mail has these parts
#[utoipa::path(
    get, path = "/api/team/typeahead", tag = "team", operation_id = "team_typeahead_list",
    params(PageQuery, TypeaheadQuery),
    responses((status = 200, description = "All that match, or a page.", body = OfferedMembers))
)]
pub fn typeahead() {}

/// Search the members
#[utoipa::path(
    post, path = "/api/team/search", tag = "team", operation_id = "team_search_create",
    params(PageQuery, ServicesQuery), request_body = Option<MemberSearch>,
    responses((
        status = 200, description = "A page of members.", body = Page<MemberRow<MemberRole>>,
    ))
)]
pub fn search() {}
