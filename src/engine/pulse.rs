//! A look at the machine once a second: is there room on the disk and in memory to go on writing.

use crate::ambient;
use crate::engine::{Engine, ReadOnly};
use crate::storage::disk::Disk;
use std::sync::Arc;
use std::time::Duration;
use tracing::{info, warn};

const BEAT: Duration = Duration::from_secs(1);
/// Of the machine's memory, where nothing else is set.
const MEMORY_SHARE_PERCENT: u64 = 80;
/// Columns of searches that nobody wants are looked for after so many beats.
const SWEEP_AFTER: u32 = 60;
/// While nothing changes, it is said again after so many beats.
const REPEAT_AFTER: u32 = 60;

/// Where writing ends.
#[derive(Clone, Copy, Debug)]
pub struct PulseOptions {
    /// With less free on the disk no writes are taken.
    pub disk_reserve_bytes: u64,
    /// With more in use no writes are taken. None: nobody knows how much there is.
    pub memory_bytes_max: Option<u64>,
}

/// A share of the memory of this machine or, if that is less, of the group of processes.
#[must_use]
pub fn share_of_the_machine() -> Option<u64> {
    ambient::memory_bytes().map(|bytes| bytes / 100 * MEMORY_SHARE_PERCENT)
}

/// Looks for as long as it runs. It heals by itself: with more room, writes are taken again.
pub async fn beat_for_ever(engine: Arc<Engine>, disk: Arc<dyn Disk>, options: PulseOptions) {
    let mut silent_beats = 0;
    let (mut beats, mut was_memory_short) = (0_u32, false);
    loop {
        let found = look(&engine, &*disk, options);
        let is_memory_short = found == Some(ReadOnly::MemoryFull);
        beats = (beats + 1) % SWEEP_AFTER;
        if beats == 0 || is_memory_short != was_memory_short {
            was_memory_short = is_memory_short;
            let engine = engine.clone();
            // It goes over the chunks of all tables: not on an arbiter.
            let swept =
                tokio::task::spawn_blocking(move || engine.sweep_columns(is_memory_short)).await;
            swept.expect("a sweep does not panic");
        }
        silent_beats += 1;
        match (engine.read_only(), found) {
            (None, Some(_)) => silent_beats = REPEAT_AFTER,
            (Some(_), None) => info!("there is room again: writes are taken"),
            (None, None) | (Some(_), Some(_)) => {}
        }
        if let Some(reason) = found
            && silent_beats >= REPEAT_AFTER
        {
            silent_beats = 0;
            warn!(?reason, ?options, "no writes are taken until there is more room");
        }
        engine.set_read_only(found);
        tokio::time::sleep(BEAT).await;
    }
}

fn look(engine: &Engine, disk: &dyn Disk, options: PulseOptions) -> Option<ReadOnly> {
    // A disk that cannot tell is one whose next write will.
    let is_disk_full = disk.free_bytes().is_ok_and(|free| free < options.disk_reserve_bytes);
    let is_unprepared =
        engine.partitions().iter().any(|partition| !partition.queue().is_prepared());
    if is_unprepared {
        engine.partitions().iter().for_each(|partition| partition.queue().request_preparation());
    }
    if is_disk_full || is_unprepared {
        return Some(ReadOnly::DiskFull);
    }
    let is_memory_full = options
        .memory_bytes_max
        .is_some_and(|max| ambient::resident_bytes().is_some_and(|resident| resident > max));
    is_memory_full.then_some(ReadOnly::MemoryFull)
}
