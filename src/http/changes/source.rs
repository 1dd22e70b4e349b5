//! What a reader of changes follows: one object, or all objects of its business. The two differ in
//! where entries come from and in what a place is, and in nothing that is told.

use crate::engine::Engine;
use crate::engine::business::TableRef;
use crate::engine::feed::all::{LogPlace, LogStart};
use crate::engine::feed::cursor::{LogCursor, TableCursor};
use crate::engine::feed::entry::Entry;
use crate::engine::feed::signal::Signal;
use crate::engine::feed::{Feed, FeedError, Place, Start};
use crate::http::caller::{Caller, require};
use crate::http::changes::request::{After, bad_cursor};
use crate::http::code::Code;
use crate::http::problem::Problem;
use crate::http::target::Target;
use crate::model::access::ObjectAccess;
use std::collections::HashMap;
use std::sync::Arc;

/// Whose changes are read.
pub(super) enum Source {
    Object(Target),
    /// Every object of which the caller may read changes: at least one.
    All(Vec<Target>),
}

/// How far a reader is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum At {
    Object(Place),
    All(LogPlace),
}

/// An entry, of which of the source's targets it is, and the place behind it.
#[derive(Clone, Debug)]
pub(super) struct Found {
    pub(super) target: usize,
    pub(super) at: At,
    pub(super) entry: Entry,
}

/// What one reading gives.
pub(super) struct Reading {
    pub(super) found: Vec<Found>,
    /// Behind everything that was read.
    pub(super) next: At,
    /// Whether nothing behind it is visible yet.
    pub(super) is_end: bool,
}

impl Source {
    /// An object, if the caller may read its changes.
    pub(super) fn of_object(target: Target) -> Result<Self, Problem> {
        require(target.access.may_export())?;
        Ok(Self::Object(target))
    }

    /// All objects of which the caller may read changes, archived ones too: what became of those
    /// is told here alone.
    pub(super) fn of_all(
        caller: &Caller,
        target_of: impl Fn((Arc<TableRef>, ObjectAccess)) -> Target,
    ) -> Result<Self, Problem> {
        let tables = caller.business.all_tables().into_iter();
        let targets = tables.filter_map(|table| {
            let access = caller.access(&table);
            let may = access.may_see_object() && access.may_export();
            may.then(|| target_of((table, access)))
        });
        let targets: Vec<Target> = targets.collect();
        require(!targets.is_empty())?;
        Ok(Self::All(targets))
    }

    pub(super) fn targets(&self) -> &[Target] {
        match self {
            Self::Object(target) => std::slice::from_ref(target),
            Self::All(targets) => targets,
        }
    }

    fn any(&self) -> &Target {
        self.targets().first().expect("a source has a target")
    }

    pub(super) fn feed(&self) -> &Feed {
        self.any().engine.feed()
    }

    /// The source as its caller finds it now. Rights may have been taken while it waited.
    pub(super) fn again(&self) -> Result<Self, Problem> {
        let any = self.any();
        let caller = any.caller.again(&any.engine);
        let caller = caller.ok_or_else(|| Problem::new(Code::AuthenticationFailed))?;
        match self {
            Self::Object(target) => {
                let access = caller.access(&target.table);
                if !access.may_see_object() {
                    return Err(Problem::not_found());
                }
                Self::of_object(target.with(caller, (target.table.clone(), access)))
            }
            Self::All(_) => Self::of_all(&caller, |table| any.with(caller.clone(), table)),
        }
    }

    pub(super) fn engine(&self) -> &Arc<Engine> {
        &self.any().engine
    }

    /// What is heard when there may be more.
    pub(super) fn changes(&self) -> Arc<Signal> {
        match self {
            Self::Object(target) => target.table.changes().clone(),
            Self::All(_) => self.any().caller.business.changes().clone(),
        }
    }

