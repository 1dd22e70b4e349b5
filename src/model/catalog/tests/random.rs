//! Steps of chance: what a catalog keeps beside its lists is what follows from them, live, replayed
//! and loaded.

use super::{Rig, create, edit, new_key, new_member};
use crate::model::catalog::CatalogView;
use crate::model::catalog::command::{Ask, MemberEdit};
use crate::model::catalog::grant::{GroupEdit, RoleEdit};
use crate::model::catalog::permission::Level;
use crate::model::id::{ApiKeyId, MemberId, PermissionGroupId, RoleId};
use crate::model::schema::new_object::NewObject;
use crate::model::table::test_support::BIRTH;
use proptest::prelude::*;
use proptest::sample::Index;

const LEVELS: [Level; 4] = [Level::None, Level::View, Level::Edit, Level::Remove];

/// Whatever is named is one of those that are there.
#[derive(Clone, Debug)]
enum Step {
    Hire(u8),
    SetActive(Index, bool),
    Rename(Index, u8),
    Give(Index, Vec<Index>, Vec<Index>),
    Fire(Index),
    MakeKey(Index, u8),
    RevokeKey(Index),
    MakeRole(Vec<Index>, bool),
    ChangeRole(Index, Vec<Index>),
    DropRole(Index),
    MakeGroup(usize, bool),
    ChangeGroup(Index, usize, bool),
    DropGroup(Index),
    MakeObject(u8),
    DiscardName(Index),
}

fn any_step() -> impl Strategy<Value = Step> {
    let one = any::<Index>;
    let some = || prop::collection::vec(any::<Index>(), 0..3);
    prop_oneof![
        6 => (0..6_u8).prop_map(Step::Hire),
        2 => (one(), any::<bool>()).prop_map(|(at, is_active)| Step::SetActive(at, is_active)),
        2 => (one(), 0..6_u8).prop_map(|(at, email)| Step::Rename(at, email)),
        5 => (one(), some(), some()).prop_map(|(at, roles, groups)| Step::Give(at, roles, groups)),
        3 => one().prop_map(Step::Fire),
        3 => (one(), 0..6_u8).prop_map(|(at, secret)| Step::MakeKey(at, secret)),
        1 => one().prop_map(Step::RevokeKey),
        3 => (some(), any::<bool>())
            .prop_map(|(groups, is_default)| Step::MakeRole(groups, is_default)),
        2 => (one(), some()).prop_map(|(at, groups)| Step::ChangeRole(at, groups)),
        2 => one().prop_map(Step::DropRole),
        4 => (0..LEVELS.len(), prop::bool::weighted(0.1))
            .prop_map(|(level, is_admin)| Step::MakeGroup(level, is_admin)),
        2 => (one(), 0..LEVELS.len(), prop::bool::weighted(0.1))
            .prop_map(|(at, level, is_admin)| Step::ChangeGroup(at, level, is_admin)),
        2 => one().prop_map(Step::DropGroup),
        1 => (0..4_u8).prop_map(Step::MakeObject),
        1 => one().prop_map(Step::DiscardName),
    ]
}

fn pick<T: Copy>(of: impl Iterator<Item = T>, at: Index) -> Option<T> {
    let all: Vec<T> = of.collect();
    if all.is_empty() { None } else { Some(all[at.index(all.len())]) }
}

fn member(view: &CatalogView, at: Index) -> Option<MemberId> {
    pick(view.members.iter().map(|member| member.id), at)
}

fn roles(view: &CatalogView, at: &[Index]) -> Vec<RoleId> {
    at.iter().filter_map(|at| pick(view.roles.iter().map(|role| role.id), *at)).collect()
}

fn groups(view: &CatalogView, at: &[Index]) -> Vec<PermissionGroupId> {
    at.iter().filter_map(|at| pick(view.groups.iter().map(|group| group.id), *at)).collect()
}

fn email(number: u8) -> String {
    format!("m{number}@example.com")
}

fn group_edit(level: usize, is_admin: bool) -> GroupEdit {
    let (name, settings) = (Some("group".into()), Some(LEVELS[level]));
    GroupEdit { name, settings, is_admin: Some(is_admin), ..GroupEdit::default() }
}

fn role_edit(view: &CatalogView, at: &[Index], is_default: Option<bool>) -> RoleEdit {
    RoleEdit {
        name: Some("role".into()),
        permission_groups: Some(groups(view, at)),
        default_for_new_users: is_default,
        ..RoleEdit::default()
    }
}

