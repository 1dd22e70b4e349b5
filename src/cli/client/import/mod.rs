//! `upsertd import` and `upsertd diff`: rows of a file, written, or held against what is there.
//!
//! The server reads columns and cells; here a file is cut into parts that are sent one after the
//! other. So a part that broke off is sent again, and what is behind it waits.

mod file;
mod rejects;
mod report;

use crate::cli::client::arguments::ServerArguments;
use crate::cli::client::connection::Connection;
use crate::cli::client::import::file::{Form, Row, Rows as FileRows};
use crate::cli::client::import::rejects::RejectFile;
use crate::cli::client::import::report::Report;
use crate::cli::client::query::Parameters;
use crate::cli::client::rows::{BYTES_AT_ONCE, ROWS_AT_ONCE, Rows};
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use clap::{Args, ValueEnum};
use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};

/// A dry run sends so much at once, since rows must see what those before them would do; none of it
/// is kept by the server.
const DRY_BYTES_AT_ONCE: usize = 64 << 20;
/// A dry run ends after so many refused rows: their results must fit into what a server holds for a
/// client that does not read yet.
const DRY_REFUSED_MAX: &str = "300";

pub(crate) const IMPORT_EXAMPLES: &str = "\
Examples:
  upsertd import accounts accounts.csv --dry-run       what would be done
  upsertd import accounts accounts.csv
  upsertd import accounts accounts.csv --rejects bad.csv
  upsertd import accounts accounts.csv --map Region=account_region --map Notes=
  cat rows.ndjson | upsertd import accounts - --match external_id

A file has a first row that names its columns (CSV), or an object a line (NDJSON). Columns
are API names, ids or labels of fields; that of the identifier may be called lookup_value.
What is imported twice is unchanged, so a file that broke off is imported again.";

pub(crate) const DIFF_EXAMPLES: &str = "\
Examples:
  upsertd diff accounts accounts.csv                   exit code 1: something would change
  upsertd diff accounts accounts.csv --output json     one object a row

Nothing is written. Rows are compared with what is there, each for itself.";

/// What both commands take.
#[derive(Args, Clone, Debug)]
pub(crate) struct FileArguments {
    /// API name or id of the object
    object: String,
    /// The file, or - for standard input
    file: PathBuf,
    /// The form of the file [default: by its name; of standard input csv]
    #[arg(long, value_enum, value_name = "FORM")]
    format: Option<FormArgument>,
    /// What stands between cells: , ; or tab
    #[arg(long, value_name = "CHARACTER", default_value = ",", value_parser = delimiter)]
    delimiter: u8,
    /// The field of a column, or nothing to leave it out; can be repeated
    #[arg(long, value_name = "COLUMN=FIELD", value_parser = mapping)]
    map: Vec<(String, String)>,
    /// Pass over columns that are no fields
    #[arg(long)]
    ignore_unknown: bool,
    /// Find records by these unique fields, the most important first
    #[arg(long = "match", value_name = "LIST")]
    matches: Option<String>,
    /// `upsert`, `create`, `update` or `get_or_create`
    #[arg(long, value_name = "MODE", hide_short_help = true)]
    mode: Option<String>,
    /// What blank cells do: ignore or clear
    #[arg(long, value_name = "WHAT", hide_short_help = true)]
    blank: Option<String>,
    /// What becomes of an archived record that is found, as the API calls it
    #[arg(long, value_name = "WHAT", hide_short_help = true)]
    oncreate_unarchive: Option<String>,
    #[command(flatten)]
    pub(crate) server: ServerArguments,
}

