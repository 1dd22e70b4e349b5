//! Many upserts in one request: rows of one object, sent as a stream, and what became of each.
//!
//! A client that blocks cannot read while it sends, so it sends no more at once than a server takes
//! without being read. Rows that a server will take later are sent again, together with all that
//! came behind them: none overtakes another. It must not know what a row says.

use crate::cli::client::connection::{Connection, Interruption, Trouble};
use crate::cli::client::query::{Query, object_in_path};
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

/// How many rows each action has.
pub(crate) type Counts = BTreeMap<String, u64>;

/// What has become of rows; all of it is durable.
#[derive(Debug, Default)]
pub(crate) struct Sent {
    pub(crate) counts: Counts,
    /// By their places among the rows that were sent.
    pub(crate) refused: Vec<(usize, Refusal)>,
}

/// Where rows go, and what is said for all of them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Rows {
    pub(crate) object: String,
    pub(crate) parameters: Vec<(&'static str, String)>,
}

#[derive(Deserialize)]
struct ResultLine {
    index: Option<usize>,
    #[serde(default)]
    action: String,
    summary: Option<Summary>,
}

#[derive(Deserialize)]
struct Summary {
    counts: Counts,
    state: String,
    code: Option<String>,
}

/// What one request has done.
struct Round {
    sent: Sent,
    /// The first row that was not carried out and may be later, and why.
    unfinished: Option<(usize, Trouble)>,
}

impl Rows {
    /// Sends rows, each a line of JSON without its end, until all of them are carried out or
    /// refused for good.
    pub(crate) fn send(
        &self,
        connection: &mut Connection,
        lines: &[&str],
    ) -> Result<Sent, Failure> {
        let path = format!("/api/records/{}/bulk-upsert", object_in_path(&self.object)?);
        let what = format!("to take rows of {}", self.object);
        let mut all = Sent::default();
        let mut interruption: Option<Interruption> = None;
        let mut begun = 0;
        loop {
            let body = lines[begun..].join("\n");
            let mut query = Query::post(path.clone(), NDJSON, body.as_bytes());
            query.parameters.clone_from(&self.parameters);
            let query = query.with("results", "errors");
            let answer = connection.ask(&query, &what)?;
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
}

impl Sent {
    fn take(&mut self, more: Self, behind: usize) {
        for (action, count) in more.counts {
            *self.counts.entry(action).or_default() += count;
        }
        let refused = more.refused.into_iter();
        self.refused.extend(refused.map(|(row, refusal)| (behind + row, refusal)));
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
        let Some(index) = read.index.filter(|_| read.action == "failed") else { continue };
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
        let refused = u64::try_from(sent.refused.len()).unwrap_or(u64::MAX);
        let carried_out = u64::try_from(row).unwrap_or(u64::MAX) - refused;
        sent.counts.insert("done".to_owned(), carried_out);
        sent.counts.insert("failed".to_owned(), refused);
        let trouble = Trouble::NotReady { refusal, retry_after: None };
        return Round { sent, unfinished: Some((row, trouble)) };
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
        let short = summary(r#""created":4"#, "completed");
        check(&[&short], &[], &[], Some(0));
    }
}
