//! Columns: the values of one field of all records side by side, so that a search need not look at
//! the records.
//!
//! A column is made of pieces, one for each chunk of the creation order, under the chunk's own lock:
//! whoever holds that sees records and columns in one state. A piece is filled by the first search
//! that wants it and kept by every change from then on. Columns are never stored. They hold what
//! records store, not what that refers to, so that no change of options or members touches them.

pub mod mask;
mod members;
pub mod numbered;
pub mod numbers;
pub mod question;
pub mod texts;

use crate::model::id::{FieldNumber, MemberId};
use crate::model::key;
use crate::model::schema::Schema;
use crate::model::schema::field::{Field, Source};
use crate::model::table::column::mask::Mask;
use crate::model::table::column::members::Members;
use crate::model::table::column::numbered::Numbered;
use crate::model::table::column::numbers::{Numbers, exact, float};
use crate::model::table::column::question::Question;
use crate::model::table::column::texts::Texts;
use crate::model::table::decide::keys::{stored, stored_text};
use crate::model::table::naming;
use crate::model::table::record::Record;
use crate::model::value::{FieldType, Value, pack};
use std::borrow::Cow;
use std::cmp::Ordering;
use std::sync::Arc;
use std::sync::atomic::{
    AtomicBool, AtomicU32, AtomicU64, AtomicUsize,
    Ordering::{Acquire, Relaxed, Release},
};

/// A piece that would take more is none: its records are looked at instead.
pub const PIECE_BYTES_MAX: usize = 256 * 1024;

/// What is known of a column beside its pieces.
#[derive(Debug)]
pub struct Column {
    /// Of the table's schema when the column was made; of it only what never changes is used.
    schema: Arc<Schema>,
    field: Arc<Field>,
    kind: Kind,
    bytes: AtomicUsize,
    is_dropped: AtomicBool,
    /// When it was last wanted, as the table counts.
    pub(super) used_at: AtomicU64,
    /// How often it was found unwanted since.
    pub(super) idle: AtomicU32,
}

/// How the values of a column are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Numbers,
    Bits,
    Texts,
    Numbered,
    Members,
}

impl Kind {
    /// None: nothing is gained by a column, or too much memory is lost.
    const fn of(field_type: FieldType) -> Option<Self> {
        match field_type {
            FieldType::Text | FieldType::Email | FieldType::Phonenumber | FieldType::Timezone => {
                Some(Self::Texts)
            }
            FieldType::Integer
            | FieldType::Decimal
            | FieldType::Money
            | FieldType::Rating
            | FieldType::Date
            | FieldType::Datetime => Some(Self::Numbers),
            FieldType::Checkbox => Some(Self::Bits),
            FieldType::Dropdown
            | FieldType::Radio
            | FieldType::Choices
            | FieldType::Status
            | FieldType::Yesnomaybe
            | FieldType::Selector
            | FieldType::Checkboxes
            | FieldType::Dynamictags => Some(Self::Numbered),
            FieldType::TeamSelector => Some(Self::Members),
            FieldType::Longtext | FieldType::Files | FieldType::Relationship => None,
        }
    }
}

/// What a record has cannot be kept in a column.
#[derive(Debug, PartialEq)]
struct Unfit;

impl Column {
    /// None where columns of such fields are not kept.
    #[must_use]
    pub fn new(schema: &Arc<Schema>, field: &Arc<Field>) -> Option<Self> {
        Some(Self {
            schema: schema.clone(),
            field: field.clone(),
            kind: Kind::of(field.field_type)?,
            bytes: AtomicUsize::new(0),
            is_dropped: AtomicBool::new(false),
            used_at: AtomicU64::new(0),
            idle: AtomicU32::new(0),
        })
    }

    #[must_use]
    pub fn field(&self) -> FieldNumber {
        self.field.number
    }

    /// Whether it holds the values of a field as that is now.
    #[must_use]
    pub fn is_of(&self, field: &Field) -> bool {
        let shape = |field: &Field| (field.number, field.field_type, field.allow_multiple);
        shape(&self.field) == shape(field)
    }

