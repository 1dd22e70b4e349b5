//! dynamictags: a list of tags, made by being named.
//!
//! Owns how a request names tags and how their numbers are stored. Must not know the table's index
//! of tags: whoever reads a change brings the look-up, and the writer resolves the names.

use crate::model::id::{FieldNumber, TagId, TagNumber};
use crate::model::input::Input;
use crate::model::key::{self, Key};
use crate::model::value::fault::ValueFault;
use crate::model::value::pack::{self, DecodeError};
use crate::model::value::{Change, Context, ListChange, TagRef, read_distinct};

/// Characters of a tag.
pub const TAG_CHARS_MAX: usize = 100;
/// Tags of one field; the writer counts them.
pub const TAGS_PER_FIELD_MAX: usize = 100_000;

/// Reads the list that replaces the tags of a record. An empty one clears.
pub(super) fn read_values(
    field: FieldNumber,
    input: &Input<'_>,
    context: &Context<'_>,
) -> Result<Change, ValueFault> {
    let tags = read_list(field, input, context)?;
    Ok(if tags.is_empty() { Change::Clear } else { Change::Tags(ListChange::Replace(tags)) })
}

/// Reads what to add and what to remove.
pub(super) fn read_edit(
    field: FieldNumber,
    lists: [Option<&Input<'_>>; 2],
    context: &Context<'_>,
) -> Result<Change, ValueFault> {
    let [add, remove] = lists.map(|list| {
        list.map(|input| read_list(field, input, context))
            .transpose()
            .map(Option::unwrap_or_default)
    });
    Ok(Change::Tags(ListChange::Edit { add: add?, remove: remove? }))
}

pub(super) fn encode(tags: &[TagNumber], out: &mut Vec<u8>) {
    pack::write_list_len(tags.len(), out);
    for tag in tags {
        pack::write_integer(i64::from(tag.0), out);
    }
}

pub(super) fn decode(bytes: &mut &[u8]) -> Result<Vec<TagNumber>, DecodeError> {
    pack::read_list(bytes, |bytes| pack::read_number(bytes).map(TagNumber))
}

/// What makes two tags of a list the same one, before names are resolved.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Identity {
    Known(TagNumber),
    Named(Key),
}

fn read_list(
    field: FieldNumber,
    input: &Input<'_>,
    context: &Context<'_>,
) -> Result<Vec<TagRef>, ValueFault> {
    read_distinct(
        input,
        |entry| read_tag(field, entry, context),
        |tag| match tag {
            TagRef::Known(number) => Identity::Known(*number),
            TagRef::Named(name) => Identity::Named(key::tag_key(name)),
        },
    )
}

/// Reads a tag: `{"id"}`, `{"name"}`, or a text that is its id, else its name.
///
/// A text in the form of an id that no tag has is refused: to make a tag of a stale id is never
/// meant, and `{"name"}` can still ask for it. Where a map has an id the rest is not looked at, so
/// that what was read can be written back.
fn read_tag(
    field: FieldNumber,
    entry: &Input<'_>,
    context: &Context<'_>,
) -> Result<TagRef, ValueFault> {
    let known = |id: TagId| {
        (context.tag)(field, id).map(TagRef::Known).ok_or(ValueFault::DoesNotExist { what: "Tag" })
    };
    match (entry, entry.get("id"), entry.get("name")) {
        (Input::Text(text), _, _) => TagId::parse(text.trim()).map_or_else(|| named(text), known),
        (Input::Map(_), Some(Input::Text(id)), _) => {
            TagId::parse(id.trim()).map_or(Err(ValueFault::DoesNotExist { what: "Tag" }), known)
        }
        (Input::Map(_), None, Some(Input::Text(name))) => named(name),
        (
            Input::Null | Input::Boolean(_) | Input::Number(_) | Input::List(_) | Input::Map(_),
            _,
            _,
        ) => Err(ValueFault::Invalid {
            what: "Expected a tag: its id, its name, {\"id\": …} or {\"name\": …}.",
        }),
    }
}

fn named(text: &str) -> Result<TagRef, ValueFault> {
    if key::refused_character(text).is_some() {
        return Err(ValueFault::Invalid { what: "Control characters are not allowed." });
    }
    let name = text.trim();
    if name.is_empty() {
        return Err(ValueFault::Blank);
    }
    if name.chars().nth(TAG_CHARS_MAX).is_some() {
        return Err(ValueFault::TooLong { max: TAG_CHARS_MAX });
    }
    Ok(TagRef::Named(name.into()))
}
