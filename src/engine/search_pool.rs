//! The threads that search, those that read the log, and those that export, none of them a writer's
//! or a worker's: a search may take long, and nobody who writes or answers waits for its processor. Threads that have nothing to do help with
//! the search of another; while searches wait, each has one thread.
//!
//! It must not know what is searched for.

use crate::ambient::Clock;
use parking_lot::{Condvar, Mutex};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
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

/// A search that several threads may work on at once.
pub trait Work: Send + Sync + 'static {
    type Found: Send + 'static;

    /// Searches until nothing is left to search, asking now and then whether to go on. Where one is
    /// told not to, the others soon end too.
    fn work(&self, goes_on: &dyn Fn() -> bool);

    /// What was found, once nobody works any more; none where somebody was told not to go on.
    fn finish(&self) -> Option<Self::Found>;
}

type Job = Box<dyn FnOnce() + Send>;

/// The threads, which end when this is dropped.
pub struct SearchPool {
    queue: SyncSender<Job>,
    idle: Arc<AtomicUsize>,
}

impl SearchPool {
    #[must_use]
    pub fn start(name: &str, threads: usize) -> Self {
        let (queue, jobs) = sync_channel(WAITING_MAX);
        let jobs = Arc::new(Mutex::new(jobs));
        let idle = Arc::new(AtomicUsize::new(0));
        for _ in 0..threads.max(1) {
            let (jobs, idle) = (jobs.clone(), idle.clone());
            let thread = std::thread::Builder::new().name(name.to_owned());
            let thread = thread.spawn(move || work(&jobs, &idle));
            drop(thread.expect("the operating system lets a process begin with its threads"));
        }
        Self { queue, idle }
    }

    /// Runs a search on the threads; it is begun on the first that is free. It is told not to go on
    /// once the time is over, or once nobody waits for it any more.
    pub async fn run<W: Work>(
        &self,
        timeout: Duration,
        clock: &Clock,
        begin: impl FnOnce() -> W + Send + 'static,
    ) -> Result<W::Found, SearchError> {
        let timeout_ns = u64::try_from(timeout.as_nanos()).unwrap_or(u64::MAX);
        let deadline = clock.monotonic_ns().saturating_add(timeout_ns);
        let (sender, found) = oneshot::channel();
        let (clock, queue, idle) = (clock.clone(), self.queue.clone(), self.idle.clone());
        let job = move || {
            let is_in_time = move || clock.monotonic_ns() < deadline;
            let crew =
                Arc::new(Crew { work: begin(), state: Mutex::default(), left: Condvar::new() });
            for _ in 0..idle.load(SeqCst) {
                let (crew, is_in_time) = (crew.clone(), is_in_time.clone());
                // One that comes too late to help ends at once; nothing is lost where none fits.
                drop(queue.try_send(Box::new(move || crew.help(&is_in_time))));
            }
            drop(queue);
            crew.work.work(&|| !sender.is_closed() && is_in_time());
            // Whoever asked may have gone.
            drop(sender.send(crew.finish()));
        };
        self.queue.try_send(Box::new(job)).map_err(|_| SearchError::Overloaded)?;
        found.await.unwrap_or(Err(SearchError::Panicked))
    }

    /// Runs what one thread alone can do. It is not begun once its time is over.
    pub async fn run_alone<T: Send + 'static>(
        &self,
        timeout: Duration,
        clock: &Clock,
        work: impl FnOnce(&dyn Fn() -> bool) -> T + Send + 'static,
    ) -> Result<T, SearchError> {
        let alone = Alone { work: Mutex::new(Some(work)), found: Mutex::new(None) };
        self.run(timeout, clock, move || alone).await
    }
}

/// Work in which nobody can help.
struct Alone<F, T> {
    work: Mutex<Option<F>>,
    found: Mutex<Option<T>>,
}

impl<F, T> Work for Alone<F, T>
where
    F: FnOnce(&dyn Fn() -> bool) -> T + Send + 'static,
    T: Send + 'static,
{
    type Found = T;

    fn work(&self, goes_on: &dyn Fn() -> bool) {
        let work = self.work.lock().take();
        if let Some(work) = work
            && goes_on()
        {
            let found = work(goes_on);
            *self.found.lock() = Some(found);
        }
    }

    fn finish(&self) -> Option<T> {
        self.found.lock().take()
    }
}

fn work(jobs: &Mutex<Receiver<Job>>, idle: &AtomicUsize) {
    loop {
        idle.fetch_add(1, SeqCst);
        // Those who wait for the lock wait for a job too.
        let job = jobs.lock().recv();
        idle.fetch_sub(1, SeqCst);
        let Ok(job) = job else { return };
        // A search changes nothing, so one that panics ends alone; it was reported by the hook.
        drop(catch_unwind(AssertUnwindSafe(job)));
    }
}

/// Those who work on one search.
struct Crew<W> {
    work: W,
    state: Mutex<CrewState>,
    /// A helper has left.
    left: Condvar,
}

#[derive(Default)]
struct CrewState {
    helpers: usize,
    has_panicked: bool,
    is_over: bool,
}

impl<W: Work> Crew<W> {
    /// Joins, unless the search is over, and helps to its end.
    fn help(&self, goes_on: &dyn Fn() -> bool) {
        {
            let mut state = self.state.lock();
            if state.is_over {
                return;
            }
            state.helpers += 1;
        }
        let leave = Leave { state: &self.state, left: &self.left };
        self.work.work(goes_on);
        drop(leave);
    }

    /// Waits for the helpers that have joined.
    fn finish(&self) -> Result<W::Found, SearchError> {
        let mut state = self.state.lock();
        state.is_over = true;
        while state.helpers > 0 {
            self.left.wait(&mut state);
        }
        if state.has_panicked {
            return Err(SearchError::Panicked);
        }
        self.work.finish().ok_or(SearchError::TimedOut)
    }
}

