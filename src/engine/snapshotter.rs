//! Rounds of snapshots: when one is due, and how it is taken while writing goes on.
//!
//! A thread of its own. States are taken one after the other, each by its own writer between two
//! frames, so before-images stay few and nobody waits for a round.

use crate::ambient::Clock;
use crate::engine::business::Directory;
use crate::engine::follow_up::FollowUpSignal;
use crate::engine::partition::Stopped;
use crate::engine::snapshot::{SnapshotError, Taken, verify, write};
use crate::engine::writer::Handle;
use crate::model::agenda::Agenda;
use crate::model::catalog::Catalog;
use crate::model::id::{BusinessId, LogId, Position, Timestamp};
use crate::model::root::Root;
use crate::model::state::State;
use crate::storage::committer::CommitQueue;
use crate::storage::error::StorageError;
use crate::storage::log::LogReader;
use crate::storage::retention::{FeedRetention, Removed, remove_unneeded};
use crate::storage::segment::DigestKey;
use crate::storage::snapshot::{SnapshotHeader, SnapshotWriter, Snapshots, WriterSummary};
use parking_lot::Mutex;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::time::Duration;
use tokio::sync::{oneshot, watch};

/// How often it is looked whether a round is due.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// A round that failed is tried again after so long.
const RETRY_AFTER_NS: u64 = 30_000_000_000;

/// When rounds are due.
#[derive(Clone, Copy, Debug)]
pub struct Schedule {
    /// After so long, if anything has changed. None: never by time.
    pub every: Option<Duration>,
    /// After so many bytes of log, or half of the last snapshot if that is more. None: never by
    /// bytes.
    pub log_bytes: Option<u64>,
}

/// What is needed to write snapshots of a directory.
pub struct SnapshotSetting {
    pub snapshots: Snapshots,
    pub log_id: LogId,
    pub digest_key: [u8; 16],
    pub schedule: Schedule,
    pub feed: FeedRetention,
    /// The newest snapshot at the start, and the bytes of log behind it.
    pub last: Option<LastRound>,
    pub log_bytes_behind: u64,
}

/// A round that was published.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LastRound {
    pub position: Position,
    pub bytes: u64,
    pub at: Timestamp,
}

/// What is known of the rounds.
#[derive(Clone, Debug, Default)]
pub struct SnapshotStatus {
    pub last: Option<LastRound>,
    pub rounds: u64,
    pub failures: u64,
    pub is_running: bool,
}

/// The side of the snapshotter that others hold.
pub struct Snapshotter {
    wake: SyncSender<Due>,
    status: Arc<Mutex<SnapshotStatus>>,
}

/// Why the thread is woken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Due {
    /// Look whether a round is due.
    Look,
    /// Somebody asks for a round now.
    Asked,
}

/// The writers of a partition.
pub(super) struct Writers {
    pub(super) root: Handle<Root>,
    pub(super) businesses: Arc<Directory>,
    pub(super) log: Arc<dyn LogReader>,
    pub(super) follow_ups: Arc<FollowUpSignal>,
}

/// What runs on the thread.
struct Rounds {
    setting: SnapshotSetting,
    writers: Writers,
    queue: Arc<CommitQueue>,
    clock: Clock,
    status: Arc<Mutex<SnapshotStatus>>,
    payload_bytes_at_last: u64,
    position_at_last: Position,
    ended_at_ns: u64,
    failed_at_ns: Option<u64>,
}

