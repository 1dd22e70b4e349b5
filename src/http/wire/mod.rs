//! The shapes of requests and answers.

pub mod fields;
pub mod keys;
pub mod members;
pub mod objects;
pub mod schema_fields;
