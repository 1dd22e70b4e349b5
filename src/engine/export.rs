//! Exports: every record of a table as of one instant, read at the pace of whoever asked.
//!
//! The writer opens a scan between two frames and goes on. A reader that is slow makes it keep
//! before-images, and all exports share the room for them: where it is full, the export that keeps
//! the most is ended, and nobody else notices. It must not know how a record looks.

use crate::ambient::Clock;
use crate::engine::business::TableRef;
use crate::engine::search_pool::{SearchError, SearchPool};
use crate::model::id::Sequence;
use crate::model::schema::Schema;
use crate::model::table::Shown;
use crate::model::table::record::Record;
use crate::model::table::scan::{GivenUp, Room, Scan};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;
use tokio::sync::oneshot;

/// Bytes of records as they were before they changed under exports, of all of them together.
const BEFORE_BYTES_MAX: usize = 256 << 20;
/// Exports at once. Each of them costs the writer of its table a look at every change.
const EXPORTS_MAX: usize = 64;
/// Threads that read for exports, none of them a writer's, a worker's or one for searches.
const THREADS: usize = 2;
/// One step may take so long, its wait for a thread included. It is a chunk's work.
const STEP_MAX: Duration = Duration::from_mins(1);

/// The exports of a process.
pub struct Exports {
    threads: SearchPool,
    room: Arc<Room>,
    open: Arc<AtomicUsize>,
}

/// No export was begun: there are too many, or the writer has too much to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Busy;

/// A table at one instant, being read from its first record to its last.
pub struct Export {
    schema: Arc<Schema>,
    sequence: Sequence,
    shown: Arc<Shown>,
    scan: Arc<Scan>,
    /// The next chunk.
    next: usize,
    _place: Place,
}

/// One of the exports that may be open at once.
#[derive(Debug)]
struct Place(Arc<AtomicUsize>);

impl Place {
    fn take(open: &Arc<AtomicUsize>) -> Option<Self> {
        let place = Self(open.clone());
        (open.fetch_add(1, SeqCst) < EXPORTS_MAX).then_some(place)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, SeqCst);
    }
}

impl Exports {
    pub(super) fn start() -> Self {
        let threads = SearchPool::start("export", THREADS);
        Self { threads, room: Room::new(BEFORE_BYTES_MAX), open: Arc::default() }
    }

    /// Opens a view of a table that has everything that was answered before.
    pub async fn open(&self, table: &TableRef) -> Result<Export, Busy> {
        let place = Place::take(&self.open).ok_or(Busy)?;
        let (room, shown) = (self.room.clone(), table.shown().clone());
        let (say, opened) = oneshot::channel();
        let is_sent = table.handle().at_barrier(move |table, position| {
            // Whole before it is sent: one that nobody waits for any more ends with the message.
            drop(say.send(Export {
                schema: shown.schema(),
                sequence: table.sequence(),
                scan: table.open_scan(position, &room),
                shown,
                next: 0,
                _place: place,
            }));
        });
        if !is_sent {
            return Err(Busy);
        }
        opened.await.map_err(|_| Busy)
    }

    /// Takes a step of an export on a thread for exports.
    pub async fn run<T: Send + 'static>(
        &self,
        clock: &Clock,
        step: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, SearchError> {
        self.threads.run_alone(STEP_MAX, clock, |_| step()).await
    }

    /// What all exports keep of what has changed under them.
    #[must_use]
    pub fn before_bytes(&self) -> usize {
        self.room.used_bytes()
    }
}

impl Export {
    /// The schema of that instant.
    #[must_use]
    pub fn schema(&self) -> &Arc<Schema> {
        &self.schema
    }

    /// The number of the last change that the view has.
    #[must_use]
    pub fn sequence(&self) -> Sequence {
        self.sequence
    }

    /// Takes the next records out, in the order of their ids; false: there are no more.
    ///
    /// # Errors
    /// Where so much has changed meanwhile that it was given up.
    pub fn next_chunk(&mut self, out: &mut Vec<Record>) -> Result<bool, GivenUp> {
        if self.next >= self.scan.chunk_count() {
            return Ok(false);
        }
        self.scan.take_chunk(&self.shown.order, self.next, out)?;
        self.next += 1;
        Ok(true)
    }
}

impl Drop for Export {
    /// Whoever reads may leave at any time; the writer must hear of it.
    fn drop(&mut self) {
        self.scan.give_up();
    }
}
