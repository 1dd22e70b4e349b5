//! How a request says which record it means: `match`, `match_values`, `lookup_value`.
//!
//! It must not know whether there is such a record.

use crate::http::code::Code;
use crate::http::fault::{Fault, Faults, FieldPart, Place};
use crate::http::query::Query;
use crate::http::shape::{Presence, Shape};
use crate::http::value_fault::fault_of;
use crate::http::wire::fields::{FieldReference, FieldWrite, Fields};
use crate::http::wire::identifier;
use crate::model::access::FieldRights;
use crate::model::id::FieldNumber;
use crate::model::input::Input;
use crate::model::key::Key;
use crate::model::schema::Schema;
use crate::model::schema::constraint::Constraint;
use crate::model::schema::field::Field;
use crate::model::table::command::{FieldSet, Place as RecordPlace};
use crate::model::table::decide::keys::joint_key;
use crate::model::table::event::{Claim, ClaimOn};
use crate::model::table::intent::{
    IdentityConflict, MatchKey, MatchKeys, MatchOn, MatchPart, MatchValue, Matching,
};
use crate::model::value::fault::ValueFault;
use crate::model::value::{Change, Context, Entry, FieldType, Value, read_change};
use std::borrow::Cow;
use std::sync::Arc;

const MATCH: &str = "match";
const MATCH_VALUES: &str = "match_values";
pub(super) const LOOKUP_VALUE: &str = "lookup_value";
/// As many as an object has unique fields.
const KEYS_MAX: usize = 20;
const CONFLICTS: [(&str, IdentityConflict); 1] = [("first", IdentityConflict::First)];

/// The fields to look by, as they were named, the most important first; those of a composite key
/// together.
#[derive(Clone, Debug)]
pub struct MatchNames {
    keys: Vec<Vec<String>>,
    place: Place,
}

/// What a row gives to look for its record.
#[derive(Clone, Debug)]
pub struct Given<'i> {
    pub names: Option<MatchNames>,
    pub on_conflict: IdentityConflict,
    pub lookup: Option<&'i str>,
    pub values: &'i [(Cow<'i, str>, Input<'i>)],
}

/// What a request is read with.
#[derive(Clone, Copy)]
pub struct Reader<'a> {
    pub schema: &'a Schema,
    pub rights: &'a FieldRights,
    pub context: &'a Context<'a>,
}

/// Reads the parameter `match`: keys between commas, the fields of one between plus signs, which
/// may have become spaces; or, beside rows, a list as in a row.
pub fn read_names(query: &mut Query<'_>, faults: &mut Faults) -> Option<MatchNames> {
    let place = query.place(MATCH);
    if let Some(list) = query.list_in_body(MATCH) {
        return names_of(list, place, faults);
    }
    let given = query.text(MATCH, faults)?;
    let words = |key: &str| -> Vec<String> {
        key.split(['+', ' ']).filter(|name| !name.is_empty()).map(str::to_owned).collect()
    };
    let keys = given.split(',').map(words).filter(|key| !key.is_empty()).collect();
    checked(MatchNames { keys, place }, faults)
}

/// Reads what becomes of an upsert whose keys mean several records.
pub fn read_on_conflict(query: &mut Query<'_>, faults: &mut Faults) -> IdentityConflict {
    query.choice("on_identity_conflict", &CONFLICTS, faults).unwrap_or_default()
}

/// Reads the body key `match`: a list of names, and of lists of them.
pub fn read_own_names(shape: &mut Shape<'_>, faults: &mut Faults) -> Option<MatchNames> {
    let list = shape.list(MATCH, Presence::Nullable, faults)?;
    names_of(list, shape.place(MATCH), faults)
}

fn names_of(list: &[Input<'_>], place: Place, faults: &mut Faults) -> Option<MatchNames> {
    let texts = |key: &Input<'_>| -> Option<Vec<String>> {
        match key {
            Input::Text(name) => Some(vec![name.to_string()]),
            Input::List(names) if !names.is_empty() => {
                names.iter().map(|name| name.as_text().map(str::to_owned)).collect()
            }
            Input::Null | Input::Boolean(_) | Input::Number(_) | Input::List(_) | Input::Map(_) => {
                None
            }
        }
    };
    let Some(keys) = list.iter().map(texts).collect::<Option<Vec<_>>>() else {
        let message = "Must be a list of field names, or of lists of them.";
        faults.push(Fault::new(Code::Invalid, place).saying(message));
        return None;
    };
    checked(MatchNames { keys, place }, faults)
}

