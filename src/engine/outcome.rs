//! Requests that may be sent again: which of them are under way, what was answered to those that
//! were, and how long that is kept.
//!
//! Each writer keeps the outcomes of what it has decided. How much that is all together only the
//! engine can see, so it says up to when each is to forget.

use crate::engine::business::{Business, TableRef};
use crate::engine::follow_up::nobody;
use crate::engine::partition::Partition;
use crate::engine::turn::Refusal;
use crate::engine::writer::Handle;
use crate::engine::{AskError, Engine, ReadOnly, received};
use crate::model::id::Timestamp;
use crate::model::retry::hash::RetryKey;
use crate::model::retry::outcomes::Outcomes;
use crate::model::retry::{OutcomeChange, StoredOutcome};
use crate::model::state::State;
use crate::model::table::command::{Ask, Command};
use crate::model::table::decide::Rejection;
use parking_lot::Mutex;
use std::collections::HashSet;
use std::sync::{Arc, Weak};
use std::time::Duration;

/// How often it is looked what is to be forgotten.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// This part of the room is kept free for what comes until the next look.
const FREE_PART: usize = 16;

/// How long outcomes are kept, and how many.
#[derive(Clone, Copy, Debug)]
pub struct OutcomeOptions {
    pub ttl: Duration,
    /// All together, in memory.
    pub bytes_max: usize,
}

/// Keys of requests that are being answered now, by this process.
#[derive(Clone, Debug, Default)]
pub(super) struct KeysUnderWay(Arc<Mutex<HashSet<RetryKey>>>);

/// While it is there, no other request of its key is begun.
#[derive(Debug)]
pub struct UnderWay {
    key: RetryKey,
    all: KeysUnderWay,
}

impl KeysUnderWay {
    fn begin(&self, key: RetryKey) -> Option<UnderWay> {
        self.0.lock().insert(key).then(|| UnderWay { key, all: self.clone() })
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.all.0.lock().remove(&self.key);
    }
}

impl Engine {
    /// Begins a request of a key; none while another one is under way.
    #[must_use]
    pub fn begin(&self, key: RetryKey) -> Option<UnderWay> {
        self.keys_under_way.begin(key)
    }

    /// What was answered to a request of this key, whichever writer has decided it. A key says
    /// whose it is; the operator's are of no business.
    #[must_use]
    pub fn outcome(
        &self,
        business: Option<&Business>,
        key: &RetryKey,
    ) -> Option<Arc<StoredOutcome>> {
        let of_root = || self.partitions.iter().find_map(|it| it.root().outcomes().find(key));
        business.and_then(|business| business.outcome(key)).or_else(of_root)
    }

    /// Notes that everything has been done that a request asks of other writers than the one that
    /// keeps its outcome.
    pub async fn complete(
        &self,
        table: &TableRef,
        key: RetryKey,
    ) -> Result<(), AskError<Rejection>> {
        let handle = table.handle();
        let sent = handle.change_outcomes(OutcomeChange::Completed(key));
        let sent = sent.map_err(|_| {
            let retry_after_s = handle.admission().seconds_to_drain(self.clock().monotonic_ns());
            AskError::Overloaded { retry_after_s }
        })?;
        received(sent).await.map(|_| ())
    }

    /// Has every writer forget what was kept long enough, or is too much all together.
    async fn forget_outcomes(&self, options: OutcomeOptions) {
        // Nothing is written where nothing may be; short memory is a reason to forget.
        if matches!(self.read_only(), Some(ReadOnly::Setting | ReadOnly::DiskFull)) {
            return;
        }
        let all = self.outcomes();
        let Some(before) = forget_before(&all, options, self.clock().now()) else { return };
        for partition in self.partitions() {
            drop_before(partition.root(), before).await;
            for business in partition.businesses() {
                drop_before(&business.catalog_handle, before).await;
                drop_before(&business.agenda_handle, before).await;
                for table in business.all_tables() {
                    drop_before(table.handle(), before).await;
                }
            }
        }
    }

    /// Has tables forget the streams that were not used for so long.
    async fn forget_streams(&self, ttl: Duration) {
        if self.read_only().is_some() {
            return;
        }
        let ttl_ms = i64::try_from(ttl.as_millis()).unwrap_or(i64::MAX);
        let before = Timestamp(self.clock().now().0.saturating_sub(ttl_ms));
        for business in self.partitions().iter().flat_map(Partition::businesses) {
            for table in business.tables() {
                for stream in table.shown().streams.unused_since(before) {
                    let caller = nobody(business.catalog().members.clone());
                    let (stream, unused_since) = (Arc::new(stream), Some(before));
                    let ask = Ask::ForgetStream { stream, unused_since };
                    // Whatever keeps it from being forgotten now: it is looked for again.
                    drop(self.ask_table(&table, Command { caller, ask }, 0).await);
                }
            }
        }
    }

    /// Those of every writer.
    fn outcomes(&self) -> Vec<Arc<Outcomes>> {
        let mut all = Vec::new();
        for partition in self.partitions() {
            all.push(partition.root().outcomes().clone());
            for business in partition.businesses() {
                all.push(business.catalog_handle.outcomes().clone());
                all.push(business.agenda_handle.outcomes().clone());
                let tables = business.all_tables();
                all.extend(tables.iter().map(|table| table.handle().outcomes().clone()));
            }
        }
        all.retain(|outcomes| !outcomes.is_empty());
        all
    }

