//! `relationship`: a record of another object, or several.
//!
//! Owns how a request names records and how their ids are stored. Must not know where records are:
//! whoever reads says which are there.

use crate::model::id::RecordId;
use crate::model::input::Input;
use crate::model::schema::field::Field;
use crate::model::schema::relation::Relation;
use crate::model::value::fault::ValueFault;
use crate::model::value::list::read_distinct;
use crate::model::value::pack::{self, DecodeError};
use crate::model::value::{Change, Context, ListChange, Value};

/// Records of one record in one field.
pub const RELATED_MAX: usize = 10_000;

const UNKNOWN: ValueFault = ValueFault::DoesNotExist { what: "Record" };

/// A record as a request names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecordRef<'a> {
    Id(RecordId),
    /// A value of its identifier.
    LookupValue(&'a str),
}

/// Reads what replaces the records of a field: a list, or one alone. An empty list clears.
pub(super) fn read_value(
    field: &Field,
    input: &Input<'_>,
    context: &Context<'_>,
) -> Result<Change, ValueFault> {
    let read = |entry: &Input<'_>| read_live(relation_of(field), entry, context);
    if !field.allow_multiple {
        return read(input).map(Value::Record).map(Change::Set);
    }
    let records = match input {
        Input::Text(_) | Input::Map(_) => vec![read(input)?],
        Input::Null | Input::Boolean(_) | Input::Number(_) | Input::List(_) => {
            read_distinct(input, RELATED_MAX, read, |record| *record)?
        }
    };
    Ok(if records.is_empty() { Change::Clear } else { Change::Set(Value::Records(records)) })
}

/// Reads what to add and what to remove. What is removed by its id need not be there any more.
pub(super) fn read_edit(
    field: &Field,
    [add, remove]: [Option<&Input<'_>>; 2],
    context: &Context<'_>,
) -> Result<Change, ValueFault> {
    let relation = relation_of(field);
    let add = add.map(|list| {
        let read = |entry: &Input<'_>| read_live(relation, entry, context);
        read_distinct(list, RELATED_MAX, read, |record| *record)
    });
    let remove = remove.map(|list| {
        let read = |entry: &Input<'_>| match reference(entry)? {
            RecordRef::Id(id) => Ok(id),
            named @ RecordRef::LookupValue(_) => (context.record)(relation, named).ok_or(UNKNOWN),
        };
        read_distinct(list, RELATED_MAX, read, |record| *record)
    });
    let (add, remove) = (add.transpose()?, remove.transpose()?);
    Ok(Change::Records(ListChange::Edit {
        add: add.unwrap_or_default(),
        remove: remove.unwrap_or_default(),
    }))
}

/// Reads a record that is live and visible: its id, `{"id"}` or `{"lookup_value"}`.
fn read_live(
    relation: &Relation,
    input: &Input<'_>,
    context: &Context<'_>,
) -> Result<RecordId, ValueFault> {
    (context.record)(relation, reference(input)?).ok_or(UNKNOWN)
}

/// Where a map has an id the rest is not looked at, so that what was read can be written back.
fn reference<'a>(input: &'a Input<'_>) -> Result<RecordRef<'a>, ValueFault> {
    match (input, input.get("id"), input.get("lookup_value")) {
        (Input::Text(id), _, _) | (Input::Map(_), Some(Input::Text(id)), _) => {
            RecordId::parse(id.trim()).map(RecordRef::Id).ok_or(UNKNOWN)
        }
        (Input::Map(_), None, Some(Input::Text(text) | Input::Number(text))) => {
            Ok(RecordRef::LookupValue(text))
        }
        (
            Input::Null | Input::Boolean(_) | Input::Number(_) | Input::List(_) | Input::Map(_),
            _,
            _,
        ) => Err(ValueFault::Invalid {
            what: "Expected a record: its id, {\"id\": …} or {\"lookup_value\": …}.",
        }),
    }
}

/// Reads the id of a record for a condition, which may ask for one that is not there.
pub fn read_id(input: &Input<'_>) -> Result<RecordId, ValueFault> {
    let id = input.get("id").unwrap_or(input).as_text();
    id.and_then(|id| RecordId::parse(id.trim()))
        .ok_or(ValueFault::Invalid { what: "Expected a record: its id or {\"id\": …}." })
}

fn relation_of(field: &Field) -> &Relation {
    field.relation.as_ref().expect("a relationship field has a relation")
}

pub(super) fn encode_list(records: &[RecordId], out: &mut Vec<u8>) {
    pack::write_list_len(records.len(), out);
    for record in records {
        pack::write_uuid(&record.0, out);
    }
}

pub(super) fn decode(allow_multiple: bool, bytes: &mut &[u8]) -> Result<Value, DecodeError> {
    if allow_multiple {
        pack::read_list(bytes, decode_one).map(Value::Records)
    } else {
        decode_one(bytes).map(Value::Record)
    }
}

