//! A row as it arrived: an entry of a list that was read whole, or a line of its own.

use crate::http::batch::columns::Columns;
use crate::http::batch::lines::Line;
use crate::http::batch::table::{CellFault, cells};
use crate::http::code::Code;
use crate::http::fault::{Fault, Place};
use crate::http::json;
use crate::http::problem::Problem;
use crate::model::input::Input;
use std::ops::Deref;
use std::sync::Arc;

/// Something that can be read as a row, as often as need be: rows are read again where the schema has
/// moved, and to say what is wrong with them. So no more of a row is kept while it waits than this.
pub(super) trait Source {
    /// The row's tree.
    fn parse(&self) -> Result<Parsed<'_>, Problem>;

    /// Bytes that it counts for while it waits.
    fn bytes(&self) -> usize;
}

/// A row's tree, of its own or a part of another.
pub(super) enum Parsed<'s> {
    Part(&'s Input<'s>),
    Own(Input<'s>),
}

impl<'s> Deref for Parsed<'s> {
    type Target = Input<'s>;

    fn deref(&self) -> &Input<'s> {
        match self {
            Self::Part(input) => input,
            Self::Own(input) => input,
        }
    }
}

/// An entry of a list, and its share of the bytes of that.
pub(super) struct Entry<'i> {
    pub input: &'i Input<'i>,
    pub bytes: usize,
}

impl Source for Entry<'_> {
    fn parse(&self) -> Result<Parsed<'_>, Problem> {
        Ok(Parsed::Part(self.input))
    }

    fn bytes(&self) -> usize {
        self.bytes
    }
}

/// What lines are.
#[derive(Clone)]
pub(super) enum Rows {
    /// Rows as every request has them.
    Upserts,
    /// Objects whose keys are columns.
    Objects(Arc<Columns>),
    /// Rows of a table.
    Cells { columns: Arc<Columns>, delimiter: u8 },
}

impl Rows {
    /// The columns of an import.
    #[must_use]
    pub(super) fn columns(&self) -> Option<&Columns> {
        match self {
            Self::Upserts => None,
            Self::Objects(columns) | Self::Cells { columns, .. } => Some(columns),
        }
    }

    fn parse<'b>(&self, bytes: &'b [u8]) -> Result<Input<'b>, Problem> {
        match self {
            Self::Upserts => Ok(json::parse(bytes)?),
            Self::Objects(columns) => Ok(columns.row_of_object(json::parse(bytes)?)?),
            Self::Cells { columns, delimiter } => {
                let cells = cells(bytes, *delimiter).map_err(no_cells)?;
                let (found, due) = (cells.len(), columns.len());
                if found != due {
                    let detail = format!("The row has {found} cells; the first row has {due}.");
                    return Err(Problem::new(Code::ParseError).saying(detail));
                }
                Ok(columns.row_of_cells(cells))
            }
        }
    }
}

/// A row that has no cells.
pub(super) fn no_cells(fault: CellFault) -> Problem {
    Problem::new(Code::ParseError).saying(fault.to_string())
}

/// A line of more bytes than one may have.
pub(super) fn too_long(bytes: usize, bytes_max: usize) -> Problem {
    let message = format!("The line has {bytes} bytes; at most {bytes_max} are allowed.");
    Fault::new(Code::RecordTooLarge, Place::Whole).saying(message).into()
}

/// A line, what it is, and how long one may be.
pub(super) struct LineSource {
    pub line: Line,
    pub bytes_max: usize,
    pub rows: Rows,
}

impl Source for LineSource {
    fn parse(&self) -> Result<Parsed<'_>, Problem> {
        match &self.line {
            Line::Whole(bytes) => Ok(Parsed::Own(self.rows.parse(bytes)?)),
            Line::TooLong(bytes) => Err(too_long(*bytes, self.bytes_max)),
        }
    }

    fn bytes(&self) -> usize {
        match &self.line {
            Line::Whole(bytes) => bytes.len(),
            Line::TooLong(_) => 0,
        }
    }
}
