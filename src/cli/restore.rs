//! `upsertd restore`: a new data directory of one snapshot file.

use crate::cli::arguments::RestoreArguments;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;

/// Makes the directory, or says why not.
pub(crate) fn run(arguments: &RestoreArguments) -> Result<(), Failure> {
    let RestoreArguments { snapshot, data_dir } = arguments;
    let what = format!("{} was not restored to {}", snapshot.display(), data_dir.display());
    Err(Failure::new(
        Exit::DataUnusable,
        "restore_not_offered",
        what,
        "this version cannot read snapshots yet; nothing was changed",
    ))
}
