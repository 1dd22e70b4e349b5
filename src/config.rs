//! The settings: file, then environment, then flags; checked once, then taken apart into the
//! options of each layer.
//!
//! It must not know how an error is shown, nor start anything.

pub mod setting;
pub mod source;
pub mod unit;

use crate::config::setting::Setting;
use crate::config::source::{
    BOOTSTRAP_API_KEY, BOOTSTRAP_BUSINESS_ID, BOOTSTRAP_USER_ID, LOG, SettingFault, SettingsFile,
    Sources, Spelling,
};
use crate::config::unit::{Expected, Secret};
use crate::engine::turn::ROWS_PER_TURN;
use crate::http::identity::OperatorKey;
use crate::http::options::{
    AnswerOptions, BatchLimits, BodyLimits, ConnectionLimits, Options as HttpOptions,
};
use crate::http::rate_limit::RatePolicy;
use crate::model::id::{BusinessId, UserId};
use crate::storage::committer::COMMIT_BYTES_MAX;
use actix_web::http::StatusCode;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::thread;
use std::time::Duration;
use tracing_subscriber::EnvFilter;

/// All settings, checked.
#[derive(Clone, Debug)]
pub struct Settings {
    pub data_dir: PathBuf,
    pub listen: SocketAddr,
    /// Whether everybody who reaches the port may read the metrics, if others than this machine can.
    pub metrics_public: bool,
    pub openapi_public: bool,
    pub operator_key: Option<OperatorKey>,
    pub public_url: Option<String>,
    pub log_format: LogFormat,
    /// Directives of what is logged.
    pub log_filter: String,
    pub shutdown_wait: Duration,
    /// None: never by time.
    pub snapshot_every: Option<Duration>,
    /// None: never by size of the log.
    pub snapshot_log_bytes: Option<u64>,
    pub segment_bytes: u64,
    pub feed_retention: Duration,
    pub feed_retention_bytes: u64,
    /// None: a share of what the machine has.
    pub memory_max: Option<u64>,
    pub disk_reserve_bytes: u64,
    pub read_only: bool,
    pub http_workers: usize,
    pub connections_max: usize,
    pub connections_per_peer_max: Option<usize>,
    pub idle_timeout: Duration,
    pub body_timeout: Duration,
    pub json_body_max: usize,
    pub body_bytes_max: usize,
    pub line_max: usize,
    pub batch_rows_max: usize,
    pub atomic_rows_max: usize,
    pub stream_window: usize,
    pub record_max: usize,
    pub commit_bytes_max: usize,
    pub queue_max: usize,
    pub search_timeout: Duration,
    pub idempotency_ttl: Duration,
    pub stream_ttl: Duration,
    pub idempotency_bytes_max: usize,
    pub rate_limit: Option<RatePolicy>,
    pub upsert_created_status: StatusCode,
    pub add_status: StatusCode,
    pub archived_conflict_status: StatusCode,
    pub bootstrap: Bootstrap,
}

/// What the first start on a new directory takes instead of making it up.
#[derive(Clone, Debug, Default)]
pub struct Bootstrap {
    pub api_key: Option<Secret>,
    pub business_id: Option<BusinessId>,
    pub user_id: Option<UserId>,
}

/// How log lines look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// Text on a terminal, JSON elsewhere.
    Auto,
    Text,
    Json,
}

/// Settings that cannot be started with: all that is wrong with them, at once.
#[derive(Debug, thiserror::Error)]
#[error("the settings are invalid")]
pub struct SettingsError {
    /// At least one.
    pub faults: Vec<SettingFault>,
    /// The file that spans point into.
    pub file: Option<SettingsFile>,
}

/// Checked settings, and what the operator should know about them.
#[derive(Debug)]
pub struct Checked {
    pub settings: Settings,
    /// To be logged.
    pub warnings: Vec<String>,
}

/// A record may be encoded in so many bytes at most.
const RECORD_BYTES_MAX: usize = 2 * 1024 * 1024;

/// Rows of one request that are kept in memory with their results.
const ROWS_MAX: usize = 1_000_000;

/// Rows that one table decides without letting anybody else have a turn: about 40 ms.
const ATOMIC_ROWS_MAX: usize = 10_000;

/// What actix takes.
const WORKERS_MAX: usize = 512;

impl Settings {
    /// Checks everything that was given.
    pub fn check(mut sources: Sources) -> Result<Checked, SettingsError> {
        let mut reader = Reader { sources: &sources, faults: Vec::new() };
        let settings = reader.settings();
        reader.check_together(&settings);
        let mut faults = reader.faults;
        sources.faults.append(&mut faults);
        if sources.faults.is_empty() {
            return Ok(Checked { settings, warnings: sources.warnings });
        }
        Err(SettingsError { faults: sources.faults, file: sources.file })
    }

