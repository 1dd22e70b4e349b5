//! A catalog: who is taken, what is created, and that log and image give the same.

use super::api_key::SecretHash;
use super::command::{Ask, Command, MemberEdit, Missing, NewApiKey, NewMember, Rejection, Reply};
use super::member::AccountType;
use super::role::Role;
use super::{Catalog, CatalogView, Change, Event};
use crate::model::id::{
    BatchId, BusinessId, MemberId, PermissionGroupId, RoleId, Timestamp, UserId,
};
use crate::model::moment::Moment;
use crate::model::schema::fault::{BodyPlace, SchemaFaultKind};
use crate::model::schema::name::NameFault;
use crate::model::schema::new_object::NewObject;
use crate::model::state::State;
use crate::model::table::Table;
use crate::model::table::event::Stamp;
use crate::model::table::test_support::{BIRTH, SETTING, caller, member};
use std::sync::Arc;

mod grants;
mod random;

const BUSINESS: BusinessId = BusinessId::from_bytes([5; 16]);
const ADMINISTRATOR: RoleId = RoleId::from_bytes([6; 16]);

struct Rig {
    catalog: Catalog,
    moment: Moment,
    log: Vec<u8>,
    count: u32,
    /// First parts of tables.
    births: Vec<Vec<u8>>,
}

impl Rig {
    fn new() -> Self {
        let mut rig = Self {
            catalog: Catalog::unborn(BUSINESS),
            moment: Moment::new(3, BIRTH),
            log: Vec::new(),
            count: 0,
            births: Vec::new(),
        };
        let stamp = Stamp {
            at: BIRTH,
            actor: member(1),
            origin: "tests".into(),
            batch: BatchId::from_bytes([9; 16]),
        };
        let role = Role::administrator(ADMINISTRATOR);
        rig.apply(&Event { stamp, change: Change::RoleCreated(role) });
        rig
    }

    fn apply(&mut self, event: &Event) {
        Catalog::encode(event, &mut self.log);
        self.births.extend(Catalog::newborns(event).into_iter().map(|born| born.bytes));
        self.catalog.apply(event);
        self.count += 1;
    }

    fn run(&mut self, ask: Ask) -> Result<Reply, Rejection> {
        let command = Command { caller: caller(), ask };
        assert!(Catalog::on_plain_state(&command), "a catalog has no draft");
        let mut events = Vec::new();
        let answer = self.catalog.decide(&(), command, &mut self.moment, &mut events);
        assert!(events.len() <= usize::from(answer.is_ok()), "one event, or none for nothing");
        for event in &events {
            self.apply(event);
        }
        answer
    }

    fn view(&self) -> Arc<CatalogView> {
        self.catalog.shown().load_full()
    }

    fn image(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        self.catalog.encode_image(&mut bytes);
        bytes
    }

    /// Asserts that log and image give the same catalog.
    fn check(&self) {
        let mut replayed = Catalog::unborn(BUSINESS);
        assert_eq!(replayed.replay(&self.log).unwrap(), self.count);
        let loaded = Catalog::from_image(BUSINESS, &self.image()).unwrap();
        for other in [replayed, loaded] {
            let mut bytes = Vec::new();
            other.encode_image(&mut bytes);
            assert_eq!(bytes, self.image());
            let (other, own) = (other.shown().load_full(), self.view());
            for held in own.members.iter() {
                assert_eq!(other.members.get(&held.id), Some(held));
                assert_eq!(other.members.by_user(&held.user_id), Some(held));
                assert_eq!(other.members.by_email(&held.email.to_uppercase()), Some(held));
                assert_eq!(other.rights_of(held.id), own.rights_of(held.id));
            }
            for entry in own.objects.iter() {
                assert_eq!(other.object_of_name(&entry.name), Some(entry.id));
                assert_eq!(other.object(entry.id), Some(entry));
            }
        }
    }
}

