//! What the columns of an import are: a cell's text as the value of a field, and a row of cells as
//! the row that every other request has.
//!
//! It must not know how rows arrive, nor what becomes of them.

use crate::http::code::Code;
use crate::http::fault::{Fault, Faults, Place, clipped};
use crate::http::wire::cell::{ESCAPE, SEPARATOR};
use crate::http::wire::exported::{ARCHIVED_AT, ID};
use crate::model::access::FieldRights;
use crate::model::input::Input;
use crate::model::schema::Schema;
use crate::model::schema::field::Field;
use crate::model::value::FieldType;
use parking_lot::Mutex;
use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::Arc;

const LOOKUP_VALUE: &str = "lookup_value";
const FIELDS: &str = "fields";
/// What clears a field, where a blank leaves it alone.
const CLEARS: &str = "#N/A";
/// Keys of a row that are columns too, unless a field has the name.
const ROW_KEYS: [&str; 7] = [
    LOOKUP_VALUE,
    "client_ref",
    "idempotency_key",
    "source",
    "source_version",
    "expect_version",
    "offset",
];
/// Those of them that are numbers.
const NUMBERS: [&str; 3] = ["source_version", "expect_version", "offset"];
/// What a line of an export has beside its fields.
const OF_EXPORTS: [&str; 13] = [
    ID,
    "object_type",
    "name",
    "display_name",
    "access",
    "client_info",
    "num_upcoming_activities",
    "num_associated_team_members",
    "created",
    "updated",
    "version",
    ARCHIVED_AT,
    "archived_by",
];
/// Names that are told of as ignored; of more nobody is told.
const IGNORED_MAX: usize = 1_000;

/// What is said for all columns of an import.
#[derive(Clone, Debug, Default)]
pub(super) struct ColumnOptions {
    /// Which field a column is, by what the column is called; empty: it is passed over.
    pub map: Vec<(String, String)>,
    /// Columns that are none are passed over.
    pub ignores_unknown: bool,
    /// Blank cells leave their fields alone.
    pub ignores_blanks: bool,
    /// Records are looked for by other keys than the identifier.
    pub has_match: bool,
}

/// The columns of an import.
pub(super) struct Columns {
    schema: Arc<Schema>,
    rights: FieldRights,
    options: ColumnOptions,
    /// Of a table: one for each cell.
    of_table: Vec<Column>,
    ignored: Mutex<BTreeSet<String>>,
}

/// What a column is.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Column {
    Ignored,
    /// A key of the row.
    Row(&'static str),
    Field {
        name: String,
        form: Form,
    },
}

/// How the text of a cell is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Plain,
    Several,
    /// With its symbol, and commas between the thousands.
    Money(&'static str),
}

impl Form {
    fn of(field: &Field) -> Self {
        if field.holds_several() {
            Self::Several
        } else if field.field_type == FieldType::Money {
            Self::Money(field.currency().symbol())
        } else {
            Self::Plain
        }
    }
}

impl Columns {
    /// Columns that every row names itself.
    #[must_use]
    pub(super) fn named_by_rows(
        schema: Arc<Schema>,
        rights: FieldRights,
        options: ColumnOptions,
    ) -> Self {
        Self { schema, rights, options, of_table: Vec::new(), ignored: Mutex::default() }
    }

