//! The closed loop: so many connections, each sending its next request when the last is answered.
//!
//! One thread and one runtime for all of them: a thread per connection would measure the scheduler.

use crate::clock::now;
use crate::contact::{mix, write_body};
use crate::error::LoadError;
use crate::exchange::{Connection, Reply};
use crate::machine::processor_time;
use crate::settings::Kind;
use crate::tally::{Tally, nanoseconds};
use std::cell::RefCell;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::{Duration, Instant};
use tokio::task::LocalSet;

/// What does not count: connections open, caches fill.
const WARM_UP: Duration = Duration::from_secs(1);

/// Who is asked.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub(crate) address: SocketAddr,
    pub(crate) process: u32,
    /// The head of every request, up to the value of `Content-Length`.
    pub(crate) head: Vec<u8>,
    /// Whether the answers tell what was done; the ceiling does nothing.
    pub(crate) has_records: bool,
}

/// How the target is asked, and how long.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Load {
    pub(crate) kind: Kind,
    pub(crate) connections: usize,
    pub(crate) seed: u64,
    pub(crate) limit: Limit,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Limit {
    /// So long after the warm-up.
    Time(Duration),
    /// So many records, all of which count.
    Records(u32),
}

/// What was measured.
#[derive(Debug)]
pub(crate) struct Driven {
    pub(crate) tally: Tally,
    /// The measured time.
    pub(crate) elapsed: Duration,
    pub(crate) own_processor: Duration,
    pub(crate) target_processor: Duration,
}

/// What the connections share; one thread, so a cell is enough.
struct Shared {
    load: Load,
    tally: Tally,
    /// The numbers of the records that were answered, so that an update finds one.
    answered: Vec<u32>,
    created: u32,
    turn: u64,
    /// Answers to requests that were sent since then count.
    counts_from: Instant,
    ends_at: Option<Instant>,
}

/// The next request: which record, and whether it must be new.
#[derive(Clone, Copy)]
struct Next {
    number: u32,
    turn: u64,
    creates: bool,
}

pub(crate) fn drive(target: &Target, load: Load) -> Result<Driven, LoadError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(LoadError::io("the runtime"))?;
    LocalSet::new().block_on(&runtime, run(target, load))
}

async fn run(target: &Target, load: Load) -> Result<Driven, LoadError> {
    let mut connections = Vec::with_capacity(load.connections);
    for _ in 0..load.connections {
        let connection = Connection::open(target.address).await;
        connections.push(connection.map_err(LoadError::io("a connection"))?);
    }
    let (counts_from, ends_at) = match load.limit {
        Limit::Time(measured) => (now() + WARM_UP, Some(now() + WARM_UP + measured)),
        Limit::Records(_) => (now(), None),
    };
    let tally = Tally::new();
    let shared =
        Shared { load, tally, answered: Vec::new(), created: 0, turn: 0, counts_from, ends_at };
    let shared = Rc::new(RefCell::new(shared));
    let asking: Vec<_> = connections
        .into_iter()
        .map(|connection| {
            tokio::task::spawn_local(ask(connection, target.clone(), Rc::clone(&shared)))
        })
        .collect();
    tokio::time::sleep_until(counts_from.into()).await;
    let (own_before, target_before) = processor_times(target)?;
    for task in asking {
        task.await.map_err(|error| LoadError::io("a connection")(error.into()))?;
    }
    // What was answered after the end of the time is not counted, so neither is that time.
    let elapsed = match load.limit {
        Limit::Time(measured) => measured,
        Limit::Records(_) => counts_from.elapsed(),
    };
    let (own_after, target_after) = processor_times(target)?;
    let shared = Rc::into_inner(shared).expect("every task that shared it has ended").into_inner();
    Ok(Driven {
        tally: shared.tally,
        elapsed,
        own_processor: own_after.saturating_sub(own_before),
        target_processor: target_after.saturating_sub(target_before),
    })
}

fn processor_times(target: &Target) -> Result<(Duration, Duration), LoadError> {
    Ok((processor_time(std::process::id())?, processor_time(target.process)?))
}

/// One connection's loop. It ends with the load, or with the first answer that did not come.
async fn ask(mut connection: Connection, target: Target, shared: Rc<RefCell<Shared>>) {
    let mut body = Vec::new();
    loop {
        // The borrow ends before anything is awaited.
        let next = shared.borrow_mut().next(now());
        let Some(next) = next else { return };
        write_body(next.number, next.turn, &mut body);
        let sent_at = now();
        match connection.exchange(&target.head, &body).await {
            Ok(reply) => shared.borrow_mut().note(next, sent_at, &reply, target.has_records),
            Err(error) => return shared.borrow_mut().tally.reject(|| error.to_string()),
        }
    }
}

impl Shared {
    fn next(&mut self, at: Instant) -> Option<Next> {
        let is_over = match self.load.limit {
            Limit::Time(_) => self.ends_at.is_some_and(|end| at >= end),
            Limit::Records(records) => self.created >= records,
        };
        if is_over {
            return None;
        }
        let turn = self.turn;
        self.turn += 1;
        let creates = match self.load.kind {
            Kind::Create => true,
            Kind::Mixed => turn.is_multiple_of(2) || self.answered.is_empty(),
        };
        let mixed_turn = self.load.seed.wrapping_add(turn);
        let number = if creates {
            self.created += 1;
            self.created
        } else {
            let count = u64::try_from(self.answered.len()).expect("a length fits 64 bits");
            let at = usize::try_from(mix(mixed_turn) % count).expect("it is below a length");
            self.answered[at]
        };
        Some(Next { number, turn: mixed_turn, creates })
    }

    fn note(&mut self, next: Next, sent_at: Instant, reply: &Reply<'_>, has_records: bool) {
        let received_at = now();
        let expected = match (has_records, next.creates) {
            (false, _) => "none",
            (true, true) => "created",
            (true, false) => "updated",
        };
        let action = reply.action();
        self.tally.count(reply.status, action);
        if reply.status != 200 || action != expected {
            let body = || String::from_utf8_lossy(reply.body).chars().take(500).collect::<String>();
            self.tally.reject(|| format!("{expected} was expected: {} {}", reply.status, body()));
        } else if next.creates {
            self.answered.push(next.number);
        }
        let is_late = self.ends_at.is_some_and(|end| received_at > end);
        if sent_at >= self.counts_from && !is_late {
            self.tally.latencies.saturating_record(nanoseconds(received_at - sent_at));
        }
    }
}