fn checked(names: MatchNames, faults: &mut Faults) -> Option<MatchNames> {
    let fault = |code| Fault::new(code, names.place.clone());
    if names.keys.is_empty() {
        faults.push(fault(Code::Required));
        return None;
    }
    if names.keys.len() > KEYS_MAX || names.keys.iter().any(|key| key.len() > KEYS_MAX) {
        let message = format!("At most {KEYS_MAX} match keys are taken.");
        faults.push(fault(Code::LimitExceeded).saying(message));
        return None;
    }
    Some(names)
}

/// The two ways to name the keys exclude each other.
pub fn note_both(own: &MatchNames, faults: &mut Faults) {
    let message = "Give it in the query or in the body, not in both.";
    faults.push(Fault::new(Code::Invalid, own.place.clone()).saying(message));
}

/// Reads `match_values`: values by the fields' names or ids.
pub fn read_values<'i>(
    shape: &mut Shape<'i>,
    faults: &mut Faults,
) -> &'i [(Cow<'i, str>, Input<'i>)] {
    match shape.value(MATCH_VALUES, Presence::Nullable, faults) {
        None => &[],
        Some(Input::Map(values)) => values,
        Some(
            other @ (Input::Null
            | Input::Boolean(_)
            | Input::Number(_)
            | Input::Text(_)
            | Input::List(_)),
        ) => {
            let message = format!("Expected an object, not {}.", other.kind());
            faults.push(Fault::new(Code::Invalid, shape.place(MATCH_VALUES)).saying(message));
            &[]
        }
    }
}

impl Given<'_> {
    /// What the table is asked to look for.
    pub fn matching(
        &self,
        fields: &Fields<'_>,
        reader: Reader<'_>,
    ) -> Result<Matching, Vec<Fault>> {
        let Some(names) = &self.names else {
            let text = self.lookup.expect("a lookup value that was not read is a fault");
            let lookup = identifier::of_text(LOOKUP_VALUE, text, reader.schema, reader.context);
            return Ok(Matching::Identifier(lookup.map_err(|fault| vec![fault])?));
        };
        let keys = names.resolve(reader.schema, reader.rights)?;
        let mut reading = Reading {
            given: self,
            fields,
            reader,
            lookup_is_for: match &keys[..] {
                [NamedKey::Field(only)] => only.number,
                _ => reader.schema.identifier().number,
            },
            values: Vec::new(),
            faults: Vec::new(),
        };
        let read: Vec<_> = keys.iter().filter_map(|key| reading.key(key)).collect();
        reading.keep_identifier();
        let Reading { values, mut faults, .. } = reading;
        if read.is_empty() && faults.is_empty() {
            let message = "None of the match keys has a value.";
            faults
                .push(Fault::new(Code::Required, Place::Body(MATCH_VALUES.into())).saying(message));
        }
        if !faults.is_empty() {
            return Err(faults);
        }
        let on_conflict = self.on_conflict;
        Ok(Matching::Keys(Box::new(MatchKeys { keys: read, on_conflict, values })))
    }
}

/// What a key is made of.
enum NamedKey<'s> {
    /// A unique field.
    Field(&'s Arc<Field>),
    /// Fields that are unique together, in the order in which they were named.
    Fields(&'s Constraint, Vec<&'s Arc<Field>>),
}

impl MatchNames {
    /// Notes what is wrong with names that are said for all rows: then none of them can be meant.
    pub fn check(&self, (schema, rights): (&Schema, &FieldRights), faults: &mut Faults) {
        let wrong = self.resolve(schema, rights).err();
        wrong.into_iter().flatten().for_each(|fault| faults.push(fault));
    }

