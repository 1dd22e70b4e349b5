//! The data directory, from the command line's side: opened, locked, recovered, and on a first
//! start given its credentials. Blocking.

use crate::ambient::{self, Clock};
use crate::cli::exit::Exit;
use crate::cli::failure::Failure;
use crate::config::{Bootstrap as Given, Settings};
use crate::engine::boot::{self, BootError, BootOptions, Booted};
use crate::engine::bootstrap::Bootstrap;
use crate::engine::snapshot::SnapshotError;
use crate::model::id::{BusinessId, LogId, UserId};
use crate::model::table::Limits;
use crate::storage::disk::{Disk, read_whole, write_whole};
use crate::storage::error::StorageError;
use crate::storage::frame::Salt;
use crate::storage::real_disk::{DirectoryLock, RealDisk};
use crate::storage::recovery;
use crate::storage::segment::{DigestKey, LogIds, SegmentOptions};
use crate::storage::segment_log::SegmentLog;
use serde::{Deserialize, Serialize};
use std::path::Path;
use std::sync::Arc;
use std::thread;
use tracing::{info, warn};
use uuid::Uuid;

/// What a first start writes for whoever is to use the server.
pub const BOOTSTRAP_FILE: &str = "bootstrap.json";

/// A directory that is ours until this is dropped, and everything that was in it.
pub(crate) struct OpenedData {
    pub(crate) disk: Arc<dyn Disk>,
    pub(crate) lock: DirectoryLock,
    pub(crate) booted: Booted,
    pub(crate) log: SegmentLog,
    pub(crate) bootstrap: Bootstrap,
    /// Nothing has ever happened here.
    pub(crate) is_first: bool,
}

/// The content of `bootstrap.json`.
#[derive(Deserialize, Serialize)]
struct BootstrapFile {
    api_key: String,
    business_id: Uuid,
    user_id: Uuid,
}

impl OpenedData {
    /// Opens, locks and recovers the data directory of the settings.
    pub(crate) fn open(settings: &Settings, clock: &Clock) -> Result<Self, Failure> {
        let started_ns = clock.monotonic_ns();
        let disk = RealDisk::open_or_create(&settings.data_dir)?;
        // Another format is refused before anything is touched, and before the lock.
        recovery::check_format(&disk)?;
        let lock = disk.lock()?;
        disk.make_private()?;
        let disk: Arc<dyn Disk> = Arc::new(disk);
        let options = boot_options(settings, clock)?;
        let mut booted = boot::recover(&disk, options)?;
        let is_first = booted.states.is_new();
        let bootstrap = if is_first {
            first_credentials(&*disk, &settings.bootstrap)?
        } else {
            let (api_key, none) = (String::new(), Uuid::nil());
            Bootstrap { api_key, business_id: BusinessId(none), user_id: UserId(none) }
        };
        let log = booted.storage.begin_log()?;
        report(&booted, (clock.monotonic_ns() - started_ns) / 1_000_000);
        Ok(Self { disk, lock, booted, log, bootstrap, is_first })
    }
}

/// Tells what recovery found and did, once.
fn report(booted: &Booted, took_ms: u64) {
    let found = booted.report();
    for (snapshot, error) in &found.rejected_snapshots {
        warn!(%snapshot, %error, "snapshot_rejected: an older one and the log were used instead");
    }
    if let Some(torn) = &found.torn {
        let (path, kept) =
            (torn.path.display(), torn.kept.as_deref().unwrap_or("nowhere: no room"));
        warn!(
            %path, offset = torn.offset, bytes = torn.bytes, position = torn.position.0, kept,
            "the last frame was torn; nobody was told that it is durable"
        );
    }
    if !found.removed.is_empty() {
        info!(files = ?found.removed, "files that nobody needs were removed");
    }
    let records: usize = booted.states.tables.values().map(|table| table.shown().ids.len()).sum();
    info!(
        recovered_position = found.recovered.0,
        records,
        frames = found.frames,
        log_bytes = found.bytes,
        took_ms,
        "recovered"
    );
}

fn boot_options(settings: &Settings, clock: &Clock) -> Result<BootOptions, Failure> {
    let mut bytes = [[0; 16]; 3];
    for random in &mut bytes {
        ambient::fill(random).map_err(no_entropy)?;
    }
    let [log_id, salt, digest_key] = bytes;
    Ok(BootOptions {
        new_ids: LogIds {
            log_id: LogId(uuid::Builder::from_random_bytes(log_id).into_uuid()),
            salt: Salt(salt),
            digest_key: DigestKey(digest_key),
        },
        now: clock.now(),
        segments: SegmentOptions {
            segment_bytes: settings.segment_bytes,
            ..SegmentOptions::default()
        },
        limits: Limits {
            record_bytes_max: settings.record_max,
            commit_bytes_max: settings.commit_bytes_max,
        },
        threads: thread::available_parallelism().map_or(1, usize::from),
    })
}

