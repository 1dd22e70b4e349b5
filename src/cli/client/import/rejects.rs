//! The file of refused rows: a file like the one they are from, to be mended and imported.

use crate::cli::client::import::file::Row;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use std::fs::File;
use std::io::{self, BufWriter, Write as _};
use std::path::{Path, PathBuf};

/// It is there from the beginning, so that it never tells of an earlier run.
pub(super) struct RejectFile {
    path: PathBuf,
    out: BufWriter<File>,
}

impl RejectFile {
    pub(super) fn make(path: &Path, header: Option<&[u8]>) -> Result<Self, Failure> {
        let made = File::create_new(path).and_then(|file| {
            let mut out = BufWriter::new(file);
            if let Some(header) = header {
                write_line(&mut out, header)?;
            }
            Ok(out)
        });
        let out = made.map_err(|error| cannot_write(path, error))?;
        Ok(Self { path: path.to_owned(), out })
    }

    pub(super) fn take<'a>(
        &mut self,
        mut rows: impl Iterator<Item = &'a Row>,
    ) -> Result<(), Failure> {
        let written = rows.try_for_each(|row| write_line(&mut self.out, &row.bytes));
        let written = written.and_then(|()| self.out.flush());
        written.map_err(|error| cannot_write(&self.path, error))
    }

    pub(super) fn finish(mut self) -> Result<(), Failure> {
        let flushed = self.out.flush().and_then(|()| self.out.get_ref().sync_all());
        flushed.map_err(|error| cannot_write(&self.path, error))
    }
}

fn write_line(out: &mut BufWriter<File>, bytes: &[u8]) -> io::Result<()> {
    out.write_all(bytes)?;
    out.write_all(b"\n")
}

fn cannot_write(path: &Path, error: io::Error) -> Failure {
    let what = format!("the file of refused rows {} cannot be written", path.display());
    let way_out = "name a file that is not there yet, with room for it";
    Failure::new(Exit::StorageFailed, "rejects_failed", what, way_out).because(error)
}
