//! A member as a value: what fields, owners and activities show of one.

use crate::model::catalog::member::{Member, Members};
use crate::model::id::MemberId;
use serde::Serialize;

/// A member as a value. One that is gone is no value, so `deleted` is always false.
#[derive(Debug, Serialize)]
pub struct MemberValue<'a> {
    id: MemberId,
    deleted: bool,
    first_name: &'a str,
    last_name: &'a str,
    email: &'a str,
    display_name: String,
}

impl<'a> MemberValue<'a> {
    #[must_use]
    pub fn of(member: &'a Member) -> Self {
        Self {
            id: member.id,
            deleted: false,
            first_name: &member.first_name,
            last_name: &member.last_name,
            email: &member.email,
            display_name: member.display_name(),
        }
    }

    /// The member of this id, if there still is one.
    #[must_use]
    pub fn find(members: &'a Members, id: MemberId) -> Option<Self> {
        members.get(&id).map(|member| Self::of(member))
    }
}
