//! The API in other people's hands: clients that are generated from its document, a fuzzer that
//! reads it, and the connectors of `docs/connect`, against the real server.
//!
//! Their programs are not Rust's. `.ci/run` installs them and names where; elsewhere these tests
//! say that they were not run.

mod connected;
mod fuzzed;
mod generated;
mod workshop;
