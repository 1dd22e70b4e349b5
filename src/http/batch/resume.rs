//! Streams that can be resumed: the offsets of their rows, and how far a request has brought one.
//!
//! The offset of a row that changes something moves with the row, by the table's writer. What this
//! adds is what no row can say of itself: that offsets rise, and what became of the rows that
//! changed nothing. It must not know how rows arrive.

use crate::engine::{AskError, NotSent};
use crate::http::batch::result::{RowAction, RowResult};
use crate::http::batch::sender::Sender;
use crate::http::batch::source::Source;
use crate::http::batch::window::RETRY;
use crate::http::code::Code;
use crate::http::fault::{Fault, Place};
use crate::http::problem::Problem;
use crate::http::wire::keys::whole_number;
use crate::http::wire::row::OFFSET;
use crate::model::input::Input;
use crate::model::table::command::{Ask, Command, StreamEnd};
use crate::model::table::streams::{RowEnd, RowEnds, StreamKey};
use std::sync::Arc;

/// One that can be stored with a sign.
const OFFSET_MAX: u64 = i64::MAX.cast_unsigned() - 1;

/// The offset of a row, as its first reading has found it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Offset {
    /// Its request is no stream that can be resumed.
    #[default]
    NotAsked,
    At(u64),
    Missing,
    Invalid,
    /// It is not above the one before it.
    Falls,
}

impl Offset {
    /// The offset, if it is a good one.
    #[must_use]
    pub(super) fn at(self) -> Option<u64> {
        match self {
            Self::At(at) => Some(at),
            Self::NotAsked | Self::Missing | Self::Invalid | Self::Falls => None,
        }
    }

    /// What is wrong with it.
    #[must_use]
    pub(super) fn problem(self) -> Option<Problem> {
        let place = || Place::Body(OFFSET.into());
        let fault = match self {
            Self::NotAsked | Self::At(_) => return None,
            Self::Missing => Fault::new(Code::Required, place()),
            Self::Invalid => Fault::new(Code::Invalid, place())
                .saying("Must be a whole number from 0 to 9223372036854775806."),
            Self::Falls => Fault::new(Code::Invalid, place())
                .saying("Must be above the offset of the row before."),
        };
        Some(fault.into())
    }
}

/// Reads the offsets of rows in their order.
#[derive(Debug, Default)]
pub(super) struct Offsets {
    last: Option<u64>,
}

impl Offsets {
    pub(super) fn read(&mut self, source: &impl Source) -> Offset {
        let Ok(input) = source.parse() else { return Offset::Missing };
        let offset = self.of_row(&input);
        self.last = offset.at().or(self.last);
        offset
    }

    fn of_row(&self, row: &Input<'_>) -> Offset {
        let spelling = match row.get(OFFSET) {
            None | Some(Input::Null) => return Offset::Missing,
            Some(Input::Number(spelling)) => spelling,
            Some(Input::Boolean(_) | Input::Text(_) | Input::List(_) | Input::Map(_)) => {
                return Offset::Invalid;
            }
        };
        match whole_number(spelling).filter(|offset| *offset <= OFFSET_MAX) {
            None => Offset::Invalid,
            Some(offset) if self.last.is_some_and(|last| offset <= last) => Offset::Falls,
            Some(offset) => Offset::At(offset),
        }
    }
}

/// What has become of the rows of a request.
#[derive(Debug, Default)]
pub(super) struct Progress {
    /// Of rows whose offset is below that of the stream.
    done: RowEnds,
    /// Of the rows behind those: none of them has changed anything.
    behind: RowEnds,
    /// The offset of the last row.
    last: Option<u64>,
}

impl Progress {
    /// Takes in a result; results come in the order of the rows.
    pub(super) fn add(&mut self, result: &RowResult, next_offset: u64) {
        // What was done before was counted then.
        let Some(end) = end_of(result.action()) else { return };
        let is_done = result.offset.is_some_and(|offset| offset < next_offset);
        if is_done {
            self.behind_is_done();
            *self.done.entry(end).or_default() += 1;
        } else {
            *self.behind.entry(end).or_default() += 1;
        }
        self.last = result.offset.or(self.last);
    }

    fn behind_is_done(&mut self) {
        for (end, count) in std::mem::take(&mut self.behind) {
            *self.done.entry(end).or_default() += count;
        }
    }

