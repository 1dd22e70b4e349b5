//! The document of the API in other people's hands: clients that are generated from it, and a
//! fuzzer that reads it, against the real server.
//!
//! Their programs are not Rust's. `.ci/run` installs them and names where; elsewhere these tests
//! say that they were not run.

mod fuzzed;
mod generated;
mod workshop;