#[derive(Args, Clone, Debug)]
pub(crate) struct ImportArguments {
    /// Write nothing, and say what would be done
    #[arg(long)]
    dry_run: bool,
    /// Write refused rows to this file, which can be mended and imported
    #[arg(long, value_name = "FILE")]
    rejects: Option<PathBuf>,
    /// End after so many refused rows
    #[arg(long, value_name = "NUMBER", hide_short_help = true)]
    max_errors: Option<u64>,
    /// Begin with the row in this line
    #[arg(long, value_name = "LINE", default_value = "1", hide_short_help = true)]
    from_line: u64,
    /// For which system it is written
    #[arg(long, value_name = "NAME", hide_short_help = true)]
    origin: Option<String>,
    // Last, since what follows the server's options would stand among them.
    #[command(flatten)]
    pub(crate) file: FileArguments,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum FormArgument {
    Csv,
    Ndjson,
}

fn delimiter(text: &str) -> Result<u8, String> {
    match text {
        "tab" | "\t" | "\\t" => Ok(b'\t'),
        "," | ";" => Ok(text.as_bytes()[0]),
        _ => Err("expected , ; or tab".to_owned()),
    }
}

fn mapping(text: &str) -> Result<(String, String), String> {
    let (column, field) = text.split_once('=').ok_or("expected COLUMN=FIELD, or COLUMN=")?;
    Ok((column.to_owned(), field.to_owned()))
}

/// Writes the rows of a file.
pub(crate) fn run(arguments: &ImportArguments) -> Result<(), Failure> {
    let mut connection = Connection::find(&arguments.file.server, None)?;
    connection.write_for(arguments.origin.clone());
    let mut parts = Parts::open(&arguments.file)?;
    let mut parameters = arguments.file.parameters();
    if arguments.dry_run {
        parameters.push(("dry_run".into(), "true".to_owned()));
        parameters.push(("max_errors".into(), DRY_REFUSED_MAX.to_owned()));
    }
    let rejects = arguments.rejects.as_deref();
    let mut rejects =
        rejects.map(|path| RejectFile::make(path, parts.header.as_deref())).transpose()?;
    let rows = Rows::import(arguments.file.object.clone(), parts.header.clone(), parameters);
    let limits = if arguments.dry_run {
        Limits { rows: usize::MAX, bytes: DRY_BYTES_AT_ONCE }
    } else {
        Limits { rows: ROWS_AT_ONCE, bytes: BYTES_AT_ONCE }
    };
    let mut report = Report::new(&arguments.file, arguments.dry_run);
    loop {
        let part = parts.next(limits, arguments.from_line)?;
        if part.is_empty() && !report.is_first() {
            break;
        }
        // An empty file is sent too: its columns may be wrong.
        let lines: Vec<&[u8]> = part.iter().map(|row| &*row.bytes).collect();
        let sent = rows.send(&mut connection, &lines).map_err(|failure| match part.first() {
            Some(row) if !report.is_first() => failure.with_hint(&format!(
                "rows before line {} are done: go on with --from-line {}",
                row.line, row.line
            )),
            Some(_) | None => failure,
        })?;
        if let Some(rejects) = &mut rejects {
            rejects.take(sent.refused.iter().map(|(row, _)| &part[*row]))?;
        }
        let (is_cut, notes) = (sent.is_cut, connection.notes());
        report.take(&part, sent, notes);
        if is_cut || arguments.max_errors.is_some_and(|most| report.refused() >= most) {
            notes.say("ended before the end of the file, since so many rows are refused");
            break;
        }
        report.tell_progress(connection.clock(), notes);
        if part.is_empty() {
            break;
        }
    }
    if let Some(rejects) = rejects {
        rejects.finish()?;
    }
    report.finish()
}

/// Tells what writing the rows of a file would change.
pub(crate) fn diff(arguments: &FileArguments) -> Result<(), Failure> {
    let mut connection = Connection::find(&arguments.server, None)?;
    let mut parts = Parts::open(arguments)?;
    let mut parameters = arguments.parameters();
    parameters.push(("dry_run".into(), "true".to_owned()));
    let rows = Rows::import(arguments.object.clone(), parts.header.clone(), parameters);
    let rows = rows.telling_all();
    let limits = Limits { rows: ROWS_AT_ONCE, bytes: BYTES_AT_ONCE };
    let mut differences = 0;
    loop {
        let part = parts.next(limits, 1)?;
        if part.is_empty() {
            break;
        }
        let lines: Vec<&[u8]> = part.iter().map(|row| &*row.bytes).collect();
        let sent = rows.send(&mut connection, &lines)?;
        differences += report::tell_differences(&part, &sent, arguments.server.output)?;
    }
    report::differences(differences)
}

impl FileArguments {
    fn parameters(&self) -> Parameters {
        let mut parameters = Parameters::new();
        let optional = [
            ("match", &self.matches),
            ("mode", &self.mode),
            ("blank", &self.blank),
            ("oncreate_unarchive", &self.oncreate_unarchive),
        ];
        for (name, value) in optional {
            parameters.extend(value.clone().map(|value| (name.into(), value)));
        }
        if self.delimiter != b',' && self.form() != FormArgument::Ndjson {
            parameters.push(("delimiter".into(), char::from(self.delimiter).to_string()));
        }
        if self.ignore_unknown {
            parameters.push(("ignore_unknown".into(), "true".to_owned()));
        }
        let maps = self.map.iter();
        parameters.extend(maps.map(|(column, to)| (format!("map.{column}").into(), to.clone())));
        parameters
    }

