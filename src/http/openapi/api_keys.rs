//! API keys: their routes and shapes, as the document of the API describes them.
//!
//! Nothing here is ever called or made: tests hold it against what the server really answers. It
//! must not describe what is not served.

use crate::http::openapi::shared::{Page, PageQuery};
use serde::Serialize;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

/// A key.
#[derive(IntoParams)]
#[into_params(parameter_in = Path)]
pub struct KeyPath {
    /// Id of the key.
    pub key_id: Uuid,
}

/// The body that makes an API key.
#[derive(Serialize, ToSchema)]
pub struct NewApiKey {
    #[schema(min_length = 1, max_length = 200)]
    pub name: String,
    /// The caller, if left out.
    pub member_id: Option<Uuid>,
    #[schema(min_length = 1, max_length = 64)]
    pub origin: Option<String>,
    #[schema(format = DateTime)]
    pub expires_at: Option<String>,
    /// A secret that is in use already; drawn if left out.
    #[schema(min_length = 16, max_length = 256, pattern = "^[!-~][ -~]*[!-~]$")]
    pub secret: Option<String>,
}

/// The member of a key.
#[derive(Serialize, ToSchema)]
pub struct KeyMember {
    pub id: Uuid,
}

/// A key, without its secret.
#[derive(Serialize, ToSchema)]
pub struct ApiKeyRow {
    pub id: Uuid,
    pub name: String,
    pub prefix: String,
    pub origin: String,
    pub member: KeyMember,
    #[schema(format = DateTime)]
    pub created: String,
    #[schema(required = true, format = DateTime)]
    pub expires_at: Option<String>,
    /// The hour in which it last let somebody in.
    #[schema(required = true, format = DateTime)]
    pub last_used_at: Option<String>,
}

/// A key that was just made.
#[derive(Serialize, ToSchema)]
pub struct ApiKeyMade {
    #[serde(flatten)]
    pub row: ApiKeyRow,
    #[serde(flatten)]
    pub secret: KeySecret,
}

/// What opens the door.
#[derive(Serialize, ToSchema)]
pub struct KeySecret {
    /// Shown this once: null in an answer that is given again.
    #[schema(required = true)]
    pub secret: Option<String>,
}

/// List the API keys: an administrator all, everybody else the own ones
#[utoipa::path(
    get, path = "/api/api-keys", tag = "team", operation_id = "api_keys_list",
    params(PageQuery),
    responses((status = 200, description = "A page of keys.", body = Page<ApiKeyRow>))
)]
pub fn list() {}

/// Make an API key
#[utoipa::path(
    post, path = "/api/api-keys", tag = "team", operation_id = "api_keys_create",
    request_body = NewApiKey,
    responses((status = 201, description = "The key with its secret.", body = ApiKeyMade))
)]
pub fn create() {}

/// Revoke an API key, which lets nobody in from the next request on
#[utoipa::path(
    delete, path = "/api/api-keys/{key_id}", tag = "team", operation_id = "api_keys_destroy",
    params(KeyPath),
    responses((status = 204, description = "It is revoked."))
)]
pub fn destroy() {}