    /// The keys that are meant; each must be unique.
    fn resolve<'s>(
        &self,
        schema: &'s Schema,
        rights: &FieldRights,
    ) -> Result<Vec<NamedKey<'s>>, Vec<Fault>> {
        let (mut keys, mut faults) = (Vec::with_capacity(self.keys.len()), Vec::new());
        for key in &self.keys {
            let mut fields = Vec::with_capacity(key.len());
            for name in key {
                match rights.find(schema, name) {
                    Some(field) => fields.push(field),
                    None => faults.push(
                        Fault::new(Code::DoesNotExist, self.place.clone())
                            .saying("Field does not exist."),
                    ),
                }
            }
            if fields.len() < key.len() {
                continue;
            }
            match named_key(fields, schema) {
                Some(named) => keys.push(named),
                None => faults.push(Fault::invalid_choice(self.place.clone(), &key.join("+"))),
            }
        }
        if faults.is_empty() { Ok(keys) } else { Err(faults) }
    }
}

/// The key of these fields; none where nothing makes their values unique.
fn named_key<'s>(fields: Vec<&'s Arc<Field>>, schema: &'s Schema) -> Option<NamedKey<'s>> {
    if let [only] = fields[..] {
        return only.is_unique.then_some(NamedKey::Field(only));
    }
    let mut numbers: Vec<FieldNumber> = fields.iter().map(|field| field.number).collect();
    numbers.sort_unstable();
    numbers.dedup();
    let each_is_named_once = numbers.len() == fields.len();
    let constraint = schema.constraint_of(&numbers).filter(|_| each_is_named_once)?;
    Some(NamedKey::Fields(constraint, fields))
}

/// The values of the keys, while they are read.
struct Reading<'r> {
    given: &'r Given<'r>,
    fields: &'r Fields<'r>,
    reader: Reader<'r>,
    /// The field that `lookup_value` is a value of.
    lookup_is_for: FieldNumber,
    values: Vec<MatchValue>,
    faults: Vec<Fault>,
}

/// A value as the request gives it, and where.
enum Source<'r> {
    MatchValue(&'r Input<'r>),
    Lookup(Input<'r>),
    Entry(&'r Input<'r>, Place),
}

