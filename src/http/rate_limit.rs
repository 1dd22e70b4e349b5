//! How often an API key may ask: a quota of rows for each window of time.
//!
//! A window begins with a key's first request and ends when its time is over; then the next request
//! begins another. So what is left and when it is filled up are exact, as the headers tell them.
//! Only keys that asked in this window or the last are remembered. It must not know what a request
//! does.

use crate::ambient::Clock;
use crate::http::code::Code;
use crate::http::problem::Problem;
use crate::model::id::ApiKeyId;
use actix_web::dev::ServiceRequest;
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::{HttpMessage as _, HttpRequest};
use parking_lot::Mutex;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
const LEFT: HeaderName = HeaderName::from_static("ratelimit");
const SECOND_NS: u64 = 1_000_000_000;

/// So many rows in so much time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RatePolicy {
    pub quota: u32,
    /// Whole seconds.
    pub window: Duration,
}

/// What every key has asked for in its window.
#[derive(Debug)]
pub struct RateLimits {
    policy: RatePolicy,
    keys: Mutex<Keys>,
}

#[derive(Debug, Default)]
struct Keys {
    windows: HashMap<ApiKeyId, Window>,
    /// When windows that are over are looked for again.
    next_sweep_ns: u64,
}

#[derive(Clone, Copy, Debug)]
struct Window {
    ends_ns: u64,
    left: u32,
}

impl Window {
    fn seconds_left(self, now_ns: u64) -> u64 {
        seconds_between(now_ns, self.ends_ns)
    }
}

fn seconds_between(now_ns: u64, ends_ns: u64) -> u64 {
    ends_ns.saturating_sub(now_ns).div_ceil(SECOND_NS).max(1)
}

/// Nothing was taken: there is not enough until the window ends.
#[derive(Clone, Copy, Debug)]
struct Exhausted {
    ends_ns: u64,
}

/// What a request of many rows may take behind the one that was taken of it as of every request.
#[derive(Clone)]
pub struct RowQuota {
    limits: Arc<RateLimits>,
    key: ApiKeyId,
    clock: Clock,
}

impl RowQuota {
    /// Leaves it where handlers take it from.
    pub fn leave(request: &ServiceRequest, limits: &Arc<RateLimits>, key: ApiKeyId, clock: &Clock) {
        let quota = Self { limits: limits.clone(), key, clock: clock.clone() };
        request.extensions_mut().insert(quota);
    }

    /// None where keys have no limits.
    #[must_use]
    pub fn of(request: &HttpRequest) -> Option<Self> {
        request.extensions().get::<Self>().cloned()
    }

    /// Takes all rows of a request at once, or refuses it.
    pub fn take_all(&self, rows: usize) -> Result<(), Problem> {
        // The request itself stands for one of them.
        let more = u32::try_from(rows.saturating_sub(1)).unwrap_or(u32::MAX);
        let now_ns = self.clock.monotonic_ns();
        let taken = self.limits.take_behind((self.key, 1), more, now_ns);
        taken.map_err(|Exhausted { ends_ns }| throttled(seconds_between(now_ns, ends_ns)))
    }

    /// Takes one row more, or says how long there is none.
    pub fn take_one(&self) -> Result<(), Duration> {
        let now_ns = self.clock.monotonic_ns();
        let taken = self.limits.take_behind((self.key, 0), 1, now_ns);
        taken.map_err(|Exhausted { ends_ns }| Duration::from_nanos(ends_ns.saturating_sub(now_ns)))
    }
}

impl RateLimits {
    #[must_use]
    pub fn new(policy: RatePolicy) -> Self {
        Self { policy, keys: Mutex::default() }
    }

    /// Takes so many rows of a key's window, or none at all. More than a whole window has are taken
    /// of a full one, since they would never fit.
    pub fn take(&self, key: ApiKeyId, rows: u32, now_ns: u64) -> Result<(), Problem> {
        let taken = self.take_behind((key, 0), rows, now_ns);
        taken.map_err(|Exhausted { ends_ns }| throttled(seconds_between(now_ns, ends_ns)))
    }

    /// Takes rows of a request that has taken some already: a window is full if nobody else has
    /// taken anything.
    fn take_behind(
        &self,
        (key, taken): (ApiKeyId, u32),
        rows: u32,
        now_ns: u64,
    ) -> Result<(), Exhausted> {
        let mut keys = self.keys.lock();
        self.sweep(&mut keys, now_ns);
        let window = keys.windows.entry(key).or_insert_with(|| self.full(now_ns));
        if window.ends_ns <= now_ns {
            *window = self.full(now_ns);
        }
        if rows > window.left && window.left.saturating_add(taken) < self.policy.quota {
            return Err(Exhausted { ends_ns: window.ends_ns });
        }
        window.left = window.left.saturating_sub(rows);
        Ok(())
    }

    /// The policy, and what is left of it.
    #[must_use]
    pub fn headers(&self, key: ApiKeyId, now_ns: u64) -> [(HeaderName, HeaderValue); 2] {
        let RatePolicy { quota, window } = self.policy;
        let held = self.keys.lock().windows.get(&key).copied();
        let held = held.filter(|held| held.ends_ns > now_ns);
        let held = held.unwrap_or_else(|| self.full(now_ns));
        let (left, reset) = (held.left, held.seconds_left(now_ns));
        let policy = format!("\"default\";q={quota};w={}", window.as_secs());
        let value = |text: String| {
            HeaderValue::from_str(&text).expect("words and digits are a header value")
        };
        [(POLICY, value(policy)), (LEFT, value(format!("\"default\";r={left};t={reset}")))]
    }

