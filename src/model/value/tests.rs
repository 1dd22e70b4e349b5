//! What holds for all types: how an entry is read, and that every stored form is read back.

use crate::model::catalog::member::Members;
use crate::model::id::{
    Day, FieldId, FileId, MemberId, ObjectId, OptionNumber, RecordId, TagNumber, Timestamp,
};
use crate::model::input::Input;
use crate::model::key::{Key, Normalizer};
use crate::model::schema::Schema;
use crate::model::schema::default_fields;
use crate::model::schema::field::Field;
use crate::model::schema::new_field::{NewField, NewOption};
use crate::model::schema::relation::{NewRelation, Relation, RelationType};
use crate::model::value::fault::ValueFault;
use crate::model::value::related::RecordRef;
use crate::model::value::{
    Change, Context, Entry, FieldType, Multiplicity, OptionSource, Value, pack, read_change,
};
use jiff::tz::TimeZone;
use proptest::prelude::*;
use rust_decimal::Decimal;
use uuid::Uuid;

fn contacts() -> Schema {
    let mut number = 0;
    default_fields::contacts(Timestamp(0), &mut || {
        number += 1;
        Uuid::from_u128(number)
    })
}

fn field_with(field_type: FieldType, change: impl FnOnce(&mut NewField)) -> Field {
    let mut new = NewField {
        display_name: Some("Field".to_owned()),
        field_type: Some(field_type.name().to_owned()),
        ..NewField::default()
    };
    change(&mut new);
    if field_type == FieldType::Relationship {
        let is_multiple = new.allow_multiple == Some(true);
        new.relation = Some(relation(is_multiple));
    }
    contacts().decide_field(&new, &mut || Uuid::from_u128(1)).unwrap()
}

/// A relation to one record or several, kept by the field.
fn relation(is_multiple: bool) -> NewRelation {
    let relation_type = if is_multiple { RelationType::Additional } else { RelationType::Primary };
    NewRelation {
        own: FieldId(Uuid::from_u128(2)),
        relation: Relation {
            relation_type,
            object: ObjectId(Uuid::from_u128(3)),
            field: FieldId(Uuid::from_u128(4)),
            is_mirror: false,
            is_pending: false,
            related_name: "Contacts".to_owned(),
            related_category: None,
        },
    }
}

fn field(field_type: FieldType) -> Field {
    field_with(field_type, |new| {
        if field_type.option_source() == OptionSource::Schema {
            let option = NewOption { name: Some("A".to_owned()), ..NewOption::default() };
            new.options = Some(vec![option]);
        }
    })
}

fn multiple(field_type: FieldType) -> Field {
    field_with(field_type, |new| new.allow_multiple = Some(true))
}

fn read(field: &Field, entry: &Entry<'_>) -> Result<Change, ValueFault> {
    let (members, time_zone) = (Members::default(), TimeZone::UTC);
    let tag = |_, _| None;
    let record = |_: &Relation, named: RecordRef<'_>| {
        if let RecordRef::Id(id) = named { Some(id) } else { None }
    };
    let context = Context {
        members: &members,
        tag: &tag,
        record: &record,
        time_zone: &time_zone,
        phone_region: "US",
    };
    read_change(field, entry, &context)
}

#[test]
fn null_clears_every_type_but_unchecks_a_checkbox() {
    for field_type in FieldType::ALL {
        let expected = if field_type == FieldType::Checkbox {
            Change::Set(Value::Boolean(false))
        } else {
            Change::Clear
        };
        let found = read(&field(field_type), &Entry::of(&Input::Null));
        assert_eq!(found, Ok(expected), "{field_type:?}");
    }
}

#[test]
fn an_empty_text_clears_only_what_is_like_a_text() {
    for field_type in FieldType::ALL {
        let is_text_like = field_type.is_text();
        let found = read(&field(field_type), &Entry::of(&Input::Text("".into())));
        assert_eq!(found == Ok(Change::Clear), is_text_like, "{field_type:?}");
        assert_eq!(found.is_err(), !is_text_like, "{field_type:?}");
    }
}