fn decode_one(bytes: &mut &[u8]) -> Result<RecordId, DecodeError> {
    pack::read_uuid(bytes).map(RecordId)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::catalog::member::Members;
    use crate::model::id::{FieldId, ObjectId, Timestamp};
    use crate::model::schema::default_fields;
    use crate::model::schema::relation::RelationType;
    use crate::model::value::{Entry, FieldType, read_change};
    use jiff::tz::TimeZone;
    use uuid::Uuid;

    fn record(number: u128) -> RecordId {
        RecordId(Uuid::from_u128(number))
    }

    fn field(relation_type: RelationType) -> Field {
        let mut number = 0;
        let mut ids = || {
            number += 1;
            Uuid::from_u128(number)
        };
        let contacts = default_fields::contacts(Timestamp(0), &mut ids);
        Field {
            field_type: FieldType::Relationship,
            allow_multiple: relation_type.is_to_many(),
            relation: Some(Relation {
                relation_type,
                object: ObjectId(ids()),
                field: FieldId(ids()),
                is_mirror: false,
                is_pending: false,
                related_name: "Contacts".to_owned(),
                related_category: None,
            }),
            ..Field::clone(contacts.by_name("birthday").unwrap())
        }
    }

    /// Reads where the records 1 to 20,000 are live, and `two` names record 2.
    fn read(relation_type: RelationType, entry: &Entry<'_>) -> Result<Change, ValueFault> {
        let known = |_: &Relation, named: RecordRef<'_>| match named {
            RecordRef::Id(id) => (1..=20_000).contains(&id.0.as_u128()).then_some(id),
            RecordRef::LookupValue(text) => (text.trim() == "two").then(|| record(2)),
        };
        let context = Context {
            members: &Members::default(),
            tag: &|_, _| None,
            record: &known,
            time_zone: &TimeZone::UTC,
            phone_region: "US",
        };
        read_change(&field(relation_type), entry, &context)
    }

    fn text(text: &str) -> Input<'_> {
        Input::Text(text.to_owned().into())
    }

    fn id(number: u128) -> Input<'static> {
        Input::Text(record(number).to_string().into())
    }

    fn map<'a>(entries: &[(&'a str, Input<'a>)]) -> Input<'a> {
        Input::Map(entries.iter().map(|(key, input)| ((*key).into(), input.clone())).collect())
    }

    #[test]
    fn one_record_is_named_by_its_id_or_identifier() {
        let check = |input: Input<'_>, expected: Result<u128, ValueFault>| {
            let expected = expected.map(|number| Change::Set(Value::Record(record(number))));
            assert_eq!(read(RelationType::Primary, &Entry::of(&input)), expected, "{input:?}");
        };
        check(id(1), Ok(1));
        check(map(&[("id", id(3)), ("name", text("two"))]), Ok(3));
        check(map(&[("id", id(3)), ("lookup_value", text("two"))]), Ok(3));
        check(map(&[("lookup_value", text(" two "))]), Ok(2));
        check(map(&[("lookup_value", text("three"))]), Err(UNKNOWN));
        check(map(&[("lookup_value", Input::Number("2".into()))]), Err(UNKNOWN));
        check(id(20_001), Err(UNKNOWN));
        check(text("two"), Err(UNKNOWN));
        check(text(""), Err(UNKNOWN));
    }

    #[test]
    fn what_names_no_record_is_refused() {
        for input in [
            Input::Number("1".into()),
            Input::Boolean(true),
            Input::List(vec![id(1)]),
            map(&[]),
            map(&[("id", Input::Null)]),
            map(&[("lookup_value", Input::List(vec![]))]),
        ] {
            let found = read(RelationType::OneToOne, &Entry::of(&input));
            assert!(matches!(found, Err(ValueFault::Invalid { .. })), "{input:?}");
        }
    }

    #[test]
    fn several_records_are_a_list_or_one_alone() {
        let check = |input: Input<'_>, expected: Change| {
            let found = read(RelationType::Additional, &Entry::of(&input));
            assert_eq!(found, Ok(expected), "{input:?}");
        };
        let set = |numbers: &[u128]| {
            Change::Set(Value::Records(numbers.iter().map(|number| record(*number)).collect()))
        };
        check(id(1), set(&[1]));
        check(map(&[("lookup_value", text("two"))]), set(&[2]));
        check(Input::List(vec![id(2), id(1), map(&[("lookup_value", text("two"))])]), set(&[2, 1]));
        check(Input::List(vec![]), Change::Clear);
        let unknown = Input::List(vec![id(1), id(20_001)]);
        assert_eq!(read(RelationType::Additional, &Entry::of(&unknown)), Err(UNKNOWN));
    }

    #[test]
    fn what_is_removed_need_not_be_there() {
        let (gone, here) = (Input::List(vec![id(20_001)]), Input::List(vec![id(1)]));
        let entry = Entry { value: None, add_values: Some(&here), remove_values: Some(&gone) };
        let edit = ListChange::Edit { add: vec![record(1)], remove: vec![record(20_001)] };
        assert_eq!(read(RelationType::Additional, &entry), Ok(Change::Records(edit)));
        let entry = Entry { value: None, add_values: Some(&gone), remove_values: None };
        assert_eq!(read(RelationType::Additional, &entry), Err(UNKNOWN));
        let entry = Entry { value: None, add_values: Some(&here), remove_values: None };
        let found = read(RelationType::Primary, &entry);
        assert!(matches!(found, Err(ValueFault::Invalid { .. })), "one value is no list");
    }

    #[test]
    fn ten_thousand_records_are_taken_and_no_more() {
        let list = |count| Input::List((1..=count).map(id).collect());
        let check = |count| read(RelationType::Additional, &Entry::of(&list(count))).map(|_| ());
        assert_eq!(check(10_000), Ok(()));
        let fault = ValueFault::LimitExceeded { what: "values", max: 10_000 };
        assert_eq!(check(10_001), Err(fault));
    }
}