    fn full(&self, now_ns: u64) -> Window {
        Window { ends_ns: now_ns.saturating_add(self.window_ns()), left: self.policy.quota }
    }

    fn window_ns(&self) -> u64 {
        u64::try_from(self.policy.window.as_nanos()).unwrap_or(u64::MAX)
    }

    /// Forgets windows that are over, once a window.
    fn sweep(&self, keys: &mut Keys, now_ns: u64) {
        if keys.next_sweep_ns <= now_ns {
            keys.windows.retain(|_, window| window.ends_ns > now_ns);
            keys.next_sweep_ns = now_ns.saturating_add(self.window_ns());
        }
    }
}

fn throttled(seconds: u64) -> Problem {
    let plural = if seconds == 1 { "" } else { "s" };
    let detail = format!("Request was throttled. Expected available in {seconds} second{plural}.");
    let seconds = u32::try_from(seconds).unwrap_or(u32::MAX);
    Problem::new(Code::Throttled).saying(detail).retry_after(seconds)
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    const KEY: ApiKeyId = ApiKeyId(Uuid::from_u128(1));
    const OTHER: ApiKeyId = ApiKeyId(Uuid::from_u128(2));

    fn limits(quota: u32, seconds: u64) -> RateLimits {
        RateLimits::new(RatePolicy { quota, window: Duration::from_secs(seconds) })
    }

    fn left(limits: &RateLimits, key: ApiKeyId, now_ns: u64) -> String {
        limits.headers(key, now_ns)[1].1.to_str().unwrap().to_owned()
    }

    #[test]
    fn a_window_begins_with_the_first_request_and_is_full_again_when_it_is_over() {
        let limits = limits(3, 10);
        let at = |tenths: u64| 5 * SECOND_NS + tenths * SECOND_NS / 10;
        assert_eq!(left(&limits, KEY, at(0)), "\"default\";r=3;t=10");
        for (tenths, taken) in [(0, "2;t=10"), (1, "1;t=10"), (95, "0;t=1")] {
            limits.take(KEY, 1, at(tenths)).unwrap();
            assert_eq!(left(&limits, KEY, at(tenths)), format!("\"default\";r={taken}"));
        }
        let problem = limits.take(KEY, 1, at(69)).unwrap_err();
        assert_eq!(
            problem.detail(),
            "Request was throttled. Expected available in 4 seconds.",
            "what scripts compare"
        );
        let problem = limits.take(KEY, 1, at(99)).unwrap_err();
        assert_eq!(problem.detail(), "Request was throttled. Expected available in 1 second.");
        limits.take(OTHER, 1, at(99)).unwrap();
        limits.take(KEY, 1, at(100)).unwrap();
        assert_eq!(left(&limits, KEY, at(100)), "\"default\";r=2;t=10");
        let policy = limits.headers(KEY, 0)[0].1.clone();
        assert_eq!(policy, "\"default\";q=3;w=10");
    }

    #[test]
    fn rows_are_taken_all_or_none_and_a_full_window_takes_any_number() {
        let limits = limits(10, 1);
        limits.take(KEY, 8, 0).unwrap();
        assert!(limits.take(KEY, 3, 0).is_err());
        limits.take(KEY, 2, 0).unwrap();
        assert!(limits.take(KEY, 1, 0).is_err());
        limits.take(KEY, 500, SECOND_NS).unwrap();
        assert_eq!(left(&limits, KEY, SECOND_NS), "\"default\";r=0;t=1");
        assert!(limits.take(KEY, 1, SECOND_NS).is_err());
    }

    #[test]
    fn a_request_of_many_rows_fits_a_window_that_nobody_else_has_touched() {
        let limits = limits(10, 1);
        limits.take(KEY, 1, 0).unwrap();
        assert!(limits.take_behind((KEY, 1), 9, 0).is_ok(), "as many as are left");
        limits.take(KEY, 1, SECOND_NS).unwrap();
        limits.take(KEY, 1, SECOND_NS).unwrap();
        assert!(limits.take_behind((KEY, 1), 9, SECOND_NS).is_err(), "somebody took one");
        assert_eq!(left(&limits, KEY, SECOND_NS), "\"default\";r=8;t=1", "nothing is taken of it");
        limits.take(KEY, 1, 2 * SECOND_NS).unwrap();
        limits.take_behind((KEY, 1), 500, 2 * SECOND_NS).unwrap();
        assert_eq!(left(&limits, KEY, 2 * SECOND_NS), "\"default\";r=0;t=1");
    }

    #[test]
    fn keys_that_do_not_ask_any_more_are_forgotten() {
        let limits = limits(1, 1);
        for number in 0..1000 {
            limits.take(ApiKeyId(Uuid::from_u128(number)), 1, 0).unwrap();
        }
        assert_eq!(limits.keys.lock().windows.len(), 1000);
        limits.take(KEY, 1, 2 * SECOND_NS).unwrap();
        assert_eq!(limits.keys.lock().windows.len(), 1);
    }
}
