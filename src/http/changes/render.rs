//! Entries as JSON, up to so many bytes of it.

use crate::engine::feed::Place;
use crate::engine::feed::entry::Entry;
use crate::http::changes::view::View;
use crate::http::wire::change::{EntryAction, EntryRow, EntryScene, Include};
use crate::http::wire::record::Scene;
use crate::http::wire::selection::{FieldsWanted, Selection};
use crate::model::id::Timestamp;
use crate::model::table::event_form::Misfit;
use serde_json::value::RawValue;

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
    pub(super) cut_at: Option<Place>,
    /// Whether the feed goes on behind them.
    pub(super) has_more: bool,
}

/// Renders entries of a table for its caller: at least one if there is one.
pub(super) fn render(
    view: &View,
    include: Include,
    entries: &[Entry],
    bytes_max: usize,
) -> Result<Rows, Misfit> {
    let scene = Scene::new(&view.target, &view.schema);
    let selection = Selection::of_read(&FieldsWanted::default(), &view.schema, scene.fields());
    let around = EntryScene { scene: &scene, selection: &selection, include };
    let (feed, shown) = (view.target.engine.feed(), view.target.table.shown());
    let (mut rows, mut bytes, mut last) = (Rows::default(), 0, None);
    for entry in entries {
        if bytes >= bytes_max {
            rows.cut_at = last;
            break;
        }
        let (stamp, stored) = entry.read()?;
        let place = Place::behind(entry);
        let cursor = feed.cursor(shown, place).write();
        let is_purged = view.is_purged(&stored);
        if let Some(row) = EntryRow::of(&around, &cursor, (&stamp, &stored), is_purged)? {
            let json = serde_json::value::to_raw_value(&row)
                .expect("our own shapes have text keys and serialise");
            let action = row.action;
            bytes += json.get().len();
            rows.list.push(Row { cursor, action, json });
        }
        rows.newest = rows.newest.max(Some(stamp.at));
        last = Some(place);
    }
    Ok(rows)
}
