//! `upsertd restore`: a new data directory of one snapshot file.

use crate::ambient::{self, Clock};
use crate::cli::arguments::RestoreArguments;
use crate::cli::data::no_entropy;
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::engine::snapshot::verify;
use crate::model::id::{HistoryId, LogId};
use crate::storage::disk::Disk;
use crate::storage::frame::Salt;
use crate::storage::real_disk::RealDisk;
use crate::storage::restore::{RestoreOptions, restore};
use crate::storage::segment::SegmentOptions;
use crate::storage::snapshot::SnapshotReader;
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;
use uuid::{Builder, Uuid};

/// Makes the directory, or says why not.
pub(crate) fn run(arguments: &RestoreArguments) -> Result<(), Failure> {
    let RestoreArguments { snapshot, data_dir } = arguments;
    let source = open_snapshot(snapshot)?;
    verify(&source)?;
    let target = RealDisk::open_or_create(data_dir)?;
    let _lock = target.lock()?;
    target.make_private()?;
    let target: Arc<dyn Disk> = Arc::new(target);
    let options = RestoreOptions {
        log_id: LogId(random()?),
        salt: Salt(*random()?.as_bytes()),
        now: Clock::system().now(),
        segments: SegmentOptions::default(),
    };
    // Drawn before, so that the copying cannot fail for want of random bytes.
    let mut fresh = Vec::new();
    for _ in source.writers() {
        fresh.push(HistoryId(random()?));
    }
    let mut next = move |_: &_| fresh.pop().expect("one was drawn for each writer");
    let restored = restore(&source, &target, options, &mut next)?;
    let text = format!(
        "restored {} records as of position {} into {}\nstart it with: upsertd --data-dir {}\n",
        restored.records,
        restored.position,
        data_dir.display(),
        data_dir.display()
    );
    std::io::stderr().write_all(text.as_bytes()).map_err(|error| {
        let what = "the directory is restored, but that could not be said".to_owned();
        Failure::new(Exit::Done, "stderr_closed", what, "nothing need be done").because(error)
    })
}

fn open_snapshot(file: &Path) -> Result<SnapshotReader, Failure> {
    let usage = |what: String| {
        let way_out =
            "name one of the files snapshot-….upsertd of a data directory, or a copy of it";
        Failure::new(Exit::WrongUsage, "no_snapshot", what, way_out)
    };
    let name = file.file_name().and_then(|name| name.to_str());
    let name = name.ok_or_else(|| usage(format!("{} names no file", file.display())))?;
    if !file.is_file() {
        return Err(usage(format!("there is no file {}", file.display())));
    }
    let directory = file.parent().filter(|parent| !parent.as_os_str().is_empty());
    let disk = RealDisk::open(directory.unwrap_or(Path::new(".")))?;
    Ok(SnapshotReader::open(&disk, name)?)
}

fn random() -> Result<Uuid, Failure> {
    let mut bytes = [0; 16];
    ambient::fill(&mut bytes).map_err(no_entropy)?;
    Ok(Builder::from_random_bytes(bytes).into_uuid())
}
