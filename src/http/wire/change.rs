//! One entry of the change feed, as clients read it.
//!
//! It must not know which entries a client is shown, nor where they come from.

use crate::http::wire::record::{RecordAnswer, Scene};
use crate::http::wire::schema_entry::SchemaEntry;
use crate::http::wire::selection::Selection;
use crate::http::wire::team::MemberName;
use crate::model::id::{FieldNumber, MemberId, RecordId, Sequence, Slot, Version};
use crate::model::table::apply::restore_record;
use crate::model::table::event::{ChangeKind, Reason, Stamp};
use crate::model::table::event_form::{Misfit, Stored, StoredChange};
use crate::model::table::record::Record;
use serde::Serializer;
use serde::ser::{Serialize, SerializeMap};

/// What became of a record, or that its object is another now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntryAction {
    Created,
    Updated,
    Archived,
    Unarchived,
    Purged,
    Schema,
}

/// All of them by their names.
pub const ENTRY_ACTIONS: [(&str, EntryAction); 6] = [
    ("created", EntryAction::Created),
    ("updated", EntryAction::Updated),
    ("archived", EntryAction::Archived),
    ("unarchived", EntryAction::Unarchived),
    ("purged", EntryAction::Purged),
    ("schema", EntryAction::Schema),
];

impl EntryAction {
    /// Of an entry; none of an event that is none.
    #[must_use]
    pub fn of(stored: &Stored<'_>) -> Option<Self> {
        match stored {
            Stored::ObjectCreated { .. }
            | Stored::FieldCreated { .. }
            | Stored::OptionCreated { .. }
            | Stored::SchemaChanged { .. } => Some(Self::Schema),
            Stored::Record(change) => Some(Self::of_kind(change.kind)),
            Stored::Purged(_) => Some(Self::Purged),
            Stored::TeamChanged { .. }
            | Stored::FollowUpConfirmed { .. }
            | Stored::SourceKept { .. }
            | Stored::StreamMoved { .. }
            | Stored::Outcome { .. } => None,
        }
    }

    /// Of a change of a record.
    #[must_use]
    pub const fn of_kind(kind: ChangeKind) -> Self {
        match kind {
            ChangeKind::Created => Self::Created,
            ChangeKind::Updated => Self::Updated,
            ChangeKind::Archived => Self::Archived,
            ChangeKind::Unarchived => Self::Unarchived,
        }
    }

    /// What the API calls it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Updated => "updated",
            Self::Archived => "archived",
            Self::Unarchived => "unarchived",
            Self::Purged => "purged",
            Self::Schema => "schema",
        }
    }
}

/// How much of a record an entry shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Include {
    Keys,
    Record,
}

/// What an entry is shown with.
pub struct EntryScene<'a> {
    pub scene: &'a Scene<'a>,
    /// Of the records, where they are shown.
    pub selection: &'a Selection<'a>,
    pub include: Include,
}

/// One entry.
pub struct EntryRow<'a> {
    pub around: &'a EntryScene<'a>,
    pub cursor: &'a str,
    pub sequence: Sequence,
    pub action: EntryAction,
    pub stamp: &'a Stamp,
    about: About<'a>,
}

/// What an entry is about.
enum About<'a> {
    Schema(SchemaEntry),
    Record { id: RecordId, change: &'a StoredChange<'a>, record: Option<Record> },
    Tombstone { id: RecordId, version: Version },
}