    /// Columns that the first row of a table names.
    pub(super) fn of_table(mut self, header: &[Cow<'_, str>], faults: &mut Faults) -> Self {
        let mut columns = Vec::with_capacity(header.len());
        for cell in header {
            match self.find(cell.trim()) {
                Ok(column) => columns.push(column),
                Err(fault) => faults.push(fault),
            }
        }
        for (given, _) in &self.options.map {
            if !header.iter().any(|cell| cell.trim() == given) {
                let place = Place::Query(format!("map.{}", clipped(given)).into());
                let fault = Fault::new(Code::DoesNotExist, place);
                faults.push(fault.saying("There is no such column."));
            }
        }
        let mut seen = BTreeSet::new();
        for (cell, column) in header.iter().zip(&columns) {
            let name = match column {
                Column::Ignored => continue,
                Column::Row(name) => name,
                Column::Field { name, .. } => &**name,
            };
            if !seen.insert(name.to_owned()) {
                faults.push(Fault::new(Code::DuplicateField, place_of(cell)));
            }
        }
        if !self.options.has_match && faults.is_empty() {
            self.look_up(&mut columns, faults);
        }
        self.of_table = columns;
        self
    }

    /// Without a lookup value of their own records are looked for by the identifier's column.
    fn look_up(&self, columns: &mut [Column], faults: &mut Faults) {
        if columns.contains(&Column::Row(LOOKUP_VALUE)) {
            return;
        }
        let identifier = &self.schema.identifier().name;
        let is_identifier = |column: &&mut Column| matches!(column, Column::Field { name, .. } if name == identifier);
        if let Some(column) = columns.iter_mut().find(is_identifier) {
            *column = Column::Row(LOOKUP_VALUE);
            return;
        }
        let message = format!("A column must be \"{LOOKUP_VALUE}\" or \"{identifier}\".");
        let fault = Fault::new(Code::Required, Place::Body(LOOKUP_VALUE.into()));
        faults.push(fault.saying(message));
    }

    /// Cells of every row of a table.
    #[must_use]
    pub(super) fn len(&self) -> usize {
        self.of_table.len()
    }

    /// Columns that were passed over, by their names.
    #[must_use]
    pub(super) fn ignored(&self) -> Vec<String> {
        self.ignored.lock().iter().cloned().collect()
    }

    /// A row of a table, of as many cells as there are columns.
    #[must_use]
    pub(super) fn row_of_cells<'c>(&self, cells: Vec<Cow<'c, str>>) -> Input<'c> {
        let mut row = RowBuilder::new(&self.options);
        for (column, cell) in self.of_table.iter().zip(cells) {
            row.add(column, Input::Text(cell));
        }
        row.finish()
    }

    /// A row that names its columns: as they are, or, where it has `fields`, as exports have them.
    pub(super) fn row_of_object<'i>(&self, object: Input<'i>) -> Result<Input<'i>, Fault> {
        let Input::Map(entries) = object else {
            let message = format!("A row must be an object, not {}.", object.kind());
            return Err(Fault::new(Code::Invalid, Place::Whole).saying(message));
        };
        let has_fields = entries.iter().any(|(name, _)| name == FIELDS);
        let mut row = RowBuilder::new(&self.options);
        for (name, value) in entries {
            if name == FIELDS {
                let Input::Map(values) = value else {
                    let message = format!("Expected an object, not {}.", value.kind());
                    return Err(Fault::new(Code::Invalid, place_of(FIELDS)).saying(message));
                };
                for (name, value) in values {
                    row.add(&self.find(&name)?, value);
                }
            } else if has_fields && OF_EXPORTS.contains(&&*name) {
                self.ignore(&name);
            } else {
                row.add(&self.find(&name)?, value);
            }
        }
        if !self.options.has_match {
            row.look_up_by(&self.schema.identifier().name);
        }
        Ok(row.finish())
    }

    /// What a column is, by what it is called.
    fn find(&self, called: &str) -> Result<Column, Fault> {
        let mapped = self.options.map.iter().find(|(given, _)| given == called);
        let reference = match mapped {
            Some((_, reference)) if reference.is_empty() => return Ok(self.ignore(called)),
            Some((_, reference)) => reference,
            None => called,
        };
        let Self { schema, rights, .. } = self;
        if let Some(field) = rights.find(schema, reference) {
            return Ok(self.column_of(field, called));
        }
        if let Some(key) = ROW_KEYS.iter().find(|key| **key == reference) {
            return Ok(Column::Row(key));
        }
        if mapped.is_none() && [ID, ARCHIVED_AT].contains(&reference) {
            return Ok(self.ignore(called));
        }
        let labelled =
            |field: &&Arc<Field>| field.display_name == reference && rights.may_see(field.number);
        let mut labelled = schema.fields().iter().filter(labelled);
        match (labelled.next(), labelled.next()) {
            (Some(field), None) => Ok(self.column_of(field, called)),
            (Some(_), Some(_)) => {
                let message = "Several fields have this label; say in `map` which one is meant.";
                Err(Fault::new(Code::Invalid, place_of(called)).saying(message))
            }
            (None, _) if self.options.ignores_unknown && mapped.is_none() => {
                Ok(self.ignore(called))
            }
            (None, _) => {
                let message = format!("\"{}\" is no field of this object.", clipped(reference));
                Err(Fault::new(Code::DoesNotExist, place_of(called)).saying(message))
            }
        }
    }

    /// A field that nobody may write is passed over, so that an export can be read back.
    fn column_of(&self, field: &Field, called: &str) -> Column {
        if field.is_computed() || field.is_read_only {
            return self.ignore(called);
        }
        Column::Field { name: field.name.clone(), form: Form::of(field) }
    }

    fn ignore(&self, called: &str) -> Column {
        let mut ignored = self.ignored.lock();
        if ignored.len() < IGNORED_MAX && !ignored.contains(called) {
            ignored.insert(clipped(called).into_owned());
        }
        Column::Ignored
    }
}

fn place_of(called: &str) -> Place {
    Place::Body(clipped(called).into_owned().into())
}

/// A row while its columns are read.
struct RowBuilder<'o, 'i> {
    options: &'o ColumnOptions,
    keys: Vec<(Cow<'i, str>, Input<'i>)>,
    fields: Vec<(Cow<'i, str>, Input<'i>)>,
}

