//! One name that many clients upsert at once, over many crashes.
//!
//! Every write says something new, so each answered version has one note for ever: a version that
//! is answered twice was taken back in between.

use crate::support::{Client, Request, field_value, text};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::{Mutex, PoisonError};

pub(crate) struct SharedName {
    name: &'static str,
    history: Mutex<History>,
}

#[derive(Default)]
struct History {
    id: Option<String>,
    /// The note of each answered version.
    answered: BTreeMap<u64, String>,
    /// Notes that were sent since the last crash and not answered.
    unanswered: BTreeSet<String>,
    /// The newest version that was seen after a crash.
    settled: u64,
}

impl SharedName {
    pub(crate) const OBJECT: &str = "accounts";

    pub(crate) fn new(name: &'static str) -> Self {
        Self { name, history: Mutex::default() }
    }

    /// Upserts the name with a note that nobody else ever writes.
    pub(crate) fn write(&self, client: &mut Client, note: &str) -> io::Result<()> {
        self.with(|history| history.unanswered.insert(note.to_owned()));
        let body = json!({"lookup_value": self.name, "fields": {"note": note}});
        let request = Request::new("POST", "/api/records/accounts/upsert").json(&body);
        let record = client.try_send(&request)?.expect(200);
        let version = record["version"].as_u64().expect("a version is a number");
        self.with(|history| {
            history.unanswered.remove(note);
            let id = history.id.get_or_insert_with(|| text(&record, "id").to_owned());
            assert_eq!(record["id"], **id, "one name has two records");
            assert!(version > history.settled, "version {version} was seen before the crash");
            let other = history.answered.insert(version, note.to_owned());
            assert_eq!(other, None, "version {version} was answered twice");
        });
        Ok(())
    }

    /// Asserts that nothing answered is lost and nothing unasked is there.
    pub(crate) fn settle(&self, client: &mut Client) {
        let answer = client.get(&format!("/api/records/accounts/lookup?identifier={}", self.name));
        self.with(|history| {
            let unanswered = std::mem::take(&mut history.unanswered);
            let newest = history.answered.last_key_value().map(|(version, note)| (*version, note));
            if answer.status == 404 {
                assert!(newest.is_none(), "{answer}, but {newest:?} was answered");
                return;
            }
            let record = answer.expect(200);
            let version = record["version"].as_u64().expect("a version is a number");
            let note = field_value(&record, "note").and_then(Value::as_str).expect("a note");
            let (answered, last) =
                newest.map_or((0, None), |(version, note)| (version, Some(note)));
            let floor = answered.max(history.settled);
            assert!(version >= floor, "{record} is older than version {floor}");
            let extra = version - floor;
            let possible = u64::try_from(unanswered.len()).expect("a count fits 64 bits");
            assert!(extra <= possible, "{extra} versions more, but {possible} requests unanswered");
            if version == answered {
                assert_eq!(Some(note), last.map(|note| &**note), "{record}");
            } else if extra > 0 {
                assert!(unanswered.contains(note), "{record} was never asked for");
            }
            history.id.get_or_insert_with(|| text(&record, "id").to_owned());
            history.settled = version;
        });
    }

    pub(crate) fn id(&self) -> Option<String> {
        self.with(|history| history.id.clone())
    }

    fn with<T>(&self, act: impl FnOnce(&mut History) -> T) -> T {
        act(&mut self.history.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
