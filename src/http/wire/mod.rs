//! The shapes of requests and answers.

pub mod archived;
pub mod conflict;
pub mod fields;
pub mod identifier;
pub mod record;
pub mod selection;
pub mod team;
pub mod value;
pub mod writes;