    /// Bytes of all its pieces.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes.load(Relaxed)
    }

    /// Nobody wants it any more: its pieces may go.
    pub fn give_up(&self) {
        self.is_dropped.store(true, Release);
    }

    #[must_use]
    pub fn is_dropped(&self) -> bool {
        self.is_dropped.load(Acquire)
    }

    /// Whether it may change with these values, which are in rising order of their numbers.
    fn looks_at(&self, changed: &[FieldNumber]) -> bool {
        match self.field.source() {
            Source::Stored | Source::Created | Source::Updated => {
                changed.binary_search(&self.field.number).is_ok()
            }
            Source::DisplayName | Source::FullName => true,
        }
    }

    fn value(&self, record: &Record) -> Option<Value> {
        record.value(self.field.number).map(|raw| stored(&self.field, raw))
    }

    fn number(&self, record: &Record) -> Result<Option<f64>, Unfit> {
        match self.value(record) {
            None => Ok(None),
            Some(Value::Integer(integer)) => Ok(Some(integer.into())),
            Some(Value::Decimal(decimal)) => exact(decimal).map(Some).ok_or(Unfit),
            Some(Value::Date(day)) => Ok(Some(day.0.into())),
            Some(Value::Datetime(at)) => Ok(Some(float(at.0))),
            Some(
                Value::Text(_)
                | Value::Boolean(_)
                | Value::Choice(_)
                | Value::Choices(_)
                | Value::Tags(_)
                | Value::Member(_)
                | Value::Members(_)
                | Value::Files(_)
                | Value::Record(_)
                | Value::Records(_),
            ) => Err(Unfit),
        }
    }

    fn bit(&self, record: &Record) -> bool {
        self.value(record) == Some(Value::Boolean(true))
    }

    /// The numbers of options or tags. Where the field held several once and holds one now, the
    /// first one counts, as it does for whoever reads the record.
    fn numbers<'r>(&self, record: Option<&'r Record>) -> impl Iterator<Item = u32> + use<'r> {
        const STORED: &str = "options and tags are stored as their numbers";
        let max = if self.field.holds_several() { usize::MAX } else { 1 };
        let raw = record.and_then(|record| record.value(self.field.number));
        let numbers = raw.map(|raw| pack::read_numbers(raw).expect(STORED));
        numbers.into_iter().flatten().map(|number| number.expect(STORED)).take(max)
    }

    fn members(&self, record: &Record) -> Result<Vec<MemberId>, Unfit> {
        match self.value(record) {
            None => Ok(Vec::new()),
            Some(Value::Member(member)) => Ok(vec![member]),
            Some(Value::Members(members)) => Ok(members),
            Some(
                Value::Text(_)
                | Value::Integer(_)
                | Value::Decimal(_)
                | Value::Boolean(_)
                | Value::Date(_)
                | Value::Datetime(_)
                | Value::Choice(_)
                | Value::Choices(_)
                | Value::Tags(_)
                | Value::Files(_)
                | Value::Record(_)
                | Value::Records(_),
            ) => Err(Unfit),
        }
    }

    fn text<'r>(&self, record: &'r Record) -> Option<Cow<'r, str>> {
        let computed = |text: Cow<'r, str>| (!text.is_empty()).then_some(text);
        match self.field.source() {
            Source::Stored => {
                let text = stored_text(record.value(self.field.number)?);
                Some(text.expect("a field of text stores a text").into())
            }
            Source::DisplayName => computed(naming::display_name(&self.schema, record)),
            Source::FullName => computed(naming::full_name(record)),
            Source::Created | Source::Updated => unreachable!("times are no texts"),
        }
    }
}

/// What becomes of a row.
pub struct RowChange<'r> {
    old: Option<&'r Record>,
    new: Option<&'r Record>,
    /// The numbers of the values that differ, rising; none where there was no record or is none.
    changed: Option<Vec<FieldNumber>>,
}

impl<'r> RowChange<'r> {
    #[must_use]
    pub fn between(old: Option<&'r Record>, new: Option<&'r Record>) -> Self {
        let changed = old.zip(new).map(|(old, new)| old.body().differing(new.body()));
        Self { old, new, changed }
    }
}

/// A column's part of one chunk.
#[derive(Debug)]
pub struct Piece {
    column: Arc<Column>,
    /// None: some record has what does not fit, or they are too large.
    cells: Option<Cells>,
    bytes: usize,
}

#[derive(Debug)]
enum Cells {
    Numbers(Numbers),
    Bits(Mask),
    Texts(Texts),
    Numbered(Numbered),
    Members(Members),
}

impl Piece {
    /// The piece of the records of a chunk.
    #[must_use]
    pub fn of(column: &Arc<Column>, records: &[Option<Record>]) -> Self {
        let cells = Cells::of(column, records).ok();
        let mut piece = Self { column: column.clone(), cells, bytes: 0 };
        piece.account();
        piece
    }

    #[must_use]
    pub fn column(&self) -> &Arc<Column> {
        &self.column
    }

    /// Whether it can be asked.
    #[must_use]
    pub fn is_fit(&self) -> bool {
        self.cells.is_some()
    }

    /// Takes over what a row has now.
    pub fn set(&mut self, row: usize, change: &RowChange<'_>) {
        let RowChange { old, new, changed } = change;
        let Some(cells) = &mut self.cells else { return };
        if changed.as_ref().is_some_and(|changed| !self.column.looks_at(changed)) {
            return;
        }
        if cells.set(&self.column, row, *old, *new).is_err() {
            self.cells = None;
        }
        self.account();
    }

