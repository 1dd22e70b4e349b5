//! The target: gathers records, sends them, and echoes a state when all before it is safe.
//!
//! Rows of one stream keep their order. It must not know where messages come from.

use crate::cli::client::arguments::Output;
use crate::cli::client::connection::Connection;
use crate::cli::client::query::Parameters;
use crate::cli::client::rows::{BYTES_AT_ONCE, Counts, ROWS_AT_ONCE, Rows, Sent};
use crate::cli::client::singer::config::Config;
use crate::cli::client::singer::message::Schema;
use crate::cli::client::singer::plan::{Plan, PlanError};
use crate::cli::client::singer::rejects::{Reject, Rejects};
use crate::cli::client::singer::scene;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::io::{self, Write as _};
use std::time::Duration;

/// What is true of one stream.
struct Stream {
    schema: Schema,
    plan: Plan,
    rows: Rows,
    counts: Counts,
    pending: Vec<Pending>,
}

/// A record that is not safe yet.
struct Pending {
    record: Box<RawValue>,
    /// Its row, or why it has none.
    row: Result<String, String>,
}

/// Everything between the messages and the server.
pub(super) struct Target {
    connection: Connection,
    config: Config,
    output: Output,
    streams: BTreeMap<String, Stream>,
    rejects: Rejects,
    /// The newest state; it holds when nothing is pending any more.
    state: Option<Box<RawValue>>,
    pending_rows: usize,
    pending_bytes: usize,
    /// When the oldest pending record came.
    pending_since_ns: u64,
}

impl Target {
    pub(super) fn new(
        connection: Connection,
        config: Config,
        output: Output,
    ) -> Result<Self, Failure> {
        let rejects = Rejects::open(config.rejects.as_deref())?;
        Ok(Self {
            connection,
            config,
            output,
            streams: BTreeMap::new(),
            rejects,
            state: None,
            pending_rows: 0,
            pending_bytes: 0,
            pending_since_ns: 0,
        })
    }

    /// How long more records may be waited for; none: there is nothing to send.
    pub(super) fn waits_for(&self, most: Duration) -> Option<Duration> {
        if self.pending_rows == 0 {
            return None;
        }
        let waited = self.connection.clock().monotonic_ns() - self.pending_since_ns;
        Some(most.saturating_sub(Duration::from_nanos(waited)))
    }

    /// Takes what a stream's records are like from here on.
    pub(super) fn take_schema(&mut self, schema: Schema) -> Result<(), Failure> {
        // Some taps repeat it before every record.
        if self.streams.get(&schema.stream).is_some_and(|stream| stream.schema == schema) {
            return Ok(());
        }
        // Records that came before were meant by the schema before.
        self.flush()?;
        let name = schema.stream.clone();
        let planned = Plan::of(&schema, self.config.stream(&name));
        let mut plan = planned.map_err(|error| no_plan(&name, error))?;
        scene::prepare(&mut self.connection, &mut plan, self.config.create)?;
        let mut parameters = Parameters::new();
        if !plan.matches.is_empty() {
            parameters.push(("match".into(), plan.matches.join(",")));
        }
        parameters.extend(
            plan.oncreate_unarchive.clone().map(|mode| ("oncreate_unarchive".into(), mode)),
        );
        let rows = Rows::upserts(plan.object.clone(), parameters);
        let counts = self.streams.remove(&name).map(|stream| stream.counts).unwrap_or_default();
        let pending = Vec::new();
        self.streams.insert(name, Stream { schema, plan, rows, counts, pending });
        Ok(())
    }

    pub(super) fn take_record(
        &mut self,
        stream: &str,
        record: Map<String, Value>,
        text: &RawValue,
    ) -> Result<(), Failure> {
        let Some(stream) = self.streams.get_mut(stream) else { return Err(no_schema(stream)) };
        let row = stream.plan.row(record).map_err(|error| error.to_string());
        if self.pending_rows == 0 {
            self.pending_since_ns = self.connection.clock().monotonic_ns();
        }
        self.pending_rows += 1;
        self.pending_bytes += text.get().len();
        stream.pending.push(Pending { record: text.to_owned(), row });
        if self.pending_rows >= ROWS_AT_ONCE || self.pending_bytes >= BYTES_AT_ONCE {
            self.flush()?;
        }
        Ok(())
    }

