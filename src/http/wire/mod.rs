//! The shapes of requests and answers.

pub mod archived;
pub mod conflict;
pub mod fields;
pub mod identifier;
pub mod keys;
pub mod members;
pub mod objects;
pub mod record;
pub mod schema_fields;
pub mod selection;
pub mod team;
pub mod value;
pub mod writes;
