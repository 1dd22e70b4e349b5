//! A file of rows, cut where rows end: lines of JSON, or a table as RFC 4180 has it.
//!
//! It cuts exactly as the server does, so that a part of a table with the table's first row before
//! it is the same rows. It must not know what a cell is.

use std::io::{self, BufRead};

/// A longer row is no row of a table: somebody has forgotten to close a quote.
const ROW_BYTES_MAX: usize = 16 << 20;
/// What a file may begin with.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// What a file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// A table with such a byte between its cells.
    Csv(u8),
    Ndjson,
}

/// A row, without its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Row {
    /// The line it begins in, from 1.
    pub(super) line: u64,
    pub(super) bytes: Vec<u8>,
}

/// Rows as they come.
pub(super) struct Rows<R> {
    input: R,
    form: Form,
    /// The line that is read next.
    line: u64,
    /// Of input, with ends.
    bytes: u64,
}

/// Where in a row the last byte was.
#[derive(Clone, Copy, PartialEq, Eq)]
enum At {
    CellStart,
    Plain,
    Quoted,
    /// Behind a quote in quotes: it ends them, or the next byte is another one.
    Quote,
}

impl<R: BufRead> Rows<R> {
    pub(super) fn new(input: R, form: Form) -> Self {
        Self { input, form, line: 1, bytes: 0 }
    }

    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The next row that is not blank; none at the end.
    pub(super) fn next(&mut self) -> io::Result<Option<Row>> {
        loop {
            let line = self.line;
            let mut bytes = Vec::new();
            if !self.read(&mut bytes)? {
                return Ok(None);
            }
            bytes.pop_if(|last| *last == b'\n');
            bytes.pop_if(|last| *last == b'\r');
            if line == 1 && bytes.starts_with(BYTE_ORDER_MARK) {
                bytes.drain(..BYTE_ORDER_MARK.len());
            }
            if !bytes.iter().all(u8::is_ascii_whitespace) {
                return Ok(Some(Row { line, bytes }));
            }
        }
    }

    /// Reads lines until one ends the row; whether there was any.
    fn read(&mut self, bytes: &mut Vec<u8>) -> io::Result<bool> {
        let mut at = At::CellStart;
        loop {
            let start = bytes.len();
            let left = (ROW_BYTES_MAX - start) as u64;
            let read = io::Read::take(&mut self.input, left).read_until(b'\n', bytes)?;
            self.bytes += read as u64;
            let ends = bytes.last() == Some(&b'\n');
            if read as u64 == left && !ends {
                return Err(io::Error::other("a row has more than 16 MiB; is a quote not closed?"));
            }
            if read == 0 {
                return Ok(start > 0);
            }
            self.line += u64::from(ends);
            let Form::Csv(delimiter) = self.form else { return Ok(true) };
            let begun = if start == 0 && bytes.starts_with(BYTE_ORDER_MARK) && self.line <= 2 {
                BYTE_ORDER_MARK.len()
            } else {
                start
            };
            at = bytes[begun..].iter().fold(at, |at, byte| at.behind(*byte, delimiter));
            if at != At::Quoted {
                return Ok(true);
            }
        }
    }
}

impl At {
    fn behind(self, byte: u8, delimiter: u8) -> Self {
        match self {
            Self::Quoted if byte == b'"' => Self::Quote,
            Self::CellStart | Self::Quote if byte == b'"' => Self::Quoted,
            Self::Quoted => Self::Quoted,
            Self::CellStart | Self::Plain | Self::Quote if byte == delimiter => Self::CellStart,
            Self::CellStart | Self::Plain | Self::Quote => Self::Plain,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(form: Form, input: &[u8], expected: &[(u64, &str)]) {
        let mut rows = Rows::new(input, form);
        let mut found = Vec::new();
        while let Some(row) = rows.next().unwrap() {
            found.push((row.line, String::from_utf8(row.bytes).unwrap()));
        }
        let found: Vec<(u64, &str)> = found.iter().map(|(line, text)| (*line, &**text)).collect();
        assert_eq!(found, expected);
        assert_eq!(rows.bytes(), input.len() as u64);
    }

    #[test]
    fn a_table_is_cut_where_its_rows_end() {
        let input = b"\xef\xbb\xbf\"a\",b\r\n\"1\r\n2\",\"x\"\"\ny\"\n\n \r\nc,\"d";
        let expected = [(1, "\"a\",b"), (2, "\"1\r\n2\",\"x\"\"\ny\""), (7, "c,\"d")];
        check(Form::Csv(b','), input, &expected);
        // A quote inside of a cell opens nothing, and one behind a delimiter does.
        check(Form::Csv(b';'), b"5\",x\n;\"a\nb\"\n", &[(1, "5\",x"), (2, ";\"a\nb\"")]);
        check(Form::Csv(b','), b"", &[]);
    }

    #[test]
    fn lines_of_json_end_with_their_lines() {
        check(
            Form::Ndjson,
            b"{\"a\":\"\\\"\"}\n\n{}\r\n[",
            &[(1, "{\"a\":\"\\\"\"}"), (3, "{}"), (4, "[")],
        );
    }

    #[test]
    fn a_quote_that_is_not_closed_is_said() {
        let mut input = b"a\n\"b".to_vec();
        input.resize(ROW_BYTES_MAX + 10, b'x');
        let mut rows = Rows::new(&input[..], Form::Csv(b','));
        assert!(rows.next().unwrap().is_some());
        assert!(rows.next().unwrap_err().to_string().contains("a quote not closed"));
    }
}
