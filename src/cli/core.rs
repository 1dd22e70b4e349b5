//! What stands behind the HTTP edge, as the process needs it: the one place where the engine is
//! opened, watched and closed.

use crate::ambient::{self, Clock};
use crate::cli::data::{OpenedData, bootstrap_path, no_entropy};
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::cli::welcome::FirstStart;
use crate::config::{Settings, unit};
use crate::engine::admission::AdmissionLimits;
use crate::engine::outcome::OutcomeOptions;
use crate::engine::partition::{PartitionOptions, Recovered, Stopped};
use crate::engine::pulse::{self, PulseOptions};
use crate::engine::snapshotter::{Schedule, SnapshotSetting};
use crate::engine::{Engine, ReadOnly};
use crate::http::app::Resources;
use crate::http::caller::Caller;
use crate::http::identity::Authenticate;
use crate::http::routes;
use crate::storage::committer::CommitOptions;
use crate::storage::retention::FeedRetention;
use crate::storage::snapshot::Snapshots;
use futures_util::future::{self, LocalBoxFuture};
use std::sync::Arc;
use std::thread;

/// Commands that wait for one object hold at most so many bytes of bodies.
const QUEUE_BYTES_MAX: usize = 64 << 20;

/// An opened data directory with everything that works on it.
pub(crate) struct Core {
    pub(crate) engine: Arc<Engine>,
    pub(crate) authenticate: Authenticate,
    pub(crate) resources: Resources,
    /// Set on the first start on a new directory.
    pub(crate) first_start: Option<FirstStart>,
    /// Resolves when a write or sync has failed; all waiters have their answer by then.
    pub(crate) failed: LocalBoxFuture<'static, Failure>,
    /// Makes everything durable and seals the log; called once, after the last request.
    pub(crate) close: Box<dyn FnOnce() -> LocalBoxFuture<'static, Result<(), Failure>>>,
}

impl Core {
    /// Opens the data directory; when this returns, recovery is complete.
    pub(crate) async fn open(settings: &Settings) -> Result<Self, Failure> {
        let clock = Clock::system();
        let opened = {
            let (settings, clock) = (settings.clone(), clock.clone());
            // Damage or a bug that panics must end the start, not the thread alone.
            let opening = tokio::task::spawn_blocking(move || OpenedData::open(&settings, &clock));
            opening.await.map_err(recovery_panicked)??
        };
        let seed = ambient::seed().map_err(no_entropy)?;
        let seed = u64::from_le_bytes(*seed.first_chunk().expect("a seed has 32 bytes"));
        let first_start = opened.is_first.then(|| first_start(settings, &opened));
        let OpenedData { disk, lock, booted, log, bootstrap, .. } = opened;
        let snapshots = SnapshotSetting {
            snapshots: Snapshots::new(disk.clone()),
            log_id: booted.storage.ids().log_id,
            digest_key: booted.storage.ids().digest_key.0,
            schedule: Schedule {
                every: settings.snapshot_every,
                log_bytes: settings.snapshot_log_bytes,
            },
            feed: feed_retention(settings),
            last: booted.last_snapshot,
            log_bytes_behind: booted.log_bytes_behind,
        };
        let recovered = Recovered {
            last: booted.storage.last(),
            states: booted.states,
            log: Box::new(log),
            log_id: booted.storage.ids().log_id,
            bootstrap,
            snapshots: Some(snapshots),
        };
        let engine = Engine::start(recovered, partition_options(settings), clock, seed).await;
        if settings.read_only {
            engine.set_read_only(Some(ReadOnly::Setting));
        } else {
            actix_web::rt::spawn(pulse::beat_for_ever(
                engine.clone(),
                disk,
                pulse_options(settings),
            ));
        }
        let find = engine.clone();
        let authenticate = Authenticate::new(move |credentials, extensions| {
            Caller::admit(&find, credentials, extensions)
        });
        let (watched, closed) = (engine.clone(), engine.clone());
        Ok(Self {
            authenticate,
            resources: routes::resources(engine.clone(), settings.http()),
            engine,
            first_start,
            failed: Box::pin(async move { failure_of(watched.failed().await).await }),
            close: Box::new(move || {
                Box::pin(async move {
                    let stopped = closed.close().await;
                    drop(lock);
                    match stopped {
                        Stopped::Clean => Ok(()),
                        Stopped::Failed(_) | Stopped::Rotten(_) => Err(failure_of(stopped).await),
                    }
                })
            }),
        })
    }
}

fn first_start(settings: &Settings, opened: &OpenedData) -> FirstStart {
    let api_key = unit::api_key(&opened.bootstrap.api_key);
    FirstStart {
        bootstrap_file: bootstrap_path(&settings.data_dir),
        api_key: api_key.expect("the secret was made by the rule, or checked by it"),
        business_id: opened.bootstrap.business_id,
        user_id: opened.bootstrap.user_id,
    }
}

fn partition_options(settings: &Settings) -> PartitionOptions {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    PartitionOptions {
        arbiters: cores,
        search_threads: cores,
        admission: AdmissionLimits { rows_max: settings.queue_max, bytes_max: QUEUE_BYTES_MAX },
        commit: CommitOptions::default(),
        feed: feed_retention(settings),
        outcomes: OutcomeOptions {
            ttl: settings.idempotency_ttl,
            bytes_max: settings.idempotency_bytes_max,
        },
        stream_ttl: settings.stream_ttl,
    }
}

fn feed_retention(settings: &Settings) -> FeedRetention {
    FeedRetention {
        age_ms: i64::try_from(settings.feed_retention.as_millis()).unwrap_or(i64::MAX),
        bytes: settings.feed_retention_bytes,
    }
}

fn pulse_options(settings: &Settings) -> PulseOptions {
    PulseOptions {
        disk_reserve_bytes: settings.disk_reserve_bytes,
        memory_bytes_max: settings.memory_max.or_else(pulse::share_of_the_machine),
    }
}

/// Waits for ever where nothing has failed.
async fn failure_of(stopped: Stopped) -> Failure {
    match stopped {
        Stopped::Clean => future::pending().await,
        Stopped::Failed(error) => {
            let what =
                "a write or sync of the log has failed, so nothing more is acknowledged".to_owned();
            let way_out = "check the disk, then start again: everything that was acknowledged is on it; \
                           what was answered outcome_unknown happened or not";
            Failure::new(Exit::StorageFailed, "log_failed", what, way_out).because(error)
        }
        Stopped::Rotten(error) => {
            let what = "memory does not hold what it should: a bug, or failing memory".to_owned();
            let way_out = "start again, which reads everything from the log; check the machine's \
                           memory, and report this with the log lines before it";
            Failure::new(Exit::Bug, "memory_rotten", what, way_out).because(error)
        }
    }
}

fn recovery_panicked(error: tokio::task::JoinError) -> Failure {
    let what = "recovery has met something that cannot be".to_owned();
    let way_out = "report this with the log lines before it, and restore a snapshot: \
                   upsertd restore SNAPSHOT --data-dir NEW";
    Failure::new(Exit::Bug, "recovery_panicked", what, way_out).because(error)
}
