//! A record as answers show it, and the tag that names its state.
//!
//! It must not know requests, nor which fields are shown: that is `selection`.

use crate::http::target::Target;
use crate::http::wire::related::{INLINE_MAX, RelatedForm};
use crate::http::wire::selection::{Selected, Selection};
use crate::http::wire::team::{MemberName, team_len};
use crate::http::wire::value::{ReadForm, Referents};
use crate::model::access::{FieldRights, ObjectAccess};
use crate::model::agenda;
use crate::model::catalog::permission::Level;
use crate::model::id::{FieldNumber, MemberId, ObjectId, RecordId, Timestamp};
use crate::model::schema::Schema;
use crate::model::schema::field::{Field, Source};
use crate::model::schema::system;
use crate::model::table::Shown;
use crate::model::table::command::Action;
use crate::model::table::digest::item_hash;
use crate::model::table::event::Tag;
use crate::model::table::link::Link;
use crate::model::table::naming::{full_name, text, visible_display_name, visible_record_name};
use crate::model::table::record::Record;
use crate::model::table::team::team_fields;
use crate::model::value::FieldType;
use crate::model::value::pack::read_uuid;
use crate::model::value::time::timestamp_text;
use actix_web::http::header::HeaderValue;
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use std::borrow::Cow;
use std::sync::Arc;

/// What the view in an `ETag` is hashed with; nothing depends on nobody knowing it.
const VIEW_KEY: [u8; 16] = *b"upsertd-etag-v1\0";

/// What the records of one answer are shown with: one schema, and durable state around it.
pub struct Scene<'a> {
    schema: &'a Schema,
    shown: &'a Shown,
    agenda: &'a agenda::Shown,
    referents: Referents<'a>,
    team_fields: Vec<&'a Field>,
    /// Where the relationship fields lead.
    links: Vec<(FieldNumber, Link)>,
    /// Of the related records of one field, so many are shown; of more, their number.
    related_max: usize,
    access: &'a ObjectAccess,
    fields: FieldRights,
    /// Members who were deleted, where that can be seen.
    gone: usize,
    /// The name of the business's time zone.
    zone_name: &'a str,
}

/// What the caller may do to a record.
#[derive(Clone, Copy, Debug, Serialize)]
struct Access {
    view: bool,
    edit: bool,
    remove: bool,
}

impl Access {
    fn of(level: Level) -> Self {
        Self {
            view: level >= Level::View,
            edit: level >= Level::Edit,
            remove: level >= Level::Remove,
        }
    }
}

/// A record where it is only named.
#[derive(Debug, Serialize)]
pub struct RecordName {
    pub id: RecordId,
    pub display_name: String,
}

/// An object where it is only named.
#[derive(Debug, Serialize)]
pub struct ObjectName<'a> {
    pub id: ObjectId,
    pub name: &'a str,
}

/// What a record is known by: values that no other one has, by the names of their fields.
pub struct Keys<'r> {
    scene: &'r Scene<'r>,
    record: &'r Record,
}

impl Serialize for Keys<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { scene, record } = self;
        let mut map = serializer.serialize_map(None)?;
        for field in scene.schema.unique_fields() {
            let is_visible = scene.fields.may_see(field.number);
            let raw = record.value(field.number).filter(|_| is_visible);
            let form = raw.and_then(|raw| ReadForm::of_stored(field, raw, scene.referents));
            if let Some(form) = form {
                map.serialize_entry(&field.name, &form)?;
            }
        }
        map.end()
    }
}

/// One record, as the answer to a read or a write.
pub struct RecordAnswer<'a> {
    pub scene: &'a Scene<'a>,
    pub selection: &'a Selection<'a>,
    pub record: Record,
    /// None in reads.
    pub action: Option<Action>,
    /// Nothing was written: a record that would be created has no id.
    pub is_dry: bool,
}

