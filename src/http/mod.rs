//! The HTTP edge: connections, requests, wire shapes, identity, errors, pages.
//!
//! It may use the engine, the model, and `ambient`; it must not know files, storage, settings, or
//! what an upsert does.

pub mod code;
pub mod fault;
pub mod json;
pub mod problem;
pub mod request_id;