impl<'r> Reading<'r> {
    fn source(&self, field: &Field) -> Option<Source<'r>> {
        let Self { given, reader, fields, .. } = *self;
        let is_meant =
            |found: Option<&Arc<Field>>| found.is_some_and(|found| found.number == field.number);
        let find = |name: &str| reader.rights.find(reader.schema, name);
        let own = given.values.iter().find(|(name, _)| is_meant(find(name)));
        if let Some((_, value)) = own {
            return Some(Source::MatchValue(value));
        }
        if self.lookup_is_for == field.number
            && let Some(text) = given.lookup
        {
            return Some(Source::Lookup(Input::Text(Cow::Borrowed(text))));
        }
        let mut entries = fields.entries.iter().filter(|entry| match entry.index.set {
            FieldSet::Fields | FieldSet::OnCreate => true,
            FieldSet::OnUpdate | FieldSet::IfEmpty => false,
        });
        let entry = entries.find(|entry| match entry.reference {
            FieldReference::Id(name) | FieldReference::Name(name) | FieldReference::Key(name) => {
                is_meant(find(name))
            }
            FieldReference::Both { id, .. } => is_meant(find(id)),
        })?;
        match entry.write {
            FieldWrite::Value(value) => Some(Source::Entry(value, entry.place(FieldPart::Value))),
            FieldWrite::Edit { .. } => None,
        }
    }

    /// One key, if it has a value; of several fields, if each of them has one.
    fn key(&mut self, key: &NamedKey<'_>) -> Option<MatchKey> {
        match key {
            NamedKey::Field(field) => {
                let (part, on) = self.part(field)?;
                Some(MatchKey { on, parts: vec![part] })
            }
            NamedKey::Fields(constraint, fields) => {
                // All of them, to tell of each what is wrong with it, and to write what is given.
                let parts: Vec<_> = fields.iter().map(|field| self.part(field)).collect();
                let parts = parts.into_iter().map(|part| Some(part?.0));
                let parts = parts.collect::<Option<Vec<MatchPart>>>()?;
                let key = joint_key(self.reader.schema.parts(constraint), |field| {
                    let part = parts.iter().find(|part| part.field == field.number)?;
                    part.value.unique_key(field.normalizer)
                })?;
                let on = MatchOn::Claim(Claim { on: constraint.number.into(), key });
                Some(MatchKey { on, parts })
            }
        }
    }

    /// The value of a field, if it is given and none that reads as blank, and where it would stand
    /// if it were unique alone.
    fn part(&mut self, field: &Arc<Field>) -> Option<(MatchPart, MatchOn)> {
        let source = self.source(field)?;
        let (input, place, wire_place) = match &source {
            Source::MatchValue(input) => (
                *input,
                RecordPlace::MatchValue(field.number),
                Place::Body(format!("{MATCH_VALUES}.{}", field.name).into()),
            ),
            Source::Lookup(input) => {
                (input, RecordPlace::LookupValue, Place::Body(LOOKUP_VALUE.into()))
            }
            Source::Entry(input, place) => {
                (*input, RecordPlace::Field(field.number), place.clone())
            }
        };
        let text = text_of(input);
        if *input == Input::Null || text.as_deref().is_some_and(|text| text.trim().is_empty()) {
            return None;
        }
        let change = read_change(field, &Entry::of(&as_text(field, input)), self.reader.context);
        let (value, fault) = match (change, text.as_deref().map(str::trim)) {
            (Ok(Change::Set(value)), _) => (value, None),
            // A text needs no form of its own to be looked for, as a name or an e-mail does not.
            (Err(fault), Some(text)) if is_free_text(field) => {
                (Value::Text(text.into()), Some(fault))
            }
            (Err(fault), _) => {
                self.faults.push(fault_of(&fault, wire_place));
                return None;
            }
            (Ok(_), _) => return None,
        };
        let text: Box<str> = text.map_or_else(|| "".into(), |text| text.trim().into());
        let on = self.place_in_index(field, &value)?;
        let part = MatchPart { field: field.number, value, text, place };
        if !matches!(source, Source::Entry(..)) {
            self.keep(&part, fault);
        }
        Some((part, on))
    }

    /// A value may be a part of several keys.
    fn keep(&mut self, part: &MatchPart, fault: Option<ValueFault>) {
        if !self.values.iter().any(|kept| kept.field == part.field) {
            let (field, value, place) = (part.field, part.value.clone(), part.place.clone());
            self.values.push(MatchValue { field, value, place, fault });
        }
    }

    fn place_in_index(&self, field: &Field, value: &Value) -> Option<MatchOn> {
        if field.is_identifier() {
            let Value::Text(text) = value else { unreachable!("an identifier is a text") };
            return self.reader.schema.identifier_key(text).map(MatchOn::Identifier);
        }
        let key: Key = value.unique_key(field.normalizer)?;
        Some(MatchOn::Claim(Claim { on: ClaimOn::Field(field.number), key }))
    }

    /// A lookup value that is no key's is the identifier of a record that is created.
    fn keep_identifier(&mut self) {
        let identifier = self.reader.schema.identifier().clone();
        if self.lookup_is_for == identifier.number {
            self.part(&identifier);
        }
    }
}

/// A number is taken as text where a text is meant.
fn as_text<'v>(field: &Field, input: &'v Input<'v>) -> Cow<'v, Input<'v>> {
    match input {
        Input::Number(digits) if is_free_text(field) => {
            Cow::Owned(Input::Text(Cow::Borrowed(digits)))
        }
        Input::Null
        | Input::Boolean(_)
        | Input::Number(_)
        | Input::Text(_)
        | Input::List(_)
        | Input::Map(_) => Cow::Borrowed(input),
    }
}

/// Whether values of a field are compared as the texts they are, well-formed or not.
fn is_free_text(field: &Field) -> bool {
    matches!(field.field_type, FieldType::Text | FieldType::Longtext | FieldType::Email)
}

fn text_of<'v>(input: &'v Input<'v>) -> Option<Cow<'v, str>> {
    match input {
        Input::Text(text) | Input::Number(text) => Some(Cow::Borrowed(text)),
        Input::Null | Input::Boolean(_) | Input::List(_) | Input::Map(_) => None,
    }
}
