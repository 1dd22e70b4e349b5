//! `upsertd export`: every record of an object as of one instant, to standard output or a file.
//!
//! A file has its name only when it is whole: it is written aside, synced, and renamed. What it is
//! made of is handed on as it comes.

use crate::cli::client::arguments::{Output, ServerArguments};
use crate::cli::client::connection::Connection;
use crate::cli::client::query::{Query, object_in_path};
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use clap::{Args, ValueEnum};
use serde_json::json;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};

/// So much is read and written at once.
const PIECE_BYTES: usize = 64 << 10;

pub(crate) const EXAMPLES: &str = r#"Examples:
  upsertd export accounts > accounts.ndjson
  upsertd export accounts --format csv --labels -o accounts.csv
  upsertd export accounts --fields name,note --archived include
  upsertd export accounts --query '[{"filters":[{"field":"seats","condition":">","value":5}]}]'

It ends by naming a cursor; an export and then `upsertd tail OBJECT --after CURSOR`
together miss nothing and repeat nothing."#;

#[derive(Args, Clone, Debug)]
pub(crate) struct ExportArguments {
    /// API name or id of the object
    object: String,
    /// The form of the records
    #[arg(long, value_enum, value_name = "FORM", default_value = "ndjson")]
    format: Form,
    /// The fields, by API name; in CSV the columns in this order [default: all]
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    fields: Vec<String>,
    /// Whether archived records are among them
    #[arg(long, value_enum, value_name = "WHICH", default_value = "exclude")]
    archived: Archived,
    /// Options by label instead of id (CSV)
    #[arg(long)]
    labels: bool,
    /// Keep a spreadsheet from taking a text for a formula (CSV)
    #[arg(long)]
    excel: bool,
    /// Only records that this finds, as in a search
    #[arg(long, value_name = "JSON")]
    query: Option<String>,
    /// A file to write to; there is one only if it is whole
    #[arg(long, short = 'o', value_name = "FILE")]
    to: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) server: ServerArguments,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Form {
    Ndjson,
    Csv,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Archived {
    Exclude,
    Include,
    Only,
}

/// Writes the export out.
pub(crate) fn run(arguments: &ExportArguments) -> Result<(), Failure> {
    let mut connection = Connection::find(&arguments.server, None)?;
    let body = arguments.query.as_deref().map(body).transpose()?;
    let query = query(arguments, body.as_deref())?;
    let what = format!("to export {}", arguments.object);
    let opened = connection.open(&query, &what)?;
    let copied = match &arguments.to {
        None => copy(opened.body, &mut io::stdout().lock()),
        Some(file) => write_file(opened.body, file),
    };
    let bytes = match copied {
        Ok(bytes) => bytes,
        // Whoever reads has had enough.
        Err(CopyError::Write(error)) if error.kind() == ErrorKind::BrokenPipe => return Ok(()),
        Err(CopyError::Write(error)) => return Err(cannot_write(arguments.to.as_deref(), error)),
        Err(CopyError::Read(error)) => return Err(broken_off(error)),
    };
    let (object, cursor) = (&arguments.object, opened.cursor.as_deref().unwrap_or_default());
    let notes = connection.notes();
    match arguments.server.output {
        Output::Json => {
            notes.say_plain(json!({"object": object, "bytes": bytes, "cursor": cursor}));
        }
        Output::Text => notes.say(format_args!(
            "{bytes} bytes; changes since: upsertd tail {object} --after {cursor}"
        )),
    }
    Ok(())
}

fn query<'a>(arguments: &ExportArguments, body: Option<&'a [u8]>) -> Result<Query<'a>, Failure> {
    let path = format!("/api/records/{}/export", object_in_path(&arguments.object)?);
    let query = match body {
        None => Query::get(path),
        Some(body) => Query::post(path, "application/json", body),
    };
    let format = match arguments.format {
        Form::Ndjson => "ndjson",
        Form::Csv => "csv",
    };
    let archived = match arguments.archived {
        Archived::Exclude => "exclude",
        Archived::Include => "include",
        Archived::Only => "only",
    };
    let query = query
        .with("format", format)
        .with("archived", archived)
        .with_list("field_names", &arguments.fields)
        .with_flag("labels", arguments.labels)
        .with_flag("excel", arguments.excel);
    Ok(query)
}

/// The body of a search with these groups.
fn body(groups: &str) -> Result<Vec<u8>, Failure> {
    let groups: serde_json::Value = serde_json::from_str(groups).map_err(|error| {
        let what = "--query is not JSON".to_owned();
        let way_out = "give the list of groups that the `query` of a search has, in the shell's \
                       quotes: '[{\"filters\":[…]}]'";
        Failure::new(Exit::WrongUsage, "query_invalid", what, way_out).because(error)
    })?;
    Ok(json!({"query": groups}).to_string().into_bytes())
}

/// Which side has failed.
#[derive(Debug)]
enum CopyError {
    Read(io::Error),
    Write(io::Error),
}

fn copy(mut from: impl Read, to: &mut impl Write) -> Result<u64, CopyError> {
    let mut piece = vec![0; PIECE_BYTES];
    let mut bytes = 0;
    loop {
        match from.read(&mut piece) {
            Ok(0) => break,
            Ok(read) => {
                to.write_all(&piece[..read]).map_err(CopyError::Write)?;
                bytes += read as u64;
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(CopyError::Read(error)),
        }
    }
    to.flush().map_err(CopyError::Write)?;
    Ok(bytes)
}

fn write_file(from: impl Read, path: &Path) -> Result<u64, CopyError> {
    let mut name = path.as_os_str().to_owned();
    name.push(".partial");
    let aside = PathBuf::from(name);
    let copied = (|| {
        let mut file = File::create(&aside).map_err(CopyError::Write)?;
        let bytes = copy(from, &mut file)?;
        file.sync_all().and_then(|()| fs::rename(&aside, path)).map_err(CopyError::Write)?;
        Ok(bytes)
    })();
    if copied.is_err() {
        // A part is of no use to anybody; if it cannot be removed, its name tells what it is.
        drop(fs::remove_file(&aside));
    }
    copied
}

fn cannot_write(file: Option<&Path>, error: io::Error) -> Failure {
    let place = file.map_or("standard output".to_owned(), |file| file.display().to_string());
    let what = format!("{place} cannot be written to");
    let way_out = "make room or name another file, and begin again";
    Failure::new(Exit::StorageFailed, "output_failed", what, way_out).because(error)
}

fn broken_off(error: io::Error) -> Failure {
    let what = "the export broke off: what has been written is not all of it".to_owned();
    let way_out = "begin again. The server ends an export when it stops, when the rights of the \
                   caller change, and when too much is changed while it is read too slowly";
    Failure::new(Exit::ServerUnreachable, "export_broken_off", what, way_out).because(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives some bytes, and then breaks.
    struct Breaking(&'static [u8]);

    impl Read for Breaking {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            match self.0.read(buffer)? {
                0 => Err(ErrorKind::UnexpectedEof.into()),
                read => Ok(read),
            }
        }
    }

    #[test]
    fn a_file_is_there_only_if_it_is_whole() {
        let folder = tempfile::TempDir::new().unwrap();
        let path = folder.path().join("accounts.csv");
        assert!(matches!(write_file(Breaking(b"a,b\n"), &path), Err(CopyError::Read(_))));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
        assert_eq!(write_file(&b"a,b\n1,2\n"[..], &path).unwrap(), 8);
        // An earlier one stays when a later one breaks off.
        assert!(write_file(Breaking(b"c"), &path).is_err());
        assert_eq!(fs::read(&path).unwrap(), b"a,b\n1,2\n");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