    pub(super) fn take_state(&mut self, value: &RawValue) -> Result<(), Failure> {
        self.state = Some(value.to_owned());
        if self.pending_rows == 0 { self.echo() } else { Ok(()) }
    }

    /// Makes everything safe that has come, and then says so.
    pub(super) fn flush(&mut self) -> Result<(), Failure> {
        for (name, stream) in &mut self.streams {
            let pending = std::mem::take(&mut stream.pending);
            if pending.is_empty() {
                continue;
            }
            let places: Vec<usize> =
                (0..pending.len()).filter(|place| pending[*place].row.is_ok()).collect();
            let rows = pending.iter().filter_map(|pending| pending.row.as_deref().ok());
            let lines: Vec<&[u8]> = rows.map(str::as_bytes).collect();
            let mut rejects: Vec<Reject<'_>> = Vec::new();
            for Pending { record, row } in &pending {
                if let Err(reason) = row {
                    *stream.counts.entry("failed".to_owned()).or_default() += 1;
                    let reason = reason.clone();
                    rejects.push(Reject { stream: name, record, code: "key_missing", reason });
                }
            }
            let sent = if lines.is_empty() {
                Sent::default()
            } else {
                stream.rows.send(&mut self.connection, &lines)?
            };
            for (row, refusal) in &sent.refused {
                let record = &pending[places[*row]].record;
                let reason = refusal.to_string();
                rejects.push(Reject { stream: name, record, code: &refusal.code, reason });
            }
            self.rejects.take(&rejects)?;
            for (action, count) in sent.counts {
                *stream.counts.entry(action).or_default() += count;
            }
        }
        (self.pending_rows, self.pending_bytes) = (0, 0);
        self.echo()
    }

    /// Writes the newest state out, if there is one that was not.
    fn echo(&mut self) -> Result<(), Failure> {
        let Some(state) = self.state.take() else { return Ok(()) };
        let mut out = io::stdout().lock();
        let written = writeln!(out, "{}", state.get()).and_then(|()| out.flush());
        written.map_err(|error| {
            let what = "a state cannot be written to standard output".to_owned();
            let way_out = "let whoever runs the tap keep the last line of it; records are safe";
            Failure::new(Exit::StorageFailed, "stdout_failed", what, way_out).because(error)
        })
    }

    /// The end of the input: what is pending is sent, and it is told what was done.
    pub(super) fn finish(mut self) -> Result<(), Failure> {
        self.flush()?;
        let notes = self.connection.notes();
        for (name, Stream { plan, counts, .. }) in &self.streams {
            let counts: BTreeMap<&str, u64> =
                counts.iter().filter(|(_, count)| **count > 0).map(|(a, n)| (&**a, *n)).collect();
            match self.output {
                Output::Json => {
                    let told = json!({"stream": name, "object": plan.object, "counts": counts});
                    notes.say_plain(told);
                }
                Output::Text => {
                    let counts: Vec<String> =
                        counts.iter().map(|(action, count)| format!("{count} {action}")).collect();
                    let counts =
                        if counts.is_empty() { "nothing".to_owned() } else { counts.join(", ") };
                    notes.say(format_args!("{name} → {}: {counts}", plan.object));
                }
            }
        }
        self.rejects.finish()
    }
}

fn no_plan(stream: &str, error: PlanError) -> Failure {
    let what = format!("the stream {stream:?} cannot be written");
    let way_out = "say in the configuration how: \"streams\": {NAME: {\"lookup\": PROPERTY}}, \
                   or \"fields\": {PROPERTY: FIELD}";
    Failure::new(Exit::SettingsInvalid, "stream_does_not_fit", what, way_out).because(error)
}

fn no_schema(stream: &str) -> Failure {
    let what = format!("a record of {stream:?} came before the schema of that stream");
    let way_out = "a tap writes a SCHEMA message before the records of a stream";
    Failure::new(Exit::WrongUsage, "message_invalid", what, way_out)
}