/// What the API calls an action.
#[must_use]
pub const fn action_name(action: Action) -> &'static str {
    match action {
        Action::Created => "created",
        Action::Updated => "updated",
        Action::Unarchived => "unarchived",
        Action::Archived => "archived",
        Action::Unchanged => "unchanged",
        Action::Exists => "exists",
        Action::Stale => "stale",
        Action::SkippedArchived => "skipped_archived",
    }
}

impl<'a> Scene<'a> {
    /// Shows records of the target's table to its caller.
    #[must_use]
    pub fn new(target: &'a Target, schema: &'a Schema) -> Self {
        let caller = &target.caller;
        let shown = &**target.table.shown();
        let (tags, members) = (&shown.tags, &*caller.catalog.members);
        let time_zone = caller.business.time_zone();
        let team_fields: Vec<&Field> = team_fields(schema).collect();
        let tables = caller.related_tables();
        let link = |field: &Arc<Field>| Some((field.number, Link::of(field, &tables)?));
        let links = schema.fields().iter().filter_map(link).collect();
        // A member who is deleted is gone from every record of an object that can name one.
        let gone = if team_fields.is_empty() { 0 } else { members.gone().len() };
        Self {
            schema,
            shown,
            agenda: caller.business.agenda(),
            referents: Referents { tags, dry_tags: &[], members, time_zone },
            team_fields,
            links,
            related_max: INLINE_MAX,
            access: &target.access,
            fields: target.access.fields(schema),
            gone,
            zone_name: &caller.business.info().timezone,
        }
    }

    /// The same, with tags that a dry run would make.
    #[must_use]
    pub fn with_dry_tags(mut self, tags: &'a [Arc<Tag>]) -> Self {
        self.referents.dry_tags = tags;
        self
    }

    /// The same, with all related records, however many they are.
    #[must_use]
    pub fn with_all_related(mut self) -> Self {
        self.related_max = usize::MAX;
        self
    }

    /// The schema that the records are shown with.
    #[must_use]
    pub fn schema(&self) -> &'a Schema {
        self.schema
    }

    /// The object where it is only named.
    #[must_use]
    pub fn object_name(&self) -> ObjectName<'a> {
        let object = self.schema.object();
        ObjectName { id: object.id, name: &object.name }
    }

    /// The identifier of a record and its other unique values.
    #[must_use]
    pub fn keys<'r>(&'r self, record: &'r Record) -> Keys<'r> {
        Keys { scene: self, record }
    }

    /// What the caller may do with the fields.
    #[must_use]
    pub fn fields(&self) -> &FieldRights {
        &self.fields
    }

    /// Whether the caller may read a record.
    #[must_use]
    pub fn may_read(&self, record: &Record) -> bool {
        self.access.may_read(self.schema, record)
    }

    /// What the caller may do on the object.
    #[must_use]
    pub fn access(&self) -> &'a ObjectAccess {
        self.access
    }

    #[must_use]
    pub fn referents(&self) -> Referents<'a> {
        self.referents
    }

    /// The `ETag` of a record: its version, and a digest of what else decides how it looks.
    #[must_use]
    pub fn etag(&self, record: &Record) -> HeaderValue {
        let tag = format!("\"{}.{:08x}\"", record.version(), self.view(record));
        HeaderValue::from_str(&tag).expect("digits, letters and a point are a header value")
    }

    /// What a record is called where it is only named.
    #[must_use]
    pub fn name(&self, record: &Record) -> RecordName {
        RecordName { id: record.id(), display_name: self.display_name(record).into_owned() }
    }

    /// A short digest of all that decides, besides a record, how it looks to the caller.
    fn view(&self, record: &Record) -> u32 {
        let mut bytes = Vec::with_capacity(48);
        bytes.extend_from_slice(&self.schema.number().0.to_le_bytes());
        bytes.extend_from_slice(&(self.gone as u64).to_le_bytes());
        bytes.push(self.access.level_on(self.schema, record).number());
        for hidden in self.fields.hidden() {
            bytes.extend_from_slice(&hidden.0.to_le_bytes());
        }
        bytes.extend_from_slice(self.zone_name.as_bytes());
        let hash = item_hash(&VIEW_KEY, &bytes).to_le_bytes();
        u32::from_le_bytes(*hash.first_chunk().expect("a hash has sixteen bytes"))
    }

    /// The name of the record of this id, if it is still there and the caller may read it.
    #[must_use]
    pub fn name_of(&self, id: RecordId) -> Option<RecordName> {
        let record = self.shown.record(id).filter(|record| self.may_read(record))?;
        Some(self.name(&record))
    }

    /// When an archived record was archived, and by whom if that member is still there.
    #[must_use]
    pub fn archived(&self, record: &Record) -> (Option<String>, Option<MemberName>) {
        let at = record.time(system::ARCHIVED_AT).map(|at| self.time(at));
        let by = record.value(system::ARCHIVED_BY).and_then(|mut raw| {
            let id = read_uuid(&mut raw).map(MemberId).expect("who archived is stored as an id");
            self.referents.members.get(&id).map(|member| MemberName::of(member))
        });
        (at, by)
    }

    /// A time that stands beside the fields, unless its field is hidden.
    fn shown_time(&self, record: &Record, number: FieldNumber) -> Option<String> {
        let at = record.time(number).filter(|_| self.fields.may_see(number))?;
        Some(self.time(at))
    }

    /// A time in the business's own time zone.
    #[must_use]
    pub fn time(&self, at: Timestamp) -> String {
        timestamp_text(at, self.referents.time_zone)
    }
}

