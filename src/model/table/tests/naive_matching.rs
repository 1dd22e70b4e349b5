//! The naive table's rules for which record an upsert means, and for the values it was looked for by.

use crate::model::id::{FieldNumber, RecordId};
use crate::model::table::command::{Identifier, Place, Writes};
use crate::model::table::intent::{
    IdentityConflict, MatchKey, MatchKeys, MatchOn, MatchPart, Matching,
};
use crate::model::table::precondition::Precondition;
use crate::model::table::tests::naive::{Answer, Draft, Held, Naive, NaiveRecord, entry, fault};
use crate::model::value::Value;
use crate::model::value::fault::ValueFault;

/// What an upsert means.
pub(super) enum Meant {
    Live(usize),
    Archived { at: usize, parts: Vec<(String, Place)> },
    Nobody,
    Several(Vec<(FieldNumber, RecordId)>),
}

impl Naive {
    pub(super) fn meant(&self, matching: &Matching) -> Meant {
        match matching {
            Matching::Identifier(Identifier { text, .. }) => match self.holder(text) {
                Some(at) if self.records[at].archived.is_none() => Meant::Live(at),
                Some(at) => {
                    let parts = vec![(text.to_string(), Place::LookupValue)];
                    Meant::Archived { at, parts }
                }
                None => Meant::Nobody,
            },
            Matching::Keys(keys) => self.meant_by_keys(keys),
        }
    }

    /// An archived record is as good as none; of several nobody knows which is meant.
    pub(super) fn not_as_expected(
        &self,
        meant: &Meant,
        expected: Option<&Precondition>,
    ) -> Option<Answer> {
        let found = match meant {
            Meant::Live(at) => Some(self.records[*at].version),
            Meant::Archived { .. } | Meant::Nobody => None,
            Meant::Several(_) => return None,
        };
        let is_met = match (expected?, found) {
            (Precondition::Absent, found) => found.is_none(),
            (Precondition::Present, found) => found.is_some(),
            (Precondition::At(version), found) => Some(version.0) == found,
            (Precondition::AtOneOf(versions), found) => {
                versions.iter().any(|version| Some(version.0) == found)
            }
        };
        (!is_met).then_some(Answer::NotAsExpected(found))
    }

    fn meant_by_keys(&self, matching: &MatchKeys) -> Meant {
        let mut live = Vec::new();
        for key in &matching.keys {
            let holders = self.holders(key).into_iter();
            live.extend(
                holders.filter(|at| self.records[*at].archived.is_none()).map(|at| (key, at)),
            );
        }
        if let Some((_, first)) = live.first().copied() {
            let mut at_once = live.into_iter();
            let mut matches: Vec<_> = at_once.by_ref().take(1).collect();
            matches.extend(at_once.filter(|(_, at)| *at != first));
            if matches.len() == 1 || matching.on_conflict == IdentityConflict::First {
                return Meant::Live(first);
            }
            let told = matches.into_iter().flat_map(|(key, at)| {
                let id = self.records[at].id;
                key.parts.iter().map(move |part| (part.field, id))
            });
            return Meant::Several(told.collect());
        }
        let last = |key: &MatchKey| {
            let archived_at = |at: &usize| (self.records[*at].archived, self.records[*at].id);
            self.holders(key).into_iter().max_by_key(archived_at)
        };
        let found = matching.keys.iter().find_map(|key| Some((key, last(key)?)));
        found.map_or(Meant::Nobody, |(key, at)| Meant::Archived {
            at,
            parts: key.parts.iter().map(|it| (it.text.to_string(), it.place.clone())).collect(),
        })
    }

    /// Every record with the key's values, live or archived.
    fn holders(&self, key: &MatchKey) -> Vec<usize> {
        let same = |part: &MatchPart, held: Option<&Held>| match (held, &key.on) {
            (Some(Held::Plain(Value::Text(text))), MatchOn::Identifier(key)) => {
                self.schema.identifier_key(text).as_ref() == Some(key)
            }
            (Some(Held::Plain(value)), MatchOn::Claim(_)) => {
                let field = self.schema.by_number(part.field).expect("steps match known fields");
                let key = part.value.unique_key(field.normalizer);
                key.is_some() && value.unique_key(field.normalizer) == key
            }
            (Some(Held::Plain(_) | Held::Tags(_)) | None, _) => false,
        };
        let has_all = |record: &NaiveRecord| {
            key.parts.iter().all(|part| same(part, record.values.get(&part.field)))
        };
        let records = self.records.iter().enumerate();
        records.filter(|(_, record)| has_all(record)).map(|(at, _)| at).collect()
    }

    pub(super) fn inject(&self, draft: &mut Draft, writes: &Writes, matching: &Matching) {
        let identifier = self.schema.identifier().number;
        match matching {
            Matching::Identifier(lookup) => {
                let value = Value::Text(lookup.text.clone());
                let why = lookup.fault.as_ref();
                put(draft, writes, (identifier, value), (Place::LookupValue, why));
            }
            Matching::Keys(keys) => {
                for given in &keys.values {
                    let place = (given.place.clone(), given.fault.as_ref());
                    put(draft, writes, (given.field, given.value.clone()), place);
                }
            }
        }
        if !draft.values.contains_key(&identifier) && !draft.blames(identifier) {
            let write = writes.entries.iter().find(|write| write.field == identifier);
            let place =
                write.map_or(Place::Field(identifier), |write| entry(write.index, identifier));
            draft.faults.push(fault(place, ValueFault::Required));
        }
    }
}

/// Gives a value that the fields do not name.
fn put(
    draft: &mut Draft,
    writes: &Writes,
    (field, value): (FieldNumber, Value),
    (place, why): (Place, Option<&ValueFault>),
) {
    let entry_of = writes.entries.iter().any(|write| write.field == field);
    let is_named = entry_of || draft.entry_blames(field);
    draft.faults.extend(why.map(|why| fault(place.clone(), why.clone())));
    if !is_named {
        draft.values.insert(field, Held::Plain(value));
        draft.filled.push(field);
        draft.injected.push((field, place));
    }
}