/// What a step asks; none where there is nothing that it could name.
fn ask(view: &CatalogView, step: &Step) -> Option<Ask> {
    let change = |at: Index, change: &dyn Fn(&mut MemberEdit)| {
        let mut changed = edit(member(view, at)?);
        change(&mut changed);
        Some(Ask::UpdateMember(Box::new(changed)))
    };
    match step {
        Step::Hire(number) => Some(create(new_member(&email(*number)))),
        Step::SetActive(at, is_active) => change(*at, &|it| it.is_active = Some(*is_active)),
        Step::Rename(at, number) => change(*at, &|it| it.email = Some(email(*number))),
        Step::Give(at, given, more) => change(*at, &|it| {
            it.roles = Some(roles(view, given));
            it.permission_groups = Some(groups(view, more));
        }),
        Step::Fire(at) => member(view, *at).map(Ask::DeleteMember),
        Step::MakeKey(at, secret) => {
            let key = new_key(member(view, *at)?, &format!("secret {secret}"));
            Some(Ask::CreateApiKey(Box::new(key)))
        }
        Step::RevokeKey(at) => key(view, *at).map(Ask::RevokeApiKey),
        Step::MakeRole(of, is_default) => {
            Some(Ask::CreateRole(Box::new(role_edit(view, of, Some(*is_default)))))
        }
        Step::ChangeRole(at, of) => {
            let role = *roles(view, &[*at]).first()?;
            Some(Ask::UpdateRole(role, Box::new(role_edit(view, of, None))))
        }
        Step::DropRole(at) => roles(view, &[*at]).first().copied().map(Ask::DeleteRole),
        Step::MakeGroup(level, is_admin) => {
            Some(Ask::CreateGroup(Box::new(group_edit(*level, *is_admin))))
        }
        Step::ChangeGroup(at, level, is_admin) => {
            let group = *groups(view, &[*at]).first()?;
            Some(Ask::UpdateGroup(group, Box::new(group_edit(*level, *is_admin))))
        }
        Step::DropGroup(at) => groups(view, &[*at]).first().copied().map(Ask::DeleteGroup),
        Step::MakeObject(number) => {
            let object_name = Some(format!("object {number}"));
            let new = NewObject { object_name, ..NewObject::default() };
            Some(Ask::CreateObject(Box::new(new)))
        }
        Step::DiscardName(at) => {
            let object = pick(view.objects.iter().map(|entry| entry.id), *at)?;
            Some(Ask::DiscardName { object, archived_at: BIRTH })
        }
    }
}

fn key(view: &CatalogView, at: Index) -> Option<ApiKeyId> {
    pick(view.api_keys.in_order().into_iter().map(|key| key.id), at)
}

/// The rights of each member are what its groups and roles say now, and nobody has what is gone.
fn check_rights(view: &CatalogView) {
    for member in view.members.iter() {
        let roles = member.roles.iter().map(|id| view.role(*id).expect("a role is there"));
        let roles: Vec<_> = roles.collect();
        let of_roles = roles.iter().flat_map(|role| &role.permission_groups);
        let all = of_roles.chain(&member.permission_groups);
        let all: Vec<_> = all.map(|id| view.group(*id).expect("a group is there")).collect();
        let is_admin =
            roles.iter().any(|role| role.is_admin) || all.iter().any(|group| group.is_admin);
        let highest = all.iter().map(|group| group.sections.settings).max().unwrap_or_default();
        let expected = if is_admin { Level::Remove } else { highest };
        let rights = view.rights_of(member.id).expect("a member has rights");
        assert_eq!((rights.is_admin(), rights.sections().settings), (is_admin, expected));
    }
    for key in view.api_keys.iter() {
        assert!(view.members.get(&key.member).is_some(), "a key goes with its member");
    }
}

proptest! {
    #[test]
    fn what_is_kept_beside_the_lists_follows_from_them(
        steps in prop::collection::vec(any_step(), 1..60),
    ) {
        let mut rig = Rig::new();
        for step in &steps {
            let view = rig.view();
            if let Some(ask) = ask(&view, step) {
                // What is refused changes nothing; why it is refused is tested by itself.
                drop(rig.run(ask));
                check_rights(&rig.view());
            }
        }
        rig.check();
    }
}