#[test]
fn each_type_reads_its_values() {
    let check = |field_type: FieldType, input: Input<'_>, expected: Value| {
        let found = read(&field(field_type), &Entry::of(&input));
        assert_eq!(found, Ok(Change::Set(expected)), "{field_type:?} {input:?}");
    };
    let text = |text: &'static str| Input::Text(text.into());
    let decimal = Decimal::new(125, 1);
    check(FieldType::Text, text(" a "), Value::Text("a".into()));
    check(FieldType::Longtext, text(" a "), Value::Text(" a ".into()));
    check(FieldType::Email, text("a@b.de"), Value::Text("a@b.de".into()));
    check(FieldType::Phonenumber, text("(202) 555-0123"), Value::Text("+12025550123".into()));
    check(FieldType::Integer, text("7"), Value::Integer(7));
    check(FieldType::Decimal, text("12.50"), Value::Decimal(decimal));
    check(FieldType::Money, text("12.50"), Value::Decimal(decimal));
    check(FieldType::Checkbox, text("yes"), Value::Boolean(true));
    check(FieldType::Date, text("1970-01-11"), Value::Date(Day(10)));
    check(FieldType::Datetime, text("1970-01-01T00:00:01Z"), Value::Datetime(Timestamp(1000)));
    check(FieldType::Timezone, text("utc"), Value::Text("UTC".into()));
    check(FieldType::Dropdown, text("a"), Value::Choice(OptionNumber(5)));
    for field_type in [FieldType::Radio, FieldType::Choices, FieldType::Status, FieldType::Selector]
    {
        check(field_type, text("a"), Value::Choice(OptionNumber(5)));
    }
    check(FieldType::Yesnomaybe, text("maybe"), Value::Choice(OptionNumber(7)));
    let list = Input::List(vec![text("a"), text("A")]);
    check(FieldType::Checkboxes, list, Value::Choices(vec![OptionNumber(5)]));
    check(FieldType::Rating, text("4"), Value::Integer(4));
    let id = "00000000-0000-0000-0000-000000000001";
    let files = Value::Files(vec![FileId::parse(id).unwrap()]);
    check(FieldType::Files, Input::List(vec![text(id)]), files);
    let record = Value::Record(RecordId::parse(id).unwrap());
    check(FieldType::Relationship, text(id), record);
}

#[test]
fn an_entry_says_what_to_do_exactly_once() {
    let list = Input::List(vec![]);
    let check = |field: &Field, [value, add, remove]: [bool; 3], is_good: bool| {
        let entry = Entry {
            value: value.then_some(&list),
            add_values: add.then_some(&list),
            remove_values: remove.then_some(&list),
        };
        let found = read(field, &entry);
        assert_eq!(found.is_ok(), is_good, "{entry:?}: {found:?}");
    };
    for field_type in FieldType::ALL {
        if field_type.multiplicity() == Multiplicity::One {
            continue;
        }
        let field = multiple(field_type);
        check(&field, [true, false, false], true);
        check(&field, [false, true, false], true);
        check(&field, [false, false, true], true);
        check(&field, [false, true, true], true);
        check(&field, [true, true, false], false);
        check(&field, [true, false, true], false);
        check(&field, [true, true, true], false);
        assert_eq!(read(&field, &Entry::default()), Err(ValueFault::Required));
    }
    let single = FieldType::ALL.into_iter().filter(|of| of.multiplicity() != Multiplicity::Many);
    for field in single.map(field) {
        check(&field, [false, true, false], false);
        check(&field, [false, false, true], false);
    }
}

#[test]
fn a_null_beside_a_value_is_still_two_answers() {
    let entry =
        Entry { value: Some(&Input::Null), add_values: Some(&Input::Null), remove_values: None };
    assert!(matches!(
        read(&field(FieldType::Dynamictags), &entry),
        Err(ValueFault::Invalid { .. })
    ));
}

