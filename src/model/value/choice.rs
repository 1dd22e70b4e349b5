//! dropdown, radio, choices, status, yesnomaybe, selector and checkboxes: one option of the field,
//! or several.
//!
//! Owns how a request names options and how their numbers are stored. Must not know how options are
//! made or removed.

use crate::model::id::{OptionId, OptionNumber};
use crate::model::input::Input;
use crate::model::schema::option::{Choice, Choices};
use crate::model::value::fault::ValueFault;
use crate::model::value::list::read_distinct;
use crate::model::value::pack::{self, DecodeError};
use crate::model::value::{Change, ListChange, VALUES_MAX, Value};

/// Reads an option: `{"id"}`, `{"name"}`, or a text that is its id, else its code, else its label.
///
/// Where a map has an id the rest is not looked at, so that what was read can be written back.
pub fn read(options: &Choices, input: &Input<'_>) -> Result<OptionNumber, ValueFault> {
    let found = match (input, input.get("id"), input.get("name")) {
        (Input::Text(text), _, _) => by_any_name(options, text),
        (Input::Map(_), Some(Input::Text(id)), _) => by_id(options, id),
        (Input::Map(_), None, Some(Input::Text(label))) => options.by_label(label),
        (
            Input::Null | Input::Boolean(_) | Input::Number(_) | Input::List(_) | Input::Map(_),
            _,
            _,
        ) => {
            return Err(ValueFault::Invalid {
                what: "Expected an option: its id, {\"id\": …} or {\"name\": …}.",
            });
        }
    };
    found.map(|choice| choice.number).ok_or(ValueFault::DoesNotExist { what: "Option" })
}

/// Reads what replaces the options of a field that holds several: a list, or one alone. An empty
/// list clears.
pub(super) fn read_values(options: &Choices, input: &Input<'_>) -> Result<Change, ValueFault> {
    match input {
        Input::Text(_) | Input::Map(_) => {
            read(options, input).map(|option| Change::Set(Value::Choices(vec![option])))
        }
        Input::Null | Input::Boolean(_) | Input::Number(_) | Input::List(_) => {
            read_listed(options, input)
        }
    }
}

/// Reads the list that replaces the options. An empty one clears.
pub(super) fn read_listed(options: &Choices, input: &Input<'_>) -> Result<Change, ValueFault> {
    let chosen = read_list(options, input)?;
    Ok(if chosen.is_empty() { Change::Clear } else { Change::Set(Value::Choices(chosen)) })
}

/// Reads what to add and what to remove.
pub(super) fn read_edit(
    options: &Choices,
    lists: [Option<&Input<'_>>; 2],
) -> Result<Change, ValueFault> {
    let [add, remove] = lists.map(|list| {
        list.map(|input| read_list(options, input)).transpose().map(Option::unwrap_or_default)
    });
    Ok(Change::Choices(ListChange::Edit { add: add?, remove: remove? }))
}

fn read_list(options: &Choices, input: &Input<'_>) -> Result<Vec<OptionNumber>, ValueFault> {
    read_distinct(input, VALUES_MAX, |entry| read(options, entry), |option| *option)
}

pub(super) fn encode_list(options: &[OptionNumber], out: &mut Vec<u8>) {
    pack::write_list_len(options.len(), out);
    for option in options {
        pack::write_integer(i64::from(option.0), out);
    }
}

pub(super) fn decode_list(bytes: &mut &[u8]) -> Result<Vec<OptionNumber>, DecodeError> {
    pack::read_list(bytes, decode_one)
}

/// Reads one option or a list, whichever is there, and answers as the field asks now: it may have
/// been switched since the value was stored. Of several the first is left.
pub(super) fn decode(allow_multiple: bool, bytes: &mut &[u8]) -> Result<Value, DecodeError> {
    let options = if pack::is_list(bytes) { decode_list(bytes)? } else { vec![decode_one(bytes)?] };
    if allow_multiple {
        return Ok(Value::Choices(options));
    }
    let option = options.first().ok_or(DecodeError::Form { expected: "an option" })?;
    Ok(Value::Choice(*option))
}

fn decode_one(bytes: &mut &[u8]) -> Result<OptionNumber, DecodeError> {
    pack::read_number(bytes).map(OptionNumber)
}

fn by_id<'a>(options: &'a Choices, id: &str) -> Option<&'a Choice> {
    options.by_id(OptionId::parse(id.trim())?)
}

