//! What a request with many rows says for all of them.
//!
//! In a JSON batch options stand in the query or beside the rows; a stream has its query alone. It
//! must not know what an option does to a row.

use crate::http::batch::result::RowAction;
use crate::http::code::Code;
use crate::http::dry_run;
use crate::http::fault::{Fault, Faults, Place};
use crate::http::query::Query;
use crate::http::target::Target;
use crate::http::wire::row::{Door, RowOptions};

/// What becomes of rows of one batch that mean the same record.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Duplicates {
    /// Each is applied, one behind the other.
    #[default]
    Fold,
    /// Only the first is applied.
    First,
    /// Only the last is applied.
    Last,
    /// None is applied: all of them fail.
    Error,
}

const DUPLICATES: [(&str, Duplicates); 4] = [
    ("fold", Duplicates::Fold),
    ("first", Duplicates::First),
    ("last", Duplicates::Last),
    ("error", Duplicates::Error),
];

/// The options of a batch.
pub(super) struct BatchOptions {
    pub row: RowOptions,
    pub returns_records: bool,
    pub is_atomic: bool,
    pub is_dry: bool,
    pub duplicates: Duplicates,
}

impl BatchOptions {
    /// Reads the query, and the keys beside the rows where it was made with them.
    pub(super) fn read(query: &mut Query<'_>, target: &Target, faults: &mut Faults) -> Self {
        // Results always tell them.
        query.boolean("changed_fields", faults);
        for name in ["results", "max_errors"] {
            if query.text(name, faults).is_some() {
                let message = "Only a stream takes this: a batch tells all of its results.";
                faults.push(Fault::new(Code::Invalid, query.place(name)).saying(message));
            }
        }
        Self {
            row: read_for_rows(query, target, faults),
            returns_records: query.boolean("return_records", faults).unwrap_or(false),
            is_atomic: query.boolean("atomic", faults).unwrap_or(false),
            is_dry: dry_run::read(query, faults),
            duplicates: query
                .choice("in_batch_duplicates", &DUPLICATES, faults)
                .unwrap_or_default(),
        }
    }
}

/// What is said for all rows. What no row could mean is a fault of the request, not of every row.
fn read_for_rows(query: &mut Query<'_>, target: &Target, faults: &mut Faults) -> RowOptions {
    let options = RowOptions::read(query, (Door::Row, &target.caller.origin), faults);
    if let Some(names) = &options.names {
        let schema = target.table.shown().schema();
        names.check((&schema, &target.access.fields(&schema)), faults);
    }
    options
}

/// Which results a stream tells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum ResultsWanted {
    #[default]
    All,
    /// Those of rows that were not carried out.
    Errors,
    /// The summary alone.
    None,
}

impl ResultsWanted {
    /// Whether the result of such a row is told.
    #[must_use]
    pub(super) fn tells(self, action: RowAction) -> bool {
        match self {
            Self::All => true,
            Self::Errors => action.is_trouble(),
            Self::None => false,
        }
    }
}

const RESULTS: [(&str, ResultsWanted); 3] =
    [("all", ResultsWanted::All), ("errors", ResultsWanted::Errors), ("none", ResultsWanted::None)];

/// The options of a stream.
pub(super) struct StreamOptions {
    pub row: RowOptions,
    pub returns_records: bool,
    pub is_dry: bool,
    pub results: ResultsWanted,
    /// Failed rows after which it ends.
    pub errors_max: Option<u64>,
}

impl StreamOptions {
    /// Reads the query.
    pub(super) fn read(query: &mut Query<'_>, target: &Target, faults: &mut Faults) -> Self {
        let row = read_for_rows(query, target, faults);
        query.boolean("changed_fields", faults);
        if query.boolean("atomic", faults) == Some(true) {
            let message = "Only a JSON batch can be atomic.";
            faults.push(Fault::new(Code::Invalid, Place::Query("atomic".into())).saying(message));
        }
        let given = query.choice("in_batch_duplicates", &DUPLICATES, faults);
        if given.is_some_and(|given| given != Duplicates::Fold) {
            let message = "A stream applies every row; only \"fold\" is known here.";
            let place = Place::Query("in_batch_duplicates".into());
            faults.push(Fault::new(Code::InvalidChoice, place).saying(message));
        }
        Self {
            row,
            returns_records: query.boolean("return_records", faults).unwrap_or(false),
            is_dry: dry_run::read(query, faults),
            results: query.choice("results", &RESULTS, faults).unwrap_or_default(),
            errors_max: read_errors_max(query, faults),
        }
    }
}

fn read_errors_max(query: &mut Query<'_>, faults: &mut Faults) -> Option<u64> {
    let given = query.text("max_errors", faults)?.trim().parse::<u64>().ok();
    if given.is_none_or(|given| given == 0) {
        let message = "A whole number from 1 is expected.";
        faults.push(Fault::new(Code::Invalid, Place::Query("max_errors".into())).saying(message));
    }
    given
}
