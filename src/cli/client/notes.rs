//! What a command says besides its data: on standard error, and nothing when asked to be quiet.

use std::fmt::Display;
use std::io::{self, Write as _};

/// Says things, or does not.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Notes {
    is_quiet: bool,
}

impl Notes {
    pub(crate) fn new(is_quiet: bool) -> Self {
        Self { is_quiet }
    }

    /// Says one line. Nobody may be listening, and that is no reason to stop.
    pub(crate) fn say(self, line: impl Display) {
        if !self.is_quiet {
            drop(writeln!(io::stderr(), "upsertd: {line}"));
        }
    }

    /// Says one line that a program reads.
    pub(crate) fn say_plain(self, line: impl Display) {
        if !self.is_quiet {
            drop(writeln!(io::stderr(), "{line}"));
        }
    }
}
