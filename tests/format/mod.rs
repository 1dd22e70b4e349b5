//! What lies on the disk: golden files, rot, shuffled files, failing disks and power cuts.
//!
//! Most of it runs on a disk in memory; each failure prints the seed or the call that led to it.

#![expect(clippy::unwrap_used, reason = "a test may fail; the lint knows only test functions")]

mod cuts;
mod faults;
mod golden;
mod lives;
mod real;
mod restores;
mod rot;
mod shuffles;
mod tears;
mod world;
