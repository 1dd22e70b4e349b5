//! Cuts the bytes of a CSV body into rows, and a row into cells, as RFC 4180 has them.
//!
//! A row ends with `\n`, unless that is in quotes; a `\r` before it belongs to the end. Rows of nothing
//! but blanks are passed over. At most one row is held, and never more of it than may be. It must not
//! know what a column is.

use crate::http::batch::lines::Line;
use bytes::{Bytes, BytesMut};
use std::borrow::Cow;

/// What a file may begin with.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Where in a row the last byte was.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum At {
    /// Before the first byte of a cell.
    #[default]
    CellStart,
    Plain,
    Quoted,
    /// Behind a quote in quotes: it ends them, or the next byte is another one.
    Quote,
}

/// Bytes on their way to rows.
#[derive(Debug)]
pub(super) struct TableRows {
    delimiter: u8,
    max: usize,
    /// The first bytes, until there are enough to tell a mark; none once it was told.
    head: Option<Vec<u8>>,
    at: At,
    /// The beginning of a row whose end has not come yet.
    begun: BytesMut,
    /// Bytes of that row that were thrown away, where it is too long already.
    dropped: usize,
    /// The line that is being read, from 1, and the one in which the row has begun.
    line: u64,
    first_line: u64,
}

impl TableRows {
    /// Of at most so many bytes each, without their ends.
    #[must_use]
    pub(super) fn new(delimiter: u8, max: usize) -> Self {
        Self {
            delimiter,
            max,
            head: Some(Vec::new()),
            at: At::default(),
            begun: BytesMut::new(),
            dropped: 0,
            line: 1,
            first_line: 1,
        }
    }

    /// Takes what has arrived, and gives each row that has ended with the line it began in.
    pub(super) fn push(&mut self, piece: &Bytes, mut each: impl FnMut(u64, Line)) {
        let Some(mut head) = self.head.take() else { return self.cut(piece, &mut each) };
        head.extend_from_slice(piece);
        if head.len() < BYTE_ORDER_MARK.len() {
            self.head = Some(head);
        } else {
            self.cut(&Bytes::from(without_mark(head)), &mut each);
        }
    }

    /// The last row, where the bytes have ended without an end of line.
    pub(super) fn finish(&mut self, mut each: impl FnMut(u64, Line)) {
        if let Some(head) = self.head.take() {
            self.cut(&Bytes::from(head), &mut each);
        }
        self.end_row(&Bytes::new(), &mut each);
    }

    fn cut(&mut self, piece: &Bytes, each: &mut impl FnMut(u64, Line)) {
        let mut start = 0;
        for (at, byte) in piece.iter().enumerate() {
            if *byte == b'\n' {
                self.line += 1;
            }
            self.at = match (self.at, *byte) {
                (At::Quoted, b'"') => At::Quote,
                (At::Quoted, _) | (At::CellStart | At::Quote, b'"') => At::Quoted,
                (At::CellStart | At::Plain | At::Quote, b'\n') => {
                    self.end_row(&piece.slice(start..at), each);
                    start = at + 1;
                    At::CellStart
                }
                (At::CellStart | At::Plain | At::Quote, byte) if byte == self.delimiter => {
                    At::CellStart
                }
                (At::CellStart | At::Plain | At::Quote, _) => At::Plain,
            };
        }
        self.hold(&piece[start..]);
    }

    /// `rest` is what of the row has not been held.
    fn end_row(&mut self, rest: &Bytes, each: &mut impl FnMut(u64, Line)) {
        let row = if self.begun.is_empty() && self.dropped == 0 {
            rest.clone()
        } else {
            self.hold(rest);
            self.begun.split().freeze()
        };
        let number = std::mem::replace(&mut self.first_line, self.line);
        let dropped = std::mem::take(&mut self.dropped);
        let end = row.len() - usize::from(row.last() == Some(&b'\r'));
        if dropped > 0 || end > self.max {
            each(number, Line::TooLong(row.len() + dropped));
        } else if !row.iter().all(u8::is_ascii_whitespace) {
            each(number, Line::Whole(row.slice(..end)));
        }
    }

