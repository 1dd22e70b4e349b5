//! Roles and permission groups: who gets what, who may hand it out, and what an older build stored.

use super::{ADMINISTRATOR, BUSINESS, Rig, create, edit, new_member};
use crate::model::access::Rights;
use crate::model::catalog::Catalog;
use crate::model::catalog::command::{
    Ask, Command, MemberEdit, Missing, NewMember, Rejection, Reply,
};
use crate::model::catalog::grant::{GROUPS_MAX, GroupEdit, ROLES_MAX, Right, RoleEdit};
use crate::model::catalog::member::{AccountType, Member};
use crate::model::catalog::permission::{
    Breach, FieldAccess, Level, ObjectRights, RecordRights, Subject,
};
use crate::model::id::{FieldId, MemberId, ObjectId, PermissionGroupId, RoleId, Timestamp, UserId};
use crate::model::state::State as _;
use crate::model::stored;
use crate::model::table::event::Stamp;
use crate::model::table::test_support::{BIRTH, caller, member};
use serde::Serialize;
use std::sync::Arc;

impl Rig {
    fn member(&mut self, new: NewMember) -> Arc<Member> {
        let Ok(Reply::Member(made)) = self.run(create(new)) else { panic!("no member") };
        made
    }

    fn group(&mut self, edit: GroupEdit) -> PermissionGroupId {
        let Ok(Reply::Group(group)) = self.run(Ask::CreateGroup(Box::new(edit))) else {
            panic!("no group")
        };
        group.id
    }

    fn role(&mut self, edit: RoleEdit) -> RoleId {
        let Ok(Reply::Role(role)) = self.run(Ask::CreateRole(Box::new(edit))) else {
            panic!("no role")
        };
        role.id
    }

    fn update_role(&mut self, id: RoleId, edit: RoleEdit) -> Result<Reply, Rejection> {
        self.run(Ask::UpdateRole(id, Box::new(edit)))
    }

    fn update_group(&mut self, id: PermissionGroupId, edit: GroupEdit) -> Result<Reply, Rejection> {
        self.run(Ask::UpdateGroup(id, Box::new(edit)))
    }

    /// Asks as another member, with the rights that it has now.
    fn run_as(&mut self, member: MemberId, ask: Ask) -> Result<Reply, Rejection> {
        let rights = self.view().rights_of(member).unwrap().clone();
        let caller = crate::model::table::command::Caller { member, rights, ..caller() };
        let mut events = Vec::new();
        let command = Command { caller, ask };
        let answer = self.catalog.decide(&(), command, &mut self.moment, &mut events);
        for event in &events {
            self.apply(event);
        }
        answer
    }

    fn rights(&self, member: MemberId) -> Arc<Rights> {
        self.view().rights_of(member).unwrap().clone()
    }
}

fn named(name: &str) -> GroupEdit {
    GroupEdit { name: Some(name.into()), ..GroupEdit::default() }
}

fn role_of(groups: &[PermissionGroupId]) -> RoleEdit {
    RoleEdit {
        name: Some("role".into()),
        permission_groups: Some(groups.to_vec()),
        ..RoleEdit::default()
    }
}

fn with_groups(email: &str, groups: &[PermissionGroupId]) -> NewMember {
    NewMember { permission_groups: groups.to_vec(), ..new_member(email) }
}

