//! Commands that talk to a running server, over HTTP alone.
//!
//! They may be on another machine than the server is, so nothing here may know its data directory
//! (but for the credentials that a first start leaves there), its engine or its storage.

pub(crate) mod arguments;
mod caller;
mod connection;
pub(crate) mod export;
pub(crate) mod import;
mod notes;
mod query;
mod refusal;
mod rows;
pub(crate) mod singer;
pub(crate) mod tail;