    fn hold(&mut self, bytes: &[u8]) {
        // One more than may be: it can be the `\r` of the end.
        let room = (self.max + 1).saturating_sub(self.begun.len());
        let kept = room.min(bytes.len());
        self.begun.extend_from_slice(&bytes[..kept]);
        self.dropped += bytes.len() - kept;
    }
}

/// Leaves out the mark with which some programs begin a text.
fn without_mark(mut head: Vec<u8>) -> Vec<u8> {
    if head.starts_with(BYTE_ORDER_MARK) {
        head.drain(..BYTE_ORDER_MARK.len());
    }
    head
}

/// Why a row has no cells. Its text is a sentence, because clients are shown it as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum CellFault {
    #[error("A row must be UTF-8.")]
    NotUtf8,
    #[error("A cell with a quote in it must stand in quotes, and the quote twice.")]
    QuoteInside,
    #[error("Behind the quote that ends a cell the next cell must begin.")]
    BehindQuote,
    #[error("A quote is opened and not closed.")]
    Unclosed,
}

/// The cells of a row.
pub(super) fn cells(row: &[u8], delimiter: u8) -> Result<Vec<Cow<'_, str>>, CellFault> {
    let mut rest = std::str::from_utf8(row).map_err(|_| CellFault::NotUtf8)?;
    let delimiter = char::from(delimiter);
    let mut cells = Vec::new();
    loop {
        if let Some(inside) = rest.strip_prefix('"') {
            let (cell, behind) = quoted(inside)?;
            cells.push(cell);
            match behind.strip_prefix(delimiter) {
                Some(next) => rest = next,
                None if behind.is_empty() => return Ok(cells),
                None => return Err(CellFault::BehindQuote),
            }
            continue;
        }
        let (cell, next) = match rest.split_once(delimiter) {
            Some((cell, next)) => (cell, Some(next)),
            None => (rest, None),
        };
        if cell.contains('"') {
            return Err(CellFault::QuoteInside);
        }
        cells.push(Cow::Borrowed(cell));
        match next {
            Some(next) => rest = next,
            None => return Ok(cells),
        }
    }
}

