//! The machine a figure belongs to, and how much of it a process uses.

use crate::error::LoadError;
use std::fs;
use std::path::Path;
use std::thread;
use std::time::Duration;

pub(crate) fn cores() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}

/// One line: cores, processor, memory, kernel.
pub(crate) fn description() -> String {
    let memory = status_kib("/proc/meminfo", "MemTotal:").unwrap_or(0);
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let processors = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let processor = processors.lines().find_map(|line| line.strip_prefix("model name"));
    let processor =
        processor.map_or("unknown processor", |name| name.trim_start_matches([' ', '\t', ':']));
    let (whole, tenth) = (memory >> 20, ((memory % (1 << 20)) * 10) >> 20);
    format!("{} cores ({processor}), {whole}.{tenth} GiB, Linux {}", cores(), kernel.trim())
}

/// Bytes of a process that are in memory.
pub(crate) fn resident_bytes(process: u32) -> Result<u64, LoadError> {
    let path = format!("/proc/{process}/status");
    let resident = status_kib(&path, "VmRSS:");
    Ok(resident.map_err(LoadError::io(path))? * 1024)
}

/// Time that the threads of a process have run so far.
pub(crate) fn processor_time(process: u32) -> Result<Duration, LoadError> {
    let path = format!("/proc/{process}/task");
    let tasks = fs::read_dir(&path).map_err(LoadError::io(path))?;
    let times = tasks.filter_map(|task| ran(&task.ok()?.path().join("schedstat")));
    Ok(times.sum())
}

/// The first number of a task's `schedstat`; none for one that has just ended.
fn ran(path: &Path) -> Option<Duration> {
    let text = fs::read_to_string(path).ok()?;
    text.split_whitespace().next()?.parse().ok().map(Duration::from_nanos)
}

fn status_kib(path: &str, label: &str) -> std::io::Result<u64> {
    let text = fs::read_to_string(path)?;
    let line = text.lines().find_map(|line| line.strip_prefix(label));
    let number = line.and_then(|rest| rest.split_whitespace().next()?.parse().ok());
    number.ok_or_else(|| std::io::Error::other(format!("{label} is not in {path}")))
}
