//! The tape: every frame that was ever handed to the log, kept outside of the simulated machine.
//!
//! What a directory still tells must be what stands here, and replaying it from the first frame
//! must give what recovery gives. It knows no file and none of the model's rules.

use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::sync::Arc;
use upsertd::engine::states::States;
use upsertd::model::id::{Position, WriterId};
use upsertd::model::state::State;
use upsertd::model::table::Setting;
use upsertd::model::table::digest::item_hash;
use upsertd::storage::error::StorageError;
use upsertd::storage::log::{AppendError, Log, LogReader};
use upsertd::storage::part::{Part, parts};

/// The digest of each state.
pub(crate) type Digests = BTreeMap<WriterId, u128>;

/// The frames that were handed to the log, by position. Clones are the same tape.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tape(Arc<Mutex<BTreeMap<Position, Vec<u8>>>>);

impl Tape {
    /// A log that notes on this tape what it is about to append.
    pub(crate) fn record(&self, log: Box<dyn Log>) -> Box<dyn Log> {
        Box::new(Recorded { log, tape: self.clone() })
    }

    /// A tape of its own that goes on from what stands here.
    pub(crate) fn fork(&self) -> Self {
        Self(Arc::new(Mutex::new(self.0.lock().clone())))
    }

    /// The newest position that was ever written.
    pub(crate) fn last(&self) -> Position {
        self.0.lock().last_key_value().map_or(Position(0), |(position, _)| *position)
    }

    /// Whether the frame is a seal.
    pub(crate) fn is_seal(&self, position: Position) -> bool {
        self.0.lock().get(&position).is_some_and(Vec::is_empty)
    }

    /// Forgets what a crash took.
    pub(crate) fn cut_after(&self, last: Position) {
        assert!(last <= self.last(), "position {last} was found, and never written");
        self.0.lock().retain(|position, _| *position <= last);
    }

    /// Keeps of each state what a snapshot has of it: what a restored log stands for.
    pub(crate) fn cut_to_snapshot(&self, positions: &BTreeMap<WriterId, Position>) {
        for (position, payload) in self.0.lock().iter_mut() {
            let mut kept = Vec::new();
            for part in parts(payload) {
                let part = part.expect("only whole parts are appended");
                if positions.get(&part.writer).is_some_and(|last| position <= last) {
                    part.encode(&mut kept);
                }
            }
            *payload = kept;
        }
    }

    /// Compares the frames that a log still has with those that were written. False: it cannot be
    /// read.
    pub(crate) fn check(&self, log: &dyn LogReader) -> Result<bool, String> {
        let first = log.segments().first().map_or(Position(1), |segment| segment.first);
        let Ok(found) = log.read(Position(first.0 - 1), usize::MAX) else { return Ok(false) };
        let written = self.0.lock();
        let expected: Vec<_> = written.range(first..).collect();
        if found.len() != expected.len() {
            return Err(format!("{} frames were read, {} written", found.len(), expected.len()));
        }
        for (frame, (position, payload)) in found.iter().zip(expected) {
            if (frame.position, &frame.payload) != (*position, payload) {
                return Err(format!("frame {position} is not what was written"));
            }
        }
        Ok(true)
    }

    /// Every part from the first frame on.
    pub(crate) fn each_part(&self, mut each: impl FnMut(Position, &Part<'_>)) {
        for (position, payload) in self.0.lock().iter() {
            for part in parts(payload) {
                each(*position, &part.expect("only whole parts are appended"));
            }
        }
    }

    /// What replaying everything from the first frame on gives.
    pub(crate) fn replay(&self, setting: Setting) -> Result<Digests, String> {
        let mut states = States::empty(setting);
        let mut misfit = None;
        self.each_part(|position, part| {
            if misfit.is_none()
                && let Err(error) = states.replay(position, part)
            {
                misfit = Some(format!("replaying position {position}: {error}"));
            }
        });
        match misfit {
            Some(misfit) => Err(misfit),
            None => Ok(digests(&mut states)),
        }
    }
}

fn digests(states: &mut States) -> Digests {
    let mut digests = Digests::new();
    let key = states.setting().digest_key;
    let mut put =
        |writer: WriterId, content: &[u8]| digests.insert(writer, item_hash(&key, content));
    let mut content = Vec::new();
    states.root.encode_image(&mut content);
    put(WriterId::Root, &content);
    for catalog in states.catalogs.values() {
        content.clear();
        catalog.encode_image(&mut content);
        put(catalog.writer(), &content);
    }
    for agenda in states.agendas.values() {
        content.clear();
        agenda.encode_image(&mut content);
        put(agenda.writer(), &content);
    }
    for table in states.tables.values_mut() {
        let image = table.open_image(Position(0));
        digests.insert(table.writer(), image.digest(&image.encode_state()));
    }
    digests
}

/// A log that is recorded.
struct Recorded {
    log: Box<dyn Log>,
    tape: Tape,
}

impl Log for Recorded {
    fn append(&mut self, expected: Position, payload: &[u8]) -> Result<Position, AppendError> {
        self.tape.0.lock().insert(expected.next(), payload.to_vec());
        self.log.append(expected, payload)
    }

    fn prepare(&mut self) -> Result<bool, StorageError> {
        self.log.prepare()
    }

    fn reader(&self) -> Arc<dyn LogReader> {
        self.log.reader()
    }
}