impl Snapshotter {
    /// Starts the thread. It ends when the snapshotter is dropped; `rotten` hears of a digest that
    /// does not fit.
    pub(super) fn start(
        setting: SnapshotSetting,
        writers: Writers,
        queue: Arc<CommitQueue>,
        clock: Clock,
        rotten: watch::Sender<Option<Stopped>>,
    ) -> Self {
        let status = Arc::new(Mutex::new(SnapshotStatus {
            last: setting.last,
            ..SnapshotStatus::default()
        }));
        let (wake, woken) = sync_channel(1);
        let rounds = Rounds {
            position_at_last: setting.last.map_or(Position(0), |last| last.position),
            payload_bytes_at_last: 0,
            ended_at_ns: clock.monotonic_ns(),
            failed_at_ns: None,
            setting,
            writers,
            queue,
            clock,
            status: status.clone(),
        };
        let thread = std::thread::Builder::new().name("snapshotter".to_owned());
        let run = move || rounds.run(&woken, &rotten);
        drop(
            thread.spawn(run).expect("the operating system lets a process begin with its threads"),
        );
        actix::spawn(look_for_ever(wake.clone()));
        Self { wake, status }
    }

    /// Asks for a round now. One that runs already is as good.
    pub fn request(&self) {
        match self.wake.try_send(Due::Asked) {
            Ok(()) | Err(TrySendError::Disconnected(_)) => {}
            // A look is waiting: the thread is busy with a round, or about to look.
            Err(TrySendError::Full(_)) => {
                let wake = self.wake.clone();
                std::thread::spawn(move || wake.send(Due::Asked));
            }
        }
    }

    #[must_use]
    pub fn status(&self) -> SnapshotStatus {
        self.status.lock().clone()
    }
}

async fn look_for_ever(wake: SyncSender<Due>) {
    loop {
        tokio::time::sleep(LOOK_EVERY).await;
        if let Err(TrySendError::Disconnected(_)) = wake.try_send(Due::Look) {
            return;
        }
    }
}

impl Rounds {
    fn run(mut self, woken: &Receiver<Due>, rotten: &watch::Sender<Option<Stopped>>) {
        while let Ok(due) = woken.recv() {
            if due == Due::Look && !self.is_due() {
                continue;
            }
            self.status.lock().is_running = true;
            let began_ns = self.clock.monotonic_ns();
            let ended = self.round();
            self.ended_at_ns = self.clock.monotonic_ns();
            self.status.lock().is_running = false;
            match ended {
                Ok(last) => self.note_success(last, self.ended_at_ns - began_ns),
                Err(RoundError::Snapshot(error @ SnapshotError::Digest { .. })) => {
                    tracing::error!(%error, "memory and disk differ: the process stops");
                    rotten.send_replace(Some(Stopped::Rotten(Arc::new(error))));
                    return;
                }
                Err(error) => {
                    tracing::error!(%error, "a snapshot was not written; it is tried again");
                    self.failed_at_ns = Some(self.ended_at_ns);
                    self.status.lock().failures += 1;
                }
            }
        }
    }

    fn note_success(&mut self, last: LastRound, duration_ns: u64) {
        self.failed_at_ns = None;
        let mut status = self.status.lock();
        status.last = Some(last);
        status.rounds += 1;
        let took_ms = duration_ns / 1_000_000;
        tracing::info!(
            position = last.position.0,
            bytes = last.bytes,
            took_ms,
            "a snapshot was written"
        );
    }

    /// Bytes of log since the newest snapshot.
    fn log_bytes_behind(&self) -> u64 {
        let since_start = self.queue.counters().payload_bytes;
        self.setting.log_bytes_behind + since_start - self.payload_bytes_at_last
    }

    fn is_due(&self) -> bool {
        let now_ns = self.clock.monotonic_ns();
        if self.failed_at_ns.is_some_and(|failed_ns| now_ns - failed_ns < RETRY_AFTER_NS) {
            return false;
        }
        let behind = self.log_bytes_behind();
        let last_bytes = self.status.lock().last.map_or(0, |last| last.bytes);
        let by_bytes = self
            .setting
            .schedule
            .log_bytes
            .is_some_and(|bytes| behind >= bytes.max(last_bytes / 2));
        let by_time = self.setting.schedule.every.is_some_and(|every| {
            behind > 0 && u128::from(now_ns - self.ended_at_ns) >= every.as_nanos()
        });
        by_bytes || by_time
    }

