//! Upsert and add: match by the identifier, then create, update, restore or refuse.
//!
//! The numbers of rows are those of the archive table for creating calls in `docs/upsert.md`.

use crate::model::key::displaced_identifier;
use crate::model::schema::system;
use crate::model::table::body::Edits;
use crate::model::table::command::{
    Action, Add, ArchivedConflict, ArchivedMatch, FaultKind, FieldSet, Outcome, RecordFault, Reply,
    RestoreConflict, Writes,
};
use crate::model::table::decide::archive::archive_live;
use crate::model::table::decide::commit::{Commit, RecordEdit};
use crate::model::table::decide::guard::{check_stale, keep, raise_with};
use crate::model::table::decide::keys::stored_text;
use crate::model::table::decide::matching::{Archived, Found, find, inject, require_identifier};
use crate::model::table::decide::plan::Plan;
use crate::model::table::decide::precondition::check_precondition;
use crate::model::table::decide::relate::{give_up, take_over};
use crate::model::table::decide::sets::{applying, untouched};
use crate::model::table::decide::update::{Change, change_live};
use crate::model::table::decide::{
    Conflict, ConflictParameter, Rejection, Taken, admit, check_fields, require,
};
use crate::model::table::event::{ChangeKind, Event, Reason};
use crate::model::table::intent::{Intent, MatchPart, Matching, Mode};
use crate::model::table::record::Record;
use crate::model::value::Value;

/// What a creating call says about archived records, under the names of its parameters.
#[derive(Clone, Copy)]
struct Rules {
    archived_match: ArchivedMatch,
    archived_conflict: ArchivedConflict,
    restore_conflict: RestoreConflict,
    /// The parameter of the match.
    parameter: ConflictParameter,
}

pub(super) fn upsert(commit: &mut Commit<'_>, intent: &Intent) -> Result<Reply, Rejection> {
    admit(commit, &intent.writes)?;
    commit.guard.clone_from(&intent.guard);
    commit.precondition.clone_from(&intent.precondition);
    match find(commit, &intent.matching)? {
        Found::Live(record) => on_live(commit, intent, &record),
        Found::Archived(archived) => on_none(commit, intent, Some(archived)),
        Found::Nobody => on_none(commit, intent, None),
    }
}

/// Row 1: a live record is meant.
fn on_live(commit: &mut Commit<'_>, intent: &Intent, record: &Record) -> Result<Reply, Rejection> {
    if !commit.access.may_read(&commit.schema, record) {
        return Err(Rejection::NoRightToIdentifier);
    }
    if let Some(stale) = check_stale(commit, record)? {
        return Ok(stale);
    }
    check_precondition(commit, Some(record))?;
    match intent.mode {
        Mode::Create => {
            check_types(&intent.writes)?;
            let record = keep(commit, record)?;
            Ok(untouched(commit, &record, Action::Exists))
        }
        Mode::Upsert | Mode::Update => {
            let change = Change {
                writes: &intent.writes,
                archived_conflict: intent.archived_conflict,
                parameter: ConflictParameter::OnupdateArchivedConflict,
                reports_unchanged: intent.reports_unchanged,
            };
            change_live(commit, record, &change)
        }
        Mode::Archive => {
            let record = archive_live(commit, record)?;
            Ok(Reply::Record(Outcome::of(Action::Archived, record)))
        }
    }
}

/// Rows 2 to 5: no live record is meant.
fn on_none(
    commit: &mut Commit<'_>,
    intent: &Intent,
    archived: Option<Archived>,
) -> Result<Reply, Rejection> {
    // Of one that the caller may not see nobody tells what it keeps.
    let seen = archived.as_ref().map(|archived| &archived.record);
    let seen = seen.filter(|record| commit.access.may_read(&commit.schema, record));
    if let Some(record) = seen
        && let Some(stale) = check_stale(commit, record)?
    {
        return Ok(stale);
    }
    match intent.mode {
        Mode::Update | Mode::Archive => {
            if let Some(record) = seen {
                keep(commit, record)?;
            }
            return Ok(Reply::NoMatch);
        }
        Mode::Upsert | Mode::Create => {}
    }
    check_precondition(commit, None)?;
    let matching = Some(&intent.matching);
    let rules = Rules {
        archived_match: intent.archived_match,
        archived_conflict: intent.archived_conflict,
        restore_conflict: intent.restore_conflict,
        parameter: ConflictParameter::OncreateUnarchive,
    };
    let Some(Archived { record: archived, parts }) = archived else {
        return create(commit, &intent.writes, matching, rules);
    };
    match intent.archived_match {
        ArchivedMatch::Prompt => {
            let (holder, parameter) = (archived, rules.parameter);
            let conflict = Conflict::ArchivedIdentifier { holder, parts, parameter };
            prompt(commit, &intent.writes, conflict)
        }
        ArchivedMatch::Unarchive => restore(commit, &archived, &intent.writes, rules),
        ArchivedMatch::Overwrite => {
            // Also where another identifier is to be created: an answer would tell of it.
            require(commit.access.may_read(&commit.schema, &archived))?;
            create(commit, &intent.writes, matching, rules)
        }
        ArchivedMatch::Skip => skip(commit, &archived, &intent.writes),
    }
}

