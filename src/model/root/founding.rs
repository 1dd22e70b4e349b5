//! What a business begins with: its administrator and key, the contact object, the activity type
//! for tasks.

use crate::model::agenda::{self, ActivityType, AssociationMode};
use crate::model::catalog::api_key::ApiKey;
use crate::model::catalog::member::Member;
use crate::model::catalog::role::Role;
use crate::model::catalog::{self, Birth as TableBirth, ObjectEntry};
use crate::model::id::{
    ActivityTypeId, ApiKeyId, BatchId, BusinessId, HistoryId, MemberId, RoleId, UserId,
};
use crate::model::moment::Moment;
use crate::model::root::command::{FirstKey, Founded, NewBusiness};
use crate::model::root::{Birth, Business, Event};
use crate::model::schema::default_fields;
use crate::model::table::event::Stamp;
use std::sync::Arc;

/// The event that makes a business, with the first events of all its states.
pub(super) fn found(
    new: NewBusiness,
    (actor, batch): (MemberId, BatchId),
    moment: &mut Moment,
) -> (Event, Founded) {
    let at = moment.at();
    let business = Business {
        id: new.id.unwrap_or_else(|| BusinessId(moment.id())),
        name: new.name,
        timezone: new.timezone,
        country: new.country,
        phone_default_region: new.phone_default_region,
        created: at,
        archived_at: None,
    };
    let role = Role::administrator(RoleId(moment.id()));
    let id = new.admin.id.unwrap_or_else(|| MemberId(moment.id()));
    let member = Member {
        id,
        user_id: new.admin.user_id.unwrap_or(UserId(id.0)),
        email: new.admin.email,
        first_name: new.admin.first_name,
        last_name: new.admin.last_name,
        title: new.admin.title,
        account_type: new.admin.account_type,
        is_active: true,
        roles: vec![role.id],
        permission_groups: Vec::new(),
        created: at,
    };
    let key = first_key(new.key, &member, moment);
    // Nobody was there to ask for it but the member it is made for.
    let stamp = Stamp { at, actor: member.id, origin: key.origin.clone(), batch };
    let catalog = first_catalog_events(role, (&member, &key), &stamp, moment);
    let change = agenda::Change::TypeCreated(task(moment));
    let birth = Birth { catalog, agenda: vec![agenda::Event { stamp, change }] };
    let founding = Event::BusinessCreated {
        at,
        business: business.clone(),
        actor,
        batch,
        birth: Some(Box::new(birth)),
    };
    (founding, Founded { business, member, key })
}

fn first_key(key: FirstKey, member: &Member, moment: &mut Moment) -> ApiKey {
    ApiKey {
        id: ApiKeyId(moment.id()),
        origin: key.name.as_str().into(),
        name: key.name,
        prefix: key.prefix,
        member: member.id,
        hash: key.hash,
        created: moment.at(),
        expires_at: None,
        last_used: None,
    }
}

fn first_catalog_events(
    role: Role,
    (member, key): (&Member, &ApiKey),
    stamp: &Stamp,
    moment: &mut Moment,
) -> Vec<catalog::Event> {
    let schema = Arc::new(default_fields::contacts(stamp.at, &mut || moment.id()));
    let (id, name) = (schema.object().id, schema.object().name.clone());
    let entry = ObjectEntry { id, name, is_archived: false };
    let birth = Some(TableBirth { history: HistoryId(moment.id()), schema });
    [
        catalog::Change::RoleCreated(role),
        catalog::Change::MemberCreated(member.clone()),
        catalog::Change::ApiKeyCreated(key.clone()),
        catalog::Change::ObjectCreated { entry, birth },
    ]
    .into_iter()
    .map(|change| catalog::Event { stamp: stamp.clone(), change })
    .collect()
}

fn task(moment: &mut Moment) -> ActivityType {
    ActivityType {
        id: ActivityTypeId(moment.id()),
        name: "Task".to_owned(),
        api_name: "task".to_owned(),
        description: String::new(),
        association_mode: AssociationMode::AllObjectsAssociated,
        associated_objects: Vec::new(),
        is_deleted: false,
        created: moment.at(),
    }
}
