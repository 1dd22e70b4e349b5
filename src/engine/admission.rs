//! How much may wait for a writer: counted where a request enters, given back with its answer.

use parking_lot::Mutex;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};

const SECOND_NS: u64 = 1_000_000_000;

/// Limits of what waits for one writer.
#[derive(Clone, Copy, Debug)]
pub struct AdmissionLimits {
    pub rows_max: usize,
    pub bytes_max: usize,
}

/// Rows and bytes admitted and not yet answered.
#[derive(Debug)]
pub struct Admission {
    limits: AdmissionLimits,
    rows: AtomicUsize,
    bytes: AtomicUsize,
    answered: AtomicU64,
    pace: Mutex<Pace>,
}

/// How fast the writer answers, measured between two refusals at least a second apart.
#[derive(Debug, Default)]
struct Pace {
    since_ns: u64,
    answered: u64,
    rows_per_second: u64,
}

/// The writer's queue is full; nothing of the request was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Overloaded {
    pub rows_waiting: usize,
}

impl Admission {
    #[must_use]
    pub fn new(limits: AdmissionLimits) -> Arc<Self> {
        Arc::new(Self {
            limits,
            rows: AtomicUsize::new(0),
            bytes: AtomicUsize::new(0),
            answered: AtomicU64::new(0),
            pace: Mutex::default(),
        })
    }

    /// Takes places for rows and bytes, or none at all.
    pub fn admit(self: &Arc<Self>, rows: usize, bytes: usize) -> Result<Ticket, Overloaded> {
        // The ticket gives back what was added, admitted or not.
        let rows_waiting = self.rows.fetch_add(rows, Relaxed);
        let bytes_waiting = self.bytes.fetch_add(bytes, Relaxed);
        let ticket = Ticket { admission: self.clone(), rows, bytes };
        // One request may be larger than the limit of bytes, if nothing else waits.
        let bytes_fit = bytes_waiting == 0 || bytes_waiting + bytes <= self.limits.bytes_max;
        if rows_waiting + rows <= self.limits.rows_max && bytes_fit {
            return Ok(ticket);
        }
        drop(ticket);
        Err(Overloaded { rows_waiting })
    }

    /// Rows that wait.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.rows.load(Relaxed)
    }

    /// Seconds until what waits now will be answered, at the pace seen so far; 1 to 60.
    #[must_use]
    pub fn seconds_to_drain(&self, now_ns: u64) -> u64 {
        let answered = self.answered.load(Relaxed);
        let mut pace = self.pace.lock();
        let elapsed_ns = now_ns.saturating_sub(pace.since_ns);
        if elapsed_ns >= SECOND_NS {
            let rows = u128::from(answered - pace.answered) * u128::from(SECOND_NS);
            let rows_per_second = u64::try_from(rows / u128::from(elapsed_ns)).unwrap_or(u64::MAX);
            *pace = Pace { since_ns: now_ns, answered, rows_per_second };
        }
        (self.rows() as u64).div_ceil(pace.rows_per_second.max(1)).clamp(1, 60)
    }
}

/// Places that were admitted; dropping it gives them back.
#[derive(Debug)]
pub struct Ticket {
    admission: Arc<Admission>,
    rows: usize,
    bytes: usize,
}

impl Ticket {
    #[must_use]
    pub fn rows(&self) -> usize {
        self.rows
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.admission.rows.fetch_sub(self.rows, Relaxed);
        self.admission.bytes.fetch_sub(self.bytes, Relaxed);
        self.admission.answered.fetch_add(self.rows as u64, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refused_admission_takes_nothing_and_an_answered_one_gives_back() {
        let admission = Admission::new(AdmissionLimits { rows_max: 3, bytes_max: 100 });
        let first = admission.admit(2, 60).unwrap();
        assert_eq!(admission.admit(2, 1).unwrap_err(), Overloaded { rows_waiting: 2 });
        assert!(admission.admit(1, 41).is_err(), "the bytes do not fit");
        assert_eq!(admission.rows(), 2);
        let second = admission.admit(1, 40).unwrap();
        drop((first, second));
        assert_eq!((admission.rows(), admission.admit(3, 1000).is_ok()), (0, true));
    }
}
