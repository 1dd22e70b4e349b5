//! files: references to files that are kept elsewhere.
//!
//! Owns how a request gives them and how they are stored. Must not know what they refer to: an id
//! is as good as any other.

use crate::model::id::FileId;
use crate::model::input::Input;
use crate::model::value::fault::ValueFault;
use crate::model::value::list::read_distinct;
use crate::model::value::pack::{self, DecodeError};
use crate::model::value::{Change, ListChange, Value};

/// Files of one record in one field.
pub const FILES_MAX: usize = 100;

/// Reads the list that replaces the files. An empty one clears.
pub(super) fn read_values(input: &Input<'_>) -> Result<Change, ValueFault> {
    let files = read_list(input)?;
    Ok(if files.is_empty() { Change::Clear } else { Change::Set(Value::Files(files)) })
}

/// Reads what to add and what to remove.
pub(super) fn read_edit(lists: [Option<&Input<'_>>; 2]) -> Result<Change, ValueFault> {
    let [add, remove] =
        lists.map(|list| list.map(read_list).transpose().map(Option::unwrap_or_default));
    Ok(Change::Files(ListChange::Edit { add: add?, remove: remove? }))
}

pub(super) fn encode(files: &[FileId], out: &mut Vec<u8>) {
    pack::write_list_len(files.len(), out);
    for file in files {
        pack::write_uuid(&file.0, out);
    }
}

pub(super) fn decode(bytes: &mut &[u8]) -> Result<Vec<FileId>, DecodeError> {
    pack::read_list(bytes, |bytes| pack::read_uuid(bytes).map(FileId))
}

fn read_list(input: &Input<'_>) -> Result<Vec<FileId>, ValueFault> {
    read_distinct(input, FILES_MAX, read, |file| *file)
}

/// Reads an id or `{"id"}`.
fn read(entry: &Input<'_>) -> Result<FileId, ValueFault> {
    let id = entry.get("id").unwrap_or(entry).as_text();
    id.and_then(|id| FileId::parse(id.trim()))
        .ok_or(ValueFault::Invalid { what: "Expected a file: its id or {\"id\": …}." })
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn file(number: u128) -> FileId {
        FileId(Uuid::from_u128(number))
    }

    fn list(ids: &[String]) -> Input<'_> {
        Input::List(ids.iter().map(|id| Input::Text(id.as_str().into())).collect())
    }

    fn ids(numbers: impl Iterator<Item = u128>) -> Vec<String> {
        numbers.map(|number| file(number).to_string()).collect()
    }

    #[test]
    fn files_are_a_list_of_ids_and_none_twice() {
        let given = [ids([2, 1].into_iter()), vec![file(2).to_string().to_uppercase()]].concat();
        let expected = Change::Set(Value::Files(vec![file(2), file(1)]));
        assert_eq!(read_values(&list(&given)), Ok(expected));
        let map = Input::Map(vec![("id".into(), Input::Text(given[1].as_str().into()))]);
        let expected = Change::Set(Value::Files(vec![file(1)]));
        assert_eq!(read_values(&Input::List(vec![map])), Ok(expected));
        assert_eq!(read_values(&Input::List(vec![])), Ok(Change::Clear));
    }

    #[test]
    fn what_is_no_list_of_ids_is_refused() {
        let text = |text: &str| Input::Text(text.to_owned().into());
        for input in [
            text(&file(1).to_string()),
            Input::Number("1".into()),
            Input::List(vec![text("photo.jpg")]),
            Input::List(vec![text(&file(1).0.simple().to_string())]),
            Input::List(vec![Input::Null]),
            Input::List(vec![Input::Map(vec![])]),
        ] {
            assert!(matches!(read_values(&input), Err(ValueFault::Invalid { .. })), "{input:?}");
        }
    }

    #[test]
    fn a_hundred_files_are_taken_and_no_more() {
        let some = ids(1..=100);
        let read = |ids: &[String]| read_values(&list(ids)).map(|_| ());
        assert_eq!(read(&[some.clone(), some].concat()), Ok(()));
        let fault = ValueFault::LimitExceeded { what: "values", max: 100 };
        assert_eq!(read(&ids(1..=101)), Err(fault));
    }

    #[test]
    fn adding_and_removing_stand_together() {
        let (one, two) = (ids(1..=1), ids(2..=2));
        let edit = ListChange::Edit { add: vec![file(1)], remove: vec![file(2)] };
        let found = read_edit([Some(&list(&one)), Some(&list(&two))]);
        assert_eq!(found, Ok(Change::Files(edit)));
        assert_eq!(read_edit([Some(&Input::Null), None]), Err(ValueFault::Null));
    }
}
