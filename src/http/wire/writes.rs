//! The `fields` of a write and the other sets of an upsert, read with the schema: what is to be done to which field, what is wrong,
//! and what nobody may write.
//!
//! It must not know which branch a write takes, so nothing here asks for required fields.

use crate::http::fault::clipped;
use crate::http::wire::fields::{FieldEntry, FieldReference, FieldWrite, Fields};
use crate::model::access::FieldRights;
use crate::model::id::{FieldId, FieldNumber};
use crate::model::input::Input;
use crate::model::schema::Schema;
use crate::model::schema::field::Field;
use crate::model::table::command::{
    EntryKey, FaultKind, FieldSet, Place, RecordFault, Write, Writes,
};
use crate::model::value::fault::ValueFault;
use crate::model::value::{Context, Entry, read_change};
use std::sync::Arc;

const UNKNOWN: ValueFault = ValueFault::DoesNotExist { what: "Field" };
const TWO_FIELDS: ValueFault = ValueFault::Invalid { what: "The id and the name mean two fields." };

/// What a request writes.
#[derive(Debug)]
pub struct ReadFields {
    /// What the record itself keeps.
    pub writes: Writes,
    /// What others keep about it.
    pub mirrors: Vec<Write>,
}

/// Reads every entry; those at fault are noted in their order.
#[must_use]
pub fn read(
    fields: &Fields<'_>,
    (schema, rights): (&Schema, &FieldRights),
    context: &Context<'_>,
) -> ReadFields {
    let mut reading = Reading {
        schema,
        rights,
        context,
        writes: Writes {
            schema: schema.number(),
            entries: Vec::with_capacity(fields.entries.len()),
            faults: Vec::new(),
            forbidden: Vec::new(),
        },
        mirrors: Vec::new(),
        named: Vec::with_capacity(fields.entries.len()),
        ignores_blanks: fields.ignores_blanks,
    };
    for entry in &fields.entries {
        reading.read(entry);
    }
    ReadFields { writes: reading.writes, mirrors: reading.mirrors }
}

struct Reading<'a> {
    schema: &'a Schema,
    rights: &'a FieldRights,
    context: &'a Context<'a>,
    writes: Writes,
    mirrors: Vec<Write>,
    /// Fields named so far. At most 500 numbers of a set side by side: looking through them is fast.
    named: Vec<(FieldSet, FieldNumber)>,
    ignores_blanks: bool,
}

impl Reading<'_> {
    fn read(&mut self, entry: &FieldEntry<'_>) {
        let index = entry.index;
        let field = match resolve((self.schema, self.rights), entry.reference) {
            Ok(field) => field,
            Err((key, fault)) => {
                let given = clipped(given_under(entry.reference, key)).into();
                let place = Place::Unresolved { index, given, key };
                let kind = FaultKind::Value(fault);
                return self.writes.faults.push(RecordFault { place, kind });
            }
        };
        let number = field.number;
        if self.named.contains(&(index.set, number)) {
            let place = Place::Entry { index, field: number, key: naming_key(entry.reference) };
            let kind = FaultKind::DuplicateField;
            return self.writes.faults.push(RecordFault { place, kind });
        }
        self.named.push((index.set, number));
        if field.is_computed() || field.is_read_only || !self.rights.may_write(number) {
            return self.writes.forbidden.push((index, number));
        }
        if self.ignores_blanks && is_blank(entry.write) {
            return;
        }
        match read_change(field, &asked(entry.write), self.context) {
            Ok(change) => {
                let write = Write { index, field: number, change };
                let writes =
                    if field.is_mirror() { &mut self.mirrors } else { &mut self.writes.entries };
                writes.push(write);
            }
            Err(fault) => {
                let key = faulty_key(field, entry.write, self.context);
                let place = Place::Entry { index, field: number, key };
                self.writes.faults.push(RecordFault { place, kind: FaultKind::Value(fault) });
            }
        }
    }
}

/// The field that is meant, or the key of the entry that means none. A hidden one is as good as
/// none.
fn resolve<'s>(
    (schema, rights): (&'s Schema, &FieldRights),
    reference: FieldReference<'_>,
) -> Result<&'s Arc<Field>, (EntryKey, ValueFault)> {
    let by_id = |id| {
        let found = FieldId::parse(id).and_then(|id| schema.by_id(id));
        found.filter(|field| rights.may_see(field.number)).ok_or((EntryKey::Id, UNKNOWN))
    };
    let by_name = |name| {
        let found = schema.by_name(name).filter(|field| rights.may_see(field.number));
        found.ok_or((EntryKey::Name, UNKNOWN))
    };
    match reference {
        FieldReference::Id(id) => by_id(id),
        FieldReference::Name(name) => by_name(name),
        FieldReference::Key(key) => rights.find(schema, key).ok_or((EntryKey::Name, UNKNOWN)),
        FieldReference::Both { id, name } => {
            let (field, named) = (by_id(id)?, by_name(name)?);
            if field.number == named.number { Ok(field) } else { Err((EntryKey::Id, TWO_FIELDS)) }
        }
    }
}

/// The key by which an entry names its field.
fn naming_key(reference: FieldReference<'_>) -> EntryKey {
    match reference {
        FieldReference::Id(_) => EntryKey::Id,
        FieldReference::Name(_) | FieldReference::Key(_) | FieldReference::Both { .. } => {
            EntryKey::Name
        }
    }
}

/// What an entry gives under the key that is at fault.
fn given_under(reference: FieldReference<'_>, key: EntryKey) -> &str {
    match reference {
        FieldReference::Id(given) | FieldReference::Name(given) | FieldReference::Key(given) => {
            given
        }
        FieldReference::Both { id, name } => {
            if key == EntryKey::Id {
                id
            } else {
                name
            }
        }
    }
}

/// Whether an entry gives null, or a text of nothing but blanks.
fn is_blank(write: FieldWrite<'_>) -> bool {
    match write {
        FieldWrite::Value(Input::Null) => true,
        FieldWrite::Value(Input::Text(text)) => text.trim().is_empty(),
        FieldWrite::Value(
            Input::Boolean(_) | Input::Number(_) | Input::List(_) | Input::Map(_),
        )
        | FieldWrite::Edit { .. } => false,
    }
}

fn asked(write: FieldWrite<'_>) -> Entry<'_> {
    match write {
        FieldWrite::Value(value) => Entry::of(value),
        FieldWrite::Edit { add, remove } => {
            Entry { value: None, add_values: add, remove_values: remove }
        }
    }
}

/// The key that holds what was refused. Of two lists the first that is refused when it is alone.
fn faulty_key(field: &Field, write: FieldWrite<'_>, context: &Context<'_>) -> EntryKey {
    match write {
        FieldWrite::Value(_) => EntryKey::Value,
        FieldWrite::Edit { add: None, .. } => EntryKey::RemoveValues,
        FieldWrite::Edit { remove: None, .. } => EntryKey::AddValues,
        FieldWrite::Edit { add, remove: Some(_) } => {
            let alone = Entry { value: None, add_values: add, remove_values: None };
            match read_change(field, &alone, context) {
                Ok(_) => EntryKey::RemoveValues,
                Err(_) => EntryKey::AddValues,
            }
        }
    }
}
