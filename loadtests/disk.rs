//! The disk in the same run: what one sync costs that nobody can avoid.

use crate::clock::now;
use crate::error::LoadError;
use hdrhistogram::Histogram;
use rustix::fs::statfs;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::time::Duration;

const APPENDS_MAX: u64 = 1_000;
/// A slow disk gets fewer appends, so that the probe stays short.
const PROBE_MAX: Duration = Duration::from_secs(1);
const APPEND_BYTES: usize = 256;
const FILE_BYTES: usize = 4 << 20;
/// The magic number of a file system in memory.
const TMPFS: i64 = 0x0102_1994;

/// Refuses a directory whose syncs reach no disk.
pub(crate) fn check_is_real(directory: &Path) -> Result<(), LoadError> {
    let what = directory.display().to_string();
    let statistics = statfs(directory).map_err(|errno| LoadError::io(what)(errno.into()))?;
    if statistics.f_type == TMPFS {
        return Err(LoadError::InMemory { path: directory.to_owned() });
    }
    Ok(())
}

/// Latencies in nanoseconds of an append of 256 bytes and its `fdatasync`, on a file that was
/// filled with zeros before, so that no sync has to record a new length.
pub(crate) fn sync_latency(directory: &Path) -> Result<Histogram<u64>, LoadError> {
    let path = directory.join("sync-probe");
    let failed = || LoadError::io(path.display().to_string());
    let file = File::create_new(&path).map_err(failed())?;
    file.write_all_at(&vec![0; FILE_BYTES], 0).map_err(failed())?;
    file.sync_all().map_err(failed())?;
    let mut latencies = crate::tally::histogram();
    let probe_started = now();
    for append in 0..APPENDS_MAX {
        if probe_started.elapsed() > PROBE_MAX {
            break;
        }
        let started = now();
        file.write_all_at(&[1; APPEND_BYTES], append * 256).map_err(failed())?;
        file.sync_data().map_err(failed())?;
        latencies.saturating_record(crate::tally::nanoseconds(started.elapsed()));
    }
    std::fs::remove_file(&path).map_err(failed())?;
    Ok(latencies)
}
