//! What a member may do: one function for each question.
//!
//! Rights follow from the permission groups of a member, by themselves and through its roles; of
//! several the highest counts. Whoever asks about a record hands it over: nothing here looks one
//! up. It must not know what is answered to somebody who may not.

use crate::model::catalog::permission::{
    FieldAccess, Level, ObjectRights, PermissionGroup, RecordRights, Sections,
};
use crate::model::id::{FieldId, FieldNumber, MemberId, ObjectId};
use crate::model::schema::Schema;
use crate::model::schema::field::{Field, Source};
use crate::model::schema::system;
use crate::model::table::record::Record;
use crate::model::table::team::is_on_team;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// The rights of one member at one instant: immutable, replaced when anything they follow from
/// changes.
#[derive(Clone, Debug, PartialEq)]
pub struct Rights {
    member: MemberId,
    is_admin: bool,
    /// The highest over all groups.
    sections: Sections,
    groups: Vec<Arc<PermissionGroup>>,
}

impl Rights {
    /// Those that follow from groups; `is_admin` also without them.
    #[must_use]
    pub fn of(member: MemberId, is_admin: bool, groups: Vec<Arc<PermissionGroup>>) -> Self {
        let is_admin = is_admin || groups.iter().any(|group| group.is_admin);
        let sections = if is_admin {
            let all = Level::Remove;
            Sections { settings: all, team: all, all_team_members: true, create_objects: true }
        } else {
            groups.iter().fold(Sections::default(), |high, group| high.max(group.sections))
        };
        Self { member, is_admin, sections, groups }
    }

    /// Everything.
    #[must_use]
    pub fn administrator(member: MemberId) -> Self {
        Self::of(member, true, Vec::new())
    }

    #[must_use]
    pub fn is_admin(&self) -> bool {
        self.is_admin
    }

    #[must_use]
    pub fn sections(&self) -> Sections {
        self.sections
    }

    /// Roles and permission groups.
    #[must_use]
    pub fn may_see_settings(&self) -> bool {
        self.sections.settings >= Level::View
    }

    /// The business, roles, permission groups, types of activities.
    #[must_use]
    pub fn may_edit_settings(&self) -> bool {
        self.sections.settings >= Level::Edit
    }

    /// Deletes what may be edited by `may_edit_settings`.
    #[must_use]
    pub fn may_remove_settings(&self) -> bool {
        self.sections.settings >= Level::Remove
    }

    #[must_use]
    pub fn may_see_member(&self, member: MemberId) -> bool {
        member == self.member || (self.sections.team >= Level::View && self.sees_whole_team())
    }

    #[must_use]
    pub fn may_add_members(&self) -> bool {
        self.sections.team >= Level::Edit
    }

    #[must_use]
    pub fn may_edit_member(&self, member: MemberId) -> bool {
        self.sections.team >= Level::Edit && self.may_see_member(member)
    }

    #[must_use]
    pub fn may_remove_member(&self, member: MemberId) -> bool {
        self.sections.team >= Level::Remove && self.may_see_member(member)
    }

    fn sees_whole_team(&self) -> bool {
        self.sections.all_team_members
    }

    /// Makes and revokes keys of this member, and sees them.
    #[must_use]
    pub fn may_hold_keys_of(&self, member: MemberId) -> bool {
        self.is_admin || member == self.member
    }

    #[must_use]
    pub fn may_create_objects(&self) -> bool {
        self.sections.create_objects
    }

    /// What they are on one object.
    #[must_use]
    pub fn on(&self, object: ObjectId) -> ObjectAccess {
        self.of_entries(|group| group.on(object))
    }

    /// What they are on an object that no group names.
    fn on_others(&self) -> ObjectAccess {
        self.of_entries(|group| &group.others)
    }

    fn of_entries<'g>(
        &'g self,
        entry_of: impl Fn(&'g PermissionGroup) -> &'g ObjectRights,
    ) -> ObjectAccess {
        if self.is_admin {
            return ObjectAccess::everything(self.member);
        }
        let entries = self.groups.iter().map(|group| entry_of(group));
        let entries: Vec<_> = entries.filter(|entry| entry.has_any()).collect();
        ObjectAccess::of(self.member, &entries)
    }

    /// Whether a group gives nothing that these rights do not have: what may be handed on.
    #[must_use]
    pub fn covers(&self, group: &PermissionGroup) -> bool {
        if self.is_admin {
            return true;
        }
        let named = |group: &PermissionGroup| group.objects.keys().copied().collect::<Vec<_>>();
        let mut objects: BTreeSet<ObjectId> = named(group).into_iter().collect();
        self.groups.iter().for_each(|held| objects.extend(named(held)));
        !group.is_admin
            && self.sections.covers(group.sections)
            && self.on_others().covers(&group.others)
            && objects.into_iter().all(|object| self.on(object).covers(group.on(object)))
    }

