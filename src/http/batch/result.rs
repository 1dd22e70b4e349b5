//! What has become of the rows of a request, as its answer tells it: row by row, and counted.
//!
//! It must not know how rows arrive or how answers leave.

use crate::http::problem::Problem;
use crate::http::wire::record::action_name;
use crate::model::id::{BatchId, RecordId, Version};
use crate::model::table::command::Action;
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

/// What has become of a row, in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RowAction {
    Done(Action),
    /// An update or an archiving of a record that is not there.
    NotFound,
    /// Nothing was written: another row with its key stands for it, or the whole was given up.
    NotApplied,
    Failed,
}

impl RowAction {
    /// The name on the wire.
    #[must_use]
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Done(action) => action_name(action),
            Self::NotFound => "not_found",
            Self::NotApplied => "not_applied",
            Self::Failed => "failed",
        }
    }

    /// Whether the row was not carried out as its sender would wish.
    #[must_use]
    pub(super) const fn is_trouble(self) -> bool {
        match self {
            Self::Failed | Self::NotFound | Self::NotApplied => true,
            Self::Done(action) => match action {
                Action::Stale => true,
                Action::Created
                | Action::Updated
                | Action::Unarchived
                | Action::Archived
                | Action::Unchanged
                | Action::Exists
                | Action::SkippedArchived => false,
            },
        }
    }
}

/// A row of the answer.
#[derive(Debug)]
pub(super) struct RowResult {
    /// Its place among the rows of the request, from 0.
    pub index: u64,
    pub client_ref: Option<Box<str>>,
    pub outcome: RowOutcome,
}

/// What has become of a row, in full.
#[derive(Debug)]
pub(super) enum RowOutcome {
    Done(RowDone),
    NotFound,
    NotApplied,
    Failed(Problem),
}

/// A row that has met a record.
#[derive(Debug)]
pub(super) struct RowDone {
    pub action: Action,
    /// None: it would be created.
    pub id: Option<RecordId>,
    pub version: Version,
    /// API names, in the order of the fields.
    pub changed_fields: Vec<Box<str>>,
    /// Of a row that was older than what its record has of its source: that version.
    pub source_version: Option<Box<RawValue>>,
    /// The write answer, where it was asked for.
    pub record: Option<Box<RawValue>>,
    /// It was carried out before: this is what it came to then.
    pub is_replayed: bool,
}

impl RowResult {
    /// What has become of it, in one word.
    #[must_use]
    pub(super) fn action(&self) -> RowAction {
        match &self.outcome {
            RowOutcome::Done(done) => RowAction::Done(done.action),
            RowOutcome::NotFound => RowAction::NotFound,
            RowOutcome::NotApplied => RowAction::NotApplied,
            RowOutcome::Failed(_) => RowAction::Failed,
        }
    }
}

impl Serialize for RowResult {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("index", &self.index)?;
        map.serialize_entry("client_ref", &self.client_ref)?;
        map.serialize_entry("action", self.action().as_str())?;
        match &self.outcome {
            RowOutcome::Done(done) => {
                map.serialize_entry("id", &done.id)?;
                map.serialize_entry("version", &done.version)?;
                map.serialize_entry("changed_fields", &done.changed_fields)?;
                if let Some(version) = &done.source_version {
                    map.serialize_entry("source_version", version)?;
                }
                if let Some(record) = &done.record {
                    map.serialize_entry("record", record)?;
                }
                if done.is_replayed {
                    map.serialize_entry("replayed", &true)?;
                }
            }
            RowOutcome::NotFound | RowOutcome::NotApplied => {
                map.serialize_entry("id", &None::<RecordId>)?;
            }
            RowOutcome::Failed(problem) => {
                map.serialize_entry("id", &None::<RecordId>)?;
                problem.serialize_row(&mut map)?;
            }
        }
        map.end()
    }
}

/// The result of a row with the line in which the row begins, where that is told.
#[derive(Debug, Serialize)]
pub(super) struct NumberedResult<'a> {
    #[serde(flatten)]
    pub result: &'a RowResult,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
}

/// Actions that are counted even where none occurred.
const ALWAYS_COUNTED: [RowAction; 5] = [
    RowAction::Done(Action::Created),
    RowAction::Done(Action::Updated),
    RowAction::Done(Action::Unarchived),
    RowAction::Done(Action::Unchanged),
    RowAction::Failed,
];

/// How many rows each action has.
#[derive(Clone, Debug, Default)]
pub(super) struct Counts {
    rows: u64,
    of_actions: Vec<(RowAction, u64)>,
}