fn new_member(email: &str) -> NewMember {
    NewMember {
        id: None,
        user_id: None,
        email: email.into(),
        first_name: "Ann".into(),
        last_name: String::new(),
        title: String::new(),
        account_type: AccountType::UserStandard,
        roles: None,
        permission_groups: Vec::new(),
    }
}

fn create(member: NewMember) -> Ask {
    Ask::CreateMember(Box::new(member))
}

fn new_key(member: MemberId, secret: &str) -> NewApiKey {
    NewApiKey {
        name: "sync".into(),
        prefix: "abcdefgh".into(),
        origin: None,
        member,
        hash: SecretHash::of(secret),
        expires_at: None,
    }
}

#[test]
fn a_member_has_an_id_a_user_and_an_address_of_its_own() {
    let mut rig = Rig::new();
    let Ok(Reply::Member(ann)) = rig.run(create(new_member("ann@x.io"))) else {
        panic!("no member")
    };
    assert_eq!((ann.user_id, ann.is_active), (UserId(ann.id.0), true));
    assert!(!rig.view().is_admin(ann.id));
    let (id, user_id) = (Some(member(8)), Some(UserId::from_bytes([9; 16])));
    let roles = Some(vec![ADMINISTRATOR]);
    let bob = NewMember { id, user_id, roles, ..new_member("bob@x.io") };
    let Ok(Reply::Member(bob)) = rig.run(create(bob)) else { panic!("no member") };
    assert!(rig.view().is_admin(bob.id));
    let mut check = |new: NewMember, expected| {
        assert_eq!(rig.run(create(new)).unwrap_err(), expected);
    };
    check(NewMember { id, ..new_member("cid@x.io") }, Rejection::MemberTaken(vec!["id"]));
    check(NewMember { user_id, ..new_member("cid@x.io") }, Rejection::MemberTaken(vec!["user_id"]));
    check(new_member("ANN@X.io"), Rejection::MemberTaken(vec!["email"]));
    let roles = Some(vec![RoleId::from_bytes([1; 16])]);
    check(NewMember { roles, ..new_member("cid@x.io") }, Rejection::Missing(vec![Missing::Role]));
    let groups = vec![PermissionGroupId::from_bytes([1; 16])];
    let stranger = NewMember { permission_groups: groups, ..new_member("ann@x.io") };
    let stranger = NewMember { roles: Some(vec![RoleId::from_bytes([1; 16])]), ..stranger };
    let missing = vec![Missing::Role, Missing::PermissionGroup];
    check(stranger, Rejection::Missing(missing));
    let double = NewMember { id: Some(bob.id), user_id, ..new_member("ann@x.io") };
    check(double, Rejection::MemberTaken(vec!["id", "user_id", "email"]));
    // A given id may not be another's user id either way: each is looked up in its own list.
    let id = Some(MemberId(user_id.unwrap().0));
    check(NewMember { id, ..new_member("cid@x.io") }, Rejection::MemberTaken(vec!["user_id"]));
    rig.check();
}

#[test]
fn a_key_is_known_by_its_secret_alone() {
    let mut rig = Rig::new();
    let Ok(Reply::Member(ann)) = rig.run(create(new_member("ann@x.io"))) else {
        panic!("no member")
    };
    let create = |key| Ask::CreateApiKey(Box::new(key));
    let Ok(Reply::ApiKey(key)) = rig.run(create(new_key(ann.id, "a secret of sixteen"))) else {
        panic!("no key")
    };
    assert_eq!((&*key.origin, key.member), ("sync", ann.id), "the origin is the name");
    let keys = rig.view().api_keys.clone();
    assert_eq!(keys.of_secret("a secret of sixteen"), Some(&key));
    assert_eq!(keys.of_secret("a secret of sixteem"), None);
    let again = rig.run(create(new_key(ann.id, "a secret of sixteen"))).unwrap_err();
    assert_eq!(again, Rejection::SecretTaken);
    let nobody = rig.run(create(new_key(member(77), "another secret here"))).unwrap_err();
    assert_eq!(nobody, Rejection::UnknownMember);
    let text = String::from_utf8_lossy(&rig.log).into_owned();
    assert!(!text.contains("a secret of sixteen"), "the secret is not stored");
    let expires_at = Some(Timestamp(BIRTH.0 + 5));
    let short = NewApiKey { expires_at, ..new_key(ann.id, "a short-lived secret") };
    let Ok(Reply::ApiKey(short)) = rig.run(create(short)) else { panic!("no key") };
    assert!(!short.is_expired(Timestamp(BIRTH.0 + 4)));
    assert!(short.is_expired(Timestamp(BIRTH.0 + 5)));
    rig.check();
}

