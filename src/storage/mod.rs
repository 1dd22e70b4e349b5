//! Files and threads: how the events of a partition become durable, and how they come back.
//!
//! Blocking ends here. Nothing here is async, knows actix, reads a clock or draws randomness:
//! times, ids and seeds are arguments. It moves bytes: what an event says is never looked at.

pub mod committer;
pub mod error;
pub mod frame;
pub mod log;
pub mod memory_log;
pub mod part;