impl<'a> Scene<'a> {
    fn record_name<'r>(&self, record: &'r Record) -> Cow<'r, str> {
        visible_record_name(self.schema, record, &self.fields)
    }

    fn display_name<'r>(&self, record: &'r Record) -> Cow<'r, str> {
        visible_display_name(self.schema, record, &self.fields)
    }

    /// The value of a field, of which `raw` is the stored form; none where it is blank.
    fn value<'r>(
        &self,
        record: &'r Record,
        field: &'r Field,
        raw: Option<&'r [u8]>,
    ) -> Option<ReadForm<'r>>
    where
        'a: 'r,
    {
        match field.source() {
            Source::Stored if field.field_type == FieldType::Relationship => {
                let (_, link) = self.links.iter().find(|(number, _)| *number == field.number)?;
                RelatedForm::of(link, field, record, self.related_max).map(ReadForm::Related)
            }
            Source::Stored => match raw {
                Some(raw) => ReadForm::of_stored(field, raw, self.referents),
                None => field.field_type.is_checkbox().then_some(ReadForm::Boolean(false)),
            },
            Source::Created => self.time_form(record, system::CREATED),
            Source::Updated => self.time_form(record, system::UPDATED),
            Source::DisplayName => text_form(self.display_name(record)),
            Source::FullName => text_form(full_name(record)),
        }
    }

    /// The value of a field that a record keeps itself; none where it is blank.
    pub(super) fn value_of<'r>(
        &'r self,
        record: &'r Record,
        field: &'r Field,
    ) -> Option<ReadForm<'r>> {
        self.value(record, field, record.value(field.number))
    }

    fn time_form<'r>(&self, record: &Record, number: FieldNumber) -> Option<ReadForm<'r>>
    where
        'a: 'r,
    {
        record.time(number).map(|at| ReadForm::Datetime(at, self.referents.time_zone))
    }
}

fn text_form(text: Cow<'_, str>) -> Option<ReadForm<'_>> {
    (!text.is_empty()).then_some(ReadForm::Text(text))
}

impl Serialize for RecordAnswer<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.serialize_with(&ShownFields(self), serializer)
    }
}