    fn form(&self) -> FormArgument {
        let by_name = || {
            let extension = self.file.extension().and_then(|extension| extension.to_str());
            let is_lines = extension.is_some_and(|extension| {
                ["ndjson", "jsonl"].iter().any(|name| extension.eq_ignore_ascii_case(name))
            });
            if is_lines { FormArgument::Ndjson } else { FormArgument::Csv }
        };
        self.format.unwrap_or_else(by_name)
    }
}

/// How much is sent at once.
#[derive(Clone, Copy)]
struct Limits {
    rows: usize,
    bytes: usize,
}

/// A file in parts.
struct Parts {
    rows: FileRows<Box<dyn BufRead>>,
    /// The first row of a table.
    header: Option<Vec<u8>>,
    path: PathBuf,
}

impl Parts {
    fn open(arguments: &FileArguments) -> Result<Self, Failure> {
        let path = arguments.file.clone();
        let input: Box<dyn BufRead> = if path == Path::new("-") {
            Box::new(BufReader::new(io::stdin()))
        } else {
            let file = File::open(&path).map_err(|error| cannot_read(&path, error))?;
            Box::new(BufReader::new(file))
        };
        let form = match arguments.form() {
            FormArgument::Csv => Form::Csv(arguments.delimiter),
            FormArgument::Ndjson => Form::Ndjson,
        };
        let mut rows = FileRows::new(input, form);
        let header = match form {
            Form::Ndjson => None,
            Form::Csv(_) => {
                let first = rows.next().map_err(|error| cannot_read(&path, error))?;
                Some(first.map(|row| row.bytes).unwrap_or_default())
            }
        };
        Ok(Self { rows, header, path })
    }

    fn next(&mut self, limits: Limits, from_line: u64) -> Result<Vec<Row>, Failure> {
        let mut part = Vec::new();
        let end = self.rows.bytes() + limits.bytes as u64;
        while part.len() < limits.rows && self.rows.bytes() < end {
            let row = self.rows.next().map_err(|error| cannot_read(&self.path, error))?;
            let Some(row) = row else { break };
            if row.line >= from_line {
                part.push(row);
            }
        }
        Ok(part)
    }
}

fn cannot_read(path: &Path, error: io::Error) -> Failure {
    let what = format!("{} cannot be read", path.display());
    let way_out = "name a file of rows as CSV in UTF-8 or as NDJSON, or - for standard input";
    Failure::new(Exit::WrongUsage, "file_unreadable", what, way_out).because(error)
}