/// Tells that a helper has left, however it did.
struct Leave<'a> {
    state: &'a Mutex<CrewState>,
    left: &'a Condvar,
}

impl Drop for Leave<'_> {
    fn drop(&mut self) {
        let mut state = self.state.lock();
        state.helpers -= 1;
        state.has_panicked |= std::thread::panicking();
        drop(state);
        self.left.notify_all();
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

    /// A search of one step, which gives what the step gives.
    struct OneStep<F> {
        step: F,
        found: Mutex<Option<i32>>,
        is_taken: AtomicUsize,
    }

    impl<F: Fn(&dyn Fn() -> bool) -> Option<i32> + Send + Sync + 'static> Work for OneStep<F> {
        type Found = i32;

        fn work(&self, goes_on: &dyn Fn() -> bool) {
            if self.is_taken.fetch_add(1, SeqCst) == 0 {
                *self.found.lock() = (self.step)(goes_on);
            }
        }

        fn finish(&self) -> Option<i32> {
            *self.found.lock()
        }
    }

    fn step<F: Fn(&dyn Fn() -> bool) -> Option<i32>>(step: F) -> impl FnOnce() -> OneStep<F> {
        move || OneStep { step, found: Mutex::default(), is_taken: AtomicUsize::new(0) }
    }

    #[actix::test]
    async fn a_search_gives_its_result_unless_its_time_is_over() {
        let hands = SettableClock::at(Timestamp(0));
        let clock = hands.clock();
        let pool = SearchPool::start("search", 1);
        assert_eq!(pool.run(SECOND, &clock, step(|_| Some(7))).await, Ok(7));
        let until = |by: Duration| {
            let hands = hands.clone();
            step(move |goes_on: &dyn Fn() -> bool| {
                hands.advance(by);
                goes_on().then_some(7)
            })
        };
        let almost = SECOND.saturating_sub(Duration::from_nanos(1));
        assert_eq!(pool.run(SECOND, &clock, until(almost)).await, Ok(7));
        assert_eq!(pool.run(SECOND, &clock, until(SECOND)).await, Err(SearchError::TimedOut));
    }

    #[actix::test]
    async fn a_panic_ends_one_search_and_no_thread() {
        let clock = SettableClock::at(Timestamp(0)).clock();
        let pool = SearchPool::start("search", 1);
        for _ in 0..3 {
            let boom = step(|_: &dyn Fn() -> bool| panic!("a test's own"));
            assert_eq!(pool.run(SECOND, &clock, boom).await, Err(SearchError::Panicked));
        }
        assert_eq!(pool.run(SECOND, &clock, step(|_| Some(7))).await, Ok(7));
    }

    /// A search in which each of several threads waits for all the others.
    struct Meeting {
        all: std::sync::Barrier,
        met: AtomicUsize,
        panics: bool,
    }

    impl Work for Meeting {
        type Found = usize;

        fn work(&self, _: &dyn Fn() -> bool) {
            let is_first = self.met.fetch_add(1, SeqCst) == 0;
            self.all.wait();
            assert!(is_first || !self.panics, "a test's own");
        }

        fn finish(&self) -> Option<usize> {
            Some(self.met.load(SeqCst))
        }
    }

    #[actix::test]
    async fn threads_that_have_nothing_to_do_help_and_are_waited_for() {
        let clock = SettableClock::at(Timestamp(0)).clock();
        for (panics, expected) in [(false, Ok(3)), (true, Err(SearchError::Panicked))] {
            let pool = SearchPool::start("search", 3);
            while pool.idle.load(SeqCst) < 3 {
                std::thread::yield_now();
            }
            // It cannot end unless all three come.
            let meeting = move || {
                let (all, met) = (std::sync::Barrier::new(3), AtomicUsize::new(0));
                Meeting { all, met, panics }
            };
            // The first is busy with it, so two are idle.
            let found = pool.run(SECOND, &clock, meeting).await;
            // Which of the three met first is not known: where it helps, the one that leads panics.
            assert_eq!(found, expected);
        }
    }

    #[actix::test]
    async fn a_full_queue_refuses_and_a_search_nobody_waits_for_stops() {
        let clock = SettableClock::at(Timestamp(0)).clock();
        let pool = SearchPool::start("search", 1);
        let (release, wait) = sync_channel::<()>(0);
        let (begun, has_begun) = sync_channel::<()>(0);
        let (ended, has_ended) = sync_channel::<bool>(0);
        let wait = Mutex::new(wait);
        let blocked = Box::pin(pool.run(
            SECOND,
            &clock,
            step(move |goes_on: &dyn Fn() -> bool| {
                begun.send(()).unwrap();
                wait.lock().recv().unwrap();
                ended.send(goes_on()).unwrap();
                None
            }),
        ));
        // Polled once, each is in the queue.
        let (_, blocked) = poll_once(blocked).await;
        has_begun.recv().unwrap();
        let mut waiting = Vec::new();
        for _ in 0..WAITING_MAX {
            let (result, search) =
                poll_once(Box::pin(pool.run(SECOND, &clock, step(|_| Some(7))))).await;
            assert_eq!(result, None);
            waiting.push(search);
        }
        let (result, _) = poll_once(Box::pin(pool.run(SECOND, &clock, step(|_| Some(7))))).await;
        assert_eq!(result, Some(Err(SearchError::Overloaded)));

        drop(blocked);
        release.send(()).unwrap();
        assert!(!has_ended.recv().unwrap(), "nobody waits for it");
        for search in waiting {
            assert_eq!(search.await, Ok(7));
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
