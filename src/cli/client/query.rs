//! What is asked for: a path below the server's URL, with parameters, and perhaps a body.
//!
//! It must not know who asks.

use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use std::borrow::Cow;

/// Names and values behind the path.
pub(crate) type Parameters = Vec<(Cow<'static, str>, String)>;

/// One request, which may be sent any number of times.
#[derive(Clone, Debug)]
pub(crate) struct Query<'a> {
    pub(crate) path: String,
    pub(crate) parameters: Parameters,
    pub(crate) body: Option<Body<'a>>,
}

/// What is sent along.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Body<'a> {
    pub(crate) content_type: &'static str,
    pub(crate) bytes: &'a [u8],
}

impl<'a> Query<'a> {
    pub(crate) fn get(path: String) -> Self {
        Self { path, parameters: Vec::new(), body: None }
    }

    pub(crate) fn post(path: String, content_type: &'static str, bytes: &'a [u8]) -> Self {
        Self { path, parameters: Vec::new(), body: Some(Body { content_type, bytes }) }
    }

    #[must_use]
    pub(crate) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.parameters.push((name.into(), value.into()));
        self
    }

    #[must_use]
    pub(crate) fn with_flag(self, name: &'static str, is_set: bool) -> Self {
        if is_set { self.with(name, "true") } else { self }
    }

    /// A list, if there is anything in it.
    #[must_use]
    pub(crate) fn with_list(self, name: &'static str, values: &[String]) -> Self {
        if values.is_empty() { self } else { self.with(name, values.join(",")) }
    }
}

/// The name or id of an object as a part of a path: letters, digits, `_` and `-`.
pub(crate) fn object_in_path(object: &str) -> Result<&str, Failure> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    if !object.is_empty() && object.bytes().all(is_plain) {
        return Ok(object);
    }
    let what = format!("{object:?} is neither the API name of an object nor an id");
    let way_out =
        "an API name has letters, digits, _ and - alone; GET /api/custom-objects lists them";
    Err(Failure::new(Exit::WrongUsage, "object_invalid", what, way_out))
}
