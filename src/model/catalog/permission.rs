//! Permission groups: what they may say, and what they say about one object.
//!
//! It must not know members or what a right lets them do: that is `access`.

use crate::model::id::{FieldId, ObjectId, PermissionGroupId};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How far a right goes; each level includes those before it.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    #[default]
    None,
    View,
    Edit,
    Remove,
}

impl Level {
    pub const ALL: [Self; 4] = [Self::None, Self::View, Self::Edit, Self::Remove];

    /// What the API calls it.
    #[must_use]
    pub const fn number(self) -> u8 {
        match self {
            Self::None => 0,
            Self::View => 1,
            Self::Edit => 2,
            Self::Remove => 3,
        }
    }
}

/// What may be done with the values of a field.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum FieldAccess {
    /// As if it did not exist.
    Hidden,
    ReadOnly,
    #[default]
    Write,
}

impl FieldAccess {
    pub const ALL: [Self; 3] = [Self::Hidden, Self::ReadOnly, Self::Write];

    /// What the API calls it.
    #[must_use]
    pub const fn number(self) -> u8 {
        match self {
            Self::Hidden => 0,
            Self::ReadOnly => 1,
            Self::Write => 2,
        }
    }
}

/// Rights on what is about no object.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sections {
    /// The business, roles, permission groups, types of activities.
    pub settings: Level,
    pub team: Level,
    /// The rights on the team reach further than the own row.
    pub all_team_members: bool,
    pub create_objects: bool,
}

impl Sections {
    /// The higher of each.
    #[must_use]
    pub fn max(self, other: Self) -> Self {
        Self {
            settings: self.settings.max(other.settings),
            team: self.team.max(other.team),
            all_team_members: self.all_team_members | other.all_team_members,
            create_objects: self.create_objects | other.create_objects,
        }
    }

    /// Whether these are no less than others in anything.
    #[must_use]
    pub fn covers(self, other: Self) -> bool {
        self.max(other) == self
    }
}

/// Rights on the records of an object.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "each is a right of its own in the API")]
pub struct RecordRights {
    pub all_records: Level,
    /// On records in whose team the member is.
    pub associated_records: Level,
    pub create_record: bool,
    pub unarchive_all: bool,
    pub unarchive_associated: bool,
    pub bulk_actions: bool,
    pub export: bool,
}

/// A rule that rights on records break.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Breach {
    /// Less on associated records than on all.
    AssociatedBelowAll,
    /// A record may be created that could not be edited.
    CreateWithoutEdit,
    /// All may be unarchived, but not associated ones.
    UnarchiveAllAlone,
}

impl RecordRights {
    /// The higher of each.
    #[must_use]
    pub fn max(self, other: Self) -> Self {
        Self {
            all_records: self.all_records.max(other.all_records),
            associated_records: self.associated_records.max(other.associated_records),
            create_record: self.create_record | other.create_record,
            unarchive_all: self.unarchive_all | other.unarchive_all,
            unarchive_associated: self.unarchive_associated | other.unarchive_associated,
            bulk_actions: self.bulk_actions | other.bulk_actions,
            export: self.export | other.export,
        }
    }

    /// Whether there is any at all.
    #[must_use]
    pub fn has_any(self) -> bool {
        self != Self::default()
    }

    /// The rules that are broken.
    #[must_use]
    pub fn breaches(self) -> Vec<Breach> {
        [
            (self.associated_records < self.all_records, Breach::AssociatedBelowAll),
            (
                self.create_record && self.associated_records < Level::Edit,
                Breach::CreateWithoutEdit,
            ),
            (self.unarchive_all && !self.unarchive_associated, Breach::UnarchiveAllAlone),
        ]
        .into_iter()
        .filter_map(|(is_broken, breach)| is_broken.then_some(breach))
        .collect()
    }
}

/// What a group says about one object.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObjectRights {
    /// On the object itself and its fields.
    pub settings: Level,
    pub records: RecordRights,
    /// On the fields that are not named.
    pub default_field_access: FieldAccess,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub fields: BTreeMap<FieldId, FieldAccess>,
}

impl ObjectRights {
    /// Whether there is any right on the object; without one, what is said of fields does not count.
    #[must_use]
    pub fn has_any(&self) -> bool {
        self.settings > Level::None || self.records.has_any()
    }

