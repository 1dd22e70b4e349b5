//! The threads that search, none of them a writer's or a worker's: a search may take long, and
//! nobody who writes or answers waits for its processor.
//!
//! It must not know what is searched for.

use crate::ambient::Clock;
use parking_lot::Mutex;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Duration;
use tokio::sync::oneshot;

/// Searches that may wait for a thread.
const WAITING_MAX: usize = 1_024;

/// Why a search has no result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SearchError {
    /// Too many wait; it was not begun.
    Overloaded,
    /// It took longer than it may, its wait for a thread included.
    TimedOut,
    /// It has panicked.
    Panicked,
}

type Job = Box<dyn FnOnce() + Send>;

/// The threads, which end when this is dropped.
pub struct SearchPool {
    queue: SyncSender<Job>,
}

impl SearchPool {
    #[must_use]
    pub fn start(threads: usize) -> Self {
        let (queue, jobs) = sync_channel(WAITING_MAX);
        let jobs = Arc::new(Mutex::new(jobs));
        for _ in 0..threads.max(1) {
            let jobs = jobs.clone();
            let thread = std::thread::Builder::new().name("search".to_owned());
            let thread = thread.spawn(move || work(&jobs));
            drop(thread.expect("the operating system lets a process begin with its threads"));
        }
        Self { queue }
    }

    /// Runs a search on one of the threads. It asks what it is given whether it goes on: it does
    /// not once the time is over, or once nobody waits for it any more.
    pub async fn run<T: Send + 'static, E>(
        &self,
        timeout: Duration,
        clock: &Clock,
        search: impl FnOnce(&dyn Fn() -> bool) -> Result<T, E> + Send + 'static,
    ) -> Result<T, SearchError> {
        let timeout_ns = u64::try_from(timeout.as_nanos()).unwrap_or(u64::MAX);
        let deadline = clock.monotonic_ns().saturating_add(timeout_ns);
        let (sender, found) = oneshot::channel();
        let clock = clock.clone();
        let job = move || {
            let goes_on = || !sender.is_closed() && clock.monotonic_ns() < deadline;
            let result = search(&goes_on).map_err(|_| SearchError::TimedOut);
            // Whoever asked may have gone.
            drop(sender.send(result));
        };
        self.queue.try_send(Box::new(job)).map_err(|_| SearchError::Overloaded)?;
        found.await.unwrap_or(Err(SearchError::Panicked))
    }
}

fn work(jobs: &Mutex<Receiver<Job>>) {
    loop {
        // Those who wait for the lock wait for a job too.
        let job = jobs.lock().recv();
        let Ok(job) = job else { return };
        // A search changes nothing, so one that panics ends alone; it was reported by the hook.
        drop(catch_unwind(AssertUnwindSafe(job)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ambient::SettableClock;
    use crate::model::id::Timestamp;
    use std::pin::Pin;
    use std::task::{Context, Poll};

    const SECOND: Duration = Duration::from_secs(1);

    fn found<T>(value: T) -> impl FnOnce(&dyn Fn() -> bool) -> Result<T, ()> {
        move |_| Ok(value)
    }

    #[actix::test]
    async fn a_search_gives_its_result_unless_its_time_is_over() {
        let hands = SettableClock::at(Timestamp(0));
        let clock = hands.clock();
        let pool = SearchPool::start(1);
        assert_eq!(pool.run(SECOND, &clock, found(7)).await, Ok(7));
        let until = |by: Duration| {
            let hands = hands.clone();
            move |goes_on: &dyn Fn() -> bool| {
                hands.advance(by);
                goes_on().then_some(7).ok_or(())
            }
        };
        let almost = SECOND.saturating_sub(Duration::from_nanos(1));
        assert_eq!(pool.run(SECOND, &clock, until(almost)).await, Ok(7));
        assert_eq!(pool.run(SECOND, &clock, until(SECOND)).await, Err(SearchError::TimedOut));
    }

    #[actix::test]
    async fn a_panic_ends_one_search_and_no_thread() {
        let clock = SettableClock::at(Timestamp(0)).clock();
        let pool = SearchPool::start(1);
        for _ in 0..3 {
            let boom = |_: &dyn Fn() -> bool| -> Result<(), ()> { panic!("a test's own") };
            assert_eq!(pool.run(SECOND, &clock, boom).await, Err(SearchError::Panicked));
        }
        assert_eq!(pool.run(SECOND, &clock, found(7)).await, Ok(7));
    }

    #[actix::test]
    async fn a_full_queue_refuses_and_a_search_nobody_waits_for_stops() {
        let clock = SettableClock::at(Timestamp(0)).clock();
        let pool = SearchPool::start(1);
        let (release, wait) = sync_channel::<()>(0);
        let (begun, has_begun) = sync_channel::<()>(0);
        let (ended, has_ended) = sync_channel::<bool>(0);
        let blocked = Box::pin(pool.run(SECOND, &clock, move |goes_on| {
            begun.send(()).unwrap();
            wait.recv().unwrap();
            ended.send(goes_on()).unwrap();
            Err::<(), _>(())
        }));
        // Polled once, each is in the queue.
        let (_, blocked) = poll_once(blocked).await;
        has_begun.recv().unwrap();
        let mut waiting = Vec::new();
        for _ in 0..WAITING_MAX {
            let (result, search) = poll_once(Box::pin(pool.run(SECOND, &clock, found(())))).await;
            assert_eq!(result, None);
            waiting.push(search);
        }
        let (result, _) = poll_once(Box::pin(pool.run(SECOND, &clock, found(())))).await;
        assert_eq!(result, Some(Err(SearchError::Overloaded)));

        drop(blocked);
        release.send(()).unwrap();
        assert!(!has_ended.recv().unwrap(), "nobody waits for it");
        for search in waiting {
            assert_eq!(search.await, Ok(()));
        }
    }

    async fn poll_once<F: Future + Unpin>(mut future: F) -> (Option<F::Output>, F) {
        let look = |context: &mut Context<'_>| Poll::Ready(Pin::new(&mut future).poll(context));
        let ready = match std::future::poll_fn(look).await {
            Poll::Ready(ready) => Some(ready),
            Poll::Pending => None,
        };
        (ready, future)
    }
}
