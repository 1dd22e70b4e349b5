//! Files and threads: how the events of a partition become durable, and how they come back.
//!
//! Blocking ends here. Nothing here is async, knows actix, reads a clock or draws randomness:
//! times, ids and seeds are arguments. It moves bytes: what an event says is never looked at.

pub mod committer;
pub mod disk;
pub mod error;
pub mod frame;
mod index;
pub mod log;
pub mod memory_disk;
pub mod memory_log;
mod names;
pub mod part;
pub mod real_disk;
pub mod recovery;
pub mod restore;
pub mod retention;
pub mod segment;
pub mod segment_log;
pub mod segments;
pub mod snapshot;
pub mod tail;
mod walk;

pub use names::SnapshotName;