impl<'o, 'i> RowBuilder<'o, 'i> {
    fn new(options: &'o ColumnOptions) -> Self {
        Self { options, keys: Vec::new(), fields: Vec::new() }
    }

    fn add(&mut self, column: &Column, value: Input<'i>) {
        let is_text = |is: &dyn Fn(&str) -> bool| value.as_text().is_some_and(is);
        let clears = is_text(&|text| text.trim() == CLEARS);
        let is_blank = value == Input::Null || is_text(&|text| text.trim().is_empty());
        match column {
            Column::Ignored => {}
            Column::Row(_) if is_blank => {}
            Column::Row(key) => {
                let value = if NUMBERS.contains(key) { number_of(value) } else { value };
                self.keys.push((Cow::Borrowed(key), value));
            }
            Column::Field { .. } if is_blank && self.options.ignores_blanks => {}
            Column::Field { name, form } => {
                let value = if clears || is_blank { Input::Null } else { form.read(value) };
                self.fields.push((Cow::Owned(name.clone()), value));
            }
        }
    }

    /// Without a lookup value of its own a row is looked for by its identifier.
    fn look_up_by(&mut self, identifier: &str) {
        if self.keys.iter().any(|(key, _)| key == LOOKUP_VALUE) {
            return;
        }
        if let Some(at) = self.fields.iter().position(|(name, _)| name == identifier) {
            let (_, value) = self.fields.remove(at);
            self.keys.push((Cow::Borrowed(LOOKUP_VALUE), value));
        }
    }

    fn finish(mut self) -> Input<'i> {
        self.keys.push((Cow::Borrowed(FIELDS), Input::Map(self.fields)));
        Input::Map(self.keys)
    }
}

fn number_of(value: Input<'_>) -> Input<'_> {
    let Input::Text(text) = value else { return value };
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if is_number { Input::Number(text) } else { Input::Text(text) }
}

impl Form {
    /// What is given otherwise than as a text is as it is.
    fn read(self, value: Input<'_>) -> Input<'_> {
        let Input::Text(text) = value else { return value };
        match self {
            Self::Plain => Input::Text(text),
            Self::Several => {
                let values = split(&text).into_iter();
                Input::List(values.map(|value| Input::Text(Cow::Owned(value))).collect())
            }
            Self::Money(symbol) => Input::Text(amount_of(&text, symbol).map_or(text, Cow::Owned)),
        }
    }
}

/// The values between the separators. What stands alone behind the escape is as it is.
fn split(text: &str) -> Vec<String> {
    let mut values = vec![String::new()];
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        let last = values.last_mut().expect("there is always one");
        match character {
            SEPARATOR => values.push(String::new()),
            ESCAPE => match characters.next() {
                Some(escaped @ (SEPARATOR | ESCAPE)) => last.push(escaped),
                Some(other) => last.extend([ESCAPE, other]),
                None => last.push(ESCAPE),
            },
            other => last.push(other),
        }
    }
    values
}

/// An amount without its symbol and its commas, where they stand as they should.
fn amount_of(text: &str, symbol: &str) -> Option<String> {
    let text = text.trim();
    let (sign, text) = match text.strip_prefix('-') {
        Some(rest) => ("-", rest.trim_start()),
        None => ("", text),
    };
    let text = text.strip_prefix(symbol).unwrap_or(text).trim_start();
    let (whole, rest) = text.split_at(text.find('.').unwrap_or(text.len()));
    let groups: Vec<&str> = whole.split(',').collect();
    let is_group = |group: &&str| group.len() == 3;
    let is_grouped = groups.len() > 1
        && (1..=3).contains(&groups[0].len())
        && groups[1..].iter().all(is_group)
        && whole.bytes().all(|byte| byte.is_ascii_digit() || byte == b',');
    (groups.len() == 1 || is_grouped).then(|| [sign, &groups.concat(), rest].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_split_where_they_were_joined() {
        let check = |text: &str, expected: &[&str]| assert_eq!(split(text), expected, "{text}");
        check("a", &["a"]);
        check("a|b|", &["a", "b", ""]);
        check(r"a\|b|c\\|d", &["a|b", r"c\", "d"]);
        check(r"a\b\", &[r"a\b\"]);
    }

    #[test]
    fn an_amount_may_have_its_symbol_and_commas() {
        let check = |text: &str, expected: Option<&str>| {
            assert_eq!(amount_of(text, "$").as_deref(), expected, "{text}");
        };
        check("$1,250.50", Some("1250.50"));
        check(" -$1,234,567 ", Some("-1234567"));
        check("$ 3", Some("3"));
        check("12.5", Some("12.5"));
        check("1,25", None);
        check("1,2500.00", None);
        check("1.250,50", Some("1.250,50"));
        check("€5", Some("€5"));
        check("", Some(""));
    }
}