/// An archived record stays as it is, and so does everything else.
fn skip(commit: &mut Commit<'_>, archived: &Record, writes: &Writes) -> Result<Reply, Rejection> {
    require(commit.access.may_read(&commit.schema, archived))?;
    check_types(writes)?;
    let record = keep(commit, archived)?;
    Ok(untouched(commit, &record, Action::SkippedArchived))
}

pub(super) fn add(commit: &mut Commit<'_>, add: &Add) -> Result<Reply, Rejection> {
    admit(commit, &add.writes)?;
    let rules = Rules {
        archived_match: add.archived_match,
        archived_conflict: ArchivedConflict::Refuse,
        restore_conflict: add.restore_conflict,
        parameter: ConflictParameter::Unarchive,
    };
    create(commit, &add.writes, None, rules)
}

/// Where nothing is written, values are checked for their type alone.
fn check_types(writes: &Writes) -> Result<(), Rejection> {
    if writes.faults.is_empty() { Ok(()) } else { Err(Rejection::Faults(writes.faults.clone())) }
}

/// Row 3 and 8: values are checked for their type, and what is unique in every branch. The branch is
/// not chosen yet, so nobody asks for required fields.
fn prompt(
    commit: &mut Commit<'_>,
    writes: &Writes,
    conflict: Conflict,
) -> Result<Reply, Rejection> {
    let applied = applying(writes, FieldSet::Fields);
    check_fields(&applied)?;
    check_types(writes)?;
    let plan = Plan::new(commit, None, &applied);
    let mut taken = Taken { conflict: Some(conflict), ..Taken::default() };
    plan.check_unique(commit, None, &mut taken);
    Err(Rejection::Taken(taken))
}

/// A new record, under the identifier of `fields` or, where they name none, the lookup value.
fn create(
    commit: &mut Commit<'_>,
    writes: &Writes,
    matching: Option<&Matching>,
    rules: Rules,
) -> Result<Reply, Rejection> {
    let applied = applying(writes, FieldSet::OnCreate);
    let mut plan = Plan::new(commit, None, &applied);
    if let Some(matching) = matching {
        inject(commit, &mut plan, matching);
    }
    plan.fill_empty(commit, &applied);
    if matching.is_some() {
        require_identifier(commit, &mut plan);
    }
    let identifier = plan.identifier(commit).map(Box::<str>::from);
    let key = identifier.as_deref().and_then(|text| commit.schema.identifier_key(text));
    let holder = key.as_ref().and_then(|key| commit.view.holder(key));
    let field = commit.schema.identifier().number;
    let place = plan.place_of(field);
    let mut displaced = None;
    if let Some(holder) = holder.filter(Record::is_archived) {
        match rules.archived_match {
            ArchivedMatch::Prompt => {
                let text = identifier.unwrap_or_default();
                let parts = vec![MatchPart::of_identifier(field, text, place)];
                let parameter = rules.parameter;
                let conflict = Conflict::ArchivedIdentifier { holder, parts, parameter };
                return prompt(commit, writes, conflict);
            }
            ArchivedMatch::Unarchive => return restore(commit, &holder, writes, rules),
            ArchivedMatch::Overwrite => {
                require(commit.access.may_edit(&commit.schema, &holder))?;
                displaced = Some(holder);
            }
            ArchivedMatch::Skip => return skip(commit, &holder, writes),
        }
    }
    require(commit.access.may_create())?;
    check_fields(&applied)?;
    plan.given = Some(plan.edits.numbers().collect());
    plan.fill_defaults(commit);
    if commit.access.sees_own_team_only() {
        // Otherwise it would vanish from the eyes of whoever made it.
        plan.set(system::TEAM_MEMBERS, &Value::Members(vec![commit.caller.member]));
    }
    plan.check_required(commit);
    plan.end_of_values()?;
    let mut taken = Taken::default();
    let live =
        key.as_ref().and_then(|key| commit.view.holder(key)).filter(|held| !held.is_archived());
    if let Some(holder) = live {
        let kind = FaultKind::Unique { holder: holder.id() };
        taken.faults.push(RecordFault { place, kind });
    }
    plan.check_unique(commit, None, &mut taken);
    if !taken.is_empty() {
        return Err(Rejection::Taken(taken));
    }
    if let Some(archived) = displaced {
        displace(commit, &archived)?;
    }
    finish(commit, plan, None, ChangeKind::Created)
}

