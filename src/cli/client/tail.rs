//! `upsertd tail`: the change feed on standard output, one entry a line.
//!
//! Every entry is written once and in order, however often the server is gone in between: the next
//! page is asked for only when the last one was written out. It must not know what entries say,
//! but for what it is told to begin at.

use crate::ambient::Clock;
use crate::cli::client::arguments::ServerArguments;
use crate::cli::client::connection::{Connection, Patience};
use crate::cli::client::query::{Query, object_in_path};
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::config::unit;
use clap::{Args, ValueEnum};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::io::{self, BufWriter, ErrorKind, Write};

const PAGE_ENTRIES: &str = "1000";
/// How long a server is asked to wait for changes.
const WAIT_SECONDS: &str = "30";

pub(crate) const EXAMPLES: &str = "\
Examples:
  upsertd tail contacts_eu                   everything that is kept, then end
  upsertd tail accounts --follow             and go on with what comes
  upsertd tail accounts --after now -f       only what comes
  upsertd tail accounts --since 15m          of the last quarter of an hour
  upsertd tail accounts --since 4711 -f      behind the change with that seq
  upsertd tail -f --include record           all objects, with the records
  upsertd tail accounts -f --exclude-origin my-sync | my-sync

Each line is an entry of the feed as the API gives it; its `cursor` is what --after takes.";

#[derive(Args, Clone, Debug)]
pub(crate) struct TailArguments {
    /// API name or id of the object; left out: all objects of the business
    object: Option<String>,
    /// Begin behind the entry with this cursor, or `now` [default: with the oldest that is kept]
    #[arg(long, value_name = "CURSOR", conflicts_with = "since")]
    after: Option<String>,
    /// Begin behind this seq, at this time, or so long ago: 4711, 2026-11-24T05:40:00Z, 15m
    #[arg(long, value_name = "SEQ|TIME")]
    since: Option<String>,
    /// Go on with what comes, over restarts of the server
    #[arg(long, short)]
    follow: bool,
    /// What of the record each entry has
    #[arg(long, value_enum, value_name = "WHAT", default_value = "keys")]
    include: Include,
    /// Only these: created,updated,archived,unarchived,purged,schema
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    actions: Vec<String>,
    /// Not what these origins wrote
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    exclude_origin: Vec<String>,
    /// Only what these origins wrote
    #[arg(long, value_name = "LIST", value_delimiter = ',')]
    only_origin: Vec<String>,
    #[command(flatten)]
    pub(crate) server: ServerArguments,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Include {
    /// Its identifier and unique values
    Keys,
    /// All of it, as of that change
    Record,
}

/// Where a reader begins, when it has no cursor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Since {
    Everything,
    /// Behind the change with this number.
    Sequence(u64),
    Time(Timestamp),
}

/// A page of the feed; entries are handed on as they are.
#[derive(Deserialize)]
struct Page<'a> {
    #[serde(borrow)]
    results: Vec<&'a RawValue>,
    next_cursor: String,
    has_more: bool,
}

/// What is looked at of an entry.
#[derive(Deserialize)]
struct Entry<'a> {
    seq: u64,
    occurred_at: &'a str,
}

/// Writes the feed out until its end, or for ever.
pub(crate) fn run(arguments: &TailArguments) -> Result<(), Failure> {
    let since = Since::read(arguments.since.as_deref(), &Clock::system())?;
    let path = match &arguments.object {
        Some(object) => format!("/api/records/{}/changes", object_in_path(object)?),
        None if matches!(since, Since::Sequence(_)) => return Err(sequence_of_what()),
        None => "/api/records/changes".to_owned(),
    };
    let mut connection = Connection::find(&arguments.server, None)?;
    if arguments.follow && arguments.server.retry_for.is_none() {
        connection.set_patience(Patience::ForEver);
    }
    let mut out = BufWriter::new(io::stdout().lock());
    let mut cursor = arguments.after.clone();
    // Waiting begins only at the end, so that a reader of what is there never waits.
    let mut is_at_end = false;
    loop {
        let query = query(arguments, &path, cursor.as_deref(), is_at_end && arguments.follow);
        let answer = connection.ask(&query, "to give the changes")?;
        let page: Page<'_> = serde_json::from_slice(&answer.body).map_err(not_a_page)?;
        let written = page
            .results
            .iter()
            .filter(|entry| since.takes(entry))
            .try_for_each(|entry| writeln!(out, "{}", entry.get()))
            .and_then(|()| out.flush());
        match written {
            Ok(()) => {}
            // Whoever reads has had enough.
            Err(error) if error.kind() == ErrorKind::BrokenPipe => return Ok(()),
            Err(error) => return Err(cannot_write(error)),
        }
        is_at_end = !page.has_more;
        if is_at_end && !arguments.follow {
            let next = &page.next_cursor;
            connection.notes().say(format_args!("that is all; it goes on with --after {next}"));
            return Ok(());
        }
        cursor = Some(page.next_cursor);
    }
}