    /// Of these rows those that answer yes.
    ///
    /// # Panics
    /// Where it is not fit to be asked, or on a question of another kind.
    #[must_use]
    pub fn answer(&self, question: &Question, rows: &Mask) -> Mask {
        let cells = self.cells.as_ref().expect("whoever asks a piece has seen that it is fit");
        match (cells, question) {
            (Cells::Numbers(numbers), Question::Blank) => numbers.blank().and(rows),
            (Cells::Numbers(numbers), Question::Within(span)) => numbers.within(*span).and(rows),
            (Cells::Numbers(numbers), Question::OneOf(wanted)) => {
                numbers.holding(rows, |number| wanted.contains(&number))
            }
            (Cells::Numbers(numbers), Question::Month(of, month)) => {
                numbers.holding(rows, |number| of.month(number) == *month)
            }
            (Cells::Bits(set), Question::Bit(true)) => rows.and(set),
            (Cells::Bits(set), Question::Bit(false)) => rows.without(set),
            (Cells::Texts(texts), Question::Blank) => texts.blank(rows),
            (Cells::Texts(texts), Question::Like(patterns)) => {
                let found = |found: Mask, pattern| found.or(&texts.like(rows, pattern));
                patterns.iter().fold(Mask::NONE, found)
            }
            (Cells::Texts(texts), Question::Phone(test)) => {
                texts.holding_text(rows, |number| test.holds(number))
            }
            (Cells::Texts(texts), Question::Standing { to, ordering, or_equal }) => {
                texts.standing(rows, to, |found| found == *ordering || (*or_equal && found.is_eq()))
            }
            (Cells::Numbered(numbered), Question::Numbered(having)) => {
                having.rows(|numbers| numbered.any_of(numbers)).and(rows)
            }
            (Cells::Members(members), Question::Members(having)) => {
                having.rows(|wanted| members.any_of(wanted)).and(rows)
            }
            (
                Cells::Numbers(_)
                | Cells::Bits(_)
                | Cells::Texts(_)
                | Cells::Numbered(_)
                | Cells::Members(_),
                _,
            ) => unreachable!("{question:?} is no question of {:?}", self.column.kind),
        }
    }

    /// Tells the column what the piece takes, and lets go of what takes too much.
    fn account(&mut self) {
        let now = self.cells.as_ref().map_or(0, Cells::bytes);
        let now = if now > PIECE_BYTES_MAX {
            self.cells = None;
            0
        } else {
            now
        };
        let total = &self.column.bytes;
        // Nearly always as much as before, and every processor would wait for the total.
        match now.cmp(&self.bytes) {
            Ordering::Equal => return,
            Ordering::Greater => total.fetch_add(now - self.bytes, Relaxed),
            Ordering::Less => total.fetch_sub(self.bytes - now, Relaxed),
        };
        self.bytes = now;
    }
}

impl Drop for Piece {
    fn drop(&mut self) {
        self.column.bytes.fetch_sub(self.bytes, Relaxed);
    }
}

impl Cells {
    fn of(column: &Column, records: &[Option<Record>]) -> Result<Self, Unfit> {
        let mut cells = match column.kind {
            Kind::Numbers => Self::Numbers(Numbers::default()),
            Kind::Bits => Self::Bits(Mask::NONE),
            Kind::Texts => Self::Texts(Texts::default()),
            Kind::Numbered => Self::Numbered(Numbered::default()),
            // All at once: one by one each would be put in its place among all the others.
            Kind::Members => return members_of(column, records).map(Self::Members),
        };
        // The last row first: room is made once.
        for (row, record) in records.iter().enumerate().rev() {
            if let Some(record) = record {
                cells.set(column, row, None, Some(record))?;
            }
        }
        if let Self::Texts(texts) = &mut cells {
            texts.pack();
        }
        Ok(cells)
    }

    fn set(
        &mut self,
        column: &Column,
        row: usize,
        old: Option<&Record>,
        new: Option<&Record>,
    ) -> Result<(), Unfit> {
        match self {
            Self::Numbers(numbers) => {
                let number = new.map_or(Ok(None), |record| column.number(record))?;
                numbers.set(row, number);
            }
            Self::Bits(set) => set.set(row, new.is_some_and(|record| column.bit(record))),
            Self::Texts(texts) => {
                let text = new.and_then(|record| column.text(record));
                texts.set(row, text.as_deref().map(key::searched).as_deref());
            }
            Self::Numbered(numbered) => numbered.set(row_number(row), column.numbers(new)),
            Self::Members(members) => {
                let of = |record: Option<&Record>| {
                    record.map_or(Ok(Vec::new()), |record| column.members(record))
                };
                members.set(row_number(row), &of(old)?, &of(new)?);
            }
        }
        Ok(())
    }

    fn bytes(&self) -> usize {
        match self {
            Self::Numbers(numbers) => numbers.bytes(),
            Self::Bits(_) => size_of::<Mask>(),
            Self::Texts(texts) => texts.bytes(),
            Self::Numbered(numbered) => numbered.bytes(),
            Self::Members(members) => members.bytes(),
        }
    }
}

/// The members of all records of a chunk.
fn members_of(column: &Column, records: &[Option<Record>]) -> Result<Members, Unfit> {
    let mut members = Vec::new();
    for (row, record) in records.iter().enumerate() {
        if let Some(record) = record {
            let list = column.members(record)?;
            members.extend(list.into_iter().map(|member| (member, row_number(row))));
        }
    }
    Ok(Members::new(members))
}

fn row_number(row: usize) -> u16 {
    u16::try_from(row).expect("a row is one of a chunk")
}
