//! Many upserts in one request: rows of one object, sent as a stream, and what became of each.
//!
//! A client that blocks cannot read while it sends, so it sends no more at once than a server takes
//! without being read. Rows that a server will take later are sent again, together with all that
//! came behind them: none overtakes another. It must not know what a row says.

use crate::cli::client::connection::{Connection, Interruption, Trouble};
use crate::cli::client::query::{Parameters, Query, object_in_path};
use crate::cli::client::refusal::Refusal;
use crate::cli::failure::Failure;
use serde::Deserialize;
use std::collections::BTreeMap;

/// How many rows are sent at once: their results, all of them troubles, fit into the buffers of a
/// connection.
pub(crate) const ROWS_AT_ONCE: usize = 500;
/// How many bytes of rows are sent at once, unless one row is longer.
pub(crate) const BYTES_AT_ONCE: usize = 1 << 20;

const NDJSON: &str = "application/x-ndjson";
const CSV: &str = "text/csv";
/// What ends a stream that was told how many refused rows it may have.
const TOO_MANY_REFUSED: &str = "limit_exceeded";

/// How many rows each action has.
pub(crate) type Counts = BTreeMap<String, u64>;

/// What has become of rows; all of it is durable.
#[derive(Debug, Default)]
pub(crate) struct Sent {
    pub(crate) counts: Counts,
    /// By their places among the rows that were sent.
    pub(crate) refused: Vec<(usize, Refusal)>,
    /// The others, where all results were asked for.
    pub(crate) done: Vec<(usize, Done)>,
    /// Columns of an import that were passed over.
    pub(crate) ignored_columns: Vec<String>,
    /// It ended before all rows, since so many were refused.
    pub(crate) is_cut: bool,
}

/// A row that was carried out, or would be.
#[derive(Debug)]
pub(crate) struct Done {
    pub(crate) action: String,
    pub(crate) id: Option<String>,
    pub(crate) changed_fields: Vec<String>,
}

/// The door that rows go through, and so what they are.
#[derive(Clone, Debug)]
enum Door {
    /// Each line is an upsert.
    Upserts,
    /// Each line is an object whose keys are columns.
    Objects,
    /// Each line is a row of a table that begins with this one.
    Table(Vec<u8>),
}

/// Where rows go, and what is said for all of them.
#[derive(Clone, Debug)]
pub(crate) struct Rows {
    object: String,
    door: Door,
    parameters: Parameters,
    /// Whether results are told of rows that are no trouble too.
    tells_all: bool,
}

#[derive(Deserialize)]
struct ResultLine {
    index: Option<usize>,
    #[serde(default)]
    action: String,
    id: Option<String>,
    #[serde(default)]
    changed_fields: Vec<String>,
    summary: Option<Summary>,
}

#[derive(Deserialize)]
struct Summary {
    counts: Counts,
    state: String,
    code: Option<String>,
    #[serde(default)]
    ignored_columns: Option<Vec<String>>,
}

/// What one request has done.
struct Round {
    sent: Sent,
    /// The first row that was not carried out and may be later, and why.
    unfinished: Option<(usize, Trouble)>,
}

impl Rows {
    pub(crate) fn upserts(object: String, parameters: Parameters) -> Self {
        Self { object, door: Door::Upserts, parameters, tells_all: false }
    }

    /// Rows whose columns are their own keys, or those of a table's first row.
    pub(crate) fn import(object: String, header: Option<Vec<u8>>, parameters: Parameters) -> Self {
        let door = header.map_or(Door::Objects, Door::Table);
        Self { object, door, parameters, tells_all: false }
    }

    #[must_use]
    pub(crate) fn telling_all(self) -> Self {
        Self { tells_all: true, ..self }
    }

    /// Sends rows, each without its end, until all of them are carried out or refused for good.
    pub(crate) fn send(
        &self,
        connection: &mut Connection,
        lines: &[&[u8]],
    ) -> Result<Sent, Failure> {
        let what = format!("to take rows of {}", self.object);
        let mut all = Sent::default();
        let mut interruption: Option<Interruption> = None;
        let mut begun = 0;
        loop {
            let body = self.body(&lines[begun..]);
            let answer = connection.ask(&self.query(&body)?, &what)?;
            let round = read(&answer.body, lines.len() - begun);
            all.take(round.sent, begun);
            let Some((row, trouble)) = round.unfinished else { return Ok(all) };
            if row > 0 {
                // Something was done, so patience begins anew.
                interruption = None;
            }
            begun += row;
            connection.wait(trouble, &mut interruption)?;
        }
    }

    fn body(&self, lines: &[&[u8]]) -> Vec<u8> {
        let rows = lines.join(&b'\n');
        match &self.door {
            Door::Upserts | Door::Objects => rows,
            Door::Table(header) => [&header[..], b"\n", &rows].concat(),
        }
    }

    fn query<'a>(&self, body: &'a [u8]) -> Result<Query<'a>, Failure> {
        let object = object_in_path(&self.object)?;
        let (route, content_type) = match &self.door {
            Door::Upserts => ("bulk-upsert", NDJSON),
            Door::Objects => ("import", NDJSON),
            Door::Table(_) => ("import", CSV),
        };
        let path = format!("/api/records/{object}/{route}");
        let mut query = Query::post(path, content_type, body);
        query.parameters.clone_from(&self.parameters);
        Ok(query.with("results", if self.tells_all { "all" } else { "errors" }))
    }
}

