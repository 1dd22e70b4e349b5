//! The members of the business with their roles and permission groups, written down the naive way:
//! what somebody may do is looked up, not kept.

use crate::simulation::world::{Change, World};
use std::collections::{BTreeMap, BTreeSet};

/// Whoever made the directory, as records name their owner.
pub(crate) const FOUNDER: &str = "founder";

/// A member besides the founder.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Person {
    pub(crate) is_active: bool,
    pub(crate) roles: BTreeSet<&'static str>,
}

/// Everybody by e-mail, and what they may have in common.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct People {
    pub(crate) members: BTreeMap<String, Person>,
    /// The groups of each role.
    pub(crate) roles: BTreeMap<&'static str, BTreeSet<&'static str>>,
    /// The level that each group gives.
    pub(crate) groups: BTreeMap<&'static str, u8>,
    /// Nobody ever gets the address of another.
    hired: u32,
}

/// A step that changes members, roles or groups. A member is named by its place among those who
/// are there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Staffing {
    Hire,
    SetActive(usize, bool),
    Fire(usize),
    /// A role more.
    Give(usize, &'static str),
    /// The role has these groups from now on.
    PutRole(&'static str, &'static [&'static str]),
    DropRole(&'static str),
    PutGroup(&'static str, u8),
    DropGroup(&'static str),
}

/// What becomes of the people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Staffed {
    Member(String, Person),
    Fired(String),
    Role(&'static str, BTreeSet<&'static str>),
    RoleDropped(&'static str),
    Group(&'static str, u8),
    GroupDropped(&'static str),
}

impl People {
    /// The member at a place, if anybody is there.
    pub(crate) fn member_at(&self, place: usize) -> Option<(&String, &Person)> {
        let count = self.members.len();
        if count == 0 { None } else { self.members.iter().nth(place % count) }
    }

    /// Whom a record's owner reads as.
    pub(crate) fn reads(&self, owner: Option<&String>) -> Option<String> {
        let is_there = |it: &&String| *it == FOUNDER || self.members.contains_key(*it);
        owner.filter(is_there).cloned()
    }

    /// The highest level that a member's roles give.
    pub(crate) fn level(&self, person: &Person) -> u8 {
        let groups = person.roles.iter().flat_map(|role| &self.roles[role]);
        groups.map(|group| self.groups[group]).max().unwrap_or_default()
    }

    pub(super) fn staff(&mut self, change: &Staffed) {
        match change {
            Staffed::Member(email, person) => {
                if self.members.insert(email.clone(), person.clone()).is_none() {
                    self.hired += 1;
                }
            }
            Staffed::Fired(email) => drop(self.members.remove(email)),
            Staffed::Role(role, groups) => drop(self.roles.insert(role, groups.clone())),
            Staffed::RoleDropped(role) => {
                self.roles.remove(role);
                for person in self.members.values_mut() {
                    person.roles.remove(role);
                }
            }
            Staffed::Group(group, level) => drop(self.groups.insert(group, *level)),
            Staffed::GroupDropped(group) => {
                self.groups.remove(group);
                for groups in self.roles.values_mut() {
                    groups.remove(group);
                }
            }
        }
    }
}

impl World {
    /// What is to change; none where nothing could.
    pub(crate) fn decide_staffing(&self, asked: Staffing) -> Option<Change> {
        let people = &self.people;
        let changed = match asked {
            Staffing::Hire => {
                let person = Person { is_active: true, roles: BTreeSet::new() };
                Staffed::Member(format!("m{}@example.com", people.hired), person)
            }
            Staffing::SetActive(place, is_active) => {
                let (email, person) = people.member_at(place)?;
                Staffed::Member(email.clone(), Person { is_active, ..person.clone() })
            }
            Staffing::Fire(place) => Staffed::Fired(people.member_at(place)?.0.clone()),
            Staffing::Give(place, role) => {
                let (email, person) = people.member_at(place)?;
                people.roles.get(role)?;
                let roles = person.roles.iter().copied().chain([role]).collect();
                Staffed::Member(email.clone(), Person { roles, ..person.clone() })
            }
            Staffing::PutRole(role, groups) => {
                let known = groups.iter().filter(|group| people.groups.contains_key(*group));
                Staffed::Role(role, known.copied().collect())
            }
            Staffing::DropRole(role) => {
                people.roles.get(role)?;
                Staffed::RoleDropped(role)
            }
            Staffing::PutGroup(group, level) => Staffed::Group(group, level),
            Staffing::DropGroup(group) => {
                people.groups.get(group)?;
                Staffed::GroupDropped(group)
            }
        };
        Some(Change::Staffed(changed))
    }
}
