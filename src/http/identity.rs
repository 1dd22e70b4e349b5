//! Who is calling: which paths ask for it, and the headers that say it.
//!
//! It must not know businesses, members or keys; whoever assembles the server brings the check.

use crate::http::code::Code;
use crate::http::problem::Problem;
use actix_web::HttpMessage as _;
use actix_web::dev::{Extensions, ServiceRequest};
use actix_web::http::header::{HeaderMap, HeaderName};
use std::fmt;
use std::sync::Arc;
use subtle::ConstantTimeEq;

static API_KEY: HeaderName = HeaderName::from_static("x-api-key");
static BUSINESS_ID: HeaderName = HeaderName::from_static("x-business-id");
static USER_ID: HeaderName = HeaderName::from_static("x-user-id");
static OPERATOR_KEY: HeaderName = HeaderName::from_static("x-operator-key");

/// What a path asks of its callers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Nothing.
    Open,
    /// The operator's key.
    Operator,
    /// The three headers of a member.
    Member,
    /// Nothing, or those of a member: an operator chooses who may read how the API looks.
    Document,
}

impl Access {
    /// Decides by the path alone, before it is known whether anything answers there.
    #[must_use]
    pub fn of_path(path: &str) -> Self {
        let Some(rest) = path.strip_prefix("/api") else { return Self::Open };
        match rest {
            "/openapi.json" | "/docs" | "/docs/schema" | "/docs/public/schema" => Self::Document,
            // The files of the page.
            _ if rest.strip_prefix("/docs/").is_some_and(|file| file.contains('.')) => {
                Self::Document
            }
            "/admin" => Self::Operator,
            _ if rest.starts_with("/admin/") => Self::Operator,
            _ if rest.is_empty() || rest.starts_with('/') => Self::Member,
            _ => Self::Open,
        }
    }
}

/// The three headers of a member, as they came.
#[derive(Clone, Copy)]
pub struct Credentials<'a> {
    pub api_key: &'a str,
    pub business_id: &'a str,
    pub user_id: &'a str,
}

impl<'a> Credentials<'a> {
    /// Reads the headers. Any of them missing, empty or double is as good as none.
    pub fn of_headers(headers: &'a HeaderMap) -> Result<Self, Problem> {
        let header =
            |name| single_header(headers, name).ok_or_else(|| Problem::new(Code::NotAuthenticated));
        Ok(Self {
            api_key: header(&API_KEY)?,
            business_id: header(&BUSINESS_ID)?,
            user_id: header(&USER_ID)?,
        })
    }
}

impl fmt::Debug for Credentials<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials")
            .field("business_id", &self.business_id)
            .field("user_id", &self.user_id)
            .finish_non_exhaustive()
    }
}

/// The value of a header that is there once, readable, and not empty.
fn single_header<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    let mut values = headers.get_all(name);
    let value = values.next()?.to_str().ok()?.trim();
    (values.next().is_none() && !value.is_empty()).then_some(value)
}

/// The credentials do not name an active member; the answer tells nothing more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the credentials do not name an active member")]
pub struct Refused;

impl From<Refused> for Problem {
    fn from(Refused: Refused) -> Self {
        Problem::new(Code::AuthenticationFailed)
    }
}

type Check = dyn Fn(&Credentials<'_>, &mut Extensions) -> Result<(), Refused> + Send + Sync;

/// The check of a member's credentials. It leaves the caller in the request's extensions.
#[derive(Clone)]
pub struct Authenticate(Arc<Check>);

impl Authenticate {
    /// Checks with `check`, once for each guarded request.
    pub fn new<F>(check: F) -> Self
    where
        F: Fn(&Credentials<'_>, &mut Extensions) -> Result<(), Refused> + Send + Sync + 'static,
    {
        Self(Arc::new(check))
    }
}

/// Lets a request pass, or answers it.
pub fn admit(
    request: &ServiceRequest,
    authenticate: &Authenticate,
    operator_key: Option<&OperatorKey>,
    openapi_public: bool,
) -> Result<(), Problem> {
    match Access::of_path(request.path()) {
        Access::Open => Ok(()),
        Access::Document if openapi_public => Ok(()),
        Access::Operator => {
            let key = operator_key.ok_or_else(Problem::not_found)?;
            let given = single_header(request.headers(), &OPERATOR_KEY)
                .ok_or_else(|| Problem::new(Code::NotAuthenticated))?;
            if key.is(given) { Ok(()) } else { Err(Refused.into()) }
        }
        Access::Member | Access::Document => {
            let credentials = Credentials::of_headers(request.headers())?;
            (authenticate.0)(&credentials, &mut request.extensions_mut())?;
            Ok(())
        }
    }
}

/// The operator's key. It is never shown.
#[derive(Clone)]
pub struct OperatorKey(Arc<str>);

impl OperatorKey {
    /// The configured key.
    #[must_use]
    pub fn new(key: &str) -> Self {
        Self(key.into())
    }

    /// Whether `given` is the key; how long the comparison takes tells no more than its length.
    #[must_use]
    pub fn is(&self, given: &str) -> bool {
        self.0.as_bytes().ct_eq(given.as_bytes()).into()
    }
}

impl fmt::Debug for OperatorKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OperatorKey(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_alone_decides_what_is_asked() {
        for (path, guard) in [
            ("/", Access::Open),
            ("/healthz", Access::Open),
            ("/apiary", Access::Open),
            ("/api/openapi.json", Access::Document),
            ("/api/docs", Access::Document),
            ("/api/docs/public/schema", Access::Document),
            ("/api/docs/swagger-ui.css", Access::Document),
            ("/api/docs/other", Access::Member),
            ("/api", Access::Member),
            ("/api/", Access::Member),
            ("/api/records/accounts/upsert", Access::Member),
            ("/api/admin", Access::Operator),
            ("/api/admin/status", Access::Operator),
            ("/api/administrators", Access::Member),
        ] {
            assert_eq!(Access::of_path(path), guard, "{path}");
        }
    }

    #[test]
    fn secrets_are_not_in_debug_output() {
        let credentials = Credentials { api_key: "upd_secret", business_id: "b", user_id: "u" };
        assert!(!format!("{credentials:?}").contains("secret"));
        assert!(!format!("{:?}", OperatorKey::new("a secret")).contains("secret"));
    }

    #[test]
    fn only_the_operator_key_itself_is_the_operator_key() {
        let key = OperatorKey::new("correct horse");
        assert!(key.is("correct horse"));
        for wrong in ["", "correct", "correct horse ", "Correct horse"] {
            assert!(!key.is(wrong), "{wrong}");
        }
    }
}