#[test]
fn an_object_has_a_name_of_its_own_and_a_table() {
    let mut rig = Rig::new();
    let object = |label: &str, name: Option<&str>| {
        let (object_name, name) = (Some(label.into()), name.map(Into::into));
        Ask::CreateObject(Box::new(NewObject { object_name, name, ..NewObject::default() }))
    };
    let Ok(Reply::Object(deals)) = rig.run(object("Deals", None)) else { panic!("no object") };
    assert_eq!(deals.object().name, "deals");
    let Ok(Reply::Object(again)) = rig.run(object("Deals", None)) else { panic!("no object") };
    assert!(again.object().name.starts_with("deals_"), "{}", again.object().name);
    let Err(Rejection::ObjectFaults(faults)) = rig.run(object("Deals", Some("deals"))) else {
        panic!("the name is taken")
    };
    assert_eq!(faults[0].place, BodyPlace::Key("name"));
    assert_eq!(faults[0].fault, SchemaFaultKind::ObjectName(NameFault::Taken));
    for (bytes, schema) in rig.births.iter().zip([&deals, &again]) {
        let (table, count) = Table::from_birth(bytes, SETTING).unwrap();
        assert_eq!((count, table.object()), (1, schema.object().id));
        assert_eq!(table.shown().schema(), *schema);
    }
    assert_eq!(rig.births.len(), 2);
    rig.check();
}

#[test]
fn the_name_of_an_archived_object_is_free_and_its_entry_stays() {
    let mut rig = Rig::new();
    let object = |name: &str| {
        let (object_name, name) = (Some("Deals".into()), Some(name.into()));
        Ask::CreateObject(Box::new(NewObject { object_name, name, ..NewObject::default() }))
    };
    let make = |rig: &mut Rig, name: &str| match rig.run(object(name)) {
        Ok(Reply::Object(schema)) => schema.object().id,
        other => panic!("{other:?}"),
    };
    let first = make(&mut rig, "deals");
    let taken = make(&mut rig, "deals_discarded_7");
    let archived_at = Timestamp(7);
    rig.run(Ask::DiscardName { object: first, archived_at }).unwrap();
    let entry = rig.view().object(first).unwrap().clone();
    assert_eq!((&*entry.name, entry.is_archived), ("deals_discarded_7_2", true));
    assert_eq!(rig.view().object_of_name("deals"), None);
    assert_eq!(rig.view().object_of_name("deals_discarded_7"), Some(taken));
    let count = rig.count;
    rig.run(Ask::DiscardName { object: first, archived_at }).unwrap();
    assert_eq!(rig.count, count, "it is sent again after a crash, and done once");
    let second = make(&mut rig, "deals");
    assert_eq!(
        rig.view().objects.iter().map(|it| it.id).collect::<Vec<_>>(),
        [first, taken, second]
    );
    rig.check();
}

#[test]
fn a_business_has_a_limit_of_objects() {
    let mut rig = Rig::new();
    let object = |at: usize| {
        let object_name = Some(format!("object {at}"));
        Ask::CreateObject(Box::new(NewObject { object_name, ..NewObject::default() }))
    };
    for at in 0..super::command::OBJECTS_MAX {
        rig.run(object(at)).unwrap();
    }
    assert_eq!(rig.run(object(999)).unwrap_err(), Rejection::TooManyObjects);
    let (object_of, archived_at) = (rig.view().objects[3].id, BIRTH);
    rig.run(Ask::DiscardName { object: object_of, archived_at }).unwrap();
    rig.run(object(999)).unwrap();
    assert_eq!(rig.run(object(1000)).unwrap_err(), Rejection::TooManyObjects);
}

