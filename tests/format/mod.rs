//! What lies on the disk: golden files, rot, shuffled files, failing disks and power cuts.
//!
//! Everything here runs on a disk in memory; each failure prints the seed or the call that led to
//! it.

mod cuts;
mod faults;
mod golden;
mod lives;
mod restores;
mod rot;
mod shuffles;
mod tears;
mod world;
