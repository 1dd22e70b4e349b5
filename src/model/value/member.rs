//! `team_selector`: a member of the business, or several.
//!
//! Owns how a request names members and how their ids are stored. Must not know roles or rights.

use crate::model::catalog::member::{Member, Members};
use crate::model::id::MemberId;
use crate::model::input::Input;
use crate::model::value::fault::ValueFault;
use crate::model::value::pack::{self, DecodeError};
use crate::model::value::{Change, ListChange, Value, read_distinct};
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

/// The member that is named, active or not.
fn find<'a>(
    input: &Input<'_>,
    members: &'a Members,
) -> Result<Option<&'a Arc<Member>>, ValueFault> {
    match (input, input.get("id"), input.get("email")) {
        (Input::Text(id), _, _) | (Input::Map(_), Some(Input::Text(id)), _) => {
            Ok(MemberId::parse(id.trim()).and_then(|id| members.get(&id)))
        }
        (Input::Map(_), None, Some(Input::Text(email))) => {
            Ok(members.by_email(email))
        }
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
    let read_known = |entry: &Input<'_>| Ok(find(entry, members)?.ok_or(UNKNOWN)?.id);
    let add = add.map(|list| read_list(list, |entry| read(entry, members))).transpose()?;
    let remove = remove.map(|list| read_list(list, read_known)).transpose()?;
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
    read_distinct(input, read, |member| *member)
}