    /// These rights, and those of a group besides.
    #[must_use]
    pub fn and(&self, group: Arc<PermissionGroup>) -> Self {
        let groups = self.groups.iter().cloned().chain([group]).collect();
        Self::of(self.member, self.is_admin, groups)
    }
}

/// The rights of one member on one object and its records.
#[derive(Clone, Debug, PartialEq)]
pub struct ObjectAccess {
    member: MemberId,
    is_admin: bool,
    settings: Level,
    records: RecordRights,
    /// On fields that are not in `fields`.
    other_fields: FieldAccess,
    fields: BTreeMap<FieldId, FieldAccess>,
}

/// Which records a right reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    All,
    /// Those in whose team this member is.
    TeamOf(MemberId),
    Nothing,
}

impl ObjectAccess {
    /// An administrator's.
    #[must_use]
    pub fn everything(member: MemberId) -> Self {
        let all = Level::Remove;
        let records = RecordRights {
            all_records: all,
            associated_records: all,
            create_record: true,
            unarchive_all: true,
            unarchive_associated: true,
            bulk_actions: true,
            export: true,
        };
        let (is_admin, other_fields) = (true, FieldAccess::Write);
        Self { member, is_admin, settings: all, records, other_fields, fields: BTreeMap::new() }
    }

    /// The highest over entries with some right.
    fn of(member: MemberId, entries: &[&ObjectRights]) -> Self {
        let named: BTreeSet<FieldId> =
            entries.iter().flat_map(|entry| entry.fields.keys().copied()).collect();
        let highest = |access: &dyn Fn(&ObjectRights) -> FieldAccess| {
            entries.iter().map(|entry| access(entry)).max().unwrap_or(FieldAccess::Hidden)
        };
        let of_field = |field: FieldId| (field, highest(&|entry| entry.field_access(field)));
        Self {
            member,
            is_admin: false,
            settings: entries.iter().map(|entry| entry.settings).max().unwrap_or_default(),
            records: entries
                .iter()
                .fold(RecordRights::default(), |high, entry| high.max(entry.records)),
            other_fields: highest(&|entry| entry.default_field_access),
            fields: named.into_iter().map(of_field).collect(),
        }
    }

    /// Whether an entry gives nothing that these do not have.
    fn covers(&self, entry: &ObjectRights) -> bool {
        let access = |field| self.fields.get(&field).copied().unwrap_or(self.other_fields);
        let mut named = self.fields.keys().chain(entry.fields.keys()).copied();
        !entry.has_any()
            || (self.settings >= entry.settings
                && self.records.max(entry.records) == self.records
                && self.other_fields >= entry.default_field_access
                && named.all(|field| access(field) >= entry.field_access(field)))
    }

    /// The object itself, its fields and what they offer.
    #[must_use]
    pub fn may_see_object(&self) -> bool {
        self.settings >= Level::View || self.records.has_any()
    }

    #[must_use]
    pub fn may_change_schema(&self) -> bool {
        self.settings >= Level::Edit
    }

    /// Deletes the object, and fields of it.
    #[must_use]
    pub fn may_delete_schema(&self) -> bool {
        self.settings >= Level::Remove
    }

    /// How far the rights on a record go, archived or not.
    #[must_use]
    pub fn level_on(&self, schema: &Schema, record: &Record) -> Level {
        let RecordRights { all_records, associated_records, .. } = self.records;
        if associated_records > all_records && is_on_team(schema, record, self.member) {
            associated_records
        } else {
            all_records
        }
    }

    #[must_use]
    pub fn may_read(&self, schema: &Schema, record: &Record) -> bool {
        self.level_on(schema, record) >= Level::View
    }

    /// Updates it, moves it, changes its team.
    #[must_use]
    pub fn may_edit(&self, schema: &Schema, record: &Record) -> bool {
        self.level_on(schema, record) >= Level::Edit
    }

    #[must_use]
    pub fn may_archive(&self, schema: &Schema, record: &Record) -> bool {
        self.level_on(schema, record) >= Level::Remove
    }

    /// Restores it, by its id or by its identifier. What cannot be read cannot be restored.
    #[must_use]
    pub fn may_unarchive(&self, schema: &Schema, record: &Record) -> bool {
        let records = &self.records;
        let is_covered = records.unarchive_all
            || (records.unarchive_associated && is_on_team(schema, record, self.member));
        is_covered && self.may_read(schema, record)
    }

    #[must_use]
    pub fn may_create(&self) -> bool {
        self.records.create_record
    }

    /// Whether a new record would vanish from the eyes of whoever made it.
    #[must_use]
    pub fn sees_own_team_only(&self) -> bool {
        self.records.all_records < Level::View
    }

