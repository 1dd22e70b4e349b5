//! The steps that change members, roles and permission groups.

use crate::simulation::ask::Owner;
use crate::simulation::history::{Asked, Waiting};
use crate::simulation::machine::Machine;
use crate::simulation::sim::{Finding, Sim};
use crate::simulation::world::people::{Staffed, Staffing};
use crate::simulation::world::{Answer, Change};
use upsertd::model::catalog::CatalogView;
use upsertd::model::catalog::command::{Ask, Command, MemberEdit, NewMember};
use upsertd::model::catalog::grant::{GroupEdit, RoleEdit};
use upsertd::model::catalog::member::AccountType;
use upsertd::model::catalog::permission::Level;
use upsertd::model::id::{MemberId, PermissionGroupId, RoleId, WriterId};

impl Sim {
    pub(crate) fn staff(&mut self, asked: Staffing) -> Result<(), Finding> {
        self.drain()?;
        if !self.goes_on() {
            return Ok(());
        }
        let Some(Change::Staffed(change)) = self.history.decided.decide_staffing(asked) else {
            return Ok(());
        };
        let mut after = self.history.decided.clone();
        after.apply(&Change::Staffed(change.clone()));
        let is_change = after.people != self.history.decided.people;
        let machine = self.machine();
        let ask = ask_for(&machine.catalog_shown(), &change);
        let waiting =
            Waiting::Catalog(machine.ask_catalog(Command { caller: machine.caller(), ask }));
        let (writer, text) = (WriterId::Catalog(machine.business), format!("{asked:?}"));
        let changes = is_change.then_some(Change::Staffed(change)).into_iter().collect();
        let (table, expected) = ("nobody's", Answer::Done);
        self.history.note(Asked { writer, table, text, expected, changes, waiting });
        self.drain()
    }

    /// Looks up whom a request names; only a member who is active could be written.
    pub(crate) fn find_owner(machine: &Machine, owner: &Owner) -> Option<Owner> {
        let view = machine.catalog_shown();
        match owner {
            Owner::At(place) => {
                let active: Vec<_> =
                    view.members.iter().skip(1).filter(|member| member.is_active).collect();
                let member = active.get(place % active.len().max(1))?;
                Some(Owner::Found(member.email.clone(), member.id))
            }
            Owner::Found(..) => Some(owner.clone()),
        }
    }
}

fn ask_for(view: &CatalogView, change: &Staffed) -> Ask {
    match change {
        Staffed::Member(email, person) => {
            let roles: Vec<RoleId> = person.roles.iter().map(|name| role(view, name)).collect();
            match view.members.by_email(email) {
                None => Ask::CreateMember(Box::new(newcomer(email))),
                Some(member) => Ask::UpdateMember(Box::new(MemberEdit {
                    is_active: Some(person.is_active),
                    roles: Some(roles),
                    ..nothing(member.id)
                })),
            }
        }
        Staffed::Fired(email) => {
            Ask::DeleteMember(view.members.by_email(email).expect("they are there").id)
        }
        Staffed::Role(name, groups) => {
            let edit = Box::new(RoleEdit {
                name: Some((*name).to_owned()),
                permission_groups: Some(groups.iter().map(|name| group(view, name)).collect()),
                ..RoleEdit::default()
            });
            match view.roles.iter().find(|role| role.name == *name) {
                Some(role) => Ask::UpdateRole(role.id, edit),
                None => Ask::CreateRole(edit),
            }
        }
        Staffed::RoleDropped(name) => Ask::DeleteRole(role(view, name)),
        Staffed::Group(name, level) => {
            let levels = [Level::None, Level::View, Level::Edit, Level::Remove];
            let edit = Box::new(GroupEdit {
                name: Some((*name).to_owned()),
                settings: Some(levels[usize::from(*level)]),
                ..GroupEdit::default()
            });
            match view.groups.iter().find(|group| group.name == *name) {
                Some(group) => Ask::UpdateGroup(group.id, edit),
                None => Ask::CreateGroup(edit),
            }
        }
        Staffed::GroupDropped(name) => Ask::DeleteGroup(group(view, name)),
    }
}

fn role(view: &CatalogView, name: &str) -> RoleId {
    view.roles.iter().find(|role| role.name == name).expect("the role is there").id
}

fn group(view: &CatalogView, name: &str) -> PermissionGroupId {
    view.groups.iter().find(|group| group.name == name).expect("the group is there").id
}

fn newcomer(email: &str) -> NewMember {
    NewMember {
        id: None,
        user_id: None,
        email: email.to_owned(),
        first_name: String::new(),
        last_name: String::new(),
        title: String::new(),
        account_type: AccountType::UserStandard,
        roles: None,
        permission_groups: Vec::new(),
    }
}

fn nothing(id: MemberId) -> MemberEdit {
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