#[test]
fn rights_follow_from_roles_and_groups_and_every_change_of_them() {
    let mut rig = Rig::new();
    let settings =
        rig.group(GroupEdit { settings: Some(Level::View), ..named("those who see settings") });
    let team = rig.group(GroupEdit { team: Some(Level::View), ..named("those who see the team") });
    let role = rig.role(role_of(&[settings]));
    let roles = Some(vec![role]);
    let ann = rig.member(NewMember { roles, ..with_groups("ann@x.io", &[team]) }).id;
    let sees = |rig: &Rig| {
        let sections = rig.rights(ann).sections();
        (sections.settings, sections.team)
    };
    assert_eq!(sees(&rig), (Level::View, Level::View));
    rig.check();
    let more = GroupEdit { settings: Some(Level::Edit), ..GroupEdit::default() };
    rig.update_group(settings, more).unwrap();
    assert_eq!(sees(&rig), (Level::Edit, Level::View), "through the role");
    let without = RoleEdit { permission_groups: Some(Vec::new()), ..RoleEdit::default() };
    rig.update_role(role, without).unwrap();
    assert_eq!(sees(&rig), (Level::None, Level::View));
    rig.update_role(role, role_of(&[settings])).unwrap();
    rig.run(Ask::DeleteGroup(team)).unwrap();
    assert_eq!(sees(&rig), (Level::Edit, Level::None));
    assert!(rig.view().members.get(&ann).unwrap().permission_groups.is_empty());
    rig.check();
    rig.run(Ask::DeleteGroup(settings)).unwrap();
    assert!(rig.view().role(role).unwrap().permission_groups.is_empty());
    rig.run(Ask::DeleteRole(role)).unwrap();
    assert!(rig.view().members.get(&ann).unwrap().roles.is_empty());
    assert_eq!(sees(&rig), (Level::None, Level::None));
    rig.check();
    for (ask, expected) in [
        (Ask::DeleteRole(role), Rejection::RoleNotFound),
        (Ask::DeleteGroup(team), Rejection::GroupNotFound),
        (
            Ask::CreateRole(Box::new(role_of(&[team]))),
            Rejection::Missing(vec![Missing::PermissionGroup]),
        ),
        (
            create(with_groups("bob@x.io", &[team])),
            Rejection::Missing(vec![Missing::PermissionGroup]),
        ),
    ] {
        assert_eq!(rig.run(ask).unwrap_err(), expected);
    }
    rig.run(Ask::DeleteMember(ann)).unwrap();
    assert!(rig.view().rights_of(ann).is_none());
    rig.check();
}

#[test]
fn a_change_of_nothing_is_no_event() {
    let mut rig = Rig::new();
    let group = rig.group(GroupEdit { team: Some(Level::View), ..named("group") });
    let role = rig.role(role_of(&[group]));
    let count = rig.count;
    rig.update_group(group, GroupEdit { team: Some(Level::View), ..named("group") }).unwrap();
    rig.update_role(role, role_of(&[group])).unwrap();
    let right = Right::Settings(Level::None);
    rig.run(Ask::SetRight(group, Subject::Others, right)).unwrap();
    assert_eq!(rig.count, count);
}

#[test]
fn new_members_get_the_roles_for_them_unless_some_are_named() {
    let mut rig = Rig::new();
    let default = RoleEdit { default_for_new_users: Some(true), ..role_of(&[]) };
    let (default, other) = (rig.role(default), rig.role(role_of(&[])));
    let mut roles =
        |email: &str, roles| rig.member(NewMember { roles, ..new_member(email) }).roles.clone();
    assert_eq!(roles("a@x.io", None), [default]);
    assert_eq!(roles("b@x.io", Some(vec![other])), [other]);
    assert_eq!(roles("c@x.io", Some(Vec::new())), []);
}