    /// Where a reader begins.
    pub(super) async fn begin(&self, after: &After) -> Result<At, Problem> {
        let feed = self.feed();
        let failed = |error: FeedError| self.problem_of(&error);
        match self {
            Self::Object(target) => {
                let start = match after {
                    After::Nothing => Start::Oldest,
                    After::Now => Start::Now,
                    After::Cursor(text) => {
                        Start::Behind(TableCursor::read(text).ok_or_else(bad_cursor)?)
                    }
                };
                feed.begin(target.table.shown(), start).await.map(At::Object).map_err(failed)
            }
            Self::All(targets) => {
                let start = match after {
                    After::Nothing => LogStart::Oldest,
                    After::Now => LogStart::Now,
                    After::Cursor(text) => {
                        LogStart::Behind(LogCursor::read(text).ok_or_else(bad_cursor)?)
                    }
                };
                let tables: Vec<_> =
                    targets.iter().map(|target| target.table.shown().clone()).collect();
                feed.begin_all(start, &tables).await.map(At::All).map_err(failed)
            }
        }
    }

    /// The cursor of a place of this source.
    pub(super) fn cursor(&self, at: At, target: usize) -> String {
        let feed = self.feed();
        match at {
            At::Object(place) => {
                let targets = self.targets();
                feed.cursor(targets[target].table.shown(), place).write()
            }
            At::All(place) => feed.cursor_of_all(place).write(),
        }
    }

    /// Reads on behind a place of this source.
    pub(super) async fn read(&self, after: At, bytes: usize) -> Result<Reading, FeedError> {
        let feed = self.feed();
        match after {
            At::Object(place) => {
                let shown = self.any().table.shown();
                let entries = feed.read(shown, place.sequence, bytes).await?;
                let last = entries.last().map(Place::behind);
                let found = entries.into_iter().map(|entry| {
                    let at = At::Object(Place::behind(&entry));
                    Found { target: 0, at, entry }
                });
                let (found, next) = (found.collect(), At::Object(last.unwrap_or(place)));
                Ok(Reading { found, next, is_end: last.is_none() })
            }
            At::All(place) => {
                let places = self.targets().iter().enumerate();
                let by_id: HashMap<_, _> =
                    places.map(|(at, target)| (target.table.shown().object(), at)).collect();
                let wanted = |object| {
                    let at = *by_id.get(&object)?;
                    Some(Arc::clone(self.targets()[at].table.shown()))
                };
                let chunk = feed.read_all(place, &wanted, bytes).await?;
                let found = chunk.entries.into_iter().map(|found| Found {
                    target: by_id[&found.object],
                    at: At::All(found.place),
                    entry: found.entry,
                });
                let (found, next) = (found.collect(), At::All(chunk.next));
                Ok(Reading { found, next, is_end: chunk.is_end })
            }
        }
    }

    /// What a reader is told.
    pub(super) fn problem_of(&self, error: &FeedError) -> Problem {
        problem_of(error, self.targets())
    }
}

/// What a reader of tables is told; there is one way to start again for each.
#[must_use]
pub fn problem_of(error: &FeedError, targets: &[Target]) -> Problem {
    match error {
        FeedError::Expired => {
            let schemas = targets.iter().map(|target| target.table.shown().schema());
            let live = schemas.filter(|schema| schema.object().archived_at.is_none());
            let path = |name: &str| format!("/api/records/{name}/export?format=ndjson");
            let resync: Vec<String> = live.map(|schema| path(&schema.object().name)).collect();
            Problem::new(Code::CursorExpired).with("resync", &resync)
        }
        FeedError::Overloaded => {
            let detail = "Too many read what is no longer in memory; try again.";
            Problem::new(Code::Overloaded).saying(detail).retry_after(1)
        }
        FeedError::Storage(_)
        | FeedError::Misfit(_)
        | FeedError::Parts
        | FeedError::Chain
        | FeedError::Panicked => {
            tracing::error!(%error, "the log could not be read for the feed");
            Problem::new(Code::InternalError)
        }
    }
}
