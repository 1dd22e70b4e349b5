//! What a run is asked to do.

use clap::{Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

/// Measures the upserts of a server that it starts itself.
#[derive(Clone, Debug, Parser)]
#[command(name = "load", version)]
pub(crate) struct Settings {
    /// The binary to start; default: the one that was built beside this program.
    #[arg(long)]
    pub(crate) server: Option<PathBuf>,
    /// Where the data directories are made; must be on a real disk.
    #[arg(long)]
    pub(crate) directory: Option<PathBuf>,
    #[arg(long, value_enum, default_value_t = Kind::Mixed)]
    pub(crate) kind: Kind,
    /// Connections at once, one figure for each.
    #[arg(long, value_delimiter = ',', default_values_t = [1, 16, 64, 256])]
    pub(crate) connections: Vec<usize>,
    /// How long each figure is measured, after a second that does not count.
    #[arg(long, default_value_t = 5)]
    pub(crate) seconds: u64,
    #[arg(long, default_value_t = 3)]
    pub(crate) rounds: usize,
    /// Decides names and order; the same seed asks the same.
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// Threads that serve HTTP, of the server and of the ceiling; default: half the cores.
    #[arg(long, default_value_t = half_the_cores())]
    pub(crate) http_workers: usize,
    /// Fills so many records, then measures memory and restarts instead.
    #[arg(long, value_name = "RECORDS", num_args = 0..=1, default_missing_value = "1000000")]
    pub(crate) restart: Option<u32>,
    /// Fills so many records, then measures searches of them instead, against `PostgreSQL` where its
    /// programs are there.
    #[arg(long, value_name = "RECORDS", num_args = 0..=1, default_missing_value = "1000000")]
    pub(crate) search: Option<u32>,
    /// Measures rows instead: batches, streams, imports and exports beside single upserts.
    #[arg(long)]
    pub(crate) rows: bool,
    /// Measures the change feed instead: one, a hundred and a thousand readers.
    #[arg(long)]
    pub(crate) feed: bool,
    /// Where the programs of `PostgreSQL` are; default: where Debian puts them.
    #[arg(long)]
    pub(crate) postgres: Option<PathBuf>,
    #[command(subcommand)]
    pub(crate) mode: Option<Mode>,
}

/// What the requests do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Kind {
    /// Every request creates a record.
    Create,
    /// Every second request creates a record, every second updates a random earlier one.
    Mixed,
}

/// Programs in the program.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum Mode {
    /// The bare web framework: started by the program itself, in a process of its own.
    #[command(hide = true)]
    Ceiling { answer_bytes: usize },
}

fn half_the_cores() -> usize {
    (crate::machine::cores() / 2).max(1)
}
