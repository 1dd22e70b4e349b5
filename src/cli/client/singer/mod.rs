//! `upsertd target singer`: writes the records of a Singer tap, and echoes its states.
//!
//! A state tells the tap that it need never send the records before it again. So it is written out
//! only when each of them is durable, or stands in the file of rejects, which is synced first.

mod config;
mod message;
mod naming;
mod plan;
mod rejects;
mod scene;
mod target;

use crate::cli::client::arguments::ServerArguments;
use crate::cli::client::connection::Connection;
use crate::cli::client::singer::config::Config;
use crate::cli::client::singer::message::{Message, MessageError};
use crate::cli::client::singer::target::Target;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use clap::{Args, Subcommand};
use std::io::{self, BufRead, BufReader, Read};
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::Duration;

/// A longer line of input is refused.
const LINE_BYTES_MAX: u64 = 16 << 20;
/// Lines that are read ahead.
const LINES_AHEAD: usize = 64;
/// How long a record waits for others to be sent with.
const GATHER_MAX: Duration = Duration::from_secs(1);

pub(crate) const EXAMPLES: &str = r#"Examples:
  tap-github --config tap.json | upsertd target singer > states.ndjson
  tap-x | upsertd target singer --config target.json > states.ndjson

Without a configuration each stream becomes an object of its name, each property a
field, and the key properties the identifier; what is missing is made. target.json,
all of which may be left out:

  {"url": "https://crm.example.com", "bootstrap": "bootstrap.json",
   "origin": "tap-x",            for which system it is written
   "create": true,               make objects and fields that are missing
   "rejects": "rejects.ndjson",  refused records go there, and the run goes on
   "streams": {"users": {
     "object": "client_client",  another object than the stream's name
     "match": ["external_id"],   find records by unique fields,
     "lookup": "email",          or by this property as the identifier
     "fields": {"id": "external_id", "email": "email", "secret": null},
     "types": {"zip": "text"},   the type of a field that is made
     "oncreate_unarchive": "unarchive"}}}

Flags and variables say server and caller before the file does."#;

#[derive(Args, Clone, Debug)]
pub(crate) struct TargetArguments {
    #[command(subcommand)]
    pub(crate) protocol: Protocol,
}

/// What is spoken on standard input.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum Protocol {
    /// Write the records of a Singer tap, and echo its states once they are durable
    #[command(after_long_help = EXAMPLES)]
    Singer(Box<SingerArguments>),
}

#[derive(Args, Clone, Debug)]
pub(crate) struct SingerArguments {
    /// What is to be otherwise than the streams say themselves; `--help` shows such a file
    #[arg(long, short, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) server: ServerArguments,
}

/// Reads standard input to its end.
pub(crate) fn run(arguments: &SingerArguments) -> Result<(), Failure> {
    let (config, given) = match &arguments.config {
        None => (Config::default(), None),
        Some(file) => {
            let config = Config::read(file)?;
            let given = config.given(file);
            (config, Some(given))
        }
    };
    let mut connection = Connection::find(&arguments.server, given)?;
    connection.write_for(config.origin.clone());
    let mut target = Target::new(connection, config, arguments.server.output)?;
    let lines = lines();
    let mut number = 0_u64;
    loop {
        let line = match target.waits_for(GATHER_MAX) {
            None => lines.recv().map_err(RecvTimeoutError::from),
            Some(left) => lines.recv_timeout(left),
        };
        match line {
            Ok(line) => {
                number += 1;
                let line = line.map_err(|error| cannot_read(number, error))?;
                take(&mut target, &line, number)?;
            }
            Err(RecvTimeoutError::Timeout) => target.flush()?,
            Err(RecvTimeoutError::Disconnected) => return target.finish(),
        }
    }
}

fn take(target: &mut Target, line: &str, number: u64) -> Result<(), Failure> {
    if line.trim().is_empty() {
        return Ok(());
    }
    match Message::read(line).map_err(|error| no_message(number, error))? {
        Message::Schema(schema) => target.take_schema(schema),
        Message::Record { stream, record, text } => target.take_record(&stream, record, text),
        Message::State(value) => target.take_state(value),
        Message::ActivateVersion => Ok(()),
    }
}

/// The lines of standard input, read by a thread so that waiting for more has an end.
fn lines() -> Receiver<io::Result<String>> {
    let (sender, receiver) = sync_channel(LINES_AHEAD);
    thread::spawn(move || read_lines(BufReader::new(io::stdin()), &sender));
    receiver
}

fn read_lines(mut input: impl BufRead, sender: &SyncSender<io::Result<String>>) {
    loop {
        let mut line = String::new();
        let read = (&mut input).take(LINE_BYTES_MAX).read_line(&mut line);
        let is_cut = line.len() as u64 >= LINE_BYTES_MAX && !line.ends_with('\n');
        let (line, goes_on) = match read {
            Ok(0) => return,
            Ok(_) if is_cut => (Err(io::Error::other("a line has more than 16 MiB")), false),
            Ok(_) => (Ok(line), true),
            Err(error) => (Err(error), false),
        };
        // Nobody listens any more when the command has failed.
        if sender.send(line).is_err() || !goes_on {
            return;
        }
    }
}

fn cannot_read(number: u64, error: io::Error) -> Failure {
    let what = format!("line {number} of standard input cannot be read");
    let way_out = "a tap writes UTF-8, a message a line";
    Failure::new(Exit::WrongUsage, "input_unreadable", what, way_out).because(error)
}

fn no_message(number: u64, error: MessageError) -> Failure {
    let what = format!("line {number} of standard input is no Singer message");
    let way_out = "let the tap write nothing else to standard output, and no BATCH messages";
    Failure::new(Exit::WrongUsage, "message_invalid", what, way_out).because(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_handed_on_until_one_is_too_long() {
        let (sender, receiver) = sync_channel(4);
        let long = vec![b'x'; usize::try_from(LINE_BYTES_MAX).unwrap() + 1];
        let input = [&b"a\nb\r\n"[..], &long, b"\nc"].concat();
        read_lines(&input[..], &sender);
        drop(sender);
        let read: Vec<Result<String, String>> =
            receiver.iter().map(|line| line.map_err(|error| error.to_string())).collect();
        assert_eq!(read.len(), 3);
        assert_eq!(read[..2], [Ok("a\n".to_owned()), Ok("b\r\n".to_owned())]);
        assert!(read[2].as_ref().is_err_and(|error| error.contains("16 MiB")), "{:?}", read[2]);
    }
}
