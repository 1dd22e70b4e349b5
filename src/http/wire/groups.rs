//! Permission groups, their catalogue, and a member's own rights, as answers show them.
//!
//! It must not know who may see a group; of one that is shown it leaves out what the caller cannot
//! see otherwise.

use crate::http::caller::Caller;
use crate::http::wire::group_body::OTHERS;
use crate::http::wire::objects::{EntityAccess, ObjectAccessShape};
use crate::model::access::FieldRights;
use crate::model::catalog::permission::{
    FieldAccess, Level, ObjectRights, PermissionGroup, RecordRights, Sections,
};
use crate::model::id::{ObjectId, PermissionGroupId};
use crate::model::schema::Schema;
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use std::sync::Arc;

/// Entries that are keyed by names, in their order.
#[derive(Debug)]
struct Named<T>(Vec<(String, T)>);

impl<T: Serialize> Serialize for Named<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, entry) in &self.0 {
            map.serialize_entry(name, entry)?;
        }
        map.end()
    }
}

/// Rights on sections.
#[derive(Debug, Serialize)]
struct SectionsShape {
    settings: u8,
    team: u8,
    all_team_members: bool,
    create_objects: bool,
}

impl SectionsShape {
    fn of(sections: Sections) -> Self {
        Self {
            settings: sections.settings.number(),
            team: sections.team.number(),
            all_team_members: sections.all_team_members,
            create_objects: sections.create_objects,
        }
    }
}

/// A permission group.
#[derive(Debug, Serialize)]
pub struct GroupShape<'a> {
    id: PermissionGroupId,
    name: &'a str,
    is_admin: bool,
    sections: SectionsShape,
    objects: Named<EntryShape>,
}

#[derive(Debug, Serialize)]
struct EntryShape {
    settings: u8,
    records: RecordsShape,
    default_field_access: u8,
    #[serde(skip_serializing_if = "Option::is_none")]
    fields: Option<Named<u8>>,
}

#[derive(Debug, Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "each is a right of its own in the API")]
struct RecordsShape {
    all_records: u8,
    associated_records: u8,
    create_record: bool,
    unarchive_all: bool,
    unarchive_associated: bool,
    bulk_actions: bool,
    export: bool,
}

impl<'a> GroupShape<'a> {
    /// The group, with the objects and fields that the caller may see.
    #[must_use]
    pub fn of(group: &'a PermissionGroup, caller: &Caller) -> Self {
        let mut objects = vec![(OTHERS.to_owned(), EntryShape::of(&group.others, None))];
        for (table, access) in caller.tables() {
            let schema = table.shown().schema();
            let Some(entry) = group.objects.get(&schema.object().id) else { continue };
            let fields = fields_shape(entry, &schema, &access.fields(&schema));
            objects.push((schema.object().name.clone(), EntryShape::of(entry, Some(fields))));
        }
        Self {
            id: group.id,
            name: &group.name,
            is_admin: group.is_admin,
            sections: SectionsShape::of(group.sections),
            objects: Named(objects),
        }
    }
}

fn fields_shape(entry: &ObjectRights, schema: &Arc<Schema>, visible: &FieldRights) -> Named<u8> {
    let fields = schema.fields().iter().filter(|field| visible.may_see(field.number));
    let named = fields.filter_map(|field| {
        entry.fields.get(&field.id).map(|access| (field.name.clone(), access.number()))
    });
    Named(named.collect())
}

impl EntryShape {
    fn of(entry: &ObjectRights, fields: Option<Named<u8>>) -> Self {
        let RecordRights {
            all_records,
            associated_records,
            create_record,
            unarchive_all,
            unarchive_associated,
            bulk_actions,
            export,
        } = entry.records;
        Self {
            settings: entry.settings.number(),
            records: RecordsShape {
                all_records: all_records.number(),
                associated_records: associated_records.number(),
                create_record,
                unarchive_all,
                unarchive_associated,
                bulk_actions,
                export,
            },
            default_field_access: entry.default_field_access.number(),
            fields,
        }
    }
}

/// One right that a group can give.
#[derive(Debug, Serialize)]
pub struct RightRow {
    key: &'static str,
    levels: Vec<LevelShape>,
    /// None where another right says it.
    default: Option<LevelShape>,
}

#[derive(Clone, Copy, Debug, Serialize)]
#[serde(untagged)]
enum LevelShape {
    Number(u8),
    Flag(bool),
}

/// Every right that a group can give.
#[must_use]
pub fn catalogue() -> Vec<RightRow> {
    let level = |key| RightRow {
        key,
        levels: Level::ALL.iter().map(|level| LevelShape::Number(level.number())).collect(),
        default: Some(LevelShape::Number(0)),
    };
    let flag = |key| RightRow {
        key,
        levels: [false, true].map(LevelShape::Flag).to_vec(),
        default: Some(LevelShape::Flag(false)),
    };
    let access = |key, default: Option<FieldAccess>| RightRow {
        key,
        levels: FieldAccess::ALL.iter().map(|access| LevelShape::Number(access.number())).collect(),
        default: default.map(|access| LevelShape::Number(access.number())),
    };
    vec![
        flag("is_admin"),
        level("sections.settings"),
        level("sections.team"),
        flag("sections.all_team_members"),
        flag("sections.create_objects"),
        level("objects.settings"),
        level("objects.records.all_records"),
        level("objects.records.associated_records"),
        flag("objects.records.create_record"),
        flag("objects.records.unarchive_all"),
        flag("objects.records.unarchive_associated"),
        flag("objects.records.bulk_actions"),
        flag("objects.records.export"),
        access("objects.default_field_access", Some(FieldAccess::default())),
        access("objects.fields", None),
    ]
}

/// What the caller may do, all of it in force.
#[derive(Debug, Serialize)]
pub struct OwnAccess {
    is_admin: bool,
    sections: SectionsShape,
    contacts: EntityAccess,
    custom_objects: CustomObjects,
    custom_object_entities: ById<EntityAccess>,
}

#[derive(Debug)]
struct ById<T>(Vec<(ObjectId, T)>);

impl<T: Serialize> Serialize for ById<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(id, entry)| (id, entry)))
    }
}

#[derive(Debug, Serialize)]
struct CustomObjects {
    create: bool,
    #[serde(flatten)]
    objects: ById<ObjectAccessShape>,
}

impl OwnAccess {
    #[must_use]
    pub fn of(caller: &Caller) -> Self {
        let (mut objects, mut entities) = (Vec::new(), Vec::new());
        let mut contacts = EntityAccess::none();
        for (table, access) in caller.tables() {
            let schema = table.shown().schema();
            if schema.is_contacts() {
                contacts = EntityAccess::of(&access);
                continue;
            }
            let id = schema.object().id;
            objects.push((id, ObjectAccessShape::of(&access, &schema)));
            entities.push((id, EntityAccess::of(&access)));
        }
        Self {
            is_admin: caller.rights.is_admin(),
            sections: SectionsShape::of(caller.rights.sections()),
            contacts,
            custom_objects: CustomObjects {
                create: caller.rights.may_create_objects(),
                objects: ById(objects),
            },
            custom_object_entities: ById(entities),
        }
    }
}
