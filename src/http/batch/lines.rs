//! Cuts the bytes of a request into lines, however they arrive.
//!
//! A line ends with `\n`; a `\r` before it belongs to the end. Lines of nothing but blanks are passed
//! over. At most one line is held, and never more of it than may be: the rest of a longer one is
//! thrown away as it comes. It must not know what a line says.

use bytes::{Bytes, BytesMut};

/// A line, or what is left of one that was too long.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Line {
    Whole(Bytes),
    /// It had so many bytes.
    TooLong(usize),
}

/// Bytes on their way to lines.
#[derive(Debug)]
pub(super) struct Lines {
    max: usize,
    /// The beginning of a line whose end has not come yet.
    begun: BytesMut,
    /// Bytes of that line that were thrown away, where it is too long already.
    dropped: usize,
    /// The position of the line that is being read, from 1.
    number: u64,
}

impl Lines {
    /// Of at most so many bytes each, without their ends.
    #[must_use]
    pub(super) fn new(max: usize) -> Self {
        Self { max, begun: BytesMut::new(), dropped: 0, number: 1 }
    }

    /// Takes what has arrived, and gives each line that has ended with its number, from 1.
    pub(super) fn push(&mut self, mut piece: Bytes, mut each: impl FnMut(u64, Line)) {
        while let Some(end) = memchr::memchr(b'\n', &piece) {
            let head = piece.split_to(end + 1);
            self.end_line(head.slice(..end), &mut each);
        }
        self.hold(&piece);
    }

    /// The last line, where the bytes have ended without an end of line.
    pub(super) fn finish(&mut self, mut each: impl FnMut(u64, Line)) {
        self.end_line(Bytes::new(), &mut each);
    }

    /// Bytes that are held for a line that has not ended.
    #[cfg(test)]
    pub(super) fn held_bytes(&self) -> usize {
        self.begun.len()
    }

    /// `rest` is what of the line has not been held.
    fn end_line(&mut self, rest: Bytes, each: &mut impl FnMut(u64, Line)) {
        let line = if self.begun.is_empty() && self.dropped == 0 {
            // Most lines lie in one piece, and are passed on without a copy.
            rest
        } else {
            self.hold(&rest);
            self.begun.split().freeze()
        };
        let number = self.number;
        self.number += 1;
        let dropped = std::mem::take(&mut self.dropped);
        if dropped > 0 || line.len() > self.max + 1 {
            return each(number, Line::TooLong(line.len() + dropped));
        }
        let line = match line.last() {
            Some(b'\r') => line.slice(..line.len() - 1),
            Some(_) | None => line,
        };
        if line.len() > self.max {
            each(number, Line::TooLong(line.len()));
        } else if !line.iter().all(u8::is_ascii_whitespace) {
            each(number, Line::Whole(line));
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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn cut(max: usize, pieces: &[&[u8]]) -> Vec<(u64, Line)> {
        let mut lines = Lines::new(max);
        let mut found = Vec::new();
        for piece in pieces {
            lines.push(Bytes::copy_from_slice(piece), |number, line| found.push((number, line)));
        }
        lines.finish(|number, line| found.push((number, line)));
        found
    }

    fn whole(number: u64, text: &'static str) -> (u64, Line) {
        (number, Line::Whole(Bytes::from_static(text.as_bytes())))
    }

    #[test]
    fn lines_end_either_way_and_blank_ones_are_passed_over() {
        let found = cut(10, &[b"a\r\nb\n\n \t\r\nc"]);
        assert_eq!(found, [whole(1, "a"), whole(2, "b"), whole(5, "c")]);
        assert_eq!(cut(10, &[b""]), []);
        assert_eq!(cut(10, &[b"\n\n"]), []);
    }

    #[test]
    fn a_line_that_is_too_long_is_told_by_its_length_and_harms_no_other() {
        let found = cut(3, &[b"abc\nabcd\nabc\r\n", b"abcd", b"efgh", b"\nx"]);
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
    fn no_more_of_a_line_is_held_than_it_may_have() {
        let mut lines = Lines::new(100);
        for _ in 0..1_000 {
            lines.push(Bytes::from_static(&[b'x'; 64]), |_, _| panic!("no line has ended"));
            assert!(lines.held_bytes() <= 101);
        }
        let mut found = Vec::new();
        lines.finish(|_, line| found.push(line));
        assert_eq!(found, [Line::TooLong(64_000)]);
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn it_does_not_matter_how_bytes_arrive(
            text in "[ab\r\n ]{0,60}", cuts in prop::collection::vec(0_usize..60, 0..6),
        ) {
            let bytes = text.as_bytes();
            let mut cuts: Vec<_> = cuts.into_iter().map(|at| at.min(bytes.len())).collect();
            cuts.extend([0, bytes.len()]);
            cuts.sort_unstable();
            let pieces: Vec<&[u8]> =
                cuts.windows(2).map(|pair| &bytes[pair[0]..pair[1]]).collect();
            prop_assert_eq!(cut(4, &pieces), cut(4, &[bytes]));
        }
    }
}