fn by_any_name<'a>(options: &'a Choices, text: &str) -> Option<&'a Choice> {
    by_id(options, text).or_else(|| options.by_code(text)).or_else(|| options.by_label(text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    const UNKNOWN: ValueFault = ValueFault::DoesNotExist { what: "Option" };

    fn id(number: u32) -> String {
        OptionId(Uuid::from_u128(number.into())).to_string()
    }

    fn choice(number: u32, name: &str, code: &str) -> Choice {
        Choice {
            number: OptionNumber(number),
            id: OptionId(Uuid::from_u128(number.into())),
            name: name.to_owned(),
            code: code.to_owned(),
            order: 0,
            meta: "{}".to_owned(),
            status: None,
            chance: None,
        }
    }

    fn text(text: &str) -> Input<'_> {
        Input::Text(text.into())
    }

    fn map<'a>(entries: &[(&'a str, Input<'a>)]) -> Input<'a> {
        Input::Map(entries.iter().map(|(key, input)| ((*key).into(), input.clone())).collect())
    }

    #[test]
    fn an_option_is_found_by_id_then_code_then_label() {
        let (one, nine) = (id(1), id(9));
        let options = Choices::from(vec![
            choice(1, "North", "n"),
            choice(2, "Straße", ""),
            choice(3, "N", "north"),
            choice(4, &one, "x"),
        ]);
        let check = |input: Input<'_>, expected: Result<u32, ValueFault>| {
            assert_eq!(read(&options, &input), expected.map(OptionNumber), "{input:?}");
        };
        check(text(&one), Ok(1));
        check(text(&one.to_uppercase()), Ok(1));
        check(text("n"), Ok(1));
        check(text(" N "), Ok(1));
        check(text("NORTH"), Ok(3));
        check(text("STRASSE"), Ok(2));
        check(map(&[("name", text("north"))]), Ok(1));
        check(map(&[("name", text("N"))]), Ok(3));
        check(map(&[("name", text(&one))]), Ok(4));
        check(map(&[("id", text(&one)), ("name", text("N"))]), Ok(1));
        check(text(""), Err(UNKNOWN));
        check(text("South"), Err(UNKNOWN));
        check(text(&nine), Err(UNKNOWN));
        check(map(&[("id", text("n"))]), Err(UNKNOWN));
        check(map(&[("id", text(&nine)), ("name", text("N"))]), Err(UNKNOWN));
        check(map(&[("name", text("south"))]), Err(UNKNOWN));
    }

    #[test]
    fn what_names_no_option_is_refused() {
        let options = Choices::from(vec![choice(1, "1", "")]);
        let check = |input: Input<'_>| {
            let fault = read(&options, &input).unwrap_err();
            assert!(matches!(fault, ValueFault::Invalid { .. }), "{input:?}: {fault:?}");
        };
        check(Input::Number("1".into()));
        check(Input::Boolean(true));
        check(Input::List(vec![text("1")]));
        check(map(&[]));
        check(map(&[("code", text("1"))]));
        check(map(&[("id", Input::Null), ("name", text("1"))]));
        check(map(&[("name", Input::Number("1".into()))]));
    }

    #[test]
    fn several_options_are_a_list_and_none_twice() {
        let options = Choices::from(vec![choice(1, "A", "a"), choice(2, "B", "b")]);
        let set = |numbers: &[u32]| {
            let numbers = numbers.iter().map(|number| OptionNumber(*number)).collect();
            Ok(Change::Set(Value::Choices(numbers)))
        };
        let list = |entries: &[&'static str]| {
            Input::List(entries.iter().map(|entry| text(entry)).collect())
        };
        let check = |input: Input<'_>, listed: Result<Change, ValueFault>| {
            assert_eq!(read_listed(&options, &input), listed, "{input:?}");
            assert_eq!(read_values(&options, &input), listed, "{input:?}");
        };
        check(list(&["b", "A", " B "]), set(&[2, 1]));
        check(list(&[]), Ok(Change::Clear));
        check(list(&["a", "c"]), Err(UNKNOWN));
        check(Input::List(vec![Input::List(vec![])]), {
            Err(ValueFault::Invalid {
                what: "Expected an option: its id, {\"id\": …} or {\"name\": …}.",
            })
        });
        let not_a_list = ValueFault::Invalid { what: "Expected a list of values." };
        check(Input::Number("1".into()), Err(not_a_list.clone()));
        assert_eq!(read_values(&options, &text("a")), set(&[1]));
        assert_eq!(read_listed(&options, &text("a")), Err(not_a_list));
        let (add, remove) = (list(&["a"]), list(&["b", "b"]));
        let edit = ListChange::Edit { add: vec![OptionNumber(1)], remove: vec![OptionNumber(2)] };
        let found = read_edit(&options, [Some(&add), Some(&remove)]);
        assert_eq!(found, Ok(Change::Choices(edit)));
        assert_eq!(read_edit(&options, [None, Some(&list(&["c"]))]), Err(UNKNOWN));
    }

    #[test]
    fn two_hundred_options_are_taken_and_no_more() {
        let names: Vec<String> = (1..=201).map(|number| format!("o{number}")).collect();
        let options: Vec<Choice> =
            (1..).zip(&names).map(|(number, name)| choice(number, name, "")).collect();
        let options = Choices::from(options);
        let read = |count: usize| {
            let list = Input::List(names[..count].iter().map(|name| text(name)).collect());
            read_listed(&options, &list).map(|_| ())
        };
        assert_eq!(read(200), Ok(()));
        assert_eq!(read(201), Err(ValueFault::LimitExceeded { what: "values", max: 200 }));
    }

    #[test]
    fn a_field_that_was_switched_reads_what_it_held() {
        let [one, two] = [OptionNumber(1), OptionNumber(300)];
        let check = |stored: Value, allow_multiple, expected: Value| {
            let mut bytes = Vec::new();
            stored.encode(&mut bytes);
            assert_eq!(decode(allow_multiple, &mut &bytes[..]), Ok(expected));
        };
        check(Value::Choice(two), false, Value::Choice(two));
        check(Value::Choice(one), true, Value::Choices(vec![one]));
        check(Value::Choices(vec![two, one]), true, Value::Choices(vec![two, one]));
        check(Value::Choices(vec![two, one]), false, Value::Choice(two));
        assert!(decode(false, &mut &[0x90][..]).is_err());
        assert_eq!(decode(true, &mut &[][..]), Err(DecodeError::Truncated));
    }
}
