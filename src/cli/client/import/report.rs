//! What became of the rows of a file: refused ones as they come, the sum at the end.

use crate::ambient::Clock;
use crate::cli::client::arguments::Output;
use crate::cli::client::import::FileArguments;
use crate::cli::client::import::file::Row;
use crate::cli::client::notes::Notes;
use crate::cli::client::rows::{Counts, Sent};
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use serde_json::json;
use std::io::{self, ErrorKind, Write as _};

/// So many refused rows are told one by one where people read.
const TOLD_MAX: u64 = 20;
const PROGRESS_EVERY_NS: u64 = 5_000_000_000;

/// The sum so far.
pub(super) struct Report {
    object: String,
    output: Output,
    is_dry: bool,
    counts: Counts,
    rows: u64,
    refused: u64,
    ignored_columns: Vec<String>,
    is_first: bool,
    told_ns: u64,
}

impl Report {
    pub(super) fn new(arguments: &FileArguments, is_dry: bool) -> Self {
        Self {
            object: arguments.object.clone(),
            output: arguments.server.output,
            is_dry,
            counts: Counts::new(),
            rows: 0,
            refused: 0,
            ignored_columns: Vec::new(),
            is_first: true,
            told_ns: 0,
        }
    }

    /// Whether nothing was sent yet.
    pub(super) fn is_first(&self) -> bool {
        self.is_first
    }

    pub(super) fn refused(&self) -> u64 {
        self.refused
    }

    pub(super) fn take(&mut self, part: &[Row], sent: Sent, notes: Notes) {
        self.is_first = false;
        for (row, refusal) in &sent.refused {
            self.refused += 1;
            let line = part[*row].line;
            match self.output {
                Output::Json => {
                    let (code, reason) = (&refusal.code, refusal.to_string());
                    notes.say_plain(json!({"line": line, "code": code, "reason": reason}));
                }
                Output::Text if self.refused <= TOLD_MAX => {
                    notes.say(format_args!("line {line}: {refusal}"));
                }
                Output::Text if self.refused == TOLD_MAX + 1 => {
                    notes.say("more rows are refused; --rejects FILE keeps them all");
                }
                Output::Text => {}
            }
        }
        for (action, count) in sent.counts {
            self.rows += count;
            *self.counts.entry(action).or_default() += count;
        }
        self.ignored_columns = sent.ignored_columns;
    }

    /// Says from time to time how far it is.
    pub(super) fn tell_progress(&mut self, clock: &Clock, notes: Notes) {
        let now_ns = clock.monotonic_ns();
        if now_ns - self.told_ns >= PROGRESS_EVERY_NS {
            self.told_ns = now_ns;
            notes.say(format_args!("{} rows so far", self.rows));
        }
    }

    /// Writes the sum to standard output; refused rows are findings.
    pub(super) fn finish(self) -> Result<(), Failure> {
        let counts: Counts = self
            .counts
            .iter()
            .filter(|(_, count)| **count > 0)
            .map(|(a, n)| (a.clone(), *n))
            .collect();
        let told = match self.output {
            Output::Json => json!({
                "object": self.object,
                "dry_run": self.is_dry,
                "rows": self.rows,
                "counts": counts,
                "ignored_columns": self.ignored_columns,
            })
            .to_string(),
            Output::Text => {
                let counts: Vec<String> =
                    counts.iter().map(|(action, count)| format!("{count} {action}")).collect();
                let counts = if counts.is_empty() { "none".to_owned() } else { counts.join(", ") };
                let would = if self.is_dry { " (dry run, nothing is written)" } else { "" };
                let rows = if self.rows == 1 { "row" } else { "rows" };
                let mut told = format!("{} {rows}: {counts}{would}", self.rows);
                if !self.ignored_columns.is_empty() {
                    told.push_str("; passed over: ");
                    told.push_str(&self.ignored_columns.join(", "));
                }
                told
            }
        };
        print(&told)?;
        if self.refused == 0 {
            return Ok(());
        }
        let rows = if self.refused == 1 { "row was" } else { "rows were" };
        let what = format!("{} {rows} refused; all others are done", self.refused);
        let way_out = "the lines above say why; --rejects FILE writes such rows to a file that \
                       can be mended and imported";
        Err(Failure::new(Exit::Findings, "rows_refused", what, way_out))
    }
}

/// Writes out what each row of a part would change, and counts those that would change anything.
pub(super) fn tell_differences(part: &[Row], sent: &Sent, output: Output) -> Result<u64, Failure> {
    let mut told: Vec<(u64, String)> = Vec::new();
    for (row, done) in sent.done.iter().filter(|(_, done)| done.action != "unchanged") {
        let (line, fields) = (part[*row].line, &done.changed_fields);
        told.push(match output {
            Output::Json => (
                line,
                json!({"line": line, "action": done.action, "id": done.id, "changed_fields": fields})
                    .to_string(),
            ),
            Output::Text if fields.is_empty() => (line, format!("line {line}: {}", done.action)),
            Output::Text => (line, format!("line {line}: {} ({})", done.action, fields.join(", "))),
        });
    }
    for (row, refusal) in &sent.refused {
        let (line, code) = (part[*row].line, &refusal.code);
        told.push(match output {
            Output::Json => {
                let reason = refusal.to_string();
                let said =
                    json!({"line": line, "action": "failed", "code": code, "reason": reason});
                (line, said.to_string())
            }
            Output::Text => (line, format!("line {line}: refused, {refusal}")),
        });
    }
    told.sort_by_key(|(line, _)| *line);
    told.iter().try_for_each(|(_, text)| print(text))?;
    Ok(u64::try_from(told.len()).unwrap_or(u64::MAX))
}

/// Differences are findings.
pub(super) fn differences(count: u64) -> Result<(), Failure> {
    if count == 0 {
        return Ok(());
    }
    let rows = if count == 1 { "row differs" } else { "rows differ" };
    let what = format!("{count} {rows} from what is there");
    let way_out = "`upsertd import` with the same file writes them";
    Err(Failure::new(Exit::Findings, "differences", what, way_out))
}

fn print(line: &str) -> Result<(), Failure> {
    match writeln!(io::stdout(), "{line}") {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            let what = "standard output cannot be written to".to_owned();
            let way_out = "what was written is written; run it again to see it";
            Err(Failure::new(Exit::StorageFailed, "stdout_failed", what, way_out).because(error))
        }
        Ok(()) | Err(_) => Ok(()),
    }
}
