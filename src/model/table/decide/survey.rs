//! Whether live records keep a rule that is to be switched on.
//!
//! It runs at the barrier, where nothing is undurable: what it reads is what the rule will hold for.
//! Every record counts for the rule, and those that the caller may read for the answer: to count
//! the others would tell of them.

use crate::model::id::RecordId;
use crate::model::key::Key;
use crate::model::schema::field::Field;
use crate::model::table::decide::commit::Commit;
use crate::model::table::decide::keys::{field_key, is_blank, joint_key, stored};
use crate::model::table::decide::{Rejection, Rule, Violated, Violation};
use crate::model::table::index::KeyHasher;
use crate::model::table::order::{CHUNK, Wanted};
use crate::model::table::record::Record;
use std::collections::HashMap;
use std::sync::Arc;

/// Values, and records of one value, that an answer names.
const NAMED_MAX: usize = 100;

/// Surveys what `after` asks of values and `before` did not.
pub(super) fn survey(commit: &Commit<'_>, before: &Field, after: &Field) -> Result<(), Rejection> {
    let field = Arc::new(after.clone());
    if after.is_required && !before.is_required && !after.field_type.is_checkbox() {
        missing(commit, &field).refuse(Rule::Required, vec![field.clone()])?;
    }
    let is_new = !before.is_unique;
    let is_other_form = before.normalizer != after.normalizer;
    if after.is_unique && (is_new || is_other_form) {
        let rule = if is_new { Rule::Unique } else { Rule::Normalizer };
        let fields = vec![field.clone()];
        doubles(commit, &fields, Wanted::Live).refuse(rule, fields)?;
    }
    for constraint in commit.schema.constraints_on(after.number).filter(|_| is_other_form) {
        let parts = commit.schema.parts(constraint);
        let parts = parts.map(|part| if part.number == field.number { &field } else { part });
        survey_together(commit, parts.cloned().collect(), Rule::Normalizer)?;
    }
    Ok(())
}

/// Surveys whether no two live records have the same values of these fields.
pub(super) fn survey_together(
    commit: &Commit<'_>,
    fields: Vec<Arc<Field>>,
    rule: Rule,
) -> Result<(), Rejection> {
    doubles(commit, &fields, Wanted::Live).refuse(rule, fields)
}

/// Surveys whether every record has a name of its own in a normal form, archived ones too.
/// Constraints that the name is part of are kept then.
pub(super) fn survey_names(commit: &Commit<'_>, identifier: &Field) -> Result<(), Rejection> {
    let fields = vec![Arc::new(identifier.clone())];
    doubles(commit, &fields, Wanted::All).refuse(Rule::IdentifierCase, fields)
}

/// What breaks a rule.
#[derive(Default)]
struct Found {
    is_any: bool,
    /// Of what the caller may see.
    count: usize,
    first: Vec<Violation>,
}

impl Found {
    fn note(&mut self, violation: impl FnOnce() -> Violation) {
        self.count += 1;
        if self.first.len() < NAMED_MAX {
            self.first.push(violation());
        }
    }

    fn refuse(self, rule: Rule, fields: Vec<Arc<Field>>) -> Result<(), Rejection> {
        if !self.is_any {
            return Ok(());
        }
        let Self { count, first, .. } = self;
        Err(Rejection::Violated(Box::new(Violated { rule, fields, count, first })))
    }
}

/// Live records without a value, oldest first.
fn missing(commit: &Commit<'_>, field: &Field) -> Found {
    let (members, others) = (&commit.caller.members, &commit.caller.others);
    let mut found = Found::default();
    for_each(commit, Wanted::Live, |record| {
        let raw = record.value(field.number);
        if raw.is_some_and(|raw| !is_blank(field, raw, members, others)) {
            return;
        }
        found.is_any = true;
        if commit.access.may_read(&commit.schema, record) {
            found.note(|| Violation { records: vec![record.id()], values: Vec::new() });
        }
    });
    found
}

/// Records of one value, and those of them that the caller may read.
struct Group {
    size: usize,
    first: Option<Record>,
    seen: Vec<RecordId>,
}

/// Values that several of the wanted records have, by the oldest of each. Where the caller may not
/// see one of the fields, it sees nothing of them.
fn doubles(commit: &Commit<'_>, fields: &[Arc<Field>], wanted: Wanted) -> Found {
    let rights = commit.access.fields(&commit.schema);
    let sees_all = fields.iter().all(|field| rights.may_see(field.number));
    let mut places: HashMap<Key, usize, KeyHasher> = HashMap::default();
    let mut groups: Vec<Group> = Vec::new();
    for_each(commit, wanted, |record| {
        let key = |field: &Field| field_key(field, record.value(field.number)?);
        let key = match fields {
            [alone] => key(alone),
            several => joint_key(several, key),
        };
        let Some(key) = key else { return };
        let place = *places.entry(key).or_insert(groups.len());
        if place == groups.len() {
            groups.push(Group { size: 0, first: None, seen: Vec::new() });
        }
        let group = &mut groups[place];
        group.size += 1;
        if sees_all && commit.access.may_read(&commit.schema, record) {
            group.first.get_or_insert_with(|| record.clone());
            group.seen.push(record.id());
        }
    });
    let mut found = Found::default();
    for group in groups.into_iter().filter(|group| group.size > 1) {
        found.is_any = true;
        let Some(first) = group.first else { continue };
        found.note(|| {
            let values = fields.iter().map(|field| {
                let raw = first.value(field.number).expect("a record of a group has a value");
                stored(field, raw)
            });
            let records = group.seen.into_iter().take(NAMED_MAX);
            Violation { records: records.collect(), values: values.collect() }
        });
    }
    found
}

/// Every wanted record in creation order.
fn for_each(commit: &Commit<'_>, wanted: Wanted, mut each: impl FnMut(&Record)) {
    let table = commit.view.table;
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
