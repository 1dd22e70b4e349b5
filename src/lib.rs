//! upsertd: an in-memory, durable HTTP server for records with a race-free upsert.
//!
//! The library exists for the binary, its tests and its load generator; it promises nothing to
//! others before 1.0. `ARCHITECTURE.md` is the map.

pub mod ambient;
pub mod cli;
pub mod config;
pub mod engine;
pub mod http;
pub mod model;
pub mod storage;
