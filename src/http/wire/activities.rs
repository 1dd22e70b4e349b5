//! Activities and their types, as answers show them.
//!
//! It must not know which of them are shown.

use crate::http::activity_access::{level_on_activity, level_on_logged};
use crate::http::caller::Caller;
use crate::http::wire::keys;
use crate::http::wire::members::MemberValue;
use crate::model::agenda::{Activity, ActivityType, Association, LoggedActivity};
use crate::model::catalog::permission::Level;
use crate::model::catalog::role::Role;
use crate::model::id::{ActivityId, ActivityTypeId, LoggedActivityId, ObjectId, RecordId, RoleId};
use crate::model::table::naming::visible_display_name;
use crate::model::value::time::timestamp_text;
use serde::Serialize;
use serde_json::value::RawValue;
use std::sync::Arc;

/// A type of activity.
#[derive(Debug, Serialize)]
pub struct ActivityTypeShape<'a> {
    id: ActivityTypeId,
    name: &'a str,
    api_name: &'a str,
    description: &'a str,
    association_mode: &'static str,
    associated_objects: Vec<SelectedObject>,
    created: String,
}

impl<'a> ActivityTypeShape<'a> {
    #[must_use]
    pub fn of(activity_type: &'a ActivityType, caller: &Caller) -> Self {
        let objects = activity_type.associated_objects.iter();
        Self {
            id: activity_type.id,
            name: &activity_type.name,
            api_name: &activity_type.api_name,
            description: &activity_type.description,
            association_mode: activity_type.association_mode.name(),
            associated_objects: objects
                .filter_map(|object| SelectedObject::find(caller, *object))
                .collect(),
            created: timestamp_text(activity_type.created, caller.business.time_zone()),
        }
    }
}

/// An object that a type selects.
#[derive(Debug, Serialize)]
struct SelectedObject {
    custom_object: ObjectName,
}

impl SelectedObject {
    fn find(caller: &Caller, object: ObjectId) -> Option<Self> {
        let table = caller.business.table(object)?;
        if !caller.access(&table).may_see_object() {
            return None;
        }
        let schema = table.shown().schema();
        let name = schema.object().name.clone();
        Some(Self { custom_object: ObjectName { id: object, name } })
    }
}

/// The type where an activity names it.
#[derive(Debug, Serialize)]
struct TypeName {
    id: ActivityTypeId,
    name: String,
    api_name: String,
    association_mode: &'static str,
}

impl TypeName {
    fn of(activity_type: &ActivityType) -> Self {
        Self {
            id: activity_type.id,
            name: activity_type.name.clone(),
            api_name: activity_type.api_name.clone(),
            association_mode: activity_type.association_mode.name(),
        }
    }
}

#[derive(Debug, Serialize)]
struct RoleName<'a> {
    id: RoleId,
    name: &'a str,
}

/// A record that an activity is about.
#[derive(Debug, Serialize)]
struct AssociatedEntity {
    custom_object: ObjectName,
    entity: EntityName,
}

#[derive(Debug, Serialize)]
struct ObjectName {
    id: ObjectId,
    name: String,
}

#[derive(Debug, Serialize)]
struct EntityName {
    id: RecordId,
    name: String,
}

impl AssociatedEntity {
    /// None where the record is purged, or the caller may not read it. An archived one stays: the
    /// activity is still about it.
    fn find(caller: &Caller, association: Association) -> Option<Self> {
        let table = caller.business.table(association.object)?;
        let record = table.shown().record(association.record)?;
        let schema = table.shown().schema();
        let access = caller.access(&table);
        if !access.may_read(&schema, &record) {
            return None;
        }
        let rights = access.fields(&schema);
        let object = schema.object();
        Some(Self {
            custom_object: ObjectName { id: object.id, name: object.name.clone() },
            entity: EntityName {
                id: record.id(),
                name: visible_display_name(&schema, &record, &rights).into_owned(),
            },
        })
    }
}

/// What may be done with an activity.
#[derive(Debug, Serialize)]
struct ActivityAccess {
    view: bool,
    edit: bool,
    remove: bool,
}

