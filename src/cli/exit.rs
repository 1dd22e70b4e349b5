//! What the process's exit code says.

use std::process::ExitCode;

/// Why the process ended. The numbers are part of the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    Done = 0,
    /// Done, but something was found.
    Findings = 1,
    WrongUsage = 2,
    SettingsInvalid = 3,
    DataDirectoryInUse = 4,
    /// Damaged, incomplete, or of another format.
    DataUnusable = 5,
    ServerUnreachable = 6,
    ServerRefused = 7,
    /// A write or sync failed.
    StorageFailed = 8,
    Bug = 70,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// What a shell reports of a process that a signal has ended.
#[must_use]
pub fn after_signal(signal: i32) -> i32 {
    const SIGNAL_BASE: i32 = 128;
    SIGNAL_BASE + signal
}
