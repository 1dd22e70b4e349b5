//! The pure core: values, schema, records, and what may happen to them.
//!
//! Nothing here waits, reads a clock, draws randomness, touches a file, or knows JSON or HTTP.

pub mod access;
pub mod agenda;
pub mod catalog;
pub mod filter;
pub mod id;
pub mod input;
pub mod key;
pub mod moment;
pub mod retry;
pub mod root;
pub mod schema;
pub mod state;
pub mod stored;
pub mod table;
pub mod value;