#[test]
fn identifiers_refuse_what_nobody_sees_and_other_fields_do_not() {
    let contacts = contacts();
    let input = Input::Text("a\u{200b}".into());
    let entry = Entry::of(&input);
    assert!(read(contacts.identifier(), &entry).is_err());
    assert!(read(contacts.by_name("first_name").unwrap(), &entry).is_ok());
}

#[test]
fn names_of_types_are_read_back() {
    for field_type in FieldType::ALL {
        assert_eq!(FieldType::parse(field_type.name()), Some(field_type));
        let stored = rmp_serde::to_vec(&field_type).unwrap();
        assert_eq!(rmp_serde::from_slice::<String>(&stored).unwrap(), field_type.name());
    }
    assert_eq!(FieldType::parse("sphere"), None);
    assert_eq!(FieldType::parse("Text"), None);
}

#[test]
fn unique_keys_are_normal_forms() {
    let check = |value: Value, normalizer, expected: Option<&str>| {
        let key = value.unique_key(normalizer).map(Key::into_bytes);
        assert_eq!(key.as_deref(), expected.map(str::as_bytes), "{value:?}");
    };
    let text = |text: &str| Value::Text(text.into());
    check(text(" Straße"), Some(Normalizer::Casefold), Some("strasse"));
    check(text("007"), Some(Normalizer::Digits), Some("7"));
    check(text("-"), Some(Normalizer::Digits), None);
    check(text("a"), None, None);
    check(text("+12025550123;ext=7"), Some(Normalizer::Phone), Some("12025550123"));
    check(text("+12025550123;ext=7"), Some(Normalizer::Exact), Some("+12025550123;ext=7"));
    check(Value::Integer(-7), None, Some("-7"));
    check(Value::Decimal(Decimal::new(1250, 2)), None, Some("12.5"));
    check(Value::Decimal(Decimal::new(500, 2)), None, Some("5"));
    check(Value::Date(Day(0)), None, Some("1970-01-01"));
    check(Value::Datetime(Timestamp(-1)), None, Some("-1"));
    check(Value::Boolean(true), None, None);
    check(Value::Choice(OptionNumber(1)), None, None);
}

#[test]
fn stored_forms_are_those_that_are_written_down() {
    let check = |value: Value, expected: &[u8]| {
        let mut bytes = Vec::new();
        value.encode(&mut bytes);
        assert_eq!(bytes, expected, "{value:?}");
    };
    let id = MemberId(Uuid::from_u128(1));
    let binary: Vec<u8> = [&[0xc4, 16][..], id.as_bytes()].concat();
    check(Value::Text("é".into()), &[0xa2, 0xc3, 0xa9]);
    check(Value::Integer(-1), &[0xff]);
    check(Value::Integer(300), &[0xcd, 1, 44]);
    check(Value::Decimal(Decimal::new(1250, 2)), b"\xa412.5");
    check(Value::Decimal(Decimal::new(-500, 2)), b"\xa2-5");
    check(Value::Boolean(true), &[0xc3]);
    check(Value::Date(Day(1)), &[1]);
    check(Value::Datetime(Timestamp(-1)), &[0xff]);
    check(Value::Choice(OptionNumber(7)), &[7]);
    check(Value::Choices(vec![OptionNumber(2), OptionNumber(1)]), &[0x92, 2, 1]);
    check(Value::Tags(vec![TagNumber(2), TagNumber(1)]), &[0x92, 2, 1]);
    check(Value::Member(id), &binary);
    check(Value::Members(vec![id]), &[&[0x91][..], &binary].concat());
    check(Value::Files(vec![FileId(id.0)]), &[&[0x91][..], &binary].concat());
    check(Value::Record(RecordId(id.0)), &binary);
    check(Value::Records(vec![RecordId(id.0)]), &[&[0x91][..], &binary].concat());
}

