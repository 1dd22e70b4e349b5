//! The pure core: values, schema, records, and what may happen to them.
//!
//! Nothing here waits, reads a clock, draws randomness, touches a file, or knows JSON or HTTP.

pub mod catalog;
pub mod id;
pub mod input;
pub mod key;
pub mod schema;
pub mod moment;
pub mod state;
pub mod table;
pub mod value;
