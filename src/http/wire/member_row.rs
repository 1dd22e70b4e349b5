//! Members of the business: the bodies that make, change and look for one, and how the routes of the team show them.

use crate::http::code::Code;
use crate::http::extension::RouteGroup;
use crate::http::fault::{Fault, Faults};
use crate::http::shape::{Presence, Shape};
use crate::http::value_fault;
use crate::http::wire::keys;
use crate::model::catalog::command::{MemberEdit, NewMember};
use crate::model::catalog::member::{AccountType, Member};
use crate::model::catalog::role::Role;
use crate::model::id::{MemberId, PermissionGroupId, RoleId, UserId};
use crate::model::input::Input;
use crate::model::key::{Key, email_key};
use crate::model::value::fault::ValueFault;
use crate::model::value::text::{
    EMAIL_CHARS_MAX, TEXT_CHARS_MAX, check_characters, check_length, is_email,
};
use crate::model::value::time::timestamp_text;
use jiff::tz::TimeZone;
use serde::Serialize;

const GROUPS: &str = "permission_groups";

/// What the API calls the types of accounts.
const ACCOUNT_TYPES: [(&str, AccountType); 2] =
    [("user_standard", AccountType::UserStandard), ("service", AccountType::Service)];

/// Reads the body that makes a member; none if it has a fault.
pub fn read_new_member(body: &Input<'_>, strict: bool, faults: &mut Faults) -> Option<NewMember> {
    let mut shape = Shape::of_body(body, faults);
    let email = read_email(&mut shape, Presence::Required, faults);
    let id = keys::id(&mut shape, "id", MemberId::parse, faults);
    let user_id = keys::id(&mut shape, "user_id", UserId::parse, faults);
    let mut text = |key| read_text(&mut shape, key, faults).unwrap_or_default();
    let (first_name, last_name, title) = (text("first_name"), text("last_name"), text("title"));
    let account_type = shape.choice("account_type", Presence::Nullable, &ACCOUNT_TYPES, faults);
    let roles = keys::ids(&mut shape, "roles", RoleId::parse, faults);
    let groups = keys::ids(&mut shape, GROUPS, PermissionGroupId::parse, faults);
    shape.finish(strict, RouteGroup::Write, faults);
    let new = NewMember {
        id,
        user_id,
        email: email?,
        first_name,
        last_name,
        title,
        account_type: account_type.unwrap_or(AccountType::UserStandard),
        roles,
        permission_groups: groups.unwrap_or_default(),
    };
    faults.is_empty().then_some(new)
}

/// Reads the first administrator of a business to be: none if the e-mail has a fault.
pub fn read_admin(shape: &mut Shape<'_>, faults: &mut Faults) -> Option<NewMember> {
    let email = read_email(shape, Presence::Required, faults);
    let id = keys::id(shape, "id", MemberId::parse, faults);
    let user_id = keys::id(shape, "user_id", UserId::parse, faults);
    let first_name = read_text(shape, "first_name", faults).unwrap_or_default();
    let last_name = read_text(shape, "last_name", faults).unwrap_or_default();
    Some(NewMember {
        id,
        user_id,
        email: email?,
        first_name,
        last_name,
        title: String::new(),
        account_type: AccountType::UserStandard,
        roles: None,
        permission_groups: Vec::new(),
    })
}

fn read_email(shape: &mut Shape<'_>, presence: Presence, faults: &mut Faults) -> Option<String> {
    let given = keys::text(shape, "email", presence, faults)?;
    let email = given.trim();
    let checked = if email.is_empty() {
        Err(ValueFault::Blank)
    } else {
        check_characters(&given, true).and_then(|()| check_length(email, EMAIL_CHARS_MAX)).and_then(
            |()| {
                let what = "Enter a valid email address.";
                is_email(email).then_some(()).ok_or(ValueFault::Invalid { what })
            },
        )
    };
    match checked {
        Ok(()) => Some(email.to_owned()),
        Err(fault) => {
            faults.push(value_fault::fault_of(&fault, shape.place("email")));
            None
        }
    }
}