#[test]
fn the_last_active_administrator_stays_whatever_would_take_it_away() {
    let mut rig = Rig::new();
    let admins = rig.group(GroupEdit { is_admin: Some(true), ..named("admins") });
    let role = rig.role(role_of(&[admins]));
    let ann = rig.member(NewMember { roles: Some(vec![role]), ..new_member("ann@x.io") }).id;
    assert!(rig.view().is_admin(ann));
    let not_admin = GroupEdit { is_admin: Some(false), ..GroupEdit::default() };
    let last = Rejection::LastAdministrator;
    let edit_ann = |edit: MemberEdit| Ask::UpdateMember(Box::new(edit));
    for (ask, key) in [
        (Ask::UpdateGroup(admins, Box::new(not_admin.clone())), Some("is_admin")),
        (Ask::DeleteGroup(admins), None),
        (Ask::UpdateRole(role, Box::new(role_of(&[]))), Some("permission_groups")),
        (Ask::DeleteRole(role), None),
        (Ask::DeleteMember(ann), None),
        (edit_ann(MemberEdit { is_active: Some(false), ..edit(ann) }), Some("is_active")),
        (edit_ann(MemberEdit { roles: Some(Vec::new()), ..edit(ann) }), Some("roles")),
    ] {
        let shown = format!("{ask:?}");
        assert_eq!(rig.run(ask).unwrap_err(), last(key), "{shown}");
    }
    let direct =
        MemberEdit { roles: Some(Vec::new()), permission_groups: Some(vec![admins]), ..edit(ann) };
    rig.run(edit_ann(direct)).unwrap();
    let none = MemberEdit { permission_groups: Some(Vec::new()), ..edit(ann) };
    assert_eq!(rig.run(edit_ann(none)).unwrap_err(), last(Some("permission_groups")));
    let roles = Some(vec![ADMINISTRATOR]);
    rig.member(NewMember { roles, ..new_member("bob@x.io") });
    rig.update_group(admins, not_admin).unwrap();
    assert!(!rig.view().is_admin(ann) && rig.view().has_administrator());
    rig.check();
}

/// A manager may edit settings and the team, and holds level 2 on one object.
struct Managed {
    rig: Rig,
    manager: MemberId,
    admin: MemberId,
    /// Has the high role.
    ann: MemberId,
    /// Groups of the manager's own rights, of less, and of more.
    managers: PermissionGroupId,
    editors: PermissionGroupId,
    removers: PermissionGroupId,
    /// Of the latter two.
    low: RoleId,
    high: RoleId,
}

const OBJECT: ObjectId = ObjectId::from_bytes([4; 16]);

fn entry(level: Level) -> ObjectRights {
    ObjectRights {
        records: RecordRights { associated_records: level, ..RecordRights::default() },
        ..ObjectRights::default()
    }
}

fn on_object(level: Level) -> GroupEdit {
    let entries = vec![(Subject::Object(OBJECT), Some(entry(level)))];
    GroupEdit { entries, ..named("group") }
}

impl Managed {
    fn new() -> Self {
        let mut rig = Rig::new();
        let managers = rig.group(GroupEdit {
            settings: Some(Level::Edit),
            team: Some(Level::Edit),
            all_team_members: Some(true),
            ..on_object(Level::Edit)
        });
        let removers = rig.group(on_object(Level::Remove));
        let editors = rig.group(on_object(Level::Edit));
        let (high, low) = (rig.role(role_of(&[removers])), rig.role(role_of(&[editors])));
        let roles = Some(vec![ADMINISTRATOR]);
        let admin = rig.member(NewMember { roles, ..new_member("admin@x.io") }).id;
        let manager = rig.member(with_groups("manager@x.io", &[managers])).id;
        let ann = rig.member(NewMember { roles: Some(vec![high]), ..new_member("ann@x.io") }).id;
        Self { rig, manager, admin, ann, managers, editors, removers, low, high }
    }

    /// What hands on more than the manager has.
    fn beyond(&self) -> Vec<Ask> {
        let of_group = |edit| Ask::CreateGroup(Box::new(edit));
        let edit_role = |id, edit| Ask::UpdateRole(id, Box::new(edit));
        let edit_member = |edit: MemberEdit| Ask::UpdateMember(Box::new(edit));
        let object = Subject::Object(OBJECT);
        let all = || RoleEdit { default_for_new_users: Some(true), ..RoleEdit::default() };
        let both = [self.editors, self.removers];
        let others = vec![(Subject::Others, Some(entry(Level::View)))];
        let with_roles = |role| NewMember { roles: Some(vec![role]), ..new_member("x@x.io") };
        let (manager, more) = (self.manager, Some(vec![self.managers, self.removers]));
        vec![
            of_group(GroupEdit { is_admin: Some(true), ..named("x") }),
            of_group(GroupEdit { settings: Some(Level::Remove), ..named("x") }),
            of_group(GroupEdit { create_objects: Some(true), ..named("x") }),
            of_group(on_object(Level::Remove)),
            of_group(GroupEdit { entries: others, ..named("x") }),
            Ask::SetRight(self.editors, object, Right::AssociatedRecords(Level::Remove)),
            Ask::SetRight(self.editors, object, Right::Export(true)),
            Ask::CreateRole(Box::new(role_of(&both))),
            edit_role(self.low, role_of(&both)),
            edit_role(self.high, all()),
            edit_role(ADMINISTRATOR, all()),
            create(with_roles(ADMINISTRATOR)),
            create(with_roles(self.high)),
            create(with_groups("x@x.io", &[self.removers])),
            edit_member(MemberEdit { roles: Some(vec![self.high]), ..edit(manager) }),
            edit_member(MemberEdit { permission_groups: more, ..edit(manager) }),
            edit_member(MemberEdit { is_active: Some(false), ..edit(self.admin) }),
            Ask::DeleteMember(self.admin),
        ]
    }

