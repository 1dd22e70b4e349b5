//! Members of a business, and how they are found.

use crate::model::id::{MemberId, PermissionGroupId, RoleId, Timestamp, UserId};
use crate::model::key::{self, Key};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

/// A person or service in one business.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Member {
    pub id: MemberId,
    pub user_id: UserId,
    /// As written; unique in the business without case.
    pub email: String,
    pub first_name: String,
    pub last_name: String,
    pub title: String,
    pub account_type: AccountType,
    pub is_active: bool,
    pub roles: Vec<RoleId>,
    /// Those it has besides the groups of its roles.
    #[serde(default)]
    pub permission_groups: Vec<PermissionGroupId>,
    pub created: Timestamp,
}

impl Member {
    /// First and last name joined by one space; the e-mail where both are empty.
    #[must_use]
    pub fn display_name(&self) -> String {
        let full = self.full_name();
        if full.is_empty() { self.email.clone() } else { full }
    }

    /// First and last name joined by one space.
    #[must_use]
    pub fn full_name(&self) -> String {
        [&*self.first_name, &*self.last_name]
            .into_iter()
            .filter(|part| !part.is_empty())
            .collect::<Vec<_>>()
            .join(" ")
    }
}

/// Whether a person or a program is behind a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AccountType {
    UserStandard,
    Service,
}

/// The members of one business at one instant.
#[derive(Clone, Debug, Default)]
pub struct Members {
    by_id: HashMap<MemberId, Arc<Member>>,
    by_email: HashMap<Key, MemberId>,
    by_user: HashMap<UserId, MemberId>,
    in_order: Vec<MemberId>,
    /// Who was deleted. Their ids stay taken: what refers to them must not come back with others.
    gone: BTreeSet<MemberId>,
}

impl Members {
    #[must_use]
    pub fn get(&self, id: &MemberId) -> Option<&Arc<Member>> {
        self.by_id.get(id)
    }

    /// The member, if there is one and it may act.
    #[must_use]
    pub fn active(&self, id: &MemberId) -> Option<&Arc<Member>> {
        self.get(id).filter(|member| member.is_active)
    }

    /// By the e-mail in any spelling.
    #[must_use]
    pub fn by_email(&self, email: &str) -> Option<&Arc<Member>> {
        self.by_email.get(&key::email_key(email)).and_then(|id| self.by_id.get(id))
    }

    /// All of them, oldest first.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Member>> {
        self.in_order.iter().filter_map(|id| self.by_id.get(id))
    }

    /// By what `X-USER-ID` carries.
    #[must_use]
    pub fn by_user(&self, user: &UserId) -> Option<&Arc<Member>> {
        self.by_user.get(user).and_then(|id| self.by_id.get(id))
    }

    /// Who was deleted, in the order of their ids.
    #[must_use]
    pub fn gone(&self) -> &BTreeSet<MemberId> {
        &self.gone
    }

    /// Puts a member in the place it has already.
    ///
    /// # Panics
    /// If there is no such member.
    pub fn replace(&mut self, member: Member) {
        let (id, email) = (member.id, key::email_key(&member.email));
        let user_id = member.user_id;
        let old = self.by_id.insert(id, Arc::new(member)).expect("a member that changes is there");
        assert_eq!(old.user_id, user_id, "a member keeps its user");
        self.by_email.remove(&key::email_key(&old.email));
        self.by_email.insert(email, id);
    }

    /// Deletes a member.
    ///
    /// # Panics
    /// If there is no such member.
    pub fn delete(&mut self, id: MemberId) {
        let old = self.by_id.remove(&id).expect("a member that is deleted is there");
        self.by_email.remove(&key::email_key(&old.email));
        self.by_user.remove(&old.user_id);
        self.in_order.retain(|held| *held != id);
        self.gone.insert(id);
    }

    /// Notes who was deleted before a snapshot was taken.
    pub fn set_gone(&mut self, gone: BTreeSet<MemberId>) {
        self.gone = gone;
    }

    /// Adds a member.
    pub fn add(&mut self, member: Arc<Member>) {
        let id = member.id;
        self.by_email.insert(key::email_key(&member.email), id);
        self.by_user.insert(member.user_id, id);
        self.by_id.insert(id, member);
        self.in_order.push(id);
    }
}
