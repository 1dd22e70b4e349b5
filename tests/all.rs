//! The one test binary: it links once, and each module is a kind of test.
//!
//! `api` and `durability` judge the built binary as a stranger would, over real HTTP and with real
//! signals, and `command` its commands that ask a server; `clients` lets other people's programs do so; `format` holds the bytes on the disk and
//! breaks them; `simulation` drives the library on a disk that fails; `tidy` and `readme` judge the
//! sources and the documents.

mod api;
mod clients;
mod command;
mod durability;
mod format;
mod readme;
mod simulation;
mod support;
mod tidy;