    /// What does not. What was handed out before is not handed out anew.
    fn within(&self) -> Vec<Ask> {
        let edit_member = |edit: MemberEdit| Ask::UpdateMember(Box::new(edit));
        let lower = Right::AssociatedRecords(Level::View);
        let own = GroupEdit { settings: Some(Level::Edit), ..on_object(Level::Edit) };
        let renamed = RoleEdit { name: Some("high".into()), ..RoleEdit::default() };
        let low = Some(vec![self.low]);
        let both = Some(vec![self.high, self.low]);
        vec![
            Ask::CreateGroup(Box::new(own)),
            Ask::SetRight(self.editors, Subject::Object(OBJECT), lower),
            Ask::CreateRole(Box::new(role_of(&[self.editors]))),
            create(NewMember { roles: low, ..new_member("x@x.io") }),
            create(with_groups("y@x.io", &[self.managers])),
            Ask::UpdateGroup(self.removers, Box::new(named("renamed"))),
            Ask::UpdateRole(self.high, Box::new(renamed)),
            edit_member(MemberEdit { roles: both, ..edit(self.ann) }),
            edit_member(MemberEdit { roles: Some(Vec::new()), ..edit(self.ann) }),
        ]
    }
}

#[test]
fn nobody_but_an_administrator_hands_on_more_than_it_has() {
    let mut managed = Managed::new();
    let (asking, ann, high) = (managed.manager, managed.ann, managed.high);
    for ask in managed.beyond() {
        let (shown, count) = (format!("{ask:?}"), managed.rig.count);
        let refused = managed.rig.run_as(asking, ask).unwrap_err();
        assert_eq!(refused, Rejection::BeyondRights, "{shown}");
        assert_eq!(managed.rig.count, count);
    }
    for ask in managed.within() {
        let shown = format!("{ask:?}");
        assert!(managed.rig.run_as(asking, ask).is_ok(), "{shown}");
    }
    let back = MemberEdit { roles: Some(vec![high]), ..edit(ann) };
    let back = managed.rig.run_as(asking, Ask::UpdateMember(Box::new(back)));
    assert_eq!(back.unwrap_err(), Rejection::BeyondRights);
    managed.rig.check();
}

#[test]
fn a_single_right_is_set_over_what_counted_before() {
    let mut rig = Rig::new();
    let field = FieldId::from_bytes([5; 16]);
    let others = ObjectRights { settings: Level::View, ..ObjectRights::default() };
    let entries = vec![(Subject::Others, Some(others.clone()))];
    let id = rig.group(GroupEdit { entries, ..named("group") });
    let mut set = |right| {
        let answer = rig.run(Ask::SetRight(id, Subject::Object(OBJECT), right))?;
        let Reply::Group(group) = answer else { panic!("a group is answered") };
        Ok(group.on(OBJECT).clone())
    };
    let mut expected = ObjectRights { ..others };
    expected.fields.insert(field, FieldAccess::Hidden);
    assert_eq!(set(Right::Field(field, FieldAccess::Hidden)).unwrap(), expected);
    assert_eq!(set(Right::CreateRecord(true)), Err(Rejection::Breach(Breach::CreateWithoutEdit)),);
    assert_eq!(
        set(Right::AllRecords(Level::View)),
        Err(Rejection::Breach(Breach::AssociatedBelowAll))
    );
    expected.records.associated_records = Level::Edit;
    assert_eq!(set(Right::AssociatedRecords(Level::Edit)).unwrap(), expected);
    expected.records.create_record = true;
    assert_eq!(set(Right::CreateRecord(true)).unwrap(), expected);
    let breach = set(Right::AssociatedRecords(Level::View));
    assert_eq!(breach, Err(Rejection::Breach(Breach::CreateWithoutEdit)));
    rig.check();
}