/// The credentials of a first start, durable before anything else is.
///
/// If the file is there beside an empty log, an earlier first start was cut short: it may have
/// been read already, so its values are taken again, whatever the environment says now.
pub fn first_credentials(disk: &dyn Disk, given: &Given) -> Result<Bootstrap, Failure> {
    if disk.list()?.iter().any(|name| name == BOOTSTRAP_FILE) {
        let bytes = read_whole(disk, BOOTSTRAP_FILE)?;
        let file: BootstrapFile = serde_json::from_slice(&bytes).map_err(|error| {
            let what =
                format!("{} is not what a first start writes", disk.path(BOOTSTRAP_FILE).display());
            let way_out = "remove it, and the next start makes new credentials";
            Failure::new(Exit::DataUnusable, "bootstrap_unreadable", what, way_out).because(error)
        })?;
        return Ok(file.into());
    }
    let api_key = match &given.api_key {
        Some(secret) => secret.reveal().to_owned(),
        None => ambient::api_key_secret().map_err(no_entropy)?,
    };
    let bootstrap = Bootstrap {
        api_key,
        business_id: given.business_id.map_or_else(|| random_id().map(BusinessId), Ok)?,
        user_id: given.user_id.map_or_else(|| random_id().map(UserId), Ok)?,
    };
    let file = BootstrapFile {
        api_key: bootstrap.api_key.clone(),
        business_id: bootstrap.business_id.0,
        user_id: bootstrap.user_id.0,
    };
    let mut text = serde_json::to_vec_pretty(&file).expect("three texts serialise");
    text.push(b'\n');
    write_whole(disk, BOOTSTRAP_FILE, &text)?;
    info!(file = %disk.path(BOOTSTRAP_FILE).display(), "credentials of the first start were written");
    Ok(bootstrap)
}

impl From<BootstrapFile> for Bootstrap {
    fn from(file: BootstrapFile) -> Self {
        Self {
            api_key: file.api_key,
            business_id: BusinessId(file.business_id),
            user_id: UserId(file.user_id),
        }
    }
}

/// Where the credentials of a first start are.
pub(crate) fn bootstrap_path(data_dir: &Path) -> std::path::PathBuf {
    data_dir.join(BOOTSTRAP_FILE)
}

fn random_id() -> Result<Uuid, Failure> {
    let mut bytes = [0; 16];
    ambient::fill(&mut bytes).map_err(no_entropy)?;
    Ok(uuid::Builder::from_random_bytes(bytes).into_uuid())
}

pub(crate) fn no_entropy(error: ambient::EntropyError) -> Failure {
    let what = "no random bytes were to be had".to_owned();
    Failure::new(Exit::Bug, "no_entropy", what, "check the system's random device").because(error)
}

impl From<StorageError> for Failure {
    fn from(error: StorageError) -> Self {
        let way_out = error.way_out().to_string();
        let (exit, code) = match &error {
            StorageError::Io { .. } | StorageError::Poisoned { .. } => {
                (Exit::StorageFailed, "storage_failed")
            }
            StorageError::Damaged(_) => (Exit::DataUnusable, "data_damaged"),
            StorageError::Incomplete { .. } | StorageError::Trimmed { .. } => {
                (Exit::DataUnusable, "data_incomplete")
            }
            StorageError::OtherFormat { .. } => (Exit::DataUnusable, "data_of_another_format"),
            StorageError::InUse { .. } => (Exit::DataDirectoryInUse, "data_directory_in_use"),
            StorageError::NotPrivate { .. } => {
                (Exit::SettingsInvalid, "data_directory_not_private")
            }
            StorageError::NotEmpty { .. } => (Exit::WrongUsage, "directory_not_empty"),
            StorageError::SnapshotInProgress => (Exit::Findings, "snapshot_in_progress"),
        };
        Self::new(exit, code, "the data cannot be used".to_owned(), way_out).because(error)
    }
}

impl From<SnapshotError> for Failure {
    fn from(error: SnapshotError) -> Self {
        if let SnapshotError::Storage(error) = error {
            return error.into();
        }
        unusable().because(error)
    }
}

impl From<BootError> for Failure {
    fn from(error: BootError) -> Self {
        match error {
            BootError::Storage(error) => error.into(),
            BootError::Snapshot(error) => error.into(),
            BootError::Event { .. } | BootError::Incomplete { .. } => unusable().because(error),
        }
    }
}

/// Checksums are right and yet the content does not fit.
fn unusable() -> Failure {
    Failure::new(
        Exit::DataUnusable,
        "data_unusable",
        "the data cannot be used".to_owned(),
        "start the version of upsertd that wrote it, or restore a snapshot: \
         upsertd restore SNAPSHOT --data-dir NEW",
    )
}