/// Reads the body that changes a member; what it does not name stays. None if it has a fault.
pub fn read_member_edit(
    body: &Input<'_>,
    held: &Member,
    strict: bool,
    faults: &mut Faults,
) -> Option<MemberEdit> {
    let mut shape = Shape::of_body(body, faults);
    let id = keys::id(&mut shape, "id", MemberId::parse, faults);
    let user_id = keys::id(&mut shape, "user_id", UserId::parse, faults);
    for (key, is_same) in [
        ("id", id.is_none_or(|id| id == held.id)),
        ("user_id", user_id.is_none_or(|user_id| user_id == held.user_id)),
    ] {
        if !is_same {
            faults.push(Fault::new(Code::Immutable, shape.place(key)));
        }
    }
    let email = read_email(&mut shape, Presence::Optional, faults);
    let mut text = |key| {
        // Null clears, and an absent key leaves what is there.
        if shape.raw(key) == Some(&Input::Null) {
            return Some(String::new());
        }
        read_text(&mut shape, key, faults)
    };
    let (first_name, last_name, title) = (text("first_name"), text("last_name"), text("title"));
    let account_type = shape.choice("account_type", Presence::Optional, &ACCOUNT_TYPES, faults);
    let is_active = shape.boolean("is_active", Presence::Optional, faults);
    let roles = keys::ids(&mut shape, "roles", RoleId::parse, faults);
    let permission_groups = keys::ids(&mut shape, GROUPS, PermissionGroupId::parse, faults);
    shape.finish(strict, RouteGroup::Write, faults);
    let edit = MemberEdit {
        id: held.id,
        email,
        first_name,
        last_name,
        title,
        account_type,
        is_active,
        roles,
        permission_groups,
    };
    faults.is_empty().then_some(edit)
}

/// Which members a search is for; what is none does not matter.
#[derive(Debug, Default)]
pub struct MemberSearch {
    pub search: Option<String>,
    pub ids: Option<Vec<MemberId>>,
    /// In their normal form.
    pub emails: Option<Vec<Key>>,
}

/// Reads the body of a search.
pub fn read_search(body: &Input<'_>, strict: bool, faults: &mut Faults) -> MemberSearch {
    let mut shape = Shape::of_body(body, faults);
    let search = keys::text(&mut shape, "search", Presence::Nullable, faults);
    let ids = keys::ids(&mut shape, "ids", MemberId::parse, faults);
    let emails = keys::texts(&mut shape, "emails", faults);
    shape.finish(strict, RouteGroup::Read, faults);
    let emails = emails.map(|emails| emails.iter().map(|email| email_key(email)).collect());
    MemberSearch { search, ids, emails }
}

/// A text that may be left out or blank; trimmed.
fn read_text(shape: &mut Shape<'_>, key: &'static str, faults: &mut Faults) -> Option<String> {
    let given = keys::text(shape, key, Presence::Nullable, faults)?;
    let text = given.trim();
    let checked = check_characters(&given, false).and_then(|()| check_length(text, TEXT_CHARS_MAX));
    if let Err(fault) = checked {
        faults.push(value_fault::fault_of(&fault, shape.place(key)));
    }
    Some(text.to_owned())
}

/// A role where a member has it.
#[derive(Debug, Serialize)]
pub struct RoleShape<'a> {
    id: RoleId,
    name: &'a str,
    default_for_new_users: bool,
}

impl<'a> RoleShape<'a> {
    /// The roles of a member.
    #[must_use]
    pub fn of_member(member: &Member, roles: &'a [Role]) -> Vec<Self> {
        let held = |id: &RoleId| roles.iter().find(|role| role.id == *id);
        let shape = |role: &'a Role| Self {
            id: role.id,
            name: &role.name,
            default_for_new_users: role.default_for_new_users,
        };
        member.roles.iter().filter_map(held).map(shape).collect()
    }
}

/// A member as the team shows it. `R` is how: roles by name in lists, by id alone.
#[derive(Debug, Serialize)]
pub struct MemberRow<'a, R> {
    id: MemberId,
    user_id: UserId,
    email: &'a str,
    first_name: &'a str,
    last_name: &'a str,
    full_name: String,
    display_name: String,
    title: &'a str,
    account_type: AccountType,
    is_active: bool,
    roles: Vec<R>,
    created: String,
}

impl<'a, R> MemberRow<'a, R> {
    #[must_use]
    pub fn new(member: &'a Member, roles: Vec<R>, time_zone: &TimeZone) -> Self {
        Self {
            id: member.id,
            user_id: member.user_id,
            email: &member.email,
            first_name: &member.first_name,
            last_name: &member.last_name,
            full_name: member.full_name(),
            display_name: member.display_name(),
            title: &member.title,
            account_type: member.account_type,
            is_active: member.is_active,
            roles,
            created: timestamp_text(member.created, time_zone),
        }
    }
}

/// A member as it is offered while somebody types.
#[derive(Debug, Serialize)]
pub struct TypeaheadRow<'a> {
    id: MemberId,
    email: &'a str,
    first_name: &'a str,
    last_name: &'a str,
    display_name: String,
    account_type: AccountType,
}

impl<'a> TypeaheadRow<'a> {
    #[must_use]
    pub fn of(member: &'a Member) -> Self {
        Self {
            id: member.id,
            email: &member.email,
            first_name: &member.first_name,
            last_name: &member.last_name,
            display_name: member.display_name(),
            account_type: member.account_type,
        }
    }
}
