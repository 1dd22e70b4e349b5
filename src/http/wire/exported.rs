//! A record in an export: a line of JSON, or a row of cells.
//!
//! Cells are read back by imports; how is told in `cell`. It must not know which records there are.

use crate::http::wire::cell;
use crate::http::wire::record::RecordAnswer;
use crate::http::wire::selection::Selection;
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use std::convert::Infallible;

/// The column of a record's id, and that of the time when it was archived.
pub const ID: &str = "id";
pub const ARCHIVED_AT: &str = "archived_at";

/// A record as a read shows it, with its fields by their API names and nothing of them but values.
pub struct ExportedRecord<'a>(pub RecordAnswer<'a>);

impl Serialize for ExportedRecord<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize_with(&NamedValues(&self.0), serializer)
    }
}

struct NamedValues<'a>(&'a RecordAnswer<'a>);

impl Serialize for NamedValues<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        self.0.each_value(|selected, value| match value {
            Some(value) => map.serialize_entry(&selected.field.name, &value),
            None => Ok(()),
        })?;
        map.end()
    }
}

/// How cells look.
#[derive(Clone, Copy, Debug, Default)]
pub struct CellForm {
    /// Options by their labels instead of their ids.
    pub labels: bool,
    /// What a spreadsheet would take for a formula is made a text.
    pub excel: bool,
    /// Whether there is a column that says when a record was archived.
    pub tells_archived: bool,
}

/// Appends the row of names.
pub fn write_header(selection: &Selection<'_>, form: CellForm, out: &mut Vec<u8>) {
    let names = selection.fields.iter().map(|selected| &*selected.field.name);
    let archived = form.tells_archived.then_some(ARCHIVED_AT);
    cell::write_row([ID].into_iter().chain(names).chain(archived), form.excel, out);
}

/// Appends the row of a record.
pub fn write_record(answer: &RecordAnswer<'_>, form: CellForm, out: &mut Vec<u8>) {
    let mut cells = vec![answer.record.id().to_string()];
    let Ok(()) = answer.each_value(|_, value| {
        let mut text = String::new();
        if let Some(value) = &value {
            cell::write_value(value, form.labels, &mut text);
        }
        cells.push(text);
        Ok::<(), Infallible>(())
    });
    if form.tells_archived {
        cells.push(answer.scene.archived(&answer.record).0.unwrap_or_default());
    }
    cell::write_row(cells.iter().map(String::as_str), form.excel, out);
}
