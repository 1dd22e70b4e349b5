//! The one door to clock and entropy: everything else gets time and randomness as arguments.
//!
//! It owns the system clock, a clock that tests can set, the operating system's random bytes, and
//! what it says about memory.
//! It must not know what they are used for.
#![expect(
    clippy::disallowed_methods,
    reason = "this is the door behind which the bans on SystemTime::now and Instant::now end"
)]

pub mod process;

use crate::model::id::Timestamp;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Tells the time. A clone is the same clock.
#[derive(Clone, Debug)]
pub struct Clock(Source);

#[derive(Clone, Debug)]
enum Source {
    System { started: Instant },
    Settable(Arc<SettableClock>),
}

impl Clock {
    /// The machine's clock.
    #[must_use]
    pub fn system() -> Self {
        Self(Source::System { started: Instant::now() })
    }

    /// Wall-clock time. It may jump either way; nothing may wait by it.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        match &self.0 {
            Source::System { .. } => Timestamp(wall_ms(SystemTime::now())),
            Source::Settable(clock) => Timestamp(clock.wall_ms.load(Ordering::SeqCst)),
        }
    }

    /// Nanoseconds since this clock was made. It never goes back.
    #[must_use]
    pub fn monotonic_ns(&self) -> u64 {
        match &self.0 {
            Source::System { started } => {
                // 584 years of uptime are needed before the cut matters.
                u64::try_from(started.elapsed().as_nanos()).unwrap_or(u64::MAX)
            }
            Source::Settable(clock) => clock.monotonic_ns.load(Ordering::SeqCst),
        }
    }
}

/// A time before 1970 is negative, one beyond 292 million years is cut.
fn wall_ms(time: SystemTime) -> i64 {
    match time.duration_since(UNIX_EPOCH) {
        Ok(since) => i64::try_from(since.as_millis()).unwrap_or(i64::MAX),
        Err(before) => i64::try_from(before.duration().as_millis()).map_or(i64::MIN, |ms| -ms),
    }
}

/// The hands of a clock that stands still until a test moves it.
#[derive(Debug)]
pub struct SettableClock {
    wall_ms: AtomicI64,
    monotonic_ns: AtomicU64,
}

impl SettableClock {
    /// A clock that shows `now`; its monotonic time starts at zero.
    #[must_use]
    pub fn at(now: Timestamp) -> Arc<Self> {
        Arc::new(Self { wall_ms: AtomicI64::new(now.0), monotonic_ns: AtomicU64::new(0) })
    }

    /// The clock these hands belong to.
    #[must_use]
    pub fn clock(self: &Arc<Self>) -> Clock {
        Clock(Source::Settable(Arc::clone(self)))
    }

    /// Lets time pass: both hands move.
    pub fn advance(&self, by: Duration) {
        let ms = i64::try_from(by.as_millis()).expect("a test waits less than 292 million years");
        let ns = u64::try_from(by.as_nanos()).expect("a test waits less than 584 years");
        self.wall_ms.fetch_add(ms, Ordering::SeqCst);
        self.monotonic_ns.fetch_add(ns, Ordering::SeqCst);
    }

    /// Moves the wall clock alone, as an operator or NTP does; either way.
    pub fn set_wall(&self, now: Timestamp) {
        self.wall_ms.store(now.0, Ordering::SeqCst);
    }
}

/// The operating system gave no random bytes.
#[derive(Debug, thiserror::Error)]
#[error("the operating system gave no random bytes: {0}")]
pub struct EntropyError(getrandom::Error);

/// Fills `bytes` from the operating system's generator; fit for keys and secrets.
pub fn fill(bytes: &mut [u8]) -> Result<(), EntropyError> {
    getrandom::fill(bytes).map_err(EntropyError)
}

/// A seed for a generator of the caller's own.
pub fn seed() -> Result<[u8; 32], EntropyError> {
    let mut seed = [0; 32];
    fill(&mut seed)?;
    Ok(seed)
}

/// A secret for an API key: `upd_`, eight characters that tell keys apart, `_`, 43 characters of
/// base64url that hold 256 random bits.
pub fn api_key_secret() -> Result<String, EntropyError> {
    let (mut prefix, mut secret) = ([0; 5], [0; 32]);
    fill(&mut prefix)?;
    fill(&mut secret)?;
    let prefix = data_encoding::BASE32_NOPAD.encode(&prefix).to_ascii_lowercase();
    Ok(format!("upd_{prefix}_{}", data_encoding::BASE64URL_NOPAD.encode(&secret)))
}

/// Bytes of memory that the process occupies; none where the system does not tell.
#[must_use]
pub fn resident_bytes() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/self/status").ok()?;
    kibibytes_of(&text, "VmRSS:")
}

/// Bytes of memory that the process may occupy: the machine's, or those of its control group.
#[must_use]
pub fn memory_bytes() -> Option<u64> {
    let machine = kibibytes_of(&std::fs::read_to_string("/proc/meminfo").ok()?, "MemTotal:")?;
    let groups = ["/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"];
    let limits = groups.iter().filter_map(|file| std::fs::read_to_string(file).ok());
    let limit = limits.filter_map(|text| text.trim().parse::<u64>().ok()).min();
    Some(limit.map_or(machine, |limit| limit.min(machine)))
}

/// The bytes of a line such as `VmRSS:     123 kB`.
fn kibibytes_of(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_settable_clock_moves_both_hands_or_the_wall_alone() {
        let hands = SettableClock::at(Timestamp(1_000));
        let clock = hands.clock();
        hands.advance(Duration::from_millis(250));
        assert_eq!(clock.now(), Timestamp(1_250));
        assert_eq!(clock.monotonic_ns(), 250_000_000);
        hands.set_wall(Timestamp(10));
        assert_eq!(clock.clone().now(), Timestamp(10));
        assert_eq!(clock.monotonic_ns(), 250_000_000);
    }

    #[test]
    fn the_system_clock_is_in_this_century_and_never_goes_back() {
        let clock = Clock::system();
        let year_2020 = Timestamp(1_577_836_800_000);
        assert!(clock.now() > year_2020);
        let before = clock.monotonic_ns();
        assert!(clock.monotonic_ns() >= before);
    }

    #[test]
    fn a_time_before_1970_is_negative() {
        assert_eq!(wall_ms(UNIX_EPOCH - Duration::from_millis(5)), -5);
        assert_eq!(wall_ms(UNIX_EPOCH + Duration::from_millis(5)), 5);
    }

    #[test]
    fn two_seeds_differ() {
        assert_ne!(seed().unwrap(), seed().unwrap());
    }
}
