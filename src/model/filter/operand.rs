//! Reads what a condition compares with: as the field's type reads a value, where that is enough.

use crate::model::filter::phone::{PhoneTest, Relation};
use crate::model::filter::range::Operand;
use crate::model::filter::row::Surroundings;
use crate::model::id::{Day, MemberId, OptionNumber, TagId, TagNumber, Timestamp};
use crate::model::input::Input;
use crate::model::key;
use crate::model::schema::field::Field;
use crate::model::value::fault::ValueFault;
use crate::model::value::number::parse_decimal;
use crate::model::value::text::{TEXT_CHARS_MAX, check_length};
use crate::model::value::time::{parse_day, parse_span};
use crate::model::value::time_zone;
use crate::model::value::{Change, Context, Entry, Value, read_change};
use rust_decimal::Decimal;

/// Values in the list of one condition.
pub const OPERANDS_MAX: usize = 1_000;

/// The word for the member who asks.
const CALLER: &str = "is_me";

const fn invalid(what: &'static str) -> ValueFault {
    ValueFault::Invalid { what }
}

/// A text to look for. An empty one says nothing.
pub(super) fn text<'i>(input: &'i Input<'i>) -> Result<&'i str, ValueFault> {
    let (Input::Text(text) | Input::Number(text)) = input else {
        return Err(invalid("Not a valid string."));
    };
    if text.trim().is_empty() {
        return Err(invalid("Give a text to look for; is_blank finds blanks."));
    }
    check_length(text, TEXT_CHARS_MAX)?;
    Ok(text)
}

/// A number, or a text that spells one.
pub(super) fn number(input: &Input<'_>) -> Result<Operand<Decimal>, ValueFault> {
    let (Input::Text(spelling) | Input::Number(spelling)) = input else {
        return Err(invalid("A valid number is required."));
    };
    let number = parse_decimal(spelling.trim());
    number.map(Operand::one).ok_or(invalid("A valid number is required."))
}

/// A day; a datetime is cut to the date that is written in it.
pub(super) fn day(input: &Input<'_>) -> Result<Operand<Day>, ValueFault> {
    let day = input.as_text().and_then(|text| parse_day(text.trim()));
    day.map(Operand::one).ok_or(invalid("Date has wrong format. Use YYYY-MM-DD."))
}

/// An instant, or all instants of a day in the business's time zone.
pub(super) fn instants(
    input: &Input<'_>,
    around: &Surroundings<'_>,
) -> Result<Operand<Timestamp>, ValueFault> {
    let span = input.as_text().and_then(|text| parse_span(text.trim(), around.time_zone));
    let span = span.ok_or(invalid("Datetime has wrong format. Use RFC 3339 or YYYY-MM-DD."))?;
    Ok(Operand { first: span.start, last: Timestamp(span.end.0 - 1) })
}

/// A month of the year, 1 to 12.
pub(super) fn month(input: &Input<'_>) -> Result<i8, ValueFault> {
    let spelling = match input {
        Input::Text(spelling) | Input::Number(spelling) => spelling.trim(),
        Input::Null | Input::Boolean(_) | Input::List(_) | Input::Map(_) => "",
    };
    let month = spelling.parse().ok().filter(|month| (1..=12).contains(month));
    month.ok_or(invalid("Must be a month, 1 to 12."))
}

