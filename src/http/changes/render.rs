//! Entries as JSON, up to so many bytes of it.

use crate::http::changes::source::{At, Found, Source};
use crate::http::changes::view::View;
use crate::http::wire::change::{EntryAction, EntryRow, EntryScene, Include};
use crate::http::wire::record::Scene;
use crate::http::wire::selection::{FieldsWanted, Selection};
use crate::model::id::Timestamp;
use crate::model::table::event_form::Misfit;
use serde_json::value::RawValue;
use std::collections::BTreeSet;

/// A rendered entry, and what a stream says of it besides.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) cursor: String,
    pub(super) action: EntryAction,
    pub(super) json: Box<RawValue>,
}

/// Rendered entries.
#[derive(Debug, Default)]
pub(super) struct Rows {
    pub(super) list: Vec<Row>,
    /// When the newest of them happened.
    pub(super) newest: Option<Timestamp>,
    /// Behind the last of them, if they were not all.
    pub(super) cut_at: Option<At>,
    /// Whether the feed goes on behind them.
    pub(super) has_more: bool,
}

/// Renders entries for their caller: at least one if there is one.
pub(super) fn render(
    source: &Source,
    include: Include,
    all: &[Found],
    bytes_max: usize,
) -> Result<Rows, Misfit> {
    let used: BTreeSet<usize> = all.iter().map(|found| found.target).collect();
    let used: Vec<usize> = used.into_iter().collect();
    let views: Vec<View> =
        used.iter().map(|target| View::of(source.targets()[*target].clone())).collect();
    let scenes: Vec<Scene<'_>> =
        views.iter().map(|view| Scene::new(&view.target, &view.schema)).collect();
    let fields = FieldsWanted::default();
    let selections: Vec<Selection<'_>> = scenes
        .iter()
        .map(|scene| Selection::of_read(&fields, scene.schema(), scene.fields()))
        .collect();
    let around = |(scene, selection)| EntryScene { scene, selection, include };
    let around: Vec<EntryScene<'_>> = scenes.iter().zip(&selections).map(around).collect();
    let (mut rows, mut bytes, mut last) = (Rows::default(), 0, None);
    for found in all {
        if bytes >= bytes_max {
            rows.cut_at = last;
            break;
        }
        let (stamp, stored) = found.entry.read()?;
        let cursor = source.cursor(found.at, found.target);
        let at = used.binary_search(&found.target).expect("the target is among those used");
        let is_purged = views[at].is_purged(&stored);
        if let Some(row) = EntryRow::of(&around[at], &cursor, (&stamp, &stored), is_purged)? {
            let json = serde_json::value::to_raw_value(&row)
                .expect("our own shapes have text keys and serialise");
            let action = row.action;
            bytes += json.get().len();
            rows.list.push(Row { cursor, action, json });
        }
        rows.newest = rows.newest.max(Some(stamp.at));
        last = Some(found.at);
    }
    Ok(rows)
}