fn edit(id: MemberId) -> MemberEdit {
    MemberEdit {
        id,
        email: None,
        first_name: None,
        last_name: None,
        title: None,
        account_type: None,
        is_active: None,
        roles: None,
        permission_groups: None,
    }
}

#[test]
fn a_member_who_is_gone_leaves_nothing_but_a_taken_id() {
    let mut rig = Rig::new();
    let mut make = |id: u8, email: &str| {
        let new = NewMember {
            id: Some(member(id)),
            roles: Some(vec![ADMINISTRATOR]),
            ..new_member(email)
        };
        rig.run(create(new)).unwrap();
        let key = new_key(member(id), &format!("the secret of {email}"));
        rig.run(Ask::CreateApiKey(Box::new(key))).unwrap();
    };
    make(1, "ann@x.io");
    make(2, "bob@x.io");
    let email = Some("ANN@y.io".to_owned());
    rig.run(Ask::UpdateMember(Box::new(MemberEdit { email, ..edit(member(1)) }))).unwrap();
    assert!(rig.view().members.by_email("ann@x.io").is_none());
    assert_eq!(rig.view().members.by_email("ann@Y.io").unwrap().id, member(1));
    rig.check();
    let count = rig.count;
    rig.run(Ask::UpdateMember(Box::new(edit(member(1))))).unwrap();
    assert_eq!(rig.count, count, "a change of nothing is no event");
    rig.run(Ask::DeleteMember(member(1))).unwrap();
    let view = rig.view();
    assert_eq!(view.api_keys.of_secret("the secret of ann@x.io"), None);
    assert!(view.api_keys.of_secret("the secret of bob@x.io").is_some());
    assert!(view.members.get(&member(1)).is_none() && view.members.by_email("ann@y.io").is_none());
    assert_eq!(view.members.gone().iter().copied().collect::<Vec<_>>(), [member(1)]);
    rig.check();
    assert_eq!(rig.run(Ask::DeleteMember(member(1))).unwrap_err(), Rejection::MemberNotFound);
    let again = NewMember { id: Some(member(1)), ..new_member("ann@x.io") };
    assert_eq!(rig.run(create(again)).unwrap_err(), Rejection::MemberTaken(vec!["id"]));
    let last = Rejection::LastAdministrator(None);
    assert_eq!(rig.run(Ask::DeleteMember(member(2))).unwrap_err(), last);
}

#[test]
fn a_key_is_revoked_and_its_use_is_noted_once_an_hour() {
    let mut rig = Rig::new();
    let Ok(Reply::Member(ann)) = rig.run(create(new_member("ann@x.io"))) else {
        panic!("no member")
    };
    let new = new_key(ann.id, "a secret of sixteen");
    let Ok(Reply::ApiKey(key)) = rig.run(Ask::CreateApiKey(Box::new(new))) else {
        panic!("no key")
    };
    let (id, count) = (key.id, rig.count);
    for (hour, events) in [(2, 1), (2, 1), (1, 1), (3, 2)] {
        rig.run(Ask::NoteKeyUse { id, hour: Timestamp(hour) }).unwrap();
        assert_eq!(rig.count, count + events, "hour {hour}");
    }
    assert_eq!(rig.view().api_keys.get(id).unwrap().last_used, Some(Timestamp(3)));
    rig.check();
    rig.run(Ask::RevokeApiKey(id)).unwrap();
    assert_eq!(rig.view().api_keys.of_secret("a secret of sixteen"), None);
    rig.run(Ask::NoteKeyUse { id, hour: Timestamp(4) }).unwrap();
    assert_eq!(rig.run(Ask::RevokeApiKey(id)).unwrap_err(), Rejection::KeyNotFound);
    rig.check();
}
