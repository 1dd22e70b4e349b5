//! Refused records: a file of them, or the end of the run.

use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use serde::Serialize;
use serde_json::value::RawValue;
use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

/// So many are shown where the run ends with them.
const SHOWN: usize = 5;

/// A record that was refused for good.
#[derive(Debug, Serialize)]
pub(super) struct Reject<'a> {
    pub(super) stream: &'a str,
    pub(super) record: &'a RawValue,
    pub(super) code: &'a str,
    pub(super) reason: String,
}

/// Where refused records go.
pub(super) struct Rejects {
    file: Option<(PathBuf, File)>,
    count: u64,
}

impl Rejects {
    /// Opens the file to write behind what is in it.
    pub(super) fn open(path: Option<&Path>) -> Result<Self, Failure> {
        let open = |path: &Path| {
            let file = OpenOptions::new().append(true).create(true).open(path);
            file.map(|file| (path.to_owned(), file)).map_err(|error| cannot_write(path, error))
        };
        Ok(Self { file: path.map(open).transpose()?, count: 0 })
    }

    /// Keeps them safe, or fails: what is neither written nor kept must not be passed over.
    pub(super) fn take(&mut self, rejects: &[Reject<'_>]) -> Result<(), Failure> {
        if rejects.is_empty() {
            return Ok(());
        }
        let Some((path, file)) = &mut self.file else { return Err(refused(rejects)) };
        let mut lines = Vec::new();
        for reject in rejects {
            serde_json::to_writer(&mut lines, reject).expect("texts and JSON serialise");
            lines.push(b'\n');
        }
        let written = file.write_all(&lines).and_then(|()| file.sync_data());
        written.map_err(|error| cannot_write(path, error))?;
        self.count += u64::try_from(rejects.len()).unwrap_or(u64::MAX);
        Ok(())
    }

    /// What the run ends with.
    pub(super) fn finish(self) -> Result<(), Failure> {
        let Some((path, _)) = self.file.filter(|_| self.count > 0) else { return Ok(()) };
        let what = format!("{} records were refused; all others are written", self.count);
        let way_out = format!(
            "they stand in {}, each with its reason; what is wrong with them the source has to \
             mend, or the configuration",
            path.display()
        );
        Err(Failure::new(Exit::Findings, "records_refused", what, way_out))
    }
}

fn refused(rejects: &[Reject<'_>]) -> Failure {
    #[derive(Debug, thiserror::Error)]
    #[error("{0}")]
    struct Reasons(String);

    let shown = rejects.iter().take(SHOWN).map(|reject| {
        let Reject { stream, record, reason, .. } = reject;
        let record: String = record.get().chars().take(200).collect();
        format!("{stream}: {reason}: {record}")
    });
    let reasons = Reasons(shown.collect::<Vec<_>>().join("\n"));
    let what = format!("the server refused {} records; no later state is echoed", rejects.len());
    let way_out = "mend the source, or say in the configuration which field takes what; with \
                   \"rejects\": FILE there refused records are kept and the run goes on. \
                   Running the tap again repeats nothing that was written";
    Failure::new(Exit::Findings, "records_refused", what, way_out).because(reasons)
}

fn cannot_write(path: &Path, error: io::Error) -> Failure {
    let what = format!("the file of rejects {} cannot be written to", path.display());
    let way_out = "make room, or name another; no later state is echoed, so nothing is lost";
    Failure::new(Exit::StorageFailed, "rejects_failed", what, way_out).because(error)
}
