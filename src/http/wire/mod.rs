//! The shapes of requests and answers.

pub mod activities;
pub mod activity_body;
pub mod activity_type_body;
pub mod api_keys;
pub mod archived;
pub mod business;
pub mod conflict;
pub mod country;
pub mod fields;
pub mod filter;
pub mod identifier;
pub mod keys;
pub mod member_row;
pub mod members;
pub mod objects;
pub mod record;
pub mod related;
pub mod schema_changes;
pub mod schema_fields;
pub mod search;
pub mod selection;
pub mod status;
pub mod team;
pub mod value;
pub mod writes;
