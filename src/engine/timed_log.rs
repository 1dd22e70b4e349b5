//! A log that measures another one: how long a frame takes to be durable, and how much it carries.
//!
//! The storage layer has no clock, so its time is taken here, around the whole of an append.

use crate::ambient::Clock;
use crate::engine::meters::{Meters, seconds_between};
use crate::model::id::Position;
use crate::storage::error::StorageError;
use crate::storage::log::{AppendError, Log, LogReader};
use crate::storage::part::parts;
use std::sync::Arc;

pub(super) struct TimedLog {
    log: Box<dyn Log>,
    clock: Clock,
    meters: Arc<Meters>,
}

impl TimedLog {
    pub(super) fn new(log: Box<dyn Log>, clock: Clock, meters: Arc<Meters>) -> Self {
        Self { log, clock, meters }
    }
}

impl Log for TimedLog {
    fn append(&mut self, expected: Position, payload: &[u8]) -> Result<Position, AppendError> {
        let began_ns = self.clock.monotonic_ns();
        let position = self.log.append(expected, payload)?;
        let took = seconds_between(began_ns, self.clock.monotonic_ns());
        self.meters.sync_seconds.observe(took);
        // A seal has no part, and is no group.
        if !payload.is_empty() {
            let events: u32 = parts(payload).flatten().map(|part| part.event_count).sum();
            self.meters.group_events.observe(f64::from(events));
        }
        Ok(position)
    }

    fn prepare(&mut self) -> Result<bool, StorageError> {
        self.log.prepare()
    }

    fn reader(&self) -> Arc<dyn LogReader> {
        self.log.reader()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::id::{Sequence, Timestamp, WriterId};
    use crate::storage::memory_log::MemoryFrames;
    use crate::storage::part::Part;
    use prometheus_client::encoding::text::encode;
    use prometheus_client::registry::Registry;

    /// A sample of the meters, as a scraper reads it.
    fn sample(meters: &Meters, name: &str) -> String {
        let mut registry = Registry::default();
        registry.register("group", "", meters.group_events.clone());
        registry.register("sync", "", meters.sync_seconds.clone());
        let mut text = String::new();
        encode(&mut text, &registry).unwrap();
        let line = text.lines().find_map(|line| line.strip_prefix(&format!("{name} ")));
        line.unwrap().to_owned()
    }

    #[test]
    fn groups_are_counted_by_their_events_and_seals_are_no_groups() {
        let meters = Arc::<Meters>::default();
        let log = Box::new(MemoryFrames::default().lead());
        let mut log = TimedLog::new(log, Clock::system(), meters.clone());
        let part = |event_count| Part {
            writer: WriterId::Root,
            first_sequence: Sequence(0),
            time: Timestamp(0),
            event_count,
            events: b"e",
        };
        let mut payload = Vec::new();
        part(2).encode(&mut payload);
        part(3).encode(&mut payload);
        log.append(Position(0), &payload).unwrap();
        log.append(Position(1), &[]).unwrap();
        assert_eq!(sample(&meters, "group_count"), "1");
        assert_eq!(sample(&meters, "group_sum"), "5.0");
        assert_eq!(sample(&meters, "sync_count"), "2");
        log.append(Position(7), &payload).unwrap_err();
        assert_eq!(sample(&meters, "sync_count"), "2", "it never became durable");
    }
}
