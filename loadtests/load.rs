//! The load generator: starts a server, drives it in a closed loop, and prints ratios.
//!
//! It is a stranger to the server: it starts the binary and speaks HTTP, nothing else. All that it
//! compares is measured in the same run: the bare web framework with the same bodies, and the disk.

mod bulk;
mod ceiling;
mod chunked;
mod clock;
mod contact;
mod disk;
mod drive;
mod error;
mod exchange;
mod fan_out;
mod machine;
mod people;
mod postgres;
mod questions;
mod report;
mod restart;
mod rounds;
mod search;
mod server;
mod settings;
mod stream;
mod tally;
mod traffic;

use clap::Parser;
use error::LoadError;
use settings::{Mode, Settings};
use std::process::ExitCode;

fn main() -> ExitCode {
    match run(&Settings::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("load: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(settings: &Settings) -> Result<(), LoadError> {
    match settings.mode {
        Some(Mode::Ceiling { answer_bytes }) => ceiling::serve(answer_bytes, settings.http_workers),
        None if settings.rows => bulk::measure(settings),
        None if settings.feed => fan_out::measure(settings),
        None => match (settings.restart, settings.search) {
            (Some(records), _) => restart::measure(settings, records),
            (None, Some(records)) => search::measure(settings, records),
            (None, None) => rounds::measure(settings),
        },
    }
}