impl Counts {
    /// Counts a row.
    pub(super) fn add(&mut self, action: RowAction) {
        self.rows += 1;
        match self.of_actions.iter_mut().find(|(counted, _)| *counted == action) {
            Some((_, count)) => *count += 1,
            None => self.of_actions.push((action, 1)),
        }
    }

    /// Rows in all.
    #[must_use]
    pub(super) fn rows(&self) -> u64 {
        self.rows
    }

    /// Rows with this action.
    #[must_use]
    pub(super) fn of(&self, action: RowAction) -> u64 {
        let found = self.of_actions.iter().find(|(counted, _)| *counted == action);
        found.map_or(0, |(_, count)| *count)
    }

    /// Whether every row was carried out as its sender would wish.
    #[must_use]
    pub(super) fn are_clean(&self) -> bool {
        self.of_actions.iter().all(|(action, _)| !action.is_trouble())
    }
}

impl Serialize for Counts {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for action in ALWAYS_COUNTED {
            map.serialize_entry(action.as_str(), &self.of(action))?;
        }
        for (action, count) in &self.of_actions {
            if !ALWAYS_COUNTED.contains(action) {
                map.serialize_entry(action.as_str(), count)?;
            }
        }
        map.end()
    }
}

/// The answer to a batch.
#[derive(Debug, Serialize)]
pub(super) struct BatchAnswer<'a> {
    pub count: u64,
    pub counts: &'a Counts,
    pub dry_run: bool,
    pub batch_id: BatchId,
    pub results: &'a [RowResult],
}

/// How a stream has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum StreamState {
    Completed,
    CompletedWithErrors,
    Aborted,
}

/// The last line of a stream.
#[derive(Debug, Serialize)]
pub(super) struct SummaryLine<'a> {
    pub summary: Summary<'a>,
}

#[derive(Debug, Serialize)]
pub(super) struct Summary<'a> {
    pub count: u64,
    pub counts: &'a Counts,
    pub dry_run: bool,
    pub batch_id: BatchId,
    pub state: StreamState,
    /// Why it was aborted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<crate::http::code::Code>,
    /// Of an import: columns that were passed over.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ignored_columns: Option<Vec<String>>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::code::Code;

    fn check(result: &RowResult, json: &str) {
        assert_eq!(serde_json::to_string(result).unwrap(), json);
    }

    #[test]
    fn a_row_tells_its_action_and_what_belongs_to_it() {
        let done = RowDone {
            action: Action::Created,
            id: Some(RecordId::from_bytes([7; 16])),
            version: Version(1),
            changed_fields: vec!["name".into()],
            source_version: None,
            record: None,
            is_replayed: false,
        };
        let row = |outcome| RowResult { index: 3, client_ref: Some("r1".into()), outcome };
        check(
            &row(RowOutcome::Done(done)),
            r#"{"index":3,"client_ref":"r1","action":"created","id":"07070707-0707-0707-0707-070707070707","version":1,"changed_fields":["name"]}"#,
        );
        check(
            &row(RowOutcome::NotFound),
            r#"{"index":3,"client_ref":"r1","action":"not_found","id":null}"#,
        );
        check(
            &RowResult {
                index: 17,
                client_ref: None,
                outcome: RowOutcome::Failed(Problem::new(Code::ParseError)),
            },
            r#"{"index":17,"client_ref":null,"action":"failed","id":null,"status":400,"code":"parse_error","detail":"Malformed request.","errors":[{"code":"parse_error","message":"Malformed request.","retryable":false}]}"#,
        );
    }

    #[test]
    fn five_actions_are_always_counted_and_others_where_they_occurred() {
        let mut counts = Counts::default();
        assert_eq!(
            serde_json::to_string(&counts).unwrap(),
            r#"{"created":0,"updated":0,"unarchived":0,"unchanged":0,"failed":0}"#
        );
        counts.add(RowAction::Done(Action::Exists));
        counts.add(RowAction::Done(Action::Updated));
        assert!(counts.are_clean());
        counts.add(RowAction::NotApplied);
        counts.add(RowAction::NotApplied);
        assert!(!counts.are_clean());
        assert_eq!(
            serde_json::to_string(&counts).unwrap(),
            r#"{"created":0,"updated":1,"unarchived":0,"unchanged":0,"failed":0,"exists":1,"not_applied":2}"#
        );
        assert_eq!(counts.rows(), 4);
    }
}