    /// Takes, writes, reads back and publishes; then removes what nobody needs any more.
    fn round(&mut self) -> Result<LastRound, RoundError> {
        let (position, payload_bytes) = (self.queue.durable(), self.queue.counters().payload_bytes);
        let at = self.clock.now();
        let digest_key = self.setting.digest_key;
        let header = SnapshotHeader {
            log_id: self.setting.log_id,
            digest_key: DigestKey(digest_key),
            created: at,
            position,
        };
        let mut snapshot = self.setting.snapshots.begin(header).map_err(SnapshotError::from)?;
        let hold = self.writers.follow_ups.hold();
        let summaries = self.write_all(&mut snapshot)?;
        drop(hold);
        let written = snapshot.finish(&summaries).map_err(SnapshotError::from)?;
        verify(written.reader())?;
        let bytes = written.reader().length();
        written.publish().map_err(SnapshotError::from)?;
        self.payload_bytes_at_last = payload_bytes;
        self.setting.log_bytes_behind = 0;
        self.position_at_last = position;
        self.remove_unneeded(at).map_err(SnapshotError::from)?;
        Ok(LastRound { position, bytes, at })
    }

    /// Takes and writes one state after the other.
    fn write_all(&self, snapshot: &mut SnapshotWriter) -> Result<Vec<WriterSummary>, RoundError> {
        let mut summaries = Vec::new();
        let mut put = |taken: Taken| {
            let summary =
                write(snapshot, &self.setting.digest_key, &taken).map_err(SnapshotError::from)?;
            summaries.push(summary);
            Ok::<(), RoundError>(())
        };
        // The states of the very businesses that are written, and of no others: one that is made
        // after the root was taken begins with its first part in the log.
        let (root, ids) = take(&self.writers.root, |root, at| {
            let ids: Vec<BusinessId> = root.shown().load().keys().copied().collect();
            (Taken::whole(root, at, Root::encode_image), ids)
        })?;
        put(root)?;
        let businesses = self.writers.businesses.load_full();
        for id in ids {
            let business = businesses.get(&id).expect("the root's businesses have their writers");
            // The tables of the very catalog that is written: a snapshot alone must be whole.
            let (catalog, objects) = take(&business.catalog_handle, |catalog, at| {
                let objects = catalog.shown().load().objects.clone();
                (Taken::whole(catalog, at, Catalog::encode_image), objects)
            })?;
            put(catalog)?;
            put(take(&business.agenda_handle, |agenda, at| {
                Taken::whole(agenda, at, Agenda::encode_image)
            })?)?;
            for entry in objects.iter() {
                let table =
                    business.any_table(entry.id).expect("a catalog's objects have their tables");
                put(take(table.handle(), Taken::table)?)?;
            }
        }
        Ok(summaries)
    }

    fn remove_unneeded(&self, now: Timestamp) -> Result<(), StorageError> {
        let SnapshotSetting { snapshots, feed, .. } = &self.setting;
        let removed = remove_unneeded(&*self.writers.log, snapshots, *feed, now)?;
        if removed != Removed::default() {
            let (log_bytes, snapshots) = (removed.log_bytes, removed.snapshots.len());
            tracing::info!(log_bytes, snapshots, "what nobody needs any more was removed");
        }
        Ok(())
    }
}

/// Why a round ended without a snapshot.
#[derive(Debug, thiserror::Error)]
enum RoundError {
    #[error(transparent)]
    Snapshot(#[from] SnapshotError),
    #[error("a writer's queue was full, or the writers have ended")]
    Busy,
}

/// Lets a writer run `run` at a barrier, and waits for it.
fn take<S: State, T: Send + 'static>(
    handle: &Handle<S>,
    run: impl FnOnce(&mut S, Position) -> T + Send + 'static,
) -> Result<T, RoundError> {
    let (say, taken) = oneshot::channel();
    let is_sent = handle.at_barrier(move |state, position| {
        // A round that was given up does not listen any more.
        drop(say.send(run(state, position)));
    });
    if !is_sent {
        return Err(RoundError::Busy);
    }
    taken.blocking_recv().map_err(|_| RoundError::Busy)
}