/// Two values, both included.
pub(super) fn two<T>(
    input: &Input<'_>,
    read: impl Fn(&Input<'_>) -> Result<T, ValueFault>,
) -> Result<(T, T), ValueFault> {
    let Input::List(values) = input else { return Err(invalid("Expected a list of two values.")) };
    let [first, second] = &**values else {
        return Err(invalid("Expected a list of two values."));
    };
    Ok((read(first)?, read(second)?))
}

/// One value at least; one alone need not be in a list.
pub(super) fn several<T>(
    input: &Input<'_>,
    read: impl Fn(&Input<'_>) -> Result<T, ValueFault>,
) -> Result<Vec<T>, ValueFault> {
    let values = match input {
        Input::List(values) => &**values,
        Input::Null | Input::Boolean(_) | Input::Number(_) | Input::Text(_) | Input::Map(_) => {
            std::slice::from_ref(input)
        }
    };
    if values.is_empty() {
        return Err(invalid("Expected one value at least."));
    }
    if values.len() > OPERANDS_MAX {
        return Err(ValueFault::LimitExceeded { what: "values", max: OPERANDS_MAX });
    }
    values.iter().map(read).collect()
}

/// True or false, in every spelling of a checkbox.
pub(super) fn boolean(input: &Input<'_>) -> Result<bool, ValueFault> {
    crate::model::value::boolean::read(input)
}

/// An option of the field, by its id, code or label.
pub(super) fn choice(field: &Field, input: &Input<'_>) -> Result<OptionNumber, ValueFault> {
    crate::model::value::choice::read(&field.options, input)
}

/// A telephone number as the field reads it, or the digits in a text that is none.
pub(super) fn phone(
    relation: Relation,
    field: &Field,
    input: &Input<'_>,
    around: &Surroundings<'_>,
) -> Result<PhoneTest, ValueFault> {
    let given = text(input)?;
    let context = Context {
        members: around.members,
        tag: &|_, _| None,
        record: &|_, _| None,
        time_zone: around.time_zone,
        phone_region: around.phone_region,
    };
    let whole = match relation {
        Relation::Equals => read_change(field, &Entry::of(input), &context).ok(),
        Relation::Contains => None,
    };
    let number = if let Some(Change::Set(Value::Text(number))) = &whole { number } else { given };
    PhoneTest::new(relation, number).ok_or(invalid("Expected the digits of a telephone number."))
}

/// A time zone by its name in any case; the test is for its own spelling.
pub(super) fn zone(input: &Input<'_>) -> Result<&'static str, ValueFault> {
    let given = input.as_text().ok_or(invalid("Expected the name of a time zone."))?;
    time_zone::find(given.trim()).ok_or(ValueFault::DoesNotExist { what: "Time zone" })
}

/// A tag of the field by its id or its name; none for a name that no tag has, which is no mistake:
/// tags come and go by being written.
pub(super) fn tag(
    field: &Field,
    input: &Input<'_>,
    around: &Surroundings<'_>,
) -> Result<Option<TagNumber>, ValueFault> {
    let by_id = |id: TagId| {
        let tag = around.tags.by_id(id).filter(|tag| tag.field == field.number);
        tag.map(|tag| Some(tag.number)).ok_or(ValueFault::DoesNotExist { what: "Tag" })
    };
    let by_name =
        |name: &str| around.tags.by_name(field.number, &key::tag_key(name)).map(|tag| tag.number);
    match (input, input.get("id"), input.get("name")) {
        (Input::Text(text), _, _) => {
            TagId::parse(text.trim()).map_or_else(|| Ok(by_name(text)), by_id)
        }
        (Input::Map(_), Some(Input::Text(id)), _) => {
            TagId::parse(id.trim()).map_or(Err(ValueFault::DoesNotExist { what: "Tag" }), by_id)
        }
        (Input::Map(_), None, Some(Input::Text(name))) => Ok(by_name(name)),
        (
            Input::Null | Input::Boolean(_) | Input::Number(_) | Input::List(_) | Input::Map(_),
            _,
            _,
        ) => Err(invalid("Expected a tag: its id, its name, {\"id\": …} or {\"name\": …}.")),
    }
}

/// A member, active or not, by its id or e-mail; or the one who asks.
pub(super) fn member(input: &Input<'_>, around: &Surroundings<'_>) -> Result<MemberId, ValueFault> {
    if input.as_text() == Some(CALLER) {
        return Ok(around.caller);
    }
    crate::model::value::member::read_known(input, around.members)
}