    /// What outcomes count for in memory, all together.
    #[must_use]
    pub fn outcome_bytes(&self) -> usize {
        self.outcomes().iter().map(|outcomes| outcomes.bytes()).sum()
    }
}

/// From when on outcomes are kept, if some are not any more.
fn forget_before(
    all: &[Arc<Outcomes>],
    options: OutcomeOptions,
    now: Timestamp,
) -> Option<Timestamp> {
    let ttl_ms = i64::try_from(options.ttl.as_millis()).unwrap_or(i64::MAX);
    let expired = Timestamp(now.0.saturating_sub(ttl_ms));
    let sum: usize = all.iter().map(|outcomes| outcomes.bytes()).sum();
    let room = options.bytes_max - options.bytes_max / FREE_PART;
    let before = match sum.checked_sub(room) {
        None | Some(0) => expired,
        Some(excess) => expired.max(end_of_oldest(all, excess)),
    };
    let is_due =
        |outcomes: &Arc<Outcomes>| outcomes.oldest(1).first().is_some_and(|(at, _)| *at < before);
    all.iter().any(is_due).then_some(before)
}

/// Just after the oldest outcomes that have so many bytes together.
fn end_of_oldest(all: &[Arc<Outcomes>], bytes: usize) -> Timestamp {
    let mut oldest: Vec<_> = all.iter().flat_map(|outcomes| outcomes.oldest(bytes)).collect();
    oldest.sort_unstable();
    let mut sum = 0;
    let last = oldest.iter().find(|(_, bytes_of_one)| {
        sum += bytes_of_one;
        sum >= bytes
    });
    last.map_or(Timestamp(i64::MIN), |(at, _)| Timestamp(at.0.saturating_add(1)))
}

/// Has a writer forget what is from before, if there is any.
async fn drop_before<S: State>(handle: &Handle<S>, before: Timestamp) {
    if handle.outcomes().oldest(1).first().is_none_or(|(at, _)| *at >= before) {
        return;
    }
    // A full queue is asked again at the next look.
    let Ok(answer) = handle.change_outcomes(OutcomeChange::Dropped { before }) else { return };
    match answer.await {
        Ok(Ok(_) | Err(Refusal::OutcomeUnknown)) | Err(_) => {}
        Ok(Err(Refusal::Rejected(_) | Refusal::Repeated(_))) => {
            unreachable!("a change of outcomes is not refused")
        }
    }
}

/// Has writers forget for as long as there is an engine.
pub(super) async fn forget_for_ever(
    engine: Weak<Engine>,
    options: OutcomeOptions,
    stream_ttl: Duration,
) {
    loop {
        tokio::time::sleep(LOOK_EVERY).await;
        let Some(engine) = engine.upgrade() else { return };
        engine.forget_outcomes(options).await;
        engine.forget_streams(stream_ttl).await;
    }
}

#[cfg(test)]
mod tests {
    use super::{OutcomeOptions, forget_before};
    use crate::model::id::Timestamp;
    use crate::model::retry::hash::{Fingerprint, RetryKey};
    use crate::model::retry::outcomes::Outcomes;
    use crate::model::retry::{Answered, StoredOutcome};
    use std::sync::Arc;
    use std::time::Duration;

    /// Outcomes that were stored at these times.
    fn stored(times: &[i64]) -> Arc<Outcomes> {
        let outcomes = Outcomes::default();
        outcomes.load(times.iter().map(|at| {
            Arc::new(StoredOutcome {
                key: RetryKey::of([&at.to_le_bytes()[..]]),
                fingerprint: Fingerprint::of([]),
                at: Timestamp(*at),
                status: 204,
                is_open: false,
                answered: Answered::Nothing,
            })
        }));
        Arc::new(outcomes)
    }

    #[test]
    fn what_is_old_goes_and_of_too_much_the_oldest_whoever_keeps_it() {
        let all = [stored(&[10, 40, 50]), stored(&[20, 30, 60])];
        let each = all[0].bytes() / 3;
        for (ttl_ms, room, expected) in [
            (1000, 6, None),
            (90, 6, None),
            (89, 6, Some(11)),
            (50, 6, Some(50)),
            (1000, 5, Some(11)),
            (1000, 4, Some(21)),
            (1000, 1, Some(51)),
            (55, 4, Some(45)),
            (0, 6, Some(100)),
        ] {
            let ttl = Duration::from_millis(ttl_ms);
            // A sixteenth is kept free.
            let bytes_max = (each * room * 16).div_ceil(15);
            let before = forget_before(&all, OutcomeOptions { ttl, bytes_max }, Timestamp(100));
            assert_eq!(before.map(|at| at.0), expected, "{ttl_ms} ms, room for {room}");
        }
    }

    #[test]
    fn times_at_the_ends_of_time_do_not_overflow() {
        let all = [stored(&[i64::MIN, i64::MAX])];
        let options = OutcomeOptions { ttl: Duration::MAX, bytes_max: 0 };
        let before = forget_before(&all, options, Timestamp(i64::MIN));
        assert_eq!(before, Some(Timestamp(i64::MAX)));
    }
}
