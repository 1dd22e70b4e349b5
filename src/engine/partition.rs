//! A partition while the process runs: one log, its committer, and the writers it carries. A value:
//! the process holds a list of them, today a list of one.

use crate::ambient::Clock;
use crate::engine::admission::AdmissionLimits;
use crate::engine::bootstrap::{Bootstrap, Founding};
use crate::engine::business::{Business, Directory, put_business};
use crate::engine::feed::{Born, Feed, FeedParts, TAIL_BYTES_MAX};
use crate::engine::follow_up::{FollowUpSignal, send_for_ever};
use crate::engine::meters::Meters;
use crate::engine::mirrors::{MirrorSignal, keep_for_ever, settle_all};
use crate::engine::outcome::OutcomeOptions;
use crate::engine::panic::abort_on_panic_here;
use crate::engine::placement::Placement;
use crate::engine::snapshot::SnapshotError;
use crate::engine::snapshotter::{SnapshotSetting, Snapshotter, Writers};
use crate::engine::starter::Starter;
use crate::engine::states::States;
use crate::engine::timed_log::TimedLog;
use crate::engine::writer::Handle;
use crate::model::id::{BusinessId, LogId, Position};
use crate::model::moment::Moment;
use crate::model::root::Root;
use crate::storage::committer::{
    CommitCounters, CommitOptions, CommitQueue, Committer, Seat, Wake,
};
use crate::storage::log::{AppendError, Log, LogReader};
use crate::storage::retention::FeedRetention;
use crate::storage::tail::{Tail, TailedLog};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;
use tokio::sync::{Notify, watch};

/// How often it is looked whether a burst is over and wants its seal.
const SEAL_AFTER: Duration = Duration::from_millis(50);

#[derive(Clone, Copy, Debug)]
pub struct PartitionOptions {
    /// Arbiters of the writers.
    pub arbiters: usize,
    /// Threads that search: one a core at most.
    pub search_threads: usize,
    pub admission: AdmissionLimits,
    pub commit: CommitOptions,
    pub feed: FeedRetention,
    pub outcomes: OutcomeOptions,
    /// How long a stream of rows can be resumed after its last use.
    pub stream_ttl: Duration,
}

/// What recovery gives: the states as of the log's end, and the log to go on with.
pub struct Recovered {
    pub states: States,
    pub log: Box<dyn Log>,
    pub log_id: LogId,
    /// The last frame of the log.
    pub last: Position,
    /// What a new directory begins with; looked at only if nothing has ever happened.
    pub bootstrap: Bootstrap,
    /// None: no snapshots are written.
    pub snapshots: Option<SnapshotSetting>,
}

/// What a partition takes from the engine around it.
pub(super) struct Surroundings {
    pub(super) clock: Clock,
    pub(super) seed: u64,
    pub(super) meters: Arc<Meters>,
}

/// How the committer has ended.
#[derive(Clone, Debug)]
pub enum Stopped {
    /// Everything is durable and sealed.
    Clean,
    /// A write or sync has failed: what waited is of unknown outcome.
    Failed(Arc<AppendError>),
    /// What memory holds is not what was written: the process must not go on.
    Rotten(Arc<SnapshotError>),
}

pub struct Partition {
    queue: Arc<CommitQueue>,
    log: Arc<dyn LogReader>,
    feed: Feed,
    follow_ups: Arc<FollowUpSignal>,
    root: Handle<Root>,
    businesses: Arc<Directory>,
    placement: Arc<Placement>,
    snapshotter: Option<Snapshotter>,
    stopped: watch::Receiver<Option<Stopped>>,
}

impl Partition {
    pub(super) async fn start(
        recovered: Recovered,
        options: PartitionOptions,
        surroundings: Surroundings,
    ) -> Self {
        let Surroundings { clock, seed, meters } = surroundings;
        let Recovered { mut states, log, log_id, last, bootstrap, snapshots } = recovered;
        let queue = CommitQueue::new(last, options.commit);
        let reader = log.reader();
        let log = Box::new(TimedLog::new(log, clock.clone(), meters.clone()));
        let tail = Tail::new(TAIL_BYTES_MAX);
        let log = Box::new(TailedLog::new(log, tail.clone()));
        let born = Arc::<Born>::default();
        let feed = Feed::start(FeedParts {
            log_id,
            log: reader.clone(),
            tail,
            retention: options.feed,
            clock: clock.clone(),
            born: born.clone(),
        });
        let (say, stopped) = watch::channel(None);
        run_committer(Committer::new(queue.clone(), log), say.clone());
        let placement = Arc::new(Placement::start(options.arbiters));
        if states.is_new() {
            let mut moment = Moment::new(seed, clock.now());
            found(&mut states, &queue, &bootstrap, &mut moment).await;
        }
        let starter = Arc::new(Starter {
            queue: queue.clone(),
            clock: clock.clone(),
            meters,
            placement: placement.clone(),
            setting: states.setting(),
            limits: options.admission,
            follow_ups: Arc::new(FollowUpSignal::default()),
            mirrors: Arc::new(MirrorSignal::default()),
            born,
            newest: states.newest,
            seed,
            started: AtomicU64::new(0),
        });
        let (root, businesses) = start_writers(&starter, states).await;
        actix::spawn(send_for_ever(businesses.clone(), starter.follow_ups.clone()));
        settle_all(&businesses, &starter.mirrors).await;
        actix::spawn(keep_for_ever(businesses.clone(), starter.mirrors.clone()));
        actix::spawn(seal_for_ever(queue.clone()));
        let snapshotter = snapshots.map(|setting| {
            let writers = Writers {
                root: root.clone(),
                businesses: businesses.clone(),
                log: reader.clone(),
                follow_ups: starter.follow_ups.clone(),
            };
            Snapshotter::start(setting, writers, queue.clone(), clock, say)
        });
        let follow_ups = starter.follow_ups.clone();
        Self {
            queue,
            log: reader,
            feed,
            follow_ups,
            root,
            businesses,
            placement,
            snapshotter,
            stopped,
        }
    }

