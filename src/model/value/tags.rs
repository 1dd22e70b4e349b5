//! dynamictags: a list of tags, made by being named.
//!
//! Owns how a request names tags and how their numbers are stored. Must not know the table's index
//! of tags: whoever reads a change brings the look-up, and the writer resolves the names.

use crate::model::id::{FieldNumber, TagId, TagNumber};
use crate::model::input::Input;
use crate::model::key::{self, Key};
use crate::model::value::fault::ValueFault;
use crate::model::value::list::read_distinct;
use crate::model::value::pack::{self, DecodeError};
use crate::model::value::{Change, Context, ListChange, TagRef, VALUES_MAX};

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
        VALUES_MAX,
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::catalog::member::Members;
    use jiff::tz::TimeZone;
    use uuid::Uuid;

    const FIELD: FieldNumber = FieldNumber(51);

    fn id(number: u32) -> String {
        TagId(Uuid::from_u128(number.into())).to_string()
    }

    /// The field has the tags 1 to 9.
    fn with_context<T>(run: impl FnOnce(&Context<'_>) -> T) -> T {
        let tag = |field: FieldNumber, id: TagId| {
            let number = u32::try_from(id.0.as_u128()).ok()?;
            (field == FIELD && (1..10).contains(&number)).then_some(TagNumber(number))
        };
        run(&Context {
            record: &|_, _| None,
            members: &Members::default(),
            tag: &tag,
            time_zone: &TimeZone::UTC,
            phone_region: "US",
        })
    }

    fn text(text: &str) -> Input<'_> {
        Input::Text(text.into())
    }

    fn list<'a>(entries: impl IntoIterator<Item = Input<'a>>) -> Input<'a> {
        Input::List(entries.into_iter().collect())
    }

    fn map<'a>(key: &'a str, input: Input<'a>) -> Input<'a> {
        Input::Map(vec![(key.into(), input)])
    }

    fn known(number: u32) -> TagRef {
        TagRef::Known(TagNumber(number))
    }

    fn named(name: &str) -> TagRef {
        TagRef::Named(name.into())
    }

    #[test]
    fn tags_are_named_by_id_or_name_and_none_twice() {
        let ids = [id(1), id(2)];
        let check = |input: Input<'_>, expected: &[TagRef]| {
            let found = with_context(|context| read_values(FIELD, &input, context));
            assert_eq!(
                found,
                Ok(Change::Tags(ListChange::Replace(expected.to_vec()))),
                "{input:?}"
            );
        };
        check(list([text(&ids[1]), text(&ids[0])]), &[known(2), known(1)]);
        check(list([text("VIP"), text(" vip "), text("b")]), &[named("VIP"), named("b")]);
        check(list([map("id", text(&ids[0])), text(&ids[0])]), &[known(1)]);
        check(list([map("name", text("x y")), text("X Y")]), &[named("x y")]);
        check(list([map("name", text(&ids[0]))]), &[named(&ids[0])]);
        let both = Input::Map(vec![("id".into(), text(&ids[0])), ("name".into(), text("other"))]);
        check(list([both]), &[known(1)]);
        let long = "é".repeat(100);
        check(list([text(&long)]), &[named(&long)]);
    }

    #[test]
    fn an_empty_list_clears() {
        let found = with_context(|context| read_values(FIELD, &list([]), context));
        assert_eq!(found, Ok(Change::Clear));
    }

    #[test]
    fn what_is_no_list_of_tags_is_refused() {
        let (good, unknown) = (id(1), id(10));
        let check = |input: Input<'_>, expected: ValueFault| {
            let found = with_context(|context| read_values(FIELD, &input, context));
            assert_eq!(found, Err(expected), "{input:?}");
        };
        let not_a_list = ValueFault::Invalid { what: "Expected a list of values." };
        check(text("vip"), not_a_list.clone());
        check(map("id", text(&good)), not_a_list.clone());
        check(Input::Number("1".into()), not_a_list);
        let missing = ValueFault::DoesNotExist { what: "Tag" };
        check(list([text(&unknown)]), missing.clone());
        check(list([map("id", text("vip"))]), missing);
        check(list([text(" ")]), ValueFault::Blank);
        check(list([text(&"é".repeat(101))]), ValueFault::TooLong { max: 100 });
        let control = ValueFault::Invalid { what: "Control characters are not allowed." };
        check(list([text("a\0")]), control);
        let found = with_context(|context| read_values(FIELD, &list([Input::Null]), context));
        assert!(matches!(found, Err(ValueFault::Invalid { .. })));
    }

    #[test]
    fn a_tag_of_another_field_is_unknown() {
        let good = id(1);
        let found =
            with_context(|context| read_values(FieldNumber(50), &list([text(&good)]), context));
        assert_eq!(found, Err(ValueFault::DoesNotExist { what: "Tag" }));
    }

    #[test]
    fn the_limit_counts_what_is_left() {
        let names: Vec<String> = (0..=VALUES_MAX).map(|number| format!("tag {number}")).collect();
        let read = |names: &[String]| {
            let input = list(names.iter().map(|name| text(name)));
            with_context(|context| read_values(FIELD, &input, context))
        };
        let doubled = [&names[..VALUES_MAX], &names[..VALUES_MAX]].concat();
        assert!(
            matches!(read(&doubled), Ok(Change::Tags(ListChange::Replace(tags))) if tags.len() == VALUES_MAX)
        );
        let fault = ValueFault::LimitExceeded { what: "values", max: VALUES_MAX };
        assert_eq!(read(&names), Err(fault));
    }

    #[test]
    fn adding_and_removing_stand_together() {
        let one = id(1);
        let (add, remove) = (list([text("a"), text("A")]), list([text(&one)]));
        let check = |lists: [Option<&Input<'_>>; 2], add: &[TagRef], remove: &[TagRef]| {
            let found = with_context(|context| read_edit(FIELD, lists, context));
            let edit = ListChange::Edit { add: add.to_vec(), remove: remove.to_vec() };
            assert_eq!(found, Ok(Change::Tags(edit)));
        };
        check([Some(&add), Some(&remove)], &[named("a")], &[known(1)]);
        check([Some(&add), None], &[named("a")], &[]);
        check([None, Some(&remove)], &[], &[known(1)]);
        let found = with_context(|context| read_edit(FIELD, [Some(&Input::Null), None], context));
        assert_eq!(found, Err(ValueFault::Null));
    }
}