/// A field and a value it can hold.
fn held() -> impl Strategy<Value = (Field, Value)> {
    let number = any::<u64>();
    let ids = prop::collection::vec(any::<u128>(), 1..20);
    (0..FieldType::ALL.len(), any::<bool>(), number, ids, ".{0,40}").prop_map(
        |(field_type, is_multiple, number, ids, text)| {
            let field_type = FieldType::ALL[field_type];
            let member = |id: &u128| MemberId(Uuid::from_u128(*id));
            let small = u32::try_from(number >> 32).expect("half of it");
            let value = match field_type {
                FieldType::Text
                | FieldType::Longtext
                | FieldType::Email
                | FieldType::Phonenumber
                | FieldType::Timezone => Value::Text(text.into()),
                FieldType::Integer | FieldType::Rating => Value::Integer(small.cast_signed()),
                FieldType::Decimal | FieldType::Money => {
                    Value::Decimal(Decimal::new(number.cast_signed(), 6))
                }
                FieldType::Checkbox => Value::Boolean(number % 2 == 0),
                FieldType::Date => Value::Date(Day(small.cast_signed())),
                FieldType::Datetime => Value::Datetime(Timestamp(number.cast_signed())),
                FieldType::Selector if is_multiple => Value::Choices(vec![OptionNumber(small)]),
                FieldType::Dropdown
                | FieldType::Radio
                | FieldType::Choices
                | FieldType::Status
                | FieldType::Yesnomaybe
                | FieldType::Selector => Value::Choice(OptionNumber(small)),
                FieldType::Checkboxes => {
                    Value::Choices(ids.iter().map(|_| OptionNumber(small)).collect())
                }
                FieldType::Files => {
                    Value::Files(ids.iter().map(|id| FileId(Uuid::from_u128(*id))).collect())
                }
                FieldType::Dynamictags => {
                    Value::Tags(ids.iter().map(|_| TagNumber(small)).collect())
                }
                FieldType::TeamSelector if is_multiple => {
                    Value::Members(ids.iter().map(member).collect())
                }
                FieldType::TeamSelector => Value::Member(member(&ids[0])),
                FieldType::Relationship if is_multiple => {
                    let record = |id: &u128| RecordId(Uuid::from_u128(*id));
                    Value::Records(ids.iter().map(record).collect())
                }
                FieldType::Relationship => Value::Record(RecordId(Uuid::from_u128(ids[0]))),
            };
            let is_multiple = is_multiple && field_type.multiplicity() == Multiplicity::Chosen;
            (if is_multiple { multiple(field_type) } else { field(field_type) }, value)
        },
    )
}

proptest! {
    #[test]
    fn every_value_is_read_back((field, value) in held(), rest in prop::collection::vec(any::<u8>(), 0..4)) {
        let mut stored = Vec::new();
        value.encode(&mut stored);
        let whole = [&stored[..], &rest].concat();
        let mut bytes = &whole[..];
        prop_assert_eq!(Value::decode(&field, &mut bytes), Ok(value));
        prop_assert_eq!(bytes, &rest[..]);
        let mut bytes = &whole[..];
        prop_assert_eq!(pack::skip(&mut bytes), Ok(()));
        prop_assert_eq!(bytes, &rest[..]);
    }

    #[test]
    fn a_value_that_is_cut_is_an_error((field, value) in held(), at in any::<prop::sample::Index>()) {
        let mut stored = Vec::new();
        value.encode(&mut stored);
        let mut bytes = &stored[..at.index(stored.len())];
        prop_assert!(Value::decode(&field, &mut bytes).is_err());
    }

    #[test]
    fn garbage_stops_no_reader((field, _) in held(), garbage in prop::collection::vec(any::<u8>(), 0..40)) {
        let mut bytes = &garbage[..];
        if let Ok(value) = Value::decode(&field, &mut bytes) {
            // What could be read can be written, shown as a key and read again.
            let key = value.unique_key(field.normalizer);
            prop_assert!(key.is_none_or(|key| !key.is_empty()));
            let mut stored = Vec::new();
            value.encode(&mut stored);
            prop_assert_eq!(Value::decode(&field, &mut &stored[..]), Ok(value));
        }
    }
}
