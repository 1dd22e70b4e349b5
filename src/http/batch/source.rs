//! A row as it arrived: an entry of a list that was read whole, or a line of its own.

use crate::http::batch::lines::Line;
use crate::http::code::Code;
use crate::http::fault::{Fault, Place};
use crate::http::json;
use crate::http::problem::Problem;
use crate::model::input::Input;
use std::ops::Deref;

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

/// A line, and how long one may be.
pub(super) struct LineSource {
    pub line: Line,
    pub bytes_max: usize,
}

impl Source for LineSource {
    fn parse(&self) -> Result<Parsed<'_>, Problem> {
        match &self.line {
            Line::Whole(bytes) => Ok(Parsed::Own(json::parse(bytes)?)),
            Line::TooLong(bytes) => {
                let max = self.bytes_max;
                let message = format!("The line has {bytes} bytes; at most {max} are allowed.");
                Err(Fault::new(Code::RecordTooLarge, Place::Whole).saying(message).into())
            }
        }
    }

    fn bytes(&self) -> usize {
        match &self.line {
            Line::Whole(bytes) => bytes.len(),
            Line::TooLong(_) => 0,
        }
    }
}