impl RecordAnswer<'_> {
    /// The answer with its fields in another form.
    pub(super) fn serialize_with<S: Serializer>(
        &self,
        fields: &impl Serialize,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let Self { scene, record, .. } = self;
        let mut map = serializer.serialize_map(None)?;
        // It would be made by this write, or by one before it that was as dry.
        let is_imagined = self.is_dry && scene.shown.record(record.id()).is_none();
        map.serialize_entry("id", &(!is_imagined).then(|| record.id()))?;
        map.serialize_entry("object_type", scene.schema.object().object_type.name())?;
        map.serialize_entry("name", &scene.record_name(record))?;
        map.serialize_entry("display_name", &scene.display_name(record))?;
        map.serialize_entry("fields", fields)?;
        let level = scene.access.level_on(scene.schema, record);
        map.serialize_entry("access", &Access::of(level))?;
        map.serialize_entry("client_info", &scene.client_info(record))?;
        let upcoming = scene.agenda.upcoming(record.id());
        map.serialize_entry("num_upcoming_activities", &upcoming)?;
        let team = team_len(record, &scene.team_fields, scene.referents.members);
        map.serialize_entry("num_associated_team_members", &team)?;
        map.serialize_entry("created", &scene.shown_time(record, system::CREATED))?;
        map.serialize_entry("updated", &scene.shown_time(record, system::UPDATED))?;
        map.serialize_entry("version", &record.version())?;
        if let Some(action) = self.action {
            map.serialize_entry("action", action_name(action))?;
        }
        if self.is_dry {
            map.serialize_entry("dry_run", &true)?;
        }
        if record.is_archived() {
            let (at, by) = scene.archived(record);
            map.serialize_entry("archived_at", &at)?;
            map.serialize_entry("archived_by", &by)?;
        }
        map.end()
    }

    /// Calls `each` with every selected field and its value.
    pub(super) fn each_value<'r, E>(
        &'r self,
        mut each: impl FnMut(&Selected<'r>, Option<ReadForm<'r>>) -> Result<(), E>,
    ) -> Result<(), E> {
        let Self { scene, selection, record, .. } = self;
        // In rising order; a body alone is read from its start for each of its values.
        let stored: Vec<(FieldNumber, &[u8])> = record.body().iter().collect();
        for selected in &selection.fields {
            let field = selected.field;
            let at = stored.binary_search_by_key(&field.number, |(number, _)| *number);
            let value = scene.value(record, field, at.ok().map(|at| stored[at].1));
            each(selected, value)?;
        }
        Ok(())
    }
}

/// The selected fields, keyed by their ids.
struct ShownFields<'a>(&'a RecordAnswer<'a>);

impl Serialize for ShownFields<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        self.0.each_value(|selected, value| {
            if value.is_some() || selected.shows_null {
                let field = selected.field;
                map.serialize_entry(&field.id, &ShownField { field, value })?;
            }
            Ok(())
        })?;
        map.end()
    }
}

struct ShownField<'a> {
    field: &'a Field,
    value: Option<ReadForm<'a>>,
}

impl Serialize for ShownField<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(5))?;
        map.serialize_entry("id", &self.field.id)?;
        map.serialize_entry("name", &self.field.name)?;
        map.serialize_entry("display_name", &self.field.display_name)?;
        map.serialize_entry("field_type", self.field.field_type.name())?;
        match self.value.as_ref().and_then(ReadForm::summary) {
            Some(summary) => map.serialize_entry("value_summary", &summary)?,
            None => map.serialize_entry("value", &self.value)?,
        }
        map.end()
    }
}

/// What a contact's answer repeats beside its fields. A blank, or what is hidden, is an empty text
/// here.
#[derive(Serialize)]
struct ClientInfo<'r> {
    first_name: &'r str,
    last_name: &'r str,
    full_name: Cow<'r, str>,
    email: &'r str,
}

impl Scene<'_> {
    fn client_info<'r>(&self, record: &'r Record) -> Option<ClientInfo<'r>> {
        let shown = |number| if self.fields.may_see(number) { text(record, number) } else { "" };
        self.schema.is_contacts().then(|| ClientInfo {
            first_name: shown(system::FIRST_NAME),
            last_name: shown(system::LAST_NAME),
            full_name: self.record_name(record),
            email: text(record, system::EMAIL),
        })
    }
}