    /// The options of the HTTP edge.
    #[must_use]
    pub fn http(&self) -> HttpOptions {
        HttpOptions {
            listen: self.listen,
            workers: self.http_workers,
            shutdown_wait: self.shutdown_wait,
            limits: ConnectionLimits {
                connections_max: self.connections_max,
                connections_per_peer_max: self.connections_per_peer_max,
                idle_timeout: self.idle_timeout,
            },
            bodies: BodyLimits {
                json_bytes_max: self.json_body_max,
                all_bytes_max: self.body_bytes_max,
                timeout: self.body_timeout,
            },
            batches: BatchLimits {
                rows_max: self.batch_rows_max,
                atomic_rows_max: self.atomic_rows_max,
                line_bytes_max: self.line_max,
                window_rows: self.stream_window,
            },
            answers: AnswerOptions {
                upsert_created: self.upsert_created_status,
                added: self.add_status,
                archived_conflict: self.archived_conflict_status,
                public_url: self.public_url.clone(),
            },
            search_timeout: self.search_timeout,
            rate_limit: self.rate_limit,
            openapi_public: self.openapi_public,
            serves_metrics: self.metrics_public || self.listen.ip().is_loopback(),
            operator_key: self.operator_key.clone(),
        }
    }
}

/// Reads one setting after the other and goes on after a fault.
struct Reader<'a> {
    sources: &'a Sources,
    faults: Vec<SettingFault>,
}

impl Reader<'_> {
    /// The value that was given, or the default of the table.
    fn read<T>(&mut self, name: &'static str, parse: impl Fn(&str) -> Result<T, Expected>) -> T {
        let given = self.given(name, &parse);
        given.unwrap_or_else(|| {
            let setting = Setting::of_name(name).expect("only settings of the table are read");
            let default = setting.default.expect("a setting without a default is optional");
            parse(default).expect("defaults are valid")
        })
    }

    /// The value that was given, if any was and it is valid.
    fn given<T>(&mut self, name: &str, parse: impl Fn(&str) -> Result<T, Expected>) -> Option<T> {
        let given = self.sources.values.get(name)?;
        match parse(&given.text) {
            Ok(value) => Some(value),
            Err(expected) => {
                // The value itself is not repeated: it may be a secret.
                let message = format!("expected {expected}");
                self.faults.push(SettingFault { spelling: given.spelling.clone(), message });
                None
            }
        }
    }

    fn settings(&mut self) -> Settings {
        let status = |number: u16| StatusCode::from_u16(number).expect("two known statuses");
        let created = |text: &str| unit::either(200, 201)(text).map(status);
        Settings {
            data_dir: self.read("data-dir", |text| Ok(PathBuf::from(text))),
            listen: self.read("listen", unit::socket_address),
            metrics_public: self.read("metrics-public", unit::boolean),
            openapi_public: self.read("openapi-public", unit::boolean),
            operator_key: self.given("operator-key", unit::operator_key),
            public_url: self.given("public-url", unit::origin),
            log_format: self.read("log-format", log_format),
            log_filter: self.given(LOG, log_filter).unwrap_or_else(|| "info".to_owned()),
            shutdown_wait: self.read("shutdown-wait", unit::duration),
            snapshot_every: self.read("snapshot-every", unit::or_off(unit::duration)),
            snapshot_log_bytes: self.read("snapshot-log-bytes", unit::or_off(unit::bytes)),
            segment_bytes: self.read("segment-bytes", unit::bytes),
            feed_retention: self.read("feed-retention-days", unit::duration),
            feed_retention_bytes: self.read("feed-retention-bytes", unit::bytes),
            memory_max: self.given("memory-max", unit::bytes),
            disk_reserve_bytes: self.read("disk-reserve-bytes", unit::bytes),
            read_only: self.read("read-only", unit::boolean),
            http_workers: self
                .given("http-workers", unit::whole(1, WORKERS_MAX))
                .unwrap_or_else(half_the_cores),
            connections_max: self.read("connections-max", unit::whole(1, usize::MAX)),
            connections_per_peer_max: self
                .read("connections-per-peer-max", unit::or_off(unit::whole(1, usize::MAX))),
            idle_timeout: self.read("idle-timeout", unit::duration),
            body_timeout: self.read("body-timeout", unit::duration),
            json_body_max: self.read("json-body-max", unit::bytes_in_memory),
            body_bytes_max: self.read("body-bytes-max", unit::bytes_in_memory),
            line_max: self.read("line-max", unit::bytes_in_memory),
            batch_rows_max: self.read("batch-rows-max", unit::whole(1, ROWS_MAX)),
            atomic_rows_max: self.read("atomic-rows-max", unit::whole(1, ATOMIC_ROWS_MAX)),
            stream_window: self.read("stream-window", unit::whole(ROWS_PER_TURN, ROWS_MAX)),
            record_max: self.read("record-max", record_max),
            commit_bytes_max: self.read("commit-bytes-max", commit_bytes_max),
            queue_max: self.read("queue-max", unit::whole(1, usize::MAX)),
            search_timeout: self.read("search-timeout", unit::duration),
            idempotency_ttl: self.read("idempotency-ttl", unit::duration),
            stream_ttl: self.read("stream-ttl", unit::duration),
            idempotency_bytes_max: self.read("idempotency-bytes-max", unit::bytes_in_memory),
            rate_limit: self.given("rate-limit", rate),
            upsert_created_status: self.read("upsert-created-status", created),
            add_status: self.read("add-status", created),
            archived_conflict_status: self
                .read("archived-conflict-status", |text| unit::either(409, 400)(text).map(status)),
            bootstrap: Bootstrap {
                api_key: self.given(BOOTSTRAP_API_KEY, unit::api_key),
                business_id: self.given(BOOTSTRAP_BUSINESS_ID, |text| {
                    BusinessId::parse(text).ok_or_else(uuid_expected)
                }),
                user_id: self
                    .given(BOOTSTRAP_USER_ID, |text| UserId::parse(text).ok_or_else(uuid_expected)),
            },
        }
    }

    /// Rules between two settings; the fault is put where somebody has written one of them.
    fn check_together(&mut self, settings: &Settings) {
        let larger = |name, limit| format!("is larger than {name}, which is {limit} bytes");
        let too_large = [
            (
                settings.json_body_max > settings.body_bytes_max,
                ["json-body-max", "body-bytes-max"],
                larger("body-bytes-max", settings.body_bytes_max),
            ),
            (
                settings.record_max > settings.commit_bytes_max,
                ["record-max", "commit-bytes-max"],
                larger("commit-bytes-max", settings.commit_bytes_max),
            ),
        ];
        for (_, [name, limit], message) in too_large.into_iter().filter(|(broken, ..)| *broken) {
            let values = &self.sources.values;
            let spelling = match (values.get(name), values.get(limit)) {
                (Some(given), _) => given.spelling.clone(),
                // The default is larger than the limit that was given.
                (None, Some(given)) => {
                    let message = format!("is smaller than {name}");
                    self.faults.push(SettingFault { spelling: given.spelling.clone(), message });
                    continue;
                }
                (None, None) => Spelling::Flag(format!("--{name}")),
            };
            self.faults.push(SettingFault { spelling, message });
        }
    }
}