impl Sent {
    fn take(&mut self, more: Self, behind: usize) {
        for (action, count) in more.counts {
            *self.counts.entry(action).or_default() += count;
        }
        let refused = more.refused.into_iter();
        self.refused.extend(refused.map(|(row, refusal)| (behind + row, refusal)));
        self.done.extend(more.done.into_iter().map(|(row, done)| (behind + row, done)));
        self.ignored_columns = more.ignored_columns;
        self.is_cut |= more.is_cut;
    }
}

/// Reads the lines of an answer to so many rows.
fn read(body: &[u8], rows: usize) -> Round {
    let mut sent = Sent::default();
    let mut later: Option<(usize, Refusal)> = None;
    let mut summary = None;
    for line in body.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        let Ok(read) = serde_json::from_slice::<ResultLine>(line) else { break };
        if let Some(found) = read.summary {
            summary = Some(found);
            continue;
        }
        let Some(index) = read.index else { continue };
        if read.action != "failed" {
            let ResultLine { action, id, changed_fields, .. } = read;
            sent.done.push((index, Done { action, id, changed_fields }));
            continue;
        }
        let refusal: Refusal = serde_json::from_slice(line).unwrap_or_default();
        if !refusal.is_for_later() {
            sent.refused.push((index, refusal));
        } else if later.is_none() {
            later = Some((index, refusal));
        }
    }
    let Some(summary) = summary else {
        // What was refused is refused again.
        return Round { sent: Sent::default(), unfinished: Some((0, Trouble::CutOff)) };
    };
    if let Some((row, refusal)) = later {
        // Rows behind it are sent again, so what became of them is told then.
        sent.refused.retain(|(refused, _)| *refused < row);
        sent.done.retain(|(done, _)| *done < row);
        let refused = u64::try_from(sent.refused.len()).unwrap_or(u64::MAX);
        let carried_out = u64::try_from(row).unwrap_or(u64::MAX) - refused;
        sent.counts.insert("done".to_owned(), carried_out);
        sent.counts.insert("failed".to_owned(), refused);
        let trouble = Trouble::NotReady { refusal, retry_after: None };
        return Round { sent, unfinished: Some((row, trouble)) };
    }
    sent.ignored_columns = summary.ignored_columns.unwrap_or_default();
    if summary.code.as_deref() == Some(TOO_MANY_REFUSED) {
        (sent.counts, sent.is_cut) = (summary.counts, true);
        return Round { sent, unfinished: None };
    }
    let counted: u64 = summary.counts.values().sum();
    if summary.state == "aborted" || counted != u64::try_from(rows).unwrap_or(u64::MAX) {
        let code = summary.code.unwrap_or_else(|| "aborted".to_owned());
        let detail = "The stream was ended before all of its rows.".to_owned();
        let refusal = Refusal::new(503, code, detail);
        let trouble = Trouble::NotReady { refusal, retry_after: None };
        return Round { sent: Sent::default(), unfinished: Some((0, trouble)) };
    }
    sent.counts = summary.counts;
    Round { sent, unfinished: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REFUSED: &str =
        r#"{"index":1,"action":"failed","status":400,"code":"invalid","detail":"Bad."}"#;
    const LATER: &str =
        r#"{"index":3,"action":"failed","status":503,"code":"overloaded","detail":"Full."}"#;
    const REFUSED_LATE: &str =
        r#"{"index":4,"action":"failed","status":400,"code":"invalid","detail":"Bad."}"#;
    const STALE: &str = r#"{"index":2,"action":"stale","id":null}"#;

    fn summary(counts: &str, state: &str) -> String {
        format!(
            r#"{{"summary":{{"count":5,"counts":{{{counts}}},"batch_id":"b","state":"{state}"}}}}"#
        )
    }

    /// What was counted, which rows were refused, and where it goes on.
    fn check(lines: &[&str], counts: &[(&str, u64)], refused: &[usize], goes_on: Option<usize>) {
        let round = read((lines.join("\n") + "\n").as_bytes(), 5);
        let counted: Vec<(&str, u64)> =
            round.sent.counts.iter().map(|(action, count)| (&**action, *count)).collect();
        let rows: Vec<usize> = round.sent.refused.iter().map(|(row, _)| *row).collect();
        let unfinished = round.unfinished.map(|(row, _)| row);
        assert_eq!((&counted[..], &rows[..], unfinished), (counts, refused, goes_on), "{lines:?}");
    }

    #[test]
    fn a_whole_answer_tells_of_all_rows() {
        let whole = summary(r#""created":3,"stale":1,"failed":1"#, "completed_with_errors");
        let counts = [("created", 3), ("failed", 1), ("stale", 1)];
        check(&[REFUSED, STALE, &whole], &counts, &[1], None);
    }

    #[test]
    fn it_goes_on_at_the_first_row_that_may_be_taken_later() {
        let whole = summary(r#""created":2,"failed":3"#, "completed_with_errors");
        let counts = [("done", 2), ("failed", 1)];
        check(&[REFUSED, LATER, REFUSED_LATE, &whole], &counts, &[1], Some(3));
    }

    #[test]
    fn an_answer_that_is_not_whole_counts_for_nothing() {
        check(&[REFUSED], &[], &[], Some(0));
        check(&[REFUSED, r#"{"summary":{"cou"#], &[], &[], Some(0));
        let aborted = summary(r#""created":1,"failed":1"#, "aborted");
        check(&[REFUSED, &aborted], &[], &[], Some(0));
        let whole = summary(r#""created":1,"failed":2"#, "aborted");
        let whole = whole.replace(r#""state""#, r#""code":"limit_exceeded","state""#);
        check(&[REFUSED, &whole], &[("created", 1), ("failed", 2)], &[1], None);
        let short = summary(r#""created":4"#, "completed");
        check(&[&short], &[], &[], Some(0));
    }
}
