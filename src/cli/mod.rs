//! The process: command line, log, start, end, and errors as the operator sees them.
//!
//! It wires everything and is known by nobody but `main`.

mod arguments;
mod client;
mod core;
pub mod data;
pub mod exit;
pub mod failure;
mod log;
mod restore;
mod serve;
mod welcome;

use crate::cli::arguments::{Arguments, Command};
use crate::cli::client::arguments::Output;
use crate::cli::client::singer::Protocol;
use crate::cli::client::{export, import, singer, tail};
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use clap::Parser as _;
use miette::{MietteHandlerOpts, Report};
use rustix::fs::Mode;
use std::io::{self, Write as _};
use std::panic;
use std::process::ExitCode;

/// Runs the command that the arguments name.
#[must_use]
pub fn run() -> ExitCode {
    // Nothing this process makes is for other users of the machine.
    rustix::process::umask(Mode::RWXG | Mode::RWXO);
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            drop(error.print());
            let exit = if error.use_stderr() { Exit::WrongUsage } else { Exit::Done };
            return exit.into();
        }
    };
    let output = arguments.output();
    let Ok(done) = panic::catch_unwind(|| match arguments.command {
        None => serve::run(arguments.serve),
        Some(Command::Serve(serve)) => serve::run(serve),
        Some(Command::Restore(restore)) => restore::run(&restore),
        Some(Command::Tail(arguments)) => tail::run(&arguments),
        Some(Command::Export(arguments)) => export::run(&arguments),
        Some(Command::Import(arguments)) => import::run(&arguments),
        Some(Command::Diff(arguments)) => import::diff(&arguments),
        Some(Command::Target(arguments)) => match arguments.protocol {
            Protocol::Singer(arguments) => singer::run(&arguments),
        },
    }) else {
        return Exit::Bug.into();
    };
    match done {
        Ok(()) => Exit::Done.into(),
        Err(failure) => {
            let exit = failure.exit();
            let text = match output {
                Output::Text => for_people(failure),
                Output::Json => failure.to_json(),
            };
            // Without a standard error nobody can be told; the code still tells.
            drop(writeln!(io::stderr(), "{text}"));
            exit.into()
        }
    }
}

fn for_people(failure: Failure) -> String {
    // A path that is cut into lines cannot be copied.
    let unwrapped = |_: &_| -> Box<dyn miette::ReportHandler> {
        Box::new(MietteHandlerOpts::new().wrap_lines(false).build())
    };
    drop(miette::set_hook(Box::new(unwrapped)));
    format!("{:?}", Report::new(failure))
}