    #[must_use]
    pub fn field_access(&self, field: FieldId) -> FieldAccess {
        self.fields.get(&field).copied().unwrap_or(self.default_field_access)
    }
}

/// Whom an entry of a group is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subject {
    /// Every object that has no entry of its own: `*`.
    Others,
    Object(ObjectId),
}

/// A named set of rights.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PermissionGroup {
    pub id: PermissionGroupId,
    pub name: String,
    /// Everything, whatever else the group says.
    pub is_admin: bool,
    pub sections: Sections,
    /// On objects without an entry of their own, those that are made later included.
    pub others: ObjectRights,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub objects: BTreeMap<ObjectId, ObjectRights>,
}

impl PermissionGroup {
    /// What it says about an object.
    #[must_use]
    pub fn on(&self, object: ObjectId) -> &ObjectRights {
        self.objects.get(&object).unwrap_or(&self.others)
    }

    /// What it says about a subject.
    #[must_use]
    pub fn entry(&self, subject: Subject) -> &ObjectRights {
        match subject {
            Subject::Others => &self.others,
            Subject::Object(object) => self.on(object),
        }
    }

    /// Puts an entry into its place; none takes it away.
    pub fn set(&mut self, subject: Subject, entry: Option<ObjectRights>) {
        match (subject, entry) {
            (Subject::Others, entry) => self.others = entry.unwrap_or_default(),
            (Subject::Object(object), Some(entry)) => {
                self.objects.insert(object, entry);
            }
            (Subject::Object(object), None) => {
                self.objects.remove(&object);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rights(all: Level, associated: Level) -> RecordRights {
        RecordRights { all_records: all, associated_records: associated, ..Default::default() }
    }

    #[test]
    fn every_broken_rule_is_told() {
        let check = |rights: RecordRights, breaches: &[Breach]| {
            assert_eq!(rights.breaches(), breaches, "{rights:?}");
        };
        for (at, all) in Level::ALL.into_iter().enumerate() {
            for associated in Level::ALL {
                let is_broken = associated < Level::ALL[at];
                let expected: &[_] = if is_broken { &[Breach::AssociatedBelowAll] } else { &[] };
                check(rights(all, associated), expected);
            }
        }
        for associated in Level::ALL {
            let creating = RecordRights { create_record: true, ..rights(Level::None, associated) };
            let is_broken = associated < Level::Edit;
            let expected: &[_] = if is_broken { &[Breach::CreateWithoutEdit] } else { &[] };
            check(creating, expected);
        }
        let unarchive = |all, associated| RecordRights {
            unarchive_all: all,
            unarchive_associated: associated,
            ..RecordRights::default()
        };
        check(unarchive(true, false), &[Breach::UnarchiveAllAlone]);
        check(unarchive(true, true), &[]);
        check(unarchive(false, true), &[]);
        let all = RecordRights {
            create_record: true,
            unarchive_all: true,
            ..rights(Level::View, Level::None)
        };
        check(
            all,
            &[Breach::AssociatedBelowAll, Breach::CreateWithoutEdit, Breach::UnarchiveAllAlone],
        );
    }

    #[test]
    fn an_entry_of_an_object_stands_in_the_place_of_that_of_the_others() {
        let (own, other) = (ObjectId::from_bytes([1; 16]), ObjectId::from_bytes([2; 16]));
        let mut group = PermissionGroup {
            id: PermissionGroupId::from_bytes([3; 16]),
            name: "group".into(),
            is_admin: false,
            sections: Sections::default(),
            others: ObjectRights { settings: Level::Remove, ..ObjectRights::default() },
            objects: BTreeMap::new(),
        };
        let entry = ObjectRights { settings: Level::View, ..ObjectRights::default() };
        group.set(Subject::Object(own), Some(entry));
        assert_eq!(group.on(own).settings, Level::View, "also where it says less");
        assert_eq!(group.on(other).settings, Level::Remove);
        group.set(Subject::Object(own), None);
        assert_eq!(group.on(own).settings, Level::Remove);
        group.set(Subject::Others, None);
        assert_eq!(group.on(own), &ObjectRights::default());
    }
}
