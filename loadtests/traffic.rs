//! Requests with ready bodies: one after the other on so many connections, or at a given rate.

use crate::clock::now;
use crate::drive::Target;
use crate::error::LoadError;
use crate::exchange::Connection;
use crate::tally::{histogram, nanoseconds};
use hdrhistogram::Histogram;
use std::cell::RefCell;
use std::rc::Rc;
use std::time::{Duration, Instant};
use tokio::task::LocalSet;

/// What came back.
pub(crate) struct Sent {
    /// In nanoseconds; at a given rate from when the request was due.
    pub(crate) latencies: Histogram<u64>,
    pub(crate) elapsed: Duration,
}

impl Sent {
    pub(crate) fn rate(&self) -> f64 {
        crate::report::figure(self.latencies.len()) / self.elapsed.as_secs_f64()
    }

    /// In milliseconds.
    pub(crate) fn quantile(&self, quantile: f64) -> f64 {
        crate::report::figure(self.latencies.value_at_quantile(quantile)) / 1e6
    }
}

/// Writes the next body and says when it is due; none where nothing more is to be sent.
pub(crate) type Next = Box<dyn FnMut(&mut Vec<u8>) -> Option<Instant>>;

/// Requests to one target.
pub(crate) struct Traffic {
    pub(crate) target: Target,
    pub(crate) connections: usize,
    pub(crate) next: Next,
    /// What every answer must hold; empty where its status tells enough.
    pub(crate) wanted: &'static str,
}

/// The same body over and over for so long.
pub(crate) fn again(body: Vec<u8>, lasting: Duration) -> Next {
    let end = now() + lasting;
    Box::new(move |out| {
        out.clone_from(&body);
        let at = now();
        (at < end).then_some(at)
    })
}

/// One body.
pub(crate) fn once(body: Vec<u8>) -> Next {
    let mut body = Some(body);
    Box::new(move |out| {
        *out = body.take()?;
        Some(now())
    })
}

/// Sends all of them, each until it has no more to send. An answer that is not 200, or lacks what
/// is wanted, fails the run.
pub(crate) fn send(traffic: Vec<Traffic>) -> Result<Vec<Sent>, LoadError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(LoadError::io("the runtime"))?;
    LocalSet::new().block_on(&runtime, async {
        let mut sending = Vec::new();
        for traffic in traffic {
            sending.push(tokio::task::spawn_local(send_one(traffic)));
        }
        let mut all = Vec::new();
        for sending in sending {
            all.push(sending.await.map_err(|error| LoadError::io("a load")(error.into()))??);
        }
        Ok(all)
    })
}

async fn send_one(traffic: Traffic) -> Result<Sent, LoadError> {
    let Traffic { target, connections, next, wanted } = traffic;
    let mut open = Vec::with_capacity(connections);
    for _ in 0..connections {
        open.push(Connection::open(target.address).await.map_err(LoadError::io("a connection"))?);
    }
    let shared = Rc::new(RefCell::new((next, histogram())));
    let started = now();
    let asking: Vec<_> = open
        .into_iter()
        .map(|connection| {
            let asking = ask(connection, target.head.clone(), wanted, Rc::clone(&shared));
            tokio::task::spawn_local(asking)
        })
        .collect();
    for task in asking {
        task.await.map_err(|error| LoadError::io("a connection")(error.into()))??;
    }
    let elapsed = started.elapsed();
    let (_, latencies) =
        Rc::into_inner(shared).expect("every task that shared it has ended").into_inner();
    if latencies.is_empty() {
        return Err(LoadError::Nothing);
    }
    Ok(Sent { latencies, elapsed })
}

async fn ask(
    mut connection: Connection,
    head: Vec<u8>,
    wanted: &'static str,
    shared: Rc<RefCell<(Next, Histogram<u64>)>>,
) -> Result<(), LoadError> {
    let mut body = Vec::new();
    loop {
        // The borrow ends before anything is awaited.
        let due = (shared.borrow_mut().0)(&mut body);
        let Some(due) = due else { return Ok(()) };
        // The timer counts whole milliseconds: it would hold back a request that is due by now.
        if due > now() {
            tokio::time::sleep_until(due.into()).await;
        }
        let reply = connection.exchange(&head, &body).await;
        let reply = reply.map_err(LoadError::io("an answer"))?;
        if reply.status != 200 || !holds(reply.body, wanted) {
            let body = String::from_utf8_lossy(reply.body).chars().take(500).collect();
            let request = "a request of the load".to_owned();
            return Err(LoadError::Refused { request, status: reply.status, body });
        }
        shared.borrow_mut().1.saturating_record(nanoseconds(due.elapsed()));
    }
}

fn holds(body: &[u8], wanted: &str) -> bool {
    wanted.is_empty() || body.windows(wanted.len()).any(|window| window == wanted.as_bytes())
}
