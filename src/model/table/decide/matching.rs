//! Which record an upsert means: the first match key that has a live one, else the first that has an
//! archived one.
//!
//! It must not know what becomes of the record.

use crate::model::id::FieldNumber;
use crate::model::table::command::{Identifier, Place};
use crate::model::table::decide::commit::Commit;
use crate::model::table::decide::plan::Plan;
use crate::model::table::decide::{Conflict, IdentityMatch, Rejection, Taken};
use crate::model::table::draft::View;
use crate::model::table::intent::{
    IdentityConflict, MatchKey, MatchKeys, MatchOn, MatchPart, Matching,
};
use crate::model::table::record::Record;
use crate::model::value::Value;
use crate::model::value::fault::ValueFault;

/// What an upsert has found.
pub(super) enum Found {
    Live(Record),
    Archived(Archived),
    Nobody,
}

/// An archived record, and by which values it was found.
pub(super) struct Archived {
    pub(super) record: Record,
    pub(super) parts: Vec<MatchPart>,
}

pub(super) fn find(commit: &Commit<'_>, matching: &Matching) -> Result<Found, Rejection> {
    match matching {
        Matching::Identifier(lookup) => Ok(find_by_identifier(commit, lookup)),
        Matching::Keys(keys) => find_by_keys(commit, keys),
    }
}

fn find_by_identifier(commit: &Commit<'_>, lookup: &Identifier) -> Found {
    match commit.view.holder(&lookup.key) {
        Some(record) if record.is_archived() => Found::Archived(Archived {
            record,
            parts: vec![MatchPart::of_identifier(
                commit.schema.identifier().number,
                lookup.text.clone(),
                Place::LookupValue,
            )],
        }),
        Some(record) => Found::Live(record),
        None => Found::Nobody,
    }
}

fn find_by_keys(commit: &Commit<'_>, matching: &MatchKeys) -> Result<Found, Rejection> {
    let live = |key: &MatchKey| live_match(commit.view, key);
    let mut matches = matching.keys.iter().filter_map(|key| Some((key, live(key)?)));
    if let Some((first, record)) = matches.next() {
        let others: Vec<_> = matches.filter(|(_, other)| other.id() != record.id()).collect();
        if others.is_empty() || matching.on_conflict == IdentityConflict::First {
            return Ok(Found::Live(record));
        }
        let all = std::iter::once((first, record)).chain(others);
        let matches = all.flat_map(|(key, record)| {
            let told = move |part: &MatchPart| IdentityMatch {
                field: part.field,
                value: part.value.clone(),
                record: record.clone(),
            };
            key.parts.iter().map(told)
        });
        let conflict = Some(Conflict::Identity(matches.collect()));
        return Err(Rejection::Taken(Taken { conflict, ..Taken::default() }));
    }
    let archived = matching.keys.iter().find_map(|key| {
        let record = match &key.on {
            MatchOn::Identifier(key) => commit.view.holder(key),
            MatchOn::Claim(claim) => commit.view.archived_claimant(claim),
        };
        Some(Archived { record: record?, parts: key.parts.clone() })
    });
    Ok(archived.map_or(Found::Nobody, Found::Archived))
}

fn live_match(view: View<'_>, key: &MatchKey) -> Option<Record> {
    match &key.on {
        MatchOn::Identifier(key) => view.holder(key).filter(|holder| !holder.is_archived()),
        MatchOn::Claim(claim) => view.claimant(claim),
    }
}

/// Gives a new record the values that it was looked for by, where its fields say nothing else.
pub(super) fn inject(commit: &Commit<'_>, plan: &mut Plan<'_>, matching: &Matching) {
    let identifier = commit.schema.identifier().number;
    match matching {
        Matching::Identifier(lookup) => {
            let value = Value::Text(lookup.text.clone());
            plan.inject(identifier, &value, (Place::LookupValue, lookup.fault.as_ref()));
        }
        Matching::Keys(keys) => {
            for given in &keys.values {
                let place = (given.place.clone(), given.fault.as_ref());
                plan.inject(given.field, &given.value, place);
            }
        }
    }
}

/// An upsert names the identifier of what it creates.
pub(super) fn require_identifier(commit: &Commit<'_>, plan: &mut Plan<'_>) {
    let identifier = commit.schema.identifier().number;
    // A record without a key would be created anew by every repetition of this very call, and by
    // whoever looks for it by its identifier.
    if plan.value(identifier).is_none() && !plan.is_blamed(identifier) {
        plan.fault(plan.place_of(identifier), ValueFault::Required);
    }
}

impl Plan<'_> {
    fn inject(
        &mut self,
        field: FieldNumber,
        value: &Value,
        (place, fault): (Place, Option<&ValueFault>),
    ) {
        if let Some(fault) = fault {
            self.fault(place.clone(), fault.clone());
        }
        if !self.mentions(field) {
            self.set(field, value);
            self.filled.push(field);
            self.injected.push((field, place));
        }
    }
}
