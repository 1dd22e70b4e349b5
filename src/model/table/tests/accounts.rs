//! Accounts and what may be asked of them in one line: shared by the tests of the archive tables.

use crate::model::id::{FieldNumber, RecordId, Timestamp};
use crate::model::schema::system;
use crate::model::table::command::{
    Action, Add, ArchivedConflict, ArchivedMatch, Ask, EntryIndex, EntryKey, Extent, FaultKind,
    Place, RecordFault, Reply, RestoreConflict, Unarchive, Update,
};
use crate::model::table::decide::{Conflict, ConflictParameter, Rejection};
use crate::model::table::intent::{Intent, MatchPart};
use crate::model::table::test_support::{BIRTH, Rig, created, field, text};
use crate::model::value::Change;
use crate::model::value::fault::ValueFault;

/// Accounts with a unique code, a required region and a counter.
pub(super) struct Accounts {
    pub(super) rig: Rig,
    pub(super) code: FieldNumber,
    pub(super) region: FieldNumber,
}

/// What a call is to do about archived records.
#[derive(Clone, Copy, Default)]
pub(super) struct Modes {
    pub(super) archived_match: ArchivedMatch,
    pub(super) archived_conflict: ArchivedConflict,
    pub(super) restore_conflict: RestoreConflict,
}

pub(super) const UNARCHIVE: Modes = Modes {
    archived_match: ArchivedMatch::Unarchive,
    archived_conflict: ArchivedConflict::Refuse,
    restore_conflict: RestoreConflict::Refuse,
};
pub(super) const OVERWRITE: Modes = Modes {
    archived_match: ArchivedMatch::Overwrite,
    archived_conflict: ArchivedConflict::Refuse,
    restore_conflict: RestoreConflict::Refuse,
};

impl Accounts {
    pub(super) fn new() -> Self {
        let mut rig = Rig::accounts();
        let mut code = field("code", "text");
        code.is_unique = Some(true);
        let code = rig.add_field(code);
        let mut region = field("region", "text");
        region.is_required = Some(true);
        let region = rig.add_field(region);
        rig.moment.set(Timestamp(BIRTH.0 + 1_000));
        Self { rig, code, region }
    }

    /// A live record of this name and code, in region `north`.
    pub(super) fn live(&mut self, name: &str, code: &str) -> RecordId {
        let writes = [(system::NAME, text(name)), (self.code, text(code)), self.region("north")];
        created(self.add(&writes, Modes::default()))
    }

    pub(super) fn archived(&mut self, name: &str, code: &str) -> RecordId {
        let id = self.live(name, code);
        self.rig.run(Ask::Archive(id)).unwrap();
        id
    }

    pub(super) fn region(&self, region: &str) -> (FieldNumber, Change) {
        (self.region, text(region))
    }

    pub(super) fn upsert(
        &mut self,
        lookup: &str,
        writes: &[(FieldNumber, Change)],
        modes: Modes,
    ) -> Result<Reply, Rejection> {
        let upsert = Intent {
            archived_match: modes.archived_match,
            archived_conflict: modes.archived_conflict,
            restore_conflict: modes.restore_conflict,
            ..Intent::of_identifier(
                self.rig.identifier(lookup),
                self.rig.writes(writes.iter().cloned()),
            )
        };
        self.rig.run(Ask::Upsert(Box::new(upsert)))
    }

    pub(super) fn add(
        &mut self,
        writes: &[(FieldNumber, Change)],
        modes: Modes,
    ) -> Result<Reply, Rejection> {
        let add = Add {
            writes: self.rig.writes(writes.iter().cloned()),
            archived_match: modes.archived_match,
            restore_conflict: modes.restore_conflict,
        };
        self.rig.run(Ask::Add(Box::new(add)))
    }

    pub(super) fn update(
        &mut self,
        id: RecordId,
        writes: &[(FieldNumber, Change)],
        archived_conflict: ArchivedConflict,
    ) -> Result<Reply, Rejection> {
        let writes = self.rig.writes(writes.iter().cloned());
        let update = Update { id, writes, archived_conflict, extent: Extent::Mentioned };
        self.rig.run(Ask::Update(Box::new(update)))
    }

    pub(super) fn unarchive(
        &mut self,
        id: RecordId,
        identifier: Option<&str>,
        restore_conflict: RestoreConflict,
    ) -> Result<Reply, Rejection> {
        let identifier = identifier.map(|given| self.rig.identifier(given));
        self.rig.run(Ask::Unarchive(Unarchive { id, identifier, restore_conflict }))
    }

    /// A text of a record; none where it has no value.
    pub(super) fn text_of(&self, id: RecordId, field: FieldNumber) -> Option<String> {
        let record = self.rig.seen(id).unwrap();
        let raw = record.value(field)?;
        let (text, _) = rmp::decode::read_str_from_slice(raw).unwrap();
        Some(text.to_owned())
    }

    pub(super) fn name_of(&self, id: RecordId) -> String {
        self.text_of(id, system::NAME).unwrap()
    }

    pub(super) fn is_archived(&self, id: RecordId) -> bool {
        self.rig.seen(id).unwrap().is_archived()
    }

    pub(super) fn version(&self, id: RecordId) -> u32 {
        self.rig.seen(id).unwrap().version().0
    }
}

/// Action and record of a good answer.
pub(super) fn good(answer: Result<Reply, Rejection>) -> (Action, RecordId) {
    match answer {
        Ok(Reply::Record(outcome)) => (outcome.action, outcome.record.id()),
        other => panic!("not a record: {other:?}"),
    }
}

pub(super) fn faults(answer: Result<Reply, Rejection>) -> Vec<RecordFault> {
    match answer {
        Err(Rejection::Faults(faults)) => faults,
        other => panic!("no faults of values: {other:?}"),
    }
}

/// The faults of the last stage, which must be all there is.
pub(super) fn unique(answer: Result<Reply, Rejection>) -> Vec<RecordFault> {
    match answer {
        Err(Rejection::Taken(taken)) if taken.conflict.is_none() => taken.faults,
        other => panic!("not taken: {other:?}"),
    }
}

/// The conflict of the last stage, which must be all there is.
pub(super) fn conflict(answer: Result<Reply, Rejection>) -> Conflict {
    match answer {
        Err(Rejection::Taken(taken)) if taken.faults.is_empty() => taken.conflict.unwrap(),
        other => panic!("no conflict alone: {other:?}"),
    }
}

#[track_caller]
pub(super) fn assert_archived_identifier(
    answer: Result<Reply, Rejection>,
    (holder, value): (RecordId, &str),
    place: Place,
    parameter: ConflictParameter,
) {
    let Conflict::ArchivedIdentifier { holder: found, parts, parameter: by } = conflict(answer)
    else {
        panic!("another kind of conflict")
    };
    let told: Vec<(&str, Place)> =
        parts.iter().map(|MatchPart { text, place, .. }| (&**text, place.clone())).collect();
    assert_eq!((found.id(), told, by), (holder, vec![(value, place)], parameter));
}

pub(super) fn entry(index: u32, field: FieldNumber) -> Place {
    Place::Entry { index: EntryIndex::of_fields(index), field, key: EntryKey::Value }
}

pub(super) fn unique_at(place: Place, holder: RecordId) -> RecordFault {
    RecordFault { place, kind: FaultKind::Unique { holder } }
}

pub(super) fn required(place: Place) -> RecordFault {
    RecordFault { place, kind: FaultKind::Value(ValueFault::Required) }
}

pub(super) const DISCARDED: &str = "Acme_discarded_1700000001000";