    /// What the writer is told at the end of the request: none where it has nothing to hear.
    fn end(mut self, is_complete: bool, next_offset: u64) -> Option<(u64, RowEnds)> {
        let end = self.last.map_or(0, |last| last + 1);
        if is_complete || end <= next_offset {
            self.behind_is_done();
        }
        let next_offset = if is_complete { end.max(next_offset) } else { next_offset };
        let is_news = next_offset > 0 || !self.done.is_empty();
        is_news.then_some((next_offset, self.done))
    }
}

fn end_of(action: RowAction) -> Option<RowEnd> {
    match action {
        RowAction::Done(action) => Some(action.into()),
        RowAction::NotFound => Some(RowEnd::NotFound),
        RowAction::Failed => Some(RowEnd::Failed),
        // Streams apply every row.
        RowAction::NotApplied | RowAction::AlreadyApplied => None,
    }
}

/// The offset that comes next, as everybody sees it.
#[must_use]
pub(super) fn next_offset(sender: &Sender, stream: &StreamKey) -> u64 {
    let held = sender.target.table.shown().streams.get(stream);
    held.map_or(0, |held| held.next_offset)
}

/// Stores what became of the rows that changed nothing, and that the stream was used. Where that
/// cannot be stored those rows are told anew when they come again: nothing is lost.
pub(super) async fn end(
    sender: &Sender,
    stream: &Arc<StreamKey>,
    progress: Progress,
    is_complete: bool,
) {
    let next = next_offset(sender, stream);
    let Some((next_offset, ends)) = progress.end(is_complete, next) else { return };
    let (target, stream) = (&sender.target, stream.clone());
    let ask = Ask::EndStream(Box::new(StreamEnd { stream, next_offset, ends }));
    let mut commands = vec![Command { caller: sender.caller.clone(), ask }];
    loop {
        match target.engine.ask_rows(&target.table, commands, 0) {
            Ok(receiver) => {
                drop(receiver.await);
                return;
            }
            Err(NotSent { why: AskError::Overloaded { .. }, commands: back }) => {
                commands = back;
                tokio::time::sleep(RETRY).await;
            }
            Err(_) => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::batch::result::RowOutcome;
    use crate::http::json;

    fn offsets(rows: &[&str]) -> Vec<Offset> {
        let mut offsets = Offsets::default();
        let read = |row: &&str| {
            let input = json::parse(row.as_bytes()).unwrap();
            let offset = offsets.of_row(&input);
            offsets.last = offset.at().or(offsets.last);
            offset
        };
        rows.iter().map(read).collect()
    }

    #[test]
    fn offsets_rise_and_a_bad_one_counts_for_none() {
        let told = offsets(&[
            r#"{"offset":0}"#,
            r#"{"offset":5}"#,
            r#"{"offset":5}"#,
            r#"{"offset":3}"#,
            r#"{"offset":"6"}"#,
            r#"{"offset":1.5}"#,
            r#"{"offset":-1}"#,
            "{}",
            r#"{"offset":6}"#,
            r#"{"offset":9223372036854775806}"#,
            r#"{"offset":9223372036854775807}"#,
        ]);
        let expected = [
            Offset::At(0),
            Offset::At(5),
            Offset::Falls,
            Offset::Falls,
            Offset::Invalid,
            Offset::Invalid,
            Offset::Invalid,
            Offset::Missing,
            Offset::At(6),
            Offset::At(OFFSET_MAX),
            Offset::Invalid,
        ];
        assert_eq!(told, expected);
        for offset in told {
            assert_eq!(offset.at().is_none(), offset.problem().is_some(), "{offset:?}");
        }
    }

    fn result(offset: u64, outcome: RowOutcome) -> RowResult {
        RowResult { index: 0, client_ref: None, offset: Some(offset), outcome }
    }

    #[test]
    fn rows_that_changed_nothing_are_done_with_a_later_one_or_at_the_end() {
        let played = || {
            let mut progress = Progress::default();
            progress.add(&result(1, RowOutcome::AlreadyApplied), 2);
            progress.add(&result(3, RowOutcome::NotFound), 2);
            progress.add(&result(4, RowOutcome::NotFound), 5);
            progress.add(&result(7, RowOutcome::NotFound), 5);
            progress
        };
        let found = |count| RowEnds::from([(RowEnd::NotFound, count)]);
        assert_eq!(played().end(true, 5), Some((8, found(3))));
        assert_eq!(played().end(false, 5), Some((5, found(2))), "the last one comes again");
        assert_eq!(played().end(false, 9), Some((9, found(3))), "another request has passed it");
        assert_eq!(Progress::default().end(true, 0), None);
    }
}
