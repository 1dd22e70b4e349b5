//! Members of a business, and how they are found.

use crate::model::id::{MemberId, Timestamp, UserId};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
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
    /// Holds the role that may do everything.
    pub is_admin: bool,
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
    by_email: HashMap<Box<[u8]>, MemberId>,
    in_order: Vec<MemberId>,
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

    /// By the normal form of the e-mail (`key::email_key`).
    #[must_use]
    pub fn by_email_key(&self, key: &[u8]) -> Option<&Arc<Member>> {
        self.by_email.get(key).and_then(|id| self.by_id.get(id))
    }

    /// All of them, oldest first.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Member>> {
        self.in_order.iter().filter_map(|id| self.by_id.get(id))
    }

    /// Adds or replaces a member; `email_key` is the normal form of its e-mail.
    pub fn put(&mut self, member: Arc<Member>, email_key: Box<[u8]>) {
        let id = member.id;
        if self.by_id.insert(id, member).is_none() {
            self.in_order.push(id);
        }
        self.by_email.retain(|_, holder| *holder != id);
        self.by_email.insert(email_key, id);
    }
}