impl<'a> EntryRow<'a> {
    /// Puts an entry together. `is_purged` says that nothing of the record may be shown any more.
    ///
    /// None of an event that is no entry.
    pub fn of(
        around: &'a EntryScene<'a>,
        cursor: &'a str,
        (stamp, stored): (&'a Stamp, &'a Stored<'a>),
        is_purged: bool,
    ) -> Result<Option<Self>, Misfit> {
        let (Some(sequence), Some(action)) = (stored.sequence(), EntryAction::of(stored)) else {
            return Ok(None);
        };
        let about = match stored {
            Stored::Record(change) => {
                let record = if is_purged { None } else { Some(record_of(around.scene, change)?) };
                About::Record { id: change.id, change, record }
            }
            Stored::Purged(purge) => About::Tombstone { id: purge.id, version: purge.version },
            Stored::ObjectCreated { .. }
            | Stored::FieldCreated { .. }
            | Stored::OptionCreated { .. }
            | Stored::SchemaChanged { .. } => {
                About::Schema(SchemaEntry::of(stored, around.scene.schema()))
            }
            Stored::TeamChanged { .. }
            | Stored::FollowUpConfirmed { .. }
            | Stored::SourceKept { .. }
            | Stored::StreamMoved { .. }
            | Stored::Outcome { .. } => return Ok(None),
        };
        Ok(Some(Self { around, cursor, sequence, action, stamp, about }))
    }
}

/// The record as of a change.
pub fn record_of(scene: &Scene<'_>, change: &StoredChange<'_>) -> Result<Record, Misfit> {
    // A record of the past has no place in the creation order, and is asked for none.
    let place = (change.version, change.sequence, Slot(0));
    restore_record(scene.schema(), change.id, place, change.body)
}

impl Serialize for EntryRow<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { around, stamp, about, .. } = self;
        let scene = around.scene;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("cursor", self.cursor)?;
        map.serialize_entry("seq", &self.sequence)?;
        map.serialize_entry("action", self.action.name())?;
        map.serialize_entry("object", &scene.object_name())?;
        let (id, version) = match about {
            About::Schema(_) => (None, None),
            About::Record { id, change, .. } => (Some(id), Some(change.version)),
            About::Tombstone { id, version } => (Some(id), Some(*version)),
        };
        map.serialize_entry("id", &id)?;
        map.serialize_entry("version", &version)?;
        let (changed, record, reason) = match about {
            About::Record { change, record, .. } => {
                (change.changed.as_slice(), record.as_ref(), change.reason)
            }
            About::Schema(_) | About::Tombstone { .. } => (&[][..], None, None),
        };
        map.serialize_entry("changed_fields", &scene.names_of(changed))?;
        map.serialize_entry("keys", &record.map(|record| scene.keys(record)))?;
        map.serialize_entry("origin", &*stamp.origin)?;
        map.serialize_entry("actor", &ActorShape::of(stamp.actor, scene))?;
        map.serialize_entry("batch_id", &stamp.batch)?;
        map.serialize_entry("reason", &reason.map(reason_name))?;
        map.serialize_entry("occurred_at", &scene.time(stamp.at))?;
        if around.include == Include::Record {
            let answer = record.map(|record| RecordAnswer {
                is_dry: false,
                scene,
                selection: around.selection,
                record: record.clone(),
                action: None,
            });
            map.serialize_entry("record", &answer)?;
        }
        if let About::Schema(entry) = about {
            map.serialize_entry("schema", entry)?;
        }
        map.end()
    }
}

const fn reason_name(reason: Reason) -> &'static str {
    match reason {
        Reason::IdentifierOverwritten => "identifier_overwritten",
    }
}

/// Who did something: a member, one who is gone by now, or the server by itself.
pub struct ActorShape {
    id: MemberId,
    display_name: Option<String>,
}

impl ActorShape {
    /// None where the server did it by itself.
    #[must_use]
    pub fn of(actor: MemberId, scene: &Scene<'_>) -> Option<Self> {
        let member = scene.referents().members.get(&actor);
        let display_name = member.map(|member| MemberName::of(member).display_name);
        (!actor.0.is_nil()).then_some(Self { id: actor, display_name })
    }
}

impl Serialize for ActorShape {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(2))?;
        map.serialize_entry("id", &self.id)?;
        map.serialize_entry("display_name", &self.display_name)?;
        map.end()
    }
}

impl Scene<'_> {
    /// The names of fields that are still there and that the caller may see, in their order.
    #[must_use]
    pub fn names_of(&self, numbers: &[FieldNumber]) -> Vec<&str> {
        let fields = self.schema().fields().iter();
        let listed = fields.filter(|field| numbers.contains(&field.number));
        let visible = listed.filter(|field| self.fields().may_see(field.number));
        visible.map(|field| &*field.name).collect()
    }
}