fn uuid_expected() -> Expected {
    "a UUID with hyphens".to_owned()
}

fn log_format(text: &str) -> Result<LogFormat, Expected> {
    match text {
        "auto" => Ok(LogFormat::Auto),
        "text" => Ok(LogFormat::Text),
        "json" => Ok(LogFormat::Json),
        _ => Err("auto, text or json".to_owned()),
    }
}

fn log_filter(text: &str) -> Result<String, Expected> {
    let expected = |_| "a level (error, warn, info, debug, trace) or directives".to_owned();
    EnvFilter::try_new(text).map(|_| text.to_owned()).map_err(expected)
}

/// Requests and the time in which so many may come.
fn rate(text: &str) -> Result<RatePolicy, Expected> {
    let read = || {
        let (quota, window) = text.split_once('/')?;
        let quota = unit::whole(1, u32::MAX as usize)(quota).ok()?;
        let quota = u32::try_from(quota).expect("it was checked");
        Some(RatePolicy { quota, window: unit::duration(window).ok()? })
    };
    read().ok_or_else(|| "a number of requests and a time, such as 600/60s".to_owned())
}

fn record_max(text: &str) -> Result<usize, Expected> {
    let bytes = unit::bytes_in_memory(text)?;
    if bytes > RECORD_BYTES_MAX { Err("at most 2MiB".to_owned()) } else { Ok(bytes) }
}

/// The storage layer takes no longer commit, whatever the setting says.
fn commit_bytes_max(text: &str) -> Result<usize, Expected> {
    let bytes = unit::bytes_in_memory(text)?;
    if bytes > COMMIT_BYTES_MAX { Err("at most 8MiB".to_owned()) } else { Ok(bytes) }
}

/// The other half is for the writers and the committer.
fn half_the_cores() -> usize {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    (cores / 2).clamp(1, WORKERS_MAX)
}

#[cfg(test)]
mod tests;
