//! What the operating system tells about this process.
//!
//! It must not know what the figures are used for.

/// Figures of the process at one moment.
#[derive(Clone, Copy, Debug)]
pub struct ProcessFigures {
    pub cpu_seconds: f64,
    /// Seconds from 1970 to the start of the process.
    pub started_at_seconds: f64,
    pub resident_bytes: u64,
    pub virtual_bytes: u64,
    pub threads: u64,
    pub open_files: u64,
    /// None: as many as the machine bears.
    pub open_files_max: Option<u64>,
}

/// The figures now; none where the system does not tell.
#[cfg(target_os = "linux")]
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "times of processes are far below 2^53 ticks")]
pub fn process_figures() -> Option<ProcessFigures> {
    use procfs::process::{LimitValue, Process};
    let process = Process::myself().ok()?;
    let stat = process.stat().ok()?;
    let ticks = procfs::ticks_per_second() as f64;
    let booted_at_seconds = procfs::boot_time_secs().ok()? as f64;
    let open_files_max = match process.limits().ok()?.max_open_files.soft_limit {
        LimitValue::Value(limit) => Some(limit),
        LimitValue::Unlimited => None,
    };
    Some(ProcessFigures {
        cpu_seconds: (stat.utime + stat.stime) as f64 / ticks,
        started_at_seconds: booted_at_seconds + stat.starttime as f64 / ticks,
        resident_bytes: stat.rss * procfs::page_size(),
        virtual_bytes: stat.vsize,
        threads: u64::try_from(stat.num_threads).ok()?,
        open_files: process.fd_count().ok()? as u64,
        open_files_max,
    })
}

/// Nobody tells here.
#[cfg(not(target_os = "linux"))]
#[must_use]
pub fn process_figures() -> Option<ProcessFigures> {
    None
}

#[cfg(test)]
mod tests {
    #[cfg(target_os = "linux")]
    #[test]
    fn a_running_process_has_time_memory_and_files() {
        let figures = super::process_figures().unwrap();
        assert!(figures.resident_bytes > 0 && figures.virtual_bytes >= figures.resident_bytes);
        assert!(figures.threads >= 1 && figures.open_files >= 3);
        let year_2020 = 1_577_836_800.0;
        assert!(figures.started_at_seconds > year_2020 && figures.cpu_seconds >= 0.0);
    }
}