/// A cell in quotes, and what stands behind them.
fn quoted(inside: &str) -> Result<(Cow<'_, str>, &str), CellFault> {
    let (mut cell, mut rest) = (Cow::Borrowed(""), inside);
    loop {
        let (text, behind) = rest.split_once('"').ok_or(CellFault::Unclosed)?;
        if cell.is_empty() {
            cell = Cow::Borrowed(text);
        } else {
            cell.to_mut().push_str(text);
        }
        let Some(next) = behind.strip_prefix('"') else { return Ok((cell, behind)) };
        cell.to_mut().push('"');
        rest = next;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::wire::cell::write_row;
    use proptest::prelude::*;

    fn cut(max: usize, pieces: &[&[u8]]) -> Vec<(u64, Line)> {
        let mut rows = TableRows::new(b',', max);
        let mut found = Vec::new();
        for piece in pieces {
            rows.push(&Bytes::copy_from_slice(piece), |number, row| found.push((number, row)));
        }
        rows.finish(|number, row| found.push((number, row)));
        found
    }

    fn whole(number: u64, text: &'static str) -> (u64, Line) {
        (number, Line::Whole(Bytes::from_static(text.as_bytes())))
    }

    #[test]
    fn a_line_end_in_quotes_is_part_of_its_row() {
        let found = cut(99, &[b"a,b\r\n\"1\r\n2\",\"x\"\"\ny\"\n\n \r\nc,\"d"]);
        let expected = [whole(1, "a,b"), whole(2, "\"1\r\n2\",\"x\"\"\ny\""), whole(7, "c,\"d")];
        assert_eq!(found, expected);
        // A quote inside of a cell opens nothing.
        assert_eq!(cut(99, &[b"a\"b,c\nd"]), [whole(1, "a\"b,c"), whole(2, "d")]);
    }

    #[test]
    fn a_mark_at_the_beginning_is_left_out_however_it_arrives() {
        for pieces in
            [&[&b"\xef\xbb\xbf\"a\nb\"\n"[..]][..], &[b"\xef", b"\xbb", b"\xbf\"a", b"\nb\"\n"]]
        {
            assert_eq!(cut(99, pieces), [whole(1, "\"a\nb\"")]);
        }
        assert_eq!(cut(99, &[b"a"]), [whole(1, "a")]);
        assert_eq!(cut(99, &[b""]), []);
    }

    #[test]
    fn a_row_that_is_too_long_is_told_by_its_length_and_harms_no_other() {
        let found = cut(3, &[b"abc\nabcd\nabc\r\n", b"ab\"d", b"efgh", b"\nx"]);
        let expected = [
            whole(1, "abc"),
            (2, Line::TooLong(4)),
            whole(3, "abc"),
            (4, Line::TooLong(8)),
            whole(5, "x"),
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn no_more_of_a_row_is_held_than_it_may_have() {
        let mut rows = TableRows::new(b',', 100);
        for _ in 0..1_000 {
            rows.push(&Bytes::from_static(&[b'"'; 65]), |_, _| panic!("no row has ended"));
            assert!(rows.begun.len() <= 101);
        }
    }

    #[test]
    fn quotes_are_where_they_may_be() {
        let check = |row: &str, expected: Result<&[&str], CellFault>| {
            let found = cells(row.as_bytes(), b',');
            let found =
                found.as_ref().map(|cells| cells.iter().map(|cell| &**cell).collect::<Vec<_>>());
            assert_eq!(found.map_err(|fault| *fault), expected.map(<[_]>::to_vec), "{row}");
        };
        check("a, b ,,", Ok(&["a", " b ", "", ""]));
        check("\"\",\"a,b\",\"say \"\"a\"\"\",\"\"\"\"", Ok(&["", "a,b", "say \"a\"", "\""]));
        check("a\"b", Err(CellFault::QuoteInside));
        check("\"a\"b,c", Err(CellFault::BehindQuote));
        check("\"a\" ,c", Err(CellFault::BehindQuote));
        check("\"a,b", Err(CellFault::Unclosed));
        assert_eq!(cells(b"a,\xff", b','), Err(CellFault::NotUtf8));
        assert_eq!(cells(b"a;b,c", b';').unwrap(), ["a", "b,c"]);
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn it_does_not_matter_how_bytes_arrive(
            text in "[ab,\"\r\n ]{0,60}", cuts in prop::collection::vec(0_usize..60, 0..6),
        ) {
            let bytes = text.as_bytes();
            let mut cuts: Vec<_> = cuts.into_iter().map(|at| at.min(bytes.len())).collect();
            cuts.extend([0, bytes.len()]);
            cuts.sort_unstable();
            let pieces: Vec<&[u8]> =
                cuts.windows(2).map(|pair| &bytes[pair[0]..pair[1]]).collect();
            prop_assert_eq!(cut(6, &pieces), cut(6, &[bytes]));
        }

        #[test]
        fn what_is_exported_is_read_as_it_was(
            table in prop::collection::vec(prop::collection::vec("[ab,;'\"\r\n|é]{0,5}", 2), 1..5),
        ) {
            let mut bytes = Vec::new();
            for row in &table {
                write_row(["x"].into_iter().chain(row.iter().map(String::as_str)), false, &mut bytes);
            }
            let rows = cut(1_000, &[&bytes]);
            prop_assert_eq!(rows.len(), table.len());
            for ((_, row), expected) in rows.iter().zip(&table) {
                let Line::Whole(row) = row else { panic!("no row is too long") };
                let found = cells(row, b',').unwrap();
                prop_assert_eq!(&found[1..], &expected[..]);
            }
        }
    }
}