fn query<'a>(
    arguments: &TailArguments,
    path: &str,
    cursor: Option<&str>,
    waits: bool,
) -> Query<'a> {
    let include = match arguments.include {
        Include::Keys => "keys",
        Include::Record => "record",
    };
    let mut query = Query::get(path.to_owned())
        .with("limit", PAGE_ENTRIES)
        .with("include", include)
        .with_list("actions", &arguments.actions)
        .with_list("exclude_origin", &arguments.exclude_origin)
        .with_list("only_origin", &arguments.only_origin);
    if let Some(cursor) = cursor {
        query = query.with("after", cursor);
    }
    if waits { query.with("wait", WAIT_SECONDS) } else { query }
}

impl Since {
    fn read(text: Option<&str>, clock: &Clock) -> Result<Self, Failure> {
        let Some(text) = text else { return Ok(Self::Everything) };
        if let Ok(sequence) = text.parse() {
            return Ok(Self::Sequence(sequence));
        }
        if let Ok(ago) = unit::duration(text) {
            let ago_ms = i64::try_from(ago.as_millis()).unwrap_or(i64::MAX);
            let time = Timestamp::from_millisecond(clock.now().0.saturating_sub(ago_ms));
            return Ok(Self::Time(time.unwrap_or(Timestamp::MIN)));
        }
        text.parse().map(Self::Time).map_err(|error: jiff::Error| {
            let what = format!("--since {text:?} is neither a seq nor a time");
            let way_out = "give a whole number, a time such as 2026-11-24T05:40:00Z, or how long \
                           ago, such as 15m";
            Failure::new(Exit::WrongUsage, "since_invalid", what, way_out).because(error)
        })
    }

    fn takes(self, entry: &RawValue) -> bool {
        if self == Self::Everything {
            return true;
        }
        // What cannot be looked at is better shown once too often.
        let Ok(entry) = serde_json::from_str::<Entry<'_>>(entry.get()) else { return true };
        match self {
            Self::Everything => true,
            Self::Sequence(last) => entry.seq > last,
            Self::Time(from) => entry.occurred_at.parse().is_ok_and(|at: Timestamp| at >= from),
        }
    }
}

fn sequence_of_what() -> Failure {
    let what = "a seq counts the changes of one object, and none is named".to_owned();
    let way_out = "name the object, or give a cursor or a time";
    Failure::new(Exit::WrongUsage, "since_without_object", what, way_out)
}

fn not_a_page(error: serde_json::Error) -> Failure {
    let what = "what came back is no page of changes".to_owned();
    let way_out = "is it upsertd that answers there, and of this version or a later one?";
    Failure::new(Exit::ServerRefused, "answer_not_understood", what, way_out).because(error)
}

fn cannot_write(error: io::Error) -> Failure {
    let what = "standard output cannot be written to".to_owned();
    let way_out = "the cursor of the last whole line is where --after goes on";
    Failure::new(Exit::StorageFailed, "stdout_failed", what, way_out).because(error)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ambient::SettableClock;
    use std::time::Duration;

    #[test]
    fn since_is_a_number_a_time_or_an_age() {
        let clock = SettableClock::at(Clock::system().now()).clock();
        let read = |text| Since::read(Some(text), &clock).unwrap();
        assert_eq!(read("4711"), Since::Sequence(4711));
        let time: Timestamp = "2026-11-24T05:40:00Z".parse().unwrap();
        assert_eq!(read("2026-11-24T06:40:00+01:00"), Since::Time(time));
        let now = Timestamp::from_millisecond(clock.now().0).unwrap();
        assert_eq!(read("15m"), Since::Time(now - Duration::from_mins(15)));
        assert_eq!(Since::read(None, &clock).unwrap(), Since::Everything);
        for bad in ["", "-1", "yesterday", "2026-11-24"] {
            let failure = Since::read(Some(bad), &clock).unwrap_err();
            assert_eq!(failure.exit(), Exit::WrongUsage, "{bad}");
        }
    }

    #[test]
    fn entries_before_the_beginning_are_left_out() {
        let entry = r#"{"seq":5,"occurred_at":"2026-11-24T05:40:00.123000+00:00"}"#;
        let entry: Box<RawValue> = RawValue::from_string(entry.to_owned()).unwrap();
        let time = |text: &str| Since::Time(text.parse().unwrap());
        for (since, takes) in [
            (Since::Everything, true),
            (Since::Sequence(4), true),
            (Since::Sequence(5), false),
            (time("2026-11-24T05:40:00.123Z"), true),
            (time("2026-11-24T05:40:00.124Z"), false),
        ] {
            assert_eq!(since.takes(&entry), takes, "{since:?}");
        }
    }
}