/// Row 4 and 9: the stored values come back, then the given ones win.
fn restore(
    commit: &mut Commit<'_>,
    archived: &Record,
    writes: &Writes,
    rules: Rules,
) -> Result<Reply, Rejection> {
    require(commit.access.may_unarchive(&commit.schema, archived))?;
    let applied = applying(writes, FieldSet::OnUpdate);
    check_fields(&applied)?;
    let mut plan = Plan::new(commit, Some(archived), &applied);
    plan.restore();
    plan.fill_empty(commit, &applied);
    plan.fill_owner(commit);
    give_up(commit, &mut plan, archived);
    // Before required fields are asked for: what is cleared here may be one.
    let clashes = plan.check_restored(commit, archived, rules.restore_conflict);
    plan.check_required(commit);
    plan.end_of_values()?;
    let mut taken = Taken::default();
    let mode = (rules.archived_conflict, ConflictParameter::OnupdateArchivedConflict);
    let displaced = check_identifier(commit, &plan, archived, mode, &mut taken)?;
    plan.check_unique(commit, Some(archived), &mut taken);
    if taken.conflict.is_none() && !clashes.is_empty() {
        taken.conflict = Some(Conflict::UniqueOnRestore { record: archived.clone(), clashes });
    }
    if !taken.is_empty() {
        return Err(Rejection::Taken(taken));
    }
    if let Some(displaced) = displaced {
        displace(commit, &displaced)?;
    }
    finish(commit, plan, Some(archived), ChangeKind::Unarchived)
}

/// Whether the identifier after the edits is free for this record; who must be displaced for it.
pub(super) fn check_identifier(
    commit: &Commit<'_>,
    plan: &Plan<'_>,
    own: &Record,
    (mode, parameter): (ArchivedConflict, ConflictParameter),
    taken: &mut Taken,
) -> Result<Option<Record>, Rejection> {
    let Some(text) = plan.identifier(commit) else { return Ok(None) };
    let key = commit.schema.identifier_key(text);
    let key = key.filter(|key| own.key() != Some(key.as_bytes()));
    let holder = key.and_then(|key| commit.view.holder(&key));
    let Some(holder) = holder.filter(|holder| holder.id() != own.id()) else { return Ok(None) };
    let place = plan.place_of(commit.schema.identifier().number);
    if !holder.is_archived() {
        taken.faults.push(RecordFault { place, kind: FaultKind::Unique { holder: holder.id() } });
        return Ok(None);
    }
    if mode == ArchivedConflict::Overwrite {
        require(commit.access.may_edit(&commit.schema, &holder))?;
        return Ok(Some(holder));
    }
    let field = commit.schema.identifier().number;
    let parts = vec![MatchPart::of_identifier(field, text.into(), place)];
    taken.conflict = Some(Conflict::ArchivedIdentifier { holder, parts, parameter });
    Ok(None)
}

/// Frees an archived record's identifier: the record keeps everything else.
pub(super) fn displace(commit: &mut Commit<'_>, archived: &Record) -> Result<(), Rejection> {
    let schema = commit.schema.clone();
    let number = schema.identifier().number;
    let old =
        archived.value(number).and_then(stored_text).expect("a holder of a key has an identifier");
    let at = commit.at();
    let free = (1..=u32::MAX)
        .map(|attempt| displaced_identifier(old, at, attempt))
        .find(|text| {
            let key = schema.identifier_key(text);
            key.is_some_and(|key| commit.view.holder(&key).is_none())
        })
        .expect("there are more spellings than records");
    let mut edits = Edits::default();
    edits.set(number, |out| Value::Text(free.into()).encode(out));
    if archived.value(system::DISPLACED_FROM).is_none() {
        edits.set(system::DISPLACED_FROM, |out| Value::Text(old.into()).encode(out));
    }
    let change = commit.put(RecordEdit {
        kind: ChangeKind::Updated,
        old: Some(archived),
        edits,
        new_tags: Vec::new(),
        reason: Some(Reason::IdentifierOverwritten),
    })?;
    commit.push(Event::Record(change));
    Ok(())
}

/// Makes the event and the answer.
pub(super) fn finish(
    commit: &mut Commit<'_>,
    mut plan: Plan<'_>,
    old: Option<&Record>,
    kind: ChangeKind,
) -> Result<Reply, Rejection> {
    take_over(commit, &plan, old)?;
    plan.settle_close_date(commit);
    raise_with(commit, old, &mut plan.edits);
    let Plan { edits, new_tags, filled, given, .. } = plan;
    let change = commit.put(RecordEdit { kind, old, edits, new_tags, reason: None })?;
    let action = match kind {
        ChangeKind::Created => Action::Created,
        ChangeKind::Updated | ChangeKind::Archived => Action::Updated,
        ChangeKind::Unarchived => Action::Unarchived,
    };
    let (record, mut changed) = (change.record.clone(), change.changed.clone());
    if let Some(given) = given {
        changed.retain(|number| given.contains(number));
    }
    let new_tags = change.new_tags.clone();
    commit.push(Event::Record(change));
    Ok(Reply::Record(Outcome { action, record, filled, changed, new_tags }))
}
