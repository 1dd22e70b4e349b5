//! `idempotency_key` of a row: what it is kept under, what the row is told by, what was answered
//! before.
//!
//! A key is of a member and an object, whichever request its row comes in: what is sent again after
//! a break may be other rows, of a batch or of a stream. It must not know how a row is carried out.

use crate::http::code::Code;
use crate::http::keyed::is_key;
use crate::http::problem::Problem;
use crate::http::target::Target;
use crate::http::wire::row::{IDEMPOTENCY_KEY, OFFSET};
use crate::model::id::FieldNumber;
use crate::model::input::Input;
use crate::model::retry::hash::{Fingerprint, RetryKey};
use crate::model::retry::{Retry, Statuses, StoredOutcome};
use crate::model::table::command::EntryIndex;
use std::borrow::Cow;
use std::sync::Arc;

/// A row succeeds, or it does not.
const STATUS: u16 = 200;

/// The key of a row, and what must be the same for the row to be the same.
#[derive(Clone, Copy, Debug)]
pub(super) struct RowKey {
    pub key: RetryKey,
    fingerprint: Fingerprint,
}

impl RowKey {
    /// Of a row that has a key, and a good one.
    #[must_use]
    pub(super) fn of(row: &Input<'_>, target: &Target) -> Option<Self> {
        let key = row.get(IDEMPOTENCY_KEY)?.as_text().filter(|key| is_key(key))?;
        let caller = &target.caller;
        let key = RetryKey::of([
            b"row",
            &caller.business.id().as_bytes()[..],
            caller.member.id.as_bytes(),
            target.table.shown().object().as_bytes(),
            key.as_bytes(),
        ]);
        let mut text = Vec::new();
        // Where it stands in a stream is nothing that it asks for.
        put_but(row, OFFSET, &mut text);
        Some(Self { key, fingerprint: Fingerprint::of([&text[..]]) })
    }

    /// What makes the row's command one that may be sent again.
    #[must_use]
    pub(super) fn retry(&self, mentioned: Vec<(EntryIndex, FieldNumber)>) -> Retry {
        Retry {
            key: self.key,
            fingerprint: self.fingerprint,
            statuses: Statuses { made: STATUS, changed: STATUS, nothing: STATUS },
            about: None,
            mentioned,
            is_open: false,
        }
    }

    /// What was answered to the row before, if it was; refused where that was another row.
    pub(super) fn outcome(&self, target: &Target) -> Result<Option<Arc<StoredOutcome>>, Problem> {
        let outcome = target.table.handle().outcomes().find(&self.key);
        match outcome {
            Some(outcome) if outcome.fingerprint != self.fingerprint => {
                Err(Problem::new(Code::IdempotencyKeyReuse))
            }
            outcome => Ok(outcome),
        }
    }
}

/// Appends a form of a tree that two rows share only if they say the same: neither blanks and
/// escapes between its values nor the order of keys count.
fn put(input: &Input<'_>, out: &mut Vec<u8>) {
    match input {
        Input::Null => out.push(b'n'),
        Input::Boolean(value) => out.push(if *value { b't' } else { b'f' }),
        Input::Number(digits) => put_text(b'0', digits, out),
        Input::Text(text) => put_text(b'"', text, out),
        Input::List(items) => {
            put_length(b'[', items.len(), out);
            for item in items {
                put(item, out);
            }
        }
        Input::Map(_) => put_but(input, "", out),
    }
}

/// The same without one key of an object; none is empty.
fn put_but(input: &Input<'_>, left_out: &str, out: &mut Vec<u8>) {
    let Input::Map(entries) = input else { return put(input, out) };
    let is_in = |(key, _): &&(Cow<'_, str>, Input<'_>)| left_out.is_empty() || key != left_out;
    let mut entries: Vec<_> = entries.iter().filter(is_in).collect();
    entries.sort_by(|(left, _), (right, _)| left.cmp(right));
    put_length(b'{', entries.len(), out);
    for (key, value) in entries {
        put_text(b'"', key, out);
        put(value, out);
    }
}

fn put_text(kind: u8, text: &str, out: &mut Vec<u8>) {
    put_length(kind, text.len(), out);
    out.extend_from_slice(text.as_bytes());
}

fn put_length(kind: u8, length: usize, out: &mut Vec<u8>) {
    out.push(kind);
    out.extend_from_slice(&(length as u64).to_le_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::json;

    fn form(text: &str) -> Vec<u8> {
        let mut out = Vec::new();
        put(&json::parse(text.as_bytes()).unwrap(), &mut out);
        out
    }

    #[test]
    fn rows_that_say_the_same_have_one_form_and_no_others() {
        let row = r#"{"lookup_value":"Acme","fields":{"a":1,"b":[true,null]}}"#;
        let spelled = r#" {"fields" : {"b":[ true, null ],"a":1}, "lookup_value":"\u0041cme"}"#;
        assert_eq!(form(row), form(spelled));
        let others = [
            r#"{"lookup_value":"Acme","fields":{"a":1,"b":[null,true]}}"#,
            r#"{"lookup_value":"Acme","fields":{"a":"1","b":[true,null]}}"#,
            r#"{"lookup_value":"Acme","fields":{"a":1,"b":[[true],null]}}"#,
            r#"{"lookup_value":"Acme","fields":{"a":1.0,"b":[true,null]}}"#,
            r#"{"lookup_value":"Acme","fields":{"a":1},"b":[true,null]}"#,
            r#"{"lookup_value":"Acme","fields":{"a":1,"b":[true,false]}}"#,
            r#"["lookup_value","Acme","fields",["a",1,"b",[true,null]]]"#,
        ];
        for (at, other) in others.iter().enumerate() {
            assert_ne!(form(other), form(row), "{other}");
            assert!(others[..at].iter().all(|before| form(before) != form(other)), "{other}");
        }
    }
}