impl ActivityAccess {
    fn of(level: Level) -> Self {
        Self {
            view: level >= Level::View,
            edit: level >= Level::Edit,
            remove: level >= Level::Remove,
        }
    }
}

/// A scheduled activity.
#[derive(Debug, Serialize)]
pub struct ActivityShape<'a> {
    id: ActivityId,
    note: &'a str,
    due_datetime: String,
    original_due_datetime: String,
    completed_at: Option<String>,
    /// The entry that completed it, if one did.
    logged_activity_id: Option<LoggedActivityId>,
    created: String,
    activity_object: TypeName,
    employee: Option<MemberValue<'a>>,
    role: Option<RoleName<'a>>,
    mentions: Vec<MemberValue<'a>>,
    associated_entities: Vec<AssociatedEntity>,
    notifications: &'a RawValue,
    access: ActivityAccess,
}

impl<'a> ActivityShape<'a> {
    /// The activity as the caller sees it.
    ///
    /// # Panics
    /// On an activity of a type that the business does not have.
    #[must_use]
    pub fn of(activity: &'a Activity, caller: &'a Caller) -> Self {
        let Caller { business, catalog, .. } = caller;
        let time = |at| timestamp_text(at, business.time_zone());
        let member = |id| MemberValue::find(&catalog.members, id);
        let associations = activity.associations.iter();
        let activity_type = business.agenda().activity_type(activity.activity_type);
        let activity_type = activity_type.expect("an activity is of a type that is there");
        Self {
            id: activity.id,
            note: &activity.note,
            due_datetime: time(activity.due),
            original_due_datetime: time(activity.original_due),
            completed_at: activity.completed_at.map(time),
            logged_activity_id: activity.logged,
            created: time(activity.created),
            activity_object: TypeName::of(&activity_type),
            employee: activity.employee.and_then(member),
            role: activity.role.and_then(|id| role_name(&catalog.roles, id)),
            mentions: activity.mentions.iter().filter_map(|id| member(*id)).collect(),
            associated_entities: associations
                .filter_map(|association| AssociatedEntity::find(caller, *association))
                .collect(),
            notifications: keys::kept_json(&activity.notifications),
            access: ActivityAccess::of(level_on_activity(caller, activity)),
        }
    }
}

fn role_name(roles: &Arc<Vec<Role>>, id: RoleId) -> Option<RoleName<'_>> {
    roles.iter().find(|role| role.id == id).map(|role| RoleName { id, name: &role.name })
}

/// Something that took place.
#[derive(Debug, Serialize)]
pub struct LoggedShape<'a> {
    id: LoggedActivityId,
    notes: &'a str,
    scheduled_activity_id: Option<ActivityId>,
    created: String,
    activity_object: TypeName,
    /// Who logged it.
    employee: Option<MemberValue<'a>>,
    mentions: Vec<MemberValue<'a>>,
    related_objects: Vec<AssociatedEntity>,
    access: ActivityAccess,
}

impl<'a> LoggedShape<'a> {
    /// The entry as the caller sees it.
    ///
    /// # Panics
    /// On an entry of a type that the business does not have.
    #[must_use]
    pub fn of(logged: &'a LoggedActivity, caller: &'a Caller) -> Self {
        let Caller { business, catalog, .. } = caller;
        let member = |id| MemberValue::find(&catalog.members, id);
        let associations = logged.associations.iter();
        let activity_type = business.agenda().activity_type(logged.activity_type);
        let activity_type = activity_type.expect("what was logged is of a type that is there");
        Self {
            id: logged.id,
            notes: &logged.notes,
            scheduled_activity_id: logged.scheduled,
            created: timestamp_text(logged.created, business.time_zone()),
            activity_object: TypeName::of(&activity_type),
            employee: member(logged.created_by),
            mentions: logged.mentions.iter().filter_map(|id| member(*id)).collect(),
            related_objects: associations
                .filter_map(|association| AssociatedEntity::find(caller, *association))
                .collect(),
            access: ActivityAccess::of(level_on_logged(caller, logged)),
        }
    }
}
