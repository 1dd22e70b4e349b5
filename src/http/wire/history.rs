//! One version of a record in its history, as clients read it.
//!
//! It must not know which versions are kept.

use crate::http::wire::change::{ActorShape, EntryAction, record_of};
use crate::http::wire::record::Scene;
use crate::http::wire::value::ReadForm;
use crate::model::id::{FieldId, FieldNumber};
use crate::model::schema::field::Field;
use crate::model::table::event::Stamp;
use crate::model::table::event_form::{Misfit, StoredChange};
use crate::model::table::record::Record;
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use std::sync::Arc;

/// What was before a change.
pub enum Before {
    /// The change has made the record.
    Nothing,
    Record(Record),
    /// What it was is not kept.
    Unknown,
}

/// A version, and how it came from the one before it.
pub struct VersionRow<'a> {
    scene: &'a Scene<'a>,
    stamp: &'a Stamp,
    change: &'a StoredChange<'a>,
    record: Record,
    before: Before,
}

impl<'a> VersionRow<'a> {
    /// Puts a row together; `before` is the change that made the version before it, if it is kept.
    pub fn of(
        scene: &'a Scene<'a>,
        (stamp, change): (&'a Stamp, &'a StoredChange<'a>),
        before: Option<&StoredChange<'_>>,
    ) -> Result<Self, Misfit> {
        let before = match before {
            Some(before) => Before::Record(record_of(scene, before)?),
            None if change.previous.0 == 0 => Before::Nothing,
            None => Before::Unknown,
        };
        Ok(Self { scene, stamp, change, record: record_of(scene, change)?, before })
    }

    /// The fields whose value is another one since this version, as far as the caller sees them.
    fn changed(&self) -> impl Iterator<Item = &'a Arc<Field>> {
        let (scene, numbers) = (self.scene, &self.change.changed);
        let is_shown = move |number: FieldNumber| scene.fields().may_see(number);
        let fields = scene.schema().fields().iter();
        fields.filter(move |field| numbers.contains(&field.number) && is_shown(field.number))
    }
}

impl Serialize for VersionRow<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { scene, stamp, change, record, before } = self;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("version", &change.version)?;
        map.serialize_entry("action", EntryAction::of_kind(change.kind).name())?;
        map.serialize_entry("occurred_at", &scene.time(stamp.at))?;
        map.serialize_entry("actor", &ActorShape::of(stamp.actor, scene))?;
        map.serialize_entry("origin", &*stamp.origin)?;
        map.serialize_entry("batch_id", &stamp.batch)?;
        let changes = self.changed().map(|field| FieldChange { scene, field, record, before });
        map.serialize_entry("changes", &changes.collect::<Vec<_>>())?;
        map.end()
    }
}

struct FieldChange<'a> {
    scene: &'a Scene<'a>,
    field: &'a Field,
    record: &'a Record,
    before: &'a Before,
}

#[derive(Serialize)]
struct FieldName<'a> {
    id: FieldId,
    name: &'a str,
}

impl Serialize for FieldChange<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { scene, field, record, before } = self;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("field", &FieldName { id: field.id, name: &field.name })?;
        match before {
            Before::Nothing => map.serialize_entry("old", &())?,
            Before::Record(before) => {
                map.serialize_entry("old", &ShownValue(scene.value_of(before, field)))?;
            }
            Before::Unknown => {}
        }
        map.serialize_entry("new", &ShownValue(scene.value_of(record, field)))?;
        map.end()
    }
}

/// A value as a read shows it, a summary where there are too many; null for a blank.
struct ShownValue<'a>(Option<ReadForm<'a>>);

impl Serialize for ShownValue<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0.as_ref().and_then(ReadForm::summary) {
            Some(summary) => summary.serialize(serializer),
            None => self.0.serialize(serializer),
        }
    }
}