#[test]
fn roles_and_groups_have_limits() {
    let mut rig = Rig::new();
    for _ in 1..ROLES_MAX {
        rig.role(role_of(&[]));
    }
    let full = rig.run(Ask::CreateRole(Box::new(role_of(&[])))).unwrap_err();
    assert_eq!(full, Rejection::TooMany { what: "roles", max: ROLES_MAX });
    for _ in 0..GROUPS_MAX {
        rig.group(named("group"));
    }
    let full = rig.run(Ask::CreateGroup(Box::new(named("group")))).unwrap_err();
    assert_eq!(full, Rejection::TooMany { what: "permission groups", max: GROUPS_MAX });
}

// What a build without permission groups stored.

#[derive(Serialize)]
struct OldEvent<T> {
    stamp: Stamp,
    change: T,
}

#[derive(Serialize)]
enum OldChange {
    RoleCreated(OldRole),
    MemberCreated(OldMember),
}

#[derive(Clone, Serialize)]
struct OldRole {
    id: RoleId,
    name: String,
    is_admin: bool,
}

#[derive(Clone, Serialize)]
struct OldMember {
    id: MemberId,
    user_id: UserId,
    email: String,
    first_name: String,
    last_name: String,
    title: String,
    account_type: AccountType,
    is_active: bool,
    roles: Vec<RoleId>,
    is_admin: bool,
    created: Timestamp,
}

#[derive(Serialize)]
struct OldImage {
    members: Vec<OldMember>,
    api_keys: Vec<()>,
    roles: Vec<OldRole>,
    objects: Vec<()>,
}

#[test]
fn a_catalog_that_was_stored_before_there_were_groups_still_loads() {
    let role = OldRole { id: ADMINISTRATOR, name: "Administrator".into(), is_admin: true };
    let old = |number, roles: &[RoleId]| OldMember {
        id: member(number),
        user_id: UserId(member(number).0),
        email: format!("m{number}@x.io"),
        first_name: String::new(),
        last_name: String::new(),
        title: String::new(),
        account_type: AccountType::UserStandard,
        is_active: true,
        roles: roles.to_vec(),
        is_admin: !roles.is_empty(),
        created: BIRTH,
    };
    let members = [old(1, &[ADMINISTRATOR]), old(2, &[])];
    let mut log = Vec::new();
    let mut put = |change| {
        stored::encode(&OldEvent { stamp: caller().stamp(BIRTH), change }, &mut log);
    };
    put(OldChange::RoleCreated(role.clone()));
    for member in &members {
        put(OldChange::MemberCreated(member.clone()));
    }
    let mut replayed = Catalog::unborn(BUSINESS);
    assert_eq!(replayed.replay(&log).unwrap(), 3);
    let mut image = Vec::new();
    let old = OldImage {
        members: members.to_vec(),
        api_keys: Vec::new(),
        roles: vec![role],
        objects: Vec::new(),
    };
    stored::encode(&old, &mut image);
    for catalog in [replayed, Catalog::from_image(BUSINESS, &image).unwrap()] {
        let view = catalog.shown().load_full();
        assert!(view.is_admin(member(1)) && !view.is_admin(member(2)));
        assert!(view.has_administrator() && view.groups.is_empty());
        assert!(!view.rights_of(member(2)).unwrap().may_see_settings());
    }
}
