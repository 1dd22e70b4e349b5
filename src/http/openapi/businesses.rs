//! Businesses, of their members and of the operator: their routes and shapes, as the document of
//! the API describes them.
//!
//! Nothing here is ever called or made: tests hold it against what the server really answers. It
//! must not describe what is not served.

use crate::http::openapi::api_keys::ApiKeyMade;
use crate::http::openapi::shared::{Page, PageQuery};
use crate::http::openapi::team::{MemberRole, MemberRow};
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

/// A business.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
pub struct BusinessPath {
    /// Id of the business.
    pub business_id: Uuid,
}

/// A time zone.
#[derive(Serialize, ToSchema)]
pub struct ZoneName {
    pub name: String,
}

/// The business.
#[derive(Serialize, ToSchema)]
pub struct Business {
    pub id: Uuid,
    pub name: String,
    pub country: String,
    pub phone_default_region: String,
    pub timezone: ZoneName,
    #[schema(format = DateTime)]
    pub created: String,
}

/// A business as the operator sees it.
#[derive(Serialize, ToSchema)]
pub struct BusinessRow {
    #[serde(flatten)]
    pub business: Business,
    #[serde(flatten)]
    pub end: BusinessEnd,
}

/// Whether a business has ended.
#[derive(Serialize, ToSchema)]
pub struct BusinessEnd {
    /// Null while its members are let in.
    #[schema(required = true, format = DateTime)]
    pub archived_at: Option<String>,
}

/// A time zone by its IANA name, alone or as answers show it.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
pub enum ZoneInput {
    Name(String),
    Object(ZoneName),
}

/// The body that changes a business; what it does not name stays.
#[derive(Serialize, ToSchema)]
pub struct BusinessUpdate {
    #[schema(min_length = 1, max_length = 200, nullable = false)]
    pub name: Option<String>,
    pub timezone: Option<ZoneInput>,
    /// Two letters.
    #[schema(pattern = "^[A-Za-z]{2}$")]
    pub country: Option<String>,
    /// Two letters: where telephone numbers without a country code are of.
    #[schema(pattern = "^[A-Za-z]{2}$")]
    pub phone_default_region: Option<String>,
    /// It cannot be changed; its own value is taken.
    pub id: Option<Uuid>,
}

/// The first administrator of a business.
#[derive(Serialize, ToSchema)]
pub struct FirstMember {
    #[schema(format = Email, min_length = 3, max_length = 254)]
    pub email: String,
    #[schema(max_length = 255)]
    pub first_name: Option<String>,
    #[schema(max_length = 255)]
    pub last_name: Option<String>,
    /// For those who bring the ids of another system.
    pub id: Option<Uuid>,
    pub user_id: Option<Uuid>,
    /// A secret that is in use already; drawn if left out.
    #[schema(min_length = 16, max_length = 256, pattern = "^[!-~][ -~]*[!-~]$")]
    pub secret: Option<String>,
}

/// The body that makes a business.
#[derive(Serialize, ToSchema)]
pub struct NewBusiness {
    #[schema(min_length = 1, max_length = 200)]
    pub name: String,
    pub admin: FirstMember,
    /// For those who bring the ids of another system.
    pub id: Option<Uuid>,
    /// UTC if left out.
    pub timezone: Option<ZoneInput>,
    /// Two letters; US if left out.
    #[schema(pattern = "^[A-Za-z]{2}$")]
    pub country: Option<String>,
    /// Two letters; US if left out.
    #[schema(pattern = "^[A-Za-z]{2}$")]
    pub phone_default_region: Option<String>,
}

/// A business that was just made, with whoever may do everything in it.
#[derive(Serialize, ToSchema)]
pub struct BusinessMade {
    pub business: Business,
    pub member: MemberRow<MemberRole>,
    pub api_key: ApiKeyMade,
}

/// Read the business
#[utoipa::path(
    get, path = "/api/business/mine", tag = "team", operation_id = "business_mine_retrieve",
    responses((status = 200, description = "The caller's business.", body = Business))
)]
pub fn mine() {}

/// Change the business
#[utoipa::path(
    patch, path = "/api/business/mine", tag = "team",
    operation_id = "business_mine_partial_update",
    request_body = BusinessUpdate,
    responses((status = 200, description = "The business after the change.", body = Business))
)]
pub fn partial_update_mine() {}

/// Change the business; what is not named stays here too
#[utoipa::path(
    put, path = "/api/business/mine", tag = "team", operation_id = "business_mine_update",
    request_body = BusinessUpdate,
    responses((status = 200, description = "The business after the change.", body = Business))
)]
pub fn update_mine() {}

/// List all businesses, archived ones too, oldest first
#[utoipa::path(
    get, path = "/api/admin/businesses", tag = "operations",
    operation_id = "admin_businesses_list", security(("operatorKey" = [])),
    params(PageQuery),
    responses((status = 200, description = "A page of businesses.", body = Page<BusinessRow>))
)]
pub fn list() {}

/// Make a business with its administrator and a key
#[utoipa::path(
    post, path = "/api/admin/businesses", tag = "operations",
    operation_id = "admin_businesses_create", security(("operatorKey" = [])),
    request_body = NewBusiness,
    responses((status = 201, description = "All of it.", body = BusinessMade))
)]
pub fn create() {}

/// Read a business
#[utoipa::path(
    get, path = "/api/admin/businesses/{business_id}", tag = "operations",
    operation_id = "admin_businesses_retrieve", security(("operatorKey" = [])),
    params(BusinessPath),
    responses((status = 200, description = "The business.", body = BusinessRow))
)]
pub fn retrieve() {}

/// Change a business
#[utoipa::path(
    patch, path = "/api/admin/businesses/{business_id}", tag = "operations",
    operation_id = "admin_businesses_partial_update", security(("operatorKey" = [])),
    params(BusinessPath), request_body = BusinessUpdate,
    responses((status = 200, description = "The business after the change.", body = BusinessRow))
)]
pub fn partial_update() {}

/// Archive a business: nobody is let in any more
#[utoipa::path(
    delete, path = "/api/admin/businesses/{business_id}", tag = "operations",
    operation_id = "admin_businesses_destroy", security(("operatorKey" = [])),
    params(BusinessPath),
    responses((status = 204, description = "It is archived."))
)]
pub fn destroy() {}