    /// Whether there can be a record that may be edited.
    #[must_use]
    pub fn may_edit_any(&self) -> bool {
        self.records.max_level() >= Level::Edit
    }

    /// Whether there can be a record that may be archived.
    #[must_use]
    pub fn may_archive_any(&self) -> bool {
        self.records.max_level() >= Level::Remove
    }

    /// Whether there can be a record that may be restored: who may see archived records at all.
    #[must_use]
    pub fn may_unarchive_any(&self) -> bool {
        self.records.unarchive_all || self.records.unarchive_associated
    }

    /// Writes many records with one call.
    #[must_use]
    pub fn may_bulk(&self) -> bool {
        self.records.bulk_actions
    }

    /// Takes records out, all at once or as they change.
    #[must_use]
    pub fn may_export(&self) -> bool {
        self.records.export
    }

    /// Erases an archived record.
    #[must_use]
    pub fn may_purge(&self) -> bool {
        self.is_admin
    }

    /// The records that may be read.
    #[must_use]
    pub fn reach(&self) -> Reach {
        if self.records.all_records >= Level::View {
            Reach::All
        } else if self.records.associated_records >= Level::View {
            Reach::TeamOf(self.member)
        } else {
            Reach::Nothing
        }
    }

    /// The highest level that there can be on a record.
    #[must_use]
    pub fn level_at_most(&self) -> Level {
        self.records.max_level()
    }

    /// Whether all records may be read, those too of which nothing is left but that they were.
    #[must_use]
    pub fn may_read_all(&self) -> bool {
        self.records.all_records >= Level::View
    }

    /// Whether a field exists for the member that is in no schema any more, or in none yet.
    #[must_use]
    pub fn may_see_gone_field(&self, field: Option<FieldId>) -> bool {
        let of = |id| self.fields.get(&id).copied().unwrap_or(self.other_fields);
        if let Some(id) = field {
            return of(id) > FieldAccess::Hidden;
        }
        // Nobody knows which one it was.
        let mut all = self.fields.values().chain([&self.other_fields]);
        all.all(|access| *access > FieldAccess::Hidden)
    }

    /// What may be done with the fields of a schema.
    #[must_use]
    pub fn fields(&self, schema: &Schema) -> FieldRights {
        let mut rights = FieldRights::default();
        if self.other_fields == FieldAccess::Write && self.fields.is_empty() {
            return rights;
        }
        for field in schema.fields() {
            match self.field_access(schema, field) {
                FieldAccess::Hidden => rights.hidden.push(field.number),
                FieldAccess::ReadOnly => rights.read_only.push(field.number),
                FieldAccess::Write => {}
            }
        }
        rights
    }

    /// Whether a field exists for the caller; for many of one schema, see `fields`.
    #[must_use]
    pub fn may_see_field(&self, schema: &Schema, field: &Field) -> bool {
        self.field_access(schema, field) > FieldAccess::Hidden
    }

    fn field_access(&self, schema: &Schema, field: &Field) -> FieldAccess {
        let own = self.fields.get(&field.id).copied().unwrap_or(self.other_fields);
        match field.source() {
            // It would tell the parts that it is made of.
            Source::FullName => [system::FIRST_NAME, system::LAST_NAME]
                .into_iter()
                .filter_map(|number| schema.by_number(number))
                .map(|part| self.field_access(schema, part))
                .fold(own, FieldAccess::min),
            // Whoever may read a record may read what it is called.
            Source::DisplayName => own.max(FieldAccess::ReadOnly),
            Source::Stored if field.is_identifier() => own.max(FieldAccess::ReadOnly),
            Source::Stored | Source::Created | Source::Updated => own,
        }
    }
}

impl RecordRights {
    fn max_level(self) -> Level {
        self.all_records.max(self.associated_records)
    }
}

/// What a caller may do with the fields of one schema. Empty for most callers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FieldRights {
    hidden: Vec<FieldNumber>,
    read_only: Vec<FieldNumber>,
}

impl FieldRights {
    /// Whether the field exists for the caller.
    #[must_use]
    pub fn may_see(&self, field: FieldNumber) -> bool {
        !self.hidden.contains(&field)
    }

    #[must_use]
    pub fn may_write(&self, field: FieldNumber) -> bool {
        self.may_see(field) && !self.read_only.contains(&field)
    }

    /// The fields that do not exist for the caller.
    #[must_use]
    pub fn hidden(&self) -> &[FieldNumber] {
        &self.hidden
    }

    /// A field by its API name or id, if it exists for the caller.
    #[must_use]
    pub fn find<'s>(&self, schema: &'s Schema, reference: &str) -> Option<&'s Arc<Field>> {
        schema.by_reference(reference).filter(|field| self.may_see(field.number))
    }
}

#[cfg(test)]
mod tests;
