//! `team_selector`: a member of the business, or several.
//!
//! Owns how a request names members and how their ids are stored. Must not know roles or rights.

use crate::model::catalog::member::{Member, Members};
use crate::model::id::MemberId;
use crate::model::input::Input;
use crate::model::value::fault::ValueFault;
use crate::model::value::list::read_distinct;
use crate::model::value::pack::{self, DecodeError};
use crate::model::value::{Change, ListChange, VALUES_MAX, Value};
use rmp::Marker;
use std::sync::Arc;

const UNKNOWN: ValueFault = ValueFault::DoesNotExist { what: "Member" };

/// Reads an active member: its id, `{"id"}` or `{"email"}`.
///
/// Where a map has an id the rest is not looked at, so that what was read can be written back.
pub(super) fn read(input: &Input<'_>, members: &Members) -> Result<MemberId, ValueFault> {
    let member = find(input, members)?.filter(|member| member.is_active).ok_or(UNKNOWN)?;
    Ok(member.id)
}

/// Reads a member, active or not, named as above.
pub fn read_known(input: &Input<'_>, members: &Members) -> Result<MemberId, ValueFault> {
    Ok(find(input, members)?.ok_or(UNKNOWN)?.id)
}

/// The member that is named, active or not.
fn find<'a>(
    input: &Input<'_>,
    members: &'a Members,
) -> Result<Option<&'a Arc<Member>>, ValueFault> {
    match (input, input.get("id"), input.get("email")) {
        (Input::Text(id), _, _) | (Input::Map(_), Some(Input::Text(id)), _) => {
            Ok(MemberId::parse(id.trim()).and_then(|id| members.get(&id)))
        }
        (Input::Map(_), None, Some(Input::Text(email))) => Ok(members.by_email(email)),
        (
            Input::Null | Input::Boolean(_) | Input::Number(_) | Input::List(_) | Input::Map(_),
            _,
            _,
        ) => Err(ValueFault::Invalid {
            what: "Expected a member: its id, {\"id\": …} or {\"email\": …}.",
        }),
    }
}

/// Reads what replaces the members of a field that holds several: a list, or one alone. An empty
/// list clears.
pub(super) fn read_values(input: &Input<'_>, members: &Members) -> Result<Change, ValueFault> {
    let ids = match input {
        Input::Text(_) | Input::Map(_) => vec![read(input, members)?],
        Input::Null | Input::Boolean(_) | Input::Number(_) | Input::List(_) => {
            read_list(input, |entry| read(entry, members))?
        }
    };
    Ok(if ids.is_empty() { Change::Clear } else { Change::Set(Value::Members(ids)) })
}

