//! Whether live records keep a rule that is to be switched on.
//!
//! It runs at the barrier, where nothing is undurable: what it reads is what the rule will hold for.

use crate::model::id::RecordId;
use crate::model::key::Key;
use crate::model::schema::field::Field;
use crate::model::table::Table;
use crate::model::table::command::Caller;
use crate::model::table::decide::keys::{claim_of, is_blank, stored};
use crate::model::table::decide::{Rejection, Rule, Violated, Violation};
use crate::model::table::index::KeyHasher;
use crate::model::table::order::{CHUNK, Wanted};
use crate::model::table::record::Record;
use std::collections::HashMap;
use std::sync::Arc;

/// Values, and records of one value, that an answer names.
const NAMED_MAX: usize = 100;

/// Surveys what `after` asks of values and `before` did not.
pub(super) fn survey(
    table: &Table,
    before: &Field,
    after: &Field,
    caller: &Caller,
) -> Result<(), Rejection> {
    if after.is_required && !before.is_required && !after.field_type.is_checkbox() {
        let (count, first) = missing(table, after, caller);
        refuse(after, Rule::Required, count, first)?;
    }
    let is_new = !before.is_unique;
    if after.is_unique && (is_new || before.normalizer != after.normalizer) {
        let rule = if is_new { Rule::Unique } else { Rule::Normalizer };
        let (count, first) = doubles(table, after, Wanted::Live);
        refuse(after, rule, count, first)?;
    }
    Ok(())
}

/// Surveys whether every record has a name of its own in a normal form, archived ones too.
pub(super) fn survey_names(table: &Table, identifier: &Field) -> Result<(), Rejection> {
    let (count, first) = doubles(table, identifier, Wanted::All);
    refuse(identifier, Rule::IdentifierCase, count, first)
}

fn refuse(field: &Field, rule: Rule, count: usize, first: Vec<Violation>) -> Result<(), Rejection> {
    if count == 0 {
        return Ok(());
    }
    let field = Arc::new(field.clone());
    Err(Rejection::Violated(Box::new(Violated { field, rule, count, first })))
}

/// Live records without a value, oldest first.
fn missing(table: &Table, field: &Field, caller: &Caller) -> (usize, Vec<Violation>) {
    let (mut count, mut first) = (0, Vec::new());
    for_each(table, Wanted::Live, |record| {
        let raw = record.value(field.number);
        if raw.is_some_and(|raw| !is_blank(field, raw, &caller.members, &caller.others)) {
            return;
        }
        count += 1;
        if first.len() < NAMED_MAX {
            first.push(Violation { records: vec![record.id()], value: None });
        }
    });
    (count, first)
}

/// A value, who has it first, and the others.
struct Group {
    first: Record,
    others: Vec<RecordId>,
}

/// Values that several of the wanted records have, by the oldest of each.
fn doubles(table: &Table, field: &Field, wanted: Wanted) -> (usize, Vec<Violation>) {
    let mut places: HashMap<Key, usize, KeyHasher> = HashMap::default();
    let mut groups: Vec<Group> = Vec::new();
    for_each(table, wanted, |record| {
        let Some(claim) = record.value(field.number).and_then(|raw| claim_of(field, raw)) else {
            return;
        };
        let place = *places.entry(claim.key).or_insert(groups.len());
        match groups.get_mut(place) {
            Some(group) => group.others.push(record.id()),
            None => groups.push(Group { first: record.clone(), others: Vec::new() }),
        }
    });
    groups.retain(|group| !group.others.is_empty());
    let named = groups.iter().take(NAMED_MAX).map(|group| {
        let raw = group.first.value(field.number).expect("a record of a group has a value");
        let records = std::iter::once(group.first.id()).chain(group.others.iter().copied());
        Violation { records: records.take(NAMED_MAX).collect(), value: Some(stored(field, raw)) }
    });
    (groups.len(), named.collect())
}

/// Every wanted record in creation order.
fn for_each(table: &Table, wanted: Wanted, mut each: impl FnMut(&Record)) {
    let is_wanted = |record: &&Record| match wanted {
        Wanted::Live => !record.is_archived(),
        Wanted::Archived => record.is_archived(),
        Wanted::All => true,
    };
    let mut chunk = Vec::with_capacity(CHUNK);
    for at in 0..(table.slot_count() as usize).div_ceil(CHUNK) {
        table.shown.order.clone_chunk(at, &mut chunk);
        chunk.iter().flatten().filter(is_wanted).for_each(&mut each);
    }
}
