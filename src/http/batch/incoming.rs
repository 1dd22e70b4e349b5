//! The body of a request with many rows, on its way to lines or to rows of a table.
//!
//! It must not know what they say.

use crate::http::batch::inflate::Inflate;
use crate::http::batch::lines::{Line, Lines};
use crate::http::batch::table::TableRows;
use crate::http::body::PlainBody;
use crate::http::problem::Problem;
use bytes::Bytes;
use std::collections::VecDeque;

/// How plain bytes are cut.
pub(super) enum Cut {
    Lines(Lines),
    Table(TableRows),
}

impl Cut {
    /// Into lines of at most so many bytes.
    #[must_use]
    pub(super) fn lines(bytes_max: usize) -> Self {
        Self::Lines(Lines::new(bytes_max))
    }

    /// Into rows of at most so many bytes.
    #[must_use]
    pub(super) fn table(delimiter: u8, bytes_max: usize) -> Self {
        Self::Table(TableRows::new(delimiter, bytes_max))
    }

    fn push(&mut self, plain: Bytes, each: impl FnMut(u64, Line)) {
        match self {
            Self::Lines(lines) => lines.push(plain, each),
            Self::Table(rows) => rows.push(&plain, each),
        }
    }

    fn finish(&mut self, each: impl FnMut(u64, Line)) {
        match self {
            Self::Lines(lines) => lines.finish(each),
            Self::Table(rows) => rows.finish(each),
        }
    }
}

/// What arrives, with the line of the body that it begins in.
pub(super) struct Incoming {
    body: PlainBody,
    inflate: Inflate,
    cut: Cut,
    ready: VecDeque<(u64, Line)>,
    has_ended: bool,
}

impl Incoming {
    #[must_use]
    pub(super) fn new(body: PlainBody, inflate: Inflate, cut: Cut) -> Self {
        Self { body, inflate, cut, ready: VecDeque::new(), has_ended: false }
    }

    /// The next one; none at the end. Whoever gives up waiting loses nothing.
    pub(super) async fn next(&mut self) -> Result<Option<(u64, Line)>, Problem> {
        loop {
            if let Some(next) = self.ready.pop_front() {
                return Ok(Some(next));
            }
            if self.has_ended {
                return Ok(None);
            }
            let ready = &mut self.ready;
            if let Some(plain) = self.inflate.step()? {
                self.cut.push(plain, |number, line| ready.push_back((number, line)));
            } else if let Some(piece) = self.body.next().await? {
                self.inflate.feed(piece);
            } else {
                if let Some(plain) = self.inflate.finish()? {
                    self.cut.push(plain, |number, line| ready.push_back((number, line)));
                }
                self.cut.finish(|number, line| ready.push_back((number, line)));
                self.has_ended = true;
            }
        }
    }

    /// Throws away what still comes.
    pub(super) async fn drain(&mut self) {
        while let Ok(Some(_)) = self.body.next().await {}
    }
}