/// Reads what to add and what to remove. What is removed need not be an active member any more.
pub(super) fn read_edit(
    [add, remove]: [Option<&Input<'_>>; 2],
    members: &Members,
) -> Result<Change, ValueFault> {
    let add = add.map(|list| read_list(list, |entry| read(entry, members))).transpose()?;
    let remove =
        remove.map(|list| read_list(list, |entry| read_known(entry, members))).transpose()?;
    Ok(Change::Members(ListChange::Edit {
        add: add.unwrap_or_default(),
        remove: remove.unwrap_or_default(),
    }))
}

/// Appends ids as a list.
pub fn encode_list(members: &[MemberId], out: &mut Vec<u8>) {
    pack::write_list_len(members.len(), out);
    for member in members {
        pack::write_uuid(&member.0, out);
    }
}

/// Reads the ids of a list.
pub fn decode_list(bytes: &mut &[u8]) -> Result<Vec<MemberId>, DecodeError> {
    pack::read_list(bytes, decode_one)
}

/// Reads one id or a list, whichever is there, and answers as the field asks now: it may have been
/// switched since the value was stored. Of several the first is left.
pub(super) fn decode(allow_multiple: bool, bytes: &mut &[u8]) -> Result<Value, DecodeError> {
    let first = bytes.first().ok_or(DecodeError::Truncated)?;
    let members = if Marker::from_u8(*first) == Marker::Bin8 {
        vec![decode_one(bytes)?]
    } else {
        decode_list(bytes)?
    };
    if allow_multiple {
        return Ok(Value::Members(members));
    }
    let member = members.first().ok_or(DecodeError::Form { expected: "a member" })?;
    Ok(Value::Member(*member))
}

fn decode_one(bytes: &mut &[u8]) -> Result<MemberId, DecodeError> {
    pack::read_uuid(bytes).map(MemberId)
}

fn read_list(
    input: &Input<'_>,
    read: impl Fn(&Input<'_>) -> Result<MemberId, ValueFault>,
) -> Result<Vec<MemberId>, ValueFault> {
    read_distinct(input, VALUES_MAX, read, |member| *member)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::catalog::member::AccountType;
    use crate::model::id::{Timestamp, UserId};
    use uuid::Uuid;

    fn member_id(number: u128) -> MemberId {
        MemberId(Uuid::from_u128(number))
    }

    /// Members 1 and 2, and 3, who is not active.
    fn members() -> Members {
        let mut members = Members::default();
        for number in 1..=3 {
            members.add(Arc::new(Member {
                id: member_id(number),
                user_id: UserId(Uuid::from_u128(number + 100)),
                email: format!("Member{number}@example.com"),
                first_name: String::new(),
                last_name: String::new(),
                title: String::new(),
                roles: Vec::new(),
                account_type: AccountType::UserStandard,
                is_active: number != 3,
                permission_groups: Vec::new(),
                created: Timestamp(0),
            }));
        }
        members
    }

    fn text(text: &str) -> Input<'_> {
        Input::Text(text.into())
    }

    fn map<'a>(entries: &[(&'a str, Input<'a>)]) -> Input<'a> {
        Input::Map(entries.iter().map(|(key, input)| ((*key).into(), input.clone())).collect())
    }

    fn of_email(email: &str) -> Input<'_> {
        map(&[("email", text(email))])
    }

    #[test]
    fn an_active_member_is_found_by_id_or_email() {
        let ids = [1, 2, 3, 4].map(|number| member_id(number).to_string());
        let check = |input: Input<'_>, expected: Result<u128, ValueFault>| {
            assert_eq!(read(&input, &members()), expected.map(member_id), "{input:?}");
        };
        check(text(&ids[0]), Ok(1));
        check(text(&ids[1].to_uppercase()), Ok(2));
        check(map(&[("id", text(&ids[1]))]), Ok(2));
        check(of_email(" member1@EXAMPLE.com "), Ok(1));
        check(map(&[("id", text(&ids[1])), ("email", text("member1@example.com"))]), Ok(2));
        check(text(&ids[2]), Err(UNKNOWN));
        check(of_email("member3@example.com"), Err(UNKNOWN));
        check(text(&ids[3]), Err(UNKNOWN));
        check(text("member1@example.com"), Err(UNKNOWN));
        check(text(""), Err(UNKNOWN));
        check(of_email("nobody@example.com"), Err(UNKNOWN));
    }

    #[test]
    fn what_names_no_member_is_refused() {
        let check = |input: Input<'_>| {
            let fault = read(&input, &members()).unwrap_err();
            assert!(matches!(fault, ValueFault::Invalid { .. }), "{input:?}: {fault:?}");
        };
        check(Input::Number("1".into()));
        check(Input::List(vec![]));
        check(map(&[]));
        check(map(&[("id", Input::Null)]));
        check(map(&[("email", Input::Boolean(true))]));
    }

    #[test]
    fn several_members_are_a_list_or_one_alone() {
        let ids = [1, 2, 3].map(|number| member_id(number).to_string());
        let check = |input: Input<'_>, expected: Result<Change, ValueFault>| {
            assert_eq!(read_values(&input, &members()), expected, "{input:?}");
        };
        let set = |numbers: &[u128]| {
            let ids = numbers.iter().map(|number| member_id(*number)).collect();
            Change::Set(Value::Members(ids))
        };
        let (one, two) = (text(&ids[0]), text(&ids[1]));
        check(one.clone(), Ok(set(&[1])));
        check(of_email("member2@example.com"), Ok(set(&[2])));
        check(Input::List(vec![two.clone(), one.clone()]), Ok(set(&[2, 1])));
        let doubled = vec![one.clone(), of_email("member1@example.com"), one.clone()];
        check(Input::List(doubled), Ok(set(&[1])));
        check(Input::List(vec![]), Ok(Change::Clear));
        check(Input::List(vec![one, text(&ids[2])]), Err(UNKNOWN));
        check(
            Input::Number("1".into()),
            Err(ValueFault::Invalid { what: "Expected a list of values." }),
        );
    }

    #[test]
    fn who_is_not_active_any_more_can_be_removed_but_not_added() {
        let inactive = member_id(3).to_string();
        let list = Input::List(vec![text(&inactive)]);
        let removed = read_edit([None, Some(&list)], &members());
        let edit = ListChange::Edit { add: vec![], remove: vec![member_id(3)] };
        assert_eq!(removed, Ok(Change::Members(edit)));
        assert_eq!(read_edit([Some(&list), None], &members()), Err(UNKNOWN));
        let unknown = member_id(4).to_string();
        let list = Input::List(vec![text(&unknown)]);
        assert_eq!(read_edit([None, Some(&list)], &members()), Err(UNKNOWN));
    }

    #[test]
    fn a_field_that_was_switched_reads_what_it_held() {
        let [one, two] = [member_id(1), member_id(2)];
        let check = |stored: Value, allow_multiple, expected: Value| {
            let mut bytes = Vec::new();
            stored.encode(&mut bytes);
            assert_eq!(decode(allow_multiple, &mut &bytes[..]), Ok(expected));
        };
        check(Value::Member(one), false, Value::Member(one));
        check(Value::Member(one), true, Value::Members(vec![one]));
        check(Value::Members(vec![two, one]), true, Value::Members(vec![two, one]));
        check(Value::Members(vec![two, one]), false, Value::Member(two));
        assert!(decode(false, &mut &[0x90][..]).is_err());
        assert_eq!(decode(true, &mut &[][..]), Err(DecodeError::Truncated));
    }
}
