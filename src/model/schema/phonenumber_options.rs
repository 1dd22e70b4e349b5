//! What a phonenumber field keeps, and how a request asks for it.
//!
//! Must not know numbers.

use serde::{Deserialize, Serialize};

/// What is kept of a number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PhonenumberOptions {
    /// An extension is kept behind the number.
    pub enable_extension: bool,
}

/// What a new phonenumber field is to keep, if it was given.
#[derive(Clone, Copy, Debug, Default)]
pub struct NewPhonenumberOptions {
    pub enable_extension: Option<bool>,
}

impl NewPhonenumberOptions {
    pub(super) fn read(self) -> PhonenumberOptions {
        PhonenumberOptions { enable_extension: self.enable_extension.unwrap_or_default() }
    }
}