    #[must_use]
    pub fn business(&self, id: BusinessId) -> Option<Arc<Business>> {
        self.businesses.load().get(&id).cloned()
    }

    /// All of them, archived ones too, in the order of their ids.
    #[must_use]
    pub fn businesses(&self) -> Vec<Arc<Business>> {
        let mut businesses: Vec<_> = self.businesses.load().values().cloned().collect();
        businesses.sort_by_key(|business| business.id());
        businesses
    }

    /// Rows that wait for its writers.
    #[must_use]
    pub fn rows_waiting(&self) -> usize {
        let of_businesses = self.businesses().into_iter().map(|business| business.rows_waiting());
        self.root.admission().rows() + of_businesses.sum::<usize>()
    }

    #[must_use]
    pub fn root(&self) -> &Handle<Root> {
        &self.root
    }

    /// The side of the log that reads and trims.
    #[must_use]
    pub fn log(&self) -> &Arc<dyn LogReader> {
        &self.log
    }

    /// Who has to be told of something.
    pub(super) fn follow_ups(&self) -> &FollowUpSignal {
        &self.follow_ups
    }

    /// What has happened in its tables.
    #[must_use]
    pub fn feed(&self) -> &Feed {
        &self.feed
    }

    /// The newest durable frame.
    #[must_use]
    pub fn durable(&self) -> Position {
        self.queue.durable()
    }

    #[must_use]
    pub fn counters(&self) -> CommitCounters {
        self.queue.counters()
    }

    /// Who writes snapshots, if anybody does.
    #[must_use]
    pub fn snapshotter(&self) -> Option<&Snapshotter> {
        self.snapshotter.as_ref()
    }

    #[must_use]
    pub fn queue(&self) -> &Arc<CommitQueue> {
        &self.queue
    }

    pub(super) async fn stopped(&self) -> Stopped {
        let mut stopped = self.stopped.clone();
        let found = stopped.wait_for(Option::is_some).await;
        let found = found.expect("the committer's thread says how it ended before it ends");
        found.clone().expect("it was waited for")
    }

    pub(super) async fn close(&self) -> Stopped {
        self.queue.close();
        let stopped = self.stopped().await;
        self.placement.stop();
        stopped
    }
}

fn run_committer(committer: Committer, say: watch::Sender<Option<Stopped>>) {
    let run = move || {
        abort_on_panic_here();
        let end = match committer.run() {
            Ok(()) => Stopped::Clean,
            Err(error) => Stopped::Failed(Arc::new(error)),
        };
        say.send_replace(Some(end));
    };
    let thread = std::thread::Builder::new().name("committer".to_owned()).spawn(run);
    drop(thread.expect("the operating system lets a process begin with its threads"));
}

struct ByNotify(Arc<Notify>);

impl Wake for ByNotify {
    fn wake(&self) {
        self.0.notify_one();
    }
}

/// Makes the first commit durable, then applies it.
async fn found(
    states: &mut States,
    queue: &CommitQueue,
    bootstrap: &Bootstrap,
    moment: &mut Moment,
) {
    let notify = Arc::new(Notify::new());
    let seat = Seat::new(Box::new(ByNotify(notify.clone())));
    let founding = Founding::begin(bootstrap, moment, queue, &seat);
    while queue.durable() < founding.position() {
        if queue.is_failed() {
            return; // The process ends with the committer's error.
        }
        notify.notified().await;
    }
    founding.apply(states);
}

/// Starts all writers, and waits until each has answered once.
async fn start_writers(starter: &Arc<Starter>, states: States) -> (Handle<Root>, Arc<Directory>) {
    let States { root, mut catalogs, mut agendas, mut tables, .. } = states;
    let directory = Arc::new(Directory::default());
    for info in root.shown().load().values() {
        let catalog = catalogs.remove(&info.id).expect("recovery has checked that it is there");
        let agenda = agendas.remove(&info.id).expect("recovery has checked that it is there");
        let own = catalog.shown().load_full().objects.clone();
        let own =
            own.iter().map(|entry| tables.remove(&entry.id).expect("recovery has checked it"));
        let business = starter.start_business(info.clone(), (catalog, agenda), own);
        business.started().await;
        put_business(&directory, business);
    }
    let root = starter.start_root(root, directory.clone());
    root.started().await;
    (root, directory)
}

/// Asks for a seal when nothing has become durable between two looks.
async fn seal_for_ever(queue: Arc<CommitQueue>) {
    let mut last = queue.durable();
    loop {
        tokio::time::sleep(SEAL_AFTER).await;
        let durable = queue.durable();
        if durable == last {
            queue.request_seal();
        }
        last = durable;
    }
}
